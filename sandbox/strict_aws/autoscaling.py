"""Auto Scaling: names taken once, fields that come back, groups that are emptied before they go, refreshes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from . import clock
from .call import Call, item_converter, operation, store_of
from .errors import AwsError
from .paging import page
from .wire import Params


def backend(call: Call) -> Any:
    """moto's backend."""
    from moto.autoscaling.models import autoscaling_backends

    return autoscaling_backends[call.account][call.region]


def _not_found(name: str) -> AwsError:
    return AwsError("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")


def get(call: Call, name: str) -> Any:
    """moto's group."""
    held = backend(call).autoscaling_groups.get(name)
    if held is None:
        raise _not_found(name)
    return held


def _notes(call: Call, name: str) -> Params:
    return store_of(call.account, call.region).notes(f"asg:{name}")


# MARK: launch configurations


def _launch_users(call: Call, name: str) -> list[str]:
    return [g.name for g in backend(call).autoscaling_groups.values() if g.launch_configuration_name == name]


@operation("autoscaling", "CreateLaunchConfiguration")
def create_configuration(call: Call) -> Params:
    from .ec2 import images, launches

    params = dict(call.params)
    name = params["LaunchConfigurationName"]
    if name in backend(call).launch_configurations:
        raise AwsError(
            "AlreadyExists",
            f"Launch Configuration by this name already exists - A launch configuration already exists with the name {name}",
        )
    if "InstanceId" not in params:
        if "ImageId" not in params or "InstanceType" not in params:
            raise AwsError(
                "ValidationError",
                "Valid requests must contain either the InstanceID parameter or both the ImageId and InstanceType parameters.",
            )
        _as_validation(lambda: images.get(call, params["ImageId"]))
        _as_validation(lambda: launches.check_type(call, params["InstanceType"]))
    key = params.get("KeyName")
    if key and key not in call.ec2.key_pairs:
        raise AwsError("ValidationError", f"The key pair '{key}' does not exist")
    for group in params.get("SecurityGroups", []):
        if call.ec2.get_security_group_from_id(group) is None:
            raise AwsError("ValidationError", f"The security group '{group}' does not exist")
    profile = params.get("IamInstanceProfile")
    if profile:
        given = {"Arn": profile} if profile.startswith("arn:") else {"Name": profile}
        try:
            launches.profile_of(call, given)
        except AwsError as error:
            raise AwsError("ValidationError", f"Invalid IamInstanceProfile: {profile}") from error
    return call.moto(params)


def _as_validation(check: Any) -> None:
    try:
        check()
    except AwsError as error:
        raise AwsError("ValidationError", error.message) from error


@operation("autoscaling", "DescribeLaunchConfigurations")
def describe_configurations(call: Call) -> Params:
    names = call.params.get("LaunchConfigurationNames") or []
    held = [c for c in backend(call).launch_configurations.values() if not names or c.name in names]
    convert = item_converter("autoscaling", call.operation, "LaunchConfigurations")
    shown = []
    for configuration in held:
        item = convert(configuration)
        devices = []
        for device in configuration.block_device_mapping_dict or []:
            devices.append({k: v for k, v in device.items() if v not in (None, "")})
        item["BlockDeviceMappings"] = devices
        shown.append(item)
    part, more = page(call, shown, "MaxRecords", "NextToken", 1, 100, 50)
    return {"LaunchConfigurations": part} | ({"NextToken": more} if more else {})


@operation("autoscaling", "DeleteLaunchConfiguration")
def delete_configuration(call: Call) -> Params:
    name = call.params["LaunchConfigurationName"]
    if name not in backend(call).launch_configurations:
        raise AwsError(
            "ValidationError", f"Launch configuration name not found - Launch configuration {name} not found"
        )
    users = _launch_users(call, name)
    if users:
        raise AwsError(
            "ResourceInUse",
            f"Cannot delete launch configuration {name} because it is attached to AutoScalingGroup {users[0]}",
        )
    return call.moto()


# MARK: groups

_KEPT = (
    "MaxInstanceLifetime",
    "DefaultInstanceWarmup",
    "InstanceMaintenancePolicy",
    "TerminationPolicies",
    "DefaultCooldown",
    "CapacityRebalance",
    "PlacementGroup",
    "ServiceLinkedRoleARN",
    "DesiredCapacityType",
    "Context",
    "AvailabilityZoneDistribution",
)


def _check_sizes(low: int, high: int, desired: int | None) -> None:
    if low > high:
        raise AwsError("ValidationError", f"Max bound, {high}, must be greater than or equal to min bound, {low}")
    if desired is not None and not low <= desired <= high:
        side = "above min value" if desired < low else "below max value"
        raise AwsError(
            "ValidationError", f"Desired capacity:{desired} must be specified {side}:{low if desired < low else high}"
        )


def _check_launch(call: Call, params: Params, is_new: bool) -> None:
    kinds = [
        k for k in ("LaunchConfigurationName", "LaunchTemplate", "MixedInstancesPolicy", "InstanceId") if k in params
    ]
    if len(kinds) > 1 or (is_new and not kinds):
        raise AwsError(
            "ValidationError",
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.",
        )
    name = params.get("LaunchConfigurationName")
    if name is not None and name not in backend(call).launch_configurations:
        raise AwsError(
            "ValidationError", f"Launch configuration name not found - Launch configuration {name} not found"
        )
    given = params.get("LaunchTemplate") or (params.get("MixedInstancesPolicy") or {}).get("LaunchTemplate", {}).get(
        "LaunchTemplateSpecification"
    )
    if not given:
        return
    from .ec2 import images, launches
    from .ec2.templates import version_of

    try:
        _, version = version_of(call, given)
        if version.data.get("ImageId"):
            images.get(call, version.data["ImageId"])
        profile = version.data.get("IamInstanceProfile")
        if profile:
            launches.profile_of(call, profile)
    except AwsError as error:
        raise AwsError(
            "ValidationError", f"You must use a valid fully-formed launch template. {error.message}"
        ) from error
    if not version.data.get("ImageId"):
        raise AwsError(
            "ValidationError",
            "You must use a valid fully-formed launch template. The request must contain the parameter ImageId",
        )


def _check_places(call: Call, params: Params) -> None:
    for subnet in filter(None, (params.get("VPCZoneIdentifier") or "").split(",")):
        if not any(subnet.strip() in zone for zone in call.ec2.subnets.values()):
            raise AwsError("ValidationError", f"The subnet ID '{subnet.strip()}' does not exist")
    if params.get("TargetGroupARNs"):
        from .elbv2 import backend as balancers

        for arn in params["TargetGroupARNs"]:
            if arn not in balancers(call).target_groups:
                raise AwsError(
                    "ValidationError",
                    f"Provided Target Groups may not be valid. Please ensure they exist and try again: {arn}",
                )


def _check_lifetime(params: Params) -> None:
    lifetime = params.get("MaxInstanceLifetime")
    if lifetime and lifetime < 86400:
        raise AwsError("ValidationError", "Max Instance Lifetime must be 0 or at least 86400 seconds")


@operation("autoscaling", "CreateAutoScalingGroup")
def create(call: Call) -> Params:
    params = dict(call.params)
    name = params["AutoScalingGroupName"]
    if name in backend(call).autoscaling_groups:
        raise AwsError(
            "AlreadyExists",
            f"AutoScalingGroup by this name already exists - A group with the name {name} already exists",
        )
    _check_sizes(params["MinSize"], params["MaxSize"], params.get("DesiredCapacity"))
    _check_launch(call, params, is_new=True)
    _check_places(call, params)
    _check_lifetime(params)
    if not params.get("VPCZoneIdentifier") and not params.get("AvailabilityZones"):
        raise AwsError("ValidationError", "At least one Availability Zone or VPC Subnet is required.")
    desired = params.get("DesiredCapacity", params["MinSize"])
    # Instances are launched by us afterwards, so that each takes its time.
    call.moto(params | {"DesiredCapacity": desired})
    notes = _notes(call, name)
    notes.clear()
    notes.update({k: params[k] for k in _KEPT if k in params})
    _note_launch(call, notes, params)
    _bear_instances(call, name)
    return {}


def _note_launch(call: Call, notes: Params, params: Params) -> None:
    """What the answers show of the launch: the version as it was asked for."""
    if "LaunchTemplate" in params:
        from .ec2.templates import get as template

        given = params["LaunchTemplate"]
        held = template(call, given.get("LaunchTemplateId"), given.get("LaunchTemplateName"))
        shown = {
            "LaunchTemplateId": held.id,
            "LaunchTemplateName": held.name,
            "Version": given.get("Version", "$Default"),
        }
        notes["LaunchTemplate"] = shown
    elif "LaunchConfigurationName" in params or "MixedInstancesPolicy" in params:
        notes.pop("LaunchTemplate", None)


def _bear_instances(call: Call, name: str) -> None:
    """Lets fresh instances of a group be pending for a while."""
    store = store_of(call.account, call.region)
    for state in get(call, name).instance_states:
        if state.instance.id not in store.born:
            store.bear(state.instance.id)
            store.notes(state.instance.id)["transition"] = ("pending", clock.now())


def _shown(call: Call, group: Any) -> Params:
    item: Params = item_converter("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups")(group)
    notes = _notes(call, group.name)
    item |= {k: notes[k] for k in _KEPT if k in notes}
    for emptied in ("MaxInstanceLifetime", "DefaultInstanceWarmup"):
        if item.get(emptied) in (0, -1):
            item.pop(emptied)
    if "LaunchTemplate" in notes:
        item["LaunchTemplate"] = notes["LaunchTemplate"]
    item["TerminationPolicies"] = item.get("TerminationPolicies") or ["Default"]
    item["ServiceLinkedRoleARN"] = notes.get("ServiceLinkedRoleARN") or (
        f"arn:aws:iam::{call.account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    )
    store = store_of(call.account, call.region)
    for instance in item.get("Instances", []):
        if store.is_young(instance["InstanceId"], "instance"):
            instance["LifecycleState"] = "Pending"
    if "metrics" in notes:
        item["EnabledMetrics"] = [{"Metric": m, "Granularity": "1Minute"} for m in notes["metrics"]]
    if "deleted_at" in notes:
        item["Status"] = "Delete in progress"
    return item


@operation("autoscaling", "DescribeAutoScalingGroups")
def describe(call: Call) -> Params:
    names = call.params.get("AutoScalingGroupNames") or []
    held = [g for g in backend(call).autoscaling_groups.values() if not names or g.name in names]
    shown = [_shown(call, g) for g in held]
    for one in call.params.get("Filters") or []:
        wanted = one.get("Values", [])
        name = one.get("Name", "")
        if name == "tag-key":
            shown = [g for g in shown if any(t["Key"] in wanted for t in g.get("Tags", []))]
        elif name == "tag-value":
            shown = [g for g in shown if any(t.get("Value") in wanted for t in g.get("Tags", []))]
        elif name.startswith("tag:"):
            shown = [
                g for g in shown if any(t["Key"] == name[4:] and t.get("Value") in wanted for t in g.get("Tags", []))
            ]
        else:
            raise AwsError(
                "ValidationError",
                f"Filter type {name} is not correct. Allowed Filter types are: [tag-key, tag-value, tag:<key>]",
            )
    part, more = page(call, shown, "MaxRecords", "NextToken", 1, 100, 50)
    return {"AutoScalingGroups": part} | ({"NextToken": more} if more else {})


@operation("autoscaling", "UpdateAutoScalingGroup")
def update(call: Call) -> Params:
    params = dict(call.params)
    name = params["AutoScalingGroupName"]
    group = get(call, name)
    low, high = params.get("MinSize", group.min_size), params.get("MaxSize", group.max_size)
    desired = params.get("DesiredCapacity")
    _check_sizes(low, high, desired)
    _check_launch(call, params, is_new=False)
    _check_places(call, params)
    _check_lifetime(params)
    if desired is None:
        params["DesiredCapacity"] = min(max(group.desired_capacity, low), high)
    call.moto(params)
    notes = _notes(call, name)
    notes.update({k: params[k] for k in _KEPT if k in params})
    _note_launch(call, notes, params)
    _bear_instances(call, name)
    return {}


@operation("autoscaling", "SetDesiredCapacity")
def set_desired(call: Call) -> Params:
    group = get(call, call.params["AutoScalingGroupName"])
    _check_sizes(group.min_size, group.max_size, call.params["DesiredCapacity"])
    call.moto()
    _bear_instances(call, group.name)
    return {}


@operation("autoscaling", "DeleteAutoScalingGroup")
def delete(call: Call) -> Params:
    name = call.params["AutoScalingGroupName"]
    group = get(call, name)
    if group.instance_states and not call.params.get("ForceDelete"):
        raise AwsError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
        )
    notes = _notes(call, name)
    if "deleted_at" in notes:
        return {}
    notes["deleted_at"] = clock.now()
    identifiers = [s.instance.id for s in group.instance_states]
    group.instance_states.clear()
    group.desired_capacity = 0
    if identifiers:
        for identifier in identifiers:
            instance = call.ec2.get_instance_by_id(identifier)
            if instance is not None:
                instance.disable_api_termination = False
        call.sibling("TerminateInstances", {"InstanceIds": identifiers}, service="ec2").run()

    def gone() -> None:
        backend(call).autoscaling_groups.pop(name, None)
        store_of(call.account, call.region).extra.pop(f"asg:{name}", None)

    store_of(call.account, call.region).later("group", gone)
    store_of(call.account, call.region).settle()
    return {}


# MARK: tags, metrics, target groups


@operation("autoscaling", "CreateOrUpdateTags", "DeleteTags")
def tags(call: Call) -> Params:
    for tag in call.params["Tags"]:
        get(call, tag.get("ResourceId", ""))
        if tag.get("ResourceType", "auto-scaling-group") != "auto-scaling-group":
            raise AwsError("ValidationError", f"Invalid resource type {tag['ResourceType']}")
    return call.moto()


@operation("autoscaling", "EnableMetricsCollection")
def enable_metrics(call: Call) -> Params:
    get(call, call.params["AutoScalingGroupName"])
    if call.params["Granularity"] != "1Minute":
        raise AwsError("ValidationError", "Granularity must be 1Minute")
    notes = _notes(call, call.params["AutoScalingGroupName"])
    every = [
        "GroupDesiredCapacity",
        "GroupInServiceInstances",
        "GroupMaxSize",
        "GroupMinSize",
        "GroupPendingInstances",
        "GroupStandbyInstances",
        "GroupTerminatingInstances",
        "GroupTotalInstances",
    ]
    notes["metrics"] = sorted({*notes.get("metrics", []), *(call.params.get("Metrics") or every)})
    return {}


@operation("autoscaling", "DisableMetricsCollection")
def disable_metrics(call: Call) -> Params:
    get(call, call.params["AutoScalingGroupName"])
    notes = _notes(call, call.params["AutoScalingGroupName"])
    named = call.params.get("Metrics")
    notes["metrics"] = [m for m in notes.get("metrics", []) if named and m not in named]
    return {}


@operation("autoscaling", "AttachTrafficSources", "DetachTrafficSources")
def traffic_sources(call: Call) -> Params:
    name = call.params["AutoScalingGroupName"]
    get(call, name)
    arns = [s["Identifier"] for s in call.params["TrafficSources"]]
    verb = "Attach" if call.operation.startswith("Attach") else "Detach"
    _check_places(call, {"TargetGroupARNs": arns})
    call.sibling(f"{verb}LoadBalancerTargetGroups").moto({"AutoScalingGroupName": name, "TargetGroupARNs": arns})
    return {}


@operation("autoscaling", "DescribeTrafficSources")
def describe_sources(call: Call) -> Params:
    group = get(call, call.params["AutoScalingGroupName"])
    held = [
        {"TrafficSource": a, "Identifier": a, "State": "InService", "Type": "elbv2"} for a in group.target_group_arns
    ]
    part, more = page(call, held, "MaxRecords", "NextToken", 1, 50, 50)
    return {"TrafficSources": part} | ({"NextToken": more} if more else {})


@operation("autoscaling", "AttachLoadBalancerTargetGroups")
def attach_groups(call: Call) -> Params:
    get(call, call.params["AutoScalingGroupName"])
    _check_places(call, call.params)
    return call.moto()


# MARK: policies, schedules, hooks


@operation("autoscaling", "PutScalingPolicy")
def put_policy(call: Call) -> Params:
    get(call, call.params["AutoScalingGroupName"])
    call.moto()
    name, group = call.params["PolicyName"], call.params["AutoScalingGroupName"]
    arn = next(p.arn for p in backend(call).policies.values() if p.name == name and p.auto_scaling_group_name == group)
    alarms = []
    if call.params.get("PolicyType") == "TargetTrackingScaling":
        for side in ("AlarmHigh", "AlarmLow"):
            alarm = f"TargetTracking-{group}-{side}-{name}"
            alarms.append(
                {"AlarmName": alarm, "AlarmARN": f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:{alarm}"}
            )
    return {"PolicyARN": arn, "Alarms": alarms}


@operation("autoscaling", "DescribePolicies")
def describe_policies(call: Call) -> Params:
    shown = call.moto({k: v for k, v in call.params.items() if k not in ("MaxRecords", "NextToken")})["ScalingPolicies"]
    part, more = page(call, shown, "MaxRecords", "NextToken", 1, 100, 50)
    return {"ScalingPolicies": part} | ({"NextToken": more} if more else {})


@operation("autoscaling", "DeletePolicy")
def delete_policy(call: Call) -> Params:
    wanted = call.params["PolicyName"]
    for key, policy in list(backend(call).policies.items()):
        if wanted in (policy.name, policy.arn):
            del backend(call).policies[key]
            return {}
    raise AwsError("ValidationError", f"Scaling policy {wanted} not found.")


@operation("autoscaling", "PutScheduledUpdateGroupAction")
def put_schedule(call: Call) -> Params:
    get(call, call.params["AutoScalingGroupName"])
    start = call.params.get("StartTime") or call.params.get("Time")
    if start is not None and start.replace(tzinfo=timezone.utc) < datetime.now(timezone.utc) - timedelta(seconds=5):
        raise AwsError("ValidationError", "Given start time is in the past")
    return call.moto()


@operation("autoscaling", "DescribeScheduledActions")
def describe_schedules(call: Call) -> Params:
    shown = call.moto({k: v for k, v in call.params.items() if k not in ("MaxRecords", "NextToken")})
    items = shown["ScheduledUpdateGroupActions"]
    for item in items:
        group, name = item["AutoScalingGroupName"], item["ScheduledActionName"]
        item["ScheduledActionARN"] = (
            f"arn:aws:autoscaling:{call.region}:{call.account}:scheduledUpdateGroupAction:"
            f"00000000-0000-0000-0000-000000000000:autoScalingGroupName/{group}:scheduledActionName/{name}"
        )
    part, more = page(call, items, "MaxRecords", "NextToken", 1, 100, 50)
    return {"ScheduledUpdateGroupActions": part} | ({"NextToken": more} if more else {})


@operation("autoscaling", "PutLifecycleHook")
def put_hook(call: Call) -> Params:
    group = get(call, call.params["AutoScalingGroupName"])
    call.moto()
    hooks = _notes(call, group.name).setdefault("hooks", {})
    hooks[call.params["LifecycleHookName"]] = {**hooks.get(call.params["LifecycleHookName"], {}), **call.params}
    return {}


@operation("autoscaling", "DescribeLifecycleHooks")
def describe_hooks(call: Call) -> Params:
    name = call.params["AutoScalingGroupName"]
    get(call, name)
    shown = call.moto()
    for hook in shown.get("LifecycleHooks", []):
        for dummy in ("NotificationTargetARN", "RoleARN", "NotificationMetadata"):
            hook.pop(dummy, None)
        held = _notes(call, name).get("hooks", {}).get(hook["LifecycleHookName"], {})
        hook |= {k: held[k] for k in ("NotificationTargetARN", "RoleARN", "NotificationMetadata") if held.get(k)}
        hook["GlobalTimeout"] = min(172800, 100 * hook["HeartbeatTimeout"])
    return shown


@operation("autoscaling", "DeleteLifecycleHook")
def delete_hook(call: Call) -> Params:
    name, hook = call.params["AutoScalingGroupName"], call.params["LifecycleHookName"]
    get(call, name)
    if hook not in _notes(call, name).get("hooks", {}):
        raise AwsError("ValidationError", f"No Lifecycle Hook found with name {hook}")
    del _notes(call, name)["hooks"][hook]
    return call.moto()


@operation("autoscaling", "DescribeTags")
def describe_tags(call: Call) -> Params:
    shown = call.moto({k: v for k, v in call.params.items() if k not in ("MaxRecords", "NextToken")})
    part, more = page(call, shown.get("Tags", []), "MaxRecords", "NextToken", 1, 100, 50)
    return {"Tags": part} | ({"NextToken": more} if more else {})


# MARK: instance refreshes


def _refreshes(call: Call, name: str) -> list[Params]:
    held: list[Params] = _notes(call, name).setdefault("refreshes", [])
    return held


def _shown_refresh(held: Params) -> Params:
    shown = {k: v for k, v in held.items() if k not in ("since", "final")}
    if "final" in held:
        shown |= {"Status": held["final"], "PercentageComplete": 0 if held["final"] == "Cancelled" else 100}
    elif clock.is_pending("association", held["since"]):
        shown |= {"Status": "Pending", "PercentageComplete": 0}
    elif clock.is_pending("group", held["since"]):
        shown |= {"Status": "InProgress", "PercentageComplete": 50}
    else:
        shown |= {"Status": "Successful", "PercentageComplete": 100, "EndTime": datetime.now(timezone.utc)}
    return shown


@operation("autoscaling", "StartInstanceRefresh")
def start_refresh(call: Call) -> Params:
    from moto.moto_api._internal import mock_random

    name = call.params["AutoScalingGroupName"]
    get(call, name)
    if any(_shown_refresh(r)["Status"] in ("Pending", "InProgress", "Cancelling") for r in _refreshes(call, name)):
        raise AwsError(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.",
        )
    identifier = str(mock_random.uuid4())
    preferences = call.params.get("Preferences") or {}
    held: Params = {
        "InstanceRefreshId": identifier,
        "AutoScalingGroupName": name,
        "StartTime": datetime.now(timezone.utc),
        "InstancesToUpdate": len(get(call, name).instance_states),
        "Preferences": {"MinHealthyPercentage": 90, "InstanceWarmup": 300, **preferences},
        "since": clock.now(),
    }
    if "DesiredConfiguration" in call.params:
        held["DesiredConfiguration"] = call.params["DesiredConfiguration"]
    _refreshes(call, name).insert(0, held)
    return {"InstanceRefreshId": identifier}


@operation("autoscaling", "DescribeInstanceRefreshes")
def describe_refreshes(call: Call) -> Params:
    name = call.params["AutoScalingGroupName"]
    get(call, name)
    wanted = call.params.get("InstanceRefreshIds")
    shown = [_shown_refresh(r) for r in _refreshes(call, name) if not wanted or r["InstanceRefreshId"] in wanted]
    part, more = page(call, shown, "MaxRecords", "NextToken", 1, 100, 50)
    return {"InstanceRefreshes": part} | ({"NextToken": more} if more else {})


@operation("autoscaling", "CancelInstanceRefresh")
def cancel_refresh(call: Call) -> Params:
    name = call.params["AutoScalingGroupName"]
    get(call, name)
    for held in _refreshes(call, name):
        if _shown_refresh(held)["Status"] in ("Pending", "InProgress"):
            held["final"] = "Cancelled"
            return {"InstanceRefreshId": held["InstanceRefreshId"]}
    raise AwsError(
        "ActiveInstanceRefreshNotFound",
        f"No in progress or pending Instance Refresh found for Auto Scaling group {name}",
    )
