package import HTTPTransport

/// Makes clients from what stacks say about region, profile and role. Those that agree share connections, credentials
/// and rate budgets.
package actor AWSClientFactory {
    private struct Identity: Hashable {
        var profile: String?
        var assumeRole: AWSAccessSettings.AssumeRole?
        var endpoints: AWSEndpoints
        /// STS is asked in the region, so that it belongs to the identity.
        var region: String
    }

    private let collaborators: AWSCollaborators
    private let version: String
    private let observer: AWSClient.Observer?
    private let makeHTTPClient: @Sendable (CurlHTTPClient.Settings) -> any HTTPClient
    private let budgets = RateBudgets()
    private var clients: [AWSAccessSettings: AWSClient] = [:]
    private var transports: [CurlHTTPClient.Settings: any HTTPClient] = [:]
    private var identities: [Identity: CredentialsProvider] = [:]

    /// - Parameters:
    ///   - version: of muster, for the `User-Agent`.
    ///   - observer: hears of every attempt.
    ///   - makeHTTPClient: called once for each set of proxies and authorities.
    package init(
        collaborators: AWSCollaborators, version: String, observer: AWSClient.Observer? = nil,
        makeHTTPClient: @escaping @Sendable (CurlHTTPClient.Settings) -> any HTTPClient
    ) {
        self.collaborators = collaborators
        self.version = version
        self.observer = observer
        self.makeHTTPClient = makeHTTPClient
    }

    /// The client for a configuration; the same one for an equal configuration. No request is sent.
    package func client(for provider: AWSAccessSettings) async throws(AWSConfigurationError) -> AWSClient {
        if let known = clients[provider] { return known }
        let configuration = try await AWSConfiguration.load(provider, collaborators, version: version)
        // While the files were read, somebody else may have come for the same.
        if let known = clients[provider] { return known }
        let http = transports[configuration.transport] ?? makeHTTPClient(configuration.transport)
        transports[configuration.transport] = http
        let identity = Identity(
            profile: provider.profile, assumeRole: provider.assumeRole, endpoints: configuration.endpoints,
            region: configuration.region)
        let credentials =
            identities[identity]
            ?? CredentialsProvider(provider, configuration: configuration, collaborators: collaborators, http: http)
        identities[identity] = credentials
        let client = AWSClient(
            configuration: configuration, credentials: credentials, http: http, collaborators: collaborators,
            budgets: budgets, observer: observer)
        clients[provider] = client
        return client
    }
}

/// Who AWS says we are.
package struct AWSCallerIdentity: Sendable, Hashable {
    package var accountID: String
    package var arn: String
    package var userID: String
}

extension AWSClient {
    /// Asks STS; every identity may.
    package func callerIdentity() async throws(AWSError) -> AWSCallerIdentity {
        let output = try await call(.sts, "GetCallerIdentity")
        guard let account = output.xml["Account"].nonEmpty, let arn = output.xml["Arn"].nonEmpty else {
            throw AWSError(
                .unreadable, service: "sts", operation: "GetCallerIdentity", region: configuration.region,
                message: "the answer names no account", requestID: output.requestID)
        }
        return AWSCallerIdentity(accountID: account, arn: arn, userID: output.xml["UserId"].text)
    }
}
