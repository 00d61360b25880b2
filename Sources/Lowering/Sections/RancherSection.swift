import Diagnostics
import MusterModel

/// `rancher`: a Rancher server, and what is on it.
///
/// Everything refers to the server, so that it waits until that answers. The server's machines are other resources: the
/// URL may be an output of the record or of the load balancer before them, which orders the two.
enum RancherSection: Section {
    static let schema = SectionSchema(
        name: "rancher", summary: "A Rancher 1.x server and what is on it: environments, keys, registries, stacks.",
        fields: [
            ArgumentSchema(
                "url", .string, isRequired: true,
                "Where it answers, such as https://rancher.tastycidr.net or an output of another resource. RANCHER_URL "
                    + "takes its place."),
            ArgumentSchema("settings", .map(.string), "Settings of the server by name, such as `api.host`."),
            ArgumentSchema(
                "api_keys", .map(.object(accountKeyFields)), "API keys of accounts, by name."),
            ArgumentSchema(
                "service_accounts", .map(.object(serviceAccountFields)),
                "Accounts for programs, by name; `api_keys` of each act as it."),
            ArgumentSchema(
                "access_control",
                .object([
                    ArgumentSchema("username", .string, isRequired: true, "The administrator's login."),
                    ArgumentSchema(
                        "password", .string, isRequired: true, isSensitive: true,
                        "The administrator's password, from a secret."),
                    ArgumentSchema("name", .string, "The administrator's name."),
                    ArgumentSchema(
                        "access_mode", .string, constraints: [.allowed(["unrestricted", "restricted", "required"])],
                        "Who may log in."),
                ]),
                "Access control with names and passwords, turned on after the API keys of `api_keys` are there. muster needs "
                    + "one of them from then on: RANCHER_CLIENT_CONFIG names the file of one with `secret_format: cli`."
            ),
            ArgumentSchema(
                "github_access_control", .object(gitHubFields), constraints: [.conflictsWith(["access_control"])],
                "Access control by GitHub, turned on after the API keys of `api_keys` are there; muster needs one of them from "
                    + "then on."),
            ArgumentSchema("environments", .map(.object(environmentFields)), "Environments by name."),
        ],
        principalTypes: ["rancher.server"],
        example: """
            rancher:
              prod-rancher:
                url: https://rancher.tastycidr.net
                settings: { api.host: https://rancher.tastycidr.net }
                api_keys:
                  operations: { secret_to: file:keys/operations }
                environments:
                  prod:
                    template: Cattle
                    description: What customers use
                    registration_token: { secret_to: ssm:/prod/rancher/registration-url }
                    api_keys:
                      ci: { secret_to: ssm:/prod/rancher/ci-key }
                    registries:
                      012345678901.dkr.ecr.us-east-1.amazonaws.com: { description: What we build }
                    stacks:
                      web:
                        docker_compose: |
                          web:
                            image: nginx:1.25
                        answers: { PORT: "8080" }
            """)

    // MARK: Fields

    private static let gitHubFields = [
        ArgumentSchema("client_id", .string, isRequired: true, "The client id of the application in GitHub."),
        ArgumentSchema(
            "client_secret", .string, isRequired: true, isSensitive: true, "Its client secret, from a secret."),
        ArgumentSchema("hostname", .string, "The host of a GitHub Enterprise; github.com if it is left out."),
        ArgumentSchema(
            "access_mode", .string, constraints: [.allowed(["unrestricted", "restricted", "required"])],
            "Who may log in: anybody, members of environments and those of `allowed_identities`, or the latter alone."),
        ArgumentSchema(
            "allowed_identities",
            .set(
                .object([
                    ArgumentSchema("external_id", .string, isRequired: true, "GitHub's number for it."),
                    ArgumentSchema(
                        "external_id_type", .string, isRequired: true,
                        constraints: [.allowed(["github_user", "github_org", "github_team"])], "What it is."),
                ]), key: "external_id"), "Who may log in besides the members of environments."),
    ]

    private static let accountKeyFields =
        [
            ArgumentSchema("account", .string, "The account that it acts as; muster's own if it is left out.")
        ] + keyFields

    private static let serviceAccountFields =
        serviceAccountArguments + [
            ArgumentSchema("api_keys", .map(.object(keyFields)), "Keys that act as the account, by name.")
        ]

    private static let serviceAccountArguments = [
        ArgumentSchema("description", .string, "What it is for."),
        ArgumentSchema("uuid", .string, "What tells it from every other account."),
        ArgumentSchema("enabled", .boolean, "Whether it is active; true if it is left out."),
    ]

    private static let keyFields = [
        ArgumentSchema("description", .string, "What it is for."),
        ArgumentSchema(
            "secret_to", .string, isRequired: true,
            "Where the secret key goes, which Rancher shows only once: `file:PATH` (mode 0600), `ssm:/path` or "
                + "`secretsmanager:name`."),
        ArgumentSchema(
            "secret_format", .string, constraints: [.allowed(["secret_key", "cli"])],
            "The secret key alone, or a configuration of Rancher's command line (`cli`)."),
        ArgumentSchema("enabled", .boolean, "Whether it can be used."),
    ]

    private static let environmentFields =
        environmentArguments + [
            ArgumentSchema(
                "registration_token", .anything,
                "The token with which hosts join: true, or a map with `name`, `description` and `secret_to`, which says where "
                    + "the registration URL goes."),
            ArgumentSchema(
                "api_keys", .map(.object(keyFields)), "API keys that are bound to the environment, by name."),
            ArgumentSchema("registries", .map(.object(registryFields)), "Registries by their address."),
            ArgumentSchema("stacks", .map(.object(stackFields)), "Stacks by name."),
            ArgumentSchema(
                "certificates",
                .map(
                    .object([
                        ArgumentSchema("description", .string, "What it is for."),
                        ArgumentSchema("certificate", .string, isRequired: true, "The certificate as PEM."),
                        ArgumentSchema("certificate_chain", .string, "The certificates of its issuers as PEM."),
                        ArgumentSchema(
                            "private_key", .string, isRequired: true, isSensitive: true,
                            "The key as PEM, from a secret."),
                    ])), "Certificates for balancers, by name."),
            ArgumentSchema(
                "secrets",
                .map(
                    .object([
                        ArgumentSchema("description", .string, "What it is for."),
                        ArgumentSchema(
                            "value", .string, isRequired: true, isSensitive: true,
                            "What is kept, from a secret of the spec."),
                    ])), "Secrets for containers, by name."),
        ]

    /// The arguments of `rancher.environment` that are written as they are.
    private static let environmentArguments = [
        ArgumentSchema("name", .string, "Its name; the key of the map if it is left out."),
        ArgumentSchema("description", .string, "What it is for."),
        ArgumentSchema(
            "template", .string, "The project template by name, such as `Cattle`; the server's default if left out."),
        ArgumentSchema(
            "members",
            .set(
                .object([
                    ArgumentSchema("external_id", .string, isRequired: true, "Who: `1a8`, or what GitHub calls it."),
                    ArgumentSchema(
                        "external_id_type", .string, isRequired: true,
                        "What kind of identity it is, such as `rancher_id` or `github_team`."),
                    ArgumentSchema(
                        "role", .string, isRequired: true,
                        constraints: [.allowed(["owner", "member", "readonly", "restricted"])], "What it may do."),
                ]), key: "external_id"), "All who may use it; at least one is an owner."),
        ArgumentSchema(
            "services_port_range",
            .object([
                ArgumentSchema("start_port", .integer, isRequired: true, "The first port."),
                ArgumentSchema("end_port", .integer, isRequired: true, "The last port."),
            ]), "The ports that services get when they ask for any."),
        ArgumentSchema("virtual_machine", .boolean, "Whether it can run virtual machines."),
        ArgumentSchema(
            "host_remove_delay_seconds", .integer,
            "After how many seconds without its agent a host is removed by the server itself."),
        ArgumentSchema("enabled", .boolean, "Whether it is active."),
    ]

    private static let tokenFields = [
        ArgumentSchema("name", .string, "Its name."),
        ArgumentSchema("description", .string, "What it is for."),
        ArgumentSchema("secret_to", .string, "Where the registration URL goes."),
    ]

    private static let registryFields = [
        ArgumentSchema("name", .string, "Its name in Rancher."),
        ArgumentSchema("description", .string, "What it is for."),
        ArgumentSchema("enabled", .boolean, "Whether it is used."),
        ArgumentSchema(
            "credential",
            .object([
                ArgumentSchema("username", .string, isRequired: true, "The user's name."),
                ArgumentSchema(
                    "password", .string, isRequired: true, isSensitive: true, "The password, from a secret."),
                ArgumentSchema("email", .string, "An e-mail address, for servers that want one."),
                ArgumentSchema("description", .string, "What it is for."),
            ]), "With which name and password hosts pull from it."),
    ]

    private static let stackFields =
        stackArguments + [
            ArgumentSchema("services", .map(.object(serviceFields)), "Services beside those of the files, by name.")
        ]

    private static let serviceFields = [
        ArgumentSchema("description", .string, "What it is for."),
        ArgumentSchema("scale", .integer, constraints: [.range(0, 10_000)], "How many containers; 1 if left out."),
        ArgumentSchema(
            "launch_config",
            .object([
                ArgumentSchema("image", .string, isRequired: true, "The image, such as `nginx:1.25`."),
                ArgumentSchema("command", .list(.string), "The command and its arguments."),
                ArgumentSchema("environment", .map(.string), "Environment variables of the containers."),
                ArgumentSchema("labels", .map(.string), "Labels of the containers."),
                ArgumentSchema("ports", .set(.string), "Ports of the host, such as `80:8080/tcp`."),
                ArgumentSchema("data_volumes", .set(.string), "Volumes, such as `/srv:/data:ro`."),
                ArgumentSchema(
                    "network_mode", .string, constraints: [.allowed(["managed", "host", "bridge", "none"])],
                    "How they are on the network."),
                ArgumentSchema("privileged", .boolean, "Whether they may do what root of the host may do."),
                ArgumentSchema("memory", .integer, "The most memory that one may use, in bytes."),
            ]), isRequired: true, "What its containers are."),
        ArgumentSchema(
            "upgrade_strategy",
            .object([
                ArgumentSchema("batch_size", .integer, "How many at a time; 1 if left out."),
                ArgumentSchema("interval_milliseconds", .integer, "The pause between batches; 2000 if left out."),
                ArgumentSchema("start_first", .boolean, "Whether new ones start before old ones stop."),
            ]), "How containers are exchanged in an upgrade."),
        ArgumentSchema("enabled", .boolean, "Whether it runs; true if it is left out."),
        ArgumentSchema("finish_upgrade", .boolean, "Whether an upgrade is finished at once; true if left out."),
    ]

    /// The arguments of `rancher.stack` that are written as they are.
    private static let stackArguments = [
        ArgumentSchema("description", .string, "What it is for."),
        ArgumentSchema("template", .string, "A template of a catalog, such as `library:infra*ecr:1`."),
        ArgumentSchema("docker_compose", .string, semantics: .multilineText, "What runs, as docker-compose.yml."),
        ArgumentSchema("rancher_compose", .string, semantics: .multilineText, "How it runs, as rancher-compose.yml."),
        ArgumentSchema("answers", .map(.string), "Values for the variables of the files."),
        ArgumentSchema("start_on_create", .boolean, "Whether its services start at once; true if it is left out."),
        ArgumentSchema("system", .boolean, "Whether it belongs to the infrastructure."),
        ArgumentSchema("finish_upgrade", .boolean, "Whether an upgrade is finished at once; true if it is left out."),
    ]

    // MARK: Lowering

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        let body = definition.body
        var result = LoweringResult()
        var server = Draft(principal: "rancher.server", of: definition)
        server.set("url", body["url"])
        let lowering = ServerLowering(definition: definition, url: server.output("url"))
        result.append(server)
        for entry in body["settings"]?.entries ?? [] where entry.value.value != .null {
            var setting = lowering.draft("rancher.setting", "\(definition.name)/\(entry.key)", entry)
            setting.set("name", .string(entry.key), at: entry.keyRange)
            setting.set("value", entry.value)
            result.append(setting)
        }
        for entry in body["api_keys"]?.entries ?? [] where entry.value.value != .null {
            var key = lowering.draft("rancher.api_key", "\(definition.name)/\(entry.key)", entry)
            key.set("name", .string(entry.key), at: entry.keyRange)
            key.copy(accountKeyFields, from: entry.value)
            result.append(key)
        }
        result.lowerAccounts(of: definition, lowering)
        for entry in body["environments"]?.entries ?? [] where entry.value.value != .null {
            result.lower(environment: entry, lowering)
        }
        return result
    }

    /// What the parts of one server share.
    fileprivate struct ServerLowering {
        let definition: Definition
        let url: Value

        func draft(_ type: ResourceType, _ name: String, _ entry: LocatedValue.Entry) -> Draft {
            var draft = Draft(type, name, of: definition, at: entry.keyRange)
            draft.set("server", url)
            return draft
        }

        func draft(
            _ type: ResourceType, _ name: String, in environment: Draft, _ entry: LocatedValue.Entry
        ) -> Draft {
            var draft = draft(type, name, entry)
            draft.set("environment", environment.output("id"))
            return draft
        }
    }
}

extension LoweringResult {
    fileprivate mutating func lower(environment entry: LocatedValue.Entry, _ lowering: RancherSection.ServerLowering) {
        let body = entry.value
        var environment = lowering.draft("rancher.environment", entry.key, entry)
        environment.copy(RancherSection.fields(of: "environment"), from: body)
        if body["name"] == nil { environment.set("name", .string(entry.key), at: entry.keyRange) }
        append(environment)
        lowerToken(of: environment, entry, lowering)
        for key in body["api_keys"]?.entries ?? [] where key.value.value != .null {
            var draft = lowering.draft("rancher.api_key", "\(entry.key)/\(key.key)", in: environment, key)
            draft.set("name", .string(key.key), at: key.keyRange)
            draft.copy(RancherSection.fields(of: "api_key"), from: key.value)
            append(draft)
        }
        for registry in body["registries"]?.entries ?? [] where registry.value.value != .null {
            lower(registry: registry, of: environment, entry.key, lowering)
        }
        for stack in body["stacks"]?.entries ?? [] where stack.value.value != .null {
            lower(stack: stack, of: environment, entry.key, lowering)
        }
        for (field, type) in [("certificates", "rancher.certificate"), ("secrets", "rancher.secret")] {
            for item in body[field]?.entries ?? [] where item.value.value != .null {
                var draft = lowering.draft(
                    ResourceType(rawValue: type), "\(entry.key)/\(item.key)", in: environment, item)
                draft.set("name", .string(item.key), at: item.keyRange)
                for member in item.value.entries ?? [] {
                    draft.set(member.key, member.value.value == .null ? nil : member.value)
                }
                append(draft)
            }
        }
    }

    /// Service accounts, and access control, which comes after the keys that let in when it is on.
    fileprivate mutating func lowerAccounts(of definition: Definition, _ lowering: RancherSection.ServerLowering) {
        for entry in definition.body["service_accounts"]?.entries ?? [] where entry.value.value != .null {
            var account = lowering.draft("rancher.service_account", "\(definition.name)/\(entry.key)", entry)
            account.set("name", .string(entry.key), at: entry.keyRange)
            account.copy(RancherSection.fields(of: "service_account"), from: entry.value)
            append(account)
            for key in entry.value["api_keys"]?.entries ?? [] where key.value.value != .null {
                var draft = lowering.draft("rancher.api_key", "\(definition.name)/\(entry.key)/\(key.key)", key)
                draft.set("account", account.output("id"))
                draft.set("name", .string(key.key), at: key.keyRange)
                draft.copy(RancherSection.fields(of: "api_key"), from: key.value)
                append(draft)
            }
        }
        for (name, type) in [("access_control", "local"), ("github_access_control", "github")] {
            guard let field = definition.body[name] else { continue }
            let place = LocatedValue.Entry(key: name, keyRange: field.range, value: field)
            lower(access: place, "rancher.\(type)_access_control", of: definition, lowering)
        }
    }

    private mutating func lower(
        access place: LocatedValue.Entry, _ type: String, of definition: Definition,
        _ lowering: RancherSection.ServerLowering
    ) {
        let field = place.value
        var control = lowering.draft(ResourceType(rawValue: type), definition.name, place)
        for member in field.entries ?? [] where member.value.value != .null { control.set(member.key, member.value) }
        for key in definition.body["api_keys"]?.entries ?? [] where key.value.value != .null {
            control.declaration.dependsOn.append(
                definition.dependency("rancher.api_key", "\(definition.name)/\(key.key)", at: field.range))
        }
        append(control)
    }

    private mutating func lowerToken(
        of environment: Draft, _ entry: LocatedValue.Entry, _ lowering: RancherSection.ServerLowering
    ) {
        guard let field = entry.value["registration_token"], field.value != .bool(false) else { return }
        let place = LocatedValue.Entry(key: "registration_token", keyRange: field.range, value: field)
        var token = lowering.draft("rancher.registration_token", entry.key, in: environment, place)
        if field.value != .bool(true) {
            let fields = RancherSection.fields(of: "registration_token")
            token.copy(
                fields,
                from: read(
                    field, as: fields, of: "registration_token", stack: lowering.definition.stack,
                    forms: "true, false or a map"))
        }
        append(token)
    }

    private mutating func lower(
        registry: LocatedValue.Entry, of environment: Draft, _ name: String,
        _ lowering: RancherSection.ServerLowering
    ) {
        let name = "\(name)/\(registry.key)"
        var draft = lowering.draft("rancher.registry", name, in: environment, registry)
        draft.set("server_address", .string(registry.key), at: registry.keyRange)
        draft.copy(RancherSection.fields(of: "registry"), from: registry.value)
        append(draft)
        guard let field = registry.value["credential"] else { return }
        let place = LocatedValue.Entry(key: "credential", keyRange: field.range, value: field)
        var credential = lowering.draft("rancher.registry_credential", name, in: environment, place)
        credential.set("registry", draft.output("id"))
        for member in field.entries ?? [] where member.value.value != .null { credential.set(member.key, member.value) }
        append(credential)
    }

    private mutating func lower(
        stack: LocatedValue.Entry, of environment: Draft, _ name: String, _ lowering: RancherSection.ServerLowering
    ) {
        let name = "\(name)/\(stack.key)"
        check(name: stack, of: "stack")
        var draft = lowering.draft("rancher.stack", name, in: environment, stack)
        draft.set("name", .string(stack.key), at: stack.keyRange)
        draft.copy(RancherSection.fields(of: "stack"), from: stack.value)
        append(draft)
        for entry in stack.value["services"]?.entries ?? [] where entry.value.value != .null {
            check(name: entry, of: "service")
            var service = lowering.draft("rancher.service", "\(name)/\(entry.key)", in: environment, entry)
            service.set("stack", draft.output("id"))
            service.set("name", .string(entry.key), at: entry.keyRange)
            service.copy(RancherSection.fields(of: "service"), from: entry.value)
            append(service)
        }
    }
}

extension LoweringResult {
    /// What Rancher takes for the name of a stack or a service.
    private mutating func check(name entry: LocatedValue.Entry, of what: String) {
        let isRight =
            (1...63).contains(entry.key.utf8.count) && entry.key.first != "-" && entry.key.last != "-"
            && entry.key.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d: true
                default: false
                }
            }
        if !isRight { diagnostics.append(.notARancherName(entry.key, of: what, at: entry.keyRange)) }
    }
}

extension Diagnostic {
    fileprivate static func notARancherName(_ name: String, of what: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.rancher-name", summary: "Not a name that Rancher takes",
            detail: "\(name.quoted) cannot be the name of a \(what).", at: range,
            hint: "It has 1 to 63 letters, digits and dashes, and no dash at its ends.")
    }
}

extension RancherSection {
    /// The fields of a part that are arguments of its resource.
    fileprivate static func fields(of part: String) -> [ArgumentSchema] {
        switch part {
        case "environment": environmentArguments
        case "api_key": keyFields
        case "registration_token": tokenFields
        case "service_account": serviceAccountArguments
        case "service": serviceFields
        case "registry": registryFields.filter { $0.name != "credential" }
        default: stackArguments
        }
    }
}
