import AWSClient
import SandboxServing

// API keys, logins, what lets hosts in. A secret is told once, in the answer to the POST.

extension ObjectType {
    private static let keyFields: [Field] =
        Field.standard + [
            Field(
                "publicValue", .string, [.nullable, .unique, .administrativeCreate], lengths: 0...4_096),
            Field("secretValue", .password, [.nullable, .onCreateOnly, .administrativeCreate], lengths: 0...4_096),
        ]

    static let apiKey = ObjectType(
        name: "apiKey", baseName: "credential", table: .credential, fields: keyFields, processes: Process.generic,
        access: Access(scoped: "crud", user: "crud", admin: "crud", service: "crud", restricted: "crud", readonly: "r"),
        links: [.parent("account", type: "account", by: "accountId"), .page("certificate")], activatesItself: true,
        hooks: Hooks(prepare: RancherServer.prepareKey))

    /// What a link of an account makes: an API key.
    static let credential = ObjectType(
        name: "credential", table: .credential, fields: keyFields, processes: Process.generic,
        access: Access(scoped: "r", user: "r", admin: "cr", service: "cr", restricted: "r", readonly: "r"),
        links: [.parent("account", type: "account", by: "accountId")], activatesItself: true,
        hooks: Hooks(prepare: { (server, draft, context) throws(APIFailure) in
            draft.fields["kind"] = "apiKey"
            try RancherServer.prepareKey(&server, &draft, context)
        }))

    /// The key of an agent; no list shows it.
    static let agentAPIKey = ObjectType(
        name: "agentApiKey", baseName: "credential", table: .credential, fields: keyFields,
        processes: Process.generic,
        access: Access(scoped: "", user: "", admin: "r", service: "r", restricted: "", readonly: ""),
        activatesItself: true)

    static let password = ObjectType(
        name: "password", baseName: "credential", table: .credential,
        fields: Field.standard + [
            Field("publicValue", .string, [.create, .nullable, .unique], lengths: 0...4_096),
            Field("secretValue", .password, [.create, .nullable], lengths: 0...4_096),
        ], processes: Process.generic,
        access: Access(scoped: "crud", user: "crud", admin: "crud", service: "crud", restricted: "crud", readonly: "r"),
        links: [.parent("account", type: "account", by: "accountId")],
        commands: [
            Command(
                name: "changesecret", states: ["active", "inactive"], input: "changeSecretInput", output: "password",
                body: RancherServer.changeSecret)
        ], activatesItself: true,
        hooks: Hooks(prepare: { (server, draft, _) throws(APIFailure) in
            try server.checkUnique(publicValue: draft.fields["publicValue"])
        }))
}

extension RancherServer {
    @Sendable static func prepareKey(
        _ server: inout RancherServer, _ draft: inout Draft, _ context: RequestContext
    ) throws(APIFailure) {
        let access = draft.fields["publicValue"] ?? .string(server.random.publicValue())
        let secret = draft.fields["secretValue"] ?? .string(server.random.secretValue())
        try server.checkUnique(publicValue: access)
        draft.fields["publicValue"] = access
        draft.fields["secretValue"] = secret
        draft.revealed["secretValue"] = secret
    }

    /// API keys and logins share one space.
    func checkUnique(publicValue: JSONValue?) throws(APIFailure) {
        guard let wanted = publicValue?.string else { return }
        let isTaken = living(.credential).contains {
            ["apiKey", "credential", "password"].contains($0.type) && $0["publicValue"].string == wanted
        }
        if isTaken { throw .validation("NotUnique", "publicValue") }
    }

    @Sendable static func changeSecret(
        _ server: inout RancherServer, _ id: ObjectID, _ input: [String: JSONValue], _ context: RequestContext
    ) throws(APIFailure) -> JSONValue {
        guard let secret = input["newSecret"]?.string, !secret.isEmpty else {
            throw .validation("MissingRequired", "newSecret")
        }
        guard let entity = server.entities[id] else { throw .notFound }
        let isAdministrative = context.caller.role.isAdministrative
        guard isAdministrative || input["oldSecret"]?.string == entity["secretValue"].string else {
            throw APIFailure(401, "IncorrectPassword", message: "The current password is wrong")
        }
        server.set(id, "secretValue", .string(secret))
        return server.representation(server.entities[id] ?? entity, context)
    }
}
