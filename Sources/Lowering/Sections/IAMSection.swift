import Diagnostics
import MusterModel

/// `iam`: a role with its policies and its instance profile.
///
/// The set of inline policies is the role's own once `inline_policies` is written, that of attachments once
/// `managed_policies` is: foreign ones are then drift.
enum IAMSection: Section {
    static let schema = SectionSchema(
        name: "iam", summary: "A role with its policies and its instance profile.",
        fields: verbatim + [
            ArgumentSchema(
                "name", .string, constraints: [.length(1, 64), namePattern],
                "The name in AWS, unique in the account; the key if it is left out."),
            ArgumentSchema(
                "assume_role_policy", .anything, semantics: .policyDocument,
                constraints: [.exactlyOne(["assume_role_policy", "assume_role"])],
                "Who may take the role, as a policy document."),
            ArgumentSchema(
                "assume_role", .anything,
                "Who may take the role, in short: a service such as ec2.amazonaws.com, an ARN, an account (quoted), or "
                    + "a list of these."),
            ArgumentSchema(
                "inline_policies", .map(.anything), semantics: .policyDocument,
                "All policies that belong to the role alone, by name."),
            ArgumentSchema(
                "managed_policies", .list(.string), "The ARNs of all policies that are attached to the role."),
            ArgumentSchema(
                "instance_profile", .anything,
                "true, false, or a map with name and path. Without it: true where assume_role is or has "
                    + "ec2.amazonaws.com. The profile has the role's name."),
            SectionFields.tags("the role and of its instance profile"),
        ],
        principalTypes: ["aws.iam_role", "aws.iam_instance_profile"],
        example: """
            iam:
              prod-rancher:
                assume_role: ec2.amazonaws.com
                description: What the control nodes may do
                managed_policies: ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]
                inline_policies:
                  backups:
                    Version: "2012-10-17"
                    Statement:
                      - { Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::tastycidr-backups/*" }
            """)

    /// The arguments of `aws.iam_role` that are written as they are.
    static let verbatim: [ArgumentSchema] = [
        ArgumentSchema("path", .string, "The folder of the role; / if it is left out."),
        ArgumentSchema("description", .string, constraints: [.length(0, 1000)], "What the role is for."),
        ArgumentSchema(
            "max_session_duration", .integer, constraints: [.range(3600, 43_200)],
            "How long a session may last, in seconds."),
        ArgumentSchema("permissions_boundary", .string, "The ARN of the policy that bounds the role's rights."),
        ArgumentSchema("force_detach_policies", .boolean, "Whether deleting the role detaches foreign policies."),
    ]

    private static let namePattern = Constraint.pattern(
        #"[A-Za-z0-9_+=,.@\-]+"#, "only letters, digits and _+=,.@- may stand in it.")

    private static let profileFields: [ArgumentSchema] = [
        ArgumentSchema(
            "name", .string, constraints: [.length(1, 128), namePattern], "The name; the role's if it is left out."),
        ArgumentSchema("path", .string, "The folder of the profile; that of the role if it is left out."),
        SectionFields.tags("the profile; those of the role if they are left out"),
    ]

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        let body = definition.body
        var result = LoweringResult()
        var role = Draft(principal: "aws.iam_role", of: definition, renamed: ["assume_role": "assume_role_policy"])
        role.set("name", definition.remoteName.value, at: body["name"]?.range)
        role.copy(verbatim, from: body)
        role.set("assume_role_policy", body["assume_role_policy"])
        var principals: [Principal] = []
        if let field = body["assume_role"] {
            principals = result.principals(field)
            if !principals.isEmpty { role.set("assume_role_policy", trust(principals), at: field.range) }
        }
        role.setTags(body["tags"], inherited: definition.inheritedTags, &result.diagnostics)
        if body["inline_policies"] != nil { role.declaration.exclusiveChildren.append("aws.iam_role_policy") }
        if body["managed_policies"] != nil {
            role.declaration.exclusiveChildren.append("aws.iam_role_policy_attachment")
        }
        result.append(role)
        let policies = result.lowerPolicies(of: role, definition)
        let isUsual = principals.contains(where: \.isMachine)
        result.lowerProfile(of: role, definition, isUsual: isUsual, after: policies, profileFields)
        return result
    }

    /// The document that lets these take the role.
    private static func trust(_ principals: [Principal]) -> Value {
        var members: [String: Value] = [:]
        for kind in Principal.Kind.allCases {
            let names = principals.filter { $0.kind == kind }.map(\.name)
            if !names.isEmpty { members[kind.rawValue] = names.count == 1 ? names[0] : .list(names) }
        }
        return [
            "Version": "2012-10-17",
            "Statement": [["Effect": "Allow", "Principal": .map(members), "Action": "sts:AssumeRole"]],
        ]
    }
}

/// Somebody who may take a role.
private struct Principal {
    /// As policies call them.
    enum Kind: String, CaseIterable {
        case service = "Service"
        case account = "AWS"
    }

    var name: Value
    var kind: Kind
    var isMachine: Bool { name == "ec2.amazonaws.com" || name == "ec2.amazonaws.com.cn" }

    /// nil for a text that is neither.
    init?(_ name: Value) {
        self.name = name
        guard case .string(let text) = name else {
            // What is known later and names somebody is an ARN.
            kind = .account
            return
        }
        let isAccount = text.utf8.count == 12 && text.utf8.allSatisfy { (48...57).contains($0) }
        if isAccount || text.hasPrefix("arn:") {
            kind = .account
        } else if text.hasSuffix(".amazonaws.com") || text.hasSuffix(".amazonaws.com.cn") {
            kind = .service
        } else {
            return nil
        }
    }
}

extension LoweringResult {
    fileprivate mutating func principals(_ field: LocatedValue) -> [Principal] {
        var principals: [Principal] = []
        for element in field.elements ?? [field] {
            switch element.value {
            case .string, .deferred:
                if let principal = Principal(element.value) {
                    principals.append(principal)
                } else {
                    diagnostics.append(.notAPrincipal(element.value.nameText, at: element.range))
                }
            default: diagnostics.append(.wrongForm("assume_role", "services, ARNs and quoted account numbers", element))
            }
        }
        return principals
    }

    /// Policies and attachments of a role; the order edges to all of them.
    fileprivate mutating func lowerPolicies(of role: Draft, _ definition: Definition) -> [Reference] {
        var edges: [Reference] = []
        for entry in definition.body["inline_policies"]?.entries ?? [] where entry.value.value != .null {
            let name = "\(definition.name)/\(entry.key)"
            var policy = Draft("aws.iam_role_policy", name, of: definition, at: entry.keyRange)
            policy.set("role", role.output("name"))
            policy.set("name", .string(entry.key), at: entry.keyRange)
            policy.set("policy", entry.value)
            append(policy)
            edges.append(definition.dependency("aws.iam_role_policy", name, at: entry.keyRange))
        }
        var seen: [String: SourceRange] = [:]
        for element in definition.body["managed_policies"]?.elements ?? [] {
            if let text = element.value.string, !text.hasPrefix("arn:") {
                diagnostics.append(.notAnARN(text, at: element.range))
                continue
            }
            let policy = element.value.string.map(LoweringResult.shortName) ?? element.value.nameText
            if let earlier = seen[policy] {
                diagnostics.append(.attachedTwice(policy, at: element.range, earlier))
                continue
            }
            seen[policy] = element.range
            let name = "\(definition.name)/\(policy)"
            var attachment = Draft("aws.iam_role_policy_attachment", name, of: definition, at: element.range)
            attachment.set("role", role.output("name"))
            attachment.set("policy_arn", element.value, at: element.range)
            append(attachment)
            edges.append(definition.dependency("aws.iam_role_policy_attachment", name, at: element.range))
        }
        return edges
    }

    /// `aws/AmazonSSMManagedInstanceCore` for the ARN of a policy: whose it is, and its name with the path.
    private static func shortName(_ arn: String) -> String {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[5].hasPrefix("policy/") else { return arn }
        return "\(parts[4])/\(parts[5].dropFirst("policy/".count))"
    }

    fileprivate mutating func lowerProfile(
        of role: Draft, _ definition: Definition, isUsual: Bool, after policies: [Reference], _ fields: [ArgumentSchema]
    ) {
        let body = definition.body
        var form = LocatedValue.map([], definition.range)
        switch body["instance_profile"] {
        case nil: guard isUsual else { return }
        case let field?:
            if case .bool(let isWanted) = field.value {
                guard isWanted else { return }
            } else {
                form = read(
                    field, as: fields, of: "instance_profile", stack: definition.stack, forms: "true, false or a map")
            }
        }
        var profile = Draft(
            "aws.iam_instance_profile", definition.name, of: definition, at: body["instance_profile"]?.range)
        let name = form["name"] ?? definition.remoteName
        profile.set("name", name.value, at: form["name"]?.range ?? body["name"]?.range)
        profile.set("path", form["path"] ?? body["path"])
        profile.set("role", role.output("name"))
        profile.setTags(form["tags"] ?? body["tags"], inherited: definition.inheritedTags, &diagnostics)
        // What runs with the profile finds its rights in place.
        profile.declaration.dependsOn += policies
        append(profile)
    }
}

extension Diagnostic {
    fileprivate static func notAPrincipal(_ text: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.principal", summary: "Unknown kind of principal",
            detail: "\(text.quoted) is neither a service such as ec2.amazonaws.com, nor an ARN, nor an account.",
            at: range,
            hint: text.contains(".")
                ? "Other principals are written in a policy document: \"assume_role_policy\"."
                : "Did you mean \"\(text).amazonaws.com\"?")
    }

    fileprivate static func notAnARN(_ text: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.policy-arn", summary: "Not the ARN of a policy",
            detail: "\(text.quoted) is not an ARN.", at: range,
            hint: "A policy that AWS keeps is written \"arn:aws:iam::aws:policy/\(text)\".")
    }

    fileprivate static func attachedTwice(
        _ policy: String, at range: SourceRange, _ earlier: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-name", summary: "Duplicate name",
            detail: "The policy \(policy.quoted) is attached twice.", at: range,
            related: [.init(range: earlier, message: "the first is here")])
    }
}
