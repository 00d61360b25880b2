import AWSClient
import MusterModel
import ProviderKit

/// A subnet group of ElastiCache: the subnets that a cache may stand in.
///
/// Calls: `CreateCacheSubnetGroup`, `DescribeCacheSubnetGroups`, `ListTagsForResource` (where tags are declared),
/// `ModifyCacheSubnetGroup`, `AddTagsToResource`, `RemoveTagsFromResource`, `DeleteCacheSubnetGroup`.
struct ElastiCacheSubnetGroup: ManagedResource {
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
                constraints: [.count(1, 1000)], holds: true, "The subnets, in one VPC."),
            .argument(
                "tags", \.tags, absence: .means(.map([:])), semantics: .tags, needsOwnRead: true,
                "Tags by key. Keys set by others are left alone; the workspace's and the stack's tags are merged in."),
        ]

        static let defaultDescription = "Managed by muster"
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

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let groups = Dictionary(
            try await listing().map { ($0["CacheSubnetGroupName"].text, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            guard let group = groups[object.id.rawValue] else { continue }
            var observed = observed(group)
            if object.declared.contains("tags") {
                guard let tags = try await aws.tags(.elasticache, of: group["ARN"].text) else { continue }
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
        let tags = try await aws.tags(.elasticache, of: group["ARN"].text) ?? [:]
        return Found(observed(group), isOurs: tags[intent.tag.key] == intent.tag.value)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.change(
            .elasticache, "CreateCacheSubnetGroup",
            [
                "CacheSubnetGroupName": .string(desired.name.lowercased()),
                "CacheSubnetGroupDescription": .string(desired.description.filled ?? Arguments.defaultDescription),
                "SubnetIds": .set(desired.subnetIDs, as: "SubnetIdentifier"),
                "Tags": aws.rdsTags(desired.tags, intent),
            ])
        return observed(answer["CacheSubnetGroup"])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        var observed: Observed<Self>?
        let isDescriptionChanged = new.description.filled != nil && new.description != old.description
        if setDifference(old.subnetIDs, new.subnetIDs) != ([], []) || isDescriptionChanged {
            let answer = try await aws.change(
                .elasticache, "ModifyCacheSubnetGroup",
                [
                    "CacheSubnetGroupName": .string(id.rawValue),
                    "CacheSubnetGroupDescription": .nonEmpty(new.description),
                    "SubnetIds": .set(new.subnetIDs, as: "SubnetIdentifier"),
                ])
            observed = self.observed(answer["CacheSubnetGroup"])
        }
        if old.tags != new.tags, new.tags != nil {
            guard let group = try await named(id.rawValue) else { throw Self.gone(id) }
            try await aws.updateTags(.elasticache, of: group["ARN"].text, from: old.tags, to: new.tags)
        }
        return observed
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.elasticache, "DeleteCacheSubnetGroup", ["CacheSubnetGroupName": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { RemoteID(text.lowercased()) }

    private func listing() async throws(ProviderError) -> [XMLElement] {
        try await aws.markerList(.elasticache, "DescribeCacheSubnetGroups", at: "CacheSubnetGroups")
    }

    private func named(_ name: String) async throws(ProviderError) -> XMLElement? {
        try await aws.markerNamed(
            .elasticache, "DescribeCacheSubnetGroups", at: "CacheSubnetGroups", "CacheSubnetGroupName",
            name.lowercased())
    }

    // MARK: - Wire format

    private func observed(_ group: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = group["CacheSubnetGroupName"].text
        arguments.description = group["CacheSubnetGroupDescription"].text
        arguments.subnetIDs = group["Subnets"].items.map { $0["SubnetIdentifier"].text }.sorted()
        var outputs = Outputs()
        outputs.arn = group["ARN"].nonEmpty
        outputs.vpcID = group["VpcId"].nonEmpty
        return Observed(id: RemoteID(arguments.name), arguments: arguments, outputs: outputs)
    }
}
