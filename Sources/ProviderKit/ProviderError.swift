/// A remote failure, classed once at the provider's edge.
package struct ProviderError: Error, Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case notFound = "not-found"
        /// The name or the key is taken.
        case alreadyExists = "already-exists"
        /// It cannot be deleted or changed while something holds it.
        case inUse = "in-use"
        /// Something that this run has just made is not visible everywhere yet.
        case notYetVisible = "not-yet-visible"
        case throttled
        case notPermitted = "not-permitted"
        case badCredentials = "bad-credentials"
        case invalid
        case quota
        /// The service failed and it is known that nothing happened, or nothing could.
        case unavailable
        /// It is not known whether the call had an effect.
        case outcomeUnknown = "outcome-unknown"
        case network
        /// The answer does not come from the service: a proxy's page, a torn document.
        case notUnderstood = "not-understood"
    }

    package var kind: Kind
    /// The service's own sentence, or ours.
    package var message: String
    /// `ec2.CreateVpc`.
    package var operation: String?
    package var code: String?
    package var requestID: String?
    package var hint: String?

    package init(
        _ kind: Kind, _ message: String, operation: String? = nil, code: String? = nil, requestID: String? = nil,
        hint: String? = nil
    ) {
        self.kind = kind
        self.message = message
        self.operation = operation
        self.code = code
        self.requestID = requestID
        self.hint = hint
    }
}
