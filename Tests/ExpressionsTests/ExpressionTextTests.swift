import Diagnostics
import Expressions
import MusterModel
import TestSupport
import Testing

/// Trees of the form that parsing and evaluating make.
private struct TreeGenerator {
    var random: SeededGenerator

    mutating func tree(_ depth: Int) -> Expression {
        if depth == 0 || random.oneIn(4) { return leaf(depth) }
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1: return .template(templateParts(depth))
        case 2: return .list([leaf(0), reference()] + trees(depth))
        case 3:
            let entries = trees(depth).enumerated()
                .map { Expression.MapEntry(key: "k\($0.offset) \(text())", value: $0.element) }
            return .map(entries + [Expression.MapEntry(key: "if", value: reference())])
        case 4: return .member(computed(depth), text())
        case 5:
            var key = tree(depth - 1)
            if case .literal(.string) = key { key = .literal(3) }
            return .index(computed(depth), key)
        case 6: return .call("concat", [tree(depth - 1)] + trees(depth))
        case 7: return .unary(random.oneIn(2) ? .not : .negate, tree(depth - 1))
        default:
            let symbols: [Expression.BinaryOperator] = [
                .or, .and, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .add, .subtract,
                .multiply,
                .divide, .remainder,
            ]
            return .binary(random.pick(symbols), tree(depth - 1), tree(depth - 1))
        }
    }

    private mutating func trees(_ depth: Int) -> [Expression] {
        (0..<Int.random(in: 0..<3, using: &random)).map { _ in tree(depth - 1) }
    }

    /// What a member can be taken of by an operation: an empty list stands for what is none.
    private mutating func computed(_ depth: Int) -> Expression { tree(depth - 1) }

    private mutating func templateParts(_ depth: Int) -> [Expression] {
        [tree(depth - 1)]
            + (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                random.oneIn(2) ? .literal(.string(text())) : tree(depth - 1)
            }
    }

    mutating func text() -> String {
        let pieces = [
            "", "a", "main-a", "$", "${", "$${", "}", "\"", "'", "\\", "\n", "\u{1}", "é", "🏠", "{", "id", "if", "_x",
            "0",
            "a b", "\u{7F}", "\u{2028}",
        ]
        return (0..<Int.random(in: 0..<4, using: &random)).map { _ in random.pick(pieces) }.joined()
    }

    private mutating func reference() -> Expression {
        var components: [Reference.Component] = [.name(random.pick(["vpc", "var", "a_1"]))]
        for _ in 0..<Int.random(in: 0..<3, using: &random) {
            components.append(random.oneIn(3) ? .index(Int.random(in: 0..<9, using: &random)) : .name(text()))
        }
        return .reference(Reference(.path(components), stack: "s", range: nil))
    }

    private mutating func leaf(_ depth: Int) -> Expression {
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1: return reference()
        case 2:
            let address = Address(stack: "p/" + "x" + text(), type: "aws.vpc", name: "y" + text())
            return .output(OutputReference(address, text()))
        case 3: return .secret(SecretReference(name: text(), source: text()))
        default: return .literal(value(depth))
        }
    }

    private mutating func value(_ depth: Int) -> Value {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 7), using: &random) {
        case 0: return .null
        case 1: return .bool(random.oneIn(2))
        case 2: return .integer(random.pick([0, -1, 7, .max, .min]))
        case 3: return .number(random.pick([0.5, -1.25, 1e300, .leastNonzeroMagnitude, 3, -0.1]))
        case 4, 5, 6: return .string(text())
        case 7: return .list((0..<Int.random(in: 0..<3, using: &random)).map { _ in value(depth - 1) })
        default:
            var members: [String: Value] = [:]
            for _ in 0..<Int.random(in: 0..<3, using: &random) { members[text()] = value(depth - 1) }
            return .map(members)
        }
    }
}

@Suite("Writing expressions")
struct ExpressionTextTests {
    @Test("What the printer writes is read back as the same tree")
    func roundTrip() {
        var generator = TreeGenerator(random: .fromEnvironment())
        for _ in 0..<3_000 {
            let tree = generator.tree(5)
            let text = tree.sourceText
            let (parsed, diagnostics) = ExpressionParser.parseExpression(text, stack: "s", isLinked: true)
            #expect(diagnostics.isEmpty, "\(text): \(diagnostics.map(\.detail))")
            guard parsed == tree else {
                Issue.record("\(text) is read as \(parsed.sourceText)")
                return
            }
        }
    }

    @Test("A hole with what the printer wrote keeps the tree as well")
    func holes() {
        var generator = TreeGenerator(random: .fromEnvironment())
        for _ in 0..<300 {
            let tree = generator.tree(3)
            let (parsed, _) = ExpressionParser.parseTemplate("${\(tree.sourceText)}", stack: "s", isLinked: true)
            #expect(parsed == tree)
        }
    }

    @Test("Text that is not ours is read without harm, whatever it is")
    func noise() {
        var random = SeededGenerator.fromEnvironment()
        let pieces = [
            "${", "}", "$", "$$", "{", "\"", "'", "\\", "(", ")", "[", "]", ",", ":", ".", "a", "if", "not", "-", "1",
            "0x", "é",
            " ", "\n", "\u{0}", "and", "length", "==", "!", "%", "e", "1e", "\\u", "null",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1..<12, using: &random)).map { _ in random.pick(pieces) }.joined()
            _ = ExpressionParser.parseTemplate(text, stack: "s")
            let (tree, diagnostics) = ExpressionParser.parseTemplate("${" + text, stack: "s")
            if diagnostics.isEmpty { _ = try? Evaluator.evaluate(tree) { _ in nil } }
        }
    }

    @Test(
        "Source text has as few parentheses as it needs",
        arguments: [
            "a + b * c", "(a + b) * c", "a - (b - c)", "not a == b", "(not a) == b", "-(5)", "--a",
            "vpc[\"main-a\"].id",
            "vpc[var.name].id", "(a).b", "\"a-${b}\"", "\"${b}\"", "if(a == null, [b, 1], { k: c })", "a and not b",
            "(a == b) == c", "-(5) * 2", "(1.5).a", "\"cost \\${x} \\$${y}\"",
        ])
    func sourceText(text: String) {
        let (tree, diagnostics) = ExpressionParser.parseExpression(text, stack: "s")
        #expect(diagnostics.isEmpty)
        #expect(tree.sourceText == text)
    }

    @Test("Reports show what is known, and name secrets instead of telling them")
    func displayText() throws {
        func display(_ text: String, _ style: Value.UnknownStyle = .phrase) throws -> String {
            let (tree, diagnostics) = ExpressionParser.parseExpression(text, stack: "s", isLinked: true)
            #expect(diagnostics.isEmpty)
            return try Evaluator.evaluate(tree) { _ in nil }.displayText(unknown: style)
        }
        let id = #"output("p:aws.vpc/main", "id")"#
        let secret = #"secret("db", "env:DB")"#
        #expect(try display("{ b: [1, \"x\"], a: null }") == "{ a: null, b: [1, \"x\"] }")
        #expect(try display(id) == "(known after apply)")
        #expect(try display(id, .reference) == "p:aws.vpc/main.id")
        #expect(try display("\"a-${\(id)}\"") == "\"a-(known after apply)\"")
        #expect(try display("[1, \(id)]") == "[1, (known after apply)]")
        #expect(try display(secret) == "‹secret:db›")
        #expect(try display("\"pw=${\(secret)}; id=${\(id)}\"") == "\"pw=‹secret:db›; id=(known after apply)\"")
        #expect(try display("base64_encode(\(secret))") == "base64_encode(‹secret:db›)")
        #expect(try display("join(\"-\", [\(secret), \(id)])") == "join(\"-\", [‹secret:db›, (known after apply)])")
        #expect(Value.string("a\u{1B}[31m\u{202E}b\n").displayText() == "\"a\\u001b[31m<U+202E>b\\n\"")
    }
}
