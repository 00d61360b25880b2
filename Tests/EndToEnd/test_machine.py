"""Faults of the machine that muster runs on: a clear word, the right exit code, and nothing lost."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

import pytest
from harness import BINARY, Cloud, Muster
from machine import may_not_grow, small_disk
from proxy import Call, Proxy, Trap
from specs import NETWORK, PAIR, SMALL_VPC
from terminal import Terminal

SPEC = SMALL_VPC + PAIR
COUNT = {"vpcs": 1, "security groups": 2, "security group rules": 3}


@pytest.fixture
def proxy(sandbox: object, muster: Muster) -> Iterator[Proxy]:
    with Proxy(muster.endpoint) as made:
        muster.endpoint = made.endpoint
        yield made


def at(proxy: Proxy, operation: str, action: Callable[[], object], boundary: str = "after the effect") -> Trap:
    """Does something at a boundary of the first call of an operation, and lets it go on."""

    def act(_: Call) -> None:
        action()

    return proxy.trap(Trap(boundary, act, matches=lambda call: call.operation == operation, goes_on=True))


def intact(muster: Muster, cloud: Cloud) -> None:
    """Nothing was lost: the same command ends the work, and then there is nothing to do."""
    muster.apply().exits(0)
    assert cloud.count() == COUNT
    muster.plan().exits(0)
    assert not [row for row in muster.rows() if row[0] == "intents"]


# The disk


@pytest.mark.parametrize("operation", ["CreateVpc", "CreateSecurityGroup", "AuthorizeSecurityGroupIngress"])
def test_the_disk_becomes_full_in_the_middle(muster: Muster, cloud: Cloud, proxy: Proxy, operation: str) -> None:
    muster.write(net=SPEC)
    with small_disk(muster) as disk:
        at(proxy, operation, disk.fill)
        run = muster.apply().exits(1)
        assert re.search("disk is full|could not be written", run.err), run
        run.says("run the same command again")
        # What only looks works without room.
        muster.plan()
        muster.run("history").exits(0)
        # What was cut off may have left just enough room.
        assert muster.apply().code in (0, 1)
        disk.free()
        muster.apply().exits(0)
        assert cloud.count() == COUNT
        muster.plan().exits(0)
        muster.run("doctor").says("✓ state").says_not("not settled")


def test_the_disk_is_full_from_the_start(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SPEC)
    with small_disk(muster, kibibytes=16) as disk:
        disk.fill()
        run = muster.apply().exits(1)
        assert re.search("disk is full|could not be written", run.err), run
        assert cloud.changes() == []
        assert not disk.file("muster.db").exists()
        assert not [p for p in os.listdir(disk.file("")) if ".new-" in p]


def test_a_file_that_may_not_grow(muster: Muster, cloud: Cloud) -> None:
    """A limit of the process (or a quota) is an error with words, not its end."""
    muster.write(net=SPEC)
    muster.run("state", "list").exits(0)
    failures = 0
    for limit in (4 << 10, 40 << 10, 150 << 10, 180 << 10, 230 << 10):
        process = subprocess.Popen(
            [BINARY, "apply", "--auto-approve"], cwd=muster.folder, env=muster.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=partial(may_not_grow, limit),
        )  # fmt: skip
        out, err = process.communicate(timeout=60)
        assert process.returncode in (0, 1), f"{limit}: exit {process.returncode}\n{out}{err}"
        if process.returncode == 1:
            failures += 1
            assert re.search("could not be written|disk is full", err), err
    assert failures
    intact(muster, cloud)


@pytest.mark.parametrize("how", ["folder", "mount"])
def test_a_state_that_cannot_be_written(muster: Muster, cloud: Cloud, how: str) -> None:
    if how == "folder" and os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    muster.write(net=SMALL_VPC)
    muster.apply().exits(0)
    muster.write(net=SPEC)
    cloud.sandbox.reset_log()
    with small_disk(muster) as disk:
        if how == "folder":
            disk.do('chmod 555 "$D"')
        else:
            disk.read_only()
        muster.plan().exits(2)
        muster.run("state", "list").exits(0).says("aws.vpc/main")
        muster.apply().exits(1).says("cannot be written", "write permission")
        muster.run("state", "rm", "aws.vpc/main").exits(1).says("cannot be written")
        assert cloud.changes() == []


def test_the_disk_becomes_read_only_in_the_middle(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    """As Linux does after an error of the disk: what was sent is known by its intent."""
    muster.write(net=SPEC)
    with small_disk(muster) as disk:
        at(proxy, "CreateVpc", lambda: disk.do('mount -o remount,ro "$D" 2>/dev/null || chmod 555 "$D"', check=False))
        run = muster.apply()
        disk.read_write()
        assert run.code in (0, 1), run
        muster.apply().exits(0)
        assert cloud.count() == COUNT
        muster.plan().exits(0)


# Others at the state


def test_somebody_holds_the_state_for_a_while(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    muster.write(net=SPEC)
    lock: list[sqlite3.Connection] = []

    def hold() -> None:
        lock.append(sqlite3.connect(muster.state, isolation_level=None, check_same_thread=False, timeout=20))
        lock[0].execute("BEGIN IMMEDIATE")
        threading.Timer(2, lambda: lock[0].execute("ROLLBACK")).start()

    at(proxy, "CreateVpc", hold)
    muster.apply().exits(0)
    lock[0].close()
    intact(muster, cloud)


def test_somebody_holds_the_state_for_too_long(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    muster.write(net=SPEC)
    lock: list[sqlite3.Connection] = []

    def hold() -> None:
        lock.append(sqlite3.connect(muster.state, isolation_level=None, check_same_thread=False, timeout=20))
        lock[0].execute("BEGIN IMMEDIATE")

    at(proxy, "CreateVpc", hold)
    run = muster.apply().exits(1)
    run.says("The state is busy", "fuser")
    # Looking does not wait for who writes.
    muster.plan()
    lock[0].execute("ROLLBACK")
    lock[0].close()
    intact(muster, cloud)


# Signals and streams


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_in_order(muster: Muster, cloud: Cloud, proxy: Proxy, number: signal.Signals) -> None:
    muster.write(net=SPEC)
    gate = threading.Event()
    trap = at(proxy, "CreateVpc", lambda: gate.wait(30))
    process = muster.start("apply", "--auto-approve")
    while trap.call is None:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    time.sleep(0.3)
    process.send_signal(number)
    time.sleep(0.1)
    assert process.poll() is None, "what was sent is waited for, even after the second signal"
    gate.set()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, out + err
    assert "Apply interrupted" in out
    assert set(muster.ids()) == {"net:aws.vpc/main"}
    muster.run("history").says("interrupted")
    intact(muster, cloud)


def test_nohup(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    """Who is told not to hear of a hang-up does not."""
    muster.write(net=SPEC)
    muster.wrapper = ["nohup"]
    started: list[subprocess.Popen[str]] = []
    at(proxy, "CreateVpc", lambda: started[0].send_signal(signal.SIGHUP))
    started.append(muster.start("apply", "--auto-approve"))
    out, err = started[0].communicate(timeout=60)
    assert started[0].returncode == 0, out + err
    muster.wrapper = []
    intact(muster, cloud)


def test_the_terminal_goes_away(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    muster.write(net=SPEC)
    gate = threading.Event()
    trap = at(proxy, "CreateVpc", lambda: gate.wait(30))
    with Terminal(muster, "apply", "--auto-approve") as terminal:
        while trap.call is None:
            terminal.expect("")
            time.sleep(0.01)
        terminal.hang_up()
        time.sleep(0.2)
        gate.set()
        assert terminal.process.wait(timeout=60) == 128 + signal.SIGHUP
    assert set(muster.ids()) == {"net:aws.vpc/main"}
    intact(muster, cloud)


def test_nobody_reads_what_an_apply_says(muster: Muster, proxy: Proxy) -> None:
    """`muster apply | head`: the reader goes away in the middle, and the apply goes on."""
    muster.write(net=NETWORK + PAIR)
    started: list[subprocess.Popen[str]] = []

    def close() -> None:
        for stream in (started[0].stdout, started[0].stderr):
            assert stream is not None
            os.close(stream.fileno())

    at(proxy, "CreateVpc", close)
    started.append(muster.start("apply", "--auto-approve"))
    assert started[0].wait(timeout=60) == 0
    muster.plan().exits(0)


def test_nobody_reads_a_plan(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NETWORK + PAIR)
    shell = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$0" plan --format json | head -c 10; echo " ${PIPESTATUS[0]}"', BINARY],
        cwd=muster.folder, env=muster.environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert shell.stderr == ""
    assert shell.stdout.split()[-1] in ("0", "141")


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_streams_that_are_closed(muster: Muster, cloud: Cloud, closed: str) -> None:
    """A file that is opened next must not take their numbers: talk would be written into it."""
    muster.write(net=SPEC)
    for arguments in ("apply --auto-approve --events events.jsonl", "plan --out a.plan", "destroy --auto-approve"):
        done = subprocess.run(
            ["bash", "-c", f'"$0" {arguments} {closed}', BINARY], cwd=muster.folder, env=muster.environment,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}\n{done.stdout}{done.stderr}"
    events = (muster.folder / "events.jsonl").read_text()
    assert all(line.startswith("{") for line in events.splitlines())
    muster.run("show", "a.plan").exits(0)
    muster.run("doctor").exits(0)
    assert cloud.count() == {}


def test_without_a_person_nothing_is_approved(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SPEC)
    done = subprocess.run(
        ["bash", "-c", '"$0" apply 0<&-', BINARY], cwd=muster.folder, env=muster.environment, capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 3
    assert "Nobody approved the plan" in done.stderr
    assert cloud.changes() == []


# Credentials and the clock


def process_credentials(muster: Muster, script: str) -> None:
    """A profile whose credentials a program gives."""
    program = muster.home / "give"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    (muster.home / ".aws").mkdir()
    (muster.home / ".aws" / "config").write_text(f"[default]\ncredential_process = {program}\n")
    muster.extra |= {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}


COUNTING = """
n=$(( $(cat "$HOME/n" 2>/dev/null || echo 0) + 1 )); echo $n > "$HOME/n"
printf '{"Version": 1, "AccessKeyId": "AKIAMUSTERNUMBER%s", "SecretAccessKey": "x", "SessionToken": "t%s"}' $n $n
"""


def key_of(call: Call) -> str:
    found = re.search(rb"Credential=(\w+)/", call.head)
    return found[1].decode() if found else ""


def test_credentials_that_expire_in_the_middle_are_renewed(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    muster.write(net=SPEC)
    process_credentials(muster, COUNTING)
    expired: set[str] = set()

    def refuse(call: Call) -> tuple[int, str, str] | None:
        if call.operation == "CreateSecurityGroup" and not expired:
            expired.add(key_of(call))
        if key_of(call) in expired:
            return 400, "RequestExpired" if call.service == "ec2" else "ExpiredToken", "The security token has expired"
        return None

    proxy.refuse = refuse
    muster.apply().exits(0)
    assert expired
    assert len({key_of(call) for call in proxy.calls}) == len(expired) + 1
    assert cloud.count() == COUNT
    muster.plan().exits(0)


def test_credentials_that_expire_and_cannot_be_renewed(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    """Exit 4; what was made is known, and other credentials go on."""
    muster.write(net=SPEC)
    muster.extra["AWS_SESSION_TOKEN"] = "t"

    def refuse(call: Call) -> tuple[int, str, str] | None:
        if b"x-amz-security-token: t\r" in call.head.lower() and any(c.operation == "CreateVpc" for c in proxy.calls[:-1]):
            return 400, "ExpiredToken", "The security token included in the request is expired"
        return None

    proxy.refuse = refuse
    run = muster.apply().exits(4)
    run.says("expired")
    assert cloud.count() == {"vpcs": 1}
    muster.extra["AWS_SESSION_TOKEN"] = None
    proxy.refuse = lambda _: None
    muster.apply().exits(0)
    assert cloud.count() == COUNT
    muster.plan().exits(0)


@pytest.mark.parametrize("ahead", [3600, -86400])
def test_a_clock_that_is_wrong_is_corrected(muster: Muster, cloud: Cloud, proxy: Proxy, ahead: int) -> None:
    """AWS refuses what is signed at the wrong time, and its answer says what time it is."""
    muster.write(net=SPEC)
    proxy.ahead = ahead
    skewed: list[str] = []

    def refuse(call: Call) -> tuple[int, str, str] | None:
        stamp = re.search(rb"(?im)^x-amz-date: (\S+)", call.head)
        assert stamp
        signed = time.mktime(time.strptime(stamp[1].decode(), "%Y%m%dT%H%M%SZ")) - time.timezone
        if abs(signed - (time.time() + ahead)) < 300:
            return None
        skewed.append(call.operation)
        if call.service == "ec2":
            return 400, "RequestExpired", "Request has expired."
        return 403, "SignatureDoesNotMatch", "Signature expired: it is now later than that."

    proxy.refuse = refuse
    muster.apply().exits(0)
    assert cloud.count() == COUNT
    # Once for each client, not once for each call.
    assert 0 < len(skewed) < 5, skewed
    muster.plan().exits(0)


def test_the_state_is_written_durably(muster: Muster, cloud: Cloud, proxy: Proxy) -> None:
    """What a power loss takes is what was not synced: so a copy from the moment of a call holds the intent already."""
    muster.write(net=SPEC)
    copies: list[list[tuple[object, ...]]] = []

    def look() -> None:
        folder = muster.folder / f"copy{len(copies)}"
        folder.mkdir()
        for path in muster.state.parent.glob("muster.db*"):
            if not path.name.endswith("-shm"):
                (folder / path.name).write_bytes(path.read_bytes())
        with closing(sqlite3.connect(folder / "muster.db")) as copy:
            copies.append(copy.execute("SELECT address FROM intents").fetchall())

    at(proxy, "CreateVpc", look, boundary="before the send")
    muster.apply().exits(0)
    assert copies == [[("net:aws.vpc/main",)]]
