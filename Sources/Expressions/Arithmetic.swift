import MusterModel

/// Operators on known values. Integers are exact in 64 bits, and an operation that would leave them is an error; with a
/// number on either side the result is a number.
enum Arithmetic {
    static func apply(_ symbol: Expression.UnaryOperator, _ operand: Value) throws(EvaluationFailure) -> Value {
        switch (symbol, operand) {
        case (.not, .bool(let flag)): return .bool(!flag)
        case (.not, _): throw .wrongType("What follows not", is: operand, mustBe: "a boolean")
        case (.negate, .integer(let number)):
            let (result, didOverflow) = 0.subtractingReportingOverflow(number)
            if didOverflow { throw overflow(.subtract) }
            return .integer(result)
        case (.negate, .number(let number)): return .number(-number)
        case (.negate, _): throw .wrongType("What follows -", is: operand, mustBe: "a number")
        }
    }

    /// All operators but `and` and `or`, which are lazy.
    static func apply(
        _ symbol: Expression.BinaryOperator, _ left: Value, _ right: Value
    ) throws(EvaluationFailure) -> Value {
        switch symbol {
        case .equal: return .bool(try areEqual(left, right))
        case .notEqual: return .bool(!(try areEqual(left, right)))
        case .less: return .bool(try compare(symbol, left, right) < 0)
        case .lessOrEqual: return .bool(try compare(symbol, left, right) <= 0)
        case .greater: return .bool(try compare(symbol, left, right) > 0)
        case .greaterOrEqual: return .bool(try compare(symbol, left, right) >= 0)
        case .add, .subtract, .multiply, .divide, .remainder: return try calculate(symbol, left, right)
        case .and, .or:
            guard case .bool(let first) = left else {
                throw .wrongType("The left side of \(symbol.rawValue)", is: left, mustBe: "a boolean")
            }
            guard case .bool(let second) = right else {
                throw .wrongType("The right side of \(symbol.rawValue)", is: right, mustBe: "a boolean")
            }
            return .bool(symbol == .and ? first && second : first || second)
        }
    }

    /// Whether two values are the same: 1 is 1.0. Only values of one kind can be compared, and anything with null.
    static func areEqual(_ left: Value, _ right: Value) throws(EvaluationFailure) -> Bool {
        switch (left, right) {
        case (.null, _), (_, .null): return left == right
        case (.string, .string), (.bool, .bool), (.list, .list), (.map, .map), (.integer, .integer), (.number, .number),
            (.integer, .number), (.number, .integer):
            return isSame(left, right)
        default:
            throw EvaluationFailure(
                code: "expression.wrong-type", summary: "Wrong type in an expression",
                detail: "The left side of a comparison is \(left.kindName) and the right side \(right.kindName): "
                    + "they can never be equal.",
                hint: "string(x), integer(x) and number(x) convert.")
        }
    }

    static func isSame(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.integer, .number), (.number, .integer): return order(left, right) == 0
        case (.list(let left), .list(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { isSame($0, $1) }
        case (.map(let left), .map(let right)):
            return left.count == right.count
                && left.allSatisfy { key, value in right[key].map { isSame(value, $0) } ?? false }
        default: return left == right
        }
    }

    /// Negative, zero or positive; nil when the values have no order.
    static func order(_ left: Value, _ right: Value) -> Int? {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): return left < right ? -1 : left == right ? 0 : 1
        case (.number(let left), .number(let right)): return left < right ? -1 : left == right ? 0 : 1
        case (.integer(let left), .number(let right)): return order(left, right)
        case (.number(let left), .integer(let right)): return -order(right, left)
        case (.string(let left), .string(let right)): return left < right ? -1 : left == right ? 0 : 1
        default: return nil
        }
    }

    /// Exact, also where the integer has no double.
    private static func order(_ left: Int, _ right: Double) -> Int {
        if right >= 0x1p63 { return -1 }
        if right < -0x1p63 { return 1 }
        let whole = Int(right.rounded(.down))
        if left != whole { return left < whole ? -1 : 1 }
        return right > right.rounded(.down) ? -1 : 0
    }

    private static func compare(
        _ symbol: Expression.BinaryOperator, _ left: Value, _ right: Value
    ) throws(EvaluationFailure) -> Int {
        if let order = order(left, right) { return order }
        switch left {
        case .integer, .number:
            throw .wrongType("The right side of \(symbol.rawValue)", is: right, mustBe: "a number, as the left one is")
        case .string:
            throw .wrongType("The right side of \(symbol.rawValue)", is: right, mustBe: "a string, as the left one is")
        default: throw .wrongType("The left side of \(symbol.rawValue)", is: left, mustBe: "a number or a string")
        }
    }

    private static func calculate(
        _ symbol: Expression.BinaryOperator, _ left: Value, _ right: Value
    ) throws(EvaluationFailure) -> Value {
        if case .integer(let left) = left, case .integer(let right) = right {
            return try calculate(symbol, left, right)
        }
        let first = try number(left, "The left side of \(symbol.rawValue)", symbol)
        let second = try number(right, "The right side of \(symbol.rawValue)", symbol)
        let result: Double
        switch symbol {
        case .add: result = first + second
        case .subtract: result = first - second
        case .multiply: result = first * second
        case .divide:
            if second == 0 { throw .arithmetic("A number cannot be divided by zero.") }
            result = first / second
        default:
            throw .wrongType(
                left.integer == nil ? "The left side of %" : "The right side of %",
                is: left.integer == nil ? left : right, mustBe: "an integer")
        }
        guard result.isFinite else { throw overflow(symbol) }
        return .number(result)
    }

    private static func calculate(
        _ symbol: Expression.BinaryOperator, _ left: Int, _ right: Int
    ) throws(EvaluationFailure) -> Value {
        let result: (partialValue: Int, overflow: Bool)
        switch symbol {
        case .add: result = left.addingReportingOverflow(right)
        case .subtract: result = left.subtractingReportingOverflow(right)
        case .multiply: result = left.multipliedReportingOverflow(by: right)
        case .divide:
            if right == 0 { throw .arithmetic("A number cannot be divided by zero.") }
            result = left.dividedReportingOverflow(by: right)
            // A quotient that is no integer is a number: nothing is cut off silently.
            if !result.overflow, result.partialValue * right != left { return .number(Double(left) / Double(right)) }
        default:
            if right == 0 { throw .arithmetic("There is no remainder of a division by zero.") }
            result = right == -1 ? (0, false) : left.remainderReportingOverflow(dividingBy: right)
        }
        if result.overflow { throw overflow(symbol) }
        return .integer(result.partialValue)
    }

    static func overflow(_ symbol: Expression.BinaryOperator) -> EvaluationFailure {
        .arithmetic("The result of \(symbol.rawValue) is too large for 64 bits.")
    }

    private static func number(
        _ value: Value, _ what: String, _ symbol: Expression.BinaryOperator
    ) throws(EvaluationFailure) -> Double {
        switch value {
        case .integer(let number): return Double(number)
        case .number(let number): return number
        case .string where symbol == .add:
            throw .wrongType(what, is: value, mustBe: "a number", hint: "To join texts, write \"${a}${b}\".")
        case .list where symbol == .add:
            throw .wrongType(what, is: value, mustBe: "a number", hint: "To join lists, write concat(a, b).")
        case .map where symbol == .add:
            throw .wrongType(what, is: value, mustBe: "a number", hint: "To join maps, write merge(a, b).")
        default: throw .wrongType(what, is: value, mustBe: "a number")
        }
    }
}
