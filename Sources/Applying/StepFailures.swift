import Expressions
import MusterModel
import ProviderKit
import StateStorage

// The messages of failed steps.

extension StepFailure {
    /// A remote error, in words.
    init(_ error: ProviderError, _ step: Step) {
        let object = step.target.map { " \($0)" } ?? ""
        let kind: Kind
        let summary: String
        switch error.kind {
        case .badCredentials: (kind, summary) = (.credentials, "The credentials were refused")
        case .notPermitted: (kind, summary) = (.rejected, "The identity lacks a permission")
        case .quota: (kind, summary) = (.rejected, "A limit of the account is reached")
        case .throttled: (kind, summary) = (.timedOut, "The service throttles for too long")
        case .unavailable: (kind, summary) = (.rejected, "The service is not available")
        case .inUse: (kind, summary) = (.timedOut, "The object is still in use")
        case .network: (kind, summary) = (.network, "The service cannot be reached")
        case .notUnderstood: (kind, summary) = (.network, "The answer does not come from the service")
        case .outcomeUnknown: (kind, summary) = (.outcomeUnknown, "It is not known whether the call had an effect")
        case .notFound, .notYetVisible: (kind, summary) = (.rejected, "Something that is needed was not found")
        case .alreadyExists: (kind, summary) = (.nameClash, "The name is taken")
        case .invalid: (kind, summary) = (.rejected, "The service refused it")
        }
        self.init(
            kind, summary: summary,
            detail: "\(step.operation.rawValue) \(step.address)\(object): \(error.message)"
                + (error.operation.map { " (\($0))" } ?? ""),
            hint: error.hint, code: error.code, requestID: error.requestID)
    }

    static func unreadableSecret(_ secret: SecretReference, _ error: any Error) -> Self {
        StepFailure(
            .rejected, summary: "A secret could not be read",
            detail: "The secret \"\(secret.name)\" (\(secret.source)): \(error)",
            hint: "Make it readable here; it is read only when it is needed.")
    }

    static func notEvaluated(_ name: String, _ failure: EvaluationFailure) -> Self {
        StepFailure(
            .rejected, summary: "A value could not be computed",
            detail: "\(name): \(failure.summary). \(failure.detail)", hint: failure.hint)
    }

    static func notKnown(_ name: String, _ value: Value) -> Self {
        var names: Set<String> = []
        value.visitDeferred { names.formUnion($0.outputs.map { "\($0.output) of \($0.address)" }) }
        return StepFailure(
            .rejected, summary: "A value is not known",
            detail: "\"\(name)\" needs \(names.sorted().joined(separator: ", ")), which the cloud did not tell.",
            hint: "Plan again.")
    }

    static func nameClash(_ step: Step, _ why: String) -> Self {
        StepFailure(
            .nameClash, summary: "The name is taken by an object that is not ours",
            detail: "\(step.address): \(why) It was left untouched.",
            hint: "Choose another name, or adopt the object with \"muster import\".")
    }

    static func changedMeanwhile(_ step: Step, _ why: String) -> Self {
        StepFailure(
            .stale, summary: "The object is not as the plan saw it", detail: "\(step.address): \(why)",
            hint: "Plan again.")
    }

    static func ended(_ step: Step, _ why: String) -> Self {
        StepFailure(
            .rejected, summary: "The object ended in a failed state", detail: "\(step.address): \(why)",
            hint: step.operation == .update
                ? "Plan again: it shows what is still to be done." : "The next plan replaces it.")
    }

    static func timedOut(_ step: Step, _ status: String, seconds: Int) -> Self {
        StepFailure(
            .timedOut, summary: "It took too long",
            detail: "\(step.address) was still \"\(status)\" after \(seconds) seconds.",
            hint: "Run the same command again: it goes on waiting. \"timeouts:\" of the definition sets the limit.")
    }

    static func stillUnknown(_ step: Step, _ last: ProviderError?) -> Self {
        StepFailure(
            .outcomeUnknown, summary: "It is not known whether the object was made",
            detail: "\(step.address): the answer was lost, and the object could not be looked for"
                + (last.map { ": \($0.message)" } ?? "."),
            hint: "Run \"muster apply\" again: it looks for the object before it makes another.")
    }

    static func interrupted(_ step: Step, _ what: String) -> Self {
        StepFailure(
            .interrupted, summary: "It was interrupted", detail: "\(step.address): \(what)",
            hint: "Run \"muster apply\" again: it continues from here.")
    }

    static func unknownType(_ step: Step) -> Self {
        StepFailure(
            .rejected, summary: "The type is not known",
            detail: "This muster does not know the type of \(step.address).", hint: "Install a newer muster.")
    }

    static func missingRow(_ step: Step) -> Self {
        StepFailure(
            .stale, summary: "The state has no such row", detail: "There is no row for \(step.address) any more.",
            hint: "Plan again.")
    }
}

/// Why a step does not go on.
enum StepStop: Error {
    case failure(StepFailure)
    /// The wish to stop came while the step waited.
    case interrupted(StepFailure)
    /// The state cannot be written or was taken over: the whole run ends.
    case state(StateError)

    /// True when nobody knows whether the call had its effect.
    var isUnsure: Bool {
        switch self {
        case .failure(let failure): failure.kind == .outcomeUnknown
        case .interrupted: true
        case .state: false
        }
    }

    init(_ error: StateError, _ step: Step) {
        switch error.kind {
        case .moved(let address, let expected, let found):
            self = .failure(
                .changedMeanwhile(step, "the state's row of \(address) has version \(found), not \(expected)."))
        case .alreadyManaged(let address):
            self = .failure(.nameClash(step, "the object belongs to \(address) already."))
        case .intentOpen, .addressTaken, .noSuchResource:
            self = .failure(StepFailure(.stale, summary: error.summary, detail: error.detail, hint: error.hint))
        default: self = .state(error)
        }
    }
}
