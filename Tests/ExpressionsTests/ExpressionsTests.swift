import Expressions
import MusterModel
import Testing

@Test("Every example of the reference page is true", arguments: FunctionLibrary.all.map(\.name))
func example(name: String) throws {
    let function = try #require(FunctionLibrary[name])
    #expect(!function.examples.isEmpty)
    for example in function.examples {
        func value(_ text: String) throws -> Value {
            let (tree, diagnostics) = ExpressionParser.parseExpression(text, stack: "s")
            #expect(diagnostics.isEmpty)
            return try Evaluator.evaluate(tree, readFile: { try #require(example.files[$0]) }) { _ in nil }
        }
        #expect(try value(example.expression) == value(example.result), "\(example.expression)")
    }
}
