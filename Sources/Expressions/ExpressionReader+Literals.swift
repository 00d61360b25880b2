import Diagnostics
import MusterModel

// Numbers, and strings with their escapes and holes.

extension ExpressionReader {
    mutating func number() throws(SyntaxFailure) -> Node {
        let start = index
        let isNegative = byte(at: index) == UInt8(ascii: "-")
        if isNegative { index += 1 }
        let digits = index
        while isDigit(byte(at: index)) { index += 1 }
        let hasLeadingZero = bytes[digits] == UInt8(ascii: "0") && index > digits + 1
        var isInteger = true
        if byte(at: index) == UInt8(ascii: "."), isDigit(byte(at: index + 1)) {
            isInteger = false
            index += 1
            while isDigit(byte(at: index)) { index += 1 }
        }
        if byte(at: index) | 0x20 == UInt8(ascii: "e") {
            var next = index + 1
            if byte(at: next) == UInt8(ascii: "+") || byte(at: next) == UInt8(ascii: "-") { next += 1 }
            if isDigit(byte(at: next)) {
                isInteger = false
                index = next
                while isDigit(byte(at: index)) { index += 1 }
            }
        }
        if isNameByte(byte(at: index)) || byte(at: index) == UInt8(ascii: ".") || hasLeadingZero {
            while isNameByte(byte(at: index)) || byte(at: index) == UInt8(ascii: ".") { index += 1 }
            let text = String(decoding: bytes[start..<index], as: UTF8.self)
            throw SyntaxFailure(
                range: start..<index, detail: "\(text.quoted) is not a number.",
                hint: "Quote it if it is meant as text.")
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isInteger {
            guard let value = Int(text) else {
                throw SyntaxFailure(range: start..<index, detail: "This integer does not fit into 64 bits.")
            }
            return Node(expression: .literal(.integer(value)), depth: 1)
        }
        guard let value = Double(text), value.isFinite else {
            throw SyntaxFailure(range: start..<index, detail: "This number is too large.")
        }
        return Node(expression: .literal(.number(value)), depth: 1)
    }

    mutating func string() throws(SyntaxFailure) -> Node {
        let start = index
        let quote = bytes[index]
        index += 1
        var parts: [Expression] = []
        var text: [UInt8] = []
        var depth = 0
        while true {
            guard index < bytes.count else {
                throw SyntaxFailure(range: start..<(start + 1), detail: "This quotation mark has no partner.")
            }
            if bytes[index] == quote {
                index += 1
                break
            }
            if bytes[index] == UInt8(ascii: "\\") {
                try escape(into: &text)
            } else if takeEscapedHole() {
                text += [UInt8(ascii: "$"), UInt8(ascii: "{")]
            } else if isHole {
                let node = try hole()
                appendText(&text, to: &parts)
                parts.append(node.expression)
                depth = max(depth, node.depth)
            } else {
                text.append(bytes[index])
                index += 1
            }
        }
        if parts.isEmpty {
            return Node(expression: .literal(.string(String(decoding: text, as: UTF8.self))), depth: 1)
        }
        appendText(&text, to: &parts)
        return try node(.template(parts), depth: depth)
    }

    mutating func escape(into text: inout [UInt8]) throws(SyntaxFailure) {
        let start = index
        index += 2
        switch byte(at: index - 1) {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "$"): text.append(bytes[index - 1])
        case UInt8(ascii: "u"):
            guard let scalar = unicodeEscape() else {
                throw SyntaxFailure(
                    range: start..<min(index, bytes.count), detail: "Four hexadecimal digits must follow \\u.")
            }
            text += Array(String(Character(scalar)).utf8)
        default:
            throw SyntaxFailure(
                range: start..<min(index, bytes.count), detail: "There is no such escape in a quoted text.",
                hint: "Write \\\\ for a backslash.")
        }
    }

    mutating func unicodeEscape() -> Unicode.Scalar? {
        guard let first = hexDigits() else { return nil }
        guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(first) }
        guard byte(at: index) == UInt8(ascii: "\\"), byte(at: index + 1) == UInt8(ascii: "u") else { return nil }
        index += 2
        guard let second = hexDigits(), (0xDC00...0xDFFF).contains(second) else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    mutating func hexDigits() -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for offset in index..<(index + 4) {
            guard let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        index += 4
        return value
    }
}
