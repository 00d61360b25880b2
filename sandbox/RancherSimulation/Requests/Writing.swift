import AWSClient
import SandboxServing

// Create, update, remove and act.

extension RancherServer {
    mutating func create(
        _ type: ObjectType, _ input: [String: JSONValue], _ context: RequestContext
    ) throws(APIFailure) -> JSONValue {
        let fields = try validated(input, creating: type, context)
        var draft = Draft(fields: fields, owner: try owner(type, input, context))
        draft.uuid = context.caller.role.isAdministrative ? input["uuid"]?.string : nil
        try type.hooks.prepare?(&self, &draft, context)
        let id = make(type, owner: draft.owner, draft.fields, uuid: draft.uuid)
        type.hooks.made?(&self, id, draft)
        guard let made = entities[id] else { throw APIFailure(500, "Internal Server Error") }
        return representation(made, context, revealing: draft.revealed)
    }

    /// The account that a new object belongs to.
    private func owner(
        _ type: ObjectType, _ input: [String: JSONValue], _ context: RequestContext
    ) throws(APIFailure) -> Int {
        let caller = context.caller
        guard let asked = input["accountId"]?.string, caller.role.isAdministrative, type.field("accountId") != nil
        else { return caller.scope ?? caller.account }
        guard let id = ObjectID(asked.lowercased(), in: .account), let account = entities[id], account.removed == nil
        else { throw .validation("InvalidReference", "accountId") }
        return id.number
    }

    mutating func update(
        _ type: ObjectType, _ entity: Entity, _ input: [String: JSONValue], _ context: RequestContext
    ) throws(APIFailure) -> JSONValue {
        try type.hooks.permit?(self, entity, "update", context)
        var changes = try validated(input, updating: type, context)
        try type.hooks.change?(&self, entity, &changes, context)
        guard canStart("update", entity) else { throw .conflict }
        for (name, value) in changes { entities[entity.id]?.fields[name] = value }
        start("update", entity.id)
        return representation(entities[entity.id] ?? entity, context)
    }

    mutating func remove(
        _ type: ObjectType, _ entity: Entity, _ context: RequestContext
    ) throws(APIFailure) -> JSONValue {
        try type.hooks.permit?(self, entity, "remove", context)
        guard canStart("remove", entity) else { throw .methodNotAllowed }
        start("remove", entity.id)
        return representation(entities[entity.id] ?? entity, context)
    }

    /// An action; its answer and status.
    mutating func act(
        _ name: String, _ type: ObjectType, _ entity: Entity, _ context: RequestContext
    ) throws(APIFailure) -> (JSONValue, Int) {
        let name = name.lowercased()
        let known =
            type.processes.filter { $0.isAction && $0.versions.contains(version) }.map(\.name)
            + type.commands.filter { version >= $0.since }.map(\.name)
        guard let action = known.first(where: { $0.lowercased() == name }) else {
            throw .validation("InvalidAction", nil)
        }
        try type.hooks.permit?(self, entity, action, context)
        guard actions(of: entity, type, context).contains(action) else {
            throw .validation("ActionNotAvailable", nil)
        }
        let input = try context.input()
        if let command = type.commands.first(where: { $0.name == action }) {
            return (try command.body(&self, entity.id, input, context), command.status)
        }
        try type.hooks.begin?(&self, entity.id, action, input, context)
        guard start(action, entity.id) else { throw .conflict }
        let status = type.name == "account" && action == "deactivate" ? 200 : 202
        return (representation(entities[entity.id] ?? entity, context), status)
    }

    // MARK: - Checks that several types share

    /// 422 where another living object of the same owner has the name; without case, as the database compares.
    func checkUnique(
        _ name: JSONValue?, _ type: String, owner: Int?, besides: ObjectID? = nil,
        where isRival: (Entity) -> Bool = { _ in true }
    ) throws(APIFailure) {
        guard let name = name?.string?.lowercased(), let table = ObjectType.byName[type]?.table else { return }
        let isTaken = living(table).contains {
            $0.type == type && $0.owner == owner && $0.id != besides && $0.name?.lowercased() == name && isRival($0)
        }
        if isTaken { throw .validation("NotUnique", "name") }
    }

    /// The rule of stacks and services: letters, digits and hyphens, 1 to 63, none at the ends.
    static func checkDNSName(_ name: JSONValue?) throws(APIFailure) {
        guard let text = name?.string else { return }
        if text.first == "-" || text.last == "-" { throw .validation("InvalidCharacters", "name") }
    }
}
