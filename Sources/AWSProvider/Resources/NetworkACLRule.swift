import AWSClient
import MusterModel
import ProviderKit

/// A rule of a network ACL.
///
/// Calls: `CreateNetworkAclEntry`, `DescribeNetworkAcls`, `ReplaceNetworkAclEntry`, `DeleteNetworkAclEntry`.
/// AWS gives a rule no id: ours is the ACL, the direction and the number, `acl-…:egress:100`.
struct NetworkACLRule: ManagedResource {
    struct Arguments: ArgumentBlock {
        var networkACLID = ""
        var isEgress: Bool?
        var ruleNumber = 0
        var action = ""
        var ipProtocol = ""
        var cidrBlock: String?
        var ipv6CIDRBlock: String?
        var fromPort: Int?
        var toPort: Int?
        var icmpType: Int?
        var icmpCode: Int?

        static let fields: [Field<Self>] = [
            .required(
                "network_acl_id", \.networkACLID, onChange: .replace, reference: .networkACL, "The network ACL."),
            .argument(
                "egress", \.isEgress, absence: .means(false), onChange: .replace,
                "Whether the rule is for what goes out."),
            .required(
                "rule_number", \.ruleNumber, onChange: .replace, constraints: [.range(1, 32_766)],
                "The place of the rule: the lowest number that fits decides."),
            .required(
                "rule_action", \.action, semantics: .caseInsensitive, constraints: [.allowed(["allow", "deny"])],
                "What happens to the packets."),
            .required(
                "protocol", \.ipProtocol, semantics: .ipProtocol,
                "tcp, udp, icmp, icmpv6, -1 for all, or the number of a protocol."),
            .argument(
                "cidr_block", \.cidrBlock, semantics: .cidr,
                constraints: [.ipv4CIDR, .exactlyOne(["cidr_block", "ipv6_cidr_block"])],
                "The other side, as an IPv4 network."),
            .argument(
                "ipv6_cidr_block", \.ipv6CIDRBlock, semantics: .cidr, constraints: [.ipv6CIDR],
                "The other side, as an IPv6 network."),
            .argument("from_port", \.fromPort, constraints: [.range(-1, 65_535)], "The first port, of tcp and udp."),
            .argument("to_port", \.toPort, constraints: [.range(-1, 65_535)], "The last port, of tcp and udp."),
            .argument(
                "icmp_type", \.icmpType, constraints: [.range(-1, 255)], "The type of ICMP; -1 is all of them."),
            .argument(
                "icmp_code", \.icmpCode, constraints: [.range(-1, 255)], "The code of ICMP; -1 is all of them."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.network_acl_rule", "A rule of a network ACL.", parentArgument: "network_acl_id",
        timeouts: Timeouts(create: 300, update: 300, delete: 300), importSyntax: "acl-…:egress:100")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let wanted = Set(known.map(\.id))
        let acls = Set(wanted.compactMap { RuleKey($0)?.acl })
        var found: [RemoteID: Observed<Self>] = [:]
        for acl in try await aws.networkACLs() where acls.contains(acl["networkAclId"].text) {
            for rule in observed(acl) where wanted.contains(rule.id) { found[rule.id] = rule }
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        var acls = try await aws.networkACLs()
        if case .children(let parents) = scope {
            let wanted = Set(parents.map(\.rawValue))
            acls = acls.filter { wanted.contains($0["networkAclId"].text) }
        }
        return acls.flatMap(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let key = RuleKey(desired)
        let acls = try await aws.ec2Now(
            "DescribeNetworkAcls", at: "networkAclSet", [("network-acl-id", [desired.networkACLID])])
        guard let rule = acls.flatMap(observed).first(where: { $0.id == key.id }) else { return nil }
        return Found(rule, isOurs: content(rule.arguments) == content(desired))
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        _ = try await aws.ec2Change("CreateNetworkAclEntry", input(desired))
        return Observed(id: RuleKey(desired).id, arguments: desired)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let new = completed(new, from: old)
        guard content(new) != content(old) else { return nil }
        _ = try await aws.ec2Change("ReplaceNetworkAclEntry", input(new))
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        guard let key = RuleKey(id) else { throw Self.badID(id.rawValue) }
        try await aws.delete(.ec2, "DeleteNetworkAclEntry", key.input)
    }

    /// Besides ours: Terraform's `ACL:NUMBER:PROTOCOL:EGRESS`.
    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        let text = text.filter { !$0.isWhitespace }
        if let key = RuleKey(RemoteID(text)) { return key.id }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, let number = Int(parts[1]), ["true", "false"].contains(parts[3]),
            let key = RuleKey(RemoteID("\(parts[0]):\(parts[3] == "true" ? "egress" : "ingress"):\(number)"))
        else { throw Self.badID(text) }
        return key.id
    }

    /// Fills in what the declaration leaves alone, since a rule is replaced whole.
    private func completed(_ new: Arguments, from old: Arguments) -> Arguments {
        var result = new
        if new.cidrBlock.filled == nil, new.ipv6CIDRBlock.filled == nil {
            result.cidrBlock = old.cidrBlock
            result.ipv6CIDRBlock = old.ipv6CIDRBlock
        }
        result.fromPort = new.fromPort ?? old.fromPort
        result.toPort = new.toPort ?? old.toPort
        result.icmpType = new.icmpType ?? old.icmpType
        result.icmpCode = new.icmpCode ?? old.icmpCode
        return result
    }

    // MARK: - Wire format

    private func input(_ rule: Arguments) -> AWSInput {
        var input = RuleKey(rule).input
        input["Protocol"] = .string(IPProtocol.number(rule.ipProtocol))
        input["RuleAction"] = .string(rule.action.lowercased())
        input["CidrBlock"] = .network(rule.cidrBlock)
        input["Ipv6CidrBlock"] = .network(rule.ipv6CIDRBlock)
        if IPProtocol.hasPorts(rule.ipProtocol) {
            input["PortRange"] = ["From": .integer(rule.fromPort ?? 0), "To": .integer(rule.toPort ?? 65_535)]
        } else if IPProtocol.isICMP(rule.ipProtocol) {
            input["Icmp"] = ["Type": .integer(rule.icmpType ?? -1), "Code": .integer(rule.icmpCode ?? -1)]
        }
        return input
    }

    /// What a rule does, in a form in which equal rules are equal.
    private func content(_ rule: Arguments) -> AWSInput { input(rule) }

    /// The rules of an ACL, without the two that deny what no other rule fits.
    private func observed(_ acl: XMLElement) -> [Observed<Self>] {
        acl["entrySet"].items.compactMap { item in
            guard let number = item["ruleNumber"].integer, number < 32_767 else { return nil }
            var arguments = Arguments()
            arguments.networkACLID = acl["networkAclId"].text
            arguments.isEgress = item["egress"].boolean ?? false
            arguments.ruleNumber = number
            arguments.action = item["ruleAction"].text
            arguments.ipProtocol = IPProtocol.name(item["protocol"].text)
            arguments.cidrBlock = item["cidrBlock"].text
            arguments.ipv6CIDRBlock = item["ipv6CidrBlock"].text
            // Where the protocol has no ports, whatever a spec says of them means nothing.
            if IPProtocol.hasPorts(arguments.ipProtocol) {
                arguments.fromPort = item["portRange"]["from"].integer
                arguments.toPort = item["portRange"]["to"].integer
            } else if IPProtocol.isICMP(arguments.ipProtocol) {
                arguments.icmpType = item["icmpTypeCode"]["type"].integer
                arguments.icmpCode = item["icmpTypeCode"]["code"].integer
            }
            return Observed(id: RuleKey(arguments).id, arguments: arguments)
        }
    }
}

/// What tells a rule from all others.
private struct RuleKey {
    let acl: String
    let isEgress: Bool
    let number: Int

    init(_ arguments: NetworkACLRule.Arguments) {
        acl = arguments.networkACLID
        isEgress = arguments.isEgress ?? false
        number = arguments.ruleNumber
    }

    init?(_ id: RemoteID) {
        let parts = id.rawValue.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].hasPrefix("acl-"), let number = Int(parts[2]), number > 0,
            parts[1] == "egress" || parts[1] == "ingress"
        else { return nil }
        acl = String(parts[0])
        isEgress = parts[1] == "egress"
        self.number = number
    }

    var id: RemoteID { RemoteID("\(acl):\(isEgress ? "egress" : "ingress"):\(number)") }

    var input: AWSInput {
        ["NetworkAclId": .string(acl), "RuleNumber": .integer(number), "Egress": .boolean(isEgress)]
    }
}
