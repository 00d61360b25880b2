import Diagnostics
import MusterModel

/// `control_nodes`: instances that are replaced one at a time, each with a name in DNS.
///
/// The subnet is chosen when a node is made: the first node gets the first subnet, and so on around the list. A node
/// that exists keeps its subnet as long as the list has it, so that a new subnet moves nobody.
enum ControlNodesSection: Section {
    static let schema = SectionSchema(
        name: "control_nodes", summary: "Instances that are replaced one at a time.",
        fields: verbatim + [
            ArgumentSchema(
                "subnets", .list(.string), isRequired: true, reference: .subnet, constraints: [.count(1, 64)],
                "The subnets to spread the nodes over; an existing node keeps its own."),
            ArgumentSchema("security_groups", .list(.string), reference: .securityGroup, "Groups that guard the node."),
            ArgumentSchema(
                "root_volume", .object(rootVolumeFields), constraints: [.conflictsWith(["root_block_device"])],
                "The volume that the node boots from, in short words."),
            ArgumentSchema(
                "root_block_device", .object(rootBlockDeviceFields), "The volume that the node boots from."),
            ArgumentSchema(
                "ebs_block_devices", .list(.object(SectionFields.blockDevice(sizeText: sizeText, of: "the node"))),
                "More volumes, made with the node."),
            ArgumentSchema(
                "ephemeral_block_devices", .list(.object(SectionFields.ephemeralDevice)),
                "Volumes of the machine itself."),
            ArgumentSchema(
                "dns", .anything,
                "The node's name in DNS; or a map with name, type, ttl, zone and target. Without more: a CNAME to the "
                    + "instance's private DNS name, with a TTL of 60."),
            ArgumentSchema(
                "target_group", .string, reference: .targetGroup,
                "The target group that each node joins, on the group's port. The next node is replaced when the one "
                    + "before is healthy there."),
            SectionFields.name("The tag Name; the node's own name if it is left out."), SectionFields.tags("the node"),
            UserDataFields.rancherServer, UserDataFields.rancherAgent, UserDataFields.rancherOS,
            UserDataFields.swarmNode,
        ],
        principalTypes: ["aws.instance"],
        example: """
            control_nodes:
              prod-rancherctl:
                count: 3
                name: "prod-rancherctl${index}"
                dns: "prod-rancherctl${index}.tastycidr.net"
                ami: ami-0f8bce65
                instance_type: m5.large
                subnets: [prod-a, prod-b]
                security_groups: [prod-rancher]
                iam_instance_profile: prod-rancher
                target_group: prod-rancherctl
                key_name: operator
                root_volume: { size: 40, type: gp3, encrypted: true }
                metadata_options: { http_tokens: required }
                user_data: |
                  #cloud-config
                  packages: [docker.io]
            """)

    /// The arguments of `aws.instance` that are written as they are.
    static let verbatim: [ArgumentSchema] = [
        ArgumentSchema(
            "ami", .string, isRequired: true, reference: .image, "The image, by id or by the name of a lookup."),
        ArgumentSchema("instance_type", .string, isRequired: true, "The size of the machine, such as m5.large."),
        ArgumentSchema("key_name", .string, reference: .keyPair, "The key pair for the first login."),
        ArgumentSchema(
            "iam_instance_profile", .string, reference: .instanceProfile, "The rights of what runs on the node."),
        ArgumentSchema("private_ip", .string, "The private address; it must be in the subnet."),
        ArgumentSchema("associate_public_ip_address", .boolean, "Whether the node gets a public address."),
        ArgumentSchema("user_data", .string, semantics: .multilineText, "What the machine is given to run at boot."),
        ArgumentSchema(
            "user_data_base64", .string, constraints: [.conflictsWith(["user_data"])],
            "The same in base64, for what is no text."),
        ArgumentSchema(
            "user_data_replace_on_change", .boolean,
            "Whether other user data replace the node; else it is stopped and started."),
        SectionFields.monitoring, SectionFields.ebsOptimized,
        ArgumentSchema("source_dest_check", .boolean, "Whether packets for others are dropped."),
        ArgumentSchema("disable_api_termination", .boolean, "Whether AWS refuses to terminate the node."),
        ArgumentSchema("disable_api_stop", .boolean, "Whether AWS refuses to stop the node."),
        ArgumentSchema(
            "instance_initiated_shutdown_behavior", .string, constraints: [.allowed(["stop", "terminate"])],
            "What a shutdown from inside does."),
        SectionFields.metadataOptions("The metadata service of the instance."),
        SectionFields.creditSpecification("the machine"),
        ArgumentSchema(
            "tenancy", .string, constraints: [.allowed(["default", "dedicated", "host"])],
            "Whether the machine is shared."),
    ]

    private static let sizeText = "The size in GiB; it can only grow."
    private static let rootVolumeFields = SectionFields.volume("size", "type", sizeText: sizeText, of: "the node")
    private static let rootBlockDeviceFields = SectionFields.volume(
        "volume_size", "volume_type", sizeText: sizeText, of: "the node")

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        let body = definition.body
        var result = LoweringResult()
        var node = Draft(
            principal: "aws.instance", of: definition,
            renamed: [
                "subnets": "subnet_id", "security_groups": "vpc_security_group_ids", "root_volume": "root_block_device",
                "ebs_block_devices": "ebs_block_device", "ephemeral_block_devices": "ephemeral_block_device",
            ])
        node.copy(verbatim, from: body)
        result.checkSize(body["user_data"])
        if let rendered = result.userData(definition, region: region) {
            node.set(rendered.argument, rendered.value, at: rendered.range)
            // A script runs at the first boot alone, so that another one wants another machine.
            if rendered.runsOnce, body["user_data_replace_on_change"] == nil {
                node.set("user_data_replace_on_change", true, at: rendered.range)
            }
        }
        place(&node, definition)
        node.set("vpc_security_group_ids", body["security_groups"])
        node.set("root_block_device", body["root_block_device"])
        if let volume = body["root_volume"] {
            node.set("root_block_device", volume.value.withoutNulls.renaming(shortNames), at: volume.range)
        }
        node.set("ebs_block_device", body["ebs_block_devices"])
        node.set("ephemeral_block_device", body["ephemeral_block_devices"])
        node.setTags(
            body["tags"], name: definition.nameTag, inherited: definition.inheritedTags, &result.diagnostics)
        let serialGroup = "\(definition.stack):\(schema.name)/\(definition.group)"
        node.declaration.serialGroup = serialGroup
        result.append(node)
        if let group = body["target_group"] {
            var attachment = Draft("aws.target_group_attachment", definition.name, of: definition, at: group.range)
            attachment.set("target_group_arn", group)
            attachment.set("target_id", node.output("id"))
            attachment.set("wait_for_healthy", true)
            // A group of its own: a node leaves its target group when the one before has joined it again.
            attachment.declaration.serialGroup = "\(serialGroup)/target_group"
            result.append(attachment)
        }
        result.lowerName(of: node, definition)
        return result
    }

    private static let shortNames = ["size": "volume_size", "type": "volume_type"]

    private static func place(_ node: inout Draft, _ definition: Definition) {
        guard let field = definition.body["subnets"] else { return }
        guard let subnets = field.elements, !subnets.isEmpty else {
            // A list known later still has elements to choose from.
            if case .deferred(let deferred) = field.value {
                let chosen = Expression.index(deferred.expression, .literal(0))
                node.set("subnet_id", .deferred(Deferred(chosen)), at: field.range)
            }
            return
        }
        let chosen = subnets[max((definition.index ?? 1) - 1, 0) % subnets.count]
        node.set("subnet_id", chosen.value, at: chosen.range)
        if subnets.count > 1 { node.declaration.candidates["subnet_id"] = subnets.map(\.value) }
    }
}

extension LoweringResult {
    private static let nameFields: [ArgumentSchema] = [
        ArgumentSchema("name", .string, isRequired: true, "The name in DNS."),
        ArgumentSchema("type", .string, constraints: [.allowed(["CNAME", "A"])], "CNAME, or A for addresses."),
        ArgumentSchema("ttl", .integer, constraints: [.range(0, 2_147_483_647)], "In seconds."),
        ArgumentSchema("zone", .string, reference: .hostedZone, "The hosted zone."),
        ArgumentSchema(
            "target", .string, constraints: [.allowed(["private_dns", "public_dns", "private_ip", "public_ip"])],
            "What the name leads to."),
    ]

    /// The record of a node.
    fileprivate mutating func lowerName(of node: Draft, _ definition: Definition) {
        guard let field = definition.body["dns"],
            let (body, name) = readName(field, as: LoweringResult.nameFields, stack: definition.stack)
        else { return }
        let target = body["target"]?.value.string ?? (body["type"]?.value == "A" ? "private_ip" : "private_dns")
        let fitting = target.hasSuffix("_ip") ? "A" : "CNAME"
        if let type = body["type"], let text = type.value.string, text != fitting {
            diagnostics.append(.unfittingTarget(text, target, at: body["target"]?.range ?? type.range))
            return
        }
        var record = Draft("aws.dns_record", recordName(name.value), of: definition, at: field.range)
        record.set("name", name.value.withoutTrailingDot, at: name.range)
        record.set("type", .string(fitting), at: body["type"]?.range)
        record.set("ttl", body["ttl"]?.value ?? 60, at: body["ttl"]?.range)
        record.set("records", .list([node.output(target)]), at: body["target"]?.range)
        appendRecord(record, zone: body["zone"], at: name.range)
    }
}

extension Value {
    /// A map with other names for some of its members.
    fileprivate func renaming(_ names: [String: String]) -> Value {
        guard case .map(let members) = self else { return self }
        return .map(
            Dictionary(members.map { (names[$0.key] ?? $0.key, $0.value) }, uniquingKeysWith: { _, last in last }))
    }
}

extension Diagnostic {
    fileprivate static func unfittingTarget(_ type: String, _ target: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.record-target", summary: "Record type and target do not fit",
            detail: "A record of the type \(type) cannot lead to \(target.quoted).", at: range,
            hint: "A leads to private_ip or public_ip, CNAME to private_dns or public_dns.")
    }
}
