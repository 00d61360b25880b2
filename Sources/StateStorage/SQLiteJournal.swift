import FoundationEssentials
import GRDB
package import MusterModel

// What SQLiteStateStorage writes while a plan is applied. Every method is one transaction that touches a constant
// number of rows.

extension SQLiteStateStorage {
    package func bind(_ bindings: [StateBinding]) throws(StateError) {
        try write { database in
            for binding in bindings {
                if let row = try database.first(
                    "SELECT provider, account, endpoint FROM bindings WHERE key = ?", [binding.key])
                {
                    let bound = StateBinding(key: binding.key, provider: row[0], account: row[1], endpoint: row[2])
                    if bound != binding { throw StateError.boundElsewhere(bound, wanted: binding) }
                    continue
                }
                try database.run(
                    "INSERT INTO bindings (key, provider, account, endpoint) VALUES (?, ?, ?, ?)",
                    [binding.key, binding.provider, binding.account, binding.endpoint])
            }
        }
    }

    package func beginRun(_ run: RunStart) throws(StateError) -> Int64 {
        try write { database in
            let moment = self.moment()
            let now = moment.wall.milliseconds
            // A run that holds no lease any more has ended, whatever it could write last.
            try database.run(
                """
                UPDATE runs SET outcome = 'died' WHERE outcome = 'running' AND holder != ? \
                AND holder NOT IN (SELECT holder FROM leases)
                """, [run.holder])
            try database.run(
                """
                INSERT INTO runs (plan, holder, who, host, pid, git_commit, command, planned, started, seen, \
                seen_uptime, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running')
                """,
                [
                    run.plan, run.holder, run.who, run.host, run.pid, run.gitCommit, run.command, run.stepCount, now,
                    now, moment.uptimeText,
                ])
            return database.lastInsertedRowID
        }
    }

    package func endRun(_ run: Int64, outcome: RunOutcome) throws(StateError) {
        try write { database in
            try database.run(
                "UPDATE runs SET outcome = ?, ended = ? WHERE id = ?",
                [outcome.rawValue, self.now().milliseconds, run])
        }
    }

    package func recordIntent(_ intent: JournaledIntent) throws(StateError) -> Int64 {
        try write { database in
            let now = self.now()
            try database.check(intent.fence, for: intent.address.stack)
            let found = try database.version(of: intent.address, deposed: intent.isDeposed ? intent.target : nil)
            guard found == intent.expectedVersion else {
                throw StateError.moved(intent.address, expected: intent.expectedVersion, found: found)
            }
            let open = try database.first(
                "SELECT id FROM intents WHERE address = ? AND deposed = ? AND (deposed = 0 OR target = ?)",
                [intent.address.description, intent.isDeposed, intent.target?.rawValue])
            if open != nil { throw StateError.intentOpen(intent.address) }
            try intent.insert(database, now: now)
            let id = database.lastInsertedRowID
            try database.run(
                """
                INSERT INTO run_steps (run, step, address, operation, outcome, request_ids, started) \
                VALUES (?, ?, ?, ?, 'running', '[]', ?) ON CONFLICT DO NOTHING
                """, [intent.run, intent.step, intent.address.description, intent.operation.rawValue, now.milliseconds])
            return id
        }
    }

    package func complete(
        intent: Int64, _ change: StateChange, result: StepResult?
    ) throws(StateError) -> Int {
        try write { database in
            guard let row = try database.first("SELECT run, step FROM intents WHERE id = ?", [intent]) else {
                throw StateError.intentGone(intent)
            }
            try database.run("DELETE FROM intents WHERE id = ?", [intent])
            let version = try database.apply(change, at: self.moment())
            // A step has a version once it changed its row, however it ends.
            var left: Int? = version
            if case .nothing = change { left = nil }
            if let result {
                try database.run(
                    """
                    UPDATE run_steps SET outcome = ?, detail = ?, \
                    request_ids = coalesce(nullif(?, '[]'), request_ids), version = coalesce(?, version), \
                    ended = ? WHERE run = ? AND step = ?
                    """,
                    [
                        result.outcome.rawValue, result.detail, StateJSON.text(result.requestIDs.map(Value.string)),
                        left, result.outcome == .running ? nil : self.now().milliseconds, row[0] as Int64,
                        row[1] as Int,
                    ])
            } else if let left {
                try database.run(
                    "UPDATE run_steps SET version = ? WHERE run = ? AND step = ?",
                    [left, row[0] as Int64, row[1] as Int])
            }
            return version
        }
    }

    package func record(_ recorded: RecordedChange) throws(StateError) -> Int {
        try write { database in
            var address = recorded.change.address
            if case .moved(let from, _) = recorded.change {
                try database.check(recorded.fence, for: from.stack)
                address = from
            }
            try database.check(recorded.fence, for: recorded.change.address.stack)
            var deposed: RemoteID?
            if case .deposedDeleted(_, let id) = recorded.change { deposed = id }
            let found = try database.version(of: address, deposed: deposed)
            guard found == recorded.expectedVersion else {
                throw StateError.moved(address, expected: recorded.expectedVersion, found: found)
            }
            let version = try database.apply(recorded.change, at: self.moment())
            if let result = recorded.result {
                try database.write(
                    result, run: recorded.run, step: recorded.step, version: version, now: self.now().milliseconds)
            }
            return version
        }
    }

    package func record(_ result: StepResult, run: Int64, step: Step) throws(StateError) {
        try write { database in
            try database.write(result, run: run, step: step, version: nil, now: self.now().milliseconds)
        }
    }

    package func setOutputs(_ outputs: [String: [String: Value]], fence: Fence?) throws(StateError) {
        try write { database in
            for (stack, values) in outputs {
                try database.check(fence, for: stack)
                try database.run("DELETE FROM outputs WHERE stack = ?", [stack])
                for (name, value) in values {
                    try database.run(
                        "INSERT INTO outputs (stack, name, value) VALUES (?, ?, ?)",
                        [stack, name, StateJSON.text(value)])
                }
            }
        }
    }
}

// MARK: - Rows of one address

extension Database {
    /// Throws `.leaseLost` when another run took the stack over.
    fileprivate func check(_ fence: Fence?, for stack: String) throws {
        guard let fence else { return }
        // All of them: what is relied on is leased too.
        var held: [String: Int] = [:]
        for row in try all("SELECT stack, epoch FROM leases WHERE holder = ?", [fence.token]) { held[row[0]] = row[1] }
        for (leased, epoch) in fence.epochs.sorted(by: { $0.key < $1.key }) where held[leased] != epoch {
            throw StateError.leaseLost(leased)
        }
        guard held[stack] != nil else { throw StateError.leaseLost(stack) }
    }

    /// The version of the address, which outlives its row; of a deposed row, 0 when it is gone.
    fileprivate func version(of address: Address, deposed: RemoteID?) throws -> Int {
        let row =
            if let deposed {
                try first(
                    "SELECT version FROM resources WHERE address = ? AND deposed = ?",
                    [address.description, deposed.rawValue])
            } else {
                try first("SELECT version FROM address_versions WHERE address = ?", [address.description])
            }
        return row.map { $0[0] as Int } ?? 0
    }

    fileprivate func apply(_ change: StateChange, at now: Moment) throws -> Int {
        switch change {
        case .created(let record, let deposesPrevious):
            let present = try rowID(of: record.address)
            if let present, deposesPrevious {
                try run("UPDATE resources SET deposed = remote_id WHERE id = ?", [present])
            }
            let replaced = deposesPrevious ? nil : present
            try refuseDuplicate(record, except: replaced)
            let version = try nextVersion(of: record.address)
            if let replaced {
                try record.update(self, row: replaced, version: version)
            } else {
                try record.insert(self, version: version)
            }
            try run(
                "UPDATE resources SET made = ?, made_uptime = ? WHERE address = ? AND deposed = ''",
                [now.wall.milliseconds, now.uptimeText, record.address.description])
            return version
        case .updated(let record):
            guard let present = try rowID(of: record.address) else { throw StateError.noSuchResource(record.address) }
            try refuseDuplicate(record, except: present)
            let version = try nextVersion(of: record.address)
            try record.update(self, row: present, version: version)
            return version
        case .adopted(let record):
            if try rowID(of: record.address) != nil { throw StateError.addressTaken(record.address) }
            try refuseDuplicate(record, except: nil)
            let version = try nextVersion(of: record.address)
            try record.insert(self, version: version)
            return version
        case .deleted(let address), .forgotten(let address):
            guard let present = try rowID(of: address) else { return try version(of: address, deposed: nil) }
            try run("DELETE FROM resources WHERE id = ?", [present])
            return try nextVersion(of: address)
        case .deposedDeleted(let address, let id):
            try run("DELETE FROM resources WHERE address = ? AND deposed = ?", [address.description, id.rawValue])
            return try version(of: address, deposed: nil)
        case .moved(let from, let record):
            guard let present = try rowID(of: from) else { throw StateError.noSuchResource(from) }
            let version = try move(from, to: record.address)
            try record.update(self, row: present, version: version)
            return version
        case .nothing(let address):
            return try version(of: address, deposed: nil)
        }
    }

    /// Gives the rows of an address another one, and those that depend on it the new name. Returns the new version.
    func move(_ from: Address, to: Address) throws -> Int {
        if try rowID(of: to) != nil { throw StateError.addressTaken(to) }
        let version = try nextVersion(of: to)
        _ = try nextVersion(of: from)
        try run(
            "UPDATE resources SET address = ?, stack = ?, version = ? WHERE address = ? AND deposed = ''",
            [to.description, to.stack, version, from.description])
        try run(
            "UPDATE resources SET address = ?, stack = ? WHERE address = ?",
            [to.description, to.stack, from.description])
        try run(
            "UPDATE OR REPLACE edges SET dependency = ? WHERE dependency = ?", [to.description, from.description])
        return version
    }

    func rowID(of address: Address) throws -> Int64? {
        try first("SELECT id FROM resources WHERE address = ? AND deposed = ''", [address.description]).map { $0[0] }
    }

    func nextVersion(of address: Address) throws -> Int {
        try run(
            """
            INSERT INTO address_versions (address, stack, version) VALUES (?, ?, 1) \
            ON CONFLICT (address) DO UPDATE SET version = version + 1
            """, [address.description, address.stack])
        return try version(of: address, deposed: nil)
    }

    private func refuseDuplicate(_ record: ResourceRecord, except row: Int64?) throws {
        let other = try first(
            """
            SELECT address FROM resources WHERE remote_id = ? AND type = ? AND account = ? AND region = ? \
            AND provider = ? AND endpoint = ? AND id IS NOT ?
            """,
            [
                record.id.rawValue, record.address.type.rawValue, record.scope.account, record.scope.region,
                record.scope.provider, record.scope.endpoint, row,
            ])
        if let other { throw StateError.alreadyManaged(record.id, by: try Address(stored: other[0])) }
    }

    fileprivate func write(_ result: StepResult, run: Int64, step: Step, version: Int?, now: Int64) throws {
        try self.run(
            """
            INSERT INTO run_steps (run, step, address, operation, outcome, detail, request_ids, version, started, \
            ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, step) DO UPDATE SET \
            outcome = excluded.outcome, detail = excluded.detail, \
            request_ids = coalesce(nullif(excluded.request_ids, '[]'), request_ids), \
            version = coalesce(excluded.version, version), ended = excluded.ended
            """,
            [
                run, step.id, step.address.description, step.operation.rawValue, result.outcome.rawValue,
                result.detail, StateJSON.text(result.requestIDs.map(Value.string)), version, now,
                result.outcome == .running ? nil : now,
            ])
    }
}
