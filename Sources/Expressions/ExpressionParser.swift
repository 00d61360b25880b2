// Text with `${…}` holes → tree.
//
// One pass over the UTF-8 bytes by recursive descent, with precedence climbing for operators. From loosest to tightest:
//
//     or
//     and
//     not x
//     == != < <= > >=      (do not chain: `a < b < c` is refused)
//     + -
//     * / %
//     -x
//     a.b  a["b"]  a[0]  f(x)
//
// Names are `[A-Za-z_][A-Za-z0-9_]*`; a name with anything else in it stands in brackets: `vpc["main-a"].id`. So that
// `vpc.main-a` cannot silently mean a subtraction, a minus between names or numbers wants a space beside it.
//
// Quoted strings, in either kind of quotes, have the escapes `\\ \" \' \n \r \t \$ \uXXXX` and holes of their own. A list
// or map of constants is one literal. There is no recovery inside a hole: its first mistake is reported, and reading goes
// on after it. Nesting is limited, so that no text can exhaust the stack, here or in what walks the tree later.
package import Diagnostics
package import MusterModel

/// Reads the text of scalars and the inside of `${…}`. Pure.
package enum ExpressionParser {
    /// How deep a tree may be.
    package static let maximumDepth = 100
    /// How many bytes one `${…}` may take.
    package static let maximumLength = 65_536

    /// Reads a text with holes.
    ///
    /// Without a hole it is a literal string; a text that is one hole and nothing else keeps the type of what is in it;
    /// else it is a template. `$${` stands for `${`.
    ///
    /// - Parameters:
    ///   - stack: The stack whose names the references use.
    ///   - isLinked: Whether `output("ADDRESS", "NAME")` and `secret("NAME", "SOURCE")` are read as what the printer
    ///     wrote. In a spec they are unknown functions.
    ///   - place: Where a part of the text, given by UTF-8 offsets, stands in a file.
    /// - Returns: The tree, and every mistake. With mistakes the tree is the literal null.
    package static func parseTemplate(
        _ text: String, stack: String, isLinked: Bool = false,
        place: @escaping (Range<Int>) -> SourceRange? = { _ in nil }
    ) -> (Expression, [Diagnostic]) {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return (.literal(.string(text)), []) }
        var reader = ExpressionReader(Array(text.utf8), stack: stack, isLinked: isLinked, place: place)
        return reader.readTemplate()
    }

    /// Reads an expression alone: what stands inside `${…}`.
    package static func parseExpression(
        _ text: String, stack: String, isLinked: Bool = false,
        place: @escaping (Range<Int>) -> SourceRange? = { _ in nil }
    ) -> (Expression, [Diagnostic]) {
        var reader = ExpressionReader(Array(text.utf8), stack: stack, isLinked: isLinked, place: place)
        return reader.readExpression()
    }
}

/// A mistake in an expression, by UTF-8 offsets.
struct SyntaxFailure: Error {
    var code = "expression.syntax"
    var summary = "Invalid expression"
    let range: Range<Int>
    let detail: String
    var hint: String?
}

struct ExpressionReader {
    struct Node {
        var expression: Expression
        /// The height of the tree.
        var depth: Int
    }

    private let bytes: [UInt8]
    private let stack: String
    private let isLinked: Bool
    private let place: (Range<Int>) -> SourceRange?
    private var index = 0
    private var nesting = 0
    private var diagnostics: [Diagnostic] = []

    init(_ bytes: [UInt8], stack: String, isLinked: Bool, place: @escaping (Range<Int>) -> SourceRange?) {
        self.bytes = bytes
        self.stack = stack
        self.isLinked = isLinked
        self.place = place
    }

    mutating func readExpression() -> (Expression, [Diagnostic]) {
        do throws(SyntaxFailure) {
            guard bytes.count <= ExpressionParser.maximumLength else { throw tooLong(0..<bytes.count) }
            let node = try expression()
            skipSpace()
            if index < bytes.count { throw unexpected() }
            return (node.expression, [])
        } catch {
            return (.literal(.null), [diagnostic(error)])
        }
    }

    mutating func readTemplate() -> (Expression, [Diagnostic]) {
        var parts: [Expression] = []
        var text: [UInt8] = []
        while index < bytes.count {
            if takeEscapedHole() {
                text += [UInt8(ascii: "$"), UInt8(ascii: "{")]
            } else if isHole {
                let start = index
                do {
                    let node = try hole()
                    if start == 0, index == bytes.count { return (node.expression, []) }
                    appendText(&text, to: &parts)
                    parts.append(node.expression)
                } catch {
                    diagnostics.append(diagnostic(error))
                    skipHole(from: start)
                }
            } else {
                text.append(bytes[index])
                index += 1
            }
        }
        if !diagnostics.isEmpty { return (.literal(.null), diagnostics) }
        if parts.isEmpty { return (.literal(.string(String(decoding: text, as: UTF8.self))), []) }
        appendText(&text, to: &parts)
        return (.template(parts), [])
    }

    private func diagnostic(_ failure: SyntaxFailure) -> Diagnostic {
        Diagnostic(
            code: failure.code, summary: failure.summary, detail: failure.detail, at: place(failure.range),
            hint: failure.hint)
    }

    private func appendText(_ text: inout [UInt8], to parts: inout [Expression]) {
        if text.isEmpty { return }
        parts.append(.literal(.string(String(decoding: text, as: UTF8.self))))
        text.removeAll(keepingCapacity: true)
    }

    // MARK: Holes

    private func byte(at offset: Int) -> UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    private var isHole: Bool { byte(at: index) == UInt8(ascii: "$") && byte(at: index + 1) == UInt8(ascii: "{") }

    private mutating func takeEscapedHole() -> Bool {
        guard byte(at: index) == UInt8(ascii: "$"), byte(at: index + 1) == UInt8(ascii: "$"),
            byte(at: index + 2) == UInt8(ascii: "{")
        else { return false }
        index += 3
        return true
    }

    private mutating func hole() throws(SyntaxFailure) -> Node {
        let start = index
        index += 2
        skipSpace()
        if byte(at: index) == UInt8(ascii: "}") {
            throw SyntaxFailure(
                range: start..<(index + 1), detail: "There is nothing between ${ and }.",
                hint: "Write $${ for the two characters ${.")
        }
        do throws(SyntaxFailure) {
            let node = try expression()
            skipSpace()
            if index >= bytes.count { throw unclosed(start) }
            guard bytes[index] == UInt8(ascii: "}") else { throw unexpected() }
            index += 1
            guard index - start <= ExpressionParser.maximumLength else { throw tooLong(start..<index) }
            return node
        } catch {
            // A text that ends inside the hole lacks its end first of all.
            guard error.range.lowerBound >= bytes.count else { throw shellHinted(error, start) }
            throw unclosed(start)
        }
    }

    private func unclosed(_ start: Int) -> SyntaxFailure {
        SyntaxFailure(
            range: start..<(start + 2), detail: "This ${ has no closing }.",
            hint: "Close it, or write $${ for the two characters ${.")
    }

    private func tooLong(_ range: Range<Int>) -> SyntaxFailure {
        SyntaxFailure(
            code: "expression.too-large", summary: "Expression too large", range: range,
            detail: "An expression may be \(ExpressionParser.maximumLength) bytes long, and this one is longer.",
            hint: "Move the data to a file and read it with file().")
    }

    /// `${NAME:-word}` is a shell's, not ours.
    private func shellHinted(_ failure: SyntaxFailure, _ start: Int) -> SyntaxFailure {
        var end = start + 2
        while isNameByte(byte(at: end)) { end += 1 }
        let isLength = byte(at: start + 2) == UInt8(ascii: "#") && isNameByte(byte(at: start + 3))
        let isModified = end > start + 2 && ":-=?+#%/^".utf8.contains(byte(at: end))
        guard failure.hint == nil, isLength || isModified, failure.range.lowerBound <= end + 1 else { return failure }
        var failure = failure
        failure.hint = "If this is for a shell, write $${ in place of ${."
        return failure
    }

    /// Goes on after a hole with a mistake in it.
    private mutating func skipHole(from start: Int) {
        index = start + 2
        var depth = 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 {
                    index += 1
                    return
                }
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                let quote = bytes[index]
                index += 1
                while index < bytes.count, bytes[index] != quote {
                    index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
                }
            default: break
            }
            index += 1
        }
    }

    // MARK: Operators

    private struct Operator {
        let symbol: Expression.BinaryOperator
        let power: Int
        let length: Int
    }

    private static let notPower = 3
    private static let comparisonPower = 4

    private mutating func expression(_ minimum: Int = 1) throws(SyntaxFailure) -> Node {
        nesting += 1
        defer { nesting -= 1 }
        skipSpace()
        if nesting > ExpressionParser.maximumDepth { throw tooDeep(index) }
        var left: Node
        if minimum <= Self.notPower, takeWord("not") {
            let operand = try expression(Self.notPower)
            left = try node(.unary(.not, operand.expression), over: operand)
        } else {
            left = try unary()
        }
        while let found = try nextOperator(), found.power >= minimum {
            let start = index
            index += found.length
            let right = try expression(found.power + 1)
            left = try node(
                .binary(found.symbol, left.expression, right.expression), depth: max(left.depth, right.depth))
            if found.power == Self.comparisonPower, let next = try nextOperator(), next.power == found.power {
                throw SyntaxFailure(
                    range: index..<(index + next.length), detail: "Comparisons cannot be chained.",
                    hint: "Join two comparisons with \"and\", or use parentheses.")
            }
            if left.depth > ExpressionParser.maximumDepth { throw tooDeep(start) }
        }
        return left
    }

    private func node(_ expression: Expression, over operand: Node) throws(SyntaxFailure) -> Node {
        try node(expression, depth: operand.depth)
    }

    private func node(_ expression: Expression, depth: Int) throws(SyntaxFailure) -> Node {
        if depth >= ExpressionParser.maximumDepth { throw tooDeep(index) }
        return Node(expression: expression, depth: depth + 1)
    }

    private func tooDeep(_ offset: Int) -> SyntaxFailure {
        SyntaxFailure(
            code: "expression.too-large", summary: "Expression too large",
            range: min(offset, bytes.count)..<min(offset + 1, bytes.count),
            detail: "Expressions may be nested \(ExpressionParser.maximumDepth) levels deep, and this one is deeper.",
            hint: "Split it into variables.")
    }

    private mutating func nextOperator() throws(SyntaxFailure) -> Operator? {
        skipSpace()
        let next = byte(at: index + 1)
        func one(_ symbol: Expression.BinaryOperator, _ power: Int) -> Operator {
            Operator(symbol: symbol, power: power, length: 1)
        }
        func two(_ symbol: Expression.BinaryOperator) -> Operator {
            Operator(symbol: symbol, power: Self.comparisonPower, length: 2)
        }
        let isEqual = next == UInt8(ascii: "=")
        switch byte(at: index) {
        case UInt8(ascii: "+"): return one(.add, 5)
        case UInt8(ascii: "-"): return one(.subtract, 5)
        case UInt8(ascii: "*"): return one(.multiply, 6)
        case UInt8(ascii: "/"): return one(.divide, 6)
        case UInt8(ascii: "%"): return one(.remainder, 6)
        case UInt8(ascii: "<"): return isEqual ? two(.lessOrEqual) : one(.less, Self.comparisonPower)
        case UInt8(ascii: ">"): return isEqual ? two(.greaterOrEqual) : one(.greater, Self.comparisonPower)
        case UInt8(ascii: "=") where isEqual: return two(.equal)
        case UInt8(ascii: "!") where isEqual: return two(.notEqual)
        case UInt8(ascii: "a") where isWord("and"): return Operator(symbol: .and, power: 2, length: 3)
        case UInt8(ascii: "o") where isWord("or"): return Operator(symbol: .or, power: 1, length: 2)
        case UInt8(ascii: "="): throw foreign(1, "One = is not an operator.", "Write == to compare.")
        case UInt8(ascii: "&"): throw foreign(2, "&& is not an operator here.", "Write \"and\".")
        case UInt8(ascii: "|"): throw foreign(2, "|| is not an operator here.", "Write \"or\".")
        case UInt8(ascii: "?"): throw foreign(1, "? is not an operator here.", "Write if(condition, then, else).")
        default: return nil
        }
    }

    private func foreign(_ length: Int, _ detail: String, _ hint: String) -> SyntaxFailure {
        SyntaxFailure(range: index..<min(index + length, bytes.count), detail: detail, hint: hint)
    }

    private mutating func unary() throws(SyntaxFailure) -> Node {
        skipSpace()
        guard byte(at: index) == UInt8(ascii: "-") else { return try postfix() }
        if isDigit(byte(at: index + 1)) { return try number() }
        index += 1
        nesting += 1
        defer { nesting -= 1 }
        if nesting > ExpressionParser.maximumDepth { throw tooDeep(index) }
        let operand = try unary()
        return try node(.unary(.negate, operand.expression), over: operand)
    }

    // MARK: Operands

    private mutating func postfix() throws(SyntaxFailure) -> Node {
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
    private mutating func reference(from start: Int) throws(SyntaxFailure) -> Node {
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

    private mutating func members(of base: inout Node) throws(SyntaxFailure) -> Node {
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

    private mutating func memberName() throws(SyntaxFailure) -> String {
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
    private func refuseDash() throws(SyntaxFailure) {
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

    private mutating func bracket() throws(SyntaxFailure) -> Node {
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
    private mutating func word() throws(SyntaxFailure) -> Node? {
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

    private mutating func call(_ name: String, nameRange: Range<Int>) throws(SyntaxFailure) -> Node {
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

    private mutating func primary() throws(SyntaxFailure) -> Node {
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

    private func constants(_ parts: [Expression]) -> [Value]? {
        var values: [Value] = []
        for part in parts {
            guard case .literal(let value) = part else { return nil }
            values.append(value)
        }
        return values
    }

    /// Expressions with commas between them, and maybe one after the last.
    private mutating func list(until closing: UInt8) throws(SyntaxFailure) -> [Node] {
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

    private mutating func map() throws(SyntaxFailure) -> Node {
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

    private mutating func mapKey() throws(SyntaxFailure) -> String {
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

    // MARK: Literals

    private mutating func number() throws(SyntaxFailure) -> Node {
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

    private mutating func string() throws(SyntaxFailure) -> Node {
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

    private mutating func escape(into text: inout [UInt8]) throws(SyntaxFailure) {
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

    private mutating func unicodeEscape() -> Unicode.Scalar? {
        guard let first = hexDigits() else { return nil }
        guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(first) }
        guard byte(at: index) == UInt8(ascii: "\\"), byte(at: index + 1) == UInt8(ascii: "u") else { return nil }
        index += 2
        guard let second = hexDigits(), (0xDC00...0xDFFF).contains(second) else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private mutating func hexDigits() -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for offset in index..<(index + 4) {
            guard let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        index += 4
        return value
    }

    // MARK: Bytes

    private mutating func close(_ closing: UInt8, openedAt start: Int) throws(SyntaxFailure) {
        skipSpace()
        if byte(at: index) == closing {
            index += 1
            return
        }
        guard index >= bytes.count || bytes[index] == UInt8(ascii: "}") else { throw unexpected() }
        throw SyntaxFailure(
            range: start..<(start + 1),
            detail: "This \(Character(Unicode.Scalar(bytes[start]))) has no closing "
                + "\(Character(Unicode.Scalar(closing))).")
    }

    private func unexpected() -> SyntaxFailure {
        guard index < bytes.count else {
            return SyntaxFailure(
                range: bytes.count..<bytes.count, detail: "The expression ends where a value must follow.")
        }
        var end = index + 1
        if isNameByte(bytes[index]) {
            while isNameByte(byte(at: end)) { end += 1 }
        } else {
            while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
        }
        let text = String(decoding: bytes[index..<end], as: UTF8.self)
        let what = text == "\"" ? "A quotation mark" : text.quoted
        let hint: String?
        switch text {
        case "“", "”", "„", "‘", "’": hint = "Write straight quotation marks: \"…\" or '…'."
        case "(", "[", "{", "\"", "'": hint = "Between two values there must be an operator or a comma."
        default:
            hint = isNameByte(bytes[index]) ? "Between two values there must be an operator or a comma." : nil
        }
        return SyntaxFailure(range: index..<end, detail: "\(what) does not fit here.", hint: hint)
    }

    private mutating func skipSpace() {
        while index < bytes.count, isSpace(bytes[index]) { index += 1 }
    }

    private mutating func name() -> String {
        let start = index
        while isNameByte(byte(at: index)) { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private func isWord(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard index + count <= bytes.count, !isNameByte(byte(at: index + count)) else { return false }
        for offset in 0..<count where bytes[index + offset] != word.utf8Start[offset] { return false }
        return true
    }

    private mutating func takeWord(_ word: StaticString) -> Bool {
        guard isWord(word) else { return false }
        index += word.utf8CodeUnitCount
        return true
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private func isNameStart(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }
    private func isNameByte(_ byte: UInt8) -> Bool { isNameStart(byte) || isDigit(byte) }
}
