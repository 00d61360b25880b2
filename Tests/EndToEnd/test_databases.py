"""Databases: made, changed in their window and at once, protected, and left with a last snapshot."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from harness import Cloud, Muster, Run

PASSWORD = "correct-horse-battery-staple"
NEXT_PASSWORD = "another-horse-another-staple"


def window(days: int = 3) -> str:
    """A maintenance window some days from now, so that it does not open while a test runs."""
    day = (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%a").lower()
    return f"{day}:01:30-{day}:02:30"


BASE = """
vpc:
  main:
    cidr_block: 10.0.0.0/16
    subnets:
      a: { cidr_block: 10.0.0.0/24, availability_zone: us-east-1a }
      b: { cidr_block: 10.0.1.0/24, availability_zone: us-east-1b }
      c: { cidr_block: 10.0.2.0/24, availability_zone: us-east-1c }
security_groups:
  db: { vpc: main, ingress: [{ port: 3306, from: [10.0.0.0/16] }] }
"""

DATABASE = """
variables: { db_password: { type: string, secret: env:DB_PASSWORD } }
rds:
  prod-rds:
    engine: mysql
    engine_version: "8.0"
    instance_class: db.t3.medium
    allocated_storage: 100
    storage_type: gp3
    multi_az: true
    db_name: cattle
    username: rancher
    password: ${var.db_password}
    subnets: [a, b]
    security_groups: [db]
    backup_retention_period: 14
    backup_window: 12:00-13:00
    maintenance_window: WINDOW
    parameters: { character_set_server: utf8mb4, performance_schema: { value: 1, apply_method: pending-reboot } }
    dns: rancher-rds.tastycidr.net
outputs:
  address: ${rds["prod-rds"].address}
"""

LOOKUP = """
lookups: { hosted_zones: { net: { name: tastycidr.net } } }
"""


@pytest.fixture
def database(muster: Muster) -> Muster:
    """A workspace with one database, not yet applied."""
    muster.extra["DB_PASSWORD"] = PASSWORD
    return muster.write(data=DATABASE.replace("WINDOW", window()) + BASE + LOOKUP)


def instances(cloud: Cloud) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.client("rds").describe_db_instances()["DBInstances"]
    return found


def shown(cloud: Cloud) -> dict[str, Any]:
    (found,) = instances(cloud)
    return found


def snapshots(cloud: Cloud) -> dict[str, dict[str, Any]]:
    listed = cloud.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    return {s["DBSnapshotIdentifier"]: s for s in listed}


def groups(cloud: Cloud) -> tuple[list[str], list[str]]:
    """The names of subnet groups and parameter groups that somebody made."""
    rds = cloud.client("rds")
    subnets = [g["DBSubnetGroupName"] for g in rds.describe_db_subnet_groups()["DBSubnetGroups"]]
    settings = [g["DBParameterGroupName"] for g in rds.describe_db_parameter_groups()["DBParameterGroups"]]
    return sorted(subnets), sorted(s for s in settings if not s.startswith("default."))


def test_a_database_with_all_that_belongs_to_it(database: Muster, cloud: Cloud) -> None:
    database.plan().exits(2).says_not(PASSWORD)
    database.apply().exits(0).says_not(PASSWORD)
    one = shown(cloud)
    assert one["DBInstanceIdentifier"] == "prod-rds"
    assert (one["Engine"], one["DBInstanceClass"], one["AllocatedStorage"]) == ("mysql", "db.t3.medium", 100)
    assert one["EngineVersion"].startswith("8.0.")
    assert (one["StorageEncrypted"], one["MultiAZ"], one["PubliclyAccessible"]) == (True, True, False)
    assert one["DBSubnetGroup"]["DBSubnetGroupName"] == "prod-rds"
    assert len(one["DBSubnetGroup"]["Subnets"]) == 2
    assert [g["VpcSecurityGroupId"] for g in one["VpcSecurityGroups"]] == [cloud.groups()["db"]["GroupId"]]
    assert one["DBParameterGroups"][0]["DBParameterGroupName"] == "prod-rds-mysql8-0"
    settings = cloud.client("rds").describe_db_parameters(DBParameterGroupName="prod-rds-mysql8-0", Source="user")
    assert {p["ParameterName"]: (p["ParameterValue"], p["ApplyMethod"]) for p in settings["Parameters"]} == {
        "character_set_server": ("utf8mb4", "immediate"),
        "performance_schema": ("1", "pending-reboot"),
    }
    (record,) = cloud.records()
    assert (record["Name"], record["Type"]) == ("rancher-rds.tastycidr.net.", "CNAME")
    assert record["ResourceRecords"] == [{"Value": one["Endpoint"]["Address"]}]
    database.run("output", "address").exits(0).says(one["Endpoint"]["Address"])
    assert database.ids()["data:aws.db_instance/prod-rds"] == one["DbiResourceId"]
    database.plan().exits(0).says("No changes.")
    database.drift().exits(0)


def test_a_change_that_waits_for_the_window(database: Muster, cloud: Cloud, sandbox: Any) -> None:
    database.apply().exits(0)
    database.edit("data", "db.t3.medium", "db.m5.large").edit("data", "multi_az: true", "multi_az: false")
    plan = database.plan().exits(2)
    # The plan says when.
    plan.says(
        f"instance_class, multi_az take effect, and may interrupt it, in the maintenance window {window()} (UTC)",
        'with "apply_immediately: true" at once',
    )
    for form in ("json", "markdown"):
        database.plan("--format", form).exits(2).says(f"in the maintenance window {window()}")
    database.apply().exits(0)
    assert shown(cloud)["DBInstanceClass"] == "db.t3.medium"
    assert shown(cloud)["PendingModifiedValues"] == {"DBInstanceClass": "db.m5.large", "MultiAZ": False}
    # What waits is no eternal difference.
    database.plan().exits(0).says("No changes.")
    database.drift().exits(0)

    sandbox.advance(4 * 86_400)
    assert shown(cloud)["DBInstanceClass"] == "db.m5.large"
    assert shown(cloud)["PendingModifiedValues"] == {}
    database.plan().exits(0).says("No changes.")
    database.drift().exits(0)


def test_changes_at_once_say_what_they_interrupt(database: Muster, cloud: Cloud) -> None:
    database.apply().exits(0)
    # First it waits; then it is wanted at once, with another change.
    database.edit("data", "db.t3.medium", "db.m5.large")
    database.apply().exits(0)
    database.edit("data", "multi_az: true", "multi_az: true\n    apply_immediately: true")
    plan = database.plan().exits(2)
    plan.says("instance_class", "downtime", "Changing instance_class stops it for a while.")
    plan.says_not("in the maintenance window")
    refused = database.apply()
    refused.exits(3).says("downtime")
    assert shown(cloud)["DBInstanceClass"] == "db.t3.medium"
    database.apply("--allow", "downtime").exits(0)
    assert shown(cloud)["DBInstanceClass"] == "db.m5.large"
    assert shown(cloud)["PendingModifiedValues"] == {}
    database.plan().exits(0)


def test_a_password_is_nowhere(database: Muster, cloud: Cloud, sandbox: Any) -> None:
    runs: list[Run] = [database.plan("--out", "plan.json"), database.apply("--events", "events.json")]
    sandbox.reset_log()
    database.plan().exits(0)
    runs.append(database.plan(DB_PASSWORD=NEXT_PASSWORD).exits(2).says("password"))
    runs.append(database.plan("--format", "json", DB_PASSWORD=NEXT_PASSWORD))
    runs.append(database.apply(DB_PASSWORD=NEXT_PASSWORD).exits(0))
    assert cloud.calls()["ModifyDBInstance"] == 1
    runs.append(database.run("state", "show", "data:aws.db_instance/prod-rds", "--format", "json").exits(0))
    # Too short for AWS, which quotes nothing of it; the run fails and says so.
    runs.append(database.apply(DB_PASSWORD="short").exits(1))
    for run in runs:
        run.says_not(PASSWORD, NEXT_PASSWORD)
    for path in database.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert PASSWORD.encode() not in content and NEXT_PASSWORD.encode() not in content, path
    database.plan(DB_PASSWORD=NEXT_PASSWORD).exits(0)


def test_what_is_left_is_a_snapshot(database: Muster, cloud: Cloud) -> None:
    database.apply().exits(0)
    resource = shown(cloud)["DbiResourceId"]
    name = f"prod-rds-final-{resource[3:15].lower()}"
    database.run("plan", "--destroy").exits(0).says("data-loss", "Its final snapshot is", name)
    database.run("destroy", "--auto-approve", "--allow", "irreversible,downtime").exits(3).says("data-loss")
    assert len(instances(cloud)) == 1
    database.destroy().exits(0)
    assert instances(cloud) == []
    assert groups(cloud) == ([], [])
    assert cloud.count() == {}
    assert set(snapshots(cloud)) == {name}

    # The name is the database's own: another one of the same name leaves its own snapshot.
    database.apply().exits(0)
    database.destroy().exits(0)
    assert len(snapshots(cloud)) == 2


def test_a_snapshot_of_a_given_name_or_none(database: Muster, cloud: Cloud) -> None:
    database.edit("data", "multi_az: true", "multi_az: true\n    final_snapshot_identifier: the-end")
    database.apply().exits(0)
    database.destroy().exits(0).says("Its final snapshot is the-end.")
    assert set(snapshots(cloud)) == {"the-end"}
    database.apply().exits(0)
    # The name is taken: nothing is deleted.
    database.destroy().exits(1).says("the-end", "final_snapshot_identifier")
    assert len(instances(cloud)) == 1
    database.edit("data", "final_snapshot_identifier: the-end", "skip_final_snapshot: true")
    database.destroy().exits(0).says("No final snapshot is made.")
    assert set(snapshots(cloud)) == {"the-end"}


def test_a_protected_database_is_refused(database: Muster, cloud: Cloud) -> None:
    database.edit("data", "multi_az: true", "multi_az: true\n    deletion_protection: true")
    database.apply().exits(0)
    allowed = ("--allow", "data-loss", "--allow", "downtime")
    refused = database.run("destroy", "--auto-approve", *allowed).exits(3)
    refused.says("irreversible", "deletion_protection protects it from being deleted")
    assert shown(cloud)["DeletionProtection"] is True
    # Protected by another hand after the plan: nothing is deleted.
    database.destroy().exits(0)
    assert instances(cloud) == []
    assert len(snapshots(cloud)) == 1


def test_a_protection_that_the_plan_did_not_see(database: Muster, cloud: Cloud) -> None:
    database.apply().exits(0)
    database.run("plan", "--destroy", "--out", "destroy.json").exits(0)
    cloud.client("rds").modify_db_instance(DBInstanceIdentifier="prod-rds", DeletionProtection=True)
    allowed = ("--allow", "data-loss", "--allow", "downtime", "--allow", "irreversible")
    run = database.run("apply", "destroy.json", *allowed)
    assert run.code in (1, 3), run
    assert shown(cloud)["DeletionProtection"] is True


def test_a_name_that_was_given_away(database: Muster, cloud: Cloud) -> None:
    """A database of another hand that has our old name is not touched."""
    database.apply().exits(0)
    rds = cloud.client("rds")
    mine = shown(cloud)["DbiResourceId"]
    rds.modify_db_instance(
        DBInstanceIdentifier="prod-rds", NewDBInstanceIdentifier="moved-away", ApplyImmediately=True
    )
    cloud.sandbox.advance(60)
    rds.create_db_instance(
        DBInstanceIdentifier="prod-rds", DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=20,
        MasterUsername="other", MasterUserPassword="their-own-password",
    )  # fmt: skip
    cloud.sandbox.advance(60)
    database.drift().exits(2).says("identifier")
    database.run("destroy", "--auto-approve", "--allow", "data-loss,irreversible,downtime").exits(0)
    assert [d["MasterUsername"] for d in instances(cloud)] == ["other"]
    assert mine not in {d["DbiResourceId"] for d in instances(cloud)}


def test_a_database_is_renamed_in_place(database: Muster, cloud: Cloud) -> None:
    database.apply().exits(0)
    before = shown(cloud)
    # Its subnet group keeps its name: a database does not move between groups of one VPC.
    database.edit(
        "data",
        "multi_az: true",
        "multi_az: true\n    name: prod-main\n    subnet_group_name: prod-rds\n    apply_immediately: true",
    )
    database.plan().exits(2).says("identifier", "downtime").says_not("data-loss")
    database.apply("--allow", "downtime").exits(0)
    after = shown(cloud)
    assert (after["DbiResourceId"], after["DBInstanceIdentifier"]) == (before["DbiResourceId"], "prod-main")
    (record,) = cloud.records()
    assert record["ResourceRecords"] == [{"Value": after["Endpoint"]["Address"]}]
    database.plan().exits(0)


def test_a_database_does_not_move_within_its_vpc(database: Muster, cloud: Cloud) -> None:
    database.apply().exits(0)
    database.edit("data", "multi_az: true", "multi_az: true\n    subnet_group_name: other\n    apply_immediately: true")
    database.apply("--allow", "downtime").exits(1).says(
        "You cannot move DB instance prod-rds", "Keep the name of the subnet group and change its subnets in place"
    )
    # Nothing is lost.
    assert shown(cloud)["DBSubnetGroup"]["DBSubnetGroupName"] == "prod-rds"
    assert groups(cloud)[0] == ["other", "prod-rds"]


def test_a_database_moves_to_another_vpc(database: Muster, cloud: Cloud) -> None:
    """The new subnet group is made, the database moves to it, the old one goes."""
    database.apply().exits(0)
    database.edit(
        "data",
        "security_groups:\n  db:",
        "  next:\n    cidr_block: 10.1.0.0/16\n    subnets:\n"
        "      next-a: { cidr_block: 10.1.0.0/24, availability_zone: us-east-1a }\n"
        "      next-b: { cidr_block: 10.1.1.0/24, availability_zone: us-east-1b }\n"
        "security_groups:\n  next: { vpc: next, name: db-next }\n  db:",
    )
    database.edit("data", "subnets: [a, b]", "subnets: [next-a, next-b]\n    subnet_group_name: next")
    database.edit("data", "security_groups: [db]", "security_groups: [next]\n    apply_immediately: true")
    database.edit("data", "multi_az: true", "multi_az: false")
    before = shown(cloud)
    cloud.sandbox.reset_log()
    database.apply("--allow", "downtime").exits(0)
    mine = [c for c in cloud.changes() if "DB" in c]
    assert mine == ["CreateDBSubnetGroup", "ModifyDBInstance", "DeleteDBSubnetGroup"]
    after = shown(cloud)
    assert after["DbiResourceId"] == before["DbiResourceId"]
    assert after["DBSubnetGroup"]["DBSubnetGroupName"] == "next"
    assert groups(cloud)[0] == ["next"]
    database.plan().exits(0)


def test_another_engine_line(database: Muster, cloud: Cloud, sandbox: Any) -> None:
    """A parameter group of the new family is made, the database moves to it, the old one goes."""
    database.apply().exits(0)
    assert groups(cloud) == (["prod-rds"], ["prod-rds-mysql8-0"])
    database.edit("data", 'engine_version: "8.0"', 'engine_version: "8.4"\n    allow_major_version_upgrade: true')
    database.edit("data", "multi_az: true", "multi_az: true\n    apply_immediately: true")
    plan = database.plan("--format", "json").exits(2).json
    order = [(s["operation"], s["address"].rpartition(":")[2], s.get("deposed", False)) for s in plan["steps"]]
    names = [(operation, address) for operation, address, _ in order]
    made = names.index(("create", "aws.db_parameter_group/prod-rds"))
    moved = names.index(("update", "aws.db_instance/prod-rds"))
    dropped = names.index(("delete", "aws.db_parameter_group/prod-rds"))
    assert made < moved < dropped
    sandbox.reset_log()
    database.apply("--allow", "downtime").exits(0)
    changes = [c for c in cloud.changes() if "Tags" not in c]
    assert changes == [
        "CreateDBParameterGroup", "ModifyDBParameterGroup", "ModifyDBInstance", "DeleteDBParameterGroup"
    ]  # fmt: skip
    assert shown(cloud)["EngineVersion"].startswith("8.4.")
    assert groups(cloud) == (["prod-rds"], ["prod-rds-mysql8-4"])
    database.plan().exits(0)


def test_another_engine_line_in_the_window(database: Muster, cloud: Cloud, sandbox: Any) -> None:
    """The database keeps its old parameter group until it has the new engine; only then the group goes."""
    database.apply().exits(0)
    database.edit("data", 'engine_version: "8.0"', 'engine_version: "8.4"\n    allow_major_version_upgrade: true')
    stays = "prod-rds-mysql8-0 stays until data:aws.db_instance/prod-rds lets go of it in its window"
    database.plan().exits(2).says(
        "engine_version, parameter_group_name take effect", "Plan: 1 to add, 1 to change, 0 to destroy."
    )
    database.apply().exits(0)
    assert groups(cloud)[1] == ["prod-rds-mysql8-0", "prod-rds-mysql8-4"]
    assert shown(cloud)["DBParameterGroups"][0]["DBParameterGroupName"] == "prod-rds-mysql8-0"
    quiet = database.plan().exits(0).says("No changes.")
    assert stays in " ".join(quiet.text.split())
    database.drift().exits(0)

    sandbox.advance(4 * 86_400)
    assert shown(cloud)["DBParameterGroups"][0]["DBParameterGroupName"] == "prod-rds-mysql8-4"
    database.plan().exits(2).says("Plan: 0 to add, 0 to change, 1 to destroy.")
    database.apply().exits(0)
    assert groups(cloud)[1] == ["prod-rds-mysql8-4"]
    database.plan().exits(0)


def test_subnets_change_in_place(database: Muster, cloud: Cloud) -> None:
    database.apply().exits(0)
    database.edit("data", "subnets: [a, b]", "subnets: [a, b, c]")
    database.plan().exits(2).says("Plan: 0 to add, 1 to change, 0 to destroy.")
    database.apply().exits(0)
    assert len(shown(cloud)["DBSubnetGroup"]["Subnets"]) == 3
    database.plan().exits(0)


def test_a_lookup_finds_a_database(database: Muster, cloud: Cloud) -> None:
    database.apply().exits(0)
    database.write(
        muster="workspace: test\nregion: us-east-1\nstacks:\n  data: data.yaml\n  app: app.yaml\n",
        app="""
        lookups: { databases: { main: { identifier: prod-rds } } }
        outputs: { endpoint: "${lookup.databases.main.endpoint}" }
        """,
    )
    database.apply().exits(0)
    endpoint = shown(cloud)["Endpoint"]
    database.run("output").exits(0).says(f"{endpoint['Address']}:{endpoint['Port']}")
