"""Machines of the sandbox: what is read of user data, what they may read, and how they go."""

from __future__ import annotations

import base64
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from machinery import Machines, machines
from ranchers import Rancher, _rancher, rancher, rancher_factory
from sandboxes import Sandbox, quick, sandbox, sandbox_factory

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "sandbox"))

from machines.reading import Reader, Unreadable  # noqa: E402

__all__ = ["_rancher", "machines", "quick", "rancher", "rancher_factory", "sandbox", "sandbox_factory"]
GOLDENS = ROOT / "Tests" / "UserDataTests" / "Goldens" / "Rancher"
TRUST = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
IMAGE = "ami-0f8bce65"


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def reader() -> Reader:
    known = {"instance-id": "i-1", "local-ipv4": "10.0.0.7", "placement/availability-zone": "us-east-1a"}
    return Reader(known.get, lambda name: f"http://r/v1/scripts/{name}", lambda name, key: f"{name}#{key}")


def test_what_muster_renders_is_read() -> None:
    agent = reader().read(encoded((GOLDENS / "join.sh").read_text()))
    assert agent is not None
    assert agent.url == "http://rancher.test:8080/v1/projects/1a5/scripts/TOKEN:1483142400000:abc"
    assert agent.address == "10.0.0.7"
    assert agent.labels == {"role": "celery", "note": "it's 5 o'clock & more", "instance-id": "i-1"}
    # The script that leaves stands elsewhere.
    assert agent.key is None


def test_what_is_kept_elsewhere_is_fetched() -> None:
    agent = reader().read(encoded(gzip.compress((GOLDENS / "fetched.sh").read_bytes())))
    assert agent is not None and agent.url == "http://r/v1/scripts//rancher/registration-url"


@pytest.mark.parametrize(
    ("script", "url"),
    [
        ("docker run -d --privileged -v /a:/b rancher/agent:v1.2.11 http://r/v1/scripts/x", "http://r/v1/scripts/x"),
        ("IP=$(curl -s http://169.254.169.254/latest/meta-data/local-ipv4)\nURL='http://r/v1/scripts/x'\n"
         "sudo docker run --rm -e CATTLE_AGENT_IP=$IP \\\n  rancher/agent:v1.2.11 \"$URL\"", "http://r/v1/scripts/x"),
        ("docker run -d nginx", None),
        ("echo rancher/agent", None),
        ("", None),
    ],
)  # fmt: skip
def test_scripts_of_ones_own(script: str, url: str | None) -> None:
    agent = reader().read(encoded("#!/bin/sh\n" + script))
    assert (agent.url if agent else None) == url
    assert agent is None or agent.address == "10.0.0.7"


def test_cloud_configs_and_what_is_none() -> None:
    script = "url='http://r/v1/scripts/x'\ndocker run --rm rancher/agent:v1.2.11 \"$url\"\n"
    config = {"write_files": [{"path": "/opt/join", "content": script}], "runcmd": [["sh", "/opt/join"]]}
    agent = reader().read(encoded("#cloud-config\n" + json.dumps(config)))
    assert agent is not None and agent.url == "http://r/v1/scripts/x"
    assert reader().read("no base64!") is None
    assert reader().read(encoded("#cloud-config\n: [")) is None


def test_what_cannot_be_had_ends_the_script() -> None:
    nothing = Reader(lambda _: None, lambda _: "", lambda *_: "")
    with pytest.raises(Unreadable, match="instance-id"):
        nothing.read(encoded((GOLDENS / "join.sh").read_text()))


def launched(sandbox: Sandbox, script: str, **more: Any) -> str:
    ec2 = sandbox.client("ec2")
    made = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, InstanceType="t3.small", UserData=script, **more)
    return str(made["Instances"][0]["InstanceId"])


def state(sandbox: Sandbox, identifier: str) -> str:
    found = sandbox.client("ec2").describe_instances(InstanceIds=[identifier])
    return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])


def test_user_data_are_never_run(sandbox: Sandbox, rancher: Rancher, machines: Machines, tmp_path: Path) -> None:
    token = rancher.client("/v2-beta/projects/1a5/schemas").create_registration_token()
    token = rancher.client("/v2-beta/projects/1a5/schemas").wait_success(token)
    trace = tmp_path / "trace"
    script = f"#!/bin/sh\ntouch {trace}\nX=$(touch {trace})\ndocker run --rm rancher/agent:v1.2.11 {token.registrationUrl}\n"
    identifier = launched(sandbox, script)
    machines.until(lambda: machines.joined() == {identifier}, "it joins")
    assert not trace.exists()
    # Without a farewell it is lost; when it runs again, it answers again as the host that it was.
    host = rancher.hosts()[0]["id"]
    sandbox.client("ec2").stop_instances(InstanceIds=[identifier])
    machines.until(lambda: f"{identifier}: lost" in machines.log, "it is lost")
    rancher.advance(240)
    assert [h["agentState"] for h in rancher.hosts()] == ["disconnected"]
    sandbox.client("ec2").start_instances(InstanceIds=[identifier])
    machines.until(lambda: machines.joined() == {identifier}, "it answers again")
    assert [h["id"] for h in rancher.hosts()] == [host]


def test_an_instance_waits_for_the_goodbyes_of_its_machine(sandbox: Sandbox) -> None:
    identifier = launched(sandbox, "#!/bin/sh\n")
    sandbox.control("POST", f"machines/{identifier}", {"goodbyes": True})
    sandbox.client("ec2").terminate_instances(InstanceIds=[identifier])
    assert state(sandbox, identifier) == "shutting-down"
    assert sandbox.control("GET", "machines") == [{"id": identifier, "state": "shutting-down"}]
    sandbox.control("POST", f"machines/{identifier}", {"goodbyes": False})
    assert state(sandbox, identifier) == "terminated"
    # And not for ever.
    other = launched(sandbox, "#!/bin/sh\n")
    sandbox.control("POST", f"machines/{other}", {"goodbyes": True})
    sandbox.client("ec2").terminate_instances(InstanceIds=[other])
    assert state(sandbox, other) == "shutting-down"
    sandbox.advance(21)
    assert state(sandbox, other) == "terminated"


def test_a_fleets_instances_have_its_profile(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam")
    iam.create_role(RoleName="host", AssumeRolePolicyDocument=TRUST)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="host", PolicyName="p", PolicyDocument=json.dumps(document))
    iam.create_instance_profile(InstanceProfileName="host")
    iam.add_role_to_instance_profile(InstanceProfileName="host", RoleName="host")
    data = {"ImageId": IMAGE, "InstanceType": "t3.small", "IamInstanceProfile": {"Name": "host"}, "UserData": encoded("hello")}
    sandbox.client("ec2").create_launch_template(LaunchTemplateName="host", LaunchTemplateData=data)
    scaling = sandbox.client("autoscaling")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="g", MinSize=1, MaxSize=1, AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateName": "host", "Version": "$Latest"},
    )  # fmt: skip
    (instance,) = scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"]
    told = sandbox.control("GET", f"machines/{instance['InstanceId']}")
    assert base64.b64decode(told["user_data"]) == b"hello"
    assert [json.loads(p) if isinstance(p, str) else p for p in told["policies"]] == [document]
