import Diagnostics
import MusterModel

/// What the instances of a fleet are like: a launch template.
enum LaunchPart {
    static let fields: [ArgumentSchema] =
        verbatim + [
            ArgumentSchema("name", .string, "The name of the template; that of the group if it is left out."),
            ArgumentSchema(
                "ami", .string, isRequired: true, reference: .image, "The image, by id or by the name of a lookup."),
            ArgumentSchema("security_groups", .list(.string), reference: .securityGroup, "Groups that guard them."),
            ArgumentSchema(
                "associate_public_ip_address", .boolean,
                "Whether they get public addresses; the subnets decide if this is left out."),
            ArgumentSchema(
                "spot_price", .string, "Makes them spot instances: the most to pay an hour, in dollars."),
        ] + volumes(ephemeral: SectionFields.ephemeralDevice)

    static func volumes(ephemeral: [ArgumentSchema]) -> [ArgumentSchema] {
        [
            ArgumentSchema(
                "root_volume",
                .object(
                    SectionFields.volume("size", "type", sizeText: "The size in GiB.", of: "the instance") + [
                        ArgumentSchema(
                            "device_name", .string,
                            "The image's root device, such as /dev/sda1; known where a lookup names the image.")
                    ]), "The volume that they boot from, in short words."),
            ArgumentSchema(
                "ebs_block_devices",
                .list(.object(SectionFields.blockDevice(sizeText: "The size in GiB.", of: "the instance"))),
                "More volumes."),
            ArgumentSchema("ephemeral_block_devices", .list(.object(ephemeral)), "Volumes of the machine itself."),
        ]
    }

    /// The arguments of `aws.launch_template` that are written as they are.
    private static let verbatim: [ArgumentSchema] = [
        ArgumentSchema("instance_type", .string, isRequired: true, "The size of the machines, such as m5.large."),
        ArgumentSchema("description", .string, "What is new in this version."),
        ArgumentSchema("key_name", .string, reference: .keyPair, "The key pair for the first login."),
        ArgumentSchema(
            "iam_instance_profile", .string, reference: .instanceProfile, "The rights of what runs on them."),
        ArgumentSchema("user_data", .string, semantics: .multilineText, "What the machines are given to run at boot."),
        ArgumentSchema(
            "user_data_base64", .string, constraints: [.conflictsWith(["user_data"])],
            "The same in base64, for what is no text."),
        SectionFields.monitoring, SectionFields.ebsOptimized,
        SectionFields.metadataOptions("The metadata service."),
        SectionFields.creditSpecification("the machines"),
        ArgumentSchema(
            "placement",
            .object([
                ArgumentSchema("group_name", .string, "The placement group."),
                ArgumentSchema(
                    "tenancy", .string, constraints: [.allowed(["default", "dedicated", "host"])],
                    "Whether the machines are shared."),
            ]), "Where they stand."),
        ArgumentSchema("update_default_version", .boolean, "Whether `$Default` is always the newest version."),
    ]

    /// The group takes the newest version, so that a new one moves it.
    static func pin(_ template: Draft, _ mixed: LocatedValue?, in group: inout Draft, at range: SourceRange) {
        let id = template.output("id")
        let version = template.output("latest_version")
        guard let mixed else {
            group.set("launch_template", ["id": id, "version": version], at: range)
            return
        }
        var launch: [String: Value] = [
            "launch_template_specification": ["launch_template_id": id, "version": version]
        ]
        launch["override"] = mixed["override"]?.value
        var policy: [String: Value] = ["launch_template": .map(launch)]
        let distribution = (mixed.value.map ?? [:]).filter { $0.key != "override" && $0.value != .null }
        if !distribution.isEmpty { policy["instances_distribution"] = .map(distribution) }
        group.set("mixed_instances_policy", .map(policy), at: mixed.range)
    }

    fileprivate static func copyVerbatim(to template: inout Draft, from launch: LocatedValue) {
        template.copy(verbatim, from: launch)
    }

    /// The root device of an image: what the lookup that names it tells.
    fileprivate static func rootDevice(of image: Value) -> Value? {
        guard case .deferred(let deferred) = image else { return nil }
        switch deferred.expression {
        case .reference(let reference):
            guard case .named(_, let name) = reference.target else { return nil }
            let device = Reference(.named(.imageRootDevice, name), stack: reference.stack, range: reference.range)
            return .deferred(Deferred(.reference(device)))
        case .output(let output) where output.address.type == "lookup.amis" && output.output == "id":
            return .output(output.address, "root_device_name")
        default: return nil
        }
    }
}

extension LoweringResult {
    /// The launch template of a fleet.
    mutating func lowerLaunch(_ launch: LocatedValue, _ definition: Definition, region: String?) -> Draft {
        var template = Draft("aws.launch_template", definition.name, of: definition, at: launch.range)
        let name = launch["name"] ?? definition.remoteName
        template.set("name", name.value, at: (launch["name"] ?? definition.body["name"])?.range)
        LaunchPart.copyVerbatim(to: &template, from: launch)
        template.set("image_id", launch["ami"])
        checkSize(launch["user_data"])
        if let rendered = userData(definition, region: region) {
            template.set(rendered.argument, rendered.value, at: rendered.range)
        }
        if let choice = launch["associate_public_ip_address"] {
            // Said of an interface, with its groups.
            var interface: [String: Value] = [
                "device_index": 0, "associate_public_ip_address": choice.value, "delete_on_termination": true,
            ]
            interface["security_groups"] = launch["security_groups"]?.value
            template.set("network_interfaces", .list([.map(interface)]), at: choice.range)
        } else {
            template.set("vpc_security_group_ids", launch["security_groups"])
        }
        let devices = blockDevices(launch)
        if !devices.isEmpty {
            let place = launch["root_volume"] ?? launch["ebs_block_devices"] ?? launch["ephemeral_block_devices"]
            template.set("block_device_mappings", .list(devices), at: place?.range)
        }
        if let price = launch["spot_price"] {
            template.set(
                "instance_market_options",
                ["market_type": "spot", "spot_options": ["max_price": price.value]], at: price.range)
        }
        template.setTags(
            definition.body["tags"], name: definition.nameTag, inherited: definition.inheritedTags, &diagnostics)
        append(template)
        return template
    }

    mutating func blockDevices(_ launch: LocatedValue) -> [Value] {
        var devices: [Value] = []
        if let root = launch["root_volume"] {
            let image = launch["ami"]?.value ?? .null
            if let device = root["device_name"]?.value ?? LaunchPart.rootDevice(of: image) {
                devices.append([
                    "device_name": device, "ebs": .map(volume(root, ["size": "volume_size", "type": "volume_type"])),
                ])
            } else if !image.isUnreadable {
                diagnostics.append(.unknownRootDevice(at: root.range))
            }
        }
        for device in launch["ebs_block_devices"]?.elements ?? [] {
            devices.append([
                "device_name": device["device_name"]?.value ?? .null, "ebs": .map(volume(device, [:])),
            ])
        }
        for device in launch["ephemeral_block_devices"]?.elements ?? [] { devices.append(device.value.withoutNulls) }
        return devices
    }

    /// What is said of a volume, without the device.
    private func volume(_ form: LocatedValue, _ names: [String: String]) -> [String: Value] {
        var members: [String: Value] = [:]
        for (name, value) in form.value.withoutNulls.map ?? [:] where name != "device_name" {
            members[names[name] ?? name] = value
        }
        return members
    }
}

extension Diagnostic {
    fileprivate static func unknownRootDevice(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.root-device", summary: "The root device is not known",
            detail:
                "A launch template names the device of each volume, and only a lookup tells that of an image's root.",
            at: range,
            hint:
                "Name the image by a lookup, or write \"device_name\": /dev/sda1 for most images, /dev/xvda for Amazon "
                + "Linux.")
    }
}
