"""`muster doctor`: what is wrong with the workspace, the state, this machine and the credentials, and what would cure it.

It changes nothing: the bytes of the state are the same afterwards.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from contextlib import closing

import pytest
from harness import Cloud, Muster, Run
from machine import small_disk
from proxy import Call, Proxy, Trap
from specs import PAIR, SMALL_VPC

@pytest.fixture
def running(muster: Muster) -> Muster:
    muster.write(net=SMALL_VPC + PAIR)
    muster.apply().exits(0)
    return muster


def doctor(muster: Muster, code: int, *texts: str) -> Run:
    """A check-up that changes nothing."""
    before = muster.digest() if muster.state.exists() else ""
    run = muster.run("doctor").exits(code).says(*texts)
    assert (muster.digest() if muster.state.exists() else "") == before
    return run


def test_all_is_well(running: Muster) -> None:
    run = doctor(running, 0, "✓ workspace", "✓ specs: 6 resources", "✓ state", "✓ disk", "✓ credentials", "✓ clock")
    run.says_not("✗", "! ")


def test_specs_that_are_wrong_hide_nothing_else(running: Muster) -> None:
    running.write(net="nonsense: 1\n")
    doctor(running, 1, "✗ specs", "nonsense", "✓ state", "✓ credentials")


def test_a_damaged_state_and_the_way_back(running: Muster, cloud: Cloud) -> None:
    running.run("state", "mv", "aws.security_group/alb", "net:aws.security_group/front").exits(0)
    running.run("state", "mv", "aws.security_group/front", "net:aws.security_group/alb").exits(0)
    # Each keeps a backup of what was before it.
    running.run("state", "mv", "aws.security_group/node", "net:aws.security_group/back").exits(0)
    content = running.state.read_bytes()
    running.state.write_bytes(content[: len(content) // 2])
    run = doctor(running, 1, "The state file is damaged", "with 6 resources. To go back:", "muster:intent")
    (command,) = [line.partition("→")[2].strip() for line in run.out.splitlines() if "mkdir" in line]
    subprocess.run(command, shell=True, check=True, cwd=running.folder)
    running.plan().exits(0)
    assert cloud.count()["security groups"] == 2


def test_a_damaged_page(running: Muster) -> None:
    with closing(sqlite3.connect(running.state)) as state:
        (pages,) = state.execute("PRAGMA page_count").fetchone()
    content = bytearray(running.state.read_bytes())
    for page in range(3, pages):
        content[page * 4096 + 8 : page * 4096 + 400] = b"\xaa" * 392
    running.state.write_bytes(bytes(content))
    doctor(running, 1, "✗ state", "There is no backup beside it")


def test_a_state_that_is_something_else(running: Muster) -> None:
    running.state.write_text("this is my shopping list\n" * 200)
    doctor(running, 1, "is not a database", "There is no backup beside it")


def test_a_newer_state(running: Muster) -> None:
    with closing(sqlite3.connect(running.state)) as state:
        state.execute("INSERT INTO grdb_migrations (identifier) VALUES ('9999 from the future')")
        state.commit()
    doctor(running, 1, "written by a newer muster", "Install the muster that wrote it")


def test_somebody_is_writing(running: Muster) -> None:
    with closing(sqlite3.connect(running.state, isolation_level=None)) as state:
        state.execute("BEGIN IMMEDIATE")
        running.run("doctor").exits(0).says("Another process is writing", "fuser")


def test_what_a_dead_run_left(muster: Muster, cloud: Cloud) -> None:
    with Proxy(muster.endpoint) as proxy:
        muster.endpoint = proxy.endpoint
        muster.write(net=SMALL_VPC + PAIR)

        def kill(_: Call) -> None:
            process.kill()
            process.wait()

        proxy.trap(Trap("after the effect", kill))
        process = muster.start("apply", "--auto-approve")
        process.communicate(timeout=60)
        (muster.state.parent / "muster.db.new-0123").write_bytes(b"")
        run = muster.run("doctor").exits(0)
        run.says("A call is not settled", "create net:aws.vpc/main", '"muster apply" looks what has happened')
        run.says("which runs no more", "takes it over at once", "the latest run died: run 1", "muster history 1")
        run.says("Half-made states", "muster.db.new-0123")
        (muster.state.parent / "muster.db.new-0123").unlink()
        muster.apply().exits(0)
        doctor(muster, 0).says_not("! ")


def test_a_key_that_others_may_read(muster: Muster) -> None:
    secretive(muster)
    key = muster.home / "digest.key"
    key.chmod(0o644)
    doctor(muster, 1, "✗ digest key", "others than its owner", f"chmod 600 {key}")


def secretive(muster: Muster) -> None:
    muster.write(net="""
        variables: { token: { type: string, secret: "env:TOKEN" } }
        vpc: { main: { cidr_block: 10.0.0.0/16, subnets: { a: { cidr_block: 10.0.0.0/24 } } } }
        control_nodes:
          node: { ami: ami-0a1b2c3d4e5f60711, instance_type: m5.large, subnets: [a], user_data: "echo ${var.token}" }
        """)
    muster.extra["TOKEN"] = "a-secret-that-is-not-told"
    muster.apply("--allow", "secret-exposure").exits(0)
    doctor(muster, 0, "✓ digest key")


def test_a_key_that_is_gone(muster: Muster) -> None:
    secretive(muster)
    (muster.home / "digest.key").unlink()
    doctor(muster, 1, "is missing, and the state holds digests", "MUSTER_KEY_FILE")
    assert not (muster.home / "digest.key").exists()


def test_a_key_of_somebody_else(muster: Muster) -> None:
    secretive(muster)
    (muster.home / "digest.key").write_bytes(os.urandom(32))
    doctor(muster, 1, "is another key than the one")


def test_a_key_that_is_short(muster: Muster) -> None:
    secretive(muster)
    (muster.home / "digest.key").write_bytes(b"short")
    doctor(muster, 1, "✗ digest key", "damaged")


def test_a_key_beside_the_state(muster: Muster) -> None:
    muster.extra["MUSTER_KEY_FILE"] = str(muster.state.parent / "digest.key")
    secretive(muster)
    doctor(muster, 0, "it lies beside the state")


def test_no_credentials(running: Muster) -> None:
    running.extra |= {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    doctor(running, 1, "✗ credentials", "✓ state")


def test_nobody_answers(running: Muster) -> None:
    running.endpoint = "http://127.0.0.1:9"
    doctor(running, 1, "✗ credentials", "could not be reached")


def test_a_clock_that_is_wrong(muster: Muster) -> None:
    with Proxy(muster.endpoint) as proxy:
        muster.endpoint = proxy.endpoint
        muster.write(net=SMALL_VPC)
        muster.apply().exits(0)
        proxy.ahead = 3600
        run = doctor(muster, 0, "! clock", "seconds behind AWS's", "set the clock")
        assert re.search(r"clock is (3600|359\d) seconds behind", run.out)
        proxy.ahead = -120
        assert re.search(r"clock is 12\d seconds ahead of", doctor(muster, 0, "! clock").out)


def test_a_state_that_cannot_be_written(running: Muster) -> None:
    with small_disk(running, kibibytes=80 << 10) as disk:
        running.run("doctor").exits(0).says("✓ disk")
        disk.read_only()
        running.run("doctor").exits(1).says("✗ disk", "plans work, an apply would refuse", "✓ state")


def test_a_disk_that_is_full(running: Muster) -> None:
    with small_disk(running) as disk:
        disk.fill()
        running.run("doctor").exits(1).says("✗ disk", "KiB are free", "Make room", "✓ state")
