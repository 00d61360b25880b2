import AWSClient
import MusterModel
import ProviderKit

// Listings of load balancing. Load balancers and target groups are listed whole; listeners by load balancer and rules by
// listener, since AWS lists them in no other way and an id that is gone would fail a call for twenty. Tags of all kinds
// are told together, twenty objects a call.

extension AWSSession {
    // MARK: Listings

    func loadBalancers() async throws(ProviderError) -> [XMLElement] {
        try await elbListing("DescribeLoadBalancers", at: "LoadBalancers")
    }

    func targetGroups() async throws(ProviderError) -> [XMLElement] {
        try await elbListing("DescribeTargetGroups", at: "TargetGroups")
    }

    /// The listeners of load balancers; of one that is gone there are none.
    func listeners(of balancers: Set<String>) async throws(ProviderError) -> [XMLElement] {
        try await elbChildren("DescribeListeners", "LoadBalancerArn", of: balancers, at: "Listeners")
    }

    /// The rules of listeners, the default one included.
    func listenerRules(of listeners: Set<String>) async throws(ProviderError) -> [XMLElement] {
        try await elbChildren("DescribeRules", "ListenerArn", of: listeners, at: "Rules")
    }

    /// The certificates of a listener, its own included.
    func listenerCertificates(of listener: String) async throws(ProviderError) -> [XMLElement] {
        try await elbChildren("DescribeListenerCertificates", "ListenerArn", of: [listener], at: "Certificates")
    }

    /// What is registered in a target group, with its health; nil when there is no such group.
    func targetHealth(of group: String) async throws(ProviderError) -> [XMLElement]? {
        try await remembered("DescribeTargetHealth \(group)") { () async throws(ProviderError) -> [XMLElement]? in
            try await look(.elbv2, "DescribeTargetHealth", ["TargetGroupArn": .string(group)])?
                .xml["TargetHealthDescriptions"].items
        }
    }

    private func elbListing(_ name: String, at path: String) async throws(ProviderError) -> [XMLElement] {
        try await remembered("elbv2 \(name)") { () async throws(ProviderError) -> [XMLElement] in
            try await list(AWSOperation(.elbv2, name, ["PageSize": 400], effect: .read), .elbv2, at: path)
        }
    }

    private func elbChildren(
        _ name: String, _ parameter: String, of parents: Set<String>, at path: String
    ) async throws(ProviderError) -> [XMLElement] {
        try await concurrently(parents.sorted()) { parent async throws(ProviderError) -> [XMLElement] in
            try await remembered("elbv2 \(name) \(parent)") { () async throws(ProviderError) -> [XMLElement] in
                do throws(ProviderError) {
                    let input = AWSInput.structure([.init(parameter, .string(parent)), .init("PageSize", 400)])
                    return try await list(AWSOperation(.elbv2, name, input, effect: .read), .elbv2, at: path)
                } catch {
                    if error.kind == .notFound { return [] }
                    throw error
                }
            }
        }.flatMap(\.self)
    }

    // MARK: Attributes

    /// The attributes of an object that has them in a call of its own; nil when it is gone.
    func elbAttributes(
        _ name: String, _ parameter: String, _ arn: String
    ) async throws(ProviderError) -> ELBAttributes? {
        guard let answer = try await look(.elbv2, name, .structure([.init(parameter, .string(arn))])) else {
            return nil
        }
        return ELBAttributes(
            values: Dictionary(
                answer.xml["Attributes"].items.map { ($0["Key"].text, $0["Value"].text) },
                uniquingKeysWith: { first, _ in first }))
    }

    /// Sets what differs, in one call.
    func elbUpdateAttributes(
        _ name: String, _ parameter: String, _ arn: String, from old: ELBAttributes, to new: ELBAttributes
    ) async throws(ProviderError) {
        let changed = new.values.filter { old.values[$0.key] != $0.value }
        if changed.isEmpty { return }
        _ = try await elbChange(
            name,
            [.init(parameter, .string(arn)), .init("Attributes", .keyValues(changed))])
    }

    /// A change: what it refers to may have just been made.
    func elbChange(
        _ name: String, _ fields: [AWSInput.Field], effect: AWSEffect = .idempotent
    ) async throws(ProviderError) -> XMLElement {
        do throws(ProviderError) {
            return try await call(.elbv2, name, .structure(fields), effect: effect).xml
        } catch {
            throw error.asNotYetVisible
        }
    }

    // MARK: Tags

    private static let elbTypes: [ResourceType] = [
        "aws.load_balancer", "aws.target_group", "aws.listener", "aws.listener_rule",
    ]

    /// The tags of objects of all kinds, without AWS's own; of one that is gone there are none. Whoever asks first asks
    /// for all that this session will read.
    func elbTags(_ arns: some Sequence<String>) async throws(ProviderError) -> [String: [String: String]] {
        var all = Set(arns)
        if all.isEmpty { return [:] }
        for type in AWSSession.elbTypes {
            for object in expecting[type] ?? [] where object.declared.contains("tags") {
                all.insert(object.id.rawValue)
            }
        }
        let wanted = all.sorted()
        return try await remembered("elbv2 DescribeTags \(wanted.joined(separator: ","))") {
            () async throws(ProviderError) -> [String: [String: String]] in
            var tags: [String: [String: String]] = [:]
            var rest = wanted[...]
            while !rest.isEmpty {
                let page = rest.prefix(20)
                rest = rest.dropFirst(20)
                tags.merge(try await elbTagsNow(page)) { _, new in new }
            }
            return tags
        }
    }

    /// One that is gone fails the call for all, so that the rest is asked for in halves.
    private func elbTagsNow(_ arns: ArraySlice<String>) async throws(ProviderError) -> [String: [String: String]] {
        do throws(ProviderError) {
            let items = try await call(.elbv2, "DescribeTags", ["ResourceArns": .strings(arns)], effect: .read)
                .xml["TagDescriptions"].items
            return Dictionary(
                items.map { ($0["ResourceArn"].text, $0.elbTags) }, uniquingKeysWith: { first, _ in first })
        } catch {
            guard error.kind == .notFound else { throw error }
            if arns.count < 2 { return [:] }
            let middle = arns.index(arns.startIndex, offsetBy: arns.count / 2)
            return try await elbTagsNow(arns[..<middle])
                .merging(try await elbTagsNow(arns[middle...])) { first, _ in first }
        }
    }

    func elbUpdateTags(
        _ arn: String, from old: [String: String]?, to new: [String: String]?
    ) async throws(ProviderError) {
        guard let new else { return }
        let change = TagChange(from: old, to: new)
        if !change.removed.isEmpty {
            _ = try await elbChange(
                "RemoveTags",
                [.init("ResourceArns", [.string(arn)]), .init("TagKeys", .strings(change.removed))])
        }
        if !change.set.isEmpty {
            _ = try await elbChange(
                "AddTags", [.init("ResourceArns", [.string(arn)]), .init("Tags", .keyValues(change.set))])
        }
    }

    /// Whether an object carries the mark of an intent.
    func elbIsOurs(_ arn: String, _ intent: Intent) async throws(ProviderError) -> Bool {
        guard let tags = try await elbTagsNow([arn])[arn] else { throw .marksUnseen(arn) }
        return tags[intent.tag.key] == intent.tag.value
    }

    /// A create with the settings of something that exists already succeeds and gives that, whoever made it: only its
    /// tags tell whether it is what this intent wanted.
    func elbRefuseForeign(_ arn: String, _ intent: Intent, _ what: String) async throws(ProviderError) {
        guard let tags = try await elbTagsNow([arn])[arn], tags[intent.tag.key] != intent.tag.value else { return }
        throw ProviderError(.alreadyExists, "There is such a \(what) already, with the same settings: \(arn).")
    }

    // MARK: Who holds what

    /// The listeners and rules that send requests to a target group, in words.
    func holders(ofTargetGroup arn: String) async throws(ProviderError) -> [String] {
        let group = try await targetGroups().first { $0["TargetGroupArn"].text == arn }
        let balancers = Set(group?["LoadBalancerArns"].texts ?? [])
        let listeners = try await listeners(of: balancers)
        let rules = try await listenerRules(of: Set(listeners.map { $0["ListenerArn"].text }))
        var holders: [String] = []
        for listener in listeners where listener["DefaultActions"].targetGroups.contains(arn) {
            holders.append("the listener \(ELBName.listener(listener))")
        }
        for rule in rules where rule["Priority"].text != "default" && rule["Actions"].targetGroups.contains(arn) {
            let owner = listeners.first { $0["ListenerArn"].text == ELBName.listenerARN(ofRule: rule["RuleArn"].text) }
            holders.append(
                "the rule with priority \(rule["Priority"].text) of the listener "
                    + (owner.map(ELBName.listener) ?? "of \(rule["RuleArn"].text)"))
        }
        return holders
    }

    /// The listeners of load balancers that show a certificate, in words.
    func holders(ofCertificate arn: String, balancers: [String]) async throws(ProviderError) -> [String] {
        var holders: [String] = []
        for listener in try await listeners(of: Set(balancers)) {
            let own = listener["Certificates"].items.map { $0["CertificateArn"].text }
            var isHolder = own.contains(arn)
            if !isHolder, !own.isEmpty {
                let more = try await listenerCertificates(of: listener["ListenerArn"].text)
                isHolder = more.contains { $0["CertificateArn"].text == arn }
            }
            if isHolder { holders.append("the listener \(ELBName.listener(listener))") }
        }
        return holders
    }

    // MARK: Concurrency

    /// The answers to questions, eight at a time, in the order of the questions.
    func concurrently<Question: Sendable, Answer: Sendable>(
        _ questions: [Question], _ ask: @escaping @Sendable (Question) async throws(ProviderError) -> Answer
    ) async throws(ProviderError) -> [Answer] {
        if questions.count == 1 { return [try await ask(questions[0])] }
        typealias Outcome = (Int, Result<Answer, ProviderError>)
        let outcomes = await withTaskGroup(of: Outcome.self) { group in
            var outcomes: [Outcome] = []
            for (index, question) in questions.enumerated() {
                if index >= 8, let outcome = await group.next() { outcomes.append(outcome) }
                group.addTask {
                    let result: Result<Answer, ProviderError>
                    do throws(ProviderError) {
                        result = .success(try await ask(question))
                    } catch {
                        result = .failure(error)
                    }
                    return (index, result)
                }
            }
            for await outcome in group { outcomes.append(outcome) }
            return outcomes
        }
        var answers: [Answer] = []
        for (_, result) in outcomes.sorted(by: { $0.0 < $1.0 }) { answers.append(try result.get()) }
        return answers
    }
}

extension XMLElement {
    /// `Tags` of load balancing, without AWS's own.
    var elbTags: [String: String] { iamTags.filter { !$0.key.hasPrefix("aws:") } }

    /// The target groups that a list of actions names.
    fileprivate var targetGroups: Set<String> {
        var groups: Set<String> = []
        for action in items {
            if let group = action["TargetGroupArn"].nonEmpty { groups.insert(group) }
            groups.formUnion(action["ForwardConfig"]["TargetGroups"].items.map { $0["TargetGroupArn"].text })
        }
        return groups
    }
}

/// The ARNs of load balancing hold each other:
/// `…:loadbalancer/app/NAME/ID`, `…:listener/app/NAME/ID/LISTENER`, `…:listener-rule/app/NAME/ID/LISTENER/RULE`.
enum ELBName {
    static func balancerARN(ofListener arn: String) -> String {
        parent(of: arn.replacing(":listener/", with: ":loadbalancer/"))
    }

    static func listenerARN(ofRule arn: String) -> String {
        parent(of: arn.replacing(":listener-rule/", with: ":listener/"))
    }

    /// `app/NAME/ID`, as metrics name it.
    static func suffix(_ arn: String) -> String {
        let resource = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).last ?? ""
        return resource.hasPrefix("loadbalancer/")
            ? String(resource.dropFirst("loadbalancer/".count)) : String(resource)
    }

    /// `443 of the load balancer web`
    fileprivate static func listener(_ listener: XMLElement) -> String {
        let parts = listener["ListenerArn"].text.split(separator: "/")
        return "\(listener["Port"].text) of the load balancer \(parts.count > 2 ? String(parts[2]) : "?")"
    }

    private static func parent(of arn: String) -> String {
        arn.lastIndex(of: "/").map { String(arn[..<$0]) } ?? arn
    }
}
