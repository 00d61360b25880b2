/// One complaint: what is wrong, where, why, and what to do about it.
///
/// Factories stand beside their callers: `extension Diagnostic { static func unknownArgument(…) -> Self }`. Work goes on
/// after a complaint where it can, so functions return a value and all diagnostics, not just the first.
package struct Diagnostic: Error, Sendable, Hashable {
    /// How bad it is. Only an error stops a command.
    package enum Severity: String, Sendable, Hashable, CaseIterable {
        case error, warning, note
    }

    /// Another place that explains the complaint, such as "first declared here".
    package struct Related: Sendable, Hashable {
        package let range: SourceRange
        /// A phrase in lower case without a full stop.
        package let message: String

        package init(range: SourceRange, message: String) {
            self.range = range
            self.message = message
        }
    }

    package var severity: Severity
    /// A stable name for tools, `area.kind-of-problem`, such as `spec.unknown-argument`.
    package var code: String
    /// A fixed phrase without user data, so that equal problems can be counted.
    package var summary: String
    /// Sentences: what and why. User data belongs here, quoted (see `String.quoted`). May have several lines.
    package var detail: String
    package var range: SourceRange?
    package var related: [Related]
    /// What to do, as a sentence.
    package var hint: String?

    package init(
        _ severity: Severity = .error, code: String, summary: String, detail: String, at range: SourceRange? = nil,
        related: [Related] = [], hint: String? = nil
    ) {
        self.severity = severity
        self.code = code
        self.summary = summary
        self.detail = detail
        self.range = range
        self.related = related
        self.hint = hint
    }
}

extension Sequence where Element == Diagnostic {
    /// Whether any of them is an error.
    package var hasErrors: Bool { contains { $0.severity == .error } }

    /// Each diagnostic once, in the order people read: those without a place first, then by path and offset. The order
    /// depends on nothing but the diagnostics themselves, so the same complaints always print the same bytes.
    package func sortedByPlace() -> [Diagnostic] {
        var seen = Set<Diagnostic>()
        return filter { seen.insert($0).inserted }.sorted(by: Diagnostic.isBefore)
    }
}

extension Diagnostic {
    fileprivate static func isBefore(_ left: Diagnostic, _ right: Diagnostic) -> Bool {
        switch (left.range, right.range) {
        case (nil, .some): return true
        case (.some, nil): return false
        case (let leftRange?, let rightRange?):
            if leftRange.file.path != rightRange.file.path { return leftRange.file.path < rightRange.file.path }
            if leftRange.start != rightRange.start { return leftRange.start < rightRange.start }
            if leftRange.end != rightRange.end { return leftRange.end < rightRange.end }
        case (nil, nil): break
        }
        return (left.code, left.summary, left.detail, left.hint ?? "")
            < (right.code, right.summary, right.detail, right.hint ?? "")
    }
}

extension StringProtocol {
    /// The text in double quotes for use in a message, with the middle left out if it is longer than 80 characters.
    /// Control characters are left to the renderer.
    package var quoted: String {
        let limit = 80
        // A prefix is enough to know that it is too long: user text can be megabytes.
        guard index(startIndex, offsetBy: limit + 1, limitedBy: endIndex) != nil else {
            return "\"\(self)\""
        }
        return "\"\(prefix(limit * 2 / 3))…\(suffix(limit / 3))\""
    }
}
