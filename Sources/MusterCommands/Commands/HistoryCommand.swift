import ArgumentParser
import Diagnostics
import FoundationEssentials
import MusterModel
import Reporting
import SpecLoading
import StateStorage

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show who applied what, when and with which end.",
        discussion: """
            Without a number, the latest runs; with one, its steps and the ids of its requests. A run that died says \
            where. Nothing is sent.
            """)

    @OptionGroup var scope: ScopeOptions
    @Argument(help: "The number of a run.") var run: Int?
    @Option(name: .long, help: "How many runs to list.") var limit = 20
    @Option(name: .long, help: "How to show it.") var format: StateCommand.Format = .text

    func validate() throws {
        if !(1...100_000).contains(limit) { throw ValidationError("--limit wants a number from 1 to 100000.") }
    }

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let workbench = try Workbench.make(console, scope)
            let workspace = try workbench.loadForState()
            let isJSON = format == .json
            if let run {
                let found = try await workbench.history(of: run, workspace)
                console.write(
                    isJSON ? HistoryJSON.show(found) : HistoryText.show(found, options: workbench.textOptions))
            } else {
                let runs = try await workbench.history(limit: limit, workspace)
                console.write(
                    isJSON ? HistoryJSON.list(runs) : HistoryText.list(runs, options: workbench.textOptions))
            }
            return .success
        }
    }
}

extension Workbench {
    /// The latest runs; of those that died, the steps in which they died.
    func history(limit: Int, _ workspace: LoadedWorkspace) async throws(CommandFailure) -> [HistoryRun] {
        do throws(StateError) {
            let history = try await History(stateForReading(workspace))
            let records = try await history.storage.runs(limit: limit)
            let counts = try await history.storage.stepCounts(ofRuns: records.map(\.id))
            var runs: [HistoryRun] = []
            for record in records {
                let hasDied = history.outcome(of: record) == .died
                let steps = hasDied ? try await history.storage.steps(ofRun: record.id) : []
                runs.append(history.run(record, steps, counts[record.id] ?? [:]))
            }
            return runs
        } catch {
            throw CommandFailure(error)
        }
    }

    func history(of id: Int, _ workspace: LoadedWorkspace) async throws(CommandFailure) -> HistoryRun {
        do throws(StateError) {
            let history = try await History(stateForReading(workspace))
            if let record = try await history.storage.run(Int64(id)) {
                let steps = try await history.storage.steps(ofRun: record.id)
                let counts = try await history.storage.stepCounts(ofRuns: [record.id])
                return history.run(record, steps, counts[record.id] ?? [:])
            }
        } catch {
            throw CommandFailure(error)
        }
        throw CommandFailure(
            code: "history.unknown-run", summary: "Unknown run", detail: "The state knows no run \(id).",
            hint: "\"muster history\" lists them.")
    }

    /// The latest steps that were about a resource.
    func history(of address: Address, _ workspace: LoadedWorkspace) async throws(CommandFailure) -> [HistoryEntry] {
        do throws(StateError) {
            let history = try await History(stateForReading(workspace))
            var entries: [HistoryEntry] = []
            for step in try await history.storage.steps(of: address, limit: 5) {
                guard let record = try await history.storage.run(step.run) else { continue }
                entries.append(HistoryEntry(run: history.run(record, [], [:]), step: history.step(step)))
            }
            return entries
        } catch {
            throw CommandFailure(error)
        }
    }
}

/// Turns the records of the state into what reports show: with times as texts, and knowing who is alive.
private struct History {
    let storage: SQLiteStateStorage
    private let alive: Set<String>
    private let open: Set<StepKey>

    private struct StepKey: Hashable {
        var run: Int64
        var step: Int
    }

    init(_ storage: SQLiteStateStorage) async throws(StateError) {
        self.storage = storage
        alive = Set(
            try await storage.leases().filter { !$0.isOver && !ProcessIdentity.isDead($0.holder) }
                .map(\.holder.token))
        open = Set(try await storage.openIntents().map { StepKey(run: $0.run, step: $0.step) })
    }

    /// A run that has not ended and holds no lease any more is dead, whether or not another has noticed.
    func outcome(of record: RunRecord) -> HistoryRun.Outcome {
        switch record.outcome {
        case .running: alive.contains(record.start.holder) ? .running : .died
        case .done: .done
        case .failed: .failed
        case .interrupted: .interrupted
        case .refused: .refused
        case .died: .died
        }
    }

    func run(
        _ record: RunRecord, _ steps: [RunStepRecord], _ counts: [StepResult.Outcome: Int]
    ) -> HistoryRun {
        HistoryRun(
            id: Int(record.id), command: record.start.command, who: record.start.who, host: record.start.host,
            pid: Int(record.start.pid), commit: record.start.gitCommit, plan: record.start.plan,
            started: text(record.started), ended: record.ended.map(text),
            seconds: record.ended.map { $0.timeIntervalSince(record.started) }, outcome: outcome(of: record),
            stepCount: record.start.stepCount,
            counts: Dictionary(
                counts.map { (outcome($0.key), $0.value) }, uniquingKeysWith: { $0 + $1 }),
            steps: steps.map(step))
    }

    func step(_ record: RunStepRecord) -> HistoryStep {
        HistoryStep(
            run: Int(record.run), number: record.step, address: record.address, operation: record.operation,
            outcome: outcome(record.result.outcome), detail: record.result.detail,
            requestIDs: record.result.requestIDs, started: text(record.started), ended: record.ended.map(text),
            seconds: record.ended.map { $0.timeIntervalSince(record.started) },
            isOpen: open.contains(StepKey(run: record.run, step: record.step)))
    }

    private func outcome(_ outcome: StepResult.Outcome) -> HistoryStep.Outcome {
        switch outcome {
        case .running: .running
        case .done: .done
        case .failed: .failed
        case .skipped: .skipped
        case .interrupted: .interrupted
        case .settled: .settled
        }
    }

    private func text(_ date: Date) -> String { date.formatted(.iso8601) }
}
