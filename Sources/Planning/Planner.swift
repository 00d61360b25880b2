// Declarations × state × observations → a plan. Pure: no I/O, no clock, no randomness.
//
// One pass in dependency order decides what happens to each resource: what it depends on is decided by then, so it is
// known which outputs are known. A second pass settles which half of each replacement comes first, and a third lays out
// the calls (`StepLayout`). Everything is linear in resources and edges.
//
// Known weakness: a selection (`--only`, `--stack`) takes what is left out as it is; values that hang on something
// that was never created are refused, not guessed.

package import Diagnostics
import Expressions
package import MusterModel
import ResourceGraph

package struct Planner {
    let input: PlanningInput
    var items: [Item] = []
    /// The item of a declaration, by its position in the spec; nil when it is left out of the selection.
    var itemOfDeclaration: [Int?] = []
    var refusals: [Diagnostic] = []
    var notes: Set<String> = []
    /// Declared resources whose action leaves their outputs unknown until they are made.
    private var knownOutputs: [Address: [String: Value]] = [:]
    private var volatileOutputs: [Address: Set<String>] = [:]
    private var movedFrom: Set<Address> = []

    /// One resource with what happens to it.
    struct Item {
        let address: Address
        let schema: ResourceSchema
        var position: Int?
        var record: ResourceRecord?
        var live: Observation?
        var action: Action?
        var reason: Reason = .argumentsChanged
        var desired: [String: Value] = [:]
        /// The arguments wanted afterwards with the defaults that must be said again.
        var wanted: [String: Value] = [:]
        var prior: [String: Value] = [:]
        var diff = ArgumentDiff()
        var why: [WhyLink] = []
        var generation = 1
        var isDeposed = false
        var previousAddress: Address?
        var place: Place?
        var notes: [String] = []
        /// After adopting: the differences are applied too.
        var updatesAfterAdoption = false
    }

    package static func plan(_ input: PlanningInput) -> PlanningResult {
        var planner = Planner(input: input)
        return planner.run()
    }

    private init(input: PlanningInput) { self.input = input }

    private mutating func run() -> PlanningResult {
        let spec = input.spec
        itemOfDeclaration = Array(repeating: nil, count: spec.declarations.count)
        let included = includedDeclarations()
        if !input.isDestroy {
            for position in spec.order {
                if included[position] { assess(position) } else { assumeUnchanged(position) }
            }
        }
        assessUndeclared()
        assessDeposed()
        if !input.isDestroy { assessForeignChildren() }
        settleReplacementOrders()
        checkProtection()
        checkStillUsed()
        let drift = (DriftFinder(input: input).find() + foreignDrift()).sorted { $0.address < $1.address }
        var laidOut = StepLayout(self).lay()
        while !laidOut.circle.isEmpty {
            guard let index = laidOut.circle.map(\.item).first(where: mayCreateFirst) else {
                refusals.append(.unorderable(laidOut.circle.map(\.text)))
                break
            }
            // What its users move to needs the new one, and the old one cannot go before they have moved.
            items[index].action = .replaceCreateFirst
            settleReplacementOrders()
            laidOut = StepLayout(self).lay()
        }
        var plan = Plan(
            workspace: input.workspace, lineage: input.snapshot.lineage, changes: laidOut.changes,
            steps: laidOut.steps, outputs: outputChanges(), drift: drift,
            unchangedCount: items.count { $0.action == nil }, reliesOn: reliances(),
            notes: notes.sorted(), isUnrefreshed: !input.isRefreshed)
        let stacks = Set(plan.steps.map(\.address.stack))
        plan.scopes = input.scopes.filter { stacks.contains($0.key) }
        plan.configurations = input.configurations.filter { stacks.contains($0.key) }
        return PlanningResult(plan: plan, refusals: refusals)
    }

    // MARK: Selection

    private func includedDeclarations() -> [Bool] {
        let spec = input.spec
        let selection = input.selection
        if selection.isEverything { return Array(repeating: true, count: spec.declarations.count) }
        var included = spec.declarations.map { declaration in
            selection.stacks?.contains(declaration.address.stack) ?? true
        }
        if !selection.only.isEmpty {
            var wanted = Array(repeating: false, count: spec.declarations.count)
            for position in spec.order.reversed() {
                if matches(spec.declarations[position].address, selection.only) { wanted[position] = true }
                if wanted[position] { for target in spec.dependencies(of: position) { wanted[target] = true } }
            }
            for position in included.indices { included[position] = included[position] && wanted[position] }
        }
        for position in included.indices where matches(spec.declarations[position].address, selection.except) {
            included[position] = false
        }
        return included
    }

    private func matches(_ address: Address, _ selected: Set<Address>) -> Bool { selected.contains(address) }

    private func isSelected(_ address: Address) -> Bool {
        let selection = input.selection
        return (selection.stacks?.contains(address.stack) ?? true)
            && (selection.only.isEmpty || selection.only.contains(address)) && !selection.except.contains(address)
    }

    // MARK: Declared resources

    private mutating func assumeUnchanged(_ position: Int) {
        let address = input.spec.declarations[position].address
        if let record = record(for: address).record {
            rememberOutputs(address, record: record, live: observation(of: record.address))
        }
    }

    private func record(for address: Address) -> (record: ResourceRecord?, from: Address?) {
        if let record = input.snapshot.records[address] { return (record, nil) }
        if let old = input.moves[address], let record = input.snapshot.records[old],
            input.spec.positions[old] == nil
        {
            return (record, old)
        }
        return (nil, nil)
    }

    /// nil: it was not read; an inner nil: it is gone.
    private func observation(of address: Address) -> Observation?? {
        guard let object = input.observations.objects[address] else { return nil }
        return .some(object)
    }

    private mutating func rememberOutputs(_ address: Address, record: ResourceRecord, live: Observation??) {
        var outputs = record.outputs
        for (name, value) in record.arguments where outputs[name] == nil { outputs[name] = value }
        if case .some(.some(let live)) = live { outputs.merge(live.outputs) { _, new in new } }
        outputs["id"] = .string(record.id.rawValue)
        knownOutputs[address] = outputs
    }

    private mutating func assess(_ position: Int) {
        let declaration = input.spec.declarations[position]
        guard let schema = input.catalog[declaration.address.type] else { return }
        let (record, oldAddress) = record(for: declaration.address)
        let live = record.map { observation(of: $0.address) } ?? nil
        var item = Item(address: declaration.address, schema: schema, position: position)
        item.record = record
        item.place = declaration.range.map(Place.init)
        item.previousAddress = oldAddress
        if let oldAddress { movedFrom.insert(oldAddress) }
        if case .some(.some(let object)) = live { item.live = object }

        guard var desired = evaluate(declaration) else { return }
        keepChosen(&desired, declaration, record: record, live: item.live)
        item.generation = record?.generation ?? 1
        applyGeneration(&desired, item.generation, schema)
        item.desired = desired

        if let record {
            decide(&item, declaration, record: record, isGone: live.map { $0 == nil } ?? false)
        } else if case .some(let adopted) = input.observations.imports[declaration.address] {
            decideAdoption(&item, declaration, adopted)
        } else {
            item.action = .create
            item.reason = .notInState
        }
        if item.action == nil, oldAddress != nil {
            item.action = .move
            item.reason = .argumentsChanged
        }
        if let action = item.action, action.isReplacement || action == .create {
            checkReachable(item, declaration)
        }
        finish(item, declaration)
    }

    private mutating func evaluate(_ declaration: Declaration) -> [String: Value]? {
        var desired = declaration.arguments
        for (name, value) in declaration.arguments where !value.isKnown {
            do {
                desired[name] = try PlanEvaluator.evaluate(value) { leaf in resolve(leaf) }
            } catch {
                refusals.append(
                    Diagnostic(
                        code: "plan.expression", summary: error.summary, detail: error.detail,
                        at: declaration.argumentRanges[name] ?? declaration.range, hint: error.hint))
                return nil
            }
        }
        return desired
    }

    /// A value as far as it is known now.
    func evaluated(_ value: Value) -> Value {
        (try? PlanEvaluator.evaluate(value) { leaf in resolve(leaf) }) ?? value
    }

    private func resolve(_ leaf: Expression) -> Value? {
        guard case .output(let reference) = leaf else { return nil }
        if let lookup = input.observations.lookups[reference.address] { return lookup[reference.output] }
        if volatileOutputs[reference.address]?.contains(reference.output) ?? false { return nil }
        guard let value = knownOutputs[reference.address]?[reference.output] else { return nil }
        return value
    }

    /// Placement and initial values belong to the moment of creation.
    private func keepChosen(
        _ desired: inout [String: Value], _ declaration: Declaration, record: ResourceRecord?, live: Observation?
    ) {
        guard let record else { return }
        for name in declaration.initialArguments.union(declaration.lifecycle.ignoreChanges) {
            if let value = live?.arguments[name] ?? record.arguments[name] { desired[name] = value }
        }
        for (name, values) in declaration.candidates {
            guard let current = live?.arguments[name] ?? record.arguments[name] else { continue }
            let known = values.map(evaluated)
            if known.contains(current) { desired[name] = current }
        }
    }

    /// The effective name of a successor: the name, a suffix, within the length.
    private func applyGeneration(_ desired: inout [String: Value], _ generation: Int, _ schema: ResourceSchema) {
        guard generation > 1, case .unique(let argument, let length) = schema.naming,
            case .string(let name)? = desired[argument]
        else { return }
        let suffix = "-g\(generation)"
        desired[argument] = .string(String(name.prefix(length - suffix.count)) + suffix)
    }

    private mutating func decide(
        _ item: inout Item, _ declaration: Declaration, record: ResourceRecord, isGone: Bool
    ) {
        if isGone {
            item.action = .create
            item.reason = .gone
            return
        }
        if case .deleting = item.live?.status {
            item.action = .create
            item.reason = .gone
            return
        }
        let maker = diffMaker(item.schema, declaration)
        item.diff = maker.diff(desired: item.desired, live: item.live?.arguments, record: record)
        noteUnreadable(item.diff)
        item.prior = prior(record, item.live, desired: item.desired)
        item.wanted = wanted(item)
        let triggers = input.spec.triggers[item.position ?? 0].compactMap { itemOfDeclaration[$0] }.map { items[$0] }
        if let trigger = triggers.first(where: { $0.action != nil && $0.action != .move && $0.action != .adopt }) {
            replace(&item, declaration, .triggered(by: trigger.address))
        } else if input.replace.contains(item.address) {
            replace(&item, declaration, .requested)
        } else if case .failed(let why) = item.live?.status {
            replace(&item, declaration, .incomplete)
            item.notes.append("it is in a failed state: \(why)")
        } else if !item.diff.replacing.isEmpty {
            replace(&item, declaration, .cannotUpdate(item.diff.replacing))
        } else if !item.diff.isEmpty {
            item.action = .update
            item.reason = .argumentsChanged
        } else if record.isIncomplete {
            item.action = .update
            item.reason = .incomplete
        } else if record.isProtected != declaration.lifecycle.preventDestroy {
            item.action = .update
            item.diff.changes.append(
                AttributeChange(
                    path: "lifecycle.prevent_destroy", before: .bool(record.isProtected),
                    after: .bool(declaration.lifecycle.preventDestroy), place: item.place))
        }
    }

    private mutating func decideAdoption(
        _ item: inout Item, _ declaration: Declaration, _ observation: Observation?
    ) {
        guard let observation else {
            let named = input.imports.first { $0.address == item.address }
            refusals.append(.importTargetMissing(item.address, named))
            return
        }
        item.live = observation
        item.action = .adopt
        item.reason = .importBlock
        item.diff = diffMaker(item.schema, declaration)
            .diff(desired: item.desired, live: observation.arguments, record: nil)
        item.prior = observation.arguments
        if item.schema.isTaggable { item.prior["tags"] = ownTags(item.prior["tags"], desired: item.desired, [:]) }
        item.wanted = wanted(item)
        item.updatesAfterAdoption = !item.diff.isEmpty
        if !item.diff.replacing.isEmpty {
            refusals.append(.importNeedsReplacement(item.address, item.diff.replacing, declaration.range))
        }
    }

    private func diffMaker(_ schema: ResourceSchema, _ declaration: Declaration) -> DiffMaker {
        DiffMaker(
            schema: schema, secrets: input.secrets, ignored: declaration.lifecycle.ignoreChanges,
            place: { name in (declaration.argumentRanges[name] ?? declaration.range).map(Place.init) })
    }

    /// The name of a successor gets a suffix when both live at once; the order is settled later, so it is prepared.
    private mutating func replace(_ item: inout Item, _ declaration: Declaration, _ reason: Reason) {
        item.reason = reason
        item.action = .replaceDeleteFirst
        let order =
            declaration.lifecycle.createBeforeDestroy.map { $0 ? ReplacementOrder.createFirst : .deleteFirst }
            ?? item.schema.replacement
        if order == .createFirst { item.action = .replaceCreateFirst }
    }

    private mutating func noteUnreadable(_ diff: ArgumentDiff) {
        for secret in diff.unreadable {
            notes.insert(
                "The secret \"\(secret.name)\" (\(secret.source)) cannot be read here; it is assumed unchanged.")
        }
    }

    private func prior(_ record: ResourceRecord, _ live: Observation?, desired: [String: Value]) -> [String: Value] {
        var prior = record.arguments
        guard let live else { return prior }
        for (name, value) in live.arguments { prior[name] = value }
        if prior["tags"] != nil {
            prior["tags"] = ownTags(prior["tags"], desired: desired, record.arguments["tags"]?.map ?? [:])
        }
        return prior
    }

    /// Tags of others are not shown to the provider, so that no update removes them.
    private func ownTags(_ tags: Value?, desired: [String: Value], _ recorded: [String: Value]) -> Value {
        let wanted = desired["tags"]?.map ?? [:]
        return .map((tags?.map ?? [:]).filter { wanted[$0.key] != nil || recorded[$0.key] != nil })
    }

    /// What is declared, with the defaults of changed arguments spelled out.
    private func wanted(_ item: Item) -> [String: Value] {
        var wanted = item.desired
        for name in item.diff.changed where wanted[name] == nil || wanted[name] == .null {
            if case .means(let value)? = item.schema.argument(name)?.absence { wanted[name] = value }
        }
        return wanted
    }

    /// A create or a replacement needs every value it hangs on to be there or to be made by this plan.
    private mutating func checkReachable(_ item: Item, _ declaration: Declaration) {
        for (name, value) in item.desired where !value.isKnown {
            value.visitDeferred { deferred in
                for output in deferred.outputs {
                    guard let position = input.spec.positions[output.address] else { continue }
                    if itemOfDeclaration[position] == nil, knownOutputs[output.address] == nil {
                        refusals.append(
                            .notSelected(
                                output.address, neededBy: item.address,
                                declaration.argumentRanges[name] ?? declaration.range))
                    }
                }
            }
        }
    }

    private mutating func finish(_ item: Item, _ declaration: Declaration) {
        var item = item
        if item.wanted.isEmpty { item.wanted = item.desired }
        switch item.action {
        case nil, .move, .forget, .read, .delete:
            if let record = item.record { rememberOutputs(item.address, record: record, live: .some(item.live)) }
        case .adopt:
            if let live = item.live {
                knownOutputs[item.address] = live.arguments.merging(live.outputs) { _, output in output }
            }
        case .update:
            if let record = item.record { rememberOutputs(item.address, record: record, live: .some(item.live)) }
            let changed = Set(item.diff.changed)
            volatileOutputs[item.address] = Set(
                item.schema.outputs.filter { !changed.isDisjoint(with: $0.changesWith) }.map(\.name))
            for name in changed { knownOutputs[item.address]?[name] = item.wanted[name] }
        case .create, .replaceDeleteFirst, .replaceCreateFirst:
            knownOutputs[item.address] = item.desired.filter { name, _ in item.schema.output(name) == nil }
        }
        item.why = whyChain(item)
        itemOfDeclaration[declaration.address.positionIn(input.spec)] = items.count
        items.append(item)
    }

    /// From this resource's cause back to the spec line that started it.
    private func whyChain(_ item: Item) -> [WhyLink] {
        guard let action = item.action, action.isReplacement || action == .update, let position = item.position else {
            return []
        }
        let declaration = input.spec.declarations[position]
        let causes = action.isReplacement ? item.diff.replacing : item.diff.changed
        for name in causes {
            guard let value = declaration.arguments[name] else { continue }
            var upstream: Item?
            value.visitDeferred { deferred in
                for output in deferred.outputs where upstream == nil {
                    guard let target = input.spec.positions[output.address], let index = itemOfDeclaration[target],
                        let targetAction = items[index].action, targetAction.isReplacement || targetAction == .create
                    else { continue }
                    upstream = items[index]
                }
            }
            if let upstream {
                let verb = upstream.action?.isReplacement ?? false ? "is replaced" : "is created"
                return [
                    WhyLink(
                        address: item.address, argument: name, text: "\(upstream.address) \(verb)",
                        place: declaration.argumentRanges[name].map(Place.init) ?? item.place)
                ] + upstream.why
            }
        }
        switch item.reason {
        case .triggered(let address):
            return [WhyLink(address: item.address, text: "\(address) changes", place: item.place)]
        case .requested:
            return [WhyLink(address: item.address, text: "its replacement was asked for", place: item.place)]
        default: break
        }
        guard action.isReplacement, let name = causes.first else { return [] }
        return [
            WhyLink(
                address: item.address, argument: name, text: "\(name) cannot be changed in place",
                place: declaration.argumentRanges[name].map(Place.init) ?? item.place)
        ]
    }

    // MARK: What the spec does not declare

    private mutating func assessUndeclared() {
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

    private mutating func assessDeposed() {
        for (address, records) in input.snapshot.deposed.sorted(by: { $0.key < $1.key }) where isSelected(address) {
            guard let schema = input.catalog[address.type] else { continue }
            for record in records {
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
    private mutating func assessForeignChildren() {
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

    private func isTolerated(_ child: Observation, _ patterns: [[String: Value]], _ schema: ResourceSchema) -> Bool {
        patterns.contains { pattern in
            pattern.allSatisfy { name, value in
                guard let argument = schema.argument(name) else { return false }
                return ValueComparison.areEqual(value, child.arguments[name] ?? .null, argument)
            }
        }
    }

    /// Children that are about to be created, by type.
    private func newChildren() -> [ResourceType: [Item]] {
        Dictionary(
            grouping: items.filter { $0.action == .create && $0.schema.parentArgument != nil }, by: \.address.type)
    }

    /// A child that is about to be created and exists already: creating it adopts it.
    private func isDeclared(_ child: Observation, among new: [Item], _ schema: ResourceSchema) -> Bool {
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

    private func foreignDrift() -> [Drift] {
        items.compactMap { item in
            guard case .foreignChild = item.reason, item.action == .delete, let live = item.live else { return nil }
            let shown = item.schema.arguments.compactMap { argument -> AttributeChange? in
                guard let value = live.arguments[argument.name], !ValueComparison.isUnset(value) else { return nil }
                return AttributeChange(path: argument.name, before: nil, after: value)
            }
            return Drift(address: item.address, kind: .foreign, id: live.id, attributes: shown, place: item.place)
        }
    }

    // MARK: Afterwards

    /// What is left out of a run, or of a destroy, must not lose what it stands on.
    private mutating func checkStillUsed() {
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

    /// A successor that is created first cannot take values from something that is deleted first.
    private mutating func settleReplacementOrders() {
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

    private func mayCreateFirst(_ index: Int) -> Bool {
        guard items[index].action == .replaceDeleteFirst else { return false }
        let declaration = items[index].position.map { input.spec.declarations[$0] }
        return declaration?.lifecycle.createBeforeDestroy != false
    }

    /// While both exist, two objects cannot have the one name.
    private mutating func nameSuccessor(_ index: Int) {
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
    private mutating func makeFoundationsCreateFirst() {
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

    private mutating func checkProtection() {
        for item in items {
            guard let action = item.action, action == .delete || action.isReplacement, let record = item.record,
                !item.isDeposed
            else { continue }
            let isDeclaredProtected =
                item.position.map { input.spec.declarations[$0].lifecycle.preventDestroy } ?? false
            if record.isProtected || isDeclaredProtected {
                let range = input.spec.positions[item.address].flatMap { input.spec.declarations[$0].range }
                refusals.append(.protected(item.address, action, range))
            }
        }
    }

    private func outputChanges() -> [OutputChange] {
        var changes: [OutputChange] = []
        var declared: [String: Set<String>] = [:]
        for output in input.spec.outputs.sorted(by: { ($0.stack, $0.name) < ($1.stack, $1.name) }) {
            declared[output.stack, default: []].insert(output.name)
            guard input.selection.stacks?.contains(output.stack) ?? true else { continue }
            let before = input.snapshot.outputs[output.stack]?[output.name]
            if input.isDestroy {
                if before != nil {
                    changes.append(
                        OutputChange(
                            stack: output.stack, name: output.name, before: before, after: nil,
                            isHidden: output.isSecret))
                }
                continue
            }
            let after = (try? PlanEvaluator.evaluate(output.value) { leaf in resolve(leaf) }) ?? output.value
            if before != after {
                changes.append(
                    OutputChange(
                        stack: output.stack, name: output.name, before: before, after: after,
                        isHidden: output.isSecret || after.isTainted))
            }
        }
        for (stack, values) in input.snapshot.outputs.sorted(by: { $0.key < $1.key }) {
            guard input.selection.stacks?.contains(stack) ?? true else { continue }
            for name in values.keys.sorted() where !(declared[stack]?.contains(name) ?? false) {
                changes.append(OutputChange(stack: stack, name: name, before: values[name], after: nil))
            }
        }
        return changes
    }

    private func reliances() -> [Reliance] {
        var needed: Set<Address> = []
        for item in items where item.action != nil {
            guard let position = item.position else { continue }
            for target in input.spec.valueDependencies[position] {
                needed.insert(input.spec.declarations[target].address)
            }
        }
        for item in items where item.action != nil { needed.remove(item.address) }
        return needed.sorted().compactMap { address in
            guard let record = input.snapshot.records[address], let schema = input.catalog[address.type] else {
                return nil
            }
            return Reliance(
                address: address, version: record.version,
                fingerprint: fingerprint(schema, record, input.observations.objects[address] ?? nil))
        }
    }

    /// A digest of the identity and the user-owned fields of an object, as the plan saw it.
    func fingerprint(_ schema: ResourceSchema, _ record: ResourceRecord, _ live: Observation?) -> String {
        var except: Set<String> = []
        if let position = input.spec.positions[record.address] {
            let declaration = input.spec.declarations[position]
            except = declaration.initialArguments.union(declaration.candidates.keys)
                .union(declaration.lifecycle.ignoreChanges)
        }
        return MusterModel.fingerprint(
            schema: schema, id: record.id, arguments: live?.arguments ?? record.arguments,
            recorded: record.arguments, except: except, hash: { Digest.sha256(ValueJSON.encode($0)) })
    }
}

extension Address {
    fileprivate func positionIn(_ spec: LinkedSpec) -> Int { spec.positions[self] ?? 0 }
}

extension Place {
    package init(_ range: SourceRange) {
        let start = range.startPosition
        self.init(path: range.file.path, line: start.line, column: start.column)
    }
}
