import MusterModel
import ProviderKit
import RancherClient

/// A user's name and password at a registry.
///
/// Calls: `GET projects/ENV/registrycredentials`, `POST projects/ENV/registrycredentials`, `PUT registrycredentials/ID`,
/// `activate`, `deactivate`, `DELETE registrycredentials/ID`. Rancher never tells the password.
struct RegistryCredential: SwitchedResource {
    struct Arguments: EnvironmentArguments, SwitchedArguments {
        var server: String?
        var environment: String?
        var registry = ""
        var username = ""
        var password: String?
        var email: String?
        var name: String?
        var description: String?
        var enabled: Bool?

        static let fields: [Field<Self>] = [
            .server(\.server),
            .environment(\.environment),
            .required(
                "registry", \.registry, onChange: .replace, reference: .rancherRegistry,
                "The registry, by name or id."),
            .required("username", \.username, constraints: [.length(1, 255)], "The user's name, such as `AWS`."),
            .argument(
                "password", \.password, isRequired: true, isSensitive: true, isReadable: false,
                "The password, from a secret."),
            .argument(
                "email", \.email, constraints: [.length(1, 255)],
                "An e-mail address. Servers before 1.5.5 want one, and get one that does not exist where it is left out."
            ),
            .argument("name", \.name, constraints: [.length(1, 255)], "Its name in Rancher."),
            .description(\.description),
            .enabled(\.enabled, "Whether it is used."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.registry_credential", "A user's name and password at a registry.",
        importSyntax: "https://SERVER#ENVIRONMENT/ID, such as https://rancher.example.com#1a5/1c9")
    static let kind = RancherKind.registryCredential

    let rancher: RancherSession

    func body(_ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        var body: [String: Value] = [
            "registryId": .string(desired.registry), "publicValue": .string(desired.username),
            "email": .string(desired.email ?? "nobody@example.invalid"),
        ]
        body.set("secretValue", desired.password)
        body.set("name", desired.name)
        return body
    }

    func changes(from old: Arguments, to new: Arguments) -> [String: Value] {
        var changes: [String: Value] = [:]
        if new.name != old.name { changes.set("name", new.name) }
        if new.email != old.email { changes.set("email", new.email) }
        if new.username != old.username { changes["publicValue"] = .string(new.username) }
        if new.password != old.password { changes.set("secretValue", new.password) }
        return changes
    }

    func observed(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> Observed<Self> {
        var arguments = Arguments()
        arguments.environment = known.environment
        arguments.registry = object.text("registryId") ?? ""
        arguments.username = object.text("publicValue") ?? ""
        arguments.email = known.email == nil ? nil : object.text("email") ?? known.email
        arguments.name = object.name
        arguments.enabled = !object.isInactive
        return Observed(
            id: RemoteID(object.id), arguments: arguments, status: object.status(isActiveWanted: known.enabled ?? true))
    }
}
