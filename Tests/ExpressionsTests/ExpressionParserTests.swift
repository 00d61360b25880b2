import Diagnostics
import Expressions
import MusterModel
import TestSupport
import Testing

private func reference(_ components: Reference.Component...) -> Expression {
    .reference(Reference(.path(components), stack: "s", range: nil))
}

private func checkTemplate(
    _ text: String, _ expected: Expression, sourceLocation: SourceLocation = #_sourceLocation
) {
    let (tree, diagnostics) = ExpressionParser.parseTemplate(text, stack: "s")
    #expect(diagnostics.isEmpty, "\(text)", sourceLocation: sourceLocation)
    #expect(tree == expected, "\(text) is \(tree.sourceText)", sourceLocation: sourceLocation)
}

private func checkInside(
    _ text: String, _ expected: Expression, sourceLocation: SourceLocation = #_sourceLocation
) {
    let (tree, diagnostics) = ExpressionParser.parseExpression(text, stack: "s")
    #expect(diagnostics.isEmpty, "\(text): \(diagnostics.map(\.detail))", sourceLocation: sourceLocation)
    #expect(tree == expected, "\(text) is \(tree.sourceText)", sourceLocation: sourceLocation)
}

@Suite("Reading expressions")
struct ExpressionParserTests {
    @Test("A text without a hole is that text, dollar signs and braces included")
    func literals() {
        for text in ["", "plain", "$", "$$", "$5", "{}", "}${"[...].dropLast(2) + "", "a $ {b}", "häuser 🏠", "$$$"] {
            checkTemplate(String(text), .literal(.string(String(text))))
        }
    }

    @Test("$${ stands for ${, and only the $ right before it is taken")
    func escapedHoles() {
        checkTemplate("$${a}", "${a}")
        checkTemplate("$$${a}", "$${a}")
        checkTemplate("a$${b}${c}", .template(["a${b}", reference(.name("c"))]))
        checkTemplate("${\"$\"}${a}", .template(["$", reference(.name("a"))]))
    }

    @Test("One hole that is the whole text keeps its type; with anything beside it, it is a template")
    func wholeValues() {
        checkTemplate("${5}", .literal(5))
        checkTemplate("${ index }", reference(.name("index")))
        checkTemplate("group-${index}", .template(["group-", reference(.name("index"))]))
        checkTemplate(" ${5}", .template([" ", .literal(5)]))
        checkTemplate("${5}\n", .template([.literal(5), "\n"]))
        checkTemplate("${a}${b}", .template([reference(.name("a")), reference(.name("b"))]))
    }

    @Test("Literals are numbers, quoted texts, true, false and null")
    func scalars() {
        checkInside("0", .literal(0))
        checkInside("-0", .literal(0))
        checkInside("9223372036854775807", .literal(.integer(.max)))
        checkInside("-9223372036854775808", .literal(.integer(.min)))
        checkInside("1.5", .literal(.number(1.5)))
        checkInside("-2e3", .literal(.number(-2000)))
        checkInside("1E-2", .literal(.number(0.01)))
        checkInside("true", .literal(true))
        checkInside("false", .literal(false))
        checkInside("null", .literal(nil))
        checkInside("'single \"inner\"'", "single \"inner\"")
        checkInside(#""a\n\t\r\\\"\'\$\u00e9\ud83c\udfe0""#, "a\n\t\r\\\"'$é🏠")
        checkInside("\"\"", "")
    }

    @Test("Lists and maps of constants are one literal; commas may trail")
    func collections() {
        checkInside("[]", .literal([]))
        checkInside("[1, [true], { a: null },]", .literal([1, [true], ["a": nil]]))
        checkInside("{ a: 1, \"b c\": 'x', if: 2, }", .literal(["a": 1, "b c": "x", "if": 2]))
        checkInside("[a]", .list([reference(.name("a"))]))
        checkInside(
            "{ k: v, j: 1 }",
            .map([
                Expression.MapEntry(key: "k", value: reference(.name("v"))),
                Expression.MapEntry(key: "j", value: .literal(1)),
            ]))
    }

    @Test("Constant members belong to a reference, computed ones are operations on it")
    func references() {
        checkInside("vpc.main.id", reference(.name("vpc"), .name("main"), .name("id")))
        checkInside("dns[\"a.b.net\"].fqdn", reference(.name("dns"), .name("a.b.net"), .name("fqdn")))
        checkInside("a[0]['b'].c", reference(.name("a"), .index(0), .name("b"), .name("c")))
        checkInside("a.true.and.if", reference(.name("a"), .name("true"), .name("and"), .name("if")))
        checkInside(
            "a.b[index].c", .member(.index(reference(.name("a"), .name("b")), reference(.name("index"))), "c"))
        checkInside(
            "vpc[\"${e}-x\"].id",
            .member(.index(reference(.name("vpc")), .template([reference(.name("e")), "-x"])), "id"))
        checkInside("(a).b", .member(reference(.name("a")), "b"))
        checkInside("a[-1]", .index(reference(.name("a")), .literal(-1)))
        checkInside("trueish", reference(.name("trueish")))
        checkInside("nothing", reference(.name("nothing")))
        checkInside("_a1", reference(.name("_a1")))
    }

    @Test("Members of calls, lists and maps are operations")
    func members() {
        checkInside("keys(a)[0]", .index(.call("keys", [reference(.name("a"))]), .literal(0)))
        checkInside("[1, 2][0]", .index(.literal([1, 2]), .literal(0)))
        checkInside("{ a: 1 }.a", .member(.literal(["a": 1]), "a"))
        checkInside("json_decode(a)[\"b\"]", .member(.call("json_decode", [reference(.name("a"))]), "b"))
    }

    @Test(
        "Operators bind as documented",
        arguments: [
            ("a or b and c", "a or (b and c)"), ("not a == b", "not (a == b)"), ("not a and b", "(not a) and b"),
            ("not not a", "not (not a)"), ("a + b * c", "a + (b * c)"), ("a - b - c", "(a - b) - c"),
            ("a / b % c", "(a / b) % c"), ("-a * b", "(-a) * b"), ("- - a", "-(-a)"), ("a < b + 1", "a < (b + 1)"),
            ("a - 1", "a-(1)"), ("a -1", "a - 1"), ("a and not b or c", "(a and (not b)) or c"), ("-a.b", "-(a.b)"),
            ("a == 1 and b != 2", "(a == 1) and (b != 2)"), ("a\n+\tb", "a + b"), ("2-1", "2 - 1"),
        ])
    func precedence(text: String, enclosed: String) {
        let (tree, diagnostics) = ExpressionParser.parseExpression(text, stack: "s")
        let (expected, others) = ExpressionParser.parseExpression(enclosed, stack: "s")
        #expect(diagnostics.isEmpty && others.isEmpty)
        #expect(tree == expected)
    }

    @Test("Quoted texts have holes of their own, in both kinds of quotes")
    func innerHoles() {
        let hole = Expression.template(["a-", reference(.name("b"))])
        checkInside("\"a-${b}\"", hole)
        checkInside("'a-${b}'", hole)
        checkInside("\"${b}\"", .template([reference(.name("b"))]))
        checkInside("\"$${b}\\${c}\"", "${b}${c}")
        checkTemplate(
            "${upper(\"x${\"y${z}\"}\")}", .call("upper", [.template(["x", .template(["y", reference(.name("z"))])])]))
    }

    @Test("What the printer writes for outputs and secrets is read only where that is wanted")
    func linkedLeaves() throws {
        let output = Expression.output(OutputReference(try #require(Address("p/r:aws.vpc/main")), "id"))
        let text = #"output("p/r:aws.vpc/main", "id")"#
        let (tree, _) = ExpressionParser.parseExpression(text, stack: "s", isLinked: true)
        #expect(tree == output)
        let (secret, _) = ExpressionParser.parseExpression(#"secret("p", "env:P")"#, stack: "s", isLinked: true)
        #expect(secret == .secret(SecretReference(name: "p", source: "env:P")))
        let (_, diagnostics) = ExpressionParser.parseExpression(text, stack: "s")
        #expect(diagnostics.map(\.code) == ["expression.unknown-function"])
    }

    @Test("References know their stack and their place")
    func places() {
        let file = SourceFile(path: "a.yaml", text: "k: x-${vpc[\"a\"].id + 1}")
        let (tree, _) = ExpressionParser.parseTemplate("x-${vpc[\"a\"].id + 1}", stack: "prod") {
            file.range(3 + $0.lowerBound, 3 + $0.upperBound)
        }
        var found: [Reference] = []
        tree.visit { if case .reference(let reference) = $0 { found.append(reference) } }
        #expect(found.map { $0.range?.text } == ["vpc[\"a\"].id"])
        #expect(found.map(\.stack) == ["prod"])
    }

    @Test("Deep nesting and long chains are refused, not survived by luck")
    func limits() {
        func code(_ text: String) -> [String] {
            ExpressionParser.parseExpression(text, stack: "s").1.map(\.code)
        }
        let many = 10_000
        #expect(code(String(repeating: "(", count: many) + "1" + String(repeating: ")", count: many)) == tooLarge)
        #expect(code(String(repeating: "[", count: many)) == tooLarge)
        #expect(code(String(repeating: "{a:", count: many)) == tooLarge)
        #expect(code(String(repeating: "not ", count: many) + "a") == tooLarge)
        #expect(code(String(repeating: "- ", count: many) + "a") == tooLarge)
        #expect(code(String(repeating: "abs(", count: many)) == tooLarge)
        #expect(code("1" + String(repeating: " + 1", count: many)) == tooLarge)
        #expect(code("(a)" + String(repeating: ".b", count: many)) == tooLarge)
        #expect(code("(a)" + String(repeating: "[0]", count: many)) == tooLarge)
        #expect(code(String(repeating: "\"${", count: many)) == tooLarge)
        #expect(code(String(repeating: " ", count: 70_000) + "1") == tooLarge)
        #expect(code("a" + String(repeating: ".b", count: many)) == [])
        #expect(code("1" + String(repeating: " + 1", count: 90)) == [])
        let wide = "[" + String(repeating: "1,", count: many) + "]"
        #expect(code(wide) == [])
        let template = String(repeating: "${a} ", count: many)
        #expect(ExpressionParser.parseTemplate(template, stack: "s").1.isEmpty)
    }
    private let tooLarge = ["expression.too-large"]

    @Test("Every mistake in a text is reported, with its exact place")
    func mistakes() {
        let text = "é${a +} ${b} ${c.-} $${x ${\"}\" d} ${lenght(1)} ${e"
        let file = SourceFile(path: "a.yaml", text: text)
        let (tree, diagnostics) = ExpressionParser.parseTemplate(text, stack: "s") {
            file.range($0.lowerBound, $0.upperBound)
        }
        #expect(tree == .literal(.null))
        #expect(diagnostics.compactMap { $0.range?.text } == ["}", ".", "d", "lenght", "${"])
        #expect(diagnostics.map { $0.range?.start } == [7, 17, 32, 37, 48])
    }

    @Test("Messages say what is wrong and what to write")
    func messages() {
        let texts = [
            "${}", "${ }", "${a", "${a + ", "x ${a.b", "${\"a}", "${a b}", "${a +}", "${* a}", "${a && b}", "${a || b}",
            "${!a}", "${a = b}", "${a ? 1 : 2}", "${a < b < c}", "${a == b != c}", "${1 + not a}", "${and}", "${a.0}",
            "${a.}",
            "${a.\"b\"}", "${vpc.main-a.id}", "${index-1}", "${a[*].id}", "${a[0}", "${(1}", "${[1, 2}", "${{a: 1}",
            "${{a = 1}}", "${{1: 2}}", "${{\"${a}\": 1}}", "${{a: 1, a: 2}}", "${007}", "${10m}", "${1.2.3}",
            "${9223372036854775808}", "${1e999}", "${\"\\d\"}", "${\"\\u12\"}", "${lenght(a)}", "${frobnicate(a)}",
            "${a.b(1)}", "${join(\",\")}", "${upper()}", "${if(a, b)}", "${merge()}", "${slice(a, 1, 2, 3)}",
            "${NAME:-x}",
            "${NAME%%.*}", "${#ARRAY}", "${a[0]b}", "${“a”}", "${a, b}", "${output(\"a:b/c\", \"d\")}",
        ]
        var result = ""
        for text in texts {
            let file = SourceFile(path: "spec.yaml", text: text)
            let (_, diagnostics) = ExpressionParser.parseTemplate(text, stack: "s") {
                file.range($0.lowerBound, $0.upperBound)
            }
            #expect(diagnostics.count == 1, "\(text)")
            result += DiagnosticRenderer(isColoured: false).render(diagnostics) + "\n"
        }
        expectGolden(result, named: "syntax-errors.txt")
    }
}
