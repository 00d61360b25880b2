import MusterModel
import TestSupport
import Testing

/// Any values, deferred ones and awkward keys among them.
private struct ValueGenerator {
    var random: SeededGenerator

    mutating func value(_ depth: Int) -> Value {
        switch Int.random(in: 0..<(depth > 0 ? 10 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(random.oneIn(2))
        case 2:
            return .integer(
                random.oneIn(2) ? Int.random(in: .min ... .max, using: &random) : random.pick([0, -1, 9, 10]))
        case 3: return .number(number())
        case 4, 5: return .string(text())
        case 6, 7: return .list((0..<Int.random(in: 0..<4, using: &random)).map { _ in value(depth - 1) })
        case 8:
            var members: [String: Value] = [:]
            for _ in 0..<Int.random(in: 0..<4, using: &random) { members[key()] = value(depth - 1) }
            return .map(members)
        default: return .deferred(Deferred(tree(depth - 1)))
        }
    }

    mutating func tree(_ depth: Int) -> Expression {
        func parts(_ least: Int) -> [Expression] {
            (0..<Int.random(in: least..<4, using: &random)).map { _ in tree(depth - 1) }
        }
        switch Int.random(in: 0..<(depth > 0 ? 12 : 4), using: &random) {
        case 0: return .literal(value(max(0, depth - 1)))
        case 1:
            var components: [Reference.Component] = []
            for _ in 0..<Int.random(in: 0..<4, using: &random) {
                components.append(random.oneIn(2) ? .index(Int.random(in: 0..<100, using: &random)) : .name(text()))
            }
            return .reference(Reference(.path(components), stack: text(), range: nil))
        case 2:
            return .output(
                OutputReference(Address(stack: "s" + text(), type: "aws.vpc", name: "n" + text()), text()))
        case 3: return .secret(SecretReference(name: text(), source: text()))
        case 4: return .template(parts(0))
        case 5: return .list(parts(0))
        case 6: return .map(parts(0).map { Expression.MapEntry(key: key(), value: $0) })
        case 7: return .member(tree(depth - 1), text())
        case 8: return .index(tree(depth - 1), tree(depth - 1))
        case 9: return .call(text(), parts(0))
        case 10: return .unary(random.oneIn(2) ? .not : .negate, tree(depth - 1))
        default:
            return .binary(random.pick([.or, .equal, .lessOrEqual, .remainder]), tree(depth - 1), tree(depth - 1))
        }
    }

    private mutating func number() -> Double {
        while true {
            let number = Double(bitPattern: random.next())
            if number.isFinite { return random.oneIn(3) ? random.pick([0, -0.0, 1, 1e16, 0.1, -2.5]) : number }
        }
    }

    private mutating func key() -> String {
        random.oneIn(2)
            ? random.pick(["$deferred", "$deferred$", "$deferred$$x", "$deferredx", "$defer", "$", "a"]) : text()
    }

    private mutating func text() -> String {
        (0..<Int.random(in: 0..<5, using: &random)).map { _ in
            let limit: UInt32 = random.oneIn(2) ? 0x80 : 0x10FFFF
            return String(Character(Unicode.Scalar(UInt32.random(in: 0...limit, using: &random)) ?? "?"))
        }.joined()
    }
}

@Suite("Values as JSON")
struct ValueJSONTests {
    @Test("Canonical JSON is dense, sorted and minimally escaped")
    func canonical() {
        func check(_ value: Value, _ text: String) { #expect(ValueJSON.text(value) == text) }
        check(nil, "null")
        check(
            [true, false, 0, 42, -7, .integer(.min), .integer(.max)],
            "[true,false,0,42,-7,-9223372036854775808,9223372036854775807]")
        check([.number(1), .number(0.1), .number(-0.0), .number(1e300), .number(5e-7)], "[1.0,0.1,0.0,1e+300,5e-07]")
        check(["b": [:], "a": [], "B": ["x": nil]], #"{"B":{"x":null},"a":[],"b":{}}"#)
        check("a\"\\/\n\r\t\u{8}\u{C}\u{1}\u{1F}\u{7F}é🏠", #""a\"\\/\n\r\t\b\f\u0001\u001f\u007fé🏠""#)
    }

    @Test("Every value is read back as it was, deferred ones and keys that look like them included")
    func roundTrip() throws {
        var generator = ValueGenerator(random: .fromEnvironment())
        for _ in 0..<3_000 {
            let value = generator.value(5)
            let text = ValueJSON.text(value)
            #expect(try ValueJSON.decode(text) == value, "\(text)")
            #expect(try ValueJSON.decode(value.prettyJSON) == value, "\(text)")
            #expect(try ValueJSON.text(ValueJSON.decode(text)) == text)
        }
    }

    @Test("Equal values give equal bytes, whatever way their maps were made")
    func determinism() {
        let keys = (0..<200).map { "key-\($0)" }
        var forwards: [String: Value] = [:]
        var backwards: [String: Value] = [:]
        for key in keys { forwards[key] = .string(key) }
        for key in keys.reversed() { backwards[key] = .string(key) }
        #expect(ValueJSON.encode(.map(forwards)) == ValueJSON.encode(.map(backwards)))
    }

    @Test("A deferred value is written as its tree")
    func deferred() throws {
        let tree = Expression.template([
            .literal("group-"), .output(OutputReference(try #require(Address("p/r:aws.vpc/main")), "id")),
            .call("sum", [.literal([1])]),
            .binary(.add, .literal(1), .secret(SecretReference(name: "a", source: "env:A"))),
        ])
        #expect(
            ValueJSON.text(["x": .deferred(Deferred(tree))])
                == #"{"x":{"$deferred":["template","group-",["output","p/r:aws.vpc/main","id"],"#
                + #"["call","sum",["value",[1]]],["binary","+",1,["secret","a","env:A"]]]}}"#)
        #expect(ValueJSON.text(["$deferred": 1, "$deferred$": 2]) == #"{"$deferred$":1,"$deferred$$":2}"#)
        let named = Expression.reference(Reference(.named(.vpc, "main"), stack: "s", range: nil))
        #expect(ValueJSON.text(.deferred(Deferred(named))) == #"{"$deferred":["named","s","VPC","main"]}"#)
        #expect(throws: Never.self) { try ValueJSON.decode(#"{"$deferred":["named","s","VPC","main"]}"#) }
    }

    @Test("Plain JSON takes $deferred for a key like any other")
    func plain() throws {
        let value: Value = ["$deferred": ["secret", "a", "b"], "$deferred$": 1]
        #expect(ValueJSON.plainText(value) == #"{"$deferred":["secret","a","b"],"$deferred$":1}"#)
        #expect(try ValueJSON.decodePlain(ValueJSON.plainText(value)) == value)
        #expect(ValueJSON.plainText(.deferred(Deferred(.literal(1)))) == "null")
    }

    @Test("Pretty JSON is indented by two spaces and keeps trees on one line")
    func pretty() {
        let value: Value = ["b": [1, ["c": nil]], "a": [:], "d": .deferred(Deferred(.call("f", [.literal(1)])))]
        #expect(
            value.prettyJSON == """
                {
                  "a": {},
                  "b": [
                    1,
                    {
                      "c": null
                    }
                  ],
                  "d": {
                    "$deferred": ["call","f",1]
                  }
                }
                """)
        #expect(Value.list([]).prettyJSON == "[]")
    }

    @Test("JSON of others is read: white space, every escape, exponents")
    func reading() throws {
        #expect(try ValueJSON.decode(" \n\t\r[ 1 , 2 ]\n") == [1, 2])
        #expect(try ValueJSON.decode(#""\u00e9\uD83C\uDFE0\/\b\f""#) == "é🏠/\u{8}\u{C}")
        #expect(try ValueJSON.decode("[1e2,1E+2,-0,0.5,-1.5e-3]") == [100.0, 100.0, 0, 0.5, -0.0015].asNumbers)
        #expect(try ValueJSON.decode("\"\u{7F}\u{2028}\"") == "\u{7F}\u{2028}")
    }

    @Test(
        "What is not JSON, or ambiguous, is refused with its place",
        arguments: [
            ("", "line 1, column 1: the text ends where a value must follow"),
            ("[1,]", "line 1, column 4: no value begins like this"),
            ("[1 2]", "line 1, column 4: a comma or ] must follow"),
            ("[1", "line 1, column 3: a comma or ] must follow"),
            ("{\"a\":1\n,\"a\":2}", "line 2, column 2: the key is there twice"),
            ("{a:1}", "line 1, column 2: a key in quotation marks must follow"),
            ("{\"a\" 1}", "line 1, column 6: a colon must follow"),
            ("{\"a\":1,}", "line 1, column 8: a key in quotation marks must follow"),
            ("1 2", "line 1, column 3: there is more after the end of the value"),
            ("01", "line 1, column 1: this is not a number"), ("-", "line 1, column 1: this is not a number"),
            ("+1", "line 1, column 1: no value begins like this"),
            (".5", "line 1, column 1: no value begins like this"),
            ("1.", "line 1, column 3: digits must follow the point"),
            ("1e", "line 1, column 3: digits must follow the exponent"),
            ("9223372036854775808", "line 1, column 1: the integer does not fit into 64 bits"),
            ("1e999", "line 1, column 1: the number is too large"),
            ("NaN", "line 1, column 1: no value begins like this"),
            ("nul", "line 1, column 1: no value begins like this"),
            ("True", "line 1, column 1: no value begins like this"),
            ("\"a", "line 1, column 1: the text has no closing quotation mark"),
            ("\"a\n\"", "line 1, column 3: a control character must be escaped"),
            ("\"\\x\"", "line 1, column 2: there is no such escape"),
            ("\"\\ud800\"", "line 1, column 2: this is not a Unicode escape"),
            ("\"\\udc00\"", "line 1, column 2: this is not a Unicode escape"),
            ("\"\\ud800\\u0041\"", "line 1, column 2: this is not a Unicode escape"),
            ("\"\\u12\"", "line 1, column 2: this is not a Unicode escape"),
            ("\"\\", "line 1, column 1: the text has no closing quotation mark"),
            ("// 1", "line 1, column 1: no value begins like this"),
            ("\u{FEFF}1", "line 1, column 1: no value begins like this"),
        ])
    func refused(text: String, message: String) {
        do {
            Issue.record("\(text) was read as \(try ValueJSON.decode(text))")
        } catch {
            #expect(error.description == message)
        }
    }

    @Test("Broken UTF-8 is refused")
    func brokenText() {
        for bytes in [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0x5C, 0x6E, 0xFF, 0x22],
        ] {
            #expect(throws: ValueJSON.Failure.self) { try ValueJSON.decode(bytes.map { UInt8($0) }) }
        }
    }

    @Test("Depth is limited")
    func depth() throws {
        func nested(_ count: Int) -> String {
            String(repeating: "[", count: count) + String(repeating: "]", count: count)
        }
        #expect(throws: Never.self) { try ValueJSON.decode(nested(ValueJSON.maximumDepth)) }
        #expect(throws: ValueJSON.Failure.self) { try ValueJSON.decode(nested(ValueJSON.maximumDepth + 1)) }
        #expect(throws: ValueJSON.Failure.self) { try ValueJSON.decode(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: ValueJSON.Failure.self) {
            try ValueJSON.decode(String(repeating: "{\"a\":", count: 1_000_000))
        }
        #expect(throws: ValueJSON.Failure.self) { try ValueJSON.decodePlain(nested(101)) }
    }

    @Test(
        "A $deferred object that we did not write is refused",
        arguments: [
            #"{"$deferred":["output","x","id"]}"#, #"{"$deferred":["output","a:b/c"]}"#, #"{"$deferred":["gone"]}"#,
            #"{"$deferred":[]}"#, #"{"$deferred":[1]}"#, #"{"$deferred":{}}"#, #"{"$deferred":1,"a":2}"#,
            #"{"$deferredx":1}"#, #"{"$deferred":["binary","**",1,2]}"#, #"{"$deferred":["unary","!",1]}"#,
            #"{"$deferred":["map","a"]}"#, #"{"$deferred":["map",1,2]}"#, #"{"$deferred":["call"]}"#,
            #"{"$deferred":["reference","s",true]}"#, #"{"$deferred":["secret","s"]}"#, #"[{"$deferred":["index",1]}]"#,
            #"{"$deferred":["value",{"$deferred":["gone"]}]}"#, #"{"$deferred":["member",1,2]}"#,
        ])
    func foreignDeferred(text: String) {
        #expect(throws: ValueJSON.Failure.self) { try ValueJSON.decode(text) }
    }

    @Test("Infinities and NaN, which no value is, are written without a crash and refused or unset when read")
    func impossibleNumbers() {
        #expect(ValueJSON.text([.number(.infinity), .number(-.infinity), .number(.nan)]) == "[1e999,-1e999,null]")
    }

    @Test("No text makes the reader crash")
    func noise() {
        var random = SeededGenerator.fromEnvironment()
        let pieces = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "u", "d83c", "$deferred", "\"$deferred\"", "1", "-", ".", "e",
            "true",
            "null", " ", "\n", "é", "\"a\"", "\"template\"", "[\"output\",",
        ]
        for _ in 0..<20_000 {
            _ = try? ValueJSON.decode(
                (0..<Int.random(in: 0..<12, using: &random)).map { _ in random.pick(pieces) }.joined())
        }
    }
}

extension [Double] {
    /// As a list of numbers, with an integer where it is minus zero written `-0`.
    fileprivate var asNumbers: Value { .list(map { $0 == 0 ? .integer(0) : .number($0) }) }
}
