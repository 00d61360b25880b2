import AWSClient
import MusterModel
import ProviderKit

/// A load balancer: application, network or gateway.
///
/// Calls: `CreateLoadBalancer`, `DescribeLoadBalancers`, `DescribeLoadBalancerAttributes` and
/// `DescribeCapacityReservation` (one object a call, where something of theirs is declared), `DescribeTags`,
/// `ModifyLoadBalancerAttributes`, `SetSubnets`, `SetSecurityGroups`, `SetIpAddressType`, `ModifyIpPools`,
/// `ModifyCapacityReservation`, `AddTags`, `RemoveTags`, `DeleteLoadBalancer`.
///
/// It is replaced delete-first: a target group serves one load balancer at a time, so that two cannot share what stands
/// behind them. Its interfaces outlive it by minutes and hold its groups and subnets.
struct LoadBalancer: ManagedResource {
    struct Arguments: AttributeBlock {
        var name = ""
        var isInternal: Bool?
        var kind: String?
        var subnets: [String]?
        var subnetMappings: [SubnetMapping]?
        var securityGroups: [String]?
        var ipAddressType: String?
        var customerOwnedPool: String?
        var ipamPools: IPAMPools?
        var minimumCapacity: MinimumCapacity?
        var enforcesPrivateLinkRules: String?
        var accessLogs: AccessLogs?
        var connectionLogs: ConnectionLogs?
        var attributes = ELBAttributes()
        var tags: [String: String]?

        static let attributeTable: [ELBAttribute] = [
            .flag(
                "enable_deletion_protection", "deletion_protection.enabled", usual: false, isDeletionGuard: true,
                "Whether AWS refuses to delete it."),
            .flag(
                "enable_cross_zone_load_balancing", "load_balancing.cross_zone.enabled",
                "Whether each zone sends to the targets of all; always true for an application load balancer."),
            .flag(
                "enable_zonal_shift", "zonal_shift.config.enabled", usual: false,
                "Whether a zone may be shifted away from."),
            .number(
                "idle_timeout", "idle_timeout.timeout_seconds", usual: 60, 1...4000,
                "For how many seconds a connection may say nothing."),
            .number(
                "client_keep_alive", "client_keep_alive.seconds", usual: 3600, 60...604_800,
                "For how many seconds a client may keep its connection."),
            .flag("enable_http2", "routing.http2.enabled", usual: true, "Whether clients may speak HTTP/2."),
            .flag(
                "drop_invalid_header_fields", "routing.http.drop_invalid_header_fields.enabled", usual: false,
                "Whether headers with invalid names are dropped."),
            .flag(
                "preserve_host_header", "routing.http.preserve_host_header.enabled", usual: false,
                "Whether targets get the Host header as it came."),
            .flag(
                "enable_tls_version_and_cipher_suite_headers",
                "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", usual: false,
                "Whether targets are told TLS version and cipher."),
            .flag(
                "enable_xff_client_port", "routing.http.xff_client_port.enabled", usual: false,
                "Whether X-Forwarded-For keeps the client's port."),
            .text(
                "xff_header_processing_mode", "routing.http.xff_header_processing.mode", usual: "append",
                constraints: [.allowed(["append", "preserve", "remove"])], "What is done to X-Forwarded-For."),
            .text(
                "desync_mitigation_mode", "routing.http.desync_mitigation_mode", usual: "defensive",
                constraints: [.allowed(["monitor", "defensive", "strictest"])], "How ambiguous requests are treated."),
            .flag(
                "enable_waf_fail_open", "waf.fail_open.enabled", usual: false,
                "Whether requests pass when the firewall cannot be asked."),
            .text(
                "dns_record_client_routing_policy", "dns_record.client_routing_policy", usual: "any_availability_zone",
                constraints: [
                    .allowed([
                        "any_availability_zone", "partial_availability_zone_affinity", "availability_zone_affinity",
                    ])
                ], "Which zone's addresses a client of a network load balancer is told."),
        ]

        static let fields: [Field<Self>] =
            [
                .required(
                    "name", \.name, onChange: .replace,
                    constraints: [
                        .length(1, 32),
                        .pattern(
                            "(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?",
                            "letters, digits and inner hyphens, not beginning with \"internal-\""),
                    ], "The name."),
                .argument(
                    "internal", \.isInternal, absence: .means(false), onChange: .replace,
                    "Whether it has private addresses only."),
                .argument(
                    "load_balancer_type", \.kind, absence: .means("application"), onChange: .replace,
                    constraints: [.allowed(["application", "network", "gateway"])],
                    "application (HTTP), network (TCP, UDP, TLS) or gateway."),
                .argument(
                    "subnets", \.subnets, type: .set(.string), reference: .subnet,
                    constraints: [.exactlyOne(["subnets", "subnet_mapping"])], holds: true,
                    "The subnets, one in each zone; an application load balancer wants two."),
                .argument(
                    "subnet_mapping", \.subnetMappings,
                    type: .set(.object(SubnetMapping.fields.map(\.schema)), key: "subnet_id"), holds: true,
                    "The subnets with addresses."),
                .argument(
                    "security_groups", \.securityGroups, type: .set(.string), reference: .securityGroup,
                    "The groups that guard it; left out, the VPC's default group guards an application load balancer."),
                .argument(
                    "ip_address_type", \.ipAddressType,
                    constraints: [.allowed(["ipv4", "dualstack", "dualstack-without-public-ipv4"])],
                    "The kind of its addresses; ipv4 for AWS."),
                .argument(
                    "customer_owned_ipv4_pool", \.customerOwnedPool, onChange: .replace,
                    "The pool of addresses on an Outpost."),
                .argument("ipam_pools", \.ipamPools, "Where its public addresses come from."),
                .argument(
                    "minimum_load_balancer_capacity", \.minimumCapacity, needsOwnRead: true, isSetAfterCreate: true,
                    "Capacity that is kept ready."),
                .argument(
                    "enforce_security_group_inbound_rules_on_private_link_traffic", \.enforcesPrivateLinkRules,
                    constraints: [.allowed(["on", "off"])], isSetAfterCreate: true,
                    "Whether the groups of a network load balancer guard what comes over PrivateLink; on for AWS."),
                .argument(
                    "access_logs", \.accessLogs, absence: .means(["enabled": false]), needsOwnRead: true,
                    isSetAfterCreate: true, "Where requests are written down."),
                .argument(
                    "connection_logs", \.connectionLogs, absence: .means(["enabled": false]), needsOwnRead: true,
                    isSetAfterCreate: true, "Where connections are written down."),
            ] + attributeTable.map { $0.field(of: Self.self) } + [.tags(\.tags)]

        /// The arguments that only `DescribeLoadBalancerAttributes` tells.
        static let readWithAttributes = Set(attributeTable.map(\.argument) + ["access_logs", "connection_logs"])

        /// All attributes, those of blocks too.
        var allAttributes: ELBAttributes {
            attributes.merging(accessLogs?.attributes, connectionLogs?.attributes)
        }
    }

    struct SubnetMapping: ArgumentBlock {
        var subnetID = ""
        var allocationID: String?
        var privateIPv4Address: String?
        var ipv6Address: String?

        static let fields: [Field<Self>] = [
            .required("subnet_id", \.subnetID, reference: .subnet, "The subnet."),
            .argument("allocation_id", \.allocationID, reference: .elasticIP, "The elastic IP to answer at."),
            .argument("private_ipv4_address", \.privateIPv4Address, "The private address to answer at."),
            .argument("ipv6_address", \.ipv6Address, "The IPv6 address to answer at."),
        ]
    }

    struct IPAMPools: ArgumentBlock {
        var ipv4PoolID: String?

        static let fields: [Field<Self>] = [
            .argument("ipv4_ipam_pool_id", \.ipv4PoolID, isRequired: true, "The pool of IPv4 addresses.")
        ]
    }

    struct MinimumCapacity: ArgumentBlock {
        var units: Int?

        static let fields: [Field<Self>] = [
            .argument("capacity_units", \.units, isRequired: true, "How many capacity units; 0 keeps none.")
        ]
    }

    struct AccessLogs: AttributeBlock {
        var attributes = ELBAttributes()
        static let attributeTable = logTable("access_logs")
        static let fields: [Field<Self>] = attributeTable.map { $0.field(of: Self.self, isOwn: false) }
    }

    struct ConnectionLogs: AttributeBlock {
        var attributes = ELBAttributes()
        static let attributeTable = logTable("connection_logs")
        static let fields: [Field<Self>] = attributeTable.map { $0.field(of: Self.self, isOwn: false) }
    }

    private static func logTable(_ kind: String) -> [ELBAttribute] {
        [
            .text("bucket", "\(kind).s3.bucket", "The S3 bucket; it must let load balancing write."),
            .flag("enabled", "\(kind).s3.enabled", usual: false, "Whether it is written at all."),
            .text("prefix", "\(kind).s3.prefix", usual: "", "The folder in the bucket."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var arnSuffix: String?
        var dnsName: String?
        var zoneID: String?
        var vpcID: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN, which is also its id."),
            .output("arn_suffix", \.arnSuffix, "`app/NAME/ID`, as metrics name it."),
            .output("dns_name", \.dnsName, "The name that AWS gave, in lower case."),
            .output("zone_id", \.zoneID, "The hosted zone that an alias to it names."),
            .output("vpc_id", \.vpcID, "The VPC that it stands in."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.load_balancer", "A load balancer: application, network or gateway.",
        naming: .unique(argument: "name", maximumLength: 32), isServing: true,
        timeouts: Timeouts(create: 600, update: 600, delete: 600), importSyntax: "the load balancer's ARN")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let items = Dictionary(
            try await aws.loadBalancers().map { ($0["LoadBalancerArn"].text, $0) },
            uniquingKeysWith: { first, _ in first })
        let present = known.filter { items[$0.id.rawValue] != nil }
        let tags = try await aws.elbTags(present.filter { $0.declared.contains("tags") }.map(\.id.rawValue))
        let details = try await aws.concurrently(present) { object async throws(ProviderError) -> Details in
            try await ask(about: object)
        }
        var found: [RemoteID: Observed<Self>] = [:]
        for (object, details) in zip(present, details) {
            guard let item = items[object.id.rawValue] else { continue }
            var observed = observed(item)
            if object.declared.contains("tags") { observed.arguments.tags = tags[object.id.rawValue] ?? [:] }
            if let attributes = details.attributes {
                observed.arguments.read(attributes)
            }
            observed.arguments.minimumCapacity = details.capacity.map { MinimumCapacity(units: $0) }
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.loadBalancers().map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        do throws(ProviderError) {
            let items = try await aws.call(
                .elbv2, "DescribeLoadBalancers", ["Names": [.string(desired.name)]], effect: .read
            ).xml["LoadBalancers"].items
            guard let item = items.first else { return nil }
            return Found(observed(item), isOurs: try await aws.elbIsOurs(item["LoadBalancerArn"].text, intent))
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let kind = desired.kind.filled ?? "application"
        let answer = try await aws.elbChange(
            "CreateLoadBalancer",
            [
                .init("Name", .string(desired.name)), .init("Type", .string(kind)),
                // Of a gateway load balancer nothing is said: it is always internal.
                .init(
                    "Scheme",
                    kind == "gateway" ? .absent : desired.isInternal == true ? "internal" : "internet-facing"),
                .init("Subnets", .set(desired.subnets)),
                .init("SubnetMappings", wire(desired.subnetMappings)),
                .init("SecurityGroups", .set(desired.securityGroups)),
                .init("IpAddressType", .nonEmpty(desired.ipAddressType)),
                .init("CustomerOwnedIpv4Pool", .nonEmpty(desired.customerOwnedPool)),
                .init("IpamPools", wire(desired.ipamPools)),
                .init("Tags", .tagList(desired.tags, intent)),
            ], effect: .once)
        guard let item = answer["LoadBalancers"].items.first else {
            throw ProviderError(
                .notUnderstood, "The answer has no load balancer.", operation: "elbv2.CreateLoadBalancer")
        }
        try await aws.elbRefuseForeign(item["LoadBalancerArn"].text, intent, "load balancer")
        return observed(item)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let arn = AWSInput.Field("LoadBalancerArn", .string(id.rawValue))
        if isOther(old.subnets, new.subnets) {
            _ = try await aws.elbChange("SetSubnets", [arn, .init("Subnets", .set(new.subnets))])
        } else if let mappings = new.subnetMappings, mappings != old.subnetMappings {
            _ = try await aws.elbChange("SetSubnets", [arn, .init("SubnetMappings", wire(mappings))])
        }
        let enforces = new.enforcesPrivateLinkRules.filled
        let changesEnforcement = enforces != nil && enforces != old.enforcesPrivateLinkRules.filled
        if isOther(old.securityGroups, new.securityGroups) || changesEnforcement {
            _ = try await aws.elbChange(
                "SetSecurityGroups",
                [
                    arn,
                    .init("SecurityGroups", .strings(Set(new.securityGroups ?? old.securityGroups ?? []).sorted())),
                    .init(
                        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
                        changesEnforcement ? .nonEmpty(enforces) : .absent),
                ])
        }
        if let type = new.ipAddressType.filled, type != old.ipAddressType {
            _ = try await aws.elbChange("SetIpAddressType", [arn, .init("IpAddressType", .string(type))])
        }
        if new.ipamPools != old.ipamPools, new.ipamPools != nil || old.ipamPools?.ipv4PoolID.filled != nil {
            _ = try await aws.elbChange(
                "ModifyIpPools",
                [
                    arn,
                    new.ipamPools == nil ? .init("RemoveIpamPools", ["ipv4"]) : .init("IpamPools", wire(new.ipamPools)),
                ])
        }
        if let units = new.minimumCapacity?.units, units != old.minimumCapacity?.units {
            _ = try await aws.elbChange(
                "ModifyCapacityReservation",
                [
                    arn,
                    units == 0
                        ? .init("ResetCapacityReservation", true)
                        : .init("MinimumLoadBalancerCapacity", ["CapacityUnits": .integer(units)]),
                ])
        }
        try await aws.elbUpdateAttributes(
            "ModifyLoadBalancerAttributes", "LoadBalancerArn", id.rawValue, from: old.allAttributes,
            to: new.allAttributes)
        try await aws.elbUpdateTags(id.rawValue, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        if last.attributes[flag: "deletion_protection.enabled"] == true {
            // Its owner protected it, and was asked: the plan names the hazard.
            do throws(ProviderError) {
                try await aws.elbUpdateAttributes(
                    "ModifyLoadBalancerAttributes", "LoadBalancerArn", id.rawValue, from: ELBAttributes(),
                    to: ELBAttributes(values: ["deletion_protection.enabled": "false"]))
            } catch {
                if error.kind == .notFound || error.kind == .notYetVisible { return }
                throw error
            }
        }
        do throws(ProviderError) {
            try await aws.delete(.elbv2, "DeleteLoadBalancer", ["LoadBalancerArn": .string(id.rawValue)])
        } catch {
            throw error.ofProtection(
                "Its deletion protection is on, and not by the spec: set enable_deletion_protection to false and apply "
                    + "that first.")
        }
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        guard text.hasPrefix("arn:"), text.contains(":loadbalancer/") else { throw Self.badID(text) }
        return RemoteID(text)
    }

    private struct Details: Sendable {
        var attributes: ELBAttributes?
        var capacity: Int?
    }

    private func ask(about object: Known<Self>) async throws(ProviderError) -> Details {
        var details = Details()
        if !object.declared.isDisjoint(with: Arguments.readWithAttributes) {
            details.attributes = try await aws.elbAttributes(
                "DescribeLoadBalancerAttributes", "LoadBalancerArn", object.id.rawValue)
        }
        if object.declared.contains("minimum_load_balancer_capacity") {
            let answer = try await aws.call(
                .elbv2, "DescribeCapacityReservation", ["LoadBalancerArn": .string(object.id.rawValue)], effect: .read)
            details.capacity = answer.xml["MinimumLoadBalancerCapacity"]["CapacityUnits"].integer ?? 0
        }
        return details
    }

    private func isOther(_ old: [String]?, _ new: [String]?) -> Bool {
        guard let new else { return false }
        return Set(old ?? []) != Set(new)
    }

    // MARK: - Wire format

    private func wire(_ mappings: [SubnetMapping]?) -> AWSInput {
        guard let mappings, !mappings.isEmpty else { return .absent }
        return .list(
            mappings.sorted { $0.subnetID < $1.subnetID }.map {
                [
                    "SubnetId": .string($0.subnetID), "AllocationId": .nonEmpty($0.allocationID),
                    "PrivateIPv4Address": .nonEmpty($0.privateIPv4Address), "IPv6Address": .nonEmpty($0.ipv6Address),
                ]
            })
    }

    private func wire(_ pools: IPAMPools?) -> AWSInput {
        pools.map { ["Ipv4IpamPoolId": .nonEmpty($0.ipv4PoolID)] } ?? .absent
    }

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        var outputs = Outputs()
        let arn = item["LoadBalancerArn"].text
        let zones = item["AvailabilityZones"].items.sorted { $0["SubnetId"].text < $1["SubnetId"].text }
        arguments.name = item["LoadBalancerName"].text
        arguments.kind = item["Type"].nonEmpty ?? "application"
        arguments.isInternal = item["Scheme"].text == "internal" && arguments.kind != "gateway"
        arguments.subnets = zones.map { $0["SubnetId"].text }
        arguments.subnetMappings = zones.map(mapping)
        arguments.securityGroups = item["SecurityGroups"].texts.sorted()
        arguments.ipAddressType = item["IpAddressType"].nonEmpty ?? "ipv4"
        arguments.customerOwnedPool = item["CustomerOwnedIpv4Pool"].text
        arguments.ipamPools = item["IpamPools"]["Ipv4IpamPoolId"].nonEmpty.map { IPAMPools(ipv4PoolID: $0) }
        arguments.enforcesPrivateLinkRules = item["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"].nonEmpty
        outputs.arn = arn
        outputs.arnSuffix = ELBName.suffix(arn)
        outputs.dnsName = item["DNSName"].text.lowercased()
        outputs.zoneID = item["CanonicalHostedZoneId"].text
        outputs.vpcID = item["VpcId"].text
        return Observed(id: RemoteID(arn), arguments: arguments, outputs: outputs, status: status(item["State"]))
    }

    private func mapping(_ zone: XMLElement) -> SubnetMapping {
        let address = zone["LoadBalancerAddresses"].items.first
        return SubnetMapping(
            subnetID: zone["SubnetId"].text, allocationID: address?["AllocationId"].text ?? "",
            privateIPv4Address: address?["PrivateIPv4Address"].text ?? "",
            ipv6Address: address?["IPv6Address"].text ?? "")
    }

    private func status(_ state: XMLElement) -> Observation.Status {
        switch state["Code"].text {
        case "provisioning": .pending("provisioning")
        case "failed": .failed(state["Reason"].nonEmpty ?? "failed")
        default: .ready
        }
    }
}

extension LoadBalancer.Arguments {
    fileprivate mutating func read(_ all: ELBAttributes) {
        attributes = Self(reading: all).attributes
        accessLogs = .init(reading: all)
        connectionLogs = .init(reading: all)
    }
}
