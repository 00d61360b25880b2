import Foundation
import MusterModel
import ProviderKit
import StateStorage
import Synchronization
import Testing

@testable import Applying

@Test("A creation whose answer was lost is found, not sent again", arguments: [0, 30])
func lostReply(lag: Int) async throws {
    let world = try World()
    world.cloud.with { $0.lag = .seconds(lag) }
    world.cloud.fail(.create, .outcomeUnknown, afterEffect: true)
    _ = try await world.expectDone(plan([create(network("main"))]))
    #expect(world.cloud.mutations.count == 1)
    #expect(world.cloud.objects.map(\.id) == [try await world.snapshot().records[network("main")]?.id])
}

@Test("A creation that never arrived is sent again when it would have turned up, with the same mark")
func lostRequest() async throws {
    let world = try World()
    world.cloud.fail(.create, .outcomeUnknown)
    _ = try await world.expectDone(plan([create(network("main"))]))
    #expect(world.cloud.mutations.count == 2)
    #expect(world.clock.elapsed >= .seconds(300))
    #expect(world.cloud.objects.count == 1)
}

@Test("A look whose answer comes late tells of the moment at which it was asked for")
func slowLook() async throws {
    let world = try World()
    // The last look within the window is asked for before the object is seen, and answered after.
    world.cloud.with { ($0.lag, $0.answering) = (.seconds(290), .seconds(60)) }
    world.cloud.fail(.create, .outcomeUnknown, afterEffect: true)
    _ = try await world.expectDone(plan([create(network("main"))]))
    #expect(world.cloud.mutations.count == 1)
    #expect(world.cloud.objects.map(\.id) == [try await world.snapshot().records[network("main")]?.id])
}

@Test("What a creation that never was may have kept elsewhere goes when that is settled")
func abandonedCreation() async throws {
    let world = try World()
    let storage = ObservedStorage(
        base: try world.storage(), clock: world.clock, death: .init(atWrite: 3, isAfter: true))
    _ = try? await world.apply(plan([create(network("main"), ["place": "here"])]), storage: storage)
    world.cloud.with { $0.objects = [:] }
    #expect(try await world.storage().openIntents().count == 1)
    world.clock.advance(by: .seconds(400))
    #expect(try await world.settle().map(\.isSettled) == [true])
    #expect(world.cloud.with { $0.clearedPlaces } == ["here"])
}

@Test(
    "What is forgotten keeps what it kept elsewhere: nothing is taken away that no plan says", arguments: [true, false])
func forgotten(isGone: Bool) async throws {
    let world = try World()
    let main = network("main")
    _ = try await world.expectDone(plan([create(main, ["place": "here"])]))
    let record = try #require(try await world.snapshot().records[main])
    if isGone { world.cloud.with { $0.objects = [:] } }
    _ = try await world.expectDone(plan("p2", [step(.forget, record, world.cloud)]))
    #expect(world.cloud.with { $0.clearedPlaces } == [])
}

@Test("What a dead run's update was to change and no look tells of is not recorded, so that it is set again")
func unsureUpdate() async throws {
    let world = try World()
    let main = network("main")
    _ = try await world.expectDone(plan([create(main, ["password": "one", "text": "a", "place": "here"])]))
    let record = try #require(try await world.snapshot().records[main])
    #expect(record.digests["password"] != nil)
    let update = step(
        .update, record, world.cloud,
        desired: ["name": "main", "password": "two", "text": "b", "place": "there"])
    for write in 0..<12 where try await world.storage().openIntents().isEmpty {
        let storage = ObservedStorage(
            base: try world.storage(), clock: world.clock, death: .init(atWrite: write, isAfter: true))
        _ = try? await world.apply(plan("p2", [update]), storage: storage)
        world.clock.advance(by: .seconds(400))
    }
    #expect(try await world.storage().openIntents().map(\.operation) == [.update])
    #expect(try await world.settle().map(\.isSettled) == [true])
    let after = try #require(try await world.snapshot().records[main])
    #expect(after.digests["password"] == nil && after.arguments["place"] == nil)
    #expect(after.arguments["text"] == "a")
    #expect(world.cloud.with { $0.clearedPlaces } == ["here", "there"])
    // The same plan goes on, and what a look tells of is changed too.
    _ = try await world.expectDone(plan("p2", [update]))
    #expect(world.cloud.objects.map { $0.arguments["text"] } == ["b"])
    let last = try #require(try await world.snapshot().records[main])
    #expect(last.arguments["text"] == "b" && last.arguments["place"] == "there" && last.digests["password"] != nil)
}

@Test("A page from a proxy in between is no answer: the object is looked for")
func proxyPage() async throws {
    let world = try World()
    world.cloud.fail(.create, .notUnderstood, afterEffect: true)
    _ = try await world.expectDone(plan([create(network("main"))]))
    #expect(world.cloud.mutations.count == 1)
}

@Test("When nobody can look, the intent stays open and the next run settles it")
func cannotLook() async throws {
    let world = try World()
    world.cloud.fail(.create, .outcomeUnknown, afterEffect: true)
    world.cloud.fail(.find, .network, times: 10_000)
    let outcome = try await world.apply(plan([create(network("main"))]))
    #expect(outcome.report?.failures.map(\.failure.kind) == [.outcomeUnknown])
    #expect(try await world.storage().openIntents().count == 1)
    // As long as it cannot be looked for, nothing is sent.
    guard case .refused(let why) = try await world.apply(plan("p2", [create(network("main"))])) else {
        Issue.record("An unsettled address was touched.")
        return
    }
    #expect(why.first?.contains("vpc:sim.network/main") == true)
    world.cloud.with { $0.faults = [] }
    let settlements = try await world.settle()
    #expect(settlements.map(\.isSettled) == [true])
    #expect(world.cloud.objects.map(\.id) == [try await world.snapshot().records[network("main")]?.id])
    #expect(try await world.settle().isEmpty)
}

@Test("A name that is taken by somebody else is a clash, and theirs stays untouched")
func nameClash() async throws {
    let world = try World()
    let foreign = world.cloud.addForeign("sim.record", ["name": "www", "network": "theirs"])
    let outcome = try await world.apply(plan([create(simRecord("www"), ["network": "foreign-9"])]))
    #expect(outcome.report?.failures.map(\.failure.kind) == [.nameClash])
    #expect(outcome.report?.failures.first?.failure.detail.contains(foreign.rawValue) == true)
    #expect(world.cloud.objects.first?.arguments == ["name": "www", "network": "theirs"])
    #expect(try await world.snapshot().records.isEmpty)
    #expect(try await world.storage().openIntents().isEmpty)
}

@Test("A name that our own predecessor still seems to have is waited for; one that somebody else has is not")
func predecessorLingers() async throws {
    let world = try World()
    let theirs = world.cloud.addForeign("sim.network", ["name": "theirs"])
    world.cloud.with { $0.forgetting = .seconds(8) }
    let www = simRecord("www")
    _ = try await world.expectDone(plan([create(www)]))
    let first = try #require(try await world.snapshot().records[www])
    _ = try await world.expectDone(
        plan(
            "p2",
            [
                step(.delete, first, world.cloud),
                create(www, ["network": .string(theirs.rawValue)], after: [0], version: first.version),
            ]))
    #expect(world.cloud.objects.count == 2)
    #expect(try await world.snapshot().records[www]?.id != first.id)

    // Somebody else took the name in between.
    let second = try #require(try await world.snapshot().records[www])
    world.cloud.with { $0.forgetting = .zero }
    world.cloud.with { state in
        state.hook = { [cloud = world.cloud] call in
            guard call.verb == .create else { return }
            cloud.with { $0.hook = nil }
            cloud.addForeign("sim.record", ["name": "www", "network": "theirs"])
        }
    }
    let before = world.clock.elapsed
    let outcome = try await world.apply(
        plan(
            "p3",
            [
                step(.delete, second, world.cloud),
                create(www, ["network": "ours"], after: [0], version: second.version),
            ]))
    #expect(outcome.report?.failures.map(\.failure.kind) == [.nameClash])
    #expect(world.clock.elapsed - before < .seconds(60))
}

@Test("A name that an earlier attempt of ours took is ours")
func ownName() async throws {
    let world = try World()
    let main = network("main")
    // The second answer to one creation: it exists already.
    world.cloud.fail(.create, "www", .alreadyExists, afterEffect: true)
    _ = try await world.expectDone(
        plan([create(main), create(simRecord("www"), ["network": output(main)], after: [0])]))
    #expect(world.cloud.objects.count == 2)
}

@Test("A name that is free a little later than its object is gone is waited for")
func lateName() async throws {
    let world = try World()
    world.cloud.fail(.create, .alreadyExists, times: 3)
    _ = try await world.expectDone(plan([create(simRecord("www"))]))
    world.cloud.fail(.create, .alreadyExists, times: 100)
    let outcome = try await world.apply(plan("p2", [create(simRecord("other"))]))
    #expect(outcome.report?.failures.map(\.failure.kind) == [.nameClash])
    #expect(try await world.storage().openIntents().isEmpty)
}

@Test("Something new that is not visible everywhere is waited for; something old that is missing is an error")
func consistency() async throws {
    let world = try World()
    let main = network("main")
    world.cloud.with { $0.lag = .seconds(60) }
    _ = try await world.expectDone(
        plan([create(main), create(simRecord("www"), ["network": output(main)], after: [0])]))
    #expect(world.cloud.objects.count == 2)
    let before = world.clock.elapsed
    let outcome = try await world.apply(plan("p2", [create(simRecord("other"), ["network": "network-99"])]))
    #expect(outcome.report?.failures.map(\.failure.kind) == [.rejected])
    #expect(world.clock.elapsed - before < .seconds(30))
}

@Test("What another step may still make is waited for, though no edge says so, and no longer than that step takes")
func besideOthers() async throws {
    func world(refusing times: Int, windowSeconds: Int = 2) throws -> World {
        let world = try World()
        world.window.withLock { $0 = .seconds(windowSeconds) }
        world.cloud.with {
            $0.making = .seconds(60)
            $0.faults.append(
                .init(
                    matches: { $0.verb == .create && $0.type == "sim.record" },
                    error: ProviderError(.notYetVisible, "There is no gateway."), times: times))
        }
        return world
    }
    let waiting = try world(refusing: 5)
    _ = try await waiting.expectDone(plan([create(network("main")), create(simRecord("www"))]))
    let alone = try world(refusing: 5)
    #expect(try await alone.apply(plan([create(simRecord("www"))])).report?.failures.count == 1)
    #expect(alone.clock.elapsed < .seconds(30))
    let forNothing = try world(refusing: 500)
    let outcome = try await forNothing.apply(
        plan([create(network("main")), create(simRecord("www")), create(network("later"), after: [1])]))
    #expect(outcome.report?.failures.map(\.step.address) == [simRecord("www")])
    #expect(forNothing.clock.elapsed > .seconds(50) && forNothing.clock.elapsed < .seconds(200))
}

@Test("Throttling and passing failures are waited out")
func transient() async throws {
    let world = try World()
    let main = network("main")
    world.cloud.fail(.create, .throttled, times: 8)
    world.cloud.fail(.update, .unavailable, times: 3)
    world.cloud.fail(.update, .outcomeUnknown, afterEffect: true, times: 2)
    _ = try await world.expectDone(plan([create(main, ["dns": true])]))
    let record = try #require(try await world.snapshot().records[main])
    world.cloud.fail(.delete, .network)
    world.cloud.fail(.delete, .outcomeUnknown, afterEffect: true)
    _ = try await world.expectDone(plan("p2", [step(.delete, record, world.cloud)]))
    #expect(world.cloud.objects.isEmpty)
}

@Test("Credentials that are refused are said to be, at once")
func credentials() async throws {
    let world = try World()
    world.cloud.fail(.create, .badCredentials)
    let outcome = try await world.apply(plan([create(network("main"))]))
    #expect(outcome.report?.failures.map(\.failure.kind) == [.credentials])
    #expect(world.cloud.mutations.count == 1)
}

@Test("Reads that fail while something is waited for are not the end of it")
func failingPolls() async throws {
    let world = try World()
    world.cloud.with { $0.making = .seconds(20) }
    world.cloud.fail(.read, .unavailable, times: 5)
    _ = try await world.expectDone(plan([create(network("main"))]))
}

// MARK: - Interruption

@Test("An interruption starts nothing new, finishes what runs, and leaves waits")
func interrupted() async throws {
    let world = try World()
    world.cloud.with { $0.making = .seconds(500) }
    world.parallelism.withLock { $0 = 1 }
    let (interruptions, signal) = AsyncStream<Void>.makeStream()
    world.cloud.with {
        $0.hook = { call in if call.verb == .read { signal.yield() } }
    }
    let outcome = try await world.apply(
        plan([create(network("a")), create(simRecord("b"), after: [0])]), interruptions: interruptions)
    guard case .interrupted(let report) = outcome else {
        Issue.record("\(outcome)")
        return
    }
    #expect(report.finished.isEmpty)
    #expect(report.failures.map(\.failure.kind) == [.interrupted])
    #expect(world.story.contains("interrupted a"))
    let snapshot = try await world.snapshot()
    #expect(snapshot.records[network("a")]?.isIncomplete == true)
    #expect(world.cloud.objects.count == 1)
    #expect(try await world.storage().openIntents().isEmpty)
    #expect(try await world.storage().leases().isEmpty)
    #expect(try await world.storage().runs(limit: 1).map(\.outcome) == [.interrupted])
    #expect(world.clock.elapsed < .seconds(100))
}

@Test("An interruption during the last call does not hide that everything was done")
func interruptedAtTheEnd() async throws {
    let world = try World()
    let (interruptions, signal) = AsyncStream<Void>.makeStream()
    world.cloud.with { $0.hook = { call in if call.verb == .create { signal.yield() } } }
    let outcome = try await world.apply(plan([create(network("a"))]), interruptions: interruptions)
    guard case .done = outcome else {
        Issue.record("\(outcome)")
        return
    }
}

@Test("An interrupted plan goes on where it stopped, and is then used up")
func resume() async throws {
    let world = try World()
    world.parallelism.withLock { $0 = 1 }
    let (interruptions, signal) = AsyncStream<Void>.makeStream()
    world.cloud.with { $0.hook = { call in if call.verb == .create { signal.yield() } } }
    let names = ["a", "b", "c"]
    let steps = plan(
        names.enumerated().map { create(network($1), after: $0 == 0 ? [] : [$0 - 1]) })
    guard case .interrupted(let report) = try await world.apply(steps, interruptions: interruptions) else {
        Issue.record("It was not interrupted.")
        return
    }
    #expect(!report.finished.isEmpty && report.finished.count < 3)
    world.cloud.with { $0.hook = nil }
    let rest = try await world.expectDone(steps)
    #expect(rest?.finished.count == 3 - report.finished.count)
    #expect(world.cloud.names == names)
    world.cloud.forgetCalls()
    guard case .refused(let why) = try await world.apply(steps) else {
        Issue.record("A plan was applied twice.")
        return
    }
    #expect(why.count == 3)
    #expect(world.cloud.with { $0.calls.isEmpty })
}

@Test("A plan that was interrupted while it waited waits on, and sets what a creation still owes")
func resumeWait() async throws {
    for failing in [false, true] {
        let world = try World()
        world.cloud.with { $0.making = .seconds(500) }
        if failing { world.cloud.fail(.update, .invalid) }
        let (interruptions, signal) = AsyncStream<Void>.makeStream()
        world.cloud.with { $0.hook = { call in if call.verb == .read { signal.yield() } } }
        let main = network("main")
        let steps = plan([
            create(main, ["dns": true]), create(simRecord("www"), ["network": output(main)], after: [0]),
        ])
        _ = try await world.apply(steps, interruptions: interruptions)
        #expect(try await world.snapshot().records[main]?.isIncomplete == true)
        world.cloud.with { $0.hook = nil }
        let report = try await world.expectDone(steps)
        #expect(report?.finished.count == 2)
        #expect(world.cloud.objects.count == 2)
        #expect(world.cloud.objects.first { $0.type == "sim.network" }?.arguments["dns"] == true)
        #expect(try await world.snapshot().records.values.allSatisfy { !$0.isIncomplete })
        #expect(try await world.snapshot().records[main]?.arguments["dns"] == true)
    }
}

// MARK: - Leases

@Test("A second apply of a stack is told who holds it, and another stack's goes on")
func leases() async throws {
    let world = try World()
    let storage = try world.storage()
    let bob = LeaseHolder(token: "b", who: "bob", host: "ci", pid: 9)
    _ = try await storage.acquireLeases(
        ["vpc": .exclusive], holder: bob, duration: .seconds(60), isDead: { _ in false })
    do {
        _ = try await world.apply(plan([create(network("a"))]))
        Issue.record("A held stack was applied.")
    } catch let error as StateError {
        guard case .leaseHeld(let lease) = error.kind else {
            Issue.record("\(error)")
            return
        }
        #expect(lease.holder == bob)
        #expect(error.detail.contains("bob") && error.detail.contains("ci") && error.detail.contains("2026-01-01T12"))
    }
    #expect(world.cloud.with { $0.calls.isEmpty })
    _ = try await world.expectDone(plan("p2", [create(network("a", stack: "dev"))]))
    world.clock.advance(by: .seconds(61))
    _ = try await world.expectDone(plan("p3", [create(network("a"))]))
}

@Test("A run that was taken over sends nothing more")
func takenOver() async throws {
    let world = try World()
    let storage = try world.storage()
    world.cloud.with {
        $0.making = .seconds(30)
        $0.hook = { call in
            // Somebody else takes over while the first object is being waited for.
            guard call.verb == .read else { return }
            _ = try? await storage.acquireLeases(
                ["vpc": .exclusive], holder: LeaseHolder(token: "b", who: "bob", host: "ci", pid: 9),
                duration: .seconds(60), isDead: { _ in true })
        }
    }
    do {
        _ = try await world.apply(plan([create(network("a")), create(simRecord("b"), after: [0])]))
        Issue.record("A lost lease went unnoticed.")
    } catch let error as StateError {
        #expect(error.kind == .leaseLost(stack: "vpc"))
    }
    #expect(world.cloud.mutations.count == 1)
    #expect(try await storage.leases().map(\.holder.token) == ["b"])
}

@Test("Other credentials than the state's are refused before anything is sent")
func otherAccount() async throws {
    let world = try World()
    _ = try await world.expectDone(plan([create(network("a"))]))
    world.cloud.forgetCalls()
    var other = plan("p2", [create(network("b"))])
    other.scopes["vpc"]?.account = "2"
    do {
        _ = try await world.apply(other)
        Issue.record("Another account was accepted.")
    } catch let error as StateError {
        #expect(error.kind == .boundElsewhere(StateBinding(key: "vpc", scope: World.scope)))
    }
    #expect(world.cloud.with { $0.calls.isEmpty })
}
