package import Diagnostics

/// One entry of a section, evaluated and checked against the section's schema: what lowering works on.
package struct Definition: Sendable {
    package var stack: String
    /// The section: `vpc`, `security_groups`, …; for `resources:` the primitive type.
    package var section: String
    /// The address name: the map key, or of an expanded definition its own name.
    package var name: String
    /// The map key as written: the group that `count` or `for_each` expanded.
    package var group: String
    /// From 1 for `count` and `for_each`; nil when there is neither.
    package var index: Int?
    package var range: SourceRange
    /// The fields as the schema names them: defaults are not filled in, an absent field is absent.
    package var body: LocatedValue
    package var lifecycle: Lifecycle
    package var timeouts: Timeouts?
    package var dependsOn: [Reference]
    /// Tags of the workspace and of the stack, for lowering to merge under the resource's own.
    package var inheritedTags: [String: Value]

    package init(
        stack: String, section: String, name: String, group: String, index: Int? = nil, range: SourceRange,
        body: LocatedValue, lifecycle: Lifecycle = Lifecycle(), timeouts: Timeouts? = nil,
        dependsOn: [Reference] = [], inheritedTags: [String: Value] = [:]
    ) {
        self.stack = stack
        self.section = section
        self.name = name
        self.group = group
        self.index = index
        self.range = range
        self.body = body
        self.lifecycle = lifecycle
        self.timeouts = timeouts
        self.dependsOn = dependsOn
        self.inheritedTags = inheritedTags
    }
}

/// An evaluated value that still knows where each part of it stands.
package indirect enum LocatedValue: Sendable {
    /// A leaf, a deferred value, or a whole value that one expression gave.
    case value(Value, SourceRange)
    case list([LocatedValue], SourceRange)
    case map([Entry], SourceRange)

    package struct Entry: Sendable {
        package let key: String
        package let keyRange: SourceRange
        package let value: LocatedValue

        package init(key: String, keyRange: SourceRange, value: LocatedValue) {
            self.key = key
            self.keyRange = keyRange
            self.value = value
        }
    }

    package var range: SourceRange {
        switch self {
        case .value(_, let range), .list(_, let range), .map(_, let range): range
        }
    }

    /// The same without the places.
    package var value: Value {
        switch self {
        case .value(let value, _): value
        case .list(let values, _): .list(values.map(\.value))
        case .map(let entries, _):
            .map(Dictionary(entries.map { ($0.key, $0.value.value) }, uniquingKeysWith: { _, last in last }))
        }
    }

    /// The member of a map; nil when absent, null, or when this is no map.
    package subscript(key: String) -> LocatedValue? {
        switch self {
        case .map(let entries, _):
            guard let entry = entries.last(where: { $0.key == key }) else { return nil }
            if case .value(.null, _) = entry.value { return nil }
            return entry.value
        case .value(.map(let members), let range):
            guard let member = members[key], member != .null else { return nil }
            return .value(member, range)
        default: return nil
        }
    }

    /// The elements of a list; nil when this is no list.
    package var elements: [LocatedValue]? {
        switch self {
        case .list(let values, _): values
        case .value(.list(let values), let range): values.map { .value($0, range) }
        default: nil
        }
    }

    /// The entries of a map, in the order of the source; nil when this is no map.
    package var entries: [Entry]? {
        switch self {
        case .map(let entries, _): entries
        case .value(.map(let members), let range):
            members.sorted { $0.key < $1.key }
                .map { Entry(key: $0.key, keyRange: range, value: .value($0.value, range)) }
        default: nil
        }
    }
}

/// What muster knows of one section of a spec; it drives validation, JSON Schema and the reference page.
package struct SectionSchema: Sendable, Hashable {
    package var name: String
    package var summary: String
    /// The fields of one definition. Those that every definition has (`count`, `for_each`, `lifecycle`, `timeouts`,
    /// `depends_on`) are not among them.
    package var fields: [ArgumentSchema]
    /// What `${section["name"].output}` refers to.
    package var principalTypes: [ResourceType]
    /// A definition as a user would write it.
    package var example: String

    package init(
        name: String, summary: String, fields: [ArgumentSchema], principalTypes: [ResourceType], example: String
    ) {
        self.name = name
        self.summary = summary
        self.fields = fields
        self.principalTypes = principalTypes
        self.example = example
    }
}
