import Diagnostics
import MusterModel

// What operators stand between: names, calls, lists, maps, parentheses.

extension ExpressionReader {
    mutating func postfix() throws(SyntaxFailure) -> Node {
        let start = index
        var base: Node
        if isNameStart(byte(at: index)) {
            guard let operand = try word() else { return try reference(from: start) }
            base = operand
        } else {
            base = try primary()
        }
        return try members(of: &base)
    }

    /// A path of constant members is one reference; from the first computed one on they are operations on it.
    mutating func reference(from start: Int) throws(SyntaxFailure) -> Node {
        var components: [Reference.Component] = [.name(name())]
        try refuseDash()
        var end = index
        var computed: Node?
        reading: while computed == nil {
            switch byte(at: index) {
            case UInt8(ascii: "."):
                components.append(.name(try memberName()))
            case UInt8(ascii: "["):
                let key = try bracket()
                switch key.expression {
                case .literal(.string(let name)): components.append(.name(name))
                case .literal(.integer(let offset)) where offset >= 0: components.append(.index(offset))
                default: computed = key
                }
            case UInt8(ascii: "("):
                throw SyntaxFailure(
                    range: start..<index, detail: "Only functions can be called, and their names have no parts.")
            default: break reading
            }
            if computed == nil { end = index }
        }
        let reference = Reference(.path(components), stack: stack, range: place(start..<end))
        guard let key = computed else { return Node(expression: .reference(reference), depth: 1) }
        var base = try node(.index(.reference(reference), key.expression), over: key)
        return try members(of: &base)
    }

    mutating func members(of base: inout Node) throws(SyntaxFailure) -> Node {
        while true {
            switch byte(at: index) {
            case UInt8(ascii: "."):
                base = try node(.member(base.expression, try memberName()), over: base)
            case UInt8(ascii: "["):
                let key = try bracket()
                if case .literal(.string(let name)) = key.expression {
                    base = try node(.member(base.expression, name), over: base)
                } else {
                    base = try node(.index(base.expression, key.expression), depth: max(base.depth, key.depth))
                }
            default: return base
            }
        }
    }

    mutating func memberName() throws(SyntaxFailure) -> String {
        index += 1
        guard isNameStart(byte(at: index)) else {
            let isNumber = isDigit(byte(at: index))
            throw SyntaxFailure(
                range: (index - 1)..<(isNumber ? index + 1 : index), detail: "A name must follow the dot.",
                hint: isNumber
                    ? "Write [0] for the first element of a list, and [\"0\"] for a member of that name."
                    : "Write [\"…\"] for a name with other characters than letters, digits and _.")
        }
        let text = name()
        try refuseDash()
        return text
    }

    /// Refuses a minus with no space beside it after a name: it looks like a part of the name.
    func refuseDash() throws(SyntaxFailure) {
        guard byte(at: index) == UInt8(ascii: "-"), isNameByte(byte(at: index + 1)) else { return }
        var start = index
        while start > 0, isNameByte(bytes[start - 1]) { start -= 1 }
        var end = index
        while isNameByte(byte(at: end)) || byte(at: end) == UInt8(ascii: "-") { end += 1 }
        let name = String(decoding: bytes[start..<end], as: UTF8.self)
        throw SyntaxFailure(
            range: start..<end, detail: "It is not clear whether \(name.quoted) is a name or a subtraction.",
            hint: "A name with a dash stands in brackets: [\(name.quoted)]. To subtract, put spaces around the minus.")
    }

    mutating func bracket() throws(SyntaxFailure) -> Node {
        let start = index
        index += 1
        skipSpace()
        if byte(at: index) == UInt8(ascii: "*") {
            throw SyntaxFailure(
                range: index..<(index + 1), detail: "[*] is not supported.", hint: "Name the elements one by one.")
        }
        let key = try expression()
        try close(UInt8(ascii: "]"), openedAt: start)
        return key
    }

    /// A keyword or a call; nil, with nothing taken, when it is the start of a reference.
    mutating func word() throws(SyntaxFailure) -> Node? {
        let start = index
        var end = index
        while isNameByte(byte(at: end)) { end += 1 }
        func constant(_ value: Value) -> Node {
            index = end
            return Node(expression: .literal(value), depth: 1)
        }
        if isWord("true") { return constant(.bool(true)) }
        if isWord("false") { return constant(.bool(false)) }
        if isWord("null") { return constant(.null) }
        if isWord("and") || isWord("or") {
            throw SyntaxFailure(range: start..<end, detail: "There is no value on its left side.")
        }
        if isWord("not") {
            throw SyntaxFailure(
                range: start..<end, detail: "Here \"not\" needs parentheses: it binds less tightly.",
                hint: "Write (not …).")
        }
        var next = end
        while isSpace(byte(at: next)) { next += 1 }
        guard byte(at: next) == UInt8(ascii: "(") else { return nil }
        index = next
        return try call(String(decoding: bytes[start..<end], as: UTF8.self), nameRange: start..<end)
    }

    mutating func call(_ name: String, nameRange: Range<Int>) throws(SyntaxFailure) -> Node {
        let function = FunctionLibrary[name]
        guard function != nil || (isLinked && (name == "output" || name == "secret")) else {
            throw SyntaxFailure(
                code: "expression.unknown-function", summary: "Unknown function", range: nameRange,
                detail: "There is no function \(name.quoted).",
                hint: Suggestion.hint(for: name, among: FunctionLibrary.all.map(\.name)))
        }
        let open = index
        let elements = try list(until: UInt8(ascii: ")"))
        let arguments = elements.map(\.expression)
        if let function {
            if let complaint = function.complaint(aboutCount: arguments.count) {
                throw SyntaxFailure(
                    code: "expression.argument-count", summary: "Wrong number of arguments",
                    range: nameRange.lowerBound..<index, detail: complaint, hint: function.signature)
            }
            return try node(.call(name, arguments), depth: elements.reduce(0) { max($0, $1.depth) })
        }
        guard arguments.count == 2, case .literal(.string(let first)) = arguments[0],
            case .literal(.string(let second)) = arguments[1]
        else { throw SyntaxFailure(range: open..<index, detail: "\(name) wants two literal strings.") }
        if name == "secret" {
            return Node(expression: .secret(SecretReference(name: first, source: second)), depth: 1)
        }
        guard let address = Address(first) else {
            throw SyntaxFailure(range: open..<index, detail: "\(first.quoted) is not an address.")
        }
        return Node(expression: .output(OutputReference(address, second)), depth: 1)
    }

    mutating func primary() throws(SyntaxFailure) -> Node {
        let start = index
        switch byte(at: index) {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return try string()
        case UInt8(ascii: "["):
            let elements = try list(until: UInt8(ascii: "]"))
            let depth = elements.reduce(0) { max($0, $1.depth) }
            let parts = elements.map(\.expression)
            if let values = constants(parts) { return try node(.literal(.list(values)), depth: depth) }
            return try node(.list(parts), depth: depth)
        case UInt8(ascii: "{"): return try map()
        case UInt8(ascii: "("):
            index += 1
            let inner = try expression()
            try close(UInt8(ascii: ")"), openedAt: start)
            return inner
        case UInt8(ascii: "!"): throw foreign(1, "! is not an operator here.", "Write \"not\".")
        case UInt8(ascii: "}"), UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: ","):
            throw SyntaxFailure(range: index..<(index + 1), detail: "A value is missing here.")
        default: throw unexpected()
        }
    }

    func constants(_ parts: [Expression]) -> [Value]? {
        var values: [Value] = []
        for part in parts {
            guard case .literal(let value) = part else { return nil }
            values.append(value)
        }
        return values
    }

    /// Expressions with commas between them, and maybe one after the last.
    mutating func list(until closing: UInt8) throws(SyntaxFailure) -> [Node] {
        let start = index
        index += 1
        var elements: [Node] = []
        while true {
            skipSpace()
            if byte(at: index) == closing { break }
            elements.append(try expression())
            skipSpace()
            guard byte(at: index) == UInt8(ascii: ",") else { break }
            index += 1
        }
        try close(closing, openedAt: start)
        return elements
    }

    mutating func map() throws(SyntaxFailure) -> Node {
        let start = index
        index += 1
        var entries: [Expression.MapEntry] = []
        var keys: Set<String> = []
        var depth = 0
        while true {
            skipSpace()
            if byte(at: index) == UInt8(ascii: "}") { break }
            let keyStart = index
            let key = try mapKey()
            guard keys.insert(key).inserted else {
                throw SyntaxFailure(range: keyStart..<index, detail: "The key \(key.quoted) is there twice.")
            }
            skipSpace()
            guard byte(at: index) == UInt8(ascii: ":") else {
                throw SyntaxFailure(
                    range: index..<min(index + 1, bytes.count), detail: "A colon must follow the key \(key.quoted).")
            }
            index += 1
            let value = try expression()
            depth = max(depth, value.depth)
            entries.append(Expression.MapEntry(key: key, value: value.expression))
            skipSpace()
            guard byte(at: index) == UInt8(ascii: ",") else { break }
            index += 1
        }
        try close(UInt8(ascii: "}"), openedAt: start)
        if let values = constants(entries.map(\.value)) {
            let members = Dictionary(zip(entries.map(\.key), values), uniquingKeysWith: { _, last in last })
            return try node(.literal(.map(members)), depth: depth)
        }
        return try node(.map(entries), depth: depth)
    }

    mutating func mapKey() throws(SyntaxFailure) -> String {
        let start = index
        switch byte(at: index) {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            if case .literal(.string(let key)) = try string().expression { return key }
            throw SyntaxFailure(
                range: start..<index, detail: "A key cannot have a hole in it.",
                hint: "Make such a map with zip_map(keys, values).")
        case let byte where isNameStart(byte):
            let key = name()
            try refuseDash()
            return key
        case let byte where isDigit(byte):
            throw SyntaxFailure(
                range: start..<(start + 1), detail: "A key must be a name or a quoted text.", hint: "Quote it.")
        default: throw unexpected()
        }
    }
}
