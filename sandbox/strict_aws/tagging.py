"""The tagging service: the tags of objects of several services in one call, as far as muster asks it."""

from __future__ import annotations

from typing import Any

from .call import Call, operation
from .errors import AwsError
from .wire import Params


def _sns(call: Call) -> dict[str, dict[str, str]]:
    from moto.sns.models import sns_backends

    return {t.arn: dict(t._tags) for t in sns_backends[call.account][call.region].topics.values()}


def _ecr(call: Call) -> dict[str, dict[str, str]]:
    from moto.ecr.models import ecr_backends

    backend = ecr_backends[call.account][call.region]
    return {r.arn: backend.tagger.get_tag_dict_for_resource(r.arn) for r in backend.repositories.values()}


def _cloudwatch(call: Call) -> dict[str, dict[str, str]]:
    from moto.cloudwatch.models import cloudwatch_backends

    backend: Any = cloudwatch_backends[call.account][call.region]
    return {a.alarm_arn: backend.tagger.get_tag_dict_for_resource(a.alarm_arn) for a in backend.alarms.values()}


def _acm(call: Call) -> dict[str, dict[str, str]]:
    from moto.acm.models import acm_backends

    held = acm_backends[call.account][call.region]._certificates
    return {arn: {k: v or "" for k, v in c.tags.items()} for arn, c in held.items()}


_SERVICES = {"sns": _sns, "ecr": _ecr, "cloudwatch": _cloudwatch, "acm": _acm}


@operation("resourcegroupstaggingapi", "GetResources")
def resources(call: Call) -> Params:
    params = call.params
    arns = params.get("ResourceARNList")
    if arns is None:
        return call.moto()
    if any(name in params for name in ("TagFilters", "ResourceTypeFilters", "ResourcesPerPage", "TagsPerPage")):
        raise AwsError(
            "InvalidParameterException", "ResourceARNList cannot be used together with filters or page sizes."
        )
    asked = {arn.split(":")[2] if arn.count(":") >= 5 else arn for arn in arns}
    unknown = asked - set(_SERVICES)
    if unknown:
        raise AwsError("NotImplemented", f"The sandbox does not tell tags of {sorted(unknown)} together.", 501)
    found: list[Params] = []
    for service in sorted(asked):
        for arn, tags in _SERVICES[service](call).items():
            # What never had a tag is not there.
            if arn in arns and tags:
                listed = [{"Key": k, "Value": v} for k, v in sorted(tags.items())]
                found.append({"ResourceARN": arn, "Tags": listed})
    return {"PaginationToken": "", "ResourceTagMappingList": found}
