"""Pages of the query services: PageSize or MaxRecords, and an opaque marker."""

from __future__ import annotations

import base64
from typing import Any

from .call import Call
from .errors import AwsError


def page(
    call: Call, items: list[Any], size_name: str, marker_name: str, low: int, high: int, default: int
) -> tuple[list[Any], str | None]:
    """One page and the marker of the next."""
    size = call.params.get(size_name, default)
    if not low <= size <= high:
        code = "InvalidParameterValue" if call.service in ("rds", "elasticache") else "ValidationError"
        raise AwsError(code, f"Invalid value {size} for {size_name}. Must be between {low} and {high}")
    start = 0
    marker = call.params.get(marker_name)
    if marker:
        try:
            name, _, at = base64.b64decode(marker, validate=True).decode().partition("@")
            start = int(at) if name == call.operation else -1
        except ValueError:
            start = -1
        if start < 0:
            code = "InvalidNextToken" if call.service == "autoscaling" else "ValidationError"
            raise AwsError(code, f"Invalid {marker_name}: '{marker}'")
    end = start + size
    following = base64.b64encode(f"{call.operation}@{end}".encode()).decode() if end < len(items) else None
    return items[start:end], following
