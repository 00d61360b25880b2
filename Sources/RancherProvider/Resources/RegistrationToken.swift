import MusterModel
import ProviderKit
import RancherClient

/// A token with which hosts join an environment.
///
/// Calls: `GET projects/ENV/registrationtokens`, `POST projects/ENV/registrationtokens`, `deactivate`, `remove`.
/// The URL that hosts register at holds the token: it goes where `secret_to` says, and is kept nowhere else. Rancher gives
/// another text from time to time; those it gave before stay valid for ten years.
struct RegistrationToken: RancherResource {
    struct Arguments: EnvironmentArguments {
        var server: String?
        var environment: String?
        var name: String?
        var description: String?
        var secretTo: String?

        static let fields: [Field<Self>] = [
            .server(\.server),
            .environment(\.environment),
            .argument("name", \.name, onChange: .replace, constraints: [.length(1, 255)], "Its name."),
            .argument(
                "description", \.description, onChange: .replace,
                constraints: [.length(0, IntentMark.longestDescription)],
                "What it is for. muster adds a mark to it, by which it knows what it made."),
            .secretTo(
                \.secretTo,
                "Where the registration URL goes, which lets hosts join: `file:PATH`, `ssm:/path` or "
                    + "`secretsmanager:name`."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var image: String?

        static let fields: [Field<Self>] = [
            .output("image", \.image, "The image of the agent that fits the server.")
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "rancher.registration_token", "A token with which hosts join an environment.",
        importSyntax: "https://SERVER#ENVIRONMENT/ID, such as https://rancher.example.com#1a5/1c7")
    static let kind = RancherKind.registrationToken

    let rancher: RancherSession

    func body(_ desired: Arguments) async throws(ProviderError) -> [String: Value] {
        var body: [String: Value] = [:]
        body.set("name", desired.name)
        return body
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        if new.secretTo == old.secretTo { return nil }
        if let place = new.secretTo {
            let object = try await existing(id, new)
            // A deletion that was cut short leaves it so.
            if object.isInactive, object.actions.contains("activate") {
                try await collection(new).act(object, "activate")
            }
            guard !object.isInactive, let url = object.text("registrationUrl") else {
                // However slow the server is, it is asked again until the step's own timeout.
                throw ProviderError(.throttled, "\(id) is \"\(object.progress)\" and has no registration URL yet.")
            }
            try await rancher.vault.keep(url, at: place, rancher.configuration)
        }
        if let place = old.secretTo { try await rancher.vault.remove(place, rancher.configuration) }
        return nil
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
        arguments.name = object.name
        var outputs = Outputs()
        outputs.image = object.text("image")
        var status = object.status()
        // An active token has a text a moment later.
        if status == .ready, object.text("registrationUrl") == nil { status = .pending("activating") }
        return Observed(id: RemoteID(object.id), arguments: arguments, outputs: outputs, status: status)
    }
}

extension Field {
    /// Where a secret goes that a server shows only once.
    static func secretTo(
        _ path: any WritableKeyPath<Block, String?> & Sendable, isRequired: Bool = false,
        onChange: ArgumentSchema.ChangeBehavior = .update, isSetAfterCreate: Bool = true, _ documentation: String
    ) -> Field {
        .argument(
            "secret_to", path, isRequired: isRequired, onChange: onChange,
            constraints: [
                .pattern(#"(file|ssm|secretsmanager):.+"#, "it is file:PATH, ssm:/path or secretsmanager:name.")
            ], isReadable: false, isSetAfterCreate: isSetAfterCreate, isPlace: true, documentation)
    }
}
