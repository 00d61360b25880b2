import MusterModel
import ProviderKit

let messagingScenarios: [WireScenario] = [topicScenario, fifoTopicScenario, repositoryScenario]

private let tags: Value = ["Name": "alarms"]
private let arn = "arn:aws:sns:us-east-1:123456789012:alarms"
private let mark =
    "<Tags><member><Key>muster:intent</Key><Value>0123456789abcdef0123456789abcdef</Value></member></Tags>"
private let policy: Value = [
    "Version": "2012-10-17",
    "Statement": [
        ["Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": .string(arn)]
    ],
]

private func topics(_ arns: String...) -> RecordingAWS.Answer {
    .body("<Topics>\(arns.map { "<member><TopicArn>\($0)</TopicArn></member>" }.joined())</Topics>")
}

private func attributes(_ attributes: KeyValuePairs<String, String>) -> RecordingAWS.Answer {
    let entries = attributes.map { "<entry><key>\($0.key)</key><value>\($0.value)</value></entry>" }
    return .body("<Attributes>\(entries.joined())</Attributes>")
}

private func tagged(_ resources: (arn: String, tags: String)...) -> RecordingAWS.Answer {
    let items = resources.map { #"{"ResourceARN":"\#($0.arn)","Tags":[\#($0.tags)]}"# }
    return .document(#"{"PaginationToken":"","ResourceTagMappingList":[\#(items.joined(separator: ","))]}"#)
}

private let topicScenario = WireScenario(
    type: "aws.sns_topic",
    answers: [
        "CreateTopic": [
            .body("<TopicArn>\(arn)</TopicArn>"),
            .failure(
                code: "InvalidParameter",
                message: "Invalid parameter: Tags Reason: Topic already exists with different tags"),
        ],
        "ListTopics": [
            .body("<Topics><member><TopicArn>\(arn)-2</TopicArn></member></Topics><NextToken>2</NextToken>"),
            topics(arn), topics(arn), topics(), topics(arn),
        ],
        "GetTopicAttributes": [
            attributes(["TopicArn": arn, "DisplayName": ""]), attributes(["TopicArn": arn, "DisplayName": ""]),
            attributes([
                "TopicArn": arn, "DisplayName": "Alarms &amp; all", "KmsMasterKeyId": "alias/aws/sns",
                "Policy": #"{"Version":"2012-10-17","Statement":[]}"#, "HTTPSuccessFeedbackSampleRate": "5",
            ]), .failure(code: "NotFound", message: "Topic does not exist", status: 404),
        ],
        "ListTagsForResource": [.body(mark), .body("<Tags></Tags>"), .body(mark)],
        "GetResources": [
            tagged((arn, #"{"Key":"Name","Value":"alarms"},{"Key":"aws:x","Value":"y"}"#)), tagged(),
        ],
        "SetTopicAttributes": [.done], "TagResource": [.done], "UntagResource": [.done],
        "DeleteTopic": [.done],
    ],
    steps: [
        (
            "create",
            .create([
                "name": "alarms", "display_name": "Alarms", "policy": policy, "tags": tags,
                "http_success_feedback_sample_rate": 5, "signature_version": 2,
                "sqs_failure_feedback_role_arn": "arn:aws:iam::123456789012:role/feedback",
            ])
        ),
        ("the name is somebody else's", .create(["name": "alarms"])),
        ("a FIFO topic by half", .create(["name": "alarms", "fifo_topic": true])),
        ("ours, on the second page", .find(["name": "alarms"])),
        ("somebody else's", .find(["name": "alarms"])),
        ("nobody's", .find(["name": "alarms"])),
        (
            "read only what the listing tells",
            .read([KnownObject(id: RemoteID(arn), declared: ["name"])])
        ),
        (
            "read with attributes and tags, as the tagging service tells them",
            .read([
                KnownObject(
                    id: RemoteID(arn), arguments: ["tags": tags], declared: ["name", "display_name", "tags"])
            ])
        ),
        (
            "tags that differ are asked for where they are kept, and a topic may be gone",
            .read([KnownObject(id: RemoteID(arn), arguments: ["tags": ["Name": "other"]], declared: ["tags"])])
        ),
        (
            "change",
            .update(
                RemoteID(arn),
                from: [
                    "name": "alarms", "display_name": "Alarms", "tags": ["Old": "1"], "delivery_policy": ["http": [:]],
                ],
                to: [
                    "name": "alarms", "display_name": "", "tags": tags, "policy": policy, "signature_version": 2,
                    "delivery_policy": "", "archive_policy": "", "kms_master_key_id": "",
                ])
        ),
        ("delete", .delete(RemoteID(arn))),
        ("import", .importID(arn)),
        ("import nonsense", .importID("alarms")),
    ])

private let fifoTopicScenario = WireScenario(
    type: "aws.sns_topic", title: "fifo",
    answers: ["CreateTopic": [.body("<TopicArn>\(arn).fifo</TopicArn>")], "SetTopicAttributes": [.done]],
    steps: [
        (
            "create",
            .create([
                "name": "alarms.fifo", "fifo_topic": true, "content_based_deduplication": true,
                "archive_policy": ["MessageRetentionPeriod": 30], "fifo_throughput_scope": "MessageGroup",
            ])
        ),
        (
            "no archive any more",
            .update(
                RemoteID(arn + ".fifo"), from: ["archive_policy": ["MessageRetentionPeriod": 30]],
                to: ["archive_policy": ""])
        ),
    ])

private let repositoryARN = "arn:aws:ecr:us-east-1:123456789012:repository/team/api"
private let repository =
    #"{"repositoryArn":"\#(repositoryARN)","registryId":"123456789012","repositoryName":"team/api","#
    + #""repositoryUri":"123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api","createdAt":1.7e9,"#
    + #""imageTagMutability":"MUTABLE","imageScanningConfiguration":{"scanOnPush":true},"#
    + #""encryptionConfiguration":{"encryptionType":"KMS","kmsKey":"arn:aws:kms:us-east-1:123456789012:key/1"}}"#

private let repositoryScenario = WireScenario(
    type: "aws.ecr_repository",
    answers: [
        "CreateRepository": [
            .document(#"{"repository":\#(repository)}"#),
            .failure(code: "RepositoryAlreadyExistsException", message: "It exists"),
        ],
        "DescribeRepositories": [
            .document(#"{"repositories":[\#(repository)]}"#),
            .failure(code: "RepositoryNotFoundException", message: "gone"),
            .document(#"{"repositories":[],"nextToken":"2"}"#),
            .document(#"{"repositories":[\#(repository)]}"#),
        ],
        "ListTagsForResource": [
            .document(#"{"tags":[{"Key":"muster:intent","Value":"0123456789abcdef0123456789abcdef"}]}"#)
        ],
        "GetResources": [tagged((repositoryARN, #"{"Key":"Name","Value":"alarms"}"#))],
        "GetLifecyclePolicy": [.document(#"{"lifecyclePolicyText":"{\"rules\":[]}"}"#)],
        "GetRepositoryPolicy": [.failure(code: "RepositoryPolicyNotFoundException", message: "none")],
        "PutImageTagMutability": [.document("{}")], "PutImageScanningConfiguration": [.document("{}")],
        "PutLifecyclePolicy": [.document("{}")], "DeleteRepositoryPolicy": [.document("{}")],
        "SetRepositoryPolicy": [.document("{}")],
        "DeleteLifecyclePolicy": [.failure(code: "LifecyclePolicyNotFoundException", message: "none")],
        "TagResource": [.document("{}")], "UntagResource": [.document("{}")],
        "DeleteRepository": [
            .document("{}"), .failure(code: "RepositoryNotEmptyException", message: "It has images"),
            .failure(code: "RepositoryNotFoundException", message: "gone"),
        ],
    ],
    steps: [
        (
            "create",
            .create([
                "name": "team/api", "image_tag_mutability": "MUTABLE_WITH_EXCLUSION", "tags": tags,
                "image_tag_mutability_exclusion_filter": [["filter": "dev-*"]],
                "image_scanning_configuration": ["scan_on_push": true],
                "encryption_configuration": ["encryption_type": "KMS"], "lifecycle_policy": ["rules": []],
            ])
        ),
        ("the name is taken", .create(["name": "team/api"])),
        ("ours", .find(["name": "team/api"])),
        ("nobody's", .find(["name": "team/api"])),
        (
            "read, in two pages, with what is declared",
            .read([
                KnownObject(
                    id: "team/api", arguments: ["tags": tags],
                    declared: ["tags", "lifecycle_policy", "repository_policy"]),
                KnownObject(id: "gone"),
            ])
        ),
        (
            "change",
            .update(
                "team/api",
                from: ["image_tag_mutability": "MUTABLE", "repository_policy": policy, "tags": ["Old": "1"]],
                to: [
                    "image_tag_mutability": "IMMUTABLE", "image_scanning_configuration": ["scan_on_push": true],
                    "lifecycle_policy": ["rules": []], "repository_policy": "", "tags": tags,
                ])
        ),
        (
            "the other way",
            .update(
                "team/api", from: ["lifecycle_policy": ["rules": []]],
                to: ["lifecycle_policy": "", "repository_policy": policy])
        ),
        ("delete with its images", .delete("team/api", last: ["force_delete": true])),
        ("delete what holds images", .delete("team/api")),
        ("delete what is gone", .delete("team/api")),
    ])
