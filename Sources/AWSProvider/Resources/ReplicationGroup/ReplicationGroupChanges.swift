import AWSClient
import MusterModel
import ProviderKit

extension ReplicationGroup.Arguments {
    /// The one call that makes it.
    var creation: AWSInput {
        [
            "ReplicationGroupId": .string(groupID.lowercased()),
            "ReplicationGroupDescription": .string(description.filled ?? Self.defaultDescription),
            "GlobalReplicationGroupId": .nonEmpty(globalGroupID), "Engine": .nonEmpty(engine),
            "EngineVersion": .nonEmpty(engineVersion), "CacheNodeType": .nonEmpty(nodeType),
            "NumCacheClusters": .optional(nodeCount), "NumNodeGroups": .optional(shardCount),
            "ReplicasPerNodeGroup": .optional(replicaCount), "ClusterMode": .nonEmpty(clusterMode),
            "PreferredCacheClusterAZs": zones.map { .strings($0, as: .members("AvailabilityZone")) } ?? .absent,
            "AutomaticFailoverEnabled": .optional(failsOver), "MultiAZEnabled": .optional(isMultiAZ),
            "Port": .optional(port), "CacheParameterGroupName": .nonEmpty(parameterGroup),
            "CacheSubnetGroupName": .nonEmpty(subnetGroup?.lowercased()),
            "SecurityGroupIds": .set(securityGroupIDs, as: "SecurityGroupId"),
            "NetworkType": .nonEmpty(networkType), "IpDiscovery": .nonEmpty(ipDiscovery),
            "AtRestEncryptionEnabled": .optional(isEncrypted), "KmsKeyId": .nonEmpty(keyID),
            "TransitEncryptionEnabled": .optional(encryptsTransit), "TransitEncryptionMode": .nonEmpty(transitMode),
            "AuthToken": .password(token), "UserGroupIds": .set(userGroupIDs),
            "PreferredMaintenanceWindow": .nonEmpty(maintenanceWindow), "SnapshotWindow": .nonEmpty(snapshotWindow),
            "SnapshotRetentionLimit": .optional(snapshotDays),
            "SnapshotArns": snapshotARNs.map { .strings($0, as: .members("SnapshotArn")) } ?? .absent,
            "SnapshotName": .nonEmpty(snapshot), "AutoMinorVersionUpgrade": .optional(upgradesItself),
            "NotificationTopicArn": .nonEmpty(topicARN),
            "LogDeliveryConfigurations": .logs(logs?.map(\.input) ?? []),
            "DataTieringEnabled": .optional(hasDataTiering),
        ]
    }
}

/// What is to be done about a group, call by call. Each is made only where the group is not yet as it should be.
struct ReplicationGroupChanges {
    private(set) var calls: [(operation: String, input: AWSInput)] = []
    let isImmediate: Bool

    init(present: ListedReplicationGroup, old: ReplicationGroup.Arguments, new: ReplicationGroup.Arguments) {
        let observed = present.observed(known: old)
        isImmediate = new.isImmediate ?? false
        var before = observed.arguments
        if isImmediate,
            let live = try? ReplicationGroup.Arguments(
                decoding: before.members.merging(observed.inForce) { _, inForce in inForce })
        {
            before = live
        }
        let id = AWSInput.string(present.id)
        let settings = ReplicationGroupChanges.settings(before, new)
        let counts = ReplicationGroupChanges.counts(present, before, new)
        let modification: [(String, AWSInput)] =
            settings.isEmpty
            ? []
            : [
                (
                    "ModifyReplicationGroup",
                    .structure(
                        [.init("ReplicationGroupId", id), .init("ApplyImmediately", .boolean(isImmediate))] + settings)
                )
            ]
        // Without failover there may be fewer nodes, with it there must be more.
        calls = new.failsOver == false ? modification + counts : counts + modification
        if let token = new.token, token != old.token || new.tokenStrategy == "DELETE" && old.tokenStrategy != "DELETE" {
            let strategy = new.tokenStrategy.filled ?? "ROTATE"
            calls.append(
                (
                    "ModifyReplicationGroup",
                    [
                        "ReplicationGroupId": id, "ApplyImmediately": true, "AuthToken": .password(token),
                        "AuthTokenUpdateStrategy": .string(strategy),
                    ]
                ))
        }
    }

    // MARK: Nodes

    private static func counts(
        _ present: ListedReplicationGroup, _ before: ReplicationGroup.Arguments, _ new: ReplicationGroup.Arguments
    ) -> [(String, AWSInput)] {
        var calls: [(String, AWSInput)] = []
        let id = AWSInput.string(present.id)
        let shards = present.shards.map { $0["NodeGroupId"].text }.sorted()
        if let wanted = new.shardCount, wanted != shards.count {
            let removed = shards.dropFirst(wanted)
            calls.append(
                (
                    "ModifyReplicationGroupShardConfiguration",
                    [
                        "ReplicationGroupId": id, "NodeGroupCount": .integer(wanted), "ApplyImmediately": true,
                        "NodeGroupsToRemove": removed.isEmpty
                            ? .absent : .strings(removed, as: .members("NodeGroupToRemove")),
                    ]
                ))
        }
        let wanted = new.replicaCount ?? new.nodeCount.map { $0 - 1 }
        if let wanted, let live = before.replicaCount, wanted != live {
            calls.append(
                (
                    wanted > live ? "IncreaseReplicaCount" : "DecreaseReplicaCount",
                    ["ReplicationGroupId": id, "NewReplicaCount": .integer(wanted), "ApplyImmediately": true]
                ))
        }
        return calls
    }

    // MARK: Settings

    private static func settings(
        _ before: ReplicationGroup.Arguments, _ new: ReplicationGroup.Arguments
    ) -> [AWSInput.Field] {
        var fields: [AWSInput.Field] = []
        func note(_ name: String, _ before: String?, _ after: String?) {
            guard let after = after.filled, after.lowercased() != before?.lowercased() else { return }
            fields.append(.init(name, .string(after)))
        }
        func note(_ name: String, _ before: Bool?, _ after: Bool?) {
            guard let after, after != before else { return }
            fields.append(.init(name, .boolean(after)))
        }
        if let description = new.description.filled, description != before.description {
            fields.append(.init("ReplicationGroupDescription", .string(description)))
        }
        note("Engine", before.engine, new.engine)
        if let version = new.engineVersion.filled, let live = before.engineVersion, live != version,
            !live.hasPrefix(version + ".")
        {
            fields.append(.init("EngineVersion", .string(version)))
        }
        note("CacheNodeType", before.nodeType, new.nodeType)
        note("ClusterMode", before.clusterMode, new.clusterMode)
        note("AutomaticFailoverEnabled", before.failsOver, new.failsOver)
        note("MultiAZEnabled", before.isMultiAZ, new.isMultiAZ)
        note("CacheParameterGroupName", before.parameterGroup, new.parameterGroup)
        if setDifference(before.securityGroupIDs, new.securityGroupIDs) != ([], []), new.securityGroupIDs != [] {
            fields.append(.init("SecurityGroupIds", .set(new.securityGroupIDs, as: "SecurityGroupId")))
        }
        note("IpDiscovery", before.ipDiscovery, new.ipDiscovery)
        note("TransitEncryptionEnabled", before.encryptsTransit, new.encryptsTransit)
        note("TransitEncryptionMode", before.transitMode, new.transitMode)
        fields += users(before, new)
        note("PreferredMaintenanceWindow", before.maintenanceWindow, new.maintenanceWindow)
        note("SnapshotWindow", before.snapshotWindow, new.snapshotWindow)
        if let days = new.snapshotDays, days != before.snapshotDays {
            fields.append(.init("SnapshotRetentionLimit", .integer(days)))
        }
        note("AutoMinorVersionUpgrade", before.upgradesItself, new.upgradesItself)
        if let topic = new.topicARN, topic != before.topicARN ?? "" {
            fields.append(
                topic.isEmpty
                    ? .init("NotificationTopicStatus", "inactive") : .init("NotificationTopicArn", .string(topic)))
        }
        let logs = changedLogs(before.logs ?? [], new.logs)
        if !logs.isEmpty { fields.append(.init("LogDeliveryConfigurations", .logs(logs))) }
        return fields
    }

    private static func users(
        _ before: ReplicationGroup.Arguments, _ new: ReplicationGroup.Arguments
    ) -> [AWSInput.Field] {
        let change = setDifference(before.userGroupIDs, new.userGroupIDs)
        if change == ([], []) { return [] }
        if new.userGroupIDs == [] { return [.init("RemoveUserGroups", true)] }
        return [
            .init("UserGroupIdsToAdd", .set(change.added)), .init("UserGroupIdsToRemove", .set(change.removed)),
        ]
    }

    private static func changedLogs(
        _ before: [ReplicationGroup.LogDelivery], _ wanted: [ReplicationGroup.LogDelivery]?
    ) -> [AWSInput] {
        guard let wanted else { return [] }
        let changed = wanted.filter { !before.contains($0) }.sorted { $0.type < $1.type }
        let removed = before.filter { log in !wanted.contains { $0.type == log.type } }.map(\.type).sorted()
        return changed.map(\.input) + removed.map { ["LogType": .string($0), "Enabled": false] }
    }
}

extension ReplicationGroup.LogDelivery {
    fileprivate var input: AWSInput {
        let isLogGroup = destinationType == "cloudwatch-logs"
        return [
            "LogType": .string(type), "DestinationType": .string(destinationType),
            "DestinationDetails": isLogGroup
                ? ["CloudWatchLogsDetails": ["LogGroup": .string(destination)]]
                : ["KinesisFirehoseDetails": ["DeliveryStream": .string(destination)]],
            "LogFormat": .string(format), "Enabled": true,
        ]
    }
}

extension AWSInput {
    fileprivate static func logs(_ configurations: [AWSInput]) -> AWSInput {
        configurations.isEmpty ? .absent : .list(configurations, as: .members("LogDeliveryConfigurationRequest"))
    }
}
