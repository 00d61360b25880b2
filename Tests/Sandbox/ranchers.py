"""A simulated Rancher for tests, with Rancher's own Python client (`cattle`, unchanged from PyPI).

Another suite takes what it needs in its own conftest.py:

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Sandbox"))
    from ranchers import Rancher, rancher, rancher_factory
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cattle
import gdapi
import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVER = Path(os.environ.get("MUSTER_SANDBOX_SERVER", ROOT / ".build" / "debug" / "SandboxServer"))
ACCESS_KEY = "5A4DB0B0CA77E0000001"
SECRET_KEY = "sandboxKeyOfTheAdministratorAccount11111"
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Rancher:
    """A running Rancher of one's own, and a Spot beside it."""

    def __init__(self, directory: Path, **environment: str) -> None:
        if not SERVER.exists():
            pytest.fail(f"there is no {SERVER}: swift build --product SandboxServer")
        self.directory = directory
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MUSTER_", "RANCHER_", "CATTLE_"))}
        settings = {"MUSTER_SANDBOX_SERVER": str(SERVER), "MUSTER_SANDBOX_RANCHER_DELAY": "0.02"}
        self.environment = kept | settings | environment
        done = subprocess.run(
            [ROOT / "sandbox" / "up", "--rancher-only", "--dir", directory],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        self.url = done.stdout.strip().splitlines()[-1]

    @property
    def spot_url(self) -> str:
        port = (self.directory / "spot.port").read_text().strip()
        return f"http://127.0.0.1:{port}"

    @property
    def variables(self) -> dict[str, str | None]:
        """What points muster here."""
        return {
            "RANCHER_URL": self.url,
            "RANCHER_ACCESS_KEY": ACCESS_KEY,
            "RANCHER_SECRET_KEY": SECRET_KEY,
            "SPOTINST_ENDPOINT_URL": self.spot_url,
            "SPOTINST_TOKEN": "sandbox-spot-token",
            "SPOTINST_ACCOUNT": "act-5a4db0b0",
        }

    def close(self) -> None:
        """Ends it."""
        subprocess.run([ROOT / "sandbox" / "down", "--dir", self.directory], env=self.environment, check=True)

    def control(self, method: str, path: str, value: Any = None, url: str | None = None) -> Any:
        """A request to `/muster-sandbox/…`; of Rancher, or of the service at `url`."""
        body = None if value is None and method == "GET" else json.dumps(value).encode()
        request = urllib.request.Request(f"{url or self.url}/muster-sandbox/{path}", data=body, method=method)
        with _opener.open(request, timeout=30) as answer:
            return json.load(answer)

    def reset(self) -> None:
        """As after its first start; Spot too."""
        self.control("POST", "reset")
        self.control("POST", "reset", url=self.spot_url)

    def advance(self, seconds: float) -> None:
        """Puts the clock ahead."""
        self.control("POST", "clock", {"advance": seconds})

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

    def hosts(self) -> list[dict[str, Any]]:
        """Every host, as the simulator sees it."""
        found: list[dict[str, Any]] = self.control("GET", "hosts")
        return found

    def join(self, registration_url: str, hostname: str, **more: Any) -> str:
        """A machine runs a token's command; the host's id."""
        machine = {"registrationUrl": registration_url, "hostname": hostname} | more
        return str(self.control("POST", "hosts", machine)["id"])

    def lose(self, machine: str) -> None:
        """The machine is gone."""
        self.control("POST", "hosts/lost", {"machine": machine})

    def client(self, path: str = "/v2-beta", access_key: str | None = ACCESS_KEY, secret_key: str | None = SECRET_KEY) -> Any:
        """Rancher's own client, as the administrator."""
        return cattle.Client(url=self.url + path, access_key=access_key, secret_key=secret_key)


@pytest.fixture(scope="session")
def rancher_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Rancher]]:
    """Starts Ranchers with an environment of choice; ends them with the session."""
    started: list[Rancher] = []

    def start(**environment: str) -> Rancher:
        made = Rancher(tmp_path_factory.mktemp("rancher"), **environment)
        started.append(made)
        return made

    yield start
    for one in started:
        one.close()


@pytest.fixture(scope="session")
def _rancher(rancher_factory: Callable[..., Rancher]) -> Rancher:
    return rancher_factory()


@pytest.fixture
def rancher(_rancher: Rancher) -> Rancher:
    """A Rancher as after its first start."""
    _rancher.reset()
    return _rancher


def refusal(call: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """What a call is refused with, such as `422 NotUnique name`; empty if it is not."""
    try:
        call(*arguments, **options)
    except gdapi.ApiError as failure:
        error = failure.error
        field = getattr(error, "fieldName", None)
        return " ".join(str(part) for part in (error.status, error.code, field) if part)
    return ""
