import HTTPTransport
import Testing

@testable import AWSClient

@Suite struct CredentialFetcherTests {
    private func fetch(_ world: FakeWorld, _ provider: AWSAccessSettings = AWSAccessSettings()) async throws
        -> AWSCredentials
    {
        var settings = provider
        settings.region = provider.region ?? "us-east-1"
        let configuration = try await AWSConfiguration.load(settings, world.collaborators, version: "1")
        let chain = CredentialsProvider(
            settings, configuration: configuration, collaborators: world.collaborators, http: world)
        return try await chain.credentials()
    }

    private func failure(_ world: FakeWorld, _ provider: AWSAccessSettings = AWSAccessSettings()) async
        -> CredentialsError?
    {
        do {
            _ = try await fetch(world, provider)
            return nil
        } catch {
            return error as? CredentialsError
        }
    }

    private static func stsAnswer(_ operation: String, _ accessKeyID: String) -> HTTPResponse {
        HTTPResponse(
            200,
            """
            <\(operation)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><\(operation)Result>\
            <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn></AssumedRoleUser><Credentials>\
            <AccessKeyId>\(accessKeyID)</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
            <Expiration>2024-05-01T13:00:00Z</Expiration></Credentials></\(operation)Result></\(operation)Response>
            """)
    }

    // MARK: - Roles

    @Test("A chain of roles signs each step with the step before")
    func roleChain() async throws {
        let world = FakeWorld(files: [
            "/home/ann/.aws/config":
                "[default]\nrole_arn=arn:a\nsource_profile=b\nexternal_id=x\nrole_session_name=me\n"
                + "duration_seconds=3600\n[profile b]\nrole_arn=arn:b\nsource_profile=c\n",
            "/home/ann/.aws/credentials": "[c]\naws_access_key_id=KEYC\naws_secret_access_key=s\n",
        ]) { request, number in
            .success(Self.stsAnswer("AssumeRole", "ROLE\(number)"))
        }
        let credentials = try await fetch(world)
        #expect(credentials.accessKeyID == "ROLE2" && credentials.accountID == "123456789012")
        #expect(credentials.expiration == Timestamp(iso8601: "2024-05-01T13:00:00Z"))
        let requests = world.requests
        #expect(requests.map(\.url) == Array(repeating: "https://sts.us-east-1.amazonaws.com/", count: 2))
        #expect(requests[0].headers["Authorization"]?.contains("Credential=KEYC/20240501/us-east-1/sts/") == true)
        #expect(requests[1].headers["Authorization"]?.contains("Credential=ROLE1/") == true)
        #expect(requests[1].headers["X-Amz-Security-Token"] == "t")
        #expect(
            requests[1].bodyText
                == "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aa&RoleSessionName=me&ExternalId=x&DurationSeconds=3600"
        )
        #expect(requests[0].bodyText.hasSuffix("RoleArn=arn%3Ab&RoleSessionName=muster-1714564800"))
    }

    @Test("A refused role names the role, the identity and what STS said")
    func refusedRole() async {
        let world = FakeWorld(
            environment: ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"]
        ) { _, _ in .success(.queryError("AccessDenied", "not for you", status: 403)) }
        let error = await failure(world, AWSAccessSettings(assumeRole: .init(roleARN: "arn:r")))
        #expect(error?.attempts.last?.source == "assume_role arn:r")
        #expect(error?.attempts.last?.reason.contains("environment variables") == true)
        #expect(error?.attempts.last?.reason.contains("not for you") == true)
    }

    @Test("A role behind an MFA device asks for the code, or says that nobody can be asked")
    func mfa() async throws {
        let world = FakeWorld(files: [
            "/home/ann/.aws/config":
                "[default]\nrole_arn=arn:a\nsource_profile=c\nmfa_serial=dev\n[profile c]\naws_access_key_id=K\n"
                + "aws_secret_access_key=s\n"
        ]) { _, _ in .success(Self.stsAnswer("AssumeRole", "R")) }
        #expect(await failure(world)?.attempts.last?.reason.contains("MFA device dev") == true)
        #expect(world.requests.isEmpty)

        var collaborators = world.collaborators
        collaborators.askMFACode = { _ in "123456" }
        let configuration = AWSConfiguration(region: "us-east-1")
        let chain = CredentialsProvider(
            AWSAccessSettings(), configuration: configuration, collaborators: collaborators, http: world)
        _ = try await chain.credentials()
        #expect(world.requests[0].bodyText.hasSuffix("&SerialNumber=dev&TokenCode=123456"))
    }

    @Test("Web identity is exchanged without a signature, with the token of the moment")
    func webIdentity() async throws {
        let world = FakeWorld(
            environment: ["AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn:r", "AWS_ROLE_SESSION_NAME": "s"],
            files: ["/t": "token\n"]
        ) { _, _ in .success(Self.stsAnswer("AssumeRoleWithWebIdentity", "W")) }
        #expect(try await fetch(world).accessKeyID == "W")
        #expect(world.requests[0].headers["Authorization"] == nil)
        #expect(world.requests[0].bodyText.hasSuffix("&RoleSessionName=s&WebIdentityToken=token"))
        world.setFile("/t", .absent)
        #expect(await failure(world)?.attempts.last?.reason == "the token file /t cannot be read")
    }

    // MARK: - Processes

    private func processWorld(_ result: AWSCollaborators.ProcessResult?) -> FakeWorld {
        FakeWorld(
            files: ["/home/ann/.aws/config": "[default]\ncredential_process = 'my tool' --for \"a b\"\n"],
            process: { _ in result })
    }

    @Test("A credential process is run without a shell")
    func process() async throws {
        let json =
            #"{"Version":1,"AccessKeyId":"P","SecretAccessKey":"s","SessionToken":"t","Expiration":"2024-05-01T13:00:00Z","AccountId":"9"}"#
        let world = processWorld(.init(exitCode: 0, output: Array(json.utf8)))
        let credentials = try await fetch(world)
        #expect(credentials.accessKeyID == "P" && credentials.accountID == "9")
        #expect(credentials.sessionToken?.revealed == "t")
        #expect(world.processes == [["my tool", "--for", "a b"]])
    }

    @Test(
        "A process that fails is quoted",
        arguments: [
            (nil, "my tool could not be started"),
            (
                .init(exitCode: 3, errorOutput: Array("login first\nkey AKIAIOSFODNN7EXAMPLE".utf8)),
                "my tool ended with status 3: login first key •••"
            ),
            (.init(exitCode: 0, output: Array("oops".utf8)), "the output of my tool is not JSON"),
            (.init(exitCode: 0, output: Array(#"{"Version":2}"#.utf8)), "the output of my tool is not of version 1"),
            (
                .init(exitCode: 0, output: Array(#"{"Version":1}"#.utf8)),
                "the answer has no AccessKeyId and SecretAccessKey"
            ),
            (
                .init(
                    exitCode: 0,
                    output: Array(
                        #"{"Version":1,"AccessKeyId":"P","SecretAccessKey":"s","Expiration":"2024-05-01T11:00:00Z"}"#
                            .utf8)),
                "they expired at 2024-05-01T11:00:00Z"
            ),
        ] as [(AWSCollaborators.ProcessResult?, String)])
    func failedProcess(_ result: AWSCollaborators.ProcessResult?, _ reason: String) async {
        #expect(await failure(processWorld(result))?.attempts.last?.reason == reason)
    }

    // MARK: - SSO

    private let ssoConfig = """
        [default]
        sso_session = corp
        sso_account_id = 111122223333
        sso_role_name = Admin
        [sso-session corp]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = eu-west-1
        """

    private static let ssoAnswer = HTTPResponse(
        200,
        #"{"roleCredentials":{"accessKeyId":"S","secretAccessKey":"s","sessionToken":"t","expiration":1714568400000}}"#)

    @Test("The cached SSO token buys role credentials")
    func sso() async throws {
        let world = FakeWorld(files: [
            "/home/ann/.aws/config": ssoConfig,
            SSOCachePath.corp: #"{"accessToken":"bearer","expiresAt":"2024-05-01T18:00:00Z"}"#,
        ]) { _, _ in .success(Self.ssoAnswer) }
        let credentials = try await fetch(world)
        #expect(credentials.accessKeyID == "S" && credentials.accountID == "111122223333")
        let request = world.requests[0]
        #expect(
            request.url
                == "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?account_id=111122223333&role_name=Admin"
        )
        #expect(request.headers["x-amz-sso_bearer_token"] == "bearer" && request.headers["Authorization"] == nil)
    }

    @Test("An expiring SSO token is renewed and written back")
    func ssoRefresh() async throws {
        let world = FakeWorld(files: [
            "/home/ann/.aws/config": ssoConfig,
            SSOCachePath.corp:
                #"{"startUrl":"u","accessToken":"old","expiresAt":"2024-05-01T11:00:00Z","refreshToken":"r1","clientId":"c","clientSecret":"cs","registrationExpiresAt":"2024-06-01T00:00:00Z"}"#,
        ]) { request, _ in
            request.url.hasSuffix("/token")
                ? .success(HTTPResponse(200, #"{"accessToken":"new","expiresIn":3600,"refreshToken":"r2"}"#))
                : .success(Self.ssoAnswer)
        }
        _ = try await fetch(world)
        #expect(world.requests[0].url == "https://oidc.eu-west-1.amazonaws.com/token")
        #expect(
            world.requests[0].bodyText
                == #"{"clientId":"c","clientSecret":"cs","grantType":"refresh_token","refreshToken":"r1"}"#)
        #expect(world.requests[1].headers["x-amz-sso_bearer_token"] == "new")
        let written = try JSONValue(parsing: Array(try #require(world.written(SSOCachePath.corp)).utf8))
        #expect(written["accessToken"].string == "new" && written["refreshToken"].string == "r2")
        #expect(written["expiresAt"].string == "2024-05-01T13:00:00Z" && written["startUrl"].string == "u")
    }

    @Test(
        "A session that ended says how to log in",
        arguments: [
            (nil, "there is no session in \(SSOCachePath.corp)"),
            (#"{"accessToken":"a","expiresAt":"2024-05-01T11:00:00Z"}"#, "the session ended at 2024-05-01T11:00:00Z"),
            (#"{"accessToken":"a"}"#, "\(SSOCachePath.corp) has no expiresAt"),
            (
                #"{"accessToken":"a","expiresAt":"2024-05-01T18:00:00Z"}"#,
                #"status 401: "{"message":"Session token not found"}""#
            ),
        ] as [(String?, String)])
    func ssoFailure(_ cache: String?, _ reason: String) async {
        var files = ["/home/ann/.aws/config": ssoConfig]
        files[SSOCachePath.corp] = cache
        let world = FakeWorld(files: files) { _, _ in
            .success(HTTPResponse(401, #"{"message":"Session token not found"}"#))
        }
        let error = await failure(world)
        #expect(error?.attempts.last?.reason == reason)
        #expect(error?.hint == "run: aws sso login --profile default")
    }

    // MARK: - Containers

    private static let containerAnswer = HTTPResponse(
        200, #"{"AccessKeyId":"C","SecretAccessKey":"s","Token":"t","Expiration":"2024-05-01T13:00:00Z"}"#)

    @Test("A container's credentials come from its agent, past any proxy")
    func container() async throws {
        let world = FakeWorld(
            environment: [
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "no",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token",
            ], files: ["/token": "yes\n"]
        ) { _, number in number == 1 ? .success(HTTPResponse(500, "")) : .success(Self.containerAnswer) }
        #expect(try await fetch(world).sessionToken?.revealed == "t")
        let request = world.requests[1]
        #expect(request.url == "http://169.254.170.2/v2/x" && request.headers["Authorization"] == "yes")
        #expect(request.bypassesProxy && request.totalTimeout == .seconds(2))
    }

    @Test(
        "A container URL is trusted only where nobody else can listen",
        arguments: [
            ("https://anywhere.example/x?y=z", true), ("http://localhost:80/", true), ("http://127.1.2.3/", true),
            ("http://[::1]/", true), ("http://169.254.170.23/v1", true), ("http://[fd00:ec2::23]/v1", true),
            ("http://example.com/", false), ("http://127.0.0.1.example.com/", false), ("http://127.0.0/", false),
            ("http://169.254.169.254/", false), ("ftp://localhost/", false), ("", false),
        ])
    func containerURL(_ url: String, _ isTrusted: Bool) {
        #expect(CredentialFetcher.isTrustedContainerURL(url) == isTrusted)
    }

    @Test("A token with a line break is refused")
    func containerToken() async {
        let world = FakeWorld(
            environment: [
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\r\nX: 1",
            ]) { _, _ in .success(Self.containerAnswer) }
        #expect(await failure(world)?.attempts.last?.reason == "the authorization token has a line break")
        #expect(world.requests.isEmpty)
    }

    // MARK: - The metadata service

    private static func metadata(_ request: HTTPRequest, token: Int = 200) -> HTTPResponse {
        if request.url.hasSuffix("/api/token") { return HTTPResponse(token, "session") }
        if request.url.hasSuffix("/security-credentials/") { return HTTPResponse(200, "my-role\n") }
        return HTTPResponse(
            200,
            #"{"Code":"Success","AccessKeyId":"I","SecretAccessKey":"s","Token":"t","Expiration":"2024-05-01T13:00:00Z"}"#
        )
    }

    @Test("The metadata service is asked with a session token, for a second at most")
    func metadata() async throws {
        let world = FakeWorld { request, _ in .success(Self.metadata(request)) }
        #expect(try await fetch(world).accessKeyID == "I")
        let requests = world.requests
        #expect(
            requests.map { "\($0.method) \($0.url)" } == [
                "PUT http://169.254.169.254/latest/api/token",
                "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/",
                "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role",
            ])
        #expect(requests[0].headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600")
        #expect(requests[2].headers["x-aws-ec2-metadata-token"] == "session")
        #expect(requests.allSatisfy { $0.totalTimeout == .seconds(1) && $0.bypassesProxy })
    }

    @Test("Without tokens version 1 is spoken, unless that is switched off", arguments: [403, 404, 405])
    func metadataVersion1(_ status: Int) async throws {
        let answer: FakeWorld.Answer = { request, _ in .success(Self.metadata(request, token: status)) }
        let world = FakeWorld(answer)
        #expect(try await fetch(world).accessKeyID == "I")
        #expect(world.requests[2].headers["x-aws-ec2-metadata-token"] == nil)
        let strict = FakeWorld(environment: ["AWS_EC2_METADATA_V1_DISABLED": "true"], answer)
        #expect(await failure(strict)?.attempts.last?.reason.contains("version 1 is switched off") == true)
    }

    @Test("Expired metadata credentials are used for a while, since AWS accepts them during an outage")
    func metadataOutage() async throws {
        let world = FakeWorld(random: 0.5) { request, _ in .success(Self.metadata(request)) }
        world.advance(by: .seconds(2 * 3_600))
        #expect(try await fetch(world).expiration == world.now + .seconds(600))
    }

    @Test("Where nothing is found, every source and its reason is named")
    func nothing() async {
        let world = FakeWorld { _, _ in .failure(.timedOut(sent: false)) }
        let error = await failure(world)
        #expect(error?.summary == "no AWS credentials were found")
        #expect(
            error?.attempts.map(\.source) == [
                "environment variables", "web identity", "profile default", "container", "instance metadata",
            ])
        #expect(error?.hint?.contains("aws configure") == true)
        #expect(world.requests.count == 1)
    }

    @Test("The metadata service can be switched off or be elsewhere")
    func metadataSettings() async throws {
        let off = FakeWorld(environment: ["AWS_EC2_METADATA_DISABLED": "TRUE"])
        #expect(await failure(off)?.attempts.last?.reason == "switched off by AWS_EC2_METADATA_DISABLED")
        #expect(off.requests.isEmpty)
        let six = FakeWorld(environment: ["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"])
        _ = await failure(six)
        #expect(six.requests.first?.url == "http://[fd00:ec2::254]/latest/api/token")
        let custom = FakeWorld(environment: ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1338/"])
        _ = await failure(custom)
        #expect(custom.requests.first?.url == "http://127.0.0.1:1338/latest/api/token")
    }
}

enum SSOCachePath {
    /// The SHA-1 of `corp`.
    static let corp = "/home/ann/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
}
