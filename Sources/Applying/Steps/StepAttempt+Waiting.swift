import MusterModel
import ProviderKit
import StateStorage

// The wait until an object is ready or gone.

extension StepAttempt {
    /// Waits until a made or changed object is ready, and writes that it is.
    func finish(
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

    enum Verdict {
        case over
        case wait(String)
        case fail(String)
    }

    /// Looks until the verdict is over: fast at first, then at a share of the time waited.
    func poll(
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
}
