import Foundation
import GRDB
import MusterModel
import Testing

@testable import StateStorage

@Test("Moving by hand keeps the row, what depends on it and what it deposed, and names a backup")
func moveByHand() async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    let run = try await state.beginRun(runStart)
    try await state.create(record(address("old"), id: "vpc-1"), run: run)
    try await state.create(
        record(address("old"), id: "vpc-2"), run: run, step: 1, version: 1, deposesPrevious: true)
    try await state.create(record(address("user"), id: "vpc-3", dependencies: [address("old")]), run: run, step: 2)
    let before = try await state.snapshot()

    let backup = try await state.move(address("old"), to: address("new", stack: "other"))
    let snapshot = try await state.snapshot()
    #expect(snapshot.records.keys.sorted() == [address("new", stack: "other"), address("user")])
    #expect(snapshot.deposed[address("new", stack: "other")]?.map(\.id) == ["vpc-1"])
    #expect(snapshot.records[address("user")]?.dependencies == [address("new", stack: "other")])
    #expect(try await state.check().allSatisfy { $0.severity == .pending })

    #expect(backup.hasPrefix(scratch.state + ".backup-20260101T"))
    let copy = try SQLiteStateStorage.forReading(path: backup, now: { noon }, makeToken: { token() })
    #expect(try await copy.snapshot().records == before.records)
    let again = try await state.move(address("new", stack: "other"), to: address("old"))
    #expect(again != backup)
}

@Test("What cannot be moved or forgotten is refused without a backup")
func refusedByHand() async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    let run = try await state.beginRun(runStart)
    try await state.create(record(address("one"), id: "vpc-1"), run: run)
    try await state.create(record(address("two"), id: "vpc-2"), run: run, step: 1)
    let none = address("none")
    #expect(await failure { _ = try await state.move(none, to: address("x")) } == .noSuchResource(none))
    #expect(await failure { _ = try await state.forget([address("one"), none]) } == .noSuchResource(none))
    #expect(
        await failure { _ = try await state.move(address("one"), to: address("two")) } == .addressTaken(address("two")))
    #expect(await failure { _ = try await state.move(address("one"), to: address("x", type: "aws.subnet")) } == .other)
    let open = try await state.recordIntent(intent(run, address("one"), .update, step: 2, version: 1, target: "vpc-1"))
    #expect(await failure { _ = try await state.forget([address("one")]) } == .intentOpen(address("one")))
    _ = try await state.complete(intent: open, .nothing(address("one")), result: nil)
    _ = try await state.acquireLeases(
        ["vpc": .exclusive], holder: LeaseHolder(token: "h", who: "w", host: "h", pid: 1), duration: .seconds(60),
        isDead: { _ in false })
    guard case .leaseHeld = await failure({ _ = try await state.forget([address("one")]) }) else {
        Issue.record("A held stack was changed.")
        return
    }
    #expect(!scratch.files.contains { $0.contains("backup") })
    #expect(try await state.snapshot().records.count == 2)
}

@Test("Forgetting drops the row and what it deposed, and keeps the version")
func forgetByHand() async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    let run = try await state.beginRun(runStart)
    try await state.create(record(address("one"), id: "vpc-1"), run: run)
    let backup = try await state.forget([address("one")])
    #expect(FileManager.default.fileExists(atPath: backup))
    #expect(try await state.snapshot().records.isEmpty)
    #expect(try await state.snapshot().versions == [address("one"): 2])
}

@Test("The check tells what is unfinished from what is damaged")
func findings() async throws {
    let state = try Scratch().writer()
    let run = try await state.beginRun(runStart)
    #expect(try await state.check().isEmpty)
    var half = record(address("half"), dependencies: [address("gone"), address("ami", type: "lookup.amis")])
    half.isIncomplete = true
    try await state.create(half, run: run)
    _ = try await state.recordIntent(intent(run, address("open"), step: 1))
    let findings = try await state.check()
    #expect(findings.map(\.severity) == [.pending, .pending, .notice])
    #expect(findings.allSatisfy { !$0.detail.isEmpty })

    let queue = try await state.writer()
    try await queue.write { database in
        try database.execute(sql: "UPDATE resources SET address = 'nonsense', version = 9")
    }
    #expect(try await state.check().filter { $0.severity == .damage }.count == 2)
}
