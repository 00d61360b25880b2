import Foundation
import MusterModel
import ProviderKit
import StateStorage
import Synchronization
import TestSupport
import Testing

@testable import Applying

/// A cloud, a state in a folder of its own, and a clock; and what it takes to apply a plan to them.
final class World: Sendable {
    let clock = ManualClock()
    let cloud: SimulatedCloud
    let folder: String
    private let log = Mutex<[ApplyEvent]>([])
    private let numbers = Mutex(0)
    let secrets = Mutex<[String: String]>(["db": "hunter2-hunter2"])
    let parallelism = Mutex(4)
    let window = Mutex(Duration.seconds(300))

    static let noon = Date(timeIntervalSince1970: 1_767_268_800)
    static let scope = ProviderScope(provider: "sim", account: "1", region: "here", endpoint: "sim")
    static let ann = RunIdentity(who: "ann", host: "desk", pid: 7)

    init() throws {
        cloud = SimulatedCloud(clock)
        // Hundreds of states are written here, and none of them must outlive the machine.
        let memory = "/dev/shm"
        let base =
            FileManager.default.isWritableFile(atPath: memory)
            ? memory : FileManager.default.temporaryDirectory.path
        folder = base + "/muster-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var statePath: String { folder + "/muster.db" }
    var now: Date { World.noon.addingTimeInterval(clock.elapsed.seconds) }

    func token() -> String {
        let number = numbers.withLock { number in
            number += 1
            return number
        }
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 32 - text.count) + text
    }

    func storage() throws -> SQLiteStateStorage {
        try .forWriting(path: statePath, workspace: "test", now: { self.now }, makeToken: { self.token() })
    }

    var events: [ApplyEvent] { log.withLock { $0 } }
    /// The events in short, without those that say how long something took.
    var story: [String] {
        events.compactMap { event in
            switch event {
            case .started(let count): "started \(count)"
            case .stepStarted(let step): "\(step.operation.rawValue) \(step.address.name)"
            case .stepWaiting, .stepRetrying: nil
            case .stepFinished(let step, _, _): "done \(step.address.name)"
            case .stepFailed(let step, let failure, _): "failed \(step.address.name): \(failure.kind.rawValue)"
            case .stepSkipped(let step, let because): "skipped \(step.address.name) because \(because.name)"
            case .interrupted(let inFlight): "interrupted \(inFlight.map(\.name).joined(separator: ","))"
            }
        }
    }

    func environment(_ storage: any StateStorage) -> ApplyEnvironment {
        ApplyEnvironment(
            storage: storage, catalog: SimulatedCloud.catalog,
            session: { [cloud] (_, _, _) async throws(ProviderError) in cloud.session() },
            resolveSecret: { reference in
                guard let text = self.secrets.withLock({ $0[reference.name] }) else { throw NoSecret() }
                return text
            },
            digest: { StalenessCheck.hash(["key", $0]) }, makeToken: { self.token() },
            random: { 0.5 }, clock: clock, now: { self.now },
            events: { event in self.log.withLock { $0.append(event) } }, parallelism: parallelism.withLock { $0 },
            timing: ApplyTiming(consistencyWindow: window.withLock { $0 }))
    }

    /// Applies to the world's state, through a storage that tells the clock when it works.
    func apply(
        _ plan: Plan, by identity: RunIdentity = World.ann, storage: (any StateStorage)? = nil,
        interruptions: AsyncStream<Void> = AsyncStream { $0.finish() }
    ) async throws -> ApplyOutcome {
        let storage = try storage ?? ObservedStorage(base: self.storage(), clock: clock)
        let applier = Applier(environment(storage))
        return try await clock.run { try await applier.apply(plan, by: identity, interruptions: interruptions) }
    }

    @discardableResult
    func settle(by identity: RunIdentity = World.ann) async throws -> [Settlement] {
        let applier = Applier(environment(ObservedStorage(base: try storage(), clock: clock)))
        return try await clock.run { try await applier.settle(by: identity) }
    }

    func snapshot() async throws -> Snapshot { try await storage().snapshot() }

    /// Applies a plan that must end well.
    func expectDone(
        _ plan: Plan, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> ApplyReport? {
        let outcome = try await apply(plan)
        guard case .done(let report) = outcome else {
            Issue.record("\(outcome)", sourceLocation: sourceLocation)
            return nil
        }
        return report
    }

    private struct NoSecret: Error, CustomStringConvertible { let description = "it is not set" }
}

/// A storage during whose work no time passes, and which can die before or after any of its writes.
final class ObservedStorage: WatchedStorage {
    struct Death: Sendable {
        /// Counted from 0.
        var atWrite: Int
        var isAfter: Bool
    }

    let base: SQLiteStateStorage
    private let clock: ManualClock
    private let death: Death?
    private let writes = Mutex(0)
    private let isDead = Mutex(false)

    init(base: SQLiteStateStorage, clock: ManualClock, death: Death? = nil) {
        self.base = base
        self.clock = clock
        self.death = death
    }

    var writeCount: Int { writes.withLock { $0 } }
    var died: Bool { isDead.withLock { $0 } }

    private static let dead = StateError(.other, summary: "dead", detail: "dead", hint: "dead")

    func writing<Result: Sendable>(
        _ what: String, _ body: () async throws(StateError) -> Result
    ) async throws(StateError) -> Result {
        if died { throw ObservedStorage.dead }
        let number = writes.withLock { count in
            count += 1
            return count - 1
        }
        let isLast = number == death?.atWrite
        if isLast, death?.isAfter == false {
            isDead.withLock { $0 = true }
            throw ObservedStorage.dead
        }
        let result = try await clock.busy(body)
        if isLast {
            isDead.withLock { $0 = true }
            throw ObservedStorage.dead
        }
        return result
    }

    func reading<Result: Sendable>(
        _ body: () async throws(StateError) -> Result
    ) async throws(StateError) -> Result {
        if died { throw ObservedStorage.dead }
        return try await clock.busy(body)
    }
}

// MARK: - Plans

func network(_ name: String, stack: String = "vpc") -> Address {
    Address(stack: stack, type: "sim.network", name: name)
}

func simRecord(_ name: String, stack: String = "vpc") -> Address {
    Address(stack: stack, type: "sim.record", name: name)
}

func rule(_ name: String, stack: String = "vpc") -> Address {
    Address(stack: stack, type: "sim.rule", name: name)
}

func output(_ address: Address, _ name: String = "id") -> Value {
    .deferred(Deferred(.output(OutputReference(address, name))))
}

func secret(_ name: String = "db", prefix: String = "") -> Value {
    let reference = Expression.secret(SecretReference(name: name, source: "env:\(name)"))
    return .deferred(Deferred(prefix.isEmpty ? reference : .template([.literal(.string(prefix)), reference])))
}

func plan(_ steps: [Step], outputs: [OutputChange] = []) -> Plan { plan("p", steps, outputs: outputs) }

func plan(_ id: String, _ steps: [Step], outputs: [OutputChange] = [], reliesOn: [Reliance] = []) -> Plan {
    let numbered = steps.enumerated().map { number, step in
        var step = step
        step.id = number
        return step
    }
    return Plan(
        workspace: "test", lineage: "", id: id, steps: numbered, outputs: outputs, reliesOn: reliesOn,
        configurations: ["vpc": ProviderConfiguration()], scopes: ["vpc": World.scope])
}

func create(
    _ address: Address, _ arguments: [String: Value] = [:], after: [Int] = [], version: Int = 0,
    timeouts: Timeouts = Timeouts()
) -> Step {
    var desired = arguments
    if desired["name"] == nil { desired["name"] = .string(address.name) }
    return Step(
        id: 0, address: address, operation: .create, desired: desired, after: after, version: version,
        scope: World.scope, timeouts: timeouts)
}

/// A step on an object that is there, as a plan would make it from the state and the cloud.
func step(
    _ operation: Step.Operation, _ record: ResourceRecord, _ cloud: SimulatedCloud, desired: [String: Value] = [:],
    after: [Int] = [], isDeposed: Bool = false, timeouts: Timeouts = Timeouts()
) -> Step {
    let live = cloud.with { $0.objects[record.id]?.arguments } ?? [:]
    let prior = record.arguments.merging(live) { recorded, live in recorded.isKnown ? live : recorded }
    return Step(
        id: 0, address: record.address, operation: operation, target: record.id, desired: desired, prior: prior,
        after: after, version: record.version, fingerprint: fingerprint(of: record, live), scope: World.scope,
        timeouts: timeouts, isDeposed: isDeposed)
}

func fingerprint(of record: ResourceRecord, _ live: [String: Value]) -> String? {
    guard let schema = SimulatedCloud.catalog[record.address.type] else { return nil }
    return fingerprint(
        schema: schema, id: record.id, arguments: live, recorded: record.arguments,
        hash: StalenessCheck.hash)
}
