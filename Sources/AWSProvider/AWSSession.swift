import AWSClient
import MusterModel
import ProviderKit

/// One look at AWS: calls with classed errors, and listings that are fetched once.
struct AWSSession: ProviderSession {
    let client: AWSClient
    /// Everything that will be read in this session, so that a filtered listing can name all ids at once.
    let expecting: [ResourceType: [KnownObject]]
    let listings = ListingMemory()
    /// What never changes of an object, for as long as the process lives.
    let constants: ListingMemory
    private var leave: (@Sendable () async -> Bool)?
    private var look: SharedLook?
    private let effects = CallEffects()

    init(
        client: AWSClient, expecting: [ResourceType: [KnownObject]], constants: ListingMemory = ListingMemory()
    ) {
        self.client = client
        self.expecting = expecting
        self.constants = constants
    }

    func handler(for type: ResourceType) -> (any ResourceHandler)? { Catalog.handler(for: type, in: self) }

    func lookup(_ kind: String, _ arguments: [String: Value]) async throws(ProviderError) -> [String: Value] {
        try await Catalog.lookup(kind, arguments, in: self)
    }

    func asking(_ leave: @escaping @Sendable () async -> Bool) -> any ProviderSession {
        var session = self
        session.leave = leave
        return session
    }

    func sharing(_ look: SharedLook) -> any ProviderSession {
        var session = self
        session.look = look
        return session
    }

    func hasMissed() async -> Bool { await effects.hasMissed }

    // MARK: Calls

    /// One call. `effect` says whether it may be sent again after its outcome became unknown (see `AWSEffect`).
    func call(
        _ service: AWSService, _ name: String, _ input: AWSInput, effect: AWSEffect? = nil
    ) async throws(ProviderError) -> AWSOutput {
        try await call(AWSOperation(service, name, input, effect: effect))
    }

    func call(_ operation: AWSOperation) async throws(ProviderError) -> AWSOutput {
        do {
            let output = try await client.call(operation, asking: leave)
            if operation.effect.isMutating { await effects.addChange() }
            return output
        } catch {
            throw ProviderError(error)
        }
    }

    /// A look at one thing; nil where there is none.
    func look(
        _ service: AWSService, _ name: String, _ input: AWSInput
    ) async throws(ProviderError) -> AWSOutput? {
        try await look(AWSOperation(service, name, input, effect: .read))
    }

    func look(_ operation: AWSOperation) async throws(ProviderError) -> AWSOutput? {
        do throws(ProviderError) {
            return try await call(operation)
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    /// A deleting call, for which an object that is gone already is a success.
    func delete(
        _ service: AWSService, _ name: String, _ input: AWSInput, goneCodes: Set<String> = []
    ) async throws(ProviderError) {
        do {
            _ = try await client.call(AWSOperation(service, name, input, effect: .idempotent), asking: leave)
            await effects.addChange()
        } catch {
            if error.kind == .notFound || goneCodes.contains(error.code ?? "") {
                return await effects.addMiss()
            }
            throw ProviderError(error)
        }
    }

    /// All elements of a paged listing.
    func list(
        _ operation: AWSOperation, _ pagination: AWSPagination, at path: String
    ) async throws(ProviderError) -> [XMLElement] {
        do {
            return try await client.list(operation, pagination, at: path)
        } catch {
            throw ProviderError(error)
        }
    }

    /// A listing that is fetched once in this session, whoever asks.
    func remembered<Answer: Sendable>(
        _ key: String, _ fetch: @escaping @Sendable () async throws(ProviderError) -> Answer
    ) async throws(ProviderError) -> Answer {
        try await listings.answer(to: key, fetch)
    }

    /// The arguments of what this run is to make of a type that overwrites, as far as they are known.
    func wanted(_ type: ResourceType) -> [[String: Value]] { look?.wanted[type] ?? [] }

    /// True when a listing that several steps share has no such key, so that a creation overwrites nothing. False also
    /// where nothing is known, as for a single creation: then a look for that one decides.
    func isFree(
        _ key: String, of type: ResourceType, in listing: String, _ intent: Intent,
        _ keys: @escaping @Sendable () async throws(ProviderError) -> Set<String>
    ) async throws(ProviderError) -> Bool {
        guard let look, look.wanted[type]?.count ?? 0 > 1 else { return false }
        do throws(ProviderError) {
            if try await look.memory.answer(to: listing, keys).contains(key) { return false }
        } catch {
            // Others may have more luck.
            await look.memory.forget(listing)
            throw error
        }
        return await look.memory.claim("\(listing) \(key)", by: intent.token)
    }

    /// The ids of a type that this session was told about, with those asked for now.
    func expectedIDs(_ type: ResourceType, and ids: some Sequence<RemoteID>) -> Set<String> {
        var all = Set(ids.map(\.rawValue))
        for object in expecting[type] ?? [] { all.insert(object.id.rawValue) }
        return all
    }
}

extension AWSSession {
    /// The ARN of an EC2 object in the client's region.
    func ec2ARN(_ resource: String, account: String) -> String {
        "arn:\(client.configuration.partition.name):ec2:\(client.configuration.region):\(account):\(resource)"
    }
}
