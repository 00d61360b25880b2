"""The ec2 network family: what AWS refuses, normalises and remembers."""

from __future__ import annotations

from typing import Any

import pytest
from sandboxes import Sandbox, code_of


class Network:
    """A VPC with a subnet and an internet gateway."""

    def __init__(self, ec2: Any) -> None:
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        self.gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["RouteTables"]
        self.main_table = tables[0]["RouteTableId"]


@pytest.fixture
def network(ec2: Any) -> Network:
    return Network(ec2)


# MARK: VPC


def test_cidr_host_bits_are_cut_off(ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.5.0.1/16")["Vpc"]
    assert vpc["CidrBlock"] == "10.5.0.0/16"
    subnet = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.5.3.9/24")["Subnet"]
    assert subnet["CidrBlock"] == "10.5.3.0/24"


def test_vpc_sizes(ec2: Any) -> None:
    assert code_of(ec2.create_vpc, CidrBlock="10.0.0.0/15") == "InvalidVpc.Range"
    assert code_of(ec2.create_vpc, CidrBlock="10.0.0.0/29") == "InvalidVpc.Range"
    assert code_of(ec2.create_vpc, CidrBlock="ten") == "InvalidParameterValue"


def test_unknown_and_malformed_vpc_ids(ec2: Any) -> None:
    assert code_of(ec2.describe_vpcs, VpcIds=["vpc-0123456789abcdef0"]) == "InvalidVpcID.NotFound"
    assert code_of(ec2.describe_vpcs, VpcIds=["vpc-xyz"]) == "InvalidVpcID.Malformed"
    assert ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": ["vpc-0123456789abcdef0"]}])["Vpcs"] == []


def test_one_vpc_attribute_per_call(ec2: Any, network: Network) -> None:
    both = {"EnableDnsSupport": {"Value": True}, "EnableDnsHostnames": {"Value": True}}
    assert code_of(ec2.modify_vpc_attribute, VpcId=network.vpc, **both) == "InvalidParameterCombination"
    ec2.modify_vpc_attribute(VpcId=network.vpc, EnableDnsHostnames={"Value": True})
    shown = ec2.describe_vpc_attribute(VpcId=network.vpc, Attribute="enableDnsHostnames")
    assert shown["EnableDnsHostnames"] == {"Value": True}


def test_hostnames_need_dns_support(ec2: Any, network: Network) -> None:
    ec2.modify_vpc_attribute(VpcId=network.vpc, EnableDnsSupport={"Value": False})
    assert (
        code_of(ec2.modify_vpc_attribute, VpcId=network.vpc, EnableDnsHostnames={"Value": True})
        == "InvalidParameterValue"
    )


def test_a_vpc_has_dhcp_options_that_can_be_described(ec2: Any, network: Network) -> None:
    options = ec2.describe_vpcs(VpcIds=[network.vpc])["Vpcs"][0]["DhcpOptionsId"]
    assert ec2.describe_dhcp_options(DhcpOptionsIds=[options])["DhcpOptions"][0]["DhcpOptionsId"] == options


def test_dhcp_options_survive_their_vpc(ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    values = [{"Key": "domain-name", "Values": ["example.net"]}]
    options = ec2.create_dhcp_options(DhcpConfigurations=values)["DhcpOptions"]["DhcpOptionsId"]
    ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=vpc)
    assert code_of(ec2.delete_dhcp_options, DhcpOptionsId=options) == "DependencyViolation"
    ec2.delete_vpc(VpcId=vpc)
    ec2.delete_dhcp_options(DhcpOptionsId=options)


@pytest.mark.parametrize("what", ["group", "table", "acl", "endpoint", "gateway", "subnet", "nat"])
def test_a_vpc_is_not_deleted_with(what: str, ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    match what:
        case "group":
            made = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
            undo = [lambda: ec2.delete_security_group(GroupId=made)]
        case "table":
            made = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
            undo = [lambda: ec2.delete_route_table(RouteTableId=made)]
        case "acl":
            made = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
            undo = [lambda: ec2.delete_network_acl(NetworkAclId=made)]
        case "endpoint":
            asked = {"VpcId": vpc, "ServiceName": "com.amazonaws.us-east-1.s3"}
            made = ec2.create_vpc_endpoint(**asked)["VpcEndpoint"]["VpcEndpointId"]
            undo = [lambda: ec2.delete_vpc_endpoints(VpcEndpointIds=[made])]
        case "gateway":
            made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
            ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc)
            undo = [lambda: ec2.detach_internet_gateway(InternetGatewayId=made, VpcId=vpc)]
        case "subnet":
            made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
            undo = [lambda: ec2.delete_subnet(SubnetId=made)]
        case _:
            subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
            made = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
            undo = [lambda: ec2.delete_nat_gateway(NatGatewayId=made), lambda: ec2.delete_subnet(SubnetId=subnet)]
    assert code_of(ec2.delete_vpc, VpcId=vpc) == "DependencyViolation"
    for step in undo:
        step()
    ec2.delete_vpc(VpcId=vpc)
    assert code_of(ec2.describe_vpcs, VpcIds=[vpc]) == "InvalidVpcID.NotFound"


def test_what_came_with_a_vpc_goes_with_it(ec2: Any) -> None:
    def counts() -> list[int]:
        return [
            len(ec2.describe_route_tables()["RouteTables"]),
            len(ec2.describe_network_acls()["NetworkAcls"]),
            len(ec2.describe_security_groups()["SecurityGroups"]),
            len(ec2.describe_tags()["Tags"]),
        ]

    before = counts()
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
    assert counts() != before
    ec2.delete_vpc(VpcId=vpc)
    assert counts() == before


# MARK: subnets


def test_subnet_conflicts_ranges_and_zones(ec2: Any, network: Network) -> None:
    assert code_of(ec2.create_subnet, VpcId=network.vpc, CidrBlock="10.0.1.128/25") == "InvalidSubnet.Conflict"
    assert code_of(ec2.create_subnet, VpcId=network.vpc, CidrBlock="10.1.0.0/24") == "InvalidSubnet.Range"
    assert code_of(ec2.create_subnet, VpcId=network.vpc, CidrBlock="10.0.2.0/29") == "InvalidSubnet.Range"
    asked = {"VpcId": network.vpc, "CidrBlock": "10.0.2.0/24"}
    assert code_of(ec2.create_subnet, AvailabilityZone="us-east-1z", **asked) == "InvalidParameterValue"
    assert code_of(ec2.create_subnet, AvailabilityZone="eu-west-1a", **asked) == "InvalidParameterValue"


def test_a_new_subnet_is_not_default_and_maps_no_public_addresses(ec2: Any, network: Network) -> None:
    subnet = ec2.describe_subnets(SubnetIds=[network.subnet])["Subnets"][0]
    assert (subnet["DefaultForAz"], subnet["MapPublicIpOnLaunch"]) == (False, False)


@pytest.mark.parametrize(
    ("attribute", "value", "where"),
    [
        ("MapPublicIpOnLaunch", {"Value": True}, ("MapPublicIpOnLaunch", True)),
        ("EnableDns64", {"Value": True}, ("EnableDns64", True)),
        ("PrivateDnsHostnameTypeOnLaunch", "resource-name", ("HostnameType", "resource-name")),
        ("EnableResourceNameDnsARecordOnLaunch", {"Value": True}, ("EnableResourceNameDnsARecord", True)),
        ("EnableResourceNameDnsAAAARecordOnLaunch", {"Value": True}, ("EnableResourceNameDnsAAAARecord", True)),
    ],
)
def test_every_subnet_attribute_is_kept(
    ec2: Any, network: Network, attribute: str, value: Any, where: tuple[str, Any]
) -> None:
    ec2.modify_subnet_attribute(SubnetId=network.subnet, **{attribute: value})
    subnet = ec2.describe_subnets(SubnetIds=[network.subnet])["Subnets"][0]
    assert {**subnet, **subnet["PrivateDnsNameOptionsOnLaunch"]}[where[0]] == where[1]


def test_one_subnet_attribute_per_call(ec2: Any, network: Network) -> None:
    both = {"MapPublicIpOnLaunch": {"Value": True}, "EnableDns64": {"Value": True}}
    assert code_of(ec2.modify_subnet_attribute, SubnetId=network.subnet, **both) == "InvalidParameterCombination"


def test_a_subnet_is_not_deleted_with_an_interface(ec2: Any, network: Network) -> None:
    eni = ec2.create_network_interface(SubnetId=network.subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert code_of(ec2.delete_subnet, SubnetId=network.subnet) == "DependencyViolation"
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.delete_subnet(SubnetId=network.subnet)
    assert code_of(ec2.delete_subnet, SubnetId=network.subnet) == "InvalidSubnetID.NotFound"


def test_associations_go_with_their_subnet(ec2: Any, network: Network) -> None:
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=network.subnet)
    ec2.delete_subnet(SubnetId=network.subnet)
    ec2.delete_route_table(RouteTableId=table)


# MARK: internet gateways


def test_a_vpc_takes_one_internet_gateway(ec2: Any, network: Network) -> None:
    other = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    assert code_of(ec2.attach_internet_gateway, InternetGatewayId=other, VpcId=network.vpc) == "InvalidParameterValue"
    again = {"InternetGatewayId": network.gateway, "VpcId": network.vpc}
    assert code_of(ec2.attach_internet_gateway, **again) == "Resource.AlreadyAssociated"
    assert code_of(ec2.detach_internet_gateway, InternetGatewayId=other, VpcId=network.vpc) == "Gateway.NotAttached"
    assert code_of(ec2.delete_internet_gateway, InternetGatewayId=network.gateway) == "DependencyViolation"


def test_an_internet_gateway_stays_while_public_addresses_are_mapped(ec2: Any, network: Network) -> None:
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=network.subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    both = {"InternetGatewayId": network.gateway, "VpcId": network.vpc}
    assert code_of(ec2.detach_internet_gateway, **both) == "DependencyViolation"
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    ec2.detach_internet_gateway(**both)


# MARK: NAT gateways and addresses


def test_an_unknown_nat_gateway(ec2: Any) -> None:
    assert code_of(ec2.describe_nat_gateways, NatGatewayIds=["nat-0123456789abcdef0"]) == "NatGatewayNotFound"
    assert code_of(ec2.delete_nat_gateway, NatGatewayId="nat-0123456789abcdef0") == "NatGatewayNotFound"


def test_a_nat_gateway_is_pending_then_available_then_deleted(slow_sandbox: Sandbox) -> None:
    ec2 = slow_sandbox.client("ec2")
    network = Network(ec2)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=network.subnet, AllocationId=address)["NatGateway"]
    gateway = made["NatGatewayId"]

    def shown() -> Any:
        return ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"][0]

    assert made["State"] == shown()["State"] == "pending"
    slow_sandbox.until(lambda: shown()["State"] == "available")
    assert code_of(ec2.release_address, AllocationId=address) == "InvalidIPAddress.InUse"
    ec2.create_route(RouteTableId=network.main_table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    assert shown()["State"] == "deleting"
    assert code_of(ec2.release_address, AllocationId=address) == "InvalidIPAddress.InUse"
    assert code_of(ec2.delete_subnet, SubnetId=network.subnet) == "DependencyViolation"
    slow_sandbox.until(lambda: shown()["State"] == "deleted")
    assert "DeleteTime" in shown()
    assert "AssociationId" not in ec2.describe_addresses(AllocationIds=[address])["Addresses"][0]
    routes = ec2.describe_route_tables(RouteTableIds=[network.main_table])["RouteTables"][0]["Routes"]
    assert [r["State"] for r in routes if r.get("NatGatewayId") == gateway] == ["blackhole"]
    ec2.release_address(AllocationId=address)
    ec2.delete_subnet(SubnetId=network.subnet)
    assert code_of(ec2.delete_nat_gateway, NatGatewayId=gateway) == "NatGatewayNotFound"


def test_a_nat_gateway_fails_without_an_internet_gateway(ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    shown = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"][0]
    assert (shown["State"], shown["FailureCode"]) == ("failed", "Gateway.NotAttached")
    ec2.release_address(AllocationId=address)
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    ec2.delete_subnet(SubnetId=subnet)


def test_an_address_is_used_once(ec2: Any, network: Network) -> None:
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    first = ec2.create_nat_gateway(SubnetId=network.subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    second = ec2.create_nat_gateway(SubnetId=network.subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    shown = ec2.describe_nat_gateways(NatGatewayIds=[second])["NatGateways"][0]
    assert shown["FailureCode"] == "Resource.AlreadyAssociated"
    ec2.delete_nat_gateway(NatGatewayId=first)
    ec2.release_address(AllocationId=address)
    assert code_of(ec2.release_address, AllocationId=address) == "InvalidAllocationID.NotFound"


def test_public_addresses_are_not_local(ec2: Any) -> None:
    assert not ec2.allocate_address(Domain="vpc")["PublicIp"].startswith("127.")


# MARK: routes


def test_route_destinations_are_normalised(ec2: Any, network: Network) -> None:
    asked = {"RouteTableId": network.main_table, "GatewayId": network.gateway}
    ec2.create_route(DestinationCidrBlock="10.1.2.3/16", **asked)
    routes = ec2.describe_route_tables(RouteTableIds=[network.main_table])["RouteTables"][0]["Routes"]
    assert [r["DestinationCidrBlock"] for r in routes] == ["10.0.0.0/16", "10.1.0.0/16"]
    assert code_of(ec2.create_route, DestinationCidrBlock="10.1.0.0/16", **asked) == "RouteAlreadyExists"
    ec2.delete_route(RouteTableId=network.main_table, DestinationCidrBlock="10.1.9.9/16")
    gone = {"RouteTableId": network.main_table, "DestinationCidrBlock": "10.1.0.0/16"}
    assert code_of(ec2.delete_route, **gone) == "InvalidRoute.NotFound"
    assert code_of(ec2.replace_route, GatewayId=network.gateway, **gone) == "InvalidParameterValue"


def test_route_targets_must_exist(ec2: Any, network: Network) -> None:
    asked = {"RouteTableId": network.main_table, "DestinationCidrBlock": "0.0.0.0/0"}
    assert code_of(ec2.create_route, GatewayId="igw-0123456789abcdef0", **asked) == "InvalidGatewayID.NotFound"
    assert code_of(ec2.create_route, NatGatewayId="nat-0123456789abcdef0", **asked) == "InvalidNatGatewayID.NotFound"
    assert code_of(ec2.create_route, **asked) == "MissingParameter"
    loose = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    assert code_of(ec2.create_route, GatewayId=loose, **asked) == "InvalidParameterValue"


def test_a_route_to_a_detached_gateway_is_a_blackhole(ec2: Any, network: Network) -> None:
    ec2.create_route(RouteTableId=network.main_table, DestinationCidrBlock="0.0.0.0/0", GatewayId=network.gateway)
    ec2.detach_internet_gateway(InternetGatewayId=network.gateway, VpcId=network.vpc)
    routes = ec2.describe_route_tables(RouteTableIds=[network.main_table])["RouteTables"][0]["Routes"]
    assert {r["DestinationCidrBlock"]: r["State"] for r in routes} == {
        "10.0.0.0/16": "active",
        "0.0.0.0/0": "blackhole",
    }


def test_a_subnet_has_one_route_table(ec2: Any, network: Network) -> None:
    one, two = (ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    association = ec2.associate_route_table(RouteTableId=one, SubnetId=network.subnet)["AssociationId"]
    assert code_of(ec2.associate_route_table, RouteTableId=two, SubnetId=network.subnet) == "Resource.AlreadyAssociated"
    moved = ec2.replace_route_table_association(AssociationId=association, RouteTableId=two)["NewAssociationId"]
    assert moved != association
    assert code_of(ec2.disassociate_route_table, AssociationId=association) == "InvalidAssociationID.NotFound"
    assert code_of(ec2.delete_route_table, RouteTableId=two) == "DependencyViolation"
    ec2.disassociate_route_table(AssociationId=moved)
    ec2.delete_route_table(RouteTableId=two)


def test_the_main_table_stays(ec2: Any, network: Network) -> None:
    table = ec2.describe_route_tables(RouteTableIds=[network.main_table])["RouteTables"][0]
    main = table["Associations"][0]["RouteTableAssociationId"]
    assert code_of(ec2.delete_route_table, RouteTableId=network.main_table) == "DependencyViolation"
    assert code_of(ec2.disassociate_route_table, AssociationId=main) == "InvalidParameterValue"
    local = {"RouteTableId": network.main_table, "DestinationCidrBlock": "10.0.0.0/16"}
    assert code_of(ec2.delete_route, **local) == "InvalidParameterValue"


def test_route_table_associations_begin_as_associating(slow_sandbox: Sandbox) -> None:
    ec2 = slow_sandbox.client("ec2")
    network = Network(ec2)
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    assert (
        ec2.associate_route_table(RouteTableId=table, SubnetId=network.subnet)["AssociationState"]["State"]
        == "associating"
    )

    def state() -> str:
        held = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Associations"][0]
        return str(held["AssociationState"]["State"])

    slow_sandbox.until(lambda: state() == "associated")


# MARK: ACLs


def entries(ec2: Any, acl: str) -> list[tuple[bool, int, str]]:
    held = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    return [(e["Egress"], e["RuleNumber"], e["RuleAction"]) for e in held]


def test_every_acl_ends_in_denials(ec2: Any, network: Network) -> None:
    acl = ec2.create_network_acl(VpcId=network.vpc)["NetworkAcl"]
    assert entries(ec2, acl["NetworkAclId"]) == [(True, 32767, "deny"), (False, 32767, "deny")]
    assert len(acl["Entries"]) == 2


def test_acl_entries(ec2: Any, network: Network) -> None:
    acl = ec2.create_network_acl(VpcId=network.vpc)["NetworkAcl"]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "RuleNumber": 100, "Egress": False, "Protocol": "6", "RuleAction": "allow"}
    entry |= {"CidrBlock": "10.9.9.9/8", "PortRange": {"From": 80, "To": 80}}
    assert code_of(ec2.replace_network_acl_entry, **entry) == "InvalidNetworkAclEntry.NotFound"
    missing = {"NetworkAclId": acl, "RuleNumber": 100, "Egress": False}
    assert code_of(ec2.delete_network_acl_entry, **missing) == "InvalidNetworkAclEntry.NotFound"
    ec2.create_network_acl_entry(**entry)
    assert code_of(ec2.create_network_acl_entry, **entry) == "NetworkAclEntryAlreadyExists"
    ec2.replace_network_acl_entry(**(entry | {"RuleAction": "deny"}))
    assert (False, 100, "deny") in entries(ec2, acl)
    assert code_of(ec2.create_network_acl_entry, **(entry | {"RuleNumber": 32767})) == "InvalidParameterValue"
    assert (
        code_of(ec2.create_network_acl_entry, **(entry | {"RuleNumber": 7, "Protocol": "tea"}))
        == "InvalidParameterValue"
    )
    kept = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    assert [e["CidrBlock"] for e in kept if e["RuleNumber"] == 100] == ["10.0.0.0/8"]
    ec2.delete_network_acl_entry(**missing)


def test_acl_ids_filters_and_deletion(ec2: Any, network: Network) -> None:
    acl = ec2.create_network_acl(VpcId=network.vpc)["NetworkAcl"]["NetworkAclId"]
    assert code_of(ec2.describe_network_acls, NetworkAclIds=["acl-0123456789abcdef0"]) == "InvalidNetworkAclID.NotFound"
    found = ec2.describe_network_acls(Filters=[{"Name": "network-acl-id", "Values": [acl]}])["NetworkAcls"]
    assert [a["NetworkAclId"] for a in found] == [acl]
    default = ec2.describe_network_acls(
        Filters=[{"Name": "vpc-id", "Values": [network.vpc]}, {"Name": "default", "Values": ["true"]}]
    )["NetworkAcls"][0]
    association = default["Associations"][0]["NetworkAclAssociationId"]
    made = ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)["NewAssociationId"]
    assert made != association
    assert code_of(ec2.delete_network_acl, NetworkAclId=acl) == "DependencyViolation"
    assert code_of(ec2.delete_network_acl, NetworkAclId=default["NetworkAclId"]) == "InvalidParameterValue"
    ec2.replace_network_acl_association(AssociationId=made, NetworkAclId=default["NetworkAclId"])
    ec2.delete_network_acl(NetworkAclId=acl)


# MARK: endpoints


def test_an_endpoints_route_carries_its_id(ec2: Any, network: Network) -> None:
    asked = {"VpcId": network.vpc, "ServiceName": "com.amazonaws.us-east-1.s3"}
    made = ec2.create_vpc_endpoint(**asked)["VpcEndpoint"]
    endpoint = made["VpcEndpointId"]
    assert made["VpcEndpointType"] == "Gateway"

    def targets() -> list[str]:
        routes = ec2.describe_route_tables(RouteTableIds=[network.main_table])["RouteTables"][0]["Routes"]
        return [r["GatewayId"] for r in routes if "DestinationPrefixListId" in r]

    assert targets() == []
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[network.main_table])
    assert targets() == [endpoint]
    assert code_of(ec2.create_vpc_endpoint, RouteTableIds=[network.main_table], **asked) == "RouteAlreadyExists"
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveRouteTableIds=[network.main_table])
    assert targets() == []
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[network.main_table])
    assert ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])["Unsuccessful"] == []
    assert targets() == []


def test_endpoint_ids_and_filters(ec2: Any, network: Network) -> None:
    asked = {"VpcId": network.vpc, "ServiceName": "com.amazonaws.us-east-1.s3"}
    endpoint = ec2.create_vpc_endpoint(**asked)["VpcEndpoint"]["VpcEndpointId"]
    found = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-endpoint-id", "Values": [endpoint]}])["VpcEndpoints"]
    assert [e["VpcEndpointId"] for e in found] == [endpoint]
    unknown = "vpce-0123456789abcdef0"
    assert code_of(ec2.describe_vpc_endpoints, VpcEndpointIds=[unknown]) == "InvalidVpcEndpointId.NotFound"
    refused = ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint, unknown])["Unsuccessful"]
    assert [r["ResourceId"] for r in refused] == [unknown]
    assert code_of(ec2.create_vpc_endpoint, **(asked | {"ServiceName": "s3"})) == "InvalidServiceName"


def test_endpoints_are_pending_and_deleting(slow_sandbox: Sandbox) -> None:
    ec2 = slow_sandbox.client("ec2")
    network = Network(ec2)
    asked = {"VpcId": network.vpc, "ServiceName": "com.amazonaws.us-east-1.s3"}
    endpoint = ec2.create_vpc_endpoint(**asked)["VpcEndpoint"]
    assert endpoint["State"] == "pending"

    def states() -> list[str]:
        return [e["State"] for e in ec2.describe_vpc_endpoints()["VpcEndpoints"]]

    slow_sandbox.until(lambda: states() == ["available"])
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
    assert states() == ["deleting"]
    slow_sandbox.until(lambda: states() == [])


def test_vpcs_and_subnets_are_pending_first(slow_sandbox: Sandbox) -> None:
    ec2 = slow_sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]
    subnet = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.0.0.0/24")["Subnet"]
    assert (vpc["State"], subnet["State"]) == ("pending", "pending")
    slow_sandbox.until(lambda: ec2.describe_vpcs(VpcIds=[vpc["VpcId"]])["Vpcs"][0]["State"] == "available")
    slow_sandbox.until(
        lambda: ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"][0]["State"] == "available"
    )


def test_private_names_of_an_endpoint_can_be_turned_off(ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    asked = {"VpcId": vpc, "VpcEndpointType": "Interface", "SubnetIds": [subnet], "PrivateDnsEnabled": True}
    made = ec2.create_vpc_endpoint(ServiceName="com.amazonaws.us-east-1.ssm", **asked)["VpcEndpoint"]["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=made, PrivateDnsEnabled=False)
    assert ec2.describe_vpc_endpoints(VpcEndpointIds=[made])["VpcEndpoints"][0]["PrivateDnsEnabled"] is False
