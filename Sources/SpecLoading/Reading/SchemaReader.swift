import Diagnostics
import MusterModel
import YAMLSyntax

/// Reads nodes by schema: evaluates expressions, gives scalars their type, and checks what is known.
///
/// A part that is wrong becomes `Poison`, which is present (so that it is not also missing) and fits everywhere (so
/// that nothing else complains about it).
struct SchemaReader {
    let complaints: Complaints
    let templates: Templates

    /// A field's value; nil when it is unset (null).
    func read(_ node: Node, as field: FieldShape, in scope: Scope) -> LocatedValue? {
        guard let value = read(node, field.type, field, scope) else { return nil }
        if field.hasRules { check(value, field) }
        return value
    }

    /// The fields of a block. Keys in `foreign` are left to the caller; others that the shape does not know are
    /// complained about.
    ///
    /// - Parameter place: where a missing field is missed.
    func readBlock(
        _ entries: [Node.Entry], as shape: BlockShape, foreign: [String] = [], at place: SourceRange, in scope: Scope
    ) -> [LocatedValue.Entry] {
        var result: [LocatedValue.Entry] = []
        result.reserveCapacity(entries.count)
        var isSet = Array(repeating: false, count: shape.fields.count)
        for entry in entries {
            let found = shape.position(of: entry.key)
            if foreign.contains(entry.key) {
                if let found, !entry.value.isNull { isSet[found] = true }
                continue
            }
            guard let position = found else {
                let known = shape.fields.map(\.schema.name)
                complaints.report(
                    .unknownArgument(
                        entry, of: shape.title, known: known + foreign.filter { !known.contains($0) }))
                continue
            }
            guard let value = read(entry.value, as: shape.fields[position], in: scope) else { continue }
            isSet[position] = true
            result.append(LocatedValue.Entry(key: entry.key, keyRange: entry.keyRange, value: value))
        }
        for (position, field) in shape.fields.enumerated() where field.schema.isRequired && !isSet[position] {
            complaints.report(.missingArgument(field.schema, of: shape.title, at: place))
        }
        if shape.hasSiblingRules { checkSiblings(result, shape, at: place) }
        return result
    }

    // MARK: Types

    private func read(_ node: Node, _ type: TypeShape, _ field: FieldShape, _ scope: Scope) -> LocatedValue? {
        switch node {
        case .value(let value, let range): return read(value, range, type, field, scope)
        case .yaml(let yaml):
            switch yaml.kind {
            case .scalar(let scalar):
                if scalar.isNull { return nil }
                if Templates.mayHoldExpression(scalar.text) {
                    let evaluated = templates.evaluate(yaml, scalar, in: scope, complaints)
                    let field = evaluated.namesOutputs ? field.withoutReference : field
                    return read(evaluated.value, yaml.range, type, field, scope)
                }
                return read(text: scalar.text, isQuoted: scalar.isQuoted, yaml.range, type, field, scope)
            case .sequence(let items):
                return readList(items.lazy.map { .yaml($0) }, node, type, field, scope)
            case .mapping: return readMap(node, type, field, scope)
            }
        }
    }

    private func read(
        _ value: Value, _ range: SourceRange, _ type: TypeShape, _ field: FieldShape, _ scope: Scope
    ) -> LocatedValue? {
        switch (value, type) {
        case (.null, _): return nil
        case (.deferred, _), (.bool, .boolean), (.integer, .integer), (.integer, .number), (.number, .number),
            (_, .anything):
            return .value(value, range)
        case (.string(let text), _): return read(text: text, isQuoted: false, range, type, field, scope)
        case (.bool, .string), (.integer, .string), (.number, .string):
            return .value(ScalarText.text(value).map { .string($0) } ?? .null, range)
        case (.number(let number), .integer):
            if let whole = Int(exactly: number) { return .value(.integer(whole), range) }
            return wrong(.wrongType(field.schema.name, "\(number)", type, at: range), range)
        case (.list(let items), _):
            return readList(items.lazy.map { .value($0, range) }, .value(value, range), type, field, scope)
        case (.map, _): return readMap(.value(value, range), type, field, scope)
        default: return wrong(.wrongType(field.schema.name, value.kindName, type, at: range), range)
        }
    }

    private func read(
        text: String, isQuoted: Bool, _ range: SourceRange, _ type: TypeShape, _ field: FieldShape, _ scope: Scope
    ) -> LocatedValue {
        let reading: ScalarReading
        switch type {
        case .string:
            guard let kind = field.reference else { return .value(.string(text), range) }
            return .value(scope.named(text, kind, at: range), range)
        case .anything: return .value(isQuoted ? .string(text) : ScalarText.anything(text), range)
        case .boolean: reading = ScalarText.boolean(text)
        case .integer: reading = ScalarText.integer(text)
        case .number: reading = ScalarText.number(text)
        case .list, .set, .map, .object:
            return wrong(.notACollection(field.schema.name, text, type, at: range), range)
        }
        switch reading {
        case .value(let value):
            if isQuoted { return wrong(.quotedScalar(field.schema.name, text, type, at: range), range) }
            return .value(value, range)
        case .wrong(let why, let hint):
            return wrong(.wrongText(field.schema.name, text, why, type, hint: hint, at: range), range)
        }
    }

    private func readList(
        _ items: some Sequence<Node>, _ node: Node, _ type: TypeShape, _ field: FieldShape, _ scope: Scope
    ) -> LocatedValue {
        let element: TypeShape
        switch type {
        case .list(let type), .set(let type, _): element = type
        case .anything: element = .anything
        case .string, .integer, .number, .boolean, .map, .object:
            return wrong(.wrongType(field.schema.name, "a list", type, at: node.range), node.range)
        }
        var values: [LocatedValue] = []
        for item in items {
            if let value = read(item, element, field, scope) {
                values.append(value)
            } else if case .yaml(let yaml) = item, yaml.isNull {
                if case .anything = type {
                    values.append(.value(.null, yaml.range))
                } else {
                    complaints.report(.nullElement(field.schema.name, at: yaml.range))
                }
            }
        }
        if case .set(_, let key) = type { values = withoutRepetition(values, key: key, node, field) }
        return .list(values, node.range)
    }

    private func readMap(_ node: Node, _ type: TypeShape, _ field: FieldShape, _ scope: Scope) -> LocatedValue {
        let element: TypeShape
        switch type {
        case .object(let shape):
            return .map(readBlock(node.entries ?? [], as: shape, at: node.range, in: scope), node.range)
        case .map(let type): element = type
        case .anything: element = .anything
        case .string, .integer, .number, .boolean, .list, .set:
            return wrong(.wrongType(field.schema.name, "a map", type, at: node.range), node.range)
        }
        var keepsNull = field.schema.semantics == .tags
        if case .anything = type { keepsNull = true }
        var values: [LocatedValue.Entry] = []
        for entry in expandedEntries(node, in: scope) {
            guard
                let value = read(entry.value, element, field, scope)
                    ?? (keepsNull ? .value(.null, entry.value.range) : nil)
            else { continue }
            values.append(LocatedValue.Entry(key: entry.key, keyRange: entry.keyRange, value: value))
        }
        return .map(values, node.range)
    }

    /// The entries of a mapping whose keys may hold expressions. An entry whose key has no value is left out, after a
    /// complaint; so is the second of two with the same key.
    func expandedEntries(_ node: Node, in scope: Scope) -> [Node.Entry] {
        guard let entries = node.entries else { return [] }
        guard case .yaml = node, entries.contains(where: { Templates.mayHoldExpression($0.key) }) else {
            return entries
        }
        var places: [String: SourceRange] = [:]
        return entries.compactMap { entry in
            guard let key = templates.key(entry.key, entry.keyRange, in: scope, complaints) else { return nil }
            if let first = places[key] {
                complaints.report(.duplicateKey(key, at: entry.keyRange, first: first))
                return nil
            }
            places[key] = entry.keyRange
            return Node.Entry(key: key, keyRange: entry.keyRange, value: entry.value)
        }
    }

    /// A set as a list in which nothing stands twice; what a person wrote twice is complained about.
    private func withoutRepetition(
        _ values: [LocatedValue], key: String?, _ node: Node, _ field: FieldShape
    ) -> [LocatedValue] {
        if values.count < 2 { return values }
        var places: [Value: SourceRange] = [:]
        return values.filter { value in
            let identity = key.map { value[$0]?.value ?? .null } ?? value.value
            guard identity.isKnown, identity != .null else { return true }
            guard let first = places[identity] else {
                places[identity] = value.range
                return true
            }
            if case .yaml = node {
                complaints.report(
                    .repeatedElement(identity, key: key, field.schema.name, at: value.range, first: first))
            }
            return false
        }
    }

    private func wrong(_ diagnostic: Diagnostic, _ range: SourceRange) -> LocatedValue {
        complaints.report(diagnostic)
        return .value(Poison.value, range)
    }
}

extension FieldShape {
    /// The kind that a bare name in the field refers to.
    var reference: ReferenceKind? { schema.reference }

    /// The same field for a text that came out of the cloud: it is no name of the spec.
    var withoutReference: FieldShape {
        guard schema.reference != nil else { return self }
        var schema = schema
        schema.reference = nil
        return FieldShape(schema)
    }
}

/// Stands for a value that could not be read, after a complaint. It hangs on nothing that could ever be known, so all
/// that is computed from it is poisoned too. It never leaves the loader without an error beside it.
enum Poison {
    static let expression = Expression.reference(Reference(.path([.name("\u{0}")]), stack: "", range: nil))
    static let value = Value.deferred(Deferred(expression))

    static func isIn(_ value: Value) -> Bool {
        var isFound = false
        value.visitDeferred { deferred in
            deferred.expression.visit { isFound = isFound || $0 == expression }
        }
        return isFound
    }
}
