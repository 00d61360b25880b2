import AWSClient
import MusterModel
import ProviderKit

/// A CloudWatch alarm over a metric, or over what is computed of several.
///
/// Calls: `PutMetricAlarm` (an upsert that resets what it does not name: it is read first), `DescribeAlarms`,
/// `ListTagsForResource` (to tell ours), `GetResources` of the tagging service (the tags of a hundred alarms, where they
/// are declared), `TagResource`, `UntagResource`, `DeleteAlarms`.
/// The state of the alarm is nobody's, and is not compared.
struct CloudWatchAlarm: ManagedResource {
    struct Query: WireBlock {
        var accountID: String?
        var expression: String?
        var id: String?
        var label: String?
        var metric: Metric?
        var period: Int?
        var isReturned: Bool?

        static let wire: [WireField<Self>] = [
            .string("account_id", \.accountID, "AccountId", told: .same, "The account that has the metric."),
            .string("expression", \.expression, "Expression", told: .same, "What is computed."),
            .string("id", \.id, "Id", told: .same, "Its name in expressions."),
            .string("label", \.label, "Label", told: .same, "What people read."),
            .block("metric", \.metric, "MetricStat", told: .same, "What is measured."),
            .integer("period", \.period, "Period", told: .same, "Over how many seconds, for an expression."),
            // AWS takes it for true where it is left out.
            WireField(
                field: .argument(
                    "return_data", \.isReturned, absence: .means(false),
                    "Whether this is what the threshold is held against."),
                name: "ReturnData", encode: { .boolean($0.isReturned ?? false) },
                decode: { $1.isReturned = $0["ReturnData"].boolean ?? true }),
        ]
    }

    struct Metric: WireBlock {
        var dimensions: [String: String]?
        var name: String?
        var namespace: String?
        var period: Int?
        var stat: String?
        var unit: String?

        static let wire: [WireField<Self>] = [
            .dimensions("dimensions", \.dimensions, "Dimensions", "What it is measured of."),
            .string("metric_name", \.name, "MetricName", told: .same, "The metric."),
            .string("namespace", \.namespace, "Namespace", told: .same, "Where it is, such as `AWS/EC2`."),
            .integer("period", \.period, "Period", told: .same, "Over how many seconds."),
            .string("stat", \.stat, "Stat", told: .same, "What of the measured values counts."),
            .string("unit", \.unit, "Unit", told: .same, "Its unit."),
        ]

        // The metric is one level deeper on the wire.
        var input: AWSInput {
            var outer: AWSInput = [:]
            var inner: AWSInput = [:]
            for member in Self.wire {
                let value = member.encode(self)
                if ["Dimensions", "MetricName", "Namespace"].contains(member.name) {
                    inner[member.name] = value
                } else {
                    outer[member.name] = value
                }
            }
            outer["Metric"] = inner
            return outer
        }

        init() {}

        init(answer: XMLElement) {
            self.init()
            for member in Self.wire {
                let isInner = ["Dimensions", "MetricName", "Namespace"].contains(member.name)
                member.decode(isInner ? answer["Metric"] : answer, &self)
            }
        }
    }

    struct Arguments: WireBlock {
        var name: String?
        var description: String?
        var comparison: String?
        var evaluationPeriods: Int?
        var datapoints: Int?
        var threshold: Double?
        var thresholdMetricID: String?
        var metricName: String?
        var namespace: String?
        var dimensions: [String: String]?
        var period: Int?
        var statistic: String?
        var extendedStatistic: String?
        var unit: String?
        var queries: [Query]?
        var missingData: String?
        var lowSamples: String?
        var actsOn: Bool?
        var alarmActions: [String]?
        var okActions: [String]?
        var insufficientDataActions: [String]?
        var tags: [String: String]?

        static let fields: [Field<Self>] =
            [
                .argument(
                    "alarm_name", \.name, isRequired: true, onChange: .replace, constraints: [.length(1, 255)],
                    "The name, unique in the account and region.")
            ] + wire.map(\.field) + [.tags(\.tags)]

        static let wire: [WireField<Self>] = [
            .string(
                "alarm_description", \.description, "AlarmDescription", told: .same, constraints: [.length(0, 1024)],
                "What it is for."),
            WireField(
                field: .argument(
                    "comparison_operator", \.comparison, isRequired: true,
                    constraints: [
                        .allowed([
                            "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold",
                            "LessThanOrEqualToThreshold", "LessThanLowerOrGreaterThanUpperThreshold",
                            "LessThanLowerThreshold", "GreaterThanUpperThreshold",
                        ])
                    ], "How the metric is held against the threshold."),
                name: "ComparisonOperator", encode: { .nonEmpty($0.comparison) },
                decode: { $1.comparison = $0["ComparisonOperator"].text }),
            WireField(
                field: .argument(
                    "evaluation_periods", \.evaluationPeriods, isRequired: true, constraints: [.range(1, 8640)],
                    "Over how many periods it is looked at."),
                name: "EvaluationPeriods", encode: { .optional($0.evaluationPeriods) },
                decode: { $1.evaluationPeriods = $0["EvaluationPeriods"].integer }),
            .integer(
                "datapoints_to_alarm", \.datapoints, "DatapointsToAlarm", told: .same,
                "In how many of them it must be so; in all if left out."),
            .number("threshold", \.threshold, "Threshold", told: .same, "The threshold."),
            .string(
                "threshold_metric_id", \.thresholdMetricID, "ThresholdMetricId", told: .same,
                "The query that is a band of anomalies, instead of a threshold."),
            .string(
                "metric_name", \.metricName, "MetricName", told: .same, constraints: [.conflictsWith(["metric_query"])],
                "The metric."),
            .string("namespace", \.namespace, "Namespace", told: .same, "Where the metric is, such as `AWS/EC2`."),
            .dimensions(
                "dimensions", \.dimensions, "Dimensions",
                "What it is measured of, such as `AutoScalingGroupName` with a group's name."),
            .integer("period", \.period, "Period", told: .same, "Over how many seconds each value is taken."),
            .string(
                "statistic", \.statistic, "Statistic", told: .same,
                constraints: [
                    .allowed(["SampleCount", "Average", "Sum", "Minimum", "Maximum"]),
                    .conflictsWith(["extended_statistic"]),
                ], "What of the measured values counts."),
            .string(
                "extended_statistic", \.extendedStatistic, "ExtendedStatistic", told: .same,
                "The same as a percentile, such as `p99`."),
            .string("unit", \.unit, "Unit", told: .same, "The unit; only values with it count."),
            .blocks(
                "metric_query", \.queries, "Metrics", told: .same, key: "id",
                "Several metrics and what is computed of them."),
            .string(
                "treat_missing_data", \.missingData, "TreatMissingData", told: .same, absence: .means("missing"),
                constraints: [.allowed(["missing", "ignore", "breaching", "notBreaching"])],
                "What a period without values counts as."),
            .string(
                "evaluate_low_sample_count_percentiles", \.lowSamples, "EvaluateLowSampleCountPercentile", told: .same,
                constraints: [.allowed(["evaluate", "ignore"])], "What is done with percentiles of few values."),
            WireField(
                field: .argument(
                    "actions_enabled", \.actsOn, absence: .means(true), "Whether actions are set off at all."),
                name: "ActionsEnabled", encode: { .boolean($0.actsOn ?? true) },
                decode: { $1.actsOn = $0["ActionsEnabled"].boolean ?? true }),
            .strings(
                "alarm_actions", \.alarmActions, "AlarmActions", told: .same, reference: .alarmAction,
                constraints: [.count(0, 5)], "What it sets off: scaling policies, topics."),
            .strings(
                "ok_actions", \.okActions, "OKActions", told: .same, reference: .alarmAction,
                constraints: [.count(0, 5)],
                "What is set off when it is over."),
            .strings(
                "insufficient_data_actions", \.insufficientDataActions, "InsufficientDataActions", told: .same,
                reference: .alarmAction, constraints: [.count(0, 5)],
                "What is set off when there are not enough values."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        static let fields: [Field<Self>] = [.output("arn", \.arn, "The ARN.")]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.cloudwatch_alarm", "An alarm over a metric.",
        naming: .unique(argument: "alarm_name", maximumLength: 255), overwrites: true,
        importSyntax: "the alarm's name")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let items = try await listing(aws.expectedIDs(Self.type, and: known.map(\.id)))
        let tagged = Dictionary(
            known.filter { $0.declared.contains("tags") }.map { ($0.id.rawValue, $0.arguments.tags) },
            uniquingKeysWith: { first, _ in first })
        var recorded: [String: [String: String]?] = [:]
        for item in items {
            if let tags = tagged[item["AlarmName"].text] { recorded[item["AlarmArn"].text] = .some(tags) }
        }
        let tags = try await aws.confirmedTags(recorded) { arn async throws(ProviderError) -> [String: String]? in
            try await tagsNow(arn)
        }
        return matching(known, in: items, id: "AlarmName") { observed($0, tags: tags[$0["AlarmArn"].text]) }
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await listing(nil).map { observed($0, tags: nil) }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let item = try await describe([desired.name ?? ""]).first else { return nil }
        let tags = try await tagsNow(item["AlarmArn"].text)
        var own = tags
        own[intent.tag.key] = nil
        return Found(observed(item, tags: own), isOurs: tags[intent.tag.key] == intent.tag.value)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let name = desired.name ?? ""
        let names = neighbours(of: name)
        let listing = "DescribeAlarms \(names.joined(separator: ","))"
        let isFree = try await aws.isFree(name, of: Self.type, in: listing, intent) {
            () async throws(ProviderError) -> Set<String> in
            Set(try await describe(names).map { $0["AlarmName"].text })
        }
        if !isFree, let found = try await find(desired, intent: intent) {
            // The call would overwrite what somebody else put there.
            if !found.isOurs {
                throw .taken("an alarm \"\(desired.name ?? "")\"", "cloudwatch.PutMetricAlarm")
            }
        }
        var tags = desired.tags ?? [:]
        tags[intent.tag.key] = intent.tag.value
        try await put(desired, tags: tags)
        return Observed(
            id: RemoteID(desired.name ?? ""), arguments: desired, outputs: Outputs(), status: .pending("created"))
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let names = Set(Arguments.wire.map(\.field.schema.name))
        if !new.says(old, in: names) || !old.says(new, in: names) { try await put(new, tags: nil) }
        let change = TagChange(from: old.tags, to: new.tags)
        if change.isEmpty { return nil }
        guard let arn = try await describe([id.rawValue]).first?["AlarmArn"].nonEmpty else {
            throw ProviderError(.notFound, "There is no alarm \"\(id)\".", operation: "cloudwatch.DescribeAlarms")
        }
        try await aws.tagResource(.cloudwatch, "ResourceARN", arn, change)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.cloudwatch, "DeleteAlarms", ["AlarmNames": [.string(id.rawValue)]])
    }

    // MARK: Listings

    /// By name as long as one call can carry the names, else all.
    private func listing(_ names: Set<String>?) async throws(ProviderError) -> [XMLElement] {
        if let names, names.count <= 100 {
            if names.isEmpty { return [] }
            let sorted = names.sorted()
            return try await aws.remembered("DescribeAlarms \(sorted.joined(separator: ","))") {
                () async throws(ProviderError) -> [XMLElement] in try await describe(sorted)
            }
        }
        return try await aws.remembered("DescribeAlarms") { () async throws(ProviderError) -> [XMLElement] in
            try await describe(nil)
        }
    }

    /// The name among others that are to be made, as many as one call can carry.
    private func neighbours(of name: String) -> [String] {
        let wanted = aws.wanted(Self.type).compactMap { $0["alarm_name"]?.string }
        let names = Set(wanted + [name]).sorted()
        guard let index = names.firstIndex(of: name) else { return [name] }
        return Array(names[(index / 100 * 100)...].prefix(100))
    }

    private func describe(_ names: [String]?) async throws(ProviderError) -> [XMLElement] {
        var input: AWSInput = ["MaxRecords": 100]
        if let names { input["AlarmNames"] = .strings(names) }
        return try await aws.list(
            AWSOperation(.cloudwatch, "DescribeAlarms", input, effect: .read), .nextToken, at: "MetricAlarms")
    }

    private func tagsNow(_ arn: String) async throws(ProviderError) -> [String: String] {
        try await aws.call(
            .cloudwatch, "ListTagsForResource", ["ResourceARN": .string(arn)], effect: .read
        ).xml.iamTags
    }

    // MARK: - Wire format

    private func put(_ alarm: Arguments, tags: [String: String]?) async throws(ProviderError) {
        var input = alarm.input
        input["AlarmName"] = .nonEmpty(alarm.name)
        // AWS takes tags when the alarm is new, and drops them silently afterwards.
        if let tags { input["Tags"] = .keyValues(tags) }
        do throws(ProviderError) {
            _ = try await aws.call(.cloudwatch, "PutMetricAlarm", input, effect: .idempotent)
        } catch {
            throw error.asNotYetVisible
        }
    }

    private func observed(_ item: XMLElement, tags: [String: String]?) -> Observed<Self> {
        var arguments = Arguments(answer: item)
        arguments.name = item["AlarmName"].text
        arguments.missingData = item["TreatMissingData"].nonEmpty ?? "missing"
        arguments.tags = tags
        return Observed(
            id: RemoteID(item["AlarmName"].text), arguments: arguments,
            outputs: Outputs(arn: item["AlarmArn"].nonEmpty))
    }
}
