"""Launching instances: what is asked, completed from a template, checked, and made."""

from __future__ import annotations

import base64
import ipaddress
from functools import cache
from typing import Any

from moto.core.types import Base64EncodedString
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS
from moto.ec2.models.instances import InstanceBackend

from .. import clock
from ..call import Call, once, operation, store_of
from ..errors import AwsError
from ..wire import Params
from . import guards, images, security_groups, subnets, tagging
from .instances import begin, shown


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
    profile: Params = {}
    if requested is None and kwargs.get("launch_template"):
        version = self._get_template_from_args(kwargs["launch_template"])
        requested = version.data.get("BlockDeviceMappings")
        image_id = image_id or version.image_id
        profile = version.data.get("IamInstanceProfile") or {}
    elif requested is None and kwargs.get("launch_config"):
        requested = kwargs["launch_config"].block_device_mapping_dict
        named = kwargs["launch_config"].iam_instance_profile
        profile = {"Arn" if str(named).startswith("arn:") else "Name": named} if named else {}
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
        # moto forgets the profile of what Auto Scaling launches.
        if profile:
            self.associate_iam_instance_profile(instance.id, profile.get("Name"), profile.get("Arn"))
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
        check_private(subnet, private_ip, high)
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
        begin(call, instance, "pending")
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


def check_private(subnet: Any, address: str, count: int) -> None:
    """Refuses a private address that a subnet cannot give."""
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
