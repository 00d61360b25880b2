import MusterModel
import ProviderKit
import RancherClient

/// Access control by GitHub: an application of GitHub's by which people log in, and which of them may.
///
/// Calls: `GET /v1-auth/config`, `POST /v1-auth/config`; before 1.2 `GET githubconfigs`, `POST githubconfigs`. People log in
/// with a browser, so that muster itself needs an API key: without one it is not turned on.
struct GitHubAccessControl: ManagedResource {
    struct Arguments: ArgumentBlock {
        var server: String?
        var clientID = ""
        var clientSecret: String?
        var hostname: String?
        var accessMode: String?
        var allowedIdentities: [Identity]?

        static let fields: [Field<Self>] = [
            .argument(
                "server", \.server, onChange: .local, reference: .rancherServer,
                "The Rancher server: the name of a `rancher.server`, or its URL. Left out, what RANCHER_URL says."),
            .required("client_id", \.clientID, constraints: [.length(1, 255)], "The application's client id."),
            .argument(
                "client_secret", \.clientSecret, isRequired: true, isSensitive: true, isReadable: false,
                "The application's client secret, from a secret."),
            .argument(
                "hostname", \.hostname, constraints: [.length(1, 255)],
                "The host of a GitHub Enterprise; github.com if it is left out."),
            .argument(
                "access_mode", \.accessMode, absence: .means("unrestricted"),
                constraints: [.allowed(["unrestricted", "restricted", "required"])],
                "Who may log in: anybody, members of environments and those of `allowed_identities`, or the latter alone."
            ),
            .argument(
                "allowed_identities", \.allowedIdentities, type: .set(Identity.valueType, key: "external_id"),
                absence: .means(.list([])), "Who may log in besides the members of environments."),
        ]
    }

    /// Somebody, as GitHub knows them.
    struct Identity: ArgumentBlock {
        var externalID = ""
        var externalIDType = ""

        static let fields: [Field<Self>] = [
            .required("external_id", \.externalID, constraints: [.length(1, 255)], "GitHub's number for it."),
            .required(
                "external_id_type", \.externalIDType,
                constraints: [.allowed(["github_user", "github_org", "github_team"])], "What it is."),
        ]

        var body: Value { ["externalId": .string(externalID), "externalIdType": .string(externalIDType)] }
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.github_access_control", "Access control by GitHub.", deletionHazards: [.publicExposure],
        importSyntax: "github")

    private static let id = RemoteID("github")
    private static let olderPath = RancherPath("githubconfigs")
    private static let path = "/v1-auth/config"

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
        return Found(seen, isOurs: seen.arguments.clientID == desired.clientID)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let url = try rancher.servers.url(desired.server)
        if let seen = try await look(desired) {
            throw ProviderError(
                .alreadyExists,
                "Access control by GitHub is on already, with the application \"\(seen.arguments.clientID)\".")
        }
        guard await rancher.servers.client(url).hasKey else {
            throw ProviderError(
                .invalid, "muster has no API key of \(url): it would lock itself out.",
                hint: "Declare a rancher.api_key with secret_format cli, and let RANCHER_CLIENT_CONFIG name its file.")
        }
        try await set(desired, isOn: true)
        return try await placed(desired, desired)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        try await set(new, isOn: true)
        return try await placed(new, new)
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        guard let seen = try await look(last) else { return await rancher.noteMiss() }
        try await set(seen.arguments, isOn: false)
    }

    // MARK: - Wire format

    private func isOlder(_ url: RancherServerURL) async throws(ProviderError) -> Bool {
        try await rancher.reading(url) { (client) async throws(RancherError) in try await client.api() } == .v1
    }

    private func set(_ arguments: Arguments, isOn: Bool) async throws(ProviderError) {
        let url = try rancher.servers.url(arguments.server)
        var github: [String: Value] = ["scheme": "https://", "clientId": .string(arguments.clientID)]
        github["hostname"] = arguments.hostname.map { .string($0) } ?? .null
        github.set("clientSecret", arguments.clientSecret)
        var body: [String: Value] = [
            "enabled": .bool(isOn), "accessMode": .string(arguments.accessMode ?? "unrestricted"),
            "allowedIdentities": .list((arguments.allowedIdentities ?? []).map(\.body)),
        ]
        var path = GitHubAccessControl.path
        if try await isOlder(url) {
            body.merge(github) { $1 }
            path = "/v1/githubconfigs"
        } else {
            body["type"] = "config"
            body["provider"] = "githubconfig"
            body["githubConfig"] = .map(github)
        }
        let (target, sent) = (path, body)
        _ = try await rancher.changing(url) { (client, leave) async throws(RancherError) in
            try await client.post(target, sent, asking: leave)
        }
    }

    /// nil where it is off.
    private func look(_ known: Arguments) async throws(ProviderError) -> Observed<Self>? {
        let url = try rancher.servers.url(known.server)
        let isOlder = try await isOlder(url)
        let answer = try await rancher.reading(url) { (client) async throws(RancherError) in
            isOlder
                ? try await client.get(GitHubAccessControl.olderPath) : try await client.get(GitHubAccessControl.path)
        }
        let config = isOlder ? answer["data"].list?.first ?? .null : answer
        guard config["enabled"].bool == true, isOlder || config["provider"].string == "githubconfig" else { return nil }
        let github = isOlder ? config : config["githubConfig"]
        var arguments = Arguments()
        arguments.clientID = github["clientId"].string ?? ""
        arguments.hostname = github["hostname"].string
        arguments.accessMode = config["accessMode"].string ?? "unrestricted"
        arguments.allowedIdentities = (config["allowedIdentities"].list ?? []).map { identity in
            var read = Identity()
            read.externalID = identity["externalId"].string ?? ""
            read.externalIDType = identity["externalIdType"].string ?? ""
            return read
        }
        return try await placed(arguments, known)
    }

    private func placed(_ seen: Arguments, _ known: Arguments) async throws(ProviderError) -> Observed<Self> {
        var arguments = seen
        arguments.server = known.server
        arguments.clientSecret = nil
        var observed = Observed<Self>(id: GitHubAccessControl.id, arguments: arguments)
        observed.scope = try await rancher.servers.scope(try rancher.servers.url(known.server))
        return observed
    }
}
