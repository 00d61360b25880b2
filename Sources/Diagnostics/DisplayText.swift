/// Text made safe and measurable for a terminal.
///
/// Source texts, names and remote messages may hold escape sequences that recolour, retitle or rewrite a terminal, and
/// bidirectional controls that show a line in another order than it is read. None may reach it.
package enum DisplayText {
    /// The text with everything invisible or commanding replaced by something visible. Line breaks and tabs are
    /// replaced too.
    package static func neutralised(_ text: some StringProtocol) -> String {
        guard text.unicodeScalars.contains(where: { replacement(for: $0) != nil }) else { return String(text) }
        var result = ""
        for scalar in text.unicodeScalars {
            if let replacement = replacement(for: scalar) {
                result += replacement
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// What stands for a scalar that must not be printed, or nil if it may be.
    static func replacement(for scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x20...0x7E: return nil
        case 0x00...0x1F: return Unicode.Scalar(0x2400 + scalar.value).map { String(Character($0)) }
        case 0x7F: return "\u{2421}"
        case 0x80...0x9F, 0x061C, 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB,
            0xE0000...0xE007F:
            return "<U+\(padded(scalar.value))>"
        default: return nil
        }
    }

    /// How many terminal cells a scalar takes: 0 for combining marks, 2 for East Asian wide ones and emoji, else 1.
    static func width(of scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x20...0x7E: return 1
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
            0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: break
        }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return 1
        }
    }

    static func width(of text: some StringProtocol) -> Int {
        text.unicodeScalars.reduce(0) { $0 + width(of: $1) }
    }

    private static func padded(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
