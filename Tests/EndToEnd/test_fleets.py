"""Fleets: made, renewed, scaled by others, and gone again."""

from __future__ import annotations

import base64
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import Cloud, Muster, Run, tags_of

NET = """
vpc:
  main:
    cidr_block: 10.0.0.0/16
    subnets:
      prod-a: { cidr_block: 10.0.1.0/24, availability_zone: us-east-1a }
security_groups:
  hosts: { vpc: main, ingress: [{ port: 22, from: [10.0.0.0/8] }] }
"""

FLEET = """
uses: [net]
lookups:
  amis: { container-host: { owners: [self], name: "packer-prod-rancher-containerhost_*", most_recent: true } }
autoscaling_groups:
  celery:
    min_size: 2
    max_size: 6
    desired_capacity: { initial: 3 }
    subnets: [prod-a]
    launch:
      ami: container-host
      instance_type: m5.large
      security_groups: [hosts]
      root_volume: { size: 20, type: gp3 }
      ephemeral_block_devices: [{ device_name: /dev/sdb, virtual_name: ephemeral0 }]
      user_data: "#cloud-config"
    instance_refresh: { min_healthy_percentage: 50, instance_warmup: 0 }
    scaling_policies:
      up: { adjustment: 1, cooldown: 60, alarm: { metric: CPUUtilization, above: 70 } }
      cpu: { target: 60, metric: ASGAverageCPUUtilization }
    schedule:
      morning: { recurrence: "0 7 * * 1-5", min_size: 3 }
    lifecycle_hooks:
      leave: { transition: terminating, heartbeat_timeout: 60, default_result: CONTINUE }
    tags: { Usage: celery }
"""

COUNT = {
    "vpcs": 1,
    "subnets": 1,
    "security groups": 1,
    "security group rules": 2,
    "launch templates": 1,
    "autoscaling groups": 1,
    "scaling policies": 2,
    "scheduled actions": 1,
    "lifecycle hooks": 1,
    "alarms": 1,
}


def fleet(muster: Muster) -> Muster:
    muster.write(net=NET, fleet=FLEET)
    muster.apply().exits(0)
    return muster


def group(cloud: Cloud, name: str = "celery") -> dict[str, Any]:
    (found,) = cloud.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return dict(found)


def refreshes(cloud: Cloud) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.autoscaling.describe_instance_refreshes(AutoScalingGroupName="celery")[
        "InstanceRefreshes"
    ]
    return found


def kinds(cloud: Cloud) -> set[str]:
    """The types of the fleet's instances that are not on their way out."""
    return {i["InstanceType"] for i in group(cloud)["Instances"] if i["LifecycleState"] == "InService"}


def words(events: Path) -> list[str]:
    """What was waited for, as the events tell it."""
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    return [str(line["status"]) for line in lines if "status" in line]


def test_a_fleet_lives_and_leaves_nothing(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NET, fleet=FLEET)
    muster.plan().exits(2)
    muster.apply().exits(0)
    made = group(cloud)
    instances = len(made["Instances"])
    assert (made["MinSize"], made["MaxSize"], made["DesiredCapacity"], instances) == (2, 6, 3, 3)
    assert cloud.count() == COUNT | {"instances": 3, "volumes": 3}
    assert {t["Key"]: t["PropagateAtLaunch"] for t in made["Tags"]} == {
        "Name": True, "ManagedBy": True, "Usage": True, "muster:intent": False,
    }  # fmt: skip
    (reservation, *_) = cloud.ec2.describe_instances(
        Filters=[{"Name": "tag:aws:autoscaling:groupName", "Values": ["celery"]}]
    )["Reservations"]
    assert tags_of(reservation["Instances"][0]).items() >= {"Usage": "celery", "Name": "celery"}.items()
    (alarm,) = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    (policy,) = cloud.autoscaling.describe_policies(PolicyNames=["up"])["ScalingPolicies"]
    assert alarm["AlarmName"] == "celery-up"
    assert alarm["AlarmActions"] == [policy["PolicyARN"]]
    muster.plan().exits(0).says("No changes.")
    muster.drift().exits(0)

    muster.edit("fleet", "above: 70", "above: 80")
    muster.edit("fleet", "cooldown: 60", "cooldown: 120")
    muster.edit("fleet", "heartbeat_timeout: 60", "heartbeat_timeout: 90")
    muster.edit("fleet", "min_size: 3 }", "min_size: 4 }")
    muster.edit("fleet", "max_size: 6", "max_size: 7")
    muster.edit("fleet", "Usage: celery", "Usage: other")
    muster.plan().exits(2).says("0 to add, ").says(" 0 to destroy")
    muster.apply().exits(0)
    muster.plan().exits(0)
    assert group(cloud)["MaxSize"] == 7

    muster.destroy().exits(0)
    assert cloud.count() == {}
    assert muster.ids() == {}


def test_another_launch_renews_the_fleet(muster: Muster, cloud: Cloud, tmp_path: Path) -> None:
    fleet(muster)
    before = {i["InstanceId"] for i in group(cloud)["Instances"]}
    muster.edit("fleet", "instance_type: m5.large", "instance_type: m5.xlarge")
    muster.plan().exits(2).says("Plan: 0 to add, 2 to change, 0 to destroy.", "aws.launch_template/celery")
    events = tmp_path / "events.jsonl"
    cloud.sandbox.reset_log()
    muster.apply("--events", events).exits(0)

    assert [w for w in words(events) if w.startswith("instance refresh")], words(events)
    made = group(cloud)
    assert made["LaunchTemplate"]["Version"] == "2"
    assert kinds(cloud) == {"m5.xlarge"}
    assert before.isdisjoint(i["InstanceId"] for i in made["Instances"] if i["LifecycleState"] == "InService")
    assert cloud.changes() == ["CreateLaunchTemplateVersion", "StartInstanceRefresh"]
    (refresh,) = refreshes(cloud)
    assert refresh["Preferences"].items() >= {"MinHealthyPercentage": 50, "AutoRollback": True}.items()
    muster.plan().exits(0)
    muster.drift().exits(0)


def test_progress_is_shown_in_lines(
    start_sandbox: Callable[..., Any], tmp_path: Path
) -> None:
    slow = start_sandbox(MUSTER_SANDBOX_DELAY="6")
    muster = Muster(tmp_path, slow.endpoint)
    fleet(muster)
    muster.edit("fleet", "instance_type: m5.large", "instance_type: m5.xlarge")
    told = muster.apply().exits(0)
    assert "aws.autoscaling_group/celery: still updating (instance refresh " in told.text, told.text
    muster.plan().exits(0)


def test_a_refresh_that_fails_is_rolled_back(muster: Muster, cloud: Cloud) -> None:
    fleet(muster)
    # No image of today starts on this type.
    muster.edit("fleet", "instance_type: m5.large", "instance_type: t1.micro")
    failed = muster.apply().exits(1)
    failed.says("the instance refresh ", "failed and was rolled back", "not supported for this instance type")
    made = group(cloud)
    assert made["LaunchTemplate"]["Version"] == "1"
    assert kinds(cloud) == {"m5.large"}
    assert [r["Status"] for r in refreshes(cloud)] == ["RollbackSuccessful"]

    # The difference is there again, and it is nobody's drift.
    muster.plan().exits(2).says("aws.autoscaling_group/celery", "Plan: 0 to add, 1 to change, 0 to destroy.")
    muster.drift().exits(0)
    muster.apply().exits(1).says("failed and was rolled back")
    assert len(refreshes(cloud)) == 2

    muster.edit("fleet", "instance_type: t1.micro", "instance_type: m5.2xlarge")
    muster.apply().exits(0)
    assert kinds(cloud) == {"m5.2xlarge"}
    muster.plan().exits(0)


def test_going_back_after_a_failed_refresh_changes_no_instance(muster: Muster, cloud: Cloud) -> None:
    fleet(muster)
    instances = {i["InstanceId"] for i in group(cloud)["Instances"]}
    muster.edit("fleet", "instance_type: m5.large", "instance_type: t1.micro")
    muster.apply().exits(1)
    muster.edit("fleet", "instance_type: t1.micro", "instance_type: m5.large")
    muster.apply().exits(0)
    muster.plan().exits(0)
    # The version is a new one that says what the first said.
    assert group(cloud)["LaunchTemplate"]["Version"] == "3"
    assert kinds(cloud) == {"m5.large"}
    assert instances


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_running_refresh_is_picked_up(start_sandbox: Callable[..., Any], tmp_path: Path) -> None:
    slow = start_sandbox(MUSTER_SANDBOX_DELAY="2")
    muster, cloud = Muster(tmp_path, slow.endpoint), Cloud(slow)
    fleet(muster)
    muster.edit("fleet", "instance_type: m5.large", "instance_type: m5.xlarge")
    slow.reset_log()
    for end in (signal.SIGKILL, signal.SIGINT):
        process = muster.start("apply", "--auto-approve")
        wait_until(lambda: bool(refreshes(cloud)))
        time.sleep(1)
        process.send_signal(end)
        out, err = process.communicate(timeout=60)
        assert process.returncode != 0, Run(["apply"], process.returncode, out, err)
        assert refreshes(cloud)[0]["Status"] in ("Pending", "InProgress")
        assert group(cloud)["LaunchTemplate"]["Version"] == "1"
    muster.apply(MUSTER_CONSISTENCY_WINDOW="1s").exits(0)
    assert [r["Status"] for r in refreshes(cloud)] == ["Successful"]
    assert cloud.calls()["StartInstanceRefresh"] == 1
    assert cloud.calls()["CreateLaunchTemplateVersion"] == 1
    muster.plan().exits(0)


def test_a_look_costs_a_call_for_each_listing(muster: Muster, cloud: Cloud) -> None:
    fleet(muster)
    muster.write(more=FLEET.replace("  celery:", "  crawling:").replace("name: celery", "name: crawling"))
    (muster.specs / "muster.yaml").write_text(
        (muster.specs / "muster.yaml").read_text() + "  more: more.yaml\n"
    )
    muster.apply().exits(0)
    cloud.sandbox.reset_log()
    muster.plan().exits(0)
    fleet_calls = {
        c: n for c, n in cloud.calls().items() if "Launch" in c or "caling" in c or "Alarm" in c or "Schedul" in c
        or c in ("DescribePolicies", "DescribeLifecycleHooks", "DescribeInstanceRefreshes", "GetResources")
    }  # fmt: skip
    # Hooks are listed one group at a time.
    assert fleet_calls == {
        "DescribeLaunchTemplates": 1, "DescribeLaunchTemplateVersions": 1, "DescribeAutoScalingGroups": 1,
        "DescribePolicies": 1, "DescribeScheduledActions": 1, "DescribeLifecycleHooks": 2, "DescribeAlarms": 1,
        "GetResources": 1,
    }  # fmt: skip


SECRET = "correct-horse-battery"


def test_a_secret_in_the_launch_stays_one(muster: Muster, cloud: Cloud) -> None:
    text = FLEET.replace('user_data: "#cloud-config"', 'user_data: "token: ${var.token}"')
    text = "variables: { token: { type: string, secret: env:FLEET_TOKEN } }\n" + text
    muster.write(net=NET, fleet=text)
    muster.apply(FLEET_TOKEN=SECRET).exits(3).says("secret-exposure").says_not(SECRET)
    allowed = ("--allow", "secret-exposure")
    muster.apply(*allowed, FLEET_TOKEN=SECRET).exits(0).says_not(SECRET)
    versions = cloud.ec2.describe_launch_template_versions(LaunchTemplateName="celery", Versions=["$Latest"])
    data = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    assert base64.b64decode(data["UserData"]).decode() == f"token: {SECRET}"
    assert SECRET.encode() not in muster.state.read_bytes()
    muster.plan(FLEET_TOKEN=SECRET).exits(0)
    muster.plan().exits(0)
    muster.drift(FLEET_TOKEN=SECRET).exits(0)

    other = SECRET[::-1]
    muster.plan(FLEET_TOKEN=other).exits(2).says_not(other)
    muster.apply(*allowed, FLEET_TOKEN=other).exits(0).says_not(other)
    assert group(cloud)["LaunchTemplate"]["Version"] == "2"
    muster.plan(FLEET_TOKEN=other).exits(0)


def test_a_version_made_by_hand_is_drift(muster: Muster, cloud: Cloud) -> None:
    fleet(muster)
    cloud.ec2.create_launch_template_version(
        LaunchTemplateName="celery", SourceVersion="1", LaunchTemplateData={"InstanceType": "c5.large"}
    )
    muster.drift().exits(2).says("instance_type: was m5.large, is c5.large")
    muster.apply().exits(0)
    assert kinds(cloud) == {"m5.large"}
    muster.plan().exits(0)


def test_a_fleet_is_replaced_by_its_successor(muster: Muster, cloud: Cloud) -> None:
    fleet(muster)
    muster.plan("--replace", "fleet:aws.autoscaling_group/celery").exits(2).says("celery-g2")
    muster.apply("--replace", "fleet:aws.autoscaling_group/celery").exits(0)
    (made,) = cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert made["AutoScalingGroupName"] == "celery-g2"
    assert cloud.count() == COUNT | {"instances": 3, "volumes": 3}
    muster.plan().exits(0)
    muster.destroy().exits(0)
    assert cloud.count() == {}


@pytest.mark.parametrize("when", ["before", "after"])
def test_lost_answers_make_nothing_twice(muster: Muster, cloud: Cloud, when: str) -> None:
    muster.write(net=NET, fleet=FLEET)
    made = [
        "CreateLaunchTemplate", "CreateAutoScalingGroup", "PutScalingPolicy", "PutScheduledUpdateGroupAction",
        "PutLifecycleHook", "PutMetricAlarm",
    ]  # fmt: skip
    cloud.sandbox.faults(*[{"operation": o, "kind": "reset connection", "when": when, "times": 1} for o in made])
    muster.apply()
    muster.apply().exits(0)
    assert cloud.count() == COUNT | {"instances": 3, "volumes": 3}
    muster.plan().exits(0)

    muster.edit("fleet", "instance_type: m5.large", "instance_type: m5.xlarge")
    muster.edit("fleet", "above: 70", "above: 75")
    changed = ["CreateLaunchTemplateVersion", "StartInstanceRefresh", "PutMetricAlarm"]
    cloud.sandbox.faults(*[{"operation": o, "kind": "reset connection", "when": when, "times": 1} for o in changed])
    muster.apply()
    muster.apply().exits(0)
    assert group(cloud)["LaunchTemplate"]["Version"] == "2"
    assert [r["Status"] for r in refreshes(cloud)] == ["Successful"]
    muster.plan().exits(0)

    gone = ["DeleteAutoScalingGroup", "DeleteLaunchTemplate", "DeletePolicy", "DeleteAlarms", "DeleteLifecycleHook"]
    cloud.sandbox.faults(*[{"operation": o, "kind": "reset connection", "when": when, "times": 1} for o in gone])
    muster.destroy()
    muster.destroy().exits(0)
    assert cloud.count() == {}


def test_what_scaling_moves_is_no_drift(muster: Muster, cloud: Cloud) -> None:
    fleet(muster)
    for capacity in (5, 2, 6):
        cloud.autoscaling.set_desired_capacity(AutoScalingGroupName="celery", DesiredCapacity=capacity)
        muster.plan().exits(0).says("No changes.")
        muster.drift().exits(0)
    saved = muster.folder / "saved.plan"
    muster.edit("fleet", "above: 70", "above: 75")
    muster.edit("fleet", "max_size: 6", "max_size: 8")
    muster.plan("--out", saved).exits(2)
    # Between the plan and its apply, too.
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName="celery", DesiredCapacity=4)
    muster.run("apply", saved).exits(0)
    made = group(cloud)
    assert (made["MaxSize"], made["DesiredCapacity"]) == (8, 4)
    muster.plan().exits(0)


def test_a_fixed_capacity_is_held(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NET, fleet=FLEET.replace("{ initial: 3 }", "3"))
    muster.plan().exits(2).says("The capacity is fixed")
    muster.apply().exits(0)
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName="celery", DesiredCapacity=5)
    muster.drift().exits(2).says("desired_capacity")
    muster.apply().exits(0)
    assert group(cloud)["DesiredCapacity"] == 3


def test_foreign_children_are_drift(muster: Muster, cloud: Cloud) -> None:
    fleet(muster)
    asg = cloud.autoscaling
    asg.put_scaling_policy(
        AutoScalingGroupName="celery", PolicyName="panic", AdjustmentType="ExactCapacity", ScalingAdjustment=6
    )
    asg.put_scheduled_update_group_action(
        AutoScalingGroupName="celery", ScheduledActionName="night", Recurrence="0 0 * * *", MinSize=2
    )
    asg.put_lifecycle_hook(
        AutoScalingGroupName="celery", LifecycleHookName="greet", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING"
    )
    asg.put_lifecycle_hook(AutoScalingGroupName="celery", LifecycleHookName="leave", HeartbeatTimeout=600)
    asg.suspend_processes(AutoScalingGroupName="celery", ScalingProcesses=["AZRebalance"])
    muster.drift().exits(2).says("panic", "night", "greet", "heartbeat_timeout")
    muster.plan().exits(2).says("Plan: 0 to add, 2 to change, 3 to destroy.")
    muster.apply().exits(0)
    muster.plan().exits(0)
    assert cloud.count() == COUNT | {"instances": 3, "volumes": 3}


def test_names_of_others_are_left_alone(muster: Muster, cloud: Cloud) -> None:
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName="celery-up", MetricName="Errors", Namespace="App", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    muster.write(net=NET, fleet=FLEET)
    muster.apply().says("celery-up")
    (alarm,) = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarm["MetricName"] == "Errors"


CONFIGURED = """
uses: [net]
resources:
  aws.launch_configuration:
    hosts: { name: hosts, image_id: ami-0f8bce65, instance_type: m5.large, security_groups: [hosts], user_data: one }
  aws.autoscaling_group:
    web:
      name: web
      min_size: 1
      max_size: 2
      vpc_zone_identifier: [prod-a]
      launch_configuration: hosts
      instance_refresh: { preferences: { min_healthy_percentage: 0 } }
"""


def test_a_launch_configuration_in_use_is_replaced_by_its_successor(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NET, fleet=CONFIGURED)
    muster.apply().exits(0)
    before = {i["InstanceId"] for i in group(cloud, "web")["Instances"]}
    muster.edit("fleet", "user_data: one", "user_data: two")
    muster.plan().exits(2).says("Plan: 1 to add, 1 to change, 1 to destroy.", "hosts-g2")
    cloud.sandbox.reset_log()
    muster.apply().exits(0)
    assert cloud.changes() == [
        "CreateLaunchConfiguration", "CreateOrUpdateTags", "UpdateAutoScalingGroup", "StartInstanceRefresh",
        "DeleteTags", "DeleteLaunchConfiguration",
    ]  # fmt: skip
    made = group(cloud, "web")
    assert made["LaunchConfigurationName"] == "hosts-g2"
    assert before.isdisjoint(i["InstanceId"] for i in made["Instances"] if i["LifecycleState"] == "InService")
    muster.plan().exits(0)
    muster.destroy().exits(0)
    assert cloud.count() == {}


def test_a_group_that_a_launch_uses_is_replaced_by_its_successor(muster: Muster, cloud: Cloud) -> None:
    fleet(muster)
    old = cloud.groups()["hosts"]["GroupId"]
    muster.edit("net", "hosts: { vpc: main, ", "hosts: { vpc: main, description: container hosts, ")
    plan = muster.plan().exits(2)
    plan.says("aws.security_group/hosts", "aws.launch_template/celery", "aws.autoscaling_group/celery")
    cloud.sandbox.reset_log()
    muster.apply().exits(0)
    order = [c for c in cloud.changes() if c not in ("CreateTags", "DeleteTags")]
    assert order.index("CreateSecurityGroup") < order.index("CreateLaunchTemplateVersion")
    assert order.index("StartInstanceRefresh") < order.index("DeleteSecurityGroup")
    (new,) = cloud.groups().values()
    assert new["GroupId"] != old
    template = cloud.ec2.describe_launch_template_versions(LaunchTemplateName="celery", Versions=["$Latest"])
    assert template["LaunchTemplateVersions"][0]["LaunchTemplateData"]["SecurityGroupIds"] == [new["GroupId"]]
    muster.plan().exits(0)
    muster.destroy().exits(0)
    assert cloud.count() == {}


def test_a_group_runs_empty_before_it_goes(start_sandbox: Callable[..., Any], tmp_path: Path) -> None:
    slow = start_sandbox(MUSTER_SANDBOX_DELAY="1")
    muster, cloud = Muster(tmp_path, slow.endpoint), Cloud(slow)
    fleet(muster)
    slow.reset_log()
    muster.destroy().exits(0)
    calls = cloud.changes()
    assert calls.index("UpdateAutoScalingGroup") < calls.index("DeleteAutoScalingGroup") < calls.index(
        "DeleteLaunchTemplate"
    )
    assert cloud.count() == {}
