import AWSClient
import MusterModel
import ProviderKit

/// A replication group as `DescribeReplicationGroups` tells of it, with its nodes as `DescribeCacheClusters` does.
struct ListedReplicationGroup {
    let item: XMLElement
    /// Empty while they are not listed, or were not asked for.
    let members: [XMLElement]

    var id: String { item["ReplicationGroupId"].text }
    var status: String { item["Status"].text }
    var shards: [XMLElement] { item["NodeGroups"].items }
    private var pending: XMLElement { item["PendingModifiedValues"] }

    /// - Parameter known: as last applied, or as wanted by the call that answered.
    func observed(known: ReplicationGroup.Arguments) -> Observed<ReplicationGroup> {
        var arguments = ReplicationGroup.Arguments()
        readGroup(&arguments, known)
        if let member = members.first { read(member, &arguments, known) }
        var observed = Observed<ReplicationGroup>(id: RemoteID(id), arguments: arguments)
        let live = arguments.members
        readPending(&observed.arguments)
        let wanted = observed.arguments.members
        observed.inForce = live.filter { wanted[$0.key] != $0.value }
        observed.outputs = outputs
        observed.status = observationStatus(known, isWaiting: !observed.inForce.isEmpty)
        return observed
    }

    private func observationStatus(
        _ known: ReplicationGroup.Arguments, isWaiting: Bool
    ) -> Observation.Status {
        switch status {
        // What is to be made at once is listed as waiting until AWS begins with it.
        case "available": known.isImmediate == true && isWaiting ? .pending("modifying") : .ready
        case "deleting": .deleting(status)
        case "create-failed": .failed("create-failed")
        default: .pending(status)
        }
    }

    private func readGroup(_ arguments: inout ReplicationGroup.Arguments, _ known: ReplicationGroup.Arguments) {
        arguments.groupID = id
        arguments.description = item["Description"].nonEmpty
        arguments.engine = item["Engine"].nonEmpty
        arguments.nodeType = item["CacheNodeType"].nonEmpty
        arguments.clusterMode = item["ClusterMode"].nonEmpty
        arguments.failsOver = ["enabled", "enabling"].contains(item["AutomaticFailover"].text)
        arguments.isMultiAZ = item["MultiAZ"].text == "enabled"
        arguments.networkType = item["NetworkType"].nonEmpty
        arguments.ipDiscovery = item["IpDiscovery"].nonEmpty
        arguments.isEncrypted = item["AtRestEncryptionEnabled"].boolean
        arguments.keyID = item["KmsKeyId"].nonEmpty.map { keyAsWritten($0, recorded: known.keyID) }
        arguments.encryptsTransit = item["TransitEncryptionEnabled"].boolean
        arguments.transitMode = item["TransitEncryptionMode"].nonEmpty
        arguments.userGroupIDs = item["UserGroupIds"].texts.sorted()
        arguments.snapshotWindow = item["SnapshotWindow"].nonEmpty
        arguments.snapshotDays = item["SnapshotRetentionLimit"].integer
        arguments.upgradesItself = item["AutoMinorVersionUpgrade"].boolean
        arguments.hasDataTiering = item["DataTiering"].nonEmpty.map { $0 == "enabled" }
        arguments.globalGroupID = item["GlobalReplicationGroupInfo"]["GlobalReplicationGroupId"].nonEmpty
        arguments.logs = item["LogDeliveryConfigurations"].items.filter { $0["Status"].text != "disabling" }
            .map(\.logDelivery).sorted { $0.type < $1.type }
        if !shards.isEmpty, status != "creating" {
            arguments.shardCount = shards.count
            arguments.nodeCount = item["MemberClusters"].items.count
            arguments.replicaCount = shards.map { $0["NodeGroupMembers"].items.count - 1 }.max()
        }
        arguments.port = endpointPort
    }

    /// What all nodes have in common.
    private func read(
        _ member: XMLElement, _ arguments: inout ReplicationGroup.Arguments, _ known: ReplicationGroup.Arguments
    ) {
        arguments.engine = arguments.engine ?? member["Engine"].nonEmpty
        arguments.engineVersion = member["EngineVersion"].nonEmpty.map { live in
            // AWS calls it 6.2 in one place and 6.2.6 in another, and takes 6.x for the newest of its line.
            guard let recorded = known.engineVersion, recorded.hasSuffix(".x") else { return live }
            return live.hasPrefix(recorded.dropLast()) ? recorded : live
        }
        arguments.parameterGroup = member["CacheParameterGroup"]["CacheParameterGroupName"].nonEmpty
        arguments.subnetGroup = member["CacheSubnetGroupName"].nonEmpty
        arguments.securityGroupIDs = member["SecurityGroups"].items
            .filter { !$0["Status"].text.hasPrefix("remov") }.map { $0["SecurityGroupId"].text }.sorted()
        arguments.maintenanceWindow = member["PreferredMaintenanceWindow"].nonEmpty
        let topic = member["NotificationConfiguration"]
        arguments.topicARN = topic["TopicStatus"].text == "inactive" ? "" : topic["TopicArn"].text
        arguments.port = arguments.port ?? member["CacheNodes"].items.first?["Endpoint"]["Port"].integer
    }

    /// What waits for the window, as if it were made.
    private func readPending(_ arguments: inout ReplicationGroup.Arguments) {
        if let failover = pending["AutomaticFailoverStatus"].nonEmpty { arguments.failsOver = failover == "enabled" }
        if let mode = pending["ClusterMode"].nonEmpty { arguments.clusterMode = mode }
        if let flag = pending["TransitEncryptionEnabled"].boolean { arguments.encryptsTransit = flag }
        if let mode = pending["TransitEncryptionMode"].nonEmpty { arguments.transitMode = mode }
        for member in members {
            let waiting = member["PendingModifiedValues"]
            if let type = waiting["CacheNodeType"].nonEmpty { arguments.nodeType = type }
            if let version = waiting["EngineVersion"].nonEmpty { arguments.engineVersion = version }
        }
    }

    private var endpointPort: Int? {
        item["ConfigurationEndpoint"]["Port"].integer ?? shards.first?["PrimaryEndpoint"]["Port"].integer
    }

    private var outputs: ReplicationGroup.Outputs {
        var outputs = ReplicationGroup.Outputs()
        outputs.arn = item["ARN"].nonEmpty
        outputs.status = status
        outputs.isCluster = item["ClusterEnabled"].boolean
        outputs.configurationAddress = item["ConfigurationEndpoint"]["Address"].text
        outputs.primaryAddress = shards.first?["PrimaryEndpoint"]["Address"].text
        outputs.readerAddress = shards.first?["ReaderEndpoint"]["Address"].text
        outputs.endpointPort = endpointPort
        outputs.members = item["MemberClusters"].texts.sorted()
        outputs.engineVersion = members.first?["EngineVersion"].nonEmpty
        return outputs
    }
}

extension XMLElement {
    fileprivate var logDelivery: ReplicationGroup.LogDelivery {
        var log = ReplicationGroup.LogDelivery()
        log.type = self["LogType"].text
        log.destinationType = self["DestinationType"].text
        log.format = self["LogFormat"].text
        let details = self["DestinationDetails"]
        log.destination =
            details["CloudWatchLogsDetails"]["LogGroup"].nonEmpty
            ?? details["KinesisFirehoseDetails"]["DeliveryStream"].text
        return log
    }
}
