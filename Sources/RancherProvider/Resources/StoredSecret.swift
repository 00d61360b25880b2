import MusterModel
import ProviderKit
import RancherClient
import TextEncodings

/// A secret that containers of an environment may be given (Rancher 1.4 and later).
///
/// Calls: `GET projects/ENV/secrets`, `POST projects/ENV/secrets`, `PUT secrets/ID` (the description alone),
/// `DELETE secrets/ID`. Rancher never tells the value; another value is another secret.
struct StoredSecret: RancherResource {
    struct Arguments: EnvironmentArguments {
        var server: String?
        var environment: String?
        var name = ""
        var description: String?
        var text: String?

        static let fields: [Field<Self>] = [
            .server(\.server),
            .environment(\.environment),
            .required(
                "name", \.name, onChange: .replace, constraints: [.length(1, 255)],
                "Its name, unique in the environment."),
            .description(\.description),
            .argument(
                "value", \.text, isRequired: true, onChange: .replace, isSensitive: true, isReadable: false,
                "What is kept, as text, from a secret of the spec."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.secret", "A secret that containers of an environment may be given.",
        naming: .unique(argument: "name", maximumLength: 255),
        importSyntax: "https://SERVER#ENVIRONMENT/ID, such as https://rancher.example.com#1a5/1se3")
    static let kind = RancherKind.secret

    let rancher: RancherSession

    func isRival(_ object: RancherObject, of desired: Arguments) -> Bool {
        object.name?.lowercased() == desired.name.lowercased()
    }

    func body(_ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        [
            "name": .string(desired.name), "value": .string(Base64.encode(Array((desired.text ?? "").utf8))),
        ]
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        try await changed(id, try await described(id, from: old, to: new), new)
    }

    func observed(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> Observed<Self> {
        var arguments = Arguments()
        arguments.environment = known.environment
        arguments.name = object.name ?? ""
        return Observed(id: RemoteID(object.id), arguments: arguments, status: object.status())
    }
}
