"""Internet and NAT gateways."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from .. import clock
from ..call import Call, Store, once, operation, store_of
from ..errors import AwsError
from ..wire import Params
from . import guards, subnets, tagging, vpcs
from .listing import Listing, check_ids, describe, one, path

# MARK: internet gateways


def get_internet(call: Call, gateway_id: str) -> Any:
    """moto's internet gateway."""
    check_ids([gateway_id], "igw", "InvalidInternetGatewayID")
    gateway = call.ec2.internet_gateways.get(gateway_id)
    if gateway is None:
        raise AwsError("InvalidInternetGatewayID.NotFound", f"The internetGateway ID '{gateway_id}' does not exist")
    return gateway


def is_attached(call: Call, vpc_id: str) -> bool:
    """Whether a VPC has an internet gateway."""
    return any(g.vpc is not None and g.vpc.id == vpc_id for g in call.ec2.internet_gateways.values())


describe(
    Listing(
        name="DescribeInternetGateways",
        member="InternetGateways",
        objects=lambda call: call.ec2.internet_gateways.values(),
        ids="InternetGatewayIds",
        id_of="InternetGatewayId",
        prefix="igw",
        kind="InvalidInternetGatewayID",
        unknown=("InvalidInternetGatewayID.NotFound", "The internetGateway ID '{}' does not exist"),
        filters={
            "internet-gateway-id": path("InternetGatewayId"),
            "attachment.vpc-id": path("Attachments[].VpcId"),
            "attachment.state": path("Attachments[].State"),
            "owner-id": path("OwnerId"),
        },
    )
)


@operation("ec2", "CreateInternetGateway")
def create_internet(call: Call) -> Params:
    tags = tagging.of(call, "internet-gateway")["internet-gateway"]
    gateway = call.ec2.create_internet_gateway()
    tagging.put(call, gateway.id, tags)
    return {"InternetGateway": one(call, "DescribeInternetGateways", gateway.id)}


@operation("ec2", "AttachInternetGateway")
def attach_internet(call: Call) -> None:
    gateway = get_internet(call, call.params["InternetGatewayId"])
    vpc = vpcs.get(call, call.params["VpcId"])
    if gateway.vpc is not None:
        raise AwsError(
            "Resource.AlreadyAssociated", f"resource {gateway.id} is already attached to network {gateway.vpc.id}"
        )
    if is_attached(call, vpc.id):
        raise AwsError("InvalidParameterValue", f"Network {vpc.id} already has an internet gateway attached")
    gateway.vpc = vpc


@operation("ec2", "DetachInternetGateway")
def detach_internet(call: Call) -> None:
    gateway = get_internet(call, call.params["InternetGatewayId"])
    vpc = vpcs.get(call, call.params["VpcId"])
    if gateway.vpc is None or gateway.vpc.id != vpc.id:
        raise AwsError("Gateway.NotAttached", f"resource {gateway.id} is not attached to network {vpc.id}")
    if any(guards.addresses_in_vpc(call, vpc.id)):
        raise AwsError(
            "DependencyViolation",
            f"Network {vpc.id} has some mapped public address(es). Please unmap those public address(es) before "
            "detaching the gateway.",
        )
    gateway.vpc = None


@operation("ec2", "DeleteInternetGateway")
def delete_internet(call: Call) -> None:
    gateway = get_internet(call, call.params["InternetGatewayId"])
    if gateway.vpc is not None:
        raise guards.dependency("internetGateway", gateway.id)
    del call.ec2.internet_gateways[gateway.id]
    call.ec2.tags.pop(gateway.id, None)


# MARK: NAT gateways


def state_of(call: Call, gateway_id: str) -> str:
    """The state of a NAT gateway now."""
    store: Store = store_of(call.account, call.region)
    notes = store.extra.get(gateway_id, {})
    if "deleted_at" in notes:
        return "deleting" if clock.is_pending("nat", notes["deleted_at"]) else "deleted"
    if store.is_young(gateway_id, "nat"):
        return "pending"
    return "failed" if "failure" in notes else "available"


def _nat_view(call: Call, item: Params, gateway: Any) -> Params:
    notes = call.store.extra.get(gateway.id, {})
    state = state_of(call, gateway.id)
    item["State"] = state
    item["ConnectivityType"] = gateway.connectivity_type or "public"
    item["AvailabilityMode"] = "zonal"
    item.setdefault("NatGatewayAddresses", [])
    for address in item["NatGatewayAddresses"]:
        address["IsPrimary"] = True
        address["Status"] = {"pending": "associating", "deleting": "disassociating"}.get(state, "succeeded")
        if state == "pending":
            address.pop("AssociationId", None)
    if state == "failed":
        item["FailureCode"], item["FailureMessage"] = notes["failure"]
        item["DeleteTime"] = notes["deleted_time"]
    elif "deleted_time" in notes:
        item["DeleteTime"] = notes["deleted_time"]
    return item


describe(
    Listing(
        name="DescribeNatGateways",
        member="NatGateways",
        objects=lambda call: call.ec2.nat_gateways.values(),
        ids="NatGatewayIds",
        id_of="NatGatewayId",
        prefix="nat",
        kind="NatGateway",
        unknown=("NatGatewayNotFound", "The Nat Gateway {} was not found"),
        view=_nat_view,
        filter_member="Filter",
        filters={
            "nat-gateway-id": path("NatGatewayId"),
            "state": path("State"),
            "subnet-id": path("SubnetId"),
            "vpc-id": path("VpcId"),
        },
    )
)


@operation("ec2", "CreateNatGateway")
def create_nat(call: Call) -> Params:
    def make() -> Params:
        tags = tagging.of(call, "natgateway")["natgateway"]
        kind = call.params.get("ConnectivityType", "public")
        subnet = subnets.get(call, call.params["SubnetId"])
        allocation = call.params.get("AllocationId")
        failure: tuple[str, str] | None = None
        if kind == "public":
            if not allocation:
                raise AwsError(
                    "MissingParameter",
                    "The request must include the AllocationId parameter. Add the required parameter and retry the request.",
                )
            held = next((a for a in call.ec2.addresses if a.allocation_id == allocation), None)
            if held is None:
                raise AwsError("InvalidAllocationID.NotFound", f"The allocation ID '{allocation}' does not exist")
            if not is_attached(call, subnet.vpc_id):
                failure = ("Gateway.NotAttached", f"Network {subnet.vpc_id} has no Internet gateway attached")
            elif held.association_id:
                failure = ("Resource.AlreadyAssociated", f"Elastic IP address [{allocation}] is already associated")
        elif allocation:
            raise AwsError("InvalidParameterCombination", "A private NAT gateway takes no AllocationId.")
        from moto.ec2.models.nat_gateways import NatGateway

        make_gateway: Any = NatGateway
        gateway = make_gateway(call.ec2, subnet.id, None if failure else allocation, {}, kind)
        interface = gateway._eni
        address = call.params.get("PrivateIpAddress") or subnet.get_available_subnet_ip(gateway)
        interface.private_ip_address = address
        interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]
        interface.description = f"Interface for NAT Gateway {gateway.id}"
        interface.requester_managed = True
        interface.interface_type = "nat_gateway"
        interface.status = "in-use"
        interface._group_set = []
        shown = {"networkInterfaceId": interface.id, "privateIp": address}
        if allocation:
            holder = next(a for a in call.ec2.addresses if a.allocation_id == allocation)
            shown |= {"allocationId": allocation, "publicIp": holder.public_ip}
            if not failure:
                shown["associationId"] = holder.association_id
        gateway.address_set.append(shown)
        call.ec2.nat_gateways[gateway.id] = gateway
        call.store.bear(gateway.id)
        if failure:
            notes = call.store.notes(gateway.id)
            notes["failure"] = failure
            notes["deleted_time"] = datetime.now(timezone.utc)
            call.store.later("nat", lambda: _release(call, gateway))
        tagging.put(call, gateway.id, tags)
        return {"NatGateway": one(call, "DescribeNatGateways", gateway.id)} | _echo_token(call)

    return once(call, make)


def _echo_token(call: Call) -> Params:
    token = call.params.get("ClientToken")
    return {"ClientToken": token} if token else {}


@operation("ec2", "DeleteNatGateway")
def delete_nat(call: Call) -> Params:
    gateway_id = call.params["NatGatewayId"]
    gateway = call.ec2.nat_gateways.get(gateway_id)
    if gateway is None or state_of(call, gateway_id) == "deleted":
        raise AwsError("NatGatewayNotFound", f"The Nat Gateway {gateway_id} was not found")
    notes = call.store.notes(gateway_id)
    if "deleted_at" not in notes:
        notes["deleted_at"] = clock.now()
        notes["deleted_time"] = datetime.now(timezone.utc)
        call.store.later("nat", lambda: _release(call, gateway))
    return {"NatGatewayId": gateway_id}


def _release(call: Call, gateway: Any) -> None:
    """What AWS does as a NAT gateway ends: its address is free again, its interface gone."""
    interface = gateway._eni
    for address in call.ec2.addresses:
        if address.eni is interface:
            address.eni = address.instance = None
            address.association_id = None
    call.ec2.enis.pop(interface.id, None)
    for shown in gateway.address_set:
        shown.pop("associationId", None)
    if state_of(call, gateway.id) == "deleted":
        gateway.state = "deleted"
        due = clock.now() + clock.linger_seconds
        call.store.timers.append((due, lambda: call.ec2.nat_gateways.pop(gateway.id, None)))
