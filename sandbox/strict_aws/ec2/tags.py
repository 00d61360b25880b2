"""Tags of any EC2 object."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.tags import TagBackend
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from ..call import Call, operation
from ..errors import AwsError
from ..wire import Params
from . import tagging
from .listing import page, path, read_filters, select


def _tags_of(self: Any) -> list[dict[str, str]]:
    """moto walks the tags of all objects for each object."""
    if not self.id:
        return []
    held = self.ec2_backend.tags.get(self.id, {})
    return [{"key": k, "value": v, "resource_id": self.id} for k, v in held.items()]


def _create_tags(self: Any, resource_ids: list[str], tags: dict[str, str]) -> bool:
    for identifier in resource_ids:
        self.tags[identifier].update(tags)
    return True


TaggedEC2Resource.get_tags = _tags_of  # type: ignore[method-assign]
TagBackend.create_tags = _create_tags  # type: ignore[method-assign]

_CODES = {
    "vpc": "InvalidVpcID",
    "subnet": "InvalidSubnetID",
    "igw": "InvalidInternetGatewayID",
    "rtb": "InvalidRouteTableID",
    "acl": "InvalidNetworkAclID",
    "sg": "InvalidGroup",
    "sgr": "InvalidSecurityGroupRuleId",
    "i": "InvalidInstanceID",
    "vol": "InvalidVolume",
    "snap": "InvalidSnapshot",
    "ami": "InvalidAMIID",
    "eipalloc": "InvalidAllocationID",
    "eni": "InvalidNetworkInterfaceID",
    "key": "InvalidKeyPair",
    "lt": "InvalidLaunchTemplateId",
    "vpce": "InvalidVpcEndpointId",
    "dopt": "InvalidDhcpOptionID",
    "pcx": "InvalidVpcPeeringConnectionID",
}


def _exists(call: Call, identifier: str) -> bool:
    backend = call.ec2
    match identifier.partition("-")[0]:
        case "vpc":
            return identifier in backend.vpcs
        case "subnet":
            return any(identifier in zone for zone in backend.subnets.values())
        case "igw":
            return identifier in backend.internet_gateways
        case "nat":
            from .gateways import state_of

            return identifier in backend.nat_gateways and state_of(call, identifier) != "deleted"
        case "rtb":
            return identifier in backend.route_tables
        case "acl":
            return identifier in backend.network_acls
        case "sg":
            return backend.get_security_group_from_id(identifier) is not None
        case "sgr":
            return any(g.get_rule(identifier) for groups in backend.groups.values() for g in groups.values())
        case "i":
            return backend.get_instance_by_id(identifier) is not None
        case "vol":
            return identifier in backend.volumes
        case "snap":
            return identifier in backend.snapshots
        case "ami":
            return identifier in backend.amis
        case "eipalloc":
            return any(a.allocation_id == identifier for a in backend.addresses)
        case "eni":
            return identifier in backend.enis
        case "key":
            return any(k.id == identifier for k in backend.key_pairs.values())
        case "lt":
            return identifier in backend.launch_templates
        case "vpce":
            return identifier in backend.vpc_end_points
        case "dopt":
            from .vpcs import default_dhcp_options

            return identifier in backend.dhcp_options_sets or identifier == default_dhcp_options(call)
        case "pcx":
            return identifier in backend.vpc_pcxs
    return get_prefix(identifier) is not None


def _check(call: Call, identifiers: list[str]) -> None:
    if not identifiers:
        raise AwsError("MissingParameter", "The request must contain the parameter resourceIdSet")
    for identifier in identifiers:
        prefix = identifier.partition("-")[0]
        if get_prefix(identifier) is None and prefix not in _CODES:
            raise AwsError("InvalidID", f"The ID '{identifier}' is not valid")
        if not _exists(call, identifier):
            code = "NatGatewayNotFound" if prefix == "nat" else f"{_CODES.get(prefix, 'InvalidID')}.NotFound"
            raise AwsError(code, f"The ID '{identifier}' does not exist")


@operation("ec2", "CreateTags")
def create(call: Call) -> Params:
    identifiers = call.params["Resources"]
    given = {t["Key"]: t.get("Value", "") for t in call.params["Tags"] if "Key" in t}
    if not given:
        raise AwsError("MissingParameter", "The request must contain the parameter tagSet")
    tagging.check(given)
    _check(call, identifiers)
    for identifier in identifiers:
        after = call.ec2.tags.get(identifier, {}) | given
        if sum(not k.startswith("aws:") for k in after) > 50:
            raise AwsError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
    for identifier in identifiers:
        call.ec2.tags[identifier].update(given)
    return {"Return": True}


@operation("ec2", "DeleteTags")
def delete(call: Call) -> Params:
    identifiers = call.params["Resources"]
    _check(call, identifiers)
    tags = call.params.get("Tags")
    for identifier in identifiers:
        held = call.ec2.tags[identifier]
        if tags is None:
            for key in [k for k in held if not k.startswith("aws:")]:
                del held[key]
            continue
        for tag in tags:
            key = tag.get("Key", "")
            if key in held and ("Value" not in tag or tag["Value"] == held[key]):
                del held[key]
    return {"Return": True}


@operation("ec2", "DescribeTags")
def describe(call: Call) -> Params:
    filters = read_filters(call.params)
    items = [
        {"ResourceId": i, "Key": k, "Value": v, "ResourceType": _kind(i)}
        for i, tags in call.ec2.tags.items()
        for k, v in tags.items()
        if _exists(call, i)
    ]
    tag_filters = {n: v for n, v in filters.items() if n.startswith("tag:")}
    known = {
        "key": path("Key"),
        "value": path("Value"),
        "resource-id": path("ResourceId"),
        "resource-type": path("ResourceType"),
    }
    chosen = select(items, {n: v for n, v in filters.items() if n not in tag_filters}, known)
    for name, values in tag_filters.items():
        chosen = [t for t in chosen if t["Key"] == name[4:] and t["Value"] in values]
    shown, token = page(call, chosen, 1000)
    return {"Tags": shown} | ({"NextToken": token} if token else {})


_KINDS = {
    "sgr": "security-group-rule",
    "eipalloc": "elastic-ip",
    "nat": "natgateway",
    "key": "key-pair",
    "lt": "launch-template",
    "vpce": "vpc-endpoint",
}


def _kind(identifier: str) -> str:
    prefix = identifier.partition("-")[0]
    return _KINDS.get(prefix) or EC2_PREFIX_TO_RESOURCE.get(get_prefix(identifier), "")
