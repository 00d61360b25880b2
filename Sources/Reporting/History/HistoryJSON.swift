import MusterModel

/// The history as `--format json` prints it; each is one line, ended by a line break.
package enum HistoryJSON {
    package static let formatVersion = 1
    static let listKind = "muster-history"
    static let showKind = "muster-history-run"

    package static func list(_ runs: [HistoryRun]) -> String {
        ValueJSON.plainText([
            "format_version": .integer(formatVersion), "kind": .string(listKind),
            "runs": .list(
                runs.map { .object($0.members.merging(["died_in": .list($0.lastSteps.map(\.reportValue))]) { $1 }) }),
        ]) + "\n"
    }

    package static func show(_ run: HistoryRun) -> String {
        ValueJSON.plainText([
            "format_version": .integer(formatVersion), "kind": .string(showKind),
            "run": .object(run.members.merging(["steps": .list(run.steps.map(\.reportValue))]) { $1 }),
        ]) + "\n"
    }
}

extension HistoryRun {
    fileprivate var members: [String: Value?] {
        [
            "id": .integer(id), "command": .string(command), "who": .string(who), "host": .string(host),
            "pid": .integer(pid), "commit": commit.map(Value.string) ?? .null, "plan": .string(plan),
            "started": .string(started), "ended": ended.map(Value.string) ?? .null,
            "seconds": seconds.map(Value.number) ?? .null, "outcome": .string(outcome.rawValue),
            "step_count": .integer(stepCount),
            "steps_by_outcome": .map(
                Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, .integer($0.value)) })),
        ]
    }
}

extension HistoryStep {
    var reportValue: Value {
        .object(
            address.reportMembers.merging([
                "run": .integer(run), "step": .integer(number), "operation": .string(operation.rawValue),
                "outcome": .string(outcome.rawValue), "detail": detail.map(Value.string) ?? .null,
                "request_ids": .strings(requestIDs), "started": .string(started),
                "ended": ended.map(Value.string) ?? .null, "seconds": seconds.map(Value.number) ?? .null,
                "open": .bool(isOpen),
            ]) { _, new in new })
    }
}
