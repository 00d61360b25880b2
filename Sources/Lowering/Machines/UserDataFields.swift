import MusterModel
import UserData

/// The forms in which a section says what a machine is given to run, besides plain `user_data`.
enum UserDataFields {
    static let forms = ["rancher_agent", "rancher_server", "rancheros", "swarm_node"]

    /// Of the given names, those that cannot stand beside the form.
    private static func excluded(by name: String) -> [String] {
        let plain = ["user_data", "user_data_base64"]
        switch name {
        case "rancher_agent": return plain + ["rancher_server", "swarm_node"]
        case "rancher_server": return plain + ["rancher_agent", "rancheros", "swarm_node"]
        case "rancheros": return plain + ["rancher_server"]
        default: return plain + ["rancher_agent", "rancher_server"]
        }
    }

    private static func form(_ name: String, _ fields: [ArgumentSchema], _ documentation: String) -> ArgumentSchema {
        ArgumentSchema(
            name, .object(fields), constraints: [.conflictsWith(excluded(by: name))], documentation)
    }

    static let rancherAgent = form(
        "rancher_agent", agentFields,
        "The machine joins an environment of Rancher at every start and, with `leave`, leaves it when it goes for good. "
            + "With `rancheros` beside it the console joins.")
    static let rancherServer = form(
        "rancher_server", serverFields,
        "The machine runs a Rancher server. Several of them share a database; the security groups must let them reach "
            + "each other.")
    static let rancherOS = form(
        "rancheros", CloudConfigSchema.fields,
        "A cloud-config of RancherOS, checked against what RancherOS reads.")
    static let swarmNode = form(
        "swarm_node", swarmFields,
        "The machine is a node of a Docker Swarm on RancherOS. Its tags become labels of the engine and variables.")

    private static let secretForms =
        "a value, or a map with `ssm`, with `secretsmanager` and `key`, or with `file` on the machine. What lives in SSM "
        + "or Secrets Manager is fetched at boot; a value stands in the user data."

    private static func secret(_ name: String, isRequired: Bool = false, _ what: String) -> ArgumentSchema {
        ArgumentSchema(name, .anything, isRequired: isRequired, "\(what): \(secretForms)")
    }

    private static let reader = ArgumentSchema(
        "user_data_reader", .string, constraints: [.allowed(["cloud-init", "other"])],
        "What of the image reads user data. Over 16 KiB they are compressed, which only cloud-init is known to undo.")

    private static let seconds: [Constraint] = [.range(1, 3600)]

    static let agentFields: [ArgumentSchema] =
        [
            ArgumentSchema(
                "environment", .string, reference: .rancherJoined,
                constraints: [.exactlyOne(["environment", "registration_url"])],
                "The environment to join, by name: one that is declared, with a `registration_token` whose `secret_to` is "
                    + "`ssm:` or `secretsmanager:`. The machine fetches the URL there when it boots, with the rights of its "
                    + "instance profile."),
            registrationURL(isRequired: false),
        ] + joinFields

    /// Of machines outside of AWS, which find nothing there and have no service manager.
    static let hostAgentFields: [ArgumentSchema] =
        [registrationURL(isRequired: true)]
        + joinFields.filter { !["init", "leave", "before_join", "user_data_reader"].contains($0.name) }

    private static func registrationURL(isRequired: Bool) -> ArgumentSchema {
        ArgumentSchema(
            "registration_url", .anything, isRequired: isRequired,
            "The registration URL of the environment, ending in `/scripts/` and a token, with which anybody can add hosts: "
                + secretForms)
    }

    private static let joinFields: [ArgumentSchema] = [
        ArgumentSchema("image", .string, absence: .means("rancher/agent:v1.2.11"), "The image of the agent."),
        ArgumentSchema(
            "version", .string,
            "The agent's version, such as v1.2.11, where the image's tag does not say it; the command depends on it."),
        ArgumentSchema("labels", .map(.string), "Labels of the host, given when it first joins."),
        ArgumentSchema(
            "agent_ip", .string, absence: .means("private"),
            "The address by which other hosts reach it: private, public, detect (what the server sees) or an address."),
        ArgumentSchema("ca_fingerprint", .string, "The fingerprint of the server's private authority."),
        ArgumentSchema(
            "init", .string, absence: .means("systemd"),
            constraints: [.allowed(RancherAgent.Init.allCases.map(\.rawValue))],
            "What starts and stops services: systemd, or sysv for older images."),
        ArgumentSchema("before_join", .string, semantics: .multilineText, "Commands for a shell that run before."),
        ArgumentSchema(
            "leave",
            .object([
                secret("access_key", isRequired: true, "The access key of an environment's API key"),
                secret("secret_key", isRequired: true, "Its secret key"),
                ArgumentSchema("url", .string, "Where the API is; left out, where the registration URL leads."),
                ArgumentSchema("ca_file", .string, "A file of the machine with the server's private authority."),
                ArgumentSchema(
                    "timeouts",
                    .object([
                        ArgumentSchema(
                            "deactivate", .integer, absence: .means(60), constraints: seconds, "In seconds."),
                        ArgumentSchema("evacuate", .integer, absence: .means(120), constraints: seconds, "In seconds."),
                        ArgumentSchema("remove", .integer, absence: .means(120), constraints: seconds, "In seconds."),
                        ArgumentSchema("purge", .integer, absence: .means(60), constraints: seconds, "In seconds."),
                    ]), "How long each phase may take."),
                ArgumentSchema(
                    "report",
                    .object([
                        secret("pagerduty", "A routing key of PagerDuty's events API"),
                        secret("slack", "An incoming webhook of Slack"),
                        secret("webhook", "A URL that is sent JSON with `host` and `text`"),
                    ]), "Who is told when leaving fails."),
            ]),
            "When the machine goes for good, its host is deactivated, evacuated, removed and purged. A restart is no "
                + "farewell; a machine that was stopped and starts again joins as a new host."),
        reader,
    ]

    private static let serverFields: [ArgumentSchema] = [
        ArgumentSchema("image", .string, absence: .means("rancher/server:v1.6.30"), "The image of the server."),
        ArgumentSchema(
            "version", .string,
            "The server's version, such as v1.6.30, where the image's tag does not say it. Before 1.2 it needs `zookeeper`, "
                + "`redis` and `websocket_proxy`."),
        ArgumentSchema(
            "database", .string, reference: .databaseAddress,
            constraints: [.exactlyOne(["database", "db_host"])], "The database, by name."),
        ArgumentSchema("db_host", .string, "The host of a database that is not declared here."),
        ArgumentSchema(
            "db_port", .integer, absence: .means(3306), constraints: [.range(1, 65_535)], "The database's port."),
        ArgumentSchema("db_user", .string, absence: .means("cattle"), "The user."),
        ArgumentSchema("db_name", .string, absence: .means("cattle"), "The schema; it must be there, in UTF-8."),
        secret("db_password", isRequired: true, "The password"),
        ArgumentSchema(
            "advertise_address", .string, "The address by which the others reach it; its private address if left out."),
        ArgumentSchema("environment", .map(.string), "More variables of the server."),
        ArgumentSchema("zookeeper", .list(.string), constraints: [.count(1, 64)], "Hosts of ZooKeeper, with `:port`."),
        ArgumentSchema(
            "redis",
            .object([
                ArgumentSchema(
                    "hosts", .list(.string), isRequired: true, constraints: [.count(1, 64)], "As `host:port`."),
                secret("password", "The password"),
            ]), "Redis, for servers before 1.2."),
        ArgumentSchema(
            "websocket_proxy",
            .object([
                ArgumentSchema(
                    "address", .string, isRequired: true,
                    "Where browsers and hosts reach it, as `host:port`; it runs on the first node."),
                ArgumentSchema(
                    "port", .integer, absence: .means(8081), constraints: [.range(1, 65_535)], "Where it listens."),
            ]), "The proxy of logs and consoles, for servers before 1.2."),
        ArgumentSchema(
            "machine_service",
            .object([
                ArgumentSchema("url", .string, "The API, ending in /v1; the first node's own server if left out."),
                secret("access_key", isRequired: true, "The access key of a service account"),
                secret("secret_key", isRequired: true, "Its secret key"),
            ]), "What makes machines, for servers before 1.2; it runs on the first node, once its key can be read."),
        reader,
    ]

    private static let swarmFields: [ArgumentSchema] = [
        ArgumentSchema("consul", .string, isRequired: true, "Consul, as `host:port`."),
        ArgumentSchema("prefix", .string, absence: .means("swarm"), "The path in Consul's store."),
        ArgumentSchema(
            "role", .string, absence: .means("node"), constraints: [.allowed(SwarmNode.Role.allCases.map(\.rawValue))],
            "node, manager or both."),
        ArgumentSchema("image", .string, absence: .means("swarm:1.2.8"), "The image of Swarm."),
        ArgumentSchema(
            "tags", .list(.string),
            "The tags that become labels and variables, by their keys; all with a dot in them if left out."),
        ArgumentSchema(
            "interface", .string, absence: .means("eth0"), "The interface by which the others reach the engine."),
        ArgumentSchema(
            "engine_port", .integer, absence: .means(2375), constraints: [.range(1, 65_535)], "The engine's port."),
        ArgumentSchema(
            "manager_port", .integer, absence: .means(4000), constraints: [.range(1, 65_535)], "The manager's port."),
        ArgumentSchema(
            "registry",
            .object([
                ArgumentSchema("address", .string, isRequired: true, "As `host:port`, without a scheme."),
                ArgumentSchema("username", .string, "The user."),
                ArgumentSchema("password", .string, "The password; it stands in the user data."),
                ArgumentSchema("insecure", .boolean, "Whether its certificate is not known."),
            ]), "A private registry."),
        ArgumentSchema("registry_mirror", .string, "A mirror of the public registry."),
        ArgumentSchema(
            "os_version", .string,
            "The version of RancherOS, such as 1.5.8. Up to 0.6 it takes all arguments of the engine at once."),
    ]
}
