/// What a request is signed with.
package struct AWSCredentials: Sendable, Hashable {
    package var accessKeyID: String
    package var secretAccessKey: Secret
    package var sessionToken: Secret?
    /// `nil`: never expires.
    package var expiration: Timestamp?
    /// The account, where the source tells it.
    package var accountID: String?
    /// Where they came from, for messages: `environment`, `profile dev (credential_process)`.
    package var source: String

    package init(
        accessKeyID: String, secretAccessKey: Secret, sessionToken: Secret? = nil, expiration: Timestamp? = nil,
        accountID: String? = nil, source: String
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
        self.accountID = accountID
        self.source = source
    }
}

/// Gives credentials that are valid now; refreshes them as needed.
package protocol AWSCredentialsProviding: Sendable {
    func credentials() async throws(CredentialsError) -> AWSCredentials
    /// The service called these expired: the next `credentials()` must not return them again.
    func discard(_ credentials: AWSCredentials) async
}

/// Credentials that never change: tests, and steps inside the chain.
package struct StaticCredentials: AWSCredentialsProviding {
    private let value: AWSCredentials

    package init(_ value: AWSCredentials) {
        self.value = value
    }

    package func credentials() async throws(CredentialsError) -> AWSCredentials { value }
    package func discard(_ credentials: AWSCredentials) async {}
}

/// Why there are no credentials: every source that was looked at, in order, and why it gave none.
package struct CredentialsError: Error, Sendable, Equatable {
    package struct Attempt: Sendable, Equatable {
        /// Such as `environment variables` or `profile dev: credential_process`.
        package var source: String
        package var reason: String

        package init(_ source: String, _ reason: String) {
            self.source = source
            self.reason = reason
        }
    }

    package var summary: String
    package var attempts: [Attempt]
    package var hint: String?

    package init(_ summary: String, attempts: [Attempt] = [], hint: String? = nil) {
        self.summary = summary
        self.attempts = attempts
        self.hint = hint
    }
}

extension CredentialsError: CustomStringConvertible {
    package var description: String {
        ([summary] + attempts.map { "  - \($0.source): \($0.reason)" } + (hint.map { ["hint: \($0)"] } ?? []))
            .joined(separator: "\n")
    }
}
