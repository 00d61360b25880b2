import MusterModel

/// The spec lines that describe an object as it is: what a person adds to a spec to adopt it.
enum SpecLines {
    /// A definition under `resources:` with every argument that is set and is not its default.
    static func yaml(_ schema: ResourceSchema, name: String, _ arguments: [String: Value]) -> String {
        var lines = ["resources:", "  \(schema.type):", "    \(key(name)):"]
        var written: [ArgumentSchema] = []
        for argument in schema.arguments {
            guard let value = arguments[argument.name], isWorthWriting(value, argument),
                !written.contains(where: { $0.excludes(argument.name) || argument.excludes($0.name) })
            else { continue }
            written.append(argument)
            lines += entry(argument.name, value, argument, indent: 6)
        }
        if written.isEmpty { lines[2] += " {}" }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func isWorthWriting(_ value: Value, _ argument: ArgumentSchema) -> Bool {
        if argument.onChange == .creationOnly || argument.isSensitive { return false }
        switch value {
        case .null, .string(""), .list([]): return false
        case .map(let members) where members.isEmpty: return false
        default: break
        }
        // What the cloud shows where nothing is set may be no value that can be set: 0 for none.
        if case .integer(let number) = value {
            for case .range(let least, let most) in argument.constraints where !(least...most).contains(number) {
                return false
            }
        }
        if case .means(let usual) = argument.absence, usual == value { return false }
        if case .map(let tags) = value, argument.semantics == .tags {
            return tags.keys.contains { !$0.hasPrefix("muster:") }
        }
        return true
    }

    private static func entry(_ name: String, _ value: Value, _ argument: ArgumentSchema, indent: Int) -> [String] {
        let space = String(repeating: " ", count: indent)
        switch value {
        case .map(let members):
            let shown = members.filter { argument.semantics != .tags || !$0.key.hasPrefix("muster:") }
            if argument.type == .anything { return ["\(space)\(key(name)): \(ValueJSON.plainText(value))"] }
            var lines = ["\(space)\(key(name)):"]
            var fields: [String: ArgumentSchema] = [:]
            if case .object(let members) = argument.type {
                fields = Dictionary(members.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
            }
            for (member, value) in shown.sorted(by: { $0.key < $1.key }) {
                let schema = fields[member] ?? ArgumentSchema(member, .string, "")
                if fields[member] != nil, !isWorthWriting(value, schema) { continue }
                lines += entry(member, value, schema, indent: indent + 2)
            }
            return lines
        default: return ["\(space)\(key(name)): \(ValueJSON.plainText(value))"]
        }
    }

    /// A key needs quotes unless it is a plain word.
    private static func key(_ text: String) -> String {
        let isPlain =
            text.utf8.allSatisfy {
                ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122) || $0 == 45 || $0 == 95
                    || $0 == 46
            } && text.first?.isLetter ?? false
        return isPlain ? text : ValueJSON.plainText(.string(text))
    }
}

extension ArgumentSchema {
    func excludes(_ name: String) -> Bool {
        constraints.contains { if case .conflictsWith(let names) = $0 { names.contains(name) } else { false } }
    }
}
