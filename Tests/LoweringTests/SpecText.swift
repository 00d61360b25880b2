import Diagnostics
import Lowering
import MusterModel
import SpecLoading

/// A spec in memory, read by the loader with the schemas of lowering.
struct SpecText {
    var definitions: [Definition]
    private var lookups: [LookupRequest]
    private var uses: [String: [String]]
    private var regions: [String: String]
    private var problems: [Diagnostic]

    /// - Parameters:
    ///   - tags: of the workspace.
    ///   - region: of the workspace; nil: it names none.
    init(_ spec: String, stack: String = "prod", tags: [String: String] = [:], region: String? = nil) {
        let settings = [
            "workspace: w", "tags: { \(tags.map { "\"\($0)\": \"\($1)\"" }.sorted().joined(separator: ", ")) }",
        ]
        let files = [
            "muster.yaml": (settings + (region.map { ["region: \($0)"] } ?? []) + ["stacks: { \(stack): prod.yaml }"])
                .joined(separator: "\n"),
            "prod.yaml": spec,
        ]
        let reader = SourceReader { (path) throws(SourceReader.Failure) in
            guard let text = files[path] else { throw .missing }
            return Array(text.utf8)
        }
        let (workspace, problems) = loadWorkspace(
            LoadRequest(workspacePath: "muster.yaml"), sections: Lowering.sections, catalog: .forTests, reader: reader)
        let (expanded, more) = workspace.map { expand($0) } ?? (ExpandedWorkspace(), [])
        definitions = expanded.definitions
        lookups = workspace?.lookups ?? []
        uses = workspace?.uses ?? [:]
        regions = workspace?.configurations.compactMapValues(\.region) ?? [:]
        self.problems = problems + more
    }

    func lower() -> (declarations: [Declaration], diagnostics: [Diagnostic]) {
        let (declarations, diagnostics) = Lowering.lower(
            definitions, lookups: lookups, uses: uses, regions: regions, catalog: .forTests)
        return (declarations, (problems + diagnostics).sortedByPlace())
    }

    /// Everything that loading and lowering complain of.
    var complaints: String { DiagnosticRenderer(isColoured: false).render(lower().diagnostics) }

    /// The resources with the line and column of every argument, after the complaints if there are any.
    var lowered: String { complaints + lower().declarations.map(\.text).joined(separator: "\n") }
}

extension Catalog {
    /// What matters to lowering and loading: which types carry tags and have unique names, and the arguments and
    /// lookups that these tests name.
    static let forTests = Catalog(
        resources: [
            schema("vpc", ["cidr_block"]), schema("subnet"), schema("internet_gateway"), schema("nat_gateway"),
            schema("eip", ["domain", "address"]), schema("route_table"), schema("network_acl"),
            schema("vpc_endpoint"), schema("security_group_rule"), schema("hosted_zone", ["name"]),
            schema("instance", ["user_data", "vpc_security_group_ids"]),
            schema("security_group", unique: "name"), schema("key_pair", ["public_key"], unique: "key_name"),
            schema("iam_role", unique: "name"), schema("iam_instance_profile", unique: "name"),
            schema("iam_role_policy", isTaggable: false), schema("iam_role_policy_attachment", isTaggable: false),
            schema("route", ["route_table_id", "destination_cidr_block", "gateway_id"], isTaggable: false),
            schema("route_table_association", isTaggable: false), schema("network_acl_rule", isTaggable: false),
            schema("dns_record", isTaggable: false), schema("target_group_attachment", isTaggable: false),
            schema("db_instance", ["address", "vpc_security_group_ids"], unique: "identifier"),
            schema("db_subnet_group", unique: "name"), schema("db_parameter_group", unique: "name"),
            schema("load_balancer", ["enable_http2", "security_groups"], unique: "name"),
            schema("target_group", ["port"], unique: "name"), schema("listener"), schema("listener_rule"),
            schema("listener_certificate", isTaggable: false),
            schema("elasticache_replication_group", unique: "replication_group_id"),
            schema("elasticache_subnet_group", unique: "name"),
        ],
        lookups: [
            LookupSchema(
                kind: "hosted_zones", summary: "", arguments: [ArgumentSchema("name", .string, "")],
                outputs: [OutputSchema("id", .string, "")]),
            LookupSchema(
                kind: "amis", summary: "", arguments: [ArgumentSchema("name", .string, "")],
                outputs: [OutputSchema("id", .string, "")]),
        ])

    private static func schema(
        _ type: String, _ arguments: [String] = [], unique: String? = nil, isTaggable: Bool = true
    ) -> ResourceSchema {
        let names = arguments + (unique.map { [$0] } ?? [])
        return ResourceSchema(
            type: ResourceType(rawValue: "aws.\(type)"), summary: "",
            arguments: names.map { ArgumentSchema($0, .string, "") }
                + (isTaggable ? [ArgumentSchema("tags", .map(.string), semantics: .tags, "")] : []),
            outputs: [], naming: unique.map { .unique(argument: $0, maximumLength: 255) } ?? .byID, importSyntax: "")
    }
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
        for name in initialArguments.sorted() {
            lines.append("  begins with \(name)")
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
