import MusterModel
import ProviderKit

// The arguments of a database instance, in the groups of the reference page.

extension DBInstance.Arguments {
    /// What AWS puts off to the window, unless it is told not to.
    private static let window = ChangeTiming.inWindow("maintenance_window", unless: "apply_immediately")

    static let engineFields: [Field<Self>] = [
        .required(
            "identifier", \.identifier, onChange: .updateWithDowntime, semantics: .caseInsensitive,
            constraints: [.hyphenated, .length(1, 63)], timing: window,
            "The name; AWS keeps it in lower case. Another one renames the database in place."),
        .argument(
            "engine", \.engine, onChange: .replace, semantics: .caseInsensitive,
            "The engine, such as `mysql`; a replica has that of its source."),
        .argument(
            "engine_version", \.engineVersion, onChange: .updateWithDowntime, semantics: .versionPrefix,
            timing: window, "The version; `8.0` accepts any `8.0.…`."),
        .argument(
            "instance_class", \.instanceClass, onChange: .updateWithDowntime, timing: window,
            "The size, such as `db.m5.large`."),
        .argument(
            "username", \.username, onChange: .replace, "The name of the master user; a restored database has its own."),
        .argument(
            "password", \.password, constraints: [.conflictsWith(["manage_master_user_password"])], isSensitive: true,
            isReadable: false, "The password of the master user: a secret. muster keeps a keyed digest only."),
        .argument(
            "manage_master_user_password", \.managesPassword, absence: .means(false),
            "Whether RDS makes the password, keeps it in Secrets Manager and rotates it. Recommended."),
        .argument(
            "master_user_secret_kms_key_id", \.secretKeyID, "The KMS key of that secret; AWS's own if it is left out."),
        .argument(
            "db_name", \.databaseName, onChange: .replace, "The first schema (or SID) that is made in it."),
        .argument("port", \.port, onChange: .updateWithDowntime, constraints: [.range(1, 65_535)], "The port."),
        .argument(
            "license_model", \.licenseModel, onChange: .updateWithDowntime, timing: window,
            "The licence, for engines that have several."),
        .argument(
            "engine_lifecycle_support", \.lifecycleSupport, onChange: .creationOnly,
            constraints: [
                .allowed(["open-source-rds-extended-support", "open-source-rds-extended-support-disabled"])
            ], "Whether the engine is kept, for a price, after its end of life."),
        .argument("character_set_name", \.characterSet, onChange: .replace, "The character set (Oracle, SQL Server)."),
        .argument(
            "nchar_character_set_name", \.ncharCharacterSet, onChange: .replace, "The national character set (Oracle)."),
        .argument("timezone", \.timezone, onChange: .replace, "The time zone (SQL Server)."),
        .argument(
            "custom_iam_instance_profile", \.customProfile, onChange: .replace, "The instance profile (RDS Custom)."),
        .argument(
            "replica_mode", \.replicaMode, constraints: [.allowed(["open-read-only", "mounted"])],
            "Whether a replica may be read (Oracle)."),
    ]

    static let storageFields: [Field<Self>] = [
        .argument(
            "allocated_storage", \.storage, constraints: [.range(1, 65_536)], timing: window,
            "The size in GiB; it only grows. With `max_allocated_storage` this is the least."),
        .argument(
            "max_allocated_storage", \.storageLimit, constraints: [.range(0, 65_536)],
            "Up to what size in GiB RDS may let it grow by itself; 0 never."),
        .argument(
            "storage_type", \.storageType,
            constraints: [.allowed(["standard", "gp2", "gp3", "io1", "io2"])], timing: window, "The kind of volume."),
        .argument("iops", \.iops, constraints: [.range(0, 256_000)], timing: window, "Operations per second."),
        .argument(
            "storage_throughput", \.throughput, constraints: [.range(0, 4_000)], timing: window,
            "MiB per second (gp3)."),
        .argument("storage_encrypted", \.isEncrypted, onChange: .replace, "Whether the volume is encrypted."),
        .argument("kms_key_id", \.keyID, onChange: .replace, "The KMS key of the volume; AWS's own if it is left out."),
        .argument(
            "dedicated_log_volume", \.hasLogVolume, onChange: .updateWithDowntime, timing: window,
            "Whether the log has a volume of its own."),
        .argument(
            "upgrade_storage_config", \.upgradesStorage, onChange: .creationOnly,
            "Whether a replica gets the newest file system."),
    ]

    static let placementFields: [Field<Self>] = [
        .argument(
            "multi_az", \.isMultiAZ, timing: window, "Whether a standby in another zone takes over when it fails."),
        .argument(
            "availability_zone", \.zone, onChange: .creationOnly,
            "The zone to start in. A failover moves it, which is nobody's mistake."),
        .argument(
            "db_subnet_group_name", \.subnetGroup, onChange: .updateWithDowntime, semantics: .caseInsensitive,
            reference: .dbSubnetGroup, timing: window,
            "The subnets that it may stand in. It moves only to a group in another VPC."),
        .argument(
            "vpc_security_group_ids", \.securityGroupIDs, type: .set(.string), reference: .securityGroup,
            "The groups that guard it; without them the VPC's default group does."),
        .argument(
            "publicly_accessible", \.isPublic, absence: .means(false), hazards: [.publicExposure],
            "Whether its name leads to a public address."),
        .argument(
            "network_type", \.networkType, onChange: .updateWithDowntime, constraints: [.allowed(["IPV4", "DUAL"])],
            isReadable: false, timing: window, "The kind of its addresses. AWS does not tell that a change waits."),
        .argument(
            "customer_owned_ip_enabled", \.hasCustomerOwnedIP, "Whether it has a customer-owned address (Outposts)."),
        .argument(
            "ca_cert_identifier", \.certificateAuthority, timing: window,
            "The authority that signs its certificate. Older engines restart for another one."),
        .argument(
            "parameter_group_name", \.parameterGroup, semantics: .caseInsensitive, reference: .dbParameterGroup,
            timing: .inWindow(
                "maintenance_window", unless: "apply_immediately",
                when: .with(
                    "engine_version",
                    otherwise: "the static parameters of the group come into force when the database restarts next")),
            "The engine's settings."),
        .argument(
            "option_group_name", \.optionGroup, semantics: .caseInsensitive, timing: window,
            "The engine's additional features."),
    ]

    static let operationFields: [Field<Self>] = [
        .argument(
            "maintenance_window", \.maintenanceWindow, semantics: .caseInsensitive,
            constraints: [
                .pattern(
                    weeklyWindow,
                    "such as `mon:01:30-mon:02:30`, in UTC")
            ], "When AWS may interrupt it, in UTC, and when changes that wait are made: `mon:01:30-mon:02:30`."),
        .argument(
            "backup_window", \.backupWindow,
            constraints: [.pattern("[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}", "such as `00:00-01:00`, in UTC")],
            "When the daily backup is made, in UTC; not inside the maintenance window."),
        .argument(
            "backup_retention_period", \.backupDays, onChange: .updateWithDowntime, constraints: [.range(0, 35)],
            timing: .inWindow("maintenance_window", unless: "apply_immediately", when: .betweenZero),
            "For how many days backups are kept; 0 makes none."),
        .argument(
            "backup_target", \.backupTarget, onChange: .creationOnly,
            constraints: [.allowed(["region", "outposts", "local"])], "Where backups and snapshots rest."),
        .argument(
            "copy_tags_to_snapshot", \.copiesTags, "Whether snapshots get its tags."),
        .argument(
            "auto_minor_version_upgrade", \.upgradesItself, "Whether AWS installs patches of the engine."),
        .argument(
            "allow_major_version_upgrade", \.allowsMajorUpgrade, absence: .means(false), onChange: .local,
            "Whether another `engine_version` may be of another line."),
        .argument(
            "apply_immediately", \.isImmediate, absence: .means(false), onChange: .local,
            "Whether changes are made at once, with those that wait, and not in the maintenance window."),
        .argument(
            "deletion_protection", \.isProtected, isDeletionGuard: true, "Whether AWS refuses to delete it."),
        .argument(
            "skip_final_snapshot", \.skipsSnapshot, absence: .means(false), onChange: .local,
            "Whether deleting it makes no last snapshot."),
        .argument(
            "final_snapshot_identifier", \.snapshotName, onChange: .local,
            constraints: [.hyphenated, .length(1, 255)],
            "The name of its last snapshot; left out, a name that no other snapshot has."),
        .argument(
            "delete_automated_backups", \.deletesBackups, absence: .means(true), onChange: .local,
            "Whether its automated backups are deleted with it."),
    ]

    static let watchFields: [Field<Self>] = [
        .argument(
            "enabled_cloudwatch_logs_exports", \.logExports, type: .set(.string),
            "The logs that go to CloudWatch, such as `error`."),
        .argument(
            "monitoring_interval", \.monitoringSeconds,
            constraints: [.allowed(["0", "1", "5", "10", "15", "30", "60"])],
            "Every how many seconds the machine is measured; 0 never."),
        .argument("monitoring_role_arn", \.monitoringRole, "The role that may write those measurements."),
        .argument("performance_insights_enabled", \.hasInsights, "Whether Performance Insights watches it."),
        .argument("performance_insights_kms_key_id", \.insightsKeyID, "The KMS key of what it gathers."),
        .argument(
            "performance_insights_retention_period", \.insightsDays, "For how many days it is kept: 7, n × 31 or 731."),
        .argument(
            "database_insights_mode", \.insightsMode, constraints: [.allowed(["standard", "advanced"])],
            "How closely CloudWatch Database Insights looks."),
        .argument(
            "iam_database_authentication_enabled", \.allowsIAM, timing: window, "Whether IAM identities may log in."),
        .argument(
            "domain", \.domain, onChange: .updateWithDowntime, "The directory (Managed Microsoft AD) that it joins."),
        .argument(
            "domain_iam_role_name", \.domainRole, onChange: .updateWithDowntime, "The role for calls to that directory."
        ),
        .argument(
            "domain_fqdn", \.domainName, onChange: .updateWithDowntime, "The full name of a directory of your own."),
        .argument("domain_ou", \.domainUnit, onChange: .updateWithDowntime, "Its organizational unit."),
        .argument(
            "domain_auth_secret_arn", \.domainSecret, onChange: .updateWithDowntime,
            "The secret with the user that joins."),
        .argument(
            "domain_dns_ips", \.domainAddresses, onChange: .updateWithDowntime, "Its two DNS servers."),
        .tags(\.tags),
    ]

    private static let sources = [
        "snapshot_identifier", "replicate_source_db", "restore_to_point_in_time", "s3_import",
    ]

    static let sourceFields: [Field<Self>] = [
        .argument(
            "snapshot_identifier", \.snapshot, onChange: .creationOnly,
            constraints: [.conflictsWith(sources.filter { $0 != "snapshot_identifier" })],
            "The snapshot that it is made from. Taking this out later changes nothing."),
        .argument(
            "replicate_source_db", \.replicaSource, absence: .means(""), onChange: .updateWithDowntime,
            reference: .database,
            constraints: [.conflictsWith(sources.filter { $0 != "replicate_source_db" })], hazards: [.irreversible],
            "The database of the region that it is a replica of. Taking this out makes it one of its own."),
        .argument(
            "restore_to_point_in_time", \.restore, onChange: .creationOnly,
            constraints: [.conflictsWith(sources.filter { $0 != "restore_to_point_in_time" })],
            "The moment of another database that it is made from."),
        .argument(
            "s3_import", \.s3Import, onChange: .creationOnly,
            constraints: [.conflictsWith(sources.filter { $0 != "s3_import" })],
            "The backup in S3 that it is made from (MySQL)."),
    ]
}

/// A moment of another database.
struct PointInTime: ArgumentBlock {
    var time: String?
    var source: String?
    var sourceBackups: String?
    var sourceResource: String?
    var isLatest: Bool?

    static let fields: [Field<Self>] = [
        .argument(
            "restore_time", \.time, onChange: .creationOnly,
            constraints: [.conflictsWith(["use_latest_restorable_time"])],
            "The moment, such as `2026-11-21T08:30:00Z`."),
        .argument(
            "source_db_instance_identifier", \.source, onChange: .creationOnly, reference: .database, "The database."),
        .argument(
            "source_db_instance_automated_backups_arn", \.sourceBackups, onChange: .creationOnly,
            "Its backups that were kept, by ARN."),
        .argument(
            "source_dbi_resource_id", \.sourceResource, onChange: .creationOnly,
            "The database, by the id that is never given twice."),
        .argument(
            "use_latest_restorable_time", \.isLatest, onChange: .creationOnly,
            "Whether it is the latest moment that there is."),
    ]
}

/// A backup in S3.
struct S3Import: ArgumentBlock {
    var bucket = ""
    var prefix: String?
    var role = ""
    var engine = ""
    var version = ""

    static let fields: [Field<Self>] = [
        .required("bucket_name", \.bucket, onChange: .creationOnly, "The bucket."),
        .argument("bucket_prefix", \.prefix, onChange: .creationOnly, "What its keys begin with."),
        .required("ingestion_role", \.role, onChange: .creationOnly, "The ARN of the role that may read it."),
        .required("source_engine", \.engine, onChange: .creationOnly, "The engine that made the backup."),
        .required("source_engine_version", \.version, onChange: .creationOnly, "Its version."),
    ]
}
