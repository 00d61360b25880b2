"""What muster does not do by itself: without approval, with a hazard, against a protection, over a name that is taken."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from harness import Cloud, Muster
from specs import IDENTITY, PAIR, SMALL_VPC

WORLD_OPEN = (
    SMALL_VPC
    + """
security_groups:
  bastion: { vpc: main, ingress: [{ port: 22, from: [any] }] }
"""
)


@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_nobody_approved(muster: Muster, cloud: Cloud, command: str) -> None:
    muster.write(net=SMALL_VPC)
    if command == "destroy":
        muster.apply().exits(0)
    before, state = cloud.count(), muster.digest()
    cloud.sandbox.reset_log()
    muster.run(command).exits(3).says("--auto-approve", "muster plan --out")
    assert cloud.changes() == []
    assert cloud.count() == before
    assert muster.digest() == state


def test_nothing_to_do_needs_no_approval(muster: Muster) -> None:
    muster.write(net=SMALL_VPC)
    muster.apply().exits(0)
    muster.run("apply").exits(0).says("No changes.")


def test_a_port_open_to_the_world(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=WORLD_OPEN)
    muster.plan().exits(2).says("public-exposure")
    cloud.sandbox.reset_log()
    muster.apply().exits(3).says("public-exposure", "--allow public-exposure", "22")
    assert cloud.changes() == []
    assert cloud.count() == {}
    muster.apply("--allow", "downtime").exits(3)
    muster.apply("--allow", "public-exposure").exits(0)
    assert cloud.count() == {"vpcs": 1, "security groups": 1, "security group rules": 3}
    # What is there already is no news.
    muster.apply().exits(0)


def test_a_plan_file_does_not_stand_for_a_hazard(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=WORLD_OPEN)
    muster.run("plan", "--out", "a.plan").exits(0)
    muster.run("apply", "a.plan").exits(3).says("public-exposure")
    assert cloud.count() == {}
    muster.run("apply", "a.plan", "--allow", "public-exposure").exits(0)


def test_a_hazard_that_the_workspace_allows(muster: Muster) -> None:
    muster.write(
        muster="workspace: test\nregion: us-east-1\nallow: [public-exposure]\nstacks: { net: net.yaml }\n",
        net=WORLD_OPEN,
    )
    muster.apply().exits(0)


def test_ports_for_everybody_that_are_meant_for_everybody(muster: Muster) -> None:
    muster.write(net=WORLD_OPEN.replace("port: 22", "port: 443"))
    muster.plan().exits(2).says_not("public-exposure")
    muster.apply().exits(0)


PROTECTED = """
vpc:
  main: { cidr_block: 10.0.0.0/16, lifecycle: { prevent_destroy: true } }
"""


def test_what_is_protected_is_not_destroyed(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=PROTECTED)
    muster.apply().exits(0)
    cloud.sandbox.reset_log()
    muster.destroy().exits(3).says("net:aws.vpc/main", "prevent_destroy")
    muster.edit("net", "10.0.0.0/16", "10.9.0.0/16")
    muster.apply("--allow", "downtime", "--allow", "data-loss", "--allow", "irreversible").exits(3).says("prevent_destroy")
    muster.plan("--destroy").exits(3)
    assert cloud.changes() == []
    assert cloud.count() == {"vpcs": 1}


def test_a_protection_outlives_its_block(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=PROTECTED)
    muster.apply().exits(0)
    muster.write(net="x-empty: true\n")
    cloud.sandbox.reset_log()
    muster.plan().exits(3).says("net:aws.vpc/main", "prevent_destroy")
    muster.apply().exits(3)
    assert cloud.changes() == []
    # It ends when the block says so.
    muster.write(net=PROTECTED.replace("true", "false"))
    muster.apply().exits(0)
    muster.destroy().exits(0)
    assert cloud.count() == {}


def foreign_group(cloud: Cloud) -> dict[str, Any]:
    """A group that somebody else made, with a rule, under the name of ours."""
    made = cloud.ec2.create_security_group(GroupName="node", Description="not yours", VpcId=cloud.vpc()["VpcId"])
    permission = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
    cloud.ec2.authorize_security_group_ingress(GroupId=made["GroupId"], IpPermissions=[permission])
    return cloud.groups()["node"]


def test_a_group_of_that_name_is_there(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC)
    muster.apply().exits(0)
    foreign = foreign_group(cloud)
    muster.write(net=SMALL_VPC + PAIR)
    run = muster.apply()
    assert run.code in (1, 3), run
    run.says("net:aws.security_group/node", foreign["GroupId"], "node")
    assert cloud.groups()["node"] == foreign
    assert "net:aws.security_group/node" not in muster.ids()
    # What does not depend on it is done, and the rest follows when the name is free.
    cloud.ec2.delete_security_group(GroupId=foreign["GroupId"])
    muster.apply().exits(0)
    muster.plan().exits(0)
    muster.destroy().exits(0)
    assert cloud.count() == {}


def test_a_group_of_that_name_alone_is_a_refusal(muster: Muster, cloud: Cloud) -> None:
    """Nothing was done, so the exit code is that of a name clash."""
    muster.write(net=SMALL_VPC)
    muster.apply().exits(0)
    foreign = foreign_group(cloud)
    muster.write(net=SMALL_VPC + "security_groups:\n  node: { vpc: main, egress: [] }\n")
    muster.apply().exits(3).says(foreign["GroupId"])
    assert cloud.groups()["node"] == foreign


def test_a_role_of_that_name_is_there(muster: Muster, cloud: Cloud) -> None:
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
    cloud.iam.create_role(RoleName="node", AssumeRolePolicyDocument=trust, Description="not yours")
    muster.write(base=IDENTITY.replace("ZONE", cloud.zone_id()))
    run = muster.apply()
    assert run.code in (1, 3), run
    run.says("base:aws.iam_role/node", "taken")
    role = cloud.iam.get_role(RoleName="node")["Role"]
    assert role["Description"] == "not yours"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] == "lambda.amazonaws.com"
    assert cloud.iam.list_role_policies(RoleName="node")["PolicyNames"] == []
    muster.destroy().exits(0)
    assert cloud.count() == {"roles": 1}


def test_a_key_pair_of_that_name_is_there(muster: Muster, cloud: Cloud) -> None:
    cloud.ec2.create_key_pair(KeyName="operator")
    before = cloud.ec2.describe_key_pairs()["KeyPairs"]
    muster.write(base="key_pairs:" + IDENTITY.partition("key_pairs:")[2].partition("dns:")[0])
    muster.apply().exits(3).says("base:aws.key_pair/operator", "operator")
    assert cloud.ec2.describe_key_pairs()["KeyPairs"] == before


def test_a_record_of_that_name_is_there(muster: Muster, cloud: Cloud) -> None:
    record = {"Name": "vpn.tastycidr.net.", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "192.0.2.9"}]}
    cloud.route53.change_resource_record_sets(
        HostedZoneId=cloud.zone_id(), ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )
    before = cloud.records()
    muster.write(base="dns:" + IDENTITY.partition("dns:")[2].replace("ZONE", cloud.zone_id()))
    muster.apply().exits(3).says("base:aws.dns_record/vpn.tastycidr.net")
    assert cloud.records() == before


def test_another_run_holds_the_lease(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC)
    muster.apply().exits(0)
    # Somebody on another machine, whose lease lasts.
    now = int(time.time() * 1000)
    with sqlite3.connect(muster.state) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(leases)")]
        scale = 1000 if database.execute("SELECT created FROM meta").fetchone()[0] > 10**14 else 1
        values = {
            "stack": "net", "holder": "f" * 32, "who": "ada", "host": "elsewhere", "pid": 4711, "process": "",
            "mode": "exclusive", "acquired": now * scale, "heartbeat": now * scale, "expiry": (now + 60_000) * scale,
            "epoch": 99, "expiry_uptime": "",
        }  # fmt: skip
        assert set(columns) == set(values)
        marks = ", ".join(f":{c}" for c in columns)
        database.execute(f"INSERT INTO leases ({', '.join(columns)}) VALUES ({marks})", values)
    database.close()
    muster.edit("net", "10.0.0.0/16", "10.0.0.0/16, enable_dns_hostnames: true")
    cloud.sandbox.reset_log()
    muster.apply().exits(5).says("net is held by ada on elsewhere")
    assert cloud.changes() == []
    # Plans and drift never lease.
    muster.plan().exits(2)
    muster.drift().exits(0)


def test_two_applies_at_once(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    processes = [muster.start("apply", "--auto-approve", "--wait", "60s") for _ in range(3)]
    ends = [(p.communicate(timeout=90), p.returncode) for p in processes]
    assert 0 in [code for _, code in ends], ends
    assert cloud.count() == {"vpcs": 1, "security groups": 2, "security group rules": 3}, ends
    muster.plan().exits(0)


def test_a_state_that_may_not_be_written(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC)
    muster.extra["MUSTER_STATE"] = "/proc/muster/muster.db"
    muster.apply().exits(1).says("/proc/muster")
    assert cloud.count() == {}


def test_events_that_cannot_be_written_stop_nothing(muster: Muster, cloud: Cloud, tmp_path: Path) -> None:
    muster.write(net=SMALL_VPC)
    muster.apply("--events", tmp_path / "no" / "such" / "folder.jsonl").exits(0).says("events")
    assert cloud.count() == {"vpcs": 1}
