"""Machines that run what was rendered: the goldens of Tests/UserDataTests, in a folder that stands for the root.

Commands that would touch the real machine (docker, systemctl, aws, …) are small recorders. curl is the real one; a server
on this machine answers as Rancher, as the metadata service and as those who are told of failures.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOLDENS = ROOT / "Tests" / "UserDataTests" / "Goldens"
INSTANCE = "i-0123456789abcdef0"
MAC = "02:29:96:8f:6a:2d"
SHELLS = [name for name in ("dash", "bash", "busybox") if shutil.which(name)]
INSIDE = [
    "/etc/muster", "/etc/pagerduty.key", "/etc/redis.password", "/etc/systemd/system", "/etc/init.d", "/var/lib/muster",
    "/var/lib/rancher/state", "/var/lock/subsys", "/usr/local/sbin", "/opt/muster",
]  # fmt: skip


class Rancher:
    """One environment with hosts, as far as a machine that leaves needs it. Every request is kept."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str, str]] = []
        self.hosts: dict[str, dict[str, Any]] = {}
        self.stuck: set[str] = set()
        self.refuses_key = False
        self.tells_subnet = True
        self.failures = 0
        self.pages = 0
        self.containers: list[dict[str, Any]] = []
        handler = type("Handler", (_Handler,), {"rancher": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def add_host(self, id: str, instance: str, state: str = "active") -> None:
        self.hosts[id] = {"id": id, "type": "host", "state": state, "labels": {"role": "x", "instance-id": instance}}

    def actions(self, host: dict[str, Any]) -> dict[str, str]:
        names = {
            "active": ["update", "deactivate", "evacuate"],
            "disconnected": ["update", "deactivate"],
            "inactive": ["activate", "remove", "evacuate"],
            "removed": ["purge"],
        }.get(host["state"], [])
        return {name: f"{self.url}/v1/projects/1a5/hosts/{host['id']}/?action={name}" for name in names}

    def shown(self, host: dict[str, Any]) -> dict[str, Any]:
        return {
            **host,
            "actions": self.actions(host),
            "info": {"quote": 'a "b" \\ c\\', "n": [1, [2], {}], "none": None},
        }

    def step(self, host: dict[str, Any]) -> None:
        """A look moves what is on its way."""
        moves = {"deactivating": "inactive", "removing": "removed", "purging": "purged"}
        if host["state"] in moves and host["state"] not in self.stuck:
            host["state"] = moves[host["state"]]

    def actions_taken(self) -> list[str]:
        return [
            path.split("action=")[1] for method, path, _, _ in self.requests if method == "POST" and "action=" in path
        ]


class _Handler(BaseHTTPRequestHandler):
    rancher: Rancher
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: object) -> None:
        # As Rancher does: a slash in a string is escaped.
        text = body if isinstance(body, str) else json.dumps(body, indent=1).replace("/", "\\/")
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        authorization = self.headers.get("Authorization", "")
        rancher = self.rancher
        rancher.requests.append((self.command, self.path, authorization, body))
        path, _, query = self.path.partition("?")
        if path.startswith("/metadata"):
            return self.metadata(path)
        if path.startswith("/told"):
            return self.answer(202, "{}")
        if path == "/v1/scripts/api.crt":
            return self.answer(200, "PUBLIC KEY\n")
        if rancher.failures > 0:
            rancher.failures -= 1
            return self.answer(503, "<html>starting</html>")
        if rancher.refuses_key or not authorization.startswith("Basic "):
            return self.answer(401, {"type": "error", "status": 401, "code": "Unauthorized"})
        parts = path.removeprefix("/v1/projects/1a5/").rstrip("/").split("/")
        if parts == ["hosts"]:
            return self.list_hosts(query)
        host = rancher.hosts.get(parts[1])
        if host is None:
            return self.answer(404, {"type": "error", "status": 404})
        if len(parts) == 3:
            shown, rancher.containers = rancher.containers, rancher.containers[1:]
            return self.answer(200, {"data": shown})
        if self.command == "POST":
            return self.act(host, query.removeprefix("action="))
        rancher.step(host)
        return self.answer(200, rancher.shown(host))

    do_GET = do_POST = do_PUT = handle_any

    def list_hosts(self, query: str) -> None:
        rancher = self.rancher
        hosts = [rancher.shown(h) for h in rancher.hosts.values()]
        if rancher.pages and "marker" not in query:
            link = f"{rancher.url}/v1/projects/1a5/hosts?limit=1000&marker=m1"
            return self.answer(200, {"type": "collection", "data": [], "pagination": {"next": link}})
        self.answer(200, {"type": "collection", "data": hosts, "pagination": {"next": None, "limit": 1000}})

    def act(self, host: dict[str, Any], action: str) -> None:
        rancher = self.rancher
        if action not in rancher.actions(host):
            return self.answer(422, {"type": "error", "status": 422, "code": "ActionNotAvailable"})
        states = {"deactivate": "deactivating", "remove": "removing", "purge": "purging"}
        host["state"] = states.get(action, host["state"])
        self.answer(200 if action == "evacuate" else 202, rancher.shown(host))

    def metadata(self, path: str) -> None:
        if path.endswith("/api/token"):
            return self.answer(200, "TOKEN")
        known = {
            "instance-id": INSTANCE, "local-ipv4": "10.0.0.7", "public-ipv4": "198.51.100.7",
            "placement/availability-zone": "us-east-1a", "mac": MAC,
            f"network/interfaces/macs/{MAC}/owner-id": "123456789012",
        }  # fmt: skip
        if self.rancher.tells_subnet:
            known[f"network/interfaces/macs/{MAC}/subnet-id"] = "subnet-0a1b2c3d"
        name = path.split("/meta-data/")[1]
        return self.answer(200, known[name]) if name in known else self.answer(404, "none")


class Machine:
    """A root folder, recorders on the path, and a shell."""

    def __init__(self, folder: Path, rancher: Rancher, shell: str) -> None:
        self.root = folder / "root"
        self.bin = folder / "bin"
        self.log = folder / "calls"
        self.rancher = rancher
        self.shell = ["busybox", "sh"] if shell == "busybox" else [shell]
        for name in ["etc/systemd/system", "etc/init.d", "etc/muster", "var/lib/muster", "usr/local/sbin"]:
            (self.root / name).mkdir(parents=True)
        (self.root / "etc/pagerduty.key").write_text("PD-KEY\n")
        (self.root / "etc/redis.password").write_text("redis pass\n")
        self.bin.mkdir()
        self.log.touch()
        self.containers = folder / "containers"
        self.containers.mkdir()
        record = f'printf "%s" "${{0##*/}}" >>{self.log}; printf " [%s]" "$@" >>{self.log}; echo >>{self.log}\n'
        self.tool("curl", record + self._curl())
        self.tool(
            "wget",
            record
            + f'for last; do :; done; exec {shutil.which("curl")} -fsS "{rancher.url}/metadata${{last#http://169.254.169.254}}"\n',
        )
        self.tool("docker", record + self._docker())
        self.tool("aws", record + self._aws())
        self.tool("systemctl", record + self._systemctl())
        self.tool("sleep", "exec /bin/sleep 0.02\n")
        self.tool("runlevel", f"cat {folder}/runlevel 2>/dev/null\n")
        self.tool("update-rc.d", record)
        self.tool("yum", record)
        self.tool("service", record)
        self.jobs = folder / "jobs"
        self.runlevel = folder / "runlevel"

    def tool(self, name: str, body: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{body}")
        path.chmod(0o755)

    def _curl(self) -> str:
        return f"""
            for argument; do
                shift
                case $argument in
                    http://169.254.169.254*) argument="{self.rancher.url}/metadata${{argument#http://169.254.169.254}}" ;;
                    https://events.pagerduty.com*) argument="{self.rancher.url}/told/pagerduty" ;;
                    http://127.0.0.1:8080*) argument="{self.rancher.url}${{argument#http://127.0.0.1:8080}}" ;;
                esac
                set -- "$@" "$argument"
            done
            exec {shutil.which("curl")} "$@"
            """

    def _docker(self) -> str:
        return f"""
            case $1 in
                inspect) for last; do :; done; [ -e "{self.containers}/$last" ] || exit 1 ;;
                rm) for last; do :; done; rm -f "{self.containers}/$last" ;;
                pull) : >"{self.containers}/$(echo "$2" | tr / _)" ; echo $2 >>{self.containers}/.pulled ;;
                run) case "$*" in *rancher/agent*) : >"{self.containers}/rancher-agent" ;; esac ;;
            esac
            """

    def _aws(self) -> str:
        return f"""
            case "$*" in
                *"--name /rancher/prod/access"*) echo ACCESS ;;
                *"--secret-id rancher/prod"*) echo '{{"other": "x", "secret": "SE\\\\x\\"CRET"}}' ;;
                *"--name /rancher/registration-url"*) echo "{self.rancher.url}/v1/projects/1a5/scripts/FETCHED" ;;
                *"--name /slack/ops"*) echo "{self.rancher.url}/told/slack" ;;
                *"--name /rancher/db"*) echo "db pass" ;;
                *"--secret-id rancher "*) echo '{{"db": "db pass"}}' ;;
                *"--name /rancher/ms/access"*) echo MS-ACCESS ;;
                *"--name /rancher/ms/secret"*) echo MS-SECRET ;;
                *) exit 255 ;;
            esac
            """

    def _systemctl(self) -> str:
        return f"""
            case $1 in
                list-jobs) cat {self.root.parent}/jobs 2>/dev/null ;;
                start) exec "$(sed -n 's/^ExecStart=//p' {self.root}/etc/systemd/system/$2)" ;;
            esac
            exit 0
            """

    def script(self, golden: str) -> str:
        text = (GOLDENS / golden).read_text()
        for path in INSIDE:
            text = text.replace(path, f"{self.root}{path}")
        return text.replace("http://rancher.test:8080", self.rancher.url).replace(
            "https://hooks.example.com/x", f"{self.rancher.url}/told/webhook"
        )

    def run(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = self.root.parent / "script"
        path.write_text(text)
        environment = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.root), "TMPDIR": str(self.root.parent)}
        return subprocess.run(
            [*self.shell, str(path), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def run_golden(self, golden: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.script(golden), *arguments)

    def installed(self, path: str) -> str:
        return (self.root / path.lstrip("/")).read_text()

    def calls(self, tool: str) -> list[list[str]]:
        lines = [line for line in self.log.read_text().splitlines() if line.split(" ")[0] == tool]
        return [line[len(tool) + 2 : -1].split("] [") if "[" in line else [] for line in lines]

    def runs(self) -> list[list[str]]:
        return [call for call in self.calls("docker") if call[0] == "run"]


@pytest.fixture
def rancher() -> Rancher:
    return Rancher()


@pytest.fixture(params=SHELLS)
def machine(request: pytest.FixtureRequest, tmp_path: Path, rancher: Rancher) -> Machine:
    return Machine(tmp_path, rancher, request.param)


def environment_file(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def mode(path: Path) -> int:
    return os.stat(path).st_mode & 0o777
