"""Network interfaces."""

from __future__ import annotations

from typing import Any

from ..call import Call, once, operation
from ..errors import AwsError
from ..wire import Params
from . import guards, security_groups, subnets, tagging
from .listing import Listing, check_ids, describe, one, path


def get(call: Call, interface_id: str) -> Any:
    """moto's interface."""
    check_ids([interface_id], "eni", "InvalidNetworkInterfaceId")
    held = call.ec2.enis.get(interface_id)
    if held is None:
        raise AwsError("InvalidNetworkInterfaceID.NotFound", f"The networkInterface ID '{interface_id}' does not exist")
    return held


def _view(call: Call, item: Params, interface: Any) -> Params:
    item["TagSet"] = tagging.listed(call, interface.id)
    item["Groups"] = [
        {"GroupId": g.id, "GroupName": g.name} for g in sorted(interface.group_set, key=lambda g: str(g.id))
    ]
    if not interface.public_ip:
        item.pop("Association", None)
    item["AvailabilityZoneId"] = interface.subnet.availability_zone_id
    if not interface.requester_managed:
        item.pop("RequesterId", None)
    return item


describe(
    Listing(
        name="DescribeNetworkInterfaces",
        member="NetworkInterfaces",
        objects=lambda call: call.ec2.enis.values(),
        ids="NetworkInterfaceIds",
        id_of="NetworkInterfaceId",
        prefix="eni",
        kind="InvalidNetworkInterfaceId",
        unknown=("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '{}' does not exist"),
        view=_view,
        refuses_ids_with_pages=True,
        tag_member="TagSet",
        filters={
            "addresses.association.public-ip": path("Association.PublicIp"),
            "addresses.primary": path("PrivateIpAddresses[].Primary"),
            "addresses.private-ip-address": path("PrivateIpAddresses[].PrivateIpAddress"),
            "association.allocation-id": path("Association.AllocationId"),
            "association.association-id": path("Association.AssociationId"),
            "association.ip-owner-id": path("Association.IpOwnerId"),
            "association.public-ip": path("Association.PublicIp"),
            "attachment.attachment-id": path("Attachment.AttachmentId"),
            "attachment.delete-on-termination": path("Attachment.DeleteOnTermination"),
            "attachment.device-index": path("Attachment.DeviceIndex"),
            "attachment.instance-id": path("Attachment.InstanceId"),
            "attachment.instance-owner-id": path("Attachment.InstanceOwnerId"),
            "attachment.status": path("Attachment.Status"),
            "availability-zone": path("AvailabilityZone"),
            "availability-zone-id": path("AvailabilityZoneId"),
            "description": path("Description"),
            "group-id": path("Groups[].GroupId"),
            "group-name": path("Groups[].GroupName"),
            "interface-type": path("InterfaceType"),
            "mac-address": path("MacAddress"),
            "network-interface-id": path("NetworkInterfaceId"),
            "owner-id": path("OwnerId"),
            "private-dns-name": path("PrivateDnsName"),
            "private-ip-address": path("PrivateIpAddress"),
            "requester-id": path("RequesterId"),
            "requester-managed": path("RequesterManaged"),
            "source-dest-check": path("SourceDestCheck"),
            "status": path("Status"),
            "subnet-id": path("SubnetId"),
            "vpc-id": path("VpcId"),
        },
    )
)


@operation("ec2", "CreateNetworkInterface")
def create(call: Call) -> Params:
    def make() -> Params:
        tags = tagging.of(call, "network-interface")["network-interface"]
        subnet = subnets.get(call, call.params["SubnetId"])
        groups = [security_groups.get(call, g) for g in call.params.get("Groups", [])]
        for group in groups:
            if group.vpc_id != subnet.vpc_id:
                raise AwsError(
                    "InvalidGroup.NotFound", f"The security group '{group.id}' is not in VPC '{subnet.vpc_id}'"
                )
        groups = groups or [g for g in guards.groups_of(call, subnet.vpc_id) if g.name == "default"]
        address = call.params.get("PrivateIpAddress")
        if address is None:
            address = subnet.get_available_subnet_ip(None)
        else:
            from .launches import check_private

            check_private(subnet, address, 1)
            subnet.request_ip(address, None)
        held = call.ec2.create_network_interface(
            subnet, address, group_ids=[g.id for g in groups], description=call.params.get("Description")
        )
        tagging.put(call, held.id, tags)
        return {"NetworkInterface": one(call, "DescribeNetworkInterfaces", held.id)}

    return once(call, make)


@operation("ec2", "DeleteNetworkInterface")
def delete(call: Call) -> None:
    held = get(call, call.params["NetworkInterfaceId"])
    if held.instance is not None or held.status == "in-use":
        raise AwsError("InvalidNetworkInterface.InUse", f"Network interface '{held.id}' is currently in use.")
    for address in call.ec2.addresses:
        if address.eni is held:
            address.eni = address.instance = None
            address.association_id = None
    held.delete()
    call.ec2.tags.pop(held.id, None)
