import AWSClient
import MusterModel
import ProviderKit
import TextEncodings

/// A launch configuration: what the new instances of a group are like, for accounts that still have them. AWS wants
/// launch templates, and accounts made since October 2024 cannot make any of these.
///
/// Nothing of it can be changed, so that a successor with another name is made first.
///
/// Calls: `CreateLaunchConfiguration`, `DescribeLaunchConfigurations`, `DescribeImages` (the root device's name, where
/// the root volume is described), `DeleteLaunchConfiguration`.
struct LaunchConfiguration: ManagedResource {
    struct Volume: ConfiguredVolume {
        var deviceName: String?
        var isDeletedOnTermination: Bool?
        var isEncrypted: Bool?
        var iops: Int?
        var isLeftOut: Bool?
        var snapshotID: String?
        var throughput: Int?
        var size: Int?
        var type: String?

        static let wire = volumeWire([
            .string("snapshot_id", \.snapshotID, "SnapshotId", told: .same, "The snapshot to start from.")
        ])

        static let fields: [Field<Self>] =
            [
                .argument(
                    "device_name", \.deviceName, isRequired: true, onChange: .replace, "The device, such as `/dev/sdf`."
                ),
                .argument(
                    "no_device", \.isLeftOut, absence: .means(false), onChange: .replace,
                    "Whether a device of the image is left out."),
            ] + wire.map(\.field)
    }

    struct RootVolume: ConfiguredVolume {
        var isDeletedOnTermination: Bool?
        var isEncrypted: Bool?
        var iops: Int?
        var throughput: Int?
        var size: Int?
        var type: String?

        static let wire = volumeWire()
    }

    struct MetadataOptions: MetadataBlock {
        var endpoint: String?
        var tokens: String?
        var hopLimit: Int?

        static let wire = metadataWire(told: .same).map(\.replacing)
    }

    struct Arguments: ArgumentBlock {
        var name = ""
        var imageID = ""
        var instanceType = ""
        var keyName: String?
        var profile: String?
        var securityGroups: [String]?
        var hasPublicIP: Bool?
        var userData: String?
        var userDataBase64: String?
        var isMonitored: Bool?
        var isEBSOptimized: Bool?
        var tenancy: String?
        var spotPrice: String?
        var metadataOptions: MetadataOptions?
        var root: RootVolume?
        var volumes: [Volume]?
        var ephemeralDevices: [EphemeralDevice]?

        static let fields: [Field<Self>] = [
            .required("name", \.name, onChange: .replace, constraints: [.length(1, 255)], "The name."),
            .required(
                "image_id", \.imageID, onChange: .replace, reference: .image, "The image that instances start from."),
            .required("instance_type", \.instanceType, onChange: .replace, "The size, such as `m5.large`."),
            .argument(
                "key_name", \.keyName, absence: .means(""), onChange: .replace, reference: .keyPair,
                "The key pair for the first login."),
            .argument(
                "iam_instance_profile", \.profile, absence: .means(""), onChange: .replace,
                reference: .instanceProfile, "The instance profile, by name or ARN."),
            .argument(
                "security_groups", \.securityGroups, type: .set(.string), absence: .means(.list([])),
                onChange: .replace, reference: .securityGroup, "The groups that guard the instances."),
            .argument(
                "associate_public_ip_address", \.hasPublicIP, onChange: .replace,
                "Whether they get a public address; the subnet decides if this is left out."),
            .argument(
                "user_data", \.userData, absence: .means(""), onChange: .replace, semantics: .multilineText,
                constraints: [.length(0, 16_384), .conflictsWith(["user_data_base64"])],
                "What the machines are given to run at their first boot, at most 16 KB."),
            .argument(
                "user_data_base64", \.userDataBase64, absence: .means(""), onChange: .replace,
                constraints: [.conflictsWith(["user_data"])], "The same in base64, for what is no text."),
            .argument(
                "enable_monitoring", \.isMonitored, absence: .means(true), onChange: .replace,
                "Whether metrics come every minute, for a price."),
            .argument(
                "ebs_optimized", \.isEBSOptimized, absence: .means(false), onChange: .replace,
                "Whether volumes have bandwidth of their own."),
            .argument(
                "placement_tenancy", \.tenancy, absence: .means(""), onChange: .replace,
                constraints: [.allowed(["default", "dedicated"])], "Whether they share their machines."),
            .argument(
                "spot_price", \.spotPrice, absence: .means(""), onChange: .replace,
                "The most to pay an hour for spot instances, in dollars."),
            .argument("metadata_options", \.metadataOptions, onChange: .replace, "The metadata service."),
            .argument(
                "root_block_device", \.root, onChange: .replace, needsOwnRead: true,
                "The volume that they boot from; members that are left out are the image's."),
            .argument(
                "ebs_block_device", \.volumes, type: .set(Volume.valueType, key: "device_name"),
                absence: .means(.list([])), onChange: .replace, "More volumes."),
            .argument(
                "ephemeral_block_device", \.ephemeralDevices,
                type: .set(EphemeralDevice.valueType, key: "device_name"), absence: .means(.list([])),
                onChange: .replace, "Volumes of the machine itself, which are lost when it stops."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        static let fields: [Field<Self>] = [.output("arn", \.arn, "The ARN.")]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.launch_configuration", "A launch configuration: what new instances of a group are like.",
        naming: .unique(argument: "name", maximumLength: 255), replacement: .createFirst,
        importSyntax: "the configuration's name")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let names = aws.expectedIDs(Self.type, and: known.map(\.id))
        let items = names.count > 50 ? try await listing() : try await listing(named: names.sorted())
        let byName = Dictionary(
            items.map { ($0["LaunchConfigurationName"].text, $0) }, uniquingKeysWith: { first, _ in first })
        let images = Set(
            known.filter { $0.declared.contains("root_block_device") }
                .compactMap { byName[$0.id.rawValue]?["ImageId"].nonEmpty })
        let roots = try await rootDevices(of: images)
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            guard let item = byName[object.id.rawValue] else { continue }
            let root = object.declared.contains("root_block_device") ? roots[item["ImageId"].text] : nil
            found[object.id] = observed(item, object, root: root)
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await listing().map { observed($0, nil, root: nil) }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let answer = try await describe([desired.name])
        guard let item = answer.first else { return nil }
        let roots = desired.root == nil ? [:] : try await rootDevices(of: [desired.imageID])
        let known = Known<Self>(
            id: RemoteID(desired.name), arguments: desired, declared: Set(desired.members.keys))
        let observed = observed(item, known, root: roots[desired.imageID])
        // It carries no mark: it is ours when it says what we would have said.
        return Found(
            observed, isOurs: desired.says(observed.arguments, in: Set(Arguments.fields.map(\.schema.name))))
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        var userData = AWSInput.absent
        if let text = desired.userData.filled { userData = .blob(Array(text.utf8)) }
        if let text = desired.userDataBase64.filled {
            userData = .blob(try UserData.bytes(text))
        }
        try await aws.autoscalingChange(
            "CreateLaunchConfiguration",
            [
                "LaunchConfigurationName": .string(desired.name),
                "ImageId": .string(desired.imageID),
                "InstanceType": .string(desired.instanceType),
                "KeyName": .nonEmpty(desired.keyName),
                "IamInstanceProfile": .nonEmpty(desired.profile),
                "SecurityGroups": .set(desired.securityGroups),
                "AssociatePublicIpAddress": .optional(desired.hasPublicIP),
                "UserData": userData,
                "InstanceMonitoring": ["Enabled": .boolean(desired.isMonitored ?? true)],
                "EbsOptimized": .optional(desired.isEBSOptimized),
                "PlacementTenancy": .nonEmpty(desired.tenancy),
                "SpotPrice": .nonEmpty(desired.spotPrice),
                "MetadataOptions": desired.metadataOptions?.input ?? .absent,
                "BlockDeviceMappings": try await mappings(desired),
            ])
        return Observed(
            id: RemoteID(desired.name), arguments: desired, outputs: Outputs(), status: .pending("created"))
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? { nil }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(
            .autoscaling, "DeleteLaunchConfiguration", ["LaunchConfigurationName": .string(id.rawValue)])
    }

    // MARK: Listings

    private func listing() async throws(ProviderError) -> [XMLElement] {
        try await aws.remembered("DescribeLaunchConfigurations") {
            () async throws(ProviderError) -> [XMLElement] in try await describe(nil)
        }
    }

    private func listing(named names: [String]) async throws(ProviderError) -> [XMLElement] {
        if names.isEmpty { return [] }
        return try await aws.remembered("DescribeLaunchConfigurations \(names.joined(separator: ","))") {
            () async throws(ProviderError) -> [XMLElement] in try await describe(names)
        }
    }

    private func describe(_ names: [String]?) async throws(ProviderError) -> [XMLElement] {
        var input: AWSInput = ["MaxRecords": 100]
        if let names { input["LaunchConfigurationNames"] = .strings(names) }
        return try await aws.list(
            AWSOperation(.autoscaling, "DescribeLaunchConfigurations", input, effect: .read), .nextToken,
            at: "LaunchConfigurations")
    }

    /// The root device's name by image.
    private func rootDevices(of images: Set<String>) async throws(ProviderError) -> [String: String] {
        let items = try await aws.ec2List("DescribeImages", at: "imagesSet", filter: "image-id", ids: images)
        return Dictionary(
            items.map { ($0["imageId"].text, $0["rootDeviceName"].text) }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: - Wire format

    private func mappings(_ desired: Arguments) async throws(ProviderError) -> AWSInput {
        var mappings: [AWSInput] = []
        if let root = desired.root {
            guard let device = try await rootDevices(of: [desired.imageID])[desired.imageID], !device.isEmpty else {
                throw ProviderError(
                    .invalid, "There is no image \(desired.imageID) with a root volume.",
                    operation: "ec2.DescribeImages", hint: "Look for the image's id in this region and account.")
            }
            mappings.append(["DeviceName": .string(device), "Ebs": root.input])
        }
        for volume in (desired.volumes ?? []).inOrder {
            mappings.append(
                volume.isLeftOut == true
                    ? ["DeviceName": .nonEmpty(volume.deviceName), "NoDevice": true]
                    : ["DeviceName": .nonEmpty(volume.deviceName), "Ebs": volume.input])
        }
        for device in (desired.ephemeralDevices ?? []).inOrder {
            mappings.append(
                device.isLeftOut == true
                    ? ["DeviceName": .string(device.deviceName), "NoDevice": true]
                    : ["DeviceName": .string(device.deviceName), "VirtualName": .nonEmpty(device.virtualName)])
        }
        return .list(mappings)
    }

    /// - Parameter root: the root device's name, where its volume is to be told apart.
    private func observed(_ item: XMLElement, _ known: Known<Self>?, root: String?) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = item["LaunchConfigurationName"].text
        arguments.imageID = item["ImageId"].text
        arguments.instanceType = item["InstanceType"].text
        arguments.keyName = item["KeyName"].text
        arguments.profile = item["IamInstanceProfile"].text
        arguments.securityGroups = item["SecurityGroups"].texts.sorted()
        arguments.hasPublicIP = item["AssociatePublicIpAddress"].boolean
        arguments.isMonitored = item["InstanceMonitoring"]["Enabled"].boolean ?? true
        arguments.isEBSOptimized = item["EbsOptimized"].boolean ?? false
        arguments.tenancy = item["PlacementTenancy"].text
        arguments.spotPrice = item["SpotPrice"].text
        arguments.metadataOptions = MetadataOptions(told: item["MetadataOptions"])
        readUserData(item["UserData"].text, known, &arguments)
        readDevices(item["BlockDeviceMappings"].items, root: root, known?.arguments, &arguments)
        return Observed(
            id: RemoteID(arguments.name), arguments: arguments,
            outputs: Outputs(arn: item["LaunchConfigurationARN"].nonEmpty))
    }

    private func readUserData(_ text: String, _ known: Known<Self>?, _ arguments: inout Arguments) {
        let bytes = Base64.decode(text) ?? []
        arguments.userData = ""
        arguments.userDataBase64 = ""
        if known?.declared.contains("user_data_base64") == true, known?.arguments.userData == nil {
            arguments.userDataBase64 = UserData.base64(bytes, as: known?.arguments.userDataBase64)
        } else {
            arguments.userData = UserData.text(bytes)
        }
    }

    private func readDevices(
        _ items: [XMLElement], root: String?, _ recorded: Arguments?, _ arguments: inout Arguments
    ) {
        let ephemeral = Set((recorded?.ephemeralDevices ?? []).map(\.deviceName))
        var volumes: [Volume] = []
        var devices: [EphemeralDevice] = []
        for item in items {
            let name = item["DeviceName"].text
            let isLeftOut = item["NoDevice"].boolean ?? false
            if let root, name == root {
                arguments.root = RootVolume(told: item["Ebs"])
            } else if let virtual = item["VirtualName"].nonEmpty {
                devices.append(EphemeralDevice(deviceName: name, virtualName: virtual))
            } else if isLeftOut, ephemeral.contains(name) {
                devices.append(EphemeralDevice(deviceName: name, isLeftOut: true))
            } else {
                var volume = Volume(told: item["Ebs"])
                volume.deviceName = name
                volume.isLeftOut = isLeftOut
                volumes.append(volume)
            }
        }
        arguments.volumes = volumes.inOrder
        arguments.ephemeralDevices = devices.inOrder
    }
}

/// What the root volume and other volumes have in common.
private protocol ConfiguredVolume: WireBlock {
    var isDeletedOnTermination: Bool? { get set }
    var isEncrypted: Bool? { get set }
    var iops: Int? { get set }
    var throughput: Int? { get set }
    var size: Int? { get set }
    var type: String? { get set }
}

extension ConfiguredVolume {
    fileprivate static func volumeWire(_ more: [WireField<Self>] = []) -> [WireField<Self>] {
        let first: [WireField<Self>] = [
            .boolean(
                "delete_on_termination", \.isDeletedOnTermination, "DeleteOnTermination", told: .same,
                absence: .means(true), "Whether it goes with the instance."),
            .boolean(
                "encrypted", \.isEncrypted, "Encrypted", told: .same, absence: .unmanaged, "Whether it is encrypted."),
            .integer(
                "iops", \.iops, "Iops", told: .same, absence: .unmanaged,
                "Operations a second, where the type has a choice."),
        ]
        let last: [WireField<Self>] = [
            .integer(
                "throughput", \.throughput, "Throughput", told: .same, absence: .unmanaged, "MiB a second, for gp3."),
            .integer(
                "volume_size", \.size, "VolumeSize", told: .same, absence: .unmanaged,
                constraints: [.range(1, 16_384)], "The size in GiB."),
            .string(
                "volume_type", \.type, "VolumeType", told: .same, absence: .unmanaged,
                constraints: [.allowed(["gp3", "gp2", "io1", "st1", "sc1", "standard"])], "The kind of disk."),
        ]
        return (first + more + last).map(\.replacing)
    }
}
