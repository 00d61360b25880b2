// Follows a plan: leases, a look whether the plan still holds, and then its steps, each journalled before and after.
//
// `Scheduler` decides what may start, `StepRunner` takes one step through its calls, and the loop here connects them: it
// is the only one that starts tasks, and hears of everything through one stream of messages. A step that waits for the
// cloud or for its next attempt is parked and leaves its place to another.
//
// Absent on purpose: it derives nothing from the spec and knows no resource type.
//
// Weakness: between the last look at the lease's deadline and the request a process may be stopped long enough to lose
// its lease.
package import MusterModel
import ProviderKit
package import StateStorage

package struct Applier: Sendable {
    private let environment: ApplyEnvironment

    package init(_ environment: ApplyEnvironment) { self.environment = environment }

    /// Does the steps of a plan and no others.
    ///
    /// - Parameter interruptions: each element is the wish to stop (SIGINT, SIGTERM); the first counts.
    /// - Throws: what keeps the state from being used: `.leaseHeld` when another run holds a stack, `.boundElsewhere`
    ///   when the plan's account is not the state's, `.leaseLost`, a full disk. Objects that were made by then are
    ///   in the state, or their intents are.
    package func apply(
        _ plan: Plan, by identity: RunIdentity, interruptions: AsyncStream<Void>
    ) async throws(StateError) -> ApplyOutcome {
        try refuseOtherAccounts(plan, try await environment.storage.bindings())
        return try await holding(leases(of: plan), by: identity, interruptions) {
            (holder, keeper, interruption, signals) async throws(StateError) in
            try await Application(
                environment: environment, plan: plan, identity: identity, holder: holder, keeper: keeper,
                interruption: interruption, signals: signals
            ).run()
        }
    }

    /// Settles what dead runs left open, so that a plan is made from what is. Does nothing, and takes no lease, when
    /// there is nothing open. Throws as `apply` does.
    ///
    /// - Parameter tell: gets a sentence when something has to be waited for.
    package func settle(
        by identity: RunIdentity, tell: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(StateError) -> [Settlement] {
        // The calls of a run that is alive are its own.
        let held = Set(
            try await environment.storage.leases()
                .filter { $0.mode == .exclusive && !$0.isOver && !environment.isDead($0.holder) }.map(\.stack))
        let open = try await environment.storage.openIntents().filter { !held.contains($0.address.stack) }
        if open.isEmpty { return [] }
        let stacks = Dictionary(open.map { ($0.address.stack, LeaseMode.exclusive) }, uniquingKeysWith: { $1 })
        let (interruptions, signal) = AsyncStream<Void>.makeStream()
        defer { signal.finish() }
        return try await holding(stacks, by: identity, interruptions) {
            (_, _, interruption, _) async throws(StateError) in
            let settler = Settler(
                environment: environment, stopwatch: Stopwatch(environment.clock), interruption: interruption,
                access: { stack, scope in
                    var configuration =
                        environment.configurations[stack]
                        ?? environment.configurations.min { $0.key < $1.key }?.value ?? ProviderConfiguration()
                    if !scope.region.isEmpty { configuration.region = scope.region }
                    return Access(scope: scope, configuration: configuration)
                }, tell: tell)
            return try await settler.settle(
                try await environment.storage.openIntents().filter { stacks[$0.address.stack] != nil })
        }
    }

    // MARK: - Leases

    private func leases(of plan: Plan) -> [String: LeaseMode] {
        var leases: [String: LeaseMode] = [:]
        for reliance in plan.reliesOn { leases[reliance.address.stack] = .shared }
        for step in plan.steps {
            for address in step.dependencies where leases[address.stack] == nil { leases[address.stack] = .shared }
        }
        for output in plan.outputs { leases[output.stack] = .exclusive }
        for step in plan.steps {
            leases[step.address.stack] = .exclusive
            if let previous = step.previousAddress { leases[previous.stack] = .exclusive }
        }
        return leases
    }

    private func refuseOtherAccounts(_ plan: Plan, _ bindings: [String: StateBinding]) throws(StateError) {
        for (stack, scope) in plan.scopes.sorted(by: { $0.key < $1.key }) {
            let wanted = StateBinding(key: stack, scope: scope)
            if let bound = bindings[stack], bound != wanted { throw .boundElsewhere(bound, wanted: wanted) }
        }
    }

    /// Holds leases around the body, with a heartbeat, and gives them back afterwards.
    private func holding<Result: Sendable>(
        _ stacks: [String: LeaseMode], by identity: RunIdentity, _ interruptions: AsyncStream<Void>,
        _ body:
            @Sendable (LeaseHolder, LeaseKeeper, Interruption, AsyncStream<Signal>) async throws(StateError) -> Result
    ) async throws(StateError) -> Result {
        let holder = LeaseHolder(
            token: environment.makeToken(), who: identity.who, host: identity.host, pid: identity.pid,
            process: identity.process)
        let storage = environment.storage
        let duration = environment.timing.lease
        let stopwatch = Stopwatch(environment.clock)
        let taken = stopwatch.now
        let fence = try await storage.acquireLeases(
            stacks, holder: holder, duration: duration, isDead: environment.isDead)
        let keeper = LeaseKeeper(fence, storage, stopwatch, duration, taken: taken)
        let interruption = Interruption()
        let (signals, sender) = AsyncStream<Signal>.makeStream()
        let result: Swift.Result<Result, StateError> = await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for await _ in interruptions {
                    await interruption.trigger()
                    sender.yield(.interrupted)
                    break
                }
            }
            tasks.addTask {
                while !Task.isCancelled {
                    await stopwatch.sleep(duration / 3)
                    if Task.isCancelled { break }
                    do throws(StateError) {
                        try await keeper.renew()
                    } catch {
                        // Anything else may pass; the fence of the next intent decides.
                        guard case .leaseLost = error.kind else { continue }
                        await interruption.trigger()
                        sender.yield(.broken(error))
                        break
                    }
                }
            }
            let result: Swift.Result<Result, StateError>
            do throws(StateError) {
                result = .success(try await body(holder, keeper, interruption, signals))
            } catch {
                result = .failure(error)
            }
            tasks.cancelAll()
            return result
        }
        // A lease that is not given back ends by itself.
        _ = try? await storage.releaseLeases(fence)
        return try result.get()
    }
}

/// What reaches a run from outside.
enum Signal: Sendable {
    case interrupted
    case broken(StateError)
}
