"""Client tokens, pages, filters and launch templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from sandboxes import Sandbox, code_of
from test_instances import AMI, Ground

# MARK: tokens


def _vpc(ec2: Any) -> str:
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def _cases() -> dict[
    str, Callable[[Any], tuple[Callable[..., Any], dict[str, Any], dict[str, Any], Callable[[Any], Any]]]
]:
    def instances(ec2: Any) -> Any:
        asked = Ground(ec2).asked()
        return ec2.run_instances, asked, {"InstanceType": "m5.xlarge"}, lambda r: r["Instances"][0]["InstanceId"]

    def gateway(ec2: Any) -> Any:
        subnet = ec2.create_subnet(VpcId=_vpc(ec2), CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        asked = {"SubnetId": subnet, "ConnectivityType": "private"}
        return (
            ec2.create_nat_gateway,
            asked,
            {"PrivateIpAddress": "10.0.0.9"},
            lambda r: r["NatGateway"]["NatGatewayId"],
        )

    def table(ec2: Any) -> Any:
        return (
            ec2.create_route_table,
            {"VpcId": _vpc(ec2)},
            {"VpcId": _vpc(ec2)},
            lambda r: r["RouteTable"]["RouteTableId"],
        )

    def acl(ec2: Any) -> Any:
        return (
            ec2.create_network_acl,
            {"VpcId": _vpc(ec2)},
            {"VpcId": _vpc(ec2)},
            lambda r: r["NetworkAcl"]["NetworkAclId"],
        )

    def endpoint(ec2: Any) -> Any:
        asked = {"VpcId": _vpc(ec2), "ServiceName": "com.amazonaws.us-east-1.s3"}
        other = {"ServiceName": "com.amazonaws.us-east-1.dynamodb"}
        return ec2.create_vpc_endpoint, asked, other, lambda r: r["VpcEndpoint"]["VpcEndpointId"]

    def template(ec2: Any) -> Any:
        asked = {"LaunchTemplateName": "base", "LaunchTemplateData": {"ImageId": AMI}}
        other = {"LaunchTemplateData": {"ImageId": AMI, "InstanceType": "m5.large"}}
        return ec2.create_launch_template, asked, other, lambda r: r["LaunchTemplate"]["LaunchTemplateId"]

    def version(ec2: Any) -> Any:
        ec2.create_launch_template(LaunchTemplateName="base", LaunchTemplateData={"ImageId": AMI})
        asked = {"LaunchTemplateName": "base", "LaunchTemplateData": {"ImageId": AMI}}
        other = {"LaunchTemplateData": {"InstanceType": "m5.large"}}
        return ec2.create_launch_template_version, asked, other, lambda r: r["LaunchTemplateVersion"]["VersionNumber"]

    def volume(ec2: Any) -> Any:
        asked = {"AvailabilityZone": "us-east-1a", "Size": 5}
        return ec2.create_volume, asked, {"Size": 6}, lambda r: r["VolumeId"]

    return {f.__name__: f for f in (instances, gateway, table, acl, endpoint, template, version, volume)}


@pytest.mark.parametrize("name", list(_cases()))
def test_a_token_makes_one_object(name: str, ec2: Any) -> None:
    call, asked, other, identity = _cases()[name](ec2)
    first = identity(call(ClientToken="once", **asked))
    assert identity(call(ClientToken="once", **asked)) == first
    assert code_of(call, **({"ClientToken": "once"} | asked | other)) == "IdempotentParameterMismatch"
    if name != "template":
        assert identity(call(ClientToken="twice", **asked)) != first


def test_instances_are_found_by_their_token(ec2: Any) -> None:
    ground = Ground(ec2)
    instance = ground.run(ClientToken="mine")
    ground.run(ClientToken="other")
    found = ec2.describe_instances(Filters=[{"Name": "client-token", "Values": ["mine"]}])["Reservations"]
    assert [i["InstanceId"] for r in found for i in r["Instances"]] == [instance]


def test_tokens_are_short(ec2: Any) -> None:
    assert (
        code_of(ec2.create_volume, AvailabilityZone="us-east-1a", Size=5, ClientToken="x" * 65)
        == "InvalidParameterValue"
    )


# MARK: pages


def _many(ec2: Any, n: int) -> str:
    vpc = _vpc(ec2)
    for i in range(n):
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24")
        ec2.create_route_table(VpcId=vpc)
        ec2.create_network_acl(VpcId=vpc)
        ec2.create_security_group(GroupName=f"g{i}", Description="g", VpcId=vpc)
        ec2.create_internet_gateway()
        ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    return vpc


@pytest.mark.parametrize(
    ("operation", "member"),
    [
        ("describe_vpcs", "Vpcs"),
        ("describe_subnets", "Subnets"),
        ("describe_route_tables", "RouteTables"),
        ("describe_network_acls", "NetworkAcls"),
        ("describe_security_groups", "SecurityGroups"),
        ("describe_security_group_rules", "SecurityGroupRules"),
        ("describe_internet_gateways", "InternetGateways"),
        ("describe_volumes", "Volumes"),
        ("describe_images", "Images"),
    ],
)
def test_pages_end_and_miss_nothing(ec2: Any, operation: str, member: str) -> None:
    _many(ec2, 7)
    for _ in range(4):
        _vpc(ec2)
    call = getattr(ec2, operation)
    whole = call()[member]
    assert len(whole) > 5
    parts, token = [], None
    while True:
        answer = call(MaxResults=5, **({"NextToken": token} if token else {}))
        parts.append(answer[member])
        token = answer.get("NextToken")
        if not token:
            break
    assert all(len(p) == 5 for p in parts[:-1])
    assert [x for p in parts for x in p] == whole


def test_page_sizes_and_tokens_are_checked(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2", config=Config(parameter_validation=False))
    assert code_of(ec2.describe_vpcs, MaxResults=4) == "InvalidParameterValue"
    assert code_of(ec2.describe_vpcs, MaxResults=1001) == "InvalidParameterValue"
    assert code_of(ec2.describe_route_tables, MaxResults=101) == "InvalidParameterValue"
    assert code_of(ec2.describe_vpcs, NextToken="nonsense") == "InvalidParameterValue"
    assert code_of(ec2.describe_launch_templates, MaxResults=1) == ""
    token = sandbox.client("ec2").describe_images(MaxResults=5)["NextToken"]
    assert code_of(ec2.describe_vpcs, NextToken=token) == "InvalidParameterValue"


def test_page_sizes_do_not_go_with_instance_ids(ec2: Any) -> None:
    instance = Ground(ec2).run()
    assert code_of(ec2.describe_instances, InstanceIds=[instance], MaxResults=5) == "InvalidParameterCombination"


def test_instances_page(ec2: Any) -> None:
    ground = Ground(ec2)
    made = {ground.run() for _ in range(7)}
    pages = list(ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5}))
    assert len(pages) == 2
    assert {i["InstanceId"] for p in pages for r in p["Reservations"] for i in r["Instances"]} == made


def test_iam_pages(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam")
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
    for n in range(5):
        iam.create_role(RoleName=f"r{n}", AssumeRolePolicyDocument=trust)
        iam.create_instance_profile(InstanceProfileName=f"p{n}")
    profiles = iam.list_instance_profiles(MaxItems=2)
    assert profiles["IsTruncated"] is True
    assert len(profiles["InstanceProfiles"]) == 2
    assert iam.list_instance_profiles()["IsTruncated"] is False
    pages = list(
        iam.get_paginator("get_account_authorization_details").paginate(
            Filter=["Role"], PaginationConfig={"PageSize": 2}
        )
    )
    assert [len(p["RoleDetailList"]) for p in pages] == [2, 2, 1]


# MARK: filters


@pytest.mark.parametrize(
    "operation",
    [
        "describe_vpcs",
        "describe_subnets",
        "describe_instances",
        "describe_nat_gateways",
        "describe_security_groups",
        "describe_network_acls",
        "describe_vpc_endpoints",
        "describe_launch_templates",
        "describe_route_tables",
        "describe_addresses",
        "describe_volumes",
        "describe_key_pairs",
        "describe_images",
        "describe_network_interfaces",
        "describe_availability_zones",
    ],
)
def test_unknown_filters_are_refused(ec2: Any, operation: str) -> None:
    name = "Filter" if operation == "describe_nat_gateways" else "Filters"
    assert (
        code_of(getattr(ec2, operation), **{name: [{"Name": "colour", "Values": ["red"]}]}) == "InvalidParameterValue"
    )


def test_filters_are_and_values_are_or_and_wildcards_work(ec2: Any) -> None:
    tags = lambda v: [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": v}]}]  # noqa: E731
    for name in ("alpha", "beta", "gamma"):
        ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags(name))

    def names(*filters: tuple[str, list[str]]) -> list[str]:
        found = ec2.describe_vpcs(Filters=[{"Name": n, "Values": v} for n, v in filters])["Vpcs"]
        return sorted(t["Value"] for v in found for t in v["Tags"])

    assert names(("tag:Name", ["alpha", "beta"])) == ["alpha", "beta"]
    assert names(("tag:Name", ["*m*"]), ("state", ["available"])) == ["gamma"]
    assert names(("tag-key", ["Name"]), ("cidr", ["10.0.0.0/16"])) == ["alpha", "beta", "gamma"]
    assert names(("tag:Name", ["?eta"])) == ["beta"]
    assert names(("tag:Name", ["nobody"])) == []


def test_two_hundred_values_are_the_limit(ec2: Any) -> None:
    values = [f"vpc-{n:017x}" for n in range(201)]
    assert code_of(ec2.describe_vpcs, Filters=[{"Name": "vpc-id", "Values": values}]) == "FilterLimitExceeded"
    assert ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": values[:200]}])["Vpcs"] == []


# MARK: tags


def test_tags_of_what_does_not_exist(ec2: Any) -> None:
    tag = [{"Key": "a", "Value": "b"}]
    assert code_of(ec2.create_tags, Resources=["vpc-0123456789abcdef0"], Tags=tag) == "InvalidVpcID.NotFound"
    assert code_of(ec2.create_tags, Resources=["subnet-0123456789abcdef0"], Tags=tag) == "InvalidSubnetID.NotFound"
    vpc = _vpc(ec2)
    assert code_of(ec2.create_tags, Resources=[vpc], Tags=[{"Key": "aws:x", "Value": "b"}]) == "InvalidParameterValue"
    assert (
        code_of(ec2.create_tags, Resources=[vpc], Tags=[{"Key": f"k{n}", "Value": ""} for n in range(51)])
        == "TagLimitExceeded"
    )
    wrong = [{"ResourceType": "subnet", "Tags": tag}]
    assert code_of(ec2.create_vpc, CidrBlock="10.0.0.0/16", TagSpecifications=wrong) == "InvalidParameterValue"


# MARK: launch templates


def test_launch_templates_are_not_cut_off(ec2: Any) -> None:
    made = [
        ec2.create_launch_template(LaunchTemplateName=f"t{n:03}", LaunchTemplateData={"ImageId": AMI})[
            "LaunchTemplate"
        ]["LaunchTemplateId"]
        for n in range(20)
    ]
    assert len(ec2.describe_launch_templates()["LaunchTemplates"]) == 20
    assert len(ec2.describe_launch_templates(LaunchTemplateIds=made)["LaunchTemplates"]) == 20
    assert len(ec2.describe_launch_template_versions(Versions=["$Latest", "$Default"])["LaunchTemplateVersions"]) == 20
    found = ec2.describe_launch_templates(Filters=[{"Name": "launch-template-id", "Values": made[:1]}])[
        "LaunchTemplates"
    ]
    assert [t["LaunchTemplateId"] for t in found] == made[:1]
    assert (
        code_of(ec2.describe_launch_templates, LaunchTemplateIds=["lt-0123456789abcdef0"])
        == "InvalidLaunchTemplateId.NotFound"
    )


def test_launch_template_versions(ec2: Any) -> None:
    ec2.create_launch_template(
        LaunchTemplateName="base", LaunchTemplateData={"ImageId": AMI, "InstanceType": "m5.large"}
    )
    asked = {"LaunchTemplateName": "base", "SourceVersion": "1", "LaunchTemplateData": {"InstanceType": "m5.xlarge"}}
    data = ec2.create_launch_template_version(**asked)["LaunchTemplateVersion"]["LaunchTemplateData"]
    assert data == {"ImageId": AMI, "InstanceType": "m5.xlarge"}
    ec2.modify_launch_template(LaunchTemplateName="base", DefaultVersion="2")
    done = ec2.delete_launch_template_versions(LaunchTemplateName="base", Versions=["1", "2", "9"])
    assert [v["VersionNumber"] for v in done["SuccessfullyDeletedLaunchTemplateVersions"]] == [1]
    assert [v["VersionNumber"] for v in done["UnsuccessfullyDeletedLaunchTemplateVersions"]] == [2, 9]
    again = ec2.create_launch_template_version(LaunchTemplateName="base", LaunchTemplateData={"ImageId": AMI})
    assert again["LaunchTemplateVersion"]["VersionNumber"] == 3
    unknown = {"LaunchTemplateName": "base", "Versions": ["1"]}
    assert code_of(ec2.describe_launch_template_versions, **unknown) == "InvalidLaunchTemplateId.VersionNotFound"
