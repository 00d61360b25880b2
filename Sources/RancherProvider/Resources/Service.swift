import MusterModel
import ProviderKit
import RancherClient

/// A service of a stack.
///
/// Calls: `GET projects/ENV/services`, `POST projects/ENV/services`, `PUT services/ID`, `upgrade`, `finishupgrade`,
/// `activate`, `deactivate`, `DELETE services/ID`. What its containers are changes by an upgrade.
struct Service: RancherResource {
    struct Arguments: EnvironmentArguments {
        var server: String?
        var environment: String?
        var stack = ""
        var name = ""
        var description: String?
        var scale: Int?
        var launch: Launch?
        var upgradeStrategy: Strategy?
        var enabled: Bool?
        var finishesUpgrade: Bool?

        static let fields: [Field<Self>] = [
            .server(\.server),
            .environment(\.environment),
            .required("stack", \.stack, onChange: .replace, reference: .rancherStack, "The stack, by name or id."),
            .required("name", \.name, constraints: RancherName.constraints, "Its name, unique in the stack."),
            .description(\.description),
            .argument(
                "scale", \.scale, constraints: [.range(0, 10_000)], "How many containers; 1 if it is left out."),
            .argument("launch_config", \.launch, isRequired: true, "What its containers are."),
            .argument(
                "upgrade_strategy", \.upgradeStrategy, onChange: .local, "How containers are exchanged in an upgrade."),
            .enabled(\.enabled, "Whether it runs."),
            .argument(
                "finish_upgrade", \.finishesUpgrade, absence: .means(true), onChange: .local,
                "Whether an upgrade is finished at once. If not, it can be rolled back by hand."),
        ]
    }

    struct Launch: ArgumentBlock {
        var image = ""
        var command: [String]?
        var environment: [String: String]?
        var labels: [String: String]?
        var ports: [String]?
        var dataVolumes: [String]?
        var networkMode: String?
        var isPrivileged: Bool?
        var memory: Int?

        static let fields: [Field<Self>] = [
            .required("image", \.image, constraints: [.length(1, 512)], "The image, such as `nginx:1.25`."),
            .argument("command", \.command, "The command and its arguments, instead of the image's own."),
            .argument("environment", \.environment, "Environment variables of the containers."),
            .argument("labels", \.labels, semantics: .tags, "Labels of the containers."),
            .argument(
                "ports", \.ports, type: .set(.string), "Ports of the host, such as `80:8080/tcp`."),
            .argument("data_volumes", \.dataVolumes, type: .set(.string), "Volumes, such as `/srv:/data:ro`."),
            .argument(
                "network_mode", \.networkMode, constraints: [.allowed(["managed", "host", "bridge", "none"])],
                "How they are on the network."),
            .argument("privileged", \.isPrivileged, "Whether they may do what root of the host may do."),
            .argument("memory", \.memory, "The most memory that one may use, in bytes."),
        ]
    }

    struct Strategy: ArgumentBlock {
        var batchSize: Int?
        var intervalMilliseconds: Int?
        var startsFirst: Bool?

        static let fields: [Field<Self>] = [
            .argument("batch_size", \.batchSize, constraints: [.range(1, 1000)], "How many at a time; 1 if left out."),
            .argument(
                "interval_milliseconds", \.intervalMilliseconds, constraints: [.range(100, 3_600_000)],
                "The pause between two batches; 2000 if left out."),
            .argument("start_first", \.startsFirst, "Whether new ones start before old ones stop."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.service", "A service of a stack.", naming: .unique(argument: "name", maximumLength: 63),
        timeouts: Timeouts(create: 900, update: 1800),
        importSyntax: "https://SERVER#ENVIRONMENT/ID, such as https://rancher.example.com#1a5/1s12")
    static let kind = RancherKind.service

    let rancher: RancherSession

    func isRival(_ object: RancherObject, of desired: Arguments) -> Bool {
        object.hasName(desired.name) && object.stack == desired.stack
    }

    func body(_ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        let url = try rancher.servers.url(desired.server)
        let api = try await rancher.reading(url) { (client) async throws(RancherError) in try await client.api() }
        var body: [String: Value] = [
            "name": .string(desired.name), api == .v1 ? "environmentId" : "stackId": .string(desired.stack),
            "startOnCreate": .bool(desired.enabled ?? true),
        ]
        body.set("scale", desired.scale)
        body.set("launchConfig", desired.launch.map(Service.launchConfig))
        return body
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        var changes = try await described(id, from: old, to: new)
        if new.name != old.name { changes["name"] = .string(new.name) }
        if new.scale != old.scale { changes.set("scale", new.scale) }
        var seen = try await changed(id, changes, new)
        if let launch = new.launch, launch != old.launch {
            let config = Service.launchConfig(launch)
            let strategy = new.upgradeStrategy
            let input: Value = [
                "batchSize": .integer(strategy?.batchSize ?? 1),
                "intervalMillis": .integer(strategy?.intervalMilliseconds ?? 2000),
                "startFirst": .bool(strategy?.startsFirst ?? false), "launchConfig": config,
            ]
            try await collection(new).upgrade(
                id, ["inServiceStrategy": input], isFinished: new.finishesUpgrade ?? true
            ) { Service.runs(config, $0) }
            seen = try await placed(try await existing(id, new), new)
        }
        return try await switched(id, from: old.enabled, to: new.enabled, new) ?? seen
    }

    // MARK: - Wire format

    private static func launchConfig(_ launch: Launch) -> Value {
        var config: [String: Value] = ["imageUuid": .string("docker:\(launch.image)")]
        config.set("command", launch.command)
        config.set("environment", launch.environment)
        config.set("labels", launch.labels)
        config.set("ports", launch.ports)
        config.set("dataVolumes", launch.dataVolumes)
        config.set("networkMode", launch.networkMode)
        config.set("privileged", launch.isPrivileged)
        config.set("memory", launch.memory)
        return .map(config)
    }

    private static func runs(_ wanted: Value, _ object: RancherObject) -> Bool? {
        guard let told = object["launchConfig"].map, let wanted = wanted.map else { return nil }
        return wanted.allSatisfy { member, value in
            guard let live = told[member] else { return false }
            if let wanted = value.map, let live = live.map { return wanted.allSatisfy { live[$0.key] == $0.value } }
            return live == value
        }
    }

    func observed(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> Observed<Self> {
        var arguments = Arguments()
        arguments.environment = known.environment
        arguments.stack = object.stack
        arguments.name = object.name ?? ""
        arguments.scale = object["scale"].integer
        arguments.enabled = !object.isInactive
        if let told = object["launchConfig"].map {
            let image = told["imageUuid"]?.string ?? ""
            arguments.launch = Launch(
                image: image.hasPrefix("docker:") ? String(image.dropFirst("docker:".count)) : image,
                command: told["command"]?.list?.compactMap(\.text),
                environment: told["environment"]?.map?.compactMapValues(\.text),
                labels: told["labels"]?.map?.compactMapValues(\.text), ports: told["ports"]?.list?.compactMap(\.text),
                dataVolumes: told["dataVolumes"]?.list?.compactMap(\.text), networkMode: told["networkMode"]?.string,
                isPrivileged: told["privileged"]?.bool, memory: told["memory"]?.integer)
        }
        var status = object.status(isActiveWanted: known.enabled ?? true)
        if object.state == "upgraded", known.finishesUpgrade ?? true { status = .pending(object.progress) }
        return Observed(id: RemoteID(object.id), arguments: arguments, status: status)
    }
}

extension RancherObject {
    /// The stack of a service: `stackId`, in v1 `environmentId`.
    fileprivate var stack: String { text("stackId") ?? text("environmentId") ?? "" }
}
