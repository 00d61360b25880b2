import AWSClient
import SandboxServing

/// A field of a type, as its schema describes it.
struct Field: Sendable {
    indirect enum Kind: Sendable, Hashable {
        case string, int, boolean, date, choice, password, json
        case reference(String)
        case array(Kind)
        case map(Kind)
        /// Another type of the schema.
        case structure(String)
    }

    struct Use: OptionSet, Sendable {
        let rawValue: Int
        static let create = Use(rawValue: 1)
        static let update = Use(rawValue: 2)
        static let required = Use(rawValue: 4)
        static let nullable = Use(rawValue: 8)
        static let unique = Use(rawValue: 16)
        /// Told once, in the answer to the POST.
        static let onCreateOnly = Use(rawValue: 32)
        /// Only administrators and services see it.
        static let administrative = Use(rawValue: 64)
        /// Only administrators and services may say it on creation.
        static let administrativeCreate = Use(rawValue: 128)
    }

    var name: String
    var kind: Kind
    var use: Use
    var preset: JSONValue?
    var options: [String] = []
    var lengths: ClosedRange<Int>?
    var bounds: ClosedRange<Int>?
    var validCharacters: String?
    var since = ServerVersion(1, 0)
    var apis: [APIVersion] = [.v1, .v2]

    init(
        _ name: String, _ kind: Kind, _ use: Use = [.nullable], preset: JSONValue? = nil, options: [String] = [],
        lengths: ClosedRange<Int>? = nil, bounds: ClosedRange<Int>? = nil, validCharacters: String? = nil,
        since: ServerVersion = ServerVersion(1, 0), apis: [APIVersion] = [.v1, .v2]
    ) {
        self.name = name
        self.kind = kind
        self.use = use
        self.preset = preset
        self.options = options
        self.lengths = lengths
        self.bounds = bounds
        self.validCharacters = validCharacters
        self.since = since
        self.apis = apis
    }

    /// What every object has; name and description can be set on creation and later.
    static let standard: [Field] = named([.create, .update])

    /// The same with other uses of name and description.
    static func named(_ use: Use, name: Use = [.nullable]) -> [Field] {
        [
            Field("name", .string, use.union(name), lengths: name.contains(.required) ? 1...255 : 0...255),
            Field("description", .string, use.union(.nullable), lengths: 0...1024),
            Field("kind", .string), Field("uuid", .string), Field("state", .choice, []),
            Field("accountId", .reference("account")), Field("created", .date), Field("removed", .date),
            Field("removeTime", .date, [.nullable, .administrative]), Field("data", .map(.json), [.administrative]),
            Field("transitioning", .choice, [], options: ["yes", "no", "error"]),
            Field("transitioningMessage", .string), Field("transitioningProgress", .int),
        ]
    }
}

extension Field.Kind {
    /// How a schema writes it.
    func text(in api: APIVersion) -> String {
        switch self {
        case .string: "string"
        case .int: "int"
        case .boolean: "boolean"
        case .date: "date"
        case .choice: "enum"
        case .password: "password"
        case .json: "json"
        case .reference(let type): "reference[\(ObjectType.publicName(of: type, in: api))]"
        case .array(let kind): "array[\(kind.text(in: api))]"
        case .map(let kind): "map[\(kind.text(in: api))]"
        case .structure(let type): type
        }
    }

    /// The modifiers of filters on it; none where it cannot be filtered by.
    var modifiers: [String] {
        switch self {
        case .string: ["eq", "ne", "prefix", "like", "notlike", "null", "notnull"]
        case .int, .date: ["eq", "ne", "lt", "lte", "gt", "gte", "null", "notnull"]
        case .reference, .boolean, .choice: ["eq", "ne", "null", "notnull"]
        case .password, .json, .array, .map, .structure: []
        }
    }
}
