package import MusterModel

// Schemas → JSON Schema (draft 2020-12), for editors. It accepts what the loader accepts, as far as JSON Schema can
// tell: an expression may stand for any value, and where a string is wanted an editor's own reading of `8.0` or
// `0644` as a number is let through. What only the loader can check (references, networks, values of expressions) is
// left to it.

/// JSON Schemas of the files that people write.
package enum SpecJSONSchema {
    /// Of a spec.
    package static func spec(sections: [SectionSchema], catalog: Catalog) -> Value {
        var properties: [String: Value] = [
            "uses": described(arrayOf(["type": "string"]), key: "uses"),
            "variables": described(mapOf(["$ref": "#/$defs/variable"]), key: "variables"),
            "lookups": described(
                object(
                    catalog.lookups.map { lookup in
                        (lookup.kind, nullable(with(mapOf(block(lookup.arguments)), description: lookup.summary)))
                    }), key: "lookups"),
            "resources": described(
                object(
                    catalog.resources.map { schema in
                        (schema.type.rawValue, definitions(schema.arguments, of: schema, summary: schema.summary))
                    }), key: "resources"),
            "outputs": described(
                mapOf(["anyOf": [block(StatementReader.outputFields), true]]), key: "outputs"),
            "import": described(arrayOf(block(StatementReader.importFields)), key: "import"),
            "moved": described(arrayOf(block(StatementReader.movedFields)), key: "moved"),
            "removed": described(arrayOf(block(StatementReader.removedFields)), key: "removed"),
            "allow": described(arrayOf(hazard), key: "allow"),
        ]
        for section in sections {
            let principal = section.principalTypes.first.flatMap { catalog[$0] }
            properties[section.name] = definitions(section.fields, of: principal, summary: section.summary)
        }
        return document(
            "muster spec", "One stack's worth of infrastructure.", properties: properties,
            definitions: [
                "expression": expression, "variable": variable,
                "common": .map(
                    Dictionary(
                        CommonFields.all.map { ($0.name, field($0)) }, uniquingKeysWith: { first, _ in first })),
            ])
    }

    /// Of a workspace file.
    package static func workspace() -> Value {
        var stack = members(WorkspaceFile.stackSchema)
        stack["with"] = with(mapOf(true), description: "Values for the spec's variables.")
        let shared: Value = [
            "description": "Shared variables: the path of a file, or a map of declarations and of plain values.",
            "anyOf": [["type": "string"], mapOf(["anyOf": [["$ref": "#/$defs/variable"], true]])],
        ]
        stack["variables"] = shared
        var properties = members(WorkspaceFile.schema)
        properties["variables"] = shared
        properties["allow"] = with(arrayOf(hazard), description: documentation(WorkspaceFile.schema, "allow"))
        properties["stacks"] = [
            "description": .string(documentation(WorkspaceFile.schema, "stacks")), "type": "object",
            "patternProperties": ["^x-": true],
            "additionalProperties": [
                "anyOf": [
                    ["type": "string"],
                    ["type": "object", "properties": .map(stack), "required": ["spec"], "additionalProperties": false],
                ]
            ],
            "propertyNames": ["not": ["anyOf": [["const": "external"], ["pattern": #"[:\s]"#]]]],
        ]
        var schema = document(
            "muster workspace", "Which stacks there are, and what they share.", properties: properties,
            definitions: ["expression": expression, "variable": variable])
        if case .map(var top) = schema {
            top["required"] = ["workspace", "stacks"]
            schema = .map(top)
        }
        return schema
    }

    // MARK: Parts

    private static let expression: Value = [
        "type": "string", "pattern": #"\$\{"#, "description": "An expression: ${…}.",
    ]
    private static let isExpression: Value = ["$ref": "#/$defs/expression"]

    private static let hazard: Value = ["enum": .list(Hazard.Kind.allCases.map { .string($0.rawValue) })]

    private static let variable: Value = {
        var properties = members(VariableDeclaration.schema)
        properties["type"] = [
            "type": "string", "pattern": #"^(string|integer|number|boolean|any|list|map|(list|map)\(.+\))$"#,
            "description": .string(documentation(VariableDeclaration.schema, "type")),
        ]
        properties["secret"] = [
            "type": "string", "pattern": #"^((env|file|ssm|secretsmanager):.+|.*\$\{.*)$"#,
            "description": .string(documentation(VariableDeclaration.schema, "secret")),
        ]
        return [
            "anyOf": [
                ["type": "object", "properties": .map(properties), "additionalProperties": false],
                ["type": ["string", "number", "boolean", "array", "null"]],
            ]
        ]
    }()

    private static func document(
        _ title: String, _ description: String, properties: [String: Value], definitions: [String: Value]
    ) -> Value {
        [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": .string(title),
            "description": .string(description), "type": "object", "properties": .map(properties),
            "patternProperties": ["^x-": true], "additionalProperties": false, "$defs": .map(definitions),
        ]
    }

    private static func documentation(_ schema: [ArgumentSchema], _ name: String) -> String {
        schema.first { $0.name == name }?.documentation ?? ""
    }

    private static func described(_ schema: Value, key: String) -> Value {
        with(schema, description: SpecFile.keys.first { $0.name == key }?.documentation ?? "")
    }

    private static func with(_ schema: Value, description: String) -> Value {
        guard case .map(var members) = schema else { return schema }
        members["description"] = .string(description)
        return .map(members)
    }

    private static func nullable(_ schema: Value) -> Value {
        guard case .map(var members) = schema, let type = members["type"]?.string else { return schema }
        members["type"] = [.string(type), "null"]
        return .map(members)
    }

    private static func arrayOf(_ element: Value) -> Value { ["type": ["array", "null"], "items": element] }
    private static func mapOf(_ element: Value) -> Value { ["type": "object", "additionalProperties": element] }

    private static func object(_ members: [(String, Value)]) -> Value {
        [
            "type": "object", "properties": .map(Dictionary(members, uniquingKeysWith: { first, _ in first })),
            "additionalProperties": false,
        ]
    }

    /// The map from names to definitions of one section or type.
    private static func definitions(
        _ fields: [ArgumentSchema], of principal: ResourceSchema?, summary: String
    ) -> Value {
        var fields = fields
        var properties = members(fields)
        for field in CommonFields.all { properties[field.name] = ["$ref": .string("#/$defs/common/\(field.name)")] }
        let prefix = CommonFields.namePrefix.name
        let naming = CommonFields.naming(fields, principal)
        if let index = fields.firstIndex(where: { $0.name == naming }) {
            fields[index].constraints.append(
                fields[index].isRequired ? .exactlyOne([prefix]) : .conflictsWith([prefix]))
            fields[index].isRequired = false
        } else {
            properties[prefix] = nil
        }
        return [
            "description": .string(summary), "type": ["object", "null"],
            "additionalProperties": ["anyOf": [block(fields, properties), isExpression, ["type": "null"]]],
        ]
    }

    private static func members(_ fields: [ArgumentSchema]) -> [String: Value] {
        Dictionary(fields.map { ($0.name, field($0)) }, uniquingKeysWith: { first, _ in first })
    }

    /// A block with its rules about which fields stand together.
    private static func block(_ fields: [ArgumentSchema], _ properties: [String: Value]? = nil) -> Value {
        var schema: [String: Value] = [
            "type": "object", "properties": .map(properties ?? members(fields)), "additionalProperties": false,
        ]
        let required = fields.filter(\.isRequired).map(\.name)
        if !required.isEmpty { schema["required"] = .list(required.map { .string($0) }) }
        var rules: Set<Value> = []
        for field in fields {
            for constraint in field.constraints {
                switch constraint {
                case .conflictsWith(let others):
                    for other in others where other != field.name {
                        rules.insert(["not": ["required": .list([field.name, other].sorted().map { .string($0) })]])
                    }
                case .exactlyOne(let others):
                    let names = Set(others + [field.name]).sorted()
                    rules.insert(["oneOf": .list(names.map { ["required": [.string($0)]] })])
                default: break
                }
            }
        }
        if !rules.isEmpty {
            schema["allOf"] = .list(rules.sorted { ValueJSON.text($0) < ValueJSON.text($1) })
        }
        return .map(schema)
    }

    /// One field: its type, an expression, or null.
    private static func field(_ field: ArgumentSchema) -> Value {
        var schema: [String: Value]
        if case .anything = field.type {
            schema = [:]
        } else {
            schema = ["anyOf": .list(forms(field.type, field.constraints) + [isExpression, ["type": "null"]])]
        }
        var description = field.documentation
        if let kind = field.reference { description += " Takes the name of: \(kind.name)." }
        schema["description"] = .string(description)
        if case .means(let value) = field.absence, value != .null { schema["default"] = value }
        return .map(schema)
    }

    private static func forms(_ type: ValueType, _ constraints: [Constraint]) -> [Value] {
        switch type {
        case .anything: return [true]
        case .boolean: return [["type": "boolean"]]
        case .integer, .number:
            var form: [String: Value] = ["type": type == .integer ? "integer" : "number"]
            for constraint in constraints {
                switch constraint {
                case .range(let low, let high):
                    if low != Int.min { form["minimum"] = .integer(low) }
                    if high != Int.max { form["maximum"] = .integer(high) }
                case .allowed(let words): form["enum"] = .list(words.compactMap { Int($0).map { .integer($0) } })
                default: break
                }
            }
            return [.map(form)]
        case .string: return stringForms(constraints)
        case .list(let element), .set(let element, _):
            var form: [String: Value] = [
                "type": "array", "items": ["anyOf": .list(forms(element, constraints) + [isExpression])],
            ]
            if case .set(_, nil) = type { form["uniqueItems"] = true }
            for case .count(let low, let high) in constraints {
                form["minItems"] = .integer(max(low, 0))
                if high != Int.max { form["maxItems"] = .integer(high) }
            }
            return [.map(form)]
        case .map(let element):
            return [
                [
                    "type": "object",
                    "additionalProperties": [
                        "anyOf": .list(forms(element, constraints) + [isExpression, ["type": "null"]])
                    ],
                ]
            ]
        case .object(let fields): return [block(fields)]
        }
    }

    private static func stringForms(_ constraints: [Constraint]) -> [Value] {
        var form: [String: Value] = ["type": "string"]
        for constraint in constraints {
            switch constraint {
            case .allowed(let words): return [["enum": .list(words.map { .string($0) })]]
            case .length(let low, let high):
                form["minLength"] = .integer(max(low, 0))
                if high != Int.max { form["maxLength"] = .integer(high) }
            case .pattern(let pattern, _): form["pattern"] = .string("^(?:\(pattern))$")
            default: break
            }
        }
        return [.map(form), ["type": ["number", "boolean"]]]
    }
}
