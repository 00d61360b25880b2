import AWSClient
import SandboxServing

// Environments: projects in the API. Names are not unique. Their members, their templates, and the infrastructure
// stacks that come with a template.

extension ObjectType {
    private static let ofMembers: [Field] = [
        Field("externalId", .string, [.create, .required]), Field("externalIdType", .string, [.create, .required]),
        Field("role", .string, [.create, .required], options: ["owner", "member", "readonly", "restricted"]),
        Field("projectId", .reference("project")),
    ]

    static let project = ObjectType(
        name: "project", baseName: "account", table: .account,
        fields: Field.standard + [
            Field("members", .array(.structure("projectMember")), [.create, .nullable]),
            Field("servicesPortRange", .structure("servicesPortRange"), [.create, .update, .nullable]),
            Field("virtualMachine", .boolean, [.create, .update]),
            Field(
                "projectTemplateId", .reference("projectTemplate"), [.create, .nullable], since: ServerVersion(1, 2),
                apis: [.v2]),
            Field("swarm", .boolean, [.create, .update], apis: [.v1]),
            Field("kubernetes", .boolean, [.create, .update], apis: [.v1]),
            Field("mesos", .boolean, [.create, .update], apis: [.v1]),
            Field("publicDns", .boolean, [.create, .update], apis: [.v1]),
            Field(
                "hostRemoveDelaySeconds", .int, [.create, .update, .nullable], since: ServerVersion(1, 5), apis: [.v2]),
            Field("orchestration", .string, apis: [.v2]), Field("defaultNetworkId", .string, apis: [.v2]),
            Field("healthState", .string, apis: [.v2]), Field("version", .string, apis: [.v2]),
        ],
        processes: Process.generic + [
            Process(
                "upgrade", ["active"], via: "upgrading", to: "active",
                versions: ServerVersion(1, 2)..<ServerVersion(9, 0))
        ],
        access: Access(scoped: "r", user: "crud", admin: "crud", service: "cr", restricted: "r", readonly: "r"),
        links: [
            .children("projectMembers", type: "projectMember", by: "projectId"), .owned("hosts", type: "host"),
            .owned("stacks", type: "stack"), .owned("credentials", type: "credential"),
        ],
        commands: [
            Command(
                name: "setmembers", states: ["active", "inactive", "updating-active"],
                input: "setProjectMembersInput", output: "projectMember",
                body: RancherServer.setMembers)
        ], activatesItself: true,
        hooks: Hooks(
            prepare: RancherServer.prepareProject, made: RancherServer.madeProject,
            permit: { (server, project, process, context) throws(APIFailure) in
                guard !server.isOwner(of: project, context.caller) else { return }
                if ["update", "remove"].contains(process), context.method != "POST" { throw .forbidden }
            },
            finished: RancherServer.finishedProject,
            derive: { server, project, context in server.derivedProject(project, context) },
            offers: { server, project, action, context in
                (action != "upgrade" || context.api == .v2) && server.isOwner(of: project, context.caller)
            }))

    static let projectMember = ObjectType(
        name: "projectMember", table: .projectMember, fields: Field.named([]) + ofMembers, processes: Process.generic,
        access: .readOnly, links: [.parent("project", type: "project", by: "projectId")], activatesItself: true)

    static let projectTemplate = ObjectType(
        name: "projectTemplate", table: .projectTemplate,
        fields: Field.named([.create, .update], name: [.required]) + [
            Field("stacks", .array(.structure("catalogTemplate")), [.create, .update, .nullable]),
            Field("isPublic", .boolean, [.administrativeCreate, .update]),
            Field("externalId", .string, [.nullable]),
        ],
        processes: [
            Process.create(via: "activating", to: "active"),
            Process("remove", ["active", "activating"], via: "removing", to: "removed"), Process.update(["active"]),
        ],
        access: Access(scoped: "r", user: "crud", admin: "crud", service: "crud", restricted: "r", readonly: "r"),
        links: [.parent("account", type: "account", by: "accountId")], apis: [.v2], since: ServerVersion(1, 2),
        hooks: Hooks(
            prepare: { (server, draft, _) throws(APIFailure) in
                try server.checkUnique(draft.fields["name"], "projectTemplate", owner: draft.owner)
            },
            change: { (server, entity, changes, _) throws(APIFailure) in
                try server.checkUnique(changes["name"], "projectTemplate", owner: entity.owner, besides: entity.id)
            }))
}

extension RancherServer {
    func members(of project: Int) -> [Entity] {
        living(.projectMember).filter { $0.owner == project }
    }

    @Sendable static func prepareProject(
        _ server: inout RancherServer, _ draft: inout Draft, _ context: RequestContext
    ) throws(APIFailure) {
        draft.owner = nil
        draft.fields["kind"] = "project"
        let given = draft.fields.removeValue(forKey: "members") ?? .null
        let creator: JSONValue = [
            "externalId": .string(ObjectID(.account, context.caller.account).text()), "externalIdType": "rancher_id",
            "role": "owner",
        ]
        let members = given.items.isEmpty ? [creator] : given.items
        try checkMembers(members)
        draft.revealed["members"] = .array(members)
        if draft.fields["servicesPortRange"] == nil {
            draft.fields["servicesPortRange"] = ["startPort": 49_153, "endPort": 65_535]
        }
        guard context.api == .v2, draft.fields["projectTemplateId"] == nil else { return }
        let name = server.setting("project.template.default.name")
        let preset = server.living(.projectTemplate).first { $0["isPublic"].boolean == true && $0.name == name }
        draft.fields["projectTemplateId"] = preset.map { .string($0.id.text()) }
    }

    private static func checkMembers(_ members: [JSONValue]) throws(APIFailure) {
        for member in members {
            let isWhole = ["externalId", "externalIdType", "role"].allSatisfy { member[$0].string?.isEmpty == false }
            guard isWhole else { throw APIFailure(400, "InvalidFormat", message: "Invalid member") }
        }
        guard members.contains(where: { $0["role"].text == "owner" }) else {
            throw APIFailure(400, "InvalidFormat", message: "Members must have an owner")
        }
    }

    @Sendable static func madeProject(_ server: inout RancherServer, _ id: ObjectID, _ draft: Draft) {
        server.entities[id]?.owner = id.number
        server.replaceMembers(of: id.number, draft.revealed["members"]?.items ?? [])
    }

    private mutating func replaceMembers(of project: Int, _ members: [JSONValue]) {
        for old in self.members(of: project) { delete(old.id) }
        for member in members {
            insert(
                .projectMember, owner: project, state: "active",
                [
                    "externalId": member["externalId"], "externalIdType": member["externalIdType"],
                    "role": member["role"], "projectId": .string(ObjectID(.account, project).text()),
                    "name": memberName(member),
                ])
        }
    }

    private func memberName(_ member: JSONValue) -> JSONValue {
        guard member["externalIdType"].text == "rancher_id" else { return member["externalId"] }
        return target(member["externalId"], .account)?["name"] ?? .null
    }

    @Sendable static func setMembers(
        _ server: inout RancherServer, _ id: ObjectID, _ input: [String: JSONValue], _ context: RequestContext
    ) throws(APIFailure) -> JSONValue {
        let members = input["members"]?.items ?? []
        guard !members.isEmpty else { throw .validation("MissingRequired", "members") }
        try checkMembers(members)
        let roles: Set<String> = ["owner", "member", "readonly", "restricted"]
        guard members.allSatisfy({ roles.contains($0["role"].text) }) else {
            throw .validation("InvalidOption", "role")
        }
        server.replaceMembers(of: id.number, members)
        let data = server.members(of: id.number).map { server.representation($0, context) }
        return server.collection(.projectMember, data, context, isPlain: true)
    }

    @Sendable static func finishedProject(_ server: inout RancherServer, _ id: ObjectID, _ process: String) {
        switch process {
        case "activate": server.addInfrastructure(to: id)
        case "purge":
            for member in server.members(of: id.number) { server.delete(member.id) }
            server.tearDownBelongings(of: id.number)
        default: break
        }
    }

    /// The stacks of its template, made once, just after the environment has become active.
    private mutating func addInfrastructure(to id: ObjectID) {
        guard let project = entities[id], project["hasInfrastructure"].isNull,
            let template = target(project["projectTemplateId"], .projectTemplate)
        else { return }
        set(id, "hasInfrastructure", true)
        for stack in template["stacks"].items {
            guard let version = catalog.latest(stack["templateId"].text) else { continue }
            make(
                .stack, owner: id.number,
                [
                    "name": stack["name"], "system": true, "startOnCreate": false,
                    "externalId": .string("catalog://\(version.id)"), "group": .null,
                    "dockerCompose": .string(version.dockerCompose), "rancherCompose": .string(version.rancherCompose),
                    "environment": .object([]),
                ])
        }
    }

    fileprivate func derivedProject(_ project: Entity, _ context: RequestContext) -> [String: JSONValue] {
        guard context.api == .v2 else { return [:] }
        return [
            "orchestration": .string(orchestration(of: project)), "members": .null,
            "version": .string(project["version"].string ?? "2"), "healthState": "healthy",
        ]
    }

    /// What its infrastructure stacks make of it; just after its creation, what its template will.
    private func orchestration(of project: Entity) -> String {
        let stacks = living(.stack).filter { $0.owner == project.id.number }.map { $0["externalId"].text }
        let template = target(project["projectTemplateId"], .projectTemplate)
        let planned = template?["stacks"].items.map { $0["templateId"].text } ?? []
        for name in ["k8s", "swarm", "mesos", "windows"] {
            if (stacks + planned).contains(where: { $0.contains("infra*\(name)") || $0.hasSuffix(":\(name)") }) {
                return name == "k8s" ? "kubernetes" : name
            }
        }
        for name in ["kubernetes", "swarm", "mesos"] where project[name].boolean == true { return name }
        return "cattle"
    }

    // MARK: - Its own list and its own end

    /// Environments are listed in their own way: filters and sorting do not count.
    func projectList(_ context: RequestContext) -> JSONValue {
        let showsAll = context.parameter("all") == "true" && context.caller.role.isAdministrative
        let found = living(.account).filter { project in
            guard project.type == "project", isVisible(project, context) else { return false }
            if context.caller.scope == nil, !showsAll {
                let role = memberRole(of: context.caller.account, in: project.id.number)
                guard let role, isUsable(project) || role == .owner else { return false }
            }
            if let id = context.parameter("id"), id != project.id.text() { return false }
            if let uuid = context.parameter("uuid"), uuid != project.uuid { return false }
            if let name = context.parameter("name"), name.lowercased() != project.name?.lowercased() { return false }
            return true
        }
        return collection(.project, found.map { representation($0, context) }, context, isPlain: true)
    }

    /// DELETE: deactivates within the request and removes by itself; answers with a list of one.
    mutating func removeProject(_ project: Entity, _ context: RequestContext) throws(APIFailure) -> JSONValue {
        guard isOwner(of: project, context.caller) else { throw .forbidden }
        guard canStart("remove", project) || canStart("deactivate", project) else { throw .methodNotAllowed }
        tearDown(project.id)
        let shown = representation(entities[project.id] ?? project, context)
        for member in members(of: project.id.number) { delete(member.id) }
        return collection(.project, [shown], context, isPlain: true)
    }
}
