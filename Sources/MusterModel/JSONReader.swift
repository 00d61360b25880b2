/// Reads strict JSON; deferred values stay the objects that they are written as.
struct JSONReader {
    private let bytes: [UInt8]
    private let maximumDepth: Int
    private var index = 0
    /// Whether a key begins with `$deferred`.
    private(set) var hasDeferredKeys = false

    init(_ bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    mutating func readDocument() throws(ValueJSON.Failure) -> Value {
        let value = try read(0)
        skipSpace()
        if index < bytes.count { throw failure("there is more after the end of the value") }
        return value
    }

    private func failure(_ message: String, at offset: Int? = nil) -> ValueJSON.Failure {
        let offset = min(offset ?? index, bytes.count)
        let line = bytes[..<offset].count { $0 == 0x0A } + 1
        let start = bytes[..<offset].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return ValueJSON.Failure(message: message, line: line, column: offset - start + 1)
    }

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return
            }
        }
    }

    private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func read(_ depth: Int) throws(ValueJSON.Failure) -> Value {
        skipSpace()
        switch byte {
        case UInt8(ascii: "{"): return try readObject(depth)
        case UInt8(ascii: "["): return try readArray(depth)
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .bool(true))
        case UInt8(ascii: "f"): return try readWord("false", .bool(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return try readNumber()
        case nil: throw failure("the text ends where a value must follow")
        default: throw failure("no value begins like this")
        }
    }

    private mutating func readWord(_ word: StaticString, _ value: Value) throws(ValueJSON.Failure) -> Value {
        let count = word.utf8CodeUnitCount
        for offset in 0..<count {
            guard index + offset < bytes.count, bytes[index + offset] == word.utf8Start[offset] else {
                throw failure("no value begins like this")
            }
        }
        index += count
        return value
    }

    private mutating func readArray(_ depth: Int) throws(ValueJSON.Failure) -> Value {
        if depth >= maximumDepth { throw failure("nested more than \(maximumDepth) levels deep") }
        index += 1
        var values: [Value] = []
        skipSpace()
        if byte == UInt8(ascii: "]") {
            index += 1
            return .list(values)
        }
        while true {
            values.append(try read(depth + 1))
            skipSpace()
            switch byte {
            case UInt8(ascii: ","): index += 1
            case UInt8(ascii: "]"):
                index += 1
                return .list(values)
            default: throw failure("a comma or ] must follow")
            }
        }
    }

    private mutating func readObject(_ depth: Int) throws(ValueJSON.Failure) -> Value {
        if depth >= maximumDepth { throw failure("nested more than \(maximumDepth) levels deep") }
        index += 1
        var members: [String: Value] = [:]
        skipSpace()
        if byte == UInt8(ascii: "}") {
            index += 1
            return .map(members)
        }
        while true {
            skipSpace()
            let start = index
            guard byte == UInt8(ascii: "\"") else { throw failure("a key in quotation marks must follow") }
            let key = try readString()
            if key.utf8.first == UInt8(ascii: "$"), key.utf8.starts(with: DeferredCoder.key.utf8) {
                hasDeferredKeys = true
            }
            skipSpace()
            guard byte == UInt8(ascii: ":") else { throw failure("a colon must follow") }
            index += 1
            guard members.updateValue(try read(depth + 1), forKey: key) == nil else {
                throw failure("the key is there twice", at: start)
            }
            skipSpace()
            switch byte {
            case UInt8(ascii: ","): index += 1
            case UInt8(ascii: "}"):
                index += 1
                return .map(members)
            default: throw failure("a comma or } must follow")
            }
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private mutating func digits() -> Int {
        let start = index
        while let byte, isDigit(byte) { index += 1 }
        return index - start
    }

    private mutating func readNumber() throws(ValueJSON.Failure) -> Value {
        let start = index
        if byte == UInt8(ascii: "-") { index += 1 }
        let first = byte
        let count = digits()
        guard count > 0, count == 1 || first != UInt8(ascii: "0") else {
            throw failure("this is not a number", at: start)
        }
        var isInteger = true
        if byte == UInt8(ascii: ".") {
            isInteger = false
            index += 1
            if digits() == 0 { throw failure("digits must follow the point") }
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            isInteger = false
            index += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { index += 1 }
            if digits() == 0 { throw failure("digits must follow the exponent") }
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isInteger {
            guard let number = Int(text) else { throw failure("the integer does not fit into 64 bits", at: start) }
            return .integer(number)
        }
        guard let number = Double(text), number.isFinite else { throw failure("the number is too large", at: start) }
        return .number(number)
    }

    private mutating func readString() throws(ValueJSON.Failure) -> String {
        index += 1
        let start = index
        var seen: UInt8 = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            seen |= byte
            index += 1
        }
        if byte == UInt8(ascii: "\"") {
            let content = bytes[start..<index]
            let result =
                seen < 0x80 ? String(decoding: content, as: UTF8.self) : String(validating: content, as: UTF8.self)
            index += 1
            guard let result else { throw failure("the text is not UTF-8", at: start) }
            return result
        }
        var text = Array(bytes[start..<index])
        while let byte {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                guard let result = String(validating: text, as: UTF8.self) else {
                    throw failure("the text is not UTF-8", at: start)
                }
                return result
            case UInt8(ascii: "\\"): try readEscape(into: &text)
            case 0..<0x20: throw failure("a control character must be escaped")
            default:
                text.append(byte)
                index += 1
            }
        }
        throw failure("the text has no closing quotation mark", at: start - 1)
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(ValueJSON.Failure) {
        let start = index
        index += 1
        guard let byte else { return }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            guard let scalar = readScalar() else { throw failure("this is not a Unicode escape", at: start) }
            text.append(contentsOf: String(Character(scalar)).utf8)
        default: throw failure("there is no such escape", at: start)
        }
    }

    private mutating func readScalar() -> Unicode.Scalar? {
        guard let first = readHexadecimal() else { return nil }
        guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(first) }
        guard byte == UInt8(ascii: "\\"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        index += 2
        guard let second = readHexadecimal(), (0xDC00...0xDFFF).contains(second) else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private mutating func readHexadecimal() -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for byte in bytes[index..<(index + 4)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        index += 4
        return value
    }
}
