/// "Did you mean": the known name that is nearest to a wrong one.
package enum Suggestion {
    /// The candidate that a person most likely meant, or nil if none is near.
    ///
    /// Near is at most one slip per three characters, where a slip is a character too many, too few, wrong, or two
    /// swapped. Differences in case, and `-` for `_`, are free. Among equally near ones the alphabetically first wins,
    /// so the answer does not depend on the order of the candidates.
    package static func closest(to name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = normalised(name)
        guard !wanted.isEmpty, wanted.count <= maximumLength else { return nil }
        var limit = max(1, wanted.count / 3)
        var best: String?
        for candidate in candidates where candidate != name {
            let other = normalised(candidate)
            guard other.count <= maximumLength, abs(other.count - wanted.count) <= limit,
                let distance = distance(wanted, other, limit: limit), distance < max(wanted.count, other.count)
            else { continue }
            if distance < limit || best.map({ candidate < $0 }) ?? true {
                best = candidate
                limit = distance
            }
        }
        return best
    }

    /// `Did you mean "…"?` for the closest candidate, ready for `Diagnostic.hint`.
    package static func hint(for name: String, among candidates: some Sequence<String>) -> String? {
        closest(to: name, among: candidates).map { "Did you mean \($0.quoted)?" }
    }

    /// Longer names are not compared: a distance costs the product of both lengths.
    private static let maximumLength = 256

    private static func normalised(_ name: String) -> [UInt8] {
        name.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            case UInt8(ascii: "-"): UInt8(ascii: "_")
            default: byte
            }
        }
    }

    /// The number of slips between two names (optimal string alignment), or nil if it is above the limit.
    private static func distance(_ left: [UInt8], _ right: [UInt8], limit: Int) -> Int? {
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        var current = last
        for row in left.indices {
            current[0] = row + 1
            var smallest = current[0]
            for column in right.indices {
                let isSame = left[row] == right[column]
                var value = min(last[column] + (isSame ? 0 : 1), last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    value = min(value, beforeLast[column - 1] + 1)
                }
                current[column + 1] = value
                smallest = min(smallest, value)
            }
            if smallest > limit { return nil }
            (beforeLast, last, current) = (last, current, beforeLast)
        }
        return last[right.count] <= limit ? last[right.count] : nil
    }
}
