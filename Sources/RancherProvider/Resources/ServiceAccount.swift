import MusterModel
import ProviderKit
import RancherClient

/// An account for a program: a part of Rancher that runs apart, such as go-machine-service.
///
/// Calls: `GET accounts`, `POST accounts`, `PUT accounts/ID`, `deactivate`, `DELETE accounts/ID`. Its keys are
/// `rancher.api_key` with `account`.
struct ServiceAccount: SwitchedResource {
    struct Arguments: SwitchedArguments {
        var server: String?
        var name = ""
        var description: String?
        var uuid: String?
        var enabled: Bool?

        static let fields: [Field<Self>] = [
            .server(\.server),
            .required("name", \.name, constraints: [.length(1, 255)], "Its name, such as `RemoteMachineService`."),
            .description(\.description),
            .argument(
                "uuid", \.uuid, onChange: .replace, constraints: [.length(1, 128)],
                "What tells it from every other account; Rancher chooses one if it is left out."),
            .enabled(\.enabled, "Whether it is active; its keys work only then."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.service_account", "An account for a program.",
        importSyntax: "https://SERVER#ID, such as https://rancher.example.com#1a9")
    static let kind = RancherKind.account

    let rancher: RancherSession

    func body(_ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        var body: [String: Value] = ["kind": "service", "name": .string(desired.name)]
        body.set("uuid", desired.uuid)
        return body
    }

    func changes(from old: Arguments, to new: Arguments) -> [String: Value] {
        var changes: [String: Value] = [:]
        if new.name != old.name { changes["name"] = .string(new.name) }
        return changes
    }

    func observed(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = object.name ?? ""
        arguments.uuid = object.text("uuid")
        arguments.enabled = !object.isInactive
        return Observed(
            id: RemoteID(object.id), arguments: arguments, status: object.status(isActiveWanted: known.enabled ?? true))
    }
}
