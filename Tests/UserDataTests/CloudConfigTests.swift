import Diagnostics
import MusterModel
import TestSupport
import Testing
import UserData

@Suite("Cloud-configs of RancherOS")
struct CloudConfigTests {
    private static let place: SourceRange = {
        let file = SourceFile(path: "spec.yaml", text: "x")
        return file.range(0, 1)
    }()

    private func tree(_ value: Value) -> LocatedValue { .value(value, Self.place) }

    @Test("Scalars are quoted where a reader would take them for something else")
    func scalars() {
        let texts = [
            "web", "", "yes", "No", "null", "~", "012", "1e3", "08:30", "2001-01-01", "a: b", "a #b", "- x", "{", "*x",
            "&x",
            "!x", "%x", "@x", "`x", "|", ">", "'", "\"", "it's", "a\tb", "é", "x:", "/dev/sda", "a=b", "\u{7}",
            "12:30:45",
            "0x1f", ".inf", "a\\b", "=", "<<",
        ]
        let lines = texts.map { Text(yaml: .string($0)).literal ?? "" }
        expectGolden(
            zip(texts, lines).map { "\(Array($0.0.utf8)) \($0.1)" }.joined(separator: "\n") + "\n", named: "scalars.txt"
        )
        #expect(Text(yaml: true).literal == "true")
        #expect(Text(yaml: 7).literal == "7")
    }

    @Test("A host without a disk gets its identity back before it joins")
    func identity() throws {
        let files = [
            ".registration_token": String(repeating: "0f", count: 64) + "\n",
            ".physical_host_uuid": "11111111-2222-4333-8444-555555555555\n",
            ".docker_uuid": "66666666-7777-4888-9999-000000000000",
        ]
        let identity = try #require(RancherOSAgent.Identity(files: files))
        var agent = RancherAgent(
            image: "rancher/agent:v1.2.11", version: AgentVersion(1, 2, 11),
            registrationURL: .inline("http://rancher.test:8080/v1/projects/1a5/scripts/TOKEN:1483142400000:abc"))
        agent.address = .detected
        agent.labels = [("site", "edge")]
        var config = CloudConfig(tree(["hostname": "edge-1", "runcmd": ["echo first"]]))
        RancherOSAgent(agent, hostName: "edge-1", identity: identity).add(to: &config)
        expectGolden(try #require(config.userData().literal), named: "RancherOS/diskless.yaml")
        var broken = files
        broken[".docker_uuid"] = "x"
        #expect(RancherOSAgent.Identity(files: broken) == nil)
        #expect(RancherOSAgent.Identity(files: [:]) == nil)
    }

    @Test("An instance of an elastigroup carries the label by which Spot finds it")
    func elastigroup() throws {
        var agent = RancherAgent(
            image: "rancher/agent:v1.2.11", version: AgentVersion(1, 2, 11),
            registrationURL: .inline("http://rancher.test:8080/v1/projects/1a5/scripts/TOKEN:1483142400000:abc"))
        agent.labels = [("role", "spot")]
        agent.isInElastigroup = true
        var config = CloudConfig(tree(["hostname": "spot"]))
        RancherOSAgent(agent).add(to: &config)
        expectGolden(try #require(config.userData().literal), named: "RancherOS/elastigroup.yaml")
    }

    @Test("A swarm node's tags become labels of the engine and variables")
    func swarm() throws {
        #expect(SwarmNode.variable("example.db.host") == "EXAMPLE_DB_HOST")
        for (name, isOld) in [("swarm", false), ("swarm-0.6", true)] {
            var node = SwarmNode(consul: "consul.example.com:8500")
            node.role = .both
            node.takesAllArguments = isOld
            node.tags = [("docker.environment", "prod"), ("docker.role", "web"), ("example.db.host", "db.example.com")]
            var registry = SwarmNode.Registry(address: "registry.example.com:5000")
            registry.login = ("ci", "it's secret")
            registry.isInsecure = true
            node.registry = registry
            node.mirror = "http://mirror.example.com"
            var config = CloudConfig(tree(["rancher": ["environment": ["DOCKER_ROLE": "mine"]]]))
            node.add(to: &config)
            expectGolden(try #require(config.userData().literal), named: "RancherOS/\(name).yaml")
        }
    }
}
