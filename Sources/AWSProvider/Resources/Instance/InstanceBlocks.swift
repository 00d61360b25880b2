import MusterModel
import ProviderKit

// The nested blocks of an instance.

struct LaunchTemplateChoice: ArgumentBlock {
    var id: String?
    var name: String?
    var version: String?

    static let fields: [Field<Self>] = [
        .argument("id", \.id, onChange: .replace, constraints: [.conflictsWith(["name"])], "The template, by id."),
        .argument("name", \.name, onChange: .replace, "The template, by name."),
        .argument("version", \.version, onChange: .replace, "A number, `$Default` or `$Latest`."),
    ]
}

struct NetworkInterfaceChoice: ArgumentBlock {
    var deviceIndex = 0
    var networkInterfaceID = ""
    var networkCardIndex: Int?
    var isDeletedOnTermination: Bool?

    static let fields: [Field<Self>] = [
        .required("device_index", \.deviceIndex, onChange: .replace, "Its place among the interfaces, from 0."),
        .required("network_interface_id", \.networkInterfaceID, onChange: .replace, "The interface (`eni-…`)."),
        .argument(
            "network_card_index", \.networkCardIndex, onChange: .replace, "The network card, on machines with several."),
        .argument(
            "delete_on_termination", \.isDeletedOnTermination, onChange: .replace,
            "Whether it goes with the instance; false for AWS."),
    ]
}

struct CPUOptions: CPUBlock {
    var coreCount: Int?
    var threadsPerCore: Int?
    var amdSEVSNP: String?

    static let wire = cpuWire.map(\.unmanaged.replacing)
}

struct EnclaveOptions: ArgumentBlock {
    var isEnabled: Bool?

    static let fields: [Field<Self>] = [
        .argument("enabled", \.isEnabled, onChange: .replace, "Whether enclaves may run on it.")
    ]
}

struct CreditSpecification: ArgumentBlock {
    var cpuCredits: String?

    static let fields: [Field<Self>] = [
        .argument(
            "cpu_credits", \.cpuCredits, constraints: [.allowed(["standard", "unlimited"])],
            "Whether the machine may borrow processor time.")
    ]
}

struct MaintenanceOptions: ArgumentBlock {
    var autoRecovery: String?

    static let fields: [Field<Self>] = [
        .argument(
            "auto_recovery", \.autoRecovery, constraints: [.allowed(["default", "disabled"])],
            "Whether AWS moves it when its machine fails.")
    ]
}

struct PrivateDNSNameOptions: ArgumentBlock {
    var hostnameType: String?
    var hasARecord: Bool?
    var hasAAAARecord: Bool?

    static let fields: [Field<Self>] = [
        .argument(
            "hostname_type", \.hostnameType, onChange: .updateWithDowntime,
            constraints: [.allowed(["ip-name", "resource-name"])],
            "Whether the name is made of the address or of the id. For the other one the instance is stopped and "
                + "started."),
        .argument(
            "enable_resource_name_dns_a_record", \.hasARecord, "Whether the name made of the id has an A record."),
        .argument(
            "enable_resource_name_dns_aaaa_record", \.hasAAAARecord,
            "Whether the name made of the id has an AAAA record."),
    ]
}

struct CapacityReservation: CapacityBlock {
    var preference: String?
    var target: Target?

    struct Target: ReservationBlock {
        var id: String?
        var groupARN: String?
        static let wire = reservationWire.map(\.unmanaged)
    }

    static let wire = capacityWire([.conflictsWith(["capacity_reservation_target"])]).map(\.unmanaged)
}

struct MarketOptions: MarketBlock {
    var marketType: String?
    var spot: Spot?

    struct Spot: SpotBlock {
        var interruptionBehavior: String?
        var maximumPrice: String?
        var type: String?
        var validUntil: String?

        static let wire = spotWire("Whether the request stays when the instance is gone.").map(\.unmanaged.replacing)
    }

    static let wire = marketWire.map(\.unmanaged.replacing)
}

/// What the root volume and other volumes have in common.
protocol VolumeArguments: ArgumentBlock {
    var size: Int? { get set }
    var type: String? { get set }
    var iops: Int? { get set }
    var throughput: Int? { get set }
    var isEncrypted: Bool? { get set }
    var kmsKeyID: String? { get set }
    var isDeletedOnTermination: Bool? { get set }
}

extension VolumeArguments {
    fileprivate static var volumeFields: [Field<Self>] {
        [
            .argument("volume_size", \.size, constraints: [.range(1, 65_536)], "The size in GiB; it can only grow."),
            .argument(
                "volume_type", \.type,
                constraints: [.allowed(["gp3", "gp2", "io1", "io2", "st1", "sc1", "standard"])], "The kind of disk."),
            .argument("iops", \.iops, "Operations a second, where the type has a choice."),
            .argument("throughput", \.throughput, "MiB a second, for gp3."),
            .argument("encrypted", \.isEncrypted, onChange: .replace, "Whether it is encrypted."),
            .argument("kms_key_id", \.kmsKeyID, onChange: .replace, "The key to encrypt with."),
            .argument(
                "delete_on_termination", \.isDeletedOnTermination, absence: .means(true),
                "Whether it goes with the instance."),
        ]
    }
}

struct RootBlockDevice: VolumeArguments {
    var size: Int?
    var type: String?
    var iops: Int?
    var throughput: Int?
    var isEncrypted: Bool?
    var kmsKeyID: String?
    var isDeletedOnTermination: Bool?

    static let fields = volumeFields
}

struct BlockDevice: VolumeArguments {
    var deviceName = ""
    var snapshotID: String?
    var size: Int?
    var type: String?
    var iops: Int?
    var throughput: Int?
    var isEncrypted: Bool?
    var kmsKeyID: String?
    var isDeletedOnTermination: Bool?

    static let fields: [Field<Self>] =
        [
            .required("device_name", \.deviceName, onChange: .replace, "The device, such as `/dev/sdf`."),
            .argument("snapshot_id", \.snapshotID, onChange: .replace, "The snapshot to start from."),
        ] + volumeFields
}

struct EphemeralDevice: ArgumentBlock {
    var deviceName = ""
    var virtualName: String?
    var isLeftOut: Bool?

    static let fields: [Field<Self>] = [
        .required("device_name", \.deviceName, onChange: .replace, "The device, such as `/dev/sdb`."),
        .argument("virtual_name", \.virtualName, onChange: .replace, "The machine's volume, such as `ephemeral0`."),
        .argument("no_device", \.isLeftOut, onChange: .replace, "Whether a device of the image is left out."),
    ]
}
