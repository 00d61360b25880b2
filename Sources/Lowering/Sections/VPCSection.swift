import Diagnostics
import MusterModel

/// `vpc`: a network with all that is in it: subnets, gateways, route tables, network ACLs and endpoints.
///
/// Inside a definition its parts name each other by their keys. The parts are resources of their own, with their keys
/// as names: `aws.subnet/prod-a`.
enum VPCSection: Section {
    static let schema = SectionSchema(
        name: "vpc", summary: "A network with its subnets, gateways, routes, network ACLs and endpoints.",
        fields: verbatim + [
            SectionFields.name("The tag Name; the key if it is left out."), SectionFields.tags("the VPC"),
            ArgumentSchema(
                "internet_gateway", .anything,
                "true, or a map with name and tags: the gateway by which public subnets reach the Internet."),
            ArgumentSchema("subnets", .map(.object(SubnetPart.fields)), "Subnets by name."),
            ArgumentSchema("nat_gateways", .map(.object(NATGatewayPart.fields)), "NAT gateways by name."),
            ArgumentSchema("route_tables", .map(.object(RouteTablePart.fields)), "Route tables by name."),
            ArgumentSchema("network_acls", .map(.object(NetworkACLPart.fields)), "Network ACLs by name."),
            ArgumentSchema("endpoints", .map(.object(EndpointPart.fields)), "VPC endpoints by name."),
        ],
        principalTypes: ["aws.vpc"],
        example: """
            vpc:
              main:
                cidr_block: 10.0.0.0/16
                enable_dns_hostnames: true
                internet_gateway: true
                subnets:
                  public-a: { cidr_block: 10.0.0.0/24, availability_zone: us-east-1a, map_public_ip_on_launch: true, route_table: public }
                  public-b: { cidr_block: 10.0.1.0/24, availability_zone: us-east-1b, map_public_ip_on_launch: true, route_table: public }
                  prod-a: { cidr_block: 10.0.16.0/20, availability_zone: us-east-1a, route_table: private, network_acl: private }
                  prod-b: { cidr_block: 10.0.32.0/20, availability_zone: us-east-1b, route_table: private, network_acl: private }
                nat_gateways:
                  a: { subnet: public-a }
                route_tables:
                  public:
                    routes:
                      - { destination: 0.0.0.0/0, to: internet_gateway }
                  private:
                    routes:
                      - { destination: 0.0.0.0/0, to: "nat:a" }
                network_acls:
                  private:
                    ingress:
                      - { rule_number: 100, action: allow, protocol: all, cidr_block: 10.0.0.0/16 }
                      - { rule_number: 200, action: allow, ports: 1024-65535, cidr_block: 0.0.0.0/0 }
                    egress:
                      - { rule_number: 100, action: allow, protocol: all, cidr_block: 0.0.0.0/0 }
                endpoints:
                  s3: { service: com.amazonaws.us-east-1.s3, route_tables: [private] }
            """)

    /// The arguments of `aws.vpc` that are written as they are.
    static let verbatim: [ArgumentSchema] = [
        ArgumentSchema("cidr_block", .string, isRequired: true, semantics: .cidr, "The IPv4 network, /16 to /28."),
        ArgumentSchema(
            "instance_tenancy", .string, constraints: [.allowed(["default", "dedicated"])],
            "Whether instances run on hardware of their own."),
        ArgumentSchema("enable_dns_support", .boolean, "Whether Amazon's resolver answers inside the VPC."),
        ArgumentSchema("enable_dns_hostnames", .boolean, "Whether instances get DNS names."),
        ArgumentSchema(
            "enable_network_address_usage_metrics", .boolean, "Whether address usage is counted in metrics."),
        ArgumentSchema(
            "assign_generated_ipv6_cidr_block", .boolean, "Whether Amazon gives the VPC an IPv6 network (/56)."),
    ]

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        var lowering = VPCLowering(definition, region: region)
        return lowering.run()
    }
}

/// Lowers one VPC; what its parts share stands here, each part is lowered in a file of its own.
struct VPCLowering {
    let definition: Definition
    let region: String?
    let network: LocatedNetwork?
    var result = LoweringResult()

    /// The parts by their kind, in the order of the source.
    let subnets: [LocatedValue.Entry]
    let natGateways: [LocatedValue.Entry]
    let routeTables: [LocatedValue.Entry]
    let networkACLs: [LocatedValue.Entry]
    let endpoints: [LocatedValue.Entry]
    /// The long form of `internet_gateway`; nil when there is none.
    var internetGateway: LocatedValue?

    init(_ definition: Definition, region: String?) {
        let body = definition.body
        var result = LoweringResult()
        self.definition = definition
        self.region = region
        network = result.ipv4Network(body["cidr_block"], of: "VPC")
        subnets = body["subnets"]?.entries ?? []
        natGateways = body["nat_gateways"]?.entries ?? []
        routeTables = body["route_tables"]?.entries ?? []
        networkACLs = body["network_acls"]?.entries ?? []
        endpoints = body["endpoints"]?.entries ?? []
        if let field = body["internet_gateway"] {
            if case .bool(let isWanted) = field.value {
                internetGateway = isWanted ? .map([], field.range) : nil
            } else {
                internetGateway = result.read(
                    field,
                    as: [
                        SectionFields.name("The tag Name; the VPC's name if it is left out."),
                        SectionFields.tags("the gateway"),
                    ], of: "internet_gateway", stack: definition.stack, forms: "true, false or a map")
            }
        }
        self.result = result
    }

    mutating func run() -> LoweringResult {
        let body = definition.body
        var vpc = Draft(principal: "aws.vpc", of: definition)
        vpc.copy(VPCSection.verbatim, from: body)
        vpc.setTags(
            body["tags"], name: definition.nameTag, inherited: definition.inheritedTags, &result.diagnostics)
        result.append(vpc)

        lowerInternetGateway()
        lowerSubnets()
        lowerNATGateways()
        lowerRouteTables()
        lowerNetworkACLs()
        lowerEndpoints()
        return result
    }

    private mutating func lowerInternetGateway() {
        guard let internetGateway else { return }
        var gateway = Draft("aws.internet_gateway", definition.name, of: definition, at: internetGateway.range)
        gateway.set("vpc_id", vpcID)
        setTags(of: &gateway, internetGateway, name: definition.nameTag)
        result.append(gateway)
    }

    var vpcID: Value { definition.output("aws.vpc", definition.name) }

    /// Tags of a part, with its name as `Name`, or its key.
    mutating func setTags(of draft: inout Draft, _ body: LocatedValue, named key: String) {
        setTags(of: &draft, body, name: (.string(key), nil))
    }

    private mutating func setTags(
        of draft: inout Draft, _ body: LocatedValue, name: (value: Value, range: SourceRange?)
    ) {
        draft.setTags(
            body["tags"], name: body["name"].map { ($0.value, $0.range) } ?? name,
            inherited: definition.inheritedTags, &result.diagnostics)
    }

    /// What a field that names a part of this VPC stands for; nil after a complaint.
    ///
    /// - Parameter literals: the beginnings of ids, which are taken as they are.
    mutating func part(
        _ field: LocatedValue, _ what: String, _ type: ResourceType, among parts: [LocatedValue.Entry],
        literals: [String]
    ) -> Value? {
        guard let name = field.value.string else { return field.value }
        if parts.contains(where: { $0.key == name }) { return definition.output(type, name) }
        if literals.contains(where: name.hasPrefix) { return field.value }
        result.diagnostics.append(
            .unknownPart(name, what, of: definition.name, known: parts.map(\.key), at: field.range))
        return nil
    }

    mutating func subnet(_ field: LocatedValue) -> Value? {
        part(field, "subnet", "aws.subnet", among: subnets, literals: ["subnet-"])
    }

    /// A list of parts, without those that were complained of.
    mutating func parts(
        _ field: LocatedValue, _ what: String, _ type: ResourceType, among parts: [LocatedValue.Entry],
        literals: [String]
    ) -> Value {
        guard let elements = field.elements else { return field.value }
        var values: [Value] = []
        for element in elements {
            if let value = part(element, what, type, among: parts, literals: literals) { values.append(value) }
        }
        return .list(values)
    }
}

/// Which subnets belong to which table or ACL, whichever of the two says so.
struct SubnetClaims {
    struct Claim {
        /// The route table or network ACL.
        var owner: String
        var value: Value
        var range: SourceRange
        var subnet: Value
    }

    /// By the subnet's name, in the order of the claims.
    private(set) var claims: [(subnet: String, claim: Claim)] = []
    private var positions: [String: Int] = [:]

    /// Notes a claim; the earlier one if the subnet belongs to another owner already.
    mutating func add(_ claim: Claim, of subnet: String) -> Claim? {
        if let position = positions[subnet] {
            let earlier = claims[position].claim
            return earlier.owner == claim.owner ? nil : earlier
        }
        positions[subnet] = claims.count
        claims.append((subnet, claim))
        return nil
    }
}

extension VPCLowering {
    /// Gathers which subnet belongs to which owner: from `route_table:` (or `network_acl:`) of the subnets and from
    /// `subnets:` of the owners.
    mutating func claims(
        field: String, _ what: String, _ type: ResourceType, among owners: [LocatedValue.Entry], literals: [String]
    ) -> SubnetClaims {
        var claims = SubnetClaims()
        for subnet in subnets {
            guard let named = subnet.value[field] else { continue }
            if literals.isEmpty, named.value.string == nil {
                if !named.value.isUnreadable {
                    result.diagnostics.append(.wrongForm(field, "the name of a \(what) of this VPC", named))
                }
                continue
            }
            guard let value = part(named, what, type, among: owners, literals: literals) else { continue }
            add(
                SubnetClaims.Claim(
                    owner: named.value.nameText, value: value, range: named.range,
                    subnet: definition.output("aws.subnet", subnet.key)),
                of: subnet.key, what, to: &claims)
        }
        for owner in owners {
            for named in owner.value["subnets"]?.elements ?? [] {
                guard let subnet = subnet(named) else { continue }
                add(
                    SubnetClaims.Claim(
                        owner: owner.key, value: definition.output(type, owner.key), range: named.range,
                        subnet: subnet),
                    of: named.value.nameText, what, to: &claims)
            }
        }
        return claims
    }

    private mutating func add(
        _ claim: SubnetClaims.Claim, of subnet: String, _ what: String, to claims: inout SubnetClaims
    ) {
        if let earlier = claims.add(claim, of: subnet) {
            result.diagnostics.append(.claimedTwice(subnet, what, claim, earlier))
        }
    }
}

extension Diagnostic {
    fileprivate static func unknownPart(
        _ name: String, _ what: String, of vpc: String, known: [String], at range: SourceRange
    ) -> Diagnostic {
        var hint = Suggestion.hint(for: name, among: known)
        if hint == nil, !known.isEmpty { hint = "It has \(known.sorted().prefix(8).joined(separator: ", "))." }
        return Diagnostic(
            code: "spec.unknown-reference", summary: "Unknown reference",
            detail: "The VPC \(vpc.quoted) has no \(what) named \(name.quoted).", at: range, hint: hint)
    }

    fileprivate static func claimedTwice(
        _ subnet: String, _ what: String, _ later: SubnetClaims.Claim, _ earlier: SubnetClaims.Claim
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.subnet-claimed-twice", summary: "Subnet claimed twice",
            detail: "The subnet \(subnet.quoted) has one \(what), but \(earlier.owner.quoted) and "
                + "\(later.owner.quoted) claim it.", at: later.range,
            related: [.init(range: earlier.range, message: "claimed for \(earlier.owner) here")])
    }
}
