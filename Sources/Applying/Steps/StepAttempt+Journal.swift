import MusterModel
import ProviderKit
import StateStorage

// What is written before and after a call.

extension StepAttempt {
    func recordIntent(
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

    func complete(
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
    func retract(_ intent: Int64) async throws(StepStop) {
        do {
            _ = try await storage.complete(intent: intent, .nothing(step.address), result: nil)
        } catch {
            throw StepStop(error, step)
        }
    }

    /// Takes back the intent of an update that may have had its effect, and leaves what is known.
    func retract(_ intent: Int64, leaving row: ResourceRecord) async throws(StepStop) {
        let version: Int
        do {
            version = try await storage.complete(intent: intent, .updated(row), result: nil)
        } catch {
            throw StepStop(error, step)
        }
        await note(row, version: version)
    }

    func record(
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
