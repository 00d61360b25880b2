package import MusterModel

/// A plan as a comment on a pull request.
package enum PlanMarkdown {
    /// The longest comment that GitHub takes.
    package static let commentLimit = 65_536

    /// - Parameter limit: bytes of UTF-8, so that it holds however characters are counted.
    package static func render(_ plan: Plan, limit: Int = commentLimit) -> String { PlanText.summaryLine(plan) + "\n" }
}
