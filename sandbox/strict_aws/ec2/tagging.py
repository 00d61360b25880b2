"""Tags given with a create call, checked as AWS does."""

from __future__ import annotations

from typing import Any

from ..call import Call
from ..errors import AwsError


def check(tags: dict[str, str]) -> None:
    """Refuses tags that AWS refuses."""
    if len(tags) > 50:
        raise AwsError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
    for key, value in tags.items():
        if not key or len(key) > 128:
            raise AwsError("InvalidParameterValue", "Tag keys must be between 1 and 128 characters in length.")
        if len(value) > 256:
            raise AwsError(
                "InvalidParameterValue", f"Tag value exceeds the maximum length of 256 characters for key '{key}'."
            )
        if key.lower().startswith("aws:"):
            raise AwsError(
                "InvalidParameterValue", f"Tag keys starting with 'aws:' are reserved for internal use: '{key}'"
            )


def of(call: Call, *kinds: str) -> dict[str, dict[str, str]]:
    """Tags per kind of resource from TagSpecifications; kinds that the operation does not make are refused."""
    out: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    for specification in call.params.get("TagSpecifications") or call.params.get("TagSpecification") or []:
        kind = specification.get("ResourceType")
        if kind is None:
            raise AwsError("InvalidParameterValue", "Tag specification resource type must have a value")
        if kind not in kinds:
            raise AwsError(
                "InvalidParameterValue", f"'{kind}' is not a valid taggable resource type for this operation."
            )
        tags = specification.get("Tags") or []
        if not tags:
            raise AwsError("InvalidParameterValue", "Tag specification must have at least one tag")
        for tag in tags:
            key = tag.get("Key")
            if key is None:
                raise AwsError("InvalidParameterValue", "Tag key cannot be null")
            if key in out[kind]:
                raise AwsError("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
            out[kind][key] = tag.get("Value", "")
        check(out[kind])
    return out


def put(call: Call, identifier: str, tags: dict[str, str]) -> None:
    """Tags an object, past moto's slow way."""
    if tags:
        call.ec2.tags[identifier].update(tags)


def listed(call: Call, identifier: str) -> list[dict[str, Any]]:
    """The tags of an object as an answer shows them."""
    return [{"Key": k, "Value": v} for k, v in call.ec2.tags.get(identifier, {}).items()]
