"""No secret is ever at rest with us, nor said: only the place where it is read, and a digest."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Cloud, Muster
from specs import SMALL_VPC

CANARY = "canary-S3CR3T-value-4711"
ENCODED = base64.b64encode(CANARY.encode()).decode().rstrip("=")
SPEC = """
variables:
  token: { type: string, secret: SOURCE }
allow: [secret-exposure]
vpc:
  main:
    cidr_block: 10.0.0.0/16
    subnets:
      a: { cidr_block: 10.0.0.0/24 }
control_nodes:
  node:
    ami: ami-0a1b2c3d4e5f60711
    instance_type: m5.large
    subnets: [a]
    user_data: |
      #!/bin/sh
      join --token ${var.token}
outputs:
  joined: "token is ${var.token}"
"""


def spec(source: str) -> str:
    return SPEC.replace("SOURCE", source)


def holders(folder: Path) -> list[Path]:
    """Files below a folder in which the secret stands, plain or in base64."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if any(form in content for form in (CANARY.encode(), ENCODED[:20].encode(), CANARY.encode().hex().encode())):
                found.append(path)
    return found


@pytest.fixture
def secretive(muster: Muster, cloud: Cloud) -> Iterator[Muster]:
    """A workspace with a secret; at the end, no file has it."""
    muster.write(net=spec("env:JOIN_TOKEN"))
    muster.extra["JOIN_TOKEN"] = CANARY
    yield muster
    assert holders(muster.folder) == []


def user_data(cloud: Cloud) -> str:
    (instance,) = [i for r in cloud.ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    answer = cloud.ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
    return base64.b64decode(answer["UserData"]["Value"]).decode()


def test_the_secret_gets_where_it_belongs_and_nowhere_else(secretive: Muster, cloud: Cloud) -> None:
    runs = [
        secretive.run("validate", "--format", "json"),
        secretive.plan("--out", "a.plan", "-v"),
        secretive.run("plan", "--format", "json"),
        secretive.run("plan", "--format", "markdown"),
        secretive.run("show", "a.plan"),
        secretive.run("show", "a.plan", "--format", "json"),
        secretive.run("apply", "a.plan", "-v", "--events", "events.jsonl"),
    ]
    assert runs[-1].code == 0, runs[-1]
    assert f"join --token {CANARY}" in user_data(cloud)
    runs += [
        secretive.plan("-v").exits(0),
        secretive.drift("--format", "json").exits(0),
        secretive.run("state", "list", "--format", "json"),
        secretive.run("state", "show", "aws.instance/node"),
        secretive.run("state", "show", "aws.instance/node", "--format", "json"),
        secretive.run("output"),
        secretive.run("output", "--format", "json"),
        secretive.run("output", "joined", "--raw"),
        secretive.run("graph"),
        secretive.run("doctor"),
    ]
    for run in runs:
        run.says_not(CANARY, ENCODED[:20])
    assert holders(secretive.folder) == []
    assert "‹secret:token›" in secretive.run("state", "show", "aws.instance/node").out
    key = secretive.home / "digest.key"
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_secret_in_user_data_wants_to_be_allowed(secretive: Muster, cloud: Cloud) -> None:
    secretive.write(net=spec("env:JOIN_TOKEN").replace("allow: [secret-exposure]\n", ""))
    secretive.plan().exits(2).says("secret-exposure", "user_data holds the secret token")
    secretive.apply().exits(3).says("secret-exposure")
    assert cloud.changes() == []
    secretive.apply("--allow", "downtime,secret-exposure").exits(0)
    # It was allowed once; what stays as it is is not asked about again.
    secretive.plan().exits(0)
    secretive.apply("--allow", "downtime,dataloss").exits(64).says("downtime,dataloss")


def test_another_value_is_a_change(secretive: Muster, cloud: Cloud) -> None:
    secretive.apply().exits(0)
    secretive.plan().exits(0)
    rotated = secretive.plan(JOIN_TOKEN="another-value-of-the-token").exits(2)
    rotated.says("user_data").says_not("another-value-of-the-token", CANARY)
    secretive.apply("--allow", "downtime", JOIN_TOKEN="another-value-of-the-token").exits(0)
    assert "join --token another-value-of-the-token" in user_data(cloud)
    secretive.plan(JOIN_TOKEN="another-value-of-the-token").exits(0)


def test_a_value_that_cannot_be_read_is_assumed_unchanged(secretive: Muster) -> None:
    secretive.apply().exits(0)
    secretive.plan(JOIN_TOKEN=None).exits(0).says("token")


def test_a_value_that_is_needed_and_missing(secretive: Muster, cloud: Cloud) -> None:
    run = secretive.apply(JOIN_TOKEN=None).exits(1)
    run.says("JOIN_TOKEN", "net:aws.instance/node")
    assert "instances" not in cloud.count()


def test_an_error_that_quotes_the_secret(secretive: Muster, cloud: Cloud) -> None:
    """AWS repeats parameters in its complaints."""
    cloud.sandbox.faults(
        {"operation": "RunInstances", "status": 400, "code": "InvalidParameterValue", "times": 5,
         "message": f"Invalid user data: join --token {CANARY} ({base64.b64encode(CANARY.encode()).decode()})"}
    )  # fmt: skip
    run = secretive.apply("-v").exits(1)
    run.says("InvalidParameterValue").says_not(CANARY, ENCODED[:20])


def test_user_data_that_drifted_is_not_shown(secretive: Muster, cloud: Cloud) -> None:
    secretive.apply().exits(0)
    (instance,) = [i for r in cloud.ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    cloud.ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    cloud.ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance["InstanceId"]], WaiterConfig={"Delay": 1})
    data = f"#!/bin/sh\njoin --token {CANARY} --evil\n".encode()
    cloud.ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], UserData={"Value": data})
    for run in (secretive.drift(), secretive.drift("--format", "json"), secretive.plan("--out", "b.plan")):
        run.exits(2).says("user_data").says_not(CANARY, ENCODED[:20])


def test_a_secret_in_a_file(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=spec("file:token.txt"))
    secret = muster.specs / "token.txt"
    secret.write_text(CANARY + "\n")
    muster.apply().exits(0).says_not(CANARY)
    assert f"join --token {CANARY}" in user_data(cloud)
    assert holders(muster.folder) == [secret]


def test_a_secret_in_parameter_store(muster: Muster, cloud: Cloud) -> None:
    cloud.client("ssm").put_parameter(Name="/join/token", Value=CANARY, Type="SecureString")
    muster.write(net=spec("ssm:/join/token"))
    cloud.sandbox.reset_log()
    plan = muster.plan().exits(2).says_not(CANARY)
    # A plan compares versions; nothing is decrypted for it.
    assert not [e for e in cloud.requests() if str(e["parameters"].get("WithDecryption", "")).lower() == "true"], plan
    muster.apply("-v").exits(0).says_not(CANARY)
    assert f"join --token {CANARY}" in user_data(cloud)
    muster.plan().exits(0)
    assert holders(muster.folder) == []


def test_the_key_is_not_made_without_need(muster: Muster) -> None:
    muster.write(net=SMALL_VPC)
    muster.apply().exits(0)
    assert not (muster.home / "digest.key").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_key_that_may_not_be_read(secretive: Muster) -> None:
    key = secretive.home / "digest.key"
    key.write_bytes(b"x" * 32)
    key.chmod(0)
    secretive.plan().exits(1).says("digest.key")


def test_a_key_that_is_damaged(secretive: Muster) -> None:
    (secretive.home / "digest.key").write_bytes(b"short")
    secretive.plan().exits(1).says("digest.key")
