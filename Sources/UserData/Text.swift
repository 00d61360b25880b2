// Rendered user data: texts that may hold values which are known only when a step is about to run.
//
// A `Text` is literal pieces and holes. A hole is an expression; `value` joins them into one expression that is evaluated
// at apply, when addresses exist and secrets may be read. What a hole needs in its place (quotes of a shell, of YAML, of a
// URL) is therefore an expression too, and not something that rendering could do itself.
//
// Nothing here reads a file, asks anybody or knows a section: values come in, texts go out.

package import MusterModel
import TextEncodings

/// Text with holes.
package struct Text: Sendable, Hashable {
    enum Piece: Sendable, Hashable {
        case literal(String)
        case hole(Expression)
    }

    private(set) var pieces: [Piece] = []

    package init() {}

    package mutating func append(_ text: String) {
        if text.isEmpty { return }
        if case .literal(let last)? = pieces.last {
            pieces[pieces.count - 1] = .literal(last + text)
        } else {
            pieces.append(.literal(text))
        }
    }

    package mutating func append(_ text: Text) {
        for piece in text.pieces {
            switch piece {
            case .literal(let text): append(text)
            case .hole: pieces.append(piece)
            }
        }
    }

    mutating func appendHole(_ expression: Expression) { pieces.append(.hole(expression)) }

    package static func += (left: inout Text, right: Text) { left.append(right) }

    /// The whole as a value: a string when nothing is open.
    package var value: Value {
        if let literal { return .string(literal) }
        return .deferred(Deferred(.template(pieces.map(\.expression))))
    }

    /// The text; nil when it has holes.
    package var literal: String? {
        switch pieces.count {
        case 0: return ""
        case 1: if case .literal(let text) = pieces[0] { return text } else { return nil }
        default: return nil
        }
    }

    package var isEmpty: Bool { pieces.isEmpty }
    package var holeCount: Int { pieces.count { if case .hole = $0 { true } else { false } } }
    /// The bytes of what is known.
    package var literalByteCount: Int {
        pieces.reduce(0) { sum, piece in if case .literal(let text) = piece { sum + text.utf8.count } else { sum } }
    }

    /// All that is known, one piece after the other.
    package var knownText: String {
        pieces.reduce(into: "") { text, piece in if case .literal(let known) = piece { text += known } }
    }

    /// Whether a known piece holds the text.
    func mentions(_ text: String) -> Bool {
        pieces.contains { if case .literal(let literal) = $0 { literal.contains(text) } else { false } }
    }

    /// The same with every line but the first moved to the right; an empty line stays empty.
    func indented(by columns: Int) -> Text {
        let margin = String(repeating: " ", count: columns)
        var result = Text()
        for piece in pieces {
            switch piece {
            case .literal(let text):
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                for (position, line) in lines.enumerated() {
                    if position > 0 { result.append("\n") }
                    // What follows the last end of a line may be a hole.
                    if position > 0, !line.isEmpty || position == lines.count - 1 { result.append(margin) }
                    result.append(String(line))
                }
            case .hole(let expression):
                result.appendHole(.call("replace", [expression, .text("\n"), .text("\n" + margin)]))
            }
        }
        return result
    }
}

extension Text.Piece {
    fileprivate var expression: Expression {
        switch self {
        case .literal(let text): .literal(.string(text))
        case .hole(let expression): expression
        }
    }
}

extension Text: ExpressibleByStringInterpolation {
    package init(stringLiteral text: String) { append(text) }
    package init(stringInterpolation: Interpolation) { self = stringInterpolation.text }

    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = Text()

        package init(literalCapacity: Int, interpolationCount: Int) {}
        package mutating func appendLiteral(_ literal: String) { text.append(literal) }
        package mutating func appendInterpolation(_ text: String) { self.text.append(text) }
        package mutating func appendInterpolation(_ number: Int) { text.append(String(number)) }
        package mutating func appendInterpolation(_ text: Text) { self.text.append(text) }
        /// The value as it is.
        package mutating func appendInterpolation(raw value: Value) { text.append(Text(raw: value)) }
        /// The value as one word of a shell.
        package mutating func appendInterpolation(shell value: Value) { text.append(Text(shell: value)) }
        /// The value as one scalar of YAML.
        package mutating func appendInterpolation(yaml value: Value) { text.append(Text(yaml: value)) }
    }
}

extension Text {
    package init(raw value: Value) {
        if let known = value.scalarText {
            append(known)
        } else if case .deferred(let deferred) = value, case .template(let parts) = deferred.expression {
            // What is known of a text stays readable.
            for part in parts {
                if case .literal(let value) = part, let known = value.scalarText {
                    append(known)
                } else {
                    appendHole(part)
                }
            }
        } else {
            appendHole(value.asExpression)
        }
    }

    /// The value as one word of a POSIX shell.
    package init(shell value: Value) {
        if let known = value.scalarText {
            append(Shell.quoted(known))
        } else {
            append("'")
            appendHole(.call("replace", [value.asTextExpression, .text("'"), .text(Shell.quoteInside)]))
            append("'")
        }
    }

    /// The value as one scalar of YAML, on one line.
    package init(yaml value: Value) {
        switch value {
        case .string(let text): append(YAMLScalar.written(text))
        case .deferred: appendHole(.call("json_encode", [value.asExpression]))
        default: append(value.scalarText ?? "null")
        }
    }

    /// The value as a part of a query string.
    package init(query value: Value) {
        if let known = value.scalarText {
            append(PercentEncoding.encode(known))
        } else {
            appendHole(.call("url_encode", [value.asTextExpression]))
        }
    }
}

extension Value {
    /// What stands in a text; nil when that is not known, or is no scalar.
    package var scalarText: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): number.description
        case .bool(let flag): String(flag)
        default: nil
        }
    }

    var asExpression: Expression {
        if case .deferred(let deferred) = self { deferred.expression } else { .literal(self) }
    }

    /// The value as text, whatever it turns out to be.
    fileprivate var asTextExpression: Expression {
        if case .deferred(let deferred) = self, case .template = deferred.expression { return deferred.expression }
        return .template([asExpression])
    }
}

extension Expression {
    static func text(_ text: String) -> Expression { .literal(.string(text)) }
}
