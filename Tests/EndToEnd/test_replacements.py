"""Replacing what others hold on to: they stay, move to the successor, and nothing is left behind."""

from __future__ import annotations

from typing import Any

from harness import Cloud, Muster
from specs import IDENTITY, NETWORK, NETWORK_COUNT

NODES = """
security_groups:
  node: { vpc: main, description: nodes, ingress: [{ port: 22, from: [192.0.2.0/24] }], egress: [{ protocol: all, to: [0.0.0.0/0] }] }
control_nodes:
  node: { count: 2, ami: ami-0a1b2c3d4e5f60711, instance_type: t3.small, subnets: [public-a, public-b], security_groups: [node] }
"""

def renumbered(spec: str) -> str:
    """The same network with other addresses."""
    return spec.replace("10.0.", "10.9.")


def replaced(muster: Muster, *allowed: str) -> None:
    """Applies, and finds nothing more to do."""
    arguments = [argument for hazard in allowed for argument in ("--allow", hazard)]
    muster.apply(*arguments).exits(0)
    muster.plan().exits(0).says("No changes.")
    muster.drift().exits(0)
    assert "error" not in muster.run("doctor").exits(0).text


def test_a_network_gets_other_addresses(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NETWORK + NODES)
    muster.apply().exits(0)
    before = cloud.vpc()
    gateway = cloud.ec2.describe_internet_gateways(
        Filters=[{"Name": "attachment.vpc-id", "Values": [before["VpcId"]]}]
    )["InternetGateways"][0]
    counted = cloud.count()

    muster.write(net=renumbered(NETWORK + NODES))
    muster.plan().exits(2).says("+/- aws.vpc/main", "~ aws.internet_gateway/main")
    replaced(muster, "downtime")

    assert cloud.count() == counted
    after = cloud.vpc()
    assert after["CidrBlock"] == "10.9.0.0/16"
    assert after["VpcId"] != before["VpcId"]
    (moved,) = cloud.ec2.describe_internet_gateways(
        Filters=[{"Name": "attachment.vpc-id", "Values": [after["VpcId"]]}]
    )["InternetGateways"]
    assert moved["InternetGatewayId"] == gateway["InternetGatewayId"]
    muster.destroy("--allow", "data-loss").exits(0)
    assert cloud.count() == {}


def test_a_subnet_under_a_load_balancer_gets_other_addresses(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NETWORK + "alb:\n  web: { subnets: [public-a, public-b] }\n")
    muster.apply().exits(0)
    elb = cloud.client("elbv2")
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    muster.edit("net", "public-a: { cidr_block: 10.0.0.0/24", "public-a: { cidr_block: 10.0.8.0/24")
    # The gateway in it goes with it.
    muster.plan().exits(2).says("+/- aws.subnet/public-a", "~ aws.load_balancer/web")
    replaced(muster, "downtime")
    (moved,) = elb.describe_load_balancers()["LoadBalancers"]
    assert moved["LoadBalancerArn"] == balancer["LoadBalancerArn"]
    cidrs = cloud.ec2.describe_subnets(SubnetIds=[zone["SubnetId"] for zone in moved["AvailabilityZones"]])["Subnets"]
    assert {subnet["CidrBlock"] for subnet in cidrs} == {"10.0.8.0/24", "10.0.1.0/24"}


def test_a_role_moves_to_another_path(muster: Muster, cloud: Cloud) -> None:
    muster.write(base=IDENTITY.replace("ZONE", cloud.zone_id()))
    muster.apply().exits(0)
    counted = cloud.count()
    muster.edit("base", "    assume_role: ec2.amazonaws.com", "    path: /nodes/\n    assume_role: ec2.amazonaws.com")
    muster.plan().exits(2).says("+/- aws.iam_role/node", "node-g2")
    replaced(muster)
    assert cloud.count() == counted
    roles: list[dict[str, Any]] = [r for r in cloud.iam.list_roles()["Roles"] if r["RoleName"].startswith("node")]
    assert [(r["RoleName"], r["Path"]) for r in roles] == [("node-g2", "/nodes/")]
    assert cloud.iam.list_role_policies(RoleName="node-g2")["PolicyNames"] == ["read"]
    (profile,) = cloud.iam.list_instance_profiles_for_role(RoleName="node-g2")["InstanceProfiles"]
    assert profile["InstanceProfileName"] == "node"


def test_what_is_held_and_must_go_first_is_refused(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NETWORK)
    muster.apply().exits(0)
    last = "    enable_dns_hostnames"
    muster.write(net=renumbered(NETWORK).replace(last, "    lifecycle: { create_before_destroy: false }\n" + last))
    muster.apply().exits(3).says("aws.internet_gateway/main", "create_before_destroy")
    assert cloud.count() == NETWORK_COUNT
    assert cloud.vpc()["CidrBlock"] == "10.0.0.0/16"
