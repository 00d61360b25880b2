import MusterModel
import ProviderKit
import RancherClient

/// The objects of one kind on a server, or in one of its environments: what all types do in the same way.
struct RancherCollection: Sendable {
    let session: RancherSession
    let server: RancherServerURL
    let environment: String?
    let kind: RancherKind

    /// - Throws: `invalid` on a server whose version does not have this kind.
    func path() async throws(ProviderError) -> RancherPath {
        let api = try await session.reading(server) { (client) async throws(RancherError) in try await client.api() }
        if api == .v2Beta { return RancherPath(kind.collection, in: environment) }
        guard let collection = kind.oldCollection else {
            throw ProviderError(
                .invalid, "The Rancher server at \(server) is too old: it has no \(kind.collection).",
                hint: "They came with Rancher 1.2 and later.")
        }
        return RancherPath(collection, in: environment)
    }

    func path(_ id: RemoteID) async throws(ProviderError) -> RancherPath {
        try await path().appending(id.rawValue)
    }

    // MARK: Reading

    /// All of them, fetched once in the session.
    func all() async throws(ProviderError) -> [RancherObject] {
        try await session.remembered("\(server) \(environment ?? "") \(kind.collection)") {
            () async throws(ProviderError) -> [RancherObject] in try await self.fetch()
        }
    }

    /// The one with an id, among all of them.
    func listed(_ id: String) async throws(ProviderError) -> RancherObject? {
        let index = try await session.remembered("\(server) \(environment ?? "") \(kind.collection) by id") {
            () async throws(ProviderError) -> [String: RancherObject] in
            Dictionary(try await self.all().map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        }
        return index[id]
    }

    /// All of them, as they are now. None in an environment that is gone.
    func fetch() async throws(ProviderError) -> [RancherObject] {
        let path = try await path()
        // An administrator sees the environments of others when he asks for all.
        let query = kind.collection == "projects" ? [("all", "true")] : []
        do throws(ProviderError) {
            return try await session.reading(server) { (client) async throws(RancherError) in
                try await client.list(path, query)
            }
        } catch {
            guard let environment, [.notPermitted, .notFound].contains(error.kind),
                try await !hasEnvironment(environment)
            else { throw error }
            return []
        }
    }

    private func hasEnvironment(_ id: String) async throws(ProviderError) -> Bool {
        let projects = RancherCollection(session: session, server: server, environment: nil, kind: .project)
        guard let found = try await projects.listed(id) else { return false }
        return !["removing", "deactivating"].contains(found.state)
    }

    func object(_ id: RemoteID) async throws(ProviderError) -> RancherObject? {
        let path = try await path(id)
        return try await session.reading(server) { (client) async throws(RancherError) in
            try await client.object(path)
        }
    }

    // MARK: Changing

    func create(_ body: [String: Value]) async throws(ProviderError) -> RancherObject {
        let path = try await path()
        return try await session.changing(server) { (client, leave) async throws(RancherError) in
            try await client.create(path, body, asking: leave)
        }
    }

    func update(_ id: RemoteID, _ body: [String: Value]) async throws(ProviderError) -> RancherObject {
        let path = try await path(id)
        return try await session.changing(server) { (client, leave) async throws(RancherError) in
            try await client.update(path, body, asking: leave)
        }
    }

    @discardableResult
    func act(
        _ object: RancherObject, _ action: String, _ input: [String: Value] = [:]
    ) async throws(ProviderError) -> Value {
        guard object.actions.contains(action) else {
            throw ProviderError(
                .inUse, "\(object.id) is \"\(object.state)\", and Rancher does not offer \"\(action)\" then.",
                operation: action, code: "ActionNotAvailable")
        }
        let path = try await path(RemoteID(object.id))
        return try await session.changing(server) { (client, leave) async throws(RancherError) in
            try await client.act(path, action, input, asking: leave)
        }
    }

    /// Removes an object, or takes the step before; `inUse` until it can be removed. One that is gone is fine.
    func remove(_ id: RemoteID) async throws(ProviderError) {
        do throws(ProviderError) {
            try await removeOnce(id)
        } catch {
            // With its environment, or its server's last look at it.
            guard [.notPermitted, .notFound].contains(error.kind), let environment,
                try await !hasEnvironment(environment)
            else { throw error }
            await session.noteMiss()
        }
    }

    private func removeOnce(_ id: RemoteID) async throws(ProviderError) {
        guard let object = try await object(id) else { return await session.noteMiss() }
        if object.state == "removing" { return }
        if kind.isDeactivatedFirst, object.actions.contains("deactivate") {
            try await act(object, "deactivate")
            throw ProviderError(.inUse, "\(id) is being deactivated, so that it can be removed.")
        }
        if kind.isDeactivatedFirst, !object.actions.contains("remove") {
            throw ProviderError(.inUse, "\(id) cannot be removed while it is \"\(object.progress)\".")
        }
        if kind.isRemovedByAction {
            try await act(object, "remove")
            return
        }
        let path = try await path(id)
        do throws(ProviderError) {
            try await session.changing(server) { (client, leave) async throws(RancherError) in
                try await client.delete(path, asking: leave)
            }
        } catch {
            guard error.kind == .notFound else { throw error }
            await session.noteMiss()
        }
    }
}
