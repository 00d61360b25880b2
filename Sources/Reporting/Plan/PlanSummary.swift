package import MusterModel

/// How much a plan does, in the numbers of its summary line.
package struct PlanSummary: Sendable, Hashable {
    package private(set) var add = 0
    package private(set) var change = 0
    package private(set) var destroy = 0
    /// Replacements; each is also in `add` and in `destroy`.
    package private(set) var replace = 0
    package private(set) var adopt = 0
    package private(set) var move = 0
    package private(set) var forget = 0
    package private(set) var read = 0
    package private(set) var outputs = 0

    package init(_ plan: Plan) {
        self.init(plan.changes)
        outputs = plan.outputs.count
        let moved = Set(plan.changes.lazy.filter { $0.action == .adopt || $0.action == .move }.map(\.address))
        if moved.isEmpty { return }
        // What is adopted or moved and also differs is changed as well.
        change +=
            Set(plan.steps.lazy.filter { $0.operation == .update && moved.contains($0.address) }.map(\.address)).count
    }

    package init(_ changes: some Sequence<ResourceChange>) {
        for item in changes {
            switch item.action {
            case .create: add += 1
            case .update: change += 1
            case .delete: destroy += 1
            case .replaceCreateFirst, .replaceDeleteFirst:
                add += 1
                destroy += 1
                replace += 1
            case .adopt: adopt += 1
            case .move: move += 1
            case .forget: forget += 1
            case .read: read += 1
            }
        }
    }

    /// `3 to add, 1 to change, 0 to destroy. 2 to import, 1 to forget.`
    package var phrase: String {
        let others = PlanSummary.nonZero(otherCounts)
        let main = "\(add) to add, \(change) to change, \(destroy) to destroy."
        if !others.isEmpty { return "\(main) \(others)." }
        return add + change + destroy == 0 && outputs > 0 ? "\(main) \(counted(outputs, "output")) to change." : main
    }

    /// The same without what is zero: `3 to add, 2 to import`.
    var shortPhrase: String {
        PlanSummary.nonZero([(add, "to add"), (change, "to change"), (destroy, "to destroy")] + otherCounts)
    }

    var otherCounts: [(Int, String)] {
        [(adopt, "to import"), (move, "to move"), (forget, "to forget"), (read, "to read")]
    }

    private static func nonZero(_ counts: [(Int, String)]) -> String {
        counts.lazy.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
}
