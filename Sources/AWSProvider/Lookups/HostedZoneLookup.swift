import AWSClient
import MusterModel
import ProviderKit

/// A hosted zone, by its name.
///
/// Calls: `ListHostedZones`; `ListTagsForResources` where tags are asked for, `GetHostedZone` for the one that was
/// found.
struct HostedZoneLookup: Lookup {
    struct Arguments: ArgumentBlock {
        var name: String?
        var id: String?
        var isPrivate: Bool?
        var vpcID: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .argument(
                "name", \.name, constraints: [.exactlyOne(["name", "id"])], "The domain; a trailing dot does not count."
            ),
            .argument("id", \.id, "The id (`Z…`)."),
            .argument("private_zone", \.isPrivate, "Whether the zone is private."),
            .argument("vpc_id", \.vpcID, "A VPC that sees the private zone."),
            .argument("tags", \.tags, "Tags that it has."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var id: String?
        var arn: String?
        var name: String?
        var comment: String?
        var isPrivate: Bool?
        var nameServers: [String]?

        static let fields: [Field<Self>] = [
            .output("id", \.id, "The id (`Z…`)."),
            .output("arn", \.arn, "The ARN."),
            .output("name", \.name, "The domain, without a trailing dot."),
            .output("comment", \.comment, "The comment."),
            .output("private_zone", \.isPrivate, "Whether the zone is private."),
            .output("name_servers", \.nameServers, "The name servers of a public zone, sorted."),
        ]
    }

    static let schema = makeSchema("hosted_zones", "A hosted zone of Route 53.")

    let aws: AWSSession

    func find(_ arguments: Arguments) async throws(ProviderError) -> Outputs {
        var zones = try await aws.hostedZones().filter { zone in
            (arguments.name.filled.map { DNSName.readable($0) == DNSName.readable(zone["Name"].text) } ?? true)
                && (arguments.id.filled.map { DNSName.bareID($0) == id(zone) } ?? true)
                && (arguments.isPrivate.map { $0 == isPrivate(zone) } ?? true)
        }
        if let tags = arguments.tags, !tags.isEmpty {
            let all = try await aws.hostedZoneTags(zones.map(id))
            zones = zones.filter { zone in tags.allSatisfy { all[id(zone)]?[$0.key] == $0.value } }
        }
        if let vpc = arguments.vpcID.filled {
            var seeing: [XMLElement] = []
            for zone in zones where isPrivate(zone) {
                let vpcs = try await details(id(zone))["VPCs"].items.map { $0["VPCId"].text }
                if vpcs.contains(vpc) { seeing.append(zone) }
            }
            zones = seeing
        }
        let zone = try one(
            of: zones,
            asked: [
                ("name", arguments.name), ("id", arguments.id), ("private_zone", arguments.isPrivate.map { "\($0)" }),
                ("vpc_id", arguments.vpcID), ("tags", conditions(arguments.tags)),
            ], narrow: "Narrow it with \"private_zone\", \"vpc_id\", \"tags\" or \"id\".",
            describe: { "\(id($0)) (\(isPrivate($0) ? "private" : "public"))" })
        return outputs(zone, try await details(id(zone)))
    }

    private func details(_ id: String) async throws(ProviderError) -> XMLElement {
        try await aws.remembered("GetHostedZone \(id)") { () async throws(ProviderError) -> XMLElement in
            try await aws.call(
                AWSOperation(
                    .route53, "GetHostedZone", effect: .read, rest: RESTRoute("GET", "/2013-04-01/hostedzone/\(id)"))
            ).xml
        }
    }

    // MARK: - Wire format

    private func id(_ zone: XMLElement) -> String { DNSName.bareID(zone["Id"].text) }

    private func isPrivate(_ zone: XMLElement) -> Bool { zone["Config"]["PrivateZone"].boolean ?? false }

    private func outputs(_ zone: XMLElement, _ details: XMLElement) -> Outputs {
        Outputs(
            id: id(zone), arn: "arn:\(aws.client.configuration.partition.name):route53:::hostedzone/\(id(zone))",
            name: DNSName.readable(zone["Name"].text), comment: zone["Config"]["Comment"].text,
            isPrivate: isPrivate(zone), nameServers: details["DelegationSet"]["NameServers"].texts.sorted())
    }
}
