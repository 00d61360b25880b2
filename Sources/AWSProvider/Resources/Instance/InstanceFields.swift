import MusterModel
import ProviderKit

// The arguments of an instance, in the groups of the reference page.

extension Instance.Arguments {
    /// What changes only while the instance is stopped.
    static let stopping = [
        "instance_type", "user_data", "user_data_base64", "ebs_optimized", "private_dns_name_options",
        "capacity_reservation_specification",
    ]

    static let launchFields: [Field<Self>] = [
        .argument(
            "ami", \.ami, onChange: .replace, reference: .image,
            "The image that it starts from; only a launch template may give it instead."),
        .argument(
            "instance_type", \.instanceType, onChange: .updateWithDowntime,
            "The size, such as `m5.large`. For another one the instance is stopped and started."),
        .argument(
            "launch_template", \.launchTemplate, onChange: .replace, isReadable: false,
            "A launch template that gives what is not set here."),
        .argument(
            "availability_zone", \.availabilityZone, onChange: .replace, "The zone; a subnet says it already."),
        .argument(
            "key_name", \.keyName, onChange: .replace, reference: .keyPair, "The key pair for the first login."),
        .argument(
            "iam_instance_profile", \.profile, absence: .means(""), reference: .instanceProfile,
            "The instance profile that gives rights to what runs on it, by name."),
        .argument(
            "user_data", \.userData, onChange: .updateWithDowntime, semantics: .multilineText,
            constraints: [.length(0, 16_384), .conflictsWith(["user_data_base64"])], needsOwnRead: true,
            "What the machine is given to run at its first boot, at most 16 KB. For another text the instance is stopped "
                + "and started, unless `user_data_replace_on_change` is set."),
        .argument(
            "user_data_base64", \.userDataBase64, onChange: .updateWithDowntime,
            constraints: [.conflictsWith(["user_data"])], needsOwnRead: true,
            "The same in base64, for what is no text."),
        .argument(
            "user_data_replace_on_change", \.userDataReplaces, absence: .means(false), onChange: .local,
            "Whether another `user_data` replaces the instance, so that it runs."),
    ]

    static let networkFields: [Field<Self>] = [
        .argument("subnet_id", \.subnetID, onChange: .replace, reference: .subnet, "The subnet of its interface."),
        .argument(
            "vpc_security_group_ids", \.securityGroupIDs, type: .set(.string), reference: .securityGroup,
            "The groups that guard it; without them the VPC's default group does."),
        .argument(
            "associate_public_ip_address", \.hasPublicIP, onChange: .replace, isReadable: false,
            "Whether it gets a public address; the subnet decides if it is left out."),
        .argument("private_ip", \.privateIP, onChange: .replace, "Its address; AWS chooses if left out."),
        .argument(
            "secondary_private_ips", \.secondaryPrivateIPs, type: .set(.string), "More addresses of its interface."),
        .argument(
            "ipv6_address_count", \.ipv6AddressCount, constraints: [.conflictsWith(["ipv6_addresses"])],
            "How many IPv6 addresses AWS chooses for it."),
        .argument("ipv6_addresses", \.ipv6Addresses, type: .set(.string), "Its IPv6 addresses."),
        .argument(
            "enable_primary_ipv6", \.hasPrimaryIPv6, onChange: .replace, isReadable: false,
            "Whether its first IPv6 address stays the first."),
        .argument(
            "network_interface", \.networkInterfaces,
            type: .set(NetworkInterfaceChoice.valueType, key: "device_index"), onChange: .replace,
            constraints: [.conflictsWith(["subnet_id", "vpc_security_group_ids", "associate_public_ip_address"])],
            isReadable: false, "Interfaces that exist already, instead of one of its own."),
        .argument(
            "source_dest_check", \.checksSourceAndDestination, absence: .means(true), isSetAfterCreate: true,
            "Whether packets that are neither from it nor for it are dropped; a router wants false."),
    ]

    static let behaviorFields: [Field<Self>] = [
        .argument(
            "monitoring", \.isMonitored, absence: .means(false), "Whether metrics come every minute, for a price."),
        .argument(
            "ebs_optimized", \.isEBSOptimized, onChange: .updateWithDowntime,
            "Whether its volumes have bandwidth of their own; on current types they always have."),
        .argument(
            "disable_api_termination", \.refusesTermination, needsOwnRead: true,
            "Whether AWS refuses to terminate it."),
        .argument("disable_api_stop", \.refusesStop, needsOwnRead: true, "Whether AWS refuses to stop it."),
        .argument(
            "instance_initiated_shutdown_behavior", \.shutdownBehavior,
            constraints: [.allowed(["stop", "terminate"])], needsOwnRead: true, "What a shutdown from inside does."),
        .argument(
            "tenancy", \.tenancy, onChange: .replace, constraints: [.allowed(["default", "dedicated", "host"])],
            "Whether it shares its machine."),
        .argument(
            "host_id", \.hostID, onChange: .replace, constraints: [.conflictsWith(["host_resource_group_arn"])],
            "The dedicated host that it stands on."),
        .argument(
            "host_resource_group_arn", \.hostResourceGroupARN, onChange: .replace,
            "The group of dedicated hosts that it stands on."),
        .argument("placement_group", \.placementGroup, onChange: .replace, "The placement group, by name."),
        .argument(
            "placement_partition_number", \.placementPartition, onChange: .replace,
            "Its partition of the placement group."),
        .argument("hibernation", \.canHibernate, onChange: .replace, "Whether it can hibernate."),
        .argument("cpu_options", \.cpuOptions, onChange: .replace, "Its cores and threads."),
        .argument("enclave_options", \.enclaveOptions, onChange: .replace, "Nitro enclaves."),
        .argument(
            "credit_specification", \.creditSpecification, needsOwnRead: true, "Credits of a burstable machine."),
        .argument("metadata_options", \.metadataOptions, "The metadata service of the instance."),
        .argument("maintenance_options", \.maintenanceOptions, "What AWS may do by itself."),
        .argument(
            "private_dns_name_options", \.privateDNSNameOptions, onChange: .updateWithDowntime,
            "Its name in the VPC, and what resolves it. For another kind of name the instance is stopped and started."),
        .argument(
            "capacity_reservation_specification", \.capacityReservation, onChange: .updateWithDowntime,
            "Whether it uses reserved capacity."),
        .argument(
            "instance_market_options", \.marketOptions, onChange: .replace, isReadable: false,
            "Whether it is a spot instance, and on which terms."),
    ]

    static let deviceFields: [Field<Self>] = [
        .argument(
            "root_block_device", \.rootBlockDevice, needsOwnRead: true,
            "The volume that it boots from; members that are left out are the image's."),
        .argument(
            "ebs_block_device", \.blockDevices, type: .set(BlockDevice.valueType, key: "device_name"),
            needsOwnRead: true, deletesDataBy: "delete_on_termination",
            "More volumes, made with the instance. Volumes that others attach are left alone."),
        .argument(
            "ephemeral_block_device", \.ephemeralDevices,
            type: .set(EphemeralDevice.valueType, key: "device_name"), onChange: .replace, isReadable: false,
            "Volumes of the machine itself, which are lost when it stops; AWS never shows them."),
        .argument(
            "volume_tags", \.volumeTags, absence: .means(.map([:])), semantics: .tags, needsOwnRead: true,
            "Tags of every volume that was made with it."),
        .tags(\.tags),
    ]
}
