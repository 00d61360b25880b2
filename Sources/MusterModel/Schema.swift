/// What muster knows of one resource type: the single source of validation, defaults, diffs, JSON Schema and docs.
package struct ResourceSchema: Sendable, Hashable {
    package var type: ResourceType
    /// One sentence for the reference page.
    package var summary: String
    package var arguments: [ArgumentSchema]
    package var outputs: [OutputSchema]
    package var naming: Naming
    /// What happens by default when an argument changes that the cloud cannot change.
    package var replacement: ReplacementOrder
    /// Set on a child whose parent may own the whole set of children: the argument that names the parent.
    package var parentArgument: String?
    /// Dangers of deleting an object of this type.
    package var deletionHazards: [Hazard.Kind]
    /// What a deletion leaves behind, so that the data is not lost with the object.
    package var keepsake: Keepsake?
    /// True when others rely on it at every moment: deleting it before its successor exists is `downtime`.
    package var isServing: Bool
    /// True when the creating call would overwrite what has the same name, so that it is looked for before.
    package var overwrites: Bool
    /// Set where one call can make or delete several objects.
    package var batching: Batching?
    /// True for something that muster waits for and never makes: deleting it makes no call, and it stays.
    package var isAwaited: Bool
    package var timeouts: Timeouts
    /// How an id is written for `muster import`, such as `vpc-…` or `ROLE/POLICY`.
    package var importSyntax: String

    /// How the object is named remotely.
    package enum Naming: Sendable, Hashable {
        /// The cloud makes an id; a name is at most a tag.
        case byID
        /// The named argument is unique in its scope; created-before-destroyed successors get a generation suffix and
        /// stay within the length (in characters).
        case unique(argument: String, maximumLength: Int)
    }

    package init(
        type: ResourceType, summary: String, arguments: [ArgumentSchema], outputs: [OutputSchema],
        naming: Naming = .byID, replacement: ReplacementOrder = .deleteFirst, parentArgument: String? = nil,
        deletionHazards: [Hazard.Kind] = [], isServing: Bool = false, isAwaited: Bool = false,
        keepsake: Keepsake? = nil, overwrites: Bool = false, batching: Batching? = nil,
        timeouts: Timeouts = Timeouts(), importSyntax: String
    ) {
        self.type = type
        self.summary = summary
        self.arguments = arguments
        self.outputs = outputs
        self.naming = naming
        self.replacement = replacement
        self.parentArgument = parentArgument
        self.deletionHazards = deletionHazards
        self.isServing = isServing
        self.isAwaited = isAwaited
        self.keepsake = keepsake
        self.overwrites = overwrites
        self.batching = batching
        self.timeouts = timeouts
        self.importSyntax = importSyntax
    }

    package func argument(_ name: String) -> ArgumentSchema? { arguments.first { $0.name == name } }
    package func output(_ name: String) -> OutputSchema? { outputs.first { $0.name == name } }
    /// True when the type carries tags.
    package var isTaggable: Bool { arguments.contains { $0.name == "tags" } }
}

/// A copy of an object's data that is made when the object is deleted.
package struct Keepsake: Sendable, Hashable {
    /// What it is, such as `final snapshot`.
    package var noun: String
    /// The argument that names it.
    package var nameArgument: String
    /// The output with the name that it gets where that argument is not set; without one there is then none.
    package var nameOutput: String?
    /// The argument that says, when true, that there is none.
    package var refusalArgument: String?

    package init(_ noun: String, nameArgument: String, nameOutput: String? = nil, refusalArgument: String? = nil) {
        self.noun = noun
        self.nameArgument = nameArgument
        self.nameOutput = nameOutput
        self.refusalArgument = refusalArgument
    }
}

/// Which objects of a type one call can make or delete together (ADR 0013).
package struct Batching: Sendable, Hashable {
    /// Objects can be made together when they want the same of these arguments.
    package var creation: [String]
    /// Objects can be deleted together when the same is known of these arguments.
    package var deletion: [String]
    /// The most objects of one call.
    package var most: Int

    package init(creation: [String], deletion: [String], most: Int) {
        self.creation = creation
        self.deletion = deletion
        self.most = most
    }
}

/// Which half of a replacement comes first.
package enum ReplacementOrder: String, Sendable, Hashable, CaseIterable {
    case deleteFirst = "delete-first"
    case createFirst = "create-first"
}

/// How long, in seconds, to wait for an object to become ready or to be gone.
package struct Timeouts: Sendable, Hashable {
    package var create: Int
    package var update: Int
    package var delete: Int

    package init(create: Int = 600, update: Int = 600, delete: Int = 900) {
        self.create = create
        self.update = update
        self.delete = delete
    }
}

/// One argument of a resource type, of a nested block or of a section.
package struct ArgumentSchema: Sendable, Hashable {
    package var name: String
    package var type: ValueType
    package var isRequired: Bool
    /// What leaving the argument out means.
    package var absence: Absence
    package var onChange: ChangeBehavior
    package var semantics: Semantics
    package var reference: ReferenceKind?
    package var constraints: [Constraint]
    /// Dangers of changing this argument.
    package var hazards: [Hazard.Kind]
    /// The cloud's own answer holds a secret, or the user's value is one.
    package var isSensitive: Bool
    /// False when the cloud never tells the value back; it is then compared with the state alone.
    package var isReadable: Bool
    /// True when the cloud tells the value only in a call per object: read only where it is declared.
    package var needsOwnRead: Bool
    /// True when the creating call cannot carry the argument: it is set by an update right after.
    package var isSetAfterCreate: Bool
    /// When a change in place takes effect.
    package var timing: ChangeTiming
    /// True when the cloud refuses to delete the object while the argument is true.
    package var isDeletionGuard: Bool
    /// True when the cloud refuses to delete what the argument names as long as the argument names it.
    package var holds: Bool
    /// Set where the blocks of the argument hold data that is deleted with the object: the member by which, when it is
    /// false, a block stays.
    package var deletesDataBy: String?
    /// True when the argument names a place outside of the object, where something is kept that goes with the object.
    package var isPlace: Bool
    /// One or two sentences for the reference page.
    package var documentation: String

    package enum Absence: Sendable, Hashable {
        /// The cloud chooses, and owns the field: never compared.
        case unmanaged
        /// The same as writing this value.
        case means(Value)
    }

    package enum ChangeBehavior: String, Sendable, Hashable {
        /// Changed in place.
        case update
        /// The object must be replaced.
        case replace
        /// Changed in place, but the object stops working for a while: hazard `downtime`.
        case updateWithDowntime = "update-with-downtime"
        /// Used when the object is made and never compared afterwards.
        case creationOnly = "creation-only"
        /// Known to muster alone (`force_destroy`): kept in the state, no call.
        case local
    }

    package init(
        _ name: String, _ type: ValueType, isRequired: Bool = false, absence: Absence = .unmanaged,
        onChange: ChangeBehavior = .update, semantics: Semantics = .exact, reference: ReferenceKind? = nil,
        constraints: [Constraint] = [], hazards: [Hazard.Kind] = [], isSensitive: Bool = false,
        isReadable: Bool = true, needsOwnRead: Bool = false, isSetAfterCreate: Bool = false,
        timing: ChangeTiming = .atOnce, isDeletionGuard: Bool = false, holds: Bool = false,
        deletesDataBy: String? = nil, isPlace: Bool = false, _ documentation: String
    ) {
        self.name = name
        self.type = type
        self.isRequired = isRequired
        self.absence = absence
        self.onChange = onChange
        self.semantics = semantics
        self.reference = reference
        self.constraints = constraints
        self.hazards = hazards
        self.isSensitive = isSensitive
        self.isReadable = isReadable
        self.needsOwnRead = needsOwnRead
        self.isSetAfterCreate = isSetAfterCreate
        self.timing = timing
        self.isDeletionGuard = isDeletionGuard
        self.holds = holds
        self.isPlace = isPlace
        self.deletesDataBy = deletesDataBy
        self.documentation = documentation
    }
}

/// When a change in place takes effect. What waits is told by the cloud as already changed (see
/// `Observation.inForce`), so that it is no difference any more.
package enum ChangeTiming: Sendable, Hashable {
    /// With the call.
    case atOnce
    /// In the window that the argument `window` holds, unless the argument `unless` is true.
    case inWindow(_ window: String, unless: String, when: Condition = .always)
    /// With something that the change itself does not bring about; a sentence, such as `it restarts next`.
    case later(String)

    /// Which changes wait for the window.
    package enum Condition: Sendable, Hashable {
        case always
        /// Those from or to 0, which interrupt too; any other is made with the call.
        case betweenZero
        /// Those that come with a change of another argument that waits; of any other the sentence is true.
        case with(String, otherwise: String)
    }
}

/// One thing that the cloud chooses and tells.
package struct OutputSchema: Sendable, Hashable {
    package var name: String
    package var type: ValueType
    /// The arguments whose change in place may change this output: it is then known only after apply.
    package var changesWith: [String]
    package var documentation: String

    package init(_ name: String, _ type: ValueType = .string, changesWith: [String] = [], _ documentation: String) {
        self.name = name
        self.type = type
        self.changesWith = changesWith
        self.documentation = documentation
    }
}

/// The shape of a value.
package indirect enum ValueType: Sendable, Hashable {
    case string
    case integer
    case number
    case boolean
    case list(ValueType)
    /// Order means nothing; with a key, elements are objects told apart by that member.
    case set(ValueType, key: String? = nil)
    case map(ValueType)
    case object([ArgumentSchema])
    /// Any YAML: policy documents and the like.
    case anything
}

/// When two values of an argument mean the same.
package enum Semantics: String, Sendable, Hashable {
    case exact
    case caseInsensitive
    /// A network: host bits do not count, IPv6 is compared in its short form.
    case cidr
    /// An IAM policy document in AWS's canonical form: JSON, order-free lists, a string is a list of one.
    case policyDocument
    /// A domain name: case, a trailing dot and `\052` do not count.
    case dnsName
    /// `tcp` is `6`, `all` and `any` are `-1`.
    case ipProtocol
    /// An OpenSSH public key: the comment does not count.
    case publicKey
    /// Text shown by line.
    case multilineText
    /// Owned per key: keys that are neither declared nor recorded are left alone.
    case tags
    /// `8.0` accepts `8.0.35`: the declared value is a prefix by dot-separated parts.
    case versionPrefix
}

/// A rule that a value must keep, checked when the spec is read.
package enum Constraint: Sendable, Hashable {
    case allowed([String])
    /// Inclusive bounds of an integer.
    case range(Int, Int)
    /// Length in characters, inclusive.
    case length(Int, Int)
    /// A regular expression that the whole string must match, and the rule in words.
    case pattern(String, String)
    case cidr
    case ipv4CIDR
    case ipv6CIDR
    /// At most or at least so many elements.
    case count(Int, Int)
    /// Of the named sibling arguments, at most one may be set together with this one.
    case conflictsWith([String])
    /// Exactly one of the named siblings (this one included) is set.
    case exactlyOne([String])
}
