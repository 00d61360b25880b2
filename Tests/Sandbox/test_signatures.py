"""SigV4, checked by the sandbox itself."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from sandboxes import Sandbox, code_of

CALLS = {
    "ec2": ("describe_vpcs", {}),
    "iam": ("list_roles", {}),
    "sts": ("get_caller_identity", {}),
    "route53": ("list_hosted_zones_by_name", {"DNSName": "a b+c/d.net"}),
    "ssm": ("describe_parameters", {}),
    "acm": ("list_certificates", {}),
    "elbv2": ("describe_load_balancers", {}),
    "s3": ("list_buckets", {}),
    "cloudwatch": ("describe_alarms", {}),
}


@pytest.fixture(scope="module")
def checking(sandbox_factory: Callable[..., Sandbox]) -> Sandbox:
    return sandbox_factory(MUSTER_SANDBOX_VERIFY="1")


def ask(checking: Sandbox, service: str, **options: Any) -> str:
    operation, parameters = CALLS[service]
    return code_of(getattr(checking.client(service, **options), operation), **parameters)


@pytest.mark.parametrize("service", list(CALLS))
def test_a_right_signature(checking: Sandbox, service: str) -> None:
    assert ask(checking, service) == ""


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("ec2", "AuthFailure", 401),
        ("iam", "SignatureDoesNotMatch", 403),
        ("sts", "SignatureDoesNotMatch", 403),
        ("route53", "SignatureDoesNotMatch", 403),
        ("ssm", "InvalidSignatureException", 400),
        ("acm", "InvalidSignatureException", 400),
        ("s3", "SignatureDoesNotMatch", 403),
    ],
)
def test_a_wrong_secret(checking: Sandbox, service: str, code: str, status: int) -> None:
    operation, parameters = CALLS[service]
    with pytest.raises(ClientError) as refused:
        getattr(checking.client(service, aws_secret_access_key="wrong"), operation)(**parameters)
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("ec2", "AuthFailure"),
        ("sts", "InvalidClientTokenId"),
        ("ssm", "UnrecognizedClientException"),
        ("s3", "InvalidAccessKeyId"),
    ],
)
def test_an_unknown_key(checking: Sandbox, service: str, code: str) -> None:
    assert ask(checking, service, aws_access_key_id="AKIANOBODY") == code


@pytest.mark.parametrize(
    ("service", "code"),
    [("ec2", "RequestExpired"), ("sts", "ExpiredToken"), ("route53", "ExpiredToken"), ("ssm", "ExpiredTokenException")],
)
def test_an_expired_token(checking: Sandbox, service: str, code: str) -> None:
    assert ask(checking, service, aws_session_token="EXPIRED") == code


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("ec2", "UnauthorizedOperation"),
        ("iam", "AccessDenied"),
        ("route53", "AccessDenied"),
        ("ssm", "AccessDeniedException"),
    ],
)
def test_a_key_without_permission(checking: Sandbox, service: str, code: str) -> None:
    assert ask(checking, service, aws_access_key_id="AKIADENIED1") == code


@pytest.mark.parametrize("minutes", [-10, 10])
@pytest.mark.parametrize(
    ("service", "code"),
    [("ec2", "RequestExpired"), ("iam", "SignatureDoesNotMatch"), ("ssm", "InvalidSignatureException")],
)
def test_a_wrong_clock(checking: Sandbox, service: str, code: str, minutes: int) -> None:
    wrong = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) + datetime.timedelta(minutes=minutes)
    with mock.patch("botocore.auth.get_current_datetime", return_value=wrong, create=True):
        assert ask(checking, service) == code


def test_keys_of_assumed_roles(checking: Sandbox) -> None:
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
    role = checking.client("iam").create_role(RoleName="assumed", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    keys = checking.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    mine = {"aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"]}
    assert ask(checking, "ec2", aws_session_token=keys["SessionToken"], **mine) == ""
    assert ask(checking, "ec2", aws_session_token="other", **mine) == "AuthFailure"
    assert (
        ask(checking, "ec2", **(mine | {"aws_secret_access_key": "wrong"}), aws_session_token=keys["SessionToken"])
        == "AuthFailure"
    )


def test_keys_of_users(checking: Sandbox) -> None:
    iam = checking.client("iam")
    iam.create_user(UserName="somebody")
    keys = iam.create_access_key(UserName="somebody")["AccessKey"]
    assert (
        ask(checking, "sts", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"]) == ""
    )


def test_unsigned_requests_are_refused(checking: Sandbox) -> None:
    from botocore import UNSIGNED
    from botocore.config import Config

    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    assert ask(checking, "sts", config=config) == "MissingAuthenticationToken"
