"""Instances, volumes, key pairs and images."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from sandboxes import Sandbox, code_of

AMI = "ami-0f8bce65"
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGB0R0N5vRMgkp6JZkd0cIY0aXbJ0VHqQKZcW2CnN0lP someone@somewhere"


class Ground:
    """A VPC with a subnet, an internet gateway and a group to launch into."""

    def __init__(self, ec2: Any) -> None:
        self.ec2 = ec2
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1a")[
            "Subnet"
        ]["SubnetId"]
        self.gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        self.group = ec2.create_security_group(GroupName="g", Description="g", VpcId=self.vpc)["GroupId"]

    def asked(self, **more: Any) -> dict[str, Any]:
        usual = {"ImageId": AMI, "InstanceType": "m5.large", "SubnetId": self.subnet, "SecurityGroupIds": [self.group]}
        return usual | {"MinCount": 1, "MaxCount": 1} | more

    def run(self, **more: Any) -> str:
        return str(self.ec2.run_instances(**self.asked(**more))["Instances"][0]["InstanceId"])

    def shown(self, instance: str) -> Any:
        return self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]

    def attribute(self, instance: str, name: str) -> Any:
        return self.ec2.describe_instance_attribute(InstanceId=instance, Attribute=name)


@pytest.fixture
def ground(ec2: Any) -> Ground:
    return Ground(ec2)


# MARK: states


def test_states_take_their_time(slow_sandbox: Sandbox) -> None:
    ec2 = slow_sandbox.client("ec2")
    ground = Ground(ec2)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    instance = ground.run()

    def state() -> str:
        return str(ground.shown(instance)["State"]["Name"])

    assert state() == "pending"
    assert code_of(ec2.associate_address, AllocationId=address, InstanceId=instance) == "IncorrectInstanceState"
    slow_sandbox.until(lambda: state() == "running")
    ec2.stop_instances(InstanceIds=[instance])
    assert state() == "stopping"
    assert code_of(ec2.start_instances, InstanceIds=[instance]) == "IncorrectInstanceState"
    slow_sandbox.until(lambda: state() == "stopped")
    ec2.start_instances(InstanceIds=[instance])
    assert state() == "pending"
    slow_sandbox.until(lambda: state() == "running")
    ec2.terminate_instances(InstanceIds=[instance])
    assert state() == "shutting-down"
    assert code_of(ec2.delete_subnet, SubnetId=ground.subnet) == "DependencyViolation"
    assert code_of(ec2.delete_security_group, GroupId=ground.group) == "DependencyViolation"
    slow_sandbox.until(lambda: state() == "terminated")
    ec2.delete_subnet(SubnetId=ground.subnet)
    ec2.delete_security_group(GroupId=ground.group)
    assert "SubnetId" not in ground.shown(instance)
    ec2.terminate_instances(InstanceIds=[instance])


def test_an_instance_holds_its_subnet_and_group(ec2: Any, ground: Ground) -> None:
    instance = ground.run()
    assert code_of(ec2.delete_subnet, SubnetId=ground.subnet) == "DependencyViolation"
    assert code_of(ec2.delete_security_group, GroupId=ground.group) == "DependencyViolation"
    ec2.terminate_instances(InstanceIds=[instance])
    assert ground.shown(instance)["State"]["Name"] == "terminated"
    ec2.delete_security_group(GroupId=ground.group)
    ec2.delete_subnet(SubnetId=ground.subnet)


def test_the_public_address_changes_with_a_stop(ec2: Any, ground: Ground) -> None:
    nic = {"DeviceIndex": 0, "SubnetId": ground.subnet, "AssociatePublicIpAddress": True, "Groups": [ground.group]}
    asked = {
        k: v for k, v in ground.asked(NetworkInterfaces=[nic]).items() if k not in ("SubnetId", "SecurityGroupIds")
    }
    instance = ec2.run_instances(**asked)["Instances"][0]["InstanceId"]
    first = ground.shown(instance)["PublicIpAddress"]
    ec2.stop_instances(InstanceIds=[instance])
    assert "PublicIpAddress" not in ground.shown(instance)
    ec2.start_instances(InstanceIds=[instance])
    assert ground.shown(instance)["PublicIpAddress"] != first


def test_an_elastic_address_stays_with_a_stop(ec2: Any, ground: Ground) -> None:
    address = ec2.allocate_address(Domain="vpc")
    instance = ground.run()
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance)
    ec2.stop_instances(InstanceIds=[instance])
    ec2.start_instances(InstanceIds=[instance])
    assert ground.shown(instance)["PublicIpAddress"] == address["PublicIp"]
    assert code_of(ec2.release_address, AllocationId=address["AllocationId"]) == "InvalidIPAddress.InUse"
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.release_address(AllocationId=address["AllocationId"])


def test_addresses_need_an_internet_gateway(ec2: Any, ground: Ground) -> None:
    instance = ground.run()
    ec2.detach_internet_gateway(InternetGatewayId=ground.gateway, VpcId=ground.vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    assert code_of(ec2.associate_address, AllocationId=address, InstanceId=instance) == "Gateway.NotAttached"


# MARK: launching


def test_what_does_not_exist_is_refused(ec2: Any, ground: Ground) -> None:
    for more, code in (
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"ImageId": "ami-x"}, "InvalidAMIID.Malformed"),
        ({"InstanceType": "m99.huge"}, "InvalidParameterValue"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        ({"IamInstanceProfile": {"Name": "nobody"}}, "InvalidParameterValue"),
        ({"LaunchTemplate": {"LaunchTemplateName": "nobody"}}, "InvalidLaunchTemplateName.NotFoundException"),
        ({"PrivateIpAddress": "10.0.2.5"}, "InvalidParameterValue"),
    ):
        assert code_of(ec2.run_instances, **ground.asked(**more)) == code, more
    assert ec2.describe_instances()["Reservations"] == []


def test_a_new_profile_takes_a_while_to_be_known(slow_sandbox: Sandbox) -> None:
    ec2, iam = slow_sandbox.client("ec2"), slow_sandbox.client("iam")
    ground = Ground(ec2)
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="p")
    iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r")
    asked = ground.asked(IamInstanceProfile={"Name": "p"})
    assert code_of(ec2.run_instances, **asked) == "InvalidParameterValue"
    slow_sandbox.until(lambda: code_of(ec2.run_instances, **asked) == "")


TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'


def test_a_profile_without_a_role_is_refused(sandbox: Sandbox, ec2: Any, ground: Ground) -> None:
    iam = sandbox.client("iam")
    iam.create_instance_profile(InstanceProfileName="p")
    assert code_of(ec2.run_instances, **ground.asked(IamInstanceProfile={"Name": "p"})) == "InvalidParameterValue"


def test_profiles_are_associated_replaced_and_taken_away(sandbox: Sandbox, ec2: Any, ground: Ground) -> None:
    iam = sandbox.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    arns = []
    for name in ("p", "q"):
        arns.append(iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"])
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName="r")
    instance = ground.run(IamInstanceProfile={"Name": "p"})
    assert ground.shown(instance)["IamInstanceProfile"]["Arn"] == arns[0]
    known = [{"Name": "instance-id", "Values": [instance]}]
    held = ec2.describe_iam_instance_profile_associations(Filters=known)["IamInstanceProfileAssociations"][0]
    ec2.replace_iam_instance_profile_association(AssociationId=held["AssociationId"], IamInstanceProfile={"Name": "q"})
    assert ground.shown(instance)["IamInstanceProfile"]["Arn"] == arns[1]
    held = ec2.describe_iam_instance_profile_associations(Filters=known)["IamInstanceProfileAssociations"][0]
    ec2.disassociate_iam_instance_profile(AssociationId=held["AssociationId"])
    assert "IamInstanceProfile" not in ground.shown(instance)


def test_ephemeral_devices_are_taken_and_not_shown(ec2: Any, ground: Ground) -> None:
    devices = [
        {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 50, "VolumeType": "gp3", "Iops": 4000, "Throughput": 200}},
        {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
        {"DeviceName": "/dev/sdc", "Ebs": {"VolumeSize": 9}},
    ]
    instance = ground.run(BlockDeviceMappings=devices)
    shown = ground.shown(instance)["BlockDeviceMappings"]
    assert [(d["DeviceName"], d["Ebs"]["DeleteOnTermination"]) for d in shown] == [
        ("/dev/sda1", True),
        ("/dev/sdc", False),
    ]
    known = [{"Name": "attachment.instance-id", "Values": [instance]}]
    volumes = {v["Attachments"][0]["Device"]: v for v in ec2.describe_volumes(Filters=known)["Volumes"]}
    root = volumes["/dev/sda1"]
    assert (root["Size"], root["VolumeType"], root["Iops"], root["Throughput"]) == (50, "gp3", 4000, 200)
    assert root["SnapshotId"].startswith("snap-")
    assert volumes["/dev/sdc"]["Size"] == 9
    ec2.terminate_instances(InstanceIds=[instance])
    left = [v["Size"] for v in ec2.describe_volumes()["Volumes"]]
    assert left == [9]


def test_devices_that_cannot_be(ec2: Any, ground: Ground) -> None:
    for ebs, code in (
        ({"VolumeSize": 1}, "InvalidBlockDeviceMapping"),
        ({"VolumeSize": 50, "Iops": 100}, "InvalidParameterCombination"),
        ({"VolumeSize": 50, "VolumeType": "io1"}, "MissingParameter"),
    ):
        asked = ground.asked(BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": ebs}])
        assert code_of(ec2.run_instances, **asked) == code, ebs


def test_what_is_asked_for_is_kept(ec2: Any, ground: Ground) -> None:
    instance = ground.run(
        DisableApiTermination=True,
        DisableApiStop=True,
        InstanceInitiatedShutdownBehavior="terminate",
        Monitoring={"Enabled": True},
        UserData="#!/bin/sh\necho hallo\n",
        EbsOptimized=True,
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        PrivateIpAddress="10.0.1.77",
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "i"}]},
            {"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "v"}]},
        ],
    )
    shown = ground.shown(instance)
    assert shown["Monitoring"]["State"] == "enabled"
    assert shown["PrivateIpAddress"] == "10.0.1.77"
    assert shown["EbsOptimized"] is True
    assert (shown["MetadataOptions"]["HttpTokens"], shown["MetadataOptions"]["HttpPutResponseHopLimit"]) == (
        "required",
        2,
    )
    assert shown["Tags"] == [{"Key": "Name", "Value": "i"}]
    assert ec2.describe_volumes()["Volumes"][0]["Tags"] == [{"Key": "Name", "Value": "v"}]
    assert ground.attribute(instance, "disableApiTermination")["DisableApiTermination"] == {"Value": True}
    assert ground.attribute(instance, "disableApiStop")["DisableApiStop"] == {"Value": True}
    behaviour = ground.attribute(instance, "instanceInitiatedShutdownBehavior")["InstanceInitiatedShutdownBehavior"]
    assert behaviour == {"Value": "terminate"}
    data = ground.attribute(instance, "userData")["UserData"]["Value"]
    assert base64.b64decode(data) == b"#!/bin/sh\necho hallo\n"
    assert code_of(ec2.terminate_instances, InstanceIds=[instance]) == "OperationNotPermitted"
    assert code_of(ec2.stop_instances, InstanceIds=[instance]) == "OperationNotPermitted"
    ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
    ec2.terminate_instances(InstanceIds=[instance])


def test_templates_fill_what_is_not_asked(ec2: Any, ground: Ground) -> None:
    data = {"ImageId": AMI, "InstanceType": "m5.large", "UserData": base64.b64encode(b"x").decode()}
    data["BlockDeviceMappings"] = [{"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"}]
    template = ec2.create_launch_template(LaunchTemplateName="base", LaunchTemplateData=data)["LaunchTemplate"][
        "LaunchTemplateId"
    ]
    asked = {"LaunchTemplate": {"LaunchTemplateId": template}, "SubnetId": ground.subnet, "MinCount": 1, "MaxCount": 1}
    instance = ec2.run_instances(InstanceType="m5.xlarge", **asked)["Instances"][0]["InstanceId"]
    shown = ground.shown(instance)
    assert (shown["ImageId"], shown["InstanceType"]) == (AMI, "m5.xlarge")
    assert {t["Key"] for t in shown["Tags"]} == {"aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version"}


# MARK: changes


def test_type_and_user_data_change_only_while_stopped(ec2: Any, ground: Ground) -> None:
    instance = ground.run()
    assert (
        code_of(ec2.modify_instance_attribute, InstanceId=instance, InstanceType={"Value": "m5.xlarge"})
        == "IncorrectInstanceState"
    )
    assert (
        code_of(ec2.modify_instance_attribute, InstanceId=instance, UserData={"Value": b"new"})
        == "IncorrectInstanceState"
    )
    ec2.stop_instances(InstanceIds=[instance])
    ec2.modify_instance_attribute(InstanceId=instance, InstanceType={"Value": "m5.xlarge"})
    ec2.modify_instance_attribute(InstanceId=instance, UserData={"Value": b"new"})
    assert ground.shown(instance)["InstanceType"] == "m5.xlarge"
    assert base64.b64decode(ground.attribute(instance, "userData")["UserData"]["Value"]) == b"new"


def test_one_instance_attribute_per_call(ec2: Any, ground: Ground) -> None:
    instance = ground.run()
    both = {"SourceDestCheck": {"Value": False}, "DisableApiTermination": {"Value": True}}
    assert code_of(ec2.modify_instance_attribute, InstanceId=instance, **both) == "InvalidParameterCombination"
    ec2.modify_instance_attribute(InstanceId=instance, SourceDestCheck={"Value": False})
    assert ground.shown(instance)["SourceDestCheck"] is False


def test_groups_are_replaced_whole(ec2: Any, ground: Ground) -> None:
    other = ec2.create_security_group(GroupName="h", Description="h", VpcId=ground.vpc)["GroupId"]
    instance = ground.run()
    ec2.modify_instance_attribute(InstanceId=instance, Groups=[other])
    assert [g["GroupId"] for g in ground.shown(instance)["SecurityGroups"]] == [other]
    ec2.delete_security_group(GroupId=ground.group)
    assert code_of(ec2.delete_security_group, GroupId=other) == "DependencyViolation"


def test_monitoring_credits_maintenance_and_names(ec2: Any, ground: Ground) -> None:
    instance = ground.run(InstanceType="t3.micro")
    assert ec2.monitor_instances(InstanceIds=[instance])["InstanceMonitorings"][0]["Monitoring"]["State"] == "pending"
    assert ground.shown(instance)["Monitoring"]["State"] == "enabled"
    ec2.unmonitor_instances(InstanceIds=[instance])
    assert ground.shown(instance)["Monitoring"]["State"] == "disabled"

    def credits() -> str:
        held = ec2.describe_instance_credit_specifications(InstanceIds=[instance])["InstanceCreditSpecifications"]
        return str(held[0]["CpuCredits"])

    assert credits() == "unlimited"
    ec2.modify_instance_credit_specification(
        InstanceCreditSpecifications=[{"InstanceId": instance, "CpuCredits": "standard"}]
    )
    assert credits() == "standard"
    ec2.modify_instance_maintenance_options(InstanceId=instance, AutoRecovery="disabled")
    assert ground.shown(instance)["MaintenanceOptions"] == {"AutoRecovery": "disabled"}
    ec2.modify_private_dns_name_options(InstanceId=instance, EnableResourceNameDnsARecord=True)
    assert ground.shown(instance)["PrivateDnsNameOptions"]["EnableResourceNameDnsARecord"] is True


def test_metadata_options_keep_what_is_not_named(slow_sandbox: Sandbox) -> None:
    ec2 = slow_sandbox.client("ec2")
    ground = Ground(ec2)
    instance = ground.run(MetadataOptions={"HttpTokens": "required", "InstanceMetadataTags": "enabled"})
    slow_sandbox.until(lambda: ground.shown(instance)["MetadataOptions"]["State"] == "applied")
    ec2.modify_instance_metadata_options(InstanceId=instance, HttpPutResponseHopLimit=3)
    shown = ground.shown(instance)["MetadataOptions"]
    assert shown["State"] == "pending"
    assert (shown["HttpTokens"], shown["InstanceMetadataTags"], shown["HttpPutResponseHopLimit"]) == (
        "required",
        "enabled",
        3,
    )
    slow_sandbox.until(lambda: ground.shown(instance)["MetadataOptions"]["State"] == "applied")


# MARK: volumes


def test_volumes_grow_only_and_one_change_at_a_time(slow_sandbox: Sandbox) -> None:
    ec2 = slow_sandbox.client("ec2")
    made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=10, VolumeType="gp2")
    volume = made["VolumeId"]
    assert made["State"] == "creating"
    slow_sandbox.until(lambda: ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available")
    assert code_of(ec2.modify_volume, VolumeId=volume, Size=5) == "InvalidParameterValue"
    change = ec2.modify_volume(VolumeId=volume, Size=20, VolumeType="gp3")["VolumeModification"]
    assert (change["ModificationState"], change["OriginalSize"], change["TargetSize"]) == ("modifying", 10, 20)
    assert code_of(ec2.modify_volume, VolumeId=volume, Size=30) == "IncorrectModificationState"

    def state() -> str:
        return str(
            ec2.describe_volumes_modifications(VolumeIds=[volume])["VolumesModifications"][0]["ModificationState"]
        )

    slow_sandbox.until(lambda: state() == "completed")
    shown = ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
    assert (shown["Size"], shown["VolumeType"], shown["Iops"], shown["Throughput"]) == (20, "gp3", 3000, 125)


def test_four_changes_a_day(ec2: Any) -> None:
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=10)["VolumeId"]
    for size in (11, 12, 13, 14):
        ec2.modify_volume(VolumeId=volume, Size=size)
    assert code_of(ec2.modify_volume, VolumeId=volume, Size=15) == "VolumeModificationRateExceeded"


def test_attached_volumes_stay(ec2: Any, ground: Ground) -> None:
    instance = ground.run()
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=10)["VolumeId"]
    far = ec2.create_volume(AvailabilityZone="us-east-1b", Size=10)["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    assert code_of(ec2.attach_volume, VolumeId=volume, InstanceId=instance, Device="/dev/sdg") == "VolumeInUse"
    assert (
        code_of(ec2.attach_volume, VolumeId=far, InstanceId=instance, Device="/dev/sdg") == "InvalidVolume.ZoneMismatch"
    )
    assert code_of(ec2.delete_volume, VolumeId=volume) == "VolumeInUse"
    keep = [{"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": True}}]
    ec2.modify_instance_attribute(InstanceId=instance, BlockDeviceMappings=keep)
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Attachments"][0]["DeleteOnTermination"] is True
    ec2.detach_volume(VolumeId=volume)
    ec2.delete_volume(VolumeId=volume)
    assert code_of(ec2.describe_volumes, VolumeIds=[volume]) == "InvalidVolume.NotFound"


# MARK: key pairs and images


def test_key_pairs_by_id(ec2: Any) -> None:
    made = [ec2.import_key_pair(KeyName=n, PublicKeyMaterial=ED25519.encode())["KeyPairId"] for n in ("a", "b")]
    shown = ec2.describe_key_pairs(KeyPairIds=[made[1]])["KeyPairs"]
    assert [k["KeyName"] for k in shown] == ["b"]
    assert code_of(ec2.describe_key_pairs, KeyPairIds=["key-0123456789abcdef0"]) == "InvalidKeyPair.NotFound"
    assert code_of(ec2.import_key_pair, KeyName="a", PublicKeyMaterial=ED25519.encode()) == "InvalidKeyPair.Duplicate"
    assert code_of(ec2.import_key_pair, KeyName="c", PublicKeyMaterial=b"nonsense") == "InvalidKey.Format"


def test_fingerprints_have_the_form_of_aws(ec2: Any) -> None:
    ec2.import_key_pair(KeyName="a", PublicKeyMaterial=ED25519.encode())
    shown = ec2.describe_key_pairs(KeyNames=["a"], IncludePublicKey=True)["KeyPairs"][0]
    digest = hashlib.sha256(base64.b64decode(ED25519.split()[1])).digest()
    assert shown["KeyFingerprint"] == base64.b64encode(digest).decode()
    assert shown["KeyType"] == "ed25519"
    assert shown["PublicKey"] == " ".join(ED25519.split()[:2]) + " a"
    assert "PublicKey" not in ec2.describe_key_pairs(KeyNames=["a"])["KeyPairs"][0]


def test_seeded_images(ec2: Any) -> None:
    known = [
        {"Name": "name", "Values": ["packer-prod-rancher-containerhost_*"]},
        {"Name": "virtualization-type", "Values": ["hvm"]},
    ]
    images = ec2.describe_images(Owners=["self"], Filters=known)["Images"]
    newest = max(images, key=lambda i: i["CreationDate"])
    assert newest["Name"] == "packer-prod-rancher-containerhost_2026-11-01"
    assert len({i["CreationDate"] for i in images}) == 2
    spec = ec2.describe_images(ImageIds=[AMI])["Images"][0]
    assert spec["RootDeviceName"] == "/dev/sda1"
    assert spec["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"].startswith("snap-")
    assert spec["State"] == "available"
    assert code_of(ec2.describe_images, ImageIds=["ami-0123456789abcdef0"]) == "InvalidAMIID.NotFound"
