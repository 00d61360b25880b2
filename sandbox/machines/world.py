"""Instances of the emulator as machines: each joins Rancher when it runs, and leaves it, or is lost, when it goes."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .reading import Agent, Reader, Unreadable

# How long an agent waits for a server that does not answer, and a machine for its farewell.
PATIENCE = 60.0
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def asked(method: str, url: str, body: Any = None, key: tuple[str, str] | None = None) -> Any:
    """The JSON that a server answers with."""
    data = None if body is None and method == "GET" else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    request.add_header("Content-Type", "application/json")
    request.add_header("Accept", "application/json")
    if key:
        request.add_header("Authorization", "Basic " + base64.b64encode(":".join(key).encode()).decode())
    with _opener.open(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@dataclass
class Machine:
    """One instance, as far as Rancher is concerned."""

    id: str
    # off, on (without an agent), joined, lost
    condition: str = "off"
    work: Future[None] | None = None
    agent: Agent | None = None
    # A machine that left comes back as another host.
    lives: int = 0

    @property
    def is_idle(self) -> bool:
        return self.work is None or self.work.done()


@dataclass
class World:
    """The machines of one emulator and one Rancher."""

    aws: str
    rancher: str
    machines: dict[str, Machine] = field(default_factory=dict)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16))
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def look(self) -> None:
        """Compares the machines with the instances, and begins what there is to do."""
        listed = {m["id"]: m["state"] for m in asked("GET", f"{self.aws}/muster-sandbox/machines")}
        # What vanished altogether was reset, with Rancher.
        for identifier in set(self.machines) - set(listed):
            del self.machines[identifier]
        for identifier, state in listed.items():
            machine = self.machines.setdefault(identifier, Machine(identifier))
            if not machine.is_idle:
                continue
            if state == "running" and machine.condition in ("off", "lost"):
                machine.work = self.pool.submit(self._safely, machine, self._start)
            elif state not in ("pending", "running") and machine.condition in ("on", "joined"):
                machine.work = self.pool.submit(self._safely, machine, self._stop)

    def _safely(self, machine: Machine, step: Any) -> None:
        try:
            step(machine)
        except Exception as error:
            say(f"{machine.id}: {type(error).__name__}: {error}")

    # MARK: Coming

    def _start(self, machine: Machine) -> None:
        was_lost, machine.condition = machine.condition == "lost", "on"
        told = asked("GET", f"{self.aws}/muster-sandbox/machines/{machine.id}")
        if told is None:
            return
        try:
            machine.agent = self._reader(told).read(told["user_data"])
        except Unreadable as reason:
            say(f"{machine.id}: the script ends: {reason}")
            return
        if machine.agent is None:
            return
        if machine.agent.key:
            self._goodbyes(machine, True)
        if was_lost:
            asked("POST", f"{self.rancher}/muster-sandbox/hosts/found", {"machine": machine.id})
        else:
            self._join(machine, machine.agent, told["hostname"])
        machine.condition = "joined"

    def _join(self, machine: Machine, agent: Agent, hostname: str) -> None:
        seed = f"{machine.id}/{machine.lives}"
        body = {
            "registrationUrl": agent.url,
            "hostname": hostname.partition(".")[0],
            "agentIp": agent.address,
            "labels": agent.labels,
            "instanceId": machine.id,
            "registrationKey": hashlib.sha512(seed.encode()).hexdigest(),
            "physicalHostUuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}/machine")),
            "dockerUuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}/docker")),
        }
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                host = asked("POST", f"{self.rancher}/muster-sandbox/hosts", body)["id"]
                say(f"{machine.id}: joined as {host}")
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise
                reason = error.read().decode() if isinstance(error, urllib.error.HTTPError) else str(error)
                say(f"{machine.id}: cannot join yet: {reason}")
                time.sleep(1)

    def _reader(self, told: dict[str, Any]) -> Reader:
        known = {
            "instance-id": told["id"],
            "local-ipv4": told["private_ip"],
            "public-ipv4": told["public_ip"],
            "placement/availability-zone": told["zone"],
            "hostname": told["hostname"],
        }

        def parameter(name: str) -> str:
            self._check(told, "ssm:GetParameter", "ssm", "parameter/" + name.lstrip("/"))
            try:
                found = self._client(told, "ssm").get_parameter(Name=name, WithDecryption=True)
            except Exception as error:
                raise Unreadable(str(error)) from error
            return str(found["Parameter"]["Value"])

        def secret(name: str, key: str | None) -> str:
            self._check(told, "secretsmanager:GetSecretValue", "secretsmanager", f"secret:{name}-AbCdEf")
            try:
                text = str(self._client(told, "secretsmanager").get_secret_value(SecretId=name)["SecretString"])
                return text if key is None else str(json.loads(text)[key])
            except Exception as error:
                raise Unreadable(str(error)) from error

        return Reader(known.get, parameter, secret)

    def _check(self, told: dict[str, Any], action: str, service: str, resource: str) -> None:
        """Refuses what the machine's profile does not allow."""
        if told["policies"] is None:
            raise Unreadable("Unable to locate credentials: the instance has no profile")
        arn = f"arn:aws:{service}:{told['region']}:{told['account']}:{resource}"
        effects = set()
        for document in told["policies"]:
            parsed = json.loads(document) if isinstance(document, str) else document
            for statement in _several(parsed.get("Statement")):
                if _covers(statement, "Action", action) and _covers(statement, "Resource", arn):
                    effects.add(statement.get("Effect"))
        if effects != {"Allow"}:
            raise Unreadable(f"AccessDeniedException: not authorized to perform {action} on {arn}")

    def _client(self, told: dict[str, Any], service: str) -> Any:
        place = (service, told["region"])
        if place not in self._clients:
            import boto3

            self._clients[place] = boto3.client(
                service, region_name=told["region"], endpoint_url=self.aws,
                aws_access_key_id="AKIAMUSTERSANDBOX", aws_secret_access_key="sandbox-secret",
            )  # fmt: skip
        return self._clients[place]

    # MARK: Going

    def _stop(self, machine: Machine) -> None:
        agent, was_joined = machine.agent, machine.condition == "joined"
        machine.condition = "off"
        if not was_joined or agent is None:
            return
        if agent.key is None:
            machine.condition = "lost"
            asked("POST", f"{self.rancher}/muster-sandbox/hosts/lost", {"machine": machine.id})
            say(f"{machine.id}: lost")
            return
        try:
            self._leave(machine, agent, agent.key)
            machine.lives += 1
        except OSError as error:
            say(f"{machine.id}: cannot leave: {error}")
            self._lose_quietly(machine)
        finally:
            self._goodbyes(machine, False)

    def _lose_quietly(self, machine: Machine) -> None:
        machine.condition = "lost"
        try:
            asked("POST", f"{self.rancher}/muster-sandbox/hosts/lost", {"machine": machine.id})
        except OSError:
            pass  # The host is gone too, or Rancher is.

    def _leave(self, machine: Machine, agent: Agent, key: tuple[str, str]) -> None:
        """What the rendered script does: deactivate, evacuate, remove, purge, following the host's state."""
        api = self.rancher + "/" + agent.api.split("/", 3)[3]
        found = [
            h
            for h in asked("GET", f"{api}/hosts?limit=1000", key=key)["data"]
            if (h.get("labels") or {}).get("instance-id") == machine.id
            and h["state"] not in ("removed", "purging", "purged")
        ]
        for host in found:
            url = f"{api}/hosts/{host['id']}"
            deadline, has_evacuated = time.monotonic() + PATIENCE, False
            while host["state"] != "purged":
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{host['id']} stays {host['state']}")
                wanted = {"inactive": "remove", "removed": "purge"}.get(host["state"], "deactivate")
                offered = host.get("actions") or {}
                if host["state"] == "inactive" and not has_evacuated and "evacuate" in offered:
                    asked("POST", f"{url}/?action=evacuate", {}, key)
                    has_evacuated = True
                if wanted in offered:
                    asked("POST", f"{url}/?action={wanted}", {}, key)
                elif host["state"] == "removed":
                    break
                time.sleep(0.1)
                try:
                    host = asked("GET", url, key=key)
                except urllib.error.HTTPError as error:
                    if error.code != 404:
                        raise
                    break
            say(f"{machine.id}: left ({host['id']})")

    def _goodbyes(self, machine: Machine, are_due: bool) -> None:
        asked("POST", f"{self.aws}/muster-sandbox/machines/{machine.id}", {"goodbyes": are_due})


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _covers(statement: dict[str, Any], part: str, text: str) -> bool:
    if f"Not{part}" in statement:
        return not _covers({part: statement[f"Not{part}"]}, part, text)
    return any(fnmatch.fnmatchcase(text.lower(), str(p).lower()) for p in _several(statement.get(part)))


def say(text: str) -> None:
    """A line of the log."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
