package import MusterModel

/// A run as the history tells it. Times are ISO 8601 in UTC: reading the clock and the calendar is not done here.
package struct HistoryRun: Sendable, Hashable {
    package enum Outcome: String, Sendable, Hashable, CaseIterable {
        case running, done, failed, interrupted, refused, died
    }

    package var id: Int
    /// The words that started it, without values; empty when an older muster wrote it.
    package var command: String
    package var who: String
    package var host: String
    package var pid: Int
    package var commit: String?
    package var plan: String
    package var started: String
    package var ended: String?
    package var seconds: Double?
    package var outcome: Outcome
    /// Of its plan; 0 when an older muster wrote it.
    package var stepCount: Int
    package var counts: [HistoryStep.Outcome: Int]
    /// Those that it began: all of them, or those that it was in the middle of when it died.
    package var steps: [HistoryStep]

    package init(
        id: Int, command: String, who: String, host: String, pid: Int, commit: String?, plan: String, started: String,
        ended: String?, seconds: Double?, outcome: Outcome, stepCount: Int, counts: [HistoryStep.Outcome: Int],
        steps: [HistoryStep]
    ) {
        self.id = id
        self.command = command
        self.who = who
        self.host = host
        self.pid = pid
        self.commit = commit
        self.plan = plan
        self.started = started
        self.ended = ended
        self.seconds = seconds
        self.outcome = outcome
        self.stepCount = stepCount
        self.counts = counts
        self.steps = steps
    }
}

package struct HistoryStep: Sendable, Hashable {
    package enum Outcome: String, Sendable, Hashable, CaseIterable {
        case running, done, failed, skipped, interrupted
        /// The run died in it; a later one found out what had happened.
        case settled
    }

    package var run: Int
    /// The number of the step in its plan.
    package var number: Int
    package var address: Address
    package var operation: Step.Operation
    package var outcome: Outcome
    package var detail: String?
    /// Of the calls that changed something.
    package var requestIDs: [String]
    package var started: String
    package var ended: String?
    package var seconds: Double?
    /// Its call may have had an effect, and nobody has looked yet.
    package var isOpen: Bool

    package init(
        run: Int, number: Int, address: Address, operation: Step.Operation, outcome: Outcome, detail: String?,
        requestIDs: [String], started: String, ended: String?, seconds: Double?, isOpen: Bool
    ) {
        self.run = run
        self.number = number
        self.address = address
        self.operation = operation
        self.outcome = outcome
        self.detail = detail
        self.requestIDs = requestIDs
        self.started = started
        self.ended = ended
        self.seconds = seconds
        self.isOpen = isOpen
    }
}

extension HistoryRun {
    /// The steps in which the run died.
    var lastSteps: [HistoryStep] {
        outcome == .died ? steps.filter { $0.outcome == .running || $0.outcome == .settled } : []
    }
}

/// A step that was about some resource, with its run.
package struct HistoryEntry: Sendable, Hashable {
    package var run: HistoryRun
    package var step: HistoryStep

    package init(run: HistoryRun, step: HistoryStep) {
        self.run = run
        self.step = step
    }
}
