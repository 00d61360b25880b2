import MusterModel
import Reporting
import TestSupport
import Testing

struct ProgressTests {
    @Test("A pipe gets a line when a step starts, one when it ends, and few between")
    func lines() {
        var progress = ProgressLines()
        let lines = sampleEvents().flatMap { progress.lines(for: $0.event) }
        expectGolden(lines.joined(separator: "\n") + "\n", named: "progress-lines.txt")
    }

    @Test("A waiting step has at most one line in every interval")
    func throttle() {
        var progress = ProgressLines(interval: 10)
        let step = sampleSteps()[0]
        let seconds = stride(from: 0.5, through: 60, by: 0.5)
        let lines = seconds.flatMap {
            progress.lines(for: .stepWaiting(step, status: "pending", seconds: $0))
        }
        #expect(lines.count == 6)
        #expect(lines.first == "prod/vpc:aws.vpc/main: still creating (pending, 10s)")
    }

    @Test("A terminal shows counts, what runs and how long it may take")
    func screen() {
        let expected: [ProgressScreen.StepKind: Double] = [
            .init("aws.vpc", .create): 2, .init("aws.subnet", .create): 4, .init("aws.instance", .create): 40,
        ]
        var screen = ProgressScreen(steps: sampleSteps(), expectedSeconds: expected, parallelism: 4)
        var shown: [String] = []
        for (event, now) in sampleEvents() {
            screen.apply(event, now: now)
            shown += ["[\(now) s]"] + screen.takeFinishedLines() + screen.frame(width: 100, height: 6, now: now) + [""]
        }
        expectGolden(shown.joined(separator: "\n"), named: "progress-screen.txt")
    }

    @Test(
        "No frame is larger than the screen, whatever its size and whatever the cloud says", arguments: [false, true])
    func frameSize(isColoured: Bool) {
        var generator = SeededGenerator.fromEnvironment()
        var screen = ProgressScreen(steps: sampleSteps(), palette: isColoured ? .ansi : .plain)
        for step in sampleSteps() {
            screen.apply(.stepStarted(step), now: 0)
            screen.apply(
                .stepWaiting(step, status: "等待\u{1B}[2J中" + String(repeating: "é", count: 90), seconds: 1), now: 1)
        }
        for _ in 0..<300 {
            let width = Int.random(in: 0...140, using: &generator)
            let height = Int.random(in: 0...12, using: &generator)
            let frame = screen.frame(width: width, height: height, now: 5).map(withoutColour)
            #expect(frame.count <= height)
            for line in frame {
                #expect(cells(line) <= width)
                #expect(!line.unicodeScalars.contains { $0.value < 0x20 })
            }
        }
    }

    private func cells(_ line: String) -> Int {
        line.unicodeScalars.reduce(0) { $0 + ($1.value > 0x2E80 ? 2 : 1) }
    }

    @Test("The time left is at least the longest chain, and at least all work over the workers")
    func estimate() {
        func steps(_ count: Int, isChain: Bool) -> [Step] {
            (0..<count).map {
                Step(
                    id: $0, address: Address(stack: "s", type: "t", name: "\($0)"), operation: .create,
                    after: isChain && $0 > 0 ? [$0 - 1] : [], scope: scope)
            }
        }
        let expected: [ProgressScreen.StepKind: Double] = [.init("t", .create): 10]
        var chain = ProgressScreen(steps: steps(6, isChain: true), expectedSeconds: expected, parallelism: 10)
        chain.apply(.stepStarted(steps(6, isChain: true)[0]), now: 0)
        #expect(chain.frame(width: 100, height: 1, now: 4)[0].contains("about 56s left"))
        var flat = ProgressScreen(steps: steps(100, isChain: false), expectedSeconds: expected, parallelism: 10)
        flat.apply(.started(stepCount: 100), now: 0)
        #expect(flat.frame(width: 100, height: 1, now: 0)[0].contains("about 1m40s left"))
    }
}

struct ApplyTextTests {
    @Test("A finished apply is one line and its outputs")
    func done() {
        let report = ApplyReport(
            finished: Array(sampleSteps().prefix(5)),
            outputs: ["prod/rancher": ["fqdn": "rancher.tastycidr.net", "password": .deferred(Deferred(secret("db")))]])
        expectGolden(ApplyText.render(.done(report), plan: applyPlan()), named: "apply-done.txt")
    }

    @Test("A failure names its cause once, and what it held up without errors of its own")
    func failed() {
        expectGolden(ApplyText.render(.failed(failedReport()), plan: applyPlan()), named: "apply-failed.txt")
    }

    @Test("An interruption says what was in flight and what the next run does")
    func interrupted() {
        let steps = sampleSteps()
        let unknown = StepFailure(
            .outcomeUnknown, summary: "The answer was lost.",
            detail: "The connection ended before ec2 answered RunInstances.")
        let report = ApplyReport(
            finished: Array(steps.prefix(2)), failures: [.init(step: steps[3], failure: unknown)])
        expectGolden(
            ApplyText.render(
                .interrupted(report), plan: applyPlan(), inFlight: [steps[3].address, steps[2].address]),
            named: "apply-interrupted.txt")
    }

    @Test("A refused plan says what moved")
    func refused() {
        let reasons = [
            "prod/vpc:aws.vpc/main is at version 4; the plan saw version 3.",
            "prod/vpc:aws.subnet/prod-a was changed since: tags.Name is \"x\u{1B}[31m\".",
        ]
        expectGolden(ApplyText.render(.refused(reasons), plan: applyPlan()), named: "apply-refused.txt")
    }
}

func sampleSteps() -> [Step] {
    func step(_ id: Int, _ name: String, _ operation: Step.Operation, _ after: [Int] = []) -> Step {
        Step(id: id, address: address(name), operation: operation, after: after, scope: scope)
    }
    return [
        step(0, "prod/vpc:aws.vpc/main", .create),
        step(1, "prod/vpc:aws.eip/nat", .adopt),
        step(2, "prod/vpc:aws.subnet/prod-a", .create, [0]),
        step(3, "prod/vpc:aws.subnet/prod-b", .create, [0]),
        step(4, "prod/rancher:aws.instance/prod-rancherctl1", .update, []),
        step(5, "prod/rancher:aws.instance/prod-rancherctl2", .create, [3]),
        step(6, "prod/rancher:aws.dns_record/prod-rancherctl2.tastycidr.net", .create, [5]),
        step(7, "prod/vpc:aws.subnet/old", .delete, [6]),
    ]
}

func applyPlan() -> Plan { Plan(workspace: "tastycidr", lineage: "6c1f", steps: sampleSteps()) }

let subnetConflict = StepFailure(
    .rejected, summary: "AWS refused the subnet.", detail: "The CIDR '10.0.2.0/24' conflicts with another subnet.",
    hint: "Choose a range that no other subnet of the VPC has.", code: "InvalidSubnet.Conflict",
    requestID: "8f1c2d3e-0001-4a5b-9c7d-112233445566")

func failedReport() -> ApplyReport {
    let steps = sampleSteps()
    let expired = StepFailure(
        .credentials, summary: "The credentials have expired.", detail: "The token ended at 12:00.",
        code: "ExpiredToken", requestID: "aaaa")
    return ApplyReport(
        finished: [steps[0], steps[1]],
        failures: [
            .init(step: steps[3], failure: subnetConflict), .init(step: steps[4], failure: expired),
            .init(step: steps[2], failure: expired),
        ],
        skipped: [steps[5], steps[6], steps[7]])
}

func sampleEvents() -> [(event: ApplyEvent, now: Double)] {
    let steps = sampleSteps()
    return [
        (.started(stepCount: steps.count), 0), (.stepStarted(steps[0]), 0), (.stepStarted(steps[1]), 0.1),
        (.stepFinished(steps[1], id: "eipalloc-01", seconds: 0.31), 0.4),
        (.stepWaiting(steps[0], status: "pending", seconds: 0.5), 0.5),
        (.stepFinished(steps[0], id: "vpc-0a1b", seconds: 1.26), 1.3),
        (.stepStarted(steps[2]), 1.3), (.stepStarted(steps[3]), 1.3), (.stepStarted(steps[4]), 1.3),
        (.stepRetrying(steps[2], why: "throttled", seconds: 0.4), 1.7),
        (.stepFailed(steps[3], subnetConflict, seconds: 2.34), 3.7),
        (.stepSkipped(steps[5], because: steps[3].address), 3.7),
        (.stepSkipped(steps[6], because: steps[3].address), 3.7),
        (.stepWaiting(steps[4], status: "stopping", seconds: 4), 5.3),
        (.stepWaiting(steps[4], status: "stopping", seconds: 10.2), 11.5),
        (.stepWaiting(steps[4], status: "stopping", seconds: 15), 16.3),
        (.interrupted(inFlight: [steps[2].address, steps[4].address]), 17),
        (.stepFinished(steps[2], id: "subnet-0abc", seconds: 16), 17.3),
        (.stepFinished(steps[4], id: nil, seconds: 75.2), 76.5),
    ]
}
