import AWSClient
import MusterModel
import ProviderKit

/// A rule of a listener: which requests, and what is done with them.
///
/// Calls: `CreateRule`, `DescribeRules` (one listener a call), `DescribeTags`, `ModifyRule`, `SetRulePriorities`,
/// `AddTags`, `RemoveTags`, `DeleteRule`.
///
/// A priority that another rule of ours is about to leave is waited for; the rule itself steps aside meanwhile, so that
/// two rules can change places.
struct ListenerRule: ManagedResource {
    struct Arguments: ArgumentBlock {
        var listener = ""
        var priority = 0
        var actions: [ListenerAction] = []
        var conditions: [RuleCondition] = []
        var clientSecret: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required("listener_arn", \.listener, onChange: .replace, reference: .listener, "The listener."),
            .required(
                "priority", \.priority, constraints: [.range(1, 50_000)],
                "Its place among the rules: the lowest that fits takes the request."),
            .required("action", \.actions, constraints: [.count(1, 8)], "What is done, in this order."),
            .required(
                "condition", \.conditions, type: .set(.object(RuleCondition.fields.map(\.schema))),
                constraints: [.count(1, 5)], "What a request must be like, in all of these ways."),
            .argument(
                "oidc_client_secret", \.clientSecret, isSensitive: true, isReadable: false,
                "The client's secret, for authenticate-oidc."),
            .tags(\.tags),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?

        static let fields: [Field<Self>] = [.output("arn", \.arn, "The ARN, which is also its id.")]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.listener_rule", "Which requests to a listener go where.", parentArgument: "listener_arn",
        timeouts: Timeouts(update: 120), importSyntax: "the rule's ARN")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let listeners = Set(known.map { ELBName.listenerARN(ofRule: $0.id.rawValue) })
        let items = Dictionary(
            try await aws.listenerRules(of: listeners).map { ($0["RuleArn"].text, $0) },
            uniquingKeysWith: { first, _ in first })
        let present = known.filter { items[$0.id.rawValue] != nil }
        let tags = try await aws.elbTags(present.filter { $0.declared.contains("tags") }.map(\.id.rawValue))
        var found: [RemoteID: Observed<Self>] = [:]
        for object in present {
            guard var observed = items[object.id.rawValue].flatMap(observed) else { continue }
            if object.declared.contains("tags") { observed.arguments.tags = tags[object.id.rawValue] ?? [:] }
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        let listeners: [String]
        switch scope {
        case .everything:
            let balancers = try await aws.loadBalancers().map { $0["LoadBalancerArn"].text }
            listeners = try await aws.listeners(of: Set(balancers)).map { $0["ListenerArn"].text }
        case .children(let parents): listeners = parents.map(\.rawValue)
        }
        return try await aws.listenerRules(of: Set(listeners)).compactMap(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let items = try await aws.listenerRules(of: [desired.listener])
        guard let item = items.first(where: { $0["Priority"].integer == desired.priority }),
            let observed = observed(item)
        else { return nil }
        return Found(observed, isOurs: try await aws.elbIsOurs(item["RuleArn"].text, intent))
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let secret = ListenerAction.ClientSecret(old: nil, new: desired.clientSecret, isCreated: true)
        let answer = try await aws.elbChange(
            "CreateRule",
            [
                .init("ListenerArn", .string(desired.listener)), .init("Priority", .integer(desired.priority)),
                .init("Conditions", .list(desired.conditions.map(\.wire))),
                .init("Actions", ListenerAction.wire(desired.actions, secret: secret)),
                .init("Tags", .tagList(desired.tags, intent)),
            ], effect: .once)
        guard let observed = answer["Rules"].items.first.flatMap(observed) else {
            throw ProviderError(.notUnderstood, "The answer has no rule.", operation: "elbv2.CreateRule")
        }
        return observed
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let isOtherAction = old.actions != new.actions || old.clientSecret != new.clientSecret
        if isOtherAction || old.conditions != new.conditions {
            let secret = ListenerAction.ClientSecret(
                old: old.clientSecret, new: new.clientSecret, isCreated: !old.actions.contains { $0.oidc != nil })
            _ = try await aws.elbChange(
                "ModifyRule",
                [
                    .init("RuleArn", .string(id.rawValue)), .init("Conditions", .list(new.conditions.map(\.wire))),
                    .init(
                        "Actions", isOtherAction ? ListenerAction.wire(new.actions, secret: secret) : .absent),
                ])
        }
        if old.priority != new.priority { try await move(id, to: new.priority) }
        try await aws.elbUpdateTags(id.rawValue, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.elbv2, "DeleteRule", ["RuleArn": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        guard text.hasPrefix("arn:"), text.contains(":listener-rule/") else { throw Self.badID(text) }
        return RemoteID(text)
    }

    // MARK: Priorities

    private func move(_ id: RemoteID, to priority: Int) async throws(ProviderError) {
        do throws(ProviderError) {
            try await setPriority(id, priority)
        } catch {
            guard error.code == "PriorityInUse" else { throw error }
            let rules = try await aws.call(
                .elbv2, "DescribeRules", ["ListenerArn": .string(ELBName.listenerARN(ofRule: id.rawValue))],
                effect: .read
            ).xml["Rules"].items
            guard let holder = rules.first(where: { $0["Priority"].integer == priority }) else {
                try await setPriority(id, priority)
                return
            }
            let arn = holder["RuleArn"].text
            let tags = try await aws.elbTags([arn])[arn] ?? [:]
            guard tags[Intent.tagKey] != nil else {
                var foreign = error
                foreign.message = "The priority \(priority) belongs to the rule \(arn), which is not muster's."
                throw foreign
            }
            let own = rules.first { $0["RuleArn"].text == id.rawValue }?["Priority"].integer ?? 0
            if own <= aside { try await stepAside(id, taken: Set(rules.compactMap { $0["Priority"].integer })) }
            var waiting = error
            waiting.kind = .inUse
            waiting.message = "The priority \(priority) still belongs to the rule \(arn)."
            throw waiting
        }
    }

    /// Rules that step aside have priorities above this.
    private let aside = 49_000

    /// Each rule begins to look at a place of its own, since several may step aside at once.
    private func stepAside(_ id: RemoteID, taken: Set<Int>) async throws(ProviderError) {
        let places = 50_000 - aside
        let start = id.rawValue.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) % places }
        let free = (0..<places).lazy.map { aside + 1 + (start + $0) % places }.filter { !taken.contains($0) }
        for priority in free.prefix(8) {
            do throws(ProviderError) {
                return try await setPriority(id, priority)
            } catch {
                if error.code != "PriorityInUse" { throw error }
            }
        }
    }

    private func setPriority(_ id: RemoteID, _ priority: Int) async throws(ProviderError) {
        _ = try await aws.elbChange(
            "SetRulePriorities",
            [.init("RulePriorities", [["RuleArn": .string(id.rawValue), "Priority": .integer(priority)]])])
    }

    init(aws: AWSSession) { self.aws = aws }

    // MARK: - Wire format

    /// nil for the listener's default action, which AWS tells as a rule too.
    private func observed(_ item: XMLElement) -> Observed<Self>? {
        guard let priority = item["Priority"].integer else { return nil }
        var arguments = Arguments()
        let arn = item["RuleArn"].text
        arguments.listener = ELBName.listenerARN(ofRule: arn)
        arguments.priority = priority
        arguments.conditions = item["Conditions"].items.map(RuleCondition.init)
        arguments.actions = ListenerAction.observed(item["Actions"].items)
        return Observed(id: RemoteID(arn), arguments: arguments, outputs: Outputs(arn: arn))
    }
}

/// One way in which a request must fit: it fits if one of the values does.
struct RuleCondition: ArgumentBlock {
    var hosts: Values?
    var paths: Values?
    var methods: Values?
    var sources: Networks?
    var header: Header?
    var queries: [Query]?

    private static let kinds = [
        "host_header", "path_pattern", "http_request_method", "source_ip", "http_header", "query_string",
    ]

    static let fields: [Field<Self>] = [
        .argument(
            "host_header", \.hosts, constraints: [.exactlyOne(kinds)], "Hosts; * and ? stand for what they usually do."),
        .argument("path_pattern", \.paths, constraints: [.exactlyOne(kinds)], "Paths, with * and ?."),
        .argument("http_request_method", \.methods, constraints: [.exactlyOne(kinds)], "Methods, in capitals."),
        .argument("source_ip", \.sources, constraints: [.exactlyOne(kinds)], "Networks that the client is in."),
        .argument("http_header", \.header, constraints: [.exactlyOne(kinds)], "A header and its values, with * and ?."),
        .argument(
            "query_string", \.queries, type: .set(.object(Query.fields.map(\.schema))),
            constraints: [.exactlyOne(kinds)], "Parts of the query."),
    ]

    struct Values: ArgumentBlock {
        var values: [String] = []

        static let fields: [Field<Self>] = [
            .required("values", \.values, type: .set(.string), constraints: [.count(1, 5)], "The values.")
        ]
    }

    struct Networks: ArgumentBlock {
        var values: [String] = []

        static let fields: [Field<Self>] = [
            .required(
                "values", \.values, type: .set(.string), semantics: .cidr, constraints: [.count(1, 5)], "The networks.")
        ]
    }

    struct Header: ArgumentBlock {
        var name = ""
        var values: [String] = []

        static let fields: [Field<Self>] = [
            .required("http_header_name", \.name, semantics: .caseInsensitive, "The header."),
            .required("values", \.values, type: .set(.string), constraints: [.count(1, 5)], "The values."),
        ]
    }

    struct Query: ArgumentBlock {
        var key: String?
        var value = ""

        static let fields: [Field<Self>] = [
            .argument("key", \.key, absence: .means(""), "The name; any if it is left out."),
            .required("value", \.value, "The value, with * and ?."),
        ]
    }

    // MARK: - Wire format

    fileprivate var wire: AWSInput {
        func form(_ field: String, _ config: String, _ value: AWSInput) -> AWSInput {
            .structure([.init("Field", .string(field)), .init(config, value)])
        }
        func values(_ values: [String]) -> AWSInput { ["Values": .strings(Set(values).sorted())] }
        if let hosts { return form("host-header", "HostHeaderConfig", values(hosts.values)) }
        if let paths { return form("path-pattern", "PathPatternConfig", values(paths.values)) }
        if let methods { return form("http-request-method", "HttpRequestMethodConfig", values(methods.values)) }
        if let sources { return form("source-ip", "SourceIpConfig", values(sources.values)) }
        if let header {
            return form(
                "http-header", "HttpHeaderConfig",
                [
                    "HttpHeaderName": .string(header.name),
                    "Values": .strings(Set(header.values).sorted()),
                ])
        }
        let sorted = (queries ?? []).sorted { ($0.key ?? "", $0.value) < ($1.key ?? "", $1.value) }
        return form(
            "query-string", "QueryStringConfig",
            ["Values": .list(sorted.map { ["Key": .nonEmpty($0.key), "Value": .string($0.value)] })])
    }

    fileprivate init(_ item: XMLElement) {
        func values(_ config: String) -> [String] {
            // Old rules say their values without a config.
            let values = item[config]["Values"].texts
            return (values.isEmpty ? item["Values"].texts : values).sorted()
        }
        switch item["Field"].text {
        case "host-header": hosts = Values(values: values("HostHeaderConfig"))
        case "path-pattern": paths = Values(values: values("PathPatternConfig"))
        case "http-request-method": methods = Values(values: values("HttpRequestMethodConfig"))
        case "source-ip": sources = Networks(values: values("SourceIpConfig"))
        case "http-header":
            header = Header(
                name: item["HttpHeaderConfig"]["HttpHeaderName"].text, values: values("HttpHeaderConfig"))
        case "query-string":
            queries = item["QueryStringConfig"]["Values"].items.map {
                Query(key: $0["Key"].text, value: $0["Value"].text)
            }
        default: break
        }
    }

    init() {}
}
