package import MusterModel

/// A type of remote object that muster makes, reads, changes and deletes. One type is one file in one shape.
///
/// The contract:
/// - reads change nothing, and are bulk: all ids in one call, through listings that several types share;
/// - `create` is exactly one mutating call that yields the id, and makes one object however often it is sent with the
///   same intent; what remains of a creation is an idempotent `update` (arguments marked `isSetAfterCreate`);
/// - deleting what is gone succeeds;
/// - no call waits for readiness: the applier polls `read`.
package protocol ManagedResource: Sendable {
    /// What the user sets.
    associatedtype Arguments: ArgumentBlock
    /// What the cloud decides.
    associatedtype Outputs: ArgumentBlock

    static var schema: Schema<Arguments, Outputs> { get }

    /// The objects with these ids; one that is absent from the answer is gone.
    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>]

    /// What is there, managed or not.
    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>]

    /// The object that an interrupted or duplicate `create` may have made: by the intent's mark, else by the natural
    /// key. `Found.isOurs` is false for an object that has the key but not the mark where the type can carry one.
    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>?

    /// Makes the object with one call.
    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self>

    /// Makes the difference between `old` and `new`, in idempotent calls. nil: the outputs stay as they are.
    func update(_ id: RemoteID, from old: Arguments, to new: Arguments) async throws(ProviderError) -> Observed<Self>?

    /// Deletes the object; `last` is what was known of its arguments.
    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError)

    /// Takes away what was kept somewhere else for an object that is not there (any more), such as a secret in its place;
    /// what is gone already is fine.
    func abandon(_ last: Arguments) async throws(ProviderError)

    /// Turns what a person writes after `muster import ADDRESS` into the id that muster uses.
    func importID(_ text: String) async throws(ProviderError) -> RemoteID
}

extension ManagedResource {
    package static var type: ResourceType { schema.resource.type }
    package func abandon(_ last: Arguments) async throws(ProviderError) {}
    package func importID(_ text: String) async throws(ProviderError) -> RemoteID { RemoteID(text) }
    package func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] { [] }
}

/// The schema of a resource type: its fields, and what else muster must know.
package struct Schema<Arguments: ArgumentBlock, Outputs: ArgumentBlock>: Sendable {
    package let resource: ResourceSchema

    /// - Parameters:
    ///   - outputs: `id` is added to what `Outputs` declares.
    package init(
        _ type: ResourceType, _ summary: String, naming: ResourceSchema.Naming = .byID,
        replacement: ReplacementOrder = .deleteFirst, parentArgument: String? = nil,
        deletionHazards: [Hazard.Kind] = [], isServing: Bool = false, isAwaited: Bool = false,
        keepsake: Keepsake? = nil, overwrites: Bool = false, batching: Batching? = nil,
        timeouts: Timeouts = Timeouts(), importSyntax: String
    ) {
        resource = ResourceSchema(
            type: type, summary: summary, arguments: Arguments.fields.map(\.schema),
            outputs: [OutputSchema("id", .string, "The id that the cloud gave.")]
                + Outputs.fields.map {
                    OutputSchema(
                        $0.schema.name, $0.schema.type, changesWith: $0.changesWith, $0.schema.documentation)
                },
            naming: naming, replacement: replacement, parentArgument: parentArgument,
            deletionHazards: deletionHazards, isServing: isServing, isAwaited: isAwaited, keepsake: keepsake,
            overwrites: overwrites, batching: batching, timeouts: timeouts, importSyntax: importSyntax)
    }
}

/// An object that is to be read: its id and what is known of it.
package struct Known<Resource: ManagedResource>: Sendable {
    package var id: RemoteID
    /// As last recorded; empty when nothing is known (import).
    package var arguments: Resource.Arguments
    /// The arguments that the spec sets: those that cost a call of their own are read only if they are among them.
    package var declared: Set<String>

    package init(id: RemoteID, arguments: Resource.Arguments = .init(), declared: Set<String> = []) {
        self.id = id
        self.arguments = arguments
        self.declared = declared
    }
}

/// A remote object as it was seen.
package struct Observed<Resource: ManagedResource>: Sendable {
    package var id: RemoteID
    /// What the answer told; members that it does not tell are nil and are not compared.
    package var arguments: Resource.Arguments
    package var outputs: Resource.Outputs
    package var status: Observation.Status
    /// Of arguments whose change waits for its time: the values until then. `arguments` has those afterwards.
    package var inForce: [String: Value] = [:]
    /// Told by `create`: wanted arguments that the call could not carry and that an update must set.
    package var owed: Set<String> = []
    /// Where it lives, of a type whose objects name their installation themselves; nil: as its stack says.
    package var scope: ProviderScope?

    package init(
        id: RemoteID, arguments: Resource.Arguments, outputs: Resource.Outputs = .init(),
        status: Observation.Status = .ready
    ) {
        self.id = id
        self.arguments = arguments
        self.outputs = outputs
        self.status = status
    }
}

/// What `find` found.
package struct Found<Resource: ManagedResource>: Sendable {
    package var observed: Observed<Resource>
    package var isOurs: Bool

    package init(_ observed: Observed<Resource>, isOurs: Bool) {
        self.observed = observed
        self.isOurs = isOurs
    }
}

/// What `list` looks at.
package enum ListingScope: Sendable, Hashable {
    case everything
    /// The children of these parents, for a type with a `parentArgument`.
    case children(of: [RemoteID])
}

/// The durable mark of one creation: written before the call, carried by the object where it can carry tags.
package struct Intent: Sendable, Hashable {
    /// 32 lower-case hexadecimal digits; also the client token where the API has one.
    package var token: String
    package var address: Address

    package init(token: String, address: Address) {
        self.token = token
        self.address = address
    }

    /// The tag that every taggable create carries.
    package static let tagKey = "muster:intent"
    package var tag: (key: String, value: String) { (Intent.tagKey, token) }
}
