import AWSClient
import MusterModel
import ProviderKit

/// A VPC that is not managed here.
///
/// Calls: `DescribeVpcs`.
struct VPCLookup: Lookup {
    struct Arguments: ArgumentBlock {
        var id: String?
        var isDefault: Bool?
        var cidrBlock: String?
        var name: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .argument("id", \.id, "The id (`vpc-…`)."),
            .argument("default", \.isDefault, "Whether it is the region's default VPC."),
            .argument("cidr_block", \.cidrBlock, semantics: .cidr, constraints: [.ipv4CIDR], "Its first network."),
            .argument("name", \.name, "The tag `Name`."),
            .argument("tags", \.tags, "Tags that it has."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var id: String?
        var arn: String?
        var cidrBlock: String?
        var ipv6CIDRBlock: String?
        var isDefault: Bool?
        var instanceTenancy: String?
        var ownerID: String?
        var dhcpOptionsID: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .output("id", \.id, "The id (`vpc-…`)."),
            .output("arn", \.arn, "The ARN."),
            .output("cidr_block", \.cidrBlock, "Its first network."),
            .output("ipv6_cidr_block", \.ipv6CIDRBlock, "Its IPv6 network, \"\" without one."),
            .output("default", \.isDefault, "Whether it is the region's default VPC."),
            .output("instance_tenancy", \.instanceTenancy, "`default` or `dedicated`."),
            .output("owner_id", \.ownerID, "The account that owns it."),
            .output("dhcp_options_id", \.dhcpOptionsID, "The DHCP options in use."),
            .output("tags", \.tags, "Its tags."),
        ]
    }

    static let schema = makeSchema("vpcs", "A VPC that is not managed here.")

    let aws: AWSSession

    func find(_ arguments: Arguments) async throws(ProviderError) -> Outputs {
        var filters = filter("vpc-id", arguments.id) + filter("tag:Name", arguments.name)
        filters += filter("cidr", arguments.cidrBlock.map(canonicalNetwork))
        filters += filter("is-default", arguments.isDefault.map { "\($0)" }) + tagFilters(arguments.tags)
        let vpc = try one(
            of: try await aws.ec2Now("DescribeVpcs", at: "vpcSet", filters),
            asked: [
                ("id", arguments.id), ("default", arguments.isDefault.map { "\($0)" }),
                ("cidr_block", arguments.cidrBlock), ("name", arguments.name), ("tags", conditions(arguments.tags)),
            ], narrow: "Narrow it with \"name\", \"cidr_block\", \"tags\" or \"id\".",
            describe: { "\($0["vpcId"].text) (\($0["cidrBlock"].text))" })
        return outputs(vpc)
    }

    // MARK: - Wire format

    private func outputs(_ vpc: XMLElement) -> Outputs {
        var outputs = Outputs()
        outputs.id = vpc["vpcId"].text
        outputs.ownerID = vpc["ownerId"].text
        outputs.arn = aws.ec2ARN("vpc/\(vpc["vpcId"].text)", account: vpc["ownerId"].text)
        outputs.cidrBlock = vpc["cidrBlock"].text
        outputs.ipv6CIDRBlock =
            vpc["ipv6CidrBlockAssociationSet"].items
            .first { $0["ipv6CidrBlockState"]["state"].text == "associated" }?["ipv6CidrBlock"].text ?? ""
        outputs.isDefault = vpc["isDefault"].boolean ?? false
        outputs.instanceTenancy = vpc["instanceTenancy"].text
        outputs.dhcpOptionsID = vpc["dhcpOptionsId"].text
        outputs.tags = vpc.tags
        return outputs
    }
}
