// Tree → value, as far as it goes.
//
// Evaluation is partial: what a name stands for may not be known yet. A leaf that cannot be resolved stays, everything
// around it that is known is folded in, and the rest is a deferred value that can be evaluated again later. Lists and maps
// keep their shape: `[a, unknown]` is a list of two with one deferred element.
//
// `if`, `and`, `or`, `coalesce` and `default` evaluate no more than they need. While it is open which branch counts, all
// are evaluated as far as they go, and what fails in them is left standing: it may never be needed.
//
// Messages may quote values. Once a secret was resolved, the sentences of a failure are therefore withheld.
import Diagnostics
package import MusterModel

/// Gives the text of a file of the workspace, by its path relative to the workspace's folder. Throws what a person should
/// read: the description of the error becomes part of the message.
package typealias FileReader = (_ path: String) throws -> String

/// Evaluates expressions. Pure, apart from the files that a reader gives.
package enum Evaluator {
    /// - Parameters:
    ///   - readFile: What `file()` and `template()` read through; without it they fail.
    ///   - resolve: What a `.reference`, `.output` or `.secret` stands for; nil when that is not known yet. A reference is
    ///     asked for with all the constant members that follow it (`var.tags.Name`, `vpc["main"].id`). What it throws is
    ///     thrown on, also for a branch that may never count: a name that does not exist is always a mistake.
    /// - Returns: The value, with `.deferred` parts where something is not known yet.
    package static func evaluate(
        _ expression: Expression, readFile: FileReader? = nil,
        resolve: (Expression) throws(EvaluationFailure) -> Value?
    ) throws(EvaluationFailure) -> Value {
        if case .literal(let value) = expression, value.isKnown { return value }
        var secrets: Set<SecretReference> = []
        do {
            let result = try Evaluation(readFile: readFile).reduce(expression) {
                (leaf) throws(EvaluationFailure) -> Value? in
                let value = try resolve(leaf)
                if case .secret(let secret) = leaf, let value, value.isKnown { secrets.insert(secret) }
                return value
            }
            return result.value
        } catch {
            throw secrets.isEmpty ? error : error.withoutValues(secrets.sorted())
        }
    }

    /// The part of a value that the components lead to, as `${var.tags["Name"]}` does in the value of `var.tags`.
    package static func part(
        of value: Value, at components: ArraySlice<Reference.Component>
    ) throws(EvaluationFailure) -> Value {
        var value = value
        for component in components {
            if case .deferred(let deferred) = value {
                switch component {
                case .name(let name): value = .deferred(Deferred(.member(deferred.expression, name)))
                case .index(let index):
                    value = .deferred(Deferred(.index(deferred.expression, .literal(.integer(index)))))
                }
                continue
            }
            switch component {
            case .name(let name): value = try Evaluation.member(name, of: value)
            case .index(let index): value = try Evaluation.element(.integer(index), of: value)
            }
        }
        return value
    }
}

extension Expression {
    /// The tree that evaluates to a value.
    package init(_ value: Value) {
        switch value {
        case .deferred(let deferred): self = deferred.expression
        case .list(let values) where !value.isKnown: self = .list(values.map { Expression($0) })
        case .map(let members) where !value.isKnown:
            self = .map(
                members.sorted { $0.key < $1.key }.map { MapEntry(key: $0.key, value: Expression($0.value)) })
        default: self = .literal(value)
        }
    }
}

/// What is left of an expression.
enum Reduced {
    /// Not `.deferred` itself, but maybe with deferred parts.
    case value(Value)
    case open(Expression)

    init(_ value: Value) {
        if case .deferred(let deferred) = value { self = .open(deferred.expression) } else { self = .value(value) }
    }

    var value: Value {
        switch self {
        case .value(let value): value
        case .open(let expression): .deferred(Deferred(expression))
        }
    }
    var expression: Expression {
        switch self {
        case .value(let value): Expression(value)
        case .open(let expression): expression
        }
    }
}

/// One walk over a tree.
struct Evaluation {
    typealias Resolve = (Expression) throws(EvaluationFailure) -> Value?

    let readFile: FileReader?
    /// In a branch that may not count: an operation that fails stays as it is.
    var isTolerant = false
    /// How many `template()` calls this one is inside of.
    var templateDepth = 0

    static let maximumTemplateDepth = 8

    func reduce(_ expression: Expression, _ resolve: Resolve) throws(EvaluationFailure) -> Reduced {
        switch expression {
        case .literal(let value):
            if value.isKnown { return .value(value) }
            return Reduced(
                try value.replacingDeferred { (deferred) throws(EvaluationFailure) -> Value in
                    try reduce(deferred.expression, resolve).value
                })
        case .reference, .output, .secret:
            guard let value = try resolve(expression) else { return .open(expression) }
            return Reduced(value)
        case .template(let parts): return try reduceTemplate(parts, resolve)
        case .list(let parts):
            var values: [Value] = []
            values.reserveCapacity(parts.count)
            for part in parts { values.append(try reduce(part, resolve).value) }
            return .value(.list(values))
        case .map(let entries):
            var members: [String: Value] = [:]
            for entry in entries { members[entry.key] = try reduce(entry.value, resolve).value }
            return .value(.map(members))
        case .member(let base, let name): return try reduceMember(base, .string(name), resolve)
        case .index(let base, let key):
            switch try reduce(key, resolve) {
            case .value(let key): return try reduceMember(base, key, resolve)
            case .open(let key): return .open(.index(try reduce(base, resolve).expression, key))
            }
        case .call(let name, let arguments): return try reduceCall(name, arguments, resolve)
        case .unary(let symbol, let operand): return try reduceUnary(symbol, operand, resolve)
        case .binary(let symbol, let left, let right):
            switch symbol {
            case .and, .or: return try reduceLogical(symbol, left, right, resolve)
            default: return try reduceBinary(symbol, left, right, resolve)
            }
        }
    }

    /// In a tolerant walk, what fails is left standing as `residual`.
    func attempt(
        _ residual: @autoclosure () -> Expression, _ body: () throws(EvaluationFailure) -> Reduced
    ) throws(EvaluationFailure) -> Reduced {
        do {
            return try body()
        } catch {
            if isTolerant { return .open(residual()) }
            throw error
        }
    }

    var tolerant: Evaluation {
        var copy = self
        copy.isTolerant = true
        return copy
    }

    // MARK: Templates

    private func reduceTemplate(_ parts: [Expression], _ resolve: Resolve) throws(EvaluationFailure) -> Reduced {
        var text = ""
        var open: [Expression] = []
        func close() {
            if text.isEmpty { return }
            open.append(.literal(.string(text)))
            text = ""
        }
        func append(_ reduced: Reduced) throws(EvaluationFailure) {
            switch reduced {
            case .value(let value):
                do {
                    text += try Evaluation.rendered(value)
                } catch {
                    guard isTolerant else { throw error }
                    close()
                    open.append(Expression(value))
                }
            case .open(.template(let parts)):
                for part in parts {
                    if case .literal(.string(let literal)) = part {
                        text += literal
                    } else {
                        close()
                        open.append(part)
                    }
                }
            case .open(let expression):
                close()
                open.append(expression)
            }
        }
        for part in parts {
            if case .literal(.string(let literal)) = part {
                text += literal
            } else {
                try append(try reduce(part, resolve))
            }
        }
        if open.isEmpty { return .value(.string(text)) }
        close()
        return .open(.template(open))
    }

    /// A value as it stands in a text.
    static func rendered(_ value: Value) throws(EvaluationFailure) -> String {
        switch value {
        case .string(let text): return text
        case .integer(let number): return String(number)
        case .number(let number): return number.description
        case .bool(let flag): return flag ? "true" : "false"
        case .null:
            throw EvaluationFailure(
                code: "expression.wrong-type", summary: "Wrong type in an expression",
                detail: "A null cannot stand in a text.", hint: "default(value, \"…\") gives a text in place of null.")
        case .list:
            throw .wrongType(
                "What stands in the text", is: value, mustBe: "a string, a number or a boolean",
                hint: "join(\", \", list) makes a text of a list, json_encode(value) of anything.")
        case .map, .deferred:
            throw .wrongType(
                "What stands in the text", is: value, mustBe: "a string, a number or a boolean",
                hint: "json_encode(value) makes a text of anything.")
        }
    }

    // MARK: Members

    private func reduceMember(
        _ base: Expression, _ key: Value, _ resolve: Resolve
    ) throws(EvaluationFailure) -> Reduced {
        let base = try reduce(base, resolve)
        func residual() -> Expression {
            if case .string(let name) = key { return .member(base.expression, name) }
            return .index(base.expression, Expression(key))
        }
        switch base {
        case .open(.reference(let reference)):
            guard let extended = reference.extended(by: key) else { return .open(residual()) }
            guard let value = try resolve(.reference(extended)) else { return .open(.reference(extended)) }
            return Reduced(value)
        case .open: return .open(residual())
        case .value(let value):
            guard key.isKnown else { return .open(residual()) }
            return try attempt(residual()) { () throws(EvaluationFailure) -> Reduced in
                if case .string(let name) = key { return Reduced(try Self.member(name, of: value)) }
                return Reduced(try Self.element(key, of: value))
            }
        }
    }

    static func member(_ name: String, of value: Value) throws(EvaluationFailure) -> Value {
        guard case .map(let members) = value else {
            let hint =
                switch value {
                case .list: "An element of a list is had by its number: [0] is the first."
                case .null: "if(x == null, …, …) or default(x, …) deals with a value that is unset."
                default: String?.none
                }
            throw .wrongType("What \(name.quoted) is to be a member of", is: value, mustBe: "a map", hint: hint)
        }
        guard let member = members[name] else { throw .missingMember(name, of: members) }
        return member
    }

    static func element(_ key: Value, of value: Value) throws(EvaluationFailure) -> Value {
        switch value {
        case .map:
            if case .string(let name) = key { return try member(name, of: value) }
            throw .wrongType(
                "The key of a map", is: key, mustBe: "a string", hint: "string(x) makes a text of a number.")
        case .list(let values):
            guard case .integer(let index) = key else {
                throw .wrongType("The index of a list", is: key, mustBe: "an integer")
            }
            guard values.indices.contains(index) else { throw .outOfBounds(index, count: values.count) }
            return values[index]
        case .string:
            throw .wrongType(
                "What is indexed", is: value, mustBe: "a list or a map",
                hint: "substr(text, start, length) is a part of a text.")
        default: throw .wrongType("What is indexed", is: value, mustBe: "a list or a map")
        }
    }

    // MARK: Operators

    private func reduceUnary(
        _ symbol: Expression.UnaryOperator, _ operand: Expression, _ resolve: Resolve
    ) throws(EvaluationFailure) -> Reduced {
        switch try reduce(operand, resolve) {
        case .open(let expression): return .open(.unary(symbol, expression))
        case .value(let value):
            return try attempt(.unary(symbol, Expression(value))) { () throws(EvaluationFailure) -> Reduced in
                .value(try Arithmetic.apply(symbol, value))
            }
        }
    }

    private func reduceBinary(
        _ symbol: Expression.BinaryOperator, _ left: Expression, _ right: Expression, _ resolve: Resolve
    ) throws(EvaluationFailure) -> Reduced {
        let left = try reduce(left, resolve)
        let right = try reduce(right, resolve)
        guard case .value(let leftValue) = left, case .value(let rightValue) = right, leftValue.isKnown,
            rightValue.isKnown
        else { return .open(.binary(symbol, left.expression, right.expression)) }
        return try attempt(.binary(symbol, left.expression, right.expression)) {
            () throws(EvaluationFailure) -> Reduced in
            .value(try Arithmetic.apply(symbol, leftValue, rightValue))
        }
    }

    private func reduceLogical(
        _ symbol: Expression.BinaryOperator, _ left: Expression, _ right: Expression, _ resolve: Resolve
    ) throws(EvaluationFailure) -> Reduced {
        switch try reduce(left, resolve) {
        case .open(let left):
            return .open(.binary(symbol, left, try tolerant.reduce(right, resolve).expression))
        case .value(let value):
            guard case .bool(let flag) = value else {
                guard isTolerant else {
                    throw .wrongType("The left side of \(symbol.rawValue)", is: value, mustBe: "a boolean")
                }
                return .open(.binary(symbol, Expression(value), try rest(right, resolve)))
            }
            if flag == (symbol == .or) { return .value(.bool(flag)) }
            switch try reduce(right, resolve) {
            case .open(let right): return .open(.binary(symbol, .literal(value), right))
            case .value(let right):
                return try attempt(.binary(symbol, .literal(value), Expression(right))) {
                    () throws(EvaluationFailure) -> Reduced in
                    guard case .bool = right else {
                        throw .wrongType("The right side of \(symbol.rawValue)", is: right, mustBe: "a boolean")
                    }
                    return .value(right)
                }
            }
        }
    }

    // MARK: Calls

    private func reduceCall(
        _ name: String, _ arguments: [Expression], _ resolve: Resolve
    ) throws(EvaluationFailure) -> Reduced {
        guard let function = FunctionLibrary[name] else {
            throw EvaluationFailure(
                code: "expression.unknown-function", summary: "Unknown function",
                detail: "There is no function \(name.quoted).",
                hint: Suggestion.hint(for: name, among: FunctionLibrary.all.map(\.name)))
        }
        if let complaint = function.complaint(aboutCount: arguments.count) {
            throw EvaluationFailure(
                code: "expression.argument-count", summary: "Wrong number of arguments", detail: complaint,
                hint: function.signature)
        }
        switch function.behavior {
        case .conditional: return try reduceConditional(arguments, resolve)
        case .firstNonNull: return try reduceFirstNonNull(arguments, resolve)
        case .strict, .structural, .file, .template: break
        }
        var values: [Value] = []
        values.reserveCapacity(arguments.count)
        for argument in arguments { values.append(try reduce(argument, resolve).value) }
        func residual() -> Expression { .call(name, values.map { Expression($0) }) }
        return try attempt(residual()) { () throws(EvaluationFailure) -> Reduced in
            let arguments = Arguments(function, values)
            try arguments.check()
            let isShapeKnown = values.enumerated().allSatisfy { position, value in
                value.deferred == nil || function.parameter(at: position).kind == .any
            }
            switch function.behavior {
            case .strict(let body):
                guard values.allSatisfy(\.isKnown) else { return .open(residual()) }
                return .value(try body(arguments))
            case .structural(let body):
                guard isShapeKnown, let value = try body(arguments) else { return .open(residual()) }
                return Reduced(value)
            case .file:
                guard isShapeKnown else { return .open(residual()) }
                return .value(.string(try FileFunctions.read(try arguments.string(0), with: readFile)))
            case .template:
                guard isShapeKnown else { return .open(residual()) }
                return try FileFunctions.fill(try arguments.string(0), with: try arguments.map(1), in: self)
            case .conditional, .firstNonNull: return .open(residual())
            }
        }
    }

    private func reduceConditional(
        _ arguments: [Expression], _ resolve: Resolve
    ) throws(EvaluationFailure) -> Reduced {
        switch try reduce(arguments[0], resolve) {
        case .value(.bool(let flag)): return try reduce(arguments[flag ? 1 : 2], resolve)
        case .value(let value):
            guard isTolerant else {
                throw .wrongType("The condition of if", is: value, mustBe: "a boolean")
            }
            return .open(
                .call("if", [Expression(value), try rest(arguments[1], resolve), try rest(arguments[2], resolve)]))
        case .open(let condition):
            return .open(
                .call("if", [condition, try rest(arguments[1], resolve), try rest(arguments[2], resolve)]))
        }
    }

    private func reduceFirstNonNull(
        _ arguments: [Expression], _ resolve: Resolve
    ) throws(EvaluationFailure) -> Reduced {
        for (position, argument) in arguments.enumerated() {
            switch try reduce(argument, resolve) {
            case .value(.null): continue
            case .value(let value): return .value(value)
            case .open(let expression):
                // Null or not, the last one is the result.
                if position == arguments.count - 1 { return .open(expression) }
                var rest = [expression]
                for argument in arguments[(position + 1)...] { rest.append(try self.rest(argument, resolve)) }
                return .open(.call("coalesce", rest))
            }
        }
        return .value(.null)
    }

    /// What is left of a part that may not be needed.
    private func rest(_ expression: Expression, _ resolve: Resolve) throws(EvaluationFailure) -> Expression {
        try tolerant.reduce(expression, resolve).expression
    }
}

extension Reference {
    /// The reference that a constant member of this one is; nil when there is no such reference.
    fileprivate func extended(by key: Value) -> Reference? {
        guard case .path(let components) = target else { return nil }
        switch key {
        case .string(let name): return Reference(.path(components + [.name(name)]), stack: stack, range: range)
        case .integer(let index) where index >= 0:
            return Reference(.path(components + [.index(index)]), stack: stack, range: range)
        default: return nil
        }
    }
}
