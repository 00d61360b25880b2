import HTTPTransport
import Testing

@testable import AWSClient

@Suite struct ResponseDecoderTests {
    private func decode(
        _ service: AWSService, _ response: HTTPResponse, answersBytes: Bool = false
    ) -> Result<AWSOutput, CallFailure> {
        ResponseDecoder(
            wire: service.wire, effect: .read, answersBytes: answersBytes, now: FakeWorld.start
        ).decode(response)
    }

    private func failure(_ service: AWSService, _ response: HTTPResponse) throws -> CallFailure {
        switch decode(service, response) {
        case .failure(let failure): return failure
        case .success: throw Accepted()
        }
    }

    private struct Accepted: Error {}

    private static let html =
        "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><p>Corporate Wi-Fi</body></html>"

    // MARK: - Success

    @Test("ec2 answers at the root, query inside the result element, each with its request id")
    func xmlAnswers() throws {
        let ec2 = try decode(
            .ec2, HTTPResponse(200, "<DescribeVpcsResponse><requestId>q</requestId><vpcSet/></DescribeVpcsResponse>")
        ).get()
        #expect(ec2.requestID == "q" && ec2.xml["vpcSet"].exists)
        let query = try decode(
            .iam,
            HTTPResponse(
                200,
                "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role>"
                    + "<RoleName>r</RoleName></Role></GetRoleResult><ResponseMetadata><RequestId>q</RequestId>"
                    + "</ResponseMetadata></GetRoleResponse>")
        ).get()
        #expect(query.requestID == "q" && query.xml["Role"]["RoleName"].text == "r")
        let bare = try decode(
            .iam, HTTPResponse(200, "<DeleteRoleResponse><ResponseMetadata/></DeleteRoleResponse>")
        ).get()
        #expect(bare.xml.name == "DeleteRoleResponse")
    }

    @Test("JSON may be empty, REST may have no body, an object's bytes are not looked into")
    func otherAnswers() throws {
        let headers: HTTPHeaders = ["x-amzn-RequestId": "q"]
        #expect(try decode(.ssm, HTTPResponse(200, "", headers)).get().requestID == "q")
        #expect(try decode(.ssm, HTTPResponse(200, "{\"a\":1}")).get().json["a"].integer == 1)
        #expect(try decode(.route53, HTTPResponse(204, "")).get().xml.exists == false)
        #expect(try decode(.s3, HTTPResponse(200, "<html>"), answersBytes: true).get().bytes == Array("<html>".utf8))
    }

    // MARK: - Errors of each protocol

    @Test(
        "Each protocol's error gives code, message and request id",
        arguments: [
            (
                AWSService.ec2, HTTPResponse.ec2Error("InvalidVpcID.NotFound", "no vpc"), "InvalidVpcID.NotFound",
                "req-1"
            ),
            (.iam, .queryError("NoSuchEntity", "no vpc", status: 404), "NoSuchEntity", "req-2"),
            (
                .route53,
                HTTPResponse(
                    400,
                    "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>InvalidInput</Code><Message>no vpc</Message></Error>"
                        + "<RequestId>q</RequestId></ErrorResponse>"), "InvalidInput", "q"
            ),
            (
                .s3,
                HTTPResponse(
                    404,
                    "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>no vpc</Message>"
                        + "<RequestId>q</RequestId><HostId>h</HostId></Error>"), "NoSuchBucket", "q"
            ),
            (
                .ssm,
                HTTPResponse(
                    400, #"{"__type":"com.amazonaws.ssm#ParameterNotFound","message":"no vpc"}"#,
                    ["x-amzn-RequestId": "q"]), "ParameterNotFound", "q"
            ),
            (
                .acm,
                HTTPResponse(400, #"{"code":"ValidationException","Message":"no vpc"}"#, ["x-amzn-RequestId": "q"]),
                "ValidationException", "q"
            ),
            (
                .ecr,
                HTTPResponse(
                    400, #"{"message":"no vpc"}"#,
                    ["x-amzn-ErrorType": "RepositoryNotFoundException:http://internal/", "x-amzn-RequestId": "q"]),
                "RepositoryNotFoundException", "q"
            ),
        ])
    func errors(_ service: AWSService, _ response: HTTPResponse, _ code: String, _ requestID: String) throws {
        let failure = try failure(service, response)
        #expect(failure.code == code && failure.message == "no vpc" && failure.requestID == requestID)
        #expect(failure.status == response.status && !failure.isAmbiguous)
    }

    @Test("A JSON service's front may answer in XML")
    func xmlFromJSONService() throws {
        let failure = try failure(.ssm, .queryError("SignatureDoesNotMatch", "m", status: 403))
        #expect(failure.kind == .badCredentials && failure.code == "SignatureDoesNotMatch")
    }

    @Test("S3's second request id is kept, and an error with status 200 is an error")
    func s3Errors() throws {
        let response = HTTPResponse(
            200, "<Error><Code>InternalError</Code><Message>m</Message></Error>", ["x-amz-id-2": "host"])
        let failure = try failure(.s3, response)
        #expect(failure.code == "InternalError" && failure.extendedRequestID == "host")
    }

    @Test(
        "An answer without a body is judged by its status",
        arguments: [
            (404, AWSError.Kind.notFound, RetryPolicy.Trouble.permanent, false),
            (403, .unauthorized, .permanent, false), (503, .serverFault, .transient, true),
            (429, .throttled, .throttled, false),
        ])
    func bodiless(_ status: Int, _ kind: AWSError.Kind, _ trouble: RetryPolicy.Trouble, _ isAmbiguous: Bool) throws {
        let failure = try failure(.s3, HTTPResponse(status, ""))
        #expect(failure.kind == kind && failure.trouble == trouble && failure.isAmbiguous == isAmbiguous)
    }

    // MARK: - What is not AWS

    @Test(
        "A page of HTML is never taken for an answer",
        arguments: [
            AWSService.ec2, .iam, .route53, .s3, .ssm,
        ], [200, 302, 403, 407, 500, 502])
    func html(_ service: AWSService, _ status: Int) throws {
        let failure = try failure(service, HTTPResponse(status, Self.html, ["Content-Type": "text/html"]))
        #expect(failure.kind == .notAWS)
        #expect(failure.message.contains("an HTML page, status \(status): \"Sign in Corporate Wi-Fi\""))
        #expect(failure.trouble == (status == 502 ? .transient : .permanent))
        #expect(failure.isAmbiguous == (status == 200 || status >= 500))
    }

    @Test(
        "Even HTML that is well-formed XML is not taken for an answer",
        arguments: [AWSService.ec2, .s3, .route53, .iam])
    func xhtml(_ service: AWSService) throws {
        let page = "<html xmlns=\"http://www.w3.org/1999/xhtml\"><body>hello</body></html>"
        for status in [200, 503] {
            #expect(try failure(service, HTTPResponse(status, page)).kind == .notAWS)
        }
    }

    @Test("The page's words are quoted without what could be a secret")
    func redacted() throws {
        let page =
            "<html>Error for token AQoDYXdzEPT4aCEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi</html>"
        let message = try failure(.ec2, HTTPResponse(502, page)).message
        #expect(message.contains("Error for token •••") && !message.contains("AQoD"))
    }

    @Test("A document that breaks off is unreadable, at every length")
    func truncated() throws {
        let body = "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>"
        for length in 0..<body.utf8.count {
            let failure = try failure(.ec2, HTTPResponse(200, String(body.prefix(length))))
            #expect(failure.kind == .unreadable && failure.trouble == .transient && failure.isAmbiguous)
        }
        let json = #"{"Parameters":[{"Name":"a"}]}"#
        for length in 1..<json.utf8.count {
            #expect(try failure(.ssm, HTTPResponse(200, String(json.prefix(length)))).kind == .unreadable)
        }
    }

    @Test(
        "XML or JSON of another kind is no answer either",
        arguments: [
            (AWSService.ec2, "<ListAllMyBucketsResult/>"), (.iam, "<GetRole/>"), (.ssm, "[1]"), (.ssm, "\"text\""),
            (.ec2, "{}"), (.ssm, "<DescribeVpcsResponse/>"), (.ec2, "plain text"),
        ])
    func otherKinds(_ service: AWSService, _ body: String) throws {
        #expect(try failure(service, HTTPResponse(200, body)).kind == .unreadable)
    }

    @Test(
        "An error of another kind is not AWS's",
        arguments: [
            (AWSService.ec2, "{\"error\":\"x\"}"), (.ssm, "{\"error\":\"x\"}"), (.ssm, "[]"), (.ec2, "<Error/>"),
            (.ec2, "<Errors><Error><Code>X</Code></Error></Errors>"), (.iam, "bad gateway"),
        ])
    func otherErrors(_ service: AWSService, _ body: String) throws {
        #expect(try failure(service, HTTPResponse(400, body)).kind == .notAWS)
    }

    // MARK: - Hints

    @Test(
        "The server's wish for a pause is read in both forms",
        arguments: [
            ("x-amz-retry-after", "1500", Duration.milliseconds(1_500)), ("Retry-After", "3", .seconds(3)),
            ("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT", nil), ("x-amz-retry-after", "-1", nil),
        ])
    func retryAfter(_ name: String, _ value: String, _ expected: Duration?) throws {
        var response = HTTPResponse.ec2Error("RequestLimitExceeded", status: 503)
        response.headers[name] = value
        #expect(try failure(.ec2, response).retryAfter == expected)
    }

    @Test("A signature refused while the clocks differ is a matter of the clock")
    func skew() throws {
        var response = HTTPResponse.ec2Error("AuthFailure", "not able to validate", status: 401)
        response.headers["Date"] = "Wed, 01 May 2024 12:03:00 GMT"
        #expect(try failure(.ec2, response).kind == .badCredentials)
        response.headers["Date"] = "Wed, 01 May 2024 12:10:00 GMT"
        let failure = try failure(.ec2, response)
        #expect(failure.kind == .clockSkew && failure.skew == .seconds(600))
    }

    // MARK: - Classes

    @Test(
        "Codes fall into classes",
        arguments: [
            ("InvalidVpcID.NotFound", 400, AWSError.Kind.notFound), ("InvalidGroup.NotFound", 400, .notFound),
            ("NatGatewayNotFound", 400, .notFound), ("NoSuchEntity", 404, .notFound),
            ("NoSuchHostedZone", 404, .notFound),
            ("LoadBalancerNotFound", 400, .notFound), ("DBInstanceNotFound", 404, .notFound),
            ("DBSubnetGroupNotFoundFault", 404, .notFound), ("RepositoryNotFoundException", 400, .notFound),
            ("ParameterNotFound", 400, .notFound), ("Gateway.NotAttached", 400, .notFound),
            ("InvalidPermission.Duplicate", 400, .alreadyExists), ("InvalidGroup.Duplicate", 400, .alreadyExists),
            ("RouteAlreadyExists", 400, .alreadyExists), ("EntityAlreadyExists", 409, .alreadyExists),
            ("DuplicateLoadBalancerName", 400, .alreadyExists), ("PriorityInUse", 400, .alreadyExists),
            ("HostedZoneAlreadyExists", 409, .alreadyExists), ("InvalidSubnet.Conflict", 400, .alreadyExists),
            ("AlreadyExists", 400, .alreadyExists), ("Resource.AlreadyAssociated", 400, .alreadyExists),
            ("DependencyViolation", 400, .inUse), ("DeleteConflict", 409, .inUse), ("InvalidGroup.InUse", 400, .inUse),
            ("ResourceInUse", 400, .inUse), ("HostedZoneNotEmpty", 400, .inUse), ("IncorrectState", 400, .inUse),
            ("RequestLimitExceeded", 503, .throttled), ("Throttling", 400, .throttled), ("SlowDown", 503, .throttled),
            ("ThrottlingException", 400, .throttled), ("PriorRequestNotComplete", 400, .contention),
            ("LimitExceededException", 400, .quota), ("LimitExceeded", 409, .quota), ("VpcLimitExceeded", 400, .quota),
            ("TooManyLoadBalancers", 400, .quota), ("AddressLimitExceeded", 400, .quota),
            ("TooManyRequestsException", 429, .throttled),
            ("InsufficientInstanceCapacity", 500, .capacity), ("ConcurrentModification", 409, .contention),
            ("ResourceContention", 500, .contention), ("IdempotentParameterMismatch", 400, .idempotencyMismatch),
            ("UnauthorizedOperation", 403, .unauthorized), ("AccessDenied", 403, .unauthorized),
            ("AccessDeniedException", 400, .unauthorized), ("AuthFailure", 401, .badCredentials),
            ("InvalidClientTokenId", 403, .badCredentials), ("UnrecognizedClientException", 400, .badCredentials),
            ("SignatureDoesNotMatch", 403, .badCredentials), ("ExpiredToken", 403, .expiredToken),
            ("ExpiredTokenException", 400, .expiredToken), ("RequestExpired", 400, .expiredToken),
            ("RequestTimeTooSkewed", 403, .clockSkew), ("InvalidParameterValue", 400, .validation),
            ("MissingParameter", 400, .validation), ("MalformedPolicyDocument", 400, .validation),
            ("UnsupportedOperation", 400, .validation), ("InternalError", 500, .serverFault),
            ("InternalFailure", 500, .serverFault), ("ServiceFailure", 500, .serverFault),
            ("SomethingNew", 400, .rejected), ("SomethingNew", 403, .unauthorized), ("SomethingNew", 500, .serverFault),
            ("RequestTimeout", 400, .serverFault), ("InternalServerError", 400, .serverFault),
            ("InvalidDBSubnetGroupStateFault", 400, .inUse), ("InvalidStateException", 400, .inUse),
            ("TagQuotaPerResourceExceeded", 400, .quota), ("LimitsExceeded", 400, .quota),
            ("InsufficientFreeAddressesInSubnet", 400, .capacity), ("ConflictException", 409, .contention),
            ("AssociationDoesNotExist", 400, .notFound), ("KMSAccessDenied", 400, .unauthorized),
            ("EntityTemporarilyUnmodifiable", 409, .contention), ("FilterLimitExceeded", 400, .validation),
        ])
    func classes(_ code: String, _ status: Int, _ kind: AWSError.Kind) {
        #expect(AWSError.Kind(code: code, message: "", status: status) == kind)
    }

    @Test(
        "Some codes carry their meaning in the message",
        arguments: [
            (
                "InvalidChangeBatch", "Tried to create resource record set … but it already exists",
                AWSError.Kind.alreadyExists
            ),
            ("InvalidChangeBatch", "Tried to delete … but it was not found", .notFound),
            ("InvalidChangeBatch", "FATAL problem", .validation),
            ("ValidationError", "AutoScalingGroup name not found - null", .notFound),
            ("ValidationError", "Invalid IamInstanceProfile: x", .validation),
            ("SignatureDoesNotMatch", "Signature expired: 2024 is now earlier than", .clockSkew),
            ("InvalidSignatureException", "Signature not yet current: 2024", .clockSkew),
        ])
    func messages(_ code: String, _ message: String, _ kind: AWSError.Kind) {
        #expect(AWSError.Kind(code: code, message: message, status: 400) == kind)
    }

    @Test(
        "What a moment may heal is marked",
        arguments: [
            ("InvalidVpcID.NotFound", "", true),
            (
                "InvalidParameterValue",
                "Value (x) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name", true
            ),
            ("ValidationError", "You are not authorized to perform this operation.", true),
            ("MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"arn\"", true),
            ("InvalidSubnet", "VPC vpc-1 has no internet gateway", true),
            (
                "ValidationError",
                "You must use a valid fully-formed launch template. IAM Instance Profile \"a\" has no associated IAM Roles",
                true
            ),
            ("InvalidParameterValue", "something else", false), ("DependencyViolation", "", false),
        ])
    func consistency(_ code: String, _ message: String, _ expected: Bool) {
        let error = AWSError(
            AWSError.Kind(code: code, message: message, status: 400), service: "s", operation: "o", code: code,
            message: message)
        #expect(error.isConsistencyCandidate == expected)
    }

    @Test("An error's text has all that support asks for")
    func description() {
        let error = AWSError(
            .notFound, service: "ec2", operation: "DescribeVpcs", region: "us-east-1", code: "InvalidVpcID.NotFound",
            message: "no such VPC", httpStatus: 400, requestID: "r", extendedRequestID: "x", attempts: 2)
        #expect(
            error.description
                == "ec2 DescribeVpcs in us-east-1: InvalidVpcID.NotFound: no such VPC "
                + "(HTTP 400, request id r, extended request id x, 2 attempts)")
    }
}
