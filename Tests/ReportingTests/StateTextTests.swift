import MusterModel
import Reporting
import TestSupport
import Testing

struct StateTextTests {
    @Test("The list has a line for each object, deposed ones after their successor")
    func list() { expectGolden(StateText.list(sampleSnapshot()), named: "state-list.txt") }

    @Test("The list keeps to the addresses asked for")
    func filteredList() {
        let text = StateText.list(sampleSnapshot()) { $0.stack == "vpc" }
        #expect(text == "vpc:aws.vpc/main  vpc-0a1b2c3d\n")
    }

    @Test("One resource is shown with all that is known, and no secret")
    func show() {
        let snapshot = sampleSnapshot()
        let control = address("prod/rancher:aws.instance/prod-rancherctl1")
        guard let record = snapshot.records[control] else {
            Issue.record("the sample has no \(control)")
            return
        }
        expectGolden(StateText.show(record, deposed: snapshot.deposed[control] ?? []), named: "state-show.txt")
    }
}

struct OutputTextTests {
    let outputs: [String: [String: Value]] = [
        "prod/rancher": [
            "rancher_fqdn": "rancher.tastycidr.net", "nodes": ["i-1", "i-2"], "port": 8080,
            "password": .deferred(Deferred(secret("db_password"))), "motd": "one\ntwo",
        ],
        "vpc": ["vpc_id": "vpc-0a1b2c3d"], "empty": [:],
    ]

    @Test("Outputs stand in aligned lines; secrets are holes")
    func render() {
        expectGolden(OutputText.render(outputs), named: "output.txt")
        #expect(OutputText.render(["vpc": [:]]) == "No outputs.\n")
    }
}

func sampleSnapshot() -> Snapshot {
    let control = address("prod/rancher:aws.instance/prod-rancherctl1")
    let vpc = address("vpc:aws.vpc/main")
    func record(_ generation: Int, _ id: RemoteID) -> ResourceRecord {
        ResourceRecord(
            address: control, id: id, scope: scope,
            arguments: [
                "ami": "ami-0f8bce65", "instance_type": "m5.large", "user_data": bootScriptAfter,
                "get_password_data": "hunter2", "tags": ["Name": "prod-rancherctl1", "ManagedBy": "muster"],
            ],
            outputs: ["private_ip": "10.0.1.17", "arn": "arn:aws:ec2:us-east-1:123456789012:instance/i-0123"],
            digests: ["user_data": "d1", "get_password_data": "d2"], isProtected: true, version: 7,
            generation: generation, isIncomplete: generation == 2, dependencies: [vpc])
    }
    return Snapshot(
        lineage: "6c1f",
        records: [
            control: record(2, "i-0123456789abcdef0"),
            vpc: ResourceRecord(
                address: vpc, id: "vpc-0a1b2c3d", scope: scope, arguments: ["cidr_block": "10.0.0.0/16"]),
        ],
        deposed: [control: [record(1, "i-0old")]])
}
