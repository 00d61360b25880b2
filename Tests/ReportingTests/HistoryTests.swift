import MusterModel
import TestSupport
import Testing

@testable import Reporting

struct HistoryTests {
    private func step(
        _ number: Int, _ address: String, _ operation: Step.Operation, _ outcome: HistoryStep.Outcome,
        detail: String? = nil, requests: [String] = [], isOpen: Bool = false
    ) -> HistoryStep {
        HistoryStep(
            run: 7, number: number, address: ReportingTests.address(address), operation: operation, outcome: outcome,
            detail: detail, requestIDs: requests, started: "2026-11-21T16:40:12Z",
            ended: outcome == .running ? nil : "2026-11-21T16:40:14Z", seconds: outcome == .running ? nil : 1.5,
            isOpen: isOpen)
    }

    private func run(
        _ id: Int, _ command: String, _ outcome: HistoryRun.Outcome, _ counts: [HistoryStep.Outcome: Int] = [:],
        of stepCount: Int = 0, steps: [HistoryStep] = []
    ) -> HistoryRun {
        let isOver = outcome != .died && outcome != .running
        return HistoryRun(
            id: id, command: command, who: "ann", host: "desk", pid: 4711, commit: id == 7 ? "0a1b2c3d4e5f" : nil,
            plan: "6e67d1e8da96", started: "2026-11-21T16:40:1\(id)Z", ended: isOver ? "2026-11-21T16:42:00Z" : nil,
            seconds: isOver ? 108 : nil, outcome: outcome, stepCount: stepCount, counts: counts, steps: steps)
    }

    private var died: HistoryRun {
        run(
            7, "apply --stack prod/rancher", .died, [.done: 2, .running: 1, .settled: 1, .failed: 1], of: 9,
            steps: [
                step(0, "vpc:aws.vpc/main", .create, .done, requests: ["0f-1", "0f-2"]),
                step(1, "vpc:aws.subnet/a", .create, .running, isOpen: true),
                step(
                    2, "vpc:aws.subnet/b", .update, .settled,
                    detail: "Found after the run had died: it was not created."),
                step(
                    3, "vpc:aws.eip/x", .delete, .failed, detail: "Refused.\nBecause \u{1B}[31mof this.",
                    requests: ["0f-3"]),
                step(4, "vpc:aws.eip/y", .adopt, .done),
            ])
    }

    private var list: [HistoryRun] {
        [
            run(9, "destroy", .running, [.done: 3, .running: 2], of: 12),
            run(8, "apply a.plan", .done, [.done: 25], of: 25), died,
            run(6, "apply", .failed, [.done: 1, .failed: 1], of: 3), run(5, "", .interrupted, [.done: 4]),
        ]
    }

    @Test("A line for each run; under one that died, where")
    func lists() {
        expectGolden(HistoryText.list(list), named: "history.txt")
        #expect(HistoryText.list([]) == "No runs yet.\n")
    }

    @Test("One run with its steps, requests and reasons")
    func shows() {
        expectGolden(HistoryText.show(died), named: "history-run.txt")
        #expect(HistoryText.show(run(3, "apply", .died)).contains("died between two steps"))
    }

    @Test("As JSON, by their schemas")
    func documents() throws {
        for (text, schema, name) in [
            (HistoryJSON.list(list), HistorySchema.listJSONSchema(), "history"),
            (HistoryJSON.show(died), HistorySchema.showJSONSchema(), "history-run"),
        ] {
            let document = try ValueJSON.decodePlain(text)
            #expect(SchemaCheck(root: schema).problems(document) == [])
            expectGolden(document.prettyJSON + "\n", named: "\(name).json")
        }
    }

    @Test("A resource tells the runs that were about it")
    func entries() throws {
        let record = try #require(sampleSnapshot().records[ReportingTests.address("vpc:aws.vpc/main")])
        let entry = HistoryEntry(run: died, step: died.steps[0])
        #expect(
            StateText.show(record, history: [entry])
                .contains("  history\n    run 7  2026-11-21T16:40:12Z  created by ann@desk\n"))
        let document = try ValueJSON.decodePlain(StateJSON.show(record, history: [entry]))
        #expect(SchemaCheck(root: StateSchema.showJSONSchema()).problems(document) == [])
    }
}
