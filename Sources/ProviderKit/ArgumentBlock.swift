package import MusterModel

// The bridge between `Value`, in which the layers talk, and the typed structs in which a resource is written.
// A field names a member once; decoding, encoding, validation, diffs and documentation all follow from it.

/// A type that has a form as a `Value`.
package protocol ValueConvertible: Sendable, Equatable {
    static var valueType: ValueType { get }
    /// nil when the value has another shape.
    init?(_ value: Value)
    var value: Value { get }
}

/// A struct whose members are arguments or outputs: of a resource, of a lookup or of a nested block.
package protocol ArgumentBlock: ValueConvertible {
    init()
    static var fields: [Field<Self>] { get }
}

/// One member of a block: its schema and the way to it.
package struct Field<Block>: Sendable {
    package var schema: ArgumentSchema
    /// For outputs: the arguments whose change may change it.
    package var changesWith: [String] = []
    let decode: @Sendable (Value, inout Block) -> Bool
    let encode: @Sendable (Block) -> Value?
}

extension Field {
    /// An argument that may be left out.
    package static func argument<Member: ValueConvertible>(
        _ name: String, _ path: any WritableKeyPath<Block, Member?> & Sendable, type: ValueType = Member.valueType,
        isRequired: Bool = false, absence: ArgumentSchema.Absence = .unmanaged,
        onChange: ArgumentSchema.ChangeBehavior = .update, semantics: Semantics = .exact,
        reference: ReferenceKind? = nil, constraints: [Constraint] = [], hazards: [Hazard.Kind] = [],
        isSensitive: Bool = false, isReadable: Bool = true, needsOwnRead: Bool = false,
        isSetAfterCreate: Bool = false, timing: ChangeTiming = .atOnce, isDeletionGuard: Bool = false,
        holds: Bool = false, deletesDataBy: String? = nil, isPlace: Bool = false, _ documentation: String
    ) -> Field {
        Field(
            schema: ArgumentSchema(
                name, type, isRequired: isRequired, absence: absence, onChange: onChange, semantics: semantics,
                reference: reference, constraints: constraints, hazards: hazards, isSensitive: isSensitive,
                isReadable: isReadable, needsOwnRead: needsOwnRead, isSetAfterCreate: isSetAfterCreate,
                timing: timing, isDeletionGuard: isDeletionGuard, holds: holds, deletesDataBy: deletesDataBy,
                isPlace: isPlace,
                documentation),
            decode: { value, block in
                guard let member = Member(value) else { return false }
                block[keyPath: path] = member
                return true
            },
            encode: { $0[keyPath: path]?.value })
    }

    /// An argument that must be set; the member's initial value stands only until decoding.
    package static func required<Member: ValueConvertible>(
        _ name: String, _ path: any WritableKeyPath<Block, Member> & Sendable, type: ValueType = Member.valueType,
        onChange: ArgumentSchema.ChangeBehavior = .update, semantics: Semantics = .exact,
        reference: ReferenceKind? = nil, constraints: [Constraint] = [], hazards: [Hazard.Kind] = [],
        isSensitive: Bool = false, isReadable: Bool = true, needsOwnRead: Bool = false,
        isSetAfterCreate: Bool = false, timing: ChangeTiming = .atOnce, isDeletionGuard: Bool = false,
        holds: Bool = false, _ documentation: String
    ) -> Field {
        Field(
            schema: ArgumentSchema(
                name, type, isRequired: true, onChange: onChange, semantics: semantics, reference: reference,
                constraints: constraints, hazards: hazards, isSensitive: isSensitive, isReadable: isReadable,
                needsOwnRead: needsOwnRead, isSetAfterCreate: isSetAfterCreate, timing: timing,
                isDeletionGuard: isDeletionGuard, holds: holds, documentation),
            decode: { value, block in
                guard let member = Member(value) else { return false }
                block[keyPath: path] = member
                return true
            },
            encode: { $0[keyPath: path].value })
    }

    /// The tags of a taggable resource: owned per key.
    package static func tags(
        _ path: any WritableKeyPath<Block, [String: String]?> & Sendable,
        onChange: ArgumentSchema.ChangeBehavior = .update, needsOwnRead: Bool = false, isSetAfterCreate: Bool = false
    ) -> Field {
        .argument(
            "tags", path, absence: .means(.map([:])), onChange: onChange, semantics: .tags,
            needsOwnRead: needsOwnRead, isSetAfterCreate: isSetAfterCreate,
            "Tags by key. Keys set by others are left alone; the workspace's and the stack's tags are merged in.")
    }

    /// Something that the cloud chooses.
    package static func output<Member: ValueConvertible>(
        _ name: String, _ path: any WritableKeyPath<Block, Member?> & Sendable, type: ValueType = Member.valueType,
        changesWith: [String] = [], isSensitive: Bool = false, _ documentation: String
    ) -> Field {
        var field = Field.argument(name, path, type: type, isSensitive: isSensitive, documentation)
        field.changesWith = changesWith
        return field
    }
}

/// A value that does not have the shape of its argument: a bug in a provider, or in the state.
package struct ShapeMismatch: Error, Sendable {
    package let argument: String
    package let value: Value
}

extension ArgumentBlock {
    package static var valueType: ValueType { .object(fields.map(\.schema)) }

    package init?(_ value: Value) {
        guard case .map(let members) = value, let block = try? Self(decoding: members) else { return nil }
        self = block
    }

    /// Members that are absent or null keep their initial values; unknown names are ignored.
    package init(decoding members: [String: Value]) throws(ShapeMismatch) {
        self.init()
        for field in Self.fields {
            guard let value = members[field.schema.name], value != .null else { continue }
            if !field.decode(value, &self) { throw ShapeMismatch(argument: field.schema.name, value: value) }
        }
    }

    package var members: [String: Value] {
        var members: [String: Value] = [:]
        for field in Self.fields {
            if let value = field.encode(self) { members[field.schema.name] = value }
        }
        return members
    }

    package var value: Value { .map(members) }
}

// MARK: - Types with a form as a value

extension String: ValueConvertible {
    package static var valueType: ValueType { .string }
    package init?(_ value: Value) {
        guard case .string(let text) = value else { return nil }
        self = text
    }
    package var value: Value { .string(self) }
}

extension Int: ValueConvertible {
    package static var valueType: ValueType { .integer }
    package init?(_ value: Value) {
        guard case .integer(let number) = value else { return nil }
        self = number
    }
    package var value: Value { .integer(self) }
}

extension Double: ValueConvertible {
    package static var valueType: ValueType { .number }
    package init?(_ value: Value) {
        switch value {
        case .number(let number): self = number
        case .integer(let number): self = Double(number)
        default: return nil
        }
    }
    package var value: Value { .number(self) }
}

extension Bool: ValueConvertible {
    package static var valueType: ValueType { .boolean }
    package init?(_ value: Value) {
        guard case .bool(let flag) = value else { return nil }
        self = flag
    }
    package var value: Value { .bool(self) }
}

extension Array: ValueConvertible where Element: ValueConvertible {
    package static var valueType: ValueType { .list(Element.valueType) }
    package init?(_ value: Value) {
        guard case .list(let values) = value else { return nil }
        var elements: [Element] = []
        elements.reserveCapacity(values.count)
        for value in values {
            guard let element = Element(value) else { return nil }
            elements.append(element)
        }
        self = elements
    }
    package var value: Value { .list(map(\.value)) }
}

extension Dictionary: ValueConvertible where Key == String, Value: ValueConvertible {
    package static var valueType: ValueType { .map(Value.valueType) }
    package init?(_ value: MusterModel.Value) {
        guard case .map(let values) = value else { return nil }
        var elements: [String: Value] = [:]
        for (key, value) in values {
            guard let element = Value(value) else { return nil }
            elements[key] = element
        }
        self = elements
    }
    package var value: MusterModel.Value { .map(mapValues(\.value)) }
}

extension Value: ValueConvertible {
    package static var valueType: ValueType { .anything }
    package init?(_ value: Value) { self = value }
    package var value: Value { self }
}
