package import MusterModel

/// Drift as a comment or a job summary.
package enum DriftMarkdown {
    package static func render(
        _ drift: [Drift], checkedCount: Int, limit: Int = PlanMarkdown.commentLimit
    ) -> String {
        DriftText.summaryLine(drift, checkedCount: checkedCount) + "\n"
    }
}
