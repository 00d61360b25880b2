import MusterModel
import ProviderKit
import RancherClient

/// A stack: services from compose files, or from a template of a catalog.
///
/// Calls: `GET projects/ENV/stacks`, `POST projects/ENV/stacks`, `PUT stacks/ID`, `upgrade`, `finishupgrade`,
/// `DELETE stacks/ID`; `GET /v1-catalog/templates/ID` before it is made or upgraded from a catalog.
/// What runs in it changes by an upgrade. A name is unique in the environment.
struct Stack: RancherResource {
    struct Arguments: EnvironmentArguments {
        var server: String?
        var environment: String?
        var name = ""
        var description: String?
        var template: String?
        var dockerCompose: String?
        var rancherCompose: String?
        var answers: [String: String]?
        var startsOnCreate: Bool?
        var isSystem: Bool?
        var finishesUpgrade: Bool?

        static let fields: [Field<Self>] = [
            .server(\.server),
            .environment(\.environment),
            .required("name", \.name, constraints: RancherName.constraints, "Its name, unique in the environment."),
            .description(\.description),
            .argument(
                "template", \.template,
                constraints: [
                    .pattern(#"[^:\s]+:[^:\s]+:[0-9]+"#, "it is written like library:infra*ecr:1 or community:ecr:2."),
                    .conflictsWith(["docker_compose", "rancher_compose"]),
                ], "A template of a catalog with its revision, such as `library:infra*ecr:1`."),
            .argument(
                "docker_compose", \.dockerCompose, semantics: .multilineText,
                "What runs, as docker-compose.yml; from a file with ${file(\"…\")}."),
            .argument(
                "rancher_compose", \.rancherCompose, semantics: .multilineText,
                "How it runs, as rancher-compose.yml."),
            .argument(
                "answers", \.answers, semantics: .tags,
                "Values for the variables of the files. Rancher cannot take one away: it is then set to nothing."),
            .argument(
                "start_on_create", \.startsOnCreate, absence: .means(true), onChange: .creationOnly,
                "Whether its services start at once."),
            .argument(
                "system", \.isSystem, onChange: .replace,
                "Whether it belongs to the infrastructure; templates under `infra` do without being told."),
            .argument(
                "finish_upgrade", \.finishesUpgrade, absence: .means(true), onChange: .local,
                "Whether an upgrade is finished at once. If not, it can be rolled back by hand."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.stack", "A stack of services, from compose files or from a catalog.",
        naming: .unique(argument: "name", maximumLength: 63), timeouts: Timeouts(create: 900, update: 1800),
        importSyntax: "https://SERVER#ENVIRONMENT/ID, such as https://rancher.example.com#1a5/1st7")
    static let kind = RancherKind.stack

    let rancher: RancherSession

    func isRival(_ object: RancherObject, of desired: Arguments) -> Bool {
        object.hasName(desired.name)
    }

    func body(_ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        var body = try await content(desired)
        body["name"] = .string(desired.name)
        body["startOnCreate"] = .bool(desired.startsOnCreate ?? true)
        if desired.isSystem ?? desired.template?.contains(":infra*") ?? false { body["system"] = true }
        return body
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        var changes = try await described(id, from: old, to: new)
        if new.name != old.name { changes["name"] = .string(new.name) }
        let seen = try await changed(id, changes, new)
        let isUpgrade =
            new.template != old.template || new.dockerCompose != old.dockerCompose
            || new.rancherCompose != old.rancherCompose || new.answers != old.answers
        guard isUpgrade else { return seen }
        var input = try await content(new)
        var answers = new.answers ?? [:]
        for name in (old.answers ?? [:]).keys where answers[name] == nil { answers[name] = "" }
        input["environment"] = answers.value
        let wanted = input
        try await collection(new).upgrade(id, input, isFinished: new.finishesUpgrade ?? true) {
            Stack.runs(wanted, $0)
        }
        return try await placed(try await existing(id, new), new)
    }

    // MARK: - Wire format

    /// Files and answers as a creation and an upgrade take them.
    private func content(_ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        var content: [String: Value] = [:]
        content.set("dockerCompose", desired.dockerCompose)
        content.set("rancherCompose", desired.rancherCompose)
        content.set("environment", desired.answers)
        guard let template = desired.template else { return content }
        let files = try await files(of: template, desired)
        content["dockerCompose"] = files["docker-compose.yml"] ?? files["docker-compose.yml.tpl"]
        content["rancherCompose"] = files["rancher-compose.yml"] ?? files["rancher-compose.yml.tpl"]
        content["externalId"] = .string("catalog://\(template)")
        return content
    }

    private func files(of template: String, _ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        let url = try rancher.servers.url(desired.server)
        do throws(ProviderError) {
            let answer = try await rancher.reading(url) { (client) async throws(RancherError) in
                try await client.get(
                    "/v1-catalog/templates/\(template)", desired.environment.map { [("projectId", $0)] } ?? [])
            }
            let files = answer["files"].map ?? [:]
            if files.keys.contains(where: { $0.hasPrefix("docker-compose.yml") }) { return files }
            throw ProviderError(.notFound, "It has no docker-compose.yml.")
        } catch {
            guard error.kind == .notFound else { throw error }
            throw ProviderError(
                .invalid, "The catalogs of \(url) have no template \(template).",
                hint: "\(url)/v1-catalog/templates lists what there is; a new server loads its catalogs at first.")
        }
    }

    /// Whether the stack runs what an upgrade would bring; nil where it does not tell.
    private static func runs(_ wanted: [String: Value], _ object: RancherObject) -> Bool? {
        var isKnown = false
        for member in ["externalId", "dockerCompose", "rancherCompose"] {
            guard let text = wanted[member]?.string, let told = object.text(member) else { continue }
            if text != told { return false }
            isKnown = true
        }
        guard let answers = wanted["environment"]?.map, !answers.isEmpty else { return isKnown ? true : nil }
        guard let told = object["environment"].map else { return isKnown ? true : nil }
        return answers.allSatisfy { told[$0.key] == $0.value }
    }

    func observed(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> Observed<Self> {
        var arguments = Arguments()
        arguments.environment = known.environment
        arguments.name = object.name ?? ""
        if known.template != nil {
            arguments.template = object.text("externalId").map { id in
                id.hasPrefix("catalog://") ? String(id.dropFirst("catalog://".count)) : id
            }
        } else {
            arguments.dockerCompose = known.dockerCompose == nil ? nil : object.text("dockerCompose")
            arguments.rancherCompose = known.rancherCompose == nil ? nil : object.text("rancherCompose")
        }
        arguments.answers = object["environment"].map?.compactMapValues(\.text)
        arguments.isSystem = object["system"].bool
        var status = object.status(isActiveWanted: nil)
        if object.state == "upgraded", known.finishesUpgrade ?? true { status = .pending(object.progress) }
        return Observed(id: RemoteID(object.id), arguments: arguments, status: status)
    }
}

extension Value {
    /// A number or a boolean as the text that Rancher makes of it.
    var text: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .bool(let flag): String(flag)
        default: nil
        }
    }
}

/// What Rancher takes for the name of a stack or a service.
enum RancherName {
    static let constraints: [Constraint] = [
        .length(1, 63),
        .pattern(
            "[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?", "it has letters, digits and dashes, and no dash at its ends."),
    ]
}
