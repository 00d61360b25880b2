import Diagnostics
import MusterModel

/// One declaration in the making: every argument comes with the place where the user wrote it.
struct Draft {
    var declaration: Declaration

    /// A resource that a definition makes besides its principal one.
    ///
    /// - Parameter range: the place of the part that makes it.
    init(_ type: ResourceType, _ name: String, of definition: Definition, at range: SourceRange? = nil) {
        declaration = Declaration(
            definition.address(type, name), arguments: [:], range: range ?? definition.range,
            dependsOn: definition.dependsOn)
    }

    /// The principal resource: the definition's `lifecycle` and `timeouts` are meant for it.
    ///
    /// - Parameter renamed: the fields whose arguments have other names, for `ignore_changes`.
    init(principal type: ResourceType, of definition: Definition, renamed: [String: String] = [:]) {
        self.init(type, definition.name, of: definition)
        declaration.lifecycle = definition.lifecycle
        declaration.lifecycle.ignoreChanges = Set(definition.lifecycle.ignoreChanges.map { renamed[$0] ?? $0 })
        declaration.timeouts = definition.timeouts
    }

    /// The resource's own output, for its siblings to refer to.
    func output(_ name: String) -> Value { .output(declaration.address, name) }

    mutating func set(_ argument: String, _ value: Value, at range: SourceRange? = nil) {
        declaration.arguments[argument] = value
        if let range { declaration.argumentRanges[argument] = range }
    }

    mutating func set(_ argument: String, _ value: LocatedValue?) {
        guard let value else { return }
        set(argument, value.value.withoutNulls, at: value.range)
    }

    /// Copies fields whose names are those of the arguments.
    mutating func copy(_ fields: [ArgumentSchema], from body: LocatedValue) {
        for field in fields { set(field.name, body[field.name]) }
    }

    /// Sets the tags that the resource has of its own.
    ///
    /// - Parameter name: the value of the tag `Name`, unless the user sets that tag; without a place when the user did
    ///   not write it.
    mutating func setTags(
        _ tags: LocatedValue?, name: (value: Value, range: SourceRange?)? = nil, inherited: [String: Value],
        _ diagnostics: inout [Diagnostic]
    ) {
        var named: [String: Value] = [:]
        if let name, inherited["Name"] == nil { named["Name"] = name.value }
        guard let tags else {
            if !named.isEmpty { set("tags", .map(named), at: name?.range) }
            return
        }
        diagnostics += Tags.check(tags)
        switch tags.value {
        case .map(let own):
            set("tags", .map(named.isEmpty ? own : named.merging(own) { _, own in own }), at: tags.range)
        case let other: set("tags", Tags.merged(named, other), at: tags.range)
        }
    }
}

extension Definition {
    func address(_ type: ResourceType, _ name: String) -> Address { Address(stack: stack, type: type, name: name) }

    /// An output of a resource that the same definition makes.
    func output(_ type: ResourceType, _ name: String, _ output: String = "id") -> Value {
        .output(address(type, name), output)
    }

    /// An order edge to a resource that the same definition makes.
    func dependency(_ type: ResourceType, _ name: String, at range: SourceRange?) -> Reference {
        Reference(.path([.name(address(type, name).description)]), stack: stack, range: range)
    }

    /// The name in the cloud, as the value of a tag: with a place if the user wrote it.
    var nameTag: (value: Value, range: SourceRange?) { (remoteName.value, body["name"]?.range) }

    /// The name in the cloud: `name:`, else the name of the definition.
    var remoteName: LocatedValue { body["name"] ?? .value(.string(name), range) }
}

extension Value {
    static func output(_ address: Address, _ output: String) -> Value {
        .deferred(Deferred(.output(OutputReference(address, output))))
    }

    /// The value without the members that are null, which means unset.
    var withoutNulls: Value {
        switch self {
        case .map(let members): .map(members.filter { $0.value != .null }.mapValues(\.withoutNulls))
        case .list(let values): .list(values.map(\.withoutNulls))
        default: self
        }
    }

    /// The value as part of an expression.
    var expression: Expression {
        if case .deferred(let deferred) = self { deferred.expression } else { .literal(self) }
    }
}
