package import MusterModel

/// Drift as `drift --format json` prints it.
package enum DriftJSON {
    package static let formatVersion = 1
    static let kind = "muster-drift"

    /// One line, ended by a line break. Secrets in values are holes: `‹secret:name›`.
    package static func encode(_ drift: [Drift], checkedCount: Int) -> String {
        func count(_ kind: Drift.Kind) -> Value { .integer(drift.lazy.filter { $0.kind == kind }.count) }
        let members = DriftText.grouped(drift).flatMap(\.members)
        return ValueJSON.plainText([
            "format_version": .integer(formatVersion), "kind": .string(kind),
            "summary": [
                "changed": count(.changed), "gone": count(.gone), "foreign": count(.foreign),
                "checked": .integer(checkedCount),
            ],
            "drift": .list(members.map { $0.withoutHiddenValues.reportValue(keepsDeferred: false) }),
        ]) + "\n"
    }
}
