import MusterModel

/// The arguments of `aws.db_instance` that the section takes as they are.
enum RDSFields {
    /// Each makes a database that does not begin empty.
    static let sources = ["snapshot_identifier", "replicate_source_db", "restore_to_point_in_time", "s3_import"]

    static let verbatim: [ArgumentSchema] = engine + storage + operation + watching + origin

    private static let engine: [ArgumentSchema] = [
        ArgumentSchema("engine", .string, "The engine, such as mysql, mariadb or postgres."),
        ArgumentSchema("engine_version", .string, "The version; \"8.0\" accepts any 8.0.…"),
        ArgumentSchema("instance_class", .string, "The size of the machine, such as db.m5.large."),
        ArgumentSchema("username", .string, "The name of the master user."),
        ArgumentSchema(
            "password", .string, constraints: [.conflictsWith(["manage_master_user_password"])], isSensitive: true,
            "The password of the master user, from a secret variable."),
        ArgumentSchema(
            "manage_master_user_password", .boolean,
            "Whether RDS makes the password, keeps it in Secrets Manager and rotates it."),
        ArgumentSchema("master_user_secret_kms_key_id", .string, "The KMS key of that secret."),
        ArgumentSchema("db_name", .string, "The first schema that is made in it."),
        ArgumentSchema("port", .integer, constraints: [.range(1, 65_535)], "The port."),
        ArgumentSchema("license_model", .string, "The licence, for engines that have several."),
        ArgumentSchema("engine_lifecycle_support", .string, "Whether the engine is kept, for a price, after its end."),
        ArgumentSchema("character_set_name", .string, "The character set (Oracle, SQL Server)."),
        ArgumentSchema("nchar_character_set_name", .string, "The national character set (Oracle)."),
        ArgumentSchema("timezone", .string, "The time zone (SQL Server)."),
        ArgumentSchema("custom_iam_instance_profile", .string, "The instance profile (RDS Custom)."),
        ArgumentSchema("replica_mode", .string, "Whether a replica may be read (Oracle)."),
        ArgumentSchema(
            "parameter_group_name", .string, reference: .dbParameterGroup, "A parameter group that is made elsewhere."),
        ArgumentSchema("option_group_name", .string, "The engine's additional features."),
    ]

    private static let storage: [ArgumentSchema] = [
        ArgumentSchema(
            "allocated_storage", .integer, constraints: [.range(1, 65_536)], "The size in GiB; it only grows."),
        ArgumentSchema(
            "max_allocated_storage", .integer, constraints: [.range(0, 65_536)],
            "Up to what size in GiB RDS may let it grow by itself."),
        ArgumentSchema("storage_type", .string, "gp3, gp2, io1, io2 or standard."),
        ArgumentSchema("iops", .integer, "Operations per second, where the type has a choice."),
        ArgumentSchema("storage_throughput", .integer, "MiB per second, for gp3."),
        ArgumentSchema("storage_encrypted", .boolean, "Whether the volume is encrypted; true if it is left out."),
        ArgumentSchema("kms_key_id", .string, "The key to encrypt with."),
        ArgumentSchema("dedicated_log_volume", .boolean, "Whether the log has a volume of its own."),
        ArgumentSchema("upgrade_storage_config", .boolean, "Whether a replica gets the newest file system."),
    ]

    private static let operation: [ArgumentSchema] = [
        ArgumentSchema("multi_az", .boolean, "Whether a standby in another zone takes over when it fails."),
        ArgumentSchema("availability_zone", .string, "The zone to start in."),
        ArgumentSchema(
            "db_subnet_group_name", .string, reference: .dbSubnetGroup, "A subnet group that is made elsewhere."),
        ArgumentSchema(
            "publicly_accessible", .boolean,
            "Whether its name leads to a public address; false if it is left out."),
        ArgumentSchema("network_type", .string, "IPV4 or DUAL."),
        ArgumentSchema("customer_owned_ip_enabled", .boolean, "Whether it has a customer-owned address (Outposts)."),
        ArgumentSchema("ca_cert_identifier", .string, "The authority that signs its certificate."),
        ArgumentSchema(
            "maintenance_window", .string,
            "When AWS may interrupt it, in UTC, and when changes that wait are made: mon:01:30-mon:02:30."),
        ArgumentSchema("backup_window", .string, "When the daily backup is made, in UTC: 00:00-01:00."),
        ArgumentSchema(
            "backup_retention_period", .integer, constraints: [.range(0, 35)],
            "For how many days backups are kept; 0 makes none."),
        ArgumentSchema("backup_target", .string, "Where backups rest."),
        ArgumentSchema("copy_tags_to_snapshot", .boolean, "Whether snapshots get its tags."),
        ArgumentSchema("auto_minor_version_upgrade", .boolean, "Whether AWS installs patches of the engine."),
        ArgumentSchema(
            "allow_major_version_upgrade", .boolean, "Whether another engine_version may be of another line."),
        ArgumentSchema(
            "apply_immediately", .boolean,
            "Whether changes are made at once, and not in the maintenance window; false if it is left out."),
        ArgumentSchema("deletion_protection", .boolean, "Whether AWS refuses to delete it."),
        ArgumentSchema(
            "skip_final_snapshot", .boolean,
            "Whether deleting it makes no last snapshot; false if it is left out."),
        ArgumentSchema("final_snapshot_identifier", .string, "The name of its last snapshot."),
        ArgumentSchema(
            "delete_automated_backups", .boolean,
            "Whether its automated backups are deleted with it; true if it is left out."),
    ]

    private static let watching: [ArgumentSchema] = [
        ArgumentSchema(
            "enabled_cloudwatch_logs_exports", .list(.string), "The logs that go to CloudWatch, such as error."),
        ArgumentSchema("monitoring_interval", .integer, "Every how many seconds the machine is measured; 0 never."),
        ArgumentSchema("monitoring_role_arn", .string, "The role that may write those measurements."),
        ArgumentSchema("performance_insights_enabled", .boolean, "Whether Performance Insights watches it."),
        ArgumentSchema("performance_insights_kms_key_id", .string, "The KMS key of what it gathers."),
        ArgumentSchema("performance_insights_retention_period", .integer, "For how many days it is kept."),
        ArgumentSchema("database_insights_mode", .string, "standard or advanced."),
        ArgumentSchema("iam_database_authentication_enabled", .boolean, "Whether IAM identities may log in."),
        ArgumentSchema("domain", .string, "The directory that it joins."),
        ArgumentSchema("domain_iam_role_name", .string, "The role for calls to that directory."),
        ArgumentSchema("domain_fqdn", .string, "The full name of a directory of your own."),
        ArgumentSchema("domain_ou", .string, "Its organizational unit."),
        ArgumentSchema("domain_auth_secret_arn", .string, "The secret with the user that joins."),
        ArgumentSchema("domain_dns_ips", .list(.string), "Its two DNS servers."),
    ]

    private static let origin: [ArgumentSchema] = [
        ArgumentSchema("snapshot_identifier", .string, "The snapshot that it is made from."),
        ArgumentSchema(
            "replicate_source_db", .string, reference: .database,
            "The database that it is a replica of. Taking this out makes it one of its own."),
        ArgumentSchema(
            "restore_to_point_in_time",
            .object([
                ArgumentSchema("restore_time", .string, "The moment, such as 2026-11-21T08:30:00Z."),
                ArgumentSchema("source_db_instance_identifier", .string, reference: .database, "The database."),
                ArgumentSchema(
                    "source_db_instance_automated_backups_arn", .string, "Its backups that were kept, by ARN."),
                ArgumentSchema("source_dbi_resource_id", .string, "The database, by its lasting id."),
                ArgumentSchema("use_latest_restorable_time", .boolean, "Whether it is the latest moment."),
            ]), "The moment of another database that it is made from."),
        ArgumentSchema(
            "s3_import",
            .object([
                ArgumentSchema("bucket_name", .string, isRequired: true, "The bucket."),
                ArgumentSchema("bucket_prefix", .string, "What its keys begin with."),
                ArgumentSchema("ingestion_role", .string, isRequired: true, "The role that may read it, by ARN."),
                ArgumentSchema("source_engine", .string, isRequired: true, "The engine that made the backup."),
                ArgumentSchema("source_engine_version", .string, isRequired: true, "Its version."),
            ]), "The backup in S3 that it is made from (MySQL)."),
    ]
}
