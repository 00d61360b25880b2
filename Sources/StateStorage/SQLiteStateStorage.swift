// The state in one SQLite file, through GRDB.
//
// One actor owns one connection. It runs on a queue of its own, since a commit waits for the disk (`synchronous=FULL`)
// and must not hold up the threads on which everything else runs. Database calls are the synchronous ones: GRDB's
// asynchronous ones heed task cancellation, and a result must be written no matter who lost interest.
//
// A new file is made complete under another name and then linked into place, so a state file is never half made; it
// carries an application id in its header, so a file of another program is told apart before SQLite opens it.
import Dispatch
package import FoundationEssentials
import GRDB
import MusterModel

package actor SQLiteStateStorage: StateStorage {
    package nonisolated let path: String
    let workspace: String
    let now: @Sendable () -> Date
    let uptime: @Sendable () -> Uptime
    let makeToken: @Sendable () -> String
    private let facts: FileFacts
    private let isForReading: Bool
    private var connection: DatabaseQueue?
    private nonisolated let executor: any SerialExecutor

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Opens a state for `plan`, `drift` and `show`. Nothing is created; an absent state is an empty one.
    package static func forReading(
        path: String, now: @escaping @Sendable () -> Date, makeToken: @escaping @Sendable () -> String,
        facts: FileFacts = .live, uptime: @escaping @Sendable () -> Uptime = { Uptime() }
    ) throws(StateError) -> SQLiteStateStorage {
        try SQLiteStateStorage(
            path: path, workspace: "", isForReading: true, now: now, makeToken: makeToken, facts: facts,
            uptime: uptime)
    }

    /// Opens a state to change it. An absent one is made with the first write.
    ///
    /// - Parameters:
    ///   - now: the wall clock, for history and leases.
    ///   - makeToken: 32 random hexadecimal digits, for the lineage of a new state.
    ///   - uptime: a clock that does not jump, for leases and ages.
    ///   - executor: where the database works; nil: a queue of its own.
    package static func forWriting(
        path: String, workspace: String, now: @escaping @Sendable () -> Date,
        makeToken: @escaping @Sendable () -> String, facts: FileFacts = .live,
        uptime: @escaping @Sendable () -> Uptime = { Uptime() }, executor: (any SerialExecutor)? = nil
    ) throws(StateError) -> SQLiteStateStorage {
        try SQLiteStateStorage(
            path: path, workspace: workspace, isForReading: false, now: now, makeToken: makeToken, facts: facts,
            uptime: uptime, executor: executor)
    }

    private init(
        path: String, workspace: String, isForReading: Bool, now: @escaping @Sendable () -> Date,
        makeToken: @escaping @Sendable () -> String, facts: FileFacts,
        uptime: @escaping @Sendable () -> Uptime, executor: (any SerialExecutor)? = nil
    ) throws(StateError) {
        self.uptime = uptime
        self.executor = executor ?? QueueExecutor(label: "muster.state")
        self.path = path
        self.workspace = workspace
        self.isForReading = isForReading
        self.now = now
        self.makeToken = makeToken
        self.facts = facts
        let file = StateFile(path: path)
        if let type = facts.networkFilesystem(path) { throw .networkFilesystem(path, type) }
        switch try file.content() {
        case .absent:
            if !isForReading, StateFile.size(of: file.folder) != nil, !facts.isWritable(file.folder) {
                throw .readOnly(path)
            }
            connection = nil
        case .foreign: throw .foreign(path)
        case .notADatabase: throw .notADatabase(path)
        case .muster:
            connection =
                try isForReading
                ? SQLiteStateStorage.openForReading(file, facts: facts, token: makeToken())
                : SQLiteStateStorage.openForWriting(file, facts: facts, now: now())
        }
    }

    /// Closes the connection: the commits move into the main file and its companions go.
    package func close() throws(StateError) {
        guard let connection else { return }
        do { try connection.close() } catch { throw .from(error, path: path) }
        self.connection = nil
    }

    /// Now, on both clocks.
    func moment() -> Moment { Moment(wall: now(), uptime: uptime()) }

    // MARK: - Access

    func read<Result>(absent: Result, _ body: (Database) throws -> Result) throws(StateError) -> Result {
        guard let connection = try present() else { return absent }
        do { return try connection.read(body) } catch { throw .from(error, path: path) }
    }

    /// One transaction, `IMMEDIATE` from its start.
    func write<Result>(_ body: (Database) throws -> Result) throws(StateError) -> Result {
        let connection = try writer()
        do { return try connection.write(body) } catch { throw .from(error, path: path) }
    }

    /// The connection; nil while there is no state.
    func present() throws(StateError) -> DatabaseQueue? {
        if connection == nil, StateFile(path: path).exists {
            guard try StateFile(path: path).content() == .muster else { throw .foreign(path) }
            connection =
                try isForReading
                ? SQLiteStateStorage.openForReading(StateFile(path: path), facts: facts, token: makeToken())
                : SQLiteStateStorage.openForWriting(StateFile(path: path), facts: facts, now: now())
        }
        return connection
    }

    func writer() throws(StateError) -> DatabaseQueue {
        if isForReading { throw .openedForReading(path) }
        if let connection = try present() { return connection }
        try create()
        let connection = try SQLiteStateStorage.openForWriting(StateFile(path: path), facts: facts, now: now())
        self.connection = connection
        return connection
    }

    // MARK: - Opening

    private static func configuration(isReadOnly: Bool = false) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = isReadOnly
        configuration.busyMode = .timeout(10)
        configuration.label = "muster.state"
        return configuration
    }

    private static func openForWriting(
        _ file: StateFile, facts: FileFacts, now: Date
    ) throws(StateError) -> DatabaseQueue {
        guard facts.isWritable(file.path), facts.isWritable(file.folder) else { throw .readOnly(file.path) }
        do {
            let queue = try DatabaseQueue(path: file.path, configuration: configuration())
            let migrator = StateSchema.migrator
            let isCurrent = try queue.read { database in
                if try migrator.hasBeenSuperseded(database) { throw StateError.newerSchema(file.path) }
                guard try database.tableExists("meta") else {
                    throw StateError.torn(file.path, "it has no table of its own.")
                }
                return try migrator.hasCompletedMigrations(database)
            }
            if !isCurrent {
                _ = try backup(of: queue, path: file.path, now: now)
                try migrator.migrate(queue)
            }
            try makeDurable(queue, path: file.path)
            return queue
        } catch {
            throw .from(error, path: file.path)
        }
    }

    /// WAL, and every commit on the disk before it counts; proved on this very connection.
    private static func makeDurable(_ queue: DatabaseQueue, path: String) throws {
        try queue.writeWithoutTransaction { database in
            let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
            guard mode == "wal" else { throw StateError.notDurable(path, "without effect (no WAL)") }
            try database.execute(sql: "PRAGMA synchronous = FULL")
            let level = try Int.fetchOne(database, sql: "PRAGMA synchronous")
            guard level == 2 else { throw StateError.notDurable(path, level.map(String.init) ?? "unknown") }
        }
    }

    private static func openForReading(
        _ file: StateFile, facts: FileFacts, token: String
    ) throws(StateError) -> DatabaseQueue {
        do {
            let queue = try readable(file, facts: facts, token: token)
            let migrator = StateSchema.migrator
            let isCurrent = try queue.read { database in
                if try migrator.hasBeenSuperseded(database) { throw StateError.newerSchema(file.path) }
                guard try database.tableExists("meta") else {
                    throw StateError.torn(file.path, "it has no table of its own.")
                }
                return try migrator.hasCompletedMigrations(database)
            }
            return isCurrent ? queue : try upgradedCopy(of: queue)
        } catch {
            throw .from(error, path: file.path)
        }
    }

    /// A connection that reads, whatever the disk allows: SQLite wants to write beside the file even then.
    private static func readable(_ file: StateFile, facts: FileFacts, token: String) throws -> DatabaseQueue {
        let mayWrite = facts.isWritable(file.path) && facts.isWritable(file.folder)
        guard mayWrite || file.hasPendingCommits else { return try copied(file, token: token) }
        do {
            // A connection that may write tidies the companions up when it closes; one that may not leaves them.
            let queue = try DatabaseQueue(path: file.path, configuration: configuration(isReadOnly: !mayWrite))
            if mayWrite { try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = 1") } }
            try queue.read { _ = try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema") }
            return queue
        } catch let error as DatabaseError {
            // No room for the companions, or no permission to make them.
            guard [.SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY].contains(error.resultCode) else {
                throw error
            }
            return try copied(file, token: token)
        }
    }

    /// Reads a copy in the folder for temporary files, which goes with the connection.
    private static func copied(_ file: StateFile, token: String) throws -> DatabaseQueue {
        let copy = FileManager.default.temporaryDirectory.appending(path: "muster-state-\(token)").path
        defer { StateFile.remove(copy) }
        let queue: DatabaseQueue
        if file.hasPendingCommits {
            try FileManager.default.copyItem(atPath: file.path, toPath: copy)
            try FileManager.default.copyItem(atPath: file.path + "-wal", toPath: copy + "-wal")
            queue = try DatabaseQueue(path: copy, configuration: configuration())
            try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = 1") }
        } else {
            try StateFile.copyForReading(file.path, to: copy)
            queue = try DatabaseQueue(path: copy, configuration: configuration(isReadOnly: true))
        }
        try queue.read { _ = try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema") }
        return queue
    }

    /// A state that an older muster wrote, brought up to date in memory: what only looks changes no file.
    private static func upgradedCopy(of queue: DatabaseQueue) throws -> DatabaseQueue {
        let copy = try DatabaseQueue(configuration: configuration())
        try queue.backup(to: copy)
        try StateSchema.migrator.migrate(copy)
        try copy.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = 1") }
        return copy
    }

    private func create() throws(StateError) {
        let file = StateFile(path: path)
        let temporary = "\(path).new-\(makeToken())"
        do {
            try FileManager.default.createDirectory(
                at: URL(filePath: file.folder), withIntermediateDirectories: true)
            guard facts.isWritable(file.folder) else { throw StateError.readOnly(path) }
            let queue = try DatabaseQueue(path: temporary, configuration: SQLiteStateStorage.configuration())
            try queue.writeWithoutTransaction {
                try $0.execute(sql: "PRAGMA synchronous = FULL")
                try $0.execute(sql: "PRAGMA application_id = \(StateSchema.applicationID)")
            }
            try StateSchema.migrator.migrate(queue)
            try queue.write {
                try $0.execute(
                    sql: "INSERT INTO meta (id, lineage, workspace, created) VALUES (1, ?, ?, ?)",
                    arguments: [makeToken(), workspace, now().milliseconds])
            }
            try SQLiteStateStorage.makeDurable(queue, path: temporary)
            try queue.close()
            StateFile.synchronize(temporary)
        } catch {
            StateFile.remove(temporary)
            throw .from(error, path: path)
        }
        _ = try StateFile.publish(temporary, as: path)
    }

    // MARK: - Backup

    /// Copies the state beside itself; returns the path of the copy.
    func backup() throws(StateError) -> String {
        do {
            return try SQLiteStateStorage.backup(of: try writer(), path: path, now: now())
        } catch {
            throw .from(error, path: path)
        }
    }

    private static func backup(of queue: DatabaseQueue, path: String, now: Date) throws -> String {
        let stamp = now.formatted(.iso8601.timeSeparator(.omitted).dateSeparator(.omitted))
        var copy = "\(path).backup-\(stamp)"
        var number = 1
        while StateFile(path: copy).exists {
            number += 1
            copy = "\(path).backup-\(stamp)-\(number)"
        }
        do {
            try queue.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
        } catch {
            StateFile.remove(copy)
            throw error
        }
        StateFile.synchronize(copy)
        StateFile.synchronize(StateFile(path: path).folder)
        return copy
    }
}

/// A thread for what waits for the disk.
private final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}

extension Date {
    /// As the state keeps it: milliseconds since 1970, UTC.
    var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }

    init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
