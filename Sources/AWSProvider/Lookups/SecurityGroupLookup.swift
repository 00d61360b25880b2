import AWSClient
import MusterModel
import ProviderKit

/// A security group that is not managed here.
///
/// Calls: `DescribeSecurityGroups`.
struct SecurityGroupLookup: Lookup {
    struct Arguments: ArgumentBlock {
        var id: String?
        var name: String?
        var vpcID: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .argument("id", \.id, "The id (`sg-…`)."),
            .argument("name", \.name, "The group's own name, such as `default`."),
            .argument("vpc_id", \.vpcID, "The VPC that it belongs to."),
            .argument("tags", \.tags, "Tags that it has."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var id: String?
        var arn: String?
        var name: String?
        var description: String?
        var vpcID: String?
        var ownerID: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .output("id", \.id, "The id (`sg-…`)."),
            .output("arn", \.arn, "The ARN."),
            .output("name", \.name, "The group's own name."),
            .output("description", \.description, "The description."),
            .output("vpc_id", \.vpcID, "The VPC that it belongs to."),
            .output("owner_id", \.ownerID, "The account that owns it."),
            .output("tags", \.tags, "Its tags."),
        ]
    }

    static let schema = makeSchema("security_groups", "A security group that is not managed here.")

    let aws: AWSSession

    func find(_ arguments: Arguments) async throws(ProviderError) -> Outputs {
        var filters = filter("group-id", arguments.id) + filter("group-name", arguments.name)
        filters += filter("vpc-id", arguments.vpcID) + tagFilters(arguments.tags)
        let group = try one(
            of: try await aws.ec2Now("DescribeSecurityGroups", at: "securityGroupInfo", filters),
            asked: [
                ("id", arguments.id), ("name", arguments.name), ("vpc_id", arguments.vpcID),
                ("tags", conditions(arguments.tags)),
            ], narrow: "Narrow it with \"vpc_id\", \"name\", \"tags\" or \"id\".",
            describe: { "\($0["groupId"].text) (\($0["groupName"].text) in \($0["vpcId"].text))" })
        return outputs(group)
    }

    // MARK: - Wire format

    private func outputs(_ group: XMLElement) -> Outputs {
        var outputs = Outputs()
        let id = group["groupId"].text
        outputs.id = id
        outputs.ownerID = group["ownerId"].text
        outputs.arn =
            group["securityGroupArn"].nonEmpty
            ?? aws.ec2ARN("security-group/\(id)", account: group["ownerId"].text)
        outputs.name = group["groupName"].text
        outputs.description = group["groupDescription"].text
        outputs.vpcID = group["vpcId"].text
        outputs.tags = group.tags
        return outputs
    }
}
