import MusterModel
import ProviderKit
import StateStorage

/// One plan being applied, under its leases.
struct Application: Sendable {
    let environment: ApplyEnvironment
    let plan: Plan
    let identity: RunIdentity
    let holder: LeaseHolder
    let keeper: LeaseKeeper
    let interruption: Interruption
    let signals: AsyncStream<Signal>

    private var storage: any StateStorage { environment.storage }
    private var fence: Fence { keeper.fence }

    func run() async throws(StateError) -> ApplyOutcome {
        let run = try await storage.beginRun(
            RunStart(
                plan: plan.id, who: identity.who, host: identity.host, pid: identity.pid,
                gitCommit: identity.gitCommit, holder: holder.token, command: identity.command,
                stepCount: plan.steps.count))
        let outcome: ApplyOutcome
        do throws(StateError) {
            outcome = try await follow(run)
        } catch {
            _ = try? await storage.endRun(run, outcome: .failed)
            throw error
        }
        let ending: RunOutcome =
            switch outcome {
            case .done: .done
            case .failed: .failed
            case .interrupted: .interrupted
            case .refused: .refused
            }
        try await storage.endRun(run, outcome: ending)
        return outcome
    }

    private func follow(_ run: Int64) async throws(StateError) -> ApplyOutcome {
        let stopwatch = Stopwatch(environment.clock)
        let reader = ObjectReader(environment.session, stopwatch)
        let settlements = try await settle(stopwatch, reader)
        let unsettled = settlements.filter { !$0.isSettled }
        if !unsettled.isEmpty { return .refused(unsettled.map(\.text).sorted()) }

        let completed = try await storage.completedSteps(ofPlan: plan.id)
        let read = stopwatch.now
        let snapshot = try await storage.snapshot(stacks: stacks)
        let check = StalenessCheck(
            plan: plan, snapshot: snapshot, completed: completed, reader: reader, stopwatch: stopwatch, since: read,
            environment: environment)
        do throws(StepLookFailure) {
            let moved = try await check.everything()
            if !moved.isEmpty { return .refused(moved + settlements.map(\.text)) }
        } catch {
            return notLooked(error)
        }
        try await storage.bind(plan.scopes.map { StateBinding(key: $0.key, scope: $0.value) })

        let ledger = Ledger(snapshot, resolveSecret: environment.resolveSecret)
        let (messages, sender) = AsyncStream<Message>.makeStream()
        let runner = StepRunner(
            environment: environment, plan: plan, run: run, keeper: keeper, ledger: ledger, reader: reader,
            interruption: interruption, stopwatch: stopwatch, check: check,
            looks: SharedLooks(plan, environment.catalog, freshness: environment.timing.freshness) {
                check.access(for: $0.address.stack, $0.scope)
            },
            park: { sender.yield(.parked($0, $1)) })
        let finished = Set(completed.filter { $0.value.isFinished }.keys)
        var progress = Progress(
            scheduler: Scheduler(
                steps: plan.steps, completed: finished,
                batches: Batches(of: plan.steps, environment.catalog) { check.access(for: $0.address.stack, $0.scope) }),
            plan: plan, environment: environment, stopwatch: stopwatch)
        environment.events(.started(stepCount: plan.steps.count - finished.count))
        progress = await steps(progress, runner, messages, sender)
        if let broken = progress.broken { throw broken }

        progress.report.outputs = try await outputs(snapshot, ledger)
        return progress.outcome
    }

    private var stacks: Set<String> {
        var stacks = Set(plan.reliesOn.map(\.address.stack)).union(plan.outputs.map(\.stack))
        func add(_ value: Value) {
            value.visitDeferred { stacks.formUnion($0.outputs.map(\.address.stack)) }
        }
        for step in plan.steps {
            stacks.insert(step.address.stack)
            stacks.formUnion(step.dependencies.map(\.stack))
            if let previous = step.previousAddress { stacks.insert(previous.stack) }
            step.desired.values.forEach(add)
        }
        for output in plan.outputs { if let after = output.after { add(after) } }
        return stacks
    }

    /// Open intents of the stacks that this run holds belong to runs that hold them no more.
    private func settle(_ stopwatch: Stopwatch, _ reader: ObjectReader) async throws(StateError) -> [Settlement] {
        let open = try await storage.openIntents().filter { fence.epochs[$0.address.stack] != nil }
        if open.isEmpty { return [] }
        let check = StalenessCheck(
            plan: plan, snapshot: Snapshot(lineage: ""), completed: [:], reader: reader, stopwatch: stopwatch,
            since: stopwatch.now, environment: environment)
        let settler = Settler(
            environment: environment, stopwatch: stopwatch, interruption: interruption,
            access: { check.access(for: $0, $1) })
        return try await settler.settle(open)
    }

    private func notLooked(_ failure: StepLookFailure) -> ApplyOutcome {
        var report = ApplyReport()
        let step = failure.step ?? plan.steps.first
        if let step {
            var description = StepFailure(failure.error, step)
            description.detail =
                "Nothing was sent, because \(failure.address) could not be looked at: \(failure.error.message)"
            report.failures = [ApplyReport.Failure(step: step, failure: description)]
            report.skipped = plan.steps.filter { $0.id != step.id }
        }
        return .failed(report)
    }

    // MARK: - Steps

    enum Message: Sendable {
        case ended(Step, StepRunner.Ending, seconds: Double)
        case parked(Int, Bool)
        case signal(Signal)
    }

    private func steps(
        _ start: Progress, _ runner: StepRunner, _ messages: AsyncStream<Message>,
        _ sender: AsyncStream<Message>.Continuation
    ) async -> Progress {
        let signals = signals
        let stopwatch = runner.stopwatch
        return await withTaskGroup(of: Void.self) { tasks in
            var progress = start
            tasks.addTask { for await signal in signals { sender.yield(.signal(signal)) } }
            var iterator = messages.makeAsyncIterator()
            while true {
                for batch in progress.takeReady() {
                    let shared =
                        batch.count > 1 ? SharedCall(batch.map(\.id), token: runner.environment.makeToken()) : nil
                    for step in batch {
                        tasks.addTask {
                            let started = stopwatch.now
                            let ending = await runner.run(step, sharing: shared)
                            sender.yield(.ended(step, ending, seconds: (stopwatch.now - started).seconds))
                        }
                    }
                }
                if progress.scheduler.isOver { break }
                guard let message = await iterator.next() else { break }
                progress.take(message)
            }
            tasks.cancelAll()
            return progress
        }
    }

    // MARK: - Outputs

    /// Writes the outputs as far as they are known, and returns those of the stacks that the plan is about.
    private func outputs(_ snapshot: Snapshot, _ ledger: Ledger) async throws(StateError) -> [String: [String: Value]] {
        var changed: [String: [String: Value]] = [:]
        for change in plan.outputs {
            var values = changed[change.stack] ?? snapshot.outputs[change.stack] ?? [:]
            if let after = change.after {
                // One that hangs on a step that failed keeps what it had.
                guard let value = await ledger.evaluate(output: after), isKeepable(value) else { continue }
                values[change.name] = value
            } else {
                values[change.name] = nil
            }
            changed[change.stack] = values
        }
        if !changed.isEmpty { try await storage.setOutputs(changed, fence: fence) }
        var outputs = snapshot.outputs.filter { fence.epochs[$0.key] != nil }
        outputs.merge(changed) { $1 }
        return outputs
    }

    /// Nothing is missing but secrets, which stay names.
    private func isKeepable(_ value: Value) -> Bool {
        var isKeepable = true
        value.visitDeferred { isKeepable = isKeepable && $0.outputs.isEmpty }
        return isKeepable
    }
}

/// What has happened so far. Pure, but for the events that it tells.
struct Progress: Sendable {
    var scheduler: Scheduler
    let plan: Plan
    let environment: ApplyEnvironment
    let stopwatch: Stopwatch
    var report = ApplyReport()
    var broken: StateError?
    private var running: [Int: Step] = [:]
    private var slots = Slots()
    private var wasInterrupted = false

    init(scheduler: Scheduler, plan: Plan, environment: ApplyEnvironment, stopwatch: Stopwatch) {
        self.scheduler = scheduler
        self.plan = plan
        self.environment = environment
        self.stopwatch = stopwatch
    }

    var outcome: ApplyOutcome {
        let isUnfinished =
            !scheduler.remaining.isEmpty || report.failures.contains { $0.failure.kind == .interrupted }
        if wasInterrupted, isUnfinished { return .interrupted(report) }
        return report.failures.isEmpty ? .done(report) : .failed(report)
    }

    mutating func takeReady() -> [[Step]] {
        let free = max(1, environment.parallelism) - slots.takenCount
        let batches = scheduler.takeReady(limit: max(0, free))
        for batch in batches {
            slots.take(batch.map(\.id))
            for step in batch {
                running[step.id] = step
                environment.events(.stepStarted(step))
            }
        }
        return batches
    }

    mutating func take(_ message: Application.Message) {
        switch message {
        case .parked(let step, let isParked):
            if running[step] == nil { break }
            slots.park(step, isParked)
            scheduler.park(step, isParked)
        case .signal(.interrupted):
            wasInterrupted = true
            scheduler.interrupt()
            environment.events(.interrupted(inFlight: running.values.map(\.address).sorted()))
        case .signal(.broken(let error)):
            broken = broken ?? error
            scheduler.interrupt()
        case .ended(let step, let ending, let seconds):
            running[step.id] = nil
            slots.leave(step.id)
            end(step, ending, seconds)
        }
    }

    private mutating func end(_ step: Step, _ ending: StepRunner.Ending, _ seconds: Double) {
        switch ending {
        case .done(let id):
            report.finished.append(step)
            environment.events(.stepFinished(step, id: id, seconds: seconds))
            _ = scheduler.finish(step.id, .done)
            return
        case .broken(let error):
            broken = broken ?? error
            scheduler.interrupt()
        case .failed(let failure), .interrupted(let failure):
            report.failures.append(ApplyReport.Failure(step: step, failure: failure))
            environment.events(.stepFailed(step, failure, seconds: seconds))
        }
        for skipped in scheduler.finish(step.id, .failed) {
            let step = plan.steps[skipped.step]
            report.skipped.append(step)
            environment.events(.stepSkipped(step, because: skipped.because))
        }
    }
}

/// How many calls are made at a time: steps that started together make one, and who waits for the cloud makes none.
private struct Slots {
    /// The number of the slot of each running step: its own, or that of the first one of its batch.
    private var slots: [Int: Int] = [:]
    private var parked: Set<Int> = []
    /// By slot: how many of its steps do not wait.
    private var callers: [Int: Int] = [:]

    var takenCount: Int { callers.count }

    mutating func take(_ steps: [Int]) {
        guard let first = steps.first else { return }
        for step in steps { slots[step] = first }
        callers[first] = steps.count
    }

    mutating func park(_ step: Int, _ isParked: Bool) {
        guard slots[step] != nil, parked.contains(step) != isParked else { return }
        if isParked { parked.insert(step) } else { parked.remove(step) }
        count(step, by: isParked ? -1 : 1)
    }

    mutating func leave(_ step: Int) {
        if parked.remove(step) == nil { count(step, by: -1) }
        slots[step] = nil
    }

    private mutating func count(_ step: Int, by change: Int) {
        guard let slot = slots[step] else { return }
        let left = (callers[slot] ?? 0) + change
        callers[slot] = left > 0 ? left : nil
    }
}
