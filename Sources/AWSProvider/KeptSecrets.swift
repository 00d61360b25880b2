import AWSClient
package import MusterModel
package import ProviderKit

// Secrets that muster keeps in AWS for somebody else: at `ssm:/path` (a SecureString) or `secretsmanager:name`. What it
// makes has a tag; what has none is somebody else's, and is neither written over nor deleted.

extension AWSProvider {
    /// Throws `invalid` when something is there that muster did not make.
    package func checkSecretPlace(
        _ place: String, _ configuration: ProviderConfiguration
    ) async throws(ProviderError) {
        if try await keeper(place, configuration).holder() == .others { throw .foreignSecret(at: place) }
    }

    /// Keeps a text, in place of what muster kept there. Throws as `checkSecretPlace` does.
    package func keepSecret(
        _ text: String, at place: String, _ configuration: ProviderConfiguration
    ) async throws(ProviderError) {
        let keeper = try await keeper(place, configuration)
        switch try await keeper.holder() {
        case .others: throw .foreignSecret(at: place)
        case .muster: try await keeper.replace(text)
        case .nobody:
            do throws(ProviderError) {
                try await keeper.create(text)
            } catch {
                // Our own, by an attempt whose answer was lost, or somebody else's a moment ago.
                guard error.kind == .alreadyExists else { throw error }
                if try await keeper.holder() != .muster { throw .foreignSecret(at: place) }
                try await keeper.replace(text)
            }
        }
    }

    /// What is gone already, or is somebody else's by now, is fine.
    package func removeSecret(at place: String, _ configuration: ProviderConfiguration) async throws(ProviderError) {
        let keeper = try await keeper(place, configuration)
        if try await keeper.holder() == .muster { try await keeper.delete() }
    }

    private func keeper(
        _ place: String, _ configuration: ProviderConfiguration
    ) async throws(ProviderError) -> any SecretKeeper {
        let session = AWSSession(client: try await client(for: configuration), expecting: [:])
        for (scheme, make) in [("ssm:", Parameter.init), ("secretsmanager:", ManagedSecret.init)]
            as [(String, @Sendable (AWSSession, String) -> any SecretKeeper)]
        where place.hasPrefix(scheme) {
            return make(session, String(place.dropFirst(scheme.count)))
        }
        throw ProviderError(.invalid, "A secret goes to file:, ssm: or secretsmanager:, and not to \"\(place)\".")
    }
}

private enum SecretHolder { case nobody, muster, others }

private let keptTag: AWSInput = [["Key": "muster:secret", "Value": "shown-once"]]

/// One place for a secret.
private protocol SecretKeeper: Sendable {
    func holder() async throws(ProviderError) -> SecretHolder
    /// Throws `alreadyExists` when something is there.
    func create(_ text: String) async throws(ProviderError)
    func replace(_ text: String) async throws(ProviderError)
    func delete() async throws(ProviderError)
}

extension SecretKeeper {
    func holder(byTags tags: JSONValue) -> SecretHolder { tags.tags["muster:secret"] == nil ? .others : .muster }
}

/// Calls: `ListTagsForResource`, `PutParameter` (which takes tags only for a new one), `DeleteParameter`.
private struct Parameter: SecretKeeper {
    let aws: AWSSession
    let name: String

    init(_ aws: AWSSession, _ name: String) {
        self.aws = aws
        self.name = name
    }

    func holder() async throws(ProviderError) -> SecretHolder {
        do throws(ProviderError) {
            let answer = try await aws.call(
                .ssm, "ListTagsForResource", ["ResourceType": "Parameter", "ResourceId": .string(name)], effect: .read)
            return holder(byTags: answer.json["TagList"])
        } catch {
            if error.kind == .notFound || error.code == "InvalidResourceId" { return .nobody }
            throw error
        }
    }

    func create(_ text: String) async throws(ProviderError) { try await put(text, tags: keptTag, overwrite: .absent) }
    func replace(_ text: String) async throws(ProviderError) { try await put(text, tags: .absent, overwrite: true) }

    private func put(_ text: String, tags: AWSInput, overwrite: AWSInput) async throws(ProviderError) {
        _ = try await aws.call(
            .ssm, "PutParameter",
            [
                "Name": .string(name), "Value": .secret(Secret(text)), "Type": "SecureString", "Tags": tags,
                "Overwrite": overwrite,
            ], effect: .idempotent)
    }

    func delete() async throws(ProviderError) {
        try await aws.delete(.ssm, "DeleteParameter", ["Name": .string(name)])
    }
}

/// Calls: `DescribeSecret`, `CreateSecret`, `PutSecretValue`, `DeleteSecret`. The token that makes the two in the middle
/// idempotent is the caller's to choose: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
private struct ManagedSecret: SecretKeeper {
    let aws: AWSSession
    let name: String

    init(_ aws: AWSSession, _ name: String) {
        self.aws = aws
        self.name = name
    }

    func holder() async throws(ProviderError) -> SecretHolder {
        do throws(ProviderError) {
            let answer = try await aws.call(
                .secretsmanager, "DescribeSecret", ["SecretId": .string(name)], effect: .read)
            return holder(byTags: answer.json["Tags"])
        } catch {
            if error.kind == .notFound { return .nobody }
            throw error
        }
    }

    func create(_ text: String) async throws(ProviderError) {
        _ = try await aws.call(
            .secretsmanager, "CreateSecret",
            [
                "Name": .string(name), "SecretString": .secret(Secret(text)), "Tags": keptTag,
                "ClientRequestToken": .string(aws.client.makeToken()),
            ], effect: .idempotent)
    }

    func replace(_ text: String) async throws(ProviderError) {
        _ = try await aws.call(
            .secretsmanager, "PutSecretValue",
            [
                "SecretId": .string(name), "SecretString": .secret(Secret(text)),
                "ClientRequestToken": .string(aws.client.makeToken()),
            ], effect: .idempotent)
    }

    func delete() async throws(ProviderError) {
        try await aws.delete(
            .secretsmanager, "DeleteSecret", ["SecretId": .string(name), "ForceDeleteWithoutRecovery": true])
    }
}

extension ProviderError {
    fileprivate static func foreignSecret(at place: String) -> ProviderError {
        ProviderError(
            .invalid, "What is at \(place) was not made by muster, and is left as it is.",
            hint: "Name another place in \"secret_to\", or take away what is there.")
    }
}
