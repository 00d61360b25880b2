import AWSClient
import MusterModel
import ProviderKit

/// A NAT gateway.
///
/// Calls: `CreateNatGateway`, `DescribeNatGateways`, `AssociateNatGatewayAddress`, `DisassociateNatGatewayAddress`,
/// `AssignPrivateNatGatewayAddress`, `UnassignPrivateNatGatewayAddress`, `CreateTags`, `DeleteTags`,
/// `DeleteNatGateway`.
/// Consistency: a failure to make it arrives as its state; a deleted one is listed for about an hour.
struct NATGateway: ManagedResource {
    struct Arguments: ArgumentBlock {
        var subnetID = ""
        var allocationID: String?
        var connectivityType: String?
        var privateIP: String?
        var secondaryAllocationIDs: [String]?
        var secondaryPrivateIPs: [String]?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required(
                "subnet_id", \.subnetID, onChange: .replace, reference: .subnet,
                "The subnet that the gateway stands in."),
            .argument(
                "allocation_id", \.allocationID, onChange: .replace, reference: .elasticIP,
                "The elastic IP of a public gateway."),
            .argument(
                "connectivity_type", \.connectivityType, absence: .means("public"), onChange: .replace,
                constraints: [.allowed(["public", "private"])],
                "Whether it leads to the Internet or to other private networks."),
            .argument(
                "private_ip", \.privateIP, onChange: .replace, "The gateway's own address; AWS chooses if left out."),
            .argument(
                "secondary_allocation_ids", \.secondaryAllocationIDs, type: .set(.string), reference: .elasticIP,
                holds: true,
                "More elastic IPs of a public gateway, for more connections."),
            .argument(
                "secondary_private_ip_addresses", \.secondaryPrivateIPs, type: .set(.string),
                "More addresses of its own in the subnet."),
            .tags(\.tags),
        ]
    }

    struct Outputs: ArgumentBlock {
        var associationID: String?
        var networkInterfaceID: String?
        var publicIP: String?
        var privateIP: String?

        static let fields: [Field<Self>] = [
            .output("association_id", \.associationID, "The association of its elastic IP."),
            .output("network_interface_id", \.networkInterfaceID, "Its network interface."),
            .output("public_ip", \.publicIP, "Its public address."),
            .output("private_ip", \.privateIP, "Its address in the subnet."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.nat_gateway", "A NAT gateway: the way of private subnets to other networks.", isServing: true,
        timeouts: Timeouts(create: 600, update: 600, delete: 1800), importSyntax: "nat-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        matching(known, in: try await listing(), id: "natGatewayId", observed)
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await listing().compactMap(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        try await aws.ec2Tagged("DescribeNatGateways", at: "natGatewaySet", intent: intent)
            .lazy.compactMap(observed).first.map { Found($0, isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.ec2Change(
            "CreateNatGateway",
            [
                "SubnetId": .string(desired.subnetID),
                "AllocationId": .nonEmpty(desired.allocationID),
                "ConnectivityType": .nonEmpty(desired.connectivityType),
                "PrivateIpAddress": .nonEmpty(desired.privateIP),
                "SecondaryAllocationId": .set(desired.secondaryAllocationIDs),
                "SecondaryPrivateIpAddress": .set(desired.secondaryPrivateIPs),
                "ClientToken": .string(intent.token),
                "TagSpecification": aws.tagSpecification("natgateway", desired.tags, intent),
            ])
        let item = answer["natGateway"]
        return observed(item) ?? Observed(id: RemoteID(item["natGatewayId"].text), arguments: desired)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let elastic = setDifference(old.secondaryAllocationIDs, new.secondaryAllocationIDs)
        let own = setDifference(old.secondaryPrivateIPs, new.secondaryPrivateIPs)
        if !(elastic.added + elastic.removed + own.added + own.removed).isEmpty, let item = try await current(id) {
            try await updateAddresses(item, elastic: new.secondaryAllocationIDs, own: new.secondaryPrivateIPs)
        }
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.ec2, "DeleteNatGateway", ["NatGatewayId": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { try Self.checkedID(text, prefix: "nat-") }

    private func listing() async throws(ProviderError) -> [XMLElement] {
        try await aws.ec2List("DescribeNatGateways", at: "natGatewaySet")
    }

    private func current(_ id: RemoteID) async throws(ProviderError) -> XMLElement? {
        try await aws.ec2Now("DescribeNatGateways", at: "natGatewaySet", [("nat-gateway-id", [id.rawValue])]).first
    }

    /// Compares with what is there now, since adding an address twice is an error.
    private func updateAddresses(
        _ item: XMLElement, elastic: [String]?, own: [String]?
    ) async throws(ProviderError) {
        let id = AWSInput.string(item["natGatewayId"].text)
        let there = secondaryAddresses(item)
        if item["connectivityType"].text == "private" {
            let change = setDifference(there.map { $0["privateIp"].text }, own)
            if !change.removed.isEmpty {
                try await aws.ec2Undo(
                    "UnassignPrivateNatGatewayAddress",
                    ["NatGatewayId": id, "PrivateIpAddress": .strings(change.removed)])
            }
            if !change.added.isEmpty {
                _ = try await aws.ec2Change(
                    "AssignPrivateNatGatewayAddress", ["NatGatewayId": id, "PrivateIpAddress": .strings(change.added)])
            }
            return
        }
        let change = setDifference(there.map { $0["allocationId"].text }, elastic)
        let leaving = there.filter { change.removed.contains($0["allocationId"].text) }
        if !leaving.isEmpty {
            try await aws.ec2Undo(
                "DisassociateNatGatewayAddress",
                ["NatGatewayId": id, "AssociationId": .strings(leaving.map { $0["associationId"].text })])
        }
        if !change.added.isEmpty {
            let addresses = setDifference(there.map { $0["privateIp"].text }, own).added
            _ = try await aws.ec2Change(
                "AssociateNatGatewayAddress",
                [
                    "NatGatewayId": id, "AllocationId": .strings(change.added),
                    "PrivateIpAddress": .set(addresses),
                ])
        }
    }

    // MARK: - Wire format

    private func observed(_ item: XMLElement) -> Observed<Self>? {
        let state = item["state"].text
        if state == "deleted" { return nil }
        var arguments = Arguments()
        var outputs = Outputs()
        let primary = primaryAddress(item)
        let secondary = secondaryAddresses(item)
        arguments.subnetID = item["subnetId"].text
        arguments.connectivityType = item["connectivityType"].nonEmpty ?? "public"
        arguments.allocationID = primary["allocationId"].text
        arguments.privateIP = primary["privateIp"].text
        arguments.secondaryAllocationIDs = secondary.compactMap { $0["allocationId"].nonEmpty }.sorted()
        arguments.secondaryPrivateIPs = secondary.compactMap { $0["privateIp"].nonEmpty }.sorted()
        arguments.tags = item.tags
        outputs.associationID = primary["associationId"].nonEmpty
        outputs.networkInterfaceID = primary["networkInterfaceId"].nonEmpty
        outputs.publicIP = primary["publicIp"].nonEmpty
        outputs.privateIP = primary["privateIp"].nonEmpty
        return Observed(
            id: RemoteID(item["natGatewayId"].text), arguments: arguments, outputs: outputs,
            status: status(state, item, secondary))
    }

    private func status(_ state: String, _ item: XMLElement, _ secondary: [XMLElement]) -> Observation.Status {
        switch state {
        case "pending": return .pending(state)
        case "deleting": return .deleting(state)
        case "failed":
            let reason = [item["failureCode"].text, item["failureMessage"].text].filter { !$0.isEmpty }
            return .failed(reason.isEmpty ? state : reason.joined(separator: ": "))
        default:
            let moving = secondary.map { $0["status"].text }.first { ["assigning", "associating"].contains($0) }
            return moving.map { .pending($0) } ?? .ready
        }
    }

    private func primaryAddress(_ item: XMLElement) -> XMLElement {
        let addresses = item["natGatewayAddressSet"].items
        return addresses.first { $0["isPrimary"].boolean == true } ?? addresses.first ?? .missing
    }

    private func secondaryAddresses(_ item: XMLElement) -> [XMLElement] {
        item["natGatewayAddressSet"].items.filter {
            $0["isPrimary"].boolean == false
                && !["unassigning", "disassociating", "failed"].contains($0["status"].text)
        }
    }
}
