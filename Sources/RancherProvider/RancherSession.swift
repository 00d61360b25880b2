import MusterModel
import ProviderKit
import RancherClient

/// One look at Rancher servers: calls with classed errors, and listings that are fetched once.
struct RancherSession: ProviderSession {
    let servers: RancherServers
    let vault: any SecretVault
    let configuration: ProviderConfiguration
    private let listings = ListingMemory()
    private let effects = CallEffects()
    private var leave: RancherClient.Leave?

    init(servers: RancherServers, vault: any SecretVault, configuration: ProviderConfiguration) {
        self.servers = servers
        self.vault = vault
        self.configuration = configuration
    }

    func handler(for type: ResourceType) -> (any ResourceHandler)? { Catalog.handler(for: type, in: self) }

    func lookup(_ kind: String, _ arguments: [String: Value]) async throws(ProviderError) -> [String: Value] {
        throw ProviderError(.invalid, "There is no lookup \"\(kind)\".")
    }

    func asking(_ leave: @escaping @Sendable () async -> Bool) -> any ProviderSession {
        var session = self
        session.leave = leave
        return session
    }

    func hasMissed() async -> Bool { await effects.hasMissed }

    // MARK: Calls

    /// A call that changes nothing.
    func reading<Answer: Sendable>(
        _ server: RancherServerURL, _ call: (RancherClient) async throws(RancherError) -> Answer
    ) async throws(ProviderError) -> Answer {
        do throws(RancherError) {
            return try await call(await servers.client(server))
        } catch {
            throw ProviderError(error)
        }
    }

    /// A call that changes something. A server that is not up yet is waited for, as one that asks to come later: the plan
    /// may be making it, or renewing the machine it runs on.
    func changing<Answer: Sendable>(
        _ server: RancherServerURL,
        _ call: (RancherClient, RancherClient.Leave?) async throws(RancherError) -> Answer
    ) async throws(ProviderError) -> Answer {
        do throws(RancherError) {
            let answer = try await call(await servers.client(server), leave)
            await effects.addChange()
            return answer
        } catch {
            var failure = ProviderError(error)
            if error.kind == .unreachable || error.kind == .unavailable { failure.kind = .throttled }
            throw failure
        }
    }

    /// A listing that is fetched once in this session, whoever asks.
    func remembered<Answer: Sendable>(
        _ key: String, _ fetch: @escaping @Sendable () async throws(ProviderError) -> Answer
    ) async throws(ProviderError) -> Answer {
        try await listings.answer(to: key, fetch)
    }

    func noteMiss() async { await effects.addMiss() }
}
