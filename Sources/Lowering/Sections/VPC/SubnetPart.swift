import MusterModel

/// `subnets` of a VPC.
enum SubnetPart {
    static let fields: [ArgumentSchema] =
        verbatim + [
            ArgumentSchema("route_table", .string, "The route table of this VPC that the subnet uses."),
            ArgumentSchema("network_acl", .string, "The network ACL of this VPC that guards the subnet."),
            SectionFields.name("The tag Name; the key if it is left out."), SectionFields.tags("the subnet"),
        ]

    /// The arguments of `aws.subnet` that are written as they are.
    static let verbatim: [ArgumentSchema] = [
        ArgumentSchema("cidr_block", .string, semantics: .cidr, "The IPv4 network, inside that of the VPC."),
        ArgumentSchema(
            "availability_zone", .string, constraints: [.conflictsWith(["availability_zone_id"])],
            "The zone by name, such as us-east-1a; AWS chooses one if it is left out."),
        ArgumentSchema(
            "availability_zone_id", .string,
            "The zone by its id, such as use1-az1, which is the same in every account."),
        ArgumentSchema(
            "map_public_ip_on_launch", .boolean, "Whether instances get a public address unless they say otherwise."),
        ArgumentSchema("ipv6_cidr_block", .string, semantics: .cidr, "The IPv6 network, a /64 inside that of the VPC."),
        ArgumentSchema("assign_ipv6_address_on_creation", .boolean, "Whether network interfaces get an IPv6 address."),
        ArgumentSchema("ipv6_native", .boolean, "Whether the subnet has no IPv4 at all."),
        ArgumentSchema("enable_dns64", .boolean, "Whether the resolver makes IPv6 addresses for IPv4 destinations."),
        ArgumentSchema(
            "enable_resource_name_dns_a_record_on_launch", .boolean,
            "Whether host names made of instance ids have A records."),
        ArgumentSchema(
            "enable_resource_name_dns_aaaa_record_on_launch", .boolean,
            "Whether host names made of instance ids have AAAA records."),
        ArgumentSchema(
            "private_dns_hostname_type_on_launch", .string, constraints: [.allowed(["ip-name", "resource-name"])],
            "What the host names of instances are made of."),
    ]
}

extension VPCLowering {
    mutating func lowerSubnets() {
        var networks: [(name: String, network: LocatedNetwork)] = []
        var ipv6Networks: [(name: String, network: LocatedNetwork)] = []
        for entry in subnets {
            if let network = result.ipv4Network(entry.value["cidr_block"], of: "subnet") {
                networks.append((entry.key, network))
            }
            if let network = result.ipv6Network(entry.value["ipv6_cidr_block"]) {
                ipv6Networks.append((entry.key, network))
            }
            var subnet = Draft("aws.subnet", entry.key, of: definition, at: entry.keyRange)
            subnet.set("vpc_id", vpcID)
            subnet.copy(SubnetPart.verbatim, from: entry.value)
            setTags(of: &subnet, entry.value, named: entry.key)
            result.append(subnet)
        }
        result.checkSiblings(networks, inside: network)
        // Amazon chooses the IPv6 network of the VPC.
        result.checkSiblings(ipv6Networks, inside: nil)
    }
}
