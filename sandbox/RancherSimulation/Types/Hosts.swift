import AWSClient
import SandboxServing

// Hosts and what comes with them: the agent, the machine, its address, the registration. A host is never made through
// the API here; an agent brings it (`Agents.swift`).

extension ObjectType {
    private static let inLife: Set<String> = ["active", "inactive"]

    static let host = ObjectType(
        name: "host", table: .host,
        fields: Field.named([.update]) + [
            Field("hostname", .string), Field("labels", .map(.string), [.update, .nullable]),
            Field("agentId", .reference("agent"), [.nullable, .administrative]),
            Field("agentState", .choice, [.nullable]), Field("physicalHostId", .reference("physicalHost")),
            Field("computeTotal", .int), Field("info", .json), Field("publicEndpoints", .array(.json)),
            Field("agentIpAddress", .string, apis: [.v2]), Field("instanceIds", .array(.string), apis: [.v2]),
            Field("memory", .int, [.update, .nullable], apis: [.v2]),
            Field("milliCpu", .int, [.update, .nullable], apis: [.v2]),
            Field("localStorageMb", .int, [.update, .nullable], apis: [.v2]),
            Field("driver", .string, apis: [.v2]), Field("hostTemplateId", .string, apis: [.v2]),
        ],
        processes: [
            Process.create(via: "registering", to: "inactive"),
            Process("activate", ["inactive", "registering", "provisioned"], via: "activating", to: "active"),
            Process(
                "deactivate",
                ["requested", "registering", "active", "activating", "updating-active", "updating-inactive"],
                via: "deactivating", to: "inactive", share: 2),
            Process("provision", ["inactive"], via: "provisioning", to: "provisioned"),
            Process("error", ["provisioning"], via: "erroring", to: "error", isAction: false),
            Process(
                "remove",
                [
                    "erroring", "error", "requested", "inactive", "activating", "deactivating", "registering",
                    "updating-active", "updating-inactive", "provisioning",
                ], via: "removing", to: "removed", share: 4),
            Process.update(inLife), Process.purge, Process.restore,
        ],
        access: Access(scoped: "rud", user: "r", admin: "r", service: "rud", restricted: "r", readonly: "r"),
        links: [
            .parent("account", type: "account", by: "accountId"), .parent("agent", type: "agent", by: "agentId"),
            .parent("physicalHost", type: "physicalHost", by: "physicalHostId"),
            .children("storagePools", type: "storagePool", by: "hostId"),
            .children("ipAddresses", type: "ipAddress", by: "hostId"),
        ],
        commands: [
            Command(
                name: "evacuate", states: inLife, input: nil, output: "host", since: ServerVersion(1, 5),
                body: RancherServer.evacuate),
            Command(
                name: "dockersocket", states: inLife, input: nil, output: "hostAccess",
                body: RancherServer.dockerSocket),
        ], activatesItself: true,
        hooks: Hooks(
            change: { (server, host, changes, _) throws(APIFailure) in
                guard let labels = changes["labels"] else { return }
                changes["labels"] = server.withSystemLabels(labels, of: host)
            },
            finished: RancherServer.finishedHost, moment: RancherServer.momentOfHost,
            derive: { server, host, context in server.derivedHost(host, context) },
            offers: { _, _, action, context in action != "provision" || context.api == .v2 }))

    static let physicalHost = ObjectType(
        name: "physicalHost", table: .physicalHost,
        fields: Field.named([]) + [Field("driver", .string), Field("externalId", .string)],
        processes: [
            Process.create(via: "creating", to: "created"),
            Process("bootstrap", ["created", "creating"], via: "bootstrapping", to: "active", isAction: false),
            Process(
                "remove", ["active", "requested", "bootstrapping", "creating", "created", "updating", "error"],
                via: "removing", to: "removed"),
        ],
        access: .readOnly,
        links: [
            .parent("account", type: "account", by: "accountId"),
            .children("hosts", type: "host", by: "physicalHostId"),
        ],
        hooks: Hooks(finished: { server, id, process in
            if process == "create" { server.start("bootstrap", id) }
        }))

    static let ipAddress = ObjectType(
        name: "ipAddress", table: .ipAddress,
        fields: Field.named([]) + [Field("address", .string), Field("hostId", .reference("host"))],
        processes: Process.generic, access: .readOnly, activatesItself: true)

    static let agent = ObjectType(
        name: "agent", table: .agent,
        fields: Field.named([]) + [Field("uri", .string, [.create, .nullable]), Field("managedConfig", .boolean)],
        processes: [
            Process.create(via: "registering", to: "inactive"),
            Process("activate", ["inactive", "registering"], via: "activating", to: "active"),
            Process(
                "deactivate",
                [
                    "active", "activating", "reconnecting", "reconnected", "finishing-reconnect", "disconnecting",
                    "disconnected", "updating-active", "updating-inactive",
                ], via: "deactivating", to: "inactive"),
            Process(
                "remove",
                [
                    "inactive", "disconnected", "disconnecting", "requested", "registering", "reconnected",
                    "finishing-reconnect", "updating-active", "updating-inactive",
                ], via: "removing", to: "removed"),
            Process(
                "disconnect", ["active", "reconnecting", "reconnected", "finishing-reconnect"], via: "disconnecting",
                to: "disconnected"),
            Process(
                "reconnect", ["active", "activating", "disconnecting", "disconnected"],
                via: "reconnecting", to: "reconnected"),
            Process(
                "finishreconnect", ["reconnected", "reconnecting"], via: "finishing-reconnect", to: "active",
                isAction: false),
            Process.purge,
        ],
        access: Access(scoped: "", user: "", admin: "r", service: "r", restricted: "", readonly: ""),
        links: [.parent("account", type: "account", by: "accountId"), .children("hosts", type: "host", by: "agentId")],
        hooks: Hooks(finished: RancherServer.finishedAgent, moment: RancherServer.momentOfAgent))

    static let register = ObjectType(
        name: "register", table: .genericObject,
        fields: Field.named([.create]) + [
            Field("key", .string, [.create, .nullable]), Field("accessKey", .string), Field("secretKey", .string),
        ],
        processes: [
            Process.create(via: "activating", to: "active"),
            Process("remove", ["active", "activating", "requested"], via: "removing", to: "removed", isAction: false),
        ],
        access: Access(scoped: "", user: "", admin: "cr", service: "cr", restricted: "", readonly: "", token: "cr"),
        hooks: Hooks(
            prepare: { (server, draft, context) throws(APIFailure) in
                guard let key = draft.fields["key"]?.string, !key.isEmpty else {
                    throw .validation("MissingRequired", "key")
                }
                try server.checkRegistration(key, context)
            },
            finished: { server, id, process in
                if process == "create" { server.completeRegistration(id) }
            }))
}

extension RancherServer {
    /// In v2 a host of which the agent is not well shows the agent's state; what may be done follows its own.
    fileprivate func derivedHost(_ host: Entity, _ context: RequestContext) -> [String: JSONValue] {
        var fields: [String: JSONValue] = [:]
        let agentState = target(host["agentId"], .agent)?.state
        if host.removed == nil, let agentState { fields["agentState"] = .string(agentState) }
        if context.api == .v2 {
            if host.isActive, let agentState, host.removed == nil { fields["state"] = .string(agentState) }
            fields["instanceIds"] = []
        }
        return fields
    }

    /// The labels that an agent keeps: they come back by themselves.
    fileprivate func withSystemLabels(_ labels: JSONValue, of host: Entity) -> JSONValue {
        var result = labels.isNull ? [:] : labels.dictionary
        for label in host["labels"].members where label.name.hasPrefix("io.rancher.host.") && result[label.name] == nil
        {
            result[label.name] = label.value
        }
        return .sorted(result)
    }

    fileprivate static let evacuate: ObjectType.Command.Body = { (server, id, _, context) throws(APIFailure) in
        guard let host = server.entities[id] else { throw .notFound }
        server.set(id, "evacuations", .integer(Int64((host["evacuations"].integer ?? 0) + 1)))
        return server.representation(server.entities[id] ?? host, context)
    }

    fileprivate static let dockerSocket: ObjectType.Command.Body = { (server, id, _, context) throws(APIFailure) in
        let token = server.random.secretValue()
        let host = context.origin.split(separator: "/").last ?? ""
        return [
            "type": "hostAccess", "links": [:], "actions": [:], "token": .string(token),
            "url": .string("ws://\(host)/v1/dockersocket/"),
        ]
    }

    /// The end of a host takes with it what came with it.
    @Sendable fileprivate static func finishedHost(_ server: inout RancherServer, _ id: ObjectID, _ process: String) {
        guard let host = server.entities[id] else { return }
        switch process {
        case "provision": server.start("activate", id)
        case "activate": server.startInfrastructure(of: host.owner)
        case "remove":
            for table in [Table.storagePool, .ipAddress] {
                for entity in server.living(table) where entity["hostId"].string == id.text() {
                    server.tearDown(entity.id)
                }
            }
            if let machine = server.target(host["physicalHostId"], .physicalHost) { server.start("remove", machine.id) }
            if let agent = server.target(host["agentId"], .agent) { server.endAgent(agent) }
        default: break
        }
    }

    /// A host whose agent has been away for too long goes by itself, where the settings say so.
    @Sendable fileprivate static func momentOfHost(_ server: inout RancherServer, _ id: ObjectID, _ name: String) {
        guard name == "gone for long", let host = server.entities[id], host.removed == nil,
            server.target(host["agentId"], .agent)?.state == "disconnected"
        else { return }
        server.tearDown(id)
    }
}
