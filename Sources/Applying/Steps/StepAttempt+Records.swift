import MusterModel
import ProviderKit
import StateStorage

// Steps without a call: they change rows alone.

extension StepAttempt {
    func adopt() async throws(StepStop) -> RemoteID {
        let schema = try schema()
        guard let target = step.target else { throw .failure(.missingRow(step)) }
        let values = try await values(of: step.desired, schema)
        guard let seen = try await runner.check.look(again: step, at: runner.stopwatch.now) else {
            throw .failure(.changedMeanwhile(step, "\(target) is not there."))
        }
        // What is there is recorded, not what is wanted: if they differ, an update follows.
        var arguments = values.kept
        for (name, value) in values.kept where value.isKnown && !(schema.argument(name)?.isSensitive ?? false) {
            if let live = seen.arguments[name], schema.argument(name)?.semantics != .tags { arguments[name] = live }
        }
        var digests: [String: String] = [:]
        for name in values.digests.keys {
            digests[name] = seen.arguments[name].map(environment.digest)
            if digests[name] == nil { arguments[name] = nil }
        }
        let record = ResourceRecord(
            address: step.address, id: target, scope: seen.scope ?? step.scope, arguments: arguments,
            outputs: await ledger.withoutSecrets(seen.outputs), digests: digests,
            isProtected: step.isProtected, generation: step.generation, dependencies: step.dependencies)
        try await self.record(.adopted(record), record, StepResult(.done))
        return target
    }

    func forget() async throws(StepStop) -> RemoteID? {
        if step.isDeposed, let target = step.target {
            try await record(.deposedDeleted(step.address, target), nil, StepResult(.done))
        } else {
            try await record(.forgotten(step.address), nil, StepResult(.done))
        }
        return step.target
    }

    func move() async throws(StepStop) -> RemoteID? {
        guard let from = step.previousAddress, var record = await ledger.record(from) else {
            throw .failure(.missingRow(step))
        }
        record.address = step.address
        let version = await ledger.version(from)
        try await self.record(.moved(from: from, record), record, StepResult(.done), expected: version)
        await ledger.noteGone(from, version: version + 1)
        return record.id
    }
}
