import AWSClient
import MusterModel
import ProviderKit

// Blocks that instances, launch templates and launch configurations have alike.

/// What all three say of the metadata service.
protocol MetadataBlock: WireBlock {
    var endpoint: String? { get set }
    var tokens: String? { get set }
    var hopLimit: Int? { get set }
}

extension MetadataBlock {
    /// AWS may tell more than it was given, so that members that are left out are not compared.
    static func metadataWire(told answer: AnswerName = .lowerCamel) -> [WireField<Self>] {
        [
            .string(
                "http_endpoint", \.endpoint, "HttpEndpoint", told: answer, absence: .unmanaged,
                constraints: [.allowed(["enabled", "disabled"])], "Whether it answers."),
            .string(
                "http_tokens", \.tokens, "HttpTokens", told: answer, absence: .unmanaged,
                constraints: [.allowed(["required", "optional"])], "Whether it wants session tokens (IMDSv2)."),
            .integer(
                "http_put_response_hop_limit", \.hopLimit, "HttpPutResponseHopLimit", told: answer,
                absence: .unmanaged, constraints: [.range(1, 64)],
                "How many hops its answers survive; containers need 2."),
        ]
    }
}

struct MetadataOptions: MetadataBlock {
    var endpoint: String?
    var tokens: String?
    var hopLimit: Int?
    var ipv6: String?
    var tags: String?

    static let wire: [WireField<Self>] =
        metadataWire() + [
            .string(
                "http_protocol_ipv6", \.ipv6, "HttpProtocolIpv6", absence: .unmanaged, constraints: [onOff],
                "Whether it answers over IPv6."),
            .string(
                "instance_metadata_tags", \.tags, "InstanceMetadataTags", absence: .unmanaged, constraints: [onOff],
                "Whether it tells the tags."),
        ]

    private static let onOff = Constraint.allowed(["enabled", "disabled"])
}

/// Cores and threads.
protocol CPUBlock: WireBlock {
    var coreCount: Int? { get set }
    var threadsPerCore: Int? { get set }
    var amdSEVSNP: String? { get set }
}

extension CPUBlock {
    static var cpuWire: [WireField<Self>] {
        [
            .integer("core_count", \.coreCount, "CoreCount", "How many cores."),
            .integer("threads_per_core", \.threadsPerCore, "ThreadsPerCore", "1 turns hyper-threading off."),
            .string(
                "amd_sev_snp", \.amdSEVSNP, "AmdSevSnp", constraints: [.allowed(["enabled", "disabled"])],
                "Whether memory is encrypted by AMD SEV-SNP."),
        ]
    }
}

/// A reservation, by itself or by its group.
protocol ReservationBlock: WireBlock {
    var id: String? { get set }
    var groupARN: String? { get set }
}

extension ReservationBlock {
    static var reservationWire: [WireField<Self>] {
        [
            .string("capacity_reservation_id", \.id, "CapacityReservationId", "The reservation."),
            .string(
                "capacity_reservation_resource_group_arn", \.groupARN, "CapacityReservationResourceGroupArn",
                "The group of reservations."),
        ]
    }
}

/// Which reserved capacity a machine may use.
protocol CapacityBlock: WireBlock {
    associatedtype Target: ReservationBlock
    var preference: String? { get set }
    var target: Target? { get set }
}

extension CapacityBlock {
    static func capacityWire(_ constraints: [Constraint] = []) -> [WireField<Self>] {
        [
            .string(
                "capacity_reservation_preference", \.preference, "CapacityReservationPreference",
                constraints: [.allowed(["open", "none", "capacity-reservations-only"])] + constraints,
                "Whether it uses any open reservation that fits, or none."),
            .block("capacity_reservation_target", \.target, "CapacityReservationTarget", "A certain reservation."),
        ]
    }
}

/// The terms of a spot instance.
protocol SpotBlock: WireBlock {
    var interruptionBehavior: String? { get set }
    var maximumPrice: String? { get set }
    var type: String? { get set }
    var validUntil: String? { get set }
}

extension SpotBlock {
    /// - Parameter typeText: what the kind of request means here.
    static func spotWire(_ typeText: String) -> [WireField<Self>] {
        [
            .string(
                "instance_interruption_behavior", \.interruptionBehavior, "InstanceInterruptionBehavior",
                constraints: [.allowed(["hibernate", "stop", "terminate"])], "What happens when AWS wants it back."),
            .string("max_price", \.maximumPrice, "MaxPrice", "The most to pay an hour, in dollars."),
            .string(
                "spot_instance_type", \.type, "SpotInstanceType",
                constraints: [.allowed(["one-time", "persistent"])], typeText),
            WireField(
                field: .argument(
                    "valid_until", \.validUntil, absence: .means(""), "When the request ends, in ISO 8601."),
                name: "ValidUntil", encode: { .nonEmpty($0.validUntil) },
                decode: { $1.validUntil = $0["validUntil"].timestamp?.iso8601 ?? $0["validUntil"].text }),
        ]
    }
}

/// Whether a machine is a spot instance.
protocol MarketBlock: WireBlock {
    associatedtype Spot: SpotBlock
    var marketType: String? { get set }
    var spot: Spot? { get set }
}

extension MarketBlock {
    static var marketWire: [WireField<Self>] {
        [
            .string(
                "market_type", \.marketType, "MarketType", constraints: [.allowed(["spot", "capacity-block"])],
                "`spot`."),
            .block("spot_options", \.spot, "SpotOptions", "The terms."),
        ]
    }
}
