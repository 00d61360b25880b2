import AWSClient
import SandboxServing

// Input against the schema, in the server's order: unknown fields are dropped, presets filled in, then every field is
// checked; the first error is told.

extension RancherServer {
    /// The fields of a new object.
    func validated(
        _ input: [String: JSONValue], creating type: ObjectType, _ context: RequestContext
    ) throws(APIFailure) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        for field in type.fields(in: context.api, of: version) {
            guard isCreatable(field, context.caller.role) else { continue }
            let given = input[ObjectType.publicField(field.name, in: context.api)]
            var value = given ?? field.preset ?? .null
            if value.isNull, given != nil, let preset = field.preset, !field.use.contains(.nullable) { value = preset }
            if value.isNull {
                if field.use.contains(.required) { throw .validation("MissingRequired", publicName(field, context)) }
                if given != nil, !field.use.contains(.nullable), field.preset == nil {
                    throw .validation("NotNullable", publicName(field, context))
                }
                continue
            }
            result[field.name] = try checked(value, field, context)
        }
        return result
    }

    /// The fields that a PUT changes.
    func validated(
        _ input: [String: JSONValue], updating type: ObjectType, _ context: RequestContext
    ) throws(APIFailure) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        for field in type.fields(in: context.api, of: version) where field.use.contains(.update) {
            guard let value = input[ObjectType.publicField(field.name, in: context.api)] else { continue }
            if value.isNull {
                guard field.use.contains(.nullable) else {
                    throw .validation("NotNullable", publicName(field, context))
                }
                result[field.name] = .null
            } else {
                result[field.name] = try checked(value, field, context)
            }
        }
        return result
    }

    private func isCreatable(_ field: Field, _ role: Role) -> Bool {
        if field.use.contains(.create) { return true }
        return field.use.contains(.administrativeCreate) && (role.isAdministrative || role == .owner)
    }

    private func publicName(_ field: Field, _ context: RequestContext) -> String {
        ObjectType.publicField(field.name, in: context.api)
    }

    private func checked(
        _ value: JSONValue, _ field: Field, _ context: RequestContext
    ) throws(APIFailure) -> JSONValue {
        let name = publicName(field, context)
        let value = try converted(value, field.kind, name, context)
        if !field.options.isEmpty, let text = value.string, !field.options.contains(text) {
            throw .validation("InvalidOption", name)
        }
        if let lengths = field.lengths, let text = value.string {
            if text.count < lengths.lowerBound { throw .validation("MinLengthExceeded", name) }
            if text.count > lengths.upperBound { throw .validation("MaxLengthExceeded", name) }
        }
        if let bounds = field.bounds, let number = value.integer {
            if number < bounds.lowerBound { throw .validation("MinLimitExceeded", name) }
            if number > bounds.upperBound { throw .validation("MaxLimitExceeded", name) }
        }
        if let valid = field.validCharacters, let text = value.string, !Self.holds(text, only: valid) {
            throw .validation("InvalidCharacters", name)
        }
        return value
    }

    /// Whether a text has only these characters; `a-z` is a range.
    private static func holds(_ text: String, only valid: String) -> Bool {
        var ranges: [ClosedRange<Character>] = []
        var rest = Array(valid)[...]
        while let first = rest.popFirst() {
            if rest.count >= 2, rest.first == "-", let last = rest.dropFirst().first {
                ranges.append(first...last)
                rest = rest.dropFirst(2)
            } else {
                ranges.append(first...first)
            }
        }
        return text.allSatisfy { character in ranges.contains { $0.contains(character) } }
    }

    private func converted(
        _ value: JSONValue, _ kind: Field.Kind, _ name: String, _ context: RequestContext
    ) throws(APIFailure) -> JSONValue {
        switch kind {
        case .string, .password, .choice:
            guard let text = value.plainText else { throw .validation("InvalidFormat", name) }
            return .string(text)
        case .int:
            if let number = value.integer ?? value.string.flatMap({ Int($0) }) { return .integer(Int64(number)) }
            throw .validation("InvalidFormat", name)
        case .boolean:
            if let flag = value.boolean { return .boolean(flag) }
            guard let text = value.plainText else { throw .validation("InvalidFormat", name) }
            return .boolean(text.lowercased() == "true")
        case .date:
            if let time = value.integer { return .integer(Int64(time)) }
            guard let time = value.string.flatMap({ Timestamp(iso8601: $0) }) else {
                throw .validation("InvalidDateFormat", name)
            }
            return .integer(time.millisecondsSinceEpoch)
        case .json: return value
        case .reference(let target): return try reference(value, target, name, context)
        case .array(let element): return try array(value, element, name, context)
        case .map(let element):
            guard case .object(let members) = value else { throw .validation("InvalidFormat", name) }
            var result: [JSONValue.Member] = []
            for member in members {
                let isNull = member.value.isNull
                result.append(
                    .init(member.name, isNull ? .null : try converted(member.value, element, name, context)))
            }
            return .object(result)
        case .structure(let structure): return try self.structure(value, structure, name, context)
        }
    }

    private func reference(
        _ value: JSONValue, _ target: String, _ name: String, _ context: RequestContext
    ) throws(APIFailure) -> JSONValue {
        guard let text = value.string, let type = ObjectType.byName[target],
            let id = ObjectID(text.lowercased(), in: type.table, api: context.api), let found = entities[id],
            found.removed == nil, isReferable(found, context)
        else { throw .validation("InvalidReference", name) }
        return .string(id.text())
    }

    private func isReferable(_ entity: Entity, _ context: RequestContext) -> Bool {
        entity.type == "account" || entity.type == "project" ? true : isVisible(entity, context)
    }

    private func array(
        _ value: JSONValue, _ element: Field.Kind, _ name: String, _ context: RequestContext
    ) throws(APIFailure) -> JSONValue {
        var items: [JSONValue] = []
        // A single value counts as a list of one.
        let given: [JSONValue] = if case .array(let given) = value { given } else { [value] }
        for item in given { items.append(try converted(item, element, name, context)) }
        return .array(items)
    }

    /// A value of a type that is no object of its own.
    private func structure(
        _ value: JSONValue, _ structure: String, _ name: String, _ context: RequestContext
    ) throws(APIFailure) -> JSONValue {
        guard case .object = value else { throw .validation("InvalidFormat", name) }
        guard let definition = Structure.byName[structure], !definition.isOpen else { return value }
        let input = value.dictionary
        var result: [JSONValue.Member] = []
        for field in definition.fields {
            let given = input[field.name] ?? field.preset ?? .null
            if given.isNull {
                if field.use.contains(.required) { throw .validation("MissingRequired", field.name) }
                continue
            }
            result.append(.init(field.name, try checked(given, field, context)))
        }
        // What the schema does not name is dropped, as everywhere.
        return .object(result)
    }
}

extension JSONValue {
    /// A scalar as text; numbers and booleans are taken where text is wanted.
    var plainText: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .double(let number): "\(number)"
        case .boolean(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }
}
