import MusterModel
import ResourceGraph

/// Lays the decided changes out as calls, with the edges between them.
///
/// "Make" is the half of a change after which the wanted object is there; "drop" the half after which the old one is
/// gone. The rules:
/// - a make waits for the makes of what it depends on;
/// - a drop waits for the drops of what depended on the object, and for the makes that stop using it, directly or
///   through others;
/// - the halves of a replacement wait for each other, in either order;
/// - the children of a parent that is created first go when the parent goes, not before its users have moved, and its
///   users move when the children of the successor are there;
/// - what an earlier replacement has left, and nothing uses, goes before the next successor comes;
/// - members of a serial group go one after the other.
struct StepLayout {
    private let planner: Planner
    private var steps: [Step] = []
    private var make: [Int?]
    private var drop: [Int?]
    private var after: [Set<Int>] = []
    private var itemOfStep: [Int] = []
    private var current = 0
    private var itemOfAddress: [Address: Int] = [:]
    private var deposedItems: [Address: [Int]] = [:]

    init(_ planner: Planner) {
        self.planner = planner
        make = Array(repeating: nil, count: planner.items.count)
        drop = make
        for (index, item) in planner.items.enumerated() {
            if item.isDeposed {
                deposedItems[item.address, default: []].append(index)
            } else {
                itemOfAddress[item.address] = index
            }
        }
    }

    /// - Returns: `circle`, when the calls wait for each other: those on it, in words; the steps are then in no order.
    func lay() -> (changes: [ResourceChange], steps: [Step], circle: [(item: Int, text: String)]) {
        var layout = self
        for index in planner.items.indices { layout.addSteps(index) }
        for index in planner.items.indices {
            layout.connectMake(index)
            layout.connectRecorded(index)
        }
        layout.connectFollowers()
        layout.connectChildren()
        layout.connectSerialGroups()
        layout.connectPredecessors()
        let (steps, circle) = layout.ordered()
        return (layout.changes(), steps, circle)
    }

    // MARK: Steps

    private mutating func addSteps(_ index: Int) {
        let item = planner.items[index]
        current = index
        switch item.action {
        case nil, .read: break
        case .create: make[index] = add(item, .create)
        case .update: make[index] = add(item, .update, target: item.record?.id)
        case .replaceDeleteFirst, .replaceCreateFirst:
            let isCreateFirst = item.action == .replaceCreateFirst
            let makeStep = add(item, .create, deposesPrevious: isCreateFirst)
            if item.keepsPredecessor, isCreateFirst {
                make[index] = makeStep
                break
            }
            let dropStep = add(item, .delete, target: item.record?.id, isDeposed: isCreateFirst)
            make[index] = makeStep
            drop[index] = dropStep
            if isCreateFirst { after[dropStep].insert(makeStep) } else { after[makeStep].insert(dropStep) }
        case .delete:
            drop[index] = add(item, .delete, target: item.record?.id ?? item.live?.id, isDeposed: item.isDeposed)
        case .forget: drop[index] = add(item, .forget, target: item.record?.id)
        case .adopt:
            let adopt = add(item, .adopt, target: item.live?.id)
            make[index] = adopt
            if item.updatesAfterAdoption {
                let update = add(item, .update, target: item.live?.id)
                after[update].insert(adopt)
                make[index] = update
            }
        case .move: make[index] = add(item, .move, target: item.record?.id)
        }
        if item.previousAddress != nil, item.action != .move, let first = make[index] ?? drop[index] {
            let move = add(item, .move, target: item.record?.id)
            after[first].insert(move)
            if let drop = drop[index] { after[drop].insert(move) }
        }
    }

    private mutating func add(
        _ item: Planner.Item, _ operation: Step.Operation, target: RemoteID? = nil, isDeposed: Bool = false,
        deposesPrevious: Bool = false
    ) -> Int {
        let input = planner.input
        let declaration = item.position.map { input.spec.declarations[$0] }
        let isCreate = operation == .create
        let isRemoval = operation == .delete || operation == .forget
        var dependencies: [Address] = item.record?.dependencies ?? []
        if let position = item.position {
            dependencies = planner.dependencies(of: item, position).map { input.spec.declarations[$0].address }.sorted()
        }
        let prior = isCreate ? [:] : planner.withoutHidden(item)
        steps.append(
            Step(
                id: steps.count, address: item.address, operation: operation, target: target,
                desired: isRemoval ? [:] : isCreate ? item.desired.filter { $0.value != .null } : item.wanted,
                prior: prior,
                version: item.record?.version ?? input.snapshot.versions[item.address] ?? 0,
                fingerprint: isCreate && !deposesPrevious && item.action == .create ? nil : fingerprint(item),
                generation: item.generation,
                scope: item.record.map(\.scope) ?? input.scope(of: item.address),
                timeouts: declaration?.timeouts ?? item.schema.timeouts,
                isProtected: declaration?.lifecycle.preventDestroy ?? false, dependencies: dependencies,
                isDeposed: isDeposed, deposesPrevious: deposesPrevious,
                previousAddress: operation == .move ? item.previousAddress : nil))
        after.append([])
        itemOfStep.append(current)
        return steps.count - 1
    }

    private func fingerprint(_ item: Planner.Item) -> String? {
        if let record = item.record { return planner.fingerprint(item.schema, record, item.live) }
        guard let live = item.live else { return nil }
        let scope = planner.input.scope(of: item.address)
        let seen = ResourceRecord(address: item.address, id: live.id, scope: scope, arguments: live.arguments)
        return planner.fingerprint(item.schema, seen, live)
    }

    // MARK: Edges

    private mutating func connectMake(_ index: Int) {
        guard let position = planner.items[index].position, let step = make[index] else { return }
        for target in planner.dependencies(of: planner.items[index], position) {
            if let other = planner.itemOfDeclaration[target], let before = make[other], before != step {
                after[step].insert(before)
            }
        }
    }

    /// Edges that the state remembers: what used an object must let go of it before it goes.
    private mutating func connectRecorded(_ index: Int) {
        let item = planner.items[index]
        guard let record = item.record, make[index] != nil || drop[index] != nil else { return }
        let stillUsed: Set<Address> =
            item.position.map { position in
                Set(planner.dependencies(of: item, position).map { planner.input.spec.declarations[$0].address })
            } ?? []
        for address in record.dependencies {
            let current = itemOfAddress[address].flatMap { planner.items[$0].record?.id }
            for predecessor in deposedItems[address] ?? [] where predecessor != index {
                // What has followed to the successor already uses the predecessor no more.
                if record.uses(current, andNot: planner.items[predecessor].record?.id) { continue }
                if let dropPredecessor = drop[predecessor], let own = drop[index] ?? make[index] {
                    after[dropPredecessor].insert(own)
                }
            }
            guard let other = itemOfAddress[address], other != index, let dropOther = drop[other] else { continue }
            if let dropOwn = drop[index] {
                after[dropOther].insert(dropOwn)
            } else if let makeOwn = make[index] {
                // It can only move when the successor is there; until then it names what is gone, unless it holds it.
                let id = planner.items[other].record?.id
                if planner.items[other].action == .replaceDeleteFirst, stillUsed.contains(address),
                    !(id.map { record.holds($0, item.schema) } ?? false)
                {
                    continue
                }
                after[dropOther].insert(makeOwn)
            }
        }
    }

    /// Who holds an object may hold it through others: a fleet holds a security group through its launch. So what is
    /// replaced by a successor goes only when those have followed that change because what they use has.
    private mutating func connectFollowers() {
        var users: [Address: [Int]] = [:]
        for (index, item) in planner.items.enumerated() where item.action == .update && !item.isDeposed {
            for address in item.record?.dependencies ?? [] { users[address, default: []].append(index) }
        }
        let replaced = replacedBySuccessors
        if users.isEmpty || replaced.isEmpty { return }
        var graph = growingGraph
        for index in replaced {
            guard let dropOwn = drop[index], let direct = users[planner.items[index].address] else { continue }
            var seen = Set(direct)
            var open = direct
            while let next = open.popLast() {
                for follower in users[planner.items[next].address] ?? [] where seen.insert(follower).inserted {
                    open.append(follower)
                    guard let step = make[follower], !graph.depends(step, on: dropOwn) else { continue }
                    graph.add(dropOwn, dependsOn: step)
                }
            }
        }
        after = graph.dependencies
    }

    private mutating func connectChildren() {
        let replaced = Set(replacedBySuccessors.map { planner.items[$0].address })
        if replaced.isEmpty { return }
        let parents = planner.items.map(parent)
        var usersOf: [Address: [Int]] = [:]
        for (index, item) in planner.items.enumerated() {
            for address in Set(item.record?.dependencies ?? []) where replaced.contains(address) {
                usersOf[address, default: []].append(index)
            }
        }
        var graph = growingGraph
        for (index, item) in planner.items.enumerated() {
            guard let dropOwn = drop[index], let record = item.record, let parentID = parents[index] else { continue }
            for address in record.dependencies {
                guard let parent = itemOfAddress[address], planner.items[parent].action == .replaceCreateFirst,
                    planner.items[parent].record?.id.rawValue == parentID
                else { continue }
                for user in usersOf[address] ?? [] where parents[user] != parentID {
                    guard let makeUser = make[user] else { continue }
                    if !graph.depends(makeUser, on: dropOwn) { graph.add(dropOwn, dependsOn: makeUser) }
                    // A user moves to the successor when its children are there too: to a group with its targets.
                    if let makeOwn = make[index], !graph.depends(makeOwn, on: makeUser) {
                        graph.add(makeUser, dependsOn: makeOwn)
                    }
                }
            }
        }
        after = graph.dependencies
    }

    private var replacedBySuccessors: [Int] {
        planner.items.indices.filter { planner.items[$0].action == .replaceCreateFirst }
    }

    /// Who waits for whom, to be asked and added to. Drops come late, since nearly every edge is of a drop to a make.
    /// What an earlier replacement has left goes before the next successor comes, wherever nothing uses it any more: it may
    /// have what the successor is to have, such as a range of addresses.
    private mutating func connectPredecessors() {
        var graph = growingGraph
        for (address, predecessors) in deposedItems.sorted(by: { $0.key < $1.key }) {
            guard let index = itemOfAddress[address], let step = make[index], steps[step].operation == .create else {
                continue
            }
            for predecessor in predecessors {
                guard let dropPredecessor = drop[predecessor], !graph.depends(dropPredecessor, on: step) else {
                    continue
                }
                graph.add(step, dependsOn: dropPredecessor)
            }
        }
        after = graph.dependencies
    }

    private var growingGraph: GrowingGraph {
        GrowingGraph(after) { steps[$0].operation == .delete || steps[$0].operation == .forget }
    }

    /// The id of the object that an item is a child of.
    private func parent(of item: Planner.Item) -> String? {
        guard let argument = item.schema.parentArgument else { return nil }
        return item.record?.arguments[argument]?.string ?? item.prior[argument]?.string
    }

    private mutating func connectSerialGroups() {
        var groups: [String: [Int]] = [:]
        for position in planner.input.spec.order {
            guard let group = planner.input.spec.declarations[position].serialGroup,
                let index = planner.itemOfDeclaration[position], interrupts(planner.items[index])
            else { continue }
            groups[group, default: []].append(index)
        }
        groups = groups.filter { $0.value.count > 1 }
        if groups.isEmpty { return }
        var graph = growingGraph
        for (_, members) in groups.sorted(by: { $0.key < $1.key }) {
            for (earlier, later) in zip(members, members.dropFirst()) {
                let first = planner.items[later].action == .replaceDeleteFirst ? drop[later] : make[later]
                let last = planner.items[earlier].action == .replaceCreateFirst ? drop[earlier] : make[earlier]
                // Where both must let go of something before either comes back, they cannot take turns.
                guard let first, let last, !graph.depends(last, on: first) else { continue }
                graph.add(first, dependsOn: last)
            }
        }
        after = graph.dependencies
    }

    /// True when the object stops serving for a while.
    private func interrupts(_ item: Planner.Item) -> Bool {
        guard let action = item.action else { return false }
        if action.isReplacement { return true }
        return action == .update && item.diff.changed.contains(where: item.interrupts)
    }

    // MARK: Results

    /// Renumbers the steps so that each comes after all it waits for; among equals by address.
    private func ordered() -> (steps: [Step], circle: [(item: Int, text: String)]) {
        let byAddress = steps.indices.sorted {
            (steps[$0].address, steps[$0].operation.rawValue, $0) < (
                steps[$1].address, steps[$1].operation.rawValue, $1
            )
        }
        var rank = Array(repeating: 0, count: steps.count)
        for (position, step) in byAddress.enumerated() { rank[step] = position }
        let dependencies = byAddress.map { step in after[step].map { rank[$0] }.sorted() }
        guard let order = TopologicalOrder.sort(dependencies: dependencies) else {
            let circle = TopologicalOrder.cycle(dependencies: dependencies).map { position in
                let step = steps[byAddress[position]]
                let suffix = step.isDeposed ? " (predecessor)" : ""
                return (itemOfStep[step.id], "\(step.operation.rawValue) \(step.address)\(suffix)")
            }
            return ([], circle)
        }
        var number = Array(repeating: 0, count: steps.count)
        for (id, position) in order.enumerated() { number[byAddress[position]] = id }
        let ordered = order.enumerated().map { id, position in
            var step = steps[byAddress[position]]
            step.id = id
            step.after = after[byAddress[position]].map { number[$0] }.sorted()
            return step
        }
        return (ordered, [])
    }

    private func changes() -> [ResourceChange] {
        planner.items
            .compactMap { item -> ResourceChange? in
                guard var action = item.action else { return nil }
                if item.keepsPredecessor, action == .replaceCreateFirst { action = .create }
                return ResourceChange(
                    address: item.address, action: action, reason: item.reason, why: item.why,
                    attributes: attributes(item), id: item.record?.id ?? item.live?.id,
                    hazards: HazardFinder.hazards(of: item), place: item.place, notes: item.notes,
                    previousAddress: item.previousAddress)
            }
            .sorted { ($0.address, $0.action.rawValue) < ($1.address, $1.action.rawValue) }
    }

    private func attributes(_ item: Planner.Item) -> [AttributeChange] {
        switch item.action {
        case .create:
            return item.schema.arguments.compactMap { argument in
                guard let value = item.desired[argument.name], value != .null else { return nil }
                let isHidden = argument.isSensitive || value.isTainted
                return AttributeChange(
                    path: argument.name, before: nil,
                    after: argument.isSensitive && !value.isTainted ? .null : value, isHidden: isHidden)
            }
        case .delete, .forget:
            let hidden = planner.withoutHidden(item)
            return item.schema.arguments.compactMap { argument in
                guard let value = hidden[argument.name], !ValueComparison.isUnset(value) else { return nil }
                return AttributeChange(path: argument.name, before: value, after: nil, isHidden: value.isTainted)
            }
        default: return item.diff.changes
        }
    }
}

extension Planner {
    /// What an item depends on: of several candidates only the one that was chosen.
    func dependencies(of item: Item, _ position: Int) -> [Int] {
        let declaration = input.spec.declarations[position]
        let all = input.spec.dependencies(of: position)
        if declaration.candidates.isEmpty { return all }
        var used: Set<Int> = Set(input.spec.orderDependencies[position])
        for (name, value) in declaration.arguments {
            let isKept = declaration.candidates[name] != nil && item.desired[name]?.isKnown ?? false
            if isKept, let chosen = item.desired[name] {
                for candidate in declaration.candidates[name] ?? [] {
                    guard evaluated(candidate) == chosen else { continue }
                    collect(candidate, into: &used)
                }
            } else {
                collect(value, into: &used)
            }
        }
        return all.filter(used.contains)
    }

    private func collect(_ value: Value, into positions: inout Set<Int>) {
        value.visitDeferred { deferred in
            for output in deferred.outputs {
                if let position = input.spec.positions[output.address] { positions.insert(position) }
            }
        }
    }

    /// The arguments as they are, without what must not be written down. One that stays the same is given in the form
    /// in which it is wanted, so that both sides of an update evaluate to the same.
    func withoutHidden(_ item: Item) -> [String: Value] {
        var prior = item.prior
        for argument in item.schema.arguments {
            let wanted = item.wanted[argument.name]
            let recorded = item.record?.arguments[argument.name]
            let isHidden =
                argument.isSensitive || (wanted?.isTainted ?? false) || (recorded?.isTainted ?? false)
            guard isHidden else { continue }
            if item.diff.changed.contains(argument.name) || wanted == nil {
                // The same reference to another secret: both sides would evaluate to the same, and no call be made.
                let isOther = recorded.map { $0.isTainted && $0 != wanted } ?? false
                prior[argument.name] = isOther ? recorded : .none
            } else {
                prior[argument.name] = wanted
            }
        }
        return prior
    }
}
