import AWSClient
import MusterModel
import ProviderKit

/// A target in a target group.
///
/// Calls: `RegisterTargets` (idempotent), `DescribeTargetHealth` (one group a call), `DeregisterTargets`.
///
/// It is ready when it is registered; with `wait_for_healthy` only when the target answers as it should, so that a
/// successor takes over before the next one is interrupted. A group that no listener uses checks nobody: there
/// registered is enough. A target that leaves is waited for until its deregistration delay is over.
struct TargetGroupAttachment: ManagedResource {
    struct Arguments: ArgumentBlock {
        var group = ""
        var target = ""
        var port: Int?
        var zone: String?
        var waitsForHealth: Bool?

        static let fields: [Field<Self>] = [
            .required(
                "target_group_arn", \.group, onChange: .replace, reference: .targetGroup, "The target group."),
            .required(
                "target_id", \.target, onChange: .replace, reference: .target,
                "The instance, the address, the function's or the load balancer's ARN, as the group's type wants."),
            .argument(
                "port", \.port, onChange: .replace, constraints: [.range(1, 65_535)],
                "The port; the group's if it is left out."),
            .argument(
                "availability_zone", \.zone, onChange: .replace,
                "The zone of an address; `all` for one outside the VPC."),
            .argument(
                "wait_for_healthy", \.waitsForHealth, absence: .means(false), onChange: .local,
                "Whether it is done only when the target is healthy."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.target_group_attachment", "A target in a target group.", parentArgument: "target_group_arn",
        timeouts: Timeouts(create: 1200, update: 1200, delete: 3900), importSyntax: "GROUP_ARN,TARGET[,PORT]")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let groups = Set(known.compactMap { Key($0.id)?.group }).sorted()
        let answers = try await aws.concurrently(groups) { group async throws(ProviderError) -> [XMLElement] in
            try await aws.targetHealth(of: group) ?? []
        }
        let health = Dictionary(zip(groups, answers), uniquingKeysWith: { first, _ in first })
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            guard let key = Key(object.id) else { continue }
            var candidates = (health[key.group] ?? []).filter(key.fits)
            if candidates.count > 1, key.port == nil {
                // One target under several ports: without a port it is the group's own.
                let group = try await aws.targetGroups().first { $0["TargetGroupArn"].text == key.group }
                candidates = candidates.filter { $0["Target"]["Port"].text == group?["Port"].text }
            }
            guard let item = candidates.first, !isGone(item) else { continue }
            found[object.id] = Observed(
                id: object.id, arguments: key.arguments(item),
                status: status(item, waitsForHealth: object.arguments.waitsForHealth == true))
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        let groups: [String]
        switch scope {
        case .everything: groups = try await aws.targetGroups().map { $0["TargetGroupArn"].text }
        case .children(let parents): groups = parents.map(\.rawValue)
        }
        let ports = Dictionary(
            try await aws.targetGroups().map { ($0["TargetGroupArn"].text, $0["Port"].integer) },
            uniquingKeysWith: { first, _ in first })
        return try await aws.concurrently(groups) { group async throws(ProviderError) -> [Observed<Self>] in
            try await (aws.targetHealth(of: group) ?? []).filter { !isGone($0) }.map { item in
                var arguments = Arguments()
                arguments.group = group
                arguments.target = item["Target"]["Id"].text
                arguments.port = item["Target"]["Port"].integer
                if arguments.port == ports[group] ?? nil { arguments.port = nil }
                arguments.zone = item["Target"]["AvailabilityZone"].nonEmpty
                return Observed(
                    id: Key(arguments).id, arguments: arguments, status: status(item, waitsForHealth: false))
            }
        }.flatMap(\.self)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let id = Key(desired).id
        return try await read([Known(id: id, arguments: desired)])[id].map { Found($0, isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let key = Key(desired)
        _ = try await aws.elbChange("RegisterTargets", key.wire(zone: desired.zone))
        let isAwaited = desired.waitsForHealth == true
        return Observed(id: key.id, arguments: desired, status: isAwaited ? .pending("initial") : .ready)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? { nil }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        guard let key = Key(id) else { throw Self.badID(id.rawValue) }
        do throws(ProviderError) {
            _ = try await aws.elbChange("DeregisterTargets", key.wire(zone: last.zone))
        } catch {
            // An instance that is gone is no target any more.
            if error.kind == .notYetVisible || error.code == "InvalidTarget" { return }
            throw error
        }
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        guard let key = Key(RemoteID(text)) else { throw Self.badID(text) }
        return key.id
    }

    /// What an attachment is known by.
    private struct Key {
        var group: String
        var target: String
        var port: Int?

        init(_ arguments: Arguments) {
            group = arguments.group
            target = arguments.target
            port = arguments.port
        }

        init?(_ id: RemoteID) {
            let parts = id.rawValue.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard (2...3).contains(parts.count), parts[0].contains(":targetgroup/"), !parts[1].isEmpty else {
                return nil
            }
            group = parts[0]
            target = parts[1]
            if parts.count == 3 {
                guard let number = Int(parts[2]) else { return nil }
                port = number
            }
        }

        var id: RemoteID {
            RemoteID(([group, target] + (port.map { [String($0)] } ?? [])).joined(separator: ","))
        }

        func wire(zone: String?) -> [AWSInput.Field] {
            [
                .init("TargetGroupArn", .string(group)),
                .init(
                    "Targets",
                    [["Id": .string(target), "Port": .optional(port), "AvailabilityZone": .nonEmpty(zone)]]),
            ]
        }

        func fits(_ item: XMLElement) -> Bool {
            item["Target"]["Id"].text == target && (port == nil || item["Target"]["Port"].integer == port)
        }

        func arguments(_ item: XMLElement) -> Arguments {
            // The zone is told of addresses only.
            Arguments(group: group, target: target, port: port, zone: item["Target"]["AvailabilityZone"].nonEmpty)
        }
    }

    private func isGone(_ item: XMLElement) -> Bool {
        item["TargetHealth"]["Reason"].text == "Target.NotRegistered"
    }

    private func status(_ item: XMLElement, waitsForHealth: Bool) -> Observation.Status {
        let health = item["TargetHealth"]
        let state = health["State"].text
        let reason = health["Reason"].text
        if state == "draining" { return .deleting("draining") }
        if !waitsForHealth { return .ready }
        if state == "healthy" || reason == "Target.NotInUse" || reason == "Target.HealthCheckDisabled" { return .ready }
        return .pending([state, health["Description"].text].filter { !$0.isEmpty }.joined(separator: ": "))
    }
}
