import MusterModel
import ProviderKit
import RancherClient

/// A Rancher server that everything on it waits for. muster does not make it: its machines are resources of their own.
///
/// Calls: `GET /ping`, `GET /v2-beta`, `GET settings/install.uuid`.
/// Its id is the URL under which it was declared first.
struct Server: ManagedResource {
    struct Arguments: ArgumentBlock {
        var url = ""

        static let fields: [Field<Self>] = [
            .required(
                "url", \.url,
                constraints: [.pattern(#"[Hh][Tt][Tt][Pp][Ss]?://[^\s@]+"#, "it begins with http:// or https://.")],
                "Where it answers, such as https://rancher.example.com. RANCHER_URL takes its place.")
        ]
    }

    struct Outputs: ArgumentBlock {
        var uuid: String?
        var version: String?
        var api: String?

        static let fields: [Field<Self>] = [
            .output("uuid", \.uuid, changesWith: ["url"], "What tells this installation from every other one."),
            .output("version", \.version, "The version of Rancher."),
            .output("api", \.api, "The interface that it is talked to by: v2-beta, or v1 before Rancher 1.2."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.server", "A Rancher server: what is on it waits until it answers /ping.", isAwaited: true,
        timeouts: Timeouts(create: 1800, update: 600, delete: 60), importSyntax: "its URL")

    let rancher: RancherSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            let url = object.arguments.url.isEmpty ? object.id.rawValue : object.arguments.url
            found[object.id] = try await look(url, object.id)
        }
        return found
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        Found(try await look(desired.url, RemoteID(desired.url)), isOurs: true)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        try await look(desired.url, RemoteID(desired.url))
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        try await look(new.url, id)
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {}

    private func look(_ address: String, _ id: RemoteID) async throws(ProviderError) -> Observed<Self> {
        let url = try rancher.servers.url(address)
        let isUp = try await rancher.reading(url) { (client) async throws(RancherError) in try await client.isUp() }
        guard isUp else {
            return Observed(
                id: id, arguments: Arguments(url: address), status: .pending("no answer from \(url)/ping yet"))
        }
        var outputs = Outputs()
        outputs.api = try await rancher.reading(url) { (client) async throws(RancherError) in
            try await client.api().rawValue
        }
        let scope = try await rancher.servers.scope(url)
        outputs.uuid = scope.account
        outputs.version = try await rancher.reading(url) { (client) async throws(RancherError) in
            await client.version
        }
        var observed = Observed<Self>(id: id, arguments: Arguments(url: address), outputs: outputs)
        observed.scope = scope
        return observed
    }
}
