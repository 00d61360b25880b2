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
    /// The expression as part of a resource's name: what stands between `${` and `}`, with the holes of a text as they
    /// are and names as the user wrote them.
    var nameText: String {
        switch self {
        case .literal(let value): value.nameText
        case .template(let parts): parts.map(\.nameText).joined()
        case .output(let output): "\(output.address.type)/\(output.address.name).\(output.output)"
        case .reference(let reference):
            if case .named(_, let name) = reference.target { name } else { sourceText }
        default: sourceText
        }
    }
}
