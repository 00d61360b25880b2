import Applying
import MusterModel
import TestSupport
import Testing

private func steps(_ edges: [[Int]]) -> [Step] {
    edges.enumerated().map { number, after in
        Step(
            id: number, address: network("n\(number)"), operation: .create, after: after, scope: World.scope)
    }
}

@Test("Steps start when all they wait for is done, and not before")
func order() {
    var scheduler = Scheduler(steps: steps([[], [], [0, 1], [2]]))
    #expect(scheduler.takeReady(limit: 9).map(\.id) == [0, 1])
    #expect(scheduler.finish(1, .done).isEmpty)
    #expect(scheduler.takeReady(limit: 9).isEmpty)
    _ = scheduler.finish(0, .done)
    #expect(scheduler.takeReady(limit: 9).map(\.id) == [2])
    #expect(!scheduler.isOver)
    _ = scheduler.finish(2, .done)
    #expect(scheduler.takeReady(limit: 9).map(\.id) == [3])
    _ = scheduler.finish(3, .done)
    #expect(scheduler.isOver && scheduler.remaining.isEmpty)
}

@Test("No more start than the limit allows, the longest chain first")
func limit() {
    var scheduler = Scheduler(steps: steps([[], [], [], [2], [3]]))
    #expect(scheduler.takeReady(limit: 0).isEmpty)
    #expect(scheduler.takeReady(limit: 1).map(\.id) == [2])
    #expect(scheduler.takeReady(limit: 1).map(\.id) == [0])
    #expect(scheduler.runningCount == 2)
}

@Test("A failure skips what depends on it, once, and nothing else")
func failure() {
    var scheduler = Scheduler(steps: steps([[], [], [0], [0, 2], [1], [3, 4]]))
    _ = scheduler.takeReady(limit: 9)
    let skipped = scheduler.finish(0, .failed)
    #expect(skipped.map(\.step) == [2, 3, 5])
    #expect(Set(skipped.map(\.because)) == [network("n0")])
    _ = scheduler.finish(1, .done)
    #expect(scheduler.takeReady(limit: 9).map(\.id) == [4])
    #expect(scheduler.finish(4, .failed).isEmpty)
    #expect(scheduler.isOver && scheduler.remaining.isEmpty)
}

@Test("After an interruption nothing starts, and what runs goes on")
func interruption() {
    var scheduler = Scheduler(steps: steps([[], [], [0]]))
    _ = scheduler.takeReady(limit: 1)
    scheduler.interrupt()
    #expect(scheduler.takeReady(limit: 9).isEmpty)
    #expect(!scheduler.isOver)
    _ = scheduler.finish(0, .done)
    #expect(scheduler.isOver)
    #expect(scheduler.remaining.map(\.id) == [1, 2])
}

@Test("Steps that an earlier run completed are not started again, and hold nothing up")
func resumed() {
    var scheduler = Scheduler(steps: steps([[], [0], [0, 1]]), completed: [0])
    #expect(scheduler.takeReady(limit: 9).map(\.id) == [1])
    _ = scheduler.finish(1, .done)
    #expect(scheduler.takeReady(limit: 9).map(\.id) == [2])
    let none = Scheduler(steps: steps([[], [0]]), completed: [0, 1])
    #expect(none.isOver)
}

@Test("Whatever the graph and the failures, every step is done, failed or skipped, and no edge is broken")
func property() {
    var random = SeededGenerator.fromEnvironment()
    for _ in 0..<300 {
        let count = Int.random(in: 0...12, using: &random)
        let edges = (0..<count).map { number in (0..<number).filter { _ in random.oneIn(4) } }
        var scheduler = Scheduler(steps: steps(edges))
        var running: [Int] = []
        var done: Set<Int> = []
        var failed: Set<Int> = []
        var skipped: Set<Int> = []
        while !scheduler.isOver {
            for step in scheduler.takeReady(limit: Int.random(in: 1...3, using: &random)) {
                #expect(step.after.allSatisfy(done.contains))
                running.append(step.id)
            }
            guard !running.isEmpty else { continue }
            let ended = running.remove(at: Int.random(in: 0..<running.count, using: &random))
            if random.oneIn(5) {
                failed.insert(ended)
                skipped.formUnion(scheduler.finish(ended, .failed).map(\.step))
            } else {
                done.insert(ended)
                _ = scheduler.finish(ended, .done)
            }
        }
        #expect(done.union(failed).union(skipped) == Set(0..<count))
        for step in skipped { #expect(!edges[step].allSatisfy(done.contains)) }
    }
}
