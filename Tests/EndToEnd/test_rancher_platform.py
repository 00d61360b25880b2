"""One graph: from nothing to a platform with joined hosts in one apply, and back to nothing in one destroy.

Checked with boto3 and Rancher's own client, never through muster.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from typing import Any

import pytest
from harness import Cloud, Muster, Run
from machinery import Machines
from ranchers import Rancher

URL = "/prod/rancher/registration-url"
KEY = "/prod/rancher/hosts-key"
SPECS = {
    "muster": """
        workspace: platform
        region: us-east-1
        tags: { ManagedBy: muster }
        stacks: { net: net.yaml, control: control.yaml, rancher: rancher.yaml, hosts: hosts.yaml }
    """,
    "net": """
        vpc:
          main:
            cidr_block: 10.0.0.0/16
            subnets:
              a: { cidr_block: 10.0.0.0/24, availability_zone: us-east-1a }
        security_groups:
          host: { vpc: main, description: hosts, ingress: [{ port: 22, from: [self] }] }
    """,
    "control": """
        uses: [net]
        resources:
          aws.eip:
            door: { domain: vpc }
        control_nodes:
          control: { ami: ami-0f8bce65, instance_type: t3.large, subnets: [a], security_groups: [host] }
        outputs:
          url: http://${aws.eip["door"].public_ip}:8080
    """,
    "rancher": """
        uses: [control]
        rancher:
          main:
            url: ${outputs.url}
            depends_on: ["control:*"]
            environments:
              prod:
                registration_token: { secret_to: "ssm:/prod/rancher/registration-url" }
                api_keys:
                  hosts: { secret_to: "ssm:/prod/rancher/hosts-key" }
    """,
    "hosts": """
        uses: [net, rancher]
        iam:
          host:
            assume_role: ec2.amazonaws.com
            inline_policies:
              join:
                Version: "2012-10-17"
                Statement:
                  - { Effect: Allow, Action: "ssm:GetParameter", Resource: "arn:aws:ssm:*:*:parameter/prod/rancher/*" }
        autoscaling_groups:
          web:
            min_size: 2
            max_size: 4
            desired_capacity: { initial: 2 }
            subnets: [a]
            launch: { ami: ami-0f8bce65, instance_type: t3.small, security_groups: [host], iam_instance_profile: host }
            rancher_agent:
              environment: prod
              labels: { role: web }
              leave:
                access_key: ${rancher.api_key["prod/hosts"].access_key}
                secret_key: { ssm: /prod/rancher/hosts-key }
    """,
}
RESOURCES = 15


@pytest.fixture
def muster(rancher_muster: Muster) -> Muster:
    return rancher_muster.write(**SPECS)


def members(cloud: Cloud) -> set[str]:
    """The instances of the fleet."""
    groups = cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    return {i["InstanceId"] for g in groups for i in g["Instances"] if i["LifecycleState"] == "InService"}


def parameters(cloud: Cloud) -> dict[str, str]:
    """What is kept in SSM below /prod, in clear."""
    ssm = cloud.client("ssm")
    names = [p["Name"] for p in ssm.describe_parameters()["Parameters"] if p["Name"].startswith("/prod/")]
    return {n: ssm.get_parameter(Name=n, WithDecryption=True)["Parameter"]["Value"] for n in names}


def environments(rancher: Rancher) -> list[Any]:
    """Those that Rancher had not from the start."""
    listed = rancher.client().list_project(all=True).data
    return [p for p in listed if p.id != "1a5" and p.state not in ("removed", "purging", "purged")]


def active(rancher: Rancher, kind: str, environment: str) -> list[Any]:
    listed = getattr(rancher.client(f"/v2-beta/projects/{environment}/schemas"), f"list_{kind}")().data
    return [o for o in listed if o.accountId == environment and o.state == "active"]


def nothing_is_left(cloud: Cloud, rancher: Rancher, machines: Machines) -> None:
    assert cloud.count() == {}
    assert parameters(cloud) == {}
    assert environments(rancher) == []
    machines.until(lambda: machines.present() == set(), "no host is left")


def everything_is_there_once(cloud: Cloud, rancher: Rancher, machines: Machines) -> None:
    machines.until(lambda: len(members(cloud)) == 2, "the fleet is in service")
    count = cloud.count()
    assert (count["vpcs"], count["autoscaling groups"], count["launch templates"], count["roles"]) == (1, 1, 1, 1)
    assert (count["instances"], len(members(cloud))) == (3, 2)
    (environment,) = environments(rancher)
    assert environment.name == "prod"
    assert len(active(rancher, "registrationToken", environment.id)) == 1
    assert len(active(rancher, "apiKey", environment.id)) == 1
    assert sorted(parameters(cloud)) == [KEY, URL]
    machines.until(lambda: machines.joined() == members(cloud), "all members have joined")
    assert machines.present() == members(cloud)


def test_from_nothing_to_joined_hosts_and_back(
    muster: Muster, cloud: Cloud, rancher: Rancher, machines: Machines
) -> None:
    muster.plan().exits(2).says(f"Plan: {RESOURCES} to add", 'http://(known after apply):8080')
    made = muster.apply().exits(0).says(f"{RESOURCES} added").text
    everything_is_there_once(cloud, rancher, machines)
    muster.plan().exits(0).says("No changes")
    muster.drift().exits(0)

    # The order of the one graph, and the URL that machines were given only the place of.
    steps = ["aws.instance/control", "rancher.environment/prod", "rancher.registration_token/prod", "aws.autoscaling_group/web"]
    order = [made.index(f"{step}: created") for step in steps]
    assert order == sorted(order)
    url = parameters(cloud)[URL]
    (token,) = active(rancher, "registrationToken", environments(rancher)[0].id)
    assert url.rpartition("/")[2] == token.token
    for kept in parameters(cloud).values():
        secret = kept.rpartition("/")[2].encode()
        assert not [p for p in muster.state.parent.rglob("*") if p.is_file() and secret in p.read_bytes()]
        assert secret.decode() not in made
    for host in rancher.hosts():
        assert (host["labels"]["role"], host["labels"]["instance-id"]) == ("web", host["instanceId"])

    # The autoscaler owns the size: a new machine joins, and one that goes takes itself out in order.
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    machines.until(lambda: len(machines.joined()) == 3, "the third joins")
    before = machines.joined()
    rancher.reset_log()
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=2)
    machines.until(lambda: len(machines.present()) == 2, "one leaves")
    assert len(before - machines.present()) == 1
    machines.until(lambda: "purge" in [e["action"] for e in rancher.log()], "it is purged")
    actions = [e["action"] for e in rancher.log() if e["action"] in ("deactivate", "remove", "purge")]
    assert actions == ["deactivate", "remove", "purge"]
    muster.plan().exits(0)

    gone = muster.destroy().exits(0).says(f"{RESOURCES} destroyed").text
    steps = ["aws.autoscaling_group/web", "rancher.registration_token/prod", "rancher.environment/prod", "rancher.server/main"]
    order = [gone.index(f"{step}: deleted") for step in [*steps, "aws.instance/control"]]
    assert order == sorted(order)
    nothing_is_left(cloud, rancher, machines)
    assert "cannot" not in machines.log and "script ends" not in machines.log
    assert muster.ids() == {}


def test_a_machine_that_may_not_read_the_url_stays_out(
    muster: Muster, cloud: Cloud, rancher: Rancher, machines: Machines
) -> None:
    muster.edit("hosts", "parameter/prod/rancher/*", "parameter/dev/rancher/*")
    muster.run("validate").exits(0).says("No policy of \"host\" allows ssm:GetParameter", f"parameter{URL}")
    muster.apply().exits(0)
    machines.until(lambda: machines.log.count("AccessDeniedException") == 2, "both are refused")
    assert rancher.hosts() == []


def test_a_machine_that_does_not_say_goodbye_is_lost(
    muster: Muster, cloud: Cloud, rancher: Rancher, machines: Machines
) -> None:
    spec = muster.specs / "hosts.yaml"
    spec.write_text(spec.read_text().partition("      leave:")[0])
    muster.apply().exits(0)
    machines.until(lambda: len(members(cloud)) == 2, "the fleet is in service")
    machines.until(lambda: machines.joined() == members(cloud), "all have joined")
    lost = sorted(members(cloud))[0]
    cloud.ec2.terminate_instances(InstanceIds=[lost])
    machines.until(lambda: f"{lost}: lost" in machines.log, "its agent is silent")
    rancher.advance(240)
    states = {h["instanceId"]: h["agentState"] for h in rancher.hosts()}
    assert states[lost] == "disconnected"


def kill(muster: Muster, command: list[str], instant: float) -> bool:
    """Whether a run was killed (-9) at an instant, rather than done before."""
    process = muster.start(*command)
    try:
        process.communicate(timeout=instant)
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True


def resumed(muster: Muster, command: list[str]) -> Run:
    process = muster.start(*command)
    out, err = process.communicate(timeout=120)
    return Run(command, process.returncode, out, err).exits(0)


def test_killed_at_any_instant_it_goes_on(muster: Muster, cloud: Cloud, rancher: Rancher, machines: Machines) -> None:
    seed = int(os.environ.get("MUSTER_SEED") or random.SystemRandom().randrange(1 << 31))
    print(f"MUSTER_SEED={seed}")
    chance = random.Random(seed)
    apply = ["apply", "--auto-approve"]
    destroy = ["destroy", "--auto-approve", "--allow", "irreversible,downtime,data-loss"]
    start = time.monotonic()
    resumed(muster, apply)
    whole = time.monotonic() - start
    resumed(muster, destroy)
    nothing_is_left(cloud, rancher, machines)
    for _ in range(int(os.environ.get("MUSTER_RUNS", "2"))):
        for command in (apply, destroy):
            instants = [chance.uniform(0.05, whole) for _ in range(2)]
            print(command[0], [round(i, 3) for i in instants])
            for instant in instants:
                if not kill(muster, command, instant):
                    break
            resumed(muster, command)
            if command is apply:
                everything_is_there_once(cloud, rancher, machines)
                muster.plan().exits(0).says("No changes")
            else:
                nothing_is_left(cloud, rancher, machines)
                assert muster.ids() == {}
