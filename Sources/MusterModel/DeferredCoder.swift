/// Finds deferred values in what was read.
enum DeferredCoder {
    static let key = "$deferred"

    static func restored(_ value: Value) throws(ValueJSON.Failure) -> Value {
        switch value {
        case .null, .bool, .integer, .number, .string, .deferred: return value
        case .list(let values):
            var result: [Value] = []
            result.reserveCapacity(values.count)
            for value in values { result.append(try restored(value)) }
            return .list(result)
        case .map(let members):
            if let node = members[key] {
                guard members.count == 1 else { throw bad("$deferred stands alone in its object") }
                return .deferred(Deferred(try expression(node)))
            }
            var result: [String: Value] = [:]
            result.reserveCapacity(members.count)
            for (name, value) in members {
                guard name.utf8.starts(with: key.utf8) else {
                    result[name] = try restored(value)
                    continue
                }
                let rest = name.dropFirst(key.count)
                guard rest.first == "$" else { throw bad("no key begins with $deferred but as it is written here") }
                result[key + rest.dropFirst()] = try restored(value)
            }
            return .map(result)
        }
    }

    private static func bad(_ message: String) -> ValueJSON.Failure {
        ValueJSON.Failure(message: message, line: 1, column: 1)
    }

    private static func expression(_ node: Value) throws(ValueJSON.Failure) -> Expression {
        guard case .list(let parts) = node else {
            if case .map = node { throw bad("a node of a deferred value is no object") }
            return .literal(node)
        }
        guard case .string(let kind)? = parts.first else { throw bad("a node of a deferred value has no kind") }
        switch (kind, parts.count) {
        case ("value", 2): return .literal(try restored(parts[1]))
        case ("reference", 2...): return .reference(try reference(parts))
        case ("named", 4):
            return .reference(
                Reference(
                    .named(ReferenceKind(try text(parts[2]), []), try text(parts[3])), stack: try text(parts[1]),
                    range: nil))
        case ("output", 3):
            guard let address = Address(try text(parts[1])) else { throw bad("this is not an address") }
            return .output(OutputReference(address, try text(parts[2])))
        case ("secret", 3): return .secret(SecretReference(name: try text(parts[1]), source: try text(parts[2])))
        case ("template", _): return .template(try expressions(parts.dropFirst()))
        case ("list", _): return .list(try expressions(parts.dropFirst()))
        case ("map", _):
            guard parts.count % 2 == 1 else { throw bad("a key of a deferred map has no value") }
            var entries: [Expression.MapEntry] = []
            for position in stride(from: 1, to: parts.count, by: 2) {
                entries.append(
                    Expression.MapEntry(key: try text(parts[position]), value: try expression(parts[position + 1])))
            }
            return .map(entries)
        case ("member", 3): return .member(try expression(parts[1]), try text(parts[2]))
        case ("index", 3): return .index(try expression(parts[1]), try expression(parts[2]))
        case ("call", 2...): return .call(try text(parts[1]), try expressions(parts.dropFirst(2)))
        case ("unary", 3):
            guard let symbol = Expression.UnaryOperator(rawValue: try text(parts[1])) else {
                throw bad("there is no such operator")
            }
            return .unary(symbol, try expression(parts[2]))
        case ("binary", 4):
            guard let symbol = Expression.BinaryOperator(rawValue: try text(parts[1])) else {
                throw bad("there is no such operator")
            }
            return .binary(symbol, try expression(parts[2]), try expression(parts[3]))
        default: throw bad("a deferred value has a node that is not known: \"\(kind)\"")
        }
    }

    private static func expressions(_ nodes: ArraySlice<Value>) throws(ValueJSON.Failure) -> [Expression] {
        var result: [Expression] = []
        for node in nodes { result.append(try expression(node)) }
        return result
    }

    private static func text(_ value: Value) throws(ValueJSON.Failure) -> String {
        guard case .string(let text) = value else { throw bad("a deferred value lacks a text") }
        return text
    }

    private static func reference(_ parts: [Value]) throws(ValueJSON.Failure) -> Reference {
        var components: [Reference.Component] = []
        for part in parts.dropFirst(2) {
            switch part {
            case .string(let name): components.append(.name(name))
            case .integer(let index): components.append(.index(index))
            default: throw bad("a part of a reference is a text or an integer")
            }
        }
        return Reference(.path(components), stack: try text(parts[1]), range: nil)
    }
}
