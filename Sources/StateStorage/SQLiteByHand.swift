import FoundationEssentials
import GRDB
package import MusterModel

// `muster state mv|rm` and `muster doctor`. What changes rows makes a backup first.

extension SQLiteStateStorage {
    package func move(_ from: Address, to: Address) throws(StateError) -> String {
        try refuseWhileHeld([from, to])
        guard try read(absent: false, { try $0.rowID(of: from) != nil }) else { throw .noSuchResource(from) }
        if try read(absent: false, { try $0.rowID(of: to) != nil }) { throw .addressTaken(to) }
        guard from.type == to.type else {
            throw StateError(
                .other, summary: "A resource cannot change its type",
                detail: "\(from) is a \(from.type) and \(to) names a \(to.type).",
                hint: "Move within one type; to manage the object as another type, remove it and import it.")
        }
        let copy = try backup()
        _ = try write { try $0.move(from, to: to) }
        return copy
    }

    package func forget(_ addresses: [Address]) throws(StateError) -> String {
        try refuseWhileHeld(addresses)
        for address in addresses {
            let isThere = try read(absent: false) { database in
                try database.first("SELECT 1 FROM resources WHERE address = ?", [address.description]) != nil
            }
            guard isThere else { throw .noSuchResource(address) }
        }
        let copy = try backup()
        try write { database in
            for address in addresses {
                try database.run("DELETE FROM resources WHERE address = ?", [address.description])
                _ = try database.nextVersion(of: address)
            }
        }
        return copy
    }

    /// A run that is under way, or an unsettled call, must not lose its row.
    private func refuseWhileHeld(_ addresses: [Address]) throws(StateError) {
        let now = now().milliseconds
        try read(absent: ()) { database in
            for address in addresses {
                if let row = try database.first(
                    """
                    SELECT \(Lease.columns) FROM leases WHERE stack = ? AND mode = 'exclusive' AND expiry > ?
                    """, [address.stack, now])
                {
                    throw StateError.leaseHeld(try Lease(row))
                }
                let open = try database.first("SELECT 1 FROM intents WHERE address = ?", [address.description])
                if open != nil { throw StateError.intentOpen(address) }
            }
        }
    }

    package func check() throws(StateError) -> [StateFinding] {
        let now = now()
        let path = path
        let first = try findingsAroundTheFile()
        return try read(absent: first) { database in
            var findings = first
            let restore = "Restore a backup (\"\(path).backup-…\"), and keep the damaged file."
            for row in try Row.fetchAll(database, sql: "PRAGMA integrity_check(20)") where row[0] as String != "ok" {
                findings.append(
                    StateFinding(
                        .damage, summary: "The state file is damaged", detail: row[0] as String, hint: restore))
            }
            for row in try Row.fetchAll(database, sql: "PRAGMA foreign_key_check") {
                findings.append(
                    StateFinding(
                        .damage, summary: "A row refers to one that is not there",
                        detail: "In table \(row[0] as String), towards \(row[2] as String).", hint: restore))
            }
            findings += try StateFinding.unreadableRows(database, hint: restore)
            for row in try database.all(
                """
                SELECT r.address, r.version, coalesce(v.version, 0) FROM resources r \
                LEFT JOIN address_versions v ON v.address = r.address \
                WHERE r.version > coalesce(v.version, 0) ORDER BY r.address
                """)
            {
                findings.append(
                    StateFinding(
                        .damage, summary: "A version is not known",
                        detail: "\(row[0] as String) has version \(row[1] as Int), but only \(row[2] as Int) was kept.",
                        hint: restore))
            }
            findings += try StateFinding.unfinished(database)
            for row in try database.all("SELECT \(Lease.columns) FROM leases WHERE expiry <= ?", [now.milliseconds]) {
                let lease = try Lease(row)
                findings.append(
                    StateFinding(
                        .notice, summary: "A lease was not given back",
                        detail: "\(lease.stack) was held by \(lease.holder.who) on \(lease.holder.host) (process "
                            + "\(lease.holder.pid)) until \(lease.expiry.formatted(.iso8601)).",
                        hint: "Nothing is to be done: the next apply takes it over."))
            }
            return findings
        }
    }
}

extension SQLiteStateStorage {
    /// Who else is at the file, how old it is, and what lies beside it.
    private func findingsAroundTheFile() throws(StateError) -> [StateFinding] {
        var findings: [StateFinding] = []
        guard let connection = try present() else { return findings }
        if connection.path == ":memory:" {
            findings.append(
                StateFinding(
                    .notice, summary: "The state was written by an older muster",
                    detail: "\"\(path)\" is read as it is.",
                    hint: "The next apply keeps a backup beside it and brings it up to date."))
        }
        if SQLiteStateStorage.isBeingWritten(path) {
            findings.append(
                StateFinding(
                    .notice, summary: "Another process is writing",
                    detail: "\"\(path)\" is locked at this moment.",
                    hint: "An apply waits ten seconds for such a lock; \"fuser\" on the file names the process."))
        }
        let file = StateFile(path: path)
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let files = (try? FileManager.default.contentsOfDirectory(atPath: file.folder)) ?? []
        let halfMade = files.filter { $0.hasPrefix("\(name).new-") }.sorted()
        if !halfMade.isEmpty {
            findings.append(
                StateFinding(
                    .notice, summary: "Half-made states lie beside it",
                    detail: "\(halfMade.joined(separator: ", ")): a run died while it made the state.",
                    hint: "They hold nothing and may be removed."))
        }
        return findings
    }

    /// Whether another process holds the lock that every write needs. Nothing is written to find out.
    private static func isBeingWritten(_ path: String) -> Bool {
        var configuration = Configuration()
        configuration.busyMode = .immediateError
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.inTransaction(.immediate) { _ in .rollback }
            return false
        } catch {
            return (error as? DatabaseError)?.resultCode == .SQLITE_BUSY
        }
    }
}

extension StateFinding {
    fileprivate static func unreadableRows(_ database: Database, hint: String) throws -> [StateFinding] {
        var findings: [StateFinding] = []
        let rows = try Row.fetchCursor(database, sql: "SELECT \(ResourceRecord.columns) FROM resources ORDER BY id")
        while let row = try rows.next() {
            do { _ = try ResourceRecord(row, dependencies: []) } catch {
                findings.append(
                    StateFinding(
                        .damage, summary: "A row cannot be read",
                        detail: "\(row[1] as String): \(error)", hint: hint))
            }
        }
        return findings
    }

    /// What the next apply puts right, and edges that lead nowhere.
    fileprivate static func unfinished(_ database: Database) throws -> [StateFinding] {
        var findings: [StateFinding] = []
        for row in try database.all("SELECT \(JournaledIntent.columns) FROM intents ORDER BY id") {
            let intent = try JournaledIntent(row)
            findings.append(
                StateFinding(
                    .pending, summary: "A call is not settled",
                    detail: "Run \(intent.run) was about to \(intent.operation.rawValue) \(intent.address) at "
                        + "\(intent.started.formatted(.iso8601)), and its result is not known.",
                    hint: "\"muster apply\" looks what has happened before it does anything else."))
        }
        for row in try database.all("SELECT address, remote_id FROM resources WHERE incomplete = 1 ORDER BY address") {
            findings.append(
                StateFinding(
                    .pending, summary: "A creation is not finished",
                    detail: "\(row[0] as String) (\(row[1] as String)) exists, but was not set up to its end.",
                    hint: "\"muster apply\" finishes it."))
        }
        for row in try database.all("SELECT address, remote_id FROM resources WHERE deposed != '' ORDER BY address") {
            findings.append(
                StateFinding(
                    .pending, summary: "A predecessor is still there",
                    detail: "\(row[1] as String) of \(row[0] as String) was replaced and not deleted yet.",
                    hint: "\"muster apply\" deletes it."))
        }
        for row in try database.all(
            """
            SELECT r.address, e.dependency FROM edges e JOIN resources r ON r.id = e.resource \
            WHERE e.dependency NOT IN (SELECT address FROM resources) ORDER BY r.address, e.dependency
            """)
        {
            let dependency = try Address(stored: row[1])
            if dependency.type.rawValue.hasPrefix("lookup.") { continue }
            findings.append(
                StateFinding(
                    .notice, summary: "A dependency is not in the state",
                    detail: "\(row[0] as String) was made after \(dependency), which has no row any more.",
                    hint: "Nothing is to be done: the next change of the resource forgets it."))
        }
        return findings
    }
}
