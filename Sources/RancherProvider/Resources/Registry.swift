import MusterModel
import ProviderKit
import RancherClient

/// A registry that the hosts of an environment may pull images from.
///
/// Calls: `GET projects/ENV/registries`, `POST projects/ENV/registries`, `PUT registries/ID`, `activate`, `deactivate`,
/// `DELETE registries/ID`. Its address is unique in the environment; removing it removes its credentials.
struct Registry: SwitchedResource {
    struct Arguments: EnvironmentArguments, SwitchedArguments {
        var server: String?
        var environment: String?
        var serverAddress = ""
        var name: String?
        var description: String?
        var enabled: Bool?

        static let fields: [Field<Self>] = [
            .server(\.server),
            .environment(\.environment),
            .required(
                "server_address", \.serverAddress, onChange: .replace, semantics: .caseInsensitive,
                constraints: [
                    .length(1, 255),
                    .pattern(#"[^:/\s]+(:[0-9]+)?(/[^\s]*)?"#, "it is a host without http:// before it."),
                ], "Its host, such as `012345678901.dkr.ecr.us-east-1.amazonaws.com`, without a scheme."),
            .argument("name", \.name, constraints: [.length(1, 255)], "Its name in Rancher."),
            .description(\.description),
            .enabled(\.enabled, "Whether it is used."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.registry", "A registry of container images in an environment.",
        importSyntax: "https://SERVER#ENVIRONMENT/ID, such as https://rancher.example.com#1a5/1sp3")
    static let kind = RancherKind.registry

    let rancher: RancherSession

    func isRival(_ object: RancherObject, of desired: Arguments) -> Bool {
        object.text("serverAddress")?.lowercased() == desired.serverAddress.lowercased()
    }

    func body(_ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        var body: [String: Value] = ["serverAddress": .string(desired.serverAddress)]
        body.set("name", desired.name)
        return body
    }

    func changes(from old: Arguments, to new: Arguments) -> [String: Value] {
        var changes: [String: Value] = [:]
        if new.name != old.name { changes.set("name", new.name) }
        return changes
    }

    func observed(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> Observed<Self> {
        var arguments = Arguments()
        arguments.environment = known.environment
        arguments.serverAddress = object.text("serverAddress") ?? ""
        arguments.name = object.name
        arguments.enabled = !object.isInactive
        return Observed(
            id: RemoteID(object.id), arguments: arguments, status: object.status(isActiveWanted: known.enabled ?? true))
    }
}
