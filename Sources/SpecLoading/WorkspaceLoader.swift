import Diagnostics
import MusterModel
import YAMLSyntax

/// The first phase.
final class WorkspaceLoader {
    private let request: LoadRequest
    private let sections: [SectionSchema]
    private let names: KnownNames
    private let reader: SourceReader
    private let files: FileStore
    /// What no stack has part in.
    private let general = Complaints()
    private let templates: Templates
    private var ofStacks: [Complaints.OfStack] = []
    private var specs: [String: (spec: SpecFile, variables: [VariableDeclaration])] = [:]
    private var sharedFiles: [String: [VariableDeclaration]] = [:]

    var diagnostics: [Diagnostic] { (general.diagnostics + Complaints.merged(ofStacks)).sortedByPlace() }

    init(_ request: LoadRequest, sections: [SectionSchema], catalog: Catalog, reader: SourceReader) {
        self.request = request
        self.sections = sections
        self.reader = reader
        names = KnownNames(sections: sections, catalog: catalog)
        files = FileStore(reader)
        templates = Templates(files, workspace: request.workspacePath, general)
    }

    func load() -> LoadedWorkspace? {
        guard let (file, root) = document(request.workspacePath, as: FileStore.workspaceRole, at: nil) else {
            return nil
        }
        if root == nil, isBroken(file) { return nil }
        let schemaReader = SchemaReader(complaints: general, templates: templates)
        guard
            let workspace = WorkspaceFileReader(
                complaints: general, reader: schemaReader, scope: stacklessScope()
            ).read(root, file)
        else { return nil }

        let given = givenValues()
        let shared = sharedVariables(workspace.variables)
        var drafts: [StackDraft] = []
        for stack in workspace.stacks {
            if let draft = draft(of: stack, in: workspace, shared: shared, given: given) { drafts.append(draft) }
        }
        reportMissing(drafts)
        if drafts.count == workspace.stacks.count { reportUnused(given, drafts) }
        return finished(workspace, drafts)
    }

    private func document(
        _ path: String, as what: String, at place: SourceRange?
    ) -> (file: SourceFile, root: YAMLNode?)? {
        files.document(at: path, as: what, namedAt: place, general)
    }

    /// A file that is no YAML was complained about; nothing more can be said of it.
    private func isBroken(_ file: SourceFile) -> Bool {
        general.diagnostics.contains { $0.range?.file === file && $0.severity == .error }
    }

    /// A scope for what is read without a stack: expressions have no place there.
    private func stacklessScope() -> Scope {
        Scope(
            stack: StackContext(
                name: "", workspace: "", region: nil, account: nil, variables: VariableTable(values: [:]),
                names: names),
            reach: .nothing("This field of the workspace file"))
    }

    // MARK: Variables

    /// What the command line gives: for each name what counts first.
    private func givenValues() -> [String: [VariableSource]] {
        var given: [String: [VariableSource]] = [:]
        for variable in request.variables.reversed() {
            let file = SourceFile(path: "\(variable.origin) \(variable.name)", text: variable.text)
            given[variable.name, default: []].append(
                VariableSource(
                    content: .text(variable.text, file), origin: variable.origin,
                    range: file.range(0, file.text.count), isGiven: true))
        }
        for path in request.variableFiles.reversed() {
            guard let (_, root) = document(path, as: "a file of variables", at: nil), let root, !root.isNull else {
                continue
            }
            guard let entries = root.mapping else {
                general.report(.wrongType(path, Node.yaml(root).kindName, .map(.anything), at: root.range))
                continue
            }
            for entry in entries where !entry.key.hasPrefix("x-") {
                given[entry.key, default: []].append(
                    VariableSource(
                        content: .node(.yaml(entry.value)), origin: "--var-file", range: entry.keyRange, isGiven: true))
            }
        }
        return given
    }

    /// `variables:` of the workspace or of a stack in it: the path of a file, or a map.
    private func sharedVariables(_ node: YAMLNode?) -> [VariableDeclaration] {
        guard let node else { return [] }
        let variables = VariableReader(complaints: general)
        if let entries = node.mapping { return variables.shared(entries) }
        guard let scalar = node.scalar else {
            general.report(.wrongType("variables", Node.yaml(node).kindName, .string, at: node.range))
            return []
        }
        let path = FileStore.resolve(scalar.text, from: request.workspacePath)
        if let known = sharedFiles[path] { return known }
        var declarations: [VariableDeclaration] = []
        if let (_, root) = document(path, as: "the shared variables", at: node.range), let root, !root.isNull {
            if let entries = root.mapping {
                if let inner = entries.first(where: { $0.key == "variables" }) {
                    for entry in entries where entry.key != "variables" && !entry.key.hasPrefix("x-") {
                        general.report(.strangerInVariables(entry.key, at: entry.keyRange, inner: inner.keyRange))
                    }
                    declarations = variables.declarations(inner.value, owner: "variables")
                } else {
                    declarations = variables.shared(entries)
                }
            } else {
                general.report(.wrongType(path, Node.yaml(root).kindName, .map(.anything), at: root.range))
            }
        }
        sharedFiles[path] = declarations
        return declarations
    }

    /// A variable without a value is told once, with all stacks that miss it.
    private func reportMissing(_ drafts: [StackDraft]) {
        var misses: [SourceRange: (declaration: VariableDeclaration, stacks: [String])] = [:]
        for draft in drafts {
            for declaration in draft.table.missing {
                misses[declaration.nameRange, default: (declaration, [])].stacks.append(draft.stack.name)
            }
        }
        for (declaration, stacks) in misses.values { general.report(.missingVariable(declaration, stacks: stacks)) }
    }

    /// A value for a variable that no stack has is a slip.
    private func reportUnused(_ given: [String: [VariableSource]], _ drafts: [StackDraft]) {
        let known = Set(drafts.flatMap(\.table.names))
        for (name, sources) in given where !known.contains(name) {
            for source in sources {
                general.report(.unknownVariable(name, source.origin, known: known, at: source.range))
            }
        }
    }

    // MARK: Stacks

    private struct StackDraft {
        let stack: WorkspaceFile.Stack
        let spec: SpecFile
        let table: VariableTable
        let context: StackContext
        let reader: SchemaReader
        let scope: Scope
        let inheritedTags: [String: Value]
    }

    private func spec(_ stack: WorkspaceFile.Stack) -> (spec: SpecFile, variables: [VariableDeclaration])? {
        let path = FileStore.resolve(stack.spec.path, from: request.workspacePath)
        if let known = specs[path] { return known }
        guard let (file, root) = document(path, as: "the spec of a stack", at: stack.spec.range) else { return nil }
        if root == nil, isBroken(file) { return nil }
        let spec = SpecFileReader(complaints: general, sections: names.sections).read(root, file)
        let variables = VariableReader(complaints: general)
            .declarations(spec.parts["variables"], owner: "variables")
        specs[path] = (spec, variables)
        return (spec, variables)
    }

    private func draft(
        of stack: WorkspaceFile.Stack, in workspace: WorkspaceFile, shared: [VariableDeclaration],
        given: [String: [VariableSource]]
    ) -> StackDraft? {
        guard let (spec, declared) = spec(stack) else { return nil }
        let complaints = Complaints()
        ofStacks.append(Complaints.OfStack(complaints, spec: spec.file, name: stack.name))
        let reader = SchemaReader(complaints: complaints, templates: templates)

        let own = sharedVariables(stack.variables)
        let declarations = declared + own + shared
        let known = Set(declarations.map(\.name))
        var sources = given
        for entry in stack.with {
            guard known.contains(entry.key) else {
                complaints.report(.unknownVariable(entry.key, "with", known: known, at: entry.keyRange))
                continue
            }
            sources[entry.key, default: []].append(
                VariableSource(
                    content: .node(.yaml(entry.value)), origin: "\"with\"", range: entry.keyRange, isGiven: true))
        }
        // What stack and workspace declare is itself a source where the spec declares the same variable.
        for declaration in own + shared {
            if let secret = declaration.secret {
                sources[declaration.name, default: []].append(
                    VariableSource(
                        content: .secret(secret), origin: "the workspace", range: declaration.nameRange, isGiven: false)
                )
            } else if let node = declaration.defaultValue {
                sources[declaration.name, default: []].append(
                    VariableSource(
                        content: .node(node), origin: "the workspace's variables", range: declaration.nameRange,
                        isGiven: false))
            }
        }

        let table = VariableTable(declarations, sources: sources, reader: reader)
        let context = StackContext(
            name: stack.name, workspace: workspace.name, region: stack.configuration.region ?? request.fallbackRegion,
            account: stack.configuration.account, variables: table, names: names)
        table.scope = Scope(stack: context, reach: .variables("A variable"))
        _ = table.values()

        let scope = Scope(stack: context, reach: .variables("Tags of a workspace or a stack"))
        var tags: [String: Value] = [:]
        for node in [workspace.tags, stack.tags].compactMap({ $0 }) {
            let field = FieldShape(ArgumentSchema("tags", .map(.string), semantics: .tags, ""))
            for (key, value) in reader.read(.yaml(node), as: field, in: scope)?.value.map ?? [:] {
                if value.isNull { tags.removeValue(forKey: key) } else { tags[key] = value }
            }
        }
        return StackDraft(
            stack: stack, spec: spec, table: table, context: context, reader: reader, scope: scope, inheritedTags: tags)
    }

    private func uses(of draft: StackDraft, among stacks: [String]) -> [String] {
        guard let node = draft.spec.parts["uses"] else { return [] }
        var scope = draft.scope
        scope.reach = .variables("\"uses\"")
        let field = FieldShape(ArgumentSchema("uses", .list(.string), ""))
        var used: [String] = []
        for element in draft.reader.read(.yaml(node), as: field, in: scope)?.elements ?? [] {
            if case .deferred(let deferred) = element.value {
                draft.reader.complaints.reportUnknown("uses", deferred, at: element.range)
            }
            guard let name = element.value.string else { continue }
            if !stacks.contains(name) {
                draft.reader.complaints.report(.unknownStack(name, known: stacks, at: element.range))
            } else if name != draft.stack.name, !used.contains(name) {
                used.append(name)
            }
        }
        return used
    }

    private func allowed(_ draft: StackDraft) -> [Hazard.Kind] {
        guard let node = draft.spec.parts["allow"],
            let schema = WorkspaceFile.schema.first(where: { $0.name == "allow" })
        else { return [] }
        var scope = draft.scope
        scope.reach = .variables("\"allow\"")
        return Hazard.Kind.read(draft.reader.read(.yaml(node), as: FieldShape(schema), in: scope))
    }

    // MARK: Lookups

    /// - Returns: the lookups that can be asked, and the addresses of all that are declared.
    private func lookups(of draft: StackDraft) -> (requests: [LookupRequest], addresses: [Address]) {
        guard let node = draft.spec.parts["lookups"], !node.isNull else { return ([], []) }
        var scope = draft.scope
        scope.reach = .variables("A lookup")
        let complaints = draft.reader.complaints
        guard let kinds = node.mapping else {
            complaints.report(.wrongType("lookups", Node.yaml(node).kindName, .map(.anything), at: node.range))
            return ([], [])
        }
        var requests: [LookupRequest] = []
        var addresses: [Address] = []
        for kind in kinds where !kind.value.isNull {
            guard let schema = names.catalog.lookup(kind.key) else {
                let known = names.catalog.lookups.map(\.kind)
                complaints.report(.unknownLookupKind(kind.key, known: known, at: kind.keyRange))
                continue
            }
            guard kind.value.mapping != nil else {
                complaints.report(
                    .wrongType(kind.key, Node.yaml(kind.value).kindName, .map(.anything), at: kind.value.range))
                continue
            }
            let block = BlockShape(title: "lookups.\(kind.key)", schema.arguments)
            for entry in draft.reader.expandedEntries(.yaml(kind.value), in: scope) {
                let address = Address(
                    stack: draft.stack.name, type: ResourceType(rawValue: "lookup.\(kind.key)"), name: entry.key)
                addresses.append(address)
                guard entry.value.isNull || entry.value.entries != nil else {
                    complaints.report(
                        .wrongType(entry.key, entry.value.kindName, .map(.anything), at: entry.value.range))
                    continue
                }
                let body = draft.reader.readBlock(
                    entry.value.entries ?? [], as: block, at: entry.keyRange, in: scope)
                if let arguments = knownArguments(body, complaints) {
                    requests.append(
                        LookupRequest(address: address, kind: kind.key, arguments: arguments, range: entry.keyRange))
                }
            }
        }
        return (requests, addresses)
    }

    /// A lookup is asked before anything is made: nothing in it may be known later. nil after a complaint.
    private func knownArguments(_ body: [LocatedValue.Entry], _ complaints: Complaints) -> [String: Value]? {
        var arguments: [String: Value] = [:]
        var isKnown = true
        for entry in body {
            let value = entry.value.value
            value.visitDeferred { deferred in
                isKnown = false
                complaints.reportUnknown(entry.key, deferred, at: entry.value.range)
            }
            arguments[entry.key] = value
        }
        return isKnown ? arguments : nil
    }

    // MARK: Result

    private func finished(_ workspace: WorkspaceFile, _ drafts: [StackDraft]) -> LoadedWorkspace {
        let stacks = workspace.stacks.map(\.name)
        var uses: [String: [String]] = [:]
        var allowed: [String: Set<Hazard.Kind>] = [:]
        var requests: [LookupRequest] = []
        var addresses: Set<Address> = []
        for stack in stacks {
            uses[stack] = []
            allowed[stack] = Set(workspace.allowed)
        }
        var loaded: [LoadedStack] = []
        for draft in drafts {
            let name = draft.stack.name
            let used = self.uses(of: draft, among: stacks)
            uses[name] = used
            allowed[name]?.formUnion(self.allowed(draft))
            let lookups = lookups(of: draft)
            requests += lookups.requests
            addresses.formUnion(lookups.addresses)
            loaded.append(
                LoadedStack(
                    name: name, spec: draft.spec, region: draft.context.region,
                    account: draft.context.account, variables: draft.table.values(), uses: used,
                    inheritedTags: draft.inheritedTags))
        }
        return LoadedWorkspace(
            name: workspace.name, path: request.workspacePath,
            statePath: FileStore.resolve(workspace.state ?? "state/muster.db", from: request.workspacePath),
            lockPath: FileStore.resolve(workspace.lock ?? "muster.lock", from: request.workspacePath), stacks: stacks,
            configurations: Dictionary(
                workspace.stacks.map { ($0.name, $0.configuration) }, uniquingKeysWith: { first, _ in first }),
            uses: uses, lookups: requests.sorted { $0.address < $1.address }, allowedHazards: allowed,
            files: files.files, reader: reader, sections: sections, catalog: names.catalog, loadedStacks: loaded,
            lookupAddresses: addresses)
    }
}

extension Diagnostic {
    fileprivate static func missingVariable(_ declaration: VariableDeclaration, stacks: [String]) -> Diagnostic {
        let name = declaration.name
        let what = name.quoted + (declaration.description.map { " (\($0))" } ?? "")
        let which =
            stacks.count == 1
            ? "the stack \(stacks[0].quoted)" : "the stacks \(stacks.map(\.quoted).joined(separator: ", "))"
        return Diagnostic(
            code: "spec.missing-variable", summary: "Missing value of a variable",
            detail: "The variable \(what) has no value in \(which).", at: declaration.nameRange,
            hint:
                "Give it by --var \(name)=…, by --var-file, under \"with\" of the stack or under \"variables\" in the "
                + "workspace file, or declare a default. If it is a secret, declare where it is read: "
                + "\"secret: env:NAME\"."
        )
    }

    fileprivate static func unknownVariable(
        _ name: String, _ origin: String, known: Set<String>, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-variable", summary: "Unknown variable",
            detail: origin == "with"
                ? "The spec of the stack has no variable named \(name.quoted), and the workspace has none either."
                : "No stack has a variable named \(name.quoted), which is given by \(origin).",
            at: range, hint: Suggestion.hint(for: name, among: known) ?? "Declare it under \"variables\".")
    }

    fileprivate static func strangerInVariables(
        _ name: String, at range: SourceRange, inner: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-argument", summary: "Unknown argument",
            detail: "A file of shared variables with \"variables\" has nothing else, and here is \(name.quoted).",
            at: range, related: [.init(range: inner, message: "\"variables\" is here")],
            hint: "Move it into \"variables\", or remove the key \"variables\" and give plain values.")
    }

    fileprivate static func unknownLookupKind(_ kind: String, known: [String], at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-lookup", summary: "Unknown lookup",
            detail: "There is no lookup of \(kind.quoted).", at: range,
            hint: Suggestion.hint(for: kind, among: known) ?? "There are \(known.joined(separator: ", ")).")
    }
}
