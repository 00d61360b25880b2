"""What others change by hand is drift: named with address, attribute and spec line, and put right by apply.

One world with every managed attribute is made once; each test edits one thing in it with boto3 and has it put right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from harness import PUBLIC_KEY, ZONE, Cloud, Muster

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIkcm1CT0fYaHxB/sBPRVCM0OMT3vgmK5pLmZ5JS+C3D other"
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}'
INLINE = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'

# Each line that a test speaks of is found by a text that stands nowhere else.
WORLD = f"""
vpc:
  main:
    cidr_block: 10.0.0.0/16
    enable_dns_support: true
    enable_dns_hostnames: true
    enable_network_address_usage_metrics: false
    internet_gateway: true
    tags: {{ Stage: prod }}
    subnets:
      public-a:
        cidr_block: 10.0.0.0/24
        availability_zone: us-east-1a
        map_public_ip_on_launch: true
        private_dns_hostname_type_on_launch: ip-name
        enable_resource_name_dns_a_record_on_launch: false
        route_table: public
        network_acl: public
      prod-a: {{ cidr_block: 10.0.16.0/20, availability_zone: us-east-1a, route_table: private }}
      prod-b: {{ cidr_block: 10.0.32.0/20, availability_zone: us-east-1b, route_table: private }}
    nat_gateways:
      a: {{ subnet: public-a }}
    route_tables:
      public: {{ routes: [{{ destination: 0.0.0.0/0, to: internet_gateway }}] }}
      private:
        routes:
          - {{ destination: 198.18.0.0/15, to: "nat:a" }}
    network_acls:
      public:
        ingress:
          - {{ rule_number: 100, action: allow, ports: 443-444, cidr_block: 0.0.0.0/0 }}
        egress:
          - {{ rule_number: 100, action: allow, protocol: all, cidr_block: 0.0.0.0/0 }}
    endpoints:
      s3:
        service: s3
        route_tables: [private]
        policy: {{ Version: "2012-10-17", Statement: [{{ Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "*" }}] }}
      ssm:
        service: ssm
        subnets: [prod-a]
        security_groups: [node]
        private_dns_enabled: true
  aside:
    cidr_block: 10.1.0.0/16
    internet_gateway: {{ name: aside }}
security_groups:
  alb:
    vpc: main
    ingress:
      - {{ port: 443, from: [203.0.113.0/24], description: the office }}
    egress:
      - {{ port: 8080, to: [node] }}
  node:
    vpc: main
    description: behind
    ingress:
      - {{ port: 8080, from: [alb], description: user interface }}
  lonely: {{ vpc: main }}
iam:
  node:
    assume_role: ec2.amazonaws.com
    description: What a node may do
    max_session_duration: 7200
    permissions_boundary: arn:aws:iam::aws:policy/PowerUserAccess
    tags: {{ Stage: prod }}
    inline_policies:
      read: {{ Version: "2012-10-17", Statement: [{{ Effect: Allow, Action: ["s3:GetObject"], Resource: "*" }}] }}
    managed_policies: ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]
key_pairs:
  operator:
    public_key: {PUBLIC_KEY}
dns:
  inside.example:
    hosted_zone:
      comment: inside
      tags: {{ Stage: prod }}
  vpn.{ZONE}:
    type: A
    ttl: 60
    zone: ZONE
    records: [198.51.100.7]
  blue:
    name: api.{ZONE}
    type: A
    zone: ZONE
    records: [198.51.100.8]
    set_identifier: blue
    weighted_routing_policy: {{ weight: 90 }}
  alias.{ZONE}:
    type: A
    zone: ZONE
    alias: {{ name: elb.example.com, zone_id: Z35SXDOTRQ7X7K, evaluate_target_health: true }}
resources:
  aws.eip:
    spare: {{ tags: {{ Name: spare }} }}
"""


class World:
    """The cloud with WORLD in it, and how to find things there."""

    def __init__(self, muster: Muster, cloud: Cloud) -> None:
        self.muster = muster
        self.cloud = cloud

    @property
    def ec2(self) -> Any:
        return self.cloud.ec2

    def named(self, kind: str, name: str) -> dict[str, Any]:
        """The only thing of a kind with this tag Name: `Vpcs`, `Subnets` and so on."""
        calls = {
            "Vpcs": "describe_vpcs",
            "Subnets": "describe_subnets",
            "InternetGateways": "describe_internet_gateways",
            "NatGateways": "describe_nat_gateways",
            "RouteTables": "describe_route_tables",
            "NetworkAcls": "describe_network_acls",
            "VpcEndpoints": "describe_vpc_endpoints",
            "Addresses": "describe_addresses",
        }
        (found,) = [
            t
            for t in getattr(self.ec2, calls[kind])(Filters=[{"Name": "tag:Name", "Values": [name]}])[kind]
            if t.get("State", "").lower() not in ("deleted", "deleting")
        ]
        return dict(found)

    def vpc(self, name: str = "main") -> str:
        return str(self.named("Vpcs", name)["VpcId"])

    def subnet(self, name: str) -> str:
        return str(self.named("Subnets", name)["SubnetId"])

    def table(self, name: str) -> str:
        return str(self.named("RouteTables", name)["RouteTableId"])

    def association(self, table: str, subnet: str) -> str:
        wanted = self.subnet(subnet)
        found = self.named("RouteTables", table)["Associations"]
        return str(next(a["RouteTableAssociationId"] for a in found if a.get("SubnetId") == wanted))

    def acl(self) -> str:
        return str(self.named("NetworkAcls", "public")["NetworkAclId"])

    def endpoint(self, name: str) -> str:
        return str(self.named("VpcEndpoints", name)["VpcEndpointId"])

    def group(self, name: str) -> str:
        return str(self.cloud.groups()[name]["GroupId"])

    def rule(self, group: str, port: int) -> str:
        return str(next(r["SecurityGroupRuleId"] for r in self.cloud.rules(group) if r.get("FromPort") == port))

    def change_record(self, name: str, action: str = "UPSERT", **changes: Any) -> None:
        (record,) = [r for r in self.cloud.records() if r["Name"] == f"{name}.{ZONE}."]
        self.cloud.route53.change_resource_record_sets(
            HostedZoneId=self.cloud.zone_id(),
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record | changes}]},
        )


@pytest.fixture(scope="module")
def made() -> list[World]:
    """The world, when there is one without drift."""
    return []


@pytest.fixture
def world(made: list[World], _sandbox: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world without drift; made anew when the test before did not leave it so."""
    if not made:
        _sandbox.reset()
        cloud = Cloud(_sandbox)
        muster = Muster(tmp_path_factory.mktemp("world"), _sandbox.endpoint)
        muster.write(world=WORLD.replace("zone: ZONE", f"zone: {cloud.zone_id()}"))
        muster.apply("--allow", "public-exposure").exits(0)
        muster.drift().exits(0)
        made.append(World(muster, cloud))
    world = made.pop()
    yield world
    if world.muster.drift().code == 0:
        made.append(world)


@dataclass
class Edit:
    """An edit by hand, and the drift that it is."""

    what: str
    address: str
    kind: str
    attribute: str
    line: str
    edit: Callable[[World], Any]


def changed(what: str, address: str, attribute: str, line: str, edit: Callable[[World], Any]) -> Edit:
    return Edit(what, address, "changed", attribute, line, edit)


def gone(what: str, address: str, line: str, edit: Callable[[World], Any]) -> Edit:
    return Edit(what, address, "gone", "", line, edit)


def foreign(what: str, address: str, line: str, edit: Callable[[World], Any]) -> Edit:
    return Edit(what, address, "foreign", "", line, edit)


def modify_subnet(**values: Any) -> Callable[[World], Any]:
    return lambda w: w.ec2.modify_subnet_attribute(SubnetId=w.subnet("public-a"), **values)


def modify_vpc(**values: Any) -> Callable[[World], Any]:
    return lambda w: w.ec2.modify_vpc_attribute(VpcId=w.vpc(), **values)


def tag(resource: Callable[[World], str], key: str, value: str | None) -> Callable[[World], Any]:
    def edit(w: World) -> None:
        if value is None:
            w.ec2.delete_tags(Resources=[resource(w)], Tags=[{"Key": key}])
        else:
            w.ec2.create_tags(Resources=[resource(w)], Tags=[{"Key": key, "Value": value}])

    return edit


def acl_entry(operation: str, number: int, *, egress: bool = False, **values: Any) -> Callable[[World], Any]:
    usual = {"Protocol": "6", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0", "PortRange": {"From": 443, "To": 444}}
    if operation.startswith("delete"):
        usual = {}
    return lambda w: getattr(w.ec2, operation)(
        NetworkAclId=w.acl(), RuleNumber=number, Egress=egress, **(usual | values)
    )


def move_acl_of(subnet: str, *, to_default: bool) -> Callable[[World], Any]:
    def edit(w: World) -> None:
        acls = w.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [w.vpc()]}])["NetworkAcls"]
        wanted = w.subnet(subnet)
        association = next(
            a["NetworkAclAssociationId"] for n in acls for a in n["Associations"] if a["SubnetId"] == wanted
        )
        target = next(n["NetworkAclId"] for n in acls if n["IsDefault"] == to_default)
        w.ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=target)

    return edit


def detach_aside(w: World) -> None:
    gateway = w.named("InternetGateways", "aside")["InternetGatewayId"]
    w.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=w.vpc("aside"))


def delete_aside(w: World) -> None:
    gateway = w.named("InternetGateways", "aside")["InternetGatewayId"]
    detach_aside(w)
    w.ec2.delete_internet_gateway(InternetGatewayId=gateway)


def route_to_internet(w: World) -> None:
    gateway = w.named("InternetGateways", "main")["InternetGatewayId"]
    w.ec2.replace_route(RouteTableId=w.table("private"), DestinationCidrBlock="198.18.0.0/15", GatewayId=gateway)


def foreign_route(w: World) -> None:
    gateway = w.named("InternetGateways", "main")["InternetGatewayId"]
    w.ec2.create_route(RouteTableId=w.table("private"), DestinationCidrBlock="192.0.2.0/24", GatewayId=gateway)


def move_association(w: World) -> None:
    w.ec2.replace_route_table_association(
        AssociationId=w.association("private", "prod-b"), RouteTableId=w.table("public")
    )


def modify_rule(group: str, port: int, **values: Any) -> Callable[[World], Any]:
    def edit(w: World) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "Description": "the office"}
        wanted = {"SecurityGroupRuleId": w.rule(group, port), "SecurityGroupRule": rule | values}
        w.ec2.modify_security_group_rules(GroupId=w.group(group), SecurityGroupRules=[wanted])

    return edit


def describe_rule(w: World) -> None:
    described = {"SecurityGroupRuleId": w.rule("node", 8080), "Description": "nobody knows"}
    w.ec2.update_security_group_rule_descriptions_ingress(
        GroupId=w.group("node"), SecurityGroupRuleDescriptions=[described]
    )


def revoke(group: str, port: int, *, egress: bool = False) -> Callable[[World], Any]:
    name = "revoke_security_group_egress" if egress else "revoke_security_group_ingress"
    return lambda w: getattr(w.ec2, name)(GroupId=w.group(group), SecurityGroupRuleIds=[w.rule(group, port)])


def authorize(group: str, *, egress: bool = False) -> Callable[[World], Any]:
    name = "authorize_security_group_egress" if egress else "authorize_security_group_ingress"
    permission = {"IpProtocol": "tcp", "FromPort": 23, "ToPort": 23, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
    return lambda w: getattr(w.ec2, name)(GroupId=w.group(group), IpPermissions=[permission])


def other_key(w: World) -> None:
    w.ec2.delete_key_pair(KeyName="operator")
    tags = [{"Key": "ManagedBy", "Value": "muster"}]
    w.ec2.import_key_pair(
        KeyName="operator",
        PublicKeyMaterial=OTHER_KEY.encode(),
        TagSpecifications=[{"ResourceType": "key-pair", "Tags": tags}],
    )


def iam(operation: str, **arguments: Any) -> Callable[[World], Any]:
    return lambda w: getattr(w.cloud.iam, operation)(RoleName="node", **arguments)


def delete_profile(w: World) -> None:
    w.cloud.iam.remove_role_from_instance_profile(InstanceProfileName="node", RoleName="node")
    w.cloud.iam.delete_instance_profile(InstanceProfileName="node")


def delete_nat(w: World) -> None:
    gateway = w.named("NatGateways", "a")["NatGatewayId"]
    w.ec2.delete_nat_gateway(NatGatewayId=gateway)
    w.ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[gateway], WaiterConfig={"Delay": 1})


def inside_zone(operation: str, parameter: str, **arguments: Any) -> Callable[[World], Any]:
    return lambda w: getattr(w.cloud.route53, operation)(
        **{parameter: w.cloud.zone_id("inside.example")}, **arguments
    )


def modify_endpoint(name: str, **values: Callable[[World], Any]) -> Callable[[World], Any]:
    return lambda w: w.ec2.modify_vpc_endpoint(VpcEndpointId=w.endpoint(name), **{k: v(w) for k, v in values.items()})


RULE_443 = "aws.security_group_rule/alb/ingress/tcp/443/203.0.113.0/24"
RULE_8080 = "aws.security_group_rule/node/ingress/tcp/8080/alb"
MANAGED = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"

EDITS = [
    changed("VPC: resolver off", "aws.vpc/main", "enable_dns_support", "enable_dns_support",
            lambda w: (modify_vpc(EnableDnsHostnames={"Value": False})(w), modify_vpc(EnableDnsSupport={"Value": False})(w))),
    changed("VPC: host names off", "aws.vpc/main", "enable_dns_hostnames", "enable_dns_hostnames",
            modify_vpc(EnableDnsHostnames={"Value": False})),
    changed("VPC: usage metrics on", "aws.vpc/main", "enable_network_address_usage_metrics", "enable_network_address",
            modify_vpc(EnableNetworkAddressUsageMetrics={"Value": True})),
    changed("VPC: tag changed", "aws.vpc/main", "tags", "tags: { Stage: prod }\n    subnets", tag(World.vpc, "Stage", "dev")),
    changed("VPC: tag removed", "aws.vpc/main", "tags", "  main:", tag(World.vpc, "ManagedBy", None)),
    changed("gateway: detached", "aws.internet_gateway/aside", "vpc_id", "name: aside", detach_aside),
    gone("gateway: deleted", "aws.internet_gateway/aside", "name: aside", delete_aside),
    changed("subnet: public addresses off", "aws.subnet/public-a", "map_public_ip_on_launch", "map_public_ip",
            modify_subnet(MapPublicIpOnLaunch={"Value": False})),
    changed("subnet: kind of host names", "aws.subnet/public-a", "private_dns_hostname_type_on_launch", "ip-name",
            modify_subnet(PrivateDnsHostnameTypeOnLaunch="resource-name")),
    changed("subnet: A records on", "aws.subnet/public-a", "enable_resource_name_dns_a_record_on_launch",
            "enable_resource_name_dns_a", modify_subnet(EnableResourceNameDnsARecordOnLaunch={"Value": True})),
    changed("subnet: tag changed", "aws.subnet/public-a", "tags", "      public-a:",
            tag(lambda w: w.subnet("public-a"), "ManagedBy", "hand")),
    changed("route: another target", "aws.route/private/198.18.0.0/15", "nat_gateway_id", "198.18.0.0/15", route_to_internet),
    gone("route: deleted", "aws.route/private/198.18.0.0/15", "198.18.0.0/15",
         lambda w: w.ec2.delete_route(RouteTableId=w.table("private"), DestinationCidrBlock="198.18.0.0/15")),
    foreign("route: foreign", "aws.route/private/", "      private:", foreign_route),
    changed("association: another table", "aws.route_table_association/prod-b", "route_table_id", "prod-b: {", move_association),
    gone("association: removed", "aws.route_table_association/prod-b", "prod-b: {",
         lambda w: w.ec2.disassociate_route_table(AssociationId=w.association("private", "prod-b"))),
    changed("ACL rule: denies", "aws.network_acl_rule/public/ingress/100", "rule_action", "443-444",
            acl_entry("replace_network_acl_entry", 100, RuleAction="deny")),
    changed("ACL rule: another network", "aws.network_acl_rule/public/ingress/100", "cidr_block", "443-444",
            acl_entry("replace_network_acl_entry", 100, CidrBlock="10.0.0.0/8")),
    changed("ACL rule: other ports", "aws.network_acl_rule/public/ingress/100", "to_port", "443-444",
            acl_entry("replace_network_acl_entry", 100, PortRange={"From": 443, "To": 445})),
    gone("ACL rule: deleted", "aws.network_acl_rule/public/ingress/100", "443-444", acl_entry("delete_network_acl_entry", 100)),
    foreign("ACL rule: foreign", "aws.network_acl_rule/public/", "network_acls:\n      public:",
            acl_entry("create_network_acl_entry", 200)),
    foreign("ACL rule: foreign, going out", "aws.network_acl_rule/public/", "network_acls:\n      public:",
            acl_entry("create_network_acl_entry", 50, egress=True)),
    changed("ACL: a subnet leaves", "aws.network_acl/public", "subnet_ids", "network_acl: public",
            move_acl_of("public-a", to_default=True)),
    changed("ACL: a subnet comes", "aws.network_acl/public", "subnet_ids", "network_acl: public",
            move_acl_of("prod-b", to_default=False)),
    gone("NAT gateway: deleted", "aws.nat_gateway/a", "a: { subnet: public-a }", delete_nat),
    gone("elastic IP: released", "aws.eip/spare", "spare:",
         lambda w: w.ec2.release_address(AllocationId=w.named("Addresses", "spare")["AllocationId"])),
    changed("endpoint: policy", "aws.vpc_endpoint/s3", "policy", 'Action: "s3:GetObject"',
            modify_endpoint("s3", PolicyDocument=lambda w: POLICY)),
    changed("endpoint: one table more", "aws.vpc_endpoint/s3", "route_table_ids", "route_tables: [private]",
            modify_endpoint("s3", AddRouteTableIds=lambda w: [w.table("public")])),
    changed("endpoint: one table less", "aws.vpc_endpoint/s3", "route_table_ids", "route_tables: [private]",
            modify_endpoint("s3", RemoveRouteTableIds=lambda w: [w.table("private")])),
    changed("endpoint: one group more", "aws.vpc_endpoint/ssm", "security_group_ids", "security_groups: [node]",
            modify_endpoint("ssm", AddSecurityGroupIds=lambda w: [w.group("lonely")])),
    changed("endpoint: one subnet more", "aws.vpc_endpoint/ssm", "subnet_ids", "subnets: [prod-a]",
            modify_endpoint("ssm", AddSubnetIds=lambda w: [w.subnet("prod-b")])),
    changed("endpoint: private names off", "aws.vpc_endpoint/ssm", "private_dns_enabled", "private_dns_enabled",
            modify_endpoint("ssm", PrivateDnsEnabled=lambda w: False)),
    changed("rule: another description", RULE_8080, "description", "user interface", describe_rule),
    changed("rule: another network", RULE_443, "cidr_ipv4", "the office", modify_rule("alb", 443, CidrIpv4="192.0.2.0/24")),
    changed("rule: another port", RULE_443, "to_port", "the office",
            modify_rule("alb", 443, CidrIpv4="203.0.113.0/24", ToPort=444)),
    gone("rule: revoked", RULE_8080, "user interface", revoke("node", 8080)),
    gone("rule: revoked, going out", "aws.security_group_rule/alb/egress/tcp/8080/node", "to: [node]",
         revoke("alb", 8080, egress=True)),
    foreign("rule: foreign", "aws.security_group_rule/alb/", "  alb:", authorize("alb")),
    foreign("rule: foreign, going out", "aws.security_group_rule/alb/", "  alb:", authorize("alb", egress=True)),
    changed("group: tag changed", "aws.security_group/alb", "tags", "  alb:", tag(lambda w: w.group("alb"), "ManagedBy", "hand")),
    gone("group: deleted", "aws.security_group/lonely", "  lonely:",
         lambda w: w.ec2.delete_security_group(GroupId=w.group("lonely"))),
    gone("key pair: deleted", "aws.key_pair/operator", "  operator:", lambda w: w.ec2.delete_key_pair(KeyName="operator")),
    changed("key pair: another key", "aws.key_pair/operator", "public_key", "public_key:", other_key),
    changed("role: description", "aws.iam_role/node", "description", "What a node may do",
            iam("update_role", Description="everything", MaxSessionDuration=7200)),
    changed("role: session length", "aws.iam_role/node", "max_session_duration", "max_session_duration",
            iam("update_role", Description="What a node may do", MaxSessionDuration=3600)),
    changed("role: trust", "aws.iam_role/node", "assume_role_policy", "assume_role:",
            iam("update_assume_role_policy", PolicyDocument=TRUST)),
    changed("role: no boundary", "aws.iam_role/node", "permissions_boundary", "permissions_boundary",
            iam("delete_role_permissions_boundary")),
    changed("role: tag changed", "aws.iam_role/node", "tags", "tags: { Stage: prod }\n    inline",
            iam("tag_role", Tags=[{"Key": "Stage", "Value": "dev"}])),
    changed("role: tag removed", "aws.iam_role/node", "tags", "tags: { Stage: prod }\n    inline",
            iam("untag_role", TagKeys=["Stage"])),
    changed("role policy: changed", "aws.iam_role_policy/node/read", "policy", "      read:",
            iam("put_role_policy", PolicyName="read", PolicyDocument=INLINE)),
    gone("role policy: deleted", "aws.iam_role_policy/node/read", "      read:", iam("delete_role_policy", PolicyName="read")),
    foreign("role policy: foreign", "aws.iam_role_policy/node/", "iam:\n  node:",
            iam("put_role_policy", PolicyName="backdoor", PolicyDocument=INLINE)),
    gone("attachment: detached", "aws.iam_role_policy_attachment/node/", "managed_policies",
         iam("detach_role_policy", PolicyArn=MANAGED)),
    foreign("attachment: foreign", "aws.iam_role_policy_attachment/node/", "iam:\n  node:",
            iam("attach_role_policy", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")),
    changed("profile: without its role", "aws.iam_instance_profile/node", "role", "iam:\n  node:",
            iam("remove_role_from_instance_profile", InstanceProfileName="node")),
    gone("profile: deleted", "aws.iam_instance_profile/node", "iam:\n  node:", delete_profile),
    changed("record: TTL", f"aws.dns_record/vpn.{ZONE}", "ttl", "ttl: 60", lambda w: w.change_record("vpn", TTL=300)),
    changed("record: answers", f"aws.dns_record/vpn.{ZONE}", "records", "[198.51.100.7]",
            lambda w: w.change_record("vpn", ResourceRecords=[{"Value": "192.0.2.1"}])),
    gone("record: deleted", f"aws.dns_record/vpn.{ZONE}", f"vpn.{ZONE}:", lambda w: w.change_record("vpn", "DELETE")),
    changed("record: weight", "aws.dns_record/blue", "weighted_routing_policy", "weight: 90",
            lambda w: w.change_record("api", Weight=10)),
    changed("record: alias", f"aws.dns_record/alias.{ZONE}", "alias", "alias: {",
            lambda w: w.change_record("alias", AliasTarget={"DNSName": "elb.example.com.", "HostedZoneId": "Z35SXDOTRQ7X7K",
                                                            "EvaluateTargetHealth": False})),
    changed("zone: comment", "aws.hosted_zone/inside.example", "comment", "comment: inside",
            inside_zone("update_hosted_zone_comment", "Id", Comment="outside")),
    changed("zone: tag", "aws.hosted_zone/inside.example", "tags", "tags: { Stage: prod }\n  vpn",
            inside_zone("change_tags_for_resource", "ResourceId", ResourceType="hostedzone",
                        AddTags=[{"Key": "Stage", "Value": "dev"}])),
]  # fmt: skip


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: e.what)
def test_an_edit_by_hand_is_drift_and_is_put_right(world: World, edit: Edit) -> None:
    before = world.cloud.count() if edit.kind != "changed" else None
    edit.edit(world)

    text = world.muster.drift().exits(2).says(edit.address, place_of(world, edit.line))
    found = world.muster.drift("--format", "json").exits(2).json["drift"]
    mine = [d for d in found if d["address"].startswith(f"world:{edit.address}") and d["kind"] == edit.kind]
    assert len(mine) == 1, text
    if edit.attribute:
        named = [a for a in mine[0]["attributes"] if a["path"].split(".")[0].split("[")[0] == edit.attribute]
        assert named, text
        assert all(a.get("was") != a.get("is") for a in named), text

    hazards = [word for kind in ("downtime", "public-exposure", "data-loss") for word in ("--allow", kind)]
    world.muster.apply(*hazards).exits(0).says(edit.address)
    world.muster.plan().exits(0)
    if edit.kind != "changed":
        assert world.cloud.count() == before


def place_of(world: World, text: str) -> str:
    """`world.yaml:12` of a text that the spec has once; of two lines, the one that tells: the first unless it is the
    section's."""
    spec = (world.muster.specs / "world.yaml").read_text()
    assert spec.count(text) == 1, f"{text!r} stands {spec.count(text)} times in the spec"
    position = spec.index(text)
    if "\n" in text and text.split("\n")[0].endswith(":"):
        position += text.index("\n") + 1
    return f"world.yaml:{spec.count(chr(10), 0, position) + 1}"


def test_a_foreign_tag_is_nobodys_business(world: World) -> None:
    group, vpc = world.group("alb"), world.vpc()
    world.ec2.create_tags(Resources=[group, vpc], Tags=[{"Key": "CostCentre", "Value": "42"}])
    world.cloud.iam.tag_role(RoleName="node", Tags=[{"Key": "CostCentre", "Value": "42"}])
    world.muster.drift().exits(0)
    world.muster.plan().exits(0)
    # Nor is it lost when a tag of ours changes beside it.
    world.muster.edit("world", "tags: { Stage: prod }\n    subnets", "tags: { Stage: test }\n    subnets")
    world.muster.apply().exits(0)
    assert {"Key": "CostCentre", "Value": "42"} in world.named("Vpcs", "main")["Tags"]
    world.muster.edit("world", "Stage: test", "Stage: prod")
    world.muster.apply().exits(0)


def test_a_foreign_rule_where_egress_is_not_ours(world: World) -> None:
    """`node` leaves egress out, so AWS's allow-all stays; but another way out is foreign."""
    authorize("node", egress=True)(world)
    world.muster.drift().exits(2).says("aws.security_group_rule/node/")
    world.muster.apply().exits(0)
    ports = {(r["IsEgress"], r["FromPort"]) for r in world.cloud.rules("node")}
    assert ports == {(False, 8080), (True, -1)}


def test_drift_changes_nothing(world: World) -> None:
    authorize("alb")(world)
    state = world.muster.digest()
    world.cloud.sandbox.reset_log()
    world.muster.drift().exits(2)
    assert world.cloud.changes() == []
    assert world.muster.digest() == state
    world.muster.apply().exits(0)
