import AWSClient
import MusterModel
import ProviderKit

/// A security group; its rules are resources of their own.
///
/// Calls: `CreateSecurityGroup`, `DescribeSecurityGroups`, `DescribeSecurityGroupRules` and
/// `RevokeSecurityGroupEgress` (once, for what AWS allows by itself), `CreateTags`, `DeleteTags`,
/// `DeleteSecurityGroup`, `DescribeNetworkInterfaces`.
/// Consistency: for up to 5 minutes after `create`, `read` may still miss it.
struct SecurityGroup: ManagedResource {
    struct Arguments: ArgumentBlock {
        var name = ""
        var description: String?
        var vpcID: String?
        var defaultEgress: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required(
                "name", \.name, onChange: .replace,
                constraints: [
                    .length(1, 255), allowedText, .pattern("(?!sg-).*", "not beginning with sg-, which is for ids"),
                ], "The name, unique in the VPC."),
            .argument(
                "description", \.description, absence: .means("Managed by muster"), onChange: .replace,
                constraints: [.length(1, 255), allowedText], "What the group is for."),
            .argument(
                "vpc_id", \.vpcID, onChange: .replace, reference: .vpc, "The VPC; the default one if left out."),
            .argument(
                "default_egress", \.defaultEgress, onChange: .creationOnly,
                constraints: [.allowed(["keep", "revoke"])], isReadable: false, isSetAfterCreate: true,
                "Whether the new group keeps the rules by which AWS lets everything out."),
            .tags(\.tags),
        ]

        private static let allowedText = Constraint.pattern(
            #"[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*\-]*"#, "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*")
    }

    typealias Outputs = OwnedOutputs

    static let schema = Schema<Arguments, Outputs>(
        "aws.security_group", "A security group: what may reach its members, and what they may reach.",
        naming: .unique(argument: "name", maximumLength: 255), replacement: .createFirst,
        timeouts: Timeouts(create: 600, update: 600, delete: 900), importSyntax: "sg-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        matching(known, in: try await aws.securityGroups(known.map(\.id)), id: "groupId", observed)
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.ec2List("DescribeSecurityGroups", at: "securityGroupInfo").map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let vpc = desired.vpcID.filled else {
            return try await aws.ec2Tagged("DescribeSecurityGroups", at: "securityGroupInfo", intent: intent).first
                .map { Found(observed($0), isOurs: true) }
        }
        return try await aws.ec2Now(
            "DescribeSecurityGroups", at: "securityGroupInfo", [("vpc-id", [vpc]), ("group-name", [desired.name])]
        ).first.map { Found(observed($0), isOurs: $0.tags[intent.tag.key] == intent.tag.value) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.ec2Change(
            "CreateSecurityGroup",
            [
                "GroupName": .string(desired.name),
                "GroupDescription": .string(desired.description.filled ?? "Managed by muster"),
                "VpcId": .nonEmpty(desired.vpcID),
                "TagSpecification": aws.tagSpecification("security-group", desired.tags, intent),
            ])
        let arn = answer["securityGroupArn"].nonEmpty
        return Observed(
            id: RemoteID(answer["groupId"].text), arguments: desired,
            outputs: Outputs(arn: arn, ownerID: arn.flatMap(account(ofARN:))),
            status: arn == nil ? .pending("created") : .ready)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        if new.defaultEgress == "revoke", old.defaultEgress != "revoke" { try await revokeDefaultEgress(id) }
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        do throws(ProviderError) {
            try await aws.delete(.ec2, "DeleteSecurityGroup", ["GroupId": .string(id.rawValue)])
        } catch {
            guard error.kind == .inUse, let holders = try? await holders(of: id), !holders.isEmpty else { throw error }
            var error = error
            error.message += " Held by " + holders.joined(separator: ", ") + "."
            throw error
        }
    }

    /// Who keeps the group from being deleted: AWS itself only says that somebody does.
    private func holders(of id: RemoteID) async throws(ProviderError) -> [String] {
        let interfaces = try await aws.ec2Now(
            "DescribeNetworkInterfaces", at: "networkInterfaceSet", [("group-id", [id.rawValue])])
        var holders = interfaces.map { interface in
            let user = interface["attachment"]["instanceId"].nonEmpty ?? interface["description"].nonEmpty
            return interface["networkInterfaceId"].text + (user.map { " (\($0))" } ?? "")
        }
        var groups: Set<String> = []
        for filter in ["ip-permission.group-id", "egress.ip-permission.group-id"] {
            let found = try await aws.ec2Now(
                "DescribeSecurityGroups", at: "securityGroupInfo", [(filter, [id.rawValue])])
            for group in found where group["groupId"].text != id.rawValue {
                groups.insert("a rule of \(group["groupId"].text) (\(group["groupName"].text))")
            }
        }
        holders += groups
        let shown = holders.sorted().prefix(8)
        return shown + (holders.count > shown.count ? ["\(holders.count - shown.count) more"] : [])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { try Self.checkedID(text, prefix: "sg-") }

    /// AWS's own rules have no tags; ours always carry the intent's.
    private func revokeDefaultEgress(_ id: RemoteID) async throws(ProviderError) {
        let rules = try await aws.ec2Now(
            "DescribeSecurityGroupRules", at: "securityGroupRuleSet", [("group-id", [id.rawValue])])
        let usual = rules.filter { rule in
            rule["isEgress"].boolean == true && rule["ipProtocol"].text == "-1" && rule.tags.isEmpty
                && (rule["cidrIpv4"].text == "0.0.0.0/0" || rule["cidrIpv6"].text == "::/0")
        }
        if usual.isEmpty { return }
        try await aws.ec2Undo(
            "RevokeSecurityGroupEgress",
            [
                "GroupId": .string(id.rawValue),
                "SecurityGroupRuleId": .strings(usual.map { $0["securityGroupRuleId"].text }.sorted()),
            ])
    }

    // MARK: - Wire format

    /// `arn:aws:ec2:REGION:ACCOUNT:…`
    private func account(ofARN arn: String) -> String? {
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count > 5 ? String(parts[4]) : nil
    }

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        let id = item["groupId"].text
        arguments.name = item["groupName"].text
        arguments.description = item["groupDescription"].text
        arguments.vpcID = item["vpcId"].text
        arguments.tags = item.tags
        var outputs = aws.owned(item, "security-group/\(id)")
        if let arn = item["securityGroupArn"].nonEmpty { outputs.arn = arn }
        return Observed(id: RemoteID(id), arguments: arguments, outputs: outputs)
    }
}
