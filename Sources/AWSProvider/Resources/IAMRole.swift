import AWSClient
import MusterModel
import ProviderKit

/// An IAM role.
///
/// Calls: `CreateRole`, `GetAccountAuthorizationDetails`, `ListRoles` (where description or session length are
/// declared), `UpdateAssumeRolePolicy`, `UpdateRole`, `PutRolePermissionsBoundary`, `DeleteRolePermissionsBoundary`,
/// `TagRole`, `UntagRole`, `DeleteRole`; with `force_detach_policies` also `DetachRolePolicy`, `DeleteRolePolicy`.
/// Consistency: for up to 2 minutes after `create`, others may not see it.
struct IAMRole: ManagedResource {
    struct Arguments: ArgumentBlock {
        var name = ""
        var path: String?
        var assumeRolePolicy: Value?
        var description: String?
        var maxSessionDuration: Int?
        var permissionsBoundary: String?
        var forceDetachPolicies: Bool?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required(
                "name", \.name, onChange: .replace, constraints: [.length(1, 64), IAMName.constraint], "The name."),
            .argument(
                "path", \.path, absence: .means("/"), onChange: .replace, constraints: [.length(1, 512)],
                "The folder, such as `/platform/`."),
            .argument(
                "assume_role_policy", \.assumeRolePolicy, isRequired: true, semantics: .policyDocument,
                "Who may take the role: a policy document."),
            .argument(
                "description", \.description, absence: .means(""), constraints: [.length(0, 1000)],
                "What the role is for."),
            .argument(
                "max_session_duration", \.maxSessionDuration, absence: .means(3600),
                constraints: [.range(3600, 43_200)], "How long a session may last, in seconds."),
            .argument(
                "permissions_boundary", \.permissionsBoundary, absence: .means(""),
                "The ARN of the policy that bounds the role's rights."),
            .argument(
                "force_detach_policies", \.forceDetachPolicies, absence: .means(false), onChange: .local,
                "Whether deleting the role also detaches what others attached to it."),
            .tags(\.tags),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var uniqueID: String?
        var createDate: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("unique_id", \.uniqueID, "The id that is never given twice (`AROA…`)."),
            .output("create_date", \.createDate, "When it was made."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.iam_role", "A set of rights that services and people can take.",
        naming: .unique(argument: "name", maximumLength: 64),
        // What others attached does not go by itself, so that waiting for it is soon over.
        timeouts: Timeouts(delete: 120), importSyntax: "the role's name")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let roles = try await aws.iamRoles()
        // These two are in no bulk answer with the rest: defaults are compared only where somebody cares.
        let needsFacts = known.contains {
            $0.declared.contains("description") || $0.declared.contains("max_session_duration")
        }
        let facts = needsFacts ? try await aws.iamRoleFacts() : [:]
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            guard let role = roles[object.id.rawValue] else { continue }
            found[object.id] = observed(role, facts[object.id.rawValue])
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.iamRoles().values.map { observed($0, nil) }.sorted { $0.id < $1.id }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let answer = try await aws.look(.iam, "GetRole", ["RoleName": .string(desired.name)]) else { return nil }
        let role = answer.xml["Role"]
        return Found(observed(role, role), isOurs: role.iamTags[intent.tag.key] == intent.tag.value)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.iamChange(
            "CreateRole",
            [
                "RoleName": .string(desired.name), "Path": .nonEmpty(desired.path),
                "AssumeRolePolicyDocument": .policy(desired.assumeRolePolicy),
                "Description": .nonEmpty(desired.description),
                "MaxSessionDuration": .optional(desired.maxSessionDuration),
                "PermissionsBoundary": .nonEmpty(desired.permissionsBoundary),
                "Tags": .tagList(desired.tags, intent),
            ], effect: .once)
        return observed(answer["Role"], answer["Role"])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let name = AWSInput.string(id.rawValue)
        if let policy = new.assumeRolePolicy, policy != old.assumeRolePolicy {
            _ = try await aws.iamChange(
                "UpdateAssumeRolePolicy", ["RoleName": name, "PolicyDocument": .policy(policy)])
        }
        let description = new.description != nil && new.description != old.description
        let duration = new.maxSessionDuration != nil && new.maxSessionDuration != old.maxSessionDuration
        if description || duration {
            // Both in one call: a member that is left out would be reset.
            _ = try await aws.iamChange(
                "UpdateRole",
                [
                    "RoleName": name, "Description": .string(new.description ?? old.description ?? ""),
                    "MaxSessionDuration": .integer(new.maxSessionDuration ?? old.maxSessionDuration ?? 3600),
                ])
        }
        if let boundary = new.permissionsBoundary, boundary != (old.permissionsBoundary ?? "") {
            if boundary.isEmpty {
                try await aws.delete(.iam, "DeleteRolePermissionsBoundary", ["RoleName": name])
            } else {
                _ = try await aws.iamChange(
                    "PutRolePermissionsBoundary", ["RoleName": name, "PermissionsBoundary": .string(boundary)])
            }
        }
        try await aws.iamUpdateTags("Role", id.rawValue, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        if last.forceDetachPolicies == true, let role = try await aws.iamRoles()[id.rawValue] {
            for policy in role["AttachedManagedPolicies"].items {
                try await aws.delete(
                    .iam, "DetachRolePolicy",
                    ["RoleName": .string(id.rawValue), "PolicyArn": .string(policy["PolicyArn"].text)])
            }
            for policy in role["RolePolicyList"].items {
                try await aws.delete(
                    .iam, "DeleteRolePolicy",
                    ["RoleName": .string(id.rawValue), "PolicyName": .string(policy["PolicyName"].text)])
            }
        }
        try await aws.delete(.iam, "DeleteRole", ["RoleName": .string(id.rawValue)])
    }

    // MARK: - Wire format

    private func observed(_ role: XMLElement, _ facts: XMLElement?) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = role["RoleName"].text
        arguments.path = role["Path"].nonEmpty ?? "/"
        arguments.assumeRolePolicy = role["AssumeRolePolicyDocument"].policyDocument
        if let facts {
            arguments.description = facts["Description"].text
            arguments.maxSessionDuration = facts["MaxSessionDuration"].integer ?? 3600
        }
        arguments.permissionsBoundary = role["PermissionsBoundary"]["PermissionsBoundaryArn"].text
        arguments.tags = role.iamTags
        var outputs = Outputs()
        outputs.arn = role["Arn"].nonEmpty
        outputs.uniqueID = role["RoleId"].nonEmpty
        outputs.createDate = role["CreateDate"].nonEmpty
        return Observed(id: RemoteID(role["RoleName"].text), arguments: arguments, outputs: outputs)
    }
}

/// What IAM accepts in a name.
enum IAMName {
    static let constraint = Constraint.pattern(
        #"[A-Za-z0-9_+=,.@\-]+"#, "only letters, digits and _+=,.@- may stand in it.")
}
