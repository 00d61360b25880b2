import Testing

@testable import AWSClient

@Suite struct XMLElementTests {
    private func parse(_ text: String) throws -> XMLElement { try XMLElement(parsing: Array(text.utf8)) }

    @Test("A path finds what is there, and what is not there is empty all the way down")
    func paths() throws {
        let page = try parse(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
                <requestId>r</requestId>
                <vpcSet>
                    <item><vpcId>vpc-1</vpcId><isDefault>true</isDefault></item>
                    <item><vpcId>vpc-2</vpcId><isDefault>false</isDefault><tagSet/></item>
                </vpcSet>
            </DescribeVpcsResponse>
            """)
        #expect(page.name == "DescribeVpcsResponse")
        #expect(page["vpcSet"].items.map { $0["vpcId"].text } == ["vpc-1", "vpc-2"])
        #expect(page["vpcSet"].items.map { $0["isDefault"].boolean } == [true, false])
        #expect(page["vpcSet"].items.map { $0["tagSet"].exists } == [false, true])
        #expect(page["no"]["such"]["thing"].items.isEmpty)
        #expect(page["no"]["such"].string == nil && page["no"].text == "" && page["no"].name == "")
        #expect(page["vpcSet"].items[1]["tagSet"].string == "" && page["vpcSet"].items[1]["tagSet"].nonEmpty == nil)
    }

    @Test("Values are read as what they are asked for")
    func values() throws {
        let root = try parse(
            "<r><i>42</i><d>0.5</d><t>2024-05-01T12:00:00.123Z</t><e><entry><key>k</key><value>v</value></entry></e>"
                + "<l><m>a</m><m>b</m></l><x>no</x></r>")
        #expect(root["i"].integer == 42 && root["d"].double == 0.5 && root["x"].integer == nil)
        #expect(root["t"].timestamp?.millisecondsSinceEpoch == 1_714_564_800_123)
        #expect(root["e"].entries.map { $0.key + $0.value.text } == ["kv"])
        #expect(root["l"].texts == ["a", "b"] && root["l"].all("m").count == 2 && root["l"].all("n").isEmpty)
    }

    @Test(
        "Entities, CDATA, comments and line ends are decoded",
        arguments: [
            ("a &lt;&amp;&gt; &quot;b&apos;", "a <&> \"b'"), ("&#65;&#x42;&#x1F600;", "AB😀"),
            ("<![CDATA[<raw> & ]]>after", "<raw> & after"), ("be<!-- no -->fore", "before"), ("a<?pi x?>b", "ab"),
            ("a\r\nb\rc\nd", "a\nb\nc\nd"), ("  blanks  ", "  blanks  "), ("ä😀", "ä😀"),
            ("{&quot;Version&quot;:&quot;2012&quot;}", "{\"Version\":\"2012\"}"),
        ])
    func characterData(_ content: String, _ expected: String) throws {
        #expect(try parse("<r><t>\(content)</t></r>")["t"].text == expected)
    }

    @Test("Prefixes and attributes are no obstacle")
    func prefixes() throws {
        let root = try parse(#"<s:r xmlns:s="x" a = 'b>"c' xsi:type="t"><s:t a="&amp;">v</s:t ></s:r>"#)
        #expect(root.name == "r" && root["t"].text == "v")
    }

    @Test(
        "What is not well-formed is an error, never half a tree",
        arguments: [
            "", "   ", "text", "<r>", "<r><a></r>", "<r></a>", "<r/><r/>", "<r>&unknown;</r>", "<r>&amp</r>",
            "<r a></r>",
            "<r a=b></r>", "<r a='<'></r>", "<r><!-- </r>", "<r><![CDATA[</r>", "<!DOCTYPE r><r/>", "<r/>text",
            "<![CDATA[x]]><r/>", "<1r/>", "<r", "<r/", "< r/>", "<r>\u{1}</r>", "<r>&#0;</r>", "<r>&#xD800;</r>",
            "<:/>",
            "<!DOCTYPE r [<!ENTITY a \"b\">]><r>&a;</r>", "<html><br><p>x</html>", "{}", "<r a='1'b='2'/>",
        ])
    func malformed(_ text: String) {
        #expect(throws: XMLSyntaxError.self) { try parse(text) }
    }

    @Test("Every beginning of a document is refused")
    func truncated() throws {
        let text = "<?xml version=\"1.0\"?><r a=\"1\"><b>x &amp; y</b><!-- c --><d/><![CDATA[z]]></r>"
        _ = try parse(text)
        for length in 0..<text.utf8.count {
            #expect(throws: XMLSyntaxError.self) {
                try XMLElement(parsing: Array(text.utf8.prefix(length)))
            }
        }
    }

    @Test("Bytes that are not UTF-8 are refused")
    func encoding() {
        #expect(throws: XMLSyntaxError.self) {
            try XMLElement(parsing: Array("<r>".utf8) + [0xff] + Array("</r>".utf8))
        }
    }

    @Test("Nesting is bounded")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)
        }
        _ = try parse(nested(100))
        #expect(throws: XMLSyntaxError.self) { try parse(nested(101)) }
        #expect(throws: XMLSyntaxError.self) { try parse(String(repeating: "<a>", count: 1_000_000)) }
    }
}
