import MusterModel
import TestSupport
import Testing

@testable import Reporting

struct MarkdownTests {
    @Test("A plan as a comment shows dangers, then what ends, then counts, then details")
    func plan() { expectGolden(PlanMarkdown.render(samplePlan()), named: "plan.md") }

    @Test("Drift as a comment")
    func drift() {
        expectGolden(DriftMarkdown.render(sampleDrift(), checkedCount: 54), named: "drift.md")
        #expect(DriftMarkdown.render([], checkedCount: 54) == "### No drift. 54 resources checked.\n")
    }

    @Test("An empty plan is one line")
    func empty() {
        let plan = Plan(workspace: "w", lineage: "l", unchangedCount: 54)
        #expect(PlanMarkdown.render(plan) == "### No changes. 54 resources match the spec.\n")
    }

    @Test("A plan of thousands of changes fits, keeps its order and says how much is left out")
    func large() {
        let text = PlanMarkdown.render(largePlan(4_000))
        #expect(text.utf8.count <= 65_536)
        #expect(text.utf8.count > 60_000)
        let order = [
            "### Plan:", "[!CAUTION]", "| hazard |", "replaced or deleted", "| stack |", "<details>", "more changes",
        ]
        let places = order.map { text.firstRange(of: $0)?.lowerBound ?? text.startIndex }
        #expect(places == places.sorted())
        expectGolden(outline(text), named: "plan-large-outline.md")
    }

    /// The lines that are no row and no detail.
    private func outline(_ text: String) -> String {
        var isInside = false
        var lines: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") { isInside.toggle() }
            if !isInside, !line.hasPrefix("| "), !line.isEmpty { lines.append(line) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    @Test("No comment is longer than its limit, whatever is in the plan and however small the limit")
    func limits() {
        var plans = RandomPlans(.fromEnvironment())
        for _ in 0..<60 {
            let plan = plans.plan(size: 12)
            for limit in [0, 1, 30, 100, 500, 900, 2_000, 5_000, 65_536] {
                #expect(PlanMarkdown.render(plan, limit: limit).utf8.count <= limit)
                #expect(DriftMarkdown.render(plan.drift, checkedCount: 9, limit: limit).utf8.count <= limit)
            }
        }
    }

    @Test("Blocks are closed, whatever the limit cuts")
    func balance() {
        var plans = RandomPlans(.fromEnvironment())
        for _ in 0..<60 {
            let plan = plans.plan(size: 12)
            for limit in [800, 1_500, 4_000, 65_536] {
                let text = PlanMarkdown.render(plan, limit: limit)
                #expect(count("<details>", in: text) == count("</details>", in: text))
                var fence: Substring?
                for line in text.split(separator: "\n") where line.hasPrefix("```") {
                    let run = line.prefix { $0 == "`" }
                    if fence == nil { fence = run } else if run == line, run == fence { fence = nil }
                }
                #expect(fence == nil)
            }
        }
    }

    private func count(_ word: String, in text: String) -> Int { text.ranges(of: word).count }

    @Test("Names and values cannot become markup, mentions, links or rows")
    func escaping() {
        let evil = "<img src=x onerror=alert(1)> | @team #12 `code` **bold** [a](http://b.example) ```"
        let target = Address(stack: "</summary>", type: "aws.vpc", name: evil)
        let plan = Plan(
            workspace: "w", lineage: "l",
            changes: [
                ResourceChange(
                    address: target, action: .replaceDeleteFirst, reason: .requested,
                    attributes: [
                        AttributeChange(path: "tags[\"```\"]", before: .string("a\n```\n\(evil)"), after: "b\nc")
                    ],
                    id: RemoteID(evil), hazards: [Hazard(.dataLoss, target, evil)], notes: [evil])
            ], notes: [evil])
        let text = PlanMarkdown.render(plan)
        expectGolden(text, named: "plan-evil.md")
        var isInside = false
        for line in text.split(separator: "\n") {
            if line.hasPrefix("```") {
                isInside.toggle()
            } else if !isInside {
                #expect(!line.contains("<img"))
                #expect(!line.replacing(#/`[^`]*`/#, with: "").contains("@team"))
                #expect(!line.contains("http://"))
                #expect(!line.hasPrefix("| ") || count("|", in: line.replacing("\\|", with: "")) <= 6)
            }
        }
    }

    private func count(_ word: String, in text: some StringProtocol) -> Int { String(text).ranges(of: word).count }
}

/// Three stacks: many new rules, some of them open to all; deletions; one replacement with a long chain.
func largePlan(_ count: Int) -> Plan {
    let changes = (0..<count).map { number -> ResourceChange in
        let stack = ["prod/rancher", "prod/security-groups", "vpc"][number % 3]
        let target = Address(stack: stack, type: "aws.security_group_rule", name: "rule-\(number)")
        let action: Action = number % 50 == 0 ? .delete : number % 75 == 1 ? .replaceCreateFirst : .create
        return ResourceChange(
            address: target, action: action, reason: action == .create ? .notInState : .notInSpec,
            attributes: action == .delete
                ? []
                : [
                    AttributeChange(path: "cidr_ipv4", before: nil, after: "10.0.0.0/16"),
                    AttributeChange(path: "from_port", before: nil, after: .integer(number)),
                    AttributeChange(
                        path: "description", before: nil, after: .string(String(repeating: "x", count: 200))),
                ],
            hazards: number % 20 == 3 ? [Hazard(.publicExposure, target, "Opens port \(number) to the internet.")] : [],
            place: place("specs/\(stack).yaml", number))
    }
    return Plan(workspace: "w", lineage: "l", id: "0123456789abcdef", changes: changes, unchangedCount: 3)
}
