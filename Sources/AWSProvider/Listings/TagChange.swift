import AWSClient
import ProviderKit

/// What makes one set of tags another; keys that neither side names are left alone.
struct TagChange {
    /// Keys, in order.
    let removed: [String]
    let set: [String: String]

    init(from old: [String: String]?, to new: [String: String]?) {
        let old = old ?? [:]
        let new = new ?? [:]
        removed = old.keys.filter { new[$0] == nil }.sorted()
        set = new.filter { old[$0.key] != $0.value }
    }

    var isEmpty: Bool { removed.isEmpty && set.isEmpty }
}

extension AWSSession {
    /// `UntagResource` and `TagResource`, as far as they are needed; the services spell the member with the ARN in their
    /// own ways.
    func tagResource(
        _ service: AWSService, _ member: String, _ arn: String, _ change: TagChange
    ) async throws(ProviderError) {
        let target = AWSInput.Field(member, .string(arn))
        if !change.removed.isEmpty {
            _ = try await call(
                service, "UntagResource", .structure([target, .init("TagKeys", .strings(change.removed))]),
                effect: .idempotent)
        }
        if !change.set.isEmpty {
            _ = try await call(
                service, "TagResource", .structure([target, .init("Tags", .keyValues(change.set))]), effect: .idempotent
            )
        }
    }
}

extension AWSInput {
    /// Keys with values, in order.
    static func keyValues(_ values: [String: String], as form: ListForm = .members("member")) -> AWSInput {
        .list(values.sorted { $0.key < $1.key }.map { ["Key": .string($0.key), "Value": .string($0.value)] }, as: form)
    }

    /// The user's tags and the intent's, as a create carries them.
    static func tagList(
        _ tags: [String: String]?, _ intent: Intent, as form: ListForm = .members("member")
    ) -> AWSInput {
        var all = tags ?? [:]
        all[intent.tag.key] = intent.tag.value
        return keyValues(all, as: form)
    }
}
