"""One sandbox for all tests, emptied before each; a workspace of its own for each test."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import BINARY, Cloud, Muster, Sandbox
from machinery import machines
from ranchers import Rancher, _rancher, rancher, rancher_factory

__all__ = ["_rancher", "machines", "rancher", "rancher_factory"]

DELAY = "0.2"
# Every request of muster is held against AWS's own service models; one that is not valid is refused and remembered.
ENVIRONMENT = {"MUSTER_SANDBOX_DELAY": DELAY, "MUSTER_SANDBOX_VALIDATE": "1"}
_sandboxes: list[Any] = []


# A runner in the background ignores signals, and what it starts would ignore them too: tests send them to muster.
for _signal in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
    if signal.getsignal(_signal) == signal.SIG_IGN:
        signal.signal(_signal, signal.default_int_handler if _signal == signal.SIGINT else signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    if not BINARY.exists():
        pytest.exit(f"there is no {BINARY}: swift build --product muster", returncode=2)


@pytest.fixture(scope="session")
def start_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Starts sandboxes with an environment of choice; ends them with the session."""

    def start(**environment: str) -> Any:
        made = Sandbox(tmp_path_factory.mktemp("sandbox"), **(ENVIRONMENT | environment))
        _sandboxes.append(made)
        return made

    yield start
    while _sandboxes:
        _sandboxes.pop().close()


@pytest.fixture(autouse=True)
def only_valid_requests() -> Iterator[None]:
    """Fails a test in which muster sent what AWS's models forbid, whatever else came of it."""
    yield
    for one in _sandboxes:
        refused = one.control("GET", "invalid")
        one.control("POST", "invalid/reset")
        assert refused == []


@pytest.fixture(scope="session")
def _sandbox(start_sandbox: Callable[..., Any]) -> Any:
    return start_sandbox()


@pytest.fixture
def sandbox(_sandbox: Any) -> Any:
    """The sandbox, as good as new."""
    _sandbox.reset()
    return _sandbox


@pytest.fixture(scope="session")
def _other_sandbox(start_sandbox: Callable[..., Any]) -> Any:
    return start_sandbox()


@pytest.fixture
def other_sandbox(_other_sandbox: Any) -> Any:
    """A second one, at another endpoint."""
    _other_sandbox.reset()
    return _other_sandbox


@pytest.fixture(scope="session")
def _verifying_sandbox(start_sandbox: Callable[..., Any]) -> Any:
    return start_sandbox(MUSTER_SANDBOX_VERIFY="1")


@pytest.fixture
def verifying_sandbox(_verifying_sandbox: Any) -> Any:
    """One that checks signatures."""
    _verifying_sandbox.reset()
    return _verifying_sandbox


@pytest.fixture
def cloud(sandbox: Any) -> Cloud:
    """What is in the sandbox."""
    return Cloud(sandbox)


@pytest.fixture
def muster(sandbox: Any, tmp_path: Path) -> Muster:
    """muster in an empty workspace, pointed at the sandbox."""
    return Muster(tmp_path, sandbox.endpoint)


@pytest.fixture
def rancher_muster(muster: Muster, rancher: Rancher) -> Muster:
    """muster pointed at a Rancher and a Spot of the sandbox besides."""
    muster.extra |= rancher.variables
    return muster
