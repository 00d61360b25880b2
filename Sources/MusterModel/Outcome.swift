/// Something that happened while a plan was applied; what progress displays and event files are made of.
package enum ApplyEvent: Sendable {
    case started(stepCount: Int)
    case stepStarted(Step)
    /// The provider's own word for the state it is in, and seconds since the step started.
    case stepWaiting(Step, status: String, seconds: Double)
    case stepRetrying(Step, why: String, seconds: Double)
    case stepFinished(Step, id: RemoteID?, seconds: Double)
    case stepFailed(Step, StepFailure, seconds: Double)
    case stepSkipped(Step, because: Address)
    case interrupted(inFlight: [Address])
}

/// Why a step failed, in words for a person.
package struct StepFailure: Sendable, Hashable, Error {
    package enum Kind: String, Sendable, Hashable {
        /// The cloud refused it, or it ended in a failed state.
        case rejected
        /// A name is taken by an object that is not ours.
        case nameClash = "name-clash"
        /// The object is not as the plan saw it.
        case stale
        case credentials
        case timedOut = "timed-out"
        /// It is not known whether the call had an effect; the next run settles it.
        case outcomeUnknown = "outcome-unknown"
        case interrupted
        case network
    }
    package var kind: Kind
    package var summary: String
    package var detail: String
    package var hint: String?
    /// The provider's error code and request id, if it answered.
    package var code: String?
    package var requestID: String?

    package init(
        _ kind: Kind, summary: String, detail: String, hint: String? = nil, code: String? = nil,
        requestID: String? = nil
    ) {
        self.kind = kind
        self.summary = summary
        self.detail = detail
        self.hint = hint
        self.code = code
        self.requestID = requestID
    }
}

/// How an apply ended. Interruption is a case, so that no caller can forget it.
package enum ApplyOutcome: Sendable {
    case done(ApplyReport)
    case failed(ApplyReport)
    case interrupted(ApplyReport)
    /// Nothing was sent: what moved since the plan was made.
    case refused([String])

    package var report: ApplyReport? {
        switch self {
        case .done(let report), .failed(let report), .interrupted(let report): report
        case .refused: nil
        }
    }
}

package struct ApplyReport: Sendable {
    package var finished: [Step]
    package var failures: [Failure]
    package var skipped: [Step]
    package var outputs: [String: [String: Value]]

    package struct Failure: Sendable {
        package var step: Step
        package var failure: StepFailure

        package init(step: Step, failure: StepFailure) {
            self.step = step
            self.failure = failure
        }
    }

    package init(
        finished: [Step] = [], failures: [Failure] = [], skipped: [Step] = [],
        outputs: [String: [String: Value]] = [:]
    ) {
        self.finished = finished
        self.failures = failures
        self.skipped = skipped
        self.outputs = outputs
    }
}

/// The types and lookups that muster knows. A schema is made when it is first asked for: together they have hundreds of
/// fields, and a workspace uses few of them.
package struct Catalog: Sendable {
    /// One resource type.
    package struct Entry: Sendable {
        package let type: ResourceType
        /// Asked again and again, so it should remember its answer.
        package let schema: @Sendable () -> ResourceSchema

        package init(_ type: ResourceType, schema: @escaping @Sendable () -> ResourceSchema) {
            self.type = type
            self.schema = schema
        }
    }

    /// What stands before the dot in types: the beginning of references such as `aws.vpc["main"].id`.
    package let providers: Set<String>
    private let entries: [Entry]
    private let index: [ResourceType: Int]
    private let makeLookups: @Sendable () -> [LookupSchema]

    package init(_ entries: [Entry], lookups: @escaping @Sendable () -> [LookupSchema]) {
        self.entries = entries
        providers = Set(entries.map(\.type.provider)).union(["aws"])
        makeLookups = lookups
        index = Dictionary(
            entries.enumerated().map { ($0.element.type, $0.offset) }, uniquingKeysWith: { first, _ in first })
    }

    package init(resources: [ResourceSchema], lookups: [LookupSchema]) {
        self.init(resources.map { schema in Entry(schema.type) { schema } }, lookups: { lookups })
    }

    /// The types and lookups of both.
    package func joined(with other: Catalog) -> Catalog {
        Catalog(entries + other.entries) { [makeLookups] in makeLookups() + other.makeLookups() }
    }

    package var types: [ResourceType] { entries.map(\.type) }
    package var resources: [ResourceSchema] { entries.map { $0.schema() } }
    package var lookups: [LookupSchema] { makeLookups() }

    package subscript(type: ResourceType) -> ResourceSchema? { index[type].map { entries[$0].schema() } }
    package func lookup(_ kind: String) -> LookupSchema? { lookups.first { $0.kind == kind } }
}
