// An elastigroup, in four files: its life (here), its arguments, its nested blocks, and its form on the wire.
//
// Names are not unique at Spot and a group has no tags, so the intent of its creation rides in its description; a group of
// somebody else with the wanted name is a clash all the same, since people tell groups by their names. The target between
// minimum and maximum belongs to whoever scales: it is told as it was recorded, and sent when the spec says another number
// or when it would fall outside of new bounds. What a request does not name stays, so that the rest of a group, such as
// other integrations, is left alone. User data and keys are never compared with an answer.
//
// The weakness: a change of the launch reaches new instances only. A roll is a call of its own without a trace in the
// group, so that a run that died between the two could not be told from one that rolled.

import MusterModel
import ProviderKit
import SpotClient

/// A group of spot and on-demand instances that Spot keeps at its capacity.
///
/// Calls: `GET /aws/ec2/group`, `POST /aws/ec2/group`, `GET`, `PUT` and `DELETE /aws/ec2/group/ID`. There is no state to wait
/// for: instances follow in the background.
struct Elastigroup: ManagedResource {
    struct Outputs: ArgumentBlock {
        var createdAt: String?

        static let fields: [Field<Self>] = [.output("created_at", \.createdAt, "When it was made.")]
    }

    static let schema = Schema<Arguments, Outputs>(
        "spot.elastigroup", "An elastigroup of Spot: spot instances, and on-demand ones where there are none.",
        naming: .unique(argument: "name", maximumLength: 255), isServing: true,
        importSyntax: "the group's id, such as sig-1a2b3c4d")

    let spot: SpotSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        if known.isEmpty { return [:] }
        var groups: [String: Value] = [:]
        for group in try await spot.groups() { groups[group["id"].string ?? ""] = group }
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            if let group = groups[object.id.rawValue] { found[object.id] = observed(group, object.arguments) }
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await spot.groups().map { observed($0, nil) }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let groups = try await spot.freshGroups()
        if let ours = groups.first(where: { isMarked($0, intent) }) {
            return Found(observed(ours, desired), isOurs: true)
        }
        let rival = groups.first { $0["name"].string == desired.name }
        return rival.map { Found(observed($0, desired), isOurs: false) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        // Spot itself would make a second one of either.
        if let found = try await find(desired, intent: intent) {
            if found.isOurs { return found.observed }
            throw ProviderError(
                .alreadyExists, "There is a group named \"\(desired.name)\" already (\(found.observed.id)).",
                hint: "Import it with \"muster import\", or give this one another name.")
        }
        return observed(try await spot.create(desired.group(marked: intent.token)), desired)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let live = try await spot.group(id)
        let changes = new.changes(from: old, live: live)
        if changes.isUnset { return nil }
        var query: [(String, String)] = []
        for (name, argument) in [
            ("autoApplyTags", "auto_apply_tags"), ("shouldResumeStateful", "should_resume_stateful"),
        ] {
            if let choice = new[argument]?.bool { query.append((name, String(choice))) }
        }
        return observed(try await spot.update(id, changes, query), new)
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        let choice = last["stateful_deallocation"].map {
            WireForm.sent($0, .object(ElastigroupBlocks.statefulDeallocation))
        }
        try await spot.delete(id, choice.map { ["statefulDeallocation": $0] })
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        if text.hasPrefix("sig-") { return RemoteID(text) }
        throw ProviderError(
            .invalid, "\"\(text)\" is no id of a group.", hint: "It begins with sig-, such as sig-1a2b3c4d.")
    }

    private func isMarked(_ group: Value, _ intent: Intent) -> Bool {
        IntentMark.token(in: group["description"].string) == intent.token
    }

    private func observed(_ group: Value, _ known: Arguments?) -> Observed<Self> {
        var observed = Observed<Self>(
            id: RemoteID(group["id"].string ?? ""), arguments: Arguments(told: group, known: known),
            outputs: Outputs(createdAt: group["createdAt"].string))
        observed.scope = spot.scope
        return observed
    }
}
