"""Route 53: zones are moto's, records and changes are ours, so that batches are atomic and answers look like AWS's."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timezone
from typing import Any

from moto.moto_api._internal import mock_random

from . import clock
from .call import Call, operation
from .errors import AwsError
from .wire import Params

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_Key = tuple[str, str, str | None]


def _identifier(prefix: str) -> str:
    return prefix + "".join(mock_random.choice(_ALPHABET) for _ in range(20))


def _backend(call: Call) -> Any:
    from moto.route53.models import route53_backends

    return route53_backends[call.account]["aws"]


def wire_name(name: str) -> str:
    """A name as AWS answers it: lower case, a final dot, unusual characters as octal escapes."""
    plain = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m.group(1), 8)), name).lower()
    if not plain.endswith("."):
        plain += "."
    return "".join(c if re.match(r"[a-z0-9\-_.]", c) else f"\\{ord(c):03o}" for c in plain)


def _order(key: _Key) -> tuple[list[str], str, str]:
    """Records are listed by their labels from the right, then by type."""
    return list(reversed(key[0].rstrip(".").split("."))), key[1], key[2] or ""


# MARK: changes


def _begin_change(call: Call, comment: str | None = None) -> Params:
    change_id = _identifier("C")
    call.store.table("changes")[change_id] = {
        "since": clock.now(),
        "at": datetime.now(timezone.utc),
        "comment": comment,
    }
    return _shown_change(call, change_id)


def _shown_change(call: Call, change_id: str) -> Params:
    held = call.store.table("changes")[change_id]
    status = "PENDING" if clock.is_pending("dns", held["since"]) else "INSYNC"
    out = {"Id": f"/change/{change_id}", "Status": status, "SubmittedAt": held["at"]}
    return out | ({"Comment": held["comment"]} if held["comment"] else {})


@operation("route53", "GetChange")
def get_change(call: Call) -> Params:
    change_id = call.params["Id"].rpartition("/")[2]
    if change_id not in call.store.table("changes"):
        raise AwsError("NoSuchChange", f"A change with the ID '{change_id}' does not exist.", 404)
    return {"ChangeInfo": _shown_change(call, change_id)}


# MARK: zones


def zone_of(call: Call, zone_id: str) -> Any:
    """moto's zone, with its records as `records`."""
    zone = _backend(call).zones.get(zone_id.rpartition("/")[2])
    if zone is None:
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id.rpartition('/')[2]}", 404)
    return zone


def _shown_zone(zone: Any) -> Params:
    config: Params = {"PrivateZone": bool(zone.private_zone)}
    if zone.comment:
        config["Comment"] = zone.comment
    return {
        "Id": f"/hostedzone/{zone.resource_id}",
        "Name": zone.name,
        "CallerReference": zone.caller_reference,
        "Config": config,
        "ResourceRecordSetCount": len(zone.records),
    }


def _delegation(zone: Any) -> Params:
    return {} if zone.private_zone else {"DelegationSet": {"NameServers": zone.delegation_set.name_servers}}


def _vpcs(zone: Any) -> list[Params]:
    return [{"VPCId": v.get("vpc_id"), "VPCRegion": v.get("vpc_region")} for v in zone.vpcs]


@operation("route53", "CreateHostedZone")
def create_zone(call: Call) -> Params:
    params = call.params
    reference = params["CallerReference"]
    if not 1 <= len(reference) <= 128:
        raise AwsError("InvalidInput", "CallerReference has 1 to 128 characters.")
    if any(z.caller_reference == reference for z in _backend(call).zones.values()):
        raise AwsError(
            "HostedZoneAlreadyExists",
            "A hosted zone has already been created with the specified caller reference.",
            409,
        )
    name = wire_name(params["Name"])
    if not re.fullmatch(r"([a-z0-9_\\]([a-z0-9_\\\-]{0,61}[a-z0-9_\\])?\.)+", name) or len(name) > 256:
        raise AwsError("InvalidDomainName", f"{params['Name']} is not a valid domain name.")
    config = params.get("HostedZoneConfig") or {}
    vpc = params.get("VPC")
    if config.get("PrivateZone") and vpc is None:
        raise AwsError("InvalidVPCId", "When you're creating a private hosted zone, a VPC must be given.")
    if vpc is not None:
        _check_vpc(call, vpc)
    made = _backend(call).create_hosted_zone(
        name,
        private_zone=vpc is not None,
        caller_reference=reference,
        vpcid=vpc.get("VPCId") if vpc else None,
        vpcregion=vpc.get("VPCRegion") if vpc else None,
        comment=config.get("Comment"),
    )
    zones = _backend(call).zones
    del zones[made.resource_id]
    made.resource_id = _identifier("Z")
    zones[made.resource_id] = made
    servers = made.delegation_set.name_servers
    made.records = {
        (name, "NS", None): {
            "Name": name,
            "Type": "NS",
            "TTL": 172800,
            "ResourceRecords": [{"Value": f"{s}."} for s in servers],
        },
        (name, "SOA", None): {
            "Name": name,
            "Type": "SOA",
            "TTL": 900,
            "ResourceRecords": [{"Value": f"{servers[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"}],
        },
    }
    out = {
        "HostedZone": _shown_zone(made),
        "ChangeInfo": _begin_change(call),
        "Location": f"https://route53.amazonaws.com/2013-04-01/hostedzone/{made.resource_id}",
    } | _delegation(made)
    return out | ({"VPC": _vpcs(made)[0]} if made.vpcs else {})


def _check_vpc(call: Call, vpc: Params) -> None:
    from moto.ec2.models import ec2_backends

    region = vpc.get("VPCRegion", "us-east-1")
    try:
        known = ec2_backends[call.account][region].vpcs
    except KeyError:
        known = {}
    if vpc.get("VPCId") not in known:
        raise AwsError(
            "InvalidVPCId",
            f"The VPC {vpc.get('VPCId')} in region {region} that you provided is not authorized to make the association.",
        )


@operation("route53", "GetHostedZone")
def get_zone(call: Call) -> Params:
    zone = zone_of(call, call.params["Id"])
    out = {"HostedZone": _shown_zone(zone)} | _delegation(zone)
    return out | ({"VPCs": _vpcs(zone)} if zone.private_zone else {})


@operation("route53", "DeleteHostedZone")
def delete_zone(call: Call) -> Params:
    zone = zone_of(call, call.params["Id"])
    if any(key[0] != zone.name or key[1] not in ("NS", "SOA") for key in zone.records):
        raise AwsError(
            "HostedZoneNotEmpty",
            "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
        )
    del _backend(call).zones[zone.resource_id]
    return {"ChangeInfo": _begin_change(call)}


@operation("route53", "UpdateHostedZoneComment")
def update_comment(call: Call) -> Params:
    zone = zone_of(call, call.params["Id"])
    zone.comment = call.params.get("Comment") or None
    return {"HostedZone": _shown_zone(zone)}


@operation("route53", "AssociateVPCWithHostedZone")
def associate_vpc(call: Call) -> Params:
    zone = zone_of(call, call.params["HostedZoneId"])
    vpc = call.params["VPC"]
    if not zone.private_zone:
        raise AwsError("PublicZoneVPCAssociation", "You're trying to associate a VPC with a public hosted zone.")
    _check_vpc(call, vpc)
    if any(v["VPCId"] == vpc.get("VPCId") for v in _vpcs(zone)):
        raise AwsError(
            "ConflictingDomainExists",
            f"The VPC {vpc.get('VPCId')} is already associated with the hosted zone or one of the same name.",
        )
    zone.add_vpc(vpc.get("VPCId"), vpc.get("VPCRegion"))
    return {"ChangeInfo": _begin_change(call, call.params.get("Comment"))}


@operation("route53", "DisassociateVPCFromHostedZone")
def disassociate_vpc(call: Call) -> Params:
    zone = zone_of(call, call.params["HostedZoneId"])
    wanted = call.params["VPC"].get("VPCId")
    held = [v["VPCId"] for v in _vpcs(zone)]
    if wanted not in held:
        raise AwsError(
            "VPCAssociationNotFound", f"The VPC {wanted} is not associated with hosted zone {zone.resource_id}.", 404
        )
    if len(held) == 1:
        raise AwsError(
            "LastVPCAssociation", "The VPC that you are trying to disassociate is the last VPC of the hosted zone."
        )
    zone.delete_vpc(wanted)
    return {"ChangeInfo": _begin_change(call, call.params.get("Comment"))}


def _size(call: Call, maximum: int) -> int:
    text = call.params.get("MaxItems", str(maximum))
    if not str(text).isdigit() or int(text) < 1:
        raise AwsError("InvalidInput", f"MaxItems '{text}' is not a positive number.")
    return min(int(text), maximum)


@operation("route53", "ListHostedZones")
def list_zones(call: Call) -> Params:
    size = _size(call, 100)
    zones = sorted(_backend(call).zones.values(), key=lambda z: z.resource_id)
    kind = call.params.get("HostedZoneType")
    if kind == "PrivateHostedZone":
        zones = [z for z in zones if z.private_zone]
    marker = call.params.get("Marker")
    if marker is not None:
        if marker not in {z.resource_id for z in zones}:
            raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {marker}", 404)
        zones = [z for z in zones if z.resource_id >= marker]
    out: Params = {
        "HostedZones": [_shown_zone(z) for z in zones[:size]],
        "MaxItems": str(size),
        "IsTruncated": len(zones) > size,
    }
    if marker is not None:
        out["Marker"] = marker
    if len(zones) > size:
        out["NextMarker"] = zones[size].resource_id
    return out


@operation("route53", "ListHostedZonesByName")
def list_zones_by_name(call: Call) -> Params:
    size = _size(call, 100)
    start, start_id = call.params.get("DNSName"), call.params.get("HostedZoneId")

    def place(zone: Any) -> tuple[list[str], str]:
        return _order((zone.name, "", None))[0], zone.resource_id

    zones = sorted(_backend(call).zones.values(), key=place)
    out: Params = {"MaxItems": str(size)}
    if start is not None:
        first = (_order((wire_name(start), "", None))[0], start_id or "")
        zones = [z for z in zones if place(z) >= first]
        out["DNSName"] = start
        if start_id:
            out["HostedZoneId"] = start_id
    out |= {"HostedZones": [_shown_zone(z) for z in zones[:size]], "IsTruncated": len(zones) > size}
    if len(zones) > size:
        out |= {"NextDNSName": zones[size].name, "NextHostedZoneId": zones[size].resource_id}
    return out


@operation("route53", "ListHostedZonesByVPC")
def list_zones_by_vpc(call: Call) -> Params:
    found = [z for z in _backend(call).zones.values() if any(v["VPCId"] == call.params["VPCId"] for v in _vpcs(z))]
    shown = [{"HostedZoneId": z.resource_id, "Name": z.name, "Owner": {"OwningAccount": call.account}} for z in found]
    return {"HostedZoneSummaries": shown, "MaxItems": str(_size(call, 100))}


# MARK: records


@operation("route53", "ListResourceRecordSets")
def list_records(call: Call) -> Params:
    params = call.params
    zone = zone_of(call, params["HostedZoneId"])
    size = _size(call, 300)
    name, kind, identifier = (
        params.get("StartRecordName"),
        params.get("StartRecordType"),
        params.get("StartRecordIdentifier"),
    )
    if kind and not name:
        raise AwsError("InvalidInput", "StartRecordType needs StartRecordName.")
    if identifier and not (kind and name):
        raise AwsError("InvalidInput", "StartRecordIdentifier needs StartRecordName and StartRecordType.")
    keys = sorted(zone.records, key=_order)
    if name:
        first = _order((wire_name(name), kind or "", identifier))
        keys = [k for k in keys if _order(k) >= first]
    out: Params = {
        "ResourceRecordSets": [zone.records[k] for k in keys[:size]],
        "IsTruncated": len(keys) > size,
        "MaxItems": str(size),
    }
    if len(keys) > size:
        following = keys[size]
        out |= {"NextRecordName": following[0], "NextRecordType": following[1]}
        if following[2] is not None:
            out["NextRecordIdentifier"] = following[2]
    return out


_POLICIES = (
    "Weight",
    "Region",
    "GeoLocation",
    "Failover",
    "MultiValueAnswer",
    "CidrRoutingConfig",
    "GeoProximityLocation",
)


def _normalised(change: Params) -> Params:
    """A record as it is kept; what cannot be a record is InvalidInput."""
    given = change["ResourceRecordSet"]
    label = f"Change with [Action={change['Action']}, Name={given['Name']}, Type={given['Type']}, SetIdentifier={given.get('SetIdentifier')}]"
    record = {k: v for k, v in given.items() if k != "ResourceRecords"}
    record["Name"] = wire_name(given["Name"])
    values = [dict(v) for v in given.get("ResourceRecords") or []]
    alias = given.get("AliasTarget")
    if alias is not None and (values or "TTL" in given):
        raise AwsError(
            "InvalidInput",
            f"Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found more than one in {label}",
        )
    if alias is None and not (values and "TTL" in given):
        raise AwsError(
            "InvalidInput",
            f"Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in {label}",
        )
    if alias is not None:
        absent = [m for m in ("HostedZoneId", "DNSName", "EvaluateTargetHealth") if m not in alias]
        if absent:
            raise AwsError("InvalidInput", f"Invalid request: Missing field '{absent[0]}' in {label}")
        record["AliasTarget"] = dict(alias) | {"DNSName": wire_name(alias["DNSName"])}
    else:
        if not 0 <= given["TTL"] <= 2147483647:
            raise AwsError("InvalidInput", f"Invalid TTL {given['TTL']} in {label}")
        record["ResourceRecords"] = values
    routed = [p for p in _POLICIES if p in given]
    if bool(routed) != ("SetIdentifier" in given):
        raise AwsError("InvalidInput", f"Invalid request: SetIdentifier and a routing policy go together in {label}")
    return record


_DOMAIN = re.compile(
    r"([a-zA-Z0-9_\\*]([a-zA-Z0-9_\\\-]{0,61}[a-zA-Z0-9_\\])?\.)*[a-zA-Z0-9_\\]([a-zA-Z0-9_\\\-]{0,61}[a-zA-Z0-9_\\])?\.?"
)


def _bad_value(kind: str, value: str) -> str | None:
    """What AWS says of a value that does not suit its type."""
    match kind:
        case "A":
            try:
                ipaddress.IPv4Address(value)
            except ValueError:
                return f"Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '{value}''"
        case "AAAA":
            try:
                ipaddress.IPv6Address(value)
            except ValueError:
                return f"Invalid Resource Record: 'FATAL problem: AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address) encountered with '{value}''"
        case "TXT" | "SPF":
            if not re.fullmatch(r'("([^"\\]|\\.)*")(\s+"([^"\\]|\\.)*")*', value):
                return f"Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks) encountered with '{value}''"
            if any(len(part) > 255 for part in re.findall(r'"((?:[^"\\]|\\.)*)"', value)):
                return f"Invalid Resource Record: 'FATAL problem: CharacterStringTooLong (Value is too long) encountered with '{value}''"
        case "CNAME" | "NS" | "PTR":
            if not _DOMAIN.fullmatch(value):
                return f"Invalid Resource Record: 'FATAL problem: DomainLabelTooLong or illegal (Value is not a valid domain name) encountered with '{value}''"
        case "MX":
            if not re.fullmatch(r"\d{1,5}\s+\S+", value):
                return f"Invalid Resource Record: 'FATAL problem: MXRRDATAIncorrectFormat (Value must be a preference and a host) encountered with '{value}''"
        case "SRV":
            if not re.fullmatch(r"\d{1,5}\s+\d{1,5}\s+\d{1,5}\s+\S+", value):
                return f"Invalid Resource Record: 'FATAL problem: SRVRRDATAIncorrectFormat (Value must be priority, weight, port and host) encountered with '{value}''"
    return None


def _label(record: Params) -> str:
    identifier = f", set identifier='{record['SetIdentifier']}'" if "SetIdentifier" in record else ""
    return f"[name='{record['Name']}', type='{record['Type']}'{identifier}]"


def _same(one: Params, other: Params) -> bool:
    def essence(record: Params) -> Params:
        kept = {k: v for k, v in record.items() if k != "ResourceRecords"}
        kept["values"] = sorted(v.get("Value", "") for v in record.get("ResourceRecords", []))
        return kept

    return essence(one) == essence(other)


def _apply(zone: Any, records: dict[_Key, Params], action: str, record: Params) -> list[str]:
    """Does one change to the records; gives what is wrong with it."""
    name, kind = record["Name"], record["Type"]
    key: _Key = (name, kind, record.get("SetIdentifier"))
    held = records.get(key)
    if name != zone.name and not name.endswith("." + zone.name):
        return [f"RRSet with DNS name {name} is not permitted in zone {zone.name}"]
    if action == "DELETE":
        if held is None:
            return [f"Tried to delete resource record set {_label(record)} but it was not found"]
        if not _same(held, record):
            return [
                f"Tried to delete resource record set {_label(record)} but the values provided do not match the current values"
            ]
        if name == zone.name and kind == "SOA":
            return ["A HostedZone must contain exactly one SOA record."]
        if name == zone.name and kind == "NS":
            return ["A HostedZone must contain at least one NS record for the zone itself."]
        del records[key]
        return []
    if action == "CREATE" and held is not None:
        return [f"Tried to create resource record set {_label(record)} but it already exists"]
    problems = []
    values = [v.get("Value", "") for v in record.get("ResourceRecords", [])]
    problems += [text for text in (_bad_value(kind, v) for v in values) if text]
    for value in {v for v in values if values.count(v) > 1}:
        problems.append(f"Duplicate Resource Record: '{value}'")
    if kind == "CNAME":
        if name == zone.name:
            problems.append(f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone.name}")
        if len(values) > 1:
            problems.append(f"RRSet of type CNAME with DNS name {name} has more than one value")
    if problems:
        return problems
    records[key] = record
    return []


def _conflicts(zone: Any, records: dict[_Key, Params], touched: set[str]) -> list[str]:
    """What may not stand side by side once all changes are done."""
    by_name: dict[str, list[_Key]] = {}
    for key in records:
        if key[0] in touched:
            by_name.setdefault(key[0], []).append(key)
    problems = []
    for name, keys in by_name.items():
        kinds = {k[1] for k in keys}
        if "CNAME" in kinds and len(kinds) > 1:
            other = sorted(kinds - {"CNAME"})[0]
            problems.append(
                f"RRSet of type {other} with DNS name {name} is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone {zone.name}"
            )
        for kind in kinds:
            identifiers = [k[2] for k in keys if k[1] == kind]
            if None in identifiers and len(identifiers) > 1:
                problems.append(
                    f"RRSet with DNS name {name}, type {kind} cannot be created because a simple and a routed RRSet with the same name and type would stand side by side in zone {zone.name}"
                )
    return problems


@operation("route53", "ChangeResourceRecordSets")
def change_records(call: Call) -> Params:
    zone = zone_of(call, call.params["HostedZoneId"])
    batch = call.params["ChangeBatch"]
    changes = batch.get("Changes") or []
    if not changes:
        raise AwsError("InvalidInput", "A change batch must have at least one change.")
    weight = size = 0
    for change in changes:
        if change.get("Action") not in ("CREATE", "DELETE", "UPSERT"):
            raise AwsError(
                "InvalidInput",
                f"Invalid XML ; Value '{change.get('Action')}' is not facet-valid with respect to enumeration '[CREATE, DELETE, UPSERT]'.",
            )
        factor = 2 if change["Action"] == "UPSERT" else 1
        values = change["ResourceRecordSet"].get("ResourceRecords") or []
        weight += factor * max(1, len(values))
        size += factor * sum(len(v.get("Value", "")) for v in values)
    if weight > 1000 or size > 32000:
        raise AwsError(
            "InvalidChangeBatch", "[Number of records or characters limit exceeded: 1000 records, 32000 characters]"
        )
    records = dict(zone.records)
    problems: list[str] = []
    touched: set[str] = set()
    for change in changes:
        record = _normalised(change)
        touched.add(record["Name"])
        problems += _apply(zone, records, change["Action"], record)
    problems += _conflicts(zone, records, touched)
    if problems:
        raise AwsError("InvalidChangeBatch", f"[{', '.join(problems)}]")
    zone.records = records
    return {"ChangeInfo": _begin_change(call, batch.get("Comment"))}
