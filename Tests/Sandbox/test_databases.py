"""RDS and ElastiCache."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sandboxes import Sandbox, code_of


class Base:
    """Subnets in two zones and a group."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.ec2, self.rds, self.cache = sandbox.client("ec2"), sandbox.client("rds"), sandbox.client("elasticache")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{z}")[
                "Subnet"
            ]["SubnetId"]
            for n, z in enumerate("abc")
        ]
        self.group = self.ec2.create_security_group(GroupName="db", Description="db", VpcId=self.vpc)["GroupId"]

    def subnet_group(self, *subnets: str) -> None:
        asked = {
            "DBSubnetGroupName": "Main",
            "DBSubnetGroupDescription": "d",
            "SubnetIds": list(subnets or self.subnets[:2]),
        }
        self.rds.create_db_subnet_group(**asked)

    def asked(self, **more: Any) -> dict[str, Any]:
        usual = {
            "DBInstanceIdentifier": "Rancher",
            "DBInstanceClass": "db.t3.medium",
            "Engine": "mysql",
            "AllocatedStorage": 20,
        }
        usual |= {"MasterUsername": "admin", "MasterUserPassword": "secret-secret", "DBSubnetGroupName": "main"}
        return usual | {"VpcSecurityGroupIds": [self.group], "EngineVersion": "8.0"} | more

    def shown(self) -> Any:
        return self.rds.describe_db_instances(DBInstanceIdentifier="rancher")["DBInstances"][0]


@pytest.fixture
def base(sandbox: Sandbox) -> Base:
    return Base(sandbox)


# MARK: RDS


def test_a_database_takes_its_time(slow_sandbox: Sandbox) -> None:
    base = Base(slow_sandbox)
    base.subnet_group()
    base.rds.create_db_instance(**base.asked())
    assert base.shown()["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in base.shown()
    assert (
        code_of(base.rds.modify_db_instance, DBInstanceIdentifier="rancher", BackupRetentionPeriod=7)
        == "InvalidDBInstanceState"
    )
    slow_sandbox.until(lambda: base.shown()["DBInstanceStatus"] == "available")
    assert base.shown()["Endpoint"]["Port"] == 3306
    assert base.shown()["EngineVersion"].startswith("8.0.")
    assert code_of(base.ec2.delete_security_group, GroupId=base.group) == "DependencyViolation"
    assert code_of(base.ec2.delete_subnet, SubnetId=base.subnets[0]) == "DependencyViolation"
    assert code_of(base.rds.delete_db_subnet_group, DBSubnetGroupName="main") == "InvalidDBSubnetGroupStateFault"
    base.rds.delete_db_instance(DBInstanceIdentifier="rancher", FinalDBSnapshotIdentifier="last")
    assert base.shown()["DBInstanceStatus"] == "deleting"
    slow_sandbox.until(lambda: code_of(base.shown) == "DBInstanceNotFound")
    assert base.rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"]
    base.rds.delete_db_subnet_group(DBSubnetGroupName="main")
    base.ec2.delete_security_group(GroupId=base.group)


def test_changes_wait_for_the_window(base: Base) -> None:
    base.subnet_group()
    base.rds.create_db_instance(**base.asked())
    base.rds.modify_db_instance(DBInstanceIdentifier="rancher", DBInstanceClass="db.m5.large", CopyTagsToSnapshot=True)
    shown = base.shown()
    assert shown["DBInstanceClass"] == "db.t3.medium"
    assert shown["PendingModifiedValues"] == {"DBInstanceClass": "db.m5.large"}
    assert shown["CopyTagsToSnapshot"] is True
    base.rds.modify_db_instance(DBInstanceIdentifier="rancher", AllocatedStorage=30, ApplyImmediately=True)
    shown = base.shown()
    assert (shown["DBInstanceClass"], shown["AllocatedStorage"], shown["PendingModifiedValues"]) == (
        "db.m5.large",
        30,
        {},
    )


def window_in(days: int) -> str:
    day = (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%a").lower()
    return f"{day}:01:30-{day}:02:30"


def test_the_window_makes_what_waits(base: Base, sandbox: Sandbox) -> None:
    base.subnet_group()
    base.rds.create_db_instance(
        **base.asked(PreferredMaintenanceWindow=window_in(2), PreferredBackupWindow="12:00-13:00")
    )
    resource = base.shown()["DbiResourceId"]
    modify = {"DBInstanceIdentifier": "rancher"}
    base.rds.modify_db_instance(
        DBInstanceClass="db.m5.large", NewDBInstanceIdentifier="moved", EnableIAMDatabaseAuthentication=True, **modify
    )
    assert base.shown()["PendingModifiedValues"] == {
        "DBInstanceClass": "db.m5.large",
        "DBInstanceIdentifier": "moved",
        "IAMDatabaseAuthenticationEnabled": True,
    }
    # Back to what is there takes a change off the list.
    base.rds.modify_db_instance(EnableIAMDatabaseAuthentication=False, **modify)
    assert "IAMDatabaseAuthenticationEnabled" not in base.shown()["PendingModifiedValues"]
    sandbox.advance(86_400)
    assert base.shown()["DBInstanceClass"] == "db.t3.medium"
    sandbox.advance(2 * 86_400)
    (moved,) = base.rds.describe_db_instances()["DBInstances"]
    assert (moved["DBInstanceIdentifier"], moved["DBInstanceClass"]) == ("moved", "db.m5.large")
    assert (moved["DbiResourceId"], moved["PendingModifiedValues"]) == (resource, {})


def test_some_changes_do_not_wait(base: Base) -> None:
    base.subnet_group()
    base.rds.create_db_instance(**base.asked(BackupRetentionPeriod=7))
    modify = {"DBInstanceIdentifier": "rancher"}
    base.rds.modify_db_instance(BackupRetentionPeriod=14, DBPortNumber=3307, **modify)
    shown = base.shown()
    assert (shown["BackupRetentionPeriod"], shown["Endpoint"]["Port"]) == (14, 3307)
    base.rds.modify_db_instance(BackupRetentionPeriod=0, **modify)
    assert base.shown()["PendingModifiedValues"] == {"BackupRetentionPeriod": 0}
    assert base.shown()["BackupRetentionPeriod"] == 14


def test_a_database_does_not_move_inside_its_vpc(base: Base) -> None:
    base.subnet_group()
    asked = {"DBSubnetGroupDescription": "d", "SubnetIds": base.subnets[:2]}
    base.rds.create_db_subnet_group(DBSubnetGroupName="other", **asked)
    base.rds.create_db_instance(**base.asked())
    modify = {"DBInstanceIdentifier": "rancher", "DBSubnetGroupName": "other"}
    assert code_of(base.rds.modify_db_instance, **modify) == "InvalidVPCNetworkStateFault"
    vpc = base.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        base.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{n}.0/24", AvailabilityZone=f"us-east-1{z}")["Subnet"][
            "SubnetId"
        ]
        for n, z in enumerate("ab")
    ]
    move = {"DBSubnetGroupName": "other", "SubnetIds": subnets}
    assert code_of(base.rds.modify_db_subnet_group, **move) == "InvalidParameterValue"


def test_versions_and_families(base: Base) -> None:
    base.subnet_group()
    base.rds.create_db_parameter_group(DBParameterGroupName="p", DBParameterGroupFamily="mysql8.4", Description="d")
    create = base.asked(DBParameterGroupName="p")
    assert code_of(base.rds.create_db_instance, **create) == "InvalidParameterCombination"
    base.rds.create_db_instance(**base.asked())
    modify = {"DBInstanceIdentifier": "rancher"}
    for more in (
        {"EngineVersion": "8.0.36"},
        {"EngineVersion": "8.4"},
        {"DBParameterGroupName": "p"},
        {"StorageType": "io1"},
        {"MasterUserPassword": "another-password", "ManageMasterUserPassword": True},
    ):
        assert code_of(base.rds.modify_db_instance, **modify, **more) == "InvalidParameterCombination", more
    base.rds.modify_db_instance(
        EngineVersion="8.4", AllowMajorVersionUpgrade=True, DBParameterGroupName="p", **modify
    )
    # The group comes with the version, and is not told before.
    assert base.shown()["DBParameterGroups"][0]["DBParameterGroupName"] == "default.mysql8.0"
    assert base.shown()["PendingModifiedValues"] == {"EngineVersion": "8.4.5"}
    base.rds.modify_db_instance(ApplyImmediately=True, **modify)
    assert base.shown()["DBParameterGroups"][0]["DBParameterGroupName"] == "p"


def test_windows_are_checked(base: Base) -> None:
    base.subnet_group()
    for more in (
        {"PreferredMaintenanceWindow": "mon:01:30-mon:01:40"},
        {"PreferredMaintenanceWindow": "01:30-02:30"},
        {"PreferredMaintenanceWindow": "mon:01:30-mon:02:30", "PreferredBackupWindow": "02:00-03:00"},
    ):
        assert code_of(base.rds.create_db_instance, **base.asked(**more)) == "InvalidParameterValue", more


def test_replicas_and_restores(base: Base) -> None:
    base.subnet_group()
    base.rds.create_db_instance(**base.asked())
    base.rds.create_db_snapshot(DBInstanceIdentifier="rancher", DBSnapshotIdentifier="s")
    replica = {"DBInstanceIdentifier": "reader", "SourceDBInstanceIdentifier": "rancher"}
    base.rds.create_db_instance_read_replica(**replica)
    delete = {"DBInstanceIdentifier": "reader"}
    assert (
        code_of(base.rds.delete_db_instance, FinalDBSnapshotIdentifier="x", **delete) == "InvalidParameterCombination"
    )
    base.rds.promote_read_replica(**delete)
    assert base.shown()["ReadReplicaDBInstanceIdentifiers"] == []
    assert code_of(base.rds.promote_read_replica, **delete) == "InvalidDBInstanceState"
    restore = {"DBInstanceIdentifier": "again", "DBSubnetGroupName": "main"}
    assert (
        code_of(base.rds.restore_db_instance_from_db_snapshot, DBSnapshotIdentifier="nobody", **restore)
        == "DBSnapshotNotFound"
    )
    base.rds.restore_db_instance_from_db_snapshot(DBSnapshotIdentifier="s", **restore)
    held = {d["DBInstanceIdentifier"]: d["DbiResourceId"] for d in base.rds.describe_db_instances()["DBInstances"]}
    assert len(set(held.values())) == 3


def test_databases_are_checked(base: Base) -> None:
    base.subnet_group()
    for more, code in (
        ({"EngineVersion": "4.1"}, "InvalidParameterCombination"),
        ({"DBSubnetGroupName": "nobody"}, "DBSubnetGroupNotFoundFault"),
        ({"VpcSecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidParameterValue"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
        ({"ManageMasterUserPassword": True}, "InvalidParameterCombination"),
        ({"DBParameterGroupName": "nobody"}, "DBParameterGroupNotFound"),
    ):
        assert code_of(base.rds.create_db_instance, **base.asked(**more)) == code, more
    base.rds.create_db_instance(**base.asked(DeletionProtection=True))
    assert code_of(base.rds.create_db_instance, **base.asked()) == "DBInstanceAlreadyExists"
    modify = {"DBInstanceIdentifier": "rancher"}
    assert code_of(base.rds.modify_db_instance, AllocatedStorage=10, **modify) == "InvalidParameterCombination"
    delete = {"DBInstanceIdentifier": "rancher"}
    assert code_of(base.rds.delete_db_instance, SkipFinalSnapshot=True, **delete) == "InvalidParameterCombination"
    base.rds.modify_db_instance(DeletionProtection=False, **modify)
    assert code_of(base.rds.delete_db_instance, **delete) == "InvalidParameterCombination"
    both = {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "x"}
    assert code_of(base.rds.delete_db_instance, **delete, **both) == "InvalidParameterCombination"
    base.rds.delete_db_instance(SkipFinalSnapshot=True, **delete)
    assert code_of(base.rds.delete_db_instance, SkipFinalSnapshot=True, **delete) == "DBInstanceNotFound"


def test_subnet_groups(base: Base) -> None:
    assert code_of(base.subnet_group, base.subnets[0]) == "DBSubnetGroupDoesNotCoverEnoughAZs"
    base.subnet_group()
    assert code_of(base.subnet_group) == "DBSubnetGroupAlreadyExists"
    asked = {"DBSubnetGroupName": "main", "SubnetIds": base.subnets, "DBSubnetGroupDescription": "more"}
    base.rds.modify_db_subnet_group(**asked)
    (shown,) = base.rds.describe_db_subnet_groups(DBSubnetGroupName="main")["DBSubnetGroups"]
    assert len(shown["Subnets"]) == 3
    assert shown["DBSubnetGroupDescription"] == "more"
    assert code_of(base.rds.describe_db_subnet_groups, DBSubnetGroupName="nobody") == "DBSubnetGroupNotFoundFault"


def test_parameter_groups(base: Base) -> None:
    base.subnet_group()
    base.rds.create_db_parameter_group(DBParameterGroupName="p", DBParameterGroupFamily="mysql8.0", Description="d")
    base.rds.create_db_instance(**base.asked(DBParameterGroupName="p"))
    assert code_of(base.rds.delete_db_parameter_group, DBParameterGroupName="p") == "InvalidDBParameterGroupState"
    assert code_of(base.rds.describe_db_parameter_groups, DBParameterGroupName="nobody") == "DBParameterGroupNotFound"
    change = [{"ParameterName": "max_connections", "ParameterValue": "9", "ApplyMethod": "pending-reboot"}]
    base.rds.modify_db_parameter_group(DBParameterGroupName="p", Parameters=change)
    assert (
        code_of(base.rds.modify_db_parameter_group, DBParameterGroupName="p", Parameters=change * 21)
        == "InvalidParameterValue"
    )
    assert base.shown()["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"
    base.rds.reboot_db_instance(DBInstanceIdentifier="rancher")
    assert base.shown()["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
    held = base.rds.describe_db_parameters(DBParameterGroupName="p", Source="user")["Parameters"]
    assert [(p["ParameterName"], p["ParameterValue"]) for p in held] == [("max_connections", "9")]
    for parameter, code in (
        ({"ParameterName": "nonsense", "ParameterValue": "1", "ApplyMethod": "immediate"}, "InvalidParameterValue"),
        (
            {"ParameterName": "performance_schema", "ParameterValue": "1", "ApplyMethod": "immediate"},
            "InvalidParameterCombination",
        ),
    ):
        assert (
            code_of(base.rds.modify_db_parameter_group, DBParameterGroupName="p", Parameters=[parameter]) == code
        ), parameter
    base.rds.reset_db_parameter_group(DBParameterGroupName="p", ResetAllParameters=True)
    assert base.rds.describe_db_parameters(DBParameterGroupName="p", Source="user")["Parameters"] == []


# MARK: ElastiCache


def test_a_replication_group_lives_and_ends(slow_sandbox: Sandbox) -> None:
    base = Base(slow_sandbox)
    asked = {"CacheSubnetGroupName": "main", "CacheSubnetGroupDescription": "d", "SubnetIds": base.subnets[:2]}
    base.cache.create_cache_subnet_group(**asked)
    assert code_of(base.cache.create_cache_subnet_group, **asked) == "CacheSubnetGroupAlreadyExists"
    group = {
        "ReplicationGroupId": "Queue",
        "ReplicationGroupDescription": "d",
        "CacheNodeType": "cache.t3.small",
        "NumCacheClusters": 2,
    }
    group |= {
        "CacheSubnetGroupName": "main",
        "SecurityGroupIds": [base.group],
        "AutomaticFailoverEnabled": True,
        "EngineVersion": "7.1",
    }
    base.cache.create_replication_group(**group)

    def shown() -> Any:
        return base.cache.describe_replication_groups(ReplicationGroupId="queue")["ReplicationGroups"][0]

    assert shown()["Status"] == "creating"
    assert code_of(base.cache.create_replication_group, **group) == "ReplicationGroupAlreadyExists"
    modify = {"ReplicationGroupId": "queue", "CacheNodeType": "cache.m5.large", "ApplyImmediately": True}
    assert code_of(base.cache.modify_replication_group, **modify) == "InvalidReplicationGroupState"
    slow_sandbox.until(lambda: shown()["Status"] == "available")
    assert shown()["NodeGroups"][0]["PrimaryEndpoint"]["Port"] == 6379
    member = base.cache.describe_cache_clusters(CacheClusterId=shown()["MemberClusters"][0], ShowCacheNodeInfo=True)[
        "CacheClusters"
    ][0]
    assert member["SecurityGroups"][0]["SecurityGroupId"] == base.group
    assert (member["EngineVersion"], member["CacheSubnetGroupName"]) == ("7.1.0", "main")
    base.cache.modify_replication_group(**modify)
    slow_sandbox.until(lambda: shown()["Status"] == "modifying")
    slow_sandbox.until(lambda: shown()["Status"] == "available" and shown()["CacheNodeType"] == "cache.m5.large")
    assert code_of(base.cache.delete_cache_subnet_group, CacheSubnetGroupName="main") == "CacheSubnetGroupInUse"
    assert code_of(base.ec2.delete_security_group, GroupId=base.group) == "DependencyViolation"
    base.cache.delete_replication_group(ReplicationGroupId="queue")
    assert shown()["Status"] == "deleting"
    slow_sandbox.until(lambda: code_of(shown) == "ReplicationGroupNotFoundFault")
    base.cache.delete_cache_subnet_group(CacheSubnetGroupName="main")
    base.ec2.delete_security_group(GroupId=base.group)
    assert (
        code_of(base.cache.describe_cache_subnet_groups, CacheSubnetGroupName="main") == "CacheSubnetGroupNotFoundFault"
    )


def test_clusters(base: Base) -> None:
    asked = {"CacheClusterId": "sessions", "Engine": "memcached", "CacheNodeType": "cache.t3.small", "NumCacheNodes": 2}
    base.cache.create_cache_cluster(Tags=[{"Key": "a", "Value": "b"}], **asked)
    assert code_of(base.cache.create_cache_cluster, **asked) == "CacheClusterAlreadyExists"
    shown = base.cache.describe_cache_clusters(CacheClusterId="sessions", ShowCacheNodeInfo=True)["CacheClusters"][0]
    assert len(shown["CacheNodes"]) == 2
    assert shown["ConfigurationEndpoint"]["Port"] == 11211
    assert base.cache.list_tags_for_resource(ResourceName=shown["ARN"])["TagList"] == [{"Key": "a", "Value": "b"}]
    base.cache.modify_cache_cluster(CacheClusterId="sessions", NumCacheNodes=3)
    shown = base.cache.describe_cache_clusters(CacheClusterId="sessions")["CacheClusters"][0]
    assert (shown["NumCacheNodes"], shown["PendingModifiedValues"]["NumCacheNodes"]) == (2, 3)
    base.cache.modify_cache_cluster(CacheClusterId="sessions", NumCacheNodes=3, ApplyImmediately=True)
    assert base.cache.describe_cache_clusters(CacheClusterId="sessions")["CacheClusters"][0]["NumCacheNodes"] == 3
    base.cache.delete_cache_cluster(CacheClusterId="sessions")
    assert code_of(base.cache.describe_cache_clusters, CacheClusterId="sessions") == "CacheClusterNotFound"
    base.cache.create_cache_cluster(**asked)


def test_caches_wait_for_their_window(base: Base, sandbox: Sandbox) -> None:
    base.cache.create_cache_subnet_group(
        CacheSubnetGroupName="main", CacheSubnetGroupDescription="d", SubnetIds=base.subnets[:2]
    )
    group = {
        "ReplicationGroupId": "queue",
        "ReplicationGroupDescription": "d",
        "NumCacheClusters": 2,
        "CacheNodeType": "cache.t3.micro",
        "CacheSubnetGroupName": "main",
        "TransitEncryptionEnabled": True,
        "EngineVersion": "7.0",
        "PreferredMaintenanceWindow": window_in(2),
    }
    base.cache.create_replication_group(**group)

    def shown() -> Any:
        return base.cache.describe_replication_groups(ReplicationGroupId="queue")["ReplicationGroups"][0]

    def member() -> Any:
        return base.cache.describe_cache_clusters(CacheClusterId=shown()["MemberClusters"][0])["CacheClusters"][0]

    modify = {"ReplicationGroupId": "queue"}
    base.cache.modify_replication_group(
        CacheNodeType="cache.m5.large", EngineVersion="7.1", AutomaticFailoverEnabled=True, **modify
    )
    assert shown()["CacheNodeType"] == "cache.t3.micro"
    assert shown()["PendingModifiedValues"] == {"AutomaticFailoverStatus": "enabled"}
    assert member()["PendingModifiedValues"] == {"CacheNodeType": "cache.m5.large", "EngineVersion": "7.1.0"}
    sandbox.advance(3 * 86_400)
    assert (shown()["CacheNodeType"], shown()["AutomaticFailover"]) == ("cache.m5.large", "enabled")
    assert (member()["EngineVersion"], member()["PendingModifiedValues"]) == ("7.1.0", {})
    for call, more, code in (
        (base.cache.modify_replication_group, {"EngineVersion": "7.0"}, "InvalidParameterCombination"),
        (base.cache.modify_replication_group, {"AuthToken": "x" * 16}, "InvalidParameterCombination"),
        (base.cache.increase_replica_count, {"NewReplicaCount": 2, "ApplyImmediately": False}, "InvalidParameterValue"),
        (base.cache.decrease_replica_count, {"NewReplicaCount": 0, "ApplyImmediately": True}, "InvalidParameterCombination"),
        (
            base.cache.modify_replication_group_shard_configuration,
            {"NodeGroupCount": 2, "ApplyImmediately": True},
            "InvalidParameterValue",
        ),
    ):
        assert code_of(call, **modify, **more) == code, more
    base.cache.delete_replication_group(FinalSnapshotIdentifier="last", **modify)
    assert base.cache.describe_snapshots(SnapshotName="last")["Snapshots"]
