import AWSClient
import MusterModel
import ProviderKit

/// A subnet of a VPC.
///
/// Calls: `CreateSubnet`, `DescribeSubnets`, `ModifySubnetAttribute` (one attribute per call),
/// `AssociateSubnetCidrBlock`, `DisassociateSubnetCidrBlock`, `CreateTags`, `DeleteTags`, `DeleteSubnet`.
/// Consistency: for up to 5 minutes after `create`, `read` may still miss it.
struct Subnet: ManagedResource {
    struct Arguments: ArgumentBlock {
        var vpcID = ""
        var cidrBlock: String?
        var availabilityZone: String?
        var availabilityZoneID: String?
        var ipv6CIDRBlock: String?
        var isIPv6Native: Bool?
        var outpostARN: String?
        var mapsPublicIP: Bool?
        var assignsIPv6: Bool?
        var enablesDNS64: Bool?
        var hasNameARecord: Bool?
        var hasNameAAAARecord: Bool?
        var hostnameType: String?
        var customerOwnedPool: String?
        var mapsCustomerOwnedIP: Bool?
        var lniDeviceIndex: Int?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required("vpc_id", \.vpcID, onChange: .replace, reference: .vpc, "The VPC."),
            .argument(
                "cidr_block", \.cidrBlock, onChange: .replace, semantics: .cidr, constraints: [.ipv4CIDR],
                "The IPv4 network, inside that of the VPC; left out only with `ipv6_native`."),
            .argument(
                "availability_zone", \.availabilityZone, onChange: .replace,
                constraints: [.conflictsWith(["availability_zone_id"])],
                "The zone by name, such as us-east-1a; AWS chooses one if it is left out."),
            .argument(
                "availability_zone_id", \.availabilityZoneID, onChange: .replace,
                "The zone by its id, such as use1-az1, which is the same in every account."),
            .argument(
                "ipv6_cidr_block", \.ipv6CIDRBlock, absence: .means(""), semantics: .cidr, constraints: [.ipv6CIDR],
                "The IPv6 network, inside that of the VPC."),
            .argument(
                "ipv6_native", \.isIPv6Native, absence: .means(false), onChange: .replace,
                "Whether the subnet has no IPv4 at all; `assign_ipv6_address_on_creation` must then be true."),
            .argument("outpost_arn", \.outpostARN, onChange: .replace, "The Outpost that the subnet is on."),
            .argument(
                "map_public_ip_on_launch", \.mapsPublicIP, absence: .means(false), isSetAfterCreate: true,
                "Whether instances get a public address unless they say otherwise."),
            .argument(
                "assign_ipv6_address_on_creation", \.assignsIPv6, absence: .means(false), isSetAfterCreate: true,
                "Whether network interfaces get an IPv6 address."),
            .argument(
                "enable_dns64", \.enablesDNS64, absence: .means(false), isSetAfterCreate: true,
                "Whether the resolver makes IPv6 addresses for IPv4 destinations."),
            .argument(
                "enable_resource_name_dns_a_record_on_launch", \.hasNameARecord, absence: .means(false),
                isSetAfterCreate: true, "Whether host names made of instance ids have A records."),
            .argument(
                "enable_resource_name_dns_aaaa_record_on_launch", \.hasNameAAAARecord, absence: .means(false),
                isSetAfterCreate: true, "Whether host names made of instance ids have AAAA records."),
            .argument(
                "private_dns_hostname_type_on_launch", \.hostnameType,
                constraints: [.allowed(["ip-name", "resource-name"])], isSetAfterCreate: true,
                "What the host names of instances are made of: their address or their id."),
            .argument(
                "customer_owned_ipv4_pool", \.customerOwnedPool, isSetAfterCreate: true,
                "The pool of own addresses of an Outpost, with `map_customer_owned_ip_on_launch`."),
            .argument(
                "map_customer_owned_ip_on_launch", \.mapsCustomerOwnedIP, isSetAfterCreate: true,
                "Whether network interfaces on an Outpost get an address of its own pool."),
            .argument(
                "enable_lni_at_device_index", \.lniDeviceIndex, constraints: [.range(1, 15)], isSetAfterCreate: true,
                "The position of local network interfaces of an Outpost."),
            .tags(\.tags),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var ownerID: String?
        var availabilityZone: String?
        var availabilityZoneID: String?
        var ipv6AssociationID: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("owner_id", \.ownerID, "The account that owns it."),
            .output("availability_zone", \.availabilityZone, "The zone, also where AWS chose it."),
            .output("availability_zone_id", \.availabilityZoneID, "The zone's id."),
            .output(
                "ipv6_cidr_block_association_id", \.ipv6AssociationID, changesWith: ["ipv6_cidr_block"],
                "The id of the IPv6 network's association."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.subnet", "A subnet: a part of a VPC in one availability zone.",
        timeouts: Timeouts(create: 600, update: 600, delete: 1200), importSyntax: "subnet-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        matching(known, in: try await aws.ec2List("DescribeSubnets", at: "subnetSet"), id: "subnetId", observed)
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.ec2List("DescribeSubnets", at: "subnetSet").map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        if let item = try await aws.ec2Tagged("DescribeSubnets", at: "subnetSet", intent: intent).first {
            return Found(observed(item), isOurs: true)
        }
        guard let network = desired.cidrBlock else { return nil }
        return try await aws.ec2Now(
            "DescribeSubnets", at: "subnetSet",
            [("vpc-id", [desired.vpcID]), ("cidr-block", [canonicalNetwork(network)])]
        ).first.map { item in
            // The first look may have come too early.
            Found(observed(item), isOurs: item.tags[intent.tag.key] == intent.tag.value)
        }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.ec2Change(
            "CreateSubnet",
            [
                "VpcId": .string(desired.vpcID),
                "CidrBlock": .network(desired.cidrBlock),
                "AvailabilityZone": .nonEmpty(desired.availabilityZone),
                "AvailabilityZoneId": .nonEmpty(desired.availabilityZoneID),
                "Ipv6CidrBlock": .network(desired.ipv6CIDRBlock),
                "Ipv6Native": desired.isIPv6Native == true ? true : .absent,
                "OutpostArn": .nonEmpty(desired.outpostARN),
                "TagSpecification": aws.tagSpecification("subnet", desired.tags, intent),
            ], effect: .once)
        return observed(answer["subnet"])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let networks = new.ipv6CIDRBlock.map { (old.ipv6CIDRBlock.filled, Optional($0).filled) } ?? (nil, nil)
        let changesNetwork = networks.0.map(canonicalNetwork) != networks.1.map(canonicalNetwork)
        // Addresses need the network: it comes before what uses it and goes after.
        if changesNetwork, let network = networks.1 {
            if networks.0 != nil { try await removeIPv6(id) }
            _ = try await aws.ec2Change(
                "AssociateSubnetCidrBlock",
                ["SubnetId": .string(id.rawValue), "Ipv6CidrBlock": .network(network)])
        }
        for attribute in SubnetAttribute.all {
            guard let value = new[keyPath: attribute.path], value != old[keyPath: attribute.path] ?? false else {
                continue
            }
            try await set(id, [attribute.wireName: ["Value": .boolean(value)]])
        }
        if let type = new.hostnameType.filled, type != old.hostnameType {
            try await set(id, ["PrivateDnsHostnameTypeOnLaunch": .string(type)])
        }
        try await updateOutpost(id, from: old, to: new)
        if changesNetwork, networks.1 == nil { try await removeIPv6(id) }
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        guard changesNetwork else { return nil }
        return try await current(id).map(observed)
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.ec2, "DeleteSubnet", ["SubnetId": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        try Self.checkedID(text, prefix: "subnet-")
    }

    private func set(_ id: RemoteID, _ attribute: AWSInput) async throws(ProviderError) {
        var input: AWSInput = ["SubnetId": .string(id.rawValue)]
        guard case .structure(let fields) = attribute else { return }
        for field in fields { input[field.name] = field.value }
        _ = try await aws.ec2Change("ModifySubnetAttribute", input)
    }

    private func updateOutpost(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) {
        let pool = new.customerOwnedPool ?? old.customerOwnedPool
        let maps = new.mapsCustomerOwnedIP ?? old.mapsCustomerOwnedIP ?? false
        if pool.filled != old.customerOwnedPool.filled || maps != old.mapsCustomerOwnedIP ?? false {
            try await set(
                id, ["MapCustomerOwnedIpOnLaunch": ["Value": .boolean(maps)], "CustomerOwnedIpv4Pool": .nonEmpty(pool)])
        }
        if let index = new.lniDeviceIndex, index != old.lniDeviceIndex {
            try await set(id, ["EnableLniAtDeviceIndex": .integer(index)])
        }
    }

    private func removeIPv6(_ id: RemoteID) async throws(ProviderError) {
        guard let association = try await current(id).flatMap(ipv6Association) else { return }
        try await aws.ec2Undo(
            "DisassociateSubnetCidrBlock", ["AssociationId": .string(association["associationId"].text)])
    }

    private func current(_ id: RemoteID) async throws(ProviderError) -> XMLElement? {
        try await aws.ec2Now("DescribeSubnets", at: "subnetSet", [("subnet-id", [id.rawValue])]).first
    }

    // MARK: - Wire format

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        var outputs = Outputs()
        let association = ipv6Association(item)
        let names = item["privateDnsNameOptionsOnLaunch"]
        arguments.vpcID = item["vpcId"].text
        arguments.cidrBlock = item["cidrBlock"].text
        arguments.availabilityZone = item["availabilityZone"].text
        arguments.availabilityZoneID = item["availabilityZoneId"].text
        arguments.ipv6CIDRBlock = association?["ipv6CidrBlock"].text ?? ""
        arguments.isIPv6Native = item["ipv6Native"].boolean ?? false
        arguments.outpostARN = item["outpostArn"].text
        arguments.mapsPublicIP = item["mapPublicIpOnLaunch"].boolean ?? false
        arguments.assignsIPv6 = item["assignIpv6AddressOnCreation"].boolean ?? false
        arguments.enablesDNS64 = item["enableDns64"].boolean ?? false
        arguments.hasNameARecord = names["enableResourceNameDnsARecord"].boolean ?? false
        arguments.hasNameAAAARecord = names["enableResourceNameDnsAAAARecord"].boolean ?? false
        arguments.hostnameType = names["hostnameType"].nonEmpty ?? "ip-name"
        arguments.customerOwnedPool = item["customerOwnedIpv4Pool"].text
        arguments.mapsCustomerOwnedIP = item["mapCustomerOwnedIpOnLaunch"].boolean ?? false
        arguments.lniDeviceIndex = item["enableLniAtDeviceIndex"].integer ?? 0
        arguments.tags = item.tags
        outputs.arn = item["subnetArn"].nonEmpty
        outputs.ownerID = item["ownerId"].nonEmpty
        outputs.availabilityZone = item["availabilityZone"].nonEmpty
        outputs.availabilityZoneID = item["availabilityZoneId"].nonEmpty
        outputs.ipv6AssociationID = association?["associationId"].text ?? ""
        let state = item["state"].text
        let isAssociating = association?["ipv6CidrBlockState"]["state"].text == "associating"
        return Observed(
            id: RemoteID(item["subnetId"].text), arguments: arguments, outputs: outputs,
            status: state == "pending" ? .pending(state) : isAssociating ? .pending("associating") : .ready)
    }

    private func ipv6Association(_ item: XMLElement) -> XMLElement? {
        item["ipv6CidrBlockAssociationSet"].items.first {
            !["disassociated", "disassociating", "failed", "failing"].contains($0["ipv6CidrBlockState"]["state"].text)
        }
    }
}

/// The flags of a subnet that are changed one by one; AWS makes a subnet with all of them off.
private struct SubnetAttribute: Sendable {
    /// As `ModifySubnetAttribute` names it.
    let wireName: String
    let path: any WritableKeyPath<Subnet.Arguments, Bool?> & Sendable

    static let all: [SubnetAttribute] = [
        SubnetAttribute(wireName: "MapPublicIpOnLaunch", path: \.mapsPublicIP),
        SubnetAttribute(wireName: "AssignIpv6AddressOnCreation", path: \.assignsIPv6),
        SubnetAttribute(wireName: "EnableDns64", path: \.enablesDNS64),
        SubnetAttribute(wireName: "EnableResourceNameDnsARecordOnLaunch", path: \.hasNameARecord),
        SubnetAttribute(wireName: "EnableResourceNameDnsAAAARecordOnLaunch", path: \.hasNameAAAARecord),
    ]
}
