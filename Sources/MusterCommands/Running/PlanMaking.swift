import Applying
import Diagnostics
import Expressions
import MusterModel
import Planning
import ProviderKit
import Refreshing
import Reporting
import ResourceGraph
import SpecLoading
import StateStorage

/// What a plan is to be about.
struct PlanRequest {
    var only: [String] = []
    var except: [String] = []
    var replace: [String] = []
    var isDestroy = false
    var isRefreshed = true
}

/// A plan with all that it was made from.
struct MadePlan {
    var plan: Plan
    var refusals: [Diagnostic]
    var linked: Workbench.Linked
    var snapshot: Snapshot
    var observations: Observations
    var scopes: [String: ProviderScope]

    /// The plan under its name, and without what must not be kept: the form that is written and applied. It costs a
    /// digest over the whole plan, which a look at it does not need.
    var identifiedPlan: Plan { PlanJSON.identify(plan, hash: Digest.sha256) }
    /// The same with the text of the file.
    var document: (plan: Plan, text: String) { PlanJSON.identifyAndEncode(plan, hash: Digest.sha256) }
}

extension Workbench {
    /// Reads everything and decides.
    ///
    /// - Parameter secretText: resolves a secret in memory; nil: it cannot be read now.
    func makePlan(_ request: PlanRequest) async throws(CommandFailure) -> MadePlan {
        let workspace = try load()
        // What is wrong with the specs is said before the first request.
        let draft = try link(workspace, lookups: nil)
        let state = try await readState(workspace)
        if workspace.lookups.isEmpty {
            _ = try addresses(request.only + request.except + request.replace, draft, state.snapshot)
        }
        var scopes: [String: ProviderScope]
        if request.isRefreshed {
            scopes = try await self.scopes(
                workspace, stacks: stacksInAccounts(workspace, draft, state.snapshot))
            try checkBindings(state.bindings, scopes, workspace)
            try await checkInstallations(state.snapshot)
        } else {
            scopes = offlineScopes(workspace, state.bindings)
        }
        let lookups = try await answerLookups(workspace, scopes: scopes, isOffline: !request.isRefreshed)
        let linked = workspace.lookups.isEmpty ? draft : try link(workspace, lookups: lookups)
        console.report(linked.warnings)

        let replace = try addresses(request.replace, linked, state.snapshot)
        let selection = Selection(
            stacks: options.stacks, only: try addresses(request.only, linked, state.snapshot),
            except: try addresses(request.except, linked, state.snapshot))
        var observations = Observations()
        if request.isRefreshed { observations = try await refresh(linked, state.snapshot, workspace) }
        observations.lookups = lookups
        let secrets = try await secretDigests(linked, state.snapshot)
        let result = Planner.plan(
            PlanningInput(
                workspace: workspace.name, spec: linked.spec, catalog: catalog, snapshot: state.snapshot,
                observations: observations, isRefreshed: request.isRefreshed, scopes: scopes,
                configurations: workspace.configurations, imports: linked.imports, removals: linked.removals,
                moves: linked.moves, selection: selection, replace: replace, isDestroy: request.isDestroy,
                secrets: secrets))
        return MadePlan(
            plan: result.plan, refusals: result.refusals, linked: linked,
            snapshot: state.snapshot, observations: observations, scopes: scopes)
    }

    private func refresh(
        _ linked: Linked, _ snapshot: Snapshot, _ workspace: LoadedWorkspace
    ) async throws(CommandFailure) -> Observations {
        let stacks = options.stacks
        let read = ContinuousClock.now
        let timing = timing
        let console = console
        do {
            return try await Refresher(provider: provider, catalog: catalog).refresh(
                snapshot, spec: linked.spec, imports: linked.imports, configurations: workspace.configurations,
                isWanted: { stacks?.contains($0.stack) ?? true },
                patience: Refresher.Patience(
                    window: { timing.window(for: $0) }, elapsed: { ContinuousClock.now - read },
                    pause: { try? await Task.sleep(for: $0) },
                    tell: { hidden in
                        let names = hidden.map(\.description).joined(separator: ", ")
                        console.talk("Not visible yet, though made a moment ago: \(names). Looking again.\n")
                    }))
        } catch {
            throw CommandFailure(error.error, while: "reading \(error.what)")
        }
    }

    /// What the state and the spec say of accounts and regions, without asking anybody.
    private func offlineScopes(
        _ workspace: LoadedWorkspace, _ bindings: [String: StateBinding]
    ) -> [String: ProviderScope] {
        let fallback = bindings.min { $0.key < $1.key }?.value
        return Dictionary(
            workspace.stacks.map { stack in
                let binding = bindings[stack] ?? fallback
                let region =
                    workspace.configurations[stack]?.region ?? console.environment["AWS_REGION"]
                    ?? console.environment["AWS_DEFAULT_REGION"] ?? ""
                return (
                    stack,
                    ProviderScope(
                        provider: provider.name, account: binding?.account ?? "", region: region,
                        endpoint: binding?.endpoint ?? "")
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: Addresses on the command line

    /// Full addresses, or what is enough to tell a resource apart: `type/name` or a name, or an expanded group.
    func addresses(
        _ texts: [String], _ linked: Linked, _ snapshot: Snapshot
    ) throws(CommandFailure) -> Set<Address> {
        if texts.isEmpty { return [] }
        var result: Set<Address> = []
        var problems: [Diagnostic] = []
        let known = Set(linked.spec.positions.keys).union(snapshot.records.keys)
        for text in texts {
            if let address = Address(text), known.contains(address) {
                result.insert(address)
                continue
            }
            if let address = Address(text), let members = linked.groups[address] {
                result.formUnion(members)
                continue
            }
            let matching = known.filter { $0.name == text || "\($0.type)/\($0.name)" == text }
            let groups = linked.groups.filter { $0.key.name == text || "\($0.key.type)/\($0.key.name)" == text }
            if matching.count == 1 {
                result.formUnion(matching)
            } else if matching.isEmpty, groups.count == 1 {
                result.formUnion(groups.values.flatMap { $0 })
            } else {
                problems.append(.unknownAddress(text, matching: matching.sorted(), known: known))
            }
        }
        if !problems.isEmpty { throw CommandFailure(.failure, problems) }
        return result
    }
}

extension CommandFailure {
    init(_ error: StateError) {
        self.init(
            error.exitStatus,
            [
                Diagnostic(
                    code: "state.\(error.code)", summary: error.summary, detail: error.detail, hint: error.hint)
            ])
        if case .leaseHeld(let held) = error.kind { lease = held }
    }
}

extension Diagnostic {
    fileprivate static func unknownAddress(
        _ text: String, matching: [Address], known: Set<Address>
    ) -> Diagnostic {
        if !matching.isEmpty {
            return Diagnostic(
                code: "usage.ambiguous-address", summary: "Ambiguous address",
                detail: "\(text.quoted) may be \(matching.map(\.description).joined(separator: " or ")).",
                hint: "Write the whole address.")
        }
        return Diagnostic(
            code: "usage.unknown-address", summary: "Unknown address",
            detail: "Neither the spec nor the state has a resource \(text.quoted).",
            hint: Suggestion.hint(
                for: text, among: known.flatMap { [$0.description, "\($0.type)/\($0.name)", $0.name] })
                ?? "An address is written as stack:type/name; \"muster state list\" shows those of the state.")
    }
}
