import MusterModel
import ProviderKit
import RancherClient

/// Arguments that every Rancher object has.
protocol RancherArguments: ArgumentBlock {
    var server: String? { get set }
    /// The environment that it is in; nil for what belongs to the server.
    var place: String? { get }
    var description: String? { get set }
    /// Says in which environment it is, where that is not known yet.
    mutating func locate(in environment: String)
}

extension RancherArguments {
    var place: String? { nil }
    mutating func locate(in environment: String) {}
}

/// Arguments of what can be switched off.
protocol SwitchedArguments: RancherArguments {
    var enabled: Bool? { get }
}

/// Arguments of what is in an environment.
protocol EnvironmentArguments: RancherArguments {
    var environment: String? { get set }
}

extension EnvironmentArguments {
    var place: String? { environment }
    mutating func locate(in environment: String) { self.environment = self.environment ?? environment }
}

/// A resource type of Rancher: what reading, finding and removing have in common. A type says how it is written and read.
protocol RancherResource: ManagedResource where Arguments: RancherArguments {
    static var kind: RancherKind { get }
    var rancher: RancherSession { get }

    /// The body of the request that makes it, without name clashes of its own: the mark is added.
    func body(_ desired: Arguments) async throws(ProviderError) -> [String: Value]
    /// - Parameter known: what was recorded of it, or is wanted.
    func observed(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> Observed<Self>
    /// True for an object that stands in the way of a new one.
    func isRival(_ object: RancherObject, of desired: Arguments) -> Bool
}

extension RancherResource {
    func collection(_ arguments: Arguments) throws(ProviderError) -> RancherCollection {
        RancherCollection(
            session: rancher, server: try rancher.servers.url(arguments.server), environment: arguments.place,
            kind: Self.kind)
    }

    func isRival(_ object: RancherObject, of desired: Arguments) -> Bool { false }

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            let (id, arguments) = located(object)
            guard let seen = try await collection(arguments).listed(id) else { continue }
            found[object.id] = try await placed(seen, arguments)
        }
        return found
    }

    /// The id as Rancher knows it, and where that is. What is to be imported is named with its place:
    /// `https://rancher.example.com#1a5/1st7`.
    func located(_ object: Known<Self>) -> (id: String, arguments: Arguments) {
        var id = object.id.rawValue[...]
        var arguments = object.arguments
        if let mark = id.lastIndex(of: "#") {
            arguments.server = arguments.server ?? String(id[..<mark])
            id = id[id.index(after: mark)...]
        }
        if let slash = id.lastIndex(of: "/") {
            arguments.locate(in: String(id[..<slash]))
            id = id[id.index(after: slash)...]
        }
        return (String(id), arguments)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let listed = try await collection(desired).fetch()
        if let ours = listed.first(where: { IntentMark.token(in: $0.details) == intent.token }) {
            return Found(try await placed(ours, desired), isOurs: true)
        }
        guard let rival = listed.first(where: { isRival($0, of: desired) }) else { return nil }
        return Found(try await placed(rival, desired), isOurs: false)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        try await placed(try await made(desired, intent), desired)
    }

    /// Makes it with its mark, unless something stands in the way.
    func made(_ desired: Arguments, _ intent: Intent) async throws(ProviderError) -> RancherObject {
        let collection = try collection(desired)
        var body = try await body(desired)
        body["description"] = .string(IntentMark.description(desired.description, intent.token))
        return try await collection.create(body)
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) { try await collection(last).remove(id) }

    /// What was seen, with the arguments that tell where, and the installation.
    func placed(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> Observed<Self> {
        var observed = try await observed(object, known)
        observed.arguments.server = known.server
        if observed.arguments.description == nil {
            observed.arguments.description = IntentMark.text(object.details)
        }
        observed.scope = try await rancher.servers.scope(try rancher.servers.url(known.server))
        return observed
    }

    /// The description to send where it changes: the mark stays.
    func described(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> [String: Value] {
        guard let text = new.description, text != old.description else { return [:] }
        let object = try await existing(id, new)
        return ["description": .string(IntentMark.description(text, keepingMarkOf: object.details))]
    }

    func existing(_ id: RemoteID, _ arguments: Arguments) async throws(ProviderError) -> RancherObject {
        if let object = try await collection(arguments).object(id) { return object }
        throw ProviderError(.notFound, "\(id) is not there any more.")
    }
}

/// A type whose objects can be switched off: they are made switched on.
protocol SwitchedResource: RancherResource where Arguments: SwitchedArguments {
    /// The members that change in place, apart from the description.
    func changes(from old: Arguments, to new: Arguments) -> [String: Value]
}

extension SwitchedResource {
    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        try await placed(try await made(desired, intent), desired).owingSwitch(desired)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let changes = try await described(id, from: old, to: new).merging(changes(from: old, to: new)) { $1 }
        let seen = try await changed(id, changes, new)
        return try await switched(id, from: old.enabled, to: new.enabled, new) ?? seen
    }
}

extension Observed where Resource: SwitchedResource {
    /// What was made is switched on: it owes to be switched off, where that is wanted.
    func owingSwitch(_ desired: Resource.Arguments) -> Self {
        var observed = self
        if desired.enabled == false { observed.owed.insert("enabled") }
        return observed
    }
}

extension RancherObject {
    /// Rancher does not tell names apart by their case.
    func hasName(_ wanted: String) -> Bool { name?.lowercased() == wanted.lowercased() }

    /// - Parameter isActiveWanted: nil: active or not, both will do.
    func status(isActiveWanted: Bool? = true) -> Observation.Status {
        if state == "removing" { return .deleting(progress) }
        if let failure { return .failed(failure) }
        switch state {
        case "active": return isActiveWanted == false ? .pending("deactivating") : .ready
        // Between its creation and its activation an object is inactive for a moment.
        case "inactive": return isActiveWanted == true ? .pending("inactive") : .ready
        case "created", "upgraded", "error": return .ready
        default: return .pending(progress)
        }
    }

    var isInactive: Bool { ["inactive", "deactivating", "updating-inactive"].contains(state) }
}

// MARK: - Fields that many types have

extension Field where Block: RancherArguments {
    static func server(_ path: any WritableKeyPath<Block, String?> & Sendable) -> Field {
        .argument(
            "server", path, onChange: .local, reference: .rancherServer,
            "The Rancher server: the name of a `rancher.server`, or its URL. Left out, what RANCHER_URL says.")
    }

    static func environment(_ path: any WritableKeyPath<Block, String?> & Sendable) -> Field {
        .argument(
            "environment", path, isRequired: true, onChange: .replace, reference: .rancherEnvironment,
            "The environment that it is in, by name or id.")
    }

    static func description(_ path: any WritableKeyPath<Block, String?> & Sendable) -> Field {
        .argument(
            "description", path, constraints: [.length(0, IntentMark.longestDescription)],
            "What it is for. muster adds a mark to it, by which it knows what it made.")
    }

    static func enabled(_ path: any WritableKeyPath<Block, Bool?> & Sendable, _ documentation: String) -> Field {
        .argument("enabled", path, absence: .means(true), documentation)
    }
}

extension RancherResource {
    /// Changes members in place. nil where there is nothing to change, since an earlier attempt of the update got further
    /// and Rancher takes no change of an object that is on its way.
    func changed(
        _ id: RemoteID, _ changes: [String: Value], _ new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        if changes.isEmpty { return nil }
        let live = try await existing(id, new)
        let changes = changes.filter { live[$0.key] != $0.value }
        if changes.isEmpty { return nil }
        return try await placed(try await collection(new).update(id, changes), new)
    }

    /// Activates or deactivates. nil where that is as it was.
    func switched(
        _ id: RemoteID, from old: Bool?, to new: Bool?, _ arguments: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let isWanted = new ?? true
        if isWanted == old ?? true { return nil }
        let collection = try collection(arguments)
        let object = try await existing(id, arguments)
        // An earlier attempt may have come this far.
        if isWanted ? ["active", "activating"].contains(object.state) : object.isInactive { return nil }
        try await collection.act(object, isWanted ? "activate" : "deactivate")
        return try await placed(try await existing(id, arguments), arguments)
    }
}

extension Dictionary where Key == String, Value == MusterModel.Value {
    mutating func set(_ member: String, _ value: (any ValueConvertible)?) {
        if let value { self[member] = value.value }
    }
}
