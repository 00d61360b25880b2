import AWSClient
import MusterModel
import ProviderKit

// What the types of RDS and ElastiCache have in common: paged listings, tags by ARN, and KMS keys in the words of the
// spec. Databases tell their tags in the listing; of groups and caches they are asked one by one, where declared.

extension AWSSession {
    /// A whole listing, fetched once.
    func markerList(
        _ service: AWSService, _ name: String, at path: String, _ more: AWSInput = [:]
    ) async throws(ProviderError) -> [XMLElement] {
        try await remembered("\(service.name).\(name)") { () async throws(ProviderError) -> [XMLElement] in
            try await markerNow(service, name, at: path, more)
        }
    }

    /// The same, for what must be true now.
    func markerNow(
        _ service: AWSService, _ name: String, at path: String, _ more: AWSInput = [:]
    ) async throws(ProviderError) -> [XMLElement] {
        var input = more
        input["MaxRecords"] = 100
        return try await list(AWSOperation(service, name, input, effect: .read), .marker, at: path)
    }

    /// The object of that name, or nil; a name that nobody has is an error to these services.
    func markerNamed(
        _ service: AWSService, _ name: String, at path: String, _ member: String, _ value: String
    ) async throws(ProviderError) -> XMLElement? {
        try await look(service, name, .structure([.init(member, .string(value))]))?.xml[path].items.first
    }

    /// A call that makes or changes something. What it refers to may have just been made, so a thing that is not found
    /// may only not be visible yet.
    func change(
        _ service: AWSService, _ name: String, _ input: AWSInput, effect: AWSEffect = .idempotent
    ) async throws(ProviderError) -> XMLElement {
        do throws(ProviderError) {
            return try await call(service, name, input, effect: effect).xml
        } catch {
            throw error.asNotYetVisible
        }
    }

    // MARK: Tags

    /// `Tags` of a create: the user's and the intent's.
    func rdsTags(_ tags: [String: String]?, _ intent: Intent) -> AWSInput {
        .tagList(tags, intent, as: .members("Tag"))
    }

    /// The tags of one object; nil where it is gone.
    func tags(_ service: AWSService, of arn: String) async throws(ProviderError) -> [String: String]? {
        try await look(service, "ListTagsForResource", ["ResourceName": .string(arn)])?.xml.tagList
    }

    /// Adds, changes and removes tags, in at most two calls; keys that neither side names are left alone.
    func updateTags(
        _ service: AWSService, of arn: String, from old: [String: String]?, to new: [String: String]?
    ) async throws(ProviderError) {
        guard let new else { return }
        let difference = TagChange(from: old, to: new)
        if !difference.removed.isEmpty {
            _ = try await change(
                service, "RemoveTagsFromResource",
                ["ResourceName": .string(arn), "TagKeys": .strings(difference.removed)])
        }
        if !difference.set.isEmpty {
            _ = try await change(
                service, "AddTagsToResource",
                ["ResourceName": .string(arn), "Tags": .keyValues(difference.set, as: .members("Tag"))])
        }
    }
}

extension XMLElement {
    /// `TagList`, without AWS's own tags.
    var tagList: [String: String] {
        var tags: [String: String] = [:]
        for item in self["TagList"].items {
            let key = item["Key"].text
            if !key.hasPrefix("aws:") { tags[key] = item["Value"].text }
        }
        return tags
    }
}

extension Constraint {
    /// What RDS and ElastiCache take for a name.
    static let hyphenated = Constraint.pattern(
        "[a-zA-Z](-?[a-zA-Z0-9])*", "letters, digits and single hyphens, a letter first and no hyphen last")
}

/// A KMS key in the words of the spec: AWS answers with the key's ARN whatever it was asked with. An id is compared with
/// the ARN's end; an alias, whose key may be another one today, is taken as it is.
func keyAsWritten(_ live: String, recorded: String?) -> String {
    guard let recorded = recorded.filled, !live.isEmpty else { return live }
    let isAlias = recorded.hasPrefix("alias/") || recorded.contains(":alias/")
    return isAlias || live.hasSuffix("/\(recorded)") ? recorded : live
}
