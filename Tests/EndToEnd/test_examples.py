"""The workspaces in examples/: each is valid, is made, is then as its spec says, and leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from harness import ROOT, Cloud, Muster

EXAMPLES = sorted(p.parent for p in (ROOT / "examples").glob("*/muster.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.name)
def test_an_example_lives_and_leaves_nothing(
    muster: Muster, cloud: Cloud, example: Path, request: pytest.FixtureRequest
) -> None:
    shutil.rmtree(muster.specs)
    shutil.copytree(example, muster.specs)
    if any(line == "spot:" for spec in example.glob("*.yaml") for line in spec.read_text().splitlines()):
        muster.extra |= request.getfixturevalue("rancher").variables | {"SPOT_RANCHER_SECRET_KEY": "secret of the example"}
    cloud.sandbox.reset_log()
    muster.run("validate").exits(0).says("The workspace is valid")
    assert not cloud.calls()
    muster.plan().exits(2).says_not("Warning")
    assert cloud.count() == {}
    muster.apply().exits(0)
    assert cloud.count()
    muster.plan().exits(0)
    muster.drift().exits(0)
    muster.destroy().exits(0)
    assert cloud.count() == {}
    assert muster.ids() == {}


def test_there_are_enough_of_them_and_each_says_what_it_is() -> None:
    assert len(EXAMPLES) >= 5
    for example in EXAMPLES:
        text = (example / "README.md").read_text()
        assert text.startswith("# ") and len(text.splitlines()) <= 25


def test_traffic_moves_from_blue_to_green_by_one_change(muster: Muster, cloud: Cloud) -> None:
    shutil.rmtree(muster.specs)
    shutil.copytree(ROOT / "examples" / "blue-green", muster.specs)
    muster.apply().exits(0)
    cloud.sandbox.reset_log()
    muster.apply("--var", "green_percent=10").exits(0).says("0 added, 1 changed, 0 destroyed")
    assert cloud.changes() == ["ModifyListener"]
    elb = cloud.client("elbv2")
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    (action,) = next(i for i in listeners if i["Port"] == 443)["DefaultActions"]
    assert sorted(g["Weight"] for g in action["ForwardConfig"]["TargetGroups"]) == [10, 90]
    muster.plan("--var", "green_percent=10").exits(0)
