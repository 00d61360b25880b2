import Diagnostics
import MusterModel

/// `security_groups`: a group with all its rules; a foreign rule is drift.
///
/// Each source of a rule becomes a rule of its own, named after what it allows: `prod-rds/ingress/tcp/3306/10.0.0.0/8`.
/// Adding a rule or changing their order therefore touches no other.
enum SecurityGroupsSection: Section {
    static let schema = SectionSchema(
        name: "security_groups", summary: "A security group with all its rules.",
        fields: [
            ArgumentSchema("vpc", .string, isRequired: true, reference: .vpc, "The VPC that the group belongs to."),
            ArgumentSchema(
                "name", .string, constraints: [.length(1, 255), allowedText],
                "The name in AWS, unique in the VPC; the key if it is left out."),
            ArgumentSchema(
                "description", .string, absence: .means(.string(usualDescription)),
                constraints: [.length(0, 255), allowedText], "What the group is for; changing it replaces the group."),
            ArgumentSchema("ingress", .list(.object(ingressFields)), "All rules for what may come in."),
            ArgumentSchema(
                "egress", .list(.object(egressFields)),
                "All rules for what may go out. Left out: everything may, as AWS has it; an empty list: nothing may."),
            SectionFields.tags("the group"),
        ],
        principalTypes: ["aws.security_group"],
        example: """
            security_groups:
              prod-rancher-alb:
                vpc: main
                description: The load balancer of Rancher
                ingress:
                  - { port: 443, from: [any] }
              prod-rancher:
                vpc: main
                ingress:
                  - { port: 8080, from: [prod-rancher-alb], description: "user interface and API" }
                  - { ports: 9345-9346, from: [self] }
                  - { protocol: icmp, icmp_type: 8, from: [10.0.0.0/8] }
              prod-rds:
                vpc: main
                ingress:
                  - { port: 3306, from: [10.8.0.0/16, prod-rancher] }
                egress: []
            """)

    static let usualDescription = "Managed by muster"

    private static let allowedText = Constraint.pattern(
        #"[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*\-]*"#,
        "only letters, digits, spaces and ._-:/()#,@[]+=&;{}!$* may stand in it.")

    private static let ingressFields = ruleFields("from", "What may come in: ")
    private static let egressFields = ruleFields("to", "Where packets may go: ")

    private static func ruleFields(_ side: String, _ what: String) -> [ArgumentSchema] {
        Traffic.fields + [
            ArgumentSchema(
                side, .list(.string), reference: .ruleSource,
                constraints: [.exactlyOne([side] + verbatimSides.map(\.name)), .count(1, 1000)],
                what + "a list of networks (IPv4, IPv6), prefix lists (pl-…), names or ids of security groups, "
                    + "self (this group) and any (0.0.0.0/0 and ::/0)."),
            ArgumentSchema(
                "description", .string, constraints: [.length(0, 255), allowedText], "What the rule is for."),
            ArgumentSchema("tags", .map(.string), semantics: .tags, "Tags of the rule."),
        ] + verbatimSides
    }

    /// Arguments of `aws.security_group_rule`, for values of which only the user knows what they will be.
    fileprivate static let verbatimSides: [ArgumentSchema] = [
        ArgumentSchema("cidr_ipv4", .string, semantics: .cidr, "The other side as an IPv4 network."),
        ArgumentSchema("cidr_ipv6", .string, semantics: .cidr, "The other side as an IPv6 network."),
        ArgumentSchema("prefix_list_id", .string, "The other side as a prefix list."),
        ArgumentSchema(
            "referenced_security_group_id", .string, reference: .securityGroup, "The other side as a security group."),
    ]

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        var lowering = SecurityGroupLowering(definition)
        return lowering.run()
    }
}

/// Lowers one security group.
private struct SecurityGroupLowering {
    let definition: Definition
    /// The group's own id.
    private let groupID: Value
    private var result = LoweringResult()
    private var seen: [String: SourceRange] = [:]

    init(_ definition: Definition) {
        self.definition = definition
        groupID = definition.output("aws.security_group", definition.name)
    }

    /// What AWS lets out of a new group; the second one only where the VPC has IPv6.
    private static let usualEgress: [[String: Value]] = [
        ["type": "egress", "protocol": "-1", "cidr_ipv4": "0.0.0.0/0"],
        ["type": "egress", "protocol": "-1", "cidr_ipv6": "::/0"],
    ]

    mutating func run() -> LoweringResult {
        let body = definition.body
        var group = Draft(principal: "aws.security_group", of: definition, renamed: ["vpc": "vpc_id"])
        let name = definition.remoteName
        checkName(name)
        group.set("name", name.value, at: body["name"]?.range)
        group.set(
            "description", body["description"]?.value ?? .string(SecurityGroupsSection.usualDescription),
            at: body["description"]?.range)
        if let vpc = body["vpc"] { group.set("vpc_id", vpc.value, at: vpc.range) }
        group.setTags(body["tags"], name: definition.nameTag, inherited: definition.inheritedTags, &result.diagnostics)
        group.declaration.exclusiveChildren = ["aws.security_group_rule"]

        var rules: [Draft] = []
        for (direction, side) in [("ingress", "from"), ("egress", "to")] {
            for rule in body[direction]?.elements ?? [] { rules += lower(rule, direction, side) }
        }
        if let egress = body["egress"] {
            // Where the list allows everything itself, the rule adopts the one that AWS made.
            let keepsUsual = rules.contains { $0.declaration.isUsualEgress }
            group.set("default_egress", keepsUsual ? "keep" : "revoke", at: egress.range)
        } else {
            group.set("default_egress", "keep")
            group.declaration.toleratedChildren = ["aws.security_group_rule": SecurityGroupLowering.usualEgress]
        }
        result.append(group)
        for rule in rules { result.append(rule) }
        return result
    }

    private mutating func checkName(_ name: LocatedValue) {
        let reserved = ReferenceKind.ruleSource.reserved
        if reserved.contains(definition.name) {
            result.diagnostics.append(
                .groupName("\(definition.name.quoted) has a meaning of its own in rules.", at: definition.range))
        }
        for (text, range) in [(definition.name, definition.range), (name.value.string ?? "", name.range)] {
            guard text.lowercased().hasPrefix("sg-") || text.hasPrefix("pl-") || IPNetwork(text) != nil else {
                continue
            }
            result.diagnostics.append(
                .groupName("\(text.quoted) looks like an id or a network, so a rule could not name it.", at: range))
            return
        }
    }

    // MARK: Rules

    /// The other side of a rule: one argument and its value, and the text that names it.
    private struct Side {
        var argument: String
        var value: Value
        var name: String
        var range: SourceRange
        var isIPv6: Bool { argument == "cidr_ipv6" }
        var isIPv4: Bool { argument == "cidr_ipv4" }
    }

    private mutating func lower(_ rule: LocatedValue, _ direction: String, _ side: String) -> [Draft] {
        guard let traffic = result.traffic(rule) else { return [] }
        var drafts: [Draft] = []
        for other in sides(of: rule, side, traffic) {
            let name = "\(definition.name)/\(direction)/\(traffic.name)/\(other.name)"
            if let earlier = seen[name] {
                result.diagnostics.append(.duplicateRule(name, at: other.range, earlier))
                continue
            }
            seen[name] = other.range
            var draft = Draft("aws.security_group_rule", name, of: definition, at: rule.range)
            draft.set("security_group_id", groupID)
            draft.set("type", .string(direction))
            draft.set("protocol", traffic.ipProtocol, at: traffic.protocolRange)
            if let from = traffic.from { draft.set("from_port", from.value, at: from.range) }
            if let to = traffic.to { draft.set("to_port", to.value, at: to.range) }
            draft.set(other.argument, other.value, at: other.range)
            draft.set("description", rule["description"])
            draft.setTags(rule["tags"], inherited: definition.inheritedTags, &result.diagnostics)
            drafts.append(draft)
        }
        return drafts
    }

    private mutating func sides(of rule: LocatedValue, _ side: String, _ traffic: Traffic) -> [Side] {
        for field in SecurityGroupsSection.verbatimSides {
            guard let value = rule[field.name] else { continue }
            if field.semantics == .cidr, let text = value.value.string {
                return network(text, at: value.range).map { [$0] } ?? []
            }
            return [Side(argument: field.name, value: value.value, name: sourceName(value.value), range: value.range)]
        }
        guard let sources = rule[side] else { return [] }
        if case .deferred = sources.value {
            if !sources.value.isUnreadable { result.diagnostics.append(.sidesKnownLater(side, at: sources.range)) }
            return []
        }
        var sides: [Side] = []
        for source in sources.elements ?? [sources] { sides += self.sides(source, side, traffic) }
        return sides
    }

    private mutating func sides(_ source: LocatedValue, _ side: String, _ traffic: Traffic) -> [Side] {
        let range = source.range
        switch source.value {
        case .string(let text): return sides(named: text, at: range, traffic)
        case .deferred(let deferred):
            if case .reference(let reference) = deferred.expression, case .named(_, let text) = reference.target {
                return sides(named: text, at: range, traffic)
            }
            let name = source.value.nameText
            switch AddressKind(of: deferred.expression) {
            case .securityGroup: return [group(source.value, name, at: range)]
            case .ipv4: return [Side(argument: "cidr_ipv4", value: source.value, name: name, range: range)]
            case .ipv6: return [Side(argument: "cidr_ipv6", value: source.value, name: name, range: range)]
            case .prefixList: return [Side(argument: "prefix_list_id", value: source.value, name: name, range: range)]
            case nil:
                result.reportKindKnownLater(
                    source, side, instead: SecurityGroupsSection.verbatimSides.map(\.name))
                return []
            }
        default:
            result.diagnostics.append(.wrongForm(side, "networks and names of security groups", source))
            return []
        }
    }

    private mutating func sides(named text: String, at range: SourceRange, _ traffic: Traffic) -> [Side] {
        if text == "self" || text == definition.name {
            return [group(groupID, "self", at: range)]
        }
        if text == "any" {
            let everywhere = [
                Side(argument: "cidr_ipv4", value: "0.0.0.0/0", name: "0.0.0.0/0", range: range),
                Side(argument: "cidr_ipv6", value: "::/0", name: "::/0", range: range),
            ]
            // ICMP is another protocol in IPv6.
            if traffic.ipProtocol == "icmp" { return everywhere.filter(\.isIPv4) }
            if traffic.ipProtocol == "icmpv6" { return everywhere.filter(\.isIPv6) }
            return everywhere
        }
        if text.hasPrefix("sg-") { return [group(.string(text), text, at: range)] }
        if text.hasPrefix("pl-") {
            return [Side(argument: "prefix_list_id", value: .string(text), name: text, range: range)]
        }
        if IPNetwork.isMeant(by: text) { return network(text, at: range).map { [$0] } ?? [] }
        return [group(.named(.ruleSource, text, stack: definition.stack, at: range), text, at: range)]
    }

    private func group(_ value: Value, _ name: String, at range: SourceRange) -> Side {
        Side(argument: "referenced_security_group_id", value: value, name: name, range: range)
    }

    private mutating func network(_ text: String, at range: SourceRange) -> Side? {
        guard let network = result.network(text, at: range)?.network else { return nil }
        let short = network.description
        return Side(
            argument: network.isIPv6 ? "cidr_ipv6" : "cidr_ipv4", value: .string(short), name: short, range: range)
    }

    private func sourceName(_ value: Value) -> String {
        value.nameText == definition.name ? "self" : value.nameText
    }
}

extension Declaration {
    fileprivate var isUsualEgress: Bool {
        arguments["type"] == "egress" && arguments["protocol"] == "-1" && arguments["cidr_ipv4"] == "0.0.0.0/0"
    }
}

extension Diagnostic {
    fileprivate static func groupName(_ detail: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.reserved-name", summary: "Name not allowed", detail: detail, at: range,
            hint: "Choose another name for the security group.")
    }

    fileprivate static func duplicateRule(
        _ name: String, at range: SourceRange, _ earlier: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-rule", summary: "Duplicate rule",
            detail: "The rule \(name.quoted) is there twice.", at: range,
            related: [.init(range: earlier, message: "the first is here")],
            hint: "Two descriptions do not make two rules: remove one of them.")
    }

    fileprivate static func sidesKnownLater(_ side: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.known-later", summary: "List known later",
            detail: "Each element of \(side.quoted) makes a rule, so how many there are must be known when planning.",
            at: range, hint: "Write the elements one by one; each may be an expression.")
    }
}
