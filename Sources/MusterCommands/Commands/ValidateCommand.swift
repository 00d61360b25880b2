import ArgumentParser
import Diagnostics
import Reporting
import ResourceGraph
import SpecLoading

struct ValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check the specs without sending a request.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @OptionGroup var scope: ScopeOptions
    @Option(name: .long, help: "How to show it.") var format: Format = .text

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let workbench = try Workbench.make(console, scope)
            var diagnostics: [Diagnostic] = []
            var resourceCount = 0
            do throws(CommandFailure) {
                let workspace = try workbench.load()
                let result = workbench.analyse(workspace, lookups: nil)
                diagnostics = result.diagnostics
                resourceCount = result.linked?.spec.declarations.count ?? 0
            } catch {
                diagnostics = error.diagnostics
            }
            switch format {
            case .json: console.write(DiagnosticsJSON.encode(diagnostics))
            case .text:
                console.report(diagnostics)
                if !diagnostics.hasErrors {
                    console.write("The workspace is valid: \(resourceCount) resources.\n")
                }
            }
            return diagnostics.hasErrors ? .failure : .success
        }
    }
}
