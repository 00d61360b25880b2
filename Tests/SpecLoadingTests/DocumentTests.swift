import Expressions
import Lowering
import MusterModel
import SpecLoading
import TestSupport
import Testing

@Suite("What is generated from the schemas")
struct DocumentTests {
    @Test("The JSON Schema of a spec says what the schemas say")
    func specSchema() {
        let schema = SpecJSONSchema.spec(sections: Fixture.sections, catalog: Fixture.catalog)
        expectGolden(schema.prettyJSON + "\n", named: "documents/spec.schema.json")
    }

    @Test("The JSON Schema of a workspace file knows every key")
    func workspaceSchema() {
        expectGolden(SpecJSONSchema.workspace().prettyJSON + "\n", named: "documents/workspace.schema.json")
    }

    @Test("The reference page has every section, lookup, type and function")
    func reference() {
        let page = SpecReference.markdown(
            sections: Fixture.sections, catalog: Fixture.catalog, functions: Array(FunctionLibrary.all.prefix(2)))
        expectGolden(page, named: "documents/spec-reference.md")
    }

    @Test("Every example of a section is read without a complaint", arguments: Lowering.sections.map(\.name))
    func example(section: String) throws {
        let schema = try #require(Lowering.sections.first { $0.name == section })
        var workspace = Workspace(spec: schema.example + "\n")
        workspace.sections = Lowering.sections
        let (expanded, diagnostics) = workspace.expanded()
        #expect(diagnostics.isEmpty, "\(workspace.complaints())")
        #expect(expanded?.definitions.isEmpty == false)
    }
}
