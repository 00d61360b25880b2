import Diagnostics
package import MusterModel

/// The closing report of an apply: failures with what they held up, then counts, then outputs.
///
/// A step that was skipped because another failed is no failure of its own: it is named under the one that held it up.
package enum ApplyText {
    /// - Parameter plan: the plan that was applied; tells which failure a skipped step waited for.
    /// - Parameter inFlight: what was running when an interruption came, from `ApplyEvent.interrupted`.
    package static func render(
        _ outcome: ApplyOutcome, plan: Plan, inFlight: [Address] = [], options: TextOptions = TextOptions()
    ) -> String {
        var page = TextPage(options)
        switch outcome {
        case .refused(let reasons): refused(reasons, to: &page)
        case .done(let report):
            page.line(page.paint("Apply complete: \(counts(report)).", .strong))
            outputs(report, to: &page)
        case .failed(let report):
            failures(report, plan, to: &page)
            let skipped = report.skipped.isEmpty ? "" : ", \(report.skipped.count) skipped"
            let summary = "Apply failed: \(counts(report)), \(report.failures.count) failed\(skipped)."
            page.section(page.paint(summary, .strong))
            page.paragraph("What was done is recorded. Run apply again to go on from here.", indent: 0)
            outputs(report, to: &page)
        case .interrupted(let report):
            failures(report, plan, to: &page)
            interrupted(report, plan, inFlight, to: &page)
            outputs(report, to: &page)
        }
        return page.text
    }

    /// `12 added, 1 changed, 0 destroyed` and what else was done. An object that was made or adopted and then finished
    /// by an update counts once.
    package static func counts(_ report: ApplyReport) -> String {
        var byOperation: [Step.Operation: Set<Int>] = [:]
        var made: Set<Address> = []
        for step in report.finished where step.operation == .create { made.insert(step.address) }
        for step in report.finished where step.operation != .update || !made.contains(step.address) {
            byOperation[step.operation, default: []].insert(step.id)
        }
        func count(_ operation: Step.Operation) -> Int { byOperation[operation]?.count ?? 0 }
        var parts = [
            "\(count(.create)) added", "\(count(.update)) changed", "\(count(.delete)) destroyed",
        ]
        for (operation, verb) in [(Step.Operation.adopt, "imported"), (.move, "moved"), (.forget, "forgotten")]
        where count(operation) > 0 {
            parts.append("\(count(operation)) \(verb)")
        }
        return parts.joined(separator: ", ")
    }

    private static func refused(_ reasons: [String], to page: inout TextPage) {
        page.line(page.paint("Apply refused: nothing was sent.", .danger))
        for reason in reasons { page.paragraph("- \(DisplayText.neutralised(reason))", indent: 2, hanging: 2) }
        page.paragraph("Plan again to see what there is now.", indent: 0)
    }

    // MARK: - Failures

    private static func failures(_ report: ApplyReport, _ plan: Plan, to page: inout TextPage) {
        if report.failures.isEmpty { return }
        let heldUp = heldUpSteps(report, plan)
        // Equal complaints, as of an expired token, are said once.
        var order: [StepFailure] = []
        var groups: [StepFailure: [Step]] = [:]
        for failure in report.failures.sorted(by: { ($0.step.address, $0.step.id) < ($1.step.address, $1.step.id) }) {
            var common = failure.failure
            common.requestID = nil
            if groups[common] == nil { order.append(common) }
            groups[common, default: []].append(failure.step)
        }
        let requests = Dictionary(
            report.failures.compactMap { failure in failure.failure.requestID.map { (failure.step.id, $0) } },
            uniquingKeysWith: { first, _ in first })
        for failure in order {
            let steps = groups[failure] ?? []
            let (summary, details) = StepText.lines(of: failure)
            page.section(page.paint("error: \(summary)", .danger))
            for step in steps.prefix(listLimit) {
                let request = requests[step.id].map { "  request id \(DisplayText.neutralised($0))" } ?? ""
                page.line(
                    "  \(page.paint(step.address.description, .strong)): \(StepText.verb(step.operation))\(request)")
            }
            if steps.count > listLimit { page.line("  … and \(steps.count - listLimit) more") }
            for detail in details { page.paragraph(detail, indent: 4) }
            let waiting = steps.flatMap { heldUp[$0.id] ?? [] }.sorted()
            if !waiting.isEmpty {
                let names = waiting.prefix(listLimit).map(\.description).joined(separator: ", ")
                let more = waiting.count > listLimit ? " and \(waiting.count - listLimit) more" : ""
                page.paragraph("not tried, because of this (\(waiting.count)): \(names)\(more)", indent: 4)
            }
        }
    }

    private static let listLimit = 10

    /// The skipped steps by the failed step that held them up: of several, the first in the order of the plan.
    private static func heldUpSteps(_ report: ApplyReport, _ plan: Plan) -> [Int: [Address]] {
        var cause: [Int: Int] = [:]
        for failure in report.failures { cause[failure.step.id] = failure.step.id }
        let skipped = Set(report.skipped.map(\.id))
        var result: [Int: [Address]] = [:]
        for step in plan.steps where skipped.contains(step.id) {
            guard let origin = step.after.lazy.compactMap({ cause[$0] }).min() else { continue }
            cause[step.id] = origin
            result[origin, default: []].append(step.address)
        }
        return result
    }

    // MARK: - Interruption

    private static func interrupted(
        _ report: ApplyReport, _ plan: Plan, _ inFlight: [Address], to page: inout TextPage
    ) {
        let failed = report.failures.isEmpty ? "" : ", \(report.failures.count) failed"
        let ended = report.finished.count + report.failures.count
        let rest = max(0, plan.steps.count - ended)
        page.section(
            page.paint("Apply interrupted: \(counts(report))\(failed), \(counted(rest, "step")) not started.", .strong))
        let unsettled = Set(
            report.failures.lazy.filter { $0.failure.kind == .outcomeUnknown || $0.failure.kind == .interrupted }
                .map(\.step.address))
        if !inFlight.isEmpty {
            page.line("Running when it came:")
            for address in inFlight.sorted() {
                let verdict = unsettled.contains(address) ? "its outcome is not known" : "it was allowed to end"
                page.line("  \(address): \(verdict)")
            }
        }
        page.paragraph(
            unsettled.isEmpty
                ? "All that was done is recorded. The next apply goes on from here."
                : "The next run first looks up what became of the calls without an outcome, then goes on from here.",
            indent: 0)
    }

    private static func outputs(_ report: ApplyReport, to page: inout TextPage) {
        if report.outputs.values.allSatisfy(\.isEmpty) { return }
        page.section(page.paint("outputs:", .strong))
        OutputText.write(report.outputs, to: &page)
    }
}
