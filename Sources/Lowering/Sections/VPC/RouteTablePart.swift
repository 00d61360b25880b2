import Diagnostics
import MusterModel

/// `route_tables` of a VPC. A table owns all its routes: foreign ones are drift.
enum RouteTablePart {
    static let fields: [ArgumentSchema] = [
        ArgumentSchema(
            "subnets", .list(.string), "Subnets of this VPC that use the table; a subnet may say route_table instead."),
        ArgumentSchema("routes", .list(.object(routeFields)), "All routes of the table besides the local one."),
        ArgumentSchema(
            "propagating_vgws", .list(.string), "Virtual private gateways that put their routes into the table."),
        SectionFields.name("The tag Name; the key if it is left out."), SectionFields.tags("the table"),
    ]

    static let routeFields: [ArgumentSchema] =
        [
            ArgumentSchema(
                "destination", .string, constraints: [.exactlyOne(["destination"] + destinations.map(\.name))],
                "Where the packets go: a CIDR (IPv4 or IPv6), or the id of a prefix list."),
            ArgumentSchema(
                "to", .string, constraints: [.exactlyOne(["to"] + targets.map(\.name))],
                "What leads there: internet_gateway (the VPC's own), nat:NAME (one of nat_gateways), or an id such as "
                    + "tgw-…, pcx-…, eni-…, vgw-…, vpce-…."),
        ] + destinations + targets

    /// Arguments of `aws.route`, for who prefers to write them, and for values known later.
    static let destinations: [ArgumentSchema] = [
        ArgumentSchema("destination_cidr_block", .string, semantics: .cidr, "The destination as an IPv4 network."),
        ArgumentSchema("destination_ipv6_cidr_block", .string, semantics: .cidr, "The destination as an IPv6 network."),
        ArgumentSchema("destination_prefix_list_id", .string, "The destination as a prefix list."),
    ]

    static let targets: [ArgumentSchema] = [
        ArgumentSchema("gateway_id", .string, reference: .internetGateway, "An internet gateway, by name or id."),
        ArgumentSchema("nat_gateway_id", .string, reference: .natGateway, "A NAT gateway, by name or id."),
        ArgumentSchema("vpc_endpoint_id", .string, reference: .vpcEndpoint, "A VPC endpoint, by name or id."),
        ArgumentSchema("transit_gateway_id", .string, "The id of a transit gateway."),
        ArgumentSchema("vpc_peering_connection_id", .string, "The id of a peering connection."),
        ArgumentSchema("network_interface_id", .string, "The id of a network interface."),
        ArgumentSchema("egress_only_gateway_id", .string, "The id of an egress-only gateway, for IPv6."),
        ArgumentSchema("carrier_gateway_id", .string, "The id of a carrier gateway."),
        ArgumentSchema("local_gateway_id", .string, "The id of a local gateway."),
        ArgumentSchema("core_network_arn", .string, "The ARN of a core network."),
    ]

    /// How ids begin, and the arguments that they belong to.
    static let targetsByPrefix: [(prefix: String, argument: String)] = [
        ("igw-", "gateway_id"), ("vgw-", "gateway_id"), ("nat-", "nat_gateway_id"), ("vpce-", "vpc_endpoint_id"),
        ("tgw-", "transit_gateway_id"), ("pcx-", "vpc_peering_connection_id"), ("eni-", "network_interface_id"),
        ("eigw-", "egress_only_gateway_id"), ("cagw-", "carrier_gateway_id"), ("lgw-", "local_gateway_id"),
        ("arn:", "core_network_arn"),
    ]
}

extension VPCLowering {
    mutating func lowerRouteTables() {
        for entry in routeTables {
            var table = Draft("aws.route_table", entry.key, of: definition, at: entry.keyRange)
            table.set("vpc_id", vpcID)
            table.set("propagating_vgws", entry.value["propagating_vgws"])
            table.declaration.exclusiveChildren = ["aws.route"]
            setTags(of: &table, entry.value, named: entry.key)
            result.append(table)

            var seen: [String: SourceRange] = [:]
            for route in entry.value["routes"]?.elements ?? [] {
                lower(route, of: entry.key, tableID: table.output("id"), seen: &seen)
            }
        }
        let claims = claims(
            field: "route_table", "route table", "aws.route_table", among: routeTables, literals: ["rtb-"])
        for (subnet, claim) in claims.claims {
            // A subnet has one table, so its name tells the association; another table is an update in place.
            var association = Draft("aws.route_table_association", subnet, of: definition, at: claim.range)
            association.set("subnet_id", claim.subnet)
            association.set("route_table_id", claim.value, at: claim.range)
            result.append(association)
        }
    }

    private mutating func lower(
        _ route: LocatedValue, of table: String, tableID: Value, seen: inout [String: SourceRange]
    ) {
        guard let destination = destination(of: route) else { return }
        if let earlier = seen[destination.name] {
            result.diagnostics.append(.duplicateRoute(destination.name, table, at: destination.range, earlier))
            return
        }
        seen[destination.name] = destination.range
        guard let target = target(of: route) else { return }
        var draft = Draft("aws.route", "\(table)/\(destination.name)", of: definition, at: route.range)
        draft.set("route_table_id", tableID)
        draft.set(destination.argument, destination.value, at: destination.range)
        draft.set(target.argument, target.value, at: target.range)
        result.append(draft)
    }

    private typealias Setting = (argument: String, value: Value, range: SourceRange)

    private mutating func destination(
        of route: LocatedValue
    ) -> (argument: String, value: Value, range: SourceRange, name: String)? {
        for field in RouteTablePart.destinations {
            guard let value = route[field.name] else { continue }
            guard field.semantics == .cidr, value.value.string != nil else {
                return (field.name, value.value, value.range, value.value.nameText)
            }
            guard let network = result.network(value) else { return nil }
            let argument = network.network.isIPv6 ? "destination_ipv6_cidr_block" : "destination_cidr_block"
            let text = network.network.description
            return (argument, .string(text), value.range, text)
        }
        guard let field = route["destination"] else { return nil }
        switch field.value {
        case .string(let text) where text.hasPrefix("pl-"):
            return ("destination_prefix_list_id", field.value, field.range, text)
        case .string(let text):
            guard let network = result.network(text, at: field.range)?.network else { return nil }
            return (
                network.isIPv6 ? "destination_ipv6_cidr_block" : "destination_cidr_block",
                .string(network.description), field.range, network.description
            )
        case .deferred(let deferred):
            let name = field.value.nameText
            switch AddressKind(of: deferred.expression) {
            case .ipv4: return ("destination_cidr_block", field.value, field.range, name)
            case .ipv6: return ("destination_ipv6_cidr_block", field.value, field.range, name)
            case .prefixList: return ("destination_prefix_list_id", field.value, field.range, name)
            case .securityGroup, nil:
                result.reportKindKnownLater(
                    field, "destination", instead: RouteTablePart.destinations.map(\.name))
            }
        default: result.diagnostics.append(.wrongForm("destination", "a CIDR", field))
        }
        return nil
    }

    private mutating func target(of route: LocatedValue) -> Setting? {
        for field in RouteTablePart.targets {
            if let value = route[field.name] { return (field.name, value.value, value.range) }
        }
        guard let field = route["to"] else { return nil }
        guard case .string(let text) = field.value else {
            result.reportKindKnownLater(field, "to", instead: RouteTablePart.targets.map(\.name))
            return nil
        }
        if text == "internet_gateway" {
            guard internetGateway != nil else {
                result.diagnostics.append(.noInternetGateway(definition.name, at: field.range))
                return nil
            }
            return ("gateway_id", definition.output("aws.internet_gateway", definition.name), field.range)
        }
        if text.hasPrefix("nat:") {
            let name = LocatedValue.value(.string(String(text.dropFirst("nat:".count))), field.range)
            return part(name, "NAT gateway", "aws.nat_gateway", among: natGateways, literals: ["nat-"])
                .map { ("nat_gateway_id", $0, field.range) }
        }
        for (prefix, argument) in RouteTablePart.targetsByPrefix where text.hasPrefix(prefix) {
            return (argument, field.value, field.range)
        }
        result.diagnostics.append(.unknownTarget(text, natGateways: natGateways.map(\.key), at: field.range))
        return nil
    }
}

extension Diagnostic {
    fileprivate static func duplicateRoute(
        _ destination: String, _ table: String, at range: SourceRange, _ earlier: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-route", summary: "Duplicate route",
            detail: "The route table \(table.quoted) has two routes to \(destination).", at: range,
            related: [.init(range: earlier, message: "the first is here")])
    }

    fileprivate static func noInternetGateway(_ vpc: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-reference", summary: "Unknown reference",
            detail: "The VPC \(vpc.quoted) has no internet gateway.", at: range,
            hint: "Add \"internet_gateway: true\" to it.")
    }

    fileprivate static func unknownTarget(
        _ text: String, natGateways: [String], at range: SourceRange
    ) -> Diagnostic {
        let known = ["internet_gateway"] + natGateways.map { "nat:\($0)" }
        let named = natGateways.contains(text) ? "Did you mean \"nat:\(text)\"?" : nil
        return Diagnostic(
            code: "spec.unknown-reference", summary: "Unknown reference",
            detail: "\(text.quoted) is nothing that a route can lead to.", at: range,
            hint: named ?? Suggestion.hint(for: text, among: known)
                ?? "Write \(known.joined(separator: ", ")), or the id of a gateway, a connection or an interface.")
    }
}
