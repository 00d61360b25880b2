import Diagnostics
import Expressions
import MusterModel
import ResourceGraph

// Which half of a replacement comes first, and how a successor is named while both exist.

extension Planner {
    /// A successor that is created first cannot take values from something that is deleted first.
    mutating func settleReplacementOrders() {
        makeFoundationsCreateFirst()
        for position in input.spec.order {
            guard let index = itemOfDeclaration[position], items[index].action == .replaceDeleteFirst,
                let parentArgument = items[index].schema.parentArgument,
                let value = input.spec.declarations[position].arguments[parentArgument]
            else { continue }
            var follows = false
            value.visitDeferred { deferred in
                for output in deferred.outputs {
                    guard let target = input.spec.positions[output.address], let other = itemOfDeclaration[target]
                    else { continue }
                    follows = follows || items[other].action == .replaceCreateFirst
                }
            }
            if follows { items[index].action = .replaceCreateFirst }
        }
        makeFoundationsCreateFirst()
        for index in items.indices where items[index].action == .replaceCreateFirst { nameSuccessor(index) }
    }

    func mayCreateFirst(_ index: Int) -> Bool {
        guard items[index].action == .replaceDeleteFirst else { return false }
        let declaration = items[index].position.map { input.spec.declarations[$0] }
        return declaration?.lifecycle.createBeforeDestroy != false
    }

    /// While both exist, two objects cannot have the one name.
    mutating func nameSuccessor(_ index: Int) {
        let item = items[index]
        guard case .unique(let argument, _) = item.schema.naming, let record = item.record,
            let position = item.position, let base = input.spec.declarations[position].arguments[argument]
        else { return }
        let wanted = evaluated(base)
        items[index].desired[argument] = wanted
        items[index].generation = 1
        if wanted == item.prior[argument] {
            items[index].generation = record.generation + 1
            applyGeneration(&items[index].desired, items[index].generation, item.schema)
            if let text = items[index].desired[argument]?.string {
                let note = "its successor is named \(text), since both exist for a while"
                if !items[index].notes.contains(note) { items[index].notes.append(note) }
            }
        } else if record.generation > 1 {
            // The present one has a suffix: the name itself is free.
            items[index].generation = 1
        }
        items[index].wanted[argument] = items[index].desired[argument]
    }

    /// What a create-first replacement stands on, or stood on: the old one lives on until its users have moved.
    mutating func makeFoundationsCreateFirst() {
        var indices: [Address: Int] = [:]
        for (index, item) in items.enumerated() where !item.isDeposed { indices[item.address] = index }
        var open = items.indices.filter { items[$0].action == .replaceCreateFirst }
        while let index = open.popLast() {
            var foundations = items[index].record?.dependencies ?? []
            if let position = items[index].position {
                foundations += input.spec.dependencies(of: position).map { input.spec.declarations[$0].address }
            }
            for address in foundations {
                guard let other = indices[address], items[other].action == .replaceDeleteFirst else { continue }
                items[other].action = .replaceCreateFirst
                open.append(other)
            }
        }
    }
}
