/// A JSON document. Members keep their order; every accessor of a member that is not there gives `.null` or `nil`.
package enum JSONValue: Sendable, Equatable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Sendable, Equatable {
        package var name: String
        package var value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// A member of an object.
    package subscript(name: String) -> JSONValue {
        guard case .object(let members) = self else { return .null }
        return members.first { $0.name == name }?.value ?? .null
    }

    /// The elements of an array; anything else has none.
    package var items: [JSONValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    /// The members of an object; anything else has none.
    package var members: [Member] {
        guard case .object(let members) = self else { return [] }
        return members
    }

    /// A string's text.
    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// A string's text, or "".
    package var text: String { string ?? "" }

    package var integer: Int? {
        switch self {
        case .integer(let value): Int(exactly: value)
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }

    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    package var boolean: Bool? {
        guard case .boolean(let value) = self else { return nil }
        return value
    }

    /// Epoch seconds, possibly with a fraction, or ISO 8601.
    package var timestamp: Timestamp? {
        if let string { return Timestamp(iso8601: string) }
        guard let double, abs(double) < 1e12 else { return nil }
        return Timestamp(millisecondsSinceEpoch: Int64((double * 1_000).rounded()))
    }

    package var isNull: Bool { self == .null }
}

// MARK: - Reading

/// Why a body is not JSON, and at which byte.
package struct JSONSyntaxError: Error, Equatable {
    package var reason: String
    package var offset: Int
}

extension JSONValue {
    /// Strict RFC 8259; nesting deeper than 200 is refused. Of a repeated member the last wins.
    package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var index = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    func failure(_ reason: String) -> JSONSyntaxError {
        JSONSyntaxError(reason: reason, offset: index)
    }

    var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func document() throws(JSONSyntaxError) -> JSONValue {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
        let result = try value(depth: 0)
        skipBlanks()
        guard index == bytes.count else { throw failure("text after the document") }
        return result
    }

    mutating func skipBlanks() {
        while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { index += 1 }
    }

    mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard depth <= 200 else { throw failure("nested too deeply") }
        skipBlanks()
        switch current {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .some(UInt8(ascii: "-")), .some(0x30...0x39): return try number()
        case nil: throw failure("the document ends early")
        default: throw failure("unexpected character")
        }
    }

    mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard bytes[index...].starts(with: expected) else { throw failure("unexpected word") }
        index += expected.count
        return value
    }

    mutating func object(_ depth: Int) throws(JSONSyntaxError) -> JSONValue {
        index += 1
        var members: [JSONValue.Member] = []
        var positions: [String: Int] = [:]
        skipBlanks()
        if current == UInt8(ascii: "}") {
            index += 1
            return .object([])
        }
        while true {
            skipBlanks()
            guard current == UInt8(ascii: "\"") else { throw failure("expected a member's name") }
            let name = try string()
            skipBlanks()
            guard current == UInt8(ascii: ":") else { throw failure("expected ':'") }
            index += 1
            let value = try value(depth: depth + 1)
            if let position = positions.updateValue(members.count, forKey: name) {
                positions[name] = position
                members[position].value = value
            } else {
                members.append(JSONValue.Member(name, value))
            }
            skipBlanks()
            switch current {
            case UInt8(ascii: ","): index += 1
            case UInt8(ascii: "}"):
                index += 1
                return .object(members)
            default: throw failure("expected ',' or '}'")
            }
        }
    }

    mutating func array(_ depth: Int) throws(JSONSyntaxError) -> JSONValue {
        index += 1
        var elements: [JSONValue] = []
        skipBlanks()
        if current == UInt8(ascii: "]") {
            index += 1
            return .array([])
        }
        while true {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
            switch current {
            case UInt8(ascii: ","): index += 1
            case UInt8(ascii: "]"):
                index += 1
                return .array(elements)
            default: throw failure("expected ',' or ']'")
            }
        }
    }

    mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = index
        var isInteger = true
        func digits() throws(JSONSyntaxError) {
            guard let first = current, (0x30...0x39).contains(first) else { throw failure("expected a digit") }
            while let byte = current, (0x30...0x39).contains(byte) { index += 1 }
        }
        if current == UInt8(ascii: "-") { index += 1 }
        if current == 0x30 {
            index += 1
            if let byte = current, (0x30...0x39).contains(byte) { throw failure("a number with a leading zero") }
        } else {
            try digits()
        }
        if current == UInt8(ascii: ".") {
            isInteger = false
            index += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            index += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text) else { throw failure("not a number") }
        return .double(value)
    }

    mutating func string() throws(JSONSyntaxError) -> String {
        index += 1
        var text: [UInt8] = []
        while true {
            guard let byte = current else { throw failure("a string ends early") }
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let result = String(validating: text, as: UTF8.self) else { throw failure("not UTF-8") }
                return result
            case UInt8(ascii: "\\"): try escape(&text)
            case 0..<0x20: throw failure("a control character in a string")
            default: text.append(byte)
            }
        }
    }

    mutating func escape(_ text: inout [UInt8]) throws(JSONSyntaxError) {
        guard let byte = current else { throw failure("a string ends early") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var unit = try hexUnit()
            if (0xd800...0xdbff).contains(unit) {
                guard bytes[index...].starts(with: "\\u".utf8) else { throw failure("half a surrogate pair") }
                index += 2
                let low = try hexUnit()
                guard (0xdc00...0xdfff).contains(low) else { throw failure("half a surrogate pair") }
                unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(unit) else { throw failure("half a surrogate pair") }
            text += Array(String(scalar).utf8)
        default: throw failure("unknown escape")
        }
    }

    mutating func hexUnit() throws(JSONSyntaxError) -> UInt32 {
        guard index + 4 <= bytes.count,
            bytes[index..<index + 4].allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let unit = UInt32(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16)
        else { throw failure("expected four hexadecimal digits") }
        index += 4
        return unit
    }
}
