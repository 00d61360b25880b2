import Diagnostics
import MusterModel

/// `elasticache`: a replication group of Redis or Valkey with its subnet group and its name in DNS.
///
/// What it holds is encrypted unless the spec says otherwise. With an `auth_token` clients speak to it in TLS, since AWS
/// takes a token in no other way. Deleting it makes a last snapshot only under a name that the spec gives.
enum ElastiCacheSection: Section {
    static let schema = SectionSchema(
        name: "elasticache", summary: "Redis or Valkey of ElastiCache, with its subnet group and its name.",
        fields: [
            ArgumentSchema(
                "subnets", .list(.string), reference: .subnet,
                constraints: [.count(1, 64), .conflictsWith(["subnet_group_name"])],
                "The subnets that it may stand in; makes its subnet group."),
            ArgumentSchema("security_groups", .list(.string), reference: .securityGroup, "Groups that guard it."),
            SectionFields.dns,
        ] + verbatim + [
            SectionFields.name("The id in AWS; the key of the map if it is left out."),
            SectionFields.tags("the cache and its subnet group"),
        ],
        principalTypes: ["aws.elasticache_replication_group"],
        example: """
            elasticache:
              prod-queue:
                engine: redis
                engine_version: "7.1"
                node_type: cache.m5.large
                num_cache_clusters: 2
                automatic_failover_enabled: true
                multi_az_enabled: true
                subnets: [prod-a, prod-b]
                security_groups: [prod-queue]
                maintenance_window: mon:01:30-mon:02:30
                snapshot_retention_limit: 7
                final_snapshot_identifier: prod-queue-last
                dns: queue.tastycidr.net
            """)

    /// The arguments of `aws.elasticache_replication_group` that are written as they are.
    private static let verbatim: [ArgumentSchema] = nodes + operation

    private static let nodes: [ArgumentSchema] = [
        ArgumentSchema("description", .string, constraints: [.length(1, 255)], "What it is for."),
        ArgumentSchema("engine", .string, constraints: [.allowed(["redis", "valkey"])], "redis or valkey."),
        ArgumentSchema("engine_version", .string, "The version; \"7.1\" accepts any 7.1.…"),
        ArgumentSchema("node_type", .string, isRequired: true, "The size of its nodes, such as cache.m5.large."),
        ArgumentSchema(
            "num_cache_clusters", .integer,
            constraints: [.range(1, 6), .conflictsWith(["num_node_groups", "replicas_per_node_group"])],
            "How many nodes a group of one shard has."),
        ArgumentSchema("num_node_groups", .integer, constraints: [.range(1, 500)], "How many shards it has."),
        ArgumentSchema(
            "replicas_per_node_group", .integer, constraints: [.range(0, 5)], "How many replicas each shard has."),
        ArgumentSchema(
            "cluster_mode", .string, constraints: [.allowed(["enabled", "disabled", "compatible"])],
            "Whether clients speak to it as a cluster."),
        ArgumentSchema("automatic_failover_enabled", .boolean, "Whether a replica takes over when the primary fails."),
        ArgumentSchema("multi_az_enabled", .boolean, "Whether replicas stand in other zones."),
        ArgumentSchema("data_tiering_enabled", .boolean, "Whether what is seldom used goes to disk."),
        ArgumentSchema("global_replication_group_id", .string, "The global datastore that it joins."),
        ArgumentSchema("preferred_cache_cluster_azs", .list(.string), "The zones to start in."),
        ArgumentSchema("port", .integer, constraints: [.range(1, 65_535)], "The port."),
        ArgumentSchema("parameter_group_name", .string, "The engine's settings."),
        ArgumentSchema(
            "subnet_group_name", .string, reference: .cacheSubnetGroup, "A subnet group that is made elsewhere."),
        ArgumentSchema("network_type", .string, "ipv4, ipv6 or dual_stack."),
        ArgumentSchema("ip_discovery", .string, "The kind of addresses that clients are told."),
    ]

    private static let operation: [ArgumentSchema] = [
        ArgumentSchema(
            "at_rest_encryption_enabled", .boolean,
            "Whether what it holds is encrypted; true if it is left out."),
        ArgumentSchema("kms_key_id", .string, "The key to encrypt with."),
        ArgumentSchema(
            "transit_encryption_enabled", .boolean,
            "Whether clients speak to it in TLS; true with an auth_token, else as AWS has it."),
        ArgumentSchema("transit_encryption_mode", .string, "preferred or required."),
        ArgumentSchema(
            "auth_token", .string, isSensitive: true, "The password of AUTH, from a secret variable; it needs TLS."),
        ArgumentSchema("auth_token_update_strategy", .string, "What happens to the old token: ROTATE, SET or DELETE."),
        ArgumentSchema("user_group_ids", .list(.string), "The group of users that may log in."),
        ArgumentSchema(
            "maintenance_window", .string,
            "When AWS may interrupt it, in UTC, and when changes that wait are made: mon:01:30-mon:02:30."),
        ArgumentSchema("snapshot_window", .string, "When the daily snapshot is made, in UTC: 00:00-01:00."),
        ArgumentSchema(
            "snapshot_retention_limit", .integer, constraints: [.range(0, 35)],
            "For how many days snapshots are kept; 0 makes none."),
        ArgumentSchema("snapshot_arns", .list(.string), "The files in S3 that it is filled from."),
        ArgumentSchema("snapshot_name", .string, "The snapshot that it is filled from."),
        ArgumentSchema(
            "final_snapshot_identifier", .string, "The name of its last snapshot; without one there is none."),
        ArgumentSchema("auto_minor_version_upgrade", .boolean, "Whether AWS installs patches of the engine."),
        ArgumentSchema(
            "apply_immediately", .boolean,
            "Whether changes are made at once, and not in the maintenance window; false if it is left out."),
        ArgumentSchema("notification_topic_arn", .string, reference: .snsTopic, "The topic that hears of events."),
        ArgumentSchema(
            "log_delivery_configuration",
            .list(
                .object([
                    ArgumentSchema("log_type", .string, isRequired: true, "slow-log or engine-log."),
                    ArgumentSchema("destination", .string, isRequired: true, "The log group or delivery stream."),
                    ArgumentSchema(
                        "destination_type", .string, isRequired: true, "cloudwatch-logs or kinesis-firehose."),
                    ArgumentSchema("log_format", .string, isRequired: true, "json or text."),
                ])), "Where its logs go."),
    ]

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        let body = definition.body
        var result = LoweringResult()
        var cache = Draft(
            principal: "aws.elasticache_replication_group", of: definition,
            renamed: [
                "name": "replication_group_id", "subnets": "subnet_group_name",
                "security_groups": "security_group_ids",
            ])
        cache.set("replication_group_id", definition.remoteName.value, at: body["name"]?.range)
        cache.copy(verbatim, from: body)
        cache.set("security_group_ids", body["security_groups"])
        if body["at_rest_encryption_enabled"] == nil { cache.set("at_rest_encryption_enabled", true) }
        if let token = body["auth_token"] {
            if body["transit_encryption_enabled"] == nil { cache.set("transit_encryption_enabled", true) }
            if body["transit_encryption_enabled"]?.value == false {
                result.diagnostics.append(.tokenInTheOpen(at: token.range))
            }
        }
        if let subnets = body["subnets"] {
            var group = Draft("aws.elasticache_subnet_group", definition.name, of: definition, at: subnets.range)
            group.set("name", definition.remoteName.value, at: body["name"]?.range)
            group.set("subnet_ids", subnets)
            group.setTags(body["tags"], inherited: definition.inheritedTags, &result.diagnostics)
            cache.set("subnet_group_name", group.output("name"), at: subnets.range)
            result.append(group)
        }
        cache.setTags(body["tags"], inherited: definition.inheritedTags, &result.diagnostics)
        let hasShards = (body["num_node_groups"]?.value.integer ?? 1) > 1 || body["cluster_mode"]?.value == "enabled"
        let address = cache.output(hasShards ? "configuration_endpoint_address" : "primary_endpoint_address")
        result.append(cache)
        result.lowerName(of: definition, leadingTo: address)
        return result
    }
}

extension Diagnostic {
    fileprivate static func tokenInTheOpen(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.auth-token", summary: "Token without TLS",
            detail: "AWS takes an \"auth_token\" only where clients speak in TLS.", at: range,
            hint: "Leave \"transit_encryption_enabled: false\" out.")
    }
}
