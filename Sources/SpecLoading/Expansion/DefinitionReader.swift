import Diagnostics
import Expressions
import MusterModel
import YAMLSyntax

/// The shapes of all sections and types, made when first needed.
final class Shapes {
    /// A section or a type that definitions are read by.
    final class Entry {
        let block: BlockShape
        let hasName: Bool
        /// The field that names it in the cloud, if there is one.
        let naming: String?
        /// What `ignore_changes` may name.
        let arguments: [String]
        let usualTimeouts: Timeouts

        init(title: String, _ fields: [ArgumentSchema], principals: [ResourceSchema]) {
            block = BlockShape(title: title, fields)
            hasName = fields.contains { $0.name == "name" }
            naming = CommonFields.naming(fields, principals.first)
            arguments = Set(fields.map(\.name) + principals.flatMap { $0.arguments.map(\.name) }).sorted()
            usualTimeouts = principals.first?.timeouts ?? Timeouts()
        }
    }

    private let sections: [String: SectionSchema]
    private let catalog: Catalog
    private var entries: [String: Entry] = [:]

    init(sections: [SectionSchema], catalog: Catalog) {
        self.sections = Dictionary(sections.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.catalog = catalog
    }

    /// nil when there is no such section or type.
    func entry(_ name: String) -> Entry? {
        if let known = entries[name] { return known }
        let entry: Entry
        if let section = sections[name] {
            entry = Entry(
                title: name, section.fields, principals: section.principalTypes.compactMap { catalog[$0] })
        } else if let schema = catalog[ResourceType(rawValue: name)] {
            entry = Entry(title: name, schema.arguments, principals: [schema])
        } else {
            return nil
        }
        entries[name] = entry
        return entry
    }
}

/// Expands and reads the definitions of one stack.
final class DefinitionReader {
    private let reader: SchemaReader
    private let shapes: Shapes
    private let common: CommonFieldReader
    private let scope: Scope
    private let inheritedTags: [String: Value]
    private(set) var definitions: [Definition] = []
    /// The definitions of the section that is being read, by name.
    private var places: [String: SourceRange] = [:]
    private var complaints: Complaints { reader.complaints }

    init(reader: SchemaReader, shapes: Shapes, scope: Scope, inheritedTags: [String: Value]) {
        self.reader = reader
        self.shapes = shapes
        self.scope = scope
        self.inheritedTags = inheritedTags
        common = CommonFieldReader(reader: reader, names: scope.stack.names)
    }

    /// - Parameter section: a section or a primitive type that `Shapes` knows.
    func read(_ node: YAMLNode, section: String) {
        guard !node.isNull, let shape = shapes.entry(section) else { return }
        guard node.mapping != nil else {
            complaints.report(.wrongType(section, Node.yaml(node).kindName, .map(.anything), at: node.range))
            return
        }
        places = [:]
        for entry in reader.expandedEntries(.yaml(node), in: scope) {
            guard !entry.key.isEmpty else {
                complaints.report(.emptyName(at: entry.keyRange))
                continue
            }
            guard let body = definitionBody(entry, of: section) else { continue }
            readGroup(entry, body, shape, section)
        }
    }

    /// The fields of a definition: of a map, of nothing, or of what one expression gives.
    private func definitionBody(_ entry: Node.Entry, of section: String) -> [Node.Entry]? {
        if entry.value.isNull { return [] }
        if let entries = entry.value.entries { return entries }
        guard case .yaml(let node) = entry.value, let scalar = node.scalar,
            Templates.mayHoldExpression(scalar.text)
        else {
            complaints.report(
                .wrongType(entry.key, entry.value.kindName, .map(.anything), at: entry.value.range))
            return nil
        }
        let value = reader.templates.evaluate(node, scalar, in: scope, complaints).value
        if value.isNull { return [] }
        if let entries = Node.value(value, node.range).entries { return entries }
        if case .deferred(let deferred) = value {
            complaints.reportUnknown(entry.key, deferred, at: node.range)
        } else {
            complaints.report(.wrongType(entry.key, value.kindName, .map(.anything), at: node.range))
        }
        return nil
    }

    // MARK: Expansion

    private struct Member {
        var suffix: String
        var each: (key: String, value: Value)?
        var index: Int
    }

    private func readGroup(_ entry: Node.Entry, _ body: [Node.Entry], _ shape: Shapes.Entry, _ section: String) {
        let count = body.first { $0.key == "count" && !$0.value.isNull }
        let forEach = body.first { $0.key == "for_each" && !$0.value.isNull }
        if let count, let forEach {
            complaints.report(.countAndForEach(count, forEach))
            return
        }
        let members: [Member]
        if let count {
            members = countedMembers(count.value)
        } else if let forEach {
            members = eachMember(forEach.value)
        } else {
            append(entry, body, shape, section, member: nil)
            return
        }
        for member in members { append(entry, body, shape, section, member: member) }
    }

    private func countedMembers(_ node: Node) -> [Member] {
        guard let value = reader.read(node, as: FieldShape(CommonFields.count), in: scope) else { return [] }
        switch value {
        case .value(.integer(let count), let range):
            guard (0...CommonFields.maximumCount).contains(count) else {
                complaints.report(.impossibleCount(count, at: range))
                return []
            }
            return (0..<count).map { Member(suffix: String($0 + 1), each: nil, index: $0 + 1) }
        case .value(.deferred(let deferred), let range): complaints.reportUnknown("count", deferred, at: range)
        default: break
        }
        return []
    }

    private func eachMember(_ node: Node) -> [Member] {
        var pairs: [(key: String, value: Value)] = []
        guard let node = evaluated(node) else { return [] }
        if node.entries != nil {
            let field = FieldShape(CommonFields.forEach)
            pairs = reader.expandedEntries(node, in: scope).map {
                ($0.key, reader.read($0.value, as: field, in: scope)?.value ?? .null)
            }
        } else {
            guard let keys = listKeys(node) else { return [] }
            pairs = keys.map { ($0, .string($0)) }
        }
        if pairs.count > CommonFields.maximumCount {
            complaints.report(.tooManyMembers(pairs.count, at: node.range))
            return []
        }
        return pairs.enumerated().map {
            Member(suffix: "-\($0.element.key)", each: $0.element, index: $0.offset + 1)
        }
    }

    /// The node, or what its expression gives; nil when that is unknown or null.
    private func evaluated(_ node: Node) -> Node? {
        guard case .yaml(let yaml) = node, let scalar = yaml.scalar else { return node }
        guard Templates.mayHoldExpression(scalar.text) else {
            complaints.report(.wrongForEach(node.kindName, at: node.range))
            return nil
        }
        let value = reader.templates.evaluate(yaml, scalar, in: scope, complaints).value
        switch value {
        case .list, .map: return .value(value, yaml.range)
        case .deferred(let deferred): complaints.reportUnknown("for_each", deferred, at: yaml.range)
        case .null: break
        case .bool, .integer, .number, .string: complaints.report(.wrongForEach(value.kindName, at: yaml.range))
        }
        return nil
    }

    private func listKeys(_ node: Node) -> [String]? {
        let field = FieldShape(ArgumentSchema("for_each", .list(.string), ""))
        guard let elements = reader.read(node, as: field, in: scope)?.elements else { return nil }
        var places: [String: SourceRange] = [:]
        var keys: [String] = []
        for element in elements {
            if case .value(.deferred(let deferred), let range) = element {
                complaints.reportUnknown("for_each", deferred, at: range)
            }
            guard let key = element.value.string else { return nil }
            if let first = places[key] {
                complaints.report(.repeatedElement(.string(key), key: nil, "for_each", at: element.range, first: first))
                continue
            }
            places[key] = element.range
            keys.append(key)
        }
        return keys
    }

    // MARK: One definition

    /// The fields with a name in the place of its prefix: the prefix and eight digits of a digest of the address, so that
    /// the name is the same in every plan.
    private func named(
        _ body: [Node.Entry], _ name: String, _ shape: Shapes.Entry, _ section: String, _ scope: Scope
    ) -> [Node.Entry] {
        guard let prefix = body.first(where: { $0.key == CommonFields.namePrefix.name }) else { return body }
        let others = body.filter { $0.key != prefix.key }
        guard let naming = shape.naming else {
            complaints.report(.nameless(section, at: prefix.keyRange))
            return others
        }
        if let other = others.first(where: { $0.key == naming && !$0.value.isNull }) {
            complaints.report(.nameAndPrefix(other, prefix))
            return others
        }
        guard let value = reader.read(prefix.value, as: FieldShape(CommonFields.namePrefix), in: scope) else {
            return others
        }
        if case .value(.deferred(let deferred), let range) = value {
            complaints.reportUnknown(prefix.key, deferred, at: range)
        }
        guard let text = value.value.string else { return others }
        let identity = "\(scope.stack.workspace)|\(scope.stack.name):\(section)/\(name)"
        let digest = Digest.sha256(Array(identity.utf8)).prefix(8)
        return others + [
            Node.Entry(key: naming, keyRange: prefix.keyRange, value: .value(.string(text + digest), value.range))
        ]
    }

    private func append(
        _ entry: Node.Entry, _ body: [Node.Entry], _ shape: Shapes.Entry, _ section: String, member: Member?
    ) {
        var scope = scope
        scope.each = member?.each
        scope.index = member?.index
        let isNamedByPrefix = body.contains { $0.key == CommonFields.namePrefix.name && !$0.value.isNull }
        let body = isNamedByPrefix ? named(body, entry.key + (member?.suffix ?? ""), shape, section, scope) : body
        let fields = reader.readBlock(
            body, as: shape.block, foreign: CommonFields.names, at: entry.keyRange, in: scope)
        let located = LocatedValue.map(fields, entry.value.range)
        var name = entry.key
        var place = entry.keyRange
        if let member {
            name += member.suffix
            if shape.hasName, !isNamedByPrefix, let field = located["name"] {
                switch field.value {
                case .string(let text) where !text.isEmpty: name = text
                case .deferred(let deferred): complaints.reportUnknown("name", deferred, at: field.range)
                default: break
                }
                place = field.range
            }
        }
        if let first = places[name] {
            complaints.report(
                .duplicateName(name, in: section, at: place, first: first, isSameGroup: first == place))
            return
        }
        places[name] = place
        var definition = Definition(
            stack: scope.stack.name, section: section, name: name, group: entry.key, index: member?.index,
            range: entry.keyRange, body: located, inheritedTags: inheritedTags)
        for field in body {
            switch field.key {
            case "depends_on": definition.dependsOn = common.dependencies(field.value, in: scope)
            case "lifecycle":
                definition.lifecycle = common.lifecycle(
                    field.value, arguments: shape.arguments, of: section, in: scope)
            case "timeouts":
                definition.timeouts = common.timeouts(field.value, usual: shape.usualTimeouts, in: scope)
            default: break
            }
        }
        definitions.append(definition)
    }
}

extension Diagnostic {
    fileprivate static func emptyName(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.invalid-name", summary: "Invalid name", detail: "A definition needs a name.", at: range)
    }

    fileprivate static func nameless(_ section: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-key", summary: "Unknown key",
            detail: "What \(section) makes has no name in the cloud that could begin with \"name_prefix\".", at: range)
    }

    fileprivate static func nameAndPrefix(_ name: Node.Entry, _ prefix: Node.Entry) -> Diagnostic {
        Diagnostic(
            code: "spec.conflict", summary: "Arguments exclude each other",
            detail: "A definition has \(name.key.quoted) or \"name_prefix\", not both.", at: prefix.keyRange,
            related: [.init(range: name.keyRange, message: "the other is here")], hint: "Remove one of them.")
    }

    fileprivate static func countAndForEach(_ count: Node.Entry, _ forEach: Node.Entry) -> Diagnostic {
        let (first, second) = count.keyRange.start < forEach.keyRange.start ? (count, forEach) : (forEach, count)
        return Diagnostic(
            code: "spec.conflict", summary: "Arguments exclude each other",
            detail: "A definition has \"count\" or \"for_each\", not both.", at: second.keyRange,
            related: [.init(range: first.keyRange, message: "the other is here")], hint: "Remove one of them.")
    }

    fileprivate static func impossibleCount(_ count: Int, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.range", summary: "Number out of range",
            detail: "\"count\" is \(count), but it must be from 0 to \(CommonFields.maximumCount).", at: range)
    }

    fileprivate static func tooManyMembers(_ count: Int, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.count", summary: "Wrong number of elements",
            detail: "\"for_each\" has \(count) elements; at most \(CommonFields.maximumCount) are expanded.", at: range)
    }

    fileprivate static func wrongForEach(_ kind: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.type", summary: "Wrong type",
            detail: "\"for_each\" is \(kind), but it takes a map or a list of different strings.", at: range,
            hint: "To make a number of them, use \"count\".")
    }

    fileprivate static func duplicateName(
        _ name: String, in section: String, at range: SourceRange, first: SourceRange, isSameGroup: Bool
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-name", summary: "Duplicate name",
            detail: "There are two definitions named \(name.quoted) in \(section).", at: range,
            related: isSameGroup ? [] : [.init(range: first, message: "first declared here")],
            hint: isSameGroup ? "Make the name differ, for example with ${index}." : "Rename one of them.")
    }
}
