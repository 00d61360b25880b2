import AWSClient
import MusterModel
import ProviderKit

/// One update of a group. Each change is idempotent, and the whole may be begun anew after any of them.
///
/// Calls: `CreateOrUpdateTags`, `DeleteTags`, `UpdateAutoScalingGroup`, `Attach…` and
/// `DetachLoadBalancerTargetGroups`, `SuspendProcesses`, `ResumeProcesses`, `EnableMetricsCollection`,
/// `DisableMetricsCollection`, `PutWarmPool`, `DeleteWarmPool`; those of `InstanceRefreshes`.
struct GroupChanges {
    let aws: AWSSession
    let id: RemoteID
    let old: AutoscalingGroup.Arguments
    let new: AutoscalingGroup.Arguments
    /// As it is now.
    let group: ListedGroup

    private var name: AWSInput { .string(id.rawValue) }

    /// True when something was begun that takes its time.
    func make() async throws(ProviderError) -> Bool {
        // A refresh whose answer was lost may be over by now: then the group has what it brought.
        let launch =
            differs(in: AutoscalingGroup.Arguments.launchNames) && (!group.has(new) || group.isMarkedForRefresh)
        let triggers = Set(new.refresh?.triggers ?? [])
        let refreshes = new.refresh != nil && (launch || differs(in: triggers) || group.isMarkedForRefresh)
        // Without instances there is nothing to renew.
        let renewal: Renewal
        if !refreshes || group.instances.isEmpty && !group.isMarkedForRefresh {
            renewal = .none
        } else if launch, let pinned = new.pinnedLaunch, !group.isMarkedForRefresh,
            group.item["LaunchConfigurationName"].nonEmpty == nil
        {
            renewal = .toward(pinned)
        } else {
            renewal = .afterwards
        }

        let runs = InstanceRefreshes(aws: aws, group: id.rawValue)
        if case .afterwards = renewal, !group.isMarkedForRefresh {
            try await mark(before: try await runs.newest()?.id)
        }
        try await changeTags()
        var input: AWSInput = ["AutoScalingGroupName": name]
        var isChanged = new.addFields(to: &input, changedFrom: old)
        if launch {
            if case .toward = renewal {
                // The refresh brings it.
            } else {
                new.addLaunch(to: &input)
                isChanged = true
            }
        }
        if isChanged { try await aws.autoscalingChange("UpdateAutoScalingGroup", input) }
        try await changeTargetGroups()
        try await changeProcesses()
        try await changeMetrics()
        try await changeWarmPool()
        switch renewal {
        case .none: break
        case .toward(let pinned):
            try await runs.start(toward: pinned, new, canRollBack: group.hasPinnedLaunch, since: nil)
        case .afterwards:
            try await runs.start(
                toward: nil, new, canRollBack: false, since: group.tags[ListedGroup.refreshTag]?.value)
            try await unmark()
            return true
        }
        if case .toward = renewal { return true }
        if group.isMarkedForRefresh { try await unmark() }
        let isResized = differs(in: ["min_size", "max_size", "desired_capacity"])
        return isResized || new.refresh != nil && differs(in: AutoscalingGroup.Arguments.launchNames)
    }

    private enum Renewal {
        case none
        /// A refresh that brings the launch.
        case toward(AWSInput)
        /// A refresh after the group has the launch.
        case afterwards
    }

    private func differs(in names: Set<String>) -> Bool {
        !names.isEmpty && !(new.says(old, in: names) && old.says(new, in: names))
    }

    // MARK: Tags

    private func changeTags() async throws(ProviderError) {
        let before = old.allTags
        let after = new.allTags
        let removed = before.keys.filter { after[$0] == nil }.sorted()
        let set = after.filter { before[$0.key] != $0.value }
        if !removed.isEmpty {
            try await aws.autoscalingChange(
                "DeleteTags",
                [
                    "Tags": .list(
                        removed.map {
                            ["ResourceId": name, "ResourceType": "auto-scaling-group", "Key": .string($0)]
                        })
                ])
        }
        if !set.isEmpty {
            try await aws.autoscalingChange("CreateOrUpdateTags", ["Tags": aws.groupTags(set, of: id.rawValue)])
        }
    }

    /// The mark says which refresh was the newest one before.
    private func mark(before newest: String?) async throws(ProviderError) {
        let tag = GroupTag(value: newest ?? "none", isPropagated: false)
        try await aws.autoscalingChange(
            "CreateOrUpdateTags", ["Tags": aws.groupTags([ListedGroup.refreshTag: tag], of: id.rawValue)])
    }

    private func unmark() async throws(ProviderError) {
        try await aws.autoscalingChange(
            "DeleteTags",
            [
                "Tags": [
                    [
                        "ResourceId": name, "ResourceType": "auto-scaling-group",
                        "Key": .string(ListedGroup.refreshTag),
                    ]
                ]
            ])
    }

    // MARK: What has calls of its own

    /// Compares with what is there now, since letting go of what is not held is an error; ten a call.
    private func changeTargetGroups() async throws(ProviderError) {
        if !differs(in: ["target_group_arns"]) { return }
        let change = setDifference(group.targetGroups, new.targetGroupARNs ?? [])
        for (call, arns) in [
            ("AttachLoadBalancerTargetGroups", change.added), ("DetachLoadBalancerTargetGroups", change.removed),
        ] {
            var rest = arns[...]
            while !rest.isEmpty {
                try await aws.autoscalingChange(
                    call, ["AutoScalingGroupName": name, "TargetGroupARNs": .strings(rest.prefix(10))])
                rest = rest.dropFirst(10)
            }
        }
    }

    private func changeProcesses() async throws(ProviderError) {
        if !differs(in: ["suspended_processes"]) { return }
        let change = setDifference(group.suspended.sorted(), new.suspendedProcesses ?? [])
        for (call, processes) in [("ResumeProcesses", change.removed), ("SuspendProcesses", change.added)]
        where !processes.isEmpty {
            try await aws.autoscalingChange(
                call, ["AutoScalingGroupName": name, "ScalingProcesses": .strings(processes)])
        }
    }

    private func changeMetrics() async throws(ProviderError) {
        if !differs(in: ["enabled_metrics"]) { return }
        let change = setDifference(group.metrics.sorted(), new.enabledMetrics ?? [])
        if !change.removed.isEmpty {
            try await aws.autoscalingChange(
                "DisableMetricsCollection", ["AutoScalingGroupName": name, "Metrics": .strings(change.removed)])
        }
        if !change.added.isEmpty {
            try await aws.autoscalingChange(
                "EnableMetricsCollection",
                ["AutoScalingGroupName": name, "Metrics": .strings(change.added), "Granularity": "1Minute"])
        }
    }

    private func changeWarmPool() async throws(ProviderError) {
        if !differs(in: ["warm_pool"]) { return }
        if let pool = new.warmPool, pool.state.filled != nil {
            var input = pool.input
            input["AutoScalingGroupName"] = name
            try await aws.autoscalingChange("PutWarmPool", input)
            return
        }
        guard group.warmPool != nil else { return }
        if !group.isWarmPoolBeingDeleted {
            try await aws.autoscalingChange(
                "DeleteWarmPool",
                ["AutoScalingGroupName": name, "ForceDelete": .boolean(new.isWarmPoolForceDeleted ?? false)])
        }
        // Until then the listing tells of it.
        throw ProviderError(.inUse, "The warm pool of the group is being deleted.")
    }
}
