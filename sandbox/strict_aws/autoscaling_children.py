"""What belongs to an Auto Scaling group: policies, scheduled actions, hooks. Wholly ours, by group and name."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from .autoscaling import backend, get, notes_of
from .call import Call, operation
from .errors import AwsError
from .paging import page
from .wire import Params

_MASK = "00000000-0000-0000-0000-000000000000"


def _all(call: Call, kind: str) -> list[Params]:
    name = call.params.get("AutoScalingGroupName")
    groups = [get(call, name)] if name else list(backend(call).autoscaling_groups.values())
    return [v for g in groups for _, v in sorted(notes_of(call, g.name).get(kind, {}).items())]


def _refuse(text: str) -> AwsError:
    return AwsError("ValidationError", text)


# MARK: policies


def _check_policy(given: Params) -> None:
    kind = given["PolicyType"]
    tracking = given.get("TargetTrackingConfiguration")
    if kind == "TargetTrackingScaling":
        if not tracking:
            raise _refuse("TargetTrackingConfiguration is required for policy type TargetTrackingScaling.")
        for wrong in ("AdjustmentType", "ScalingAdjustment", "StepAdjustments", "Cooldown", "MinAdjustmentMagnitude"):
            if given.get(wrong):
                raise _refuse(f"{wrong} is not supported for policy type TargetTrackingScaling.")
        kinds = [k for k in ("PredefinedMetricSpecification", "CustomizedMetricSpecification") if tracking.get(k)]
        if len(kinds) != 1:
            raise _refuse("Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification is required.")
        predefined = tracking.get("PredefinedMetricSpecification") or {}
        if predefined.get("PredefinedMetricType") == "ALBRequestCountPerTarget" and not predefined.get("ResourceLabel"):
            raise _refuse("ResourceLabel is required for ALBRequestCountPerTarget.")
        return
    if tracking:
        raise _refuse(f"TargetTrackingConfiguration is not supported for policy type {kind}.")
    if kind not in ("SimpleScaling", "StepScaling"):
        raise _refuse(f"The policy type {kind} is not supported here.")
    adjustment = given.get("AdjustmentType")
    if adjustment not in ("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"):
        raise _refuse("You must specify a valid AdjustmentType for policy type " + kind)
    if given.get("MinAdjustmentMagnitude") and adjustment != "PercentChangeInCapacity":
        raise _refuse("MinAdjustmentMagnitude is only supported with PercentChangeInCapacity.")
    if kind == "SimpleScaling":
        if given.get("ScalingAdjustment") is None or given.get("StepAdjustments"):
            raise _refuse("SimpleScaling wants ScalingAdjustment, and no StepAdjustments.")
        for wrong in ("MetricAggregationType", "EstimatedInstanceWarmup"):
            if given.get(wrong) is not None:
                raise _refuse(f"{wrong} is not supported for policy type SimpleScaling.")
        return
    if not given.get("StepAdjustments") or given.get("ScalingAdjustment") is not None or given.get("Cooldown"):
        raise _refuse("StepScaling wants StepAdjustments, and neither ScalingAdjustment nor Cooldown.")
    _check_steps(given["StepAdjustments"])


def _check_steps(steps: list[Params]) -> None:
    low = float("-inf")
    bounds = sorted(
        (s.get("MetricIntervalLowerBound", low), s.get("MetricIntervalUpperBound", float("inf"))) for s in steps
    )
    for one, other in zip(bounds, bounds[1:], strict=False):
        if one[1] > other[0]:
            raise _refuse("StepAdjustment intervals cannot overlap.")
        if one[1] < other[0]:
            raise _refuse("StepAdjustment intervals cannot have gaps between them.")


def _alarms(call: Call, group: str, name: str) -> list[Params]:
    prefix = f"TargetTracking-{group}-"
    names = [f"{prefix}{side}-{name}" for side in ("AlarmHigh", "AlarmLow")]
    return [{"AlarmName": a, "AlarmARN": f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:{a}"} for a in names]


@operation("autoscaling", "PutScalingPolicy")
def put_policy(call: Call) -> Params:
    from moto.moto_api._internal import mock_random

    given = {"PolicyType": "SimpleScaling", "Enabled": True} | call.params
    group, name = given["AutoScalingGroupName"], given["PolicyName"]
    policies = notes_of(call, get(call, group).name).setdefault("policies", {})
    _check_policy(given)
    if given["PolicyType"] == "StepScaling":
        given.setdefault("MetricAggregationType", "Average")
    tracking = given.get("TargetTrackingConfiguration")
    if tracking is not None:
        given["TargetTrackingConfiguration"] = {"DisableScaleIn": False} | tracking
    arn = policies.get(name, {}).get("PolicyARN") or (
        f"arn:aws:autoscaling:{call.region}:{call.account}:scalingPolicy:{mock_random.uuid4()}:"
        f"autoScalingGroupName/{group}:policyName/{name}"
    )
    own = _alarms(call, group, name) if tracking is not None else []
    policies[name] = given | {"PolicyARN": arn, "own": own}
    return {"PolicyARN": arn, "Alarms": own}


def _set_off_by(call: Call, policy: Params) -> list[Params]:
    """The alarms that name a policy among their actions."""
    from .cloudwatch import alarms

    named = [a for a in alarms(call).values() if policy["PolicyARN"] in a.get("AlarmActions", [])]
    return policy["own"] + [{"AlarmName": a["AlarmName"], "AlarmARN": a["AlarmArn"]} for a in named]


@operation("autoscaling", "DescribePolicies")
def describe_policies(call: Call) -> Params:
    held = _all(call, "policies")
    for member, key in (("PolicyNames", "PolicyName"), ("PolicyTypes", "PolicyType")):
        wanted = call.params.get(member)
        if wanted:
            held = [p for p in held if p[key] in wanted or (key == "PolicyName" and p["PolicyARN"] in wanted)]
    shown = [{k: v for k, v in p.items() if k != "own"} | {"Alarms": _set_off_by(call, p)} for p in held]
    part, more = page(call, shown, "MaxRecords", "NextToken", 1, 100, 50)
    return {"ScalingPolicies": part} | ({"NextToken": more} if more else {})


@operation("autoscaling", "DeletePolicy")
def delete_policy(call: Call) -> Params:
    wanted = call.params["PolicyName"]
    name = call.params.get("AutoScalingGroupName")
    if name is None and not wanted.startswith("arn:"):
        raise _refuse("You must specify the AutoScalingGroupName with the name of a policy.")
    for group in backend(call).autoscaling_groups.values():
        policies = notes_of(call, group.name).get("policies", {})
        for key, policy in list(policies.items()):
            if (group.name == name and key == wanted) or policy["PolicyARN"] == wanted:
                del policies[key]
                return {}
    raise _refuse(f"Scaling policy {wanted} not found.")


# MARK: scheduled actions

_SIZES = ("MinSize", "MaxSize", "DesiredCapacity")


def _zoned(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


@operation("autoscaling", "PutScheduledUpdateGroupAction")
def put_schedule(call: Call) -> Params:
    group, name = call.params["AutoScalingGroupName"], call.params["ScheduledActionName"]
    actions = notes_of(call, get(call, group).name).setdefault("schedules", {})
    now = datetime.now(timezone.utc)
    start = call.params.get("StartTime") or call.params.get("Time")
    if start is not None and _zoned(start) < now - timedelta(seconds=5):
        raise _refuse("Given start time is in the past")
    # What an update leaves out stays as it was.
    held = actions.get(name, {}) | {k: v for k, v in call.params.items() if k != "Time"}
    if start is not None:
        held["StartTime"] = start
    if not any(k in held for k in _SIZES):
        raise _refuse("At least one of MinSize, MaxSize and DesiredCapacity must be specified.")
    if "StartTime" not in held and "Recurrence" not in held:
        raise _refuse("Either StartTime or Recurrence must be specified.")
    recurrence = held.get("Recurrence")
    if recurrence is not None and len(recurrence.split()) != 5:
        raise _refuse(f"The recurrence {recurrence} is not a valid cron expression.")
    if "TimeZone" in held and recurrence is None:
        raise _refuse("A time zone wants a recurrence.")
    if held.get("MinSize", 0) > held.get("MaxSize", 1 << 30):
        raise _refuse("Min size cannot be greater than max size")
    if recurrence is not None and "StartTime" not in held:
        # The next time.
        held["StartTime"] = (now + timedelta(days=1)).replace(microsecond=0)
    held["ScheduledActionARN"] = (
        f"arn:aws:autoscaling:{call.region}:{call.account}:scheduledUpdateGroupAction:{_MASK}:"
        f"autoScalingGroupName/{group}:scheduledActionName/{name}"
    )
    actions[name] = held
    return {}


@operation("autoscaling", "DescribeScheduledActions")
def describe_schedules(call: Call) -> Params:
    wanted = call.params.get("ScheduledActionNames")
    held = [a for a in _all(call, "schedules") if not wanted or a["ScheduledActionName"] in wanted]
    shown = [a | ({"Time": a["StartTime"]} if "StartTime" in a else {}) for a in held]
    part, more = page(call, shown, "MaxRecords", "NextToken", 1, 100, 50)
    return {"ScheduledUpdateGroupActions": part} | ({"NextToken": more} if more else {})


@operation("autoscaling", "DeleteScheduledAction")
def delete_schedule(call: Call) -> Params:
    group, name = call.params["AutoScalingGroupName"], call.params["ScheduledActionName"]
    actions = notes_of(call, get(call, group).name).get("schedules", {})
    if name not in actions:
        raise _refuse("Scheduled action name not found")
    del actions[name]
    return {}


# MARK: hooks


def _check_target(call: Call, hook: Params) -> None:
    target = hook.get("NotificationTargetARN")
    if not target:
        return
    if not hook.get("RoleARN"):
        raise _refuse("You must specify a RoleARN with a NotificationTargetARN.")
    if ":sns:" in target:
        from moto.sns.models import sns_backends

        if target not in sns_backends[call.account][call.region].topics:
            raise _refuse(f"Unable to publish test message to notification target {target} using IAM role.")


@operation("autoscaling", "PutLifecycleHook")
def put_hook(call: Call) -> Params:
    group, name = call.params["AutoScalingGroupName"], call.params["LifecycleHookName"]
    hooks = notes_of(call, get(call, group).name).setdefault("hooks", {})
    usual: Params = {"DefaultResult": "ABANDON", "HeartbeatTimeout": 3600}
    hook: Params = usual | hooks.get(name, {}) | call.params
    if not hook.get("NotificationTargetARN"):
        hook.pop("NotificationTargetARN", None)
        hook.pop("RoleARN", None)
    if hook.get("LifecycleTransition") not in (
        "autoscaling:EC2_INSTANCE_LAUNCHING",
        "autoscaling:EC2_INSTANCE_TERMINATING",
    ):
        raise _refuse("You must specify a valid LifecycleTransition.")
    if hook["DefaultResult"] not in ("CONTINUE", "ABANDON"):
        raise _refuse("Valid default results are CONTINUE and ABANDON.")
    if not 30 <= hook["HeartbeatTimeout"] <= 7200:
        raise _refuse("The heartbeat timeout must be between 30 and 7200 seconds.")
    _check_target(call, hook)
    hooks[name] = hook | {"GlobalTimeout": min(172800, 100 * hook["HeartbeatTimeout"])}
    return {}


@operation("autoscaling", "DescribeLifecycleHooks")
def describe_hooks(call: Call) -> Params:
    wanted = call.params.get("LifecycleHookNames")
    return {"LifecycleHooks": [h for h in _all(call, "hooks") if not wanted or h["LifecycleHookName"] in wanted]}


@operation("autoscaling", "DeleteLifecycleHook")
def delete_hook(call: Call) -> Params:
    group, name = call.params["AutoScalingGroupName"], call.params["LifecycleHookName"]
    hooks: dict[str, Any] = notes_of(call, get(call, group).name).get("hooks", {})
    if name not in hooks:
        raise _refuse(f"No Lifecycle Hook found with name {name}")
    del hooks[name]
    return {}
