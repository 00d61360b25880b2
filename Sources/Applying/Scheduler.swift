package import MusterModel

/// Which step may start now. Pure: it is told what ended and says what is ready; O(V + E) over a whole plan, and a
/// logarithm for choosing among the ready ones.
///
/// Of several ready steps the one with the longest chain behind it comes first, since that chain decides how long the
/// whole apply takes; among equals the one that comes first in the plan.
///
/// Ready steps that one call may serve start together. They wait for those of their batch that will be ready soon: as
/// long as a step that such a one waits for is about to call or calling. What waits for the cloud is not waited for.
package struct Scheduler: Sendable {
    /// How a step ended.
    package enum Ending: Sendable, Hashable {
        case done
        /// What depends on it is skipped, and nothing else.
        case failed
    }

    /// A step that will not start, because something that it needs failed.
    package struct Skipped: Sendable, Hashable {
        package let step: Int
        package let because: Address
    }

    private enum Status { case waiting, ready, running, ended, skipped }

    private let steps: [Step]
    private var statuses: [Status]
    private var missing: [Int]
    private let dependents: [[Int]]
    private let chainLengths: [Int]
    private var ready = Heap()
    private let batches: Batches
    private var gatherings: [Gathering]
    /// Steps that are about to call or calling: their end is near.
    private var isNear: [Bool]
    package private(set) var runningCount = 0
    package private(set) var isInterrupted = false

    /// The ready steps of a batch.
    private struct Gathering {
        var ready: [Int] = []
        /// Edges from steps whose end is near to waiting steps of the batch.
        var nearCount = 0
        var isQueued = false
    }

    /// - Parameters:
    ///   - steps: a plan's, in their order: each edge leads to an earlier step.
    ///   - completed: steps that an earlier run of the same plan has done.
    ///   - batches: which steps may start together.
    package init(steps: [Step], completed: Set<Int> = [], batches: Batches = Batches()) {
        self.steps = steps
        self.batches = batches
        gatherings = Array(repeating: Gathering(), count: batches.most.count)
        isNear = Array(repeating: false, count: steps.count)
        var dependents = Array(repeating: [Int](), count: steps.count)
        var missing = Array(repeating: 0, count: steps.count)
        for index in steps.indices {
            for earlier in Scheduler.predecessors(of: index, in: steps) {
                dependents[earlier].append(index)
                if !completed.contains(earlier) { missing[index] += 1 }
            }
        }
        var lengths = Array(repeating: 1, count: steps.count)
        for index in steps.indices.reversed() {
            for dependent in dependents[index] { lengths[index] = max(lengths[index], lengths[dependent] + 1) }
        }
        self.dependents = dependents
        self.missing = missing
        chainLengths = lengths
        statuses = Array(repeating: .waiting, count: steps.count)
        for index in steps.indices {
            if completed.contains(index) {
                statuses[index] = .ended
            } else if missing[index] == 0 {
                makeReady(index)
            }
        }
    }

    private static func predecessors(of index: Int, in steps: [Step]) -> [Int] {
        steps[index].after.filter { steps.indices.contains($0) && $0 != index }
    }

    /// Up to `limit` steps that may start, or batches of steps that start together; they count as running from now on.
    /// None after an interruption.
    package mutating func takeReady(limit: Int) -> [[Step]] {
        var taken: [[Step]] = []
        while taken.count < limit, !isInterrupted, let index = ready.pop() {
            let started = index < steps.count ? [index] : takeBatch(index - steps.count)
            if started.isEmpty { continue }
            for step in started {
                statuses[step] = .running
                setNear(step, true)
            }
            runningCount += started.count
            taken.append(started.map { steps[$0] })
        }
        return taken
    }

    /// Tells that a running step waits for the cloud, or that it goes on.
    package mutating func park(_ step: Int, _ isParked: Bool) {
        if steps.indices.contains(step), statuses[step] == .running { setNear(step, !isParked) }
    }

    /// Takes a running step's end, and returns what is skipped because of it, in the plan's order.
    package mutating func finish(_ step: Int, _ ending: Ending) -> [Skipped] {
        guard steps.indices.contains(step), statuses[step] == .running else { return [] }
        statuses[step] = .ended
        runningCount -= 1
        setNear(step, false)
        switch ending {
        case .done:
            for dependent in dependents[step] {
                missing[dependent] -= 1
                if missing[dependent] == 0, statuses[dependent] == .waiting { makeReady(dependent) }
            }
            return []
        case .failed:
            var skipped: [Int] = []
            var open = dependents[step]
            while let index = open.popLast() {
                guard statuses[index] == .waiting else { continue }
                statuses[index] = .skipped
                skipped.append(index)
                forgetNear(index)
                open += dependents[index]
            }
            return skipped.sorted().map { Skipped(step: $0, because: steps[step].address) }
        }
    }

    /// From now on nothing starts; what runs goes on.
    package mutating func interrupt() { isInterrupted = true }

    /// True when nothing runs and nothing can start.
    package var isOver: Bool { runningCount == 0 && (isInterrupted || ready.isEmpty) }

    /// Steps that neither started nor were skipped.
    package var remaining: [Step] {
        steps.indices.filter { statuses[$0] == .waiting || statuses[$0] == .ready }.map { steps[$0] }
    }

    private mutating func makeReady(_ index: Int) {
        statuses[index] = .ready
        if let batch = batches.number[index] {
            gatherings[batch].ready.append(index)
            queue(batch)
        } else {
            ready.push(index, priority: chainLengths[index])
            setNear(index, true)
        }
    }

    // MARK: - Batches

    /// Full, or nobody of it is ready soon.
    private func isWhole(_ batch: Int) -> Bool {
        gatherings[batch].nearCount == 0 || gatherings[batch].ready.count >= batches.most[batch]
    }

    private mutating func queue(_ batch: Int) {
        let gathering = gatherings[batch]
        if gathering.isQueued || gathering.ready.isEmpty || !isWhole(batch) { return }
        gatherings[batch].isQueued = true
        // In the queue the numbers of batches follow those of the steps.
        ready.push(steps.count + batch, priority: gathering.ready.map { chainLengths[$0] }.max() ?? 0)
    }

    /// Empty when somebody of it became ready soon while it was queued.
    private mutating func takeBatch(_ batch: Int) -> [Int] {
        gatherings[batch].isQueued = false
        if !isWhole(batch) { return [] }
        let all = gatherings[batch].ready.sorted()
        gatherings[batch].ready = Array(all.dropFirst(batches.most[batch]))
        queue(batch)
        return Array(all.prefix(batches.most[batch]))
    }

    private mutating func setNear(_ step: Int, _ isNear: Bool) {
        if self.isNear[step] == isNear { return }
        self.isNear[step] = isNear
        for dependent in dependents[step] where statuses[dependent] == .waiting {
            guard let batch = batches.number[dependent] else { continue }
            gatherings[batch].nearCount += isNear ? 1 : -1
            queue(batch)
        }
    }

    /// A waiting step that will never be ready is not waited for.
    private mutating func forgetNear(_ index: Int) {
        guard let batch = batches.number[index] else { return }
        gatherings[batch].nearCount -= Scheduler.predecessors(of: index, in: steps).count { isNear[$0] }
        queue(batch)
    }
}

/// A binary heap: highest priority first, then the lowest number.
private struct Heap: Sendable {
    private var items: [(priority: Int, index: Int)] = []

    var isEmpty: Bool { items.isEmpty }

    mutating func push(_ index: Int, priority: Int) {
        items.append((priority, index))
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard comesFirst(items[child], items[parent]) else { break }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Int? {
        guard let first = items.first else { return nil }
        let last = items.removeLast()
        if items.isEmpty { return first.index }
        items[0] = last
        var parent = 0
        while true {
            var best = parent
            for child in [parent * 2 + 1, parent * 2 + 2] where child < items.count {
                if comesFirst(items[child], items[best]) { best = child }
            }
            if best == parent { return first.index }
            items.swapAt(parent, best)
            parent = best
        }
    }

    private func comesFirst(_ left: (priority: Int, index: Int), _ right: (priority: Int, index: Int)) -> Bool {
        left.priority != right.priority ? left.priority > right.priority : left.index < right.index
    }
}
