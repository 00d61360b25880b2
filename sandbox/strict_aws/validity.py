"""Whether a request is valid by AWS's own service model: what `MUSTER_SANDBOX_VALIDATE=1` asks of every request of muster.

The rules are botocore's data: the operation, its members, required ones, types, enums, bounds and patterns. Unlike botocore,
which leaves most of that to the service, everything that the model says is checked. Patterns must match the whole text.
"""

from __future__ import annotations

import base64
import json
import os
import re
import threading
import urllib.parse
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from . import wire
from .errors import AwsError

CODE = "SandboxInvalidRequest"
# Services that have no handlers of ours, as `app.SERVICES` has the others.
MORE_SERVICES: dict[str, tuple[str, str]] = {
    "monitoring": ("cloudwatch", "query"),
    "secretsmanager": ("secretsmanager", "json"),
}

_lock = threading.Lock()
_refused: list[dict[str, Any]] = []


def is_on() -> bool:
    """Whether requests are checked at all."""
    return os.environ.get("MUSTER_SANDBOX_VALIDATE") == "1"


def concerns(user_agent: str | None) -> bool:
    """Whether it is a request of muster: tests break things by other clients on purpose."""
    return (user_agent or "").startswith("muster/")


def refused() -> list[dict[str, Any]]:
    """The requests that were refused since they were last forgotten."""
    with _lock:
        return list(_refused)


def forget() -> None:
    """Forgets the refused requests. A reset of the sandbox does not."""
    with _lock:
        _refused.clear()


def check(service: str, protocol: str, method: str, target: str, headers: Any, body: bytes) -> list[str]:
    """What is wrong with a request, in sentences; it is noted, so that a test can ask afterwards."""
    operation, found = _problems(service, protocol, method, target, headers, body)
    if found:
        with _lock:
            _refused.append({"service": service, "operation": operation, "problems": found})
    return found


# MARK: from the wire


def _problems(
    service: str, protocol: str, method: str, target: str, headers: Any, body: bytes
) -> tuple[str, list[str]]:
    parts = urllib.parse.urlsplit(target)
    try:
        model = wire.service_model(service)
    except Exception:  # noqa: BLE001: whatever botocore says, it has none
        return "?", [f"there is no model of a service {service}"]
    if protocol == "rest-xml":
        return _rest(service, method, parts.path, parts.query, headers, body)
    if method != "POST" or parts.path not in ("", "/"):
        return "?", [f"{method} {parts.path} is not POST /"]
    if protocol == "json":
        return _json(service, headers, body)
    text = body.decode("utf-8", "replace")
    pairs = urllib.parse.parse_qsl(text, keep_blank_values=True)
    flat = dict(pairs)
    name = flat.get("Action", "?")
    if len(flat) < len(pairs):
        return name, ["a parameter is sent twice"]
    operation = wire.operation_model(service, name)
    if operation is None:
        return name, [f"{service} has no operation {name}"]
    found = []
    if flat.get("Version") != model.api_version:
        found.append(f"Version is {flat.get('Version')!r}, not {model.api_version}")
    try:
        params = wire.parse_form(operation, flat, protocol)
    except AwsError as error:
        return name, [*found, error.message]
    return name, found + problems(operation, params)


def _json(service: str, headers: Any, body: bytes) -> tuple[str, list[str]]:
    prefix, _, name = str(headers.get("X-Amz-Target", "?")).rpartition(".")
    metadata = wire.service_model(service).metadata
    operation = wire.operation_model(service, name)
    if operation is None:
        return name, [f"{service} has no operation {name}"]
    found = []
    if prefix != metadata["targetPrefix"]:
        found.append(f"the target begins with {prefix}, not {metadata['targetPrefix']}")
    wanted = f"application/x-amz-json-{metadata['jsonVersion']}"
    if headers.get("Content-Type") != wanted:
        found.append(f"the content type is {headers.get('Content-Type')}, not {wanted}")
    try:
        params = json.loads(body)
    except ValueError:
        return name, [*found, "the body is not JSON"]
    return name, found + problems(operation, params)


def _rest(service: str, method: str, path: str, query: str, headers: Any, body: bytes) -> tuple[str, list[str]]:
    try:
        name, params = wire.parse_rest(service, method, path, query, headers, body)
    except AwsError as error:
        return f"{method} {path}", [error.message]
    operation = wire.operation_model(service, name)
    assert operation is not None
    found = []
    shape = operation.input_shape
    known = {
        inner.serialization.get("name", member)
        for member, inner in (shape.members.items() if shape is not None else [])
        if inner.serialization.get("location") == "querystring"
    }
    fixed = urllib.parse.parse_qs(urllib.parse.urlsplit(operation.http["requestUri"]).query, keep_blank_values=True)
    for argument in urllib.parse.parse_qs(query, keep_blank_values=True):
        if argument not in known and argument not in fixed:
            found.append(f"the operation has no query parameter {argument}")
    return name, found + problems(operation, params)


# MARK: by the model


def problems(operation: OperationModel, params: Any) -> list[str]:
    """What the model of an operation has against parameters."""
    found: list[str] = []
    shape = operation.input_shape
    if shape is None:
        return [f"{operation.name} takes no parameters"] if params else []
    _look(shape, params, "", found)
    return found


def _look(shape: Shape, value: Any, place: str, found: list[str]) -> None:
    kind = shape.type_name
    title = place or "the request"
    if not _has_type(kind, value):
        found.append(f"{title}: {type(value).__name__} {value!r} is no {kind}")
        return
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if name not in value:
                found.append(f"{place}.{name}: required".lstrip("."))
        for name, inner in value.items():
            if name not in shape.members:
                found.append(f"{place}.{name}: not a member of {shape.name}".lstrip("."))
            else:
                _look(shape.members[name], inner, f"{place}.{name}".lstrip("."), found)
        if getattr(shape, "is_tagged_union", False) and len(value) != 1:
            found.append(f"{title}: exactly one member may be set")
        return
    if isinstance(shape, ListShape):
        _bounds(shape, len(value), f"{title}: {len(value)} elements", found)
        for index, element in enumerate(value):
            _look(shape.member, element, f"{place}[{index}]", found)
        return
    if isinstance(shape, MapShape):
        _bounds(shape, len(value), f"{title}: {len(value)} entries", found)
        for key, element in value.items():
            _look(shape.key, key, f"{place} key {key!r}", found)
            _look(shape.value, element, f"{place}[{key}]", found)
        return
    if kind in ("integer", "long", "float", "double"):
        _bounds(shape, value, f"{title}: {value}", found)
    elif kind == "string":
        _bounds(shape, len(value), f"{title}: {len(value)} characters", found)
        allowed = getattr(shape, "enum", None)
        if allowed and value not in allowed:
            found.append(f"{title}: {value!r} is none of {', '.join(allowed[:12])}{', …' if len(allowed) > 12 else ''}")
        pattern = shape.metadata.get("pattern")
        if pattern and not compiled(pattern).fullmatch(value):
            found.append(f"{title}: {value!r} does not match {pattern}")
    elif kind == "blob":
        _bounds(shape, len(_bytes(value)), f"{title}: {len(_bytes(value))} bytes", found)


def _has_type(kind: str, value: Any) -> bool:
    match kind:
        case "structure" | "map":
            return isinstance(value, dict)
        case "list":
            return isinstance(value, list)
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "long":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float" | "double":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "blob":
            return isinstance(value, bytes) or (isinstance(value, str) and _is_base64(value))
        case _:
            # A timestamp is text, seconds or, of the form protocols, parsed already.
            return not isinstance(value, (bool, dict, list)) and value is not None


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else base64.b64decode(value)


def _bounds(shape: Shape, size: float, what: str, found: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        found.append(f"{what}, at least {low}")
    if high is not None and size > high:
        found.append(f"{what}, at most {high}")


# What the models' expressions have and Python's have not. Letters include digits and `_`, which those classes have too.
_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s", r"\p{ASCII}": r"[\x00-\x7f]"}
# Two ways to write what lies beyond 16 bits.
_BEYOND = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\u10000-\u10FFFF")


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A model's pattern for Python; what cannot be translated raises."""
    text = pattern
    for name, own in _CLASSES.items():
        text = text.replace(name, own)
    for range_ in _BEYOND:
        text = text.replace(range_, r"\U00010000-\U0010ffff")
    return re.compile(text)
