import Foundation
import MusterModel
import StateStorage
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#endif

private final class WallClock: Sendable {
    private let seconds = Mutex(0.0)
    func advance(_ by: Double) { seconds.withLock { $0 += by } }
    var now: Date { noon.addingTimeInterval(seconds.withLock { $0 }) }
}

private let ann = LeaseHolder(token: "h1", who: "ann", host: "desk", pid: 7)
private let bob = LeaseHolder(token: "h2", who: "bob", host: "ci", pid: 8)

extension StateStorage {
    fileprivate func acquire(_ stacks: [String: LeaseMode], _ holder: LeaseHolder, isDead: Bool = false) async throws
        -> Fence
    {
        try await acquireLeases(stacks, holder: holder, duration: .seconds(60), isDead: { _ in isDead })
    }
}

@Test("The second run of a stack is told who holds it, since when and where")
func held() async throws {
    let state = try Scratch().writer()
    _ = try await state.acquire(["prod": .exclusive], ann)
    let kind = await failure { _ = try await state.acquire(["dev": .exclusive, "prod": .exclusive], bob) }
    guard case .leaseHeld(let lease) = kind else {
        Issue.record("\(String(describing: kind))")
        return
    }
    #expect(lease.holder == ann && lease.stack == "prod" && lease.acquired == noon)
    // All or none.
    #expect(try await state.leases().map(\.stack) == ["prod"])
    #expect(await failure { _ = try await state.acquire(["prod": .shared], bob) } == kind)
    _ = try await state.acquire(["dev": .exclusive], bob)
}

@Test("Runs that only refer to a stack share it")
func shared() async throws {
    let state = try Scratch().writer()
    _ = try await state.acquire(["vpc": .shared], ann)
    let fence = try await state.acquire(["vpc": .shared], bob)
    #expect(try await state.leases().count == 2)
    try await state.releaseLeases(fence)
    #expect(try await state.leases().map(\.holder) == [ann])
}

@Test("A lease that is not renewed is taken over, and the former holder can write no intent")
func takenOver() async throws {
    let clock = WallClock()
    let state = try Scratch().writer(at: { clock.now })
    let first = try await state.acquire(["vpc": .exclusive], ann)
    let run = try await state.beginRun(runStart)
    clock.advance(50)
    try await state.renewLeases(first, duration: .seconds(60))
    clock.advance(50)
    #expect(await failure { _ = try await state.acquire(["vpc": .exclusive], bob) } != nil)
    _ = try await state.recordIntent(intent(run, address("a"), fence: first))
    clock.advance(20)
    // Late, but nobody wanted it.
    try await state.renewLeases(first, duration: .seconds(60))
    clock.advance(61)
    let second = try await state.acquire(["vpc": .exclusive], bob)
    #expect(second.epochs == ["vpc": 2])
    #expect(
        await failure { _ = try await state.recordIntent(intent(run, address("b"), step: 1, fence: first)) }
            == .leaseLost(stack: "vpc"))
    #expect(
        await failure { try await state.renewLeases(first, duration: .seconds(60)) } == .leaseLost(stack: "vpc"))
    try await state.releaseLeases(first)
    _ = try await state.recordIntent(intent(run, address("b"), step: 1, fence: second))
}

@Test("The lease of a dead process is taken over at once")
func dead() async throws {
    let state = try Scratch().writer()
    _ = try await state.acquire(["vpc": .exclusive], ann)
    #expect(try await state.acquire(["vpc": .exclusive], bob, isDead: true).epochs == ["vpc": 2])
}

@Test("The leases of the dead go whatever their stack; one that is only late goes when its stack is wanted")
func swept() async throws {
    let clock = WallClock()
    let state = try Scratch().writer(at: { clock.now })
    _ = try await state.acquire(["vpc": .exclusive, "base": .exclusive], ann)
    clock.advance(61)
    _ = try await state.acquire(["vpc": .exclusive], bob)
    #expect(try await state.leases().map(\.stack) == ["base", "vpc"])
    _ = try await state.acquire(["vpc": .exclusive], ann, isDead: true)
    #expect(try await state.leases().map(\.stack) == ["base", "vpc"])
    #expect(try await state.leases().allSatisfy { $0.holder == ann })
    _ = try await state.acquire(["dns": .shared], bob, isDead: true)
    #expect(try await state.leases().map(\.stack) == ["dns"])
}

@Test("This process is alive, a free number and a reused one are dead, and another machine is not judged")
func processes() {
    let pid = ProcessInfo.processInfo.processIdentifier
    let me = ProcessIdentity.of(pid: pid)
    #if os(Linux)
        #expect(me.split(separator: " ").count == 3)
        func holder(_ pid: Int32, _ process: String) -> LeaseHolder {
            LeaseHolder(token: "t", who: "w", host: "h", pid: pid, process: process)
        }
        #expect(!ProcessIdentity.isDead(holder(pid, me)))
        #expect(ProcessIdentity.isDead(holder(pid, me + "1")))
        #expect(ProcessIdentity.isDead(holder(Int32.max, me)))
        #expect(!ProcessIdentity.isDead(holder(Int32.max, "")))
        #expect(!ProcessIdentity.isDead(holder(Int32.max, "other pid:[1] 5")))

        // A child that ended and that nobody waited for: it holds its number, and runs no more.
        var child = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
        defer { for argument in arguments { free(argument) } }
        #expect(posix_spawnp(&child, "sleep", nil, nil, &arguments, nil) == 0)
        let its = ProcessIdentity.of(pid: child)
        #expect(!ProcessIdentity.isDead(holder(child, its)))
        kill(child, SIGKILL)
        var information = siginfo_t()
        waitid(P_PID, id_t(child), &information, Int32(WEXITED | WNOWAIT))
        #expect(ProcessIdentity.isDead(holder(child, its)))
        waitpid(child, nil, 0)
    #endif
}
