import Diagnostics
import MusterModel

/// A CIDR that the user wrote.
struct LocatedNetwork {
    var network: IPNetwork
    var range: SourceRange
}

extension LoweringResult {
    /// Reads a CIDR; nil when there is none to check, or after a complaint.
    ///
    /// Host bits are refused rather than cleared: AWS refuses them here and clears them there, and what the spec says
    /// should be what the cloud shows.
    mutating func network(_ value: LocatedValue?, allowsOne: Bool = true) -> LocatedNetwork? {
        guard let value, let text = value.value.string else { return nil }
        return network(text, at: value.range, allowsOne: allowsOne)
    }

    /// - Parameter allowsOne: whether the network may be a single address, for hints.
    mutating func network(_ text: String, at range: SourceRange, allowsOne: Bool = true) -> LocatedNetwork? {
        guard let network = IPNetwork(text) else {
            diagnostics.append(.notACIDR(text, at: range, allowsOne: allowsOne))
            return nil
        }
        if network.hasHostBits {
            diagnostics.append(.hostBits(network, at: range, allowsOne: allowsOne))
            return nil
        }
        return LocatedNetwork(network: network, range: range)
    }

    /// Reads the IPv4 network of a VPC or of a subnet, which have 16 to 65,536 addresses.
    mutating func ipv4Network(_ value: LocatedValue?, of what: String) -> LocatedNetwork? {
        guard let found = network(value, allowsOne: false) else { return nil }
        if found.network.isIPv6 {
            diagnostics.append(.wrongFamily(found, wanted: "IPv4", hint: "Write it as ipv6_cidr_block."))
            return nil
        }
        if !(16...28).contains(found.network.prefixLength) {
            diagnostics.append(.networkSize(found, of: what))
        }
        return found
    }

    mutating func ipv6Network(_ value: LocatedValue?) -> LocatedNetwork? {
        guard let found = network(value, allowsOne: false) else { return nil }
        if !found.network.isIPv6 {
            diagnostics.append(.wrongFamily(found, wanted: "IPv6", hint: "Write it as cidr_block."))
            return nil
        }
        return found
    }

    /// Complains of every network that lies outside the parent, or overlaps one before it.
    mutating func checkSiblings(_ siblings: [(name: String, network: LocatedNetwork)], inside parent: LocatedNetwork?) {
        if let parent {
            for (name, sibling) in siblings where !parent.network.contains(sibling.network) {
                diagnostics.append(.outside(name, sibling, parent))
            }
        }
        // In the order of their addresses a network can only overlap one that began before it: the one that
        // reaches furthest so far.
        let sorted = siblings.sorted {
            ($0.network.network.first, $1.network.network.prefixLength)
                < ($1.network.network.first, $0.network.network.prefixLength)
        }
        guard var furthest = sorted.first else { return }
        for sibling in sorted.dropFirst() {
            if furthest.network.network.overlaps(sibling.network.network) {
                let isLater = sibling.network.range.start > furthest.network.range.start
                diagnostics.append(isLater ? .overlap(sibling, furthest) : .overlap(furthest, sibling))
            }
            if sibling.network.network.last > furthest.network.network.last { furthest = sibling }
        }
    }
}

/// What kind of address a value stands for, where the argument depends on it.
enum AddressKind {
    case ipv4, ipv6, prefixList, securityGroup

    /// What a value that is known later will be, as far as its expression tells.
    init?(of expression: Expression) {
        switch expression {
        case .reference(let reference):
            switch reference.target {
            case .named(let kind, _):
                guard kind == .ruleSource || kind == .securityGroup else { return nil }
                self = .securityGroup
            case .path(let components):
                guard case .name(let last)? = components.last, case .name(let first)? = components.first else {
                    return nil
                }
                let isGroup = first == "security_groups" || components.contains(.name("security_group"))
                self.init(output: last, isGroup: isGroup || components.contains(.name("security_groups")))
            }
        case .output(let reference):
            let groups: [ResourceType] = ["aws.security_group", "lookup.security_groups"]
            self.init(output: reference.output, isGroup: groups.contains(reference.address.type))
        case .template(let parts):
            // "${…}/32" is the usual way to allow one address.
            guard case .literal(.string(let end))? = parts.last, let slash = end.lastIndex(of: "/"),
                let length = Int(end[end.index(after: slash)...])
            else { return nil }
            self = length > 32 ? .ipv6 : .ipv4
        case .call("cidr_subnet", let arguments):
            guard let network = arguments.first else { return nil }
            if case .literal(.string(let text)) = network {
                self = text.contains(":") ? .ipv6 : .ipv4
            } else {
                self.init(of: network)
            }
        default: return nil
        }
    }

    private init?(output: String, isGroup: Bool) {
        switch output {
        case "id" where isGroup: self = .securityGroup
        case "cidr_block": self = .ipv4
        case "ipv6_cidr_block": self = .ipv6
        case "prefix_list_id": self = .prefixList
        default: return nil
        }
    }
}

extension LoweringResult {
    /// Complains of an expression where the argument depends on what it gives.
    mutating func reportKindKnownLater(_ value: LocatedValue, _ field: String, instead: [String]) {
        if value.value.isUnreadable { return }
        diagnostics.append(.kindKnownLater(field, instead: instead, at: value.range))
    }
}

extension Value {
    /// True for what the loader puts where it could not read a value, after a complaint of its own.
    var isUnreadable: Bool {
        guard case .deferred(let deferred) = self else { return false }
        var isUnreadable = false
        deferred.expression.visit {
            if case .reference(let reference) = $0, case .path(let names) = reference.target {
                isUnreadable = isUnreadable || names.first == .name("\u{0}")
            }
        }
        return isUnreadable
    }
}

extension IPNetwork {
    /// Whether a person who wrote this meant an address or a network, right or wrong.
    static func isMeant(by text: String) -> Bool {
        let address = text.prefix { $0 != "/" }
        if ipv4(address) != nil || ipv6(address) != nil { return true }
        return address.contains(".") && address.allSatisfy { $0.isASCII && ($0.isNumber || $0 == ".") }
    }
}

extension Diagnostic {
    static func kindKnownLater(_ field: String, instead: [String], at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.known-later", summary: "Kind of value known later",
            detail: "What this expression gives is known only later, so \(field.quoted) cannot tell what it means.",
            at: range, hint: "Write it under the name that it belongs to: \(instead.joined(separator: ", ")).")
    }

    fileprivate static func notACIDR(_ text: String, at range: SourceRange, allowsOne: Bool) -> Diagnostic {
        var hint = "Write a network, a slash and the number of its bits, such as 10.0.0.0/16."
        if allowsOne, IPNetwork.ipv4(text) != nil { hint = "For one address write \(text)/32." }
        if allowsOne, IPNetwork.ipv6(text) != nil { hint = "For one address write \(text)/128." }
        return Diagnostic(
            code: "spec.cidr", summary: "Invalid CIDR", detail: "\(text.quoted) is not a network in CIDR notation.",
            at: range, hint: hint)
    }

    fileprivate static func hostBits(
        _ network: IPNetwork, at range: SourceRange, allowsOne: Bool
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.cidr", summary: "Host bits in a CIDR",
            detail: "\(network) names an address inside a network; AWS would keep the network itself.", at: range,
            hint: "Write \(network.canonical)\(allowsOne ? ", or \(single(network)) for the one address" : "").")
    }

    private static func single(_ network: IPNetwork) -> IPNetwork {
        IPNetwork(address: network.address, prefixLength: network.width, isIPv6: network.isIPv6)
    }

    fileprivate static func wrongFamily(_ found: LocatedNetwork, wanted: String, hint: String) -> Diagnostic {
        Diagnostic(
            code: "spec.cidr", summary: "Wrong address family",
            detail:
                "\(found.network) is an \(found.network.isIPv6 ? "IPv6" : "IPv4") network, and \(wanted) is wanted.",
            at: found.range, hint: hint)
    }

    fileprivate static func networkSize(_ found: LocatedNetwork, of what: String) -> Diagnostic {
        Diagnostic(
            code: "spec.cidr-size", summary: "Network too large or too small",
            detail: "The network of a \(what) goes from /16 to /28, which \(found.network) is not.",
            at: found.range)
    }

    fileprivate static func outside(
        _ name: String, _ child: LocatedNetwork, _ parent: LocatedNetwork
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.cidr-outside", summary: "Subnet outside its VPC",
            detail: "\(child.network) of \(name.quoted) is not inside \(parent.network).", at: child.range,
            related: [.init(range: parent.range, message: "the network of the VPC")])
    }

    fileprivate static func overlap(
        _ later: (name: String, network: LocatedNetwork), _ earlier: (name: String, network: LocatedNetwork)
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.cidr-overlap", summary: "Overlapping subnets",
            detail: "\(later.network.network) of \(later.name.quoted) overlaps \(earlier.network.network) of "
                + "\(earlier.name.quoted).", at: later.network.range,
            related: [.init(range: earlier.network.range, message: "\(earlier.name) is here")])
    }
}
