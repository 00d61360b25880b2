import Diagnostics
import Expressions
import MusterModel
import ResourceGraph

// What happens to what the spec does not declare: rows of the state, predecessors, foreign members of owned sets.

extension Planner {
    mutating func assessUndeclared() {
        let removals = Dictionary(
            input.removals.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
        for address in input.snapshot.records.keys.sorted() where isSelected(address) {
            guard let record = input.snapshot.records[address] else { continue }
            let isDeclared = input.spec.positions[address] != nil
            if (isDeclared && !input.isDestroy) || movedFrom.contains(address) { continue }
            guard let schema = input.catalog[address.type] else {
                refusals.append(.unknownTypeInState(address))
                continue
            }
            var item = Item(address: address, schema: schema, position: nil)
            item.record = record
            item.prior = record.arguments
            if let object = input.observations.objects[address] {
                item.live = object
                if let object { item.prior.merge(object.arguments) { _, live in live } }
            }
            if let position = input.spec.positions[address] {
                item.place = input.spec.declarations[position].range.map(Place.init)
                item.prior = withLastWord(item.prior, input.spec.declarations[position].arguments, schema)
            }
            item.action = .delete
            item.reason = input.isDestroy ? .destroyRequested : .notInSpec
            if let removal = removals[address] {
                item.reason = .removedBlock
                item.place = removal.range.map(Place.init)
                if !removal.destroys { item.action = .forget }
            }
            if case .some(.none) = input.observations.objects[address], item.action == .delete {
                item.action = .forget
                item.reason = .gone
                item.notes.append("it is gone already")
            }
            items.append(item)
        }
    }

    mutating func assessDeposed() {
        for (address, records) in input.snapshot.deposed.sorted(by: { $0.key < $1.key }) where isSelected(address) {
            guard let schema = input.catalog[address.type] else { continue }
            for record in records {
                if isHeld(record) { continue }
                var item = Item(address: address, schema: schema, position: nil)
                item.record = record
                item.prior = record.arguments
                item.action = .delete
                item.reason = .deposed
                item.isDeposed = true
                items.append(item)
            }
        }
    }

    /// Members of an exclusive set that nobody declared.
    mutating func assessForeignChildren() {
        var known: Set<RemoteID> = []
        for record in input.snapshot.records.values { known.insert(record.id) }
        for records in input.snapshot.deposed.values { for record in records { known.insert(record.id) } }
        let newChildren = newChildren()
        for parent in input.observations.children.keys.sorted() {
            guard let position = input.spec.positions[parent], let parentIndex = itemOfDeclaration[position],
                items[parentIndex].action == nil || items[parentIndex].action == .update
                    || items[parentIndex].action == .adopt
            else { continue }
            let declaration = input.spec.declarations[position]
            for type in declaration.exclusiveChildren {
                guard let schema = input.catalog[type],
                    let children = input.observations.children[parent]?[type]
                else { continue }
                for child in children.sorted(by: { $0.id < $1.id }) where !known.contains(child.id) {
                    if isTolerated(child, declaration.toleratedChildren[type] ?? [], schema) { continue }
                    if isDeclared(child, among: newChildren[type] ?? [], schema) { continue }
                    var item = Item(
                        address: Address(stack: parent.stack, type: type, name: "\(parent.name)/\(child.id)"),
                        schema: schema)
                    item.live = child
                    item.prior = child.arguments
                    item.action = .delete
                    item.reason = .foreignChild(parent: parent)
                    item.place = declaration.range.map(Place.init)
                    items.append(item)
                }
            }
        }
    }

    func isTolerated(_ child: Observation, _ patterns: [[String: Value]], _ schema: ResourceSchema) -> Bool {
        patterns.contains { pattern in
            pattern.allSatisfy { name, value in
                guard let argument = schema.argument(name) else { return false }
                return ValueComparison.areEqual(value, child.arguments[name] ?? .null, argument)
            }
        }
    }

    /// Children that are about to be created, by type.
    func newChildren() -> [ResourceType: [Item]] {
        Dictionary(
            grouping: items.filter { $0.action == .create && $0.schema.parentArgument != nil }, by: \.address.type)
    }

    /// A child that is about to be created and exists already: creating it adopts it.
    func isDeclared(_ child: Observation, among new: [Item], _ schema: ResourceSchema) -> Bool {
        // What describes it does not tell it apart: with another description it is the same rule to AWS.
        let telling = schema.arguments.filter { $0.semantics != .tags && $0.name != "description" }
        return new.contains { item in
            telling.allSatisfy { argument in
                guard let wanted = ValueComparison.wanted(item.desired[argument.name], argument) else {
                    return ValueComparison.isUnset(child.arguments[argument.name] ?? .null)
                }
                return ValueComparison.areEqual(wanted, child.arguments[argument.name] ?? .null, argument)
            }
        }
    }

    func foreignDrift() -> [Drift] {
        items.compactMap { item in
            guard case .foreignChild = item.reason, item.action == .delete, let live = item.live else { return nil }
            let shown = item.schema.arguments.compactMap { argument -> AttributeChange? in
                guard let value = live.arguments[argument.name], !ValueComparison.isUnset(value) else { return nil }
                return AttributeChange(path: argument.name, before: nil, after: value)
            }
            return Drift(address: item.address, kind: .foreign, id: live.id, attributes: shown, place: item.place)
        }
    }

    /// What is left out of a run, or of a destroy, must not lose what it stands on.
    mutating func checkStillUsed() {
        var deleted: Set<Address> = []
        var leaving: Set<Address> = []
        for item in items where !item.isDeposed {
            if item.action == .delete, item.record != nil { deleted.insert(item.address) }
            if item.action == .delete || item.action == .forget { leaving.insert(item.address) }
        }
        if deleted.isEmpty { return }
        var assessed: Set<Address> = []
        for item in items where item.position != nil { assessed.insert(item.address) }
        var users: [Address: [Address]] = [:]
        for (address, record) in input.snapshot.records where !leaving.contains(address) && !assessed.contains(address)
        {
            for target in record.dependencies where deleted.contains(target) {
                users[target, default: []].append(address)
            }
        }
        for (target, addresses) in users.sorted(by: { $0.key < $1.key }) {
            refusals.append(.stillUsed(target, by: addresses.sorted()))
        }
    }
}
