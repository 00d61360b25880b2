import Diagnostics
package import MusterModel

/// Drift as `muster drift` prints it: who was changed, what it was and what it is, and the line that says otherwise.
package enum DriftText {
    /// - Parameters:
    ///   - phantoms: hosts of Rancher whose instance is gone.
    ///   - checkedCount: how many resources were looked at, with and without drift.
    package static func render(
        _ drift: [Drift], phantoms: [HostFinding] = [], checkedCount: Int, options: TextOptions = TextOptions()
    ) -> String {
        var page = TextPage(options)
        for (stack, members) in grouped(drift) {
            page.section(page.paint("\(Address.stackText(stack)):", .strong))
            for drift in members { write(drift, isFullAddress: false, to: &page) }
        }
        if !phantoms.isEmpty {
            page.section(page.paint("phantom hosts of Rancher:", .strong))
            for finding in phantoms { page.line(page.paint("    - \(phantom(finding))", .removed)) }
            page.line("        \"muster rancher reap\" removes them.")
        }
        page.section(page.paint(summaryLine(drift, phantoms: phantoms, checkedCount: checkedCount), .strong))
        return page.text
    }

    /// `web-1  1h5 in prod (1a7 at https://…): i-1 is terminated, and its agent is away`.
    static func phantom(_ finding: HostFinding) -> String {
        "\(HostText.title(finding)): \(DisplayText.neutralised(finding.why))"
    }

    /// `Drift: 2 changed, 1 gone, 1 foreign.`, or `No drift. 54 resources checked.`
    package static func summaryLine(_ drift: [Drift], phantoms: [HostFinding] = [], checkedCount: Int) -> String {
        if drift.isEmpty, phantoms.isEmpty { return "No drift. \(counted(checkedCount, "resource")) checked." }
        func count(_ kind: Drift.Kind) -> Int { drift.lazy.filter { $0.kind == kind }.count }
        let hosts = phantoms.isEmpty ? "" : ", \(counted(phantoms.count, "phantom host"))"
        return "Drift: \(count(.changed)) changed, \(count(.gone)) gone, \(count(.foreign)) foreign\(hosts)."
    }

    /// By stack, each sorted by address.
    static func grouped(_ drift: [Drift]) -> [(stack: String, members: [Drift])] {
        Dictionary(grouping: drift, by: \.address.stack).sorted { $0.key < $1.key }.map {
            ($0.key, $0.value.sorted { ($0.address, $0.id?.rawValue ?? "") < ($1.address, $1.id?.rawValue ?? "") })
        }
    }

    static func write(_ drift: Drift, isFullAddress: Bool, to page: inout TextPage) {
        var head = TextPage.Head(symbol: drift.kind.symbol, style: Palette.Style(drift.kind), drift.address)
        head.isFullAddress = isFullAddress
        head.id = drift.id
        head.remarks = drift.kind.remark.map { [$0] } ?? []
        head.place = drift.place
        let width = page.options.width - TextPage.textColumn
        var lines = details(of: drift, width: width)
        if drift.kind == .foreign, let inline = ChangeDetail.inline(rows(of: drift, width: width), width: width) {
            lines = inline.isEmpty ? [] : [DetailLine(role: .plain, text: inline)]
        }
        page.head(head)
        for line in lines { page.detail(line) }
    }

    private static func rows(of drift: Drift, width: Int) -> [AttributeRow] {
        drift.attributes.flatMap { AttributeRow.rows(for: $0, width: width - 4) }
    }

    static func details(of drift: Drift, width: Int) -> [DetailLine] {
        ChangeDetail.lines(
            rows(of: drift, width: width), drift.kind == .foreign ? .new : .drift, place: drift.place, width: width)
    }
}

extension Drift.Kind {
    var symbol: String {
        switch self {
        case .changed: "~"
        case .gone: "-"
        case .foreign: "+"
        }
    }

    var remark: String? {
        switch self {
        case .changed: nil
        case .gone: "gone: it was deleted outside muster"
        case .foreign: "foreign: somebody added it to a set that the spec owns"
        }
    }
}

extension Palette.Style {
    init(_ kind: Drift.Kind) {
        switch kind {
        case .changed: self = .changed
        case .gone: self = .removed
        case .foreign: self = .added
        }
    }
}
