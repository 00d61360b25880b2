import MusterModel

/// Functions of strings. Searching and replacing work on exact characters codes (not on Unicode equivalence), so that they
/// give the same everywhere.
enum TextFunctions {
    static let all = [
        join, split, replace, regexReplace, regexMatch, trim, trimPrefix, trimSuffix, upper, lower, title, startsWith,
        endsWith, substr, format, string,
    ]

    /// How long a regular expression, and a text that it is tried on, may be, in bytes: some patterns take long.
    static let maximumPatternLength = 1_000
    static let maximumMatchedLength = 65_536
    /// How long a text may get, in bytes.
    static let maximumLength = 16 << 20

    private static let join = FunctionDefinition(
        "join", [.init("separator", .string), .init("list", .list)], .string,
        "The texts of a list with the separator between them.", [.init("join(\", \", [\"a\", 1])", "\"a, 1\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            .string(try arguments.texts(1).joined(separator: try arguments.string(0)))
        })

    private static let split = FunctionDefinition(
        "split", [.init("separator", .string), .init("text", .string)], .list,
        "The pieces of a text between the separators; with an empty separator, its characters.",
        [.init("split(\",\", \"a,,b\")", "[\"a\", \"\", \"b\"]"), .init("split(\"\", \"ab\")", "[\"a\", \"b\"]")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let separator = try arguments.string(0)
            let text = try arguments.string(1)
            if separator.isEmpty { return .list(text.map { .string(String($0)) }) }
            return .list(pieces(of: text, separatedBy: separator).map(Value.string))
        })

    private static let replace = FunctionDefinition(
        "replace", [.init("text", .string), .init("old", .string), .init("new", .string)], .string,
        "The text with every occurrence of one part replaced by another.",
        [.init("replace(\"a.b.c\", \".\", \"-\")", "\"a-b-c\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let old = try arguments.string(1)
            if old.isEmpty { throw arguments.failure("The part to replace must not be empty.") }
            let pieces = pieces(of: try arguments.string(0), separatedBy: old)
            let new = try arguments.string(2)
            let length = pieces.reduce(0) { $0 + $1.utf8.count } + (pieces.count - 1) * new.utf8.count
            guard length <= maximumLength else {
                throw arguments.failure("The result would be longer than \(maximumLength) bytes.")
            }
            return .string(pieces.joined(separator: new))
        })

    static func pieces(of text: String, separatedBy separator: String) -> [String] {
        let bytes = Array(text.utf8)
        let pattern = Array(separator.utf8)
        var pieces: [String] = []
        var start = 0
        var index = 0
        while index + pattern.count <= bytes.count {
            if bytes[index] == pattern[0], bytes[index..<(index + pattern.count)].elementsEqual(pattern) {
                pieces.append(String(decoding: bytes[start..<index], as: UTF8.self))
                index += pattern.count
                start = index
            } else {
                index += 1
            }
        }
        pieces.append(String(decoding: bytes[start...], as: UTF8.self))
        return pieces
    }

    private static let regexReplace = FunctionDefinition(
        "regex_replace", [.init("text", .string), .init("pattern", .string), .init("replacement", .string)], .string,
        "The text with every match replaced; $1 in the replacement is the first group, $0 the match, $$ a dollar sign.",
        [.init("regex_replace(\"web-12\", \"([a-z]+)-([0-9]+)\", \"$2.$1\")", "\"12.web\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let text = try arguments.string(0)
            let regex = try regex(1, on: text, arguments)
            let template = Array(try arguments.string(2))
            return .string(text.replacing(regex) { expand(template, $0.output, in: text) })
        })

    private static func expand(_ template: [Character], _ groups: AnyRegexOutput, in text: String) -> String {
        var result = ""
        var index = 0
        while index < template.count {
            let next = index + 1 < template.count ? template[index + 1] : " "
            if template[index] == "$", next == "$" {
                result.append("$")
                index += 2
            } else if template[index] == "$", next.isASCII, let group = next.wholeNumberValue {
                if group < groups.count, let range = groups[group].range { result += text[range] }
                index += 2
            } else {
                result.append(template[index])
                index += 1
            }
        }
        return result
    }

    private static let regexMatch = FunctionDefinition(
        "regex_match", [.init("text", .string), .init("pattern", .string)], .boolean,
        "Whether the pattern matches anywhere in the text; ^ and $ tie it to the ends.",
        [.init("regex_match(\"web-12\", \"^web-[0-9]+$\")", "true"), .init("regex_match(\"web\", \"x\")", "false")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let text = try arguments.string(0)
            return .bool(text.firstMatch(of: try regex(1, on: text, arguments)) != nil)
        })

    private static func regex(
        _ position: Int, on text: String, _ arguments: Arguments
    ) throws(EvaluationFailure) -> Regex<AnyRegexOutput> {
        let pattern = try arguments.string(position)
        guard pattern.utf8.count <= maximumPatternLength else {
            throw arguments.failure("The pattern is longer than \(maximumPatternLength) bytes.")
        }
        guard text.utf8.count <= maximumMatchedLength else {
            throw arguments.failure("The text is longer than \(maximumMatchedLength) bytes.")
        }
        do {
            return try Regex(pattern).matchingSemantics(.unicodeScalar)
        } catch {
            throw arguments.failure("\"\(pattern)\" is not a regular expression: \(error).")
        }
    }

    private static let trim = FunctionDefinition(
        "trim", [.init("text", .string), .init("characters", .string, default: "white space")], .string,
        "The text without such characters at its ends.",
        [.init("trim(\" a b \")", "\"a b\""), .init("trim(\"--a-b-\", \"-\")", "\"a-b\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let set: Set<Character>? = arguments.count > 1 ? Set(try arguments.string(1)) : nil
            func isTrimmed(_ character: Character) -> Bool { set?.contains(character) ?? character.isWhitespace }
            var text = try arguments.string(0)[...]
            text = text.drop(while: isTrimmed)
            while let last = text.last, isTrimmed(last) { text.removeLast() }
            return .string(String(text))
        })

    private static let trimPrefix = FunctionDefinition(
        "trim_prefix", [.init("text", .string), .init("prefix", .string)], .string,
        "The text without the prefix, if it has it.", [.init("trim_prefix(\"v1.6\", \"v\")", "\"1.6\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let text = try arguments.string(0)
            let prefix = try arguments.string(1)
            guard text.utf8.starts(with: prefix.utf8) else { return .string(text) }
            return .string(String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
        })

    private static let trimSuffix = FunctionDefinition(
        "trim_suffix", [.init("text", .string), .init("suffix", .string)], .string,
        "The text without the suffix, if it has it.", [.init("trim_suffix(\"a.net.\", \".\")", "\"a.net\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let text = try arguments.string(0)
            let suffix = try arguments.string(1)
            guard text.utf8.reversed().starts(with: suffix.utf8.reversed()) else { return .string(text) }
            return .string(String(decoding: text.utf8.dropLast(suffix.utf8.count), as: UTF8.self))
        })

    private static let upper = FunctionDefinition(
        "upper", [.init("text", .string)], .string, "The text in upper case.", [.init("upper(\"prod\")", "\"PROD\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in .string(try arguments.string(0).uppercased()) })

    private static let lower = FunctionDefinition(
        "lower", [.init("text", .string)], .string, "The text in lower case.", [.init("lower(\"PROD\")", "\"prod\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in .string(try arguments.string(0).lowercased()) })

    private static let title = FunctionDefinition(
        "title", [.init("text", .string)], .string, "The text with the first letter of every word in upper case.",
        [.init("title(\"prod-rancher server\")", "\"Prod-Rancher Server\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            var result = ""
            var isInside = false
            for character in try arguments.string(0) {
                result += isInside ? String(character) : character.uppercased()
                isInside = character.isLetter || character.isNumber || character == "'"
            }
            return .string(result)
        })

    private static let startsWith = FunctionDefinition(
        "starts_with", [.init("text", .string), .init("prefix", .string)], .boolean,
        "Whether the text begins with the prefix.", [.init("starts_with(\"prod-a\", \"prod\")", "true")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            .bool(try arguments.string(0).utf8.starts(with: try arguments.string(1).utf8))
        })

    private static let endsWith = FunctionDefinition(
        "ends_with", [.init("text", .string), .init("suffix", .string)], .boolean,
        "Whether the text ends with the suffix.", [.init("ends_with(\"prod-a\", \"-b\")", "false")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            .bool(try arguments.string(0).utf8.reversed().starts(with: try arguments.string(1).utf8.reversed()))
        })

    private static let substr = FunctionDefinition(
        "substr", [.init("text", .string), .init("start", .integer), .init("length", .integer, default: "the rest")],
        .string,
        "The characters from a position on, counted from 0, at most so many; a negative start counts from the end.",
        [.init("substr(\"rancher\", 0, 4)", "\"ranc\""), .init("substr(\"rancher\", -3)", "\"her\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let text = try arguments.string(0)
            let start = try arguments.integer(1)
            let length = try arguments.integer(2, default: Int.max)
            if length < 0 { throw arguments.failure("The length must not be negative.") }
            let rest = start >= 0 ? text.dropFirst(start) : text.suffix(start == Int.min ? Int.max : -start)
            return .string(String(rest.prefix(length)))
        })

    private static let format = FunctionDefinition(
        "format", [.init("template", .string), .init("values", .text, isVariadic: true)], .string,
        "The template with its marks replaced: %s any text, %d an integer, %x %X it in hexadecimal, %f %.2f a number, %% a "
            + "percent sign; a width (%8s), - (left) and 0 (zeros) as usual.",
        [
            .init("format(\"%s-%03d\", \"node\", 7)", "\"node-007\""),
            .init("format(\"%.2f %%\", 12.345)", "\"12.35 %\""),
            .init("format(\"%-4s|%4x\", \"a\", 255)", "\"a   |  ff\""),
        ],
        .strict { (arguments) throws(EvaluationFailure) -> Value in .string(try Formatter.format(arguments)) })

    private static let string = FunctionDefinition(
        "string", [.init("value", .text)], .string, "A number or a boolean as text.",
        [.init("string(8080)", "\"8080\""), .init("string(true)", "\"true\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in .string(try arguments.text(0)) })
}
