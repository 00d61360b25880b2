import FoundationEssentials
import GRDB
package import MusterModel

// What SQLiteStateStorage reads.

extension SQLiteStateStorage {
    package func snapshot() throws(StateError) -> Snapshot { try snapshot(where: "", []) }

    package func snapshot(stacks: Set<String>) throws(StateError) -> Snapshot {
        let marks = Array(repeating: "?", count: stacks.count).joined(separator: ",")
        return try snapshot(where: "WHERE stack IN (\(marks))", stacks.sorted())
    }

    private func snapshot(where condition: String, _ stacks: [String]) throws(StateError) -> Snapshot {
        try read(absent: Snapshot(lineage: "")) { database in
            let arguments = StatementArguments(stacks)
            var snapshot = Snapshot(
                lineage: try String.fetchOne(database, sql: "SELECT lineage FROM meta") ?? "")
            var edges: [Int64: [Address]] = [:]
            let dependencies = try Row.fetchCursor(
                database,
                sql: """
                    SELECT resource, dependency FROM edges WHERE resource IN (SELECT id FROM resources \(condition)) \
                    ORDER BY resource, dependency
                    """, arguments: arguments)
            while let row = try dependencies.next() {
                edges[row[0], default: []].append(try Address(stored: row[1]))
            }
            let resources = try Row.fetchCursor(
                database, sql: "SELECT \(ResourceRecord.columns) FROM resources \(condition) ORDER BY id",
                arguments: arguments)
            while let row = try resources.next() {
                let record = try ResourceRecord(row, dependencies: edges[row[0]] ?? [])
                if (row[2] as String).isEmpty {
                    snapshot.records[record.address] = record
                } else {
                    snapshot.deposed[record.address, default: []].append(record)
                }
            }
            let now = self.moment()
            let young = try Row.fetchCursor(
                database,
                sql: """
                    SELECT remote_id, made, made_uptime FROM resources WHERE made IS NOT NULL AND \
                    (made > ? OR made_uptime LIKE ?)
                    """,
                arguments: [
                    now.wall.milliseconds - 3_600_000,
                    // A clock that was set forward must not make anything old.
                    now.uptime.boot.isEmpty ? "-" : now.uptime.boot + " %",
                ])
            while let row = try young.next() {
                let age = now.since(Moment(milliseconds: row[1], uptime: row[2]))
                if age < .seconds(3600) { snapshot.ages[RemoteID(row[0])] = max(.zero, age) }
            }
            let versions = try Row.fetchCursor(
                database, sql: "SELECT address, version FROM address_versions \(condition)", arguments: arguments)
            while let row = try versions.next() { snapshot.versions[try Address(stored: row[0])] = row[1] }
            let outputs = try Row.fetchCursor(
                database, sql: "SELECT stack, name, value FROM outputs \(condition)", arguments: arguments)
            while let row = try outputs.next() {
                snapshot.outputs[row[0], default: [:]][row[1]] = try StateJSON.value(row[2])
            }
            return snapshot
        }
    }

    package func bindings() throws(StateError) -> [String: StateBinding] {
        try read(absent: [:]) { database in
            var bindings: [String: StateBinding] = [:]
            for row in try database.all("SELECT key, provider, account, endpoint FROM bindings") {
                let binding = StateBinding(key: row[0], provider: row[1], account: row[2], endpoint: row[3])
                bindings[binding.key] = binding
            }
            return bindings
        }
    }

    package func runs(limit: Int) throws(StateError) -> [RunRecord] {
        try read(absent: []) { database in
            try database.all("SELECT \(RunRecord.columns) FROM runs ORDER BY id DESC LIMIT ?", [limit])
                .map(RunRecord.init)
        }
    }

    package func run(_ id: Int64) throws(StateError) -> RunRecord? {
        try read(absent: nil) { database in
            try database.first("SELECT \(RunRecord.columns) FROM runs WHERE id = ?", [id]).map(RunRecord.init)
        }
    }

    package func steps(ofRun run: Int64) throws(StateError) -> [RunStepRecord] {
        try read(absent: []) { database in
            try database.all("SELECT \(RunStepRecord.columns) FROM run_steps WHERE run = ? ORDER BY step", [run])
                .map(RunStepRecord.init)
        }
    }

    /// The steps of all runs that were about an address, the latest first.
    package func steps(of address: Address, limit: Int) throws(StateError) -> [RunStepRecord] {
        try read(absent: []) { database in
            try database.all(
                """
                SELECT \(RunStepRecord.columns) FROM run_steps WHERE address = ? ORDER BY run DESC, step DESC LIMIT ?
                """, [address.description, limit]
            ).map(RunStepRecord.init)
        }
    }

    /// How many steps of each of these runs came to each end.
    package func stepCounts(ofRuns runs: [Int64]) throws(StateError) -> [Int64: [StepResult.Outcome: Int]] {
        try read(absent: [:]) { database in
            let marks = Array(repeating: "?", count: runs.count).joined(separator: ",")
            var counts: [Int64: [StepResult.Outcome: Int]] = [:]
            for row in try database.all(
                "SELECT run, outcome, count(*) FROM run_steps WHERE run IN (\(marks)) GROUP BY run, outcome",
                StatementArguments(runs))
            {
                counts[row[0], default: [:]][try StepResult.Outcome(stored: row[1])] = row[2]
            }
            return counts
        }
    }

    package func completedSteps(ofPlan plan: String) throws(StateError) -> [Int: CompletedStep] {
        try read(absent: [:]) { database in
            let done = try database.first("SELECT 1 FROM runs WHERE plan = ? AND outcome = 'done'", [plan])
            if done != nil { return [:] }
            var steps: [Int: CompletedStep] = [:]
            for row in try database.all(
                """
                SELECT step, address, version, run_steps.outcome FROM run_steps JOIN runs ON runs.id = run \
                WHERE plan = ? AND version IS NOT NULL ORDER BY run
                """, [plan])
            {
                steps[row[0]] = CompletedStep(
                    address: try Address(stored: row[1]), version: row[2],
                    isFinished: try StepResult.Outcome(stored: row[3]) == .done)
            }
            return steps
        }
    }

    package func openIntents() throws(StateError) -> [JournaledIntent] {
        try read(absent: []) { database in
            let now = self.moment()
            return try database.all(
                """
                SELECT \(JournaledIntent.columns), \
                (SELECT seen FROM runs WHERE runs.id = intents.run), \
                (SELECT seen_uptime FROM runs WHERE runs.id = intents.run) FROM intents ORDER BY id
                """
            ).map { row in
                var intent = try JournaledIntent(row)
                let seen = (row[21] as Int64?).map { Moment(milliseconds: $0, uptime: row[22] ?? "") }
                let heard = now.since(seen ?? Moment(wall: intent.started, uptime: Uptime()))
                intent.silence = max(.zero, heard)
                return intent
            }
        }
    }

    package func leases() throws(StateError) -> [Lease] {
        try read(absent: []) { database in
            let now = self.moment()
            return try database.all("SELECT \(Lease.columns) FROM leases ORDER BY stack, holder").map { row in
                var lease = try Lease(row)
                lease.isOver = now.since(Lease.end(row)) >= .zero
                return lease
            }
        }
    }
}
