import AWSClient
import MusterModel
import ProviderKit

/// A scheduled action: another size for a group, at a time.
///
/// Calls: `PutScheduledUpdateGroupAction` (an upsert: it is read first), `DescribeScheduledActions`,
/// `DeleteScheduledAction`.
/// AWS moves the start of a recurring action on to its next time, and forgets an action that is over.
struct ScheduledAction: ManagedResource {
    struct Arguments: ArgumentBlock {
        var name = ""
        var group = ""
        var minimum: Int?
        var maximum: Int?
        var desired: Int?
        var recurrence: String?
        var timeZone: String?
        var start: String?
        var end: String?

        static let fields: [Field<Self>] = [
            .required(
                "scheduled_action_name", \.name, onChange: .replace, constraints: [.length(1, 255)],
                "The name, unique in the group."),
            .required(
                "autoscaling_group_name", \.group, onChange: .replace, reference: .autoscalingGroup, "The group."),
            .argument(
                "min_size", \.minimum, absence: .means(.null), constraints: [.range(0, 10_000)],
                "The fewest instances from then on; left out, it stays."),
            .argument(
                "max_size", \.maximum, absence: .means(.null), constraints: [.range(0, 10_000)],
                "The most instances from then on; left out, it stays."),
            .argument(
                "desired_capacity", \.desired, absence: .means(.null), constraints: [.range(0, 10_000)],
                "How many instances there should be from then on; left out, it stays."),
            .argument(
                "recurrence", \.recurrence, absence: .means(""),
                "When, again and again: minute, hour, day of month, month, day of week, such as `0 7 * * 1-5`."),
            .argument(
                "time_zone", \.timeZone, absence: .means(""),
                "The time zone of `recurrence`, such as `Europe/Berlin`; UTC if left out."),
            .argument(
                "start_time", \.start,
                "The (first) time, in ISO 8601. AWS refuses one in the past, and moves it on where the action recurs."),
            .argument("end_time", \.end, absence: .means(""), "When it stops recurring, in ISO 8601."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        static let fields: [Field<Self>] = [.output("arn", \.arn, "The ARN.")]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.scheduled_action", "Another size for a group, at a time.", parentArgument: "autoscaling_group_name",
        importSyntax: "GROUP:ACTION")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let recorded = Dictionary(known.map { ($0.id, $0.arguments) }, uniquingKeysWith: { first, _ in first })
        var found: [RemoteID: Observed<Self>] = [:]
        for item in try await aws.scheduledActions() {
            let id = GroupChildID(
                group: item["AutoScalingGroupName"].text, name: item["ScheduledActionName"].text
            ).id
            if let recorded = recorded[id] { found[id] = observed(item, recorded) }
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        let all = try await aws.scheduledActions().map { observed($0, nil) }
        guard case .children(let parents) = scope else { return all }
        let groups = Set(parents.map(\.rawValue))
        return all.filter { groups.contains($0.arguments.group) }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let seen = try await now(desired.group, desired.name).map({ observed($0, desired) }) else { return nil }
        // It carries no mark: it is ours when it says what we would have said.
        return Found(seen, isOurs: desired.says(seen.arguments, in: Set(Arguments.fields.map(\.schema.name))))
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let id = GroupChildID(group: desired.group, name: desired.name).id
        let isFree = try await aws.isFree(id.rawValue, of: Self.type, in: "DescribeScheduledActions", intent) {
            () async throws(ProviderError) -> Set<String> in
            Set(try await aws.scheduledActions().map { observed($0, nil).id.rawValue })
        }
        if !isFree, let found = try await find(desired, intent: intent), !found.isOurs {
            throw .taken(
                "an action \"\(desired.name)\" of \(desired.group)", "autoscaling.PutScheduledUpdateGroupAction")
        }
        try await put(desired, changedFrom: nil)
        return Observed(id: id, arguments: desired, outputs: Outputs(), status: .pending("created"))
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let isCleared =
            old.minimum != nil && new.minimum == nil || old.maximum != nil && new.maximum == nil
            || old.desired != nil && new.desired == nil || old.recurrence.filled != nil && new.recurrence.filled == nil
            || old.timeZone.filled != nil && new.timeZone.filled == nil
            || old.end.filled != nil && new.end.filled == nil
        // What is left out stays as it is: it can only go with the action.
        if isCleared { try await delete(id, last: old) }
        try await put(new, changedFrom: isCleared ? nil : old)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        let key = GroupChildID(id)
        try await aws.delete(
            .autoscaling, "DeleteScheduledAction",
            ["AutoScalingGroupName": .string(key.group), "ScheduledActionName": .string(key.name)],
            goneCodes: ["ValidationError"])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        if !GroupChildID(RemoteID(text)).isWhole { throw Self.badID(text) }
        return RemoteID(text)
    }

    private func now(_ group: String, _ name: String) async throws(ProviderError) -> XMLElement? {
        try await aws.look(
            .autoscaling, "DescribeScheduledActions",
            ["AutoScalingGroupName": .string(group), "ScheduledActionNames": [.string(name)]]
        )?.xml["ScheduledUpdateGroupActions"].items.first
    }

    // MARK: - Wire format

    /// A start that stays is not sent again: it may have passed by now.
    private func put(_ action: Arguments, changedFrom old: Arguments?) async throws(ProviderError) {
        let isNewStart = action.start.filled != nil && action.start != old?.start
        try await aws.autoscalingChange(
            "PutScheduledUpdateGroupAction",
            [
                "AutoScalingGroupName": .string(action.group),
                "ScheduledActionName": .string(action.name),
                "MinSize": .optional(action.minimum),
                "MaxSize": .optional(action.maximum),
                "DesiredCapacity": .optional(action.desired),
                "Recurrence": .nonEmpty(action.recurrence),
                "TimeZone": .nonEmpty(action.timeZone),
                "StartTime": isNewStart ? .nonEmpty(action.start) : .absent,
                "EndTime": .nonEmpty(action.end),
            ])
    }

    private func observed(_ item: XMLElement, _ recorded: Arguments?) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = item["ScheduledActionName"].text
        arguments.group = item["AutoScalingGroupName"].text
        arguments.minimum = item["MinSize"].integer
        arguments.maximum = item["MaxSize"].integer
        arguments.desired = item["DesiredCapacity"].integer
        arguments.recurrence = item["Recurrence"].text
        arguments.timeZone = item["TimeZone"].text
        arguments.start = time(item["StartTime"], recorded?.start, isMovedOn: arguments.recurrence.filled != nil)
        arguments.end = time(item["EndTime"], recorded?.end, isMovedOn: false)
        return Observed(
            id: GroupChildID(group: arguments.group, name: arguments.name).id, arguments: arguments,
            outputs: Outputs(arn: item["ScheduledActionARN"].nonEmpty))
    }

    /// In the words of the spec, where they mean the same moment, or one that AWS has moved on from.
    private func time(_ told: XMLElement, _ recorded: String?, isMovedOn: Bool) -> String {
        guard let live = told.timestamp else { return told.text }
        if let recorded = recorded.filled, let wanted = Timestamp(iso8601: recorded) {
            let isSame = live - wanted < .seconds(1) && wanted - live < .seconds(1)
            if isSame || isMovedOn && live > wanted { return recorded }
        }
        return live.iso8601
    }
}
