import Diagnostics
import MusterModel

/// A line below a change, not yet coloured: the same for a terminal and for a comment.
struct DetailLine: Equatable {
    enum Role: Equatable {
        /// `+`, `-` or `~` of an argument or of a part of it.
        case mark(AttributeRow.Mark)
        /// An argument without a mark of its own, or a line that stays.
        case plain
        /// A cause, a danger or a remark.
        case remark
    }

    var role: Role
    /// Levels below the argument.
    var depth = 0
    var text: String
    var forcesReplacement = false
    /// Where the argument stands, when that is another line than the definition's.
    var place: String?
}

/// What is told about one change besides its address.
struct ChangeDetail {
    /// The arguments in one line, when they are short enough to stand there: `cidr_block: 10.0.0.0/16, …`.
    var inlineArguments: String?
    var lines: [DetailLine] = []

    /// - Parameter width: cells that a line may take.
    init(_ change: ResourceChange, drift: Drift?, width: Int) {
        if change.action != .delete, change.action != .forget {
            let rows = change.attributes.flatMap { AttributeRow.rows(for: $0, width: width - 4) }
            let isNew = change.action == .create || change.action == .read
            if isNew, let inline = ChangeDetail.inline(rows, width: width) {
                inlineArguments = inline
            } else {
                lines += ChangeDetail.lines(rows, isNew ? .new : .change, place: change.place, width: width)
            }
        }
        // A remark begins where marks stand, two cells before the texts.
        lines += CauseText.lines(for: change, width: width + 2)
        if let drift, drift.kind == .changed, !drift.attributes.isEmpty {
            let names = drift.attributes.map { DisplayText.neutralised($0.path) }.joined(separator: ", ")
            let isPutRight = change.action == .update || change.action.isReplacement
            let outcome = isPutRight ? "; this puts it right" : ""
            lines.append(DetailLine(role: .remark, text: "drift: \(names) changed outside muster\(outcome)"))
        }
        for note in change.notes { lines.append(DetailLine(role: .remark, text: DisplayText.neutralised(note))) }
    }

    /// `name: value, …` when all of it fits into a line.
    static func inline(_ rows: [AttributeRow], width: Int) -> String? {
        var parts: [String] = []
        var total = 0
        for row in rows {
            guard case .value(let text) = row.body else { return nil }
            let part = "\(row.name): \(text)"
            total += part.cellCount + 2
            if total > width + 2 { return nil }
            parts.append(part)
        }
        return parts.joined(separator: ", ")
    }

    /// How the two sides of a difference are told.
    enum Wording {
        /// `before → after`
        case change
        /// `was …, is …`
        case drift
        /// Every argument comes, so that marks would say nothing.
        case new
    }

    /// - Parameter place: that of the definition, which single arguments do not repeat.
    static func lines(_ rows: [AttributeRow], _ wording: Wording, place: Place?, width: Int) -> [DetailLine] {
        let isNew = wording == .new
        let names = rows.lazy.filter(\.isInline).map { $0.name.cellCount + 1 }
        let nameWidth = min(names.max() ?? 0, 36)
        var lines: [DetailLine] = []
        for row in rows {
            let role: DetailLine.Role = isNew ? .plain : .mark(row.mark)
            var line = DetailLine(role: role, text: "", forcesReplacement: row.forcesReplacement)
            if let rowPlace = row.place, !isNew, rowPlace.path != place?.path || rowPlace.line != place?.line {
                line.place = rowPlace.short
            }
            func append(_ text: String, _ below: [DetailLine] = []) {
                line.text = text
                lines.append(line)
                lines += below
            }
            let start = "\(row.name):".padded(to: nameWidth)
            switch row.body {
            case .value(let text):
                switch (wording, row.mark) {
                case (.drift, .added): append("\(start) was not set, is \(text)")
                case (.drift, .removed): append("\(start) was \(text), is not set")
                default: append("\(start) \(text)")
                }
            case .pair(let before, let after):
                let difference = wording == .drift ? "was \(before), is \(after)" : "\(before) → \(after)"
                let text = "\(start) \(difference)"
                if text.cellCount <= width {
                    append(text)
                } else {
                    append(
                        "\(row.name):",
                        [
                            DetailLine(role: .mark(.removed), depth: 1, text: before),
                            DetailLine(role: .mark(.added), depth: 1, text: after),
                        ])
                }
            case .elements(let removed, let added, let sameCount):
                let same = sameCount > 0 ? " (\(sameCount) unchanged)" : ""
                let all = removed.map { "-\($0)" } + added.map { isNew ? $0 : "+\($0)" }
                let text = "\(start) \(all.joined(separator: " "))\(same)"
                if !isNew, text.cellCount <= width {
                    append(text)
                } else {
                    append(
                        "\(row.name):\(same)",
                        removed.map { DetailLine(role: .mark(.removed), depth: 1, text: $0) }
                            + added.map {
                                DetailLine(role: isNew ? .plain : .mark(.added), depth: 1, text: isNew ? "- \($0)" : $0)
                            })
                }
            case .lines(let note, let block):
                append(note.isEmpty ? "\(row.name):" : "\(row.name): (\(note))", block.map { below($0, isNew: isNew) })
            }
        }
        return lines
    }

    /// Spaces at the end of a line that differs are shown, because they may be all that does.
    private static func withVisibleEnd(_ text: String) -> String {
        let text = DisplayText.neutralised(text)
        let spaces = text.utf8.reversed().prefix { $0 == UInt8(ascii: " ") }.count
        return spaces == 0 ? text : text.dropLast(spaces) + String(repeating: "·", count: spaces)
    }

    private static func below(_ line: LineDiff.Line, isNew: Bool) -> DetailLine {
        switch line {
        case .same(let text): DetailLine(role: .plain, depth: 1, text: DisplayText.neutralised(text))
        case .removed(let text): DetailLine(role: .mark(.removed), depth: 1, text: withVisibleEnd(text))
        case .added(let text):
            DetailLine(role: isNew ? .plain : .mark(.added), depth: 1, text: withVisibleEnd(text))
        case .skipped(let count):
            DetailLine(role: .remark, depth: 1, text: "… \(counted(count, isNew ? "more line" : "equal line"))")
        }
    }
}

extension AttributeRow {
    fileprivate var isInline: Bool {
        switch body {
        case .value, .pair, .elements: true
        case .lines: false
        }
    }
}

extension Place {
    /// `specs/vpc.yaml:14`
    var short: String { "\(DisplayText.neutralised(path)):\(line)" }
}
