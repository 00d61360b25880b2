import Diagnostics
package import MusterModel

/// Drift as a comment or a job summary: counts, then each difference until the room is used.
package enum DriftMarkdown {
    /// - Parameter limit: bytes of UTF-8, so that it holds however characters are counted.
    package static func render(
        _ drift: [Drift], phantoms: [HostFinding] = [], checkedCount: Int, limit: Int = PlanMarkdown.commentLimit
    ) -> String {
        let summary = DriftText.summaryLine(drift, phantoms: phantoms, checkedCount: checkedCount)
        var page = MarkdownPage(limit: limit)
        page.reserve = 120
        guard page.add("### \(summary)\n") else {
            return summary.utf8.count < limit ? summary + "\n" : String(summary.prefix(max(0, limit)))
        }
        var fence = MarkdownFence(language: "diff")
        var taken = 0
        // What is gone cannot be put right by a change in place, so it is told first.
        let all = DriftText.grouped(drift).flatMap(\.members)
        let sorted = [Drift.Kind.gone, .foreign, .changed].flatMap { kind in all.filter { $0.kind == kind } }
        for finding in phantoms {
            guard fence.add("- \(DriftText.phantom(finding))\n", within: page.room - 1) else { break }
            taken += 1
        }
        for item in sorted {
            guard fence.add(DiffBlock.lines(for: item), within: page.room - 1) else { break }
            taken += 1
        }
        if taken > 0 { page.add("\n" + fence.text) }
        page.reserve = 0
        let count = phantoms.count + sorted.count
        if taken < count { page.add("\n… and \(count - taken) more, for which there is no room here.\n") }
        return page.text
    }
}
