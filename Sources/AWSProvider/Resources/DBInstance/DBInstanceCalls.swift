import AWSClient
import MusterModel
import ProviderKit

/// The one call that makes a database: new, or from a snapshot, a moment, a backup in S3 or another database. Not every
/// call carries every argument; the rest is owed, and an update sets it.
struct DatabaseCreation {
    let operation: String
    let input: AWSInput
    /// Declared arguments that the call does not carry and that can be changed afterwards.
    let owed: Set<String>

    init(_ desired: DBInstance.Arguments) {
        let source = Source(desired)
        operation = source.operation
        var fields: [AWSInput.Field] = source.fields(desired)
        var owed: Set<String> = []
        for part in desired.creationParts where part.value != .absent {
            if source.refuses.contains(part.wireName) {
                if let name = part.argument { owed.insert(name) }
            } else {
                fields.append(.init(part.wireName, part.value))
            }
        }
        input = .structure(fields)
        self.owed = owed
    }

    private enum Source {
        case nothing, replica, snapshot, moment, s3

        init(_ desired: DBInstance.Arguments) {
            self =
                desired.replicaSource.filled != nil
                ? .replica
                : desired.snapshot.filled != nil
                    ? .snapshot : desired.restore != nil ? .moment : desired.s3Import != nil ? .s3 : .nothing
        }

        var operation: String {
            switch self {
            case .nothing: "CreateDBInstance"
            case .replica: "CreateDBInstanceReadReplica"
            case .snapshot: "RestoreDBInstanceFromDBSnapshot"
            case .moment: "RestoreDBInstanceToPointInTime"
            case .s3: "RestoreDBInstanceFromS3"
            }
        }

        /// What the call has beside the arguments that all have.
        func fields(_ desired: DBInstance.Arguments) -> [AWSInput.Field] {
            let name = AWSInput.string(desired.identifier.lowercased())
            switch self {
            case .nothing: return [.init("DBInstanceIdentifier", name)]
            case .replica:
                return [
                    .init("DBInstanceIdentifier", name),
                    .init("SourceDBInstanceIdentifier", .nonEmpty(desired.replicaSource)),
                    .init("ReplicaMode", .nonEmpty(desired.replicaMode)),
                    .init("UpgradeStorageConfig", .optional(desired.upgradesStorage)),
                ]
            case .snapshot:
                return [
                    .init("DBInstanceIdentifier", name), .init("DBSnapshotIdentifier", .nonEmpty(desired.snapshot)),
                ]
            case .moment:
                let moment = desired.restore ?? PointInTime()
                return [
                    .init("TargetDBInstanceIdentifier", name),
                    .init("SourceDBInstanceIdentifier", .nonEmpty(moment.source)),
                    .init("SourceDBInstanceAutomatedBackupsArn", .nonEmpty(moment.sourceBackups)),
                    .init("SourceDbiResourceId", .nonEmpty(moment.sourceResource)),
                    .init("RestoreTime", .nonEmpty(moment.time)),
                    .init("UseLatestRestorableTime", .optional(moment.isLatest)),
                ]
            case .s3:
                let backup = desired.s3Import ?? S3Import()
                return [
                    .init("DBInstanceIdentifier", name), .init("S3BucketName", .string(backup.bucket)),
                    .init("S3Prefix", .nonEmpty(backup.prefix)), .init("S3IngestionRoleArn", .string(backup.role)),
                    .init("SourceEngine", .string(backup.engine)),
                    .init("SourceEngineVersion", .string(backup.version)),
                ]
            }
        }

        /// Members that the call does not have, or that say what its source says already.
        var refuses: Set<String> {
            let ofTheSource: Set<String> = [
                "CharacterSetName", "EngineVersion", "MasterUserPassword", "MasterUsername", "NcharCharacterSetName",
                "PreferredMaintenanceWindow", "StorageEncrypted", "Timezone", "DBName",
            ]
            let watching: Set<String> = [
                "DatabaseInsightsMode", "EnablePerformanceInsights", "KmsKeyId", "MonitoringInterval",
                "MonitoringRoleArn", "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod",
            ]
            switch self {
            case .nothing: return []
            case .replica:
                return ofTheSource.union([
                    "BackupRetentionPeriod", "Engine", "EngineLifecycleSupport", "LicenseModel",
                    "ManageMasterUserPassword", "MasterUserSecretKmsKeyId", "PreferredBackupWindow",
                ])
            case .snapshot: return ofTheSource.union(watching).union(["MaxAllocatedStorage"])
            case .moment: return ofTheSource.union(watching)
            case .s3:
                return [
                    "BackupTarget", "CharacterSetName", "CustomIamInstanceProfile", "Domain", "DomainAuthSecretArn",
                    "DomainDnsIps", "DomainFqdn", "DomainIAMRoleName", "DomainOu", "EnableCustomerOwnedIp",
                    "NcharCharacterSetName", "Timezone",
                ]
            }
        }
    }
}

/// A member of a call, and the argument that can be set by an update if the call does not take it.
private struct Part {
    let wireName: String
    let value: AWSInput
    let argument: String?

    init(_ wireName: String, _ value: AWSInput, _ argument: String? = nil) {
        self.wireName = wireName
        self.value = value
        self.argument = argument
    }
}

extension DBInstance.Arguments {
    fileprivate var creationParts: [Part] { engineParts + storageParts + placementParts + operationParts + watchParts }

    private var engineParts: [Part] {
        [
            Part("Engine", .nonEmpty(engine)), Part("EngineVersion", .nonEmpty(engineVersion), "engine_version"),
            Part("DBInstanceClass", .nonEmpty(instanceClass), "instance_class"),
            Part("MasterUsername", .nonEmpty(username)),
            Part("MasterUserPassword", .password(password), "password"),
            Part(
                "ManageMasterUserPassword", managesPassword == true ? true : .absent, "manage_master_user_password"),
            Part("MasterUserSecretKmsKeyId", .nonEmpty(secretKeyID), "master_user_secret_kms_key_id"),
            Part("DBName", .nonEmpty(databaseName)), Part("Port", .optional(port), "port"),
            Part("LicenseModel", .nonEmpty(licenseModel), "license_model"),
            Part("EngineLifecycleSupport", .nonEmpty(lifecycleSupport)),
            Part("CharacterSetName", .nonEmpty(characterSet)),
            Part("NcharCharacterSetName", .nonEmpty(ncharCharacterSet)), Part("Timezone", .nonEmpty(timezone)),
            Part("CustomIamInstanceProfile", .nonEmpty(customProfile)),
        ]
    }

    private var storageParts: [Part] {
        [
            Part("AllocatedStorage", .optional(storage), "allocated_storage"),
            Part("MaxAllocatedStorage", .optional(storageLimit.positive), "max_allocated_storage"),
            Part("StorageType", .nonEmpty(storageType), "storage_type"),
            Part("Iops", .optional(iops.positive), "iops"),
            Part("StorageThroughput", .optional(throughput.positive), "storage_throughput"),
            Part("StorageEncrypted", .optional(isEncrypted)), Part("KmsKeyId", .nonEmpty(keyID)),
            Part("DedicatedLogVolume", .optional(hasLogVolume), "dedicated_log_volume"),
        ]
    }

    private var placementParts: [Part] {
        [
            Part("MultiAZ", .optional(isMultiAZ), "multi_az"), Part("AvailabilityZone", .nonEmpty(zone)),
            Part("DBSubnetGroupName", .nonEmpty(subnetGroup?.lowercased()), "db_subnet_group_name"),
            Part(
                "VpcSecurityGroupIds", .set(securityGroupIDs, as: "VpcSecurityGroupId"), "vpc_security_group_ids"),
            Part("PubliclyAccessible", .boolean(isPublic ?? false), "publicly_accessible"),
            Part("NetworkType", .nonEmpty(networkType), "network_type"),
            Part("EnableCustomerOwnedIp", .optional(hasCustomerOwnedIP), "customer_owned_ip_enabled"),
            Part("CACertificateIdentifier", .nonEmpty(certificateAuthority), "ca_cert_identifier"),
            Part("DBParameterGroupName", .nonEmpty(parameterGroup), "parameter_group_name"),
            Part("OptionGroupName", .nonEmpty(optionGroup), "option_group_name"),
        ]
    }

    private var operationParts: [Part] {
        [
            Part("PreferredMaintenanceWindow", .nonEmpty(maintenanceWindow), "maintenance_window"),
            Part("PreferredBackupWindow", .nonEmpty(backupWindow), "backup_window"),
            Part("BackupRetentionPeriod", .optional(backupDays), "backup_retention_period"),
            Part("BackupTarget", .nonEmpty(backupTarget)),
            Part("CopyTagsToSnapshot", .optional(copiesTags), "copy_tags_to_snapshot"),
            Part("AutoMinorVersionUpgrade", .optional(upgradesItself), "auto_minor_version_upgrade"),
            Part("DeletionProtection", .optional(isProtected), "deletion_protection"),
        ]
    }

    private var watchParts: [Part] {
        [
            Part("EnableCloudwatchLogsExports", .set(logExports), "enabled_cloudwatch_logs_exports"),
            Part("MonitoringInterval", .optional(monitoringSeconds), "monitoring_interval"),
            Part("MonitoringRoleArn", .nonEmpty(monitoringRole), "monitoring_role_arn"),
            Part("EnablePerformanceInsights", .optional(hasInsights), "performance_insights_enabled"),
            Part("PerformanceInsightsKMSKeyId", .nonEmpty(insightsKeyID), "performance_insights_kms_key_id"),
            Part(
                "PerformanceInsightsRetentionPeriod", .optional(insightsDays.positive),
                "performance_insights_retention_period"),
            Part("DatabaseInsightsMode", .nonEmpty(insightsMode), "database_insights_mode"),
            Part("EnableIAMDatabaseAuthentication", .optional(allowsIAM), "iam_database_authentication_enabled"),
            Part("Domain", .nonEmpty(domain), "domain"),
            Part("DomainIAMRoleName", .nonEmpty(domainRole), "domain_iam_role_name"),
            Part("DomainFqdn", .nonEmpty(domainName), "domain_fqdn"),
            Part("DomainOu", .nonEmpty(domainUnit), "domain_ou"),
            Part("DomainAuthSecretArn", .nonEmpty(domainSecret), "domain_auth_secret_arn"),
            Part("DomainDnsIps", .optionalStrings(domainAddresses), "domain_dns_ips"),
        ]
    }
}

/// What `ModifyDBInstance` has to make of a database.
struct DatabaseChanges {
    /// nil: nothing.
    private(set) var input: AWSInput?
    private(set) var isImmediate: Bool
    /// Whether a replica is to become a database of its own first.
    private(set) var promotes: Bool

    private var fields: [AWSInput.Field] = []

    /// - Throws: `invalid` for what AWS cannot do, before anything is changed.
    init(database: ListedDatabase, old: DBInstance.Arguments, new: DBInstance.Arguments) throws(ProviderError) {
        let present = database.observed(known: old)
        promotes = new.replicaSource.filled == nil && new.replicaSource != nil && database.isReplica
        isImmediate = new.isImmediate ?? false
        if let source = new.replicaSource.filled, !database.isReplica {
            throw ProviderError(
                .invalid, "\(database.name) is a database of its own and cannot become a replica of \(source).",
                hint: "Make another one with \"replicate_source_db\".")
        }
        // What its making could not carry is set at once: nobody uses it yet.
        let isMade = new.snapshot.filled != nil || new.replicaSource.filled != nil || new.restore != nil
        let owesVersion = old.engineVersion == nil && new.engineVersion != nil
        let owesBackups = old.backupDays == nil && new.backupDays != nil
        if isMade, owesVersion || owesBackups { isImmediate = true }
        var before = present.arguments
        if isImmediate,
            let live = try? DBInstance.Arguments(
                decoding: before.members.merging(present.inForce) { _, inForce in inForce })
        {
            before = live
        }
        before.password = old.password
        before.networkType = old.networkType
        noteEngine(before, new)
        try noteStorage(before, new, database)
        notePlacement(before, new)
        noteOperation(before, new)
        noteWatch(before, new)
        guard !fields.isEmpty else { return }
        input = .structure(
            [
                .init("DBInstanceIdentifier", .string(database.name)),
                .init("ApplyImmediately", .boolean(isImmediate)),
            ] + fields)
    }

    private mutating func note<Member: Equatable>(
        _ name: String, _ before: Member?, _ after: Member?, _ form: (Member) -> AWSInput
    ) {
        guard let after, after != before else { return }
        fields.append(.init(name, form(after)))
    }

    private mutating func note(_ name: String, _ before: String?, _ after: String?) {
        note(name, before?.lowercased(), after?.lowercased()) { _ in .string(after ?? "") }
    }

    private mutating func note(_ name: String, _ before: Bool?, _ after: Bool?) {
        note(name, before, after) { .boolean($0) }
    }

    private mutating func note(_ name: String, _ before: Int?, _ after: Int?) {
        note(name, before, after) { .integer($0) }
    }

    private mutating func noteEngine(_ before: DBInstance.Arguments, _ new: DBInstance.Arguments) {
        note("NewDBInstanceIdentifier", before.identifier, new.identifier.lowercased())
        if let version = new.engineVersion.filled, let live = before.engineVersion, live != version,
            !live.hasPrefix(version + ".")
        {
            fields.append(.init("EngineVersion", .string(version)))
            fields.append(.init("AllowMajorVersionUpgrade", .boolean(new.allowsMajorUpgrade ?? false)))
        }
        note("DBInstanceClass", before.instanceClass, new.instanceClass)
        note("MasterUserPassword", before.password, new.password) { .password($0) }
        note("ManageMasterUserPassword", before.managesPassword, new.managesPassword)
        if new.managesPassword == true { note("MasterUserSecretKmsKeyId", before.secretKeyID, new.secretKeyID.filled) }
        note("DBPortNumber", before.port, new.port)
        note("LicenseModel", before.licenseModel, new.licenseModel.filled)
        note("ReplicaMode", before.replicaMode, new.replicaMode.filled)
    }

    /// The parts of a volume go together: some kinds want all of them said.
    private mutating func noteStorage(
        _ before: DBInstance.Arguments, _ new: DBInstance.Arguments, _ database: ListedDatabase
    ) throws(ProviderError) {
        let limit = new.storageLimit.positive
        let hasGrown = limit != nil && (new.storage ?? 0) < database.allocatedStorage
        if let size = new.storage, size < database.allocatedStorage, !hasGrown {
            throw ProviderError(
                .invalid,
                "\(database.name) has \(database.allocatedStorage) GiB and cannot shrink to \(size) GiB; it only grows.",
                hint: "Write \(database.allocatedStorage) or more.")
        }
        // The listing tells the recorded size where RDS let the volume grow by itself.
        let present = max(before.storage ?? 0, hasGrown ? database.allocatedStorage : 0)
        let size = hasGrown ? nil : new.storage
        let isChanged =
            size.map { $0 != present } ?? false || new.iops.map { $0 != before.iops } ?? false
            || new.throughput.map { $0 != before.throughput } ?? false
            || new.storageType.map { $0 != before.storageType } ?? false
        if isChanged {
            let parts: [(String, AWSInput)] = [
                ("AllocatedStorage", .optional(new.storage.map { max($0, hasGrown ? database.allocatedStorage : $0) })),
                ("StorageType", .nonEmpty(new.storageType)), ("Iops", .optional(new.iops.positive)),
                ("StorageThroughput", .optional(new.throughput.positive)),
            ]
            for (name, value) in parts where value != .absent { fields.append(.init(name, value)) }
        }
        if let wanted = new.storageLimit, wanted != before.storageLimit ?? 0 {
            // Nothing to grow to switches it off.
            let least = max(new.storage ?? 0, database.allocatedStorage)
            fields.append(.init("MaxAllocatedStorage", .integer(wanted == 0 ? least : wanted)))
        }
        note("DedicatedLogVolume", before.hasLogVolume, new.hasLogVolume)
    }

    private mutating func notePlacement(_ before: DBInstance.Arguments, _ new: DBInstance.Arguments) {
        note("MultiAZ", before.isMultiAZ, new.isMultiAZ)
        note("DBSubnetGroupName", before.subnetGroup, new.subnetGroup.filled?.lowercased())
        if setDifference(before.securityGroupIDs, new.securityGroupIDs) != ([], []), new.securityGroupIDs != [] {
            fields.append(
                .init("VpcSecurityGroupIds", .set(new.securityGroupIDs, as: "VpcSecurityGroupId")))
        }
        note("PubliclyAccessible", before.isPublic, new.isPublic)
        note("NetworkType", before.networkType, new.networkType.filled)
        note("EnableCustomerOwnedIp", before.hasCustomerOwnedIP, new.hasCustomerOwnedIP)
        note("CACertificateIdentifier", before.certificateAuthority, new.certificateAuthority.filled)
        note("DBParameterGroupName", before.parameterGroup, new.parameterGroup.filled)
        note("OptionGroupName", before.optionGroup, new.optionGroup.filled)
    }

    private mutating func noteOperation(_ before: DBInstance.Arguments, _ new: DBInstance.Arguments) {
        note("PreferredMaintenanceWindow", before.maintenanceWindow, new.maintenanceWindow.filled)
        note("PreferredBackupWindow", before.backupWindow, new.backupWindow.filled)
        note("BackupRetentionPeriod", before.backupDays, new.backupDays)
        note("CopyTagsToSnapshot", before.copiesTags, new.copiesTags)
        note("AutoMinorVersionUpgrade", before.upgradesItself, new.upgradesItself)
        note("DeletionProtection", before.isProtected, new.isProtected)
    }

    private mutating func noteWatch(_ before: DBInstance.Arguments, _ new: DBInstance.Arguments) {
        let logs = setDifference(before.logExports, new.logExports)
        if logs != ([], []) {
            fields.append(
                .init(
                    "CloudwatchLogsExportConfiguration",
                    ["EnableLogTypes": .set(logs.added), "DisableLogTypes": .set(logs.removed)]))
        }
        if new.monitoringSeconds != nil,
            new.monitoringSeconds != before.monitoringSeconds
                || new.monitoringRole.filled != nil && new.monitoringRole != before.monitoringRole
        {
            fields.append(.init("MonitoringInterval", .optional(new.monitoringSeconds)))
            if new.monitoringRole.filled != nil {
                fields.append(.init("MonitoringRoleArn", .nonEmpty(new.monitoringRole)))
            }
        }
        let insights = fields.count
        note("EnablePerformanceInsights", before.hasInsights, new.hasInsights)
        note("DatabaseInsightsMode", before.insightsMode, new.insightsMode.filled)
        note("PerformanceInsightsKMSKeyId", before.insightsKeyID, new.insightsKeyID.filled)
        note("PerformanceInsightsRetentionPeriod", before.insightsDays, new.insightsDays.positive)
        // Every change of how it is watched says that it is.
        if fields.count > insights, new.hasInsights == true, before.hasInsights == true {
            fields.append(.init("EnablePerformanceInsights", true))
        }
        note("EnableIAMDatabaseAuthentication", before.allowsIAM, new.allowsIAM)
        noteDomain(before, new)
    }

    private mutating func noteDomain(_ before: DBInstance.Arguments, _ new: DBInstance.Arguments) {
        let wanted = [new.domain, new.domainName]
        if wanted.contains(where: { $0 == "" }), wanted.allSatisfy({ $0.filled == nil }) {
            if before.domain.filled != nil || before.domainName.filled != nil {
                fields.append(.init("DisableDomain", true))
            }
            return
        }
        note("Domain", before.domain, new.domain.filled)
        note("DomainIAMRoleName", before.domainRole, new.domainRole.filled)
        note("DomainFqdn", before.domainName, new.domainName.filled)
        note("DomainOu", before.domainUnit, new.domainUnit.filled)
        note("DomainAuthSecretArn", before.domainSecret, new.domainSecret.filled)
        note("DomainDnsIps", before.domainAddresses, new.domainAddresses) { .optionalStrings($0) }
    }
}

extension AWSInput {
    /// Struck out of every error message; nil and "" leave the member out.
    static func password(_ text: String?) -> AWSInput { text.filled.map { .secret(Secret($0)) } ?? .absent }

    /// In the user's order; nil and [] leave the member out.
    static func optionalStrings(_ values: [String]?) -> AWSInput {
        guard let values, !values.isEmpty else { return .absent }
        return .strings(values)
    }

    /// A set whose members have a name on the wire; nil and [] leave the member out.
    static func set(_ values: [String]?, as member: String) -> AWSInput {
        guard let values, !values.isEmpty else { return .absent }
        return .strings(Set(values).sorted(), as: .members(member))
    }
}

extension Optional where Wrapped == Int {
    /// nil for 0, which AWS takes for a mistake.
    var positive: Int? { self == 0 ? nil : self }
}
