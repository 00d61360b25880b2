import ProviderKit
import SpotClient

extension ProviderError {
    /// Classes an error of Spot once for everything above.
    init(_ error: SpotError) {
        self.init(
            Kind(error.kind), error.message, operation: error.operation, code: error.code,
            requestID: error.requestID, hint: ProviderError.hint(for: error))
    }

    private static func hint(for error: SpotError) -> String? {
        switch error.kind {
        case .badCredentials:
            "Set SPOTINST_TOKEN to a token that is active, and SPOTINST_ACCOUNT to an account that it reaches."
        case .notPermitted: "The token may not do this in the account that SPOTINST_ACCOUNT names."
        case .unreachable: "Can this machine reach the service? SPOTINST_ENDPOINT_URL names another place."
        case .notSpot: "Look at the address: a proxy, a login page or another server may be in between."
        default: nil
        }
    }
}

extension ProviderError.Kind {
    fileprivate init(_ kind: SpotError.Kind) {
        self =
            switch kind {
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .conflict: .inUse
            case .throttled: .throttled
            case .notPermitted: .notPermitted
            case .badCredentials: .badCredentials
            case .invalid: .invalid
            case .unavailable: .unavailable
            case .unreachable, .network: .network
            case .outcomeUnknown: .outcomeUnknown
            case .notSpot: .notUnderstood
            }
    }
}
