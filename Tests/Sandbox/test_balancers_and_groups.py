"""Load balancers and Auto Scaling groups."""

from __future__ import annotations

from typing import Any

import pytest
from sandboxes import Sandbox, code_of
from test_instances import AMI, Ground


class Front:
    """Two subnets in two zones, a group, and clients."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.ec2, self.elb = sandbox.client("ec2"), sandbox.client("elbv2")
        self.acm, self.asg = sandbox.client("acm"), sandbox.client("autoscaling")
        self.sns, self.cloudwatch = sandbox.client("sns"), sandbox.client("cloudwatch")
        self.ground = Ground(self.ec2)
        asked = {"VpcId": self.ground.vpc, "CidrBlock": "10.0.2.0/24", "AvailabilityZone": "us-east-1b"}
        self.subnets = [self.ground.subnet, self.ec2.create_subnet(**asked)["Subnet"]["SubnetId"]]
        self.certificate = self.acm.list_certificates()["CertificateSummaryList"][0]["CertificateArn"]

    def balancer(self, name: str = "lb") -> Any:
        asked = {"Name": name, "Subnets": self.subnets, "SecurityGroups": [self.ground.group]}
        return self.elb.create_load_balancer(**asked)["LoadBalancers"][0]

    def group(self, name: str = "tg") -> str:
        asked = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": self.ground.vpc}
        return str(self.elb.create_target_group(**asked)["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, balancer: str, **more: Any) -> Any:
        asked = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80} | more
        return self.elb.create_listener(**asked)["Listeners"][0]

    def template(self) -> dict[str, str]:
        data = {
            "ImageId": AMI,
            "InstanceType": "m5.large",
            "BlockDeviceMappings": [{"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"}],
        }
        self.ec2.create_launch_template(LaunchTemplateName="base", LaunchTemplateData=data)
        return {"LaunchTemplateName": "base", "Version": "$Latest"}

    def scaling(self, **more: Any) -> dict[str, Any]:
        return {"AutoScalingGroupName": "asg", "MinSize": 1, "MaxSize": 3, "VPCZoneIdentifier": self.subnets[0]} | more

    def scaled(self) -> Any:
        return self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=["asg"])["AutoScalingGroups"][0]


@pytest.fixture
def front(sandbox: Sandbox) -> Front:
    return Front(sandbox)


def forward(group: str) -> list[dict[str, str]]:
    return [{"Type": "forward", "TargetGroupArn": group}]


# MARK: load balancers


def test_equal_creates_are_one_and_others_are_refused(front: Front) -> None:
    arn = front.balancer()["LoadBalancerArn"]
    assert front.balancer()["LoadBalancerArn"] == arn
    asked = {"Name": "lb", "Subnets": front.subnets, "Scheme": "internal"}
    assert code_of(front.elb.create_load_balancer, **asked) == "DuplicateLoadBalancerName"
    group = front.group()
    assert front.group() == group
    other = {"Name": "tg", "Protocol": "HTTP", "Port": 81, "VpcId": front.ground.vpc}
    assert code_of(front.elb.create_target_group, **other) == "DuplicateTargetGroupName"
    listener = front.listener(arn, DefaultActions=forward(group))["ListenerArn"]
    assert front.listener(arn, DefaultActions=forward(group))["ListenerArn"] == listener
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    assert code_of(front.listener, arn, DefaultActions=fixed) == "DuplicateListener"


def test_two_zones_are_wanted(front: Front) -> None:
    assert code_of(front.elb.create_load_balancer, Name="lb", Subnets=front.subnets[:1]) == "ValidationError"
    assert code_of(front.elb.create_load_balancer, Name="lb", Subnets=["subnet-0123456789abcdef0"]) == "SubnetNotFound"


def test_a_protected_balancer_stays(front: Front) -> None:
    arn = front.balancer()["LoadBalancerArn"]

    def protect(value: str) -> None:
        attribute = [{"Key": "deletion_protection.enabled", "Value": value}]
        front.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attribute)

    protect("true")
    assert code_of(front.elb.delete_load_balancer, LoadBalancerArn=arn) == "OperationNotPermitted"
    protect("false")
    front.elb.delete_load_balancer(LoadBalancerArn=arn)
    front.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert code_of(front.elb.describe_load_balancers, LoadBalancerArns=[arn]) == "LoadBalancerNotFound"


def test_all_attributes_are_told(front: Front) -> None:
    arn = front.balancer()["LoadBalancerArn"]
    held = {
        a["Key"]: a["Value"] for a in front.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    }
    assert (held["idle_timeout.timeout_seconds"], held["routing.http2.enabled"]) == ("60", "true")


def test_a_balancers_interfaces_hold_groups_and_subnets_past_its_end(slow_sandbox: Sandbox) -> None:
    front = Front(slow_sandbox)
    made = front.balancer()
    arn = made["LoadBalancerArn"]
    assert made["State"]["Code"] == "provisioning"
    slow_sandbox.until(
        lambda: (
            front.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["State"]["Code"] == "active"
        )
    )
    held = front.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB app/lb/*"]}])[
        "NetworkInterfaces"
    ]
    assert len(held) == 2
    assert code_of(front.ec2.delete_security_group, GroupId=front.ground.group) == "DependencyViolation"
    front.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert code_of(front.ec2.delete_security_group, GroupId=front.ground.group) == "DependencyViolation"
    assert code_of(front.ec2.delete_subnet, SubnetId=front.subnets[1]) == "DependencyViolation"
    slow_sandbox.until(lambda: code_of(front.ec2.delete_security_group, GroupId=front.ground.group) == "")
    front.ec2.delete_subnet(SubnetId=front.subnets[1])


def test_listeners_and_certificates(front: Front) -> None:
    arn, group = front.balancer()["LoadBalancerArn"], front.group()
    asked = {"Protocol": "HTTPS", "Port": 443, "DefaultActions": forward(group)}
    assert code_of(front.listener, arn, **asked) == "ValidationError"
    unknown = [{"CertificateArn": front.certificate[:-4] + "0000"}]
    assert code_of(front.listener, arn, Certificates=unknown, **asked) == "CertificateNotFound"
    certificates = [{"CertificateArn": front.certificate}]
    assert code_of(front.listener, arn, Certificates=certificates, SslPolicy="none", **asked) == "SSLPolicyNotFound"
    made = front.listener(arn, Certificates=certificates, **asked)
    assert made["SslPolicy"] == "ELBSecurityPolicy-2016-08"
    assert code_of(front.acm.delete_certificate, CertificateArn=front.certificate) == "ResourceInUseException"
    assert code_of(front.elb.delete_target_group, TargetGroupArn=group) == "ResourceInUse"
    front.elb.add_listener_certificates(ListenerArn=made["ListenerArn"], Certificates=certificates)
    assert len(front.elb.describe_listener_certificates(ListenerArn=made["ListenerArn"])["Certificates"]) == 1
    plain = front.listener(arn, DefaultActions=forward(group))
    assert "SslPolicy" not in plain
    front.elb.delete_load_balancer(LoadBalancerArn=arn)
    front.elb.delete_target_group(TargetGroupArn=group)
    front.elb.delete_target_group(TargetGroupArn=group)
    front.acm.delete_certificate(CertificateArn=front.certificate)


def test_targets(slow_sandbox: Sandbox) -> None:
    front = Front(slow_sandbox)
    group, instance = front.group(), front.ground.run()
    targets = {"TargetGroupArn": group, "Targets": [{"Id": instance}]}
    assert code_of(front.elb.register_targets, **targets) == "InvalidTarget"
    bogus = {"TargetGroupArn": group, "Targets": [{"Id": "i-0123456789abcdef0"}]}
    assert code_of(front.elb.register_targets, **bogus) == "InvalidTarget"
    slow_sandbox.until(lambda: code_of(front.elb.register_targets, **targets) == "")

    def health() -> list[str]:
        held = front.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return [t["TargetHealth"]["State"] for t in held]

    assert health() == ["unused"]
    front.listener(front.balancer()["LoadBalancerArn"], DefaultActions=forward(group))
    slow_sandbox.until(lambda: health() == ["healthy"])
    front.elb.deregister_targets(**targets)
    assert health() == ["draining"]
    slow_sandbox.until(lambda: health() == [])


def test_balancers_page(front: Front) -> None:
    for n in range(5):
        front.group(f"tg{n}")
    pages = list(front.elb.get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(p["TargetGroups"]) for p in pages] == [2, 2, 1]


def pairs(told: Any) -> dict[str, str]:
    return {a["Key"]: a["Value"] for a in told["Attributes"]}


def test_attributes_are_those_of_the_kind(front: Front) -> None:
    elb, arn, group = front.elb, front.balancer()["LoadBalancerArn"], front.group()
    unknown = [{"Key": "dns_record.client_routing_policy", "Value": "any_availability_zone"}]
    asked = {"LoadBalancerArn": arn, "Attributes": unknown}
    assert code_of(elb.modify_load_balancer_attributes, **asked) == "InvalidConfigurationRequest"
    logs = [{"Key": "access_logs.s3.enabled", "Value": "true"}]
    assert code_of(elb.modify_load_balancer_attributes, LoadBalancerArn=arn, Attributes=logs) != ""
    held = pairs(elb.describe_target_group_attributes(TargetGroupArn=group))
    assert (held["slow_start.duration_seconds"], held["stickiness.type"]) == ("0", "lb_cookie")
    assert "proxy_protocol_v2.enabled" not in held
    for key, value in (("proxy_protocol_v2.enabled", "true"), ("slow_start.duration_seconds", "5")):
        attribute = [{"Key": key, "Value": value}]
        assert code_of(elb.modify_target_group_attributes, TargetGroupArn=group, Attributes=attribute) != "", key
    listener = front.listener(arn, DefaultActions=forward(group))["ListenerArn"]
    assert "tcp.idle_timeout.seconds" not in pairs(elb.describe_listener_attributes(ListenerArn=listener))
    timeout = [{"Key": "tcp.idle_timeout.seconds", "Value": "60"}]
    assert code_of(elb.modify_listener_attributes, ListenerArn=listener, Attributes=timeout) != ""


def test_a_group_serves_one_balancer(front: Front) -> None:
    first, second, group = front.balancer()["LoadBalancerArn"], front.balancer("other")["LoadBalancerArn"], front.group()
    front.listener(first, DefaultActions=forward(group))
    assert code_of(front.listener, second, DefaultActions=forward(group)) == "TargetGroupAssociationLimit"
    tcp = {"Name": "tcp", "Protocol": "TCP", "Port": 80, "VpcId": front.ground.vpc}
    network = front.elb.create_target_group(**tcp)["TargetGroups"][0]["TargetGroupArn"]
    assert code_of(front.listener, second, DefaultActions=forward(network)) == "InvalidConfigurationRequest"
    assert code_of(front.listener, second, Protocol="TCP", DefaultActions=forward(group)) == "UnsupportedProtocol"


def test_actions_come_back_whole_and_without_secrets(front: Front) -> None:
    arn, group = front.balancer()["LoadBalancerArn"], front.group()
    told = front.listener(arn, DefaultActions=forward(group))["DefaultActions"][0]
    assert told["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": group, "Weight": 1}]
    assert (told["Order"], told["ForwardConfig"]["TargetGroupStickinessConfig"]) == (1, {"Enabled": False})
    redirect = [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}]
    told = front.listener(arn, Port=81, DefaultActions=redirect)["DefaultActions"][0]["RedirectConfig"]
    assert (told["Path"], told["Query"], told["Host"]) == ("/#{path}", "#{query}", "#{host}")
    oidc = {"Issuer": "i", "AuthorizationEndpoint": "a", "TokenEndpoint": "t", "UserInfoEndpoint": "u", "ClientId": "c"}
    last = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}, "Order": 2}

    def actions(**more: Any) -> list[dict[str, Any]]:
        return [{"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": oidc | more}, last]

    more = {"Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": front.certificate}]}
    assert code_of(front.listener, arn, DefaultActions=actions(), **more) == "InvalidLoadBalancerAction"
    kept = actions(UseExistingClientSecret=True)
    assert code_of(front.listener, arn, DefaultActions=kept, **more) == "InvalidLoadBalancerAction"
    made = front.listener(arn, DefaultActions=actions(ClientSecret="s"), **more)
    told = made["DefaultActions"][0]["AuthenticateOidcConfig"]
    assert "ClientSecret" not in told and told["SessionTimeout"] == 604800
    front.elb.modify_listener(ListenerArn=made["ListenerArn"], DefaultActions=kept)


def test_rules_have_priorities_of_their_own(front: Front) -> None:
    elb, arn = front.elb, front.balancer()["LoadBalancerArn"]
    listener = front.listener(arn, DefaultActions=forward(front.group()))["ListenerArn"]
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    path = [{"Field": "path-pattern", "Values": ["/a"]}]
    asked = {"ListenerArn": listener, "Conditions": path, "Actions": fixed}
    first = elb.create_rule(Priority=1, **asked)["Rules"][0]
    second = elb.create_rule(Priority=2, **asked)["Rules"][0]["RuleArn"]
    assert first["Conditions"][0]["PathPatternConfig"]["Values"] == ["/a"]
    assert code_of(elb.create_rule, Priority=2, **asked) == "PriorityInUse"
    moved = [{"RuleArn": first["RuleArn"], "Priority": 2}]
    assert code_of(elb.set_rule_priorities, RulePriorities=moved) == "PriorityInUse"
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": first["RuleArn"], "Priority": 1}])
    elb.set_rule_priorities(RulePriorities=[*moved, {"RuleArn": second, "Priority": 1}])
    held = elb.describe_rules(ListenerArn=listener)["Rules"]
    assert [r["Priority"] for r in held] == ["1", "2", "default"]
    assert held[0]["RuleArn"] == second
    assert code_of(elb.delete_rule, RuleArn=held[-1]["RuleArn"]) == "OperationNotPermitted"
    elb.delete_rule(RuleArn=second)
    assert code_of(elb.delete_rule, RuleArn=second) == "RuleNotFound"
    assert code_of(elb.describe_tags, ResourceArns=[second]) == "RuleNotFound"


def test_a_new_certificate_leaves_the_additional_ones(front: Front, sandbox: Sandbox) -> None:
    elb, arn = front.elb, front.balancer()["LoadBalancerArn"]
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    own = {"CertificateArn": front.certificate}
    listener = front.listener(arn, Protocol="HTTPS", Port=443, Certificates=[own], DefaultActions=fixed)["ListenerArn"]
    other = {"CertificateArn": "arn:aws:iam::123456789012:server-certificate/other"}
    third = {"CertificateArn": "arn:aws:iam::123456789012:server-certificate/third"}
    elb.add_listener_certificates(ListenerArn=listener, Certificates=[other])
    elb.modify_listener(ListenerArn=listener, Certificates=[third])
    held = elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    assert [(c["CertificateArn"], c["IsDefault"]) for c in held] == [
        (third["CertificateArn"], True),
        (other["CertificateArn"], False),
    ]
    removed = {"ListenerArn": listener, "Certificates": [third]}
    assert code_of(elb.remove_listener_certificates, **removed) == "OperationNotPermitted"


def test_one_target_has_several_ports(front: Front) -> None:
    asked = {"Name": "ip", "Protocol": "HTTP", "Port": 80, "VpcId": front.ground.vpc, "TargetType": "ip"}
    group = front.elb.create_target_group(**asked)["TargetGroups"][0]["TargetGroupArn"]
    two = [{"Id": "10.0.0.9"}, {"Id": "10.0.0.9", "Port": 81}]
    front.elb.register_targets(TargetGroupArn=group, Targets=two)

    def ports() -> list[int]:
        held = front.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return [t["Target"]["Port"] for t in held]

    assert ports() == [80, 81]
    front.elb.deregister_targets(TargetGroupArn=group, Targets=two[1:])
    assert ports() == [80]


# MARK: Auto Scaling


def test_a_name_is_taken_once(front: Front) -> None:
    front.asg.create_auto_scaling_group(**front.scaling(LaunchTemplate=front.template()))
    again = front.scaling(LaunchTemplate={"LaunchTemplateName": "base"})
    assert code_of(front.asg.create_auto_scaling_group, **again) == "AlreadyExists"
    assert len(front.scaled()["Instances"]) == 1


def test_sizes_launches_and_places_are_checked(front: Front) -> None:
    template = front.template()
    for more in (
        {"MinSize": 4, "LaunchTemplate": template},
        {"DesiredCapacity": 9, "LaunchTemplate": template},
        {"LaunchTemplate": {"LaunchTemplateName": "nobody"}},
        {"LaunchConfigurationName": "nobody"},
        {"LaunchTemplate": template, "VPCZoneIdentifier": "subnet-0123456789abcdef0"},
        {"LaunchTemplate": template, "MaxInstanceLifetime": 5},
        {},
    ):
        assert code_of(front.asg.create_auto_scaling_group, **front.scaling(**more)) == "ValidationError", more
    assert code_of(front.asg.update_auto_scaling_group, AutoScalingGroupName="nobody", MinSize=1) == "ValidationError"


def test_every_field_comes_back(front: Front) -> None:
    kept = {
        "MaxInstanceLifetime": 86400,
        "DefaultInstanceWarmup": 60,
        "InstanceMaintenancePolicy": {"MinHealthyPercentage": 90, "MaxHealthyPercentage": 110},
        "TerminationPolicies": ["OldestInstance"],
        "CapacityRebalance": True,
        "DefaultCooldown": 30,
    }
    front.asg.create_auto_scaling_group(**front.scaling(LaunchTemplate=front.template(), **kept))
    shown = front.scaled()
    assert {k: shown[k] for k in kept} == kept
    assert shown["LaunchTemplate"]["Version"] == "$Latest"
    front.asg.update_auto_scaling_group(
        AutoScalingGroupName="asg", MaxInstanceLifetime=0, DefaultInstanceWarmup=-1, DefaultCooldown=40
    )
    shown = front.scaled()
    assert "MaxInstanceLifetime" not in shown
    assert "DefaultInstanceWarmup" not in shown
    assert shown["DefaultCooldown"] == 40


def test_a_group_with_instances_stays(slow_sandbox: Sandbox) -> None:
    front = Front(slow_sandbox)
    front.asg.create_auto_scaling_group(**front.scaling(LaunchTemplate=front.template()))
    assert front.scaled()["Instances"][0]["LifecycleState"] == "Pending"
    slow_sandbox.until(lambda: front.scaled()["Instances"][0]["LifecycleState"] == "InService")
    assert code_of(front.asg.delete_auto_scaling_group, AutoScalingGroupName="asg") == "ResourceInUse"
    front.asg.delete_auto_scaling_group(AutoScalingGroupName="asg", ForceDelete=True)
    assert front.scaled()["Status"] == "Delete in progress"
    slow_sandbox.until(lambda: front.asg.describe_auto_scaling_groups()["AutoScalingGroups"] == [])
    states = {i["State"]["Name"] for r in front.ec2.describe_instances()["Reservations"] for i in r["Instances"]}
    assert states <= {"shutting-down", "terminated"}


def test_launch_configurations(front: Front) -> None:
    asked = {"LaunchConfigurationName": "lc", "ImageId": AMI, "InstanceType": "m5.large"}
    devices = [{"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"}]
    front.asg.create_launch_configuration(BlockDeviceMappings=devices, **asked)
    assert code_of(front.asg.create_launch_configuration, **asked) == "AlreadyExists"
    (shown,) = front.asg.describe_launch_configurations()["LaunchConfigurations"]
    assert shown["BlockDeviceMappings"] == devices
    for more in ({"ImageId": "ami-0123456789abcdef0"}, {"KeyName": "nobody"}, {"IamInstanceProfile": "nobody"}):
        refused = asked | {"LaunchConfigurationName": "other"} | more
        assert code_of(front.asg.create_launch_configuration, **refused) == "ValidationError", more
    front.asg.create_auto_scaling_group(**front.scaling(LaunchConfigurationName="lc"))
    assert code_of(front.asg.delete_launch_configuration, LaunchConfigurationName="lc") == "ResourceInUse"
    front.asg.delete_auto_scaling_group(AutoScalingGroupName="asg", ForceDelete=True)
    front.asg.delete_launch_configuration(LaunchConfigurationName="lc")
    assert code_of(front.asg.delete_launch_configuration, LaunchConfigurationName="lc") == "ValidationError"


def test_refreshes(slow_sandbox: Sandbox) -> None:
    front = Front(slow_sandbox)
    front.asg.create_auto_scaling_group(**front.scaling(LaunchTemplate=front.template()))
    first = front.asg.start_instance_refresh(AutoScalingGroupName="asg")["InstanceRefreshId"]
    assert code_of(front.asg.start_instance_refresh, AutoScalingGroupName="asg") == "InstanceRefreshInProgress"
    front.asg.cancel_instance_refresh(AutoScalingGroupName="asg")
    assert code_of(front.asg.cancel_instance_refresh, AutoScalingGroupName="asg") == "ActiveInstanceRefreshNotFound"
    second = front.asg.start_instance_refresh(AutoScalingGroupName="asg")["InstanceRefreshId"]

    def states() -> dict[str, str]:
        held = front.asg.describe_instance_refreshes(AutoScalingGroupName="asg")["InstanceRefreshes"]
        return {r["InstanceRefreshId"]: r["Status"] for r in held}

    slow_sandbox.until(lambda: states() == {first: "Cancelled", second: "Successful"})


def test_policies_hooks_metrics_and_tags(front: Front) -> None:
    front.asg.create_auto_scaling_group(**front.scaling(LaunchTemplate=front.template()))
    tracking = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": 50.0,
    }
    policy = {
        "AutoScalingGroupName": "asg",
        "PolicyName": "p",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingConfiguration": tracking,
    }
    made = front.asg.put_scaling_policy(**policy)
    assert made["PolicyARN"].startswith("arn:aws:autoscaling:")
    assert len(made["Alarms"]) == 2
    assert code_of(front.asg.put_scaling_policy, **(policy | {"AutoScalingGroupName": "nobody"})) == "ValidationError"
    front.asg.delete_policy(AutoScalingGroupName="asg", PolicyName="p")
    assert code_of(front.asg.delete_policy, AutoScalingGroupName="asg", PolicyName="p") == "ValidationError"
    hook = {
        "LifecycleHookName": "h",
        "AutoScalingGroupName": "asg",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
    }
    told = {
        "HeartbeatTimeout": 60,
        "NotificationTargetARN": "arn:aws:sns:us-east-1:123456789012:t",
        "RoleARN": "arn:aws:iam::123456789012:role/r",
    }
    assert code_of(front.asg.put_lifecycle_hook, **told, **hook) == "ValidationError"
    front.sns.create_topic(Name="t")
    front.asg.put_lifecycle_hook(**told, **hook)
    (shown,) = front.asg.describe_lifecycle_hooks(AutoScalingGroupName="asg")["LifecycleHooks"]
    assert shown["NotificationTargetARN"] == "arn:aws:sns:us-east-1:123456789012:t"
    assert shown["GlobalTimeout"] == 6000
    front.asg.enable_metrics_collection(AutoScalingGroupName="asg", Granularity="1Minute", Metrics=["GroupMinSize"])
    assert [m["Metric"] for m in front.scaled()["EnabledMetrics"]] == ["GroupMinSize"]
    front.asg.disable_metrics_collection(AutoScalingGroupName="asg")
    assert front.scaled().get("EnabledMetrics", []) == []
    tag = [
        {
            "ResourceId": "nobody",
            "ResourceType": "auto-scaling-group",
            "Key": "k",
            "Value": "v",
            "PropagateAtLaunch": True,
        }
    ]
    assert code_of(front.asg.create_or_update_tags, Tags=tag) == "ValidationError"
