import AWSClient
import MusterModel
import ProviderKit
import Testing

let networkConformance: [ConformanceRow] = [
    vpcRow, vpcIPv6Row, subnetRow, internetGatewayRow, natGatewayRow, elasticIPRow, routeTableRow, routeRow,
    routeTableAssociationRow, networkACLRow, networkACLRuleRow, gatewayEndpointRow, interfaceEndpointRow,
    securityGroupRow, securityGroupRuleRow, egressRuleRow,
]

private let tags: Value = ["Name": "conformance", "Team": "a"]
private let otherTags: Value = ["Name": "other"]

extension ConformanceLab {
    fileprivate func vpc() async throws -> String { try await make("aws.vpc", ["cidr_block": "10.40.0.0/16"]) }

    fileprivate func subnet(_ vpc: String, _ number: Int = 1) async throws -> String {
        try await make(
            "aws.subnet",
            ["vpc_id": .string(vpc), "cidr_block": .string("10.40.\(number).0/24"), "availability_zone": "us-east-1a"])
    }

    fileprivate func gateway(_ vpc: String) async throws -> String {
        try await make("aws.internet_gateway", ["vpc_id": .string(vpc)])
    }

    fileprivate func group(_ vpc: String, _ name: String) async throws -> String {
        try await make(
            "aws.security_group", ["vpc_id": .string(vpc), "name": .string(name), "default_egress": "revoke"])
    }

    fileprivate func table(_ vpc: String) async throws -> String {
        try await make("aws.route_table", ["vpc_id": .string(vpc)])
    }

    /// A network interface, which is no type of ours yet.
    fileprivate func interface(_ subnet: String) async throws -> String {
        let answer = try await call("CreateNetworkInterface", ["SubnetId": .string(subnet)])
        let id = answer.xml["networkInterface"]["networkInterfaceId"].text
        cleanUp("DeleteNetworkInterface", ["NetworkInterfaceId": .string(id)])
        return id
    }
}

/// Tags by another hand.
@Sendable private func retag(_ lab: ConformanceLab, _ id: RemoteID) async throws -> [String: Value] {
    try await lab.call(
        "CreateTags", ["ResourceId": [.string(id.rawValue)], "Tag": [["Key": "Name", "Value": "foreign"]]])
    return ["tags": ["Name": "foreign"]]
}

private let vpcRow = ConformanceRow(
    type: "aws.vpc",
    arguments: { _ in
        [
            "cidr_block": "10.41.0.0/16", "enable_dns_support": true, "enable_dns_hostnames": true, "tags": tags,
        ]
    },
    changes: { _ in
        [
            ["enable_network_address_usage_metrics": true], ["enable_dns_hostnames": false],
            ["enable_dns_support": false], ["enable_dns_support": true, "enable_dns_hostnames": true],
            ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "ModifyVpcAttribute", ["VpcId": .string(id.rawValue), "EnableDnsHostnames": ["Value": false]])
        return ["enable_dns_hostnames": false]
    })

private let vpcIPv6Row = ConformanceRow(
    type: "aws.vpc", title: "IPv6",
    arguments: { _ in ["cidr_block": "10.42.0.0/16", "assign_generated_ipv6_cidr_block": true, "tags": tags] },
    changes: { _ in
        [["assign_generated_ipv6_cidr_block": false], ["assign_generated_ipv6_cidr_block": true]]
    },
    check: { _, seen in #expect(IPNetwork(seen.outputs["ipv6_cidr_block"]?.string ?? "")?.prefixLength == 56) })

private let subnetRow = ConformanceRow(
    type: "aws.subnet",
    arguments: { lab in
        let vpc = try await lab.make(
            "aws.vpc", ["cidr_block": "10.40.0.0/16", "assign_generated_ipv6_cidr_block": true])
        let seen = try await lab.read("aws.vpc", RemoteID(vpc))
        let network = try #require(IPNetwork(seen?.outputs["ipv6_cidr_block"]?.string ?? ""))
        await lab.note("first", "\(IPNetwork(address: network.first, prefixLength: 64, isIPv6: true))")
        await lab.note("second", "\(IPNetwork(address: network.first | 1 << 64, prefixLength: 64, isIPv6: true))")
        return [
            "vpc_id": .string(vpc), "cidr_block": "10.40.1.0/24", "availability_zone": "us-east-1b",
            "map_public_ip_on_launch": true, "tags": tags,
        ]
    },
    changes: { lab in
        [
            ["ipv6_cidr_block": .string(try await lab.noted("first")), "assign_ipv6_address_on_creation": true],
            ["enable_dns64": true],
            ["enable_resource_name_dns_a_record_on_launch": true],
            ["enable_resource_name_dns_aaaa_record_on_launch": true],
            ["private_dns_hostname_type_on_launch": "resource-name"],
            ["map_public_ip_on_launch": false],
            ["ipv6_cidr_block": "", "assign_ipv6_address_on_creation": false, "enable_dns64": false],
            ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "ModifySubnetAttribute", ["SubnetId": .string(id.rawValue), "MapPublicIpOnLaunch": ["Value": true]])
        return ["map_public_ip_on_launch": true]
    })

private let internetGatewayRow = ConformanceRow(
    type: "aws.internet_gateway",
    arguments: { lab in ["vpc_id": .string(try await lab.vpc()), "tags": tags] },
    changes: { lab in
        let other = try await lab.make("aws.vpc", ["cidr_block": "10.43.0.0/16"])
        return [["vpc_id": .string(other)], ["vpc_id": ""], ["vpc_id": .string(other)], ["tags": otherTags]]
    },
    foreignEdit: { lab, id in
        let vpc = try #require(try await lab.read("aws.internet_gateway", id)?.arguments["vpc_id"]?.string)
        try await lab.call(
            "DetachInternetGateway", ["InternetGatewayId": .string(id.rawValue), "VpcId": .string(vpc)])
        return ["vpc_id": ""]
    })

private let natGatewayRow = ConformanceRow(
    type: "aws.nat_gateway",
    arguments: { lab in
        let vpc = try await lab.vpc()
        let subnet = try await lab.subnet(vpc)
        _ = try await lab.gateway(vpc)
        let address = try await lab.make("aws.eip", [:])
        return [
            "subnet_id": .string(subnet), "allocation_id": .string(address), "connectivity_type": "public",
            "tags": tags,
        ]
    },
    changes: { _ in [["tags": otherTags]] }, foreignEdit: retag,
    check: { _, seen in #expect(seen.outputs["public_ip"]?.string?.isEmpty == false) })

private let elasticIPRow = ConformanceRow(
    type: "aws.eip",
    arguments: { _ in ["domain": "vpc", "tags": tags] },
    changes: { lab in
        let vpc = try await lab.vpc()
        let subnet = try await lab.subnet(vpc)
        _ = try await lab.gateway(vpc)
        let interface = try await lab.interface(subnet)
        await lab.note("interface", interface)
        return [
            ["network_interface": .string(interface)], ["network_interface": ""],
            ["network_interface": .string(interface)], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        let association = try #require(try await lab.read("aws.eip", id)?.outputs["association_id"]?.string)
        try await lab.call("DisassociateAddress", ["AssociationId": .string(association)])
        return ["network_interface": ""]
    },
    check: { _, seen in #expect(seen.outputs["public_ip"]?.string?.isEmpty == false) })

private let routeTableRow = ConformanceRow(
    type: "aws.route_table",
    arguments: { lab in ["vpc_id": .string(try await lab.vpc()), "tags": tags] },
    changes: { _ in [["tags": otherTags], ["tags": tags]] }, foreignEdit: retag)

private let routeRow = ConformanceRow(
    type: "aws.route",
    arguments: { lab in
        let vpc = try await lab.vpc()
        let gateway = try await lab.gateway(vpc)
        return [
            "route_table_id": .string(try await lab.table(vpc)), "destination_cidr_block": "10.99.1.2/16",
            "gateway_id": .string(gateway),
        ]
    },
    changes: { lab in
        let interface = try await lab.interface(try await lab.subnet(try await lab.first("aws.vpc")))
        await lab.note("interface", interface)
        return [["gateway_id": "", "network_interface_id": .string(interface)]]
    },
    foreignEdit: { lab, id in
        let gateway = try await lab.first("aws.internet_gateway")
        try await lab.call(
            "ReplaceRoute",
            [
                "RouteTableId": .string(try await lab.first("aws.route_table")),
                "DestinationCidrBlock": "10.99.0.0/16", "GatewayId": .string(gateway),
            ])
        return ["gateway_id": .string(gateway), "network_interface_id": ""]
    })

private let routeTableAssociationRow = ConformanceRow(
    type: "aws.route_table_association",
    arguments: { lab in
        let vpc = try await lab.vpc()
        return [
            "subnet_id": .string(try await lab.subnet(vpc)), "route_table_id": .string(try await lab.table(vpc)),
        ]
    },
    changes: { lab in [["route_table_id": .string(try await lab.table(try await lab.first("aws.vpc")))]] },
    foreignEdit: { lab, id in
        let seen = try await lab.read("aws.route_table_association", id)
        let table = try await lab.first("aws.route_table")
        try await lab.call(
            "ReplaceRouteTableAssociation",
            [
                "AssociationId": .string(try #require(seen?.outputs["association_id"]?.string)),
                "RouteTableId": .string(table),
            ])
        return ["route_table_id": .string(table)]
    })

private let networkACLRow = ConformanceRow(
    type: "aws.network_acl",
    arguments: { lab in
        let vpc = try await lab.vpc()
        let subnet = try await lab.subnet(vpc, 1)
        await lab.note("subnet", subnet)
        return ["vpc_id": .string(vpc), "subnet_ids": [.string(subnet)], "tags": tags]
    },
    changes: { lab in
        let other = try await lab.subnet(try await lab.first("aws.vpc"), 2)
        let first = try await lab.noted("subnet")
        return [
            ["subnet_ids": [.string(first), .string(other)]], ["subnet_ids": [.string(other)]],
            ["subnet_ids": [.string(first)]], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        let vpc = try await lab.first("aws.vpc")
        let acls = try await lab.call(
            "DescribeNetworkAcls", ["Filter": [["Name": "vpc-id", "Value": [.string(vpc)]]]]
        ).xml["networkAclSet"].items
        let own = try #require(acls.first { $0["networkAclId"].text == id.rawValue })
        let usual = try #require(acls.first { $0["default"].boolean == true })
        for association in own["associationSet"].items {
            try await lab.call(
                "ReplaceNetworkAclAssociation",
                [
                    "AssociationId": .string(association["networkAclAssociationId"].text),
                    "NetworkAclId": .string(usual["networkAclId"].text),
                ])
        }
        return ["subnet_ids": []]
    })

private let networkACLRuleRow = ConformanceRow(
    type: "aws.network_acl_rule",
    arguments: { lab in
        [
            "network_acl_id": .string(try await lab.make("aws.network_acl", ["vpc_id": .string(try await lab.vpc())])),
            "egress": false, "rule_number": 100, "rule_action": "allow", "protocol": "tcp", "from_port": 80,
            "to_port": 81, "cidr_block": "10.0.0.0/8",
        ]
    },
    changes: { _ in
        [
            ["to_port": 90], ["rule_action": "deny"], ["cidr_block": "10.0.0.0/9"], ["protocol": "udp"],
            ["protocol": "-1"], ["protocol": "icmp", "icmp_type": 8, "icmp_code": -1],
            ["cidr_block": "", "ipv6_cidr_block": "2001:db8::/32", "protocol": "tcp"],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "ReplaceNetworkAclEntry",
            [
                "NetworkAclId": .string(try await lab.first("aws.network_acl")), "RuleNumber": 100, "Egress": false,
                "Protocol": "6", "RuleAction": "allow", "Ipv6CidrBlock": "2001:db8::/32",
                "PortRange": ["From": 1, "To": 2],
            ])
        return ["rule_action": "allow", "from_port": 1, "to_port": 2]
    })

private let gatewayEndpointRow = ConformanceRow(
    type: "aws.vpc_endpoint", title: "Gateway",
    arguments: { lab in
        let vpc = try await lab.vpc()
        return [
            "vpc_id": .string(vpc), "service_name": "com.amazonaws.us-east-1.s3", "vpc_endpoint_type": "Gateway",
            "route_table_ids": [.string(try await lab.table(vpc))], "tags": tags,
        ]
    },
    changes: { lab in
        let other = try await lab.table(try await lab.first("aws.vpc"))
        let first = try await lab.first("aws.route_table")
        return [
            ["route_table_ids": [.string(first), .string(other)]], ["route_table_ids": [.string(other)]],
            [
                "policy": [
                    "Version": "2012-10-17",
                    "Statement": [["Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"]],
                ]
            ], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        let first = try await lab.first("aws.route_table")
        try await lab.call(
            "ModifyVpcEndpoint", ["VpcEndpointId": .string(id.rawValue), "AddRouteTableId": [.string(first)]])
        let seen = try await lab.read("aws.vpc_endpoint", id)
        let tables = seen?.arguments["route_table_ids"]?.list ?? []
        #expect(tables.contains(.string(first)))
        return ["route_table_ids": .list(tables)]
    })

private let interfaceEndpointRow = ConformanceRow(
    type: "aws.vpc_endpoint", title: "Interface",
    arguments: { lab in
        let vpc = try await lab.vpc()
        let subnet = try await lab.subnet(vpc)
        let group = try await lab.group(vpc, "endpoint")
        return [
            "vpc_id": .string(vpc), "service_name": "com.amazonaws.us-east-1.ssm", "vpc_endpoint_type": "Interface",
            "subnet_ids": [.string(subnet)], "security_group_ids": [.string(group)], "private_dns_enabled": false,
            "tags": tags,
        ]
    },
    changes: { lab in
        let other = try await lab.group(try await lab.first("aws.vpc"), "other")
        return [["security_group_ids": [.string(other)]], ["tags": otherTags]]
    })

private let securityGroupRow = ConformanceRow(
    type: "aws.security_group",
    arguments: { lab in
        [
            "name": "conformance", "description": "A test", "vpc_id": .string(try await lab.vpc()),
            "default_egress": "revoke", "tags": tags,
        ]
    },
    changes: { _ in [["tags": otherTags], ["tags": tags]] }, foreignEdit: retag,
    check: { lab, seen in
        let rules = try await lab.handler(for: "aws.security_group_rule").list(in: .children(of: [seen.id]))
        #expect(rules.isEmpty, "the rules of AWS are still there")
        #expect(seen.outputs["arn"]?.string?.hasSuffix(":security-group/\(seen.id)") == true)
    })

private let securityGroupRuleRow = ConformanceRow(
    type: "aws.security_group_rule",
    arguments: { lab in
        [
            "security_group_id": .string(try await lab.group(try await lab.vpc(), "conformance")), "type": "ingress",
            "protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_ipv4": "10.0.0.0/8", "description": "web",
            "tags": tags,
        ]
    },
    changes: { lab in
        let other = try await lab.group(try await lab.first("aws.vpc"), "other")
        return [
            ["to_port": 444], ["description": "other"], ["description": ""], ["cidr_ipv4": "10.0.0.0/9"],
            ["cidr_ipv4": "", "cidr_ipv6": "2001:db8::/32"],
            ["cidr_ipv6": "", "referenced_security_group_id": .string(other)],
            ["protocol": "udp"], ["protocol": "-1"], ["protocol": "icmp", "from_port": 8, "to_port": -1],
            ["protocol": "tcp", "from_port": 1, "to_port": 65_535], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "ModifySecurityGroupRules",
            [
                "GroupId": .string(try await lab.first("aws.security_group")),
                "SecurityGroupRule": [
                    [
                        "SecurityGroupRuleId": .string(id.rawValue),
                        "SecurityGroupRule": [
                            "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0",
                            "Description": "",
                        ],
                    ]
                ],
            ])
        return ["from_port": 22, "to_port": 22, "cidr_ipv4": "0.0.0.0/0", "referenced_security_group_id": ""]
    })

private let egressRuleRow = ConformanceRow(
    type: "aws.security_group_rule", title: "egress",
    arguments: { lab in
        let group = try await lab.group(try await lab.vpc(), "conformance")
        return [
            "security_group_id": .string(group), "type": "egress", "protocol": "-1",
            "referenced_security_group_id": .string(group), "tags": tags,
        ]
    },
    changes: { _ in [["referenced_security_group_id": "", "cidr_ipv4": "0.0.0.0/0"]] }, foreignEdit: retag)
