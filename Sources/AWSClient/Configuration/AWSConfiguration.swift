package import HTTPTransport

/// What a stack or workspace says about where and as whom to work.
package struct AWSAccessSettings: Sendable, Hashable {
    package struct AssumeRole: Sendable, Hashable {
        package var roleARN: String
        package var sessionName: String?
        package var externalID: String?
        package var durationSeconds: Int?

        package init(
            roleARN: String, sessionName: String? = nil, externalID: String? = nil, durationSeconds: Int? = nil
        ) {
            self.roleARN = roleARN
            self.sessionName = sessionName
            self.externalID = externalID
            self.durationSeconds = durationSeconds
        }
    }

    package var region: String?
    /// Chosen explicitly: credentials in environment variables then do not count.
    package var profile: String?
    /// Assumed on top of what the chain gives.
    package var assumeRole: AssumeRole?
    /// The account that the caller must turn out to be in.
    package var accountID: String?
    /// Every service is there.
    package var endpointURL: String?

    package init(
        region: String? = nil, profile: String? = nil, assumeRole: AssumeRole? = nil, accountID: String? = nil,
        endpointURL: String? = nil
    ) {
        self.region = region
        self.profile = profile
        self.assumeRole = assumeRole
        self.accountID = accountID
        self.endpointURL = endpointURL
    }
}

/// Why the configuration cannot be used.
package struct AWSConfigurationError: Error, Sendable, Equatable {
    package var message: String
    package var hint: String?
    /// `path:line` where a file is at fault.
    package var place: String?
    /// Whether the credentials that were asked for are not there.
    package var concernsCredentials: Bool

    package init(
        _ message: String, hint: String? = nil, place: String? = nil, concernsCredentials: Bool = false
    ) {
        self.message = message
        self.hint = hint
        self.place = place
        self.concernsCredentials = concernsCredentials
    }
}

extension AWSConfigurationError: CustomStringConvertible {
    package var description: String {
        (place.map { "\($0): " } ?? "") + message + (hint.map { " (\($0))" } ?? "")
    }
}

/// The settled configuration of a client.
package struct AWSConfiguration: Sendable, Hashable {
    package var region: String
    package var profile: String
    package var endpoints: AWSEndpoints
    package var transport: CurlHTTPClient.Settings
    package var retry: RetrySettings
    package var userAgent: String

    package struct RetrySettings: Sendable, Hashable {
        /// As configured: `standard`, `adaptive` or `legacy`. All are the same here: the rate always adapts.
        package var mode = "standard"
        /// `nil`: our own default.
        package var maxAttempts: Int?

        package init() {}
    }

    package init(
        region: String, profile: String = "default", endpoints: AWSEndpoints = AWSEndpoints(),
        transport: CurlHTTPClient.Settings = CurlHTTPClient.Settings(), retry: RetrySettings = RetrySettings(),
        userAgent: String = "muster"
    ) {
        self.region = region
        self.profile = profile
        self.endpoints = endpoints
        self.transport = transport
        self.retry = retry
        self.userAgent = userAgent
    }

    package var retryPolicy: RetryPolicy {
        retry.maxAttempts.map { RetryPolicy(maxAttempts: $0) } ?? RetryPolicy()
    }

    /// See `AWSEndpoints.identity(region:)`.
    package var endpointIdentity: String { endpoints.identity(region: region) }

    package var partition: AWSPartition { AWSPartition(region: region) }
}
