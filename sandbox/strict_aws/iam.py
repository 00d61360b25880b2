"""IAM: propagation, conflicts, pages."""

from __future__ import annotations

import base64
import copy
import json
import re
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator

from .call import Call, converter, item_converter, operation
from .errors import AwsError
from .wire import Params


@cache
def aws_policies() -> list[AWSManagedPolicy]:
    """The policies of AWS, read once: moto reads all of them for every account and after every reset."""
    held = json.loads(aws_managed_policies_data)
    return [AWSManagedPolicy.from_data(name, "aws", "aws", data) for name, data in held.items()]


def _copies(self: Any) -> list[Any]:
    return [copy.copy(p) for p in aws_policies()]


IAMBackend._init_aws_policies = _copies  # type: ignore[method-assign]


def _malformed(text: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", text)


def _check_trust(call: Call, document: str) -> None:
    """A trust policy must be one, and the principals of this account in it must exist."""
    try:
        IAMTrustPolicyDocumentValidator(document).validate()
    except Exception as error:
        raise _malformed(str(getattr(error, "message", error))) from error
    statements = json.loads(document).get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        held = principal.get("AWS", []) if isinstance(principal, dict) else []
        for arn in [held] if isinstance(held, str) else held:
            match = re.fullmatch(rf"arn:aws:iam::{call.account}:(role|user)/(.*/)?([^/]+)", arn)
            if not match:
                continue
            kind, name = match.group(1), match.group(3)
            known = call.iam.roles.values() if kind == "role" else call.iam.users.values()
            if not any(k.name == name for k in known):
                raise _malformed(f'Invalid principal in policy: "AWS":"{arn}"')


def _check_duration(call: Call) -> None:
    duration = call.params.get("MaxSessionDuration")
    if duration is not None and not 3600 <= int(duration) <= 43200:
        raise AwsError(
            "ValidationError",
            f"Value '{duration}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value from 3600 to 43200",
        )


def _role(call: Call, name: str) -> Any:
    for role in call.iam.roles.values():
        if role.name == name:
            return role
    raise AwsError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)


@operation("iam", "CreateRole")
def create_role(call: Call) -> Params:
    name = call.params["RoleName"]
    if not re.fullmatch(r"[\w+=,.@-]{1,64}", name, re.ASCII):
        raise AwsError(
            "ValidationError",
            "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        )
    if any(r.name.lower() == name.lower() for r in call.iam.roles.values()):
        raise AwsError("EntityAlreadyExists", f"Role with name {name} already exists.", 409)
    _check_trust(call, call.params["AssumeRolePolicyDocument"])
    _check_duration(call)
    made = call.moto()
    call.store.bear(f"role:{name}")
    return made


@operation("iam", "UpdateAssumeRolePolicy")
def update_trust(call: Call) -> Params:
    _role(call, call.params["RoleName"])
    _check_trust(call, call.params["PolicyDocument"])
    return call.moto()


@operation("iam", "UpdateRole")
def update_role(call: Call) -> Params:
    """What is not given stays; moto clears it."""
    role = _role(call, call.params["RoleName"])
    _check_duration(call)
    if "Description" in call.params:
        role.description = call.params["Description"]
    if "MaxSessionDuration" in call.params:
        role.max_session_duration = call.params["MaxSessionDuration"]
    return {}


@operation("iam", "PutRolePolicy")
def put_role_policy(call: Call) -> Params:
    role = _role(call, call.params["RoleName"])
    document = call.params["PolicyDocument"]
    others = [d for n, d in role.policies.items() if n != call.params["PolicyName"]]
    total = sum(len(re.sub(r"\s", "", d)) for d in [*others, document])
    if total > 10240:
        raise AwsError("LimitExceeded", f"Maximum policy size of 10240 bytes exceeded for role {role.name}", 409)
    return call.moto()


@operation("iam", "CreatePolicy", "CreatePolicyVersion")
def create_policy(call: Call) -> Params:
    if len(re.sub(r"\s", "", call.params["PolicyDocument"])) > 6144:
        raise AwsError("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409)
    return call.moto()


@operation("iam", "DeletePolicy")
def delete_policy(call: Call) -> Params:
    arn = call.params["PolicyArn"]
    policy = call.iam.managed_policies.get(arn)
    if policy is None:
        raise AwsError("NoSuchEntity", f"Policy {arn} was not found.", 404)
    holders = [*call.iam.roles.values(), *call.iam.users.values(), *call.iam.groups.values()]
    if any(arn in h.managed_policies for h in holders):
        raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    if any(r.permissions_boundary_arn == arn for r in call.iam.roles.values()):
        raise AwsError("DeleteConflict", "Cannot delete a policy that is a permissions boundary.", 409)
    if len(policy.versions) > 1:
        raise AwsError(
            "DeleteConflict",
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
            409,
        )
    return call.moto()


@operation("iam", "PutRolePermissionsBoundary")
def put_boundary(call: Call) -> Params:
    arn = call.params["PermissionsBoundary"]
    if arn not in call.iam.managed_policies:
        raise AwsError("NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.", 404)
    return call.moto()


# MARK: instance profiles


@operation("iam", "CreateInstanceProfile")
def create_profile(call: Call) -> Params:
    name = call.params["InstanceProfileName"]
    if any(p.lower() == name.lower() for p in call.iam.instance_profiles):
        raise AwsError("EntityAlreadyExists", f"Instance Profile {name} already exists.", 409)
    call.moto()
    held = call.iam.instance_profiles[name]
    held.id = f"AIPA{held.id.upper()[:17]}"
    call.store.bear(f"profile:{name}")
    return call.sibling("GetInstanceProfile", {"InstanceProfileName": name}).run()


def _without_role_details(profile: Params) -> Params:
    """Roles inside a profile carry neither tags nor their last use."""
    for role in profile.get("Roles", []):
        for absent in ("Tags", "RoleLastUsed", "PermissionsBoundary"):
            role.pop(absent, None)
    return profile


@operation("iam", "GetInstanceProfile")
def get_profile(call: Call) -> Params:
    name = call.params["InstanceProfileName"]
    if name not in call.iam.instance_profiles:
        raise AwsError("NoSuchEntity", f"Instance Profile {name} cannot be found.", 404)
    return {"InstanceProfile": _without_role_details(call.moto()["InstanceProfile"])}


@operation("iam", "AddRoleToInstanceProfile")
def add_role(call: Call) -> Params:
    _role(call, call.params["RoleName"])
    done = call.moto()
    call.store.bear(f"profile-role:{call.params['InstanceProfileName']}")
    return done


@operation("iam", "RemoveRoleFromInstanceProfile")
def remove_role(call: Call) -> Params:
    profile = call.iam.instance_profiles.get(call.params["InstanceProfileName"])
    if profile is None:
        raise AwsError("NoSuchEntity", f"Instance Profile {call.params['InstanceProfileName']} cannot be found.", 404)
    if not any(r.name == call.params["RoleName"] for r in profile.roles):
        raise AwsError(
            "NoSuchEntity", f"The role with name {call.params['RoleName']} is not in the instance profile.", 404
        )
    return call.moto()


# MARK: pages


def _page(call: Call, items: list[Any], default: int = 100) -> tuple[list[Any], Params]:
    size = call.params.get("MaxItems", default)
    if not 1 <= size <= 1000:
        raise AwsError(
            "ValidationError",
            f"Value '{size}' at 'maxItems' failed to satisfy constraint: Member must have value from 1 to 1000",
        )
    start = 0
    marker = call.params.get("Marker")
    if marker is not None:
        try:
            start = int(base64.b64decode(marker, validate=True))
        except ValueError as error:
            raise AwsError("ValidationError", "Invalid Marker.") from error
    end = start + size
    if end < len(items):
        return items[start:end], {"IsTruncated": True, "Marker": base64.b64encode(str(end).encode()).decode()}
    return items[start:end], {"IsTruncated": False}


@operation("iam", "ListInstanceProfiles")
def list_profiles(call: Call) -> Params:
    prefix = call.params.get("PathPrefix", "/")
    held = [p for p in call.iam.instance_profiles.values() if p.path.startswith(prefix)]
    part, more = _page(call, sorted(held, key=lambda p: p.name))
    convert = converter("iam", "ListInstanceProfiles")
    assert convert is not None
    shown = convert({"InstanceProfiles": part})
    for profile in shown["InstanceProfiles"]:
        _without_role_details(profile).pop("Tags", None)
    return dict(shown) | more


@operation("iam", "GetAccountAuthorizationDetails")
def details(call: Call) -> Params:
    """Pages run over all four lists, as one."""
    wanted = call.params.get("Filter") or ["User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"]
    whole = call.moto({"Filter": [w for w in wanted if w != "AWSManagedPolicy"] or ["none"]})
    policies = whole.get("Policies", [])
    if "AWSManagedPolicy" in wanted:
        # Of the policies of AWS only those in use are listed.
        shown = item_converter("iam", call.operation, "Policies")
        policies += [shown(p) for p in call.iam.aws_managed_policies if p.attachment_count]
    whole["Policies"] = sorted(policies, key=lambda p: str(p["Arn"]))
    members = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    chosen = [(m, item) for m in members for item in whole.get(m, [])]
    part, more = _page(call, chosen)
    out: Params = {m: [i for n, i in part if n == m] for m in members}
    return out | more
