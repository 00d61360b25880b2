import MusterModel

/// A plan arranged for a reader, whatever the form of the document: dangers first, then changes by stack.
///
/// Texts, comments and reviews are views of this; none of them sorts, groups or counts by itself.
struct PlanOutline {
    struct Stack {
        let name: String
        /// Sorted by address.
        let changes: [ResourceChange]
        let summary: PlanSummary
    }

    struct Danger {
        let kind: Hazard.Kind
        /// Sorted by address.
        let hazards: [Hazard]
    }

    let summary: PlanSummary
    /// The worst kind first.
    let dangers: [Danger]
    /// Sorted by name.
    let stacks: [Stack]
    /// What somebody changed on resources that the plan changes.
    let driftOfChanges: [Address: Drift]
    /// Drift on resources that the plan leaves as they are.
    let driftLeftAlone: [Drift]
    let outputs: [OutputChange]

    init(_ plan: Plan) {
        summary = PlanSummary(plan)
        let byKind = Dictionary(grouping: plan.hazards, by: \.kind)
        dangers = Hazard.Kind.bySeverity.compactMap { kind in
            byKind[kind].map {
                Danger(kind: kind, hazards: $0.sorted { ($0.address, $0.text) < ($1.address, $1.text) })
            }
        }
        stacks = Dictionary(grouping: plan.changes, by: \.address.stack).sorted { $0.key < $1.key }.map {
            Stack(
                name: $0.key, changes: $0.value.sorted { $0.address < $1.address }, summary: PlanSummary($0.value))
        }
        let changed = Set(plan.changes.lazy.map(\.address))
        driftOfChanges = Dictionary(
            plan.drift.lazy.filter { changed.contains($0.address) }.map { ($0.address, $0) },
            uniquingKeysWith: { first, _ in first })
        driftLeftAlone = plan.drift.filter { !changed.contains($0.address) }.sorted { $0.address < $1.address }
        outputs = plan.outputs.sorted { ($0.stack, $0.name) < ($1.stack, $1.name) }
    }

    /// The addresses whose changes are told in full when there is room for `limit` of them: what cannot be taken back
    /// comes first, then what comes first in the document.
    func detailed(limit: Int?) -> Set<Address>? {
        guard let limit else { return nil }
        var chosen: Set<Address> = []
        for isDangerous in [true, false] {
            for stack in stacks {
                for change in stack.changes where change.isDangerous == isDangerous {
                    if chosen.count >= limit { return chosen }
                    chosen.insert(change.address)
                }
            }
        }
        return nil
    }
}

extension ResourceChange {
    /// Something ends, or apply wants to be allowed.
    var isDangerous: Bool { action == .delete || action.isReplacement || !hazards.isEmpty }
}

extension Hazard.Kind {
    /// All kinds, the worst first.
    static let bySeverity: [Hazard.Kind] = {
        let ranked: [Hazard.Kind] = [
            .dataLoss, .irreversible, .downtime, .publicExposure, .iamWidening, .secretExposure, .nameClash,
        ]
        return ranked + allCases.filter { !ranked.contains($0) }
    }()
}
