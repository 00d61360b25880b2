import AWSClient
import MusterModel
import ProviderKit

/// A subnet that is not managed here.
///
/// Calls: `DescribeSubnets`.
struct SubnetLookup: Lookup {
    struct Arguments: ArgumentBlock {
        var id: String?
        var vpcID: String?
        var availabilityZone: String?
        var cidrBlock: String?
        var isDefault: Bool?
        var name: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .argument("id", \.id, "The id (`subnet-…`)."),
            .argument("vpc_id", \.vpcID, "The VPC that it is part of."),
            .argument("availability_zone", \.availabilityZone, "The zone, by name."),
            .argument("cidr_block", \.cidrBlock, semantics: .cidr, constraints: [.ipv4CIDR], "Its network."),
            .argument("default_for_az", \.isDefault, "Whether it is the default of its zone."),
            .argument("name", \.name, "The tag `Name`."),
            .argument("tags", \.tags, "Tags that it has."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var id: String?
        var arn: String?
        var vpcID: String?
        var cidrBlock: String?
        var availabilityZone: String?
        var availabilityZoneID: String?
        var freeAddresses: Int?
        var isDefault: Bool?
        var mapsPublicIP: Bool?
        var ownerID: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .output("id", \.id, "The id (`subnet-…`)."),
            .output("arn", \.arn, "The ARN."),
            .output("vpc_id", \.vpcID, "The VPC that it is part of."),
            .output("cidr_block", \.cidrBlock, "Its network."),
            .output("availability_zone", \.availabilityZone, "The zone, by name."),
            .output("availability_zone_id", \.availabilityZoneID, "The zone, by id."),
            .output("available_ip_address_count", \.freeAddresses, "How many addresses are free."),
            .output("default_for_az", \.isDefault, "Whether it is the default of its zone."),
            .output("map_public_ip_on_launch", \.mapsPublicIP, "Whether instances get public addresses."),
            .output("owner_id", \.ownerID, "The account that owns it."),
            .output("tags", \.tags, "Its tags."),
        ]
    }

    static let schema = makeSchema("subnets", "A subnet that is not managed here.")

    let aws: AWSSession

    func find(_ arguments: Arguments) async throws(ProviderError) -> Outputs {
        var filters = filter("subnet-id", arguments.id) + filter("vpc-id", arguments.vpcID)
        filters += filter("availability-zone", arguments.availabilityZone)
        filters += filter("cidr-block", arguments.cidrBlock.map(canonicalNetwork))
        filters += filter("default-for-az", arguments.isDefault.map { "\($0)" })
        filters += filter("tag:Name", arguments.name) + tagFilters(arguments.tags)
        let subnet = try one(
            of: try await aws.ec2Now("DescribeSubnets", at: "subnetSet", filters),
            asked: [
                ("id", arguments.id), ("vpc_id", arguments.vpcID), ("availability_zone", arguments.availabilityZone),
                ("cidr_block", arguments.cidrBlock), ("default_for_az", arguments.isDefault.map { "\($0)" }),
                ("name", arguments.name), ("tags", conditions(arguments.tags)),
            ], narrow: "Narrow it with \"vpc_id\", \"availability_zone\", \"name\", \"tags\" or \"id\".",
            describe: { "\($0["subnetId"].text) (\($0["cidrBlock"].text) in \($0["availabilityZone"].text))" })
        return outputs(subnet)
    }

    // MARK: - Wire format

    private func outputs(_ subnet: XMLElement) -> Outputs {
        var outputs = Outputs()
        let id = subnet["subnetId"].text
        outputs.id = id
        outputs.ownerID = subnet["ownerId"].text
        outputs.arn =
            subnet["subnetArn"].nonEmpty ?? aws.ec2ARN("subnet/\(id)", account: subnet["ownerId"].text)
        outputs.vpcID = subnet["vpcId"].text
        outputs.cidrBlock = subnet["cidrBlock"].text
        outputs.availabilityZone = subnet["availabilityZone"].text
        outputs.availabilityZoneID = subnet["availabilityZoneId"].text
        outputs.freeAddresses = subnet["availableIpAddressCount"].integer
        outputs.isDefault = subnet["defaultForAz"].boolean ?? false
        outputs.mapsPublicIP = subnet["mapPublicIpOnLaunch"].boolean ?? false
        outputs.tags = subnet.tags
        return outputs
    }
}
