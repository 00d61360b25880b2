import MusterModel
import ProviderKit
import StateStorage

/// One step under way.
struct StepAttempt: Sendable {
    let runner: StepRunner
    let step: Step
    let started: Duration
    let trace: CallTrace
    let shared: SharedCall?

    var environment: ApplyEnvironment { runner.environment }
    var storage: any StateStorage { runner.environment.storage }
    var ledger: Ledger { runner.ledger }
    var timing: ApplyTiming { runner.environment.timing }
    var elapsed: Duration { runner.stopwatch.now - started }
    var access: Access { runner.check.access(for: step.address.stack, step.scope) }

    /// Arguments in the forms in which they are sent, kept and compared.
    struct Values: Sendable {
        var sent: [String: Value]
        var kept: [String: Value]
        var digests: [String: String]
    }

    func values(of arguments: [String: Value], _ schema: ResourceSchema) async throws(StepStop) -> Values {
        let evaluated: Ledger.Evaluated
        do {
            evaluated = try await ledger.evaluate(arguments.filter { $0.value != .null })
        } catch {
            throw .failure(error)
        }
        var values = Values(sent: evaluated.sent, kept: evaluated.kept, digests: [:])
        for (name, value) in evaluated.sent {
            let isSensitive = schema.argument(name)?.isSensitive ?? false
            let isTainted = !(evaluated.kept[name]?.isKnown ?? true)
            guard isSensitive || isTainted else { continue }
            values.digests[name] = environment.digest(value)
            if !isTainted { values.kept[name] = nil }
        }
        return values
    }

    func schema() throws(StepStop) -> ResourceSchema {
        guard let schema = environment.catalog[step.address.type] else { throw .failure(.unknownType(step)) }
        return schema
    }

    /// In a session of its own, so that nothing remembered is taken for what is.
    func handler() async throws(ProviderError) -> any ResourceHandler { try await handler(in: session()) }

    /// Asks for the lease before it sends a change.
    func session() async throws(ProviderError) -> any ProviderSession {
        let keeper = runner.keeper
        return try await environment.session(access.scope, access.configuration, [:]).asking { await keeper.areHeld }
    }

    func handler(in session: any ProviderSession) throws(ProviderError) -> any ResourceHandler {
        guard let handler = session.handler(for: step.address.type) else { throw .unknownType(step.address.type) }
        return handler
    }

    func group(_ purpose: ObjectReader.Purpose) -> ObjectReader.Group {
        ObjectReader.Group(access: access, type: step.address.type, purpose: purpose)
    }
}
