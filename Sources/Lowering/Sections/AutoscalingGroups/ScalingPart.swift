import Diagnostics
import MusterModel

/// What belongs to a fleet: scaling policies with their alarms, scheduled actions, lifecycle hooks.
enum ScalingPart {
    static let policyFields: [ArgumentSchema] = [
        ArgumentSchema(
            "adjustment", .integer, constraints: [.exactlyOne(["adjustment", "steps", "target"])],
            "By how many instances the group changes."),
        ArgumentSchema(
            "steps",
            .list(
                .object([
                    ArgumentSchema("from", .number, "From how far off the alarm's threshold on."),
                    ArgumentSchema("to", .number, "Up to how far off."),
                    ArgumentSchema("adjustment", .integer, isRequired: true, "By how many instances."),
                ])), "By how much the group changes, by how far the metric is off the alarm's threshold."),
        ArgumentSchema("target", .number, "Where `metric` is held; AWS makes the alarms."),
        ArgumentSchema(
            "metric", .anything,
            "What is held at `target`: a name that AWS knows, such as ASGAverageCPUUtilization, or a map with "
                + "metric_name, namespace, statistic, unit and dimensions."),
        ArgumentSchema("resource_label", .string, "For ALBRequestCountPerTarget: the balancer and the target group."),
        ArgumentSchema("disable_scale_in", .boolean, "Whether the group only grows, with `target`."),
        ArgumentSchema(
            "adjustment_type", .string,
            constraints: [.allowed(["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"])],
            "What an adjustment counts; ChangeInCapacity if it is left out."),
        ArgumentSchema("min_adjustment_magnitude", .integer, "By how many at least, where per cent are counted."),
        ArgumentSchema("cooldown", .integer, "Seconds until the next scaling, with `adjustment`."),
        ArgumentSchema(
            "metric_aggregation_type", .string, constraints: [.allowed(["Minimum", "Maximum", "Average"])],
            "What of the measured values counts, with `steps`."),
        ArgumentSchema(
            "estimated_instance_warmup", .integer, "Seconds until a new instance counts, with `steps` and `target`."),
        ArgumentSchema("enabled", .boolean, "Whether it works."),
        ArgumentSchema("alarm", .object(alarmFields), "The alarm that sets it off."),
        ArgumentSchema("alarms", .map(.object(alarmFields)), "Several alarms that set it off, by name."),
    ]

    private static let alarmFields: [ArgumentSchema] =
        alarmVerbatim + [
            ArgumentSchema("name", .string, "The alarm's name; GROUP-POLICY if it is left out."),
            ArgumentSchema("metric", .string, isRequired: true, "The metric, such as CPUUtilization."),
            ArgumentSchema("namespace", .string, "Where the metric is; AWS/EC2 if it is left out."),
            ArgumentSchema(
                "above", .number, constraints: [.exactlyOne(["above", "below", "threshold"])],
                "The threshold, for values at or above it."),
            ArgumentSchema("below", .number, "The threshold, for values at or below it."),
            ArgumentSchema("threshold", .number, "The threshold, with `comparison_operator`."),
            ArgumentSchema("comparison_operator", .string, "How values are held against `threshold`."),
            ArgumentSchema("statistic", .string, "What of the measured values counts; Average if it is left out."),
            ArgumentSchema("period", .integer, "Over how many seconds each value is taken; 60 if it is left out."),
            ArgumentSchema("evaluation_periods", .integer, "How many values count; 2 if it is left out."),
            ArgumentSchema(
                "dimensions", .map(.string), "What is measured; the group's instances together if it is left out."),
            ArgumentSchema(
                "actions", .list(.string), reference: .alarmAction, "What it sets off besides: topics."),
        ]

    private static let alarmVerbatim: [ArgumentSchema] = [
        ArgumentSchema("alarm_description", .string, "What it is for."),
        ArgumentSchema("datapoints_to_alarm", .integer, "In how many of the values it must be so."),
        ArgumentSchema(
            "treat_missing_data", .string, constraints: [.allowed(["missing", "ignore", "breaching", "notBreaching"])],
            "What a period without values counts as."),
        ArgumentSchema("unit", .string, "The unit; only values with it count."),
        ArgumentSchema("actions_enabled", .boolean, "Whether anything is set off."),
        ArgumentSchema("ok_actions", .list(.string), reference: .alarmAction, "What is set off when it is over."),
        ArgumentSchema(
            "insufficient_data_actions", .list(.string), reference: .alarmAction,
            "What is set off when there are not enough values."),
    ]

    static let actionFields: [ArgumentSchema] = [
        ArgumentSchema(
            "recurrence", .string,
            "When, again and again: minute, hour, day of month, month, day of week; five fields in quotes."),
        ArgumentSchema("time_zone", .string, "The time zone of `recurrence`; UTC if it is left out."),
        ArgumentSchema("start_time", .string, "The (first) time, in ISO 8601."),
        ArgumentSchema("end_time", .string, "When it stops recurring, in ISO 8601."),
        ArgumentSchema("min_size", .integer, "The fewest instances from then on; left out, it stays."),
        ArgumentSchema("max_size", .integer, "The most instances from then on; left out, it stays."),
        ArgumentSchema("desired_capacity", .integer, "How many there should be from then on; left out, it stays."),
    ]

    static let hookFields: [ArgumentSchema] =
        [
            ArgumentSchema(
                "transition", .string, isRequired: true,
                constraints: [
                    .allowed(["launching", "terminating"] + transitions.values.sorted())
                ], "When it is called: launching or terminating.")
        ] + hookVerbatim

    private static let hookVerbatim: [ArgumentSchema] = [
        ArgumentSchema(
            "default_result", .string, constraints: [.allowed(["CONTINUE", "ABANDON"])],
            "What happens when nobody answers; ABANDON if it is left out."),
        ArgumentSchema(
            "heartbeat_timeout", .integer, constraints: [.range(30, 7200)],
            "Seconds to answer in; 3600 if it is left out."),
        ArgumentSchema("notification_metadata", .string, "What is told with the notice."),
        ArgumentSchema("notification_target_arn", .string, reference: .snsTopic, "The queue or topic to tell."),
        ArgumentSchema("role_arn", .string, "The role that may tell it."),
    ]

    private static let transitions = [
        "launching": "autoscaling:EC2_INSTANCE_LAUNCHING", "terminating": "autoscaling:EC2_INSTANCE_TERMINATING",
    ]

    fileprivate static func transition(_ field: LocatedValue?) -> Value {
        guard let field else { return .null }
        return field.value.string.flatMap { transitions[$0] }.map { .string($0) } ?? field.value
    }

    /// The hooks that a new group brings, so that its first instances meet them.
    static func initialHooks(_ hooks: LocatedValue) -> Value {
        .list(
            (hooks.entries ?? []).map { entry in
                var hook: [String: Value] = [
                    "name": .string(entry.key), "lifecycle_transition": transition(entry.value["transition"]),
                ]
                for field in hookVerbatim { hook[field.name] = entry.value[field.name]?.value }
                return .map(hook)
            })
    }

    fileprivate static func copyHook(to draft: inout Draft, from form: LocatedValue) {
        draft.copy(hookVerbatim, from: form)
    }

    fileprivate static func copyAlarm(to draft: inout Draft, from form: LocatedValue) {
        draft.copy(alarmVerbatim, from: form)
    }
}

extension LoweringResult {
    mutating func lowerScaling(of group: Draft, _ definition: Definition) {
        for entry in definition.body["scaling_policies"]?.entries ?? [] where entry.value.value != .null {
            lowerPolicy(entry, of: group, definition)
        }
        for entry in definition.body["schedule"]?.entries ?? [] where entry.value.value != .null {
            var action = child(
                "aws.scheduled_action", entry, of: group, definition, nameArgument: "scheduled_action_name")
            action.copy(ScalingPart.actionFields, from: entry.value)
            if entry.value["recurrence"] == nil, entry.value["start_time"] == nil {
                diagnostics.append(.whenIsMissing(entry.key, at: entry.keyRange))
            }
            if ["min_size", "max_size", "desired_capacity"].allSatisfy({ entry.value[$0] == nil }) {
                diagnostics.append(.sizeIsMissing(entry.key, at: entry.keyRange))
            }
            append(action)
        }
        for entry in definition.body["lifecycle_hooks"]?.entries ?? [] where entry.value.value != .null {
            var hook = child("aws.lifecycle_hook", entry, of: group, definition, nameArgument: "name")
            hook.set(
                "lifecycle_transition", ScalingPart.transition(entry.value["transition"]),
                at: entry.value["transition"]?.range)
            ScalingPart.copyHook(to: &hook, from: entry.value)
            append(hook)
        }
    }

    private func child(
        _ type: ResourceType, _ entry: LocatedValue.Entry, of group: Draft, _ definition: Definition,
        nameArgument: String
    ) -> Draft {
        var draft = Draft(type, "\(definition.name)/\(entry.key)", of: definition, at: entry.keyRange)
        draft.set(nameArgument, .string(entry.key), at: entry.keyRange)
        draft.set("autoscaling_group_name", group.output("id"))
        return draft
    }

    // MARK: Policies

    private mutating func lowerPolicy(_ entry: LocatedValue.Entry, of group: Draft, _ definition: Definition) {
        let form = entry.value
        var policy = child("aws.scaling_policy", entry, of: group, definition, nameArgument: "name")
        if let target = form["target"] {
            policy.set("policy_type", "TargetTrackingScaling", at: target.range)
            setTracking(target, form, of: &policy, at: entry.keyRange)
        } else {
            policy.set(
                "adjustment_type", form["adjustment_type"]?.value ?? "ChangeInCapacity",
                at: form["adjustment_type"]?.range)
            policy.set("min_adjustment_magnitude", form["min_adjustment_magnitude"])
            if let steps = form["steps"] {
                policy.set("policy_type", "StepScaling", at: steps.range)
                policy.set("step_adjustment", .list((steps.elements ?? []).map(step)), at: steps.range)
                policy.set("metric_aggregation_type", form["metric_aggregation_type"])
            } else {
                policy.set("scaling_adjustment", form["adjustment"])
                policy.set("cooldown", form["cooldown"])
            }
        }
        policy.set("estimated_instance_warmup", form["estimated_instance_warmup"])
        policy.set("enabled", form["enabled"])
        append(policy)
        if let alarm = form["alarm"] {
            lowerAlarm(alarm, "\(definition.name)/\(entry.key)", usualName: entry.key, of: policy, group, definition)
        }
        for alarm in form["alarms"]?.entries ?? [] where alarm.value.value != .null {
            lowerAlarm(
                alarm.value, "\(definition.name)/\(entry.key)/\(alarm.key)", usualName: "\(entry.key)-\(alarm.key)",
                of: policy, group, definition)
        }
        for field in ["alarm", "alarms"] where form["target"] != nil {
            if let alarm = form[field] { diagnostics.append(.alarmOfTarget(entry.key, at: alarm.range)) }
        }
    }

    private func step(_ form: LocatedValue) -> Value {
        var step: [String: Value] = ["scaling_adjustment": form["adjustment"]?.value ?? .null]
        step["metric_interval_lower_bound"] = form["from"]?.value
        step["metric_interval_upper_bound"] = form["to"]?.value
        return .map(step)
    }

    private static let metricFields: [ArgumentSchema] = [
        ArgumentSchema("metric_name", .string, isRequired: true, "The metric."),
        ArgumentSchema("namespace", .string, isRequired: true, "Where it is."),
        ArgumentSchema(
            "statistic", .string, constraints: [.allowed(["Average", "Minimum", "Maximum", "SampleCount", "Sum"])],
            "What of the measured values counts."),
        ArgumentSchema("unit", .string, "Its unit."),
        ArgumentSchema("period", .integer, "Over how many seconds."),
        ArgumentSchema("dimensions", .map(.string), "What is measured."),
    ]

    private mutating func setTracking(
        _ target: LocatedValue, _ form: LocatedValue, of policy: inout Draft, at range: SourceRange
    ) {
        guard let metric = form["metric"] else {
            diagnostics.append(.metricIsMissing(at: range))
            return
        }
        var tracking: [String: Value] = ["target_value": target.value]
        tracking["disable_scale_in"] = form["disable_scale_in"]?.value
        switch metric.value {
        case .string, .deferred:
            var predefined: [String: Value] = ["predefined_metric_type": metric.value]
            predefined["resource_label"] = form["resource_label"]?.value
            tracking["predefined_metric_specification"] = .map(predefined)
        default:
            let read = read(
                metric, as: LoweringResult.metricFields, of: "metric", stack: policy.declaration.address.stack,
                forms: "a name or a map")
            var customized: [String: Value] = [:]
            for field in LoweringResult.metricFields where field.name != "dimensions" {
                customized[field.name] = read[field.name]?.value
            }
            if let dimensions = read["dimensions"]?.entries {
                customized["metric_dimension"] = .list(
                    dimensions.map { ["name": .string($0.key), "value": $0.value.value] })
            }
            tracking["customized_metric_specification"] = .map(customized)
        }
        policy.set("target_tracking_configuration", .map(tracking), at: target.range)
    }

    // MARK: Alarms

    private mutating func lowerAlarm(
        _ form: LocatedValue, _ address: String, usualName: String, of policy: Draft, _ group: Draft,
        _ definition: Definition
    ) {
        var alarm = Draft("aws.cloudwatch_alarm", address, of: definition, at: form.range)
        let fleet = definition.remoteName.value
        let name =
            fleet.string.map { .string("\($0)-\(usualName)") }
            ?? Value.deferred(Deferred(.template([fleet.expression, .literal(.string("-\(usualName)"))])))
        alarm.set("alarm_name", form["name"]?.value ?? name, at: form["name"]?.range)
        alarm.set("metric_name", form["metric"])
        alarm.set("namespace", form["namespace"]?.value ?? "AWS/EC2", at: form["namespace"]?.range)
        alarm.set("statistic", form["statistic"]?.value ?? "Average", at: form["statistic"]?.range)
        alarm.set("period", form["period"]?.value ?? 60, at: form["period"]?.range)
        alarm.set("evaluation_periods", form["evaluation_periods"]?.value ?? 2, at: form["evaluation_periods"]?.range)
        alarm.set(
            "dimensions", form["dimensions"]?.value ?? .map(["AutoScalingGroupName": group.output("id")]),
            at: form["dimensions"]?.range)
        setThreshold(form, of: &alarm)
        ScalingPart.copyAlarm(to: &alarm, from: form)
        let actions = [policy.output("arn")] + (form["actions"]?.elements ?? []).map(\.value)
        alarm.set("alarm_actions", .list(actions), at: form["actions"]?.range)
        alarm.setTags(definition.body["tags"], inherited: definition.inheritedTags, &diagnostics)
        append(alarm)
    }

    private mutating func setThreshold(_ form: LocatedValue, of alarm: inout Draft) {
        let shorts = [("above", "GreaterThanOrEqualToThreshold"), ("below", "LessThanOrEqualToThreshold")]
        for (name, comparison) in shorts {
            guard let value = form[name] else { continue }
            alarm.set("threshold", value)
            alarm.set("comparison_operator", .string(comparison), at: value.range)
            if let other = form["comparison_operator"] { diagnostics.append(.comparedTwice(name, at: other.range)) }
        }
        guard let threshold = form["threshold"] else { return }
        alarm.set("threshold", threshold)
        if let comparison = form["comparison_operator"] {
            alarm.set("comparison_operator", comparison)
        } else {
            diagnostics.append(.notCompared(at: threshold.range))
        }
    }
}

extension Diagnostic {
    fileprivate static func whenIsMissing(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.schedule", summary: "The action has no time",
            detail: "The scheduled action \(name.quoted) has neither \"recurrence\" nor \"start_time\".", at: range,
            hint: "Write recurrence: \"0 7 * * 1-5\" for seven o'clock on working days.")
    }

    fileprivate static func sizeIsMissing(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.schedule", summary: "The action changes nothing",
            detail: "The scheduled action \(name.quoted) has none of min_size, max_size and desired_capacity.",
            at: range, hint: "Write what size the group has from then on.")
    }

    fileprivate static func metricIsMissing(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.missing-argument", summary: "Missing argument",
            detail: "A policy with \"target\" needs \"metric\": what is held there.", at: range,
            hint: "Write metric: ASGAverageCPUUtilization, or a map with metric_name and namespace.")
    }

    fileprivate static func alarmOfTarget(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.conflict", summary: "Arguments exclude each other",
            detail: "The policy \(name.quoted) holds a metric at a target: AWS makes its alarms.", at: range,
            hint: "Leave the alarm out, or write \"adjustment\" instead of \"target\".")
    }

    fileprivate static func comparedTwice(_ short: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.conflict", summary: "Arguments exclude each other",
            detail: "\(short.quoted) says already how values are compared.", at: range,
            hint: "Write \"threshold\" with \"comparison_operator\", or \(short.quoted) alone.")
    }

    fileprivate static func notCompared(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.missing-argument", summary: "Missing argument",
            detail: "\"threshold\" needs \"comparison_operator\".", at: range,
            hint: "Write \"above\" or \"below\" instead of \"threshold\".")
    }
}
