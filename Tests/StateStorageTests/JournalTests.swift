import GRDB
import Foundation
import MusterModel
import Testing

@testable import StateStorage

@Test("What was written is read back, by this connection and by the next")
func roundTrip() async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    let run = try await state.beginRun(runStart)
    var wanted = record(
        address("main"),
        arguments: ["tags": ["Name": "a"], "ports": [1, 2], "ratio": .number(0.5), "on": true, "none": nil],
        dependencies: [address("b"), address("a", stack: "other")])
    wanted.digests = ["password": "d1"]
    wanted.isProtected = true
    wanted.generation = 3
    wanted.isIncomplete = true
    try await state.create(wanted, run: run)
    try await state.setOutputs(["vpc": ["id": "vpc-1"]], fence: nil)
    wanted.dependencies.sort()

    for storage in [state, try scratch.writer(), try scratch.reader()] {
        let snapshot = try await storage.snapshot()
        #expect(snapshot.records == [address("main"): wanted])
        #expect(snapshot.versions == [address("main"): 1])
        #expect(snapshot.outputs == ["vpc": ["id": "vpc-1"]])
        #expect(snapshot.lineage.count == 32)
    }
}

@Test("A snapshot of some stacks holds nothing of the others")
func stacks() async throws {
    let state = try Scratch().writer()
    let run = try await state.beginRun(runStart)
    let here = record(address("a", stack: "here"), id: "vpc-1", dependencies: [address("b", stack: "there")])
    let there = record(address("b", stack: "there"), id: "vpc-2")
    try await state.create(here, run: run, step: 0)
    try await state.create(there, run: run, step: 1)
    try await state.setOutputs(["here": ["x": 1], "there": ["y": 2]], fence: nil)
    let snapshot = try await state.snapshot(stacks: ["here"])
    #expect(snapshot.records == [here.address: here])
    #expect(snapshot.versions == [here.address: 1])
    #expect(snapshot.outputs == ["here": ["x": 1]])
    #expect(try await state.snapshot(stacks: []).records.isEmpty)
}

@Test("A version grows with every change and survives a deletion")
func versions() async throws {
    let state = try Scratch().writer()
    let run = try await state.beginRun(runStart)
    let main = record(address("main"))
    #expect(try await state.create(main, run: run) == 1)
    let update = try await state.recordIntent(intent(run, main.address, .update, step: 1, version: 1, target: main.id))
    #expect(try await state.complete(intent: update, .updated(main), result: nil) == 2)
    let delete = try await state.recordIntent(intent(run, main.address, .delete, step: 2, version: 2, target: main.id))
    #expect(try await state.complete(intent: delete, .deleted(main.address), result: nil) == 3)
    #expect(try await state.snapshot().records.isEmpty)
    #expect(try await state.snapshot().versions == [main.address: 3])
    #expect(try await state.create(main, run: run, step: 3, version: 3) == 4)
}

@Test("An intent for another version than the row's is refused")
func movedRows() async throws {
    let state = try Scratch().writer()
    let run = try await state.beginRun(runStart)
    try await state.create(record(address("main")), run: run)
    #expect(
        await failure { _ = try await state.recordIntent(intent(run, address("main"), version: 0)) }
            == .moved(address("main"), expected: 0, found: 1))
    #expect(
        await failure {
            _ = try await state.recordIntent(
                intent(run, address("main"), .delete, version: 1, target: "vpc-9", isDeposed: true))
        } == .moved(address("main"), expected: 1, found: 0))
    #expect(try await state.openIntents().isEmpty)
}

@Test("An open intent holds all that the next run needs, and is settled once")
func openIntents() async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    let run = try await state.beginRun(runStart)
    var wanted = intent(run, address("main"), deposesPrevious: true)
    wanted.digests = ["password": "d"]
    wanted.generation = 2
    wanted.isProtected = true
    wanted.wasAbsent = true
    wanted.id = try await state.recordIntent(wanted)
    wanted.started = noon
    #expect(try await state.openIntents() == [wanted])
    #expect(
        await failure { _ = try await state.recordIntent(intent(run, address("main"))) } == .intentOpen(address("main"))
    )
    #expect(try await state.steps(ofRun: run).map(\.result.outcome) == [.running])

    let other = try scratch.writer()
    _ = try await other.complete(intent: wanted.id, .nothing(address("main")), result: StepResult(.settled))
    let late = await failure {
        _ = try await state.complete(
            intent: wanted.id, .created(record(address("main")), deposesPrevious: false), result: nil)
    }
    #expect(late == .intentGone)
    #expect(try await state.snapshot().records.isEmpty)
    #expect(try await state.steps(ofRun: run).map(\.result.outcome) == [.settled])
}

@Test("A result is written whole or not at all, and the intent stays open when it is not")
func atomicity() async throws {
    let state = try Scratch().writer()
    let run = try await state.beginRun(runStart)
    try await state.create(record(address("one"), id: "vpc-1"), run: run)
    let open = try await state.recordIntent(intent(run, address("two"), step: 1))
    let kind = await failure {
        _ = try await state.complete(
            intent: open, .created(record(address("two"), id: "vpc-1"), deposesPrevious: false),
            result: StepResult(.done))
    }
    #expect(kind == .alreadyManaged(by: address("one")))
    #expect(try await state.openIntents().map(\.id) == [open])
    #expect(try await state.snapshot().versions == [address("one"): 1])
    #expect(try await state.steps(ofRun: run).map(\.result.outcome) == [.done, .running])
}

@Test("A process that dies between intent and result leaves the intent, and the next one reads it")
func crash() async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    let run = try await state.beginRun(runStart)
    try await state.create(record(address("one"), id: "vpc-1"), run: run)
    let open = try await state.recordIntent(intent(run, address("two"), step: 1))
    // What the disk holds at this moment is what a killed process leaves.
    let copy = try Scratch()
    for name in scratch.files {
        try scratch.bytes(name)?.write(to: URL(filePath: copy.path + "/" + name))
    }
    #expect(scratch.files.contains("muster.db-wal"))
    for storage in [try copy.reader(), try copy.writer()] {
        #expect(try await storage.openIntents().map(\.id) == [open])
        #expect(try await storage.snapshot().records.keys.sorted() == [address("one")])
        #expect(try await storage.check().map(\.severity) == [.pending])
        try await storage.close()
    }
    #expect(copy.files == ["muster.db"])
    #expect(try await copy.reader().openIntents().map(\.id) == [open])
}

@Test("A create-before-destroy replacement knows both objects at every moment")
func deposing() async throws {
    let state = try Scratch().writer()
    let run = try await state.beginRun(runStart)
    let old = record(address("main"), id: "vpc-1", dependencies: [address("x")])
    var new = record(address("main"), id: "vpc-2")
    try await state.create(old, run: run)
    #expect(try await state.create(new, run: run, step: 1, version: 1, deposesPrevious: true) == 2)
    new.version = 2
    var snapshot = try await state.snapshot()
    #expect(snapshot.records == [address("main"): new])
    #expect(snapshot.deposed == [address("main"): [old]])
    let delete = try await state.recordIntent(
        intent(run, address("main"), .delete, step: 2, version: 1, target: "vpc-1", isDeposed: true))
    #expect(try await state.complete(intent: delete, .deposedDeleted(address("main"), "vpc-1"), result: nil) == 2)
    snapshot = try await state.snapshot()
    #expect(snapshot.deposed.isEmpty)
    #expect(snapshot.records == [address("main"): new])
}

@Test("A create for a row whose object is gone replaces the row")
func recreated() async throws {
    let state = try Scratch().writer()
    let run = try await state.beginRun(runStart)
    try await state.create(record(address("main"), id: "vpc-1"), run: run)
    try await state.create(record(address("main"), id: "vpc-2"), run: run, step: 1, version: 1)
    let snapshot = try await state.snapshot()
    #expect(snapshot.records[address("main")]?.id == "vpc-2")
    #expect(snapshot.deposed.isEmpty)
}

@Test("Adopting, moving and forgetting are one transaction each, with the version checked")
func withoutIntents() async throws {
    let state = try Scratch().writer()
    let run = try await state.beginRun(runStart)
    func change(_ change: StateChange, _ operation: Step.Operation, version: Int) -> RecordedChange {
        RecordedChange(
            run: run, step: Step(id: 5, address: change.address, operation: operation, scope: scope),
            change: change, expectedVersion: version, fence: nil, result: StepResult(.done, detail: "ok"))
    }
    let old = record(address("old"))
    #expect(try await state.record(change(.adopted(old), .adopt, version: 0)) == 1)
    #expect(await failure { _ = try await state.record(change(.adopted(old), .adopt, version: 0)) } != nil)
    try await state.create(record(address("user"), id: "vpc-2", dependencies: [old.address]), run: run)

    var new = old
    new.address = address("new", stack: "other")
    #expect(try await state.record(change(.moved(from: old.address, new), .move, version: 1)) == 1)
    var snapshot = try await state.snapshot()
    #expect(snapshot.records.keys.sorted() == [new.address, address("user")])
    #expect(snapshot.records[address("user")]?.dependencies == [new.address])
    #expect(snapshot.versions[old.address] == 2)

    #expect(try await state.record(change(.forgotten(new.address), .forget, version: 1)) == 2)
    snapshot = try await state.snapshot()
    #expect(snapshot.records.keys.sorted() == [address("user")])
    #expect(try await state.steps(ofRun: run).last?.result == StepResult(.done, detail: "ok"))
}

@Test("History says who ran what, and where a dead run stopped")
func history() async throws {
    let state = try Scratch().writer()
    let holder = LeaseHolder(token: "h1", who: "ann", host: "desk", pid: 7)
    let fence = try await state.acquireLeases(
        ["vpc": .exclusive], holder: holder, duration: .seconds(60), isDead: { _ in false })
    let first = try await state.beginRun(runStart)
    let open = try await state.recordIntent(intent(first, address("main"), fence: fence))
    try await state.releaseLeases(fence)
    let second = try await state.beginRun(
        RunStart(plan: "p2", who: "bob", host: "ci", pid: 8, holder: "h2"))
    _ = try await state.complete(
        intent: open, .nothing(address("main")), result: StepResult(.failed, detail: "no", requestIDs: ["r-1"]))
    try await state.endRun(second, outcome: .done)
    let runs = try await state.runs(limit: 10)
    #expect(runs.map(\.id) == [second, first])
    #expect(runs.map(\.outcome) == [.done, .died])
    #expect(runs.last?.start == runStart)
    #expect(runs.first?.ended == noon)
    var step = try #require(try await state.steps(ofRun: first).first)
    #expect(step.result == StepResult(.failed, detail: "no", requestIDs: ["r-1"]))
    // Who has no requests to tell forgets none.
    try await state.record(
        StepResult(.done), run: first, step: Step(id: 0, address: address("main"), operation: .create, scope: scope))
    step = try #require(try await state.steps(of: address("main"), limit: 1).first)
    #expect(step.result == StepResult(.done, requestIDs: ["r-1"]))
    #expect(try await state.stepCounts(ofRuns: [first, second]) == [first: [.done: 1]])
    #expect(try await state.run(second + 1) == nil)
    #expect(step.operation == .create)
    #expect(try await state.runs(limit: 1).count == 1)
}

@Test("The completed steps of a plan are known until the plan is done")
func resuming() async throws {
    let state = try Scratch().writer()
    let run = try await state.beginRun(runStart)
    try await state.create(record(address("main")), run: run, step: 4)
    _ = try await state.recordIntent(intent(run, address("other"), step: 5))
    // Its call had an effect, but it did not come to its end.
    let begun = try await state.recordIntent(intent(run, address("begun"), step: 6))
    _ = try await state.complete(
        intent: begun, .created(record(address("begun"), id: "vpc-2"), deposesPrevious: false), result: nil)
    try await state.record(
        StepResult(.interrupted), run: run,
        step: Step(id: 6, address: address("begun"), operation: .create, scope: scope))
    // Its call had none.
    let retracted = try await state.recordIntent(intent(run, address("retracted"), step: 7))
    _ = try await state.complete(intent: retracted, .nothing(address("retracted")), result: StepResult(.settled))
    try await state.endRun(run, outcome: .interrupted)
    #expect(
        try await state.completedSteps(ofPlan: "p1") == [
            4: CompletedStep(address: address("main"), version: 1),
            6: CompletedStep(address: address("begun"), version: 1, isFinished: false),
        ])
    #expect(try await state.completedSteps(ofPlan: "p2").isEmpty)
    let again = try await state.beginRun(runStart)
    try await state.endRun(again, outcome: .done)
    #expect(try await state.completedSteps(ofPlan: "p1").isEmpty)
}

@Test("A configuration stays bound to its account and endpoint")
func binding() async throws {
    let state = try Scratch().writer()
    let bound = StateBinding(key: "vpc", scope: scope)
    try await state.bind([bound])
    try await state.bind([bound, StateBinding(key: "prod", scope: scope)])
    var other = bound
    other.account = "999999999999"
    #expect(
        await failure { try await state.bind([StateBinding(key: "new", scope: scope), other]) }
            == .boundElsewhere(bound))
    #expect(try await state.bindings().keys.sorted() == ["prod", "vpc"])
}

@Test("A full disk refuses the intent, and nothing was changed")
func diskFull() async throws {
    let state = try Scratch().writer()
    let run = try await state.beginRun(runStart)
    let queue = try await state.writer()
    try await queue.writeWithoutTransaction { database in
        let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
        try database.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
    }
    var written = 0
    var kind: StateError.Kind?
    while kind == nil, written < 1000 {
        var big = intent(run, address("n\(written)"), step: written)
        big.arguments["text"] = .string(String(repeating: "x", count: 2000))
        kind = await failure { _ = try await state.recordIntent(big) }
        if kind == nil { written += 1 }
    }
    #expect(kind == .diskFull)
    #expect(try await state.openIntents().count == written)
    #expect(try await state.steps(ofRun: run).count == written)
}
