import AWSClient
import MusterModel
import ProviderKit

/// A route of a route table.
///
/// Calls: `CreateRoute`, `DescribeRouteTables`, `ReplaceRoute`, `DeleteRoute`.
/// AWS gives a route no id: ours is the table and the destination, `rtb-…_10.0.0.0/8`.
/// Consistency: for up to 5 minutes after `create`, `read` may still miss it.
struct Route: ManagedResource {
    struct Arguments: ArgumentBlock {
        var routeTableID = ""
        var destinationIPv4: String?
        var destinationIPv6: String?
        var destinationPrefixListID: String?
        var gatewayID: String?
        var natGatewayID: String?
        var vpcEndpointID: String?
        var transitGatewayID: String?
        var peeringConnectionID: String?
        var networkInterfaceID: String?
        var egressOnlyGatewayID: String?
        var carrierGatewayID: String?
        var localGatewayID: String?
        var coreNetworkARN: String?

        static let destinations = [
            "destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id",
        ]

        static let fields: [Field<Self>] =
            [
                .required(
                    "route_table_id", \.routeTableID, onChange: .replace, reference: .routeTable, "The route table."),
                .argument(
                    "destination_cidr_block", \.destinationIPv4, onChange: .replace, semantics: .cidr,
                    constraints: [.ipv4CIDR, .exactlyOne(destinations)], "The destination as an IPv4 network."),
                .argument(
                    "destination_ipv6_cidr_block", \.destinationIPv6, onChange: .replace, semantics: .cidr,
                    constraints: [.ipv6CIDR], "The destination as an IPv6 network."),
                .argument(
                    "destination_prefix_list_id", \.destinationPrefixListID, onChange: .replace,
                    "The destination as a prefix list."),
            ] + RouteTarget.fields
    }

    struct Outputs: ArgumentBlock {
        var instanceID: String?
        var instanceOwnerID: String?
        var origin: String?
        var state: String?

        private static let targets = RouteTarget.all.map(\.argument)

        static let fields: [Field<Self>] = [
            .output("instance_id", \.instanceID, changesWith: targets, "The instance that the interface belongs to."),
            .output("instance_owner_id", \.instanceOwnerID, changesWith: targets, "The account of that instance."),
            .output("origin", \.origin, "What made the route."),
            .output("state", \.state, changesWith: targets, "`active`, or `blackhole` when its target is gone."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.route", "A route of a route table.", parentArgument: "route_table_id",
        timeouts: Timeouts(create: 300, update: 120, delete: 300), importSyntax: "rtb-…_DESTINATION")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let wanted = Set(known.map(\.id))
        let tables = Set(wanted.compactMap { RouteKey($0)?.table })
        var found: [RemoteID: Observed<Self>] = [:]
        for table in try await aws.routeTables() where tables.contains(table["routeTableId"].text) {
            for route in observed(table) where wanted.contains(route.id) { found[route.id] = route }
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        var tables = try await aws.routeTables()
        if case .children(let parents) = scope {
            let wanted = Set(parents.map(\.rawValue))
            tables = tables.filter { wanted.contains($0["routeTableId"].text) }
        }
        return tables.flatMap { observed($0) }.filter(isMadeByPeople)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let key = RouteKey(desired)
        guard let table = try await current(desired.routeTableID),
            let route = observed(table).first(where: { $0.id == key.id })
        else { return nil }
        return Found(route, isOurs: RouteTarget.areSame(route.arguments, desired))
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let key = RouteKey(desired)
        var input = key.input
        RouteTarget.add(desired, to: &input)
        _ = try await aws.ec2Change("CreateRoute", input)
        var outputs = Outputs(origin: "CreateRoute", state: "active")
        if desired.networkInterfaceID.filled == nil {
            outputs.instanceID = ""
            outputs.instanceOwnerID = ""
        }
        return Observed(id: key.id, arguments: desired, outputs: outputs)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        guard RouteTarget.isSet(new), !RouteTarget.areSame(old, new) else { return nil }
        let key = RouteKey(new)
        var input = key.input
        RouteTarget.add(new, to: &input)
        _ = try await aws.ec2Change("ReplaceRoute", input)
        return try await current(key.table).flatMap { table in observed(table).first { $0.id == key.id } }
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        guard let key = RouteKey(id) else { throw Self.badID(id.rawValue) }
        try await aws.delete(.ec2, "DeleteRoute", key.input)
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        guard let key = RouteKey(RemoteID(text.filter { !$0.isWhitespace })) else { throw Self.badID(text) }
        return key.id
    }

    private func current(_ table: String) async throws(ProviderError) -> XMLElement? {
        try await aws.ec2Now(
            "DescribeRouteTables", at: "routeTableSet", [("route-table-id", [table])], pageSize: 100
        ).first
    }

    // MARK: - Wire format

    /// The routes of a table.
    private func observed(_ table: XMLElement) -> [Observed<Self>] {
        let id = table["routeTableId"].text
        return table["routeSet"].items.map { item in
            var arguments = Arguments()
            var outputs = Outputs()
            arguments.routeTableID = id
            arguments.destinationIPv4 = item["destinationCidrBlock"].text
            arguments.destinationIPv6 = item["destinationIpv6CidrBlock"].text
            arguments.destinationPrefixListID = item["destinationPrefixListId"].text
            RouteTarget.read(item, into: &arguments)
            outputs.instanceID = item["instanceId"].text
            outputs.instanceOwnerID = item["instanceOwnerId"].text
            outputs.origin = item["origin"].nonEmpty
            outputs.state = item["state"].nonEmpty
            return Observed(id: RouteKey(arguments).id, arguments: arguments, outputs: outputs)
        }
    }

    /// Not the local routes of the VPC, nor what gateways and gateway endpoints put into the table.
    private func isMadeByPeople(_ route: Observed<Self>) -> Bool {
        let arguments = route.arguments
        let isOfEndpoint = arguments.destinationPrefixListID.filled != nil && arguments.vpcEndpointID.filled != nil
        return arguments.gatewayID != "local" && route.outputs.origin != "EnableVgwRoutePropagation"
            && route.outputs.origin != "CreateRouteTable" && !isOfEndpoint
    }
}

/// What tells a route from all others.
private struct RouteKey {
    let table: String
    /// A network without host bits, or a prefix list.
    let destination: String

    init(_ arguments: Route.Arguments) {
        table = arguments.routeTableID
        let text =
            arguments.destinationIPv4.filled ?? arguments.destinationIPv6.filled
            ?? arguments.destinationPrefixListID.filled ?? ""
        destination = canonicalNetwork(text)
    }

    init?(_ id: RemoteID) {
        let parts = id.rawValue.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].hasPrefix("rtb-"),
            parts[1].hasPrefix("pl-") || IPNetwork(String(parts[1])) != nil
        else { return nil }
        table = String(parts[0])
        destination = canonicalNetwork(String(parts[1]))
    }

    var id: RemoteID { RemoteID("\(table)_\(destination)") }

    var input: AWSInput {
        let member =
            destination.hasPrefix("pl-")
            ? "DestinationPrefixListId"
            : IPNetwork(destination)?.isIPv6 == true ? "DestinationIpv6CidrBlock" : "DestinationCidrBlock"
        var input: AWSInput = ["RouteTableId": .string(table)]
        input[member] = .string(destination)
        return input
    }
}

/// One kind of thing that a route may lead to; a route leads to exactly one.
private struct RouteTarget: Sendable {
    let argument: String
    let path: any WritableKeyPath<Route.Arguments, String?> & Sendable
    /// As calls name it.
    let request: String
    /// As listings name it.
    let answer: String
    var reference: ReferenceKind?
    let documentation: String

    static let all: [RouteTarget] = [
        RouteTarget(
            argument: "gateway_id", path: \.gatewayID, request: "GatewayId", answer: "gatewayId",
            reference: .internetGateway, documentation: "An internet gateway or a virtual private gateway."),
        RouteTarget(
            argument: "nat_gateway_id", path: \.natGatewayID, request: "NatGatewayId", answer: "natGatewayId",
            reference: .natGateway, documentation: "A NAT gateway."),
        RouteTarget(
            argument: "vpc_endpoint_id", path: \.vpcEndpointID, request: "VpcEndpointId", answer: "",
            reference: .vpcEndpoint, documentation: "An endpoint of a gateway load balancer."),
        RouteTarget(
            argument: "transit_gateway_id", path: \.transitGatewayID, request: "TransitGatewayId",
            answer: "transitGatewayId", documentation: "A transit gateway."),
        RouteTarget(
            argument: "vpc_peering_connection_id", path: \.peeringConnectionID, request: "VpcPeeringConnectionId",
            answer: "vpcPeeringConnectionId", documentation: "A peering connection."),
        RouteTarget(
            argument: "network_interface_id", path: \.networkInterfaceID, request: "NetworkInterfaceId",
            answer: "networkInterfaceId", documentation: "A network interface."),
        RouteTarget(
            argument: "egress_only_gateway_id", path: \.egressOnlyGatewayID, request: "EgressOnlyInternetGatewayId",
            answer: "egressOnlyInternetGatewayId", documentation: "An egress-only internet gateway, for IPv6."),
        RouteTarget(
            argument: "carrier_gateway_id", path: \.carrierGatewayID, request: "CarrierGatewayId",
            answer: "carrierGatewayId", documentation: "A carrier gateway."),
        RouteTarget(
            argument: "local_gateway_id", path: \.localGatewayID, request: "LocalGatewayId", answer: "localGatewayId",
            documentation: "A local gateway of an Outpost."),
        RouteTarget(
            argument: "core_network_arn", path: \.coreNetworkARN, request: "CoreNetworkArn", answer: "coreNetworkArn",
            documentation: "A core network."),
    ]

    static var fields: [Field<Route.Arguments>] {
        all.enumerated().map { position, target in
            .argument(
                target.argument, target.path, reference: target.reference,
                constraints: position == 0 ? [.exactlyOne(all.map(\.argument))] : [], target.documentation)
        }
    }

    static func isSet(_ arguments: Route.Arguments) -> Bool {
        all.contains { arguments[keyPath: $0.path].filled != nil }
    }

    static func areSame(_ left: Route.Arguments, _ right: Route.Arguments) -> Bool {
        all.allSatisfy { left[keyPath: $0.path].filled == right[keyPath: $0.path].filled }
    }

    static func add(_ arguments: Route.Arguments, to input: inout AWSInput) {
        for target in all { input[target.request] = .nonEmpty(arguments[keyPath: target.path]) }
    }

    /// AWS tells endpoints as gateways.
    static func read(_ item: XMLElement, into arguments: inout Route.Arguments) {
        for target in all { arguments[keyPath: target.path] = item[target.answer].text }
        guard let gateway = arguments.gatewayID, gateway.hasPrefix("vpce-") else { return }
        arguments.vpcEndpointID = gateway
        arguments.gatewayID = ""
    }
}
