// Workspace and specs → declarations, in two phases: lookups can be asked of the cloud in between.
//
// Nothing here reads a file, the environment or a clock: files come through `SourceReader`.

package import MusterModel
package import Diagnostics

/// A workspace after the first phase: every file is parsed, every variable has its value, every lookup is known.
package struct LoadedWorkspace: Sendable {
    /// `workspace:` of the workspace file.
    package var name: String
    /// The path of the workspace file, as shown.
    package var path: String
    /// Where the state lives: the path as `state:` gives it, relative to the workspace file's folder, joined with it.
    package var statePath: String
    /// Where pinned lookups are kept, in the same way.
    package var lockPath: String
    /// The stacks in the order of the workspace file.
    package var stacks: [String]
    /// Per stack: where it lives.
    package var configurations: [String: ProviderConfiguration]
    /// Per stack (each has an entry): the stacks whose names may be used bare.
    package var uses: [String: [String]]
    /// What is to be read before the second phase, sorted by address.
    package var lookups: [LookupRequest]
    /// Hazards that `allow:` of the workspace or of a spec allows, per stack (each has an entry).
    package var allowedHazards: [String: Set<Hazard.Kind>]
    /// Every file that was read, each once.
    package var files: [SourceFile]
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
}

/// The first phase: reads the workspace file and every stack's spec, gives variables their values and collects lookups.
///
/// There is a workspace beside errors wherever its file could be read at all: `expand` then finds what else is wrong.
package func loadWorkspace(
    _ request: LoadRequest, sections: [SectionSchema], catalog: Catalog, reader: SourceReader
) -> (workspace: LoadedWorkspace?, diagnostics: [Diagnostic]) {
    (nil, [])
}

/// The second phase: `count` and `for_each` are expanded, everything is evaluated and checked by its schema.
///
/// Diagnostics of the first phase are not repeated.
///
/// - Parameter lookups: the results that are known, by the address of the lookup; others stay values known later.
package func expand(
    _ workspace: LoadedWorkspace, lookups: [Address: [String: Value]] = [:]
) -> (expanded: ExpandedWorkspace, diagnostics: [Diagnostic]) {
    (ExpandedWorkspace(), [])
}
