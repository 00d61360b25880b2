import MusterModel

// Text → scalar. A schema decides what a text is; YAML's own guesses (octal, sexagesimal, `on`) are not made.

/// What became of a text.
enum ScalarReading: Equatable {
    case value(Value)
    /// It does not fit: why, as the end of a sentence about it, and what to write instead.
    case wrong(String, hint: String?)
}

enum ScalarText {
    static func boolean(_ text: String) -> ScalarReading {
        switch text {
        case "true": return .value(true)
        case "false": return .value(false)
        default: break
        }
        let hint: String? =
            switch text.lowercased() {
            case "true", "yes", "on", "y", "1", "enabled": "Write true."
            case "false", "no", "off", "n", "0", "disabled": "Write false."
            default: nil
            }
        return .wrong("is not true or false", hint: hint)
    }

    /// Decimal digits, with a minus sign at most.
    static func integer(_ text: String) -> ScalarReading {
        if isCanonicalInteger(text) {
            return Int(text).map { .value(.integer($0)) }
                ?? .wrong("does not fit into 64 bits", hint: nil)
        }
        return .wrong("is not a whole number in decimal digits", hint: integerHint(text))
    }

    /// A decimal number as JSON writes it.
    static func number(_ text: String) -> ScalarReading {
        if case .value(let value) = integer(text) { return .value(value) }
        guard isNumber(text), let number = Double(text), number.isFinite else {
            return .wrong("is not a number", hint: integerHint(text))
        }
        return .value(.number(number))
    }

    /// Unquoted text where any value may stand: a boolean, integer or number if muster writes it exactly so, else the
    /// text. Nothing is lost: `0644`, `1.50` and `on` stay text, and a value turned into text is the text again.
    static func anything(_ text: String) -> Value {
        switch text {
        case "true": return true
        case "false": return false
        default: break
        }
        guard let first = text.utf8.first, first == UInt8(ascii: "-") || isDigit(first), text.utf8.count <= 24 else {
            return .string(text)
        }
        if isCanonicalInteger(text), let integer = Int(text) { return .integer(integer) }
        if isNumber(text), let number = Double(text), number.isFinite, "\(number)" == text { return .number(number) }
        return .string(text)
    }

    /// A known scalar as text: what a field of text makes of an expression's value.
    static func text(_ value: Value) -> String? {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): "\(number)"
        case .bool(let flag): flag ? "true" : "false"
        case .null, .list, .map, .deferred: nil
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isCanonicalInteger(_ text: String) -> Bool {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") }
        guard text.utf8.count - digits.count <= 1, let first = digits.first, digits.allSatisfy(isDigit) else {
            return false
        }
        return digits.count == 1 ? text != "-0" : first != UInt8(ascii: "0")
    }

    /// `-?digits[.digits][e[+-]digits]` without needless zeros in front.
    private static func isNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        func digits() -> Int {
            let count = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let first = rest.first
        let whole = digits()
        guard whole > 0, whole == 1 || first != UInt8(ascii: "0") else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    private static func integerHint(_ text: String) -> String? {
        let plain = text.utf8.first == UInt8(ascii: "+") ? String(text.dropFirst()) : text
        if plain != text, isCanonicalInteger(plain) { return "Write \(plain)." }
        if plain.contains("_"), let number = Int(plain.filter { $0 != "_" }) { return "Write \(number)." }
        if plain.contains(","), let number = Int(plain.filter { $0 != "," }) { return "Write \(number)." }
        if plain.hasPrefix("0x"), let number = Int(plain.dropFirst(2), radix: 16) { return "Write \(number)." }
        if plain.hasPrefix("0o"), let number = Int(plain.dropFirst(2), radix: 8) { return "Write \(number)." }
        if plain.hasPrefix("0"), let number = Int(plain) {
            if let octal = Int(plain, radix: 8), octal != number {
                return "Write \(number), or \(octal) if octal digits were meant."
            }
            return "Write \(number)."
        }
        if isNumber(plain), let number = Double(plain), let whole = Int(exactly: number) { return "Write \(whole)." }
        return nil
    }
}
