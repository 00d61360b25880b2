package import MusterModel

/// The state as `state list` and `state show` print it with `--format json`; each is one line, ended by a line break.
package enum StateJSON {
    package static let formatVersion = 1
    static let listKind = "muster-state-list"
    static let showKind = "muster-state-resource"

    /// - Parameter isIncluded: which addresses to tell.
    package static func list(
        _ snapshot: Snapshot, where isIncluded: (Address) -> Bool = { _ in true }
    ) -> String {
        let rows = snapshot.rows(where: isIncluded).map { row in
            Value.object(row.record.rowMembers.merging(["deposed": .bool(row.isDeposed)]) { _, new in new })
        }
        return ValueJSON.plainText([
            "format_version": .integer(formatVersion), "kind": .string(listKind),
            "lineage": .string(snapshot.lineage), "resources": .list(rows),
        ]) + "\n"
    }

    /// Secrets in values are holes: `‹secret:name›`. A value that must not be shown is null, and its name is in
    /// `sensitive`.
    package static func show(
        _ record: ResourceRecord, deposed: [ResourceRecord] = [], history: [HistoryEntry] = []
    ) -> String {
        let arguments = record.shownArguments
        let resource = record.rowMembers.merging([
            "arguments": .map(arguments.mapValues { $0?.withHoles ?? .null }),
            "sensitive": .strings(arguments.filter { $0.value == nil }.keys.sorted()),
            "outputs": .map(record.outputs.mapValues(\.withHoles)),
            "dependencies": .strings(record.dependencies.sorted().map(\.description)),
            "deposed": .list(
                deposed.sorted { ($0.generation, $0.id) < ($1.generation, $1.id) }.map { .object($0.rowMembers) }),
            "history": .list(
                history.map { entry in
                    .object([
                        "run": .integer(entry.run.id), "at": .string(entry.step.started),
                        "operation": .string(entry.step.operation.rawValue),
                        "outcome": .string(entry.step.outcome.rawValue), "who": .string(entry.run.who),
                        "host": .string(entry.run.host), "command": .string(entry.run.command),
                    ])
                }),
        ]) { _, new in new }
        return ValueJSON.plainText([
            "format_version": .integer(formatVersion), "kind": .string(showKind), "resource": .object(resource),
        ]) + "\n"
    }
}

extension ResourceRecord {
    fileprivate var rowMembers: [String: Value?] {
        address.reportMembers.merging([
            "id": .string(id.rawValue), "scope": scope.reportValue, "protected": .bool(isProtected),
            "version": .integer(version), "generation": .integer(generation), "incomplete": .bool(isIncomplete),
        ]) { _, new in new }
    }
}
