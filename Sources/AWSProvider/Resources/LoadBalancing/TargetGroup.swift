import AWSClient
import MusterModel
import ProviderKit

/// A target group: where a load balancer sends requests.
///
/// Calls: `CreateTargetGroup`, `DescribeTargetGroups`, `DescribeTargetGroupAttributes` (one object a call, where an
/// attribute is declared), `DescribeTags`, `ModifyTargetGroup`, `ModifyTargetGroupAttributes`, `AddTags`,
/// `RemoveTags`, `DeleteTargetGroup`.
///
/// A successor is made first, under a name of its own: what uses the group moves over, then the old one goes.
struct TargetGroup: ManagedResource {
    struct Arguments: AttributeBlock {
        var name = ""
        var port: Int?
        var protocolName: String?
        var protocolVersion: String?
        var vpcID: String?
        var targetType: String?
        var ipAddressType: String?
        var healthCheck: HealthCheck?
        var stickiness: Stickiness?
        var failover: Failover?
        var groupHealth: GroupHealth?
        var healthState: HealthState?
        var attributes = ELBAttributes()
        var tags: [String: String]?

        static let attributeTable: [ELBAttribute] = [
            .number(
                "deregistration_delay", "deregistration_delay.timeout_seconds", usual: 300, 0...3600,
                "For how many seconds a target that leaves may finish what it does."),
            .flag(
                "connection_termination", "deregistration_delay.connection_termination.enabled", usual: false,
                "Whether connections are cut when that time is over; for network load balancers."),
            .number(
                "slow_start", "slow_start.duration_seconds", usual: 0, 0...900,
                "Over how many seconds a new target gets its full share; 30 to 900, or 0."),
            .text(
                "load_balancing_algorithm_type", "load_balancing.algorithm.type", usual: "round_robin",
                constraints: [.allowed(["round_robin", "least_outstanding_requests", "weighted_random"])],
                "Who gets a request."),
            .text(
                "load_balancing_anomaly_mitigation", "load_balancing.algorithm.anomaly_mitigation", usual: "off",
                constraints: [.allowed(["on", "off"])], "Whether anomalous targets get less, with weighted_random."),
            .text(
                "load_balancing_cross_zone_enabled", "load_balancing.cross_zone.enabled",
                usual: "use_load_balancer_configuration",
                constraints: [.allowed(["true", "false", "use_load_balancer_configuration"])],
                "Whether each zone sends to the targets of all."),
            .flag(
                "preserve_client_ip", "preserve_client_ip.enabled",
                "Whether targets of a network load balancer see the client's address."),
            .flag(
                "proxy_protocol_v2", "proxy_protocol_v2.enabled", usual: false,
                "Whether targets get the PROXY protocol's header."),
            .flag(
                "lambda_multi_value_headers_enabled", "lambda.multi_value_headers.enabled", usual: false,
                "Whether a function gets headers with several values as lists."),
        ]

        static let fields: [Field<Self>] =
            [
                .required(
                    "name", \.name, onChange: .replace,
                    constraints: [
                        .length(1, 32),
                        .pattern("[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", "letters, digits and inner hyphens"),
                    ], "The name; a successor of the same name gets a suffix."),
                .argument(
                    "port", \.port, onChange: .replace, constraints: [.range(1, 65_535)],
                    "The port of targets that say none; needed unless the target is a function."),
                .argument(
                    "protocol", \.protocolName, onChange: .replace,
                    constraints: [.allowed(["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE"])],
                    "How targets are spoken to; needed unless the target is a function."),
                .argument(
                    "protocol_version", \.protocolVersion, onChange: .replace,
                    constraints: [.allowed(["HTTP1", "HTTP2", "GRPC"])], "Of HTTP and HTTPS; HTTP1 for AWS."),
                .argument(
                    "vpc_id", \.vpcID, onChange: .replace, reference: .vpc,
                    "The VPC of the targets; needed unless the target is a function."),
                .argument(
                    "target_type", \.targetType, absence: .means("instance"), onChange: .replace,
                    constraints: [.allowed(["instance", "ip", "lambda", "alb"])], "What targets are."),
                .argument(
                    "ip_address_type", \.ipAddressType, onChange: .replace, constraints: [.allowed(["ipv4", "ipv6"])],
                    "The kind of the targets' addresses; ipv4 for AWS."),
                .argument("health_check", \.healthCheck, "How targets are looked after."),
                .argument(
                    "stickiness", \.stickiness, absence: .means(["enabled": false]), needsOwnRead: true,
                    isSetAfterCreate: true, "Whether a client comes back to the same target."),
                .argument(
                    "target_failover", \.failover, needsOwnRead: true, isSetAfterCreate: true,
                    "What a gateway load balancer does with the flows of a target that leaves."),
                .argument(
                    "target_group_health", \.groupHealth, needsOwnRead: true, isSetAfterCreate: true,
                    "From when on the group itself counts as unhealthy."),
                .argument(
                    "target_health_state", \.healthState, needsOwnRead: true, isSetAfterCreate: true,
                    "What is done with connections to unhealthy targets of a network load balancer."),
            ] + attributeTable.map { $0.field(of: Self.self) } + [.tags(\.tags)]

        /// The arguments that only `DescribeTargetGroupAttributes` tells.
        static let readWithAttributes = Set(
            attributeTable.map(\.argument) + [
                "stickiness", "target_failover", "target_group_health", "target_health_state",
            ])

        /// All attributes, those of blocks too.
        var allAttributes: ELBAttributes {
            attributes.merging(
                stickiness?.attributes, failover?.attributes, groupHealth?.dnsFailover?.attributes,
                groupHealth?.routing?.attributes, healthState?.attributes)
        }
    }

    /// How targets are looked after. What is left out AWS chooses by the protocol, and is left as it is later.
    struct HealthCheck: ArgumentBlock {
        var isEnabled: Bool?
        var healthyThreshold: Int?
        var unhealthyThreshold: Int?
        var interval: Int?
        var timeout: Int?
        var matcher: String?
        var path: String?
        var port: String?
        var protocolName: String?

        static let fields: [Field<Self>] = [
            .argument("enabled", \.isEnabled, absence: .means(true), "Whether targets are checked at all."),
            .argument(
                "healthy_threshold", \.healthyThreshold, constraints: [.range(2, 10)],
                "After how many good answers a target is healthy."),
            .argument(
                "unhealthy_threshold", \.unhealthyThreshold, constraints: [.range(2, 10)],
                "After how many bad answers it is not."),
            .argument("interval", \.interval, constraints: [.range(5, 300)], "Seconds between two checks."),
            .argument("timeout", \.timeout, constraints: [.range(2, 120)], "Seconds to wait for an answer."),
            .argument("matcher", \.matcher, "The good answers: 200, 200,302 or 200-299; of gRPC 0-99."),
            .argument("path", \.path, constraints: [.length(1, 1024)], "The path to ask for."),
            .argument("port", \.port, absence: .means("traffic-port"), "The port to ask at, or traffic-port."),
            .argument(
                "protocol", \.protocolName, constraints: [.allowed(["HTTP", "HTTPS", "TCP"])], "How to ask."),
        ]
    }

    struct Stickiness: ArgumentBlock {
        var isEnabled: Bool?
        var type: String?
        var cookieDuration: Int?
        var cookieName: String?

        static let fields: [Field<Self>] = [
            .argument("enabled", \.isEnabled, absence: .means(true), "Whether it is so."),
            .argument(
                "type", \.type,
                constraints: [
                    .allowed([
                        "lb_cookie", "app_cookie", "source_ip", "source_ip_dest_ip", "source_ip_dest_ip_proto",
                    ])
                ], "What a client is known by."),
            .argument(
                "cookie_duration", \.cookieDuration, constraints: [.range(1, 604_800)],
                "For how many seconds, with cookies; 86400 for AWS."),
            .argument("cookie_name", \.cookieName, "The application's cookie, for app_cookie."),
        ]

        var attributes: ELBAttributes {
            var attributes = ELBAttributes()
            attributes[flag: "stickiness.enabled"] = isEnabled ?? true
            attributes[text: "stickiness.type"] = type
            attributes[number: durationKey] = cookieDuration
            attributes[text: "stickiness.app_cookie.cookie_name"] = cookieName.filled
            return attributes
        }

        init() {}

        init(reading all: ELBAttributes) {
            isEnabled = all[flag: "stickiness.enabled"] ?? false
            type = all[text: "stickiness.type"]
            cookieDuration = all[number: durationKey]
            cookieName = all[text: "stickiness.app_cookie.cookie_name"]
        }

        private var durationKey: String {
            type == "app_cookie" ? "stickiness.app_cookie.duration_seconds" : "stickiness.lb_cookie.duration_seconds"
        }
    }

    struct Failover: AttributeBlock {
        var attributes = ELBAttributes()
        static let attributeTable: [ELBAttribute] = [
            .text(
                "on_deregistration", "target_failover.on_deregistration", usual: "no_rebalance",
                constraints: [.allowed(["rebalance", "no_rebalance"])], "When a target leaves."),
            .text(
                "on_unhealthy", "target_failover.on_unhealthy", usual: "no_rebalance",
                constraints: [.allowed(["rebalance", "no_rebalance"])],
                "When a target is unhealthy; the same as the other."),
        ]
        static let fields: [Field<Self>] = attributeTable.map { $0.field(of: Self.self, isOwn: false) }
    }

    struct GroupHealth: ArgumentBlock {
        var dnsFailover: DNSFailover?
        var routing: UnhealthyRouting?

        static let fields: [Field<Self>] = [
            .argument("dns_failover", \.dnsFailover, "When its zone is left out of DNS."),
            .argument("unhealthy_state_routing", \.routing, "When requests go to unhealthy targets too."),
        ]

        struct DNSFailover: AttributeBlock {
            var attributes = ELBAttributes()
            static let attributeTable = minimum("dns_failover")
            static let fields: [Field<Self>] = attributeTable.map { $0.field(of: Self.self, isOwn: false) }
        }

        struct UnhealthyRouting: AttributeBlock {
            var attributes = ELBAttributes()
            static let attributeTable = minimum("unhealthy_state_routing")
            static let fields: [Field<Self>] = attributeTable.map { $0.field(of: Self.self, isOwn: false) }
        }

        private static func minimum(_ what: String) -> [ELBAttribute] {
            let key = "target_group_health.\(what).minimum_healthy_targets"
            return [
                .text(
                    "minimum_healthy_targets_count", "\(key).count", usual: "1",
                    "How many healthy targets there must be, or off."),
                .text(
                    "minimum_healthy_targets_percentage", "\(key).percentage", usual: "off",
                    "How many per cent of them must be healthy, or off."),
            ]
        }
    }

    struct HealthState: AttributeBlock {
        var attributes = ELBAttributes()
        static let attributeTable: [ELBAttribute] = [
            .flag(
                "enable_unhealthy_connection_termination",
                "target_health_state.unhealthy.connection_termination.enabled",
                usual: true, "Whether connections to an unhealthy target are cut."),
            .number(
                "unhealthy_draining_interval", "target_health_state.unhealthy.draining_interval_seconds", usual: 0,
                0...360_000, "For how many seconds an unhealthy target keeps its connections."),
        ]
        static let fields: [Field<Self>] = attributeTable.map { $0.field(of: Self.self, isOwn: false) }
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var arnSuffix: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN, which is also its id."),
            .output("arn_suffix", \.arnSuffix, "`targetgroup/NAME/ID`, as metrics name it."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.target_group", "Where a load balancer sends requests.",
        naming: .unique(argument: "name", maximumLength: 32), replacement: .createFirst,
        timeouts: Timeouts(delete: 300), importSyntax: "the target group's ARN")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let items = Dictionary(
            try await aws.targetGroups().map { ($0["TargetGroupArn"].text, $0) },
            uniquingKeysWith: { first, _ in first })
        let present = known.filter { items[$0.id.rawValue] != nil }
        let tags = try await aws.elbTags(present.filter { $0.declared.contains("tags") }.map(\.id.rawValue))
        let attributes = try await aws.concurrently(present) { object async throws(ProviderError) -> ELBAttributes? in
            if object.declared.isDisjoint(with: Arguments.readWithAttributes) { return nil }
            return try await aws.elbAttributes("DescribeTargetGroupAttributes", "TargetGroupArn", object.id.rawValue)
        }
        var found: [RemoteID: Observed<Self>] = [:]
        for (object, attributes) in zip(present, attributes) {
            guard let item = items[object.id.rawValue] else { continue }
            var observed = observed(item)
            if object.declared.contains("tags") { observed.arguments.tags = tags[object.id.rawValue] ?? [:] }
            if let attributes { observed.arguments.read(attributes) }
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.targetGroups().map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        do throws(ProviderError) {
            let items = try await aws.call(
                .elbv2, "DescribeTargetGroups", ["Names": [.string(desired.name)]], effect: .read
            ).xml["TargetGroups"].items
            guard let item = items.first else { return nil }
            return Found(observed(item), isOurs: try await aws.elbIsOurs(item["TargetGroupArn"].text, intent))
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        var fields: [AWSInput.Field] = [
            .init("Name", .string(desired.name)), .init("Protocol", .nonEmpty(desired.protocolName)),
            .init("ProtocolVersion", .nonEmpty(desired.protocolVersion)), .init("Port", .optional(desired.port)),
            .init("VpcId", .nonEmpty(desired.vpcID)), .init("TargetType", .nonEmpty(desired.targetType)),
            .init("IpAddressType", .nonEmpty(desired.ipAddressType)),
        ]
        if let check = desired.healthCheck { fields += wire(check, desired.protocolVersion) }
        fields.append(.init("Tags", .tagList(desired.tags, intent)))
        let answer = try await aws.elbChange("CreateTargetGroup", fields, effect: .once)
        guard let item = answer["TargetGroups"].items.first else {
            throw ProviderError(.notUnderstood, "The answer has no target group.", operation: "elbv2.CreateTargetGroup")
        }
        try await aws.elbRefuseForeign(item["TargetGroupArn"].text, intent, "target group")
        return observed(item)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        if let check = new.healthCheck, check != old.healthCheck {
            _ = try await aws.elbChange(
                "ModifyTargetGroup",
                [.init("TargetGroupArn", .string(id.rawValue))]
                    + wire(check, new.protocolVersion ?? old.protocolVersion))
        }
        try await aws.elbUpdateAttributes(
            "ModifyTargetGroupAttributes", "TargetGroupArn", id.rawValue, from: old.allAttributes,
            to: new.allAttributes)
        try await aws.elbUpdateTags(id.rawValue, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        do throws(ProviderError) {
            try await aws.delete(.elbv2, "DeleteTargetGroup", ["TargetGroupArn": .string(id.rawValue)])
        } catch {
            guard error.kind == .inUse else { throw error }
            throw error.naming((try? await aws.holders(ofTargetGroup: id.rawValue)) ?? [])
        }
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        guard text.hasPrefix("arn:"), text.contains(":targetgroup/") else { throw Self.badID(text) }
        return RemoteID(text)
    }

    // MARK: - Wire format

    private func wire(_ check: HealthCheck, _ version: String?) -> [AWSInput.Field] {
        [
            .init("HealthCheckEnabled", .optional(check.isEnabled)),
            .init("HealthCheckProtocol", .nonEmpty(check.protocolName)),
            .init("HealthCheckPort", .nonEmpty(check.port)), .init("HealthCheckPath", .nonEmpty(check.path)),
            .init("HealthCheckIntervalSeconds", .optional(check.interval)),
            .init("HealthCheckTimeoutSeconds", .optional(check.timeout)),
            .init("HealthyThresholdCount", .optional(check.healthyThreshold)),
            .init("UnhealthyThresholdCount", .optional(check.unhealthyThreshold)),
            .init(
                "Matcher",
                check.matcher.filled.map { [version == "GRPC" ? "GrpcCode" : "HttpCode": .string($0)] } ?? .absent),
        ]
    }

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        var outputs = Outputs()
        let arn = item["TargetGroupArn"].text
        arguments.name = item["TargetGroupName"].text
        arguments.port = item["Port"].integer
        arguments.protocolName = item["Protocol"].text
        arguments.protocolVersion = item["ProtocolVersion"].text
        arguments.vpcID = item["VpcId"].text
        arguments.targetType = item["TargetType"].nonEmpty ?? "instance"
        arguments.ipAddressType = item["IpAddressType"].nonEmpty ?? "ipv4"
        var check = HealthCheck()
        check.isEnabled = item["HealthCheckEnabled"].boolean ?? true
        check.healthyThreshold = item["HealthyThresholdCount"].integer
        check.unhealthyThreshold = item["UnhealthyThresholdCount"].integer
        check.interval = item["HealthCheckIntervalSeconds"].integer
        check.timeout = item["HealthCheckTimeoutSeconds"].integer
        check.matcher = item["Matcher"]["GrpcCode"].nonEmpty ?? item["Matcher"]["HttpCode"].text
        check.path = item["HealthCheckPath"].text
        check.port = item["HealthCheckPort"].nonEmpty ?? "traffic-port"
        check.protocolName = item["HealthCheckProtocol"].text
        arguments.healthCheck = check
        outputs.arn = arn
        outputs.arnSuffix = ELBName.suffix(arn)
        return Observed(id: RemoteID(arn), arguments: arguments, outputs: outputs)
    }
}

extension TargetGroup.Arguments {
    fileprivate mutating func read(_ all: ELBAttributes) {
        attributes = Self(reading: all).attributes
        stickiness = .init(reading: all)
        failover = .init(reading: all)
        groupHealth = TargetGroup.GroupHealth(
            dnsFailover: .init(reading: all), routing: .init(reading: all))
        healthState = .init(reading: all)
    }
}

extension ProviderError {
    /// Says who holds on to what cannot be deleted.
    func naming(_ holders: [String]) -> ProviderError {
        if holders.isEmpty { return self }
        var error = self
        error.message += (message.hasSuffix(".") ? " " : ". ") + "It is used by \(holders.joined(separator: ", "))."
        error.hint = "What uses it must let go of it first; if that is not muster's, change it by hand."
        return error
    }
}
