import MusterModel

/// Functions of lists and maps. Most need only the shape of their arguments, so that a list of what is known later has a
/// known length.
enum CollectionFunctions {
    static let all = [
        length, keys, values, merge, concat, flatten, distinct, compact, contains, indexOf, slice, reverse, sort, range,
        element, lookup, zipMap,
    ]

    /// How many elements `range` may give.
    static let maximumRange = 100_000

    private static let length = FunctionDefinition(
        "length", [.init("value", .any)], .integer,
        "How many elements a list, entries a map or characters a string has.",
        [.init("length([\"a\", \"b\"])", "2"), .init("length(\"häuser\")", "6"), .init("length({})", "0")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            switch arguments.values[0] {
            case .list(let values): return .integer(values.count)
            case .map(let members): return .integer(members.count)
            case .string(let text): return .integer(text.count)
            case .deferred: return nil
            case let value:
                throw .wrongType(
                    "The argument \"value\" of length", is: value, mustBe: "a list, a map or a string",
                    hint: arguments.function.signature)
            }
        })

    private static let keys = FunctionDefinition(
        "keys", [.init("map", .map)], .list, "The keys of a map, sorted.",
        [.init("keys({ b: 1, a: 2 })", "[\"a\", \"b\"]")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            .list(try arguments.map(0).keys.sorted().map(Value.string))
        })

    private static let values = FunctionDefinition(
        "values", [.init("map", .map)], .list, "The values of a map, in the order of the sorted keys.",
        [.init("values({ b: 1, a: 2 })", "[2, 1]")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            .list(try arguments.map(0).sorted { $0.key < $1.key }.map(\.value))
        })

    private static let merge = FunctionDefinition(
        "merge", [.init("map", .map), .init("maps", .map, isVariadic: true)], .map,
        "One map of all; where several have a key, the last one counts. Maps inside are replaced, not merged.",
        [.init("merge({ a: 1, b: 1 }, { b: 2 })", "{ a: 1, b: 2 }")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            var result = try arguments.map(0)
            for position in 1..<max(arguments.count, 1) {
                result.merge(try arguments.map(position)) { _, last in last }
            }
            return .map(result)
        })

    private static let concat = FunctionDefinition(
        "concat", [.init("list", .list), .init("lists", .list, isVariadic: true)], .list, "One list of all, in order.",
        [.init("concat([1], [2, 3])", "[1, 2, 3]")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            var result: [Value] = []
            for position in 0..<arguments.count { result += try arguments.list(position) }
            return .list(result)
        })

    private static let flatten = FunctionDefinition(
        "flatten", [.init("list", .list)], .list, "The elements of a list and of all lists inside it, in order.",
        [.init("flatten([1, [2, [3]], []])", "[1, 2, 3]")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            var result: [Value] = []
            return flatten(try arguments.list(0), into: &result) ? .list(result) : nil
        })

    /// False when an element may turn out to be a list.
    private static func flatten(_ values: [Value], into result: inout [Value]) -> Bool {
        for value in values {
            switch value {
            case .list(let inner): guard flatten(inner, into: &result) else { return false }
            case .deferred: return false
            default: result.append(value)
            }
        }
        return true
    }

    private static let distinct = FunctionDefinition(
        "distinct", [.init("list", .list)], .list, "The list without repetitions, in the order of the first ones.",
        [.init("distinct([\"a\", \"b\", \"a\"])", "[\"a\", \"b\"]")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            var seen: Set<Value> = []
            return .list(try arguments.list(0).filter { seen.insert(comparable($0)).inserted })
        })

    /// The same for values that are equal in the language: 1 and 1.0.
    private static func comparable(_ value: Value) -> Value {
        switch value {
        case .number(let number): Int(exactly: number).map(Value.integer) ?? value
        case .list(let values): .list(values.map(comparable))
        case .map(let members): .map(members.mapValues(comparable))
        default: value
        }
    }

    private static let compact = FunctionDefinition(
        "compact", [.init("list", .list)], .list, "The list without nulls and empty strings.",
        [.init("compact([\"a\", null, \"\"])", "[\"a\"]")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            let values = try arguments.list(0)
            if values.contains(where: { $0.deferred != nil }) { return nil }
            return .list(values.filter { $0 != .null && $0 != .string("") })
        })

    private static let contains = FunctionDefinition(
        "contains", [.init("list", .list), .init("value", .any)], .boolean, "Whether the value is in the list.",
        [.init("contains([1, 3, 5], 3)", "true")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            let values = try arguments.list(0)
            let wanted = arguments.values[1]
            guard wanted.isKnown else { return nil }
            if values.contains(where: { $0.isKnown && Arithmetic.isSame($0, wanted) }) { return .bool(true) }
            return values.allSatisfy(\.isKnown) ? .bool(false) : nil
        })

    private static let indexOf = FunctionDefinition(
        "index_of", [.init("list", .list), .init("value", .any)], .integer,
        "The position of the first such element, counted from 0, or null when there is none.",
        [.init("index_of([\"a\", \"b\"], \"b\")", "1"), .init("index_of([], 1)", "null")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            let wanted = arguments.values[1]
            guard wanted.isKnown else { return nil }
            for (position, value) in try arguments.list(0).enumerated() {
                guard value.isKnown else { return nil }
                if Arithmetic.isSame(value, wanted) { return .integer(position) }
            }
            return .null
        })

    private static let slice = FunctionDefinition(
        "slice", [.init("list", .list), .init("start", .integer), .init("end", .integer, default: "length(list)")],
        .list,
        "The elements from one position up to, and without, another; positions count from 0.",
        [
            .init("slice([\"a\", \"b\", \"c\"], 1)", "[\"b\", \"c\"]"),
            .init("slice([\"a\", \"b\", \"c\"], 0, 1)", "[\"a\"]"),
        ],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            let values = try arguments.list(0)
            let start = try arguments.integer(1)
            let end = try arguments.integer(2, default: values.count)
            guard start >= 0, end >= start, end <= values.count else {
                throw arguments.failure(
                    "There is no slice from \(start) to \(end) of a list of \(values.count) elements.")
            }
            return .list(Array(values[start..<end]))
        })

    private static let reverse = FunctionDefinition(
        "reverse", [.init("list", .list)], .list, "The list from last to first.", [.init("reverse([1, 2])", "[2, 1]")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in .list(try arguments.list(0).reversed()) })

    private static let sort = FunctionDefinition(
        "sort", [.init("list", .list)], .list, "The list in ascending order: all strings, or all numbers.",
        [.init("sort([\"b\", \"a\"])", "[\"a\", \"b\"]"), .init("sort([10, 9.5])", "[9.5, 10]")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let values = try arguments.list(0)
            for value in values.dropFirst() where Arithmetic.order(values[0], value) == nil {
                throw arguments.failure("A list with \(values[0].kindName) and \(value.kindName) has no order.")
            }
            if values.count == 1, Arithmetic.order(values[0], values[0]) == nil {
                throw arguments.failure("A list of this kind has no order: it holds \(values[0].kindName).")
            }
            return .list(values.sorted { (Arithmetic.order($0, $1) ?? 0) < 0 })
        })

    private static let range = FunctionDefinition(
        "range",
        [.init("start", .integer), .init("end", .integer, default: "…"), .init("step", .integer, default: "1")], .list,
        "The integers from the start up to, and without, the end; with one argument, from 0 up to it.",
        [.init("range(3)", "[0, 1, 2]"), .init("range(1, 4)", "[1, 2, 3]"), .init("range(5, 0, -2)", "[5, 3, 1]")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let start = arguments.count == 1 ? 0 : try arguments.integer(0)
            let end = try arguments.integer(arguments.count == 1 ? 0 : 1)
            let step = try arguments.integer(2, default: 1)
            if step == 0 { throw arguments.failure("The step must not be 0.") }
            let values = stride(from: start, to: end, by: step).prefix(maximumRange + 1).map(Value.integer)
            guard values.count <= maximumRange else {
                throw arguments.failure("A range may have \(maximumRange) elements, and this one would have more.")
            }
            return .list(values)
        })

    private static let element = FunctionDefinition(
        "element", [.init("list", .list), .init("index", .integer)], .any,
        "The element at a position that wraps around: one beyond the last is the first, -1 is the last.",
        [.init("element([\"a\", \"b\"], 2)", "\"a\""), .init("element([\"a\", \"b\"], -1)", "\"b\"")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            let values = try arguments.list(0)
            if values.isEmpty { throw arguments.failure("An empty list has no elements.") }
            let index = try arguments.integer(1) % values.count
            return values[index < 0 ? index + values.count : index]
        })

    private static let lookup = FunctionDefinition(
        "lookup", [.init("map", .map), .init("key", .string), .init("default", .any, default: "none")], .any,
        "The value of a key, or the default when the map does not have it; without a default that is an error.",
        [.init("lookup({ a: 1 }, \"a\")", "1"), .init("lookup({ a: 1 }, \"b\", 0)", "0")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            let members = try arguments.map(0)
            let key = try arguments.string(1)
            if let value = members[key] { return value }
            if arguments.count > 2 { return arguments.values[2] }
            throw .missingMember(key, of: members)
        })

    private static let zipMap = FunctionDefinition(
        "zip_map", [.init("keys", .list), .init("values", .list)], .map, "The map of keys and values side by side.",
        [.init("zip_map([\"a\", \"b\"], [1, 2])", "{ a: 1, b: 2 }")],
        .structural { (arguments) throws(EvaluationFailure) -> Value? in
            let keys = try arguments.list(0)
            let values = try arguments.list(1)
            guard keys.count == values.count else {
                throw arguments.failure("There are \(keys.count) keys and \(values.count) values.")
            }
            guard keys.allSatisfy(\.isKnown) else { return nil }
            var result: [String: Value] = [:]
            for (key, value) in zip(try arguments.texts(0), values)
            where result.updateValue(value, forKey: key) != nil {
                throw arguments.failure("The key \"\(key)\" is there twice.")
            }
            return .map(result)
        })
}
