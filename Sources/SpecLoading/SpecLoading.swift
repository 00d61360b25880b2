// Workspace and specs → definitions, in two phases, so that lookups can be asked of the cloud in between:
//
//     muster.yaml, specs ─ loadWorkspace ─► variables with values, lookups ─ (the caller asks) ─ expand ─► definitions
//
// Every file is read and parsed once; every stack evaluates it with its own values. Reading is driven by schemas alone
// (`SchemaReader`): of sections the loader knows what `[SectionSchema]` says, of types and lookups what the `Catalog`
// says. A part that is wrong is complained about and poisoned (`Poison`), and reading goes on, so that one run reports
// every problem; what hangs on the poisoned part stays silent. A complaint that only some stacks of a spec have says
// which.
//
// Names of resources are not resolved here. A bare name in a field that takes a reference, and a path such as
// `vpc.main.id`, become references that linking resolves against all that was lowered; only their first word is
// checked.
//
// Weak spots: what a definition with `count: 0` says is not checked at all, and a value known only later is checked
// when it is known, by the planner or the cloud.
//
// SpecLoading reads no file (the caller's `SourceReader` does), no environment and no clock, and prints nothing.

package import Diagnostics
package import MusterModel
import YAMLSyntax

/// A workspace after the first phase: every file is parsed, every variable has its value, every lookup is known.
package struct LoadedWorkspace: Sendable {
    /// `workspace:` of the workspace file.
    package let name: String
    /// The path of the workspace file, as shown.
    package let path: String
    /// Where the state lives: the path as `state:` gives it, relative to the workspace file's folder, joined with it.
    package let statePath: String
    /// Where pinned lookups are kept, in the same way.
    package let lockPath: String
    /// The stacks in the order of the workspace file.
    package let stacks: [String]
    /// Per stack (each has an entry): where it lives.
    package let configurations: [String: ProviderConfiguration]
    /// Per stack (each has an entry): the stacks whose names may be used bare.
    package let uses: [String: [String]]
    /// What is to be read before the second phase, sorted by address. A lookup that is wrong is not among them.
    package let lookups: [LookupRequest]
    /// Hazards that `allow:` of the workspace or of a spec allows, per stack (each has an entry).
    package let allowedHazards: [String: Set<Hazard.Kind>]
    /// Every file that was read, each once.
    package let files: [SourceFile]

    let reader: SourceReader
    let sections: [SectionSchema]
    let catalog: Catalog
    let loadedStacks: [LoadedStack]
    /// Also those that are wrong.
    let lookupAddresses: Set<Address>
}

/// What the first phase leaves of a stack to the second.
struct LoadedStack: Sendable {
    let name: String
    let spec: SpecFile
    let region: String?
    let account: String?
    let variables: [String: Value]
    let uses: [String]
    let inheritedTags: [String: Value]
}

/// What a workspace declares: the input of lowering, and all that linking and planning need beside it.
package struct ExpandedWorkspace: Sendable {
    /// By stack in the order of the workspace file, then in the order of the spec.
    package var definitions: [Definition] = []
    package var outputs: [OutputDeclaration] = []
    package var imports: [ImportDeclaration] = []
    package var removals: [RemovalDeclaration] = []
    package var moves: [MovedDeclaration] = []
    /// Every file that was read in both phases, each once.
    package var files: [SourceFile] = []

    package init() {}
}

/// The first phase: reads the workspace file and every stack's spec, gives variables their values and collects lookups.
///
/// There is a workspace beside errors wherever its file could be read at all: `expand` then finds what else is wrong.
/// Nothing may be changed on the ground of a workspace with errors.
package func loadWorkspace(
    _ request: LoadRequest, sections: [SectionSchema], catalog: Catalog, reader: SourceReader
) -> (workspace: LoadedWorkspace?, diagnostics: [Diagnostic]) {
    let loader = WorkspaceLoader(request, sections: sections, catalog: catalog, reader: reader)
    let workspace = loader.load()
    return (workspace, loader.diagnostics)
}

/// The second phase: `count` and `for_each` are expanded, everything is evaluated and checked by its schema.
///
/// Diagnostics of the first phase are not repeated.
///
/// - Parameter lookups: the results that are known, by the address of the lookup; others stay values known later. nil:
///   no lookup was asked yet. Then a `count`, a `for_each` or a name that hangs on one is no complaint, and what it
///   would make is left out: good for finding mistakes only.
package func expand(
    _ workspace: LoadedWorkspace, lookups: [Address: [String: Value]]? = nil
) -> (expanded: ExpandedWorkspace, diagnostics: [Diagnostic]) {
    let general = Complaints()
    let files = FileStore(workspace.reader, files: workspace.files)
    let templates = Templates(files, workspace: workspace.path, general)
    let shapes = Shapes(sections: workspace.sections, catalog: workspace.catalog)
    var names = KnownNames(sections: workspace.sections, catalog: workspace.catalog)
    names.stacks = workspace.stacks
    names.lookups = workspace.lookupAddresses
    names.results = lookups ?? [:]

    var expanded = ExpandedWorkspace()
    var complaints: [Complaints.OfStack] = []
    for stack in workspace.loadedStacks {
        let own = Complaints(isBeforeLookups: lookups == nil)
        complaints.append(Complaints.OfStack(own, spec: stack.spec.file, name: stack.name))
        let context = StackContext(
            name: stack.name, workspace: workspace.name, region: stack.region, account: stack.account,
            variables: VariableTable(values: stack.variables), names: names)
        context.uses = stack.uses
        let expansion = StackExpansion(
            stack: stack, workspace: workspace, shapes: shapes,
            reader: SchemaReader(complaints: own, templates: templates),
            scope: Scope(stack: context, reach: .everything))
        expansion.run(into: &expanded)
    }
    expanded.files = files.files
    return (expanded, (general.diagnostics + Complaints.merged(complaints)).sortedByPlace())
}

/// The second phase of one stack.
private struct StackExpansion {
    let stack: LoadedStack
    let workspace: LoadedWorkspace
    let shapes: Shapes
    let reader: SchemaReader
    let scope: Scope

    func run(into expanded: inout ExpandedWorkspace) {
        let definitions = DefinitionReader(
            reader: reader, shapes: shapes, scope: scope, inheritedTags: stack.inheritedTags)
        for part in stack.spec.sections { definitions.read(part.node, section: part.name) }
        if let node = stack.spec.parts["resources"] { readResources(node, definitions) }
        expanded.definitions += definitions.definitions

        let statements = StatementReader(
            reader: reader, scope: scope,
            addresses: AddressText(
                catalog: workspace.catalog,
                principalTypes: Dictionary(
                    workspace.sections.compactMap { section in
                        section.principalTypes.first.map { (section.name, $0) }
                    }, uniquingKeysWith: { first, _ in first }), stack: stack.name, stacks: workspace.stacks))
        expanded.outputs += statements.outputs(stack.spec.parts["outputs"])
        expanded.imports += statements.imports(stack.spec.parts["import"])
        expanded.moves += statements.moves(stack.spec.parts["moved"])
        expanded.removals += statements.removals(stack.spec.parts["removed"])
    }

    private func readResources(_ node: YAMLNode, _ definitions: DefinitionReader) {
        if node.isNull { return }
        guard let types = node.mapping else {
            reader.complaints.report(
                .wrongType("resources", Node.yaml(node).kindName, .map(.anything), at: node.range))
            return
        }
        for type in types {
            guard workspace.catalog[ResourceType(rawValue: type.key)] != nil else {
                let known = workspace.catalog.types.map(\.rawValue)
                reader.complaints.report(.unknownResourceType(type.key, known: known, at: type.keyRange))
                continue
            }
            definitions.read(type.value, section: type.key)
        }
    }
}
