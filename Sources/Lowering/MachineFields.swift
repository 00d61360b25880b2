import MusterModel

// What sections say of a machine, one by one or by the fleet.

extension SectionFields {
    static let monitoring = ArgumentSchema("monitoring", .boolean, "Whether metrics come every minute.")
    static let ebsOptimized = ArgumentSchema(
        "ebs_optimized", .boolean, "Whether volumes have bandwidth of their own.")

    static func metadataOptions(_ documentation: String) -> ArgumentSchema {
        let onOff = Constraint.allowed(["enabled", "disabled"])
        return ArgumentSchema(
            "metadata_options",
            .object([
                ArgumentSchema(
                    "http_endpoint", .string, constraints: [onOff], "Whether the metadata service answers."),
                ArgumentSchema(
                    "http_tokens", .string, constraints: [.allowed(["required", "optional"])],
                    "Whether it wants session tokens (IMDSv2)."),
                ArgumentSchema(
                    "http_put_response_hop_limit", .integer, constraints: [.range(1, 64)],
                    "How many hops its answers survive; containers need 2."),
                ArgumentSchema(
                    "http_protocol_ipv6", .string, constraints: [onOff], "Whether it answers over IPv6."),
                ArgumentSchema("instance_metadata_tags", .string, constraints: [onOff], "Whether it tells the tags."),
            ]), documentation)
    }

    static func creditSpecification(_ machine: String) -> ArgumentSchema {
        ArgumentSchema(
            "credit_specification",
            .object([
                ArgumentSchema(
                    "cpu_credits", .string, constraints: [.allowed(["standard", "unlimited"])],
                    "Whether \(machine) may borrow processor time.")
            ]), "For burstable machines.")
    }

    // MARK: Volumes

    /// - Parameters:
    ///   - size: the name of the field with the size; `type` that of the kind of disk.
    ///   - owner: what the volume may go with.
    static func volume(_ size: String, _ type: String, sizeText: String, of owner: String) -> [ArgumentSchema] {
        [
            ArgumentSchema(size, .integer, constraints: [.range(1, 65_536)], sizeText),
            ArgumentSchema(type, .string, "gp3, gp2, io1, io2, st1, sc1 or standard."),
            ArgumentSchema("iops", .integer, "Operations per second, where the type has a choice."),
            ArgumentSchema("throughput", .integer, "MiB per second, for gp3."),
            ArgumentSchema("encrypted", .boolean, "Whether the volume is encrypted."),
            ArgumentSchema("kms_key_id", .string, "The key to encrypt with."),
            ArgumentSchema("delete_on_termination", .boolean, "Whether the volume goes with \(owner)."),
        ]
    }

    static func blockDevice(sizeText: String, of owner: String) -> [ArgumentSchema] {
        [
            ArgumentSchema("device_name", .string, isRequired: true, "The device, such as /dev/sdf."),
            ArgumentSchema("snapshot_id", .string, "The snapshot to start from."),
        ] + volume("volume_size", "volume_type", sizeText: sizeText, of: owner)
    }

    static let ephemeralDevice = [
        ArgumentSchema("device_name", .string, isRequired: true, "The device, such as /dev/sdb."),
        ArgumentSchema("virtual_name", .string, "The volume of the machine, such as ephemeral0."),
        ArgumentSchema("no_device", .boolean, "Whether a device of the image is left out."),
    ]
}
