import MusterModel
import ProviderKit
import RancherClient

/// A certificate for the balancers of an environment.
///
/// Calls: `GET projects/ENV/certificates`, `POST projects/ENV/certificates`, `PUT certificates/ID` (which must carry the
/// certificate), `DELETE certificates/ID`. Rancher never tells the key. A name is unique in the environment.
struct Certificate: RancherResource {
    struct Arguments: EnvironmentArguments {
        var server: String?
        var environment: String?
        var name = ""
        var description: String?
        var certificate = ""
        var chain: String?
        var key: String?

        static let fields: [Field<Self>] = [
            .server(\.server),
            .environment(\.environment),
            .required(
                "name", \.name, constraints: [.length(1, 255)], "Its name, unique in the environment."),
            .description(\.description),
            .required("certificate", \.certificate, semantics: .multilineText, "The certificate as PEM."),
            .argument(
                "certificate_chain", \.chain, semantics: .multilineText, "The certificates of its issuers as PEM."),
            .argument(
                "private_key", \.key, isRequired: true, isSensitive: true, isReadable: false,
                "The key as PEM, from a secret. Rancher does not check that it fits."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var fingerprint: String?
        var commonName: String?
        var expiry: String?

        static let fields: [Field<Self>] = [
            .output(
                "fingerprint", \.fingerprint, changesWith: ["certificate"], "The SHA-1 fingerprint of the certificate."),
            .output("common_name", \.commonName, changesWith: ["certificate"], "The name that it was issued to."),
            .output(
                "expires_at", \.expiry, changesWith: ["certificate"], "Until when it is valid, as Rancher writes it."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.certificate", "A certificate for the balancers of an environment.",
        naming: .unique(argument: "name", maximumLength: 255),
        importSyntax: "https://SERVER#ENVIRONMENT/ID, such as https://rancher.example.com#1a5/1c4")
    static let kind = RancherKind.certificate

    let rancher: RancherSession

    func isRival(_ object: RancherObject, of desired: Arguments) -> Bool {
        object.hasName(desired.name)
    }

    func body(_ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        var body: [String: Value] = ["name": .string(desired.name), "cert": .string(desired.certificate)]
        body.set("key", desired.key)
        body.set("certChain", desired.chain)
        return body
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        var changes = try await described(id, from: old, to: new)
        if new.name != old.name { changes["name"] = .string(new.name) }
        if new.chain != old.chain { changes["certChain"] = .string(new.chain ?? "") }
        if new.key != old.key { changes.set("key", new.key) }
        if changes.isEmpty, new.certificate == old.certificate { return nil }
        changes["cert"] = .string(new.certificate)
        return try await placed(try await collection(new).update(id, changes), new)
    }

    func observed(_ object: RancherObject, _ known: Arguments) async throws(ProviderError) -> Observed<Self> {
        var arguments = Arguments()
        arguments.environment = known.environment
        arguments.name = object.name ?? ""
        arguments.certificate = object.text("cert") ?? known.certificate
        arguments.chain = known.chain == nil ? nil : object.text("certChain")
        var outputs = Outputs()
        outputs.fingerprint = object.text("certFingerprint")
        outputs.commonName = object.text("CN")
        outputs.expiry = object.text("expiresAt")
        return Observed(id: RemoteID(object.id), arguments: arguments, outputs: outputs, status: object.status())
    }
}
