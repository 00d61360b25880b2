"""Faults of the machine that muster runs on: a disk that is full or read-only, files that may not grow."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import Muster


@dataclass
class Disk:
    """A small disk under the state of a workspace, in a mount namespace of its own.

    Only what is run through `wrapper` sees it; the namespace lives as long as the holder.
    """

    folder: Path
    holder: subprocess.Popen[str]
    isolation: list[str]

    @property
    def wrapper(self) -> list[str]:
        namespaces = ["-U", "--preserve-credentials"] if "-r" in self.isolation else []
        return ["nsenter", "-t", str(self.holder.pid), "-m", *namespaces, f"--wd={self.folder.parent}", "--"]

    def do(self, command: str, check: bool = True) -> None:
        subprocess.run([*self.wrapper, "sh", "-c", command], check=check, capture_output=True, env=dict(os.environ, D=str(self.folder)))

    def fill(self) -> None:
        """Leaves no room at all."""
        self.do('dd if=/dev/zero of="$D/fill" bs=512; sync', check=False)

    def free(self) -> None:
        self.do('rm -f "$D/fill"')

    def read_only(self) -> None:
        self.do('mount -o remount,ro "$D"')

    def read_write(self) -> None:
        self.do('mount -o remount,rw "$D"')

    def file(self, name: str) -> Path:
        """A file of the disk, as seen from outside."""
        return Path(f"/proc/{self.holder.pid}/root{self.folder}/{name}")


@contextmanager
def small_disk(muster: Muster, kibibytes: int = 1024) -> Iterator[Disk]:
    """Puts the state of a workspace on a small disk; what is there already moves along."""
    folder = muster.state.parent
    for isolation in (["-m"], ["-r", "-m"]):
        script = f'mount -t tmpfs -o size={kibibytes}k tmpfs "$1" && echo ready && exec sleep 600'
        holder = subprocess.Popen(
            ["unshare", *isolation, "--propagation", "private", "sh", "-c", script, "sh", str(folder)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert holder.stdout is not None
        if holder.stdout.readline() == "ready\n":
            break
        holder.wait()
    else:
        pytest.skip("mounting is not permitted here, not even in a namespace of one's own")
    disk = Disk(folder, holder, isolation)
    for path in folder.iterdir():
        # From outside into the namespace: its root is reached through the holder.
        shutil.copy2(path, disk.file(path.name))
    muster.wrapper = disk.wrapper
    try:
        yield disk
    finally:
        muster.wrapper = []
        holder.kill()
        holder.wait()


class Platter:
    """A disk whose power can be cut: a filesystem in an image, of which only what was synced is there afterwards.

    What a program writes and does not sync stays in the page cache of the mounted filesystem and does not reach the
    image, so that a copy of the image at some instant is what a loss of power at that instant leaves.
    """

    def __init__(self, muster: Muster, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.muster = muster
        self.images = folder
        self.number = 0
        self.holder: subprocess.Popen[str] | None = None

    @staticmethod
    def is_possible() -> bool:
        """Mounting an image wants root, a loop device and ext4."""
        return os.geteuid() == 0 and Path("/dev/loop-control").exists() and shutil.which("mkfs.ext4") is not None

    @property
    def image(self) -> Path:
        return self.images / f"{self.number}.img"

    def file(self, name: str) -> Path:
        assert self.holder is not None
        return Path(f"/proc/{self.holder.pid}/root{self.muster.state.parent}/{name}")

    def renew(self) -> None:
        """An empty disk."""
        self.close()
        self.number += 1
        with open(self.image, "wb") as image:
            image.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True, capture_output=True)
        self._mount()

    def _mount(self) -> None:
        self.holder = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "sh", "-c", 'mount -o loop "$1" "$2" && echo ready && exec sleep 3600',
             "sh", str(self.image), str(self.muster.state.parent)], stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.holder.stdout is not None
        if self.holder.stdout.readline() != "ready\n":
            pytest.skip("an image cannot be mounted here")
        self.muster.wrapper = ["nsenter", "-t", str(self.holder.pid), "-m", f"--wd={self.muster.folder}", "--"]

    def cut(self, process: subprocess.Popen[str]) -> None:
        """The power is gone: the process with it, and all that was not synced."""
        process.send_signal(signal.SIGSTOP)
        # One that syncs stands still when that is done: an image is not copied while it changes.
        tasks = Path(f"/proc/{process.pid}/task")
        while any(task.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "T" for task in tasks.iterdir()):
            time.sleep(0.001)
        lost = self.file("never-synced")
        lost.write_bytes(b"x" * 4096)
        shutil.copyfile(self.image, self.images / f"{self.number + 1}.img")
        process.kill()
        process.wait()

    def restore(self) -> None:
        """The machine starts again, from what was on the disk."""
        self.close()
        self.number += 1
        self._mount()
        lost = self.file("never-synced")
        assert not lost.exists() or lost.stat().st_size == 0, "what was not synced should be gone"

    def close(self) -> None:
        if self.holder is not None:
            self.holder.kill()
            self.holder.wait()
            self.image.unlink()
        self.holder = None
        self.muster.wrapper = []


def may_not_grow(limit: int) -> None:
    """For `preexec_fn`: no file of the process may become larger."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
