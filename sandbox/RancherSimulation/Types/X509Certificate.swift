import AWSClient
import Crypto
import SandboxServing
import TextEncodings

/// What a server tells of a certificate, read from its DER.
struct X509Certificate {
    var fingerprint: String
    var version = 1
    /// Decimal.
    var serialNumber: String
    var algorithm: String
    /// RFC 2253.
    var issuer: String
    var commonName: String?
    var notBefore: Timestamp
    var notAfter: Timestamp
    /// Bits of an RSA key.
    var keySize: Int?
    var names: [String] = []

    /// The first certificate of a PEM text.
    init?(pem: String) {
        guard let start = pem.firstRange(of: "-----BEGIN CERTIFICATE-----"),
            let end = pem[start.upperBound...].firstRange(of: "-----END CERTIFICATE-----"),
            let der = Base64.decode(pem[start.upperBound..<end.lowerBound])
        else { return nil }
        self.init(der: der)
    }

    init?(der: [UInt8]) {
        guard let certificate = DERValue(der), let toBeSigned = certificate.children.first else { return nil }
        var fields = toBeSigned.children[...]
        if fields.first?.tag == 0xa0 {
            version = Int(fields.removeFirst().children.first?.content.last ?? 0) + 1
        }
        guard fields.count >= 6 else { return nil }
        let all = Array(fields)
        serialNumber = Self.decimal(all[0].content)
        algorithm = Self.algorithms[all[1].children.first?.identifier ?? ""] ?? "UNKNOWN"
        issuer = Self.name(all[2])
        guard let validity = Self.validity(all[3]) else { return nil }
        (notBefore, notAfter) = validity
        commonName = Self.attributes(all[4]).last { $0.0 == "CN" }?.1
        keySize = Self.keySize(all[5])
        if let extensions = all.first(where: { $0.tag == 0xa3 })?.children.first { names = Self.names(extensions) }
        let digest = Array(Insecure.SHA1.hash(data: der))
        fingerprint = digest.map { Hexadecimal.encode([$0]) }.joined(separator: ":")
    }

    private static let algorithms = [
        "1.2.840.113549.1.1.5": "SHA1WITHRSA", "1.2.840.113549.1.1.11": "SHA256WITHRSA",
        "1.2.840.113549.1.1.12": "SHA384WITHRSA", "1.2.840.113549.1.1.13": "SHA512WITHRSA",
        "1.2.840.10045.4.3.2": "SHA256WITHECDSA", "1.2.840.10045.4.3.3": "SHA384WITHECDSA",
    ]

    private static let attributeNames = [
        "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU",
        "1.2.840.113549.1.9.1": "EMAILADDRESS",
    ]

    private static func validity(_ value: DERValue) -> (Timestamp, Timestamp)? {
        let times = value.children.compactMap { time($0) }
        return times.count == 2 ? (times[0], times[1]) : nil
    }

    private static func time(_ value: DERValue) -> Timestamp? {
        let text = String(decoding: value.content, as: UTF8.self)
        guard value.tag == 0x17 else { return basic(text) }
        return Int(text.prefix(2)).flatMap { basic(($0 < 50 ? "20" : "19") + text) }
    }

    private static func basic(_ text: String) -> Timestamp? {
        Timestamp(basicDateTime: String(text.prefix(8)) + "T" + String(text.dropFirst(8)))
    }

    private static func attributes(_ name: DERValue) -> [(String, String)] {
        name.children.flatMap(\.children).compactMap { pair in
            guard pair.children.count == 2 else { return nil }
            let identifier = pair.children[0].identifier
            let text = String(decoding: pair.children[1].content, as: UTF8.self)
            return (attributeNames[identifier] ?? identifier, text)
        }
    }

    /// The last attribute first, special characters behind a backslash.
    private static func name(_ name: DERValue) -> String {
        attributes(name).reversed().map { key, value in
            let escaped = value.map { ",+\"\\<>;".contains($0) ? "\\\($0)" : String($0) }.joined()
            return "\(key)=\(escaped)"
        }.joined(separator: ",")
    }

    private static func keySize(_ info: DERValue) -> Int? {
        guard info.children.count == 2, info.children[0].children.first?.identifier == "1.2.840.113549.1.1.1",
            let key = DERValue(Array(info.children[1].content.dropFirst())), let modulus = key.children.first
        else { return nil }
        let bytes = modulus.content.drop { $0 == 0 }
        return bytes.first.map { bytes.count * 8 - $0.leadingZeroBitCount }
    }

    private static func names(_ extensions: DERValue) -> [String] {
        for one in extensions.children where one.children.first?.identifier == "2.5.29.17" {
            guard let text = one.children.last.flatMap({ DERValue($0.content) }) else { continue }
            return text.children.compactMap { name in
                switch name.tag {
                case 0x81, 0x82, 0x86: String(decoding: name.content, as: UTF8.self)
                case 0x87 where name.content.count == 4: name.content.map { String($0) }.joined(separator: ".")
                default: nil
                }
            }
        }
        return []
    }

    private static func decimal(_ bytes: [UInt8]) -> String {
        var digits: [UInt8] = [0]
        for byte in bytes {
            var carry = Int(byte)
            for index in digits.indices {
                carry += Int(digits[index]) * 256
                digits[index] = UInt8(carry % 10)
                carry /= 10
            }
            while carry > 0 {
                digits.append(UInt8(carry % 10))
                carry /= 10
            }
        }
        return digits.reversed().map { String($0) }.joined()
    }
}

/// One value of DER, with its parts if it has any.
struct DERValue {
    var tag: UInt8
    var content: [UInt8]
    var children: [DERValue] = []

    /// `nil` unless the bytes are one value.
    init?(_ bytes: [UInt8]) {
        guard let (value, end) = Self.read(bytes, from: 0, depth: 0), end == bytes.count else { return nil }
        self = value
    }

    private init(tag: UInt8, content: [UInt8], children: [DERValue]) {
        self.tag = tag
        self.content = content
        self.children = children
    }

    private static func read(_ bytes: [UInt8], from start: Int, depth: Int) -> (DERValue, Int)? {
        guard depth < 32, start + 2 <= bytes.count else { return nil }
        let tag = bytes[start]
        var index = start + 2
        var length = Int(bytes[start + 1])
        if length >= 0x80 {
            let count = length & 0x7f
            guard (1...4).contains(count), index + count <= bytes.count else { return nil }
            length = bytes[index..<index + count].reduce(0) { $0 << 8 | Int($1) }
            index += count
        }
        guard length <= bytes.count - index else { return nil }
        let content = Array(bytes[index..<index + length])
        var children: [DERValue] = []
        if tag & 0x20 != 0 {
            var position = 0
            while position < content.count {
                guard let (child, end) = read(content, from: position, depth: depth + 1) else { return nil }
                children.append(child)
                position = end
            }
        }
        return (DERValue(tag: tag, content: content, children: children), index + length)
    }

    /// An object identifier, with dots.
    var identifier: String {
        var parts: [Int] = []
        var part = 0
        for byte in content {
            guard part < Int.max >> 8 else { return "" }
            part = part << 7 | Int(byte & 0x7f)
            if byte & 0x80 == 0 {
                parts.append(part)
                part = 0
            }
        }
        guard let first = parts.first else { return "" }
        let head = min(first / 40, 2)
        return ([head, first - head * 40] + parts.dropFirst()).map { String($0) }.joined(separator: ".")
    }
}
