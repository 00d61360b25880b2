// A replication group of ElastiCache, in three files: what it is and its life (here), its changes in place, and how
// AWS's answers are read.
//
// What its nodes have in common (security groups, version, windows, subnet group) is told by its member clusters only,
// so that a look is two listings. Changes are several calls, and each makes the group busy: an update looks at what is
// there, makes the next change, and fails with "in use" as long as the group is busy, which the applier repeats. The
// token of `AUTH` is told by nobody, so that it is sent last, and once.
//
// AWS makes changes of the number of nodes and of the token only at once, and then everything else that waits: the plan
// says so.

import AWSClient
import MusterModel
import ProviderKit

/// A replication group of ElastiCache: Redis OSS or Valkey on one or more shards.
///
/// Calls: `CreateReplicationGroup`, `DescribeReplicationGroups`, `DescribeCacheClusters`, `ListTagsForResource` (where
/// tags are declared), `ModifyReplicationGroup`, `ModifyReplicationGroupShardConfiguration`, `IncreaseReplicaCount`,
/// `DecreaseReplicaCount`, `AddTagsToResource`, `RemoveTagsFromResource`, `DeleteReplicationGroup`.
struct ReplicationGroup: ManagedResource {
    struct Arguments: ArgumentBlock {
        var groupID = ""
        var description: String?
        var engine: String?
        var engineVersion: String?
        var nodeType: String?
        var nodeCount: Int?
        var shardCount: Int?
        var replicaCount: Int?
        var clusterMode: String?
        var zones: [String]?
        var failsOver: Bool?
        var isMultiAZ: Bool?
        var port: Int?
        var parameterGroup: String?
        var subnetGroup: String?
        var securityGroupIDs: [String]?
        var networkType: String?
        var ipDiscovery: String?
        var isEncrypted: Bool?
        var keyID: String?
        var encryptsTransit: Bool?
        var transitMode: String?
        var token: String?
        var tokenStrategy: String?
        var userGroupIDs: [String]?
        var maintenanceWindow: String?
        var snapshotWindow: String?
        var snapshotDays: Int?
        var snapshotARNs: [String]?
        var snapshot: String?
        var lastSnapshot: String?
        var upgradesItself: Bool?
        var isImmediate: Bool?
        var topicARN: String?
        var logs: [LogDelivery]?
        var hasDataTiering: Bool?
        var globalGroupID: String?
        var tags: [String: String]?

        /// What AWS puts off to the window, unless it is told not to.
        private static let window = ChangeTiming.inWindow("maintenance_window", unless: "apply_immediately")
        private static let flushing = ChangeTiming.later(
            "AWS makes this at once, and with it all changes that wait for the window")

        static let fields: [Field<Self>] = nodeFields + placeFields + secretFields + operationFields

        private static let nodeFields: [Field<Self>] = [
            .required(
                "replication_group_id", \.groupID, onChange: .replace, semantics: .caseInsensitive,
                constraints: [.hyphenated, .length(1, 40)], "The name; AWS keeps it in lower case."),
            .argument(
                "description", \.description, constraints: [.length(1, 255)],
                "What it is for; \"\(defaultDescription)\" if it is left out."),
            .argument(
                "engine", \.engine, onChange: .updateWithDowntime, semantics: .caseInsensitive,
                constraints: [.allowed(["redis", "valkey"])], timing: window,
                "`redis` or `valkey`; AWS turns the one into the other in place, but not back."),
            .argument(
                "engine_version", \.engineVersion, onChange: .updateWithDowntime, semantics: .versionPrefix,
                timing: window, "The version; `7.1` accepts any `7.1.…`."),
            .argument(
                "node_type", \.nodeType, onChange: .updateWithDowntime, timing: window,
                "The size of its nodes, such as `cache.m5.large`."),
            .argument(
                "num_cache_clusters", \.nodeCount,
                constraints: [.range(1, 6), .conflictsWith(["num_node_groups", "replicas_per_node_group"])],
                timing: flushing, "How many nodes a group of one shard has."),
            .argument(
                "num_node_groups", \.shardCount, constraints: [.range(1, 500)], timing: flushing,
                "How many shards it has."),
            .argument(
                "replicas_per_node_group", \.replicaCount, constraints: [.range(0, 5)], timing: flushing,
                "How many replicas each shard has."),
            .argument(
                "cluster_mode", \.clusterMode, constraints: [.allowed(["enabled", "disabled", "compatible"])],
                timing: window, "Whether clients speak to it as a cluster."),
            .argument(
                "automatic_failover_enabled", \.failsOver, timing: window,
                "Whether a replica takes over when the primary fails."),
            .argument(
                "multi_az_enabled", \.isMultiAZ, "Whether replicas stand in other zones."),
            .argument(
                "data_tiering_enabled", \.hasDataTiering, onChange: .replace,
                "Whether what is seldom used goes to disk (r6gd)."),
            .argument(
                "global_replication_group_id", \.globalGroupID, onChange: .replace,
                "The global datastore that it joins as a secondary."),
        ]

        private static let placeFields: [Field<Self>] = [
            .argument(
                "preferred_cache_cluster_azs", \.zones, onChange: .creationOnly,
                "The zones to start in. A failover moves the primary, which is nobody's mistake."),
            .argument("port", \.port, onChange: .replace, constraints: [.range(1, 65_535)], "The port."),
            .argument("parameter_group_name", \.parameterGroup, "The engine's settings."),
            .argument(
                "subnet_group_name", \.subnetGroup, onChange: .replace, semantics: .caseInsensitive,
                reference: .cacheSubnetGroup, "The subnets that it may stand in."),
            .argument(
                "security_group_ids", \.securityGroupIDs, type: .set(.string), reference: .securityGroup,
                "The groups that guard it."),
            .argument(
                "network_type", \.networkType, onChange: .replace,
                constraints: [.allowed(["ipv4", "ipv6", "dual_stack"])], "The kind of its addresses."),
            .argument(
                "ip_discovery", \.ipDiscovery, constraints: [.allowed(["ipv4", "ipv6"])],
                "The kind of addresses that clients are told."),
        ]

        private static let secretFields: [Field<Self>] = [
            .argument(
                "at_rest_encryption_enabled", \.isEncrypted, onChange: .replace, "Whether what it holds is encrypted."),
            .argument("kms_key_id", \.keyID, onChange: .replace, "The KMS key; AWS's own if it is left out."),
            .argument(
                "transit_encryption_enabled", \.encryptsTransit, timing: window,
                "Whether clients speak to it in TLS."),
            .argument(
                "transit_encryption_mode", \.transitMode, constraints: [.allowed(["preferred", "required"])],
                timing: window, "Whether clients may go without TLS."),
            .argument(
                "auth_token", \.token, constraints: [.length(16, 128), .conflictsWith(["user_group_ids"])],
                isSensitive: true, isReadable: false, timing: flushing,
                "The password of `AUTH`: a secret. muster keeps a keyed digest only. It needs TLS."),
            .argument(
                "auth_token_update_strategy", \.tokenStrategy, absence: .means("ROTATE"), onChange: .local,
                constraints: [.allowed(["SET", "ROTATE", "DELETE"])],
                "What happens to the old token: ROTATE keeps it beside the new one, SET ends it, DELETE takes tokens off."
            ),
            .argument(
                "user_group_ids", \.userGroupIDs, type: .set(.string), "The group of users that may log in."),
        ]

        private static let operationFields: [Field<Self>] = [
            .argument(
                "maintenance_window", \.maintenanceWindow, semantics: .caseInsensitive,
                constraints: [
                    .pattern(
                        weeklyWindow,
                        "such as `mon:01:30-mon:02:30`, in UTC")
                ], "When AWS may interrupt it, in UTC, and when changes that wait are made."),
            .argument(
                "snapshot_window", \.snapshotWindow,
                constraints: [.pattern("[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}", "such as `00:00-01:00`, in UTC")],
                "When the daily snapshot is made, in UTC."),
            .argument(
                "snapshot_retention_limit", \.snapshotDays, constraints: [.range(0, 35)],
                "For how many days snapshots are kept; 0 makes none."),
            .argument(
                "snapshot_arns", \.snapshotARNs, onChange: .creationOnly, "The files in S3 that it is filled from."),
            .argument(
                "snapshot_name", \.snapshot, onChange: .creationOnly, "The snapshot that it is filled from."),
            .argument(
                "final_snapshot_identifier", \.lastSnapshot, onChange: .local,
                constraints: [.hyphenated, .length(1, 255)],
                "The name of its last snapshot; without one deleting it makes none."),
            .argument(
                "auto_minor_version_upgrade", \.upgradesItself, "Whether AWS installs patches of the engine."),
            .argument(
                "apply_immediately", \.isImmediate, absence: .means(false), onChange: .local,
                "Whether changes are made at once, with those that wait, and not in the maintenance window."),
            .argument(
                "notification_topic_arn", \.topicARN, reference: .snsTopic, "The topic that hears of events."),
            .argument(
                "log_delivery_configuration", \.logs, type: .set(LogDelivery.valueType, key: "log_type"),
                absence: .means(.list([])), "Where its logs go."),
            .tags(\.tags, needsOwnRead: true),
        ]

        static let defaultDescription = "Managed by muster"
    }

    /// Where a log goes.
    struct LogDelivery: ArgumentBlock {
        var type = ""
        var destination = ""
        var destinationType = ""
        var format = ""

        static let fields: [Field<Self>] = [
            .required("log_type", \.type, constraints: [.allowed(["slow-log", "engine-log"])], "Which log."),
            .required("destination", \.destination, "The log group, or the delivery stream, by name."),
            .required(
                "destination_type", \.destinationType,
                constraints: [.allowed(["cloudwatch-logs", "kinesis-firehose"])], "What that is."),
            .required("log_format", \.format, constraints: [.allowed(["json", "text"])], "The form of its lines."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var status: String?
        var isCluster: Bool?
        var configurationAddress: String?
        var primaryAddress: String?
        var readerAddress: String?
        var endpointPort: Int?
        var members: [String]?
        var engineVersion: String?

        private static let counts = ["num_cache_clusters", "num_node_groups", "replicas_per_node_group"]

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."), .output("status", \.status, "`available`, `modifying`, …"),
            .output("cluster_enabled", \.isCluster, changesWith: ["cluster_mode"], "Whether it has shards."),
            .output(
                "configuration_endpoint_address", \.configurationAddress, changesWith: ["cluster_mode"],
                "Where clients of a cluster begin."),
            .output(
                "primary_endpoint_address", \.primaryAddress,
                changesWith: ["cluster_mode", "transit_encryption_enabled"], "The name of the node that takes writes."),
            .output(
                "reader_endpoint_address", \.readerAddress,
                changesWith: ["cluster_mode", "transit_encryption_enabled"], "A name for all nodes that are read."),
            .output("endpoint_port", \.endpointPort, "The port."),
            .output("member_clusters", \.members, changesWith: counts, "The ids of its nodes."),
            .output(
                "engine_version_actual", \.engineVersion, changesWith: ["engine_version", "engine"],
                "The whole version."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.elasticache_replication_group", "Redis or Valkey of ElastiCache.",
        naming: .unique(argument: "replication_group_id", maximumLength: 40), deletionHazards: [.dataLoss],
        isServing: true, keepsake: Keepsake("final snapshot", nameArgument: "final_snapshot_identifier"),
        timeouts: Timeouts(create: 3600, update: 2400, delete: 2700), importSyntax: "the group's id")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let groups = Dictionary(
            try await listing().map { ($0["ReplicationGroupId"].text, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            guard let group = groups[object.id.rawValue] else { continue }
            let listed = ListedReplicationGroup(item: group, members: try await members(of: group))
            var observed = listed.observed(known: object.arguments)
            if object.declared.contains("tags") {
                guard let tags = try await aws.tags(.elasticache, of: group["ARN"].text) else { continue }
                observed.arguments.tags = tags
            }
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        var found: [Observed<Self>] = []
        for group in try await listing() {
            let listed = ListedReplicationGroup(item: group, members: try await members(of: group))
            found.append(listed.observed(known: Arguments()))
        }
        return found
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let group = try await named(desired.groupID) else { return nil }
        guard let tags = try await aws.tags(.elasticache, of: group["ARN"].text) else {
            throw .marksUnseen(desired.groupID)
        }
        return Found(
            ListedReplicationGroup(item: group, members: []).observed(known: desired),
            isOurs: tags[intent.tag.key] == intent.tag.value)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        var input = desired.creation
        input["Tags"] = aws.rdsTags(desired.tags, intent)
        let answer = try await aws.change(.elasticache, "CreateReplicationGroup", input)
        return ListedReplicationGroup(item: answer["ReplicationGroup"], members: []).observed(known: desired)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        guard let group = try await named(id.rawValue) else { throw Self.gone(id) }
        let clusters = try await aws.markerNow(
            .elasticache, "DescribeCacheClusters", at: "CacheClusters", ["ShowCacheNodeInfo": true])
        let present = ListedReplicationGroup(
            item: group, members: clusters.filter { $0["ReplicationGroupId"].text == id.rawValue })
        if old.tags != new.tags {
            try await aws.updateTags(.elasticache, of: group["ARN"].text, from: old.tags, to: new.tags)
        }
        let changes = ReplicationGroupChanges(present: present, old: old, new: new)
        guard let call = changes.calls.first else { return nil }
        let answer = try await aws.change(.elasticache, call.operation, call.input)["ReplicationGroup"]
        if changes.calls.count > 1 {
            // Until this one is made, the group is busy or does not show it: the next one follows another look.
            throw ProviderError(.inUse, "The replication group \(id) is being changed, and more is to be changed.")
        }
        var observed = ListedReplicationGroup(item: answer, members: present.members).observed(known: new)
        if changes.isImmediate, observed.status == .ready { observed.status = .pending("modifying") }
        return observed
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        do throws(ProviderError) {
            try await aws.delete(
                .elasticache, "DeleteReplicationGroup",
                [
                    "ReplicationGroupId": .string(id.rawValue),
                    "FinalSnapshotIdentifier": .nonEmpty(last.lastSnapshot),
                ])
        } catch {
            var error = error
            if error.kind == .alreadyExists {
                error.hint = "Give another \"final_snapshot_identifier\", or look at the snapshot of that name."
            }
            throw error
        }
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { RemoteID(text.lowercased()) }

    // MARK: Listings

    private func listing() async throws(ProviderError) -> [XMLElement] {
        try await aws.markerList(.elasticache, "DescribeReplicationGroups", at: "ReplicationGroups")
    }

    private func members(of group: XMLElement) async throws(ProviderError) -> [XMLElement] {
        let id = group["ReplicationGroupId"].text
        return try await aws.markerList(
            .elasticache, "DescribeCacheClusters", at: "CacheClusters", ["ShowCacheNodeInfo": true]
        ).filter { $0["ReplicationGroupId"].text == id }
    }

    private func named(_ name: String) async throws(ProviderError) -> XMLElement? {
        try await aws.markerNamed(
            .elasticache, "DescribeReplicationGroups", at: "ReplicationGroups", "ReplicationGroupId", name.lowercased())
    }
}
