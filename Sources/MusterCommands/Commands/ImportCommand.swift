import ArgumentParser
import Diagnostics
import MusterModel
import Planning
import ProviderKit
import Reporting
import ResourceGraph
import SpecLoading

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Adopt an object that exists.",
        discussion: """
            The object is read, the spec lines that describe it are printed, and when the address is declared, it is \
            adopted. Nothing about the object changes; "muster plan" shows what would.
            """)

    @OptionGroup var scope: ScopeOptions
    @Argument(help: "The address, such as prod/vpc:aws.vpc/main.") var address: String
    @Argument(help: "The id in the cloud, such as vpc-0a1b2c3d.") var id: String

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let workbench = try Workbench.make(console, scope)
            guard let address = Address(address) else { throw CommandFailure.malformedAddress(address) }
            return try await workbench.adopt(address, id)
        }
    }
}

extension Workbench {
    fileprivate func adopt(_ address: Address, _ id: String) async throws(CommandFailure) -> ExitStatus {
        let workspace = try load()
        let schema = try schema(of: address, in: workspace)
        let state = try await readState(workspace)
        if let record = state.snapshot.records[address] {
            throw CommandFailure(
                .refused, code: "import.taken", summary: "The address is taken",
                detail: "\(address) is \(record.id) already.", hint: "\"muster state rm\" forgets it first.")
        }
        // What lives elsewhere needs no credentials of the stack, unless a lookup of it does.
        let isAtHome = address.type.provider == provider.name
        let isAsking = isAtHome || workspace.lookups.contains { $0.address.stack == address.stack }
        let scopes = try await scopes(workspace, stacks: isAsking ? [address.stack] : [])
        try checkBindings(state.bindings, scopes, workspace)
        let (remoteID, observation) = try await read(
            schema, id, workspace.configurations[address.stack] ?? ProviderConfiguration())
        if let owner = state.snapshot.records.values.first(where: {
            $0.id == remoteID && $0.address.type == address.type
        }) {
            throw CommandFailure(
                .refused, code: "import.managed", summary: "The object is managed already",
                detail: "\(remoteID) is \(owner.address).")
        }
        let lookups = try await answerLookups(workspace, scopes: scopes, isOffline: false)
        let linked: Linked
        do throws(CommandFailure) {
            linked = try link(workspace, lookups: lookups)
        } catch {
            console.write(SpecLines.yaml(schema, name: address.name, observation.arguments))
            throw error
        }
        guard let position = linked.spec.positions[address] else {
            console.write(SpecLines.yaml(schema, name: address.name, observation.arguments))
            console.talk(
                "\nNot adopted: \(address) is not declared. Add the lines above to its spec and run the import again.\n"
            )
            return .failure
        }
        guard let scope = observation.scope ?? scopes[address.stack] else { return .failure }
        let declaration = linked.spec.declarations[position]
        let told = withoutSecrets(observation.arguments, schema, declaration)
        console.write(SpecLines.yaml(schema, name: address.name, told))
        let adopted = ownedArguments(observation, schema, declaration)
        var plan = Plan(workspace: workspace.name, lineage: state.snapshot.lineage)
        plan.changes = [
            ResourceChange(address: address, action: .adopt, reason: .importBlock, id: remoteID)
        ]
        plan.steps = [
            Step(
                id: 0, address: address, operation: .adopt, target: remoteID, desired: adopted, prior: adopted,
                version: state.snapshot.versions[address] ?? 0, scope: scope,
                timeouts: schema.timeouts)
        ]
        plan.scopes = scopes
        plan.configurations = workspace.configurations.filter { $0.key == address.stack }
        return try await apply(plan, workspace, scopes: scopes, ApplyRequest(isApproved: true))
    }

    /// The type of an address that can be imported to.
    private func schema(of address: Address, in workspace: LoadedWorkspace) throws(CommandFailure) -> ResourceSchema {
        guard let schema = catalog[address.type] else {
            throw CommandFailure(
                code: "usage.type", summary: "Unknown resource type", detail: "There is no type \(address.type).",
                hint: Suggestion.hint(for: address.type.rawValue, among: catalog.types.map(\.rawValue)))
        }
        guard workspace.stacks.contains(address.stack) else {
            throw CommandFailure(
                code: "usage.stack", summary: "Unknown stack",
                detail: "The workspace has no stack \(address.stack.quoted).",
                hint: Suggestion.hint(for: address.stack, among: workspace.stacks))
        }
        return schema
    }

    /// What is there, without what the spec takes from a secret, in whichever argument AWS tells it back.
    private func withoutSecrets(
        _ arguments: [String: Value], _ schema: ResourceSchema, _ declaration: Declaration
    ) -> [String: Value] {
        var told = arguments
        for (name, value) in declaration.arguments where value.isTainted {
            told[name] = nil
            guard let argument = schema.argument(name) else { continue }
            for other in schema.arguments where argument.excludes(other.name) || other.excludes(name) {
                told[other.name] = nil
            }
        }
        return told
    }

    /// What is there of what the spec says, without the tags that it does not name: those of others stay theirs. What
    /// hangs on a secret stays an expression, and is compared by its digest.
    private func ownedArguments(
        _ observation: Observation, _ schema: ResourceSchema, _ declaration: Declaration
    ) -> [String: Value] {
        var owned: [String: Value] = [:]
        for (name, value) in declaration.arguments where value != .null {
            owned[name] = value.isTainted ? value : observation.arguments[name]
        }
        for argument in schema.arguments where argument.semantics == .tags {
            guard case .map(let tags)? = owned[argument.name] else { continue }
            let declared = declaration.arguments[argument.name]
            if case .deferred? = declared { continue }
            owned[argument.name] = .map(tags.filter { declared?.map?[$0.key] != nil })
        }
        return owned
    }

    private func read(
        _ schema: ResourceSchema, _ text: String, _ configuration: ProviderConfiguration
    ) async throws(CommandFailure) -> (RemoteID, Observation) {
        do throws(ProviderError) {
            let session = try await provider.session(for: configuration, expecting: [:])
            guard let handler = session.handler(for: schema.type) else {
                throw ProviderError(.invalid, "The type cannot be read.")
            }
            let id = try await handler.importID(text)
            let known = KnownObject(id: id, declared: Set(schema.arguments.map(\.name)))
            guard let observation = try await handler.read([known])[id] else {
                throw ProviderError(
                    .notFound, "There is no \(schema.type) with the id \(text.quoted) in this account and region.",
                    hint: "An id is written as \(schema.importSyntax).")
            }
            return (id, observation)
        } catch {
            throw CommandFailure(error, while: "reading \(text)")
        }
    }
}
