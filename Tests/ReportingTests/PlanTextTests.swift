import MusterModel
import TestSupport
import Testing

@testable import Reporting

struct PlanTextTests {
    @Test("A plan shows dangers first, then changes by stack, then its summary line")
    func everything() {
        expectGolden(PlanText.render(samplePlan()), named: "plan.txt")
    }

    @Test("Colour adds escape sequences and takes no character away")
    func colour() {
        let coloured = PlanText.render(samplePlan(), options: TextOptions(palette: .ansi))
        expectGolden(coloured.replacing("\u{1B}", with: "␛"), named: "plan-colour.txt")
        #expect(withoutColour(coloured) == PlanText.render(samplePlan()))
    }

    @Test("On a narrow terminal differences stand below each other")
    func narrow() {
        expectGolden(PlanText.render(samplePlan(), options: TextOptions(width: 60)), named: "plan-narrow.txt")
    }

    @Test("With a limit what is dangerous keeps its details, the rest gets a line each")
    func limit() {
        expectGolden(PlanText.render(samplePlan(), options: TextOptions(detailLimit: 7)), named: "plan-limited.txt")
        #expect(
            PlanText.render(samplePlan(), options: TextOptions(detailLimit: 1_000)) == PlanText.render(samplePlan()))
    }

    @Test("Without changes there is one line, and what should be known besides")
    func empty() {
        var plan = Plan(workspace: "w", lineage: "l", unchangedCount: 54)
        #expect(PlanText.render(plan) == "No changes. 54 resources match the spec.\n")
        plan.unchangedCount = 1
        plan.isUnrefreshed = true
        plan.notes = ["The image of lookups.amis/base is pinned."]
        #expect(
            PlanText.render(plan) == """
                No changes. 1 resource matches the spec.
                Note: The cloud was not asked: what somebody changed there is not seen.
                Note: The image of lookups.amis/base is pinned.

                """)
    }

    @Test("When only outputs change the summary line says so")
    func outputsOnly() {
        let plan = Plan(
            workspace: "w", lineage: "l", outputs: [OutputChange(stack: "vpc", name: "id", before: "a", after: "b")])
        #expect(
            PlanText.render(plan) == """
                outputs:
                    ~ vpc:id: a → b

                Plan: 0 to add, 0 to change, 0 to destroy. 1 output to change.

                """)
    }

    @Test("What is adopted and differs counts as an import and as a change")
    func adoptedAndChanged() {
        let vpc = address("vpc:aws.vpc/main")
        var plan = Plan(
            workspace: "w", lineage: "l",
            changes: [ResourceChange(address: vpc, action: .adopt, reason: .importBlock, id: "vpc-1")],
            steps: [Step(id: 0, address: vpc, operation: .adopt, scope: scope)])
        #expect(PlanText.summaryLine(plan) == "Plan: 0 to add, 0 to change, 0 to destroy. 1 to import.")
        plan.steps.append(Step(id: 1, address: vpc, operation: .update, after: [0], scope: scope))
        #expect(PlanText.summaryLine(plan) == "Plan: 0 to add, 1 to change, 0 to destroy. 1 to import.")
    }

    @Test("Every kind of cause has words")
    func causes() {
        let other = address("vpc:aws.vpc/main")
        let reasons: [Reason] = [
            .notInState, .notInSpec, .argumentsChanged, .cannotUpdate(["ami"]), .gone, .foreignChild(parent: other),
            .requested, .destroyRequested, .triggered(by: other), .importBlock, .incomplete, .deposed, .removedBlock,
        ]
        let changes = reasons.enumerated().flatMap { number, reason in
            [Action.update, .replaceDeleteFirst].map {
                ResourceChange(
                    address: Address(stack: "s", type: "t", name: "\(number < 10 ? "0" : "")\(number)-\(reason.code)"),
                    action: $0, reason: reason, place: place("a.yaml", number + 1))
            }
        }
        expectGolden(PlanText.render(Plan(workspace: "w", lineage: "l", changes: changes)), named: "plan-causes.txt")
    }

    @Test("Nothing from a plan can command a terminal, in any form and with any width")
    func controlCharacters() {
        var plans = RandomPlans(.fromEnvironment())
        for _ in 0..<100 {
            let plan = plans.plan()
            for width in [20, 100] {
                let options = TextOptions(width: width)
                for text in [
                    PlanText.render(plan, options: options),
                    DriftText.render(plan.drift, checkedCount: 3, options: options), PlanMarkdown.render(plan),
                    GraphRender.dot(graph(of: plan)), GraphRender.mermaid(graph(of: plan)),
                    GraphRender.svg(graph(of: plan)),
                ] {
                    #expect(!text.unicodeScalars.contains(where: isCommanding))
                }
            }
            #expect(!PlanJSON.encode(plan).unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        }
    }

    private func graph(of plan: Plan) -> GraphDocument {
        GraphDocument(
            nodes: plan.changes.map { GraphDocument.Node(address: $0.address, action: $0.action) },
            edges: zip(plan.changes, plan.changes.dropFirst()).map {
                GraphDocument.Edge(from: $0.0.address, to: $0.1.address, kind: .value)
            })
    }

    private func isCommanding(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0A: false
        case 0..<0x20, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    @Test("A value that must not be shown is in no form of a plan")
    func secrets() {
        var plans = RandomPlans(.fromEnvironment())
        let password = "hunter2hunter2"
        for _ in 0..<60 {
            var plan = plans.plan()
            let target = address("vpc:aws.db_instance/main")
            let hidden = [
                AttributeChange(
                    path: "password", before: .string(password), after: ["x": .string(password)], isHidden: true),
                AttributeChange(path: "options.token", before: nil, after: .string(password), isHidden: true),
                AttributeChange(path: "gone", before: [.string(password)], after: nil, isHidden: true),
                AttributeChange(
                    path: "mixed", before: .string(password), after: .deferred(Deferred(secret("pw"))), isHidden: true),
            ]
            plan.changes.append(
                ResourceChange(
                    address: target, action: plans.generator.pick(Action.allCases), reason: .argumentsChanged,
                    attributes: hidden))
            plan.drift.append(Drift(address: target, kind: .changed, attributes: hidden))
            plan.outputs.append(
                OutputChange(
                    stack: "vpc", name: "pw", before: .string(password), after: .string(password), isHidden: true))
            plan.steps.append(
                Step(
                    id: plan.steps.count, address: target, operation: .update,
                    prior: ["password": .string(password), "options": ["token": .string(password)]], scope: scope))
            for text in [
                PlanText.render(plan), PlanJSON.encode(plan), PlanMarkdown.render(plan),
                DriftText.render(plan.drift, checkedCount: 1), DriftJSON.encode(plan.drift, checkedCount: 1),
                DriftMarkdown.render(plan.drift, checkedCount: 1),
            ] {
                #expect(!text.contains("hunter2"))
            }
        }
    }

    @Test("The same plan gives the same text, whatever the order of its parts")
    func determinism() {
        var generator = SeededGenerator(seed: 3)
        let plan = samplePlan()
        for _ in 0..<5 {
            var shuffled = plan
            shuffled.changes.shuffle(using: &generator)
            shuffled.drift.shuffle(using: &generator)
            shuffled.outputs.shuffle(using: &generator)
            #expect(PlanText.render(shuffled) == PlanText.render(plan))
            #expect(PlanMarkdown.render(shuffled) == PlanMarkdown.render(plan))
        }
    }
}

func withoutColour(_ text: String) -> String { text.replacing(#/\u{1B}\[[0-9;]*m/#, with: "") }
