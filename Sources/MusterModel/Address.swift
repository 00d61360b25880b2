import TextEncodings

/// The kind of a resource, such as `aws.vpc`: a provider, a dot, a name.
package struct ResourceType: RawRepresentable, Sendable, Hashable, Comparable, CustomStringConvertible,
    ExpressibleByStringLiteral
{
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }
    package init(stringLiteral value: String) { rawValue = value }

    package var description: String { rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// What stands before the dot: `aws`.
    package var provider: String { String(rawValue.prefix { $0 != "." }) }
}

/// The name by which muster knows one resource: `prod/rancher:aws.instance/prod-rancherctl1`.
///
/// Written as stack, `:`, type, `/`, name. The name may hold anything; in the written form every byte that a shell or
/// a URL would mind is percent-encoded, so that an address can be pasted anywhere.
package struct Address: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let stack: String
    package let type: ResourceType
    package let name: String

    package init(stack: String, type: ResourceType, name: String) {
        self.stack = stack
        self.type = type
        self.name = name
    }

    /// Reads the written form; nil when a part is missing or an escape is broken.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
            let slash = bytes[(colon + 1)...].firstIndex(of: UInt8(ascii: "/")),
            let stack = Address.decoded(bytes[..<colon]), !stack.isEmpty,
            let type = Address.decoded(bytes[(colon + 1)..<slash]), !type.isEmpty,
            let name = Address.decoded(bytes[(slash + 1)...]), !name.isEmpty
        else { return nil }
        self.init(stack: stack, type: ResourceType(rawValue: type), name: name)
    }

    package var description: String {
        "\(Address.encoded(stack)):\(Address.encoded(type.rawValue, keepsSlash: false))/\(Address.encoded(name))"
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.stack, left.type, left.name) < (right.stack, right.type, right.name)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "/"), UInt8(ascii: "@"):
            true
        default: false
        }
    }

    private static func encoded(_ text: String, keepsSlash: Bool = true) -> String {
        func isKept(_ byte: UInt8) -> Bool { isPlain(byte) && (keepsSlash || byte != UInt8(ascii: "/")) }
        if text.utf8.allSatisfy(isKept) { return text }
        return PercentEncoding.encode(text, keeping: keepsSlash ? "/@" : "@")
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>) -> String? {
        guard bytes.contains(UInt8(ascii: "%")) else { return String(decoding: bytes, as: UTF8.self) }
        var result: [UInt8] = []
        var index = bytes.startIndex
        while index < bytes.endIndex {
            guard bytes[index] == UInt8(ascii: "%") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            guard index + 2 < bytes.endIndex,
                let high = Character(Unicode.Scalar(bytes[index + 1])).hexDigitValue,
                let low = Character(Unicode.Scalar(bytes[index + 2])).hexDigitValue
            else { return nil }
            result.append(UInt8(high << 4 | low))
            index += 3
        }
        return String(validating: result, as: UTF8.self)
    }
}

/// The identifier that a remote system gave to an object, such as `vpc-0a1b2c3d`.
package struct RemoteID: RawRepresentable, Sendable, Hashable, Comparable, CustomStringConvertible,
    ExpressibleByStringLiteral
{
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }
    package init(_ rawValue: String) { self.rawValue = rawValue }
    package init(stringLiteral value: String) { rawValue = value }

    package var description: String { rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// One output of one resource: what an expression waits for.
package struct OutputReference: Sendable, Hashable, Comparable {
    package let address: Address
    package let output: String

    package init(_ address: Address, _ output: String) {
        self.address = address
        self.output = output
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.address, left.output) < (right.address, right.output)
    }
}

/// Where a resource lives: which installation, whose account, which region.
///
/// State is bound to it: a row made in one scope is never read through another.
package struct ProviderScope: Sendable, Hashable {
    /// `aws`, `rancher` or `spot`.
    package var provider: String
    /// The AWS account id (12 digits), or the installation's own identity elsewhere.
    package var account: String
    package var region: String
    /// `aws` for the genuine endpoints of a partition, else the normalised address in use.
    package var endpoint: String

    package init(provider: String, account: String, region: String, endpoint: String) {
        self.provider = provider
        self.account = account
        self.region = region
        self.endpoint = endpoint
    }
}
