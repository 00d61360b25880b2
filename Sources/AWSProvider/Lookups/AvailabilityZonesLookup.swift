import AWSClient
import MusterModel
import ProviderKit

/// The zones of the region.
///
/// Calls: `DescribeAvailabilityZones`.
struct AvailabilityZonesLookup: Lookup {
    struct Arguments: ArgumentBlock {
        var state: String?
        var zoneType: String?
        var excludedNames: [String]?

        static let fields: [Field<Self>] = [
            .argument(
                "state", \.state, constraints: [.allowed(["available", "information", "impaired", "unavailable"])],
                "The state; `available` if it is left out."),
            .argument(
                "zone_type", \.zoneType,
                constraints: [.allowed(["availability-zone", "local-zone", "wavelength-zone"])],
                "The kind; `availability-zone` if it is left out."),
            .argument("exclude_names", \.excludedNames, "Zones that do not count."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var names: [String]?
        var zoneIDs: [String]?

        static let fields: [Field<Self>] = [
            .output("names", \.names, "Their names (`us-east-1a`), sorted."),
            .output(
                "zone_ids", \.zoneIDs,
                "Their ids (`use1-az1`), in the order of the names; ids mean the same in every account."),
        ]
    }

    static let schema = makeSchema("availability_zones", "The availability zones of the region.")

    let aws: AWSSession

    func find(_ arguments: Arguments) async throws(ProviderError) -> Outputs {
        let zones = try await aws.ec2Now(
            "DescribeAvailabilityZones", at: "availabilityZoneInfo",
            [
                ("state", [arguments.state.filled ?? "available"]),
                ("zone-type", [arguments.zoneType.filled ?? "availability-zone"]),
                ("opt-in-status", ["opt-in-not-required", "opted-in"]),
            ], pageSize: nil
        ).filter { !(arguments.excludedNames ?? []).contains($0["zoneName"].text) }
            .sorted { $0["zoneName"].text < $1["zoneName"].text }
        return Outputs(names: zones.map { $0["zoneName"].text }, zoneIDs: zones.map { $0["zoneId"].text })
    }
}
