"""What uses what: the questions every deletion asks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from ..call import Call
from ..errors import AwsError


def dependency(what: str, identifier: str) -> AwsError:
    """The refusal of a deletion."""
    return AwsError("DependencyViolation", f"The {what} '{identifier}' has dependencies and cannot be deleted.")


def network(cidr: str, parameter: str = "CidrBlock", code: str = "InvalidParameterValue") -> ipaddress.IPv4Network:
    """An IPv4 block, host bits cut off as AWS does."""
    try:
        return ipaddress.IPv4Network(cidr, strict=False) if "/" in cidr else _refuse(cidr, parameter, code)
    except ValueError:
        return _refuse(cidr, parameter, code)


def _refuse(cidr: str, parameter: str, code: str) -> ipaddress.IPv4Network:
    raise AwsError(code, f"Value ({cidr}) for parameter {parameter} is invalid. This is not a valid CIDR block.")


def subnets_of(call: Call, vpc_id: str | None = None) -> Iterator[Any]:
    """The subnets, of one VPC or of all."""
    for zone in call.ec2.subnets.values():
        for subnet in zone.values():
            if vpc_id is None or subnet.vpc_id == vpc_id:
                yield subnet


def groups_of(call: Call, vpc_id: str | None = None) -> Iterator[Any]:
    """The security groups, of one VPC or of all."""
    if vpc_id is not None:
        yield from call.ec2.groups.get(vpc_id, {}).values()
        return
    for groups in call.ec2.groups.values():
        yield from groups.values()


def live_instances(call: Call) -> Iterator[Any]:
    """Instances that are not terminated yet."""
    from .instances import state_of

    for reservation in call.ec2.reservations.values():
        for instance in reservation.instances:
            if state_of(call, instance)[1] != "terminated":
                yield instance


def users_of_subnet(call: Call, subnet_id: str) -> Iterator[str]:
    """What holds a subnet."""
    from .gateways import state_of as nat_state

    for instance in live_instances(call):
        if instance.subnet_id == subnet_id:
            yield instance.id
    for gateway in call.ec2.nat_gateways.values():
        if gateway.subnet_id == subnet_id and nat_state(call, gateway.id) in ("pending", "available", "deleting"):
            yield gateway.id
    for interface in call.ec2.enis.values():
        if interface.subnet.id == subnet_id:
            yield interface.id
    for who, _, subnets in foreign_users(call):
        if subnet_id in subnets:
            yield who


def users_of_group(call: Call, group_id: str) -> Iterator[str]:
    """What holds a security group, other than rules."""
    for instance in live_instances(call):
        if any(g.id == group_id for g in instance.security_groups):
            yield instance.id
        for nic in instance.nics.values():
            if any(g.id == group_id for g in nic._group_set):
                yield instance.id
    for interface in call.ec2.enis.values():
        if any(g.id == group_id for g in interface.group_set):
            yield interface.id
    for endpoint in call.ec2.vpc_end_points.values():
        if endpoint.state != "deleted" and group_id in (endpoint.security_group_ids or []):
            yield endpoint.id
    for who, groups, _ in foreign_users(call):
        if group_id in groups:
            yield who


def foreign_users(call: Call) -> Iterator[tuple[str, list[str], list[str]]]:
    """Databases and caches: their name, security groups and subnets. Load balancers have interfaces."""
    from moto.rds.models import rds_backends

    from .. import elasticache

    yield from elasticache.users_of(call)
    regions = dict.get(rds_backends, call.account)
    backend = dict.get(regions, call.region) if regions is not None else None
    for name, instance in backend.databases.items() if backend is not None else ():
        groups = list(getattr(instance, "vpc_security_group_ids", None) or [])
        group = getattr(instance, "db_subnet_group", None)
        yield name, groups, [s.id for s in group._subnets] if group is not None else []


def addresses_in_vpc(call: Call, vpc_id: str) -> Iterator[str]:
    """Public addresses mapped into a VPC."""
    for interface in call.ec2.enis.values():
        if interface.subnet.vpc_id == vpc_id and interface.public_ip:
            yield interface.public_ip
    for instance in live_instances(call):
        if instance.vpc_id == vpc_id and instance.public_ip:
            yield instance.public_ip
    for address in call.ec2.addresses:
        if address.eni is not None and address.eni.subnet.vpc_id == vpc_id:
            yield address.public_ip
