import Diagnostics
import TestSupport
import Testing
import YAMLSyntax

@Suite("The tree of a file")
struct TreeTests {
    @Test("has the place of every scalar style")
    func scalars() {
        check(
            """
            plain: a b # comment
            single: 'it''s'
            double: "a\\tb"
            same: "ab"
            literal: |
              one
                two

              three
            # comment
            folded: >-
              one
              two
            """,
            """
            1:1-13:6 mapping
              "plain" 1:1: 1:8-11 plain "a b"
              "single" 2:1: 2:9-16 singleQuoted "it\\'s" from "\\'it\\'\\'s\\'"
              "double" 3:1: 3:9-15 doubleQuoted "a\\tb" from "\\"a\\\\tb\\""
              "same" 4:1: 4:7-11 doubleQuoted "ab"
              "literal" 5:1: 6:3-9:8 literal "one\\n  two\\n\\nthree\\n" from "one\\n    two\\n\\n  three"
              "folded" 11:1: 12:3-13:6 folded "one two" from "one\\n  two"
            """)
    }

    @Test("has the place of collections in block and flow form")
    func collections() {
        check(
            """
            a:
            - x
            -
              - y
              - {k: v, "q":1}
            b: [1, [], {}]   # end

            c:
              d: e
            """,
            """
            1:1-9:7 mapping
              "a" 1:1: 2:1-5:18 sequence
                - 2:3-4 plain "x"
                - 4:3-5:18 sequence
                  - 4:5-6 plain "y"
                  - 5:5-18 mapping
                    "k" 5:6: 5:9-10 plain "v"
                    "q" 5:12: 5:16-17 plain "1"
              "b" 6:1: 6:4-15 sequence
                - 6:5-6 plain "1"
                - 6:8-10 sequence
                - 6:12-14 mapping
              "c" 8:1: 9:3-7 mapping
                "d" 9:3: 9:6-7 plain "e"
            """)
    }

    @Test("keeps the text of scalars as written, and knows three ways to write nothing")
    func untyped() {
        check(
            "{a: 0644, b: on, c: 08:30, d: 8.0, e: ~, f: null, g: , h: 'null', i: !!str ~, j: Null}",
            """
            1:1-87 mapping
              "a" 1:2: 1:5-9 plain "0644"
              "b" 1:11: 1:14-16 plain "on"
              "c" 1:18: 1:21-26 plain "08:30"
              "d" 1:28: 1:31-34 plain "8.0"
              "e" 1:36: 1:39-40 null
              "f" 1:42: 1:45-49 null
              "g" 1:51: 1:54-54 null
              "h" 1:56: 1:59-65 singleQuoted "null"
              "i" 1:67: 1:76-77 plain "~"
              "j" 1:79: 1:82-86 plain "Null"
            """)
    }

    @Test("counts places in characters beyond ASCII, with either line break")
    func unicode() {
        check(
            "é: ü # ö\r\n日本: \"x😀\"\r\nz: [é, b]\r\n",
            """
            1:1-3:10 mapping
              "é" 1:1: 1:4-5 plain "ü"
              "日本" 2:1: 2:5-9 doubleQuoted "x😀"
              "z" 3:1: 3:4-10 sequence
                - 3:5-6 plain "é"
                - 3:8-9 plain "b"
            """)
    }

    @Test("is nothing for an empty file or one of comments", arguments: ["", "# only\n", "\n\n", "---\n...\n"])
    func empty(yaml: String) {
        let (root, diagnostics) = parseYAML(SourceFile(path: "spec.yaml", text: yaml))
        #expect(diagnostics == [])
        #expect(root?.isNull ?? true)
    }

    @Test("accepts directives, a document marker and tags that say what the schema says")
    func directives() {
        check(
            "%YAML 1.1\n---\na: !!str 1\nb: !!seq [!!map {}]\nc: ! x\nd: !!str &n &x\n".replacing(
                "&n &x", with: "&n x"),
            """
            3:1-6:14 mapping
              "a" 3:1: 3:10-11 plain "1"
              "b" 4:1: 4:10-20 sequence
                - 4:17-19 mapping
              "c" 5:1: 5:6-7 plain "x"
              "d" 6:1: 6:13-14 plain "x"
            """)
    }

    @Test("takes expressions in keys, and in plain values of block context")
    func expressions() {
        check(
            """
            ${var.environment}-rancherctl:
              count: ${var.control_nodes}
              fqdn: ${dns["rancher.tastycidr.net"].fqdn}
              port: ${if(var.a, "x:y", 'b')}:80 # comment
              - : 1
            """.replacing("  - : 1", with: "  list: [\"${a}\", '${b[\"c\"]}']"),
            """
            1:1-5:30 mapping
              "${var.environment}-rancherctl" 1:1: 2:3-5:30 mapping
                "count" 2:3: 2:10-30 plain "${var.control_nodes}"
                "fqdn" 3:3: 3:9-45 plain "${dns[\\"rancher.tastycidr.net\\"].fqdn}"
                "port" 4:3: 4:9-36 plain "${if(var.a, \\"x:y\\", \\'b\\')}:80"
                "list" 5:3: 5:9-30 sequence
                  - 5:10-16 doubleQuoted "${a}"
                  - 5:18-29 singleQuoted "${b[\\"c\\"]}"
            """)
    }
}

@Suite("Anchors, aliases and merge keys")
struct AnchorTests {
    @Test("share a value and remember where it is used")
    func aliases() {
        check(
            """
            x-a: &a
              k: v
            x-b: &b [1]
            c: *a
            d: [*b, *b]
            *s : 1
            """.replacing("*s : 1", with: "e: &s text\n*s : 1"),
            """
            1:1-7:7 mapping
              "x-a" 1:1: 2:3-7 mapping
                "k" 2:3: 2:6-7 plain "v"
              "x-b" 3:1: 3:9-12 sequence
                - 3:10-11 plain "1"
              "c" 4:1: 2:3-7 mapping
                "k" 2:3: 2:6-7 plain "v" by *a
              "d" 5:1: 5:4-12 sequence
                - 3:9-12 sequence
                  - 3:10-11 plain "1" by *b
                - 3:9-12 sequence
                  - 3:10-11 plain "1" by *b
              "e" 6:1: 6:7-11 plain "text"
              "text" 7:1: 7:6-7 plain "1"
            """)
    }

    @Test("merge mappings where the key stands; explicit keys win, then the earlier mapping")
    func merge() {
        check(
            """
            x-a: &a { k: a, only_a: 1 }
            x-b: &b { k: b, only_b: 2 }
            one: { first: 0, <<: *a, k: own }
            two: { <<: [*a, *b, { only_c: 3 }] }
            three: { "<<": text }
            """,
            """
            1:1-5:22 mapping
              "x-a" 1:1: 1:9-28 mapping
                "k" 1:11: 1:14-15 plain "a"
                "only_a" 1:17: 1:25-26 plain "1"
              "x-b" 2:1: 2:9-28 mapping
                "k" 2:11: 2:14-15 plain "b"
                "only_b" 2:17: 2:25-26 plain "2"
              "one" 3:1: 3:6-34 mapping
                "first" 3:8: 3:15-16 plain "0"
                << "only_a" 1:17: 1:25-26 plain "1"
                "k" 3:26: 3:29-32 plain "own"
              "two" 4:1: 4:6-37 mapping
                << "k" 1:11: 1:14-15 plain "a"
                << "only_a" 1:17: 1:25-26 plain "1"
                << "only_b" 2:17: 2:25-26 plain "2"
                << "only_c" 4:23: 4:31-32 plain "3"
              "three" 5:1: 5:8-22 mapping
                "<<" 5:10: 5:16-20 plain "text"
            """)
    }

    @Test("merge through merges")
    func mergeChain() {
        let (root, diagnostics) = parseYAML(
            SourceFile(path: "x", text: "a: &a {k: 1}\nb: &b {<<: *a, l: 2}\nc: {<<: *b, m: 3}\n"))
        #expect(diagnostics == [])
        #expect(root?.mapping?.last?.value.mapping?.map(\.key) == ["k", "l", "m"])
    }

    @Test("may name a newer value by an old name")
    func redefinition() {
        let (root, diagnostics) = parseYAML(SourceFile(path: "x", text: "[&a 1, *a, &a 2, *a]"))
        #expect(diagnostics == [])
        #expect(root?.sequence?.compactMap(\.scalar?.text) == ["1", "1", "2", "2"])
    }

    @Test("do not copy what they share, and count it before it is there")
    func bomb() {
        var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...5 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            yaml += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let (root, diagnostics) = parseYAML(SourceFile(path: "x", text: yaml))
        #expect(root == nil)
        #expect(diagnostics.map(\.code) == ["yaml.too-many-aliases"])
    }

    @Test("may not nest too deeply by turns")
    func deepByAliases() {
        var yaml = "a0: &a0 [x]\n"
        for level in 1...300 { yaml += "a\(level): &a\(level) [*a\(level - 1)]\n" }
        let (root, diagnostics) = parseYAML(SourceFile(path: "x", text: yaml))
        #expect(root == nil)
        #expect(diagnostics.map(\.code) == ["yaml.too-deep"])
    }
}

@Suite("Places inside a scalar")
struct PlaceInScalarTests {
    /// The source of the first `<…>` in the text of the value of `k`.
    private func source(ofMarkedIn yaml: String) -> String? {
        let (root, diagnostics) = parseYAML(SourceFile(path: "x", text: yaml))
        #expect(diagnostics == [])
        guard let node = root?.mapping?.first?.value, let text = node.scalar.map({ Array($0.text.utf8) }),
            let start = text.firstIndex(of: UInt8(ascii: "<")), let end = text.firstIndex(of: UInt8(ascii: ">"))
        else { return nil }
        let range = node.range(ofText: start..<(end + 1))
        return "\(range.startPosition.line):\(range.startPosition.column) \(range.text)"
    }

    @Test(
        "are found through every way to write it",
        arguments: [
            ("k: é a <b> c", "1:8 <b>"),
            ("k: 'a <b> c'", "1:7 <b>"),
            ("k: 'it''s <b> c'", "1:11 <b>"),
            ("k: 'it''s <b''s> c'", "1:11 <b''s>"),
            ("k: \"a\\t\\u00e9\\x41 <b> c\"", "1:19 <b>"),
            ("k: \"a\n  folded <b> c\"", "2:10 <b>"),
            ("k: \"a\n\n\n  folded <b> c\"", "4:10 <b>"),
            ("k: \"a \\\n   <b> c\"", "2:4 <b>"),
            ("k: a\n  more\n\n  and <b> c", "4:7 <b>"),
            ("k: |\n  one\n    two <b>\n  three", "3:9 <b>"),
            ("k: |\r\n  one\r\n\r\n  two <b>\r\n  three", "4:7 <b>"),
            ("k: |2\n     one <b>\n  three", "2:10 <b>"),
            ("k: |\n\n\n  one\n  two <b>\n", "5:7 <b>"),
            ("k: >\n  one\n  two\n\n\n  three <b>\n", "6:9 <b>"),
            ("k: >\n  one\n    more\n    indented\n  two <b>\n", "5:7 <b>"),
        ])
    func found(yaml: String, expected: String) {
        #expect(source(ofMarkedIn: yaml) == expected)
    }
}
