import Diagnostics
import MusterModel

/// Protocol and ports of a rule, as rules of security groups and of network ACLs share them.
struct Traffic {
    struct Bound {
        var value: Value
        var range: SourceRange
    }

    /// As AWS names it: `tcp`, `udp`, `icmp`, `icmpv6`, a number, `-1` for all.
    var ipProtocol: Value
    var protocolRange: SourceRange?
    /// Ports; of ICMP type and code. nil where the protocol has none.
    var from: Bound?
    var to: Bound?

    var isICMP: Bool { ipProtocol == "icmp" || ipProtocol == "icmpv6" }
    var isEverything: Bool { ipProtocol == "-1" }

    /// Protocol and ports in the form in which they are part of a rule's address: `tcp/443`, `tcp/80-443`, `all`.
    var name: String {
        let text = isEverything ? "all" : ipProtocol.nameText
        guard let from, let to else { return text }
        if isICMP {
            if from.value == -1 { return text }
            return to.value == -1
                ? "\(text)/\(from.value.nameText)" : "\(text)/\(from.value.nameText)-\(to.value.nameText)"
        }
        if from.value == to.value { return "\(text)/\(from.value.nameText)" }
        return "\(text)/\(from.value.nameText)-\(to.value.nameText)"
    }

    /// The fields that say protocol and ports.
    static let fields: [ArgumentSchema] = [
        ArgumentSchema(
            "protocol", .string, absence: .means("tcp"), semantics: .ipProtocol,
            "tcp, udp, icmp, icmpv6, all (also any or -1), or the number of a protocol."),
        ArgumentSchema(
            "port", .integer, constraints: [.range(0, 65_535), .conflictsWith(["ports", "from_port", "to_port"])],
            "The only port."),
        ArgumentSchema(
            "ports", .string, constraints: [.conflictsWith(["port", "from_port", "to_port"])],
            "The first and the last port, such as 1024-65535."),
        ArgumentSchema("from_port", .integer, constraints: [.range(-1, 65_535)], "The first port, with to_port."),
        ArgumentSchema("to_port", .integer, constraints: [.range(-1, 65_535)], "The last port, with from_port."),
        ArgumentSchema(
            "icmp_type", .integer, constraints: [.range(-1, 255)], "The ICMP type; -1, the default, is all of them."),
        ArgumentSchema(
            "icmp_code", .integer, constraints: [.range(-1, 255)], "The ICMP code; -1, the default, is all of them."),
    ]

    private static let names: [String: String] = [
        "tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp", "icmp": "icmp", "1": "icmp", "icmpv6": "icmpv6",
        "ipv6-icmp": "icmpv6", "58": "icmpv6", "all": "-1", "any": "-1", "-1": "-1",
    ]
}

extension LoweringResult {
    /// Reads protocol and ports of a rule; nil after a complaint.
    mutating func traffic(_ rule: LocatedValue) -> Traffic? {
        guard let traffic = protocolOf(rule) else { return nil }
        let given = ["port", "ports", "from_port", "to_port"].compactMap { rule[$0] }
        if traffic.ipProtocol.string == nil { return given.isEmpty ? traffic : withPorts(traffic, rule) }
        let hasPorts = traffic.ipProtocol == "tcp" || traffic.ipProtocol == "udp"
        if !traffic.isICMP, let stray = rule["icmp_type"] ?? rule["icmp_code"] {
            diagnostics.append(.strayICMP(at: stray.range))
            return nil
        }
        if hasPorts { return withPorts(traffic, rule) }
        if traffic.isICMP { return withTypeAndCode(traffic, rule) }
        // Terraform files say 0 to 0 (or -1) where there are no ports.
        for port in given where ![0, -1].contains(port.value) {
            diagnostics.append(.strayPort(isEverything: traffic.isEverything, at: port.range))
            return nil
        }
        return traffic
    }

    private mutating func protocolOf(_ rule: LocatedValue) -> Traffic? {
        guard let field = rule["protocol"] else {
            let isICMP = rule["icmp_type"] != nil || rule["icmp_code"] != nil
            return Traffic(ipProtocol: isICMP ? "icmp" : "tcp", protocolRange: nil)
        }
        guard let text = field.value.string ?? field.value.integer.map(String.init) else {
            return Traffic(ipProtocol: field.value, protocolRange: field.range)
        }
        if let known = Traffic.known(text) { return Traffic(ipProtocol: .string(known), protocolRange: field.range) }
        diagnostics.append(.unknownProtocol(text, known: Traffic.words, at: field.range))
        return nil
    }

    private mutating func withPorts(_ traffic: Traffic, _ rule: LocatedValue) -> Traffic? {
        var traffic = traffic
        if let ports = rule["ports"] {
            guard let text = ports.value.string ?? ports.value.integer.map(String.init) else {
                if !ports.value.isUnreadable { diagnostics.append(.portsKnownLater(at: ports.range)) }
                return nil
            }
            guard let (from, to) = Traffic.ports(text) else {
                diagnostics.append(.notPorts(text, at: ports.range))
                return nil
            }
            guard max(from, to) <= 65_535 else {
                diagnostics.append(.noSuchPort(max(from, to), at: ports.range))
                return nil
            }
            traffic.from = Traffic.Bound(value: .integer(from), range: ports.range)
            traffic.to = Traffic.Bound(value: .integer(to), range: ports.range)
        } else {
            traffic.from = bound(rule["from_port"] ?? rule["port"])
            traffic.to = bound(rule["to_port"] ?? rule["port"])
        }
        guard let from = traffic.from, let to = traffic.to else {
            diagnostics.append(.missingPort(traffic.from == nil ? "from_port" : "to_port", rule))
            return nil
        }
        for bound in [from, to] where bound.value == -1 {
            diagnostics.append(.noSuchPort(-1, at: bound.range))
            return nil
        }
        if let low = from.value.integer, let high = to.value.integer, low > high {
            diagnostics.append(.upsideDown(low, high, at: from.range))
            return nil
        }
        return traffic
    }

    private mutating func withTypeAndCode(_ traffic: Traffic, _ rule: LocatedValue) -> Traffic? {
        if let port = rule["port"] ?? rule["ports"] {
            diagnostics.append(.strayPort(isEverything: false, at: port.range))
            return nil
        }
        let place = traffic.protocolRange ?? rule.range
        var traffic = traffic
        traffic.from = bound(rule["icmp_type"] ?? rule["from_port"]) ?? Traffic.Bound(value: -1, range: place)
        traffic.to = bound(rule["icmp_code"] ?? rule["to_port"]) ?? Traffic.Bound(value: -1, range: place)
        if traffic.from?.value == -1, let code = traffic.to, code.value != -1 {
            diagnostics.append(.codeWithoutType(at: code.range))
            return nil
        }
        return traffic
    }

    private func bound(_ value: LocatedValue?) -> Traffic.Bound? {
        value.map { Traffic.Bound(value: $0.value, range: $0.range) }
    }
}

extension Traffic {
    fileprivate static let words = ["tcp", "udp", "icmp", "icmpv6", "all"]

    fileprivate static func known(_ text: String) -> String? {
        if let name = names[text.lowercased()] { return name }
        guard let number = Int(text), (0...255).contains(number), String(number) == text else { return nil }
        return text
    }

    /// `443` or `1024-65535`.
    fileprivate static func ports(_ text: String) -> (from: Int, to: Int)? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { part in
            part.drop { $0 == " " }.split(separator: " ").first.flatMap { digits in
                digits.utf8.allSatisfy { (48...57).contains($0) } ? Int(digits) : nil
            }
        }
        switch (parts.first ?? nil, parts.last ?? nil, parts.count) {
        case (let from?, let to?, 1...2): return (from, to)
        default: return nil
        }
    }
}

extension Diagnostic {
    private static func rule(_ detail: String, at range: SourceRange, hint: String? = nil) -> Diagnostic {
        Diagnostic(code: "spec.rule-ports", summary: "Invalid protocol or ports", detail: detail, at: range, hint: hint)
    }

    fileprivate static func unknownProtocol(_ text: String, known: [String], at range: SourceRange) -> Diagnostic {
        rule(
            "\(text.quoted) is not a protocol.", at: range,
            hint: Suggestion.hint(for: text, among: known)
                ?? "Write \(known.joined(separator: ", ")), or the number of a protocol.")
    }

    fileprivate static func strayICMP(at range: SourceRange) -> Diagnostic {
        rule("Only icmp and icmpv6 have types and codes.", at: range, hint: "Say \"protocol: icmp\".")
    }

    fileprivate static func strayPort(isEverything: Bool, at range: SourceRange) -> Diagnostic {
        rule(
            isEverything
                ? "A rule for all protocols covers every port, so it cannot name one."
                : "Only tcp and udp have ports.", at: range,
            hint: isEverything ? "Say \"protocol: tcp\", or leave the port out." : nil)
    }

    fileprivate static func missingPort(_ field: String, _ rule: LocatedValue) -> Diagnostic {
        let isHalf = rule["from_port"] != nil || rule["to_port"] != nil
        return .rule(
            isHalf ? "The other end of the range is missing: \(field.quoted)." : "The rule names no port.",
            at: rule.range,
            hint: isHalf ? nil : "Say \"port: 443\", \"ports: 0-65535\" for all of them, or \"protocol: all\".")
    }

    fileprivate static func notPorts(_ text: String, at range: SourceRange) -> Diagnostic {
        rule(
            "\(text.quoted) is neither a port nor a range of ports.", at: range,
            hint: "Write the first and the last port, such as 1024-65535.")
    }

    fileprivate static func portsKnownLater(at range: SourceRange) -> Diagnostic {
        rule(
            "A range of ports in one text must be known when planning.", at: range,
            hint: "Write from_port and to_port.")
    }

    fileprivate static func noSuchPort(_ port: Int, at range: SourceRange) -> Diagnostic {
        rule("Ports go from 0 to 65535, and \(port) is not among them.", at: range)
    }

    fileprivate static func upsideDown(_ low: Int, _ high: Int, at range: SourceRange) -> Diagnostic {
        rule("The range of ports is upside down: \(low) is above \(high).", at: range, hint: "Write \(high)-\(low).")
    }

    fileprivate static func codeWithoutType(at range: SourceRange) -> Diagnostic {
        rule("An ICMP code belongs to a type, and none is given.", at: range, hint: "Say \"icmp_type\" too.")
    }
}
