"""A proxy between muster and the sandbox that loses, breaks and stops what passes, where it is told to.

Bytes are passed on as they came, with the `Host` that was signed, so signatures stay valid; connections are kept alive on
both sides. Two things can be ordered:

- a `Trap` stops at one boundary of one call and does something there, such as killing muster;
- `Weather` spoils calls at random, by rates per kind of fault, from a seed. What befalls the n-th call of an operation
  hangs on the seed, the operation and n alone, so that a seed says the same again even though calls run side by side.
"""

from __future__ import annotations

import random
import re
import socket
import struct
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from types import TracebackType

from harness import READS

BOUNDARIES = ("before the send", "after the effect", "in the middle of the reply", "after the reply")


@dataclass
class Call:
    """One request of muster."""

    operation: str
    service: str
    number: int  # of this operation, from 1
    head: bytes
    body: bytes

    @property
    def changes(self) -> bool:
        return not READS.match(self.operation)


@dataclass
class Trap:
    """Stops the `number`-th call that `matches`, at a boundary, and acts there; then the connection is dropped.

    With `goes_on` the call goes on after the action instead.
    """

    boundary: str
    action: Callable[[Call], None]
    matches: Callable[[Call], bool] = field(default=lambda call: call.changes)
    number: int = 1
    goes_on: bool = False
    sprung: threading.Event = field(default_factory=threading.Event)
    seen: int = 0
    call: Call | None = None

    def __post_init__(self) -> None:
        assert self.boundary in BOUNDARIES, self.boundary


@dataclass
class Weather:
    """Rates of faults among all calls."""

    seed: int
    throttle: float = 0.0
    error: float = 0.0  # HTTP 500: half of them before the effect, half after
    reset: float = 0.0  # half before, half after
    lost: float = 0.0  # done, and the reply never comes: the connection ends
    told: Counter[str] = field(default_factory=Counter)

    def fault(self, call: Call) -> tuple[str, str]:
        """What befalls a call: a kind, and before or after its effect."""
        draw = random.Random(f"{self.seed}/{call.operation}/{call.number}")
        chance = draw.random()
        when = draw.choice(("before", "after"))
        for kind, rate in (("throttle", self.throttle), ("error", self.error), ("reset", self.reset), ("lost", self.lost)):
            if chance < rate:
                self.told[kind] += 1
                return kind, {"throttle": "before", "lost": "after"}.get(kind, when)
            chance -= rate
        return "", ""


class Proxy:
    """Listens on a free port until it is closed."""

    def __init__(self, upstream: str) -> None:
        parts = urllib.parse.urlsplit(upstream)
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._traps: list[Trap] = []
        self.weather: Weather | None = None
        # By how many seconds the clock of the other side seems to be ahead.
        self.ahead = 0.0
        # An error that a call gets instead of passing: status, code and message.
        self.refuse: Callable[[Call], tuple[int, str, str] | None] = lambda _: None
        self.calls: list[Call] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def reset(self) -> None:
        """Nothing is ordered, nothing was counted."""
        with self._lock:
            self._traps.clear()
            self._counts.clear()
            self.calls.clear()
            self.weather = None
            self.ahead = 0.0
            self.refuse = lambda _: None

    def trap(self, trap: Trap) -> Trap:
        with self._lock:
            self._traps.append(trap)
        return trap

    # MARK: Passing on

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upstream: socket.socket | None = None
        with suppress(OSError, _Ended), client, client.makefile("rb") as incoming:
            try:
                while True:
                    head, body = _message(incoming)
                    call = self._note(head, body)
                    if upstream is None:
                        upstream = socket.create_connection(self._upstream)
                        upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        answers = upstream.makefile("rb")
                    self._pass(call, client, upstream, answers)
            except _Reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            finally:
                if upstream is not None:
                    answers.close()
                    upstream.close()

    def _note(self, head: bytes, body: bytes) -> Call:
        operation, service = _name(head, body)
        with self._lock:
            self._counts[operation] += 1
            call = Call(operation, service, self._counts[operation], head, body)
            self.calls.append(call)
        return call

    def _pass(self, call: Call, client: socket.socket, upstream: socket.socket, answers: object) -> None:
        kind, when = self.weather.fault(call) if self.weather else ("", "")
        trap = self._sprung(call)

        def at(boundary: str) -> None:
            if trap is None or trap.boundary != boundary:
                return
            trap.action(call)
            trap.sprung.set()
            if not trap.goes_on:
                raise _Ended

        at("before the send")
        if refusal := self.refuse(call):
            client.sendall(self._dated(_refusal(call, *refusal)))
            return
        if when == "before":
            _spoil(kind, call, client)
            return
        upstream.sendall(call.head + call.body)
        head, body = _message(answers)
        at("after the effect")
        if when == "after":
            _spoil(kind, call, client)
            return
        head = self._dated(head)
        reply = head + body
        if trap is not None and trap.boundary == "in the middle of the reply":
            client.sendall(reply[: len(head) + len(body) // 2])
            at("in the middle of the reply")
            client.sendall(reply[len(head) + len(body) // 2 :])
        else:
            client.sendall(reply)
        at("after the reply")

    def _dated(self, reply: bytes) -> bytes:
        if not self.ahead:
            return reply
        date = formatdate(time.time() + self.ahead, usegmt=True).encode()
        return re.sub(rb"(?im)^date: [^\r\n]*", b"Date: " + date, reply, count=1)

    def _sprung(self, call: Call) -> Trap | None:
        with self._lock:
            for trap in self._traps:
                if not trap.matches(call):
                    continue
                trap.seen += 1
                if trap.seen == trap.number:
                    trap.call = call
                    self._traps.remove(trap)
                    return trap
        return None


class _Ended(Exception):
    """The connection is over."""


class _Reset(Exception):
    """The connection is over, and the other side is to see it as broken."""


def _message(stream: object) -> tuple[bytes, bytes]:
    """A request or an answer: its head and its body, as on the wire."""
    head = b""
    while True:
        line = stream.readline()  # type: ignore[attr-defined]
        if not line:
            raise _Ended
        head += line
        if line in (b"\r\n", b"\n"):
            break
    length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
    if re.search(rb"(?im)^transfer-encoding:\s*chunked", head):
        body = b""
        while True:
            line = stream.readline()  # type: ignore[attr-defined]
            size = int(line.split(b";")[0], 16)
            body += line + stream.read(size + 2)  # type: ignore[attr-defined]
            if size == 0:
                return head, body
    count = int(length[1]) if length else 0
    body = stream.read(count) if count else b""  # type: ignore[attr-defined]
    if len(body) < count:
        raise _Ended
    return head, body


_REST = (
    ("POST", r"/hostedzone/[^/]+/rrset/?$", "ChangeResourceRecordSets"),
    ("POST", r"/hostedzone/[^/]+/(dis)?associatevpc", "AssociateVPCWithHostedZone"),
    ("POST", r"/hostedzone/?$", "CreateHostedZone"),
    ("POST", r"/hostedzone/[^/]+$", "UpdateHostedZoneComment"),
    ("DELETE", r"/hostedzone/[^/]+$", "DeleteHostedZone"),
    ("POST", r"/tags/", "ChangeTagsForResource"),
    ("GET", r".*", "GetRest"),
)


def _name(head: bytes, body: bytes) -> tuple[str, str]:
    """The operation and the signing name of a request."""
    text = head.decode("latin-1")
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", text)
    service = scope[1] if scope else "?"
    target = re.search(r"(?im)^x-amz-target:\s*\S*?\.?(\w+)\s*$", text)
    if target:
        return target[1], service
    action = re.search(rb"(?:^|&)Action=(\w+)", body)
    if action:
        return action[1].decode(), service
    method, path = text.split(" ", 2)[:2]
    for verb, pattern, name in _REST:
        if verb == method and re.search(pattern, path.partition("?")[0]):
            return name, service
    return f"{method} {path}", service


def _spoil(kind: str, call: Call, client: socket.socket) -> None:
    if kind == "reset":
        raise _Reset
    if kind == "lost":
        raise _Ended
    if kind == "throttle":
        status, code, message = (503, "RequestLimitExceeded", "Request limit exceeded.") if call.service == "ec2" else (
            400, "Throttling" if call.service != "ssm" else "ThrottlingException", "Rate exceeded")  # fmt: skip
    else:
        status, code, message = 500, "InternalError" if call.service == "ec2" else "InternalFailure", "An internal error has occurred."
    client.sendall(_refusal(call, status, code, message))


def _refusal(call: Call, status: int, code: str, message: str) -> bytes:
    """An error in the words of the service's protocol."""
    if b"\nx-amz-target:" in call.head.lower():
        body, kind_of = f'{{"__type":"{code}","message":"{message}"}}', "application/x-amz-json-1.1"
    elif call.service == "ec2":
        body, kind_of = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            "<RequestID>00000000-0000-0000-0000-00000000fa17</RequestID></Response>", "text/xml")  # fmt: skip
    else:
        body, kind_of = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            "<RequestId>00000000-0000-0000-0000-00000000fa17</RequestId></ErrorResponse>", "text/xml")  # fmt: skip
    date = formatdate(usegmt=True)
    return (
        f"HTTP/1.1 {status} Spoiled\r\nDate: {date}\r\nContent-Type: {kind_of}\r\n"
        f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
    ).encode()
