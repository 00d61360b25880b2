import AWSClient
import MusterModel
import ProviderKit

/// An internet gateway and its attachment to a VPC.
///
/// Calls: `CreateInternetGateway`, `DescribeInternetGateways`, `AttachInternetGateway`, `DetachInternetGateway`,
/// `CreateTags`, `DeleteTags`, `DeleteInternetGateway`.
struct InternetGateway: ManagedResource {
    struct Arguments: ArgumentBlock {
        var vpcID: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .argument(
                "vpc_id", \.vpcID, reference: .vpc, isSetAfterCreate: true, holds: true,
                "The VPC that the gateway is attached to; a VPC takes one."),
            .tags(\.tags),
        ]
    }

    typealias Outputs = OwnedOutputs

    static let schema = Schema<Arguments, Outputs>(
        "aws.internet_gateway", "An internet gateway: the way of a VPC's public subnets to the Internet.",
        timeouts: Timeouts(create: 1200, update: 1200, delete: 1200), importSyntax: "igw-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        matching(known, in: try await listing(), id: "internetGatewayId", observed)
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await listing().map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        try await aws.ec2Tagged("DescribeInternetGateways", at: "internetGatewaySet", intent: intent).first
            .map { Found(observed($0), isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.ec2Change(
            "CreateInternetGateway",
            ["TagSpecification": aws.tagSpecification("internet-gateway", desired.tags, intent)], effect: .once)
        return observed(answer["internetGateway"])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        if let vpc = new.vpcID, vpc != old.vpcID ?? "" {
            if let before = old.vpcID.filled { try await detach(id, before) }
            if !vpc.isEmpty { try await attach(id, vpc) }
        }
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        if let item = try await current(id) {
            for attachment in item["attachmentSet"].items { try await detach(id, attachment["vpcId"].text) }
        }
        try await aws.delete(.ec2, "DeleteInternetGateway", ["InternetGatewayId": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { try Self.checkedID(text, prefix: "igw-") }

    private func listing() async throws(ProviderError) -> [XMLElement] {
        try await aws.ec2List("DescribeInternetGateways", at: "internetGatewaySet")
    }

    private func current(_ id: RemoteID) async throws(ProviderError) -> XMLElement? {
        try await aws.ec2Now(
            "DescribeInternetGateways", at: "internetGatewaySet", [("internet-gateway-id", [id.rawValue])]
        ).first
    }

    private func attach(_ id: RemoteID, _ vpc: String) async throws(ProviderError) {
        do throws(ProviderError) {
            _ = try await aws.ec2Change(
                "AttachInternetGateway", ["InternetGatewayId": .string(id.rawValue), "VpcId": .string(vpc)])
        } catch {
            // Attached already: by an earlier attempt, or to another VPC.
            guard error.kind == .alreadyExists,
                let item = try await current(id), attachment(item)?["vpcId"].text == vpc
            else { throw error }
        }
    }

    private func detach(_ id: RemoteID, _ vpc: String) async throws(ProviderError) {
        try await aws.ec2Undo(
            "DetachInternetGateway", ["InternetGatewayId": .string(id.rawValue), "VpcId": .string(vpc)],
            goneCodes: ["Gateway.NotAttached"])
    }

    // MARK: - Wire format

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        let id = item["internetGatewayId"].text
        let attachment = attachment(item)
        arguments.vpcID = attachment?["vpcId"].text ?? ""
        arguments.tags = item.tags
        let state = attachment?["state"].text ?? ""
        return Observed(
            id: RemoteID(id), arguments: arguments, outputs: aws.owned(item, "internet-gateway/\(id)"),
            status: state == "attaching" ? .pending(state) : .ready)
    }

    private func attachment(_ item: XMLElement) -> XMLElement? {
        item["attachmentSet"].items.first { !["detaching", "detached"].contains($0["state"].text) }
    }
}
