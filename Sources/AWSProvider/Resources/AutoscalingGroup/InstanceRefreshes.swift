import AWSClient
import MusterModel
import ProviderKit

/// The refreshes of one group: starting one, and what became of it.
///
/// Calls: `DescribeInstanceRefreshes`, `StartInstanceRefresh`, `CancelInstanceRefresh`.
struct InstanceRefreshes {
    let aws: AWSSession
    let group: String

    /// The newest one; AWS keeps them for six weeks.
    func newest() async throws(ProviderError) -> InstanceRefresh? {
        let answer = try await aws.call(
            .autoscaling, "DescribeInstanceRefreshes",
            ["AutoScalingGroupName": .string(group), "MaxRecords": 10], effect: .read)
        return answer.xml["InstanceRefreshes"].items.first.map(InstanceRefresh.init)
    }

    /// Starts a refresh, unless one that does the same is under way; one that does something else is cancelled first,
    /// since what it brings is not wanted any more. Throws "in use" until it is.
    ///
    /// - Parameters:
    ///   - launch: what the refresh brings; nil where the group has it already.
    ///   - canRollBack: the group has a pinned launch to go back to.
    ///   - since: without `launch`, the refresh that was the newest one before: any later one is ours.
    func start(
        toward launch: AWSInput?, _ wanted: AutoscalingGroup.Arguments, canRollBack: Bool, since: String?
    ) async throws(ProviderError) {
        if let newest = try await newest() {
            let isOurs = launch == nil ? since.map { $0 != newest.id } ?? false : newest.brings(wanted)
            if isOurs, newest.isActive || launch == nil { return }
            if newest.isEnding {
                throw ProviderError(.inUse, "An instance refresh of the group is ending: \(newest.state).")
            }
            if newest.isActive {
                try await aws.autoscalingChange("CancelInstanceRefresh", ["AutoScalingGroupName": .string(group)])
                throw ProviderError(.inUse, "An instance refresh that is not wanted any more is being cancelled.")
            }
        }
        var preferences = wanted.refresh?.preferences?.input ?? [:]
        preferences["AutoRollback"] =
            launch != nil && canRollBack ? .boolean(wanted.refresh?.preferences?.rollsBack ?? true) : nil
        try await aws.autoscalingChange(
            "StartInstanceRefresh",
            [
                "AutoScalingGroupName": .string(group),
                "Strategy": .string(wanted.refresh?.strategy.filled ?? "Rolling"),
                "DesiredConfiguration": launch ?? .absent,
                "Preferences": preferences,
            ], effect: .once)
    }
}

/// One refresh.
struct InstanceRefresh {
    let item: XMLElement

    var id: String { item["InstanceRefreshId"].text }
    var state: String { item["Status"].text }
    var isActive: Bool { ["Pending", "InProgress", "Baking"].contains(state) }
    var isEnding: Bool { ["Cancelling", "RollbackInProgress"].contains(state) }
    private var percent: Int { item["PercentageComplete"].integer ?? 0 }

    /// Whether it brings the launch that is wanted.
    func brings(_ wanted: AutoscalingGroup.Arguments) -> Bool {
        let configuration = item["DesiredConfiguration"]
        if let policy = wanted.mixedInstancesPolicy, policy.launchTemplate?.specification != nil {
            let told = AutoscalingGroup.MixedInstancesPolicy(told: configuration["MixedInstancesPolicy"])
            return AutoscalingGroup.Arguments(mixedInstancesPolicy: policy).says(
                AutoscalingGroup.Arguments(mixedInstancesPolicy: told), in: ["mixed_instances_policy"])
        }
        guard let choice = wanted.launchTemplate, configuration["LaunchTemplate"].exists else { return false }
        return choice.names(AutoscalingGroup.LaunchTemplateChoice(answer: configuration["LaunchTemplate"]))
    }

    /// What it says of the group's readiness; nil when it has nothing to say.
    func status(of group: ListedGroup, _ wanted: AutoscalingGroup.Arguments) -> Observation.Status? {
        let why = item["StatusReason"].nonEmpty.map { " (\($0))" } ?? ""
        switch state {
        case "Pending": return .pending("instance refresh 0 %")
        case "InProgress": return .pending("instance refresh \(percent) %\(why)")
        case "Baking": return .pending("instance refresh \(percent) %, baking")
        case "Cancelling": return .pending("instance refresh is being cancelled")
        case "RollbackInProgress":
            return .pending("instance refresh failed, rolling back\(reason.map { ": \($0)" } ?? "")")
        case "Failed", "RollbackFailed", "RollbackSuccessful", "Cancelled":
            return isMissing(in: group, wanted) ? .failed(failure) : nil
        default: return nil
        }
    }

    /// Whether the group is still without what this refresh should have brought.
    private func isMissing(in group: ListedGroup, _ wanted: AutoscalingGroup.Arguments) -> Bool {
        guard item["DesiredConfiguration"].items.isEmpty else {
            return brings(wanted) && !group.has(wanted)
        }
        // It was to renew instances of a launch that the group has already.
        return group.has(wanted) && group.hasOutdatedInstances
    }

    private var reason: String? {
        item["RollbackDetails"]["RollbackReason"].nonEmpty ?? item["StatusReason"].nonEmpty
    }

    private var failure: String {
        let end =
            switch state {
            case "RollbackSuccessful": "failed and was rolled back, so that the group is as it was before"
            case "RollbackFailed": "failed, and so did rolling it back"
            case "Cancelled": "was cancelled"
            default: "failed"
            }
        return "the instance refresh \(id) \(end)\(reason.map { ": \($0)" } ?? ".")"
    }
}

extension ListedGroup {
    /// Whether the group has the launch that is wanted.
    func has(_ wanted: AutoscalingGroup.Arguments) -> Bool {
        if let policy = wanted.mixedInstancesPolicy, policy.launchTemplate?.specification != nil {
            return AutoscalingGroup.Arguments(mixedInstancesPolicy: policy).says(
                AutoscalingGroup.Arguments(mixedInstancesPolicy: mixedInstancesPolicy),
                in: ["mixed_instances_policy"])
        }
        if let name = wanted.launchConfiguration.filled { return item["LaunchConfigurationName"].text == name }
        return wanted.launchTemplate.map { $0.names(launchTemplate) } ?? true
    }

    /// Whether the group launches a certain version, and not whatever is the newest or the default.
    var hasPinnedLaunch: Bool {
        (mixedInstancesPolicy?.launchTemplate?.specification?.choice ?? launchTemplate).isPinned
    }

    /// Whether instances in service were launched otherwise than the group launches now.
    var hasOutdatedInstances: Bool {
        let configuration = item["LaunchConfigurationName"].text
        let template = item["LaunchTemplate"]
        return instances.contains { instance in
            if !configuration.isEmpty { return instance["LaunchConfigurationName"].text != configuration }
            guard template.exists, instance["LaunchTemplate"].exists else { return false }
            return instance["LaunchTemplate"]["LaunchTemplateId"].text != template["LaunchTemplateId"].text
        }
    }
}
