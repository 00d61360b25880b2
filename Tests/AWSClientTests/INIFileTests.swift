import Testing

@testable import AWSClient

@Suite struct INIFileTests {
    private func parse(_ text: String) throws -> [String: [String: String]] {
        let file = try INIFile.parse(Array(text.utf8), path: "/f")
        return Dictionary(uniqueKeysWithValues: file.sections.map { ($0.name, $0.values.mapValues(\.text)) })
    }

    @Test("Sections, keys, comments and blanks are read as the SDKs read them")
    func basics() throws {
        let values = try parse(
            "\u{feff}; a comment\n[default]\nRegion = us-east-1\r\nkey=a = b#c ; trailing\n\n# comment\n"
                + "[ profile x ]  # why\n  indented = 1\n  also = 2\nempty =\ncolon: v\n")
        #expect(
            values == [
                "default": ["region": "us-east-1", "key": "a = b#c"],
                "profile x": ["indented": "1", "also": "2", "empty": "", "colon": "v"],
            ])
    }

    @Test("An indented line belongs to the key above")
    func nested() throws {
        let file = try INIFile.parse(
            Array("[services s]\nec2 =\n  Endpoint_URL = http://h:1\n  other = x\ns3 = text\n  more\n".utf8), path: "/f"
        )
        let values = try #require(file.sections.first?.values)
        #expect(values["ec2"]?.nested == ["endpoint_url": "http://h:1", "other": "x"])
        #expect(values["s3"]?.text == "text\nmore" && values["s3"]?.line == 5)
    }

    @Test("A section that occurs twice is one")
    func merged() throws {
        #expect(try parse("[a]\nx=1\ny=1\n[b]\nz=1\n[a]\nx=2\n") == ["a": ["x": "2", "y": "1"], "b": ["z": "1"]])
    }

    @Test(
        "A line that is none of this is named with its place",
        arguments: [
            ("[a]\nwhat is this\n", "/f:2"), ("x = 1\n", "/f:1"), ("[a\n", "/f:1"), ("[a] b\n", "/f:1"),
            ("[a]\n= 1\n", "/f:2"),
        ])
    func malformed(_ text: String, _ place: String) {
        do {
            _ = try INIFile.parse(Array(text.utf8), path: "/f")
            Issue.record("accepted")
        } catch {
            #expect(error.place == place)
        }
    }

    @Test(
        "A command is split as a shell would",
        arguments: [
            ("a b  c", ["a", "b", "c"]), ("'a b' \"c d\"e", ["a b", "c de"]),
            (#"a\ b "x\"y\z" 'q\'"#, ["a b", #"x"y\z"#, #"q\"#]),
            ("  ", []), ("'' \"\"", ["", ""]), ("'open", nil), ("\"open", nil), ("end\\", nil),
            ("$HOME *;|", ["$HOME", "*;|"]),
        ] as [(String, [String]?)])
    func shellWords(_ command: String, _ words: [String]?) {
        #expect(ShellWords.split(command) == words)
    }
}
