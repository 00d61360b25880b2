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
        var activity = 0
    }

    private let state = Mutex(State())

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .zero }
    var elapsed: Duration { now.offset }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let number = state.withLock { state in
            state.count += 1
            state.activity += 1
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
        state.withLock { state in
            state.busy += 1
            state.activity += 1
        }
        defer {
            state.withLock { state in
                state.busy -= 1
                state.activity += 1
            }
        }
        return try await body()
    }

    func advance(by duration: Duration) { state.withLock { $0.now = $0.now.advanced(by: duration) } }

    /// Runs the body while time passes.
    func run<Result: Sendable>(_ body: sending () async throws -> Result) async rethrows -> Result {
        let driver = Task { await drive() }
        defer { driver.cancel() }
        return try await body()
    }

    private func drive() async {
        while !Task.isCancelled {
            let before = state.withLock { $0.activity }
            for _ in 0..<60 { await Task.yield() }
            let due = state.withLock { state -> [Sleeper] in
                guard state.busy == 0, state.activity == before,
                    let next = state.sleepers.map(\.deadline).min()
                else { return [] }
                state.now = max(state.now, next)
                state.activity += 1
                let due = state.sleepers.filter { $0.deadline <= state.now }
                state.sleepers.removeAll { $0.deadline <= state.now }
                return due
            }
            for sleeper in due { sleeper.continuation.resume() }
        }
    }
}
