import AWSClient
import SandboxServing

extension ObjectType {
    static let storagePool = ObjectType(
        name: "storagePool", table: .storagePool,
        fields: Field.standard + [
            Field("driverName", .string), Field("externalId", .string), Field("hostIds", .array(.reference("host"))),
        ], processes: Process.generic, access: .readOnly, activatesItself: true)

    static let registry = ObjectType(
        name: "registry", baseName: "storagePool", table: .storagePool,
        fields: Field.standard + [
            Field("serverAddress", .string, [.create, .required], lengths: 1...255), Field("driverName", .string),
        ], processes: Process.generic, access: .inEnvironment,
        links: [
            .children("credentials", type: "registryCredential", by: "registryId"),
            .parent("account", type: "account", by: "accountId"),
        ], activatesItself: true,
        hooks: Hooks(
            prepare: { (server, draft, _) throws(APIFailure) in
                let wanted = draft.fields["serverAddress"]?.text.lowercased()
                let isTaken = server.living(.storagePool).contains {
                    $0.type == "registry" && $0.owner == draft.owner && $0["serverAddress"].text.lowercased() == wanted
                }
                if isTaken {
                    throw APIFailure(
                        400, "ServerAddressUsed", message: "Server Address has already been used",
                        field: "serverAddress")
                }
                draft.fields["driverName"] = "registry"
            },
            finished: { server, id, process in
                guard process == "remove" else { return }
                for credential in server.living(.credential) where credential["registryId"].string == id.text() {
                    server.tearDown(credential.id)
                }
            }))

    static let registryCredential = ObjectType(
        name: "registryCredential", baseName: "credential", table: .credential,
        fields: Field.standard + [
            Field("registryId", .reference("registry"), [.create, .required]),
            Field("publicValue", .string, [.create, .update, .nullable], lengths: 0...4_096),
            Field("secretValue", .password, [.create, .update, .nullable], lengths: 0...4_096),
            Field("email", .string, [.create, .update, .nullable], lengths: 0...255),
        ], processes: Process.generic, access: .inEnvironment,
        links: [
            .parent("registry", type: "registry", by: "registryId"),
            .parent("account", type: "account", by: "accountId"),
        ], activatesItself: true,
        hooks: Hooks(prepare: { (server, draft, context) throws(APIFailure) in
            guard context.api == .v1 || server.version < ServerVersion(1, 5, 4) else { return }
            guard let email = draft.fields["email"] else { throw .validation("MissingRequired", "email") }
            if email.text.isEmpty { throw .validation("MinLengthExceeded", "email") }
        }))
}
