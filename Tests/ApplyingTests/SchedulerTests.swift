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
    #expect(scheduler.takeReady(limit: 9).joined().map(\.id) == [0, 1])
    #expect(scheduler.finish(1, .done).isEmpty)
    #expect(scheduler.takeReady(limit: 9).isEmpty)
    _ = scheduler.finish(0, .done)
    #expect(scheduler.takeReady(limit: 9).joined().map(\.id) == [2])
    #expect(!scheduler.isOver)
    _ = scheduler.finish(2, .done)
    #expect(scheduler.takeReady(limit: 9).joined().map(\.id) == [3])
    _ = scheduler.finish(3, .done)
    #expect(scheduler.isOver && scheduler.remaining.isEmpty)
}

@Test("No more start than the limit allows, the longest chain first")
func limit() {
    var scheduler = Scheduler(steps: steps([[], [], [], [2], [3]]))
    #expect(scheduler.takeReady(limit: 0).isEmpty)
    #expect(scheduler.takeReady(limit: 1).joined().map(\.id) == [2])
    #expect(scheduler.takeReady(limit: 1).joined().map(\.id) == [0])
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
    #expect(scheduler.takeReady(limit: 9).joined().map(\.id) == [4])
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
    #expect(scheduler.takeReady(limit: 9).joined().map(\.id) == [1])
    _ = scheduler.finish(1, .done)
    #expect(scheduler.takeReady(limit: 9).joined().map(\.id) == [2])
    let none = Scheduler(steps: steps([[], [0]]), completed: [0, 1])
    #expect(none.isOver)
}

/// Rules of one group, all but the numbers that are given.
private func rules(_ edges: [[Int]], except others: Set<Int>) -> [Step] {
    edges.enumerated().map { number, after in
        Step(
            id: number, address: others.contains(number) ? network("n\(number)") : rule("n\(number)"),
            operation: .create, desired: ["group": "g"], after: after, scope: World.scope)
    }
}

private func batched(_ steps: [Step]) -> Scheduler {
    Scheduler(steps: steps, batches: Batches(of: steps, SimulatedCloud.catalog) { _ in 0 })
}

@Test("Steps of a batch start together when nobody of it is ready soon, and no more than a call serves")
func batches() {
    // Two groups are made; rule 2 waits for one of them and rule 3 for both.
    var scheduler = batched(rules([[], [], [0], [0, 1], []], except: [0, 1]))
    #expect(scheduler.takeReady(limit: 1).map { $0.map(\.id) } == [[0]])
    _ = scheduler.finish(0, .done)
    #expect(scheduler.takeReady(limit: 9).map { $0.map(\.id) } == [[1]])
    #expect(!scheduler.isOver)
    _ = scheduler.finish(1, .done)
    #expect(scheduler.takeReady(limit: 9).map { $0.map(\.id) } == [[2, 3, 4]])
    #expect(scheduler.runningCount == 3)
    for step in [2, 3, 4] { _ = scheduler.finish(step, .done) }
    #expect(scheduler.isOver && scheduler.remaining.isEmpty)

    // A full call waits for nobody.
    var many = batched(rules([[], [], [], [], [], [0]], except: [0]))
    #expect(many.takeReady(limit: 9).map { $0.map(\.id) } == [[0], [1, 2, 3]])
    _ = many.finish(0, .done)
    #expect(many.takeReady(limit: 9).map { $0.map(\.id) } == [[4, 5]])
}

@Test("What waits for the cloud, fails or is skipped holds no batch up")
func batchesHeldUp() {
    var scheduler = batched(rules([[], [], [0], [1], [0, 1]], except: [0, 1]))
    _ = scheduler.takeReady(limit: 9)
    _ = scheduler.finish(0, .done)
    #expect(scheduler.takeReady(limit: 9).isEmpty)
    scheduler.park(1, true)
    #expect(scheduler.takeReady(limit: 9).map { $0.map(\.id) } == [[2]])
    scheduler.park(1, false)
    #expect(scheduler.finish(1, .failed).map(\.step) == [3, 4])
    _ = scheduler.finish(2, .done)
    #expect(scheduler.isOver)

    var skipped = batched(rules([[], [], [], [0, 1]], except: [0, 1]))
    _ = skipped.takeReady(limit: 9)
    #expect(skipped.finish(0, .failed).map(\.step) == [3])
    #expect(skipped.takeReady(limit: 9).map { $0.map(\.id) } == [[2]])
}

@Test("Only steps of one type, operation, place and value of what a call shares make a batch")
func batchMembers() {
    var steps = rules([[], [], [], [], [], []], except: [1])
    steps[2].desired["group"] = "h"
    steps[3].operation = .update
    steps[4].operation = .delete
    steps[4].prior = ["group": "g"]
    let batches = Batches(of: steps, SimulatedCloud.catalog) { $0.id == 5 ? 1 : 0 }
    #expect(batches.number.isEmpty)
    steps[2].desired["group"] = "g"
    #expect(Batches(of: steps, SimulatedCloud.catalog) { $0.id == 5 ? 1 : 0 }.number == [0: 0, 2: 0])
    steps[5].operation = .delete
    steps[5].prior = ["group": "g"]
    #expect(Batches(of: steps, SimulatedCloud.catalog) { _ in 0 }.number == [0: 0, 2: 0, 4: 1, 5: 1])
}

@Test("Whatever the graph and the failures, every step is done, failed or skipped, and no edge is broken")
func property() {
    var random = SeededGenerator.fromEnvironment()
    for _ in 0..<300 {
        let count = Int.random(in: 0...12, using: &random)
        let edges = (0..<count).map { number in (0..<number).filter { _ in random.oneIn(4) } }
        // Half of the graphs have steps that start together.
        let others = random.oneIn(2) ? Set(0..<count) : Set((0..<count).filter { _ in random.oneIn(2) })
        var scheduler = batched(rules(edges, except: others))
        var running: [Int] = []
        var done: Set<Int> = []
        var failed: Set<Int> = []
        var skipped: Set<Int> = []
        while !scheduler.isOver {
            for step in scheduler.takeReady(limit: Int.random(in: 1...3, using: &random)).joined() {
                #expect(step.after.allSatisfy(done.contains))
                running.append(step.id)
            }
            #expect(!running.isEmpty || scheduler.isOver)
            guard !running.isEmpty else { break }
            if random.oneIn(3) { scheduler.park(random.pick(running), random.oneIn(2)) }
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
