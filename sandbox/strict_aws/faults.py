"""Faults on order: errors, lost answers, proxies in between, slowness."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from typing import Any

_lock = threading.Lock()

KINDS = ("error", "reset connection", "html page", "delay")


@dataclass
class Fault:
    """One order. `times` counts down; `skip` lets that many matching requests pass first."""

    operation: str = "*"
    service: str = "*"
    times: int = 1
    skip: int = 0
    kind: str = "error"
    when: str = "before"  # before: nothing was done; after: it was done and the answer is lost
    status: int = 503
    code: str = "RequestLimitExceeded"
    message: str = "Request limit exceeded."
    delay: float = 0.0

    def matches(self, service: str, operation: str) -> bool:
        return self.operation in ("*", operation) and self.service in ("*", service)


_orders: list[Fault] = []


def order(specifications: Any) -> None:
    """Adds orders from JSON; ValueError says what is wrong with it."""
    if not isinstance(specifications, list):
        raise ValueError("want a list of faults")
    known = {f.name for f in fields(Fault)}
    made = []
    for given in specifications:
        unknown = set(given) - known
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}")
        fault = Fault(**given)
        if fault.kind not in KINDS or fault.when not in ("before", "after"):
            raise ValueError(f"kind is one of {', '.join(KINDS)}; when is before or after")
        made.append(fault)
    with _lock:
        _orders.extend(made)


def reset() -> None:
    """Cancels all orders."""
    with _lock:
        _orders.clear()


def pending() -> list[dict[str, Any]]:
    """The orders still open."""
    with _lock:
        return [vars(f).copy() for f in _orders]


def take(service: str, operation: str) -> Fault | None:
    """The fault for this request, counted down."""
    with _lock:
        for fault in _orders:
            if not fault.matches(service, operation):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                _orders.remove(fault)
            return fault
    return None
