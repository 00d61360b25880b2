"""VPC endpoints."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from .. import clock
from ..call import Call, once, operation
from ..errors import AwsError
from ..wire import Params
from . import routes, subnets, tagging, vpcs
from .listing import Listing, describe, one, path


def get(call: Call, endpoint_id: str) -> Any:
    """moto's endpoint."""
    endpoint = call.ec2.vpc_end_points.get(endpoint_id)
    if endpoint is None or endpoint.state == "deleted":
        raise AwsError("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{endpoint_id}' does not exist")
    return endpoint


def _view(call: Call, item: Params, endpoint: Any) -> Params | None:
    if endpoint.state == "deleted":
        return None
    notes = call.store.extra.get(endpoint.id, {})
    if "deleted_at" in notes:
        item["State"] = "deleting"
    elif call.store.is_young(endpoint.id, "endpoint"):
        item["State"] = "pending"
    else:
        item["State"] = "available"
    item["Tags"] = tagging.listed(call, endpoint.id)
    item["RequesterManaged"] = False
    item["IpAddressType"] = notes.get("ip_type", "ipv4")
    item["OwnerId"] = call.account
    if endpoint.vpc_endpoint_type == "Gateway":
        item["PrivateDnsEnabled"] = False
    for empty in ("RouteTableIds", "SubnetIds", "Groups", "NetworkInterfaceIds", "DnsEntries"):
        item.setdefault(empty, [])
    return item


describe(
    Listing(
        name="DescribeVpcEndpoints",
        member="VpcEndpoints",
        objects=lambda call: call.ec2.vpc_end_points.values(),
        ids="VpcEndpointIds",
        id_of="VpcEndpointId",
        prefix="vpce",
        kind="InvalidVpcEndpointId",
        unknown=("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '{}' does not exist"),
        view=_view,
        filters={
            "vpc-endpoint-id": path("VpcEndpointId"),
            "vpc-endpoint-type": path("VpcEndpointType"),
            "vpc-endpoint-state": path("State"),
            "vpc-id": path("VpcId"),
            "service-name": path("ServiceName"),
            "ip-address-type": path("IpAddressType"),
        },
    )
)


def _prefix_list(call: Call, service: str) -> Any:
    for held in call.ec2.managed_prefix_lists.values():
        if held.prefix_list_name == service:
            return held
    return None


@operation("ec2", "CreateVpcEndpoint")
def create(call: Call) -> Params:
    def make() -> Params:
        tags = tagging.of(call, "vpc-endpoint")["vpc-endpoint"]
        params = {k: v for k, v in call.params.items() if k != "TagSpecifications"}
        vpc = vpcs.get(call, params["VpcId"])
        kind = params.get("VpcEndpointType", "Gateway")
        service = params.get("ServiceName", "")
        prefix = f"com.amazonaws.{call.region}."
        if not service.startswith((prefix, "com.amazonaws.vpce.", "aws.")):
            raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist")
        policy = params.get("PolicyDocument")
        if policy is not None:
            _check_policy(policy)
        tables = []
        prefix_list = None
        if kind == "Gateway":
            if service not in (f"{prefix}s3", f"{prefix}dynamodb"):
                raise AwsError(
                    "InvalidParameter",
                    f"Endpoint type (Gateway) does not match available service types ([Interface]) for {service}.",
                )
            if params.get("SubnetIds") or params.get("SecurityGroupIds"):
                raise AwsError(
                    "InvalidParameter", "Subnets and security groups can be given for interface endpoints only."
                )
            prefix_list = _prefix_list(call, service)
            tables = [routes.get(call, t) for t in params.get("RouteTableIds", [])]
            for table in tables:
                if table.vpc_id != vpc.id:
                    raise AwsError("InvalidParameter", f"Route table {table.id} does not belong to VPC {vpc.id}.")
                if routes._find(table, prefix_list.id) is not None:
                    raise AwsError(
                        "RouteAlreadyExists",
                        f"route table {table.id} already has a route with destination-prefix-list-id {prefix_list.id}",
                    )
        else:
            if params.get("RouteTableIds"):
                raise AwsError("InvalidParameter", "Route tables can be given for gateway endpoints only.")
            for subnet_id in params.get("SubnetIds", []):
                subnets.get(call, subnet_id)
            for group in params.get("SecurityGroupIds", []):
                one(call, "DescribeSecurityGroups", group)
        # moto makes the endpoint without tables; the routes are ours, so that they carry its id.
        wanted = list(params.pop("RouteTableIds", []))
        made = call.moto(params | {"VpcEndpointType": kind})
        endpoint_id = made["VpcEndpoint"]["VpcEndpointId"]
        endpoint = call.ec2.vpc_end_points[endpoint_id]
        endpoint.route_table_ids = wanted
        for table in tables:
            routes.add_endpoint_route(table, prefix_list, endpoint)
        call.store.bear(endpoint_id)
        if "IpAddressType" in params:
            call.store.notes(endpoint_id)["ip_type"] = params["IpAddressType"]
        tagging.put(call, endpoint_id, tags)
        token = params.get("ClientToken")
        return {"VpcEndpoint": one(call, "DescribeVpcEndpoints", endpoint_id)} | (
            {"ClientToken": token} if token else {}
        )

    return once(call, make)


def _check_policy(policy: str) -> None:
    try:
        json.loads(policy)
    except ValueError as error:
        raise AwsError("InvalidPolicyDocument", "The policy document is not valid JSON.") from error


@operation("ec2", "ModifyVpcEndpoint")
def modify(call: Call) -> Params:
    params = call.params
    endpoint = get(call, params["VpcEndpointId"])
    if "PolicyDocument" in params:
        _check_policy(params["PolicyDocument"])
    is_gateway = endpoint.vpc_endpoint_type == "Gateway"
    if not is_gateway and (params.get("AddRouteTableIds") or params.get("RemoveRouteTableIds")):
        raise AwsError("InvalidParameter", "Route tables can be given for gateway endpoints only.")
    prefix_list = _prefix_list(call, endpoint.service_name)
    adding = [routes.get(call, t) for t in params.get("AddRouteTableIds", []) if t not in endpoint.route_table_ids]
    for table in adding:
        if routes._find(table, prefix_list.id) is not None:
            raise AwsError(
                "RouteAlreadyExists",
                f"route table {table.id} already has a route with destination-prefix-list-id {prefix_list.id}",
            )
    for table_id in params.get("RemoveRouteTableIds", []):
        table = routes.get(call, table_id)
        if table_id in endpoint.route_table_ids:
            endpoint.route_table_ids.remove(table_id)
            routes.remove_endpoint_route(table, endpoint)
    for table in adding:
        endpoint.route_table_ids.append(table.id)
        routes.add_endpoint_route(table, prefix_list, endpoint)
    if params.get("ResetPolicy"):
        endpoint.policy_document = json.dumps(endpoint.DEFAULT_POLICY)
    # moto forgets these two.
    if "PrivateDnsEnabled" in params:
        if is_gateway:
            raise AwsError("InvalidParameter", "Private DNS is for interface endpoints only.")
        endpoint.private_dns_enabled = params["PrivateDnsEnabled"]
    if "IpAddressType" in params:
        call.store.notes(endpoint.id)["ip_type"] = params["IpAddressType"]
    rest = {k: v for k, v in params.items() if not k.endswith("RouteTableIds")}
    return call.moto(rest)


@operation("ec2", "DeleteVpcEndpoints")
def delete(call: Call) -> Params:
    refused = []
    for endpoint_id in call.params["VpcEndpointIds"]:
        try:
            endpoint = get(call, endpoint_id)
        except AwsError as error:
            refused.append({"ResourceId": endpoint_id, "Error": {"Code": error.code, "Message": error.message}})
            continue
        notes = call.store.notes(endpoint_id)
        if "deleted_at" in notes:
            continue
        notes["deleted_at"] = clock.now()
        call.store.later("endpoint", partial(_end, call, endpoint))
        for table_id in list(endpoint.route_table_ids or []):
            table = call.ec2.route_tables.get(table_id)
            if table is not None:
                routes.remove_endpoint_route(table, endpoint)
    return {"Unsuccessful": refused}


def _end(call: Call, endpoint: Any) -> None:
    for interface in endpoint.network_interface_ids or []:
        call.ec2.enis.pop(interface, None)
    call.ec2.vpc_end_points.pop(endpoint.id, None)
    call.ec2.tags.pop(endpoint.id, None)
