import AWSClient
import SandboxServing

extension ObjectType {
    static let account = ObjectType(
        name: "account", table: .account,
        fields: Field.standard.filter { $0.name != "kind" } + [
            Field("kind", .string, [.create, .update, .nullable], preset: "user"),
            Field("externalId", .string, [.create, .update, .nullable], lengths: 0...255),
            Field("externalIdType", .string, [.create, .nullable], lengths: 0...128),
            Field("identity", .string),
        ],
        processes: Process.generic + [
            Process(
                "upgrade", ["active"], via: "upgrading", to: "active",
                versions: ServerVersion(1, 2)..<ServerVersion(9, 0))
        ],
        access: Access(scoped: "r", user: "r", admin: "crud", service: "crud", restricted: "r", readonly: "r"),
        links: [.owned("credentials", type: "credential"), .owned("apiKeys", type: "apiKey")], activatesItself: true,
        hooks: Hooks(
            permit: { (server, account, process, _) throws(APIFailure) in
                guard ["deactivate", "remove"].contains(process), account["kind"].text == "admin" else { return }
                let others = server.living(.account).filter {
                    $0["kind"].text == "admin" && $0.isActive && $0.id != account.id
                }
                if account.isActive, others.isEmpty { throw .lastAdmin }
            },
            finished: { server, id, process in
                guard process == "purge" else { return }
                server.tearDownBelongings(of: id.number)
            }))
}

extension RancherServer {
    /// Everything that an account owns: the end of an environment is the end of what is in it.
    mutating func tearDownBelongings(of account: Int) {
        for table in Table.allCases where table != .account {
            for entity in living(table) where entity.owner == account { tearDown(entity.id) }
        }
    }
}
