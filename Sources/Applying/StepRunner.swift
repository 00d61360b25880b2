import MusterModel
import ProviderKit
import StateStorage

/// Takes one step from its evaluation to its last record.
///
/// Every call that changes something stands between two transactions: the intent before, the result after. What is
/// known to have had no effect takes its intent back; what is not known leaves it open for the next run to settle.
struct StepRunner: Sendable {
    let environment: ApplyEnvironment
    let plan: Plan
    let run: Int64
    let keeper: LeaseKeeper
    let ledger: Ledger
    let reader: ObjectReader
    let interruption: Interruption
    let stopwatch: Stopwatch
    let check: StalenessCheck
    let looks: SharedLooks
    /// Tells the loop that this step does not call for a while, or that it does again.
    let park: @Sendable (_ step: Int, _ isParked: Bool) -> Void

    enum Ending: Sendable {
        case done(RemoteID?)
        case failed(StepFailure)
        case interrupted(StepFailure)
        case broken(StateError)

        var isDone: Bool {
            if case .done = self { true } else { false }
        }
    }

    /// - Parameter shared: the call of the steps that start together with this one.
    func run(_ step: Step, sharing shared: SharedCall? = nil) async -> Ending {
        let trace = CallTrace()
        let attempt = StepAttempt(runner: self, step: step, started: stopwatch.now, trace: trace, shared: shared)
        let ending = await CallTrace.$current.withValue(trace) { await take(step, attempt) }
        await shared?.leave(step.id)
        await ledger.noteEnded(step.id, isDone: ending.isDone)
        return ending
    }

    private func take(_ step: Step, _ attempt: StepAttempt) async -> Ending {
        do throws(StepStop) {
            switch step.operation {
            case .create: return .done(try await attempt.create())
            case .update: return .done(try await attempt.update())
            case .delete: return .done(try await attempt.delete())
            case .adopt: return .done(try await attempt.adopt())
            case .forget: return .done(try await attempt.forget())
            case .move: return .done(try await attempt.move())
            }
        } catch {
            switch error {
            case .failure(let failure):
                let failure = await ledger.redacted(failure)
                await attempt.recordEnding(.failed, failure)
                return .failed(failure)
            case .interrupted(let failure):
                let failure = await ledger.redacted(failure)
                await attempt.recordEnding(.interrupted, failure)
                return .interrupted(failure)
            case .state(let error): return .broken(error)
            }
        }
    }
}

/// One step under way.
struct StepAttempt: Sendable {
    let runner: StepRunner
    let step: Step
    let started: Duration
    let trace: CallTrace
    let shared: SharedCall?

    private var environment: ApplyEnvironment { runner.environment }
    private var storage: any StateStorage { runner.environment.storage }
    private var ledger: Ledger { runner.ledger }
    private var timing: ApplyTiming { runner.environment.timing }
    private var elapsed: Duration { runner.stopwatch.now - started }
    private var access: Access { runner.check.access(for: step.address.stack, step.scope) }

    // MARK: - Create

    func create() async throws(StepStop) -> RemoteID {
        let schema = try schema()
        let values = try await values(of: step.desired, schema)
        if let begun = await begun() {
            await shared?.leave(step.id)
            return try await goOn(begun, values, timeout: step.timeouts.create)
        }
        let intent = Intent(token: shared?.token ?? environment.makeToken(), address: step.address)
        let number = try await recordIntent(.create, values, token: intent.token, target: nil)

        let observation: Observation
        let wasThere: Bool
        do throws(StepStop) {
            (observation, wasThere) = try await make(values.sent, intent)
        } catch {
            switch error {
            case .state: break
            case .failure(let failure) where failure.kind == .outcomeUnknown: break
            case .failure, .interrupted: try await retract(number)
            }
            throw error
        }
        await shared?.leave(step.id)
        await ledger.noteBirth(step.address, at: runner.stopwatch.now)

        let later = schema.arguments.filter { argument in
            guard let wanted = values.sent[argument.name] else { return false }
            if argument.isSetAfterCreate || observation.owed.contains(argument.name) { return true }
            // What was there already may say something else where it may be changed.
            let isChangeable = argument.onChange == .update || argument.onChange == .updateWithDowntime
            return wasThere && isChangeable && observation.arguments[argument.name] != wanted
        }
        let isReady = observation.status == .ready
        var record = ResourceRecord(
            address: step.address, id: observation.id, scope: observation.scope ?? step.scope, arguments: values.kept,
            outputs: await ledger.withoutSecrets(observation.outputs), digests: values.digests,
            isProtected: step.isProtected, generation: step.generation, isIncomplete: !isReady || !later.isEmpty,
            dependencies: step.dependencies)
        // What is not set yet is not recorded as applied, or a run that dies here would never set it.
        for argument in later {
            record.arguments[argument.name] = nil
            record.digests[argument.name] = nil
        }
        try await complete(
            number, .created(record, deposesPrevious: step.deposesPrevious), record,
            record.isIncomplete ? nil : StepResult(.done))
        if !record.isIncomplete { return record.id }

        if !later.isEmpty {
            var before = values.sent
            for argument in later { before[argument.name] = wasThere ? observation.arguments[argument.name] : nil }
            // The tags of others are not ours to take away.
            if case .map(let tags)? = before["tags"], let wanted = values.sent["tags"]?.map {
                before["tags"] = .map(tags.filter { wanted[$0.key] != nil })
            }
            record.arguments = values.kept
            record.digests = values.digests
            let changed = try await change(
                record, from: before, to: values, names: Set(later.map(\.name)), finishes: isReady)
            if changed.isDone { return record.id }
            record = await ledger.record(step.address) ?? record
            // What an update answers says little about a creation that is still under way.
            if isReady, let observation = changed.observation {
                return try await finish(record, observation, timeout: step.timeouts.create)
            }
        }
        return try await finish(record, isReady ? nil : observation, timeout: step.timeouts.create)
    }

    /// The creating call, until there is an object of ours or it is known that there is none. `wasThere`: it was found,
    /// so that it may differ from what is wanted.
    private func make(
        _ desired: [String: Value], _ intent: Intent
    ) async throws(StepStop) -> (observation: Observation, wasThere: Bool) {
        var attempt = 0
        var lookups = 0
        var clashes = 0
        var firstClash: Duration?
        while true {
            attempt += 1
            let failure: ProviderError
            do throws(ProviderError) {
                return (try await sendCreation(desired, intent), false)
            } catch {
                failure = error
            }
            switch failure.kind {
            case .alreadyExists:
                clashes += 1
                let since = firstClash ?? runner.stopwatch.now
                firstClash = since
                if let own = try await existing(desired, intent, failure, clashes: clashes, since: since) {
                    return (own, true)
                }
            case .outcomeUnknown, .notUnderstood:
                lookups += 1
                if let found = try await lookedFor(desired, intent, failure) { return (found, true) }
                if lookups == 3 { throw .failure(.stillUnknown(step, failure)) }
            default:
                try await pauseOrThrow(failure, .create, attempt: attempt)
            }
        }
    }

    /// Once, with the steps that started together with this one as long as they make one call.
    private func sendCreation(
        _ desired: [String: Value], _ intent: Intent
    ) async throws(ProviderError) -> Observation {
        let answer = try await sharedAnswer(SharedCall.Request(step: step.id, arguments: desired)) {
            (batches, requests) async throws(ProviderError) -> [Observation?] in
            try await batches.create(requests.map(\.arguments), intent: intent)
        }
        guard let answer else {
            let look = await runner.looks.look(for: access, at: runner.stopwatch.now)
            return try await alone { () async throws(ProviderError) -> Observation in
                try await handler(in: session().sharing(look)).create(desired, intent: intent)
            }
        }
        if let made = answer { return made }
        throw ProviderError(.outcomeUnknown, "The answer does not tell of this one of several.")
    }

    /// Makes the call for all when this step is the one to do so. nil: the step calls alone.
    private func sharedAnswer(
        _ request: SharedCall.Request,
        _ call: (any BatchHandler, [SharedCall.Request]) async throws(ProviderError) -> [Observation?]
    ) async throws(ProviderError) -> Observation?? {
        guard let shared else { return nil }
        switch await shared.take(request) {
        case .alone: return nil
        case .answered(let answer): return try told(answer)
        case .call(for: let requests):
            guard let answers = await answers(to: requests, call) else {
                await shared.goApart()
                return nil
            }
            await shared.answer(answers)
            return try answers[step.id].map(told)
        }
    }

    private func told(_ answer: SharedCall.Answer) throws(ProviderError) -> Observation? {
        for id in answer.requestIDs { trace.note(id) }
        return try answer.result.get()
    }

    /// One call for several steps; nil: what may be wrong with one of them must not stop the others.
    private func answers(
        to requests: [SharedCall.Request],
        _ call: (any BatchHandler, [SharedCall.Request]) async throws(ProviderError) -> [Observation?]
    ) async -> [Int: SharedCall.Answer]? {
        let trace = CallTrace()
        let result = await CallTrace.$current.withValue(trace) { () async -> Result<[Observation?], ProviderError>? in
            do throws(ProviderError) {
                guard let batches = try await handler().batches else { return nil }
                return .success(try await call(batches, requests))
            } catch {
                return error.kind.mayConcernOne ? nil : .failure(error)
            }
        }
        guard let result else { return nil }
        var answers: [Int: SharedCall.Answer] = [:]
        for (index, request) in requests.enumerated() {
            answers[request.step] = SharedCall.Answer(
                result: result.map { $0.indices.contains(index) ? $0[index] : nil }, requestIDs: trace.requestIDs)
        }
        return answers
    }

    /// A call of this step alone: steps that started together make theirs one after the other.
    private func alone<Answer: Sendable>(
        _ call: () async throws(ProviderError) -> Answer
    ) async throws(ProviderError) -> Answer {
        guard let shared else { return try await call() }
        return try await shared.alone(call)
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
            let sighting = await find(desired, intent)
            switch sighting {
            case .ours(let observation): return observation
            case .foreign, .nothing, .unclear: break
            }
            let waited = runner.stopwatch.now - since
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

    // MARK: - Update

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
    private func change(
        _ wanted: ResourceRecord, from before: [String: Value], to values: Values, names: Set<String>, finishes: Bool
    ) async throws(StepStop) -> (observation: Observation?, isDone: Bool) {
        let schema = try schema()
        let number = try await recordIntent(.update, values, token: environment.makeToken(), target: wanted.id)
        var observation: Observation?
        do throws(StepStop) {
            observation = try await send(wanted.id, from: before, to: values.sent)
        } catch {
            // Updates are idempotent, so nothing hangs on the intent: the next plan looks at the object.
            try await retract(number)
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

    private func send(
        _ id: RemoteID, from before: [String: Value], to after: [String: Value]
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

    // MARK: - Going on

    /// The row, if an earlier run of the same plan made this step's call and did not come to its end.
    private func begun() async -> ResourceRecord? {
        guard let earlier = runner.check.completed[step.id], !earlier.isFinished else { return nil }
        return await ledger.record(step.address)
    }

    /// Does what is still owed after the call: what is wanted and not recorded yet, and the wait.
    private func goOn(
        _ begun: ResourceRecord, _ values: Values, timeout: Int
    ) async throws(StepStop) -> RemoteID {
        var record = begun
        let owed = Set(values.sent.keys).filter { record.arguments[$0] == nil && record.digests[$0] == nil }
        if !owed.isEmpty {
            record.arguments = values.kept
            record.digests = values.digests
            _ = try await change(
                record, from: values.sent.filter { !owed.contains($0.key) }, to: values, names: owed, finishes: false)
            record = await ledger.record(step.address) ?? record
        }
        return try await finish(record, nil, timeout: timeout)
    }

    // MARK: - Delete

    func delete() async throws(StepStop) -> RemoteID? {
        guard let target = step.target else { throw .failure(.missingRow(step)) }
        // Even what seems gone is deleted: it may only not be visible, and deleting what is gone succeeds.
        let seen = try await runner.check.look(again: step, at: runner.stopwatch.now)
        let last = try await lastArguments()
        let number = try await recordIntent(
            .delete, Values(sent: [:], kept: last, digests: [:]), token: environment.makeToken(), target: target)
        do throws(StepStop) {
            while true {
                var isMissed = false
                if case .deleting = seen?.status {} else { isMissed = try await remove(target, last) }
                await shared?.leave(step.id)
                try await waitUntilGone(target, last)
                // What is new may not have been visible to the call, and not to the look after it either.
                guard isMissed, runner.check.mayBeHidden(target, in: step.scope) else { break }
                guard await pause(.seconds(5)) else {
                    throw StepStop.interrupted(.interrupted(step, "it may not be visible yet."))
                }
            }
        } catch {
            try await retract(number)
            throw error
        }
        let change: StateChange =
            step.isDeposed ? .deposedDeleted(step.address, target) : .deleted(step.address)
        try await complete(number, change, nil, StepResult(.done))
        return target
    }

    /// What a deletion is told of its object. What is kept in a place that a successor has taken over is the successor's.
    private func lastArguments() async throws(StepStop) -> [String: Value] {
        let schema = try schema()
        let successor = step.isDeposed ? await ledger.record(step.address)?.arguments : nil
        return step.prior.filter { name, value in
            value.isKnown && !(schema.argument(name)?.isPlace ?? false && successor?[name] == value)
        }
    }

    /// True when there was nothing to delete.
    private func remove(_ target: RemoteID, _ last: [String: Value]) async throws(StepStop) -> Bool {
        var attempt = 0
        while true {
            attempt += 1
            do throws(ProviderError) {
                return try await sendDeletion(target, last)
            } catch {
                if error.kind == .notFound { return true }
                try await pauseOrThrow(error, .delete, attempt: attempt)
            }
        }
    }

    /// Once, with the steps that started together with this one as long as they make one call. True when there was
    /// nothing to delete.
    private func sendDeletion(_ target: RemoteID, _ last: [String: Value]) async throws(ProviderError) -> Bool {
        let request = SharedCall.Request(step: step.id, arguments: last, target: target)
        let answer = try await sharedAnswer(request) {
            (batches, requests) async throws(ProviderError) -> [Observation?] in
            try await batches.delete(
                requests.compactMap { request in
                    request.target.map { KnownObject(id: $0, arguments: request.arguments) }
                })
            return []
        }
        if answer != nil { return false }
        return try await alone { () async throws(ProviderError) -> Bool in
            let session = try await session()
            try await handler(in: session).delete(target, last: last)
            return await session.hasMissed()
        }
    }

    private func waitUntilGone(_ target: RemoteID, _ last: [String: Value]) async throws(StepStop) {
        if try schema().isAwaited { return }
        let object = KnownObject(id: target, arguments: last)
        let group = group(.status)
        await runner.reader.add(object, to: group)
        runner.park(step.id, true)
        let result = await poll(object, group, timeout: step.timeouts.delete) { observation, _ in
            switch observation?.status {
            case nil: .over
            case .deleting(let status), .pending(let status): .wait(status)
            case .ready, .failed: .wait("deleting")
            }
        }
        runner.park(step.id, false)
        await runner.reader.remove(target, from: group)
        await runner.reader.remove(target, from: self.group(.arguments))
        if case .failure(let stop) = result { throw stop }
    }

    // MARK: - Without a call

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

    // MARK: - Waiting

    /// Waits until a made or changed object is ready, and writes that it is.
    private func finish(
        _ record: ResourceRecord, _ seen: Observation?, timeout: Int
    ) async throws(StepStop) -> RemoteID {
        let object = KnownObject(id: record.id, arguments: record.arguments)
        let group = group(.status)
        var last = seen
        if last?.status != .ready {
            if case .failed(let why) = last?.status { throw .failure(.ended(step, why)) }
            await runner.reader.add(object, to: group)
            runner.park(step.id, true)
            let window = timing.window(for: step.scope)
            let result = await poll(object, group, timeout: timeout) { observation, waited in
                switch observation?.status {
                case .ready: .over
                case .pending(let status): .wait(status)
                case .failed(let why): .fail(why)
                case .deleting(let status): .fail("it is being deleted (\(status))")
                case nil where waited < window: .wait("not visible yet")
                case nil: .fail("it has vanished")
                }
            }
            runner.park(step.id, false)
            await runner.reader.remove(record.id, from: group)
            switch result {
            case .success(let observation): last = observation
            case .failure(let stop): throw stop
            }
        }
        var record = record
        if let last {
            record.outputs = record.outputs.merging(await ledger.withoutSecrets(last.outputs)) { $1 }
        }
        record.isIncomplete = false
        try await self.record(.updated(record), record, StepResult(.done))
        return record.id
    }

    private enum Verdict {
        case over
        case wait(String)
        case fail(String)
    }

    /// Looks until the verdict is over: fast at first, then at a share of the time waited.
    private func poll(
        _ object: KnownObject, _ group: ObjectReader.Group, timeout: Int,
        _ verdict: (Observation?, _ waited: Duration) -> Verdict
    ) async -> Result<Observation?, StepStop> {
        let since = runner.stopwatch.now
        let mark = await runner.reader.mark()
        var status = "not looked at yet"
        while true {
            let waited = runner.stopwatch.now - since
            let interval = timing.pollInterval(waited: waited)
            // A look that another step took half an interval ago is as good; one from before the wait is not.
            let notBefore = max(since, runner.stopwatch.now - interval / 2)
            do throws(ProviderError) {
                let observation = try await runner.reader.look(
                    at: object, in: group, notBefore: notBefore, after: mark)
                switch verdict(observation, waited) {
                case .over: return .success(observation)
                case .fail(let why): return .failure(.failure(.ended(step, why)))
                case .wait(let word): status = word
                }
            } catch {
                switch error.kind {
                case .badCredentials, .notPermitted, .invalid: return .failure(.failure(StepFailure(error, step)))
                case .notFound: status = "not visible yet"
                default: status = await ledger.redacted(error.message)
                }
            }
            if waited >= .seconds(timeout) {
                return .failure(.failure(.timedOut(step, status, seconds: timeout)))
            }
            environment.events(.stepWaiting(step, status: status, seconds: elapsed.seconds))
            if !(await runner.interruption.sleep(interval, on: runner.stopwatch)) {
                return .failure(.interrupted(.interrupted(step, "it was still \"\(status)\".")))
            }
        }
    }

    // MARK: - Retrying

    /// Sleeps until the next attempt; throws when there is none.
    private func pauseOrThrow(
        _ error: ProviderError, _ call: RetryPolicy.Call, attempt: Int
    ) async throws(StepStop) {
        try await keepLease()
        let timeout =
            switch call {
            case .create: step.timeouts.create
            case .update: step.timeouts.update
            case .delete: step.timeouts.delete
            }
        let situation = RetryPolicy.Situation(
            call: call, attempt: attempt, elapsed: elapsed, timeout: .seconds(timeout),
            followsSomethingNew: await followsSomethingNew(),
            isBesideOthers: error.kind == .notYetVisible ? await isBesideOthers() : false)
        guard let ceiling = RetryPolicy(timing: timing).pause(after: error.kind, in: situation) else {
            throw .failure(StepFailure(error, step))
        }
        await tellRetry(error)
        let jittered = ceiling * (0.2 + 0.8 * environment.random())
        runner.park(step.id, true)
        let goesOn = await runner.interruption.sleep(jittered, on: runner.stopwatch)
        runner.park(step.id, false)
        if !goesOn { throw .interrupted(.interrupted(step, error.message)) }
    }

    /// A process that stood still takes its lease up again, or learns that somebody else has it.
    private func keepLease() async throws(StepStop) {
        if await runner.keeper.areHeld { return }
        do throws(StateError) {
            try await runner.keeper.renew()
        } catch {
            guard case .leaseLost = error.kind else { return }
            throw .state(error)
        }
    }

    private func tellRetry(_ error: ProviderError) async {
        let why = await ledger.redacted(error.message)
        environment.events(.stepRetrying(step, why: why, seconds: elapsed.seconds))
    }

    private func pause(_ duration: Duration) async -> Bool {
        runner.park(step.id, true)
        defer { runner.park(step.id, false) }
        return await runner.interruption.sleep(duration, on: runner.stopwatch)
    }

    /// True when a step that does not wait for this one is still to make or to change something.
    private func isBesideOthers() async -> Bool {
        let ended = await ledger.endedSteps
        let completed = runner.check.completed
        // Nothing comes of what waits for this step, or for one that failed. Every edge leads to an earlier step.
        var idle: Set = [step.id]
        for other in runner.plan.steps {
            if ended[other.id] == false || !idle.isDisjoint(with: other.after) {
                idle.insert(other.id)
                continue
            }
            let makesSomething = other.operation == .create || other.operation == .update
            let isOver = ended[other.id] != nil || completed[other.id]?.isFinished ?? false
            if makesSomething, !isOver, other.id != step.id { return true }
        }
        return false
    }

    /// True when this run made the object itself or something that the step waits for.
    private func followsSomethingNew() async -> Bool {
        if await ledger.birth(step.address) != nil { return true }
        for address in step.dependencies where await ledger.birth(address) != nil { return true }
        for index in step.after where runner.plan.steps.indices.contains(index) {
            if await ledger.birth(runner.plan.steps[index].address) != nil { return true }
        }
        return false
    }

    // MARK: - Values and calls

    /// Arguments in the forms in which they are sent, kept and compared.
    struct Values: Sendable {
        var sent: [String: Value]
        var kept: [String: Value]
        var digests: [String: String]
    }

    private func values(of arguments: [String: Value], _ schema: ResourceSchema) async throws(StepStop) -> Values {
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

    private func schema() throws(StepStop) -> ResourceSchema {
        guard let schema = environment.catalog[step.address.type] else { throw .failure(.unknownType(step)) }
        return schema
    }

    /// In a session of its own, so that nothing remembered is taken for what is.
    private func handler() async throws(ProviderError) -> any ResourceHandler { try await handler(in: session()) }

    /// Asks for the lease before it sends a change.
    private func session() async throws(ProviderError) -> any ProviderSession {
        let keeper = runner.keeper
        return try await environment.session(access.scope, access.configuration, [:]).asking { await keeper.areHeld }
    }

    private func handler(in session: any ProviderSession) throws(ProviderError) -> any ResourceHandler {
        guard let handler = session.handler(for: step.address.type) else { throw .unknownType(step.address.type) }
        return handler
    }

    private func group(_ purpose: ObjectReader.Purpose) -> ObjectReader.Group {
        ObjectReader.Group(access: access, type: step.address.type, purpose: purpose)
    }

    // MARK: - Journal

    private func recordIntent(
        _ operation: JournaledIntent.Operation, _ values: Values, token: String, target: RemoteID?
    ) async throws(StepStop) -> Int64 {
        let version = step.isDeposed ? step.version : await ledger.version(step.address)
        let intent = JournaledIntent(
            run: runner.run, step: step.id, address: step.address, operation: operation, target: target,
            scope: step.scope, token: token, arguments: values.kept, digests: values.digests,
            expectedVersion: version, generation: step.generation, isProtected: step.isProtected,
            isDeposed: step.isDeposed, deposesPrevious: step.deposesPrevious, dependencies: step.dependencies,
            fence: runner.keeper.fence)
        do {
            return try await storage.recordIntent(intent)
        } catch {
            throw StepStop(error, step)
        }
    }

    private func complete(
        _ intent: Int64, _ change: StateChange, _ record: ResourceRecord?, _ result: StepResult?
    ) async throws(StepStop) {
        let version: Int
        do {
            version = try await storage.complete(intent: intent, change, result: traced(result))
        } catch {
            if case .alreadyManaged = error.kind { try await retract(intent) }
            throw StepStop(error, step)
        }
        await note(record, version: version)
    }

    /// Takes back the intent of a call that had no effect.
    private func retract(_ intent: Int64) async throws(StepStop) {
        do {
            _ = try await storage.complete(intent: intent, .nothing(step.address), result: nil)
        } catch {
            throw StepStop(error, step)
        }
    }

    private func record(
        _ change: StateChange, _ record: ResourceRecord?, _ result: StepResult, expected: Int? = nil
    ) async throws(StepStop) {
        let current = step.isDeposed ? step.version : await ledger.version(step.address)
        let version: Int
        do {
            version = try await storage.record(
                RecordedChange(
                    run: runner.run, step: step, change: change, expectedVersion: expected ?? current,
                    fence: runner.keeper.fence, result: traced(result)))
        } catch {
            throw StepStop(error, step)
        }
        await note(record, version: version)
    }

    private func note(_ record: ResourceRecord?, version: Int) async {
        if let record {
            await ledger.note(record, version: version)
        } else if !step.isDeposed {
            await ledger.noteGone(step.address, version: version)
        }
    }

    /// For the history; that it could not be written changes nothing about the step.
    func recordEnding(_ outcome: StepResult.Outcome, _ failure: StepFailure) async {
        let detail = "\(failure.summary). \(failure.detail)" + (failure.code.map { " (\($0))" } ?? "")
        var ids = trace.requestIDs
        if let id = failure.requestID, !ids.contains(id) { ids.append(id) }
        _ = try? await storage.record(
            StepResult(outcome, detail: detail, requestIDs: ids), run: runner.run, step: step)
    }

    /// With the calls so far; nil stands for a step that goes on.
    private func traced(_ result: StepResult?) -> StepResult {
        var result = result ?? StepResult(.running)
        result.requestIDs = trace.requestIDs
        return result
    }
}
