/// Writes a value, with its deferred trees, as JSON.
struct JSONWriter {
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
