import ArgumentParser
import Diagnostics
import MusterModel
import ResourceGraph
import SpecLoading
import StateStorage

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check the workspace, the state and the credentials.",
        discussion: "Says what is wrong and what would put it right. Nothing is changed.")

    @OptionGroup var scope: ScopeOptions

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            var visit = DoctorVisit(console: console, workbench: try Workbench.make(console, scope))
            await visit.run()
            return visit.isHealthy ? .success : .failure
        }
    }
}

private struct DoctorVisit {
    let console: Console
    let workbench: Workbench
    var isHealthy = true

    mutating func run() async {
        let workspace: LoadedWorkspace
        do throws(CommandFailure) {
            workspace = try workbench.load()
            good("workspace", "\(workspace.name), \(workspace.stacks.count) stacks, \(workspace.path)")
        } catch {
            bad("workspace", error)
            return
        }
        let analysis = workbench.analyse(workspace, lookups: nil)
        let errors = analysis.diagnostics.filter { $0.severity == .error }
        if errors.isEmpty {
            good("specs", "\(analysis.linked?.spec.declarations.count ?? 0) resources")
        } else {
            bad("specs", CommandFailure(.failure, errors))
        }
        await lookAtState(workspace)
        do throws(CommandFailure) {
            let lock = try LookupLock.read(workbench.lockPath(workspace))
            good("lock", "\(lock.path), \(lock.entries.values.reduce(0) { $0 + $1.count }) pinned answers")
        } catch {
            bad("lock", error)
        }
        let key = DigestKey.path(console.environment)
        good("digest key", LocalFile.exists(key) ? key : "none yet; it is made with the first secret, in \(key)")
        await lookAtCredentials(workspace)
    }

    private mutating func lookAtState(_ workspace: LoadedWorkspace) async {
        let path = workbench.statePath(workspace)
        guard LocalFile.exists(path) else {
            good("state", "none yet; the first apply makes \(path)")
            return
        }
        do throws(StateError) {
            let storage = try workbench.stateForReading(workspace)
            let snapshot = try await storage.snapshot()
            let findings = try await storage.check()
            let intents = try await storage.openIntents()
            let leases = try await storage.leases()
            good("state", "\(path), \(snapshot.records.count) resources")
            for intent in intents {
                note(
                    "state",
                    "an earlier run died while it would \(intent.operation.rawValue) \(intent.address); the next apply settles it"
                )
            }
            for lease in leases {
                note(
                    "state", "the stack \(lease.stack.quoted) is leased by \(lease.holder.who) on \(lease.holder.host)")
            }
            for finding in findings {
                switch finding.severity {
                case .damage:
                    isHealthy = false
                    console.write("✗ state: \(finding.summary): \(finding.detail)\n")
                case .pending, .notice: note("state", "\(finding.summary): \(finding.detail)")
                }
                if let hint = finding.hint { console.write("  → \(hint)\n") }
            }
        } catch {
            bad("state", CommandFailure(error))
        }
    }

    private mutating func lookAtCredentials(_ workspace: LoadedWorkspace) async {
        do throws(CommandFailure) {
            let scopes = try await workbench.scopes(workspace, stacks: workspace.stacks)
            let places = Set(scopes.values.map { "account \($0.account), \($0.region), endpoint \($0.endpoint)" })
            for place in places.sorted() { good("credentials", place) }
            let state = try await workbench.readState(workspace)
            try workbench.checkBindings(state.bindings, scopes, workspace)
        } catch {
            bad("credentials", error)
        }
    }

    private func good(_ what: String, _ text: String) { console.write("✓ \(what): \(text)\n") }
    private func note(_ what: String, _ text: String) { console.write("! \(what): \(text)\n") }

    private mutating func bad(_ what: String, _ failure: CommandFailure) {
        isHealthy = false
        console.write("✗ \(what):\n")
        let renderer = DiagnosticRenderer(isColoured: console.isColoured(console.isOutputTerminal))
        console.write(renderer.render(failure.diagnostics))
    }
}
