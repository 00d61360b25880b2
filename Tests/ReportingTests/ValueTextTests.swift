import MusterModel
import TestSupport
import Testing

@testable import Reporting

struct ValueTextTests {
    @Test(
        "A string is bare only when it cannot be taken for anything else",
        arguments: [
            ("m5.large", "m5.large"), ("10.0.0.0/16", "10.0.0.0/16"), ("10.0.0.1", "10.0.0.1"), ("::/0", "::/0"),
            ("", "\"\""), ("true", "\"true\""), ("null", "\"null\""), ("0042", "\"0042\""), ("1.5", "\"1.5\""),
            ("-1", "\"-1\""), ("1e5", "\"1e5\""), ("0x10", "\"0x10\""), ("inf", "\"inf\""), ("a b", "\"a b\""),
            ("a,b", "\"a,b\""), ("[a]", "\"[a]\""), ("a: b", "\"a: b\""), ("ends:", "\"ends:\""),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/*"), ("say \"x\"", "\"say \\\"x\\\"\""), ("a\nb", "\"a\\nb\""),
            ("\u{1B}[2J", "\"␛[2J\""), ("(known after apply)", "\"(known after apply)\""),
            ("‹secret:x›", "\"‹secret:x›\""),
        ])
    func strings(text: String, shown: String) { #expect(ValueText.inline(.string(text)) == shown) }

    @Test("Values show their kind, and members by name")
    func values() {
        #expect(
            ValueText.inline(["b": 1, "a": [true, nil, "x y"], "a b": [:]])
                == "{a: [true, null, \"x y\"], \"a b\": {}, b: 1}")
        #expect(ValueText.inline(.number(1.5)) == "1.5")
        #expect(ValueText.inline([]) == "[]")
    }

    @Test("Expressions show what is not known, and the names of secrets, and nothing of what computes them")
    func expressions() {
        let id = MusterModel.Expression.output(OutputReference(address("vpc:aws.vpc/main"), "id"))
        func shown(_ expression: MusterModel.Expression) -> String { ValueText.inline(.deferred(Deferred(expression))) }
        #expect(shown(id) == "(known after apply)")
        #expect(shown(.call("upper", [id])) == "(known after apply)")
        #expect(shown(.template([.literal("a-"), id, .literal("-b")])) == "\"a-(known after apply)-b\"")
        #expect(shown(secret("pw")) == "‹secret:pw›")
        #expect(
            shown(.call("base64encode", [.template([.literal("u:"), secret("pw")])]))
                == "base64encode(\"u:‹secret:pw›\")")
        #expect(shown(.list([.literal(1), id, secret("pw")])) == "[1, (known after apply), ‹secret:pw›]")
        #expect(shown(.map([.init(key: "a b", value: id)])) == "{\"a b\": (known after apply)}")
        #expect(shown(.binary(.add, secret("a"), .unary(.negate, secret("b")))) == "‹secret:a› + (-‹secret:b›)")
        #expect(shown(.member(secret("pw"), "user")) == "‹secret:pw›.user")
        #expect(shown(.index(secret("pw"), .literal(0))) == "‹secret:pw›[0]")
        #expect(shown(secret("pw\u{1B}[31m")) == "‹secret:pw␛[31m›")
    }

    @Test("Two long strings are shown around their difference")
    func longPair() {
        let start = String(repeating: "a", count: 500)
        let (before, after) = ValueText.inlinePair(start + "X" + start, start + "Y" + start)
        #expect(before.contains("X") && after.contains("Y"))
        #expect(before.count < 140 && after.count < 140)
    }
}

struct LineDiffTests {
    private func check(_ before: String, _ after: String, _ expected: String) {
        let lines = LineDiff.lines(from: before, to: after).map { line in
            switch line {
            case .same(let text): " \(text)"
            case .removed(let text): "-\(text)"
            case .added(let text): "+\(text)"
            case .skipped(let count): "…\(count)"
            }
        }
        #expect(lines.joined(separator: "|") == expected)
    }

    @Test("Equal lines far from a difference are only counted")
    func folding() {
        check("a\nb\nc", "a\nX\nc", " a|-b|+X| c")
        check("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", "…7| 8| 9|+10")
        check("0\n1\n2\n3\nx\n5\n6\n7\n8\n9", "0\n1\n2\n3\ny\n5\n6\n7\n8\n9", "…2| 2| 3|-x|+y| 5| 6|…3")
        check("0\n1\n2\nx", "0\n1\n2\ny", " 0| 1| 2|-x|+y")
        check("", "a\n", "+a")
        check("a", "", "-a")
        check("same", "same", " same")
    }

    @Test("What is removed and added gives one text from the other")
    func patch() {
        var generator = SeededGenerator.fromEnvironment()
        for _ in 0..<300 {
            func text() -> [String] {
                (0..<Int.random(in: 0...30, using: &generator)).map { _ in generator.pick(["a", "b", "c", "d"]) }
            }
            let (before, after) = (text(), text())
            var old: [String] = []
            var new: [String] = []
            var position = 0
            for line in LineDiff.lines(from: before.joined(separator: "\n"), to: after.joined(separator: "\n")) {
                switch line {
                case .same(let text):
                    old.append(text)
                    new.append(text)
                case .removed(let text): old.append(text)
                case .added(let text): new.append(text)
                case .skipped(let count):
                    position = old.count
                    old += before[position..<(position + count)]
                    new += before[position..<(position + count)]
                }
            }
            #expect(old == before)
            #expect(new == after)
        }
    }

    @Test("Two large texts with nothing in common are told whole")
    func large() {
        let before = (0..<20_000).map { "a\($0)" }.joined(separator: "\n")
        let after = (0..<20_000).map { "b\($0)" }.joined(separator: "\n")
        #expect(LineDiff.lines(from: before, to: after).count == 40_000)
    }
}
