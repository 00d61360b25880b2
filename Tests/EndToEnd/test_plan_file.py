"""A plan is a promise: one process makes it, another does exactly that, or says what moved and sends nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import Cloud, Muster
from specs import NETWORK, NETWORK_COUNT, PAIR, SMALL_VPC


@pytest.fixture
def running(muster: Muster, cloud: Cloud) -> Muster:
    """A workspace of a VPC and two groups, applied."""
    muster.write(net=SMALL_VPC + PAIR)
    muster.apply().exits(0)
    return muster


def planned(muster: Muster, name: str = "a.plan", *arguments: str) -> Path:
    """A plan file."""
    path = muster.folder / name
    muster.run("plan", "--out", path, *arguments).exits(0)
    return path


def refused(muster: Muster, cloud: Cloud, *arguments: str | Path) -> Any:
    """A run that must send nothing that changes anything, and leave what the state knows as it is."""
    known, world = muster.rows(), cloud.count()
    cloud.sandbox.reset_log()
    run = muster.run(*arguments)
    assert cloud.changes() == [], run
    assert cloud.count() == world, run
    assert muster.rows() == known, run
    return run


def test_made_by_one_process_and_applied_by_another(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NETWORK + PAIR)
    plan = planned(muster)
    assert cloud.count() == {}
    assert plan.stat().st_mode & 0o777 == 0o600
    muster.run("show", plan).exits(0).says("Plan: 25 to add, 0 to change, 0 to destroy.")
    muster.run("apply", plan).exits(0)
    assert cloud.count() == NETWORK_COUNT | {"security groups": 2, "security group rules": 3}
    muster.plan().exits(0)

    again = refused(muster, cloud, "apply", plan)
    again.exits(3)


def test_only_what_the_plan_says_is_done(running: Muster, cloud: Cloud) -> None:
    running.edit("net", "port: 443, from", "port: 444, from")
    plan = planned(running)
    # What the spec says now is not what was planned.
    running.edit("net", "port: 444, from", "port: 445, from")
    running.run("apply", plan).exits(0)
    assert 444 in {r["FromPort"] for r in cloud.rules("alb")}


def test_the_same_inputs_give_the_same_bytes(running: Muster) -> None:
    running.edit("net", "port: 443, from", "port: 444, from")
    assert planned(running, "a.plan").read_bytes() == planned(running, "b.plan").read_bytes()
    first, second = (running.run("plan", "--format", "json").exits(0).out for _ in range(2))
    assert first == second


def test_a_foreign_edit_since_the_plan(running: Muster, cloud: Cloud) -> None:
    running.edit("net", "description: user interface", "description: the user interface")
    plan = planned(running)
    (rule,) = cloud.rules("node")
    described = {"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "Description": "by hand"}
    cloud.ec2.update_security_group_rule_descriptions_ingress(
        GroupId=rule["GroupId"], SecurityGroupRuleDescriptions=[described]
    )
    run = refused(running, cloud, "apply", plan).exits(3)
    run.says("net:aws.security_group_rule/node/ingress/tcp/8080/alb", "Plan again")
    running.plan().exits(2)
    running.apply().exits(0)
    assert cloud.rules("node")[0]["Description"] == "the user interface"


def test_an_object_deleted_since_the_plan(running: Muster, cloud: Cloud) -> None:
    running.edit("net", "port: 8080, from", "port: 9090, from")
    plan = planned(running)
    (rule,) = cloud.rules("node")
    cloud.ec2.revoke_security_group_ingress(GroupId=rule["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    refused(running, cloud, "apply", plan).exits(3).says("aws.security_group_rule/node/ingress/tcp/8080/alb")


def test_another_apply_since_the_plan(running: Muster, cloud: Cloud) -> None:
    running.edit("net", "description: user interface", "description: first")
    plan = planned(running)
    running.edit("net", "description: first", "description: second")
    running.apply().exits(0)
    refused(running, cloud, "apply", plan).exits(3)
    assert cloud.rules("node")[0]["Description"] == "second"


def test_an_apply_of_another_stack_does_not_make_it_stale(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC, one="security_groups:\n  one: { vpc: 'net:main' }\n", two="security_groups:\n  two: { vpc: 'net:main' }\n")
    muster.apply("--stack", "net").exits(0)
    plan = planned(muster, "one.plan", "--stack", "one")
    muster.apply("--stack", "two").exits(0)
    muster.run("apply", plan).exits(0)
    assert set(cloud.groups()) == {"one", "two"}
    muster.plan().exits(0)


def test_a_foreign_edit_of_what_the_plan_does_not_touch(running: Muster, cloud: Cloud) -> None:
    running.edit("net", "description: user interface", "description: changed")
    plan = planned(running)
    cloud.ec2.modify_vpc_attribute(VpcId=cloud.vpc()["VpcId"], EnableDnsHostnames={"Value": True})
    cloud.ec2.create_tags(Resources=[cloud.groups()["alb"]["GroupId"]], Tags=[{"Key": "Foreign", "Value": "1"}])
    running.run("apply", plan).exits(0)
    assert cloud.rules("node")[0]["Description"] == "changed"


def edited(document: dict[str, Any]) -> bytes:
    document["steps"][0]["desired"]["description"] = "smuggled"
    return json.dumps(document).encode()


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "edited": lambda text: edited(json.loads(text)),
    "torn": lambda text: text[: len(text) // 2],
    "empty": lambda text: b"",
    "a byte flipped": lambda text: text.replace(b"us-east-1", b"us-east-2", 1),
    "no JSON": lambda text: b"vpc:\n  main: {}\n",
    "another document": lambda text: b'{"format_version":1,"kind":"muster-drift","drift":[]}',
    "binary": lambda text: bytes(range(256)) * 64,
    "a newer format": lambda text: text.replace(b'"format_version":1', b'"format_version":99', 1),
    "deep": lambda text: b"[" * 100_000,
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_plan_file_that_is_not_what_was_written(running: Muster, cloud: Cloud, how: str) -> None:
    running.edit("net", "description: user interface", "description: changed")
    plan = planned(running)
    spoilt = SPOILT[how](plan.read_bytes())
    assert spoilt != plan.read_bytes()
    plan.write_bytes(spoilt)
    run = refused(running, cloud, "apply", plan)
    assert run.code in (1, 3), run
    run.says("a.plan", "error[")
    assert "bug in muster" not in run.text
    refused(running, cloud, "show", plan).exits(1)


def test_a_plan_file_that_is_not_there(running: Muster, cloud: Cloud) -> None:
    refused(running, cloud, "apply", "no.plan").exits(1).says("no.plan", "No such file")
    refused(running, cloud, "apply", running.specs).exits(1).says("directory")


def test_a_plan_of_another_workspace(running: Muster, cloud: Cloud, tmp_path: Path) -> None:
    running.edit("net", "description: user interface", "description: changed")
    plan = planned(running)
    other = Muster(tmp_path / "other", running.endpoint)
    other.write(net=SMALL_VPC)
    other.write(muster="workspace: other\nregion: us-east-1\nstacks:\n  net: net.yaml\n")
    refused(other, cloud, "apply", plan).exits(3).says('"test"', '"other"')


def test_a_plan_of_the_same_workspace_with_another_state(running: Muster, cloud: Cloud, tmp_path: Path) -> None:
    running.edit("net", "description: user interface", "description: changed")
    plan = planned(running)
    other = Muster(tmp_path / "other", running.endpoint)
    other.write(net=SMALL_VPC + PAIR)
    refused(other, cloud, "apply", plan).exits(3)


def test_a_plan_to_destroy(running: Muster, cloud: Cloud) -> None:
    plan = planned(running, "a.plan", "--destroy")
    running.run("apply", plan).exits(0)
    assert cloud.count() == {}


def test_an_empty_plan_is_nothing_to_do(running: Muster, cloud: Cloud) -> None:
    plan = planned(running)
    refused(running, cloud, "apply", plan).exits(0)


def test_a_plan_is_not_mixed_with_a_selection(running: Muster, cloud: Cloud) -> None:
    plan = planned(running)
    refused(running, cloud, "apply", plan, "--only", "aws.vpc/main").exits(1).says("--only")


def test_a_plan_without_a_refresh_sends_nothing(running: Muster, cloud: Cloud) -> None:
    running.edit("net", "description: user interface", "description: changed")
    cloud.sandbox.reset_log()
    plan = running.folder / "a.plan"
    running.plan("--no-refresh", "--out", plan).exits(2)
    assert cloud.requests() == []
    running.run("apply", plan).exits(0)
    assert cloud.rules("node")[0]["Description"] == "changed"


def test_a_plan_without_a_refresh_is_checked_before_it_is_done(running: Muster, cloud: Cloud) -> None:
    running.edit("net", "description: user interface", "description: changed")
    plan = planned(running, "a.plan", "--no-refresh")
    (rule,) = cloud.rules("node")
    described = {"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "Description": "by hand"}
    cloud.ec2.update_security_group_rule_descriptions_ingress(
        GroupId=rule["GroupId"], SecurityGroupRuleDescriptions=[described]
    )
    refused(running, cloud, "apply", plan).exits(3)
