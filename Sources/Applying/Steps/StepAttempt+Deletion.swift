import MusterModel
import ProviderKit
import StateStorage

// A deletion: its call, and the wait until the object is gone.

extension StepAttempt {
    func delete() async throws(StepStop) -> RemoteID? {
        guard let target = step.target else { throw .failure(.missingRow(step)) }
        // Even what seems gone is deleted: it may only not be visible, and deleting what is gone succeeds.
        let seen = try await runner.check.look(again: step, at: runner.stopwatch.now)
        let last = try await lastArguments()
        let number = try await recordIntent(
            .delete, Values(sent: [:], kept: last, digests: [:]), token: environment.makeToken(), target: target)
        do throws(StepStop) {
            while true {
                let asked = runner.stopwatch.now
                var isMissed = false
                if case .deleting = seen?.status {} else { isMissed = try await remove(target, last) }
                await shared?.leave(step.id)
                try await waitUntilGone(target, last)
                // What is new may not have been visible to the call, and not to the look after it either.
                guard isMissed, runner.check.mayBeHidden(target, in: step.scope, at: asked) else { break }
                guard await pause(.seconds(5)) else {
                    throw StepStop.interrupted(.interrupted(step, "it may not be visible yet."))
                }
            }
        } catch {
            // What it keeps elsewhere may be gone while the object is not: then the intent stays, and the next run settles it.
            let staysOpen = try keepsElsewhere(last)
            if step.isDeposed || !staysOpen { try await retract(number) }
            throw error
        }
        let change: StateChange =
            step.isDeposed ? .deposedDeleted(step.address, target) : .deleted(step.address)
        try await complete(number, change, nil, StepResult(.done))
        return target
    }

    private func keepsElsewhere(_ last: [String: Value]) throws(StepStop) -> Bool {
        try schema().arguments.contains { $0.isPlace && last[$0.name] != nil }
    }

    /// What a deletion is told of its object. What is kept in a place that a successor, or whatever else, has taken over is
    /// theirs, and so is a place that another step of the plan wants.
    private func lastArguments() async throws(StepStop) -> [String: Value] {
        let places = Set(try schema().arguments.filter(\.isPlace).map(\.name))
        if places.isEmpty { return step.prior.filter(\.value.isKnown) }
        let type = step.address.type
        var others = await ledger.records(of: type)
            .filter { step.isDeposed || $0.address != step.address }.map(\.arguments)
        others += runner.plan.steps.filter { $0.address.type == type && $0.address != step.address }.map(\.desired)
        let taken = Set(others.flatMap { arguments in places.compactMap { arguments[$0] } })
        return step.prior.filter { name, value in
            value.isKnown && !(places.contains(name) && taken.contains(value))
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
}
