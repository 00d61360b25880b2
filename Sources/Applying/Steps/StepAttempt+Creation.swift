import MusterModel
import ProviderKit
import StateStorage

// A creation: its call, what is owed after it, and whose an object is that is there already.

extension StepAttempt {
    func create() async throws(StepStop) -> RemoteID {
        let schema = try schema()
        let values = try await values(of: step.desired, schema)
        if let begun = await begun() {
            await shared?.leave(step.id)
            return try await goOn(begun, values, timeout: step.timeouts.create)
        }
        let intent = Intent(token: shared?.token ?? environment.makeToken(), address: step.address)
        let number = try await recordIntent(.create, values, token: intent.token, target: nil)
        let made = try await made(values.sent, intent, number)
        await shared?.leave(step.id)
        await ledger.noteBirth(step.address, at: runner.stopwatch.now)

        let owed = owed(by: made, values.sent, schema)
        let isReady = made.observation.status == .ready
        var record = ResourceRecord(
            address: step.address, id: made.observation.id, scope: made.observation.scope ?? step.scope,
            arguments: values.kept, outputs: await ledger.withoutSecrets(made.observation.outputs),
            digests: values.digests, isProtected: step.isProtected, generation: step.generation,
            isIncomplete: !isReady || !owed.isEmpty, dependencies: step.dependencies)
        // What is not set yet is not recorded as applied, or a run that dies here would never set it.
        for name in owed {
            record.arguments[name] = nil
            record.digests[name] = nil
        }
        try await complete(
            number, .created(record, deposesPrevious: step.deposesPrevious), record,
            record.isIncomplete ? nil : StepResult(.done))
        if !record.isIncomplete { return record.id }
        if owed.isEmpty { return try await finish(record, made.observation, timeout: step.timeouts.create) }
        return try await setOwed(owed, of: record, made, values)
    }

    private struct Made {
        var observation: Observation
        /// It was found, so that it may differ from what is wanted.
        var wasThere: Bool
    }

    /// An object of ours; when it is known that there is none, the intent is taken back.
    private func made(
        _ desired: [String: Value], _ intent: Intent, _ number: Int64
    ) async throws(StepStop) -> Made {
        do throws(StepStop) {
            return try await make(desired, intent)
        } catch {
            switch error {
            case .state: break
            case .failure(let failure) where failure.kind == .outcomeUnknown: break
            case .failure, .interrupted: try await retract(number)
            }
            throw error
        }
    }

    /// The arguments that the creation did not set.
    private func owed(by made: Made, _ wanted: [String: Value], _ schema: ResourceSchema) -> Set<String> {
        let owing = schema.arguments.filter { argument in
            guard let wanted = wanted[argument.name] else { return false }
            if argument.isSetAfterCreate || made.observation.owed.contains(argument.name) { return true }
            // What was there already may say something else where it may be changed.
            let isChangeable = argument.onChange == .update || argument.onChange == .updateWithDowntime
            return made.wasThere && isChangeable && made.observation.arguments[argument.name] != wanted
        }
        return Set(owing.map(\.name))
    }

    /// The update that a creation is followed by.
    private func setOwed(
        _ names: Set<String>, of record: ResourceRecord, _ made: Made, _ values: Values
    ) async throws(StepStop) -> RemoteID {
        let isReady = made.observation.status == .ready
        var before = values.sent
        for name in names { before[name] = made.wasThere ? made.observation.arguments[name] : nil }
        // The tags of others are not ours to take away.
        if case .map(let tags)? = before["tags"], let wanted = values.sent["tags"]?.map {
            before["tags"] = .map(tags.filter { wanted[$0.key] != nil })
        }
        var record = record
        record.arguments = values.kept
        record.digests = values.digests
        let changed = try await change(record, from: before, to: values, names: names, finishes: isReady)
        if changed.isDone { return record.id }
        record = await ledger.record(step.address) ?? record
        // What an update answers says little about a creation that is still under way.
        let seen = isReady ? changed.observation : made.observation
        return try await finish(record, seen, timeout: step.timeouts.create)
    }

    /// The creating call, until there is an object of ours or it is known that there is none.
    private func make(
        _ desired: [String: Value], _ intent: Intent
    ) async throws(StepStop) -> Made {
        var attempt = 0
        var lookups = 0
        var clashes = 0
        var firstClash: Duration?
        while true {
            attempt += 1
            let failure: ProviderError
            do throws(ProviderError) {
                return Made(observation: try await sendCreation(desired, intent), wasThere: false)
            } catch {
                failure = error
            }
            switch failure.kind {
            case .alreadyExists:
                clashes += 1
                let since = firstClash ?? runner.stopwatch.now
                firstClash = since
                if let own = try await existing(desired, intent, failure, clashes: clashes, since: since) {
                    return Made(observation: own, wasThere: true)
                }
            case .outcomeUnknown, .notUnderstood:
                lookups += 1
                if let found = try await lookedFor(desired, intent, failure) {
                    return Made(observation: found, wasThere: true)
                }
                if lookups == 3 { throw .failure(.stillUnknown(step, failure)) }
            default:
                try await pauseOrThrow(failure, .create, attempt: attempt)
            }
        }
    }

    private enum Sighting {
        case ours(Observation)
        case foreign(RemoteID)
        case nothing
        case unclear(ProviderError)
    }

    private func find(_ desired: [String: Value], _ intent: Intent) async -> Sighting {
        do throws(ProviderError) {
            let found = try await alone {
                () async throws(ProviderError) -> (observation: Observation, isOurs: Bool)? in
                try await handler().find(desired, intent: intent)
            }
            guard let found else { return .nothing }
            return found.isOurs ? .ours(found.observation) : .foreign(found.observation.id)
        } catch {
            return error.kind == .notFound ? .nothing : .unclear(error)
        }
    }

    /// The object that has the name already: ours from an attempt whose answer was lost, or somebody else's. nil, after
    /// a moment, when there is none or only our own predecessor: a name may be free a little later than its object is
    /// gone, and ours may be seen a little later than its name is taken.
    private func existing(
        _ desired: [String: Value], _ intent: Intent, _ failure: ProviderError, clashes: Int, since: Duration
    ) async throws(StepStop) -> Observation? {
        let sighting = await find(desired, intent)
        switch sighting {
        case .ours(let observation): return observation
        case .foreign(let id) where !predecessors.contains(id): throw .failure(.nameClash(step, "\(id) has it."))
        case .foreign, .nothing, .unclear: break
        }
        let isEarly = runner.stopwatch.now - since < timing.window(for: step.scope)
        if isEarly {
            if await pause(.seconds(min(clashes, 15))) { return nil }
            throw .failure(.stillUnknown(step, failure))
        }
        if case .unclear(let error) = sighting { throw .failure(.stillUnknown(step, error)) }
        throw .failure(.nameClash(step, failure.message))
    }

    /// What this plan deleted at the same address before: a look may still see it.
    private var predecessors: Set<RemoteID> {
        let steps = runner.plan.steps
        let deletes = step.after.filter(steps.indices.contains).map { steps[$0] }
            .filter { $0.operation == .delete && $0.address == step.address }
        return Set(deletes.compactMap(\.target))
    }

    /// Looks for an object whose creation may have had an effect, until it turns up or would have turned up. Throws
    /// `outcomeUnknown`, with the intent left open, when looking was not possible.
    private func lookedFor(
        _ desired: [String: Value], _ intent: Intent, _ lost: ProviderError
    ) async throws(StepStop) -> Observation? {
        let since = runner.stopwatch.now
        while true {
            // A look tells of the moment at which it was asked for, however late its answer is.
            let waited = runner.stopwatch.now - since
            let sighting = await find(desired, intent)
            switch sighting {
            case .ours(let observation): return observation
            case .foreign, .nothing, .unclear: break
            }
            if waited >= timing.window(for: step.scope) {
                // Sooner it may have been our own predecessor, which a look still sees.
                if case .foreign(let id) = sighting { throw .failure(.nameClash(step, "\(id) has it.")) }
                if case .unclear(let error) = sighting { throw .failure(.stillUnknown(step, error)) }
                return nil
            }
            await tellRetry(lost)
            if !(await pause(timing.pollInterval(waited: waited))) { throw .failure(.stillUnknown(step, lost)) }
        }
    }
}
