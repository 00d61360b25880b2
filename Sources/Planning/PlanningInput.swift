package import Diagnostics
package import MusterModel
package import ResourceGraph

/// Everything a plan depends on: the same input gives the same plan.
package struct PlanningInput: Sendable {
    package var workspace: String
    package var spec: LinkedSpec
    package var catalog: Catalog
    package var snapshot: Snapshot
    package var observations: Observations
    /// False when the cloud was not asked: the state is then taken for what is there.
    package var isRefreshed: Bool
    /// The scope of each stack of the workspace.
    package var scopes: [String: ProviderScope]
    package var configurations: [String: ProviderConfiguration]
    package var imports: [ImportDeclaration]
    package var removals: [RemovalDeclaration]
    /// New address → old address.
    package var moves: [Address: Address]
    package var selection: Selection
    /// Resources that are replaced although nothing asks for it.
    package var replace: Set<Address>
    /// Delete what is selected instead of making it.
    package var isDestroy: Bool
    package var secrets: SecretDigests

    package init(
        workspace: String, spec: LinkedSpec, catalog: Catalog, snapshot: Snapshot,
        observations: Observations = Observations(), isRefreshed: Bool = true, scopes: [String: ProviderScope],
        configurations: [String: ProviderConfiguration] = [:], imports: [ImportDeclaration] = [],
        removals: [RemovalDeclaration] = [], moves: [Address: Address] = [:], selection: Selection = Selection(),
        replace: Set<Address> = [], isDestroy: Bool = false, secrets: SecretDigests
    ) {
        self.workspace = workspace
        self.spec = spec
        self.catalog = catalog
        self.snapshot = snapshot
        self.observations = observations
        self.isRefreshed = isRefreshed
        self.scopes = scopes
        self.configurations = configurations
        self.imports = imports
        self.removals = removals
        self.moves = moves
        self.selection = selection
        self.replace = replace
        self.isDestroy = isDestroy
        self.secrets = secrets
    }
}

/// Which resources a run is about.
package struct Selection: Sendable, Hashable {
    /// nil: every stack.
    package var stacks: Set<String>?
    /// Empty: all; else these and what they depend on.
    package var only: Set<Address>
    package var except: Set<Address>

    package init(stacks: Set<String>? = nil, only: Set<Address> = [], except: Set<Address> = []) {
        self.stacks = stacks
        self.only = only
        self.except = except
    }

    /// True when nothing is left out.
    package var isEverything: Bool { stacks == nil && only.isEmpty && except.isEmpty }
}

/// A plan, and what speaks against applying it.
package struct PlanningResult: Sendable {
    package var plan: Plan
    /// Errors: protections and impossible selections; a plan with an error is shown and never applied.
    package var refusals: [Diagnostic]
}

extension PlanningInput {
    /// Where an object that is to be made will live: where the stack's credentials lead, or, for a provider whose objects
    /// name their installation themselves, where the object will tell.
    func scope(of address: Address) -> ProviderScope {
        let provider = address.type.provider
        if let scope = scopes[address.stack], scope.provider == provider { return scope }
        return ProviderScope(provider: provider, account: "", region: "", endpoint: "")
    }
}
