import AWSClient
import MusterModel
import ProviderKit

// How AWS's answers about databases are read.

/// A database as `DescribeDBInstances` tells of it.
struct ListedDatabase {
    let item: XMLElement

    static func filters(_ ids: Set<String>) -> AWSInput {
        [
            "Filters": .list(
                [["Name": "dbi-resource-id", "Values": .strings(ids.sorted(), as: .members("Value"))]],
                as: .members("Filter"))
        ]
    }

    /// `db-` and 26 capitals and digits, which no name can be.
    static func isResourceID(_ text: String) -> Bool {
        text.hasPrefix("db-") && text.count > 20
            && text.dropFirst(3).utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) }
    }

    var id: String { item["DbiResourceId"].text }
    /// The name that calls want: until a rename takes effect the old one.
    var name: String { item["DBInstanceIdentifier"].text }
    var status: String { item["DBInstanceStatus"].text }
    var allocatedStorage: Int { item["AllocatedStorage"].integer ?? 0 }
    var isReplica: Bool { item["ReadReplicaSourceDBInstanceIdentifier"].nonEmpty != nil }
    private var pending: XMLElement { item["PendingModifiedValues"] }

    /// Statuses that end by themselves in no other.
    private static let broken: Set<String> = [
        "failed", "incompatible-create", "incompatible-credentials", "incompatible-network",
        "incompatible-option-group", "incompatible-parameters", "incompatible-restore",
        "inaccessible-encryption-credentials", "inaccessible-encryption-credentials-recoverable",
        "insufficient-capacity", "restore-error", "storage-full",
    ]

    /// True when it never worked, so that there is nothing to keep.
    var isStillborn: Bool {
        Self.broken.contains(status) && !item["Endpoint"]["Address"].exists && !item["LatestRestorableTime"].exists
    }

    /// Stable, and no other database's: with the end of the id.
    func finalSnapshot(named name: String) -> String {
        let name = name.isEmpty ? self.name : name
        return "\(name.lowercased())-final-\(id.dropFirst(3).prefix(12).lowercased())"
    }

    /// - Parameter known: as last applied, or as wanted by the call that answered.
    func observed(known: DBInstance.Arguments) -> Observed<DBInstance> {
        var arguments = DBInstance.Arguments()
        readEngine(&arguments, known)
        readStorage(&arguments, known)
        readPlacement(&arguments)
        readOperation(&arguments)
        readWatch(&arguments, known)
        arguments.tags = item.tagList
        arguments.replicaSource = source(as: known.replicaSource)
        var observed = Observed<DBInstance>(id: RemoteID(id), arguments: arguments)
        let live = arguments.members
        readPending(&observed.arguments, known)
        let wanted = observed.arguments.members
        observed.inForce = live.filter { wanted[$0.key] != $0.value }
        observed.outputs = outputs(observed.arguments)
        observed.status = observationStatus(known)
        return observed
    }

    private func observationStatus(_ known: DBInstance.Arguments) -> Observation.Status {
        switch status {
        case "available", "storage-optimization", "storage-config-upgrade", "stopped":
            // What is to be made at once is listed as waiting until AWS begins with it.
            let waits = pending.items.contains { !["MasterUserPassword"].contains($0.name) && $0.exists }
            return known.isImmediate == true && waits && status != "stopped" ? .pending("modifying") : .ready
        case "deleting": return .deleting(status)
        default: return isStillborn ? .failed(status) : .pending(status)
        }
    }

    private func source(as recorded: String?) -> String {
        let live = item["ReadReplicaSourceDBInstanceIdentifier"].text
        guard let recorded = recorded.filled, !live.isEmpty else { return live }
        let name = { (text: String) in text.split(separator: ":").last.map { $0.lowercased() } }
        return name(recorded) == name(live) ? recorded : live
    }

    // MARK: Arguments

    private func readEngine(_ arguments: inout DBInstance.Arguments, _ known: DBInstance.Arguments) {
        arguments.identifier = name
        arguments.engine = item["Engine"].text
        arguments.engineVersion = item["EngineVersion"].text
        arguments.instanceClass = item["DBInstanceClass"].text
        let isOfASource =
            known.snapshot.filled != nil || known.restore != nil || known.s3Import != nil
            || known.replicaSource.filled != nil || isReplica
        if !isOfASource {
            // A database made from another has that one's, whatever the spec says; it must not be replaced for that.
            arguments.username = item["MasterUsername"].nonEmpty
            arguments.databaseName = item["DBName"].nonEmpty
            arguments.characterSet = item["CharacterSetName"].nonEmpty
            arguments.ncharCharacterSet = item["NcharCharacterSetName"].nonEmpty
            arguments.timezone = item["Timezone"].nonEmpty
            arguments.isEncrypted = item["StorageEncrypted"].boolean
            arguments.keyID = item["KmsKeyId"].nonEmpty.map { keyAsWritten($0, recorded: known.keyID) }
        }
        let secret = item["MasterUserSecret"]
        arguments.managesPassword = secret["SecretArn"].nonEmpty != nil
        arguments.secretKeyID = secret["KmsKeyId"].nonEmpty.map { keyAsWritten($0, recorded: known.secretKeyID) }
        arguments.port =
            item["Endpoint"]["Port"].integer ?? item["DbInstancePort"].integer.flatMap { $0 == 0 ? nil : $0 }
        arguments.licenseModel = item["LicenseModel"].nonEmpty
        arguments.customProfile = item["CustomIamInstanceProfile"].nonEmpty
        arguments.replicaMode = item["ReplicaMode"].nonEmpty
    }

    private func readStorage(_ arguments: inout DBInstance.Arguments, _ known: DBInstance.Arguments) {
        arguments.storage = item["AllocatedStorage"].integer
        arguments.storageLimit = item["MaxAllocatedStorage"].integer ?? 0
        arguments.storageType = item["StorageType"].nonEmpty
        arguments.iops = item["Iops"].integer
        arguments.throughput = item["StorageThroughput"].integer
        arguments.hasLogVolume = item["DedicatedLogVolume"].boolean
        // RDS let it grow by itself, as it was told it might.
        if arguments.storageLimit.positive != nil, let recorded = known.storage, recorded < allocatedStorage {
            arguments.storage = recorded
        }
    }

    private func readPlacement(_ arguments: inout DBInstance.Arguments) {
        arguments.isMultiAZ = item["MultiAZ"].boolean
        arguments.subnetGroup = item["DBSubnetGroup"]["DBSubnetGroupName"].nonEmpty
        arguments.securityGroupIDs = item["VpcSecurityGroups"].items
            .filter { !$0["Status"].text.hasPrefix("remov") }.map { $0["VpcSecurityGroupId"].text }.sorted()
        arguments.isPublic = item["PubliclyAccessible"].boolean
        arguments.hasCustomerOwnedIP = item["CustomerOwnedIpEnabled"].boolean
        arguments.certificateAuthority = item["CACertificateIdentifier"].nonEmpty
        arguments.parameterGroup = item["DBParameterGroups"].items.first?["DBParameterGroupName"].nonEmpty
        arguments.optionGroup =
            optionGroup { !$0.hasPrefix("pending-") || $0.contains("removal") } ?? optionGroup { _ in true }
    }

    /// An option group of a status: while one takes the place of another, both are listed.
    private func optionGroup(_ isWanted: (String) -> Bool) -> String? {
        item["OptionGroupMemberships"].items.first { isWanted($0["Status"].text) }?["OptionGroupName"].nonEmpty
    }

    private func readOperation(_ arguments: inout DBInstance.Arguments) {
        arguments.maintenanceWindow = item["PreferredMaintenanceWindow"].nonEmpty
        arguments.backupWindow = item["PreferredBackupWindow"].nonEmpty
        arguments.backupDays = item["BackupRetentionPeriod"].integer
        arguments.copiesTags = item["CopyTagsToSnapshot"].boolean
        arguments.upgradesItself = item["AutoMinorVersionUpgrade"].boolean
        arguments.isProtected = item["DeletionProtection"].boolean ?? false
    }

    private func readWatch(_ arguments: inout DBInstance.Arguments, _ known: DBInstance.Arguments) {
        arguments.logExports = item["EnabledCloudwatchLogsExports"].texts.sorted()
        arguments.monitoringSeconds = item["MonitoringInterval"].integer ?? 0
        arguments.monitoringRole = item["MonitoringRoleArn"].nonEmpty ?? ""
        arguments.hasInsights = item["PerformanceInsightsEnabled"].boolean ?? false
        arguments.insightsKeyID = item["PerformanceInsightsKMSKeyId"].nonEmpty.map {
            keyAsWritten($0, recorded: known.insightsKeyID)
        }
        arguments.insightsDays = item["PerformanceInsightsRetentionPeriod"].integer
        arguments.insightsMode = item["DatabaseInsightsMode"].nonEmpty
        arguments.allowsIAM = item["IAMDatabaseAuthenticationEnabled"].boolean ?? false
        let membership = item["DomainMemberships"].items.first ?? .missing
        arguments.domain = membership["Domain"].text
        arguments.domainRole = membership["IAMRoleName"].text
        arguments.domainName = membership["FQDN"].text
        arguments.domainUnit = membership["OU"].text
        arguments.domainSecret = membership["AuthSecretArn"].text
        arguments.domainAddresses = membership["DnsIps"].texts
    }

    /// What waits for the window, as if it were made.
    private func readPending(_ arguments: inout DBInstance.Arguments, _ known: DBInstance.Arguments) {
        func text(_ name: String, _ path: WritableKeyPath<DBInstance.Arguments, String?>) {
            if let value = pending[name].nonEmpty { arguments[keyPath: path] = value }
        }
        func number(_ name: String, _ path: WritableKeyPath<DBInstance.Arguments, Int?>) {
            if let value = pending[name].integer { arguments[keyPath: path] = value }
        }
        func flag(_ name: String, _ path: WritableKeyPath<DBInstance.Arguments, Bool?>) {
            if let value = pending[name].boolean { arguments[keyPath: path] = value }
        }
        if let name = pending["DBInstanceIdentifier"].nonEmpty { arguments.identifier = name }
        text("DBInstanceClass", \.instanceClass)
        text("EngineVersion", \.engineVersion)
        text("LicenseModel", \.licenseModel)
        text("StorageType", \.storageType)
        text("CACertificateIdentifier", \.certificateAuthority)
        text("DBSubnetGroupName", \.subnetGroup)
        number("AllocatedStorage", \.storage)
        number("Port", \.port)
        number("BackupRetentionPeriod", \.backupDays)
        number("Iops", \.iops)
        number("StorageThroughput", \.throughput)
        flag("MultiAZ", \.isMultiAZ)
        flag("IAMDatabaseAuthenticationEnabled", \.allowsIAM)
        flag("DedicatedLogVolume", \.hasLogVolume)
        let logs = pending["PendingCloudwatchLogsExports"]
        if logs.exists {
            let added = Set(logs["LogTypesToEnable"].texts)
            let removed = Set(logs["LogTypesToDisable"].texts)
            arguments.logExports = Set(arguments.logExports ?? []).union(added).subtracting(removed).sorted()
        }
        if let group = optionGroup({ $0.hasPrefix("pending-") && !$0.contains("removal") }) {
            arguments.optionGroup = group
        }
        // A group of another engine line comes with that line, and AWS does not list it before.
        if pending["EngineVersion"].nonEmpty != nil, let group = known.parameterGroup {
            arguments.parameterGroup = group
        }
    }

    // MARK: Outputs

    private func outputs(_ arguments: DBInstance.Arguments) -> DBInstance.Outputs {
        var outputs = DBInstance.Outputs()
        outputs.arn = item["DBInstanceArn"].nonEmpty
        outputs.resourceID = id
        outputs.status = status
        outputs.engineVersion = item["EngineVersion"].nonEmpty
        outputs.zone = item["AvailabilityZone"].nonEmpty
        outputs.replicas = item["ReadReplicaDBInstanceIdentifiers"].texts.sorted()
        outputs.latestRestorableTime = item["LatestRestorableTime"].nonEmpty
        outputs.finalSnapshot = isReplica ? "" : finalSnapshot(named: arguments.identifier)
        let endpoint = item["Endpoint"]
        outputs.address = endpoint["Address"].nonEmpty
        outputs.endpointPort = endpoint["Port"].integer
        outputs.hostedZoneID = endpoint["HostedZoneId"].nonEmpty
        if let address = outputs.address, let port = outputs.endpointPort { outputs.endpoint = "\(address):\(port)" }
        let secret = item["MasterUserSecret"]
        if let arn = secret["SecretArn"].nonEmpty {
            outputs.secret = DBInstance.MasterSecret(
                arn: arn, keyID: secret["KmsKeyId"].nonEmpty, status: secret["SecretStatus"].nonEmpty)
        }
        return outputs
    }
}
