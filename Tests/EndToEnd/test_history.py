"""`muster history`: who ran what, when, with which end; and where a run that died stopped."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest
from harness import Cloud, Muster
from proxy import Call, Proxy, Trap
from specs import PAIR, SMALL_VPC

SPEC = SMALL_VPC + PAIR


@pytest.fixture
def proxy(sandbox: object, muster: Muster) -> Iterator[Proxy]:
    with Proxy(muster.endpoint) as made:
        muster.endpoint = made.endpoint
        yield made


def killed(muster: Muster, proxy: Proxy, boundary: str, operation: str, *arguments: str) -> None:
    """A run that is killed at a boundary of the first call of an operation."""
    process: list[subprocess.Popen[str]] = []

    def kill(_: Call) -> None:
        process[0].kill()
        process[0].wait()

    trap = proxy.trap(Trap(boundary, kill, matches=lambda call: call.operation == operation))
    process.append(muster.start(*arguments))
    out, err = process[0].communicate(timeout=60)
    assert process[0].returncode == -9, out + err
    assert trap.sprung.wait(5)


def test_nothing_yet(muster: Muster) -> None:
    muster.write(net=SPEC)
    assert muster.run("history").exits(0).out == "No runs yet.\n"
    assert muster.run("history", "--format", "json").exits(0).json["runs"] == []
    muster.run("history", "7").exits(1).says("knows no run 7", "muster history")
    muster.run("history", "--limit", "0").exits(64)
    assert not muster.state.exists()


def test_who_what_when(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SPEC)
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=muster.folder, check=True)
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=muster.folder, check=True, capture_output=True, text=True
    ).stdout.strip()
    muster.apply().exits(0)
    muster.run("plan", "--out", "a.plan").exits(0)
    muster.edit("net", "port: 443", "port: 444")
    muster.run("plan", "--out", "a.plan").exits(0)
    muster.run("apply", "a.plan").exits(0)
    cloud.sandbox.reset_log()
    muster.destroy("--stack", "net").exits(0)
    deletions = {e["request_id"] for e in cloud.requests() if e["operation"].startswith(("Delete", "Revoke"))}

    cloud.sandbox.reset_log()
    listed = muster.run("history").exits(0)
    lines = listed.out.splitlines()
    assert re.match(r"RUN +STARTED +WHO +COMMIT +COMMAND +OUTCOME +STEPS +TIME", lines[0])
    assert [line.split()[0] for line in lines[1:]] == ["3", "2", "1"]
    for line, command in zip(lines[1:], ("destroy --stack net", "apply a.plan", "apply"), strict=True):
        assert re.search(rf"  \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ  tester@\S+ +{commit}  {command} +done +(\d+) of \1 ", line), line
    runs = muster.run("history", "--format", "json", "--limit", "2").exits(0).json["runs"]
    assert [r["id"] for r in runs] == [3, 2]
    assert runs[0]["outcome"] == "done" and runs[0]["commit"] == commit and runs[0]["died_in"] == []

    last = muster.run("history", "3", "--format", "json").exits(0).json["run"]
    assert {s["operation"] for s in last["steps"]} == {"delete"} and len(last["steps"]) == last["step_count"]
    assert {i for s in last["steps"] for i in s["request_ids"]} == deletions
    text = muster.run("history", "3").exits(0)
    text.says("Run 3: done", "muster destroy --stack net", "- net:aws.vpc/main  done", "request " + min(deletions)[:8])
    assert cloud.requests() == []


def test_a_variable_is_named_and_its_value_is_not(muster: Muster) -> None:
    muster.write(net="variables: { block: { type: string } }\nvpc: { main: { cidr_block: '${var.block}' } }\n")
    muster.apply("--var", "block=10.0.0.0/16").exits(0)
    assert muster.run("history", "--format", "json").json["runs"][0]["command"] == "apply --var block=…"


def test_a_run_that_failed_says_what_and_why(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SPEC)
    cloud.sandbox.faults({"operation": "CreateSecurityGroup", "status": 400, "code": "ResourceLimitExceeded", "times": 9})
    muster.apply().exits(1)
    muster.run("history").says("failed", "1 of ")
    run = muster.run("history", "1").exits(0).says("Run 1: failed", "ResourceLimitExceeded")
    assert re.search(r"\+ net:aws.security_group/alb  failed", run.out)
    failed = [s for s in muster.run("history", "1", "--format", "json").json["run"]["steps"] if s["outcome"] == "failed"]
    known = {e["request_id"] for e in cloud.requests() if e["error"] == "ResourceLimitExceeded"}
    assert failed and all(set(s["request_ids"]) <= known and s["request_ids"] for s in failed)


def test_a_run_that_died_says_where(muster: Muster, proxy: Proxy) -> None:
    muster.write(net=SPEC)
    killed(muster, proxy, "after the effect", "CreateVpc", "apply", "--auto-approve")
    listed = muster.run("history").exits(0)
    listed.says("died", "0 of ", 'died while creating net:aws.vpc/main: what came of it is not known yet: "muster apply"')
    one = muster.run("history", "1").exits(0)
    one.says("Run 1: died", "It died here:", "ended     not known")
    died = muster.run("history", "--format", "json").json["runs"][0]
    assert died["outcome"] == "died"
    assert [(s["address"], s["open"]) for s in died["died_in"]] == [("net:aws.vpc/main", True)]

    muster.apply().exits(0).says("An earlier run stopped here: net:aws.vpc/main had been created as vpc-")
    first, second = reversed(muster.run("history", "--format", "json").json["runs"])
    assert (first["outcome"], second["outcome"]) == ("died", "done")
    muster.run("history", "1").says("Found after the run had died").says_not("not known yet")


def test_a_resource_tells_its_runs(muster: Muster) -> None:
    muster.write(net=SMALL_VPC)
    muster.apply().exits(0)
    muster.edit("net", "cidr_block: 10.0.0.0/16", "cidr_block: 10.0.0.0/16, enable_dns_hostnames: true")
    muster.apply().exits(0)
    shown = muster.run("state", "show", "aws.vpc/main").exits(0).out
    assert re.search(r"history\n    run 2  \S+  updated by tester@\S+\n    run 1  \S+  created by tester@", shown), shown
    entries = muster.run("state", "show", "aws.vpc/main", "--format", "json").json["resource"]["history"]
    assert [(e["run"], e["operation"], e["outcome"]) for e in entries] == [(2, "update", "done"), (1, "create", "done")]


def test_a_state_of_an_older_muster_is_read_and_brought_up_to_date(muster: Muster) -> None:
    """What only looks changes no file; what writes keeps a backup first."""
    muster.write(net=SMALL_VPC)
    muster.apply().exits(0)
    with closing(sqlite3.connect(muster.state)) as database:
        database.execute("ALTER TABLE runs DROP COLUMN command")
        database.execute("ALTER TABLE runs DROP COLUMN planned")
        database.execute("DELETE FROM grdb_migrations WHERE identifier LIKE '2 %'")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = muster.digest()
    muster.plan().exits(0)
    muster.drift().exits(0)
    muster.run("history").exits(0).says("done")
    muster.run("doctor").exits(0).says("older muster")
    assert muster.digest() == before
    muster.edit("net", "cidr_block: 10.0.0.0/16", "cidr_block: 10.0.0.0/16, enable_dns_hostnames: true")
    muster.apply().exits(0)
    assert list(muster.state.parent.glob("muster.db.backup-*"))
    assert len(muster.run("history", "--format", "json").json["runs"]) == 2
    json.dumps(muster.rows())
