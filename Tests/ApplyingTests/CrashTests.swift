import MusterModel
import ProviderKit
import StateStorage
import Synchronization
import TestSupport
import Testing

@testable import Applying

/// What a spec would want: networks and records in them.
private typealias Wanted = [Address: [String: Value]]

private func linked(_ wanted: Wanted) -> [(Address, [String: Value])] {
    wanted.sorted { $0.key < $1.key }
}

/// A plan as the planner would make it, for the few things that these tests want.
private func replan(_ wanted: Wanted, _ world: World, id: String, createFirst: Bool) async throws -> Plan {
    let snapshot = try await world.snapshot()
    var steps: [Step] = []
    var makers: [Address: Int] = [:]
    func add(_ step: Step, after: [Int]) -> Int {
        var step = step
        step.id = steps.count
        step.after = after
        steps.append(step)
        return step.id
    }
    func users(of address: Address) -> [Int] {
        steps.filter { $0.operation == .delete && $0.address.type == "sim.record" }.map(\.id)
    }
    var drops: [(ResourceRecord, isDeposed: Bool, after: [Int])] = []
    for (address, arguments) in linked(wanted) {
        var desired = arguments
        desired["name"] = desired["name"] ?? .string(address.name)
        let after = desired.values.flatMap { $0.deferred?.outputs ?? [] }.compactMap { makers[$0.address] }
        let dependencies = desired.values.flatMap { $0.deferred?.outputs.map(\.address) ?? [] }
        let version = snapshot.versions[address] ?? 0
        var make = create(address, desired, version: version)
        make.dependencies = dependencies
        guard let record = snapshot.records[address] else {
            makers[address] = add(make, after: after)
            continue
        }
        let live = world.cloud.with { $0.objects[record.id] }
        let resolved = desired.mapValues { value -> Value in
            guard let reference = value.deferred?.outputs.first else { return value }
            return snapshot.records[reference.address].map { .string($0.id.rawValue) } ?? value
        }
        if live == nil {
            makers[address] = add(make, after: after)
        } else if live?.arguments["name"] != resolved["name"] {
            if createFirst {
                make.deposesPrevious = true
                make.generation = record.generation + 1
                let maker = add(make, after: after)
                makers[address] = maker
                drops.append((record, true, [maker]))
            } else {
                let drop = add(step(.delete, record, world.cloud), after: [])
                makers[address] = add(make, after: after + [drop])
            }
        } else if record.isIncomplete || resolved.contains(where: { live?.arguments[$0.key] != $0.value }) {
            var change = step(.update, record, world.cloud, desired: desired)
            change.dependencies = dependencies
            makers[address] = add(change, after: after)
        }
    }
    for (address, record) in snapshot.records.sorted(by: { $0.key < $1.key }) where wanted[address] == nil {
        drops.append((record, false, []))
    }
    for records in snapshot.deposed.values { for record in records { drops.append((record, true, [])) } }
    for (record, isDeposed, after) in drops.sorted(by: { $0.0.address.type > $1.0.address.type }) {
        // Records go before networks; networks also wait for the records that move away from them.
        let isNetwork = record.address.type == "sim.network"
        let waits = isNetwork ? steps.filter { $0.address.type == "sim.record" }.map(\.id) : []
        if world.cloud.with({ $0.objects[record.id] }) == nil, !isDeposed {
            _ = add(step(.forget, record, world.cloud), after: after)
        } else {
            _ = add(
                step(.delete, record, world.cloud, isDeposed: isDeposed), after: Array(Set(after + waits)).sorted())
        }
    }
    return plan(id, steps)
}

private let before: Wanted = [
    network("a"): ["text": "one", "dns": true],
    network("b"): ["text": "two"],
    simRecord("www"): ["network": output(network("a"))],
    simRecord("old"): ["network": output(network("b"))],
]
/// One is changed, one replaced, some are created and some deleted. What is used by others is replaced by creating
/// first, so that they can move; what is not, by deleting first.
private func after(createFirst: Bool) -> Wanted {
    [
        network("a"): ["name": createFirst ? "a2" : "a", "text": "changed", "dns": true],
        network("c"): ["dns": true],
        simRecord("www"): ["name": createFirst ? "www" : "w3", "network": output(network("a"))],
        simRecord("new"): ["network": output(network("c"))],
    ]
}

/// Runs until the plan is empty, as a person would who runs the same command again.
private func converge(
    _ wanted: Wanted, _ world: World, createFirst: Bool, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    for attempt in 0..<6 {
        world.clock.advance(by: .seconds(61))
        #expect(try await world.settle().allSatisfy(\.isSettled), sourceLocation: sourceLocation)
        let plan = try await replan(wanted, world, id: "again \(attempt)", createFirst: createFirst)
        if plan.steps.isEmpty { break }
        let outcome = try await world.apply(plan)
        if case .refused(let why) = outcome { Issue.record("\(why)", sourceLocation: sourceLocation) }
    }
    try await expectLaws(wanted, world, createFirst: createFirst, sourceLocation: sourceLocation)
}

/// No orphan, no duplicate, the state is the cloud, and the next plan is empty.
private func expectLaws(
    _ wanted: Wanted, _ world: World, createFirst: Bool, sourceLocation: SourceLocation
) async throws {
    let storage = try world.storage()
    let snapshot = try await storage.snapshot()
    #expect(Set(snapshot.records.keys) == Set(wanted.keys), sourceLocation: sourceLocation)
    #expect(snapshot.deposed.isEmpty, sourceLocation: sourceLocation)
    let ours = world.cloud.objects.filter { !$0.id.rawValue.hasPrefix("foreign") }
    #expect(Set(ours.map(\.id)) == Set(snapshot.records.values.map(\.id)), sourceLocation: sourceLocation)
    #expect(ours.count == wanted.count, sourceLocation: sourceLocation)
    #expect(try await storage.openIntents().isEmpty, sourceLocation: sourceLocation)
    // A lease may be left by the dead, but holds nobody up.
    #expect(try await storage.leases().allSatisfy { $0.expiry <= world.now }, sourceLocation: sourceLocation)
    #expect(try await storage.check().allSatisfy { $0.severity == .notice }, sourceLocation: sourceLocation)
    let next = try await replan(wanted, world, id: "next", createFirst: createFirst)
    #expect(next.steps.isEmpty, sourceLocation: sourceLocation)
}

@Test(
    "A run that dies before or after any of its writes is mended by the next one",
    arguments: [(true, false), (false, false), (true, true), (false, true)])
func everyWrite(isAfter: Bool, createFirst: Bool) async throws {
    var number = 0
    while number < 80 {
        let world = try World()
        world.window.withLock { $0 = .seconds(20) }
        world.cloud.with { $0.making = .seconds(2) }
        _ = try await world.expectDone(try await replan(before, world, id: "p1", createFirst: createFirst))
        world.cloud.with { $0.deleting = .seconds(2) }
        let storage = ObservedStorage(
            base: try world.storage(), clock: world.clock, death: .init(atWrite: number, isAfter: isAfter))
        let plan = try await replan(after(createFirst: createFirst), world, id: "p2", createFirst: createFirst)
        _ = try? await world.apply(plan, storage: storage)
        try await converge(after(createFirst: createFirst), world, createFirst: createFirst)
        if !storage.died { break }
        number += 1
    }
    #expect(number > 20 && number < 80)
}

@Test("A plan file goes on where its run died, at every write", arguments: [true, false])
func samePlanFile(isAfter: Bool) async throws {
    var number = 0
    while number < 60 {
        let world = try World()
        world.window.withLock { $0 = .seconds(20) }
        world.cloud.with { $0.making = .seconds(2) }
        let steps = plan([
            create(network("a"), ["dns": true]), create(network("b"), after: [0]),
            create(simRecord("www"), ["network": output(network("b"))], after: [1]),
        ])
        let storage = ObservedStorage(
            base: try world.storage(), clock: world.clock, death: .init(atWrite: number, isAfter: isAfter))
        _ = try? await world.apply(steps, storage: storage)
        world.clock.advance(by: .seconds(61))
        let wasDone = try await world.storage().runs(limit: 1).first?.outcome == .done
        let outcome = try await world.apply(steps)
        switch outcome {
        case .done: #expect(!wasDone, "\(number)")
        // Everything was done but giving back the leases.
        case .refused: #expect(wasDone, "\(number)")
        default: Issue.record("\(number): \(outcome)")
        }
        #expect(world.cloud.objects.count == 3)
        #expect(world.cloud.objects.first?.arguments["dns"] == true)
        #expect(try await world.snapshot().records.values.filter { !$0.isIncomplete }.count == 3)
        if !storage.died { break }
        number += 1
    }
    #expect(number > 8 && number < 60)
}

@Test("Lost answers, throttles, delays and deaths in any mixture: nothing is lost and nothing made twice")
func mixture() async throws {
    var random = SeededGenerator.fromEnvironment()
    for _ in 0..<15 {
        let world = try World()
        world.window.withLock { $0 = .seconds(60) }
        let foreign = world.cloud.addForeign("sim.network", ["name": "a", "text": "theirs"])
        let createFirst = random.oneIn(2)
        world.parallelism.withLock { $0 = random.oneIn(2) ? 1 : 4 }
        world.cloud.with {
            $0.lag = .seconds(Int.random(in: 0...20, using: &random))
            $0.making = .seconds(Int.random(in: 0...30, using: &random))
            $0.deleting = .seconds(Int.random(in: 0...30, using: &random))
        }
        for wanted in [before, after(createFirst: createFirst), [:]] {
            for _ in 0..<3 {
                let kinds: [ProviderError.Kind] = [.outcomeUnknown, .throttled, .unavailable, .notUnderstood, .inUse]
                let verbs: [SimulatedCloud.Call.Verb] = [.create, .update, .delete, .read, .find]
                let kind = random.pick(kinds)
                let mayHaveHappened = kind == .outcomeUnknown || kind == .notUnderstood
                world.cloud.fail(
                    random.pick(verbs), kind, afterEffect: mayHaveHappened && random.oneIn(2),
                    times: Int.random(in: 1...2, using: &random))
            }
            let death =
                random.oneIn(2)
                ? ObservedStorage.Death(
                    atWrite: Int.random(in: 0...30, using: &random), isAfter: random.oneIn(2)) : nil
            let storage = ObservedStorage(base: try world.storage(), clock: world.clock, death: death)
            let plan = try await replan(wanted, world, id: "first", createFirst: createFirst)
            _ = try? await world.apply(plan, storage: storage)
            world.cloud.with { $0.faults = [] }
            // What was made last is visible to all before somebody looks at it to plan.
            world.clock.advance(by: .seconds(60))
            try await converge(wanted, world, createFirst: createFirst)
        }
        #expect(world.cloud.objects.map(\.id) == [foreign])
        #expect(world.cloud.objects.first?.arguments["text"] == "theirs")
    }
}
