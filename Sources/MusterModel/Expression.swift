package import Diagnostics

/// The tree of a `${…}` expression.
///
/// A tree is data: it is written into plans and read back, so it names nothing but values, references and functions.
package indirect enum Expression: Sendable, Hashable {
    case literal(Value)
    /// A name as the user wrote it; linking turns it into an output.
    case reference(Reference)
    /// An output of a resource or of a lookup.
    case output(OutputReference)
    case secret(SecretReference)
    /// Text with holes; the parts are joined as strings.
    case template([Expression])
    case list([Expression])
    case map([MapEntry])
    case member(Expression, String)
    case index(Expression, Expression)
    case call(String, [Expression])
    case unary(UnaryOperator, Expression)
    case binary(BinaryOperator, Expression, Expression)

    package struct MapEntry: Sendable, Hashable {
        package let key: String
        package let value: Expression

        package init(key: String, value: Expression) {
            self.key = key
            self.value = value
        }
    }

    package enum UnaryOperator: String, Sendable, Hashable { case not, negate = "-" }
    package enum BinaryOperator: String, Sendable, Hashable {
        case or, and
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case remainder = "%"
    }

    /// Calls `body` for this expression and all inside it, outermost first.
    package func visit(_ body: (Expression) -> Void) {
        body(self)
        switch self {
        case .literal(let value): value.visitDeferred { $0.expression.visit(body) }
        case .reference, .output, .secret: break
        case .template(let parts), .list(let parts), .call(_, let parts): for part in parts { part.visit(body) }
        case .map(let entries): for entry in entries { entry.value.visit(body) }
        case .member(let base, _), .unary(_, let base): base.visit(body)
        case .index(let left, let right), .binary(_, let left, let right):
            left.visit(body)
            right.visit(body)
        }
    }

    /// The same tree with every reference, output and secret replaced by what `transform` makes of it.
    package func replacingLeaves<Failure: Error>(
        _ transform: (Expression) throws(Failure) -> Expression
    ) throws(Failure) -> Expression {
        func all(_ parts: [Expression]) throws(Failure) -> [Expression] {
            var result: [Expression] = []
            result.reserveCapacity(parts.count)
            for part in parts { result.append(try part.replacingLeaves(transform)) }
            return result
        }
        switch self {
        case .reference, .output, .secret: return try transform(self)
        case .literal(let value):
            if value.isKnown { return self }
            return .literal(
                try value.replacingDeferred { (deferred) throws(Failure) -> Value in
                    let replaced = try deferred.expression.replacingLeaves(transform)
                    if case .literal(let value) = replaced { return value }
                    return .deferred(Deferred(replaced))
                })
        case .template(let parts): return .template(try all(parts))
        case .list(let parts): return .list(try all(parts))
        case .call(let name, let parts): return .call(name, try all(parts))
        case .map(let entries):
            var result: [MapEntry] = []
            for entry in entries {
                result.append(MapEntry(key: entry.key, value: try entry.value.replacingLeaves(transform)))
            }
            return .map(result)
        case .member(let base, let name): return .member(try base.replacingLeaves(transform), name)
        case .unary(let symbol, let base): return .unary(symbol, try base.replacingLeaves(transform))
        case .index(let base, let key):
            return .index(try base.replacingLeaves(transform), try key.replacingLeaves(transform))
        case .binary(let symbol, let left, let right):
            return .binary(symbol, try left.replacingLeaves(transform), try right.replacingLeaves(transform))
        }
    }
}

/// A name that the user wrote and that is not linked to a resource yet.
package struct Reference: Sendable, Hashable {
    package enum Target: Sendable, Hashable {
        /// `vpc.main.id`, `security_groups["prod-rds"].id`, `var.environment`: a root and what follows it.
        case path([Component])
        /// A bare name in a field that takes a reference: `vpc: main`, `from: [other:group]`.
        case named(ReferenceKind, String)
    }

    package enum Component: Sendable, Hashable {
        case name(String)
        case index(Int)
    }

    package let target: Target
    /// The stack whose spec holds the reference: bare names are looked for there and in what it `uses`.
    package let stack: String
    package let range: SourceRange?

    package init(_ target: Target, stack: String, range: SourceRange?) {
        self.target = target
        self.stack = stack
        self.range = range
    }
}

/// What a field that takes a reference accepts, as a row of the table "literals and reserved words per kind".
package struct ReferenceKind: Sendable, Hashable {
    /// Where a bare name is looked for, in this order.
    package struct Target: Sendable, Hashable {
        /// A resource type, or `lookup.` and a kind of lookup.
        package let type: ResourceType
        /// The output that the reference stands for, such as `id`, `arn` or `name`.
        package let output: String

        package init(_ type: ResourceType, _ output: String) {
            self.type = type
            self.output = output
        }
    }

    /// In words, for messages: `security group`.
    package let name: String
    package let targets: [Target]
    /// A value that begins with one of these is taken literally (`sg-`, `arn:`).
    package let literalPrefixes: [String]
    /// A value in CIDR notation is taken literally.
    package let allowsCIDR: Bool
    /// Words with a meaning of their own, which cannot be names (`self`, `any`).
    package let reserved: [String]

    package init(
        _ name: String, _ targets: [Target], literals: [String] = [], allowsCIDR: Bool = false, reserved: [String] = []
    ) {
        self.name = name
        self.targets = targets
        self.literalPrefixes = literals
        self.allowsCIDR = allowsCIDR
        self.reserved = reserved
    }
}
