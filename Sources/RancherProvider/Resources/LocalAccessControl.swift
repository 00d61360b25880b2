import MusterModel
import ProviderKit
import RancherClient

/// Access control with names and passwords that the server keeps itself.
///
/// Calls: `GET localauthconfigs`, `POST localauthconfigs`. Before it is turned on anybody is the administrator. It is not
/// turned on while muster itself has no API key, since nobody but the administrator would get in then.
struct LocalAccessControl: ManagedResource {
    struct Arguments: ArgumentBlock {
        var server: String?
        var username = ""
        var password: String?
        var name: String?
        var accessMode: String?

        static let fields: [Field<Self>] = [
            .argument(
                "server", \.server, onChange: .local, reference: .rancherServer,
                "The Rancher server: the name of a `rancher.server`, or its URL. Left out, what RANCHER_URL says."),
            .required(
                "username", \.username, onChange: .replace, constraints: [.length(1, 255)],
                "The administrator's login."),
            .argument(
                "password", \.password, isRequired: true, onChange: .creationOnly, isSensitive: true, isReadable: false,
                "The administrator's password, from a secret. It is set when access control is turned on, and changed in "
                    + "Rancher afterwards."),
            .argument(
                "name", \.name, onChange: .creationOnly, constraints: [.length(1, 255)], "The administrator's name."),
            .argument(
                "access_mode", \.accessMode, absence: .means("unrestricted"), onChange: .replace,
                constraints: [.allowed(["unrestricted", "restricted", "required"])], "Who may log in."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.local_access_control", "Access control with names and passwords that the server keeps itself.",
        deletionHazards: [.publicExposure], importSyntax: "local")

    private static let id = RemoteID("local")
    private static let path = RancherPath("localAuthConfigs")

    let rancher: RancherSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            if let seen = try await look(object.arguments) { found[object.id] = seen }
        }
        return found
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let seen = try await look(desired) else { return nil }
        return Found(seen, isOurs: seen.arguments.username == desired.username)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let url = try rancher.servers.url(desired.server)
        if let seen = try await look(desired) {
            throw ProviderError(
                .alreadyExists, "Access control is on already, with the login \"\(seen.arguments.username)\".")
        }
        guard await rancher.servers.client(url).hasKey else {
            throw ProviderError(
                .invalid, "muster has no API key of \(url): it would lock itself out.",
                hint: "Declare a rancher.api_key with secret_format cli, and let RANCHER_CLIENT_CONFIG name its file.")
        }
        try await set(desired, isOn: true)
        return try await placed(desired.username, desired.accessMode ?? "unrestricted", desired)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? { nil }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        guard try await look(last) != nil else { return await rancher.noteMiss() }
        try await set(last, isOn: false)
    }

    // MARK: - Wire format

    private func set(_ arguments: Arguments, isOn: Bool) async throws(ProviderError) {
        let url = try rancher.servers.url(arguments.server)
        var body: [String: Value] = [
            "username": .string(arguments.username), "password": .string(arguments.password ?? "none"),
            "accessMode": .string(arguments.accessMode ?? "unrestricted"), "enabled": .bool(isOn),
        ]
        body.set("name", arguments.name)
        let api = try await rancher.reading(url) { (client) async throws(RancherError) in try await client.api() }
        let path = "/\(api.rawValue)/localauthconfigs"
        let sent = body
        _ = try await rancher.changing(url) { (client, leave) async throws(RancherError) in
            try await client.post(path, sent, asking: leave)
        }
    }

    /// nil where it is off.
    private func look(_ arguments: Arguments) async throws(ProviderError) -> Observed<Self>? {
        let url = try rancher.servers.url(arguments.server)
        let answer = try await rancher.reading(url) { (client) async throws(RancherError) in
            try await client.get(LocalAccessControl.path)
        }
        guard let config = answer["data"].list?.first, config["enabled"].bool == true else { return nil }
        return try await placed(
            config["username"].string ?? "", config["accessMode"].string ?? "unrestricted", arguments)
    }

    private func placed(
        _ username: String, _ mode: String, _ known: Arguments
    ) async throws(ProviderError) -> Observed<Self> {
        var arguments = Arguments()
        arguments.server = known.server
        arguments.username = username.isEmpty ? known.username : username
        arguments.accessMode = mode
        var observed = Observed<Self>(id: LocalAccessControl.id, arguments: arguments)
        observed.scope = try await rancher.servers.scope(try rancher.servers.url(known.server))
        return observed
    }
}
