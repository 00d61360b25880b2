import AWSClient
import MusterModel
import ProviderKit

/// A listener of a load balancer: a port, and what is done with what comes in.
///
/// Calls: `CreateListener`, `DescribeListeners` (one load balancer a call), `DescribeListenerAttributes` (one object a
/// call, where an attribute is declared), `DescribeTags`, `ModifyListener`, `ModifyListenerAttributes`, `AddTags`,
/// `RemoveTags`, `DeleteListener`.
/// Consistency: a certificate that was issued a moment ago may not be found for up to five minutes.
struct Listener: ManagedResource {
    struct Arguments: AttributeBlock {
        var balancer = ""
        var port: Int?
        var protocolName: String?
        var sslPolicy: String?
        var certificate: String?
        var alpnPolicy: String?
        var mutualAuthentication: MutualAuthentication?
        var defaultActions: [ListenerAction] = []
        var clientSecret: String?
        var attributes = ELBAttributes()
        var tags: [String: String]?

        static let attributeTable: [ELBAttribute] =
            [
                .number(
                    "tcp_idle_timeout_seconds", "tcp.idle_timeout.seconds", usual: 350, 60...6000,
                    "For how many seconds a TCP connection may say nothing; for network and gateway load balancers."),
                .flag(
                    "routing_http_response_server_enabled", "routing.http.response.server.enabled", usual: true,
                    "Whether answers have a Server header."),
            ]
            + headers(
                "request",
                [
                    "x_amzn_mtls_clientcert", "x_amzn_mtls_clientcert_issuer", "x_amzn_mtls_clientcert_leaf",
                    "x_amzn_mtls_clientcert_serial_number", "x_amzn_mtls_clientcert_subject",
                    "x_amzn_mtls_clientcert_validity", "x_amzn_tls_cipher_suite", "x_amzn_tls_version",
                ], ending: "header_name", "The name under which targets get the header")
            + headers(
                "response",
                [
                    "access_control_allow_credentials", "access_control_allow_headers", "access_control_allow_methods",
                    "access_control_allow_origin", "access_control_expose_headers", "access_control_max_age",
                    "content_security_policy", "strict_transport_security", "x_content_type_options",
                    "x_frame_options",
                ], ending: "header_value", "The value, in answers, of the header")

        private static func headers(
            _ side: String, _ names: [String], ending: String, _ documentation: String
        ) -> [ELBAttribute] {
            names.map { name in
                .text(
                    "routing_http_\(side)_\(name)_\(ending)", "routing.http.\(side).\(name).\(ending)", usual: nil,
                    "\(documentation) \(name.replacing("_", with: "-"))\(side == "response" ? "; \"\" adds none" : "")."
                )
            }
        }

        static let fields: [Field<Self>] =
            [
                .required(
                    "load_balancer_arn", \.balancer, onChange: .replace, reference: .loadBalancer, "The load balancer."),
                .argument(
                    "port", \.port, constraints: [.range(1, 65_535)],
                    "The port; one listener has it. Needed but for gateway load balancers."),
                .argument(
                    "protocol", \.protocolName,
                    constraints: [.allowed(["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"])],
                    "What is spoken. Needed but for gateway load balancers."),
                .argument("ssl_policy", \.sslPolicy, "The ciphers, for HTTPS and TLS; AWS chooses if it is left out."),
                .argument(
                    "certificate_arn", \.certificate, reference: .certificate, "The certificate, for HTTPS and TLS."),
                .argument(
                    "alpn_policy", \.alpnPolicy, absence: .means("None"),
                    constraints: [
                        .allowed(["HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"])
                    ], "What TLS agrees on about HTTP, for TLS."),
                .argument("mutual_authentication", \.mutualAuthentication, "Whether clients show certificates too."),
                .required(
                    "default_action", \.defaultActions, constraints: [.count(1, 8)],
                    "What is done, in this order, with a request that no rule takes."),
                .argument(
                    "oidc_client_secret", \.clientSecret, isSensitive: true, isReadable: false,
                    "The client's secret, for authenticate-oidc."),
            ] + attributeTable.map { $0.field(of: Self.self) } + [.tags(\.tags)]

        static let readWithAttributes = Set(attributeTable.map(\.argument))
    }

    struct MutualAuthentication: ArgumentBlock {
        var mode = ""
        var trustStore: String?
        var ignoresExpiry: Bool?
        var advertises: String?

        static let fields: [Field<Self>] = [
            .required(
                "mode", \.mode, constraints: [.allowed(["off", "passthrough", "verify"])],
                "Whether and by whom a client's certificate is looked at."),
            .argument("trust_store_arn", \.trustStore, absence: .means(""), "The trust store, for verify."),
            .argument(
                "ignore_client_certificate_expiry", \.ignoresExpiry, absence: .means(false),
                "Whether expired certificates pass."),
            .argument(
                "advertise_trust_store_ca_names", \.advertises, constraints: [.allowed(["on", "off"])],
                "Whether clients are told the accepted authorities; off for AWS."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?

        static let fields: [Field<Self>] = [.output("arn", \.arn, "The ARN, which is also its id.")]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.listener", "A port of a load balancer, and what is done with what comes in.",
        parentArgument: "load_balancer_arn", isServing: true, importSyntax: "the listener's ARN")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let balancers = Set(known.map { ELBName.balancerARN(ofListener: $0.id.rawValue) })
        let items = Dictionary(
            try await aws.listeners(of: balancers).map { ($0["ListenerArn"].text, $0) },
            uniquingKeysWith: { first, _ in first })
        let present = known.filter { items[$0.id.rawValue] != nil }
        let tags = try await aws.elbTags(present.filter { $0.declared.contains("tags") }.map(\.id.rawValue))
        let attributes = try await aws.concurrently(present) { object async throws(ProviderError) -> ELBAttributes? in
            if object.declared.isDisjoint(with: Arguments.readWithAttributes) { return nil }
            return try await aws.elbAttributes("DescribeListenerAttributes", "ListenerArn", object.id.rawValue)
        }
        var found: [RemoteID: Observed<Self>] = [:]
        for (object, attributes) in zip(present, attributes) {
            guard let item = items[object.id.rawValue] else { continue }
            var observed = observed(item)
            if object.declared.contains("tags") { observed.arguments.tags = tags[object.id.rawValue] ?? [:] }
            if let attributes { observed.arguments.attributes = Arguments(reading: attributes).attributes }
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        let balancers: [String]
        switch scope {
        case .everything: balancers = try await aws.loadBalancers().map { $0["LoadBalancerArn"].text }
        case .children(let parents): balancers = parents.map(\.rawValue)
        }
        return try await aws.listeners(of: Set(balancers)).map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let items = try await aws.listeners(of: [desired.balancer])
        guard let item = items.first(where: { $0["Port"].integer == desired.port }) else { return nil }
        return Found(observed(item), isOurs: try await aws.elbIsOurs(item["ListenerArn"].text, intent))
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer: XMLElement
        do throws(ProviderError) {
            answer = try await aws.elbChange(
                "CreateListener",
                [.init("LoadBalancerArn", .string(desired.balancer))]
                    + wire(desired, from: nil) + [.init("Tags", .tagList(desired.tags, intent))], effect: .once)
        } catch {
            throw await explained(error, desired)
        }
        guard let item = answer["Listeners"].items.first else {
            throw ProviderError(.notUnderstood, "The answer has no listener.", operation: "elbv2.CreateListener")
        }
        return observed(item)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let fields = wire(new, from: old).filter { $0.value != .absent }
        if !fields.isEmpty {
            do throws(ProviderError) {
                _ = try await aws.elbChange("ModifyListener", [.init("ListenerArn", .string(id.rawValue))] + fields)
            } catch {
                throw await explained(error, new)
            }
        }
        try await aws.elbUpdateAttributes(
            "ModifyListenerAttributes", "ListenerArn", id.rawValue, from: old.attributes, to: new.attributes)
        try await aws.elbUpdateTags(id.rawValue, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.elbv2, "DeleteListener", ["ListenerArn": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        guard text.hasPrefix("arn:"), text.contains(":listener/") else { throw Self.badID(text) }
        return RemoteID(text)
    }

    /// Says what AWS's sentence does not.
    private func explained(_ error: ProviderError, _ desired: Arguments) async -> ProviderError {
        var error = error
        switch error.code {
        case "TargetGroupAssociationLimit":
            // For a moment a group still belongs to a load balancer that was just deleted.
            error.kind = .notYetVisible
            error.hint =
                "A target group serves one load balancer: replace the load balancer delete-first, or give each its own."
        case "UnsupportedCertificate":
            guard let certificate = desired.certificate, await aws.isBeingValidated(certificate) else { break }
            // It will do as soon as its records are seen.
            error.kind = .notYetVisible
            error.message = "The certificate \(certificate) is not issued yet."
            error.hint = "It is issued when its validation records are in DNS."
        default: break
        }
        return error
    }

    // MARK: - Wire format

    /// - Parameter old: nil for a create, which says everything.
    private func wire(_ new: Arguments, from old: Arguments?) -> [AWSInput.Field] {
        func changed<Member: Equatable>(_ path: KeyPath<Arguments, Member>) -> Bool {
            old.map { $0[keyPath: path] != new[keyPath: path] } ?? true
        }
        let certificate = new.certificate.filled
        let alpn = new.alpnPolicy.filled
        let isALPNChanged = changed(\.alpnPolicy) && !(old == nil && alpn == "None")
        let becomesSecure = changed(\.protocolName) && ["HTTPS", "TLS"].contains(new.protocolName ?? "")
        let secret = ListenerAction.ClientSecret(old: old?.clientSecret, new: new.clientSecret, isCreated: old == nil)
        return [
            .init("Port", changed(\.port) ? .optional(new.port) : .absent),
            .init("Protocol", changed(\.protocolName) ? .nonEmpty(new.protocolName) : .absent),
            .init("SslPolicy", changed(\.sslPolicy) || becomesSecure ? .nonEmpty(new.sslPolicy) : .absent),
            .init(
                "Certificates",
                changed(\.certificate) || becomesSecure
                    ? certificate.map { [["CertificateArn": .string($0)]] } ?? .absent : .absent),
            .init("AlpnPolicy", isALPNChanged ? alpn.map { [.string($0)] } ?? .absent : .absent),
            .init(
                "MutualAuthentication",
                changed(\.mutualAuthentication)
                    ? .optional(
                        new.mutualAuthentication.map {
                            [
                                "Mode": .string($0.mode), "TrustStoreArn": .nonEmpty($0.trustStore),
                                "IgnoreClientCertificateExpiry":
                                    $0.mode == "verify" ? .boolean($0.ignoresExpiry ?? false) : .absent,
                                "AdvertiseTrustStoreCaNames": .nonEmpty($0.advertises),
                            ]
                        }) : .absent),
            .init(
                "DefaultActions",
                changed(\.defaultActions) || changed(\.clientSecret)
                    ? ListenerAction.wire(new.defaultActions, secret: secret) : .absent),
        ]
    }

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        let arn = item["ListenerArn"].text
        arguments.balancer = item["LoadBalancerArn"].text
        arguments.port = item["Port"].integer
        arguments.protocolName = item["Protocol"].text
        arguments.sslPolicy = item["SslPolicy"].text
        let own = item["Certificates"].items.first { $0["IsDefault"].boolean ?? true }
        arguments.certificate = own?["CertificateArn"].text ?? ""
        arguments.alpnPolicy = item["AlpnPolicy"].texts.first ?? "None"
        let mutual = item["MutualAuthentication"]
        arguments.mutualAuthentication = MutualAuthentication(
            mode: mutual["Mode"].nonEmpty ?? "off", trustStore: mutual["TrustStoreArn"].text,
            ignoresExpiry: mutual["IgnoreClientCertificateExpiry"].boolean ?? false,
            advertises: mutual["AdvertiseTrustStoreCaNames"].nonEmpty ?? "off")
        arguments.defaultActions = ListenerAction.observed(item["DefaultActions"].items)
        return Observed(id: RemoteID(arn), arguments: arguments, outputs: Outputs(arn: arn))
    }
}
