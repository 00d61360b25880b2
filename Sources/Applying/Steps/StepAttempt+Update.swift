import MusterModel
import ProviderKit
import StateStorage

// A change in place, and what a step of an interrupted plan file still owes.

extension StepAttempt {
    func update() async throws(StepStop) -> RemoteID {
        let schema = try schema()
        guard let base = await ledger.record(step.address) else { throw .failure(.missingRow(step)) }
        let values = try await values(of: step.desired, schema)
        if let begun = await begun() { return try await goOn(begun, values, timeout: step.timeouts.update) }
        _ = try await runner.check.look(again: step, at: runner.stopwatch.now)

        let before = prior(values)
        var record = base
        record.arguments = values.kept
        record.digests = values.digests
        record.isProtected = step.isProtected
        record.generation = step.generation
        record.dependencies = step.dependencies
        let changed = Set(step.desired.keys).filter { name in
            before[name] != values.sent[name] && schema.argument(name)?.onChange != .local
        }
        if changed.isEmpty, !base.isIncomplete {
            try await self.record(.updated(record), record, StepResult(.done))
            return record.id
        }
        var observation: Observation?
        if !changed.isEmpty {
            let change = try await change(
                record, from: before, to: values, names: changed, finishes: !base.isIncomplete)
            if change.isDone { return record.id }
            record = await ledger.record(step.address) ?? record
            observation = change.observation
        }
        return try await finish(record, observation, timeout: step.timeouts.update)
    }

    /// One update with its intent and its result.
    ///
    /// - Parameters:
    ///   - names: the arguments that change.
    ///   - finishes: the object owes nothing else, so that the step is done unless the update itself is pending.
    /// - Returns: what the provider, or a look afterwards, told; and whether the step is done.
    func change(
        _ wanted: ResourceRecord, from before: [String: Value], to values: Values, names: Set<String>, finishes: Bool
    ) async throws(StepStop) -> (observation: Observation?, isDone: Bool) {
        let schema = try schema()
        let number = try await recordIntent(.update, values, token: environment.makeToken(), target: wanted.id)
        var observation: Observation?
        var isUnsure = false
        do throws(StepStop) {
            observation = try await send(wanted.id, from: before, to: values.sent, isUnsure: &isUnsure)
        } catch {
            try await giveUp(number, values, error, isUnsure: isUnsure || error.isUnsure)
            throw error
        }
        if observation == nil, schema.outputs.contains(where: { !names.isDisjoint(with: $0.changesWith) }) {
            let mark = await runner.reader.mark()
            observation = try? await runner.reader.look(
                at: KnownObject(id: wanted.id, arguments: wanted.arguments), in: group(.status), notBefore: .zero,
                after: mark)
        }
        var record = wanted
        if let observation {
            record.outputs = record.outputs.merging(await ledger.withoutSecrets(observation.outputs)) { $1 }
        }
        let isDone = finishes && observation?.status ?? .ready == .ready
        record.isIncomplete = !isDone
        try await complete(number, .updated(record), record, isDone ? StepResult(.done) : nil)
        return (observation, isDone)
    }

    /// An update that did not end well. It is idempotent, so nothing hangs on its intent, and the next plan looks at the
    /// object; what no look tells of is not recorded where an attempt may have had its effect.
    private func giveUp(
        _ intent: Int64, _ values: Values, _ error: StepStop, isUnsure: Bool
    ) async throws(StepStop) {
        if case .state = error { return }
        guard isUnsure, let row = await ledger.record(step.address),
            let unsure = row.afterLosing(values.kept, values.digests, try schema())
        else { return try await retract(intent) }
        let moves = try schema().arguments.contains {
            $0.isPlace && unsure.arguments[$0.name] != row.arguments[$0.name]
        }
        // Something may be kept at two places: then the intent stays, and the next run clears both.
        if !moves { try await retract(intent, leaving: unsure) }
    }

    /// - Parameter isUnsure: set when an attempt may have had its effect, whatever the last one says.
    private func send(
        _ id: RemoteID, from before: [String: Value], to after: [String: Value], isUnsure: inout Bool
    ) async throws(StepStop) -> Observation? {
        var attempt = 0
        while true {
            attempt += 1
            let failure: ProviderError
            do throws(ProviderError) {
                return try await handler().update(id, from: before, to: after)
            } catch {
                failure = error
            }
            if failure.kind == .outcomeUnknown || failure.kind == .notUnderstood { isUnsure = true }
            try await pauseOrThrow(failure, .update, attempt: attempt)
        }
    }

    /// The arguments before, as far as they may be known: a deferred one that stays the same is what is sent anyway.
    private func prior(_ values: Values) -> [String: Value] {
        var before: [String: Value] = [:]
        for (name, value) in step.prior where value != .null {
            if value.isKnown {
                before[name] = value
            } else if value == step.desired[name] {
                before[name] = values.sent[name]
            }
        }
        return before
    }

    /// The row, if an earlier run of the same plan made this step's call and did not come to its end.
    func begun() async -> ResourceRecord? {
        guard let earlier = runner.check.completed[step.id], !earlier.isFinished else { return nil }
        return await ledger.record(step.address)
    }

    /// Does what is still owed after the call: what is wanted and not recorded yet, and the wait.
    func goOn(
        _ begun: ResourceRecord, _ values: Values, timeout: Int
    ) async throws(StepStop) -> RemoteID {
        var record = begun
        // What is recorded otherwise was not changed either: the call may have been cut off before it left.
        let owed = Set(values.sent.keys).filter {
            record.arguments[$0] != values.kept[$0] || record.digests[$0] != values.digests[$0]
        }
        if !owed.isEmpty {
            var before = values.sent.filter { !owed.contains($0.key) }
            for name in owed {
                if let old = record.arguments[name], old.isKnown { before[name] = old }
            }
            record.arguments = values.kept
            record.digests = values.digests
            _ = try await change(record, from: before, to: values, names: owed, finishes: false)
            record = await ledger.record(step.address) ?? record
        }
        return try await finish(record, nil, timeout: timeout)
    }
}
