"""Every way to change an instance that is there."""

from __future__ import annotations

import base64
from typing import Any

from moto.core.types import Base64EncodedString
from moto.ec2.models.instances import MetadataOptions

from .. import clock
from ..call import Call, operation
from ..errors import AwsError
from ..wire import Params
from . import security_groups
from .instances import all_of, get, groups_of, several, shown, state_of
from .launches import check_type
from .listing import check_ids, page, path, read_filters, select

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
            out["Groups"] = [{"GroupId": g["GroupId"]} for g in groups_of(instance)]
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
    for instance in several(call):
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
