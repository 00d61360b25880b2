import ArgumentParser
import MusterModel
import Reporting

struct DriftCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drift", abstract: "Show what others changed.",
        discussion: "Exits with 2 when there is drift, with 0 when there is none. Nothing is changed.")

    @OptionGroup var scope: ScopeOptions
    @OptionGroup var selection: SelectionOptions
    @Option(name: .long, help: "How to show it.") var format: ReportFormat = .text

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let workbench = try Workbench.make(console, scope)
            let made = try await workbench.makePlan(PlanRequest(only: selection.only, except: selection.except))
            let drift = made.plan.drift.filter { workbench.isSelected($0.address, selection, made) }
            let checked = made.observations.objects.keys.count { workbench.isSelected($0, selection, made) }
            switch format {
            case .text: console.write(DriftText.render(drift, checkedCount: checked, options: workbench.textOptions))
            case .json: console.write(DriftJSON.encode(drift, checkedCount: checked))
            case .markdown: console.write(DriftMarkdown.render(drift, checkedCount: checked))
            }
            return drift.isEmpty ? .success : .changes
        }
    }
}

extension Workbench {
    fileprivate func isSelected(_ address: Address, _ selection: SelectionOptions, _ made: MadePlan) -> Bool {
        let only = (try? addresses(selection.only, made.linked, made.snapshot)) ?? []
        let except = (try? addresses(selection.except, made.linked, made.snapshot)) ?? []
        if except.contains(address) { return false }
        if only.isEmpty || only.contains(address) { return true }
        // A foreign member of a set belongs to its parent: it is named after it.
        return only.contains { address.stack == $0.stack && address.name.hasPrefix("\($0.name)/") }
    }
}
