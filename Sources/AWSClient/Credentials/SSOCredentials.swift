import Crypto
import HTTPTransport
import TextEncodings

/// Role credentials of IAM Identity Center, by the token that `aws sso login` left in the cache.
struct SSOCredentials {
    let sso: CredentialSource.SSO
    let fetcher: CredentialFetcher

    private var collaborators: AWSCollaborators { fetcher.collaborators }
    private var loginHint: String { "run: aws sso login --profile \(sso.profile)" }

    private func failure(_ reason: String) -> CredentialsError {
        CredentialFetcher.failure(sso.label, reason, hint: loginHint)
    }

    func fetch() async throws(CredentialsError) -> AWSCredentials {
        let token = try await token()
        let query = SigV4Signer.canonicalQuery(
            "", adding: [("role_name", sso.roleName), ("account_id", sso.accountID)])
        let request = HTTPRequest(
            url: "\(url("sso", "portal.sso"))/federation/credentials?\(query)",
            headers: ["x-amz-sso_bearer_token": token.revealed, "Accept": "application/json"],
            totalTimeout: .seconds(20), maxResponseBytes: 1 << 20)
        let document: JSONValue
        do {
            document = try await fetcher.json(request, sso.label, attempts: 3)
        } catch {
            throw CredentialsError(error.summary, attempts: error.attempts, hint: loginHint)
        }
        let values = document["roleCredentials"]
        guard let accessKeyID = values["accessKeyId"].string, let secret = values["secretAccessKey"].string,
            let session = values["sessionToken"].string, let expiration = values["expiration"].integer
        else { throw failure("the answer has no roleCredentials") }
        return AWSCredentials(
            accessKeyID: accessKeyID, secretAccessKey: Secret(secret), sessionToken: Secret(session),
            expiration: Timestamp(millisecondsSinceEpoch: Int64(expiration)), accountID: sso.accountID,
            source: sso.label)
    }

    private func url(_ identifier: String, _ prefix: String) -> String {
        if let custom = fetcher.configuration.endpoints.overrideURL(for: identifier),
            let endpoint = AWSEndpoint(url: custom, signingRegion: "")
        {
            return endpoint.url
        }
        return "https://\(prefix).\(sso.region).\(AWSPartition(region: sso.region).hostSuffix)"
    }

    // MARK: - The token

    private func token() async throws(CredentialsError) -> Secret {
        guard let home = collaborators.homeDirectory else { throw failure("there is no home directory") }
        let name = Hexadecimal.encode(Insecure.SHA1.hash(data: Array((sso.session ?? sso.startURL).utf8)))
        let path = "\(home)/.aws/sso/cache/\(name).json"
        guard case .content(let bytes) = await collaborators.readFile(path),
            let cache = try? JSONValue(parsing: bytes), let token = cache["accessToken"].string
        else { throw failure("there is no session in \(path)") }
        guard let expiresAt = cache["expiresAt"].timestamp else { throw failure("\(path) has no expiresAt") }
        let now = collaborators.now()
        let isFresh = expiresAt > now + .seconds(300)
        if isFresh { return Secret(token) }
        if let renewed = await renew(cache, path) { return renewed }
        guard expiresAt > now else { throw failure("the session ended at \(expiresAt.iso8601)") }
        return Secret(token)
    }

    /// A new token, by the refresh token; `nil` where there is none or it is refused.
    private func renew(_ cache: JSONValue, _ path: String) async -> Secret? {
        guard sso.session != nil, let refreshToken = cache["refreshToken"].string,
            let clientID = cache["clientId"].string, let clientSecret = cache["clientSecret"].string
        else { return nil }
        if let end = cache["registrationExpiresAt"].timestamp, end <= collaborators.now() { return nil }
        let input: AWSInput = [
            "clientId": .string(clientID), "clientSecret": .string(clientSecret), "grantType": "refresh_token",
            "refreshToken": .string(refreshToken),
        ]
        // A refresh token may be good for one use only: it is not sent again after an unknown outcome.
        let request = HTTPRequest(
            method: "POST", url: "\(url("sso_oidc", "oidc"))/token", headers: ["Content-Type": "application/json"],
            body: JSONBodyEncoder.encode(input), totalTimeout: .seconds(20), maxResponseBytes: 1 << 20)
        guard let document = try? await fetcher.json(request, sso.label, attempts: 1),
            let token = document["accessToken"].string, let seconds = document["expiresIn"].integer
        else { return nil }

        var updated: [AWSInput.Field] = []
        let expiresAt = collaborators.now() + .seconds(seconds)
        let replaced = ["accessToken", "expiresAt", "refreshToken"]
        for member in cache.members where !replaced.contains(member.name) {
            if let text = member.value.string { updated.append(.init(member.name, .string(text))) }
            if let flag = member.value.boolean { updated.append(.init(member.name, .boolean(flag))) }
        }
        updated.append(.init("accessToken", .string(token)))
        updated.append(.init("expiresAt", .string(expiresAt.iso8601)))
        updated.append(.init("refreshToken", .string(document["refreshToken"].string ?? refreshToken)))
        // Without it the next run could not renew: the old refresh token is used up. It is no failure of this run.
        _ = await collaborators.writeFile(path, JSONBodyEncoder.encode(.structure(updated)))
        return Secret(token)
    }
}
