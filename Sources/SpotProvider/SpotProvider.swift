// Spot (Spotinst) as muster sees it: elastigroups of one account.
//
// The account comes from the environment, as the token does. State belongs to it: each object tells where it lives
// (`Observed.scope`), and `installation(of:)` where a run would look for it.

package import MusterModel
package import ProviderKit
package import SpotClient

package struct SpotProvider: Provider {
    private let makeClient: @Sendable () throws(ProviderError) -> SpotClient

    /// - Parameter makeClient: called when something of Spot is needed first; throws where there is no token or no account.
    package init(makeClient: @escaping @Sendable () throws(ProviderError) -> SpotClient) {
        self.makeClient = makeClient
    }

    package static let providerName = "spot"
    package var name: String { SpotProvider.providerName }
    package static var catalog: MusterModel.Catalog { Catalog.schemas }
    package var catalog: MusterModel.Catalog { Catalog.schemas }
    package var resources: [ResourceSchema] { catalog.resources }
    package var lookups: [LookupSchema] { [] }

    package func scope(for configuration: ProviderConfiguration) async throws(ProviderError) -> ProviderScope {
        try makeClient().scope
    }

    package func installation(of record: ResourceRecord) async throws(ProviderError) -> ProviderScope {
        try makeClient().scope
    }

    package func session(
        for configuration: ProviderConfiguration, expecting: [ResourceType: [KnownObject]]
    ) async throws(ProviderError) -> any ProviderSession {
        SpotSession(client: try makeClient())
    }

    package func secret(_ source: String, _ configuration: ProviderConfiguration) async throws(ProviderError) -> String
    {
        throw ProviderError(.invalid, "Spot keeps no secrets that can be read: \"\(source)\".")
    }
}

extension SpotClient {
    /// The account at this endpoint.
    var scope: ProviderScope {
        ProviderScope(
            provider: SpotProvider.providerName, account: credentials.account, region: "", endpoint: endpoint.text)
    }
}
