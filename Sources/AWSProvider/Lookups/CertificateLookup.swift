import AWSClient
import MusterModel
import ProviderKit

/// A certificate of ACM that is not managed here.
///
/// Calls: `ListCertificates`; `ListTagsForCertificate` where tags are asked for.
struct CertificateLookup: Lookup {
    struct Arguments: ArgumentBlock {
        var domain: String?
        var statuses: [String]?
        var types: [String]?
        var keyTypes: [String]?
        var tags: [String: String]?
        var isMostRecent: Bool?

        static let fields: [Field<Self>] = [
            .argument(
                "domain", \.domain, isRequired: true,
                "The certificate's own domain; one that has it as a further name is not meant."),
            .argument(
                "statuses", \.statuses, absence: .means(["ISSUED"]),
                "The states that will do: ISSUED, PENDING_VALIDATION, EXPIRED and so on."),
            .argument("types", \.types, "The types that will do: AMAZON_ISSUED, IMPORTED, PRIVATE."),
            .argument("key_types", \.keyTypes, "The keys that will do, such as RSA_2048 or EC_prime256v1."),
            .argument("tags", \.tags, "Tags that it has."),
            .argument(
                "most_recent", \.isMostRecent, absence: .means(false),
                "Whether, of several, the one is taken that is good for longest."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var domain: String?
        var status: String?
        var type: String?
        var keyType: String?
        var names: [String]?
        var notAfter: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("domain", \.domain, "Its own domain."),
            .output("status", \.status, "`ISSUED` and so on."),
            .output("type", \.type, "`AMAZON_ISSUED`, `IMPORTED` or `PRIVATE`."),
            .output("key_type", \.keyType, "The kind of its key."),
            .output("subject_alternative_names", \.names, "All its domains, sorted."),
            .output("not_after", \.notAfter, "Until when it is good."),
        ]
    }

    static let schema = makeSchema("certificates", "A certificate of ACM.", isPinned: true)

    let aws: AWSSession

    func find(_ arguments: Arguments) async throws(ProviderError) -> Outputs {
        let domain = DNSName.readable(arguments.domain ?? "")
        let statuses = Set(arguments.statuses ?? ["ISSUED"])
        var found = try await aws.certificates().filter { item in
            DNSName.readable(item["DomainName"].text) == domain
                && (statuses.isEmpty || statuses.contains(item["Status"].text))
                && fits(item["Type"].text, arguments.types) && fits(keyType(item), arguments.keyTypes)
        }
        if let tags = arguments.tags, !tags.isEmpty {
            var tagged: [JSONValue] = []
            for item in found {
                let own = try await aws.certificateTags(item["CertificateArn"].text)
                if tags.allSatisfy({ own[$0.key] == $0.value }) { tagged.append(item) }
            }
            found = tagged
        }
        if arguments.isMostRecent == true, let newest = found.max(by: isWorse) { return outputs(newest) }
        return outputs(
            try one(
                of: found,
                asked: [
                    ("domain", arguments.domain), ("statuses", statuses.sorted().joined(separator: ", ")),
                    ("types", arguments.types?.joined(separator: ", ")),
                    ("key_types", arguments.keyTypes?.joined(separator: ", ")), ("tags", conditions(arguments.tags)),
                ], narrow: "Narrow it, or write \"most_recent: true\" for the one that is good for longest.",
                describe: { "\($0["CertificateArn"].text) (\($0["Status"].text))" }))
    }

    // MARK: - Wire format

    private func fits(_ value: String, _ wanted: [String]?) -> Bool {
        wanted.map { $0.isEmpty || $0.contains(value) } ?? true
    }

    /// By the end of validity; of the same moment by their ARNs, so that the choice is always the same.
    private func isWorse(_ left: JSONValue, _ right: JSONValue) -> Bool {
        (left["NotAfter"].timestamp?.iso8601 ?? "", left["CertificateArn"].text)
            < (right["NotAfter"].timestamp?.iso8601 ?? "", right["CertificateArn"].text)
    }

    private func keyType(_ item: JSONValue) -> String { item["KeyAlgorithm"].text.replacing("-", with: "_") }

    private func outputs(_ item: JSONValue) -> Outputs {
        Outputs(
            arn: item["CertificateArn"].text, domain: DNSName.readable(item["DomainName"].text),
            status: item["Status"].text, type: item["Type"].text, keyType: keyType(item),
            names: item["SubjectAlternativeNameSummaries"].items.map { DNSName.readable($0.text) }.sorted(),
            notAfter: item["NotAfter"].timestamp?.iso8601 ?? "")
    }
}
