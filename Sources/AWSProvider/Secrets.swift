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
