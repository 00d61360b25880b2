import ArgumentParser
import MusterModel
import RancherProvider
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
            let phantoms = try await workbench.phantoms(selection, made)
            switch format {
            case .text:
                console.write(
                    DriftText.render(
                        drift, phantoms: phantoms, checkedCount: checked, options: workbench.textOptions))
            case .json: console.write(DriftJSON.encode(drift, phantoms: phantoms, checkedCount: checked))
            case .markdown: console.write(DriftMarkdown.render(drift, phantoms: phantoms, checkedCount: checked))
            }
            return drift.isEmpty && phantoms.isEmpty ? .success : .changes
        }
    }
}

extension Workbench {
    /// Hosts whose instance is gone, of the environments of the selected stacks. A host is no resource: it is looked at
    /// with its environment.
    fileprivate func phantoms(
        _ selection: SelectionOptions, _ made: MadePlan
    ) async throws(CommandFailure) -> [HostFinding] {
        let hasRancher = made.snapshot.records.keys.contains {
            $0.type.provider == RancherProvider.providerName && options.stacks?.contains($0.stack) ?? true
        }
        if !hasRancher { return [] }
        return try await surveyHosts(made.linked.workspace, .phantoms).report.phantoms.filter { finding in
            guard let environment = finding.host.environment.address else { return selection.only.isEmpty }
            return isSelected(environment, selection, made)
        }
    }

    fileprivate func isSelected(_ address: Address, _ selection: SelectionOptions, _ made: MadePlan) -> Bool {
        let only = (try? addresses(selection.only, made.linked, made.snapshot)) ?? []
        let except = (try? addresses(selection.except, made.linked, made.snapshot)) ?? []
        if except.contains(address) { return false }
        if only.isEmpty || only.contains(address) { return true }
        // A foreign member of a set belongs to its parent: it is named after it.
        return only.contains { address.stack == $0.stack && address.name.hasPrefix("\($0.name)/") }
    }
}
