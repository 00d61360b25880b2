"""Security groups and their rules. The rules are wholly ours: batches are atomic, as AWS's are."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule

from ..call import Call, operation
from ..errors import AwsError
from ..wire import Params
from . import guards, tagging, vpcs
from .listing import Listing, check_ids, describe, path


def _from_id(self: Any, group_id: str) -> Any:
    for groups in self.groups.values():
        if group_id in groups:
            return groups[group_id]
    return None


SecurityGroupBackend.get_security_group_from_id = _from_id  # type: ignore[method-assign]  # moto copies all groups


def get(call: Call, group_id: str) -> Any:
    """moto's group."""
    check_ids([group_id], "sg", "InvalidGroupId")
    group = call.ec2.get_security_group_from_id(group_id)
    if group is None:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
    return group


def _named(call: Call) -> Any:
    """The group that a request names by id, or by name in the default VPC."""
    if "GroupId" in call.params:
        return get(call, call.params["GroupId"])
    name = call.params.get("GroupName")
    if name is None:
        raise AwsError("MissingParameter", "The request must contain the parameter groupName or groupId")
    for group in guards.groups_of(call, call.ec2.default_vpc.id):
        if group.name == name:
            return group
    raise AwsError(
        "InvalidGroup.NotFound",
        f"The security group '{name}' does not exist in default VPC '{call.ec2.default_vpc.id}'",
    )


# MARK: how rules look


def _pair(call: Call, rule: Any) -> Params:
    held = {
        k: rule.source_group[k]
        for k in ("GroupId", "UserId", "Description", "VpcPeeringConnectionId")
        if rule.source_group.get(k)
    }
    held.setdefault("UserId", call.account)
    return held


def _permissions(call: Call, rules: list[Any]) -> list[Params]:
    """Rules grouped by protocol and ports, as in DescribeSecurityGroups."""
    out: dict[tuple[Any, Any, Any], Params] = {}
    for rule in rules:
        key = (rule.ip_protocol, rule.from_port, rule.to_port)
        if key not in out:
            shown: Params = {
                "IpProtocol": rule.ip_protocol,
                "UserIdGroupPairs": [],
                "IpRanges": [],
                "Ipv6Ranges": [],
                "PrefixListIds": [],
            }
            if rule.from_port is not None:
                shown |= {"FromPort": rule.from_port, "ToPort": rule.to_port}
            out[key] = shown
        into = out[key]
        note = {"Description": rule.ip_range["Description"]} if rule.ip_range.get("Description") else {}
        if "CidrIp" in rule.ip_range:
            into["IpRanges"].append({"CidrIp": rule.ip_range["CidrIp"]} | note)
        elif "CidrIpv6" in rule.ip_range:
            into["Ipv6Ranges"].append({"CidrIpv6": rule.ip_range["CidrIpv6"]} | note)
        elif rule.prefix_list_id:
            into["PrefixListIds"].append({"PrefixListId": rule.prefix_list_id} | note)
        else:
            into["UserIdGroupPairs"].append(_pair(call, rule))
    return list(out.values())


def _shown_group(call: Call, group: Any) -> Params:
    return {
        "GroupId": group.id,
        "GroupName": group.name,
        "Description": group.description,
        "OwnerId": call.account,
        "VpcId": group.vpc_id,
        "SecurityGroupArn": group.arn,
        "IpPermissions": _permissions(call, group.ingress_rules),
        "IpPermissionsEgress": _permissions(call, group.egress_rules),
        "Tags": tagging.listed(call, group.id),
    }


def _shown_rule(call: Call, group: Any, rule: Any, is_egress: bool) -> Params:
    shown: Params = {
        "SecurityGroupRuleId": rule.id,
        "GroupId": group.id,
        "GroupOwnerId": call.account,
        "IsEgress": is_egress,
        "IpProtocol": rule.ip_protocol,
        "FromPort": -1 if rule.from_port is None else rule.from_port,
        "ToPort": -1 if rule.to_port is None else rule.to_port,
        "Tags": tagging.listed(call, rule.id),
        "SecurityGroupRuleArn": f"arn:aws:ec2:{call.region}:{call.account}:security-group-rule/{rule.id}",
    }
    if "CidrIp" in rule.ip_range:
        shown["CidrIpv4"] = rule.ip_range["CidrIp"]
    elif "CidrIpv6" in rule.ip_range:
        shown["CidrIpv6"] = rule.ip_range["CidrIpv6"]
    elif rule.prefix_list_id:
        shown["PrefixListId"] = rule.prefix_list_id
    else:
        shown["ReferencedGroupInfo"] = {k: v for k, v in _pair(call, rule).items() if k != "Description"}
    description = rule.ip_range.get("Description") or rule.source_group.get("Description")
    if description:
        shown["Description"] = description
    return shown


def _permission_filters(prefix: str, member: str) -> dict[str, Any]:
    return {
        f"{prefix}.cidr": path(f"{member}[].IpRanges[].CidrIp"),
        f"{prefix}.ipv6-cidr": path(f"{member}[].Ipv6Ranges[].CidrIpv6"),
        f"{prefix}.from-port": path(f"{member}[].FromPort"),
        f"{prefix}.to-port": path(f"{member}[].ToPort"),
        f"{prefix}.group-id": path(f"{member}[].UserIdGroupPairs[].GroupId"),
        f"{prefix}.group-name": path(f"{member}[].UserIdGroupPairs[].GroupName"),
        f"{prefix}.prefix-list-id": path(f"{member}[].PrefixListIds[].PrefixListId"),
        f"{prefix}.protocol": path(f"{member}[].IpProtocol"),
        f"{prefix}.user-id": path(f"{member}[].UserIdGroupPairs[].UserId"),
    }


class _Groups(Listing):
    """Group names are a second way to ask."""

    def __call__(self, call: Call) -> Params:
        names = call.params.get("GroupNames")
        if names:
            held = {g.name: g.id for g in guards.groups_of(call, call.ec2.default_vpc.id)}
            absent = [n for n in names if n not in held]
            if absent:
                raise AwsError(
                    "InvalidGroup.NotFound",
                    f"The security group '{absent[0]}' does not exist in default VPC '{call.ec2.default_vpc.id}'",
                )
            params = {k: v for k, v in call.params.items() if k != "GroupNames"}
            call = call.sibling(
                call.operation, params | {"GroupIds": [*call.params.get("GroupIds", []), *(held[n] for n in names)]}
            )
        return super().__call__(call)

    def items(self, call: Call, only: set[str] | None = None) -> list[Params]:
        groups = guards.groups_of(call)
        return [_shown_group(call, g) for g in groups if only is None or g.id in only]


describe(
    _Groups(
        name="DescribeSecurityGroups",
        member="SecurityGroups",
        objects=guards.groups_of,
        ids="GroupIds",
        id_of="GroupId",
        prefix="sg",
        kind="InvalidGroupId",
        unknown=("InvalidGroup.NotFound", "The security group '{}' does not exist"),
        filters={
            "description": path("Description"),
            "group-id": path("GroupId"),
            "group-name": path("GroupName"),
            "owner-id": path("OwnerId"),
            "vpc-id": path("VpcId"),
            **_permission_filters("ip-permission", "IpPermissions"),
            **_permission_filters("egress.ip-permission", "IpPermissionsEgress"),
        },
    )
)


def _all_rules(call: Call) -> Iterator[tuple[Any, Any, bool]]:
    for group in guards.groups_of(call):
        yield from ((group, r, False) for r in group.ingress_rules)
        yield from ((group, r, True) for r in group.egress_rules)


class _Rules(Listing):
    """A filter on groups limits the walk, since it is the usual question."""

    def items(self, call: Call, only: set[str] | None = None) -> list[Params]:
        wanted: set[str] | None = None
        for given in call.params.get("Filters", []):
            values = given.get("Values", [])
            if given.get("Name") == "group-id" and not any(re.search(r"[*?]", v) for v in values):
                wanted = set(values)
        return [
            _shown_rule(call, group, rule, egress)
            for group, rule, egress in _all_rules(call)
            if (wanted is None or group.id in wanted) and (only is None or rule.id in only)
        ]


describe(
    _Rules(
        name="DescribeSecurityGroupRules",
        member="SecurityGroupRules",
        objects=_all_rules,
        ids="SecurityGroupRuleIds",
        id_of="SecurityGroupRuleId",
        prefix="sgr",
        kind="InvalidSecurityGroupRuleId",
        unknown=("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '{}' does not exist"),
        filters={"group-id": path("GroupId"), "security-group-rule-id": path("SecurityGroupRuleId")},
    )
)


# MARK: groups

_NAME = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")


@operation("ec2", "CreateSecurityGroup")
def create(call: Call) -> Params:
    tags = tagging.of(call, "security-group")["security-group"]
    name, description = call.params["GroupName"], call.params["Description"]
    for parameter, value in (("groupName", name), ("groupDescription", description)):
        if not _NAME.fullmatch(value):
            raise AwsError(
                "InvalidParameterValue",
                f"Value ({value}) for parameter {parameter} is invalid. Character sets beyond ASCII are not supported.",
            )
    if name.lower().startswith("sg-"):
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.",
        )
    if name == "default":
        raise AwsError("InvalidParameterValue", "Cannot use reserved security group name: default")
    vpc = vpcs.get(call, call.params["VpcId"]) if "VpcId" in call.params else call.ec2.default_vpc
    if any(g.name == name for g in guards.groups_of(call, vpc.id)):
        raise AwsError("InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{vpc.id}'")
    group = call.ec2.create_security_group(name, description, vpc_id=vpc.id, force=True)
    tagging.put(call, group.id, tags)
    return {"GroupId": group.id, "SecurityGroupArn": group.arn, "Tags": tagging.listed(call, group.id)}


@operation("ec2", "DeleteSecurityGroup")
def delete(call: Call) -> Params:
    group = _named(call)
    if group.name == "default":
        raise AwsError("CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted by a user')
    referenced = any(
        rule.source_group.get("GroupId") == group.id for other, rule, _ in _all_rules(call) if other is not group
    )
    if referenced or any(guards.users_of_group(call, group.id)):
        raise AwsError("DependencyViolation", f"resource {group.id} has a dependent object")
    call.ec2.groups[group.vpc_id].pop(group.id)
    for rule in [*group.ingress_rules, *group.egress_rules]:
        call.ec2.tags.pop(rule.id, None)
    call.ec2.tags.pop(group.id, None)
    return {"Return": True, "GroupId": group.id}


# MARK: rules

_KEYWORDS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
_SOURCES = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")
_DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
LIMIT = 60


def _protocol(given: Any) -> str:
    if given is None:
        raise AwsError(
            "InvalidParameterValue",
            "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.",
        )
    protocol = _KEYWORDS.get(str(given).lower(), str(given).lower())
    if protocol in ("tcp", "udp", "icmp", "icmpv6", "-1") or (protocol.isdigit() and int(protocol) <= 255):
        return protocol
    raise AwsError("InvalidParameterValue", f"Invalid value '{given}' for IP protocol. Unknown protocol.")


def _ports(protocol: str, start: int | None, end: int | None) -> tuple[int | None, int | None]:
    if protocol in ("tcp", "udp"):
        if start is None or end is None:
            raise AwsError(
                "InvalidParameterValue",
                "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
            )
        if start == -1 or end == -1 or not 0 <= start <= 65535 or not 0 <= end <= 65535:
            raise AwsError(
                "InvalidParameterValue", f"Invalid value '{start}-{end}' for portRange: must be between 0 and 65535."
            )
        if start > end:
            raise AwsError("InvalidParameterValue", f"Invalid TCP/UDP port range ({start}:{end})")
        return start, end
    if protocol in ("icmp", "icmpv6"):
        return -1 if start is None else start, -1 if end is None else end
    return None, None


def _cidr(value: str) -> str:
    try:
        return str(ipaddress.IPv4Network(value, strict=True)) if "/" in value else _bad_cidr(value)
    except ValueError:
        return _bad_cidr(value)


def _bad_cidr(value: str) -> str:
    raise AwsError("InvalidParameterValue", f"CIDR block {value} is malformed")


def _cidr6(value: str) -> str:
    try:
        return str(ipaddress.IPv6Network(value, strict=False)) if "/" in value else _bad_cidr(value)
    except ValueError:
        return _bad_cidr(value)


def _make(
    call: Call, group: Any, protocol: str, start: int | None, end: int | None, egress: bool, **source: Any
) -> Any:
    rule = SecurityGroupRule(call.ec2, "-1", group.id, None, None, None, is_egress=egress)
    rule.ip_protocol, rule.from_port, rule.to_port = protocol, start, end
    rule.ip_range = source.get("ip_range") or {}
    rule.source_group = source.get("source_group") or {}
    rule.prefix_list_id = source.get("prefix_list_id")
    return rule


def _key(rule: Any) -> tuple[Any, ...]:
    """What makes a rule the same rule; its description does not."""
    source = (
        rule.ip_range.get("CidrIp")
        or rule.ip_range.get("CidrIpv6")
        or rule.prefix_list_id
        or rule.source_group.get("GroupId")
    )
    return rule.ip_protocol, rule.from_port, rule.to_port, source


def _referenced(call: Call, pair: Params, group: Any) -> Params:
    if "GroupId" in pair:
        other = get(call, pair["GroupId"])
    else:
        name = pair.get("GroupName", "")
        other = next((g for g in guards.groups_of(call, group.vpc_id) if g.name == name), None)
        if other is None:
            raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
    if other.vpc_id != group.vpc_id and not _are_peers(call, other.vpc_id, group.vpc_id):
        raise AwsError(
            "InvalidGroup.NotFound",
            f"You have specified two resources that belong to different networks: {group.id}, {other.id}.",
        )
    held = {"GroupId": other.id, "UserId": call.account}
    if pair.get("Description"):
        held["Description"] = pair["Description"]
    return held


def _are_peers(call: Call, one_vpc: str, other_vpc: str) -> bool:
    return any(
        {p.vpc.id, p.peer_vpc.id} == {one_vpc, other_vpc} and p._status.code == "active"
        for p in call.ec2.vpc_pcxs.values()
    )


def _described(source: Params) -> Params:
    description = source.get("Description")
    if description is not None and not _DESCRIPTION.fullmatch(description):
        raise AwsError(
            "InvalidParameterValue",
            "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
        )
    return {"Description": description} if description else {}


def _requested(call: Call, group: Any, egress: bool) -> list[Any]:
    """The rules that a request spells out."""
    permissions = call.params.get("IpPermissions")
    if permissions is None:
        flat = call.params
        single: Params = {k: flat[k] for k in ("IpProtocol", "FromPort", "ToPort") if k in flat}
        if "CidrIp" in flat:
            single["IpRanges"] = [{"CidrIp": flat["CidrIp"]}]
        if "SourceSecurityGroupName" in flat:
            single["UserIdGroupPairs"] = [{"GroupName": flat["SourceSecurityGroupName"]}]
            single.setdefault("IpProtocol", "-1")
        permissions = [single] if single else []
    if not permissions:
        raise AwsError("MissingParameter", "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.")
    out = []
    for permission in permissions:
        protocol = _protocol(permission.get("IpProtocol"))
        start, end = _ports(protocol, permission.get("FromPort"), permission.get("ToPort"))
        if not any(permission.get(s) for s in _SOURCES):
            raise AwsError(
                "InvalidParameterValue",
                "The permission has no source: give IpRanges, Ipv6Ranges, PrefixListIds or UserIdGroupPairs.",
            )
        for given in permission.get("IpRanges", []):
            held = {"CidrIp": _cidr(given.get("CidrIp", ""))} | _described(given)
            out.append(_make(call, group, protocol, start, end, egress, ip_range=held))
        for given in permission.get("Ipv6Ranges", []):
            held = {"CidrIpv6": _cidr6(given.get("CidrIpv6", ""))} | _described(given)
            out.append(_make(call, group, protocol, start, end, egress, ip_range=held))
        for given in permission.get("PrefixListIds", []):
            if given.get("PrefixListId") not in call.ec2.managed_prefix_lists:
                raise AwsError(
                    "InvalidPrefixListID.NotFound", f"The prefix list ID '{given.get('PrefixListId')}' does not exist"
                )
            out.append(
                _make(
                    call,
                    group,
                    protocol,
                    start,
                    end,
                    egress,
                    ip_range=_described(given),
                    prefix_list_id=given["PrefixListId"],
                )
            )
        for given in permission.get("UserIdGroupPairs", []):
            _described(given)
            out.append(_make(call, group, protocol, start, end, egress, source_group=_referenced(call, given, group)))
    return out


def _text(rule: Any) -> str:
    source = _key(rule)[3]
    ports = "" if rule.from_port is None else f", from port: {rule.from_port}, to port: {rule.to_port}"
    protocol = "ALL" if rule.ip_protocol == "-1" else str(rule.ip_protocol).upper()
    return f'the specified rule "peer: {source}, {protocol}{ports}, ALLOW"'


def _authorize(call: Call, egress: bool) -> Params:
    tags = tagging.of(call, "security-group-rule")["security-group-rule"]
    group = _named(call)
    made = _requested(call, group, egress)
    held = group.egress_rules if egress else group.ingress_rules
    keys = {_key(r) for r in held}
    for rule in made:
        if _key(rule) in keys:
            raise AwsError("InvalidPermission.Duplicate", f"{_text(rule)} already exists")
        keys.add(_key(rule))
    if len(held) + len(made) > LIMIT:
        raise AwsError(
            "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached."
        )
    held.extend(made)
    for rule in made:
        tagging.put(call, rule.id, tags)
    return {"Return": True, "SecurityGroupRules": [_shown_rule(call, group, r, egress) for r in made]}


@operation("ec2", "AuthorizeSecurityGroupIngress")
def authorize_ingress(call: Call) -> Params:
    return _authorize(call, egress=False)


@operation("ec2", "AuthorizeSecurityGroupEgress")
def authorize_egress(call: Call) -> Params:
    return _authorize(call, egress=True)


def _revoke(call: Call, egress: bool) -> Params:
    group = _named(call)
    held = group.egress_rules if egress else group.ingress_rules
    unknown: list[Params] = []
    gone: list[Any] = []
    if "SecurityGroupRuleIds" in call.params:
        for rule_id in call.params["SecurityGroupRuleIds"]:
            found = next((r for r in held if r.id == rule_id), None)
            if found is None:
                raise AwsError(
                    "InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{rule_id}' does not exist"
                )
            gone.append(found)
    else:
        by_key = {_key(r): r for r in held}
        for wanted in _requested(call, group, egress):
            match = by_key.get(_key(wanted))
            if match is not None:
                gone.append(match)
            elif call.ec2.vpcs[group.vpc_id].is_default:
                unknown.extend(_permissions(call, [wanted]))
            else:
                raise AwsError(
                    "InvalidPermission.NotFound", "The specified rule does not exist in this security group."
                )
    for rule in gone:
        held[:] = [r for r in held if r is not rule]
        call.ec2.tags.pop(rule.id, None)
    shown = [
        {"SecurityGroupRuleId": r.id, "GroupId": group.id, "IsEgress": egress, "IpProtocol": r.ip_protocol}
        for r in gone
    ]
    return {"Return": True, "UnknownIpPermissions": unknown, "RevokedSecurityGroupRules": shown}


@operation("ec2", "RevokeSecurityGroupIngress")
def revoke_ingress(call: Call) -> Params:
    return _revoke(call, egress=False)


@operation("ec2", "RevokeSecurityGroupEgress")
def revoke_egress(call: Call) -> Params:
    return _revoke(call, egress=True)


@operation("ec2", "ModifySecurityGroupRules")
def modify(call: Call) -> Params:
    group = get(call, call.params["GroupId"])
    changes: list[tuple[Any, Any]] = []
    directions = set()
    for update in call.params["SecurityGroupRules"]:
        rule_id, wanted = update["SecurityGroupRuleId"], update.get("SecurityGroupRule") or {}
        egress = any(r.id == rule_id for r in group.egress_rules)
        rule = group.get_rule(rule_id)
        if rule is None:
            raise AwsError(
                "InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{rule_id}' does not exist"
            )
        directions.add(egress)
        sources = [s for s in ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId") if wanted.get(s)]
        if len(sources) != 1:
            code = "InvalidParameterCombination" if sources else "MissingParameter"
            raise AwsError(
                code, "Exactly one of cidrIpv4, cidrIpv6, prefixListId and referencedGroupId must be specified"
            )
        protocol = _protocol(wanted.get("IpProtocol"))
        start, end = _ports(protocol, wanted.get("FromPort"), wanted.get("ToPort"))
        note = _described(wanted)
        source = sources[0]
        if source == "CidrIpv4":
            fresh = _make(call, group, protocol, start, end, egress, ip_range={"CidrIp": _cidr(wanted[source])} | note)
        elif source == "CidrIpv6":
            fresh = _make(
                call, group, protocol, start, end, egress, ip_range={"CidrIpv6": _cidr6(wanted[source])} | note
            )
        elif source == "PrefixListId":
            if wanted[source] not in call.ec2.managed_prefix_lists:
                raise AwsError("InvalidPrefixListID.NotFound", f"The prefix list ID '{wanted[source]}' does not exist")
            fresh = _make(call, group, protocol, start, end, egress, ip_range=note, prefix_list_id=wanted[source])
        else:
            pair = _referenced(call, {"GroupId": wanted[source]} | note, group)
            fresh = _make(call, group, protocol, start, end, egress, source_group=pair)
        changes.append((rule, fresh))
    if len(directions) > 1:
        raise AwsError("InvalidParameterCombination", "All rules in one call must be of one direction.")
    held = group.egress_rules if directions == {True} else group.ingress_rules
    replaced = {id(rule): fresh for rule, fresh in changes}
    after = [_key(replaced.get(id(r), r)) for r in held]
    if len(set(after)) != len(after):
        raise AwsError("InvalidPermission.Duplicate", "the specified rule already exists")
    for rule, fresh in changes:
        rule.ip_protocol, rule.from_port, rule.to_port = fresh.ip_protocol, fresh.from_port, fresh.to_port
        rule.ip_range, rule.source_group, rule.prefix_list_id = fresh.ip_range, fresh.source_group, fresh.prefix_list_id
    return {"Return": True}


def _update_descriptions(call: Call, egress: bool) -> Params:
    group = _named(call)
    held = group.egress_rules if egress else group.ingress_rules
    if "SecurityGroupRuleDescriptions" in call.params:
        for given in call.params["SecurityGroupRuleDescriptions"]:
            rule = group.get_rule(given.get("SecurityGroupRuleId", ""))
            if rule is None:
                raise AwsError(
                    "InvalidSecurityGroupRuleId.NotFound",
                    f"The security group rule ID '{given.get('SecurityGroupRuleId')}' does not exist",
                )
            _describe_rule(rule, _described(given))
        return {"Return": True}
    for wanted in _requested(call, group, egress):
        match = next((r for r in held if _key(r) == _key(wanted)), None)
        if match is None:
            raise AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
        description = wanted.ip_range.get("Description") or wanted.source_group.get("Description")
        _describe_rule(match, {"Description": description} if description else {})
    return {"Return": True}


def _describe_rule(rule: Any, note: Params) -> None:
    into = rule.source_group if rule.source_group else rule.ip_range
    into.pop("Description", None)
    into.update(note)


@operation("ec2", "UpdateSecurityGroupRuleDescriptionsIngress")
def update_ingress_descriptions(call: Call) -> Params:
    return _update_descriptions(call, egress=False)


@operation("ec2", "UpdateSecurityGroupRuleDescriptionsEgress")
def update_egress_descriptions(call: Call) -> Params:
    return _update_descriptions(call, egress=True)


@operation("ec2", "DescribeSecurityGroupReferences")
def references(call: Call) -> Params:
    out = []
    for group_id in call.params["GroupId"]:
        get(call, group_id)
        for other, rule, _ in _all_rules(call):
            group = call.ec2.get_security_group_from_id(group_id)
            if rule.source_group.get("GroupId") == group_id and other.vpc_id != group.vpc_id:
                out.append({"GroupId": group_id, "ReferencingVpcId": other.vpc_id})
    return {"SecurityGroupReferenceSet": out}
