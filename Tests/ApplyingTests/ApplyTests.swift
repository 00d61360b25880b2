import Foundation
import MusterModel
import StateStorage
import ProviderKit
import Synchronization
import Testing

@testable import Applying

@Test("Steps follow their edges, and values come from what was made before")
func edgesAndValues() async throws {
    let world = try World()
    let main = network("main")
    let www = simRecord("www")
    let report = try await world.expectDone(
        plan(
            [
                create(main, ["text": "hello"]),
                create(
                    www,
                    [
                        "network": output(main),
                        "text": .deferred(
                            Deferred(
                                .template([.literal("arn is "), .output(OutputReference(main, "arn"))]))),
                    ], after: [0]),
            ],
            outputs: [
                OutputChange(stack: "vpc", name: "network", before: nil, after: output(main)),
                OutputChange(stack: "vpc", name: "text", before: nil, after: output(main, "text")),
            ]))
    #expect(report?.finished.map(\.address) == [main, www])
    #expect(world.story == ["started 2", "create main", "done main", "create www", "done www"])
    let snapshot = try await world.snapshot()
    let id = try #require(snapshot.records[main]?.id)
    #expect(
        snapshot.records[www]?.arguments
            == ["name": "www", "network": .string(id.rawValue), "text": .string("arn is arn:\(id)")])
    #expect(snapshot.records[main]?.outputs["digest"] == "digest of hello")
    #expect(snapshot.outputs == ["vpc": ["network": .string(id.rawValue), "text": "hello"]])
    #expect(report?.outputs == snapshot.outputs)
    #expect(try await world.storage().openIntents().isEmpty)
    #expect(try await world.storage().leases().isEmpty)
    #expect(try await world.storage().runs(limit: 1).map(\.outcome) == [.done])
    #expect(try await world.storage().bindings()["vpc"] == StateBinding(key: "vpc", scope: World.scope))
}

@Test("A ready creation costs two transactions and one call")
func cheap() async throws {
    let world = try World()
    let storage = ObservedStorage(base: try world.storage(), clock: world.clock)
    let names = (0..<5).map { network("n\($0)") }
    _ = try await world.apply(plan(names.map { create($0) }), storage: storage)
    // Lease, run, binding; end of the run, lease.
    #expect(storage.writeCount == 5 + 2 * 5)
    #expect(world.cloud.with { $0.calls.count } == 5)
}

@Test("A failure stops what depends on it, and the rest goes on")
func isolation() async throws {
    let world = try World()
    world.cloud.fail(.create, "a", .invalid, message: "no such thing")
    let outcome = try await world.apply(
        plan([
            create(network("a")), create(network("b")), create(simRecord("c"), after: [0]),
            create(simRecord("d"), after: [2]), create(simRecord("e"), after: [1]),
        ]))
    guard case .failed(let report) = outcome else {
        Issue.record("\(outcome)")
        return
    }
    #expect(Set(report.finished.map(\.address.name)) == ["b", "e"])
    #expect(report.skipped.map(\.address.name) == ["c", "d"])
    #expect(report.failures.map(\.failure.kind) == [.rejected])
    #expect(report.failures.first?.failure.requestID == "r-1")
    #expect(report.failures.first?.failure.detail.contains("no such thing") == true)
    #expect(try await world.storage().openIntents().isEmpty)
    #expect(world.cloud.names == ["b", "e"])
    let run = try #require(try await world.storage().runs(limit: 1).first)
    #expect(run.outcome == .failed)
    let steps = try await world.storage().steps(ofRun: run.id)
    #expect(steps.first { $0.address.name == "a" }?.result.requestIDs == ["r-1"])
}

@Test("What a creation cannot carry is set right after it, and the row is incomplete until then")
func remainder() async throws {
    let world = try World()
    world.cloud.fail(.update, .invalid)
    let main = network("main")
    _ = try await world.apply(plan([create(main, ["dns": true])]))
    var record = try #require(try await world.snapshot().records[main])
    #expect(record.isIncomplete)
    #expect(record.arguments == ["name": "main"])

    // The next plan finishes it.
    _ = try await world.expectDone(
        plan("p2", [step(.update, record, world.cloud, desired: ["name": "main", "dns": true])]))
    record = try #require(try await world.snapshot().records[main])
    #expect(!record.isIncomplete)
    #expect(world.cloud.objects.first?.arguments["dns"] == true)
    #expect(world.cloud.objects.count == 1)
}

@Test("Waits look at all objects of a type in one call, fast at first, and say what they wait for")
func waiting() async throws {
    let world = try World()
    world.cloud.with {
        $0.making = .seconds(40)
        $0.lag = .seconds(3)
    }
    world.parallelism.withLock { $0 = 2 }
    let names = (0..<6).map { network("n\($0)") }
    _ = try await world.expectDone(plan(names.map { create($0) }))
    #expect(try await world.snapshot().records.values.allSatisfy { !$0.isIncomplete })
    let statuses = world.events.compactMap { event -> String? in
        if case .stepWaiting(_, let status, _) = event { return status }
        return nil
    }
    #expect(statuses.contains("coming") && statuses.contains("not visible yet"))
    // Those that wait leave their places: six at once with two places.
    #expect(world.clock.elapsed < .seconds(60))
    #expect(world.cloud.reads.count < 60)
    #expect(world.cloud.reads.contains { $0.subject.split(separator: ",").count == 6 })
}

@Test("What takes longer than its timeout fails, and its row says that it is incomplete")
func timeout() async throws {
    let world = try World()
    world.cloud.with { $0.making = .seconds(1000) }
    let outcome = try await world.apply(
        plan([create(network("main"), timeouts: Timeouts(create: 30)), create(simRecord("www"), after: [0])]))
    #expect(outcome.report?.failures.map(\.failure.kind) == [.timedOut])
    #expect(outcome.report?.failures.first?.failure.detail.contains("coming") == true)
    #expect(try await world.snapshot().records[network("main")]?.isIncomplete == true)
    #expect(try await world.storage().openIntents().isEmpty)
}

@Test("Updates send the difference, keep what they do not know, and read outputs that may change")
func update() async throws {
    let world = try World()
    let main = network("main")
    _ = try await world.expectDone(plan([create(main, ["text": "a", "tags": ["Name": "x"], "forced": true])]))
    let record = try #require(try await world.snapshot().records[main])
    world.cloud.forgetCalls()
    var desired = record.arguments
    desired["text"] = "b"
    _ = try await world.expectDone(plan("p2", [step(.update, record, world.cloud, desired: desired)]))
    var after = try #require(try await world.snapshot().records[main])
    #expect(after.arguments == desired)
    #expect(after.outputs["digest"] == "digest of b")
    #expect(after.outputs["arn"] == record.outputs["arn"])
    #expect(after.version == 2)
    #expect(world.cloud.mutations.count == 1)

    // What muster alone knows needs no call.
    world.cloud.forgetCalls()
    desired["forced"] = false
    var protected = step(.update, after, world.cloud, desired: desired)
    protected.isProtected = true
    _ = try await world.expectDone(plan("p3", [protected]))
    after = try #require(try await world.snapshot().records[main])
    #expect(after.isProtected && after.arguments["forced"] == false)
    #expect(world.cloud.mutations.isEmpty)
}

@Test("Deletes wait until their object is gone, and those of what is gone succeed")
func delete() async throws {
    let world = try World()
    let main = network("main")
    let www = simRecord("www")
    _ = try await world.expectDone(
        plan([create(main), create(www, ["network": output(main)], after: [0])]))
    let snapshot = try await world.snapshot()
    let network = try #require(snapshot.records[main])
    let record = try #require(snapshot.records[www])
    world.cloud.with { $0.deleting = .seconds(90) }
    // The record vanishes by itself between the first look and its step.
    let steps = [step(.delete, record, world.cloud), step(.delete, network, world.cloud, after: [0])]
    world.cloud.with {
        $0.hook = { call in
            guard call.verb == .read else { return }
            world.cloud.with { state in
                if state.calls.contains(where: { $0.verb == .read && $0.type == "sim.record" }) {
                    state.objects[record.id] = nil
                }
            }
        }
    }
    _ = try await world.expectDone(plan("p2", steps))
    #expect(try await world.snapshot().records.isEmpty)
    #expect(world.cloud.mutations.filter { $0.verb == .delete }.last?.type == "sim.network")
    #expect(world.clock.elapsed >= .seconds(90))
    #expect(try await world.snapshot().versions == [main: 2, www: 2])
}

@Test("A delete that something still blocks is tried again and says what blocks it")
func blocked() async throws {
    let world = try World()
    let main = network("main")
    _ = try await world.expectDone(plan([create(main)]))
    let record = try #require(try await world.snapshot().records[main])
    world.cloud.fail(.delete, .inUse, times: 5, message: "eni-1 is attached")
    _ = try await world.expectDone(plan("p2", [step(.delete, record, world.cloud)]))
    #expect(
        world.events.contains {
            if case .stepRetrying(_, let why, _) = $0 { return why.contains("eni-1") }
            return false
        })
    _ = try await world.expectDone(plan("p3", [create(main, version: 2)]))
    let again = try #require(try await world.snapshot().records[main])
    world.cloud.fail(.delete, .inUse, times: 1_000)
    let outcome = try await world.apply(
        plan("p4", [step(.delete, again, world.cloud, timeouts: Timeouts(delete: 60))]))
    #expect(outcome.report?.failures.map(\.failure.kind) == [.timedOut])
    #expect(try await world.snapshot().records[main]?.id == again.id)
    #expect(try await world.storage().openIntents().isEmpty)
}

@Test("A replacement that creates first keeps both objects known, and ends with one")
func createFirst() async throws {
    let world = try World()
    let main = network("main")
    _ = try await world.expectDone(plan([create(main, ["text": "old"])]))
    let old = try #require(try await world.snapshot().records[main])
    func replacement(_ id: String) -> Plan {
        var make = create(main, ["text": "new"], version: 1)
        make.deposesPrevious = true
        make.generation = 2
        return plan(id, [make, step(.delete, old, world.cloud, after: [0], isDeposed: true)])
    }
    world.cloud.fail(.delete, .invalid)
    let outcome = try await world.apply(replacement("p2"))
    #expect(outcome.report?.failures.count == 1)
    var snapshot = try await world.snapshot()
    #expect(snapshot.deposed[main]?.map(\.id) == [old.id])
    #expect(snapshot.records[main]?.generation == 2)
    #expect(world.cloud.objects.count == 2)

    let deposed = try #require(snapshot.deposed[main]?.first)
    _ = try await world.expectDone(plan("p3", [step(.delete, deposed, world.cloud, isDeposed: true)]))
    snapshot = try await world.snapshot()
    #expect(snapshot.deposed.isEmpty)
    #expect(world.cloud.objects.map(\.id) == [snapshot.records[main]?.id])
}

@Test("What a predecessor kept in a place that its successor has taken over stays", arguments: ["here", "there"])
func takenPlace(_ place: String) async throws {
    let world = try World()
    let main = network("main")
    _ = try await world.expectDone(plan([create(main, ["text": "old", "place": "here"])]))
    let old = try #require(try await world.snapshot().records[main])
    var make = create(main, ["text": "new", "place": .string(place)], version: 1)
    make.deposesPrevious = true
    make.generation = 2
    _ = try await world.expectDone(
        plan("p2", [make, step(.delete, old, world.cloud, after: [0], isDeposed: true)]))
    #expect(world.cloud.with { $0.clearedPlaces } == (place == "here" ? [] : ["here"]))
}

@Test("A replacement that deletes first goes on counting versions")
func deleteFirst() async throws {
    let world = try World()
    let main = network("main")
    _ = try await world.expectDone(plan([create(main)]))
    let old = try #require(try await world.snapshot().records[main])
    _ = try await world.expectDone(
        plan("p2", [step(.delete, old, world.cloud), create(main, ["text": "new"], after: [0], version: 1)]))
    let new = try #require(try await world.snapshot().records[main])
    #expect(new.version == 3 && new.id != old.id)
    #expect(world.cloud.objects.map(\.id) == [new.id])
}

@Test("Adopting, moving and forgetting change the state and nothing else")
func withoutCalls() async throws {
    let world = try World()
    let id = world.cloud.addForeign("sim.network", ["name": "found", "text": "live", "tags": ["Owner": "bob"]])
    let main = network("main")
    var adopt = create(main, ["name": "found", "text": "wanted"])
    adopt.operation = .adopt
    adopt.target = id
    _ = try await world.expectDone(plan([adopt]))
    var record = try #require(try await world.snapshot().records[main])
    #expect(record.id == id && record.arguments["text"] == "live")

    var move = step(.move, record, world.cloud)
    move.address = network("other")
    move.previousAddress = main
    _ = try await world.expectDone(plan("p2", [move]))
    #expect(try await world.snapshot().records[main] == nil)
    record = try #require(try await world.snapshot().records[network("other")])
    _ = try await world.expectDone(plan("p3", [step(.forget, record, world.cloud)]))
    #expect(try await world.snapshot().records.isEmpty)
    #expect(world.cloud.mutations.isEmpty)
    #expect(world.cloud.objects.count == 1)
}

@Test("An adoption and the update after it are two steps of one plan")
func adoptAndUpdate() async throws {
    let world = try World()
    let id = world.cloud.addForeign("sim.network", ["name": "found", "text": "live"])
    let main = network("main")
    let live = ResourceRecord(
        address: main, id: id, scope: World.scope, arguments: ["name": "found", "text": "live"], version: 0)
    var adopt = step(.adopt, live, world.cloud, desired: ["name": "found", "text": "wanted"])
    adopt.version = 0
    var update = step(.update, live, world.cloud, desired: ["name": "found", "text": "wanted"], after: [0])
    update.version = 0
    _ = try await world.expectDone(plan([adopt, update]))
    #expect(try await world.snapshot().records[main]?.arguments["text"] == "wanted")
    #expect(world.cloud.objects.first?.arguments["text"] == "wanted")
}

@Test("A resource that moves and changes does both in one plan")
func moveAndUpdate() async throws {
    let world = try World()
    _ = try await world.expectDone(plan([create(network("old"), ["text": "a"])]))
    let record = try #require(try await world.snapshot().records[network("old")])
    var move = step(.move, record, world.cloud)
    move.address = network("new")
    move.previousAddress = network("old")
    var update = step(.update, record, world.cloud, desired: ["name": "old", "text": "b"], after: [0])
    update.address = network("new")
    _ = try await world.expectDone(plan("p2", [move, update]))
    let snapshot = try await world.snapshot()
    #expect(snapshot.records.keys.sorted() == [network("new")])
    #expect(snapshot.records[network("new")]?.arguments["text"] == "b")
}

@Test("The state keeps one address for an object")
func oneAddress() async throws {
    let world = try World()
    _ = try await world.expectDone(plan([create(network("main"))]))
    let id = try #require(world.cloud.objects.first?.id)
    var adopt = create(network("other"))
    adopt.operation = .adopt
    adopt.target = id
    let outcome = try await world.apply(plan("p2", [adopt]))
    #expect(outcome.report?.failures.map(\.failure.kind) == [.nameClash])
    #expect(outcome.report?.failures.first?.failure.detail.contains("vpc:sim.network/main") == true)
}
