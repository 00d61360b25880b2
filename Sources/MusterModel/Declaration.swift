package import Diagnostics

/// A primitive resource as the spec wants it: the result of lowering.
package struct Declaration: Sendable {
    package var address: Address
    package var arguments: [String: Value]
    /// The place of the definition that made it.
    package var range: SourceRange?
    /// The places of single arguments, where they are closer than `range`.
    package var argumentRanges: [String: SourceRange]
    /// Order edges: what must exist before, without lending a value.
    package var dependsOn: [Reference]
    package var lifecycle: Lifecycle
    package var timeouts: Timeouts?
    /// Arguments that belong to the moment of creation: an existing object keeps what it has.
    package var initialArguments: Set<String>
    /// Arguments with several right values; an existing object keeps the one it has as long as it is among them.
    package var candidates: [String: [Value]]
    /// The child types whose whole set this resource owns: foreign members are drift and planned for removal.
    package var exclusiveChildren: [ResourceType]
    /// Children that the cloud makes by itself and that the spec accepts although it does not declare them: the
    /// arguments by which such a child is known.
    package var toleratedChildren: [ResourceType: [[String: Value]]] = [:]
    /// Members of one group are replaced or interrupted one at a time, in the order of their addresses.
    package var serialGroup: String?

    package init(
        _ address: Address, arguments: [String: Value], range: SourceRange? = nil,
        argumentRanges: [String: SourceRange] = [:], dependsOn: [Reference] = [], lifecycle: Lifecycle = Lifecycle(),
        timeouts: Timeouts? = nil, initialArguments: Set<String> = [], candidates: [String: [Value]] = [:],
        exclusiveChildren: [ResourceType] = [], serialGroup: String? = nil
    ) {
        self.address = address
        self.arguments = arguments
        self.range = range
        self.argumentRanges = argumentRanges
        self.dependsOn = dependsOn
        self.lifecycle = lifecycle
        self.timeouts = timeouts
        self.initialArguments = initialArguments
        self.candidates = candidates
        self.exclusiveChildren = exclusiveChildren
        self.serialGroup = serialGroup
    }
}

/// `lifecycle:` of a definition.
package struct Lifecycle: Sendable, Hashable {
    package var preventDestroy: Bool
    /// nil: as the type's schema says.
    package var createBeforeDestroy: Bool?
    /// Arguments whose changes are not looked at.
    package var ignoreChanges: Set<String>
    /// The object is replaced when one of these is replaced or updated.
    package var replaceTriggeredBy: [Reference]

    package init(
        preventDestroy: Bool = false, createBeforeDestroy: Bool? = nil, ignoreChanges: Set<String> = [],
        replaceTriggeredBy: [Reference] = []
    ) {
        self.preventDestroy = preventDestroy
        self.createBeforeDestroy = createBeforeDestroy
        self.ignoreChanges = ignoreChanges
        self.replaceTriggeredBy = replaceTriggeredBy
    }
}

/// An output of a stack.
package struct OutputDeclaration: Sendable {
    package var stack: String
    package var name: String
    package var value: Value
    package var isSecret: Bool
    package var range: SourceRange?

    package init(stack: String, name: String, value: Value, isSecret: Bool = false, range: SourceRange? = nil) {
        self.stack = stack
        self.name = name
        self.value = value
        self.isSecret = isSecret
        self.range = range
    }
}

/// `import:`: a remote object that is to be adopted as a declared resource.
package struct ImportDeclaration: Sendable {
    package var address: Address
    package var id: RemoteID
    package var range: SourceRange?

    package init(address: Address, id: RemoteID, range: SourceRange? = nil) {
        self.address = address
        self.id = id
        self.range = range
    }
}

/// `moved:` of a spec: a resource that has another address than before.
package struct MovedDeclaration: Sendable {
    package var from: Address
    package var to: Address
    package var range: SourceRange?

    package init(from: Address, to: Address, range: SourceRange? = nil) {
        self.from = from
        self.to = to
        self.range = range
    }
}

/// `removed:` of a spec: a resource that is no longer declared, and what becomes of its object.
package struct RemovalDeclaration: Sendable {
    package var address: Address
    /// True: the object is deleted; false: it is only forgotten.
    package var destroys: Bool
    package var range: SourceRange?

    package init(address: Address, destroys: Bool, range: SourceRange? = nil) {
        self.address = address
        self.destroys = destroys
        self.range = range
    }
}

/// Something that is read and never managed: `lookups:`.
///
/// Its results are referred to as outputs of the address `stack:lookup.KIND/NAME`.
package struct LookupRequest: Sendable {
    package var address: Address
    /// `amis`, `availability_zones`, …: what follows `lookup.` in the type.
    package var kind: String
    package var arguments: [String: Value]
    package var range: SourceRange?

    package init(address: Address, kind: String, arguments: [String: Value], range: SourceRange? = nil) {
        self.address = address
        self.kind = kind
        self.arguments = arguments
        self.range = range
    }
}

/// What muster knows of one kind of lookup.
package struct LookupSchema: Sendable, Hashable {
    package var kind: String
    package var summary: String
    package var arguments: [ArgumentSchema]
    package var outputs: [OutputSchema]
    /// True when the answer may change by itself (a most recent image): it is pinned until `muster.lock` is updated.
    package var isPinned: Bool

    package init(
        kind: String, summary: String, arguments: [ArgumentSchema], outputs: [OutputSchema], isPinned: Bool = false
    ) {
        self.kind = kind
        self.summary = summary
        self.arguments = arguments
        self.outputs = outputs
        self.isPinned = isPinned
    }
}

/// Where the objects of a stack live and with whose rights they are reached.
package struct ProviderConfiguration: Sendable, Hashable {
    package var region: String?
    package var profile: String?
    /// The ARN of a role to assume.
    package var assumeRole: String?
    /// The account that the credentials must belong to.
    package var account: String?

    package init(region: String? = nil, profile: String? = nil, assumeRole: String? = nil, account: String? = nil) {
        self.region = region
        self.profile = profile
        self.assumeRole = assumeRole
        self.account = account
    }
}

/// All that a workspace declares, lowered and not yet linked.
package struct DeclarationSet: Sendable {
    package var declarations: [Declaration]
    package var outputs: [OutputDeclaration]
    package var imports: [ImportDeclaration]
    package var removals: [RemovalDeclaration]
    package var moves: [MovedDeclaration]
    package var lookups: [LookupRequest]
    /// Per stack (each has an entry): the stacks whose names may be used bare.
    package var uses: [String: [String]]
    package var configurations: [String: ProviderConfiguration]

    package init(
        declarations: [Declaration] = [], outputs: [OutputDeclaration] = [], imports: [ImportDeclaration] = [],
        removals: [RemovalDeclaration] = [], moves: [MovedDeclaration] = [], lookups: [LookupRequest] = [],
        uses: [String: [String]] = [:], configurations: [String: ProviderConfiguration] = [:]
    ) {
        self.declarations = declarations
        self.outputs = outputs
        self.imports = imports
        self.removals = removals
        self.moves = moves
        self.lookups = lookups
        self.uses = uses
        self.configurations = configurations
    }
}
