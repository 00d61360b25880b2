"""Instances: launching, states, and every way to change one."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Iterator
from functools import cache
from typing import Any

from moto.core.types import Base64EncodedString
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS
from moto.ec2.models.instances import InstanceBackend, MetadataOptions

from .. import clock
from ..call import Call, once, operation, store_of
from ..errors import AwsError
from ..plain import Converter
from ..wire import Params
from . import addresses, images, subnets, tagging
from .listing import Listing, check_ids, describe, page, path, read_filters, select

# MARK: states

_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


def state_of(call: Call, instance: Any) -> tuple[int, str]:
    """Code and name of an instance's state now."""
    final = instance._state.name
    notes = store_of(call.account, call.region).extra.get(instance.id)
    if notes is not None and "transition" in notes:
        name, since = notes["transition"]
        if clock.is_pending("instance", since):
            return _CODES[name], name
    return _CODES[final], final


def _begin(call: Call, instance: Any, name: str) -> None:
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


def _groups(instance: Any) -> list[Params]:
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
    item["SecurityGroups"] = _groups(instance)
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


# MARK: launching


@cache
def _offered(location: str, region: str) -> frozenset[tuple[str, str]]:
    held = INSTANCE_TYPE_OFFERINGS.get(location, {}).get(region, [])
    return frozenset((o["InstanceType"], o["Location"]) for o in held)


def check_type(call: Call, kind: str, zone: str | None = None) -> None:
    """Refuses instance types that do not exist, or not in a zone."""
    if (kind, call.region) not in _offered("region", call.region):
        raise AwsError("InvalidParameterValue", f"Invalid value '{kind}' for InstanceType.")
    zoned = _offered("availability-zone", call.region)
    if zone is not None and zoned and (kind, zone) not in zoned:
        raise AwsError(
            "Unsupported",
            f"Your requested instance type ({kind}) is not supported in your requested Availability Zone ({zone}).",
        )


def profile_of(call: Call, given: Params, code: str = "InvalidParameterValue") -> Any:
    """The instance profile that a launch names; a new one is not known at once, as in AWS."""
    name, arn = given.get("Name"), given.get("Arn")
    part, value = ("name", name) if name is not None else ("arn", arn)
    for profile in call.iam.instance_profiles.values():
        if (name is not None and profile.name == name) or (name is None and profile.arn == arn):
            if store_of(call.account, "global").is_young(f"profile:{profile.name}", "profile"):
                break
            if not profile.roles or store_of(call.account, "global").is_young(
                f"profile-role:{profile.name}", "profile"
            ):
                raise AwsError(code, f'IAM Instance Profile "{profile.arn}" has no associated IAM Roles')
            return profile
    label = "name" if part == "name" else "ARN"
    raise AwsError(
        code,
        f"Value ({value}) for parameter iamInstanceProfile.{part} is invalid. Invalid IAM Instance Profile {label}",
    )


def effective_mappings(image: Any, requested: list[Params]) -> list[Params]:
    """The EBS devices of a launch: the image's root, changed and joined by what is asked; ephemeral ones are dropped."""
    root = images.root_mapping(image)
    out: dict[str, Params] = {root["DeviceName"]: {"DeviceName": root["DeviceName"], "Ebs": dict(root["Ebs"])}}
    for mapping in requested:
        device = mapping.get("DeviceName")
        if not device:
            raise AwsError("MissingParameter", "The request must contain the parameter deviceName")
        if "NoDevice" in mapping and mapping["NoDevice"] is not None:
            out.pop(device, None)
            continue
        if mapping.get("VirtualName"):
            if "Ebs" in mapping and any(v is not None for v in mapping["Ebs"].values()):
                raise AwsError(
                    "InvalidBlockDeviceMapping", f"A device has either a virtual name or an EBS volume: {device}"
                )
            continue
        ebs = {k: v for k, v in (mapping.get("Ebs") or {}).items() if v is not None}
        if device in out:
            base = out[device]["Ebs"]
            if ebs.get("VolumeSize", base["VolumeSize"]) < base["VolumeSize"]:
                raise AwsError(
                    "InvalidBlockDeviceMapping",
                    f"Volume of size {ebs['VolumeSize']}GB is smaller than snapshot '{base['SnapshotId']}', expect size >= {base['VolumeSize']}GB",
                )
            out[device]["Ebs"] = base | ebs
            continue
        if "VolumeSize" not in ebs and "SnapshotId" not in ebs:
            raise AwsError("MissingParameter", "The request must contain the parameter size or snapshotId")
        out[device] = {"DeviceName": device, "Ebs": {"DeleteOnTermination": False, "VolumeType": "gp2"} | ebs}
    for mapping in out.values():
        _check_ebs(mapping["Ebs"])
    return list(out.values())


def _check_ebs(ebs: Params) -> None:
    kind = ebs.get("VolumeType", "gp2")
    if kind not in ("standard", "gp2", "gp3", "io1", "io2", "st1", "sc1"):
        raise AwsError("InvalidParameterValue", f"Value ({kind}) for parameter volumeType is invalid.")
    if ebs.get("Iops") is not None and kind not in ("gp3", "io1", "io2"):
        raise AwsError("InvalidParameterCombination", f"The parameter iops is not supported for {kind} volumes.")
    if kind in ("io1", "io2") and ebs.get("Iops") is None:
        raise AwsError("MissingParameter", f"The parameter iops must be specified for {kind} volumes.")
    if ebs.get("Throughput") is not None and kind != "gp3":
        raise AwsError("InvalidParameterCombination", f"The parameter throughput is not supported for {kind} volumes.")
    if ebs.get("KmsKeyId") and not ebs.get("Encrypted"):
        raise AwsError(
            "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set."
        )


_original_run = InstanceBackend.run_instances


def _run(self: Any, image_id: str, count: int, user_data: Any, security_group_names: list[str], **kwargs: Any) -> Any:
    """moto's launch, for Auto Scaling as well, with devices worked out by us."""
    requested = kwargs.pop("block_device_mappings", None)
    ready = kwargs.pop("devices_are_ready", False)
    if requested is None and kwargs.get("launch_template"):
        version = self._get_template_from_args(kwargs["launch_template"])
        requested = version.data.get("BlockDeviceMappings")
        image_id = image_id or version.image_id
    elif requested is None and kwargs.get("launch_config"):
        requested = kwargs["launch_config"].block_device_mapping_dict
    image = self.amis.get(image_id)
    if image is None:
        raise AwsError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    devices = requested if ready else effective_mappings(image, requested or [])
    plain = [
        {
            "DeviceName": d["DeviceName"],
            "Ebs": {k: v for k, v in d["Ebs"].items() if k not in ("Iops", "Throughput", "VolumeType")},
        }
        for d in devices or []
    ]
    reservation = _original_run(
        self, image_id, count, user_data, security_group_names, block_device_mappings=plain, **kwargs
    )
    for instance in reservation.instances:
        for device in devices or []:
            volume = self.volumes[instance.block_device_mapping[device["DeviceName"]].volume_id]
            ebs = device["Ebs"]
            volume.volume_type = ebs.get("VolumeType") or "gp2"
            volume.iops = ebs.get("Iops") or (3000 if volume.volume_type == "gp3" else None)
            volume.throughput = ebs.get("Throughput") or (125 if volume.volume_type == "gp3" else None)
        for nic in instance.nics.values():
            if nic.device_index == 0 and not getattr(nic, "keep", False):
                nic.delete_on_termination = True
    return reservation


InstanceBackend.run_instances = _run  # type: ignore[method-assign]


def _with_template(call: Call) -> Params:
    """The parameters of a launch, completed from its template."""
    given = call.params.get("LaunchTemplate")
    if not given:
        return dict(call.params)
    from .templates import version_of

    _, version = version_of(call, given)
    data = {k: v for k, v in version.data.items() if v is not None}
    if isinstance(data.get("UserData"), Base64EncodedString):
        data["UserData"] = str(data["UserData"])
    if "RamDiskId" in data:
        data["RamdiskId"] = data.pop("RamDiskId")
    merged = data | call.params
    if "TagSpecifications" in data:
        own = {s.get("ResourceType") for s in call.params.get("TagSpecifications", [])}
        inherited = [
            s
            for s in data["TagSpecifications"]
            if s.get("ResourceType") not in own and s.get("ResourceType") != "launch-template"
        ]
        merged["TagSpecifications"] = [*call.params.get("TagSpecifications", []), *inherited]
    for name in ("SubnetId", "SecurityGroupIds"):
        if "NetworkInterfaces" in call.params and name not in call.params:
            merged.pop(name, None)
    return merged


@operation("ec2", "RunInstances")
def run(call: Call) -> Params:
    return once(call, lambda: _launch(call))


def _launch(call: Call) -> Params:
    params = _with_template(call)
    call = call.sibling("RunInstances", params)
    tags = tagging.of(call, "instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu")
    if "ImageId" not in params:
        raise AwsError("MissingParameter", "The request must contain the parameter ImageId")
    image = images.get(call, params["ImageId"])
    kind = params.get("InstanceType", "m1.small")
    key = params.get("KeyName")
    if key is not None and key not in call.ec2.key_pairs:
        raise AwsError("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
    low, high = params.get("MinCount", 1), params.get("MaxCount", 1)
    if not 1 <= low <= high:
        raise AwsError("InvalidParameterValue", f"Value ({low}-{high}) for parameter minCount or maxCount is invalid.")
    interfaces = [dict(n) for n in params.get("NetworkInterfaces", [])]
    if interfaces and (params.get("SubnetId") or params.get("SecurityGroupIds") or params.get("SecurityGroups")):
        raise AwsError(
            "InvalidParameterCombination",
            "Network interfaces and an instance-level subnet ID or security groups may not be specified on the same request",
        )
    primary = next((n for n in interfaces if n.get("DeviceIndex") == 0), None)
    if interfaces and primary is None:
        raise AwsError(
            "InvalidParameterValue", "Each network interface requires a device index; one of them must be 0."
        )
    placement = params.get("Placement") or {}
    subnet = _subnet_for(call, params, primary, placement)
    check_type(call, kind, subnet.availability_zone)
    existing = primary.get("NetworkInterfaceId") if primary else None
    groups = _groups_for(call, params, primary, subnet)
    private_ip = params.get("PrivateIpAddress") or (primary or {}).get("PrivateIpAddress")
    if private_ip is not None:
        _check_private(subnet, private_ip, high)
    user_data = _user_data(params.get("UserData"))
    profile = profile_of(call, params["IamInstanceProfile"]) if params.get("IamInstanceProfile") else None
    devices = effective_mappings(image, params.get("BlockDeviceMappings", []))
    for device in devices:
        snapshot = device["Ebs"].get("SnapshotId")
        if snapshot and snapshot not in call.ec2.snapshots:
            raise AwsError("InvalidSnapshot.NotFound", f"The snapshot '{snapshot}' does not exist.")
    public = (primary or {}).get("AssociatePublicIpAddress")
    nics: list[Params] = []
    if primary is not None:
        nic = {
            k: v
            for k, v in primary.items()
            if k
            in (
                "DeviceIndex",
                "SubnetId",
                "NetworkInterfaceId",
                "Description",
                "PrivateIpAddress",
                "AssociatePublicIpAddress",
            )
        }
        nic["SubnetId"] = subnet.id
        nics = [nic] + [{k: v for k, v in n.items() if k != "Groups"} for n in interfaces if n is not primary]
    options = params.get("MetadataOptions") or {}
    reservation = call.ec2.run_instances(
        image.id,
        high,
        user_data,
        [],
        instance_type=kind,
        is_instance_type_default="InstanceType" not in params,
        placement=None,
        region_name=call.region,
        subnet_id=None if nics else subnet.id,
        key_name=key,
        security_group_ids=[g.id for g in groups],
        nics=nics,
        private_ip=private_ip if not existing else None,
        associate_public_ip=public if public is not None else (subnet.map_public_ip_on_launch is True),
        tags={},
        ebs_optimized=params.get("EbsOptimized", False),
        disable_api_stop=params.get("DisableApiStop", False),
        disable_api_termination=params.get("DisableApiTermination", False),
        instance_market_options=(params.get("InstanceMarketOptions") or {}).get("MarketType"),
        instance_initiated_shutdown_behavior=params.get("InstanceInitiatedShutdownBehavior"),
        hibernation_options={},
        monitoring_state="enabled" if (params.get("Monitoring") or {}).get("Enabled") else "disabled",
        metadata_options=options,
        client_token=params.get("ClientToken", ""),
        block_device_mappings=devices,
        devices_are_ready=True,
    )
    credits = (params.get("CreditSpecification") or {}).get("CpuCredits")
    for instance in reservation.instances:
        instance.vpc_of_birth = subnet.vpc_id
        notes = call.store.notes(instance.id)
        _begin(call, instance, "pending")
        notes["metadata_at"] = clock.now()
        notes["tenancy"] = placement.get("Tenancy") or (
            "dedicated" if call.ec2.vpcs[subnet.vpc_id].instance_tenancy == "dedicated" else "default"
        )
        notes["placement_group"] = placement.get("GroupName", "")
        notes["enclave"] = (params.get("EnclaveOptions") or {}).get("Enabled", False)
        notes["hibernation"] = (params.get("HibernationOptions") or {}).get("Configured", False)
        notes["auto_recovery"] = (params.get("MaintenanceOptions") or {}).get("AutoRecovery", "default")
        if params.get("CpuOptions"):
            notes["cpu_options"] = params["CpuOptions"]
        dns = params.get("PrivateDnsNameOptions") or {}
        inherited = call.store.extra.get(subnet.id, {})
        notes["hostname_type"] = dns.get("HostnameType", inherited.get("hostname_type", "ip-name"))
        notes["a_record"] = dns.get("EnableResourceNameDnsARecord", inherited.get("a_record", False))
        notes["aaaa_record"] = dns.get("EnableResourceNameDnsAAAARecord", inherited.get("aaaa_record", False))
        if credits:
            notes["credits"] = credits
        if primary is not None and "DeleteOnTermination" in primary:
            instance.nics[0].delete_on_termination = primary["DeleteOnTermination"]
        if existing:
            instance.nics[0].delete_on_termination = (primary or {}).get("DeleteOnTermination", False)
        if profile is not None:
            call.ec2.associate_iam_instance_profile(instance.id, iam_instance_profile_name=profile.name)
        tagging.put(call, instance.id, tags["instance"])
        if call.params.get("LaunchTemplate"):
            from .templates import version_of

            template, version = version_of(call, call.params["LaunchTemplate"])
            marks = {"aws:ec2launchtemplate:id": template.id, "aws:ec2launchtemplate:version": str(version.number)}
            call.ec2.tags[instance.id].update(marks)
        for held in instance.block_device_mapping.values():
            tagging.put(call, held.volume_id, tags["volume"])
        for nic in instance.nics.values():
            tagging.put(call, nic.id, tags["network-interface"])
    made = [shown(call, i) | {"State": {"Code": 0, "Name": "pending"}} for i in reservation.instances]
    return {"ReservationId": reservation.id, "OwnerId": call.account, "Groups": [], "Instances": made}


def _subnet_for(call: Call, params: Params, primary: Params | None, placement: Params) -> Any:
    if primary is not None and primary.get("NetworkInterfaceId"):
        interface = call.ec2.enis.get(primary["NetworkInterfaceId"])
        if interface is None:
            raise AwsError(
                "InvalidNetworkInterfaceID.NotFound",
                f"The networkInterface ID '{primary['NetworkInterfaceId']}' does not exist",
            )
        if interface.instance is not None:
            raise AwsError("InvalidNetworkInterface.InUse", f"Interface: [{interface.id}] in use.")
        return interface.subnet
    subnet_id = params.get("SubnetId") or (primary or {}).get("SubnetId")
    if subnet_id is not None:
        subnet = subnets.get(call, subnet_id)
        zone = placement.get("AvailabilityZone")
        if zone is not None and zone != subnet.availability_zone:
            raise AwsError(
                "InvalidParameterValue", f"The availability zone '{zone}' is not that of subnet '{subnet_id}'."
            )
        return subnet
    zone = placement.get("AvailabilityZone")
    for subnet in sorted(call.ec2.get_default_subnets().values(), key=lambda s: s.availability_zone):
        if zone in (None, subnet.availability_zone) and call.ec2.vpcs[subnet.vpc_id].is_default:
            return subnet
    raise AwsError("MissingInput", "No subnets found for the default VPC. Please specify a subnet.")


def _groups_for(call: Call, params: Params, primary: Params | None, subnet: Any) -> list[Any]:
    from . import guards, security_groups

    if primary is not None and primary.get("NetworkInterfaceId"):
        return list(call.ec2.enis[primary["NetworkInterfaceId"]]._group_set)
    wanted = list(params.get("SecurityGroupIds") or (primary or {}).get("Groups") or [])
    groups = [security_groups.get(call, g) for g in wanted]
    for name in params.get("SecurityGroups", []):
        found = next((g for g in guards.groups_of(call, subnet.vpc_id) if g.name == name), None)
        if found is None:
            raise AwsError(
                "InvalidGroup.NotFound", f"The security group '{name}' does not exist in VPC '{subnet.vpc_id}'"
            )
        groups.append(found)
    for group in groups:
        if group.vpc_id != subnet.vpc_id:
            raise AwsError(
                "InvalidParameter", f"Security group {group.id} and subnet {subnet.id} belong to different networks."
            )
    return groups or [g for g in guards.groups_of(call, subnet.vpc_id) if g.name == "default"]


def _check_private(subnet: Any, address: str, count: int) -> None:
    try:
        wanted = ipaddress.IPv4Address(address)
    except ValueError as error:
        raise AwsError("InvalidParameterValue", f"Value ({address}) for parameter address is invalid.") from error
    reserved = {subnet.cidr.network_address + n for n in range(4)} | {subnet.cidr.broadcast_address}
    if wanted not in subnet.cidr or wanted in reserved:
        raise AwsError("InvalidParameterValue", f"Address {address} does not fall within the subnet's address range")
    if count > 1:
        raise AwsError(
            "InvalidParameterCombination", "Specifying a private IP address is supported for one instance only."
        )
    if address in subnet._subnet_ips:
        raise AwsError("InvalidIPAddress.InUse", f"Address {address} is in use.")


def _user_data(text: str | None) -> Base64EncodedString | None:
    if not text:
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise AwsError("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from error
    if len(raw) > 16384:
        raise AwsError("InvalidParameterValue", "User data is limited to 16384 bytes")
    return Base64EncodedString(text)


# MARK: start, stop, terminate


def _several(call: Call) -> list[Any]:
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
    chosen = _several(call)
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
            _begin(call, instance, "stopping")
        now = (64, "stopping") if before[1] not in ("stopped",) else before
        out.append(
            {"InstanceId": instance.id, "PreviousState": _shown_state(before), "CurrentState": _shown_state(now)}
        )
    return {"StoppingInstances": out}


@operation("ec2", "StartInstances")
def start(call: Call) -> Params:
    chosen = _several(call)
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
            _begin(call, instance, "pending")
            now = (0, "pending")
        else:
            now = before
        out.append(
            {"InstanceId": instance.id, "PreviousState": _shown_state(before), "CurrentState": _shown_state(now)}
        )
    return {"StartingInstances": out}


@operation("ec2", "RebootInstances")
def reboot(call: Call) -> None:
    for instance in _several(call):
        state = state_of(call, instance)[1]
        if state != "running":
            raise _refuse_state(instance, state, "rebooted")


@operation("ec2", "TerminateInstances")
def terminate(call: Call) -> Params:
    chosen = _several(call)
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
            _begin(call, instance, "shutting-down")
            call.store.notes(instance.id)["ended"] = clock.now()
            now = (32, "shutting-down")
        out.append(
            {"InstanceId": instance.id, "PreviousState": _shown_state(before), "CurrentState": _shown_state(now)}
        )
    return {"TerminatingInstances": out}


# MARK: changes

_ATTRIBUTES = (
    "InstanceType",
    "UserData",
    "DisableApiTermination",
    "DisableApiStop",
    "InstanceInitiatedShutdownBehavior",
    "SourceDestCheck",
    "EbsOptimized",
    "Groups",
    "BlockDeviceMappings",
    "Kernel",
    "Ramdisk",
    "EnaSupport",
    "SriovNetSupport",
)
_BY_NAME = {
    "instanceType": "InstanceType",
    "userData": "UserData",
    "disableApiTermination": "DisableApiTermination",
    "disableApiStop": "DisableApiStop",
    "instanceInitiatedShutdownBehavior": "InstanceInitiatedShutdownBehavior",
    "sourceDestCheck": "SourceDestCheck",
    "ebsOptimized": "EbsOptimized",
}
_STOPPED_ONLY = ("InstanceType", "UserData", "EbsOptimized", "Kernel", "Ramdisk", "EnaSupport", "SriovNetSupport")


@operation("ec2", "ModifyInstanceAttribute")
def modify_attribute(call: Call) -> None:
    params = dict(call.params)
    instance = get(call, params["InstanceId"])
    if "Attribute" in params:
        name = _BY_NAME.get(params["Attribute"])
        if name is None:
            raise AwsError(
                "InvalidParameterValue", f"Value ({params['Attribute']}) for parameter attribute is invalid."
            )
        value: Any = params.get("Value")
        if name == "UserData":
            value = base64.b64decode(value or "")
        elif name in ("DisableApiTermination", "DisableApiStop", "SourceDestCheck", "EbsOptimized"):
            value = str(value).lower() == "true"
        params[name] = {"Value": value}
    given = [a for a in _ATTRIBUTES if a in params]
    if not given:
        raise AwsError("MissingParameter", "The request must contain an attribute to modify.")
    if len(given) > 1:
        raise AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified")
    name = given[0]
    state = state_of(call, instance)[1]
    if state in ("terminated", "shutting-down"):
        raise AwsError("IncorrectInstanceState", f"The instance '{instance.id}' is {state}.")
    if name in _STOPPED_ONLY and state != "stopped":
        raise AwsError("IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'stopped' state.")
    _apply(call, instance, name, params[name])


def _apply(call: Call, instance: Any, name: str, given: Any) -> None:
    from . import security_groups

    if name == "Groups":
        groups = [security_groups.get(call, g) for g in given]
        if not groups:
            raise AwsError("InvalidParameterValue", "An instance has at least one security group.")
        if any(g.vpc_id != instance.vpc_id for g in groups):
            raise AwsError("InvalidGroup.NotFound", f"A security group is not in VPC '{instance.vpc_id}'.")
        instance.security_groups = groups
        instance.nics[0]._group_set = list(groups)
        return
    if name == "BlockDeviceMappings":
        for mapping in given:
            held = instance.block_device_mapping.get(mapping.get("DeviceName"))
            if held is None:
                raise AwsError(
                    "InvalidInstanceAttributeValue", f"No device is currently mapped at {mapping.get('DeviceName')}"
                )
            wanted = (mapping.get("Ebs") or {}).get("DeleteOnTermination")
            if wanted is not None:
                held.delete_on_termination = wanted
        return
    value = given.get("Value")
    match name:
        case "InstanceType":
            check_type(call, value, instance._placement.zone)
            instance.instance_type = value
        case "UserData":
            raw = value if isinstance(value, bytes) else str(value or "").encode()
            if len(raw) > 16384:
                raise AwsError("InvalidParameterValue", "User data is limited to 16384 bytes")
            instance.user_data = Base64EncodedString(base64.b64encode(raw).decode()) if raw else None
        case "InstanceInitiatedShutdownBehavior":
            if value not in ("stop", "terminate"):
                raise AwsError(
                    "InvalidParameterValue",
                    f"Value ({value}) for parameter instanceInitiatedShutdownBehavior is invalid.",
                )
            instance.instance_initiated_shutdown_behavior = value
        case "DisableApiTermination":
            instance.disable_api_termination = bool(value)
        case "DisableApiStop":
            instance.disable_api_stop = bool(value)
        case "SourceDestCheck":
            instance.source_dest_check = bool(value)
            instance.nics[0].source_dest_check = bool(value)
        case "EbsOptimized":
            instance.ebs_optimized = bool(value)
        case _:
            call.store.notes(instance.id)[name] = value


@operation("ec2", "DescribeInstanceAttribute")
def describe_attribute(call: Call) -> Params:
    instance = get(call, call.params["InstanceId"])
    attribute = call.params["Attribute"]
    out: Params = {"InstanceId": instance.id}
    match attribute:
        case "userData":
            out["UserData"] = {"Value": str(instance.user_data)} if instance.user_data else {}
        case "instanceType":
            out["InstanceType"] = {"Value": instance.instance_type}
        case "disableApiTermination":
            out["DisableApiTermination"] = {"Value": bool(instance.disable_api_termination)}
        case "disableApiStop":
            out["DisableApiStop"] = {"Value": bool(instance.disable_api_stop)}
        case "instanceInitiatedShutdownBehavior":
            out["InstanceInitiatedShutdownBehavior"] = {"Value": instance.instance_initiated_shutdown_behavior}
        case "sourceDestCheck":
            out["SourceDestCheck"] = {"Value": bool(instance.source_dest_check)}
        case "ebsOptimized":
            out["EbsOptimized"] = {"Value": bool(instance.ebs_optimized)}
        case "rootDeviceName":
            out["RootDeviceName"] = {"Value": instance.root_device_name}
        case "groupSet":
            out["Groups"] = [{"GroupId": g["GroupId"]} for g in _groups(instance)]
        case "blockDeviceMapping":
            out["BlockDeviceMappings"] = shown(call, instance)["BlockDeviceMappings"]
        case "enaSupport":
            out["EnaSupport"] = {"Value": True}
        case "enclaveOptions":
            out["EnclaveOptions"] = {"Enabled": call.store.note(instance.id, "enclave", False)}
        case "productCodes":
            out["ProductCodes"] = []
        case "kernel" | "ramdisk" | "sriovNetSupport":
            member = {"kernel": "KernelId", "ramdisk": "RamdiskId", "sriovNetSupport": "SriovNetSupport"}[attribute]
            held = call.store.note(instance.id, attribute[:1].upper() + attribute[1:])
            out[member] = {"Value": held} if held else {}
        case _:
            raise AwsError(
                "InvalidParameterValue", f"Value ({attribute}) for parameter attribute is invalid. Unknown attribute."
            )
    return out


@operation("ec2", "ModifyInstanceMetadataOptions")
def modify_metadata(call: Call) -> Params:
    params = call.params
    instance = get(call, params["InstanceId"])
    held = instance.metadata_options
    hops = params.get("HttpPutResponseHopLimit")
    if hops is not None and not 1 <= hops <= 64:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({hops}) for parameter HttpPutResponseHopLimit is invalid. Valid values: 1-64",
        )
    fresh = MetadataOptions(
        {
            "HttpTokens": params.get("HttpTokens", held.http_tokens),
            "HttpPutResponseHopLimit": hops if hops is not None else held.http_put_response_hop_limit,
            "HttpEndpoint": params.get("HttpEndpoint", held.http_endpoint),
            "HttpProtocolIpv6": params.get("HttpProtocolIpv6", held.http_protocol_ipv6),
            "InstanceMetadataTags": params.get("InstanceMetadataTags", held.instance_metadata_tags),
        }
    )
    instance.metadata_options = fresh
    call.store.notes(instance.id)["metadata_at"] = clock.now()
    options = shown(call, instance)["MetadataOptions"] | {"State": "pending"}
    return {"InstanceId": instance.id, "InstanceMetadataOptions": options}


def _monitor(call: Call, final: str, shown_as: str) -> Params:
    out = []
    for instance in _several(call):
        instance.monitoring_state = final
        out.append({"InstanceId": instance.id, "Monitoring": {"State": shown_as}})
    return {"InstanceMonitorings": out}


@operation("ec2", "MonitorInstances")
def monitor(call: Call) -> Params:
    return _monitor(call, "enabled", "pending")


@operation("ec2", "UnmonitorInstances")
def unmonitor(call: Call) -> Params:
    return _monitor(call, "disabled", "disabling")


def _is_burstable(kind: str) -> bool:
    return kind.partition(".")[0] in ("t2", "t3", "t3a", "t4g")


def _credits(call: Call, instance: Any) -> str:
    default = "standard" if instance.instance_type.startswith("t2.") else "unlimited"
    return str(call.store.note(instance.id, "credits", default))


@operation("ec2", "DescribeInstanceCreditSpecifications")
def describe_credits(call: Call) -> Params:
    wanted = call.params.get("InstanceIds") or []
    check_ids(wanted, "i", "InvalidInstanceID")
    chosen = [get(call, i) for i in wanted] if wanted else [i for _, i in all_of(call)]
    for instance in chosen if wanted else []:
        if not _is_burstable(instance.instance_type):
            raise AwsError(
                "InvalidInstanceID", f"The instance '{instance.id}' is not a burstable performance instance."
            )
    items = [
        {"InstanceId": i.id, "CpuCredits": _credits(call, i)}
        for i in chosen
        if _is_burstable(i.instance_type) and state_of(call, i)[1] != "terminated"
    ]
    if not wanted and "Filters" not in call.params:
        items = [i for i in items if i["CpuCredits"] == "unlimited"]
    chosen_items = select(items, read_filters(call.params), {"instance-id": path("InstanceId")})
    part, token = page(call, chosen_items, 1000, has_ids=bool(wanted))
    result: Params = {"InstanceCreditSpecifications": part}
    return result | ({"NextToken": token} if token else {})


@operation("ec2", "ModifyInstanceCreditSpecification")
def modify_credits(call: Call) -> Params:
    done, failed = [], []
    for given in call.params["InstanceCreditSpecifications"]:
        instance_id = given.get("InstanceId", "")
        try:
            instance = get(call, instance_id)
            if not _is_burstable(instance.instance_type):
                raise AwsError(
                    "InstanceCreditSpecification.NotSupported", "The instance type does not support credits."
                )
            if given.get("CpuCredits") not in ("standard", "unlimited"):
                raise AwsError(
                    "InvalidParameterValue", f"Value ({given.get('CpuCredits')}) for parameter cpuCredits is invalid."
                )
        except AwsError as error:
            failed.append({"InstanceId": instance_id, "Error": {"Code": error.code, "Message": error.message}})
            continue
        call.store.notes(instance.id)["credits"] = given["CpuCredits"]
        done.append({"InstanceId": instance.id})
    return {"SuccessfulInstanceCreditSpecifications": done, "UnsuccessfulInstanceCreditSpecifications": failed}


@operation("ec2", "ModifyInstanceMaintenanceOptions")
def modify_maintenance(call: Call) -> Params:
    instance = get(call, call.params["InstanceId"])
    recovery = call.params.get("AutoRecovery")
    if recovery is not None:
        if recovery not in ("default", "disabled"):
            raise AwsError("InvalidParameterValue", f"Value ({recovery}) for parameter autoRecovery is invalid.")
        call.store.notes(instance.id)["auto_recovery"] = recovery
    return {"InstanceId": instance.id, "AutoRecovery": call.store.note(instance.id, "auto_recovery", "default")}


@operation("ec2", "ModifyPrivateDnsNameOptions")
def modify_dns(call: Call) -> Params:
    instance = get(call, call.params["InstanceId"])
    kind = call.params.get("PrivateDnsHostnameType")
    if kind is not None and state_of(call, instance)[1] != "stopped":
        raise AwsError("IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'stopped' state.")
    notes = call.store.notes(instance.id)
    if kind is not None:
        notes["hostname_type"] = kind
    if "EnableResourceNameDnsARecord" in call.params:
        notes["a_record"] = call.params["EnableResourceNameDnsARecord"]
    if "EnableResourceNameDnsAAAARecord" in call.params:
        notes["aaaa_record"] = call.params["EnableResourceNameDnsAAAARecord"]
    return {"Return": True}


@operation("ec2", "ModifyInstancePlacement")
def modify_placement(call: Call) -> Params:
    instance = get(call, call.params["InstanceId"])
    if state_of(call, instance)[1] != "stopped":
        raise AwsError("IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'stopped' state.")
    notes = call.store.notes(instance.id)
    if "Tenancy" in call.params:
        notes["tenancy"] = call.params["Tenancy"]
    if "GroupName" in call.params:
        notes["placement_group"] = call.params["GroupName"]
    return {"Return": True}


# MARK: instance profiles


def _shown_association(call: Call, held: Any, state: str = "associated") -> Params:
    return {
        "AssociationId": held.association_id,
        "InstanceId": held.instance.id,
        "State": state,
        "IamInstanceProfile": {"Arn": held.iam_instance_profile.arn, "Id": held.iam_instance_profile.id},
    }


class _Associations(Listing):
    def items(self, call: Call, only: set[str] | None = None) -> list[Params]:
        held = call.ec2.iam_instance_profile_associations.values()
        return [_shown_association(call, a) for a in held if only is None or a.association_id in only]


describe(
    _Associations(
        name="DescribeIamInstanceProfileAssociations",
        member="IamInstanceProfileAssociations",
        objects=lambda call: (),
        ids="AssociationIds",
        id_of="AssociationId",
        prefix="iip-assoc",
        kind="InvalidAssociationID",
        unknown=("InvalidAssociationID.NotFound", "An invalid association-id of '{}' was given"),
        filters={"instance-id": path("InstanceId"), "state": path("State")},
    )
)


@operation("ec2", "AssociateIamInstanceProfile")
def associate_profile(call: Call) -> Params:
    instance = get(call, call.params["InstanceId"])
    profile = profile_of(call, call.params["IamInstanceProfile"])
    if instance.id in call.ec2.iam_instance_profile_associations:
        raise AwsError("IncorrectState", f"There is an existing association for instance {instance.id}")
    held = call.ec2.associate_iam_instance_profile(instance.id, iam_instance_profile_name=profile.name)
    return {"IamInstanceProfileAssociation": _shown_association(call, held, "associating")}


def _association(call: Call) -> Any:
    wanted = call.params["AssociationId"]
    for held in call.ec2.iam_instance_profile_associations.values():
        if held.association_id == wanted:
            return held
    raise AwsError("InvalidAssociationID.NotFound", f"An invalid association-id of '{wanted}' was given")


@operation("ec2", "ReplaceIamInstanceProfileAssociation")
def replace_profile(call: Call) -> Params:
    held = _association(call)
    profile = profile_of(call, call.params["IamInstanceProfile"])
    instance = held.instance
    if state_of(call, instance)[1] != "running":
        raise AwsError("IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'running' state.")
    call.ec2.disassociate_iam_instance_profile(held.association_id)
    fresh = call.ec2.associate_iam_instance_profile(instance.id, iam_instance_profile_name=profile.name)
    return {"IamInstanceProfileAssociation": _shown_association(call, fresh, "associating")}


@operation("ec2", "DisassociateIamInstanceProfile")
def disassociate_profile(call: Call) -> Params:
    held = _association(call)
    call.ec2.disassociate_iam_instance_profile(held.association_id)
    return {"IamInstanceProfileAssociation": _shown_association(call, held, "disassociating")}
