import TestSupport
import Testing

@testable import MusterCommands

@Suite struct ReferencePageTests {
    @Test("docs/spec-reference.md says what the schemas say; \"make docs\" writes it anew")
    func isCurrent() throws {
        let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = String(decoding: try LocalFile.read("/\(folder)/docs/spec-reference.md"), as: UTF8.self)
        let generated = SchemaCommand.referencePage
        #expect(generated == page, "\(lineDifference(page, generated))")
    }
}
