import MusterModel
import Planning
import Testing

/// One line of the table: what a host says of itself and what AWS says, and what follows.
struct HostCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var host: RancherHost
    var machines: [Machine] = []
    var others: [RancherHost] = []
    var isAsked = true
    var verdict: HostFinding.Verdict
    var tie: HostFinding.Tie?
    var instance: String?
}

private let environment = HostEnvironment(server: "http://r", id: "1a5", name: "prod")
private let old = HostEnvironment(server: "http://r", id: "1a5", name: "prod", tellsLoss: false)
private let home = HostPlace(account: "1", subnet: "subnet-1")
private let fleet = Address(stack: "fleet", type: "aws.autoscaling_group", name: "web")

private func host(
    _ id: String = "1h1", label: String? = nil, at address: String? = nil, named hostname: String? = nil,
    state: String = "active", agent: String? = "active", in place: HostEnvironment = environment
) -> RancherHost {
    RancherHost(
        environment: place, id: id, hostname: hostname, state: state, agentState: agent, address: address,
        labels: label.map { ["instance-id": $0] } ?? [:])
}

private func lost(
    _ label: String? = nil, at address: String? = nil, named hostname: String? = nil, in place: HostPlace? = nil
) -> RancherHost {
    var host = host(label: label, at: address, named: hostname, state: "disconnected", agent: "disconnected")
    if let place {
        host.labels["instance-account"] = place.account
        host.labels["instance-subnet"] = place.subnet
    }
    return host
}

private func seen(
    _ id: String, _ state: String? = "running", at address: String? = nil, named name: String? = nil
) -> Machine {
    Machine(id: id, state: state, addresses: address.map { [$0] } ?? [], hostName: name, owner: fleet)
}

private let cases: [HostCase] = [
    HostCase(
        testDescription: "a label names a running instance", host: host(label: "i-1", at: "10.0.0.9"),
        machines: [seen("i-1"), seen("i-9", at: "10.0.0.9")], verdict: .joined, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "Spot's label does too",
        host: RancherHost(environment: environment, id: "1h1", state: "active", labels: ["spotinst.instanceId": "i-1"]),
        machines: [seen("i-1")], verdict: .joined, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "an address tells it", host: host(at: "10.0.0.1"), machines: [seen("i-1", at: "10.0.0.1")],
        verdict: .joined, tie: .address, instance: "i-1"),
    HostCase(
        testDescription: "an address that two have tells nothing", host: host(at: "10.0.0.1"),
        machines: [seen("i-1", at: "10.0.0.1"), seen("i-2", at: "10.0.0.1")], verdict: .unknown),
    HostCase(
        testDescription: "a host name tells it, whole", host: host(named: "ip-10-0-0-1.ec2.internal"),
        machines: [seen("i-1", named: "ip-10-0-0-1.ec2.internal")], verdict: .joined, tie: .name, instance: "i-1"),
    HostCase(
        testDescription: "a host name tells it without its domain", host: host(named: "IP-10-0-0-1"),
        machines: [seen("i-1", named: "ip-10-0-0-1.ec2.internal")], verdict: .joined, tie: .name, instance: "i-1"),
    HostCase(
        testDescription: "nothing tells it, and the agent answers", host: host(at: "10.0.0.7", named: "web"),
        machines: [seen("i-1", at: "10.0.0.1")], verdict: .unknown),
    HostCase(
        testDescription: "nothing tells it, and the agent is lost", host: lost(at: "10.0.0.7"),
        machines: [seen("i-1", at: "10.0.0.1")], verdict: .unknown),
    HostCase(
        testDescription: "the instance runs, and the agent is lost", host: lost("i-1"), machines: [seen("i-1")],
        verdict: .silent, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "the instance is stopped", host: lost("i-1"), machines: [seen("i-1", "stopped")],
        verdict: .silent, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "the instance shuts down: its leaving may still run", host: lost("i-1"),
        machines: [seen("i-1", "shutting-down")], verdict: .silent, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "the instance is terminated, and the agent is lost", host: lost("i-1"),
        machines: [seen("i-1", "terminated")], verdict: .phantom, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "the instance is terminated, and the agent answers", host: host(label: "i-1"),
        machines: [seen("i-1", "terminated")], verdict: .unknown, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "the instance is terminated, and the agent wavers",
        host: host(label: "i-1", state: "reconnecting", agent: "reconnecting"),
        machines: [seen("i-1", "terminated")], verdict: .unknown, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "before Rancher 1.2 agents stay reconnecting",
        host: host(label: "i-1", agent: "reconnecting", in: old), machines: [seen("i-1", "terminated")],
        verdict: .phantom, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "the server tells the agent's state only as the host's",
        host: host(label: "i-1", state: "disconnected", agent: nil), machines: [seen("i-1", "terminated")],
        verdict: .phantom, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "a killed removal left it inactive",
        host: host(label: "i-1", state: "inactive", agent: "disconnected"), machines: [seen("i-1", "terminated")],
        verdict: .phantom, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "an agent that was deactivated by hand is not lost",
        host: host(label: "i-1", state: "inactive", agent: "inactive"), machines: [seen("i-1", "terminated")],
        verdict: .unknown, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "Rancher takes it out already",
        host: host(label: "i-1", state: "removing", agent: "disconnected"), machines: [seen("i-1", "terminated")],
        verdict: .leaving, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "AWS does not list the instance of a place that was asked", host: lost("i-1", in: home),
        verdict: .phantom, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "AWS does not list the instance, and it was in another subnet",
        host: lost("i-1", in: HostPlace(account: "1", subnet: "subnet-2")), verdict: .unknown, tie: .label,
        instance: "i-1"),
    HostCase(
        testDescription: "AWS does not list the instance of another account in a subnet that both use",
        host: lost("i-1", in: HostPlace(account: "2", subnet: "subnet-1")), verdict: .unknown, tie: .label,
        instance: "i-1"),
    HostCase(
        testDescription: "AWS does not list the instance, and nothing says where it was",
        host: lost("i-1", at: "10.0.0.7"),
        verdict: .unknown, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "AWS does not list the instance, and the agent answers",
        host: host(label: "i-1", at: "10.0.0.7"), verdict: .unknown, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "nobody could be asked", host: lost("i-1", in: home), isAsked: false,
        verdict: .unknown, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "a node that the state knows is gone from AWS", host: lost("i-1"),
        machines: [seen("i-1", nil)], verdict: .phantom, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "the address of a node that is terminated, as the state knows it", host: lost(at: "10.0.0.1"),
        machines: [seen("i-1", "terminated", at: "10.0.0.1")], verdict: .unknown, tie: .address, instance: "i-1"),
    HostCase(
        testDescription: "that address has another instance now", host: lost(at: "10.0.0.1"),
        machines: [seen("i-1", "terminated", at: "10.0.0.1"), seen("i-2", at: "10.0.0.1")],
        verdict: .silent, tie: .address, instance: "i-2"),
    HostCase(
        testDescription: "a rebuilt machine keeps the host and its first label",
        host: host(label: "i-1", at: "10.0.0.1"),
        machines: [seen("i-1", "terminated"), seen("i-2", at: "10.0.0.1")], verdict: .joined, tie: .address,
        instance: "i-2"),
    HostCase(
        testDescription: "a rebuilt machine that is lost for the moment", host: lost("i-1", at: "10.0.0.1"),
        machines: [seen("i-1", "terminated"), seen("i-2", at: "10.0.0.1")], verdict: .unknown, instance: "i-1"),
    HostCase(
        testDescription: "the address went to an instance with a host of its own", host: lost("i-1", at: "10.0.0.1"),
        machines: [seen("i-1", "terminated"), seen("i-2", at: "10.0.0.1")],
        others: [host("1h2", label: "i-2", at: "10.0.0.1")], verdict: .phantom, tie: .label, instance: "i-1"),
    HostCase(
        testDescription: "a host name is no proof of a death", host: lost(named: "ip-10-0-0-1"),
        machines: [seen("i-1", "terminated", named: "ip-10-0-0-1")], verdict: .unknown),
    HostCase(
        testDescription: "a label that is no instance counts for nothing", host: lost("web-1", at: "10.0.0.1"),
        machines: [seen("i-1", at: "10.0.0.1")], verdict: .silent, tie: .address, instance: "i-1"),
]

@Suite struct HostMatchingTests {
    private func matching(_ machines: [Machine], isAsked: Bool = true, joining: Set<Address> = []) throws
        -> HostMatching
    {
        HostMatching(
            machines: machines, places: [home], isAsked: isAsked, joining: joining)
    }

    @Test("A host is judged by what it says and what AWS says", arguments: cases)
    func verdict(_ example: HostCase) throws {
        let report = try matching(example.machines, isAsked: example.isAsked).report(
            on: [example.host] + example.others)
        let finding = try #require(report.findings.first { $0.host.id == example.host.id })
        #expect(finding.verdict == example.verdict, "\(finding.why)")
        #expect(finding.tie == example.tie)
        #expect(finding.instanceID == example.instance)
        #expect(!finding.why.isEmpty)
        #expect(report.phantoms.count == (example.verdict == .phantom ? 1 : 0))
    }

    @Test("An instance that is no host has not joined, where its fleet joins by its spec or by its other instances")
    func absent() throws {
        let node = Address(stack: "net", type: "aws.instance", name: "node")
        var other = seen("i-3")
        other.owner = node
        let machines = [seen("i-1"), seen("i-2"), other, seen("i-4", "terminated"), seen("i-5", "pending")]
        #expect(try matching(machines).report(on: []).absent.isEmpty)
        #expect(
            try matching(machines, joining: [node]).report(on: [host(label: "i-1")]).absent.map(\.id)
                == ["i-2", "i-5", "i-3"])
    }

    @Test("Hosts are told by server, environment and number")
    func order() throws {
        let other = HostEnvironment(server: "http://r", id: "1a7", name: "dev")
        let hosts = [host("1h10"), host("1h9"), host("1h11", in: other)]
        #expect(try matching([]).report(on: hosts).findings.map(\.host.id) == ["1h11", "1h9", "1h10"])
    }
}
