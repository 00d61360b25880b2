import AWSClient
import SandboxServing

// Stacks are `environment` in v1. Compose files are read some time after the POST, so a bad one fails the stack and not
// the request.

extension ObjectType {
    private static let compose: [Field] = [
        Field("dockerCompose", .string, [.create, .nullable]), Field("rancherCompose", .string, [.create, .nullable]),
        Field("environment", .map(.json), [.create, .nullable]),
        Field("externalId", .string, [.create, .update, .nullable], lengths: 0...128),
        Field("startOnCreate", .boolean, [.create]), Field("outputs", .map(.json), [.create, .update, .nullable]),
        Field("previousExternalId", .string, [.create, .update, .nullable], lengths: 0...128),
        Field("previousEnvironment", .map(.json), [.create, .update, .nullable]),
        Field("group", .string, [.create, .update, .nullable], lengths: 0...255, apis: [.v2]),
        Field("binding", .json, [.create, .update, .nullable], apis: [.v2]),
        Field("templates", .map(.string), [.create, .nullable], since: ServerVersion(1, 4), apis: [.v2]),
        Field("answers", .map(.json), [.create, .nullable], since: ServerVersion(1, 4), apis: [.v2]),
        Field("system", .boolean, [.administrativeCreate], apis: [.v2]), Field("healthState", .choice, [.nullable]),
        Field("serviceIds", .array(.reference("service")), apis: [.v2]),
    ]

    private static let upgradeable: Set<String> = ["active", "canceled-upgrade"]

    static let stack = ObjectType(
        name: "stack", v1Name: "environment", table: .stack,
        fields: Field.named([.create, .update], name: [.required]).map { field in
            guard field.name == "name" else { return field }
            var field = field
            field.validCharacters = "a-zA-Z0-9-"
            field.lengths = 1...63
            return field
        } + compose,
        processes: [
            Process.create(via: "activating", to: "active"), Process.update(["active"]),
            Process("upgrade", upgradeable, via: "upgrading", to: "upgraded", share: 2),
            Process("finishupgrade", ["upgraded"], via: "finishing-upgrade", to: "active"),
            Process(
                "cancelupgrade", ["upgrading", "finishing-upgrade"], via: "canceling-upgrade", to: "canceled-upgrade"),
            Process("rollback", ["upgrading", "upgraded", "canceled-upgrade"], via: "rolling-back", to: "active"),
            Process("error", ["activating"], via: "erroring", to: "error"),
            Process(
                "remove",
                [
                    "requested", "activating", "active", "updating-active", "upgrading", "upgraded",
                    "finishing-upgrade", "canceling-upgrade", "canceled-upgrade", "rolling-back", "erroring", "error",
                ], via: "removing", to: "removed", share: 2),
        ],
        access: .inEnvironment,
        links: [
            .children("services", type: "service", by: "stackId"), .parent("account", type: "account", by: "accountId"),
        ],
        inputs: ["upgrade": "stackUpgrade"],
        commands: [
            Command(
                name: "exportconfig",
                states: ["active", "upgraded", "updating-active", "canceled-upgrade"],
                input: "composeConfigInput", output: "composeConfig",
                body: RancherServer.exportConfiguration),
            Command(
                name: "addoutputs", states: ["active"], input: "addOutputsInput", output: "stack",
                body: RancherServer.addOutputs),
            Command(
                name: "activateservices", states: ["active"], input: nil, output: "stack", status: 202,
                body: { (server, id, _, context) throws(APIFailure) in
                    try server.startServices(of: id, "activate", context)
                }),
            Command(
                name: "deactivateservices", states: ["active"], input: nil, output: "stack", status: 202,
                body: { (server, id, _, context) throws(APIFailure) in
                    try server.startServices(of: id, "deactivate", context)
                }),
        ],
        hooks: Hooks(
            prepare: { (server, draft, context) throws(APIFailure) in
                try RancherServer.checkDNSName(draft.fields["name"])
                try server.checkUnique(draft.fields["name"], "stack", owner: draft.owner)
                if draft.fields["group"] == nil, draft.fields["externalId"]?.text.isEmpty == false {
                    draft.fields["group"] = draft.fields["externalId"]
                }
            },
            change: { (server, entity, changes, _) throws(APIFailure) in
                try RancherServer.checkDNSName(changes["name"])
                try server.checkUnique(changes["name"], "stack", owner: entity.owner, besides: entity.id)
            },
            permit: { (_, stack, process, context) throws(APIFailure) in
                guard process == "remove", stack["system"].boolean == true else { return }
                let isAllowed = context.caller.role == .owner || context.caller.role.isAdministrative
                if !isAllowed { throw .forbidden }
            },
            begin: RancherServer.beginStack, finished: RancherServer.finishedStack,
            derive: { server, stack, context in
                let services = server.services(of: stack.id)
                return [
                    "healthState": .string(server.health(of: services)),
                    "serviceIds": .strings(services.map { $0.id.text() }),
                ].filter { $0.key != "serviceIds" || context.api == .v2 }
            }))
}

extension RancherServer {
    func services(of stack: ObjectID) -> [Entity] {
        living(.service).filter { $0["stackId"].string == stack.text() }
    }

    func health(of services: [Entity]) -> String {
        services.allSatisfy { $0.isActive || $0.state == "upgraded" } ? "healthy" : "initializing"
    }

    @Sendable static func beginStack(
        _ server: inout RancherServer, _ id: ObjectID, _ process: String, _ input: [String: JSONValue],
        _ context: RequestContext
    ) throws(APIFailure) {
        guard process == "upgrade", let stack = server.entities[id] else { return }
        let kept = ["dockerCompose", "rancherCompose", "environment", "externalId", "templates", "answers"]
        server.set(id, "before", .sorted(stack.fields.filter { kept.contains($0.key) }))
        server.set(id, "previousExternalId", stack["externalId"])
        server.set(id, "previousEnvironment", stack["environment"])
        for name in kept where input[name]?.isNull == false {
            guard ["environment", "answers"].contains(name) else {
                server.set(id, name, input[name] ?? .null)
                continue
            }
            // A variable that is left out stays: a known defect of the server.
            let merged = stack[name].dictionary.merging(input[name]?.dictionary ?? [:]) { $1 }
            server.set(id, name, .sorted(merged))
        }
    }

    @Sendable static func finishedStack(_ server: inout RancherServer, _ id: ObjectID, _ process: String) {
        switch process {
        case "create", "upgrade": server.readCompose(of: id, isUpgrade: process == "upgrade")
        case "rollback":
            for (name, value) in server.entities[id]?["before"].dictionary ?? [:] { server.set(id, name, value) }
            server.readCompose(of: id, isUpgrade: true)
        case "remove": for service in server.services(of: id) { server.start("remove", service.id) }
        default: break
        }
    }

    private mutating func readCompose(of id: ObjectID, isUpgrade: Bool) {
        guard let stack = entities[id] else { return }
        let templates = stack["templates"]
        let docker = stack["dockerCompose"].string ?? templates["docker-compose.yml"].string
        let rancher = stack["rancherCompose"].string ?? templates["rancher-compose.yml"].string
        let compose: ComposeFile
        do throws(ComposeFile.Unreadable) { compose = try ComposeFile(docker: docker, rancher: rancher) } catch {
            fail(id, state: "error", error.reason)
            return
        }
        let existing = services(of: id)
        for planned in compose.services {
            if let service = existing.first(where: { $0.name == planned.name }) {
                set(service.id, "launchConfig", planned.launch)
                continue
            }
            make(
                .service, owner: stack.owner,
                [
                    "name": .string(planned.name), "stackId": .string(id.text()), "launchConfig": planned.launch,
                    "scale": .integer(Int64(planned.scale)), "system": .boolean(stack["system"].boolean == true),
                    "startOnCreate": .boolean(stack["startOnCreate"].boolean == true || isUpgrade),
                ])
        }
        if isUpgrade {
            for service in existing where !compose.services.contains(where: { $0.name == service.name }) {
                start("remove", service.id)
            }
        }
    }

    /// The services of infrastructure stacks start with the first host of their environment.
    mutating func startInfrastructure(of owner: Int?) {
        for stack in living(.stack) where stack.owner == owner && stack["system"].boolean == true {
            for service in services(of: stack.id) { start("activate", service.id) }
        }
    }

    /// Both are actions of the stack that its services carry out.
    fileprivate mutating func startServices(
        of id: ObjectID, _ process: String, _ context: RequestContext
    ) throws(APIFailure) -> JSONValue {
        guard let stack = entities[id] else { throw .notFound }
        for service in services(of: id) { start(process, service.id) }
        return representation(stack, context)
    }

    /// The configuration in a normal form, not the text that was sent.
    fileprivate static let exportConfiguration: ObjectType.Command.Body = { (server, id, _, _) throws(APIFailure) in
        var docker = "version: '2'\nservices:\n"
        var rancher = "version: '2'\nservices:\n"
        for service in server.services(of: id).sorted(by: { ($0.name ?? "") < ($1.name ?? "") }) {
            let image = service["launchConfig"]["imageUuid"].text.split(separator: ":", maxSplits: 1).last ?? ""
            docker += "  \(service.name ?? ""):\n    image: \(image)\n"
            for (key, name) in [("environment", "environment"), ("labels", "labels")] {
                let members = service["launchConfig"][key].members.sorted { $0.name < $1.name }
                if members.isEmpty { continue }
                docker += "    \(name):\n"
                for member in members { docker += "      \(member.name): \(quoted(member.value.plainText ?? ""))\n" }
            }
            rancher +=
                "  \(service.name ?? ""):\n    scale: \(service["scale"].integer ?? 1)\n    start_on_create: true\n"
        }
        return [
            "id": .null, "type": "composeConfig", "links": [:], "actions": [:], "dockerComposeConfig": .string(docker),
            "rancherComposeConfig": .string(rancher),
        ]
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    fileprivate static let addOutputs: ObjectType.Command.Body = { (server, id, input, context) throws(APIFailure) in
        guard case .object? = input["outputs"], let stack = server.entities[id] else {
            throw .validation("MissingRequired", "outputs")
        }
        let merged = stack["outputs"].dictionary.merging(input["outputs"]?.dictionary ?? [:]) { $1 }
        server.set(id, "outputs", .sorted(merged))
        return server.representation(server.entities[id] ?? stack, context)
    }
}
