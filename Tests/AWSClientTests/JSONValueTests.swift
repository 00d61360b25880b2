import Testing

@testable import AWSClient

@Suite struct JSONValueTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test("A document is read with its types")
    func document() throws {
        let value = try parse(
            #" {"a": [1, -2.5e1, true, null, "x\u00e4\ud83d\ude00\n\/"], "b": {"c": {}}, "t": 1714564800.5, "n": 9223372036854775808} "#
        )
        #expect(value["a"].items == [.integer(1), .double(-25), .boolean(true), .null, .string("xä😀\n/")])
        #expect(value["b"]["c"] == .object([]) && value["b"]["no"]["such"].isNull)
        #expect(value["t"].timestamp?.millisecondsSinceEpoch == 1_714_564_800_500)
        #expect(value["n"].double == 9_223_372_036_854_775_808 && value["n"].integer == nil)
        #expect(value.members.map(\.name) == ["a", "b", "t", "n"])
        #expect(value["a"].items[4].text == "xä😀\n/" && value["a"].text == "" && value["a"].items[0].integer == 1)
    }

    @Test("Of a repeated member the last wins")
    func repeated() throws {
        #expect(try parse(#"{"a":1,"b":2,"a":3}"#) == .object([.init("a", .integer(3)), .init("b", .integer(2))]))
    }

    @Test(
        "What is not JSON is an error",
        arguments: [
            "", " ", "{", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "01", "1.", "-", "+1", ".5", "1e", "\"", "\"\\x\"",
            "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\n\"", "tru", "nul", "1 2", "[1 2]",
            "<html></html>", "{\"a\":1,}", "[", "{\"a\":1", "NaN", "\"\\u+123\"",
        ])
    func malformed(_ text: String) {
        #expect(throws: JSONSyntaxError.self) { try parse(text) }
    }

    @Test("Nesting is bounded")
    func depth() throws {
        _ = try parse(String(repeating: "[", count: 200) + String(repeating: "]", count: 200))
        #expect(throws: JSONSyntaxError.self) { try parse(String(repeating: "[", count: 100_000)) }
    }
}
