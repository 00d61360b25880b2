"""Subnets."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.subnets import Subnet
from moto.moto_api._internal import mock_random

from ..call import Call, operation
from ..errors import AwsError
from ..wire import Params
from . import guards, tagging, vpcs
from .listing import Listing, check_ids, describe, one, path


def _available_addresses(subnet: Any) -> int:
    taken = sum(len(e.private_ip_addresses) for e in subnet.ec2_backend.enis.values() if e.subnet is subnet)
    return int(subnet._available_ip_addresses) - taken


Subnet.available_ip_address_count = property(_available_addresses)  # type: ignore[method-assign,assignment]


def get(call: Call, subnet_id: str) -> Any:
    """moto's subnet."""
    check_ids([subnet_id], "subnet", "InvalidSubnetID")
    for zone in call.ec2.subnets.values():
        if subnet_id in zone:
            return zone[subnet_id]
    raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")


def _view(call: Call, item: Params, subnet: Any) -> Params:
    item["State"] = "pending" if call.store.is_young(subnet.id, "subnet") else "available"
    notes = call.store.extra.get(subnet.id, {})
    item["PrivateDnsNameOptionsOnLaunch"] = {
        "HostnameType": notes.get("hostname_type", "ip-name"),
        "EnableResourceNameDnsARecord": notes.get("a_record", False),
        "EnableResourceNameDnsAAAARecord": notes.get("aaaa_record", False),
    }
    item["EnableDns64"] = notes.get("dns64", False)
    item["MapCustomerOwnedIpOnLaunch"] = notes.get("customer_owned", False)
    if "customer_pool" in notes:
        item["CustomerOwnedIpv4Pool"] = notes["customer_pool"]
    if notes.get("lni_index"):
        item["EnableLniAtDeviceIndex"] = notes["lni_index"]
    item["SubnetArn"] = f"arn:aws:ec2:{call.region}:{call.account}:subnet/{subnet.id}"
    return item


describe(
    Listing(
        name="DescribeSubnets",
        member="Subnets",
        objects=guards.subnets_of,
        ids="SubnetIds",
        id_of="SubnetId",
        prefix="subnet",
        kind="InvalidSubnetID",
        unknown=("InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"),
        view=_view,
        filters={
            "subnet-id": path("SubnetId"),
            "vpc-id": path("VpcId"),
            "availability-zone": path("AvailabilityZone"),
            "availabilityZone": path("AvailabilityZone"),
            "availability-zone-id": path("AvailabilityZoneId"),
            "availabilityZoneId": path("AvailabilityZoneId"),
            "available-ip-address-count": path("AvailableIpAddressCount"),
            "cidr": path("CidrBlock"),
            "cidr-block": path("CidrBlock"),
            "cidrBlock": path("CidrBlock"),
            "default-for-az": path("DefaultForAz"),
            "defaultForAz": path("DefaultForAz"),
            "map-public-ip-on-launch": path("MapPublicIpOnLaunch"),
            "enable-dns64": path("EnableDns64"),
            "ipv6-cidr-block-association.ipv6-cidr-block": path("Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock"),
            "ipv6-cidr-block-association.association-id": path("Ipv6CidrBlockAssociationSet[].AssociationId"),
            "ipv6-cidr-block-association.state": path("Ipv6CidrBlockAssociationSet[].Ipv6CidrBlockState.State"),
            "ipv6-native": path("Ipv6Native"),
            "outpost-arn": path("OutpostArn"),
            "owner-id": path("OwnerId"),
            "subnet-arn": path("SubnetArn"),
            "private-dns-name-options-on-launch.hostname-type": path("PrivateDnsNameOptionsOnLaunch.HostnameType"),
            "state": path("State"),
        },
    )
)


@operation("ec2", "CreateSubnet")
def create(call: Call) -> Params:
    tags = tagging.of(call, "subnet")["subnet"]
    vpc = vpcs.get(call, call.params["VpcId"])
    params = {k: v for k, v in call.params.items() if k != "TagSpecifications"}
    cidr = params.get("CidrBlock")
    if cidr is None and not params.get("Ipv6Native"):
        raise AwsError("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
    if cidr is not None:
        block = guards.network(cidr, "cidrBlock")
        if not 16 <= block.prefixlen <= 28:
            raise AwsError("InvalidSubnet.Range", f"The CIDR '{cidr}' is invalid.")
        params["CidrBlock"] = str(block)
    zones = RegionsAndZonesBackend.zones.get(call.region, [])
    names, identifiers = [z.name for z in zones], [z.zone_id for z in zones]
    zone, zone_id = params.get("AvailabilityZone"), params.pop("AvailabilityZoneId", None)
    if zone is not None and zone_id is not None:
        raise AwsError("InvalidParameterCombination", "Specify either an availability zone or an availability zone id.")
    if (zone is not None and zone not in names) or (zone_id is not None and zone_id not in identifiers):
        given = zone if zone is not None else zone_id
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({given}) for parameter availabilityZone is invalid. Subnets can currently only be created in the "
            f"following availability zones: {', '.join(names)}.",
        )
    if zone_id is not None:
        params["AvailabilityZone"] = names[identifiers.index(zone_id)]
    if "AvailabilityZone" not in params:
        # us-east-1e is old and lacks most instance types; nobody is put there unasked.
        params["AvailabilityZone"] = mock_random.choice([n for n in names if n != "us-east-1e"])
    subnet_id = call.moto(params)["Subnet"]["SubnetId"]
    subnet = get(call, subnet_id)
    if not vpc.is_default:
        subnet.default_for_az = subnet.map_public_ip_on_launch = False
    call.store.bear(subnet_id)
    tagging.put(call, subnet_id, tags)
    return {"Subnet": one(call, "DescribeSubnets", subnet_id)}


@operation("ec2", "DeleteSubnet")
def delete(call: Call) -> None:
    subnet = get(call, call.params["SubnetId"])
    if any(guards.users_of_subnet(call, subnet.id)):
        raise guards.dependency("subnet", subnet.id)
    call.ec2.delete_subnet(subnet.id)
    for table in call.ec2.route_tables.values():
        for association in [a for a, target in table._associations.items() if target == subnet.id]:
            del table._associations[association]
    for acl in call.ec2.network_acls.values():
        for association in [a for a, held in acl._associations.items() if held.subnet_id == subnet.id]:
            del acl._associations[association]
    call.ec2.tags.pop(subnet.id, None)
    call.store.extra.pop(subnet.id, None)


_FLAGS = {
    "MapPublicIpOnLaunch": "map_public_ip_on_launch",
    "AssignIpv6AddressOnCreation": "assign_ipv6_address_on_creation",
}
_NOTED_FLAGS = {
    "EnableDns64": "dns64",
    "EnableResourceNameDnsARecordOnLaunch": "a_record",
    "EnableResourceNameDnsAAAARecordOnLaunch": "aaaa_record",
    "MapCustomerOwnedIpOnLaunch": "customer_owned",
}
_NOTED_VALUES = {
    "PrivateDnsHostnameTypeOnLaunch": "hostname_type",
    "CustomerOwnedIpv4Pool": "customer_pool",
    "EnableLniAtDeviceIndex": "lni_index",
}


@operation("ec2", "ModifySubnetAttribute")
def modify_attribute(call: Call) -> None:
    subnet = get(call, call.params["SubnetId"])
    known = [*_FLAGS, *_NOTED_FLAGS, *_NOTED_VALUES, "DisableLniAtDeviceIndex"]
    given = [a for a in known if a in call.params]
    if not given:
        raise AwsError("MissingParameter", "The request must contain an attribute to modify.")
    if len(given) > 1 and set(given) != {"MapCustomerOwnedIpOnLaunch", "CustomerOwnedIpv4Pool"}:
        raise AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified")
    notes = call.store.notes(subnet.id)
    for name in given:
        value = call.params[name]
        if name in _FLAGS:
            if name == "AssignIpv6AddressOnCreation" and value.get("Value") and not subnet.ipv6_cidr_block_associations:
                raise AwsError("InvalidParameterValue", f"The subnet '{subnet.id}' has no IPv6 CIDR block.")
            setattr(subnet, _FLAGS[name], bool(value.get("Value")))
        elif name in _NOTED_FLAGS:
            notes[_NOTED_FLAGS[name]] = bool(value.get("Value"))
        elif name == "DisableLniAtDeviceIndex":
            notes["lni_index"] = None
        else:
            if name == "PrivateDnsHostnameTypeOnLaunch" and value not in ("ip-name", "resource-name"):
                raise AwsError("InvalidParameterValue", f"Value ({value}) for parameter hostnameType is invalid.")
            notes[_NOTED_VALUES[name]] = value
