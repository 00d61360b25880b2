"""Topics and image repositories: their lives, what others do to them, and names that are taken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import Cloud, Muster

SPEC = """
resources:
  aws.sns_topic:
    alarms:
      name: platform-alarms
      display_name: Alarms
      policy:
        Version: "2012-10-17"
        Statement:
          - Sid: publish
            Effect: Allow
            Principal: "*"
            Action: ["sns:Publish"]
            Resource: arn:aws:sns:us-east-1:123456789012:platform-alarms
            Condition: { StringEquals: { "aws:SourceAccount": "123456789012" } }
    orders: { name: orders.fifo, fifo_topic: true, content_based_deduplication: true }
  aws.ecr_repository:
    api:
      name: platform/api
      image_tag_mutability: IMMUTABLE
      image_scanning_configuration: { scan_on_push: true }
      lifecycle_policy:
        rules:
          - rulePriority: 1
            selection: { tagStatus: any, countType: imageCountMoreThan, countNumber: 30 }
            action: { type: expire }
outputs:
  topic: ${aws.sns_topic.alarms.arn}
  image: ${aws.ecr_repository.api.repository_url}
"""
TOPIC = "arn:aws:sns:us-east-1:123456789012:platform-alarms"


@pytest.fixture
def running(muster: Muster) -> Muster:
    muster.write(base=SPEC)
    muster.apply().exits(0)
    return muster


def topics(cloud: Cloud) -> set[str]:
    return {t["TopicArn"].rpartition(":")[2] for t in cloud.client("sns").list_topics()["Topics"]}


def test_they_live_and_leave_nothing(muster: Muster, cloud: Cloud) -> None:
    muster.write(base=SPEC)
    muster.apply().exits(0).says("3 added")
    assert topics(cloud) == {"platform-alarms", "orders.fifo"}
    (repository,) = cloud.client("ecr").describe_repositories()["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert muster.run("output", "topic", "--raw").out.strip() == TOPIC
    assert muster.run("output", "image", "--raw").out.strip() == repository["repositoryUri"]
    tags = cloud.client("sns").list_tags_for_resource(ResourceArn=TOPIC)["Tags"]
    assert {"Key": "ManagedBy", "Value": "muster"} in tags
    muster.plan().exits(0)
    muster.drift().exits(0)
    muster.destroy().exits(0)
    assert topics(cloud) == set()
    assert cloud.client("ecr").describe_repositories()["repositories"] == []


def test_a_refresh_asks_for_what_is_declared(running: Muster, cloud: Cloud) -> None:
    cloud.sandbox.reset_log()
    running.plan().exits(0)
    assert cloud.calls() == {
        "GetCallerIdentity": 1,
        "GetTopicAttributes": 2,  # of each topic: AWS has no listing of attributes
        "DescribeRepositories": 1,
        "GetLifecyclePolicy": 1,
        "GetResources": 2,  # tags: of all topics, of all repositories
    }


def test_every_change_is_made_in_place(running: Muster, cloud: Cloud) -> None:
    running.edit("base", "display_name: Alarms", "display_name: Others\n      kms_master_key_id: alias/aws/sns")
    running.edit("base", "IMMUTABLE", "MUTABLE")
    running.edit("base", "countNumber: 30", "countNumber: 10")
    running.apply().exits(0).says("0 added, 2 changed, 0 destroyed")
    shown = cloud.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    assert (shown["DisplayName"], shown["KmsMasterKeyId"]) == ("Others", "alias/aws/sns")
    policy = cloud.client("ecr").get_lifecycle_policy(repositoryName="platform/api")["lifecyclePolicyText"]
    assert json.loads(policy)["rules"][0]["selection"]["countNumber"] == 10
    running.plan().exits(0)
    running.edit("base", "Others\n      kms_master_key_id: alias/aws/sns", "Others")
    running.apply().exits(0).says("1 changed")
    assert "KmsMasterKeyId" not in cloud.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    running.plan().exits(0)


EDITS: dict[str, Any] = {
    "display_name": lambda cloud: cloud.client("sns").set_topic_attributes(
        TopicArn=TOPIC, AttributeName="DisplayName", AttributeValue="Mine"
    ),
    "policy": lambda cloud: cloud.client("sns").add_permission(
        TopicArn=TOPIC, Label="mine", AWSAccountId=["210987654321"], ActionName=["Publish"]
    ),
    "tags": lambda cloud: cloud.client("sns").tag_resource(
        ResourceArn=TOPIC, Tags=[{"Key": "ManagedBy", "Value": "hand"}]
    ),
    "image_scanning_configuration": lambda cloud: cloud.client("ecr").put_image_scanning_configuration(
        repositoryName="platform/api", imageScanningConfiguration={"scanOnPush": False}
    ),
    "lifecycle_policy": lambda cloud: cloud.client("ecr").delete_lifecycle_policy(repositoryName="platform/api"),
}


@pytest.mark.parametrize("attribute", EDITS)
def test_an_edit_by_hand_is_drift_and_is_put_right(running: Muster, cloud: Cloud, attribute: str) -> None:
    EDITS[attribute](cloud)
    running.drift().exits(2).says(attribute)
    running.apply().exits(0).says("1 changed")
    running.drift().exits(0)


def test_somebody_elses_topic_is_not_taken(muster: Muster, cloud: Cloud) -> None:
    cloud.client("sns").create_topic(Name="platform-alarms")
    muster.write(base=SPEC)
    muster.apply().exits(1).says("The name is taken by an object that is not ours", "base:aws.sns_topic/alarms")
    assert "base:aws.sns_topic/alarms" not in muster.ids()
    assert cloud.client("sns").list_tags_for_resource(ResourceArn=TOPIC)["Tags"] == []


def test_a_lost_answer_makes_no_second_topic(muster: Muster, cloud: Cloud) -> None:
    muster.write(base=SPEC)
    for operation in ("CreateTopic", "CreateRepository"):
        cloud.sandbox.faults({"operation": operation, "kind": "reset connection", "when": "after", "times": 1})
    muster.apply().exits(0).says("3 added")
    muster.plan().exits(0)


def test_another_name_is_another_topic(running: Muster, cloud: Cloud) -> None:
    running.edit("base", "name: orders.fifo", "name: sales.fifo")
    running.plan().exits(2).says("-/+", "sales.fifo")
    running.apply().exits(0)
    assert topics(cloud) == {"platform-alarms", "sales.fifo"}
    running.plan().exits(0)


def test_a_repository_with_images_stays_unless_told(running: Muster, cloud: Cloud) -> None:
    manifest = '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json"}'
    cloud.client("ecr").put_image(repositoryName="platform/api", imageManifest=manifest, imageTag="1")
    running.run("destroy", "--auto-approve").exits(3).says("data-loss", "aws.ecr_repository/api")
    running.destroy().exits(1).says("force_delete: true")
    assert len(cloud.client("ecr").describe_repositories()["repositories"]) == 1
    running.edit("base", "image_tag_mutability: IMMUTABLE", "image_tag_mutability: IMMUTABLE\n      force_delete: true")
    running.apply().exits(0)
    running.destroy().exits(0)
    assert cloud.client("ecr").describe_repositories()["repositories"] == []


def test_what_exists_is_adopted(muster: Muster, cloud: Cloud) -> None:
    made = cloud.client("sns").create_topic(Name="platform-alarms", Attributes={"DisplayName": "Alarms"})["TopicArn"]
    cloud.client("ecr").create_repository(repositoryName="platform/api")
    muster.write(base=SPEC + f"""
import:
  - {{ to: aws.sns_topic/alarms, id: "{made}" }}
  - {{ to: aws.ecr_repository/api, id: platform/api }}
""")
    muster.apply().exits(0).says("1 added", "2 imported")
    muster.plan().exits(0)
    assert topics(cloud) == {"platform-alarms", "orders.fifo"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("aws.sns_topic: { a: { name: a b } }", "only letters, digits"),
        ("aws.sns_topic: { a: { name: a, signature_version: 3 } }", "from 1 to 2"),
        ("aws.sns_topic: { a: { name: a, http_success_feedback_sample_rate: 101 } }", "100"),
        ("aws.ecr_repository: { a: { name: Team/API } }", "lower case"),
        ("aws.ecr_repository: { a: { name: api, image_tag_mutability: FIXED } }", "IMMUTABLE"),
        ("aws.ecr_repository: { a: { name: api, encryption_configuration: { encryption_type: AES } } }", "KMS"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(muster: Muster, cloud: Cloud, text: str, place: str) -> None:
    muster.write(base=f"resources:\n  {text}\n")
    cloud.sandbox.reset_log()
    muster.plan().exits(1).says("base.yaml:2", place)
    assert not cloud.calls()
