import AWSClient
import MusterModel
import ProviderKit

// Listings of EC2 that several types share. Small families are listed whole (an account has few VPCs, but each listing
// shows what is foreign too); large ones are asked for by id as long as one call can carry the ids.

extension AWSSession {
    /// The most values that one filter takes.
    private static let maximumFilterValues = 200

    /// A whole listing, in pages of the largest size; `pageSize` nil for calls that do not page.
    func ec2List(_ name: String, at path: String, pageSize: Int? = 1000) async throws(ProviderError) -> [XMLElement] {
        try await remembered(name) { () async throws(ProviderError) -> [XMLElement] in
            let input: AWSInput = pageSize.map { ["MaxResults": .integer($0)] } ?? [:]
            return try await list(AWSOperation(.ec2, name, input, effect: .read), .ec2, at: path)
        }
    }

    /// A listing of the objects with these ids, by a filter: unknown ids are simply absent. Above 200 ids the whole
    /// listing is read.
    func ec2List(
        _ name: String, at path: String, filter: String, ids: Set<String>, pageSize: Int = 1000
    ) async throws(ProviderError) -> [XMLElement] {
        if ids.isEmpty { return [] }
        if ids.count > AWSSession.maximumFilterValues {
            return try await ec2List(name, at: path, pageSize: pageSize)
        }
        let values = ids.sorted()
        return try await remembered("\(name) \(filter)=\(values.joined(separator: ","))") {
            () async throws(ProviderError) -> [XMLElement] in
            try await list(
                AWSOperation(
                    .ec2, name,
                    [
                        "Filter": [["Name": .string(filter), "Value": .strings(values)]],
                        "MaxResults": .integer(pageSize),
                    ], effect: .read), .ec2, at: path)
        }
    }

    /// What carries an intent's tag: how an interrupted creation is found again.
    func ec2Tagged(
        _ name: String, at path: String, intent: Intent, pageSize: Int? = 1000
    ) async throws(ProviderError) -> [XMLElement] {
        var input: AWSInput = [
            "Filter": [["Name": .string("tag:\(Intent.tagKey)"), "Value": [.string(intent.token)]]]
        ]
        if let pageSize { input["MaxResults"] = .integer(pageSize) }
        return try await list(AWSOperation(.ec2, name, input, effect: .read), .ec2, at: path)
    }

    // MARK: Tags

    /// `TagSpecification` for a create: the user's tags and the intent's.
    func tagSpecification(_ kind: String, _ tags: [String: String]?, _ intent: Intent) -> AWSInput {
        [["ResourceType": .string(kind), "Tag": .tagList(tags, intent)]]
    }

    /// Adds, changes and removes tags, in at most two calls; keys that neither side names are left alone.
    func updateTags(
        _ id: RemoteID, from old: [String: String]?, to new: [String: String]?
    ) async throws(ProviderError) {
        let change = TagChange(from: old, to: new)
        if !change.removed.isEmpty {
            _ = try await call(
                .ec2, "DeleteTags",
                ["ResourceId": [.string(id.rawValue)], "Tag": .list(change.removed.map { ["Key": .string($0)] })],
                effect: .idempotent)
        }
        if !change.set.isEmpty {
            _ = try await call(
                .ec2, "CreateTags", ["ResourceId": [.string(id.rawValue)], "Tag": .keyValues(change.set)],
                effect: .idempotent)
        }
    }
}

extension XMLElement {
    /// EC2's `tagSet`, without AWS's own tags.
    var tags: [String: String] {
        var tags: [String: String] = [:]
        for item in self["tagSet"].items {
            let key = item["key"].text
            if !key.hasPrefix("aws:") { tags[key] = item["value"].text }
        }
        return tags
    }
}
