import Diagnostics
import MusterModel
import YAMLSyntax

// `muster.yaml`: which stacks there are, and what they share.

/// A workspace file as written; nothing that depends on a stack is evaluated yet.
struct WorkspaceFile {
    struct Stack {
        let name: String
        let range: SourceRange
        /// The path of the spec, and where it is named.
        let spec: (path: String, range: SourceRange)
        let with: [YAMLEntry]
        let configuration: ProviderConfiguration
        let tags: YAMLNode?
        let variables: YAMLNode?
    }

    let name: String
    let configuration: ProviderConfiguration
    let state: String?
    let lock: String?
    let tags: YAMLNode?
    let variables: YAMLNode?
    let allowed: [Hazard.Kind]
    let stacks: [Stack]

    private static let placement: [ArgumentSchema] = [
        ArgumentSchema("region", .string, "The AWS region, such as us-east-1."),
        ArgumentSchema("profile", .string, "A profile of the shared AWS configuration."),
        ArgumentSchema(
            "assume_role", .string,
            constraints: [.pattern("arn:[a-z-]+:iam::[0-9]{12}:role/.+", "it must be the ARN of a role.")],
            "The ARN of a role to assume."),
        ArgumentSchema(
            "account", .string, constraints: [.pattern("[0-9]{12}", "an account id has twelve digits.")],
            "The id of the account that the credentials must belong to."),
        ArgumentSchema(
            "tags", .map(.string), semantics: .tags,
            "Tags of every taggable resource. A stack's and a resource's own tags win; null removes one."),
        ArgumentSchema(
            "variables", .anything,
            "Shared variables: the path of a file, or a map of declarations and of plain values."),
    ]

    static let schema: [ArgumentSchema] =
        [
            ArgumentSchema("workspace", .string, isRequired: true, constraints: [.length(1, 128)], "Its name."),
            ArgumentSchema(
                "state", .string, absence: .means("state/muster.db"),
                "Where the state lives, relative to this file."),
            ArgumentSchema(
                "lock", .string, absence: .means("muster.lock"),
                "Where the outcomes of pinned lookups are kept, relative to this file."),
            ArgumentSchema(
                "allow", .list(.string), constraints: [.allowed(Hazard.Kind.allCases.map(\.rawValue))],
                "Hazards that every apply may bring about without being asked."),
            ArgumentSchema(
                "stacks", .map(.anything), isRequired: true,
                "The stacks by name: the path of a spec, or a map with the path and values for it."),
        ] + placement

    static let stackSchema: [ArgumentSchema] =
        [
            ArgumentSchema("spec", .string, isRequired: true, "The path of the spec, relative to this file."),
            ArgumentSchema("with", .map(.anything), "Values for the spec's variables."),
        ] + placement
}

/// Reads a workspace file.
struct WorkspaceFileReader {
    let complaints: Complaints
    let reader: SchemaReader
    /// The scope of what no stack has part in.
    let scope: Scope
    private let shape = BlockShape(title: "a workspace", WorkspaceFile.schema)
    private let stackShape = BlockShape(title: "a stack", WorkspaceFile.stackSchema)

    init(complaints: Complaints, reader: SchemaReader, scope: Scope) {
        self.complaints = complaints
        self.reader = reader
        self.scope = scope
    }

    func read(_ root: YAMLNode?, _ file: SourceFile) -> WorkspaceFile? {
        guard let root, let entries = root.mapping else {
            complaints.report(.noWorkspace(root?.range ?? file.range(0, 0), isEmpty: root == nil))
            return nil
        }
        var raw: [String: YAMLNode] = [:]
        for entry in entries where !entry.value.isNull { raw[entry.key] = entry.value }
        let ours = entries.filter { !$0.key.hasPrefix("x-") }.map(Node.Entry.init)
        let body = LocatedValue.map(
            reader.readBlock(
                ours, as: shape, foreign: ["stacks", "tags", "variables"],
                at: file.range(root.range.start, root.range.start), in: scope), root.range)
        let configuration = WorkspaceFileReader.configuration(body)
        return WorkspaceFile(
            name: body["workspace"]?.value.string ?? "", configuration: configuration,
            state: body["state"]?.value.string.flatMap { path($0, "state", body) },
            lock: body["lock"]?.value.string.flatMap { path($0, "lock", body) }, tags: raw["tags"],
            variables: raw["variables"], allowed: Hazard.Kind.read(body["allow"]),
            stacks: raw["stacks"].map { stacks($0, configuration) } ?? [])
    }

    private func path(_ text: String, _ key: String, _ body: LocatedValue) -> String? {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return text }
        complaints.report(.remoteState(text, key, at: body[key]?.range))
        return nil
    }

    private func stacks(_ node: YAMLNode, _ shared: ProviderConfiguration) -> [WorkspaceFile.Stack] {
        guard let entries = node.mapping else {
            complaints.report(.wrongType("stacks", Node.yaml(node).kindName, .map(.anything), at: node.range))
            return []
        }
        if entries.isEmpty { complaints.report(.noStacks(at: node.range)) }
        return entries.compactMap { entry in
            guard !entry.key.hasPrefix("x-"), checkName(entry) else { return nil }
            if let members = entry.value.mapping { return stack(entry, members, shared) }
            guard let scalar = entry.value.scalar, !scalar.isNull, !scalar.text.isEmpty else {
                complaints.report(.noSpec(entry.key, at: entry.keyRange))
                return nil
            }
            return WorkspaceFile.Stack(
                name: entry.key, range: entry.keyRange, spec: (scalar.text, entry.value.range), with: [],
                configuration: shared, tags: nil, variables: nil)
        }
    }

    private func stack(
        _ entry: YAMLEntry, _ members: [YAMLEntry], _ shared: ProviderConfiguration
    ) -> WorkspaceFile.Stack? {
        var raw: [String: YAMLNode] = [:]
        for member in members where !member.value.isNull { raw[member.key] = member.value }
        let body = LocatedValue.map(
            reader.readBlock(
                members.map(Node.Entry.init), as: stackShape, foreign: ["with", "tags", "variables"],
                at: entry.keyRange, in: scope), entry.value.range)
        var with: [YAMLEntry] = []
        if let node = raw["with"] {
            if let entries = node.mapping {
                with = entries
            } else {
                complaints.report(.wrongType("with", Node.yaml(node).kindName, .map(.anything), at: node.range))
            }
        }
        guard let spec = body["spec"], let path = spec.value.string else { return nil }
        let own = WorkspaceFileReader.configuration(body)
        return WorkspaceFile.Stack(
            name: entry.key, range: entry.keyRange, spec: (path, spec.range), with: with,
            configuration: ProviderConfiguration(
                region: own.region ?? shared.region, profile: own.profile ?? shared.profile,
                assumeRole: own.assumeRole ?? shared.assumeRole, account: own.account ?? shared.account),
            tags: raw["tags"], variables: raw["variables"])
    }

    private static func configuration(_ body: LocatedValue) -> ProviderConfiguration {
        ProviderConfiguration(
            region: body["region"]?.value.string, profile: body["profile"]?.value.string,
            assumeRole: body["assume_role"]?.value.string, account: body["account"]?.value.string)
    }

    /// A name that can stand before a colon, and in a path.
    private func checkName(_ entry: YAMLEntry) -> Bool {
        let name = entry.key
        var why: String?
        if name.isEmpty {
            why = "A stack needs a name."
        } else if name == "external" {
            why = "\"external\" stands for what no stack manages, so no stack can be named so."
        } else if name.contains(":") {
            why = "The name of a stack cannot hold \":\", which ends it in an address."
        } else if name.hasPrefix("/") || name.hasSuffix("/") || name.contains("//") {
            why = "\"/\" stands between the parts of a stack's name, and each part has a character at least."
        } else if name.unicodeScalars.contains(where: {
            $0.properties.isWhitespace || $0.value < 0x20 || $0.value == 0x7F
        }) {
            why = "The name of a stack cannot hold spaces."
        } else if Templates.mayHoldExpression(name) {
            why = "The name of a stack cannot hold \"$\": it is known before any variable."
        }
        guard let why else { return true }
        complaints.report(.invalidStackName(why, at: entry.keyRange))
        return false
    }
}

extension Hazard.Kind {
    /// The hazards of an `allow:` list that was read by schema.
    static func read(_ list: LocatedValue?) -> [Hazard.Kind] {
        (list?.elements ?? []).compactMap { $0.value.string.flatMap(Hazard.Kind.init) }
    }
}

extension Diagnostic {
    fileprivate static func noWorkspace(_ range: SourceRange, isEmpty: Bool) -> Diagnostic {
        Diagnostic(
            code: "spec.no-workspace", summary: "Not a workspace file",
            detail: isEmpty ? "The file is empty." : "A workspace file is a map with \"workspace\" and \"stacks\".",
            at: range, hint: "\"muster init\" writes a sample.")
    }

    fileprivate static func remoteState(_ text: String, _ key: String, at range: SourceRange?) -> Diagnostic {
        Diagnostic(
            code: "spec.unsupported", summary: "Not supported yet",
            detail: "This version of muster keeps \(key.quoted) in a local file; \(text.quoted) is not one.", at: range,
            hint: "Give a path.")
    }

    fileprivate static func noStacks(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .warning, code: "spec.no-stacks", summary: "No stacks", detail: "The workspace has no stack.", at: range)
    }

    fileprivate static func noSpec(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.missing-argument", summary: "Missing argument",
            detail: "The stack \(name.quoted) needs a spec: the path of a file, or a map with \"spec\".", at: range)
    }

    fileprivate static func invalidStackName(_ why: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(code: "spec.invalid-name", summary: "Invalid name", detail: why, at: range)
    }
}
