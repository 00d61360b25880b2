// AWS as muster sees it: one file per resource type in `Resources/`, one per lookup in `Lookups/`, the listings that
// several types share in `Listings/`, and the list of them all in `Catalog.swift`.
//
// A type talks to an `AWSSession`: it makes calls with errors already classed, and remembers each listing, so that a
// refresh asks once for what five types need.

package import AWSClient
package import MusterModel
package import ProviderKit

package struct AWSProvider: Provider {
    private let makeClient: @Sendable (MusterModel.ProviderConfiguration) throws(AWSError) -> AWSClient
    private let endpointIdentity: @Sendable (MusterModel.ProviderConfiguration) -> String

    /// - Parameters:
    ///   - makeClient: a client for a stack's configuration; it may be asked for many times and should remember.
    ///   - endpointIdentity: which installation a state belongs to: `aws`, or the address of another.
    package init(
        endpointIdentity: @escaping @Sendable (MusterModel.ProviderConfiguration) -> String,
        makeClient: @escaping @Sendable (MusterModel.ProviderConfiguration) throws(AWSError) -> AWSClient
    ) {
        self.endpointIdentity = endpointIdentity
        self.makeClient = makeClient
    }

    package var name: String { "aws" }
    package var resources: [ResourceSchema] { Catalog.resources }
    package var lookups: [LookupSchema] { Catalog.lookups }

    package func scope(for configuration: MusterModel.ProviderConfiguration) async throws(ProviderError)
        -> ProviderScope
    {
        let client = try client(for: configuration)
        let session = AWSSession(client: client, expecting: [:])
        let identity = try await session.call(.sts, "GetCallerIdentity", [:], effect: .read)
        let account = identity.xml["Account"].text
        if let expected = configuration.account, expected != account {
            throw ProviderError(
                .badCredentials,
                "The credentials belong to the account \(account), but the stack is bound to \(expected).",
                operation: "sts.GetCallerIdentity", hint: "Use the credentials of \(expected).")
        }
        return ProviderScope(
            provider: name, account: account, region: client.configuration.region,
            endpoint: endpointIdentity(configuration))
    }

    package func session(
        for configuration: MusterModel.ProviderConfiguration, expecting: [ResourceType: [KnownObject]]
    ) throws(ProviderError) -> any ProviderSession {
        AWSSession(client: try client(for: configuration), expecting: expecting)
    }

    func client(for configuration: MusterModel.ProviderConfiguration) throws(ProviderError) -> AWSClient {
        do {
            return try makeClient(configuration)
        } catch {
            throw ProviderError(error)
        }
    }
}
