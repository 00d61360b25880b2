import Expressions
import MusterModel
import TestSupport
import Testing
import UserData

/// What machines are given to run, as goldens. `Tests/Rendered` runs them.
@Suite("Scripts for machines of Rancher")
struct RancherScriptTests {
    private static let url: Value = .output(
        Address(stack: "prod", type: "rancher.registration_token", name: "prod"), "registration_url")

    private static func agent(_ version: String = "1.2.11") throws -> RancherAgent {
        var agent = RancherAgent(
            image: .string("rancher/agent:v\(version)"), version: try #require(AgentVersion(version)),
            registrationURL: .inline(url))
        agent.labels = [("role", "celery"), ("note", "it's 5 o'clock & more")]
        return agent
    }

    private static func leave() -> RancherAgent.Leave {
        var leave = RancherAgent.Leave(
            accessKey: .parameter("/rancher/prod/access"), secretKey: .managed("rancher/prod", key: "secret"))
        leave.reports = [
            .init(.pagerduty, .file("/etc/pagerduty.key")), .init(.slack, .parameter("/slack/ops")),
            .init(.webhook, .inline("https://hooks.example.com/x")),
        ]
        return leave
    }

    @Test("A fleet joins and leaves through systemd")
    func fleet() throws {
        var agent = try Self.agent()
        agent.leave = Self.leave()
        agent.region = "us-east-1"
        expectGolden(agent.userData().rendered, named: "Rancher/systemd.sh")
        expectGolden(agent.farewell().rendered, named: "Rancher/leave.sh")
        expectGolden(agent.join().rendered, named: "Rancher/join.sh")
    }

    @Test("The registration URL is fetched where another resource keeps it")
    func fetched() throws {
        var agent = try Self.agent()
        agent.registrationURL = .place(
            .output(Address(stack: "p", type: "rancher.registration_token", name: "t"), "place"))
        expectGolden(agent.userData().rendered, named: "Rancher/fetched.sh")
    }

    @Test("Older images have init scripts, and older agents another command")
    func older() throws {
        var agent = try Self.agent("1.0.2")
        agent.initSystem = .sysv
        agent.address = .publicIP
        agent.fingerprint = "AA:BB"
        agent.before = "yum install -y docker\nservice docker start"
        agent.leave = RancherAgent.Leave(
            accessKey: .inline("KEY"), secretKey: HostSecret(.deferred(Deferred(.secret(Self.secret)))))
        agent.leave?.url = "https://rancher.example.com/v1/projects/1a5/"
        agent.leave?.certificateAuthority = "/etc/ssl/rancher.pem"
        expectGolden(agent.userData().rendered, named: "Rancher/sysv.sh")
    }

    private static let secret = SecretReference(name: "rancher_secret", source: "env:RANCHER_SECRET")

    @Test("What joins only needs no key")
    func joinOnly() throws {
        for (version, name) in [("0.8.2", "ancient"), ("1.2.1", "detached")] {
            var agent = try Self.agent(version)
            agent.address = version == "0.8.2" ? .detected : .given("10.0.0.7")
            expectGolden(agent.userData().rendered, named: "Rancher/\(name).sh")
        }
    }

    @Test("An instance of an elastigroup carries the label by which Spot finds it")
    func elastigroup() {
        var agent = RancherAgent(
            image: "rancher/agent:v1.2.11", version: AgentVersion(1, 2, 11),
            registrationURL: .inline("http://rancher.test:8080/v1/projects/1a5/scripts/TOKEN:1483142400000:abc"))
        agent.labels = [("role", "spot")]
        agent.isInElastigroup = true
        expectGolden(agent.userData().rendered, named: "Rancher/elastigroup.sh")
    }

    @Test("Servers since 1.2 share a database")
    func cluster() {
        var server = RancherServer(
            image: "rancher/server:v1.6.30",
            database: .init(
                host: .output(Address(stack: "prod", type: "aws.db_instance", name: "rancher"), "address"),
                password: .parameter("/rancher/db")))
        server.region = "us-east-1"
        server.environment = [("JAVA_OPTS", "-Xmx2g -Xms2g")]
        expectGolden(server.userData().rendered, named: "Rancher/server.sh")
        #expect(server.ports == [8080, 9345])
    }

    @Test("Servers before 1.2 have ZooKeeper, Redis, a proxy and a machine service")
    func external() {
        var server = RancherServer(
            image: "rancher/server:v1.1.4",
            database: .init(host: "db.example.com", password: .managed("rancher", key: "db")))
        var external = RancherServer.External(
            zookeeper: ["10.0.1.2", "10.0.1.3:2182"],
            redis: [.output(Address(stack: "prod", type: "aws.x", name: "cache"), "endpoint"), "10.0.1.4:6379"],
            proxyHost: "ws.example.com:8081")
        external.redisPassword = .file("/etc/redis.password")
        external.machineService = .init(
            accessKey: .parameter("/rancher/ms/access"), secretKey: .parameter("/rancher/ms/secret"))
        server.form = .external(external)
        expectGolden(server.userData().rendered, named: "Rancher/server-external.sh")
        #expect(server.ports == [8080, 8081])
        server.isFirst = false
        #expect(!server.userData().rendered.contains("websocket-proxy"))
    }
}

extension Text {
    /// As it is sent: holes are filled with what a test can tell again.
    var rendered: String {
        do {
            guard case .deferred(let deferred) = value else { return value.string ?? "" }
            return try Evaluator.evaluate(deferred.expression) { leaf in
                switch leaf {
                case .output(let output) where output.output == "registration_url":
                    .string("http://rancher.test:8080/v1/projects/1a5/scripts/TOKEN:1483142400000:abc")
                case .output(let output) where output.output == "place": "ssm:/rancher/registration-url"
                case .output(let output): .string("\(output.address.name).\(output.output).test")
                case .secret(let secret): .string("it's the \(secret.name)")
                default: nil
                }
            }.string ?? "not known"
        } catch {
            return "\(error)"
        }
    }
}

extension Value {
    static func output(_ address: Address, _ name: String) -> Value {
        .deferred(Deferred(.output(OutputReference(address, name))))
    }
}
