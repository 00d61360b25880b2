import AWSClient
import MusterModel
import ProviderKit

/// An instance profile: what gives the rights of a role to an instance.
///
/// Calls: `CreateInstanceProfile`, `ListInstanceProfiles`, `GetInstanceProfile` (its tags, where they are declared),
/// `AddRoleToInstanceProfile`, `RemoveRoleFromInstanceProfile`, `TagInstanceProfile`, `UntagInstanceProfile`,
/// `DeleteInstanceProfile`.
/// Consistency: EC2 may not accept it for up to 2 minutes.
struct IAMInstanceProfile: ManagedResource {
    struct Arguments: ArgumentBlock {
        var name = ""
        var path: String?
        var role: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required(
                "name", \.name, onChange: .replace, constraints: [.length(1, 128), IAMName.constraint], "The name."),
            .argument("path", \.path, absence: .means("/"), onChange: .replace, "The folder."),
            .argument(
                "role", \.role, absence: .means(""), reference: .iamRole, isSetAfterCreate: true,
                holds: true, "The role; a profile has one at most."),
            .tags(\.tags, needsOwnRead: true),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var uniqueID: String?
        var createDate: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("unique_id", \.uniqueID, "The id that is never given twice (`AIPA…`)."),
            .output("create_date", \.createDate, "When it was made."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.iam_instance_profile", "What gives the rights of a role to instances.",
        naming: .unique(argument: "name", maximumLength: 128), importSyntax: "the profile's name")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let profiles = try await aws.iamProfiles()
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            guard let profile = profiles[object.id.rawValue] else { continue }
            var observed = observed(profile)
            // Listings leave a profile's tags out.
            if object.declared.contains("tags") {
                observed.arguments.tags = try await get(object.id.rawValue)?.iamTags ?? [:]
            }
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.iamProfiles().values.map(observed).sorted { $0.id < $1.id }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let profile = try await get(desired.name) else { return nil }
        return Found(observed(profile), isOurs: profile.iamTags[intent.tag.key] == intent.tag.value)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.iamChange(
            "CreateInstanceProfile",
            [
                "InstanceProfileName": .string(desired.name), "Path": .nonEmpty(desired.path),
                "Tags": .tagList(desired.tags, intent),
            ], effect: .once)
        return observed(answer["InstanceProfile"])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        if let role = new.role, role != (old.role ?? "") {
            // One role at most: what is there goes first.
            for present in try await get(id.rawValue)?["Roles"].items ?? [] where present["RoleName"].text != role {
                try await aws.delete(
                    .iam, "RemoveRoleFromInstanceProfile",
                    [
                        "InstanceProfileName": .string(id.rawValue),
                        "RoleName": .string(present["RoleName"].text),
                    ])
            }
            if !role.isEmpty { try await add(role, to: id) }
        }
        try await aws.iamUpdateTags("InstanceProfile", id.rawValue, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        for role in try await get(id.rawValue)?["Roles"].items ?? [] {
            try await aws.delete(
                .iam, "RemoveRoleFromInstanceProfile",
                ["InstanceProfileName": .string(id.rawValue), "RoleName": .string(role["RoleName"].text)])
        }
        try await aws.delete(.iam, "DeleteInstanceProfile", ["InstanceProfileName": .string(id.rawValue)])
    }

    private func get(_ name: String) async throws(ProviderError) -> XMLElement? {
        try await aws.look(.iam, "GetInstanceProfile", ["InstanceProfileName": .string(name)])?
            .xml["InstanceProfile"]
    }

    private func add(_ role: String, to id: RemoteID) async throws(ProviderError) {
        do throws(ProviderError) {
            _ = try await aws.iamChange(
                "AddRoleToInstanceProfile",
                ["InstanceProfileName": .string(id.rawValue), "RoleName": .string(role)])
        } catch {
            // It has the one role that it can have: ours, if an earlier answer was lost.
            let present = try await get(id.rawValue)?["Roles"].items.map { $0["RoleName"].text } ?? []
            if !present.contains(role) { throw error }
        }
    }

    // MARK: - Wire format

    private func observed(_ profile: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = profile["InstanceProfileName"].text
        arguments.path = profile["Path"].nonEmpty ?? "/"
        arguments.role = profile["Roles"].items.first?["RoleName"].text ?? ""
        var outputs = Outputs()
        outputs.arn = profile["Arn"].nonEmpty
        outputs.uniqueID = profile["InstanceProfileId"].nonEmpty
        outputs.createDate = profile["CreateDate"].nonEmpty
        return Observed(id: RemoteID(arguments.name), arguments: arguments, outputs: outputs)
    }
}
