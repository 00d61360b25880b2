package import AWSClient

/// One object that is there, with what no answer tells: for tests that look without asking.
package struct RancherItem: Sendable, Equatable {
    /// As v2-beta calls it.
    package var type: String
    package var id: String
    /// The environment that it is in.
    package var environment: String?
    package var state: String
    /// What it was told, its secrets among it.
    package var fields: [String: JSONValue]

    package var name: String? { fields["name"]?.string }
    package var details: String? { fields["description"]?.string }
}

extension RancherServer {
    /// Whatever is neither gone nor going, by itself or with what it belongs to; settings that were given a value, and
    /// access control where it is on.
    package var items: [RancherItem] {
        var items = Table.allCases.flatMap { living($0) }.filter { isStaying($0) }.map { entity in
            RancherItem(
                type: entity.type, id: entity.id.text(), environment: environment(of: entity), state: entity.state,
                fields: entity.fields)
        }
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) where !name.hasPrefix("api.") {
            items.append(
                RancherItem(
                    type: "setting", id: name, environment: nil, state: "active",
                    fields: ["name": .string(name), "value": .string(value)]))
        }
        if isSecured, setting("api.auth.provider.configured") == "localauthconfig" {
            items.append(
                RancherItem(type: "localAuthConfig", id: "local", environment: nil, state: "active", fields: [:]))
        }
        if isSecured, setting("api.auth.provider.configured") == "githubconfig" {
            items.append(
                RancherItem(type: "githubConfig", id: "github", environment: nil, state: "active", fields: [:]))
        }
        return items
    }

    /// The token that the end of a registration URL stands for.
    package func registrationTokenID(_ text: String) -> String? { registrationToken(text)?.id.text() }

    private func isStaying(_ entity: Entity) -> Bool {
        guard !["deactivating", "removing"].contains(entity.state) || entity.type != "project",
            entity.state != "removing"
        else { return false }
        guard let owner = entity.owner, owner != entity.id.number || entity.id.table != .account else { return true }
        return account(owner).map { $0.removed == nil && isStaying($0) } ?? false
    }

    private func environment(of entity: Entity) -> String? {
        guard let owner = entity.owner.flatMap({ account($0) }), owner.type == "project", owner.id != entity.id else {
            return nil
        }
        return owner.id.text()
    }
}
