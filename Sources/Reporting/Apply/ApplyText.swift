package import MusterModel

/// The closing report of an apply.
package enum ApplyText {
    /// - Parameter plan: the plan that was applied; tells which failure a skipped step waited for.
    /// - Parameter inFlight: what was running when an interruption came, from `ApplyEvent.interrupted`.
    package static func render(
        _ outcome: ApplyOutcome, plan: Plan, inFlight: [Address] = [], options: TextOptions = TextOptions()
    ) -> String { "\n" }
}
