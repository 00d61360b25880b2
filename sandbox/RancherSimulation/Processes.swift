// How states change: a process starts where its table allows it, stays in its state for its time, and ends. What a type
// does besides stands in its hooks.

import AWSClient
import SandboxServing

extension RancherServer {
    func duration(_ process: Process) -> Int64 { Int64(Double(configuration.delay) * process.share) }

    /// Whether a process may start now.
    func canStart(_ name: String, _ entity: Entity) -> Bool {
        guard let process = type(of: entity).process(name), process.versions.contains(version) else { return false }
        return process.start.contains(entity.state)
    }

    /// Starts a process, if the state allows it.
    @discardableResult
    mutating func start(_ name: String, _ id: ObjectID) -> Bool {
        guard let entity = entities[id], canStart(name, entity), let process = type(of: entity).process(name) else {
            return false
        }
        entities[id]?.state = process.states(from: entity.state).via
        entities[id]?.generation += 1
        entities[id]?.failure = nil
        agenda.add(
            .finish(id, process: name, generation: entity.generation + 1), at: now + duration(process))
        return true
    }

    /// Makes an object and starts its creation.
    @discardableResult
    mutating func make(
        _ type: ObjectType, owner: Int?, _ fields: [String: JSONValue] = [:], uuid: String? = nil
    ) -> ObjectID {
        let id = insert(type, owner: owner, state: "requested", fields, uuid: uuid)
        start("create", id)
        return id
    }

    mutating func perform(_ event: Agenda.Event) {
        switch event {
        case .finish(let id, let process, let generation): finish(id, process, generation)
        case .start(let id, let process): start(process, id)
        case .delete(let id): delete(id)
        case .moment(let id, let name):
            guard let entity = entities[id] else { return }
            type(of: entity).hooks.moment?(&self, id, name)
        }
    }

    private mutating func finish(_ id: ObjectID, _ name: String, _ generation: Int) {
        guard let entity = entities[id], entity.generation == generation else { return }
        let type = type(of: entity)
        guard let process = type.process(name) else { return }
        switch process.route {
        case .via(_, let end): entities[id]?.state = end
        case .inPlace: entities[id]?.state = String(entity.state.dropFirst("updating-".count))
        }
        if name == "create", type.activatesItself {
            agenda.add(.start(id, process: "activate"), at: now + configuration.chainDelay)
        }
        if name == "remove" { markRemoved(id, hasPurge: type.process("purge") != nil) }
        if name == "restore" { entities[id]?.removed = nil }
        if name == "purge" { agenda.add(.delete(id), at: now + 2 * 86_400_000) }
        type.hooks.finished?(&self, id, name)
    }

    /// It is gone, to those who list; a monitor purges it later.
    private mutating func markRemoved(_ id: ObjectID, hasPurge: Bool) {
        entities[id]?.removed = now
        guard hasPurge else {
            entities[id]?.removeTime = now
            agenda.add(.delete(id), at: now + 2 * 86_400_000)
            return
        }
        let wait: Int64
        if version >= ServerVersion(1, 2) {
            var chance = chance(of: id)
            wait = configuration.purgeWait > 0 ? Int64.random(in: 0..<configuration.purgeWait, using: &chance) : 0
        } else {
            wait = min(60_000, configuration.purgeWait)
        }
        entities[id]?.removeTime = now + wait
        let tick = max(1, configuration.purgeTick)
        agenda.add(.start(id, process: "purge"), at: ((now + wait) / tick + 1) * tick)
    }

    /// Takes something down whatever its state, step by step: what an owner's end does to what it owns.
    mutating func tearDown(_ id: ObjectID) {
        guard let entity = entities[id], entity.removed == nil else { return }
        if start("remove", id) { return }
        guard start("deactivate", id), let process = type(of: entity).process("deactivate") else { return }
        agenda.add(.start(id, process: "remove"), at: now + duration(process) + 1)
    }

    /// The process ends in failure: its state stays, with the reason.
    mutating func fail(_ id: ObjectID, state: String, _ reason: String) {
        entities[id]?.state = state
        entities[id]?.generation += 1
        entities[id]?.failure = reason
    }
}
