import AWSClient
import SandboxServing
import TextEncodings

extension ObjectType {
    static let secret = ObjectType(
        name: "secret", table: .secret,
        fields: Field.named([.create, .update], name: [.required]).map { field in
            // Only the description can be changed.
            var field = field
            if field.name == "name" { field.use.remove(.update) }
            return field
        } + [Field("value", .string, [.create, .nullable, .onCreateOnly])],
        processes: [
            Process.create(via: "creating", to: "active"),
            Process("remove", ["active", "creating"], via: "removing", to: "removed"), Process.update(["active"]),
        ],
        access: .inEnvironment, links: [.parent("account", type: "account", by: "accountId")], apis: [.v2],
        since: ServerVersion(1, 4),
        hooks: Hooks(prepare: { (server, draft, _) throws(APIFailure) in
            guard let value = draft.fields["value"]?.string else { throw .validation("EmptySecret", "value") }
            guard Base64.decode(value) != nil else { throw .validation("InvalidBase64", "value") }
            try server.checkUnique(draft.fields["name"], "secret", owner: draft.owner)
            draft.revealed["value"] = .string(value)
        }))
}
