"""From nothing to a running network and back, twice over: plan, apply, nothing to do, change, destroy."""

from __future__ import annotations

from typing import Any

import pytest
from harness import ZONE, Cloud, Muster, tags_of
from specs import IDENTITY, NETWORK, NETWORK_COUNT, PAIR, SMALL_VPC


def test_a_network_lives_and_leaves_nothing(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NETWORK)
    muster.plan().exits(2).says("Plan: 20 to add, 0 to change, 0 to destroy.")
    assert cloud.count() == {}

    muster.apply().exits(0).says("20 added")
    assert cloud.count() == NETWORK_COUNT
    vpc = cloud.vpc()
    assert vpc["CidrBlock"] == "10.0.0.0/16"
    assert tags_of(vpc).items() >= {"Name": "main", "ManagedBy": "muster"}.items()
    hostnames = cloud.ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")
    assert hostnames["EnableDnsHostnames"]["Value"] is True
    muster.plan().exits(0).says("No changes.")
    muster.drift().exits(0)

    muster.edit("net", "subnets:\n", "subnets:\n      prod-c: { cidr_block: 10.0.48.0/20, route_table: private }\n")
    muster.edit("net", "enable_dns_hostnames: true", "enable_dns_hostnames: false")
    muster.plan().exits(2).says("Plan: 2 to add, 1 to change, 0 to destroy.")
    muster.apply().exits(0)
    assert cloud.count() == NETWORK_COUNT | {"subnets": 5, "associations": 5}
    hostnames = cloud.ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")
    assert hostnames["EnableDnsHostnames"]["Value"] is False
    assert cloud.vpc()["VpcId"] == vpc["VpcId"]
    muster.plan().exits(0)
    muster.drift().exits(0)

    muster.destroy().exits(0).says("22 destroyed")
    assert cloud.count() == {}
    assert muster.ids() == {}
    muster.destroy().exits(0)


def test_roles_keys_and_records_live_and_leave_nothing(muster: Muster, cloud: Cloud) -> None:
    muster.write(base=IDENTITY.replace("ZONE", cloud.zone_id()))
    muster.plan().exits(2)
    muster.apply().exits(0)
    assert cloud.count() == {
        "roles": 1, "role policies": 1, "attachments": 1, "profiles": 1, "key pairs": 1, "records": 1
    }  # fmt: skip
    role = cloud.iam.get_role(RoleName="node")["Role"]
    assert role["Description"] == "What a node may do"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "ec2.amazonaws.com"}
    (record,) = cloud.records()
    assert (record["Name"], record["TTL"], record["ResourceRecords"]) == (
        f"vpn.{ZONE}.", 60, [{"Value": "198.51.100.7"}]
    )  # fmt: skip
    muster.plan().exits(0)
    muster.drift().exits(0)

    muster.edit("base", "value: 198.51.100.7", "records: [198.51.100.8, 198.51.100.9]")
    muster.edit("base", "description: What a node may do", "description: What nodes may do")
    muster.edit("base", '["s3:GetObject"]', '["s3:GetObject", "s3:ListBucket"]')
    muster.edit("base", '    managed_policies: ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]\n', "")
    muster.plan().exits(2)
    muster.apply().exits(3).says("iam-widening", "base:aws.iam_role_policy/node/read")
    muster.apply("--allow", "iam-widening").exits(0)
    (record,) = cloud.records()
    assert {r["Value"] for r in record["ResourceRecords"]} == {"198.51.100.8", "198.51.100.9"}
    assert cloud.iam.get_role(RoleName="node")["Role"]["Description"] == "What nodes may do"
    policy = cloud.iam.get_role_policy(RoleName="node", PolicyName="read")["PolicyDocument"]
    assert policy["Statement"][0]["Action"] == ["s3:GetObject", "s3:ListBucket"]
    assert "attachments" not in cloud.count()
    muster.plan().exits(0)

    muster.destroy().exits(0)
    assert cloud.count() == {}


ONE_STACK = {"net": SMALL_VPC + PAIR}
TWO_STACKS = {
    "net": SMALL_VPC,
    "front": "uses: [net, back]\n" + PAIR[: PAIR.index("  node:")],
    "back": "uses: [net, front]\nsecurity_groups:\n" + PAIR[PAIR.index("  node:") :],
}


@pytest.mark.parametrize("files", [ONE_STACK, TWO_STACKS], ids=["in one stack", "across stacks"])
def test_groups_that_name_each_other(muster: Muster, cloud: Cloud, files: dict[str, str]) -> None:
    muster.write(**files)
    where = {"alb": "net", "node": "net"} if len(files) == 1 else {"alb": "front", "node": "back"}
    muster.plan().exits(2)
    muster.apply().exits(0)
    alb, node = (cloud.groups()[name]["GroupId"] for name in ("alb", "node"))

    def sides(group: str) -> set[tuple[bool, int, str]]:
        return {
            (r["IsEgress"], r["FromPort"], r.get("CidrIpv4") or r["ReferencedGroupInfo"]["GroupId"])
            for r in cloud.rules(group)
        }

    assert sides("alb") == {(False, 443, "203.0.113.0/24"), (True, 8080, node)}
    assert sides("node") == {(False, 8080, alb)}
    muster.plan().exits(0)

    # Changed in place: another port on both sides.
    muster.edit(where["alb"], "port: 8080, to", "port: 8081, to")
    muster.edit(where["node"], "port: 8080, from", "port: 8081, from")
    muster.plan().exits(2)
    muster.apply().exits(0)
    assert sides("alb") == {(False, 443, "203.0.113.0/24"), (True, 8081, node)}
    assert sides("node") == {(False, 8081, alb)}
    assert cloud.groups()["alb"]["GroupId"] == alb
    muster.plan().exits(0)

    # Replaced: a description cannot be changed, and the other group names this one.
    muster.edit(where["node"], "description: behind", "description: far behind")
    plan = muster.plan().exits(2)
    allowed = [word for kind in ("downtime", "irreversible") for word in ("--allow", kind)]
    muster.apply(*allowed).exits(0)
    groups = cloud.groups()
    assert len(groups) == 2, plan
    (new,) = [g for g in groups.values() if g["Description"] == "far behind"]
    assert new["GroupId"] != node
    assert sides("alb") == {(False, 443, "203.0.113.0/24"), (True, 8081, new["GroupId"])}
    assert sides(new["GroupName"]) == {(False, 8081, alb)}
    muster.plan().exits(0)
    muster.drift().exits(0)

    muster.destroy().exits(0)
    assert cloud.count() == {}


def test_one_stack_is_destroyed_alone(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC, groups="uses: [net]\n" + PAIR)
    muster.apply().exits(0)
    muster.destroy("--stack", "groups").exits(0)
    assert cloud.count() == {"vpcs": 1}
    muster.plan("--stack", "net").exits(0)
    muster.plan().exits(2)


def test_what_another_stack_needs_is_not_deleted_under_it(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC, groups="uses: [net]\n" + PAIR)
    muster.apply().exits(0)
    before = cloud.count()
    cloud.sandbox.reset_log()
    muster.destroy("--stack", "net").exits(3).says("net:aws.vpc/main", "groups:aws.security_group/")
    assert cloud.changes() == []
    assert cloud.count() == before


def test_a_spec_that_loses_a_block_loses_the_object(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    muster.apply().exits(0)
    muster.write(net=SMALL_VPC)
    muster.plan().exits(2).says("5 to destroy")
    muster.apply().exits(0)
    assert cloud.count() == {"vpcs": 1}


def test_tags_of_the_workspace_the_stack_and_the_resource(muster: Muster, cloud: Cloud) -> None:
    muster.write(
        muster="""
            workspace: test
            region: us-east-1
            tags: { ManagedBy: muster, Team: platform, Gone: "yes" }
            stacks:
              net: { spec: net.yaml, tags: { Team: network, Gone: null } }
        """,
        net="vpc:\n  main: { cidr_block: 10.0.0.0/16, tags: { Name: primary, Stage: prod } }\n",
    )
    muster.apply().exits(0)

    def tags() -> dict[str, str]:
        return {k: v for k, v in tags_of(cloud.vpc()).items() if not k.startswith("muster:")}

    assert tags() == {"ManagedBy": "muster", "Team": "network", "Name": "primary", "Stage": "prod"}
    muster.edit("net", "Stage: prod", "Stage: dev").apply().exits(0)
    assert tags()["Stage"] == "dev"
    muster.edit("net", ", Stage: dev", "").apply().exits(0)
    assert "Stage" not in tags()
    muster.plan().exits(0)


def test_an_expanded_definition_grows_and_shrinks_at_its_end(muster: Muster, cloud: Cloud) -> None:
    muster.write(
        net="""
            variables:
              groups: { type: integer, default: 2 }
            vpc:
              main: { cidr_block: 10.0.0.0/16 }
            security_groups:
              web:
                count: ${var.groups}
                vpc: main
                ingress: [{ port: 443, from: [203.0.113.0/24] }]
        """
    )
    muster.apply().exits(0)
    ids = {n: g["GroupId"] for n, g in cloud.groups().items()}
    assert set(ids) == {"web1", "web2"}
    muster.apply("--var", "groups=3").exits(0)
    grown = {n: g["GroupId"] for n, g in cloud.groups().items()}
    assert grown.items() > ids.items() and set(grown) == {"web1", "web2", "web3"}
    muster.apply("--var", "groups=1").exits(0)
    assert {n: g["GroupId"] for n, g in cloud.groups().items()} == {"web1": ids["web1"]}


def test_moving_a_definition_touches_nothing(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC)
    muster.apply().exits(0)
    vpc = cloud.vpc()["VpcId"]
    muster.write(
        net="""
            vpc:
              primary: { cidr_block: 10.0.0.0/16, name: main }
            moved:
              - { from: aws.vpc/main, to: aws.vpc/primary }
        """
    )
    cloud.sandbox.reset_log()
    muster.plan().exits(2).says("aws.vpc/primary")
    muster.apply().exits(0)
    assert cloud.changes() == []
    assert cloud.vpc()["VpcId"] == vpc
    assert muster.ids() == {"net:aws.vpc/primary": vpc}
    muster.plan().exits(0)


def test_removed_forgets_or_destroys(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    muster.apply().exits(0)
    muster.write(net="removed:\n  - { from: aws.vpc/main }\n")
    muster.plan().exits(2).says("aws.vpc/main")
    muster.apply().exits(0)
    assert cloud.count() == {"vpcs": 1}
    assert muster.ids() == {}


@pytest.mark.parametrize("parallelism", ["1", "30"])
def test_any_width_gives_the_same_world(muster: Muster, cloud: Cloud, parallelism: str) -> None:
    muster.write(net=NETWORK + PAIR)
    muster.apply("--parallelism", parallelism).exits(0)
    expected: dict[str, Any] = NETWORK_COUNT | {"security groups": 2, "security group rules": 3}
    assert cloud.count() == expected
    muster.plan().exits(0)
    muster.destroy("--parallelism", parallelism).exits(0)
    assert cloud.count() == {}


def test_ignored_changes_are_no_drift(muster: Muster, cloud: Cloud) -> None:
    muster.write(
        net="""
            vpc:
              main:
                cidr_block: 10.0.0.0/16
                enable_dns_hostnames: false
                lifecycle: { ignore_changes: [enable_dns_hostnames] }
        """
    )
    muster.apply().exits(0)
    cloud.ec2.modify_vpc_attribute(VpcId=cloud.vpc()["VpcId"], EnableDnsHostnames={"Value": True})
    muster.drift().exits(0)
    muster.plan().exits(0)
