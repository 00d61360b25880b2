import AWSClient
import ProviderKit

extension ProviderError {
    /// Classes an AWS error once for everything above.
    init(_ error: AWSError) {
        let kind: Kind =
            switch error.kind {
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
        let isAwaited = error.isConsistencyCandidate && kind != .notFound
        self.init(
            isAwaited ? .notYetVisible : kind, error.message, operation: "\(error.service).\(error.operation)",
            code: error.code, requestID: error.requestID, hint: ProviderError.hint(for: error))
    }

    /// In a call that makes or changes something, a thing that is not found may just not be visible yet.
    var asNotYetVisible: ProviderError {
        guard kind == .notFound else { return self }
        var error = self
        error.kind = .notYetVisible
        return error
    }

    private static func hint(for error: AWSError) -> String? {
        switch error.kind {
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
