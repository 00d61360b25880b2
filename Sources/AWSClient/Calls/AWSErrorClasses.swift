// Which kind of error a code means. AWS has no list: services name the same thing in their own ways, so families are
// recognised by how the name is built, and exceptions come first.

extension AWSError.Kind {
    /// - Parameters:
    ///   - skew: by how much the server's clock is ahead of the one that signed, if the answer says so.
    package init(code: String, message: String, status: Int, skew: Duration? = nil) {
        let isSkewed = skew.map { $0 > .seconds(240) || $0 < .seconds(-240) } ?? false
        self =
            Self.identityKind(code, message, isSkewed: isSkewed)
            ?? Self.exact[code]
            ?? Self.kind(ofBatchMessage: message, code)
            ?? Self.family(code)
            ?? Self.kind(ofStatus: status)
    }

    private static func identityKind(_ code: String, _ message: String, isSkewed: Bool) -> Self? {
        switch code {
        case "RequestTimeTooSkewed", "RequestInTheFuture": return .clockSkew
        case "RequestExpired": return isSkewed ? .clockSkew : .expiredToken
        case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "ExpiredTokenIdentity":
            return .expiredToken
        case "SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignature", "AuthFailure":
            let saysTime = ["Signature expired", "not yet current"].contains { message.contains($0) }
            return isSkewed || saysTime ? .clockSkew : .badCredentials
        case "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "MissingAuthenticationToken",
            "MissingAuthenticationTokenException", "IncompleteSignature", "IncompleteSignatureException",
            "InvalidToken", "InvalidIdentityToken", "MissingClientTokenId", "NotSignedUp":
            return .badCredentials
        default: return nil
        }
    }

    private static let exact: [String: Self] = {
        let codes: [Self: [String]] = [
            .throttled: [
                "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException",
                "RequestThrottled", "TooManyRequestsException", "ProvisionedThroughputExceededException",
                "TransactionInProgressException", "RequestLimitExceeded", "BandwidthLimitExceeded", "SlowDown",
                "EC2ThrottledException", "Throttled", "KMSThrottling",
                "APICallRateForCustomerExceeded", "SnapshotCreationPerVolumeRateExceeded",
            ],
            .contention: [
                // Route 53's: a zone takes one change at a time. No slower rate helps against it.
                "PriorRequestNotComplete", "ConcurrentModification", "ConcurrentModificationException",
                "ResourceContention", "OperationAborted",
                "ConcurrentAccess", "ConflictException", "EntityTemporarilyUnmodifiable", "StaleTag", "TooManyUpdates",
            ],
            .unauthorized: [
                "UnauthorizedOperation", "Client.UnauthorizedOperation", "AccessDenied", "AccessDeniedException",
                "AuthorizationError", "AuthorizationErrorException", "NotAuthorized", "NotAuthorizedException",
                "OptInRequired", "UnauthorizedException", "AllAccessDisabled",
            ],
            .notFound: ["InvalidAMIID.Unavailable", "Gateway.NotAttached", "InvalidInternetGatewayID.NotAttached"],
            .alreadyExists: [
                "Resource.AlreadyAssociated", "InvalidSubnet.Conflict", "PriorityInUse", "ResourceExistsException",
                "ConflictingDomainExists", "BucketAlreadyOwnedByYou",
            ],
            .inUse: [
                "DependencyViolation", "DeleteConflict", "ResourceInUse", "ResourceInUseException", "IncorrectState",
                "IncorrectInstanceState", "OperationNotPermitted", "OperationNotPermittedException",
                "HostedZoneNotEmpty", "BucketNotEmpty", "RepositoryNotEmptyException", "CannotDelete",
                "ScalingActivityInProgress", "InstanceRefreshInProgress", "UnmodifiableEntity", "DBInstanceNotReady",
            ],
            // A state of the network that no waiting changes: a database does not move between groups of one VPC.
            .validation: ["FilterLimitExceeded", "DuplicateTagKeys", "InvalidVPCNetworkStateFault"],
            .idempotencyMismatch: [
                "IdempotentParameterMismatch", "IdempotentParameterMismatchException", "IdempotencyParameterMismatch",
            ],
            .serverFault: [
                "RequestTimeout", "RequestTimeoutException", "InternalError", "InternalFailure", "InternalServerError",
                "InternalServiceError", "InternalServiceException", "ServerException", "ServiceFailure",
                "ServiceUnavailable", "ServiceUnavailableException", "Unavailable", "IDPCommunicationError",
            ],
        ]
        var result: [String: Self] = [:]
        for (kind, names) in codes { for name in names { result[name] = kind } }
        return result
    }()

    /// Codes that carry their meaning in the message.
    private static func kind(ofBatchMessage message: String, _ code: String) -> Self? {
        switch code {
        case "InvalidChangeBatch":
            if message.contains("already exists") { return .alreadyExists }
            return message.contains("not found") ? .notFound : .validation
        case "ValidationError", "ValidationException":
            let isAbsent = message.contains("not found") || message.contains("does not exist")
            return isAbsent ? .notFound : .validation
        default: return nil
        }
    }

    private static func family(_ code: String) -> Self? {
        let plain = code.hasSuffix("Fault") ? String(code.dropLast(5)) : code
        let bare = plain.hasSuffix("Exception") ? String(plain.dropLast(9)) : plain
        func has(_ parts: String...) -> Bool { parts.contains { bare.contains($0) } }
        func begins(_ prefixes: String...) -> Bool { prefixes.contains { bare.hasPrefix($0) } }
        func ends(_ suffixes: String...) -> Bool { suffixes.contains { bare.hasSuffix($0) } }

        if begins("NoSuch") || ends("NotFound", "DoesNotExist") { return .notFound }
        if begins("Duplicate") || has("AlreadyExist") || ends(".Duplicate", "AlreadyInUse") { return .alreadyExists }
        if ends("InUse") || begins("Invalid") && ends("State") { return .inUse }
        if begins("Insufficient"), has("Capacity", "Addresses", "AvailableIPs") { return .capacity }
        if begins("TooMany", "Max") || has("LimitExceeded", "LimitsExceeded", "Quota") { return .quota }
        if ends("AccessDenied") { return .unauthorized }
        if begins("Invalid", "Missing", "Malformed", "Validation", "Unknown", "Unsupported", "Incompatible") {
            return .validation
        }
        return nil
    }

    private static func kind(ofStatus status: Int) -> Self {
        switch status {
        case 401: .badCredentials
        case 403: .unauthorized
        case 404, 410: .notFound
        case 429: .throttled
        case 500...: .serverFault
        default: .rejected
        }
    }
}

extension AWSError {
    /// Whether the error may be no more than AWS not yet seeing everywhere what was just made. Only a caller that knows
    /// it made the object a moment ago should wait for that.
    package var isConsistencyCandidate: Bool {
        switch kind {
        case .notFound: true
        case .validation, .rejected, .unauthorized:
            Self.consistencyMessages.contains { code == $0.code && message.contains($0.text) }
        default: false
        }
    }

    private static let consistencyMessages: [(code: String, text: String)] = [
        ("InvalidParameterValue", "Invalid IAM Instance Profile"),
        ("InvalidParameterValue", "no associated IAM Roles"),
        ("InvalidParameterValue", "IAM role ARN value is invalid"),
        ("ValidationError", "Invalid IamInstanceProfile"),
        ("ValidationError", "Invalid IAM Instance Profile"),
        ("ValidationError", "no associated IAM Roles"),
        ("ValidationError", "You are not authorized to perform this operation"),
        ("ValidationError", "Unable to publish test message"),
        ("ValidationError", "do not have an associated load balancer"),
        ("MalformedPolicyDocument", "Invalid principal"),
        // A load balancer is asked for while the gateway of its VPC is still on its way.
        ("InvalidSubnet", "has no internet gateway"),
    ]
}
