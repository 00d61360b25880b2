"""A secret goes through every command, in health and in failure, and afterwards it is nowhere that is ours.

Everything is looked at: what was said, every file below the workspace and its home (state and its companions, backups, plans,
locks, events, reports), the arguments of every process, and what a crash leaves. In every form in which a text may stand.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import os
import signal
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from harness import BINARY, Cloud, Muster, Run
from machine import may_not_grow, small_disk
from proxy import Call, Proxy, Trap
from terminal import Terminal

# Difficult to write in JSON, XML, URLs and shells.
SECRET = 'ca"na\\ry&<S3CR3T>+/=?\u00e9 4711'
SPEC = """
variables:
  token: { type: string, secret: SOURCE }
allow: [secret-exposure, downtime, data-loss, irreversible]
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
    tags: { Owner: one }
    user_data: |
      #!/bin/sh
      join --token ${var.token}
outputs:
  joined: "token is ${var.token}"
  plain: "nothing to hide"
"""


def base64_forms(text: str) -> set[str]:
    """What is the same of it in base64, wherever in a text it begins."""
    forms = set()
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + text.encode()).decode().rstrip("=")
        forms.add(encoded[4 if before else 0 : len(encoded) // 4 * 4][:28])
    return forms


def needles(secret: str) -> set[str]:
    forms = {secret, secret.encode().hex()} | base64_forms(secret)
    return {
        written
        for form in forms
        for written in (
            form, urllib.parse.quote(form, safe=""), urllib.parse.quote_plus(form), html.escape(form),
            html.escape(form, quote=False), json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1],
        )
    }  # fmt: skip


NEEDLES = needles(SECRET)


def found(text: str | bytes) -> set[str]:
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return {needle for needle in NEEDLES if needle.encode() in content}


class Watch:
    """Everything that runs of muster say and leave."""

    def __init__(self, muster: Muster) -> None:
        self.muster = muster
        self.runs: list[Run] = []

    def run(self, *arguments: str | Path, code: int | None = None, **variables: str | None) -> Run:
        run = self.muster.run(*arguments, **variables)
        self.runs.append(run)
        if code is not None:
            run.exits(code)
        assert not found(run.text), run
        return run

    def files(self, *besides: Path) -> None:
        """No file has it, but for those that the user wrote."""
        for path in self.muster.folder.rglob("*"):
            if path.is_file() and path not in besides:
                assert not found(path.read_bytes()), path
                assert not found(str(path)), path


@pytest.fixture
def watch(muster: Muster) -> Iterator[Watch]:
    muster.write(net=SPEC.replace("SOURCE", "env:TOKEN"))
    muster.extra["TOKEN"] = SECRET
    made = Watch(muster)
    yield made
    made.files()


@pytest.fixture
def proxy(sandbox: object, muster: Muster) -> Iterator[Proxy]:
    with Proxy(muster.endpoint) as made:
        muster.endpoint = made.endpoint
        yield made


def user_data(cloud: Cloud) -> str:
    ids = [
        i["InstanceId"] for r in cloud.ec2.describe_instances()["Reservations"] for i in r["Instances"]
        if i["State"]["Name"] in ("pending", "running")
    ]  # fmt: skip
    assert len(ids) == 1
    answer = cloud.ec2.describe_instance_attribute(InstanceId=ids[0], Attribute="userData")
    return base64.b64decode(answer["UserData"]["Value"]).decode()


def test_the_needles_are_found() -> None:
    """A test of the test."""
    for text in (SECRET, f"x{SECRET}x", base64.b64encode(f"#!/bin/sh\njoin {SECRET}\n".encode()).decode()):
        assert found(text)
        assert found(urllib.parse.quote_plus(text)) and found(json.dumps({"a": text})) and found(html.escape(text))
    assert not found("canary")


def test_every_command_in_health(watch: Watch, cloud: Cloud) -> None:
    run = watch.run
    run("validate", code=0)
    run("validate", "--format", "json", code=0)
    for form in ("text", "json", "markdown"):
        run("plan", "--format", form, "-v", code=0)
    run("plan", "--out", "a.plan", code=0)
    for form in ("text", "json", "markdown"):
        run("show", "a.plan", "--format", form, code=0)
    run("apply", "a.plan", "-v", "--events", "events.jsonl", code=0)
    assert f"join --token {SECRET}" in user_data(cloud)
    for form in ("text", "json", "markdown"):
        run("drift", "--format", form, code=0)
    for form in ("dot", "mermaid", "svg"):
        run("graph", "--format", form, code=0)
    run("state", "list", code=0)
    run("state", "list", "--format", "json", code=0)
    run("state", "show", "aws.instance/node", code=0).says("‹secret:token›")
    run("state", "show", "aws.instance/node", "--format", "json", code=0)
    run("show", "aws.instance/node", code=0)
    run("output", code=0)
    run("output", "--format", "json", code=0)
    run("output", "joined", "--raw")
    run("history", code=0)
    run("history", "1", code=0)
    run("history", "1", "--format", "json", code=0)
    run("doctor", "-v", code=0)
    run("plan", "--replace", "aws.instance/node", code=0)
    run("plan", "--destroy", "--format", "json", code=0)
    run("plan", "--no-refresh", "-v", code=0)
    run("state", "mv", "aws.instance/node", "net:aws.instance/other", code=0)
    run("state", "mv", "aws.instance/other", "net:aws.instance/node", code=0)
    watch.files()

    other = SECRET + "-rotated"
    for form in ("text", "json", "markdown"):
        run("plan", "--format", form, TOKEN=other, code=0).says("user_data")
    run("apply", "--auto-approve", "-v", TOKEN=other, code=0)
    assert other in user_data(cloud)
    instance = watch.muster.ids()["net:aws.instance/node"]
    run("state", "rm", "aws.instance/node", code=0)
    run("import", "net:aws.instance/node", instance, TOKEN=other, code=0)
    run("plan", "-v", TOKEN=other)
    run("destroy", "--auto-approve", "--events", "more.jsonl", code=0)
    watch.files()


def test_on_a_terminal(watch: Watch, cloud: Cloud) -> None:
    with Terminal(watch.muster, "apply", columns=200) as terminal:
        terminal.expect('Only "yes" is taken as yes:')
        terminal.type("yes\n")
        assert terminal.end() == 0
        assert not found(terminal.text.replace("\n", "")) and not found(terminal.seen)
    assert SECRET in user_data(cloud)


@pytest.mark.parametrize("quoting", ["plain", "base64", "url", "json", "html"])
def test_errors_that_quote_what_was_sent(watch: Watch, cloud: Cloud, quoting: str) -> None:
    sent = f"#!/bin/sh\njoin --token {SECRET}\n"
    quoted = {
        "plain": sent, "base64": base64.b64encode(sent.encode()).decode(), "json": json.dumps(sent, ensure_ascii=False),
        "url": urllib.parse.quote_plus(base64.b64encode(sent.encode()).decode()), "html": html.escape(sent),
    }[quoting]  # fmt: skip
    for code, status in (("InvalidParameterValue", 400), ("RequestLimitExceeded", 503), ("UnauthorizedOperation", 403)):
        cloud.sandbox.faults(
            {"operation": "RunInstances", "status": status, "code": code, "message": f"Refused: {quoted}.", "times": 1}
        )
        watch.run("apply", "--auto-approve", "-v", "--events", f"{code}.jsonl")
        watch.run("history", "--format", "json")
        watch.run("history", "1")
    watch.files()


def test_answers_that_are_no_answers(watch: Watch, cloud: Cloud) -> None:
    for kind in ("html page", "reset connection"):
        cloud.sandbox.faults({"operation": "RunInstances", "kind": kind, "when": "after"})
        watch.run("apply", "--auto-approve", "-v", code=0)
        watch.run("destroy", "--auto-approve", code=0)


def test_what_cannot_be_read(watch: Watch) -> None:
    watch.run("apply", "--auto-approve", code=0)
    watch.run("plan", TOKEN=None, code=0)
    watch.run("apply", "--auto-approve", "--replace", "aws.instance/node", TOKEN=None, code=1).says("TOKEN")
    watch.muster.write(net=SPEC.replace("SOURCE", "file:no-such-file"))
    watch.run("plan")
    watch.muster.write(net=SPEC.replace("SOURCE", "ssm:/no/such/parameter"))
    watch.run("plan")


def test_specs_that_misuse_it(watch: Watch) -> None:
    """A complaint names the secret and never tells it."""
    for misuse in (
        "cidr_block: 10.0.0.0/16, tags: { Token: '${var.token}' }",
        "cidr_block: '${var.token}'",
        "cidr_block: '${upper(var.token)}'",
        "cidr_block: 10.0.0.0/16, count: '${var.token}'",
    ):
        watch.muster.write(
            net="variables: { token: { type: string, secret: 'env:TOKEN' } }\nvpc: { main: { " + misuse + " } }\n"
        )
        for command in ("validate", "plan", "graph"):
            watch.run(command)
        watch.run("apply", "--auto-approve")


def arguments_of_all() -> list[bytes]:
    lines = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                lines.append((folder / "cmdline").read_bytes())
            except OSError:
                continue
    return lines


def end_group(process: subprocess.Popen[str]) -> None:
    """Ends what a process that leads its group has left behind, as soon as it is over itself."""
    process.wait(timeout=30)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT, signal.SIGSEGV, signal.SIGQUIT])
def test_runs_that_end_in_the_middle(watch: Watch, cloud: Cloud, proxy: Proxy, number: signal.Signals) -> None:
    """Also the words of a crash and the files it leaves, and the arguments of every process meanwhile."""
    muster = watch.muster
    gate = threading.Event()
    trap = proxy.trap(
        Trap("after the effect", lambda _: gate.wait(30) and None, lambda c: c.operation == "RunInstances", goes_on=True)
    )
    process = subprocess.Popen(
        ["bash", "-c", 'ulimit -c unlimited; exec "$0" apply --auto-approve -v --events events.jsonl', BINARY],
        cwd=muster.folder, env=muster.environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, errors="surrogateescape", start_new_session=True,
    )  # fmt: skip
    while trap.call is None:
        assert process.poll() is None
        time.sleep(0.01)
    for line in arguments_of_all():
        assert not found(line), line
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert "Max core file size        0 " in limits
    # After the first one Swift tells where it crashed, and lets the second end it.
    end = time.monotonic() + (0.2 if number == signal.SIGTERM else 20)
    while process.poll() is None and time.monotonic() < end:
        process.send_signal(number)
        time.sleep(0.1)
    if process.poll() is None and number != signal.SIGTERM:
        # Swift's own handler may stand still when signals come while it writes where it crashed.
        process.kill()
    if number != signal.SIGTERM:
        # So may the program that it starts for that, which holds the pipes too.
        end_group(process)
    gate.set()
    out, err = process.communicate(timeout=120)
    ends = (0, 143, -signal.SIGTERM) if number == signal.SIGTERM else (-number, -signal.SIGKILL)
    assert process.returncode in ends
    assert not found(out) and not found(err), out + err
    watch.files()
    watch.run("doctor", code=0)
    watch.run("history")
    watch.run("history", "1")
    watch.run("apply", "--auto-approve", "-v", code=0)
    assert SECRET in user_data(cloud)
    watch.run("plan", code=0).says("No changes")


def test_a_disk_that_is_full(watch: Watch, proxy: Proxy) -> None:
    with small_disk(watch.muster) as disk:

        def fill(_: Call) -> None:
            disk.fill()

        proxy.trap(Trap("after the effect", fill, lambda c: c.operation == "RunInstances", goes_on=True))
        watch.run("apply", "--auto-approve", code=1)
        for path in disk.file("").iterdir():
            assert not found(path.read_bytes()), path
        disk.free()
        watch.run("apply", "--auto-approve", code=0)
        for path in disk.file("").iterdir():
            assert not found(path.read_bytes()), path


def test_files_that_may_not_grow(watch: Watch) -> None:
    for limit in (64 << 10, 180 << 10):
        process = subprocess.Popen(
            [BINARY, "apply", "--auto-approve"], cwd=watch.muster.folder, env=watch.muster.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=partial(may_not_grow, limit),
        )  # fmt: skip
        out, err = process.communicate(timeout=60)
        assert not found(out + err)
    watch.run("apply", "--auto-approve", code=0)


def test_a_program_that_gives_credentials_is_not_told(watch: Watch) -> None:
    """It gets the environment, as every child does, and no argument that is a secret; what it says on failure is."""
    home = watch.muster.home
    program = home / "give"
    program.write_text("#!/bin/sh\necho \"$@\" > \"$HOME/arguments\"\necho 'no luck today' >&2\nexit 1\n")
    program.chmod(0o755)
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(f"[default]\ncredential_process = {program} --profile x\n")
    run = watch.run("plan", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, code=4)
    run.says("no luck")
    assert (home / "arguments").read_text() == "--profile x\n"


def test_the_secret_key_of_aws_is_said_nowhere(watch: Watch, cloud: Cloud) -> None:
    key = "AWSkeyAWSkeyAWSkey/AWSkey+AWSkeyAWSkey12"
    session = "AWSsession/token+" * 8
    variables = {"AWS_SECRET_ACCESS_KEY": key, "AWS_SESSION_TOKEN": session}
    cloud.sandbox.faults(
        {"operation": "CreateVpc", "status": 403, "code": "SignatureDoesNotMatch", "message": "The Canonical String was x"}
    )
    for command in (["plan", "-v"], ["apply", "--auto-approve", "-v"], ["apply", "--auto-approve"], ["doctor", "-v"]):
        run = watch.run(*command, **variables)
        run.says_not(key, session[:40])
    for path in watch.muster.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert key.encode() not in content and session[:40].encode() not in content, path
    assert os.environ.get("AWS_SECRET_ACCESS_KEY") != key
