import MusterModel

/// Pieces of JSON Schema (draft 2020-12).
enum JSONSchema {
    static func document(
        _ name: String, _ title: String, _ description: String, _ body: Value, definitions: [String: Value] = [:]
    ) -> Value {
        var members = body.map ?? [:]
        members["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        members["$id"] = .string("urn:muster:schema:\(name):1")
        members["title"] = .string(title)
        members["description"] = .string(description)
        if !definitions.isEmpty { members["$defs"] = .map(definitions) }
        return .map(members)
    }

    static let string: Value = ["type": "string"]
    static let integer: Value = ["type": "integer"]
    static let count: Value = ["type": "integer", "minimum": 0]
    static let number: Value = ["type": "number"]
    static let flag: Value = ["type": "boolean"]
    static let anything: Value = .bool(true)

    static func constant(_ value: Value) -> Value { ["const": value] }
    static func choice(_ words: [String]) -> Value { ["enum": .strings(words)] }
    static func array(_ items: Value) -> Value { ["type": "array", "items": items] }
    static func map(_ values: Value) -> Value { ["type": "object", "additionalProperties": values] }
    static func reference(_ name: String) -> Value { ["$ref": .string("#/$defs/\(name)")] }
    static func nullable(_ schema: Value) -> Value { ["anyOf": [schema, ["type": "null"]]] }

    /// An object of these members and no others.
    static func object(_ required: [String: Value], optional: [String: Value] = [:]) -> Value {
        [
            "type": "object", "required": .strings(required.keys.sorted()),
            "properties": .map(required.merging(optional) { _, last in last }), "additionalProperties": false,
        ]
    }

    static func described(_ schema: Value, _ text: String) -> Value {
        var members = schema.map ?? [:]
        members["description"] = .string(text)
        return .map(members)
    }
}

/// Definitions that several documents share.
enum SharedDefinitions {
    static let address: [String: Value] = [
        "address": JSONSchema.described(JSONSchema.string, "stack:type/name, percent-encoded where it must be"),
        "stack": JSONSchema.string, "type": JSONSchema.string, "name": JSONSchema.string,
    ]

    static let place = JSONSchema.object([
        "path": JSONSchema.string, "line": JSONSchema.integer, "column": JSONSchema.integer,
    ])

    static let scope = JSONSchema.object([
        "provider": JSONSchema.string, "account": JSONSchema.string, "region": JSONSchema.string,
        "endpoint": JSONSchema.string,
    ])

    static let hazard = JSONSchema.object([
        "kind": JSONSchema.choice(Hazard.Kind.allCases.map(\.rawValue)), "address": JSONSchema.string,
        "text": JSONSchema.string,
    ])

    /// Any JSON; what is known later is an object with the one key `$deferred`.
    static let value = JSONSchema.described(
        .map([:]),
        "Any JSON. A value that is known only after a step, or that must not be known, is {\"$deferred\": tree}. "
            + "A key of a user that begins with $deferred is written with one more $ after that word.")

    static func attribute(_ before: String, _ after: String, _ more: [String: Value] = [:]) -> Value {
        JSONSchema.object(
            ["path": JSONSchema.string, "hidden": JSONSchema.flag].merging(more) { _, new in new },
            optional: [
                before: JSONSchema.described(JSONSchema.reference("value"), "absent: there was none"),
                after: JSONSchema.described(JSONSchema.reference("value"), "absent: there is none"),
                "place": JSONSchema.reference("place"),
            ])
    }

    static let drift = JSONSchema.object(
        address.merging([
            "kind": JSONSchema.choice(["changed", "gone", "foreign"]),
            "attributes": JSONSchema.array(attribute("was", "is")),
        ]) { _, new in new },
        optional: ["id": JSONSchema.string, "place": JSONSchema.reference("place")])
}
