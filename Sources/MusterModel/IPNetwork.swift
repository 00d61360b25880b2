/// An IPv4 or IPv6 network in CIDR notation.
package struct IPNetwork: Sendable, Hashable, CustomStringConvertible {
    /// The address, left-aligned in 128 bits for IPv6 and in the low 32 bits for IPv4; host bits may be set.
    package let address: UInt128
    package let prefixLength: Int
    package let isIPv6: Bool

    package init(address: UInt128, prefixLength: Int, isIPv6: Bool) {
        self.address = address
        self.prefixLength = prefixLength
        self.isIPv6 = isIPv6
    }

    /// Reads `10.0.0.0/16` or `2001:db8::/32`; nil when it is neither.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let length = IPNetwork.decimal(parts[1], maximum: 128) else { return nil }
        if let address = IPNetwork.ipv4(parts[0]) {
            guard length <= 32 else { return nil }
            self.init(address: UInt128(address), prefixLength: length, isIPv6: false)
        } else if let address = IPNetwork.ipv6(parts[0]) {
            self.init(address: address, prefixLength: length, isIPv6: true)
        } else {
            return nil
        }
    }

    package var width: Int { isIPv6 ? 128 : 32 }
    private var hostMask: UInt128 {
        let hostBits = width - prefixLength
        return hostBits == 128 ? UInt128.max : (UInt128(1) << UInt128(hostBits)) - 1
    }
    /// The same network with the host bits cleared.
    package var canonical: IPNetwork {
        IPNetwork(address: address & ~hostMask, prefixLength: prefixLength, isIPv6: isIPv6)
    }
    package var hasHostBits: Bool { address & hostMask != 0 }
    package var first: UInt128 { address & ~hostMask }
    package var last: UInt128 { address | hostMask }

    package func contains(_ other: IPNetwork) -> Bool {
        isIPv6 == other.isIPv6 && prefixLength <= other.prefixLength && first <= other.first && other.last <= last
    }
    package func overlaps(_ other: IPNetwork) -> Bool {
        isIPv6 == other.isIPv6 && first <= other.last && other.first <= last
    }

    package var description: String { "\(IPNetwork.text(of: address, isIPv6: isIPv6))/\(prefixLength)" }

    /// An address in its usual short form (RFC 5952 for IPv6).
    package static func text(of address: UInt128, isIPv6: Bool) -> String {
        guard isIPv6 else {
            return (0..<4).reversed().map { String((address >> UInt128($0 * 8)) & 255) }.joined(separator: ".")
        }
        let groups = (0..<8).reversed().map { UInt16(truncatingIfNeeded: address >> UInt128($0 * 16)) }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        let hex = groups.map { String($0, radix: 16) }
        if best.isEmpty { return hex.joined(separator: ":") }
        return hex[..<best.lowerBound].joined(separator: ":") + "::" + hex[best.upperBound...].joined(separator: ":")
    }

    /// Four decimal parts without leading zeros.
    package static func ipv4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard let byte = decimal(part, maximum: 255) else { return nil }
            address = address << 8 | UInt32(byte)
        }
        return address
    }

    package static func ipv6(_ text: some StringProtocol) -> UInt128? {
        guard text.contains(":") else { return nil }
        var halves: [[UInt16]] = []
        var rest = Substring(text)
        var pieces: [Substring] = []
        while let gap = firstGap(in: rest) {
            pieces.append(rest[..<gap.lowerBound])
            rest = rest[gap.upperBound...]
        }
        pieces.append(rest)
        guard pieces.count <= 2 else { return nil }
        for piece in pieces {
            guard let groups = ipv6Groups(piece) else { return nil }
            halves.append(groups)
        }
        let count = halves.reduce(0) { $0 + $1.count }
        var groups = halves[0]
        if halves.count == 2 {
            guard count < 8 else { return nil }
            groups += Array(repeating: 0, count: 8 - count) + halves[1]
        }
        guard groups.count == 8 else { return nil }
        return groups.reduce(0) { $0 << 16 | UInt128($1) }
    }

    private static func firstGap(in text: Substring) -> Range<Substring.Index>? {
        var index = text.startIndex
        while index < text.endIndex {
            let next = text.index(after: index)
            if text[index] == ":", next < text.endIndex, text[next] == ":" { return index..<text.index(after: next) }
            index = next
        }
        return nil
    }

    private static func ipv6Groups(_ text: Substring) -> [UInt16]? {
        if text.isEmpty { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains("."), let address = ipv4(part) {
                groups += [UInt16(address >> 16), UInt16(address & 0xFFFF)]
            } else {
                guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                groups.append(group)
            }
        }
        return groups
    }

    private static func decimal(_ text: some StringProtocol, maximum: Int) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }),
            text == "0" || !text.hasPrefix("0"), let number = Int(text), number <= maximum
        else { return nil }
        return number
    }
}
