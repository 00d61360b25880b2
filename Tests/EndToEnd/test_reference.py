"""The reference workspace in specs/: a whole Rancher platform, as prod and as dev from the same files."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from harness import READS, Cloud, Muster, tags_of
from machinery import Machines
from ranchers import Rancher

NETWORK = {
    "vpcs": 1, "subnets": 4, "internet gateways": 1, "NAT gateways": 1, "elastic IPs": 1, "route tables": 2,
    "associations": 4, "routes": 2, "network ACLs": 2, "network ACL rules": 5, "DB subnet groups": 1,
}  # fmt: skip
# Of each environment.
PLATFORM = {
    "security groups": 6, "security group rules": 25, "key pairs": 1, "roles": 1, "role policies": 2, "profiles": 1,
    "databases": 1, "load balancers": 2, "listeners": 4, "target groups": 2, "launch templates": 3,
    "autoscaling groups": 3, "scaling policies": 6, "alarms": 6,
}  # fmt: skip
PROD = {"instances": 18, "volumes": 18, "records": 6, "targets": 8}  # three nodes, three fleets of five
OPEN = ("--allow", "public-exposure")  # access control ends with the platform
DEV = {"instances": 4, "volumes": 4, "records": 4, "targets": 2}  # one node, three fleets of one
NODES = ["prod-rancherctl1", "prod-rancherctl2", "prod-rancherctl3"]


@pytest.fixture
def muster(muster: Muster, rancher: Rancher) -> Muster:
    """muster in a copy of the reference workspace."""
    return muster.reference(rancher)


def only(muster: Muster, environment: str) -> Muster:
    """Without the stacks of the other environment."""
    path = muster.specs / "muster.yaml"
    other = "dev" if environment == "prod" else "prod"
    # Access control is prod's.
    gone = (f"  {other}/", "  access-control:") if environment == "dev" else (f"  {other}/",)
    lines = [line for line in path.read_text().splitlines() if not line.startswith(gone)]
    path.write_text("\n".join(lines) + "\n")
    return muster


def instances(cloud: Cloud) -> list[dict[str, Any]]:
    listed = [i for r in cloud.ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    return [i for i in listed if i["State"]["Name"] not in ("terminated", "shutting-down")]


def fleets(cloud: Cloud) -> set[str]:
    """The instances of all fleets."""
    groups = cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    return {i["InstanceId"] for g in groups for i in g["Instances"]}


def environments(rancher: Rancher) -> list[str]:
    """Those that Rancher had not from the start."""
    listed = rancher.client().list_project(all=True).data
    return sorted(p.name for p in listed if p.id != "1a5" and p.state not in ("removed", "purging", "purged"))


def test_prod_and_dev_from_nothing_to_everything_and_back(
    muster: Muster, cloud: Cloud, rancher: Rancher, machines: Machines
) -> None:
    plan = muster.plan("--out", "first.plan").exits(2)
    assert cloud.count() == {}
    (number,) = re.findall(r"Plan: (\d+) to add, 0 to change, 0 to destroy\.", plan.out)
    muster.run("apply", "first.plan").exits(0).says(f"{number} added")
    assert cloud.count() == Counter(NETWORK) + Counter(PLATFORM) + Counter(PLATFORM) + Counter(PROD) + Counter(DEV)
    muster.plan().exits(0).says(f"No changes. {number} resources match the spec.")
    muster.drift().exits(0)

    # The platform that issue 3 describes, seen with other eyes.
    look(cloud)
    # And all its hosts have joined Rancher, whose door is closed.
    machines.until(lambda: machines.joined() == fleets(cloud), "all hosts have joined")
    assert len(fleets(cloud)) == 18
    assert environments(rancher) == ["dev", "prod"]
    labels = Counter(h["labels"]["role"] for h in rancher.hosts())
    assert labels == {"celery": 6, "crawling": 6, "global-web": 6}
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{rancher.url}/v2-beta/projects", timeout=30)
    assert refused.value.code == 401
    for project in rancher.client().list_project(all=True).data:
        if project.name in ("prod", "dev"):
            inside = rancher.client(f"/v2-beta/projects/{project.id}/schemas")
            assert [r.serverAddress for r in inside.list_registry().data] == ["123456789012.dkr.ecr.us-east-1.amazonaws.com"]
            assert "ecr-updater" in [s.name for s in inside.list_stack().data]

    # Load balancers of the control plane are protected, and databases hold data.
    muster.run("destroy", "--auto-approve").exits(3).says("irreversible", "deletion_protection", "data-loss")
    assert cloud.count()["load balancers"] == 4
    muster.destroy(*OPEN).exits(0)
    assert cloud.count() == {}
    assert environments(rancher) == []
    machines.until(lambda: machines.present() == set(), "no host is left")
    assert muster.ids() == {}


def look(cloud: Cloud) -> None:
    databases = {d["DBInstanceIdentifier"]: d for d in cloud.client("rds").describe_db_instances()["DBInstances"]}
    database = databases["prod-rancher-rds"]
    assert (database["Engine"], database["MultiAZ"], database["BackupRetentionPeriod"]) == ("mysql", True, 14)
    assert database["PreferredBackupWindow"] == "00:00-01:00"
    assert database["PreferredMaintenanceWindow"] == "mon:01:30-mon:02:30"
    assert databases["dev-rancher-rds"]["DBInstanceClass"] == "db.t3.medium"

    elb = cloud.client("elbv2")
    balancers = {b["LoadBalancerName"]: b for b in elb.describe_load_balancers()["LoadBalancers"]}
    assert set(balancers) == {f"{e}-{n}" for e in ("prod", "dev") for n in ("rancherctl", "application")}
    arn = balancers["prod-rancherctl"]["LoadBalancerArn"]
    attributes = {a["Key"]: a["Value"] for a in elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    assert attributes["idle_timeout.timeout_seconds"] == "900"
    assert attributes["deletion_protection.enabled"] == "true"
    listeners = {i["Port"]: i for i in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]}
    assert listeners[443]["Certificates"] and listeners[443]["DefaultActions"][0]["Type"] == "forward"
    assert listeners[80]["DefaultActions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"
    (group,) = elb.describe_target_groups(Names=["prod-rancherctl"])["TargetGroups"]
    assert (group["Port"], group["HealthCheckPath"]) == (8080, "/ping")
    health = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    nodes = {tags_of(i)["Name"]: i for i in instances(cloud) if tags_of(i)["Name"] in NODES}
    assert sorted(nodes) == NODES
    assert {h["Target"]["Id"] for h in health} == {i["InstanceId"] for i in nodes.values()}
    for name, node in nodes.items():
        assert node["IamInstanceProfile"]["Arn"].endswith("/prod-rancher"), name

    records = {r["Name"].removesuffix(".tastycidr.net."): r for r in cloud.records()}
    assert {n: records[n]["ResourceRecords"][0]["Value"] for n in NODES} == {
        n: i["PrivateDnsName"] for n, i in nodes.items()
    }
    assert records["prod-rancher-rds"]["ResourceRecords"] == [{"Value": database["Endpoint"]["Address"]}]
    assert records["rancher"]["AliasTarget"]["DNSName"].rstrip(".").endswith(balancers["prod-rancherctl"]["DNSName"])

    scaling = cloud.client("autoscaling")
    groups = {g["AutoScalingGroupName"]: g for g in scaling.describe_auto_scaling_groups()["AutoScalingGroups"]}
    for name, usage in (("celery", "celery"), ("crawling", "crawling"), ("global-web", "global_web")):
        fleet = groups[f"prod-rancher-{name}"]
        assert (fleet["MinSize"], fleet["MaxSize"], len(fleet["Instances"])) == (5, 25, 5)
        assert {t["Key"]: t["Value"] for t in fleet["Tags"] if t["PropagateAtLaunch"]}["Usage"] == usage
        member = next(i for i in instances(cloud) if i["InstanceId"] == fleet["Instances"][0]["InstanceId"])
        assert tags_of(member)["Usage"] == usage
        policies = scaling.describe_policies(AutoScalingGroupName=f"prod-rancher-{name}")["ScalingPolicies"]
        assert {p["PolicyName"]: len(p["Alarms"]) for p in policies} == {"up": 1, "down": 1}


@pytest.mark.parametrize("environment", ["prod", "dev"])
def test_each_environment_lives_alone(muster: Muster, cloud: Cloud, environment: str) -> None:
    only(muster, environment)
    muster.apply().exits(0)
    own = PROD if environment == "prod" else DEV
    assert cloud.count() == Counter(NETWORK) + Counter(PLATFORM) + Counter(own)
    muster.plan().exits(0)
    muster.destroy(*OPEN).exits(0)
    assert cloud.count() == {}


# What is asked again and again until something is ready.
WAITS = {
    "DescribeAutoScalingGroups", "DescribeInstanceRefreshes", "DescribeScalingActivities", "DescribeLoadBalancers",
    "DescribeNatGateways", "DescribeDBInstances", "DescribeInstances", "DescribeTargetHealth", "DescribeSubnets",
    "DescribeVpcs",
}  # fmt: skip
# What an empty plan asks more than once, since AWS has no listing of it.
ONE_BY_ONE = {
    "DescribeInstanceAttribute": 3,  # user data of three nodes
    "DescribeListeners": 2,  # of two load balancers, which own all their listeners
}


def test_what_prod_costs_in_requests(muster: Muster, cloud: Cloud, rancher: Rancher) -> None:
    only(muster, "prod")
    muster.plan().exits(2)
    cloud.sandbox.reset_log()
    rancher.reset_log()
    muster.apply().exits(0)
    told = [e for e in rancher.log() if "muster" in (e["user_agent"] or "")]
    print(f"apply of prod: {len(told)} requests to Rancher, {Counter(e['method'] for e in told)}")
    # What was asked too early, of what is on its way, is asked again: that is waiting too.
    calls = Counter(e["operation"] for e in cloud.requests() if e["error"] is None)
    changes = sum(n for o, n in calls.items() if not READS.match(o))
    beside = sum(n for o, n in calls.items() if o not in WAITS)
    # Where Rancher's secrets go: what it would cost without Rancher is held to the same bound as before.
    kept = calls["PutParameter"]
    print(f"apply of prod: {changes} changes, {beside} requests beside waiting, {sum(calls.values())} in all: {dict(calls)}")
    print(f"of these for Rancher: {kept}")
    assert kept == 3
    # 93 resources of AWS; what takes more than one call is a VPC's attribute, a gateway's attachment, a profile's role, a load
    # balancer's attributes and the ACL of each subnet.
    # The rules of a group and direction are one call, unless something about one of them made them go apart.
    assert changes - kept <= 90
    assert calls["AuthorizeSecurityGroupIngress"] == 6
    # Alarms and policies overwrite what has their name, so it is looked for before, together; a load balancer and a target
    # group that are made just like one that is there are that one, so their tags are looked at.
    assert beside - kept <= 110

    cloud.sandbox.reset_log()
    rancher.reset_log()
    muster.plan().exits(0)
    told = [e for e in rancher.log() if "muster" in (e["user_agent"] or "")]
    print(f"empty plan of prod: {len(told)} requests to Rancher: {sorted(e['path'] for e in told)}")
    assert {e["method"] for e in told} == {"GET"}
    assert len(told) <= 12
    refresh = cloud.calls()
    print(f"empty plan of prod: {sum(refresh.values())} requests: {dict(refresh)}")
    assert {o: n for o, n in refresh.items() if n > 1} == ONE_BY_ONE
    assert sum(refresh.values()) <= 40
    assert not [o for o in refresh if not READS.match(o)]


def test_five_control_nodes(muster: Muster, cloud: Cloud) -> None:
    only(muster, "prod")
    muster.edit("muster", "control_nodes: 3", "control_nodes: 5")
    plan = muster.plan().exits(2)
    assert len(set(re.findall(r"aws\.instance/(prod-rancherctl\d)", plan.out))) == 5


def test_prod_and_dev_are_the_same_but_for_their_values(muster: Muster) -> None:
    """Every address of prod has one of dev, besides the nodes that dev has not."""
    planned = muster.run("plan", "--format", "json").json
    addresses = {a["address"] for a in planned["changes"]}
    prod = {a.replace("prod", "dev") for a in addresses if a.startswith("prod/")}
    dev = {a for a in addresses if a.startswith("dev/")}
    missing = {a for a in prod - dev if not re.search(r"rancherctl[23]|tastycidr", a)}
    assert missing == set()
    assert {a for a in dev - prod if "tastycidr" not in a} == set()


def test_a_node_leaves_its_target_group_when_the_one_before_is_healthy_again(muster: Muster, cloud: Cloud) -> None:
    only(muster, "prod")
    muster.apply().exits(0)
    muster.edit("rancher", "root_volume: { size: 40, type: gp3 }", "root_volume: { size: 40, type: gp3, encrypted: true }")
    cloud.sandbox.reset_log()
    muster.apply("--allow", "downtime", "--allow", "data-loss").exits(0).says("6 added, 3 changed, 6 destroyed")
    operations = ("DeregisterTargets", "TerminateInstances", "RunInstances", "RegisterTargets")
    order = [e["operation"] for e in cloud.requests() if e["operation"] in operations and e["error"] is None]
    assert order == ["DeregisterTargets", "TerminateInstances", "RunInstances", "RegisterTargets"] * 3
    elb = cloud.client("elbv2")
    (group,) = elb.describe_target_groups(Names=["prod-rancherctl"])["TargetGroups"]
    health = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    assert [h["TargetHealth"]["State"] for h in health if h["TargetHealth"]["State"] != "draining"] == ["healthy"] * 3
    muster.plan().exits(0)
