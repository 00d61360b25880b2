package import MusterModel

/// Which steps of a plan one call may serve: those of one type, operation and installation that agree in the arguments
/// which the type's schema names. Steps that are alone are left out.
///
/// Arguments are compared as the plan has them: a reference is equal to the same reference, before anybody knows its
/// value. So this is known before the first step starts.
package struct Batches: Sendable {
    /// The number of a step's batch; nil: it has a call of its own.
    package private(set) var number: [Int: Int] = [:]
    /// How many steps one call may serve, by the number of the batch.
    package private(set) var most: [Int] = []

    package init() {}

    /// - Parameter installation: with whose rights, and where, a step makes its call.
    package init<Installation: Hashable>(
        of steps: [Step], _ catalog: Catalog, installation: (Step) -> Installation
    ) {
        var members: [Key<Installation>: [Int]] = [:]
        for step in steps {
            guard let batching = catalog[step.address.type]?.batching,
                let shared = Batches.shared(by: step, batching)
            else { continue }
            let key = Key(
                type: step.address.type, operation: step.operation, installation: installation(step), shared: shared)
            members[key, default: []].append(step.id)
        }
        for (key, steps) in members.sorted(by: { ($0.value.first ?? 0) < ($1.value.first ?? 0) }) where steps.count > 1
        {
            for step in steps { number[step] = most.count }
            most.append(max(1, catalog[key.type]?.batching?.most ?? 1))
        }
    }

    private struct Key<Installation: Hashable>: Hashable {
        let type: ResourceType
        let operation: Step.Operation
        let installation: Installation
        let shared: [Value]
    }

    /// What a step must have in common with others; nil: it cannot share a call.
    private static func shared(by step: Step, _ batching: Batching) -> [Value]? {
        switch step.operation {
        case .create: return batching.creation.map { step.desired[$0] ?? .null }
        case .delete:
            let known = batching.deletion.compactMap { step.prior[$0] }.filter(\.isKnown)
            return known.count == batching.deletion.count ? known : nil
        case .update, .adopt, .forget, .move: return nil
        }
    }
}
