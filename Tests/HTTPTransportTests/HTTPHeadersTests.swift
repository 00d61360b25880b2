import Testing

@testable import HTTPTransport

@Suite struct HTTPHeadersTests {
    @Test("Setting replaces in place, whatever the case; nil removes")
    func setting() {
        var headers: HTTPHeaders = ["A": "1", "Host": "h", "a": "2", "B": "3"]
        headers["a"] = "4"
        #expect(headers.fields.map { "\($0.name)=\($0.value)" } == ["a=4", "Host=h", "B=3"])
        headers["HOST"] = nil
        #expect(headers.fields.count == 2)
        headers["New"] = "5"
        #expect(headers.fields.last?.name == "New")
    }

    @Test(
        "The excerpt of a page keeps its words and hides what could be a secret",
        arguments: [
            (
                "<html><head><title>504 Gateway Time-out</title></head><body>\n<hr>nginx</body></html>",
                "504 Gateway Time-out nginx"
            ),
            ("<script>var t='a<b'</script>Please <b>sign in</b>", "Please sign in"),
            ("key AKIAIOSFODNN7EXAMPLE token=abc123def456ghi789 done", "key ••• token=••• done"),
            ("a\u{0}b\u{1b}[31m", "a b [31m"), ("<html", ""), ("", ""),
        ])
    func excerpt(_ page: String, _ expected: String) {
        #expect(Redaction.excerpt(Array(page.utf8)) == expected)
    }

    @Test("An excerpt ends at a word, and says so")
    func longExcerpt() {
        let text = Redaction.excerpt(Array(String(repeating: "word ", count: 100).utf8), limit: 12)
        #expect(text == "word word …")
        #expect(Redaction.excerpt(Array(String(repeating: "x", count: 500).utf8), limit: 5) == "xxxxx…")
    }
}
