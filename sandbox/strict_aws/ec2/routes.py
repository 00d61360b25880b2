"""Route tables, routes and associations."""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.ec2.models.route_tables import Route
from moto.ec2.utils import random_subnet_association_id

from ..call import Call, once, operation
from ..errors import AwsError
from ..wire import Params
from . import gateways, guards, subnets, tagging, vpcs
from .listing import Listing, check_ids, describe, one, path


def get(call: Call, table_id: str) -> Any:
    """moto's route table."""
    check_ids([table_id], "rtb", "InvalidRouteTableID")
    table = call.ec2.route_tables.get(table_id)
    if table is None:
        raise AwsError("InvalidRouteTableID.NotFound", f"The routeTable ID '{table_id}' does not exist")
    return table


def _is_blackhole(call: Call, table: Any, route: Any) -> bool:
    if route.local:
        return False
    if route.gateway is not None and route.gateway.id.startswith("igw-"):
        held = call.ec2.internet_gateways.get(route.gateway.id)
        return held is None or held.vpc is None or held.vpc.id != table.vpc_id
    if route.nat_gateway is not None:
        return gateways.state_of(call, route.nat_gateway.id) not in ("pending", "available")
    if route.instance is not None:
        return bool(route.instance._state.name != "running")
    if route.interface is not None:
        return route.interface.id not in call.ec2.enis
    if route.vpc_pcx is not None:
        return bool(route.vpc_pcx._status.code != "active")
    return False


def _view(call: Call, item: Params, table: Any) -> Params:
    routes = []
    for shown, route in zip(item.get("Routes", []), table.routes, strict=True):
        shown["State"] = "blackhole" if _is_blackhole(call, table, route) else "active"
        if route.instance is not None:
            shown["InstanceOwnerId"] = call.account
        routes.append(shown)
    # The local route comes first, gateway endpoints last.
    item["Routes"] = sorted(routes, key=lambda r: ("DestinationPrefixListId" in r, r.get("GatewayId") != "local"))
    for association in item.get("Associations", []):
        young = call.store.is_young(association["RouteTableAssociationId"], "association")
        association["AssociationState"] = {"State": "associating" if young else "associated"}
    item.setdefault("PropagatingVgws", [])
    return item


describe(
    Listing(
        name="DescribeRouteTables",
        member="RouteTables",
        objects=lambda call: call.ec2.route_tables.values(),
        ids="RouteTableIds",
        id_of="RouteTableId",
        prefix="rtb",
        kind="InvalidRouteTableID",
        unknown=("InvalidRouteTableID.NotFound", "The routeTable ID '{}' does not exist"),
        view=_view,
        maximum=100,
        filters={
            "route-table-id": path("RouteTableId"),
            "vpc-id": path("VpcId"),
            "owner-id": path("OwnerId"),
            "association.gateway-id": path("Associations[].GatewayId"),
            "association.route-table-association-id": path("Associations[].RouteTableAssociationId"),
            "association.route-table-id": path("Associations[].RouteTableId"),
            "association.subnet-id": path("Associations[].SubnetId"),
            "association.main": path("Associations[].Main"),
            "route.destination-cidr-block": path("Routes[].DestinationCidrBlock"),
            "route.destination-ipv6-cidr-block": path("Routes[].DestinationIpv6CidrBlock"),
            "route.destination-prefix-list-id": path("Routes[].DestinationPrefixListId"),
            "route.egress-only-internet-gateway-id": path("Routes[].EgressOnlyInternetGatewayId"),
            "route.gateway-id": path("Routes[].GatewayId"),
            "route.instance-id": path("Routes[].InstanceId"),
            "route.nat-gateway-id": path("Routes[].NatGatewayId"),
            "route.transit-gateway-id": path("Routes[].TransitGatewayId"),
            "route.origin": path("Routes[].Origin"),
            "route.state": path("Routes[].State"),
            "route.vpc-peering-connection-id": path("Routes[].VpcPeeringConnectionId"),
        },
    )
)


@operation("ec2", "CreateRouteTable")
def create(call: Call) -> Params:
    def make() -> Params:
        tags = tagging.of(call, "route-table")["route-table"]
        vpc = vpcs.get(call, call.params["VpcId"])
        table = call.ec2.create_route_table(vpc.id)
        tagging.put(call, table.id, tags)
        token = call.params.get("ClientToken")
        return {"RouteTable": one(call, "DescribeRouteTables", table.id)} | ({"ClientToken": token} if token else {})

    return once(call, make)


@operation("ec2", "DeleteRouteTable")
def delete(call: Call) -> None:
    table = get(call, call.params["RouteTableId"])
    if table._associations or table.main_association_id is not None:
        raise guards.dependency("routeTable", table.id)
    del call.ec2.route_tables[table.id]
    call.ec2.tags.pop(table.id, None)
    for endpoint in call.ec2.vpc_end_points.values():
        if table.id in (endpoint.route_table_ids or []):
            endpoint.route_table_ids.remove(table.id)


# MARK: routes

_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "InstanceId",
    "NetworkInterfaceId",
    "VpcPeeringConnectionId",
    "EgressOnlyInternetGatewayId",
    "TransitGatewayId",
    "CarrierGatewayId",
    "VpcEndpointId",
    "LocalGatewayId",
    "CoreNetworkArn",
    "LocalTarget",
)


def _destination(call: Call) -> tuple[str, str]:
    """The member and the normalised value of a route's destination."""
    given = [
        n for n in ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId") if n in call.params
    ]
    if len(given) != 1:
        raise AwsError(
            "InvalidParameterCombination" if given else "MissingParameter",
            "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock, destinationPrefixListId",
        )
    value = call.params[given[0]]
    if given[0] == "DestinationCidrBlock":
        return given[0], str(guards.network(value, "destinationCidrBlock"))
    if given[0] == "DestinationIpv6CidrBlock":
        try:
            return given[0], str(ipaddress.IPv6Network(value, strict=False))
        except ValueError as error:
            raise AwsError(
                "InvalidParameterValue",
                f"Value ({value}) for parameter destinationIpv6CidrBlock is invalid. This is not a valid CIDR block.",
            ) from error
    if value not in call.ec2.managed_prefix_lists:
        raise AwsError("InvalidPrefixListID.NotFound", f"The prefix list ID '{value}' does not exist")
    return given[0], value


def _find(table: Any, value: str) -> Any:
    for route in table._routes.values():
        if value in (route.destination_cidr_block, route.destination_ipv6_cidr_block, route.destination_prefix_list_id):
            return route
    return None


def _check_target(call: Call, table: Any) -> tuple[str, str]:
    given = [n for n in _TARGETS if n in call.params]
    if len(given) != 1:
        raise AwsError(
            "InvalidParameterCombination" if given else "MissingParameter",
            "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId or another target",
        )
    name, value = given[0], call.params[given[0]]
    backend = call.ec2
    if name == "GatewayId":
        if value.startswith("igw-"):
            gateway = backend.internet_gateways.get(value)
            if gateway is None:
                raise AwsError("InvalidGatewayID.NotFound", f"The gateway ID '{value}' does not exist")
            if gateway.vpc is None or gateway.vpc.id != table.vpc_id:
                raise AwsError(
                    "InvalidParameterValue",
                    f"route table {table.id} and network gateway {value} belong to different networks",
                )
        elif value.startswith("vpce-"):
            raise AwsError(
                "InvalidParameterValue",
                f"Cannot create a route to the gateway endpoint {value}; modify the endpoint's route tables instead.",
            )
        elif value != "local" and value not in backend.vpn_gateways:
            raise AwsError("InvalidGatewayID.NotFound", f"The gateway ID '{value}' does not exist")
    elif name == "NatGatewayId":
        nat = backend.nat_gateways.get(value)
        if nat is None or gateways.state_of(call, value) not in ("pending", "available"):
            raise AwsError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{value}' does not exist")
        if nat.vpc_id != table.vpc_id:
            raise AwsError(
                "InvalidParameterValue", f"route table {table.id} and NAT gateway {value} belong to different networks"
            )
    elif name == "NetworkInterfaceId" and value not in backend.enis:
        raise AwsError("InvalidNetworkInterfaceID.NotFound", f"The networkInterface ID '{value}' does not exist")
    elif name == "VpcPeeringConnectionId" and value not in backend.vpc_pcxs:
        raise AwsError(
            "InvalidVpcPeeringConnectionID.NotFound", f"The vpcPeeringConnection ID '{value}' does not exist"
        )
    elif name == "TransitGatewayId" and value not in backend.transit_gateways:
        raise AwsError("InvalidTransitGatewayID.NotFound", f"The transitGateway ID '{value}' does not exist")
    elif name == "InstanceId":
        from .instances import get as get_instance

        get_instance(call, value)
    return name, value


@operation("ec2", "CreateRoute")
def create_route(call: Call) -> Params:
    table = get(call, call.params["RouteTableId"])
    name, destination = _destination(call)
    _check_target(call, table)
    present = _find(table, destination)
    if present is not None:
        if present.local:
            raise AwsError(
                "InvalidParameterValue",
                f"The destination CIDR block {destination} is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.",
            )
        raise AwsError("RouteAlreadyExists", f"The route identified by {destination} already exists.")
    if sum(not r.local for r in table._routes.values()) >= 500:
        raise AwsError("RouteLimitExceeded", "The maximum number of routes has been reached.")
    return call.moto(call.params | {name: destination})


@operation("ec2", "ReplaceRoute")
def replace_route(call: Call) -> None:
    table = get(call, call.params["RouteTableId"])
    name, destination = _destination(call)
    _check_target(call, table)
    present = _find(table, destination)
    if present is None:
        raise AwsError(
            "InvalidParameterValue",
            f"There is no route defined for '{destination}' in the route table. Use CreateRoute instead.",
        )
    if present.local:
        raise AwsError("InvalidParameterValue", f"The route identified by {destination} is the local route.")
    del table._routes[present.id]
    params = {k: v for k, v in call.params.items() if k != "LocalTarget"}
    call.sibling("CreateRoute").moto(params | {name: destination})


@operation("ec2", "DeleteRoute")
def delete_route(call: Call) -> None:
    table = get(call, call.params["RouteTableId"])
    _, destination = _destination(call)
    present = _find(table, destination)
    if present is None:
        raise AwsError(
            "InvalidRoute.NotFound", f"no route with destination-cidr-block {destination} in route table {table.id}"
        )
    if present.local:
        raise AwsError("InvalidParameterValue", f"cannot remove local route {destination} in route table {table.id}")
    if present.gateway is not None and present.gateway.id.startswith("vpce-"):
        raise AwsError(
            "InvalidParameterValue", f"cannot remove VPC endpoint route {destination} in route table {table.id}"
        )
    del table._routes[present.id]


def add_endpoint_route(table: Any, prefix_list: Any, endpoint: Any) -> None:
    """The route of a gateway endpoint, which carries the endpoint's own id."""
    if _find(table, prefix_list.id) is not None:
        raise AwsError(
            "RouteAlreadyExists",
            f"route table {table.id} already has a route with destination-prefix-list-id {prefix_list.id}",
        )
    make_route: Any = Route
    route = make_route(table, None, None, prefix_list, gateway=endpoint)
    table._routes[route.id] = route


def remove_endpoint_route(table: Any, endpoint: Any) -> None:
    """Takes the route of a gateway endpoint away."""
    for key in [k for k, r in table._routes.items() if r.gateway is endpoint]:
        del table._routes[key]


# MARK: associations


@operation("ec2", "AssociateRouteTable")
def associate(call: Call) -> Params:
    table = get(call, call.params["RouteTableId"])
    if "SubnetId" in call.params:
        subnet = subnets.get(call, call.params["SubnetId"])
        target = subnet.id
        if subnet.vpc_id != table.vpc_id:
            raise AwsError(
                "InvalidParameterValue", f"Route table {table.id} and network {subnet.id} belong to different networks"
            )
    elif "GatewayId" in call.params:
        target = gateways.get_internet(call, call.params["GatewayId"]).id
    else:
        raise AwsError("MissingParameter", "The request must contain the parameter subnetId or gatewayId")
    for other in call.ec2.route_tables.values():
        for association, held in other._associations.items():
            if held != target:
                continue
            if other is table:
                return {"AssociationId": association, "AssociationState": {"State": "associated"}}
            raise AwsError(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {table.id} conflicts with an existing association",
            )
    association = random_subnet_association_id()
    table._associations[association] = target
    call.store.bear(association)
    return {"AssociationId": association, "AssociationState": {"State": "associating"}}


def _holder(call: Call, association: str) -> Any:
    for table in call.ec2.route_tables.values():
        if association == table.main_association_id or association in table._associations:
            return table
    raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{association}' does not exist")


@operation("ec2", "DisassociateRouteTable")
def disassociate(call: Call) -> None:
    association = call.params["AssociationId"]
    table = _holder(call, association)
    if association == table.main_association_id:
        raise AwsError("InvalidParameterValue", f"cannot disassociate the main route table association {association}")
    del table._associations[association]


@operation("ec2", "ReplaceRouteTableAssociation")
def replace_association(call: Call) -> Params:
    association = call.params["AssociationId"]
    wanted = get(call, call.params["RouteTableId"])
    table = _holder(call, association)
    if wanted.vpc_id != table.vpc_id:
        raise AwsError(
            "InvalidParameterValue",
            f"Route table {wanted.id} and association {association} belong to different networks",
        )
    made = random_subnet_association_id()
    if association == table.main_association_id:
        table.main_association_id = None
        wanted.main_association_id = made
    else:
        wanted._associations[made] = table._associations.pop(association)
    call.store.bear(made)
    return {"NewAssociationId": made, "AssociationState": {"State": "associating"}}
