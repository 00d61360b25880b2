import ProviderKit
import RancherClient

extension ProviderError {
    /// Classes an error of Rancher once for everything above.
    init(_ error: RancherError) {
        self.init(
            Kind(error.kind), error.message, operation: error.operation, code: error.code, requestID: error.id,
            hint: ProviderError.hint(for: error))
    }

    private static func hint(for error: RancherError) -> String? {
        switch error.kind {
        case .badCredentials:
            "Set RANCHER_ACCESS_KEY and RANCHER_SECRET_KEY to a key that is active."
        case .notPermitted:
            "What belongs to the whole server wants the key of an administrator; a key of an environment reaches nothing "
                + "else."
        case .unreachable: "Is the server up, and can this machine reach it?"
        case .notRancher: "Look at the address: a proxy, a login page or another server may be in between."
        default: nil
        }
    }
}

extension ProviderError.Kind {
    fileprivate init(_ kind: RancherError.Kind) {
        self =
            switch kind {
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .wrongState: .inUse
            case .throttled: .throttled
            case .notPermitted: .notPermitted
            case .badCredentials: .badCredentials
            case .invalid: .invalid
            case .unavailable: .unavailable
            case .unreachable, .network: .network
            case .outcomeUnknown: .outcomeUnknown
            case .notRancher: .notUnderstood
            }
    }
}
