import AWSClient
import MusterModel
import ProviderKit

/// A subnet group of ElastiCache: the subnets that a cache may stand in.
///
/// Calls: `CreateCacheSubnetGroup`, `DescribeCacheSubnetGroups`, `ListTagsForResource` (where tags are declared),
/// `ModifyCacheSubnetGroup`, `AddTagsToResource`, `RemoveTagsFromResource`, `DeleteCacheSubnetGroup`; see
/// `NamedGroups.swift`.
struct ElastiCacheSubnetGroup: SubnetGroup {
    struct Arguments: SubnetGroupArguments {
        var name = ""
        var description: String?
        var subnetIDs: [String]?
        var tags: [String: String]?

        static let fields: [Field<Self>] = groupFields(1, "The subnets, in one VPC.")
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var vpcID: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."), .output("vpc_id", \.vpcID, "The VPC of its subnets."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.elasticache_subnet_group", "The subnets that a cache may stand in.",
        naming: .unique(argument: "name", maximumLength: 255), replacement: .createFirst,
        importSyntax: "the group's name")

    let aws: AWSSession

    // MARK: - Wire format

    static let service = AWSService.elasticache
    static let noun = "CacheSubnetGroup"
    static let arnMember = "ARN"

    func outputs(_ group: XMLElement) -> Outputs {
        Outputs(arn: group[Self.arnMember].nonEmpty, vpcID: group["VpcId"].nonEmpty)
    }
}
