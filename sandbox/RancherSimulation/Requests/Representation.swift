import AWSClient
import HTTPTransport
import SandboxServing

// How objects look from outside: envelope, links, the actions of the moment, times with their twins.

extension RancherServer {
    func representation(
        _ entity: Entity, _ context: RequestContext, revealing revealed: [String: JSONValue] = [:],
        including included: [JSONValue.Member] = []
    ) -> JSONValue {
        let type = type(of: entity)
        let own = context.url(of: entity, type)
        var links = [JSONValue.Member("self", .string(own))]
        for link in self.links(of: entity, type, context) {
            links.append(.init(link.name, .string("\(own)/\(link.name.lowercased())")))
        }
        let actions = actions(of: entity, type, context).map { name in
            JSONValue.Member(name, .string("\(own)/?action=\(name.lowercased())"))
        }
        var fields = ownFields(of: entity, type, context, revealed)
        for (name, value) in type.hooks.derive?(self, entity, context) ?? [:] { fields[name] = value }
        let state = fields.removeValue(forKey: "state") ?? .string(entity.state)
        let name = fields.removeValue(forKey: "name") ?? .null
        let actionsKey = context.headers["X-API-Action-Links"] == nil ? "actions" : "actionLinks"
        let head: [JSONValue.Member] = [
            .init("id", .string(entity.id.text(in: context.api))), .init("type", .string(type.name(in: context.api))),
            .init("links", .object(links)), .init(actionsKey, .object(actions)),
            .init("baseType", .string(type.base(in: context.api))), .init("name", name), .init("state", state),
        ]
        return .object(head + JSONValue.sorted(fields).members + included)
    }

    private func ownFields(
        of entity: Entity, _ type: ObjectType, _ context: RequestContext, _ revealed: [String: JSONValue]
    ) -> [String: JSONValue] {
        var fields: [String: JSONValue] = [:]
        for field in type.fields(in: context.api, of: version) {
            if field.use.contains(.administrative), !context.caller.role.isAdministrative { continue }
            if field.name == "state" { continue }
            var value = entity[field.name]
            if field.kind == .password || field.use.contains(.onCreateOnly) { value = revealed[field.name] ?? .null }
            if value.isNull, field.kind == .boolean { value = false }
            fields[ObjectType.publicField(field.name, in: context.api)] = outward(value, field.kind, context.api)
            if field.kind == .date, let time = value.integer { setTime(field.name, Int64(time), &fields) }
        }
        fields["uuid"] = .string(entity.uuid)
        fields["kind"] = entity["kind"].isNull ? .string(type.name(in: context.api)) : entity["kind"]
        fields["accountId"] = entity.owner.map { .string(ObjectID(.account, $0).text()) } ?? .null
        setTime("created", entity.created, &fields)
        setTime("removed", entity.removed, &fields)
        if context.caller.role.isAdministrative { setTime("removeTime", entity.removeTime, &fields) }
        fields["transitioning"] = entity.failure != nil ? "error" : entity.isTransitioning ? "yes" : "no"
        fields["transitioningMessage"] =
            entity.failure.map { .string($0) } ?? (entity.isTransitioning ? "In Progress" : .null)
        fields["transitioningProgress"] = .null
        return fields
    }

    private func setTime(_ name: String, _ time: Int64?, _ fields: inout [String: JSONValue]) {
        fields[name] = time.map { .string(Timestamp(millisecondsSinceEpoch: $0).iso8601) } ?? .null
        fields["\(name)TS"] = time.map { .integer($0) } ?? .null
    }

    /// References to stacks are spelled otherwise in v1.
    private func outward(_ value: JSONValue, _ kind: Field.Kind, _ api: APIVersion) -> JSONValue {
        guard api == .v1 else { return value }
        switch (kind, value) {
        case (.reference("stack"), .string(let text)):
            return ObjectID(text, in: .stack).map { .string($0.text(in: .v1)) } ?? value
        case (.array(let kind), .array(let items)): return .array(items.map { outward($0, kind, api) })
        default: return value
        }
    }

    /// The links that lead to what the caller may see.
    func links(of entity: Entity, _ type: ObjectType, _ context: RequestContext) -> [ObjectType.Link] {
        type.links.filter { link in
            switch link {
            case .children(_, let target, _), .owned(_, let target), .parent(_, let target, _):
                ObjectType.byName[target].map { isVisible($0, context) } ?? false
            case .page: true
            }
        }
    }

    /// Exactly what may be asked for now.
    func actions(of entity: Entity, _ type: ObjectType, _ context: RequestContext) -> [String] {
        let rights = type.rights(of: context.caller.role)
        guard !rights.isDisjoint(with: [.create, .update, .delete]) else { return [] }
        let processes = type.processes.filter {
            guard $0.isAction, $0.versions.contains(version), $0.start.contains(entity.state) else { return false }
            return $0.name != "update" || rights.contains(.update)
        }
        let commands = type.commands.filter { version >= $0.since && $0.states.contains(entity.state) }
        return (processes.map(\.name) + commands.map(\.name)).filter {
            type.hooks.offers?(self, entity, $0, context) ?? true
        }
    }
}
