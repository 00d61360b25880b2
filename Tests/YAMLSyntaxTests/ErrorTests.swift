import Diagnostics
import TestSupport
import Testing
import YAMLSyntax

/// A golden for each: the YAML, and what is said about it.
@Suite("Complaints about YAML")
struct ErrorTests {
    static let cases: [(name: String, yaml: String)] = [
        // Expressions
        ("expression-in-flow-mapping", "subnet: { vpc: ${var.vpc}, cidr: 10.0.0.0/16 }\n"),
        ("expression-in-flow-list", "names: [${var.a}, web-${var.b}-x, ok]\nmore: [ ${dns[\"a.b\"].fqdn} ]\n"),
        ("expression-as-flow-key", "a: { ${var.a}: 1, \"${var.b}\": 2 }\n"),
        ("expression-literal-in-flow", "a: [$${HOME}]\n"),
        ("expression-with-colon", "name: ${if(var.a, \"x: y\", \"b\")}\nnext: 1\n"),
        ("expression-with-colon-in-list", "- ${if(a, \"x: y\", 'b')}-z\n- 2\n"),
        ("expression-with-hash", "name: ${join(\" #\", var.a)}  # all of them\nnext: 1\n"),
        ("expression-with-inner-quotes", "fqdn: \"${dns[\"rancher.tastycidr.net\"].fqdn}\"\n"),
        ("expression-with-all-quotes", "a: [${f(\"x\", 'y')}]\n"),
        (
            "expression-and-other-problems",
            """
            a: { x: ${var.x} }
            text: |
              [${not.this}]
            b: [ # {${nor.this}}
              '${quoted}', ${var.y}
            ]
            a: 2
            c: !Ref x

            """
        ),
        ("expression-without-dollar", "vpc: {var.vpc}\n"),
        ("expression-with-two-braces", "vpc: {{ var.vpc }}\n"),
        ("expression-not-closed", "a: [${var.a, b]\n"),
        // Keys
        ("duplicate-key", "a: 1\nb: 2\n\"a\": 3\na: 4\n"),
        ("duplicate-key-in-flow", "x: { a: 1, b: 2, a: 3 }\n"),
        ("duplicate-key-beside-merge", "x: &x { a: 1 }\ny:\n  <<: *x\n  b: 1\n  a: 2\n  b: 3\n"),
        ("duplicate-merge", "x: &x { a: 1 }\ny:\n  <<: *x\n  <<: *x\n"),
        ("merge-of-text", "x: &x text\ny: { <<: *x }\nz: { <<: [{a: 1}, b] }\n"),
        ("key-is-list", "? [a, b]\n: 1\n"),
        ("key-missing", "a:\n  : 1\n"),
        ("value-missing", "tags: { ManagedBy, Owner: me }\n"),
        ("list-as-braces", "subnets: {prod-a, prod-b}\n"),
        // Anchors and tags
        ("alias-unknown", "x: &defaults { a: 1 }\ny: *default\nz: *.example.com\n"),
        ("alias-unknown-name", "x: &defaults { a: 1 }\ny: *default\nz: [*other]\nm: { <<: *gone }\n"),
        ("alias-of-itself", "x: &x [1, *x]\n"),
        ("tag", "a: !Ref vpc\nb: !!int 3\nc: &x !!binary aGk=\nd: !<tag:example.com,2000:x> [1]\ne: !!set {a: }\n"),
        ("tag-handle", "a: !e!foo 1\n"),
        // Text and structure
        ("tab", "a:\n\tb: 1\n"),
        ("tab-after-spaces", "a:\n  b: 1\n  \tc: 2\n"),
        ("tab-in-block-text", "a: |\n\ttext\n"),
        ("tab-in-list", "a:\n\t- b\n"),
        ("colon-in-value", "description: first: second\nnext: 1\n"),
        ("colon-in-list-value", "a:\n  - b: c: d\n"),
        ("colon-missing", "a: 1\nb\nc: 3\n"),
        ("colon-missing-space", "a: 1\nb:2\nc: 3\n"),
        ("indentation-deeper", "a: 1\n  b: 2\n"),
        ("indentation-shallower", "a:\n    b: 1\n  c: 2\n"),
        ("indentation-of-list", "a:\n  - b\n - c\n"),
        ("indentation-of-key-in-list", "a:\n  - b: 1\n   c: 2\n"),
        ("list-after-key", "a: - b\n"),
        ("mapping-in-list", "- a\nb: 1\n"),
        ("quote-not-closed", "a: \"text\nb: 1\n"),
        ("quote-not-closed-single", "a: 'it's'\nb: 1\n"),
        ("quote-closed-too-late", "a: \"text\nb: \"x\"\nc: 1\n"),
        ("quote-closed-too-late-in-flow", "a: [\"text]\nb: [\"x\"]\nc: 1\n"),
        ("text-after-quote", "a: \"text\" more\nb: 1\n"),
        ("text-after-quote-in-flow", "a: [\"text\" more]\n"),
        ("escape-unknown", "pattern: \"^\\d+$\"\n"),
        ("escape-broken", "a: \"\\u12\"\n"),
        ("reserved-at", "a: @b\n"),
        ("reserved-percent", "a: %b\n"),
        ("asterisk", "name: *.example.com\n"),
        ("ampersand", "a: &\n"),
        ("bracket-not-closed", "a: [1, 2\nb: 3\n"),
        ("brace-not-closed", "a: { b: 1\n"),
        ("bracket-extra", "a: [1]]\nb: 1\n"),
        ("bracket-alone", "a: ]\n"),
        ("comma-missing", "a: { b: 1 c: 2 }\n"),
        ("list-entry-empty", "a: [1, , 2]\n"),
        ("block-header", "a: |text\n"),
        ("block-header-zero", "a: |0\n  x\n"),
        ("directive", "%YAML 3.0\n---\na: 1\n"),
        ("directive-unknown", "%FOO\na: 1\n"),
        ("several-documents", "a: 1\n---\nb: 2\n"),
        ("document-end", "a: 1\n...\nb: 2\n"),
        ("control-character", "a: \"x\u{1}y\"\n"),
        ("terminal-escape", "a: \u{1B}[31mred\n"),
        ("delete-character", "a: é\u{7F}\n"),
        ("nul", "a: b\u{0}c\n"),
        ("byte-order-mark", "\u{FEFF}a: 1\n"),
        ("not-yaml-json-lines", "{\"a\": 1}\n{\"b\": 2}\n"),
        ("question-mark", "? a\nb: 1\n? [c\n"),
        ("key-too-long", String(repeating: "k", count: 1_100) + ": 1\na: 2\n"),
    ]

    @Test("have a place, a cause and a cure", arguments: cases.map(\.name))
    func golden(name: String) throws {
        let yaml = try #require(Self.cases.first { $0.name == name }).yaml
        let (_, diagnostics) = parseYAML(SourceFile(path: "spec.yaml", text: yaml))
        #expect(!diagnostics.isEmpty)
        #expect(diagnostics.allSatisfy { $0.range != nil })
        let message = DiagnosticRenderer(isColoured: false).render(diagnostics)
        expectGolden("\(yaml)────────\n\(message)", named: "errors/\(name).txt")
    }

    @Test(
        "name the byte that is not UTF-8, and encodings that are something else",
        arguments: [
            (Array("a: é ".utf8) + [0xE9, 0x0A], "yaml.encoding 1:6 The byte 0xE9 here is not a part of UTF-8 text."),
            (Array("é: 1\nb: ".utf8) + [0xC3], "yaml.encoding 2:4 The byte 0xC3 here is not a part of UTF-8 text."),
            (
                Array("a: ".utf8) + [0xED, 0xA0, 0x80],
                "yaml.encoding 1:4 The byte 0xED here is not a part of UTF-8 text."
            ),
            ([0xC0, 0xAF], "yaml.encoding 1:1 The byte 0xC0 here is not a part of UTF-8 text."),
            (
                [0xFF, 0xFE, 0x61, 0x00],
                "yaml.byte-order-mark 1:1 The file begins with the byte order mark of UTF-16."
            ),
            (
                [0x61, 0x00, 0x3A, 0x00],
                "yaml.control-character 1:2 There is a NUL byte here, so this is not a text file in UTF-8."
            ),
        ] as [([UInt8], String)])
    func encodings(text: [UInt8], expected: String) {
        let (root, diagnostics) = parseYAML(SourceFile(path: "spec.yaml", text: text))
        #expect(root == nil)
        let lines = diagnostics.map { diagnostic in
            let place = diagnostic.range?.startPosition
            return "\(diagnostic.code) \(place?.line ?? 0):\(place?.column ?? 0) \(diagnostic.detail)"
        }
        #expect(lines == [expected])
    }

    @Test("give the rest of the tree, where the mistake leaves one")
    func partialTree() {
        let (root, diagnostics) = parseYAML(
            SourceFile(path: "x", text: "a: [${v.a}, \"${m[\"k\"]}\"]\nb: !x 1\nb: 2\nc: *none\n"))
        #expect(diagnostics.count == 5)
        #expect(
            render(root) == """
                1:1-4:9 mapping
                  "a" 1:1: 1:4-25 sequence
                    - 1:5-11 plain "${v.a}"
                    - 1:14-23 plain "${m[\\"k\\"]}"
                  "b" 2:1: 2:7-8 plain "1"
                  "c" 4:1: 4:4-9 null from "*none"
                """)
    }

    @Test("have one name for each case and one case for each golden")
    func inventory() {
        if isUpdatingGoldens { return }
        let names = Self.cases.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(goldenNames(in: "errors") == names.map { "errors/\($0).txt" }.sorted())
    }
}
