// Rancher 1.x as muster sees it: one file per resource type in `Resources/`, the list of them all in `Catalog.swift`.
//
// Every object names its server, so that one workspace may have several and a server may be one that the same plan makes.
// A key comes from the environment. State belongs to an installation: `installation(at:)` tells which one answers now, and
// each object tells where it lives (`Observed.scope`).

package import MusterModel
package import ProviderKit
package import RancherClient

package struct RancherProvider: Provider {
    let servers: RancherServers
    let vault: any SecretVault

    /// - Parameters:
    ///   - override: the server that stands for every other one (`RANCHER_URL`), as the sandbox does.
    ///   - vault: takes secrets that a server shows only once.
    ///   - makeClient: called once for each server.
    package init(
        override: RancherServerURL?, vault: any SecretVault,
        makeClient: @escaping @Sendable (RancherServerURL) -> RancherClient
    ) {
        servers = RancherServers(override: override, makeClient: makeClient)
        self.vault = vault
    }

    package static let providerName = "rancher"
    package var name: String { RancherProvider.providerName }
    package static var catalog: MusterModel.Catalog { Catalog.schemas }
    package var catalog: MusterModel.Catalog { Catalog.schemas }
    package var resources: [ResourceSchema] { catalog.resources }
    package var lookups: [LookupSchema] { [] }

    package func scope(for configuration: ProviderConfiguration) async throws(ProviderError) -> ProviderScope {
        ProviderScope(provider: name, account: "", region: "", endpoint: servers.endpoint)
    }

    package func session(
        for configuration: ProviderConfiguration, expecting: [ResourceType: [KnownObject]]
    ) async throws(ProviderError) -> any ProviderSession {
        RancherSession(servers: servers, vault: vault, configuration: configuration)
    }

    package func secret(_ source: String, _ configuration: ProviderConfiguration) async throws(ProviderError) -> String
    {
        throw ProviderError(.invalid, "Rancher keeps no secrets that can be read: \"\(source)\".")
    }

    package func installation(of record: ResourceRecord) async throws(ProviderError) -> ProviderScope {
        // What was made through another endpoint is not asked for.
        if record.scope.endpoint != servers.endpoint {
            var scope = record.scope
            scope.endpoint = servers.endpoint
            return scope
        }
        let server = (record.arguments["server"] ?? record.arguments["url"])?.string
        return try await servers.scope(try servers.url(server))
    }
}

/// Where secrets go that a server shows only once, and that must not stay with muster.
package protocol SecretVault: Sendable {
    /// Whether a text could be kept there, as far as that can be told without keeping one.
    func check(_ place: String, _ configuration: ProviderConfiguration) async throws(ProviderError)
    /// Keeps the text at `file:PATH`, `ssm:/path` or `secretsmanager:name`, in place of what was there.
    func keep(_ text: String, at place: String, _ configuration: ProviderConfiguration) async throws(ProviderError)
    /// What is gone already is fine.
    func remove(_ place: String, _ configuration: ProviderConfiguration) async throws(ProviderError)
}

/// The clients of all servers, and what was learned about each.
actor RancherServers {
    nonisolated let override: RancherServerURL?
    private let makeClient: @Sendable (RancherServerURL) -> RancherClient
    private var clients: [RancherServerURL: RancherClient] = [:]
    private var scopes: [RancherServerURL: ProviderScope] = [:]

    init(override: RancherServerURL?, makeClient: @escaping @Sendable (RancherServerURL) -> RancherClient) {
        self.override = override
        self.makeClient = makeClient
    }

    /// Told in scopes: `rancher` for servers where they say they are.
    nonisolated var endpoint: String { override?.text ?? RancherProvider.providerName }

    /// The server that an argument names, or the one that stands for it.
    nonisolated func url(_ text: String?) throws(ProviderError) -> RancherServerURL {
        if let override { return override }
        guard let text else {
            throw ProviderError(
                .invalid, "No server is named.", hint: "Write \"server\", or set RANCHER_URL.")
        }
        guard let url = RancherServerURL(text) else {
            throw ProviderError(
                .invalid, "\"\(text)\" is no address of a server.", hint: "Write it like https://rancher.example.com.")
        }
        return url
    }

    func client(_ url: RancherServerURL) -> RancherClient {
        if let known = clients[url] { return known }
        let client = makeClient(url)
        clients[url] = client
        return client
    }

    /// The installation at an address: by `install.uuid`, which an administrator may read, else by the address.
    func scope(_ url: RancherServerURL) async throws(ProviderError) -> ProviderScope {
        if let known = scopes[url] { return known }
        var identity = url.text
        do throws(RancherError) {
            let setting = try await client(url).object(RancherPath("settings", in: nil, "install.uuid"))
            identity = setting?.text("value").flatMap { $0.isEmpty ? nil : $0 } ?? identity
        } catch {
            // Who is bound to an environment may not ask.
            if error.kind != .notPermitted, error.kind != .wrongState { throw ProviderError(error) }
        }
        let scope = ProviderScope(
            provider: RancherProvider.providerName, account: identity, region: "", endpoint: endpoint)
        scopes[url] = scope
        return scope
    }
}
