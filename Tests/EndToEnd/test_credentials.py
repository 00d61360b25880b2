"""Whose account, which endpoint, which key: what is wrong is said with the right exit code, and nothing is changed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import Cloud, Muster
from specs import PAIR, SMALL_VPC

OTHER = {"AWS_ACCESS_KEY_ID": "AKIAMUSTEROTHER0000A", "AWS_SECRET_ACCESS_KEY": "sandbox-secret"}
NOBODY: dict[str, str | None] = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
COMMANDS = [["plan"], ["apply", "--auto-approve"], ["drift"], ["destroy", "--auto-approve"]]


@pytest.fixture
def running(muster: Muster, cloud: Cloud) -> Iterator[Muster]:
    """A VPC and two groups, applied; at the end they and the state are what they were."""
    muster.write(net=SMALL_VPC + PAIR)
    muster.apply().exits(0)
    state, world = muster.digest(), cloud.count()
    cloud.sandbox.reset_log()
    yield muster
    assert cloud.changes() == []
    assert cloud.count() == world
    assert muster.digest() == state
    muster.plan().exits(0)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_credentials_of_another_account(running: Muster, command: list[str]) -> None:
    running.run(*command, **OTHER).exits(3).says("123456789012", "210987654321", "another account")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_another_endpoint(running: Muster, other_sandbox: Any, command: list[str]) -> None:
    run = running.run(*command, AWS_ENDPOINT_URL=other_sandbox.endpoint)
    run.exits(3).says(running.endpoint, other_sandbox.endpoint, "another endpoint")
    assert Cloud(other_sandbox).changes() == []


def test_a_plan_file_with_credentials_of_another_account(running: Muster, tmp_path: Path) -> None:
    running.edit("net", "description: user interface", "description: changed")
    plan = tmp_path / "a.plan"
    running.run("plan", "--out", plan).exits(0)
    running.run("apply", plan, **OTHER).exits(3)
    running.edit("net", "description: changed", "description: user interface")


def test_the_account_that_the_workspace_names(muster: Muster, cloud: Cloud) -> None:
    muster.write(
        muster="workspace: test\nregion: us-east-1\naccount: '210987654321'\nstacks: { net: net.yaml }\n", net=SMALL_VPC
    )
    muster.apply().exits(3).says("210987654321", "123456789012")
    assert cloud.changes() == []
    assert not muster.state.exists()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_no_credentials(running: Muster, command: list[str]) -> None:
    run = running.run(*command, **NOBODY).exits(4)
    run.says("AWS_ACCESS_KEY_ID", ".aws/credentials", ".aws/config")


def test_a_profile_that_is_not_there(running: Muster) -> None:
    running.run("plan", **NOBODY, AWS_PROFILE="nowhere").exits(4).says("nowhere")


def test_half_of_a_key(running: Muster) -> None:
    running.run("plan", AWS_SECRET_ACCESS_KEY=None).exits(4).says("AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def guarded(muster: Muster, verifying_sandbox: Any) -> Muster:
    """A workspace that is pointed at the sandbox that checks signatures."""
    muster.extra["AWS_ENDPOINT_URL"] = verifying_sandbox.endpoint
    muster.write(net=SMALL_VPC + PAIR)
    return muster


def test_right_signatures(guarded: Muster, verifying_sandbox: Any) -> None:
    cloud = Cloud(verifying_sandbox)
    guarded.apply().exits(0)
    assert cloud.count() == {"vpcs": 1, "security groups": 2, "security group rules": 3}
    guarded.plan().exits(0)
    guarded.destroy().exits(0)
    assert cloud.count() == {}


@pytest.mark.parametrize(
    ("variables", "code", "texts"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, 4, ["SignatureDoesNotMatch"]),
        ({"AWS_ACCESS_KEY_ID": "AKIANOBODYKNOWSTHIS1"}, 4, ["InvalidClientTokenId"]),
        ({"AWS_SESSION_TOKEN": "EXPIRED"}, 4, ["ExpiredToken"]),
        ({"AWS_ACCESS_KEY_ID": "AKIADENIED0000000000"}, 1, ["permission"]),
    ],
    ids=["a wrong secret", "an unknown key", "an expired token", "no permission"],
)
@pytest.mark.parametrize("command", COMMANDS[:3], ids=lambda c: c[0])
def test_refused_credentials(
    guarded: Muster, verifying_sandbox: Any, command: list[str], variables: dict[str, str], code: int, texts: list[str]
) -> None:
    guarded.run(*command, **variables).exits(code).says(*texts)
    assert Cloud(verifying_sandbox).changes() == []
    assert not guarded.state.exists()


def test_no_permission_for_one_call(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    cloud.sandbox.faults(
        {"operation": "CreateSecurityGroup", "times": 100, "status": 403, "code": "UnauthorizedOperation",
         "message": "You are not authorized to perform this operation."}
    )  # fmt: skip
    run = muster.apply().exits(1)
    run.says("net:aws.security_group/alb", "UnauthorizedOperation", "not authorized")
    assert cloud.count() == {"vpcs": 1}
    assert set(muster.ids()) == {"net:aws.vpc/main"}
    cloud.sandbox.control("POST", "faults/reset")
    muster.apply().exits(0)
    muster.plan().exits(0)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("command", COMMANDS[:3], ids=lambda c: c[0])
def test_nobody_listens(muster: Muster, closed_port: int, command: list[str]) -> None:
    muster.write(net=SMALL_VPC)
    run = muster.run(*command, AWS_ENDPOINT_URL=f"http://127.0.0.1:{closed_port}")
    run.exits(1).says("127.0.0.1", str(closed_port))
    assert not muster.state.exists()


def test_a_host_that_does_not_exist(muster: Muster) -> None:
    muster.write(net=SMALL_VPC)
    muster.run("plan", AWS_ENDPOINT_URL="http://muster.invalid:1").exits(1).says("muster.invalid")


def test_the_network_goes_away_in_the_middle(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    cloud.sandbox.faults({"operation": "CreateSecurityGroup", "kind": "reset connection", "times": 100})
    muster.apply().exits(1).says("net:aws.security_group/")
    cloud.sandbox.control("POST", "faults/reset")
    muster.apply().exits(0)
    assert cloud.count() == {"vpcs": 1, "security groups": 2, "security group rules": 3}
    muster.plan().exits(0)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_a_page_of_a_proxy(running: Muster, cloud: Cloud, command: list[str]) -> None:
    cloud.sandbox.faults({"kind": "html page", "times": 1000})
    run = running.run(*command)
    cloud.sandbox.control("POST", "faults/reset")
    run.exits(1).says("proxy", "502")


def test_a_page_of_a_proxy_in_the_middle(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    cloud.sandbox.faults({"operation": "CreateSecurityGroup", "kind": "html page", "times": 100, "status": 200})
    muster.apply().exits(1).says("net:aws.security_group/")
    cloud.sandbox.control("POST", "faults/reset")
    muster.apply().exits(0)
    assert cloud.count() == {"vpcs": 1, "security groups": 2, "security group rules": 3}


def test_answers_that_are_lost_make_nothing_twice(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    cloud.sandbox.faults(
        *(
            {"operation": operation, "kind": "reset connection", "when": "after"}
            for operation in ("CreateVpc", "CreateSecurityGroup", "AuthorizeSecurityGroupIngress")
        )
    )
    muster.apply().exits(0)
    assert cloud.count() == {"vpcs": 1, "security groups": 2, "security group rules": 3}
    muster.plan().exits(0)


def test_throttling_is_waited_out(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    cloud.sandbox.faults({"operation": "CreateSecurityGroup", "times": 2}, {"operation": "DescribeVpcs", "times": 1})
    muster.apply().exits(0)
    assert cloud.count() == {"vpcs": 1, "security groups": 2, "security group rules": 3}


def test_no_secret_key_is_ever_said(running: Muster) -> None:
    running.run("plan", "-v").exits(0).says_not("sandbox-secret")
