import Diagnostics
import MusterModel

/// `autoscaling_groups`: a fleet with its launch, its scaling and its hooks.
///
/// `launch` makes a launch template, whose newest version the group pins: a change of it is a new version, which the
/// group is then given, and with `instance_refresh` the whole fleet. Policies and scheduled actions of a group are its
/// own: foreign ones are drift. So are hooks once `lifecycle_hooks` is written; AWS lists those one group at a time.
enum AutoscalingGroupsSection: Section {
    static let schema = SectionSchema(
        name: "autoscaling_groups", summary: "A fleet: as many instances as are needed, alike.",
        fields: sizes + launches + verbatim + [
            ArgumentSchema(
                "subnets", .list(.string), isRequired: true, reference: .subnet, constraints: [.count(1, 64)],
                "The subnets in which instances stand."),
            ArgumentSchema(
                "target_groups", .list(.string), reference: .targetGroup, "The target groups that instances join."),
            ArgumentSchema(
                "scaling_policies", .map(.object(ScalingPart.policyFields)),
                "All scaling policies of the group, by name, with the alarms that set them off."),
            ArgumentSchema(
                "schedule", .map(.object(ScalingPart.actionFields)), "All scheduled actions of the group, by name."),
            ArgumentSchema(
                "lifecycle_hooks", .map(.object(ScalingPart.hookFields)),
                "All lifecycle hooks of the group, by name; the first instances meet them too."),
            ArgumentSchema(
                "instance_refresh", .anything,
                "true, or a map: another launch renews the whole fleet, and that is waited for. Without it only new "
                    + "instances have the new launch."),
            SectionFields.name("The name of the group and of its launch template; the key if it is left out."),
            SectionFields.tags("the group and of its instances"),
            UserDataFields.rancherAgent, UserDataFields.rancherOS, UserDataFields.swarmNode,
        ],
        principalTypes: ["aws.autoscaling_group", "aws.launch_template"],
        example: """
            autoscaling_groups:
              prod-rancher-celery:
                min_size: 5
                max_size: 25
                desired_capacity: { initial: 5 }
                subnets: [prod-a]
                launch:
                  ami: ami-0f8bce65
                  instance_type: m5.xlarge
                  key_name: operator
                  iam_instance_profile: prod-rancher-celery
                  security_groups: [prod-rancher]
                  root_volume: { device_name: /dev/sda1, size: 40, type: gp3 }
                instance_refresh: { min_healthy_percentage: 80, instance_warmup: 60 }
                scaling_policies:
                  up: { adjustment: 2, cooldown: 300, alarm: { metric: CPUUtilization, above: 70 } }
                  down: { adjustment: -1, alarm: { metric: CPUUtilization, below: 20, evaluation_periods: 10 } }
                schedule:
                  morning: { recurrence: "0 7 * * 1-5", min_size: 8, time_zone: Europe/Berlin }
                lifecycle_hooks:
                  leave: { transition: terminating, heartbeat_timeout: 300, default_result: CONTINUE }
                tags: { Usage: celery }
            """)

    private static let sizes: [ArgumentSchema] = [
        ArgumentSchema(
            "min_size", .integer, isRequired: true, constraints: [.range(0, 10_000)], "The fewest instances."),
        ArgumentSchema("max_size", .integer, isRequired: true, constraints: [.range(0, 10_000)], "The most instances."),
        ArgumentSchema(
            "desired_capacity", .anything,
            "How many instances there should be: a number is held; `{ initial: 5 }` is where the group begins, and "
                + "scaling owns it afterwards. Left out, it begins with `min_size`."),
    ]

    private static let launches: [ArgumentSchema] = [
        ArgumentSchema(
            "launch", .object(LaunchPart.fields),
            constraints: [.exactlyOne(["launch", "launch_template", "launch_configuration"])],
            "What instances are like: makes a launch template."),
        ArgumentSchema(
            "launch_template",
            .object([
                ArgumentSchema("id", .string, reference: .launchTemplate, "The template."),
                ArgumentSchema("name", .string, "The template, by its name in AWS."),
                ArgumentSchema("version", .string, "A number, `$Latest` or `$Default`."),
            ]), "A launch template that is declared elsewhere."),
        ArgumentSchema(
            "launch_configuration", .string, reference: .launchConfiguration,
            "A launch configuration, for accounts that still have them."),
        ArgumentSchema(
            "mixed_instances",
            .object([
                ArgumentSchema(
                    "override",
                    .list(
                        .object([
                            ArgumentSchema("instance_type", .string, isRequired: true, "The type."),
                            ArgumentSchema(
                                "weighted_capacity", .string, "How much of the capacity one of them is."),
                        ])), "Other types, in the order of preference."),
                ArgumentSchema("on_demand_allocation_strategy", .string, "Which types on-demand instances have."),
                ArgumentSchema("on_demand_base_capacity", .integer, "How many are on-demand before any is spot."),
                ArgumentSchema(
                    "on_demand_percentage_above_base_capacity", .integer, constraints: [.range(0, 100)],
                    "How many per cent of the rest are on-demand."),
                ArgumentSchema("spot_allocation_strategy", .string, "Which types spot instances have."),
                ArgumentSchema("spot_instance_pools", .integer, "Over how many types spot instances are spread."),
                ArgumentSchema("spot_max_price", .string, "The most to pay an hour, in dollars."),
            ]), constraints: [.conflictsWith(["launch_template", "launch_configuration"])],
            "Several types, on-demand and spot, of what `launch` says."),
    ]

    /// The arguments of `aws.autoscaling_group` that are written as they are.
    static let verbatim: [ArgumentSchema] = [
        ArgumentSchema("health_check_type", .string, "EC2, or ELB for what the target groups find."),
        ArgumentSchema(
            "health_check_grace_period", .integer, constraints: [.range(0, 7200)],
            "Seconds in which a new instance is not judged."),
        ArgumentSchema(
            "default_cooldown", .integer, constraints: [.range(0, 86_400)], "Seconds between two simple scalings."),
        ArgumentSchema(
            "default_instance_warmup", .integer, constraints: [.range(-1, 86_400)],
            "Seconds until a new instance counts; -1 for none."),
        ArgumentSchema(
            "max_instance_lifetime", .integer, "Seconds after which an instance is replaced; 0 for never."),
        ArgumentSchema(
            "termination_policies", .list(.string), "Which instances go first when the group gets smaller, in order."),
        ArgumentSchema(
            "suspended_processes", .set(.string),
            constraints: [
                .allowed([
                    "Launch", "Terminate", "AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck",
                    "InstanceRefresh", "ReplaceUnhealthy", "ScheduledActions",
                ])
            ], "What the group does not do for now."),
        ArgumentSchema("enabled_metrics", .set(.string), "The metrics that the group writes every minute."),
        ArgumentSchema(
            "capacity_rebalance", .boolean, "Whether spot instances are replaced before AWS takes them back."),
        ArgumentSchema(
            "protect_from_scale_in", .boolean, "Whether new instances are protected when the group gets smaller."),
        ArgumentSchema("placement_group", .string, "The placement group."),
        ArgumentSchema("service_linked_role_arn", .string, "The role with which AWS launches instances."),
        ArgumentSchema(
            "instance_maintenance_policy",
            .object([
                ArgumentSchema(
                    "min_healthy_percentage", .integer, constraints: [.range(0, 100)],
                    "How many per cent stay in service."),
                ArgumentSchema(
                    "max_healthy_percentage", .integer, constraints: [.range(100, 200)],
                    "How many there may be meanwhile."),
            ]), "How many are in service while AWS replaces instances."),
        ArgumentSchema(
            "warm_pool",
            .object([
                ArgumentSchema(
                    "pool_state", .string, isRequired: true,
                    constraints: [.allowed(["Stopped", "Running", "Hibernated"])], "What waiting instances do."),
                ArgumentSchema("min_size", .integer, "How many wait at least."),
                ArgumentSchema(
                    "max_group_prepared_capacity", .integer, "How many instances there are with those in service."),
                ArgumentSchema(
                    "instance_reuse_policy",
                    .object([ArgumentSchema("reuse_on_scale_in", .boolean, "Whether instances go back to the pool.")]),
                    "What becomes of used instances."),
            ]), "Instances that wait, so that scaling out is quick."),
        ArgumentSchema(
            "wait_for_capacity", .boolean, "Whether the group counts as ready only when all instances are in service."),
        ArgumentSchema(
            "force_delete", .boolean, "Whether deleting the group ends its instances at once; else it runs empty first."
        ),
        ArgumentSchema(
            "force_delete_warm_pool", .boolean, "Whether deleting the warm pool ends its instances at once."),
        ArgumentSchema(
            "tag",
            .set(
                .object([
                    ArgumentSchema("key", .string, isRequired: true, "The key."),
                    ArgumentSchema("value", .string, "The value."),
                    ArgumentSchema("propagate_at_launch", .boolean, "Whether new instances get it too."),
                ]), key: "key"), "Single tags, over those of `tags`, with a choice whether instances get them."),
    ]

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        let body = definition.body
        var result = LoweringResult()
        var group = Draft(
            principal: "aws.autoscaling_group", of: definition,
            renamed: [
                "subnets": "vpc_zone_identifier", "target_groups": "target_group_arns", "launch": "launch_template",
                "mixed_instances": "mixed_instances_policy",
            ])
        group.set("name", definition.remoteName.value, at: body["name"]?.range)
        group.copy(Array(sizes.prefix(2)) + verbatim, from: body)
        group.set("vpc_zone_identifier", body["subnets"])
        group.set("target_group_arns", body["target_groups"])
        group.set("launch_template", body["launch_template"])
        group.set("launch_configuration", body["launch_configuration"])
        result.setCapacity(body["desired_capacity"], isScaled: body["scaling_policies"] != nil, of: &group)
        result.setRefresh(body["instance_refresh"], of: &group, stack: definition.stack)
        if let launch = body["launch"] {
            let template = result.lowerLaunch(launch, definition, region: region)
            LaunchPart.pin(template, body["mixed_instances"], in: &group, at: launch.range)
        }
        result.checkForms(definition)
        group.setTags(
            body["tags"], name: definition.nameTag, inherited: definition.inheritedTags, &result.diagnostics)
        group.declaration.exclusiveChildren = ["aws.scaling_policy", "aws.scheduled_action"]
        if let hooks = body["lifecycle_hooks"] {
            group.declaration.exclusiveChildren.append("aws.lifecycle_hook")
            group.set("initial_lifecycle_hook", ScalingPart.initialHooks(hooks), at: hooks.range)
        }
        result.append(group)
        result.lowerScaling(of: group, definition)
        return result
    }
}

extension LoweringResult {
    /// The forms of a fleet render the user data of its launch.
    mutating func checkForms(_ definition: Definition) {
        let body = definition.body
        for name in UserDataFields.forms {
            guard let form = body[name] else { continue }
            guard let launch = body["launch"] else {
                diagnostics.append(.formWithoutLaunch(name, at: form.range))
                continue
            }
            for plain in ["user_data", "user_data_base64"] {
                if let field = launch[plain] {
                    diagnostics.append(.formAndUserData(name, form.range, plain, at: field.range))
                }
            }
        }
    }

    private static let capacityFields = [
        ArgumentSchema(
            "initial", .integer, isRequired: true, constraints: [.range(0, 10_000)], "How many to begin with.")
    ]

    /// A number is the user's; `{ initial: 5 }` belongs to the moment of creation.
    fileprivate mutating func setCapacity(_ field: LocatedValue?, isScaled: Bool, of group: inout Draft) {
        guard let field else { return }
        switch field.value {
        case .integer(let number):
            guard (0...10_000).contains(number) else {
                diagnostics.append(.wrongForm("desired_capacity", "a number from 0 to 10000", field))
                return
            }
            if isScaled { diagnostics.append(.capacityIsFixed(number, at: field.range)) }
            group.set("desired_capacity", field)
        case .deferred: group.set("desired_capacity", field)
        default:
            let form = read(
                field, as: LoweringResult.capacityFields, of: "desired_capacity",
                stack: group.declaration.address.stack, forms: "a number, or a map with \"initial\"")
            guard let initial = form["initial"] else { return }
            group.set("desired_capacity", initial)
            group.declaration.initialArguments.insert("desired_capacity")
        }
    }

    private static let preferenceFields: [ArgumentSchema] = [
        ArgumentSchema(
            "min_healthy_percentage", .integer, constraints: [.range(0, 100)], "How many per cent stay in service."),
        ArgumentSchema(
            "max_healthy_percentage", .integer, constraints: [.range(100, 200)], "How many there may be meanwhile."),
        ArgumentSchema("instance_warmup", .integer, "Seconds until a new instance counts."),
        ArgumentSchema("auto_rollback", .boolean, "Whether a refresh that fails goes back; true if left out."),
        ArgumentSchema("skip_matching", .boolean, "Whether instances that are as wanted already are left alone."),
        ArgumentSchema("bake_time", .integer, "Seconds to wait at the end."),
        ArgumentSchema("checkpoint_percentages", .list(.string), "At how many per cent to wait."),
        ArgumentSchema("checkpoint_delay", .integer, "Seconds to wait at each checkpoint."),
        ArgumentSchema(
            "scale_in_protected_instances", .string, constraints: [.allowed(["Refresh", "Ignore", "Wait"])],
            "What is done with protected instances."),
        ArgumentSchema(
            "standby_instances", .string, constraints: [.allowed(["Terminate", "Ignore", "Wait"])],
            "What is done with those in standby."),
    ]
    private static let refreshFields: [ArgumentSchema] =
        preferenceFields + [
            ArgumentSchema(
                "strategy", .string, constraints: [.allowed(["Rolling", "ReplaceRootVolume"])],
                "How instances are replaced."),
            ArgumentSchema("triggers", .list(.string), "Other arguments whose change renews the fleet too."),
            ArgumentSchema("alarms", .list(.string), reference: .metricAlarm, "Alarms that make the refresh fail."),
        ]

    fileprivate mutating func setRefresh(_ field: LocatedValue?, of group: inout Draft, stack: String) {
        guard let field, field.value != .bool(false) else { return }
        if field.value == .bool(true) {
            group.set("instance_refresh", .map([:]), at: field.range)
            return
        }
        let form = read(
            field, as: LoweringResult.refreshFields, of: "instance_refresh", stack: stack, forms: "true, false or a map"
        )
        var preferences: [String: Value] = [:]
        for name in LoweringResult.preferenceFields.map(\.name) { preferences[name] = form[name]?.value }
        if let alarms = form["alarms"] { preferences["alarm_specification"] = ["alarms": alarms.value] }
        var refresh: [String: Value] = preferences.isEmpty ? [:] : ["preferences": .map(preferences)]
        for name in ["strategy", "triggers"] { refresh[name] = form[name]?.value }
        group.set("instance_refresh", .map(refresh), at: field.range)
    }
}

extension Diagnostic {
    fileprivate static func formWithoutLaunch(_ field: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.form-without-launch", summary: "No launch to render it for",
            detail: "\(field.quoted) says what the machines are given to run, which only \"launch\" can hold.",
            at: range,
            hint: "Write \"launch\" in place of a template or a configuration that is declared elsewhere.")
    }

    fileprivate static func formAndUserData(
        _ form: String, _ formRange: SourceRange, _ plain: String, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.conflict", summary: "Arguments exclude each other",
            detail: "\(plain.quoted) of \"launch\" cannot be set together with \(form.quoted), which renders it.",
            at: range, related: [.init(range: formRange, message: "the other is here")], hint: "Remove one of them.")
    }

    fileprivate static func capacityIsFixed(_ number: Int, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .warning, code: "spec.fixed-capacity", summary: "The capacity is fixed",
            detail: "\"desired_capacity\" is \(number), so that each apply undoes what the scaling policies did.",
            at: range, hint: "Write { initial: \(number) }, and scaling owns it afterwards.")
    }
}
