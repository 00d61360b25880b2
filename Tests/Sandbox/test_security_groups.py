"""Security groups and rules."""

from __future__ import annotations

from typing import Any

import pytest
from sandboxes import code_of


@pytest.fixture
def vpc(ec2: Any) -> str:
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture
def groups(ec2: Any, vpc: str) -> list[str]:
    return [ec2.create_security_group(GroupName=n, Description=n, VpcId=vpc)["GroupId"] for n in ("a", "b")]


def tcp(port: int, **source: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port} | source


def test_a_group_named_by_another_stays(ec2: Any, groups: list[str]) -> None:
    one, two = groups
    for mine, other in ((one, two), (two, one)):
        rule = tcp(80, UserIdGroupPairs=[{"GroupId": other}])
        ec2.authorize_security_group_ingress(GroupId=mine, IpPermissions=[rule])
    assert code_of(ec2.delete_security_group, GroupId=one) == "DependencyViolation"
    assert code_of(ec2.delete_security_group, GroupId=two) == "DependencyViolation"
    ec2.revoke_security_group_ingress(GroupId=one, IpPermissions=[tcp(80, UserIdGroupPairs=[{"GroupId": two}])])
    ec2.delete_security_group(GroupId=two)
    ec2.delete_security_group(GroupId=one)


def test_a_group_that_names_itself_goes(ec2: Any, groups: list[str]) -> None:
    rule = tcp(80, UserIdGroupPairs=[{"GroupId": groups[0]}])
    ec2.authorize_security_group_ingress(GroupId=groups[0], IpPermissions=[rule])
    ec2.delete_security_group(GroupId=groups[0])


def test_a_group_on_an_interface_stays(ec2: Any, vpc: str, groups: list[str]) -> None:
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    eni = ec2.create_network_interface(SubnetId=subnet, Groups=[groups[0]])["NetworkInterface"]["NetworkInterfaceId"]
    assert code_of(ec2.delete_security_group, GroupId=groups[0]) == "DependencyViolation"
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.delete_security_group(GroupId=groups[0])


def test_the_default_group_stays(ec2: Any, vpc: str) -> None:
    known = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    default = ec2.describe_security_groups(Filters=known)["SecurityGroups"][0]["GroupId"]
    assert code_of(ec2.delete_security_group, GroupId=default) == "CannotDelete"


def test_names_and_ids(ec2: Any, vpc: str, groups: list[str]) -> None:
    assert code_of(ec2.create_security_group, GroupName="a", Description="a", VpcId=vpc) == "InvalidGroup.Duplicate"
    assert code_of(ec2.create_security_group, GroupName="sg-x", Description="a", VpcId=vpc) == "InvalidParameterValue"
    assert code_of(ec2.describe_security_groups, GroupIds=["sg-0123456789abcdef0"]) == "InvalidGroup.NotFound"
    assert code_of(ec2.delete_security_group, GroupId="sg-0123456789abcdef0") == "InvalidGroup.NotFound"
    assert code_of(ec2.describe_security_groups, GroupIds=["sg-x"]) == "InvalidGroupId.Malformed"


def test_cidrs_with_host_bits(ec2: Any, groups: list[str]) -> None:
    refused = tcp(80, IpRanges=[{"CidrIp": "10.0.0.1/16"}])
    assert (
        code_of(ec2.authorize_security_group_ingress, GroupId=groups[0], IpPermissions=[refused])
        == "InvalidParameterValue"
    )
    taken = tcp(80, Ipv6Ranges=[{"CidrIpv6": "2001:db8::1/32"}])
    made = ec2.authorize_security_group_ingress(GroupId=groups[0], IpPermissions=[taken])["SecurityGroupRules"]
    assert made[0]["CidrIpv6"] == "2001:db8::/32"


def test_a_batch_is_made_whole_or_not_at_all(ec2: Any, groups: list[str]) -> None:
    ec2.authorize_security_group_ingress(
        GroupId=groups[0], IpPermissions=[tcp(80, IpRanges=[{"CidrIp": "10.0.0.0/8"}])]
    )
    batch = [
        tcp(81, IpRanges=[{"CidrIp": "10.0.0.0/8"}]),
        tcp(80, IpRanges=[{"CidrIp": "10.0.0.0/8", "Description": "x"}]),
    ]
    assert (
        code_of(ec2.authorize_security_group_ingress, GroupId=groups[0], IpPermissions=batch)
        == "InvalidPermission.Duplicate"
    )
    held = ec2.describe_security_groups(GroupIds=[groups[0]])["SecurityGroups"][0]["IpPermissions"]
    assert [p["FromPort"] for p in held] == [80]


def test_all_rules_of_a_batch_are_answered_and_tagged(ec2: Any, groups: list[str]) -> None:
    batch = [
        tcp(80, IpRanges=[{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "11.0.0.0/8"}]),
        tcp(81, UserIdGroupPairs=[{"GroupId": groups[1]}]),
    ]
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "k", "Value": "v"}]}]
    made = ec2.authorize_security_group_ingress(GroupId=groups[0], IpPermissions=batch, TagSpecifications=tags)[
        "SecurityGroupRules"
    ]
    assert len({r["SecurityGroupRuleId"] for r in made}) == 3
    assert all(r["Tags"] == [{"Key": "k", "Value": "v"}] for r in made)
    known = [{"Name": "group-id", "Values": [groups[0]]}, {"Name": "tag:k", "Values": ["v"]}]
    assert len(ec2.describe_security_group_rules(Filters=known)["SecurityGroupRules"]) == 3


def test_rules_are_modified_in_every_field(ec2: Any, groups: list[str]) -> None:
    made = ec2.authorize_security_group_ingress(
        GroupId=groups[0], IpPermissions=[tcp(80, IpRanges=[{"CidrIp": "10.0.0.0/8"}])]
    )
    rule = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    wanted = {"IpProtocol": "udp", "FromPort": 53, "ToPort": 54, "ReferencedGroupId": groups[1], "Description": "dns"}
    update = [{"SecurityGroupRuleId": rule, "SecurityGroupRule": wanted}]
    ec2.modify_security_group_rules(GroupId=groups[0], SecurityGroupRules=update)
    shown = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"][0]
    assert (shown["IpProtocol"], shown["FromPort"], shown["ToPort"], shown["Description"]) == ("udp", 53, 54, "dns")
    assert shown["ReferencedGroupInfo"]["GroupId"] == groups[1]
    assert "CidrIpv4" not in shown
    assert code_of(ec2.delete_security_group, GroupId=groups[1]) == "DependencyViolation"


def test_rules_are_revoked_by_id_or_by_content(ec2: Any, groups: list[str]) -> None:
    permission = tcp(80, IpRanges=[{"CidrIp": "10.0.0.0/8"}])
    made = ec2.authorize_security_group_ingress(GroupId=groups[0], IpPermissions=[permission])
    rule = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    ec2.revoke_security_group_ingress(GroupId=groups[0], SecurityGroupRuleIds=[rule])
    by_id = {"GroupId": groups[0], "SecurityGroupRuleIds": [rule]}
    assert code_of(ec2.revoke_security_group_ingress, **by_id) == "InvalidSecurityGroupRuleId.NotFound"
    by_content = {"GroupId": groups[0], "IpPermissions": [permission]}
    assert code_of(ec2.revoke_security_group_ingress, **by_content) == "InvalidPermission.NotFound"


def test_ports_protocols_and_sources_are_checked(ec2: Any, groups: list[str]) -> None:
    source = {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    for permission in (
        {"IpProtocol": "tcp"} | source,
        {"IpProtocol": "tcp", "FromPort": 90, "ToPort": 80} | source,
        {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 70000} | source,
        {"IpProtocol": "tea"} | source,
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80},
    ):
        code = code_of(ec2.authorize_security_group_ingress, GroupId=groups[0], IpPermissions=[permission])
        assert code == "InvalidParameterValue", permission
    unknown = tcp(80, UserIdGroupPairs=[{"GroupId": "sg-0123456789abcdef0"}])
    assert (
        code_of(ec2.authorize_security_group_ingress, GroupId=groups[0], IpPermissions=[unknown])
        == "InvalidGroup.NotFound"
    )


def test_sixty_rules_are_the_limit(ec2: Any, groups: list[str]) -> None:
    ranges = [{"CidrIp": f"10.0.{n}.0/24"} for n in range(61)]
    asked = {"GroupId": groups[0], "IpPermissions": [tcp(80, IpRanges=ranges)]}
    assert code_of(ec2.authorize_security_group_ingress, **asked) == "RulesPerSecurityGroupLimitExceeded"
    ec2.authorize_security_group_ingress(GroupId=groups[0], IpPermissions=[tcp(80, IpRanges=ranges[:60])])


def test_a_new_group_lets_everything_out(ec2: Any, groups: list[str]) -> None:
    held = ec2.describe_security_groups(GroupIds=[groups[0]])["SecurityGroups"][0]["IpPermissionsEgress"]
    assert [(p["IpProtocol"], p["IpRanges"]) for p in held] == [("-1", [{"CidrIp": "0.0.0.0/0"}])]
    assert "FromPort" not in held[0]
    ec2.revoke_security_group_egress(
        GroupId=groups[0], IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    assert ec2.describe_security_groups(GroupIds=[groups[0]])["SecurityGroups"][0]["IpPermissionsEgress"] == []
