import AWSClient
import MusterModel
import ProviderKit

/// An ECR repository: where images of one name are kept.
///
/// Calls: `CreateRepository`, `DescribeRepositories`, `PutImageTagMutability`, `PutImageScanningConfiguration`,
/// `GetLifecyclePolicy`, `PutLifecyclePolicy`, `DeleteLifecyclePolicy`, `GetRepositoryPolicy`, `SetRepositoryPolicy`,
/// `DeleteRepositoryPolicy` (policies only where they are declared), `ListTagsForResource`, `TagResource`,
/// `UntagResource`, `DeleteRepository`; `GetResources` of the tagging service.
struct ECRRepository: ManagedResource {
    struct Arguments: ArgumentBlock {
        var name = ""
        var tagMutability: String?
        var exclusionFilters: [ExclusionFilter]?
        var scanning: Scanning?
        var encryption: Encryption?
        var lifecyclePolicy: Value?
        var repositoryPolicy: Value?
        var forceDelete: Bool?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required(
                "name", \.name, onChange: .replace,
                constraints: [
                    .length(2, 256),
                    .pattern(
                        #"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"#,
                        "it is in lower case, in parts separated by /, each of letters and digits with . _ - between."),
                ], "The name, such as `platform/api`."),
            .argument(
                "image_tag_mutability", \.tagMutability, absence: .means("MUTABLE"),
                constraints: [
                    .allowed(["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"])
                ], "Whether a tag may be moved to another image."),
            .argument(
                "image_tag_mutability_exclusion_filter", \.exclusionFilters,
                type: .set(ExclusionFilter.valueType, key: "filter"), absence: .means(.list([])),
                constraints: [.count(0, 5)], "The tags that are excluded, with the two kinds of exclusion."),
            .argument(
                "image_scanning_configuration", \.scanning,
                absence: .means(["scan_on_push": false]), "Whether images are scanned."),
            .argument(
                "encryption_configuration", \.encryption, onChange: .replace,
                "How images are encrypted; left out, with keys of S3."),
            .argument(
                "lifecycle_policy", \.lifecyclePolicy, absence: .means(""), semantics: .policyDocument,
                needsOwnRead: true, isSetAfterCreate: true,
                "Which images expire: a JSON document with `rules`."),
            .argument(
                "repository_policy", \.repositoryPolicy, absence: .means(""), semantics: .policyDocument,
                needsOwnRead: true, isSetAfterCreate: true, "Who else may pull and push: a policy document."),
            .argument(
                "force_delete", \.forceDelete, absence: .means(false), onChange: .local,
                "Whether deleting it also deletes the images in it."),
            .tags(\.tags),
        ]
    }

    struct ExclusionFilter: ArgumentBlock {
        var filter = ""
        var kind: String?

        static let fields: [Field<Self>] = [
            .required(
                "filter", \.filter,
                constraints: [
                    .length(1, 128),
                    .pattern(#"[0-9a-zA-Z._*\-]+"#, "only letters, digits and . _ * - may stand in it."),
                ], "The tags, with `*` for any characters."),
            .argument(
                "filter_type", \.kind, absence: .means("WILDCARD"), constraints: [.allowed(["WILDCARD"])],
                "How `filter` is read."),
        ]
    }

    struct Scanning: ArgumentBlock {
        var scansOnPush: Bool?

        static let fields: [Field<Self>] = [
            .argument("scan_on_push", \.scansOnPush, absence: .means(false), "Whether an image is scanned on arrival.")
        ]
    }

    struct Encryption: ArgumentBlock {
        var kind: String?
        var kmsKey: String?

        static let fields: [Field<Self>] = [
            .argument(
                "encryption_type", \.kind, absence: .means("AES256"), onChange: .replace,
                constraints: [.allowed(["AES256", "KMS", "KMS_DSSE"])], "With keys of S3, or with a key of KMS."),
            .argument(
                "kms_key", \.kmsKey, onChange: .replace, constraints: [.length(1, 2048)],
                "The key's ARN; left out with KMS, AWS's own key for ECR."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var registryID: String?
        var url: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("registry_id", \.registryID, "The account whose registry it is in."),
            .output("repository_url", \.url, "What images are tagged with before they are pushed."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.ecr_repository", "A repository of container images.",
        naming: .unique(argument: "name", maximumLength: 256), deletionHazards: [.dataLoss],
        importSyntax: "the repository's name")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let items = Dictionary(
            try await listing().map { ($0["repositoryName"].text, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [RemoteID: Observed<Self>] = [:]
        var tagged: [String: [String: String]?] = [:]
        for object in known {
            guard let item = items[object.id.rawValue] else { continue }
            var observed = observed(item)
            if object.declared.contains("lifecycle_policy") {
                observed.arguments.lifecyclePolicy = try await document(
                    "GetLifecyclePolicy", "lifecyclePolicyText", object.id)
            }
            if object.declared.contains("repository_policy") {
                observed.arguments.repositoryPolicy = try await document(
                    "GetRepositoryPolicy", "policyText", object.id)
            }
            if object.declared.contains("tags"), let arn = observed.outputs.arn {
                tagged[arn] = .some(object.arguments.tags)
            }
            found[object.id] = observed
        }
        let tags = try await aws.confirmedTags(tagged) { (arn) async throws(ProviderError) in try await self.tags(arn) }
        for (id, observed) in found {
            if let arn = observed.outputs.arn, let tags = tags[arn] { found[id]?.arguments.tags = tags }
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await listing().map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let answer = try await aws.look(.ecr, "DescribeRepositories", ["repositoryNames": [.string(desired.name)]])
        guard let item = answer?.json["repositories"].items.first else { return nil }
        var observed = observed(item)
        guard let tags = try await tags(item["repositoryArn"].text) else { throw .marksUnseen(desired.name) }
        observed.arguments.tags = tags
        return Found(observed, isOurs: tags[intent.tag.key] == intent.tag.value)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await change(
            "CreateRepository",
            [
                "repositoryName": .string(desired.name), "tags": .tagList(desired.tags, intent),
                "imageTagMutability": .nonEmpty(desired.tagMutability),
                "imageTagMutabilityExclusionFilters": filters(desired.exclusionFilters),
                "imageScanningConfiguration": desired.scanning.map { scanning($0) } ?? .absent,
                "encryptionConfiguration": desired.encryption.map {
                    [
                        "encryptionType": .string($0.kind.filled ?? "AES256"), "kmsKey": .nonEmpty($0.kmsKey),
                    ]
                } ?? .absent,
            ], effect: .once)
        return observed(answer["repository"])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        let name = AWSInput.string(id.rawValue)
        let isMutabilityChanged = new.tagMutability.map { $0 != old.tagMutability ?? "MUTABLE" } ?? false
        let areFiltersChanged = new.exclusionFilters.map { filters($0) != filters(old.exclusionFilters) } ?? false
        if isMutabilityChanged || areFiltersChanged {
            let mutability = new.tagMutability ?? old.tagMutability ?? "MUTABLE"
            _ = try await change(
                "PutImageTagMutability",
                [
                    "repositoryName": name, "imageTagMutability": .string(mutability),
                    "imageTagMutabilityExclusionFilters": filters(new.exclusionFilters ?? old.exclusionFilters),
                ])
        }
        if let scanning = new.scanning, scanning.scansOnPush ?? false != old.scanning?.scansOnPush ?? false {
            _ = try await change(
                "PutImageScanningConfiguration",
                ["repositoryName": name, "imageScanningConfiguration": self.scanning(scanning)])
        }
        if let policy = new.lifecyclePolicy, policy != old.lifecyclePolicy {
            if isEmpty(policy) {
                try await aws.delete(.ecr, "DeleteLifecyclePolicy", ["repositoryName": name])
            } else {
                _ = try await change(
                    "PutLifecyclePolicy", ["repositoryName": name, "lifecyclePolicyText": .policy(policy)])
            }
        }
        if let policy = new.repositoryPolicy, policy != old.repositoryPolicy {
            if isEmpty(policy) {
                try await aws.delete(.ecr, "DeleteRepositoryPolicy", ["repositoryName": name])
            } else {
                _ = try await change("SetRepositoryPolicy", ["repositoryName": name, "policyText": .policy(policy)])
            }
        }
        try await updateTags(id, from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        do throws(ProviderError) {
            try await aws.delete(
                .ecr, "DeleteRepository",
                [
                    "repositoryName": .string(id.rawValue),
                    "force": last.forceDelete == true ? true : .absent,
                ])
        } catch {
            guard error.code == "RepositoryNotEmptyException" else { throw error }
            // Images do not go by themselves: waiting would not help.
            var error = error
            error.kind = .invalid
            error.hint = "Set force_delete: true and apply, then delete again: the images go with it."
            throw error
        }
    }

    private func listing() async throws(ProviderError) -> [JSONValue] {
        try await aws.remembered("DescribeRepositories") { () async throws(ProviderError) -> [JSONValue] in
            try await aws.listJSON(
                AWSOperation(.ecr, "DescribeRepositories", ["maxResults": 1000], effect: .read), .lowerNextToken,
                at: "repositories")
        }
    }

    /// A policy of a repository, "" where there is none.
    private func document(_ operation: String, _ member: String, _ id: RemoteID) async throws(ProviderError) -> Value {
        let answer = try await aws.look(.ecr, operation, ["repositoryName": .string(id.rawValue)])
        return answer.map { Value.string($0.json[member].text).parsedPolicy } ?? ""
    }

    private func tags(_ arn: String) async throws(ProviderError) -> [String: String]? {
        try await aws.look(.ecr, "ListTagsForResource", ["resourceArn": .string(arn)])?.json["tags"].tags
    }

    private func updateTags(
        _ id: RemoteID, from old: [String: String]?, to new: [String: String]?
    ) async throws(ProviderError) {
        guard let new, new != old else { return }
        let difference = TagChange(from: old, to: new)
        if difference.isEmpty { return }
        let answer = try await change(
            "DescribeRepositories", ["repositoryNames": [.string(id.rawValue)]], effect: .read)
        let arn = AWSInput.string(answer["repositories"].items.first?["repositoryArn"].text ?? "")
        if !difference.removed.isEmpty {
            _ = try await change("UntagResource", ["resourceArn": arn, "tagKeys": .strings(difference.removed)])
        }
        if !difference.set.isEmpty {
            _ = try await change("TagResource", ["resourceArn": arn, "tags": .keyValues(difference.set)])
        }
    }

    private func change(
        _ name: String, _ input: AWSInput, effect: AWSEffect = .idempotent
    ) async throws(ProviderError) -> JSONValue {
        do throws(ProviderError) {
            return try await aws.call(.ecr, name, input, effect: effect).json
        } catch {
            throw error.asNotYetVisible
        }
    }

    // MARK: - Wire format

    private func isEmpty(_ policy: Value) -> Bool { policy == "" || policy == .map([:]) || policy == .null }

    private func scanning(_ scanning: Scanning) -> AWSInput { ["scanOnPush": .boolean(scanning.scansOnPush ?? false)] }

    /// Sorted, so that the same set gives the same bytes; AWS wants none rather than an empty list.
    private func filters(_ filters: [ExclusionFilter]?) -> AWSInput {
        guard let filters, !filters.isEmpty else { return .absent }
        return .list(
            filters.sorted { $0.filter < $1.filter }
                .map { ["filterType": .string($0.kind.filled ?? "WILDCARD"), "filter": .string($0.filter)] })
    }

    private func observed(_ item: JSONValue) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = item["repositoryName"].text
        arguments.tagMutability = item["imageTagMutability"].string ?? "MUTABLE"
        arguments.exclusionFilters = item["imageTagMutabilityExclusionFilters"].items.map {
            ExclusionFilter(filter: $0["filter"].text, kind: $0["filterType"].text)
        }
        arguments.scanning = Scanning(scansOnPush: item["imageScanningConfiguration"]["scanOnPush"].boolean ?? false)
        arguments.encryption = Encryption(
            kind: item["encryptionConfiguration"]["encryptionType"].string ?? "AES256",
            kmsKey: item["encryptionConfiguration"]["kmsKey"].string)
        var outputs = Outputs()
        outputs.arn = item["repositoryArn"].string
        outputs.registryID = item["registryId"].string
        outputs.url = item["repositoryUri"].string
        return Observed(id: RemoteID(arguments.name), arguments: arguments, outputs: outputs)
    }
}
