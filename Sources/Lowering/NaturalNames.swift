import MusterModel

extension Value {
    /// The value as part of a resource's name. A name must not depend on when a value becomes known, so an expression
    /// stands for itself.
    var nameText: String {
        switch self {
        case .null: "null"
        case .bool(let flag): String(flag)
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .string(let text): text
        case .list(let values): values.map(\.nameText).joined(separator: ",")
        case .map(let members):
            members.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.nameText)" }.joined(separator: ",")
        case .deferred(let deferred): deferred.expression.nameText
        }
    }
}

extension Expression {
    /// The expression as part of a resource's name.
    var nameText: String {
        switch self {
        case .literal(let value): value.nameText
        case .reference(let reference):
            switch reference.target {
            case .named(_, let name): name
            case .path(let components): components.map(\.nameText).joined(separator: ".")
            }
        case .output(let output): "\(output.address.type)/\(output.address.name).\(output.output)"
        case .secret(let secret): secret.name
        case .template(let parts): parts.map(\.nameText).joined()
        case .list(let parts): "[\(parts.map(\.nameText).joined(separator: ","))]"
        case .map(let entries): "{\(entries.map { "\($0.key):\($0.value.nameText)" }.joined(separator: ","))}"
        case .member(let base, let name): "\(base.nameText).\(name)"
        case .index(let base, let index): "\(base.nameText)[\(index.nameText)]"
        case .call(let name, let arguments): "\(name)(\(arguments.map(\.nameText).joined(separator: ",")))"
        case .unary(let symbol, let base): "\(symbol.rawValue)(\(base.nameText))"
        case .binary(let symbol, let left, let right): "(\(left.nameText)\(symbol.rawValue)\(right.nameText))"
        }
    }
}

extension Reference.Component {
    fileprivate var nameText: String {
        switch self {
        case .name(let name): name
        case .index(let index): String(index)
        }
    }
}
