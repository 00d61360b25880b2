import AWSClient
import MusterModel
import ProviderKit

// The nested blocks of an autoscaling group.

extension AutoscalingGroup {
    struct LaunchTemplateChoice: WireBlock {
        var id: String?
        var name: String?
        var version: String?

        static let wire: [WireField<Self>] = [
            .string(
                "id", \.id, "LaunchTemplateId", told: .same, absence: .unmanaged, reference: .launchTemplate,
                constraints: [.conflictsWith(["name"])], "The template, by id."),
            .string("name", \.name, "LaunchTemplateName", told: .same, absence: .unmanaged, "The template, by name."),
            .string(
                "version", \.version, "Version", told: .same, absence: .means("$Default"),
                "A number, `$Latest` or `$Default`. Only a number moves the group with the template as a planned change: "
                    + "`${aws.launch_template.NAME.latest_version}`."),
        ]

        /// A number, so that a group can be rolled back from it and to it.
        var isPinned: Bool {
            guard let version = version.filled else { return false }
            return version.utf8.allSatisfy { (48...57).contains($0) }
        }

        func names(_ other: LaunchTemplateChoice?) -> Bool {
            guard let other else { return false }
            let isSame = id.filled != nil ? id == other.id : name == other.name
            return isSame && version.filled ?? "$Default" == other.version.filled ?? "$Default"
        }
    }

    struct MixedInstancesPolicy: WireBlock {
        var distribution: Distribution?
        var launchTemplate: MixedLaunchTemplate?

        static let wire: [WireField<Self>] = [
            .block(
                "launch_template", \.launchTemplate, "LaunchTemplate", told: .same,
                "The template, and what some instances have instead."),
            .block(
                "instances_distribution", \.distribution, "InstancesDistribution", told: .same, absence: .unmanaged,
                "How much of it are spot instances."),
        ]
    }

    /// AWS tells its defaults, so that members that are left out are not compared.
    struct Distribution: WireBlock {
        var onDemandStrategy: String?
        var onDemandBase: Int?
        var onDemandPercentage: Int?
        var spotStrategy: String?
        var spotPools: Int?
        var spotMaximumPrice: String?

        static let wire: [WireField<Self>] = [
            .string(
                "on_demand_allocation_strategy", \.onDemandStrategy, "OnDemandAllocationStrategy", told: .same,
                absence: .unmanaged, constraints: [.allowed(["prioritized", "lowest-price"])],
                "Which types on-demand instances have."),
            .integer(
                "on_demand_base_capacity", \.onDemandBase, "OnDemandBaseCapacity", told: .same, absence: .unmanaged,
                "How many are on-demand before any is spot."),
            .integer(
                "on_demand_percentage_above_base_capacity", \.onDemandPercentage, "OnDemandPercentageAboveBaseCapacity",
                told: .same, absence: .unmanaged, constraints: [.range(0, 100)],
                "How many per cent of the rest are on-demand."),
            .string(
                "spot_allocation_strategy", \.spotStrategy, "SpotAllocationStrategy", told: .same, absence: .unmanaged,
                constraints: [
                    .allowed([
                        "lowest-price", "capacity-optimized", "capacity-optimized-prioritized",
                        "price-capacity-optimized",
                    ])
                ], "Which types spot instances have."),
            .integer(
                "spot_instance_pools", \.spotPools, "SpotInstancePools", told: .same, absence: .unmanaged,
                "Over how many types spot instances are spread, for `lowest-price`."),
            .string(
                "spot_max_price", \.spotMaximumPrice, "SpotMaxPrice", told: .same, absence: .unmanaged,
                "The most to pay an hour, in dollars."),
        ]
    }

    struct MixedLaunchTemplate: WireBlock {
        var specification: TemplateSpecification?
        var overrides: [Override]?

        static let wire: [WireField<Self>] = [
            .block(
                "launch_template_specification", \.specification, "LaunchTemplateSpecification", told: .same,
                "The template."),
            .blocks(
                "override", \.overrides, "Overrides", told: .same, isOrdered: true,
                "Other types, in the order of preference."),
        ]
    }

    struct TemplateSpecification: WireBlock {
        var id: String?
        var name: String?
        var version: String?

        static let wire: [WireField<Self>] = [
            .string(
                "launch_template_id", \.id, "LaunchTemplateId", told: .same, absence: .unmanaged,
                reference: .launchTemplate, constraints: [.conflictsWith(["launch_template_name"])],
                "The template, by id."),
            .string(
                "launch_template_name", \.name, "LaunchTemplateName", told: .same, absence: .unmanaged,
                "The template, by name."),
            .string(
                "version", \.version, "Version", told: .same, absence: .means("$Default"),
                "A number, `$Latest` or `$Default`."),
        ]

        var choice: LaunchTemplateChoice { LaunchTemplateChoice(id: id, name: name, version: version) }
    }

    struct Override: WireBlock {
        var instanceType: String?
        var specification: TemplateSpecification?
        var weight: String?

        static let wire: [WireField<Self>] = [
            .string("instance_type", \.instanceType, "InstanceType", told: .same, "The type."),
            .block(
                "launch_template_specification", \.specification, "LaunchTemplateSpecification", told: .same,
                "A template of its own."),
            .string(
                "weighted_capacity", \.weight, "WeightedCapacity", told: .same,
                constraints: [.pattern("[0-9]+", "a number")],
                "How much of the capacity one of them is."),
        ]
    }

    struct MaintenancePolicy: WireBlock {
        var minimum: Int?
        var maximum: Int?

        static let wire: [WireField<Self>] = [
            .integer(
                "min_healthy_percentage", \.minimum, "MinHealthyPercentage", told: .same, constraints: [.range(0, 100)],
                "How many per cent of the desired capacity stay in service while instances are replaced."),
            .integer(
                "max_healthy_percentage", \.maximum, "MaxHealthyPercentage", told: .same,
                constraints: [.range(100, 200)],
                "How many there may be meanwhile."),
        ]
    }

    struct ZoneDistribution: WireBlock {
        var strategy: String?
        static let wire: [WireField<Self>] = [
            .string(
                "capacity_distribution_strategy", \.strategy, "CapacityDistributionStrategy", told: .same,
                constraints: [.allowed(["balanced-only", "balanced-best-effort"])],
                "What is done where a zone has no room.")
        ]
    }

    struct CapacityReservation: WireBlock {
        var preference: String?
        var target: Target?

        struct Target: WireBlock {
            var ids: [String]?
            var groupARNs: [String]?

            static let wire: [WireField<Self>] = [
                .strings(
                    "capacity_reservation_ids", \.ids, "CapacityReservationIds", told: .same, "The reservations."),
                .strings(
                    "capacity_reservation_resource_group_arns", \.groupARNs, "CapacityReservationResourceGroupArns",
                    told: .same, "The groups of reservations."),
            ]
        }

        static let wire: [WireField<Self>] = [
            .string(
                "capacity_reservation_preference", \.preference, "CapacityReservationPreference", told: .same,
                constraints: [
                    .allowed(["capacity-reservations-only", "capacity-reservations-first", "none", "default"])
                ],
                "Whether reserved capacity is used."),
            .block("capacity_reservation_target", \.target, "CapacityReservationTarget", told: .same, "Which one."),
        ]
    }

    struct WarmPool: WireBlock {
        var state: String?
        var minimum: Int?
        var maximumPrepared: Int?
        var reuse: Reuse?

        struct Reuse: WireBlock {
            var isReused: Bool?
            static let wire: [WireField<Self>] = [
                .boolean(
                    "reuse_on_scale_in", \.isReused, "ReuseOnScaleIn", told: .same, absence: .means(false),
                    "Whether instances go back to the pool when the group gets smaller.")
            ]
        }

        static let wire: [WireField<Self>] = [
            WireField(
                field: .argument(
                    "pool_state", \.state, isRequired: true,
                    constraints: [.allowed(["Stopped", "Running", "Hibernated"])],
                    "What waiting instances do."),
                name: "PoolState", encode: { .nonEmpty($0.state) }, decode: { $1.state = $0["PoolState"].text }),
            .integer("min_size", \.minimum, "MinSize", told: .same, absence: .means(0), "How many wait at least."),
            .integer(
                "max_group_prepared_capacity", \.maximumPrepared, "MaxGroupPreparedCapacity", told: .same,
                absence: .means(-1), "How many instances there are with those in service; -1: as many as `max_size`."),
            .block(
                "instance_reuse_policy", \.reuse, "InstanceReusePolicy", told: .same,
                absence: .means(["reuse_on_scale_in": false]), "What becomes of used instances."),
        ]

        /// Of everything that has a default, so that what is left out is reset.
        var input: AWSInput {
            [
                "PoolState": .nonEmpty(state), "MinSize": .integer(minimum ?? 0),
                "MaxGroupPreparedCapacity": .integer(maximumPrepared ?? -1),
                "InstanceReusePolicy": ["ReuseOnScaleIn": .boolean(reuse?.isReused ?? false)],
            ]
        }
    }

    struct InitialHook: WireBlock {
        var name: String?
        var transition: String?
        var defaultResult: String?
        var heartbeatTimeout: Int?
        var metadata: String?
        var targetARN: String?
        var roleARN: String?

        static let wire: [WireField<Self>] = [
            .string("name", \.name, "LifecycleHookName", told: .same, "The name."),
            .string(
                "lifecycle_transition", \.transition, "LifecycleTransition", told: .same,
                constraints: [.allowed(LifecycleHook.transitions)], "When it is called."),
            .string(
                "default_result", \.defaultResult, "DefaultResult", told: .same,
                constraints: [.allowed(["CONTINUE", "ABANDON"])], "What happens when nobody answers."),
            .integer("heartbeat_timeout", \.heartbeatTimeout, "HeartbeatTimeout", told: .same, "Seconds to answer in."),
            .string(
                "notification_metadata", \.metadata, "NotificationMetadata", told: .same,
                "What is told with the notice."),
            .string(
                "notification_target_arn", \.targetARN, "NotificationTargetARN", told: .same,
                "The queue or topic to tell."),
            .string("role_arn", \.roleARN, "RoleARN", told: .same, "The role that may tell it."),
        ]
    }

    struct TagChoice: ArgumentBlock {
        var key = ""
        var value: String?
        var isPropagated: Bool?

        static let fields: [Field<Self>] = [
            .required("key", \.key, constraints: [.length(1, 128)], "The key."),
            .argument("value", \.value, absence: .means(""), constraints: [.length(0, 256)], "The value."),
            .argument(
                "propagate_at_launch", \.isPropagated, absence: .means(true), "Whether new instances get it too."),
        ]
    }

    /// How the fleet is renewed when its launch changes.
    struct RefreshChoice: ArgumentBlock {
        var strategy: String?
        var triggers: [String]?
        var preferences: RefreshPreferences?

        static let fields: [Field<Self>] = [
            .argument(
                "strategy", \.strategy, absence: .means("Rolling"),
                constraints: [.allowed(["Rolling", "ReplaceRootVolume"])], "How instances are replaced."),
            .argument(
                "triggers", \.triggers, type: .set(.string), absence: .means(.list([])),
                "Other arguments of the group whose change renews the fleet too, such as `tags`."),
            .argument("preferences", \.preferences, "How fast, and what to do with what is in the way."),
        ]
    }

    struct RefreshPreferences: WireBlock {
        var alarms: AlarmChoice?
        var rollsBack: Bool?
        var bakeTime: Int?
        var checkpointDelay: Int?
        var checkpoints: [String]?
        var warmup: Int?
        var maximumHealthy: Int?
        var minimumHealthy: Int?
        var scaleInProtected: String?
        var skipsMatching: Bool?
        var standby: String?

        struct AlarmChoice: WireBlock {
            var alarms: [String]?
            static let wire: [WireField<Self>] = [
                .strings(
                    "alarms", \.alarms, "Alarms", told: .same, reference: .metricAlarm, "The alarms, by name.")
            ]
        }

        static let wire: [WireField<Self>] = [
            .block(
                "alarm_specification", \.alarms, "AlarmSpecification", told: .same, "Alarms that make the refresh fail."
            ),
            .boolean(
                "auto_rollback", \.rollsBack, "AutoRollback", told: .same, absence: .means(true),
                "Whether a refresh that fails goes back to the launch before. Groups whose launch is no pinned version of "
                    + "a launch template cannot."),
            .integer(
                "bake_time", \.bakeTime, "BakeTime", told: .same, constraints: [.range(0, 172_800)],
                "Seconds to wait at the end before the refresh counts as done."),
            .integer(
                "checkpoint_delay", \.checkpointDelay, "CheckpointDelay", told: .same,
                constraints: [.range(0, 172_800)],
                "Seconds to wait at each checkpoint."),
            .strings(
                "checkpoint_percentages", \.checkpoints, "CheckpointPercentages", told: .same, isOrdered: true,
                "At how many per cent to wait, ascending."),
            .integer(
                "instance_warmup", \.warmup, "InstanceWarmup", told: .same, constraints: [.range(0, 86_400)],
                "Seconds until a new instance counts."),
            .integer(
                "max_healthy_percentage", \.maximumHealthy, "MaxHealthyPercentage", told: .same,
                constraints: [.range(100, 200)], "How many per cent there may be meanwhile."),
            .integer(
                "min_healthy_percentage", \.minimumHealthy, "MinHealthyPercentage", told: .same,
                constraints: [.range(0, 100)],
                "How many per cent stay in service; AWS's default is 90."),
            .string(
                "scale_in_protected_instances", \.scaleInProtected, "ScaleInProtectedInstances", told: .same,
                constraints: [.allowed(["Refresh", "Ignore", "Wait"])], "What is done with protected instances."),
            .boolean(
                "skip_matching", \.skipsMatching, "SkipMatching", told: .same,
                "Whether instances that are as wanted already are left alone."),
            .string(
                "standby_instances", \.standby, "StandbyInstances", told: .same,
                constraints: [.allowed(["Terminate", "Ignore", "Wait"])], "What is done with those in standby."),
        ]
    }
}
