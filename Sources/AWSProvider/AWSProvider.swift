// AWS as muster sees it: one file per resource type in `Resources/`, one per lookup in `Lookups/`, the listings that
// several types share in `Listings/`, and the list of them all in `Catalog.swift`.
//
// A type talks to an `AWSSession`: it makes calls with errors already classed, and remembers each listing, so that a
// refresh asks once for what five types need.

package import AWSClient
package import MusterModel
package import ProviderKit

package struct AWSProvider: Provider {
    private let factory: AWSClientFactory
    private let constants = ListingMemory()

    /// - Parameter factory: makes a client for a stack's configuration, and remembers it.
    package init(factory: AWSClientFactory) { self.factory = factory }

    package var name: String { "aws" }
    package var resources: [ResourceSchema] { catalog.resources }
    package var lookups: [LookupSchema] { catalog.lookups }
    package var catalog: MusterModel.Catalog { Catalog.schemas }

    package func scope(for configuration: ProviderConfiguration) async throws(ProviderError)
        -> ProviderScope
    {
        let client = try await client(for: configuration)
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
            endpoint: client.configuration.endpointIdentity)
    }

    package func session(
        for configuration: ProviderConfiguration, expecting: [ResourceType: [KnownObject]]
    ) async throws(ProviderError) -> any ProviderSession {
        AWSSession(client: try await client(for: configuration), expecting: expecting, constants: constants)
    }

    func client(
        for configuration: ProviderConfiguration
    ) async throws(ProviderError) -> AWSClient {
        do {
            return try await factory.client(
                for: AWSAccessSettings(
                    region: configuration.region, profile: configuration.profile,
                    assumeRole: configuration.assumeRole.map { .init(roleARN: $0) }, accountID: configuration.account))
        } catch {
            let place = error.place.map { " (\($0))" } ?? ""
            throw ProviderError(
                error.concernsCredentials ? .badCredentials : .invalid, "\(error.message)\(place).",
                code: "configuration", hint: error.hint)
        }
    }
}
