import MusterModel
import ResourceGraph

// Who holds on to an object because its change to another one waits for a window: a database keeps its old parameter
// group until it gets the engine of the new one. Such an object cannot be deleted before, so that no plan tries: a
// predecessor stays in the state, and the plan of an apply after the window deletes it.

extension Planner {
    /// By id: those that have an object now and will let go of it by themselves.
    func presentHolders() -> [String: [Address]] {
        var holders: [String: [Address]] = [:]
        if input.isDestroy { return holders }
        for (address, object) in input.observations.objects {
            guard let object, !object.inForce.isEmpty else { continue }
            let changing = itemOfDeclaration(address).map { items[$0].diff.changed } ?? []
            for (name, value) in object.inForce where !changing.contains(name) {
                if let id = value.string { holders[id, default: []].append(address) }
            }
        }
        return holders
    }

    /// True, with a note, when an object that nobody wants any more is held.
    mutating func isHeld(_ record: ResourceRecord) -> Bool {
        guard let holder = holder(of: record) else { return false }
        notes.insert(note(on: record, holder))
        return true
    }

    /// What this plan puts off holds on too: the old one is not deleted in it.
    mutating func keepWhatIsHeld() {
        for item in items where item.action == .update {
            for name in item.diff.changed {
                guard let argument = item.schema.argument(name), item.waits(argument),
                    let id = item.prior[name]?.string
                else { continue }
                holders[id, default: []].append(item.address)
            }
        }
        if holders.isEmpty { return }
        for index in items.indices {
            guard let record = items[index].record, let holder = holder(of: record) else { continue }
            switch items[index].action {
            case .delete where !items[index].isDeposed && items[index].position == nil:
                items[index].action = nil
                notes.insert(note(on: record, holder))
            case .replaceCreateFirst, .replaceDeleteFirst:
                if mayCreateFirst(index) { items[index].action = .replaceCreateFirst }
                guard items[index].action == .replaceCreateFirst else { continue }
                items[index].keepsPredecessor = true
                items[index].notes.append(note(on: record, holder))
            default: break
            }
        }
    }

    private func holder(of record: ResourceRecord) -> Address? {
        holders[record.id.rawValue]?.sorted().first { user in
            input.snapshot.records[user]?.dependencies.contains(record.address) ?? false
        }
    }

    private func note(on record: ResourceRecord, _ holder: Address) -> String {
        "\(record.id) stays until \(holder) lets go of it in its window; an apply after that deletes it"
    }

    private func itemOfDeclaration(_ address: Address) -> Int? {
        input.spec.positions[address].flatMap { itemOfDeclaration[$0] }
    }
}
