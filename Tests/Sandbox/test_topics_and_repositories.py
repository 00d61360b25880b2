"""SNS, ECR and the tagging service."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sandboxes import Sandbox, code_of

ROLE = "arn:aws:iam::123456789012:role/feedback"


@pytest.fixture
def sns(sandbox: Sandbox) -> Any:
    return sandbox.client("sns")


@pytest.fixture
def ecr(sandbox: Sandbox) -> Any:
    return sandbox.client("ecr")


def refusal(call: Any, **options: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**options)
    return str(caught.value.response["Error"]["Message"])


def policy(arn: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": arn} | more
    return json.dumps({"Statement": [statement]})


# MARK: SNS


def test_a_topic_is_made_once_and_only_as_it_was(sns: Any) -> None:
    asked: dict[str, Any] = {"Name": "alarms", "Attributes": {"DisplayName": "Alarms"}}
    asked["Tags"] = [{"Key": "muster:intent", "Value": "a"}]
    arn = sns.create_topic(**asked)["TopicArn"]
    assert sns.create_topic(**asked)["TopicArn"] == arn
    assert sns.create_topic(Name="alarms")["TopicArn"] == arn
    other = asked | {"Tags": [{"Key": "muster:intent", "Value": "b"}]}
    assert "Topic already exists with different tags" in refusal(sns.create_topic, **other)
    other = asked | {"Attributes": {"DisplayName": "Others"}}
    assert "Topic already exists with different attributes" in refusal(sns.create_topic, **other)


def test_every_attribute_of_a_topic_is_kept(sns: Any) -> None:
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    shown = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    for absent in ("DeliveryPolicy", "KmsMasterKeyId", "SignatureVersion", "TracingConfig", "FifoTopic"):
        assert absent not in shown
    wanted = {"SignatureVersion": "2", "TracingConfig": "Active", "KmsMasterKeyId": "alias/aws/sns"}
    wanted |= {"HTTPSuccessFeedbackRoleArn": ROLE, "SQSSuccessFeedbackSampleRate": "5", "DisplayName": "A"}
    for name, value in wanted.items():
        sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"].items() >= wanted.items()
    sns.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue="")
    assert "KmsMasterKeyId" not in sns.get_topic_attributes(TopicArn=arn)["Attributes"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FifoTopic", "true"),
        ("Nonsense", "1"),
        ("SignatureVersion", "3"),
        ("TracingConfig", "On"),
        ("ContentBasedDeduplication", "true"),
        ("HTTPSuccessFeedbackRoleArn", "feedback"),
        ("HTTPSuccessFeedbackSampleRate", "101"),
        ("DisplayName", "x" * 101),
        ("Policy", "no policy"),
        ("DeliveryPolicy", "{}{"),
    ],
)
def test_attributes_that_cannot_be_are_refused(sns: Any, name: str, value: str) -> None:
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    assert code_of(sns.set_topic_attributes, TopicArn=arn, AttributeName=name, AttributeValue=value) == "InvalidParameter"


def test_policies_of_topics_are_checked_and_written_in_full(sns: Any) -> None:
    arn = sns.create_topic(Name="alarms")["TopicArn"]

    def put(text: str) -> str:
        return code_of(sns.set_topic_attributes, TopicArn=arn, AttributeName="Policy", AttributeValue=text)

    assert put(policy(arn, Action="s3:GetObject")) == "InvalidParameter"
    assert put(policy(arn.replace("alarms", "others"))) == "InvalidParameter"
    assert put(policy(arn, Principal={"AWS": "210987654321"})) == ""
    kept = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
    assert kept["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::210987654321:root"}
    assert put(policy(arn)) == ""
    kept = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
    assert kept["Statement"][0]["Principal"] == {"AWS": "*"}


def test_fifo_topics_have_their_name_and_their_attributes(sns: Any) -> None:
    assert code_of(sns.create_topic, Name="orders", Attributes={"FifoTopic": "true"}) == "InvalidParameter"
    assert code_of(sns.create_topic, Name="orders.fifo") == "InvalidParameter"
    attributes = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    arn = sns.create_topic(Name="orders.fifo", Attributes=attributes)["TopicArn"]
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"].items() >= attributes.items()


def test_topics_that_are_gone_and_topics_in_pages(sns: Any) -> None:
    gone = "arn:aws:sns:us-east-1:123456789012:gone"
    assert code_of(sns.get_topic_attributes, TopicArn=gone) == "NotFound"
    assert code_of(sns.list_tags_for_resource, ResourceArn=gone) == "ResourceNotFound"
    sns.delete_topic(TopicArn=gone)
    for number in range(100):
        sns.create_topic(Name=f"t{number}")
    assert "NextToken" not in sns.list_topics()
    sns.create_topic(Name="last")
    pages = list(sns.get_paginator("list_topics").paginate())
    assert [len(p["Topics"]) for p in pages] == [100, 1]


# MARK: ECR


def test_repositories_come_in_pages(ecr: Any) -> None:
    for number in range(5):
        ecr.create_repository(repositoryName=f"team/r{number}")
    pages = list(ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(p["repositories"]) for p in pages] == [2, 2, 1]
    assert code_of(ecr.describe_repositories, repositoryNames=["gone"]) == "RepositoryNotFoundException"


def test_the_key_of_a_repository_is_shown_by_its_arn(ecr: Any) -> None:
    asked = {"encryptionType": "KMS", "kmsKey": "alias/mine"}
    made = ecr.create_repository(repositoryName="team/api", encryptionConfiguration=asked)["repository"]
    assert made["encryptionConfiguration"]["kmsKey"].startswith("arn:aws:kms:")


def test_exclusions_follow_the_kind_of_mutability(ecr: Any) -> None:
    ecr.create_repository(repositoryName="team/api")
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    put = ecr.put_image_tag_mutability
    assert (
        code_of(put, repositoryName="team/api", imageTagMutability="IMMUTABLE_WITH_EXCLUSION")
        == "InvalidParameterException"
    )
    put(
        repositoryName="team/api",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
    )
    (shown,) = ecr.describe_repositories()["repositories"]
    assert shown["imageTagMutabilityExclusionFilters"] == filters
    put(repositoryName="team/api", imageTagMutability="MUTABLE")
    (shown,) = ecr.describe_repositories()["repositories"]
    assert "imageTagMutabilityExclusionFilters" not in shown


def test_lifecycle_policies_are_checked(ecr: Any) -> None:
    ecr.create_repository(repositoryName="team/api")
    assert code_of(ecr.get_lifecycle_policy, repositoryName="team/api") == "LifecyclePolicyNotFoundException"
    rule: dict[str, Any] = {"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan"}}
    rule["selection"]["countNumber"] = 10
    rule["action"] = {"type": "expire"}
    twice = json.dumps({"rules": [rule, rule]})
    put = ecr.put_lifecycle_policy
    assert code_of(put, repositoryName="team/api", lifecyclePolicyText=twice) == "InvalidParameterException"
    put(repositoryName="team/api", lifecyclePolicyText=json.dumps({"rules": [rule]}))
    assert json.loads(ecr.get_lifecycle_policy(repositoryName="team/api")["lifecyclePolicyText"])["rules"] == [rule]


# MARK: tags of several services


def test_tags_of_several_services_in_one_call(sandbox: Sandbox, sns: Any, ecr: Any) -> None:
    tags = [{"Key": "Team", "Value": "a"}]
    topic = sns.create_topic(Name="alarms", Tags=tags)["TopicArn"]
    bare = sns.create_topic(Name="bare")["TopicArn"]
    repository = ecr.create_repository(repositoryName="team/api", tags=tags)["repository"]["repositoryArn"]
    tagging = sandbox.client("resourcegroupstaggingapi")
    found = tagging.get_resources(ResourceARNList=[topic, bare, repository])["ResourceTagMappingList"]
    assert {r["ResourceARN"] for r in found} == {topic, repository}
    assert all(r["Tags"] == tags for r in found)
    both = {"ResourceARNList": [topic], "ResourceTypeFilters": ["sns"]}
    assert code_of(tagging.get_resources, **both) == "InvalidParameterException"
