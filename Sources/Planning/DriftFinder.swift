package import MusterModel
import ResourceGraph

/// Finds what others changed: the state's record against the cloud, in the fields that the user owns.
package struct DriftFinder {
    private let input: PlanningInput

    package init(input: PlanningInput) { self.input = input }

    /// Changed and vanished objects, by address. Foreign children are found by the planner, which knows what is new.
    package func find() -> [Drift] {
        var result: [Drift] = []
        for address in input.observations.objects.keys.sorted() {
            guard let record = input.snapshot.records[address], let schema = input.catalog[address.type],
                case .some(let object) = input.observations.objects[address]
            else { continue }
            let declaration = input.spec.positions[address].map { input.spec.declarations[$0] }
            let place = declaration?.range.map(Place.init)
            guard let object, !isDeleting(object) else {
                result.append(Drift(address: address, kind: .gone, id: record.id, place: place))
                continue
            }
            // What our own last change has not reached yet is nobody's doing: the plan shows it as a change.
            if record.isIncomplete { continue }
            let changes = changes(record, object, schema, declaration)
            if !changes.isEmpty {
                result.append(
                    Drift(address: address, kind: .changed, id: record.id, attributes: changes, place: place))
            }
        }
        return result
    }

    private func isDeleting(_ object: Observation) -> Bool {
        if case .deleting = object.status { return true }
        return false
    }

    private func changes(
        _ record: ResourceRecord, _ object: Observation, _ schema: ResourceSchema, _ declaration: Declaration?
    ) -> [AttributeChange] {
        var skipped = declaration?.lifecycle.ignoreChanges ?? []
        skipped.formUnion(declaration?.initialArguments ?? [])
        var arguments: [String: Value] = [:]
        var hidden: [AttributeChange] = []
        for (name, value) in record.arguments where !skipped.contains(name) {
            guard let argument = schema.argument(name), argument.isReadable, argument.onChange != .local,
                let live = object.arguments[name]
            else { continue }
            if let digest = record.digests[name] {
                if digest != input.secrets.digest(live) {
                    let place = (declaration?.argumentRanges[name] ?? declaration?.range).map(Place.init)
                    hidden.append(
                        AttributeChange(path: name, before: nil, after: nil, isHidden: true, place: place))
                }
            } else if value.isKnown {
                arguments[name] = value
            }
        }
        let maker = DiffMaker(
            schema: onlyOwned(schema) { arguments[$0] != nil || record.arguments[$0] == nil && !skipped.contains($0) },
            secrets: input.secrets, ignored: [],
            place: { name in (declaration?.argumentRanges[name] ?? declaration?.range).map(Place.init) })
        let diff = maker.diff(desired: arguments, live: object.arguments, record: record)
        let swapped = diff.changes.map { change in
            AttributeChange(
                path: change.path, before: change.after, after: change.before, isHidden: change.isHidden,
                place: change.place)
        }
        return (swapped + hidden).sorted { $0.path < $1.path }
    }

    /// With what can be seen and was applied: leaving an argument out says its default as much as writing it.
    private func onlyOwned(_ schema: ResourceSchema, _ isOwned: (String) -> Bool) -> ResourceSchema {
        var schema = schema
        schema.arguments = schema.arguments.filter { $0.isReadable && $0.onChange != .local && isOwned($0.name) }
        return schema
    }
}
