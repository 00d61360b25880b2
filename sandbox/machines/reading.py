"""Reads of a script how a Rancher agent is started, without running anything of it.

Assignments are followed line by line, as far as their values are words, metadata, or secrets that are fetched. That is
enough for what muster renders and for the usual scripts of one's own; what it cannot follow is left as it stands.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import shlex
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field

import yaml

_ASSIGNMENT = re.compile(r"^\s*(?:export |\{ )?([A-Za-z_]\w*)=(.*)$")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_GOODBYE = "muster-rancher-leave"
# Options of `docker run` that take no value.
_FLAGS = re.compile(r"--(rm|privileged|detach|interactive|tty|init|read-only)$|-[dit]+$|--[a-z-]+=.*$")


class Unreadable(Exception):
    """Something that the script needs cannot be had: it would end there."""


@dataclass
class Agent:
    """How the agent is started."""

    url: str
    address: str
    labels: dict[str, str]
    # The key with which the machine takes itself out of Rancher; None: it does not.
    key: tuple[str, str] | None = None
    api: str = ""


@dataclass
class Reader:
    """What a script may ask: the metadata service and places of secrets."""

    metadata: Callable[[str], str | None]
    parameter: Callable[[str], str]
    secret: Callable[[str, str | None], str]
    known: dict[str, str] = field(default_factory=dict)

    def read(self, user_data: str) -> Agent | None:
        """The agent that the user data start; None when they start none."""
        text = _script(_decoded(user_data))
        if not re.search(r"docker +run", text) or "CATTLE_" not in text and "rancher/agent" not in text:
            return None
        lines = re.sub(r"\\\n\s*", " ", text).splitlines()
        for line in lines:
            if re.match(r"\s*(sudo +)?docker +run ", line) and (agent := self._agent(line)):
                if _GOODBYE in text and "access" in self.known and "secret" in self.known:
                    agent.key = (self.known["access"], self.known["secret"])
                    agent.api = self.known.get("api") or agent.url.partition("/scripts/")[0]
                return agent
            if found := re.match(r"\s*echo (.+) >\S*/etc/muster/api$", line):
                self.known["api"] = self._word(found[1])
            if found := _ASSIGNMENT.match(line):
                self._assign(found[1], found[2])
        return None

    def _assign(self, name: str, value: str) -> None:
        if value.startswith("$("):
            told = self._command(value[2:].partition(")")[0].strip())
        else:
            told = self._word(value)
        if told is not None:
            self.known[name] = told

    def _word(self, text: str) -> str:
        """The first word, with what is known put in; nothing is expanded in single quotes."""
        out, rest = "", text
        while rest and not rest[0].isspace() and rest[0] not in ";|&":
            if rest[0] == "'":
                part, _, rest = rest[1:].partition("'")
                out += part
            elif rest[0] == '"':
                found = re.match(r'"((?:\\.|[^"\\])*)"?', rest)
                assert found
                out += self._expanded(re.sub(r'\\(["\\$`])', r"\1", found[1]))
                rest = rest[found.end() :]
            elif rest[0] == "\\":
                out, rest = out + rest[1:2], rest[2:]
            else:
                found = re.match(r"[^\s;|&'\"\\]+", rest)
                assert found
                out += self._expanded(found[0])
                rest = rest[found.end() :]
        return out

    def _expanded(self, text: str) -> str:
        text = text.replace("${url%%/scripts/*}", self.known.get("url", "").partition("/scripts/")[0])
        return _VARIABLE.sub(lambda m: self.known.get(m[1] or m[2], m[0]), text)

    def _command(self, command: str) -> str | None:
        """What a command of muster's scripts prints; None for any other."""
        first, _, member = command.partition(" | member ")
        words = shlex.split(first)
        if len(words) < 2:
            return None
        name, word = words[0], self._expanded(words[-1 if words[0] in ("curl", "printf") else 1])
        key = self._word(member) if member else None
        if name == "meta":
            told = self.metadata(word)
            if told is None:
                raise Unreadable(f"the metadata service does not say {word}")
            return told
        if name == "parameter":
            return self.parameter(word)
        if name == "managed_secret":
            return self.secret(word, key)
        if name == "fetch" and word.startswith("ssm:"):
            return self.parameter(word[4:])
        if name == "fetch" and word.startswith("secretsmanager:"):
            place, _, key = word[15:].partition("#")
            return self.secret(place, key or None)
        if name == "fetch":
            raise Unreadable(f"{word} cannot be reached from a machine")
        if name == "printf":
            return word
        # What the metadata service tells a script of one's own.
        if name == "curl" and "169.254.169.254/latest/meta-data/" in word:
            return self.metadata(word.partition("/latest/meta-data/")[2])
        return None

    def _agent(self, command: str) -> Agent | None:
        words = [self._word(shlex.quote(w) if "$" not in w else f'"{w}"') for w in shlex.split(command)]
        words = words[words.index("run") + 1 :]
        environment: dict[str, str] = {}
        while words and words[0].startswith("-"):
            option = words.pop(0)
            if option in ("-e", "--env") and words:
                name, _, value = words.pop(0).partition("=")
                environment[name] = value
            elif not _FLAGS.match(option) and words:
                words.pop(0)
        if len(words) < 2 or not re.search(r"(^|/)agent(:|$)", words[0]) or "/scripts/" not in words[1]:
            return None
        labels: dict[str, str] = {}
        for name, value in urllib.parse.parse_qsl(environment.get("CATTLE_HOST_LABELS", ""), keep_blank_values=True):
            labels.setdefault(name.strip(), value.strip())
        address = environment.get("CATTLE_AGENT_IP") or self.metadata("local-ipv4") or ""
        return Agent(words[1], address, labels)


def _decoded(user_data: str) -> str:
    try:
        raw = base64.b64decode(user_data)
        return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8", "replace")
    except (binascii.Error, OSError, EOFError):
        return ""


def _script(text: str) -> str:
    """The script itself, or the files that a cloud-config of RancherOS writes."""
    if not text.startswith("#cloud-config"):
        return text
    try:
        config = yaml.safe_load(text) or {}
        files = [str(f.get("content", "")) for f in config.get("write_files") or []]
        lines = [line if isinstance(line, str) else shlex.join(line) for line in config.get("runcmd") or []]
    except (yaml.YAMLError, AttributeError, TypeError):
        return ""
    return "\n".join(files + lines)
