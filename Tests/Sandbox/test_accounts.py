"""IAM, STS, SSM and ACM."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sandboxes import Sandbox, code_of

TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'


@pytest.fixture
def iam(sandbox: Sandbox) -> Any:
    return sandbox.client("iam")


# MARK: IAM


def test_an_attached_policy_stays(iam: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    arn = iam.create_policy(PolicyName="p", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    assert code_of(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    assert code_of(iam.delete_role, RoleName="r") == "DeleteConflict"
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY, SetAsDefault=True)
    assert code_of(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)
    assert code_of(iam.get_policy, PolicyArn=arn) == "NoSuchEntity"


def test_names_are_unique_whatever_their_case(iam: Any) -> None:
    iam.create_role(RoleName="Role", AssumeRolePolicyDocument=TRUST)
    assert code_of(iam.create_role, RoleName="role", AssumeRolePolicyDocument=TRUST) == "EntityAlreadyExists"
    iam.create_instance_profile(InstanceProfileName="Profile")
    assert code_of(iam.create_instance_profile, InstanceProfileName="profile") == "EntityAlreadyExists"


def test_trust_policies_are_checked(iam: Any) -> None:
    assert code_of(iam.create_role, RoleName="r", AssumeRolePolicyDocument="{}") == "MalformedPolicyDocument"
    nobody = TRUST.replace('"Service":"ec2.amazonaws.com"', '"AWS":"arn:aws:iam::123456789012:role/nobody"')
    assert code_of(iam.create_role, RoleName="r", AssumeRolePolicyDocument=nobody) == "MalformedPolicyDocument"
    iam.create_role(RoleName="nobody", AssumeRolePolicyDocument=TRUST)
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=nobody)


def test_updating_a_role_keeps_what_is_not_named(iam: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, Description="d", MaxSessionDuration=7200)
    iam.update_role(RoleName="r", MaxSessionDuration=3600)
    role = iam.get_role(RoleName="r")["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("d", 3600)


def test_inline_policies_have_a_size(iam: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    actions = [f"s3:Get{n:05}" for n in range(900)]
    large = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    )
    assert code_of(iam.put_role_policy, RoleName="r", PolicyName="p", PolicyDocument=large) == "LimitExceeded"


def test_a_profile_has_one_role(iam: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.create_role(RoleName="s", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="p")
    iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r")
    assert code_of(iam.add_role_to_instance_profile, InstanceProfileName="p", RoleName="s") == "LimitExceeded"
    assert code_of(iam.delete_instance_profile, InstanceProfileName="p") == "DeleteConflict"
    assert code_of(iam.delete_role, RoleName="r") == "DeleteConflict"


def test_everything_of_a_role_in_one_listing(iam: Any) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, Tags=tags)
    iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=POLICY)
    arn = iam.create_policy(PolicyName="p", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
    iam.create_instance_profile(InstanceProfileName="p")
    iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r")
    details = iam.get_account_authorization_details(Filter=["Role", "LocalManagedPolicy"])
    (role,) = details["RoleDetailList"]
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert role["RolePolicyList"] == [{"PolicyName": "inline", "PolicyDocument": json.loads(POLICY)}]
    assert {p["PolicyName"] for p in role["AttachedManagedPolicies"]} == {"p", "AmazonSSMManagedInstanceCore"}
    assert [p["InstanceProfileName"] for p in role["InstanceProfileList"]] == ["p"]
    assert role["Tags"] == tags
    (policy,) = details["Policies"]
    assert policy["PolicyVersionList"][0]["Document"] == json.loads(POLICY)


# MARK: STS


def test_only_roles_that_exist_are_assumed(sandbox: Sandbox, iam: Any) -> None:
    sts = sandbox.client("sts")
    arn = "arn:aws:iam::123456789012:role/r"
    assert code_of(sts.assume_role, RoleArn=arn, RoleSessionName="session") == "AccessDenied"
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    assert code_of(sts.assume_role, RoleArn=arn, RoleSessionName="session", DurationSeconds=7200) == "ValidationError"
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    mine = {"aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"]}
    held = sandbox.client("sts", aws_session_token=keys["SessionToken"], **mine).get_caller_identity()
    assert held["Arn"] == "arn:aws:sts::123456789012:assumed-role/r/session"


def test_roles_of_the_other_account(sandbox: Sandbox) -> None:
    other = {"aws_access_key_id": "AKIAMUSTEROTHER", "aws_secret_access_key": "sandbox-secret"}
    sandbox.client("iam", **other).create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    keys = sandbox.client("sts").assume_role(RoleArn="arn:aws:iam::210987654321:role/r", RoleSessionName="session")[
        "Credentials"
    ]
    mine = {"aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"]}
    assert (
        sandbox.client("sts", aws_session_token=keys["SessionToken"], **mine).get_caller_identity()["Account"]
        == "210987654321"
    )


# MARK: SSM


def test_parameters(sandbox: Sandbox) -> None:
    ssm, ec2 = sandbox.client("ssm"), sandbox.client("ec2")
    base = ssm.get_parameter(Name="/muster/ami/base")["Parameter"]["Value"]
    assert ec2.describe_images(ImageIds=[base])["Images"]
    for name in (
        "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
        "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
    ):
        assert ec2.describe_images(ImageIds=[ssm.get_parameter(Name=name)["Parameter"]["Value"]])["Images"]
    recommended = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"
    assert "image_id" in json.loads(ssm.get_parameter(Name=recommended)["Parameter"]["Value"])
    assert code_of(ssm.get_parameter, Name="/nobody") == "ParameterNotFound"
    assert ssm.get_parameters(Names=["/nobody", "/muster/ami/base"])["InvalidParameters"] == ["/nobody"]
    assert code_of(ssm.put_parameter, Name="/muster/ami/base", Value="x", Type="String") == "ParameterAlreadyExists"


def test_secure_values_are_sealed(sandbox: Sandbox) -> None:
    ssm = sandbox.client("ssm")
    ssm.put_parameter(Name="/secret", Value="hidden", Type="SecureString")
    assert "hidden" not in ssm.get_parameter(Name="/secret")["Parameter"]["Value"]
    assert ssm.get_parameter(Name="/secret", WithDecryption=True)["Parameter"]["Value"] == "hidden"
    assert ssm.get_parameter(Name="/secret:1", WithDecryption=True)["Parameter"]["Version"] == 1


# MARK: ACM


def test_the_seeded_certificate(sandbox: Sandbox) -> None:
    acm = sandbox.client("acm")
    (held,) = acm.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
    assert held["DomainName"] == "rancher.tastycidr.net"
    assert acm.describe_certificate(CertificateArn=held["CertificateArn"])["Certificate"]["Status"] == "ISSUED"


def test_a_certificate_is_issued_once_its_record_is_there(slow_sandbox: Sandbox) -> None:
    acm, dns = slow_sandbox.client("acm"), slow_sandbox.client("route53")
    asked = {
        "DomainName": "x.tastycidr.net",
        "SubjectAlternativeNames": ["*.x.tastycidr.net"],
        "ValidationMethod": "DNS",
    }
    arn = acm.request_certificate(IdempotencyToken="t", **asked)["CertificateArn"]
    assert acm.request_certificate(IdempotencyToken="t", **asked)["CertificateArn"] == arn
    assert acm.request_certificate(IdempotencyToken="u", **asked)["CertificateArn"] != arn

    def shown() -> Any:
        return acm.describe_certificate(CertificateArn=arn)["Certificate"]

    assert all("ResourceRecord" not in o for o in shown()["DomainValidationOptions"])
    slow_sandbox.until(lambda: all("ResourceRecord" in o for o in shown()["DomainValidationOptions"]))
    assert shown()["Status"] == "PENDING_VALIDATION"
    records = {o["ResourceRecord"]["Name"]: o["ResourceRecord"]["Value"] for o in shown()["DomainValidationOptions"]}
    assert len(records) == 1
    zone = dns.list_hosted_zones()["HostedZones"][0]["Id"]
    for name, value in records.items():
        record = {"Name": name, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": value}]}
        change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)
    slow_sandbox.until(lambda: shown()["Status"] == "ISSUED")
    assert (
        code_of(acm.delete_certificate, CertificateArn=arn.replace("certificate/", "certificate/0"))
        == "ResourceNotFoundException"
    )
    acm.delete_certificate(CertificateArn=arn)
