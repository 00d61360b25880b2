"""Auto Scaling: names taken once, fields that come back, groups that are emptied before they go.

What belongs to a group is in `autoscaling_children.py`, its refreshes are in `autoscaling_refreshes.py`. A launch of a type
that cannot start HVM images (`t1.micro`) is made and fails, as in AWS: that is how tests break a fleet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from . import clock, machines
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


def notes_of(call: Call, name: str) -> Params:
    """What we keep of a group beside moto's model."""
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
    result = call.moto(params)
    store_of(call.account, call.region).table("configurations")[name] = {k: params[k] for k in _AS_GIVEN if k in params}
    return result


_AS_GIVEN = (
    "PlacementTenancy",
    "SpotPrice",
    "MetadataOptions",
    "InstanceMonitoring",
    "EbsOptimized",
    "AssociatePublicIpAddress",
)


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
        for name in _AS_GIVEN:
            item.pop(name, None)
        usual: Params = {"InstanceMonitoring": {"Enabled": True}, "EbsOptimized": False}
        item |= usual | store_of(call.account, call.region).table("configurations").get(configuration.name, {})
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
    "CapacityReservationSpecification",
    "HealthCheckGracePeriod",
    "HealthCheckType",
    "NewInstancesProtectedFromScaleIn",
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
    hooks = params.pop("LifecycleHookSpecificationList", [])
    _check_spread(params)
    call.moto(params | {"DesiredCapacity": 0, "MinSize": 0})
    notes = notes_of(call, name)
    notes.clear()
    notes.update({k: params[k] for k in _KEPT if k in params})
    for hook in hooks:
        call.sibling("PutLifecycleHook", {"AutoScalingGroupName": name} | hook).run()
    give_launch(call, get(call, name), params)
    get(call, name).min_size = params["MinSize"]
    resize(call, name, desired)
    return {}


def _check_spread(params: Params) -> None:
    policy = params.get("InstanceMaintenancePolicy")
    if policy:
        low, high = policy.get("MinHealthyPercentage", -1), policy.get("MaxHealthyPercentage", -1)
        if (low == -1) != (high == -1):
            raise AwsError("ValidationError", "You must specify both MinHealthyPercentage and MaxHealthyPercentage.")
        if high - low > 100:
            raise AwsError(
                "ValidationError",
                "The difference between MinHealthyPercentage and MaxHealthyPercentage cannot be greater than 100.",
            )


LAUNCHES = ("LaunchTemplate", "LaunchConfigurationName", "MixedInstancesPolicy")


def launch_of(group: Any) -> Params:
    """The launch of a group, as it can be given back to it."""
    if group.mixed_instances_policy:
        return {"MixedInstancesPolicy": group.mixed_instances_policy}
    if getattr(group, "given_template", None):
        return {"LaunchTemplate": group.given_template}
    return {"LaunchConfigurationName": group.launch_configuration_name}


def give_launch(call: Call, group: Any, params: Params) -> None:
    """Gives a group the launch that a request names; moto keeps parts of the one before."""
    import copy

    if not any(k in params for k in LAUNCHES):
        return
    policy = copy.deepcopy(params.get("MixedInstancesPolicy"))
    if policy is not None:
        policy["InstancesDistribution"] = {
            "OnDemandAllocationStrategy": "prioritized",
            "OnDemandBaseCapacity": 0,
            "OnDemandPercentageAboveBaseCapacity": 100,
            "SpotAllocationStrategy": "lowest-price",
            "SpotInstancePools": 2,
        } | (policy.get("InstancesDistribution") or {})
    group.mixed_instances_policy = policy
    group.ec2_launch_template = None
    group.launch_config = None
    group.launch_configuration_name = None
    group.given_template = None
    template = params.get("LaunchTemplate")
    named = dict(template or {})
    if "LaunchTemplateId" in named:
        # moto wants one of the two.
        named.pop("LaunchTemplateName", None)
    spec = ((policy or {}).get("LaunchTemplate") or {}).get("LaunchTemplateSpecification") or {}
    if "LaunchTemplateId" in spec:
        spec.pop("LaunchTemplateName", None)
    group._set_launch_configuration(params.get("LaunchConfigurationName"), named, policy)
    if template:
        held = group.ec2_launch_template
        group.given_template = {
            "LaunchTemplateId": held.id,
            "LaunchTemplateName": held.name,
            "Version": template.get("Version", "$Default"),
        }


def shown_launch(group: Any) -> Params:
    """What describe calls show of a group's launch."""
    if group.mixed_instances_policy:
        return {"MixedInstancesPolicy": group.mixed_instances_policy}
    if getattr(group, "given_template", None):
        return {"LaunchTemplate": dict(group.given_template)}
    return {"LaunchConfigurationName": group.launch_configuration_name}


def _instance_launch(group: Any) -> Params:
    """What describe calls show of a new instance's launch: the version by its number."""
    if group.ec2_launch_template is None:
        return {"LaunchConfigurationName": group.launch_configuration_name}
    held = group.ec2_launch_template
    version = held.get_version(group.launch_template_version).number
    return {"LaunchTemplate": {"LaunchTemplateId": held.id, "LaunchTemplateName": held.name, "Version": str(version)}}


# Types that cannot start the images of today.
_BROKEN_TYPES = ("t1.micro",)


def resize(call: Call, name: str, desired: int) -> None:
    """Brings a group to a capacity: launches that may fail, instances that take their time to come and to go."""
    group = get(call, name)
    notes = notes_of(call, name)
    before = {s.instance.id for s in group.instance_states}
    group.desired_capacity = desired
    suspended = {p["ProcessName"] for p in group.suspended_processes}
    grows = desired > len(before)
    if ("Launch" if grows else "Terminate") in suspended:
        return
    if grows and group.instance_type in _BROKEN_TYPES:
        activity(
            call,
            name,
            "Launching a new EC2 instance.  Status Reason: Non-Windows instances with a virtualization type of 'hvm' are "
            f"currently not supported for this instance type : {group.instance_type}. Launching EC2 instance failed.",
            failed=True,
        )
        return
    with _launching(group):
        group.set_desired_capacity(desired)
    store = store_of(call.account, call.region)
    present = {s.instance.id for s in group.instance_states}
    for state in group.instance_states:
        identifier = state.instance.id
        if identifier not in before:
            notes.setdefault("launched", {})[identifier] = _instance_launch(group)
            store.bear(identifier)
            store.notes(identifier)["transition"] = ("pending", clock.now())
            activity(call, name, f"Launching a new EC2 instance: {identifier}")
    for identifier in before - present:
        leave(call, name, identifier)


@contextmanager
def _launching(group: Any) -> Iterator[None]:
    """moto takes parts of a launch from the template's default version, whatever version the group has."""
    template = group.ec2_launch_template
    if template is None:
        yield
        return
    kept = template.default_version_number
    template.default_version_number = template.get_version(group.launch_template_version).number
    try:
        yield
    finally:
        template.default_version_number = kept


def leave(call: Call, name: str, identifier: str) -> None:
    """Notes that an instance is on its way out of a group."""
    notes_of(call, name).setdefault("leaving", {})[identifier] = clock.now()
    instance = call.ec2.get_instance_by_id(identifier)
    # One that moto ended itself shuts down too.
    if instance is not None and instance._state.name == "terminated":
        store_of(call.account, call.region).notes(identifier)["transition"] = ("shutting-down", clock.now())
    activity(call, name, f"Terminating EC2 instance: {identifier}")


def leaving(call: Call, name: str) -> list[str]:
    """Instances that are still on their way out."""
    held: dict[str, float] = notes_of(call, name).get("leaving", {})
    return [
        i
        for i, since in held.items()
        if clock.is_pending("instance", since) or machines.is_held(call.account, call.region, i)
    ]


def activity(call: Call, name: str, description: str, failed: bool = False) -> None:
    """Writes a scaling activity down, newest first."""
    from moto.moto_api._internal import mock_random

    now = datetime.now(timezone.utc)
    notes_of(call, name).setdefault("activities", []).insert(
        0,
        {
            "ActivityId": str(mock_random.uuid4()),
            "AutoScalingGroupName": name,
            "Description": description[:255],
            "Cause": f"At {now:%Y-%m-%dT%H:%M:%SZ} the group had another capacity than it should have.",
            "StartTime": now,
            "EndTime": now,
            "StatusCode": "Failed" if failed else "Successful",
            "Progress": 100,
        }
        | ({"StatusMessage": description.partition("Status Reason: ")[2][:255]} if failed else {}),
    )


@operation("autoscaling", "DescribeScalingActivities")
def activities(call: Call) -> Params:
    name = call.params.get("AutoScalingGroupName")
    if name is not None:
        get(call, name)
    held = notes_of(call, name).get("activities", []) if name else []
    part, more = page(call, held, "MaxRecords", "NextToken", 1, 100, 100)
    return {"Activities": part} | ({"NextToken": more} if more else {})


def _shown(call: Call, group: Any) -> Params:
    item: Params = item_converter("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups")(group)
    notes = notes_of(call, group.name)
    for launch in LAUNCHES:
        item.pop(launch, None)
    item |= {k: v for k, v in shown_launch(group).items() if v}
    item |= {k: notes[k] for k in _KEPT if k in notes}
    for emptied in ("MaxInstanceLifetime", "DefaultInstanceWarmup", "PlacementGroup"):
        if item.get(emptied) in (0, -1, ""):
            item.pop(emptied)
    if (item.get("InstanceMaintenancePolicy") or {}).get("MinHealthyPercentage", -1) == -1:
        item.pop("InstanceMaintenancePolicy", None)
    item["HealthCheckGracePeriod"] = notes.get("HealthCheckGracePeriod", 0)
    item.setdefault("AvailabilityZoneDistribution", {"CapacityDistributionStrategy": "balanced-best-effort"})
    item.setdefault("CapacityReservationSpecification", {"CapacityReservationPreference": "default"})
    item["TerminationPolicies"] = item.get("TerminationPolicies") or ["Default"]
    item["ServiceLinkedRoleARN"] = notes.get("ServiceLinkedRoleARN") or (
        f"arn:aws:iam::{call.account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    )
    item["TrafficSources"] = [{"Identifier": a, "Type": "elbv2"} for a in item.get("TargetGroupARNs", [])]
    store = store_of(call.account, call.region)
    for instance in item.get("Instances", []):
        if store.is_young(instance["InstanceId"], "instance"):
            instance["LifecycleState"] = "Pending"
        for launch in ("LaunchTemplate", "LaunchConfigurationName"):
            instance.pop(launch, None)
        instance |= notes.get("launched", {}).get(instance["InstanceId"], {})
    zones = item.get("AvailabilityZones") or ["us-east-1a"]
    item.setdefault("Instances", []).extend(
        {
            "InstanceId": i,
            "AvailabilityZone": zones[0],
            "LifecycleState": "Terminating",
            "HealthStatus": "Healthy",
            "ProtectedFromScaleIn": False,
        }
        | notes.get("launched", {}).get(i, {})
        for i in leaving(call, group.name)
    )
    item.pop("WarmPoolConfiguration", None)
    if "warm_pool" in notes:
        item["WarmPoolConfiguration"] = notes["warm_pool"]
        item["WarmPoolSize"] = 0
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
        desired = min(max(group.desired_capacity, low), high)
    _check_spread(params)
    if "VPCZoneIdentifier" in params or "AvailabilityZones" in params:
        group._set_azs_and_vpcs(params.get("AvailabilityZones"), params.get("VPCZoneIdentifier"), update=True)
    group.min_size, group.max_size = low, high
    if "NewInstancesProtectedFromScaleIn" in params:
        group.new_instances_protected_from_scale_in = params["NewInstancesProtectedFromScaleIn"]
    notes = notes_of(call, name)
    notes.update({k: params[k] for k in _KEPT if k in params})
    give_launch(call, group, params)
    resize(call, name, desired)
    return {}


@operation("autoscaling", "SetDesiredCapacity")
def set_desired(call: Call) -> Params:
    group = get(call, call.params["AutoScalingGroupName"])
    _check_sizes(group.min_size, group.max_size, call.params["DesiredCapacity"])
    resize(call, group.name, call.params["DesiredCapacity"])
    return {}


@operation("autoscaling", "DeleteAutoScalingGroup")
def delete(call: Call) -> Params:
    name = call.params["AutoScalingGroupName"]
    group = get(call, name)
    if (group.instance_states or leaving(call, name)) and not call.params.get("ForceDelete"):
        raise AwsError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
        )
    notes = notes_of(call, name)
    if "deleted_at" in notes:
        return {}
    if "warm_pool" in notes and not call.params.get("ForceDelete"):
        raise AwsError("ResourceInUse", "You cannot delete an AutoScalingGroup while it has a warm pool.")
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


# MARK: processes, protection, warm pools


@operation("autoscaling", "SuspendProcesses", "ResumeProcesses")
def processes(call: Call) -> Params:
    name = call.params["AutoScalingGroupName"]
    group = get(call, name)
    known = {
        "Launch",
        "Terminate",
        "AddToLoadBalancer",
        "AlarmNotification",
        "AZRebalance",
        "HealthCheck",
        "InstanceRefresh",
        "ReplaceUnhealthy",
        "ScheduledActions",
    }
    for process in call.params.get("ScalingProcesses") or []:
        if process not in known:
            raise AwsError("ValidationError", f"The process {process} is not valid.")
    call.moto()
    if call.operation == "ResumeProcesses":
        resize(call, name, group.desired_capacity)
    return {}


@operation("autoscaling", "SetInstanceProtection")
def protect(call: Call) -> Params:
    name = call.params["AutoScalingGroupName"]
    group = get(call, name)
    held = {s.instance.id for s in group.instance_states}
    for identifier in call.params["InstanceIds"]:
        if identifier not in held:
            raise AwsError("ValidationError", f"The instance {identifier} is not part of Auto Scaling group {name}.")
    if len(call.params["InstanceIds"]) > 50:
        raise AwsError("ValidationError", "At most 50 instances at a time.")
    call.moto()
    resize(call, name, group.desired_capacity)
    return {}


@operation("autoscaling", "PutWarmPool")
def put_warm_pool(call: Call) -> Params:
    notes = notes_of(call, get(call, call.params["AutoScalingGroupName"]).name)
    if notes.get("warm_pool", {}).get("Status") == "PendingDelete":
        raise AwsError("ValidationError", "The warm pool of this Auto Scaling group is being deleted.")
    given = {k: v for k, v in call.params.items() if k != "AutoScalingGroupName"}
    pool = {"PoolState": "Stopped", "MinSize": 0} | notes.get("warm_pool", {}) | given
    if pool.get("MaxGroupPreparedCapacity") == -1:
        pool.pop("MaxGroupPreparedCapacity")
    notes["warm_pool"] = pool
    return {}


@operation("autoscaling", "DescribeWarmPool")
def describe_warm_pool(call: Call) -> Params:
    notes = notes_of(call, get(call, call.params["AutoScalingGroupName"]).name)
    return {"Instances": []} | ({"WarmPoolConfiguration": notes["warm_pool"]} if "warm_pool" in notes else {})


@operation("autoscaling", "DeleteWarmPool")
def delete_warm_pool(call: Call) -> Params:
    name = call.params["AutoScalingGroupName"]
    notes = notes_of(call, get(call, name).name)
    if "warm_pool" not in notes:
        raise AwsError("ValidationError", f"No warm pool found for Auto Scaling group {name}")
    notes["warm_pool"] = notes["warm_pool"] | {"Status": "PendingDelete"}
    store = store_of(call.account, call.region)
    store.later("group", lambda: notes.pop("warm_pool", None))
    store.settle()
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
    notes = notes_of(call, call.params["AutoScalingGroupName"])
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
    notes = notes_of(call, call.params["AutoScalingGroupName"])
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


@operation("autoscaling", "AttachLoadBalancerTargetGroups", "DetachLoadBalancerTargetGroups")
def attach_groups(call: Call) -> Params:
    group = get(call, call.params["AutoScalingGroupName"])
    arns = call.params["TargetGroupARNs"]
    if len(arns) > 10:
        raise AwsError("ValidationError", "At most 10 target groups at a time.")
    if call.operation.startswith("Attach"):
        _check_places(call, call.params)
    elif any(a not in group.target_group_arns for a in arns):
        raise AwsError("ValidationError", "Trying to remove Target Groups that are not part of the group.")
    return call.moto()


@operation("autoscaling", "DescribeTags")
def describe_tags(call: Call) -> Params:
    shown = call.moto({k: v for k, v in call.params.items() if k not in ("MaxRecords", "NextToken")})
    part, more = page(call, shown.get("Tags", []), "MaxRecords", "NextToken", 1, 100, 50)
    return {"Tags": part} | ({"NextToken": more} if more else {})
