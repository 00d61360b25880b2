import Diagnostics
import Expressions
import MusterModel
import Testing

/// Expects an expression to evaluate to what another one evaluates to.
func check(
    _ text: String, _ expected: String, files: [String: String] = [:], knowing values: [String: Value] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let value = try evaluate(text, files: files, knowing: values, sourceLocation: sourceLocation)
    #expect(value.map(written) == expected, "\(text)", sourceLocation: sourceLocation)
}

/// The source text of a value: what is deferred is written between `${` and `}`.
func written(_ value: Value) -> String {
    switch value {
    case .deferred(let deferred): "${\(deferred.expression.sourceText)}"
    case .list(let values): "[\(values.map(written).joined(separator: ", "))]"
    case .map(let members) where !value.isKnown:
        "{ \(members.sorted { $0.key < $1.key }.map { "\($0.key): \(written($0.value))" }.joined(separator: ", ")) }"
    default: Expression(value).sourceText
    }
}

struct MissingFile: Error, CustomStringConvertible {
    var description: String { "there is no such file" }
}

/// The value of an expression; nil after recording that it does not parse.
func evaluate(
    _ text: String, files: [String: String] = [:], knowing values: [String: Value] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> Value? {
    let (tree, diagnostics) = ExpressionParser.parseExpression(text, stack: "s", isLinked: true)
    guard diagnostics.isEmpty else {
        Issue.record("\(text): \(diagnostics.map(\.detail))", sourceLocation: sourceLocation)
        return nil
    }
    return try evaluate(tree, files: files, knowing: values)
}

/// Names in `values` are the source texts of references, outputs and secrets.
func evaluate(_ tree: Expression, files: [String: String] = [:], knowing values: [String: Value] = [:]) throws -> Value
{
    try Evaluator.evaluate(
        tree,
        readFile: { path in
            guard let text = files[path] else { throw MissingFile() }
            return text
        },
        resolve: { (leaf) throws(EvaluationFailure) -> Value? in
            if let value = values[leaf.sourceText] { return value }
            guard case .reference(let reference) = leaf, case .path(let components) = reference.target,
                case .name(let root)? = components.first, let value = values[root]
            else { return nil }
            return try Evaluator.part(of: value, at: components.dropFirst())
        })
}

/// Expects an evaluation to fail with a message: detail, and the hint after a bar.
func checkFailure(
    _ text: String, _ expected: String, files: [String: String] = [:], knowing values: [String: Value] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    do {
        let value = try evaluate(text, files: files, knowing: values, sourceLocation: sourceLocation)
        Issue.record("\(text) gave \(value.map(written) ?? "nothing")", sourceLocation: sourceLocation)
    } catch let failure as EvaluationFailure {
        let message = failure.detail + (failure.hint.map { " | \($0)" } ?? "")
        #expect(message == expected, "\(text)", sourceLocation: sourceLocation)
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
}

extension Expression: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .literal(.string(value)) }
}
