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
