import Diagnostics
import MusterModel

/// `nat_gateways` of a VPC.
enum NATGatewayPart {
    static let fields: [ArgumentSchema] =
        [
            ArgumentSchema("subnet", .string, isRequired: true, "The subnet of this VPC that the gateway stands in."),
            ArgumentSchema(
                "elastic_ip", .boolean, absence: .means(true), constraints: [.conflictsWith(["allocation_id"])],
                "Whether the gateway gets an elastic IP of its own, named like the gateway; only when it is public."),
        ] + verbatim + [
            SectionFields.name("The tag Name; the key if it is left out."),
            SectionFields.tags("the gateway and of its elastic IP"),
        ]

    /// The arguments of `aws.nat_gateway` that are written as they are.
    static let verbatim: [ArgumentSchema] = [
        ArgumentSchema(
            "allocation_id", .string, reference: .elasticIP, "An elastic IP that is declared elsewhere, or its id."),
        ArgumentSchema(
            "connectivity_type", .string, absence: .means("public"), constraints: [.allowed(["public", "private"])],
            "Whether it leads to the Internet or to other private networks."),
        ArgumentSchema("private_ip", .string, "The gateway's own address in the subnet."),
        ArgumentSchema(
            "secondary_allocation_ids", .list(.string), reference: .elasticIP, "More elastic IPs, for more connections."
        ),
        ArgumentSchema("secondary_private_ip_addresses", .list(.string), "More addresses of its own in the subnet."),
    ]
}

extension VPCLowering {
    mutating func lowerNATGateways() {
        for entry in natGateways {
            let body = entry.value
            var gateway = Draft("aws.nat_gateway", entry.key, of: definition, at: entry.keyRange)
            if let named = body["subnet"], let subnet = subnet(named) {
                gateway.set("subnet_id", subnet, at: named.range)
            }
            gateway.copy(NATGatewayPart.verbatim, from: body)
            let isPublic = body["connectivity_type"]?.value ?? "public" == "public"
            if isPublic, internetGateway != nil {
                // Without it AWS lets the NAT gateway fail; while it stands, the internet gateway cannot go.
                gateway.declaration.dependsOn.append(
                    definition.dependency("aws.internet_gateway", definition.name, at: entry.keyRange))
            }
            lowerElasticIP(of: &gateway, body, named: entry, isPublic: isPublic)
            setTags(of: &gateway, body, named: entry.key)
            result.append(gateway)
        }
    }

    private mutating func lowerElasticIP(
        of gateway: inout Draft, _ body: LocatedValue, named entry: LocatedValue.Entry, isPublic: Bool
    ) {
        guard isPublic else {
            if let stray = body["allocation_id"] ?? body["elastic_ip"].flatMap({ $0.value == true ? $0 : nil }) {
                result.diagnostics.append(.privateWithAddress(entry.key, at: stray.range))
            }
            return
        }
        guard body["allocation_id"] == nil else { return }
        if let wish = body["elastic_ip"], wish.value == false {
            result.diagnostics.append(.publicWithoutAddress(entry.key, at: wish.range))
            return
        }
        var address = Draft("aws.eip", entry.key, of: definition, at: entry.keyRange)
        address.set("domain", "vpc")
        setTags(of: &address, body, named: entry.key)
        result.append(address)
        gateway.set("allocation_id", address.output("id"))
    }
}

extension Diagnostic {
    fileprivate static func privateWithAddress(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.nat-gateway", summary: "Elastic IP on a private NAT gateway",
            detail: "The NAT gateway \(name.quoted) is private, so it cannot have an elastic IP.", at: range)
    }

    fileprivate static func publicWithoutAddress(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.nat-gateway", summary: "Public NAT gateway without an elastic IP",
            detail: "The NAT gateway \(name.quoted) leads to the Internet, so it needs an elastic IP.", at: range,
            hint: "Say \"allocation_id\", or leave \"elastic_ip\" out to get one made.")
    }
}
