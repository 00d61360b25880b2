/// Why a call to AWS failed, classed once for everything above.
package struct AWSError: Error, Sendable, Equatable {
    package enum Kind: Sendable, Hashable, CaseIterable {
        /// The object is not there (or not visible yet: see `isConsistencyCandidate`).
        case notFound
        case alreadyExists
        /// Something depends on the object, or its state forbids the change.
        case inUse
        case throttled
        /// Another change to the same thing is under way; nothing was done.
        case contention
        /// The identity is known and may not do this.
        case unauthorized
        /// The access key or the signature is wrong.
        case badCredentials
        case expiredToken
        /// No credentials could be found at all; see `credentialsError`.
        case noCredentials
        /// This machine's clock differs too much from the server's.
        case clockSkew
        /// The request is wrong in itself.
        case validation
        /// A limit of the account.
        case quota
        /// AWS has no room for it just now.
        case capacity
        /// The same client token was used with other parameters.
        case idempotencyMismatch
        /// Refused for a reason not named here (4xx).
        case rejected
        /// 5xx on a call that changes nothing.
        case serverFault
        /// A change was sent, and whether it happened is not known.
        case outcomeUnknown
        /// Something between us and AWS answered, or something that is not AWS.
        case notAWS
        /// The answer to a reading call is not what the protocol allows.
        case unreadable
        /// No answer: name, connection, TLS or time.
        case network
        case cancelled
        /// Something is wrong on our side of the call (a region with a slash in it, for example).
        case configuration
    }

    package var kind: Kind
    package var service: String
    package var operation: String
    package var region: String
    /// AWS's own code, as it came: `InvalidVpcID.NotFound`.
    package var code: String?
    package var message: String
    package var httpStatus: Int?
    package var requestID: String?
    /// S3's second id (`x-amz-id-2`).
    package var extendedRequestID: String?
    /// How often the call was sent.
    package var attempts: Int
    package var credentialsError: CredentialsError?

    package init(
        _ kind: Kind, service: String, operation: String, region: String = "", code: String? = nil, message: String,
        httpStatus: Int? = nil, requestID: String? = nil, extendedRequestID: String? = nil, attempts: Int = 1,
        credentialsError: CredentialsError? = nil
    ) {
        self.kind = kind
        self.service = service
        self.operation = operation
        self.region = region
        self.code = code
        self.message = message
        self.httpStatus = httpStatus
        self.requestID = requestID
        self.extendedRequestID = extendedRequestID
        self.attempts = attempts
        self.credentialsError = credentialsError
    }

    /// Whether the person has to look at credentials (exit code 4), not at the spec.
    package var isCredentialsProblem: Bool {
        switch kind {
        case .noCredentials, .badCredentials, .expiredToken: true
        default: false
        }
    }

    /// Whether the change may have happened. Never true for a call that only reads.
    package var isOutcomeUnknown: Bool { kind == .outcomeUnknown }
}

extension AWSError: CustomStringConvertible {
    /// One line with everything that AWS's support asks for.
    package var description: String {
        var facts: [String] = []
        if let httpStatus { facts.append("HTTP \(httpStatus)") }
        if let requestID { facts.append("request id \(requestID)") }
        if let extendedRequestID { facts.append("extended request id \(extendedRequestID)") }
        if attempts > 1 { facts.append("\(attempts) attempts") }
        let cause = [code, message.isEmpty ? nil : message].compactMap { $0 }.joined(separator: ": ")
        let suffix = facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))"
        return "\(service) \(operation)\(region.isEmpty ? "" : " in \(region)"): \(cause)\(suffix)"
    }
}
