import Diagnostics
import TestSupport
import Testing
import YAMLSyntax

@Suite("The sample files of the design")
struct SampleTests {
    @Test("are read without complaint", arguments: ["muster", "rancher"])
    func samples(name: String) throws {
        let yaml = try #require(goldenText(named: "samples/\(name).yaml"))
        let (root, diagnostics) = parseYAML(SourceFile(path: "specs/\(name).yaml", text: yaml))
        #expect(diagnostics == [])
        expectGolden(render(root) + "\n", named: "samples/\(name).tree")
    }

    @Test("hold every scalar where its range says")
    func ranges() throws {
        for name in ["muster", "rancher"] {
            let yaml = try #require(goldenText(named: "samples/\(name).yaml"))
            let (root, _) = parseYAML(SourceFile(path: name, text: yaml))
            var open = [try #require(root)]
            while let node = open.popLast() {
                switch node.kind {
                case .scalar(let scalar):
                    #expect(scalar.isVerbatim)
                    #expect(node.range(ofText: 0..<scalar.text.utf8.count).text == scalar.text)
                case .sequence(let items): open += items
                case .mapping(let entries):
                    for entry in entries { #expect(entry.keyRange.text == entry.key) }
                    open += entries.map(\.value)
                }
            }
        }
    }
}
