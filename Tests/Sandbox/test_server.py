"""The server itself: connections, log, faults, start and end."""

from __future__ import annotations

import http.client
import json
import subprocess
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from sandboxes import ROOT, Sandbox, code_of


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


def test_down_ends_only_what_up_started(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / "pid").write_text(f"{bystander.pid}\n")
        (tmp_path / "port").write_text("5555\n")
        done = subprocess.run([ROOT / "sandbox" / "down", "--dir", tmp_path], capture_output=True, text=True)
        assert done.returncode == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_taken_port_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    port = sandbox.endpoint.rpartition(":")[2]
    command = [ROOT / "sandbox" / "up", "--port", port, "--dir", tmp_path]
    done = subprocess.run(command, env=sandbox.environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_env_without_a_sandbox_prints_nothing(tmp_path: Path) -> None:
    done = subprocess.run([ROOT / "sandbox" / "env", "--dir", tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "sandbox/up" in done.stderr


def test_the_log_file_has_a_line_per_request(sandbox_factory: Callable[..., Sandbox], tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    made = sandbox_factory(MUSTER_SANDBOX_LOG=str(log))
    made.client("sts").get_caller_identity()
    made.client("ssm").get_parameter(Name="/muster/ami/base")
    made.client("route53").list_hosted_zones()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    asked = [(e["service"], e["operation"], e["status"]) for e in lines]
    assert asked == [
        ("sts", "GetCallerIdentity", 200),
        ("ssm", "GetParameter", 200),
        ("route53", "ListHostedZones", 200),
    ]
    assert lines[1]["parameters"] == {"Name": "/muster/ami/base"}


def test_deleted_things_are_listed_for_a_while(sandbox_factory: Callable[..., Sandbox]) -> None:
    made = sandbox_factory(MUSTER_SANDBOX_DELAY="0", MUSTER_SANDBOX_LINGER="100")
    ec2 = made.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    asked = {"ImageId": "ami-0f8bce65", "InstanceType": "m5.large", "SubnetId": subnet, "MinCount": 1, "MaxCount": 1}
    instance = ec2.run_instances(**asked)["Instances"][0]["InstanceId"]
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    ec2.terminate_instances(InstanceIds=[instance])
    assert ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"][0]["State"] == "deleted"
    assert ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    made.advance(101)
    assert code_of(ec2.describe_nat_gateways, NatGatewayIds=[gateway]) == "NatGatewayNotFound"
    assert code_of(ec2.describe_instances, InstanceIds=[instance]) == "InvalidInstanceID.NotFound"
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)
