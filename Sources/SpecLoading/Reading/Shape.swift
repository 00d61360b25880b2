import MusterModel

// Schemas made ready for reading: fields are found by name, patterns are compiled when first needed. A shape is made
// once per section or type and run, and serves thousands of definitions.

/// The fields of a definition or of a nested block.
final class BlockShape {
    /// As in `is not an argument of aws.vpc`.
    let title: String
    let fields: [FieldShape]
    private let positions: [String: Int]
    /// True when a field says something about its siblings.
    let hasSiblingRules: Bool

    init(title: String, _ arguments: [ArgumentSchema]) {
        self.title = title
        fields = arguments.map(FieldShape.init)
        positions = Dictionary(
            arguments.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
        hasSiblingRules = arguments.contains { argument in
            argument.constraints.contains {
                switch $0 {
                case .conflictsWith, .exactlyOne: true
                default: false
                }
            }
        }
    }

    func position(of name: String) -> Int? { positions[name] }
}

/// One field, with its type ready for reading.
final class FieldShape {
    let schema: ArgumentSchema
    let type: TypeShape
    /// True when values have something to keep besides their type.
    let hasRules: Bool
    private var patterns: [String: Pattern?] = [:]

    init(_ schema: ArgumentSchema) {
        self.schema = schema
        type = TypeShape(schema.type, title: schema.name)
        hasRules = !schema.constraints.isEmpty
    }

    /// The compiled form of a pattern; nil when it is none.
    func pattern(_ text: String) -> Pattern? {
        if let known = patterns[text] { return known }
        let pattern = Pattern(text)
        patterns[text] = pattern
        return pattern
    }
}

/// The shape of a value, with nested blocks ready for reading.
indirect enum TypeShape {
    case string, integer, number, boolean, anything
    case list(TypeShape)
    case set(TypeShape, key: String?)
    case map(TypeShape)
    case object(BlockShape)

    init(_ type: ValueType, title: String) {
        switch type {
        case .string: self = .string
        case .integer: self = .integer
        case .number: self = .number
        case .boolean: self = .boolean
        case .anything: self = .anything
        case .list(let element): self = .list(TypeShape(element, title: title))
        case .set(let element, let key): self = .set(TypeShape(element, title: title), key: key)
        case .map(let element): self = .map(TypeShape(element, title: title))
        case .object(let fields): self = .object(BlockShape(title: title, fields))
        }
    }

    /// In words: what a field takes.
    var phrase: String {
        switch self {
        case .string: "a string"
        case .integer: "an integer"
        case .number: "a number"
        case .boolean: "true or false"
        case .anything: "a value"
        case .list, .set: "a list"
        case .map, .object: "a map"
        }
    }

    var isCollection: Bool {
        switch self {
        case .list, .set, .map, .object: true
        case .string, .integer, .number, .boolean, .anything: false
        }
    }
}

/// A compiled regular expression.
final class Pattern {
    private let regex: Regex<AnyRegexOutput>

    /// nil when the text is no regular expression.
    init?(_ text: String) {
        guard let regex = try? Regex(text) else { return nil }
        self.regex = regex
    }

    /// Whether the whole text matches.
    func matches(_ text: String) -> Bool { (try? regex.wholeMatch(in: text)) != nil }
}
