import Diagnostics
import Expressions
import MusterModel
import YAMLSyntax

/// A value that something gives to a variable.
struct VariableSource {
    enum Content {
        case node(Node)
        /// Text of the command line, read by the variable's type.
        case text(String, SourceFile)
        case secret(Node)
    }

    let content: Content
    /// Where it was given, as in `is a secret, so it cannot be given by --var`.
    let origin: String
    let range: SourceRange
    /// False where a declaration of the workspace stands: it may be a secret.
    let isGiven: Bool
}

/// The variables of one stack and their values.
///
/// A value is found when it is first asked for, since defaults may use other variables; a circle is complained about.
final class VariableTable {
    private enum State {
        case open, busy
        case done(Value)
    }

    private struct Variable {
        let declaration: VariableDeclaration
        /// What gives it a value, the first counts; after these comes the default.
        let sources: [VariableSource]
        var state = State.open
    }

    /// Sorted.
    let names: [String]
    private var variables: [String: Variable]
    /// All values, when they were found before.
    private let known: [String: Value]
    /// The variables whose values are being found, outermost first.
    private var chain: [String] = []
    private let complaints: Complaints
    private let reader: SchemaReader?
    /// Set right after the table is made: values are read in the scope of the stack that has the table.
    var scope: Scope?
    /// Variables without a value.
    private(set) var missing: [VariableDeclaration] = []

    /// - Parameters:
    ///   - declarations: of the spec, then the shared ones; of several with one name the first counts.
    ///   - sources: for each name, what gives a value, in the order of precedence.
    init(
        _ declarations: [VariableDeclaration], sources: [String: [VariableSource]], reader: SchemaReader
    ) {
        variables = Dictionary(
            declarations.map { ($0.name, Variable(declaration: $0, sources: sources[$0.name] ?? [])) },
            uniquingKeysWith: { first, _ in first })
        names = variables.keys.sorted()
        known = [:]
        self.reader = reader
        complaints = reader.complaints
    }

    /// The values that another table found.
    init(values: [String: Value]) {
        known = values
        names = values.keys.sorted()
        variables = [:]
        reader = nil
        complaints = Complaints()
    }

    /// Every variable with its value.
    func values() -> [String: Value] {
        Dictionary(names.map { ($0, value(of: $0) ?? .null) }, uniquingKeysWith: { first, _ in first })
    }

    /// A variable's value; nil when there is no such variable.
    func value(of name: String, askedBy reference: Reference? = nil) -> Value? {
        guard let variable = variables[name] else { return known[name] }
        switch variable.state {
        case .done(let value): return value
        case .busy:
            complaints.report(
                .variableCycle(Array(chain.drop { $0 != name }), at: reference?.range ?? variable.declaration.nameRange)
            )
            return Poison.value
        case .open: break
        }
        variables[name]?.state = .busy
        chain.append(name)
        let value = find(variable)
        chain.removeLast()
        variables[name]?.state = .done(value)
        return value
    }

    private func find(_ variable: Variable) -> Value {
        guard let scope else { return Poison.value }
        let declaration = variable.declaration
        if let source = secretSource(of: variable) {
            for source in variable.sources {
                if case .secret = source.content { continue }
                complaints.report(.secretGiven(declaration.name, source, declaration.nameRange))
            }
            return secret(source, declaration.name, scope)
        }
        for source in variable.sources {
            switch source.content {
            case .secret: continue
            case .node(let node):
                if node.isNull, source.isGiven { continue }
                return read(node, declaration, scope)
            case .text(let text, let file):
                var given = scope
                given.reach = .nothing("A value of the command line")
                return read(node(of: text, in: file, declaration), declaration, given)
            }
        }
        if let node = declaration.defaultValue { return read(node, declaration, scope) }
        missing.append(declaration)
        return Poison.value
    }

    /// Where the value is read, if the spec or the workspace says that it is a secret.
    private func secretSource(of variable: Variable) -> Node? {
        if let secret = variable.declaration.secret { return secret }
        for source in variable.sources { if case .secret(let node) = source.content { return node } }
        return nil
    }

    private func read(_ node: Node?, _ declaration: VariableDeclaration, _ scope: Scope) -> Value {
        guard let node, let reader else { return Poison.value }
        return reader.read(node, as: declaration.field, in: scope)?.value ?? .null
    }

    /// Text of the command line as a node: text for a scalar, YAML where a list or a map is wanted.
    private func node(of text: String, in file: SourceFile, _ declaration: VariableDeclaration) -> Node? {
        let range = file.range(0, file.text.count)
        switch declaration.field.type {
        case .string: return .value(.string(text), range)
        case .integer, .number, .boolean: return .value(.string(text), range)
        case .anything where !text.hasPrefix("[") && !text.hasPrefix("{"):
            return .value(ScalarText.anything(text), range)
        case .anything, .list, .set, .map, .object:
            let (root, diagnostics) = parseYAML(file)
            complaints.report(diagnostics)
            return root.map { .yaml($0) }
        }
    }

    private func secret(_ node: Node, _ name: String, _ scope: Scope) -> Value {
        guard let reader else { return Poison.value }
        let field = FieldShape(ArgumentSchema("secret", .string, ""))
        guard let value = reader.read(node, as: field, in: scope)?.value else { return Poison.value }
        guard case .string(let source) = value else {
            if !Poison.isIn(value) { complaints.report(.unknownSecretSource(name, at: node.range)) }
            return Poison.value
        }
        if let complaint = Diagnostic.invalidSecretSource(source, of: name, at: node.range) {
            complaints.report(complaint)
            return Poison.value
        }
        return .deferred(Deferred(.secret(SecretReference(name: name, source: source))))
    }
}

extension Diagnostic {
    fileprivate static func variableCycle(_ chain: [String], at range: SourceRange) -> Diagnostic {
        let text = (chain + chain.prefix(1)).joined(separator: " → ")
        return Diagnostic(
            code: "spec.cycle", summary: "Variables refer to each other",
            detail: "The default of a variable needs itself in the end: \(text).", at: range,
            hint: "Give one of them a value of its own.")
    }

    fileprivate static func secretGiven(
        _ name: String, _ source: VariableSource, _ declared: SourceRange
    ) -> Diagnostic {
        // The place is told in words: a snippet would show the secret.
        let place = source.range.file.path.hasPrefix("--") ? "" : " (\(source.range))"
        return Diagnostic(
            code: "spec.secret-in-plain-text", summary: "Secret in plain text",
            detail: "\(name.quoted) is a secret, so its value cannot be given by \(source.origin)\(place).",
            at: declared,
            hint: "Remove it there; the value is read from the place that \"secret\" names.")
    }

    fileprivate static func unknownSecretSource(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.invalid-secret", summary: "Invalid source of a secret",
            detail: "Where the secret \(name.quoted) is read must be known now.", at: range,
            hint: "Use variables only.")
    }

    fileprivate static func invalidSecretSource(
        _ source: String, of name: String, at range: SourceRange
    ) -> Diagnostic? {
        let (scheme, rest) =
            source.firstIndex(of: ":").map {
                (String(source[..<$0]), String(source[source.index(after: $0)...]))
            } ?? ("", source)
        func complaint(_ detail: String, _ hint: String?) -> Diagnostic {
            Diagnostic(
                code: "spec.invalid-secret", summary: "Invalid source of a secret", detail: detail, at: range,
                hint: hint)
        }
        switch scheme {
        case "env":
            let isName =
                !rest.isEmpty
                && rest.utf8.allSatisfy {
                    ($0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z"))
                        || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) || $0 == UInt8(ascii: "_")
                }
            return isName ? nil : complaint("\(rest.quoted) is not the name of an environment variable.", nil)
        case "file", "secretsmanager":
            return rest.isEmpty ? complaint("Nothing stands behind \"\(scheme):\".", nil) : nil
        case "ssm":
            return rest.hasPrefix("/") && rest.utf8.count > 1
                ? nil
                : complaint("\(rest.quoted) is not the full name of a parameter.", "Write it like ssm:/path/name.")
        default:
            // The text may be the secret itself, written here by mistake: neither it nor its line is repeated.
            return Diagnostic(
                code: "spec.invalid-secret", summary: "Invalid source of a secret",
                detail: "What \(range) says of the secret \(name.quoted) is not env:NAME, file:PATH, ssm:/path or "
                    + "secretsmanager:id#key.",
                hint: "If it is the secret itself, change it, and keep the new one out of the file.")
        }
    }
}
