package import Diagnostics
import MusterModel

/// Why an expression has no value.
///
/// It may quote the values it complains of, except where secrets went into them: then the evaluator takes those
/// sentences out.
package struct EvaluationFailure: Error, Sendable, Hashable {
    /// A stable name for tools, such as `expression.wrong-type`.
    package var code: String
    /// A fixed phrase without user data.
    package var summary: String
    package var detail: String
    package var hint: String?
    /// The closest place that is known, else nil: trees hold no places except those of references.
    package var range: SourceRange?

    package init(
        code: String = "expression.failed", summary: String, detail: String, hint: String? = nil,
        range: SourceRange? = nil
    ) {
        self.code = code
        self.summary = summary
        self.detail = detail
        self.hint = hint
        self.range = range
    }

    /// The failure as a complaint at its own place, or else at `range`.
    package func diagnostic(at range: SourceRange?) -> Diagnostic {
        Diagnostic(code: code, summary: summary, detail: detail, at: self.range ?? range, hint: hint)
    }

    /// The same without anything that might quote a value.
    func withoutValues(_ secrets: [SecretReference]) -> EvaluationFailure {
        var failure = self
        let names = secrets.map { "‹secret:\($0.name)›" }.joined(separator: ", ")
        failure.detail = "What went wrong is not shown, because the value depends on \(names)."
        failure.hint = nil
        return failure
    }
}

extension EvaluationFailure {
    /// - Parameter what: What has the wrong type, such as `The left side of +`.
    static func wrongType(_ what: String, is value: Value, mustBe kind: String, hint: String? = nil) -> Self {
        EvaluationFailure(
            code: "expression.wrong-type", summary: "Wrong type in an expression",
            detail: "\(what) is \(value.kindName), and must be \(kind).", hint: hint)
    }

    static func missingMember(_ name: String, of members: [String: Value]) -> Self {
        let keys = members.keys.sorted()
        let known =
            keys.isEmpty
            ? "The map is empty."
            : "It has \(keys.prefix(8).map(\.quoted).joined(separator: ", "))"
                + (keys.count > 8 ? " and \(keys.count - 8) more." : ".")
        return EvaluationFailure(
            code: "expression.missing-key", summary: "Missing key",
            detail: "The map has no key \(name.quoted). \(known)",
            hint: Suggestion.hint(for: name, among: keys)
                ?? "lookup(map, key, default) gives a default for a missing key.")
    }

    static func outOfBounds(_ index: Int, count: Int) -> Self {
        let detail =
            count == 0
            ? "The list is empty, so it has no element \(index)."
            : "The list has no element \(index): it has \(count), counted from 0 to \(count - 1)."
        return EvaluationFailure(
            code: "expression.out-of-bounds", summary: "Index out of bounds", detail: detail,
            hint: index < 0 ? "element(list, -1) is the last element." : nil)
    }

    static func arithmetic(_ detail: String) -> Self {
        EvaluationFailure(code: "expression.arithmetic", summary: "Impossible arithmetic", detail: detail)
    }
}
