"""muster on a terminal: a pseudo-terminal with a person who reads and types."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from types import TracebackType

from harness import BINARY, Muster

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A run whose three streams are one terminal."""

    def __init__(self, muster: Muster, *arguments: str, columns: int = 100, rows: int = 30, **variables: str) -> None:
        self._file, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = muster.environment | {"TERM": "xterm-256color"} | variables
        self.process = subprocess.Popen(
            [BINARY, *arguments], cwd=muster.folder, env=environment, stdin=other, stdout=other, stderr=other,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        )  # fmt: skip
        os.close(other)
        self.seen = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._file >= 0:
            os.close(self._file)

    def _read(self, seconds: float) -> bool:
        """Reads what is there; False at the end."""
        if not select.select([self._file], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._file, 65536)
        except OSError:
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)

    def expect(self, text: str, seconds: float = 20) -> None:
        """Reads until a text is seen."""
        end = time.monotonic() + seconds
        while text not in CONTROL.sub("", self.seen):
            assert self._read(0.05) and time.monotonic() < end, f"{text!r} did not come:\n{self.seen}"

    def hang_up(self) -> None:
        """The terminal is gone: what is written to it fails, and who ran on it gets SIGHUP."""
        os.close(self._file)
        self._file = -1

    def type(self, text: str) -> None:
        os.write(self._file, text.encode())

    def end(self, seconds: float = 60) -> int:
        """Reads to the end, and gives the exit code."""
        end = time.monotonic() + seconds
        while self._read(0.05):
            assert time.monotonic() < end, f"it does not end:\n{self.seen}"
        return self.process.wait(timeout=seconds)

    @property
    def text(self) -> str:
        """What was seen, without codes."""
        return CONTROL.sub("", self.seen).replace("\r\n", "\n")
