// Asks a source for credentials. What to ask was decided in `CredentialDecision`; here is the input and output only.

import Crypto
import HTTPTransport

struct CredentialFetcher {
    let configuration: AWSConfiguration
    let collaborators: AWSCollaborators
    let profiles: SharedProfiles
    let http: any HTTPClient

    /// - Throws: with one attempt, that of the source that failed.
    func fetch(_ source: CredentialSource) async throws(CredentialsError) -> AWSCredentials {
        switch source {
        case .known(let credentials): return credentials
        case .assumeRole(let role, let base):
            return try await assume(role, as: try await fetch(base))
        case .webIdentity(let identity): return try await assume(identity)
        case .sso(let sso): return try await SSOCredentials(sso: sso, fetcher: self).fetch()
        case .process(let command, let label): return try await run(command, label)
        case .container: return try await container()
        case .instanceMetadata:
            return try await InstanceMetadata(
                collaborators: collaborators, profile: profiles.profiles[configuration.profile], http: http
            ).fetch()
        }
    }

    static func failure(_ source: String, _ reason: String, hint: String? = nil) -> CredentialsError {
        CredentialsError("\(source) gave no credentials: \(reason)", attempts: [.init(source, reason)], hint: hint)
    }

    // MARK: - STS

    private func client(_ credentials: AWSCredentials?) -> AWSClient {
        let none = AWSCredentials(accessKeyID: "", secretAccessKey: "", source: "none")
        return AWSClient(
            configuration: configuration, credentials: StaticCredentials(credentials ?? none), http: http,
            collaborators: collaborators)
    }

    private func sessionName(_ name: String?) -> String {
        name ?? "muster-\(collaborators.now().millisecondsSinceEpoch / 1_000)"
    }

    private func assume(
        _ role: CredentialSource.Role, as base: AWSCredentials
    ) async throws(CredentialsError) -> AWSCredentials {
        var input: AWSInput = [
            "RoleArn": .string(role.roleARN), "RoleSessionName": .string(sessionName(role.sessionName)),
            "ExternalId": .optional(role.externalID), "DurationSeconds": .optional(role.durationSeconds),
        ]
        if let serial = role.mfaSerial {
            guard let code = await collaborators.askMFACode?(serial) else {
                throw Self.failure(
                    role.label, "the role wants a code of the MFA device \(serial), and nobody can be asked",
                    hint: "put credentials of a session into the environment, or use credential_process")
            }
            input["SerialNumber"] = .string(serial)
            input["TokenCode"] = .string(code)
        }
        do {
            let output = try await client(base).call(.sts, "AssumeRole", input, effect: .idempotent)
            return try credentials(output.xml, role.label)
        } catch let error as AWSError {
            throw Self.failure(role.label, "with \(base.source): \(error)")
        } catch let error as CredentialsError {
            throw error
        } catch {
            throw Self.failure(role.label, "\(error)")
        }
    }

    private func assume(_ identity: CredentialSource.WebIdentity) async throws(CredentialsError) -> AWSCredentials {
        // Read anew each time: the file is rotated under us.
        guard case .content(let bytes) = await collaborators.readFile(identity.tokenFile) else {
            throw Self.failure(identity.label, "the token file \(identity.tokenFile) cannot be read")
        }
        var operation = AWSOperation(
            .sts, "AssumeRoleWithWebIdentity",
            [
                "RoleArn": .string(identity.roleARN), "RoleSessionName": .string(sessionName(identity.sessionName)),
                "WebIdentityToken": .string(String(decoding: bytes, as: UTF8.self).trimmedBlanks),
            ], effect: .idempotent)
        operation.isSigned = false
        do {
            return try credentials(try await client(nil).call(operation).xml, identity.label)
        } catch let error as AWSError {
            throw Self.failure(identity.label, "\(error)")
        } catch let error as CredentialsError {
            throw error
        } catch {
            throw Self.failure(identity.label, "\(error)")
        }
    }

    private func credentials(_ result: XMLElement, _ label: String) throws(CredentialsError) -> AWSCredentials {
        let values = result["Credentials"]
        guard let accessKeyID = values["AccessKeyId"].nonEmpty, let secret = values["SecretAccessKey"].nonEmpty,
            let token = values["SessionToken"].nonEmpty
        else { throw Self.failure(label, "the answer of STS has no credentials") }
        // arn:aws:sts::123456789012:assumed-role/name/session
        let arn = result["AssumedRoleUser"]["Arn"].text.split(separator: ":", omittingEmptySubsequences: false)
        return AWSCredentials(
            accessKeyID: accessKeyID, secretAccessKey: Secret(secret), sessionToken: Secret(token),
            expiration: values["Expiration"].timestamp, accountID: arn.count > 4 ? String(arn[4]) : nil, source: label)
    }

    // MARK: - credential_process

    private func run(_ command: String, _ label: String) async throws(CredentialsError) -> AWSCredentials {
        guard let arguments = ShellWords.split(command), let program = arguments.first else {
            throw Self.failure(label, "the command has an unclosed quote or is empty")
        }
        guard let result = await collaborators.runProcess(arguments) else {
            throw Self.failure(label, "\(program) could not be started")
        }
        guard result.exitCode == 0 else {
            let talk = Redaction.excerpt(result.errorOutput, limit: 300)
            throw Self.failure(label, "\(program) ended with status \(result.exitCode): \(talk)")
        }
        guard let document = try? JSONValue(parsing: result.output) else {
            throw Self.failure(label, "the output of \(program) is not JSON")
        }
        guard document["Version"].integer == 1 else {
            throw Self.failure(label, "the output of \(program) is not of version 1")
        }
        return try Self.credentials(document, label, token: "SessionToken")
    }

    /// The JSON that processes, containers and instances answer with.
    static func credentials(
        _ document: JSONValue, _ label: String, token: String
    ) throws(CredentialsError) -> AWSCredentials {
        guard let accessKeyID = document["AccessKeyId"].string, !accessKeyID.isEmpty,
            let secret = document["SecretAccessKey"].string, !secret.isEmpty
        else { throw failure(label, "the answer has no AccessKeyId and SecretAccessKey") }
        var expiration: Timestamp?
        if let text = document["Expiration"].string {
            guard let time = Timestamp(iso8601: text) else {
                throw failure(label, "Expiration is not a time: \"\(text)\"")
            }
            expiration = time
        }
        return AWSCredentials(
            accessKeyID: accessKeyID, secretAccessKey: Secret(secret),
            sessionToken: document[token].string.map { Secret($0) }, expiration: expiration,
            accountID: document["AccountId"].string, source: label)
    }

    // MARK: - Container

    private func container() async throws(CredentialsError) -> AWSCredentials {
        let label = "container"
        var request: HTTPRequest
        if let path = collaborators.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            request = HTTPRequest(url: "http://169.254.170.2\(path)")
        } else {
            let url = collaborators.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") ?? ""
            guard Self.isTrustedContainerURL(url) else {
                throw Self.failure(
                    label,
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor a loopback or container address: \(url)")
            }
            request = HTTPRequest(url: url)
        }
        request.headers["Accept"] = "application/json"
        if let token = try await containerToken(label) { request.headers["Authorization"] = token }
        request.connectTimeout = .seconds(2)
        request.totalTimeout = .seconds(2)
        request.bypassesProxy = true
        request.maxResponseBytes = 1 << 20
        let document = try await json(request, label, attempts: 3)
        return try Self.credentials(document, label, token: "Token")
    }

    private func containerToken(_ label: String) async throws(CredentialsError) -> String? {
        var token = collaborators.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        if let path = collaborators.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            guard case .content(let bytes) = await collaborators.readFile(path) else {
                throw Self.failure(label, "the token file \(path) cannot be read")
            }
            token = String(decoding: bytes, as: UTF8.self).trimmedBlanks
        }
        guard let token else { return nil }
        guard !token.utf8.contains(where: { $0 == 0x0a || $0 == 0x0d }) else {
            throw Self.failure(label, "the authorization token has a line break")
        }
        return token
    }

    static func isTrustedContainerURL(_ url: String) -> Bool {
        guard let endpoint = AWSEndpoint(url: String(url.prefix { $0 != "?" }), signingRegion: "") else { return false }
        if endpoint.scheme == "https" { return true }
        var host = endpoint.host
        if host.hasPrefix("[") {
            host = String(host.dropFirst().prefix { $0 != "]" })
        } else {
            host = String(host.prefix { $0 != ":" })
        }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
        let isLoopback = numbers.count == 4 && numbers[0] == 127 && host.split(separator: ".").count == 4
        return isLoopback || ["localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(host)
    }

    /// Sends a request up to `attempts` times and reads a JSON object.
    func json(
        _ request: HTTPRequest, _ label: String, attempts: Int
    ) async throws(CredentialsError) -> JSONValue {
        var reason = ""
        for attempt in 1...attempts {
            if attempt > 1, (try? await collaborators.sleep(.milliseconds(200 * attempt))) == nil { break }
            do {
                let response = try await http.send(request)
                if response.status == 200 {
                    if let document = try? JSONValue(parsing: response.body) { return document }
                    reason = "the answer is not JSON: \"\(Redaction.excerpt(response.body))\""
                } else {
                    reason = "status \(response.status): \"\(Redaction.excerpt(response.body))\""
                    if response.status < 500 { break }
                }
            } catch {
                reason = error.description
                if case .cancelled = error { break }
            }
        }
        throw Self.failure(label, reason)
    }
}
