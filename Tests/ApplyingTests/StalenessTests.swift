import MusterModel
import StateStorage
import ProviderKit
import Synchronization
import Foundation
import Testing

@testable import Applying

/// A network and a record in it, applied.
private func prepared() async throws -> (world: World, main: ResourceRecord, www: ResourceRecord) {
    let world = try World()
    _ = try await world.expectDone(
        plan("p0", [create(network("main"), ["text": "a", "tags": ["Name": "x"]]), create(simRecord("www"))]))
    world.cloud.forgetCalls()
    let snapshot = try await world.snapshot()
    return (
        world, try #require(snapshot.records[network("main")]), try #require(snapshot.records[simRecord("www")])
    )
}

/// Applies and expects a refusal that changed nothing and names the address.
private func expectRefusal(
    _ world: World, _ plan: Plan, _ address: Address, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let before = try await world.snapshot()
    guard case .refused(let why) = try await world.apply(plan) else {
        Issue.record("A stale plan was applied.", sourceLocation: sourceLocation)
        return
    }
    #expect(why.count == 1 && why.allSatisfy { $0.contains(address.description) }, sourceLocation: sourceLocation)
    #expect(world.cloud.mutations.isEmpty, sourceLocation: sourceLocation)
    #expect(try await world.snapshot().records == before.records, sourceLocation: sourceLocation)
    #expect(try await world.storage().runs(limit: 1).map(\.outcome) == [.refused], sourceLocation: sourceLocation)
}

@Test("A plan whose object was changed by hand is refused, and nothing is sent")
func changedByHand() async throws {
    let (world, main, www) = try await prepared()
    let steps = plan([
        step(.update, www, world.cloud, desired: ["name": "www", "text": "new"]),
        step(.update, main, world.cloud, desired: ["name": "main", "text": "b"]),
    ])
    world.cloud.with { $0.objects[main.id]?.arguments["text"] = "by hand" }
    try await expectRefusal(world, steps, main.address)
}

@Test("A plan whose object is gone is refused")
func gone() async throws {
    let (world, main, _) = try await prepared()
    let steps = plan([step(.update, main, world.cloud, desired: ["name": "main", "text": "b"])])
    _ = world.cloud.with { $0.objects.removeValue(forKey: main.id) }
    try await expectRefusal(world, steps, main.address)
}

@Test("A plan that deletes what somebody else deleted since is refused: it is not as the plan saw it")
func goneBeforeDelete() async throws {
    let (world, main, _) = try await prepared()
    let steps = plan([step(.delete, main, world.cloud)])
    _ = world.cloud.with { $0.objects.removeValue(forKey: main.id) }
    try await expectRefusal(world, steps, main.address)
}

/// A plan that replaces an object by a successor that is made first.
private func replacement(of old: ResourceRecord, in world: World) -> Plan {
    var make = create(old.address, ["text": "new"], version: old.version)
    make.deposesPrevious = true
    make.generation = 2
    return plan("p1", [make, step(.delete, old, world.cloud, after: [0], isDeposed: true)])
}

@Test("A predecessor that is gone was not seen by the plan either: its run may have died after it had deleted it")
func predecessorGoneBeforeDelete() async throws {
    let (world, main, _) = try await prepared()
    world.cloud.fail(.delete, .invalid)
    #expect(try await world.apply(replacement(of: main, in: world)).report?.failures.count == 1)
    let old = try #require(try await world.snapshot().deposed[main.address]?.first)
    let next = plan("p2", [step(.delete, old, world.cloud, isDeposed: true)])
    _ = world.cloud.with { $0.objects.removeValue(forKey: old.id) }
    _ = try await world.expectDone(next)
    #expect(try await world.snapshot().deposed.isEmpty)
}

@Test("A plan that replaces what was changed or deleted by hand is refused")
func replacedAfterChange() async throws {
    let (world, main, _) = try await prepared()
    let changed = replacement(of: main, in: world)
    world.cloud.with { $0.objects[main.id]?.arguments["text"] = "by hand" }
    try await expectRefusal(world, changed, main.address)
    let gone = replacement(of: main, in: world)
    _ = world.cloud.with { $0.objects.removeValue(forKey: main.id) }
    try await expectRefusal(world, gone, main.address)
}

@Test("That an object is gone when its delete comes is all that the delete wants")
func goneDuringDelete() async throws {
    let (world, main, www) = try await prepared()
    let steps = twoDeletes(www, main, in: world)
    world.beforeFirstDelete { $0.objects.removeValue(forKey: main.id) }
    _ = try await world.expectDone(steps)
    #expect(try await world.snapshot().records.isEmpty)
}

@Test("What is only invisible when its delete comes is deleted all the same")
func invisibleDuringDelete() async throws {
    let (world, main, www) = try await prepared()
    let steps = twoDeletes(www, main, in: world)
    let later = world.clock.elapsed + .seconds(100)
    world.beforeFirstDelete { $0.objects[main.id]?.visibleAt = later }
    _ = try await world.expectDone(steps)
    #expect(world.cloud.objects.isEmpty)
}

extension World {
    fileprivate func beforeFirstDelete(_ change: @escaping @Sendable (inout SimulatedCloud.State) -> Void) {
        cloud.with {
            $0.hook = { [cloud] call in
                guard call.verb == .delete else { return }
                cloud.with { state in
                    state.hook = nil
                    change(&state)
                }
            }
        }
    }
}

private func twoDeletes(_ first: ResourceRecord, _ second: ResourceRecord, in world: World) -> Plan {
    var last = step(.delete, second, world.cloud, after: [0])
    last.id = 1
    return plan([step(.delete, first, world.cloud), last])
}

@Test("A plan whose row was changed by another run is refused")
func rowMoved() async throws {
    let (world, main, www) = try await prepared()
    let steps = plan([step(.update, main, world.cloud, desired: ["name": "main", "text": "b"])])
    let other = plan("p2", [step(.delete, main, world.cloud)])
    _ = try await world.expectDone(other)
    world.cloud.forgetCalls()
    try await expectRefusal(world, steps, main.address)
    // The same goes for a create whose address was used meanwhile, and for a row that the plan relies on.
    try await expectRefusal(world, plan("p3", [create(main.address)]), main.address)
    var reliance = plan("p4", [create(network("new"))])
    reliance.reliesOn = [Reliance(address: www.address, version: 7, fingerprint: "")]
    try await expectRefusal(world, reliance, www.address)
}

@Test("A plan whose reliance was changed by hand is refused")
func relianceChanged() async throws {
    let (world, main, www) = try await prepared()
    let seen = world.cloud.with { $0.objects[www.id]?.arguments } ?? [:]
    var steps = plan([step(.update, main, world.cloud, desired: ["name": "main", "text": "b"])])
    steps.reliesOn = [
        Reliance(address: www.address, version: 1, fingerprint: fingerprint(of: www, seen) ?? "")
    ]
    world.cloud.with { $0.objects[www.id]?.arguments["name"] = "renamed" }
    try await expectRefusal(world, steps, www.address)
}

@Test("What is not the user's is no reason to refuse")
func foreignFields() async throws {
    let (world, main, _) = try await prepared()
    let steps = plan([step(.update, main, world.cloud, desired: ["name": "main", "text": "b"])])
    world.cloud.with {
        $0.objects[main.id]?.arguments["tags"] = ["Name": "x", "Owner": "somebody"]
        $0.objects[main.id]?.arguments["dns"] = true
    }
    _ = try await world.expectDone(steps)
}

@Test("A read that goes backwards once is looked at again")
func backwards() async throws {
    let (world, main, _) = try await prepared()
    let steps = plan([step(.update, main, world.cloud, desired: ["name": "main", "text": "b"])])
    world.cloud.with {
        $0.objects[main.id]?.visibleAt = world.clock.elapsed + .milliseconds(500)
    }
    _ = try await world.expectDone(steps)
}

@Test("An object that changes during the run stops its branch only")
func changedDuringRun() async throws {
    let (world, main, www) = try await prepared()
    world.cloud.with {
        $0.making = .seconds(60)
        $0.hook = { call in
            guard call.verb == .create else { return }
            world.cloud.with { $0.objects[main.id]?.arguments["text"] = "by hand" }
        }
    }
    let outcome = try await world.apply(
        plan([
            create(network("new")),
            step(.update, main, world.cloud, desired: ["name": "main", "text": "b"], after: [0]),
            step(.update, www, world.cloud, desired: ["name": "www", "text": "b"], after: [0]),
            create(network("child"), after: [1]),
        ]))
    #expect(outcome.report?.failures.map(\.failure.kind) == [.stale])
    #expect(outcome.report?.failures.map(\.step.address) == [main.address])
    #expect(outcome.report?.skipped.map(\.address) == [network("child")])
    #expect(outcome.report?.finished.count == 2)
    #expect(world.cloud.with { $0.objects[main.id]?.arguments["text"] } == "by hand")
}

@Test("Looking before the first call and before each step costs one read for each type")
func cheapLooks() async throws {
    let world = try World()
    let names = (0..<20).map { network("n\($0)") }
    _ = try await world.expectDone(plan("p0", names.map { create($0) }))
    let records = try await world.snapshot().records
    world.cloud.forgetCalls()
    let steps = names.compactMap { records[$0] }.map {
        step(.update, $0, world.cloud, desired: ["name": .string($0.address.name), "tags": ["a": "b"]])
    }
    _ = try await world.expectDone(plan(steps))
    #expect(world.cloud.reads.count == 1)
}

@Test("When nothing can be looked at, nothing is sent")
func noLook() async throws {
    let (world, main, _) = try await prepared()
    world.cloud.fail(.read, .badCredentials, times: 9)
    let outcome = try await world.apply(
        plan([
            step(.update, main, world.cloud, desired: ["name": "main", "text": "b"]), create(network("new")),
        ]))
    #expect(outcome.report?.failures.map(\.failure.kind) == [.credentials])
    #expect(outcome.report?.skipped.count == 1)
    #expect(world.cloud.mutations.isEmpty)
}

@Test("A plan from another state is refused")
func otherLineage() async throws {
    let (world, _, _) = try await prepared()
    var steps = plan([create(network("new"))])
    steps.lineage = "another"
    guard case .refused = try await world.apply(steps) else {
        Issue.record("It was applied.")
        return
    }
}
