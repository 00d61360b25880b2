"""A threaded HTTP/1.1 server that keeps connections alive (moto's closes after every answer)."""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from email.utils import formatdate
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """A request, read whole."""

    method: str
    target: str  # as on the wire: path and query, still encoded
    headers: Message
    body: bytes
    connection: int  # counts connections, so that tests see keep-alive

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass
class Answer:
    """An answer. `reset` drops the connection instead."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: bool = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 300
    application: Callable[[Request], Answer]
    counter = itertools.count(1)

    def setup(self) -> None:
        super().setup()
        self.number = next(self.counter)

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(chunks)
        wanted = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(wanted)
        if len(body) < wanted:
            raise ConnectionError("the client went away in the middle of a request")
        return body

    def _serve(self) -> None:
        try:
            body = self._body()
        except (ConnectionError, ValueError):
            # Nobody waits for an answer, and half a request asks for nothing.
            self.close_connection = True
            return
        request = Request(self.command, self.path, self.headers, body, self.number)
        answer = type(self).application(request)
        if answer.reset:
            # RST instead of FIN: what a client sees of a peer that died.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        lines = [
            f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Unknown')}",
            f"Date: {formatdate(usegmt=True)}",
        ]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        if not (answer.status == 204 or any(n.lower() == "content-length" for n in answer.headers)):
            lines.append(f"Content-Length: {len(answer.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        self.wfile.write(head if self.command == "HEAD" else head + answer.body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Silent: the journal is the log."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError, OSError):
            self.close_connection = True

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()


class Server(ThreadingHTTPServer):
    """Listens at once; serves when told to."""

    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, host: str, port: int, application: Callable[[Request], Answer]) -> None:
        handler = type("Handler", (_Handler,), {"application": staticmethod(application)})
        super().__init__((host, port), handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no event."""
