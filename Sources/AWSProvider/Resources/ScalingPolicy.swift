import AWSClient
import MusterModel
import ProviderKit

/// A scaling policy: by how much a group grows or shrinks, when an alarm says so or by itself.
///
/// Calls: `PutScalingPolicy` (an upsert: it is read first), `DescribePolicies`, `DeletePolicy`.
/// Target tracking makes alarms of its own (`TargetTracking-…`), which come and go with the policy and are never ours.
struct ScalingPolicy: ManagedResource {
    struct Step: WireBlock {
        var lower: Double?
        var upper: Double?
        var adjustment: Int?

        static let wire: [WireField<Self>] = [
            .number(
                "metric_interval_lower_bound", \.lower, "MetricIntervalLowerBound", told: .same,
                "From how far above the alarm's threshold on; left out, there is no end."),
            .number(
                "metric_interval_upper_bound", \.upper, "MetricIntervalUpperBound", told: .same,
                "Up to how far above the alarm's threshold; left out, there is no end."),
            .integer(
                "scaling_adjustment", \.adjustment, "ScalingAdjustment", told: .same, "By how much the group changes."),
        ]
    }

    struct Tracking: WireBlock {
        var target: Double?
        var disablesScaleIn: Bool?
        var predefined: Predefined?
        var customized: Customized?

        static let wire: [WireField<Self>] = [
            .block(
                "predefined_metric_specification", \.predefined, "PredefinedMetricSpecification", told: .same,
                constraints: [.conflictsWith(["customized_metric_specification"])], "A metric that AWS knows."),
            .block(
                "customized_metric_specification", \.customized, "CustomizedMetricSpecification", told: .same,
                "Any other metric."),
            .number(
                "target_value", \.target, "TargetValue", told: .same, absence: .unmanaged, isRequired: true,
                "Where the metric is held."),
            .boolean(
                "disable_scale_in", \.disablesScaleIn, "DisableScaleIn", told: .same, absence: .means(false),
                "Whether the group only grows."),
        ]
    }

    struct Predefined: WireBlock {
        var type: String?
        var label: String?

        static let wire: [WireField<Self>] = [
            .string(
                "predefined_metric_type", \.type, "PredefinedMetricType", told: .same,
                constraints: [
                    .allowed([
                        "ASGAverageCPUUtilization", "ASGAverageNetworkIn", "ASGAverageNetworkOut",
                        "ALBRequestCountPerTarget",
                    ])
                ], "The metric."),
            .string(
                "resource_label", \.label, "ResourceLabel", told: .same,
                "For ALBRequestCountPerTarget: the load balancer and the target group, as the ends of their ARNs."),
        ]
    }

    struct Customized: WireBlock {
        var name: String?
        var namespace: String?
        var dimensions: [Dimension]?
        var statistic: String?
        var unit: String?
        var period: Int?
        var queries: [Query]?

        static let wire: [WireField<Self>] = [
            .string("metric_name", \.name, "MetricName", told: .same, "The metric."),
            .string("namespace", \.namespace, "Namespace", told: .same, "Where it is."),
            .blocks(
                "metric_dimension", \.dimensions, "Dimensions", told: .same, key: "name", "What it is measured of."),
            .string(
                "statistic", \.statistic, "Statistic", told: .same,
                constraints: [.allowed(["Average", "Minimum", "Maximum", "SampleCount", "Sum"])],
                "What of the measured values counts."),
            .string("unit", \.unit, "Unit", told: .same, "Its unit."),
            .integer("period", \.period, "Period", told: .same, absence: .unmanaged, "Over how many seconds."),
            .blocks(
                "metrics", \.queries, "Metrics", told: .same, key: "id", "Several metrics and what is computed of them."
            ),
        ]
    }

    struct Dimension: WireBlock {
        var name: String?
        var value: String?

        static let wire: [WireField<Self>] = [
            .string("name", \.name, "Name", told: .same, "The name."),
            .string("value", \.value, "Value", told: .same, "The value."),
        ]
    }

    struct Query: WireBlock {
        var id: String?
        var expression: String?
        var label: String?
        var stat: Stat?
        var isReturned: Bool?

        static let wire: [WireField<Self>] = [
            .string("id", \.id, "Id", told: .same, "Its name in expressions."),
            .string("expression", \.expression, "Expression", told: .same, "What is computed."),
            .string("label", \.label, "Label", told: .same, "What people read."),
            .block("metric_stat", \.stat, "MetricStat", told: .same, "What is measured."),
            .boolean(
                "return_data", \.isReturned, "ReturnData", told: .same, absence: .means(true),
                "Whether this is the result."),
        ]
    }

    struct Stat: WireBlock {
        var metric: Metric?
        var stat: String?
        var unit: String?
        var period: Int?

        static let wire: [WireField<Self>] = [
            .block("metric", \.metric, "Metric", told: .same, "The metric."),
            .string("stat", \.stat, "Stat", told: .same, "What of the measured values counts."),
            .string("unit", \.unit, "Unit", told: .same, "Its unit."),
            .integer("period", \.period, "Period", told: .same, absence: .unmanaged, "Over how many seconds."),
        ]
    }

    struct Metric: WireBlock {
        var name: String?
        var namespace: String?
        var dimensions: [Dimension]?

        static let wire: [WireField<Self>] = [
            .string("metric_name", \.name, "MetricName", told: .same, "The metric."),
            .string("namespace", \.namespace, "Namespace", told: .same, "Where it is."),
            .blocks("dimensions", \.dimensions, "Dimensions", told: .same, key: "name", "What it is measured of."),
        ]
    }

    struct Arguments: ArgumentBlock {
        var name = ""
        var group = ""
        var type: String?
        var adjustmentType: String?
        var adjustment: Int?
        var cooldown: Int?
        var minimumMagnitude: Int?
        var steps: [Step]?
        var aggregation: String?
        var warmup: Int?
        var tracking: Tracking?
        var isEnabled: Bool?

        static let fields: [Field<Self>] = [
            .required(
                "name", \.name, onChange: .replace, constraints: [.length(1, 255)], "The name, unique in the group."),
            .required(
                "autoscaling_group_name", \.group, onChange: .replace, reference: .autoscalingGroup, "The group."),
            .argument(
                "policy_type", \.type, absence: .means("SimpleScaling"),
                constraints: [.allowed(["SimpleScaling", "StepScaling", "TargetTrackingScaling"])], "Its kind."),
            .argument(
                "adjustment_type", \.adjustmentType, absence: .means(""),
                constraints: [.allowed(["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"])],
                "What an adjustment counts, for simple and step scaling."),
            .argument(
                "scaling_adjustment", \.adjustment, absence: .means(.null),
                constraints: [.conflictsWith(["step_adjustment", "target_tracking_configuration"])],
                "By how much the group changes, for simple scaling."),
            .argument(
                "cooldown", \.cooldown, absence: .means(.null), constraints: [.range(0, 86_400)],
                "Seconds until the next simple scaling; the group's if left out."),
            .argument(
                "min_adjustment_magnitude", \.minimumMagnitude, absence: .means(.null),
                "By how many at least, where per cent are counted."),
            .argument(
                "step_adjustment", \.steps, type: .set(Step.valueType), absence: .means(.list([])),
                constraints: [.conflictsWith(["target_tracking_configuration"])],
                "By how much the group changes, by how far the metric is off."),
            .argument(
                "metric_aggregation_type", \.aggregation,
                constraints: [.allowed(["Minimum", "Maximum", "Average"])],
                "What of the measured values counts, for step scaling."),
            .argument(
                "estimated_instance_warmup", \.warmup, absence: .means(.null), constraints: [.range(0, 86_400)],
                "Seconds until a new instance counts, for step scaling and target tracking."),
            .argument(
                "target_tracking_configuration", \.tracking, absence: .means(.null),
                "The metric that is held, and where."),
            .argument("enabled", \.isEnabled, absence: .means(true), "Whether it works."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var alarms: [String]?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN: what an alarm sets off."),
            .output(
                "alarms", \.alarms, changesWith: ["policy_type", "target_tracking_configuration"],
                "The names of the alarms that set it off, its own ones of target tracking too."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.scaling_policy", "By how much a group grows or shrinks.", parentArgument: "autoscaling_group_name",
        overwrites: true, importSyntax: "GROUP:POLICY")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let wanted = Set(known.map(\.id))
        var found: [RemoteID: Observed<Self>] = [:]
        for policy in try await aws.scalingPolicies().map(observed) where wanted.contains(policy.id) {
            found[policy.id] = policy
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        let all = try await aws.scalingPolicies().map(observed)
        guard case .children(let parents) = scope else { return all }
        let groups = Set(parents.map(\.rawValue))
        return all.filter { groups.contains($0.arguments.group) }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let seen = try await now(desired.group, desired.name) else { return nil }
        // It carries no mark: it is ours when it says what we would have said.
        return Found(seen, isOurs: desired.says(seen.arguments, in: Set(Arguments.fields.map(\.schema.name))))
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let id = GroupChildID(group: desired.group, name: desired.name).id
        let isFree = try await aws.isFree(id.rawValue, of: Self.type, in: "DescribePolicies", intent) {
            () async throws(ProviderError) -> Set<String> in
            Set(try await aws.scalingPolicies().map { observed($0).id.rawValue })
        }
        if !isFree, let found = try await find(desired, intent: intent), !found.isOurs {
            throw .taken("a policy \"\(desired.name)\" of \(desired.group)", "autoscaling.PutScalingPolicy")
        }
        let answer = try await put(desired)
        return Observed(id: id, arguments: desired, outputs: outputs(answer))
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let answer = try await put(new)
        return Observed(id: id, arguments: new, outputs: outputs(answer))
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        let key = GroupChildID(id)
        try await aws.delete(
            .autoscaling, "DeletePolicy",
            ["AutoScalingGroupName": .string(key.group), "PolicyName": .string(key.name)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        if !GroupChildID(RemoteID(text)).isWhole { throw Self.badID(text) }
        return RemoteID(text)
    }

    private func now(_ group: String, _ name: String) async throws(ProviderError) -> Observed<Self>? {
        try await aws.look(
            .autoscaling, "DescribePolicies",
            ["AutoScalingGroupName": .string(group), "PolicyNames": [.string(name)]]
        )?.xml["ScalingPolicies"].items.first.map(observed)
    }

    // MARK: - Wire format

    private func put(_ policy: Arguments) async throws(ProviderError) -> XMLElement {
        try await aws.autoscalingChange(
            "PutScalingPolicy",
            [
                "AutoScalingGroupName": .string(policy.group),
                "PolicyName": .string(policy.name),
                "PolicyType": .string(policy.type.filled ?? "SimpleScaling"),
                "AdjustmentType": .nonEmpty(policy.adjustmentType),
                "ScalingAdjustment": .optional(policy.adjustment),
                "Cooldown": .optional(policy.cooldown),
                "MinAdjustmentMagnitude": .optional(policy.minimumMagnitude),
                "StepAdjustments": (policy.steps ?? []).isEmpty
                    ? .absent : .list((policy.steps ?? []).inOrder.map(\.input)),
                "MetricAggregationType": .nonEmpty(policy.aggregation),
                "EstimatedInstanceWarmup": .optional(policy.warmup),
                "TargetTrackingConfiguration": policy.tracking?.input ?? .absent,
                "Enabled": .boolean(policy.isEnabled ?? true),
            ])
    }

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = item["PolicyName"].text
        arguments.group = item["AutoScalingGroupName"].text
        arguments.type = item["PolicyType"].nonEmpty ?? "SimpleScaling"
        arguments.adjustmentType = item["AdjustmentType"].text
        arguments.adjustment = item["ScalingAdjustment"].integer
        arguments.cooldown = item["Cooldown"].integer
        arguments.minimumMagnitude = item["MinAdjustmentMagnitude"].integer
        arguments.steps = item["StepAdjustments"].items.map { Step(answer: $0) }.inOrder
        arguments.aggregation = item["MetricAggregationType"].text
        arguments.warmup = item["EstimatedInstanceWarmup"].integer
        arguments.tracking = Tracking(told: item["TargetTrackingConfiguration"])
        arguments.isEnabled = item["Enabled"].boolean ?? true
        return Observed(
            id: GroupChildID(group: arguments.group, name: arguments.name).id, arguments: arguments,
            outputs: outputs(item))
    }

    private func outputs(_ item: XMLElement) -> Outputs {
        Outputs(
            arn: item["PolicyARN"].nonEmpty, alarms: item["Alarms"].items.map { $0["AlarmName"].text }.sorted())
    }
}
