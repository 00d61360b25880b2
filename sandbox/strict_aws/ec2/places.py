"""Listings that a planner looks things up in: zones, snapshots, prefix lists, peerings, egress-only gateways."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

from ..call import Call, operation
from ..errors import AwsError
from ..wire import Params
from . import tagging
from .listing import Listing, describe, path, read_filters, select


@operation("ec2", "DescribeAvailabilityZones")
def zones(call: Call) -> Params:
    held = RegionsAndZonesBackend.zones.get(call.region, [])
    items = [
        {
            "ZoneName": z.name,
            "ZoneId": z.zone_id,
            "RegionName": call.region,
            "State": "available",
            "OptInStatus": "opt-in-not-required",
            "ZoneType": "availability-zone",
            "GroupName": f"{call.region}-zg-1",
            "NetworkBorderGroup": call.region,
            "Messages": [],
        }
        for z in held
    ]
    for parameter, member in (("ZoneNames", "ZoneName"), ("ZoneIds", "ZoneId")):
        wanted = call.params.get(parameter)
        if not wanted:
            continue
        absent = set(wanted) - {i[member] for i in items}
        if absent:
            raise AwsError("InvalidParameterValue", f"Invalid availability zone: [{sorted(absent)[0]}]")
        items = [i for i in items if i[member] in wanted]
    known = {
        "group-name": path("GroupName"),
        "opt-in-status": path("OptInStatus"),
        "region-name": path("RegionName"),
        "state": path("State"),
        "zone-id": path("ZoneId"),
        "zone-name": path("ZoneName"),
        "zone-type": path("ZoneType"),
    }
    return {"AvailabilityZones": select(items, read_filters(call.params), known)}


def _prefix_lists(call: Call) -> list[Any]:
    return [p for p in call.ec2.managed_prefix_lists.values() if p.state != "delete-complete"]


def _aws_lists(call: Call) -> list[Any]:
    return [p for p in _prefix_lists(call) if p.prefix_list_name.startswith("com.amazonaws.")]


for _name, _objects, _filters in (
    (
        "DescribeManagedPrefixLists",
        _prefix_lists,
        {
            "owner-id": path("OwnerId"),
            "prefix-list-id": path("PrefixListId"),
            "prefix-list-name": path("PrefixListName"),
        },
    ),
    (
        "DescribePrefixLists",
        _aws_lists,
        {"prefix-list-id": path("PrefixListId"), "prefix-list-name": path("PrefixListName")},
    ),
):
    describe(
        Listing(
            name=_name,
            member="PrefixLists",
            objects=_objects,
            ids="PrefixListIds",
            id_of="PrefixListId",
            prefix="pl",
            kind="InvalidPrefixListID",
            unknown=("InvalidPrefixListID.NotFound", "The prefix list ID '{}' does not exist"),
            filters=_filters,
            maximum=100 if _name == "DescribeManagedPrefixLists" else 1000,
        )
    )


def _peering_view(call: Call, item: Params, peering: Any) -> Params:
    item["Tags"] = tagging.listed(call, peering.id)
    return item


describe(
    Listing(
        name="DescribeVpcPeeringConnections",
        member="VpcPeeringConnections",
        objects=lambda call: call.ec2.vpc_pcxs.values(),
        ids="VpcPeeringConnectionIds",
        id_of="VpcPeeringConnectionId",
        prefix="pcx",
        kind="InvalidVpcPeeringConnectionID",
        unknown=("InvalidVpcPeeringConnectionID.NotFound", "The vpcPeeringConnection ID '{}' does not exist"),
        view=_peering_view,
        filters={
            "accepter-vpc-info.cidr-block": path("AccepterVpcInfo.CidrBlock"),
            "accepter-vpc-info.owner-id": path("AccepterVpcInfo.OwnerId"),
            "accepter-vpc-info.vpc-id": path("AccepterVpcInfo.VpcId"),
            "requester-vpc-info.cidr-block": path("RequesterVpcInfo.CidrBlock"),
            "requester-vpc-info.owner-id": path("RequesterVpcInfo.OwnerId"),
            "requester-vpc-info.vpc-id": path("RequesterVpcInfo.VpcId"),
            "status-code": path("Status.Code"),
            "status-message": path("Status.Message"),
            "vpc-peering-connection-id": path("VpcPeeringConnectionId"),
        },
    )
)


def _snapshot_view(call: Call, item: Params, snapshot: Any) -> Params | None:
    owners = call.params.get("OwnerIds") or []
    if owners and not any(
        o == snapshot.owner_id or (o == "self" and snapshot.owner_id == call.account) for o in owners
    ):
        return None
    item["Tags"] = tagging.listed(call, snapshot.id)
    return item


describe(
    Listing(
        name="DescribeSnapshots",
        member="Snapshots",
        objects=lambda call: call.ec2.snapshots.values(),
        ids="SnapshotIds",
        id_of="SnapshotId",
        prefix="snap",
        kind="InvalidSnapshotID",
        unknown=("InvalidSnapshot.NotFound", "The snapshot '{}' does not exist."),
        view=_snapshot_view,
        filters={
            "description": path("Description"),
            "encrypted": path("Encrypted"),
            "owner-id": path("OwnerId"),
            "snapshot-id": path("SnapshotId"),
            "start-time": path("StartTime"),
            "status": path("State"),
            "volume-id": path("VolumeId"),
            "volume-size": path("VolumeSize"),
        },
    )
)


@operation("ec2", "DeleteSnapshot")
def delete_snapshot(call: Call) -> Params:
    held = call.params["SnapshotId"]
    for image in call.ec2.amis.values():
        if image.ebs_snapshot.id == held:
            raise AwsError("InvalidSnapshot.InUse", f"The snapshot {held} is currently in use by {image.id}")
    return call.moto()


describe(
    Listing(
        name="DescribeEgressOnlyInternetGateways",
        member="EgressOnlyInternetGateways",
        objects=lambda call: call.ec2.egress_only_internet_gateways.values(),
        ids="EgressOnlyInternetGatewayIds",
        id_of="EgressOnlyInternetGatewayId",
        prefix="eigw",
        kind="InvalidEgressOnlyInternetGatewayId",
        unknown=("InvalidGatewayID.NotFound", "The egressOnlyInternetGateway ID '{}' does not exist"),
        maximum=255,
        filters={},
    )
)
