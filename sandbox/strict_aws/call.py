"""One call: who asks what, the objects it may touch, and the way through to moto."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, StructureShape
from moto.core.errors import get_error_model
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException

from . import clock, plain, wire
from .errors import AwsError, not_implemented
from .wire import Params

Handler = Callable[["Call"], Params | None]
_handlers: dict[tuple[str, str], Handler] = {}


def operation(service: str, *names: str) -> Callable[[Handler], Handler]:
    """Declares the handler of operations; without one moto answers."""

    def register(handler: Handler) -> Handler:
        for name in names:
            if (service, name) in _handlers:
                raise RuntimeError(f"{service} {name} has two handlers")
            _handlers[service, name] = handler
        return handler

    return register


@dataclass
class Store:
    """What we keep beside moto's models, per account and region."""

    born: dict[str, float] = field(default_factory=dict)  # id → when it was made
    extra: dict[str, dict[str, Any]] = field(default_factory=dict)  # id → attributes moto does not keep
    tokens: dict[tuple[str, str], tuple[str, Params]] = field(default_factory=dict)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)  # whole objects that moto lacks
    timers: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def notes(self, identifier: str) -> dict[str, Any]:
        """The extra attributes of an object; to read and to write."""
        return self.extra.setdefault(identifier, {})

    def note(self, identifier: str, name: str, default: Any = None) -> Any:
        """One extra attribute."""
        return self.extra.get(identifier, {}).get(name, default)

    def table(self, name: str) -> dict[str, Any]:
        """A table of ours."""
        return self.tables.setdefault(name, {})

    def bear(self, identifier: str) -> None:
        """Notes the birth of an object."""
        self.born[identifier] = clock.now()

    def later(self, kind: str, action: Callable[[], None]) -> None:
        """Has something done when a change of that kind is over; at the latest before the next call after that."""
        self.timers.append((clock.now() + clock.delay_seconds * clock.SHARES[kind], action))

    def settle(self) -> None:
        """Does what has fallen due."""
        if not self.timers:
            return
        now = clock.now()
        due = [t for t in self.timers if t[0] <= now]
        if due:
            self.timers = [t for t in self.timers if t[0] > now]
            for _, action in sorted(due, key=lambda t: t[0]):
                action()

    def is_young(self, identifier: str, kind: str) -> bool:
        """Whether the object is still being made."""
        return clock.is_pending(kind, self.born.get(identifier))


_stores: dict[tuple[str, str], Store] = {}


def store_of(account: str, region: str) -> Store:
    """The store of an account and region; global services use region `global`."""
    key = (account, region)
    if key not in _stores:
        _stores[key] = Store()
    return _stores[key]


def forget_everything() -> None:
    """Empties all stores."""
    _stores.clear()


GLOBAL_SERVICES = ("iam", "route53")


@dataclass
class Call:
    """A parsed request."""

    service: str
    operation: str
    params: Params
    account: str
    region: str
    access_key: str = "AKIAEXAMPLE"

    @property
    def store(self) -> Store:
        return store_of(self.account, "global" if self.service in GLOBAL_SERVICES else self.region)

    @property
    def ec2(self) -> Any:
        """moto's EC2 backend of this account and region."""
        from moto.ec2.models import ec2_backends

        return _backend(ec2_backends, self)

    @property
    def iam(self) -> Any:
        from moto.iam.models import iam_backends

        return iam_backends[self.account][get_partition(self.region)]

    def sibling(self, operation_name: str, params: Params | None = None, service: str | None = None) -> Call:
        """Another call by the same caller."""
        return Call(service or self.service, operation_name, params or {}, self.account, self.region, self.access_key)

    def moto(self, params: Params | None = None) -> Params:
        """Lets moto do the operation and gives its answer as plain data."""
        return run_moto(self, self.params if params is None else params)

    def run(self) -> Params:
        """Does the operation: our handler, else moto."""
        store_of(self.account, self.region).settle()
        store_of(self.account, "global").settle()
        handler = _handlers.get((self.service, self.operation))
        return (handler(self) if handler else self.moto()) or {}


_planters: list[Callable[[str, str], None]] = []
_planted: set[tuple[str, str]] = set()


def on_first_use(planter: Callable[[str, str], None]) -> None:
    """Registers what seeds an account and region before its first EC2 call."""
    _planters.append(planter)


def forget_planting() -> None:
    """Makes every account and region be seeded anew."""
    _planted.clear()


def _backend(backends: Any, call: Call) -> Any:
    key = (call.account, call.region)
    if key not in _planted:
        _planted.add(key)
        for planter in _planters:
            planter(*key)
    try:
        return backends[call.account][call.region]
    except KeyError as error:
        raise AwsError("AuthFailure", f"The region {call.region} does not exist or is not enabled.", 401) from error


# MARK: through to moto

_RESPONSES = {
    "ec2": ("moto.ec2.responses", "EC2Response"),
    "iam": ("moto.iam.responses", "IamResponse"),
    "sts": ("moto.sts.responses", "TokenResponse"),
    "route53": ("moto.route53.responses", "Route53"),
    "ssm": ("moto.ssm.responses", "SimpleSystemManagerResponse"),
    "acm": ("moto.acm.responses", "AWSCertificateManagerResponse"),
    "autoscaling": ("moto.autoscaling.responses", "AutoScalingResponse"),
    "elbv2": ("moto.elbv2.responses", "ELBV2Response"),
    "rds": ("moto.rds.responses", "RDSResponse"),
    "elasticache": ("moto.elasticache.responses", "ElastiCacheResponse"),
    "cloudwatch": ("moto.cloudwatch.responses", "CloudWatchResponse"),
    "sns": ("moto.sns.responses", "SNSResponse"),
    "ecr": ("moto.ecr.responses", "ECRResponse"),
    "resourcegroupstaggingapi": (
        "moto.resourcegroupstaggingapi.responses",
        "ResourceGroupsTaggingAPIResponse",
    ),
}


@cache
def _response_class(service: str) -> Any:
    module, name = _RESPONSES[service]
    return getattr(importlib.import_module(module), name)


@cache
def converter(service: str, operation_name: str) -> plain.Converter | None:
    """From moto's result of an operation to plain data."""
    model = wire.operation_model(service, operation_name)
    if model is None or model.output_shape is None:
        return None
    transformers = dict(getattr(_response_class(service), "RESPONSE_KEY_PATH_TO_TRANSFORMER", {}))
    return plain.compile_shape(model.output_shape, f"{operation_name}.{model.output_shape.name}", transformers)


@cache
def item_converter(service: str, operation_name: str, member: str) -> plain.Converter:
    """From one of moto's objects to an element of a list in an operation's answer."""
    model = wire.operation_model(service, operation_name)
    assert model is not None and isinstance(model.output_shape, StructureShape)
    shape = model.output_shape.members[member]
    transformers = dict(getattr(_response_class(service), "RESPONSE_KEY_PATH_TO_TRANSFORMER", {}))
    path = f"{operation_name}.{model.output_shape.name}.{member}"
    if isinstance(shape, ListShape):
        return plain.compile_shape(shape.member, f"{path}.{shape.member.name}", transformers)
    return plain.compile_shape(shape, path, transformers)


def _mapped(value: Any, kind: Any) -> Any:
    if isinstance(value, dict):
        out = kind()
        for key, inner in value.items():
            out[key] = _mapped(inner, kind)
        return out
    if isinstance(value, list):
        return [_mapped(v, kind) for v in value]
    return value


def run_moto(call: Call, params: Params) -> Params:
    """One of moto's operations, without HTTP in between."""
    cls = _response_class(call.service)
    response = cls()
    response.region = call.region
    response.partition = get_partition(call.region)
    response.current_account = call.account
    response.access_key = call.access_key
    response.headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={call.access_key}/x", "host": "localhost"}
    response.response_headers = {}
    response.querystring = {"Action": [call.operation]}
    response.data = response.querystring
    response.uri_match = None
    response.uri = response.path = response.raw_path = "/"
    response.method = "POST"
    response.form_data = {}
    if response.automated_parameter_parsing:
        response.params = _mapped(params, cls.PROTOCOL_PARSER_MAP_TYPE)
        response.body = ""
    else:
        response.body = response.raw_body = json.dumps(params, default=str)
    method = getattr(response, camelcase_to_underscores(call.operation), None) or getattr(
        response, xform_name(call.operation), None
    )
    if method is None or wire.operation_model(call.service, call.operation) is None:
        raise not_implemented(call.service, call.operation)
    try:
        result = method()
        if isinstance(result, ActionResult):
            body = result.result
            if body is None:
                return {}
            convert = converter(call.service, call.operation)
            return convert(body) if convert is not None else {}
    except AwsError:
        raise
    except (ServiceException, HTTPException) as error:
        raise translate(call, error) from error
    except Exception as error:
        raise not_implemented(call.service, call.operation, f"moto failed: {type(error).__name__}: {error}") from error
    if isinstance(result, tuple):
        result = result[0] if isinstance(result[0], (str, bytes)) else result[-1]
    return json.loads(result) if result else {}


def translate(call: Call, error: Exception) -> AwsError:
    """moto's exceptions as AWS's errors."""
    if isinstance(error, ServiceException):
        status = 400
        code = error.code
        if call.service != "ec2":
            shape = get_error_model(error, get_service_model(call.service))
            status = shape.metadata.get("error", {}).get("httpStatusCode", 400)
            code = shape.error_code
        return AwsError(code, error.message, status)
    code = getattr(error, "error_type", None) or "InternalError"
    message = getattr(error, "message", None) or str(getattr(error, "description", error))
    return AwsError(code, message, getattr(error, "code", 400) or 400)


# MARK: client tokens


def digest(params: Params, without: tuple[str, ...] = ()) -> str:
    """A digest of parameters, to tell whether two requests ask the same."""
    kept = {k: v for k, v in params.items() if k not in without}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()


def once(call: Call, make: Callable[[], Params], member: str = "ClientToken") -> Params:
    """Honours a client token: the same token and parameters give the same answer and no second object."""
    token = call.params.get(member)
    if not token:
        return make()
    if len(token) > 64 or not token.isascii():
        raise AwsError("InvalidParameterValue", f"Invalid value '{token}' for {member}: at most 64 ASCII characters.")
    wanted = digest(call.params, (member, "DryRun"))
    key = (call.operation, token)
    known = call.store.tokens.get(key)
    if known is not None:
        if known[0] != wanted:
            raise AwsError(
                "IdempotentParameterMismatch",
                f"The client token {token} was used before with other parameters.",
            )
        return known[1]
    result = make()
    call.store.tokens[key] = (wanted, result)
    return result
