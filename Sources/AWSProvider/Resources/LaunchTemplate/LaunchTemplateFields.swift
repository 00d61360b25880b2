import AWSClient
import MusterModel
import ProviderKit
import TextEncodings

// What a version of a launch template holds: one list, from which the schema, the request and the reading follow.

extension LaunchTemplate {
    struct Arguments: WireBlock {
        var name = ""
        var description: String?
        var defaultVersion: String?
        var defaultFollows: Bool?
        var tags: [String: String]?
        var imageID: String?
        var instanceType: String?
        var keyName: String?
        var profile: String?
        var securityGroupIDs: [String]?
        var securityGroupNames: [String]?
        var userData: String?
        var userDataBase64: String?
        var blockDevices: [BlockDevice]?
        var networkInterfaces: [NetworkInterface]?
        var isMonitored: Bool?
        var isEBSOptimized: Bool?
        var refusesTermination: Bool?
        var refusesStop: Bool?
        var shutdownBehavior: String?
        var placement: Placement?
        var marketOptions: MarketOptions?
        var metadataOptions: MetadataOptions?
        var cpuOptions: CPUOptions?
        var creditSpecification: CreditSpecification?
        var capacityReservation: CapacityReservation?
        var enclaveOptions: Switch?
        var hibernationOptions: HibernationOptions?
        var maintenanceOptions: MaintenanceOptions?
        var privateDNSNameOptions: PrivateDNSNameOptions?
        var licenses: [License]?
        var kernelID: String?
        var ramDiskID: String?
        var tagSpecifications: [TagSpecification]?

        static let fields: [Field<Self>] =
            [
                .required(
                    "name", \.name, onChange: .replace,
                    constraints: [
                        .length(3, 128), .pattern(#"[A-Za-z0-9()./_\-]+"#, "letters, digits and ()./_-"),
                    ], "The name, unique in the account and region."),
                .argument(
                    "description", \.description, absence: .means(""), constraints: [.length(0, 255)],
                    "What is new in this version; another one makes a new version."),
                .argument(
                    "default_version", \.defaultVersion,
                    constraints: [
                        .pattern("[1-9][0-9]*", "the number of a version"),
                        .conflictsWith(["update_default_version"]),
                    ], isSetAfterCreate: true,
                    "The version that `$Default` stands for; left out, whatever it is."),
                .argument(
                    "update_default_version", \.defaultFollows, absence: .means(false),
                    "Whether `$Default` is always the newest version."),
            ] + wire.map(\.field) + [.tags(\.tags)]

        /// What a version holds.
        static let wire: [WireField<Self>] = [
            .string("image_id", \.imageID, "ImageId", reference: .image, "The image that instances start from."),
            .string("instance_type", \.instanceType, "InstanceType", "The size, such as `m5.large`."),
            .string("key_name", \.keyName, "KeyName", reference: .keyPair, "The key pair for the first login."),
            profileField,
            .strings(
                "vpc_security_group_ids", \.securityGroupIDs, "SecurityGroupId", told: .named("securityGroupIdSet"),
                reference: .securityGroup,
                constraints: [.conflictsWith(["security_group_names"])], "The groups that guard the instances."),
            .strings(
                "security_group_names", \.securityGroupNames, "SecurityGroup", told: .named("securityGroupSet"),
                "The same by name, which works in the default VPC only."),
            userDataField,
            userDataBase64Field,
            .blocks(
                "block_device_mappings", \.blockDevices, "BlockDeviceMapping", told: .named("blockDeviceMappingSet"),
                key: "device_name", "Volumes and devices."),
            .blocks(
                "network_interfaces", \.networkInterfaces, "NetworkInterface", told: .named("networkInterfaceSet"),
                constraints: [.conflictsWith(["vpc_security_group_ids", "security_group_names"])],
                "Interfaces, where more is to be said of them than their groups."),
            monitoringField,
            .boolean(
                "ebs_optimized", \.isEBSOptimized, "EbsOptimized", absence: .means(false),
                "Whether volumes have bandwidth of their own; on current types they always have."),
            .boolean(
                "disable_api_termination", \.refusesTermination, "DisableApiTermination", absence: .means(false),
                "Whether AWS refuses to terminate the instances."),
            .boolean(
                "disable_api_stop", \.refusesStop, "DisableApiStop", absence: .means(false),
                "Whether AWS refuses to stop the instances."),
            .string(
                "instance_initiated_shutdown_behavior", \.shutdownBehavior, "InstanceInitiatedShutdownBehavior",
                constraints: [.allowed(["stop", "terminate"])], "What a shutdown from inside does."),
            .block("placement", \.placement, "Placement", "Where the instances stand."),
            .block(
                "instance_market_options", \.marketOptions, "InstanceMarketOptions",
                "Whether they are spot instances, and on which terms."),
            .block("metadata_options", \.metadataOptions, "MetadataOptions", "The metadata service."),
            .block("cpu_options", \.cpuOptions, "CpuOptions", "Cores and threads."),
            .block(
                "credit_specification", \.creditSpecification, "CreditSpecification",
                "Credits of burstable machines."),
            .block(
                "capacity_reservation_specification", \.capacityReservation, "CapacityReservationSpecification",
                "Whether they use reserved capacity."),
            .block("enclave_options", \.enclaveOptions, "EnclaveOptions", "Nitro enclaves."),
            .block("hibernation_options", \.hibernationOptions, "HibernationOptions", "Hibernation."),
            .block("maintenance_options", \.maintenanceOptions, "MaintenanceOptions", "What AWS may do by itself."),
            .block(
                "private_dns_name_options", \.privateDNSNameOptions, "PrivateDnsNameOptions",
                "Their names in the VPC, and what resolves them."),
            .blocks(
                "license_specification", \.licenses, "LicenseSpecification", told: .named("licenseSet"),
                "Licence configurations."),
            .string("kernel_id", \.kernelID, "KernelId", "The kernel, for old images."),
            .string("ram_disk_id", \.ramDiskID, "RamDiskId", "The RAM disk, for old images."),
            .blocks(
                "tag_specifications", \.tagSpecifications, "TagSpecification", told: .named("tagSpecificationSet"),
                key: "resource_type", "Tags of what is made from the template."),
        ]

        /// The name of a profile, or its ARN.
        private static let profileField = WireField<Self>(
            field: .argument(
                "iam_instance_profile", \.profile, absence: .means(""), reference: .instanceProfile,
                "The instance profile that gives rights to what runs on them, by name or ARN."),
            name: "IamInstanceProfile",
            encode: { content in
                guard let profile = content.profile.filled else { return .absent }
                return profile.hasPrefix("arn:") ? ["Arn": .string(profile)] : ["Name": .string(profile)]
            },
            decode: { answer, content in
                let told = answer["iamInstanceProfile"]
                content.profile = told["name"].nonEmpty ?? told["arn"].text
            })

        private static let monitoringField = WireField<Self>(
            field: .argument(
                "monitoring", \.isMonitored, absence: .means(false),
                "Whether metrics come every minute, for a price."),
            name: "Monitoring", encode: { ["Enabled": .optional($0.isMonitored)] },
            decode: { $1.isMonitored = $0["monitoring"]["enabled"].boolean ?? false })

        private static let userDataField = WireField<Self>(
            field: .argument(
                "user_data", \.userData, absence: .means(""), semantics: .multilineText,
                constraints: [.length(0, 16_384), .conflictsWith(["user_data_base64"])],
                "What the machines are given to run at their first boot, at most 16 KB; muster encodes it."),
            name: "UserData",
            encode: { content in
                if let text = content.userData.filled { return .blob(Array(text.utf8)) }
                guard let text = content.userDataBase64.filled, let bytes = try? UserData.bytes(text) else {
                    return .absent
                }
                return .blob(bytes)
            }, decode: { _, _ in })

        /// Sent as `UserData` above; which of the two is told depends on which one is declared.
        private static let userDataBase64Field = WireField<Self>(
            field: .argument(
                "user_data_base64", \.userDataBase64, absence: .means(""),
                constraints: [.conflictsWith(["user_data"])], "The same in base64, for what is no text."),
            name: "UserData", encode: { _ in .absent }, decode: { _, _ in })

        /// Tells the user data in the form in which they are declared.
        mutating func readUserData(_ text: String, recorded: String?, isBase64: Bool) {
            let bytes = Base64.decode(text) ?? []
            userData = ""
            userDataBase64 = ""
            if isBase64 {
                userDataBase64 = UserData.base64(bytes, as: recorded)
            } else {
                userData = UserData.text(bytes)
            }
        }

        func checkUserData() throws(ProviderError) {
            if let text = userDataBase64.filled { _ = try UserData.bytes(text) }
        }
    }
}
