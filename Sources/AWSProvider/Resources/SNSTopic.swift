import AWSClient
import MusterModel
import ProviderKit

/// An SNS topic: where alarms and groups send what happened.
///
/// Calls: `CreateTopic`, `ListTopics`, `GetTopicAttributes` (where an attribute is declared), `SetTopicAttributes` (one
/// attribute a call), `ListTagsForResource`, `TagResource`, `UntagResource`, `DeleteTopic`; `GetResources` of the tagging
/// service. Creating is idempotent by name: the same attributes and tags, the intent's among them, give the same topic;
/// others are refused, so that somebody else's topic is never taken.
struct SNSTopic: ManagedResource {
    struct Arguments: ArgumentBlock {
        var name = ""
        var isFIFO: Bool?
        var deduplicatesByContent: Bool?
        var throughputScope: String?
        var displayName: String?
        var policy: Value?
        var deliveryPolicy: Value?
        var archivePolicy: Value?
        var kmsMasterKeyID: String?
        var signatureVersion: Int?
        var tracingConfig: String?
        /// By AWS's attribute name, such as `HTTPSuccessFeedbackRoleArn`.
        var feedbackRoles: [String: String] = [:]
        var feedbackRates: [String: Int] = [:]
        var tags: [String: String]?

        fileprivate subscript(role attribute: String) -> String? {
            get { feedbackRoles[attribute] }
            set { feedbackRoles[attribute] = newValue }
        }
        fileprivate subscript(rate attribute: String) -> Int? {
            get { feedbackRates[attribute] }
            set { feedbackRates[attribute] = newValue }
        }

        static let fields: [Field<Self>] =
            [
                .required(
                    "name", \.name, onChange: .replace,
                    constraints: [
                        .length(1, 256),
                        .pattern(
                            #"[A-Za-z0-9_\-]+(\.fifo)?"#,
                            "only letters, digits, - and _ may stand in it, and .fifo at the end of a FIFO topic."),
                    ], "The name; that of a FIFO topic ends in `.fifo`."),
                .argument(
                    "fifo_topic", \.isFIFO, absence: .means(false), onChange: .replace,
                    "Whether messages keep their order and none comes twice."),
                .argument(
                    "content_based_deduplication", \.deduplicatesByContent, absence: .means(false), needsOwnRead: true,
                    "Whether a FIFO topic knows repeated messages by their content."),
                .argument(
                    "fifo_throughput_scope", \.throughputScope, constraints: [.allowed(["Topic", "MessageGroup"])],
                    needsOwnRead: true, "Whether a FIFO topic's limits hold for it or for each of its groups."),
                .argument(
                    "display_name", \.displayName, absence: .means(""), constraints: [.length(0, 100)],
                    needsOwnRead: true, "The sender of its e-mails and text messages."),
                .argument(
                    "policy", \.policy, semantics: .policyDocument, needsOwnRead: true,
                    "Who may publish and subscribe; left out, AWS lets the account do it."),
                .argument(
                    "delivery_policy", \.deliveryPolicy, absence: .means(""), semantics: .policyDocument,
                    needsOwnRead: true, "How deliveries over HTTP are tried again: a JSON document."),
                .argument(
                    "archive_policy", \.archivePolicy, absence: .means(""), semantics: .policyDocument,
                    needsOwnRead: true, "How long a FIFO topic keeps its messages: a JSON document."),
                .argument(
                    "kms_master_key_id", \.kmsMasterKeyID, absence: .means(""), needsOwnRead: true,
                    "The key that encrypts messages at rest, such as `alias/aws/sns`; left out, none does."),
                .argument(
                    "signature_version", \.signatureVersion, absence: .means(1), constraints: [.range(1, 2)],
                    needsOwnRead: true, isSetAfterCreate: true, "1 signs notifications with SHA1, 2 with SHA256."),
                .argument(
                    "tracing_config", \.tracingConfig, absence: .means("PassThrough"),
                    constraints: [.allowed(["PassThrough", "Active"])], needsOwnRead: true,
                    "Whether X-Ray traces its messages."),
            ] + feedbackFields + [.tags(\.tags)]

        private static let feedbackFields: [Field<Self>] = SNSTopic.feedbackProtocols.flatMap {
            (name, wire) -> [Field<Self>] in
            [
                .argument(
                    "\(name)_success_feedback_role_arn", \.[role: "\(wire)SuccessFeedbackRoleArn"],
                    absence: .means(""), needsOwnRead: true,
                    "The role with which deliveries by \(name) that succeed are logged."),
                .argument(
                    "\(name)_success_feedback_sample_rate", \.[rate: "\(wire)SuccessFeedbackSampleRate"],
                    constraints: [.range(0, 100)], needsOwnRead: true,
                    "Of how many percent of them."),
                .argument(
                    "\(name)_failure_feedback_role_arn", \.[role: "\(wire)FailureFeedbackRoleArn"],
                    absence: .means(""), needsOwnRead: true,
                    "The role with which deliveries by \(name) that fail are logged."),
            ]
        }
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var owner: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("owner", \.owner, "The account that owns it."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.sns_topic", "A topic: where alarms and groups send what happened.",
        naming: .unique(argument: "name", maximumLength: 256), importSyntax: "the topic's ARN")

    /// As arguments and as attributes name them.
    fileprivate static let feedbackProtocols = [
        ("application", "Application"), ("firehose", "Firehose"), ("http", "HTTP"), ("lambda", "Lambda"),
        ("sqs", "SQS"),
    ]
    /// The arguments that no listing tells.
    private static let attributeArguments = Set(
        Arguments.fields.filter(\.schema.needsOwnRead).map(\.schema.name))

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        var found: [RemoteID: Observed<Self>] = [:]
        var tagged: [String: [String: String]?] = [:]
        let isListed =
            known.allSatisfy(needsAttributes) ? [] : Set(try await listing().map { $0["TopicArn"].text })
        for object in known {
            if !needsAttributes(object), isListed.contains(object.id.rawValue) {
                found[object.id] = observed(object.id)
            } else if let attributes = try await attributes(object.id) {
                // Also where the listing is late with what was just made.
                found[object.id] = observed(object.id, attributes)
            } else {
                continue
            }
            if object.declared.contains("tags") { tagged[object.id.rawValue] = .some(object.arguments.tags) }
        }
        let tags = try await aws.confirmedTags(tagged) { (arn) async throws(ProviderError) in try await self.tags(arn) }
        for (arn, tags) in tags { found[RemoteID(arn)]?.arguments.tags = tags }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await listing().map { observed(RemoteID($0["TopicArn"].text)) }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        // The account is in no argument, so the name is looked for. The memory of a session would be too old.
        let suffix = ":\(desired.name)"
        let topics = try await aws.list(AWSOperation(.sns, "ListTopics", effect: .read), .nextToken, at: "Topics")
        guard let arn = topics.map({ $0["TopicArn"].text }).first(where: { $0.hasSuffix(suffix) }),
            let attributes = try await attributes(RemoteID(arn)), let tags = try await tags(arn)
        else { return nil }
        var observed = observed(RemoteID(arn), attributes)
        observed.arguments.tags = tags
        return Found(observed, isOurs: tags[intent.tag.key] == intent.tag.value)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        if desired.name.hasSuffix(".fifo") != (desired.isFIFO ?? false) {
            throw ProviderError(
                .invalid, "The name of a FIFO topic ends in \".fifo\", and no other name does: \"\(desired.name)\".",
                operation: "sns.CreateTopic", hint: "Set fifo_topic: true together with such a name.")
        }
        var attributes: [AWSInput.Field] = desired.isFIFO == true ? [.init("FifoTopic", "true")] : []
        // A default is left out: a standard topic refuses what only a FIFO topic has.
        attributes += changes(from: Arguments(), to: desired).filter { !$0.isSetAfterCreate }
            .map { .init($0.attribute, .string($0.value)) }
        do throws(ProviderError) {
            let answer = try await aws.call(
                .sns, "CreateTopic",
                [
                    "Name": .string(desired.name),
                    "Attributes": attributes.isEmpty ? .absent : .map(attributes),
                    "Tags": .tagList(desired.tags, intent),
                ], effect: .idempotent)
            return observed(RemoteID(answer.xml["TopicArn"].text))
        } catch {
            if error.code == "InvalidParameter", error.message.contains("already exists with different") {
                var error = error
                error.kind = .alreadyExists
                throw error
            }
            throw error.asNotYetVisible
        }
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        for change in changes(from: old, to: new) {
            do throws(ProviderError) {
                _ = try await aws.call(
                    .sns, "SetTopicAttributes",
                    [
                        "TopicArn": .string(id.rawValue), "AttributeName": .string(change.attribute),
                        "AttributeValue": .string(change.value),
                    ], effect: .idempotent)
            } catch {
                throw error.asNotYetVisible
            }
        }
        try await updateTags(id, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.sns, "DeleteTopic", ["TopicArn": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "sns", !parts[5].isEmpty else { throw Self.badID(text) }
        return RemoteID(text)
    }

    private func needsAttributes(_ object: Known<Self>) -> Bool {
        !object.declared.isDisjoint(with: Self.attributeArguments)
    }

    private func listing() async throws(ProviderError) -> [XMLElement] {
        try await aws.remembered("ListTopics") { () async throws(ProviderError) -> [XMLElement] in
            try await aws.list(AWSOperation(.sns, "ListTopics", effect: .read), .nextToken, at: "Topics")
        }
    }

    /// nil when there is no such topic.
    private func attributes(_ id: RemoteID) async throws(ProviderError) -> [String: String]? {
        guard let answer = try await aws.look(.sns, "GetTopicAttributes", ["TopicArn": .string(id.rawValue)]) else {
            return nil
        }
        return Dictionary(
            answer.xml["Attributes"].items.map { ($0["key"].text, $0["value"].text) },
            uniquingKeysWith: { first, _ in first })
    }

    private func tags(_ arn: String) async throws(ProviderError) -> [String: String]? {
        try await aws.look(.sns, "ListTagsForResource", ["ResourceArn": .string(arn)])?.xml.iamTags
    }

    private func updateTags(
        _ id: RemoteID, from old: [String: String]?, to new: [String: String]?
    ) async throws(ProviderError) {
        guard let new else { return }
        try await aws.tagResource(.sns, "ResourceArn", id.rawValue, TagChange(from: old, to: new))
    }

    // MARK: - Wire format

    private struct Change {
        var attribute: String
        var value: String
        var isSetAfterCreate = false
    }

    /// What differs, as attributes; what `new` does not say stays as it is.
    private func changes(from old: Arguments, to new: Arguments) -> [Change] {
        var changes: [Change] = []
        func add(_ attribute: String, _ old: String, _ new: String?) {
            if let new, new != old { changes.append(Change(attribute: attribute, value: new)) }
        }
        add(
            "ContentBasedDeduplication", text(old.deduplicatesByContent ?? false),
            new.deduplicatesByContent.map(text))
        add("FifoThroughputScope", old.throughputScope ?? "", new.throughputScope.filled)
        add("DisplayName", old.displayName ?? "", new.displayName)
        add("Policy", document(old.policy), new.policy.map(document).filled)
        add("DeliveryPolicy", document(old.deliveryPolicy), new.deliveryPolicy.map(document))
        let archive = new.archivePolicy.map(document)
        if archive != nil, archive != document(old.archivePolicy) {
            changes.append(Change(attribute: "ArchivePolicy", value: archive.filled ?? "{}"))
        }
        add("KmsMasterKeyId", old.kmsMasterKeyID ?? "", new.kmsMasterKeyID)
        add("TracingConfig", old.tracingConfig ?? "PassThrough", new.tracingConfig)
        for (attribute, role) in new.feedbackRoles.sorted(by: { $0.key < $1.key })
        where role != old.feedbackRoles[attribute] ?? "" {
            changes.append(Change(attribute: attribute, value: role))
        }
        for (attribute, rate) in new.feedbackRates.sorted(by: { $0.key < $1.key })
        where rate != old.feedbackRates[attribute] {
            changes.append(Change(attribute: attribute, value: String(rate)))
        }
        if let version = new.signatureVersion, version != old.signatureVersion ?? 1 {
            changes.append(Change(attribute: "SignatureVersion", value: String(version), isSetAfterCreate: true))
        }
        return changes
    }

    private func text(_ flag: Bool) -> String { flag ? "true" : "false" }

    /// JSON text; nothing and {} are "".
    private func document(_ value: Value?) -> String {
        switch value {
        case nil, .null, .map([:]): ""
        case .string(let text): text
        case .some(let value): ValueJSON.plainText(value)
        }
    }

    private func observed(_ id: RemoteID, _ attributes: [String: String]? = nil) -> Observed<Self> {
        let parts = id.rawValue.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        var arguments = Arguments()
        arguments.name = parts.last ?? ""
        arguments.isFIFO = arguments.name.hasSuffix(".fifo")
        if let attributes {
            arguments.deduplicatesByContent = attributes["ContentBasedDeduplication"] == "true"
            arguments.throughputScope = attributes["FifoThroughputScope"]
            arguments.displayName = attributes["DisplayName"] ?? ""
            arguments.policy = attributes["Policy"].filled.map { Value.string($0).parsedPolicy }
            arguments.deliveryPolicy = Value.string(attributes["DeliveryPolicy"] ?? "").parsedPolicy
            arguments.archivePolicy = Value.string(attributes["ArchivePolicy"] ?? "").parsedPolicy
            arguments.kmsMasterKeyID = attributes["KmsMasterKeyId"] ?? ""
            arguments.signatureVersion = attributes["SignatureVersion"].flatMap { Int($0) } ?? 1
            arguments.tracingConfig = attributes["TracingConfig"].filled ?? "PassThrough"
            for (_, wire) in Self.feedbackProtocols {
                for attribute in ["\(wire)SuccessFeedbackRoleArn", "\(wire)FailureFeedbackRoleArn"] {
                    arguments.feedbackRoles[attribute] = attributes[attribute] ?? ""
                }
                let rate = "\(wire)SuccessFeedbackSampleRate"
                arguments.feedbackRates[rate] = attributes[rate].flatMap { Int($0) }
            }
        }
        var outputs = Outputs()
        outputs.arn = id.rawValue
        outputs.owner = parts.count == 6 ? parts[4] : attributes?["Owner"]
        return Observed(id: id, arguments: arguments, outputs: outputs)
    }
}
