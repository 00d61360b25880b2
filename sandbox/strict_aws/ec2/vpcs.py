"""VPCs."""

from __future__ import annotations

import hashlib
from typing import Any

from ..call import Call, operation
from ..errors import AwsError
from ..wire import Params
from . import guards, tagging
from .listing import Listing, check_ids, describe, one, path


def default_dhcp_options(call: Call) -> str:
    """The id of the DHCP options that every VPC has from the start."""
    return "dopt-" + hashlib.sha256(f"{call.account}{call.region}".encode()).hexdigest()[:17]


def get(call: Call, vpc_id: str) -> Any:
    """moto's VPC."""
    check_ids([vpc_id], "vpc", "InvalidVpcID")
    vpc = call.ec2.vpcs.get(vpc_id)
    if vpc is None:
        raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{vpc_id}' does not exist")
    return vpc


def _view(call: Call, item: Params, vpc: Any) -> Params:
    if vpc.dhcp_options is None:
        item["DhcpOptionsId"] = default_dhcp_options(call)
    if call.store.is_young(vpc.id, "vpc"):
        item["State"] = "pending"
    return item


describe(
    Listing(
        name="DescribeVpcs",
        member="Vpcs",
        objects=lambda call: call.ec2.vpcs.values(),
        ids="VpcIds",
        id_of="VpcId",
        prefix="vpc",
        kind="InvalidVpcID",
        unknown=("InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
        view=_view,
        filters={
            "vpc-id": path("VpcId"),
            "cidr": path("CidrBlock"),
            "cidr-block": path("CidrBlock"),
            "cidr-block-association.cidr-block": path("CidrBlockAssociationSet[].CidrBlock"),
            "cidr-block-association.association-id": path("CidrBlockAssociationSet[].AssociationId"),
            "cidr-block-association.state": path("CidrBlockAssociationSet[].CidrBlockState.State"),
            "ipv6-cidr-block-association.ipv6-cidr-block": path("Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock"),
            "ipv6-cidr-block-association.association-id": path("Ipv6CidrBlockAssociationSet[].AssociationId"),
            "ipv6-cidr-block-association.state": path("Ipv6CidrBlockAssociationSet[].Ipv6CidrBlockState.State"),
            "dhcp-options-id": path("DhcpOptionsId"),
            "is-default": path("IsDefault"),
            "isDefault": path("IsDefault"),
            "owner-id": path("OwnerId"),
            "state": path("State"),
        },
    )
)


@operation("ec2", "CreateVpc")
def create(call: Call) -> Params:
    tags = tagging.of(call, "vpc")["vpc"]
    cidr = call.params.get("CidrBlock")
    if cidr is None:
        raise AwsError("MissingParameter", "The request must contain the parameter cidrBlock")
    block = guards.network(cidr, "cidrBlock")
    if not 16 <= block.prefixlen <= 28:
        raise AwsError("InvalidVpc.Range", f"The CIDR '{cidr}' is invalid.")
    params = {k: v for k, v in call.params.items() if k != "TagSpecifications"}
    made = call.moto(params | {"CidrBlock": str(block)})
    vpc_id = made["Vpc"]["VpcId"]
    call.store.bear(vpc_id)
    tagging.put(call, vpc_id, tags)
    return {"Vpc": one(call, "DescribeVpcs", vpc_id)}


@operation("ec2", "DeleteVpc")
def delete(call: Call) -> None:
    vpc = get(call, call.params["VpcId"])
    backend = call.ec2
    if any(_dependants(call, vpc.id)):
        raise guards.dependency("vpc", vpc.id)
    vpc.dhcp_options = None  # moto would delete the options with the VPC
    for table in [t for t in backend.route_tables.values() if t.vpc_id == vpc.id]:
        del backend.route_tables[table.id]
        backend.tags.pop(table.id, None)
    for acl in [a for a in backend.network_acls.values() if a.vpc_id == vpc.id]:
        del backend.network_acls[acl.id]
        backend.tags.pop(acl.id, None)
    for group in backend.groups.pop(vpc.id, {}):
        backend.tags.pop(group, None)
    del backend.vpcs[vpc.id]
    backend.tags.pop(vpc.id, None)


def _dependants(call: Call, vpc_id: str) -> Any:
    from .gateways import state_of

    backend = call.ec2
    yield from guards.subnets_of(call, vpc_id)
    yield from (g for g in backend.internet_gateways.values() if g.vpc and g.vpc.id == vpc_id)
    yield from (g for g in guards.groups_of(call, vpc_id) if g.name != "default")
    yield from (t for t in backend.route_tables.values() if t.vpc_id == vpc_id and t.main_association_id is None)
    yield from (a for a in backend.network_acls.values() if a.vpc_id == vpc_id and not a.default)
    yield from (e for e in backend.vpc_end_points.values() if e.vpc_id == vpc_id and e.state != "deleted")
    yield from (
        n
        for n in backend.nat_gateways.values()
        if n.vpc_id == vpc_id and state_of(call, n.id) in ("pending", "available", "deleting")
    )
    for peering in backend.vpc_pcxs.values():
        if vpc_id in (peering.vpc.id, peering.peer_vpc.id) and peering._status.code in ("active", "pending-acceptance"):
            yield peering
    for gateway in backend.vpn_gateways.values():
        attachment = gateway.attachments.get(vpc_id)
        if attachment is not None and attachment.state == "attached":
            yield gateway
    for other in guards.groups_of(call):
        if other.vpc_id != vpc_id:
            for rule in [*other.ingress_rules, *other.egress_rules]:
                group = call.ec2.get_security_group_from_id(rule.source_group.get("GroupId", ""))
                if group is not None and group.vpc_id == vpc_id:
                    yield other


_ATTRIBUTES = {
    "EnableDnsSupport": "enable_dns_support",
    "EnableDnsHostnames": "enable_dns_hostnames",
    "EnableNetworkAddressUsageMetrics": "enable_network_address_usage_metrics",
}


@operation("ec2", "ModifyVpcAttribute")
def modify_attribute(call: Call) -> None:
    vpc = get(call, call.params["VpcId"])
    given = [a for a in _ATTRIBUTES if a in call.params]
    if not given:
        raise AwsError("MissingParameter", "The request must contain an attribute to modify.")
    if len(given) > 1:
        raise AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified")
    value = call.params[given[0]].get("Value")
    if given[0] == "EnableDnsHostnames" and value and not vpc.enable_dns_support:
        raise AwsError("InvalidParameterValue", "enableDnsHostnames cannot be true while enableDnsSupport is false.")
    setattr(vpc, _ATTRIBUTES[given[0]], bool(value))


@operation("ec2", "DescribeVpcAttribute")
def describe_attribute(call: Call) -> Params:
    vpc = get(call, call.params["VpcId"])
    attribute = call.params["Attribute"]
    name = attribute[:1].upper() + attribute[1:]
    if name not in _ATTRIBUTES or attribute[:1].isupper():
        raise AwsError(
            "InvalidParameterValue", f"Value ({attribute}) for parameter attribute is invalid. Unknown attribute."
        )
    return {"VpcId": vpc.id, name: {"Value": bool(getattr(vpc, _ATTRIBUTES[name]))}}


@operation("ec2", "AssociateVpcCidrBlock")
def associate_block(call: Call) -> Params:
    vpc = get(call, call.params["VpcId"])
    cidr = call.params.get("CidrBlock")
    if cidr is None:
        return call.moto()
    block = guards.network(cidr, "cidrBlock")
    if not 16 <= block.prefixlen <= 28:
        raise AwsError("InvalidVpc.Range", f"The CIDR '{cidr}' is invalid.")
    for held in vpc.get_cidr_block_association_set():
        if held["cidr_block_state"]["state"] == "associated" and guards.network(held["cidr_block"]).overlaps(block):
            raise AwsError("InvalidParameterValue", f"The CIDR '{block}' conflicts with the CIDR of VPC {vpc.id}.")
    return call.moto(call.params | {"CidrBlock": str(block)})


def _dhcp_extra(call: Call, items: list[Params]) -> list[Params]:
    domain = "ec2.internal" if call.region == "us-east-1" else f"{call.region}.compute.internal"
    configuration = [("domain-name", domain), ("domain-name-servers", "AmazonProvidedDNS")]
    original = {
        "DhcpOptionsId": default_dhcp_options(call),
        "OwnerId": call.account,
        "Tags": [],
        "DhcpConfigurations": [{"Key": k, "Values": [{"Value": v}]} for k, v in configuration],
    }
    return [original, *items]


def _dhcp_view(call: Call, item: Params, _: Any) -> Params:
    item["Tags"] = tagging.listed(call, item["DhcpOptionsId"])
    return item


describe(
    Listing(
        name="DescribeDhcpOptions",
        member="DhcpOptions",
        objects=lambda call: call.ec2.dhcp_options_sets.values(),
        ids="DhcpOptionsIds",
        id_of="DhcpOptionsId",
        prefix="dopt",
        kind="InvalidDhcpOptionID",
        unknown=("InvalidDhcpOptionID.NotFound", "The dhcpOption ID '{}' does not exist"),
        view=_dhcp_view,
        extra=_dhcp_extra,
        filters={
            "dhcp-options-id": path("DhcpOptionsId"),
            "key": path("DhcpConfigurations[].Key"),
            "value": path("DhcpConfigurations[].Values[].Value"),
            "owner-id": path("OwnerId"),
        },
    )
)


@operation("ec2", "AssociateDhcpOptions")
def associate_dhcp(call: Call) -> None:
    vpc = get(call, call.params["VpcId"])
    options = call.params["DhcpOptionsId"]
    if options in ("default", default_dhcp_options(call)):
        vpc.dhcp_options = None
        return
    one(call, "DescribeDhcpOptions", options)
    vpc.dhcp_options = call.ec2.dhcp_options_sets[options]


@operation("ec2", "DeleteDhcpOptions")
def delete_dhcp(call: Call) -> None:
    options = call.params["DhcpOptionsId"]
    one(call, "DescribeDhcpOptions", options)
    used = any(v.dhcp_options is not None and v.dhcp_options.id == options for v in call.ec2.vpcs.values())
    if used or options == default_dhcp_options(call):
        raise guards.dependency("dhcpOptions", options)
    call.ec2.dhcp_options_sets.pop(options, None)
