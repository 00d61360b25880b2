import AWSClient
import MusterModel
import ProviderKit

/// A DB subnet group: the subnets that a database may stand in.
///
/// Calls: `CreateDBSubnetGroup`, `DescribeDBSubnetGroups`, `ListTagsForResource` (where tags are declared),
/// `ModifyDBSubnetGroup`, `AddTagsToResource`, `RemoveTagsFromResource`, `DeleteDBSubnetGroup`.
///
/// A group never leaves its VPC, and a database never moves between two groups of one VPC: change the subnets of a group
/// in place, and keep its name.
struct DBSubnetGroup: ManagedResource {
    struct Arguments: ArgumentBlock {
        var name = ""
        var description: String?
        var subnetIDs: [String]?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required(
                "name", \.name, onChange: .replace, semantics: .caseInsensitive, constraints: [.length(1, 255)],
                "The name; AWS keeps it in lower case."),
            .argument(
                "description", \.description, constraints: [.length(1, 255)],
                "What it is for; \"\(defaultDescription)\" if it is left out."),
            .argument(
                "subnet_ids", \.subnetIDs, type: .set(.string), isRequired: true, reference: .subnet,
                constraints: [.count(2, 1000)], holds: true, "The subnets, in at least two zones of one VPC."),
            .argument(
                "tags", \.tags, absence: .means(.map([:])), semantics: .tags, needsOwnRead: true,
                "Tags by key. Keys set by others are left alone; the workspace's and the stack's tags are merged in."),
        ]

        static let defaultDescription = "Managed by muster"
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

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let groups = Dictionary(
            try await listing().map { ($0["DBSubnetGroupName"].text, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            guard let group = groups[object.id.rawValue] else { continue }
            var observed = observed(group)
            if object.declared.contains("tags") {
                guard let tags = try await aws.tags(.rds, of: group["DBSubnetGroupArn"].text) else { continue }
                observed.arguments.tags = tags
            }
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await listing().map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let group = try await named(desired.name) else { return nil }
        let tags = try await aws.tags(.rds, of: group["DBSubnetGroupArn"].text) ?? [:]
        return Found(observed(group), isOurs: tags[intent.tag.key] == intent.tag.value)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.change(
            .rds, "CreateDBSubnetGroup",
            [
                "DBSubnetGroupName": .string(desired.name.lowercased()),
                "DBSubnetGroupDescription": .string(desired.description.filled ?? Arguments.defaultDescription),
                "SubnetIds": subnets(desired), "Tags": aws.rdsTags(desired.tags, intent),
            ])
        return observed(answer["DBSubnetGroup"])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let subnetsChange = setDifference(old.subnetIDs, new.subnetIDs) != ([], [])
        let isDescriptionChanged = new.description.filled != nil && new.description != old.description
        var observed: Observed<Self>?
        if subnetsChange || isDescriptionChanged {
            let answer = try await aws.change(
                .rds, "ModifyDBSubnetGroup",
                [
                    "DBSubnetGroupName": .string(id.rawValue),
                    "DBSubnetGroupDescription": .nonEmpty(new.description), "SubnetIds": subnets(new),
                ])
            observed = self.observed(answer["DBSubnetGroup"])
        }
        if old.tags != new.tags, new.tags != nil {
            guard let group = try await named(id.rawValue) else { throw Self.gone(id) }
            try await aws.updateTags(.rds, of: group["DBSubnetGroupArn"].text, from: old.tags, to: new.tags)
        }
        return observed
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.rds, "DeleteDBSubnetGroup", ["DBSubnetGroupName": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { RemoteID(text.lowercased()) }

    private func listing() async throws(ProviderError) -> [XMLElement] {
        try await aws.markerList(.rds, "DescribeDBSubnetGroups", at: "DBSubnetGroups")
    }

    private func named(_ name: String) async throws(ProviderError) -> XMLElement? {
        try await aws.markerNamed(
            .rds, "DescribeDBSubnetGroups", at: "DBSubnetGroups", "DBSubnetGroupName", name.lowercased())
    }

    // MARK: - Wire format

    private func subnets(_ arguments: Arguments) -> AWSInput {
        .strings(Set(arguments.subnetIDs ?? []).sorted(), as: .members("SubnetIdentifier"))
    }

    private func observed(_ group: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = group["DBSubnetGroupName"].text
        arguments.description = group["DBSubnetGroupDescription"].text
        arguments.subnetIDs = group["Subnets"].items.map { $0["SubnetIdentifier"].text }.sorted()
        var outputs = Outputs()
        outputs.arn = group["DBSubnetGroupArn"].nonEmpty
        outputs.vpcID = group["VpcId"].nonEmpty
        outputs.networkTypes = group["SupportedNetworkTypes"].texts
        return Observed(id: RemoteID(arguments.name), arguments: arguments, outputs: outputs)
    }
}

extension ManagedResource {
    /// An error for an object that went between the plan and the call.
    static func gone(_ id: RemoteID) -> ProviderError {
        ProviderError(.notFound, "There is no \(type) \"\(id)\" any more.")
    }
}
