import AWSClient
import AWSProvider
import Applying
import Diagnostics
import FoundationEssentials
import HTTPTransport
import MusterModel
import Planning
import ProviderKit
import RancherClient
import RancherProvider
import RancherSimulation
import Refreshing
import ResourceGraph
import StateStorage
import TestSupport

/// How one run of `muster apply` ended.
enum RunEnd: Sendable {
    case nothingToDo
    case done
    case failed([StepFailure])
    /// Something moved, or cannot be settled yet.
    case refused([String])
    case broken(StateError)
    case couldNotPlan(String)

    var text: String {
        switch self {
        case .nothingToDo: "nothing to do"
        case .done: "done"
        case .failed(let failures): "failed: " + failures.map { "\($0.summary) (\($0.detail))" }.joined(separator: "; ")
        case .refused(let why): "refused: \(why.joined(separator: "; "))"
        case .broken(let error): "broken: \(error.summary) (\(error.detail))"
        case .couldNotPlan(let why): "could not plan: \(why)"
        }
    }
}

/// What stands between a run and its world, so that a planted fault can change it.
struct Interposers: Sendable {
    var storage: @Sendable (any StateStorage) -> any StateStorage = { $0 }
    var session: @Sendable (any ProviderSession) -> any ProviderSession = { $0 }
    var plan: @Sendable (Plan) -> Plan = { $0 }
    var digest: @Sendable (Value) -> String = Secrets.digest
    var rancher: RancherExchange = { $1($0) }
}

/// `muster apply --auto-approve` as one process: settle, look, plan, apply. All but the network, the clock and the
/// terminal is the real thing.
struct Muster: Sendable {
    let machine: Machine
    let cloud: SimulatedAWS
    let rancher: SimulatedRancher
    let statePath: String
    let window: Duration
    let parallelism: Int
    let deadPIDs: @Sendable (Int32) -> Bool
    let trouble: @Sendable (Int, Bool) -> Trouble?
    let makeToken: @Sendable () -> String
    let random: @Sendable () -> Double
    var interposers = Interposers()

    func apply(_ spec: Spec) async -> RunEnd {
        do {
            let provider = provider()
            let storage = try openStorage()
            let environment = environment(provider, storage)
            let identity = RunIdentity(who: "sim", host: "sim", pid: machine.pid)
            let settled = try await Applier(environment).settle(by: identity)
            for settlement in settled { machine.note("settled: \(settlement.text)") }
            machine.settledCount = settled.count
            let result = try await plan(spec, provider, storage)
            switch result {
            case .failure(let why): return .couldNotPlan(why.text)
            case .success(let plan):
                Secrets.look(for: plan, spec, machine)
                if plan.isEmpty { return .nothingToDo }
                for step in plan.steps {
                    machine.note(
                        "step \(step.id): \(step.operation.rawValue) \(step.address) \(step.target?.rawValue ?? "")\(step.isDeposed ? " (predecessor)" : "") after \(step.after)"
                    )
                }
                let outcome = try await Applier(environment).apply(
                    interposers.plan(plan), by: identity, interruptions: machine.died)
                switch outcome {
                case .done: return .done
                case .failed(let report), .interrupted(let report): return .failed(report.failures.map(\.failure))
                case .refused(let why): return .refused(why)
                }
            }
        } catch let error as StateError {
            return .broken(error)
        } catch {
            return .couldNotPlan("\(error)")
        }
    }

    /// What the next run would do; nil: nothing.
    func planText(_ spec: Spec) async -> String? {
        do {
            let result = try await plan(spec, provider(), try openStorage())
            switch result {
            case .failure(let why): return why.text
            case .success(let plan):
                return plan.isEmpty
                    ? nil
                    : plan.changes.map { change in
                        "\(change.action.rawValue) \(change.address) because \(change.reason) ("
                            + change.attributes.map { "\($0.path): \($0.before.debug) → \($0.after.debug)" }
                            .joined(separator: ", ") + ")"
                    }.joined(separator: "; ")
            }
        } catch {
            return "\(error)"
        }
    }

    private struct Why: Error { let text: String }

    private func plan(
        _ spec: Spec, _ provider: ProviderSet, _ storage: any StateStorage
    ) async throws -> Result<Plan, Why> {
        let catalog = Muster.catalog
        guard let linked = spec.linked(catalog) else { return .failure(Why(text: "the spec cannot be linked")) }
        let clock = machine.clock
        let read = clock.now
        let timing = timing
        let snapshot = try await storage.snapshot()
        let observations: Observations
        let scope: ProviderScope
        do {
            scope = try await provider.scope(for: Muster.configuration)
            observations = try await Refresher(
                provider: InterposedProvider(base: provider, interpose: interposers.session), catalog: catalog
            ).refresh(
                snapshot, spec: linked, imports: [], configurations: Muster.configurations, isWanted: { _ in true },
                patience: Refresher.Patience(
                    window: { timing.window(for: $0) }, elapsed: { read.duration(to: clock.now) },
                    pause: { try? await clock.sleep(for: $0) }))
        } catch let failure as Refresher.Failure {
            return .failure(Why(text: "reading \(failure.what): \(failure.error.message)"))
        } catch {
            return .failure(Why(text: "\(error)"))
        }
        let result = Planner.plan(
            PlanningInput(
                workspace: "sim", spec: linked, catalog: catalog, snapshot: snapshot, observations: observations,
                scopes: ["net": scope, "app": scope],
                configurations: Muster.configurations,
                secrets: SecretDigests(text: { Secrets.text(of: $0) }, digest: interposers.digest)))
        if !result.refusals.isEmpty {
            return .failure(Why(text: result.refusals.map { "\($0.summary): \($0.detail)" }.joined(separator: "; ")))
        }
        var plan = result.plan
        plan.id = makeToken()
        return .success(plan)
    }

    private static let configuration = ProviderConfiguration(region: SimulatedAWS.region)
    /// The stack of Rancher alone is in no account.
    private static let configurations = ["net": configuration, "app": configuration, "rancher": configuration]

    static let catalog: Catalog = {
        let provider = AWSProvider(
            factory: AWSClientFactory(
                collaborators: AWSCollaborators(
                    environment: [:], homeDirectory: nil, readFile: { _ in .absent },
                    now: { Timestamp(millisecondsSinceEpoch: 0) }, elapsed: { .zero }, sleep: { _ in },
                    random: { 0 }), version: "0", makeHTTPClient: { _ in Nowhere() }))
        return Catalog(resources: provider.resources, lookups: provider.lookups).joined(with: RancherProvider.catalog)
    }()

    private struct Nowhere: HTTPClient {
        func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse { throw .couldNotConnect("") }
    }

    private var timing: ApplyTiming { ApplyTiming(consistencyWindow: window) }

    private func openStorage() throws -> any StateStorage {
        interposers.storage(
            MachineStorage(
                try SQLiteStateStorage.forWriting(
                    path: statePath, workspace: "sim", now: { [machine] in machine.wallTime }, makeToken: makeToken,
                    uptime: { [machine] in Uptime(boot: "sim", elapsed: machine.now) }, executor: machine.timeline),
                machine))
    }

    private func provider() -> ProviderSet {
        let aws = awsProvider()
        return ProviderSet(home: aws, and: [rancherProvider(aws)])
    }

    private func awsProvider() -> AWSProvider {
        let machine = machine
        let collaborators = AWSCollaborators(
            environment: [
                "AWS_ACCESS_KEY_ID": "AKIASIM", "AWS_SECRET_ACCESS_KEY": "simulated", "AWS_REGION": SimulatedAWS.region,
            ], homeDirectory: nil, readFile: { _ in .absent },
            now: { Timestamp(millisecondsSinceEpoch: Int64(machine.wallTime.timeIntervalSince1970 * 1000)) },
            elapsed: { machine.now }, sleep: { try await machine.pause($0) }, random: random)
        let wire = Wire(machine, cloud, trouble: trouble)
        return AWSProvider(
            factory: AWSClientFactory(collaborators: collaborators, version: "0", makeHTTPClient: { _ in wire }))
    }

    private func rancherProvider(_ aws: AWSProvider) -> RancherProvider {
        let machine = machine
        let key = RancherCredentials(accessKey: SimulatedRancher.key.access, secretKey: SimulatedRancher.key.secret)
        let collaborators = RancherClient.Collaborators(
            http: Wire(
                machine, RancherRecipient(rancher: rancher, exchange: interposers.rancher), trouble: trouble),
            credentials: { key }, elapsed: { machine.now }, sleep: { try await machine.pause($0) }, random: random)
        return RancherProvider(
            override: nil, vault: ParameterVault(aws: aws),
            makeClient: { RancherClient(server: $0, userAgent: "muster/0", collaborators: collaborators) })
    }

    private func environment(_ provider: ProviderSet, _ storage: any StateStorage) -> ApplyEnvironment {
        let interpose = interposers.session
        let machine = machine
        let deadPIDs = deadPIDs
        return ApplyEnvironment(
            storage: storage, catalog: Muster.catalog,
            session: { (_, configuration, expecting) async throws(ProviderError) -> any ProviderSession in
                interpose(try await provider.session(for: configuration, expecting: expecting))
            },
            resolveSecret: { Secrets.text(of: $0) }, digest: interposers.digest, makeToken: makeToken, random: random,
            clock: machine.clock, now: { machine.wallTime },
            events: { event in
                switch event {
                case .stepStarted(let step): machine.order.begins(step)
                case .stepFinished(let step, _, _): machine.order.ends(step)
                case .stepFailed(let step, let failure, _):
                    machine.hitches.append("\(step.operation.rawValue) \(step.address): \(failure.summary)")
                    machine.note("failed \(step.address): \(failure.summary): \(failure.detail)")
                case .stepRetrying(let step, let why, _):
                    machine.hitches.append("\(step.operation.rawValue) \(step.address) again")
                    machine.note("retrying \(step.address): \(why)")
                default: break
                }
            }, parallelism: parallelism, timing: timing,
            isDead: { deadPIDs($0.pid) }, configurations: Muster.configurations)
    }
}

/// Keeps what a server shows only once in the parameters of the simulated AWS.
private struct ParameterVault: SecretVault {
    let aws: AWSProvider

    func check(_ place: String, _ configuration: ProviderConfiguration) async throws(ProviderError) {
        try await aws.checkSecretPlace(place, configuration)
    }
    func keep(_ text: String, at place: String, _ configuration: ProviderConfiguration) async throws(ProviderError) {
        try await aws.keepSecret(text, at: place, configuration)
    }
    func remove(_ place: String, _ configuration: ProviderConfiguration) async throws(ProviderError) {
        try await aws.removeSecret(at: place, configuration)
    }
}

/// A provider whose sessions pass through somebody's hands.
struct InterposedProvider: Provider {
    let base: ProviderSet
    let interpose: @Sendable (any ProviderSession) -> any ProviderSession

    var name: String { base.name }
    var resources: [ResourceSchema] { base.resources }
    var lookups: [LookupSchema] { base.lookups }
    func scope(for configuration: ProviderConfiguration) async throws(ProviderError) -> ProviderScope {
        try await base.scope(for: configuration)
    }
    func session(
        for configuration: ProviderConfiguration, expecting: [ResourceType: [KnownObject]]
    ) async throws(ProviderError) -> any ProviderSession {
        interpose(try await base.session(for: configuration, expecting: expecting))
    }
    func secret(_ source: String, _ configuration: ProviderConfiguration) async throws(ProviderError) -> String {
        try await base.secret(source, configuration)
    }
}

extension Optional where Wrapped == Value {
    fileprivate var debug: String { map { ValueJSON.text($0) } ?? "nil" }
}
