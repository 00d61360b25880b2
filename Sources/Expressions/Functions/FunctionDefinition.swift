import MusterModel

/// One function of the spec language: what it does, and what the reference page says of it.
package struct FunctionDefinition: Sendable {
    package struct Parameter: Sendable, Hashable {
        /// What an argument must be.
        package enum Kind: String, Sendable, Hashable {
            case string, integer, number, boolean, list, map
            /// A string, or a number or boolean as it stands in a text.
            case text
            case any
        }

        package let name: String
        package let kind: Kind
        /// As it stands in the signature; nil when the argument cannot be left out.
        package let defaultText: String?
        /// May be given any number of times; always the last.
        package let isVariadic: Bool
    }

    /// An expression and its value, both as source text. Files that it reads are given beside it.
    package struct Example: Sendable, Hashable {
        package let expression: String
        package let result: String
        package let files: [String: String]

        package init(_ expression: String, _ result: String, files: [String: String] = [:]) {
            self.expression = expression
            self.result = result
            self.files = files
        }
    }

    enum Behavior: Sendable {
        /// Wants every part of its arguments to be known.
        case strict(@Sendable (Arguments) throws(EvaluationFailure) -> Value)
        /// Wants the shape of its arguments; nil when the shape is not enough to tell.
        case structural(@Sendable (Arguments) throws(EvaluationFailure) -> Value?)
        /// `if`.
        case conditional
        /// `coalesce` and `default`.
        case firstNonNull
        case file
        case template
    }

    package let name: String
    package let parameters: [Parameter]
    package let result: Parameter.Kind
    /// One sentence.
    package let documentation: String
    package let examples: [Example]
    let behavior: Behavior

    init(
        _ name: String, _ parameters: [Parameter], _ result: Parameter.Kind, _ documentation: String,
        _ examples: [Example], _ behavior: Behavior
    ) {
        self.name = name
        self.parameters = parameters
        self.result = result
        self.documentation = documentation
        self.examples = examples
        self.behavior = behavior
    }

    /// `slice(list: list, start: integer, end: integer = length) → list`
    package var signature: String {
        let parameters = parameters.map { parameter in
            "\(parameter.name): \(parameter.kind.rawValue)" + (parameter.isVariadic ? "…" : "")
                + (parameter.defaultText.map { " = \($0)" } ?? "")
        }
        return "\(name)(\(parameters.joined(separator: ", "))) → \(result.rawValue)"
    }

    /// What is wrong with a number of arguments; nil when nothing is.
    func complaint(aboutCount count: Int) -> String? {
        let least = parameters.count { $0.defaultText == nil && !$0.isVariadic }
        let most = parameters.last?.isVariadic == true ? Int.max : parameters.count
        guard count < least || count > most else { return nil }
        let wanted =
            if most == Int.max {
                "at least \(least) argument\(least == 1 ? "" : "s")"
            } else if least == most {
                least == 0 ? "no arguments" : "\(least) argument\(least == 1 ? "" : "s")"
            } else {
                "\(least) to \(most) arguments"
            }
        return "\(name) takes \(wanted), and got \(count)."
    }

    func parameter(at position: Int) -> Parameter { parameters[min(position, parameters.count - 1)] }
}

extension FunctionDefinition.Parameter {
    init(_ name: String, _ kind: Kind, default defaultText: String? = nil, isVariadic: Bool = false) {
        self.name = name
        self.kind = kind
        self.defaultText = defaultText
        self.isVariadic = isVariadic
    }

    func accepts(_ value: Value) -> Bool {
        switch (kind, value) {
        case (_, .deferred), (.any, _), (.string, .string), (.integer, .integer), (.number, .integer),
            (.number, .number),
            (.boolean, .bool), (.list, .list), (.map, .map), (.text, .string), (.text, .integer), (.text, .number),
            (.text, .bool):
            true
        default: false
        }
    }
}

extension FunctionDefinition.Parameter.Kind {
    /// With its article, for messages.
    var words: String {
        switch self {
        case .string: "a string"
        case .integer: "an integer"
        case .number: "a number"
        case .boolean: "a boolean"
        case .list: "a list"
        case .map: "a map"
        case .text: "a string, a number or a boolean"
        case .any: "any value"
        }
    }
}

/// The arguments of one call. Every accessor throws when the argument is of another kind.
struct Arguments {
    let function: FunctionDefinition
    let values: [Value]

    init(_ function: FunctionDefinition, _ values: [Value]) {
        self.function = function
        self.values = values
    }

    var count: Int { values.count }

    /// Checks the kinds of all arguments that are known.
    func check() throws(EvaluationFailure) {
        for (position, value) in values.enumerated() where !function.parameter(at: position).accepts(value) {
            throw wrong(position)
        }
    }

    func wrong(_ position: Int) -> EvaluationFailure {
        let parameter = function.parameter(at: position)
        return .wrongType(
            "The argument \"\(parameter.name)\" of \(function.name)", is: values[position],
            mustBe: parameter.kind.words,
            hint: function.signature)
    }

    /// A failure of the function itself.
    func failure(_ detail: String, hint: String? = nil) -> EvaluationFailure {
        EvaluationFailure(
            code: "expression.argument", summary: "Impossible argument", detail: detail,
            hint: hint ?? function.signature)
    }

    func string(_ position: Int) throws(EvaluationFailure) -> String {
        guard let value = values[position].string else { throw wrong(position) }
        return value
    }
    func text(_ position: Int) throws(EvaluationFailure) -> String {
        guard function.parameter(at: position).accepts(values[position]) else { throw wrong(position) }
        return try Evaluation.rendered(values[position])
    }
    func integer(_ position: Int) throws(EvaluationFailure) -> Int {
        guard let value = values[position].integer else { throw wrong(position) }
        return value
    }
    func list(_ position: Int) throws(EvaluationFailure) -> [Value] {
        guard let value = values[position].list else { throw wrong(position) }
        return value
    }
    func map(_ position: Int) throws(EvaluationFailure) -> [String: Value] {
        guard let value = values[position].map else { throw wrong(position) }
        return value
    }
    /// An optional integer.
    func integer(_ position: Int, default fallback: Int) throws(EvaluationFailure) -> Int {
        position < values.count ? try integer(position) : fallback
    }
    /// The elements of a list of texts; `wrong` ones are named by their position.
    func texts(_ position: Int) throws(EvaluationFailure) -> [String] {
        var result: [String] = []
        for (offset, value) in try list(position).enumerated() {
            switch value {
            case .string, .integer, .number, .bool: result.append(try Evaluation.rendered(value))
            default:
                throw .wrongType(
                    "Element \(offset) of the argument \"\(function.parameter(at: position).name)\" of \(function.name)",
                    is: value, mustBe: "a string, a number or a boolean", hint: function.signature)
            }
        }
        return result
    }
}
