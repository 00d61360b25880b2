import MusterModel

// Whether a policy grants more than it did. Told by statements, without knowing what an action does: what cannot be
// shown to be covered by the old document counts as more.

extension PolicyDocument {
    /// True when `new` allows something that `old` does not, or no longer denies something that `old` denies.
    static func grants(_ new: Value, moreThan old: Value) -> Bool {
        guard new.isKnown, old.isKnown else { return true }
        guard let wanted = statements(new), let present = statements(old) else {
            return canonical(new) != canonical(old)
        }
        let isAllowed = wanted.filter { !$0.isDenial }.allSatisfy { statement in
            present.contains { !$0.isDenial && $0.covers(statement) }
        }
        let isDenied = present.filter(\.isDenial).allSatisfy { statement in
            wanted.contains { $0.isDenial && $0.covers(statement) }
        }
        return !(isAllowed && isDenied)
    }

    /// nil when the value is no policy document.
    private static func statements(_ document: Value) -> [Statement]? {
        if ValueComparison.isUnset(document) { return [] }
        guard case .map(let members) = canonical(document) else { return nil }
        var statements: [Statement] = []
        for element in members["Statement"]?.list ?? [] {
            guard case .map(let members) = element else { return nil }
            statements.append(Statement(members: members))
        }
        return statements
    }

    private struct Statement {
        let members: [String: Value]

        var isDenial: Bool { members["Effect"]?.string == "Deny" }

        /// True when whatever the other applies to, this one applies to as well.
        func covers(_ other: Statement) -> Bool {
            let names = Set(members.keys).union(other.members.keys).subtracting(["Sid", "Effect"])
            return names.allSatisfy { name in
                switch name {
                case "Action", "Resource":
                    guard let patterns = texts(members[name]), let wanted = texts(other.members[name]) else {
                        return members[name] == other.members[name]
                    }
                    let isCaseSensitive = name == "Resource"
                    return wanted.allSatisfy { text in
                        patterns.contains { Wildcard.matches(text, $0, isCaseSensitive: isCaseSensitive) }
                    }
                case "Condition":
                    // A statement without a condition applies always.
                    return members[name] == nil || members[name] == other.members[name]
                default: return members[name] == other.members[name]
                }
            }
        }

        private func texts(_ value: Value?) -> [String]? {
            guard case .list(let elements)? = value else { return nil }
            return elements.compactMap(\.string)
        }
    }
}

/// Patterns of IAM: `*` stands for any text, `?` for one character.
private enum Wildcard {
    static func matches(_ text: String, _ pattern: String, isCaseSensitive: Bool) -> Bool {
        let text = Array((isCaseSensitive ? text : text.lowercased()).utf8)
        let pattern = Array((isCaseSensitive ? pattern : pattern.lowercased()).utf8)
        var (at, to) = (0, 0)
        /// Where to go on when the text after the last star does not fit: one character further.
        var retry: (at: Int, to: Int)?
        while at < text.count {
            if to < pattern.count, pattern[to] == UInt8(ascii: "*") {
                retry = (at, to)
                to += 1
            } else if to < pattern.count, pattern[to] == UInt8(ascii: "?") || pattern[to] == text[at] {
                at += 1
                to += 1
            } else if let last = retry {
                retry = (last.at + 1, last.to)
                (at, to) = (last.at + 1, last.to + 1)
            } else {
                return false
            }
        }
        return pattern[to...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
