/// A value of the spec language, of an argument or of an output.
///
/// Everything that crosses a layer is made of these: there are no dates, no sets (a set is a list whose schema says so)
/// and no numbers larger than 64 bits.
package enum Value: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list([Value])
    case map([String: Value])
    /// A value that is not known yet, or that must not be known here: an expression over outputs and secrets.
    case deferred(Deferred)
}

/// An expression that can be evaluated only later: when the outputs it names exist, or when secrets may be read.
package final class Deferred: Sendable, Hashable {
    package let expression: Expression
    /// The outputs that the expression names, sorted, each once. Empty while references are not linked yet.
    package let outputs: [OutputReference]
    /// The secrets that the expression names, sorted by name, each once. A value that names one is tainted.
    package let secrets: [SecretReference]

    package init(_ expression: Expression) {
        self.expression = expression
        var outputs: Set<OutputReference> = []
        var secrets: Set<SecretReference> = []
        expression.visit {
            switch $0 {
            case .output(let reference): outputs.insert(reference)
            case .secret(let reference): secrets.insert(reference)
            default: break
            }
        }
        self.outputs = outputs.sorted()
        self.secrets = secrets.sorted()
    }

    package static func == (left: Deferred, right: Deferred) -> Bool {
        left === right || left.expression == right.expression
    }
    package func hash(into hasher: inout Hasher) { hasher.combine(expression) }
}

/// Where a secret is to be read. The value itself is never part of a spec, a plan or a state.
package struct SecretReference: Sendable, Hashable, Comparable {
    /// The word shown in its place: `‹secret:name›`.
    package let name: String
    /// `env:NAME`, `file:PATH`, `ssm:/path` or `secretsmanager:id#key`.
    package let source: String

    package init(name: String, source: String) {
        self.name = name
        self.source = source
    }

    package static func < (left: Self, right: Self) -> Bool { (left.name, left.source) < (right.name, right.source) }
}

extension Value {
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var list: [Value]? { if case .list(let value) = self { value } else { nil } }
    package var map: [String: Value]? { if case .map(let value) = self { value } else { nil } }
    package var deferred: Deferred? { if case .deferred(let value) = self { value } else { nil } }
    package var isNull: Bool { self == .null }

    /// True when nothing in the value is deferred.
    package var isKnown: Bool {
        switch self {
        case .null, .bool, .integer, .number, .string: true
        case .list(let values): values.allSatisfy(\.isKnown)
        case .map(let values): values.values.allSatisfy(\.isKnown)
        case .deferred: false
        }
    }

    /// True when the value names a secret anywhere.
    package var isTainted: Bool {
        var isTainted = false
        visitDeferred { isTainted = isTainted || !$0.secrets.isEmpty }
        return isTainted
    }

    /// The secrets that the value names anywhere, sorted by name, each once.
    package var secrets: [SecretReference] {
        var secrets: Set<SecretReference> = []
        visitDeferred { secrets.formUnion($0.secrets) }
        return secrets.sorted()
    }

    /// Calls `body` for every deferred value inside this one.
    package func visitDeferred(_ body: (Deferred) -> Void) {
        switch self {
        case .null, .bool, .integer, .number, .string: break
        case .list(let values): for value in values { value.visitDeferred(body) }
        case .map(let values): for value in values.values { value.visitDeferred(body) }
        case .deferred(let deferred): body(deferred)
        }
    }

    /// The same value with every deferred part replaced by what `transform` makes of it.
    package func replacingDeferred<Failure: Error>(
        _ transform: (Deferred) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        switch self {
        case .null, .bool, .integer, .number, .string: return self
        case .list(let values):
            if isKnown { return self }
            var result: [Value] = []
            result.reserveCapacity(values.count)
            for value in values { result.append(try value.replacingDeferred(transform)) }
            return .list(result)
        case .map(let values):
            if isKnown { return self }
            var result = values
            for (key, value) in values where !value.isKnown { result[key] = try value.replacingDeferred(transform) }
            return .map(result)
        case .deferred(let deferred): return try transform(deferred)
        }
    }

    /// The name of the value's kind in the spec language, for messages.
    package var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .list: "a list"
        case .map: "a map"
        case .deferred: "a value known later"
        }
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: Value...) { self = .list(elements) }
    package init(dictionaryLiteral elements: (String, Value)...) {
        self = .map(Dictionary(elements, uniquingKeysWith: { _, last in last }))
    }
    package init(nilLiteral: ()) { self = .null }
}
