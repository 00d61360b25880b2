import AWSClient
import SandboxServing

extension ObjectType {
    private static let both: Field.Use = [.create, .nullable]

    static let volume = ObjectType(
        name: "volume", table: .volume,
        fields: Field.named([.create, .update], name: [.required]) + [
            Field("driver", .string, both), Field("driverOpts", .map(.json), both), Field("sizeMb", .int, both),
            Field("stackId", .reference("stack"), both), Field("hostId", .reference("host"), both),
        ],
        processes: [
            Process.create(via: "registering", to: "inactive"),
            Process("activate", ["inactive", "registering", "detached"], via: "activating", to: "active"),
            Process(
                "deactivate", ["registering", "active", "activating", "updating-active", "updating-inactive"],
                via: "deactivating", to: "detached"),
            Process(
                "remove",
                [
                    "requested", "inactive", "detached", "deactivating", "registering", "updating-active",
                    "updating-inactive",
                ], via: "removing", to: "removed"),
            Process.update(["active", "inactive"]), Process.purge,
        ],
        access: .inEnvironment, links: [.parent("account", type: "account", by: "accountId")],
        apis: [.v2], since: ServerVersion(1, 2))
}
