import AWSClient
import ProviderKit

extension ProviderError {
    /// Classes an AWS error once for everything above.
    init(_ error: AWSError) {
        let kind = Kind(error.kind)
        let isAwaited = error.isConsistencyCandidate && kind != .notFound
        self.init(
            isAwaited ? .notYetVisible : kind, error.message, operation: "\(error.service).\(error.operation)",
            code: error.code, requestID: error.requestID, hint: ProviderError.hint(for: error))
    }

    /// A failure that came inside a successful answer.
    init(code: String, message: String, operation: String, requestID: String?) {
        self.init(
            Kind(AWSError.Kind(code: code, message: message, status: 400)), message, operation: operation, code: code,
            requestID: requestID)
    }

    /// In a call that makes or changes something, a thing that is not found may just not be visible yet.
    var asNotYetVisible: ProviderError {
        guard kind == .notFound else { return self }
        var error = self
        error.kind = .notYetVisible
        return error
    }

    /// What is there is told, and its tags are not yet: whose it is cannot be said.
    static func marksUnseen(_ name: String) -> ProviderError {
        ProviderError(.notYetVisible, "\(name) is there, and its tags are not seen yet.")
    }

    private static func hint(for error: AWSError) -> String? {
        switch error.kind {
        case .noCredentials: error.credentialsError?.hint ?? "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret."
        case .expiredToken: "The session has expired: sign in again."
        case .badCredentials: "The access key or its secret is not right."
        case .clockSkew: "This machine's clock is wrong: set it."
        case .unauthorized: "The identity lacks the permission \(error.service):\(error.operation)."
        case .quota: "Ask AWS to raise the limit, or remove what is no longer needed."
        case .notAWS: "Something between here and AWS answered: a proxy, a captive portal or a wrong endpoint."
        default: nil
        }
    }
}

extension ProviderError.Kind {
    fileprivate init(_ kind: AWSError.Kind) {
        self =
            switch kind {
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .inUse: .inUse
            case .throttled, .contention: .throttled
            case .unauthorized: .notPermitted
            case .badCredentials, .expiredToken, .noCredentials, .clockSkew: .badCredentials
            case .validation, .rejected, .configuration, .idempotencyMismatch: .invalid
            case .quota: .quota
            case .capacity, .serverFault: .unavailable
            case .outcomeUnknown: .outcomeUnknown
            case .notAWS, .unreadable: .notUnderstood
            case .network, .cancelled: .network
            }
    }
}
