import ArgumentParser
import Expressions
import MusterModel
import Reporting

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a plan file, or a resource of the state.")

    @OptionGroup var scope: ScopeOptions
    @Argument(help: "A plan file, or the address of a resource.") var what: String
    @Option(name: .long, help: "How to show it.") var format: ReportFormat = .text

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let workbench = try Workbench.make(console, scope)
            if LocalFile.exists(what), !LocalFile.isDirectory(what) {
                console.write(workbench.render(try PlanFile.read(what), format))
                return .success
            }
            try await workbench.showResource(what, isJSON: format == .json)
            return .success
        }
    }
}
