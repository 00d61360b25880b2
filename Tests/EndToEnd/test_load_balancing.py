"""Load balancers with what stands before and behind them: lives, changes in an order that serves, drift, refusals."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from harness import Cloud, Muster, tags_of

BASE = """
lookups:
  hosted_zones: { net: { name: tastycidr.net } }
  certificates: { rancher: { domain: rancher.tastycidr.net, statuses: [ISSUED] } }
vpc:
  main:
    cidr_block: 10.0.0.0/16
    internet_gateway: true
    subnets:
      a: { cidr_block: 10.0.0.0/24, availability_zone: us-east-1a }
      b: { cidr_block: 10.0.1.0/24, availability_zone: us-east-1b }
security_groups:
  alb: { vpc: main, ingress: [{ port: 443, from: [any] }, { port: 80, from: [any] }] }
"""

FRONT = """
alb:
  web:
    subnets: [a, b]
    security_groups: [alb]
    idle_timeout: 900
    deletion_protection: true
    drop_invalid_header_fields: true
    dns: rancher.tastycidr.net
    tags: { Team: platform }
    listeners:
      - port: 443
        protocol: HTTPS
        certificate: rancher
        forward: web
        rules:
          - { name: api, priority: 10, path: [/v1/*, /v2/*], forward: api }
          - { name: old, priority: 20, host: old.tastycidr.net, redirect: { host: rancher.tastycidr.net, status_code: 302 } }
          - { name: gone, priority: 30, path: /gone, fixed_response: { status_code: 410, message_body: Gone } }
      - { port: 80, redirect: https }
target_groups:
  web:
    vpc: main
    port: 8080
    protocol: HTTP
    health_check: { path: /ping, interval: 10, timeout: 5, healthy_threshold: 2, unhealthy_threshold: 2 }
    deregistration_delay: 30
    stickiness: { type: lb_cookie, cookie_duration: 600 }
  api: { vpc: main, port: 9090, protocol: HTTP, target_type: ip, targets: [10.0.0.10, { target: 10.0.1.11, port: 9091 }] }
outputs:
  name: ${alb.web.dns_name}
"""

COUNT = {
    "vpcs": 1, "subnets": 2, "internet gateways": 1, "security groups": 1, "security group rules": 5, "records": 1,
    "load balancers": 1, "listeners": 2, "rules": 3, "target groups": 2, "targets": 2,
}  # fmt: skip
ALLOW = ("--allow", "irreversible", "--allow", "downtime")


@pytest.fixture
def front(muster: Muster) -> Muster:
    """A workspace with a load balancer, not yet applied."""
    return muster.write(net=FRONT + BASE)


def balancer(cloud: Cloud, name: str = "web") -> dict[str, Any]:
    (found,) = cloud.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
    return dict(found)


def attributes(cloud: Cloud) -> dict[str, str]:
    arn = balancer(cloud)["LoadBalancerArn"]
    listed = cloud.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {a["Key"]: a["Value"] for a in listed}


def listeners(cloud: Cloud, name: str = "web") -> dict[int, dict[str, Any]]:
    arn = balancer(cloud, name)["LoadBalancerArn"]
    return {x["Port"]: x for x in cloud.client("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"]}


def rules(cloud: Cloud, port: int = 443) -> dict[str, dict[str, Any]]:
    arn = listeners(cloud)[port]["ListenerArn"]
    listed = cloud.client("elbv2").describe_rules(ListenerArn=arn)["Rules"]
    return {r["Priority"]: r for r in listed if not r["IsDefault"]}


def groups(cloud: Cloud) -> dict[str, str]:
    listed = cloud.client("elbv2").describe_target_groups()["TargetGroups"]
    return {g["TargetGroupName"]: g["TargetGroupArn"] for g in listed}


def targets(cloud: Cloud, group: str) -> dict[tuple[str, int], str]:
    listed = cloud.client("elbv2").describe_target_health(TargetGroupArn=groups(cloud)[group])
    return {
        (t["Target"]["Id"], t["Target"]["Port"]): t["TargetHealth"]["State"]
        for t in listed["TargetHealthDescriptions"]
    }


def healthy_targets(cloud: Cloud, group: str) -> dict[tuple[str, int], str]:
    """The targets when all are healthy. One that was there before its listener is unused until that is there, which
    nobody waits for, and is looked at only then."""
    deadline = time.monotonic() + 30
    while set((seen := targets(cloud, group)).values()) != {"healthy"}:
        assert time.monotonic() < deadline, seen
        time.sleep(0.2)
    return seen


def order(cloud: Cloud, *operations: str) -> list[str]:
    """muster's requests of these operations, in their order."""
    return [e["operation"] for e in cloud.requests() if e["operation"] in operations]


def test_it_lives_and_leaves_nothing(front: Muster, cloud: Cloud) -> None:
    front.plan().exits(2)
    front.apply().exits(0)
    assert cloud.count() == COUNT
    one = balancer(cloud)
    assert (one["Type"], one["Scheme"], len(one["AvailabilityZones"])) == ("application", "internet-facing", 2)
    assert one["SecurityGroups"] == [cloud.groups()["alb"]["GroupId"]]
    told = attributes(cloud)
    assert told["idle_timeout.timeout_seconds"] == "900"
    assert told["deletion_protection.enabled"] == told["routing.http.drop_invalid_header_fields.enabled"] == "true"
    made = listeners(cloud)
    assert {p: x["Protocol"] for p, x in made.items()} == {443: "HTTPS", 80: "HTTP"}
    assert made[443]["DefaultActions"][0]["TargetGroupArn"] == groups(cloud)["web"]
    redirect = made[80]["DefaultActions"][0]["RedirectConfig"]
    assert (redirect["Protocol"], redirect["Port"], redirect["StatusCode"]) == ("HTTPS", "443", "HTTP_301")
    assert sorted(rules(cloud)) == ["10", "20", "30"]
    assert rules(cloud)["10"]["Conditions"][0]["PathPatternConfig"]["Values"] == ["/v1/*", "/v2/*"]
    assert set(targets(cloud, "api")) == {("10.0.0.10", 9090), ("10.0.1.11", 9091)}
    (record,) = cloud.records()
    assert (record["Name"], record["Type"]) == ("rancher.tastycidr.net.", "A")
    assert record["AliasTarget"]["DNSName"].rstrip(".") == one["DNSName"].lower()
    assert record["AliasTarget"]["HostedZoneId"] == one["CanonicalHostedZoneId"]
    arns = [one["LoadBalancerArn"], made[443]["ListenerArn"], rules(cloud)["10"]["RuleArn"], groups(cloud)["web"]]
    for told_of in cloud.client("elbv2").describe_tags(ResourceArns=arns)["TagDescriptions"]:
        tags = tags_of(told_of)
        assert tags["ManagedBy"] == "muster" and "muster:intent" in tags
    assert front.run("output", "name", "--raw").out.strip() == one["DNSName"].lower()
    front.plan().exits(0)
    front.drift().exits(0)

    # What the cloud protects goes only when that is allowed by its name.
    front.run("destroy", "--auto-approve", "--allow", "downtime").exits(3).says(
        "irreversible", "enable_deletion_protection"
    )
    assert cloud.count() == COUNT
    front.destroy().exits(0)
    assert cloud.count() == {}
    assert front.ids() == {}


LOST = ("CreateLoadBalancer", "CreateTargetGroup", "CreateListener", "CreateRule", "RegisterTargets")


@pytest.mark.parametrize("operation", LOST)
def test_a_lost_answer_makes_nothing_twice(front: Muster, cloud: Cloud, operation: str) -> None:
    cloud.sandbox.faults({"operation": operation, "kind": "reset connection", "when": "after"})
    front.apply().exits(0)
    assert cloud.count() == COUNT
    front.plan().exits(0)


def test_what_has_the_name_is_left_alone(front: Muster, cloud: Cloud) -> None:
    # Made by somebody else with the very settings, so that AWS takes the second creation for the first.
    vpc = cloud.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    front.edit("net", "  api: { vpc: main", f"  api: {{ vpc: {vpc}")
    asked = {"Name": "api", "VpcId": vpc, "Port": 9090, "Protocol": "HTTP", "TargetType": "ip"}
    foreign = cloud.client("elbv2").create_target_group(**asked)["TargetGroups"][0]["TargetGroupArn"]
    front.apply().exits(1).says("The name is taken", foreign)
    assert "net:aws.target_group/api" not in front.ids()
    assert targets(cloud, "api") == {}
    front.destroy()
    assert groups(cloud) == {"api": foreign}


def test_requests_of_a_refresh(front: Muster, cloud: Cloud) -> None:
    front.apply().exits(0)
    cloud.sandbox.reset_log()
    front.plan().exits(0)
    calls = {o: n for o, n in cloud.calls().items() if cloud.sandbox.log()}
    expected = {
        "DescribeLoadBalancers": 1, "DescribeTargetGroups": 1, "DescribeListeners": 1, "DescribeRules": 1,
        "DescribeTags": 1, "DescribeLoadBalancerAttributes": 1,
        "DescribeTargetGroupAttributes": 1,  # of the one that declares some
        "DescribeTargetHealth": 1,  # of the one that has targets here
    }  # fmt: skip
    assert {o: n for o, n in calls.items() if o in expected} == expected
    assert calls.get("DescribeListenerCertificates", 0) == 0


def test_changes_in_place(front: Muster, cloud: Cloud) -> None:
    front.apply().exits(0)
    before = front.ids()
    front.edit("net", "idle_timeout: 900", "idle_timeout: 60")
    front.edit("net", "drop_invalid_header_fields: true", "http2: false")
    front.edit("net", "path: /ping, interval: 10", "path: /healthz, interval: 20")
    front.edit("net", "deregistration_delay: 30", "slow_start: 60")
    front.edit("net", "cookie_duration: 600", "cookie_duration: 60")
    front.edit("net", "{ port: 80, redirect: https }", "{ port: 80, fixed_response: 404 }")
    front.edit("net", "tags: { Team: platform }", "tags: { Owner: ops }")
    front.edit("net", "[/v1/*, /v2/*]", "[/v3/*]")
    front.plan().exits(2).says("0 to add", "0 to destroy")
    front.apply().exits(0)
    assert front.ids() == before
    told = attributes(cloud)
    assert told["idle_timeout.timeout_seconds"] == "60"
    assert told["routing.http.drop_invalid_header_fields.enabled"] == told["routing.http2.enabled"] == "false"
    assert listeners(cloud)[80]["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "404"
    assert rules(cloud)["10"]["Conditions"][0]["PathPatternConfig"]["Values"] == ["/v3/*"]
    arn = balancer(cloud)["LoadBalancerArn"]
    (tags,) = cloud.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert tags_of(tags)["Owner"] == "ops" and "Team" not in tags_of(tags)
    front.plan().exits(0)


def test_rules_change_places(front: Muster, cloud: Cloud) -> None:
    front.apply().exits(0)
    before = {p: r["RuleArn"] for p, r in rules(cloud).items()}
    front.edit("net", "name: api, priority: 10", "name: api, priority: 20")
    front.edit("net", "name: old, priority: 20", "name: old, priority: 30")
    front.edit("net", "name: gone, priority: 30", "name: gone, priority: 10")
    front.plan().exits(2).says("3 to change")
    front.apply().exits(0)
    after = {p: r["RuleArn"] for p, r in rules(cloud).items()}
    assert after == {"20": before["10"], "30": before["20"], "10": before["30"]}
    front.plan().exits(0)


def test_what_others_do_is_drift(front: Muster, cloud: Cloud) -> None:
    front.apply().exits(0)
    elb = cloud.client("elbv2")
    arn = balancer(cloud)["LoadBalancerArn"]
    answer = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    elb.create_listener(LoadBalancerArn=arn, Port=8443, Protocol="HTTP", DefaultActions=answer)
    path = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/foreign"]}}]
    elb.create_rule(ListenerArn=listeners(cloud)[443]["ListenerArn"], Priority=5, Conditions=path, Actions=answer)
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "1"}]
    )
    elb.deregister_targets(TargetGroupArn=groups(cloud)["api"], Targets=[{"Id": "10.0.0.10"}])
    elb.modify_target_group(TargetGroupArn=groups(cloud)["web"], HealthCheckPath="/foreign")
    front.drift().exits(2).says("idle_timeout", "health_check.path", "listener", "listener_rule", "10.0.0.10")
    front.apply(*ALLOW).exits(0)
    assert cloud.count() == COUNT
    assert attributes(cloud)["idle_timeout.timeout_seconds"] == "900"
    front.drift().exits(0)


def test_a_target_group_in_use_is_replaced(front: Muster, cloud: Cloud) -> None:
    front.write(net=(FRONT + BASE).replace("  api: {", "  a-name-that-fills-the-32-letters: {").replace(
        "forward: api", "forward: a-name-that-fills-the-32-letters"))  # fmt: skip
    front.apply().exits(0)
    old = groups(cloud)
    front.edit("net", "port: 8080", "port: 8081").edit("net", "port: 9090", "port: 9095")
    front.plan().exits(2).says("web-g2", "a-name-that-fills-the-32-lett-g2")
    cloud.sandbox.reset_log()
    front.apply(*ALLOW).exits(0)
    new = groups(cloud)
    assert sorted(new) == ["a-name-that-fills-the-32-lett-g2", "web-g2"]
    assert not set(new.values()) & set(old.values())
    assert listeners(cloud)[443]["DefaultActions"][0]["TargetGroupArn"] == new["web-g2"]
    assert rules(cloud)["10"]["Actions"][0]["TargetGroupArn"] == new["a-name-that-fills-the-32-lett-g2"]
    # The successor has its targets before anybody is sent there, and the old one keeps its own until then.
    steps = order(cloud, "RegisterTargets", "ModifyRule", "DeregisterTargets")
    assert steps == ["RegisterTargets"] * 2 + ["ModifyRule"] + ["DeregisterTargets"] * 2
    steps = order(cloud, "CreateTargetGroup", "ModifyListener", "ModifyRule", "DeleteTargetGroup")
    assert steps[:2] == ["CreateTargetGroup"] * 2
    assert steps.index("DeleteTargetGroup") > min(steps.index("ModifyListener"), steps.index("ModifyRule"))
    assert cloud.count() == COUNT
    front.plan().exits(0)
    # The next successor has its own name again.
    front.edit("net", "port: 8081", "port: 8082")
    front.apply(*ALLOW).exits(0)
    assert sorted(groups(cloud)) == ["a-name-that-fills-the-32-lett-g2", "web"]
    front.plan().exits(0)


CERTIFICATES = """
resources:
  aws.acm_certificate:
    shop: { domain_name: shop.tastycidr.net, subject_alternative_names: ["*.shop.tastycidr.net"] }
dns:
  shop-proof:
    name: ${aws.acm_certificate.shop.domain_validation_options[0].resource_record_name}
    type: CNAME
    zone: net
    value: ${aws.acm_certificate.shop.domain_validation_options[0].resource_record_value}
alb:
  shop:
    subnets: [a, b]
    listeners:
      - { port: 443, certificate: shop, certificates: [rancher], fixed_response: 200 }
"""


def test_a_certificate_is_proved_used_and_exchanged(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=CERTIFICATES + BASE)
    muster.apply(MUSTER_CONSISTENCY_WINDOW="20s").exits(0)
    first = listeners(cloud, "shop")[443]
    certificate = cloud.client("acm").describe_certificate(CertificateArn=first["Certificates"][0]["CertificateArn"])
    assert certificate["Certificate"]["Status"] == "ISSUED"
    assert certificate["Certificate"]["DomainName"] == "shop.tastycidr.net"
    listed = cloud.client("elbv2").describe_listener_certificates(ListenerArn=first["ListenerArn"])["Certificates"]
    assert len(listed) == 2
    muster.plan().exits(0)
    muster.drift().exits(0)

    # Another certificate: requested and proved first, then shown, then the old one goes.
    muster.edit("net", '["*.shop.tastycidr.net"]', '["www.tastycidr.net"]')
    muster.edit("net", "alb:\n", PROOF + "alb:\n")
    cloud.sandbox.reset_log()
    muster.apply("--allow", "downtime", MUSTER_CONSISTENCY_WINDOW="20s").exits(0)
    steps = order(cloud, "RequestCertificate", "ModifyListener", "DeleteCertificate")
    assert steps[0] == "RequestCertificate" and steps[-1] == "DeleteCertificate" and "ModifyListener" in steps
    second = listeners(cloud, "shop")[443]
    assert second["ListenerArn"] == first["ListenerArn"]
    assert second["Certificates"] != first["Certificates"]
    assert cloud.count()["certificates"] == 1
    muster.plan().exits(0)
    muster.destroy().exits(0)
    assert cloud.count() == {}


PROOF = """  www-proof:
    name: ${aws.acm_certificate.shop.domain_validation_options[1].resource_record_name}
    type: CNAME
    zone: net
    value: ${aws.acm_certificate.shop.domain_validation_options[1].resource_record_value}
"""


def test_a_load_balancer_is_replaced_under_its_name(front: Muster, cloud: Cloud) -> None:
    front.apply().exits(0)
    old = balancer(cloud)
    front.edit("net", "idle_timeout: 900", "idle_timeout: 900\n    internal: true")
    front.apply().exits(3).says("downtime", "irreversible")
    cloud.sandbox.reset_log()
    front.apply(*ALLOW).exits(0)
    new = balancer(cloud)
    assert new["LoadBalancerArn"] != old["LoadBalancerArn"] and new["Scheme"] == "internal"
    (record,) = cloud.records()
    assert record["AliasTarget"]["DNSName"].rstrip(".") == new["DNSName"].lower()
    steps = order(cloud, "DeleteLoadBalancer", "CreateLoadBalancer", "CreateListener", "ChangeResourceRecordSets")
    assert steps == ["DeleteLoadBalancer", "CreateLoadBalancer", "CreateListener", "CreateListener", "ChangeResourceRecordSets"]
    assert cloud.count() == COUNT
    front.plan().exits(0)


def test_what_is_used_elsewhere_stays_and_the_user_is_named(muster: Muster, cloud: Cloud) -> None:
    spec = """
    alb:
      web:
        subnets: [a, b]
        listeners: [{ port: 80, forward: one }]
    target_groups:
      one: { vpc: main, port: 80, protocol: HTTP, timeouts: { delete: 1s } }
      two: { vpc: main, port: 80, protocol: HTTP }
    """
    muster.write(net=BASE, front=spec)
    muster.write(muster="workspace: test\nregion: us-east-1\nstacks:\n  net: net.yaml\n  front: { spec: front.yaml }\n")
    front = (muster.specs / "front.yaml").read_text()
    (muster.specs / "front.yaml").write_text("uses: [net]\n" + front)
    muster.apply().exits(0)
    path = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/foreign"]}}]
    rule = cloud.client("elbv2").create_rule(
        ListenerArn=listeners(cloud)[80]["ListenerArn"], Priority=5, Conditions=path,
        Actions=[{"Type": "forward", "TargetGroupArn": groups(cloud)["one"]}],
    )["Rules"][0]["RuleArn"]  # fmt: skip
    muster.edit("front", "forward: one", "forward: two").edit("front", "port: 80, protocol: HTTP, timeouts", "port: 81, protocol: HTTP, timeouts")
    muster.apply(*ALLOW).exits(1).says("the rule with priority 5 of the listener 80 of the load balancer web")
    cloud.client("elbv2").delete_rule(RuleArn=rule)
    muster.apply(*ALLOW).exits(0)
    assert sorted(groups(cloud)) == ["one-g2", "two"]
    muster.plan().exits(0)


NODES = """
alb:
  web:
    subnets: [a, b]
    listeners: [{ port: 80, forward: nodes }]
target_groups:
  nodes: { vpc: main, port: 8080, protocol: HTTP }
control_nodes:
  nodes:
    count: 3
    name: "node${index}"
    ami: ami-0f8bce65
    instance_type: m5.large
    subnets: [a, b]
    target_group: nodes
    root_volume: { size: 20 }
"""


def test_a_node_takes_its_turn_when_the_one_before_is_healthy(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NODES + BASE)
    muster.apply().exits(0)
    first = healthy_targets(cloud, "nodes")
    assert len(first) == 3
    muster.plan().exits(0)
    muster.edit("net", "root_volume: { size: 20 }", "root_volume: { size: 20, encrypted: true }")
    cloud.sandbox.reset_log()
    muster.apply(*ALLOW, "--allow", "data-loss").exits(0)
    second = targets(cloud, "nodes")
    assert len(second) == 3 and set(second.values()) == {"healthy"}
    assert not set(first) & set(second)
    turns = order(cloud, "DeregisterTargets", "TerminateInstances", "RunInstances", "RegisterTargets")
    assert turns == ["DeregisterTargets", "TerminateInstances", "RunInstances", "RegisterTargets"] * 3
    muster.plan().exits(0)


def test_a_client_secret_is_nowhere(muster: Muster, cloud: Cloud) -> None:
    secret = "correct-horse-battery"
    muster.extra["CLIENT_SECRET"] = secret
    muster.write(net=OIDC + BASE)
    muster.plan().exits(2).says_not(secret)
    muster.apply().exits(0).says_not(secret)
    muster.plan().exits(0).says_not(secret)
    assert secret not in json.dumps(muster.rows(), default=str)
    muster.edit("net", "session_timeout: 3600", "session_timeout: 7200")
    muster.apply().exits(0)
    action = listeners(cloud)[443]["DefaultActions"][0]
    assert action["AuthenticateOidcConfig"]["SessionTimeout"] == 7200
    muster.plan(CLIENT_SECRET="another").exits(2).says("oidc_client_secret").says_not("another", secret)
    muster.plan().exits(0)


OIDC = """
variables: { client_secret: { type: string, secret: env:CLIENT_SECRET } }
alb:
  web:
    subnets: [a, b]
    listeners:
      - port: 443
        certificate: rancher
        authenticate_oidc:
          issuer: https://id.example
          authorization_endpoint: https://id.example/auth
          token_endpoint: https://id.example/token
          user_info_endpoint: https://id.example/me
          client_id: muster
          client_secret: ${var.client_secret}
          session_timeout: 3600
        fixed_response: 200
"""
