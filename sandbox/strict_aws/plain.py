"""moto's result objects as plain dictionaries with botocore's member names.

moto serialises by asking each object for every member under several aliases, which takes milliseconds per object. Here
the aliases are worked out once per shape and class, and the walk is compiled per operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StructureShape

Converter = Callable[[Any], Any]
Transformers = dict[str, Callable[[Any], Any]]
_MISSING = object()


def _with_snake_case(names: list[str]) -> list[str]:
    out: list[str] = []
    for name in names:
        for candidate in (name, xform_name(name)):
            if candidate not in out:
                out.append(candidate)
    return out


class _Member:
    """One member of a structure: where an object may keep it, and how to convert it."""

    def __init__(self, name: str, shape: Shape, parent: StructureShape, path: str, transformers: Transformers) -> None:
        self.name = name
        self.shape = shape
        self.parent = parent
        self.by_class: dict[type, list[str]] = {}
        self.path = f"{path}.{name}"
        self.transform = next((t for end, t in transformers.items() if self.path.endswith(end)), None)
        self.transformers = transformers
        self._convert: Converter | None = None

    def convert(self, value: Any) -> Any:
        if self._convert is None:
            self._convert = compile_shape(self.shape, self.path, self.transformers)
        return self._convert(value)

    def candidates(self, owner: type) -> list[str]:
        known = self.by_class.get(owner)
        if known is not None:
            return known
        names: list[str] = []
        aliases = getattr(getattr(owner, "Meta", None), "serialization_aliases", {})
        if self.name in aliases:
            names.append(aliases[self.name])
        if self.shape.type_name in ("list", "structure"):
            if self.shape.name not in self.parent.members and self.shape.name != self.name:
                names.append(self.shape.name)
        names.append(self.name)
        prefix = self.parent.name
        if self.name.lower().startswith(prefix.lower()) and self.name[len(prefix) :] not in self.parent.members:
            names.append(self.name[len(prefix) :])
        if self.name.lower().startswith(owner.__name__.lower()):
            names.append(self.name[len(owner.__name__) :])
        wire = self.shape.serialization.get("name", self.name)
        if wire != self.name:
            names.append(wire)
        found = [n for n in _with_snake_case(names) if n]
        self.by_class[owner] = found
        return found

    def read(self, owner: Any, kind: type) -> Any:
        candidates = self.candidates(kind)
        if kind is dict:
            for name in candidates:
                if name in owner:
                    return owner[name]
            return None
        if not hasattr(kind, "__getitem__"):
            for name in candidates:
                value = getattr(owner, name, _MISSING)
                if value is not _MISSING:
                    return value
            return None
        for name in candidates:
            try:
                return owner[name]
            except (KeyError, IndexError, TypeError, AttributeError):
                continue
        return None


def compile_shape(shape: Shape, path: str, transformers: Transformers) -> Converter:
    """The converter of one shape. Members are compiled when first met, so recursive shapes end."""
    if isinstance(shape, StructureShape):
        members = [_Member(n, s, shape, path, transformers) for n, s in shape.members.items()]

        def structure(value: Any) -> Any:
            out: dict[str, Any] = {}
            kind = type(value)
            for member in members:
                found = member.read(value, kind)
                if member.transform is not None:
                    found = member.transform(found)
                if found is None:
                    continue
                found = member.convert(found)
                if found is not None:
                    out[member.name] = found
            return out

        return structure
    if isinstance(shape, ListShape):
        item = compile_shape(shape.member, f"{path}.{shape.member.name}", transformers)
        return lambda value: [item(v) for v in value if v is not None]
    if isinstance(shape, MapShape):
        inner = compile_shape(shape.value, path, transformers)
        return lambda value: {str(k): inner(v) for k, v in dict(value).items()}
    return _SCALARS.get(shape.type_name, _string)


def _string(value: Any) -> Any:
    return value if isinstance(value, str) else str(value)


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else str(value).lower() == "true"


def _integer(value: Any) -> Any:
    if isinstance(value, int):
        return int(value)
    try:
        return int(str(value))
    except ValueError:
        return None


def _float(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


_SCALARS: dict[str, Converter] = {
    "boolean": _boolean,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "timestamp": lambda value: value,
    "blob": lambda value: value if isinstance(value, (bytes, str)) else str(value),
}
