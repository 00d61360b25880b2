import Diagnostics
import TestSupport
import Testing

private func place(_ part: String, in text: String, path: String = "specs/a.yaml") -> SourceRange {
    let file = SourceFile(path: path, text: text)
    guard let found = text.range(of: part) else {
        Issue.record("\(part) is not in the text")
        return file.range(0, 0)
    }
    return file.range(found.lowerBound, found.upperBound)
}

extension String {
    /// The byte offsets of the first occurrence of a part.
    fileprivate func range(of part: String) -> Range<Int>? {
        let bytes = Array(utf8)
        let wanted = Array(part.utf8)
        return bytes.indices.first { bytes[$0...].starts(with: wanted) }.map { $0..<($0 + wanted.count) }
    }
}

@Suite("Rendering a diagnostic")
struct DiagnosticRendererTests {
    private func render(_ diagnostics: [Diagnostic], isColoured: Bool = false) -> String {
        DiagnosticRenderer(isColoured: isColoured).render(diagnostics)
    }

    @Test("shows place, line, marks, detail and hint as STYLE.md does")
    func basicForm() {
        let text = String(repeating: "#\n", count: 13) + "    versionned: true\n"
        let diagnostic = Diagnostic(
            code: "spec.unknown-argument", summary: "Unknown argument",
            detail: "\"versionned\" is not an argument of aws.s3_bucket",
            at: place("versionned", in: text, path: "specs/prod/storage.yaml"), hint: "Did you mean \"versioned\"?")
        #expect(
            render([diagnostic]) == """
                error[spec.unknown-argument]: Unknown argument
                  --> specs/prod/storage.yaml:14:5
                14 |     versionned: true
                   |     ^^^^^^^^^^ "versionned" is not an argument of aws.s3_bucket
                   = hint: Did you mean "versioned"?

                """)
    }

    @Test("shows a related place, aligning the line numbers")
    func relatedPlace() {
        let text = "a: 1\n" + String(repeating: "#\n", count: 9) + "a: 2\n"
        let file = SourceFile(path: "x.yaml", text: text)
        let diagnostic = Diagnostic(
            .warning, code: "x.twice", summary: "Twice", detail: "Said twice.", at: file.range(23, 24),
            related: [.init(range: file.range(0, 1), message: "first declared here")])
        #expect(
            render([diagnostic]) == """
                warning[x.twice]: Twice
                  --> x.yaml:11:1
                11 | a: 2
                   | ^ Said twice.
                  ::: x.yaml:1:1
                 1 | a: 1
                   | - first declared here

                """)
    }

    @Test("works without a place, and wraps a long detail")
    func withoutPlace() {
        let diagnostic = Diagnostic(
            .note, code: "x.y", summary: "Long",
            detail: String(repeating: "word ", count: 30) + "end.\nA second line.", hint: "Do it.")
        #expect(
            render([diagnostic]) == """
                note[x.y]: Long
                  = word word word word word word word word word word word word word word word word word word word word word word word
                    word word word word word word word end.
                    A second line.
                  = hint: Do it.

                """)
    }

    @Test("puts a detail that is too long for the line below the marks")
    func longDetailBelow() {
        let diagnostic = Diagnostic(
            code: "x.y", summary: "Long", detail: String(repeating: "word ", count: 24) + "end.",
            at: place("b", in: "a: b"))
        #expect(
            render([diagnostic]) == """
                error[x.y]: Long
                 --> specs/a.yaml:1:4
                1 | a: b
                  |    ^
                  = word word word word word word word word word word word word word word word word word word word word word word word
                    word end.

                """)
    }

    @Test("aligns marks under tabs, wide characters and combining marks")
    func alignment() {
        let text = "\tk: 日本e\u{301} <here>"
        let diagnostic = Diagnostic(code: "x.y", summary: "S", detail: "D.", at: place("<here>", in: text))
        #expect(
            render([diagnostic]) == """
                error[x.y]: S
                 --> specs/a.yaml:1:10
                1 |     k: 日本e\u{301} <here>
                  |              ^^^^^^ D.

                """)
        #expect(
            render([Diagnostic(code: "x.y", summary: "S", detail: "D.", at: place("日本", in: text))]) == """
                error[x.y]: S
                 --> specs/a.yaml:1:5
                1 |     k: 日本e\u{301} <here>
                  |        ^^^^ D.

                """)
    }

    @Test("neutralises what would command a terminal, in snippet, path, detail and hint")
    func neutralises() {
        let text = "a: \u{1B}[31mred\u{7}\u{202E}\r"
        let diagnostic = Diagnostic(
            code: "x.y", summary: "S", detail: "D \u{1B}]0;title\u{7}\u{9B}",
            at: place("red", in: text, path: "a\u{1B}b"),
            hint: "H\u{8}\u{7F}")
        #expect(
            render([diagnostic]) == """
                error[x.y]: S
                 --> a␛b:1:9
                1 | a: ␛[31mred␇<U+202E>␍
                  |         ^^^ D ␛]0;title␇<U+009B>
                  = hint: H␈␡

                """)
    }

    @Test("shows broken UTF-8 as a replacement character, one for each byte")
    func brokenUTF8() {
        let file = SourceFile(path: "x.yaml", text: Array("a: ".utf8) + [0xFF, 0xC3] + Array(" b".utf8))
        #expect(
            render([Diagnostic(code: "x.y", summary: "S", detail: "D.", at: file.range(4, 5))]) == """
                error[x.y]: S
                 --> x.yaml:1:5
                1 | a: \u{FFFD}\u{FFFD} b
                  |     ^ D.

                """)
    }

    @Test("cuts a very long line around the place")
    func longLine() {
        let text = String(repeating: "x", count: 3_000_000) + "<here>" + String(repeating: "y", count: 3_000_000)
        let output = render([Diagnostic(code: "x.y", summary: "S", detail: "D.", at: place("<here>", in: text))])
        #expect(
            output == """
                error[x.y]: S
                 --> specs/a.yaml:1:3000001
                1 | …\(String(repeating: "x", count: 40))<here>\(String(repeating: "y", count: 54))…
                  |  \(String(repeating: " ", count: 40))^^^^^^ D.

                """)
    }

    @Test("marks the first line of a range over several lines, and an empty range by one mark")
    func oddRanges() {
        let file = SourceFile(path: "x.yaml", text: "a:\n  b: 1\n  c: 2\n")
        #expect(
            render([Diagnostic(code: "x.y", summary: "S", detail: "D.", at: file.range(5, 16))]) == """
                error[x.y]: S
                 --> x.yaml:2:3
                2 |   b: 1
                  |   ^^^^ D.

                """)
        #expect(
            render([Diagnostic(code: "x.y", summary: "S", detail: "D.", at: file.range(17, 17))]) == """
                error[x.y]: S
                 --> x.yaml:4:1
                4 |
                  | ^ D.

                """)
        #expect(
            render([Diagnostic(code: "x.y", summary: "S", detail: "D.", at: file.range(2, 2))]) == """
                error[x.y]: S
                 --> x.yaml:1:3
                1 | a:
                  |   ^ D.

                """)
    }

    @Test("colours only when told to")
    func colours() {
        let diagnostic = Diagnostic(
            code: "x.y", summary: "S", detail: "D.", at: place("b", in: "a: b"), hint: "H.")
        #expect(
            render([diagnostic], isColoured: true) == """
                \u{1B}[1;31merror[x.y]\u{1B}[0m\u{1B}[1m: S\u{1B}[0m
                 \u{1B}[34m-->\u{1B}[0m specs/a.yaml:1:4
                \u{1B}[34m1 |\u{1B}[0m a: b
                  \u{1B}[34m|\u{1B}[0m    \u{1B}[1;31m^ D.\u{1B}[0m
                  \u{1B}[34m= \u{1B}[0m\u{1B}[1mhint: \u{1B}[0mH.

                """)
    }

    @Test("prints each complaint once, by place, whatever the order")
    func sortedOnce() {
        let file = SourceFile(path: "b.yaml", text: "a: b")
        let other = SourceFile(path: "a.yaml", text: "a: b")
        let all = [
            Diagnostic(code: "x.4", summary: "S", detail: "", at: file.range(3, 4)),
            Diagnostic(code: "x.3", summary: "S", detail: "", at: file.range(0, 1)),
            Diagnostic(code: "x.2", summary: "S", detail: "", at: other.range(3, 4)),
            Diagnostic(code: "x.1", summary: "S", detail: ""),
        ]
        #expect((all + all).sortedByPlace().map(\.code) == ["x.1", "x.2", "x.3", "x.4"])
        #expect(render(all + all) == render(all.reversed()))
        #expect(all.hasErrors)
        #expect(![Diagnostic(.warning, code: "x", summary: "", detail: "")].hasErrors)
    }

    @Test("shows paths below the base directory relative to it")
    func baseDirectory() {
        let diagnostic = Diagnostic(
            code: "x", summary: "S", detail: "", at: place("b", in: "a: b", path: "/w/s/a.yaml"))
        let output = DiagnosticRenderer(isColoured: false, baseDirectory: "/w").render(diagnostic)
        #expect(output.contains("--> s/a.yaml:1:4\n"))
    }
}

@Suite("Source files")
struct SourceFileTests {
    @Test("count lines from 1 and columns in Unicode scalars from 1")
    func positions() {
        let file = SourceFile(path: "x", text: "a\r\né💡z\n")
        #expect(file.position(atOffset: 0) == SourcePosition(line: 1, column: 1, offset: 0))
        #expect(file.position(atOffset: 9) == SourcePosition(line: 2, column: 3, offset: 9))
        #expect(file.position(atOffset: 10) == SourcePosition(line: 2, column: 4, offset: 10))
        #expect(file.position(atOffset: 11) == SourcePosition(line: 3, column: 1, offset: 11))
        #expect(file.position(atOffset: 99) == SourcePosition(line: 3, column: 1, offset: 11))
        #expect(file.position(atOffset: -1).offset == 0)
        #expect((0...4).map(file.line) == ["", "a", "é💡z", "", ""])
        #expect(file.lineCount == 3)
    }

    @Test("have an empty first line when they are empty")
    func emptyFile() {
        let file = SourceFile(path: "x", text: "")
        #expect(file.position(atOffset: 5) == SourcePosition(line: 1, column: 1, offset: 0))
        #expect(file.line(1) == "")
    }

    @Test("clamp ranges and parts of ranges")
    func ranges() {
        let file = SourceFile(path: "x", text: "abcdef")
        #expect(file.range(4, 99).text == "ef")
        #expect(file.range(4, 2).isEmpty)
        #expect(file.range(1, 5).part(1..<2).text == "c")
        #expect(file.range(1, 5).part(3..<20).text == "e")
        #expect(file.range(1, 2).extended(to: file.range(3, 4)).text == "bcd")
        #expect("\(file.range(1, 2))" == "x:1:2")
    }
}

@Suite("Suggestions")
struct SuggestionTests {
    @Test(
        "name the candidate a person meant",
        arguments: [
            ("versionned", "versioned"), ("main", nil), ("prod_a", "prod-a"), ("PROD-A", "prod-a"), ("mian", "main"),
            ("zzz", nil), ("", nil), ("x", nil), ("vpcs", "vpc"), ("prod-rancher-rsd", "prod-rancher-rds"),
        ] as [(String, String?)])
    func closest(name: String, expected: String?) {
        let known = ["versioned", "main", "prod-a", "prod-b", "vpc", "prod-rancher-rds"]
        #expect(Suggestion.closest(to: name, among: known) == expected)
        #expect(Suggestion.closest(to: name, among: known.reversed()) == expected)
    }

    @Test("are the alphabetically first of equally near ones")
    func ties() {
        #expect(Suggestion.closest(to: "prod-c", among: ["prod-b", "prod-a"]) == "prod-a")
        #expect(Suggestion.hint(for: "prod-c", among: ["prod-b", "prod-a"]) == "Did you mean \"prod-a\"?")
    }

    @Test("ignore names of absurd length")
    func absurd() {
        let long = String(repeating: "a", count: 100_000)
        #expect(Suggestion.closest(to: long, among: [long + "b"]) == nil)
    }
}

@Suite("Records for JSON")
struct DiagnosticRecordTests {
    @Test("have the same fields with and without a place")
    func fields() {
        let file = SourceFile(path: "x.yaml", text: "a: b\n")
        let record = DiagnosticRecord(
            Diagnostic(
                code: "x.y", summary: "S", detail: "D.", at: file.range(3, 4),
                related: [.init(range: file.range(0, 1), message: "r")]))
        #expect(
            record.fields.prefix(5).map(\.value) == [
                .string("x.yaml"), .integer(1), .integer(4), .integer(1), .integer(5),
            ])
        let bare = DiagnosticRecord(Diagnostic(code: "x.y", summary: "S", detail: "D."))
        #expect(bare.fields.map(\.name) == record.fields.map(\.name))
        #expect(
            bare.fields.map(\.name) == [
                "file", "line", "column", "endLine", "endColumn", "severity", "code", "summary", "detail", "hint",
                "related",
            ])
        #expect(bare.fields.filter { $0.value == .null }.map(\.name).count == 6)
    }
}

@Suite("Quoting")
struct QuotingTests {
    @Test("leaves out the middle of long text")
    func long() {
        #expect("abc".quoted == "\"abc\"")
        let quoted = String(repeating: "a", count: 1_000).quoted
        #expect(quoted.count == 82)
        #expect(quoted.contains("…"))
        #expect(String(repeating: "a", count: 80).quoted.count == 82)
    }
}
