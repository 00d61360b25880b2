import MusterModel
import ProviderKit
import RancherClient

/// A Rancher environment (a "project" in the API): hosts, stacks and keys of its own.
///
/// Calls: `GET projects?all=true`, `POST projects`, `PUT projects/ID`, `setmembers`, `activate`, `deactivate`,
/// `DELETE projects/ID`; `GET projects/ID/projectmembers` for each environment whose members are declared.
/// Names are not unique in Rancher; muster makes none beside another one of the same name.
struct Environment: SwitchedResource {
    struct Arguments: SwitchedArguments {
        var server: String?
        var name = ""
        var description: String?
        var template: String?
        var members: [Member]?
        var servicesPorts: PortRange?
        var isVirtualMachine: Bool?
        var hostRemoveDelay: Int?
        var enabled: Bool?

        static let fields: [Field<Self>] = [
            .server(\.server),
            .required("name", \.name, constraints: [.length(1, 255)], "Its name."),
            .description(\.description),
            .argument(
                "template", \.template, onChange: .replace, semantics: .caseInsensitive, constraints: [.length(1, 255)],
                "The project template, by name: `Cattle`, `Kubernetes`, `Swarm`, `Mesos`, `Windows` or one of your own. "
                    + "Left out, the server's default."),
            .argument(
                "members", \.members, type: .set(Member.valueType, key: "external_id"), constraints: [.count(1, 1000)],
                needsOwnRead: true,
                "All who may use it; at least one is an owner. Left out, whoever the key belongs to is the owner."),
            .argument(
                "services_port_range", \.servicesPorts, "The ports that services get when they ask for any."),
            .argument("virtual_machine", \.isVirtualMachine, "Whether it can run virtual machines."),
            .argument(
                "host_remove_delay_seconds", \.hostRemoveDelay,
                "After how many seconds without its agent a host is removed by the server itself (Rancher 1.5 and later)."
            ),
            .enabled(\.enabled, "Whether it is active; what is inactive cannot be used."),
        ]
    }

    struct Member: ArgumentBlock {
        var externalID = ""
        var externalIDType = ""
        var role = ""

        static let fields: [Field<Self>] = [
            .required("external_id", \.externalID, "Who: `1a8`, or what GitHub or LDAP calls it."),
            .required(
                "external_id_type", \.externalIDType,
                constraints: [
                    .allowed([
                        "rancher_id", "github_user", "github_org", "github_team", "ldap_user", "ldap_group",
                        "openldap_user", "openldap_group", "azuread_user", "azuread_group", "shibboleth_user",
                        "shibboleth_group",
                    ])
                ], "What kind of identity it is."),
            .required(
                "role", \.role, constraints: [.allowed(["owner", "member", "readonly", "restricted"])],
                "What it may do."),
        ]

        var body: Value {
            ["externalId": .string(externalID), "externalIdType": .string(externalIDType), "role": .string(role)]
        }
    }

    struct PortRange: ArgumentBlock {
        var start = 0
        var end = 0

        static let fields: [Field<Self>] = [
            .required("start_port", \.start, constraints: [.range(1, 65_535)], "The first port."),
            .required("end_port", \.end, constraints: [.range(1, 65_535)], "The last port."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var uuid: String?
        var orchestration: String?

        static let fields: [Field<Self>] = [
            .output("uuid", \.uuid, "What tells it from every other one, on any server."),
            .output("orchestration", \.orchestration, "What runs in it: cattle, kubernetes, swarm, mesos or windows."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.environment", "A Rancher environment: hosts, stacks and keys of its own.",
        deletionHazards: [.dataLoss], importSyntax: "https://SERVER#ID, such as https://rancher.example.com#1a5")
    static let kind = RancherKind.project

    let rancher: RancherSession

    func isRival(_ object: RancherObject, of desired: Arguments) -> Bool {
        object.hasName(desired.name)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let listed = try await collection(desired).fetch()
        if listed.contains(where: { isRival($0, of: desired) }) {
            throw ProviderError(
                .alreadyExists, "There is an environment named \"\(desired.name)\" already.",
                hint: "Import it with \"muster import\", or give this one another name.")
        }
        return try await placed(try await made(desired, intent), desired).owingSwitch(desired)
    }

    func body(_ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        var body: [String: Value] = ["name": .string(desired.name)]
        if let members = desired.members { body["members"] = try Environment.list(members) }
        body.set("virtualMachine", desired.isVirtualMachine)
        body.set("hostRemoveDelaySeconds", desired.hostRemoveDelay)
        body.set("servicesPortRange", desired.servicesPorts.map(Environment.range))
        if let name = desired.template { body.merge(try await template(name, desired)) { $1 } }
        return body
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let changes = try await described(id, from: old, to: new).merging(changes(from: old, to: new)) { $1 }
        let seen = try await changed(id, changes, new)
        if let members = new.members, Set(members.map(\.body)) != Set((old.members ?? []).map(\.body)) {
            try await collection(new).act(
                try await existing(id, new), "setmembers", ["members": try Environment.list(members)])
        }
        return try await switched(id, from: old.enabled, to: new.enabled, new) ?? seen
    }

    func changes(from old: Arguments, to new: Arguments) -> [String: Value] {
        var changes: [String: Value] = [:]
        if new.name != old.name { changes["name"] = .string(new.name) }
        if new.isVirtualMachine != old.isVirtualMachine { changes.set("virtualMachine", new.isVirtualMachine) }
        if new.hostRemoveDelay != old.hostRemoveDelay { changes.set("hostRemoveDelaySeconds", new.hostRemoveDelay) }
        if new.servicesPorts != old.servicesPorts {
            changes.set("servicesPortRange", new.servicesPorts.map(Environment.range))
        }
        return changes
    }

    // MARK: - Wire format

    private static func range(_ ports: PortRange) -> Value {
        ["startPort": .integer(ports.start), "endPort": .integer(ports.end)]
    }

    private static func list(_ members: [Member]) throws(ProviderError) -> Value {
        guard members.contains(where: { $0.role == "owner" }) else {
            throw ProviderError(.invalid, "Nobody among the members of the environment is an owner.")
        }
        return .list(members.sorted { $0.externalID < $1.externalID }.map(\.body))
    }

    /// The template by its name: an id, or before Rancher 1.2 a switch.
    private func template(_ name: String, _ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        let url = try rancher.servers.url(desired.server)
        let api = try await rancher.reading(url) { (client) async throws(RancherError) in try await client.api() }
        if api == .v1 {
            switch name.lowercased() {
            case "cattle": return [:]
            case "kubernetes", "swarm", "mesos": return [name.lowercased(): true]
            default: throw .unknownTemplate(name, ["Cattle", "Kubernetes", "Mesos", "Swarm"])
            }
        }
        let templates = try await templates(desired).fetch()
        if let found = templates.first(where: { $0.name?.lowercased() == name.lowercased() }) {
            return ["projectTemplateId": .string(found.id)]
        }
        // A new server loads them from its catalog after it is up.
        if templates.isEmpty {
            throw ProviderError(.throttled, "The server has not loaded its project templates yet.")
        }
        throw .unknownTemplate(name, templates.compactMap(\.name).sorted())
    }

    private func templates(_ desired: Arguments) throws(ProviderError) -> RancherCollection {
        var collection = try collection(desired)
        collection = RancherCollection(
            session: rancher, server: collection.server, environment: nil, kind: .projectTemplate)
        return collection
    }

    func observed(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = object.name ?? ""
        arguments.isVirtualMachine = object["virtualMachine"].bool
        arguments.hostRemoveDelay = object["hostRemoveDelaySeconds"].integer
        if let start = object["servicesPortRange"]["startPort"].integer,
            let end = object["servicesPortRange"]["endPort"].integer
        {
            arguments.servicesPorts = PortRange(start: start, end: end)
        }
        arguments.enabled = !object.isInactive
        if known.template != nil, let id = object.text("projectTemplateId") {
            arguments.template = try await templates(known).listed(id)?.name
        }
        if known.members != nil { arguments.members = try await members(object, known) }
        var outputs = Outputs()
        outputs.uuid = object.text("uuid")
        outputs.orchestration = object.text("orchestration")
        return Observed(
            id: RemoteID(object.id), arguments: arguments, outputs: outputs,
            status: object.status(isActiveWanted: known.enabled ?? true))
    }

    private func members(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> [Member]? {
        let url = try rancher.servers.url(known.server)
        let listed: [RancherObject]
        do throws(ProviderError) {
            listed = try await rancher.reading(url) { (client) async throws(RancherError) in
                try await client.list(RancherPath("projects", in: nil, object.id, "projectmembers"))
            }
        } catch {
            // What is not active yet has none to tell of.
            if [.notFound, .notPermitted].contains(error.kind) { return nil }
            throw error
        }
        return listed.map {
            Member(
                externalID: $0.text("externalId") ?? "", externalIDType: $0.text("externalIdType") ?? "",
                role: $0.text("role") ?? "")
        }
    }
}

extension ProviderError {
    fileprivate static func unknownTemplate(_ name: String, _ known: [String]) -> ProviderError {
        ProviderError(
            .invalid, "The server has no project template named \"\(name)\".",
            hint: "It has \(known.joined(separator: ", ")).")
    }
}
