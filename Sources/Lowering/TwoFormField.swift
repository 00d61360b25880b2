import Diagnostics
import MusterModel

// A field with a short form and a long one (`internet_gateway: true`, or a map) reaches lowering as it stands in YAML:
// the schema of the section says "anything". The map form is checked here, by the same kind of schema.

extension LoweringResult {
    /// The map form of a field, with its members read by a schema; members that do not fit are left out.
    ///
    /// - Parameters:
    ///   - what: the field, as in `is not an argument of internet_gateway`.
    ///   - stack: where bare names are looked for.
    ///   - forms: what the field takes, in words.
    mutating func read(
        _ value: LocatedValue, as fields: [ArgumentSchema], of what: String, stack: String, forms: String = "a map"
    ) -> LocatedValue {
        guard let entries = value.entries else {
            if !value.value.isUnreadable { diagnostics.append(.wrongForm(what, forms, value)) }
            return .map([], value.range)
        }
        var members: [LocatedValue.Entry] = []
        for entry in entries where entry.value.value != .null {
            guard let field = fields.first(where: { $0.name == entry.key }) else {
                diagnostics.append(.unknownMember(entry, of: what, known: fields.map(\.name)))
                continue
            }
            guard let member = read(entry.value, as: field.type, field: field, stack: stack) else { continue }
            members.append(LocatedValue.Entry(key: entry.key, keyRange: entry.keyRange, value: member))
        }
        for field in fields where field.isRequired && !members.contains(where: { $0.key == field.name }) {
            diagnostics.append(.missingMember(field.name, of: what, at: value.range))
        }
        return .map(members, value.range)
    }

    private mutating func read(
        _ value: LocatedValue, as type: ValueType, field: ArgumentSchema, stack: String
    ) -> LocatedValue? {
        if case .value(.deferred, _) = value { return value }
        switch (type, value.value) {
        case (.anything, _), (.boolean, .bool), (.number, .integer), (.number, .number): return value
        case (.integer, .integer(let number)):
            for case .range(let low, let high) in field.constraints where !(low...high).contains(number) {
                diagnostics.append(.outOfRange(field.name, number, low, high, at: value.range))
                return nil
            }
            return value
        case (.string, .string(let text)): return readText(text, at: value.range, field: field, stack: stack)
        case (.string, .integer(let number)):
            return readText(String(number), at: value.range, field: field, stack: stack)
        case (.string, .bool(let flag)): return readText(String(flag), at: value.range, field: field, stack: stack)
        case (.list(let element), _), (.set(let element, _), _):
            guard let elements = value.elements else { break }
            return .list(
                elements.compactMap { read($0, as: element, field: field, stack: stack) }, value.range)
        case (.map(let element), _):
            guard let entries = value.entries else { break }
            return .map(
                entries.compactMap { entry in
                    if entry.value.value == .null { return entry }
                    return read(entry.value, as: element, field: field, stack: stack).map {
                        LocatedValue.Entry(key: entry.key, keyRange: entry.keyRange, value: $0)
                    }
                }, value.range)
        case (.object(let fields), _): return read(value, as: fields, of: field.name, stack: stack)
        default: break
        }
        diagnostics.append(.wrongForm(field.name, type.phrase, value))
        return nil
    }

    private mutating func readText(
        _ text: String, at range: SourceRange, field: ArgumentSchema, stack: String
    ) -> LocatedValue? {
        for case .allowed(let words) in field.constraints where !words.contains(text) {
            diagnostics.append(.notAllowed(field.name, text, words, at: range))
            return nil
        }
        guard let kind = field.reference, !(kind.literalPrefixes + ["arn:"]).contains(where: text.hasPrefix) else {
            return .value(.string(text), range)
        }
        return .value(.named(kind, text, stack: stack, at: range), range)
    }
}

extension Value {
    /// A bare name in a field that takes a reference.
    static func named(_ kind: ReferenceKind, _ name: String, stack: String, at range: SourceRange) -> Value {
        .deferred(Deferred(.reference(Reference(.named(kind, name), stack: stack, range: range))))
    }
}

extension ValueType {
    fileprivate var phrase: String {
        switch self {
        case .string: "a string"
        case .integer: "an integer"
        case .number: "a number"
        case .boolean: "true or false"
        case .list, .set: "a list"
        case .map, .object: "a map"
        case .anything: "a value"
        }
    }
}

extension Diagnostic {
    static func wrongForm(_ field: String, _ wanted: String, _ value: LocatedValue) -> Diagnostic {
        Diagnostic(
            code: "spec.type", summary: "Wrong type",
            detail: "\(field.quoted) is \(value.value.kindName), but it takes \(wanted).", at: value.range)
    }

    static func notAllowed(
        _ field: String, _ text: String, _ words: [String], at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.not-allowed", summary: "Value not allowed",
            detail: "\(field.quoted) cannot be \(text.quoted); it is one of \(words.joined(separator: ", ")).",
            at: range, hint: Suggestion.hint(for: text, among: words))
    }

    fileprivate static func outOfRange(
        _ field: String, _ number: Int, _ low: Int, _ high: Int, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.range", summary: "Number out of range",
            detail: "\(field.quoted) is \(number), but it goes from \(low) to \(high).", at: range)
    }

    fileprivate static func unknownMember(
        _ entry: LocatedValue.Entry, of what: String, known: [String]
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-argument", summary: "Unknown argument",
            detail: "\(entry.key.quoted) is not an argument of \(what).", at: entry.keyRange,
            hint: Suggestion.hint(for: entry.key, among: known) ?? "It has \(known.joined(separator: ", ")).")
    }

    fileprivate static func missingMember(_ name: String, of what: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.missing-argument", summary: "Missing argument",
            detail: "\(what) needs \(name.quoted).", at: range)
    }
}
