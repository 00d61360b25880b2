// Writing canonical JSON, as `ValueJSON` describes it.
//
// A document of many small objects is written member by member into one buffer. To build each as a `Value` first would
// cost a dictionary and a sort per object: more than planning it.

/// Writes canonical JSON piece by piece. Whoever writes an object gives its members in the ascending order of their names.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    /// Levels; nil: on one line.
    private var indentation: Int?
    /// `$deferred` is a key like any other, and what is deferred becomes null.
    private let isPlain: Bool
    /// Whether nothing was written yet between the innermost brackets.
    private var isFirst = true

    package init(isPlain: Bool = false) { self.init(isPlain: isPlain, indentation: nil) }

    init(isPlain: Bool = false, indentation: Int?) {
        self.isPlain = isPlain
        self.indentation = indentation
    }

    // MARK: Pieces

    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        let outer = open(UInt8(ascii: "{"))
        body(&self)
        close(UInt8(ascii: "}"), outer)
    }

    package mutating func array<Elements: Sequence>(
        _ elements: Elements, _ body: (inout JSONWriter, Elements.Element) -> Void
    ) {
        let outer = open(UInt8(ascii: "["))
        for element in elements {
            separate()
            body(&self, element)
        }
        close(UInt8(ascii: "]"), outer)
    }

    /// A member of the innermost object; `body` writes one value.
    package mutating func member(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        key(name)
        body(&self)
    }

    /// Left out when nil, like the following.
    package mutating func member(_ name: StaticString, _ text: String?) {
        guard let text else { return }
        key(name)
        write(text)
    }

    package mutating func member(_ name: StaticString, _ number: Int?) {
        guard let number else { return }
        key(name)
        write(number)
    }

    package mutating func member(_ name: StaticString, _ flag: Bool?) {
        guard let flag else { return }
        key(name)
        write(flag)
    }

    package mutating func member(_ name: StaticString, value: Value?) {
        guard let value else { return }
        key(name)
        write(value)
    }

    package mutating func member<Elements: Sequence>(
        _ name: StaticString, _ elements: Elements, _ body: (inout JSONWriter, Elements.Element) -> Void
    ) {
        key(name)
        array(elements, body)
    }

    package mutating func member(_ name: StaticString, _ texts: some Sequence<String>) {
        member(name, texts) { $0.write($1) }
    }

    private mutating func key(_ name: StaticString) {
        separate()
        byte(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        byte(UInt8(ascii: "\""))
        colon()
    }

    // MARK: Values

    package mutating func write(_ value: Value) {
        switch value {
        case .null: raw("null")
        case .bool(let flag): write(flag)
        case .integer(let number): write(number)
        case .number(let number): write(number)
        case .string(let text): write(text)
        case .list(let values): array(values) { $0.write($1) }
        case .map(let members):
            let outer = open(UInt8(ascii: "{"))
            if members.count == 1, let member = members.first {
                write(member)
            } else {
                for member in members.sorted(by: { $0.key < $1.key }) { write(member) }
            }
            close(UInt8(ascii: "}"), outer)
        case .deferred(let deferred):
            if isPlain { return raw("null") }
            let outer = open(UInt8(ascii: "{"))
            separate()
            write(DeferredCoder.key)
            colon()
            // Trees stay on one line.
            let level = indentation
            indentation = nil
            write(deferred.expression)
            indentation = level
            close(UInt8(ascii: "}"), outer)
        }
    }

    private mutating func write(_ member: (key: String, value: Value)) {
        separate()
        if !isPlain, member.key.utf8.first == UInt8(ascii: "$"), member.key.utf8.starts(with: DeferredCoder.key.utf8) {
            write(DeferredCoder.key + "$" + member.key.dropFirst(DeferredCoder.key.count))
        } else {
            write(member.key)
        }
        colon()
        write(member.value)
    }

    package mutating func write(_ flag: Bool) { raw(flag ? "true" : "false") }

    package mutating func write(_ number: Int) {
        if (0...9).contains(number) {
            byte(UInt8(ascii: "0") + UInt8(number))
        } else {
            raw(String(number))
        }
    }

    private mutating func write(_ number: Double) {
        if number.isNaN { return raw("null") }
        if number.isInfinite { return raw(number < 0 ? "-1e999" : "1e999") }
        // Minus zero equals zero, so it is written like it.
        raw(number == 0 ? "0.0" : number.description)
    }

    package mutating func write(_ text: String) {
        byte(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { characters in
            if !JSONWriter.hasEscaped(characters) { return bytes.append(contentsOf: characters) }
            for character in characters {
                if JSONWriter.isEscaped(character) { escape(character) } else { byte(character) }
            }
        }
        byte(UInt8(ascii: "\""))
    }

    /// Looks at all bytes without a branch, so that many are looked at in one instruction.
    private static func hasEscaped(_ characters: UnsafeBufferPointer<UInt8>) -> Bool {
        var found: UInt8 = 0
        for character in characters { found |= isEscaped(character) ? 1 : 0 }
        return found != 0
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
    }

    private mutating func escape(_ character: UInt8) {
        byte(UInt8(ascii: "\\"))
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte(character)
        case 0x08: byte(UInt8(ascii: "b"))
        case 0x09: byte(UInt8(ascii: "t"))
        case 0x0A: byte(UInt8(ascii: "n"))
        case 0x0C: byte(UInt8(ascii: "f"))
        case 0x0D: byte(UInt8(ascii: "r"))
        default:
            raw("u00")
            byte(Self.hexadecimal[Int(character >> 4)])
            byte(Self.hexadecimal[Int(character & 15)])
        }
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)

    // MARK: Trees

    private mutating func write(_ expression: Expression) {
        switch expression {
        case .literal(let value):
            switch value {
            case .null, .bool, .integer, .number, .string: write(value)
            case .list, .map, .deferred: node("value") { $0.next { $0.write(value) } }
            }
        case .reference(let reference): write(reference)
        case .output(let reference): node("output", reference.address.description, reference.output)
        case .secret(let reference): node("secret", reference.name, reference.source)
        case .template(let parts): node("template", parts: parts)
        case .list(let parts): node("list", parts: parts)
        case .map(let entries):
            node("map") { writer in
                for entry in entries {
                    writer.next { $0.write(entry.key) }
                    writer.next { $0.write(entry.value) }
                }
            }
        case .member(let base, let name):
            node("member") { writer in
                writer.next { $0.write(base) }
                writer.next { $0.write(name) }
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
            node("reference", reference.stack) { writer in
                for component in components {
                    writer.next {
                        switch component {
                        case .name(let name): $0.write(name)
                        case .index(let index): $0.write(index)
                        }
                    }
                }
            }
        }
    }

    private mutating func node(_ kind: String, _ texts: String..., parts: [Expression]) {
        node([kind] + texts) { writer in
            for part in parts { writer.next { $0.write(part) } }
        }
    }

    private mutating func node(_ texts: String..., body: (inout JSONWriter) -> Void = { _ in }) {
        node(texts, body)
    }

    private mutating func node(_ texts: [String], _ body: (inout JSONWriter) -> Void) {
        let outer = open(UInt8(ascii: "["))
        for text in texts { next { $0.write(text) } }
        body(&self)
        close(UInt8(ascii: "]"), outer)
    }

    private mutating func next(_ body: (inout JSONWriter) -> Void) {
        separate()
        body(&self)
    }

    // MARK: Tokens

    /// - Returns: what `close` wants to know.
    private mutating func open(_ bracket: UInt8) -> Bool {
        byte(bracket)
        if let level = indentation { indentation = level + 1 }
        defer { isFirst = true }
        return isFirst
    }

    private mutating func close(_ bracket: UInt8, _ outer: Bool) {
        if let level = indentation {
            indentation = level - 1
            if !isFirst { newLine() }
        }
        isFirst = outer
        byte(bracket)
    }

    private mutating func separate() {
        if !isFirst { byte(UInt8(ascii: ",")) }
        isFirst = false
        if indentation != nil { newLine() }
    }

    private mutating func colon() {
        byte(UInt8(ascii: ":"))
        if indentation != nil { byte(UInt8(ascii: " ")) }
    }

    private mutating func newLine() {
        guard let level = indentation else { return }
        byte(0x0A)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: level * 2))
    }

    private mutating func byte(_ byte: UInt8) { bytes.append(byte) }

    private mutating func raw(_ text: String) {
        var text = text
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }
}
