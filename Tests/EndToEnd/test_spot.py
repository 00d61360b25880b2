"""Elastigroups with the real binary: Spot and Rancher of the sandbox, looked at over Spot's own API."""

from __future__ import annotations

import base64
import json
import signal
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from harness import Muster
from ranchers import Rancher

ENVIRONMENT = "/v2-beta/projects/1a5/schemas"
TOKEN = "sandbox-spot-token"
ACCOUNT = "act-5a4db0b0"
SECRET = "hunter22-of-the-environment"
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

SPEC = """
    allow: [secret-exposure]
    variables:
      rancher_secret: { type: string, secret: env:RANCHER_ENVIRONMENT_SECRET }
      registration_url: { type: string, secret: env:REGISTRATION_URL }
    spot:
      workers:
        description: What celery runs on
        capacity: { minimum: 1, maximum: 4, target: 2 }
        strategy: { risk: 100, draining_timeout: 120, fallback_to_od: true }
        instance_types: { on_demand: m5.large, spot: [m5.large, m4.large] }
        subnets: [subnet-0a1b2c3d]
        launch:
          ami: ami-0f8bce65
          security_groups: [sg-0a1b2c3d]
          iam_instance_profile: arn:aws:iam::123456789012:instance-profile/worker
          monitoring: true
          root_volume: { device_name: /dev/sda1, size: 40, type: gp3 }
        rancher_agent:
          registration_url: ${var.registration_url}
          labels: { role: celery }
        rancher:
          master_host: RANCHER/v1
          access_key: "ACCESSKEY"
          secret_key: ${var.rancher_secret}
        scaling:
          up:
            busy: { metric_name: CPUUtilization, namespace: AWS/EC2, threshold: 70, adjustment: 1, dimensions: { name: workers } }
        scheduled_tasks:
          - { task_type: scale, cron_expression: "0 7 * * 1-5", scale_min_capacity: 2 }
        tags: { Usage: celery }
"""


class Spot:
    """A simulated Spot, asked as anybody may ask it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str = "", body: Any = None) -> list[Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/aws/ec2/group{path}", data, headers, method=method)
        with _opener.open(request, timeout=20) as answer:
            return list(json.load(answer)["response"]["items"])

    @property
    def groups(self) -> list[Any]:
        return self.call("GET")

    @property
    def only(self) -> Any:
        (group,) = self.groups
        return group


@pytest.fixture
def spot(rancher: Rancher) -> Spot:
    return Spot(rancher.spot_url)


@pytest.fixture
def muster(rancher: Rancher, tmp_path: Path) -> Muster:
    """muster without anything of AWS, pointed at a Spot and a Rancher."""
    client = rancher.client(ENVIRONMENT)
    key = client.create_api_key()
    token = client.wait_success(client.create_registration_token())
    nothing = dict.fromkeys(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"])
    secrets = {"RANCHER_ENVIRONMENT_SECRET": key.secretValue, "REGISTRATION_URL": token.registrationUrl}
    made = Muster(tmp_path, "http://127.0.0.1:9", extra=nothing | rancher.variables | secrets)
    return made.write(fleet=SPEC.replace("RANCHER/v1", f"{rancher.url}/v1").replace("ACCESSKEY", key.publicValue))


def until(question: Callable[[], bool], rancher: Rancher | None = None) -> None:
    deadline = monotonic() + 60
    while not question():
        assert monotonic() < deadline, "it never comes to pass"
        if rancher is not None:
            rancher.advance(0.5)
        sleep(0.05)


def test_life(muster: Muster, spot: Spot, rancher: Rancher) -> None:
    muster.plan().exits(2).says("Plan: 1 to add, 0 to change, 0 to destroy.")
    made = muster.apply().exits(0).says("1 added")
    muster.plan().exits(0).says("No changes")
    muster.drift().exits(0)

    group = spot.only
    assert group["name"] == "workers" and group["region"] == "us-east-1"
    assert group["description"].startswith("What celery runs on [muster:intent=")
    assert group["capacity"] == {"minimum": 1, "maximum": 4, "target": 2, "unit": "instance"}
    assert group["compute"]["product"] == "Linux/UNIX" and group["compute"]["subnetIds"] == ["subnet-0a1b2c3d"]
    launch = group["compute"]["launchSpecification"]
    assert launch["iamRole"] == {"arn": "arn:aws:iam::123456789012:instance-profile/worker"}
    assert launch["blockDeviceMappings"] == [{"deviceName": "/dev/sda1", "ebs": {"volumeSize": 40, "volumeType": "gp3"}}]
    tags = {t["tagKey"]: t["tagValue"] for t in launch["tags"]}
    assert tags == {"ManagedBy": "muster", "Name": "workers", "Usage": "celery"}
    (policy,) = group["scaling"]["up"]
    assert policy["policyName"] == "busy" and policy["dimensions"] == [{"name": "name", "value": "workers"}]
    script = base64.b64decode(launch["userData"]).decode()
    assert "instance-id=$host&spotinst.instanceId=$host" in script and "role=celery" in script
    integration = group["thirdPartiesIntegration"]["rancher"]
    assert integration["secretKey"] == muster.extra["RANCHER_ENVIRONMENT_SECRET"]

    # Instances are hosts of the environment, each with the label by which Spot finds it.
    hosts = rancher.client(ENVIRONMENT).list_host
    until(lambda: [h.state for h in hosts().data] == ["active", "active"], rancher)
    instances = {i["instanceId"] for i in spot.call("GET", f"/{group['id']}/status")}
    assert {getattr(h.labels, "spotinst.instanceId") for h in hosts().data} == instances

    # L3: neither the key nor the registration URL is anywhere with us.
    kept = b"".join(p.read_bytes() for p in muster.state.parent.rglob("*") if p.is_file())
    for name in ("RANCHER_ENVIRONMENT_SECRET", "REGISTRATION_URL"):
        assert str(muster.extra[name]).encode() not in kept
        made.says_not(str(muster.extra[name]))
    made.says_not(TOKEN)
    assert TOKEN.encode() not in kept

    # When the group shrinks, hosts leave; in the end all do.
    muster.edit("fleet", "target: 2", "target: 1")
    muster.apply().exits(0).says("1 changed")
    until(lambda: len(hosts().data) == 1, rancher)
    muster.destroy().exits(0).says("1 destroyed")
    assert spot.groups == [] and muster.ids() == {}
    until(lambda: len(hosts().data) == 0, rancher)


def test_changes_are_made_in_place_and_name_nothing_else(muster: Muster, spot: Spot) -> None:
    muster.apply().exits(0)
    identifier = spot.only["id"]
    # What muster does not know stays as somebody set it.
    other = {"group": {"thirdPartiesIntegration": {"nomad": {"masterHost": "n"}}, "strategy": {"spinUpTime": 60}}}
    spot.call("PUT", f"/{identifier}", other)
    muster.plan().exits(0)
    muster.edit("fleet", "risk: 100, ", "on_demand_count: 1, ")
    muster.edit("fleet", "maximum: 4", "maximum: 6")
    muster.edit("fleet", "description: What celery runs on", "description: Workers")
    muster.edit("fleet", "monitoring: true", "ebs_optimized: true")
    muster.edit("fleet", "tags: { Usage: celery }", "tags: { Team: data }")
    muster.plan().exits(2).says("on_demand_count", "maximum", "0 to add, 1 to change, 0 to destroy")
    muster.apply().exits(0).says("1 changed")
    muster.plan().exits(0)
    group = spot.only
    assert group["id"] == identifier
    assert group["strategy"]["onDemandCount"] == 1 and "risk" not in group["strategy"]
    assert group["strategy"]["spinUpTime"] == 60 and group["thirdPartiesIntegration"]["nomad"] == {"masterHost": "n"}
    assert group["capacity"]["maximum"] == 6 and group["description"].startswith("Workers [muster:intent=")
    launch = group["compute"]["launchSpecification"]
    assert launch["ebsOptimized"] is True
    assert {t["tagKey"] for t in launch["tags"]} == {"ManagedBy", "Name", "Team"}

    text = (muster.specs / "fleet.yaml").read_text()
    cut = text[: text.index("    rancher:\n")] + text[text.index("    tags:") :]
    (muster.specs / "fleet.yaml").write_text(cut)
    muster.plan().exits(2)
    muster.apply().exits(0)
    muster.plan().exits(0)
    group = spot.only
    assert "rancher" not in group["thirdPartiesIntegration"]
    assert not group["scaling"].get("up") and not group["scheduling"].get("tasks")

    muster.edit("fleet", "fallback_to_od: true }", "fallback_to_od: true }\n    product: SUSE Linux")
    muster.plan().exits(2).says('product: Linux/UNIX → "SUSE Linux"', "1 to add, 0 to change, 1 to destroy")


def test_what_scaling_moves_is_no_drift_and_what_people_move_is(muster: Muster, spot: Spot) -> None:
    muster.apply().exits(0)
    identifier = spot.only["id"]
    spot.call("PUT", f"/{identifier}/scale/up?adjustment=2")
    muster.drift().exits(0)
    muster.plan().exits(0).says("No changes")
    # A change of something else leaves the target where it is.
    muster.edit("fleet", "draining_timeout: 120", "draining_timeout: 60")
    muster.apply().exits(0)
    assert spot.only["capacity"]["target"] == 4
    # New bounds take it along, as far as they must.
    muster.edit("fleet", "maximum: 4", "maximum: 3")
    muster.apply().exits(0)
    assert spot.only["capacity"] == {"minimum": 1, "maximum": 3, "target": 3, "unit": "instance"}
    muster.plan().exits(0)
    # A new number is what is wanted now.
    muster.edit("fleet", "target: 2", "target: 1")
    muster.apply().exits(0)
    assert spot.only["capacity"]["target"] == 1

    spot.call("PUT", f"/{identifier}", {"group": {"compute": {"launchSpecification": {"imageId": "ami-theirs"}}}})
    spot.call("PUT", f"/{identifier}", {"group": {"capacity": {"maximum": 9}, "thirdPartiesIntegration": None}})
    muster.drift().exits(2).says("ami-theirs", "maximum", "rancher")
    muster.apply().exits(0)
    muster.drift().exits(0)
    group = spot.only
    assert group["compute"]["launchSpecification"]["imageId"] == "ami-0f8bce65" and group["capacity"]["maximum"] == 3
    # With the secret, which nobody could compare.
    integration = group["thirdPartiesIntegration"]["rancher"]
    assert integration["secretKey"] == muster.extra["RANCHER_ENVIRONMENT_SECRET"]

    spot.call("DELETE", f"/{identifier}")
    muster.drift().exits(2)
    muster.apply().exits(0).says("1 added")
    assert spot.only["id"] != identifier


def test_a_secret_in_user_data_is_a_hazard(muster: Muster, spot: Spot) -> None:
    muster.edit("fleet", "allow: [secret-exposure]", "outputs: {}")
    muster.plan().exits(2).says("secret-exposure", "user_data holds the secret registration_url")
    muster.apply().exits(3).says("secret-exposure")
    assert spot.groups == []


def test_a_new_secret_is_sent(muster: Muster, spot: Spot) -> None:
    muster.apply().exits(0)
    muster.extra["RANCHER_ENVIRONMENT_SECRET"] = SECRET
    muster.plan().exits(2).says("rancher_secret_key").says_not(SECRET)
    muster.apply().exits(0).says_not(SECRET)
    assert spot.only["thirdPartiesIntegration"]["rancher"]["secretKey"] == SECRET
    muster.plan().exits(0)


def test_names_of_others_are_left_alone(muster: Muster, spot: Spot) -> None:
    muster.apply().exits(0)
    theirs = {k: v for k, v in spot.only.items() if k not in ("id", "createdAt", "updatedAt", "description")}
    muster.destroy().exits(0)
    (made,) = spot.call("POST", "", {"group": theirs})
    muster.apply().exits(3).says("The name is taken by an object that is not ours", "spot.elastigroup/workers")
    assert spot.only == made
    muster.run("import", "fleet:spot.elastigroup/workers", made["id"]).exits(0)
    muster.apply().exits(0)
    muster.plan().exits(0)
    assert spot.only["id"] == made["id"]


class Curtain(BaseHTTPRequestHandler):
    """Hands requests on, and says when a creation was answered, which it then keeps to itself."""

    target = ""
    created = threading.Event()

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {k: v for k, v in self.headers.items() if k not in ("Host", "Content-Length")}
        request = urllib.request.Request(self.target + self.path, body or None, headers, method=self.command)
        with _opener.open(request, timeout=20) as answer:
            said = answer.read()
        if self.command == "POST":
            Curtain.created.set()
            sleep(30)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_DELETE = _pass  # noqa: N815

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def curtain(spot: Spot) -> Iterator[str]:
    Curtain.target = spot.url
    Curtain.created = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Curtain)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_killed_between_the_call_and_the_answer(muster: Muster, spot: Spot, curtain: str) -> None:
    run = muster.start("apply", "--auto-approve", SPOTINST_ENDPOINT_URL=curtain)
    assert Curtain.created.wait(60), "nothing was created"
    run.send_signal(signal.SIGKILL)
    run.communicate()
    identifier = spot.only["id"]
    assert muster.ids() == {}
    muster.apply("--wait", "90s").exits(0).says(f"had been created as {identifier}")
    assert spot.only["id"] == identifier
    assert muster.ids() == {"fleet:spot.elastigroup/workers": identifier}
    muster.plan().exits(0)


class Portal(BaseHTTPRequestHandler):
    """What a company's network answers to everything."""

    def do_GET(self) -> None:
        body = f"<html><title>Sign in</title><body>Sign in {self.headers['Authorization']}</body></html>".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


def test_places_and_keys_that_are_not_right(muster: Muster, spot: Spot) -> None:
    muster.apply(SPOTINST_TOKEN="wrong-token-of-mine").exits(4).says("The token is not valid", "SPOTINST_TOKEN").says_not(
        "wrong-token-of-mine"
    )
    muster.apply(SPOTINST_ACCOUNT="act-other").exits(4).says("The token does not reach account act-other")
    muster.apply(SPOTINST_TOKEN=None).exits(4).says("There is no token for Spot")
    muster.apply(SPOTINST_ACCOUNT=None).exits(4).says("SPOTINST_ACCOUNT")
    muster.plan(SPOTINST_ENDPOINT_URL="api.spotinst.io").exits(1).says("no valid address")
    portal = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=portal.serve_forever, daemon=True).start()
    try:
        there = f"http://127.0.0.1:{portal.server_port}"
        muster.apply(SPOTINST_ENDPOINT_URL=there).exits(1).says("does not come from Spot", "Sign in").says_not(TOKEN)
    finally:
        portal.shutdown()
    assert spot.groups == [] and muster.ids() == {}

    # The file of Spot's own clients does as well.
    file = muster.home / ".spotinst" / "credentials"
    file.parent.mkdir()
    file.write_text(f"[default]\ntoken = {TOKEN}\naccount = {ACCOUNT}\n")
    muster.apply(SPOTINST_TOKEN=None, SPOTINST_ACCOUNT=None).exits(0)
    muster.plan(SPOTINST_TOKEN=None, SPOTINST_ACCOUNT=None).exits(0)

    # State belongs to the account and the endpoint.
    muster.plan(SPOTINST_ACCOUNT="act-other").exits(3).says("The state belongs to another account")
    muster.plan(SPOTINST_ENDPOINT_URL=None).exits(3).says("The state belongs to another endpoint")


def test_bad_specs(muster: Muster) -> None:
    muster.write(
        fleet="""
        spot:
          workers:
            capacity: { minimum: 3, maximum: 4, target: 2 }
            strategy: { risk: 101, on_demand_count: 1 }
            instance_types: { on_demand: m5.large, spot: [] }
            subnets: [nowhere]
            availability_zones: { us-east-1a: {} }
            launch: { ami: ami-1, security_groups: [sg-0a1b2c3d], user_data: x, colour: red }
            rancher: { master_host: rancher.tastycidr.net, access_key: a, secret_key: b }
            rancher_agent: { registration_url: "http://h/v1/scripts/x", labels: { spotinst.instanceId: i-1 } }
    """
    )
    muster.run("validate").exits(1).says(
        '"target" is 2, which is not from 3 to 4', "101", '"colour"', "fleet.yaml:", "https://rancher.example.com:8080/v1",
    )  # fmt: skip


def test_what_spot_refuses_is_said_with_its_field(muster: Muster, spot: Spot) -> None:
    muster.edit("fleet", "ami: ami-0f8bce65", "ami: arn:nonsense")
    muster.apply().exits(1).says("group.compute.launchSpecification.imageId", '"imageId" is required')
    assert spot.groups == [] and muster.ids() == {}


def test_weather(muster: Muster, spot: Spot, rancher: Rancher) -> None:
    """Throttled, down, and answers that are lost: one group in the end."""

    def order(*faults: dict[str, Any]) -> None:
        rancher.control("POST", "faults", list(faults), url=spot.url)

    order({"kind": "error", "method": "POST", "status": 429, "code": "SLOW_DOWN", "times": 2}, {"kind": "html page", "method": "GET"})
    muster.apply().exits(0)
    identifier = spot.only["id"]
    muster.edit("fleet", "monitoring: true", "monitoring: false")
    order({"kind": "reset connection", "when": "after", "method": "PUT"})
    muster.apply().exits(0)
    muster.plan().exits(0)
    assert spot.only["id"] == identifier
    order({"kind": "reset connection", "when": "after", "method": "DELETE"})
    muster.destroy()
    muster.destroy().exits(0)
    assert spot.groups == []
    order({"kind": "reset connection", "when": "after", "method": "POST"})
    muster.apply()
    muster.apply().exits(0)
    assert muster.ids() == {"fleet:spot.elastigroup/workers": spot.only["id"]}
    muster.plan().exits(0)


def test_permit_listed_addresses(muster: Muster, sandbox: Any, tmp_path: Path) -> None:
    """A list in the spec: one rule for each of Spot's addresses; one that goes takes its rule with it."""
    made = Muster(tmp_path / "addresses", sandbox.endpoint)
    spec = """
        variables:
          spot_addresses: { type: list, default: [192.0.2.10/32, 192.0.2.11/32] }
        vpc: { main: { cidr_block: 10.0.0.0/16 } }
        security_groups:
          rancher-api:
            vpc: main
            ingress:
              - { port: 8080, from: "${var.spot_addresses}", description: Spot asks Rancher }
    """
    made.write(doors=spec)
    made.plan().exits(2).says("4 to add")
    made.apply().exits(0)
    made.plan().exits(0)
    made.edit("doors", "192.0.2.11/32", "192.0.2.12/32")
    made.apply().exits(0).says("1 added", "1 destroyed")
    ec2 = sandbox.client("ec2")
    rules = [r["CidrIpv4"] for r in ec2.describe_security_group_rules()["SecurityGroupRules"] if r.get("FromPort") == 8080]
    assert sorted(rules) == ["192.0.2.10/32", "192.0.2.12/32"]
