import AWSClient
import SandboxServing

extension ObjectType {
    private static let nearlyAll: Set<String> = [
        "requested", "registering", "inactive", "activating", "active", "updating-active", "updating-inactive",
        "deactivating", "upgrading", "upgraded", "finishing-upgrade", "canceling-upgrade", "canceled-upgrade",
        "rolling-back", "restarting",
    ]

    private static func kind(_ name: String, _ extra: [Field] = []) -> ObjectType {
        let both: Field.Use = [.create, .update, .nullable]
        let own: [Field] = [
            Field("stackId", .reference("stack"), [.create, .required]),
            Field("launchConfig", .structure("launchConfig"), [.create, .nullable]),
            Field("secondaryLaunchConfigs", .array(.structure("launchConfig")), [.create, .nullable]),
            Field("scale", .int, [.create, .update, .nullable], preset: 1, bounds: 0...Int.max),
            Field("scalePolicy", .structure("scalePolicy"), both), Field("startOnCreate", .boolean, [.create]),
            Field("metadata", .map(.json), both), Field("externalId", .string, both, lengths: 0...128),
            Field("vip", .string, [.create, .nullable]), Field("selectorLink", .string, both, lengths: 0...4_096),
            Field("selectorContainer", .string, both, lengths: 0...4_096), Field("retainIp", .boolean, both),
            Field("assignServiceIpAddress", .boolean, [.create]),
            Field("lbConfig", .json, both, apis: [.v2]), Field("healthState", .choice, [.nullable]),
            Field("currentScale", .int), Field("fqdn", .string), Field("publicEndpoints", .array(.json)),
            Field("upgrade", .json), Field("linkedServices", .map(.json)), Field("system", .boolean, [], apis: [.v2]),
            Field("instanceIds", .array(.string), apis: [.v2]),
        ]
        return ObjectType(
            name: name, baseName: "service", table: .service,
            fields: Field.named([.create, .update], name: [.required]).map { field in
                guard field.name == "name" else { return field }
                var field = field
                field.validCharacters = "a-zA-Z0-9-"
                field.lengths = 1...63
                return field
            } + own + extra,
            processes: [
                Process.create(via: "registering", to: "inactive"),
                Process("activate", ["inactive", "restarting"], via: "activating", to: "active"),
                Process(
                    "deactivate", ["active", "activating", "restarting", "updating-active", "updating-inactive"],
                    via: "deactivating", to: "inactive"),
                Process.update(["active", "inactive"]),
                Process(
                    "upgrade", ["active", "activating", "inactive", "updating-active"], via: "upgrading",
                    to: "upgraded", share: 2),
                Process("finishupgrade", ["upgraded"], via: "finishing-upgrade", to: "active"),
                Process(
                    "cancelupgrade", ["upgrading", "finishing-upgrade"], via: "canceling-upgrade",
                    to: "canceled-upgrade"),
                Process("continueupgrade", ["canceled-upgrade"], via: "upgrading", to: "upgraded"),
                Process("rollback", ["upgrading", "upgraded", "canceled-upgrade"], via: "rolling-back", to: "active"),
                Process("restart", ["active"], via: "restarting", to: "active"),
                Process("remove", nearlyAll, via: "removing", to: "removed"),
            ],
            access: .inEnvironment,
            links: [
                .parent("stack", type: "stack", by: "stackId"), .parent("account", type: "account", by: "accountId"),
            ],
            inputs: ["upgrade": "serviceUpgrade", "restart": "serviceRestart"],
            hooks: Hooks(
                prepare: RancherServer.prepareService,
                change: { (server, service, changes, _) throws(APIFailure) in
                    try RancherServer.checkDNSName(changes["name"])
                    try server.checkServiceName(changes["name"], service["stackId"], service.owner, besides: service.id)
                },
                begin: RancherServer.beginService, finished: RancherServer.finishedService,
                derive: { _, service, _ in
                    [
                        "healthState": service.isActive || service.state == "upgraded" ? "healthy" : .null,
                        "currentScale": service.isActive ? service["scale"] : 0,
                    ]
                },
                offers: { _, _, action, context in action != "continueupgrade" || context.api == .v2 }))
    }

    static let service = kind("service")
    static let loadBalancerService = kind(
        "loadBalancerService",
        [Field("defaultCertificateId", .reference("certificate"), [.create, .update, .nullable], apis: [.v1])])
    static let dnsService = kind("dnsService")
    static let externalService = kind(
        "externalService",
        [
            Field("externalIpAddresses", .array(.string), [.create, .update, .nullable]),
            Field("hostname", .string, [.create, .update, .nullable]),
        ])
}

extension RancherServer {
    @Sendable static func prepareService(
        _ server: inout RancherServer, _ draft: inout Draft, _ context: RequestContext
    ) throws(APIFailure) {
        try checkDNSName(draft.fields["name"])
        try server.checkServiceName(draft.fields["name"], draft.fields["stackId"] ?? .null, draft.owner)
    }

    func checkServiceName(
        _ name: JSONValue?, _ stack: JSONValue, _ owner: Int?, besides: ObjectID? = nil
    ) throws(APIFailure) {
        guard let name = name?.string?.lowercased() else { return }
        let isTaken = living(.service).contains {
            $0.owner == owner && $0["stackId"] == stack && $0.id != besides && $0.name?.lowercased() == name
        }
        if isTaken { throw .validation("NotUnique", "name") }
    }

    @Sendable static func beginService(
        _ server: inout RancherServer, _ id: ObjectID, _ process: String, _ input: [String: JSONValue],
        _ context: RequestContext
    ) throws(APIFailure) {
        guard process == "upgrade", let service = server.entities[id] else { return }
        let strategy = input["inServiceStrategy"] ?? .null
        guard !strategy.isNull || input["toServiceStrategy"]?.isNull == false else {
            throw .validation("MissingRequired", "inServiceStrategy")
        }
        if let interval = strategy["intervalMillis"].integer, interval < 100 {
            throw .validation("MinLimitExceeded", "intervalMillis")
        }
        server.set(id, "before", service["launchConfig"])
        server.set(id, "upgrade", .sorted(input))
        if !strategy["launchConfig"].isNull { server.set(id, "launchConfig", strategy["launchConfig"]) }
    }

    @Sendable static func finishedService(_ server: inout RancherServer, _ id: ObjectID, _ process: String) {
        guard let service = server.entities[id] else { return }
        switch process {
        case "create": if service["startOnCreate"].boolean == true { server.start("activate", id) }
        case "finishupgrade": server.set(id, "upgrade", .null)
        case "rollback":
            server.set(id, "launchConfig", service["before"])
            server.set(id, "upgrade", .null)
        default: break
        }
    }
}
