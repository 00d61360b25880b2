import Diagnostics
import MusterModel

/// What `muster history` prints.
package enum HistoryText {
    /// A line for each run, the latest first; under one that died, where it died.
    package static func list(_ runs: [HistoryRun], options: TextOptions = TextOptions()) -> String {
        if runs.isEmpty { return "No runs yet.\n" }
        var page = TextPage(options)
        let titles = ["RUN", "STARTED", "WHO", "COMMIT", "COMMAND", "OUTCOME", "STEPS", "TIME"]
        let rows = runs.map(cells)
        let widths = titles.indices.map { column in
            min(40, max(titles[column].cellCount, rows.map { $0[column].cellCount }.max() ?? 0))
        }
        func line(_ cells: [String], _ style: Palette.Style?) -> String {
            let last = cells.lastIndex { !$0.isEmpty } ?? 0
            let parts = cells[...last].enumerated().map { column, cell in
                let padded = column == 0 ? cell.paddedLeft(to: widths[0]) : cell.padded(to: widths[column])
                return column == 5 ? style.map { page.paint(padded, $0) } ?? padded : padded
            }
            return parts.joined(separator: "  ").withoutTrailingSpaces
        }
        page.line(page.paint(line(titles, nil), .faint))
        for (run, row) in zip(runs, rows) {
            page.line(line(row, style(run.outcome)))
            for step in run.lastSteps {
                page.line(String(repeating: " ", count: widths[0] + 2) + lastWords(of: step))
            }
        }
        return page.text
    }

    private static func cells(_ run: HistoryRun) -> [String] {
        let finished = run.counts[.done, default: 0] + run.counts[.settled, default: 0]
        let steps = run.stepCount > 0 ? "\(run.counts[.done, default: 0]) of \(run.stepCount)" : String(finished)
        return [
            String(run.id), run.started, DisplayText.neutralised("\(run.who)@\(run.host)"),
            DisplayText.neutralised(run.commit ?? "-"),
            run.command.isEmpty ? "-" : DisplayText.neutralised(run.command), run.outcome.rawValue, steps,
            run.seconds.map(StepText.duration) ?? "",
        ]
    }

    private static func style(_ outcome: HistoryRun.Outcome) -> Palette.Style {
        switch outcome {
        case .done: .added
        case .running: .read
        case .failed, .died: .danger
        case .interrupted, .refused: .changed
        }
    }

    /// `died while creating net:aws.vpc/main; not looked at yet`
    private static func lastWords(of step: HistoryStep) -> String {
        let end =
            step.isOpen
            ? "what came of it is not known yet: \"muster apply\" looks first"
            : step.detail.map { DisplayText.neutralised($0) } ?? "a later run went on from there"
        return "died while \(StepText.doing(step.operation)) \(step.address): \(end)"
    }

    /// All that is known about one run.
    package static func show(_ run: HistoryRun, options: TextOptions = TextOptions()) -> String {
        var page = TextPage(options)
        page.line(page.paint("Run \(run.id): \(run.outcome.rawValue)", style(run.outcome)))
        var facts = [
            ("command", run.command.isEmpty ? "not recorded" : "muster \(run.command)"),
            ("who", "\(run.who) on \(run.host) (process \(run.pid))"), ("started", run.started),
            ("ended", ending(of: run)), ("commit", run.commit ?? "none"), ("plan", run.plan),
        ]
        if run.stepCount > 0 { facts.append(("steps", "\(run.counts[.done, default: 0]) of \(run.stepCount) done")) }
        for (name, fact) in facts { page.line("  \(name.padded(to: 8))  \(DisplayText.neutralised(fact))") }
        if !run.steps.isEmpty { page.section("steps:") }
        for step in run.steps {
            let time = step.seconds.map { "  \(StepText.duration($0))" } ?? ""
            let symbol = page.paint(StepText.symbol(step.operation), StepText.style(step.operation))
            page.line("  \(symbol) \(step.address)  \(step.outcome.rawValue)\(time)")
            if let detail = step.detail {
                for line in LineDiff.split(detail) where !line.isEmpty {
                    page.paragraph(DisplayText.neutralised(line), indent: 6)
                }
            }
            if !step.requestIDs.isEmpty {
                page.words(
                    [step.requestIDs.count == 1 ? "request" : "requests"]
                        + step.requestIDs.map { DisplayText.neutralised($0) }, indent: 6, hanging: 2)
            }
        }
        let last = run.lastSteps
        if !last.isEmpty {
            page.section("It died here:")
            for step in last { page.paragraph(lastWords(of: step), indent: 2, hanging: 2) }
        } else if run.outcome == .died {
            page.section("It died between two steps; nothing was left open.")
        }
        return page.text
    }

    private static func ending(of run: HistoryRun) -> String {
        switch (run.ended, run.outcome) {
        case (let ended?, _): ended + (run.seconds.map { " (\(StepText.duration($0)))" } ?? "")
        case (nil, .running): "still running"
        case (nil, _): "not known"
        }
    }

    /// `run 7  2026-11-21 16:40:12Z  created by ann@desk`
    static func line(_ step: HistoryStep, by run: HistoryRun) -> String {
        let what =
            step.outcome == .done
            ? StepText.done(step.operation) : "\(StepText.verb(step.operation)) \(step.outcome.rawValue)"
        return DisplayText.neutralised("run \(run.id)  \(step.started)  \(what) by \(run.who)@\(run.host)")
    }
}

extension String {
    fileprivate var withoutTrailingSpaces: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
