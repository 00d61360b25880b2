// From a command line to a plan: the layers in their order, each asked once.
//
//     load → lookups → expand → lower → link → refresh → plan
//
// This is the shell around the pure core: it reads files, the environment and the clock, and hands them in.

import Diagnostics
import Expressions
import Lowering
import MusterModel
import Planning
import ProviderKit
import Refreshing
import ResourceGraph
import SpecLoading
import SpotProvider
import StateStorage

/// What one invocation works with.
struct Workbench {
    let console: Console
    let options: ScopeOptions
    let provider: ProviderSet
    let catalog: Catalog

    init(console: Console, options: ScopeOptions, provider: ProviderSet) {
        self.console = console
        self.options = options
        self.provider = provider
        catalog = provider.catalog
    }

    /// A workspace whose references are all resolved.
    struct Linked {
        var workspace: LoadedWorkspace
        var spec: LinkedSpec
        var imports: [ImportDeclaration]
        var removals: [RemovalDeclaration]
        var moves: [Address: Address]
        var groups: [Address: [Address]]
        var warnings: [Diagnostic]
    }

    // MARK: Loading

    /// The workspace for what needs only its state: specs may be wrong and values missing.
    func loadForState() throws(CommandFailure) -> LoadedWorkspace {
        let loaded = try read()
        guard let workspace = loaded.workspace else { throw CommandFailure(.failure, loaded.diagnostics) }
        try checkStacks(workspace)
        return workspace
    }

    private func read() throws(CommandFailure) -> (workspace: LoadedWorkspace?, diagnostics: [Diagnostic]) {
        let path = try WorkspaceFiles.find(options.directory)
        let request = LoadRequest(
            workspacePath: path, variables: try options.givenVariables(), variableFiles: options.variableFiles,
            fallbackRegion: console.environment["AWS_REGION"] ?? console.environment["AWS_DEFAULT_REGION"])
        return loadWorkspace(
            request, sections: Lowering.sections, catalog: catalog, reader: WorkspaceFiles.reader)
    }

    func load() throws(CommandFailure) -> LoadedWorkspace {
        let loaded = try read()
        guard let workspace = loaded.workspace else { throw CommandFailure(.failure, loaded.diagnostics) }
        if loaded.diagnostics.hasErrors {
            // What the next phases find belongs to the same answer, but what is missing may stand where nothing was read.
            let more = lower(workspace, lookups: [:]).diagnostics
            let isMissing = { (code: String) in ["spec.unknown-reference", "spec.hosted-zone"].contains(code) }
            throw CommandFailure(.failure, loaded.diagnostics + more.filter { !isMissing($0.code) })
        }
        console.report(loaded.diagnostics)
        try checkStacks(workspace)
        return workspace
    }

    private func checkStacks(_ workspace: LoadedWorkspace) throws(CommandFailure) {
        let unknown = (options.stacks ?? []).subtracting(workspace.stacks).sorted()
        if unknown.isEmpty { return }
        throw CommandFailure(
            .failure,
            unknown.map { name in
                Diagnostic(
                    code: "usage.stack", summary: "Unknown stack",
                    detail: "The workspace has no stack named \(name.quoted).",
                    hint: Suggestion.hint(for: name, among: workspace.stacks)
                        ?? "Its stacks are \(workspace.stacks.joined(separator: ", ")).")
            })
    }

    /// Everything from expanding to linking; all problems at once.
    ///
    /// - Parameters:
    ///   - lookups: nil: they were not asked yet, and what hangs on them is no complaint.
    ///   - outputs: values that are linked beside the outputs of the stacks.
    func link(
        _ workspace: LoadedWorkspace, lookups: [Address: [String: Value]]?, adding outputs: [OutputDeclaration] = []
    ) throws(CommandFailure) -> Linked {
        let result = analyse(workspace, lookups: lookups, adding: outputs)
        guard let linked = result.linked, !result.diagnostics.hasErrors else {
            throw CommandFailure(.failure, result.diagnostics)
        }
        return linked
    }

    private func lower(
        _ workspace: LoadedWorkspace, lookups: [Address: [String: Value]]?
    ) -> (expanded: ExpandedWorkspace, declarations: [Declaration], diagnostics: [Diagnostic]) {
        let (expanded, expanding) = expand(workspace, lookups: lookups)
        let fallback = console.environment["AWS_REGION"] ?? console.environment["AWS_DEFAULT_REGION"]
        let regions = workspace.configurations.compactMapValues { $0.region ?? fallback }
        let (declarations, lowering) = Lowering.lower(
            expanded.definitions, lookups: workspace.lookups, uses: workspace.uses, regions: regions, catalog: catalog)
        return (expanded, declarations, expanding + lowering)
    }

    func analyse(
        _ workspace: LoadedWorkspace, lookups: [Address: [String: Value]]?, adding outputs: [OutputDeclaration] = []
    ) -> (linked: Linked?, diagnostics: [Diagnostic]) {
        let (expanded, declarations, lowering) = lower(workspace, lookups: lookups)
        var set = DeclarationSet(
            declarations: declarations, outputs: expanded.outputs + outputs, imports: expanded.imports,
            removals: expanded.removals, lookups: workspace.lookups, uses: workspace.uses,
            configurations: workspace.configurations)
        set.imports = expanded.imports
        let groups = groups(expanded.definitions, declarations)
        var diagnostics = lowering
        let linking = Linker.link(set, catalog: catalog, sections: Lowering.sections, groups: groups)
        diagnostics += linking.diagnostics
        guard let spec = linking.spec else { return (nil, diagnostics) }
        let moves = Dictionary(
            expanded.moves.map { ($0.to, $0.from) }, uniquingKeysWith: { first, _ in first })
        return (
            Linked(
                workspace: workspace, spec: spec, imports: expanded.imports, removals: expanded.removals,
                moves: moves, groups: groups,
                warnings: diagnostics.filter { $0.severity != .error }), diagnostics
        )
    }

    /// The members of what `count` and `for_each` expanded.
    private func groups(_ definitions: [Definition], _ declarations: [Declaration]) -> [Address: [Address]] {
        let principals = Dictionary(
            Lowering.sections.map { ($0.name, $0.principalTypes) }, uniquingKeysWith: { first, _ in first })
        let declared = Set(declarations.map(\.address))
        var groups: [Address: [Address]] = [:]
        for definition in definitions where definition.index != nil {
            for type in principals[definition.section] ?? [ResourceType(rawValue: definition.section)] {
                let member = Address(stack: definition.stack, type: type, name: definition.name)
                guard declared.contains(member) else { continue }
                groups[Address(stack: definition.stack, type: type, name: definition.group), default: []]
                    .append(member)
            }
        }
        return groups
    }

    // MARK: State

    func statePath(_ workspace: LoadedWorkspace) -> String {
        console.environment["MUSTER_STATE"].flatMap { $0.isEmpty ? nil : $0 } ?? workspace.statePath
    }

    func lockPath(_ workspace: LoadedWorkspace) -> String {
        console.environment["MUSTER_LOCK"].flatMap { $0.isEmpty ? nil : $0 } ?? workspace.lockPath
    }

    // MARK: Scopes

    /// The stacks that live in an account: all but those with objects of other installations alone.
    func stacksInAccounts(_ workspace: LoadedWorkspace, _ linked: Linked, _ snapshot: Snapshot) -> [String] {
        var inside = Set(workspace.lookups.map(\.address.stack))
        var outside: Set<String> = []
        func note(_ address: Address) {
            if inside.contains(address.stack) { return }
            if address.type.provider == provider.name {
                inside.insert(address.stack)
            } else {
                outside.insert(address.stack)
            }
        }
        for declaration in linked.spec.declarations { note(declaration.address) }
        for address in snapshot.records.keys { note(address) }
        return workspace.stacks.filter { inside.contains($0) || !outside.contains($0) }
    }

    /// State belongs to an installation: another server at the address of a known one, or the sandbox in its place, must
    /// not read as "everything is gone". One question per server.
    func checkInstallations(_ snapshot: Snapshot) async throws(CommandFailure) {
        var asked: [String: ProviderScope] = [:]
        for (address, record) in snapshot.records.sorted(by: { $0.key < $1.key }) {
            guard address.type.provider != provider.name, !record.scope.account.isEmpty,
                options.stacks?.contains(address.stack) ?? true
            else { continue }
            let server = (record.arguments["server"] ?? record.arguments["url"])?.string ?? ""
            let present: ProviderScope
            if let known = asked["\(record.scope.provider) \(server)"] {
                present = known
            } else {
                do throws(ProviderError) {
                    present = try await provider.installation(of: record)
                } catch {
                    throw CommandFailure(error, while: "asking which server this is (\(address))")
                }
                asked["\(record.scope.provider) \(server)"] = present
            }
            if present.endpoint != record.scope.endpoint {
                throw CommandFailure(.refused, [.otherServerAddress(address, record.scope, present)])
            }
            if present.account != record.scope.account {
                throw CommandFailure(.refused, [.otherInstallation(address, record.scope, present)])
            }
        }
    }

    /// Whose credentials each stack uses; one question per set of credentials.
    func scopes(
        _ workspace: LoadedWorkspace, stacks: some Sequence<String>
    ) async throws(CommandFailure) -> [String: ProviderScope] {
        var known: [ProviderConfiguration: ProviderScope] = [:]
        var scopes: [String: ProviderScope] = [:]
        for stack in stacks {
            let configuration = workspace.configurations[stack] ?? ProviderConfiguration()
            var credentials = configuration
            credentials.region = nil
            credentials.account = nil
            var scope: ProviderScope
            if let asked = known[credentials] {
                scope = asked
                if let region = configuration.region { scope.region = region }
            } else {
                var question = configuration
                question.account = nil
                do {
                    scope = try await provider.scope(for: question)
                } catch {
                    throw CommandFailure(error, while: "asking whose credentials these are (stack \(stack.quoted))")
                }
                known[credentials] = scope
            }
            if let account = configuration.account, account != scope.account {
                throw CommandFailure(.refused, [.notTheAccount(stack, account, scope)])
            }
            scopes[stack] = scope
        }
        return scopes
    }

    /// State belongs to an account and an endpoint: other credentials, or the sandbox's endpoint on real state, must
    /// not read as "everything is gone".
    func checkBindings(
        _ bindings: [String: StateBinding], _ scopes: [String: ProviderScope], _ workspace: LoadedWorkspace
    ) throws(CommandFailure) {
        for (stack, scope) in scopes.sorted(by: { $0.key < $1.key }) {
            let configuration = workspace.configurations[stack] ?? ProviderConfiguration()
            let isExplicit =
                configuration.account != nil || configuration.profile != nil || configuration.assumeRole != nil
            let binding = bindings[stack]
            let reference = binding ?? bindings.min { $0.key < $1.key }?.value
            guard let reference else { continue }
            if reference.endpoint != scope.endpoint {
                throw CommandFailure(.refused, [.otherEndpoint(stack, reference, scope)])
            }
            if reference.account != scope.account, binding != nil || !isExplicit {
                throw CommandFailure(.refused, [.otherAccount(stack, reference, scope)])
            }
        }
    }

    // MARK: Lookups

    /// Answers every lookup: pinned ones from the lock, others from the cloud, or all from the lock.
    func answerLookups(
        _ workspace: LoadedWorkspace, scopes: [String: ProviderScope], isOffline: Bool
    ) async throws(CommandFailure) -> [Address: [String: Value]] {
        let wanted = workspace.lookups.filter { scopes[$0.address.stack] != nil }
        if wanted.isEmpty { return [:] }
        var lock = try LookupLock.read(lockPath(workspace))
        var answers: [Address: [String: Value]] = [:]
        var problems: [Diagnostic] = []
        // One look for all that share credentials and region: a listing that several lookups need is fetched once.
        var sessions: [ProviderConfiguration: any ProviderSession] = [:]
        for request in wanted {
            guard let scope = scopes[request.address.stack] else { continue }
            let isPinned = catalog.lookup(request.kind)?.isPinned ?? false
            if isPinned || isOffline, let answer = lock.answer(to: request, in: scope) {
                answers[request.address] = answer
                continue
            }
            if isOffline {
                problems.append(.lookupNotPinned(request))
                continue
            }
            do {
                let configuration = workspace.configurations[request.address.stack] ?? ProviderConfiguration()
                let session: any ProviderSession
                if let known = sessions[configuration] {
                    session = known
                } else {
                    session = try await provider.session(for: configuration, expecting: [:])
                    sessions[configuration] = session
                }
                let answer = try await session.lookup(request.kind, request.arguments)
                answers[request.address] = answer
                lock.remember(answer, to: request, in: scope)
                if isPinned {
                    console.talk("Pinned \(request.address) in \(lock.path).\n")
                }
            } catch {
                problems += CommandFailure(error, while: "looking up \(request.address)", at: request.range).diagnostics
            }
        }
        if !problems.isEmpty { throw CommandFailure(.failure, problems) }
        if lock.isChanged { try lock.write() }
        return answers
    }
}

extension CommandFailure {
    /// A remote failure in a command: what was tried, what came back, and whose fault it is.
    init(_ error: ProviderError, while activity: String, at range: SourceRange? = nil) {
        let isConfiguration = error.code == "configuration"
        var facts = [isConfiguration ? nil : error.code, error.operation].compactMap { $0 }
        if let id = error.requestID { facts.append("request \(id)") }
        let suffix = facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))"
        self.init(
            error.kind == .badCredentials ? .credentials : .failure,
            [
                Diagnostic(
                    code: "remote.\(error.kind.rawValue)",
                    summary: isConfiguration && error.kind == .invalid
                        ? "The AWS configuration cannot be used" : CommandFailure.summary(of: error.kind),
                    detail: "While \(activity): \(error.message)\(suffix)", at: range, hint: error.hint)
            ])
    }

    private static func summary(of kind: ProviderError.Kind) -> String {
        switch kind {
        case .notFound: "Not found"
        case .alreadyExists: "The name is taken"
        case .inUse: "Still in use"
        case .notYetVisible: "Not visible yet"
        case .throttled: "Too many requests"
        case .notPermitted: "No permission"
        case .badCredentials: "No usable credentials"
        case .invalid: "The request was refused"
        case .quota: "A limit is reached"
        case .unavailable: "The service failed"
        case .outcomeUnknown: "The outcome is not known"
        case .network: "The service could not be reached"
        case .notUnderstood: "The answer does not come from the service"
        }
    }
}

extension ProviderScope {
    /// The variable that names another place for the provider.
    fileprivate var endpointVariable: String {
        provider == SpotProvider.providerName ? "SPOTINST_ENDPOINT_URL" : "RANCHER_URL"
    }
}

extension Diagnostic {
    fileprivate static func otherEndpoint(
        _ stack: String, _ binding: StateBinding, _ scope: ProviderScope
    ) -> Diagnostic {
        Diagnostic(
            code: "state.other-endpoint", summary: "The state belongs to another endpoint",
            detail:
                "The state was made against \(binding.endpoint.quoted), and this run would talk to \(scope.endpoint.quoted). Everything would look as if it were gone.",
            hint: "Set the endpoint back (AWS_ENDPOINT_URL), or name another state file with MUSTER_STATE.")
    }

    fileprivate static func otherAccount(
        _ stack: String, _ binding: StateBinding, _ scope: ProviderScope
    ) -> Diagnostic {
        Diagnostic(
            code: "state.other-account", summary: "The state belongs to another account",
            detail:
                "The stack \(stack.quoted) lives in the account \(binding.account), and these credentials belong to \(scope.account).",
            hint: "Use the credentials of \(binding.account) (AWS_PROFILE), or name another state file.")
    }

    fileprivate static func otherServerAddress(
        _ address: Address, _ bound: ProviderScope, _ present: ProviderScope
    ) -> Diagnostic {
        func place(_ scope: ProviderScope) -> String {
            scope.endpoint == scope.provider
                ? "the server that the spec names" : "\(scope.endpoint) (\(scope.endpointVariable))"
        }
        return Diagnostic(
            code: "state.other-endpoint", summary: "The state belongs to another endpoint",
            detail: "\(address) was made at \(place(bound)), and this run would talk to \(place(present)). "
                + "Everything would look as if it were gone.",
            hint: "Set \(present.endpointVariable) as it was, or name another state file with MUSTER_STATE.")
    }

    fileprivate static func otherInstallation(
        _ address: Address, _ bound: ProviderScope, _ present: ProviderScope
    ) -> Diagnostic {
        if present.provider == SpotProvider.providerName {
            return Diagnostic(
                code: "state.other-account", summary: "The state belongs to another account",
                detail: "\(address) lives in the account \(bound.account) of Spot, and this run would look in "
                    + "\(present.account).",
                hint: "Set SPOTINST_ACCOUNT as it was, or name another state file with MUSTER_STATE.")
        }
        return Diagnostic(
            code: "state.other-account", summary: "The state belongs to another installation",
            detail: "\(address) lives in the Rancher installation \(bound.account), and the one that answers at its "
                + "address is \(present.account).",
            hint:
                "Look at the address of the server. An account that may not read the server's identity is told by its "
                + "address: use a key of the same kind as before.")
    }

    fileprivate static func notTheAccount(
        _ stack: String, _ account: String, _ scope: ProviderScope
    ) -> Diagnostic {
        Diagnostic(
            code: "credentials.other-account", summary: "The credentials belong to another account",
            detail:
                "The stack \(stack.quoted) is to live in the account \(account), and these credentials belong to \(scope.account).",
            hint: "Use the credentials of \(account) (AWS_PROFILE).")
    }

    fileprivate static func lookupNotPinned(_ request: LookupRequest) -> Diagnostic {
        Diagnostic(
            code: "lookup.not-pinned", summary: "A lookup has no pinned answer",
            detail: "\(request.address) was never answered here, and --no-refresh sends no request.",
            at: request.range, hint: "Run \"muster plan\" once without --no-refresh.")
    }
}
