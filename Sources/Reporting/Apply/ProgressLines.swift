import Diagnostics
package import MusterModel

/// Progress of an apply as lines, for a pipe or a log.
///
/// Every step has a line when it starts and one when it ends. Between them it has one at most every `interval`, and none
/// before it has run that long: a log of an hour stays readable.
package struct ProgressLines: Sendable {
    private let palette: Palette
    private let interval: Double
    /// Of each running step that has been reported on: at how many of its seconds.
    private var lastReport: [Int: Double] = [:]

    /// - Parameter interval: seconds between two lines about the same waiting step.
    package init(palette: Palette = .plain, interval: Double = 10) {
        self.palette = palette
        self.interval = interval
    }

    /// The lines to print for an event, without line breaks; often none.
    package mutating func lines(for event: ApplyEvent) -> [String] {
        switch event {
        case .started(let count): return ["Applying \(counted(count, "step"))."]
        case .stepStarted(let step): return ["\(step.address): \(StepText.doing(step.operation))…"]
        case .stepWaiting(let step, let status, let seconds):
            guard isDue(step, at: seconds) else { return [] }
            let status = status.isEmpty ? "" : "\(DisplayText.neutralised(status)), "
            return ["\(step.address): still \(StepText.doing(step.operation)) (\(status)\(StepText.duration(seconds)))"]
        case .stepRetrying(let step, let why, let seconds):
            guard isDue(step, at: seconds) else { return [] }
            let why = DisplayText.neutralised(why)
            return [
                "\(step.address): retrying to \(StepText.verb(step.operation)) (\(why), \(StepText.duration(seconds)))"
            ]
        case .stepFinished(let step, let id, let seconds):
            lastReport[step.id] = nil
            return [finished(step, id, seconds)]
        case .stepFailed(let step, let failure, let seconds):
            lastReport[step.id] = nil
            return failed(step, failure, seconds)
        case .stepSkipped(let step, let cause):
            return ["\(step.address): skipped because \(cause) failed"]
        case .interrupted(let inFlight):
            return inFlight.isEmpty
                ? ["Interrupted: nothing new is started."]
                : ["Interrupted: nothing new is started; finishing \(counted(inFlight.count, "running step"))."]
        }
    }

    private mutating func isDue(_ step: Step, at seconds: Double) -> Bool {
        guard seconds - lastReport[step.id, default: 0] >= interval else { return false }
        lastReport[step.id] = seconds
        return true
    }

    func finished(_ step: Step, _ id: RemoteID?, _ seconds: Double) -> String {
        let done = palette(StepText.done(step.operation), StepText.style(step.operation))
        let object = id.map { " \(ValueText.inline(.string($0.rawValue)))" } ?? ""
        return "\(step.address): \(done)\(object) (\(StepText.duration(seconds)))"
    }

    func failed(_ step: Step, _ failure: StepFailure, _ seconds: Double) -> [String] {
        let (summary, details) = StepText.lines(of: failure)
        let verdict = palette("failed to \(StepText.verb(step.operation))", .danger)
        return ["\(step.address): \(verdict) (\(StepText.duration(seconds))): \(summary)"] + details.map { "    \($0)" }
    }
}
