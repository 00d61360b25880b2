"""CloudWatch alarms over metrics: wholly replaced by each put, checked, tagged only when new, listed in pages.

moto keeps them too, so that its other calls, and SDKs that speak CBOR, see them.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from .call import Call, item_converter, operation, store_of
from .errors import AwsError
from .paging import page
from .wire import Params

_BANDS = ("LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold")


def _backend(call: Call) -> Any:
    from moto.cloudwatch.models import cloudwatch_backends

    return cloudwatch_backends[call.account][call.region]


def alarms(call: Call) -> dict[str, Params]:
    """Our alarms by name; what moto was told without us is taken over from it."""
    table = store_of(call.account, call.region).table("alarms")
    held = _backend(call).alarms
    for name in [n for n in table if n not in held]:
        del table[name]
    convert = item_converter("cloudwatch", "DescribeAlarms", "MetricAlarms")
    for name, alarm in held.items():
        if alarm.rule is None and table.get(name, {}).get("moto") != id(alarm):
            table[name] = convert(alarm) | {"moto": id(alarm)}
    return table


def _refuse(text: str) -> AwsError:
    return AwsError("ValidationError", text)


def _check(given: Params) -> None:
    operator = given["ComparisonOperator"]
    metrics = given.get("Metrics")
    if bool(metrics) == bool(given.get("MetricName")):
        raise _refuse("Exactly one of MetricName and Metrics must be specified.")
    if operator in _BANDS:
        if not given.get("ThresholdMetricId") or given.get("Threshold") is not None:
            raise _refuse(f"{operator} wants a ThresholdMetricId and no Threshold.")
    elif given.get("Threshold") is None or given.get("ThresholdMetricId"):
        raise _refuse(f"{operator} wants a Threshold and no ThresholdMetricId.")
    if metrics:
        for wrong in ("Dimensions", "Period", "Namespace", "Statistic", "ExtendedStatistic", "Unit"):
            if given.get(wrong):
                raise _refuse(f"{wrong} cannot be specified with Metrics.")
        returned = [m for m in metrics if m.get("ReturnData", True)]
        if len(returned) != 1 and operator not in _BANDS:
            raise _refuse("Exactly one element of the metrics list should return data.")
        for metric in metrics:
            if bool(metric.get("MetricStat")) == bool(metric.get("Expression")):
                raise _refuse(f"The query {metric['Id']} wants either an Expression or a MetricStat.")
    else:
        if not given.get("Namespace") or not given.get("Period"):
            raise _refuse("Namespace and Period are required with MetricName.")
        if bool(given.get("Statistic")) == bool(given.get("ExtendedStatistic")):
            raise _refuse("Exactly one of Statistic and ExtendedStatistic must be specified.")
        period = given["Period"]
        if period not in (10, 20, 30) and period % 60:
            raise _refuse("Period must be 10, 20, 30 or a multiple of 60.")
        if period * given["EvaluationPeriods"] > 604800:
            raise _refuse("Metrics cannot be checked across more than seven days (EvaluationPeriods * Period).")
    if given.get("DatapointsToAlarm", 0) > given["EvaluationPeriods"]:
        raise _refuse("DatapointsToAlarm must not be greater than EvaluationPeriods.")
    if given.get("TreatMissingData", "missing") not in ("missing", "ignore", "breaching", "notBreaching"):
        raise _refuse(f"Option {given['TreatMissingData']} is not supported.")
    if given.get("EvaluateLowSampleCountPercentile") and not given.get("ExtendedStatistic"):
        raise _refuse("EvaluateLowSampleCountPercentile wants an ExtendedStatistic.")
    for member in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        actions = given.get(member) or []
        if len(actions) > 5:
            raise _refuse(f"{member}: at most 5.")
        for arn in actions:
            if not arn.startswith("arn:") or arn.count(":") < 5:
                raise _refuse(f"Invalid arn syntax: {arn}")


@operation("cloudwatch", "PutMetricAlarm")
def put(call: Call) -> Params:
    given = {k: v for k, v in call.params.items() if k != "Tags" and v not in ([], "")}
    name = given["AlarmName"]
    _check(given)
    held = alarms(call)
    is_new = name not in held
    call.moto(dict(call.params) | {"Tags": call.params.get("Tags") or [] if is_new else []})
    arn = _backend(call).alarms[name].alarm_arn
    now = datetime.now(timezone.utc)
    before = held.get(name, {})
    held[name] = given | {
        "ActionsEnabled": given.get("ActionsEnabled", True),
        "AlarmArn": arn,
        "moto": id(_backend(call).alarms[name]),
        "AlarmConfigurationUpdatedTimestamp": now,
        "StateValue": before.get("StateValue", "INSUFFICIENT_DATA"),
        "StateReason": before.get("StateReason", "Unchecked: Initial alarm creation"),
        "StateUpdatedTimestamp": before.get("StateUpdatedTimestamp", now),
    }
    for metric in held[name].get("Metrics", []):
        metric.setdefault("ReturnData", True)
    for member in ("AlarmActions", "OKActions", "InsufficientDataActions", "Dimensions"):
        held[name].setdefault(member, [])
    return {}


@operation("cloudwatch", "DescribeAlarms")
def describe(call: Call) -> Params:
    params = call.params
    names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix")
    if names and prefix:
        raise _refuse("AlarmNamePrefix cannot be specified with AlarmNames.")
    shown = sorted(alarms(call).values(), key=lambda a: str(a["AlarmName"]))
    if names:
        shown = [a for a in shown if a["AlarmName"] in names]
    if prefix:
        shown = [a for a in shown if a["AlarmName"].startswith(prefix)]
    if params.get("StateValue"):
        shown = [a for a in shown if a["StateValue"] == params["StateValue"]]
    shown = [{k: v for k, v in a.items() if k != "moto"} for a in shown]
    part, more = page(call, shown, "MaxRecords", "NextToken", 1, 100, 50)
    return {"MetricAlarms": part, "CompositeAlarms": []} | ({"NextToken": more} if more else {})


@operation("cloudwatch", "DeleteAlarms")
def delete(call: Call) -> Params:
    held = alarms(call)
    for name in call.params["AlarmNames"]:
        if name not in held:
            raise AwsError("ResourceNotFound", f"The named resource {name} does not exist.", 404)
    call.moto()
    for name in call.params["AlarmNames"]:
        held.pop(name, None)
    return {}


@operation("cloudwatch", "ListTagsForResource", "TagResource", "UntagResource")
def tags(call: Call) -> Params:
    arn = call.params["ResourceARN"]
    if arn not in {a["AlarmArn"] for a in alarms(call).values()}:
        raise AwsError("ResourceNotFoundException", "The named resource does not exist.", 404)
    if call.operation == "TagResource" and len(call.params["Tags"]) > 50:
        raise AwsError("InvalidParameterValueException", "At most 50 tags.")
    return call.moto()
