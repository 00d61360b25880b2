// Values as JSON: columns of the state, plan files, `--format json`, and what fingerprints are taken of.
//
// Canonical: no white space, keys in ascending order, integers in decimal, numbers in the shortest form that reads back as
// the same double and always with a point or an exponent, so that 1 and 1.0 stay apart. Control characters, quotation marks
// and backslashes are escaped, nothing else. Equal values give the same bytes.
//
// A deferred value is an object with the one key `$deferred`, whose member is the tree: a node is an array that begins with
// its kind, and anything else is a literal. So that no map of a user can be taken for one, a key that begins with
// `$deferred` gets a `$` after that word, which reading takes away.
//
//     "a"  1  1.5  true  null              literals
//     ["value", V]                         a literal list or map
//     ["output", ADDRESS, NAME]            ["secret", NAME, SOURCE]
//     ["reference", STACK, PART, …]        a part is a name or an index
//     ["named", STACK, KIND, NAME]         a bare name; what the kind accepts is not kept
//     ["template", NODE, …]                ["list", NODE, …]              ["map", KEY, NODE, …]
//     ["member", NODE, NAME]               ["index", NODE, NODE]          ["call", NAME, NODE, …]
//     ["unary", OPERATOR, NODE]            ["binary", OPERATOR, NODE, NODE]
//
// Places (`SourceRange`) are not kept. Infinities and NaN are no values of the language: should one get here it is written
// as `1e999` (which reading refuses) and null.

/// Reads and writes values as JSON.
package enum ValueJSON {
    /// How deep JSON may be nested.
    package static let maximumDepth = 512

    /// Why a text could not be read.
    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// A phrase without a full stop.
        package let message: String
        /// From 1.
        package let line: Int
        /// From 1, in bytes.
        package let column: Int

        package var description: String { "line \(line), column \(column): \(message)" }
    }

    /// Canonical JSON.
    package static func encode(_ value: Value) -> [UInt8] {
        var writer = JSONWriter()
        writer.write(value)
        return writer.bytes
    }

    /// Canonical JSON as text.
    package static func text(_ value: Value) -> String { String(decoding: encode(value), as: UTF8.self) }

    /// The value that `encode` wrote. Strict JSON; duplicate keys and integers beyond 64 bits are refused, and so are
    /// numbers beyond a double.
    package static func decode(_ bytes: [UInt8]) throws(Failure) -> Value {
        var reader = JSONReader(bytes, maximumDepth: maximumDepth)
        let value = try reader.readDocument()
        return reader.hasDeferredKeys ? try DeferredCoder.restored(value) : value
    }

    package static func decode(_ text: String) throws(Failure) -> Value { try decode(Array(text.utf8)) }

    /// The JSON that means the value to others: `$deferred` is a key like any other. What is deferred becomes null.
    package static func plainText(_ value: Value) -> String {
        var writer = JSONWriter()
        writer.isPlain = true
        writer.write(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// JSON of others: `$deferred` is a key like any other. Nested 100 deep at most.
    package static func decodePlain(_ text: String) throws(Failure) -> Value {
        var reader = JSONReader(Array(text.utf8), maximumDepth: 100)
        return try reader.readDocument()
    }
}

extension Value {
    /// JSON over several lines, indented by two spaces, with sorted keys; it reads back as the same value.
    package var prettyJSON: String {
        var writer = JSONWriter()
        writer.indentation = 0
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

// MARK: - Writing

private struct JSONWriter {
    var bytes: [UInt8] = []
    /// Levels; nil: on one line.
    var indentation: Int?
    var isPlain = false

    private static let hexadecimal = Array("0123456789abcdef".utf8)

    mutating func write(_ value: Value) {
        switch value {
        case .null: write(raw: "null")
        case .bool(let flag): write(raw: flag ? "true" : "false")
        case .integer(let number): write(integer: number)
        case .number(let number): write(number: number)
        case .string(let text): write(string: text)
        case .list(let values):
            open("[", isEmpty: values.isEmpty)
            for (position, value) in values.enumerated() {
                separate(position)
                write(value)
            }
            close("]", isEmpty: values.isEmpty)
        case .map(let members):
            open("{", isEmpty: members.isEmpty)
            for (position, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                separate(position)
                write(key: member.key)
                write(member.value)
            }
            close("}", isEmpty: members.isEmpty)
        case .deferred(let deferred):
            if isPlain { return write(raw: "null") }
            open("{", isEmpty: false)
            separate(0)
            write(raw: indentation == nil ? "\"\(DeferredCoder.key)\":" : "\"\(DeferredCoder.key)\": ")
            // Trees stay on one line.
            let outer = indentation
            indentation = nil
            write(deferred.expression)
            indentation = outer
            close("}", isEmpty: false)
        }
    }

    private mutating func write(key: String) {
        if !isPlain, key.utf8.first == UInt8(ascii: "$"), key.utf8.starts(with: DeferredCoder.key.utf8) {
            write(string: DeferredCoder.key + "$" + key.dropFirst(DeferredCoder.key.count))
        } else {
            write(string: key)
        }
        bytes.append(UInt8(ascii: ":"))
        if indentation != nil { bytes.append(UInt8(ascii: " ")) }
    }

    // MARK: Trees

    private mutating func write(_ expression: Expression) {
        switch expression {
        case .literal(let value):
            switch value {
            case .null, .bool, .integer, .number, .string: write(value)
            case .list, .map, .deferred: node("value") { $0.write(value) }
            }
        case .reference(let reference): write(reference)
        case .output(let reference): node("output", reference.address.description, reference.output)
        case .secret(let reference): node("secret", reference.name, reference.source)
        case .template(let parts): node("template", parts: parts)
        case .list(let parts): node("list", parts: parts)
        case .map(let entries):
            node("map") { writer in
                for (position, entry) in entries.enumerated() {
                    if position > 0 { writer.comma() }
                    writer.write(string: entry.key)
                    writer.comma()
                    writer.write(entry.value)
                }
            }
        case .member(let base, let name):
            node("member") { writer in
                writer.write(base)
                writer.comma()
                writer.write(string: name)
            }
        case .index(let base, let key): node("index", parts: [base, key])
        case .call(let name, let arguments): node("call", name, parts: arguments)
        case .unary(let symbol, let operand): node("unary", symbol.rawValue, parts: [operand])
        case .binary(let symbol, let left, let right): node("binary", symbol.rawValue, parts: [left, right])
        }
    }

    private mutating func write(_ reference: Reference) {
        switch reference.target {
        case .named(let kind, let name): node("named", reference.stack, kind.name, name)
        case .path(let components):
            node("reference") { writer in
                writer.write(string: reference.stack)
                for component in components {
                    writer.comma()
                    switch component {
                    case .name(let name): writer.write(string: name)
                    case .index(let index): writer.write(integer: index)
                    }
                }
            }
        }
    }

    private mutating func node(_ kind: String, _ texts: String..., parts: [Expression] = []) {
        bytes.append(UInt8(ascii: "["))
        write(string: kind)
        for text in texts {
            comma()
            write(string: text)
        }
        for part in parts {
            comma()
            write(part)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func node(_ kind: String, _ body: (inout JSONWriter) -> Void) {
        bytes.append(UInt8(ascii: "["))
        write(string: kind)
        let start = bytes.count
        comma()
        let end = bytes.count
        body(&self)
        if bytes.count == end { bytes.removeSubrange(start...) }
        bytes.append(UInt8(ascii: "]"))
    }

    // MARK: Tokens

    private mutating func open(_ character: Character, isEmpty: Bool) {
        bytes.append(character.asciiValue ?? 0)
        if let level = indentation, !isEmpty { indentation = level + 1 }
    }

    private mutating func close(_ character: Character, isEmpty: Bool) {
        if let level = indentation, !isEmpty {
            indentation = level - 1
            newLine()
        }
        bytes.append(character.asciiValue ?? 0)
    }

    private mutating func separate(_ position: Int) {
        if position > 0 { comma() }
        newLine()
    }

    private mutating func comma() { bytes.append(UInt8(ascii: ",")) }

    private mutating func newLine() {
        guard let level = indentation else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: level * 2))
    }

    private mutating func write(raw text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func write(integer number: Int) {
        if (0...9).contains(number) {
            bytes.append(UInt8(ascii: "0") + UInt8(number))
        } else {
            write(raw: String(number))
        }
    }

    private mutating func write(number: Double) {
        if number.isNaN { return write(raw: "null") }
        if number.isInfinite { return write(raw: number < 0 ? "-1e999" : "1e999") }
        // Minus zero equals zero, so it is written like it.
        write(raw: number == 0 ? "0.0" : number.description)
    }

    private mutating func write(string text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { characters in
            // Runs without anything to escape are copied whole.
            var start = 0
            for index in characters.indices where JSONWriter.isEscaped(characters[index]) {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: characters[start..<index]))
                escape(characters[index])
                start = index + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: characters[start...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            write(raw: "u00")
            bytes.append(Self.hexadecimal[Int(byte >> 4)])
            bytes.append(Self.hexadecimal[Int(byte & 15)])
        }
    }
}

// MARK: - Reading

private struct JSONReader {
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

// MARK: - Deferred values

/// Finds deferred values in what was read.
private enum DeferredCoder {
    static let key = "$deferred"

    static func restored(_ value: Value) throws(ValueJSON.Failure) -> Value {
        switch value {
        case .null, .bool, .integer, .number, .string, .deferred: return value
        case .list(let values):
            var result: [Value] = []
            result.reserveCapacity(values.count)
            for value in values { result.append(try restored(value)) }
            return .list(result)
        case .map(let members):
            if let node = members[key] {
                guard members.count == 1 else { throw bad("$deferred stands alone in its object") }
                return .deferred(Deferred(try expression(node)))
            }
            var result: [String: Value] = [:]
            result.reserveCapacity(members.count)
            for (name, value) in members {
                guard name.utf8.starts(with: key.utf8) else {
                    result[name] = try restored(value)
                    continue
                }
                let rest = name.dropFirst(key.count)
                guard rest.first == "$" else { throw bad("no key begins with $deferred but as it is written here") }
                result[key + rest.dropFirst()] = try restored(value)
            }
            return .map(result)
        }
    }

    private static func bad(_ message: String) -> ValueJSON.Failure {
        ValueJSON.Failure(message: message, line: 1, column: 1)
    }

    private static func expression(_ node: Value) throws(ValueJSON.Failure) -> Expression {
        guard case .list(let parts) = node else {
            if case .map = node { throw bad("a node of a deferred value is no object") }
            return .literal(node)
        }
        guard case .string(let kind)? = parts.first else { throw bad("a node of a deferred value has no kind") }
        switch (kind, parts.count) {
        case ("value", 2): return .literal(try restored(parts[1]))
        case ("reference", 2...): return .reference(try reference(parts))
        case ("named", 4):
            return .reference(
                Reference(
                    .named(ReferenceKind(try text(parts[2]), []), try text(parts[3])), stack: try text(parts[1]),
                    range: nil))
        case ("output", 3):
            guard let address = Address(try text(parts[1])) else { throw bad("this is not an address") }
            return .output(OutputReference(address, try text(parts[2])))
        case ("secret", 3): return .secret(SecretReference(name: try text(parts[1]), source: try text(parts[2])))
        case ("template", _): return .template(try expressions(parts.dropFirst()))
        case ("list", _): return .list(try expressions(parts.dropFirst()))
        case ("map", _):
            guard parts.count % 2 == 1 else { throw bad("a key of a deferred map has no value") }
            var entries: [Expression.MapEntry] = []
            for position in stride(from: 1, to: parts.count, by: 2) {
                entries.append(
                    Expression.MapEntry(key: try text(parts[position]), value: try expression(parts[position + 1])))
            }
            return .map(entries)
        case ("member", 3): return .member(try expression(parts[1]), try text(parts[2]))
        case ("index", 3): return .index(try expression(parts[1]), try expression(parts[2]))
        case ("call", 2...): return .call(try text(parts[1]), try expressions(parts.dropFirst(2)))
        case ("unary", 3):
            guard let symbol = Expression.UnaryOperator(rawValue: try text(parts[1])) else {
                throw bad("there is no such operator")
            }
            return .unary(symbol, try expression(parts[2]))
        case ("binary", 4):
            guard let symbol = Expression.BinaryOperator(rawValue: try text(parts[1])) else {
                throw bad("there is no such operator")
            }
            return .binary(symbol, try expression(parts[2]), try expression(parts[3]))
        default: throw bad("a deferred value has a node that is not known: \"\(kind)\"")
        }
    }

    private static func expressions(_ nodes: ArraySlice<Value>) throws(ValueJSON.Failure) -> [Expression] {
        var result: [Expression] = []
        for node in nodes { result.append(try expression(node)) }
        return result
    }

    private static func text(_ value: Value) throws(ValueJSON.Failure) -> String {
        guard case .string(let text) = value else { throw bad("a deferred value lacks a text") }
        return text
    }

    private static func reference(_ parts: [Value]) throws(ValueJSON.Failure) -> Reference {
        var components: [Reference.Component] = []
        for part in parts.dropFirst(2) {
            switch part {
            case .string(let name): components.append(.name(name))
            case .integer(let index): components.append(.index(index))
            default: throw bad("a part of a reference is a text or an integer")
            }
        }
        return Reference(.path(components), stack: try text(parts[1]), range: nil)
    }
}
