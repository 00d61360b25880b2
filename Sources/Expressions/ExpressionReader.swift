import Diagnostics
import MusterModel

/// Where the parser stands in a text: holes, operators, and the bytes below them.
struct ExpressionReader {
    struct Node {
        var expression: Expression
        /// The height of the tree.
        var depth: Int
    }

    let bytes: [UInt8]
    let stack: String
    let isLinked: Bool
    let place: (Range<Int>) -> SourceRange?
    var index = 0
    var nesting = 0
    var diagnostics: [Diagnostic] = []

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

    func diagnostic(_ failure: SyntaxFailure) -> Diagnostic {
        Diagnostic(
            code: failure.code, summary: failure.summary, detail: failure.detail, at: place(failure.range),
            hint: failure.hint)
    }

    func appendText(_ text: inout [UInt8], to parts: inout [Expression]) {
        if text.isEmpty { return }
        parts.append(.literal(.string(String(decoding: text, as: UTF8.self))))
        text.removeAll(keepingCapacity: true)
    }

    // MARK: Holes

    func byte(at offset: Int) -> UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    var isHole: Bool { byte(at: index) == UInt8(ascii: "$") && byte(at: index + 1) == UInt8(ascii: "{") }

    mutating func takeEscapedHole() -> Bool {
        guard byte(at: index) == UInt8(ascii: "$"), byte(at: index + 1) == UInt8(ascii: "$"),
            byte(at: index + 2) == UInt8(ascii: "{")
        else { return false }
        index += 3
        return true
    }

    mutating func hole() throws(SyntaxFailure) -> Node {
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

    func unclosed(_ start: Int) -> SyntaxFailure {
        SyntaxFailure(
            range: start..<(start + 2), detail: "This ${ has no closing }.",
            hint: "Close it, or write $${ for the two characters ${.")
    }

    func tooLong(_ range: Range<Int>) -> SyntaxFailure {
        SyntaxFailure(
            code: "expression.too-large", summary: "Expression too large", range: range,
            detail: "An expression may be \(ExpressionParser.maximumLength) bytes long, and this one is longer.",
            hint: "Move the data to a file and read it with file().")
    }

    /// `${NAME:-word}` is a shell's, not ours.
    func shellHinted(_ failure: SyntaxFailure, _ start: Int) -> SyntaxFailure {
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
    mutating func skipHole(from start: Int) {
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

    struct Operator {
        let symbol: Expression.BinaryOperator
        let power: Int
        let length: Int
    }

    static let notPower = 3
    static let comparisonPower = 4

    mutating func expression(_ minimum: Int = 1) throws(SyntaxFailure) -> Node {
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

    func node(_ expression: Expression, over operand: Node) throws(SyntaxFailure) -> Node {
        try node(expression, depth: operand.depth)
    }

    func node(_ expression: Expression, depth: Int) throws(SyntaxFailure) -> Node {
        if depth >= ExpressionParser.maximumDepth { throw tooDeep(index) }
        return Node(expression: expression, depth: depth + 1)
    }

    func tooDeep(_ offset: Int) -> SyntaxFailure {
        SyntaxFailure(
            code: "expression.too-large", summary: "Expression too large",
            range: min(offset, bytes.count)..<min(offset + 1, bytes.count),
            detail: "Expressions may be nested \(ExpressionParser.maximumDepth) levels deep, and this one is deeper.",
            hint: "Split it into variables.")
    }

    mutating func nextOperator() throws(SyntaxFailure) -> Operator? {
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

    func foreign(_ length: Int, _ detail: String, _ hint: String) -> SyntaxFailure {
        SyntaxFailure(range: index..<min(index + length, bytes.count), detail: detail, hint: hint)
    }

    mutating func unary() throws(SyntaxFailure) -> Node {
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

    // MARK: Bytes

    mutating func close(_ closing: UInt8, openedAt start: Int) throws(SyntaxFailure) {
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

    func unexpected() -> SyntaxFailure {
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

    mutating func skipSpace() {
        while index < bytes.count, isSpace(bytes[index]) { index += 1 }
    }

    mutating func name() -> String {
        let start = index
        while isNameByte(byte(at: index)) { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    func isWord(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard index + count <= bytes.count, !isNameByte(byte(at: index + count)) else { return false }
        for offset in 0..<count where bytes[index + offset] != word.utf8Start[offset] { return false }
        return true
    }

    mutating func takeWord(_ word: StaticString) -> Bool {
        guard isWord(word) else { return false }
        index += word.utf8CodeUnitCount
        return true
    }

    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    func isNameStart(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }
    func isNameByte(_ byte: UInt8) -> Bool { isNameStart(byte) || isDigit(byte) }
}
