import MusterModel
import ProviderKit

let dataScenarios: [WireScenario] = [
    databaseScenario, databaseOriginScenario, databaseChangeScenario, databaseDeletionScenario, dbSubnetGroupScenario,
    dbParameterGroupScenario, cacheScenario, cacheSubnetGroupScenario,
]

private let mark =
    "<TagList><Tag><Key>muster:intent</Key><Value>0123456789abcdef0123456789abcdef</Value></Tag></TagList>"
private let id: RemoteID = "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/// One element of `DescribeDBInstances`.
private func database(_ status: String = "available", _ more: String = "", pending: String = "") -> String {
    "<DBInstanceIdentifier>prod-rds</DBInstanceIdentifier><DbiResourceId>\(id)</DbiResourceId>"
        + "<DBInstanceArn>arn:aws:rds:us-east-1:123456789012:db:prod-rds</DBInstanceArn><Engine>mysql</Engine>"
        + "<EngineVersion>8.0.42</EngineVersion><DBInstanceClass>db.m5.large</DBInstanceClass>"
        + "<DBInstanceStatus>\(status)</DBInstanceStatus><MasterUsername>admin</MasterUsername>"
        + "<AllocatedStorage>100</AllocatedStorage><StorageType>gp3</StorageType><MultiAZ>true</MultiAZ>"
        + "<BackupRetentionPeriod>14</BackupRetentionPeriod><PreferredBackupWindow>00:00-01:00</PreferredBackupWindow>"
        + "<PreferredMaintenanceWindow>mon:01:30-mon:02:30</PreferredMaintenanceWindow>"
        + "<PendingModifiedValues>\(pending)</PendingModifiedValues>\(more)"
}

private let endpoint =
    "<Endpoint><Address>prod-rds.abc.us-east-1.rds.amazonaws.com</Address><Port>3306</Port>"
    + "<HostedZoneId>Z2R2ITUGPM61AM</HostedZoneId></Endpoint>"

private func databases(_ items: String...) -> RecordingAWS.Answer {
    .body("<DBInstances>\(items.map { "<DBInstance>\($0)</DBInstance>" }.joined())</DBInstances>")
}

private func answer(_ item: String) -> RecordingAWS.Answer { .body("<DBInstance>\(item)</DBInstance>") }

private let wanted: [String: Value] = [
    "identifier": "Prod-RDS", "engine": "mysql", "engine_version": "8.0", "instance_class": "db.m5.large",
    "username": "admin", "password": "correct horse", "db_name": "cattle", "port": 3306, "allocated_storage": 100,
    "storage_type": "gp3", "iops": 0, "max_allocated_storage": 500, "storage_encrypted": true, "kms_key_id": "alias/db",
    "multi_az": true, "db_subnet_group_name": "Prod", "vpc_security_group_ids": ["sg-2", "sg-1"],
    "parameter_group_name": "prod", "backup_retention_period": 14, "backup_window": "00:00-01:00",
    "maintenance_window": "Mon:01:30-Mon:02:30", "deletion_protection": true,
    "enabled_cloudwatch_logs_exports": ["slowquery", "error"], "monitoring_interval": 60,
    "monitoring_role_arn": "arn:aws:iam::123456789012:role/m", "domain": "d-1", "domain_iam_role_name": "r",
    "tags": ["Name": "prod"],
]

private let databaseScenario = WireScenario(
    type: "aws.db_instance",
    answers: [
        "CreateDBInstance": [
            answer(database("creating")), .failure(code: "DBInstanceAlreadyExists", message: "It exists"),
            .failure(
                code: "InvalidParameterValue",
                message: "IAM role ARN value is invalid or does not include the required permissions"),
        ],
        "DescribeDBInstances": [
            databases(database("creating", mark)), databases(database("available", endpoint)),
            .failure(code: "DBInstanceNotFound", status: 404),
            databases(
                database(
                    "available",
                    endpoint
                        + "<MasterUserSecret><SecretArn>arn:s</SecretArn><SecretStatus>active</SecretStatus></MasterUserSecret>"
                        + "<TagList><Tag><Key>Name</Key><Value>prod</Value></Tag><Tag><Key>aws:x</Key><Value>y</Value></Tag></TagList>"
                )),
            databases(
                database(
                    "available",
                    endpoint + "<MaxAllocatedStorage>500</MaxAllocatedStorage>"
                        + "<OptionGroupMemberships><OptionGroupMembership><OptionGroupName>new</OptionGroupName>"
                        + "<Status>pending-maintenance-apply</Status></OptionGroupMembership><OptionGroupMembership>"
                        + "<OptionGroupName>old</OptionGroupName><Status>pending-maintenance-removal</Status>"
                        + "</OptionGroupMembership></OptionGroupMemberships>"
                        + "<EnabledCloudwatchLogsExports><member>error</member></EnabledCloudwatchLogsExports>"
                        + "<DBParameterGroups><DBParameterGroup><DBParameterGroupName>prod-80</DBParameterGroupName>"
                        + "</DBParameterGroup></DBParameterGroups>",
                    pending: "<DBInstanceClass>db.m5.xlarge</DBInstanceClass><EngineVersion>8.4.5</EngineVersion>"
                        + "<DBInstanceIdentifier>prod-new</DBInstanceIdentifier><MultiAZ>false</MultiAZ>"
                        + "<PendingCloudwatchLogsExports><LogTypesToEnable><member>general</member></LogTypesToEnable>"
                        + "<LogTypesToDisable><member>error</member></LogTypesToDisable></PendingCloudwatchLogsExports>"
                        + "<MasterUserPassword>****</MasterUserPassword>")),
            databases(database("incompatible-parameters", endpoint)), databases(database("failed")),
            databases(database("deleting")), databases(),
        ],
    ],
    steps: [
        ("create", .create(wanted)), ("the name is taken", .create(wanted)),
        ("a role that was just made", .create(wanted)), ("ours", .find(["identifier": "Prod-RDS"])),
        ("somebody else's", .find(["identifier": "prod-rds"])), ("nobody's", .find(["identifier": "prod-rds"])),
        ("read", .read([KnownObject(id: id), KnownObject(id: "db-GONE")])),
        (
            "what waits is read as made",
            .read([
                KnownObject(id: id, arguments: ["parameter_group_name": "prod-84", "allocated_storage": 50])
            ])
        ),
        ("broken, but never given up", .read([KnownObject(id: id)])), ("stillborn", .read([KnownObject(id: id)])),
        ("on its way out", .read([KnownObject(id: id)])), ("gone", .read([KnownObject(id: id)])),
        ("import by id", .importID("db-ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
    ])

private let databaseOriginScenario = WireScenario(
    type: "aws.db_instance", title: "origins",
    answers: [
        "RestoreDBInstanceFromDBSnapshot": [answer(database("creating"))],
        "RestoreDBInstanceToPointInTime": [answer(database("creating"))],
        "RestoreDBInstanceFromS3": [answer(database("creating"))],
        "CreateDBInstanceReadReplica": [
            answer(
                database(
                    "creating",
                    "<ReadReplicaSourceDBInstanceIdentifier>first</ReadReplicaSourceDBInstanceIdentifier>"))
        ],
        "DescribeDBInstances": [databases(database("creating", mark))],
    ],
    steps: [
        ("from a snapshot", .create(wanted.merging(["snapshot_identifier": "last"]) { $1 })),
        (
            "from a moment",
            .create(
                wanted.merging([
                    "restore_to_point_in_time": [
                        "source_db_instance_identifier": "first", "restore_time": "2026-11-21T08:30:00Z",
                    ]
                ]) { $1 })
        ),
        (
            "from a backup in S3",
            .create(
                wanted.merging([
                    "s3_import": [
                        "bucket_name": "b", "ingestion_role": "arn:r", "source_engine": "mysql",
                        "source_engine_version": "8.0.30",
                    ]
                ]) { $1 })
        ),
        (
            "a replica",
            .create(wanted.merging(["replicate_source_db": "first", "upgrade_storage_config": true]) { $1 })
        ),
        ("found again, it owes the same", .find(wanted.merging(["snapshot_identifier": "last"]) { $1 })),
    ])

private let databaseChangeScenario = WireScenario(
    type: "aws.db_instance", title: "changes",
    answers: [
        "DescribeDBInstances": [databases(database("available", endpoint))],
        "ModifyDBInstance": [
            answer(database("available", endpoint, pending: "<DBInstanceClass>db.m5.xlarge</DBInstanceClass>")),
            answer(database("available", endpoint, pending: "<EngineVersion>8.4.5</EngineVersion>")),
            answer(database("available", endpoint)), .failure(code: "InvalidDBInstanceState", message: "modifying"),
            .failure(code: "InvalidVPCNetworkStateFault", message: "You cannot move DB instance"),
        ],
        "AddTagsToResource": [.done], "RemoveTagsFromResource": [.done],
    ],
    steps: [
        (
            "put off to the window",
            .update(
                id, from: ["instance_class": "db.m5.large", "engine_version": "8.0.42"],
                to: ["identifier": "prod-rds", "instance_class": "db.m5.xlarge", "engine_version": "8.0"])
        ),
        (
            "at once",
            .update(
                id, from: [:],
                to: [
                    "identifier": "Prod-New", "engine_version": "8.4", "allow_major_version_upgrade": true,
                    "apply_immediately": true, "password": "battery staple", "backup_retention_period": 0,
                    "storage_type": "io1", "iops": 3000, "allocated_storage": 200, "max_allocated_storage": 0,
                    "enabled_cloudwatch_logs_exports": ["error"], "domain": "d-1", "port": 3307,
                ])
        ),
        (
            "tags, and a password that stays",
            .update(
                id, from: ["password": "same", "tags": ["Old": "1", "Name": "a"]],
                to: ["identifier": "prod-rds", "password": "same", "tags": ["Name": "b"], "multi_az": false])
        ),
        (
            "while it is changed already",
            .update(id, from: [:], to: ["identifier": "prod-rds", "deletion_protection": true])
        ),
        (
            "to another group in the same VPC",
            .update(id, from: [:], to: ["identifier": "prod-rds", "db_subnet_group_name": "other"])
        ),
        ("smaller", .update(id, from: [:], to: ["identifier": "prod-rds", "allocated_storage": 50])),
        (
            "a replica of another",
            .update(id, from: [:], to: ["identifier": "prod-rds", "replicate_source_db": "first"])
        ),
        ("nothing", .update(id, from: [:], to: ["identifier": "prod-rds", "engine_version": "8.0"])),
    ])

private let databaseDeletionScenario = WireScenario(
    type: "aws.db_instance", title: "deletion",
    answers: [
        "DescribeDBInstances": [
            databases(database("available", endpoint)), databases(database("available", endpoint)),
            databases(database("available", endpoint)),
            databases(database("available", endpoint + "<DeletionProtection>true</DeletionProtection>")),
            databases(database("available", endpoint + "<DeletionProtection>true</DeletionProtection>")),
            databases(
                database(
                    "available",
                    "<ReadReplicaSourceDBInstanceIdentifier>first</ReadReplicaSourceDBInstanceIdentifier>")),
            databases(database("failed")), databases(database("deleting")), databases(),
            databases(database("available", endpoint)),
        ],
        "ModifyDBInstance": [answer(database())],
        "DeleteDBInstance": [
            .done, .done, .done, .done, .done, .done, .failure(code: "DBSnapshotAlreadyExists", message: "It exists"),
        ],
    ],
    steps: [
        ("with a last snapshot", .delete(id, last: ["identifier": "prod-rds"])),
        (
            "with a last snapshot of a given name",
            .delete(id, last: ["final_snapshot_identifier": "the-end", "delete_automated_backups": false])
        ),
        ("without", .delete(id, last: ["skip_final_snapshot": true])),
        ("protected, and the plan did not see it", .delete(id, last: ["deletion_protection": false])),
        ("protected, as the plan saw", .delete(id, last: ["deletion_protection": true])),
        ("a replica", .delete(id)), ("stillborn", .delete(id)), ("going already", .delete(id)), ("gone", .delete(id)),
        ("the name is taken", .delete(id, last: ["final_snapshot_identifier": "the-end"])),
    ])

private func subnetGroup(_ more: String = "") -> String {
    "<DBSubnetGroupName>prod</DBSubnetGroupName><DBSubnetGroupDescription>d</DBSubnetGroupDescription>"
        + "<VpcId>vpc-1</VpcId><DBSubnetGroupArn>arn:aws:rds:us-east-1:123456789012:subgrp:prod</DBSubnetGroupArn>"
        + "<Subnets><Subnet><SubnetIdentifier>subnet-2</SubnetIdentifier></Subnet>"
        + "<Subnet><SubnetIdentifier>subnet-1</SubnetIdentifier></Subnet></Subnets>"
        + "<SupportedNetworkTypes><member>IPV4</member></SupportedNetworkTypes>\(more)"
}

private let dbSubnetGroupScenario = WireScenario(
    type: "aws.db_subnet_group",
    answers: [
        "CreateDBSubnetGroup": [.body("<DBSubnetGroup>\(subnetGroup())</DBSubnetGroup>")],
        "DescribeDBSubnetGroups": [
            .body("<DBSubnetGroups><DBSubnetGroup>\(subnetGroup())</DBSubnetGroup></DBSubnetGroups>")
        ],
        "ListTagsForResource": [
            .body(mark), .body("<TagList><Tag><Key>Name</Key><Value>a</Value></Tag></TagList>"),
        ],
        "ModifyDBSubnetGroup": [.body("<DBSubnetGroup>\(subnetGroup())</DBSubnetGroup>")],
        "AddTagsToResource": [.done], "RemoveTagsFromResource": [.done],
        "DeleteDBSubnetGroup": [
            .done, .failure(code: "DBSubnetGroupNotFoundFault", status: 404),
            .failure(code: "InvalidDBSubnetGroupStateFault", message: "still using it"),
        ],
    ],
    steps: [
        (
            "create",
            .create(["name": "Prod", "subnet_ids": ["subnet-2", "subnet-1"], "tags": ["Name": "a"]])
        ),
        ("ours", .find(["name": "Prod", "subnet_ids": []])),
        ("read without tags", .read([KnownObject(id: "prod"), KnownObject(id: "gone")])),
        ("read with tags", .read([KnownObject(id: "prod", declared: ["tags"])])),
        (
            "change everything",
            .update(
                "prod", from: ["subnet_ids": ["subnet-1"], "tags": ["Old": "1"]],
                to: ["subnet_ids": ["subnet-1", "subnet-2"], "description": "new", "tags": ["Name": "b"]])
        ),
        ("change nothing", .update("prod", from: ["description": "d"], to: ["description": "d"])),
        ("delete", .delete("prod")), ("delete what is gone", .delete("prod")),
        ("delete what is in use", .delete("prod")), ("import", .importID("Prod")),
    ])

private func parameterGroup() -> String {
    "<DBParameterGroupName>prod</DBParameterGroupName><DBParameterGroupFamily>mysql8.0</DBParameterGroupFamily>"
        + "<Description>d</Description><DBParameterGroupArn>arn:aws:rds:us-east-1:123456789012:pg:prod</DBParameterGroupArn>"
}

private func parameter(_ name: String, _ type: String, _ value: String = "", method: String = "") -> String {
    "<Parameter><ParameterName>\(name)</ParameterName><ApplyType>\(type)</ApplyType>"
        + "<ParameterValue>\(value)</ParameterValue><ApplyMethod>\(method)</ApplyMethod></Parameter>"
}

private let dbParameterGroupScenario = WireScenario(
    type: "aws.db_parameter_group",
    answers: [
        "CreateDBParameterGroup": [.body("<DBParameterGroup>\(parameterGroup())</DBParameterGroup>")],
        "DescribeDBParameterGroups": [
            .body("<DBParameterGroups><DBParameterGroup>\(parameterGroup())</DBParameterGroup></DBParameterGroups>")
        ],
        "ListTagsForResource": [.body(mark)],
        "DescribeDBParameters": [
            .body(
                "<Parameters>\(parameter("max_connections", "dynamic", "500", method: "immediate"))</Parameters>"
                    + "<Marker>2</Marker>"),
            .body(
                "<Parameters>\(parameter("log_file", "static", "1", method: "pending-reboot"))</Parameters>"),
            .body(
                "<Parameters>\(parameter("max_connections", "dynamic"))\(parameter("log_file", "static"))</Parameters>"
            ),
        ],
        "ModifyDBParameterGroup": [.done], "ResetDBParameterGroup": [.done], "AddTagsToResource": [.done],
        "DeleteDBParameterGroup": [
            .done, .failure(code: "InvalidDBParameterGroupState", message: "still members"),
        ],
    ],
    steps: [
        (
            "create",
            .create([
                "name": "Prod", "family": "mysql8.0", "parameter": [["name": "max_connections", "value": "500"]],
            ])
        ),
        ("ours", .find(["name": "prod", "family": "mysql8.0"])),
        ("read without parameters", .read([KnownObject(id: "prod")])),
        ("read with parameters, in two pages", .read([KnownObject(id: "prod", declared: ["parameter"])])),
        (
            "set and set back",
            .update(
                "prod",
                from: [
                    "parameter": [["name": "max_connections", "value": "500"], ["name": "same", "value": "1"]]
                ],
                to: [
                    "parameter": [["name": "log_file", "value": "2"], ["name": "same", "value": "1"]],
                    "tags": ["Name": "b"],
                ])
        ),
        (
            "more than one call carries",
            .update(
                "prod", from: ["parameter": []],
                to: [
                    "parameter": .list(
                        (10..<32).map {
                            ["name": .string("p\($0)"), "value": "1", "apply_method": "immediate"]
                        })
                ])
        ),
        ("delete", .delete("prod")), ("delete what is in use", .delete("prod")),
    ])

private func cache(_ status: String = "available", _ more: String = "", pending: String = "") -> String {
    "<ReplicationGroupId>queue</ReplicationGroupId><Description>d</Description><Status>\(status)</Status>"
        + "<ARN>arn:aws:elasticache:us-east-1:123456789012:replicationgroup:queue</ARN><Engine>redis</Engine>"
        + "<CacheNodeType>cache.m5.large</CacheNodeType><AutomaticFailover>enabled</AutomaticFailover>"
        + "<MultiAZ>enabled</MultiAZ><ClusterMode>disabled</ClusterMode><ClusterEnabled>false</ClusterEnabled>"
        + "<TransitEncryptionEnabled>true</TransitEncryptionEnabled>"
        + "<MemberClusters><ClusterId>queue-001</ClusterId><ClusterId>queue-002</ClusterId></MemberClusters>"
        + "<NodeGroups><NodeGroup><NodeGroupId>0001</NodeGroupId><PrimaryEndpoint><Address>master.queue</Address>"
        + "<Port>6379</Port></PrimaryEndpoint><ReaderEndpoint><Address>replica.queue</Address><Port>6379</Port>"
        + "</ReaderEndpoint><NodeGroupMembers><NodeGroupMember/><NodeGroupMember/></NodeGroupMembers></NodeGroup>"
        + "</NodeGroups><PendingModifiedValues>\(pending)</PendingModifiedValues>\(more)"
}

private func caches(_ items: String...) -> RecordingAWS.Answer {
    .body(
        "<ReplicationGroups>\(items.map { "<ReplicationGroup>\($0)</ReplicationGroup>" }.joined())</ReplicationGroups>")
}

private func nodes(pending: String = "") -> RecordingAWS.Answer {
    let node =
        "<CacheCluster><CacheClusterId>queue-001</CacheClusterId><ReplicationGroupId>queue</ReplicationGroupId>"
        + "<EngineVersion>7.0.7</EngineVersion><CacheSubnetGroupName>prod</CacheSubnetGroupName>"
        + "<PreferredMaintenanceWindow>mon:01:30-mon:02:30</PreferredMaintenanceWindow><SecurityGroups><member>"
        + "<SecurityGroupId>sg-1</SecurityGroupId><Status>active</Status></member></SecurityGroups>"
        + "<CacheParameterGroup><CacheParameterGroupName>default.redis7</CacheParameterGroupName></CacheParameterGroup>"
        + "<PendingModifiedValues>\(pending)</PendingModifiedValues></CacheCluster>"
    let other =
        "<CacheCluster><CacheClusterId>other-001</CacheClusterId><ReplicationGroupId>other</ReplicationGroupId>"
        + "</CacheCluster>"
    return .body("<CacheClusters>\(node)\(other)</CacheClusters>")
}

private func changed(_ item: String) -> RecordingAWS.Answer { .body("<ReplicationGroup>\(item)</ReplicationGroup>") }

private let cacheScenario = WireScenario(
    type: "aws.elasticache_replication_group",
    answers: [
        "CreateReplicationGroup": [
            changed(cache("creating")), .failure(code: "ReplicationGroupAlreadyExists", message: "It exists"),
        ],
        "DescribeReplicationGroups": [
            caches(cache()), .failure(code: "ReplicationGroupNotFoundFault", status: 404), caches(cache()),
            caches(cache("available", pending: "<AutomaticFailoverStatus>disabled</AutomaticFailoverStatus>")),
            caches(cache("create-failed")), caches(cache("snapshotting")), caches(cache()),
        ],
        "DescribeCacheClusters": [
            nodes(),
            nodes(
                pending: "<CacheNodeType>cache.m5.xlarge</CacheNodeType><EngineVersion>7.1.0</EngineVersion>"), nodes(),
        ],
        "ListTagsForResource": [.body(mark)],
        "ModifyReplicationGroup": [changed(cache()), changed(cache("modifying"))],
        "IncreaseReplicaCount": [changed(cache("modifying"))], "DecreaseReplicaCount": [changed(cache("modifying"))],
        "ModifyReplicationGroupShardConfiguration": [changed(cache("modifying"))],
        "AddTagsToResource": [.done],
        "DeleteReplicationGroup": [
            .done, .done, .failure(code: "SnapshotAlreadyExistsFault", message: "It exists"),
            .failure(code: "InvalidReplicationGroupState", message: "It is being modified"),
            .failure(code: "ReplicationGroupNotFoundFault", status: 404),
        ],
    ],
    steps: [
        (
            "create",
            .create([
                "replication_group_id": "Queue", "engine": "redis", "engine_version": "7.0",
                "node_type": "cache.m5.large", "num_cache_clusters": 2, "automatic_failover_enabled": true,
                "subnet_group_name": "Prod", "security_group_ids": ["sg-2", "sg-1"],
                "transit_encryption_enabled": true, "auth_token": "sixteen-or-more-letters",
                "preferred_cache_cluster_azs": ["us-east-1b", "us-east-1a"],
                "log_delivery_configuration": [
                    [
                        "log_type": "slow-log", "destination": "slow", "destination_type": "cloudwatch-logs",
                        "log_format": "json",
                    ]
                ], "tags": ["Name": "queue"],
            ])
        ),
        ("the name is taken", .create(["replication_group_id": "queue"])),
        ("ours", .find(["replication_group_id": "Queue"])), ("nobody's", .find(["replication_group_id": "queue"])),
        ("read", .read([KnownObject(id: "queue", declared: ["tags"]), KnownObject(id: "gone")])),
        ("what waits is read as made", .read([KnownObject(id: "queue")])),
        ("never made", .read([KnownObject(id: "queue")])), ("busy", .read([KnownObject(id: "queue")])),
        (
            "put off to the window",
            .update(
                "queue", from: [:],
                to: [
                    "replication_group_id": "queue", "node_type": "cache.m5.xlarge", "engine_version": "7.0",
                    "security_group_ids": ["sg-2"],
                ])
        ),
        (
            "more than one call: the first, and the rest when it is made",
            .update(
                "queue", from: ["tags": [:]],
                to: [
                    "replication_group_id": "queue", "num_cache_clusters": 3, "node_type": "cache.m5.xlarge",
                    "apply_immediately": true, "auth_token": "another-of-many-letters", "tags": ["Name": "b"],
                ])
        ),
        (
            "failover goes before the nodes do",
            .update(
                "queue", from: [:],
                to: [
                    "replication_group_id": "queue", "num_cache_clusters": 1, "automatic_failover_enabled": false,
                    "apply_immediately": true,
                ])
        ),
        (
            "shards",
            .update("queue", from: [:], to: ["replication_group_id": "queue", "num_node_groups": 3])
        ),
        (
            "a token, at once whatever else waits",
            .update(
                "queue", from: ["auth_token": "sixteen-or-more-letters"],
                to: [
                    "replication_group_id": "queue", "auth_token": "another-of-many-letters",
                    "auth_token_update_strategy": "SET",
                ])
        ),
        ("nothing", .update("queue", from: [:], to: ["replication_group_id": "queue", "engine_version": "7.0"])),
        ("delete", .delete("queue")),
        ("delete with a last snapshot", .delete("queue", last: ["final_snapshot_identifier": "the-end"])),
        ("the snapshot is there", .delete("queue", last: ["final_snapshot_identifier": "the-end"])),
        ("delete what is busy", .delete("queue")), ("delete what is gone", .delete("queue")),
    ])

private let cacheSubnetGroup =
    "<CacheSubnetGroupName>prod</CacheSubnetGroupName><CacheSubnetGroupDescription>d</CacheSubnetGroupDescription>"
    + "<VpcId>vpc-1</VpcId><ARN>arn:aws:elasticache:us-east-1:123456789012:subnetgroup:prod</ARN>"
    + "<Subnets><Subnet><SubnetIdentifier>subnet-1</SubnetIdentifier></Subnet></Subnets>"

private let cacheSubnetGroupScenario = WireScenario(
    type: "aws.elasticache_subnet_group",
    answers: [
        "CreateCacheSubnetGroup": [.body("<CacheSubnetGroup>\(cacheSubnetGroup)</CacheSubnetGroup>")],
        "DescribeCacheSubnetGroups": [
            .body("<CacheSubnetGroups><CacheSubnetGroup>\(cacheSubnetGroup)</CacheSubnetGroup></CacheSubnetGroups>")
        ],
        "ListTagsForResource": [.body(mark)],
        "ModifyCacheSubnetGroup": [.body("<CacheSubnetGroup>\(cacheSubnetGroup)</CacheSubnetGroup>")],
        "AddTagsToResource": [.done],
        "DeleteCacheSubnetGroup": [
            .done, .failure(code: "CacheSubnetGroupNotFoundFault"),
            .failure(code: "CacheSubnetGroupInUse", message: "in use by a cache cluster"),
        ],
    ],
    steps: [
        ("create", .create(["name": "Prod", "subnet_ids": ["subnet-1"], "tags": ["Name": "a"]])),
        ("ours", .find(["name": "Prod", "subnet_ids": []])),
        ("read", .read([KnownObject(id: "prod", declared: ["tags"]), KnownObject(id: "gone")])),
        (
            "change",
            .update(
                "prod", from: ["subnet_ids": ["subnet-1"]],
                to: ["subnet_ids": ["subnet-1", "subnet-2"], "tags": ["Name": "b"]])
        ),
        ("delete", .delete("prod")), ("delete what is gone", .delete("prod")),
        ("delete what is in use", .delete("prod")),
    ])
