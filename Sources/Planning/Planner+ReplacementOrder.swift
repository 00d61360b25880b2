import Diagnostics
import Expressions
import MusterModel
import ResourceGraph

// Which half of a replacement comes first, and how a successor is named while both exist.

extension Planner {
    func mayCreateFirst(_ index: Int) -> Bool {
        guard items[index].action == .replaceDeleteFirst else { return false }
        let declaration = items[index].position.map { input.spec.declarations[$0] }
        return declaration?.lifecycle.createBeforeDestroy != false
    }

    /// While both exist, two objects cannot have the one name.
    mutating func nameSuccessor(_ item: inout Item, _ declaration: Declaration) {
        guard case .unique(let argument, _) = item.schema.naming, let record = item.record,
            let base = declaration.arguments[argument]
        else { return }
        // Where the name changes too, or the present one has a suffix, the name itself is free, unless a predecessor of the
        // present one is still there.
        let predecessors = input.snapshot.deposed[item.address] ?? []
        let taken = [item.prior[argument]] + predecessors.map { $0.arguments[argument] }
        item.generation = 1
        item.desired[argument] = evaluated(base)
        while taken.contains(item.desired[argument]) {
            item.generation = max(item.generation, record.generation) + 1
            item.desired[argument] = evaluated(base)
            applyGeneration(&item.desired, item.generation, item.schema)
            // What is not known yet, or has no room for another suffix, is no reason to go on for ever.
            if item.generation > record.generation + taken.count { break }
        }
        if item.generation > 1 {
            if let text = item.desired[argument]?.string {
                item.notes.append("its successor is named \(text), since both exist for a while")
            }
        }
        item.wanted[argument] = item.desired[argument]
    }

    /// Replacements that would delete first, and cannot: what the others that are replaced stand on, what is held by
    /// something that stays, and children of what is created first.
    func mustCreateFirst() -> Set<Address> {
        var indices: [Address: Int] = [:]
        for (index, item) in items.enumerated() where !item.isDeposed { indices[item.address] = index }
        var found: Set<Int> = []
        var open = items.indices.filter { items[$0].action == .replaceCreateFirst }
        func add(_ index: Int) {
            if items[index].action == .replaceDeleteFirst, found.insert(index).inserted { open.append(index) }
        }
        /// What a create-first replacement stands on, or stood on: the old one lives on until its users have moved.
        func addFoundations() {
            while let index = open.popLast() {
                var foundations = items[index].record?.dependencies ?? []
                if let position = items[index].position {
                    foundations += input.spec.dependencies(of: position).map { input.spec.declarations[$0].address }
                }
                for address in foundations { if let other = indices[address] { add(other) } }
            }
        }
        for index in items.indices {
            for held in heldForGood(index) where mayCreateFirst(held) { add(held) }
        }
        addFoundations()
        for position in input.spec.order {
            guard let index = itemOfDeclaration[position], let parent = parent(of: position) else { continue }
            if items[parent].action == .replaceCreateFirst || found.contains(parent) { add(index) }
        }
        addFoundations()
        return Set(found.map { items[$0].address })
    }

    /// The parent that a declared child names, where it is in this plan.
    private func parent(of position: Int) -> Int? {
        let declaration = input.spec.declarations[position]
        guard let argument = input.catalog[declaration.address.type]?.parentArgument,
            let value = declaration.arguments[argument]
        else { return nil }
        var parent: Int?
        value.visitDeferred { deferred in
            for output in deferred.outputs {
                guard let target = input.spec.positions[output.address] else { continue }
                parent = parent ?? itemOfDeclaration[target]
            }
        }
        return parent
    }

    /// What is held by something that stays cannot go first, whatever its definition says. True when there is such.
    mutating func refuseWhatIsHeld() -> Bool {
        var isHeld = false
        for index in items.indices {
            for held in heldForGood(index) {
                isHeld = true
                let declaration = items[held].position.map { input.spec.declarations[$0] }
                refusals.append(.held(items[held].address, by: items[index].address, declaration?.range))
            }
        }
        return isHeld
    }

    /// The items whose present objects would go first, and are held by an item that stays and is to use their
    /// successors.
    private func heldForGood(_ index: Int) -> [Int] {
        let item = items[index]
        guard item.action == .update || item.action == nil, let position = item.position, let record = item.record
        else { return [] }
        var held: [Int] = []
        for target in dependencies(of: item, position) {
            guard let other = itemOfDeclaration[target], let id = items[other].record?.id,
                items[other].action == .replaceDeleteFirst,
                // A run that died may have connected them without saying so.
                record.holds(id, item.schema) || item.schema.holds(id, in: item.prior)
            else { continue }
            held.append(other)
        }
        return held
    }
}

extension ResourceRecord {
    /// True when the cloud refuses to delete the object as long as this one names it, or when this one goes with it.
    func holds(_ id: RemoteID, _ schema: ResourceSchema) -> Bool {
        schema.holds(id, in: arguments)
    }

    /// True where it is known that this object uses the one and not the other.
    func uses(_ one: RemoteID?, andNot other: RemoteID?) -> Bool {
        guard let one, let other else { return false }
        let values = arguments.values
        return values.contains { $0.mentions(one.rawValue) } && !values.contains { $0.mentions(other.rawValue) }
    }
}

extension ResourceSchema {
    fileprivate func holds(_ id: RemoteID, in arguments: [String: Value]) -> Bool {
        self.arguments.contains { argument in
            (argument.holds || argument.name == parentArgument)
                && arguments[argument.name]?.mentions(id.rawValue) ?? false
        }
    }
}

extension Value {
    fileprivate func mentions(_ text: String) -> Bool {
        switch self {
        case .string(let own): own == text
        case .list(let values): values.contains { $0.mentions(text) }
        case .map(let values): values.values.contains { $0.mentions(text) }
        default: false
        }
    }
}
