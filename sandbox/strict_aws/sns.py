"""SNS: every attribute is kept and checked, creating is idempotent only for the same attributes and tags."""

from __future__ import annotations

import json
import re
from typing import Any

from .call import Call, operation
from .errors import AwsError
from .wire import Params

_PAGE = 100
_FEEDBACK = re.compile(r"(Application|Firehose|HTTP|Lambda|SQS)(SuccessFeedback(RoleArn|SampleRate)|FailureFeedbackRoleArn)")
_FIFO_ONLY = ("ContentBasedDeduplication", "FifoThroughputScope", "ArchivePolicy")
_ON_CREATION = {"DeliveryPolicy", "DisplayName", "FifoTopic", "Policy", "TracingConfig", "KmsMasterKeyId", *_FIFO_ONLY}
_EFFECTIVE = {
    "http": {
        "defaultHealthyRetryPolicy": {
            "minDelayTarget": 20,
            "maxDelayTarget": 20,
            "numRetries": 3,
            "numMaxDelayRetries": 0,
            "numNoDelayRetries": 0,
            "numMinDelayRetries": 0,
            "backoffFunction": "linear",
        },
        "disableSubscriptionOverrides": False,
        "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
    }
}


def _backend(call: Call) -> Any:
    from moto.sns.models import sns_backends

    return sns_backends[call.account][call.region]


def _invalid(what: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {what}")


def _topic(call: Call, arn: str) -> Any:
    held = _backend(call).topics.get(arn)
    if held is None:
        if not re.fullmatch(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w.-]+", arn):
            raise _invalid("TopicArn")
        raise AwsError("NotFound", "Topic does not exist", 404)
    return held


def _document(name: str, text: str) -> Any:
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise _invalid(f"{name}: not a JSON document") from error
    if not isinstance(parsed, dict):
        raise _invalid(f"{name}: not a JSON object")
    return parsed


def _principal(value: Any) -> Any:
    if value == "*":
        return {"AWS": "*"}
    if not isinstance(value, dict) or "AWS" not in value:
        return value
    listed = value["AWS"] if isinstance(value["AWS"], list) else [value["AWS"]]
    full = [f"arn:aws:iam::{v}:root" if re.fullmatch(r"\d{12}", str(v)) else v for v in listed]
    return value | {"AWS": full[0] if len(full) == 1 else full}


def _policy(text: str, arn: str) -> str:
    """A policy as SNS keeps it: principals in full, a version, statements that are about this topic."""
    policy = _document("Policy", text)
    statements = policy.get("Statement")
    if not isinstance(statements, list) or not statements:
        raise _invalid("Policy Error: null")
    for statement in statements:
        if statement.get("Effect") not in ("Allow", "Deny") or "Principal" not in statement:
            raise _invalid("Policy Error: Statement")
        actions = statement.get("Action", [])
        for action in actions if isinstance(actions, list) else [actions]:
            if not str(action).lower().startswith("sns:"):
                raise _invalid("Policy statement action out of service scope!")
        if statement.get("Resource") not in (arn, [arn]):
            raise _invalid("Policy Error: PrincipalNotFound" if "Resource" not in statement else "Policy Resource")
        statement["Principal"] = _principal(statement["Principal"])
    return json.dumps({"Version": "2008-10-17"} | policy, separators=(",", ":"))


def _checked(name: str, value: str, arn: str, fifo: bool) -> str:
    """The value as it is kept; "" where it is taken away."""
    if name in _FIFO_ONLY and not fifo:
        raise _invalid(f"Attributes Reason: {name} can only be set for FIFO topics")
    if name == "Policy":
        return _policy(value, arn)
    if name == "DeliveryPolicy" and value:
        if "http" not in _document(name, value):
            raise _invalid("DeliveryPolicy: Unknown delivery policy")
        return value
    if name == "ArchivePolicy":
        held = _document(name, value) if value else {}
        return value if held else ""
    if name in ("ContentBasedDeduplication",) and value not in ("true", "false"):
        raise _invalid(name)
    if name == "FifoThroughputScope" and value not in ("Topic", "MessageGroup"):
        raise _invalid(name)
    if name == "SignatureVersion" and value not in ("1", "2"):
        raise _invalid("SignatureVersion")
    if name == "TracingConfig" and (value not in ("PassThrough", "Active") or (fifo and value == "Active")):
        raise _invalid("TracingConfig")
    if name == "DisplayName" and len(value) > 100:
        raise _invalid("DisplayName")
    if name.endswith("RoleArn") and value and not re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/.+", value):
        raise _invalid(f"{name} Reason: must be a valid IAM role ARN")
    if name.endswith("SampleRate") and not (value.isdigit() and int(value) <= 100):
        raise _invalid(f"{name} Reason: must be an integer from 0 to 100")
    return value


def _shown(held: Any) -> Params:
    """The attributes of a topic; those that nobody set are left out, as AWS does."""
    kept: Params = held.__dict__.setdefault("kept", {})
    shown: Params = {
        "TopicArn": held.arn,
        "Owner": held.account_id,
        "Policy": held.policy,
        "DisplayName": "",
        "EffectiveDeliveryPolicy": json.dumps(_EFFECTIVE),
        "SubscriptionsPending": "0",
        "SubscriptionsConfirmed": str(len(held.sns_backend._get_topic_subscriptions(held))),
        "SubscriptionsDeleted": "0",
    }
    if held.fifo_topic:
        shown |= {"FifoTopic": "true", "ContentBasedDeduplication": "false", "FifoThroughputScope": "Topic"}
    return shown | {name: value for name, value in kept.items() if value != "" or name == "DisplayName"}


def _tags(params: Params) -> dict[str, str]:
    tags = {t["Key"]: t["Value"] for t in params.get("Tags", [])}
    if len(tags) != len(params.get("Tags", [])):
        raise _invalid("Duplicated keys are not allowed.")
    if any(key.startswith("aws:") for key in tags):
        raise _invalid("Tag keys that start with aws: are reserved.")
    return tags


def _keep(held: Any, name: str, value: str) -> None:
    if name == "Policy":
        held.policy = value  # where moto's AddPermission looks for it
    else:
        held.__dict__.setdefault("kept", {})[name] = value


@operation("sns", "CreateTopic")
def create(call: Call) -> Params:
    name, attributes, tags = call.params["Name"], dict(call.params.get("Attributes") or {}), _tags(call.params)
    for attribute in attributes:
        if attribute not in _ON_CREATION and not _FEEDBACK.fullmatch(attribute):
            raise _invalid(f"Attributes Reason: Unknown attribute: {attribute}")
    fifo = attributes.pop("FifoTopic", "false") == "true"
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}" if not fifo else r"[A-Za-z0-9_-]{1,251}\.fifo", name):
        raise _invalid("Topic Name")
    arn = f"arn:aws:sns:{call.region}:{call.account}:{name}"
    wanted = {n: _checked(n, v, arn, fifo) for n, v in attributes.items()}
    held = _backend(call).topics.get(arn)
    if held is not None:
        shown = _shown(held)
        policy = wanted.pop("Policy", None)
        differs = policy is not None and json.loads(policy) != json.loads(held.policy)
        if differs or any(shown.get(n, "") != v for n, v in wanted.items()):
            raise _invalid("Attributes Reason: Topic already exists with different attributes")
        if tags and tags != held._tags:
            raise _invalid("Tags Reason: Topic already exists with different tags")
        return {"TopicArn": arn}
    if len(tags) > 50:
        raise AwsError("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
    held = _backend(call).create_topic(name, {"FifoTopic": True} if fifo else {}, tags)
    for attribute, value in wanted.items():
        _keep(held, attribute, value)
    call.store.bear(arn)
    return {"TopicArn": arn}


@operation("sns", "ListTopics")
def listing(call: Call) -> Params:
    topics = sorted(_backend(call).topics)
    token = call.params.get("NextToken", "0")
    if not token.isdigit():
        raise _invalid("NextToken")
    start = int(token)
    out: Params = {"Topics": [{"TopicArn": arn} for arn in topics[start : start + _PAGE]]}
    if start + _PAGE < len(topics):
        out["NextToken"] = str(start + _PAGE)
    return out


@operation("sns", "GetTopicAttributes")
def attributes_of(call: Call) -> Params:
    return {"Attributes": _shown(_topic(call, call.params["TopicArn"]))}


@operation("sns", "SetTopicAttributes")
def set_attribute(call: Call) -> None:
    held = _topic(call, call.params["TopicArn"])
    name, value = call.params["AttributeName"], call.params.get("AttributeValue", "")
    known = (_ON_CREATION - {"FifoTopic"}) | {"SignatureVersion"}
    if name not in known and not _FEEDBACK.fullmatch(name):
        raise _invalid("AttributeName")
    _keep(held, name, _checked(name, value, held.arn, bool(held.fifo_topic)))


@operation("sns", "DeleteTopic")
def delete(call: Call) -> Params:
    if not re.fullmatch(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w.-]+", call.params["TopicArn"]):
        raise _invalid("TopicArn")
    return call.moto()


def _tagged(call: Call) -> Any:
    held = _backend(call).topics.get(call.params["ResourceArn"])
    if held is None:
        raise AwsError("ResourceNotFound", "Resource does not exist", 404)
    return held


@operation("sns", "ListTagsForResource")
def tags_of(call: Call) -> Params:
    return {"Tags": [{"Key": k, "Value": v} for k, v in sorted(_tagged(call)._tags.items())]}


@operation("sns", "TagResource")
def tag(call: Call) -> None:
    held = _tagged(call)
    merged = held._tags | _tags(call.params)
    if len(merged) > 50:
        raise AwsError("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
    held._tags = merged


@operation("sns", "UntagResource")
def untag(call: Call) -> None:
    held = _tagged(call)
    held._tags = {k: v for k, v in held._tags.items() if k not in call.params["TagKeys"]}
