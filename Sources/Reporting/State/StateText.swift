import Diagnostics
package import MusterModel

/// The state as `muster state list` and `muster state show` print it.
package enum StateText {
    /// A line for each row: address and id, aligned; deposed predecessors after their successor.
    ///
    /// - Parameter isIncluded: which addresses to show.
    package static func list(
        _ snapshot: Snapshot, options: TextOptions = TextOptions(), where isIncluded: (Address) -> Bool = { _ in true }
    ) -> String {
        var page = TextPage(options)
        let rows = snapshot.rows(where: isIncluded)
        let width = min(rows.map { $0.record.address.description.cellCount }.max() ?? 0, 80)
        for row in rows {
            let id = ValueText.inline(.string(row.record.id.rawValue), isWhole: true)
            var remarks: [String] = []
            if row.isDeposed { remarks.append("deposed: to be deleted") }
            if row.record.isIncomplete { remarks.append("incomplete") }
            let remark = remarks.isEmpty ? "" : page.paint("  (\(remarks.joined(separator: ", ")))", .changed)
            page.line("\(row.record.address.description.padded(to: width))  \(id)\(remark)")
        }
        return page.text
    }

    /// All that is known about one resource.
    ///
    /// - Parameter history: the steps that were about it, the latest first.
    package static func show(
        _ record: ResourceRecord, deposed: [ResourceRecord] = [], history: [HistoryEntry] = [],
        options: TextOptions = TextOptions()
    ) -> String {
        var page = TextPage(options)
        page.line(page.paint(record.address.description, .strong))
        facts(record, to: &page)
        members("arguments", record.shownArguments, to: &page)
        members("outputs", record.outputs.mapValues { $0 as Value? }, to: &page)
        if !record.dependencies.isEmpty {
            page.line("  depends on")
            for dependency in record.dependencies.sorted() { page.line("    \(dependency)") }
        }
        if !history.isEmpty {
            page.line("  history")
            for entry in history { page.line("    \(HistoryText.line(entry.step, by: entry.run))") }
        }
        for predecessor in deposed.sorted(by: { $0.generation < $1.generation }) {
            page.section("deposed predecessor, to be deleted:")
            facts(predecessor, to: &page)
        }
        return page.text
    }

    private static func facts(_ record: ResourceRecord, to page: inout TextPage) {
        let scope = record.scope
        let place = [scope.provider, scope.account, scope.region].filter { !$0.isEmpty }.joined(separator: " ")
        let endpoint = scope.endpoint == scope.provider ? "" : " at \(scope.endpoint)"
        var facts = [
            ("id", ValueText.inline(.string(record.id.rawValue), isWhole: true)),
            ("scope", DisplayText.neutralised(place + endpoint)),
            ("protection", record.isProtected ? "prevent_destroy" : "none"),
            ("version", String(record.version)),
        ]
        if record.generation != 1 { facts.append(("generation", String(record.generation))) }
        if record.isIncomplete { facts.append(("incomplete", "its creation is not finished; the next apply ends it")) }
        for (name, fact) in facts { page.line("  \(name.padded(to: 10))  \(fact)") }
    }

    /// - Parameter values: nil stands for a value that must not be shown.
    private static func members(_ title: String, _ values: [String: Value?], to page: inout TextPage) {
        if values.isEmpty { return }
        page.line("  \(title)")
        let width = min(values.keys.map { $0.cellCount + 1 }.max() ?? 0, 36)
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            let start = "\(DisplayText.neutralised(name)):"
            if let value, let text = ValueText.text(value), text.utf8.contains(UInt8(ascii: "\n")) {
                page.line("    \(start)")
                for line in LineDiff.split(text) { page.line("      \(DisplayText.neutralised(line))") }
            } else {
                let shown = value.map { ValueText.inline($0, isWhole: true) } ?? ValueText.sensitive
                page.line("    \(start.padded(to: width)) \(shown)")
            }
        }
    }
}

extension ResourceRecord {
    /// The arguments as they may be shown: one that has a digest is a secret, or is computed from one, and is nil unless
    /// it is kept as an expression, which only names the secret.
    var shownArguments: [String: Value?] {
        var shown: [String: Value?] = arguments.mapValues { $0 }
        for name in digests.keys {
            guard let value = arguments[name] else {
                shown[name] = .some(nil)
                continue
            }
            if !value.isTainted { shown[name] = .some(nil) }
        }
        return shown
    }
}

extension Snapshot {
    struct Row {
        let record: ResourceRecord
        let isDeposed: Bool
    }

    /// By address; deposed predecessors follow, the oldest first.
    func rows(where isIncluded: (Address) -> Bool) -> [Row] {
        Set(records.keys).union(deposed.keys).filter(isIncluded).sorted().flatMap { address in
            (records[address].map { [Row(record: $0, isDeposed: false)] } ?? [])
                + (deposed[address] ?? []).sorted { ($0.generation, $0.id) < ($1.generation, $1.id) }
                .map { Row(record: $0, isDeposed: true) }
        }
    }
}
