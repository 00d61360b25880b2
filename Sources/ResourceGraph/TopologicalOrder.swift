import DequeModule
import HeapModule

/// Orders a graph given as lists of dependencies.
package enum TopologicalOrder {
    /// Every dependency before its dependents, the smallest position first among those that are ready; nil when there
    /// is a cycle. Linear but for the heap.
    package static func sort(dependencies: [[Int]]) -> [Int]? {
        var dependents: [[Int]] = Array(repeating: [], count: dependencies.count)
        var open = Array(repeating: 0, count: dependencies.count)
        for (position, targets) in dependencies.enumerated() {
            open[position] = targets.count
            for target in targets { dependents[target].append(position) }
        }
        var ready = Heap(open.indices.filter { open[$0] == 0 })
        var order: [Int] = []
        order.reserveCapacity(dependencies.count)
        while let next = ready.popMin() {
            order.append(next)
            for dependent in dependents[next] {
                open[dependent] -= 1
                if open[dependent] == 0 { ready.insert(dependent) }
            }
        }
        return order.count == dependencies.count ? order : nil
    }

    /// A shortest cycle through the smallest position that lies on one, each element depending on the next; empty
    /// when there is none.
    package static func cycle(dependencies: [[Int]]) -> [Int] {
        // What can be ordered is on no cycle: peel it off from both sides, then walk back from what remains.
        var isOnCycle = Array(repeating: true, count: dependencies.count)
        for graph in [dependencies, reversed(dependencies)] {
            var open = graph.map { targets in targets.count { isOnCycle[$0] } }
            let back = reversed(graph)
            var ready = graph.indices.filter { isOnCycle[$0] && open[$0] == 0 }
            while let next = ready.popLast() {
                isOnCycle[next] = false
                for dependent in back[next] where isOnCycle[dependent] {
                    open[dependent] -= 1
                    if open[dependent] == 0 { ready.append(dependent) }
                }
            }
        }
        for start in dependencies.indices where isOnCycle[start] {
            if let path = shortestPath(from: start, to: start, dependencies, isOnCycle) { return path }
        }
        return []
    }

    private static func reversed(_ graph: [[Int]]) -> [[Int]] {
        var result: [[Int]] = Array(repeating: [], count: graph.count)
        for (position, targets) in graph.enumerated() {
            for target in targets { result[target].append(position) }
        }
        return result
    }

    private static func shortestPath(
        from start: Int, to end: Int, _ graph: [[Int]], _ isAllowed: [Bool]
    ) -> [Int]? {
        var previous: [Int: Int] = [:]
        var queue: Deque<Int> = [start]
        while let next = queue.popFirst() {
            for target in graph[next] where isAllowed[target] {
                if target == end {
                    var path = [next]
                    while path[path.count - 1] != start, let step = previous[path[path.count - 1]] {
                        path.append(step)
                    }
                    return path.reversed()
                }
                if previous[target] == nil && target != start {
                    previous[target] = next
                    queue.append(target)
                }
            }
        }
        return nil
    }
}
