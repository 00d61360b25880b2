import AWSClient
import MusterModel
import ProviderKit

/// A DB subnet group: the subnets that a database may stand in.
///
/// Calls: `CreateDBSubnetGroup`, `DescribeDBSubnetGroups`, `ListTagsForResource` (where tags are declared),
/// `ModifyDBSubnetGroup`, `AddTagsToResource`, `RemoveTagsFromResource`, `DeleteDBSubnetGroup`; see `NamedGroups.swift`.
///
/// A group never leaves its VPC, and a database never moves between two groups of one VPC: change the subnets of a group
/// in place, and keep its name.
struct DBSubnetGroup: SubnetGroup {
    struct Arguments: SubnetGroupArguments {
        var name = ""
        var description: String?
        var subnetIDs: [String]?
        var tags: [String: String]?

        static let fields: [Field<Self>] = groupFields(2, "The subnets, in at least two zones of one VPC.")
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var vpcID: String?
        var networkTypes: [String]?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("vpc_id", \.vpcID, "The VPC of its subnets."),
            .output(
                "supported_network_types", \.networkTypes, changesWith: ["subnet_ids"],
                "`IPV4`, and `DUAL` where the subnets have IPv6."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.db_subnet_group", "The subnets that a database may stand in.",
        naming: .unique(argument: "name", maximumLength: 255), replacement: .createFirst,
        importSyntax: "the group's name")

    let aws: AWSSession

    // MARK: - Wire format

    static let service = AWSService.rds
    static let noun = "DBSubnetGroup"
    static let arnMember = "DBSubnetGroupArn"

    func outputs(_ group: XMLElement) -> Outputs {
        Outputs(
            arn: group[Self.arnMember].nonEmpty, vpcID: group["VpcId"].nonEmpty,
            networkTypes: group["SupportedNetworkTypes"].texts)
    }
}
