import Diagnostics
import Lowering
import MusterModel
import TestSupport
import Testing

/// What a reader expects of each form, as goldens: the resources, and the line and column of every argument.
@Suite("Sections become primitive resources")
struct SectionTests {
    @Test("Every example lowers without a complaint", arguments: Lowering.sections.map(\.name))
    func example(of name: String) throws {
        let section = try #require(Lowering.sections.first { $0.name == name })
        // Names of nodes and load balancers need a zone to stand in, as the platform has it.
        let zone = "\nresources: { aws.hosted_zone: { net: { name: tastycidr.net } } }\n"
        let hasName = section.example.contains("dns: ")
        let spec = SpecText(section.example + (hasName ? zone : ""))
        #expect(spec.complaints == "")
        #expect(spec.definitions.count > 0)
        expectGolden(spec.lowered, named: "Examples/\(name).txt")
    }

    @Test("Section names are unique, and every section has an example")
    func names() {
        #expect(Set(Lowering.sections.map(\.name)).count == Lowering.sections.count)
        for section in Lowering.sections {
            #expect(section.example.hasPrefix("\(section.name):\n"))
            // Hosts are what muster does not make.
            #expect(section.principalTypes.isEmpty == (section.name == "hosts"))
            #expect(Set(section.fields.map(\.name)).count == section.fields.count)
        }
    }

    static let forms: [(name: String, yaml: String)] = [
        (
            "rds",
            """
            variables: { db_password: { type: string, secret: env:DB_PASSWORD } }
            resources: { aws.hosted_zone: { net: { name: tastycidr.net } } }
            rds:
              main:
                name: prod-main
                engine: postgres
                engine_version: "16.4"
                instance_class: db.t3.micro
                allocated_storage: 20
                storage_encrypted: false
                username: admin
                password: ${var.db_password}
                subnets: [a, subnet-0a1b2c3d]
                security_groups: [sg-0a1b2c3d, db]
                parameters:
                  rds.force_ssl: { value: 1, apply_method: pending-reboot }
                  log_statement: all
                  work_mem: 4096
                tags: { Team: data }
                dns: { name: db.tastycidr.net., ttl: 30, zone: net }
                lifecycle: { prevent_destroy: true, ignore_changes: [security_groups] }
              reader:
                replicate_source_db: main
                instance_class: db.t3.micro
                dns: reader.tastycidr.net
              restored:
                instance_class: db.t3.micro
                snapshot_identifier: last
                parameter_group_name: default.postgres16
                db_subnet_group_name: default
              shared:
                engine: mysql
                engine_version: "8"
                parameter_group_family: mysql8.0
                instance_class: db.t3.micro
                allocated_storage: 20
                username: admin
                manage_master_user_password: true
                parameters: { wait_timeout: null }
            """
        ),
        (
            "elasticache",
            """
            variables: { token: { type: string, secret: env:TOKEN } }
            resources: { aws.hosted_zone: { net: { name: tastycidr.net } } }
            elasticache:
              shards:
                name: prod-shards
                node_type: cache.t3.micro
                num_node_groups: 2
                auth_token: ${var.token}
                subnets: [a, b]
                security_groups: [cache]
                at_rest_encryption_enabled: false
                tags: { Team: data }
                log_delivery_configuration:
                  - { log_type: slow-log, destination: slow, destination_type: cloudwatch-logs, log_format: json }
                dns: { name: shards.tastycidr.net, ttl: 5 }
              elsewhere: { node_type: cache.t3.micro, subnet_group_name: default }
            """
        ),
        (
            "vpc-long-forms",
            """
            vpc:
              main:
                cidr_block: 10.0.0.0/16
                assign_generated_ipv6_cidr_block: true
                name: tastycidr
                tags: { Owner: ops }
                lifecycle: { prevent_destroy: true }
                internet_gateway: { name: door, tags: { Side: out } }
                subnets:
                  a: { cidr_block: 10.0.0.0/24, name: first, tags: { Tier: web, Team: null } }
                  b: { cidr_block: 10.0.1.0/24, route_table: rtb-0a1b2c3d }
                  c: { cidr_block: 10.0.2.0/24, route_table: public }
                nat_gateways:
                  given: { subnet: a, allocation_id: spare }
                  inner: { subnet: b, connectivity_type: private }
                  outside: { subnet: subnet-0a1b2c3d, name: nat, tags: { Side: out } }
                route_tables:
                  public:
                    subnets: [a, c, subnet-0f0f0f0f]
                    routes:
                      - { destination: 0.0.0.0/0, to: internet_gateway }
                      - { destination: "2001:0DB8::/32", to: internet_gateway }
                      - { destination: pl-63a5400a, to: tgw-0a1b2c3d }
                      - { destination: 10.1.0.0/16, to: pcx-0a1b2c3d }
                      - { destination: 10.2.0.0/16, nat_gateway_id: given }
                      - { destination: "${vpc.other.cidr_block}", vpc_peering_connection_id: pcx-0a1b2c3d }
                      - { destination_cidr_block: 10.3.0.0/16, network_interface_id: eni-0a1b2c3d }
                      - { destination_prefix_list_id: "${aws.vpc_endpoint.s3.prefix_list_id}", gateway_id: igw-0a1b2c3d }
                  empty: {}
                network_acls:
                  web:
                    subnets: [a]
                    ingress:
                      - { rule_number: 1, action: allow, port: 443, cidr_block: 0.0.0.0/0 }
                      - { rule_number: 2, action: allow, protocol: udp, from_port: 53, to_port: 54, ipv6_cidr_block: "::/0" }
                      - { rule_number: 3, action: allow, protocol: icmp, icmp_type: 3, icmp_code: 4, cidr_block: 0.0.0.0/0 }
                      - { rule_number: 4, action: deny, protocol: "6", ports: 22, cidr_block: 0.0.0.0/0 }
                    egress: []
                  nobody: { subnets: [] }
                endpoints:
                  ecr:
                    service: com.amazonaws.us-east-1.ecr.dkr
                    subnets: [a, b]
                    security_groups: [endpoints]
                    private_dns_enabled: true
                  s3:
                    service: s3
                    route_tables: [public, rtb-0a1b2c3d]
                    policy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: "*", Action: "*", Resource: "*" }] }
            """
        ),
        (
            "platform",
            """
            lookups: { hosted_zones: { net: { name: tastycidr.net } } }
            security_groups:
              prod-rancher-alb: { vpc: main, ingress: [{ port: 443, from: [any] }] }
              prod-rancher: { vpc: main, ingress: [{ port: 8080, from: [prod-rancher-alb] }, { ports: 9345-9346, from: [self] }] }
              prod-rds: { vpc: main, ingress: [{ port: 3306, from: [10.8.0.0/16, prod-rancher] }] }
            control_nodes:
              prod-rancherctl:
                count: 3
                name: "prod-rancherctl${index}"
                dns: "prod-rancherctl${index}.tastycidr.net"
                ami: ami-0f8bce65
                instance_type: m5.large
                subnets: [prod-a, prod-b]
                iam_instance_profile: prod-rancher
            """
        ),
        (
            "fleets",
            """
            lookups: { amis: { host: { name: "host_*" } } }
            autoscaling_groups:
              celery:
                name: prod-celery
                min_size: 1
                max_size: 5
                desired_capacity: { initial: 2 }
                subnets: [a, subnet-0a1b2c3d]
                target_groups: [web]
                health_check_type: ELB
                termination_policies: [OldestInstance]
                suspended_processes: [AZRebalance]
                tag: [{ key: Backup, value: no, propagate_at_launch: false }]
                launch:
                  name: prod-celery-launch
                  ami: host
                  instance_type: m5.large
                  associate_public_ip_address: true
                  security_groups: [hosts]
                  root_volume: { size: 20, type: gp3, encrypted: true }
                  ebs_block_devices: [{ device_name: /dev/sdf, volume_size: 10 }]
                  ephemeral_block_devices: [{ device_name: /dev/sdb, virtual_name: ephemeral0 }]
                  metadata_options: { http_tokens: required }
                  update_default_version: true
                mixed_instances:
                  override: [{ instance_type: m5.large }, { instance_type: m5a.large, weighted_capacity: "1" }]
                  on_demand_percentage_above_base_capacity: 50
                instance_refresh: true
                scaling_policies:
                  steps:
                    steps: [{ from: 0, to: 10, adjustment: 1 }, { from: 10, adjustment: 3 }]
                    estimated_instance_warmup: 60
                    alarms:
                      busy: { metric: CPUUtilization, above: 70, actions: [ops] }
                      long: { name: queue, metric: Length, namespace: Celery, threshold: 100, comparison_operator: GreaterThanThreshold, dimensions: { Queue: a }, ok_actions: ["arn:aws:sns:us-east-1:123456789012:t"] }
                  cpu: { target: 60, metric: ASGAverageCPUUtilization, disable_scale_in: true }
                  queue: { target: 10, metric: { metric_name: Length, namespace: Celery, statistic: Sum, dimensions: { Queue: a } } }
                schedule:
                  night: { start_time: "2030-01-01T00:00:00Z", desired_capacity: 1 }
                lifecycle_hooks: {}
              plain:
                min_size: 0
                max_size: 1
                subnets: [a]
                launch_template: { id: shared, version: "3" }
                instance_refresh: { auto_rollback: false, triggers: [tags], strategy: Rolling, checkpoint_percentages: [50, 100], alarms: [queue] }
              old: { min_size: 0, max_size: 1, subnets: [a], launch_configuration: shared }
              expression:
                min_size: 0
                max_size: 1
                subnets: [a]
                launch: { ami: "${lookup.amis.host.id}", instance_type: t3.micro, spot_price: "0.01", root_volume: { size: 8 } }
            """
        ),
        (
            "security-group-sources",
            """
            security_groups:
              web:
                vpc: main
                name: prod-web
                description: Web
                tags: { Name: other }
                ingress:
                  - { port: 80, from: ["2001:0DB8:0::/48", 10.0.0.0/8, pl-63a5400a, sg-0a1b2c3d, web, "prod/shared:bastion"] }
                  - { protocol: all, from: [self] }
                  - { protocol: "-1", from_port: 0, to_port: 0, from: [db] }
                  - { protocol: "6", ports: 1000-2000, from: [db] }
                  - { protocol: icmp, from: [any] }
                  - { protocol: icmpv6, icmp_type: 128, icmp_code: 0, from: [any] }
                  - { protocol: "50", from: [10.0.0.0/8], tags: { Use: vpn } }
                  - { port: 22, from: ["${security_groups.ops.id}", "${aws.eip.vpn.public_ip}/32", "${vpc.other.cidr_block}"] }
                  - { port: 23, cidr_ipv4: "${aws.eip.vpn.range}" }
                  - { port: 24, referenced_security_group_id: ops }
                egress:
                  - { protocol: all, to: [0.0.0.0/0] }
                  - { port: 25, to: [10.0.0.0/8] }
            """
        ),
        (
            "load-balancers",
            """
            dns: { tastycidr.net: { hosted_zone: {} } }
            alb:
              web:
                name: front
                subnets: [subnet-a, subnet-b]
                security_groups: [web]
                internal: true
                ip_address_type: dualstack
                http2: false
                enable_waf_fail_open: true
                access_logs: { bucket: logs }
                minimum_load_balancer_capacity: { capacity_units: 200 }
                dns: [web.tastycidr.net, { name: www.tastycidr.net, zone: Z1, evaluate_target_health: true }]
                tags: { Team: a }
                depends_on: ["aws.vpc.main"]
                listeners:
                  - port: 443
                    certificate: "arn:aws:acm:us-east-1:123456789012:certificate/1"
                    certificates: [other, "arn:aws:acm:us-east-1:123456789012:certificate/2"]
                    ssl_policy: ELBSecurityPolicy-TLS13-1-2-2021-06
                    mutual_authentication: { mode: passthrough }
                    routing_http_response_server_enabled: false
                    authenticate_oidc:
                      issuer: "https://id.example"
                      authorization_endpoint: "https://id.example/auth"
                      token_endpoint: "https://id.example/token"
                      user_info_endpoint: "https://id.example/me"
                      client_id: muster
                      client_secret: geheim
                    forward: [{ target_group: blue, weight: 90 }, { target_group: green, weight: 10 }, red]
                    rules:
                      - priority: 10
                        name: api
                        host: [api.tastycidr.net, "*.api.tastycidr.net"]
                        path: /v1/*
                        headers: { X-Version: 2 }
                        query: { debug: [on, yes] }
                        forward: "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/a/1"
                        tags: { Team: b }
                      - { priority: 20, method: GET, source_ip: 10.0.0.0/8, fixed_response: 404 }
                      - priority: 30
                        condition: [{ query_string: [{ value: "*old*" }] }]
                        redirect: { host: new.example, status_code: 302 }
                      - priority: 40
                        path: /sticky
                        forward: { target_groups: [blue, green], stickiness: { enabled: true, duration: 600 } }
                      - priority: 50
                        path: /verbatim
                        action: [{ type: forward, target_group_arn: blue }]
                  - { port: 80, name: plain, redirect: https, rules: [] }
                  - { port: 8080, fixed_response: { status_code: 503, message_body: Later, content_type: text/html } }
                  - { port: 8081, default_action: [{ type: fixed-response, fixed_response: { status_code: "200" } }] }
              tcp:
                load_balancer_type: network
                subnet_mapping: [{ subnet_id: subnet-a, allocation_id: front }]
                cross_zone_load_balancing: true
                lifecycle: { ignore_changes: [http2, security_groups] }
                listeners: [{ port: 6443, protocol: TCP, forward: blue, tcp_idle_timeout_seconds: 600 }]
            target_groups:
              blue:
                vpc: vpc-1
                port: 8080
                protocol: HTTP
                health_check: { path: /ping, port: 8081, interval: 10 }
                stickiness: { type: lb_cookie, cookie_duration: 60 }
                targets: [node1, i-0a1b2c3d, { target: node2, port: 9090, wait_for_healthy: true }, 10.0.0.1, "${aws.instance.x.id}"]
              function: { target_type: lambda, lambda_multi_value_headers_enabled: true }
            """
        ),
        (
            "control-nodes",
            """
            lookups:
              hosted_zones: { net: { name: tastycidr.net } }
              amis: { container-host: { name: "host-*" } }
            control_nodes:
              one:
                ami: container-host
                instance_type: m5.large
                subnets: [prod-a]
                name: "solo"
                root_block_device: { volume_size: 40, kms_key_id: null }
                ebs_block_devices: [{ device_name: /dev/sdf, volume_size: 100 }]
                ephemeral_block_devices: [{ device_name: /dev/sdb, virtual_name: ephemeral0 }]
                tags: { Name: null, Usage: control }
                lifecycle: { ignore_changes: [user_data, security_groups] }
                dns: { name: solo.tastycidr.net., type: A, ttl: 30, zone: "net:tastycidr.net", target: public_ip }
              two:
                ami: ami-0f8bce65
                instance_type: m5.large
                subnets: [prod-a, "${aws.subnet.x.id}", subnet-0a1b2c3d]
                dns: { name: two.tastycidr.net, zone: Z0123456789 }
            """
        ),
        (
            "iam",
            """
            iam:
              plain:
                name: prod-plain
                path: /prod/
                assume_role_policy: { Version: "2012-10-17", Statement: [] }
                max_session_duration: 7200
                tags: { Team: ops }
              several:
                assume_role: [ec2.amazonaws.com, lambda.amazonaws.com, "123456789012", "arn:aws:iam::210987654321:role/ci", "${aws.iam_role.ci.arn}"]
                managed_policies:
                  - arn:aws:iam::aws:policy/service-role/AmazonEC2RoleforSSM
                  - arn:aws:iam::123456789012:policy/AmazonEC2RoleforSSM
                  - ${aws.iam_policy.backups.arn}
                instance_profile: { name: several-profile, path: /x/, tags: { Team: dev } }
                tags: { Team: ops }
              quiet:
                assume_role: ec2.amazonaws.com
                instance_profile: false
                inline_policies: {}
            """
        ),
        (
            "dns",
            """
            dns:
              tastycidr.net: { hosted_zone: {} }
              inside:
                name: tastycidr.net.
                hosted_zone: { comment: Inside, vpcs: [main], force_destroy: true, tags: { Side: in } }
              eu.tastycidr.net: { hosted_zone: { vpc: [{ vpc_id: main, vpc_region: eu-west-1 }] } }
              "*.eu.tastycidr.net": { type: CNAME, value: www.eu.tastycidr.net }
              www.eu.tastycidr.net.: { alias: { name: lb.example.com, zone_id: Z35SXDOTRQ7X7K } }
              mail: { name: Eu.TastyCIDR.net, type: MX, ttl: 60, records: [10 mx1.example.com, 20 mx2.example.com] }
              elsewhere.example.com: { type: A, zone: example.com, value: "${aws.eip.vpn.public_ip}" }
              main.tastycidr.net: { type: AAAA, zone: Z0123456789, records: ["2001:db8::1"], health_check_id: abc }
            """
        ),
        (
            "resources",
            """
            resources:
              aws.eip:
                bastion: { domain: vpc, address: null, tags: { Name: bastion, Team: null } }
              aws.route:
                extra: { route_table_id: "${aws.route_table.public.id}", destination_cidr_block: 10.9.0.0/16, gateway_id: igw-0a1b2c3d }
            """
        ),
    ]

    @Test("Every form means what a reader expects", arguments: forms.map(\.name))
    func form(name: String) throws {
        let form = try #require(SectionTests.forms.first { $0.name == name })
        let spec = SpecText(form.yaml, tags: ["ManagedBy": "muster", "Team": "platform"], region: "us-east-1")
        expectGolden("\(form.yaml)\n---\n\(spec.lowered)", named: "Forms/\(name).txt")
    }

    @Test("Order edges hold for all that a definition makes; lifecycle and timeouts for the principal resource")
    func principal() throws {
        var definition = try #require(
            SpecText("iam: { r: { assume_role: ec2.amazonaws.com, inline_policies: { p: {} } } }").definitions.first)
        let first = Reference(.path([.name("vpc"), .name("main")]), stack: "prod", range: nil)
        definition.dependsOn = [first]
        definition.lifecycle = Lifecycle(preventDestroy: true, createBeforeDestroy: true)
        definition.timeouts = Timeouts(create: 1)
        let (declarations, _) = Lowering.lower([definition], catalog: .forTests)
        #expect(declarations.count == 3)
        for declaration in declarations {
            let isPrincipal = declaration.address.type == "aws.iam_role"
            #expect(declaration.dependsOn.first == first)
            #expect(declaration.lifecycle == (isPrincipal ? definition.lifecycle : Lifecycle()))
            #expect(declaration.timeouts == (isPrincipal ? definition.timeouts : nil))
        }
    }

    @Test("A record goes into the zone of its own stack, then of those that the stack uses, then of any")
    func nearestZone() {
        let record = SpecText("dns: { a.net: { type: A, value: 10.0.0.1 } }", stack: "app").definitions
        func zone(_ stacks: [String], uses: [String]) -> [String] {
            let zones = stacks.flatMap { SpecText("dns: { net: { hosted_zone: {} } }", stack: $0).definitions }
            let (declarations, diagnostics) = Lowering.lower(
                record + zones, uses: ["app": uses], catalog: .forTests)
            let found = declarations.first { $0.address.type == "aws.dns_record" }?.arguments["zone_id"]
            return found?.deferred?.outputs.map(\.address.stack) ?? diagnostics.map(\.summary)
        }
        #expect(zone(["app", "one"], uses: ["one"]) == ["app"])
        #expect(zone(["one", "two"], uses: ["two"]) == ["two"])
        #expect(zone(["one"], uses: []) == ["one"])
        #expect(zone(["one", "two"], uses: []) == ["Several hosted zones"])
        #expect(zone([], uses: []) == ["No hosted zone"])
    }

    @Test("A lookup is a zone for its own stack alone, under its name if it gives none")
    func lookedUpZone() {
        let record = SpecText("dns: { a.tastycidr.net.: { type: A, value: 10.0.0.1 } }", stack: "app").definitions
        func lookup(_ stack: String) -> LookupRequest {
            LookupRequest(
                address: Address(stack: stack, type: "lookup.hosted_zones", name: "tastycidr.net"),
                kind: "hosted_zones", arguments: [:])
        }
        let (found, _) = Lowering.lower(record, lookups: [lookup("app")], catalog: .forTests)
        #expect(found.first?.arguments["zone_id"]?.deferred?.outputs.map(\.address) == [lookup("app").address])
        let (_, diagnostics) = Lowering.lower(record, lookups: [lookup("other")], catalog: .forTests)
        #expect(diagnostics.map(\.summary) == ["No hosted zone"])
    }

    @Test("The order of rules changes no resource, and a new rule touches no other")
    func stableNames() {
        func rules(_ list: String) -> [Address] {
            SpecText("security_groups: { db: { vpc: main, ingress: [\(list)] } }").lower().declarations
                .map(\.address).sorted()
        }
        let first = "{ port: 3306, from: [10.0.0.0/8, app] }"
        let second = "{ port: 22, from: [bastion] }"
        #expect(rules("\(first), \(second)") == rules("\(second), \(first)"))
        #expect(Set(rules(first)).isSubset(of: rules("\(second), \(first)")))
    }

    @Test("Nodes are spread over the subnets, and any of the subnets is as good for a node that exists")
    func placement() {
        let yaml = """
            control_nodes:
              node: { count: 5, name: "n${index}", ami: ami-1, instance_type: m5.large, subnets: [subnet-a, subnet-b, subnet-c] }
            """
        let (nodes, _) = SpecText(yaml).lower()
        #expect(
            nodes.map { $0.arguments["subnet_id"] } == ["subnet-a", "subnet-b", "subnet-c", "subnet-a", "subnet-b"])
        #expect(nodes.allSatisfy { $0.candidates["subnet_id"] == ["subnet-a", "subnet-b", "subnet-c"] })
        #expect(Set(nodes.map(\.serialGroup)) == ["prod:control_nodes/node"])
    }

    @Test("Lowering the same definitions again gives the same resources in the same order")
    func determinism() {
        for form in SectionTests.forms { #expect(SpecText(form.yaml).lowered == SpecText(form.yaml).lowered) }
    }
}
