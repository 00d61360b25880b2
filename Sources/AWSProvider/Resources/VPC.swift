import AWSClient
import MusterModel
import ProviderKit

/// A virtual private cloud.
///
/// Calls: `CreateVpc`, `DescribeVpcs`, `DescribeVpcAttribute`, `ModifyVpcAttribute`, `ModifyVpcTenancy`,
/// `AssociateVpcCidrBlock`, `DisassociateVpcCidrBlock`, `CreateTags`, `DeleteTags`, `DeleteVpc`.
/// Consistency: for up to 5 minutes after `create`, `read` may still miss it.
struct VPC: ManagedResource {
    struct Arguments: ArgumentBlock {
        var cidrBlock: String?
        var ipv4IpamPoolID: String?
        var ipv4NetmaskLength: Int?
        var assignsGeneratedIPv6: Bool?
        var instanceTenancy: String?
        var enablesDNSSupport: Bool?
        var enablesDNSHostnames: Bool?
        var enablesNetworkAddressUsageMetrics: Bool?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .argument(
                "cidr_block", \.cidrBlock, onChange: .replace, semantics: .cidr,
                constraints: [.ipv4CIDR, .conflictsWith(["ipv4_ipam_pool_id"])],
                "The IPv4 network, from /16 to /28."),
            .argument(
                "ipv4_ipam_pool_id", \.ipv4IpamPoolID, onChange: .replace, isReadable: false,
                "The IPAM pool to take the network from, instead of `cidr_block`."),
            .argument(
                "ipv4_netmask_length", \.ipv4NetmaskLength, onChange: .replace, constraints: [.range(16, 28)],
                isReadable: false, "The size of the network that is taken from the pool."),
            .argument(
                "assign_generated_ipv6_cidr_block", \.assignsGeneratedIPv6, absence: .means(false),
                "Whether the VPC has a /56 of Amazon's IPv6 addresses."),
            .argument(
                "instance_tenancy", \.instanceTenancy, absence: .means("default"), onChange: .replace,
                constraints: [.allowed(["default", "dedicated"])],
                "Where instances run by default: on shared hardware (`default`) or on their own (`dedicated`)."),
            .argument(
                "enable_dns_support", \.enablesDNSSupport, needsOwnRead: true, isSetAfterCreate: true,
                "Whether AWS resolves names in the VPC; AWS's own default is true."),
            .argument(
                "enable_dns_hostnames", \.enablesDNSHostnames, needsOwnRead: true, isSetAfterCreate: true,
                "Whether instances with public addresses get public names; needs `enable_dns_support`."),
            .argument(
                "enable_network_address_usage_metrics", \.enablesNetworkAddressUsageMetrics, needsOwnRead: true,
                isSetAfterCreate: true, "Whether CloudWatch counts the addresses in use."),
            .tags(\.tags),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var ownerID: String?
        var dhcpOptionsID: String?
        var ipv6CIDRBlock: String?
        var ipv6AssociationID: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("owner_id", \.ownerID, "The account that owns it."),
            .output("dhcp_options_id", \.dhcpOptionsID, "The DHCP options in use."),
            .output(
                "ipv6_cidr_block", \.ipv6CIDRBlock, changesWith: ["assign_generated_ipv6_cidr_block"],
                "The IPv6 network."),
            .output(
                "ipv6_association_id", \.ipv6AssociationID, changesWith: ["assign_generated_ipv6_cidr_block"],
                "The id of the IPv6 network's association."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.vpc", "A virtual private cloud: a network of your own.", importSyntax: "vpc-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let items = try await aws.ec2List("DescribeVpcs", at: "vpcSet")
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            guard let item = items.first(where: { $0["vpcId"].text == object.id.rawValue }) else { continue }
            var observed = observed(item)
            for attribute in VPCAttribute.all where object.declared.contains(attribute.argument) {
                let answer = try await aws.call(
                    .ec2, "DescribeVpcAttribute",
                    ["VpcId": .string(object.id.rawValue), "Attribute": .string(attribute.name)], effect: .read)
                observed.arguments[keyPath: attribute.path] = answer.xml[attribute.name]["value"].boolean
            }
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.ec2List("DescribeVpcs", at: "vpcSet").map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        try await aws.ec2Tagged("DescribeVpcs", at: "vpcSet", intent: intent).first
            .map { Found(observed($0), isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.call(
            .ec2, "CreateVpc",
            [
                "CidrBlock": .optional(desired.cidrBlock),
                "Ipv4IpamPoolId": .optional(desired.ipv4IpamPoolID),
                "Ipv4NetmaskLength": .optional(desired.ipv4NetmaskLength),
                "AmazonProvidedIpv6CidrBlock": desired.assignsGeneratedIPv6 == true ? true : .absent,
                "InstanceTenancy": .optional(desired.instanceTenancy),
                "TagSpecification": aws.tagSpecification("vpc", desired.tags, intent),
            ], effect: .once)
        return observed(answer.xml["vpc"])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        // Host names need DNS support: on before, off after.
        let isTurningOn = new.enablesDNSSupport ?? true
        for attribute in isTurningOn ? VPCAttribute.all : VPCAttribute.all.reversed() {
            guard let value = new[keyPath: attribute.path], value != old[keyPath: attribute.path] else { continue }
            _ = try await aws.call(
                .ec2, "ModifyVpcAttribute",
                ["VpcId": .string(id.rawValue), attribute.wireName: ["Value": .boolean(value)]], effect: .idempotent)
        }
        if let wanted = new.assignsGeneratedIPv6, wanted != (old.assignsGeneratedIPv6 ?? false) {
            try await setIPv6(id, wanted)
        }
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.ec2, "DeleteVpc", ["VpcId": .string(id.rawValue)])
    }

    private func setIPv6(_ id: RemoteID, _ isWanted: Bool) async throws(ProviderError) {
        if isWanted {
            _ = try await aws.call(
                .ec2, "AssociateVpcCidrBlock",
                ["VpcId": .string(id.rawValue), "AmazonProvidedIpv6CidrBlock": true], effect: .idempotent)
            return
        }
        let items = try await aws.list(
            AWSOperation(
                .ec2, "DescribeVpcs", ["Filter": [["Name": "vpc-id", "Value": [.string(id.rawValue)]]]],
                effect: .read), .ec2, at: "vpcSet")
        guard let association = items.first.flatMap(ipv6Association) else { return }
        try await aws.delete(
            .ec2, "DisassociateVpcCidrBlock", ["AssociationId": .string(association["associationId"].text)])
    }

    // MARK: - Wire format

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        var outputs = Outputs()
        let id = item["vpcId"].text
        let association = ipv6Association(item)
        arguments.cidrBlock = item["cidrBlock"].text
        arguments.assignsGeneratedIPv6 = association != nil
        arguments.instanceTenancy = item["instanceTenancy"].nonEmpty ?? "default"
        arguments.tags = item.tags
        outputs.ownerID = item["ownerId"].nonEmpty
        outputs.arn = outputs.ownerID.map { aws.ec2ARN("vpc/\(id)", account: $0) }
        outputs.dhcpOptionsID = item["dhcpOptionsId"].nonEmpty
        outputs.ipv6CIDRBlock = association?["ipv6CidrBlock"].nonEmpty
        outputs.ipv6AssociationID = association?["associationId"].nonEmpty
        let state = item["state"].text
        return Observed(
            id: RemoteID(id), arguments: arguments, outputs: outputs,
            status: state == "pending" ? .pending(state) : .ready)
    }

    private func ipv6Association(_ item: XMLElement) -> XMLElement? {
        item["ipv6CidrBlockAssociationSet"].items.first {
            !["disassociated", "disassociating", "failed"].contains($0["ipv6CidrBlockState"]["state"].text)
        }
    }
}

/// The attributes of a VPC that are read and changed one by one.
private struct VPCAttribute: Sendable {
    let argument: String
    /// As `DescribeVpcAttribute` names it.
    let name: String
    /// As `ModifyVpcAttribute` names it.
    let wireName: String
    let path: any WritableKeyPath<VPC.Arguments, Bool?> & Sendable

    static let all: [VPCAttribute] = [
        VPCAttribute(
            argument: "enable_dns_support", name: "enableDnsSupport", wireName: "EnableDnsSupport",
            path: \.enablesDNSSupport),
        VPCAttribute(
            argument: "enable_dns_hostnames", name: "enableDnsHostnames", wireName: "EnableDnsHostnames",
            path: \.enablesDNSHostnames),
        VPCAttribute(
            argument: "enable_network_address_usage_metrics", name: "enableNetworkAddressUsageMetrics",
            wireName: "EnableNetworkAddressUsageMetrics", path: \.enablesNetworkAddressUsageMetrics),
    ]
}
