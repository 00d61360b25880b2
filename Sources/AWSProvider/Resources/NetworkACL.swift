import AWSClient
import MusterModel
import ProviderKit

/// A network ACL and the subnets that it guards; its rules are resources of their own, read from the same listing.
///
/// Calls: `CreateNetworkAcl`, `DescribeNetworkAcls`, `ReplaceNetworkAclAssociation`, `CreateTags`, `DeleteTags`,
/// `DeleteNetworkAcl`.
/// Every subnet has exactly one ACL: to take one away is to give the VPC's default ACL instead.
struct NetworkACL: ManagedResource {
    struct Arguments: ArgumentBlock {
        var vpcID = ""
        var subnetIDs: [String]?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required("vpc_id", \.vpcID, onChange: .replace, reference: .vpc, "The VPC."),
            .argument(
                "subnet_ids", \.subnetIDs, type: .set(.string), reference: .subnet, isSetAfterCreate: true,
                "The subnets that it guards."),
            .tags(\.tags),
        ]
    }

    typealias Outputs = OwnedOutputs

    static let schema = Schema<Arguments, Outputs>(
        "aws.network_acl", "A network ACL: rules without state at the edge of subnets.",
        timeouts: Timeouts(create: 300, update: 300, delete: 600), importSyntax: "acl-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        matching(known, in: try await aws.networkACLs(), id: "networkAclId", observed)
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.networkACLs().map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        try await aws.ec2Tagged("DescribeNetworkAcls", at: "networkAclSet", intent: intent).first
            .map { Found(observed($0), isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.ec2Change(
            "CreateNetworkAcl",
            [
                "VpcId": .string(desired.vpcID),
                "ClientToken": .string(intent.token),
                "TagSpecification": aws.tagSpecification("network-acl", desired.tags, intent),
            ])
        return observed(answer["networkAcl"])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let change = setDifference(old.subnetIDs, new.subnetIDs)
        if !change.added.isEmpty { try await guardSubnets(change.added, with: id.rawValue) }
        if !change.removed.isEmpty {
            try await release(change.removed, from: id, vpc: new.vpcID.isEmpty ? old.vpcID : new.vpcID)
        }
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        if let item = try await current(id) {
            let subnets = item["associationSet"].items.map { $0["subnetId"].text }
            if !subnets.isEmpty { try await release(subnets, from: id, vpc: item["vpcId"].text) }
        }
        try await aws.delete(.ec2, "DeleteNetworkAcl", ["NetworkAclId": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { try Self.checkedID(text, prefix: "acl-") }

    private func current(_ id: RemoteID) async throws(ProviderError) -> XMLElement? {
        try await aws.ec2Now("DescribeNetworkAcls", at: "networkAclSet", [("network-acl-id", [id.rawValue])]).first
    }

    /// The associations that the subnets have now, by subnet.
    private func associations(
        of subnets: [String]
    ) async throws(ProviderError) -> [String: (association: String, acl: String)] {
        var found: [String: (association: String, acl: String)] = [:]
        let wanted = Set(subnets)
        let acls = try await aws.ec2Now(
            "DescribeNetworkAcls", at: "networkAclSet", [("association.subnet-id", subnets)])
        for acl in acls {
            for item in acl["associationSet"].items where wanted.contains(item["subnetId"].text) {
                found[item["subnetId"].text] = (item["networkAclAssociationId"].text, acl["networkAclId"].text)
            }
        }
        return found
    }

    private func guardSubnets(_ subnets: [String], with acl: String) async throws(ProviderError) {
        let now = try await associations(of: subnets)
        for subnet in subnets {
            guard let current = now[subnet] else {
                throw ProviderError(
                    .notYetVisible, "The subnet \(subnet) has no network ACL yet.",
                    operation: "ec2.DescribeNetworkAcls")
            }
            if current.acl != acl { try await replace(current.association, with: acl) }
        }
    }

    /// Gives subnets that this ACL still guards the default ACL.
    private func release(_ subnets: [String], from id: RemoteID, vpc: String) async throws(ProviderError) {
        let held = try await associations(of: subnets).values.filter { $0.acl == id.rawValue }
        if held.isEmpty { return }
        let acls = try await aws.ec2Now(
            "DescribeNetworkAcls", at: "networkAclSet", [("vpc-id", [vpc]), ("default", ["true"])])
        guard let acl = acls.first?["networkAclId"].nonEmpty else {
            throw ProviderError(
                .notFound, "The VPC \(vpc) shows no default network ACL.", operation: "ec2.DescribeNetworkAcls")
        }
        for association in held.map(\.association).sorted() { try await replace(association, with: acl) }
    }

    private func replace(_ association: String, with acl: String) async throws(ProviderError) {
        _ = try await aws.ec2Change(
            "ReplaceNetworkAclAssociation",
            ["AssociationId": .string(association), "NetworkAclId": .string(acl)])
    }

    // MARK: - Wire format

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        let id = item["networkAclId"].text
        arguments.vpcID = item["vpcId"].text
        arguments.subnetIDs = item["associationSet"].items.map { $0["subnetId"].text }.sorted()
        arguments.tags = item.tags
        return Observed(id: RemoteID(id), arguments: arguments, outputs: aws.owned(item, "network-acl/\(id)"))
    }
}

extension AWSSession {
    /// All network ACLs, with their rules and associations.
    func networkACLs() async throws(ProviderError) -> [XMLElement] {
        try await ec2List("DescribeNetworkAcls", at: "networkAclSet")
    }
}
