"""The server itself: connections, log, faults, start and end."""

from __future__ import annotations

import http.client
import subprocess
import urllib.parse

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from conftest import ROOT, Sandbox, code_of


def test_a_connection_is_kept_alive(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    for _ in range(3):
        ec2.describe_vpcs()
    assert len({e["connection"] for e in sandbox.log()}) == 1


def test_the_log_names_what_was_asked(sandbox: Sandbox) -> None:
    sandbox.client("ec2", region="eu-west-1").describe_vpcs(Filters=[{"Name": "state", "Values": ["available"]}])
    (entry,) = sandbox.log()
    assert (entry["service"], entry["operation"], entry["status"]) == ("ec2", "DescribeVpcs", 200)
    assert entry["parameters"] == {"Filter.1.Name": "state", "Filter.1.Value.1": "available"}
    assert (entry["region"], entry["signing_name"], entry["error"]) == ("eu-west-1", "ec2", None)
    assert entry["bytes"] > 0
    sandbox.reset_log()
    assert sandbox.log() == []


def test_the_log_has_the_error_code(sandbox: Sandbox) -> None:
    code_of(sandbox.client("ec2").describe_vpcs, VpcIds=["vpc-00000000"])
    assert sandbox.log()[-1]["error"] == "InvalidVpcID.NotFound"


def test_a_fault_before_the_call_changes_nothing(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    sandbox.faults({"operation": "CreateVpc", "times": 1, "status": 503, "code": "RequestLimitExceeded"})
    with pytest.raises(ClientError) as refused:
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
    ec2.create_vpc(CidrBlock="10.0.0.0/16")


def test_a_fault_after_the_call_loses_the_answer_only(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    sandbox.faults({"operation": "CreateVpc", "kind": "reset connection", "when": "after"})
    with pytest.raises((ConnectionClosedError, OSError)):
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
    assert len(ec2.describe_vpcs()["Vpcs"]) == before + 1


def test_a_proxy_answers_html(sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "GetCallerIdentity", "kind": "html page"})
    host = urllib.parse.urlsplit(sandbox.endpoint).netloc
    connection = http.client.HTTPConnection(host)
    scope = "AWS4-HMAC-SHA256 Credential=AKIAMUSTERSANDBOX/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"Authorization": scope, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", headers)
    answer = connection.getresponse()
    assert answer.status == 502
    assert b"<html>" in answer.read()
    connection.request("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", headers)
    assert connection.getresponse().status == 200


def test_wrong_orders_of_faults_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(OSError, match="400"):
        sandbox.control("POST", "faults", [{"operation": "X", "colour": "red"}])


def test_unknown_operations_and_parameters_are_refused(sandbox: Sandbox) -> None:
    host = urllib.parse.urlsplit(sandbox.endpoint).netloc
    connection = http.client.HTTPConnection(host)
    scope = "AWS4-HMAC-SHA256 Credential=AKIAMUSTERSANDBOX/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"Authorization": scope, "Content-Type": "application/x-www-form-urlencoded"}
    for body, code in (
        ("Action=MakeTea&Version=2016-11-15", "InvalidAction"),
        ("Action=DescribeVpcs&Version=2016-11-15&VpcIds.1=vpc-1", "UnknownParameter"),
        ("Action=DescribeVpcs&Version=2001-01-01", "NoSuchVersion"),
        ("Action=CreateSubnet&Version=2016-11-15&CidrBlock=10.0.0.0/24", "MissingParameter"),
    ):
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        assert answer.status == 400
        assert f"<Code>{code}</Code>" in answer.read().decode()


def test_what_the_emulator_cannot_do_is_no_5xx_that_is_tried_again(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError) as refused:
        sandbox.client("ec2").describe_verified_access_groups()
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_other_keys_are_another_account(sandbox: Sandbox) -> None:
    sandbox.client("ec2").create_vpc(CidrBlock="10.7.0.0/16")
    other = {"aws_access_key_id": "AKIAMUSTEROTHER", "aws_secret_access_key": "sandbox-secret"}
    assert sandbox.client("sts", **other).get_caller_identity()["Account"] == "210987654321"
    blocks = [v["CidrBlock"] for v in sandbox.client("ec2", **other).describe_vpcs()["Vpcs"]]
    assert blocks == ["172.31.0.0/16"]
    assert sandbox.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_ids_are_the_same_after_every_reset(sandbox: Sandbox) -> None:
    def ids() -> list[str]:
        made = sandbox.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        zones = sandbox.client("route53").list_hosted_zones()["HostedZones"]
        return [made, *(z["Id"] for z in zones)]

    first = ids()
    sandbox.reset()
    assert ids() == first


def test_up_twice_is_up_once(sandbox: Sandbox) -> None:
    done = subprocess.run(
        [ROOT / "sandbox" / "up", "--dir", sandbox.directory], env=sandbox.environment, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.strip() == sandbox.endpoint


def test_the_environment_points_the_cli_at_the_sandbox(sandbox: Sandbox) -> None:
    script = (
        f'eval "$("{ROOT}/sandbox/env" --dir "{sandbox.directory}")" && aws sts get-caller-identity --query Account'
    )
    done = subprocess.run(["bash", "-c", script], env=sandbox.environment, capture_output=True, text=True, cwd="/")
    assert done.stdout.strip() == '"123456789012"', done.stderr
