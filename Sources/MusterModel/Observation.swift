/// A remote object as the cloud shows it.
package struct Observation: Sendable, Hashable {
    package var id: RemoteID
    /// Every argument that the listing tells, in the form of the schema; one that is not there was not read.
    package var arguments: [String: Value]
    package var outputs: [String: Value]
    package var status: Status
    /// Of arguments whose change waits for its time (`ChangeTiming`): the values until then. `arguments` has those
    /// afterwards.
    package var inForce: [String: Value]
    /// Told by a creation: wanted arguments that the call could not carry and that an update must set.
    package var owed: Set<String>
    /// Where it lives, of a type whose objects name their installation themselves; nil: as its stack says.
    package var scope: ProviderScope?

    package enum Status: Sendable, Hashable {
        case ready
        /// On its way; the provider's own word for the state.
        case pending(String)
        /// Will never become ready; why.
        case failed(String)
        /// Being deleted; the provider's own word.
        case deleting(String)
    }

    package init(
        id: RemoteID, arguments: [String: Value], outputs: [String: Value] = [:], status: Status = .ready,
        inForce: [String: Value] = [:], owed: Set<String> = [], scope: ProviderScope? = nil
    ) {
        self.id = id
        self.arguments = arguments
        self.outputs = outputs
        self.status = status
        self.inForce = inForce
        self.owed = owed
        self.scope = scope
    }
}

/// A row of the state: one remote object that muster made or adopted.
package struct ResourceRecord: Sendable, Hashable {
    package var address: Address
    package var id: RemoteID
    package var scope: ProviderScope
    /// The arguments as last applied, evaluated; a tainted one is kept as its expression, never as its value.
    package var arguments: [String: Value]
    package var outputs: [String: Value]
    /// Keyed digests of tainted or sensitive arguments, by name.
    package var digests: [String: String]
    /// The protection that the spec gave last; removing the spec does not remove it.
    package var isProtected: Bool
    /// Grows by one with every change of the row.
    package var version: Int
    /// Counts the objects that a create-before-destroy replacement gave new names; 1 is the first.
    package var generation: Int
    /// Created, but not finished: an update that belongs to the creation is still owed.
    package var isIncomplete: Bool
    /// What it depended on when it was last applied: direct edges, for deletes in the right order.
    package var dependencies: [Address]

    package init(
        address: Address, id: RemoteID, scope: ProviderScope, arguments: [String: Value],
        outputs: [String: Value] = [:], digests: [String: String] = [:], isProtected: Bool = false, version: Int = 1,
        generation: Int = 1, isIncomplete: Bool = false, dependencies: [Address] = []
    ) {
        self.address = address
        self.id = id
        self.scope = scope
        self.arguments = arguments
        self.outputs = outputs
        self.digests = digests
        self.isProtected = isProtected
        self.version = version
        self.generation = generation
        self.isIncomplete = isIncomplete
        self.dependencies = dependencies
    }
}

/// What the state held at one moment.
package struct Snapshot: Sendable {
    /// The identity of the state, made once; a plan belongs to one lineage.
    package var lineage: String
    package var records: [Address: ResourceRecord]
    /// Objects whose successor exists already and that are still to be deleted.
    package var deposed: [Address: [ResourceRecord]]
    /// The version that the row of an address had last, kept after the row is gone.
    package var versions: [Address: Int]
    /// Values of stack outputs as last applied; a secret one is kept as its expression.
    package var outputs: [String: [String: Value]]
    /// How long ago, when this was read, muster made the objects that it made within the last hour: what is that new may
    /// not be visible to every look yet.
    package var ages: [RemoteID: Duration] = [:]

    package init(
        lineage: String, records: [Address: ResourceRecord] = [:], deposed: [Address: [ResourceRecord]] = [:],
        versions: [Address: Int] = [:], outputs: [String: [String: Value]] = [:]
    ) {
        self.lineage = lineage
        self.records = records
        self.deposed = deposed
        self.versions = versions
        self.outputs = outputs
    }
}

/// What a refresh saw.
package struct Observations: Sendable {
    /// For each address that was read: the object, or nil when it is gone. An address that is absent was not read.
    package var objects: [Address: Observation?]
    /// Foreign and known children of parents that own their children, by parent and child type.
    package var children: [Address: [ResourceType: [Observation]]]
    /// Results of lookups, by their address (`stack:lookup.amis/base`).
    package var lookups: [Address: [String: Value]]
    /// Objects named by `import:`; nil when there is none with that id.
    package var imports: [Address: Observation?]

    package init(
        objects: [Address: Observation?] = [:], children: [Address: [ResourceType: [Observation]]] = [:],
        lookups: [Address: [String: Value]] = [:], imports: [Address: Observation?] = [:]
    ) {
        self.objects = objects
        self.children = children
        self.lookups = lookups
        self.imports = imports
    }
}
