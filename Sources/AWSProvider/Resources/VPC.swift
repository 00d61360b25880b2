import AWSClient
import MusterModel
import ProviderKit

/// A virtual private cloud.
///
/// Calls: `CreateVpc`, `DescribeVpcs`, `DescribeVpcAttribute`, `ModifyVpcAttribute`, `AssociateVpcCidrBlock`,
/// `DisassociateVpcCidrBlock`, `CreateTags`, `DeleteTags`, `DeleteVpc`.
/// Consistency: for up to 5 minutes after `create`, `read` may still miss it.
struct VPC: ManagedResource {
    struct Arguments: ArgumentBlock {
        var cidrBlock: String?
        var ipv4IpamPoolID: String?
        var ipv4NetmaskLength: Int?
        var assignsGeneratedIPv6: Bool?
        var ipv6CIDRBlock: String?
        var ipv6IpamPoolID: String?
        var ipv6NetmaskLength: Int?
        var ipv6BorderGroup: String?
        var instanceTenancy: String?
        var enablesDNSSupport: Bool?
        var enablesDNSHostnames: Bool?
        var enablesNetworkAddressUsageMetrics: Bool?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .argument(
                "cidr_block", \.cidrBlock, onChange: .replace, semantics: .cidr, constraints: [.ipv4CIDR],
                "The IPv4 network, from /16 to /28."),
            .argument(
                "ipv4_ipam_pool_id", \.ipv4IpamPoolID, onChange: .replace, isReadable: false,
                "The IPAM pool to take the network from, instead of or beside `cidr_block`."),
            .argument(
                "ipv4_netmask_length", \.ipv4NetmaskLength, onChange: .replace, constraints: [.range(16, 28)],
                isReadable: false, "The size of the network that is taken from the pool."),
            .argument(
                "assign_generated_ipv6_cidr_block", \.assignsGeneratedIPv6, absence: .means(false),
                constraints: [.conflictsWith(["ipv6_ipam_pool_id"])],
                "Whether the VPC has a /56 of Amazon's IPv6 addresses."),
            .argument(
                "ipv6_cidr_block", \.ipv6CIDRBlock, semantics: .cidr,
                constraints: [
                    .ipv6CIDR, .conflictsWith(["assign_generated_ipv6_cidr_block", "ipv6_netmask_length"]),
                ], "A certain IPv6 network out of the pool; needs `ipv6_ipam_pool_id`."),
            .argument(
                "ipv6_ipam_pool_id", \.ipv6IpamPoolID, absence: .means(""),
                "The IPAM pool to take the IPv6 network from."),
            .argument(
                "ipv6_netmask_length", \.ipv6NetmaskLength, constraints: [.range(44, 60)], isReadable: false,
                "The size of the IPv6 network that is taken from the pool."),
            .argument(
                "ipv6_cidr_block_network_border_group", \.ipv6BorderGroup,
                "Where Amazon's IPv6 network is announced: the region, or a Local Zone group."),
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
                "ipv6_cidr_block", \.ipv6CIDRBlock, changesWith: ipv6Arguments, "The IPv6 network, \"\" without one."),
            .output(
                "ipv6_association_id", \.ipv6AssociationID, changesWith: ipv6Arguments,
                "The id of the IPv6 network's association."),
        ]

        private static let ipv6Arguments = [
            "assign_generated_ipv6_cidr_block", "ipv6_cidr_block", "ipv6_ipam_pool_id",
            "ipv6_cidr_block_network_border_group",
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.vpc", "A virtual private cloud: a network of your own.", importSyntax: "vpc-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        var found = matching(known, in: try await listing(), id: "vpcId", observed)
        for object in known {
            guard var observed = found[object.id] else { continue }
            for attribute in VPCAttribute.all where object.declared.contains(attribute.argument) {
                observed.arguments[keyPath: attribute.path] = try await value(of: attribute, object.id)
            }
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await listing().map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        try await aws.ec2Tagged("DescribeVpcs", at: "vpcSet", intent: intent).first
            .map { Found(observed($0), isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        var input: AWSInput = [
            "CidrBlock": .network(desired.cidrBlock),
            "Ipv4IpamPoolId": .nonEmpty(desired.ipv4IpamPoolID),
            "Ipv4NetmaskLength": .optional(desired.ipv4NetmaskLength),
            "InstanceTenancy": .nonEmpty(desired.instanceTenancy),
        ]
        addIPv6(desired, to: &input)
        input["TagSpecification"] = aws.tagSpecification("vpc", desired.tags, intent)
        return observed(try await aws.ec2Change("CreateVpc", input, effect: .once)["vpc"])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        // Host names need DNS support: on before, off after.
        let isTurningOn = new.enablesDNSSupport ?? true
        for attribute in isTurningOn ? VPCAttribute.all : VPCAttribute.all.reversed() {
            guard let value = new[keyPath: attribute.path], value != old[keyPath: attribute.path] else { continue }
            _ = try await aws.ec2Change(
                "ModifyVpcAttribute",
                ["VpcId": .string(id.rawValue), attribute.wireName: ["Value": .boolean(value)]])
        }
        let changesIPv6 = isIPv6Changed(from: old, to: new)
        if changesIPv6 { try await updateIPv6(id, new) }
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        guard changesIPv6 else { return nil }
        return try await current(id).map(observed)
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.ec2, "DeleteVpc", ["VpcId": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { try Self.checkedID(text, prefix: "vpc-") }

    private func listing() async throws(ProviderError) -> [XMLElement] {
        try await aws.ec2List("DescribeVpcs", at: "vpcSet")
    }

    private func current(_ id: RemoteID) async throws(ProviderError) -> XMLElement? {
        try await aws.ec2Now("DescribeVpcs", at: "vpcSet", [("vpc-id", [id.rawValue])]).first
    }

    /// nil when the VPC went between the listing and this.
    private func value(of attribute: VPCAttribute, _ id: RemoteID) async throws(ProviderError) -> Bool? {
        let answer = try await aws.look(
            .ec2, "DescribeVpcAttribute", ["VpcId": .string(id.rawValue), "Attribute": .string(attribute.name)])
        return answer?.xml[attribute.name]["value"].boolean
    }

    // MARK: IPv6

    /// A VPC has one IPv6 network of Amazon's or of a pool here; `new` decides, as far as it says anything.
    private func isIPv6Changed(from old: Arguments, to new: Arguments) -> Bool {
        let isGeneratedChanged = new.assignsGeneratedIPv6.map { $0 != old.assignsGeneratedIPv6 ?? false } ?? false
        let isPoolChanged = new.ipv6IpamPoolID.map { $0 != old.ipv6IpamPoolID ?? "" } ?? false
        let isNetworkChanged =
            new.ipv6CIDRBlock.filled.map { canonicalNetwork($0) != old.ipv6CIDRBlock.map(canonicalNetwork) } ?? false
        let isGroupChanged = new.ipv6BorderGroup.filled.map { $0 != old.ipv6BorderGroup } ?? false
        // AWS does not tell the length that was asked for: only what was recorded can be seen to change.
        let isLengthChanged =
            old.ipv6NetmaskLength != nil && new.ipv6NetmaskLength.map { $0 != old.ipv6NetmaskLength } ?? false
        return isGeneratedChanged || isPoolChanged || isNetworkChanged || isGroupChanged || isLengthChanged
    }

    private func updateIPv6(_ id: RemoteID, _ new: Arguments) async throws(ProviderError) {
        if let association = try await current(id).flatMap(ipv6Association) {
            try await aws.ec2Undo(
                "DisassociateVpcCidrBlock", ["AssociationId": .string(association["associationId"].text)])
        }
        guard new.assignsGeneratedIPv6 == true || new.ipv6IpamPoolID.filled != nil else { return }
        var input: AWSInput = ["VpcId": .string(id.rawValue)]
        addIPv6(new, to: &input)
        _ = try await aws.ec2Change("AssociateVpcCidrBlock", input)
    }

    private func addIPv6(_ arguments: Arguments, to input: inout AWSInput) {
        input["AmazonProvidedIpv6CidrBlock"] = arguments.assignsGeneratedIPv6 == true ? true : .absent
        input["Ipv6IpamPoolId"] = .nonEmpty(arguments.ipv6IpamPoolID)
        input["Ipv6CidrBlock"] = .network(arguments.ipv6CIDRBlock)
        input["Ipv6NetmaskLength"] = .optional(arguments.ipv6NetmaskLength)
        input["Ipv6CidrBlockNetworkBorderGroup"] = .nonEmpty(arguments.ipv6BorderGroup)
    }

    // MARK: - Wire format

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        var outputs = Outputs()
        let id = item["vpcId"].text
        let association = ipv6Association(item)
        let pool = association?["ipv6Pool"].text ?? ""
        let isOfIPAM = pool.hasPrefix("ipam-pool-")
        arguments.cidrBlock = item["cidrBlock"].text
        arguments.assignsGeneratedIPv6 = association != nil && !isOfIPAM
        arguments.ipv6IpamPoolID = isOfIPAM ? pool : ""
        arguments.ipv6CIDRBlock = association?["ipv6CidrBlock"].text ?? ""
        arguments.ipv6BorderGroup = association?["networkBorderGroup"].text ?? ""
        arguments.instanceTenancy = item["instanceTenancy"].nonEmpty ?? "default"
        arguments.tags = item.tags
        outputs.ownerID = item["ownerId"].nonEmpty
        outputs.arn = outputs.ownerID.map { aws.ec2ARN("vpc/\(id)", account: $0) }
        outputs.dhcpOptionsID = item["dhcpOptionsId"].nonEmpty
        outputs.ipv6CIDRBlock = association?["ipv6CidrBlock"].text ?? ""
        outputs.ipv6AssociationID = association?["associationId"].text ?? ""
        let state = item["state"].text
        let isAssociating = association?["ipv6CidrBlockState"]["state"].text == "associating"
        return Observed(
            id: RemoteID(id), arguments: arguments, outputs: outputs,
            status: state == "pending" ? .pending(state) : isAssociating ? .pending("associating") : .ready)
    }

    private func ipv6Association(_ item: XMLElement) -> XMLElement? {
        item["ipv6CidrBlockAssociationSet"].items.first {
            !["disassociated", "disassociating", "failed", "failing"].contains($0["ipv6CidrBlockState"]["state"].text)
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
