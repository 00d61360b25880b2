import ArgumentParser
import Diagnostics
import MusterModel
import Reporting

enum ReportFormat: String, ExpressibleByArgument, CaseIterable { case text, json, markdown }

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what apply would change.",
        discussion:
            "Nothing is changed. With --out the plan is kept in a file, and \"muster apply FILE\" does exactly it."
    )

    @OptionGroup var scope: ScopeOptions
    @OptionGroup var selection: SelectionOptions
    @Option(name: .long, help: ArgumentHelp("Keep the plan in a file.", valueName: "file")) var out: String?
    @Option(name: .long, help: "How to show it.") var format: ReportFormat = .text
    @Flag(name: .long, help: "Exit with 2 when there is something to do.") var detailedExitcode = false
    @Flag(name: .long, help: "Trust the state and send no request.") var noRefresh = false
    @Option(name: .long, help: ArgumentHelp("Replace this resource (may be repeated).", valueName: "address"))
    var replace: [String] = []
    @Flag(name: .long, help: "Plan to delete everything that is selected.") var destroy = false

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let workbench = try Workbench.make(console, scope)
            let made = try await workbench.makePlan(
                PlanRequest(
                    only: selection.only, except: selection.except, replace: replace, isDestroy: destroy,
                    isRefreshed: !noRefresh))
            let document = out != nil || format == .json ? made.document : nil
            if let document, format == .json {
                console.write(document.text)
            } else {
                console.write(workbench.render(document?.plan ?? made.plan, format))
            }
            if !made.refusals.isEmpty {
                throw CommandFailure(.refused, made.refusals)
            }
            if let out, let document {
                try PlanFile.write(document.text, to: out)
                console.talk("The plan is kept in \(out): apply it with \"muster apply \(out)\".\n")
            }
            return detailedExitcode && !made.plan.isEmpty ? .changes : .success
        }
    }
}

extension Workbench {
    func render(_ plan: Plan, _ format: ReportFormat) -> String {
        switch format {
        case .text: PlanText.render(plan, options: textOptions)
        case .json: PlanJSON.encode(plan)
        case .markdown: PlanMarkdown.render(plan)
        }
    }

    /// For what goes to stdout.
    var textOptions: TextOptions {
        TextOptions(
            palette: console.isColoured(console.isOutputTerminal) ? .ansi : .plain,
            width: console.isOutputTerminal ? console.width : 100)
    }
}
