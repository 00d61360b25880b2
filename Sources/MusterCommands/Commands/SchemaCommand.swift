import AWSProvider
import ArgumentParser
import Diagnostics
import Expressions
import Lowering
import MusterModel
import Reporting
import SpecLoading

struct SchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print a JSON Schema, or the spec reference.",
        discussion: "Point an editor at \"spec\" and \"workspace\" to have completion and checks while typing.")

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case spec, workspace, plan, drift, stateList = "state-list", stateShow = "state-show", validate, outputs
        case events, history, historyRun = "history-run", hosts, reference
    }

    @Argument(help: "What to print.") var kind: Kind = .spec

    private static var catalog: Catalog { Providers.catalog }

    /// docs/spec-reference.md.
    static var referencePage: String {
        SpecReference.markdown(sections: Lowering.sections, catalog: catalog, functions: FunctionLibrary.all)
    }

    func run() async throws {
        let console = Console(environment: ProcessEnvironment.current)
        let schema: Value
        switch kind {
        case .spec: schema = SpecJSONSchema.spec(sections: Lowering.sections, catalog: SchemaCommand.catalog)
        case .workspace: schema = SpecJSONSchema.workspace()
        case .plan: schema = PlanSchema.jsonSchema()
        case .drift: schema = DriftSchema.jsonSchema()
        case .stateList: schema = StateSchema.listJSONSchema()
        case .stateShow: schema = StateSchema.showJSONSchema()
        case .validate: schema = ValidateSchema.jsonSchema()
        case .outputs: schema = OutputsSchema.jsonSchema()
        case .events: schema = EventSchema.jsonSchema()
        case .history: schema = HistorySchema.listJSONSchema()
        case .historyRun: schema = HistorySchema.showJSONSchema()
        case .hosts: schema = HostsSchema.jsonSchema()
        case .reference:
            console.write(SchemaCommand.referencePage)
            return
        }
        console.write(schema.prettyJSON + "\n")
    }
}
