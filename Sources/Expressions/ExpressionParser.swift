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
