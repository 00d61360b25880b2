import Foundation
import GRDB
import MusterModel
import Testing

@testable import StateStorage

@Test("Every commit of the writing connection is on the disk before it counts")
func durable() async throws {
    let scratch = try Scratch()
    for _ in 0..<2 {
        let state = try scratch.writer()
        _ = try await state.beginRun(runStart)
        let queue = try await state.writer()
        let (level, mode, keys) = try await queue.read { database in
            (
                try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                try Bool.fetchOne(database, sql: "PRAGMA foreign_keys")
            )
        }
        #expect(level == 2)
        #expect(mode == "wal")
        #expect(keys == true)
        try await state.close()
    }
    #expect(scratch.files == ["muster.db"])
}

@Test("An absent state is empty, and reading does not make it")
func absent() async throws {
    let scratch = try Scratch()
    let reader = try scratch.reader()
    let snapshot = try await reader.snapshot()
    #expect(snapshot.lineage.isEmpty && snapshot.records.isEmpty)
    #expect(try await reader.bindings().isEmpty)
    #expect(try await reader.runs(limit: 5).isEmpty)
    #expect(try await reader.check().isEmpty)
    #expect(await failure { _ = try await reader.beginRun(runStart) } == .readOnly)
    let writer = try scratch.writer()
    #expect(try await writer.snapshot().lineage.isEmpty)
    #expect(scratch.files.isEmpty)

    _ = try await writer.beginRun(runStart)
    let lineage = try await writer.snapshot().lineage
    #expect(lineage.count == 32)
    #expect(try await reader.snapshot().lineage == lineage)
    #expect(try await scratch.writer().snapshot().lineage == lineage)
    #expect(!scratch.files.contains { $0.contains(".new-") })
}

@Test("The folder of a new state is made with it")
func folder() async throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a/b/muster.db"
    let state = try SQLiteStateStorage.forWriting(
        path: path, workspace: "test", now: { noon }, makeToken: { token() })
    _ = try await state.beginRun(runStart)
    #expect(FileManager.default.fileExists(atPath: path))
}

@Test("Two that make a new state at once share one")
func race() async throws {
    let scratch = try Scratch()
    let one = try scratch.writer()
    let two = try scratch.writer()
    async let first = one.beginRun(runStart)
    async let second = two.beginRun(runStart)
    #expect(try await Set([first, second]).count == 2)
    #expect(try await one.snapshot().lineage == two.snapshot().lineage)
}

/// Opens for reading and for writing, and expects the same refusal and an untouched folder.
private func expectRefusal(
    _ scratch: Scratch, _ expected: StateError.Kind, facts: FileFacts = .live,
    sourceLocation: SourceLocation = #_sourceLocation
) async {
    let before = scratch.files.map { [$0: scratch.bytes($0)] }
    #expect(await failure { _ = try scratch.reader(facts: facts) } == expected, sourceLocation: sourceLocation)
    #expect(await failure { _ = try scratch.writer(facts: facts) } == expected, sourceLocation: sourceLocation)
    #expect(scratch.files.map { [$0: scratch.bytes($0)] } == before, sourceLocation: sourceLocation)
}

@Test("A database of another program is refused and not touched", arguments: ["DELETE", "WAL"])
func foreign(mode: String) async throws {
    let scratch = try Scratch()
    let queue = try DatabaseQueue(path: scratch.state)
    try await queue.writeWithoutTransaction { database in
        try database.execute(sql: "PRAGMA journal_mode = \(mode); CREATE TABLE bookmarks (url TEXT)")
    }
    try queue.close()
    await expectRefusal(scratch, .foreign)
}

@Test("What is no database is refused and not touched")
func notADatabase() async throws {
    let scratch = try Scratch()
    try Data("workspace: tastycidr\nstacks: {}\n".utf8).write(to: URL(filePath: scratch.state))
    await expectRefusal(scratch, .notADatabase)
    try Data("x".utf8).write(to: URL(filePath: scratch.state))
    await expectRefusal(scratch, .notADatabase)
}

@Test("A state that was cut off is refused and not touched", arguments: [0, 60, 100, 4096, 20_000])
func torn(length: Int) async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    _ = try await state.beginRun(runStart)
    try await state.close()
    let bytes = try #require(scratch.bytes())
    try #require(bytes.count > length)
    try bytes.prefix(length).write(to: URL(filePath: scratch.state))
    await expectRefusal(scratch, .torn)
}

@Test("A damaged page is found by the check or by reading, not passed over")
func damaged() async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    let run = try await state.beginRun(runStart)
    for number in 0..<200 {
        try await state.create(record(address("n\(number)"), id: RemoteID("vpc-\(number)")), run: run, step: number)
    }
    try await state.close()
    var bytes = try #require(scratch.bytes())
    let start = bytes.count - 8192
    for offset in start..<(start + 4096) { bytes[offset] = 0xAA }
    try bytes.write(to: URL(filePath: scratch.state))
    let reader = try scratch.reader()
    let findings: [StateFinding]
    do { findings = try await reader.check() } catch {
        #expect(error.kind == .torn)
        return
    }
    #expect(findings.contains { $0.severity == .damage })
}

@Test("A state of a newer muster is refused and not touched")
func newer() async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    _ = try await state.beginRun(runStart)
    try await state.close()
    let queue = try DatabaseQueue(path: scratch.state)
    try await queue.write { database in
        try database.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('2 from the future')")
    }
    try queue.close()
    await expectRefusal(scratch, .newerSchema)
}

@Test("A state of an older muster is read as it is; before it is written, it is kept and brought up to date")
func older() async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    let run = try await state.beginRun(runStart)
    try await state.create(record(address("main")), run: run)
    try await state.close()
    let queue = try DatabaseQueue(path: scratch.state)
    try await queue.write { database in
        try database.execute(
            sql: """
                ALTER TABLE runs DROP COLUMN command; ALTER TABLE runs DROP COLUMN planned;
                DELETE FROM grdb_migrations WHERE identifier LIKE '2 %'
                """)
    }
    try queue.close()
    let before = scratch.bytes()

    let reader = try scratch.reader()
    #expect(try await reader.snapshot().records.count == 1)
    #expect(try await reader.run(run)?.start.command == "")
    #expect(try await reader.check().map(\.summary).contains("The state was written by an older muster"))
    #expect(scratch.bytes() == before)

    let writer = try scratch.writer()
    var start = runStart
    start.command = "apply"
    start.stepCount = 3
    let second = try await writer.beginRun(start)
    #expect(try await writer.run(second)?.start == start)
    #expect(scratch.files.contains { $0.contains(".backup-") })
    #expect(try await scratch.reader().check().allSatisfy { !$0.summary.contains("older") })
}

@Test("The check says that somebody else is writing, and changes nothing")
func checkedWhileBusy() async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    _ = try await state.beginRun(runStart)
    try await state.close()
    let before = scratch.bytes()
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let queue = try DatabaseQueue(path: scratch.state, configuration: configuration)
    try await queue.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    #expect(try await scratch.reader().check().map(\.summary) == ["Another process is writing"])
    try await queue.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
    try queue.close()
    #expect(try await scratch.reader().check().isEmpty)
    #expect(scratch.bytes() == before)
}

@Test("A folder is no state")
func directory() async throws {
    let scratch = try Scratch()
    try FileManager.default.createDirectory(atPath: scratch.state, withIntermediateDirectories: true)
    await expectRefusal(scratch, .unreadable)
}

@Test("A state on a network filesystem is refused")
func network() async throws {
    let scratch = try Scratch()
    let facts = FileFacts(networkFilesystem: { _ in "nfs4" }, isWritable: { _ in true })
    await expectRefusal(scratch, .networkFilesystem("nfs4"), facts: facts)
}

@Test("Network filesystems are told by the mount that holds the path")
func mounts() {
    let mountinfo = """
        22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        36 22 0:42 / /mnt/my\\040share rw,noatime shared:5 master:2 - nfs4 host:/export rw
        37 22 0:43 / /mnt/ssh rw - fuse.sshfs me@host: rw
        38 22 0:44 / /mnt/disk rw - fuseblk /dev/sdb1 rw
        39 37 0:45 / /mnt/ssh/local rw - tmpfs tmpfs rw
        40 22 0:46 / /over rw - ext4 /dev/sdc1 rw
        41 22 0:47 / /over rw - cifs //host/share rw
        """
    func network(_ path: String) -> String? {
        filesystemType(of: path, mountinfo: mountinfo).flatMap { isNetworkFilesystem($0) ? $0 : nil }
    }
    #expect(network("/home/a/state") == nil)
    #expect(network("/mnt/my share/state") == "nfs4")
    #expect(network("/mnt/my shared/state") == nil)
    #expect(network("/mnt/ssh") == "fuse.sshfs")
    #expect(network("/mnt/ssh/local/x") == nil)
    #expect(network("/mnt/disk/x") == nil)
    #expect(network("/over/x") == "cifs")
    #expect(networkFilesystemType(of: "/") == nil)
}

@Test("A state that cannot be written can still be read, and leaves nothing beside it")
func readOnly() async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    let run = try await state.beginRun(runStart)
    try await state.create(record(address("main")), run: run)
    let facts = FileFacts(networkFilesystem: { _ in nil }, isWritable: { _ in false })
    // With commits that wait in the companion, and without.
    #expect(try await scratch.reader(facts: facts).snapshot().records.count == 1)
    try await state.close()
    let before = scratch.bytes()
    let reader = try scratch.reader(facts: facts)
    #expect(try await reader.snapshot().records.count == 1)
    #expect(await failure { _ = try scratch.writer(facts: facts) } == .readOnly)
    #expect(scratch.files == ["muster.db"])
    #expect(scratch.bytes() == before)

    let empty = try Scratch()
    #expect(await failure { _ = try empty.writer(facts: facts) } == .readOnly)
    #expect(empty.files.isEmpty)
}

@Test("A state that another process holds is reported as busy")
func busy() async throws {
    let scratch = try Scratch()
    let state = try scratch.writer()
    _ = try await state.beginRun(runStart)
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let other = try DatabaseQueue(path: scratch.state, configuration: configuration)
    let queue = try await state.writer()
    try await queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA busy_timeout = 0") }
    try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    #expect(await failure { _ = try await state.beginRun(runStart) } == .busy)
    try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
    #expect(await failure { _ = try await state.beginRun(runStart) } == nil)
}
