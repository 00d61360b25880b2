import AWSClient

/// The protocol of a rule: AWS takes names and numbers, and answers with either.
enum IPProtocol {
    private static let numbers: [String: String] = [
        "tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58", "ipv6-icmp": "58", "all": "-1", "any": "-1",
    ]
    private static let names: [String: String] = ["6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"]

    /// `6`, `-1`.
    static func number(_ text: String) -> String { numbers[text.lowercased()] ?? text }

    /// `tcp`, `-1`, `50`: as the spec language writes it.
    static func name(_ text: String) -> String { names[number(text)] ?? number(text) }

    static func hasPorts(_ text: String) -> Bool { ["6", "17"].contains(number(text)) }
    static func isICMP(_ text: String) -> Bool { ["1", "58"].contains(number(text)) }
}
