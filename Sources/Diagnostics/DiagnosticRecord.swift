/// A diagnostic as flat data, for `--format json`. Text is not changed: the JSON encoder escapes what it must.
package struct DiagnosticRecord: Sendable, Hashable {
    /// One field of the JSON object; absent values are written as `null`, so that every object has the same keys.
    package enum Field: Sendable, Hashable {
        case string(String)
        case integer(Int)
        case records([[Named]])
        case null
    }

    package struct Named: Sendable, Hashable {
        package let name: String
        package let value: Field
    }

    private let diagnostic: Diagnostic

    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }

    /// `file`, `line`, `column`, `endLine`, `endColumn`, `severity`, `code`, `summary`, `detail`, `hint`, `related`, in
    /// this order. Lines and columns count from 1, columns in Unicode scalars; the end is exclusive.
    package var fields: [Named] {
        Self.place(diagnostic.range) + [
            Named(name: "severity", value: .string(diagnostic.severity.rawValue)),
            Named(name: "code", value: .string(diagnostic.code)),
            Named(name: "summary", value: .string(diagnostic.summary)),
            Named(name: "detail", value: .string(diagnostic.detail)),
            Named(name: "hint", value: diagnostic.hint.map(Field.string) ?? .null),
            Named(
                name: "related",
                value: .records(
                    diagnostic.related.map {
                        Self.place($0.range) + [Named(name: "message", value: .string($0.message))]
                    })),
        ]
    }

    private static func place(_ range: SourceRange?) -> [Named] {
        let start = range?.startPosition
        let end = range?.endPosition
        return [
            Named(name: "file", value: (range?.file.path).map(Field.string) ?? .null),
            Named(name: "line", value: (start?.line).map(Field.integer) ?? .null),
            Named(name: "column", value: (start?.column).map(Field.integer) ?? .null),
            Named(name: "endLine", value: (end?.line).map(Field.integer) ?? .null),
            Named(name: "endColumn", value: (end?.column).map(Field.integer) ?? .null),
        ]
    }
}

extension Sequence where Element == Diagnostic {
    /// The records of all diagnostics, each once, by place.
    package var records: [DiagnosticRecord] { sortedByPlace().map(DiagnosticRecord.init) }
}
