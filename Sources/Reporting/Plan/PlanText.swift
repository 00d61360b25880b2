package import MusterModel

/// A plan as `muster plan` prints it: dangers first, then what changes, by stack.
package enum PlanText {
    /// The whole text, ended by a line break.
    package static func render(_ plan: Plan, options: TextOptions = TextOptions()) -> String {
        var lines: [String] = []
        for change in plan.changes {
            lines.append("\(options.palette(change.action.symbol, change.action)) \(change.address)")
        }
        lines.append(summaryLine(plan))
        return lines.joined(separator: "\n") + "\n"
    }

    /// `Plan: 3 to add, 1 to change, 0 to destroy.`, or `No changes. 54 resources match the spec.`
    package static func summaryLine(_ plan: Plan) -> String {
        if plan.isEmpty { return "No changes. \(counted(plan.unchangedCount, "resource")) match the spec." }
        return "Plan: \(PlanSummary(plan).phrase)"
    }
}

/// `1 resource`, `2 resources`.
func counted(_ count: Int, _ noun: String, plural: String? = nil) -> String {
    "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}
