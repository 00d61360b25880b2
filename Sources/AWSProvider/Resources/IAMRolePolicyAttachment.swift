import AWSClient
import MusterModel
import ProviderKit

/// A managed policy on an IAM role.
///
/// Calls: `AttachRolePolicy` (idempotent), `GetAccountAuthorizationDetails`, `DetachRolePolicy`.
struct IAMRolePolicyAttachment: ManagedResource {
    struct Arguments: ArgumentBlock {
        var role = ""
        var policyARN = ""

        static let fields: [Field<Self>] = [
            .required("role", \.role, onChange: .replace, reference: .iamRole, "The role."),
            .required("policy_arn", \.policyARN, onChange: .replace, "The ARN of the managed policy."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.iam_role_policy_attachment", "A managed policy on a role.", parentArgument: "role",
        importSyntax: "ROLE/POLICY_ARN")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let roles = try await aws.iamRoles()
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            let (role, policy) = Self.parts(object.id)
            let items = roles[role]?["AttachedManagedPolicies"].items ?? []
            if items.contains(where: { $0["PolicyArn"].text == policy }) {
                found[object.id] = Self.observed(role, policy)
            }
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        let roles = try await aws.iamRoles()
        return scope.roles(of: roles).flatMap { role in
            (roles[role]?["AttachedManagedPolicies"].items ?? []).map { Self.observed(role, $0["PolicyArn"].text) }
        }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let observed = Self.observed(desired.role, desired.policyARN)
        return try await read([Known(id: observed.id)])[observed.id].map { Found($0, isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        _ = try await aws.iamChange(
            "AttachRolePolicy",
            ["RoleName": .string(desired.role), "PolicyArn": .string(desired.policyARN)])
        return Self.observed(desired.role, desired.policyARN)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? { nil }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        let (role, policy) = Self.parts(id)
        try await aws.delete(
            .iam, "DetachRolePolicy", ["RoleName": .string(role), "PolicyArn": .string(policy)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        let (role, policy) = Self.parts(RemoteID(text))
        guard !role.isEmpty, policy.hasPrefix("arn:") else { throw Self.badID(text) }
        return RemoteID(text)
    }

    private static func observed(_ role: String, _ policy: String) -> Observed<Self> {
        var arguments = Arguments()
        arguments.role = role
        arguments.policyARN = policy
        return Observed(id: RemoteID("\(role)/\(policy)"), arguments: arguments, outputs: Outputs())
    }

    private static func parts(_ id: RemoteID) -> (role: String, policy: String) {
        let parts = id.rawValue.split(separator: "/", maxSplits: 1).map(String.init)
        return (parts.first ?? "", parts.count == 2 ? parts[1] : "")
    }
}
