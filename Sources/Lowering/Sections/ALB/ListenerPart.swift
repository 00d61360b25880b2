import Diagnostics
import MusterModel

extension ALBSection {
    static let listenerFields: [ArgumentSchema] =
        [
            ArgumentSchema("name", .string, "What it is known by here; its port if it is left out."),
            ArgumentSchema("port", .integer, isRequired: true, constraints: [.range(1, 65_535)], "The port."),
            ArgumentSchema(
                "protocol", .string, constraints: [.allowed(["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"])],
                "What is spoken; HTTPS where there is a certificate, else HTTP. A network load balancer says it always."
            ),
            ArgumentSchema(
                "certificate", .string, reference: .certificate, "The certificate, for HTTPS and TLS."),
            ArgumentSchema(
                "certificates", .list(.string), reference: .certificate,
                "All its additional certificates; a foreign one is drift."),
            ArgumentSchema("ssl_policy", .string, "The ciphers, for HTTPS and TLS."),
            ArgumentSchema(
                "alpn_policy", .string,
                constraints: [.allowed(["HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"])],
                "What TLS agrees on about HTTP, for TLS."),
            ArgumentSchema(
                "mutual_authentication",
                .object([
                    ArgumentSchema(
                        "mode", .string, isRequired: true, constraints: [.allowed(["off", "passthrough", "verify"])],
                        "Whether and by whom a client's certificate is looked at."),
                    ArgumentSchema("trust_store_arn", .string, "The trust store, for verify."),
                    ArgumentSchema("ignore_client_certificate_expiry", .boolean, "Whether expired ones pass."),
                    ArgumentSchema(
                        "advertise_trust_store_ca_names", .string, constraints: [.allowed(["on", "off"])],
                        "Whether clients are told the accepted authorities."),
                ]), "Whether clients show certificates too."),
            ArgumentSchema("rules", .list(.object(ruleFields)), "All its rules; a foreign one is drift."),
            ArgumentSchema(
                "default_action", .list(.anything), constraints: [.conflictsWith(ActionLowering.answers)],
                "What is done, as aws.listener has it, in this order."),
            ArgumentSchema("tags", .map(.string), semantics: .tags, "Tags of the listener."),
        ] + ActionLowering.fields + attributes

    static let ruleFields: [ArgumentSchema] =
        [
            ArgumentSchema("name", .string, "What it is known by here; its priority if it is left out."),
            ArgumentSchema(
                "priority", .integer, isRequired: true, constraints: [.range(1, 50_000)],
                "Its place: the lowest that fits takes the request."),
            ArgumentSchema("host", .anything, "One host or several; * and ? stand for what they usually do."),
            ArgumentSchema("path", .anything, "One path or several, with * and ?."),
            ArgumentSchema("method", .anything, "One method or several."),
            ArgumentSchema("source_ip", .anything, "One network of clients or several."),
            ArgumentSchema("headers", .map(.anything), "Headers, each with one value or several."),
            ArgumentSchema("query", .map(.anything), "Parts of the query, each with one value or several."),
            ArgumentSchema("condition", .list(.anything), "More conditions, as aws.listener_rule has them."),
            ArgumentSchema(
                "action", .list(.anything), constraints: [.conflictsWith(ActionLowering.answers)],
                "What is done, as aws.listener_rule has it, in this order."),
            ArgumentSchema("tags", .map(.string), semantics: .tags, "Tags of the rule."),
        ] + ActionLowering.fields

    private static let attributes: [ArgumentSchema] =
        [
            ArgumentSchema("tcp_idle_timeout_seconds", .integer, "For how many seconds TCP may say nothing."),
            ArgumentSchema("routing_http_response_server_enabled", .boolean, "Whether answers have a Server header."),
        ]
        + [
            "access_control_allow_credentials", "access_control_allow_headers", "access_control_allow_methods",
            "access_control_allow_origin", "access_control_expose_headers", "access_control_max_age",
            "content_security_policy", "strict_transport_security", "x_content_type_options", "x_frame_options",
        ].map {
            ArgumentSchema(
                "routing_http_response_\($0)_header_value", .string,
                "The value, in answers, of the header \($0.map { $0 == "_" ? "-" : String($0) }.joined()).")
        }
        + [
            "x_amzn_mtls_clientcert", "x_amzn_mtls_clientcert_issuer", "x_amzn_mtls_clientcert_leaf",
            "x_amzn_mtls_clientcert_serial_number", "x_amzn_mtls_clientcert_subject", "x_amzn_mtls_clientcert_validity",
            "x_amzn_tls_cipher_suite", "x_amzn_tls_version",
        ].map {
            ArgumentSchema(
                "routing_http_request_\($0)_header_name", .string,
                "The name under which targets get the header \($0.map { $0 == "_" ? "-" : String($0) }.joined()).")
        }

    /// The arguments of `aws.listener` that are written as they are.
    fileprivate static let listenerVerbatim =
        listenerFields.filter { ["port", "ssl_policy", "alpn_policy", "mutual_authentication"].contains($0.name) }
        + attributes
}

/// Lowers the listeners of one load balancer.
struct ListenerLowering {
    private let definition: Definition
    private let balancer: Value
    private(set) var result = LoweringResult()
    private(set) var listeners: [Draft] = []

    init(_ definition: Definition, balancer: Value) {
        self.definition = definition
        self.balancer = balancer
    }

    mutating func run() {
        var seen: [String: SourceRange] = [:]
        for listener in definition.body["listeners"]?.elements ?? [] {
            guard let port = listener["port"] else { continue }
            let name = "\(definition.name)/\((listener["name"] ?? port).value.nameText)"
            if let earlier = seen[name] {
                result.diagnostics.append(.duplicateListener(name, at: port.range, earlier))
                continue
            }
            seen[name] = port.range
            lower(listener, named: name)
        }
    }

    private mutating func lower(_ listener: LocatedValue, named name: String) {
        let certificate = listener["certificate"]
        var draft = Draft("aws.listener", name, of: definition, at: listener.range)
        draft.set("load_balancer_arn", balancer)
        draft.copy(ALBSection.listenerVerbatim, from: listener)
        let scheme = listener["protocol"]?.value ?? (certificate == nil ? "HTTP" : "HTTPS")
        draft.set("protocol", scheme, at: listener["protocol"]?.range)
        checkCertificate(listener, scheme)
        draft.set("certificate_arn", certificate)
        var actions = ActionLowering(definition)
        if let (list, range) = actions.lower(listener, verbatim: "default_action") {
            draft.set("default_action", list, at: range)
        }
        draft.set("oidc_client_secret", actions.clientSecret)
        draft.setTags(
            listener["tags"] ?? definition.body["tags"], inherited: definition.inheritedTags, &result.diagnostics)
        if listener["rules"] != nil { draft.declaration.exclusiveChildren.append("aws.listener_rule") }
        if listener["certificates"] != nil { draft.declaration.exclusiveChildren.append("aws.listener_certificate") }
        result.diagnostics += actions.result.diagnostics
        result.append(draft)
        listeners.append(draft)
        lowerCertificates(listener, of: draft)
        lowerRules(listener, of: draft)
    }

    private mutating func checkCertificate(_ listener: LocatedValue, _ scheme: Value) {
        guard let text = scheme.string else { return }
        let isSecure = text == "HTTPS" || text == "TLS"
        if isSecure, listener["certificate"] == nil {
            result.diagnostics.append(.missingCertificate(text, at: listener["protocol"]?.range ?? listener.range))
        }
        if !isSecure, let stray = listener["certificate"] ?? listener["certificates"] {
            result.diagnostics.append(.strayCertificate(text, at: stray.range))
        }
    }

    private mutating func lowerCertificates(_ listener: LocatedValue, of owner: Draft) {
        var seen: Set<String> = []
        for certificate in listener["certificates"]?.elements ?? [] {
            let name = "\(owner.declaration.address.name)/\(certificate.value.nameText)"
            guard seen.insert(name).inserted else {
                result.diagnostics.append(.duplicateCertificate(certificate.value.nameText, at: certificate.range))
                continue
            }
            var draft = Draft("aws.listener_certificate", name, of: definition, at: certificate.range)
            draft.set("listener_arn", owner.output("id"))
            draft.set("certificate_arn", certificate)
            result.append(draft)
        }
    }

    // MARK: Rules

    private mutating func lowerRules(_ listener: LocatedValue, of owner: Draft) {
        var names: [String: SourceRange] = [:]
        var priorities: [Value: SourceRange] = [:]
        for rule in listener["rules"]?.elements ?? [] {
            guard let priority = rule["priority"] else { continue }
            let name = "\(owner.declaration.address.name)/\((rule["name"] ?? priority).value.nameText)"
            if let earlier = priorities[priority.value] ?? names[name] {
                result.diagnostics.append(.duplicateRule(name, at: priority.range, earlier))
                continue
            }
            names[name] = priority.range
            if priority.value.isKnown { priorities[priority.value] = priority.range }
            var draft = Draft("aws.listener_rule", name, of: definition, at: rule.range)
            draft.set("listener_arn", owner.output("id"))
            draft.set("priority", priority)
            let conditions = conditions(of: rule)
            if conditions.isEmpty { result.diagnostics.append(.ruleForEverything(at: rule.range)) }
            draft.set("condition", .list(conditions), at: rule.range)
            var actions = ActionLowering(definition)
            if let (list, range) = actions.lower(rule, verbatim: "action") { draft.set("action", list, at: range) }
            draft.set("oidc_client_secret", actions.clientSecret)
            draft.setTags(
                rule["tags"] ?? definition.body["tags"], inherited: definition.inheritedTags, &result.diagnostics)
            result.diagnostics += actions.result.diagnostics
            result.append(draft)
        }
    }

    private mutating func conditions(of rule: LocatedValue) -> [Value] {
        var conditions: [Value] = []
        for (field, argument) in [
            ("host", "host_header"), ("path", "path_pattern"), ("method", "http_request_method"),
            ("source_ip", "source_ip"),
        ] {
            guard let value = rule[field] else { continue }
            conditions.append(.map([argument: .map(["values": .list(several(value).map(\.value))])]))
        }
        for entry in rule["headers"]?.entries ?? [] where entry.value.value != .null {
            conditions.append(
                .map([
                    "http_header": .map([
                        "http_header_name": .string(entry.key),
                        "values": .list(several(entry.value).map(\.value)),
                    ])
                ]))
        }
        // All parts of the query are one condition each, since all of them must fit.
        for entry in rule["query"]?.entries ?? [] where entry.value.value != .null {
            let parts = several(entry.value).map { Value.map(["key": .string(entry.key), "value": $0.value]) }
            conditions.append(.map(["query_string": .list(parts)]))
        }
        for condition in rule["condition"]?.elements ?? [] {
            conditions.append(
                result.read(condition, as: ListenerLowering.conditionFields, of: "condition", stack: definition.stack)
                    .value)
        }
        return conditions
    }

    private static let values: ValueType = .object([
        ArgumentSchema("values", .list(.string), isRequired: true, "The values.")
    ])

    private static let conditionFields: [ArgumentSchema] =
        ["host_header", "path_pattern", "http_request_method", "source_ip"].map {
            ArgumentSchema($0, values, "Values.")
        }
        + [
            ArgumentSchema(
                "http_header",
                .object([
                    ArgumentSchema("http_header_name", .string, isRequired: true, "The header."),
                    ArgumentSchema("values", .list(.string), isRequired: true, "The values."),
                ]), "A header."),
            ArgumentSchema(
                "query_string",
                .list(
                    .object([
                        ArgumentSchema("key", .string, "The name."),
                        ArgumentSchema("value", .string, isRequired: true, "The value."),
                    ])), "Parts of the query."),
        ]

    private func several(_ value: LocatedValue) -> [LocatedValue] {
        (value.elements ?? [value]).map { element in
            // YAML reads `v: 2` as a number, and AWS takes texts.
            switch element.value {
            case .integer(let number): .value(.string(String(number)), element.range)
            case .bool(let flag): .value(.string(String(flag)), element.range)
            default: element
            }
        }
    }
}

extension Diagnostic {
    fileprivate static func duplicateListener(
        _ name: String, at range: SourceRange, _ earlier: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-listener", summary: "Duplicate listener",
            detail: "The listener \(name.quoted) is there twice.", at: range,
            related: [.init(range: earlier, message: "the first is here")])
    }

    fileprivate static func missingCertificate(_ scheme: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.missing-argument", summary: "Missing argument",
            detail: "A listener for \(scheme) needs \"certificate\".", at: range,
            hint: "Name a certificate that is looked up: lookups: { certificates: { web: { domain: a.example } } }.")
    }

    fileprivate static func strayCertificate(_ scheme: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.stray-certificate", summary: "Certificate without encryption",
            detail: "A listener for \(scheme) shows no certificate.", at: range,
            hint: "Say \"protocol: HTTPS\", or leave the certificate out.")
    }

    fileprivate static func duplicateCertificate(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-certificate", summary: "Duplicate certificate",
            detail: "The certificate \(name.quoted) is there twice.", at: range)
    }

    fileprivate static func duplicateRule(
        _ name: String, at range: SourceRange, _ earlier: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-rule", summary: "Duplicate rule",
            detail: "A rule has the name or the priority of another: \(name.quoted).", at: range,
            related: [.init(range: earlier, message: "the first is here")],
            hint: "Each rule of a listener has a priority of its own.")
    }

    fileprivate static func ruleForEverything(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.missing-argument", summary: "Missing argument",
            detail: "The rule does not say which requests it is for.", at: range,
            hint: "Say \"host\", \"path\", \"method\", \"source_ip\", \"headers\", \"query\" or \"condition\"; what no "
                + "rule takes is the listener's own.")
    }
}
