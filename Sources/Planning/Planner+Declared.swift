package import Diagnostics
import Expressions
package import MusterModel
import ResourceGraph

// What happens to a declared resource.

extension Planner {
    mutating func assumeUnchanged(_ position: Int) {
        let address = input.spec.declarations[position].address
        if let record = record(for: address).record {
            rememberOutputs(address, record: record, live: observation(of: record.address))
        }
    }

    func record(for address: Address) -> (record: ResourceRecord?, from: Address?) {
        if let record = input.snapshot.records[address] { return (record, nil) }
        if let old = input.moves[address], let record = input.snapshot.records[old],
            input.spec.positions[old] == nil
        {
            return (record, old)
        }
        return (nil, nil)
    }

    /// nil: it was not read; an inner nil: it is gone.
    func observation(of address: Address) -> Observation?? {
        guard let object = input.observations.objects[address] else { return nil }
        return .some(object)
    }

    mutating func rememberOutputs(_ address: Address, record: ResourceRecord, live: Observation??) {
        var outputs = record.outputs
        for (name, value) in record.arguments where outputs[name] == nil { outputs[name] = value }
        if case .some(.some(let live)) = live { outputs.merge(live.outputs) { _, new in new } }
        outputs["id"] = .string(record.id.rawValue)
        knownOutputs[address] = outputs
    }

    mutating func assess(_ position: Int) {
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

    mutating func evaluate(_ declaration: Declaration) -> [String: Value]? {
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

    func resolve(_ leaf: Expression) -> Value? {
        guard case .output(let reference) = leaf else { return nil }
        if let lookup = input.observations.lookups[reference.address] { return lookup[reference.output] }
        if volatileOutputs[reference.address]?.contains(reference.output) ?? false { return nil }
        guard let value = knownOutputs[reference.address]?[reference.output] else { return nil }
        return value
    }

    /// Placement and initial values belong to the moment of creation.
    func keepChosen(
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
    func applyGeneration(_ desired: inout [String: Value], _ generation: Int, _ schema: ResourceSchema) {
        guard generation > 1, case .unique(let argument, let length) = schema.naming,
            case .string(let name)? = desired[argument]
        else { return }
        let suffix = "-g\(generation)"
        desired[argument] = .string(String(name.prefix(length - suffix.count)) + suffix)
    }

    mutating func decide(
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
        let live = item.live.map { arguments(of: $0, item) }
        item.diff = maker.diff(desired: item.desired, live: live, record: record)
        noteUnreadable(item.diff)
        item.prior = prior(record, live, desired: item.desired)
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

    mutating func decideAdoption(
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

    func diffMaker(_ schema: ResourceSchema, _ declaration: Declaration) -> DiffMaker {
        DiffMaker(
            schema: schema, secrets: input.secrets, ignored: declaration.lifecycle.ignoreChanges,
            place: { name in (declaration.argumentRanges[name] ?? declaration.range).map(Place.init) })
    }

    mutating func replace(_ item: inout Item, _ declaration: Declaration, _ reason: Reason) {
        item.reason = reason
        item.action = .replaceDeleteFirst
        let order =
            declaration.lifecycle.createBeforeDestroy.map { $0 ? ReplacementOrder.createFirst : .deleteFirst }
            ?? item.schema.replacement
        item.prior = withLastWord(item.prior, item.desired, item.schema)
        if order == .createFirst || createFirst.contains(item.address) {
            item.action = .replaceCreateFirst
            nameSuccessor(&item, declaration)
        }
    }

    /// How an object goes (`force_destroy`, a final snapshot) is what the spec says now, and not what was applied last.
    func withLastWord(
        _ prior: [String: Value], _ declared: [String: Value], _ schema: ResourceSchema
    ) -> [String: Value] {
        var prior = prior
        for argument in schema.arguments where argument.onChange == .local {
            let wanted = ValueComparison.wanted(declared[argument.name], argument)
            if wanted?.isKnown ?? true { prior[argument.name] = wanted }
        }
        return prior
    }

    mutating func noteUnreadable(_ diff: ArgumentDiff) {
        for secret in diff.unreadable {
            notes.insert(
                "The secret \"\(secret.name)\" (\(secret.source)) cannot be read here; it is assumed unchanged.")
        }
    }

    /// What is there: a change that waits for its window counts as made, unless the spec wants it made at once.
    func arguments(of live: Observation, _ item: Item) -> [String: Value] {
        live.arguments.merging(
            live.inForce.filter { name, _ in
                guard case .inWindow(_, let unless, _)? = item.schema.argument(name)?.timing else { return false }
                return item.desired[unless] == true
            }
        ) { _, inForce in inForce }
    }

    func prior(
        _ record: ResourceRecord, _ live: [String: Value]?, desired: [String: Value]
    ) -> [String: Value] {
        var prior = record.arguments
        guard let live else { return prior }
        for (name, value) in live { prior[name] = value }
        if prior["tags"] != nil {
            prior["tags"] = ownTags(prior["tags"], desired: desired, record.arguments["tags"]?.map ?? [:])
        }
        return prior
    }

    /// Tags of others are not shown to the provider, so that no update removes them.
    func ownTags(_ tags: Value?, desired: [String: Value], _ recorded: [String: Value]) -> Value {
        let wanted = desired["tags"]?.map ?? [:]
        return .map((tags?.map ?? [:]).filter { wanted[$0.key] != nil || recorded[$0.key] != nil })
    }

    /// What is declared, with the defaults of changed arguments spelled out.
    func wanted(_ item: Item) -> [String: Value] {
        var wanted = item.desired
        for name in item.diff.changed where wanted[name] == nil || wanted[name] == .null {
            if case .means(let value)? = item.schema.argument(name)?.absence { wanted[name] = value }
        }
        return wanted
    }

    /// A create or a replacement needs every value it hangs on to be there or to be made by this plan.
    mutating func checkReachable(_ item: Item, _ declaration: Declaration) {
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

    mutating func finish(_ item: Item, _ declaration: Declaration) {
        var item = item
        if item.wanted.isEmpty { item.wanted = item.desired }
        if item.action == .update { item.notes += item.timingNotes }
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
    func whyChain(_ item: Item) -> [WhyLink] {
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
