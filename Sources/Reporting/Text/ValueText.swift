import Diagnostics
import MusterModel

/// Values as people read them: on one line, as dense as is unambiguous, safe for a terminal.
///
/// A string is bare when it cannot be taken for anything else. What is not known yet is `(known after apply)`, a secret
/// is `‹secret:name›`.
enum ValueText {
    static let unknown = "(known after apply)"
    static let sensitive = "(sensitive)"
    /// Longer strings are shown by their ends.
    private static let longestString = 160

    /// - Parameter isWhole: long strings are not shortened.
    static func inline(_ value: Value, isWhole: Bool = false) -> String {
        switch value {
        case .null: return "null"
        case .bool(let bool): return bool ? "true" : "false"
        case .integer(let integer): return String(integer)
        case .number(let number): return "\(number)"
        case .string(let text): return string(text, isWhole: isWhole)
        case .list(let values): return "[\(values.map { inline($0, isWhole: isWhole) }.joined(separator: ", "))]"
        case .map(let members):
            let sorted = members.sorted { $0.key < $1.key }
            return "{\(sorted.map { "\(key($0.key)): \(inline($0.value, isWhole: isWhole))" }.joined(separator: ", "))}"
        case .deferred(let deferred): return inline(deferred.expression, isNested: false)
        }
    }

    /// The value as text of possibly many lines, when it is text: a string, or a template with holes. Not neutralised.
    static func text(_ value: Value?) -> String? {
        switch value {
        case .string(let text): text
        case .deferred(let deferred):
            if case .template = deferred.expression { raw(deferred.expression) } else { nil }
        default: nil
        }
    }

    /// A name of a member: bare, or quoted where it must be.
    static func key(_ name: String) -> String { isBare(name, isKey: true) ? name : quoted(name) }

    /// `path.key`, or `path["a key"]`.
    static func path(_ base: String, _ key: String) -> String {
        let isPlain =
            !key.isEmpty
            && key.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
        return isPlain ? "\(base).\(key)" : "\(base)[\(quoted(key))]"
    }

    // MARK: - Strings

    private static func string(_ text: String, isWhole: Bool = false) -> String {
        let shown = isWhole ? text : shortened(text)
        return isBare(shown, isKey: false) ? shown : quoted(shown)
    }

    /// The first line or both ends of a text that is too long for a line, and how much there is.
    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > longestString else { return text }
        let scalars = text.unicodeScalars
        guard let end = scalars.index(scalars.startIndex, offsetBy: longestString, limitedBy: scalars.endIndex),
            end != scalars.endIndex
        else { return text }
        return "\(String(scalars.prefix(longestString * 2 / 3)))…\(String(scalars.suffix(longestString / 4)))"
    }

    /// The parts of two long strings around their first difference, so that a change far inside can be seen.
    static func inlinePair(_ before: String, _ after: String) -> (String, String) {
        guard max(before.utf8.count, after.utf8.count) > longestString else { return (string(before), string(after)) }
        let left = Array(before.unicodeScalars)
        let right = Array(after.unicodeScalars)
        var common = 0
        while common < left.count, common < right.count, left[common] == right[common] { common += 1 }
        func around(_ scalars: [Unicode.Scalar]) -> String {
            let start = max(0, common - 24)
            let end = min(scalars.count, common + longestString / 2)
            var text = String.UnicodeScalarView(start > 0 ? "…".unicodeScalars.map { $0 } : [])
            text.append(contentsOf: scalars[min(start, end)..<end])
            return quoted(String(text) + (end < scalars.count ? "…" : ""))
        }
        return (around(left), around(right))
    }

    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return DisplayText.neutralised(result) + "\""
    }

    /// Whether a string can stand without quotes: not empty, no number, no word with a meaning, nothing that separates.
    private static func isBare(_ text: String, isKey: Bool) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= longestString else { return false }
        var hasOther = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): continue
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "/"),
                UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "*"), UInt8(ascii: "%"), UInt8(ascii: "="):
                hasOther = true
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "+"): continue
            case UInt8(ascii: ":"):
                if isKey { return false }
                hasOther = true
            default: return false
            }
        }
        if text.hasSuffix(":") || first == UInt8(ascii: "-") { return false }
        switch text {
        case "true", "false", "null": return false
        case "nan", "inf", "infinity": return false
        default: break
        }
        // Digits, signs and dots alone are a number or look like one; an IPv4 address does not.
        return hasOther ? Double(text) == nil : text.utf8.count { $0 == UInt8(ascii: ".") } == 3
    }

    // MARK: - Expressions

    private static func inline(_ expression: Expression, isNested: Bool) -> String {
        switch expression {
        case .literal(let value): return inline(value)
        case .reference, .output: return unknown
        case .secret(let secret): return hole(secret)
        case .template(let parts):
            if parts.count == 1 { return inline(parts[0], isNested: isNested) }
            return quoted(shortened(raw(expression)))
        case .list(let parts): return "[\(parts.map { inline($0, isNested: true) }.joined(separator: ", "))]"
        case .map(let entries):
            let members = entries.map { "\(key($0.key)): \(inline($0.value, isNested: true))" }
            return "{\(members.joined(separator: ", "))}"
        case .member, .index, .call, .unary, .binary: break
        }
        // What is computed from outputs alone says no more than that it is not known; a secret is always named.
        guard namesSecret(expression) else { return unknown }
        let text: String
        switch expression {
        case .member(let base, let name): return "\(inline(base, isNested: true)).\(key(name))"
        case .index(let base, let index): return "\(inline(base, isNested: true))[\(inline(index, isNested: false))]"
        case .call(let name, let arguments):
            let shown = arguments.map { inline($0, isNested: false) }.joined(separator: ", ")
            return "\(DisplayText.neutralised(name))(\(shown))"
        case .unary(.not, let operand): text = "not \(inline(operand, isNested: true))"
        case .unary(.negate, let operand): text = "-\(inline(operand, isNested: true))"
        case .binary(let symbol, let left, let right):
            text = "\(inline(left, isNested: true)) \(symbol.rawValue) \(inline(right, isNested: true))"
        default: text = unknown
        }
        return isNested ? "(\(text))" : text
    }

    /// A template's text with its holes named.
    private static func raw(_ expression: Expression) -> String {
        switch expression {
        case .literal(.string(let text)): text
        case .template(let parts): parts.map(raw).joined()
        default: inline(expression, isNested: false)
        }
    }

    private static func hole(_ secret: SecretReference) -> String { "‹secret:\(DisplayText.neutralised(secret.name))›" }

    private static func namesSecret(_ expression: Expression) -> Bool {
        var found = false
        expression.visit { if case .secret = $0 { found = true } }
        return found
    }
}

extension String {
    /// How many terminal cells the text takes, near enough for columns and frames.
    var cellCount: Int {
        if utf8.allSatisfy({ $0 < 0x80 }) { return utf8.count }
        var count = 0
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0..<0x300: count += 1
            case 0x300..<0x370, 0x200B...0x200F, 0xFE00...0xFE0F: break
            case 0x1100..<0x1200, 0x2E80..<0xD7B0, 0xF900..<0xFB00, 0xFE30..<0xFE70, 0xFF00..<0xFF61, 0x1F300...0x3FFFD:
                count += 2
            default: count += 1
            }
        }
        return count
    }

    func padded(to width: Int) -> String {
        let missing = width - cellCount
        return missing > 0 ? self + String(repeating: " ", count: missing) : self
    }

    func paddedLeft(to width: Int) -> String {
        let missing = width - cellCount
        return missing > 0 ? String(repeating: " ", count: missing) + self : self
    }
}
