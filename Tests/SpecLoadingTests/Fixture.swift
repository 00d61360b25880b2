import Diagnostics
import MusterModel
import SpecLoading

/// A workspace in memory: files by path, and what the command line says.
struct Workspace {
    var files: [String: String]
    var failures: [String: SourceReader.Failure] = [:]
    var request = LoadRequest(workspacePath: "muster.yaml")
    var sections = Fixture.sections
    var catalog = Fixture.catalog

    init(_ files: [String: String]) { self.files = files }

    /// One stack, `app`, with this spec.
    init(spec: String) { files = ["muster.yaml": Workspace.plain, "spec.yaml": spec] }

    static let plain = """
        workspace: w
        region: eu-west-1
        stacks: { app: spec.yaml }
        """

    func giving(_ variables: [String: String]) -> Workspace {
        var copy = self
        copy.request.variables = variables.sorted { $0.key < $1.key }.map { .init(name: $0.key, text: $0.value) }
        return copy
    }

    func at(_ path: String) -> Workspace {
        var copy = self
        copy.request.workspacePath = path
        return copy
    }

    var reader: SourceReader {
        let files = files
        let failures = failures
        return SourceReader { (path) throws(SourceReader.Failure) in
            if let failure = failures[path] { throw failure }
            guard let text = files[path] else { throw .missing }
            return Array(text.utf8)
        }
    }

    func load() -> (workspace: LoadedWorkspace?, diagnostics: [Diagnostic]) {
        loadWorkspace(request, sections: sections, catalog: catalog, reader: reader)
    }

    /// Both phases.
    func expanded(
        lookups: [Address: [String: Value]] = [:]
    ) -> (expanded: ExpandedWorkspace?, diagnostics: [Diagnostic]) {
        let (workspace, diagnostics) = load()
        guard let workspace else { return (nil, diagnostics) }
        let (expanded, more) = SpecLoading.expand(workspace, lookups: lookups)
        return (expanded, diagnostics + more)
    }

    /// The complaints as a person reads them.
    func complaints() -> String { DiagnosticRenderer(isColoured: false).render(expanded().diagnostics) }

    /// Everything that was declared, as text; complaints instead if there are any.
    func declared(lookups: [Address: [String: Value]] = [:]) -> String {
        let (expanded, diagnostics) = expanded(lookups: lookups)
        guard let expanded, diagnostics.isEmpty else {
            return DiagnosticRenderer(isColoured: false).render(diagnostics)
        }
        return Dump.text(expanded)
    }
}

/// A few sections and types that show everything a schema can say.
enum Fixture {
    static let groupKind = ReferenceKind(
        "group", [.init("aws.group", "id"), .init("lookup.groups", "id")], literals: ["sg-", "pl-"], allowsCIDR: true,
        reserved: ["self", "any"])
    static let netKind = ReferenceKind("net", [.init("aws.net", "id")], literals: ["net-", "Z"])

    private static let ruleFields = [
        ArgumentSchema(
            "port", .integer, constraints: [.range(0, 65_535), .conflictsWith(["ports"])], "The port."),
        ArgumentSchema("ports", .string, constraints: [.conflictsWith(["port"])], "Ports, as 1-2."),
        ArgumentSchema(
            "from", .list(.string), reference: groupKind, constraints: [.exactlyOne(["from", "cidr"])], "Who."),
        ArgumentSchema("cidr", .string, semantics: .cidr, constraints: [.ipv4CIDR], "Which network."),
        ArgumentSchema(
            "protocol", .string, semantics: .caseInsensitive, constraints: [.allowed(["tcp", "udp", "icmp"])],
            "What is spoken."),
    ]

    static let sections = [
        SectionSchema(
            name: "nets", summary: "A network.",
            fields: [
                ArgumentSchema(
                    "cidr_block", .string, isRequired: true, semantics: .cidr, constraints: [.cidr], "Its CIDR."),
                ArgumentSchema("dns", .boolean, absence: .means(true), "Whether names are resolved."),
                ArgumentSchema("zones", .set(.string), constraints: [.count(1, 3)], "Its zones."),
                ArgumentSchema(
                    "parts",
                    .map(.object([ArgumentSchema("size", .integer, isRequired: true, "How large.")])),
                    "Its parts."),
                ArgumentSchema("tags", .map(.string), semantics: .tags, "Tags."),
            ], principalTypes: ["aws.net"], example: "nets:\n  main: { cidr_block: 10.0.0.0/16 }"),
        SectionSchema(
            name: "groups", summary: "A group.",
            fields: [
                ArgumentSchema("net", .string, isRequired: true, reference: netKind, "Its network."),
                ArgumentSchema(
                    "name", .string,
                    constraints: [.length(1, 10), .pattern("[a-z0-9-]+", "only a-z, 0-9 and - may be in it.")],
                    "Its name."),
                ArgumentSchema("weight", .number, constraints: [.range(0, 10)], "Its weight."),
                ArgumentSchema("ingress", .list(.object(ruleFields)), "Rules."),
                ArgumentSchema(
                    "owners",
                    .set(
                        .object([
                            ArgumentSchema("key", .string, isRequired: true, "Who."),
                            ArgumentSchema("share", .integer, "How much."),
                        ]), key: "key"), "Owners."),
                ArgumentSchema("policy", .anything, semantics: .policyDocument, "A policy."),
                ArgumentSchema("tags", .map(.string), semantics: .tags, "Tags."),
            ], principalTypes: ["aws.group"], example: "groups:\n  web: { net: main }"),
    ]

    static let catalog = Catalog(
        resources: [
            ResourceSchema(
                type: "aws.net", summary: "A network.",
                arguments: [
                    ArgumentSchema("cidr_block", .string, isRequired: true, constraints: [.cidr], "Its CIDR."),
                    ArgumentSchema("tags", .map(.string), semantics: .tags, "Tags."),
                ], outputs: [OutputSchema("id", .string, "The id.")], importSyntax: "net-…"),
            ResourceSchema(
                type: "aws.group", summary: "A group.",
                arguments: [
                    ArgumentSchema(
                        "net_id", .string, isRequired: true, onChange: .replace, reference: netKind, "Its network."),
                    ArgumentSchema("description", .string, absence: .means("Managed by muster"), "What it is for."),
                    ArgumentSchema("tags", .map(.string), semantics: .tags, "Tags."),
                ], outputs: [OutputSchema("id", .string, "The id."), OutputSchema("arn", .string, "The ARN.")],
                timeouts: Timeouts(create: 60, update: 70, delete: 80), importSyntax: "sg-…"),
        ],
        lookups: [
            LookupSchema(
                kind: "images", summary: "An image.",
                arguments: [
                    ArgumentSchema("name", .string, isRequired: true, "Its name."),
                    ArgumentSchema("owners", .list(.string), "Who made it."),
                    ArgumentSchema("most_recent", .boolean, "Whether the newest of several is meant."),
                ], outputs: [OutputSchema("id", .string, "The id."), OutputSchema("tags", .map(.string), "Its tags.")],
                isPinned: true),
            LookupSchema(
                kind: "groups", summary: "A group.", arguments: [ArgumentSchema("name", .string, "Its name.")],
                outputs: [OutputSchema("id", .string, "The id.")]),
        ])
}

/// Declarations as text.
enum Dump {
    static func text(_ expanded: ExpandedWorkspace) -> String {
        var lines: [String] = []
        for definition in expanded.definitions {
            var head = "\(definition.stack):\(definition.section)/\(definition.name)"
            if definition.group != definition.name { head += " of \(definition.group)" }
            if let index = definition.index { head += " [\(index)]" }
            lines.append(head)
            for entry in definition.body.entries ?? [] { lines.append("  \(entry.key): \(text(entry.value.value))") }
            if definition.lifecycle != Lifecycle() { lines.append("  lifecycle: \(text(definition.lifecycle))") }
            if let timeouts = definition.timeouts {
                lines.append("  timeouts: \(timeouts.create) \(timeouts.update) \(timeouts.delete)")
            }
            if !definition.dependsOn.isEmpty {
                lines.append("  depends_on: \(definition.dependsOn.map(text).joined(separator: ", "))")
            }
            if !definition.inheritedTags.isEmpty {
                lines.append("  inherited tags: \(text(.map(definition.inheritedTags)))")
            }
        }
        for output in expanded.outputs {
            lines.append(
                "output \(output.stack):\(output.name)\(output.isSecret ? " (secret)" : "") = \(text(output.value))")
        }
        for item in expanded.imports { lines.append("import \(item.address) = \(item.id)") }
        for item in expanded.moves { lines.append("moved \(item.from) -> \(item.to)") }
        for item in expanded.removals { lines.append("removed \(item.address)\(item.destroys ? ", destroyed" : "")") }
        return lines.joined(separator: "\n") + "\n"
    }

    static func text(_ value: Value) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): String(flag)
        case .integer(let number): String(number)
        case .number(let number): "\(number)"
        case .string(let text): "\"\(text)\""
        case .list(let items): "[\(items.map { text($0) }.joined(separator: ", "))]"
        case .map(let members):
            "{\(members.sorted { $0.key < $1.key }.map { "\($0.key): \(text($0.value))" }.joined(separator: ", "))}"
        case .deferred(let deferred): "‹\(text(deferred.expression))›"
        }
    }

    static func text(_ reference: Reference) -> String {
        switch reference.target {
        case .named(let kind, let name): "\(kind.name) \(name) in \(reference.stack)"
        case .path(let components):
            components.map {
                switch $0 {
                case .name(let name): name
                case .index(let index): "[\(index)]"
                }
            }.joined(separator: "|") + " in \(reference.stack)"
        }
    }

    private static func text(_ expression: Expression) -> String {
        switch expression {
        case .literal(let value): text(value)
        case .reference(let reference): text(reference)
        case .output(let output): "\(output.address)#\(output.output)"
        case .secret(let secret): "secret \(secret.name) \(secret.source)"
        case .template(let parts): "template(\(parts.map { text($0) }.joined(separator: ", ")))"
        case .list(let parts): "[\(parts.map { text($0) }.joined(separator: ", "))]"
        case .map(let entries): "{\(entries.map { "\($0.key): \(text($0.value))" }.joined(separator: ", "))}"
        case .member(let base, let name): "\(text(base)).\(name)"
        case .index(let base, let key): "\(text(base))[\(text(key))]"
        case .call(let name, let parts): "\(name)(\(parts.map { text($0) }.joined(separator: ", ")))"
        case .unary(let symbol, let base): "\(symbol.rawValue) \(text(base))"
        case .binary(let symbol, let left, let right): "(\(text(left)) \(symbol.rawValue) \(text(right)))"
        }
    }

    private static func text(_ lifecycle: Lifecycle) -> String {
        var parts: [String] = []
        if lifecycle.preventDestroy { parts.append("protected") }
        if let first = lifecycle.createBeforeDestroy { parts.append(first ? "create first" : "delete first") }
        if !lifecycle.ignoreChanges.isEmpty { parts.append("ignores \(lifecycle.ignoreChanges.sorted())") }
        if !lifecycle.replaceTriggeredBy.isEmpty {
            parts.append("replaced by \(lifecycle.replaceTriggeredBy.map { text($0) }.joined(separator: ", "))")
        }
        return parts.joined(separator: "; ")
    }
}
