package import MusterModel

/// Several providers as one: what concerns a type goes to the provider whose name stands before its dot.
///
/// The first one is the home of stacks: their accounts, their lookups and remote secrets are its own. A session of each
/// is made when a type of it is asked for first, so that who uses one provider needs no credentials of the others.
package struct ProviderSet: Provider {
    private let home: any Provider
    private let members: [String: any Provider]
    package let catalog: Catalog

    package init(home: any Provider, and others: [any Provider]) {
        self.home = home
        let all = [home] + others
        members = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        catalog = others.reduce(home.catalog) { $0.joined(with: $1.catalog) }
    }

    package var name: String { home.name }
    package var resources: [ResourceSchema] { catalog.resources }
    package var lookups: [LookupSchema] { catalog.lookups }

    /// One of them, for what it alone can tell.
    package func member<Member: Provider>(_ type: Member.Type) -> Member? {
        members.values.lazy.compactMap { $0 as? Member }.first
    }

    package func scope(for configuration: ProviderConfiguration) async throws(ProviderError) -> ProviderScope {
        try await home.scope(for: configuration)
    }

    package func installation(of record: ResourceRecord) async throws(ProviderError) -> ProviderScope {
        try await members[record.scope.provider]?.installation(of: record) ?? record.scope
    }

    package func session(
        for configuration: ProviderConfiguration, expecting: [ResourceType: [KnownObject]]
    ) async throws(ProviderError) -> any ProviderSession {
        ProviderSetSession(
            home: home.name, catalog: catalog,
            sessions: SessionShelf { [members] (name) async throws(ProviderError) -> any ProviderSession in
                guard let provider = members[name] else {
                    throw ProviderError(.invalid, "This muster knows no provider \"\(name)\".")
                }
                return try await provider.session(
                    for: configuration, expecting: expecting.filter { $0.key.provider == name })
            })
    }

    package func secret(
        _ source: String, _ configuration: ProviderConfiguration
    ) async throws(ProviderError) -> String {
        try await home.secret(source, configuration)
    }
}

/// The sessions of several providers, each made when it is needed.
private struct ProviderSetSession: ProviderSession {
    let home: String
    let catalog: Catalog
    let sessions: SessionShelf
    var terms = Terms()

    func handler(for type: ResourceType) -> (any ResourceHandler)? {
        guard let schema = catalog[type] else { return nil }
        return RoutedHandler(schema: schema, sessions: sessions, terms: terms)
    }

    func lookup(_ kind: String, _ arguments: [String: Value]) async throws(ProviderError) -> [String: Value] {
        try await sessions.session(of: home).lookup(kind, arguments)
    }

    func asking(_ leave: @escaping @Sendable () async -> Bool) -> any ProviderSession {
        var session = self
        session.terms.leave = leave
        return session
    }

    func sharing(_ look: SharedLook) -> any ProviderSession {
        var session = self
        session.terms.look = look
        return session
    }

    func hasMissed() async -> Bool {
        let used = await sessions.used
        for session in used where await session.hasMissed() { return true }
        return used.isEmpty
    }
}

/// On what terms a session is used; it is handed on to the session of each provider.
private struct Terms: Sendable {
    var leave: (@Sendable () async -> Bool)?
    var look: SharedLook?

    func apply(to session: any ProviderSession) -> any ProviderSession {
        var session = session
        if let leave { session = session.asking(leave) }
        if let look { session = session.sharing(look) }
        return session
    }
}

/// One session of each provider; those who ask at once share it.
private actor SessionShelf {
    private let make: @Sendable (String) async throws(ProviderError) -> any ProviderSession
    private var sessions: [String: any ProviderSession] = [:]
    var used: [any ProviderSession] { Array(sessions.values) }

    init(_ make: @escaping @Sendable (String) async throws(ProviderError) -> any ProviderSession) {
        self.make = make
    }

    func session(of provider: String) async throws(ProviderError) -> any ProviderSession {
        if let known = sessions[provider] { return known }
        let made = try await make(provider)
        // While it was made, somebody else may have come for it.
        if let known = sessions[provider] { return known }
        sessions[provider] = made
        return made
    }
}

/// A handler in a session that is made with the first call.
private struct RoutedHandler: ResourceHandler {
    let schema: ResourceSchema
    let sessions: SessionShelf
    let terms: Terms

    var batches: (any BatchHandler)? { schema.batching == nil ? nil : RoutedBatchHandler(route: self) }

    func handler() async throws(ProviderError) -> any ResourceHandler {
        let session = terms.apply(to: try await sessions.session(of: schema.type.provider))
        if let handler = session.handler(for: schema.type) { return handler }
        throw ProviderError(.invalid, "No provider makes \(schema.type). This is a bug in muster.")
    }

    func read(_ known: [KnownObject]) async throws(ProviderError) -> [RemoteID: Observation] {
        try await handler().read(known)
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observation] {
        try await handler().list(in: scope)
    }

    func find(
        _ desired: [String: Value], intent: Intent
    ) async throws(ProviderError) -> (observation: Observation, isOurs: Bool)? {
        try await handler().find(desired, intent: intent)
    }

    func create(_ desired: [String: Value], intent: Intent) async throws(ProviderError) -> Observation {
        try await handler().create(desired, intent: intent)
    }

    func update(
        _ id: RemoteID, from old: [String: Value], to new: [String: Value]
    ) async throws(ProviderError) -> Observation? {
        try await handler().update(id, from: old, to: new)
    }

    func delete(_ id: RemoteID, last: [String: Value]) async throws(ProviderError) {
        try await handler().delete(id, last: last)
    }

    func abandon(_ last: [String: Value]) async throws(ProviderError) { try await handler().abandon(last) }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { try await handler().importID(text) }
}

/// The batches of a handler in a session that is made with the first call.
private struct RoutedBatchHandler: BatchHandler {
    let route: RoutedHandler

    private func handler() async throws(ProviderError) -> any BatchHandler {
        if let batches = try await route.handler().batches { return batches }
        throw ProviderError(.invalid, "\(route.schema.type) has no batches. This is a bug in muster.")
    }

    func create(_ batch: [[String: Value]], intent: Intent) async throws(ProviderError) -> [Observation?] {
        try await handler().create(batch, intent: intent)
    }

    func delete(_ batch: [KnownObject]) async throws(ProviderError) { try await handler().delete(batch) }
}
