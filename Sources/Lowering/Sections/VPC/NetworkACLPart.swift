import Diagnostics
import MusterModel

/// `network_acls` of a VPC. An ACL owns all its rules: foreign ones are drift.
enum NetworkACLPart {
    static let fields: [ArgumentSchema] = [
        ArgumentSchema(
            "subnets", .list(.string), "Subnets of this VPC that the ACL guards; a subnet may say network_acl instead."),
        ArgumentSchema("ingress", .list(.object(ruleFields)), "All rules for what comes in; the rest is denied."),
        ArgumentSchema("egress", .list(.object(ruleFields)), "All rules for what goes out; the rest is denied."),
        SectionFields.name("The tag Name; the key if it is left out."), SectionFields.tags("the ACL"),
    ]

    static let ruleFields: [ArgumentSchema] =
        [
            ArgumentSchema(
                "rule_number", .integer, isRequired: true, constraints: [.range(1, 32_766)],
                "The place of the rule: the lowest number that fits decides."),
            ArgumentSchema(
                "action", .string, isRequired: true, constraints: [.allowed(["allow", "deny"])],
                "What happens to the packets."),
        ] + Traffic.fields + [
            ArgumentSchema(
                "cidr_block", .string, semantics: .cidr, constraints: [.exactlyOne(["cidr_block", "ipv6_cidr_block"])],
                "The other side, as an IPv4 network."),
            ArgumentSchema("ipv6_cidr_block", .string, semantics: .cidr, "The other side, as an IPv6 network."),
        ]
}

extension VPCLowering {
    mutating func lowerNetworkACLs() {
        // The ACL holds the list of its subnets, so an ACL from elsewhere cannot be named here.
        let claims = claims(
            field: "network_acl", "network ACL", "aws.network_acl", among: networkACLs, literals: [])
        for entry in networkACLs {
            var acl = Draft("aws.network_acl", entry.key, of: definition, at: entry.keyRange)
            acl.set("vpc_id", vpcID)
            let subnets = claims.claims.filter { $0.claim.owner == entry.key }
            if !subnets.isEmpty || entry.value["subnets"] != nil {
                acl.set(
                    "subnet_ids", .list(subnets.map(\.claim.subnet)),
                    at: entry.value["subnets"]?.range ?? subnets.first?.claim.range)
            }
            acl.declaration.exclusiveChildren = ["aws.network_acl_rule"]
            setTags(of: &acl, entry.value, named: entry.key)
            result.append(acl)
            for direction in ["ingress", "egress"] {
                var seen: [Int: SourceRange] = [:]
                for rule in entry.value[direction]?.elements ?? [] {
                    lower(rule, direction, of: entry.key, aclID: acl.output("id"), seen: &seen)
                }
            }
        }
    }

    private mutating func lower(
        _ rule: LocatedValue, _ direction: String, of acl: String, aclID: Value, seen: inout [Int: SourceRange]
    ) {
        guard let number = rule["rule_number"] else { return }
        if let value = number.value.integer {
            if let earlier = seen[value] {
                result.diagnostics.append(.duplicateNumber(value, direction, acl, at: number.range, earlier))
                return
            }
            seen[value] = number.range
        }
        guard let traffic = result.traffic(rule) else { return }
        var draft = Draft(
            "aws.network_acl_rule", "\(acl)/\(direction)/\(number.value.nameText)", of: definition, at: rule.range)
        draft.set("network_acl_id", aclID)
        draft.set("egress", .bool(direction == "egress"))
        draft.set("rule_number", number)
        draft.set("rule_action", rule["action"])
        draft.set("protocol", traffic.ipProtocol, at: traffic.protocolRange)
        if let from = traffic.from {
            draft.set(traffic.isICMP ? "icmp_type" : "from_port", from.value, at: from.range)
        }
        if let to = traffic.to { draft.set(traffic.isICMP ? "icmp_code" : "to_port", to.value, at: to.range) }
        for field in ["cidr_block", "ipv6_cidr_block"] {
            guard let value = rule[field] else { continue }
            if value.value.string != nil {
                guard let network = result.network(value) else { return }
                draft.set(
                    network.network.isIPv6 ? "ipv6_cidr_block" : "cidr_block",
                    .string(network.network.description), at: value.range)
            } else {
                draft.set(field, value)
            }
        }
        result.append(draft)
    }
}

extension Diagnostic {
    fileprivate static func duplicateNumber(
        _ number: Int, _ direction: String, _ acl: String, at range: SourceRange, _ earlier: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-rule-number", summary: "Duplicate rule number",
            detail: "The network ACL \(acl.quoted) has two \(direction) rules with the number \(number).", at: range,
            related: [.init(range: earlier, message: "the first is here")])
    }
}
