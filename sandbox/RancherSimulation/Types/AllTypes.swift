import AWSClient
import SandboxServing

extension ObjectType {
    /// Every type, in the order of their names.
    static let all: [ObjectType] = [
        account, agent, apiKey, certificate, credential, dnsService, externalService, githubConfig, host, identity,
        ipAddress, loadBalancerService, localAuthConfig, password, physicalHost, project, projectMember,
        projectTemplate, register, registrationToken, registry, registryCredential, secret, service, setting, stack,
        storagePool, volume,
    ]

    /// Also those that no list shows.
    static let byName: [String: ObjectType] = Dictionary(
        (all + [agentAPIKey, unknown]).map { ($0.name, $0) }
    ) { first, _ in first }

    /// Stands where a type is gone; nothing is allowed on it.
    static let unknown = ObjectType(
        name: "unknown", table: .genericObject, fields: [], processes: [],
        access: Access(scoped: "", user: "", admin: "", service: "", restricted: "", readonly: ""))
}

/// A type that is part of others: inputs, outputs, nested values.
struct Structure: Sendable {
    var name: String
    var fields: [Field]
    /// Takes anything: what a launch configuration holds is not this simulator's business.
    var isOpen = false
    var apis: [APIVersion] = [.v1, .v2]
    var since = ServerVersion(1, 0)

    init(
        _ name: String, _ fields: [Field], isOpen: Bool = false, apis: [APIVersion] = [.v1, .v2],
        since: ServerVersion = ServerVersion(1, 0)
    ) {
        self.name = name
        self.fields = fields
        self.isOpen = isOpen
        self.apis = apis
        self.since = since
    }

    static let byName = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }

    private static let both: Field.Use = [.create, .update, .nullable]
    private static let needed: Field.Use = [.create, .update, .required]

    static let all: [Structure] = [
        Structure("addOutputsInput", [Field("outputs", .map(.string), needed)]),
        Structure("changeSecretInput", [Field("oldSecret", .password, both), Field("newSecret", .password, needed)]),
        Structure("composeConfig", [Field("dockerComposeConfig", .string), Field("rancherComposeConfig", .string)]),
        Structure("composeConfigInput", [Field("serviceIds", .array(.reference("service")), both)]),
        Structure("hostAccess", [Field("token", .string), Field("url", .string)]),
        Structure(
            "environmentUpgrade",
            [
                Field("dockerCompose", .string, both), Field("rancherCompose", .string, both),
                Field("environment", .map(.json), both), Field("externalId", .string, both, lengths: 0...128),
            ], apis: [.v1]),
        Structure(
            "stackUpgrade",
            [
                Field("dockerCompose", .string, both), Field("rancherCompose", .string, both),
                Field("environment", .map(.json), both), Field("externalId", .string, both, lengths: 0...128),
                Field("templates", .map(.string), both), Field("answers", .map(.json), both),
            ], apis: [.v2], since: ServerVersion(1, 2)),
        Structure(
            "inServiceUpgradeStrategy",
            [
                Field("batchSize", .int, both, preset: 1, bounds: 1...Int.max),
                Field("intervalMillis", .int, both, preset: 2_000, bounds: 100...Int.max),
                Field("startFirst", .boolean, both, preset: false),
                Field("launchConfig", .structure("launchConfig"), both),
                Field("secondaryLaunchConfigs", .array(.structure("launchConfig")), both),
            ]),
        Structure(
            "launchConfig",
            [
                Field("imageUuid", .string, both), Field("command", .array(.string), both),
                Field("environment", .map(.json), both), Field("labels", .map(.json), both),
                Field("ports", .array(.string), both), Field("dataVolumes", .array(.string), both),
                Field("networkMode", .choice, both, preset: "managed", options: ["managed", "host", "bridge", "none"]),
                Field("privileged", .boolean, both), Field("restartPolicy", .json, both),
                Field("healthCheck", .json, both), Field("memory", .int, both), Field("cpuShares", .int, both),
                Field("registryCredentialId", .reference("registryCredential"), both),
                Field("startOnCreate", .boolean, both, preset: true),
            ], isOpen: true),
        Structure(
            "rollingRestartStrategy",
            [
                Field("batchSize", .int, both, preset: 1, bounds: 1...Int.max),
                Field("intervalMillis", .int, both, preset: 2_000, bounds: 100...Int.max),
            ]),
        Structure(
            "scalePolicy",
            [
                Field("min", .int, both, preset: 1), Field("max", .int, both, preset: 1_000),
                Field("increment", .int, both, preset: 1),
            ]),
        Structure(
            "servicesPortRange",
            [
                Field("startPort", .int, needed, bounds: 1...65_535),
                Field("endPort", .int, needed, bounds: 1...65_535),
            ]),
        Structure(
            "serviceRestart", [Field("rollingRestartStrategy", .structure("rollingRestartStrategy"), both)]),
        Structure(
            "serviceUpgrade",
            [
                Field("inServiceStrategy", .structure("inServiceUpgradeStrategy"), both),
                Field("toServiceStrategy", .structure("toServiceUpgradeStrategy"), both),
            ]),
        Structure(
            "toServiceUpgradeStrategy",
            [
                Field("toServiceId", .reference("service"), both), Field("batchSize", .int, both, preset: 1),
                Field("finalScale", .int, both), Field("intervalMillis", .int, both, preset: 2_000),
                Field("updateLinks", .boolean, both),
            ]),
        Structure("setProjectMembersInput", [Field("members", .array(.structure("projectMember")), needed)]),
        Structure(
            "catalogTemplate",
            [
                Field("name", .string, both), Field("templateId", .string, both),
                Field("templateVersionId", .string, both), Field("dockerCompose", .string, both),
                Field("rancherCompose", .string, both), Field("answers", .map(.json), both),
                Field("description", .string, both), Field("binding", .json, both),
            ], since: ServerVersion(1, 2)),
    ]
}
