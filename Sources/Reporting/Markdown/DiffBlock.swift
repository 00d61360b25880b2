import MusterModel

/// A change as lines of a `diff` block, whose first column colours them.
enum DiffBlock {
    /// Cells in a line.
    private static let width = 100

    static func lines(for change: ResourceChange, drift: Drift?, isDetailed: Bool) -> String {
        let sign = sign(of: change.action)
        var head = "\(change.action.symbol.padded(to: 3)) \(change.address)"
        if let id = change.id, id.rawValue != change.address.name {
            head += "  \(ValueText.inline(.string(id.rawValue)))"
        }
        let remarks = [CauseText.verb(for: change), CauseText.phrase(for: change)].compactMap { $0 }
        if !remarks.isEmpty { head += "  (\(remarks.joined(separator: "; ")))" }
        if let place = change.place { head += "  \(place.short)" }
        var text = line(sign, head)
        guard isDetailed else { return text }
        let detail = ChangeDetail(change, drift: drift, width: width)
        if let inline = detail.inlineArguments, !inline.isEmpty { text += line(sign, "      \(inline)") }
        for item in detail.lines { text += self.line(item, isNew: change.action == .create) }
        return text
    }

    static func lines(for drift: Drift) -> String {
        var head = "\(drift.kind.symbol) \(drift.address)"
        if let id = drift.id, id.rawValue != drift.address.name {
            head += "  \(ValueText.inline(.string(id.rawValue)))"
        }
        if let remark = drift.kind.remark { head += "  (\(remark))" }
        if let place = drift.place { head += "  \(place.short)" }
        let sign =
            switch drift.kind {
            case .changed: "!"
            case .gone: "-"
            case .foreign: "+"
            }
        var text = line(sign, head)
        for item in DriftText.details(of: drift, width: width) {
            text += line(item, isNew: drift.kind == .foreign)
        }
        return text
    }

    /// What a diff block colours green, red or orange.
    private static func sign(of action: Action) -> String {
        switch action {
        case .create: "+"
        case .delete: "-"
        case .update, .replaceCreateFirst, .replaceDeleteFirst: "!"
        case .adopt, .move, .forget, .read: " "
        }
    }

    private static func line(_ item: DetailLine, isNew: Bool) -> String {
        let margin = String(repeating: " ", count: 6 + 2 * item.depth)
        var text = item.text
        if item.forcesReplacement { text += "  # forces replacement" }
        if let place = item.place { text += "  \(place)" }
        switch item.role {
        case .mark(.changed): return line("!", margin + text)
        case .mark(let mark): return line(mark.rawValue, margin + text)
        case .plain: return line(isNew ? "+" : " ", margin + text)
        case .remark: return line("#", margin + text)
        }
    }

    private static func line(_ sign: String, _ text: String) -> String { "\(sign) \(text)\n" }
}
