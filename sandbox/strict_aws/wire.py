"""Requests into parameters and results into answers, for the ec2, query, rest-xml and json protocols.

Driven by botocore's service models. Unlike moto, a parameter the operation does not have is an error, as in EC2.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import datetime, timezone
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.utils import parse_timestamp

from .errors import AwsError

Params = dict[str, Any]
Tree = dict[str, Any]

_session = botocore.session.Session()


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of a service, by botocore's name."""
    return _session.get_service_model(service)


@cache
def operation_model(service: str, operation: str) -> OperationModel | None:
    """The model of an operation, or nothing if the service has none of that name."""
    model = service_model(service)
    return model.operation_model(operation) if operation in model.operation_names else None


# MARK: requests


def _nest(flat: dict[str, str]) -> Tree:
    """`A.1.B=x` as nested dictionaries."""
    root: Tree = {}
    for key, value in flat.items():
        node = root
        parts = key.split(".")
        for part in parts[:-1]:
            child = node.get(part)
            if not isinstance(child, dict):
                child = node[part] = {}
            node = child
        node[parts[-1]] = value
    return root


def parse_form(model: OperationModel, flat: dict[str, str], protocol: str) -> Params:
    """Parameters of an ec2 or query request; unknown or malformed ones raise."""
    tree = _nest({k: v for k, v in flat.items() if k not in ("Action", "Version")})
    if model.input_shape is None:
        return {}
    return _structure(model.input_shape, tree, protocol, "")


@cache
def _wire_names(shape: StructureShape, ec2: bool) -> dict[str, tuple[str, Shape]]:
    names: dict[str, tuple[str, Shape]] = {}
    for member, inner in shape.members.items():
        if ec2:
            serialized = inner.serialization
            name = serialized.get("queryName")
            if name is None:
                location = serialized.get("name")
                name = location[0].upper() + location[1:] if location else member
        elif isinstance(inner, ListShape) and inner.serialization.get("flattened"):
            name = inner.member.serialization.get("name", inner.serialization.get("name", member))
        else:
            name = inner.serialization.get("name", member)
        names[name] = (member, inner)
    return names


def _structure(shape: StructureShape, tree: Tree, protocol: str, prefix: str) -> Params:
    names = _wire_names(shape, protocol == "ec2")
    out: Params = {}
    for key, value in tree.items():
        known = names.get(key)
        if known is None:
            code = "UnknownParameter" if protocol == "ec2" else "ValidationError"
            raise AwsError(code, f"The parameter {prefix}{key} is not recognized")
        out[known[0]] = _value(known[1], value, protocol, f"{prefix}{key}")
    return out


def _value(shape: Shape, node: Any, protocol: str, name: str) -> Any:
    if isinstance(shape, StructureShape):
        if not isinstance(node, dict):
            raise AwsError("InvalidParameterValue", f"The parameter {name} is a structure and has no value of its own.")
        return _structure(shape, node, protocol, f"{name}.")
    if isinstance(shape, ListShape):
        if node == "":
            return []
        if protocol != "ec2" and not shape.serialization.get("flattened") and isinstance(node, dict):
            member = shape.member.serialization.get("name", "member")
            if set(node) != {member}:
                raise AwsError("ValidationError", f"The list {name} wants its members as {name}.{member}.N")
            node = node[member]
        if not isinstance(node, dict) or not all(k.isdigit() for k in node):
            raise AwsError("InvalidParameterValue", f"The parameter {name} is a list and wants {name}.N")
        return [_value(shape.member, node[k], protocol, f"{name}.{k}") for k in sorted(node, key=int)]
    if isinstance(shape, MapShape):
        entries = node if shape.serialization.get("flattened") else node.get("entry", {})
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        return {
            entries[k][key_name]: _value(shape.value, entries[k].get(value_name), protocol, f"{name}.{k}")
            for k in sorted(entries, key=int)
        }
    if isinstance(node, dict):
        raise AwsError("InvalidParameterValue", f"The parameter {name} is a plain value.")
    return scalar(shape, node, name)


def scalar(shape: Shape, text: str, name: str) -> Any:
    """One value of the wire as Python's."""
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "boolean":
            if text.lower() not in ("true", "false"):
                raise ValueError(text)
            return text.lower() == "true"
        if kind == "timestamp":
            return parse_timestamp(text).astimezone(timezone.utc).replace(tzinfo=None)
        if kind == "blob":
            return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise AwsError("InvalidParameterValue", f"Invalid value '{text}' for {name}: not a {kind}") from error
    return text


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Verb, path pattern and operation of a rest-xml service, longest path first."""
    routes = []
    model = service_model(service)
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = http["requestUri"].split("?")[0].rstrip("/")
        pattern = re.sub(r"\\{(\w+)(\\\+)?\\}", r"(?P<\1>[^/]+)", re.escape(path))
        routes.append((http["method"], re.compile(f"^{pattern}/?$"), name))
    return sorted(routes, key=lambda r: -len(r[1].pattern))


def parse_rest(service: str, method: str, path: str, query: str, headers: Any, body: bytes) -> tuple[str, Params]:
    """The operation and parameters of a rest-xml request."""
    for verb, pattern, name in _routes(service):
        match = pattern.match(path) if verb == method else None
        if not match:
            continue
        model = operation_model(service, name)
        assert model is not None
        params: Params = {}
        arguments = urllib.parse.parse_qs(query, keep_blank_values=True)
        shape = model.input_shape
        for member, inner in shape.members.items() if shape is not None else []:
            where = inner.serialization.get("location")
            wire = inner.serialization.get("name", member)
            if where == "uri":
                params[member] = urllib.parse.unquote(match.group(wire))
            elif where == "querystring" and wire in arguments:
                values = arguments[wire]
                if isinstance(inner, ListShape):
                    params[member] = values
                else:
                    params[member] = scalar(inner, values[0], wire)
            elif where == "header" and headers.get(wire) is not None:
                params[member] = scalar(inner, headers[wire], wire)
        if body.strip():
            try:
                root = ElementTree.fromstring(body)
            except ElementTree.ParseError as error:
                raise AwsError("InvalidInput", f"The request body is not XML: {error}") from error
            params.update(_xml_structure(shape, root))
        return name, params
    raise AwsError("UnknownOperationException", f"{method} {path} is no operation of {service}.", 404)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _xml_structure(shape: StructureShape, node: ElementTree.Element) -> Params:
    names = {
        s.serialization.get("name", m): (m, s) for m, s in shape.members.items() if "location" not in s.serialization
    }
    out: Params = {}
    for child in node:
        known = names.get(_local(child.tag))
        if known is None:
            raise AwsError("InvalidInput", f"Invalid XML ; the element {_local(child.tag)} is not expected here.")
        out[known[0]] = _xml_value(known[1], child)
    return out


def _xml_value(shape: Shape, node: ElementTree.Element) -> Any:
    if isinstance(shape, StructureShape):
        return _xml_structure(shape, node)
    if isinstance(shape, ListShape):
        return [_xml_value(shape.member, child) for child in node]
    return scalar(shape, node.text or "", _local(node.tag))


# MARK: answers


def _timestamp(value: Any, form: str) -> Any:
    if isinstance(value, (int, float)):
        value = datetime.fromtimestamp(value, timezone.utc)
    if isinstance(value, str):
        if form != "unixTimestamp":
            return value
        value = parse_timestamp(value)
    if value.tzinfo is None:
        value = value.replace(tzinfo=timezone.utc)
    if form == "unixTimestamp":
        return round(value.timestamp(), 3)
    return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


Writer = Callable[[list[str], Any], None]


def _text_writer(shape: Shape) -> Callable[[Any], str]:
    kind = shape.type_name
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    if kind == "timestamp":
        return lambda value: escape(str(_timestamp(value, "iso8601")))
    if kind == "blob":
        return lambda value: value if isinstance(value, str) else base64.b64encode(value).decode()
    return lambda value: escape(value if isinstance(value, str) else str(value), {'"': "&quot;", "\r": "&#xD;"})


class _XmlWriter:
    """Writes the content of one shape; children are made when first needed."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.text = _text_writer(shape)
        self._members: list[tuple[str, str, bool, str, _XmlWriter]] | None = None
        self._item: _XmlWriter | None = None

    @property
    def members(self) -> list[tuple[str, str, bool, str, _XmlWriter]]:
        if self._members is None:
            assert isinstance(self.shape, StructureShape)
            built = []
            for name, inner in self.shape.members.items():
                if inner.serialization.get("location") in ("header", "statusCode"):
                    continue
                tag = inner.serialization.get("name", name)
                flat = isinstance(inner, ListShape) and bool(inner.serialization.get("flattened"))
                if flat and isinstance(inner, ListShape):
                    tag = inner.member.serialization.get("name", tag)
                built.append((name, tag, flat, inner.type_name, _XmlWriter(inner)))
            self._members = built
        return self._members

    @property
    def item(self) -> _XmlWriter:
        if self._item is None:
            assert isinstance(self.shape, ListShape)
            self._item = _XmlWriter(self.shape.member)
        return self._item

    def write(self, out: list[str], value: Any) -> None:
        kind = self.shape.type_name
        if kind == "structure":
            for name, tag, flat, _, writer in self.members:
                inner = value.get(name)
                if inner is None:
                    continue
                if flat:
                    for element in inner:
                        out.append(f"<{tag}>")
                        writer.item.write(out, element)
                        out.append(f"</{tag}>")
                    continue
                out.append(f"<{tag}>")
                writer.write(out, inner)
                out.append(f"</{tag}>")
        elif kind == "list":
            assert isinstance(self.shape, ListShape)
            tag = self.shape.member.serialization.get("name", "member")
            for element in value:
                out.append(f"<{tag}>")
                self.item.write(out, element)
                out.append(f"</{tag}>")
        elif kind == "map":
            assert isinstance(self.shape, MapShape)
            key_tag = self.shape.key.serialization.get("name", "key")
            value_tag = self.shape.value.serialization.get("name", "value")
            writer = _XmlWriter(self.shape.value)
            for key, element in value.items():
                out.append(f"<entry><{key_tag}>{escape(str(key))}</{key_tag}><{value_tag}>")
                writer.write(out, element)
                out.append(f"</{value_tag}></entry>")
        else:
            out.append(self.text(value))


@cache
def _writer(service: str, operation: str) -> _XmlWriter | None:
    model = operation_model(service, operation)
    shape = model.output_shape if model is not None else None
    return _XmlWriter(shape) if shape is not None else None


_PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>\n'


def write(
    service: str, operation: str, protocol: str, result: Params, request_id: str
) -> tuple[int, dict[str, str], bytes]:
    """The answer to a request that went well."""
    model = operation_model(service, operation)
    assert model is not None
    if protocol == "json":
        shape = model.output_shape
        body = json.dumps(_jsonable(shape, result) if shape is not None else {})
        return 200, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": request_id}, body.encode()
    out: list[str] = [_PROLOGUE]
    writer = _writer(service, operation)
    if protocol == "ec2":
        out.append(f'<{operation}Response xmlns="http://ec2.amazonaws.com/doc/{model.metadata["apiVersion"]}/">')
        out.append(f"<requestId>{request_id}</requestId>")
        if writer is not None:
            writer.write(out, result)
        elif result.get("Return", True):
            out.append("<return>true</return>")
        out.append(f"</{operation}Response>")
        return 200, {"Content-Type": "text/xml;charset=UTF-8"}, "".join(out).encode()
    namespace = model.metadata.get("xmlNamespace", "")
    namespace = namespace.get("uri", "") if isinstance(namespace, dict) else namespace
    if protocol == "query":
        out.append(f'<{operation}Response xmlns="{namespace}">')
        if writer is not None:
            wrapper = model.output_shape.serialization.get("resultWrapper", f"{operation}Result")
            out.append(f"<{wrapper}>")
            writer.write(out, result)
            out.append(f"</{wrapper}>")
        out.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>")
        return 200, {"Content-Type": "text/xml"}, "".join(out).encode()
    headers = {"Content-Type": "text/xml"}
    if writer is None:
        return model.http.get("responseCode", 200), headers, b""
    shape = model.output_shape
    namespace = namespace or (service_model(service).metadata.get("xmlNamespace") or "")
    if service == "route53":
        namespace = "https://route53.amazonaws.com/doc/2013-04-01/"
    for name, inner in shape.members.items():
        if inner.serialization.get("location") == "header" and result.get(name) is not None:
            headers[inner.serialization["name"]] = str(result[name])
    out.append(f'<{shape.name} xmlns="{namespace}">')
    writer.write(out, result)
    out.append(f"</{shape.name}>")
    return model.http.get("responseCode", 200), headers, "".join(out).encode()


def _jsonable(shape: Shape, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(shape, StructureShape):
        out = {}
        for name, inner in shape.members.items():
            if value.get(name) is not None:
                out[inner.serialization.get("name", name)] = _jsonable(inner, value[name])
        return out
    if isinstance(shape, ListShape):
        return [_jsonable(shape.member, v) for v in value]
    if isinstance(shape, MapShape):
        return {k: _jsonable(shape.value, v) for k, v in value.items()}
    if shape.type_name == "timestamp":
        return _timestamp(value, "unixTimestamp")
    if shape.type_name == "blob" and isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def missing(model: OperationModel, params: Params) -> str | None:
    """The first required top-level parameter that is absent."""
    shape = model.input_shape
    for name in shape.required_members if shape is not None else []:
        if name not in params:
            return str(name)
    return None
