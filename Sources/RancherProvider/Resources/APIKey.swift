import MusterModel
import ProviderKit
import RancherClient

/// An API key: bound to an environment, or of an account.
///
/// Calls: `GET apikeys` of the environment or the account, `POST apikeys`, `PUT apikeys/ID`, `activate`, `deactivate`,
/// `DELETE apikeys/ID`.
/// Rancher shows the secret key in the answer to the POST and never again: it goes where `secret_to` says. A key whose
/// answer was lost is of no use to anybody: looking for it removes it, and it is made anew.
struct APIKey: SwitchedResource {
    struct Arguments: EnvironmentArguments, SwitchedArguments {
        var server: String?
        var environment: String?
        var account: String?
        var name: String?
        var description: String?
        var secretTo: String?
        var secretFormat: String?
        var enabled: Bool?

        static let fields: [Field<Self>] = [
            .server(\.server),
            .argument(
                "environment", \.environment, onChange: .replace, reference: .rancherEnvironment,
                constraints: [.conflictsWith(["account"])], "The environment that it is bound to."),
            .argument(
                "account", \.account, onChange: .replace, reference: .rancherKeyOwner,
                "The account that it acts as, such as `1a1` or a service account. Without an environment and an account, "
                    + "the one that muster's own key belongs to."),
            .argument("name", \.name, constraints: [.length(1, 255)], "Its name."),
            .description(\.description),
            .secretTo(
                \.secretTo, isRequired: true, onChange: .replace, isSetAfterCreate: false,
                "Where the secret key goes, which Rancher shows only once: `file:PATH` (mode 0600), `ssm:/path` or "
                    + "`secretsmanager:name`."),
            .argument(
                "secret_format", \.secretFormat, absence: .means("secret_key"), onChange: .replace,
                constraints: [.allowed(["secret_key", "cli"])], isReadable: false,
                "What is kept there: the secret key alone, or a configuration of Rancher's command line with the URL and "
                    + "both keys (`cli`), which RANCHER_CLIENT_CONFIG takes."),
            .enabled(\.enabled, "Whether it can be used."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var accessKey: String?

        static let fields: [Field<Self>] = [
            .output("access_key", \.accessKey, "The access key: what stands for a user's name.")
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.api_key", "An API key of an environment or of an account.",
        importSyntax: "https://SERVER#ENVIRONMENT/ID, such as https://rancher.example.com#1a5/1c7")
    static let kind = RancherKind.apiKey

    let rancher: RancherSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            let (id, arguments) = located(object)
            let collection = try collection(arguments)
            var seen = try await collection.listed(id)
            // The list of the server shows those of the account that asks.
            if seen == nil, arguments.environment == nil { seen = try await collection.object(RemoteID(id)) }
            if let seen { found[object.id] = try await placed(seen, arguments) }
        }
        return found
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let collection = try collection(desired)
        for key in try await lost(desired, intent) { try await collection.discard(key) }
        return nil
    }

    /// Keys of this intent whose secret nobody got.
    private func lost(_ desired: Arguments, _ intent: Intent) async throws(ProviderError) -> [RancherObject] {
        let collection = try collection(desired)
        var listed = try await collection.fetch()
        if let account = desired.account {
            let path = try await collection.path()
            listed += try await rancher.reading(collection.server) { (client) async throws(RancherError) in
                try await client.list(path, [("accountId", account)])
            }
        }
        var ids: Set<String> = []
        return listed.filter { IntentMark.token(in: $0.details) == intent.token && ids.insert($0.id).inserted }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        guard let place = desired.secretTo else {
            throw ProviderError(.invalid, "Nothing says where the secret key goes.", hint: "Write \"secret_to\".")
        }
        try await rancher.vault.check(place, rancher.configuration)
        let collection = try collection(desired)
        let key = try await made(desired, intent)
        do throws(ProviderError) {
            guard let secret = key.text("secretValue"), let access = key.text("publicValue") else {
                throw ProviderError(.notUnderstood, "Rancher did not show the secret key of \(key.id).")
            }
            let text =
                desired.secretFormat == "cli"
                ? Value.map([
                    "url": .string(collection.server.text), "accessKey": .string(access), "secretKey": .string(secret),
                ]).prettyJSON + "\n" : secret
            try await rancher.vault.keep(text, at: place, rancher.configuration)
        } catch {
            // Nobody has the secret: the key goes again, so that it is not left behind.
            do throws(ProviderError) {
                try await collection.discard(key)
            } catch let other {
                throw ProviderError(
                    .outcomeUnknown, "\(error.message) The key could not be removed again: \(other.message)",
                    hint: error.hint)
            }
            var failure = error
            failure.kind = .invalid
            throw failure
        }
        return try await placed(key, desired).owingSwitch(desired)
    }

    func body(_ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        var body: [String: Value] = [:]
        body.set("name", desired.name)
        body.set("accountId", desired.account)
        return body
    }

    func changes(from old: Arguments, to new: Arguments) -> [String: Value] {
        var changes: [String: Value] = [:]
        if new.name != old.name { changes.set("name", new.name) }
        return changes
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await abandon(last)
        try await collection(last).remove(id)
    }

    func abandon(_ last: Arguments) async throws(ProviderError) {
        if let place = last.secretTo { try await rancher.vault.remove(place, rancher.configuration) }
    }

    func observed(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> Observed<Self> {
        var arguments = Arguments()
        arguments.environment = known.environment
        arguments.account = known.account == nil ? nil : object.text("accountId")
        arguments.name = object.name
        arguments.enabled = !object.isInactive
        var outputs = Outputs()
        outputs.accessKey = object.text("publicValue")
        return Observed(
            id: RemoteID(object.id), arguments: arguments, outputs: outputs,
            status: object.status(isActiveWanted: known.enabled ?? true))
    }
}

extension RancherCollection {
    /// Makes a key useless at once, and removes it as soon as Rancher allows that, which is within a moment.
    fileprivate func discard(_ key: RancherObject) async throws(ProviderError) {
        let id = RemoteID(key.id)
        for _ in 0..<40 {
            guard let seen = try await object(id), seen.state != "removing" else { return }
            if seen.actions.contains("remove"), seen.state == "inactive" {
                try await act(seen, "remove")
                return
            }
            if seen.actions.contains("deactivate") { try await act(seen, "deactivate") }
            await session.servers.client(server).rest(.milliseconds(250))
        }
        throw ProviderError(.inUse, "\(id), whose secret nobody got, is inactive and cannot be removed yet.")
    }
}
