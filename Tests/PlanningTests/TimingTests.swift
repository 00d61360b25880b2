import MusterModel
import Planning
import Testing

@Suite struct TimingTests {
    private let address = Address(stack: "s", type: SimulatedCloud.store, name: "db")

    private func at(_ type: ResourceType, _ name: String) -> Address { Address(stack: "s", type: type, name: name) }

    private func applied(_ declaration: Declaration) throws -> SimulatedCloud {
        var cloud = SimulatedCloud()
        try cloud.apply(cloud.plan([declaration]).plan)
        return cloud
    }

    /// What a cloud tells in which a change of the size waits.
    private func waiting(_ cloud: SimulatedCloud, from before: Value) -> Observations {
        var observations = cloud.observations
        if case .some(.some(var object)) = observations.objects[address] {
            object.inForce = ["size": before]
            observations.objects[address] = .some(object)
        }
        return observations
    }

    @Test("A change that waits for a window says so and is no hazard")
    func waits() throws {
        let cloud = try applied(store())
        let change = try #require(try cloud.plan([store(["size": 2])]).plan.changes.first)
        #expect(
            change.notes == [
                "size takes effect, and may interrupt it, in the window mon:01:30-mon:02:30 (UTC); "
                    + "with \"at_once: true\" at once"
            ])
        #expect(change.hazards.isEmpty)
    }

    @Test("The window that the same plan sets is the one that counts")
    func newWindow() throws {
        let cloud = try applied(store())
        let after = store(["size": 2, "window": "tue:04:00-tue:05:00"])
        let change = try #require(try cloud.plan([after]).plan.changes.first)
        #expect(change.notes.first?.contains("in the window tue:04:00-tue:05:00") == true)
    }

    @Test("The same change at once interrupts, and is a hazard")
    func atOnce() throws {
        let cloud = try applied(store())
        let change = try #require(try cloud.plan([store(["size": 2, "at_once": true])]).plan.changes.first)
        #expect(change.notes.isEmpty)
        #expect(change.hazards.map(\.kind) == [.downtime])
        #expect(change.hazards.first?.text == "Changing size stops it for a while.")
    }

    @Test("What waits is no difference and no drift, until it is wanted at once")
    func waitingIsDone() throws {
        let declaration = store(["size": 2])
        var cloud = try applied(store())
        try cloud.apply(cloud.plan([declaration]).plan)
        let plan = try cloud.plan([declaration]) { $0.observations = waiting(cloud, from: 1) }.plan
        #expect(plan.isEmpty && plan.drift.isEmpty)

        let hurried = store(["size": 2, "at_once": true])
        let change = try #require(
            try cloud.plan([hurried]) { $0.observations = waiting(cloud, from: 1) }.plan.changes.first)
        #expect(change.attributes.map(\.path).contains("size"))
        #expect(change.attributes.first { $0.path == "size" }?.before == 1)
        #expect(change.hazards.map(\.kind) == [.downtime])
    }

    @Test("Some changes wait and interrupt only when they switch something on or off")
    func betweenZero() throws {
        let cloud = try applied(store(["copies": 3]))
        let more = try #require(try cloud.plan([store(["copies": 4])]).plan.changes.first)
        #expect(more.notes.isEmpty && more.hazards.isEmpty)
        let none = try #require(try cloud.plan([store(["copies": 0])]).plan.changes.first)
        #expect(none.notes.first?.contains("in the window") == true && none.hazards.isEmpty)
        let now = try #require(try cloud.plan([store(["copies": 0, "at_once": true])]).plan.changes.first)
        #expect(now.notes.isEmpty && now.hazards.map(\.kind) == [.downtime])
        let others = try #require(try cloud.plan([store(["copies": 5, "at_once": true])]).plan.changes.first)
        #expect(others.hazards.isEmpty)
    }

    @Test("A change that something else brings into force says what")
    func later() throws {
        let cloud = try applied(store(["settings": "x"]))
        let change = try #require(try cloud.plan([store(["settings": "y"])]).plan.changes.first)
        #expect(change.notes == ["settings: in force when it restarts"])
    }

    @Test("A deletion names the copy that stays, or says that there is none")
    func keepsake() throws {
        func hazards(_ before: [String: Value], _ after: Declaration? = nil) throws -> [String] {
            let cloud = try applied(store(before))
            return try cloud.plan(after.map { [$0] } ?? []).plan.hazards.filter { $0.kind == .dataLoss }.map(\.text)
        }
        let sentence = "Deleting it deletes the data that it holds. "
        #expect(try hazards([:]) == [sentence + "Its copy is 10.0.0.1."])
        #expect(try hazards(["copy_name": "last"]) == [sentence + "Its copy is last."])
        #expect(try hazards(["without_copy": true]) == [sentence + "No copy is made."])
        // What the spec says now counts, even if it was never applied.
        #expect(
            try hazards(["without_copy": true], store(["engine": "b"])) == [sentence + "Its copy is 10.0.0.1."])
        #expect(
            try hazards([:], store(["engine": "b", "copy_name": "now"])) == [sentence + "Its copy is now."])
    }

    @Test("The spec's last word on how an object goes reaches the deleting call, in a destroy too")
    func lastWord() throws {
        let cloud = try applied(store(["without_copy": true]))
        let replaced = try cloud.plan([store(["engine": "b"])]).plan
        #expect(replaced.steps.first { $0.operation == .delete }?.prior["without_copy"] == false)
        let destroyed = try cloud.plan([store(["copy_name": "last"])]) { $0.isDestroy = true }.plan
        #expect(destroyed.steps.first?.prior["without_copy"] == false)
        #expect(destroyed.steps.first?.prior["copy_name"] == "last")
    }

    @Test("Deleting what the cloud protects is irreversible")
    func guarded() throws {
        let cloud = try applied(store(["guarded": true]))
        let hazards = try cloud.plan([]).plan.hazards
        #expect(hazards.map(\.kind) == [.dataLoss, .irreversible])
        #expect(hazards.last?.text == "guarded protects it from being deleted; the protection is taken off first.")
        #expect(try applied(store()).plan([]).plan.hazards.map(\.kind) == [.dataLoss])
    }

    @Test("What is held until a change takes effect is not deleted before, and is no difference so long")
    func held() throws {
        let user: (Value) -> Declaration = { size in
            store(["size": size, "group": output(at(SimulatedCloud.group, "g"))])
        }
        var cloud = SimulatedCloud()
        try cloud.apply(cloud.plan([group("g"), user(1)]).plan)
        let old = try #require(cloud.snapshot.records[at(SimulatedCloud.group, "g")]?.id)
        let after = [group("g", description: "other"), user(2)]
        let plan = try cloud.plan(after).plan
        #expect(plan.steps.map { "\($0.operation.rawValue) \($0.address.name)" } == ["create g", "update db"])
        let note = "\(old) stays until \(address) lets go of it in its window; an apply after that deletes it"
        #expect(plan.changes.first { $0.address.name == "g" }?.notes.contains(note) == true)
        #expect(plan.changes.allSatisfy { !$0.action.isReplacement })
        try cloud.apply(plan)
        #expect(cloud.snapshot.deposed.values.flatMap { $0 }.map(\.id) == [old])

        // So long as it waits there is nothing to do but to say so.
        var waiting = cloud.observations
        if case .some(.some(var object)) = waiting.objects[address] {
            object.inForce = ["size": 1, "group": .string(old.rawValue)]
            waiting.objects[address] = .some(object)
        }
        let quiet = try cloud.plan(after) { $0.observations = waiting }.plan
        #expect(quiet.isEmpty && quiet.steps.isEmpty)
        #expect(quiet.notes == [note])

        // Afterwards it goes.
        let last = try cloud.plan(after).plan
        #expect(last.steps.map { "\($0.operation.rawValue) \($0.target?.rawValue ?? "")" } == ["delete \(old)"])
        try cloud.apply(last)
        #expect(try cloud.plan(after).plan.isEmpty)
    }

    @Test("At once the old one goes in the same plan; another change alone does not wait")
    func notHeld() throws {
        let user: (Value, Value) -> Declaration = { size, now in
            store([
                "size": size, "at_once": now, "group": output(at(SimulatedCloud.group, "g")),
            ])
        }
        var cloud = SimulatedCloud()
        try cloud.apply(cloud.plan([group("g"), user(1, false)]).plan)
        let hurried = try cloud.plan([group("g", description: "other"), user(2, true)]).plan
        #expect(hurried.steps.map(\.operation) == [.create, .update, .delete])
        let alone = try cloud.plan([group("g", description: "other"), user(1, false)]).plan
        #expect(alone.steps.map(\.operation) == [.create, .update, .delete])
        #expect(alone.changes.first { $0.address == address }?.notes == ["group: in force later"])
    }
}
