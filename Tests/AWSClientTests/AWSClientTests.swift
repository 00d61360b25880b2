import HTTPTransport
import Synchronization
import Testing

@testable import AWSClient

@Suite struct AWSClientTests {
    private static let vpcs = HTTPResponse(
        200, "<DescribeVpcsResponse><requestId>q</requestId><vpcSet/></DescribeVpcsResponse>")
    private static let created = HTTPResponse(200, "<CreateVpcResponse><vpc><vpcId>v</vpcId></vpc></CreateVpcResponse>")
    private let read = AWSOperation(.ec2, "DescribeVpcs")
    private let create = AWSOperation(.ec2, "CreateVpc", ["CidrBlock": "10.0.0.0/16"])
    private let upsert = AWSOperation(.iam, "PutRolePolicy", effect: .idempotent)

    /// A world that answers with each of these in turn, then with the last.
    private func world(_ answers: Result<HTTPResponse, HTTPError>..., random: Double = 1) -> FakeWorld {
        FakeWorld(random: random) { _, number in answers[min(number, answers.count) - 1] }
    }

    // MARK: - The request

    @Test("A call is signed, identified and numbered")
    func request() async throws {
        let world = world(.success(Self.vpcs), random: 0.5)
        let output = try await world.client().call(.ec2, "DescribeVpcs", ["VpcId": ["vpc-1"]])
        #expect(output.requestID == "q" && output.status == 200)
        let request = try #require(world.requests.first)
        #expect(request.method == "POST" && request.url == "https://ec2.us-east-1.amazonaws.com/")
        #expect(request.bodyText == "Action=DescribeVpcs&Version=2016-11-15&VpcId.1=vpc-1")
        #expect(request.headers["X-Amz-Date"] == "20240501T120000Z")
        #expect(
            request.headers["Authorization"]?.hasPrefix(
                "AWS4-HMAC-SHA256 Credential=AKID/20240501/us-east-1/ec2/aws4_request, "
                    + "SignedHeaders=content-type;host;x-amz-date, Signature=") == true)
        #expect(request.headers["User-Agent"] == "muster/test")
        #expect(request.headers["amz-sdk-invocation-id"] == "80808080-8080-4080-8080-808080808080")
        #expect(request.headers["amz-sdk-request"] == "attempt=1; max=8")
        #expect(request.isRepeatable)
    }

    @Test("What must happen once is not repeated by the transport either")
    func repeatability() async throws {
        let world = world(.success(Self.created))
        _ = try await world.client().call(create)
        #expect(world.requests.first?.isRepeatable == false)
    }

    @Test("A call may name another region")
    func otherRegion() async throws {
        let world = world(.success(Self.vpcs))
        _ = try await world.client().call(.ec2, "DescribeVpcs", region: "eu-west-1")
        #expect(world.requests.first?.url == "https://ec2.eu-west-1.amazonaws.com/")
        #expect(world.requests.first?.headers["Authorization"]?.contains("/eu-west-1/ec2/") == true)
    }

    @Test("A global service is signed for its own region")
    func globalService() async throws {
        let world = world(.success(HTTPResponse(200, "<ListHostedZonesResponse/>")))
        let operation = AWSOperation(
            .route53, "ListHostedZones",
            rest: RESTRoute("GET", "/2013-04-01/hostedzone", query: [.init("maxitems", 100)]))
        _ = try await world.client(region: "eu-west-1").call(operation)
        #expect(world.requests.first?.url == "https://route53.amazonaws.com/2013-04-01/hostedzone?maxitems=100")
        #expect(world.requests.first?.headers["Authorization"]?.contains("/us-east-1/route53/") == true)
    }

    @Test("A region that is none never becomes part of a host name")
    func badRegion() async {
        let world = world(.success(Self.vpcs))
        var operation = read
        operation.region = "evil.example/"
        #expect(await world.client().failure(of: operation)?.kind == .configuration)
        #expect(world.requests.isEmpty)
    }

    // MARK: - Retries

    @Test("A throttle is waited out with growing pauses, whatever the call does")
    func throttle() async throws {
        let throttled = Result<HTTPResponse, HTTPError>.success(.ec2Error("RequestLimitExceeded", status: 503))
        let world = world(throttled, throttled, .success(Self.created))
        _ = try await world.client().call(create)
        #expect(world.requests.count == 3)
        #expect(world.requests.map { $0.headers["amz-sdk-request"] } == (1...3).map { "attempt=\($0); max=8" })
        #expect(Set(world.requests.map { $0.headers["amz-sdk-invocation-id"] }).count == 1)
        #expect(world.slept.contains(.seconds(1)) && world.slept.contains(.seconds(2)))
    }

    @Test("The server's hint is heeded")
    func hint() async throws {
        var throttled = HTTPResponse.ec2Error("RequestLimitExceeded", status: 503)
        throttled.headers["x-amz-retry-after"] = "4000"
        let world = world(.success(throttled), .success(Self.vpcs))
        _ = try await world.client().call(read)
        #expect(world.slept.contains(.seconds(4)))
    }

    @Test(
        "Nobody listens: even what must happen once is tried again, a few times",
        arguments: [
            HTTPError.couldNotConnect("refused"), .couldNotResolve("no such host"), .timedOut(sent: false),
        ])
    func unreachable(_ cause: HTTPError) async {
        let world = world(.failure(cause))
        let error = await world.client().failure(of: create)
        #expect(error?.kind == .network && error?.attempts == 3 && world.requests.count == 3)
    }

    /// After these nobody knows whether the server acted.
    static let ambiguous: [Result<HTTPResponse, HTTPError>] = [
        .failure(.connectionLost(sent: true, "reset")), .failure(.timedOut(sent: true)),
        .success(.ec2Error("InternalError", status: 500)), .success(HTTPResponse(503, "")),
        .success(HTTPResponse(502, "<html>Bad gateway</html>")), .success(HTTPResponse(500, "<html>crash</html>")),
        .success(HTTPResponse(200, "<CreateVpcResponse><vpc><vpcId>v</vpc")),
        .success(HTTPResponse(200, "<html>ok</html>")),
        .failure(.tooLarge(limit: 1)), .failure(.invalidResponse("garbage")),
    ]

    @Test("What must happen once is sent once when its outcome is unknown", arguments: ambiguous)
    func once(_ answer: Result<HTTPResponse, HTTPError>) async {
        let world = world(answer)
        let error = await world.client().failure(of: create)
        #expect(error?.kind == .outcomeUnknown && error?.isOutcomeUnknown == true && error?.attempts == 1)
        #expect(error?.message.hasSuffix("whether the change was made is not known") == true)
        #expect(world.requests.count == 1)
    }

    @Test("A reading call's outcome is never unknown", arguments: ambiguous)
    func readOutcome(_ answer: Result<HTTPResponse, HTTPError>) async {
        let error = await world(answer).client().failure(of: read)
        #expect(error != nil && error?.kind != .outcomeUnknown)
    }

    @Test("An idempotent change is repeated, and its outcome stays unknown if nothing settles it")
    func idempotent() async throws {
        let lost = Result<HTTPResponse, HTTPError>.failure(.connectionLost(sent: true, "reset"))
        let healing = world(lost, .success(HTTPResponse(200, "<PutRolePolicyResponse/>")))
        _ = try await healing.client().call(upsert)
        #expect(healing.requests.count == 2)

        let lasting = world(lost)
        let error = await lasting.client().failure(of: upsert)
        #expect(error?.kind == .outcomeUnknown && lasting.requests.count == 8)

        // The first attempt may have worked, whatever refuses the later ones.
        let refused = world(lost, .failure(.couldNotConnect("refused")))
        #expect(await refused.client().failure(of: upsert)?.kind == .outcomeUnknown)
        let full = world(lost, .success(.queryError("LimitExceeded", status: 409)))
        #expect(await full.client().failure(of: upsert)?.kind == .outcomeUnknown)
    }

    @Test("An answer about the object settles an idempotent change")
    func settled() async {
        let world = world(
            .failure(.connectionLost(sent: true, "reset")), .success(.queryError("EntityAlreadyExists", status: 409)))
        #expect(await world.client().failure(of: upsert)?.kind == .alreadyExists)
    }

    @Test("A crash page is final, a gateway's page is not")
    func htmlFaults() async throws {
        let crash = world(.success(HTTPResponse(500, "<html>Traceback</html>")))
        let error = await crash.client().failure(of: read)
        #expect(error?.kind == .notAWS && error?.httpStatus == 500 && crash.requests.count == 1)
        #expect(error?.message.contains("Traceback") == true)
        let gateway = world(.success(HTTPResponse(504, "<html>Time-out</html>")), .success(Self.vpcs))
        _ = try await gateway.client().call(read)
        #expect(gateway.requests.count == 2)
    }

    @Test(
        "A refusal is final",
        arguments: [
            ("UnauthorizedOperation", 403, AWSError.Kind.unauthorized), ("InvalidParameterValue", 400, .validation),
            ("VpcLimitExceeded", 400, .quota), ("AuthFailure", 401, .badCredentials),
        ])
    func refusals(_ code: String, _ status: Int, _ kind: AWSError.Kind) async {
        let world = world(.success(.ec2Error(code, "m", status: status)))
        let error = await world.client().failure(of: create)
        #expect(error?.kind == kind && error?.code == code && error?.requestID == "req-1" && world.requests.count == 1)
    }

    @Test("A secret that the service quotes is struck out of the error")
    func quotedSecret() async {
        let world = world(.success(.queryError("InvalidParameterValue", "The password hunter2! is bad: hunter2!")))
        let operation = AWSOperation(
            .rds, "CreateDBInstance", ["Tags": [["Key": "k"]], "MasterUserPassword": .secret("hunter2!")])
        let error = await world.client().failure(of: operation)
        #expect(error?.message == "The password ••• is bad: •••")
        #expect(world.requests.first?.bodyText.hasSuffix("&MasterUserPassword=hunter2%21") == true)
        #expect(!"\(operation)".contains("hunter2"))
    }

    @Test("The configured number of attempts is kept")
    func maxAttempts() async {
        let world = world(.success(HTTPResponse(503, "")))
        #expect(await world.client(maxAttempts: 2).failure(of: read)?.attempts == 2)
        #expect(world.requests.count == 2)
    }

    @Test("A service that is down is not stormed: the quota of retries runs dry")
    func quota() async {
        let world = world(.success(HTTPResponse(503, "")))
        let client = world.client()
        for _ in 0..<20 { _ = await client.failure(of: read) }
        // 500 tokens at 14 each.
        #expect(world.requests.count == 20 + 500 / 14)
    }

    @Test("A throttle outlasts the quota: it waits as long as it may, and fails no run")
    func quotaOfThrottles() async {
        let world = world(.success(.ec2Error("RequestLimitExceeded", status: 503)), random: 0)
        let client = world.client()
        for _ in 0..<20 { _ = await client.failure(of: read) }
        // All 8 attempts each time; after 500 tokens at 5 each the pauses are the longest there are.
        #expect(world.requests.count == 160)
        #expect(world.slept.filter { $0 == .seconds(20) }.count == 140 - 500 / 5)
    }

    @Test("TLS trouble is told at once")
    func tls() async {
        let world = world(.failure(.tls("certificate has expired")))
        #expect(await world.client().failure(of: create)?.kind == .network)
        #expect(world.requests.count == 1)
    }

    // MARK: - Clock, tokens, regions

    @Test("A wrong clock is corrected once, and stays corrected")
    func clockSkew() async throws {
        let world = FakeWorld { request, _ in
            if request.headers["X-Amz-Date"] == "20240501T130000Z" { return .success(Self.vpcs) }
            var refusal = HTTPResponse.ec2Error("RequestExpired", "expired", status: 400)
            refusal.headers["Date"] = "Wed, 01 May 2024 13:00:00 GMT"
            return .success(refusal)
        }
        let client = world.client()
        _ = try await client.call(read)
        _ = try await client.call(read)
        #expect(
            world.requests.map { $0.headers["X-Amz-Date"] } == [
                "20240501T120000Z", "20240501T130000Z", "20240501T130000Z",
            ])
    }

    @Test("A clock that cannot be corrected is reported as that")
    func hopelessClock() async {
        var refusal = HTTPResponse.queryError("SignatureDoesNotMatch", "Signature expired", status: 403)
        refusal.headers["Date"] = "Wed, 01 May 2024 13:00:00 GMT"
        let world = world(.success(refusal))
        #expect(await world.client().failure(of: create)?.kind == .clockSkew)
        #expect(world.requests.count == 2)
    }

    @Test("An expired token is replaced once")
    func expiredToken() async throws {
        let counter = Mutex(0)
        let world = FakeWorld { request, _ in
            request.headers["Authorization"]?.contains("Credential=K2/") == true
                ? .success(Self.created) : .success(.ec2Error("ExpiredToken", status: 403))
        }
        let provider = CredentialsProvider(now: world.collaborators.now) {
            () async throws(CredentialsError) -> AWSCredentials in
            let number = counter.withLock { count in
                count += 1
                return count
            }
            return AWSCredentials(accessKeyID: "K\(number)", secretAccessKey: "s", source: "test")
        }
        _ = try await world.client(credentials: provider).call(create)
        #expect(world.requests.count == 2)
        let stale = self.world(.success(.ec2Error("ExpiredToken", status: 403)))
        let error = await stale.client().failure(of: create)
        #expect(error?.kind == .expiredToken && error?.isCredentialsProblem == true && stale.requests.count == 2)
    }

    private struct NoCredentials: AWSCredentialsProviding {
        func credentials() async throws(CredentialsError) -> AWSCredentials {
            throw CredentialsError("no AWS credentials were found", attempts: [.init("environment", "not set")])
        }
        func discard(_ credentials: AWSCredentials) async {}
    }

    @Test("Without credentials nothing is sent, and the error says where they were looked for")
    func noCredentials() async {
        let world = world(.success(Self.created))
        let error = await world.client(credentials: NoCredentials()).failure(of: create)
        #expect(error?.kind == .noCredentials && error?.isCredentialsProblem == true)
        #expect(error?.credentialsError?.attempts.first?.source == "environment")
        #expect(error?.message == "no AWS credentials were found\n  - environment: not set")
        #expect(world.requests.isEmpty)
    }

    @Test("An unsigned call needs no credentials")
    func unsigned() async throws {
        let world = world(.success(HTTPResponse(200, "<AssumeRoleWithWebIdentityResponse/>")))
        var operation = AWSOperation(.sts, "AssumeRoleWithWebIdentity")
        operation.isSigned = false
        _ = try await world.client(credentials: NoCredentials()).call(operation)
        #expect(world.requests.first?.headers["Authorization"] == nil)
    }

    @Test("A bucket elsewhere is followed to its region once")
    func bucketRegion() async throws {
        let world = FakeWorld { request, _ in
            request.url.contains("eu-west-1")
                ? .success(HTTPResponse(200, ""))
                : .success(HTTPResponse(301, "", ["x-amz-bucket-region": "eu-west-1"]))
        }
        let operation = AWSOperation(
            .s3, "PutBucketTagging", effect: .idempotent,
            rest: RESTRoute("PUT", "/", query: [.init("tagging", "")], bucket: "b-1"))
        _ = try await world.client().call(operation)
        #expect(
            world.requests.map(\.url) == [
                "https://b-1.s3.us-east-1.amazonaws.com/?tagging=", "https://b-1.s3.eu-west-1.amazonaws.com/?tagging=",
            ])
    }

    // MARK: - Cancelling, observing, pacing

    @Test("A cancelled call ends, and a change that was on its way is unknown")
    func cancellation() async {
        let world = world(.failure(.cancelled(sent: true)))
        #expect(await world.client().failure(of: create)?.kind == .outcomeUnknown)
        #expect(await world.client().failure(of: read)?.kind == .cancelled)
        let unsent = self.world(.failure(.cancelled(sent: false)))
        #expect(await unsent.client().failure(of: create)?.kind == .cancelled)
    }

    @Test("A cancelled task sends nothing more")
    func cancelledBetweenAttempts() async {
        let world = FakeWorld { _, _ in
            withUnsafeCurrentTask { $0?.cancel() }
            return .success(.ec2Error("RequestLimitExceeded", status: 503))
        }
        let client = world.client()
        let task = Task { await client.failure(of: create) }
        #expect(await task.value?.kind == .cancelled)
        #expect(world.requests.count == 1)
    }

    @Test("The observer hears of every attempt, without secrets")
    func observer() async throws {
        let heard = Mutex<[AWSClient.Attempt]>([])
        let world = world(.success(.ec2Error("RequestLimitExceeded", status: 503)), .success(Self.vpcs))
        _ = try await world.client(observer: { attempt in heard.withLock { $0.append(attempt) } }).call(read)
        let attempts = heard.withLock { $0 }
        #expect(attempts.map(\.number) == [1, 2] && attempts.map(\.status) == [503, 200])
        #expect(
            attempts.map(\.errorCode) == ["RequestLimitExceeded", nil] && attempts.map(\.requestID) == ["req-1", "q"])
        #expect(!String(reflecting: attempts).contains("secret"))
    }

    @Test("Against AWS the published limits are kept; elsewhere nothing waits before the first throttle")
    func pacing() async throws {
        let genuine = world(.success(HTTPResponse(200, "<CreateVpcEndpointResponse/>")))
        let client = genuine.client()
        for _ in 0..<5 { _ = try await client.call(.ec2, "CreateVpcEndpoint") }
        let waited = genuine.slept.reduce(.zero, +)
        #expect(waited > .seconds(3.3) && waited < .seconds(3.4))

        let custom = world(.success(HTTPResponse(200, "<CreateVpcEndpointResponse/>")))
        var endpoints = AWSEndpoints()
        endpoints.environmentURL = "http://127.0.0.1:5000"
        let sandbox = custom.client(endpoints: endpoints)
        for _ in 0..<50 { _ = try await sandbox.call(.ec2, "CreateVpcEndpoint") }
        #expect(custom.slept.isEmpty)
    }

    @Test("Who we are")
    func callerIdentity() async throws {
        let world = world(
            .success(
                HTTPResponse(
                    200,
                    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/u</Arn>"
                        + "<UserId>U</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
                        + "</GetCallerIdentityResponse>")))
        #expect(
            try await world.client().callerIdentity()
                == AWSCallerIdentity(accountID: "123456789012", arn: "arn:aws:iam::1:user/u", userID: "U"))
    }

    // MARK: - The factory

    @Test("The factory shares clients, connections and credentials, and separates what differs")
    func factory() async throws {
        let made = Mutex<[CurlHTTPClient.Settings]>([])
        let world = FakeWorld(
            environment: ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"],
            files: ["/home/ann/.aws/config": "[profile other]\nca_bundle=/x\n"]
        ) { _, _ in .success(Self.vpcs) }
        let factory = AWSClientFactory(collaborators: world.collaborators, version: "1") { settings in
            made.withLock { $0.append(settings) }
            return world
        }
        let first = try await factory.client(for: AWSAccessSettings())
        #expect(try await factory.client(for: AWSAccessSettings()) === first)
        let second = try await factory.client(for: AWSAccessSettings(region: "eu-west-1"))
        #expect(second !== first && second.configuration.region == "eu-west-1")
        #expect(made.withLock { $0.count } == 1)
        _ = try await factory.client(for: AWSAccessSettings(profile: "other"))
        #expect(made.withLock { $0.last?.caBundle } == "/x")
        _ = try await first.call(read)
        #expect(world.requests.first?.headers["Authorization"]?.contains("Credential=A/") == true)
        #expect(world.requests.first?.headers["User-Agent"]?.hasPrefix("muster/1 ua/2.1") == true)
    }
}
