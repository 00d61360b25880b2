"""Instance refreshes: instances are replaced one after the other, it takes its time, it fails and is rolled back.

A refresh takes three delays of a group. Each look replaces as many instances as are due by then. Where the new launch fails
(see `autoscaling.py`), the refresh fails half way, and is rolled back where that was asked for: the new instances go, old ones
come. Only at the end of a successful refresh has the group the launch that was desired.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from . import clock
from .autoscaling import (
    LAUNCHES,
    _check_launch,
    activity,
    backend,
    get,
    give_launch,
    launch_of,
    leave,
    notes_of,
    resize,
    shown_launch,
)
from .call import Call, operation
from .errors import AwsError
from .paging import page
from .wire import Params

_ACTIVE = ("Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress")
_LENGTH = 3.0  # times the delay of a group


def _refreshes(call: Call, name: str) -> list[Params]:
    held: list[Params] = notes_of(call, name).setdefault("refreshes", [])
    return held


def _refuse(text: str) -> AwsError:
    return AwsError("ValidationError", text)


def _share(since: float) -> float:
    """How much of its time a refresh, or a rollback, has had."""
    length = clock.delay_seconds * clock.SHARES["group"] * _LENGTH
    return 1.0 if length <= 0 else min(1.0, (clock.now() - since) / length)


def _replace(call: Call, name: str, old: list[str], launch: Params) -> bool:
    """Replaces instances by new ones of a launch; False when they cannot be launched."""
    group = get(call, name)
    kept = launch_of(group)
    desired = group.desired_capacity
    launch_suspended = list(group._suspended_processes)
    group._suspended_processes = [p for p in launch_suspended if p not in ("Launch", "Terminate")]
    give_launch(call, group, launch)
    try:
        count = len(group.instance_states)
        resize(call, name, count + len(old))
        if len(group.instance_states) == count:
            return False
    finally:
        give_launch(call, group, kept)
        group._suspended_processes = launch_suspended
        group.desired_capacity = desired
    gone = [s for s in group.instance_states if s.instance.id in old]
    for state in gone:
        group.instance_states.remove(state)
        leave(call, name, state.instance.id)
    if gone:
        call.sibling("TerminateInstances", {"InstanceIds": [s.instance.id for s in gone]}, service="ec2").run()
    backend(call).update_attached_target_groups(name)
    return True


def _proceed(call: Call, name: str, held: Params) -> None:
    """Brings one refresh to where it should be by now."""
    if held["Status"] in ("InProgress", "Pending", "Baking"):
        share = _share(held["since"])
        if share < 0.1:
            return
        held["Status"] = "InProgress"
        todo: list[str] = held["todo"]
        due = todo if share >= 1 else todo[: int(share * len(todo))]
        waiting = [i for i in due if i not in held["done"]]
        if waiting and not _replace(call, name, waiting, held["launch"]):
            _fail(call, name, held)
            return
        held["done"] += waiting
        left = [i for i in todo if i not in held["done"]]
        held["InstancesToUpdate"] = len(left)
        held["PercentageComplete"] = 100 if not todo else int(share * 100) if left else 100
        if left or share < 1:
            held["PercentageComplete"] = min(held["PercentageComplete"], 99)
            held["StatusReason"] = "Waiting for remaining instances to be available."
            return
        give_launch(call, get(call, name), held["launch"])
        held.pop("StatusReason", None)
        _end(held, "Successful")
    elif held["Status"] == "RollbackInProgress" and _share(held["rollback_since"]) >= 0.4:
        group = get(call, name)
        new = [s.instance.id for s in group.instance_states if s.instance.id not in held["before"]]
        if new:
            _replace(call, name, new, launch_of(group))
        held["PercentageComplete"] = 0
        held["RollbackDetails"] |= {"PercentageCompleteOnRollback": 100, "InstancesToUpdateOnRollback": 0}
        _end(held, "RollbackSuccessful")


def _end(held: Params, status: str) -> None:
    held["Status"] = status
    held["EndTime"] = datetime.now(timezone.utc)


def _fail(call: Call, name: str, held: Params) -> None:
    failed = next((a for a in notes_of(call, name)["activities"] if a["StatusCode"] == "Failed"), {})
    why = f"Failed to launch instances: {failed.get('StatusMessage', 'launching failed')}"
    held["StatusReason"] = why
    if not held["Preferences"].get("AutoRollback"):
        _end(held, "Failed")
        return
    _roll_back(held, why)


def _roll_back(held: Params, why: str) -> None:
    held["Status"] = "RollbackInProgress"
    held["rollback_since"] = clock.now()
    held["RollbackDetails"] = {
        "RollbackReason": why,
        "RollbackStartTime": datetime.now(timezone.utc),
        "PercentageCompleteOnRollback": 0,
        "InstancesToUpdateOnRollback": len(held["done"]),
    }


def _shown(held: Params) -> Params:
    ours = ("since", "launch", "todo", "done", "before", "rollback_since")
    return {k: v for k, v in held.items() if k not in ours}


def _current(call: Call, name: str) -> list[Params]:
    held = _refreshes(call, name)
    if "deleted_at" not in notes_of(call, name):
        for one in reversed(held):
            _proceed(call, name, one)
    return held


def _pinned(launch: Params) -> bool:
    if "MixedInstancesPolicy" in launch:
        spec = launch["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]
    elif "LaunchTemplate" in launch:
        spec = launch["LaunchTemplate"]
    else:
        return False
    return str(spec.get("Version", "$Default")).isdigit()


def _check(call: Call, group: Any, desired: Params, preferences: Params) -> None:
    if desired:
        _check_launch(call, desired, is_new=True)
    low, high = preferences.get("MinHealthyPercentage"), preferences.get("MaxHealthyPercentage")
    if high is not None and low is None:
        raise _refuse("MinHealthyPercentage must be specified with MaxHealthyPercentage.")
    if high is not None and low is not None and high - low > 100:
        raise _refuse("The difference between MinHealthyPercentage and MaxHealthyPercentage cannot exceed 100.")
    points = preferences.get("CheckpointPercentages")
    if preferences.get("CheckpointDelay") is not None and not points:
        raise _refuse("CheckpointPercentages must be specified with CheckpointDelay.")
    if points and (points != sorted(set(points)) or not 1 <= points[0] <= points[-1] <= 100):
        raise _refuse("CheckpointPercentages must be in ascending order, between 1 and 100.")
    if preferences.get("AutoRollback"):
        if not desired:
            raise _refuse("The AutoRollback parameter cannot be set to true when the DesiredConfiguration parameter is empty.")
        if not _pinned(desired) or not _pinned(shown_launch(group)):
            raise _refuse(
                "The AutoRollback parameter cannot be set to true when a launch template's version is $Latest or $Default, "
                "or with a launch configuration."
            )


@operation("autoscaling", "StartInstanceRefresh")
def start(call: Call) -> Params:
    from moto.moto_api._internal import mock_random

    name = call.params["AutoScalingGroupName"]
    group = get(call, name)
    desired = {k: v for k, v in (call.params.get("DesiredConfiguration") or {}).items() if k in LAUNCHES}
    preferences = call.params.get("Preferences") or {}
    _check(call, group, desired, preferences)
    if any(r["Status"] in _ACTIVE for r in _current(call, name)):
        raise AwsError(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.",
        )
    launch = desired or launch_of(group)
    todo = [s.instance.id for s in group.instance_states]
    if preferences.get("SkipMatching"):
        launched = notes_of(call, name).get("launched", {})
        wanted = (launch.get("LaunchTemplate") or {}).get("Version")
        todo = [
            i
            for i in todo
            if not wanted or (launched.get(i, {}).get("LaunchTemplate") or {}).get("Version") != str(wanted)
        ]
    identifier = str(mock_random.uuid4())
    held: Params = {
        "InstanceRefreshId": identifier,
        "AutoScalingGroupName": name,
        "Status": "Pending",
        "Strategy": call.params.get("Strategy", "Rolling"),
        "StartTime": datetime.now(timezone.utc),
        "PercentageComplete": 0,
        "InstancesToUpdate": len(todo),
        "Preferences": {"MinHealthyPercentage": 90, **preferences},
        "since": clock.now(),
        "launch": launch,
        "todo": todo,
        "done": [],
        "before": [s.instance.id for s in group.instance_states],
    }
    if desired:
        held["DesiredConfiguration"] = _told(call, desired)
    _refreshes(call, name).insert(0, held)
    activity(call, name, f"Instance refresh {identifier} started")
    return {"InstanceRefreshId": identifier}


def _told(call: Call, desired: Params) -> Params:
    """A desired configuration with the template's id and name."""
    template = desired.get("LaunchTemplate")
    if not template:
        return desired
    from .ec2.templates import get as template_of

    held = template_of(call, template.get("LaunchTemplateId"), template.get("LaunchTemplateName"))
    full = {"LaunchTemplateId": held.id, "LaunchTemplateName": held.name, "Version": template.get("Version", "$Default")}
    return {"LaunchTemplate": full}


@operation("autoscaling", "DescribeInstanceRefreshes")
def describe(call: Call) -> Params:
    name = call.params["AutoScalingGroupName"]
    get(call, name)
    wanted = call.params.get("InstanceRefreshIds")
    shown = [_shown(r) for r in _current(call, name) if not wanted or r["InstanceRefreshId"] in wanted]
    part, more = page(call, shown, "MaxRecords", "NextToken", 1, 100, 50)
    return {"InstanceRefreshes": part} | ({"NextToken": more} if more else {})


def _running(call: Call, name: str) -> Params:
    get(call, name)
    for held in _current(call, name):
        if held["Status"] in ("Pending", "InProgress", "Baking"):
            return held
    raise AwsError(
        "ActiveInstanceRefreshNotFound",
        f"No in progress or pending Instance Refresh found for Auto Scaling group {name}",
    )


@operation("autoscaling", "CancelInstanceRefresh")
def cancel(call: Call) -> Params:
    held = _running(call, call.params["AutoScalingGroupName"])
    held["StatusReason"] = "Cancelled due to user request."
    _end(held, "Cancelled")
    return {"InstanceRefreshId": held["InstanceRefreshId"]}


@operation("autoscaling", "RollbackInstanceRefresh")
def roll_back(call: Call) -> Params:
    held = _running(call, call.params["AutoScalingGroupName"])
    if "DesiredConfiguration" not in held:
        raise AwsError(
            "IrreversibleInstanceRefresh", "The instance refresh has no desired configuration and cannot be rolled back."
        )
    _roll_back(held, "Rolled back due to user request.")
    return {"InstanceRefreshId": held["InstanceRefreshId"]}
