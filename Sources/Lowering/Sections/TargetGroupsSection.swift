import Diagnostics
import MusterModel

/// `target_groups`: where load balancers send requests, with targets that nobody else registers.
///
/// Control nodes and fleets register themselves, so that the targets that stand here are not the only ones.
enum TargetGroupsSection: Section {
    static let schema = SectionSchema(
        name: "target_groups", summary: "Where load balancers send requests.",
        fields: [
            SectionFields.name("The name in AWS, of at most 32 characters; the key if it is left out."),
            ArgumentSchema(
                "vpc", .string, reference: .vpc, "The VPC of the targets; needed unless they are functions."),
            ArgumentSchema(
                "targets", .list(.anything),
                "Targets that do not register themselves: names of instances, addresses, or maps with target, port, "
                    + "availability_zone and wait_for_healthy."),
            SectionFields.tags("the target group"),
        ] + verbatim,
        principalTypes: ["aws.target_group"],
        example: """
            target_groups:
              prod-rancherctl:
                vpc: main
                port: 8080
                protocol: HTTP
                health_check: { path: /ping, interval: 10, timeout: 5, healthy_threshold: 2, unhealthy_threshold: 2 }
                deregistration_delay: 30
              legacy:
                vpc: main
                port: 80
                protocol: HTTP
                target_type: ip
                targets: [10.0.1.10, { target: 10.0.1.11, port: 8080 }]
            """)

    /// The arguments of `aws.target_group` that are written as they are.
    private static let verbatim: [ArgumentSchema] = [
        ArgumentSchema("port", .integer, constraints: [.range(1, 65_535)], "The port of targets that say none."),
        ArgumentSchema(
            "protocol", .string, constraints: [.allowed(["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE"])],
            "How targets are spoken to."),
        ArgumentSchema(
            "protocol_version", .string, constraints: [.allowed(["HTTP1", "HTTP2", "GRPC"])], "Of HTTP and HTTPS."),
        ArgumentSchema(
            "target_type", .string, constraints: [.allowed(["instance", "ip", "lambda", "alb"])],
            "What targets are; instances if it is left out."),
        ArgumentSchema(
            "ip_address_type", .string, constraints: [.allowed(["ipv4", "ipv6"])], "The kind of their addresses."),
        ArgumentSchema("health_check", .object(healthCheck), "How targets are looked after."),
        ArgumentSchema("stickiness", .object(stickiness), "Whether a client comes back to the same target."),
        ArgumentSchema(
            "deregistration_delay", .integer, constraints: [.range(0, 3600)],
            "For how many seconds a target that leaves may finish what it does; 300 for AWS."),
        ArgumentSchema(
            "slow_start", .integer, constraints: [.range(0, 900)], "Over how many seconds a new target gets its share."),
        ArgumentSchema(
            "load_balancing_algorithm_type", .string,
            constraints: [.allowed(["round_robin", "least_outstanding_requests", "weighted_random"])],
            "Who gets a request."),
        ArgumentSchema(
            "load_balancing_anomaly_mitigation", .string, constraints: [.allowed(["on", "off"])],
            "Whether anomalous targets get less."),
        ArgumentSchema(
            "load_balancing_cross_zone_enabled", .string,
            constraints: [.allowed(["true", "false", "use_load_balancer_configuration"])],
            "Whether each zone sends to the targets of all."),
        ArgumentSchema("connection_termination", .boolean, "Whether connections are cut when the delay is over."),
        ArgumentSchema("preserve_client_ip", .boolean, "Whether targets see the client's address."),
        ArgumentSchema("proxy_protocol_v2", .boolean, "Whether targets get the PROXY protocol's header."),
        ArgumentSchema(
            "lambda_multi_value_headers_enabled", .boolean, "Whether a function gets several values as lists."),
        ArgumentSchema(
            "target_failover",
            .object(
                ["on_deregistration", "on_unhealthy"].map {
                    ArgumentSchema(
                        $0, .string, constraints: [.allowed(["rebalance", "no_rebalance"])], "What flows do then.")
                }), "What flows do when a target leaves."),
        ArgumentSchema(
            "target_group_health",
            .object([
                ArgumentSchema("dns_failover", .object(minimum), "When its zone is left out of DNS."),
                ArgumentSchema(
                    "unhealthy_state_routing", .object(minimum), "When requests go to unhealthy targets too."),
            ]), "From when on the group itself counts as unhealthy."),
        ArgumentSchema(
            "target_health_state",
            .object([
                ArgumentSchema(
                    "enable_unhealthy_connection_termination", .boolean,
                    "Whether connections to an unhealthy target are cut."),
                ArgumentSchema(
                    "unhealthy_draining_interval", .integer, "For how many seconds it keeps its connections."),
            ]), "What is done with connections to unhealthy targets."),
    ]

    private static let minimum = [
        ArgumentSchema("minimum_healthy_targets_count", .string, "How many there must be, or off."),
        ArgumentSchema("minimum_healthy_targets_percentage", .string, "How many per cent, or off."),
    ]

    private static let healthCheck: [ArgumentSchema] = [
        ArgumentSchema("enabled", .boolean, "Whether targets are checked at all."),
        ArgumentSchema("path", .string, "The path to ask for."),
        ArgumentSchema("port", .string, "The port to ask at, or traffic-port."),
        ArgumentSchema("protocol", .string, constraints: [.allowed(["HTTP", "HTTPS", "TCP"])], "How to ask."),
        ArgumentSchema("matcher", .string, "The good answers: 200, 200,302 or 200-299."),
        ArgumentSchema("interval", .integer, constraints: [.range(5, 300)], "Seconds between two checks."),
        ArgumentSchema("timeout", .integer, constraints: [.range(2, 120)], "Seconds to wait for an answer."),
        ArgumentSchema(
            "healthy_threshold", .integer, constraints: [.range(2, 10)], "After how many good answers it is healthy."),
        ArgumentSchema(
            "unhealthy_threshold", .integer, constraints: [.range(2, 10)], "After how many bad answers it is not."),
    ]

    private static let stickiness: [ArgumentSchema] = [
        ArgumentSchema("enabled", .boolean, "Whether it is so."),
        ArgumentSchema(
            "type", .string, isRequired: true,
            constraints: [
                .allowed(["lb_cookie", "app_cookie", "source_ip", "source_ip_dest_ip", "source_ip_dest_ip_proto"])
            ], "What a client is known by."),
        ArgumentSchema("cookie_duration", .integer, constraints: [.range(1, 604_800)], "For how many seconds."),
        ArgumentSchema("cookie_name", .string, "The application's cookie."),
    ]

    private static let targetFields: [ArgumentSchema] = [
        ArgumentSchema("target", .string, isRequired: true, reference: .target, "The instance, address or ARN."),
        ArgumentSchema("port", .integer, constraints: [.range(1, 65_535)], "Its port, if not the group's."),
        ArgumentSchema("availability_zone", .string, "The zone of an address; `all` outside the VPC."),
        ArgumentSchema("wait_for_healthy", .boolean, "Whether it is done only when the target is healthy."),
    ]

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        let body = definition.body
        var result = LoweringResult()
        result.checkBalancerName(definition, of: "target group")
        if body["target_type"]?.value != "lambda" {
            for field in ["vpc", "port", "protocol"] where body[field] == nil {
                result.diagnostics.append(.incompleteGroup(field, definition))
            }
        }
        var group = Draft(principal: "aws.target_group", of: definition, renamed: ["vpc": "vpc_id"])
        group.set("name", definition.remoteName.value, at: body["name"]?.range)
        if let vpc = body["vpc"] { group.set("vpc_id", vpc.value, at: vpc.range) }
        group.copy(verbatim, from: body)
        group.setTags(body["tags"], inherited: definition.inheritedTags, &result.diagnostics)
        result.append(group)
        var seen: [String: SourceRange] = [:]
        for element in body["targets"]?.elements ?? [] {
            let form: LocatedValue
            switch element {
            case .value(.string, _), .value(.deferred, _):
                form = .map([.init(key: "target", keyRange: element.range, value: element)], element.range)
            default: form = element
            }
            let target = result.read(
                form, as: targetFields, of: "targets", stack: definition.stack,
                forms: "names of instances, addresses, or maps with \"target\"")
            guard let wanted = target["target"] else { continue }
            let port = target["port"].map { ":\($0.value.nameText)" } ?? ""
            let name = "\(definition.name)/\(wanted.value.nameText)\(port)"
            if let earlier = seen[name] {
                result.diagnostics.append(.duplicateTarget(name, at: element.range, earlier))
                continue
            }
            seen[name] = element.range
            var attachment = Draft("aws.target_group_attachment", name, of: definition, at: element.range)
            attachment.set("target_group_arn", group.output("id"))
            attachment.set("target_id", wanted)
            for field in targetFields.dropFirst() { attachment.set(field.name, target[field.name]) }
            result.append(attachment)
        }
        return result
    }
}

extension LoweringResult {
    /// Load balancers and target groups have the same rules for names.
    mutating func checkBalancerName(_ definition: Definition, of what: String) {
        let name = definition.remoteName
        guard let text = name.value.string else { return }
        let isFine =
            (1...32).contains(text.utf8.count) && !text.hasPrefix("-") && !text.hasSuffix("-")
            && text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || isLetterOrDigit($0) }
        if !isFine { diagnostics.append(.balancerName(text, what, at: name.range)) }
    }
}

private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"):
        true
    default: false
    }
}

extension Diagnostic {
    fileprivate static func balancerName(_ text: String, _ what: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.name", summary: "Invalid name",
            detail: "\(text.quoted) cannot be the name of a \(what): at most 32 letters, digits and inner hyphens.",
            at: range, hint: "Give it another name in AWS with \"name:\".")
    }

    fileprivate static func incompleteGroup(_ field: String, _ definition: Definition) -> Diagnostic {
        Diagnostic(
            code: "spec.missing-argument", summary: "Missing argument",
            detail: "A target group needs \(field.quoted), unless its target_type is lambda.", at: definition.range)
    }

    fileprivate static func duplicateTarget(
        _ name: String, at range: SourceRange, _ earlier: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-target", summary: "Duplicate target",
            detail: "The target \(name.quoted) is there twice.",
            at: range, related: [.init(range: earlier, message: "the first is here")])
    }
}
