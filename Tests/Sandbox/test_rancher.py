"""Rancher's public Python client against the simulator: every kind of object is made, listed, acted on and removed."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import gdapi
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from ranchers import ACCESS_KEY, ROOT, SECRET_KEY, Rancher, refusal

COMPOSE = "web:\n  image: nginx:1.11\n"


@pytest.fixture
def admin(rancher: Rancher) -> Any:
    """The administrator's client."""
    return rancher.client()


@pytest.fixture
def prod(rancher: Rancher, admin: Any) -> Any:
    """A client of a new environment, with a key of it."""
    project = admin.wait_success(admin.create_project(name="prod", description="muster:1"))
    return environment_client(rancher, admin, project)


def environment_client(rancher: Rancher, admin: Any, project: Any) -> Any:
    key = admin.create_api_key(accountId=project.id, name="ci")
    secret = key.secretValue
    key = admin.wait_success(key)
    assert (key.state, key.secretValue) == ("active", None)
    client = rancher.client(access_key=key.publicValue, secret_key=secret)
    client.project = project
    return client


def gone(client: Any, thing: Any) -> None:
    """Takes something away by the recipe of its kind, and sees that no list has it."""
    if hasattr(thing.actions, "deactivate"):
        thing = client.wait_success(client.action(thing, "deactivate"))
        assert thing.state in ("inactive", "detached")
    if hasattr(thing.actions, "remove") and thing.type == "registrationToken":
        thing = client.action(thing, "remove")
    else:
        thing = client.delete(thing)
    thing = client.wait_success(thing)
    assert thing.state in ("removed", "purging", "purged")
    assert thing.removed is not None
    assert thing.id not in [other.id for other in client.list(thing.type).data]
    if hasattr(thing.actions, "purge"):
        assert client.wait_success(client.action(thing, "purge")).state == "purged"


KINDS: list[tuple[str, dict[str, Any]]] = [
    ("apiKey", {"name": "a", "description": "one"}),
    ("registrationToken", {"name": "a", "description": "one"}),
    ("registry", {"name": "a", "description": "one", "serverAddress": "quay.io"}),
    ("stack", {"name": "a", "description": "one", "dockerCompose": COMPOSE}),
    ("secret", {"name": "a", "description": "one", "value": base64.b64encode(b"x").decode()}),
    ("volume", {"name": "a", "description": "one", "driver": "local"}),
    ("password", {"name": "a", "description": "one", "publicValue": "bob", "secretValue": "x"}),
]


@pytest.mark.parametrize("kind, fields", KINDS, ids=[kind for kind, _ in KINDS])
def test_the_client_makes_lists_changes_and_removes(prod: Any, kind: str, fields: dict[str, Any]) -> None:
    made = prod.create(kind, **fields)
    assert (made.type, made.transitioning) == (kind, "yes")
    thing = prod.wait_success(made)
    assert thing.state in ("active", "inactive")
    assert (thing.name, thing.description, thing.accountId) == ("a", "one", prod.project.id)
    assert [other.id for other in prod.list(kind, name="a", state_ne="removed").data] == [thing.id]
    assert prod.list(kind, name_like="b%").data == []
    assert prod.by_id(kind, thing.id).uuid == thing.uuid
    if "PUT" in prod.schema.types[kind].resourceMethods:
        thing = prod.wait_success(prod.update(thing, description="two"))
        assert (thing.description, thing.name) == ("two", "a")
    gone(prod, thing)


def test_environments(admin: Any) -> None:
    first = admin.wait_success(admin.create_project(name="prod"))
    second = admin.wait_success(admin.create_project(name="prod"))
    assert first.id != second.id
    assert (first.state, first.orchestration, first.kind) == ("active", "cattle", "project")
    assert sorted(p.name for p in admin.list_project().data) == ["Default", "prod", "prod"]
    assert [m.externalId for m in first.projectMembers().data] == ["1a1"]
    other = admin.wait_success(admin.create_account(name="ops", kind="user"))
    members = [
        {"externalId": "1a1", "externalIdType": "rancher_id", "role": "owner"},
        {"externalId": other.id, "externalIdType": "rancher_id", "role": "member"},
    ]
    assert [m.role for m in first.setmembers(members=members).data] == ["owner", "member"]
    assert refusal(admin.action, first, "setmembers", members=members[1:]) == "400 InvalidFormat"
    (deleted,) = admin.delete(first).data
    assert deleted.id == first.id
    assert admin.wait_success(deleted).state in ("inactive", "removed")
    names = [t.name for t in admin.list_projectTemplate(isPublic=True).data]
    assert names == ["Cattle", "Kubernetes", "Mesos", "Swarm", "Windows"]
    swarm = next(t for t in admin.list_project_template().data if t.name == "Swarm")
    assert admin.create_project(name="s", projectTemplateId=swarm.id).orchestration == "swarm"


def test_a_project_template_of_ones_own(admin: Any) -> None:
    stacks = [{"name": "healthcheck", "templateId": "library:infra*healthcheck"}]
    template = admin.wait_success(admin.create_project_template(name="small", stacks=stacks))
    assert refusal(admin.create_project_template, name="Small", stacks=stacks) == "422 NotUnique name"
    project = admin.wait_success(admin.create_project(name="p", projectTemplateId=template.id))
    assert [s.name for s in admin.list_stack(accountId=project.id).data] == ["healthcheck"]
    gone(admin, template)


def test_registries_and_their_credentials(prod: Any) -> None:
    registry = prod.wait_success(prod.create_registry(serverAddress="123.dkr.ecr.us-east-1.amazonaws.com"))
    assert (registry.baseType, registry.kind) == ("storagePool", "registry")
    again = refusal(prod.create_registry, serverAddress="123.DKR.ecr.us-east-1.amazonaws.com")
    assert again == "400 ServerAddressUsed serverAddress"
    login = prod.create_registry_credential(registryId=registry.id, publicValue="AWS", secretValue="x")
    login = prod.wait_success(login)
    assert (login.registryId, login.publicValue, login.secretValue) == (registry.id, "AWS", None)
    assert [c.id for c in registry.credentials().data] == [login.id]
    login = prod.wait_success(prod.update(login, publicValue="other"))
    assert login.publicValue == "other"
    gone(prod, registry)
    assert prod.wait_transitioning(login).state != "active"


def test_stacks_and_services(prod: Any) -> None:
    stack = prod.wait_success(prod.create_stack(name="app", dockerCompose=COMPOSE, startOnCreate=True))
    (service,) = stack.services().data
    service = prod.wait_success(service)
    assert (service.state, service.stackId, service.scale) == ("active", stack.id, 1)
    launch = {"imageUuid": "docker:nginx:1.13"}
    service = service.upgrade_action(inServiceStrategy={"launchConfig": launch, "intervalMillis": 100})
    service = prod.wait_success(service)
    assert (service.state, service.launchConfig.imageUuid) == ("upgraded", "docker:nginx:1.13")
    assert prod.wait_success(service.rollback()).launchConfig.imageUuid == "docker:nginx:1.11"
    second = prod.wait_success(prod.create_service(name="api", stackId=stack.id, launchConfig=launch, scale=2))
    assert (second.state, second.scale) == ("inactive", 2)
    assert prod.wait_success(second.activate()).state == "active"
    assert refusal(prod.create_service, name="API", stackId=stack.id) == "422 NotUnique name"
    assert refusal(prod.create_service, name="b", stackId="1st999") == "422 InvalidReference stackId"
    assert "image: nginx:1.11" in stack.exportconfig().dockerComposeConfig
    stack = prod.wait_success(stack.upgrade(dockerCompose=COMPOSE + "new:\n  image: redis\n"))
    assert prod.wait_success(second).removed is not None  # what the file does not name is taken away, in its own time
    assert sorted(s.name for s in stack.services().data) == ["new", "web"]
    assert prod.wait_success(stack.finishupgrade()).state == "active"
    gone(prod, prod.reload(stack))


def test_a_catalog_stack(rancher: Rancher, prod: Any) -> None:
    url = f"{rancher.url}/v1-catalog/templates/library:infra*ecr:1"
    version = requests.get(url, auth=(ACCESS_KEY, SECRET_KEY), timeout=10).json()
    files = version["files"]
    assert "rancher/rancher-ecr-credentials:v2.0.1" in files["docker-compose.yml"]
    stack = prod.create_stack(
        name="ecr",
        dockerCompose=files["docker-compose.yml"],
        rancherCompose=files["rancher-compose.yml"],
        environment={"aws_region": "us-east-1"},
        externalId=f"catalog://{version['id']}",
        startOnCreate=True,
    )
    stack = prod.wait_success(stack)
    assert [s.name for s in stack.services().data] == ["ecr-updater"]
    listed = requests.get(
        f"{rancher.url}/v1-catalog/templates?catalogId=community&rancherVersion=v1.4.1", auth=(ACCESS_KEY, SECRET_KEY), timeout=10
    ).json()
    assert [t["id"] for t in listed["data"]] == ["community:ecr"]


def self_signed() -> tuple[str, str, str]:
    """A certificate and its key in PEM, and its fingerprint, by another implementation."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    names = [(NameOID.ORGANIZATION_NAME, "Acme, Inc."), (NameOID.COMMON_NAME, "a.example.org")]
    name = x509.Name([x509.NameAttribute(kind, text) for kind, text in names])
    hosts = x509.SubjectAlternativeName([x509.DNSName("a.example.org"), x509.DNSName("b.example.org")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 255 << 40)
    builder = builder.not_valid_before(datetime(2026, 1, 2, 3, 4, 5)).not_valid_after(datetime(2050, 12, 31))
    made = builder.add_extension(hosts, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(pem).decode(), private.decode(), made.fingerprint(hashes.SHA1()).hex(":")


def test_certificates(prod: Any) -> None:
    cert, key, fingerprint = self_signed()
    made = prod.wait_success(prod.create_certificate(name="a", cert=cert, key=key))
    assert (made.certFingerprint, made.serialNumber, made.version) == (fingerprint, str(255 << 40), "3")
    assert (made.issuedAt, made.expiresAt) == ("Fri Jan 02 03:04:05 UTC 2026", "Sat Dec 31 00:00:00 UTC 2050")
    assert (made.CN, made.issuer, made.keySize, made.key) == ("a.example.org", "CN=a.example.org,O=Acme\\, Inc.", 2048, None)
    assert made.subjectAlternativeNames == ["a.example.org", "b.example.org"]
    assert refusal(prod.create_certificate, name="a", cert=cert, key=key) == "422 NotUnique name"
    assert refusal(prod.create_certificate, name="b", cert="no", key=key) == "422 InvalidFormat cert"
    assert refusal(prod.update, made, description="x") == "422 InvalidFormat cert"
    assert prod.wait_success(prod.update(made, description="x", cert=cert)).description == "x"
    gone(prod, prod.reload(made))


def test_hosts_join_are_lost_and_leave(rancher: Rancher, prod: Any) -> None:
    token = prod.wait_success(prod.create_registrationToken())
    assert token.command.endswith(f" rancher/agent:v1.2.11 {token.registrationUrl}")
    identifier = rancher.join(token.registrationUrl, "web-1", instanceId="i-1", labels="role=web&zone=a")
    host = prod.wait_success(prod.by_id_host(identifier))
    assert (host.state, host.hostname, host.labels.role) == ("active", "web-1", "web")
    assert [h.id for h in prod.list_host(state="active").data] == [identifier]
    host = prod.wait_success(prod.update(host, name="first", labels={"role": "db"}))
    assert (host.name, host.labels.role) == ("first", "db")
    assert refusal(prod.delete, host) == "405 Method not allowed"
    assert refusal(prod._post, host.links.self + "/?action=remove") == "422 ActionNotAvailable"
    rancher.lose("i-1")
    rancher.advance(31)
    assert prod.reload(host).state == "reconnecting"
    rancher.advance(181)
    rancher.advance(1)
    host = prod.reload(host)
    assert host.state == "disconnected"
    rancher.reset_log()
    host.evacuate()
    host = prod.wait_success(host.deactivate())
    host = prod.wait_success(host.remove())
    assert prod.wait_success(host.purge()).state == "purged"
    assert [e["action"] for e in rancher.log() if e["method"] == "POST"] == ["evacuate", "deactivate", "remove", "purge"]
    assert rancher.hosts() == []


def run_command(rancher: Rancher, root: Path, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A machine with the fake docker runs a token's command."""
    environment = {
        "PATH": f"{ROOT}/sandbox/fakes:{os.environ['PATH']}",
        "MUSTER_FAKE_DOCKER_LOG": str(root / "docker.log"),
        "MUSTER_FAKE_DOCKER_ROOT": str(root),
        "MUSTER_FAKE_DOCKER_TRIES": "2",
    }
    root.mkdir(exist_ok=True)
    return subprocess.run(["sh", "-c", command], env=environment | variables, capture_output=True, text=True)


def test_a_machine_runs_the_command_of_a_token(rancher: Rancher, prod: Any, tmp_path: Path) -> None:
    token = prod.wait_success(prod.create_registration_token())
    options = "-e CATTLE_AGENT_IP=10.1.2.3 -e CATTLE_HOST_LABELS='role=web&zone=us%20east'"
    command = token.command.removeprefix("sudo ").replace("docker run", f"docker run {options}")
    machine = {"MUSTER_FAKE_HOSTNAME": "ip-10-1-2-3", "MUSTER_FAKE_INSTANCE_ID": "i-7"}
    done = run_command(rancher, tmp_path / "a", command, **machine)
    assert done.returncode == 0, done.stderr
    (host,) = prod.list_host().data
    host = prod.wait_success(host)
    assert (host.hostname, host.agentIpAddress, host.labels.role, host.labels.zone) == ("ip-10-1-2-3", "10.1.2.3", "web", "us east")
    assert run_command(rancher, tmp_path / "a", command, **machine).returncode == 0
    assert [h.id for h in prod.list_host().data] == [host.id]
    assert run_command(rancher, tmp_path / "b", command, **machine).returncode == 0
    assert len(prod.list_host().data) == 2
    rancher.lose("i-7")
    rancher.advance(40)
    assert {h.state for h in prod.list_host().data} == {"reconnecting"}
    prod.wait_success(prod.action(token, "deactivate"))
    refused = run_command(rancher, tmp_path / "c", command, **machine)
    assert refused.returncode == 1
    assert "404" in refused.stderr
    calls = [json.loads(line)[0] for line in (tmp_path / "a" / "docker.log").read_text().splitlines()]
    assert calls == ["run", "run"]


def test_settings(rancher: Rancher, admin: Any, prod: Any) -> None:
    setting = admin.by_id_setting("api.host")
    assert (setting.type, setting.value, setting.inDb) == ("activeSetting", "", False)
    assert admin.update(setting, value="http://rancher.example.org").inDb
    token = prod.wait_success(prod.create_registration_token())
    assert token.registrationUrl.startswith("http://rancher.example.org/v1/scripts/")
    assert admin.by_id_setting("no.such.setting").value is None
    admin.delete(admin.by_id_setting("api.host"))
    assert prod.by_id_setting("api.host").value == ""
    assert prod.by_id_setting("api.security.enabled") is None


def test_service_accounts(admin: Any) -> None:
    account = admin.wait_success(admin.create_account(kind="service", name="RemoteMachineService"))
    assert (account.kind, account.baseType) == ("service", "account")
    key = admin._post(account.links.credentials, data={})
    assert key.secretValue and key.accountId == account.id
    gone(admin, admin.reload(account))
    assert refusal(admin.action, admin.by_id_account("1a1"), "deactivate") == "405 LastAdminAccount"


def test_access_control(rancher: Rancher, admin: Any, prod: Any) -> None:
    anyone = rancher.client(access_key="nobody", secret_key="x")
    assert anyone.list_project().data
    (before,) = admin.list_localAuthConfig().data
    assert (before.enabled, before.password) == (False, None)
    admin.create_localAuthConfig(username="root", password="secret", enabled=True)
    with pytest.raises(gdapi.ApiError) as refused:
        rancher.client(access_key="nobody", secret_key="x")
    assert (refused.value.error.status, refused.value.error.code) == (401, "Unauthorized")
    answer = requests.get(f"{rancher.url}/v2-beta/projects", timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert admin.list_project().data
    assert prod.list_stack().data
    login = requests.post(f"{rancher.url}/v2-beta/token", json={"code": "root:secret"}, timeout=10).json()
    bearer = {"Authorization": f"Bearer {login['jwt']}"}
    assert requests.get(f"{rancher.url}/v2-beta/accounts", headers=bearer, timeout=10).status_code == 200
    assert requests.post(f"{rancher.url}/v2-beta/token", json={"code": "root:no"}, timeout=10).status_code == 401
    wrong = refusal(admin.create_localAuthConfig, username="root", password="other", enabled=True)
    assert wrong == "401 IncorrectPassword"


def test_github(rancher: Rancher, admin: Any) -> None:
    config = {
        "type": "config", "provider": "githubconfig", "enabled": True, "accessMode": "restricted",
        "allowedIdentities": [{"externalId": "7", "externalIdType": "github_org"}],
        "githubConfig": {"hostname": None, "scheme": "https://", "clientId": "c", "clientSecret": "s"},
    }  # fmt: skip
    url = f"{rancher.url}/v1-auth/config"
    kept = requests.post(url, json=config, auth=(ACCESS_KEY, SECRET_KEY), timeout=10).json()
    assert (kept["enabled"], kept["accessMode"], kept["githubConfig"]["clientSecret"]) == (True, "restricted", None)
    assert requests.get(url, timeout=10).status_code == 401
    assert admin.by_id_setting("api.security.enabled").value == "true"


def test_environment_keys_see_their_environment_alone(rancher: Rancher, admin: Any, prod: Any) -> None:
    other = environment_client(rancher, admin, admin.wait_success(admin.create_project(name="dev")))
    stack = prod.create_stack(name="a")
    assert other.by_id_stack(stack.id) is None
    assert stack.id not in [s.id for s in other.list_stack().data]
    assert [p.name for p in prod.list_project().data] == ["prod"]
    assert "POST" not in prod.schema.types["project"].collectionMethods
    auth = (prod._access_key, prod._secret_key)
    inside = requests.get(f"{rancher.url}/v2-beta/projects/{prod.project.id}/stacks", auth=auth, timeout=10).json()
    assert inside["links"]["self"].endswith(f"/projects/{prod.project.id}/stacks")
    assert requests.get(f"{rancher.url}/v2-beta/projects/1a5/stacks", auth=auth, timeout=10).status_code == 403
    assert requests.get(f"{rancher.url}/v2-beta/projects/1a99/stacks", auth=auth, timeout=10).status_code == 403


def test_filters_order_and_pages(prod: Any) -> None:
    for number in range(7):
        prod.create_registration_token(name=f"t{number}", description="even" if number % 2 == 0 else None)
    assert [t.name for t in prod.list_registration_token(description="EVEN").data] == ["t0", "t2", "t4", "t6"]
    assert [t.name for t in prod.list_registration_token(description_null="").data] == ["t1", "t3", "t5"]
    assert [t.name for t in prod.list_registration_token(name_prefix="t", name_ne="t3", sort="name", order="desc").data][:3] == ["t6", "t5", "t4"]
    assert len(prod.list_registration_token(no_such_filter="x").data) == 7
    page, names = prod.list_registration_token(limit=3), []
    while True:
        names += [t.name for t in page.data]
        assert page.pagination.partial is (page.pagination.next is not None)
        if page.pagination.next is None:
            break
        page = page.next()
    assert names == [f"t{number}" for number in range(7)]
    registry = prod.create_registry(serverAddress="a")
    prod.create_registry_credential(registryId=registry.id, publicValue="u")
    (listed,) = prod.list_registry(include="credentials").data
    assert [c.publicValue for c in listed.credentials] == ["u"]


def test_errors(rancher: Rancher, prod: Any) -> None:
    assert refusal(prod.create_stack) == "422 MissingRequired name"
    assert refusal(prod.create_stack, name="a_b") == "422 InvalidCharacters name"
    assert refusal(prod.create_stack, name="a-") == "422 InvalidCharacters name"
    assert refusal(prod.create_stack, name="a" * 64) == "422 MaxLengthExceeded name"
    assert refusal(prod.create_secret, name="a") == "422 EmptySecret value"
    assert refusal(prod.create_secret, name="a", value="~") == "422 InvalidBase64 value"
    assert prod.by_id_stack("nonsense") is None
    auth = (prod._access_key, prod._secret_key)
    broken = requests.post(f"{rancher.url}/v2-beta/stacks", data="{", auth=auth, timeout=10)
    assert (broken.status_code, broken.json()["code"]) == (400, "InvalidBodyContent")
    assert requests.get(f"{rancher.url}/v2-beta/nothings", auth=auth, timeout=10).json()["type"] == "error"


def test_the_first_version_of_the_api(rancher: Rancher, prod: Any) -> None:
    old = rancher.client("/v1", prod._access_key, prod._secret_key)
    assert "secret" not in old.schema.types and "stack" not in old.schema.types
    stack = old.wait_success(old.create_environment(name="app", dockerCompose=COMPOSE))
    assert (stack.type, stack.id[:2]) == ("environment", "1e")
    (service,) = stack.services().data
    assert service.environmentId == stack.id
    assert prod.by_id_stack(stack.id.replace("1e", "1st")).name == "app"
    registry = old.wait_success(old.create_registry(serverAddress="quay.io"))
    assert refusal(old.create_registryCredential, registryId=registry.id) == "422 MissingRequired email"


def test_an_older_server(rancher_factory: Callable[..., Rancher]) -> None:
    older = rancher_factory(MUSTER_SANDBOX_RANCHER_VERSION="v1.1.4")
    client = older.client("/v1")
    assert refusal(older.client) == "404 Not Found"
    (config,) = client.list_githubconfig().data
    assert config.enabled is False
    client.create_githubconfig(enabled=True, accessMode="restricted", clientId="c", clientSecret="s")
    assert refusal(older.client, "/v1", "a", "b") == "401 Unauthorized"
    token = older.client("/v1/projects/1a5/schemas").create_registration_token()
    assert token.image == "rancher/agent:v1.0.2"


def test_faults(rancher: Rancher, admin: Any) -> None:
    before = len(admin.list_api_key().data)
    rancher.faults({"kind": "reset connection", "when": "after", "method": "POST", "path": "*/apikeys"})
    with pytest.raises(requests.ConnectionError):
        admin.create_api_key(name="lost")
    assert len(admin.list_api_key().data) == before + 1
    rancher.faults({"kind": "html page", "path": "/v2-beta/projects*"})
    answer = requests.get(f"{rancher.url}/v2-beta/projects", timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    rancher.faults({"kind": "error", "status": 500, "code": "Internal Server Error", "skip": 1})
    assert admin.list_project().data
    assert refusal(admin.list_project) == "500 Internal Server Error"
    rancher.faults({"kind": "delay", "delay": 0.01, "times": None})
    assert requests.get(f"{rancher.url}/ping", timeout=10).text == "pong"
    rancher.control("POST", "faults/reset")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        rancher.faults({"colour": "red"})
    assert [e["fault"] for e in rancher.log() if e["fault"]] == ["reset connection", "html page", "error", "delay"]


def test_a_server_starts_over(rancher: Rancher, admin: Any) -> None:
    def ids() -> list[str]:
        project = admin.create_project(name="p")
        return [project.id, project.uuid, admin.create_api_key(accountId=project.id).publicValue]

    first = ids()
    rancher.reset()
    assert ids() == first


def test_env_names_rancher(rancher: Rancher) -> None:
    script = f'eval "$("{ROOT}/sandbox/env" --dir "{rancher.directory}")" && printf "%s %s" "$RANCHER_URL" "$RANCHER_ACCESS_KEY"'
    done = subprocess.run(["bash", "-c", script], env=rancher.environment, capture_output=True, text=True)
    assert done.stdout == f"{rancher.url} {ACCESS_KEY}"


def test_hostile_requests(rancher: Rancher) -> None:
    """Broken HTTP gets an answer and an end, and the server goes on."""
    import socket

    host, port = rancher.url.removeprefix("http://").split(":")

    def answer(text: bytes) -> bytes:
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            found = b""
            while part := connection.recv(65536):
                found += part
            return found

    assert answer(b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert answer(b"GET / HTTP/2.0\r\nHost: a\r\n\r\n").startswith(b"HTTP/1.1 505")
    assert answer(b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert answer(b"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n").startswith(b"HTTP/1.1 400")
    both = b"POST /v1/token HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert answer(both).startswith(b"HTTP/1.1 400")
    assert answer(b"GET /ping HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000 + b"\r\n\r\n").startswith(b"HTTP/1.1 431")
    assert answer(b"POST /v1/token HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n").startswith(b"HTTP/1.1 413")
    chunks = b"POST /v2-beta/projects/1a5/apikeys HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8;x=1\r\n{\"name\":\r\n4\r\n\"a\"}\r\n0\r\n\r\n"
    two = answer(chunks + b"GET /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert two.startswith(b"HTTP/1.1 201") and two.endswith(b"pong") and b'"name":"a"' in two


def test_spot_fills_groups_that_join_and_leave(rancher: Rancher, prod: Any) -> None:
    token = prod.wait_success(prod.create_registration_token())
    labels = "role=spot&spotinst.instanceId=$(curl -s http://169.254.169.254/latest/meta-data/instance-id)"
    script = f'#!/bin/sh\ndocker run -e CATTLE_HOST_LABELS="{labels}" rancher/agent:v1.2.11 {token.registrationUrl}\n'
    master = {"masterHost": rancher.url + "/v1", "accessKey": prod._access_key, "secretKey": prod._secret_key}
    group = {
        "name": "workers",
        "capacity": {"minimum": 0, "maximum": 4, "target": 2, "unit": "instance"},
        "strategy": {"risk": 100},
        "compute": {
            "product": "Linux/UNIX",
            "instanceTypes": {"ondemand": "m4.large", "spot": ["m4.large"]},
            "availabilityZones": [{"name": "us-east-1a", "subnetIds": ["subnet-1"]}],
            "launchSpecification": {
                "imageId": "ami-1", "securityGroupIds": ["sg-1"], "userData": base64.b64encode(script.encode()).decode(),
            },
        },
        "thirdPartiesIntegration": {"rancher": master | {"version": "1"}},
    }  # fmt: skip
    bearer = {"Authorization": "Bearer sandbox-spot-token"}
    url = f"{rancher.spot_url}/aws/ec2/group"
    made = requests.post(url, json={"group": group}, headers=bearer, params={"accountId": "act-5a4db0b0"}, timeout=10)
    assert made.status_code == 200, made.text
    identifier = made.json()["response"]["items"][0]["id"]

    def until(question: Callable[[], bool]) -> None:
        for _ in range(100):
            if question():
                return
            rancher.advance(0.5)
            time.sleep(0.05)
        raise AssertionError("it never comes to pass")

    until(lambda: [h.state for h in prod.list_host().data] == ["active", "active"])
    status = requests.get(f"{url}/{identifier}/status", headers=bearer, timeout=10).json()["response"]["items"]
    hosts = [getattr(h.labels, "spotinst.instanceId") for h in prod.list_host().data]
    assert sorted(hosts) == sorted(i["instanceId"] for i in status)
    down = requests.put(f"{url}/{identifier}/scale/down?adjustment=1", headers=bearer, timeout=10).json()
    (victim,) = down["response"]["items"][0]["victimInstances"]
    until(lambda: len(prod.list_host().data) == 1)
    assert victim["instanceId"] not in [getattr(h.labels, "spotinst.instanceId") for h in prod.list_host().data]
    assert requests.get(url, headers={"Authorization": "Bearer wrong"}, timeout=10).status_code == 401
    log = rancher.control("GET", "log", url=rancher.spot_url)
    assert [(e["method"], e["status"]) for e in log] == [("POST", 200), ("GET", 200), ("PUT", 200), ("GET", 401)]
