"""Groups that are renewed, scaled and emptied; alarms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sandboxes import Sandbox, code_of

AMI = "ami-0f8bce65"


class Fleet:
    """A group named `asg` of two instances, launched from the first version of a template."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.ec2, self.asg = sandbox.client("ec2"), sandbox.client("autoscaling")
        self.cloudwatch = sandbox.client("cloudwatch")
        zones = {"Name": "availability-zone", "Values": ["us-east-1a"]}
        (subnet,) = self.ec2.describe_subnets(Filters=[zones])["Subnets"]
        data = {"ImageId": AMI, "InstanceType": "m5.large"}
        made = self.ec2.create_launch_template(LaunchTemplateName="base", LaunchTemplateData=data)
        self.template = made["LaunchTemplate"]["LaunchTemplateId"]
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName="asg", MinSize=1, MaxSize=4, DesiredCapacity=2, VPCZoneIdentifier=subnet["SubnetId"],
            LaunchTemplate={"LaunchTemplateId": self.template, "Version": "1"},
        )  # fmt: skip

    def version(self, **data: Any) -> dict[str, Any]:
        """Makes the next version of the template; a desired configuration that has it."""
        made = self.ec2.create_launch_template_version(
            LaunchTemplateId=self.template, SourceVersion="1", LaunchTemplateData=data
        )
        number = str(made["LaunchTemplateVersion"]["VersionNumber"])
        return {"LaunchTemplate": {"LaunchTemplateId": self.template, "Version": number}}

    def shown(self) -> dict[str, Any]:
        return dict(self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=["asg"])["AutoScalingGroups"][0])

    def types(self) -> list[str]:
        return sorted(i["InstanceType"] for i in self.shown()["Instances"] if i["LifecycleState"] != "Terminating")

    def refresh(self) -> dict[str, Any]:
        return dict(self.asg.describe_instance_refreshes(AutoScalingGroupName="asg")["InstanceRefreshes"][0])

    def start(self, **options: Any) -> str:
        return str(self.asg.start_instance_refresh(AutoScalingGroupName="asg", **options)["InstanceRefreshId"])


@pytest.fixture
def fleet(slow_sandbox: Sandbox) -> Fleet:
    made = Fleet(slow_sandbox)
    slow_sandbox.advance(6000)
    return made


def advance_until(fleet: Fleet, done: Callable[[], bool], step: float = 60) -> list[str]:
    """Puts the clock ahead bit by bit; the statuses on the way."""
    seen: list[str] = []
    for _ in range(400):
        status = fleet.refresh()["Status"]
        if not seen or seen[-1] != status:
            seen.append(status)
        if done():
            return seen
        fleet.sandbox.advance(step)
    raise AssertionError(seen)


def test_a_refresh_replaces_instances_bit_by_bit_and_then_moves_the_group(fleet: Fleet) -> None:
    desired = fleet.version(InstanceType="m5.xlarge")
    fleet.start(DesiredConfiguration=desired, Preferences={"AutoRollback": True})
    assert code_of(fleet.start) == "InstanceRefreshInProgress"
    percents = set()
    types = set()

    def done() -> bool:
        percents.add(fleet.refresh()["PercentageComplete"])
        types.add(tuple(fleet.types()))
        if fleet.refresh()["Status"] != "Successful":
            assert fleet.shown()["LaunchTemplate"]["Version"] == "1"
        return bool(fleet.refresh()["Status"] == "Successful")

    assert advance_until(fleet, done) == ["Pending", "InProgress", "Successful"]
    assert len(percents) > 4
    assert ("m5.large", "m5.xlarge") in types
    assert fleet.types() == ["m5.xlarge", "m5.xlarge"]
    assert fleet.shown()["LaunchTemplate"]["Version"] == "2"
    assert {i["LaunchTemplate"]["Version"] for i in fleet.shown()["Instances"] if "LaunchTemplate" in i} >= {"2"}


def test_a_refresh_that_cannot_launch_is_rolled_back(fleet: Fleet) -> None:
    fleet.start(DesiredConfiguration=fleet.version(InstanceType="t1.micro"), Preferences={"AutoRollback": True})
    seen = advance_until(fleet, lambda: fleet.refresh()["Status"] == "RollbackSuccessful")
    assert seen == ["Pending", "InProgress", "RollbackInProgress", "RollbackSuccessful"]
    assert "not supported for this instance type" in fleet.refresh()["RollbackDetails"]["RollbackReason"]
    assert fleet.types() == ["m5.large", "m5.large"]
    assert fleet.shown()["LaunchTemplate"]["Version"] == "1"
    (failed, *_) = fleet.asg.describe_scaling_activities(AutoScalingGroupName="asg")["Activities"]
    assert failed["StatusCode"] == "Failed"


def test_without_rollback_a_failed_refresh_stops_where_it_is(fleet: Fleet) -> None:
    fleet.start(DesiredConfiguration=fleet.version(InstanceType="t1.micro"))
    assert advance_until(fleet, lambda: fleet.refresh()["Status"] == "Failed")[-1] == "Failed"
    assert fleet.shown()["LaunchTemplate"]["Version"] == "1"


def test_refreshes_are_checked(fleet: Fleet) -> None:
    desired = fleet.version(InstanceType="m5.xlarge")
    latest = {"LaunchTemplate": {"LaunchTemplateId": fleet.template, "Version": "$Latest"}}
    for options in (
        {"Preferences": {"AutoRollback": True}},
        {"Preferences": {"AutoRollback": True}, "DesiredConfiguration": latest},
        {"Preferences": {"MaxHealthyPercentage": 110}},
        {"Preferences": {"CheckpointDelay": 60}},
        {"Preferences": {"CheckpointPercentages": [50, 20]}},
        {"DesiredConfiguration": {"LaunchTemplate": {"LaunchTemplateName": "nobody", "Version": "1"}}},
    ):
        assert code_of(fleet.start, **options) == "ValidationError", options
    fleet.start(DesiredConfiguration=desired)
    fleet.asg.rollback_instance_refresh(AutoScalingGroupName="asg")
    advance_until(fleet, lambda: fleet.refresh()["Status"] == "RollbackSuccessful")
    assert code_of(fleet.asg.rollback_instance_refresh, AutoScalingGroupName="asg") == "ActiveInstanceRefreshNotFound"
    fleet.start()
    assert code_of(fleet.asg.rollback_instance_refresh, AutoScalingGroupName="asg") == "IrreversibleInstanceRefresh"


def test_a_group_is_empty_when_its_instances_are_gone(fleet: Fleet) -> None:
    fleet.asg.update_auto_scaling_group(AutoScalingGroupName="asg", MinSize=0, MaxSize=0, DesiredCapacity=0)
    assert [i["LifecycleState"] for i in fleet.shown()["Instances"]] == ["Terminating", "Terminating"]
    assert code_of(fleet.asg.delete_auto_scaling_group, AutoScalingGroupName="asg") == "ResourceInUse"
    fleet.sandbox.advance(6000)
    assert fleet.shown()["Instances"] == []
    fleet.asg.put_warm_pool(AutoScalingGroupName="asg", PoolState="Stopped", MinSize=0)
    assert code_of(fleet.asg.delete_auto_scaling_group, AutoScalingGroupName="asg") == "ResourceInUse"
    fleet.asg.delete_warm_pool(AutoScalingGroupName="asg")
    assert fleet.shown()["WarmPoolConfiguration"]["Status"] == "PendingDelete"
    fleet.sandbox.advance(6000)
    fleet.asg.delete_auto_scaling_group(AutoScalingGroupName="asg")


def test_a_launch_takes_the_version_of_its_group(fleet: Fleet) -> None:
    desired = fleet.version(InstanceType="m5.xlarge")
    fleet.asg.update_auto_scaling_group(AutoScalingGroupName="asg", **desired, DesiredCapacity=3)
    assert fleet.types() == ["m5.large", "m5.large", "m5.xlarge"]
    fleet.asg.suspend_processes(AutoScalingGroupName="asg", ScalingProcesses=["Launch"])
    fleet.asg.set_desired_capacity(AutoScalingGroupName="asg", DesiredCapacity=4)
    assert len(fleet.types()) == 3
    fleet.asg.resume_processes(AutoScalingGroupName="asg", ScalingProcesses=["Launch"])
    assert len(fleet.types()) == 4


def test_policies_schedules_and_hooks_are_checked(fleet: Fleet) -> None:
    asg, group = fleet.asg, {"AutoScalingGroupName": "asg"}
    step = {"PolicyType": "StepScaling", "AdjustmentType": "ChangeInCapacity"}
    for policy in (
        {},
        {"AdjustmentType": "ChangeInCapacity"},
        {"AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": 1, "MinAdjustmentMagnitude": 2},
        {"PolicyType": "TargetTrackingScaling"},
        step,
        step | {"StepAdjustments": [{"ScalingAdjustment": 1}], "Cooldown": 5},
        step
        | {
            "StepAdjustments": [
                {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 5, "ScalingAdjustment": 1},
                {"MetricIntervalLowerBound": 6, "ScalingAdjustment": 1},
            ]
        },
    ):
        assert code_of(asg.put_scaling_policy, PolicyName="p", **group, **policy) == "ValidationError", policy
    for action in (
        {"Recurrence": "0 7 * * *"},
        {"MinSize": 1},
        {"MinSize": 1, "Recurrence": "often"},
        {"MinSize": 1, "StartTime": "2001-01-01T00:00:00Z"},
        {"MinSize": 3, "MaxSize": 2, "Recurrence": "0 7 * * *"},
    ):
        refused = code_of(asg.put_scheduled_update_group_action, ScheduledActionName="s", **group, **action)
        assert refused == "ValidationError", action
    asg.put_scheduled_update_group_action(ScheduledActionName="s", MinSize=1, Recurrence="0 7 * * *", **group)
    asg.put_scheduled_update_group_action(ScheduledActionName="s", MaxSize=3, **group)
    (shown,) = asg.describe_scheduled_actions()["ScheduledUpdateGroupActions"]
    assert (shown["MinSize"], shown["MaxSize"]) == (1, 3)
    assert "StartTime" in shown
    assert code_of(asg.put_lifecycle_hook, LifecycleHookName="h", **group) == "ValidationError"
    # Two groups may have policies of one name.
    asg.create_auto_scaling_group(
        AutoScalingGroupName="other", MinSize=0, MaxSize=1, AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateName": "base"},
    )  # fmt: skip
    for name in ("asg", "other"):
        asg.put_scaling_policy(
            AutoScalingGroupName=name, PolicyName="p", AdjustmentType="ChangeInCapacity", ScalingAdjustment=1
        )
    assert len({p["PolicyARN"] for p in asg.describe_policies()["ScalingPolicies"]}) == 2


def test_alarms(fleet: Fleet) -> None:
    alarms = fleet.cloudwatch
    alarm = {
        "AlarmName": "busy", "MetricName": "CPUUtilization", "Namespace": "AWS/EC2", "Statistic": "Average", "Period": 60,
        "EvaluationPeriods": 2, "Threshold": 70.0, "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip
    alarms.put_metric_alarm(**alarm, Tags=[{"Key": "a", "Value": "b"}])
    (shown,) = alarms.describe_alarms()["MetricAlarms"]
    assert shown["Threshold"] == 70.0
    tags = alarms.list_tags_for_resource(ResourceARN=shown["AlarmArn"])["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}]
    alarms.delete_alarms(AlarmNames=["busy"])
    assert alarms.describe_alarms()["MetricAlarms"] == []
