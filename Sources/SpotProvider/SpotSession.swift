import MusterModel
import ProviderKit
import SpotClient

/// One look at an account: calls with classed errors, and a listing that is fetched once.
struct SpotSession: ProviderSession {
    private let client: SpotClient
    private let listings = ListingMemory()
    private let effects = CallEffects()
    private var leave: SpotClient.Leave?

    init(client: SpotClient) { self.client = client }

    var scope: ProviderScope { client.scope }

    func handler(for type: ResourceType) -> (any ResourceHandler)? { Catalog.handlers.handler(for: type, in: self) }

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

    /// All groups of the account, fetched once in this session.
    func groups() async throws(ProviderError) -> [Value] {
        try await listings.answer(to: "groups") { () async throws(ProviderError) in try await self.freshGroups() }
    }

    func freshGroups() async throws(ProviderError) -> [Value] {
        do throws(SpotError) {
            return try await client.groups()
        } catch {
            throw ProviderError(error)
        }
    }

    /// As it is now. Throws `.notFound` where there is none.
    func group(_ id: RemoteID) async throws(ProviderError) -> Value {
        let group: Value?
        do throws(SpotError) {
            group = try await client.group(id.rawValue)
        } catch {
            throw ProviderError(error)
        }
        if let group { return group }
        throw ProviderError(.notFound, "\(id) is not there any more.")
    }

    func create(_ group: Value) async throws(ProviderError) -> Value {
        try await changing { (client) async throws(SpotError) in try await client.create(group, asking: leave) }
    }

    func update(
        _ id: RemoteID, _ changes: Value, _ query: [(String, String)]
    ) async throws(ProviderError) -> Value {
        try await changing { (client) async throws(SpotError) in
            try await client.update(id.rawValue, changes, query, asking: leave)
        }
    }

    /// A group that is gone already is fine.
    func delete(_ id: RemoteID, _ body: Value?) async throws(ProviderError) {
        do throws(ProviderError) {
            try await changing { (client) async throws(SpotError) in
                try await client.delete(id.rawValue, body, asking: leave)
            }
        } catch {
            guard error.kind == .notFound else { throw error }
            await effects.addMiss()
        }
    }

    private func changing<Answer: Sendable>(
        _ call: (SpotClient) async throws(SpotError) -> Answer
    ) async throws(ProviderError) -> Answer {
        do throws(SpotError) {
            let answer = try await call(client)
            await effects.addChange()
            return answer
        } catch {
            throw ProviderError(error)
        }
    }
}
