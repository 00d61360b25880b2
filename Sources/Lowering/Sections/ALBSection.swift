import Diagnostics
import MusterModel

/// `alb`: a load balancer with its listeners, their rules and certificates, and its name in DNS.
///
/// The listeners are an exclusive set, as are the rules and the additional certificates of a listener that names some.
/// A listener is known by its port and a rule by its priority, unless they have a `name:`; with one, a port and a
/// priority change in place.
enum ALBSection: Section {
    static let schema = SectionSchema(
        name: "alb", summary: "A load balancer with listeners, rules and a name in DNS.",
        fields: [
            SectionFields.name("The name in AWS, of at most 32 characters; the key if it is left out."),
            ArgumentSchema(
                "subnets", .list(.string), reference: .subnet,
                constraints: [.exactlyOne(["subnets", "subnet_mapping"])],
                "The subnets, one in each zone; an application load balancer wants two."),
            ArgumentSchema(
                "subnet_mapping",
                .list(
                    .object([
                        ArgumentSchema("subnet_id", .string, isRequired: true, reference: .subnet, "The subnet."),
                        ArgumentSchema("allocation_id", .string, reference: .elasticIP, "The elastic IP."),
                        ArgumentSchema("private_ipv4_address", .string, "The private address."),
                        ArgumentSchema("ipv6_address", .string, "The IPv6 address."),
                    ])), "The subnets with addresses, for a network load balancer."),
            ArgumentSchema(
                "security_groups", .list(.string), reference: .securityGroup, "The groups that guard it."),
            ArgumentSchema("listeners", .list(.object(listenerFields)), "All its listeners."),
            ArgumentSchema(
                "dns", .anything,
                "Its name in DNS, an alias; a list of names; or a map with name, zone and evaluate_target_health."),
            SectionFields.tags("the load balancer and its listeners"),
        ] + verbatim
            + shortened.flatMap { short, full, documentation in
                [
                    ArgumentSchema(short, .boolean, constraints: [.conflictsWith([full])], documentation),
                    ArgumentSchema(full, .boolean, "The same as \(short)."),
                ]
            },
        principalTypes: ["aws.load_balancer"],
        example: """
            alb:
              prod-rancherctl:
                subnets: [prod-a, prod-b]
                security_groups: [prod-rancher-alb]
                idle_timeout: 900
                deletion_protection: true
                dns: rancher.tastycidr.net
                listeners:
                  - { port: 443, protocol: HTTPS, certificate: rancher, forward: prod-rancherctl }
                  - { port: 80, redirect: https }
              apps:
                subnets: [prod-a, prod-b]
                listeners:
                  - port: 443
                    protocol: HTTPS
                    certificate: rancher
                    fixed_response: { status_code: 404, message_body: Nothing here }
                    rules:
                      - { priority: 10, host: [api.tastycidr.net], forward: api }
                      - { priority: 20, path: /old/*, redirect: { path: "/new/#{path}", status_code: HTTP_302 } }
            """)

    /// The arguments of `aws.load_balancer` that are written as they are.
    private static let verbatim: [ArgumentSchema] = [
        ArgumentSchema("internal", .boolean, "Whether it has private addresses only."),
        ArgumentSchema(
            "load_balancer_type", .string, constraints: [.allowed(["application", "network", "gateway"])],
            "application if it is left out."),
        ArgumentSchema(
            "ip_address_type", .string,
            constraints: [.allowed(["ipv4", "dualstack", "dualstack-without-public-ipv4"])],
            "The kind of its addresses."),
        ArgumentSchema(
            "idle_timeout", .integer, constraints: [.range(1, 4000)],
            "For how many seconds a connection may say nothing; 60 for AWS."),
        ArgumentSchema(
            "client_keep_alive", .integer, constraints: [.range(60, 604_800)],
            "For how many seconds a client may keep its connection."),
        ArgumentSchema("drop_invalid_header_fields", .boolean, "Whether headers with invalid names are dropped."),
        ArgumentSchema("preserve_host_header", .boolean, "Whether targets get the Host header as it came."),
        ArgumentSchema(
            "xff_header_processing_mode", .string, constraints: [.allowed(["append", "preserve", "remove"])],
            "What is done to X-Forwarded-For."),
        ArgumentSchema(
            "desync_mitigation_mode", .string, constraints: [.allowed(["monitor", "defensive", "strictest"])],
            "How ambiguous requests are treated."),
        ArgumentSchema("access_logs", .object(logFields), "Where requests are written down."),
        ArgumentSchema("connection_logs", .object(logFields), "Where connections are written down."),
        ArgumentSchema(
            "dns_record_client_routing_policy", .string, "Which zone's addresses clients of a network one are told."),
        ArgumentSchema(
            "enforce_security_group_inbound_rules_on_private_link_traffic", .string,
            constraints: [.allowed(["on", "off"])], "Whether its groups guard what comes over PrivateLink."),
        ArgumentSchema("customer_owned_ipv4_pool", .string, "The pool of addresses on an Outpost."),
        ArgumentSchema(
            "ipam_pools",
            .object([ArgumentSchema("ipv4_ipam_pool_id", .string, isRequired: true, "The pool of IPv4 addresses.")]),
            "Where its public addresses come from."),
        ArgumentSchema(
            "minimum_load_balancer_capacity",
            .object([ArgumentSchema("capacity_units", .integer, isRequired: true, "How many units; 0 keeps none.")]),
            "Capacity that is kept ready."),
    ]

    private static let logFields: [ArgumentSchema] = [
        ArgumentSchema("bucket", .string, isRequired: true, "The S3 bucket."),
        ArgumentSchema("enabled", .boolean, "Whether it is written at all; true if it is left out."),
        ArgumentSchema("prefix", .string, "The folder in the bucket."),
    ]

    /// Fields with a short name and the argument's own.
    private static let shortened: [(short: String, full: String, documentation: String)] = [
        (
            "deletion_protection", "enable_deletion_protection",
            "Whether AWS refuses to delete it; destroying it then wants `--allow irreversible`."
        ),
        ("http2", "enable_http2", "Whether clients may speak HTTP/2; true for AWS."),
        (
            "cross_zone_load_balancing", "enable_cross_zone_load_balancing",
            "Whether each zone sends to the targets of all; always so for an application load balancer."
        ),
        ("zonal_shift", "enable_zonal_shift", "Whether a zone may be shifted away from."),
        ("waf_fail_open", "enable_waf_fail_open", "Whether requests pass when the firewall cannot be asked."),
        ("xff_client_port", "enable_xff_client_port", "Whether X-Forwarded-For keeps the client's port."),
        (
            "tls_version_and_cipher_suite_headers", "enable_tls_version_and_cipher_suite_headers",
            "Whether targets are told TLS version and cipher."
        ),
    ]

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        let body = definition.body
        var result = LoweringResult()
        result.checkBalancerName(definition, of: "load balancer")
        var balancer = Draft(
            principal: "aws.load_balancer", of: definition,
            renamed: Dictionary(shortened.map { ($0.short, $0.full) }, uniquingKeysWith: { first, _ in first }))
        balancer.set("name", definition.remoteName.value, at: body["name"]?.range)
        for field in ["subnets", "subnet_mapping", "security_groups"] { balancer.set(field, body[field]) }
        balancer.copy(verbatim, from: body)
        for field in ["access_logs", "connection_logs"] {
            guard let logs = body[field], case .map(var members) = logs.value.withoutNulls else { continue }
            members["enabled"] = members["enabled"] ?? true
            balancer.set(field, .map(members), at: logs.range)
        }
        for (short, full, _) in shortened { balancer.set(full, body[short] ?? body[full]) }
        balancer.setTags(body["tags"], inherited: definition.inheritedTags, &result.diagnostics)
        if body["listeners"] != nil { balancer.declaration.exclusiveChildren = ["aws.listener"] }
        result.append(balancer)
        var lowering = ListenerLowering(definition, balancer: balancer.output("id"))
        lowering.run()
        result.append(lowering.result)
        result.lowerNames(of: balancer, listeners: lowering.listeners, definition)
        return result
    }
}

extension LoweringResult {
    private static let nameFields: [ArgumentSchema] = [
        ArgumentSchema("name", .string, isRequired: true, "The name in DNS."),
        ArgumentSchema("zone", .string, reference: .hostedZone, "The hosted zone."),
        ArgumentSchema("evaluate_target_health", .boolean, "Whether its health decides if it is answered."),
    ]

    /// The records of a load balancer. They wait for the listeners, so that a name leads to what answers.
    fileprivate mutating func lowerNames(of balancer: Draft, listeners: [Draft], _ definition: Definition) {
        guard let field = definition.body["dns"] else { return }
        for element in field.elements ?? [field] {
            let body: LocatedValue
            switch element.value {
            case .string, .deferred:
                body = .map([.init(key: "name", keyRange: element.range, value: element)], element.range)
            default:
                body = read(
                    element, as: LoweringResult.nameFields, of: "dns", stack: definition.stack,
                    forms: "a name, a list of names or a map")
            }
            guard let name = body["name"], !name.value.isUnreadable else { continue }
            checkName(name)
            let isDualStack = definition.body["ip_address_type"]?.value.string?.hasPrefix("dualstack") ?? false
            for type in isDualStack ? ["A", "AAAA"] : ["A"] {
                let address = recordName(name.value) + (type == "A" ? "" : "/\(type)")
                var record = Draft("aws.dns_record", address, of: definition, at: element.range)
                record.set("name", name.value.withoutTrailingDot, at: name.range)
                record.set("type", .string(type))
                record.set(
                    "alias",
                    .map([
                        "name": balancer.output("dns_name"), "zone_id": balancer.output("zone_id"),
                        "evaluate_target_health": body["evaluate_target_health"]?.value ?? false,
                    ]), at: element.range)
                record.declaration.dependsOn += listeners.map {
                    definition.dependency($0.declaration.address.type, $0.declaration.address.name, at: nil)
                }
                appendRecord(record, zone: body["zone"], at: name.range)
            }
        }
    }
}
