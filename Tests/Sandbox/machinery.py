"""The machines of a sandbox, for tests: instances that were given a Rancher agent join, and leave.

Another suite takes what it needs in its own conftest.py, as of `sandboxes.py` and `ranchers.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ranchers import Rancher

ROOT = Path(__file__).resolve().parents[2]


class Machines:
    """A running `sandbox/machines` of one's own."""

    def __init__(self, directory: Path, aws: str, rancher: Rancher) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.rancher = rancher
        self.log_file = directory / "machines.log"
        ready = directory / "machines.ready"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "machines", "--aws", aws, "--rancher", rancher.url, "--ready-file", ready]
                + ["--interval", "0.1"],
                env=environment | {"PYTHONPATH": str(ROOT / "sandbox")}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.until(lambda: ready.exists(), "the machines start")

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def close(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.wait()

    def until(self, question: Any, what: str, seconds: float = 60) -> None:
        """Waits until the answer is yes."""
        deadline = time.monotonic() + seconds
        while not question():
            assert time.monotonic() < deadline, f"not after {seconds} s: {what}\n{self.log}"
            assert self.process.poll() is None, self.log
            time.sleep(0.05)

    def joined(self) -> set[str]:
        """The instances whose hosts are active."""
        found = [h for h in self.rancher.hosts() if h["state"] == "active" and h["agentState"] == "active"]
        return {str(h["instanceId"]) for h in found}

    def present(self) -> set[str]:
        """The instances of all hosts that are not removed."""
        return {str(h["instanceId"]) for h in self.rancher.hosts() if h["state"] not in ("removed", "purging", "purged")}


@pytest.fixture
def machines(sandbox: Any, rancher: Rancher, tmp_path: Path) -> Iterator[Machines]:
    """The machines between the sandbox and its Rancher."""
    made = Machines(tmp_path / "machines", sandbox.endpoint, rancher)
    yield made
    made.close()
