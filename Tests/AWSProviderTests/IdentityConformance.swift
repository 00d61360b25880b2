import AWSClient
import MusterModel
import ProviderKit
import Testing

let identityConformance: [ConformanceRow] = [
    roleRow, rolePolicyRow, rolePolicyTextRow, roleAttachmentRow, instanceProfileRow,
]

private let tags: Value = ["Name": "conformance", "Team": "a"]
private let otherTags: Value = ["Name": "other"]
private let boundary: Value = "arn:aws:iam::aws:policy/ReadOnlyAccess"

private func trust(_ service: String) -> Value {
    [
        "Version": "2012-10-17",
        "Statement": [
            ["Effect": "Allow", "Principal": ["Service": .string(service)], "Action": ["sts:AssumeRole"]]
        ],
    ]
}

private func allow(_ actions: Value...) -> Value {
    [
        "Version": "2012-10-17",
        "Statement": [["Effect": "Allow", "Action": .list(actions), "Resource": "arn:aws:s3:::a b/é*"]],
    ]
}

extension ConformanceLab {
    fileprivate func role(_ name: String) async throws -> Value {
        .string(
            try await make(
                "aws.iam_role", ["name": .string(name), "assume_role_policy": trust("ec2.amazonaws.com")]))
    }
}

private let roleRow = ConformanceRow(
    type: "aws.iam_role",
    arguments: { _ in
        [
            "name": "conformance-role", "path": "/platform/", "assume_role_policy": trust("ec2.amazonaws.com"),
            "description": "For tests", "max_session_duration": 7200, "tags": tags,
        ]
    },
    changes: { _ in
        [
            ["description": "Another"], ["max_session_duration": 3600], ["description": ""],
            ["assume_role_policy": trust("ecs-tasks.amazonaws.com")],
            ["assume_role_policy": .string(trustPolicy)], ["permissions_boundary": boundary],
            ["permissions_boundary": ""], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "UpdateRole", ["RoleName": .string(id.rawValue), "Description": "foreign"], service: .iam)
        return ["description": "foreign"]
    },
    check: { _, seen in
        #expect(seen.outputs["arn"] == "arn:aws:iam::123456789012:role/platform/conformance-role")
    })

private let rolePolicyRow = ConformanceRow(
    type: "aws.iam_role_policy",
    arguments: { lab in
        ["role": try await lab.role("conformance-policy"), "name": "inline", "policy": allow("s3:GetObject")]
    },
    changes: { _ in [["policy": allow("s3:GetObject", "s3:PutObject")]] },
    foreignEdit: { lab, _ in
        let policy = allow("s3:*")
        try await lab.call(
            "PutRolePolicy",
            [
                "RoleName": "conformance-policy", "PolicyName": "inline",
                "PolicyDocument": .string(ValueJSON.plainText(policy)),
            ], service: .iam)
        return ["policy": policy]
    })

private let rolePolicyTextRow = ConformanceRow(
    type: "aws.iam_role_policy", title: "JSON text",
    arguments: { lab in
        [
            "role": try await lab.role("conformance-policy-text"), "name": "inline",
            "policy": .string(ValueJSON.plainText(allow("s3:GetObject"))),
        ]
    })

private let roleAttachmentRow = ConformanceRow(
    type: "aws.iam_role_policy_attachment",
    arguments: { lab in ["role": try await lab.role("conformance-attachment"), "policy_arn": boundary] })

private let instanceProfileRow = ConformanceRow(
    type: "aws.iam_instance_profile",
    arguments: { lab in
        await lab.note("second", try await lab.role("conformance-profile-2").string ?? "")
        return [
            "name": "conformance-profile", "path": "/platform/", "role": try await lab.role("conformance-profile"),
            "tags": tags,
        ]
    },
    changes: { lab in
        [
            ["role": .string(try await lab.noted("second"))], ["role": ""], ["role": "conformance-profile"],
            ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "RemoveRoleFromInstanceProfile",
            ["InstanceProfileName": .string(id.rawValue), "RoleName": "conformance-profile"], service: .iam)
        return ["role": ""]
    },
    check: { _, seen in #expect(seen.outputs["unique_id"]?.string?.hasPrefix("AIPA") == true) })
