import FoundationEssentials
import GRDB
import MusterModel

// Rows of the tables and their values. Statements are cached by their text.

extension Database {
    func run(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    func first(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Row? {
        try Row.fetchOne(try cachedStatement(sql: sql), arguments: arguments)
    }

    func all(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> [Row] {
        try Row.fetchAll(try cachedStatement(sql: sql), arguments: arguments)
    }
}

extension ResourceRecord {
    static let columns = """
        id, address, deposed, remote_id, provider, account, region, endpoint, arguments, outputs, digests, protected, \
        version, generation, incomplete
        """

    /// - Parameter row: `columns`, in this order.
    init(_ row: Row, dependencies: [Address]) throws {
        self.init(
            address: try Address(stored: row[1]), id: RemoteID(row[3]),
            scope: ProviderScope(provider: row[4], account: row[5], region: row[6], endpoint: row[7]),
            arguments: try StateJSON.values(row[8]), outputs: try StateJSON.values(row[9]),
            digests: try StateJSON.strings(row[10]), isProtected: row[11], version: row[12], generation: row[13],
            isIncomplete: row[14], dependencies: dependencies)
    }

    func insert(_ database: Database, version: Int) throws {
        try database.run(
            """
            INSERT INTO resources (address, stack, type, remote_id, provider, account, region, endpoint, arguments, \
            outputs, digests, protected, version, generation, incomplete) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
            """, arguments(version: version))
        try writeEdges(database, resource: database.lastInsertedRowID)
    }

    func update(_ database: Database, row: Int64, version: Int) throws {
        try database.run(
            """
            UPDATE resources SET address = ?, stack = ?, type = ?, remote_id = ?, provider = ?, account = ?, \
            region = ?, endpoint = ?, arguments = ?, outputs = ?, digests = ?, protected = ?, version = ?, \
            generation = ?, incomplete = ? WHERE id = ?
            """, arguments(version: version) + [row])
        let stored = try database.all("SELECT dependency FROM edges WHERE resource = ?", [row])
        let wanted = Set(dependencies.map(\.description))
        if Set(stored.map { $0[0] as String }) == wanted { return }
        try database.run("DELETE FROM edges WHERE resource = ?", [row])
        try writeEdges(database, resource: row)
    }

    private func arguments(version: Int) throws -> StatementArguments {
        [
            address.description, address.stack, address.type.rawValue, id.rawValue, scope.provider, scope.account,
            scope.region, scope.endpoint, StateJSON.text(arguments), StateJSON.text(outputs),
            StateJSON.text(digests.mapValues(Value.string)), isProtected, version, generation, isIncomplete,
        ]
    }

    private func writeEdges(_ database: Database, resource: Int64) throws {
        for dependency in Set(dependencies) {
            try database.run(
                "INSERT INTO edges (resource, dependency) VALUES (?, ?)", [resource, dependency.description])
        }
    }
}

extension JournaledIntent {
    static let columns = """
        id, run, step, address, operation, target, provider, account, region, endpoint, token, arguments, digests, \
        was_absent, expected_version, generation, protected, deposed, deposes_previous, dependencies, started
        """

    init(_ row: Row) throws {
        self.init(
            id: row[0], run: row[1], step: row[2], address: try Address(stored: row[3]),
            operation: try Operation(stored: row[4]), target: (row[5] as String?).map { RemoteID($0) },
            scope: ProviderScope(provider: row[6], account: row[7], region: row[8], endpoint: row[9]), token: row[10],
            arguments: try StateJSON.values(row[11]), digests: try StateJSON.strings(row[12]), wasAbsent: row[13],
            expectedVersion: row[14], generation: row[15], isProtected: row[16], isDeposed: row[17],
            deposesPrevious: row[18],
            dependencies: try StateJSON.list(row[19]).map { try Address(stored: $0.string ?? "") },
            started: Date(milliseconds: row[20]))
    }

    func insert(_ database: Database, now: Date) throws {
        try database.run(
            """
            INSERT INTO intents (run, step, address, stack, operation, target, provider, account, region, endpoint, \
            token, arguments, digests, was_absent, expected_version, generation, protected, deposed, \
            deposes_previous, dependencies, started) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
            """,
            [
                run, step, address.description, address.stack, operation.rawValue, target?.rawValue, scope.provider,
                scope.account, scope.region, scope.endpoint, token, StateJSON.text(arguments),
                StateJSON.text(digests.mapValues(Value.string)), wasAbsent, expectedVersion, generation,
                isProtected, isDeposed, deposesPrevious,
                StateJSON.text(dependencies.map { .string($0.description) }), now.milliseconds,
            ])
    }
}

extension RunRecord {
    static let columns = """
        id, plan, who, host, pid, git_commit, holder, command, planned, started, ended, outcome
        """

    init(_ row: Row) throws {
        self.init(
            id: row[0],
            start: RunStart(
                plan: row[1], who: row[2], host: row[3], pid: row[4], gitCommit: row[5], holder: row[6],
                command: row[7], stepCount: row[8]),
            started: Date(milliseconds: row[9]), ended: (row[10] as Int64?).map { Date(milliseconds: $0) },
            outcome: try RunOutcome(stored: row[11]))
    }
}

extension RunStepRecord {
    static let columns = "run, step, address, operation, outcome, detail, request_ids, started, ended"

    init(_ row: Row) throws {
        self.init(
            run: row[0], step: row[1], address: try Address(stored: row[2]),
            operation: try Step.Operation(stored: row[3]),
            result: StepResult(
                try StepResult.Outcome(stored: row[4]), detail: row[5],
                requestIDs: try StateJSON.list(row[6]).compactMap(\.string)),
            started: Date(milliseconds: row[7]), ended: (row[8] as Int64?).map { Date(milliseconds: $0) })
    }
}

extension Lease {
    static let columns =
        "stack, holder, who, host, pid, process, mode, acquired, heartbeat, expiry, epoch, expiry_uptime"

    /// When it ends, from a row of these columns.
    static func end(_ row: Row) -> Moment { Moment(milliseconds: row[9], uptime: row[11]) }

    init(_ row: Row) throws {
        self.init(
            stack: row[0],
            holder: LeaseHolder(token: row[1], who: row[2], host: row[3], pid: row[4], process: row[5]),
            mode: try LeaseMode(stored: row[6]), acquired: Date(milliseconds: row[7]),
            heartbeat: Date(milliseconds: row[8]), expiry: Date(milliseconds: row[9]), epoch: row[10])
    }
}

// MARK: - Texts

/// A stored text that should not be there: the file was damaged or edited.
struct UnreadableColumn: Error, CustomStringConvertible {
    let description: String
}

extension Address {
    init(stored text: String) throws {
        guard let address = Address(text) else {
            throw UnreadableColumn(description: "\"\(text)\" is not an address.")
        }
        self = address
    }
}

extension RawRepresentable where RawValue == String {
    init(stored text: String) throws {
        guard let value = Self(rawValue: text) else {
            throw UnreadableColumn(description: "\"\(text)\" is no \(Self.self).")
        }
        self = value
    }
}
