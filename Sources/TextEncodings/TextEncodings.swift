// The ways in which bytes are written as text. Standard library alone: start-up is part of every command.

/// RFC 3986: everything but `A-Za-z0-9-._~` becomes `%XX` in upper case; a space is `+` only where that is asked for.
package enum PercentEncoding {
    /// - Parameter kept: ASCII characters that stay as they are too, such as `/` in a path.
    package static func encode(_ text: some StringProtocol, keeping kept: String = "") -> String {
        var bytes: [UInt8] = []
        append(text.utf8, to: &bytes, keeping: kept)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What is not a valid escape stays as it is.
    package static func decode(_ text: some StringProtocol) -> [UInt8] {
        let source = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(source.count)
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "%"), index + 2 < source.count,
                let high = hexDigit(source[index + 1]), let low = hexDigit(source[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(source[index])
                index += 1
            }
        }
        return result
    }

    /// Text of a percent-encoded policy document; `+` is itself, not a space.
    package static func decodedText(_ text: some StringProtocol) -> String {
        String(decoding: decode(text), as: UTF8.self)
    }

    /// - Parameter spaceAsPlus: as forms have it, never where a signature looks at the encoding.
    package static func append(
        _ text: some Sequence<UInt8>, to bytes: inout [UInt8], keeping kept: String = "", spaceAsPlus: Bool = false
    ) {
        for byte in text {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: bytes.append(byte)
            case 0x20 where spaceAsPlus: bytes.append(UInt8(ascii: "+"))
            case _ where kept.utf8.contains(byte): bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), upperHex[Int(byte >> 4)], upperHex[Int(byte & 15)]]
            }
        }
    }

    private static let upperHex = Array("0123456789ABCDEF".utf8)

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}

/// Base64 of RFC 4648, with padding.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        var group: UInt32 = 0
        var count = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            count += 1
            guard count == 3 else { continue }
            for shift in [18, 12, 6, 0] as [UInt32] { result.append(alphabet[Int(group >> shift & 63)]) }
            (group, count) = (0, 0)
        }
        if count == 1 {
            result += [alphabet[Int(group >> 2)], alphabet[Int(group << 4 & 63)], 0x3d, 0x3d]
        } else if count == 2 {
            result += [
                alphabet[Int(group >> 10)], alphabet[Int(group >> 4 & 63)], alphabet[Int(group << 2 & 63)], 0x3d,
            ]
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// White space is skipped; anything else that is not base64 gives `nil`.
    ///
    /// - Parameter isExact: padding must be there, and the unused bits of the last character must be nothing.
    package static func decode(_ text: some StringProtocol, isExact: Bool = false) -> [UInt8]? {
        var result: [UInt8] = []
        var group: UInt32 = 0
        var count = 0
        var padding = 0
        for byte in text.utf8 {
            let value: UInt32
            switch byte {
            case 0x41...0x5a: value = UInt32(byte) - 0x41
            case 0x61...0x7a: value = UInt32(byte) - 0x61 + 26
            case 0x30...0x39: value = UInt32(byte) - 0x30 + 52
            case 0x2b: value = 62
            case 0x2f: value = 63
            case 0x3d:
                padding += 1
                continue
            case 0x20, 0x09...0x0d: continue
            default: return nil
            }
            guard padding == 0 else { return nil }
            group = group << 6 | value
            count += 1
            guard count == 4 else { continue }
            result += [UInt8(group >> 16 & 255), UInt8(group >> 8 & 255), UInt8(group & 255)]
            (group, count) = (0, 0)
        }
        switch (count, padding) {
        case (0, 0): break
        case (2, 2),
            (2, 0) where !isExact:
            result.append(UInt8(group >> 4 & 255))
        case (3, 1),
            (3, 0) where !isExact:
            result += [UInt8(group >> 10 & 255), UInt8(group >> 2 & 255)]
        default: return nil
        }
        let unused: UInt32 = count == 2 ? 0xf : count == 3 ? 0x3 : 0
        if isExact, group & unused != 0 { return nil }
        return result
    }
}

/// Lower-case hexadecimal.
package enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var result: [UInt8] = []
        for byte in bytes { result += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: result, as: UTF8.self)
    }
}
