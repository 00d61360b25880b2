import AWSClient
import MusterModel
import ProviderKit

/// A lifecycle hook: a pause before an instance serves, or before it goes.
///
/// Calls: `PutLifecycleHook` (an upsert: it is read first), `DescribeLifecycleHooks` (one group a call),
/// `DeleteLifecycleHook`.
struct LifecycleHook: ManagedResource {
    static let transitions = ["autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"]

    struct Arguments: ArgumentBlock {
        var name = ""
        var group = ""
        var transition = ""
        var defaultResult: String?
        var heartbeatTimeout: Int?
        var metadata: String?
        var targetARN: String?
        var roleARN: String?

        static let fields: [Field<Self>] = [
            .required(
                "name", \.name, onChange: .replace,
                constraints: [.length(1, 255), .pattern(#"[A-Za-z0-9\-_/]+"#, "letters, digits and -_/")],
                "The name, unique in the group."),
            .required(
                "autoscaling_group_name", \.group, onChange: .replace, reference: .autoscalingGroup, "The group."),
            .required(
                "lifecycle_transition", \.transition, constraints: [.allowed(transitions)], "When it is called."),
            .argument(
                "default_result", \.defaultResult, absence: .means("ABANDON"),
                constraints: [.allowed(["CONTINUE", "ABANDON"])], "What happens when nobody answers."),
            .argument(
                "heartbeat_timeout", \.heartbeatTimeout, absence: .means(3600), constraints: [.range(30, 7200)],
                "Seconds to answer in."),
            .argument(
                "notification_metadata", \.metadata, absence: .means(""), constraints: [.length(0, 4000)],
                "What is told with the notice."),
            .argument(
                "notification_target_arn", \.targetARN, absence: .means(""), reference: .snsTopic,
                "The queue or topic to tell; without one EventBridge is told."),
            .argument("role_arn", \.roleARN, absence: .means(""), "The role that may tell it."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var globalTimeout: Int?
        static let fields: [Field<Self>] = [
            .output(
                "global_timeout", \.globalTimeout, changesWith: ["heartbeat_timeout"],
                "Seconds after which it is over, however often an instance asks for more.")
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.lifecycle_hook", "A pause before an instance serves, or before it goes.",
        parentArgument: "autoscaling_group_name", importSyntax: "GROUP:HOOK")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        var found: [RemoteID: Observed<Self>] = [:]
        for (group, hooks) in Dictionary(grouping: known, by: { GroupChildID($0.id).group }).sorted(by: {
            $0.key < $1.key
        }) {
            let wanted = Set(hooks.map(\.id))
            for hook in try await aws.lifecycleHooks(of: group).map(observed) where wanted.contains(hook.id) {
                found[hook.id] = hook
            }
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        let groups: [String]
        switch scope {
        case .everything: groups = try await aws.autoscalingGroups().keys.sorted()
        case .children(let parents): groups = parents.map(\.rawValue)
        }
        var all: [Observed<Self>] = []
        for group in groups { all += try await aws.lifecycleHooks(of: group).map(observed) }
        return all
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let answer = try await aws.look(
            .autoscaling, "DescribeLifecycleHooks",
            ["AutoScalingGroupName": .string(desired.group), "LifecycleHookNames": [.string(desired.name)]])
        guard let seen = answer?.xml["LifecycleHooks"].items.first.map(observed) else { return nil }
        // It carries no mark: it is ours when it says what we would have said.
        return Found(seen, isOurs: desired.says(seen.arguments, in: Set(Arguments.fields.map(\.schema.name))))
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        if let found = try await find(desired, intent: intent) {
            // The group may have brought it.
            if found.isOurs { return found.observed }
            throw .taken("a hook \"\(desired.name)\" of \(desired.group)", "autoscaling.PutLifecycleHook")
        }
        try await put(desired)
        return Observed(
            id: GroupChildID(group: desired.group, name: desired.name).id, arguments: desired,
            outputs: Outputs(globalTimeout: min(172_800, 100 * (desired.heartbeatTimeout ?? 3600))))
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        // What is left out stays as it is: metadata can only go with the hook.
        if new.metadata.filled == nil, old.metadata.filled != nil { try await delete(id, last: old) }
        try await put(new)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        let key = GroupChildID(id)
        try await aws.delete(
            .autoscaling, "DeleteLifecycleHook",
            ["AutoScalingGroupName": .string(key.group), "LifecycleHookName": .string(key.name)],
            goneCodes: ["ValidationError"])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        if !GroupChildID(RemoteID(text)).isWhole { throw Self.badID(text) }
        return RemoteID(text)
    }

    // MARK: - Wire format

    private func put(_ hook: Arguments) async throws(ProviderError) {
        try await aws.autoscalingChange(
            "PutLifecycleHook",
            [
                "AutoScalingGroupName": .string(hook.group),
                "LifecycleHookName": .string(hook.name),
                "LifecycleTransition": .string(hook.transition),
                "DefaultResult": .string(hook.defaultResult.filled ?? "ABANDON"),
                "HeartbeatTimeout": .integer(hook.heartbeatTimeout ?? 3600),
                "NotificationMetadata": .nonEmpty(hook.metadata),
                // "" takes a target away.
                "NotificationTargetARN": .string(hook.targetARN ?? ""),
                "RoleARN": .nonEmpty(hook.roleARN),
            ])
    }

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = item["LifecycleHookName"].text
        arguments.group = item["AutoScalingGroupName"].text
        arguments.transition = item["LifecycleTransition"].text
        arguments.defaultResult = item["DefaultResult"].text
        arguments.heartbeatTimeout = item["HeartbeatTimeout"].integer
        arguments.metadata = item["NotificationMetadata"].text
        arguments.targetARN = item["NotificationTargetARN"].text
        arguments.roleARN = item["RoleARN"].text
        return Observed(
            id: GroupChildID(group: arguments.group, name: arguments.name).id, arguments: arguments,
            outputs: Outputs(globalTimeout: item["GlobalTimeout"].integer))
    }
}
