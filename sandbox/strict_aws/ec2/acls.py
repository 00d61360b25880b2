"""Network ACLs, their entries and associations."""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.ec2.models.network_acls import NetworkAclAssociation, NetworkAclEntry
from moto.ec2.utils import random_network_acl_subnet_association_id

from ..call import Call, once, operation
from ..errors import AwsError
from ..wire import Params
from . import guards, tagging, vpcs
from .listing import Listing, check_ids, describe, one, path

_PROTOCOLS = {"all": "-1", "tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58"}


def get(call: Call, acl_id: str) -> Any:
    """moto's ACL."""
    check_ids([acl_id], "acl", "InvalidNetworkAclID")
    acl = call.ec2.network_acls.get(acl_id)
    if acl is None:
        raise AwsError("InvalidNetworkAclID.NotFound", f"The networkAcl ID '{acl_id}' does not exist")
    return acl


def _view(call: Call, item: Params, acl: Any) -> Params:
    entries = [e for e in item.get("Entries", []) if e["RuleNumber"] < 32767]
    vpc = call.ec2.vpcs.get(acl.vpc_id)
    has_ipv6 = vpc is not None and bool(vpc.get_cidr_block_association_set(ipv6=True))
    for egress in (True, False):
        deny: Params = {"Protocol": "-1", "RuleAction": "deny", "Egress": egress}
        entries.append(deny | {"RuleNumber": 32767, "CidrBlock": "0.0.0.0/0"})
        if has_ipv6:
            entries.append(deny | {"RuleNumber": 32768, "Ipv6CidrBlock": "::/0"})
    item["Entries"] = sorted(entries, key=lambda e: (not e["Egress"], e["RuleNumber"]))
    item["IsDefault"] = acl.default
    item["OwnerId"] = call.account
    return item


describe(
    Listing(
        name="DescribeNetworkAcls",
        member="NetworkAcls",
        objects=lambda call: call.ec2.network_acls.values(),
        ids="NetworkAclIds",
        id_of="NetworkAclId",
        prefix="acl",
        kind="InvalidNetworkAclID",
        unknown=("InvalidNetworkAclID.NotFound", "The networkAcl ID '{}' does not exist"),
        view=_view,
        filters={
            "network-acl-id": path("NetworkAclId"),
            "vpc-id": path("VpcId"),
            "owner-id": path("OwnerId"),
            "default": path("IsDefault"),
            "association.association-id": path("Associations[].NetworkAclAssociationId"),
            "association.network-acl-id": path("Associations[].NetworkAclId"),
            "association.subnet-id": path("Associations[].SubnetId"),
            "entry.cidr": path("Entries[].CidrBlock"),
            "entry.ipv6-cidr": path("Entries[].Ipv6CidrBlock"),
            "entry.egress": path("Entries[].Egress"),
            "entry.icmp.code": path("Entries[].IcmpTypeCode.Code"),
            "entry.icmp.type": path("Entries[].IcmpTypeCode.Type"),
            "entry.port-range.from": path("Entries[].PortRange.From"),
            "entry.port-range.to": path("Entries[].PortRange.To"),
            "entry.protocol": path("Entries[].Protocol"),
            "entry.rule-action": path("Entries[].RuleAction"),
            "entry.rule-number": path("Entries[].RuleNumber"),
        },
    )
)


@operation("ec2", "CreateNetworkAcl")
def create(call: Call) -> Params:
    def make() -> Params:
        tags = tagging.of(call, "network-acl")["network-acl"]
        vpc = vpcs.get(call, call.params["VpcId"])
        acl = call.ec2.create_network_acl(vpc.id)
        tagging.put(call, acl.id, tags)
        token = call.params.get("ClientToken")
        return {"NetworkAcl": one(call, "DescribeNetworkAcls", acl.id)} | ({"ClientToken": token} if token else {})

    return once(call, make)


@operation("ec2", "DeleteNetworkAcl")
def delete(call: Call) -> None:
    acl = get(call, call.params["NetworkAclId"])
    if acl.default:
        raise AwsError("InvalidParameterValue", f"cannot delete default network ACL {acl.id}")
    if acl._associations:
        raise guards.dependency("networkAcl", acl.id)
    del call.ec2.network_acls[acl.id]
    call.ec2.tags.pop(acl.id, None)


# MARK: entries


def _entry(call: Call, acl: Any) -> NetworkAclEntry:
    params = call.params
    number = params["RuleNumber"]
    if not 1 <= number <= 32766:
        raise AwsError("InvalidParameterValue", f"The specified rule number '{number}' must be between 1 and 32766")
    protocol = _PROTOCOLS.get(str(params["Protocol"]).lower(), str(params["Protocol"]))
    if not (protocol == "-1" or (protocol.isdigit() and int(protocol) <= 255)):
        raise AwsError(
            "InvalidParameterValue", f"Invalid value '{params['Protocol']}' for IP protocol. Unknown protocol."
        )
    if params["RuleAction"] not in ("allow", "deny"):
        raise AwsError("InvalidParameterValue", f"Value ({params['RuleAction']}) for parameter ruleAction is invalid.")
    cidr, cidr6 = params.get("CidrBlock"), params.get("Ipv6CidrBlock")
    if (cidr is None) == (cidr6 is None):
        raise AwsError(
            "InvalidParameterCombination" if cidr else "MissingParameter",
            "The request must contain exactly one of cidrBlock and ipv6CidrBlock",
        )
    if cidr is not None:
        cidr = str(guards.network(cidr, "cidrBlock"))
    else:
        try:
            cidr6 = str(ipaddress.IPv6Network(cidr6 or "", strict=False))
        except ValueError as error:
            raise AwsError(
                "InvalidParameterValue",
                f"Value ({cidr6}) for parameter ipv6CidrBlock is invalid. This is not a valid CIDR block.",
            ) from error
    ports = params.get("PortRange") or {}
    if protocol in ("6", "17"):
        if "From" not in ports or "To" not in ports:
            raise AwsError("MissingParameter", "The request must contain the parameter portRange for TCP and UDP")
        if not 0 <= ports["From"] <= ports["To"] <= 65535:
            raise AwsError("InvalidParameterValue", f"Invalid TCP/UDP port range ({ports['From']}:{ports['To']})")
    else:
        ports = {}
    icmp = params.get("IcmpTypeCode") or {}
    if protocol in ("1", "58") and not {"Type", "Code"} <= set(icmp):
        raise AwsError("MissingParameter", "The request must contain the parameter icmpTypeCode for ICMP")
    return NetworkAclEntry(
        call.ec2,
        acl.id,
        number,
        protocol,
        params["RuleAction"],
        params["Egress"],
        cidr,  # type: ignore[arg-type]
        icmp.get("Code") if protocol in ("1", "58") else None,
        icmp.get("Type") if protocol in ("1", "58") else None,
        ports.get("From"),
        ports.get("To"),
        cidr6,
    )


def _index(acl: Any, number: int, egress: bool) -> int | None:
    for index, entry in enumerate(acl.network_acl_entries):
        if entry.rule_number == number and entry.egress == egress:
            return index
    return None


def _present(call: Call, acl: Any) -> int:
    number, egress = call.params["RuleNumber"], call.params["Egress"]
    index = _index(acl, number, egress)
    if index is None or number > 32766:
        side = "egress" if egress else "ingress"
        raise AwsError(
            "InvalidNetworkAclEntry.NotFound",
            f"The {side} entry given by rule number {number} does not exist in network ACL {acl.id}",
        )
    return index


@operation("ec2", "CreateNetworkAclEntry")
def create_entry(call: Call) -> None:
    acl = get(call, call.params["NetworkAclId"])
    entry = _entry(call, acl)
    if _index(acl, entry.rule_number, entry.egress) is not None:
        raise AwsError(
            "NetworkAclEntryAlreadyExists", f"The network acl entry identified by {entry.rule_number} already exists."
        )
    side = [e for e in acl.network_acl_entries if e.egress == entry.egress and e.rule_number < 32767]
    if len(side) >= 20:
        raise AwsError("NetworkAclEntryLimitExceeded", "The maximum number of network ACL entries has been reached.")
    acl.network_acl_entries.append(entry)


@operation("ec2", "ReplaceNetworkAclEntry")
def replace_entry(call: Call) -> None:
    acl = get(call, call.params["NetworkAclId"])
    entry = _entry(call, acl)
    acl.network_acl_entries[_present(call, acl)] = entry


@operation("ec2", "DeleteNetworkAclEntry")
def delete_entry(call: Call) -> None:
    acl = get(call, call.params["NetworkAclId"])
    del acl.network_acl_entries[_present(call, acl)]


@operation("ec2", "ReplaceNetworkAclAssociation")
def replace_association(call: Call) -> Params:
    wanted = get(call, call.params["NetworkAclId"])
    association = call.params["AssociationId"]
    for acl in call.ec2.network_acls.values():
        held = acl._associations.get(association)
        if held is None:
            continue
        if acl.vpc_id != wanted.vpc_id:
            raise AwsError(
                "InvalidParameterValue",
                f"Network ACL {wanted.id} and association {association} belong to different networks",
            )
        del acl._associations[association]
        made = random_network_acl_subnet_association_id()
        wanted._associations[made] = NetworkAclAssociation(call.ec2, made, held.subnet_id, wanted.id)
        return {"NewAssociationId": made}
    raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{association}' does not exist")
