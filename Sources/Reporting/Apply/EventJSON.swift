package import MusterModel

/// Events of an apply as JSON Lines, for `--events`: each line is an object with `event` and `at`.
package enum EventJSON {
    package static let formatVersion = 1

    /// One line, ended by a line break.
    ///
    /// - Parameter seconds: since the apply started; kept to the millisecond.
    package static func line(_ event: ApplyEvent, at seconds: Double) -> String {
        var members = members(of: event)
        members["at"] = number(seconds)
        return ValueJSON.plainText(.object(members)) + "\n"
    }

    private static func members(of event: ApplyEvent) -> [String: Value?] {
        switch event {
        case .started(let count):
            return ["event": "started", "format_version": .integer(formatVersion), "steps": .integer(count)]
        case .stepStarted(let step): return about(step, "step-started")
        case .stepWaiting(let step, let status, let seconds):
            return about(step, "step-waiting", seconds, ["status": .string(status)])
        case .stepRetrying(let step, let why, let seconds):
            return about(step, "step-retrying", seconds, ["why": .string(why)])
        case .stepFinished(let step, let id, let seconds):
            return about(step, "step-finished", seconds, ["id": id.map { .string($0.rawValue) }])
        case .stepFailed(let step, let failure, let seconds):
            return about(step, "step-failed", seconds, ["failure": failure.reportValue])
        case .stepSkipped(let step, let cause):
            return about(step, "step-skipped", nil, ["because": .string(cause.description)])
        case .interrupted(let inFlight):
            return ["event": "interrupted", "in_flight": .strings(inFlight.map(\.description))]
        }
    }

    private static func about(
        _ step: Step, _ event: String, _ seconds: Double? = nil, _ more: [String: Value?] = [:]
    ) -> [String: Value?] {
        step.address.reportMembers.merging([
            "event": .string(event), "step": .integer(step.id), "operation": .string(step.operation.rawValue),
            "seconds": seconds.map(number),
        ]) { _, new in new }.merging(more) { _, new in new }
    }

    private static func number(_ seconds: Double) -> Value {
        .number(seconds.isFinite ? (seconds * 1000).rounded() / 1000 : 0)
    }
}

extension StepFailure {
    fileprivate var reportValue: Value {
        .object([
            "kind": .string(kind.rawValue), "summary": .string(summary), "detail": .string(detail),
            "hint": hint.map { .string($0) }, "code": code.map { .string($0) },
            "request_id": requestID.map { .string($0) },
        ])
    }
}
