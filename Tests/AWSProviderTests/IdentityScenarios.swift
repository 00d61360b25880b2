import MusterModel
import ProviderKit

let identityScenarios: [WireScenario] = [
    roleScenario, rolePolicyScenario, roleAttachmentScenario, instanceProfileScenario,
]

private let tags: Value = ["Name": "node"]
private let trust: Value = [
    "Version": "2012-10-17",
    "Statement": [
        ["Effect": "Allow", "Principal": ["Service": "ec2.amazonaws.com"], "Action": "sts:AssumeRole"]
    ],
]
private let document = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D"
private let empty: Value = ["Version": "2012-10-17", "Statement": []]
private let mark =
    "<Tags><member><Key>muster:intent</Key><Value>0123456789abcdef0123456789abcdef</Value></member></Tags>"
private let managed = "arn:aws:iam::aws:policy/ReadOnlyAccess"

private func role(_ more: String = "") -> String {
    "<RoleName>node</RoleName><Path>/a/</Path><RoleId>AROA1</RoleId>"
        + "<Arn>arn:aws:iam::123456789012:role/a/node</Arn><CreateDate>2026-11-21T00:00:00Z</CreateDate>"
        + "<AssumeRolePolicyDocument>\(document)</AssumeRolePolicyDocument>\(more)"
}

private func details(_ roles: String...) -> RecordingAWS.Answer {
    .body(
        "<RoleDetailList>\(roles.map { "<member>\($0)</member>" }.joined())</RoleDetailList>"
            + "<IsTruncated>false</IsTruncated>")
}

private let full = role(
    "<RolePolicyList><member><PolicyName>inline</PolicyName><PolicyDocument>\(document)</PolicyDocument></member>"
        + "</RolePolicyList><AttachedManagedPolicies><member><PolicyName>ReadOnlyAccess</PolicyName>"
        + "<PolicyArn>\(managed)</PolicyArn></member></AttachedManagedPolicies>"
        + "<PermissionsBoundary><PermissionsBoundaryArn>\(managed)</PermissionsBoundaryArn></PermissionsBoundary>"
        + "<Tags><member><Key>Name</Key><Value>node</Value></member></Tags>")

private let roleScenario = WireScenario(
    type: "aws.iam_role",
    answers: [
        "CreateRole": [
            .body("<Role>\(role())</Role>"), .failure(code: "EntityAlreadyExists", message: "It exists", status: 409),
            .failure(code: "MalformedPolicyDocument", message: "Invalid principal in policy: \"AWS\":\"arn:…\""),
            .failure(code: "MalformedPolicyDocument", message: "Syntax errors in policy."),
        ],
        "GetRole": [
            .body("<Role>\(role(mark))</Role>"), .body("<Role>\(role())</Role>"),
            .failure(code: "NoSuchEntity", status: 404),
        ],
        "GetAccountAuthorizationDetails": [
            .body(
                "<RoleDetailList><member>\(full)</member></RoleDetailList><IsTruncated>true</IsTruncated>"
                    + "<Marker>2</Marker>"),
            details("<RoleName>other</RoleName>"), details(full),
        ],
        "ListRoles": [
            .body(
                "<Roles><member><RoleName>node</RoleName><Description>a &amp; b</Description>"
                    + "<MaxSessionDuration>7200</MaxSessionDuration></member></Roles><IsTruncated>false</IsTruncated>")
        ],
        "UpdateAssumeRolePolicy": [.done], "UpdateRole": [.done], "PutRolePermissionsBoundary": [.done],
        "DeleteRolePermissionsBoundary": [.failure(code: "NoSuchEntity", status: 404)], "TagRole": [.done],
        "UntagRole": [.done], "DetachRolePolicy": [.done], "DeleteRolePolicy": [.done],
        "DeleteRole": [
            .done, .failure(code: "DeleteConflict", message: "must detach all policies first", status: 409),
        ],
    ],
    steps: [
        (
            "create",
            .create([
                "name": "node", "path": "/a/", "assume_role_policy": trust, "description": "a & b",
                "max_session_duration": 7200, "permissions_boundary": .string(managed), "tags": tags,
            ])
        ),
        ("the name is taken", .create(["name": "node", "assume_role_policy": "{}"])),
        ("a principal that was just made", .create(["name": "node", "assume_role_policy": trust])),
        ("a policy that is none", .create(["name": "node", "assume_role_policy": "no policy"])),
        ("ours", .find(["name": "node"])),
        ("somebody else's", .find(["name": "node"])),
        ("nobody's", .find(["name": "node"])),
        ("read, in two pages", .read([KnownObject(id: "node"), KnownObject(id: "gone")])),
        (
            "read what only the other listing tells",
            .read([KnownObject(id: "node", declared: ["description"])])
        ),
        (
            "change everything",
            .update(
                "node",
                from: [
                    "name": "node", "assume_role_policy": trust, "max_session_duration": 7200,
                    "permissions_boundary": "", "tags": ["Old": "1"],
                ],
                to: [
                    "name": "node", "assume_role_policy": empty, "description": "other",
                    "permissions_boundary": .string(managed), "tags": tags,
                ])
        ),
        (
            "no boundary", .update("node", from: ["permissions_boundary": "x"], to: ["permissions_boundary": ""])
        ),
        ("delete with what others hung on it", .delete("node", last: ["force_detach_policies": true])),
        ("delete what others hung something on", .delete("node")),
    ])

private let rolePolicyScenario = WireScenario(
    type: "aws.iam_role_policy",
    answers: [
        "GetRolePolicy": [
            .failure(code: "NoSuchEntity", status: 404),
            .body(
                "<RoleName>node</RoleName><PolicyName>inline</PolicyName><PolicyDocument>\(document)</PolicyDocument>"),
        ],
        "PutRolePolicy": [
            .done, .done, .failure(code: "NoSuchEntity", message: "no role", status: 404), .done,
        ],
        "GetAccountAuthorizationDetails": [details(full)],
        "DeleteRolePolicy": [.failure(code: "NoSuchEntity", status: 404)],
    ],
    steps: [
        ("create", .create(["role": "node", "name": "inline", "policy": empty])),
        (
            "the same is there, as text: ours, from an answer that was lost",
            .create(["role": "node", "name": "inline", "policy": .string(ValueJSON.plainText(empty))])
        ),
        ("another one is there", .create(["role": "node", "name": "inline", "policy": trust])),
        ("the role is not there yet", .update("node:inline", from: ["policy": empty], to: ["policy": trust])),
        (
            "change",
            .update(
                "node:inline", from: ["role": "node", "name": "inline", "policy": empty],
                to: ["role": "node", "name": "inline", "policy": trust])
        ),
        (
            "read",
            .read([KnownObject(id: "node:inline"), KnownObject(id: "node:gone"), KnownObject(id: "gone:inline")])
        ),
        ("children", .children(of: ["node", "gone"])),
        ("delete what is gone", .delete("node:inline")),
        ("import", .importID("node:inline")),
        ("import nonsense", .importID("node")),
    ])

private let roleAttachmentScenario = WireScenario(
    type: "aws.iam_role_policy_attachment",
    answers: [
        "AttachRolePolicy": [
            .done, .failure(code: "NoSuchEntity", message: "Policy arn:… does not exist", status: 404),
        ],
        "GetAccountAuthorizationDetails": [details(full)],
        "DetachRolePolicy": [.failure(code: "NoSuchEntity", status: 404)],
    ],
    steps: [
        ("create", .create(["role": "node", "policy_arn": .string(managed)])),
        ("a policy that may not be visible yet", .create(["role": "node", "policy_arn": .string(managed)])),
        ("find", .find(["role": "node", "policy_arn": .string(managed)])),
        ("read", .read([KnownObject(id: RemoteID("node/" + managed)), KnownObject(id: "node/arn:other")])),
        ("children", .children(of: ["node"])),
        ("delete what is gone", .delete(RemoteID("node/" + managed))),
        ("import nonsense", .importID("node")),
    ])

private func profile(_ roles: String..., more: String = "") -> String {
    "<InstanceProfileName>node</InstanceProfileName><Path>/</Path><InstanceProfileId>AIPA1</InstanceProfileId>"
        + "<Arn>arn:aws:iam::123456789012:instance-profile/node</Arn><CreateDate>2026-11-21T00:00:00Z</CreateDate>"
        + "<Roles>\(roles.map { "<member><RoleName>\($0)</RoleName></member>" }.joined())</Roles>\(more)"
}

private let instanceProfileScenario = WireScenario(
    type: "aws.iam_instance_profile",
    answers: [
        "CreateInstanceProfile": [
            .body("<InstanceProfile>\(profile())</InstanceProfile>"),
            .failure(code: "EntityAlreadyExists", status: 409),
        ],
        "GetInstanceProfile": [
            .body("<InstanceProfile>\(profile(more: mark))</InstanceProfile>"),
            .body("<InstanceProfile>\(profile())</InstanceProfile>"),
            .body("<InstanceProfile>\(profile())</InstanceProfile>"),
            .body("<InstanceProfile>\(profile("old"))</InstanceProfile>"),
            .body("<InstanceProfile>\(profile())</InstanceProfile>"),
            .body("<InstanceProfile>\(profile("node"))</InstanceProfile>"),
            .body("<InstanceProfile>\(profile("node", more: mark))</InstanceProfile>"),
            .body("<InstanceProfile>\(profile("node"))</InstanceProfile>"),
            .failure(code: "NoSuchEntity", status: 404),
        ],
        "ListInstanceProfiles": [
            .body("<InstanceProfiles><member>\(profile("node"))</member></InstanceProfiles>")
        ],
        "AddRoleToInstanceProfile": [
            .failure(code: "NoSuchEntity", message: "no role", status: 404), .done,
            .failure(code: "LimitExceeded", message: "one role", status: 409),
        ],
        "RemoveRoleFromInstanceProfile": [.done], "TagInstanceProfile": [.done], "UntagInstanceProfile": [.done],
        "DeleteInstanceProfile": [.done, .failure(code: "NoSuchEntity", status: 404)],
    ],
    steps: [
        ("create", .create(["name": "node", "role": "node", "tags": tags])),
        ("the name is taken", .create(["name": "node"])),
        ("ours", .find(["name": "node"])),
        ("its role may not be visible yet", .update("node", from: [:], to: ["role": "node"])),
        ("another role takes the place of the old one", .update("node", from: ["role": "old"], to: ["role": "node"])),
        ("the role is there already, from an answer that was lost", .update("node", from: [:], to: ["role": "node"])),
        ("read with tags", .read([KnownObject(id: "node", declared: ["tags"]), KnownObject(id: "gone")])),
        ("read without", .read([KnownObject(id: "node")])),
        ("tags", .update("node", from: ["tags": ["Old": "1"]], to: ["tags": tags])),
        ("delete with its role", .delete("node")),
        ("delete what is gone", .delete("node")),
    ])
