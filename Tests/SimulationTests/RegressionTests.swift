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

private let server = Address(stack: "rancher", type: "rancher.server", name: "server")
private let environment = Address(stack: "rancher", type: "rancher.environment", name: "environment")
private let rancherURL = Value.string("http://rancher.test:8080")

/// An environment on its server, with something in it.
private func rancher(_ contents: Spec.Resource...) -> Spec {
    Spec(
        [
            Spec.Resource(server, ["url": rancherURL]),
            Spec.Resource(environment, ["server": output(server, "url"), "name": "environment"]),
        ] + contents)
}

private func inside(_ type: ResourceType, _ arguments: [String: Value]) -> Spec.Resource {
    Spec.Resource(
        Address(stack: "app", type: type, name: "it"),
        ["server": rancherURL, "environment": output(environment)].merging(arguments) { $1 })
}

@Test("A look whose answer is late does not say that a creation has not come since")
func lateAnswer() throws {
    let token = inside("rancher.registration_token", ["name": "it", "secret_to": "ssm:/it"])
    func scenario(_ troubles: [Int: Trouble]) -> Scenario {
        Scenario(
            seed: 297, lag: 0, making: 0, deleting: 0, window: 60,
            stages: [
                Scenario.Stage(rancher(), runs: [Scenario.Run(parallelism: 1)], pause: 1),
                Scenario.Stage(rancher(token), runs: [Scenario.Run(troubles: troubles, parallelism: 1)], pause: 600),
            ])
    }
    let creation = try #require(
        scenario([:]).run().story.first { $0.contains("POST") && $0.hasSuffix("registrationTokens") })
    let number = try #require(creation.split(separator: "call ").last?.prefix { $0.isNumber })
    let late = try #require(Int(number))
    for slow in (late + 1)..<(late + 6) {
        let verdict = scenario([late: .lateEffect, slow: .slow]).run()
        #expect(verdict.violations == [], "look \(slow)")
        #expect(verdict.story.contains { $0.contains("lateEffect") && $0.contains("registrationTokens") })
    }
}

@Test("A key that nobody has any more leaves no secret behind, however its last run ended")
func secretOfNobody() {
    let key = inside("rancher.api_key", ["name": "it", "secret_to": "ssm:/it"])
    for call in 0..<3 {
        for boundary in CrashPoint.CallBoundary.allCases {
            let scenario = Scenario(
                seed: 49, lag: 0, making: 0, deleting: 0, window: 60,
                stages: [
                    Scenario.Stage(rancher(), runs: [Scenario.Run(parallelism: 1)], pause: 600),
                    Scenario.Stage(
                        rancher(key), runs: [Scenario.Run(crash: .call(call, boundary), parallelism: 1)], pause: 30),
                    Scenario.Stage(rancher(), runs: [Scenario.Run(parallelism: 1)], pause: 10),
                ])
            #expect(scenario.run().violations == [], "\(boundary) \(call)")
        }
    }
    let removedByHand = Scenario(
        seed: 50, lag: 0, making: 0, deleting: 0, window: 60,
        stages: [
            Scenario.Stage(rancher(key), runs: [Scenario.Run(parallelism: 1)], pause: 1),
            Scenario.Stage(
                rancher(), foreign: [.delete(key.address)], runs: [Scenario.Run(parallelism: 1)], pause: 600),
        ])
    #expect(removedByHand.run().violations == [])
}

@Test("A password whose change was on its way when the run died is set again, though the spec went back to the old one")
func takenBack() {
    let registry = inside("rancher.registry", ["name": "it", "server_address": "it.example.com"])
    func credential(_ password: Int) -> Spec.Resource {
        let secret = SecretReference(name: "password", source: "env:PASSWORD_\(password)")
        return inside(
            "rancher.registry_credential",
            [
                "registry": output(registry.address), "username": "AWS",
                "password": .deferred(Deferred(.secret(secret))),
            ])
    }
    for boundary in CrashPoint.CallBoundary.allCases {
        let scenario = Scenario(
            seed: 51, lag: 0, making: 0, deleting: 0, window: 60,
            stages: [
                Scenario.Stage(rancher(registry, credential(1)), runs: [Scenario.Run(parallelism: 1)], pause: 1),
                Scenario.Stage(
                    rancher(registry, credential(2)),
                    runs: [Scenario.Run(crash: .call(0, boundary), parallelism: 1)], pause: 600),
                Scenario.Stage(rancher(registry, credential(1)), runs: [Scenario.Run(parallelism: 1)], pause: 30),
            ])
        #expect(scenario.run().violations == [], "\(boundary)")
    }
}

@Test("A group whose replacement was cut short is replaced once more when the spec goes back, beside both predecessors")
func replacedAndTakenBack() {
    func spec(_ description: String) -> Spec {
        let group = net("aws.security_group", "security_group0")
        return Spec([
            Spec.Resource(vpc, ["cidr_block": "10.1.0.0/16", "enable_dns_hostnames": true]),
            Spec.Resource(
                group,
                ["description": .string(description), "name": "security_group0", "vpc_id": output(vpc)]),
            Spec.Resource(
                net("aws.security_group_rule", "security_group_rule0"),
                [
                    "cidr_ipv4": "10.0.0.0/8", "from_port": 4, "protocol": "tcp", "security_group_id": output(group),
                    "to_port": 4, "type": "egress",
                ]),
        ])
    }
    let scenario = Scenario(
        seed: 1237, lag: 0, making: 0, deleting: 0, window: 60,
        stages: [
            Scenario.Stage(spec("one"), runs: [Scenario.Run(parallelism: 1)], pause: 30),
            Scenario.Stage(
                spec("two"), runs: [Scenario.Run(crash: .write(6, isAfter: true), parallelism: 1)], pause: 10),
            Scenario.Stage(spec("one"), runs: [Scenario.Run(parallelism: 1)], pause: 10),
        ])
    #expect(scenario.run().violations == [])
}
