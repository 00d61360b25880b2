/// The lines of two texts side by side: what went, what came, and a little of what stayed.
enum LineDiff {
    enum Line: Equatable {
        case same(String)
        case removed(String)
        case added(String)
        /// So many equal lines that are not shown.
        case skipped(Int)
    }

    /// Above this many differing lines the texts are taken as wholly different: the search costs their product.
    private static let searchLimit = 1_500
    /// Equal lines shown before and after a difference.
    private static let context = 2

    static func lines(from before: String, to after: String) -> [Line] {
        let old = split(before)
        let new = split(after)
        var head = 0
        while head < old.count, head < new.count, old[head] == new[head] { head += 1 }
        var tail = 0
        while tail < old.count - head, tail < new.count - head, old[old.count - 1 - tail] == new[new.count - 1 - tail] {
            tail += 1
        }
        var all = old[..<head].map { Line.same(String($0)) }
        all += middle(Array(old[head..<(old.count - tail)]), Array(new[head..<(new.count - tail)]))
        all += old[(old.count - tail)...].map { Line.same(String($0)) }
        return folded(all)
    }

    /// Lines without their breaks; a break at the end makes no further line.
    static func split(_ text: String) -> [Substring] {
        var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    private static func middle(_ old: [Substring], _ new: [Substring]) -> [Line] {
        if old.count + new.count > searchLimit || old.isEmpty || new.isEmpty {
            return old.map { .removed(String($0)) } + new.map { .added(String($0)) }
        }
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in new.difference(from: old) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var lines: [Line] = []
        var left = 0
        var right = 0
        while left < old.count || right < new.count {
            if removed.contains(left) {
                lines.append(.removed(String(old[left])))
                left += 1
            } else if inserted.contains(right) {
                lines.append(.added(String(new[right])))
                right += 1
            } else {
                lines.append(.same(String(old[left])))
                left += 1
                right += 1
            }
        }
        return lines
    }

    /// Long runs of equal lines are replaced by their number.
    private static func folded(_ lines: [Line]) -> [Line] {
        var isShown = [Bool](repeating: false, count: lines.count)
        for (index, line) in lines.enumerated() {
            if case .same = line { continue }
            for near in max(0, index - context)...min(lines.count - 1, index + context) { isShown[near] = true }
        }
        var result: [Line] = []
        var skipped = 0
        for (index, line) in lines.enumerated() {
            // One hidden line would take as much room as the note that it is hidden.
            let isLonely = (index == 0 || isShown[index - 1]) && (index + 1 == lines.count || isShown[index + 1])
            if isShown[index] || isLonely {
                if skipped > 0 { result.append(.skipped(skipped)) }
                skipped = 0
                result.append(line)
            } else {
                skipped += 1
            }
        }
        if skipped > 0 { result.append(.skipped(skipped)) }
        return result
    }
}
