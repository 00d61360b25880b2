import AWSClient
import HTTPTransport
import SandboxServing

// The server describes itself: which types there are for this caller, their fields, filters, methods and actions.

extension RancherServer {
    func schemaAnswer(_ context: RequestContext) throws(APIFailure) -> HTTPResponse {
        guard context.method == "GET" || context.method == "HEAD" else { throw .methodNotAllowed }
        let all = schemas(context)
        guard context.segments.count > 1 else {
            let document: JSONValue = [
                "type": "collection", "resourceType": "schema", "links": ["self": .string("\(context.base)/schemas")],
                "createTypes": [:], "actions": [:], "data": .array(all), "sortLinks": [:], "pagination": .null,
                "sort": .null, "filters": [:], "createDefaults": [:],
            ]
            return answered(document, context)
        }
        let name = context.segments[1].lowercased()
        guard
            let found = all.first(where: {
                $0["id"].text.lowercased() == name || $0["pluralName"].text.lowercased() == name
            })
        else { throw .notFound }
        return answered(found, context)
    }

    private func schemas(_ context: RequestContext) -> [JSONValue] {
        let types = ObjectType.all.filter { isVisible($0, context) }.map { schema($0, context) }
        guard context.caller.role != .token else { return types + [schemaOfSchemas(context)] }
        let structures = Structure.all.filter { $0.apis.contains(context.api) && version >= $0.since }
        return types + structures.map { schema($0, context) } + [schemaOfSchemas(context)]
    }

    private func schema(_ type: ObjectType, _ context: RequestContext) -> JSONValue {
        let rights = type.rights(of: context.caller.role)
        let name = type.name(in: context.api)
        let isWritable = !rights.isDisjoint(with: [.create, .update, .delete])
        var links = [JSONValue.Member("self", .string("\(context.base)/schemas/\(name.lowercased())"))]
        if rights.contains(.read) { links.append(.init("collection", .string(context.url(of: type)))) }
        let fields = type.fields(in: context.api, of: version).filter {
            context.caller.role.isAdministrative || !$0.use.contains(.administrative)
        }
        let actions = isWritable ? self.actions(type, context) : []
        let modes = fields.map { schema($0, rights, context) }
        return [
            "id": .string(name), "type": "schema", "links": .object(links), "actions": [:],
            "pluralName": .string(type.plural(in: context.api)),
            "resourceMethods": .strings(
                ["GET"] + (rights.contains(.update) ? ["PUT"] : []) + (rights.contains(.delete) ? ["DELETE"] : [])),
            "collectionMethods": .strings(
                (rights.contains(.read) ? ["GET"] : []) + (rights.contains(.create) ? ["POST"] : [])),
            "includeableLinks": .strings(type.links.compactMap { if case .page = $0 { nil } else { $0.name } }),
            "resourceFields": .object([idField] + modes), "resourceActions": .object(actions),
            "collectionActions": [:], "collectionFields": [:],
            "collectionFilters": .object(
                type.name == "project"
                    ? []
                    : filterable(type, context).map { field in
                        let modifiers = field.name == "id" ? ["eq", "ne"] : field.kind.modifiers
                        return .init(
                            ObjectType.publicField(field.name, in: context.api), ["modifiers": .strings(modifiers)])
                    }),
        ]
    }

    private var idField: JSONValue.Member {
        .init("id", ["type": "string", "create": false, "update": false, "nullable": false])
    }

    private func actions(_ type: ObjectType, _ context: RequestContext) -> [JSONValue.Member] {
        let own = type.name(in: context.api)
        let processes = type.processes.filter { $0.isAction && $0.versions.contains(version) }.map { process in
            JSONValue.Member(
                process.name, ["input": .optional(type.inputs[process.name]), "output": .string(own)])
        }
        let commands = type.commands.filter { version >= $0.since }.map { command in
            JSONValue.Member(command.name, ["input": .optional(command.input), "output": .string(command.output)])
        }
        return processes + commands
    }

    private func schema(_ field: Field, _ rights: Rights, _ context: RequestContext) -> JSONValue.Member {
        let isForMe =
            field.use.contains(.create)
            || field.use.contains(.administrativeCreate) && context.caller.role.isAdministrative
        var members: [JSONValue.Member] = [
            .init("type", .string(field.kind.text(in: context.api))),
            .init("create", .boolean(isForMe && rights.contains(.create))),
            .init("update", .boolean(field.use.contains(.update) && rights.contains(.update))),
            .init("required", .boolean(field.use.contains(.required))),
            .init("nullable", .boolean(field.use.contains(.nullable))),
            .init("unique", .boolean(field.use.contains(.unique))),
            .init("readOnCreateOnly", .boolean(field.use.contains(.onCreateOnly))),
            .init("default", field.preset ?? .null),
            .init("options", field.options.isEmpty ? .null : .strings(field.options)),
            .init("minLength", .null), .init("maxLength", .null), .init("min", .null), .init("max", .null),
            .init("validChars", .optional(field.validCharacters)), .init("invalidChars", .null),
        ]
        func set(_ name: String, _ number: Int) {
            if let index = members.firstIndex(where: { $0.name == name }) {
                members[index].value = .integer(Int64(number))
            }
        }
        if let lengths = field.lengths {
            if lengths.lowerBound > 0 { set("minLength", lengths.lowerBound) }
            set("maxLength", lengths.upperBound)
        }
        if let bounds = field.bounds {
            set("min", bounds.lowerBound)
            if bounds.upperBound < Int.max { set("max", bounds.upperBound) }
        }
        return .init(ObjectType.publicField(field.name, in: context.api), .object(members))
    }

    private func schema(_ structure: Structure, _ context: RequestContext) -> JSONValue {
        let name = structure.name
        let fields = structure.fields.map { schema($0, [.create, .update], context) }
        return [
            "id": .string(name), "type": "schema",
            "links": ["self": .string("\(context.base)/schemas/\(name.lowercased())")], "actions": [:],
            "pluralName": .string(ObjectType.plural(of: name)), "resourceMethods": [], "collectionMethods": [],
            "includeableLinks": [], "resourceFields": .object(fields), "resourceActions": [:],
            "collectionActions": [:], "collectionFields": [:], "collectionFilters": [:],
        ]
    }

    private func schemaOfSchemas(_ context: RequestContext) -> JSONValue {
        [
            "id": "schema", "type": "schema",
            "links": [
                "self": .string("\(context.base)/schemas/schema"), "collection": .string("\(context.base)/schemas"),
            ],
            "actions": [:], "pluralName": "schemas", "resourceMethods": ["GET"], "collectionMethods": ["GET"],
            "includeableLinks": [], "resourceFields": .object([idField]), "resourceActions": [:],
            "collectionActions": [:], "collectionFields": [:], "collectionFilters": [:],
        ]
    }
}
