import Diagnostics
import MusterModel

// The rules that values must keep besides their type, checked where a value is known. A rule about one value holds for
// each element of a list, set or map; `count` is about the collection.

extension SchemaReader {
    func check(_ value: LocatedValue, _ field: FieldShape) {
        for constraint in field.schema.constraints {
            switch constraint {
            case .conflictsWith, .exactlyOne: break
            case .count(let low, let high): checkCount(value, low, high, field)
            case .allowed, .range, .length, .pattern, .cidr, .ipv4CIDR, .ipv6CIDR:
                checkLeaves(value, constraint, field)
            }
        }
    }

    private func checkCount(_ value: LocatedValue, _ low: Int, _ high: Int, _ field: FieldShape) {
        let count: Int
        switch value {
        case .list(let items, _): count = items.count
        case .map(let entries, _): count = entries.count
        case .value(.list(let items), _): count = items.count
        case .value(.map(let members), _): count = members.count
        case .value: return
        }
        if count < low || count > high {
            complaints.report(.wrongCount(field.schema.name, count, low, high, at: value.range))
        }
    }

    private func checkLeaves(_ value: LocatedValue, _ constraint: Constraint, _ field: FieldShape) {
        switch value {
        case .list(let items, _): for item in items { checkLeaves(item, constraint, field) }
        case .map(let entries, _): for entry in entries { checkLeaves(entry.value, constraint, field) }
        case .value(let value, let range):
            switch value {
            case .null, .deferred: break
            case .list(let items): for item in items { checkLeaves(.value(item, range), constraint, field) }
            case .map(let members):
                for (_, member) in members.sorted(by: { $0.key < $1.key }) {
                    checkLeaves(.value(member, range), constraint, field)
                }
            case .bool, .integer, .number, .string: checkScalar(value, range, constraint, field)
            }
        }
    }

    private func checkScalar(_ value: Value, _ range: SourceRange, _ constraint: Constraint, _ field: FieldShape) {
        guard let text = ScalarText.text(value) else { return }
        let name = field.schema.name
        switch constraint {
        case .allowed(let words):
            let isCaseFree = field.schema.semantics == .caseInsensitive
            if words.contains(text) || isCaseFree && words.contains(where: { $0.lowercased() == text.lowercased() }) {
                return
            }
            complaints.report(.notAllowed(name, text, words, at: range))
        case .range(let low, let high):
            let isInside: Bool
            switch value {
            case .integer(let number): isInside = (low...high).contains(number)
            case .number(let number): isInside = number >= Double(low) && number <= Double(high)
            default: return
            }
            if !isInside { complaints.report(.outOfRange(name, text, low, high, at: range)) }
        case .length(let low, let high):
            // Bytes are enough to know that a text is neither too short nor too long, for all but unusual texts.
            if text.utf8.count >= low, text.utf8.count <= high, text.utf8.allSatisfy({ $0 < 0x80 }) { return }
            let count = text.unicodeScalars.count
            if count < low || count > high { complaints.report(.wrongLength(name, count, low, high, at: range)) }
        case .pattern(let pattern, let words):
            guard let compiled = field.pattern(pattern) else { return }
            if !compiled.matches(text) { complaints.report(.noMatch(name, text, words, at: range)) }
        case .cidr: checkNetwork(text, name, at: range) { _ in true }
        case .ipv4CIDR: checkNetwork(text, name, "IPv4 ", at: range) { !$0.isIPv6 }
        case .ipv6CIDR: checkNetwork(text, name, "IPv6 ", at: range) { $0.isIPv6 }
        case .count, .conflictsWith, .exactlyOne: break
        }
    }

    private func checkNetwork(
        _ text: String, _ name: String, _ family: String = "", at range: SourceRange, _ fits: (IPNetwork) -> Bool
    ) {
        if let network = IPNetwork(text), fits(network) { return }
        complaints.report(.notANetwork(name, text, family, at: range))
    }

    /// The rules about which fields may stand together.
    func checkSiblings(_ entries: [LocatedValue.Entry], _ shape: BlockShape, at place: SourceRange) {
        func entry(_ name: String) -> LocatedValue.Entry? { entries.first { $0.key == name } }
        for field in shape.fields {
            for constraint in field.schema.constraints {
                switch constraint {
                case .conflictsWith(let names):
                    guard let own = entry(field.schema.name) else { continue }
                    for other in names.compactMap(entry) where other.key != own.key {
                        // Told once, at the later of the two, however many of them know the rule.
                        let (first, second) =
                            own.keyRange.start < other.keyRange.start ? (own, other) : (other, own)
                        complaints.report(.conflict(first, second))
                    }
                case .exactlyOne(let names):
                    let all = names.contains(field.schema.name) ? names : [field.schema.name] + names
                    let present = all.sorted().compactMap(entry).sorted { $0.keyRange.start < $1.keyRange.start }
                    if present.isEmpty {
                        complaints.report(.noneOf(all.sorted(), shape.title, at: place))
                    } else if present.count > 1 {
                        complaints.report(.conflict(present[0], present[1]))
                    }
                default: break
                }
            }
        }
    }
}
