import MusterModel
import ProviderKit
import RancherClient

/// A setting of a Rancher server.
///
/// Calls: `GET settings`, `GET settings/NAME`, `PUT settings/NAME`, `DELETE settings/NAME`, which gives back the default.
/// A setting that somebody gave another value before is not taken over: it is imported.
struct Setting: RancherResource {
    struct Arguments: RancherArguments {
        var server: String?
        var name = ""
        var setting: String?
        var description: String?

        static let fields: [Field<Self>] = [
            .server(\.server),
            .required(
                "name", \.name, onChange: .replace,
                constraints: [.pattern(#"[A-Za-z0-9._\-]+"#, "it has letters, digits, dots, dashes and _.")],
                "Its name, such as `api.host`."),
            .argument("value", \.setting, isRequired: true, "Its value, as text."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.setting", "A setting of a Rancher server; deleted, it has its default again.",
        importSyntax: "https://SERVER#NAME")
    static let kind = RancherKind.setting

    let rancher: RancherSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            let (id, arguments) = located(object)
            guard let seen = try await collection(arguments).listed(id), seen.isSet else { continue }
            found[object.id] = try await placed(seen, arguments)
        }
        return found
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let seen = try await collection(desired).object(RemoteID(desired.name)), seen.isSet else { return nil }
        return Found(try await placed(seen, desired), isOurs: seen.text("value") == desired.setting)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let collection = try collection(desired)
        let id = RemoteID(desired.name)
        if let seen = try await collection.object(id), seen.isSet, seen.text("value") != desired.setting {
            throw ProviderError(
                .alreadyExists, "The setting \(desired.name) has been given another value already.",
                hint: "Import it first, or leave it out.")
        }
        return try await placed(try await collection.update(id, ["value": (desired.setting ?? "").value]), desired)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        guard let text = new.setting, text != old.setting else { return nil }
        return try await changed(id, ["value": text.value], new)
    }

    func body(_ desired: Arguments) async throws(ProviderError) -> [String: Value] { [:] }

    func observed(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = object.id
        arguments.setting = object.text("value") ?? object.text("activeValue") ?? ""
        return Observed(id: RemoteID(object.id), arguments: arguments)
    }
}

extension RancherObject {
    /// True for a setting that has been given a value on this server.
    fileprivate var isSet: Bool {
        if let isInDatabase = self["inDb"].bool { return isInDatabase }
        return text("source") == "Database"
    }
}
