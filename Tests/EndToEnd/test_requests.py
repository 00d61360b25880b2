"""What a refresh asks: each listing once, however many resources share it."""

from __future__ import annotations

from collections import Counter

from harness import Cloud, Muster
from specs import IDENTITY, NETWORK, SMALL_VPC

# One call each, since the network has fewer of each than one page holds.
NETWORK_REFRESH = {
    "GetCallerIdentity": 1,
    "DescribeVpcs": 1,
    "DescribeVpcAttribute": 1,  # enable_dns_hostnames: AWS has no listing of it, and the spec declares it
    "DescribeSubnets": 1,
    "DescribeInternetGateways": 1,
    "DescribeNatGateways": 1,
    "DescribeAddresses": 1,
    "DescribeRouteTables": 1,
    "DescribeNetworkAcls": 1,
    "DescribeVpcEndpoints": 1,
}


def refresh(muster: Muster, cloud: Cloud) -> Counter[str]:
    """The calls of a plan that finds nothing to do."""
    cloud.sandbox.reset_log()
    muster.plan().exits(0)
    return cloud.calls()


def test_a_network(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NETWORK)
    muster.apply().exits(0)
    assert refresh(muster, cloud) == NETWORK_REFRESH


def test_what_the_spec_does_not_declare_is_not_asked_for(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NETWORK.replace("    enable_dns_hostnames: true\n", ""))
    muster.apply().exits(0)
    expected = dict(NETWORK_REFRESH)
    del expected["DescribeVpcAttribute"]
    assert refresh(muster, cloud) == expected


def test_roles_keys_and_records(muster: Muster, cloud: Cloud) -> None:
    muster.write(base=IDENTITY.replace("ZONE", cloud.zone_id()))
    muster.apply().exits(0)
    assert refresh(muster, cloud) == {
        "GetCallerIdentity": 1,
        "GetAccountAuthorizationDetails": 1,
        "ListRoles": 1,  # description: not in the call above
        "ListInstanceProfiles": 1,
        "GetInstanceProfile": 1,  # tags: not in the listing
        "DescribeKeyPairs": 1,
        "ListResourceRecordSets": 1,
    }


def groups(count: int) -> str:
    return SMALL_VPC + "security_groups:\n" + "".join(
        f"  g{n}: {{ vpc: main, ingress: [{{ port: {1000 + n}, from: [10.0.0.0/8] }}, {{ port: 22, from: [self] }}] }}\n"
        for n in range(count)
    )  # fmt: skip


def test_thirty_more_groups_are_no_request_more(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=groups(2))
    muster.apply().exits(0)
    few = refresh(muster, cloud)
    assert few == {
        "GetCallerIdentity": 1,
        "DescribeVpcs": 1,
        "DescribeSecurityGroups": 1,
        "DescribeSecurityGroupRules": 1,
    }
    muster.write(net=groups(32))
    muster.apply().exits(0)
    assert len(cloud.groups()) == 32
    assert refresh(muster, cloud) == few


def test_thirty_more_subnets_are_no_request_more(muster: Muster, cloud: Cloud) -> None:
    def subnets(count: int) -> str:
        return (
            "vpc:\n  main:\n    cidr_block: 10.0.0.0/16\n"
            "    route_tables: { all: {} }\n    network_acls: { all: { ingress: [], egress: [] } }\n    subnets:\n"
            + "".join(
                f"      s{n}: {{ cidr_block: 10.0.{n}.0/24, route_table: all, network_acl: all }}\n"
                for n in range(count)
            )
        )

    muster.write(net=subnets(2))
    muster.apply().exits(0)
    few = refresh(muster, cloud)
    assert set(few.values()) == {1}
    muster.write(net=subnets(32))
    muster.apply().exits(0)
    assert refresh(muster, cloud) == few


def test_stacks_share_their_listings(muster: Muster, cloud: Cloud) -> None:
    group = "security_groups:\n  {}: {{ vpc: 'net:main' }}\n"
    muster.write(net=SMALL_VPC, one=group.format("one"), two=group.format("two"))
    muster.apply().exits(0)
    assert set(refresh(muster, cloud).values()) == {1}


def test_validate_graph_and_state_ask_nothing(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NETWORK)
    muster.apply().exits(0)
    cloud.sandbox.reset_log()
    for command in (["validate"], ["graph"], ["state", "list"], ["output"], ["plan", "--no-refresh"]):
        muster.run(*command).exits(0)
    assert cloud.requests() == []


def test_one_connection_serves_a_run(muster: Muster, cloud: Cloud) -> None:
    """Connections are kept and shared: not more than run at once."""
    muster.write(net=NETWORK)
    muster.apply().exits(0)
    cloud.sandbox.reset_log()
    muster.plan().exits(0)
    assert len({e["connection"] for e in cloud.requests()}) < len(cloud.requests())


def test_the_same_lookup_in_several_stacks_is_one_look(muster: Muster, cloud: Cloud) -> None:
    lookups = "lookups: { hosted_zones: { main: { name: tastycidr.net } } }\n"
    for name in ("a", "b"):
        muster.write(**{name: lookups + f"dns: {{ {name}.tastycidr.net: {{ type: A, value: 198.51.100.1 }} }}\n"})
    (muster.specs / "muster.yaml").write_text("workspace: test\nregion: us-east-1\nstacks: { a: a.yaml, b: b.yaml }\n")
    muster.apply().exits(0).says("2 added")
    assert refresh(muster, cloud) == {
        "GetCallerIdentity": 1,
        "ListHostedZones": 1,
        "GetHostedZone": 1,
        "ListResourceRecordSets": 1,
    }
