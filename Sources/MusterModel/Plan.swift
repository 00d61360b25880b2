/// What muster would do: the whole execution graph, and the reasons.
///
/// The same inputs give the same plan, byte for byte: it holds no time and no randomness. It holds no secret either:
/// tainted values stay expressions.
package struct Plan: Sendable, Hashable {
    package var workspace: String
    /// The lineage of the state that it was made from.
    package var lineage: String
    /// A digest over all the rest: the name of the plan.
    package var id: String
    /// One entry per resource that changes, sorted by address; no-ops are only counted.
    package var changes: [ResourceChange]
    /// The calls, in an order that respects every edge; `after` holds the edges.
    package var steps: [Step]
    package var outputs: [OutputChange]
    package var drift: [Drift]
    package var unchangedCount: Int
    /// The resources it relies on without changing them, so that it can be checked for staleness.
    package var reliesOn: [Reliance]
    /// Things worth saying: a secret that could not be read, a lookup that was pinned.
    package var notes: [String]
    /// True when the cloud was not asked.
    package var isUnrefreshed: Bool
    package var configurations: [String: ProviderConfiguration]
    /// The scope of every stack that the plan touches.
    package var scopes: [String: ProviderScope]

    package init(
        workspace: String, lineage: String, id: String = "", changes: [ResourceChange] = [], steps: [Step] = [],
        outputs: [OutputChange] = [], drift: [Drift] = [], unchangedCount: Int = 0, reliesOn: [Reliance] = [],
        notes: [String] = [], isUnrefreshed: Bool = false, configurations: [String: ProviderConfiguration] = [:],
        scopes: [String: ProviderScope] = [:]
    ) {
        self.workspace = workspace
        self.lineage = lineage
        self.id = id
        self.changes = changes
        self.steps = steps
        self.outputs = outputs
        self.drift = drift
        self.unchangedCount = unchangedCount
        self.reliesOn = reliesOn
        self.notes = notes
        self.isUnrefreshed = isUnrefreshed
        self.configurations = configurations
        self.scopes = scopes
    }

    /// True when applying would call nothing and record nothing.
    package var isEmpty: Bool { changes.isEmpty && outputs.isEmpty }
    package var hazards: [Hazard] { changes.flatMap(\.hazards) }
}

/// What happens to one resource.
package enum Action: String, Sendable, Hashable, CaseIterable {
    case create, update
    /// Delete, then create: `-/+`.
    case replaceDeleteFirst = "replace-delete-first"
    /// Create, then delete: `+/-`.
    case replaceCreateFirst = "replace-create-first"
    case delete, adopt, move, forget, read

    package var symbol: String {
        switch self {
        case .create: "+"
        case .update: "~"
        case .delete: "-"
        case .replaceDeleteFirst: "-/+"
        case .replaceCreateFirst: "+/-"
        case .read: "<="
        case .adopt, .move, .forget: ">"
        }
    }
    package var isReplacement: Bool { self == .replaceDeleteFirst || self == .replaceCreateFirst }
}

/// Why it happens: explains, never decides.
package enum Reason: Sendable, Hashable {
    case notInState
    case notInSpec
    case argumentsChanged
    /// An argument changed that the cloud cannot change.
    case cannotUpdate([String])
    /// It was there and is gone.
    case gone
    /// A member of an exclusive set that muster did not make.
    case foreignChild(parent: Address)
    case requested
    case destroyRequested
    case triggered(by: Address)
    case importBlock
    /// The creation of an earlier run was not finished.
    case incomplete
    /// A predecessor whose successor exists already.
    case deposed
    /// The definition that it came from was declared removed.
    case removedBlock
}

/// The place of a definition, for reports: path, line and column (from 1).
package struct Place: Sendable, Hashable {
    package var path: String
    package var line: Int
    package var column: Int

    package init(path: String, line: Int, column: Int) {
        self.path = path
        self.line = line
        self.column = column
    }
}

/// One argument that changes.
package struct AttributeChange: Sendable, Hashable {
    /// The way to it: `root_block_device.volume_size`, `tags["Name"]`.
    package var path: String
    /// nil: there was or will be none. A tainted or sensitive value is given as `.deferred` or `.hidden` is set.
    package var before: Value?
    package var after: Value?
    package var forcesReplacement: Bool
    /// The values must not be shown: only that they differ.
    package var isHidden: Bool
    package var place: Place?

    package init(
        path: String, before: Value?, after: Value?, forcesReplacement: Bool = false, isHidden: Bool = false,
        place: Place? = nil
    ) {
        self.path = path
        self.before = before
        self.after = after
        self.forcesReplacement = forcesReplacement
        self.isHidden = isHidden
        self.place = place
    }
}

/// One resource of the plan, as a person sees it.
package struct ResourceChange: Sendable, Hashable {
    package var address: Address
    package var action: Action
    package var reason: Reason
    /// The chain from this change back to a spec line: this resource's cause first.
    package var why: [WhyLink]
    package var attributes: [AttributeChange]
    /// The remote object before; nil for a create.
    package var id: RemoteID?
    package var hazards: [Hazard]
    package var place: Place?
    /// Notes for the reader: `name will be prod-rds-g2`.
    package var notes: [String]
    /// The address that a move comes from.
    package var previousAddress: Address?

    package init(
        address: Address, action: Action, reason: Reason, why: [WhyLink] = [], attributes: [AttributeChange] = [],
        id: RemoteID? = nil, hazards: [Hazard] = [], place: Place? = nil, notes: [String] = [],
        previousAddress: Address? = nil
    ) {
        self.address = address
        self.action = action
        self.reason = reason
        self.why = why
        self.attributes = attributes
        self.id = id
        self.hazards = hazards
        self.place = place
        self.notes = notes
        self.previousAddress = previousAddress
    }
}

/// One link of a why-chain: which argument of which resource, and where it stands.
package struct WhyLink: Sendable, Hashable {
    package var address: Address
    package var argument: String?
    package var text: String
    package var place: Place?

    package init(address: Address, argument: String? = nil, text: String, place: Place? = nil) {
        self.address = address
        self.argument = argument
        self.text = text
        self.place = place
    }
}

/// A danger with a name, which apply wants allowed.
package struct Hazard: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case dataLoss = "data-loss"
        case downtime
        case publicExposure = "public-exposure"
        case iamWidening = "iam-widening"
        case irreversible
        case secretExposure = "secret-exposure"
        case nameClash = "name-clash"
    }
    package var kind: Kind
    package var address: Address
    /// A sentence: what would happen.
    package var text: String

    package init(_ kind: Kind, _ address: Address, _ text: String) {
        self.kind = kind
        self.address = address
        self.text = text
    }
}

/// One call that changes something (with the idempotent rest of a creation), or a change of the state alone.
package struct Step: Sendable, Hashable {
    package enum Operation: String, Sendable, Hashable {
        case create, update, delete, adopt, forget, move
    }
    /// The index in `Plan.steps`.
    package var id: Int
    package var address: Address
    package var operation: Operation
    /// The object to act on; nil for a create.
    package var target: RemoteID?
    /// The whole set of arguments wanted afterwards; deferred parts are evaluated when the step is ready.
    package var desired: [String: Value]
    /// The arguments as they are now (live where read, else as recorded); empty for a create.
    package var prior: [String: Value]
    /// Steps that must have ended well before this one starts.
    package var after: [Int]
    /// The version of the state's row that the plan saw; 0: there was never one.
    package var version: Int
    /// A digest of the identity and the user-owned fields that the plan saw; nil for a create.
    package var fingerprint: String?
    package var generation: Int
    package var scope: ProviderScope
    package var timeouts: Timeouts
    package var isProtected: Bool
    /// Direct dependencies to record with the row.
    package var dependencies: [Address]
    /// True: acts on a deposed predecessor, not on the row of the address.
    package var isDeposed: Bool
    /// True: a create whose object takes the place of one that is deleted later; the present row becomes deposed.
    package var deposesPrevious: Bool
    /// The address that a move comes from.
    package var previousAddress: Address?

    package init(
        id: Int, address: Address, operation: Operation, target: RemoteID? = nil, desired: [String: Value] = [:],
        prior: [String: Value] = [:], after: [Int] = [], version: Int = 0, fingerprint: String? = nil,
        generation: Int = 1, scope: ProviderScope, timeouts: Timeouts = Timeouts(), isProtected: Bool = false,
        dependencies: [Address] = [], isDeposed: Bool = false, deposesPrevious: Bool = false,
        previousAddress: Address? = nil
    ) {
        self.id = id
        self.address = address
        self.operation = operation
        self.target = target
        self.desired = desired
        self.prior = prior
        self.after = after
        self.version = version
        self.fingerprint = fingerprint
        self.generation = generation
        self.scope = scope
        self.timeouts = timeouts
        self.isProtected = isProtected
        self.dependencies = dependencies
        self.isDeposed = isDeposed
        self.deposesPrevious = deposesPrevious
        self.previousAddress = previousAddress
    }
}

/// A resource that the plan reads outputs of without changing it.
package struct Reliance: Sendable, Hashable {
    package var address: Address
    package var version: Int
    package var fingerprint: String

    package init(address: Address, version: Int, fingerprint: String) {
        self.address = address
        self.version = version
        self.fingerprint = fingerprint
    }
}

package struct OutputChange: Sendable, Hashable {
    package var stack: String
    package var name: String
    package var before: Value?
    package var after: Value?
    package var isHidden: Bool

    package init(stack: String, name: String, before: Value?, after: Value?, isHidden: Bool = false) {
        self.stack = stack
        self.name = name
        self.before = before
        self.after = after
        self.isHidden = isHidden
    }
}

/// A change that somebody else made to a field that the user owns, or to an exclusive set.
package struct Drift: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case changed, gone, foreign
    }
    package var address: Address
    package var kind: Kind
    package var id: RemoteID?
    /// For `changed`: was (`before`) and is (`after`).
    package var attributes: [AttributeChange]
    package var place: Place?

    package init(
        address: Address, kind: Kind, id: RemoteID? = nil, attributes: [AttributeChange] = [], place: Place? = nil
    ) {
        self.address = address
        self.kind = kind
        self.id = id
        self.attributes = attributes
        self.place = place
    }
}
