import Diagnostics
import MusterModel
import YAMLSyntax

// `variables:` of a spec and of a workspace.
//
// In a spec each entry declares a variable: a map with the keys below, or anything else as a short form of
// `{ default: … }`. A workspace's shared variables (an inline map, or a file) are declarations too. There an entry is
// one if it is a map with `type`, `default` or `secret` and with no key that a declaration does not have; any other
// entry is a value: it declares a variable of any type, and gives a value to one of this name that a spec declares. A
// file of shared variables has either `variables:`, with declarations, or the entries themselves.

/// A variable as declared.
struct VariableDeclaration {
    let name: String
    let nameRange: SourceRange
    let field: FieldShape
    /// As given by `default:`, also when it is null.
    let defaultValue: Node?
    /// `secret:`, and nothing else gives the value then.
    let secret: Node?
    let description: String?

    /// Rules of `allowed:` and `pattern:` make messages about the value, so they are constraints of a field.
    static let schema: [ArgumentSchema] = [
        ArgumentSchema(
            "type", .string,
            "string, integer, number, boolean, list(…), map(…) or any, which is the default."),
        ArgumentSchema("default", .anything, "The value when none is given; it may use other variables."),
        ArgumentSchema("allowed", .list(.anything), "The values that are allowed."),
        ArgumentSchema("pattern", .string, "A regular expression that the whole value must match."),
        ArgumentSchema("description", .string, "What the variable is for."),
        ArgumentSchema(
            "secret", .string,
            "Where the value is read when it is needed: env:NAME, file:PATH, ssm:/path or secretsmanager:id#key."),
    ]
    static let keys = schema.map(\.name)
}

/// Reads declarations; values are read later, by stack.
struct VariableReader {
    let complaints: Complaints

    /// Declarations of a spec, or of `variables:` in a shared file.
    func declarations(_ node: YAMLNode?, owner: String) -> [VariableDeclaration] {
        guard let node, !node.isNull else { return [] }
        guard let entries = node.mapping else {
            complaints.report(.wrongType(owner, Node.yaml(node).kindName, .map(.anything), at: node.range))
            return []
        }
        return entries.compactMap { declaration($0) }
    }

    /// Shared variables: declarations and plain values.
    func shared(_ entries: [YAMLEntry]) -> [VariableDeclaration] {
        entries.compactMap { entry in
            if entry.key.hasPrefix("x-") { return nil }
            return isDeclaration(entry.value) ? declaration(entry) : plain(entry)
        }
    }

    private func isDeclaration(_ node: YAMLNode) -> Bool {
        guard let entries = node.mapping, !entries.isEmpty else { return false }
        return entries.allSatisfy { VariableDeclaration.keys.contains($0.key) }
            && entries.contains { ["type", "default", "secret"].contains($0.key) }
    }

    private func plain(_ entry: YAMLEntry) -> VariableDeclaration? {
        guard checkName(entry) else { return nil }
        return VariableDeclaration(
            name: entry.key, nameRange: entry.keyRange, field: FieldShape(ArgumentSchema(entry.key, .anything, "")),
            defaultValue: .yaml(entry.value), secret: nil, description: nil)
    }

    private func declaration(_ entry: YAMLEntry) -> VariableDeclaration? {
        guard let members = entry.value.mapping else {
            if entry.value.isNull { return bare(entry) }
            return plain(entry)
        }
        guard checkName(entry) else { return nil }
        if !members.isEmpty, !members.contains(where: { VariableDeclaration.keys.contains($0.key) }) {
            complaints.report(.mapAsDeclaration(entry.key, at: entry.value.range))
            return plain(entry)
        }
        var parts: [String: YAMLNode] = [:]
        for member in members {
            if VariableDeclaration.keys.contains(member.key) {
                parts[member.key] = member.value
            } else {
                complaints.report(
                    .unknownArgument(
                        Node.Entry(member), of: "a variable", known: VariableDeclaration.keys))
            }
        }
        let type = parts["type"].flatMap { text($0, "type") }.map { valueType($0.text, at: $0.range) } ?? .anything
        let secret = parts["secret"].flatMap { $0.isNull ? nil : $0 }
        if secret != nil {
            if let value = parts["default"], !value.isNull {
                complaints.report(.secretWithDefault(entry.key, at: entry.keyRange, value: value.range))
            }
            if type != .string, type != .anything, let place = parts["type"]?.range {
                complaints.report(.secretNotText(entry.key, at: place))
            }
        }
        return VariableDeclaration(
            name: entry.key, nameRange: entry.keyRange,
            field: FieldShape(
                ArgumentSchema(entry.key, type, constraints: constraints(parts, type), "")),
            defaultValue: secret == nil ? parts["default"].map { .yaml($0) } : nil,
            secret: secret.map { .yaml($0) },
            description: parts["description"].flatMap { text($0, "description")?.text })
    }

    /// `name:` with nothing behind it: a variable of any type that must be given.
    private func bare(_ entry: YAMLEntry) -> VariableDeclaration? {
        guard checkName(entry) else { return nil }
        return VariableDeclaration(
            name: entry.key, nameRange: entry.keyRange, field: FieldShape(ArgumentSchema(entry.key, .anything, "")),
            defaultValue: nil, secret: nil, description: nil)
    }

    private func constraints(_ parts: [String: YAMLNode], _ type: ValueType) -> [Constraint] {
        var constraints: [Constraint] = []
        if let node = parts["allowed"], !node.isNull {
            if let items = node.sequence {
                constraints.append(.allowed(items.compactMap { $0.scalar?.text }))
                for item in items where item.scalar == nil {
                    complaints.report(.wrongType("allowed", Node.yaml(item).kindName, .string, at: item.range))
                }
            } else {
                complaints.report(.wrongType("allowed", Node.yaml(node).kindName, .list(.anything), at: node.range))
            }
        }
        if let node = parts["pattern"], let text = text(node, "pattern") {
            if Pattern(text.text) == nil {
                complaints.report(.invalidPattern(text.text, at: text.range))
            } else {
                constraints.append(.pattern(text.text, "it does not match \(text.text.quoted)."))
            }
        }
        return constraints
    }

    private func text(_ node: YAMLNode, _ name: String) -> (text: String, range: SourceRange)? {
        if node.isNull { return nil }
        guard let scalar = node.scalar else {
            complaints.report(.wrongType(name, Node.yaml(node).kindName, .string, at: node.range))
            return nil
        }
        return (scalar.text, node.range)
    }

    /// Names that `var.name` can hold.
    private func checkName(_ entry: YAMLEntry) -> Bool {
        let isName = entry.key.utf8.enumerated().allSatisfy { offset, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): offset > 0
            default: false
            }
        }
        if isName, !entry.key.isEmpty { return true }
        complaints.report(.invalidVariableName(entry.key, at: entry.keyRange))
        return false
    }

    private func valueType(_ text: String, at range: SourceRange) -> ValueType {
        if let type = ValueType(variableType: text) { return type }
        complaints.report(.unknownType(text, at: range))
        return .anything
    }
}

extension ValueType {
    static let variableTypes = ["string", "integer", "number", "boolean", "any", "list(any)", "map(any)"]

    /// `string`, `list(integer)`, `map(list(string))`, …; `list` and `map` alone hold anything.
    init?(variableType text: String) {
        let text = text.filter { $0 != " " }
        switch text {
        case "string": self = .string
        case "integer": self = .integer
        case "number": self = .number
        case "boolean": self = .boolean
        case "any": self = .anything
        case "list": self = .list(.anything)
        case "map": self = .map(.anything)
        default:
            guard text.utf8.count < 100, text.hasSuffix(")") else { return nil }
            for (prefix, isList) in [("list(", true), ("map(", false)] where text.hasPrefix(prefix) {
                guard let inner = ValueType(variableType: String(text.dropFirst(prefix.count).dropLast())) else {
                    return nil
                }
                self = isList ? .list(inner) : .map(inner)
                return
            }
            return nil
        }
    }
}

extension Diagnostic {
    fileprivate static func secretWithDefault(_ name: String, at range: SourceRange, value: SourceRange) -> Diagnostic {
        // A snippet of the value's line would show the secret.
        let isOnOneLine = range.startPosition.line == value.startPosition.line
        return Diagnostic(
            code: "spec.secret-in-plain-text", summary: "Secret in plain text",
            detail: "\(name.quoted) is a secret, so it has no default in plain text (\(value)).",
            at: isOnOneLine ? nil : range,
            hint: "Remove the default, and change the secret if this was one.")
    }

    fileprivate static func secretNotText(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.type", summary: "Wrong type",
            detail: "\(name.quoted) is a secret, and secrets are strings.", at: range, hint: "Write \"type: string\".")
    }

    fileprivate static func mapAsDeclaration(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-argument", summary: "Unknown argument",
            detail: "The map of \(name.quoted) has none of the keys of a variable: "
                + "\(VariableDeclaration.keys.joined(separator: ", ")).",
            at: range, hint: "For a map as the default, write { default: {…} }.")
    }

    fileprivate static func invalidPattern(_ text: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.invalid-pattern", summary: "Invalid pattern",
            detail: "\(text.quoted) is not a regular expression.", at: range)
    }

    fileprivate static func invalidVariableName(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.invalid-name", summary: "Invalid name",
            detail: "A variable cannot be named \(name.quoted).", at: range,
            hint: "Use letters, digits and \"_\", and begin with a letter.")
    }

    fileprivate static func unknownType(_ text: String, at range: SourceRange) -> Diagnostic {
        let others = [
            "bool": "boolean", "int": "integer", "float": "number", "double": "number", "str": "string",
            "text": "string", "array": "list(any)", "object": "map(any)", "set": "list(any)",
        ]
        let hint =
            others[text.lowercased()].map { "Did you mean \($0.quoted)?" }
            ?? Suggestion.hint(for: text, among: ValueType.variableTypes)
        return Diagnostic(
            code: "spec.unknown-type", summary: "Unknown type",
            detail: "A variable has one of the types string, integer, number, boolean, list(…), map(…) and any; "
                + "\(text.quoted) is none of them.",
            at: range, hint: hint)
    }
}
