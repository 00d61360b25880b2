import AWSClient
import MusterModel
import ProviderKit

/// A key pair: a public key that EC2 puts on new instances.
///
/// Calls: `ImportKeyPair`, `DescribeKeyPairs`, `CreateTags`, `DeleteTags`, `DeleteKeyPair`.
struct KeyPair: ManagedResource {
    struct Arguments: ArgumentBlock {
        var keyName = ""
        var publicKey = ""
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required("key_name", \.keyName, onChange: .replace, constraints: [.length(1, 255)], "The name."),
            .required(
                "public_key", \.publicKey, onChange: .replace, semantics: .publicKey,
                "The public key in OpenSSH's form; its comment does not count."),
            .tags(\.tags),
        ]
    }

    struct Outputs: ArgumentBlock {
        var keyPairID: String?
        var fingerprint: String?
        var keyType: String?

        static let fields: [Field<Self>] = [
            .output("key_pair_id", \.keyPairID, "The id (`key-…`)."),
            .output("fingerprint", \.fingerprint, "The fingerprint as AWS makes it."),
            .output("key_type", \.keyType, "`rsa` or `ed25519`."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.key_pair", "A public key that EC2 puts on new instances.",
        naming: .unique(argument: "key_name", maximumLength: 255), importSyntax: "the key's name")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let items = try await listing()
        return matching(known, in: items, id: "keyName") { observed($0) }
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await listing().map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let items = try await aws.list(
            AWSOperation(
                .ec2, "DescribeKeyPairs",
                [
                    "Filter": [["Name": "key-name", "Value": [.string(desired.keyName)]]], "IncludePublicKey": true,
                ], effect: .read), .ec2, at: "keySet")
        return items.first.map { Found(observed($0), isOurs: $0.tags[intent.tag.key] == intent.tag.value) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.ec2Change(
            "ImportKeyPair",
            [
                "KeyName": .string(desired.keyName), "PublicKeyMaterial": .blob(Array(desired.publicKey.utf8)),
                "TagSpecification": aws.tagSpecification("key-pair", desired.tags, intent),
            ], effect: .once)
        var outputs = Outputs()
        outputs.keyPairID = answer["keyPairId"].nonEmpty
        outputs.fingerprint = answer["keyFingerprint"].nonEmpty
        outputs.keyType = desired.publicKey.hasPrefix("ssh-ed25519") ? "ed25519" : "rsa"
        return Observed(id: RemoteID(desired.keyName), arguments: desired, outputs: outputs)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        guard old.tags != new.tags, new.tags != nil else { return nil }
        let items = try await aws.ec2Now("DescribeKeyPairs", at: "keySet", [("key-name", [id.rawValue])], pageSize: nil)
        guard let key = items.first?["keyPairId"].nonEmpty else {
            throw ProviderError(.notFound, "There is no key pair \"\(id)\".", operation: "ec2.DescribeKeyPairs")
        }
        try await aws.updateTags(RemoteID(key), from: old.tags, to: new.tags)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.ec2, "DeleteKeyPair", ["KeyName": .string(id.rawValue)])
    }

    private func listing() async throws(ProviderError) -> [XMLElement] {
        try await aws.remembered("DescribeKeyPairs") { () async throws(ProviderError) -> [XMLElement] in
            try await aws.list(
                AWSOperation(.ec2, "DescribeKeyPairs", ["IncludePublicKey": true], effect: .read), .ec2, at: "keySet")
        }
    }

    // MARK: - Wire format

    private func observed(_ item: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        arguments.keyName = item["keyName"].text
        arguments.publicKey = item["publicKey"].text
        arguments.tags = item.tags
        var outputs = Outputs()
        outputs.keyPairID = item["keyPairId"].nonEmpty
        outputs.fingerprint = item["keyFingerprint"].nonEmpty
        outputs.keyType = item["keyType"].nonEmpty
        return Observed(id: RemoteID(arguments.keyName), arguments: arguments, outputs: outputs)
    }
}
