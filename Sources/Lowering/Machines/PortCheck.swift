import Diagnostics
import MusterModel

/// Machines that must reach each other on some ports, to be looked at when all security groups are known.
struct PortCheck {
    var stack: String
    /// The definition that was expanded: machines of one group belong together.
    var group: String
    var node: String
    var ports: [Int]
    var securityGroups: LocatedValue?
    var subnets: LocatedValue?
    var range: SourceRange
}

extension LoweringResult {
    /// Complains of machines that belong together and whose security groups keep them apart. Where a group is not of
    /// this workspace, or a rule is known only later, nothing is said.
    mutating func checkPorts(uses: [String: [String]]) {
        if portChecks.isEmpty { return }
        let rules = SecurityRules(declarations, uses: uses)
        var clusters: [[String]: [PortCheck]] = [:]
        for check in portChecks { clusters[[check.stack, check.group], default: []].append(check) }
        for (_, nodes) in clusters.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            guard nodes.count > 1, let first = nodes.first, let groups = rules.groups(of: first) else { continue }
            for direction in ["ingress", "egress"] {
                let closed = first.ports.filter {
                    !rules.isOpen($0, direction, groups, subnets: rules.subnets(of: first))
                }
                if closed.isEmpty { continue }
                diagnostics.append(
                    .closedPorts(closed, direction, first, groups.map(\.name), rules.place(of: groups[0])))
            }
        }
    }
}

/// What the security groups of the workspace let through.
private struct SecurityRules {
    private var groups: [Address: Declaration] = [:]
    private var subnets: [Address: Declaration] = [:]
    private var rules: [Address: [Declaration]] = [:]
    private let uses: [String: [String]]

    init(_ declarations: [Declaration], uses: [String: [String]]) {
        self.uses = uses
        for declaration in declarations {
            switch declaration.address.type {
            case "aws.security_group": groups[declaration.address] = declaration
            case "aws.subnet": subnets[declaration.address] = declaration
            default: break
            }
        }
        for declaration in declarations where declaration.address.type == "aws.security_group_rule" {
            guard let group = declaration.arguments["security_group_id"],
                let address = resource(group, declaration.address.stack, "aws.security_group")
            else { continue }
            rules[address, default: []].append(declaration)
        }
    }

    func place(of group: Address) -> SourceRange? { groups[group]?.range }

    /// The groups of a machine; nil when not all of them are declared here, or there are none.
    func groups(of check: PortCheck) -> [Address]? {
        guard let elements = check.securityGroups?.elements, !elements.isEmpty else { return nil }
        var found: [Address] = []
        for element in elements {
            guard let address = resource(element.value, check.stack, "aws.security_group"), groups[address] != nil
            else {
                return nil
            }
            found.append(address)
        }
        return found
    }

    /// The networks in which machines stand; nil when not all are known.
    func subnets(of check: PortCheck) -> [IPNetwork]? {
        var networks: [IPNetwork] = []
        for element in check.subnets?.elements ?? [] {
            guard let address = resource(element.value, check.stack, "aws.subnet"),
                let text = subnets[address]?.arguments["cidr_block"]?.string, let network = IPNetwork(text)
            else { return nil }
            networks.append(network)
        }
        return networks.isEmpty ? nil : networks
    }

    /// Whether any of the groups lets a port through between machines that have all of them.
    func isOpen(_ port: Int, _ direction: String, _ own: [Address], subnets: [IPNetwork]?) -> Bool {
        own.contains { group in
            if direction == "egress", groups[group]?.arguments["default_egress"] != "revoke" { return true }
            return (rules[group] ?? []).contains { rule in
                rule.arguments["type"] == .string(direction) && covers(rule, port)
                    && reaches(rule, own, subnets: subnets)
            }
        }
    }

    private func covers(_ rule: Declaration, _ port: Int) -> Bool {
        guard let kind = rule.arguments["protocol"]?.string else { return true }
        if kind == "-1" { return true }
        guard kind == "tcp" else { return false }
        let from = rule.arguments["from_port"]?.integer ?? port
        let to = rule.arguments["to_port"]?.integer ?? port
        return from <= port && port <= to
    }

    private func reaches(_ rule: Declaration, _ own: [Address], subnets: [IPNetwork]?) -> Bool {
        if let other = rule.arguments["referenced_security_group_id"] {
            if other.string != nil { return false }
            guard let address = resource(other, rule.address.stack, "aws.security_group") else { return true }
            return own.contains(address)
        }
        if let block = rule.arguments["cidr_ipv4"] {
            guard let text = block.string, let network = IPNetwork(text), let subnets else { return true }
            return subnets.allSatisfy { network.contains($0) }
        }
        // A prefix list tells its networks to AWS alone; IPv6 is not what Rancher's servers speak.
        return rule.arguments["prefix_list_id"] != nil
    }

    /// The declared resource that a value refers to; nil when that cannot be told here.
    private func resource(_ value: Value, _ stack: String, _ type: ResourceType) -> Address? {
        guard case .deferred(let deferred) = value else { return nil }
        switch deferred.expression {
        case .output(let output): return output.address.type == type ? output.address : nil
        case .reference(let reference):
            switch reference.target {
            case .named(_, let text): return named(text, reference.stack, type)
            case .path(let components):
                guard components.count == 3,
                    components[0] == .name(type == "aws.subnet" ? "subnets" : "security_groups"),
                    case .name(let name) = components[1], components[2] == .name("id")
                else { return nil }
                return named(name, reference.stack, type)
            }
        default: return nil
        }
    }

    private func named(_ text: String, _ stack: String, _ type: ResourceType) -> Address? {
        var stacks = [stack] + (uses[stack] ?? [])
        var name = text
        if let colon = text.firstIndex(of: ":") {
            stacks = [String(text[..<colon])]
            name = String(text[text.index(after: colon)...])
        }
        let all = type == "aws.subnet" ? subnets : groups
        let found = stacks.map { Address(stack: $0, type: type, name: name) }.filter { all[$0] != nil }
        return found.first
    }
}

extension Diagnostic {
    fileprivate static func closedPorts(
        _ ports: [Int], _ direction: String, _ check: PortCheck, _ groups: [String], _ place: SourceRange?
    ) -> Diagnostic {
        let list = ports.map(String.init).joined(separator: " and ")
        let side = direction == "ingress" ? "in from" : "out to"
        let rules = ports.map { "{ port: \($0), \(direction == "ingress" ? "from" : "to"): [self] }" }
        return Diagnostic(
            code: "spec.closed-port", summary: "Servers cannot reach each other",
            detail: "The servers of \(check.group.quoted) talk to each other on TCP \(list), and no rule of "
                + "\(groups.map(\.quoted).joined(separator: " and ")) lets that \(side) the others.", at: check.range,
            related: place.map { [.init(range: $0, message: "the security group is here")] } ?? [],
            hint: "Add to \"\(direction)\" of \(groups[0].quoted): \(rules.joined(separator: ", ")).")
    }
}
