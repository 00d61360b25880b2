"""How long things stay pending: MUSTER_SANDBOX_DELAY seconds times a share per kind of change, on the wall clock."""

from __future__ import annotations

import os
import time

delay_seconds: float = float(os.environ.get("MUSTER_SANDBOX_DELAY", "1"))
linger_seconds: float = float(os.environ.get("MUSTER_SANDBOX_LINGER", "3600"))  # how long the deleted stay listed

# Shares of the delay. Only the order matters: a subnet is ready long before a NAT gateway is.
SHARES: dict[str, float] = {
    "vpc": 0.25,
    "subnet": 0.25,
    "association": 0.25,
    "metadata": 0.25,
    "volume": 0.25,
    "profile": 0.5,
    "instance": 1.0,
    "nat": 1.0,
    "endpoint": 1.0,
    "dns": 1.0,
    "certificate": 1.0,
    "load_balancer": 1.0,
    "database": 1.5,
    "cache": 1.5,
    "group": 1.0,
}


_ahead = 0.0


def now() -> float:
    """Seconds on a clock that only runs forward: the wall's, and what tests have put it ahead."""
    return time.monotonic() + _ahead


def wall() -> float:
    """The time of day, in seconds since 1970, put ahead likewise: windows are on it."""
    return time.time() + _ahead


def advance(seconds: float) -> None:
    """Puts the clock ahead, so that tests need not wait."""
    global _ahead
    _ahead += max(0.0, seconds)


def restart() -> None:
    """Takes back what it was put ahead, when everything that was timed is forgotten."""
    global _ahead
    _ahead = 0.0


def is_pending(kind: str, since: float | None) -> bool:
    """Whether a change of that kind, begun at `since`, is still under way."""
    return since is not None and now() - since < delay_seconds * SHARES[kind]
