import AWSClient
import HTTPTransport
import SandboxServing

// Settings have their name for an id and no life of their own: a value, or the server's default.

extension ObjectType {
    static let setting = ObjectType(
        name: "setting", table: .genericObject,
        fields: [
            Field("name", .string, [.create, .required]), Field("value", .string, [.create, .update, .nullable]),
            Field("activeValue", .string), Field("source", .string), Field("inDb", .boolean, []),
        ], processes: [],
        access: Access(scoped: "r", user: "r", admin: "crud", service: "crud", restricted: "r", readonly: "r"))
}

extension RancherServer {
    private static let publicNames: Set<String> = [
        "rancher.server.version", "rancher.server.image", "cattle.version", "api.host", "catalog.url",
        "project.template.default.name", "supported.docker.range", "newest.docker.version", "engine.install.url",
        "telemetry.opt", "account.version", "vm.enabled", "swarm.tls.port", "docker.machine.version",
        "go.machine.service.version", "lb.instance.image", "api.ui.index", "api.auth.local.validate.description",
    ]

    private var defaults: [String: String] {
        [
            "rancher.server.version": version.text, "rancher.server.image": "rancher/server",
            "cattle.version": "v0.183.80", "api.host": "", "api.security.enabled": "false",
            "api.auth.provider.configured": "", "api.auth.access.mode": "unrestricted",
            "api.auth.allowed.identities": "", "bootstrap.required.image": version.agentImage,
            "project.template.default.name": "Cattle", "host.remove.delay.seconds": "-1",
            "supported.docker.range": "~v1.12.6 || ~v1.13.0 || ~v17.03.0 || ~v17.06.0",
            "newest.docker.version": "v17.06.0",
            "engine.install.url": "https://releases.rancher.com/install-docker/17.06.sh",
            "telemetry.opt": "prompt", "account.version": "2", "vm.enabled": "false", "swarm.tls.port": "3376",
            "catalog.url": """
            {"catalogs":{"library":{"url":"https://git.rancher.io/rancher-catalog.git","branch":"v1.6-release"},\
            "community":{"url":"https://git.rancher.io/community-catalog.git","branch":"master"}}}
            """,
            "registry.default": "", "registry.whitelist": "", "access.log": "", "upgrade.manager": "all",
            "environment.services.port.range": "49153-65535", "api.interceptor.config": "",
            "install.uuid": installUUID,
        ]
    }

    /// Random for a server, the same after a reset: it comes from the seed.
    private var installUUID: String {
        var random = SeededRandom(seed: configuration.seed ^ 0x1257_A11D)
        return random.uuid()
    }

    func setting(_ name: String) -> String? { settings[name] ?? defaults[name] }

    func settingAnswer(_ context: RequestContext) throws(APIFailure) -> HTTPResponse {
        let names = context.segments.count > 1 ? [context.segments[1...].joined(separator: "/")] : visibleNames(context)
        if context.segments.count > 1, let name = names.first {
            guard isVisibleSetting(name, context) else { throw .notFound }
            return answered(settingJSON(name, context), context)
        }
        return answered(collection(.setting, names.map { settingJSON($0, context) }, context, isPlain: true), context)
    }

    mutating func settingChange(_ context: RequestContext) throws(APIFailure) -> HTTPResponse {
        let rights = ObjectType.setting.rights(of: context.caller.role)
        let input = try context.input()
        switch (context.method, context.segments.count) {
        case ("POST", 1) where rights.contains(.create):
            guard let name = input["name"]?.string, !name.isEmpty else { throw .validation("MissingRequired", "name") }
            settings[name] = input["value"]?.plainText ?? ""
            return answered(settingJSON(name, context), context, status: 201)
        case ("PUT", 2) where rights.contains(.update):
            settings[context.segments[1]] = input["value"]?.plainText ?? ""
            return answered(settingJSON(context.segments[1], context), context)
        case ("DELETE", 2) where rights.contains(.delete):
            settings[context.segments[1]] = nil
            return answered(settingJSON(context.segments[1], context), context)
        default: throw .methodNotAllowed
        }
    }

    private func isVisibleSetting(_ name: String, _ context: RequestContext) -> Bool {
        let isPublic =
            Self.publicNames.contains(name) || name.hasPrefix("ui.") || name.hasPrefix("rancher.cli.")
            || name.hasPrefix("rancher.compose.")
        return isPublic || context.caller.role.isAdministrative
    }

    private func visibleNames(_ context: RequestContext) -> [String] {
        let isShort = context.parameter("all") == "false"
        let all = Set(defaults.keys).union(settings.keys).sorted()
        return all.filter { name in
            guard isShort else { return isVisibleSetting(name, context) }
            return Self.publicNames.contains(name)
        }
    }

    private func settingJSON(_ name: String, _ context: RequestContext) -> JSONValue {
        let value = setting(name)
        let isOwn = settings[name] != nil
        let own = "\(context.url(of: .setting))/\(name)"
        return [
            "id": .string(name), "type": "activeSetting", "links": ["self": .string(own)], "actions": [:],
            "baseType": "setting", "name": .string(name), "activeValue": .optional(value), "inDb": .boolean(isOwn),
            "source": isOwn ? "Database" : value == nil ? .null : "Code Packaged Defaults", "value": .optional(value),
        ]
    }
}
