import AWSClient
import MusterModel
import ProviderKit
import TextEncodings

/// A certificate: requested from Amazon or from a private authority, or imported.
///
/// Calls: `RequestCertificate` (with a token that is good for an hour) or `ImportCertificate`, `ListCertificates`,
/// `DescribeCertificate` (one object a call: while a certificate is being validated, and where its options are
/// declared), `GetCertificate` (where the body of an imported one is declared), `GetResources` of the tagging service
/// and `ListTagsForCertificate`, `UpdateCertificateOptions`, `AddTagsToCertificate`, `RemoveTagsFromCertificate`, `DeleteCertificate`.
///
/// A requested certificate is ready when its validation records are known, not when it is issued: the records are made
/// from its outputs. A listener waits until it is issued.
struct ACMCertificate: ManagedResource {
    struct Arguments: ArgumentBlock {
        var domainName: String?
        var alternativeNames: [String]?
        var validationMethod: String?
        var validationOptions: [ValidationOption]?
        var keyAlgorithm: String?
        var authority: String?
        var options: Options?
        var body: String?
        var chain: String?
        var privateKey: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .argument(
                "domain_name", \.domainName, onChange: .replace, semantics: .dnsName,
                constraints: [.exactlyOne(["domain_name", "certificate_body"]), .length(1, 253)],
                "The domain, `*.` for all in it; for a certificate that is requested."),
            .argument(
                "subject_alternative_names", \.alternativeNames, type: .set(.string), onChange: .replace,
                semantics: .dnsName, constraints: [.conflictsWith(["certificate_body"])], "More domains."),
            .argument(
                "validation_method", \.validationMethod, onChange: .creationOnly,
                constraints: [.allowed(["DNS", "EMAIL"])],
                "How the domains are proved; DNS if it is left out. An issued certificate keeps what it has."),
            .argument(
                "validation_option", \.validationOptions,
                type: .set(.object(ValidationOption.fields.map(\.schema)), key: "domain_name"),
                onChange: .creationOnly, "Whose mail is asked, for EMAIL."),
            .argument(
                "key_algorithm", \.keyAlgorithm, onChange: .replace,
                constraints: [
                    .allowed([
                        "RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1",
                    ]), .conflictsWith(["certificate_body"]),
                ], "The kind of the key; RSA_2048 for AWS."),
            .argument(
                "certificate_authority_arn", \.authority, onChange: .replace, needsOwnRead: true,
                "The private authority that issues it."),
            .argument("options", \.options, needsOwnRead: true, "What else is done with it."),
            .argument(
                "certificate_body", \.body, semantics: .multilineText, needsOwnRead: true,
                "The certificate in PEM, to be imported."),
            .argument(
                "certificate_chain", \.chain, semantics: .multilineText, isReadable: false,
                "The certificates between it and the root, in PEM."),
            .argument(
                "private_key", \.privateKey, isSensitive: true, isReadable: false,
                "The key in PEM, for a certificate that is imported."),
            .tags(\.tags),
        ]
    }

    struct Options: ArgumentBlock {
        var transparencyLogging: String?
        var export: String?

        static let fields: [Field<Self>] = [
            .argument(
                "certificate_transparency_logging_preference", \.transparencyLogging, absence: .means("ENABLED"),
                constraints: [.allowed(["ENABLED", "DISABLED"])], "Whether it is in public logs."),
            .argument(
                "export", \.export, onChange: .replace, constraints: [.allowed(["ENABLED", "DISABLED"])],
                "Whether its key may be taken out; DISABLED for AWS."),
        ]
    }

    struct ValidationOption: ArgumentBlock {
        var domainName = ""
        var validationDomain = ""

        static let fields: [Field<Self>] = [
            .required("domain_name", \.domainName, onChange: .creationOnly, "The domain of the certificate."),
            .required(
                "validation_domain", \.validationDomain, onChange: .creationOnly, "The domain whose mail is asked."),
        ]
    }

    struct ValidationRecord: ArgumentBlock {
        var domainName: String?
        var name: String?
        var type: String?
        var value: String?

        static let fields: [Field<Self>] = [
            .output("domain_name", \.domainName, "The domain that it proves."),
            .output("resource_record_name", \.name, "The name of the record."),
            .output("resource_record_type", \.type, "`CNAME`."),
            .output("resource_record_value", \.value, "What it must say."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var status: String?
        var type: String?
        var notBefore: String?
        var notAfter: String?
        var records: [ValidationRecord]?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN, which is also its id."),
            .output("status", \.status, "`PENDING_VALIDATION`, `ISSUED` and so on."),
            .output("type", \.type, "`AMAZON_ISSUED`, `PRIVATE` or `IMPORTED`."),
            .output("not_before", \.notBefore, changesWith: ["certificate_body"], "From when on it is good."),
            .output("not_after", \.notAfter, changesWith: ["certificate_body"], "Until when it is good."),
            .output(
                "domain_validation_options", \.records,
                "The records that prove the domains, the certificate's own domain first; one for `x` and `*.x`."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.acm_certificate", "A certificate.", replacement: .createFirst,
        timeouts: Timeouts(create: 600, update: 600, delete: 1200), importSyntax: "the certificate's ARN")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let items = Dictionary(
            try await aws.certificates().map { ($0["CertificateArn"].text, $0) },
            uniquingKeysWith: { first, _ in first })
        let present = known.filter { items[$0.id.rawValue] != nil }
        let details = try await aws.concurrently(present) { object async throws(ProviderError) -> Details in
            try await ask(about: object, items[object.id.rawValue] ?? .null)
        }
        let tagged = present.filter { $0.declared.contains("tags") }
        let tags = try await aws.confirmedTags(
            Dictionary(tagged.map { ($0.id.rawValue, $0.arguments.tags) }, uniquingKeysWith: { first, _ in first })
        ) { arn async throws(ProviderError) -> [String: String]? in try await aws.certificateTags(arn) }
        var found: [RemoteID: Observed<Self>] = [:]
        for (object, details) in zip(present, details) {
            var observed = observed(items[object.id.rawValue] ?? .null, details, object.arguments)
            observed.arguments.tags = tags[object.id.rawValue]
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.certificates().map { observed($0, Details(), Arguments()) }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        for item in try await aws.certificates() {
            if let domain = desired.domainName, DNSName.readable(domain) != DNSName.readable(item["DomainName"].text) {
                continue
            }
            if desired.body != nil, item["Type"].text != "IMPORTED" { continue }
            guard try await aws.certificateTags(item["CertificateArn"].text)[intent.tag.key] == intent.tag.value else {
                continue
            }
            return Found(observed(item, Details(), desired), isOurs: true)
        }
        return nil
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let tags = AWSInput.tagList(desired.tags, intent)
        var outputs = Outputs()
        let answer: AWSOutput
        if desired.body != nil {
            answer = try await aws.call(.acm, "ImportCertificate", imported(desired, tags: tags), effect: .once)
        } else {
            var options: [AWSInput.Field] = []
            if let own = desired.options {
                options = [
                    .init("CertificateTransparencyLoggingPreference", .nonEmpty(own.transparencyLogging)),
                    .init("Export", .nonEmpty(own.export)),
                ]
            }
            answer = try await aws.call(
                .acm, "RequestCertificate",
                [
                    "DomainName": .optional(desired.domainName),
                    "SubjectAlternativeNames": .set(desired.alternativeNames),
                    "ValidationMethod": desired.authority.filled == nil
                        ? .string(desired.validationMethod.filled ?? "DNS") : .absent,
                    "DomainValidationOptions": .optional(
                        desired.validationOptions.map { options in
                            .list(
                                options.map {
                                    [
                                        "DomainName": .string($0.domainName),
                                        "ValidationDomain": .string($0.validationDomain),
                                    ]
                                })
                        }),
                    "KeyAlgorithm": .nonEmpty(desired.keyAlgorithm),
                    "CertificateAuthorityArn": .nonEmpty(desired.authority),
                    "Options": options.isEmpty ? .absent : .structure(options),
                    "IdempotencyToken": .string(intent.token), "Tags": tags,
                ], effect: .idempotent)
        }
        let arn = answer.json["CertificateArn"].text
        outputs.arn = arn
        return Observed(
            id: RemoteID(arn), arguments: desired, outputs: outputs,
            status: desired.body == nil ? .pending("PENDING_VALIDATION") : .ready)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        if new.body != nil, old.body != new.body || old.chain != new.chain || old.privateKey != new.privateKey {
            var input = imported(new, tags: .absent)
            input["CertificateArn"] = .string(id.rawValue)
            _ = try await aws.call(.acm, "ImportCertificate", input, effect: .idempotent)
        }
        if let logging = new.options?.transparencyLogging.filled, logging != old.options?.transparencyLogging {
            _ = try await aws.call(
                .acm, "UpdateCertificateOptions",
                [
                    "CertificateArn": .string(id.rawValue),
                    "Options": ["CertificateTransparencyLoggingPreference": .string(logging)],
                ], effect: .idempotent)
        }
        try await updateTags(id, from: old.tags, to: new.tags)
        guard new.body != nil, old.body != new.body else { return nil }
        let answer = try await aws.call(
            .acm, "DescribeCertificate", ["CertificateArn": .string(id.rawValue)], effect: .read)
        return observed(answer.json["Certificate"], Details(), new)
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        do throws(ProviderError) {
            try await aws.delete(.acm, "DeleteCertificate", ["CertificateArn": .string(id.rawValue)])
        } catch {
            guard error.kind == .inUse else { throw error }
            throw error.naming((try? await holders(of: id)) ?? [])
        }
    }

    private func holders(of id: RemoteID) async throws(ProviderError) -> [String] {
        let answer = try await aws.call(
            .acm, "DescribeCertificate", ["CertificateArn": .string(id.rawValue)], effect: .read)
        let users = answer.json["Certificate"]["InUseBy"].items.map(\.text)
        let balancers = users.filter { $0.contains(":loadbalancer/") }
        let listeners = try await aws.holders(ofCertificate: id.rawValue, balancers: balancers)
        return listeners + users.filter { listeners.isEmpty || !balancers.contains($0) }
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        guard text.hasPrefix("arn:"), text.contains(":acm:") else { throw Self.badID(text) }
        return RemoteID(text)
    }

    private struct Details: Sendable {
        var certificate: JSONValue?
        var body: String?
    }

    private func ask(about object: Known<Self>, _ item: JSONValue) async throws(ProviderError) -> Details {
        var details = Details()
        let arn = AWSInput.string(object.id.rawValue)
        let isPending = item["Status"].text == "PENDING_VALIDATION"
        if isPending || item["HasAdditionalSubjectAlternativeNames"].boolean == true
            || !object.declared.isDisjoint(with: ["options", "certificate_authority_arn"])
        {
            details.certificate = try await aws.call(
                .acm, "DescribeCertificate", ["CertificateArn": arn], effect: .read
            ).json["Certificate"]
        }
        if object.declared.contains("certificate_body"), item["Type"].text == "IMPORTED" {
            details.body = try await aws.call(.acm, "GetCertificate", ["CertificateArn": arn], effect: .read)
                .json["Certificate"].string
        }
        return details
    }

    private func updateTags(
        _ id: RemoteID, from old: [String: String]?, to new: [String: String]?
    ) async throws(ProviderError) {
        guard let new else { return }
        let old = old ?? [:]
        let removed = old.filter { new[$0.key] == nil }
        let set = new.filter { old[$0.key] != $0.value }
        for (name, tags) in [("RemoveTagsFromCertificate", removed), ("AddTagsToCertificate", set)] where !tags.isEmpty
        {
            _ = try await aws.call(
                .acm, name,
                [
                    "CertificateArn": .string(id.rawValue), "Tags": .keyValues(tags),
                ], effect: .idempotent)
        }
    }

    // MARK: - Wire format

    private func imported(_ new: Arguments, tags: AWSInput) -> AWSInput {
        [
            "Certificate": .blob(Array((new.body ?? "").utf8)),
            // Base64 on the wire, and struck out of what an error says.
            "PrivateKey": .secret(Secret(Base64.encode(Array((new.privateKey ?? "").utf8)))),
            "CertificateChain": new.chain.filled.map { .blob(Array($0.utf8)) } ?? .absent,
            "Tags": tags,
        ]
    }

    private func observed(_ item: JSONValue, _ details: Details, _ known: Arguments) -> Observed<Self> {
        var arguments = Arguments()
        var outputs = Outputs()
        let certificate = details.certificate ?? item
        let arn = item["CertificateArn"].text
        let type = item["Type"].text
        let domain = DNSName.readable(item["DomainName"].text)
        if type != "IMPORTED" {
            arguments.domainName = domain
            let names =
                (certificate["SubjectAlternativeNames"].items.isEmpty
                ? item["SubjectAlternativeNameSummaries"] : certificate["SubjectAlternativeNames"]).items.map {
                    DNSName.readable($0.text)
                }
            // AWS adds the domain itself, whether it was said or not.
            let saysDomain = (known.alternativeNames ?? []).contains { DNSName.readable($0) == domain }
            arguments.alternativeNames = names.filter { saysDomain || $0 != domain }.sorted()
            arguments.keyAlgorithm = item["KeyAlgorithm"].text.replacing("-", with: "_")
            if details.certificate != nil {
                arguments.authority = certificate["CertificateAuthorityArn"].text
                let options = certificate["Options"]
                arguments.options = Options(
                    transparencyLogging: options["CertificateTransparencyLoggingPreference"].string ?? "ENABLED",
                    export: options["Export"].string ?? "DISABLED")
            }
        }
        arguments.body = details.body.map { body in
            // The same text in other line ends is the same certificate.
            let isSame = known.body.map { plain($0) == plain(body) } ?? false
            return isSame ? known.body ?? body : body
        }
        outputs.arn = arn
        outputs.status = item["Status"].text
        outputs.type = type
        outputs.notBefore = item["NotBefore"].timestamp?.iso8601
        outputs.notAfter = item["NotAfter"].timestamp?.iso8601
        let records = validationRecords(certificate, domain)
        outputs.records = records.isEmpty ? nil : records
        return Observed(
            id: RemoteID(arn), arguments: arguments, outputs: outputs,
            status: status(certificate, item["Status"].text))
    }

    private func plain(_ text: String) -> [Substring] { text.split(whereSeparator: \.isWhitespace) }

    private func validationRecords(_ certificate: JSONValue, _ domain: String) -> [ValidationRecord] {
        var records: [ValidationRecord] = []
        for option in certificate["DomainValidationOptions"].items {
            let record = option["ResourceRecord"]
            guard let name = record["Name"].string, !records.contains(where: { $0.name == DNSName.readable(name) })
            else {
                continue
            }
            records.append(
                ValidationRecord(
                    domainName: DNSName.readable(option["DomainName"].text), name: DNSName.readable(name),
                    type: record["Type"].text, value: DNSName.readable(record["Value"].text)))
        }
        return records.sorted {
            ($0.domainName == domain ? 0 : 1, $0.domainName ?? "") < (
                $1.domainName == domain ? 0 : 1, $1.domainName ?? ""
            )
        }
    }

    private func status(_ certificate: JSONValue, _ status: String) -> Observation.Status {
        switch status {
        case "PENDING_VALIDATION":
            // A moment after the request the records are not there yet.
            let options = certificate["DomainValidationOptions"].items
            let isKnown = options.allSatisfy {
                $0["ValidationMethod"].text != "DNS" || $0["ResourceRecord"]["Name"].string != nil
            }
            return !options.isEmpty && isKnown ? .ready : .pending(status)
        case "FAILED": return .failed(certificate["FailureReason"].string ?? "FAILED")
        case "VALIDATION_TIMED_OUT": return .failed("nobody proved the domains in 72 hours")
        case "REVOKED": return .failed(certificate["RevocationReason"].string ?? "REVOKED")
        default: return .ready
        }
    }
}

extension AWSSession {
    /// All certificates, of every kind of key and in every state: without being asked AWS tells of RSA_2048 only.
    func certificates() async throws(ProviderError) -> [JSONValue] {
        try await remembered("ListCertificates") { () async throws(ProviderError) -> [JSONValue] in
            try await listJSON(
                AWSOperation(
                    .acm, "ListCertificates",
                    [
                        "Includes": [
                            "keyTypes": [
                                "RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1",
                                "EC_secp521r1",
                            ]
                        ], "MaxItems": 1000,
                    ], effect: .read), .nextToken, at: "CertificateSummaryList")
        }
    }

    func certificateTags(_ arn: String) async throws(ProviderError) -> [String: String] {
        let answer = try await call(
            .acm, "ListTagsForCertificate", ["CertificateArn": .string(arn)], effect: .read)
        return answer.json["Tags"].tags
    }

    /// Whether a certificate is one of ACM's that is not issued yet. What cannot be told is no.
    func isBeingValidated(_ arn: String) async -> Bool {
        guard arn.contains(":acm:") else { return false }
        let answer = try? await call(.acm, "DescribeCertificate", ["CertificateArn": .string(arn)], effect: .read)
        return answer?.json["Certificate"]["Status"].text == "PENDING_VALIDATION"
    }
}
