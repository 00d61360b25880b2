// One thread on which everything of a simulated world happens, one job after the other, and a clock that jumps ahead
// when nothing is left to do.
//
// Jobs that Swift's runtime would spread over the machine's threads are caught by the runtime's own hook and queued
// here, so that the same seed gives the same order. Several worlds may run beside each other, each on a thread of its
// own: which world a job belongs to is known by the thread that makes it.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The thread and the clock of one world. Everything in it is touched by its own thread only.
package final class Timeline: SerialExecutor, TaskExecutor, @unchecked Sendable {
    private struct Sleeper {
        let number: Int
        let deadline: Duration
        let continuation: CheckedContinuation<Void, any Error>
    }

    private var jobs: [UnownedJob] = []
    private var next = 0
    private var sleepers: [Sleeper] = []
    private var cancelled: Set<Int> = []
    private var count = 0
    /// How many jobs have run: a world that does not come to its end is stopped.
    private var jobCount = 0
    private let maximumJobs: Int
    package private(set) var now: Duration = .zero

    package init(maximumJobs: Int = 20_000_000) { self.maximumJobs = maximumJobs }

    /// What kept a body from coming to its end.
    package enum Stuck: Error, Sendable {
        /// Nothing could run and nobody slept.
        case nobodyMoves
        case tooLong
    }

    /// Runs the body and everything that it starts, on this thread.
    package func run<Result: Sendable>(_ body: @escaping @Sendable () async -> Result) throws(Stuck) -> Result {
        Hook.install()
        let before = Timeline.current
        Timeline.current = self
        defer { Timeline.current = before }
        let box = Box<Result>()
        Task { box.value = await body() }
        while true {
            if next < jobs.count {
                let job = jobs[next]
                next += 1
                if next > 1_000, next * 2 > jobs.count {
                    jobs.removeFirst(next)
                    next = 0
                }
                jobCount += 1
                job.runSynchronously(on: asUnownedTaskExecutor())
                if jobCount > maximumJobs { throw .tooLong }
                continue
            }
            if let value = box.value { return value }
            guard wakeNext() else { throw .nobodyMoves }
        }
    }

    /// Lets the clock jump to the next moment that somebody waits for.
    private func wakeNext() -> Bool {
        guard let first = sleepers.min(by: { ($0.deadline, $0.number) < ($1.deadline, $1.number) }) else {
            return false
        }
        now = max(now, first.deadline)
        sleepers.removeAll { $0.number == first.number }
        first.continuation.resume()
        return true
    }

    /// Throws when the task is cancelled.
    package func sleep(until deadline: Duration) async throws {
        count += 1
        let number = count
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if cancelled.remove(number) != nil {
                    continuation.resume(throwing: CancellationError())
                } else {
                    sleepers.append(Sleeper(number: number, deadline: deadline, continuation: continuation))
                }
            }
        } onCancel: {
            if let index = sleepers.firstIndex(where: { $0.number == number }) {
                sleepers.remove(at: index).continuation.resume(throwing: CancellationError())
            } else {
                cancelled.insert(number)
            }
        }
    }

    package func sleep(for duration: Duration) async throws { try await sleep(until: now + duration) }

    // MARK: - As an executor

    package func enqueue(_ job: consuming ExecutorJob) { jobs.append(UnownedJob(job)) }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    package func isSameExclusiveExecutionContext(other: Timeline) -> Bool { self === other }

    package func checkIsolated() {}

    private final class Box<Value>: @unchecked Sendable { var value: Value? }

    // MARK: - Whose job it is

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    fileprivate static var current: Timeline? {
        get {
            pthread_getspecific(key).map { Unmanaged<Timeline>.fromOpaque($0).takeUnretainedValue() }
        }
        set { pthread_setspecific(key, newValue.map { UnsafeRawPointer(Unmanaged.passUnretained($0).toOpaque()) }) }
    }

    fileprivate func take(_ job: UnownedJob) { jobs.append(job) }

    /// The runtime asks its hook where jobs go that have no executor of their own.
    private enum Hook {
        typealias Original = @convention(thin) (UnownedJob) -> Void
        typealias Replacement = @convention(thin) (UnownedJob, Original) -> Void

        static func install() { _ = isInstalled }

        private static let isInstalled: Bool = {
            guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "swift_task_enqueueGlobal_hook") else { return false }
            let replacement: Replacement = { job, original in
                if let timeline = Timeline.current { timeline.take(job) } else { original(job) }
            }
            symbol.assumingMemoryBound(to: Optional<Replacement>.self).pointee = replacement
            return true
        }()
    }
}

/// The clock of a world, as one machine of it sees it.
package struct VirtualClock: Clock {
    package struct Instant: InstantProtocol {
        package var offset: Duration
        package func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        package func duration(to other: Instant) -> Duration { other.offset - offset }
        package static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let read: @Sendable () -> Duration
    private let pause: @Sendable (Duration) async throws -> Void

    package init(
        read: @escaping @Sendable () -> Duration, pause: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.read = read
        self.pause = pause
    }

    package var now: Instant { Instant(offset: read()) }
    package var minimumResolution: Duration { .zero }
    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await pause(deadline.offset - read())
    }
}
