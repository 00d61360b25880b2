import Diagnostics
import TestSupport
import Testing
import YAMLSyntax

/// Any input gives a tree or a complaint with a place, and every place lies in the file.
@Suite("Any input at all")
struct FuzzTests {
    private static let pieces = [
        "a", "b: ", ": ", "- ", "\n", "\n  ", "\n    ", "\t", "{", "}", "[", "]", ", ", "\"", "'", "|\n", ">-\n", "# c",
        "&x ", "*x", "!!str ", "!y ", "<<: *x", "${", "${a}", "$${", "---\n", "...\n", "%", "? ", "é", "日", "\u{1F600}",
        "\r\n", "\\", "~", "null", "\u{85}", "\u{2028}", "\u{FEFF}", "@", "`", "\\x41", "\\\n", "0", "x-y", "   ",
    ]

    @Test("random pieces of YAML")
    func pieces() {
        var generator = SeededGenerator.fromEnvironment("random pieces of YAML")
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<24, using: &generator)
            var text: [UInt8] = []
            for _ in 0..<count { text += Array(generator.pick(Self.pieces).utf8) }
            expectSound(text)
        }
    }

    @Test("random bytes")
    func bytes() {
        var generator = SeededGenerator.fromEnvironment("random bytes")
        for _ in 0..<5_000 {
            let count = Int.random(in: 0..<60, using: &generator)
            expectSound((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
    }

    @Test("a spec with some bytes changed, cut or doubled")
    func mutations() throws {
        var generator = SeededGenerator.fromEnvironment("a spec with some bytes changed, cut or doubled")
        let spec = Array(try #require(goldenText(named: "samples/rancher.yaml")).utf8)
        for _ in 0..<600 {
            var text = spec
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let place = Int.random(in: 0..<text.count, using: &generator)
                let end = min(text.count, place + Int.random(in: 1...40, using: &generator))
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: text[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: text.replaceSubrange(place..<end, with: [])
                case 2: text.insert(contentsOf: text[place..<end], at: place)
                default: text.insert(contentsOf: Array(generator.pick(Self.pieces).utf8), at: place)
                }
                if text.isEmpty { text = spec }
            }
            expectSound(text)
        }
    }

    private func expectSound(_ text: [UInt8]) {
        let file = SourceFile(path: "fuzz.yaml", text: text)
        let (root, diagnostics) = parseYAML(file)
        var problems: [String] = []
        for diagnostic in diagnostics {
            guard let range = diagnostic.range else {
                problems.append("no place: \(diagnostic.code)")
                continue
            }
            if range.file != file { problems.append("another file") }
        }
        if !diagnostics.isEmpty, DiagnosticRenderer(isColoured: false).render(diagnostics).isEmpty {
            problems.append("nothing is said")
        }
        if root == nil, diagnostics.isEmpty, !isBlank(text) { problems.append("neither a tree nor a complaint") }
        var open = root.map { [$0] } ?? []
        while let node = open.popLast() {
            switch node.kind {
            case .scalar(let scalar):
                let count = scalar.text.utf8.count
                let whole = node.range(ofText: 0..<count)
                let half = node.range(ofText: (count / 2)..<count)
                if scalar.isVerbatim, whole.text != scalar.text {
                    problems.append("\(scalar.text.debugDescription) is not \(whole.text.debugDescription)")
                }
                if half.start < node.range.start || half.end > node.range.end {
                    problems.append("a part of \(scalar.text.debugDescription) lies outside of it")
                }
            case .sequence(let items): open += items
            case .mapping(let entries):
                if Set(entries.map(\.key)).count != entries.count { problems.append("keys are not unique") }
                open += entries.map(\.value)
            }
        }
        #expect(problems == [], "\(String(decoding: text, as: UTF8.self).debugDescription)")
    }

    /// Whether there is nothing but comments, blanks and document markers, with all line breaks that YAML knows.
    private func isBlank(_ text: [UInt8]) -> Bool {
        let breaks: Set<Unicode.Scalar> = ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"]
        return String(decoding: text, as: UTF8.self).unicodeScalars.split { breaks.contains($0) }.allSatisfy { line in
            let line = line.drop { $0 == " " || $0 == "\t" || $0 == "\u{FEFF}" }
            return line.isEmpty || line.first == "#" || line.starts(with: "...".unicodeScalars)
        }
    }
}

@Suite("Limits")
struct LimitTests {
    private func codes(_ text: String, _ limits: YAMLLimits = .standard) -> [String] {
        parseYAML(SourceFile(path: "x", text: text), limits: limits).diagnostics.map(\.code)
    }

    @Test("refuse a file of 50 MB without parsing it")
    func size() {
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 50 << 20)
        let (root, diagnostics) = parseYAML(SourceFile(path: "x", text: text))
        #expect(root == nil)
        #expect(diagnostics.map(\.code) == ["yaml.too-large"])
        #expect(diagnostics.first?.detail == "The file is 50.0 MiB; muster reads at most 16 MiB.")
    }

    @Test("refuse nesting, in flow and block form, however deep")
    func depth() {
        #expect(codes(String(repeating: "[", count: 10_000)) == ["yaml.too-deep"])
        #expect(codes(String(repeating: "{a: ", count: 10_000)) == ["yaml.too-deep"])
        #expect(codes(String(repeating: "- ", count: 10_000) + "a") == ["yaml.too-deep"])
        #expect(codes((0..<1_000).map { String(repeating: " ", count: $0) + "a:\n" }.joined()) == ["yaml.too-deep"])
        #expect(codes(String(repeating: "[", count: 200) + String(repeating: "]", count: 200)) == [])
        #expect(
            codes(String(repeating: "[", count: 201) + String(repeating: "]", count: 201)) == ["yaml.too-deep"])
    }

    @Test("refuse more values than allowed")
    func nodes() {
        var limits = YAMLLimits.standard
        limits.maximumNodes = 10
        #expect(codes("[1, 2, 3, 4, 5, 6, 7, 8, 9]", limits) == [])
        #expect(codes("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", limits) == ["yaml.too-many-values"])
    }

    @Test("say when there are more problems than are shown")
    func diagnostics() {
        let text = String(repeating: "a: 1\n", count: 500)
        let found = codes(text)
        #expect(found.count == 101)
        #expect(found.last == "yaml.more-problems")
    }

    @Test("count what unquoted expressions cost only once")
    func manyExpressions() {
        let text = String(repeating: "- [${a}, ${b}, ${", count: 5_000) + "\n"
        #expect(!codes(text).isEmpty)
        let lines = (0..<3_000).map { "k\($0): { a: ${var.a}, b: [${var.b}] }\n" }.joined()
        #expect(codes(lines).prefix(100).allSatisfy { $0 == "yaml.unquoted-expression" })
    }

    @Test("are not reached by a large spec")
    func large() throws {
        var text = "security_groups:\n"
        for index in 0..<3_000 {
            text += """
                  group-\(index):
                    vpc: main
                    description: "Group \(index)"
                    ingress:
                      - { port: 443, protocol: tcp, from: [group-\((index + 1) % 3_000)] }
                      - { port: 80, protocol: tcp, from: ["${var.corporate_cidr}"] }
                    egress: []
                    tags:
                      Name: group-\(index)

                """
        }
        let (root, diagnostics) = parseYAML(SourceFile(path: "x", text: text))
        #expect(diagnostics == [])
        #expect(root?.mapping?.first?.value.mapping?.count == 3_000)
    }
}
