import AWSClient
import MusterModel
import ProviderKit

/// A route table; its routes and associations are resources of their own, read from the same listing.
///
/// Calls: `CreateRouteTable`, `DescribeRouteTables`, `EnableVgwRoutePropagation`, `DisableVgwRoutePropagation`,
/// `CreateTags`, `DeleteTags`, `DeleteRouteTable`.
struct RouteTable: ManagedResource {
    struct Arguments: ArgumentBlock {
        var vpcID = ""
        var propagatingGateways: [String]?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required("vpc_id", \.vpcID, onChange: .replace, reference: .vpc, "The VPC."),
            .argument(
                "propagating_vgws", \.propagatingGateways, type: .set(.string), isSetAfterCreate: true,
                "Virtual private gateways that put their routes into the table."),
            .tags(\.tags),
        ]
    }

    typealias Outputs = OwnedOutputs

    static let schema = Schema<Arguments, Outputs>(
        "aws.route_table", "A route table of a VPC.", timeouts: Timeouts(create: 300, update: 120, delete: 300),
        importSyntax: "rtb-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        matching(known, in: try await aws.routeTables(), id: "routeTableId", observed)
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.routeTables().map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        try await aws.ec2Tagged("DescribeRouteTables", at: "routeTableSet", intent: intent, pageSize: 100).first
            .map { Found(observed($0), isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.ec2Change(
            "CreateRouteTable",
            [
                "VpcId": .string(desired.vpcID),
                "ClientToken": .string(intent.token),
                "TagSpecification": aws.tagSpecification("route-table", desired.tags, intent),
            ])
        return observed(answer["routeTable"])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let change = setDifference(old.propagatingGateways, new.propagatingGateways)
        for gateway in change.removed {
            try await aws.ec2Undo(
                "DisableVgwRoutePropagation",
                ["GatewayId": .string(gateway), "RouteTableId": .string(id.rawValue)])
        }
        for gateway in change.added {
            _ = try await aws.ec2Change(
                "EnableVgwRoutePropagation",
                ["GatewayId": .string(gateway), "RouteTableId": .string(id.rawValue)])
        }
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.ec2, "DeleteRouteTable", ["RouteTableId": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { try Self.checkedID(text, prefix: "rtb-") }

    // MARK: - Wire format

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        let id = item["routeTableId"].text
        arguments.vpcID = item["vpcId"].text
        arguments.propagatingGateways = item["propagatingVgwSet"].items.map { $0["gatewayId"].text }.sorted()
        arguments.tags = item.tags
        return Observed(id: RemoteID(id), arguments: arguments, outputs: aws.owned(item, "route-table/\(id)"))
    }
}

extension AWSSession {
    /// All route tables, with their routes and associations.
    func routeTables() async throws(ProviderError) -> [XMLElement] {
        try await ec2List("DescribeRouteTables", at: "routeTableSet", pageSize: 100)
    }
}
