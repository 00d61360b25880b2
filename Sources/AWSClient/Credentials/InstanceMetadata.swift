import HTTPTransport
import TextEncodings

/// Credentials of the instance's role, from the metadata service (version 2, else 1).
struct InstanceMetadata {
    let collaborators: AWSCollaborators
    let profile: SharedProfile?
    let http: any HTTPClient

    private static let label = "instance metadata"
    private static let path = "/latest/meta-data/iam/security-credentials/"

    func fetch() async throws(CredentialsError) -> AWSCredentials {
        if collaborators.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" {
            throw failure("switched off by AWS_EC2_METADATA_DISABLED")
        }
        let base = try endpoint()
        let token = try await token(base)
        let list = try await get(base + Self.path, token)
        guard list.status == 200 else {
            throw failure(list.status == 404 ? "no role is attached to the instance" : "status \(list.status)")
        }
        let lines = String(decoding: list.body, as: UTF8.self).split(whereSeparator: \.isNewline)
        guard let role = lines.first.map({ String($0).trimmedBlanks }), !role.isEmpty else {
            throw failure("no role is attached to the instance")
        }
        let answer = try await get(base + Self.path + PercentEncoding.encode(role), token)
        guard answer.status == 200, let document = try? JSONValue(parsing: answer.body) else {
            throw failure("status \(answer.status): \"\(Redaction.excerpt(answer.body))\"")
        }
        guard document["Code"].string == "Success" else {
            throw failure("\(document["Code"].text): \(document["Message"].text)")
        }
        var credentials = try CredentialFetcher.credentials(document, Self.label, token: "Token")
        if let expiration = credentials.expiration, expiration <= collaborators.now() {
            // During an outage of the metadata service AWS accepts what has expired: use it, ask again in a while.
            credentials.expiration = collaborators.now() + .seconds(300 + collaborators.random() * 600)
        }
        return credentials
    }

    private func failure(_ reason: String) -> CredentialsError { CredentialFetcher.failure(Self.label, reason) }

    private func endpoint() throws(CredentialsError) -> String {
        let custom =
            collaborators.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? profile?["ec2_metadata_service_endpoint"]
        if let custom {
            guard let endpoint = AWSEndpoint(url: custom, signingRegion: "") else {
                throw failure("AWS_EC2_METADATA_SERVICE_ENDPOINT is not a URL: \"\(custom)\"")
            }
            return endpoint.url
        }
        let mode =
            collaborators.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
            ?? profile?["ec2_metadata_service_endpoint_mode"]
        return mode?.lowercased() == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
    }

    private func send(_ request: HTTPRequest) async throws(CredentialsError) -> HTTPResponse {
        var request = request
        // In a container one hop away from the instance nothing ever answers: a second is all there is to lose.
        request.connectTimeout = .seconds(1)
        request.totalTimeout = .seconds(1)
        request.bypassesProxy = true
        request.maxResponseBytes = 1 << 20
        do {
            return try await http.send(request)
        } catch {
            throw failure("nothing answers at the metadata address (\(error))")
        }
    }

    /// `nil`: only version 1 is spoken there.
    private func token(_ base: String) async throws(CredentialsError) -> String? {
        let response = try await send(
            HTTPRequest(
                method: "PUT", url: "\(base)/latest/api/token",
                headers: ["x-aws-ec2-metadata-token-ttl-seconds": "21600"]))
        switch response.status {
        case 200: return String(decoding: response.body, as: UTF8.self).trimmedBlanks
        case 403, 404, 405:
            let isV1Disabled =
                (collaborators.variable("AWS_EC2_METADATA_V1_DISABLED") ?? profile?["ec2_metadata_v1_disabled"])?
                .lowercased() == "true"
            guard !isV1Disabled else {
                throw failure("it gives no session token, and version 1 is switched off")
            }
            return nil
        default: throw failure("status \(response.status) for the session token")
        }
    }

    private func get(_ url: String, _ token: String?) async throws(CredentialsError) -> HTTPResponse {
        var request = HTTPRequest(url: url)
        if let token { request.headers["x-aws-ec2-metadata-token"] = token }
        return try await send(request)
    }
}
