// Removes phantoms, one after another, under the leases of their stacks and with a line in the history for each.
//
// There are no intents: each call follows from what the server says of the host just before it, so whoever comes next
// after a crash sees how far it came.

import Applying
import Diagnostics
import FoundationEssentials
import MusterModel
import ProviderKit
import RancherProvider
import Reporting
import SpecLoading
import StateStorage

extension Workbench {
    func reap(
        _ phantoms: [HostFinding], _ workspace: LoadedWorkspace, command: String
    ) async throws(CommandFailure) -> ExitStatus {
        let rancher = try rancher
        let signals = SignalWatch()
        defer { signals.stop() }
        do throws(StateError) {
            let storage = try stateForWriting(workspace)
            let journal = try await ReapJournal.open(
                storage, identity(workspace, command: command), phantoms, timing.lease)
            let reaper = HostReaper(console: console, rancher: rancher, journal: journal)
            let (ends, broken) = await journal.keepingLeases(interruptedBy: signals.interruptions) {
                await reaper.remove(phantoms)
            }
            try await journal.close(ends)
            try await storage.close()
            if let broken { throw broken }
            console.write(ReapText.summary(ends))
            if ends.contains(where: \.isInterrupted) { return signals.status }
            return ends.contains(where: \.isFailure) ? .failure : .success
        } catch {
            throw CommandFailure(error)
        }
    }
}

/// What became of one phantom.
enum ReapEnd: Sendable {
    case ended(HostRemovalEnd)
    case failed(ProviderError)

    var isInterrupted: Bool { if case .ended(.interrupted) = self { true } else { false } }
    var isFailure: Bool {
        switch self {
        case .failed, .ended(.timedOut): true
        case .ended: false
        }
    }

    /// In words, for people and the history.
    var text: String {
        switch self {
        case .ended(.removed): "removed"
        case .ended(.leftAlone(let why)): "left alone: \(why)"
        case .ended(.timedOut(let phase, let state)):
            "not removed: \(phase.rawValue) took too long, and the host is \"\(state)\""
        case .ended(.interrupted): "interrupted"
        case .failed(let error): "not removed: \(error.message)"
        }
    }

    var outcome: StepResult.Outcome {
        switch self {
        case .ended(.removed): .done
        case .ended(.leftAlone): .skipped
        case .ended(.interrupted): .interrupted
        case .ended(.timedOut), .failed: .failed
        }
    }
}

private enum ReapText {
    /// `2 hosts removed, 1 left alone, 1 failed.`
    static func summary(_ ends: [ReapEnd]) -> String {
        func count(_ outcome: StepResult.Outcome) -> Int { ends.count { $0.outcome == outcome } }
        let removed = count(.done)
        var parts = ["\(removed) \(removed == 1 ? "host" : "hosts") removed"]
        for (outcome, word) in [
            (StepResult.Outcome.skipped, "left alone"), (.failed, "failed"), (.interrupted, "not done"),
        ] where count(outcome) > 0 { parts.append("\(count(outcome)) \(word)") }
        return parts.joined(separator: ", ") + ".\n"
    }
}

private struct HostReaper: Sendable {
    let console: Console
    let rancher: RancherProvider
    let journal: ReapJournal

    func remove(_ phantoms: [HostFinding]) async -> [ReapEnd] {
        var ends: [ReapEnd] = []
        for (number, finding) in phantoms.enumerated() {
            let end = await remove(finding, number)
            console.talk("\(HostText.title(finding)): \(end.text)\n")
            ends.append(end)
            await journal.note(end, number)
        }
        return ends
    }

    private func remove(_ finding: HostFinding, _ number: Int) async -> ReapEnd {
        let start = ContinuousClock.now
        let title = HostText.title(finding)
        let journal = journal
        let console = console
        let context = RancherProvider.RemovalContext(
            pause: .milliseconds(500), elapsed: { ContinuousClock.now - start },
            sleep: { try? await Task.sleep(for: $0) }, mayGoOn: { await journal.mayGoOn },
            tell: { phase in console.talk("\(title): \(phase.rawValue)\n") })
        do throws(ProviderError) {
            return .ended(try await rancher.remove(finding.host, context))
        } catch {
            return .failed(error)
        }
    }
}

/// The run of a reaping in the state: leases, and a step for each host.
private actor ReapJournal {
    private let storage: SQLiteStateStorage
    private let run: Int64
    private let fence: Fence
    private let duration: Duration
    private let steps: [Step]
    private var isStopped = false
    private var failure: StateError?

    private init(
        _ storage: SQLiteStateStorage, run: Int64, _ fence: Fence, _ duration: Duration, _ steps: [Step]
    ) {
        self.storage = storage
        self.run = run
        self.fence = fence
        self.duration = duration
        self.steps = steps
    }

    static func open(
        _ storage: SQLiteStateStorage, _ identity: RunIdentity, _ phantoms: [HostFinding], _ duration: Duration
    ) async throws(StateError) -> ReapJournal {
        let holder = LeaseHolder(
            token: RandomToken.make(), who: identity.who, host: identity.host, pid: identity.pid,
            process: identity.process)
        let stacks = Set(phantoms.compactMap(\.host.environment.stack))
        let fence = try await storage.acquireLeases(
            Dictionary(stacks.map { ($0, LeaseMode.exclusive) }, uniquingKeysWith: { first, _ in first }),
            holder: holder, duration: duration, isDead: ProcessIdentity.isDead)
        let steps = phantoms.enumerated().map { number, finding in ReapJournal.step(number, finding.host) }
        let run = try await storage.beginRun(
            RunStart(
                plan: "", who: identity.who, host: identity.host, pid: identity.pid, gitCommit: identity.gitCommit,
                holder: holder.token, command: identity.command, stepCount: steps.count))
        for step in steps { try await storage.record(StepResult(.running), run: run, step: step) }
        return ReapJournal(storage, run: run, fence, duration, steps)
    }

    private static func step(_ number: Int, _ host: RancherHost) -> Step {
        let environment = host.environment
        return Step(
            id: number,
            address: Address(
                stack: environment.stack ?? environment.name, type: "rancher.host",
                name: "\(environment.name)/\(host.id)"),
            operation: .delete, target: RemoteID(host.id),
            scope: ProviderScope(
                provider: RancherProvider.providerName, account: "", region: "", endpoint: environment.server))
    }

    /// False once somebody wants to stop, or the leases may be another's.
    var mayGoOn: Bool { !isStopped }

    func note(_ end: ReapEnd, _ number: Int) async {
        do throws(StateError) {
            try await storage.record(StepResult(end.outcome, detail: end.text), run: run, step: steps[number])
        } catch {
            failure = failure ?? error
            isStopped = true
        }
    }

    private func stop() { isStopped = true }

    private func renew() async {
        do throws(StateError) {
            try await storage.renewLeases(fence, duration: duration)
        } catch {
            // Anything else may pass until the next time.
            guard case .leaseLost = error.kind else { return }
            failure = failure ?? error
            isStopped = true
        }
    }

    /// Runs a body with a heartbeat; the first interruption lets the call that runs end, and sends none after it.
    nonisolated func keepingLeases(
        interruptedBy interruptions: AsyncStream<Void>, _ body: @escaping @Sendable () async -> [ReapEnd]
    ) async -> (ends: [ReapEnd], broken: StateError?) {
        let duration = duration
        let ends = await withTaskGroup(of: Void.self, returning: [ReapEnd].self) { tasks in
            tasks.addTask {
                for await _ in interruptions {
                    await self.stop()
                    break
                }
            }
            tasks.addTask {
                while !Task.isCancelled {
                    try? await Task.sleep(for: duration / 3)
                    if !Task.isCancelled { await self.renew() }
                }
            }
            let ends = await body()
            tasks.cancelAll()
            return ends
        }
        return (ends, await failure)
    }

    func close(_ ends: [ReapEnd]) async throws(StateError) {
        let outcome: RunOutcome =
            ends.contains(where: \.isInterrupted)
            ? .interrupted : ends.contains(where: \.isFailure) || failure != nil ? .failed : .done
        try await storage.endRun(run, outcome: outcome)
        // A lease that is not given back ends by itself.
        _ = try? await storage.releaseLeases(fence)
    }
}
