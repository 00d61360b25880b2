import MusterModel
import ProviderKit
import Synchronization

/// A cloud in memory. It keeps names unique, refuses to delete what is used, shows new things late, takes its time, and
/// fails on demand before or after the effect of a call.
final class SimulatedCloud: Sendable {
    struct Object {
        var id: RemoteID
        var type: ResourceType
        var arguments: [String: Value]
        var intent: String?
        var visibleAt: Duration = .zero
        var readyAt: Duration = .zero
        var goneAt: Duration?
    }

    struct Call: Sendable, Hashable {
        enum Verb: String, Sendable { case create, update, delete, read, find }
        var verb: Verb
        var type: ResourceType
        /// The name argument, or the id.
        var subject: String
    }

    struct Fault {
        var matches: @Sendable (Call) -> Bool
        var afterEffect = false
        var error: ProviderError
        var times = 1
    }

    struct State {
        var objects: [RemoteID: Object] = [:]
        var calls: [Call] = []
        var faults: [Fault] = []
        var count = 0
        /// How late new objects are seen, how long they take to become ready, and to go.
        var lag: Duration = .zero
        var making: Duration = .zero
        var deleting: Duration = .zero
        /// How long a look still finds what is gone, and its name is still taken.
        var forgetting: Duration = .zero
        var ghosts: [(object: Object, until: Duration)] = []
        /// Places outside of the cloud that were cleared when their object was deleted.
        var clearedPlaces: [Value] = []
        /// How long the answer to a look for an object is on its way.
        var answering: Duration = .zero
        var hook: (@Sendable (Call) async -> Void)?
    }

    let clock: ManualClock
    private let state = Mutex(State())

    init(_ clock: ManualClock) { self.clock = clock }

    func with<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        let now = clock.elapsed
        return try state.withLock { state in
            state.objects = state.objects.filter { $0.value.goneAt.map { $0 > now } ?? true }
            return try body(&state)
        }
    }

    var objects: [Object] { with { $0.objects.values.sorted { $0.id < $1.id } } }
    var names: [String] { objects.compactMap { $0.arguments["name"]?.string }.sorted() }
    var mutations: [Call] { with { $0.calls.filter { $0.verb != .read && $0.verb != .find } } }
    var reads: [Call] { with { $0.calls.filter { $0.verb == .read } } }
    func forgetCalls() { with { $0.calls = [] } }

    func fail(
        _ verb: Call.Verb, _ kind: ProviderError.Kind, afterEffect: Bool = false, times: Int = 1,
        message: String = "injected"
    ) {
        fail(verb, nil, kind, afterEffect: afterEffect, times: times, message: message)
    }

    func fail(
        _ verb: Call.Verb, _ subject: String?, _ kind: ProviderError.Kind, afterEffect: Bool = false,
        times: Int = 1, message: String = "injected"
    ) {
        with {
            $0.faults.append(
                Fault(
                    matches: { $0.verb == verb && (subject == nil || $0.subject == subject) },
                    afterEffect: afterEffect, error: ProviderError(kind, message, requestID: "r-1"), times: times))
        }
    }

    /// An object that somebody else made.
    @discardableResult
    func addForeign(_ type: ResourceType, _ arguments: [String: Value]) -> RemoteID {
        with { state in
            state.count += 1
            let id = RemoteID("foreign-\(state.count)")
            state.objects[id] = Object(id: id, type: type, arguments: arguments)
            return id
        }
    }

    // MARK: - Types

    static let network = schema(
        "sim.network",
        [
            ArgumentSchema("name", .string, onChange: .replace, ""),
            ArgumentSchema("text", .string, ""),
            ArgumentSchema("dns", .boolean, isSetAfterCreate: true, ""),
            ArgumentSchema("place", .string, isReadable: false, isPlace: true, ""),
            ArgumentSchema("forced", .boolean, onChange: .local, ""),
            ArgumentSchema("password", .string, isSensitive: true, ""),
            ArgumentSchema("tags", .map(.string), semantics: .tags, ""),
        ],
        [OutputSchema("arn", .string, ""), OutputSchema("digest", .string, changesWith: ["text"], "")])
    /// Knows no mark, but its name is unique.
    static let record = schema(
        "sim.record",
        [
            ArgumentSchema("name", .string, onChange: .replace, ""), ArgumentSchema("network", .string, ""),
            ArgumentSchema("text", .string, ""),
        ], [], naming: .unique(argument: "name", maximumLength: 40))
    /// Is its own key in its group. One call makes or deletes up to three of a group, or none when it refuses one.
    static let rule = ResourceSchema(
        type: "sim.rule", summary: "",
        arguments: [
            ArgumentSchema("name", .string, onChange: .replace, ""),
            ArgumentSchema("group", .string, onChange: .replace, ""), ArgumentSchema("text", .string, ""),
        ], outputs: [OutputSchema("id", .string, "")],
        batching: Batching(creation: ["group"], deletion: ["group"], most: 3), importSyntax: "ID")
    static let catalog = Catalog(resources: [network, record, rule], lookups: [])

    private static func schema(
        _ type: ResourceType, _ arguments: [ArgumentSchema], _ outputs: [OutputSchema],
        naming: ResourceSchema.Naming = .byID
    ) -> ResourceSchema {
        ResourceSchema(
            type: type, summary: "", arguments: arguments, outputs: [OutputSchema("id", .string, "")] + outputs,
            naming: naming, importSyntax: "ID")
    }

    func session() -> any ProviderSession { Session(cloud: self) }

    private struct Session: ProviderSession {
        let cloud: SimulatedCloud
        func handler(for type: ResourceType) -> (any ResourceHandler)? {
            SimulatedCloud.catalog[type].map { Handler(cloud: cloud, schema: $0) }
        }
        func lookup(
            _ kind: String, _ arguments: [String: Value]
        ) async throws(ProviderError) -> [String: Value] { [:] }
    }

    // MARK: - Calls

    /// Counts the call, fails it before or after its effect, and lets other tasks run meanwhile.
    fileprivate func call<Result>(
        _ call: Call, _ effect: (inout State) throws(ProviderError) -> Result
    ) async throws(ProviderError) -> Result {
        try await clock.busy { () async throws(ProviderError) -> Result in
            let hook = with { $0.hook }
            await hook?(call)
            for _ in 0..<3 { await Task.yield() }
            return try perform(call, effect)
        }
    }

    private func perform<Result>(
        _ call: Call, _ effect: (inout State) throws(ProviderError) -> Result
    ) throws(ProviderError) -> Result {
        let outcome = with { state -> Swift.Result<Result, ProviderError> in
            state.calls.append(call)
            let index = state.faults.firstIndex { $0.times > 0 && $0.matches(call) }
            if let index {
                state.faults[index].times -= 1
                let fault = state.faults[index]
                if !fault.afterEffect { return .failure(fault.error) }
                _ = try? effect(&state)
                return .failure(fault.error)
            }
            do throws(ProviderError) {
                return .success(try effect(&state))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private struct Handler: ResourceHandler, BatchHandler {
        let cloud: SimulatedCloud
        let schema: ResourceSchema
        private var now: Duration { cloud.clock.elapsed }

        var batches: (any BatchHandler)? { schema.batching == nil ? nil : self }

        private func subject(_ arguments: [String: Value], _ id: RemoteID? = nil) -> String {
            arguments["name"]?.string ?? id?.rawValue ?? ""
        }

        private func observation(_ object: Object) -> Observation {
            var outputs: [String: Value] = ["id": .string(object.id.rawValue)]
            if schema.type == "sim.network" {
                outputs["arn"] = .string("arn:\(object.id)")
                outputs["digest"] = .string("digest of \(object.arguments["text"]?.string ?? "")")
            }
            let status: Observation.Status =
                if object.goneAt != nil { .deleting("going") } else if object.readyAt > now { .pending("coming") } else
                {
                    .ready
                }
            var arguments = object.arguments
            arguments["password"] = nil
            return Observation(id: object.id, arguments: arguments, outputs: outputs, status: status)
        }

        private func isVisible(_ object: Object) -> Bool {
            object.type == schema.type && object.visibleAt <= now && object.goneAt ?? .seconds(1 << 40) > now
        }

        func read(_ known: [KnownObject]) async throws(ProviderError) -> [RemoteID: Observation] {
            let ids = known.map(\.id.rawValue).sorted().joined(separator: ",")
            return try await cloud.call(Call(verb: .read, type: schema.type, subject: ids)) { state in
                var found: [RemoteID: Observation] = [:]
                for object in known {
                    if let object = state.objects[object.id], isVisible(object) {
                        found[object.id] = observation(object)
                    }
                }
                return found
            }
        }

        func list(in scope: ListingScope) async throws(ProviderError) -> [Observation] { [] }

        func find(
            _ desired: [String: Value], intent: Intent
        ) async throws(ProviderError) -> (observation: Observation, isOurs: Bool)? {
            let call = Call(verb: .find, type: schema.type, subject: subject(desired))
            let found = try await seen(call, desired, intent)
            let pause = cloud.with { $0.answering }
            if pause > .zero { try? await cloud.clock.sleep(for: pause) }
            return found
        }

        private func seen(
            _ call: Call, _ desired: [String: Value], _ intent: Intent
        ) async throws(ProviderError) -> (observation: Observation, isOurs: Bool)? {
            try await cloud.call(call) { state in
                if schema.type == "sim.network" {
                    let object = state.objects.values.first { $0.intent == intent.token && isVisible($0) }
                    return object.map { (observation($0), true) }
                }
                if schema.type == "sim.rule" { return rule(desired, in: state).map { (observation($0), true) } }
                let ghosts = state.ghosts.filter { $0.until > now }.map(\.object)
                let object = (Array(state.objects.values) + ghosts).first {
                    isVisible($0) && $0.arguments["name"] == desired["name"]
                }
                guard let object else { return nil }
                return (observation(object), object.arguments["network"] == desired["network"])
            }
        }

        private func rule(_ wanted: [String: Value], in state: State) -> Object? {
            state.objects.values.first {
                isVisible($0) && $0.arguments["name"] == wanted["name"] && $0.arguments["group"] == wanted["group"]
            }
        }

        func create(_ desired: [String: Value], intent: Intent) async throws(ProviderError) -> Observation {
            let call = Call(verb: .create, type: schema.type, subject: subject(desired))
            return try await cloud.call(call) { (state) throws(ProviderError) in
                try add(desired, intent, to: &state)
            }
        }

        func create(_ batch: [[String: Value]], intent: Intent) async throws(ProviderError) -> [Observation?] {
            let subjects = batch.map { subject($0) }.joined(separator: ",")
            return try await cloud.call(Call(verb: .create, type: schema.type, subject: subjects)) {
                (state) throws(ProviderError) in
                var after = state
                var made: [Observation?] = []
                for desired in batch { made.append(try add(desired, intent, to: &after)) }
                state = after
                return made
            }
        }

        private func add(
            _ desired: [String: Value], _ intent: Intent, to state: inout State
        ) throws(ProviderError) -> Observation {
            if schema.type == "sim.record" { try refuseRecord(desired, in: state) }
            if schema.type == "sim.rule" {
                if desired["text"] == "bad" { throw ProviderError(.invalid, "That is no rule.") }
                if rule(desired, in: state) != nil { throw ProviderError(.alreadyExists, "The rule exists.") }
            }
            state.count += 1
            var arguments = desired
            for argument in schema.arguments where argument.isSetAfterCreate || argument.onChange == .local {
                arguments[argument.name] = nil
            }
            let object = Object(
                id: RemoteID("\(schema.type.rawValue.dropFirst(4))-\(state.count)"), type: schema.type,
                arguments: arguments, intent: intent.token, visibleAt: now + state.lag, readyAt: now + state.making)
            state.objects[object.id] = object
            return observation(object)
        }

        private func refuseRecord(_ desired: [String: Value], in state: State) throws(ProviderError) {
            let ghosts = state.ghosts.filter { $0.until > now }.map(\.object)
            let isTaken = (Array(state.objects.values) + ghosts).contains {
                $0.type == schema.type && $0.arguments["name"] == desired["name"]
            }
            if isTaken { throw ProviderError(.alreadyExists, "The name is taken.") }
            guard let network = desired["network"]?.string else { return }
            guard let object = state.objects[RemoteID(network)], object.visibleAt <= now else {
                throw ProviderError(.notYetVisible, "\(network) does not exist.")
            }
        }

        func update(
            _ id: RemoteID, from old: [String: Value], to new: [String: Value]
        ) async throws(ProviderError) -> Observation? {
            let call = Call(verb: .update, type: schema.type, subject: subject(new, id))
            return try await cloud.call(call) { (state) throws(ProviderError) in
                guard let object = state.objects[id], object.visibleAt <= now else {
                    throw ProviderError(.notFound, "\(id) does not exist.")
                }
                for (name, value) in new where old[name] != value { state.objects[id]?.arguments[name] = value }
                return nil
            }
        }

        func delete(_ id: RemoteID, last: [String: Value]) async throws(ProviderError) {
            let call = Call(verb: .delete, type: schema.type, subject: subject(last, id))
            return try await cloud.call(call) { (state) throws(ProviderError) in
                if let place = last["place"] { state.clearedPlaces.append(place) }
                try remove(id, from: &state)
            }
        }

        func abandon(_ last: [String: Value]) async throws(ProviderError) {
            cloud.with { state in
                if let place = last["place"] { state.clearedPlaces.append(place) }
            }
        }

        func delete(_ batch: [KnownObject]) async throws(ProviderError) {
            let subjects = batch.map { subject($0.arguments, $0.id) }.joined(separator: ",")
            return try await cloud.call(Call(verb: .delete, type: schema.type, subject: subjects)) {
                (state) throws(ProviderError) in
                var after = state
                for object in batch { try remove(object.id, from: &after) }
                state = after
            }
        }

        private func remove(_ id: RemoteID, from state: inout State) throws(ProviderError) {
            guard let object = state.objects[id], object.goneAt == nil else {
                throw ProviderError(.notFound, "\(id) does not exist.")
            }
            let users = state.objects.values.filter {
                $0.arguments["network"] == .string(id.rawValue) || $0.arguments["group"] == .string(id.rawValue)
            }
            if let user = users.first { throw ProviderError(.inUse, "\(id) is used by \(user.id).") }
            if state.deleting == .zero {
                state.objects[id] = nil
                state.ghosts.append((object, now + state.forgetting))
            } else {
                state.objects[id]?.goneAt = now + state.deleting
            }
        }

        func importID(_ text: String) async throws(ProviderError) -> RemoteID { RemoteID(text) }
    }
}
