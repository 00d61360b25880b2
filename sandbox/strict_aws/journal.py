"""The request log: one entry per request, in memory and, with MUSTER_SANDBOX_LOG, as JSON lines in a file."""

from __future__ import annotations

import json
import os
import threading
from typing import Any, TextIO

_lock = threading.Lock()
_entries: list[dict[str, Any]] = []
_file: TextIO | None = None
_KEPT = 200_000


def start() -> None:
    """Opens the log file if one is asked for."""
    global _file
    path = os.environ.get("MUSTER_SANDBOX_LOG")
    if path:
        _file = open(path, "a", encoding="utf-8", buffering=1)


def write(entry: dict[str, Any]) -> None:
    """Adds an entry."""
    with _lock:
        entry["number"] = len(_entries) + 1
        if len(_entries) < _KEPT:
            _entries.append(entry)
        if _file is not None:
            _file.write(json.dumps(entry, default=str) + "\n")


def entries() -> list[dict[str, Any]]:
    """All entries since the last reset."""
    with _lock:
        return list(_entries)


def reset() -> None:
    """Forgets the entries in memory; the file is kept."""
    with _lock:
        _entries.clear()


def flatten(params: Any, prefix: str = "") -> dict[str, Any]:
    """Nested parameters as `A.1.B` keys, as the query protocols spell them."""
    if isinstance(params, dict):
        out: dict[str, Any] = {}
        for key, value in params.items():
            out.update(flatten(value, f"{prefix}{key}."))
        return out
    if isinstance(params, list):
        out = {}
        for index, value in enumerate(params, 1):
            out.update(flatten(value, f"{prefix}{index}."))
        return out
    return {prefix.rstrip("."): params if isinstance(params, (str, int, float, bool)) else str(params)}
