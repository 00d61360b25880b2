"""Several runs at once: different stacks side by side, the same stack one after the other, and the dead in nobody's way."""

from __future__ import annotations

import re
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from harness import Cloud, Muster
from proxy import Call, Proxy, Trap

ONE = "vpc: { one: { cidr_block: 10.1.0.0/16 } }\n"
TWO = "vpc: { two: { cidr_block: 10.2.0.0/16 } }\n"


@pytest.fixture
def proxy(sandbox: object, muster: Muster) -> Iterator[Proxy]:
    with Proxy(muster.endpoint) as made:
        muster.endpoint = made.endpoint
        yield made


@contextmanager
def held(muster: Muster, proxy: Proxy, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], threading.Event]]:
    """An apply that stands in the middle of its first change until the event is set."""
    gate = threading.Event()
    trap = proxy.trap(Trap("after the effect", lambda _: gate.wait(60) and None, goes_on=True))
    process = muster.start("apply", "--auto-approve", *arguments)
    try:
        end = time.monotonic() + 20
        while trap.call is None:
            assert process.poll() is None and time.monotonic() < end, process.communicate()
            time.sleep(0.01)
        yield process, gate
    finally:
        gate.set()
        process.communicate(timeout=60)


def leases(muster: Muster) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{muster.state}?mode=ro", uri=True)) as state:
        return state.execute("SELECT stack, holder FROM leases").fetchall()


def test_the_second_run_of_a_stack_is_told_who_holds_it(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    muster.write(one=ONE)
    with held(muster, proxy) as (process, gate):
        run = muster.apply().exits(5)
        run.says("Another run holds the stack", f"one is held by tester on {socket.gethostname()}", f"(process {process.pid})")
        assert re.search(r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", run.err)
        # Who only looks waits for nobody.
        muster.plan().exits(2)
        muster.drift()
        muster.run("doctor").exits(0).says('the stack "one" is leased by tester', "apply --wait 10m")
        muster.run("history").exits(0).says("running")
        gate.set()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, out + err
    assert cloud.count() == {"vpcs": 1}
    muster.apply().exits(0)
    assert leases(muster) == []


def test_waiting_for_the_other_run(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    """It plans again afterwards: what the other has made is not made twice."""
    muster.write(one=ONE)
    with held(muster, proxy) as (process, gate):
        waiting = muster.start("apply", "--auto-approve", "--wait", "10m")
        assert waiting.stderr is not None
        for line in waiting.stderr:
            if line.startswith("Waiting for tester"):
                break
        assert str(process.pid) in line and "since" in line
        gate.set()
        process.communicate(timeout=60)
        out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, out + err
    assert "Nothing to do" in out or "No changes" in out or "0 to add" in out, out
    assert cloud.count() == {"vpcs": 1}
    muster.plan().exits(0)


def test_patience_ends(muster: Muster, proxy: Proxy) -> None:
    muster.write(one=ONE)
    with held(muster, proxy):
        muster.apply("--wait", "1s").exits(5).says("Waiting for tester", "Another run holds the stack")
    muster.apply("--wait", "soon").exits(64)
    muster.apply("--wait", "99999999999999999999h").exits(64)


def test_a_plan_file_waits_too(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    """What the other run did makes it stale: refused, and nothing is sent."""
    muster.write(one=ONE)
    muster.run("plan", "--out", "a.plan").exits(0)
    with held(muster, proxy) as (process, gate):
        muster.run("apply", "a.plan").exits(5)
        waiting = muster.start("apply", "a.plan", "--wait", "1m")
        assert waiting.stderr is not None
        assert "Waiting for tester" in waiting.stderr.readline()
        gate.set()
        process.communicate(timeout=60)
        _, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 3, err
    assert cloud.count() == {"vpcs": 1}


def test_two_stacks_at_once(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    muster.write(one=ONE, two=TWO)
    with held(muster, proxy, "--stack", "one") as (process, gate):
        # Its call is open, and it is its own to settle.
        muster.apply("--stack", "two").exits(0).says_not("An earlier run")
        assert cloud.count()["vpcs"] >= 1
        assert process.poll() is None
        muster.apply("--stack", "one").exits(5)
        gate.set()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, out + err
    assert cloud.count() == {"vpcs": 2}
    muster.plan().exits(0)


def test_many_at_once(muster: Muster, cloud: Cloud) -> None:
    """Six stacks by six processes that start together: one state, nothing lost."""
    names = [f"s{n}" for n in range(6)]
    muster.write(**{name: f"vpc: {{ {name}: {{ cidr_block: 10.{n}.0.0/16 }} }}\n" for n, name in enumerate(names)})
    runs = [muster.start("apply", "--auto-approve", "--stack", name) for name in names]
    for run in runs:
        out, err = run.communicate(timeout=120)
        assert run.returncode == 0, out + err
    assert cloud.count() == {"vpcs": 6}
    assert len(muster.ids()) == 6
    muster.plan().exits(0)
    assert len(muster.run("history", "--format", "json").json["runs"]) == 6


def test_the_same_stack_by_many(muster: Muster, cloud: Cloud) -> None:
    muster.write(one=ONE)
    runs = [muster.start("apply", "--auto-approve", "--wait", "1m") for _ in range(4)]
    for run in runs:
        out, err = run.communicate(timeout=120)
        assert run.returncode == 0, out + err
    assert cloud.count() == {"vpcs": 1}
    muster.plan().exits(0)


def test_the_dead_hold_nothing(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    muster.write(one=ONE)

    def kill(_: Call) -> None:
        process.kill()
        process.wait()

    proxy.trap(Trap("before the send", kill))
    process = muster.start("apply", "--auto-approve")
    process.communicate(timeout=60)
    assert leases(muster)
    muster.run("doctor").exits(0).says("which runs no more", "muster history 1")
    muster.apply().exits(0)
    assert leases(muster) == []
    assert cloud.count() == {"vpcs": 1}


def test_a_run_that_was_stopped_too_long_can_write_nothing(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    """A laptop that sleeps: another run takes over, and the first one finds out before it sends anything else."""
    muster.write(one=ONE + "security_groups: { a: { vpc: one, description: x, ingress: [], egress: [] } }\n")
    with held(muster, proxy) as (process, gate):
        process.send_signal(19)  # SIGSTOP
        with closing(sqlite3.connect(muster.state)) as state:  # an hour passes
            state.execute("UPDATE leases SET expiry = expiry - 3600000, expiry_uptime = ''")
            state.commit()
        muster.apply().exits(0)
        cloud.sandbox.reset_log()
        gate.set()
        process.send_signal(18)  # SIGCONT
        out, err = process.communicate(timeout=60)
        assert process.returncode == 1, out + err
        assert "another run" in (out + err).lower()
        assert cloud.changes() == []
    assert cloud.count() == {"vpcs": 1, "security groups": 1}
    muster.plan().exits(0)
