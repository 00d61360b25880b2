import MusterModel
import ProviderKit

private let tags: Value = ["Name": "main"]
private let tagSet =
    "<tagSet><item><key>Name</key><value>main</value></item>"
    + "<item><key>aws:cloudformation:stack-name</key><value>x</value></item></tagSet>"

private func set(_ name: String, _ items: String...) -> RecordingAWS.Answer {
    .body("<\(name)>\(items.map { "<item>\($0)</item>" }.joined())</\(name)>")
}

private func page(_ name: String, _ item: String, next: String) -> RecordingAWS.Answer {
    .body("<\(name)><item>\(item)</item></\(name)><nextToken>\(next)</nextToken>")
}

let networkScenarios: [WireScenario] = [
    vpcScenario, subnetScenario, internetGatewayScenario, natGatewayScenario, elasticIPScenario, routeTableScenario,
    routeScenario, routeTableAssociationScenario, networkACLScenario, networkACLRuleScenario, vpcEndpointScenario,
    securityGroupScenario, securityGroupRuleScenario, rulesTogetherScenario,
]

// MARK: VPC

private func vpc(_ id: String, _ more: String = "") -> String {
    "<vpcId>\(id)</vpcId><ownerId>123456789012</ownerId><state>available</state><cidrBlock>10.0.0.0/16</cidrBlock>"
        + "<dhcpOptionsId>dopt-1</dhcpOptionsId><instanceTenancy>default</instanceTenancy>\(tagSet)\(more)"
}

private func ipv6(_ state: String, pool: String = "Amazon") -> String {
    "<ipv6CidrBlockAssociationSet><item><ipv6CidrBlock>2600:1f18::/56</ipv6CidrBlock>"
        + "<associationId>vpc-cidr-assoc-1</associationId><ipv6Pool>\(pool)</ipv6Pool>"
        + "<networkBorderGroup>us-east-1</networkBorderGroup><ipv6CidrBlockState><state>\(state)</state>"
        + "</ipv6CidrBlockState></item></ipv6CidrBlockAssociationSet>"
}

private let vpcScenario = WireScenario(
    type: "aws.vpc",
    answers: [
        "CreateVpc": [
            .body("<vpc><vpcId>vpc-1</vpcId><cidrBlock>10.0.0.0/16</cidrBlock><state>pending</state></vpc>")
        ],
        "DescribeVpcs": [
            page("vpcSet", vpc("vpc-1"), next: "more"),
            set("vpcSet", vpc("vpc-2", ipv6("associated"))),
            set("vpcSet", vpc("vpc-1", ipv6("associated"))),
            set("vpcSet", vpc("vpc-1", ipv6("disassociating"))),
        ],
        "DescribeVpcAttribute": [
            .body("<vpcId>vpc-1</vpcId><enableDnsHostnames><value>true</value></enableDnsHostnames>")
        ],
        "ModifyVpcAttribute": [.done], "AssociateVpcCidrBlock": [.done], "DisassociateVpcCidrBlock": [.done],
        "CreateTags": [.done], "DeleteTags": [.done], "DeleteVpc": [.failure(code: "InvalidVpcID.NotFound")],
    ],
    steps: [
        ("create", .create(["cidr_block": "10.0.0.1/16", "tags": tags])),
        (
            "what the creation could not carry",
            .update(
                "vpc-1", from: ["cidr_block": "10.0.0.0/16"],
                to: ["cidr_block": "10.0.0.0/16", "enable_dns_support": true, "enable_dns_hostnames": true])
        ),
        (
            "read two pages, of the attributes what is declared",
            .read([
                KnownObject(id: "vpc-1", declared: ["cidr_block", "enable_dns_hostnames"]), KnownObject(id: "vpc-2"),
                KnownObject(id: "vpc-3"),
            ])
        ),
        (
            "names go before the resolver does",
            .update(
                "vpc-1", from: ["enable_dns_support": true, "enable_dns_hostnames": true],
                to: ["enable_dns_support": false, "enable_dns_hostnames": false])
        ),
        (
            "IPv6 away",
            .update(
                "vpc-1", from: ["assign_generated_ipv6_cidr_block": true, "tags": ["Old": "1"]],
                to: ["assign_generated_ipv6_cidr_block": false, "tags": ["Name": "main"]])
        ),
        (
            "IPv6 of a pool",
            .update(
                "vpc-1", from: ["assign_generated_ipv6_cidr_block": false],
                to: ["ipv6_ipam_pool_id": "ipam-pool-1", "ipv6_netmask_length": 56])
        ),
        ("find", .find([:])),
        ("delete what is gone", .delete("vpc-1")),
        ("import", .importID(" vpc-0a1b ")),
        ("import nonsense", .importID("main")),
    ])

// MARK: Subnet

private func subnet(_ id: String) -> String {
    "<subnetId>\(id)</subnetId><subnetArn>arn:aws:ec2:us-east-1:123456789012:subnet/\(id)</subnetArn>"
        + "<state>available</state><vpcId>vpc-1</vpcId><cidrBlock>10.0.1.0/24</cidrBlock>"
        + "<availabilityZone>us-east-1a</availabilityZone><availabilityZoneId>use1-az1</availabilityZoneId>"
        + "<mapPublicIpOnLaunch>true</mapPublicIpOnLaunch><ownerId>123456789012</ownerId>"
        + "<privateDnsNameOptionsOnLaunch><hostnameType>ip-name</hostnameType>"
        + "<enableResourceNameDnsARecord>true</enableResourceNameDnsARecord></privateDnsNameOptionsOnLaunch>"
        + "<ipv6CidrBlockAssociationSet><item><ipv6CidrBlock>2600:1f18:0:1::/64</ipv6CidrBlock>"
        + "<associationId>subnet-cidr-assoc-1</associationId><ipv6CidrBlockState><state>associated</state>"
        + "</ipv6CidrBlockState></item></ipv6CidrBlockAssociationSet>\(tagSet)"
}

private let subnetScenario = WireScenario(
    type: "aws.subnet",
    answers: [
        "CreateSubnet": [
            .body("<subnet>\(subnet("subnet-1"))</subnet>"), .failure(code: "InvalidSubnet.Conflict"),
            .failure(code: "InvalidVpcID.NotFound", message: "The vpc ID 'vpc-1' does not exist"),
        ],
        "DescribeSubnets": [
            set("subnetSet", subnet("subnet-1")), set("subnetSet"), set("subnetSet", subnet("subnet-1")),
        ],
        "ModifySubnetAttribute": [.done], "AssociateSubnetCidrBlock": [.done], "DisassociateSubnetCidrBlock": [.done],
        "CreateTags": [.done], "DeleteSubnet": [.failure(code: "InvalidSubnetID.NotFound")],
    ],
    steps: [
        (
            "create",
            .create([
                "vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24", "availability_zone": "us-east-1a", "tags": tags,
            ])
        ),
        ("read", .read([KnownObject(id: "subnet-1"), KnownObject(id: "subnet-2")])),
        (
            "a foreign one has the network", .create(["vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24"])
        ),
        ("is it ours", .find(["vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24"])),
        ("its VPC is not there yet", .create(["vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24"])),
        (
            "flags one by one, those that a new subnet has already are not sent",
            .update(
                "subnet-1", from: [:],
                to: [
                    "map_public_ip_on_launch": true, "assign_ipv6_address_on_creation": false,
                    "enable_resource_name_dns_a_record_on_launch": true,
                    "private_dns_hostname_type_on_launch": "resource-name",
                ])
        ),
        (
            "another IPv6 network before the flag that needs it",
            .update(
                "subnet-1", from: ["ipv6_cidr_block": "2600:1f18:0:1::/64"],
                to: ["ipv6_cidr_block": "2600:1f18:0:2::/64", "assign_ipv6_address_on_creation": true])
        ),
        (
            "the flag before the IPv6 network goes",
            .update(
                "subnet-1", from: ["ipv6_cidr_block": "2600:1f18:0:1::/64", "assign_ipv6_address_on_creation": true],
                to: ["ipv6_cidr_block": "", "assign_ipv6_address_on_creation": false])
        ),
        (
            "addresses of an Outpost",
            .update(
                "subnet-1", from: [:],
                to: [
                    "customer_owned_ipv4_pool": "ipv4pool-coip-1", "map_customer_owned_ip_on_launch": true,
                    "enable_lni_at_device_index": 1,
                ])
        ),
        (
            "nothing to do",
            .update("subnet-1", from: ["map_public_ip_on_launch": true], to: ["map_public_ip_on_launch": true])
        ),
        ("delete what is gone", .delete("subnet-1")),
    ])

// MARK: Internet gateway

private func internetGateway(_ attachments: String = "") -> String {
    "<internetGatewayId>igw-1</internetGatewayId><ownerId>123456789012</ownerId>"
        + "<attachmentSet>\(attachments)</attachmentSet>\(tagSet)"
}

private let attached = "<item><vpcId>vpc-1</vpcId><state>available</state></item>"

private let internetGatewayScenario = WireScenario(
    type: "aws.internet_gateway",
    answers: [
        "CreateInternetGateway": [.body("<internetGateway>\(internetGateway())</internetGateway>")],
        "DescribeInternetGateways": [set("internetGatewaySet", internetGateway(attached))],
        "AttachInternetGateway": [.done, .failure(code: "Resource.AlreadyAssociated")],
        "DetachInternetGateway": [.failure(code: "Gateway.NotAttached"), .done],
        "DeleteInternetGateway": [.done],
    ],
    steps: [
        ("create", .create(["tags": tags])),
        ("attach", .update("igw-1", from: ["tags": tags], to: ["vpc_id": "vpc-1", "tags": tags])),
        ("attach once more: it is attached already", .update("igw-1", from: [:], to: ["vpc_id": "vpc-1"])),
        ("attached elsewhere, where somebody else made it so", .update("igw-1", from: [:], to: ["vpc_id": "vpc-2"])),
        ("detach", .update("igw-1", from: ["vpc_id": "vpc-1"], to: ["vpc_id": ""])),
        ("read", .read([KnownObject(id: "igw-1")])),
        ("find", .find([:])),
        ("delete", .delete("igw-1")),
    ])

// MARK: NAT gateway

private func natGateway(_ id: String, _ state: String, _ more: String = "") -> String {
    "<natGatewayId>\(id)</natGatewayId><state>\(state)</state><subnetId>subnet-1</subnetId>"
        + "<connectivityType>public</connectivityType><natGatewayAddressSet><item><allocationId>eipalloc-1</allocationId>"
        + "<associationId>eipassoc-1</associationId><isPrimary>true</isPrimary><publicIp>203.0.113.1</publicIp>"
        + "<privateIp>10.0.1.5</privateIp><networkInterfaceId>eni-1</networkInterfaceId></item>"
        + "<item><allocationId>eipalloc-2</allocationId><associationId>eipassoc-2</associationId>"
        + "<isPrimary>false</isPrimary><privateIp>10.0.1.6</privateIp><status>succeeded</status></item>"
        + "</natGatewayAddressSet>\(tagSet)\(more)"
}

private let natGatewayScenario = WireScenario(
    type: "aws.nat_gateway",
    answers: [
        "CreateNatGateway": [.body("<natGateway>\(natGateway("nat-1", "pending"))</natGateway>")],
        "DescribeNatGateways": [
            set(
                "natGatewaySet", natGateway("nat-1", "available"), natGateway("nat-2", "deleted"),
                natGateway("nat-3", "deleting"),
                natGateway(
                    "nat-4", "failed",
                    "<failureCode>Gateway.NotAttached</failureCode><failureMessage>Network vpc-1 has no Internet "
                        + "gateway attached</failureMessage>"))
        ],
        "AssociateNatGatewayAddress": [.done], "DisassociateNatGatewayAddress": [.done],
        "DeleteNatGateway": [.failure(code: "NatGatewayNotFound")],
    ],
    steps: [
        (
            "create",
            .create([
                "subnet_id": "subnet-1", "allocation_id": "eipalloc-1", "connectivity_type": "public",
                "secondary_allocation_ids": ["eipalloc-2"], "tags": tags,
            ])
        ),
        ("read", .read(["nat-1", "nat-2", "nat-3", "nat-4"].map { KnownObject(id: $0) })),
        (
            "another secondary address",
            .update(
                "nat-1", from: ["subnet_id": "subnet-1", "secondary_allocation_ids": ["eipalloc-2"]],
                to: ["subnet_id": "subnet-1", "secondary_allocation_ids": ["eipalloc-3"]])
        ),
        ("find", .find(["subnet_id": "subnet-1"])),
        ("delete what is gone", .delete("nat-1")),
    ])

// MARK: Elastic IP

private let address =
    "<publicIp>203.0.113.1</publicIp><allocationId>eipalloc-1</allocationId><domain>vpc</domain>"
    + "<publicIpv4Pool>amazon</publicIpv4Pool><networkBorderGroup>us-east-1</networkBorderGroup>"

private let elasticIPScenario = WireScenario(
    type: "aws.eip",
    answers: [
        "AllocateAddress": [.body(address)],
        "DescribeAddresses": [
            set(
                "addressesSet",
                address + "<instanceId>i-1</instanceId><associationId>eipassoc-1</associationId>"
                    + "<networkInterfaceId>eni-1</networkInterfaceId><privateIpAddress>10.0.1.7</privateIpAddress>"
                    + tagSet)
        ],
        "AssociateAddress": [.done], "DisassociateAddress": [.done], "ReleaseAddress": [.done],
    ],
    steps: [
        ("create", .create(["domain": "vpc", "tags": tags])),
        ("associate", .update("eipalloc-1", from: [:], to: ["instance": "i-1"])),
        ("take it away", .update("eipalloc-1", from: ["instance": "i-1"], to: ["instance": ""])),
        (
            "an interface that others gave it is left alone",
            .update("eipalloc-1", from: ["network_interface": "eni-9"], to: ["domain": "vpc"])
        ),
        ("read", .read([KnownObject(id: "eipalloc-1")])),
        ("find", .find([:])),
        ("delete with what we associated", .delete("eipalloc-1", last: ["instance": "i-1"])),
        ("delete", .delete("eipalloc-1")),
    ])

// MARK: Route tables

private let tables = set(
    "routeTableSet",
    "<routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><ownerId>123456789012</ownerId>\(tagSet)"
        + "<propagatingVgwSet><item><gatewayId>vgw-1</gatewayId></item></propagatingVgwSet><routeSet>"
        + "<item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId>"
        + "<state>active</state><origin>CreateRouteTable</origin></item>"
        + "<item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><gatewayId>igw-1</gatewayId>"
        + "<state>active</state><origin>CreateRoute</origin></item>"
        + "<item><destinationIpv6CidrBlock>2600:1f18:0:0::/32</destinationIpv6CidrBlock>"
        + "<egressOnlyInternetGatewayId>eigw-1</egressOnlyInternetGatewayId><state>blackhole</state>"
        + "<origin>CreateRoute</origin></item>"
        + "<item><destinationCidrBlock>192.168.0.0/16</destinationCidrBlock><gatewayId>vgw-1</gatewayId>"
        + "<state>active</state><origin>EnableVgwRoutePropagation</origin></item>"
        + "<item><destinationPrefixListId>pl-1</destinationPrefixListId><gatewayId>vpce-1</gatewayId>"
        + "<state>active</state><origin>CreateRoute</origin></item>"
        + "</routeSet><associationSet><item><main>true</main><routeTableAssociationId>rtbassoc-0</routeTableAssociationId>"
        + "<routeTableId>rtb-1</routeTableId><associationState><state>associated</state></associationState></item>"
        + "<item><main>false</main><routeTableAssociationId>rtbassoc-1</routeTableAssociationId>"
        + "<routeTableId>rtb-1</routeTableId><subnetId>subnet-1</subnetId>"
        + "<associationState><state>associated</state></associationState></item>"
        + "<item><main>false</main><routeTableAssociationId>rtbassoc-2</routeTableAssociationId>"
        + "<routeTableId>rtb-1</routeTableId><gatewayId>igw-1</gatewayId>"
        + "<associationState><state>associating</state></associationState></item></associationSet>")

private let routeTableScenario = WireScenario(
    type: "aws.route_table",
    answers: [
        "CreateRouteTable": [.body("<routeTable><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId></routeTable>")],
        "DescribeRouteTables": [tables], "EnableVgwRoutePropagation": [.done], "DisableVgwRoutePropagation": [.done],
        "DeleteRouteTable": [.failure(code: "DependencyViolation", message: "has dependencies and cannot be deleted")],
    ],
    steps: [
        ("create", .create(["vpc_id": "vpc-1", "tags": tags])),
        (
            "gateways",
            .update(
                "rtb-1", from: ["vpc_id": "vpc-1", "propagating_vgws": ["vgw-1"]],
                to: ["vpc_id": "vpc-1", "propagating_vgws": ["vgw-2"]])
        ),
        ("read", .read([KnownObject(id: "rtb-1"), KnownObject(id: "rtb-2")])),
        ("find", .find(["vpc_id": "vpc-1"])),
        ("delete what is in use", .delete("rtb-1")),
    ])

private let routeScenario = WireScenario(
    type: "aws.route",
    answers: [
        "DescribeRouteTables": [tables], "CreateRoute": [.done, .failure(code: "RouteAlreadyExists")],
        "ReplaceRoute": [.done], "DeleteRoute": [.failure(code: "InvalidRoute.NotFound")],
    ],
    steps: [
        (
            "create",
            .create(["route_table_id": "rtb-1", "destination_cidr_block": "10.1.2.3/16", "gateway_id": "igw-1"])
        ),
        (
            "there already",
            .create(["route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"])
        ),
        (
            "the same",
            .find(["route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"])
        ),
        (
            "with another target",
            .find(["route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1"])
        ),
        (
            "another target",
            .update(
                "rtb-1_0.0.0.0/0",
                from: ["route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"],
                to: ["route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1"])
        ),
        (
            "read",
            .read(["rtb-1_0.0.0.0/0", "rtb-1_2600:1f18::/32", "rtb-1_10.9.0.0/16"].map { KnownObject(id: $0) })
        ),
        ("children, without what AWS makes", .children(of: ["rtb-1", "rtb-9"])),
        ("delete what is gone", .delete("rtb-1_2600:1f18::/32")),
        ("delete a route to a prefix list", .delete("rtb-1_pl-1")),
        ("import", .importID("rtb-1_10.1.2.3/16")),
        ("import nonsense", .importID("rtb-1/0.0.0.0/0")),
    ])

private let routeTableAssociationScenario = WireScenario(
    type: "aws.route_table_association",
    answers: [
        "AssociateRouteTable": [
            .body("<associationId>rtbassoc-1</associationId>"), .failure(code: "Resource.AlreadyAssociated"),
        ],
        "DescribeRouteTables": [tables],
        "ReplaceRouteTableAssociation": [.body("<newAssociationId>rtbassoc-9</newAssociationId>")],
        "DisassociateRouteTable": [.done],
    ],
    steps: [
        ("create", .create(["subnet_id": "subnet-1", "route_table_id": "rtb-1"])),
        ("the subnet has a table already", .create(["subnet_id": "subnet-1", "route_table_id": "rtb-2"])),
        ("not ours", .find(["subnet_id": "subnet-1", "route_table_id": "rtb-2"])),
        ("read", .read(["subnet-1", "igw-1", "subnet-2"].map { KnownObject(id: $0) })),
        (
            "another table",
            .update(
                "subnet-1", from: ["subnet_id": "subnet-1", "route_table_id": "rtb-1"],
                to: ["subnet_id": "subnet-1", "route_table_id": "rtb-2"])
        ),
        (
            "the table that it has",
            .update(
                "subnet-1", from: ["subnet_id": "subnet-1", "route_table_id": "rtb-0"],
                to: ["subnet_id": "subnet-1", "route_table_id": "rtb-1"])
        ),
        ("delete", .delete("igw-1")),
        ("delete what is gone", .delete("subnet-9")),
        ("import as Terraform has it", .importID("subnet-1/rtb-1")),
        ("import by AWS's id", .importID("rtbassoc-2")),
        ("import nonsense", .importID("rtb-1")),
    ])

// MARK: Network ACLs

private func acl(_ id: String, isDefault: Bool = false, subnets: [String: String] = [:], entries: String = "") -> String
{
    let associations = subnets.sorted { $0.key < $1.key }.map {
        "<item><networkAclAssociationId>\($0.value)</networkAclAssociationId><networkAclId>\(id)</networkAclId>"
            + "<subnetId>\($0.key)</subnetId></item>"
    }
    return "<networkAclId>\(id)</networkAclId><vpcId>vpc-1</vpcId><default>\(isDefault)</default>"
        + "<ownerId>123456789012</ownerId><entrySet>\(entries)</entrySet>"
        + "<associationSet>\(associations.joined())</associationSet>\(tagSet)"
}

private let entries =
    "<item><ruleNumber>100</ruleNumber><protocol>6</protocol><ruleAction>allow</ruleAction>"
    + "<egress>false</egress><cidrBlock>10.0.0.0/8</cidrBlock><portRange><from>80</from><to>81</to></portRange></item>"
    + "<item><ruleNumber>100</ruleNumber><protocol>-1</protocol><ruleAction>deny</ruleAction><egress>true</egress>"
    + "<ipv6CidrBlock>::/0</ipv6CidrBlock></item>"
    + "<item><ruleNumber>200</ruleNumber><protocol>1</protocol><ruleAction>allow</ruleAction><egress>false</egress>"
    + "<cidrBlock>0.0.0.0/0</cidrBlock><icmpTypeCode><type>8</type><code>-1</code></icmpTypeCode></item>"
    + "<item><ruleNumber>32767</ruleNumber><protocol>-1</protocol><ruleAction>deny</ruleAction><egress>false</egress>"
    + "<cidrBlock>0.0.0.0/0</cidrBlock></item>"
    + "<item><ruleNumber>32768</ruleNumber><protocol>-1</protocol><ruleAction>deny</ruleAction><egress>false</egress>"
    + "<ipv6CidrBlock>::/0</ipv6CidrBlock></item>"

private let networkACLScenario = WireScenario(
    type: "aws.network_acl",
    answers: [
        "CreateNetworkAcl": [.body("<networkAcl>\(acl("acl-1"))</networkAcl>")],
        "DescribeNetworkAcls": [
            set("networkAclSet", acl("acl-0", isDefault: true, subnets: ["subnet-1": "aclassoc-1"])),
            set(
                "networkAclSet", acl("acl-1", subnets: ["subnet-1": "aclassoc-2"]),
                acl("acl-0", isDefault: true, subnets: ["subnet-2": "aclassoc-3"])),
            set("networkAclSet", acl("acl-1", subnets: ["subnet-1": "aclassoc-2"])),
            set("networkAclSet", acl("acl-0", isDefault: true)),
            set("networkAclSet", acl("acl-1", subnets: ["subnet-1": "aclassoc-2"])),
            set("networkAclSet", acl("acl-1", subnets: ["subnet-1": "aclassoc-2"])),
            set("networkAclSet", acl("acl-1", subnets: ["subnet-1": "aclassoc-2"])),
            set("networkAclSet", acl("acl-0", isDefault: true)), set("networkAclSet"),
        ],
        "ReplaceNetworkAclAssociation": [.body("<newAssociationId>aclassoc-9</newAssociationId>")],
        "DeleteNetworkAcl": [.done],
    ],
    steps: [
        ("create", .create(["vpc_id": "vpc-1", "tags": tags])),
        (
            "guard a subnet",
            .update("acl-1", from: ["vpc_id": "vpc-1"], to: ["vpc_id": "vpc-1", "subnet_ids": ["subnet-1"]])
        ),
        (
            "one is guarded already, the other still has the default",
            .update(
                "acl-1", from: ["vpc_id": "vpc-1"], to: ["vpc_id": "vpc-1", "subnet_ids": ["subnet-1", "subnet-2"]])
        ),
        (
            "release a subnet",
            .update(
                "acl-1", from: ["vpc_id": "vpc-1", "subnet_ids": ["subnet-1"]],
                to: ["vpc_id": "vpc-1", "subnet_ids": []])
        ),
        ("read", .read([KnownObject(id: "acl-1")])),
        ("delete what still guards", .delete("acl-1")),
        (
            "a subnet that is not visible yet",
            .update("acl-1", from: ["vpc_id": "vpc-1"], to: ["vpc_id": "vpc-1", "subnet_ids": ["subnet-9"]])
        ),
    ])

private let networkACLRuleScenario = WireScenario(
    type: "aws.network_acl_rule",
    answers: [
        "DescribeNetworkAcls": [set("networkAclSet", acl("acl-1", entries: entries))],
        "CreateNetworkAclEntry": [.done, .done, .failure(code: "NetworkAclEntryAlreadyExists")],
        "ReplaceNetworkAclEntry": [.done],
        "DeleteNetworkAclEntry": [.failure(code: "InvalidNetworkAclEntry.NotFound")],
    ],
    steps: [
        (
            "create",
            .create([
                "network_acl_id": "acl-1", "egress": true, "rule_number": 100, "rule_action": "allow",
                "protocol": "tcp", "from_port": 80, "to_port": 81, "cidr_block": "10.0.0.1/8",
            ])
        ),
        (
            "ICMP",
            .create([
                "network_acl_id": "acl-1", "rule_number": 200, "rule_action": "allow", "protocol": "icmp",
                "icmp_type": 8, "cidr_block": "0.0.0.0/0",
            ])
        ),
        (
            "the number is taken",
            .create([
                "network_acl_id": "acl-1", "egress": true, "rule_number": 100, "rule_action": "deny",
                "protocol": "-1", "ipv6_cidr_block": "::/0",
            ])
        ),
        (
            "by the same rule",
            .find([
                "network_acl_id": "acl-1", "egress": true, "rule_number": 100, "rule_action": "deny",
                "protocol": "all", "from_port": 0, "to_port": 0, "ipv6_cidr_block": "::/0",
            ])
        ),
        (
            "by another rule",
            .find([
                "network_acl_id": "acl-1", "rule_number": 100, "rule_action": "deny", "protocol": "-1",
                "cidr_block": "0.0.0.0/0",
            ])
        ),
        (
            "another port, the rest is left as it is",
            .update(
                "acl-1:ingress:100",
                from: [
                    "network_acl_id": "acl-1", "egress": false, "rule_number": 100, "rule_action": "allow",
                    "protocol": "tcp", "from_port": 80, "to_port": 81, "cidr_block": "10.0.0.0/8",
                ],
                to: [
                    "network_acl_id": "acl-1", "egress": false, "rule_number": 100, "rule_action": "allow",
                    "protocol": "6", "to_port": 90,
                ])
        ),
        ("read", .read(["acl-1:ingress:100", "acl-1:egress:100", "acl-1:egress:300"].map { KnownObject(id: $0) })),
        ("children, without what AWS makes", .children(of: ["acl-1"])),
        ("delete what is gone", .delete("acl-1:egress:100")),
        ("import as Terraform has it", .importID("acl-1:100:tcp:true")),
        ("import", .importID("acl-1:ingress:100")),
        ("import nonsense", .importID("acl-1:100")),
    ])

// MARK: VPC endpoint

private func endpoint(_ id: String, _ state: String, _ more: String = "") -> String {
    "<vpcEndpointId>\(id)</vpcEndpointId><vpcEndpointType>Gateway</vpcEndpointType><vpcId>vpc-1</vpcId>"
        + "<serviceName>com.amazonaws.us-east-1.s3</serviceName><state>\(state)</state>"
        + "<policyDocument>{\"Version\":\"2008-10-17\"}</policyDocument>"
        + "<routeTableIdSet><item>rtb-2</item><item>rtb-1</item></routeTableIdSet><ownerId>123456789012</ownerId>"
        + "<privateDnsEnabled>false</privateDnsEnabled><requesterManaged>false</requesterManaged>\(tagSet)\(more)"
}

private let vpcEndpointScenario = WireScenario(
    type: "aws.vpc_endpoint",
    answers: [
        "CreateVpcEndpoint": [.body("<vpcEndpoint>\(endpoint("vpce-1", "pending"))</vpcEndpoint>")],
        "DescribeVpcEndpoints": [
            set(
                "vpcEndpointSet", endpoint("vpce-1", "available"), endpoint("vpce-2", "deleted"),
                endpoint("vpce-3", "deleting"),
                endpoint("vpce-4", "failed", "<lastError><code>X</code><message>No room</message></lastError>"))
        ],
        "ModifyVpcEndpoint": [.done],
        "DeleteVpcEndpoints": [
            .body("<unsuccessful/>"),
            .body(
                "<unsuccessful><item><resourceId>vpce-1</resourceId><error><code>InvalidVpcEndpoint.NotFound</code>"
                    + "<message>gone</message></error></item></unsuccessful>"),
            .body(
                "<unsuccessful><item><resourceId>vpce-1</resourceId><error><code>DependencyViolation</code>"
                    + "<message>still used</message></error></item></unsuccessful>"),
        ],
    ],
    steps: [
        (
            "create",
            .create([
                "vpc_id": "vpc-1", "service_name": "com.amazonaws.us-east-1.s3", "vpc_endpoint_type": "Gateway",
                "route_table_ids": ["rtb-2", "rtb-1"], "policy": ["Statement": [], "Version": "2012-10-17"],
                "tags": tags,
            ])
        ),
        ("read", .read(["vpce-1", "vpce-2", "vpce-3", "vpce-4"].map { KnownObject(id: $0) })),
        (
            "all changes in one call, against what is there",
            .update(
                "vpce-1", from: ["vpc_id": "vpc-1", "route_table_ids": ["rtb-1"], "policy": "{}"],
                to: [
                    "vpc_id": "vpc-1", "route_table_ids": ["rtb-2", "rtb-3"], "policy": "", "private_dns_enabled": true,
                ])
        ),
        (
            "nothing to do",
            .update(
                "vpce-1", from: ["vpc_id": "vpc-1", "route_table_ids": ["rtb-1", "rtb-2"]],
                to: ["vpc_id": "vpc-1", "route_table_ids": ["rtb-2", "rtb-1"]])
        ),
        ("find", .find(["vpc_id": "vpc-1"])),
        ("delete", .delete("vpce-1")),
        ("delete what is gone", .delete("vpce-1")),
        ("delete what is in use: the call succeeds, the deletion does not", .delete("vpce-1")),
    ])

// MARK: Security groups

private func group(_ id: String, _ name: String, tags: String = tagSet) -> String {
    "<ownerId>123456789012</ownerId><groupId>\(id)</groupId><groupName>\(name)</groupName>"
        + "<groupDescription>Managed by muster</groupDescription><vpcId>vpc-1</vpcId>\(tags)"
}

private func rule(_ id: String, _ group: String, _ more: String) -> String {
    "<securityGroupRuleId>\(id)</securityGroupRuleId><groupId>\(group)</groupId>"
        + "<groupOwnerId>123456789012</groupOwnerId>\(more)"
}

private let rules = set(
    "securityGroupRuleSet",
    rule(
        "sgr-1", "sg-1",
        "<isEgress>false</isEgress><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>"
            + "<cidrIpv4>10.0.0.0/8</cidrIpv4><description>web</description>\(tagSet)"),
    rule(
        "sgr-2", "sg-1",
        "<isEgress>true</isEgress><ipProtocol>-1</ipProtocol><fromPort>-1</fromPort><toPort>-1</toPort>"
            + "<cidrIpv4>0.0.0.0/0</cidrIpv4>"),
    rule(
        "sgr-3", "sg-2",
        "<isEgress>false</isEgress><ipProtocol>icmp</ipProtocol><fromPort>8</fromPort><toPort>-1</toPort>"
            + "<referencedGroupInfo><groupId>sg-1</groupId><userId>123456789012</userId></referencedGroupInfo>"),
    rule(
        "sgr-4", "sg-2",
        "<isEgress>false</isEgress><ipProtocol>udp</ipProtocol><fromPort>53</fromPort><toPort>53</toPort>"
            + "<referencedGroupInfo><groupId>sg-9</groupId><userId>210987654321</userId></referencedGroupInfo>"))

private let securityGroupScenario = WireScenario(
    type: "aws.security_group",
    answers: [
        "CreateSecurityGroup": [
            .body("<groupId>sg-1</groupId><tagSet/>"), .failure(code: "InvalidGroup.Duplicate"),
        ],
        "DescribeSecurityGroups": [
            set("securityGroupInfo", group("sg-1", "web")),
            set(
                "securityGroupInfo",
                group(
                    "sg-1", "web",
                    tags: "<tagSet><item><key>muster:intent</key><value>0123456789abcdef0123456789abcdef</value></item>"
                        + "</tagSet>")), set("securityGroupInfo", group("sg-1", "web")),
            set("securityGroupInfo", group("sg-1", "web"), group("sg-7", "db")), set("securityGroupInfo"),
        ],
        "DescribeSecurityGroupRules": [rules], "RevokeSecurityGroupEgress": [.done],
        "DeleteSecurityGroup": [.failure(code: "DependencyViolation", message: "has a dependent object")],
        "DescribeNetworkInterfaces": [
            set(
                "networkInterfaceSet",
                "<networkInterfaceId>eni-1</networkInterfaceId><attachment><instanceId>i-1</instanceId></attachment>",
                "<networkInterfaceId>eni-2</networkInterfaceId><description>ELB app/web/1</description>")
        ],
    ],
    steps: [
        ("create", .create(["name": "web", "vpc_id": "vpc-1", "tags": tags])),
        (
            "AWS lets nothing out any more",
            .update(
                "sg-1", from: ["name": "web", "vpc_id": "vpc-1"],
                to: ["name": "web", "vpc_id": "vpc-1", "default_egress": "revoke"])
        ),
        ("the name is taken", .create(["name": "web", "vpc_id": "vpc-1"])),
        ("by somebody else", .find(["name": "web", "vpc_id": "vpc-1"])),
        ("by us", .find(["name": "web", "vpc_id": "vpc-1"])),
        (
            "read, with all that the session is about",
            .read([KnownObject(id: "sg-1")], expecting: ["aws.security_group": [KnownObject(id: "sg-2")]])
        ),
        ("delete what is in use", .delete("sg-1")),
    ])

private let rulesTogetherScenario: WireScenario = {
    func wanted(_ port: Int, _ side: String, _ value: String, type: String = "ingress") -> [String: Value] {
        [
            "security_group_id": "sg-1", "type": .string(type), "protocol": "tcp", "from_port": .integer(port),
            "to_port": .integer(port), side: .string(value), "tags": tags,
        ]
    }
    func told(_ id: String, _ port: Int, _ side: String) -> String {
        rule(
            id, "sg-1",
            "<isEgress>false</isEgress><ipProtocol>tcp</ipProtocol>"
                + "<fromPort>\(port)</fromPort><toPort>\(port)</toPort>\(side)")
    }
    let group =
        "<referencedGroupInfo><groupId>sg-2</groupId><userId>123456789012</userId></referencedGroupInfo>"
    let both = [
        wanted(443, "cidr_ipv4", "10.0.0.0/8"), wanted(22, "referenced_security_group_id", "123456789012/sg-2"),
    ]
    return WireScenario(
        type: "aws.security_group_rule", title: "together",
        answers: [
            "AuthorizeSecurityGroupIngress": [
                set(
                    "securityGroupRuleSet", told("sgr-2", 22, group),
                    told("sgr-1", 443, "<cidrIpv4>10.0.0.0/8</cidrIpv4>")),
                set("securityGroupRuleSet", told("sgr-1", 443, "<cidrIpv4>10.0.0.0/8</cidrIpv4>")),
                .failure(code: "InvalidPermission.Duplicate"),
            ],
            "RevokeSecurityGroupIngress": [.done, .failure(code: "InvalidSecurityGroupRuleId.NotFound")],
        ],
        steps: [
            ("several, told of in another order", .createTogether(both)),
            ("one is not told of", .createTogether(both)),
            ("one is there already", .createTogether(both)),
            (
                "delete",
                .deleteTogether([
                    KnownObject(id: "sgr-1", arguments: both[0]), KnownObject(id: "sgr-2", arguments: both[1]),
                ])
            ), ("delete what is gone", .deleteTogether([KnownObject(id: "sgr-1", arguments: both[0])])),
        ])
}()

private let securityGroupRuleScenario = WireScenario(
    type: "aws.security_group_rule",
    answers: [
        "AuthorizeSecurityGroupIngress": [
            set(
                "securityGroupRuleSet", rule("sgr-1", "sg-1", "<isEgress>false</isEgress><ipProtocol>tcp</ipProtocol>")),
            set(
                "securityGroupRuleSet", rule("sgr-5", "sg-1", "<isEgress>false</isEgress><ipProtocol>udp</ipProtocol>")),
            .failure(code: "InvalidPermission.Duplicate"),
        ],
        "AuthorizeSecurityGroupEgress": [
            set("securityGroupRuleSet", rule("sgr-2", "sg-1", "<isEgress>true</isEgress><ipProtocol>-1</ipProtocol>"))
        ],
        "DescribeSecurityGroupRules": [rules],
        "ModifySecurityGroupRules": [.done],
        "RevokeSecurityGroupIngress": [.failure(code: "InvalidSecurityGroupRuleId.NotFound")],
        "RevokeSecurityGroupEgress": [.done], "CreateTags": [.done],
    ],
    steps: [
        (
            "create",
            .create([
                "security_group_id": "sg-1", "type": "ingress", "protocol": "6", "from_port": 443, "to_port": 443,
                "cidr_ipv4": "10.1.2.3/8", "description": "web", "tags": tags,
            ])
        ),
        (
            "from a group of another account",
            .create([
                "security_group_id": "sg-1", "type": "ingress", "protocol": "udp", "from_port": 53, "to_port": 53,
                "referenced_security_group_id": "210987654321/sg-9",
            ])
        ),
        (
            "there already",
            .create([
                "security_group_id": "sg-1", "type": "ingress", "protocol": "tcp", "from_port": 443, "to_port": 443,
                "cidr_ipv4": "10.0.0.0/8",
            ])
        ),
        (
            "the rule is its own key, whatever its description",
            .find([
                "security_group_id": "sg-1", "type": "ingress", "protocol": "6", "from_port": 443, "to_port": 443,
                "cidr_ipv4": "10.0.0.0/8", "description": "other",
            ])
        ),
        (
            "everything, where ports mean nothing",
            .create([
                "security_group_id": "sg-1", "type": "egress", "protocol": "all", "from_port": 0, "to_port": 0,
                "cidr_ipv6": "::/0",
            ])
        ),
        (
            "another side and another port, in place",
            .update(
                "sgr-1",
                from: [
                    "security_group_id": "sg-1", "type": "ingress", "protocol": "tcp", "from_port": 443,
                    "to_port": 443, "cidr_ipv4": "10.0.0.0/8", "description": "web",
                ],
                to: [
                    "security_group_id": "sg-1", "type": "ingress", "protocol": "tcp", "from_port": 444,
                    "to_port": 444, "referenced_security_group_id": "sg-2", "tags": tags,
                ])
        ),
        (
            "the protocol without its ports",
            .update(
                "sgr-1",
                from: [
                    "security_group_id": "sg-1", "type": "ingress", "protocol": "tcp", "from_port": 443,
                    "to_port": 443, "cidr_ipv4": "10.0.0.0/8",
                ],
                to: [
                    "security_group_id": "sg-1", "type": "ingress", "protocol": "-1", "cidr_ipv4": "10.0.0.0/8",
                    "description": "",
                ])
        ),
        (
            "nothing to do",
            .update(
                "sgr-1",
                from: [
                    "security_group_id": "sg-1", "type": "ingress", "protocol": "-1", "cidr_ipv4": "10.0.0.0/8",
                    "description": "",
                ],
                to: [
                    "security_group_id": "sg-1", "type": "ingress", "protocol": "all", "from_port": 0, "to_port": 0,
                    "cidr_ipv4": "10.0.0.0/8",
                ])
        ),
        (
            "read the rules of all groups at once",
            .read(
                ["sgr-1", "sgr-2", "sgr-4", "sgr-9"].map {
                    KnownObject(id: RemoteID($0), arguments: ["security_group_id": "sg-1"])
                }, expecting: ["aws.security_group": [KnownObject(id: "sg-2")]])
        ),
        ("read what is imported, whose group is not known", .read([KnownObject(id: "sgr-3")])),
        (
            "children, by the same listing",
            .children(
                of: ["sg-2"], expecting: ["aws.security_group": [KnownObject(id: "sg-1"), KnownObject(id: "sg-2")]])
        ),
        (
            "delete what is gone",
            .delete("sgr-1", last: ["security_group_id": "sg-1", "type": "ingress", "protocol": "tcp"])
        ),
        (
            "delete an egress rule",
            .delete("sgr-2", last: ["security_group_id": "sg-1", "type": "egress", "protocol": "-1"])
        ),
        ("delete without knowing its group", .delete("sgr-1")),
        ("import", .importID("sgr-1")),
        ("import as Terraform has it", .importID("sg-1_ingress_tcp_443_443_10.0.0.0/8")),
        ("import a rule that names a group", .importID("sg-2_ingress_icmp_8_-1_sg-1")),
        ("import what is not there", .importID("sg-1_ingress_tcp_1_1_10.0.0.0/8")),
        ("import nonsense", .importID("sg-1")),
    ])
