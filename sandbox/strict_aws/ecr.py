"""ECR: pages, tags with bounds, lifecycle policies that are checked, keys shown by their ARN."""

from __future__ import annotations

import json
from typing import Any

from .call import Call, operation
from .errors import AwsError
from .wire import Params


def _backend(call: Call) -> Any:
    from moto.ecr.models import ecr_backends

    return ecr_backends[call.account][call.region]


def _invalid(name: str, why: str) -> AwsError:
    return AwsError(
        "InvalidParameterException", f"Invalid parameter at '{name}' failed to satisfy constraint: '{why}'"
    )


def _check_tags(tags: list[Params], present: int = 0) -> None:
    keys = [t["Key"] for t in tags]
    if len(set(keys)) != len(keys):
        raise AwsError("InvalidTagParameterException", "Duplicate tag keys are not allowed.")
    for tag in tags:
        if not 1 <= len(tag["Key"]) <= 128 or len(tag["Value"]) > 256 or tag["Key"].startswith("aws:"):
            raise AwsError("InvalidTagParameterException", f"The tag {tag['Key']} is invalid.")
    if len(keys) + present > 50:
        raise AwsError("TooManyTagsException", "The list of tags on the repository is over the limit.")


@operation("ecr", "CreateRepository")
def create(call: Call) -> Params:
    _check_tags(call.params.get("tags", []))
    encryption = call.params.get("encryptionConfiguration") or {}
    if encryption.get("kmsKey") and encryption.get("encryptionType") == "AES256":
        raise _invalid("encryptionConfiguration", "kmsKey is only for the encryption types KMS and KMS_DSSE")
    made = call.moto()["repository"]
    held = _backend(call).repositories[call.params["repositoryName"]]
    configuration = held.encryption_configuration
    if configuration["encryptionType"] != "AES256" and not configuration.get("kmsKey", "").startswith("arn:"):
        # AWS shows the key, whatever it was named by.
        name = configuration.get("kmsKey", "alias/aws/ecr").rpartition("/")[2]
        configuration["kmsKey"] = f"arn:aws:kms:{call.region}:{call.account}:key/{name}"
        made["encryptionConfiguration"] = dict(configuration)
    call.store.bear(held.arn)
    return {"repository": made}


@operation("ecr", "DescribeRepositories")
def listing(call: Call) -> Params:
    params = dict(call.params)
    size, token = params.pop("maxResults", 100), params.pop("nextToken", None)
    named = "repositoryNames" in params
    if named and ("maxResults" in call.params or token is not None):
        raise _invalid("maxResults", "it cannot be used together with repositoryNames")
    shown = sorted(call.moto(params)["repositories"], key=lambda r: str(r["repositoryName"]))
    if named:
        return {"repositories": shown}
    start = int(token) if token and token.isdigit() else 0
    if token and not token.isdigit():
        raise _invalid("nextToken", "it was never given")
    out: Params = {"repositories": shown[start : start + size]}
    if start + size < len(shown):
        out["nextToken"] = str(start + size)
    return out


@operation("ecr", "PutImageTagMutability")
def put_mutability(call: Call) -> Params:
    filters = call.params.get("imageTagMutabilityExclusionFilters")
    if call.params["imageTagMutability"].endswith("_WITH_EXCLUSION") != bool(filters):
        raise _invalid("imageTagMutabilityExclusionFilters", "filters go with the two kinds of exclusion, and only those")
    answer = call.moto()
    held = _backend(call).repositories[call.params["repositoryName"]]
    held.image_tag_mutability_exclusion_filters = filters
    return answer


@operation("ecr", "PutLifecyclePolicy")
def put_lifecycle_policy(call: Call) -> Params:
    text = call.params["lifecyclePolicyText"]
    try:
        rules = json.loads(text).get("rules")
    except (ValueError, AttributeError) as error:
        raise _invalid("LifecyclePolicyText", "Lifecycle policy validation failure: not a JSON object") from error
    if not isinstance(rules, list) or not rules:
        raise _invalid("LifecyclePolicyText", "Lifecycle policy validation failure: rules are missing")
    priorities = [r.get("rulePriority") for r in rules]
    if len(set(priorities)) != len(priorities):
        raise _invalid("LifecyclePolicyText", "Lifecycle policy validation failure: rulePriority must be unique")
    return call.moto()


@operation("ecr", "TagResource")
def tag(call: Call) -> Params:
    held = call.sibling("ListTagsForResource", {"resourceArn": call.params["resourceArn"]}).run()["tags"]
    keys = {t["Key"] for t in call.params["tags"]}
    _check_tags(call.params["tags"], sum(1 for t in held if t["Key"] not in keys))
    return call.moto()
