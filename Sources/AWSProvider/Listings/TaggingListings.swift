import AWSClient
import MusterModel
import ProviderKit

// Tags of services whose own listings leave them out (SNS, ECR, CloudWatch): one call of the tagging service tells those
// of a hundred objects. It is up to a minute late, so whoever sees a difference there asks the object's own service.

extension AWSSession {
    /// AWS's limit for one call.
    private static let maximumARNs = 100

    /// Tags by ARN; objects that never had a tag are absent.
    func taggedResources(_ arns: some Sequence<String>) async throws(ProviderError) -> [String: [String: String]] {
        var tags: [String: [String: String]] = [:]
        var rest = Set(arns).sorted()[...]
        while !rest.isEmpty {
            let page = Array(rest.prefix(AWSSession.maximumARNs))
            rest = rest.dropFirst(AWSSession.maximumARNs)
            let found = try await remembered("GetResources \(page.joined(separator: " "))") {
                () async throws(ProviderError) -> [JSONValue] in
                try await listJSON(
                    AWSOperation(
                        .resourcegroupstaggingapi, "GetResources", ["ResourceARNList": .strings(page)], effect: .read),
                    .tagging, at: "ResourceTagMappingList")
            }
            for item in found { tags[item["ResourceARN"].text] = item["Tags"].tags }
        }
        return tags
    }

    /// Tags of objects as they were recorded, or, where the tagging service tells others, as the object's own service
    /// tells them.
    ///
    /// - Parameter ask: reads the tags of one ARN where they are kept.
    func confirmedTags(
        _ recorded: [String: [String: String]?],
        _ ask: (String) async throws(ProviderError) -> [String: String]?
    ) async throws(ProviderError) -> [String: [String: String]] {
        let listed = try await taggedResources(recorded.keys)
        var tags: [String: [String: String]] = [:]
        for (arn, known) in recorded.sorted(by: { $0.key < $1.key }) {
            let seen = listed[arn] ?? [:]
            let isAsRecorded = known.map { $0.allSatisfy { seen[$0.key] == $0.value } } ?? false
            tags[arn] = isAsRecorded ? seen : try await ask(arn)
        }
        return tags
    }

    /// All elements of a paged listing in JSON.
    func listJSON(
        _ operation: AWSOperation, _ pagination: AWSPagination, at path: String
    ) async throws(ProviderError) -> [JSONValue] {
        do {
            return try await client.listJSON(operation, pagination, at: path)
        } catch {
            throw ProviderError(error)
        }
    }
}

extension JSONValue {
    /// A list of `Key` and `Value`, without AWS's own tags.
    var tags: [String: String] {
        var tags: [String: String] = [:]
        for item in items where !item["Key"].text.hasPrefix("aws:") { tags[item["Key"].text] = item["Value"].text }
        return tags
    }
}
