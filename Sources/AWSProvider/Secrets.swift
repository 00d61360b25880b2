import AWSClient
package import MusterModel
package import ProviderKit

extension AWSProvider {
    package func secret(
        _ source: String, _ configuration: ProviderConfiguration
    ) async throws(ProviderError) -> String {
        let session = AWSSession(client: try await client(for: configuration), expecting: [:])
        if source.hasPrefix("ssm:") {
            let answer = try await session.call(
                .ssm, "GetParameter",
                ["Name": .string(String(source.dropFirst("ssm:".count))), "WithDecryption": true], effect: .read)
            guard let text = answer.json["Parameter"]["Value"].string else {
                throw ProviderError(.notUnderstood, "The parameter has no value.", operation: "ssm.GetParameter")
            }
            return text
        }
        guard source.hasPrefix("secretsmanager:") else {
            throw ProviderError(
                .invalid, "A secret comes from env:, file:, ssm: or secretsmanager:, and not from \"\(source)\".")
        }
        let parts = source.dropFirst("secretsmanager:".count).split(separator: "#", maxSplits: 1).map(String.init)
        let answer = try await session.call(
            .secretsmanager, "GetSecretValue", ["SecretId": .string(parts.first ?? "")], effect: .read)
        guard let text = answer.json["SecretString"].string else {
            throw ProviderError(
                .invalid, "The secret is binary; muster reads text.", operation: "secretsmanager.GetSecretValue")
        }
        guard parts.count == 2 else { return text }
        guard let value = try? ValueJSON.decodePlain(text).map?[parts[1]] else {
            throw ProviderError(
                .notFound, "The secret has no key \"\(parts[1])\".", operation: "secretsmanager.GetSecretValue")
        }
        return value.string ?? ValueJSON.text(value)
    }
}

extension AWSProvider {
    /// Keeps a text at `ssm:/path` (a SecureString) or `secretsmanager:name`, in place of what was there.
    package func keepSecret(
        _ text: String, at place: String, _ configuration: ProviderConfiguration
    ) async throws(ProviderError) {
        let session = AWSSession(client: try await client(for: configuration), expecting: [:])
        if place.hasPrefix("ssm:") {
            _ = try await session.call(
                .ssm, "PutParameter",
                [
                    "Name": .string(String(place.dropFirst("ssm:".count))), "Value": .string(text),
                    "Type": "SecureString", "Overwrite": true,
                ], effect: .idempotent)
            return
        }
        let name = try secretName(place)
        do throws(ProviderError) {
            _ = try await session.call(
                .secretsmanager, "PutSecretValue", ["SecretId": name, "SecretString": .string(text)],
                effect: .idempotent)
        } catch {
            guard error.kind == .notFound else { throw error }
            _ = try await session.call(
                .secretsmanager, "CreateSecret", ["Name": name, "SecretString": .string(text)], effect: .once)
        }
    }

    /// What is gone already is fine.
    package func removeSecret(at place: String, _ configuration: ProviderConfiguration) async throws(ProviderError) {
        let session = AWSSession(client: try await client(for: configuration), expecting: [:])
        if place.hasPrefix("ssm:") {
            try await session.delete(
                .ssm, "DeleteParameter", ["Name": .string(String(place.dropFirst("ssm:".count)))])
            return
        }
        try await session.delete(
            .secretsmanager, "DeleteSecret",
            ["SecretId": try secretName(place), "ForceDeleteWithoutRecovery": true])
    }

    private func secretName(_ place: String) throws(ProviderError) -> AWSInput {
        guard place.hasPrefix("secretsmanager:") else {
            throw ProviderError(
                .invalid, "A secret goes to file:, ssm: or secretsmanager:, and not to \"\(place)\".")
        }
        return .string(String(place.dropFirst("secretsmanager:".count)))
    }
}
