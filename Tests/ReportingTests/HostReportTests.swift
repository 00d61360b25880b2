import MusterModel
import TestSupport
import Testing

@testable import Reporting

/// Hosts in every state that a report may tell of.
func sampleHosts() -> (report: HostReport, environments: [HostEnvironment]) {
    let prod = HostEnvironment(
        server: "https://rancher.tastycidr.net", id: "1a7", name: "prod",
        address: address("prod/rancher:rancher.environment/prod"), stack: "prod/rancher")
    let other = HostEnvironment(server: "https://rancher.tastycidr.net", id: "1a5", name: "Default")
    let fleet = address("prod/celery:aws.autoscaling_group/celery")
    func host(_ id: String, _ name: String, _ state: String, _ agent: String) -> RancherHost {
        RancherHost(
            environment: prod, id: id, hostname: name, state: state, agentState: agent, address: "10.0.1.9",
            labels: ["role": "celery"], created: 1_480_000_000)
    }
    func machine(_ id: String, _ state: String?) -> Machine {
        Machine(
            id: id, state: state, addresses: ["10.0.1.9"], launched: 1_480_001_000, owner: fleet, region: "us-east-1")
    }
    let findings = [
        HostFinding(
            host("1h1", "ip-10-0-1-9", "active", "active"), .joined, tie: .label, instanceID: "i-0a1",
            machine: machine("i-0a1", "running"), why: "its agent answers"),
        HostFinding(
            host("1h2", "ip-10-0-1-10", "disconnected", "disconnected"), .phantom, tie: .label, instanceID: "i-0a2",
            machine: machine("i-0a2", "terminated"), why: "i-0a2 is terminated, and its agent is away"),
        HostFinding(
            host("1h3", "ip-10-0-1-11", "inactive", "disconnected"), .silent, tie: .address, instanceID: "i-0a3",
            machine: machine("i-0a3", "stopped"), why: "its agent does not answer, and the instance is \"stopped\""),
        HostFinding(
            host("1h4", "web\u{1b}[2J", "active", "active"), .unknown,
            why: "no instance of this workspace has its address or its name"),
        HostFinding(host("1h5", "old", "removing", "inactive"), .leaving, why: "Rancher is taking it out"),
    ]
    return (HostReport(findings: findings, absent: [machine("i-0a4", "running")]), [other, prod])
}

struct HostReportTests {
    @Test("Hosts stand by environment with the instance they are, then the instances that have not joined")
    func hosts() {
        let (report, environments) = sampleHosts()
        let text = HostText.hosts(report, environments: environments, now: 1_480_090_000)
        #expect(!text.contains("\u{1b}"))
        expectGolden(text, named: "hosts.txt")
        #expect(HostText.hosts(HostReport(), environments: [], now: 0) == "No hosts.\n")
        #expect(HostText.summary(HostReport(absent: report.absent)) == "1 instance has not joined.")
    }

    @Test("What is to be removed is said with its reason")
    func removals() {
        let phantoms = sampleHosts().report.phantoms
        expectGolden(HostText.removals(phantoms), named: "reap.txt")
        #expect(HostText.nothingToReap(HostReport()) == "No phantoms. 0 hosts checked.\n")
    }

    @Test("An age is told in its largest unit")
    func ages() {
        #expect(
            [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 8_640_000].map { HostText.age($0) }
                == ["0s", "59s", "1m", "59m", "1h", "23h", "1d", "100d"])
        #expect(HostText.age(-5) == "0s")
    }

    @Test("Phantoms are drift in every form")
    func drift() {
        let phantoms = sampleHosts().report.phantoms
        expectGolden(DriftText.render([], phantoms: phantoms, checkedCount: 54), named: "drift-phantoms.txt")
        expectGolden(DriftMarkdown.render([], phantoms: phantoms, checkedCount: 54), named: "drift-phantoms.md")
        #expect(DriftMarkdown.render([], phantoms: phantoms, checkedCount: 54, limit: 260).contains("1 more"))
    }
}
