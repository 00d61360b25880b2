import AWSClient
import MusterModel
import ProviderKit

/// A database that is not managed here.
///
/// Calls: `DescribeDBInstances`.
struct DatabaseLookup: Lookup {
    struct Arguments: ArgumentBlock {
        var identifier: String?
        var engine: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .argument("identifier", \.identifier, semantics: .caseInsensitive, "The name."),
            .argument("engine", \.engine, "The engine, such as `mysql`."),
            .argument("tags", \.tags, "Tags that it has."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var identifier: String?
        var arn: String?
        var resourceID: String?
        var address: String?
        var port: Int?
        var endpoint: String?
        var hostedZoneID: String?
        var engine: String?
        var engineVersion: String?
        var instanceClass: String?
        var databaseName: String?
        var username: String?
        var storage: Int?
        var isMultiAZ: Bool?
        var subnetGroup: String?
        var securityGroupIDs: [String]?
        var secretARN: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .output("identifier", \.identifier, "The name."),
            .output("arn", \.arn, "The ARN."),
            .output("resource_id", \.resourceID, "The id that is never given twice (`db-…`)."),
            .output("address", \.address, "Its DNS name."),
            .output("port", \.port, "The port."),
            .output("endpoint", \.endpoint, "Its DNS name and port."),
            .output("hosted_zone_id", \.hostedZoneID, "The zone that an alias to it names."),
            .output("engine", \.engine, "The engine."),
            .output("engine_version", \.engineVersion, "The whole version."),
            .output("instance_class", \.instanceClass, "The size."),
            .output("db_name", \.databaseName, "The first schema."),
            .output("username", \.username, "The name of the master user."),
            .output("allocated_storage", \.storage, "The size in GiB."),
            .output("multi_az", \.isMultiAZ, "Whether it has a standby."),
            .output("db_subnet_group_name", \.subnetGroup, "Its subnet group."),
            .output("vpc_security_group_ids", \.securityGroupIDs, "The groups that guard it."),
            .output("master_user_secret_arn", \.secretARN, "The secret with the password that RDS made, if it did."),
            .output("tags", \.tags, "Its tags."),
        ]
    }

    static let schema = makeSchema("databases", "A database of RDS that is not managed here.")

    let aws: AWSSession

    func find(_ arguments: Arguments) async throws(ProviderError) -> Outputs {
        var filters: [AWSInput] = []
        if let name = arguments.identifier.filled {
            filters.append(["Name": "db-instance-id", "Values": .strings([name.lowercased()], as: .members("Value"))])
        }
        if let engine = arguments.engine.filled {
            filters.append(["Name": "engine", "Values": .strings([engine], as: .members("Value"))])
        }
        let wanted = arguments.tags ?? [:]
        let found = try await aws.markerNow(
            .rds, "DescribeDBInstances", at: "DBInstances",
            filters.isEmpty ? [:] : ["Filters": .list(filters, as: .members("Filter"))]
        ).filter { item in wanted.allSatisfy { item.tagList[$0.key] == $0.value } }
        let database = try one(
            of: found,
            asked: [
                ("identifier", arguments.identifier), ("engine", arguments.engine),
                ("tags", conditions(arguments.tags)),
            ], narrow: "Narrow it with \"identifier\" or \"tags\".",
            describe: { "\($0["DBInstanceIdentifier"].text) (\($0["Engine"].text))" })
        return outputs(database)
    }

    // MARK: - Wire format

    private func outputs(_ item: XMLElement) -> Outputs {
        var outputs = Outputs()
        outputs.identifier = item["DBInstanceIdentifier"].text
        outputs.arn = item["DBInstanceArn"].text
        outputs.resourceID = item["DbiResourceId"].text
        outputs.address = item["Endpoint"]["Address"].text
        outputs.port = item["Endpoint"]["Port"].integer
        outputs.endpoint = "\(item["Endpoint"]["Address"].text):\(item["Endpoint"]["Port"].text)"
        outputs.hostedZoneID = item["Endpoint"]["HostedZoneId"].text
        outputs.engine = item["Engine"].text
        outputs.engineVersion = item["EngineVersion"].text
        outputs.instanceClass = item["DBInstanceClass"].text
        outputs.databaseName = item["DBName"].text
        outputs.username = item["MasterUsername"].text
        outputs.storage = item["AllocatedStorage"].integer
        outputs.isMultiAZ = item["MultiAZ"].boolean
        outputs.subnetGroup = item["DBSubnetGroup"]["DBSubnetGroupName"].text
        outputs.securityGroupIDs = item["VpcSecurityGroups"].items.map { $0["VpcSecurityGroupId"].text }.sorted()
        outputs.secretARN = item["MasterUserSecret"]["SecretArn"].text
        outputs.tags = item.tagList
        return outputs
    }
}
