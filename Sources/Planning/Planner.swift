// Declarations × state × observations → a plan. Pure: no I/O, no clock, no randomness.
//
// One pass in dependency order decides what happens to each resource: what it depends on is decided by then, so it is
// known which outputs are known. A second pass settles which half of each replacement comes first, and a third lays out
// the calls (`StepLayout`). A successor that must be made first although its type would go first has another name
// while both exist, which others may take: then the passes are done again with that known. Everything is linear in
// resources and edges.
//
// Known weakness: a selection (`--only`, `--stack`) takes what is left out as it is; values that hang on something
// that was never created are refused, not guessed.

import Diagnostics
import Expressions
import MusterModel
import ResourceGraph

package struct Planner {
    let input: PlanningInput
    /// Replacements whose successor must be made first, whatever their type or definition says.
    let createFirst: Set<Address>
    var items: [Item] = []
    /// The item of a declaration, by its position in the spec; nil when it is left out of the selection.
    var itemOfDeclaration: [Int?] = []
    var refusals: [Diagnostic] = []
    var notes: Set<String> = []
    /// Declared resources whose action leaves their outputs unknown until they are made.
    var knownOutputs: [Address: [String: Value]] = [:]
    var volatileOutputs: [Address: Set<String>] = [:]
    var movedFrom: Set<Address> = []
    /// By id: who has an object until a change that waits takes effect (see `Holding.swift`).
    var holders: [String: [Address]] = [:]

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
        /// Of a replacement: the predecessor is still held, and not deleted in this plan.
        var keepsPredecessor = false
        /// After adopting: the differences are applied too.
        var updatesAfterAdoption = false
    }

    package static func plan(_ input: PlanningInput) -> PlanningResult {
        var createFirst: Set<Address> = []
        while true {
            var planner = Planner(input, createFirst)
            switch planner.run() {
            case .plan(let result): return result
            case .again(let more): createFirst.formUnion(more)
            }
        }
    }

    private init(_ input: PlanningInput, _ createFirst: Set<Address>) {
        self.input = input
        self.createFirst = createFirst
    }

    private enum Pass {
        case plan(PlanningResult)
        /// These must be made first, which was not known when their users were looked at.
        case again(Set<Address>)
    }

    private mutating func run() -> Pass {
        let spec = input.spec
        itemOfDeclaration = Array(repeating: nil, count: spec.declarations.count)
        let included = includedDeclarations()
        if !input.isDestroy {
            for position in spec.order {
                if included[position] { assess(position) } else { assumeUnchanged(position) }
            }
        }
        holders = presentHolders()
        assessUndeclared()
        assessDeposed()
        if !input.isDestroy { assessForeignChildren() }
        keepWhatIsHeld()
        let mustCreateFirst = mustCreateFirst()
        if !mustCreateFirst.isEmpty { return .again(mustCreateFirst) }
        let isHeld = refuseWhatIsHeld()
        checkProtection()
        checkStillUsed()
        let drift = (DriftFinder(input: input).find() + foreignDrift()).sorted { $0.address < $1.address }
        let laidOut = StepLayout(self).lay()
        if !laidOut.circle.isEmpty {
            // What its users move to needs the new one, and the old one cannot go before they have moved.
            if let index = laidOut.circle.map(\.item).first(where: mayCreateFirst) {
                return .again([items[index].address])
            }
            // What is held goes round in a circle too, and that has been said.
            if !isHeld { refusals.append(.unorderable(laidOut.circle.map(\.text))) }
        }
        var plan = Plan(
            workspace: input.workspace, lineage: input.snapshot.lineage, changes: laidOut.changes,
            steps: laidOut.steps, outputs: outputChanges(), drift: drift,
            unchangedCount: items.count { $0.action == nil }, reliesOn: reliances(),
            notes: notes.sorted(), isUnrefreshed: !input.isRefreshed)
        let stacks = Set(plan.steps.map(\.address.stack))
        plan.scopes = input.scopes.filter { stacks.contains($0.key) }
        plan.configurations = input.configurations.filter { stacks.contains($0.key) }
        return .plan(PlanningResult(plan: plan, refusals: refusals))
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

    func isSelected(_ address: Address) -> Bool {
        let selection = input.selection
        return (selection.stacks?.contains(address.stack) ?? true)
            && (selection.only.isEmpty || selection.only.contains(address)) && !selection.except.contains(address)
    }

    // MARK: Results

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
