import Diagnostics
import MusterModel

/// One argument in a report: its name and what becomes of it, with the nested ones that differ as rows of their own.
///
/// How a change is shown follows from the values: text of many lines by line, JSON documents by line of their readable
/// form, lists by the elements that come and go, maps by key, and anything else as `before → after`.
struct AttributeRow: Equatable {
    enum Mark: String, Equatable {
        case added = "+"
        case removed = "-"
        case changed = "~"
    }

    enum Body: Equatable {
        case value(String)
        case pair(String, String)
        /// A list of which only the elements that come or go are told.
        case elements(removed: [String], added: [String], sameCount: Int)
        case lines(note: String, [LineDiff.Line])
    }

    var mark: Mark
    var name: String
    var body: Body
    var forcesReplacement = false
    var place: Place?
}

extension AttributeRow {
    /// - Parameter width: cells that a value may take before it is broken up.
    static func rows(for attribute: AttributeChange, width: Int) -> [AttributeRow] {
        let name = DisplayText.neutralised(attribute.path)
        var rows =
            attribute.isHidden
            ? hiddenRows(name, attribute.before, attribute.after, width: width)
            : rows(name, attribute.before, attribute.after, width: width)
        for index in rows.indices {
            rows[index].forcesReplacement = attribute.forcesReplacement
            rows[index].place = attribute.place
        }
        return rows
    }

    /// What is deferred names its secrets and may be shown; any other value may not.
    private static func hiddenRows(
        _ name: String, _ before: Value?, _ after: Value?, width: Int
    ) -> [AttributeRow] {
        let sides = [before, after].compactMap { $0 }
        if !sides.isEmpty, before != after, sides.allSatisfy({ $0.deferred != nil }) {
            return rows(name, before, after, width: width)
        }
        func shown(_ value: Value) -> String { value.deferred == nil ? ValueText.sensitive : ValueText.inline(value) }
        switch (before.map(shown), after.map(shown)) {
        case (nil, let after?): return [AttributeRow(mark: .added, name: name, body: .value(after))]
        case (let before?, nil): return [AttributeRow(mark: .removed, name: name, body: .value(before))]
        case (let before?, let after?) where before != after:
            return [AttributeRow(mark: .changed, name: name, body: .pair(before, after))]
        case (_, let after):
            let body = Body.value("\(after ?? ValueText.sensitive), the value differs")
            return [AttributeRow(mark: .changed, name: name, body: body)]
        }
    }

    private static func rows(_ name: String, _ before: Value?, _ after: Value?, width: Int) -> [AttributeRow] {
        switch (before, after) {
        case (nil, nil): return []
        case (nil, let value?): return whole(name, value, .added, width: width)
        case (let value?, nil): return whole(name, value, .removed, width: width)
        case (let before?, let after?): return changed(name, before, after, width: width)
        }
    }

    /// A value that comes or goes as a whole.
    private static func whole(_ name: String, _ value: Value, _ mark: Mark, width: Int) -> [AttributeRow] {
        func line(_ text: String) -> LineDiff.Line { mark == .removed ? .removed(text) : .added(text) }
        if let text = ValueText.text(value) {
            if let document = JSONDocument(text), document.lines.count > 1 {
                return [AttributeRow(mark: mark, name: name, body: .lines(note: "", document.lines.map(line)))]
            }
            let lines = LineDiff.split(text)
            if lines.count > 1 {
                // What goes away is only measured: nobody reviews it.
                let shown = mark == .removed ? [] : lines.prefix(longestBlock).map { line(String($0)) }
                let rest = lines.count - shown.count
                let skipped = mark == .removed || rest == 0 ? [] : [LineDiff.Line.skipped(rest)]
                let note = "\(lines.count) lines, \(text.utf8.count) bytes"
                return [AttributeRow(mark: mark, name: name, body: .lines(note: note, shown + skipped))]
            }
        }
        let inline = ValueText.inline(value)
        if inline.cellCount > width {
            switch value {
            case .list(let values):
                let elements = values.map { ValueText.inline($0) }
                let body: Body =
                    mark == .removed
                    ? .elements(removed: elements, added: [], sameCount: 0)
                    : .elements(removed: [], added: elements, sameCount: 0)
                return [AttributeRow(mark: mark, name: name, body: body)]
            case .map(let members):
                return members.sorted { $0.key < $1.key }.flatMap {
                    whole(ValueText.path(name, $0.key), $0.value, mark, width: width)
                }
            default: break
            }
        }
        return [AttributeRow(mark: mark, name: name, body: .value(inline))]
    }

    private static let longestBlock = 24

    private static func changed(_ name: String, _ before: Value, _ after: Value, width: Int) -> [AttributeRow] {
        func row(_ body: Body) -> [AttributeRow] { [AttributeRow(mark: .changed, name: name, body: body)] }
        switch (before, after) {
        case (.map(let old), .map(let new)):
            let rows = Set(old.keys).union(new.keys).sorted().filter { old[$0] != new[$0] }.flatMap {
                self.rows(ValueText.path(name, $0), old[$0], new[$0], width: width)
            }
            if !rows.isEmpty { return rows }
        case (.list(let old), .list(let new)):
            let (removed, added) = difference(old, new)
            if removed.isEmpty, added.isEmpty { break }
            return row(
                .elements(
                    removed: removed.map { ValueText.inline($0) }, added: added.map { ValueText.inline($0) },
                    sameCount: old.count - removed.count))
        default:
            guard let old = ValueText.text(before), let new = ValueText.text(after) else { break }
            if let left = JSONDocument(old), let right = JSONDocument(new), left.lines != right.lines {
                return row(
                    .lines(
                        note: "",
                        LineDiff.lines(
                            from: left.lines.joined(separator: "\n"), to: right.lines.joined(separator: "\n"))))
            }
            if old.utf8.contains(UInt8(ascii: "\n")) || new.utf8.contains(UInt8(ascii: "\n")) {
                return row(textDifference(old, new))
            }
            let (left, right) = ValueText.inlinePair(old, new)
            if left != right { return row(.pair(left, right)) }
        }
        let (left, right) = (ValueText.inline(before), ValueText.inline(after))
        return row(left == right ? .value("\(right), the value differs") : .pair(left, right))
    }

    private static func textDifference(_ old: String, _ new: String) -> Body {
        let lines = LineDiff.lines(from: old, to: new)
        var added = 0
        var removed = 0
        for line in lines {
            switch line {
            case .added: added += 1
            case .removed: removed += 1
            case .same, .skipped: break
            }
        }
        if added + removed == 0 { return .lines(note: "only line breaks differ", []) }
        return .lines(note: "+\(added) -\(removed) lines", lines)
    }

    /// Elements that went and that came, each as often as it did, in their order.
    private static func difference(_ old: [Value], _ new: [Value]) -> (removed: [Value], added: [Value]) {
        func missing(_ values: [Value], in others: [Value]) -> [Value] {
            var counts: [Value: Int] = [:]
            for value in others { counts[value, default: 0] += 1 }
            return values.filter {
                guard let count = counts[$0], count > 0 else { return true }
                counts[$0] = count - 1
                return false
            }
        }
        return (missing(old, in: new), missing(new, in: old))
    }
}

/// A text that is a JSON document, such as a policy, in a form to be read and compared by line.
struct JSONDocument: Equatable {
    let lines: [String]

    /// nil when the text is no JSON object or array.
    init?(_ text: String) {
        let trimmed = text.utf8.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        guard let first = trimmed.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "["),
            let value = try? ValueJSON.decodePlain(text)
        else { return nil }
        var lines: [String] = []
        JSONDocument.write(value, prefix: "", indent: 0, suffix: "", to: &lines)
        self.lines = lines
    }

    /// Objects take a line for each member; a list of scalars stands in one line while it fits.
    private static func write(_ value: Value, prefix: String, indent: Int, suffix: String, to lines: inout [String]) {
        let margin = String(repeating: "  ", count: indent)
        switch value {
        case .map(let members) where !members.isEmpty:
            lines.append("\(margin)\(prefix){")
            let sorted = members.sorted { $0.key < $1.key }
            for (index, member) in sorted.enumerated() {
                write(
                    member.value, prefix: "\(scalar(.string(member.key))): ", indent: indent + 1,
                    suffix: index + 1 < sorted.count ? "," : "", to: &lines)
            }
            lines.append("\(margin)}\(suffix)")
        case .list(let values) where !values.isEmpty:
            let inline = "[\(values.map(scalar).joined(separator: ", "))]"
            if values.allSatisfy({ $0.list == nil && $0.map == nil }), inline.cellCount <= 60 {
                lines.append("\(margin)\(prefix)\(inline)\(suffix)")
                return
            }
            lines.append("\(margin)\(prefix)[")
            for (index, element) in values.enumerated() {
                write(
                    element, prefix: "", indent: indent + 1, suffix: index + 1 < values.count ? "," : "", to: &lines)
            }
            lines.append("\(margin)]\(suffix)")
        default: lines.append("\(margin)\(prefix)\(scalar(value))\(suffix)")
        }
    }

    private static func scalar(_ value: Value) -> String {
        switch value {
        case .string(let text): ValueText.quoted(text)
        case .list: "[]"
        case .map: "{}"
        default: ValueText.inline(value)
        }
    }
}
