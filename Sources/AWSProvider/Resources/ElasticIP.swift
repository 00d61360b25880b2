import AWSClient
import MusterModel
import ProviderKit

/// An elastic IP address and its association.
///
/// Calls: `AllocateAddress`, `DescribeAddresses`, `AssociateAddress`, `DisassociateAddress`, `CreateTags`,
/// `DeleteTags`, `ReleaseAddress`.
struct ElasticIP: ManagedResource {
    struct Arguments: ArgumentBlock {
        var domain: String?
        var networkBorderGroup: String?
        var publicIPv4Pool: String?
        var address: String?
        var ipamPoolID: String?
        var customerOwnedPool: String?
        var instance: String?
        var networkInterface: String?
        var privateIP: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .argument(
                "domain", \.domain, absence: .means("vpc"), onChange: .replace, constraints: [.allowed(["vpc"])],
                "Always vpc."),
            .argument(
                "network_border_group", \.networkBorderGroup, onChange: .replace, "Where the address is announced."),
            .argument(
                "public_ipv4_pool", \.publicIPv4Pool, onChange: .replace,
                "The pool of your own addresses to take it from; Amazon's is `amazon`."),
            .argument(
                "address", \.address, onChange: .replace, "A certain address: of your own pool, or one just released."),
            .argument(
                "ipam_pool_id", \.ipamPoolID, onChange: .replace, isReadable: false, "The IPAM pool to take it from."),
            .argument(
                "customer_owned_ipv4_pool", \.customerOwnedPool, onChange: .replace,
                "The pool of an Outpost to take it from."),
            .argument(
                "instance", \.instance, reference: .instance, constraints: [.conflictsWith(["network_interface"])],
                isSetAfterCreate: true, "The instance that has the address; \"\" takes it away."),
            .argument(
                "network_interface", \.networkInterface, isSetAfterCreate: true,
                "The network interface that has the address; \"\" takes it away."),
            .argument(
                "associate_with_private_ip", \.privateIP, isSetAfterCreate: true,
                "The private address that it stands for; the primary one if left out."),
            .tags(\.tags),
        ]
    }

    struct Outputs: ArgumentBlock {
        var allocationID: String?
        var associationID: String?
        var publicIP: String?
        var privateIP: String?
        var carrierIP: String?
        var customerOwnedIP: String?

        private static let association = ["instance", "network_interface", "associate_with_private_ip"]

        static let fields: [Field<Self>] = [
            .output("allocation_id", \.allocationID, "The id, under the name that calls give it."),
            .output(
                "association_id", \.associationID, changesWith: association, "The association, \"\" without one."),
            .output("public_ip", \.publicIP, "The address."),
            .output("private_ip", \.privateIP, changesWith: association, "The private address that it stands for."),
            .output("carrier_ip", \.carrierIP, "The address in a carrier's network."),
            .output("customer_owned_ip", \.customerOwnedIP, "The address of an Outpost's own pool."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.eip", "An elastic IP: a public address that stays.", deletionHazards: [.irreversible],
        isServing: true, timeouts: Timeouts(create: 900, update: 300, delete: 180), importSyntax: "eipalloc-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        matching(known, in: try await listing(), id: "allocationId", observed)
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await listing().filter { $0["allocationId"].nonEmpty != nil }.map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        try await aws.ec2Tagged("DescribeAddresses", at: "addressesSet", intent: intent, pageSize: nil).first
            .map { Found(observed($0), isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.ec2Change(
            "AllocateAddress",
            [
                "Domain": .string(desired.domain.filled ?? "vpc"),
                "NetworkBorderGroup": .nonEmpty(desired.networkBorderGroup),
                "PublicIpv4Pool": .nonEmpty(desired.publicIPv4Pool),
                "Address": .nonEmpty(desired.address),
                "IpamPoolId": .nonEmpty(desired.ipamPoolID),
                "CustomerOwnedIpv4Pool": .nonEmpty(desired.customerOwnedPool),
                "TagSpecification": aws.tagSpecification("elastic-ip", desired.tags, intent),
            ], effect: .once)
        // The answer has no tags.
        var observed = observed(answer)
        observed.arguments.tags = desired.tags ?? [:]
        return observed
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let isChanged = try await updateAssociation(id, from: old, to: new)
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        guard isChanged else { return nil }
        return try await current(id).map(observed)
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        // What we associated we take away; an address that a NAT gateway holds is in use until that is gone.
        if last.instance.filled != nil, let item = try await current(id), item["instanceId"].text == last.instance {
            try await disassociate(item)
        } else if let own = last.networkInterface.filled, let item = try await current(id),
            item["networkInterfaceId"].text == own, item["associationId"].nonEmpty != nil
        {
            // Refused for an interface that belongs to a service: the release then says who holds the address.
            do throws(ProviderError) { try await disassociate(item) } catch {}
        }
        try await aws.delete(.ec2, "ReleaseAddress", ["AllocationId": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        try Self.checkedID(text, prefix: "eipalloc-")
    }

    private func updateAssociation(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Bool {
        let holder = new.instance.filled ?? new.networkInterface.filled
        let holderChanged =
            new.instance.map { $0 != old.instance ?? "" } ?? false
            || new.networkInterface.map { $0 != old.networkInterface ?? "" } ?? false
        let privateChanged = new.privateIP.filled.map { $0 != old.privateIP } ?? false
        guard holderChanged || privateChanged else { return false }
        if holder != nil {
            _ = try await aws.ec2Change(
                "AssociateAddress",
                [
                    "AllocationId": .string(id.rawValue),
                    "InstanceId": .nonEmpty(new.instance),
                    "NetworkInterfaceId": .nonEmpty(new.networkInterface),
                    "PrivateIpAddress": .nonEmpty(new.privateIP),
                    "AllowReassociation": true,
                ])
        } else if let item = try await current(id) {
            try await disassociate(item)
        }
        return true
    }

    private func disassociate(_ item: XMLElement) async throws(ProviderError) {
        guard let association = item["associationId"].nonEmpty else { return }
        try await aws.ec2Undo("DisassociateAddress", ["AssociationId": .string(association)])
    }

    private func listing() async throws(ProviderError) -> [XMLElement] {
        try await aws.ec2List("DescribeAddresses", at: "addressesSet", pageSize: nil)
    }

    private func current(_ id: RemoteID) async throws(ProviderError) -> XMLElement? {
        try await aws.ec2Now(
            "DescribeAddresses", at: "addressesSet", [("allocation-id", [id.rawValue])], pageSize: nil
        ).first
    }

    // MARK: - Wire format

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        var outputs = Outputs()
        let id = item["allocationId"].text
        arguments.domain = item["domain"].nonEmpty ?? "vpc"
        arguments.networkBorderGroup = item["networkBorderGroup"].text
        arguments.publicIPv4Pool = item["publicIpv4Pool"].text
        arguments.address = item["publicIp"].text
        arguments.customerOwnedPool = item["customerOwnedIpv4Pool"].text
        arguments.instance = item["instanceId"].text
        arguments.networkInterface = item["networkInterfaceId"].text
        arguments.privateIP = item["privateIpAddress"].text
        arguments.tags = item.tags
        outputs.allocationID = id
        outputs.associationID = item["associationId"].text
        outputs.publicIP = item["publicIp"].text
        outputs.privateIP = item["privateIpAddress"].text
        outputs.carrierIP = item["carrierIp"].nonEmpty
        outputs.customerOwnedIP = item["customerOwnedIp"].nonEmpty
        return Observed(id: RemoteID(id), arguments: arguments, outputs: outputs)
    }
}
