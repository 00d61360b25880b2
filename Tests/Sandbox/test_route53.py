"""Route 53."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from sandboxes import Sandbox, code_of


@pytest.fixture
def dns(sandbox: Sandbox) -> Any:
    return sandbox.client("route53")


@pytest.fixture
def zone(dns: Any) -> str:
    return str(dns.create_hosted_zone(Name="example.net", CallerReference="ref")["HostedZone"]["Id"])


def a(name: str, *values: str, ttl: int = 60, kind: str = "A") -> dict[str, Any]:
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": v} for v in values]}


def batch(dns: Any, zone: str, *changes: tuple[str, dict[str, Any]]) -> Any:
    listed = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
    return dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": listed})


def names(dns: Any, zone: str) -> list[tuple[str, str]]:
    return [(r["Name"], r["Type"]) for r in dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]]


def test_the_seeded_zone(dns: Any) -> None:
    (seeded,) = dns.list_hosted_zones()["HostedZones"]
    assert (seeded["Name"], seeded["Config"]["PrivateZone"], seeded["ResourceRecordSetCount"]) == (
        "tastycidr.net.",
        False,
        2,
    )
    assert seeded["Id"].startswith("/hostedzone/Z")


def test_a_caller_reference_makes_one_zone(dns: Any, zone: str) -> None:
    assert code_of(dns.create_hosted_zone, Name="example.net", CallerReference="ref") == "HostedZoneAlreadyExists"
    dns.create_hosted_zone(Name="example.net", CallerReference="other")


def test_changes_are_pending_first(slow_sandbox: Sandbox) -> None:
    dns = slow_sandbox.client("route53")
    zone = dns.list_hosted_zones()["HostedZones"][0]["Id"]
    change = batch(dns, zone, ("CREATE", a("x.tastycidr.net", "1.2.3.4")))["ChangeInfo"]
    assert change["Status"] == "PENDING"
    slow_sandbox.until(lambda: dns.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "INSYNC")
    assert code_of(dns.get_change, Id="C0000") == "NoSuchChange"


def test_batches_are_atomic(dns: Any, zone: str) -> None:
    before = names(dns, zone)
    changes = [("CREATE", a("x.example.net", "1.2.3.4")), ("DELETE", a("y.example.net", "1.2.3.4"))]
    assert code_of(batch, dns, zone, *changes) == "InvalidChangeBatch"
    assert names(dns, zone) == before


def test_batches_are_checked_within_themselves(dns: Any, zone: str) -> None:
    twice = [("CREATE", a("x.example.net", "1.2.3.4"))] * 2
    assert code_of(batch, dns, zone, *twice) == "InvalidChangeBatch"
    beside = [("CREATE", a("x.example.net", "1.2.3.4")), ("CREATE", a("x.example.net", "y.example.net", kind="CNAME"))]
    assert code_of(batch, dns, zone, *beside) == "InvalidChangeBatch"
    batch(dns, zone, ("CREATE", a("x.example.net", "y.example.net", kind="CNAME")))
    swapped = [("DELETE", a("x.example.net", "y.example.net", kind="CNAME")), ("CREATE", a("x.example.net", "1.2.3.4"))]
    batch(dns, zone, *swapped)
    assert ("x.example.net.", "A") in names(dns, zone)


def test_nothing_stands_beside_a_cname(dns: Any, zone: str) -> None:
    batch(dns, zone, ("CREATE", a("x.example.net", "y.example.net", kind="CNAME")))
    assert code_of(batch, dns, zone, ("CREATE", a("x.example.net", "1.2.3.4"))) == "InvalidChangeBatch"
    assert code_of(batch, dns, zone, ("UPSERT", a("x.example.net", "1.2.3.4"))) == "InvalidChangeBatch"
    assert (
        code_of(batch, dns, zone, ("CREATE", a("example.net", "y.example.net", kind="CNAME"))) == "InvalidChangeBatch"
    )


def test_creating_what_is_there_and_deleting_what_differs(dns: Any, zone: str) -> None:
    batch(dns, zone, ("CREATE", a("x.example.net", "1.2.3.4", "1.2.3.5")))
    with pytest.raises(ClientError, match="already exists"):
        batch(dns, zone, ("CREATE", a("x.example.net", "9.9.9.9")))
    with pytest.raises(ClientError, match="do not match the current values"):
        batch(dns, zone, ("DELETE", a("x.example.net", "1.2.3.4")))
    with pytest.raises(ClientError, match="not found"):
        batch(dns, zone, ("DELETE", a("y.example.net", "1.2.3.4")))
    batch(dns, zone, ("DELETE", a("X.example.net.", "1.2.3.5", "1.2.3.4")))


def test_names_come_back_in_the_form_of_aws(dns: Any, zone: str) -> None:
    batch(dns, zone, ("CREATE", a("*.Example.net", "1.2.3.4")))
    assert ("\\052.example.net.", "A") in names(dns, zone)
    batch(dns, zone, ("UPSERT", a("\\052.example.net", "1.2.3.5")))
    assert names(dns, zone).count(("\\052.example.net.", "A")) == 1


def test_aliases_have_no_ttl(dns: Any, zone: str) -> None:
    target = {
        "HostedZoneId": "Z35SXDOTRQ7X7K",
        "DNSName": "dualstack.LB-1.us-east-1.elb.amazonaws.com",
        "EvaluateTargetHealth": False,
    }
    record = {"Name": "lb.example.net", "Type": "A", "AliasTarget": target}
    batch(dns, zone, ("CREATE", record))
    held = next(
        r
        for r in dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        if r["Name"] == "lb.example.net."
    )
    assert "TTL" not in held
    assert held["AliasTarget"]["DNSName"] == "dualstack.lb-1.us-east-1.elb.amazonaws.com."
    assert code_of(batch, dns, zone, ("CREATE", record | {"Name": "l2.example.net", "TTL": 5})) == "InvalidInput"
    batch(dns, zone, ("DELETE", record))


def test_values_must_suit_their_type(dns: Any, zone: str) -> None:
    for record in (
        a("x.example.net", "300.1.1.1"),
        a("x.example.net", "1.2.3.4", kind="AAAA"),
        a("x.example.net", "bare words", kind="TXT"),
        a("x.example.net", '"' + "x" * 256 + '"', kind="TXT"),
        a("x.example.net", "mail.example.net", kind="MX"),
        a("x.example.net", "1.2.3.4", "1.2.3.4"),
        a("x.example.org", "1.2.3.4"),
    ):
        assert code_of(batch, dns, zone, ("CREATE", record)) == "InvalidChangeBatch", record
    batch(dns, zone, ("CREATE", a("x.example.net", '"one" "two"', kind="TXT")))


def test_the_order_is_by_labels_from_the_right(dns: Any, zone: str) -> None:
    for name in ("b.example.net", "a.b.example.net", "a-b.example.net", "z.a.example.net"):
        batch(dns, zone, ("CREATE", a(name, "1.2.3.4")))
    assert [n for n, _ in names(dns, zone)] == [
        "example.net.",
        "example.net.",
        "z.a.example.net.",
        "a-b.example.net.",
        "b.example.net.",
        "a.b.example.net.",
    ]


def test_records_page(dns: Any, zone: str) -> None:
    batch(dns, zone, *(("CREATE", a(f"h{n:02}.example.net", "1.2.3.4")) for n in range(9)))
    pages = list(
        dns.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone, PaginationConfig={"PageSize": 4})
    )
    assert [len(p["ResourceRecordSets"]) for p in pages] == [4, 4, 3]
    assert pages[0]["NextRecordName"] == "h02.example.net."


def test_a_zone_with_records_stays(dns: Any, zone: str) -> None:
    batch(dns, zone, ("CREATE", a("x.example.net", "1.2.3.4")))
    assert code_of(dns.delete_hosted_zone, Id=zone) == "HostedZoneNotEmpty"
    batch(dns, zone, ("DELETE", a("x.example.net", "1.2.3.4")))
    dns.delete_hosted_zone(Id=zone)
    assert code_of(dns.get_hosted_zone, Id=zone) == "NoSuchHostedZone"


def test_the_zones_own_records_stay(dns: Any, zone: str) -> None:
    for record in dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]:
        assert code_of(batch, dns, zone, ("DELETE", record)) == "InvalidChangeBatch"


def test_private_zones_need_a_vpc(sandbox: Sandbox, dns: Any) -> None:
    config = {"PrivateZone": True}
    assert code_of(dns.create_hosted_zone, Name="p.net", CallerReference="p", HostedZoneConfig=config) == "InvalidVPCId"
    vpc = sandbox.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    place = {"VPCRegion": "us-east-1", "VPCId": vpc}
    made = dns.create_hosted_zone(Name="p.net", CallerReference="p", HostedZoneConfig=config, VPC=place)["HostedZone"]
    assert made["Config"]["PrivateZone"] is True
    assert dns.get_hosted_zone(Id=made["Id"])["VPCs"] == [place]


def test_tags_of_zones(dns: Any, zone: str) -> None:
    short = zone.rpartition("/")[2]
    dns.change_tags_for_resource(ResourceType="hostedzone", ResourceId=short, AddTags=[{"Key": "a", "Value": "b"}])
    held = dns.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[short])["ResourceTagSets"]
    assert held[0]["Tags"] == [{"Key": "a", "Value": "b"}]


def test_zones_are_found_by_name(dns: Any, zone: str) -> None:
    found = dns.list_hosted_zones_by_name(DNSName="tastycidr.net")["HostedZones"]
    assert found[0]["Name"] == "tastycidr.net."
