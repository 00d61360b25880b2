package import MusterModel

/// A family of resource types behind one installation: AWS, Rancher, Spot.
package protocol Provider: Sendable {
    /// `aws`: what stands before the dot in its types.
    var name: String { get }
    var resources: [ResourceSchema] { get }
    var lookups: [LookupSchema] { get }
    /// Both, each schema made when it is first asked for.
    var catalog: Catalog { get }

    /// Who the credentials of a configuration belong to; one cheap call, made first.
    func scope(for configuration: ProviderConfiguration) async throws(ProviderError) -> ProviderScope

    /// Which installation answers now where a row's object lives, for a provider whose objects name theirs themselves;
    /// otherwise the row's own scope.
    func installation(of record: ResourceRecord) async throws(ProviderError) -> ProviderScope

    /// A session, in which each listing is fetched at most once.
    ///
    /// - Parameter expecting: all objects that will be read, so that a listing can ask for what all types need of it.
    func session(
        for configuration: ProviderConfiguration, expecting: [ResourceType: [KnownObject]]
    ) async throws(ProviderError) -> any ProviderSession

    /// The text of a secret that rests with the provider: `ssm:/path`, `secretsmanager:id#key`.
    func secret(_ source: String, _ configuration: ProviderConfiguration) async throws(ProviderError) -> String
}

extension Provider {
    package var catalog: Catalog { Catalog(resources: resources, lookups: lookups) }
    package func installation(of record: ResourceRecord) async throws(ProviderError) -> ProviderScope { record.scope }
}

/// One consistent look at the cloud: listings are remembered until the session is dropped.
package protocol ProviderSession: Sendable {
    func handler(for type: ResourceType) -> (any ResourceHandler)?
    func lookup(_ kind: String, _ arguments: [String: Value]) async throws(ProviderError) -> [String: Value]
    /// The same look, whose changing requests ask for leave just before they are sent: one that gets none is not sent
    /// and ends as `.network`, or as `.outcomeUnknown` where an earlier attempt of the call was.
    func asking(_ leave: @escaping @Sendable () async -> Bool) -> any ProviderSession
    /// The same session, which looks for what a creation would overwrite where other steps looked a moment ago.
    func sharing(_ look: SharedLook) -> any ProviderSession
    /// After a delete: true when some request found nothing to delete, or none was sent. What is new may then still be
    /// there.
    func hasMissed() async -> Bool
}

extension ProviderSession {
    package func asking(_ leave: @escaping @Sendable () async -> Bool) -> any ProviderSession { self }
    package func sharing(_ look: SharedLook) -> any ProviderSession { self }
    package func hasMissed() async -> Bool { false }
}

/// An object to read, with its type erased.
package struct KnownObject: Sendable, Hashable {
    package var id: RemoteID
    package var arguments: [String: Value]
    package var declared: Set<String>

    package init(id: RemoteID, arguments: [String: Value] = [:], declared: Set<String> = []) {
        self.id = id
        self.arguments = arguments
        self.declared = declared
    }
}

/// A `ManagedResource` with its types erased: the form in which refreshing and applying use it.
package protocol ResourceHandler: Sendable {
    var schema: ResourceSchema { get }
    func read(_ known: [KnownObject]) async throws(ProviderError) -> [RemoteID: Observation]
    func list(in scope: ListingScope) async throws(ProviderError) -> [Observation]
    func find(
        _ desired: [String: Value], intent: Intent
    ) async throws(ProviderError) -> (observation: Observation, isOurs: Bool)?
    func create(_ desired: [String: Value], intent: Intent) async throws(ProviderError) -> Observation
    func update(
        _ id: RemoteID, from old: [String: Value], to new: [String: Value]
    ) async throws(ProviderError) -> Observation?
    func delete(_ id: RemoteID, last: [String: Value]) async throws(ProviderError)
    func abandon(_ last: [String: Value]) async throws(ProviderError)
    func importID(_ text: String) async throws(ProviderError) -> RemoteID
    /// Set where one call can make or delete several objects.
    var batches: (any BatchHandler)? { get }
}

extension ResourceHandler {
    package func abandon(_ last: [String: Value]) async throws(ProviderError) {}
    package var batches: (any BatchHandler)? { nil }
}

/// Something that is read and never managed. One kind is one file, in the shape of a resource.
package protocol Lookup: Sendable {
    associatedtype Arguments: ArgumentBlock
    associatedtype Outputs: ArgumentBlock
    static var schema: LookupSchema { get }
    /// Exactly one answer, or an error that says how many there were and how to narrow the question.
    func find(_ arguments: Arguments) async throws(ProviderError) -> Outputs
}

extension Lookup {
    /// Builds the schema from the fields.
    package static func makeSchema(_ kind: String, _ summary: String, isPinned: Bool = false) -> LookupSchema {
        LookupSchema(
            kind: kind, summary: summary, arguments: Arguments.fields.map(\.schema),
            outputs: Outputs.fields.map { OutputSchema($0.schema.name, $0.schema.type, $0.schema.documentation) },
            isPinned: isPinned)
    }

    /// The lookup over values.
    package func find(values: [String: Value]) async throws(ProviderError) -> [String: Value] {
        try await find(try decoded(values, of: "lookup \(Self.schema.kind)") as Arguments).members
    }
}

/// Erases the types of a resource.
package struct TypedHandler<Resource: ManagedResource>: ResourceHandler {
    private let resource: Resource

    package init(_ resource: Resource) { self.resource = resource }

    package var schema: ResourceSchema { Resource.schema.resource }

    package func read(_ known: [KnownObject]) async throws(ProviderError) -> [RemoteID: Observation] {
        var typed: [Known<Resource>] = []
        typed.reserveCapacity(known.count)
        for object in known {
            typed.append(
                Known(id: object.id, arguments: try arguments(object.arguments), declared: object.declared))
        }
        return try await resource.read(typed).mapValues(erased)
    }

    package func list(in scope: ListingScope) async throws(ProviderError) -> [Observation] {
        try await resource.list(in: scope).map(erased)
    }

    package func find(
        _ desired: [String: Value], intent: Intent
    ) async throws(ProviderError) -> (observation: Observation, isOurs: Bool)? {
        guard let found = try await resource.find(try arguments(desired), intent: intent) else { return nil }
        return (erased(found.observed), found.isOurs)
    }

    package func create(_ desired: [String: Value], intent: Intent) async throws(ProviderError) -> Observation {
        erased(try await resource.create(try arguments(desired), intent: intent))
    }

    package func update(
        _ id: RemoteID, from old: [String: Value], to new: [String: Value]
    ) async throws(ProviderError) -> Observation? {
        try await resource.update(id, from: try arguments(old), to: try arguments(new)).map(erased)
    }

    package func delete(_ id: RemoteID, last: [String: Value]) async throws(ProviderError) {
        try await resource.delete(id, last: try arguments(last))
    }

    package func abandon(_ last: [String: Value]) async throws(ProviderError) {
        try await resource.abandon(try arguments(last))
    }

    package func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        try await resource.importID(text)
    }

    package var batches: (any BatchHandler)? {
        (resource as? any BatchedResource).map { TypedHandler<Resource>.batchHandler($0) }
    }

    private static func batchHandler<Batched: BatchedResource>(_ resource: Batched) -> any BatchHandler {
        TypedBatchHandler(resource)
    }

    private func arguments(_ values: [String: Value]) throws(ProviderError) -> Resource.Arguments {
        try decoded(values, of: Resource.type.rawValue)
    }

    private func erased(_ observed: Observed<Resource>) -> Observation { observed.erased }
}

extension Observed {
    /// Without the types of its resource.
    var erased: Observation {
        var outputs = outputs.members
        outputs["id"] = .string(id.rawValue)
        return Observation(
            id: id, arguments: arguments.members, outputs: outputs, status: status, inForce: inForce, owed: owed,
            scope: scope)
    }
}

/// Deferred members are left out: a known object may still hold a value that only its digest is known of.
func decoded<Block: ArgumentBlock>(
    _ values: [String: Value], of what: String
) throws(ProviderError) -> Block {
    do {
        return try Block(decoding: values.filter { $0.value.isKnown })
    } catch {
        throw ProviderError(
            .invalid, "The argument \"\(error.argument)\" of \(what) is \(error.value.kindName), which does not fit.")
    }
}
