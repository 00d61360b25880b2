import AWSClient
import MusterModel
import ProviderKit

// The arguments of an autoscaling group, in the groups of the reference page, and the calls that carry them.

extension AutoscalingGroup {
    struct Arguments: ArgumentBlock {
        var name = ""
        var minimum = 0
        var maximum = 0
        var desired: Int?
        var desiredType: String?
        var launchTemplate: LaunchTemplateChoice?
        var launchConfiguration: String?
        var mixedInstancesPolicy: MixedInstancesPolicy?
        var subnetIDs: [String]?
        var availabilityZones: [String]?
        var targetGroupARNs: [String]?
        var healthCheckType: String?
        var healthCheckGracePeriod: Int?
        var cooldown: Int?
        var warmup: Int?
        var maximumLifetime: Int?
        var terminationPolicies: [String]?
        var suspendedProcesses: [String]?
        var enabledMetrics: [String]?
        var isRebalanced: Bool?
        var isProtectedFromScaleIn: Bool?
        var placementGroup: String?
        var serviceLinkedRoleARN: String?
        var maintenancePolicy: MaintenancePolicy?
        var zoneDistribution: ZoneDistribution?
        var capacityReservation: CapacityReservation?
        var warmPool: WarmPool?
        var initialHooks: [InitialHook]?
        var refresh: RefreshChoice?
        var waitsForCapacity: Bool?
        var isForceDeleted: Bool?
        var isWarmPoolForceDeleted: Bool?
        var tagChoices: [TagChoice]?
        var tags: [String: String]?

        static let fields: [Field<Self>] = sizeFields + launchFields + behaviorFields + endFields

        private static let launches = ["launch_template", "launch_configuration", "mixed_instances_policy"]

        private static let sizeFields: [Field<Self>] = [
            .required(
                "name", \.name, onChange: .replace,
                constraints: [.length(1, 255), .pattern("[!-9;-~]+", "printable, without blanks and colons")],
                "The name, unique in the account and region."),
            .required("min_size", \.minimum, constraints: [.range(0, 10_000)], "The fewest instances."),
            .required("max_size", \.maximum, constraints: [.range(0, 10_000)], "The most instances."),
            .argument(
                "desired_capacity", \.desired, constraints: [.range(0, 10_000)],
                "How many instances there should be. A number is held: whoever scales is overruled. Left out, AWS begins "
                    + "with `min_size`, and scaling owns it."),
            .argument(
                "desired_capacity_type", \.desiredType, constraints: [.allowed(["units", "vcpu", "memory-mib"])],
                "What is counted, where types are chosen by what they have."),
            .argument(
                "vpc_zone_identifier", \.subnetIDs, type: .set(.string), reference: .subnet, holds: true,
                "The subnets in which instances stand."),
            .argument(
                "availability_zones", \.availabilityZones, type: .set(.string),
                constraints: [.conflictsWith(["vpc_zone_identifier"])],
                "The zones, for the default subnets of the default VPC."),
            .argument(
                "availability_zone_distribution", \.zoneDistribution, "How instances are spread over the zones."),
        ]

        private static let launchFields: [Field<Self>] = [
            .argument(
                "launch_template", \.launchTemplate, absence: .means(.null), constraints: [.exactlyOne(launches)],
                "The launch template that says what instances are like."),
            .argument(
                "launch_configuration", \.launchConfiguration, absence: .means(""), reference: .launchConfiguration,
                "The launch configuration, for accounts that still have them."),
            .argument(
                "mixed_instances_policy", \.mixedInstancesPolicy, absence: .means(.null),
                "Several types, on-demand and spot."),
            .argument(
                "instance_refresh", \.refresh, onChange: .local,
                "Renews the fleet when its launch changes, and waits until that is done. Without it only new instances "
                    + "have the new launch. `instance_refresh: {}` takes AWS's preferences, and rolls back on failure."),
            .argument(
                "initial_lifecycle_hook", \.initialHooks, type: .set(InitialHook.valueType, key: "name"),
                onChange: .creationOnly, isReadable: false,
                "Hooks that the very first instances meet. Afterwards hooks are `aws.lifecycle_hook`."),
            .argument(
                "capacity_reservation_specification", \.capacityReservation, absence: .unmanaged,
                "Whether reserved capacity is used."),
            .argument(
                "warm_pool", \.warmPool, absence: .means(.null), isSetAfterCreate: true,
                "Instances that wait, so that scaling out is quick."),
        ]

        private static let behaviorFields: [Field<Self>] = [
            .argument(
                "target_group_arns", \.targetGroupARNs, type: .set(.string), absence: .means(.list([])),
                reference: .targetGroup, "The target groups that instances join."),
            .argument(
                "health_check_type", \.healthCheckType, absence: .means("EC2"),
                "`EC2`, or `ELB` for what the target groups find; several with commas."),
            .argument(
                "health_check_grace_period", \.healthCheckGracePeriod,
                constraints: [.range(0, 7200)], "Seconds in which a new instance is not judged."),
            .argument(
                "default_cooldown", \.cooldown, absence: .means(300), constraints: [.range(0, 86_400)],
                "Seconds between two simple scalings."),
            .argument(
                "default_instance_warmup", \.warmup, absence: .means(-1), constraints: [.range(-1, 86_400)],
                "Seconds until a new instance counts; -1 for none."),
            .argument(
                "max_instance_lifetime", \.maximumLifetime, absence: .means(0),
                "Seconds after which an instance is replaced, at least a day; 0 for never."),
            .argument(
                "termination_policies", \.terminationPolicies, absence: .means(["Default"]),
                "Which instances go first when the group gets smaller, in order."),
            .argument(
                "suspended_processes", \.suspendedProcesses, type: .set(.string), absence: .means(.list([])),
                constraints: [
                    .allowed([
                        "Launch", "Terminate", "AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck",
                        "InstanceRefresh", "ReplaceUnhealthy", "ScheduledActions",
                    ])
                ], isSetAfterCreate: true, "What the group does not do for now."),
            .argument(
                "enabled_metrics", \.enabledMetrics, type: .set(.string), absence: .means(.list([])),
                isSetAfterCreate: true, "The metrics that the group writes every minute."),
            .argument(
                "capacity_rebalance", \.isRebalanced, absence: .means(false),
                "Whether spot instances are replaced before AWS takes them back."),
            .argument(
                "protect_from_scale_in", \.isProtectedFromScaleIn, absence: .means(false),
                "Whether new instances are protected when the group gets smaller."),
            .argument("placement_group", \.placementGroup, absence: .means(""), "The placement group."),
            .argument("service_linked_role_arn", \.serviceLinkedRoleARN, "The role with which AWS launches instances."),
            .argument(
                "instance_maintenance_policy", \.maintenancePolicy, absence: .means(.null),
                "How many are in service while AWS replaces instances."),
        ]

        private static let endFields: [Field<Self>] = [
            .argument(
                "wait_for_capacity", \.waitsForCapacity, absence: .means(true), onChange: .local,
                "Whether the group counts as ready only when all instances are in service."),
            .argument(
                "force_delete", \.isForceDeleted, absence: .means(false), onChange: .local,
                "Whether deleting the group ends its instances at once. Else it runs empty first, hooks included."),
            .argument(
                "force_delete_warm_pool", \.isWarmPoolForceDeleted, absence: .means(false), onChange: .local,
                "Whether deleting the warm pool ends its instances at once."),
            .argument(
                "tag", \.tagChoices, type: .set(TagChoice.valueType, key: "key"), absence: .means(.list([])),
                "Single tags, over those of `tags`, with a choice whether instances get them."),
            .tags(\.tags),
        ]

        // MARK: What they mean

        /// By key: `tags` are handed on to instances, `tag` says so for each.
        var allTags: [String: GroupTag] {
            var all = (tags ?? [:]).mapValues { GroupTag(value: $0, isPropagated: true) }
            for choice in tagChoices ?? [] {
                all[choice.key] = GroupTag(value: choice.value ?? "", isPropagated: choice.isPropagated ?? true)
            }
            return all
        }

        static let launchNames: Set<String> = Set(launches)

        /// The launch as a call names it; exactly one member.
        func addLaunch(to input: inout AWSInput) {
            if let policy = mixedInstancesPolicy, policy.launchTemplate?.specification != nil {
                input["MixedInstancesPolicy"] = policy.input
            } else if let name = launchConfiguration.filled {
                input["LaunchConfigurationName"] = .string(name)
            } else if let choice = launchTemplate {
                var named = choice
                // AWS wants one of the two.
                if named.id.filled != nil { named.name = nil }
                named.version = named.version.filled ?? "$Default"
                input["LaunchTemplate"] = named.input
            }
        }

        /// A version by its number, in the form of a refresh's desired configuration; nil where there is none.
        var pinnedLaunch: AWSInput? {
            var input: AWSInput = [:]
            addLaunch(to: &input)
            let choice = mixedInstancesPolicy?.launchTemplate?.specification?.choice ?? launchTemplate
            guard launchConfiguration.filled == nil, let choice, choice.isPinned else { return nil }
            return input
        }

        /// The members of `CreateAutoScalingGroup` and `UpdateAutoScalingGroup` that say the same there; all that are
        /// set, or with `changedFrom` those that differ. True when there are any.
        @discardableResult
        func addFields(to input: inout AWSInput, changedFrom old: Self?) -> Bool {
            var isAny = false
            func add(_ name: String, _ field: String, _ value: AWSInput) {
                if let old, old.says(self, in: [field]), says(old, in: [field]) { return }
                if value == .absent { return }
                input[name] = value
                isAny = true
            }
            add("MinSize", "min_size", .integer(minimum))
            add("MaxSize", "max_size", .integer(maximum))
            if old == nil || desired != old?.desired { add("DesiredCapacity", "desired_capacity", .optional(desired)) }
            add("DesiredCapacityType", "desired_capacity_type", .nonEmpty(desiredType))
            add("VPCZoneIdentifier", "vpc_zone_identifier", .nonEmpty(subnetIDs?.sorted().joined(separator: ",")))
            add("AvailabilityZones", "availability_zones", .set(availabilityZones))
            add("AvailabilityZoneDistribution", "availability_zone_distribution", .optional(zoneDistribution?.input))
            add("HealthCheckType", "health_check_type", .string(healthCheckType.filled ?? "EC2"))
            add("HealthCheckGracePeriod", "health_check_grace_period", .optional(healthCheckGracePeriod))
            add("DefaultCooldown", "default_cooldown", .integer(cooldown ?? 300))
            // What would clear something is refused where nothing was set yet.
            if old != nil || warmup ?? -1 >= 0 {
                add("DefaultInstanceWarmup", "default_instance_warmup", .integer(warmup ?? -1))
            }
            if old != nil || maximumLifetime ?? 0 > 0 {
                add("MaxInstanceLifetime", "max_instance_lifetime", .integer(maximumLifetime ?? 0))
            }
            let policies = terminationPolicies ?? []
            add("TerminationPolicies", "termination_policies", .strings(policies.isEmpty ? ["Default"] : policies))
            add("CapacityRebalance", "capacity_rebalance", .boolean(isRebalanced ?? false))
            add(
                "NewInstancesProtectedFromScaleIn", "protect_from_scale_in", .boolean(isProtectedFromScaleIn ?? false))
            if old != nil || placementGroup.filled != nil {
                add("PlacementGroup", "placement_group", .string(placementGroup ?? ""))
            }
            add("ServiceLinkedRoleARN", "service_linked_role_arn", .nonEmpty(serviceLinkedRoleARN))
            if old != nil || maintenancePolicy != nil {
                add(
                    "InstanceMaintenancePolicy", "instance_maintenance_policy",
                    [
                        "MinHealthyPercentage": .integer(maintenancePolicy?.minimum ?? -1),
                        "MaxHealthyPercentage": .integer(maintenancePolicy?.maximum ?? -1),
                    ])
            }
            add(
                "CapacityReservationSpecification", "capacity_reservation_specification",
                .optional(capacityReservation?.input))
            return isAny
        }
    }
}
