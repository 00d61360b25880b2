import MusterModel
import ProviderKit
import StateStorage
import Synchronization
import Testing

@testable import Applying

/// A network, and rules of it.
private func rulesPlan(_ names: [String], id: String = "p", text: [String: Value] = [:]) -> Plan {
    plan(
        id,
        [create(network("a"))]
            + names.map { name in
                var arguments: [String: Value] = ["group": output(network("a"))]
                arguments["text"] = text[name]
                return create(rule(name), arguments, after: [0])
            })
}

/// What was created and deleted, besides networks.
private func calls(_ world: World) -> [String] {
    world.cloud.mutations.filter { $0.type == "sim.rule" }.map(\.subject)
}

@Test(
    "Steps that agree in what a call shares make one call, whatever the number of calls at a time", arguments: [1, 4])
func oneCall(parallelism: Int) async throws {
    let world = try World()
    world.parallelism.withLock { $0 = parallelism }
    let open = Mutex<[Int]>([])
    world.cloud.with {
        $0.hook = { call in
            guard call.type == "sim.rule", call.verb == .create else { return }
            let intents = try? await world.storage().openIntents()
            open.withLock { $0.append(intents?.count ?? 0) }
        }
    }
    let storage = ObservedStorage(base: try world.storage(), clock: world.clock)
    let outcome = try await world.apply(rulesPlan(["1", "2", "3", "4", "5"]), storage: storage)
    guard case .done = outcome else {
        Issue.record("\(outcome)")
        return
    }
    #expect(calls(world).sorted() == ["1,2,3", "4,5"])
    // Every intent of a call is kept before it is sent.
    #expect(open.withLock { zip($0, calls(world)).allSatisfy { $0 >= $1.split(separator: ",").count } })
    let snapshot = try await world.snapshot()
    #expect(snapshot.records.count == 6)
    for (address, record) in snapshot.records where address.type == "sim.rule" {
        #expect(world.cloud.with { $0.objects[record.id]?.arguments["name"] } == .string(address.name))
    }
    // Leases, run, binding; two for each step; the end of the run and the leases.
    #expect(storage.writeCount == 3 + 2 * 6 + 2)
    #expect(try await world.storage().openIntents().isEmpty)
}

@Test("The intents of a call have one token, which is the mark of all its objects")
func oneToken() async throws {
    let world = try World()
    let tokens = Mutex<[String]>([])
    world.cloud.with {
        $0.hook = { call in
            guard call.type == "sim.rule" else { return }
            let intents = (try? await world.storage().openIntents()) ?? []
            tokens.withLock { $0 = intents.filter { $0.address.type == "sim.rule" }.map(\.token) }
        }
    }
    _ = try await world.expectDone(rulesPlan(["1", "2"]))
    let marks = world.cloud.objects.filter { $0.type == "sim.rule" }.compactMap(\.intent)
    #expect(marks.count == 2 && Set(marks).count == 1)
    #expect(tokens.withLock { $0 } == marks)
}

@Test("When one of several is refused, the others are made one by one, and only that one fails")
func refused() async throws {
    let world = try World()
    let outcome = try await world.apply(rulesPlan(["1", "2", "3"], text: ["2": "bad"]))
    #expect(outcome.report?.failures.map(\.step.address) == [rule("2")])
    #expect(outcome.report?.failures.map(\.failure.kind) == [.rejected])
    #expect(calls(world).first == "1,2,3" && calls(world).dropFirst().sorted() == ["1", "2", "3"])
    #expect(world.cloud.names == ["1", "3", "a"])
    #expect(try await world.snapshot().records.count == 3)
    #expect(try await world.storage().openIntents().isEmpty)
}

@Test("One that is there already is found and becomes ours, and the others are made")
func alreadyThere() async throws {
    let world = try World()
    _ = try await world.expectDone(plan([create(network("a"))]))
    let group = try #require(try await world.snapshot().records[network("a")]?.id.rawValue)
    world.cloud.addForeign("sim.rule", ["name": "2", "group": .string(group)])
    let steps = ["1", "2", "3"].map { create(rule($0), ["group": .string(group)]) }
    _ = try await world.expectDone(plan("p2", steps))
    #expect(calls(world).count == 4)
    #expect(world.cloud.names == ["1", "2", "3", "a"])
    #expect(try await world.snapshot().records.count == 4)
}

@Test("When the answer is lost, each looks for its own object", arguments: [0, 30])
func lostAnswer(lag: Int) async throws {
    let world = try World()
    world.cloud.with { $0.lag = .seconds(lag) }
    world.cloud.fail(.create, "1,2,3", .outcomeUnknown, afterEffect: true)
    _ = try await world.expectDone(rulesPlan(["1", "2", "3"]))
    #expect(calls(world) == ["1,2,3"])
    #expect(try await world.snapshot().records.count == 4)
}

@Test("What did not arrive, or was throttled, is sent together again", arguments: [true, false])
func sentAgain(isThrottled: Bool) async throws {
    let world = try World()
    world.cloud.fail(.create, "1,2,3", isThrottled ? .throttled : .outcomeUnknown)
    _ = try await world.expectDone(rulesPlan(["1", "2", "3"]))
    #expect(calls(world) == ["1,2,3", "1,2,3"])
}

@Test("One that fails before the call is not waited for")
func leaves() async throws {
    let world = try World()
    let outcome = try await world.apply(rulesPlan(["1", "2", "3"], text: ["3": secret("absent")]))
    #expect(outcome.report?.failures.map(\.step.address) == [rule("3")])
    #expect(calls(world) == ["1,2"])
    let alone = try World()
    let other = try await alone.apply(rulesPlan(["1", "2"], text: ["2": secret("absent")]))
    #expect(other.report?.failures.map(\.step.address) == [rule("2")])
    #expect(calls(alone) == ["1"])
}

@Test("The history of each step names the request")
func history() async throws {
    let world = try World()
    world.cloud.with {
        $0.hook = { call in if call.type == "sim.rule", call.verb == .create { CallTrace.current?.note("r-7") } }
    }
    _ = try await world.expectDone(rulesPlan(["1", "2", "3"]))
    let run = try #require(try await world.storage().runs(limit: 1).first)
    let steps = try await world.storage().steps(ofRun: run.id)
    #expect(steps.filter { $0.address.type == "sim.rule" }.map(\.result.requestIDs) == [["r-7"], ["r-7"], ["r-7"]])
}

@Test("Several are deleted with one call; when one is gone already, one by one")
func deleted() async throws {
    for isGone in [false, true] {
        let world = try World()
        _ = try await world.expectDone(rulesPlan(["1", "2", "3"]))
        let records = try await world.snapshot().records
        let steps = ["1", "2", "3"].compactMap { records[rule($0)] }.map { step(.delete, $0, world.cloud) }
        world.cloud.forgetCalls()
        // So old that nothing may be hidden.
        world.clock.advance(by: .seconds(600))
        if isGone {
            let id = try #require(records[rule("2")]?.id)
            world.cloud.with {
                $0.hook = { [cloud = world.cloud] call in
                    guard call.verb == .delete else { return }
                    cloud.with { state in
                        state.hook = nil
                        state.objects[id] = nil
                    }
                }
            }
        }
        _ = try await world.expectDone(plan("p2", steps))
        #expect(calls(world).first == "1,2,3" && calls(world).count == (isGone ? 4 : 1))
        #expect(world.cloud.names == ["a"])
        #expect(try await world.snapshot().records.count == 1)
    }
}

@Test("A run that dies at any write of a batch is mended by the next one", arguments: [true, false], [true, false])
func dies(isAfter: Bool, isDeleting: Bool) async throws {
    var number = 0
    while number < 40 {
        let world = try World()
        world.window.withLock { $0 = .seconds(20) }
        if isDeleting { _ = try await world.expectDone(rulesPlan(["1", "2", "3", "4"], id: "p0")) }
        let storage = ObservedStorage(
            base: try world.storage(), clock: world.clock, death: .init(atWrite: number, isAfter: isAfter))
        _ = try? await world.apply(try await next(world, isDeleting, "p1"), storage: storage)
        for attempt in 0..<4 {
            world.clock.advance(by: .seconds(61))
            #expect(try await world.settle().allSatisfy(\.isSettled))
            let plan = try await next(world, isDeleting, "again \(attempt)")
            if plan.steps.isEmpty { break }
            _ = try await world.apply(plan)
        }
        let records = try await world.snapshot().records
        #expect(records.count == (isDeleting ? 1 : 5), "\(number)")
        #expect(world.cloud.objects.map(\.id) == records.values.map(\.id).sorted(), "\(number)")
        #expect(try await world.storage().openIntents().isEmpty)
        #expect(try await next(world, isDeleting, "last").steps.isEmpty)
        if !storage.died { break }
        number += 1
    }
    #expect(number > 8 && number < 40)
}

@Test("Several that may have been made are waited for together, not one after the other")
func settledTogether() async throws {
    let world = try World()
    world.cloud.fail(.create, "1,2", .network, times: 100)
    // Leases, run, binding, two of the network: the next three are intents, and the process dies with the last.
    let storage = ObservedStorage(
        base: try world.storage(), clock: world.clock, death: .init(atWrite: 7, isAfter: true))
    _ = try? await world.apply(rulesPlan(["1", "2", "3"]), storage: storage)
    #expect(try await world.storage().openIntents().count == 3)
    world.clock.advance(by: .seconds(61))
    let before = world.clock.elapsed
    let settled = try await world.settle()
    #expect(settled.count == 3 && settled.allSatisfy(\.isSettled))
    #expect(world.clock.elapsed - before < .seconds(400))
}

/// A network with four rules, or without any.
private func next(_ world: World, _ isDeleting: Bool, _ id: String) async throws -> Plan {
    let snapshot = try await world.snapshot()
    func version(_ address: Address) -> Int { snapshot.versions[address] ?? 0 }
    if isDeleting {
        let rules = snapshot.records.values.filter { $0.address.type == "sim.rule" }
        return plan(id, rules.sorted { $0.id < $1.id }.map { step(.delete, $0, world.cloud) })
    }
    var steps: [Step] = []
    let hasNetwork = snapshot.records[network("a")] != nil
    if !hasNetwork { steps.append(create(network("a"), version: version(network("a")))) }
    for name in ["1", "2", "3", "4"] where snapshot.records[rule(name)] == nil {
        steps.append(
            create(
                rule(name), ["group": output(network("a"))], after: hasNetwork ? [] : [0],
                version: version(rule(name))))
    }
    return plan(id, steps)
}
