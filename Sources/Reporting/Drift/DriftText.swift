package import MusterModel

/// Drift as `muster drift` prints it.
package enum DriftText {
    /// - Parameter checkedCount: how many resources were looked at, with and without drift.
    package static func render(
        _ drift: [Drift], checkedCount: Int, options: TextOptions = TextOptions()
    ) -> String {
        summaryLine(drift, checkedCount: checkedCount) + "\n"
    }

    /// `Drift: 2 changed, 1 gone, 1 foreign.`, or `No drift. 54 resources checked.`
    package static func summaryLine(_ drift: [Drift], checkedCount: Int) -> String {
        if drift.isEmpty { return "No drift. \(counted(checkedCount, "resource")) checked." }
        func count(_ kind: Drift.Kind) -> Int { drift.lazy.filter { $0.kind == kind }.count }
        return "Drift: \(count(.changed)) changed, \(count(.gone)) gone, \(count(.foreign)) foreign."
    }
}
