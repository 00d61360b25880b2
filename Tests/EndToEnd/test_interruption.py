"""Stopped or killed at any moment: what was done is known, the next run converges, and nothing is there twice."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest
from harness import READS, Cloud, Muster
from specs import IDENTITY, NETWORK, NETWORK_COUNT, PAIR

WHOLE = NETWORK + PAIR
WHOLE_COUNT = NETWORK_COUNT | {"security groups": 2, "security group rules": 3}


def after_changes(cloud: Cloud, count: int, process: subprocess.Popen[str], seconds: float = 30) -> bool:
    """Waits until muster has sent so many changes; False when it ended before."""
    end = time.monotonic() + seconds
    while sum(1 for e in cloud.requests() if not READS.match(e["operation"])) < count:
        if process.poll() is not None:
            return False
        assert time.monotonic() < end
        time.sleep(0.01)
    return True


def settled(cloud: Cloud) -> None:
    """Waits until the sandbox has answered what the dead run had sent."""
    known = -1
    while known != len(cloud.sandbox.log()):
        known = len(cloud.sandbox.log())
        time.sleep(0.25)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("changes", [1, 6])
def test_a_signal_ends_an_apply_in_order(muster: Muster, cloud: Cloud, number: signal.Signals, changes: int) -> None:
    muster.write(net=WHOLE)
    cloud.sandbox.faults({"operation": "CreateSubnet", "kind": "delay", "delay": 0.7, "times": 4})
    process = muster.start("apply", "--auto-approve")
    assert after_changes(cloud, changes, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, out + err
    assert "Apply interrupted" in out
    # All that is there is known, and nothing else.
    done = cloud.count()
    assert done != WHOLE_COUNT
    assert sum(done.values()) == len(muster.ids()), out + err
    assert "error" not in muster.run("doctor").exits(0).text

    muster.apply().exits(0)
    assert cloud.count() == WHOLE_COUNT
    muster.plan().exits(0)


def test_the_second_signal_is_safe_too(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=WHOLE)
    cloud.sandbox.faults({"operation": "CreateVpc", "kind": "delay", "delay": 1})
    process = muster.start("apply", "--auto-approve")
    time.sleep(0.5)
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    process.communicate(timeout=60)
    assert process.returncode == 130
    muster.apply().exits(0)
    assert cloud.count() == WHOLE_COUNT


def test_a_signal_while_a_gateway_is_waited_for(muster: Muster, cloud: Cloud) -> None:
    """A wait may be left: the object is there and recorded, the next run goes on waiting."""
    muster.write(net=NETWORK)
    process = muster.start("apply", "--auto-approve")
    while "CreateNatGateway" not in cloud.calls():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    assert any("aws.nat_gateway/a" in a for a in muster.ids())
    muster.apply().exits(0)
    assert cloud.count() == NETWORK_COUNT
    muster.plan().exits(0)


@pytest.mark.parametrize("changes", [1, 2, 4, 7, 11, 16])
def test_an_apply_that_is_killed(muster: Muster, cloud: Cloud, changes: int) -> None:
    muster.write(net=WHOLE)
    process = muster.start("apply", "--auto-approve")
    assert after_changes(cloud, changes, process)
    process.kill()
    process.communicate()
    settled(cloud)
    muster.apply().exits(0)
    assert cloud.count() == WHOLE_COUNT
    muster.plan().exits(0)
    muster.run("doctor").exits(0)


@pytest.mark.parametrize("operation", ["CreateVpc", "CreateSubnet", "CreateSecurityGroup", "CreateNatGateway", "AllocateAddress"])
def test_killed_before_the_answer_came(muster: Muster, cloud: Cloud, operation: str) -> None:
    """The request was sent and has its effect, but nobody is there to hear of it."""
    muster.write(net=WHOLE)
    cloud.sandbox.faults({"operation": operation, "kind": "delay", "delay": 0.8})
    process = muster.start("apply", "--auto-approve")
    time.sleep(0.25)
    while cloud.sandbox.control("GET", "faults"):
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.1)
    process.kill()
    process.communicate()
    settled(cloud)
    run = muster.apply().exits(0)
    assert cloud.count() == WHOLE_COUNT, run
    muster.plan().exits(0)


@pytest.mark.parametrize("changes", [1, 3, 5])
def test_an_apply_of_roles_that_is_killed(muster: Muster, cloud: Cloud, changes: int) -> None:
    muster.write(base=IDENTITY.replace("ZONE", cloud.zone_id()))
    process = muster.start("apply", "--auto-approve")
    assert after_changes(cloud, changes, process)
    process.kill()
    process.communicate()
    settled(cloud)
    muster.apply().exits(0)
    assert cloud.count() == {
        "roles": 1, "role policies": 1, "attachments": 1, "profiles": 1, "key pairs": 1, "records": 1
    }  # fmt: skip
    muster.plan().exits(0)


@pytest.mark.parametrize("changes", [1, 5, 12])
def test_a_destroy_that_is_killed(muster: Muster, cloud: Cloud, changes: int) -> None:
    muster.write(net=WHOLE)
    muster.apply().exits(0)
    cloud.sandbox.reset_log()
    process = muster.start("destroy", "--auto-approve", "--allow", "irreversible", "--allow", "downtime", "--allow", "data-loss")
    assert after_changes(cloud, changes, process)
    process.kill()
    process.communicate()
    settled(cloud)
    muster.destroy().exits(0)
    assert cloud.count() == {}
    assert muster.ids() == {}


def test_a_plan_file_goes_on_where_it_was_interrupted(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=WHOLE)
    muster.run("plan", "--out", "a.plan").exits(0)
    cloud.sandbox.faults({"operation": "CreateSubnet", "kind": "delay", "delay": 0.7, "times": 4})
    process = muster.start("apply", "a.plan")
    assert after_changes(cloud, 6, process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    muster.run("apply", "a.plan").exits(0)
    assert cloud.count() == WHOLE_COUNT
    muster.plan().exits(0)
    muster.run("apply", "a.plan").exits(3)


def test_a_plan_file_after_a_kill_makes_nothing_twice(muster: Muster, cloud: Cloud) -> None:
    """Where a creation was cut in the middle the plan may be refused; a new one goes on then."""
    muster.write(net=WHOLE)
    muster.run("plan", "--out", "a.plan").exits(0)
    process = muster.start("apply", "a.plan")
    assert after_changes(cloud, 5, process)
    process.kill()
    process.communicate()
    settled(cloud)
    before = cloud.count()
    again = muster.run("apply", "a.plan")
    assert again.code in (0, 3), again
    assert cloud.count() == (WHOLE_COUNT if again.code == 0 else before), again
    muster.apply().exits(0)
    assert cloud.count() == WHOLE_COUNT
    muster.plan().exits(0)


def test_nothing_is_left_behind_by_a_kill(muster: Muster, cloud: Cloud) -> None:
    """No lock to remove by hand; plan and doctor work at once and say what is open."""
    muster.write(net=WHOLE)
    process = muster.start("apply", "--auto-approve")
    assert after_changes(cloud, 3, process)
    process.kill()
    process.communicate()
    muster.plan().exits(2)
    muster.run("doctor").exits(0).says("! state:")
    muster.apply().exits(0)
    assert "! state:" not in muster.run("doctor").exits(0).text


def test_killed_while_it_replaces(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=WHOLE)
    muster.apply().exits(0)
    muster.edit("net", "description: behind", "description: far behind")
    cloud.sandbox.reset_log()
    process = muster.start("apply", "--auto-approve", "--allow", "downtime")
    assert after_changes(cloud, 3, process)
    process.kill()
    process.communicate()
    settled(cloud)
    muster.apply("--allow", "downtime").exits(0)
    assert cloud.count() == WHOLE_COUNT
    assert "far behind" in {g["Description"] for g in cloud.groups().values()}
    muster.plan().exits(0)
