// Trees and values as text.
//
// `sourceText` is what a person would write between `${` and `}`, with as few parentheses as reading back needs. It reads
// back as the same tree (places aside) if the tree is one that parsing or evaluating makes: constant lists and maps are
// literals, templates are not empty, constant keys are members. Bare names that are not linked, infinities and NaN have no
// source text that reads back.
//
// `displayText` is for people only.
import Diagnostics

extension Expression {
    /// What stands between `${` and `}`. Outputs are written `output("ADDRESS", "NAME")` and secrets
    /// `secret("NAME", "SOURCE")`, which are read back on demand only.
    package var sourceText: String {
        var printer = ExpressionPrinter(leaves: .source)
        printer.write(self, minimum: .or)
        return printer.text
    }
}

extension Value {
    /// How a report names what is known only after apply.
    package enum UnknownStyle: Sendable, Hashable {
        /// `(known after apply)`
        case phrase
        /// The outputs that it waits for: `aws.vpc/main.id`, with the stack.
        case reference
    }

    /// The value on one line, in the language's own syntax, safe for a terminal. A secret is `‹secret:name›`.
    package func displayText(unknown: UnknownStyle = .phrase) -> String {
        var printer = ExpressionPrinter(leaves: .display(unknown))
        printer.write(self)
        return DisplayText.neutralised(printer.text)
    }
}

private struct ExpressionPrinter {
    enum Leaves {
        case source
        case display(Value.UnknownStyle)
    }

    /// How tightly an operator binds.
    enum Power: Int {
        case or = 1
        case and, not, comparison, sum, product, negation, postfix
    }

    let leaves: Leaves
    var text = ""

    init(leaves: Leaves) { self.leaves = leaves }

    private var isSource: Bool { if case .source = leaves { true } else { false } }

    // MARK: Values

    mutating func write(_ value: Value) {
        switch value {
        case .null: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .integer(let number): text += String(number)
        case .number(let number): text += number.description
        case .string(let string):
            text += "\""
            write(characters: string, isBeforeHole: false)
            text += "\""
        case .list(let values):
            text += "["
            for (position, value) in values.enumerated() {
                if position > 0 { text += ", " }
                write(value)
            }
            text += "]"
        case .map(let members):
            writeMap(members.keys.sorted()) { printer, position, key in printer.write(members[key] ?? .null) }
        case .deferred(let deferred): write(deferred.expression, minimum: .or)
        }
    }

    private mutating func writeMap(_ keys: [String], _ value: (inout ExpressionPrinter, Int, String) -> Void) {
        if keys.isEmpty {
            text += "{}"
            return
        }
        text += "{ "
        for (position, key) in keys.enumerated() {
            if position > 0 { text += ", " }
            if ExpressionPrinter.isName(key) { text += key } else { write(.string(key)) }
            text += ": "
            value(&self, position, key)
        }
        text += " }"
    }

    private mutating func write(characters: String, isBeforeHole: Bool) {
        var scalars = characters.unicodeScalars.makeIterator()
        var next = scalars.next()
        while let scalar = next {
            next = scalars.next()
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "$" where isSource && (next == "{" || (next == nil && isBeforeHole)): text += "\\$"
            case "\u{0}"..."\u{1F}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    // MARK: Trees

    mutating func write(_ expression: Expression, minimum: Power) {
        if case .display(.phrase) = leaves, isUnknown(expression) {
            text += "(known after apply)"
            return
        }
        let isEnclosed = ExpressionPrinter.power(of: expression).rawValue < minimum.rawValue
        if isEnclosed { text += "(" }
        writeBare(expression)
        if isEnclosed { text += ")" }
    }

    /// Whether all that is to be said of it is that it is not known: a text still shows its known parts.
    private func isUnknown(_ expression: Expression) -> Bool {
        switch expression {
        case .literal, .template, .list, .map: return false
        default: break
        }
        var isOpen = false
        var hasSecret = false
        expression.visit {
            switch $0 {
            case .output, .reference: isOpen = true
            case .secret: hasSecret = true
            default: break
            }
        }
        return isOpen && !hasSecret
    }

    private mutating func writeBare(_ expression: Expression) {
        switch expression {
        case .literal(let value): write(value)
        case .reference(let reference): write(reference)
        case .output(let reference):
            switch leaves {
            case .source: writeCall("output", reference.address.description, reference.output)
            case .display: text += "\(reference.address).\(reference.output)"
            }
        case .secret(let reference):
            switch leaves {
            case .source: writeCall("secret", reference.name, reference.source)
            case .display: text += "‹secret:\(reference.name)›"
            }
        case .template(let parts): writeTemplate(parts)
        case .list(let parts): writeList(parts, "[", "]")
        case .map(let entries):
            writeMap(entries.map(\.key)) { printer, position, _ in
                printer.write(entries[position].value, minimum: .or)
            }
        case .member(let base, let name):
            writeBase(base)
            writeMember(name)
        case .index(let base, let key):
            if case .reference = base, !ExpressionPrinter.isConstantKey(key) {
                write(base, minimum: .postfix)
            } else {
                writeBase(base)
            }
            text += "["
            write(key, minimum: .or)
            text += "]"
        case .call(let name, let arguments):
            text += name
            writeList(arguments, "(", ")")
        case .unary(.not, let operand):
            text += "not "
            write(operand, minimum: .not)
        case .unary(.negate, let operand):
            text += "-"
            // A minus before a number would become a part of it.
            if ExpressionPrinter.isNumber(operand) { text += "(" }
            write(operand, minimum: .negation)
            if ExpressionPrinter.isNumber(operand) { text += ")" }
        case .binary(let symbol, let left, let right):
            let power = ExpressionPrinter.power(of: symbol)
            let tighter = Power(rawValue: power.rawValue + 1) ?? .postfix
            write(left, minimum: power == .comparison ? tighter : power)
            text += " \(symbol.rawValue) "
            write(right, minimum: tighter)
        }
    }

    private mutating func writeTemplate(_ parts: [Expression]) {
        text += "\""
        // Only a part between holes can stand as it is: two texts side by side would become one, and so would a lone one.
        var wasText = parts.count == 1
        for (position, part) in parts.enumerated() {
            if case .literal(.string(let string)) = part, !string.isEmpty, !wasText || !isSource {
                write(characters: string, isBeforeHole: position + 1 < parts.count)
                wasText = true
            } else {
                if isSource { text += "${" }
                write(part, minimum: .or)
                if isSource { text += "}" }
                wasText = false
            }
        }
        text += "\""
    }

    private mutating func writeList(_ parts: [Expression], _ opening: String, _ closing: String) {
        text += opening
        for (position, part) in parts.enumerated() {
            if position > 0 { text += ", " }
            write(part, minimum: .or)
        }
        text += closing
    }

    private mutating func writeCall(_ name: String, _ first: String, _ second: String) {
        text += name
        writeList([.literal(.string(first)), .literal(.string(second))], "(", ")")
    }

    /// In parentheses a reference ends: what follows is no part of it.
    private mutating func writeBase(_ base: Expression) {
        let isEnclosed: Bool
        if case .reference = base { isEnclosed = true } else { isEnclosed = ExpressionPrinter.isNumber(base) }
        if isEnclosed { text += "(" }
        write(base, minimum: .postfix)
        if isEnclosed { text += ")" }
    }

    private mutating func writeMember(_ name: String) {
        if ExpressionPrinter.isName(name) {
            text += ".\(name)"
        } else {
            text += "["
            write(.string(name))
            text += "]"
        }
    }

    private mutating func write(_ reference: Reference) {
        switch reference.target {
        case .named(_, let name): write(.string(name))
        case .path(let components):
            for (position, component) in components.enumerated() {
                switch component {
                case .name(let name) where position == 0: text += name
                case .name(let name): writeMember(name)
                case .index(let index): text += "[\(index)]"
                }
            }
        }
    }

    // MARK: Grammar

    private static func power(of expression: Expression) -> Power {
        switch expression {
        case .binary(let symbol, _, _): power(of: symbol)
        case .unary(.not, _): .not
        case .unary(.negate, _): .negation
        default: .postfix
        }
    }

    private static func power(of symbol: Expression.BinaryOperator) -> Power {
        switch symbol {
        case .or: .or
        case .and: .and
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: .comparison
        case .add, .subtract: .sum
        case .multiply, .divide, .remainder: .product
        }
    }

    private static func isNumber(_ expression: Expression) -> Bool {
        switch expression {
        case .literal(.integer), .literal(.number): true
        default: false
        }
    }

    /// Whether parsing would make the key a part of the reference before it.
    private static func isConstantKey(_ key: Expression) -> Bool {
        switch key {
        case .literal(.string): true
        case .literal(.integer(let index)): index >= 0
        default: false
        }
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
