import MusterModel
import Simulation
import Testing

// What scenarios by chance broke once, cut down by the simulator.

private func net(_ type: ResourceType, _ name: String) -> Address { Address(stack: "net", type: type, name: name) }
private let vpc = net("aws.vpc", "vpc0")
private let zone = net("aws.hosted_zone", "hosted_zone0")

@Test("A plan right after an apply does not take what it cannot see yet for gone")
func newAndHidden() {
    let table = net("aws.route_table", "route_table0")
    let scenario = Scenario(
        seed: 280, lag: 40, making: 5, deleting: 0, window: 60,
        stages: [
            Scenario.Stage(
                Spec([
                    Spec.Resource(vpc, ["cidr_block": "10.4.0.0/16", "enable_dns_hostnames": true]),
                    Spec.Resource(table, ["vpc_id": output(vpc)]),
                    Spec.Resource(
                        net("aws.vpc", "vpc1"), ["cidr_block": "10.2.0.0/16", "enable_dns_hostnames": true]),
                ]),
                runs: [Scenario.Run(parallelism: 10), Scenario.Run(start: 25, parallelism: 1)], pause: 100)
        ])
    #expect(scenario.run().violations == [])
}

@Test("A subnet that a look by its mark misses and a look by its network sees is ours")
func ownSubnet() {
    let subnet = net("aws.subnet", "subnet0")
    for seed in UInt64(50)..<70 {
        let scenario = Scenario(
            seed: seed, lag: 2, making: 5, deleting: 0, window: 60,
            stages: [
                Scenario.Stage(
                    Spec([
                        Spec.Resource(vpc, ["cidr_block": "10.1.0.0/16"]),
                        Spec.Resource(subnet, ["cidr_block": "10.0.3.0/24", "vpc_id": output(vpc)]),
                    ]),
                    runs: [Scenario.Run(troubles: [1: .lostReply, 2: .lostReply, 3: .lostReply], parallelism: 1)],
                    pause: 3)
            ])
        #expect(scenario.run().violations == [])
    }
}

@Test("A record that its deletion cannot see yet is deleted when it can be seen")
func hiddenRecord() {
    let record = Address(stack: "app", type: "aws.dns_record", name: "dns_record1")
    func spec(_ name: String, _ ttl: Int) -> Spec {
        Spec([
            Spec.Resource(zone, ["name": .string(name)]),
            Spec.Resource(
                record,
                [
                    "zone_id": output(zone), "name": "dnsrecord1.example.com", "records": .list(["192.0.2.1"]),
                    "ttl": .integer(ttl), "type": "A",
                ]),
        ])
    }
    let scenario = Scenario(
        seed: 707, lag: 40, making: 0, deleting: 0, window: 60,
        stages: [
            Scenario.Stage(spec("hostedzone0.example.com", 60), runs: [Scenario.Run(parallelism: 1)], pause: 600),
            Scenario.Stage(spec("z1.example.com", 62), runs: [Scenario.Run(parallelism: 1)], pause: 1),
        ])
    #expect(scenario.run().violations == [])
}

@Test("A zone whose reference is taken and that is not seen yet is waited for")
func hiddenZone() {
    let scenario = Scenario(
        seed: 1164, lag: 40, making: 0, deleting: 0, window: 60,
        stages: [
            Scenario.Stage(
                Spec([Spec.Resource(zone, ["name": "hostedzone0.example.com"])]),
                runs: [Scenario.Run(troubles: [1: .lostReply], parallelism: 1)], pause: 1)
        ])
    #expect(scenario.run().violations == [])
}

@Test("A predecessor that a look still sees does not hide a successor that is on its way")
func lingeringPredecessor() {
    let role = net("aws.iam_role", "iam_role0")
    func spec(_ path: String) -> Spec {
        Spec([
            Spec.Resource(
                role,
                [
                    "name": "iam_role0", "path": .string(path),
                    "assume_role_policy": .map([
                        "Version": "2012-10-17",
                        "Statement": .list([
                            .map([
                                "Effect": "Allow", "Action": "sts:AssumeRole",
                                "Principal": .map(["Service": "ec2.amazonaws.com"]),
                            ])
                        ]),
                    ]),
                ])
        ])
    }
    for seed in UInt64(1)..<25 {
        let scenario = Scenario(
            seed: seed, lag: 15, making: 0, deleting: 0, window: 60,
            stages: [
                Scenario.Stage(spec("/"), runs: [Scenario.Run(parallelism: 1)], pause: 1),
                Scenario.Stage(
                    spec("/p4/"), runs: [Scenario.Run(crash: .call(1, .afterSend), parallelism: 1)], pause: 100),
            ])
        #expect(scenario.run().violations == [], "seed \(seed)")
    }
}

@Test("A run that stood still while another took its lease sends nothing any more")
func stoodStill() {
    let spec = Spec([
        Spec.Resource(vpc, ["cidr_block": "10.1.0.0/16"]),
        Spec.Resource(net("aws.vpc", "vpc1"), ["cidr_block": "10.2.0.0/16", "enable_dns_hostnames": true]),
    ])
    for write in 2..<8 {
        for seconds in [55, 61, 300] {
            let scenario = Scenario(
                seed: 3, lag: 5, making: 2, deleting: 0, window: 60,
                stages: [
                    Scenario.Stage(
                        spec,
                        runs: [
                            Scenario.Run(freeze: Freeze(write: write, seconds: seconds), parallelism: 1),
                            Scenario.Run(start: 62, parallelism: 2), Scenario.Run(start: 70, parallelism: 2),
                        ], pause: 1)
                ])
            #expect(scenario.run().violations == [], "after write \(write), \(seconds) s")
        }
    }
}

@Test("Clocks that are set forward or back between runs lose nothing")
func wrongClocks() {
    let spec = Spec([Spec.Resource(zone, ["name": "a.example.com"]), Spec.Resource(vpc, ["cidr_block": "10.1.0.0/16"])])
    for skew in [-7200, -90, 90, 7200] {
        for boundary in CrashPoint.CallBoundary.allCases {
            let scenario = Scenario(
                seed: 5, lag: 20, making: 0, deleting: 0, window: 60,
                stages: [
                    Scenario.Stage(
                        spec,
                        runs: [
                            Scenario.Run(crash: .call(1, boundary), parallelism: 1, wallSkew: skew),
                            Scenario.Run(start: 2, parallelism: 1),
                        ], pause: 1)
                ])
            #expect(scenario.run().violations == [], "\(skew) s, \(boundary)")
        }
    }
}

@Test("A group that is seen before its tags are is nobody's until they are seen")
func tagsLater() {
    let group = Address(stack: "app", type: "aws.db_parameter_group", name: "group")
    let repository = Address(stack: "app", type: "aws.ecr_repository", name: "repository")
    for seed in UInt64(1)..<20 {
        let scenario = Scenario(
            seed: seed, lag: 40, making: 0, deleting: 0, window: 60,
            stages: [
                Scenario.Stage(
                    Spec([
                        Spec.Resource(group, ["name": "group", "family": "mysql8.0", "tags": .map(["k": "a"])]),
                        Spec.Resource(repository, ["name": "repository", "tags": .map(["k": "a"])]),
                    ]),
                    runs: [Scenario.Run(troubles: [1: .faultAfterEffect, 2: .lostReply], parallelism: 1)], pause: 1)
            ])
        #expect(scenario.run().violations == [], "seed \(seed)")
    }
}

@Test("A gateway that a dead run attached without saying so holds its network, which is replaced all the same")
func attachedUnsaid() {
    let gateway = net("aws.internet_gateway", "gateway")
    func spec(_ network: String) -> Spec {
        Spec([
            Spec.Resource(vpc, ["cidr_block": .string(network)]), Spec.Resource(gateway, ["vpc_id": output(vpc)]),
        ])
    }
    for boundary in CrashPoint.CallBoundary.allCases {
        for call in 1..<4 {
            let scenario = Scenario(
                seed: 7, lag: 0, making: 0, deleting: 0, window: 60,
                stages: [
                    Scenario.Stage(
                        spec("10.1.0.0/16"), runs: [Scenario.Run(crash: .call(call, boundary), parallelism: 1)],
                        pause: 600),
                    Scenario.Stage(spec("10.2.0.0/16"), runs: [Scenario.Run(parallelism: 1)], pause: 1),
                ])
            #expect(scenario.run().violations == [], "\(boundary) \(call)")
        }
    }
}
