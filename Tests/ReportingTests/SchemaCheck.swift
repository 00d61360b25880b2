import MusterModel

/// As much of JSON Schema as our schemas use; what it finds wrong, by path.
struct SchemaCheck {
    let root: Value

    func problems(_ value: Value) -> [String] { problems(value, root, "$") }

    private func problems(_ value: Value, _ schema: Value, _ path: String) -> [String] {
        guard case .map(let rules) = schema else {
            return schema == .bool(false) ? ["\(path): nothing is allowed"] : []
        }
        var found: [String] = []
        for (rule, argument) in rules.sorted(by: { $0.key < $1.key }) {
            switch (rule, argument) {
            case ("$schema", _), ("$id", _), ("$defs", _), ("title", _), ("description", _): break
            case ("$ref", .string(let name)):
                guard let target = root.map?["$defs"]?.map?[String(name.dropFirst("#/$defs/".count))] else {
                    return ["\(path): \(name) is not defined"]
                }
                found += problems(value, target, path)
            case ("const", let wanted): if value != wanted { found.append("\(path): is not \(wanted)") }
            case ("enum", .list(let words)): if !words.contains(value) { found.append("\(path): is not in \(words)") }
            case ("type", .string(let type)): if !isOfType(value, type) { found.append("\(path): is no \(type)") }
            case ("minimum", .integer(let least)):
                if let number = value.integer, number < least { found.append("\(path): is below \(least)") }
            case ("items", let items):
                for (index, element) in (value.list ?? []).enumerated() {
                    found += problems(element, items, "\(path)[\(index)]")
                }
            case ("required", .list(let names)):
                for name in names.compactMap(\.string) where value.map != nil && value.map?[name] == nil {
                    found.append("\(path): lacks \(name)")
                }
            case ("properties", .map(let properties)):
                for (name, member) in value.map ?? [:] {
                    if let property = properties[name] { found += problems(member, property, "\(path).\(name)") }
                }
            case ("additionalProperties", let others):
                for (name, member) in value.map ?? [:] where rules["properties"]?.map?[name] == nil {
                    found += problems(member, others, "\(path).\(name)")
                }
            case ("anyOf", .list(let choices)):
                if !choices.contains(where: { problems(value, $0, path).isEmpty }) {
                    found.append("\(path): fits none")
                }
            case ("oneOf", .list(let choices)):
                let fitting = choices.filter { problems(value, $0, path).isEmpty }.count
                if fitting != 1 { found.append("\(path): fits \(fitting) of oneOf") }
            default: found.append("\(path): the check knows no rule \(rule)")
            }
        }
        return found
    }

    private func isOfType(_ value: Value, _ type: String) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("integer", .integer), ("number", .integer), ("number", .number),
            ("string", .string), ("array", .list), ("object", .map):
            true
        default: false
        }
    }
}
