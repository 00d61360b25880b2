"""Hosts of Rancher held against instances: listed, seen as drift, and removed, with both simulators and the real binary."""

from __future__ import annotations

import base64
import signal
import time
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

import jsonschema
import pytest
from harness import Cloud, Muster
from ranchers import ACCESS_KEY, SECRET_KEY, Rancher
from terminal import Terminal

NET = """
vpc:
  main:
    cidr_block: 10.0.0.0/16
    subnets:
      a: { cidr_block: 10.0.1.0/24, availability_zone: us-east-1a }
"""
FLEET = """
uses: [net]
autoscaling_groups:
  celery:
    min_size: 3
    max_size: 6
    desired_capacity: { initial: 3 }
    subnets: [a]
    launch: { ami: ami-0a1b2c3d4e5f60711, instance_type: m5.large }
    rancher_agent: { registration_url: "http://rancher.test:8080/v1/scripts/token" }
"""
RANCHER = """
rancher:
  main:
    url: https://rancher.tastycidr.net
    environments:
      prod: { registration_token: { secret_to: file:keys/registration } }
      dev: {}
"""
# Rancher 1.6 takes an agent for lost after 30 s without an answer and 180 s more.
LONG = 300


class Platform:
    """A fleet whose instances have joined."""

    def __init__(self, muster: Muster, cloud: Cloud, rancher: Rancher) -> None:
        self.muster, self.cloud, self.rancher = muster, cloud, rancher
        muster.write(net=NET, fleet=FLEET, rancher=RANCHER)
        muster.apply().exits(0)
        self.url = (muster.specs / "keys" / "registration").read_text()
        self.environment = muster.ids()["rancher:rancher.environment/prod"]
        self.hosts = {i["InstanceId"]: self.join(i) for i in self.instances()}
        self.until(lambda: {h["state"] for h in rancher.hosts()} == {"active"})
        rancher.reset_log()

    def until(self, question: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not question():
            assert time.monotonic() < deadline, "it does not come to that"
            time.sleep(0.05)

    def instances(self) -> list[dict[str, Any]]:
        listed = self.cloud.ec2.describe_instances()["Reservations"]
        found = [dict(i) for r in listed for i in r["Instances"] if i["State"]["Name"] == "running"]
        return sorted(found, key=lambda i: str(i["InstanceId"]))

    @property
    def place(self) -> dict[str, str]:
        """What the rendered script says of where an instance is."""
        (subnet,) = self.cloud.ec2.describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.0.1.0/24"]}])["Subnets"]
        return {"instance-account": subnet["OwnerId"], "instance-subnet": subnet["SubnetId"]}

    def join(self, instance: dict[str, Any], **more: Any) -> str:
        machine = {
            "labels": {"instance-id": instance["InstanceId"], "role": "celery"} | self.place,
            "agentIp": instance["PrivateIpAddress"], "instanceId": instance["InstanceId"],
        }  # fmt: skip
        return self.rancher.join(self.url, instance["PrivateDnsName"], **(machine | more))

    def lose(self, host: str) -> None:
        """Its machine is silent, until the server has given it up."""
        self.rancher.lose(host)
        self.rancher.advance(LONG)
        self.until(lambda: self.state(host)["agentState"] == "disconnected")

    def states(self) -> dict[str, str]:
        return {h["id"]: h["state"] for h in self.rancher.hosts()}

    def state(self, host: str) -> dict[str, Any]:
        return next(h for h in self.rancher.hosts() if h["id"] == host)

    def act(self, host: str, action: str) -> None:
        """Somebody does something to a host."""
        key = base64.b64encode(f"{ACCESS_KEY}:{SECRET_KEY}".encode()).decode()
        url = f"{self.rancher.url}/v2-beta/projects/{self.environment}/hosts/{host}/?action={action}"
        urlopen(Request(url, b"{}", {"Authorization": f"Basic {key}"}, method="POST"), timeout=20).close()

    def terminate(self, instance: str) -> str:
        """Behind muster's back; its host is lost. The host."""
        self.cloud.ec2.terminate_instances(InstanceIds=[instance])

        def is_gone() -> bool:
            (reservation,) = self.cloud.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
            return bool(reservation["Instances"][0]["State"]["Name"] == "terminated")

        self.until(is_gone)
        host = self.hosts.pop(instance)
        self.lose(host)
        # The group makes another, which joins: it may have got the address of the one before.
        for other in self.instances():
            if other["InstanceId"] not in self.hosts:
                self.hosts[other["InstanceId"]] = self.join(other)
        self.until(lambda: all(self.states()[h] == "active" for h in self.hosts.values()))
        self.rancher.reset_log()
        return host

    def changes(self) -> list[str]:
        """What was asked of hosts, as `1h1 deactivate`."""
        found = []
        for entry in self.rancher.log():
            if entry["method"] == "GET" or "/hosts/" not in entry["path"]:
                continue
            host, _, action = entry["path"].partition("/hosts/")[2].partition("/?action=")
            found.append(f"{host} {action or entry['method']}")
        return found

    def listed(self, *arguments: str) -> dict[str, Any]:
        listed = self.muster.run("rancher", "hosts", "--json", *arguments).exits(0).json
        jsonschema.validate(listed, self.muster.run("schema", "hosts").exits(0).json)
        return dict(listed)

    def verdicts(self) -> dict[str, str]:
        return {h["id"]: h["verdict"] for h in self.listed()["hosts"]}


@pytest.fixture
def platform(rancher_muster: Muster, cloud: Cloud, rancher: Rancher) -> Platform:
    return Platform(rancher_muster, cloud, rancher)


def test_hosts_are_tied_to_instances(platform: Platform) -> None:
    muster = platform.muster
    listed = platform.listed()
    assert {h["instance"]: h["id"] for h in listed["hosts"]} == platform.hosts
    assert {h["tied_by"] for h in listed["hosts"]} == {"instance-label"}
    assert {h["owner"] for h in listed["hosts"]} == {"fleet:aws.autoscaling_group/celery"}
    assert listed["summary"] == {"joined": 3, "silent": 0, "phantom": 0, "leaving": 0, "unknown": 0, "not_joined": 0}
    assert listed["not_joined"] == []
    text = muster.run("rancher", "hosts").exits(0).says("Hosts: 3 joined.", "by its instance label").text
    assert all(instance in text for instance in platform.hosts)
    muster.drift().exits(0)
    muster.plan().exits(0)
    assert platform.changes() == []


def test_environments_and_stacks_are_chosen(platform: Platform) -> None:
    muster = platform.muster
    assert [e["name"] for e in platform.listed("--environment", "dev")["environments"]] == ["dev"]
    assert {e["name"] for e in platform.listed()["environments"]} == {"Default", "dev", "prod"}
    assert platform.listed("--stack", "net")["environments"] == []
    muster.run("rancher", "hosts", "--environment", "pord").exits(1).says('named "pord"', '"prod"')
    muster.run("rancher", "hosts", "--stack", "nowhere").exits(1).says("Unknown stack")
    muster.run("rancher", "hosts", RANCHER_SECRET_KEY=None).exits(4).says("Half of an API key is missing")
    muster.run("rancher", "hosts", RANCHER_URL="http://127.0.0.1:9").exits(3)


def test_a_workspace_without_rancher(muster: Muster) -> None:
    muster.write(net=NET)
    muster.run("rancher", "hosts").exits(1).says("No Rancher server is known")


def test_what_has_no_label_is_tied_by_address_or_name(platform: Platform) -> None:
    first, second, third = platform.instances()
    rancher = platform.rancher
    for host in platform.hosts.values():
        for action, state in (("deactivate", "inactive"), ("remove", "")):
            platform.act(host, action)
            platform.until(lambda host=host, state=state: platform.states().get(host, "") == state)  # type: ignore[misc]
    assert [m["id"] for m in platform.listed()["not_joined"]] == sorted(platform.hosts)
    by_address = platform.join(first, labels={})
    by_name = platform.join(second, labels={}, agentIp="192.168.7.7")
    stranger = rancher.join(platform.url, "elsewhere", agentIp="192.168.7.8", labels={"instance-id": "i-0fedcba9876543210"})
    platform.until(lambda: {h["state"] for h in rancher.hosts()} == {"active"})
    listed = platform.listed()
    assert {h["id"]: h["tied_by"] for h in listed["hosts"]} == {
        by_address: "agent-address", by_name: "host-name", stranger: "instance-label"
    }  # fmt: skip
    assert platform.verdicts() == {by_address: "joined", by_name: "joined", stranger: "unknown"}
    assert [m["id"] for m in listed["not_joined"]] == [third["InstanceId"]]
    platform.muster.run("rancher", "hosts").exits(0).says("1 instance has not joined")


def test_a_phantom_is_drift_and_is_reaped(platform: Platform) -> None:
    muster = platform.muster
    victim = next(iter(platform.hosts))
    phantom = platform.terminate(victim)
    count = len(platform.hosts)

    muster.drift("--stack", "rancher").exits(2).says(phantom, f"{victim} is terminated", "1 phantom host")
    drift = muster.drift("--stack", "rancher", "--format", "json").exits(2).json
    jsonschema.validate(drift, muster.run("schema", "drift").exits(0).json)
    assert [(p["id"], p["instance"], p["verdict"]) for p in drift["phantoms"]] == [(phantom, victim, "phantom")]
    assert drift["summary"]["phantoms"] == 1
    muster.drift("--stack", "rancher", "--format", "markdown").exits(2).says(phantom)
    muster.drift("--stack", "net").exits(0)
    muster.run("rancher", "hosts").exits(0).says("1 phantom")

    muster.run("rancher", "reap").exits(3).says(phantom, "1 host to remove", "Nobody approved")
    assert platform.changes() == []

    muster.run("rancher", "reap", "--auto-approve").exits(0).says("1 host removed")
    assert platform.changes() == [f"{phantom} deactivate", f"{phantom} remove", f"{phantom} purge"]
    assert {h["id"] for h in platform.rancher.hosts()} == set(platform.hosts.values())
    muster.run("rancher", "reap", "--auto-approve").exits(0).says(f"No phantoms. {count} hosts checked.")
    muster.drift("--stack", "rancher").exits(0)
    run = muster.run("history").exits(0).says("rancher reap").text
    assert "died" not in run


def test_what_is_not_surely_gone_is_left_alone(platform: Platform) -> None:
    host = next(iter(platform.hosts.values()))
    platform.lose(host)
    platform.rancher.reset_log()
    assert platform.verdicts()[host] == "silent"
    platform.muster.drift("--stack", "rancher").exits(0)

    foreign = platform.rancher.join(
        platform.url, "elsewhere", agentIp="192.168.7.8", labels={"instance-id": "i-0fedcba9876543210"}
    )
    platform.until(lambda: platform.state(foreign)["state"] == "active")
    platform.lose(foreign)
    platform.rancher.reset_log()
    platform.muster.run("rancher", "reap", "--auto-approve").exits(0).says("No phantoms")
    platform.muster.run("rancher", "hosts").exits(0).says("AWS does not list i-0fedcba9876543210")
    assert platform.changes() == []

    # Where it was, AWS was asked.
    labels = {"instance-id": "i-0abcdef0123456789"} | platform.place
    gone = platform.rancher.join(platform.url, "was-here", agentIp="10.0.1.250", labels=labels)
    theirs = platform.rancher.join(
        platform.url, "of-others", agentIp="10.0.1.251", labels=labels | {"instance-account": "999999999999"}
    )
    platform.until(lambda: {platform.state(h)["state"] for h in (gone, theirs)} == {"active"})
    platform.lose(theirs)
    platform.lose(gone)
    platform.rancher.reset_log()
    verdicts = platform.verdicts()
    assert (verdicts[gone], verdicts[theirs]) == ("phantom", "unknown")
    platform.muster.run("rancher", "reap", "--auto-approve").exits(0).says("is gone from AWS", "1 host removed")
    assert platform.changes() == [f"{gone} deactivate", f"{gone} remove", f"{gone} purge"]


def test_who_may_not_ask_removes_nothing(platform: Platform) -> None:
    platform.terminate(next(iter(platform.hosts)))
    platform.cloud.sandbox.faults(
        {"operation": "DescribeInstances", "status": 403, "code": "UnauthorizedOperation", "times": 9}
    )
    platform.muster.run("rancher", "reap", "--auto-approve").exits(1).says("No permission", "DescribeInstances")
    platform.muster.run("rancher", "reap", "--auto-approve", AWS_ENDPOINT_URL="http://127.0.0.1:9").exits(1)
    assert platform.changes() == []


def test_a_host_that_is_back_is_left_alone(platform: Platform) -> None:
    victim = next(iter(platform.hosts))
    phantom = platform.terminate(victim)
    with Terminal(platform.muster, "rancher", "reap") as terminal:
        terminal.expect('Only "yes" is taken as yes:')
        platform.rancher.control("POST", "hosts/found", {"machine": phantom})
        platform.until(lambda: platform.state(phantom)["agentState"] == "active")
        terminal.type("yes\n")
        assert terminal.end() == 0
        assert "left alone: its agent is back" in terminal.text
    assert platform.changes() == []


def test_a_reaping_that_is_killed_goes_on(
    muster: Muster, cloud: Cloud, rancher_factory: Callable[..., Rancher]
) -> None:
    # Slow enough for a signal to come before the next call, however busy the machine is.
    rancher = rancher_factory(MUSTER_SANDBOX_RANCHER_DELAY="4")
    # A token is as slow as everything else there.
    muster.extra |= rancher.variables | {"MUSTER_CONSISTENCY_WINDOW": "30s"}
    platform = Platform(muster, cloud, rancher)
    phantoms = [platform.terminate(instance) for instance in list(platform.hosts)[:2]]
    for last in ("deactivate", "remove"):
        run = muster.start("rancher", "reap", "--auto-approve")
        platform.until(lambda last=last: f"{phantoms[0]} {last}" in platform.changes())  # type: ignore[misc]
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=30)
    muster.run("history").exits(0).says("died")
    run = muster.start("rancher", "reap", "--auto-approve")
    platform.until(lambda: f"{phantoms[1]} deactivate" in platform.changes())
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=30)
    assert run.returncode == 130
    muster.run("history").exits(0).says("interrupted")
    assert f"{phantoms[1]} remove" not in platform.changes()
    muster.run("rancher", "reap", "--auto-approve").exits(0).says("1 host removed")
    platform.until(lambda: not {h["id"] for h in rancher.hosts()} & set(phantoms))
    assert platform.changes().count(f"{phantoms[1]} remove") == 1
    muster.run("rancher", "reap", "--auto-approve").exits(0).says("No phantoms")


def test_phantoms_do_not_keep_an_environment(platform: Platform) -> None:
    platform.terminate(next(iter(platform.hosts)))
    platform.muster.destroy().exits(0)
    assert platform.muster.ids() == {}
    assert [p.name for p in platform.rancher.client().list_project(all="true")] == ["Default"]


CONTROL_PLANE = """
uses: [net]
lookups:
  hosted_zones: { net: { name: tastycidr.net } }
  certificates: { rancher: { domain: rancher.tastycidr.net, statuses: [ISSUED] } }
variables: { db_password: { type: string, secret: env:DB_PASSWORD } }
rds:
  rancher:
    engine: mysql
    engine_version: "8.0"
    instance_class: db.t3.medium
    allocated_storage: 20
    username: cattle
    password: ${var.db_password}
    subnets: [a, b]
    skip_final_snapshot: true
target_groups:
  rancher: { vpc: main, port: 8080, protocol: HTTP, health_check: { path: /ping } }
alb:
  rancher:
    subnets: [a, b]
    dns: rancher.tastycidr.net
    listeners: [{ port: 443, protocol: HTTPS, certificate: rancher, forward: rancher }]
control_nodes:
  ctl:
    ami: ami-0a1b2c3d4e5f60711
    instance_type: m5.large
    subnets: [a]
    target_group: rancher
    rancher_server: { database: rancher, db_password: { ssm: /prod/rancher/db } }
rancher:
  main:
    url: https://rancher.tastycidr.net
    environments:
      prod: { registration_token: { secret_to: file:keys/registration } }
"""
SECOND_SUBNET = "      b: { cidr_block: 10.0.2.0/24, availability_zone: us-east-1b }\n"


def test_hosts_leave_before_the_control_plane_goes(rancher_muster: Muster, cloud: Cloud, rancher: Rancher) -> None:
    """Fleet, then token, environment and server, then what the server runs on: in the plan, and in what was done."""
    muster = rancher_muster
    muster.extra["DB_PASSWORD"] = "hunter22-and-more"
    fleet = FLEET.replace("uses: [net]", "uses: [net, rancher]").replace(
        "    subnets: [a]\n", "    subnets: [a]\n    depends_on: [rancher:rancher.registration_token/prod]\n"
    )
    gateway = NET.replace("    subnets:\n", "    internet_gateway: true\n    subnets:\n")
    muster.write(net=gateway + SECOND_SUBNET, fleet=fleet, rancher=CONTROL_PLANE)
    muster.apply().exits(0)
    muster.plan().exits(0)

    def name(address: str) -> str:
        return address.partition(":")[2]

    order = [
        ["aws.autoscaling_group/celery"], ["rancher.registration_token/prod"], ["rancher.environment/prod"],
        ["rancher.server/main"],
        ["aws.target_group_attachment/ctl", "aws.dns_record/rancher.tastycidr.net", "aws.listener", "aws.load_balancer/rancher",
         "aws.instance/ctl", "aws.db_instance/rancher"],
    ]  # fmt: skip
    steps = muster.run("plan", "--destroy", "--format", "json").exits(0).json["steps"]
    before = {s["id"]: set(s["after"]) for s in steps}

    def reached(step: int) -> set[int]:
        return before[step] | {i for s in before[step] for i in reached(s)}

    def found(prefix: str) -> list[int]:
        ids = [s["id"] for s in steps if name(s["address"]).startswith(prefix)]
        assert ids, f"no step is about {prefix}: {sorted(s['address'] for s in steps)}"
        return ids

    for first, then in zip(order, order[1:]):
        for late in (step for prefix in then for step in found(prefix)):
            for early in (step for prefix in first for step in found(prefix)):
                assert early in reached(late), f"{steps[late]['address']} does not wait for {steps[early]['address']}"

    muster.destroy().exits(0)
    assert muster.ids() == {}
