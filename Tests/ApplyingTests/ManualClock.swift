import Dispatch
import Synchronization

/// Time that passes only when nobody has anything else to do: then it jumps to the next moment that somebody waits for.
final class ManualClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct Sleeper {
        let number: Int
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Sleeper] = []
        var cancelled: Set<Int> = []
        var count = 0
        var busy = 0
        /// The driver, while somebody is busy.
        var driver: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .zero }
    var elapsed: Duration { now.offset }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.cancelled.contains(number) || deadline <= state.now { return true }
                    state.sleepers.append(Sleeper(number: number, deadline: deadline, continuation: continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                state.cancelled.insert(number)
                guard let index = state.sleepers.firstIndex(where: { $0.number == number }) else { return nil }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Something that takes no time on this clock, but must be over before time goes on.
    func busy<Result, Failure: Error>(_ body: () async throws(Failure) -> Result) async throws(Failure) -> Result {
        state.withLock { $0.busy += 1 }
        defer {
            let driver = state.withLock { state in
                state.busy -= 1
                return state.busy == 0 ? state.driver.take() : nil
            }
            driver?.resume()
        }
        return try await body()
    }

    func advance(by duration: Duration) { state.withLock { $0.now = $0.now.advanced(by: duration) } }

    /// Runs the body, and all that it starts, while time passes.
    func run<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        let queue = CountingExecutor()
        let driver = Task(executorPreference: queue) { await self.drive(queue) }
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await withTaskExecutorPreference(queue) { try await body() })
        } catch {
            result = .failure(error)
        }
        driver.cancel()
        await driver.value
        return try result.get()
    }

    private func drive(_ queue: CountingExecutor) async {
        while !Task.isCancelled {
            await Task.yield()
            // Nobody else is waiting for their turn, and nobody is working elsewhere: all sleep.
            if queue.pendingCount > 0 { continue }
            await withCheckedContinuation { continuation in
                let isIdle = state.withLock { state in
                    if state.busy > 0 { state.driver = continuation }
                    return state.busy == 0
                }
                if isIdle { continuation.resume() }
            }
            if queue.pendingCount > 0 { continue }
            let due = state.withLock { state -> [Sleeper] in
                guard state.busy == 0, let next = state.sleepers.map(\.deadline).min() else { return [] }
                state.now = max(state.now, next)
                let due = state.sleepers.filter { $0.deadline <= state.now }
                state.sleepers.removeAll { $0.deadline <= state.now }
                return due
            }
            for sleeper in due { sleeper.continuation.resume() }
            // Nobody waits for time: something goes on on another executor, which wants this processor.
            if due.isEmpty { try? await Task.sleep(for: .milliseconds(1)) }
        }
    }
}

/// One job after the other, and it knows how many wait.
private final class CountingExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "muster.tests")
    private let pending = Mutex(0)

    var pendingCount: Int { pending.withLock { $0 } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pending.withLock { $0 += 1 }
        queue.async {
            self.pending.withLock { $0 -= 1 }
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
