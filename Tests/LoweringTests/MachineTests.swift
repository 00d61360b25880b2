import Diagnostics
import Lowering
import MusterModel
import TestSupport
import Testing

/// What machines are given to run, by the forms of `control_nodes` and `autoscaling_groups`.
@Suite("User data is rendered, and checked before it is")
struct MachineTests {
    static let node = "ami: ami-1, instance_type: m5.large, subnets: [subnet-a]"

    static let forms: [(name: String, yaml: String)] = [
        (
            "rancher-agent",
            """
            variables:
              slack: { type: string, secret: "ssm:/slack/ops" }
              key: { type: string, secret: env:KEY }
            autoscaling_groups:
              workers:
                min_size: 1
                max_size: 2
                subnets: [subnet-a]
                launch: { ami: ami-1, instance_type: m5.large }
                rancher_agent:
                  registration_url: ${aws.eip.rancher.public_ip}/v1/scripts/x
                  labels: { role: celery, zone: "${aws.eip.rancher.id}" }
                  before_join: |
                    yum install -y docker
                    service docker start
                  leave:
                    access_key: { ssm: /rancher/access }
                    secret_key: ${var.key}
                    timeouts: { evacuate: 300 }
                    report: { slack: "${var.slack}" }
            """
        ),
        (
            "rancher-server",
            """
            resources: { aws.db_instance: { rancher: { identifier: r } } }
            control_nodes:
              rancher:
                count: 2
                ami: ami-1
                instance_type: m5.large
                subnets: [subnet-a]
                rancher_server:
                  database: rancher
                  db_password: { secretsmanager: "${aws.db_instance.rancher.secret_arn}", key: password }
            """
        ),
        (
            "rancheros",
            """
            control_nodes:
              os:
                ami: ami-1
                instance_type: m5.large
                subnets: [subnet-a]
                rancheros:
                  hostname: os-1
                  ssh_authorized_keys: [ssh-rsa AAAA operator]
                  write_files:
                    - path: /etc/motd
                      permissions: 0644
                      content: |
                        Welcome,

                          to RancherOS.
                    - { path: /etc/id, content: "${aws.eip.rancher.id}" }
                  runcmd:
                    - "echo 'yes: no' > /tmp/x"
                    - [touch, /tmp/y]
                  mounts: [[/dev/xvdf, /data, ext4, ""]]
                  rancher:
                    services:
                      web: { image: "nginx:1.11", ports: ["80:80"], restart: always, environment: { MODE: "yes", N: "012" } }
                    network:
                      interfaces: { eth0: { address: 172.16.1.10/24, gateway: 172.16.1.1, mtu: 1500, dhcp: false } }
                      dns: { nameservers: [8.8.8.8], search: [example.com] }
                    docker: { args: [daemon, "--log-driver=json-file"], tls: true }
                rancher_agent:
                  registration_url: http://rancher.test:8080/v1/scripts/x
                  labels: { role: web }
            """
        ),
        (
            "swarm-node",
            """
            autoscaling_groups:
              swarm:
                min_size: 1
                max_size: 2
                subnets: [subnet-a]
                launch: { ami: ami-1, instance_type: m5.large }
                tags: { docker.environment: prod, docker.role: web, example.db.host: "${aws.eip.db.public_ip}", Plain: x }
                swarm_node:
                  consul: consul.example.com:8500
                  role: both
                  registry: { address: "registry.example.com:5000", username: ci, password: secret, insecure: true }
            control_nodes:
              old:
                ami: ami-1
                instance_type: m5.large
                subnets: [subnet-a]
                tags: { docker.role: db, Plain: x }
                rancheros: { hostname: old }
                swarm_node:
                  consul: consul.example.com:8500
                  tags: [docker.role, Team]
                  os_version: 0.6.1
                  registry_mirror: http://mirror.example.com
            """
        ),
        (
            "rancher-environment",
            """
            rancher:
              main:
                url: https://rancher.test
                environments:
                  prod:
                    registration_token: { secret_to: ssm:/prod/registration-url }
                    api_keys: { leave: { secret_to: "ssm:/prod/leave-key" } }
            iam:
              host:
                assume_role: ec2.amazonaws.com
                inline_policies:
                  join: { Statement: [{ Effect: Allow, Action: "ssm:Get*", Resource: "arn:aws:ssm:*:*:parameter/prod/*" }] }
            control_nodes:
              worker:
                ami: ami-1
                instance_type: m5.large
                subnets: [subnet-a]
                iam_instance_profile: host
                rancher_agent:
                  environment: prod
                  leave:
                    access_key: ${rancher.api_key["prod/leave"].access_key}
                    secret_key: { ssm: /prod/leave-key }
            """
        ),
        (
            "spot",
            """
            variables:
              url: { type: string, secret: env:URL }
            spot:
              shell:
                capacity: { minimum: 1, maximum: 2 }
                instance_types: { on_demand: m5.large, spot: [m5.large] }
                subnets: [subnet-a]
                launch: { ami: ami-1, security_groups: [sg-1] }
                rancher_agent: { registration_url: "${var.url}", labels: { role: spot } }
              cloud-config:
                capacity: { minimum: 1, maximum: 2 }
                instance_types: { on_demand: m5.large, spot: [m5.large] }
                subnets: [subnet-a]
                launch: { ami: ami-1, security_groups: [sg-1] }
                rancheros: { hostname: spot }
                rancher_agent: { registration_url: "http://rancher.test:8080/v1/scripts/x", labels: { role: spot } }
            """
        ),
    ]

    @Test("Every form is rendered", arguments: forms.map(\.name))
    func form(name: String) throws {
        let yaml = try #require(MachineTests.forms.first { $0.name == name }).yaml
        let spec = SpecText(yaml, tags: ["Team": "ops"], region: "us-east-1")
        let rendered = spec.lower().declarations.compactMap(\.renderedUserData)
        expectGolden(
            "\(yaml)\n---\n\(spec.complaints)\(rendered.joined(separator: "\n"))", named: "Machines/\(name).txt")
    }

    static let complaints: [(name: String, yaml: String)] = [
        (
            "agent",
            """
            control_nodes:
              labels:
                \(indented)
                rancher_agent:
                  registration_url: http://rancher.test/v1/scripts/x
                  labels: { "bad key": x, -x: y, fine: " blank", line: "a\\nb", instance-id: i, io.rancher.host.kvm: "1" }
              url:
                \(indented)
                rancher_agent: { registration_url: "http://rancher.test/v1" }
              self:
                \(indented)
                rancher_agent: { registration_url: "http://127.0.0.1:8080/v1/scripts/x" }
              version:
                \(indented)
                rancher_agent: { registration_url: "http://r/v1/scripts/x", image: registry.test/agent, agent_ip: 127.0.0.1 }
              odd:
                \(indented)
                rancher_agent: { registration_url: "http://r/v1/scripts/x", version: newest }
              keys:
                \(indented)
                rancher_agent:
                  registration_url: http://r/v1/scripts/x
                  leave: { access_key: { ssm: /a, file: /b }, secret_key: { file: relative } }
              both:
                \(indented)
                user_data: x
                rancher_agent: { registration_url: "http://r/v1/scripts/x" }
            autoscaling_groups:
              elsewhere:
                min_size: 1
                max_size: 2
                subnets: [subnet-a]
                launch_configuration: old
                rancher_agent: { registration_url: "http://r/v1/scripts/x" }
              both:
                min_size: 1
                max_size: 2
                subnets: [subnet-a]
                launch: { ami: ami-1, instance_type: m5.large, user_data: x }
                rancher_agent: { registration_url: "http://r/v1/scripts/x" }
            """
        ),
        (
            "environment",
            """
            rancher:
              main:
                url: https://rancher.test
                environments:
                  prod: { registration_token: { secret_to: "secretsmanager:prod/registration-url" } }
                  bare: {}
                  filed: { registration_token: { secret_to: file:keys/url } }
                  unplaced: { registration_token: true }
            iam:
              nothing: { assume_role: ec2.amazonaws.com }
              other:
                assume_role: ec2.amazonaws.com
                inline_policies:
                  a: { Statement: { Effect: Allow, Action: "secretsmanager:GetSecretValue", Resource: "arn:aws:secretsmanager:*:*:secret:dev/*" } }
                  b: { Statement: { Effect: Deny, Action: "*", Resource: "*" } }
              right:
                assume_role: ec2.amazonaws.com
                inline_policies:
                  a: { Statement: [{ Effect: Allow, Action: ["s3:*", "secretsmanager:Get*"], Resource: "arn:aws:secretsmanager:*:*:secret:prod/registration-url-??????" }] }
              elsewhere:
                assume_role: ec2.amazonaws.com
                managed_policies: ["arn:aws:iam::aws:policy/SecretsManagerReadWrite"]
            control_nodes:
              powerless:
                \(indented)
                rancher_agent: { environment: prod }
              refused:
                \(indented)
                iam_instance_profile: nothing
                rancher_agent: { environment: prod }
              astray:
                \(indented)
                iam_instance_profile: other
                rancher_agent: { environment: "prod:prod" }
              fine:
                \(indented)
                iam_instance_profile: right
                rancher_agent: { environment: prod }
              trusted:
                \(indented)
                iam_instance_profile: elsewhere
                rancher_agent: { environment: prod }
              bare:
                \(indented)
                rancher_agent: { environment: bare }
              filed:
                \(indented)
                rancher_agent: { environment: filed }
              unplaced:
                \(indented)
                rancher_agent: { environment: unplaced }
              id:
                \(indented)
                rancher_agent:
                  environment: ${rancher.environment["prod"].id}
              both:
                \(indented)
                iam_instance_profile: right
                rancher_agent: { environment: prod, registration_url: "http://r/v1/scripts/x" }
              neither:
                \(indented)
                rancher_agent: { labels: { role: web } }
              rancheros:
                \(indented)
                rancheros: {}
                rancher_agent: { environment: prod }
            """
        ),
        (
            "server",
            """
            control_nodes:
              new:
                \(indented)
                rancher_server: { db_host: db, db_password: x, zookeeper: [z], environment: { 1x: y } }
              old:
                \(indented)
                rancher_server: { image: "rancher/server:v1.1.4", db_host: db, db_password: x, redis: { hosts: ["r:6379"] } }
              nobody:
                \(indented)
                rancher_server: { image: rancher/server, db_host: db, db_password: x }
            """
        ),
        (
            "ports",
            """
            security_groups:
              alb: { vpc: vpc-1 }
              nodes:
                vpc: vpc-1
                ingress: [{ port: 8080, from: [any] }, { port: 9345, from: [alb] }]
              strict:
                vpc: vpc-1
                ingress: [{ ports: 8000-9999, from: [self] }]
                egress: [{ port: 443, to: [any] }]
              open:
                vpc: vpc-1
                ingress: [{ protocol: all, from: [self] }]
            control_nodes:
              closed:
                count: 2
                \(indented)
                security_groups: [nodes]
                rancher_server: { db_host: db, db_password: x }
              silent:
                count: 2
                \(indented)
                security_groups: [strict]
                rancher_server: { db_host: db, db_password: x }
              fine:
                count: 3
                \(indented)
                security_groups: [nodes, open]
                rancher_server: { db_host: db, db_password: x }
              alone:
                \(indented)
                security_groups: [nodes]
                rancher_server: { db_host: db, db_password: x }
              elsewhere:
                count: 2
                \(indented)
                security_groups: [nodes, sg-0a1b2c3d]
                rancher_server: { db_host: db, db_password: x }
            """
        ),
        (
            "rancheros",
            """
            control_nodes:
              keys:
                \(indented)
                rancheros:
                  packages: [curl]
                  hostname: "not a name"
                  write_files: [{ path: relative, permissions: rw, content: x, encoding: rot13 }]
                  rancher:
                    consol: ubuntu
                    network: { interfaces: { eth0: { adress: 10.0.0.1/24, gateway: router } } }
                    docker: { args: daemon, engin: x }
                    services: { web: { imag: x } }
              rules:
                \(indented)
                rancheros:
                  mounts: [[/dev/xvdf, /data]]
                  runcmd: [{ run: x }, [a, [b]]]
                  rancher:
                    network: { interfaces: { eth0: { dhcp: true, address: 10.0.0.1/24 } } }
                    docker: { args: [daemon], extra_args: [--debug] }
              agent:
                \(indented)
                rancheros: {}
                rancher_agent:
                  registration_url: http://r/v1/scripts/x
                  init: sysv
                  leave: { access_key: a, secret_key: b }
              swarm:
                \(indented)
                tags: { docker.role: web }
                swarm_node:
                  consul: http://consul:8500
                  tags: [docker.rol]
                  os_version: new
                  registry: { address: "https://registry", username: ci }
              two:
                \(indented)
                swarm_node: { consul: "c:8500" }
                rancher_agent: { registration_url: "http://r/v1/scripts/x" }
            """
        ),
    ]

    @Test("Hosts that muster does not make are rendered from the same forms")
    func hosts() throws {
        let spec = SpecText(
            """
            hosts:
              edge-1:
                rancheros: { rancher: { network: { dns: { nameservers: [172.16.1.1] } } } }
                rancher_agent: { registration_url: "http://r/v1/scripts/x", agent_ip: 172.16.1.10, labels: { site: edge } }
              wrong: { rancher_agent: { registration_url: "http://r/v1/scripts/x", agent_ip: private } }
              twice: { hostname: a, rancheros: { hostname: b } }
            """)
        #expect(spec.lower().declarations.isEmpty)
        let definition = try #require(spec.definitions.first { $0.name == "edge-1" })
        #expect(Lowering.joinsRancher(definition))
        let host = try #require(Lowering.render(host: definition, identity: nil))
        #expect(host.hostName == "edge-1")
        expectGolden("\(spec.complaints)---\n\(host.userData.string ?? "")", named: "Machines/hosts.txt")
    }

    private static let indented = "ami: ami-1\n    instance_type: m5.large\n    subnets: [subnet-a]"

    @Test("Bad input gets an answer", arguments: complaints.map(\.name))
    func complaint(name: String) throws {
        let yaml = try #require(MachineTests.complaints.first { $0.name == name }).yaml
        expectGolden("\(yaml)\n---\n\(SpecText(yaml).complaints)", named: "Machines/bad-\(name).txt")
    }

    // MARK: Size

    private static func fleet(_ script: String, reader: String = "cloud-init") -> String {
        """
        control_nodes:
          n:
            \(indented)
            rancher_agent:
              registration_url: http://r/v1/scripts/x
              user_data_reader: \(reader)
              before_join: "\(script)"
        """
    }

    @Test("User data over 16 KiB are compressed where the image undoes that")
    func compression() throws {
        let spec = SpecText(MachineTests.fleet(String(repeating: "echo hello; ", count: 2000))).lower()
        #expect(spec.diagnostics.isEmpty)
        let arguments = try #require(spec.declarations.first).arguments
        #expect(arguments["user_data"] == nil)
        #expect(try #require(arguments["user_data_base64"]?.string).utf8.count < 8000)
    }

    @Test("What is known later is compressed later")
    func laterCompression() throws {
        let script = String(repeating: "echo hello; ", count: 2000) + "${aws.eip.x.id}"
        let spec = SpecText(MachineTests.fleet(script)).lower()
        #expect(spec.diagnostics.isEmpty)
        let value = try #require(spec.declarations.first?.arguments["user_data_base64"]?.deferred)
        guard case .call("base64_gzip", _) = value.expression else {
            Issue.record("\(value.expression)")
            return
        }
    }

    @Test("Where nothing undoes it, and where it is not enough, the size is said")
    func tooMuch() {
        let long = String(repeating: "echo hello; ", count: 2000)
        let said = SpecText(MachineTests.fleet(long, reader: "other")).complaints
        #expect(said.contains("AWS takes 16384 bytes of user data; these have 2"))
        var generator = SeededGenerator(seed: 1)
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        let noise = String((0..<40_000).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
        #expect(SpecText(MachineTests.fleet(noise)).complaints.contains("and compressed"))
        let plain = SpecText("control_nodes: { n: { \(MachineTests.node), user_data: \"\(long)\" } }").complaints
        #expect(plain.contains("these have 24000") && plain.contains("base64_gzip"))
    }
}

extension Declaration {
    /// The user data with holes as `‹…›`; nil when there are none.
    fileprivate var renderedUserData: String? {
        if let value = arguments["user_data_base64"] { return "\(address) in base64\n\(value)\n" }
        guard let value = arguments["user_data"] else { return nil }
        guard case .deferred(let deferred) = value, case .template(let parts) = deferred.expression else {
            return "\(address)\n\(value.string ?? "\(value)")"
        }
        let text = parts.map { part in
            if case .literal(let value) = part { value.string ?? "\(value)" } else { "‹\(part.sourceText)›" }
        }
        return "\(address)\n\(text.joined())"
    }
}
