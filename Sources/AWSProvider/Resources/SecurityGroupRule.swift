import AWSClient
import MusterModel
import ProviderKit

/// A rule of a security group: one protocol, one range of ports, one other side.
///
/// Calls: `AuthorizeSecurityGroupIngress`, `AuthorizeSecurityGroupEgress`, `DescribeSecurityGroupRules`,
/// `ModifySecurityGroupRules`, `CreateTags`, `DeleteTags`, `RevokeSecurityGroupIngress`, `RevokeSecurityGroupEgress`.
/// A rule is its own key: AWS refuses a second one with the same properties, whatever its description.
/// Several in a call: rules of one group and direction with the same tags, since the tags of a call are those of all its
/// rules. AWS adds all or none. It documents no limit of a call; what ends it is the group's (60 rules in each direction,
/// which can be raised as long as rules times groups of an interface stay at 1,000).
struct SecurityGroupRule: ManagedResource, BatchedResource {
    struct Arguments: ArgumentBlock {
        var securityGroupID = ""
        var direction = ""
        var ipProtocol = ""
        var fromPort: Int?
        var toPort: Int?
        var cidrIPv4: String?
        var cidrIPv6: String?
        var prefixListID: String?
        var referencedGroupID: String?
        var description: String?
        var tags: [String: String]?

        static let sides = ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"]

        static let fields: [Field<Self>] = [
            .required(
                "security_group_id", \.securityGroupID, onChange: .replace, reference: .securityGroup,
                "The security group that the rule belongs to."),
            .required(
                "type", \.direction, onChange: .replace, constraints: [.allowed(["ingress", "egress"])],
                "Whether the rule is for what comes in or for what goes out."),
            .required(
                "protocol", \.ipProtocol, semantics: .ipProtocol,
                "tcp, udp, icmp, icmpv6, -1 for all, or the number of a protocol."),
            .argument(
                "from_port", \.fromPort, constraints: [.range(-1, 65_535)],
                "The first port of tcp and udp, the type of icmp (-1: all of them); the others have none."),
            .argument(
                "to_port", \.toPort, constraints: [.range(-1, 65_535)],
                "The last port of tcp and udp, the code of icmp (-1: all of them)."),
            .argument(
                "cidr_ipv4", \.cidrIPv4, semantics: .cidr, constraints: [.ipv4CIDR, .exactlyOne(sides)],
                hazards: [.publicExposure], "The other side as an IPv4 network."),
            .argument(
                "cidr_ipv6", \.cidrIPv6, semantics: .cidr, constraints: [.ipv6CIDR], hazards: [.publicExposure],
                "The other side as an IPv6 network."),
            .argument("prefix_list_id", \.prefixListID, "The other side as a prefix list."),
            .argument(
                "referenced_security_group_id", \.referencedGroupID, reference: .securityGroup,
                "The other side as a security group; of another account: ACCOUNT/sg-…."),
            .argument(
                "description", \.description, absence: .means(""), constraints: [.length(0, 255), allowedText],
                "What the rule is for."),
            .tags(\.tags),
        ]

        private static let allowedText = Constraint.pattern(
            #"[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*\-]*"#, "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*")
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var ruleID: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("security_group_rule_id", \.ruleID, "The id, under the name that calls give it."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.security_group_rule", "A rule of a security group.", parentArgument: "security_group_id",
        batching: Batching(
            creation: ["security_group_id", "type", "tags"], deletion: ["security_group_id", "type"], most: 100),
        timeouts: Timeouts(create: 300, update: 300, delete: 300),
        importSyntax: "sgr-… or sg-…_ingress_tcp_443_443_10.0.0.0/8")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let groups = Set(known.compactMap { Optional($0.arguments.securityGroupID).filled })
        var found = matching(
            known, in: try await aws.securityGroupRules(of: groups), id: "securityGroupRuleId", observed)
        // Of what is imported the group is not known yet.
        let rest = known.filter { $0.arguments.securityGroupID.isEmpty && found[$0.id] == nil }
        let items = try await aws.ec2List(
            "DescribeSecurityGroupRules", at: "securityGroupRuleSet", filter: "security-group-rule-id",
            ids: Set(rest.map(\.id.rawValue)))
        found.merge(matching(rest, in: items, id: "securityGroupRuleId", observed)) { first, _ in first }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        switch scope {
        case .everything:
            return try await aws.ec2List("DescribeSecurityGroupRules", at: "securityGroupRuleSet").map(observed)
        case .children(let parents):
            let groups = Set(parents.map(\.rawValue))
            return try await aws.securityGroupRules(of: groups).filter { groups.contains($0["groupId"].text) }
                .map(observed)
        }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let items = try await aws.ec2Now(
            "DescribeSecurityGroupRules", at: "securityGroupRuleSet", [("group-id", [desired.securityGroupID])])
        return items.first { says($0, desired) }.map { Found(observed($0), isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        guard let item = try await authorize([desired], intent).first else {
            throw ProviderError(
                .outcomeUnknown, "The answer does not tell the id of the rule.",
                operation: "ec2.AuthorizeSecurityGroup")
        }
        return observed(item)
    }

    func create(_ batch: [Arguments], intent: Intent) async throws(ProviderError) -> [Observed<Self>?] {
        let items = try await authorize(batch, intent)
        let owner = items.first?["groupOwnerId"].text ?? ""
        let made = items.map(observed).map { (rule: $0, content: RuleContent($0.arguments)) }
        return batch.map { desired in
            let wanted = RuleContent(desired, owner: owner)
            return made.first { $0.content == wanted }?.rule
        }
    }

    /// Adds rules of one group and direction with the same tags, and returns those that the answer tells of.
    private func authorize(_ rules: [Arguments], _ intent: Intent) async throws(ProviderError) -> [XMLElement] {
        guard let first = rules.first else { return [] }
        let answer = try await aws.ec2Change(
            first.direction == "egress" ? "AuthorizeSecurityGroupEgress" : "AuthorizeSecurityGroupIngress",
            [
                "GroupId": .string(first.securityGroupID),
                "IpPermissions": .list(rules.map(permission)),
                "TagSpecification": aws.tagSpecification("security-group-rule", first.tags, intent),
            ])
        return answer["securityGroupRuleSet"].items.filter { $0["securityGroupRuleId"].nonEmpty != nil }
    }

    /// Whether a rule of an answer is the wanted one.
    private func says(_ item: XMLElement, _ desired: Arguments) -> Bool {
        RuleContent(observed(item).arguments) == RuleContent(desired, owner: item["groupOwnerId"].text)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let wanted = completed(new, from: old)
        if RuleContent(wanted) != RuleContent(old) || wanted.description.filled != old.description.filled {
            _ = try await aws.ec2Change(
                "ModifySecurityGroupRules",
                [
                    "GroupId": .string(wanted.securityGroupID),
                    "SecurityGroupRule": [
                        ["SecurityGroupRuleId": .string(id.rawValue), "SecurityGroupRule": request(wanted)]
                    ],
                ])
        }
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        var group = last.securityGroupID
        var direction = last.direction
        if group.isEmpty || direction.isEmpty {
            guard let rule = try await current(id) else { return }
            group = rule.arguments.securityGroupID
            direction = rule.arguments.direction
        }
        try await aws.delete(
            .ec2, direction == "egress" ? "RevokeSecurityGroupEgress" : "RevokeSecurityGroupIngress",
            ["GroupId": .string(group), "SecurityGroupRuleId": [.string(id.rawValue)]])
    }

    func delete(_ batch: [Known<Self>]) async throws(ProviderError) {
        guard let first = batch.first?.arguments else { return }
        _ = try await aws.call(
            .ec2, first.direction == "egress" ? "RevokeSecurityGroupEgress" : "RevokeSecurityGroupIngress",
            [
                "GroupId": .string(first.securityGroupID),
                "SecurityGroupRuleId": .strings(batch.map(\.id.rawValue)),
            ], effect: .idempotent)
    }

    /// Besides AWS's id: Terraform's `GROUP_DIRECTION_PROTOCOL_FROM_TO_SOURCE`, for one source.
    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        let text = text.filter { !$0.isWhitespace }
        if text.hasPrefix("sgr-") { return try Self.checkedID(text, prefix: "sgr-") }
        let parts = text.split(separator: "_", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0].hasPrefix("sg-"), ["ingress", "egress"].contains(parts[1]) else {
            throw Self.badID(text)
        }
        var wanted = Arguments()
        wanted.securityGroupID = parts[0]
        wanted.direction = parts[1]
        wanted.ipProtocol = parts[2]
        wanted.fromPort = Int(parts[3])
        wanted.toPort = Int(parts[4])
        switch parts[5] {
        case "self": wanted.referencedGroupID = parts[0]
        case let source where source.hasPrefix("pl-"): wanted.prefixListID = source
        case let source where source.contains("sg-"): wanted.referencedGroupID = source
        case let source:
            guard let network = IPNetwork(source) else { throw Self.badID(text) }
            if network.isIPv6 { wanted.cidrIPv6 = source } else { wanted.cidrIPv4 = source }
        }
        let content = RuleContent(wanted)
        guard let rule = try await rules(of: parts[0]).first(where: { RuleContent($0.arguments) == content }) else {
            throw ProviderError(.notFound, "The security group \(parts[0]) has no such rule.")
        }
        return rule.id
    }

    private func rules(of group: String) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.ec2Now("DescribeSecurityGroupRules", at: "securityGroupRuleSet", [("group-id", [group])])
            .map(observed)
    }

    private func current(_ id: RemoteID) async throws(ProviderError) -> Observed<Self>? {
        try await aws.ec2Now(
            "DescribeSecurityGroupRules", at: "securityGroupRuleSet", [("security-group-rule-id", [id.rawValue])]
        ).first.map(observed)
    }

    /// Fills in what the declaration leaves alone, since a rule is changed whole.
    private func completed(_ new: Arguments, from old: Arguments) -> Arguments {
        var result = new
        if RuleContent(new).side == nil {
            result.cidrIPv4 = old.cidrIPv4
            result.cidrIPv6 = old.cidrIPv6
            result.prefixListID = old.prefixListID
            result.referencedGroupID = old.referencedGroupID
        }
        if IPProtocol.number(new.ipProtocol) == IPProtocol.number(old.ipProtocol) {
            result.fromPort = new.fromPort ?? old.fromPort
            result.toPort = new.toPort ?? old.toPort
        }
        result.description = new.description ?? old.description
        return result
    }

    // MARK: - Wire format

    private func permission(_ rule: Arguments) -> AWSInput {
        let content = RuleContent(rule)
        let description = AWSInput.nonEmpty(rule.description)
        var input: AWSInput = [
            "IpProtocol": .string(content.ipProtocol),
            "FromPort": .optional(content.from),
            "ToPort": .optional(content.to),
        ]
        switch content.side {
        case .ipv4(let network): input["IpRanges"] = [["CidrIp": .string(network), "Description": description]]
        case .ipv6(let network): input["Ipv6Ranges"] = [["CidrIpv6": .string(network), "Description": description]]
        case .prefixList(let id): input["PrefixListIds"] = [["PrefixListId": .string(id), "Description": description]]
        case .group(let account, let id):
            input["Groups"] = [
                ["GroupId": .string(id), "UserId": .optional(account), "Description": description]
            ]
        case nil: break
        }
        return input
    }

    private func request(_ rule: Arguments) -> AWSInput {
        let content = RuleContent(rule)
        var input: AWSInput = [
            "IpProtocol": .string(content.ipProtocol),
            "FromPort": .optional(content.from),
            "ToPort": .optional(content.to),
        ]
        switch content.side {
        case .ipv4(let network): input["CidrIpv4"] = .string(network)
        case .ipv6(let network): input["CidrIpv6"] = .string(network)
        case .prefixList(let id): input["PrefixListId"] = .string(id)
        case .group(_, let id): input["ReferencedGroupId"] = .string(id)
        case nil: break
        }
        input["Description"] = .string(rule.description ?? "")
        return input
    }

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        var outputs = Outputs()
        let id = item["securityGroupRuleId"].text
        let owner = item["groupOwnerId"].text
        let group = item["referencedGroupInfo"]
        arguments.securityGroupID = item["groupId"].text
        arguments.direction = item["isEgress"].boolean == true ? "egress" : "ingress"
        arguments.ipProtocol = IPProtocol.name(item["ipProtocol"].text)
        // Where the protocol has no ports, whatever a spec says of them means nothing.
        if IPProtocol.hasPorts(arguments.ipProtocol) || IPProtocol.isICMP(arguments.ipProtocol) {
            arguments.fromPort = item["fromPort"].integer
            arguments.toPort = item["toPort"].integer
        }
        arguments.cidrIPv4 = item["cidrIpv4"].text
        arguments.cidrIPv6 = item["cidrIpv6"].text
        arguments.prefixListID = item["prefixListId"].text
        let account = group["userId"].text
        let isForeign = !account.isEmpty && !owner.isEmpty && account != owner
        arguments.referencedGroupID = (isForeign ? "\(account)/" : "") + group["groupId"].text
        arguments.description = item["description"].text
        arguments.tags = item.tags
        outputs.ruleID = id
        outputs.arn =
            item["securityGroupRuleArn"].nonEmpty
            ?? (owner.isEmpty ? nil : aws.ec2ARN("security-group-rule/\(id)", account: owner))
        return Observed(id: RemoteID(id), arguments: arguments, outputs: outputs)
    }
}

/// What a rule allows, in a form in which equal rules are equal.
private struct RuleContent: Equatable {
    enum Side: Equatable {
        case ipv4(String)
        case ipv6(String)
        case prefixList(String)
        case group(account: String?, String)
    }

    let direction: String
    /// As AWS writes it: `tcp`, `-1`, `50`.
    let ipProtocol: String
    let from: Int?
    let to: Int?
    let side: Side?

    /// - Parameter owner: the account of the group; a group of its own needs not name it.
    init(_ rule: SecurityGroupRule.Arguments, owner: String = "") {
        direction = rule.direction
        ipProtocol = IPProtocol.name(rule.ipProtocol)
        if IPProtocol.hasPorts(rule.ipProtocol) {
            from = rule.fromPort ?? rule.toPort
            to = rule.toPort ?? rule.fromPort
        } else if IPProtocol.isICMP(rule.ipProtocol) {
            from = rule.fromPort ?? -1
            to = rule.toPort ?? -1
        } else {
            from = nil
            to = nil
        }
        if let network = rule.cidrIPv4.filled {
            side = .ipv4(canonicalNetwork(network))
        } else if let network = rule.cidrIPv6.filled {
            side = .ipv6(canonicalNetwork(network))
        } else if let list = rule.prefixListID.filled {
            side = .prefixList(list)
        } else if let group = rule.referencedGroupID.filled {
            let parts = group.split(separator: "/", maxSplits: 1).map(String.init)
            let account = parts.count == 2 && parts[0] != owner ? parts[0] : nil
            side = .group(account: account, parts.last ?? group)
        } else {
            side = nil
        }
    }
}
