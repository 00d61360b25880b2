"""Rancher objects with the real binary: a server of its own for each test, looked at over its own API."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from harness import ROOT, Muster

SERVER = Path(os.environ.get("MUSTER_SANDBOX_SERVER", ROOT / ".build" / "debug" / "SandboxServer"))
PASSWORD = "hunter22-and-more"

SPEC = """
    variables:
      registry_password: { type: string, secret: env:REGISTRY_PASSWORD }
    rancher:
      main:
        url: https://rancher.tastycidr.net
        settings: { api.host: https://rancher.tastycidr.net }
        api_keys:
          operations: { secret_to: file:keys/operations.json, secret_format: cli }
        environments:
          prod:
            template: Cattle
            description: What customers use
            registration_token: { secret_to: file:keys/registration }
            api_keys:
              ci: { description: For CI, secret_to: file:keys/ci }
            registries:
              registry.tastycidr.net:
                credential: { username: AWS, password: "${var.registry_password}" }
            secrets:
              pin: { value: "${var.registry_password}" }
            stacks:
              web:
                docker_compose: |
                  web:
                    image: nginx:1.11
                answers: { PORT: "8080" }
              apart:
                services:
                  api: { scale: 2, launch_config: { image: "nginx:1.11" } }
          dev: {}
    outputs:
      environment: ${rancher.environment["prod"].id}
"""


@dataclass
class Rancher:
    """A simulated server, asked as anybody may ask it."""

    url: str
    key: tuple[str, str] | None = None

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.key:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(self.key).encode()).decode()
        request = Request(f"{self.url}{path}", data, headers, method=method)
        with urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def list(self, path: str) -> list[Any]:
        return list(self.call("GET", f"/v2-beta/{path}")["data"])

    def names(self, path: str) -> list[str]:
        return sorted(o["name"] or "" for o in self.list(path) if o["state"] not in ("removing", "removed", "purged"))

    def stacks(self, scope: str) -> list[str]:
        """Those that Rancher did not make itself."""
        return sorted(s["name"] for s in self.list(f"{scope}/stacks") if not s["system"])


@pytest.fixture
def rancher(tmp_path: Path) -> Iterator[Rancher]:
    if not SERVER.exists():
        pytest.fail(f"there is no {SERVER}: swift build --product SandboxServer")
    port = tmp_path / "rancher.port"
    process = subprocess.Popen(
        [SERVER, "--port-file", port, "--delay", "0.05"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while not (port.exists() and port.read_text().strip()):
            assert time.monotonic() < deadline and process.poll() is None, "the simulator does not start"
            time.sleep(0.05)
        yield Rancher(f"http://127.0.0.1:{port.read_text().strip()}")
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def muster(rancher: Rancher, tmp_path: Path) -> Muster:
    """muster without anything of AWS: no key, no region, and an endpoint where nobody answers."""
    nothing = dict.fromkeys(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"])
    made = Muster(
        tmp_path, "http://127.0.0.1:9", extra=nothing | {"RANCHER_URL": rancher.url, "REGISTRY_PASSWORD": PASSWORD}
    )
    return made.write(rancher=SPEC)


def test_life(muster: Muster, rancher: Rancher) -> None:
    muster.plan().exits(2).says("Plan: 13 to add, 0 to change, 0 to destroy.")
    made = muster.apply().exits(0).says("13 added")
    environment = muster.run("output", "--format", "json").exits(0).text
    muster.plan().exits(0).says("No changes")
    muster.drift().exits(0)

    scope = "projects/" + muster.ids()["rancher:rancher.environment/prod"]
    assert scope.rpartition("/")[2] in environment
    assert rancher.names("projects?all=true") == ["Default", "dev", "prod"]
    assert rancher.stacks(scope) == ["apart", "web"]
    assert [s["scale"] for s in rancher.list(f"{scope}/services") if s["name"] == "api"] == [2]
    keys = muster.specs / "keys"
    assert sorted(p.name for p in keys.iterdir()) == [
        ".ci.muster", ".operations.json.muster", ".registration.muster", "ci", "operations.json", "registration"
    ]  # fmt: skip
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in keys.iterdir())
    assert (keys / "registration").read_text().startswith("http")

    # L3: what was shown once is nowhere but there.
    secrets = [(keys / "ci").read_text(), json.loads((keys / "operations.json").read_text())["secretKey"], PASSWORD]
    secrets.append((keys / "registration").read_text().rpartition("/")[2])
    kept = b"".join(p.read_bytes() for p in muster.state.parent.rglob("*") if p.is_file())
    for secret in secrets:
        assert len(secret) > 8
        assert secret.encode() not in kept
        made.says_not(secret)

    rancher.call("PUT", f"/v2-beta/{scope}", {"description": "by hand"})
    muster.drift().exits(2).says("by hand", "What customers use")
    muster.edit("rancher", "image: nginx:1.11\n", "image: nginx:1.12\n")
    muster.edit("rancher", 'scale: 2, launch_config: { image: "nginx:1.11" }', 'scale: 3, launch_config: { image: "nginx:1.12" }')
    muster.apply().exits(0).says("3 changed")
    muster.plan().exits(0)
    stack = next(s for s in rancher.list(f"{scope}/stacks") if s["name"] == "web")
    assert stack["state"] == "active" and "1.12" in stack["dockerCompose"]
    service = next(s for s in rancher.list(f"{scope}/services") if s["name"] == "api")
    assert (service["scale"], service["launchConfig"]["imageUuid"]) == (3, "docker:nginx:1.12")

    muster.destroy().exits(0).says("13 destroyed")
    assert rancher.names("projects?all=true") == ["Default"]
    assert list(keys.iterdir()) == []
    assert muster.ids() == {}


def test_what_is_gone_is_made_again(muster: Muster, rancher: Rancher) -> None:
    muster.apply().exits(0)
    rancher.call("DELETE", "/v2-beta/projects/" + muster.ids()["rancher:rancher.environment/prod"])
    time.sleep(0.5)
    muster.drift().exits(2)
    muster.apply().exits(0)
    muster.plan().exits(0)
    assert rancher.names("projects?all=true") == ["Default", "dev", "prod"]


def test_names_of_others_are_left_alone(muster: Muster, rancher: Rancher) -> None:
    rancher.call("POST", "/v2-beta/projects", {"name": "prod", "description": "by hand"})
    muster.apply().exits(1).says("The name is taken by an object that is not ours", "rancher.environment/prod")
    found = [p for p in rancher.list("projects?all=true") if p["name"] == "prod"]
    assert [p["description"] for p in found] == ["by hand"]


def test_a_file_of_others_is_no_place_for_a_secret(muster: Muster, rancher: Rancher) -> None:
    theirs = muster.specs / "keys" / "ci"
    theirs.parent.mkdir(mode=0o700)
    theirs.write_text("what somebody wrote")
    muster.apply().exits(1).says("keys/ci", "not written by muster")
    assert theirs.read_text() == "what somebody wrote"
    scope = "projects/" + muster.ids()["rancher:rancher.environment/prod"]
    assert rancher.names(f"{scope}/apikeys") == []

    theirs.unlink()
    muster.apply().exits(0)
    mine = theirs.read_text()
    # Written over by hand, it is theirs again.
    theirs.write_text("what somebody wrote")
    muster.destroy().exits(0)
    assert theirs.read_text() == "what somebody wrote" != mine
    assert [p.name for p in theirs.parent.iterdir()] == ["ci"]


def test_killed_and_gone_on(muster: Muster, rancher: Rancher) -> None:
    """Killed again and again; in the end there is one of everything and nothing else."""
    for delay in (0.35, 0.5, 0.7, 0.9, 1.1):
        run = muster.start("apply", "--auto-approve")
        time.sleep(delay)
        run.send_signal(signal.SIGKILL)
        run.communicate()
    muster.apply("--wait", "90s").exits(0)
    muster.plan().exits(0)
    scope = "projects/" + muster.ids()["rancher:rancher.environment/prod"]
    assert rancher.names("projects?all=true") == ["Default", "dev", "prod"]
    assert rancher.stacks(scope) == ["apart", "web"]
    assert len(rancher.list(f"{scope}/registries")) == 1
    assert len(rancher.list(f"{scope}/registrycredentials")) == 1
    assert len(rancher.list(f"{scope}/registrationtokens")) == 1
    assert rancher.names(f"{scope}/apikeys") == ["ci"]


def test_the_door_is_closed_by_one_who_has_a_key(muster: Muster, rancher: Rancher) -> None:
    door = "    access_control: { username: admin, password: \"${var.registry_password}\" }\n    environments:\n"
    muster.edit("rancher", "    environments:\n", door)
    muster.apply().exits(1).says("lock itself out")
    config = {"RANCHER_CLIENT_CONFIG": str(muster.specs / "keys" / "operations.json")}
    muster.apply(**config).exits(0)
    with pytest.raises(HTTPError) as refused:
        rancher.list("projects")
    assert refused.value.code == 401
    muster.plan(**config).exits(0)
    muster.plan().exits(4).says("Rancher does not accept the API key")
    muster.plan(RANCHER_ACCESS_KEY="x", RANCHER_SECRET_KEY="y").exits(4).says("RANCHER_ACCESS_KEY")


def test_the_door_is_closed_by_github(muster: Muster, rancher: Rancher) -> None:
    door = """    github_access_control:
      client_id: Iv1.8a61f9b3a7aba766
      client_secret: "${var.registry_password}"
      access_mode: restricted
      allowed_identities: [{ external_id: "9919", external_id_type: github_org }]
    environments:
"""
    muster.edit("rancher", "    environments:\n", door)
    muster.apply().exits(1).says("lock itself out")
    muster.extra["RANCHER_CLIENT_CONFIG"] = str(muster.specs / "keys" / "operations.json")
    muster.apply().exits(0)
    with pytest.raises(HTTPError) as refused:
        rancher.list("projects")
    assert refused.value.code == 401
    muster.plan().exits(0)

    operations = json.loads((muster.specs / "keys" / "operations.json").read_text())
    rancher.key = (operations["accessKey"], operations["secretKey"])
    seen = rancher.call("GET", "/v1-auth/config")
    assert (seen["enabled"], seen["accessMode"], seen["githubConfig"]["clientId"]) == (True, "restricted", "Iv1.8a61f9b3a7aba766")
    assert [(i["externalId"], i["externalIdType"]) for i in seen["allowedIdentities"]] == [("9919", "github_org")]
    kept = b"".join(p.read_bytes() for p in muster.state.parent.rglob("*") if p.is_file())
    assert PASSWORD.encode() not in kept

    # Changed in the spec, then by hand, then off by hand.
    muster.edit("rancher", "access_mode: restricted", "access_mode: required")
    muster.apply().exits(0).says("access_mode: restricted → required")
    muster.plan().exits(0)
    rancher.call("POST", "/v1-auth/config", seen | {"allowedIdentities": []})
    muster.drift().exits(2).says("allowed_identities", "was required, is restricted")
    muster.apply().exits(0)
    assert rancher.call("GET", "/v1-auth/config")["accessMode"] == "required"
    rancher.call("POST", "/v1-auth/config", seen | {"enabled": False})
    muster.drift().exits(2).says("github_access_control/main")
    muster.apply().exits(0)
    muster.plan().exits(0)

    muster.destroy("--allow", "public-exposure").exits(0)
    rancher.key = None
    assert rancher.names("projects?all=true") == ["Default"]


class Portal(BaseHTTPRequestHandler):
    """What a company's network answers to everything."""

    def do_GET(self) -> None:
        body = b"<html><title>Sign in</title><body>Sign in to the network</body></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


def test_servers_that_are_not_there(muster: Muster) -> None:
    muster.write(
        rancher="""
        resources:
          rancher.environment:
            prod: { server: "https://rancher.tastycidr.net", name: prod }
    """
    )
    portal = HTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=portal.serve_forever, daemon=True).start()
    try:
        there = f"http://127.0.0.1:{portal.server_port}"
        muster.apply(RANCHER_URL=there).exits(1).says("does not come from Rancher", "Sign in to the network")
    finally:
        portal.shutdown()
    assert muster.ids() == {}
    muster.plan(RANCHER_URL="rancher.tastycidr.net").exits(1).says("no valid address")
    muster.plan(RANCHER_ACCESS_KEY="x").exits(4).says("RANCHER_SECRET_KEY is not set")


def test_another_server_is_refused(muster: Muster, rancher: Rancher) -> None:
    muster.apply().exits(0)
    muster.plan(RANCHER_URL="http://127.0.0.1:9").exits(3).says("The state belongs to another endpoint")
    muster.plan(RANCHER_URL=None).exits(3).says("The state belongs to another endpoint")


def test_bad_specs(muster: Muster) -> None:
    muster.write(
        rancher="""
        rancher:
          main:
            url: https://rancher.tastycidr.net
            environments:
              prod:
                members: [{ external_id: 1a1, external_id_type: rancher_id, role: king }]
                registration_token: { secret: here }
                stacks: { -web-: { docker_compose: "" } }
    """
    )
    muster.run("validate").exits(1).says("king", "\"secret\" is not an argument of registration_token", "rancher.yaml:7", "Not a name that Rancher takes")


def test_in_one_graph_with_aws(rancher: Rancher, sandbox: Any, tmp_path: Path) -> None:
    """The server's address is known only after a step in AWS, and secrets go there."""
    muster = Muster(tmp_path / "platform", sandbox.endpoint, extra={"RANCHER_URL": rancher.url})
    muster.write(
        platform="""
        resources:
          aws.eip:
            door: { domain: vpc }
        rancher:
          main:
            url: http://${aws.eip["door"].public_ip}:8080
            environments:
              prod:
                registration_token: { secret_to: ssm:/prod/rancher/registration-url }
                api_keys:
                  ci: { secret_to: secretsmanager:prod/ci }
    """
    )
    ssm, secrets = sandbox.client("ssm"), sandbox.client("secretsmanager")
    muster.plan().exits(2).says("http://(known after apply):8080", "Plan: 5 to add")
    # What somebody else keeps there stays.
    ssm.put_parameter(Name="/prod/rancher/registration-url", Value="theirs", Type="SecureString")
    secrets.create_secret(Name="prod/ci", SecretString="theirs")
    muster.apply().exits(1).says("/prod/rancher/registration-url", "prod/ci", "not made by muster")
    there = ssm.get_parameter(Name="/prod/rancher/registration-url", WithDecryption=True)["Parameter"]["Value"]
    assert (there, secrets.get_secret_value(SecretId="prod/ci")["SecretString"]) == ("theirs", "theirs")
    muster.destroy().exits(0)
    there = ssm.get_parameter(Name="/prod/rancher/registration-url", WithDecryption=True)["Parameter"]["Value"]
    assert (there, secrets.get_secret_value(SecretId="prod/ci")["SecretString"]) == ("theirs", "theirs")
    ssm.delete_parameter(Name="/prod/rancher/registration-url")
    secrets.delete_secret(SecretId="prod/ci", ForceDeleteWithoutRecovery=True)

    muster.apply().exits(0)
    muster.plan().exits(0)
    kept = ssm.get_parameter(Name="/prod/rancher/registration-url", WithDecryption=True)["Parameter"]
    assert kept["Type"] == "SecureString" and "/scripts/" in kept["Value"]
    assert len(secrets.get_secret_value(SecretId="prod/ci")["SecretString"]) == 40

    gone = muster.destroy().exits(0).says("5 destroyed").text
    order = [gone.index(f"{address}: deleted") for address in ("rancher.environment/prod", "rancher.server/main", "aws.eip/door")]
    assert order == sorted(order)
    assert rancher.names("projects?all=true") == ["Default"]
    assert [p for p in ssm.describe_parameters()["Parameters"] if p["Name"].startswith("/prod/rancher")] == []
    assert secrets.list_secrets()["SecretList"] == []
