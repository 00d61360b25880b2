"""Instances: their states, how they look, starting and ending them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from .. import clock, machines
from ..call import Call, operation, store_of
from ..errors import AwsError
from ..plain import Converter
from ..wire import Params
from . import addresses, tagging
from .listing import check_ids, page, path, read_filters, select

# MARK: states

_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


def state_of(call: Call, instance: Any) -> tuple[int, str]:
    """Code and name of an instance's state now."""
    final = instance._state.name
    notes = store_of(call.account, call.region).extra.get(instance.id)
    if notes is not None and "transition" in notes:
        name, since = notes["transition"]
        if clock.is_pending("instance", since) or machines.is_held(call.account, call.region, instance.id):
            return _CODES[name], name
    return _CODES[final], final


def begin(call: Call, instance: Any, name: str) -> None:
    """Puts an instance into a state that passes."""
    call.store.notes(instance.id)["transition"] = (name, clock.now())


def all_of(call: Call) -> Iterator[tuple[Any, Any]]:
    """Every reservation and instance that is still listed."""
    for reservation in list(call.ec2.reservations.values()):
        for instance in reservation.instances:
            ended = call.store.note(instance.id, "ended")
            if ended is None or clock.now() - ended < clock.linger_seconds:
                yield reservation, instance


def get(call: Call, instance_id: str) -> Any:
    """moto's instance."""
    check_ids([instance_id], "i", "InvalidInstanceID")
    for _, instance in all_of(call):
        if instance.id == instance_id:
            return instance
    raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")


def _shown_state(state: tuple[int, str]) -> Params:
    return {"Code": state[0], "Name": state[1]}


# MARK: how an instance looks


@cache
def _instance_converter() -> Converter:
    from ..call import _response_class
    from ..plain import compile_shape
    from ..wire import operation_model

    model = operation_model("ec2", "DescribeInstances")
    assert model is not None
    shape = model.output_shape.members["Reservations"].member.members["Instances"].member
    transformers = dict(_response_class("ec2").RESPONSE_KEY_PATH_TO_TRANSFORMER)
    return compile_shape(shape, "DescribeInstances.Instances.Instance", transformers)


def groups_of(instance: Any) -> list[Params]:
    """The security groups of an instance."""
    held = {g.id: g.name for g in (instance.nics[0].group_set if 0 in instance.nics else instance.security_groups)}
    return [{"GroupId": i, "GroupName": n} for i, n in sorted(held.items())]


def shown(call: Call, instance: Any) -> Params:
    """An instance as DescribeInstances shows it."""
    item: Params = _instance_converter()(instance)
    notes = call.store.extra.get(instance.id, {})
    state = state_of(call, instance)
    item["State"] = _shown_state(state)
    item["Tags"] = tagging.listed(call, instance.id)
    item["StateTransitionReason"] = item.get("StateTransitionReason") or ""
    item["Monitoring"] = {"State": instance.monitoring_state or "disabled"}
    item["Placement"] = {
        "AvailabilityZone": instance._placement.zone,
        "GroupName": notes.get("placement_group", ""),
        "Tenancy": notes.get("tenancy", "default"),
    }
    options = instance.metadata_options
    applied = not clock.is_pending("metadata", notes.get("metadata_at"))
    item["MetadataOptions"] = {
        "State": "applied" if applied and state[1] != "pending" else "pending",
        "HttpTokens": options.http_tokens,
        "HttpPutResponseHopLimit": options.http_put_response_hop_limit,
        "HttpEndpoint": options.http_endpoint,
        "HttpProtocolIpv6": options.http_protocol_ipv6,
        "InstanceMetadataTags": options.instance_metadata_tags,
    }
    item["EnaSupport"] = True
    item["Hypervisor"] = "xen"
    item["CpuOptions"] = notes.get("cpu_options") or {"CoreCount": 1, "ThreadsPerCore": 2}
    item["CapacityReservationSpecification"] = {"CapacityReservationPreference": "open"}
    item["EnclaveOptions"] = {"Enabled": notes.get("enclave", False)}
    item["HibernationOptions"] = {"Configured": notes.get("hibernation", False)}
    item["MaintenanceOptions"] = {"AutoRecovery": notes.get("auto_recovery", "default")}
    item["PrivateDnsNameOptions"] = {
        "HostnameType": notes.get("hostname_type", "ip-name"),
        "EnableResourceNameDnsARecord": notes.get("a_record", False),
        "EnableResourceNameDnsAAAARecord": notes.get("aaaa_record", False),
    }
    item["EbsOptimized"] = bool(instance.ebs_optimized)
    item["ClientToken"] = instance.client_token or ""
    item["AmiLaunchIndex"] = int(instance.ami_launch_index or 0)
    for absent in ("KernelId", "RamdiskId", "SpotInstanceRequestId", "Licenses", "ElasticGpuAssociations"):
        item.pop(absent, None)
    if not item.get("Platform"):
        item.pop("Platform", None)
    item["PlatformDetails"] = "Linux/UNIX"
    item["UsageOperation"] = "RunInstances"
    profile = instance.iam_instance_profile
    item.pop("IamInstanceProfile", None)
    if profile:
        item["IamInstanceProfile"] = {"Arn": profile["Arn"], "Id": _profile_id(call, profile["Arn"])}
    if state[1] == "terminated":
        for gone in (
            "VpcId",
            "SubnetId",
            "PrivateIpAddress",
            "PublicIpAddress",
            "IamInstanceProfile",
            "SourceDestCheck",
        ):
            item.pop(gone, None)
        item |= {"NetworkInterfaces": [], "SecurityGroups": [], "BlockDeviceMappings": []}
        item |= {"PrivateDnsName": "", "PublicDnsName": ""}
        return item
    item["SecurityGroups"] = groups_of(instance)
    vpc = call.ec2.vpcs.get(instance.vpc_id)
    item["PublicDnsName"] = item.get("PublicDnsName") or ""
    if vpc is not None and not vpc.enable_dns_hostnames:
        item["PublicDnsName"] = ""
    if not item.get("PublicIpAddress"):
        item.pop("PublicIpAddress", None)
    item["SourceDestCheck"] = bool(instance.source_dest_check)
    devices = []
    for device, held in instance.block_device_mapping.items():
        volume = {"VolumeId": held.volume_id, "DeleteOnTermination": bool(held.delete_on_termination)}
        volume |= {"AttachTime": held.attach_time, "Status": "attaching" if state[1] == "pending" else "attached"}
        devices.append({"DeviceName": device, "Ebs": volume})
    item["BlockDeviceMappings"] = devices
    for shown_nic, nic in zip(item.get("NetworkInterfaces", []), instance.nics.values(), strict=False):
        shown_nic["Status"] = "in-use"
        shown_nic["SourceDestCheck"] = bool(instance.source_dest_check)
        shown_nic["Groups"] = [
            {"GroupId": g.id, "GroupName": g.name} for g in sorted(nic.group_set, key=lambda g: g.id)
        ]
        attachment = shown_nic.get("Attachment")
        if attachment is not None:
            attachment["Status"] = "attaching" if state[1] == "pending" else "attached"
            attachment["DeleteOnTermination"] = bool(nic.delete_on_termination)
        if not nic.public_ip:
            shown_nic.pop("Association", None)
    return item


def _profile_id(call: Call, arn: str) -> str:
    for profile in call.iam.instance_profiles.values():
        if profile.arn == arn:
            return str(profile.id)
    return "AIPAUNKNOWN"


_FILTERS = {
    "affinity": path("Placement.Affinity"),
    "architecture": path("Architecture"),
    "availability-zone": path("Placement.AvailabilityZone"),
    "block-device-mapping.attach-time": path("BlockDeviceMappings[].Ebs.AttachTime"),
    "block-device-mapping.delete-on-termination": path("BlockDeviceMappings[].Ebs.DeleteOnTermination"),
    "block-device-mapping.device-name": path("BlockDeviceMappings[].DeviceName"),
    "block-device-mapping.status": path("BlockDeviceMappings[].Ebs.Status"),
    "block-device-mapping.volume-id": path("BlockDeviceMappings[].Ebs.VolumeId"),
    "client-token": path("ClientToken"),
    "dns-name": path("PublicDnsName"),
    "hibernation-options.configured": path("HibernationOptions.Configured"),
    "hypervisor": path("Hypervisor"),
    "iam-instance-profile.arn": path("IamInstanceProfile.Arn"),
    "iam-instance-profile.id": path("IamInstanceProfile.Id"),
    "image-id": path("ImageId"),
    "instance-id": path("InstanceId"),
    "instance-lifecycle": path("InstanceLifecycle"),
    "instance-state-code": path("State.Code"),
    "instance-state-name": path("State.Name"),
    "instance-type": path("InstanceType"),
    "instance.group-id": path("SecurityGroups[].GroupId"),
    "instance.group-name": path("SecurityGroups[].GroupName"),
    "ip-address": path("PublicIpAddress"),
    "key-name": path("KeyName"),
    "launch-index": path("AmiLaunchIndex"),
    "launch-time": path("LaunchTime"),
    "maintenance-options.auto-recovery": path("MaintenanceOptions.AutoRecovery"),
    "metadata-options.http-tokens": path("MetadataOptions.HttpTokens"),
    "metadata-options.http-endpoint": path("MetadataOptions.HttpEndpoint"),
    "metadata-options.state": path("MetadataOptions.State"),
    "monitoring-state": path("Monitoring.State"),
    "network-interface.addresses.association.allocation-id": path("NetworkInterfaces[].Association.AllocationId"),
    "network-interface.addresses.association.public-ip": path("NetworkInterfaces[].Association.PublicIp"),
    "network-interface.addresses.private-ip-address": path("NetworkInterfaces[].PrivateIpAddresses[].PrivateIpAddress"),
    "network-interface.group-id": path("NetworkInterfaces[].Groups[].GroupId"),
    "network-interface.group-name": path("NetworkInterfaces[].Groups[].GroupName"),
    "network-interface.network-interface-id": path("NetworkInterfaces[].NetworkInterfaceId"),
    "network-interface.subnet-id": path("NetworkInterfaces[].SubnetId"),
    "network-interface.vpc-id": path("NetworkInterfaces[].VpcId"),
    "owner-id": path("OwnerId"),
    "placement-group-name": path("Placement.GroupName"),
    "platform": path("Platform"),
    "private-dns-name": path("PrivateDnsName"),
    "private-ip-address": path("PrivateIpAddress"),
    "reservation-id": path("ReservationId"),
    "root-device-name": path("RootDeviceName"),
    "root-device-type": path("RootDeviceType"),
    "source-dest-check": path("SourceDestCheck"),
    "state-reason-code": path("StateReason.Code"),
    "subnet-id": path("SubnetId"),
    "tenancy": path("Placement.Tenancy"),
    "virtualization-type": path("VirtualizationType"),
    "vpc-id": path("VpcId"),
}


def _chosen(call: Call, wanted: list[str]) -> list[tuple[Any, Params]]:
    check_ids(wanted, "i", "InvalidInstanceID")
    only = set(wanted)
    found = [(r, i) for r, i in all_of(call) if not only or i.id in only]
    absent = only - {i.id for _, i in found}
    if absent:
        listed = ", ".join(sorted(absent))
        text = (
            f"The instance ID '{listed}' does not exist"
            if len(absent) == 1
            else f"The instance IDs '{listed}' do not exist"
        )
        raise AwsError("InvalidInstanceID.NotFound", text)
    return [(r, shown(call, i) | {"OwnerId": r.owner_id, "ReservationId": r.id}) for r, i in found]


@operation("ec2", "DescribeInstances")
def describe_instances(call: Call) -> Params:
    wanted = call.params.get("InstanceIds") or []
    filters = read_filters(call.params)
    items = select((i for _, i in _chosen(call, wanted)), filters, _FILTERS)
    part, token = page(call, items, 1000, has_ids=bool(wanted))
    reservations: dict[str, Params] = {}
    for item in part:
        reservation, owner = item.pop("ReservationId"), item.pop("OwnerId")
        into = reservations.setdefault(
            reservation, {"ReservationId": reservation, "OwnerId": owner, "Groups": [], "Instances": []}
        )
        into["Instances"].append(item)
    result: Params = {"Reservations": list(reservations.values())}
    return result | ({"NextToken": token} if token else {})


@operation("ec2", "DescribeInstanceStatus")
def describe_status(call: Call) -> Params:
    wanted = call.params.get("InstanceIds") or []
    items = []
    for _, item in _chosen(call, wanted):
        state = item["State"]
        if state["Name"] != "running" and not call.params.get("IncludeAllInstances"):
            continue
        running = state["Name"] == "running"
        summary: Params = {"Status": "ok" if running else "not-applicable"}
        if running:
            summary["Details"] = [{"Name": "reachability", "Status": "passed"}]
        items.append(
            {
                "InstanceId": item["InstanceId"],
                "AvailabilityZone": item["Placement"]["AvailabilityZone"],
                "InstanceState": state,
                "InstanceStatus": summary,
                "SystemStatus": summary,
            }
        )
    known = {
        "availability-zone": path("AvailabilityZone"),
        "instance-state-code": path("InstanceState.Code"),
        "instance-state-name": path("InstanceState.Name"),
        "instance-status.status": path("InstanceStatus.Status"),
        "instance-status.reachability": path("InstanceStatus.Details[].Status"),
        "system-status.status": path("SystemStatus.Status"),
        "system-status.reachability": path("SystemStatus.Details[].Status"),
    }
    chosen = select(items, read_filters(call.params), known)
    part, token = page(call, chosen, 1000, has_ids=bool(wanted))
    result: Params = {"InstanceStatuses": part}
    return result | ({"NextToken": token} if token else {})


# MARK: start, stop, terminate


def several(call: Call) -> list[Any]:
    """The instances that a request names."""
    wanted = call.params.get("InstanceIds") or []
    if not wanted:
        raise AwsError("InvalidParameterCombination", "No instances specified")
    check_ids(wanted, "i", "InvalidInstanceID")
    held = {i.id: i for _, i in all_of(call)}
    absent = [i for i in wanted if i not in held]
    if absent:
        raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{', '.join(absent)}' does not exist")
    return [held[i] for i in wanted]


def _refuse_state(instance: Any, state: str, what: str) -> AwsError:
    return AwsError(
        "IncorrectInstanceState",
        f"The instance '{instance.id}' is not in a state from which it can be {what}: {state}.",
    )


@operation("ec2", "StopInstances")
def stop(call: Call) -> Params:
    chosen = several(call)
    for instance in chosen:
        state = state_of(call, instance)[1]
        if state in ("terminated", "shutting-down") or (state == "pending" and not call.params.get("Force")):
            raise _refuse_state(instance, state, "stopped")
        if instance.disable_api_stop is True:
            raise AwsError(
                "OperationNotPermitted",
                f"The instance '{instance.id}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
            )
    out = []
    for instance in chosen:
        before = state_of(call, instance)
        if before[1] not in ("stopped", "stopping"):
            instance.stop()
            # An elastic address stays through a stop; moto takes it away.
            for address in call.ec2.addresses:
                if address.eni is not None and address.eni.instance is instance:
                    address.eni.public_ip = address.public_ip
            begin(call, instance, "stopping")
        now = (64, "stopping") if before[1] not in ("stopped",) else before
        out.append(
            {"InstanceId": instance.id, "PreviousState": _shown_state(before), "CurrentState": _shown_state(now)}
        )
    return {"StoppingInstances": out}


@operation("ec2", "StartInstances")
def start(call: Call) -> Params:
    chosen = several(call)
    for instance in chosen:
        state = state_of(call, instance)[1]
        if state not in ("stopped", "running", "pending"):
            raise _refuse_state(instance, state, "started")
    out = []
    for instance in chosen:
        before = state_of(call, instance)
        if before[1] == "stopped":
            instance.start()
            for address in call.ec2.addresses:
                if address.eni is not None and address.eni.instance is instance:
                    address.eni.public_ip = address.public_ip
            begin(call, instance, "pending")
            now = (0, "pending")
        else:
            now = before
        out.append(
            {"InstanceId": instance.id, "PreviousState": _shown_state(before), "CurrentState": _shown_state(now)}
        )
    return {"StartingInstances": out}


@operation("ec2", "RebootInstances")
def reboot(call: Call) -> None:
    for instance in several(call):
        state = state_of(call, instance)[1]
        if state != "running":
            raise _refuse_state(instance, state, "rebooted")


@operation("ec2", "TerminateInstances")
def terminate(call: Call) -> Params:
    chosen = several(call)
    for instance in chosen:
        if instance.disable_api_termination is True and state_of(call, instance)[1] not in (
            "shutting-down",
            "terminated",
        ):
            raise AwsError(
                "OperationNotPermitted",
                f"The instance '{instance.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
            )
    out = []
    for instance in chosen:
        before = state_of(call, instance)
        now = before
        if before[1] not in ("shutting-down", "terminated"):
            for address in call.ec2.addresses:
                if address.eni is not None and address.eni.instance is instance:
                    addresses.unmap(address)
            call.sibling("TerminateInstances").moto({"InstanceIds": [instance.id]})
            for nic in instance.nics.values():
                if nic.id in call.ec2.enis:  # one that outlives the instance
                    nic.instance = nic.attachment_id = None
                    nic.status = "available"
            begin(call, instance, "shutting-down")
            call.store.notes(instance.id)["ended"] = clock.now()
            now = (32, "shutting-down")
        out.append(
            {"InstanceId": instance.id, "PreviousState": _shown_state(before), "CurrentState": _shown_state(now)}
        )
    return {"TerminatingInstances": out}
