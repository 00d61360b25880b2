// A stand-in for the loader, so that these tests depend on lowering alone: YAML → definitions, read by the schemas,
// without variables, `count` or checks.

import Diagnostics
import Lowering
import MusterModel
import YAMLSyntax

struct SpecText {
    var definitions: [Definition] = []
    var problems: [Diagnostic] = []

    /// - Parameter count: how many nodes each definition of `control_nodes` stands for.
    init(_ yaml: String, stack: String = "prod", tags: [String: Value] = [:], count: Int? = nil) {
        let file = SourceFile(path: "\(stack).yaml", text: yaml)
        let (node, diagnostics) = parseYAML(file)
        problems = diagnostics
        for section in node?.mapping ?? [] {
            let schema = Lowering.sections.first { $0.name == section.key }
            for entry in section.value.mapping ?? [] {
                guard section.key != "resources" else {
                    for resource in entry.value.mapping ?? [] {
                        append(entry.key, resource, [], stack, tags)
                    }
                    continue
                }
                for index in 1...(section.key == "control_nodes" ? count ?? 1 : 1) {
                    append(
                        section.key, entry, schema?.fields ?? [], stack, tags,
                        index: section.key == "control_nodes" && count != nil ? index : nil)
                }
            }
        }
    }

    private mutating func append(
        _ section: String, _ entry: YAMLEntry, _ fields: [ArgumentSchema], _ stack: String, _ tags: [String: Value],
        index: Int? = nil
    ) {
        let reader = Reader(stack: stack, index: index)
        var body =
            fields.isEmpty
            ? reader.anything(entry.value) : reader.value(entry.value, .object(fields), reference: nil)
        var lifecycle = Lifecycle()
        if case .map(let entries, let range) = body {
            lifecycle.preventDestroy = entries.contains { $0.key == "lifecycle" }
            for part in entries where part.key == "lifecycle" {
                lifecycle.ignoreChanges = Set(
                    part.value["ignore_changes"]?.elements?.compactMap(\.value.string) ?? [])
            }
            body = .map(entries.filter { !["lifecycle", "count"].contains($0.key) }, range)
        }
        let name = index == nil ? entry.key : body["name"]?.value.string ?? entry.key
        definitions.append(
            Definition(
                stack: stack, section: section, name: name, group: entry.key, index: index, range: entry.keyRange,
                body: body, lifecycle: lifecycle, inheritedTags: tags))
    }
}

private struct Reader {
    let stack: String
    let index: Int?

    func value(_ node: YAMLNode, _ type: ValueType, reference: ReferenceKind?) -> LocatedValue {
        if node.isNull { return .value(.null, node.range) }
        switch (node.kind, type) {
        case (.scalar, .anything): return anything(node)
        case (.scalar(let scalar), _): return .value(read(scalar.text, type, reference, node.range), node.range)
        case (.sequence(let items), .list(let element)), (.sequence(let items), .set(let element, _)):
            return .list(items.map { value($0, element, reference: reference) }, node.range)
        case (.mapping(let entries), .map(let element)):
            return map(entries, node.range) { value($0.value, element, reference: nil) }
        case (.mapping(let entries), .object(let fields)):
            return map(entries, node.range) { entry in
                guard let field = fields.first(where: { $0.name == entry.key }) else { return anything(entry.value) }
                return value(entry.value, field.type, reference: field.reference)
            }
        default: return anything(node)
        }
    }

    func anything(_ node: YAMLNode) -> LocatedValue {
        if node.isNull { return .value(.null, node.range) }
        switch node.kind {
        case .sequence(let items): return .list(items.map(anything), node.range)
        case .mapping(let entries): return map(entries, node.range) { anything($0.value) }
        case .scalar(let scalar):
            if !scalar.isQuoted {
                if scalar.text == "true" || scalar.text == "false" {
                    return .value(.bool(scalar.text == "true"), node.range)
                }
                if let number = Int(scalar.text) { return .value(.integer(number), node.range) }
            }
            return .value(read(scalar.text, .string, nil, node.range), node.range)
        }
    }

    private func map(
        _ entries: [YAMLEntry], _ range: SourceRange, _ body: (YAMLEntry) -> LocatedValue
    ) -> LocatedValue {
        .map(entries.map { .init(key: $0.key, keyRange: $0.keyRange, value: body($0)) }, range)
    }

    private func read(_ text: String, _ type: ValueType, _ reference: ReferenceKind?, _ range: SourceRange) -> Value {
        let text = index.map { text.replacing("${index}", with: String($0)) } ?? text
        if text.contains("${") { return expression(text, range) }
        switch type {
        case .integer: if let number = Int(text) { return .integer(number) }
        case .boolean: if text == "true" || text == "false" { return .bool(text == "true") }
        default: break
        }
        guard let reference, type == .string || type == .list(.string) else { return .string(text) }
        let isLiteral =
            reference.literalPrefixes.contains { text.hasPrefix($0) }
            || reference.reserved.contains(text) || (reference.allowsCIDR && text.contains("/"))
        if isLiteral { return .string(text) }
        return .deferred(Deferred(.reference(Reference(.named(reference, text), stack: stack, range: range))))
    }

    /// `${a.b.c}`, whole or with text around.
    private func expression(_ text: String, _ range: SourceRange) -> Value {
        var parts: [Expression] = []
        var rest = Substring(text)
        while let start = rest.firstRange(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
            if start.lowerBound > rest.startIndex { parts.append(.literal(.string(String(rest[..<start.lowerBound])))) }
            let names = rest[start.upperBound..<end].split(separator: ".").map { Reference.Component.name(String($0)) }
            parts.append(.reference(Reference(.path(names), stack: stack, range: range)))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { parts.append(.literal(.string(String(rest)))) }
        return .deferred(Deferred(parts.count == 1 ? parts[0] : .template(parts)))
    }
}

// MARK: - Results as text

/// Everything that lowering says of a spec, for goldens.
func lowered(
    _ yaml: String, tags: [String: Value] = [:], count: Int? = nil, lookups: [LookupRequest] = [],
    region: String? = nil, sortedByAddress: Bool = false
) -> String {
    let spec = SpecText(yaml, tags: tags, count: count)
    let (declarations, diagnostics) = Lowering.lower(
        spec.definitions, lookups: lookups, regions: region.map { ["prod": $0] } ?? [:], catalog: .forTests)
    let complaints = spec.problems + diagnostics
    let text = declarations.map(\.text).joined(separator: "\n")
    return complaints.isEmpty ? text : DiagnosticRenderer(isColoured: false).render(complaints.sortedByPlace()) + text
}

/// Only what lowering complains of.
func complaints(
    _ yaml: String, tags: [String: Value] = [:], count: Int? = nil, lookups: [LookupRequest] = []
) -> String {
    let spec = SpecText(yaml, tags: tags, count: count)
    let (_, diagnostics) = Lowering.lower(spec.definitions, lookups: lookups, catalog: .forTests)
    return DiagnosticRenderer(isColoured: false).render((spec.problems + diagnostics).sortedByPlace())
}

extension Catalog {
    /// What matters to lowering: which types carry tags and have unique names, and a few arguments to ignore.
    static let forTests = Catalog(
        resources: [
            "vpc", "subnet", "internet_gateway", "nat_gateway", "eip", "route_table", "network_acl", "vpc_endpoint",
            "security_group", "security_group_rule", "key_pair", "instance", "iam_role", "iam_instance_profile",
            "hosted_zone",
        ].map {
            ResourceSchema(
                type: ResourceType(rawValue: "aws.\($0)"), summary: "",
                arguments: ["tags", "user_data", "vpc_security_group_ids"].map { ArgumentSchema($0, .anything, "") },
                outputs: [],
                naming: uniqueNames[$0].map { .unique(argument: $0, maximumLength: 255) } ?? .byID, importSyntax: "")
        }, lookups: [])

    private static let uniqueNames = [
        "security_group": "name", "key_pair": "key_name", "iam_role": "name", "iam_instance_profile": "name",
    ]
}

extension Declaration {
    var text: String {
        var lines = ["\(address)\(range.map { " @\($0.startPosition.line)" } ?? "")"]
        for (name, value) in arguments.sorted(by: { $0.key < $1.key }) {
            let place = argumentRanges[name].map { " @\($0.startPosition.line):\($0.startPosition.column)" } ?? ""
            lines.append("  \(name) = \(value.text(in: address.stack))\(place)")
        }
        for (name, values) in candidates.sorted(by: { $0.key < $1.key }) {
            lines.append("  candidates \(name): \(Value.list(values).text(in: address.stack))")
        }
        if !exclusiveChildren.isEmpty {
            lines.append("  owns all \(exclusiveChildren.map(\.rawValue).joined(separator: ", "))")
        }
        for (type, children) in toleratedChildren.sorted(by: { $0.key < $1.key }) {
            lines += children.map { "  tolerates \(type) \(Value.map($0).text(in: address.stack))" }
        }
        for reference in dependsOn {
            if case .path(let components) = reference.target, case .name(let name)? = components.first {
                lines.append("  after \(name)")
            }
        }
        if let serialGroup { lines.append("  one at a time in \(serialGroup)") }
        if lifecycle.preventDestroy { lines.append("  is protected") }
        if !lifecycle.ignoreChanges.isEmpty { lines.append("  ignores \(lifecycle.ignoreChanges.sorted())") }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Value {
    /// Outputs as `→ type/name.output`, names as `‹kind name›`.
    func text(in stack: String) -> String {
        switch self {
        case .null: "null"
        case .bool(let flag): String(flag)
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .string(let text): "\"\(text)\""
        case .list(let values): "[\(values.map { $0.text(in: stack) }.joined(separator: ", "))]"
        case .map(let members):
            "{\(members.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.text(in: stack))" }.joined(separator: ", "))}"
        case .deferred(let deferred): deferred.expression.text(in: stack)
        }
    }
}

extension Expression {
    fileprivate func text(in stack: String) -> String {
        switch self {
        case .output(let output):
            "→ \(output.address.stack == stack ? "" : "\(output.address.stack):")\(output.address.type)/\(output.address.name).\(output.output)"
        case .reference(let reference):
            switch reference.target {
            case .named(let kind, let name): "‹\(kind.name) \(name)›"
            case .path(let components):
                "${\(components.map { if case .name(let name) = $0 { name } else { "?" } }.joined(separator: "."))}"
            }
        case .literal(let value): value.text(in: stack)
        case .template(let parts): parts.map { $0.text(in: stack) }.joined(separator: "+")
        case .call(let name, let parts): "\(name)(\(parts.map { $0.text(in: stack) }.joined(separator: ", ")))"
        case .index(let base, let index): "\(base.text(in: stack))[\(index.text(in: stack))]"
        default: String(describing: self)
        }
    }
}
