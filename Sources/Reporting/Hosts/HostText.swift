import Diagnostics
package import MusterModel

/// Hosts held against instances, as `muster rancher hosts` and `muster rancher reap` print them.
package enum HostText {
    /// A table for each environment, the instances that have not joined, and what there is of each kind.
    ///
    /// - Parameter now: seconds since 1970, for ages.
    package static func hosts(
        _ report: HostReport, environments: [HostEnvironment], now: Int, options: TextOptions = TextOptions()
    ) -> String {
        var page = TextPage(options)
        for environment in environments {
            page.section(page.paint("\(DisplayText.neutralised(environment.name)) (\(place(environment))):", .strong))
            let findings = report.findings.filter { $0.host.environment == environment }
            if findings.isEmpty { page.line("  no hosts") }
            table(findings.map { row($0, now) }, to: &page)
        }
        if !report.absent.isEmpty {
            page.section(page.paint("instances that have not joined:", .strong))
            table(report.absent.map { Row(cells: absent($0, now), style: .changed, remark: nil) }, to: &page)
        }
        page.section(page.paint(summary(report), .strong))
        return page.text
    }

    /// What `reap` is about to remove, in this order, and why.
    package static func removals(_ phantoms: [HostFinding], options: TextOptions = TextOptions()) -> String {
        var page = TextPage(options)
        for finding in phantoms {
            page.line(page.paint("  - \(title(finding))", .removed))
            page.paragraph("\(DisplayText.neutralised(finding.why)) (\(tie(finding)))", indent: TextPage.textColumn)
        }
        page.section(
            page.paint(
                "Plan: \(counted(phantoms.count, "host")) to remove, each by deactivate, remove, purge.", .strong))
        return page.text
    }

    /// `no phantoms among 4 hosts`.
    package static func nothingToReap(_ report: HostReport) -> String {
        "No phantoms. \(counted(report.findings.count, "host")) checked.\n"
    }

    /// `web-1  1h5 in prod (1a7) at https://…`.
    package static func title(_ finding: HostFinding) -> String {
        let host = finding.host
        let environment = host.environment
        return DisplayText.neutralised(
            "\(host.shownName)  \(host.id) in \(environment.name) (\(place(environment)))")
    }

    static func place(_ environment: HostEnvironment) -> String {
        let name = environment.address.map { "\($0), " } ?? ""
        return DisplayText.neutralised("\(name)\(environment.id) at \(environment.server)")
    }

    /// `Hosts: 4 joined, 1 phantom; 1 instance has not joined.`
    static func summary(_ report: HostReport) -> String {
        if report.findings.isEmpty, report.absent.isEmpty { return "No hosts." }
        let counts = HostFinding.Verdict.allCases.compactMap { verdict -> String? in
            let count = report.findings.count { $0.verdict == verdict }
            return count == 0 ? nil : "\(count) \(verdict.rawValue)"
        }
        let absent = report.absent.count
        let missing = absent == 1 ? "1 instance has not joined" : "\(absent) instances have not joined"
        let parts =
            (counts.isEmpty ? [] : ["Hosts: " + counts.joined(separator: ", ")]) + (absent == 0 ? [] : [missing])
        let text = parts.joined(separator: "; ") + "."
        return text
    }

    // MARK: Lines

    private struct Row {
        var cells: [String]
        var style: Palette.Style?
        var remark: String?
    }

    private static func row(_ finding: HostFinding, _ now: Int) -> Row {
        let host = finding.host
        let agent = host.agentState.map { $0 == host.state ? "" : "agent \($0)" } ?? ""
        let cells = [
            host.id, host.shownName, host.state, agent, host.created.map { age(now - $0) } ?? "",
            finding.verdict.rawValue, instance(finding),
        ]
        let style: Palette.Style? =
            switch finding.verdict {
            case .joined: nil
            case .phantom: .danger
            case .silent, .leaving, .unknown: .changed
            }
        return Row(cells: cells, style: style, remark: finding.verdict == .joined ? nil : finding.why)
    }

    private static func instance(_ finding: HostFinding) -> String {
        guard let id = finding.instanceID else { return "" }
        let owner = finding.machine?.owner.map { " of \($0)" } ?? ""
        return "\(id)\(owner) (\(tie(finding)))"
    }

    private static func tie(_ finding: HostFinding) -> String {
        switch finding.tie {
        case .label: "by its instance label"
        case .address: "by its address"
        case .name: "by its host name"
        case nil: "not tied to an instance"
        }
    }

    private static func absent(_ machine: Machine, _ now: Int) -> [String] {
        [
            machine.id, machine.addresses.first ?? "", machine.state ?? "",
            machine.launched.map { age(now - $0) } ?? "", machine.owner.map { "of \($0)" } ?? "",
        ]
    }

    private static func table(_ rows: [Row], to page: inout TextPage) {
        let count = rows.map(\.cells.count).max() ?? 0
        let widths = (0..<count).map { column in rows.map { $0.cells[column].cellCount }.max() ?? 0 }
        for row in rows {
            var line = ""
            for (column, cell) in row.cells.enumerated() where widths[column] > 0 {
                line += "  " + DisplayText.neutralised(cell).padded(to: widths[column])
            }
            while line.last == " " { line.removeLast() }
            page.line(row.style.map { page.paint(line, $0) } ?? line)
            if let remark = row.remark {
                page.paragraph(DisplayText.neutralised(remark), indent: TextPage.textColumn)
            }
        }
    }

    /// `3d`, `5h`, `12m`, `40s`: the largest unit.
    static func age(_ seconds: Int) -> String {
        for (length, unit) in [(86_400, "d"), (3_600, "h"), (60, "m")] where seconds >= length {
            return "\(seconds / length)\(unit)"
        }
        return "\(max(0, seconds))s"
    }
}
