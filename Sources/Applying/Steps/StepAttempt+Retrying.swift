import MusterModel
import ProviderKit
import StateStorage

// Whether and when a call is made again.

extension StepAttempt {
    /// Sleeps until the next attempt; throws when there is none.
    func pauseOrThrow(
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

    func tellRetry(_ error: ProviderError) async {
        let why = await ledger.redacted(error.message)
        environment.events(.stepRetrying(step, why: why, seconds: elapsed.seconds))
    }

    func pause(_ duration: Duration) async -> Bool {
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
}
