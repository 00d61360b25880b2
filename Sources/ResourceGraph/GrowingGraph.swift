// A graph that edges are added to, one after the other, and that is asked before each whether it would close a circle.
//
// A search through all that a position depends on, for every question, is quadratic. So the positions are kept in an
// order in which each stands after what it depends on. Most questions are answered by comparing two places; for the
// others, and for an edge against the order, only what stands between the two is looked at (Pearce and Kelly, "A dynamic
// topological sort algorithm for directed acyclic graphs", 2006).
//
// Known weakness: edges that run against the order again and again cost as much as the search would.

/// Dependencies by position, and what follows from them.
package struct GrowingGraph {
    package private(set) var dependencies: [Set<Int>]
    private var dependents: [[Int]]
    /// The place of each position in the order; the same for all when there is a circle, which means that there is none.
    private var place: [Int]
    private let isOrdered: Bool
    /// The number of the last search that saw a position.
    private var seen: [Int]
    private var search = 0

    /// - Parameter isLate: of positions that are ready, these come after the others. The nearer the order is to the edges
    ///   that will be added, the less there is to do.
    package init(_ dependencies: [Set<Int>], isLate: (Int) -> Bool) {
        self.dependencies = dependencies
        dependents = Array(repeating: [], count: dependencies.count)
        var open = dependencies.map(\.count)
        for (position, targets) in dependencies.enumerated() {
            for target in targets { dependents[target].append(position) }
        }
        place = Array(repeating: 0, count: dependencies.count)
        seen = place
        var early: [Int] = []
        var late: [Int] = []
        for position in open.indices.reversed() where open[position] == 0 {
            if isLate(position) { late.append(position) } else { early.append(position) }
        }
        var count = 0
        while let next = early.popLast() ?? late.popLast() {
            place[next] = count
            count += 1
            for dependent in dependents[next] {
                open[dependent] -= 1
                guard open[dependent] == 0 else { continue }
                if isLate(dependent) { late.append(dependent) } else { early.append(dependent) }
            }
        }
        isOrdered = count == dependencies.count
        if !isOrdered { place = Array(repeating: 0, count: dependencies.count) }
    }

    /// True when a position depends, directly or not, on another, or is the same.
    package mutating func depends(_ position: Int, on other: Int) -> Bool {
        if position == other { return true }
        let limit = place[other]
        if isOrdered, place[position] < limit { return false }
        var open = begin(at: position)
        while let next = open.popLast() {
            for target in dependencies[next] where place[target] >= limit && seen[target] != search {
                if target == other { return true }
                seen[target] = search
                open.append(target)
            }
        }
        return false
    }

    /// Adds an edge; the other must not depend on the position.
    package mutating func add(_ position: Int, dependsOn other: Int) {
        guard dependencies[position].insert(other).inserted else { return }
        dependents[other].append(position)
        guard isOrdered, place[position] < place[other] else { return }
        // What the other depends on keeps its order, and comes before what depends on the position.
        let range = place[position]...place[other]
        let moved = before(other, within: range) + behind(position, within: range)
        let places = moved.map { place[$0] }.sorted()
        for (moved, place) in zip(moved, places) { self.place[moved] = place }
    }

    /// What a position depends on within a part of the order, and itself, in their order.
    private mutating func before(_ start: Int, within range: ClosedRange<Int>) -> [Int] {
        var result = begin(at: start)
        var index = 0
        while index < result.count {
            for next in dependencies[result[index]] where isNew(next, within: range) { result.append(next) }
            index += 1
        }
        return result.sorted { place[$0] < place[$1] }
    }

    /// What depends on a position within a part of the order, and itself, in their order.
    private mutating func behind(_ start: Int, within range: ClosedRange<Int>) -> [Int] {
        var result = begin(at: start)
        var index = 0
        while index < result.count {
            for next in dependents[result[index]] where isNew(next, within: range) { result.append(next) }
            index += 1
        }
        return result.sorted { place[$0] < place[$1] }
    }

    private mutating func begin(at start: Int) -> [Int] {
        search += 1
        seen[start] = search
        return [start]
    }

    private mutating func isNew(_ position: Int, within range: ClosedRange<Int>) -> Bool {
        guard range.contains(place[position]), seen[position] != search else { return false }
        seen[position] = search
        return true
    }
}
