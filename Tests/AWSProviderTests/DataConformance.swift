import AWSClient
import FoundationEssentials
import MusterModel
import ProviderKit
import Testing

let dataConformance: [ConformanceRow] = [
    databaseRow, waitingRow, managedPasswordRow, replicaRow, restoredRow, momentRow, dbSubnetGroupRow,
    dbParameterGroupRow, cacheRow, waitingCacheRow, clusterRow, cacheSubnetGroupRow,
]

private let tags: Value = ["Name": "conformance", "Team": "a"]
private let otherTags: Value = ["Name": "other"]

extension ConformanceLab {
    fileprivate func subnets() async throws -> Value {
        let vpc = try await make("aws.vpc", ["cidr_block": "10.60.0.0/16"])
        var subnets: [Value] = []
        for (index, zone) in ["a", "b", "c"].enumerated() {
            let subnet = try await make(
                "aws.subnet",
                [
                    "vpc_id": .string(vpc), "cidr_block": .string("10.60.\(index).0/24"),
                    "availability_zone": .string("us-east-1\(zone)"),
                ])
            note("subnet \(zone)", subnet)
            subnets.append(.string(subnet))
        }
        return .list(Array(subnets.prefix(2)))
    }

    fileprivate func group(_ name: String) async throws -> Value {
        .string(
            try await make("aws.security_group", ["vpc_id": .string(try first("aws.vpc")), "name": .string(name)]))
    }

    fileprivate func subnetGroup(_ name: String) async throws -> Value {
        .string(
            try await make("aws.db_subnet_group", ["name": .string(name), "subnet_ids": try await subnets()]))
    }

    fileprivate func parameterGroup(_ name: String, _ family: Value = "mysql8.0") async throws -> Value {
        .string(try await make("aws.db_parameter_group", ["name": .string(name), "family": family]))
    }

    /// A call of RDS by another hand.
    fileprivate func rds(_ name: String, _ input: AWSInput) async throws { try await call(name, input, service: .rds) }

    /// The name of a database, for calls by another hand.
    fileprivate func name(of id: RemoteID) async throws -> AWSInput {
        let seen = try #require(try await read("aws.db_instance", id))
        return .string(try #require(seen.arguments["identifier"]?.string))
    }

    /// Small, and gone without a trace.
    fileprivate func source(_ name: Value) async throws -> Value {
        _ = try await make("aws.db_instance", small(name).merging(["backup_retention_period": 2]) { $1 })
        return name
    }
}

private func small(_ name: Value) -> [String: Value] {
    [
        "identifier": name, "engine": "mysql", "engine_version": "8.0", "instance_class": "db.t3.micro",
        "allocated_storage": 20, "username": "admin", "password": "secret-secret", "skip_final_snapshot": true,
        "apply_immediately": true,
    ]
}

private let databaseRow = ConformanceRow(
    type: "aws.db_instance",
    arguments: { lab in
        let subnetGroup = try await lab.subnetGroup("conformance-db")
        await lab.note("second", try await lab.group("conformance-db-2").string ?? "")
        return small("Conformance").merging([
            "db_name": "cattle", "storage_type": "gp3", "max_allocated_storage": 100, "storage_encrypted": true,
            "multi_az": true, "db_subnet_group_name": subnetGroup,
            "vpc_security_group_ids": [try await lab.group("conformance-db")],
            "parameter_group_name": try await lab.parameterGroup("conformance-db"), "backup_retention_period": 14,
            "backup_window": "00:00-01:00", "maintenance_window": "Mon:01:30-Mon:02:30", "publicly_accessible": false,
            "copy_tags_to_snapshot": true, "auto_minor_version_upgrade": false, "deletion_protection": true,
            "enabled_cloudwatch_logs_exports": ["error", "slowquery"], "performance_insights_enabled": true,
            "performance_insights_retention_period": 7, "iam_database_authentication_enabled": true, "tags": tags,
        ]) { $1 }
    },
    changes: { lab in
        let second = Value.string(try await lab.noted("second"))
        return [
            ["instance_class": "db.m5.large"], ["allocated_storage": 30], ["storage_type": "gp2"],
            ["storage_type": "io1", "iops": 3000, "allocated_storage": 100, "max_allocated_storage": 0],
            ["storage_type": "gp3", "iops": 12000, "storage_throughput": 500, "allocated_storage": 400],
            ["max_allocated_storage": 1000], ["multi_az": false], ["backup_retention_period": 7],
            ["backup_retention_period": 0], ["backup_retention_period": 1], ["backup_window": "05:00-06:00"],
            ["maintenance_window": "tue:01:30-tue:02:30"], ["copy_tags_to_snapshot": false],
            ["auto_minor_version_upgrade": true], ["publicly_accessible": true], ["publicly_accessible": false],
            ["vpc_security_group_ids": [second]], ["enabled_cloudwatch_logs_exports": ["error", "general"]],
            ["enabled_cloudwatch_logs_exports": []], ["iam_database_authentication_enabled": false],
            [
                "monitoring_interval": 60,
                "monitoring_role_arn": "arn:aws:iam::123456789012:role/monitoring",
            ],
            ["monitoring_interval": 0, "monitoring_role_arn": ""], ["performance_insights_retention_period": 31],
            ["performance_insights_enabled": false], ["database_insights_mode": "standard"],
            ["ca_cert_identifier": "rds-ca-ecc384-g1"], ["dedicated_log_volume": true], ["network_type": "DUAL"],
            ["customer_owned_ip_enabled": true], ["license_model": "bring-your-own-license"], ["port": 3307],
            ["password": "another-secret"], ["manage_master_user_password": true, "password": .null],
            ["manage_master_user_password": false, "password": "third-secret"],
            [
                "domain": "d-1234567890", "domain_iam_role_name": "rds-directory",
            ],
            ["domain": "", "domain_iam_role_name": ""],
            ["parameter_group_name": try await lab.parameterGroup("conformance-db-b")],
            [
                "engine_version": "8.4", "allow_major_version_upgrade": true,
                "parameter_group_name": try await lab.parameterGroup("conformance-db-84", "mysql8.4"),
            ],
            ["identifier": "conformance-renamed"], ["deletion_protection": false],
            ["final_snapshot_identifier": "unused", "delete_automated_backups": false], ["tags": otherTags],
            ["tags": [:]],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.rds(
            "ModifyDBInstance",
            [
                "DBInstanceIdentifier": try await lab.name(of: id), "BackupRetentionPeriod": 3,
                "DeletionProtection": true,
            ])
        return ["backup_retention_period": 3, "deletion_protection": true]
    },
    check: { _, seen in
        for output in ["arn", "address", "endpoint", "resource_id", "hosted_zone_id", "engine_version_actual"] {
            #expect(seen.outputs[output]?.string?.isEmpty == false, "\(output)")
        }
        #expect(seen.id.rawValue == seen.outputs["resource_id"]?.string)
        #expect(seen.outputs["endpoint_port"] == 3306)
        #expect(seen.outputs["default_final_snapshot"]?.string?.hasPrefix("conformance-final-") == true)
    })

/// Without `apply_immediately` everything that AWS puts off is read as made.
private let waitingRow = ConformanceRow(
    type: "aws.db_instance", title: "in the window",
    arguments: { lab in
        let window = try await lab.farWindow()
        return small("conformance-waiting").merging(
            ["apply_immediately": false, "maintenance_window": .string(window), "backup_window": "12:00-13:00"]
        ) { $1 }
    },
    changes: { lab in
        [
            ["instance_class": "db.m5.large"], ["allocated_storage": 30, "storage_type": "gp3"],
            ["engine_version": "8.0.42"], ["multi_az": true], ["backup_retention_period": 0],
            ["iam_database_authentication_enabled": true], ["ca_cert_identifier": "rds-ca-ecc384-g1"],
            ["dedicated_log_volume": true], ["license_model": "bring-your-own-license"],
            [
                "engine_version": "8.4", "allow_major_version_upgrade": true,
                "parameter_group_name": try await lab.parameterGroup("conformance-waiting-84", "mysql8.4"),
            ],
            ["instance_class": "db.t3.micro"], ["identifier": "conformance-waited"],
            // At once, with all that waits.
            ["apply_immediately": true, "instance_class": "db.m5.xlarge"],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.rds(
            "ModifyDBInstance",
            [
                "DBInstanceIdentifier": try await lab.name(of: id), "DBInstanceClass": "db.m5.4xlarge",
                "ApplyImmediately": true,
            ])
        return ["instance_class": "db.m5.4xlarge"]
    })

extension ConformanceLab {
    /// A window three days from now, so that nothing is made in it while the test runs.
    fileprivate func farWindow() async throws -> String {
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        // The first of January 1970 was a Thursday.
        let today = Int(Date().timeIntervalSince1970 / 86_400) + 3
        let day = days[(today + 3) % 7]
        return "\(day):01:30-\(day):02:30"
    }
}

private let managedPasswordRow = ConformanceRow(
    type: "aws.db_instance", title: "managed password",
    arguments: { _ in
        var arguments = small("conformance-managed")
        arguments["password"] = nil
        return arguments.merging(["manage_master_user_password": true]) { $1 }
    },
    check: { _, seen in
        #expect(seen.outputs["master_user_secret"]?.map?["secret_arn"]?.string?.contains(":secret:") == true)
    })

private let replicaRow = ConformanceRow(
    type: "aws.db_instance", title: "replica",
    arguments: { lab in
        [
            "identifier": "conformance-replica", "instance_class": "db.t3.micro",
            "replicate_source_db": try await lab.source("conformance-source"), "apply_immediately": true,
            "maintenance_window": "tue:01:30-tue:02:30", "tags": tags,
        ]
    },
    changes: { _ in
        [["instance_class": "db.t3.small"], ["replicate_source_db": "", "skip_final_snapshot": true]]
    })

private let restoredRow = ConformanceRow(
    type: "aws.db_instance", title: "from a snapshot",
    arguments: { lab in
        let source = try await lab.source("conformance-original")
        try await lab.rds(
            "CreateDBSnapshot",
            ["DBInstanceIdentifier": .string(source.string ?? ""), "DBSnapshotIdentifier": "conformance-snapshot"])
        return small("conformance-restored").merging([
            "snapshot_identifier": "conformance-snapshot", "engine_version": "8.4", "db_name": "other",
            "allow_major_version_upgrade": true, "backup_retention_period": 5, "apply_immediately": false,
            "maintenance_window": "tue:01:30-tue:02:30", "max_allocated_storage": 50, "tags": tags,
        ]) { $1 }
    },
    changes: { _ in [["backup_retention_period": 6]] },
    check: { lab, seen in
        // Nobody uses it yet, so that nothing has to wait.
        for _ in 0..<20 where try await lab.read("aws.db_instance", seen.id)?.inForce.isEmpty == false {
            try await Task.sleep(for: .milliseconds(250))
        }
        #expect(try await lab.read("aws.db_instance", seen.id)?.inForce == [:])
    })

private let momentRow = ConformanceRow(
    type: "aws.db_instance", title: "from a moment",
    arguments: { lab in
        let source = try await lab.source("conformance-past")
        var arguments = small("conformance-present")
        arguments["username"] = nil
        return arguments.merging([
            "restore_to_point_in_time": [
                "source_db_instance_identifier": source, "use_latest_restorable_time": true,
            ]
        ]) { $1 }
    })

private let dbSubnetGroupRow = subnetGroupRow("aws.db_subnet_group", .rds, "DBSubnetGroup")
private let cacheSubnetGroupRow = subnetGroupRow("aws.elasticache_subnet_group", .elasticache, "CacheSubnetGroup")

/// - Parameter noun: how the service's calls and members call it.
private func subnetGroupRow(_ type: ResourceType, _ service: AWSService, _ noun: String) -> ConformanceRow {
    ConformanceRow(
        type: type,
        arguments: { lab in
            ["name": "Conformance", "description": "for tests", "subnet_ids": try await lab.subnets(), "tags": tags]
        },
        changes: { lab in
            let all = Value.list(try await lab.allSubnets().map { .string($0) })
            return [["subnet_ids": all], ["description": "for more tests"], ["tags": otherTags], ["tags": [:]]]
        },
        foreignEdit: { lab, id in
            let subnets = try await lab.allSubnets().dropFirst()
            try await lab.call(
                "Modify\(noun)",
                .structure([
                    .init("\(noun)Name", .string(id.rawValue)),
                    .init("SubnetIds", .strings(subnets, as: .members("SubnetIdentifier"))),
                ]), service: service)
            return ["subnet_ids": .list(subnets.map { .string($0) })]
        },
        check: { _, seen in #expect(seen.outputs["vpc_id"]?.string?.hasPrefix("vpc-") == true) })
}

extension ConformanceLab {
    fileprivate func allSubnets() async throws -> [String] {
        [try noted("subnet a"), try noted("subnet b"), try noted("subnet c")]
    }
}

private func parameters(_ count: Int) -> Value {
    .list((0..<count).map { ["name": .string("event_scheduler_\($0)"), "value": "1"] })
}

private let dbParameterGroupRow = ConformanceRow(
    type: "aws.db_parameter_group",
    arguments: { _ in
        [
            "name": "conformance", "family": "mysql8.0",
            "parameter": [
                ["name": "max_connections", "value": "500"],
                ["name": "innodb_log_file_size", "value": "268435456"],
                ["name": "wait_timeout", "value": "600", "apply_method": "pending-reboot"],
            ], "tags": tags,
        ]
    },
    changes: { _ in
        [
            ["parameter": [["name": "Max_Connections", "value": "600", "apply_method": "immediate"]]],
            ["parameter": parameters(25)], ["parameter": parameters(3)], ["parameter": []],
            ["parameter": parameters(1)],
            ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.rds(
            "ModifyDBParameterGroup",
            [
                "DBParameterGroupName": .string(id.rawValue),
                "Parameters": .list(
                    [["ParameterName": "sql_mode", "ParameterValue": "ANSI", "ApplyMethod": "immediate"]],
                    as: .members("Parameter")),
            ])
        return [
            "parameter": [
                ["name": "event_scheduler_0", "value": "1"], ["name": "sql_mode", "value": "ANSI"],
            ]
        ]
    })

private let cacheRow = ConformanceRow(
    type: "aws.elasticache_replication_group",
    arguments: { lab in
        let subnets = try await lab.subnets()
        let name = try await lab.make("aws.elasticache_subnet_group", ["name": "conformance", "subnet_ids": subnets])
        await lab.note("second", try await lab.group("conformance-cache-2").string ?? "")
        return [
            "replication_group_id": "Conformance", "description": "for tests", "engine": "redis",
            "engine_version": "7.0", "node_type": "cache.t3.micro", "num_cache_clusters": 2,
            "automatic_failover_enabled": true, "multi_az_enabled": true, "port": 6380,
            "subnet_group_name": .string(name), "security_group_ids": [try await lab.group("conformance-cache")],
            "at_rest_encryption_enabled": true, "transit_encryption_enabled": true,
            "auth_token": "sixteen-or-more-letters", "maintenance_window": "Mon:01:30-Mon:02:30",
            "snapshot_window": "05:00-06:00", "snapshot_retention_limit": 3, "auto_minor_version_upgrade": true,
            "apply_immediately": true, "tags": tags,
        ]
    },
    changes: { lab in
        let second = Value.string(try await lab.noted("second"))
        let logs: Value = [
            "log_type": "slow-log", "destination": "slow", "destination_type": "cloudwatch-logs", "log_format": "json",
        ]
        let stream: Value = [
            "log_type": "engine-log", "destination": "all", "destination_type": "kinesis-firehose",
            "log_format": "text",
        ]
        return [
            ["description": "for more tests"], ["node_type": "cache.m5.large"], ["engine_version": "7.1"],
            ["num_cache_clusters": 4], ["multi_az_enabled": false], ["num_cache_clusters": 2],
            ["automatic_failover_enabled": false, "num_cache_clusters": 1],
            ["automatic_failover_enabled": true, "num_cache_clusters": 3, "multi_az_enabled": true],
            ["security_group_ids": [second]], ["maintenance_window": "tue:01:30-tue:02:30"],
            ["snapshot_window": "07:00-08:00", "snapshot_retention_limit": 0], ["auto_minor_version_upgrade": false],
            ["transit_encryption_mode": "preferred"], ["transit_encryption_mode": "required"],
            ["auth_token": "another-of-many-letters"],
            [
                "auth_token": "a-third-of-many-letters", "auth_token_update_strategy": "SET",
                "node_type": "cache.m5.xlarge",
            ],
            ["notification_topic_arn": "arn:aws:sns:us-east-1:123456789012:caches"], ["notification_topic_arn": ""],
            ["log_delivery_configuration": [logs]], ["log_delivery_configuration": [logs, stream]],
            ["log_delivery_configuration": []], ["user_group_ids": ["people"]], ["user_group_ids": []],
            ["ip_discovery": "ipv6"], ["engine": "valkey", "engine_version": "8.0"],
            ["final_snapshot_identifier": "conformance-last"], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "ModifyReplicationGroup",
            [
                "ReplicationGroupId": .string(id.rawValue), "SnapshotRetentionLimit": 9,
                "CacheNodeType": "cache.m5.4xlarge", "ApplyImmediately": true,
            ], service: .elasticache)
        return ["snapshot_retention_limit": 9, "node_type": "cache.m5.4xlarge"]
    },
    check: { _, seen in
        for output in ["arn", "primary_endpoint_address", "reader_endpoint_address", "engine_version_actual"] {
            #expect(seen.outputs[output]?.string?.isEmpty == false, "\(output)")
        }
        #expect(seen.outputs["endpoint_port"] == 6380)
        #expect(seen.outputs["member_clusters"]?.list?.count == 2)
    })

/// Without `apply_immediately` everything that AWS puts off is read as made.
private let waitingCacheRow = ConformanceRow(
    type: "aws.elasticache_replication_group", title: "in the window",
    arguments: { lab in
        [
            "replication_group_id": "conformance-waiting", "engine_version": "7.0", "node_type": "cache.t3.micro",
            "num_cache_clusters": 2, "maintenance_window": .string(try await lab.farWindow()),
        ]
    },
    changes: { _ in
        [
            ["node_type": "cache.m5.large"], ["engine_version": "7.1"], ["automatic_failover_enabled": true],
            ["transit_encryption_enabled": true], ["node_type": "cache.t3.micro"],
            ["node_type": "cache.m5.xlarge", "apply_immediately": true],
        ]
    })

private let clusterRow = ConformanceRow(
    type: "aws.elasticache_replication_group", title: "shards",
    arguments: { _ in
        [
            "replication_group_id": "conformance-shards", "engine_version": "7.1", "node_type": "cache.m5.large",
            "num_node_groups": 2, "replicas_per_node_group": 1, "automatic_failover_enabled": true,
            "cluster_mode": "enabled", "apply_immediately": true,
        ]
    },
    changes: { _ in
        [
            ["num_node_groups": 4], ["num_node_groups": 3, "replicas_per_node_group": 2],
            ["replicas_per_node_group": 1, "node_type": "cache.m5.xlarge"],
        ]
    },
    check: { _, seen in
        #expect(seen.outputs["cluster_enabled"] == true)
        #expect(seen.outputs["configuration_endpoint_address"]?.string?.isEmpty == false)
    })
