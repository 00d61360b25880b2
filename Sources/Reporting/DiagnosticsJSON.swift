package import Diagnostics
import MusterModel

/// Diagnostics as `validate --format json` prints them.
package enum DiagnosticsJSON {
    package static let formatVersion = 1
    static let kind = "muster-diagnostics"

    /// One line, ended by a line break: whether the spec is valid, counts, and each diagnostic once, by place.
    package static func encode(_ diagnostics: some Sequence<Diagnostic>) -> String {
        let sorted = diagnostics.sortedByPlace()
        func count(_ severity: Diagnostic.Severity) -> Value {
            .integer(sorted.lazy.filter { $0.severity == severity }.count)
        }
        return ValueJSON.plainText([
            "format_version": .integer(formatVersion), "kind": .string(kind), "valid": .bool(!sorted.hasErrors),
            "errors": count(.error), "warnings": count(.warning), "notes": count(.note),
            "diagnostics": .list(sorted.map { object(DiagnosticRecord($0).fields) }),
        ]) + "\n"
    }

    private static func object(_ fields: [DiagnosticRecord.Named]) -> Value {
        var members: [String: Value] = [:]
        for field in fields { members[snakeCase(field.name)] = value(field.value) }
        return .map(members)
    }

    private static func value(_ field: DiagnosticRecord.Field) -> Value {
        switch field {
        case .string(let text): .string(text)
        case .integer(let number): .integer(number)
        case .records(let records): .list(records.map(object))
        case .null: .null
        }
    }

    /// `end_line` of `endLine`, as in every other document.
    private static func snakeCase(_ name: String) -> String {
        var result = ""
        for character in name {
            if character.isUppercase { result += "_" }
            result += character.lowercased()
        }
        return result
    }
}
