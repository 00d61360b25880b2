"""The check of requests by AWS's own models: what it refuses, in every protocol, and that what is right passes."""

from __future__ import annotations

import json
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from sandboxes import Sandbox

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sandbox"))
from strict_aws import app, validity, wire  # noqa: E402

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="module")
def validating(sandbox_factory: Callable[..., Sandbox]) -> Sandbox:
    return sandbox_factory(MUSTER_SANDBOX_VALIDATE="1")


@pytest.fixture
def send(validating: Sandbox) -> Callable[..., str]:
    """Sends a request as it is written, signed for a service, as muster; tells what the answer says."""
    validating.reset()
    validating.control("POST", "invalid/reset")

    def send(
        signing_name: str, method: str, path: str, body: bytes, agent: str = "muster/test", **headers: str
    ) -> str:
        named = {"User-Agent": agent, "Content-Type": "application/x-www-form-urlencoded"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(method, validating.endpoint + path, headers=named, data=body)
        SigV4Auth(Credentials("AKIAMUSTERSANDBOX", "sandbox-secret"), signing_name, "us-east-1").add_auth(request)
        raw = urllib.request.Request(
            request.url or "", data=body or None, headers=dict(request.headers), method=method
        )
        try:
            with _opener.open(raw, timeout=30) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.read().decode()}"

    return send


def form(action: str, version: str, *pairs: tuple[str, str]) -> bytes:
    return urllib.parse.urlencode([("Action", action), ("Version", version), *pairs]).encode()


EC2, IAM, RDS, ELB = "2016-11-15", "2010-05-08", "2014-10-31", "2015-12-01"
SCALING, CLOUDWATCH = "2011-01-01", "2010-08-01"
QUERIES: dict[str, tuple[str, bytes, str]] = {
    "an operation that does not exist": ("ec2", form("MakeVpc", EC2), "has no operation MakeVpc"),
    "another version": ("ec2", form("DescribeVpcs", "2010-01-01"), "Version is"),
    "a parameter that does not exist": ("ec2", form("DescribeVpcs", EC2, ("Colour", "red")), "Colour is not recognized"),
    "a parameter that is sent twice": (
        "ec2",
        form("DescribeVpcs", EC2, ("VpcId.1", "vpc-1"), ("VpcId.1", "vpc-2")),
        "sent twice",
    ),
    "a list that is written as a value": ("ec2", form("DescribeVpcs", EC2, ("VpcId", "vpc-1")), "is a list"),
    "a required member that is absent": ("ec2", form("CreateSubnet", EC2), "VpcId: required"),
    "a word where a number is wanted": (
        "ec2",
        form("RunInstances", EC2, ("MinCount", "one"), ("MaxCount", "1")),
        "not a integer",
    ),
    "a word that is none of those allowed": (
        "ec2",
        form("CreateVpc", EC2, ("CidrBlock", "10.0.0.0/16"), ("InstanceTenancy", "shared")),
        "is none of default, dedicated, host",
    ),
    "too many for a page": ("ec2", form("DescribeVpcs", EC2, ("MaxResults", "1001")), "at most 1000"),
    "too few for a page": ("ec2", form("DescribeVpcs", EC2, ("MaxResults", "4")), "at least 5"),
    "a text that is too long": (
        "iam",
        form("GetRole", IAM, ("RoleName", "x" * 65)),
        "at most 64",
    ),
    "a text that does not match": ("iam", form("GetRole", IAM, ("RoleName", "a b")), "does not match"),
    "a member of a list that does not match": (
        "iam",
        form(
            "TagRole", IAM, ("RoleName", "a"), ("Tags.member.1.Key", "a|b"), ("Tags.member.1.Value", "c")
        ),
        "Tags[0].Key",
    ),
    "a list without its members' name": (
        "rds",
        form(
            "CreateDBSubnetGroup", RDS, ("DBSubnetGroupName", "a"), ("DBSubnetGroupDescription", "d"),
            ("SubnetIds.member.1", "subnet-1"),
        ),
        "SubnetIds.SubnetIdentifier.N",
    ),
    "a list without its members": (
        "rds",
        form("CreateDBSubnetGroup", RDS, ("DBSubnetGroupName", "a"), ("DBSubnetGroupDescription", "d")),
        "SubnetIds",
    ),
    "no flag": (
        "rds",
        form("DeleteDBInstance", RDS, ("DBInstanceIdentifier", "a"), ("SkipFinalSnapshot", "yes")),
        "not a boolean",
    ),
    "a protocol that does not exist": (
        "elasticloadbalancing",
        form("CreateTargetGroup", ELB, ("Name", "a"), ("Protocol", "HTTQ")),
        "is none of HTTP",
    ),
    "a port that does not exist": (
        "elasticloadbalancing",
        form("CreateTargetGroup", ELB, ("Name", "a"), ("Port", "65536")),
        "at most 65535",
    ),
    "a group without its bounds": (
        "autoscaling",
        form("CreateAutoScalingGroup", SCALING, ("AutoScalingGroupName", "a")),
        "MinSize: required",
    ),
    "a service without handlers of ours": (
        "monitoring",
        form("PutMetricAlarm", CLOUDWATCH, ("AlarmName", "a"), ("EvaluationPeriods", "0")),
        "EvaluationPeriods: 0, at least 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", QUERIES)
def test_a_form_that_the_model_forbids_is_refused(validating: Sandbox, send: Callable[..., str], what: str) -> None:
    signing_name, body, why = QUERIES[what]
    answer = send(signing_name, "POST", "/", body)
    assert answer.startswith("400 ") and validity.CODE in answer and why in answer
    (noted,) = validating.control("GET", "invalid")
    assert why in " ".join(noted["problems"])
    assert validating.log()[-1]["invalid"] == noted["problems"]
    assert validating.log()[-1]["error"] == validity.CODE


JSONS: dict[str, tuple[str, str, str, Any, str]] = {
    "an operation that does not exist": ("ecr", "AmazonEC2ContainerRegistry_V20150921", "MakeRepository", {}, "no operation"),
    "another target": ("ecr", "AmazonEC2ContainerRegistry", "DescribeRepositories", {}, "the target begins with"),
    "a member that does not exist": (
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921",
        "DescribeRepositories",
        {"MaxResults": 10},
        "MaxResults: not a member",
    ),
    "text where a number is wanted": (
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921",
        "DescribeRepositories",
        {"maxResults": "10"},
        "is no integer",
    ),
    "a flag where a number is wanted": (
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921",
        "DescribeRepositories",
        {"maxResults": True},
        "is no integer",
    ),
    "null where a text is wanted": (
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921",
        "CreateRepository",
        {"repositoryName": None},
        "is no string",
    ),
    "a name that does not match as a whole": (
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921",
        "CreateRepository",
        {"repositoryName": "team/API"},
        "does not match",
    ),
    "a required member that is absent further in": (
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921",
        "CreateRepository",
        {"repositoryName": "team/api", "encryptionConfiguration": {}},
        "encryptionConfiguration.encryptionType: required",
    ),
    "an empty list where some are wanted": (
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921",
        "DescribeRepositories",
        {"repositoryNames": []},
        "0 elements, at least 1",
    ),
    "a method that does not exist": (
        "acm",
        "CertificateManager",
        "RequestCertificate",
        {"DomainName": "a.example", "ValidationMethod": "PHONE"},
        "is none of",
    ),
    "a service without handlers of ours": (
        "secretsmanager",
        "secretsmanager",
        "GetSecretValue",
        {"SecretId": ""},
        "at least 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", JSONS)
def test_a_document_that_the_model_forbids_is_refused(send: Callable[..., str], what: str) -> None:
    signing_name, prefix, operation, value, why = JSONS[what]
    headers = {"X_Amz_Target": f"{prefix}.{operation}", "Content_Type": "application/x-amz-json-1.1"}
    answer = send(signing_name, "POST", "/", json.dumps(value).encode(), **headers)
    assert answer.startswith("400 ") and validity.CODE in answer and why in answer


def test_the_content_type_is_part_of_the_protocol(send: Callable[..., str]) -> None:
    answer = send("ssm", "POST", "/", b'{"Name": "/a"}', X_Amz_Target="AmazonSSM.GetParameter")
    assert "the content type is" in answer


def change(*records: str) -> bytes:
    namespace = "https://route53.amazonaws.com/doc/2013-04-01/"
    changes = "".join(f"<Change><Action>CREATE</Action>{r}</Change>" for r in records)
    batch = f"<ChangeBatch><Changes>{changes}</Changes></ChangeBatch>"
    return f'<ChangeResourceRecordSetsRequest xmlns="{namespace}">{batch}</ChangeResourceRecordSetsRequest>'.encode()


ZONE = "/2013-04-01/hostedzone/Z0123456789"
RESTS: dict[str, tuple[str, str, bytes, str]] = {
    "a path that does not exist": ("GET", "/2013-04-01/zones", b"", "no operation"),
    "a query that does not exist": ("GET", "/2013-04-01/hostedzone?size=10", b"", "no query parameter size"),
    "an element that does not exist": (
        "POST",
        f"{ZONE}/rrset/",
        change("<ResourceRecordSet><Name>a.</Name><Type>A</Type><Ttl>1</Ttl></ResourceRecordSet>"),
        "Ttl is not expected",
    ),
    "a record without its name": (
        "POST",
        f"{ZONE}/rrset/",
        change("<ResourceRecordSet><Type>A</Type></ResourceRecordSet>"),
        "ResourceRecordSet.Name: required",
    ),
    "a type that does not exist": (
        "POST",
        f"{ZONE}/rrset/",
        change("<ResourceRecordSet><Name>a.</Name><Type>B</Type></ResourceRecordSet>"),
        "is none of SOA, A",
    ),
    "a batch of nothing": ("POST", f"{ZONE}/rrset/", change(), "0 elements, at least 1"),
    "a zone's id that is too long": ("GET", f"/2013-04-01/hostedzone/{'Z' * 33}", b"", "at most 32"),
    "no XML": ("POST", f"{ZONE}/rrset/", b"{}", "not XML"),
}


@pytest.mark.parametrize("what", RESTS)
def test_a_path_or_a_body_that_the_model_forbids_is_refused(send: Callable[..., str], what: str) -> None:
    method, path, body, why = RESTS[what]
    answer = send("route53", method, path, body)
    assert answer.startswith("400 ") and validity.CODE in answer and why in answer


def test_a_service_without_a_model_is_refused(send: Callable[..., str]) -> None:
    assert "there is no model" in send("nonsense", "POST", "/", form("Describe", EC2))


def test_what_is_right_passes(validating: Sandbox, send: Callable[..., str]) -> None:
    filters = (("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", "vpc-1"), ("MaxResults", "1000"))
    assert "<vpcSet>" in send("ec2", "POST", "/", form("DescribeVpcs", EC2, *filters))
    assert "<Roles>" in send("iam", "POST", "/", form("ListRoles", IAM, ("MaxItems", "1000")))
    assert "<HostedZones>" in send("route53", "GET", "/2013-04-01/hostedzone", b"")
    assert "NoSuchHostedZone" in send(
        "route53",
        "POST",
        f"{ZONE}/rrset/",
        change(
            "<ResourceRecordSet><Name>a.</Name><Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord>"
            "<Value>10.0.0.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
        ),
    )
    target = {"X_Amz_Target": "AmazonSSM.GetParameter", "Content_Type": "application/x-amz-json-1.1"}
    assert "ami-" in send("ssm", "POST", "/", b'{"Name": "/muster/ami/base"}', **target)
    assert "MetricAlarms" in send("monitoring", "POST", "/", form("DescribeAlarms", CLOUDWATCH))
    assert validating.control("GET", "invalid") == []


def test_others_may_send_what_they_like(validating: Sandbox, send: Callable[..., str]) -> None:
    answer = send("ec2", "POST", "/", form("DescribeVpcs", EC2, ("MaxResults", "4")), agent="boto3")
    assert validity.CODE not in answer
    assert validating.control("GET", "invalid") == []


def test_refused_requests_outlive_a_reset(validating: Sandbox, send: Callable[..., str]) -> None:
    send("ec2", "POST", "/", form("MakeVpc", EC2))
    validating.reset()
    validating.reset_log()
    assert len(validating.control("GET", "invalid")) == 1
    validating.control("POST", "invalid/reset")
    assert validating.control("GET", "invalid") == []


def test_half_a_request_asks_for_nothing(validating: Sandbox) -> None:
    validating.reset()
    host, _, port = validating.endpoint.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nUser-Agent: muster/1\r\nContent-Length: 100\r\n\r\nAction=De")
    time.sleep(0.2)
    assert validating.log() == []
    assert validating.control("GET", "invalid") == []


def test_nothing_is_called_valid_that_was_not_checked(sandbox: Sandbox) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        sandbox.control("GET", "invalid")
    assert caught.value.code == 409


def test_every_pattern_of_the_services_can_be_used() -> None:
    services = {s for s, _ in (app.SERVICES | validity.MORE_SERVICES).values()}
    count = 0
    for service in services:
        model = wire.service_model(service)
        for name in model.shape_names:
            pattern = model.shape_for(name).metadata.get("pattern")
            if pattern:
                validity.compiled(pattern)
                count += 1
    assert count > 100
