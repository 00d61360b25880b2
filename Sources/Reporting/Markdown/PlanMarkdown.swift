import Diagnostics
package import MusterModel

/// A plan as a comment on a pull request: hazards, then what ends or is replaced, then counts by stack, then details until
/// the room is used, then how much is left out.
///
/// Each part takes what it needs of the room that the parts before it left, but no more than its share; so a thousand
/// hazards cannot push out the counts. Nothing is ever cut inside a line. The views of `PlanOutline` are the seam for a
/// longer document: it offers the same parts to a page without a limit.
package enum PlanMarkdown {
    /// The longest comment that GitHub takes.
    package static let commentLimit = 65_536

    /// Bytes kept for the line that says what is left out.
    private static let closingReserve = 420

    /// - Parameter limit: bytes of UTF-8, so that it holds however characters are counted.
    package static func render(_ plan: Plan, limit: Int = commentLimit) -> String {
        let outline = PlanOutline(plan)
        var page = MarkdownPage(limit: limit)
        page.reserve = closingReserve
        guard page.add("### \(PlanText.summaryLine(plan))\n") else { return tiny(plan, limit: limit) }
        hazards(outline, to: &page, share: limit / 3)
        endings(outline, to: &page, share: limit / 4)
        stacks(outline, to: &page, share: limit / 4)
        notes(plan, to: &page, share: limit / 8)
        outputs(outline, to: &page, share: limit / 8)
        let omitted = details(outline, to: &page)
        page.reserve = 0
        if omitted.total > 0 { page.add("\n… and \(omitted.phrase), for which there is no room here.\n") }
        if !plan.id.isEmpty { page.add("\n<sub>plan \(MarkdownPage.code(plan.id.prefix(80)))</sub>\n") }
        return page.text
    }

    /// What is said when there is no room for a comment.
    private static func tiny(_ plan: Plan, limit: Int) -> String {
        let line = PlanText.summaryLine(plan) + "\n"
        return line.utf8.count <= limit ? line : String(line.prefix(max(0, limit)))
    }

    // MARK: - What is dangerous

    private static func hazards(_ outline: PlanOutline, to page: inout MarkdownPage, share: Int) {
        let hazards = outline.dangers.flatMap(\.hazards)
        if hazards.isEmpty { return }
        let kinds = outline.dangers.map { "\($0.hazards.count) \($0.kind.rawValue)" }.joined(separator: ", ")
        page.add("\n> [!CAUTION]\n> \(counted(hazards.count, "hazard")): \(kinds)\n")
        let rows = hazards.map {
            "| \($0.kind.rawValue) | \(MarkdownPage.code($0.address.description)) | \(MarkdownPage.escaped($0.text)) |\n"
        }
        table("\n| hazard | resource | what happens |\n|---|---|---|\n", rows, to: &page, share: share)
    }

    private static func endings(_ outline: PlanOutline, to page: inout MarkdownPage, share: Int) {
        let ending = outline.stacks.flatMap(\.changes).filter { $0.action == .delete || $0.action.isReplacement }
        // What is replaced first: it takes others along.
        let sorted = ending.filter(\.action.isReplacement) + ending.filter { !$0.action.isReplacement }
        let rows = sorted.map { change in
            let why =
                change.action.isReplacement
                ? CauseText.links(for: change).joined(separator: " ← ")
                : CauseText.phrase(for: change) ?? "destroyed"
            let address = MarkdownPage.code(change.address.description)
            return "| \(MarkdownPage.code(change.action.symbol)) | \(address) | \(MarkdownPage.escaped(why)) |\n"
        }
        table("\n| | replaced or deleted | because |\n|---|---|---|\n", rows, to: &page, share: share)
    }

    /// As many rows as its share holds, and how many more there are.
    private static func table(_ head: String, _ rows: [String], to page: inout MarkdownPage, share: Int) {
        if rows.isEmpty { return }
        let more = 48
        var text = head
        var taken = 0
        for row in rows {
            let room = min(share, page.room) - (taken + 1 < rows.count ? more : 0)
            if text.utf8.count + row.utf8.count > room { break }
            text += row
            taken += 1
        }
        if taken == 0 {
            page.add("\n… \(counted(rows.count, "row")) left out\n")
            return
        }
        if taken < rows.count { text += "\n… and \(rows.count - taken) more of these\n" }
        page.add(text)
    }

    // MARK: - Overview

    private static func stacks(_ outline: PlanOutline, to page: inout MarkdownPage, share: Int) {
        let rows = outline.stacks.map { stack in
            let sum = stack.summary
            let others = sum.otherCounts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
            return
                "| \(MarkdownPage.code(Address.stackText(stack.name))) | \(sum.add) | \(sum.change) | \(sum.destroy) | \(others) |\n"
        }
        table("\n| stack | add | change | destroy | other |\n|---|--:|--:|--:|---|\n", rows, to: &page, share: share)
    }

    private static func notes(_ plan: Plan, to page: inout MarkdownPage, share: Int) {
        var lines = plan.notes.map { "- \(MarkdownPage.escaped($0))\n" }
        if plan.isUnrefreshed {
            lines.insert("- The cloud was not asked: what somebody changed there is not seen.\n", at: 0)
        }
        table("\n", lines, to: &page, share: share)
    }

    private static func outputs(_ outline: PlanOutline, to page: inout MarkdownPage, share: Int) {
        let rows = outline.outputs.flatMap { output in
            AttributeRow.rows(
                for: AttributeChange(
                    path: "\(Address.stackText(output.stack)):\(output.name)", before: output.before,
                    after: output.after,
                    isHidden: output.isHidden), width: 100)
        }
        let lines = ChangeDetail.lines(rows, .change, place: nil, width: 100).filter { $0.depth == 0 }.map {
            "| \(MarkdownPage.code($0.text)) |\n"
        }
        table("\n| outputs |\n|---|\n", lines, to: &page, share: share)
    }

    // MARK: - Details

    private struct Omitted {
        var total = 0
        var byStack: [(name: String, count: Int)] = []

        mutating func count(_ count: Int, in stack: String) {
            if count == 0 { return }
            total += count
            byStack.append((stack, count))
        }

        /// `412 more changes: 300 in prod/rancher, 112 in vpc`
        var phrase: String {
            let largest = byStack.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
            var stacks: [String] = []
            for stack in largest.prefix(4) {
                let name = Address.stackText(stack.name)
                if name.utf8.count <= 40 { stacks.append("\(stack.count) in \(MarkdownPage.code(name))") }
            }
            let all = "\(total) more \(total == 1 ? "change" : "changes")"
            return stacks.isEmpty ? all : "\(all) (\(stacks.joined(separator: ", ")))"
        }
    }

    /// A folded block for each stack. When a change does not fit with its arguments it may fit without.
    private static func details(_ outline: PlanOutline, to page: inout MarkdownPage) -> Omitted {
        var omitted = Omitted()
        var isFull = false
        for stack in outline.stacks {
            let open =
                "\n<details><summary><code>\(MarkdownPage.html(Address.stackText(stack.name)))</code>: \(stack.summary.shortPhrase)"
                + "</summary>\n\n"
            let close = "\n</details>\n"
            var fence = MarkdownFence(language: "diff")
            var taken = 0
            for change in stack.changes where !isFull {
                let room = page.room - open.utf8.count - close.utf8.count
                let drift = outline.driftOfChanges[change.address]
                if fence.add(DiffBlock.lines(for: change, drift: drift, isDetailed: true), within: room)
                    || fence.add(DiffBlock.lines(for: change, drift: nil, isDetailed: false), within: room)
                {
                    taken += 1
                } else {
                    isFull = true
                }
            }
            if taken > 0 { page.add(open + fence.text + close) }
            omitted.count(stack.changes.count - taken, in: stack.name)
        }
        return omitted
    }
}
