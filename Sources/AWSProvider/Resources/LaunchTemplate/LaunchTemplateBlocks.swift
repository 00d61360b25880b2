import AWSClient
import MusterModel
import ProviderKit

// The nested blocks of a launch template. A change of any of them makes a new version, so that none wants a
// replacement, unlike the blocks of an instance.

extension LaunchTemplate {
    struct Volume: WireBlock {
        var isDeletedOnTermination: Bool?
        var isEncrypted: Bool?
        var iops: Int?
        var kmsKeyID: String?
        var snapshotID: String?
        var throughput: Int?
        var initializationRate: Int?
        var size: Int?
        var type: String?

        static let wire: [WireField<Self>] = [
            .boolean(
                "delete_on_termination", \.isDeletedOnTermination, "DeleteOnTermination",
                "Whether it goes with the instance; it does if this is left out."),
            .boolean("encrypted", \.isEncrypted, "Encrypted", "Whether it is encrypted."),
            .integer("iops", \.iops, "Iops", "Operations a second, where the type has a choice."),
            .string("kms_key_id", \.kmsKeyID, "KmsKeyId", "The key to encrypt with."),
            .string("snapshot_id", \.snapshotID, "SnapshotId", "The snapshot to start from."),
            .integer("throughput", \.throughput, "Throughput", "MiB a second, for gp3."),
            .integer(
                "volume_initialization_rate", \.initializationRate, "VolumeInitializationRate",
                "MiB a second at which a snapshot is read in."),
            .integer(
                "volume_size", \.size, "VolumeSize", constraints: [.range(1, 65_536)], "The size in GiB."),
            .string(
                "volume_type", \.type, "VolumeType",
                constraints: [.allowed(["gp3", "gp2", "io1", "io2", "st1", "sc1", "standard"])], "The kind of disk."),
        ]
    }

    struct BlockDevice: WireBlock {
        var deviceName: String?
        var volume: Volume?
        var noDevice: Bool?
        var virtualName: String?

        static let wire: [WireField<Self>] = [
            .string("device_name", \.deviceName, "DeviceName", "The device, such as `/dev/sda1`."),
            .block("ebs", \.volume, "Ebs", "The volume there."),
            // An empty string says that there is no such device.
            WireField(
                field: .argument(
                    "no_device", \.noDevice, absence: .means(false), "Whether a device of the image is left out."),
                name: "NoDevice", encode: { $0.noDevice == true ? .string("") : .absent },
                decode: { $1.noDevice = $0["noDevice"].exists }),
            .string(
                "virtual_name", \.virtualName, "VirtualName", "A volume of the machine itself, such as `ephemeral0`."),
        ]
    }

    struct ConnectionTracking: WireBlock {
        var tcpEstablished: Int?
        var udpStream: Int?
        var udp: Int?

        static let wire: [WireField<Self>] = [
            .integer(
                "tcp_established_timeout", \.tcpEstablished, "TcpEstablishedTimeout",
                "Seconds until an idle TCP connection is forgotten."),
            .integer("udp_stream_timeout", \.udpStream, "UdpStreamTimeout", "The same for a stream of UDP."),
            .integer("udp_timeout", \.udp, "UdpTimeout", "The same for single UDP packets."),
        ]
    }

    struct ENAExpress: WireBlock {
        var isEnabled: Bool?
        var udp: UDP?

        struct UDP: WireBlock {
            var isEnabled: Bool?
            static let wire: [WireField<Self>] = [
                .boolean("ena_srd_udp_enabled", \.isEnabled, "EnaSrdUdpEnabled", "Whether UDP uses it too.")
            ]
        }

        static let wire: [WireField<Self>] = [
            .boolean("ena_srd_enabled", \.isEnabled, "EnaSrdEnabled", "Whether ENA Express is used."),
            .block("ena_srd_udp_specification", \.udp, "EnaSrdUdpSpecification", "ENA Express for UDP."),
        ]
    }

    struct NetworkInterface: WireBlock {
        var hasCarrierIP: Bool?
        var hasPublicIP: Bool?
        var connectionTracking: ConnectionTracking?
        var isDeletedOnTermination: Bool?
        var description: String?
        var deviceIndex: Int?
        var enaExpress: ENAExpress?
        var type: String?
        var ipv4AddressCount: Int?
        var ipv4Addresses: [String]?
        var ipv4PrefixCount: Int?
        var ipv4Prefixes: [String]?
        var ipv6AddressCount: Int?
        var ipv6Addresses: [String]?
        var ipv6PrefixCount: Int?
        var ipv6Prefixes: [String]?
        var networkCardIndex: Int?
        var networkInterfaceID: String?
        var hasPrimaryIPv6: Bool?
        var privateIP: String?
        var securityGroups: [String]?
        var subnetID: String?

        static let wire: [WireField<Self>] = [
            .boolean(
                "associate_carrier_ip_address", \.hasCarrierIP, "AssociateCarrierIpAddress",
                "Whether it gets an address of a Wavelength zone."),
            .boolean(
                "associate_public_ip_address", \.hasPublicIP, "AssociatePublicIpAddress",
                "Whether it gets a public address; the subnet decides if this is left out."),
            .block(
                "connection_tracking_specification", \.connectionTracking, "ConnectionTrackingSpecification",
                "When idle connections are forgotten."),
            .boolean(
                "delete_on_termination", \.isDeletedOnTermination, "DeleteOnTermination",
                "Whether it goes with the instance."),
            .string("description", \.description, "Description", "What it is for."),
            .integer("device_index", \.deviceIndex, "DeviceIndex", "Its place among the interfaces, from 0."),
            .block("ena_srd_specification", \.enaExpress, "EnaSrdSpecification", "ENA Express."),
            .string(
                "interface_type", \.type, "InterfaceType", constraints: [.allowed(["efa", "efa-only", "interface"])],
                "Its kind."),
            .integer(
                "ipv4_address_count", \.ipv4AddressCount, "SecondaryPrivateIpAddressCount",
                "How many more private addresses AWS chooses for it."),
            addresses(
                "ipv4_addresses", \.ipv4Addresses, "PrivateIpAddresses", "privateIpAddressesSet", "PrivateIpAddress",
                "Its private addresses; the first is its own."),
            .integer("ipv4_prefix_count", \.ipv4PrefixCount, "Ipv4PrefixCount", "How many IPv4 prefixes it gets."),
            addresses(
                "ipv4_prefixes", \.ipv4Prefixes, "Ipv4Prefix", "ipv4PrefixSet", "Ipv4Prefix", "Its IPv4 prefixes."),
            .integer(
                "ipv6_address_count", \.ipv6AddressCount, "Ipv6AddressCount",
                "How many IPv6 addresses AWS chooses for it."),
            addresses(
                "ipv6_addresses", \.ipv6Addresses, "Ipv6Addresses", "ipv6AddressesSet", "Ipv6Address",
                "Its IPv6 addresses."),
            .integer("ipv6_prefix_count", \.ipv6PrefixCount, "Ipv6PrefixCount", "How many IPv6 prefixes it gets."),
            addresses(
                "ipv6_prefixes", \.ipv6Prefixes, "Ipv6Prefix", "ipv6PrefixSet", "Ipv6Prefix", "Its IPv6 prefixes."),
            .integer(
                "network_card_index", \.networkCardIndex, "NetworkCardIndex", "The card, on machines with several."),
            .string(
                "network_interface_id", \.networkInterfaceID, "NetworkInterfaceId", "An interface that exists already."),
            .boolean(
                "primary_ipv6", \.hasPrimaryIPv6, "PrimaryIpv6", "Whether its first IPv6 address stays the first."),
            .string("private_ip_address", \.privateIP, "PrivateIpAddress", "Its private address."),
            .strings(
                "security_groups", \.securityGroups, "SecurityGroupId", told: .named("groupSet"),
                reference: .securityGroup,
                "The groups that guard it."),
            .string("subnet_id", \.subnetID, "SubnetId", reference: .subnet, "The subnet that it stands in."),
        ]

        /// A list of structures with one member each, in order.
        private static func addresses(
            _ name: String, _ path: any WritableKeyPath<Self, [String]?> & Sendable, _ wire: String, _ told: String,
            _ member: String, _ documentation: String
        ) -> WireField<Self> {
            let answer = AnswerName.lowerCamel.of(member)
            let hasPrimary = member == "PrivateIpAddress"
            return WireField(
                field: .argument(name, path, absence: .means(.list([])), documentation), name: wire,
                encode: { block in
                    guard let values = block[keyPath: path], !values.isEmpty else { return .absent }
                    return .list(
                        values.enumerated().map { index, value in
                            [member: .string(value), "Primary": hasPrimary ? .boolean(index == 0) : .absent]
                        })
                }, decode: { $1[keyPath: path] = $0[told].items.map { $0[answer].text } })
        }
    }

    struct Placement: WireBlock {
        var affinity: String?
        var availabilityZone: String?
        var groupName: String?
        var hostID: String?
        var hostResourceGroupARN: String?
        var partitionNumber: Int?
        var spreadDomain: String?
        var tenancy: String?

        static let wire: [WireField<Self>] = [
            .string("affinity", \.affinity, "Affinity", "Whether it comes back to its dedicated host."),
            .string("availability_zone", \.availabilityZone, "AvailabilityZone", "The zone."),
            .string("group_name", \.groupName, "GroupName", "The placement group."),
            .string("host_id", \.hostID, "HostId", "The dedicated host."),
            .string(
                "host_resource_group_arn", \.hostResourceGroupARN, "HostResourceGroupArn",
                "The group of dedicated hosts."),
            .integer("partition_number", \.partitionNumber, "PartitionNumber", "The partition of the placement group."),
            .string("spread_domain", \.spreadDomain, "SpreadDomain", "Kept by AWS for itself."),
            .string(
                "tenancy", \.tenancy, "Tenancy", constraints: [.allowed(["default", "dedicated", "host"])],
                "Whether it shares its machine."),
        ]
    }

    struct MarketOptions: MarketBlock {
        var marketType: String?
        var spot: Spot?

        struct Spot: SpotBlock {
            var blockDurationMinutes: Int?
            var interruptionBehavior: String?
            var maximumPrice: String?
            var type: String?
            var validUntil: String?

            static let wire: [WireField<Self>] =
                [
                    .integer(
                        "block_duration_minutes", \.blockDurationMinutes, "BlockDurationMinutes",
                        "How long it is asked for; AWS takes this from old accounts only.")
                ] + spotWire("Whether the request stays when the instance is gone; groups want `one-time`.")
        }

        static let wire = marketWire
    }

    struct CPUOptions: CPUBlock {
        var coreCount: Int?
        var threadsPerCore: Int?
        var amdSEVSNP: String?
        static let wire = cpuWire
    }

    struct CapacityReservation: CapacityBlock {
        var preference: String?
        var target: Target?

        struct Target: ReservationBlock {
            var id: String?
            var groupARN: String?
            static let wire = reservationWire
        }

        static let wire = capacityWire()
    }

    struct CreditSpecification: WireBlock {
        var cpuCredits: String?
        static let wire: [WireField<Self>] = [
            .string(
                "cpu_credits", \.cpuCredits, "CpuCredits", constraints: [.allowed(["standard", "unlimited"])],
                "Whether the machine may borrow processor time.")
        ]
    }

    struct Switch: WireBlock {
        var isEnabled: Bool?
        static let wire: [WireField<Self>] = [
            .boolean("enabled", \.isEnabled, "Enabled", "Whether it is on.")
        ]
    }

    struct HibernationOptions: WireBlock {
        var isConfigured: Bool?
        static let wire: [WireField<Self>] = [
            .boolean("configured", \.isConfigured, "Configured", "Whether it can hibernate.")
        ]
    }

    struct License: WireBlock {
        var configurationARN: String?
        static let wire: [WireField<Self>] = [
            .string(
                "license_configuration_arn", \.configurationARN, "LicenseConfigurationArn",
                "The licence configuration.")
        ]
    }

    struct MaintenanceOptions: WireBlock {
        var autoRecovery: String?
        static let wire: [WireField<Self>] = [
            .string(
                "auto_recovery", \.autoRecovery, "AutoRecovery", constraints: [.allowed(["default", "disabled"])],
                "Whether AWS moves it when its machine fails.")
        ]
    }

    struct PrivateDNSNameOptions: WireBlock {
        var hasAAAARecord: Bool?
        var hasARecord: Bool?
        var hostnameType: String?

        static let wire: [WireField<Self>] = [
            .boolean(
                "enable_resource_name_dns_aaaa_record", \.hasAAAARecord, "EnableResourceNameDnsAAAARecord",
                "Whether the name made of the id has an AAAA record."),
            .boolean(
                "enable_resource_name_dns_a_record", \.hasARecord, "EnableResourceNameDnsARecord",
                "Whether the name made of the id has an A record."),
            .string(
                "hostname_type", \.hostnameType, "HostnameType",
                constraints: [.allowed(["ip-name", "resource-name"])],
                "Whether the name is made of the address or of the id."),
        ]
    }

    struct TagSpecification: WireBlock {
        var resourceType: String?
        var tags: [String: String]?

        static let wire: [WireField<Self>] = [
            .string(
                "resource_type", \.resourceType, "ResourceType",
                "What is tagged as it is made: `instance`, `volume`, `network-interface`, …"),
            WireField(
                field: .argument("tags", \.tags, absence: .means(.map([:])), "The tags."), name: "Tag",
                encode: { .keyValues($0.tags ?? [:]) }, decode: { $1.tags = $0.tags }),
        ]
    }
}
