"""SSM parameters: public ones that name images of the sandbox, secure ones that are not readable without decryption."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import datetime, timezone

from .call import Call, operation
from .errors import AwsError
from .wire import Params

_AMAZON = "ami-0c02fb55956c7d316"
_UBUNTU = "ami-0e2c8caa4b6378d8c"
_PUBLIC: list[tuple[str, str]] = [
    (r"/aws/service/ami-amazon-linux-latest/al2023-ami-(minimal-)?kernel-(default|6\.\d+)-x86_64", _AMAZON),
    (r"/aws/service/canonical/ubuntu/server(-minimal)?/[\w.]+/stable/current/amd64/hvm/ebs-gp[23]/ami-id", _UBUNTU),
    (r"/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id", _AMAZON),
]
_ECS = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"


def _public(call: Call, name: str) -> Params | None:
    value = next((image for pattern, image in _PUBLIC if re.fullmatch(pattern, name)), None)
    if name == _ECS:
        value = json.dumps(
            {"ecs_agent_version": "1.99.0", "image_id": _AMAZON, "os": "Amazon Linux 2023", "schema_version": 1}
        )
    if value is None:
        return None
    return {
        "Name": name,
        "Type": "String",
        "Value": value,
        "Version": 1,
        "LastModifiedDate": datetime(2026, 11, 3, tzinfo=timezone.utc),
        "ARN": f"arn:aws:ssm:{call.region}::parameter{name}",
        "DataType": "aws:ec2:image" if value.startswith("ami-") else "text",
    }


def _sealed(call: Call, parameter: Params) -> Params:
    """A secure value as it is without decryption: moto's would show it."""
    if parameter.get("Type") == "SecureString" and not call.params.get("WithDecryption"):
        seal = hashlib.sha512(parameter["Value"].encode()).digest()
        parameter["Value"] = "AQICAHh" + base64.b64encode(seal).decode()
    return parameter


@operation("ssm", "GetParameter")
def get(call: Call) -> Params:
    found = _public(call, call.params["Name"])
    if found is None:
        found = call.moto()["Parameter"]
    return {"Parameter": _sealed(call, found)}


@operation("ssm", "GetParameters")
def get_many(call: Call) -> Params:
    names = call.params["Names"]
    if not 1 <= len(names) <= 10:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length less than or equal to 10 ({len(names)} were given)",
        )
    public = {n: p for n in names if (p := _public(call, n)) is not None}
    rest = [n for n in names if n not in public]
    held = call.moto(call.params | {"Names": rest}) if rest else {}
    shown = sorted([*held.get("Parameters", []), *public.values()], key=lambda p: p["Name"])
    return {"Parameters": [_sealed(call, p) for p in shown], "InvalidParameters": held.get("InvalidParameters", [])}


@operation("ssm", "GetParametersByPath", "GetParameterHistory")
def get_by_path(call: Call) -> Params:
    size = call.params.get("MaxResults")
    limit = 10 if call.operation == "GetParametersByPath" else 50
    if size is not None and not 1 <= size <= limit:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: Member must have value from 1 to {limit}",
        )
    out = call.moto()
    out["Parameters"] = [_sealed(call, p) for p in out.get("Parameters", [])]
    return out
