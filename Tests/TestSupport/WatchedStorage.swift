import FoundationEssentials
package import MusterModel
package import StateStorage

/// A storage in front of another one: whatever goes through it can be held up, ended, and told of.
package protocol WatchedStorage: StateStorage {
    var base: SQLiteStateStorage { get }
    func reading<Result: Sendable>(
        _ body: () async throws(StateError) -> Result
    ) async throws(StateError) -> Result
    /// With what is written, in short.
    func writing<Result: Sendable>(
        _ what: String, _ body: () async throws(StateError) -> Result
    ) async throws(StateError) -> Result
}

extension WatchedStorage {
    package func snapshot() async throws(StateError) -> Snapshot {
        try await reading { () async throws(StateError) in try await base.snapshot() }
    }
    package func snapshot(stacks: Set<String>) async throws(StateError) -> Snapshot {
        try await reading { () async throws(StateError) in try await base.snapshot(stacks: stacks) }
    }
    package func bindings() async throws(StateError) -> [String: StateBinding] {
        try await reading { () async throws(StateError) in try await base.bindings() }
    }
    package func runs(limit: Int) async throws(StateError) -> [RunRecord] {
        try await reading { () async throws(StateError) in try await base.runs(limit: limit) }
    }
    package func steps(ofRun run: Int64) async throws(StateError) -> [RunStepRecord] {
        try await reading { () async throws(StateError) in try await base.steps(ofRun: run) }
    }
    package func completedSteps(ofPlan plan: String) async throws(StateError) -> [Int: CompletedStep] {
        try await reading { () async throws(StateError) in try await base.completedSteps(ofPlan: plan) }
    }
    package func openIntents() async throws(StateError) -> [JournaledIntent] {
        try await reading { () async throws(StateError) in try await base.openIntents() }
    }
    package func leases() async throws(StateError) -> [Lease] {
        try await reading { () async throws(StateError) in try await base.leases() }
    }
    package func bind(_ bindings: [StateBinding]) async throws(StateError) {
        try await writing("bind") { () async throws(StateError) in try await base.bind(bindings) }
    }
    package func beginRun(_ run: RunStart) async throws(StateError) -> Int64 {
        try await writing("begin") { () async throws(StateError) in try await base.beginRun(run) }
    }
    package func recordIntent(_ intent: JournaledIntent) async throws(StateError) -> Int64 {
        try await writing("intent \(intent.operation.rawValue) \(intent.address)") { () async throws(StateError) in
            try await base.recordIntent(intent)
        }
    }
    package func complete(intent: Int64, _ change: StateChange, result: StepResult?) async throws(StateError) -> Int {
        try await writing("result \(intent) \(change.short)") { () async throws(StateError) in
            try await base.complete(intent: intent, change, result: result)
        }
    }
    package func record(_ change: RecordedChange) async throws(StateError) -> Int {
        try await writing("record \(change.change.short)") { () async throws(StateError) in
            try await base.record(change)
        }
    }
    package func record(_ result: StepResult, run: Int64, step: Step) async throws(StateError) {
        try await writing("ending of \(step.address): \(result.outcome.rawValue) \(result.detail ?? "")") {
            () async throws(StateError) in try await base.record(result, run: run, step: step)
        }
    }
    package func setOutputs(_ outputs: [String: [String: Value]], fence: Fence?) async throws(StateError) {
        try await writing("outputs") { () async throws(StateError) in try await base.setOutputs(outputs, fence: fence) }
    }
    package func endRun(_ run: Int64, outcome: RunOutcome) async throws(StateError) {
        try await writing("end \(outcome.rawValue)") { () async throws(StateError) in
            try await base.endRun(run, outcome: outcome)
        }
    }
    package func acquireLeases(
        _ stacks: [String: LeaseMode], holder: LeaseHolder, duration: Duration,
        isDead: @Sendable (LeaseHolder) -> Bool
    ) async throws(StateError) -> Fence {
        try await writing("lease") { () async throws(StateError) in
            try await base.acquireLeases(stacks, holder: holder, duration: duration, isDead: isDead)
        }
    }
    package func renewLeases(_ fence: Fence, duration: Duration) async throws(StateError) {
        // Heartbeats come when they come: they do not count.
        try await reading { () async throws(StateError) in try await base.renewLeases(fence, duration: duration) }
    }
    package func releaseLeases(_ fence: Fence) async throws(StateError) {
        try await writing("release") { () async throws(StateError) in try await base.releaseLeases(fence) }
    }
    package func move(_ from: Address, to: Address) async throws(StateError) -> String {
        try await writing("move") { () async throws(StateError) in try await base.move(from, to: to) }
    }
    package func forget(_ addresses: [Address]) async throws(StateError) -> String {
        try await writing("forget") { () async throws(StateError) in try await base.forget(addresses) }
    }
    package func check() async throws(StateError) -> [StateFinding] {
        try await reading { () async throws(StateError) in try await base.check() }
    }
}

extension StateChange {
    fileprivate var short: String {
        switch self {
        case .created(let record, let deposes):
            "created \(record.address) as \(record.id)\(record.isIncomplete ? ", incomplete" : "")\(deposes ? ", deposing" : "")"
        case .updated(let record): "updated \(record.address)\(record.isIncomplete ? ", incomplete" : "")"
        case .adopted(let record): "adopted \(record.address) as \(record.id)"
        case .deleted(let address): "deleted \(address)"
        case .deposedDeleted(let address, let id): "deleted \(id), a predecessor of \(address)"
        case .forgotten(let address): "forgot \(address)"
        case .moved(let from, let record): "moved \(from) to \(record.address)"
        case .nothing(let address): "nothing of \(address)"
        }
    }
}
