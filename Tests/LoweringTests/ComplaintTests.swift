import Lowering
import MusterModel
import TestSupport
import Testing

/// A golden for each: the YAML, and what is said about it.
@Suite("What a schema cannot say is checked, with a place, a cause and a cure")
struct ComplaintTests {
    static let cases: [(name: String, yaml: String)] = [
        ("cidr-outside", vpc("subnets: { a: { cidr_block: 10.1.0.0/24 }, b: { cidr_block: 10.0.0.0/24 } }")),
        (
            "cidr-overlap",
            vpc(
                "subnets: { a: { cidr_block: 10.0.16.0/20 }, b: { cidr_block: 10.0.0.0/18 }, "
                    + "c: { cidr_block: 10.0.32.0/24 } }")
        ),
        ("cidr-invalid", vpc("subnets: { a: { cidr_block: 10.0.0.300/24 }, b: { cidr_block: 10.0.0.0 } }")),
        ("cidr-host-bits", vpc("subnets: { a: { cidr_block: 10.0.0.1/24 } }")),
        ("cidr-size", vpc("subnets: { a: { cidr_block: 10.0.0.0/30 } }")),
        (
            "cidr-family",
            vpc("subnets: { a: { cidr_block: \"2001:db8::/64\" }, b: { ipv6_cidr_block: 10.0.0.0/24 } }")
        ),
        (
            "fleets",
            """
            autoscaling_groups:
              nothing: {}
              two-launches:
                min_size: 1
                max_size: 2
                subnets: [a]
                launch: { ami: ami-1, instance_type: m5.large, root_volume: { size: 8 } }
                launch_configuration: old
                rancher_agent: { registration_url: "http://r/v1/scripts/x" }
                instance_refresh: sometimes
              fixed:
                min_size: 1
                max_size: 2
                desired_capacity: 2
                subnets: [a]
                launch_configuration: old
                scaling_policies:
                  up: { adjustment: 1, target: 2 }
                  cpu: { target: 60, alarm: { metric: CPUUtilization, above: 1 } }
                  odd: { adjustment: 1, alarm: { metric: CPUUtilization, above: 1, below: 2 } }
                  bare: { adjustment: 1, alarm: { metric: CPUUtilization, threshold: 1 } }
                  twice: { adjustment: 1, alarm: { metric: CPUUtilization, above: 1, comparison_operator: GreaterThanThreshold } }
                schedule:
                  never: { min_size: 1 }
                  idle: { recurrence: "0 7 * * *" }
                lifecycle_hooks:
                  leave: { transition: going }
              strange:
                min_size: 1
                max_size: 2
                desired_capacity: { inital: 5 }
                subnets: [a]
                launch_configuration: old
                instance_refresh: { min_healty_percentage: 80, auto_rollback: 1 }
            """
        ),
        (
            "elasticache",
            """
            elasticache:
              open: { node_type: cache.t3.micro, auth_token: x, transit_encryption_enabled: false }
              odd: { num_cache_clusters: 2, num_node_groups: 2, engine: memcached, subnets: [], subnet_group_name: g }
            """
        ),
        (
            "rds",
            """
            rds:
              nothing: {}
              nowhere:
                engine: mysql
                instance_class: db.t3.micro
                allocated_storage: 20
                username: admin
                password: x
                manage_master_user_password: true
                subnets: [a]
                parameters: { max_connections: 1, wait_timeout: { apply_method: now, valu: 1 } }
                dns: { nam: db.tastycidr.net }
              twice:
                engine: oracle-ee
                engine_version: "19"
                instance_class: db.t3.micro
                allocated_storage: 20
                username: admin
                manage_master_user_password: true
                parameter_group_name: p
                parameters: { a: b }
                subnets: [a, b]
                db_subnet_group_name: g
                dns: db..net
            """
        ),
        ("vpc-cidr", "vpc: { a: { cidr_block: 10.0.0.0/8 }, b: { cidr_block: 10.0.0.1/16 }, c: { cidr_block: x } }"),
        (
            "unknown-parts",
            vpc(
                """
                subnets:
                      prod-a: { cidr_block: 10.0.0.0/24, route_table: pubic, network_acl: acl-0a1b2c3d }
                    nat_gateways: { a: { subnet: prod-b } }
                    route_tables:
                      public:
                        subnets: [prod-A, other]
                        routes:
                          - { destination: 0.0.0.0/0, to: "nat:b" }
                          - { destination: 10.1.0.0/16, to: internet_gateway }
                          - { destination: 10.2.0.0/16, to: a }
                          - { destination: 10.3.0.0/16, to: nowhere }
                    network_acls: { web: { subnets: [prod_a] } }
                    endpoints: { s3: { service: s3, route_tables: [private] } }
                """)
        ),
        (
            "subnet-claimed-twice",
            vpc(
                """
                subnets:
                      a: { cidr_block: 10.0.0.0/24, route_table: one, network_acl: one }
                    route_tables: { one: { subnets: [a] }, two: { subnets: [a] } }
                    network_acls: { one: {}, two: { subnets: [a] } }
                """)
        ),
        (
            "routes",
            vpc(
                """
                route_tables:
                      t:
                        routes:
                          - { destination: 10.1.0.0/16, to: pcx-1 }
                          - { destination_cidr_block: 10.1.0.0/16, to: pcx-2 }
                          - { destination: 10.2.0.1/16, to: pcx-2 }
                          - { destination: "${vpc.main.arn}", to: pcx-1 }
                          - { destination: 10.4.0.0/16, to: "${vpc.main.arn}" }
                """)
        ),
        (
            "internet-gateway",
            vpc("internet_gateway: { nam: x, tags: [1] }")
                + vpc("internet_gateway: yes").replacing("vpc:\n  main", with: "  other")
        ),
        (
            "nat-gateway",
            vpc(
                """
                subnets: { p: { cidr_block: 10.0.0.0/24 } }
                    nat_gateways:
                      a: { subnet: p, elastic_ip: false }
                      b: { subnet: p, connectivity_type: private, allocation_id: eipalloc-1 }
                      c: { subnet: p, connectivity_type: private, elastic_ip: true }
                """)
        ),
        (
            "acl-rules",
            vpc(
                """
                network_acls:
                      web:
                        ingress:
                          - { rule_number: 100, action: allow, port: 80, cidr_block: 0.0.0.0/0 }
                          - { rule_number: 100, action: deny, port: 81, cidr_block: 0.0.0.0/0 }
                          - { rule_number: 101, action: deny, ports: 90-80, cidr_block: 0.0.0.0/0 }
                          - { rule_number: 102, action: deny, ports: "http", cidr_block: 0.0.0.0/0 }
                          - { rule_number: 103, action: deny, ports: 1-70000, cidr_block: 0.0.0.0/0 }
                          - { rule_number: 104, action: deny, protocol: all, port: 80, cidr_block: 0.0.0.0/0 }
                          - { rule_number: 105, action: deny, from_port: 80, cidr_block: 0.0.0.0/0 }
                          - { rule_number: 106, action: deny, cidr_block: 0.0.0.0/0 }
                          - { rule_number: 107, action: deny, port: 80, cidr_block: 10.0.0.1/8 }
                        egress:
                          - { rule_number: 100, action: allow, protocol: tpc, cidr_block: 0.0.0.0/0 }
                          - { rule_number: 101, action: allow, port: 80, icmp_type: 8, cidr_block: 0.0.0.0/0, protocol: tcp }
                          - { rule_number: 102, action: allow, protocol: icmp, port: 80, cidr_block: 0.0.0.0/0 }
                          - { rule_number: 103, action: allow, icmp_code: 8, cidr_block: 0.0.0.0/0 }
                          - { rule_number: 104, action: allow, protocol: "256", cidr_block: 0.0.0.0/0 }
                          - { rule_number: 105, action: allow, protocol: "47", port: 80, cidr_block: 0.0.0.0/0 }
                """)
        ),
        (
            "endpoints",
            vpc(
                """
                endpoints:
                      s3: { service: com.amazonaws.us-east-1.s3, security_groups: [x] }
                      ecr: { service: com.amazonaws.us-east-1.ecr.api, route_tables: [] }
                """)
        ),
        (
            "security-group-names",
            """
            security_groups:
              self: { vpc: main }
              any: { vpc: main }
              sg-prod: { vpc: main }
              fine: { vpc: main, name: SG-fine }
            """
        ),
        (
            "security-group-rules",
            """
            security_groups:
              db:
                vpc: main
                ingress:
                  - { port: 3306, from: [10.0.0.0/8, app], description: first }
                  - { protocol: "6", from_port: 3306, to_port: 3306, from: [10.0.0.0/8], description: second }
                  - { port: 22, from: [any, 0.0.0.0/0, self, db] }
                  - { port: 23, from: [10.0.0.1/8, 10.0.0.1, 10.0.0.0/33, 10.0.300.0/24] }
                  - { port: 25, from: ["${vpc.main.arn}"] }
                  - { port: 26, from: "${vpc.main.arn}" }
                  - { ports: "${vpc.main.arn}", from: [app] }
                  - { ports: 443-80, from: [app] }
                  - { from: [app] }
                  - { from_port: -1, to_port: -1, from: [app] }
            """
        ),
        (
            "duplicate-names",
            """
            vpc:
              main:
                cidr_block: 10.0.0.0/16
                subnets: { a: { cidr_block: 10.0.0.0/24 } }
              other:
                cidr_block: 10.1.0.0/16
                subnets: { a: { cidr_block: 10.1.0.0/24 } }
            resources:
              aws.vpc: { main: { cidr_block: 10.2.0.0/16 } }
              aws.key_pair: { k: { public_key: x } }
            key_pairs: { k: { public_key: y } }
            """
        ),
        (
            // Told by the loader, from the schemas: once each.
            "by-schema",
            """
            vpc:
              main:
                cidr_block: 10.0.0.0/16
                subnet: {}
                route_tables:
                  t:
                    routes:
                      - { to: pcx-1 }
                      - { destination: 10.1.0.0/16 }
                      - { destination: 10.1.0.0/16, to: pcx-1, gateway_id: igw-1 }
                network_acls:
                  web:
                    ingress:
                      - { rule_number: 0, action: permit, port: 70000, cidr_block: 0.0.0.0/0 }
                      - { action: allow, port: 80 }
            security_groups:
              web:
                ingress:
                  - { port: 80 }
                  - { port: 80, ports: 81-82, from: [] }
                  - { port: http, from: any }
                  - { port: 80, from: [any], cidr_ipv4: 10.0.0.0/8, description: "a\u{1F600}" }
            iam:
              r: {}
              s: { assume_role: ec2.amazonaws.com, assume_role_policy: {}, name: "a b" }
            """
        ),
        (
            "ignored-argument",
            """
            control_nodes:
              n: { ami: ami-1, instance_type: m, subnets: [s], lifecycle: { ignore_changes: [user_date, dns] } }
            """
        ),
        (
            "names-taken-in-the-cloud",
            """
            security_groups:
              a: { vpc: main, name: web }
              b: { vpc: other, name: web }
              c: { vpc: main, name: web }
            iam:
              r: { assume_role: ec2.amazonaws.com, name: same }
              s: { assume_role: lambda.amazonaws.com, name: same }
            """
        ),
        (
            "tags",
            """
            key_pairs:
              k:
                public_key: x
                tags: { "aws:x": a, "muster:intent": b, Fine: c, "": d }
            """
        ),
        (
            "load-balancers",
            """
            alb:
              a_b: { subnets: [a, b], dns: "a..b", http2: true, enable_http2: false }
              none: { listeners: [{ port: 80 }] }
              web:
                subnets: [a, b]
                dns: { zone: Z1 }
                listeners:
                  - { port: 443, protocol: HTTPS, forward: x }
                  - { port: 443, certificate: c, redirect: https }
                  - { port: 80, certificate: c, forward: x, redirect: https }
                  - { port: 81, redirect: http }
                  - { port: 82, redirect: { protocol: FTP, hots: x } }
                  - { port: 83, fixed_response: [404] }
                  - { port: 84, forward: [{ weight: 1 }] }
                  - { port: 85, forward: x, certificates: [c, c] }
                  - { port: 86, authenticate_oidc: { issuer: i }, fixed_response: 200 }
                  - { port: 87, default_action: [{ type: reply }] }
                  - { port: 70000, forward: x }
                  - port: 88
                    forward: x
                    rules:
                      - { priority: 1, forward: x }
                      - { priority: 1, path: /a, forward: x }
                      - { priority: 2, path: /a }
                      - { priority: 3, condition: [{ host: [a] }], forward: x }
            target_groups:
              this-name-is-one-letter-too-long-x: { vpc: v, port: 80, protocol: HTTP }
              -x: { port: 80, protocol: FTP, targets: [{ port: 80 }, a, a] }
            """
        ),
        (
            "node-names",
            """
            dns: { tastycidr.net: { hosted_zone: {} } }
            control_nodes:
              a: { ami: ami-1, instance_type: m, subnets: [s], dns: a.example.com }
              b: { ami: ami-1, instance_type: m, subnets: [s], dns: { name: b.tastycidr.net, target: private_ip, type: CNAME } }
              c: { ami: ami-1, instance_type: m, subnets: [s], dns: { target: ip, ttl: -1, tll: 3 } }
              d: { ami: ami-1, instance_type: m, subnets: [s], dns: tastycidr.net }
              e: { ami: ami-1, instance_type: m, subnets: [s], dns: "x.${vpc.main.arn}" }
              f: { ami: ami-1, instance_type: m, subnets: [s], dns: [f.tastycidr.net] }
            """
        ),
        (
            "records",
            """
            dns:
              tastycidr.net: { hosted_zone: {}, ttl: 3 }
              a.tastycidr.net: { type: A, value: 10.0.0.256 }
              b.tastycidr.net: { type: AAAA, records: [10.0.0.1] }
              c.tastycidr.net: { type: CNAME, records: [a.example.com, b.example.com] }
              d.tastycidr.net: { value: 10.0.0.1 }
              e.tastycidr.net: { type: A }
              f..tastycidr.net: { type: A, value: 10.0.0.1 }
              again: { name: A.tastycidr.net., type: A, value: 10.0.0.1 }
            """
        ),
        (
            "several-zones",
            """
            dns:
              outside: { name: tastycidr.net, hosted_zone: {} }
              inside: { name: tastycidr.net, hosted_zone: { vpcs: [main] } }
              www.tastycidr.net: { type: A, value: 10.0.0.1 }
            """
        ),
        (
            "iam",
            """
            iam:
              a: { assume_role: ec2 }
              b: { assume_role: [10, "sso.example.com"] }
              c:
                assume_role: ec2.amazonaws.com
                managed_policies: [AmazonSSMManagedInstanceCore, "arn:aws:iam::aws:policy/X", "arn:aws:iam::aws:policy/X"]
                instance_profile: { nam: x }
              d: { assume_role: ec2.amazonaws.com, instance_profile: maybe }
            """
        ),
        (
            "spot",
            """
            spot:
              nothing: {}
              bounds:
                \(group)
                capacity: { minimum: 3, maximum: 4, target: 2 }
              turned:
                \(group)
                capacity: { minimum: 3, maximum: 2, unit: apples }
              rancher:
                \(group)
                capacity: { minimum: 1, maximum: 2 }
                strategy: { risk: 101, on_demand_count: 1, colour: red }
                availability_zones: { us-east-1a: { subnets: [subnet-a] } }
                rancher: { master_host: rancher.test, access_key: a, secret_key: b }
                scaling: { up: { busy: { threshold: 70 } } }
                scheduled_tasks: [{ task_type: scale }]
                rancher_agent: { registration_url: "http://r/v1/scripts/x", labels: { spotinst.instanceId: i-1 } }
              twice:
                capacity: { minimum: 1, maximum: 2 }
                instance_types: { on_demand: m5.large, spot: [] }
                subnets: [subnet-a]
                launch: { ami: ami-1, security_groups: [sg-1], user_data: x, root_volume: { size: 8 } }
                rancher_agent: { registration_url: "http://r/v1/scripts/x" }
            """
        ),
    ]

    private static let group = """
        instance_types: { on_demand: m5.large, spot: [m5.large] }
            subnets: [subnet-a]
            launch: { ami: ami-1, security_groups: [sg-1] }
        """

    private static func vpc(_ parts: String) -> String {
        "vpc:\n  main:\n    cidr_block: 10.0.0.0/16\n    \(parts)\n"
    }

    @Test("Bad input gets an answer", arguments: cases.map(\.name))
    func complaint(name: String) throws {
        let yaml = try #require(ComplaintTests.cases.first { $0.name == name }).yaml
        let said = SpecText(yaml).complaints
        #expect(!said.isEmpty)
        expectGolden("\(yaml)\n---\n\(said)", named: "Complaints/\(name).txt")
    }

    @Test("A resource takes 49 tags with those of workspace and stack, since muster's own is the fiftieth")
    func tagCount() {
        let inherited = Dictionary(uniqueKeysWithValues: (1...40).map { ("I\($0)", "x") })
        func yaml(_ count: Int) -> String {
            let own = (1...count).map { "O\($0): x" }.joined(separator: ", ")
            return "key_pairs: { k: { public_key: x, tags: { I1: null, \(own) } } }"
        }
        #expect(SpecText(yaml(10), tags: inherited).complaints == "")
        #expect(SpecText(yaml(11), tags: inherited).complaints.contains("has 50 tags"))
    }

    @Test("Long keys and values of tags are refused")
    func tagLengths() {
        let key = String(repeating: "k", count: 129)
        let value = String(repeating: "v", count: 257)
        let said = SpecText("key_pairs: { k: { public_key: x, tags: { \(key): a, b: \(value) } } }").complaints
        #expect(said.contains("1 to 128 characters"))
        #expect(said.contains("at most 256 characters"))
    }

    @Test("A bad tag of the workspace is reported once per stack, not once per resource")
    func inheritedTags() {
        let said = SpecText("key_pairs: { a: { public_key: x }, b: { public_key: y } }", tags: ["aws:x": "y"])
            .complaints
        #expect(said.split(separator: "\n").count { $0.contains("error[") } == 1)
        #expect(said.contains("It is a tag of the stack \"prod\" or of the workspace."))
    }

    @Test("What is known later is not checked")
    func knownLater() {
        let yaml = """
            vpc:
              main:
                cidr_block: ${vpc.main.arn}
                subnets: { a: { cidr_block: "${vpc.main.arn}" }, b: { cidr_block: 10.0.0.0/24, route_table: "${vpc.main.arn}" } }
                route_tables: { t: { subnets: ["${vpc.main.arn}"] } }
            """
        #expect(SpecText(yaml).complaints == "")
    }
}
