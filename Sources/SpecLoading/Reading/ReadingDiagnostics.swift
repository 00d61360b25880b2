import Diagnostics
import MusterModel

// Complaints about values that do not fit their schema.

extension Diagnostic {
    static func unknownArgument(_ entry: Node.Entry, of title: String, known: [String]) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-argument", summary: "Unknown argument",
            detail: "\(entry.key.quoted) is not an argument of \(title).", at: entry.keyRange,
            hint: Suggestion.hint(for: entry.key, among: known) ?? list(known).map { "It has \($0)." })
    }

    static func missingArgument(_ field: ArgumentSchema, of title: String, at place: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.missing-argument", summary: "Missing argument",
            detail: "\(sentence(title)) needs \(field.name.quoted): \(field.documentation)", at: place)
    }

    static func wrongType(_ name: String, _ kind: String, _ type: TypeShape, at range: SourceRange) -> Diagnostic {
        var hint: String?
        if kind == "a list", !type.isCollection { hint = "Give one value, without \"-\" or brackets." }
        if kind == "a map", case .list(.object) = type { hint = "Begin each element with \"- \"." }
        if kind == "a map", case .set(.object, _) = type { hint = "Begin each element with \"- \"." }
        return Diagnostic(
            code: "spec.type", summary: "Wrong type",
            detail: "\(name.quoted) is \(kind), but it takes \(type.phrase).", at: range, hint: hint)
    }

    static func notACollection(
        _ name: String, _ text: String, _ type: TypeShape, at range: SourceRange
    ) -> Diagnostic {
        var hint: String?
        switch type {
        case .list, .set: hint = "Write [\(text.count > 40 ? "…" : text)]."
        default: break
        }
        return Diagnostic(
            code: "spec.type", summary: "Wrong type",
            detail: "\(name.quoted) is \(text.quoted), but it takes \(type.phrase).", at: range, hint: hint)
    }

    static func quotedScalar(_ name: String, _ text: String, _ type: TypeShape, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.type", summary: "Wrong type",
            detail: "\(name.quoted) takes \(type.phrase), but \(text.quoted) in quotes is text.", at: range,
            hint: "Remove the quotes.")
    }

    static func wrongText(
        _ name: String, _ text: String, _ why: String, _ type: TypeShape, hint: String?, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.type", summary: "Wrong type",
            detail: "\(name.quoted) takes \(type.phrase), and \(text.quoted) \(why).", at: range, hint: hint)
    }

    static func nullElement(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.type", summary: "Wrong type",
            detail: "An element of \(name.quoted) is left out or null, which means nothing in a list.", at: range,
            hint: "Remove the element, or write [] for an empty list.")
    }

    static func duplicateKey(_ key: String, at range: SourceRange, first: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-key", summary: "Duplicate key",
            detail: "The key \(key.quoted) stands twice, after its expressions are evaluated.", at: range,
            related: [.init(range: first, message: "first used here")])
    }

    static func repeatedElement(
        _ value: Value, key: String?, _ name: String, at range: SourceRange, first: SourceRange
    ) -> Diagnostic {
        let text = ScalarText.text(value)
        let what =
            key.map { "An element of \(name.quoted) with the \($0) \(text?.quoted ?? value.kindName)" }
            ?? text.map { "\($0.quoted) in \(name.quoted)" } ?? "An element of \(name.quoted)"
        return Diagnostic(
            code: "spec.repeated-element", summary: "Repeated element", detail: "\(what) stands twice.", at: range,
            related: [.init(range: first, message: "first used here")])
    }

    static func notAllowed(_ name: String, _ text: String, _ words: [String], at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.not-allowed", summary: "Value not allowed",
            detail: "\(name.quoted) cannot be \(text.quoted); it is one of \(words.joined(separator: ", ")).",
            at: range, hint: Suggestion.hint(for: text, among: words))
    }

    static func outOfRange(
        _ name: String, _ text: String, _ low: Int, _ high: Int, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.range", summary: "Number out of range",
            detail: "\(name.quoted) is \(text), but it \(bounds(low, high)).", at: range)
    }

    static func wrongLength(
        _ name: String, _ count: Int, _ low: Int, _ high: Int, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.length", summary: "Wrong length",
            detail: "\(name.quoted) has \(count) characters, but its length \(bounds(low, high)).", at: range)
    }

    static func wrongCount(
        _ name: String, _ count: Int, _ low: Int, _ high: Int, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.count", summary: "Wrong number of elements",
            detail:
                "\(name.quoted) has \(count) element\(count == 1 ? "" : "s"), but their number \(bounds(low, high)).",
            at: range)
    }

    static func noMatch(_ name: String, _ text: String, _ words: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.pattern", summary: "Value of the wrong form",
            detail: "\(name.quoted) cannot be \(text.quoted): \(words)", at: range)
    }

    static func notANetwork(_ name: String, _ text: String, _ family: String, at range: SourceRange) -> Diagnostic {
        var hint: String?
        if IPNetwork("\(text)/32") != nil, IPNetwork.ipv4(text) != nil {
            hint = "For this one address write \(text)/32."
        } else if IPNetwork.ipv6(text) != nil {
            hint = "For this one address write \(text)/128."
        }
        return Diagnostic(
            code: "spec.cidr", summary: "Not a network",
            detail: "\(name.quoted) takes an \(family)network in CIDR notation, and \(text.quoted) is none."
                .replacing("an network", with: "a network"),
            at: range, hint: hint ?? "Write it like \(family == "IPv6 " ? "2001:db8::/32" : "10.0.0.0/16").")
    }

    static func conflict(_ first: LocatedValue.Entry, _ second: LocatedValue.Entry) -> Diagnostic {
        Diagnostic(
            code: "spec.conflict", summary: "Arguments exclude each other",
            detail: "\(second.key.quoted) cannot be set together with \(first.key.quoted).", at: second.keyRange,
            related: [.init(range: first.keyRange, message: "the other is here")], hint: "Remove one of them.")
    }

    static func noneOf(_ names: [String], _ title: String, at place: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.missing-argument", summary: "Missing argument",
            detail: "\(sentence(title)) needs one of \(names.map(\.quoted).joined(separator: ", ")).", at: place)
    }

    /// A title as the beginning of a sentence; the name of a section or type stays as it is.
    private static func sentence(_ title: String) -> String {
        title.hasPrefix("a ") || title.hasPrefix("an ") ? "A" + title.dropFirst() : title
    }

    private static func bounds(_ low: Int, _ high: Int) -> String {
        if low == high { return "must be \(low)" }
        if high == Int.max { return "must be at least \(low)" }
        if low == Int.min { return "must be at most \(high)" }
        return "must be from \(low) to \(high)"
    }

    private static func list(_ names: [String]) -> String? {
        names.isEmpty || names.count > 24 ? nil : names.joined(separator: ", ")
    }
}
