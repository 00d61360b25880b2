import MusterModel

/// Functions of numbers, and conversions to them. Integers stay integers.
enum NumberFunctions {
    static let all = [integer, number, boolean, min, max, sum, abs, floor, ceil]

    private static let integer = FunctionDefinition(
        "integer", [.init("value", .text)], .integer,
        "A decimal text, or a number without a fraction, as an integer.",
        [.init("integer(\"8080\")", "8080"), .init("integer(3.0)", "3")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            switch arguments.values[0] {
            case .integer(let value): return .integer(value)
            case .number(let value):
                if let whole = Int(exactly: value) { return .integer(whole) }
                throw arguments.failure("\(value) is not an integer.", hint: "floor(x) and ceil(x) round.")
            case .string(let text):
                if isDecimal(text), let value = Int(text) { return .integer(value) }
                throw arguments.failure("\"\(text)\" is not an integer in 64 bits.")
            default: throw arguments.wrong(0)
            }
        })

    private static func isDecimal(_ text: String) -> Bool {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        return !digits.isEmpty && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static let number = FunctionDefinition(
        "number", [.init("value", .text)], .number, "A decimal text as a number.",
        [.init("number(\"1.5\")", "1.5"), .init("number(\"3\")", "3")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            switch arguments.values[0] {
            case .integer(let value): return .integer(value)
            case .number(let value): return .number(value)
            case .string(let text):
                if isDecimal(text), let value = Int(text) { return .integer(value) }
                let isPlain = text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
                if isPlain, let value = Double(text), value.isFinite { return .number(value) }
                throw arguments.failure("\"\(text)\" is not a number.")
            default: throw arguments.wrong(0)
            }
        })

    private static let boolean = FunctionDefinition(
        "boolean", [.init("value", .any)], .boolean, "The texts \"true\" and \"false\" as booleans.",
        [.init("boolean(\"true\")", "true")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            switch arguments.values[0] {
            case .bool(let value): return .bool(value)
            case .string("true"): return .bool(true)
            case .string("false"): return .bool(false)
            case .string(let text): throw arguments.failure("\"\(text)\" is neither \"true\" nor \"false\".")
            case let value:
                throw .wrongType(
                    "The argument \"value\" of boolean", is: value, mustBe: "a string or a boolean",
                    hint: arguments.function.signature)
            }
        })

    private static let min = FunctionDefinition(
        "min", [.init("first", .any), .init("others", .number, isVariadic: true)], .number,
        "The smallest of the numbers, or of one list of them.",
        [.init("min(3, 1.5)", "1.5"), .init("min([3, 2])", "2")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in try extreme(of: arguments, sign: -1) })

    private static let max = FunctionDefinition(
        "max", [.init("first", .any), .init("others", .number, isVariadic: true)], .number,
        "The largest of the numbers, or of one list of them.",
        [.init("max(3, 1.5)", "3"), .init("max([3, 2])", "3")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in try extreme(of: arguments, sign: 1) })

    private static func extreme(of arguments: Arguments, sign: Int) throws(EvaluationFailure) -> Value {
        let numbers = try numbers(of: arguments)
        guard var result = numbers.first else { throw arguments.failure("An empty list has no such number.") }
        for number in numbers.dropFirst() where (Arithmetic.order(number, result) ?? 0) * sign > 0 { result = number }
        return result
    }

    /// The arguments, or the elements of the only one.
    private static func numbers(of arguments: Arguments) throws(EvaluationFailure) -> [Value] {
        var numbers = arguments.values
        if numbers.count == 1, case .list(let values) = numbers[0] { numbers = values }
        for number in numbers {
            switch number {
            case .integer, .number: continue
            default:
                throw .wrongType(
                    "An argument of \(arguments.function.name)", is: number, mustBe: "a number",
                    hint: arguments.function.signature)
            }
        }
        return numbers
    }

    private static let sum = FunctionDefinition(
        "sum", [.init("list", .list)], .number, "The sum of a list of numbers; 0 for an empty one.",
        [.init("sum([1, 2, 3])", "6"), .init("sum([1, 0.5])", "1.5")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            var result = Value.integer(0)
            for number in try numbers(of: arguments) { result = try Arithmetic.apply(.add, result, number) }
            return result
        })

    private static let abs = FunctionDefinition(
        "abs", [.init("value", .number)], .number, "The number without its sign.", [.init("abs(-3)", "3")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            switch arguments.values[0] {
            case .integer(let value) where value < 0: return try Arithmetic.apply(.negate, .integer(value))
            case .number(let value): return .number(value.magnitude)
            case let value: return value
            }
        })

    private static let floor = FunctionDefinition(
        "floor", [.init("value", .number)], .integer, "The largest integer that is not above the number.",
        [.init("floor(7 / 2)", "3"), .init("floor(-0.5)", "-1")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in try rounded(arguments, .down) })

    private static let ceil = FunctionDefinition(
        "ceil", [.init("value", .number)], .integer, "The smallest integer that is not below the number.",
        [.init("ceil(7 / 2)", "4")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in try rounded(arguments, .up) })

    private static func rounded(
        _ arguments: Arguments, _ rule: FloatingPointRoundingRule
    ) throws(EvaluationFailure) -> Value {
        switch arguments.values[0] {
        case .number(let value):
            guard let whole = Int(exactly: value.rounded(rule)) else {
                throw arguments.failure("The result does not fit into 64 bits.")
            }
            return .integer(whole)
        case let value: return value
        }
    }
}
