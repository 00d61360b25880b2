import AWSClient
import MusterModel
import ProviderKit

// What the types of Auto Scaling share: listings, changes, and ids made of a group's name and a child's.

extension AWSSession {
    /// Groups by name: those of this session as long as one call can carry their names, else all.
    func autoscalingGroups(_ ids: some Sequence<RemoteID>) async throws(ProviderError) -> [String: XMLElement] {
        let names = expectedIDs("aws.autoscaling_group", and: ids)
        if names.isEmpty { return [:] }
        if names.count > 100 { return try await autoscalingGroups() }
        let sorted = names.sorted()
        return try await remembered("DescribeAutoScalingGroups \(sorted.joined(separator: ","))") {
            () async throws(ProviderError) -> [String: XMLElement] in try await autoscalingGroupsNow(sorted)
        }
    }

    func autoscalingGroups() async throws(ProviderError) -> [String: XMLElement] {
        try await remembered("DescribeAutoScalingGroups") { () async throws(ProviderError) -> [String: XMLElement] in
            try await autoscalingGroupsNow(nil)
        }
    }

    /// Without memory; nil for all.
    func autoscalingGroupsNow(_ names: [String]?) async throws(ProviderError) -> [String: XMLElement] {
        var input: AWSInput = ["MaxRecords": 100]
        if let names { input["AutoScalingGroupNames"] = .strings(names) }
        let items = try await list(
            AWSOperation(.autoscaling, "DescribeAutoScalingGroups", input, effect: .read), .nextToken,
            at: "AutoScalingGroups")
        return Dictionary(
            items.map { ($0["AutoScalingGroupName"].text, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// All policies of the region, whoever asks.
    func scalingPolicies() async throws(ProviderError) -> [XMLElement] {
        try await remembered("DescribePolicies") { () async throws(ProviderError) -> [XMLElement] in
            try await list(
                AWSOperation(.autoscaling, "DescribePolicies", ["MaxRecords": 100], effect: .read), .nextToken,
                at: "ScalingPolicies")
        }
    }

    /// All scheduled actions of the region, whoever asks.
    func scheduledActions() async throws(ProviderError) -> [XMLElement] {
        try await remembered("DescribeScheduledActions") { () async throws(ProviderError) -> [XMLElement] in
            try await list(
                AWSOperation(.autoscaling, "DescribeScheduledActions", ["MaxRecords": 100], effect: .read), .nextToken,
                at: "ScheduledUpdateGroupActions")
        }
    }

    /// The hooks of one group, which is all that AWS tells in one call; none where the group is gone.
    func lifecycleHooks(of group: String) async throws(ProviderError) -> [XMLElement] {
        try await remembered("DescribeLifecycleHooks \(group)") { () async throws(ProviderError) -> [XMLElement] in
            try await look(.autoscaling, "DescribeLifecycleHooks", ["AutoScalingGroupName": .string(group)])?
                .xml["LifecycleHooks"].items ?? []
        }
    }

    /// A call that makes or changes something. What it refers to may have just been made, so a thing that is not found
    /// may only not be visible yet.
    @discardableResult
    func autoscalingChange(
        _ name: String, _ input: AWSInput, effect: AWSEffect = .idempotent
    ) async throws(ProviderError) -> XMLElement {
        do throws(ProviderError) {
            return try await call(.autoscaling, name, input, effect: effect).xml
        } catch {
            throw error.asNotYetVisible
        }
    }
}

/// The id of what belongs to a group: `GROUP:NAME`. AWS allows no colon in the name of a group.
struct GroupChildID {
    let group: String
    let name: String

    init(group: String, name: String) {
        self.group = group
        self.name = name
    }

    init(_ id: RemoteID) {
        let parts = id.rawValue.split(separator: ":", maxSplits: 1).map(String.init)
        group = parts.first ?? ""
        name = parts.count == 2 ? parts[1] : ""
    }

    var id: RemoteID { RemoteID("\(group):\(name)") }
    var isWhole: Bool { !group.isEmpty && !name.isEmpty }
}

extension ProviderError {
    /// A put would overwrite what somebody else put there.
    static func taken(_ what: String, _ operation: String) -> ProviderError {
        ProviderError(
            .alreadyExists, "There is \(what) already, and it says something else.", operation: operation,
            code: "AlreadyExists", hint: "Import it, or take another name.")
    }
}
