import Applying
import FoundationEssentials
import MusterModel
import StateStorage
import TestSupport

/// Where a run may be stopped for ever.
package enum CrashPoint: Sendable, Hashable {
    package enum CallBoundary: String, Sendable, Hashable, CaseIterable {
        /// The request never leaves.
        case beforeSend
        /// It is on its way, and takes effect after the process is gone.
        case afterSend
        /// It had its effect, and no answer is read.
        case afterEffect
        /// The answer was read, and nothing was done with it.
        case afterReply
    }
    /// The number of a call that may change something, from 0.
    case call(Int, CallBoundary)
    /// The number of a write to the state, from 0.
    case write(Int, isAfter: Bool)
}

/// What happens to a call on its way.
package enum Trouble: String, Sendable, Hashable, CaseIterable {
    case throttled
    /// AWS fails, before or after the effect.
    case fault, faultAfterEffect
    case unavailable
    /// The connection breaks before anything is sent, or after, with and without the effect.
    case refusedConnection, lostRequest, lostReply
    /// The connection breaks, and the request takes effect a while later.
    case lateEffect
    /// What may be repeated is repeated on the way: it arrives twice, and the second answer comes back.
    case arrivesTwice
    /// A proxy answers instead, or in place of AWS's answer.
    case proxyPage, proxyPageAfterEffect
    /// The answer takes its time.
    case slow
}

/// A process of muster that stands still for a while: a laptop that sleeps, a stopped container.
package struct Freeze: Sendable, Hashable {
    /// After the write of this number.
    package var write: Int
    package var seconds: Int

    package init(write: Int, seconds: Int) {
        self.write = write
        self.seconds = seconds
    }
}

/// One process on one machine: it can die and stand still, and has clocks of its own.
final class Machine: @unchecked Sendable {
    let timeline: Timeline
    let pid: Int32
    /// By how much its wall clock is wrong.
    var wallSkew: Duration = .zero
    private(set) var isDead = false
    /// A dead process unwinds without taking any time of the others.
    private var afterDeath: Duration = .zero
    private var frozenUntil: Duration = .zero
    private let crash: CrashPoint?
    private let freeze: Freeze?
    private(set) var callCount = 0
    private(set) var requestCount = 0
    private(set) var writeCount = 0
    let died: AsyncStream<Void>
    private let tellDeath: AsyncStream<Void>.Continuation
    /// What happened at its boundaries, for the story of a failure.
    var story: [String] = []
    /// Steps that failed or had to be tried again.
    var hitches: [String] = []
    /// When its steps began and ended.
    var order = StepOrder()
    /// How many intents of dead runs it settled.
    var settledCount = 0
    /// True when it died in the middle of a call, so that the next run has something to tell.
    private(set) var diedInCall = false
    /// A secret's text turned up where none may be.
    var leaks: [String] = []

    init(_ timeline: Timeline, pid: Int32, crash: CrashPoint? = nil, freeze: Freeze? = nil) {
        self.timeline = timeline
        self.pid = pid
        self.crash = crash
        self.freeze = freeze
        (died, tellDeath) = AsyncStream<Void>.makeStream()
    }

    static let noon = Date(timeIntervalSince1970: 1_767_268_800)

    var now: Duration { timeline.now + afterDeath }
    var wallTime: Date { Machine.noon.addingTimeInterval((now + wallSkew).inSeconds) }
    var clock: VirtualClock {
        VirtualClock(read: { self.now }, pause: { try await self.pause($0) })
    }

    func note(_ text: String) { story.append("\(timeline.now.inSeconds) s [\(pid)]: \(text)") }

    func pause(_ duration: Duration) async throws {
        if isDead {
            afterDeath += max(.zero, duration)
            // Not no time at all, or those that unwind would never let the clock go on.
            try await timeline.sleep(for: .microseconds(10))
            return
        }
        try await timeline.sleep(for: max(.zero, duration))
        await thaw()
    }

    /// Nothing that this process does is seen while it stands still.
    func thaw() async {
        while frozenUntil > timeline.now, !isDead {
            let end = frozenUntil
            let timeline = timeline
            // A process that stands still does not hear that a task is cancelled.
            await Task { try? await timeline.sleep(until: end) }.value
        }
    }

    func die() {
        guard !isDead else { return }
        isDead = true
        note("dies")
        tellDeath.yield()
    }

    /// The number of a call that may change something.
    func countCall() -> Int {
        defer { callCount += 1 }
        return callCount
    }

    /// The number of a request of any kind, from 0.
    func countRequest() -> Int {
        defer { requestCount += 1 }
        return requestCount
    }

    func freezes(after write: Int) async {
        guard let freeze, freeze.write == write, !isDead else { return }
        frozenUntil = timeline.now + .seconds(freeze.seconds)
        note("stands still for \(freeze.seconds) s")
        await thaw()
    }

    func crashes(_ call: Int?, _ boundary: CrashPoint.CallBoundary) -> Bool {
        guard let call, crash == .call(call, boundary) else { return false }
        if !isDead { diedInCall = true }
        return true
    }

    func countWrite() -> Int {
        defer { writeCount += 1 }
        return writeCount
    }

    func crashes(_ write: Int, isAfter: Bool) -> Bool { crash == .write(write, isAfter: isAfter) }
}

/// The state of one process: it can die before or after any of its writes.
final class MachineStorage: WatchedStorage {
    let base: SQLiteStateStorage
    private let machine: Machine

    init(_ base: SQLiteStateStorage, _ machine: Machine) {
        self.base = base
        self.machine = machine
    }

    private static let dead = StateError(.other, summary: "dead", detail: "dead", hint: "dead")

    func writing<Result: Sendable>(
        _ what: String, _ body: () async throws(StateError) -> Result
    ) async throws(StateError) -> Result {
        await machine.thaw()
        if machine.isDead { throw MachineStorage.dead }
        let number = machine.countWrite()
        if machine.crashes(number, isAfter: false) { machine.die() }
        if machine.isDead { throw MachineStorage.dead }
        machine.note("write \(number): \(what)")
        let result = try await body()
        if machine.crashes(number, isAfter: true) { machine.die() }
        await machine.freezes(after: number)
        if machine.isDead { throw MachineStorage.dead }
        return result
    }

    func reading<Result: Sendable>(
        _ body: () async throws(StateError) -> Result
    ) async throws(StateError) -> Result {
        await machine.thaw()
        if machine.isDead { throw MachineStorage.dead }
        return try await body()
    }
}
