"""Sandboxes for tests: each with its own directory and a free port, with clients, a log of calls and a clock.

Another suite takes what it needs in its own conftest.py:

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Sandbox"))
    from sandboxes import Sandbox, code_of, ec2, quick, sandbox, sandbox_factory, slow, slow_sandbox
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parents[2]
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Sandbox:
    """A running sandbox of one's own."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.directory = directory
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MUSTER_", "MOTO_"))}
        self.environment = kept | {"MUSTER_SANDBOX_DELAY": "0"} | environment
        done = subprocess.run(
            [ROOT / "sandbox" / "up", "--port", "0", "--dir", directory],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        self.endpoint = done.stdout.strip().splitlines()[-1]

    def close(self) -> None:
        """Ends it."""
        subprocess.run([ROOT / "sandbox" / "down", "--dir", self.directory], env=self.environment, check=True)

    def control(self, method: str, path: str, value: Any = None) -> Any:
        """A request to `/muster-sandbox/…`."""
        body = None if value is None and method == "GET" else json.dumps(value).encode()
        request = urllib.request.Request(f"{self.endpoint}/muster-sandbox/{path}", data=body, method=method)
        with _opener.open(request, timeout=30) as answer:
            return json.load(answer)

    def reset(self) -> None:
        """Empties and seeds again."""
        self.control("POST", "reset")

    def faults(self, *orders: dict[str, Any]) -> None:
        """Orders faults."""
        self.control("POST", "faults", list(orders))

    def log(self) -> list[dict[str, Any]]:
        """The requests since the last reset of the log."""
        entries: list[dict[str, Any]] = self.control("GET", "log")
        return entries

    def reset_log(self) -> None:
        """Forgets the requests so far."""
        self.control("POST", "log/reset")

    def advance(self, seconds: float) -> None:
        """Puts the sandbox's clock ahead."""
        self.control("POST", "clock", {"advance": seconds})

    def until(self, question: Callable[[], bool]) -> None:
        """Puts the clock ahead, a little at a time, until the answer is yes."""
        for _ in range(40):
            if question():
                return
            self.advance(float(self.environment["MUSTER_SANDBOX_DELAY"]) / 8)
        raise AssertionError("it never comes to pass")

    def calls(self) -> Counter[str]:
        """How often each operation was asked for."""
        return Counter(e["operation"] for e in self.log())

    def client(self, service: str, region: str = "us-east-1", **options: Any) -> Any:
        """A boto3 client that tries everything once."""
        credentials = {"aws_access_key_id": "AKIAMUSTERSANDBOX", "aws_secret_access_key": "sandbox-secret"}
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=50)
        return boto3.client(
            service, region_name=region, endpoint_url=self.endpoint, **(credentials | {"config": config} | options)
        )


@pytest.fixture(scope="session")
def sandbox_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes with an environment of choice; ends them with the session."""
    started: list[Sandbox] = []

    def start(**environment: str) -> Sandbox:
        made = Sandbox(tmp_path_factory.mktemp("sandbox"), **environment)
        started.append(made)
        return made

    yield start
    for one in started:
        one.close()


@pytest.fixture(scope="session")
def quick(sandbox_factory: Callable[..., Sandbox]) -> Sandbox:
    """One sandbox for the whole session, in which nothing is ever pending."""
    return sandbox_factory(MUSTER_SANDBOX_DELAY="0")


@pytest.fixture(scope="session")
def slow(sandbox_factory: Callable[..., Sandbox]) -> Sandbox:
    """One sandbox for the whole session, in which everything is pending for ten minutes of its clock."""
    return sandbox_factory(MUSTER_SANDBOX_DELAY="600")


@pytest.fixture
def sandbox(quick: Sandbox) -> Sandbox:
    """A fresh sandbox in which nothing is ever pending."""
    quick.reset()
    return quick


@pytest.fixture
def slow_sandbox(slow: Sandbox) -> Sandbox:
    """A fresh sandbox in which things stay pending until the test puts the clock ahead."""
    slow.reset()
    return slow


@pytest.fixture
def ec2(sandbox: Sandbox) -> Any:
    """An ec2 client of `sandbox`."""
    return sandbox.client("ec2")


def code_of(call: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """The error code that a call is refused with; empty if it is not."""
    try:
        call(*arguments, **options)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""
