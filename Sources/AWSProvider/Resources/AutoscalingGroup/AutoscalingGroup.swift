// An autoscaling group, in five files: what it is and its life (here), its arguments, its nested blocks, its changes, and
// the refresh that renews its instances.
//
// Three things belong to others. The capacity between `min_size` and `max_size` belongs to whoever scales: it is
// compared only where a number is declared, and a change of something else never sends it. Instances belong to the
// group. Tags belong per key to whoever declared them.
//
// A change of the launch renews the fleet where `instance_refresh` is set. With a pinned version of a launch template
// the new launch goes into the refresh as its desired configuration, and AWS gives it to the group only when the
// refresh has succeeded. So there is one call and no moment in between: before it the group is as it was, and whatever
// ends the refresh early leaves the group on the old launch, so that the next plan shows the difference again. A run that
// finds such a refresh under way waits for it instead of starting another.
//
// Other launches (a launch configuration, `$Latest`) must be given to the group first. Then the group carries the tag
// `muster:refresh` from before that change until the refresh has been started, and while it does `read` says nothing of
// the launch, which is then compared with the state: the next plan ends what was begun. The weakness: such a refresh
// cannot be rolled back, which is AWS's rule.

import AWSClient
import MusterModel
import ProviderKit

/// An autoscaling group: as many instances as are needed.
///
/// Calls: `CreateAutoScalingGroup`, `DescribeAutoScalingGroups`, the calls of `GroupChanges` and `InstanceRefreshes`;
/// while it is waited for `DescribeScalingActivities`; `UpdateAutoScalingGroup` (to nothing), `DeleteWarmPool`,
/// `SetInstanceProtection`, `ResumeProcesses` and `DeleteAutoScalingGroup`.
struct AutoscalingGroup: ManagedResource {
    struct Outputs: ArgumentBlock {
        var arn: String?
        var serviceLinkedRoleARN: String?
        var warmPoolSize: Int?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("service_linked_role_arn", \.serviceLinkedRoleARN, "The role with which AWS launches instances."),
            .output("warm_pool_size", \.warmPoolSize, changesWith: ["warm_pool"], "How many instances wait."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.autoscaling_group", "An autoscaling group: as many instances as are needed.",
        naming: .unique(argument: "name", maximumLength: 255), replacement: .createFirst, isServing: true,
        timeouts: Timeouts(create: 900, update: 7200, delete: 1800), importSyntax: "the group's name")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let groups = try await aws.autoscalingGroups(known.map(\.id))
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            guard let group = groups[object.id.rawValue].map(ListedGroup.init) else { continue }
            var observed = group.observed(object)
            // Without declared arguments it is asked whether the object is ready, and the answer may cost more.
            if object.declared.isEmpty, observed.status == .ready {
                observed.status = try await status(of: group, object.arguments)
            }
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.autoscalingGroups().sorted { $0.key < $1.key }.map { ListedGroup(item: $0.value).observed(nil) }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let group = try await now(desired.name), !group.isBeingDeleted else { return nil }
        let known = Known<Self>(
            id: RemoteID(desired.name), arguments: desired, declared: Set(desired.members.keys))
        return Found(group.observed(known), isOurs: group.tags[intent.tag.key]?.value == intent.tag.value)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        var tags = desired.allTags
        tags[intent.tag.key] = GroupTag(value: intent.tag.value, isPropagated: false)
        var input: AWSInput = ["AutoScalingGroupName": .string(desired.name)]
        desired.addFields(to: &input, changedFrom: nil)
        desired.addLaunch(to: &input)
        input["TargetGroupARNs"] = .set(desired.targetGroupARNs)
        if let hooks = desired.initialHooks, !hooks.isEmpty {
            input["LifecycleHookSpecificationList"] = .list(hooks.inOrder.map(\.input))
        }
        input["Tags"] = aws.groupTags(tags, of: nil)
        try await aws.autoscalingChange("CreateAutoScalingGroup", input)
        return Observed(
            id: RemoteID(desired.name), arguments: desired, outputs: Outputs(), status: .pending("created"))
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        guard let group = try await now(id.rawValue), !group.isBeingDeleted else { throw gone(id) }
        let changes = GroupChanges(aws: aws, id: id, old: old, new: new, group: group)
        let isWaitedFor = try await changes.make()
        guard isWaitedFor, let after = try await now(id.rawValue) else { return nil }
        var observed = after.observed(Known(id: id, arguments: new, declared: Set(new.members.keys)))
        observed.status = try await status(of: after, new)
        return observed
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        guard let group = try await now(id.rawValue), !group.isBeingDeleted else { return }
        let name = AWSInput.string(id.rawValue)
        if last.isForceDeleted == true {
            try await aws.delete(
                .autoscaling, "DeleteAutoScalingGroup", ["AutoScalingGroupName": name, "ForceDelete": true])
            return
        }
        try await drain(group, last)
        try await aws.delete(.autoscaling, "DeleteAutoScalingGroup", ["AutoScalingGroupName": name])
    }

    // MARK: Ending

    /// Lets the group run empty; throws "in use" until it is.
    private func drain(_ group: ListedGroup, _ last: Arguments) async throws(ProviderError) {
        let name = AWSInput.string(group.name)
        if group.warmPool != nil {
            if !group.isWarmPoolBeingDeleted {
                try await aws.autoscalingChange(
                    "DeleteWarmPool",
                    [
                        "AutoScalingGroupName": name,
                        "ForceDelete": .boolean(last.isWarmPoolForceDeleted ?? false),
                    ])
            }
            throw ProviderError(.inUse, "The warm pool of the group is being deleted.")
        }
        if group.minimum != 0 || group.maximum != 0 || group.desired != 0 {
            try await aws.autoscalingChange(
                "UpdateAutoScalingGroup",
                ["AutoScalingGroupName": name, "MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0])
        }
        if group.instances.isEmpty { return }
        let protected = group.instances.filter { $0["ProtectedFromScaleIn"].boolean == true }
            .map { $0["InstanceId"].text }
        if !protected.isEmpty {
            try await aws.autoscalingChange(
                "SetInstanceProtection",
                [
                    "AutoScalingGroupName": name, "InstanceIds": .strings(protected.sorted().prefix(50)),
                    "ProtectedFromScaleIn": false,
                ])
        }
        if group.suspended.contains("Terminate") {
            try await aws.autoscalingChange(
                "ResumeProcesses", ["AutoScalingGroupName": name, "ScalingProcesses": ["Terminate"]])
        }
        let count = group.instances.count
        throw ProviderError(
            .inUse, "The group runs empty: \(count) \(count == 1 ? "instance is" : "instances are") still there.")
    }

    // MARK: Readiness

    /// Whether the group is as wanted: no refresh under way, and everything in service.
    private func status(of group: ListedGroup, _ wanted: Arguments) async throws(ProviderError) -> Observation.Status {
        if group.isBeingDeleted { return .deleting(group.state) }
        if wanted.refresh != nil {
            let newest = try await InstanceRefreshes(aws: aws, group: group.name).newest()
            if let status = newest?.status(of: group, wanted) { return status }
        }
        guard wanted.waitsForCapacity ?? true, !group.suspended.contains("Launch") else { return .ready }
        let inService = group.capacityInService
        if inService >= group.desired { return .ready }
        let failure = try await lastFailure(of: group.name).map { ": \($0)" } ?? ""
        return .pending("\(inService) of \(group.desired) in service\(failure)")
    }

    /// Why the newest attempt to launch an instance did not work.
    private func lastFailure(of name: String) async throws(ProviderError) -> String? {
        let answer = try await aws.call(
            .autoscaling, "DescribeScalingActivities", ["AutoScalingGroupName": .string(name), "MaxRecords": 10],
            effect: .read)
        let newest = answer.xml["Activities"].items.first
        guard let newest, newest["StatusCode"].text == "Failed" else { return nil }
        return newest["StatusMessage"].nonEmpty ?? newest["Description"].nonEmpty
    }

    private func now(_ name: String) async throws(ProviderError) -> ListedGroup? {
        try await aws.autoscalingGroupsNow([name])[name].map(ListedGroup.init)
    }

    private func gone(_ id: RemoteID) -> ProviderError {
        ProviderError(
            .notFound, "There is no autoscaling group \(id).", operation: "autoscaling.DescribeAutoScalingGroups")
    }
}

// MARK: - Wire format

/// A tag of a group.
struct GroupTag: Equatable {
    var value: String
    var isPropagated: Bool
}

/// A group as AWS lists it.
struct ListedGroup {
    /// The tag of a group whose launch was changed and whose refresh is still to be started.
    static let refreshTag = "muster:refresh"

    let item: XMLElement

    var name: String { item["AutoScalingGroupName"].text }
    var state: String { item["Status"].text.lowercased() }
    var isBeingDeleted: Bool { !state.isEmpty }
    var minimum: Int { item["MinSize"].integer ?? 0 }
    var maximum: Int { item["MaxSize"].integer ?? 0 }
    var desired: Int { item["DesiredCapacity"].integer ?? 0 }
    var instances: [XMLElement] { item["Instances"].items.filter { !$0["LifecycleState"].text.hasPrefix("Warmed:") } }
    var suspended: Set<String> { Set(item["SuspendedProcesses"].items.map { $0["ProcessName"].text }) }
    var metrics: Set<String> { Set(item["EnabledMetrics"].items.map { $0["Metric"].text }) }
    var targetGroups: [String] { item["TargetGroupARNs"].texts.sorted() }
    var isMarkedForRefresh: Bool { tags[ListedGroup.refreshTag] != nil }

    /// The capacity of what serves, by weight where there are weights.
    var capacityInService: Int {
        instances.filter { $0["LifecycleState"].text == "InService" && $0["HealthStatus"].text == "Healthy" }
            .reduce(0) { $0 + ($1["WeightedCapacity"].integer ?? 1) }
    }

    var tags: [String: GroupTag] {
        var tags: [String: GroupTag] = [:]
        for tag in item["Tags"].items {
            let key = tag["Key"].text
            if key.hasPrefix("aws:") { continue }
            tags[key] = GroupTag(value: tag["Value"].text, isPropagated: tag["PropagateAtLaunch"].boolean ?? false)
        }
        return tags
    }

    var launchTemplate: AutoscalingGroup.LaunchTemplateChoice {
        let told = item["LaunchTemplate"]
        guard told.exists else { return .init() }
        var choice = AutoscalingGroup.LaunchTemplateChoice(answer: told)
        choice.version = choice.version.filled ?? "$Default"
        return choice
    }

    var mixedInstancesPolicy: AutoscalingGroup.MixedInstancesPolicy? {
        item["MixedInstancesPolicy"].exists ? .init(answer: item["MixedInstancesPolicy"]) : nil
    }

    var warmPool: AutoscalingGroup.WarmPool? {
        guard item["WarmPoolConfiguration"].exists else { return nil }
        var pool = AutoscalingGroup.WarmPool(answer: item["WarmPoolConfiguration"])
        pool.reuse = .init(isReused: pool.reuse?.isReused ?? false)
        pool.minimum = pool.minimum ?? 0
        pool.maximumPrepared = pool.maximumPrepared ?? -1
        return pool
    }

    var isWarmPoolBeingDeleted: Bool { item["WarmPoolConfiguration"]["Status"].text == "PendingDelete" }

    func observed(_ known: Known<AutoscalingGroup>?) -> Observed<AutoscalingGroup> {
        var arguments = AutoscalingGroup.Arguments()
        readSizes(&arguments)
        readBehavior(&arguments)
        readTags(known?.arguments, &arguments)
        if isMarkedForRefresh {
            // In the middle of a change: see the top of AutoscalingGroup.swift.
            arguments.launchTemplate = nil
            arguments.launchConfiguration = nil
            arguments.mixedInstancesPolicy = nil
        }
        var outputs = AutoscalingGroup.Outputs()
        outputs.arn = item["AutoScalingGroupARN"].nonEmpty
        outputs.serviceLinkedRoleARN = item["ServiceLinkedRoleARN"].nonEmpty
        outputs.warmPoolSize = item["WarmPoolSize"].integer ?? 0
        return Observed(
            id: RemoteID(name), arguments: arguments, outputs: outputs,
            status: isBeingDeleted ? .deleting(state) : .ready)
    }

    private func readSizes(_ arguments: inout AutoscalingGroup.Arguments) {
        arguments.name = name
        arguments.minimum = minimum
        arguments.maximum = maximum
        arguments.desired = desired
        arguments.desiredType = item["DesiredCapacityType"].nonEmpty
        arguments.launchTemplate = launchTemplate
        arguments.launchConfiguration = item["LaunchConfigurationName"].text
        arguments.mixedInstancesPolicy = mixedInstancesPolicy ?? .init()
        arguments.subnetIDs = item["VPCZoneIdentifier"].text.split(separator: ",")
            .map { $0.trimmingBlanks }.filter { !$0.isEmpty }.sorted()
        arguments.availabilityZones = item["AvailabilityZones"].texts.sorted()
        arguments.targetGroupARNs = targetGroups
    }

    private func readBehavior(_ arguments: inout AutoscalingGroup.Arguments) {
        arguments.healthCheckType = item["HealthCheckType"].text
        arguments.healthCheckGracePeriod = item["HealthCheckGracePeriod"].integer ?? 0
        arguments.cooldown = item["DefaultCooldown"].integer
        arguments.warmup = item["DefaultInstanceWarmup"].integer ?? -1
        arguments.maximumLifetime = item["MaxInstanceLifetime"].integer ?? 0
        arguments.terminationPolicies = item["TerminationPolicies"].texts
        arguments.suspendedProcesses = suspended.sorted()
        arguments.enabledMetrics = metrics.sorted()
        arguments.isRebalanced = item["CapacityRebalance"].boolean ?? false
        arguments.isProtectedFromScaleIn = item["NewInstancesProtectedFromScaleIn"].boolean ?? false
        arguments.placementGroup = item["PlacementGroup"].text
        arguments.serviceLinkedRoleARN = item["ServiceLinkedRoleARN"].text
        arguments.maintenancePolicy = .init(told: item["InstanceMaintenancePolicy"])
        arguments.zoneDistribution = .init(told: item["AvailabilityZoneDistribution"])
        arguments.capacityReservation = .init(told: item["CapacityReservationSpecification"])
        arguments.warmPool = warmPool ?? .init()
    }

    /// `tag` has the keys that are recorded there, `tags` all others. A key of `tags` that is not handed on to instances
    /// is as good as missing.
    private func readTags(
        _ recorded: AutoscalingGroup.Arguments?, _ arguments: inout AutoscalingGroup.Arguments
    ) {
        let own = Set((recorded?.tagChoices ?? []).map(\.key))
        arguments.tagChoices = tags.filter { own.contains($0.key) }.sorted { $0.key < $1.key }.map {
            .init(key: $0.key, value: $0.value.value, isPropagated: $0.value.isPropagated)
        }
        arguments.tags = tags.filter { !own.contains($0.key) && $0.value.isPropagated }.mapValues(\.value)
    }
}

extension Substring {
    fileprivate var trimmingBlanks: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

extension AWSSession {
    /// Tags of a create, or with the group's name those of a later call.
    func groupTags(_ tags: [String: GroupTag], of group: String?) -> AWSInput {
        .list(
            tags.sorted { $0.key < $1.key }.map {
                [
                    "ResourceId": .optional(group), "ResourceType": .optional(group.map { _ in "auto-scaling-group" }),
                    "Key": .string($0.key), "Value": .string($0.value.value),
                    "PropagateAtLaunch": .boolean($0.value.isPropagated),
                ]
            })
    }
}
