import MusterModel

/// The JSON columns: canonical, so that equal values are equal bytes.
enum StateJSON {
    static func text(_ value: Value) -> String { ValueJSON.text(value) }
    static func text(_ values: [String: Value]) -> String { ValueJSON.text(.map(values)) }
    static func text(_ values: [Value]) -> String { ValueJSON.text(.list(values)) }

    static func value(_ text: String) throws(UnreadableColumn) -> Value {
        do { return try ValueJSON.decode(text) } catch { throw UnreadableColumn(description: "\(error).") }
    }

    static func values(_ text: String) throws(UnreadableColumn) -> [String: Value] {
        guard case .map(let values) = try value(text) else { throw UnreadableColumn(description: "No JSON object.") }
        return values
    }

    static func list(_ text: String) throws(UnreadableColumn) -> [Value] {
        guard case .list(let values) = try value(text) else { throw UnreadableColumn(description: "No JSON array.") }
        return values
    }

    static func strings(_ text: String) throws(UnreadableColumn) -> [String: String] {
        try values(text).compactMapValues(\.string)
    }
}
