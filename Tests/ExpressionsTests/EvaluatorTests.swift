import Diagnostics
import Expressions
import MusterModel
import TestSupport
import Testing

/// Trees over a few names, many of which have a value.
private enum OperationGenerator {
    static func members(of root: Value, _ components: ArraySlice<Reference.Component>) -> Expression {
        components.reduce(.literal(root)) { base, component in
            switch component {
            case .name(let name): .member(base, name)
            case .index(let index): .index(base, .literal(.integer(index)))
            }
        }
    }

    static func tree(_ depth: Int, names: [String], _ random: inout SeededGenerator) -> Expression {
        func inner() -> Expression { tree(depth - 1, names: names, &random) }
        if depth == 0 || random.oneIn(4) {
            if random.oneIn(3) {
                return .literal(random.pick([0, 1, 2, "x", "y", true, false, nil, ["x"], ["x": 1]] as [Value]))
            }
            return .reference(Reference(.path([.name(random.pick(names))]), stack: "s", range: nil))
        }
        switch Int.random(in: 0..<14, using: &random) {
        case 0: return .template([inner(), .literal("-"), inner()])
        case 1: return .list([inner(), inner()])
        case 2: return .map([.init(key: "x", value: inner()), .init(key: "y", value: inner())])
        case 3: return .member(inner(), random.pick(["x", "y"]))
        case 4: return .index(inner(), random.oneIn(2) ? .literal(0) : inner())
        case 5: return .call("if", [inner(), inner(), inner()])
        case 6: return .call("coalesce", [inner(), inner()])
        case 7: return .binary(random.oneIn(2) ? .and : .or, inner(), inner())
        case 8: return .binary(random.pick([.equal, .notEqual, .less]), inner(), inner())
        case 9: return .binary(random.pick([.add, .multiply, .divide, .remainder]), inner(), inner())
        case 10: return .unary(random.oneIn(2) ? .not : .negate, inner())
        case 11:
            let names = [
                "length", "keys", "values", "flatten", "distinct", "reverse", "json_encode", "string", "compact",
            ]
            return .call(random.pick(names), [inner()])
        case 12:
            let names = ["merge", "concat", "contains", "index_of", "element", "lookup", "zip_map", "default", "join"]
            return .call(random.pick(names), [inner(), inner()])
        default: return .call("lookup", [inner(), inner(), inner()])
        }
    }
}

@Suite("Evaluating expressions")
struct EvaluatorTests {
    @Test("Arithmetic is exact on integers, and leaves them only where it must")
    func arithmetic() throws {
        try check("1 + 2 * 3", "7")
        try check("6 / 2", "3")
        try check("7 / 2", "3.5")
        try check("7 % 3", "1")
        try check("-7 % 3", "-1")
        try check("1 + 0.5", "1.5")
        try check("-(1 - 3)", "2")
        try check("2.0 * 3", "6.0")
        try check("-9223372036854775808 % -1", "0")
        checkFailure("9223372036854775807 + 1", "The result of + is too large for 64 bits.")
        checkFailure("-9223372036854775808 - 1", "The result of - is too large for 64 bits.")
        checkFailure("-9223372036854775808 / -1", "The result of / is too large for 64 bits.")
        checkFailure("-(-9223372036854775808)", "The result of - is too large for 64 bits.")
        checkFailure("4611686018427387904 * 2", "The result of * is too large for 64 bits.")
        checkFailure("1e308 * 10", "The result of * is too large for 64 bits.")
        checkFailure("1 / 0", "A number cannot be divided by zero.")
        checkFailure("1.0 / 0", "A number cannot be divided by zero.")
        checkFailure("1 % 0", "There is no remainder of a division by zero.")
        checkFailure("1.5 % 2", "The left side of % is a number, and must be an integer.")
    }

    @Test("Texts, lists and maps are not added, and the hint says what to write")
    func noConcatenation() {
        checkFailure(
            "\"a\" + \"b\"",
            "The left side of + is a string, and must be a number. | To join texts, write \"${a}${b}\".")
        checkFailure(
            "1 + [2]", "The right side of + is a list, and must be a number. | To join lists, write concat(a, b).")
        checkFailure("{} + {}", "The left side of + is a map, and must be a number. | To join maps, write merge(a, b).")
        checkFailure("null - 1", "The left side of - is null, and must be a number.")
        checkFailure("-\"a\"", "What follows - is a string, and must be a number.")
        checkFailure("not 1", "What follows not is an integer, and must be a boolean.")
    }

    @Test("Values of one kind are compared by value, and anything with null")
    func comparisons() throws {
        try check("1 == 1.0", "true")
        try check("9007199254740993 == 9007199254740992.0", "false")
        try check("9007199254740993 > 9007199254740992.0", "true")
        try check("1e300 > 9223372036854775807", "true")
        try check("-1e300 < 1", "true")
        try check("1.5 >= 1 and 1 <= 1.5", "true")
        try check("\"a\" < \"b\"", "true")
        try check("[1, { a: 2 }] == [1.0, { a: 2 }]", "true")
        try check("{ a: 1 } != { a: 2 }", "true")
        try check("null == null", "true")
        try check("\"a\" != null", "true")
        checkFailure(
            "\"1\" == 1",
            "The left side of a comparison is a string and the right side an integer: they can never be equal. | "
                + "string(x), integer(x) and number(x) convert.")
        checkFailure("1 < \"2\"", "The right side of < is a string, and must be a number, as the left one is.")
        checkFailure("\"a\" < 2", "The right side of < is an integer, and must be a string, as the left one is.")
        checkFailure("true < false", "The left side of < is a boolean, and must be a number or a string.")
    }

    @Test("if, and, or, coalesce and default evaluate no more than they need")
    func laziness() throws {
        try check("if(true, 1, 1 / 0)", "1")
        try check("if(false, 1 / 0, 2)", "2")
        try check("false and 1 / 0 == 1", "false")
        try check("true or 1 / 0 == 1", "true")
        try check("coalesce(null, 2, 1 / 0)", "2")
        try check("coalesce(null, null)", "null")
        try check("default(1, 1 / 0)", "1")
        checkFailure("1 and true", "The left side of and is an integer, and must be a boolean.")
        checkFailure("true and 1", "The right side of and is an integer, and must be a boolean.")
        checkFailure("false or null", "The right side of or is null, and must be a boolean.")
        checkFailure("if(1, 2, 3)", "The condition of if is an integer, and must be a boolean.")
    }

    @Test("Members and elements are strict")
    func members() throws {
        let map: [String: Value] = ["m": ["name": "x", "list": [1, 2], "none": nil]]
        try check("m.name", "\"x\"", knowing: map)
        try check("m.list[1]", "2", knowing: map)
        try check("m[\"li${\"st\"}\"][0]", "1", knowing: map)
        try check("{ a: { b: 1 } }.a.b", "1")
        checkFailure(
            "m.nmae", "The map has no key \"nmae\". It has \"list\", \"name\", \"none\". | Did you mean \"name\"?",
            knowing: map)
        checkFailure(
            "{}.a",
            "The map has no key \"a\". The map is empty. | lookup(map, key, default) gives a default for a missing key."
        )
        checkFailure("m.list[2]", "The list has no element 2: it has 2, counted from 0 to 1.", knowing: map)
        checkFailure(
            "m.list[-1]",
            "The list has no element -1: it has 2, counted from 0 to 1. | element(list, -1) is the last element.",
            knowing: map)
        checkFailure("[][0]", "The list is empty, so it has no element 0.")
        checkFailure(
            "m.list.a",
            "What \"a\" is to be a member of is a list, and must be a map. | "
                + "An element of a list is had by its number: [0] is the first.",
            knowing: map)
        checkFailure(
            "m.none.a",
            "What \"a\" is to be a member of is null, and must be a map. | "
                + "if(x == null, …, …) or default(x, …) deals with a value that is unset.",
            knowing: map)
        checkFailure(
            "m.name[0]",
            "What is indexed is a string, and must be a list or a map. | substr(text, start, length) is a part of a text.",
            knowing: map)
        checkFailure("[1][\"a\" == \"a\"]", "The index of a list is a boolean, and must be an integer.")
    }

    @Test("Texts take strings, numbers and booleans")
    func templates() throws {
        try check("\"a${1}b${true}c${1.5}d${\"e\"}\"", "\"a1btruec1.5de\"")
        checkFailure(
            "\"a${null}\"", "A null cannot stand in a text. | default(value, \"…\") gives a text in place of null.")
        checkFailure(
            "\"a${[1]}\"",
            "What stands in the text is a list, and must be a string, a number or a boolean. | "
                + "join(\", \", list) makes a text of a list, json_encode(value) of anything.")
        checkFailure(
            "\"a${{}}\"",
            "What stands in the text is a map, and must be a string, a number or a boolean. | "
                + "json_encode(value) makes a text of anything.")
    }

    @Test("What is not known stays, and all around it is folded in")
    func residuals() throws {
        let known: [String: Value] = ["env": "prod", "n": 3]
        try check("x", "${x}")
        try check("\"${env}-${x}-${n}-${env}\"", "${\"prod-${x}-3-prod\"}", knowing: known)
        try check("\"a${\"b${x}\"}c\"", "${\"ab${x}c\"}")
        try check("[env, x, 1 + 1]", "[\"prod\", ${x}, 2]", knowing: known)
        try check("{ a: x, b: n }", "{ a: ${x}, b: 3 }", knowing: known)
        try check("{ a: x, b: n }.b", "3", knowing: known)
        try check("{ a: x, b: n }.a", "${x}", knowing: known)
        try check("[x, n][1]", "3", knowing: known)
        try check("n + x * (n - 1)", "${3 + x * 2}", knowing: known)
        try check("x == n", "${x == 3}", knowing: known)
        try check("[x] == [n]", "${[x] == [3]}", knowing: known)
        try check("-x", "${-x}")
        try check("not (x and true)", "${not (x and true)}")
        try check("join(\"-\", [env, x])", "${join(\"-\", [\"prod\", x])}", knowing: known)
        try check("json_encode({ a: x, b: n }).z", "${json_encode({ a: x, b: 3 }).z}", knowing: known)
        try check("upper(\"${env}${x}\")[n]", "${upper(\"prod${x}\")[3]}", knowing: known)
    }

    @Test("Functions of shape see through elements that are not known")
    func shapes() throws {
        try check("length([1, x])", "2")
        try check("length({ a: x })", "1")
        try check("length(x)", "${length(x)}")
        try check("keys({ b: x, a: 1 })", "[\"a\", \"b\"]")
        try check("values({ b: x, a: 1 })", "[1, ${x}]")
        try check("merge({ a: x, b: x }, { b: 1 })", "{ a: ${x}, b: 1 }")
        try check("merge(x, { b: 1 })", "${merge(x, { b: 1 })}")
        try check("concat([x], [1])", "[${x}, 1]")
        try check("reverse([x, 1])", "[1, ${x}]")
        try check("slice([x, 1, 2], 1)", "[1, 2]")
        try check("element([x, 1], 2)", "${x}")
        try check("lookup({ a: x }, \"a\")", "${x}")
        try check("lookup({ a: x }, \"b\", x)", "${x}")
        try check("zip_map([\"a\"], [x])", "{ a: ${x} }")
        try check("zip_map([x], [1])", "${zip_map([x], [1])}")
        try check("flatten([[1], [x]])", "${flatten([[1], [x]])}")
        try check("contains([x, 1], 1)", "true")
        try check("contains([x, 1], 2)", "${contains([x, 1], 2)}")
        try check("index_of([1, x], 1)", "0")
        try check("index_of([x, 1], 1)", "${index_of([x, 1], 1)}")
        try check("distinct([x, x])", "${distinct([x, x])}")
    }

    @Test("While a condition is open, both branches go as far as they can, and what fails may never be needed")
    func openBranches() throws {
        let known: [String: Value] = ["n": 0, "m": ["a": 1]]
        checkFailure(
            "if(x, 1, m.b)",
            "The map has no key \"b\". It has \"a\". | lookup(map, key, default) gives a default for a missing key.",
            knowing: known)
        try check("if(x, n + 1, m.a)", "${if(x, 1, 1)}", knowing: known)
        try check("if(x, 1 / n, { a: n }.b)", "${if(x, 1 / 0, { a: 0 }.b)}", knowing: known)
        try check("x and { a: n }.b == 1", "${x and { a: 0 }.b == 1}", knowing: known)
        try check("if(x, \"a${[n]}b\", 1)", "${if(x, \"a${[0]}b\", 1)}", knowing: known)
        try check("coalesce(x, 1 / n)", "${coalesce(x, 1 / 0)}", knowing: known)
        try check("coalesce(null, x, n)", "${coalesce(x, 0)}", knowing: known)
        try check("default(x, n)", "${coalesce(x, 0)}", knowing: known)
        try check("default(null, x)", "${x}")
        try check("if(x, if(n == 0, 1, 2), y)", "${if(x, 1, y)}", knowing: known)
        try check("true and x", "${true and x}")
        try check("if(x, upper(1), 1)", "${if(x, upper(1), 1)}")
    }

    @Test("Evaluating the rest gives what evaluating at once gives")
    func stepwise() throws {
        let texts = [
            "\"${a}-${b}-${a}\"", "[a, b, length([b])]", "if(b == 2, a, 1 / 0)", "merge({ x: a }, { x: b, y: [b] })",
            "coalesce(null, b, a)", "{ k: [a, { l: b }] }.k[1].l", "a == 1 and b == 2", "max(a, b) + sum([a, b])",
            "format(\"%d/%d\", a, b)", "[\"x\", \"y\", \"z\"][b]", "template(\"t\", { p: a, q: b })", "m[\"k${b}\"].c",
        ]
        let all: [String: Value] = ["a": 1, "b": 2, "m": ["k2": ["c": true]]]
        let files = ["t": "${p}-${q}-${p + q}"]
        for text in texts {
            let whole = try evaluate(text, files: files, knowing: all)
            for first in ["a", "b", "m"] {
                let half = try #require(
                    try evaluate(text, files: files, knowing: all.filter { $0.key == first }))
                #expect(try evaluate(Expression(half), knowing: all) == whole, "\(text), \(first) first")
            }
        }
    }

    @Test("Whatever is known first, the rest gives the same in the end")
    func anyOrder() throws {
        let all: [String: Value] = [
            "a": 1, "b": "x", "c": true, "d": [1, "x", [2]], "e": ["x": 1, "y": ["x": false]], "f": nil,
        ]
        var random = SeededGenerator.fromEnvironment()
        var succeeded = 0
        for _ in 0..<20_000 {
            let tree = OperationGenerator.tree(4, names: all.keys.sorted(), &random)
            guard let whole = try? evaluate(tree, knowing: all) else { continue }
            succeeded += 1
            var value = Value.deferred(Deferred(tree))
            for name in all.keys.sorted().shuffled(using: &random) {
                do {
                    value = try Evaluator.evaluate(Expression(value)) { (leaf) throws(EvaluationFailure) -> Value? in
                        guard case .reference(let reference) = leaf, case .path(let components) = reference.target,
                            components.first == .name(name), let root = all[name]
                        else { return nil }
                        if let part = try? Evaluator.part(of: root, at: components.dropFirst()) { return part }
                        // What a resolver throws counts even where the value may never be needed, so leave it standing.
                        return .deferred(Deferred(OperationGenerator.members(of: root, components.dropFirst())))
                    }
                } catch {
                    Issue.record("\(tree.sourceText), \(name) last: \(error.detail)")
                    return
                }
            }
            if case .deferred(let deferred) = value {
                value = try Evaluator.evaluate(deferred.expression) { (_) throws(EvaluationFailure) -> Value? in nil }
            }
            #expect(value == whole, "\(tree.sourceText)")
        }
        #expect(succeeded > 1_000)
    }

    @Test("Trees as deep as parsing allows are evaluated, written and read")
    func deepTrees() throws {
        let depth = ExpressionParser.maximumDepth - 2
        for (opening, closing) in [
            ("(", ")"), ("[", "]"), ("{ a: ", "}"), ("if(c, ", ", 1)"), ("\"${", "}\""), ("- ", ""),
        ] {
            let text = String(repeating: opening, count: depth) + "x" + String(repeating: closing, count: depth)
            let (tree, diagnostics) = ExpressionParser.parseExpression(text, stack: "s")
            #expect(diagnostics.isEmpty)
            let value = try Evaluator.evaluate(tree) { (_) throws(EvaluationFailure) -> Value? in nil }
            #expect(ExpressionParser.parseExpression(tree.sourceText, stack: "s").0.sourceText == tree.sourceText)
            #expect(try ValueJSON.decode(ValueJSON.encode(value)) == value)
        }
    }

    @Test("A computed name of a reference becomes a part of the reference")
    func computedReferences() throws {
        let known: [String: Value] = ["env": "prod", "n": 1]
        try check("vpc[\"${env}-main\"].id", "${vpc[\"prod-main\"].id}", knowing: known)
        try check("vpc[\"${env}-main\"].id", "\"vpc-1\"", knowing: ["env": "prod", "vpc[\"prod-main\"].id": "vpc-1"])
        try check("a.list[n].b", "${a.list[1].b}", knowing: known)
        let (tree, _) = ExpressionParser.parseExpression("vpc[env].id", stack: "s")
        let value = try evaluate(tree, knowing: known)
        #expect(
            value.deferred?.expression
                == .reference(Reference(.path([.name("vpc"), .name("prod"), .name("id")]), stack: "s", range: nil)))
    }

    @Test("A value that is deferred itself is taken over as it is")
    func deferredValues() throws {
        let output = #"output("p:aws.vpc/main", "id")"#
        let deferred = try #require(try evaluate(output))
        let known: [String: Value] = ["id": deferred, "m": ["id": deferred, "l": [deferred, 1]]]
        try check("\"x-${id}\"", "${\"x-${\(output)}\"}", knowing: known)
        try check("m.id", "${\(output)}", knowing: known)
        try check("m.l", "[${\(output)}, 1]", knowing: known)
        try check("m.id.deeper[2]", "${\(output).deeper[2]}", knowing: known)
        let value = Value.list([deferred])
        #expect(try evaluate(.literal(value), knowing: [output: "vpc-1"]) == ["vpc-1"])
    }

    @Test("Once a secret was read, no failure tells it")
    func secrets() {
        let secret = #"secret("db", "env:DB")"#
        let known: [String: Value] = [secret: "hunter2"]
        let withheld = "What went wrong is not shown, because the value depends on ‹secret:db›."
        checkFailure("integer(\(secret))", withheld, knowing: known)
        checkFailure("{ hunter1: 1 }[\(secret)]", withheld, knowing: known)
        checkFailure("cidr_host(\(secret), 1)", withheld, knowing: known)
        checkFailure("\"${\(secret)}${1 / 0}\"", "A number cannot be divided by zero.")
    }

    @Test("A failure becomes a complaint at its own place, or else at that of the value")
    func diagnostics() {
        let file = SourceFile(path: "a.yaml", text: "abc")
        let failure = EvaluationFailure(summary: "S", detail: "D.", hint: "H.")
        let diagnostic = failure.diagnostic(at: file.range(1, 2))
        #expect(diagnostic.range == file.range(1, 2))
        #expect(diagnostic.hint == "H.")
        var placed = failure
        placed.range = file.range(0, 1)
        #expect(placed.diagnostic(at: file.range(1, 2)).range == file.range(0, 1))
    }

    @Test("Functions that are not there any more, or other arguments, are an error and no crash")
    func foreignTrees() {
        for tree in [
            Expression.call("gone", []), .call("if", []), .call("if", [.literal(true)]), .call("coalesce", []),
            .call("length", []), .call("file", []), .call("range", []),
        ] {
            #expect(throws: EvaluationFailure.self) { try Evaluator.evaluate(tree) { _ in nil } }
        }
        #expect((try? evaluate(.template([]))) == "")
    }
}
