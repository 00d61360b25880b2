"""STS: who somebody is, and roles that must exist to be assumed."""

from __future__ import annotations

import re

from . import identities
from .call import Call, operation
from .errors import AwsError
from .wire import Params


def _caller(call: Call) -> str:
    return f"arn:aws:iam::{call.account}:user/sandbox"


@operation("sts", "GetCallerIdentity")
def identity(call: Call) -> Params:
    if call.access_key in identities.SECRETS or call.access_key.startswith("AKIAMUSTER"):
        return {"UserId": "AIDAMUSTERSANDBOX0000", "Account": call.account, "Arn": _caller(call)}
    held = call.moto()
    if held["UserId"] == "AKIAIOSFODNN7EXAMPLE":
        return {"UserId": "AIDAMUSTERSANDBOX0000", "Account": call.account, "Arn": _caller(call)}
    return held


@operation("sts", "AssumeRole")
def assume(call: Call) -> Params:
    arn, name = call.params["RoleArn"], call.params["RoleSessionName"]
    match = re.fullmatch(r"arn:[\w-]+:iam::(\d{12}):role/(.*/)?([\w+=,.@-]+)", arn)
    if not match:
        raise AwsError("ValidationError", f"{arn} is invalid")
    if not re.fullmatch(r"[\w+=,.@-]{2,64}", name):
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: 2 to 64 letters, digits and +=,.@_-",
        )
    duration = call.params.get("DurationSeconds", 3600)
    if not 900 <= duration <= 43200:
        raise AwsError(
            "ValidationError",
            f"Value '{duration}' at 'durationSeconds' failed to satisfy constraint: Member must have value from 900 to 43200",
        )
    from moto.iam.models import iam_backends

    role = next((r for r in iam_backends[match.group(1)]["aws"].roles.values() if r.arn == arn), None)
    if role is None:
        raise AwsError(
            "AccessDenied",
            f"User: {_caller(call)} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            403,
        )
    if duration > int(role.max_session_duration or 3600):
        raise AwsError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    wanted = re.search(r'"sts:ExternalId"\s*:\s*"([^"]+)"', role.assume_role_policy_document or "")
    if wanted and wanted.group(1) != call.params.get("ExternalId"):
        raise AwsError(
            "AccessDenied",
            f"User: {_caller(call)} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            403,
        )
    return call.moto()
