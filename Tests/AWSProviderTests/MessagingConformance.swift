import AWSClient
import MusterModel
import ProviderKit
import Testing

// Topics and repositories.
let messagingConformance: [ConformanceRow] = [topicRow, fifoTopicRow, repositoryRow, excludingRepositoryRow]

private let tags: Value = ["Name": "conformance", "Team": "a"]
private let otherTags: Value = ["Name": "other"]
private let role: Value = "arn:aws:iam::123456789012:role/feedback"
private let arn = "arn:aws:sns:us-east-1:123456789012:conformance"

private func policy(_ action: Value, _ principal: Value = "*") -> Value {
    [
        "Version": "2012-10-17",
        "Statement": [
            ["Effect": "Allow", "Principal": principal, "Action": action, "Resource": .string(arn)]
        ],
    ]
}

private func delivery(_ retries: Int) -> Value {
    ["http": ["defaultHealthyRetryPolicy": ["numRetries": .integer(retries), "backoffFunction": "linear"]]]
}

private let feedback: [[String: Value]] = ["application", "firehose", "http", "lambda", "sqs"].flatMap {
    [
        ["\($0)_success_feedback_role_arn": role], ["\($0)_success_feedback_sample_rate": 10],
        ["\($0)_failure_feedback_role_arn": role], ["\($0)_success_feedback_role_arn": ""],
    ]
}

private let topicRow = ConformanceRow(
    type: "aws.sns_topic",
    arguments: { _ in
        [
            "name": "conformance", "display_name": "Alarms", "kms_master_key_id": "alias/aws/sns",
            "signature_version": 2, "tags": tags, "policy": policy(["sns:Publish", "sns:Subscribe"]),
            "http_success_feedback_role_arn": role,
        ]
    },
    changes: { _ in
        [
            ["display_name": "Others"], ["display_name": ""], ["kms_master_key_id": ""], ["signature_version": 1],
            ["tracing_config": "Active"], ["tracing_config": "PassThrough"],
            ["policy": policy("sns:Publish", ["AWS": "210987654321"])], ["delivery_policy": delivery(5)],
            ["delivery_policy": .string(ValueJSON.plainText(delivery(6)))], ["delivery_policy": ""],
            ["tags": otherTags], ["tags": [:]], ["tags": tags],
        ] + feedback
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "SetTopicAttributes",
            ["TopicArn": .string(id.rawValue), "AttributeName": "DisplayName", "AttributeValue": "foreign"],
            service: .sns)
        return ["display_name": "foreign"]
    },
    check: { lab, seen in
        #expect(seen.id.rawValue == arn && seen.outputs["owner"] == "123456789012")
        // A name that others have is not taken.
        await #expect {
            _ = try await lab.handler(for: "aws.sns_topic").create(["name": "conformance"], intent: .test)
        } throws: {
            ($0 as? ProviderError)?.kind == .alreadyExists
        }
    })

private let fifoTopicRow = ConformanceRow(
    type: "aws.sns_topic", title: "FIFO",
    arguments: { _ in
        [
            "name": "conformance.fifo", "fifo_topic": true, "content_based_deduplication": true,
            "fifo_throughput_scope": "MessageGroup", "archive_policy": ["MessageRetentionPeriod": 30],
        ]
    },
    changes: { _ in
        [
            ["content_based_deduplication": false], ["fifo_throughput_scope": "Topic"],
            ["archive_policy": ["MessageRetentionPeriod": 31]], ["archive_policy": ""],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "SetTopicAttributes",
            [
                "TopicArn": .string(id.rawValue), "AttributeName": "ContentBasedDeduplication",
                "AttributeValue": "true",
            ], service: .sns)
        return ["content_based_deduplication": true]
    })

private let lifecycle: Value = [
    "rules": [
        [
            "rulePriority": 1, "description": "Only the newest",
            "selection": ["tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 30],
            "action": ["type": "expire"],
        ]
    ]
]

private func pull(_ account: Value) -> Value {
    [
        "Version": "2012-10-17",
        "Statement": [
            [
                "Sid": "pull", "Effect": "Allow", "Principal": ["AWS": account],
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            ]
        ],
    ]
}

private let repositoryRow = ConformanceRow(
    type: "aws.ecr_repository",
    arguments: { _ in
        [
            "name": "conformance/api", "image_tag_mutability": "IMMUTABLE",
            "image_scanning_configuration": ["scan_on_push": true],
            "encryption_configuration": ["encryption_type": "KMS"], "lifecycle_policy": lifecycle,
            "repository_policy": pull("arn:aws:iam::210987654321:root"), "force_delete": true, "tags": tags,
        ]
    },
    changes: { _ in
        [
            ["image_tag_mutability": "MUTABLE"], ["image_scanning_configuration": ["scan_on_push": false]],
            ["lifecycle_policy": ""], ["lifecycle_policy": .string(ValueJSON.plainText(lifecycle))],
            ["repository_policy": pull("arn:aws:iam::123456789012:root")], ["repository_policy": ""],
            ["tags": otherTags], ["tags": [:]], ["tags": tags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "PutImageTagMutability",
            ["repositoryName": .string(id.rawValue), "imageTagMutability": "IMMUTABLE"], service: .ecr)
        return ["image_tag_mutability": "IMMUTABLE"]
    },
    check: { lab, seen in
        #expect(seen.outputs["repository_url"] == "123456789012.dkr.ecr.us-east-1.amazonaws.com/conformance/api")
        #expect(seen.outputs["registry_id"] == "123456789012")
        // The image goes with it, since force_delete is set.
        try await lab.call(
            "PutImage",
            [
                "repositoryName": .string(seen.id.rawValue), "imageTag": "1",
                "imageManifest":
                    #"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json"}"#,
            ], service: .ecr)
    })

private let excludingRepositoryRow = ConformanceRow(
    type: "aws.ecr_repository", title: "exclusions",
    arguments: { _ in
        [
            "name": "conformance-exclusions", "image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION",
            "image_tag_mutability_exclusion_filter": [["filter": "dev-*"], ["filter": "pr-*"]],
        ]
    },
    changes: { _ in
        [
            ["image_tag_mutability_exclusion_filter": [["filter": "dev-*"]]],
            ["image_tag_mutability": "MUTABLE", "image_tag_mutability_exclusion_filter": []],
        ]
    })
