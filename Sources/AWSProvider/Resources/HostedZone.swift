import AWSClient
import MusterModel
import ProviderKit

/// A hosted zone of Route 53.
///
/// Calls: `CreateHostedZone` (idempotent by `CallerReference`), `ListHostedZones`, `GetHostedZone` (VPCs and name
/// servers), `ListTagsForResources`, `UpdateHostedZoneComment`, `AssociateVPCWithHostedZone`,
/// `DisassociateVPCFromHostedZone`, `ChangeTagsForResource`, `DeleteHostedZone`.
/// Names do not identify zones: two may have the same.
struct HostedZone: ManagedResource {
    struct Arguments: ArgumentBlock {
        var name = ""
        var comment: String?
        var delegationSetID: String?
        var vpcs: [ZoneVPC]?
        var forceDestroy: Bool?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required("name", \.name, onChange: .replace, semantics: .dnsName, "The domain."),
            .argument(
                "comment", \.comment, absence: .means(""), constraints: [.length(0, 256)], "What the zone is for."),
            .argument(
                "delegation_set_id", \.delegationSetID, onChange: .replace, constraints: [.conflictsWith(["vpc"])],
                isReadable: false, "The reusable delegation set whose name servers it gets."),
            .argument(
                "vpc", \.vpcs, type: .set(ZoneVPC.valueType, key: "vpc_id"), needsOwnRead: true, isSetAfterCreate: true,
                "The VPCs that see the zone, which is then private; a private zone keeps one at least."),
            .argument(
                "force_destroy", \.forceDestroy, absence: .means(false), onChange: .local,
                "Whether deleting the zone deletes the records that others made in it."),
            .tags(\.tags, isSetAfterCreate: true),
        ]
    }

    struct ZoneVPC: ArgumentBlock {
        var id = ""
        var region: String?

        static let fields: [Field<Self>] = [
            .required("vpc_id", \.id, reference: .vpc, "The VPC."),
            .argument("vpc_region", \.region, "Its region, if that is another one."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var zoneID: String?
        var nameServers: [String]?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("zone_id", \.zoneID, "The id (`Z…`)."),
            .output("name_servers", \.nameServers, "The servers to delegate the domain to."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.hosted_zone", "A zone of DNS records.", deletionHazards: [.irreversible],
        importSyntax: "Z…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let zones = try await aws.hostedZones()
        let byID = Dictionary(
            zones.map { (DNSName.bareID($0["Id"].text), $0) }, uniquingKeysWith: { first, _ in first })
        let present = known.filter { byID[$0.id.rawValue] != nil }
        let tagged = present.filter { $0.declared.contains("tags") }.map(\.id.rawValue)
        let tags = tagged.isEmpty ? [:] : try await aws.hostedZoneTags(tagged)
        var found: [RemoteID: Observed<Self>] = [:]
        for object in present {
            guard let zone = byID[object.id.rawValue] else { continue }
            var observed = observed(zone)
            if object.declared.contains("tags") { observed.arguments.tags = tags[object.id.rawValue] ?? [:] }
            // Name servers never change: they are asked for once, when a zone is imported.
            if object.declared.contains("vpc") || object.arguments == Arguments(),
                let details = try await get(object.id)
            {
                observed.arguments.vpcs = vpcs(details)
                observed.outputs.nameServers = details["DelegationSet"]["NameServers"].texts
            }
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.hostedZones().map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        try await aws.hostedZonesNow().first { $0["CallerReference"].text == intent.token }
            .map { Found(observed($0), isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        var input: AWSInput = ["Name": .string(desired.name)]
        if let first = desired.vpcs?.first { input["VPC"] = wire(first) }
        input["CallerReference"] = .string(intent.token)
        let isPrivate = !(desired.vpcs ?? []).isEmpty
        input["HostedZoneConfig"] = [
            "Comment": .string(desired.comment ?? ""), "PrivateZone": .boolean(isPrivate),
        ]
        if let set = desired.delegationSetID.filled { input["DelegationSetId"] = .string(set) }
        let answer: XMLElement
        do throws(ProviderError) {
            answer = try await aws.call(
                AWSOperation(
                    .route53, "CreateHostedZone", input, effect: .idempotent,
                    rest: RESTRoute("POST", "/2013-04-01/hostedzone", bodyRoot: "CreateHostedZoneRequest"))
            ).xml
        } catch {
            throw error.asNotYetVisible
        }
        var observed = observed(answer["HostedZone"])
        observed.outputs.nameServers = answer["DelegationSet"]["NameServers"].texts
        return observed
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        if let comment = new.comment, comment != (old.comment ?? "") {
            _ = try await aws.call(
                AWSOperation(
                    .route53, "UpdateHostedZoneComment", ["Comment": .string(comment)], effect: .idempotent,
                    rest: RESTRoute(
                        "POST", "/2013-04-01/hostedzone/\(id.rawValue)", bodyRoot: "UpdateHostedZoneCommentRequest")))
        }
        if let vpcs = new.vpcs, Set(vpcs.map(\.id)) != Set((old.vpcs ?? []).map(\.id)) {
            // The first VPC of a new zone came with its creation: what is there decides.
            let present = try await get(id).map(self.vpcs) ?? []
            for vpc in vpcs where !present.contains(where: { $0.id == vpc.id }) { try await associate(vpc, id) }
            for vpc in present where !vpcs.contains(where: { $0.id == vpc.id }) {
                _ = try await zoneCall("DisassociateVPCFromHostedZone", "disassociatevpc", vpc, id)
            }
        }
        if let tags = new.tags { try await aws.updateHostedZoneTags(id.rawValue, from: old.tags ?? [:], to: tags) }
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        do throws(ProviderError) {
            if last.forceDestroy == true { try await deleteRecords(in: id) }
            _ = try await aws.call(
                AWSOperation(
                    .route53, "DeleteHostedZone", effect: .idempotent,
                    rest: RESTRoute("DELETE", "/2013-04-01/hostedzone/\(id.rawValue)")))
        } catch {
            if error.kind == .notFound { return }
            var error = error
            if error.code == "HostedZoneNotEmpty" {
                // Our own records are gone by now, and those of others do not go by themselves.
                error.kind = .invalid
                error.hint =
                    "Delete the records that others made in it, or set force_destroy on the zone and apply that."
            }
            throw error
        }
    }

    /// All records but the two that every zone has.
    private func deleteRecords(in id: RemoteID) async throws(ProviderError) {
        let zone = try await get(id)?["HostedZone"]["Name"].text ?? ""
        let records = try await aws.recordSets(in: id.rawValue).filter { record in
            !["NS", "SOA"].contains(record["Type"].text)
                || DNSName.readable(record["Name"].text) != DNSName.readable(zone)
        }
        var rest = records[...]
        while !rest.isEmpty {
            // A batch takes 1000 values; a record rarely has more than a few.
            let page = rest.prefix(100)
            rest = rest.dropFirst(100)
            try await aws.changeRecords(
                in: id.rawValue, page.map { ("DELETE", DNSRecord.wire($0)) }, effect: .idempotent)
        }
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        let id = DNSName.bareID(text)
        if !id.hasPrefix("Z") { throw Self.badID(text) }
        return RemoteID(id)
    }

    private func get(_ id: RemoteID) async throws(ProviderError) -> XMLElement? {
        try await aws.look(
            AWSOperation(
                .route53, "GetHostedZone", effect: .read,
                rest: RESTRoute("GET", "/2013-04-01/hostedzone/\(id.rawValue)"))
        )?.xml
    }

    private func associate(_ vpc: ZoneVPC, _ id: RemoteID) async throws(ProviderError) {
        do throws(ProviderError) {
            try await zoneCall("AssociateVPCWithHostedZone", "associatevpc", vpc, id)
        } catch {
            throw error.asNotYetVisible
        }
    }

    private func zoneCall(
        _ operation: String, _ path: String, _ vpc: ZoneVPC, _ id: RemoteID
    ) async throws(ProviderError) {
        _ = try await aws.call(
            AWSOperation(
                .route53, operation, ["VPC": wire(vpc)], effect: .idempotent,
                rest: RESTRoute(
                    "POST", "/2013-04-01/hostedzone/\(id.rawValue)/\(path)", bodyRoot: "\(operation)Request")))
    }

    // MARK: - Wire format

    private func wire(_ vpc: ZoneVPC) -> AWSInput {
        [
            "VPCRegion": .string(vpc.region.filled ?? aws.client.configuration.region), "VPCId": .string(vpc.id),
        ]
    }

    private func vpcs(_ answer: XMLElement) -> [ZoneVPC] {
        answer["VPCs"].items.map { item in
            var vpc = ZoneVPC()
            vpc.id = item["VPCId"].text
            vpc.region = item["VPCRegion"].text
            return vpc
        }
    }

    private func observed(_ zone: XMLElement) -> Observed<Self> {
        let id = DNSName.bareID(zone["Id"].text)
        var arguments = Arguments()
        arguments.name = DNSName.readable(zone["Name"].text)
        arguments.comment = zone["Config"]["Comment"].text
        var outputs = Outputs()
        outputs.zoneID = id
        outputs.arn = "arn:\(aws.client.configuration.partition.name):route53:::hostedzone/\(id)"
        return Observed(id: RemoteID(id), arguments: arguments, outputs: outputs)
    }
}
