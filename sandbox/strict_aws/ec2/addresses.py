"""Elastic IP addresses."""

from __future__ import annotations

from typing import Any

import moto.ec2.models.elastic_ip_addresses as moto_addresses
from moto.ec2.utils import random_eip_association_id
from moto.moto_api._internal import mock_random

from ..call import Call, operation
from ..errors import AwsError
from ..wire import Params
from . import gateways, tagging
from .listing import Listing, describe, path


def _public_address() -> str:
    return f"52.{mock_random.randint(1, 254)}.{mock_random.randint(0, 255)}.{mock_random.randint(1, 254)}"


setattr(moto_addresses, "random_ip", _public_address)  # moto gives 127.x


def _view(call: Call, item: Params, address: Any) -> Params:
    for name in ("InstanceId", "NetworkInterfaceId", "AssociationId"):
        if not item.get(name):
            item.pop(name, None)
    item["Domain"] = "vpc"
    item["NetworkBorderGroup"] = call.region
    item["PublicIpv4Pool"] = "amazon"
    if address.eni is not None:
        item["NetworkInterfaceOwnerId"] = call.account
    item["Tags"] = tagging.listed(call, address.allocation_id)
    return item


describe(
    Listing(
        name="DescribeAddresses",
        member="Addresses",
        objects=lambda call: call.ec2.addresses,
        ids="AllocationIds",
        id_of="AllocationId",
        prefix="eipalloc",
        kind="InvalidAllocationID",
        unknown=("InvalidAllocationID.NotFound", "The allocation ID '{}' does not exist"),
        view=_view,
        maximum=None,
        key=lambda address: str(address.allocation_id),
        filters={
            "allocation-id": path("AllocationId"),
            "association-id": path("AssociationId"),
            "domain": path("Domain"),
            "instance-id": path("InstanceId"),
            "network-border-group": path("NetworkBorderGroup"),
            "network-interface-id": path("NetworkInterfaceId"),
            "network-interface-owner-id": path("NetworkInterfaceOwnerId"),
            "private-ip-address": path("PrivateIpAddress"),
            "public-ip": path("PublicIp"),
        },
    )
)


@operation("ec2", "AllocateAddress")
def allocate(call: Call) -> Params:
    tags = tagging.of(call, "elastic-ip")["elastic-ip"]
    domain = call.params.get("Domain", "vpc")
    if domain != "vpc":
        raise AwsError("InvalidParameterValue", f"Value ({domain}) for parameter domain is invalid.")
    address = call.ec2.allocate_address("vpc", address=call.params.get("Address"))
    tagging.put(call, address.allocation_id, tags)
    return {
        "PublicIp": address.public_ip,
        "AllocationId": address.allocation_id,
        "Domain": "vpc",
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": call.region,
    }


def get(call: Call, allocation_id: str) -> Any:
    """moto's address."""
    for address in call.ec2.addresses:
        if address.allocation_id == allocation_id:
            return address
    raise AwsError("InvalidAllocationID.NotFound", f"The allocation ID '{allocation_id}' does not exist")


def unmap(address: Any) -> None:
    """Takes an address off its interface."""
    if address.eni is not None:
        address.eni.public_ip = None
        if address.eni.instance is not None and address.eni.instance._state.name == "running":
            address.eni.check_auto_public_ip()
    address.eni = address.instance = None
    address.association_id = None


@operation("ec2", "AssociateAddress")
def associate(call: Call) -> Params:
    from .instances import get as get_instance
    from .instances import state_of

    address = get(call, call.params.get("AllocationId") or _by_ip(call, call.params.get("PublicIp")).allocation_id)
    if "InstanceId" in call.params:
        instance = get_instance(call, call.params["InstanceId"])
        state = state_of(call, instance)[1]
        if state not in ("running", "stopped", "stopping"):
            raise AwsError(
                "IncorrectInstanceState",
                f"The {state} instance '{instance.id}' is not in a valid state for this operation.",
            )
        interface = instance.nics[0]
    elif "NetworkInterfaceId" in call.params:
        interface = call.ec2.enis.get(call.params["NetworkInterfaceId"])
        if interface is None:
            raise AwsError(
                "InvalidNetworkInterfaceID.NotFound",
                f"The networkInterface ID '{call.params['NetworkInterfaceId']}' does not exist",
            )
        instance = interface.instance
    else:
        raise AwsError("MissingParameter", "Either instance ID or network interface id must be specified")
    if not gateways.is_attached(call, interface.subnet.vpc_id):
        raise AwsError(
            "Gateway.NotAttached", f"Network {interface.subnet.vpc_id} is not attached to any internet gateway"
        )
    if address.eni is interface:
        return {"AssociationId": address.association_id}
    if address.association_id and call.params.get("AllowReassociation") is False:
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"resource {address.allocation_id} is already associated with associate-id {address.association_id}",
        )
    if address.association_id:
        _refuse_managed(call, address)
        unmap(address)
    for other in call.ec2.addresses:
        if other.eni is interface:
            if call.params.get("AllowReassociation") is False:
                raise AwsError(
                    "Resource.AlreadyAssociated",
                    f"resource {interface.id} is already associated with associate-id {other.association_id}",
                )
            other.eni = other.instance = None
            other.association_id = None
    address.eni, address.instance = interface, instance
    interface.public_ip = address.public_ip
    address.association_id = random_eip_association_id()
    return {"AssociationId": address.association_id}


def _by_ip(call: Call, public_ip: str | None) -> Any:
    if public_ip is None:
        raise AwsError("MissingParameter", "Either public IP or allocation id must be specified")
    for address in call.ec2.addresses:
        if address.public_ip == public_ip:
            return address
    raise AwsError("InvalidAddress.NotFound", f"Address '{public_ip}' not found.")


def _refuse_managed(call: Call, address: Any) -> None:
    if address.eni is not None and getattr(address.eni, "requester_managed", False):
        raise AwsError("AuthFailure", "You do not have permission to access the specified resource.", 403)


@operation("ec2", "DisassociateAddress")
def disassociate(call: Call) -> None:
    if "AssociationId" in call.params:
        wanted = call.params["AssociationId"]
        address = next((a for a in call.ec2.addresses if a.association_id == wanted), None)
        if address is None:
            raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{wanted}' does not exist")
    else:
        address = _by_ip(call, call.params.get("PublicIp"))
    _refuse_managed(call, address)
    unmap(address)


@operation("ec2", "ReleaseAddress")
def release(call: Call) -> None:
    if "AllocationId" not in call.params:
        _by_ip(call, call.params.get("PublicIp"))
        raise AwsError(
            "InvalidParameterValue", "You must specify an allocation id when releasing a VPC elastic IP address"
        )
    address = get(call, call.params["AllocationId"])
    if address.association_id:
        raise AwsError("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")
    call.ec2.tags.pop(address.allocation_id, None)
    call.ec2.addresses.remove(address)
