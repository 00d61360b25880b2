import Applying
import MusterModel
import ProviderKit
import StateStorage

// Mistakes planted on purpose, one at a time, generated from what there is: for every type its settlement key and, in
// Rancher, the mark that it is found by; for every operation its intent; for every kind of edge between steps; for every way in which a row says
// that something is still owed. The simulator must notice each.

/// One mistake in what muster does.
package struct PlantedFault: Sendable, CustomStringConvertible {
    package let description: String
    let interposers: Interposers
    /// What it takes away; nil: that cannot be counted.
    private let effect: Effect?
    /// Shows in what nobody disturbs.
    private let isInPlan: Bool
    /// The types that a scenario must be about to notice it; empty: any.
    let types: Set<ResourceType>

    /// How often the mistake was made: one that is never made cannot be noticed.
    final class Effect: @unchecked Sendable { var count = 0 }

    init(
        _ description: String, types: Set<ResourceType> = [], effect: Effect? = nil, isInPlan: Bool = false,
        _ interposers: Interposers
    ) {
        self.effect = effect
        self.isInPlan = isInPlan
        self.description = description
        self.interposers = interposers
        self.types = types
    }

    package static let all: [PlantedFault] = settlementKeys + rancher + intents + edges + taints + secrets

    // MARK: What is planted

    /// `find` of a type finds nothing, or calls everything somebody else's.
    private static var settlementKeys: [PlantedFault] {
        SpecMaker.types.flatMap { type in
            [
                (BrokenSession.Find.nothing, "its creation is never found"),
                (.foreign, "what is found is called foreign"),
            ]
            .map { find, text in
                let effect = Effect()
                return PlantedFault(
                    "\(type): \(text)", types: [type], effect: effect,
                    Interposers(session: { BrokenSession(base: $0, type: type, find: find, effect: effect) }))
            }
        }
    }

    /// The intent of an operation is not kept, or is kept only after the call.
    private static var intents: [PlantedFault] {
        JournaledIntent.Operation.allCases.map { operation in
            PlantedFault(
                "the intent to \(operation.rawValue) is not kept",
                Interposers(storage: { BrokenStorage(base: $0, fault: .forgetsIntent(operation)) }))
        } + [
            PlantedFault(
                "a result leaves its intent open",
                Interposers(storage: { BrokenStorage(base: $0, fault: .keepsIntent) })),
            PlantedFault(
                "a successor replaces the row of its predecessor",
                Interposers(storage: { BrokenStorage(base: $0, fault: .forgetsPredecessor) })),
        ]
    }

    /// A class of edge between the steps of a plan is left out.
    private static var edges: [PlantedFault] {
        let operations: [Step.Operation] = [.create, .update, .delete]
        return operations.flatMap { earlier in
            operations.map { later in
                let effect = Effect()
                return PlantedFault(
                    "a \(later.rawValue) does not wait for a \(earlier.rawValue)", effect: effect, isInPlan: true,
                    Interposers(plan: { plan in
                        var plan = plan
                        let steps = plan.steps
                        for index in plan.steps.indices where steps[index].operation == later {
                            let count = plan.steps[index].after.count
                            plan.steps[index].after.removeAll { steps[$0].operation == earlier }
                            effect.count += count - plan.steps[index].after.count
                        }
                        return plan
                    }))
            }
        }
    }

    /// A row does not say that something is still owed.
    private static var taints: [PlantedFault] {
        [
            PlantedFault(
                "a creation that is not finished is called whole",
                Interposers(storage: { BrokenStorage(base: $0, fault: .neverIncomplete) })),
            PlantedFault(
                "what is not set yet is recorded as applied",
                Interposers(storage: { BrokenStorage(base: $0, fault: .recordsWhatIsOwed) })),
            PlantedFault(
                "what was made lately is taken for gone when it is not seen",
                Interposers(storage: { BrokenStorage(base: $0, fault: .hasNoAges) })),
        ]
    }

    /// A secret is kept or shown.
    private static var secrets: [PlantedFault] {
        let types: Set<ResourceType> = ["aws.db_instance", "aws.elasticache_replication_group"]
        return [
            PlantedFault(
                "the digest of a secret is its text", types: types, Interposers(digest: { ValueJSON.text($0) })),
            PlantedFault(
                "an intent holds the text of a secret", types: types,
                Interposers(storage: { BrokenStorage(base: $0, fault: .tellsSecretsInIntents) })),
            PlantedFault(
                "a row holds the text of a secret", types: types,
                Interposers(storage: { BrokenStorage(base: $0, fault: .tellsSecretsInRows) })),
            PlantedFault(
                "two secrets have the same digest", types: types, Interposers(digest: { _ in "sim:0" })),
        ]
    }

    /// The text of a secret, where only a reference to it may stand.
    fileprivate static let told = Value.string(Secrets.text(of: SecretReference(name: "password", source: "env:TOLD")))

    // MARK: Whether it is noticed

    /// What became of it.
    package enum Outcome: Sendable {
        case noticed(String)
        /// No plan gives it anything to do.
        case neverMade
        case survives
    }

    package func outcome() -> Outcome {
        if let found = noticed() { return .noticed(found) }
        return effect?.count == 0 ? .neverMade : .survives
    }

    /// The first scenario that breaks a law with the mistake and keeps them without it; nil: it was never noticed.
    package func noticed() -> String? {
        if isInPlan {
            for life in Life.all {
                if let found = breaks(life.scenario(crash: nil, lag: 0, making: 3)) { return "\(life): \(found)" }
            }
            for seed in UInt64(1)..<400 {
                if let found = breaks(.calm(seed: seed)) { return "calm seed \(seed): \(found)" }
            }
        }
        // A mistake of one type shows where that is made; the others in a few lives that have every kind of step.
        let lives = Life.all.filter {
            types.isEmpty
                ? ["aws.instance", "aws.internet_gateway", "aws.security_group", "aws.subnet"].contains($0.type)
                : types.contains($0.type) && $0.event != .delete
        }
        for life in lives {
            if life.event == .create, let found = breaks(life.claimed) {
                return "\(life), whose name is taken: \(found)"
            }
            for (lag, making) in [(types.isEmpty ? 15 : 0, 3)] {
                let whole = life.scenario(crash: nil, lag: lag, making: making)
                if let found = breaks(whole) { return "\(life): \(found)" }
                guard let last = whole.run().boundaries.last else { continue }
                for call in 0..<last.calls {
                    for boundary in CrashPoint.CallBoundary.allCases {
                        let crashed = life.scenario(crash: .call(call, boundary), lag: lag, making: making)
                        if let found = breaks(crashed) { return "\(life), \(boundary.rawValue) \(call): \(found)" }
                    }
                }
                for write in 0..<last.writes {
                    let crashed = life.scenario(crash: .write(write, isAfter: true), lag: lag, making: making)
                    if let found = breaks(crashed) { return "\(life), after write \(write): \(found)" }
                }
                // Lost and late answers, which an uncrashed run must find its way through.
                for call in 0..<6 {
                    for trouble in [Trouble.lostReply, .faultAfterEffect, .arrivesTwice] {
                        var troubled = life.scenario(crash: nil, lag: lag, making: making)
                        guard !troubled.stages.isEmpty else { continue }
                        for later in call..<(call + 12) {
                            troubled.stages[troubled.stages.count - 1].runs[0].troubles[later] = trouble
                        }
                        if let found = breaks(troubled) { return "\(life), \(trouble.rawValue) from \(call): \(found)" }
                    }
                }
            }
        }
        for seed in UInt64(1)..<(types.isEmpty ? 120 : 20) {
            let scenario = Scenario.random(seed: seed)
            if let found = breaks(scenario) { return "seed \(seed): \(found)" }
        }
        return nil
    }

    private func breaks(_ scenario: Scenario) -> String? {
        let wrong = scenario.run(interposers)
        if wrong.violations.isEmpty, wrong.oddities.isEmpty { return nil }
        let right = scenario.run()
        guard right.violations.isEmpty else { return nil }
        return wrong.violations.first ?? wrong.oddities.subtracting(right.oddities).min()
    }
}

/// A session in which one type cannot find what it made.
private struct BrokenSession: ProviderSession {
    enum Find { case nothing, foreign }

    let base: any ProviderSession
    let type: ResourceType
    let find: Find
    let effect: PlantedFault.Effect

    func handler(for type: ResourceType) -> (any ResourceHandler)? {
        guard let handler = base.handler(for: type) else { return nil }
        return type == self.type ? BrokenHandler(base: handler, find: find, effect: effect) : handler
    }
    func lookup(_ kind: String, _ arguments: [String: Value]) async throws(ProviderError) -> [String: Value] {
        try await base.lookup(kind, arguments)
    }
    func asking(_ leave: @escaping @Sendable () async -> Bool) -> any ProviderSession {
        BrokenSession(base: base.asking(leave), type: type, find: find, effect: effect)
    }
    func hasMissed() async -> Bool { await base.hasMissed() }
}

private struct BrokenHandler: ResourceHandler {
    let base: any ResourceHandler
    let find: BrokenSession.Find
    let effect: PlantedFault.Effect

    var schema: ResourceSchema { base.schema }
    func read(_ known: [KnownObject]) async throws(ProviderError) -> [RemoteID: Observation] {
        try await base.read(known)
    }
    func list(in scope: ListingScope) async throws(ProviderError) -> [Observation] { try await base.list(in: scope) }
    func find(
        _ desired: [String: Value], intent: Intent
    ) async throws(ProviderError) -> (observation: Observation, isOurs: Bool)? {
        if find == .nothing { effect.count += 1 }
        guard find == .foreign, let found = try await base.find(desired, intent: intent) else { return nil }
        if found.isOurs { effect.count += 1 }
        return (found.observation, false)
    }
    func create(_ desired: [String: Value], intent: Intent) async throws(ProviderError) -> Observation {
        try await base.create(desired, intent: intent)
    }
    func update(
        _ id: RemoteID, from old: [String: Value], to new: [String: Value]
    ) async throws(ProviderError) -> Observation? { try await base.update(id, from: old, to: new) }
    func delete(_ id: RemoteID, last: [String: Value]) async throws(ProviderError) {
        try await base.delete(id, last: last)
    }
    func abandon(_ last: [String: Value]) async throws(ProviderError) { try await base.abandon(last) }
    func importID(_ text: String) async throws(ProviderError) -> RemoteID { try await base.importID(text) }
    var batches: (any BatchHandler)? { base.batches }
}

/// A state that forgets one thing.
private struct BrokenStorage: StateStorage {
    enum Fault: Sendable, Equatable {
        case forgetsIntent(JournaledIntent.Operation)
        case keepsIntent, forgetsPredecessor, neverIncomplete, recordsWhatIsOwed, hasNoAges
        case tellsSecretsInIntents, tellsSecretsInRows
    }

    let base: any StateStorage
    let fault: Fault

    func snapshot() async throws(StateError) -> Snapshot { changed(try await base.snapshot()) }
    func snapshot(stacks: Set<String>) async throws(StateError) -> Snapshot {
        changed(try await base.snapshot(stacks: stacks))
    }
    private func changed(_ snapshot: Snapshot) -> Snapshot {
        var snapshot = snapshot
        if fault == .hasNoAges { snapshot.ages = [:] }
        return snapshot
    }
    func bindings() async throws(StateError) -> [String: StateBinding] { try await base.bindings() }
    func runs(limit: Int) async throws(StateError) -> [RunRecord] { try await base.runs(limit: limit) }
    func steps(ofRun run: Int64) async throws(StateError) -> [RunStepRecord] { try await base.steps(ofRun: run) }
    func completedSteps(ofPlan plan: String) async throws(StateError) -> [Int: CompletedStep] {
        try await base.completedSteps(ofPlan: plan)
    }
    /// As if the intents of the operation had never been written.
    func openIntents() async throws(StateError) -> [JournaledIntent] {
        let intents = try await base.openIntents()
        guard case .forgetsIntent(let operation) = fault else { return intents }
        for intent in intents where intent.operation == operation {
            _ = try await base.complete(intent: intent.id, .nothing(intent.address), result: nil)
        }
        return intents.filter { $0.operation != operation }
    }
    func leases() async throws(StateError) -> [Lease] { try await base.leases() }
    func bind(_ bindings: [StateBinding]) async throws(StateError) { try await base.bind(bindings) }
    func beginRun(_ run: RunStart) async throws(StateError) -> Int64 { try await base.beginRun(run) }
    func recordIntent(_ intent: JournaledIntent) async throws(StateError) -> Int64 {
        var intent = intent
        if fault == .tellsSecretsInIntents { intent.arguments["password"] = PlantedFault.told }
        return try await base.recordIntent(intent)
    }
    func complete(intent: Int64, _ change: StateChange, result: StepResult?) async throws(StateError) -> Int {
        var change = change
        switch (fault, change) {
        case (.neverIncomplete, .created(var record, let deposes)):
            record.isIncomplete = false
            change = .created(record, deposesPrevious: deposes)
        case (.neverIncomplete, .updated(var record)):
            record.isIncomplete = false
            change = .updated(record)
        case (.tellsSecretsInRows, .created(var record, let deposes)):
            record.arguments["password"] = PlantedFault.told
            change = .created(record, deposesPrevious: deposes)
        case (.forgetsPredecessor, .created(let record, _)): change = .created(record, deposesPrevious: false)
        case (.keepsIntent, .created): throw StateError(.other, summary: "planted", detail: "planted", hint: "planted")
        case (.recordsWhatIsOwed, .created(var record, let deposes)):
            if let open = try await base.openIntents().first(where: { $0.id == intent }) {
                record.arguments = open.arguments
            }
            record.isIncomplete = false
            change = .created(record, deposesPrevious: deposes)
        default: break
        }
        return try await base.complete(intent: intent, change, result: result)
    }
    func record(_ change: RecordedChange) async throws(StateError) -> Int { try await base.record(change) }
    func record(_ result: StepResult, run: Int64, step: Step) async throws(StateError) {
        try await base.record(result, run: run, step: step)
    }
    func setOutputs(_ outputs: [String: [String: Value]], fence: Fence?) async throws(StateError) {
        try await base.setOutputs(outputs, fence: fence)
    }
    func endRun(_ run: Int64, outcome: RunOutcome) async throws(StateError) {
        try await base.endRun(run, outcome: outcome)
    }
    func acquireLeases(
        _ stacks: [String: LeaseMode], holder: LeaseHolder, duration: Duration,
        isDead: @Sendable (LeaseHolder) -> Bool
    ) async throws(StateError) -> Fence {
        try await base.acquireLeases(stacks, holder: holder, duration: duration, isDead: isDead)
    }
    func renewLeases(_ fence: Fence, duration: Duration) async throws(StateError) {
        try await base.renewLeases(fence, duration: duration)
    }
    func releaseLeases(_ fence: Fence) async throws(StateError) { try await base.releaseLeases(fence) }
    func move(_ from: Address, to: Address) async throws(StateError) -> String { try await base.move(from, to: to) }
    func forget(_ addresses: [Address]) async throws(StateError) -> String { try await base.forget(addresses) }
    func check() async throws(StateError) -> [StateFinding] { try await base.check() }
}
