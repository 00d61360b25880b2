import AWSClient
import MusterModel
import ProviderKit

/// Which route table a subnet, or a gateway, uses.
///
/// Calls: `AssociateRouteTable`, `DescribeRouteTables`, `ReplaceRouteTableAssociation`, `DisassociateRouteTable`.
/// A subnet has one association, so the subnet's id is its id here; AWS's own changes with every change of the table,
/// and is looked up where it is needed.
struct RouteTableAssociation: ManagedResource {
    struct Arguments: ArgumentBlock {
        var subnetID: String?
        var gatewayID: String?
        var routeTableID = ""

        static let fields: [Field<Self>] = [
            .argument(
                "subnet_id", \.subnetID, onChange: .replace, reference: .subnet,
                constraints: [.exactlyOne(["subnet_id", "gateway_id"])], "The subnet."),
            .argument(
                "gateway_id", \.gatewayID, onChange: .replace, reference: .internetGateway,
                "The internet gateway or virtual private gateway, for routing what comes in."),
            .required("route_table_id", \.routeTableID, reference: .routeTable, holds: true, "The route table."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var associationID: String?

        static let fields: [Field<Self>] = [
            .output(
                "association_id", \.associationID, changesWith: ["route_table_id"], "AWS's id of the association.")
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.route_table_association", "The route table that a subnet or a gateway uses.",
        timeouts: Timeouts(create: 300, update: 120, delete: 300), importSyntax: "subnet-… or igw-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let wanted = Set(known.map(\.id))
        var found: [RemoteID: Observed<Self>] = [:]
        for association in try await listing() where wanted.contains(association.id) {
            found[association.id] = association
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] { try await listing() }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        try await current(id(of: desired)).map { found in
            Found(found, isOurs: found.arguments.routeTableID == desired.routeTableID)
        }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let association = try await associate(desired)
        return Observed(
            id: id(of: desired), arguments: desired, outputs: Outputs(associationID: association), status: .ready)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        guard new.routeTableID != old.routeTableID else { return nil }
        var outputs = Outputs()
        if let found = try await current(id), let association = found.outputs.associationID {
            if found.arguments.routeTableID == new.routeTableID { return found }
            let answer = try await aws.ec2Change(
                "ReplaceRouteTableAssociation",
                ["AssociationId": .string(association), "RouteTableId": .string(new.routeTableID)])
            outputs.associationID = answer["newAssociationId"].nonEmpty
        } else {
            outputs.associationID = try await associate(new)
        }
        return Observed(id: id, arguments: new, outputs: outputs)
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        guard let association = try await current(id)?.outputs.associationID else { return }
        try await aws.delete(.ec2, "DisassociateRouteTable", ["AssociationId": .string(association)])
    }

    /// Besides ours: Terraform's `SUBNET/TABLE`, and AWS's `rtbassoc-…`.
    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        let text = text.filter { !$0.isWhitespace }
        if text.hasPrefix("rtbassoc-") {
            let tables = try await aws.ec2Now(
                "DescribeRouteTables", at: "routeTableSet",
                [("association.route-table-association-id", [text])], pageSize: 100)
            guard let found = tables.flatMap(observed).first(where: { $0.outputs.associationID == text }) else {
                throw ProviderError(.notFound, "There is no association \(text) of a subnet or a gateway.")
            }
            return found.id
        }
        let key = String(text.split(separator: "/", omittingEmptySubsequences: false)[0])
        guard let prefix = ["subnet-", "igw-", "vgw-"].first(where: key.hasPrefix) else { throw Self.badID(text) }
        return try Self.checkedID(key, prefix: prefix)
    }

    private func associate(_ desired: Arguments) async throws(ProviderError) -> String? {
        let answer = try await aws.ec2Change(
            "AssociateRouteTable",
            [
                "RouteTableId": .string(desired.routeTableID),
                "SubnetId": .nonEmpty(desired.subnetID),
                "GatewayId": .nonEmpty(desired.gatewayID),
            ])
        return answer["associationId"].nonEmpty
    }

    private func listing() async throws(ProviderError) -> [Observed<Self>] {
        try await aws.routeTables().flatMap(observed)
    }

    private func current(_ id: RemoteID) async throws(ProviderError) -> Observed<Self>? {
        let filter = id.rawValue.hasPrefix("subnet-") ? "association.subnet-id" : "association.gateway-id"
        return try await aws.ec2Now(
            "DescribeRouteTables", at: "routeTableSet", [(filter, [id.rawValue])], pageSize: 100
        ).flatMap(observed).first { $0.id == id }
    }

    private func id(of arguments: Arguments) -> RemoteID {
        RemoteID(arguments.subnetID.filled ?? arguments.gatewayID.filled ?? "")
    }

    // MARK: - Wire format

    /// The associations of a table, without the main one, which belongs to the VPC.
    private func observed(_ table: XMLElement) -> [Observed<Self>] {
        table["associationSet"].items.compactMap { item in
            let state = item["associationState"]["state"].text
            guard item["main"].boolean != true, state != "disassociated" else { return nil }
            var arguments = Arguments()
            arguments.subnetID = item["subnetId"].text
            arguments.gatewayID = item["gatewayId"].text
            arguments.routeTableID = item["routeTableId"].nonEmpty ?? table["routeTableId"].text
            let status: Observation.Status =
                switch state {
                case "associating": .pending(state)
                case "disassociating": .deleting(state)
                case "failed": .failed(item["associationState"]["statusMessage"].nonEmpty ?? state)
                default: .ready
                }
            return Observed(
                id: id(of: arguments), arguments: arguments,
                outputs: Outputs(associationID: item["routeTableAssociationId"].nonEmpty), status: status)
        }
    }
}
