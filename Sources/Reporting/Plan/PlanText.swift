import Diagnostics
package import MusterModel

/// A plan as `muster plan` prints it: dangers first, then what changes, by stack.
///
/// A stack's name and an address under it, joined, are the address as every command takes it.
package enum PlanText {
    /// The whole text, ended by a line break.
    package static func render(_ plan: Plan, options: TextOptions = TextOptions()) -> String {
        let outline = PlanOutline(plan)
        var page = TextPage(options)
        hazards(outline, to: &page)
        let detailed = outline.detailed(limit: options.detailLimit)
        for stack in outline.stacks {
            page.section("\(page.paint("\(Address.stackText(stack.name)):", .strong))  \(stack.summary.shortPhrase)")
            for change in stack.changes {
                let isDetailed = detailed?.contains(change.address) ?? true
                self.change(
                    change, drift: outline.driftOfChanges[change.address], isDetailed: isDetailed, to: &page)
            }
        }
        if let detailed {
            let left = plan.changes.count {
                !detailed.contains($0.address) && !$0.attributes.isEmpty && $0.action != .delete
            }
            if left > 0 { page.section("The arguments of \(counted(left, "further change")) are left out.") }
        }
        if !outline.driftLeftAlone.isEmpty {
            page.section(page.paint("drift that this plan leaves alone:", .strong))
            for drift in outline.driftLeftAlone { DriftText.write(drift, isFullAddress: true, to: &page) }
        }
        outputs(outline, to: &page)
        page.section(page.paint(summaryLine(plan), .strong))
        notes(plan, to: &page)
        return page.text
    }

    /// `Plan: 3 to add, 1 to change, 0 to destroy.`, or `No changes. 54 resources match the spec.`
    package static func summaryLine(_ plan: Plan) -> String {
        if plan.isEmpty {
            return
                "No changes. \(counted(plan.unchangedCount, "resource")) \(plan.unchangedCount == 1 ? "matches" : "match") the spec."
        }
        return "Plan: \(PlanSummary(plan).phrase)"
    }

    private static func hazards(_ outline: PlanOutline, to page: inout TextPage) {
        if outline.dangers.isEmpty { return }
        let limit = page.options.detailLimit.map { max($0, 10) } ?? Int.max
        page.section(page.paint("Hazards", .danger))
        let width = outline.dangers.map { $0.kind.rawValue.count }.max() ?? 0
        for danger in outline.dangers {
            for hazard in danger.hazards.prefix(limit) {
                let kind = page.paint("! \(danger.kind.rawValue.padded(to: width))", .danger)
                page.line("\(kind)  \(page.paint(hazard.address.description, .strong))")
                page.paragraph(DisplayText.neutralised(hazard.text), indent: width + 4)
            }
            if danger.hazards.count > limit {
                let rest = danger.hazards.count - limit
                page.line("! \(danger.kind.rawValue.padded(to: width))  … and \(rest) more of this kind")
            }
        }
        let advice = "Apply asks before each kind, or goes on with:".split(separator: " ").map(String.init)
        page.words(advice + outline.dangers.map { "--allow \($0.kind.rawValue)" }, indent: 0, hanging: 2)
    }

    private static func change(
        _ change: ResourceChange, drift: Drift?, isDetailed: Bool, to page: inout TextPage
    ) {
        let detailWidth = page.options.width - TextPage.textColumn
        var head = TextPage.Head(symbol: change.action.symbol, style: Palette.Style(change.action), change.address)
        head.id = change.id
        head.remarks = [CauseText.verb(for: change), CauseText.phrase(for: change)].compactMap { $0 }
        head.hazards = Set(change.hazards.map(\.kind)).map(\.rawValue).sorted()
        head.place = change.place
        guard isDetailed else { return page.head(head) }
        let detail = ChangeDetail(change, drift: drift, width: detailWidth)
        var lines = detail.lines
        if let inline = detail.inlineArguments, !inline.isEmpty {
            if page.width(of: head) + 2 + inline.cellCount <= page.options.width {
                head.arguments = inline
            } else {
                lines.insert(DetailLine(role: .plain, text: inline), at: 0)
            }
        }
        page.head(head)
        for line in lines { page.detail(line) }
    }

    private static func outputs(_ outline: PlanOutline, to page: inout TextPage) {
        if outline.outputs.isEmpty { return }
        page.section(page.paint("outputs:", .strong))
        let width = page.options.width - TextPage.textColumn
        let rows = outline.outputs.flatMap {
            AttributeRow.rows(
                for: AttributeChange(
                    path: "\(Address.stackText($0.stack)):\($0.name)", before: $0.before, after: $0.after,
                    isHidden: $0.isHidden), width: width)
        }
        for line in ChangeDetail.lines(rows, .change, place: nil, width: width) { page.detail(line, outdent: 4) }
    }

    private static func notes(_ plan: Plan, to page: inout TextPage) {
        var notes = plan.notes
        if plan.isUnrefreshed {
            notes.insert("The cloud was not asked: what somebody changed there is not seen.", at: 0)
        }
        for note in notes { page.paragraph("Note: \(DisplayText.neutralised(note))", indent: 0, hanging: 6) }
    }
}

/// `1 resource`, `2 resources`.
func counted(_ count: Int, _ noun: String, plural: String? = nil) -> String {
    "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}

extension Address {
    /// A stack as it begins an address.
    static func stackText(_ stack: String) -> String {
        String(Address(stack: stack, type: "x", name: "x").description.dropLast(4))
    }
}
