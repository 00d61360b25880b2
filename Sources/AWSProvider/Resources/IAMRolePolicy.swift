import AWSClient
import MusterModel
import ProviderKit

/// A policy inside an IAM role.
///
/// Calls: `PutRolePolicy` (an upsert: it is read first), `GetAccountAuthorizationDetails`, `GetRolePolicy`,
/// `DeleteRolePolicy`.
struct IAMRolePolicy: ManagedResource {
    struct Arguments: ArgumentBlock {
        var role = ""
        var name = ""
        var policy: Value?

        static let fields: [Field<Self>] = [
            .required("role", \.role, onChange: .replace, reference: .iamRole, "The role."),
            .required(
                "name", \.name, onChange: .replace, constraints: [.length(1, 128), IAMName.constraint], "The name."),
            .argument(
                "policy", \.policy, isRequired: true, semantics: .policyDocument, "The policy document."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.iam_role_policy", "A policy inside a role.", parentArgument: "role", importSyntax: "ROLE:POLICY")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let roles = try await aws.iamRoles()
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            let (role, name) = IAMRolePolicy.parts(object.id)
            let item = roles[role]?["RolePolicyList"].items.first { $0["PolicyName"].text == name }
            if let item { found[object.id] = observed(role, name, item["PolicyDocument"]) }
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        let roles = try await aws.iamRoles()
        return scope.roles(of: roles).flatMap { role in
            (roles[role]?["RolePolicyList"].items ?? [])
                .map { observed(role, $0["PolicyName"].text, $0["PolicyDocument"]) }
        }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let answer = try await aws.look(
            .iam, "GetRolePolicy", ["RoleName": .string(desired.role), "PolicyName": .string(desired.name)])
        guard let document = answer?.xml["PolicyDocument"] else { return nil }
        let observed = observed(desired.role, desired.name, document)
        // It carries no mark: it is ours when it says what we would have said.
        return Found(observed, isOurs: observed.arguments.policy?.parsedPolicy == desired.policy?.parsedPolicy)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        // The call would overwrite what somebody else put there.
        if let found = try await find(desired, intent: intent), !found.isOurs {
            throw ProviderError(
                .alreadyExists, "The role \(desired.role) has a policy \"\(desired.name)\" already.",
                operation: "iam.PutRolePolicy", code: "EntityAlreadyExists")
        }
        try await put(desired.policy, desired.role, desired.name)
        return Observed(
            id: RemoteID("\(desired.role):\(desired.name)"), arguments: desired, outputs: Outputs())
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let (role, name) = IAMRolePolicy.parts(id)
        if new.policy != old.policy { try await put(new.policy, role, name) }
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        let (role, name) = IAMRolePolicy.parts(id)
        try await aws.delete(
            .iam, "DeleteRolePolicy", ["RoleName": .string(role), "PolicyName": .string(name)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        let (role, name) = IAMRolePolicy.parts(RemoteID(text))
        if role.isEmpty || name.isEmpty { throw Self.badID(text) }
        return RemoteID(text)
    }

    // MARK: - Wire format

    private func put(_ policy: Value?, _ role: String, _ name: String) async throws(ProviderError) {
        _ = try await aws.iamChange(
            "PutRolePolicy",
            ["RoleName": .string(role), "PolicyName": .string(name), "PolicyDocument": .policy(policy)])
    }

    private func observed(_ role: String, _ name: String, _ document: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        arguments.role = role
        arguments.name = name
        arguments.policy = document.policyDocument
        return Observed(id: RemoteID("\(role):\(name)"), arguments: arguments, outputs: Outputs())
    }

    private static func parts(_ id: RemoteID) -> (role: String, name: String) {
        let parts = id.rawValue.split(separator: ":", maxSplits: 1).map(String.init)
        return (parts.first ?? "", parts.count == 2 ? parts[1] : "")
    }
}
