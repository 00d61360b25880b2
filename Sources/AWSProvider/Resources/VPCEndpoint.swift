import AWSClient
import MusterModel
import ProviderKit

/// An endpoint of a VPC: a private way to a service.
///
/// Calls: `CreateVpcEndpoint`, `DescribeVpcEndpoints`, `ModifyVpcEndpoint`, `CreateTags`, `DeleteTags`,
/// `DeleteVpcEndpoints`. Making and changing endpoints is the slowest of AWS's budgets (4, then 0.3 per second), so
/// all changes go in one call.
struct VPCEndpoint: ManagedResource {
    struct Arguments: ArgumentBlock {
        var vpcID = ""
        var serviceName: String?
        var serviceNetworkARN: String?
        var resourceConfigurationARN: String?
        var serviceRegion: String?
        var kind: String?
        var policy: Value?
        var routeTableIDs: [String]?
        var subnetIDs: [String]?
        var securityGroupIDs: [String]?
        var hasPrivateDNS: Bool?
        var ipAddressType: String?
        var dnsOptions: DNSOptions?
        var tags: [String: String]?

        static let services = ["service_name", "service_network_arn", "resource_configuration_arn"]

        static let fields: [Field<Self>] = [
            .required("vpc_id", \.vpcID, onChange: .replace, reference: .vpc, "The VPC."),
            .argument(
                "service_name", \.serviceName, onChange: .replace, constraints: [.exactlyOne(services)],
                "The service, such as com.amazonaws.us-east-1.s3."),
            .argument(
                "service_network_arn", \.serviceNetworkARN, onChange: .replace,
                "The service network, for the type ServiceNetwork."),
            .argument(
                "resource_configuration_arn", \.resourceConfigurationARN, onChange: .replace,
                "The resource configuration, for the type Resource."),
            .argument(
                "service_region", \.serviceRegion, onChange: .replace,
                "The service's region, where it is another one."),
            .argument(
                "vpc_endpoint_type", \.kind, absence: .means("Gateway"), onChange: .replace,
                constraints: [
                    .allowed(["Gateway", "Interface", "GatewayLoadBalancer", "Resource", "ServiceNetwork"])
                ],
                "Gateway (S3, DynamoDB) works through route tables, the others through addresses in subnets."),
            .argument(
                "policy", \.policy, semantics: .policyDocument,
                "Who may do what through the endpoint; left out, AWS allows everything; \"\" brings that back."),
            .argument(
                "route_table_ids", \.routeTableIDs, type: .set(.string), reference: .routeTable,
                "The tables that lead to a Gateway endpoint."),
            .argument(
                "subnet_ids", \.subnetIDs, type: .set(.string), reference: .subnet, holds: true,
                "The subnets where the endpoint has addresses."),
            .argument(
                "security_group_ids", \.securityGroupIDs, type: .set(.string), reference: .securityGroup,
                "The groups that guard an Interface endpoint."),
            .argument(
                "private_dns_enabled", \.hasPrivateDNS, "Whether the service's usual name leads to the endpoint."),
            .argument(
                "ip_address_type", \.ipAddressType, constraints: [.allowed(["ipv4", "ipv6", "dualstack"])],
                "The kind of its addresses."),
            .argument("dns_options", \.dnsOptions, "How its names are resolved."),
            .tags(\.tags),
        ]
    }

    /// How the names of an endpoint are resolved.
    struct DNSOptions: ArgumentBlock {
        var recordIPType: String?
        var isForInboundResolverOnly: Bool?

        static let fields: [Field<Self>] = [
            .argument(
                "dns_record_ip_type", \.recordIPType,
                constraints: [.allowed(["ipv4", "ipv6", "dualstack", "service-defined"])],
                "The kind of records that are made."),
            .argument(
                "private_dns_only_for_inbound_resolver_endpoint", \.isForInboundResolverOnly,
                "Whether only inbound resolver endpoints get the private name; needs a Gateway endpoint beside it."),
        ]
    }

    struct DNSEntry: ArgumentBlock {
        var name: String?
        var hostedZoneID: String?

        static let fields: [Field<Self>] = [
            .output("dns_name", \.name, "The name."),
            .output("hosted_zone_id", \.hostedZoneID, "The zone that an alias to it names."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var ownerID: String?
        var state: String?
        var isRequesterManaged: Bool?
        var networkInterfaceIDs: [String]?
        var dnsEntries: [DNSEntry]?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("owner_id", \.ownerID, "The account that owns it."),
            .output("state", \.state, "`available`, `pendingacceptance` and so on."),
            .output("requester_managed", \.isRequesterManaged, "Whether a service of AWS manages it."),
            .output(
                "network_interface_ids", \.networkInterfaceIDs, changesWith: ["subnet_ids"],
                "Its network interfaces."),
            .output(
                "dns_entry", \.dnsEntries, changesWith: ["subnet_ids", "private_dns_enabled", "dns_options"],
                "Its names."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.vpc_endpoint", "A VPC endpoint: a private way to a service.", isServing: true,
        timeouts: Timeouts(create: 600, update: 600, delete: 600), importSyntax: "vpce-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        matching(known, in: try await listing(), id: "vpcEndpointId", observed)
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await listing().compactMap(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        try await aws.ec2Tagged("DescribeVpcEndpoints", at: "vpcEndpointSet", intent: intent)
            .lazy.compactMap(observed).first.map { Found($0, isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.ec2Change(
            "CreateVpcEndpoint",
            [
                "VpcEndpointType": .string(desired.kind.filled ?? "Gateway"),
                "VpcId": .string(desired.vpcID),
                "ServiceName": .nonEmpty(desired.serviceName),
                "ServiceNetworkArn": .nonEmpty(desired.serviceNetworkARN),
                "ResourceConfigurationArn": .nonEmpty(desired.resourceConfigurationARN),
                "ServiceRegion": .nonEmpty(desired.serviceRegion),
                "PolicyDocument": .policy(desired.policy),
                "RouteTableId": .set(desired.routeTableIDs),
                "SubnetId": .set(desired.subnetIDs),
                "SecurityGroupId": .set(desired.securityGroupIDs),
                "PrivateDnsEnabled": .optional(desired.hasPrivateDNS),
                "IpAddressType": .nonEmpty(desired.ipAddressType),
                "DnsOptions": input(desired.dnsOptions),
                "ClientToken": .string(intent.token),
                "TagSpecification": aws.tagSpecification("vpc-endpoint", desired.tags, intent),
            ])
        let item = answer["vpcEndpoint"]
        return observed(item) ?? Observed(id: RemoteID(item["vpcEndpointId"].text), arguments: desired)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let isModified = try await modify(id, from: old, to: new)
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        guard isModified else { return nil }
        return try await current(id).flatMap(observed)
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        let output: AWSOutput
        do throws(ProviderError) {
            output = try await aws.call(
                .ec2, "DeleteVpcEndpoints", ["VpcEndpointId": [.string(id.rawValue)]], effect: .idempotent)
        } catch {
            if error.kind == .notFound { return }
            throw error
        }
        // The call succeeds even where the deletion does not.
        for item in output.xml["unsuccessful"].items {
            let failure = ProviderError(
                code: item["error"]["code"].text, message: item["error"]["message"].text,
                operation: "ec2.DeleteVpcEndpoints", requestID: output.requestID)
            if failure.kind != .notFound { throw failure }
        }
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { try Self.checkedID(text, prefix: "vpce-") }

    /// One call with all differences; false when there are none.
    private func modify(_ id: RemoteID, from old: Arguments, to new: Arguments) async throws(ProviderError) -> Bool {
        var input: AWSInput = ["VpcEndpointId": .string(id.rawValue)]
        let isSetChanged = [
            (old.routeTableIDs, new.routeTableIDs), (old.subnetIDs, new.subnetIDs),
            (old.securityGroupIDs, new.securityGroupIDs),
        ].contains { setDifference($0, $1) != ([], []) }
        if isSetChanged {
            // Adding what is there is an error, so a repeated update must look first.
            guard let there = try await current(id).flatMap(observed)?.arguments else {
                throw ProviderError(
                    .notYetVisible, "The endpoint \(id) is not there.", operation: "ec2.DescribeVpcEndpoints")
            }
            for (name, before, after) in [
                ("RouteTableId", there.routeTableIDs, new.routeTableIDs),
                ("SubnetId", there.subnetIDs, new.subnetIDs),
                ("SecurityGroupId", there.securityGroupIDs, new.securityGroupIDs),
            ] {
                let change = setDifference(before, after)
                input["Add\(name)"] = .set(change.added)
                input["Remove\(name)"] = .set(change.removed)
            }
        }
        if let policy = new.policy, policy != old.policy {
            if policy == "" { input["ResetPolicy"] = true } else { input["PolicyDocument"] = .policy(policy) }
        }
        if let flag = new.hasPrivateDNS, flag != old.hasPrivateDNS { input["PrivateDnsEnabled"] = .boolean(flag) }
        if let type = new.ipAddressType.filled, type != old.ipAddressType { input["IpAddressType"] = .string(type) }
        if let options = new.dnsOptions, options != old.dnsOptions { input["DnsOptions"] = self.input(options) }
        guard case .structure(let fields) = input,
            fields.contains(where: { $0.value != .absent && $0.name != "VpcEndpointId" })
        else { return false }
        _ = try await aws.ec2Change("ModifyVpcEndpoint", input)
        return true
    }

    private func listing() async throws(ProviderError) -> [XMLElement] {
        try await aws.ec2List("DescribeVpcEndpoints", at: "vpcEndpointSet")
    }

    private func current(_ id: RemoteID) async throws(ProviderError) -> XMLElement? {
        try await aws.ec2Now("DescribeVpcEndpoints", at: "vpcEndpointSet", [("vpc-endpoint-id", [id.rawValue])]).first
    }

    // MARK: - Wire format

    private func input(_ options: DNSOptions?) -> AWSInput {
        guard let options else { return .absent }
        return [
            "DnsRecordIpType": .nonEmpty(options.recordIPType),
            "PrivateDnsOnlyForInboundResolverEndpoint": .optional(options.isForInboundResolverOnly),
        ]
    }

    private func observed(_ item: XMLElement) -> Observed<Self>? {
        let state = item["state"].text.lowercased()
        if state == "deleted" { return nil }
        var arguments = Arguments()
        var outputs = Outputs()
        let id = item["vpcEndpointId"].text
        arguments.vpcID = item["vpcId"].text
        arguments.serviceName = item["serviceName"].text
        arguments.serviceNetworkARN = item["serviceNetworkArn"].text
        arguments.resourceConfigurationARN = item["resourceConfigurationArn"].text
        arguments.serviceRegion = item["serviceRegion"].text
        arguments.kind = item["vpcEndpointType"].nonEmpty ?? "Gateway"
        arguments.policy = .string(item["policyDocument"].text)
        arguments.routeTableIDs = item["routeTableIdSet"].texts.sorted()
        arguments.subnetIDs = item["subnetIdSet"].texts.sorted()
        arguments.securityGroupIDs = item["groupSet"].items.map { $0["groupId"].text }.sorted()
        arguments.hasPrivateDNS = item["privateDnsEnabled"].boolean ?? false
        arguments.ipAddressType = item["ipAddressType"].text
        arguments.dnsOptions = DNSOptions(
            recordIPType: item["dnsOptions"]["dnsRecordIpType"].text,
            isForInboundResolverOnly: item["dnsOptions"]["privateDnsOnlyForInboundResolverEndpoint"].boolean ?? false)
        arguments.tags = item.tags
        outputs.ownerID = item["ownerId"].nonEmpty
        outputs.arn = outputs.ownerID.map { aws.ec2ARN("vpc-endpoint/\(id)", account: $0) }
        outputs.state = state
        outputs.isRequesterManaged = item["requesterManaged"].boolean ?? false
        outputs.networkInterfaceIDs = item["networkInterfaceIdSet"].texts.sorted()
        outputs.dnsEntries = item["dnsEntrySet"].items.map {
            DNSEntry(name: $0["dnsName"].text, hostedZoneID: $0["hostedZoneId"].text)
        }
        return Observed(
            id: RemoteID(id), arguments: arguments, outputs: outputs, status: status(state, item))
    }

    private func status(_ state: String, _ item: XMLElement) -> Observation.Status {
        switch state {
        case "pending": return .pending(state)
        case "deleting": return .deleting(state)
        case "failed", "rejected", "expired":
            let reason = [
                item["lastError"]["code"].text, item["lastError"]["message"].nonEmpty ?? item["failureReason"].text,
            ].filter { !$0.isEmpty }
            return .failed(reason.isEmpty ? state : "\(state): \(reason.joined(separator: ": "))")
        default: return .ready
        }
    }
}
