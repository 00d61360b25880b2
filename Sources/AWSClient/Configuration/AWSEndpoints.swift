// Where a call goes: genuine endpoints by partition and region, and what overrides them.

/// A part of AWS with regions, accounts and names of its own.
package struct AWSPartition: Sendable, Hashable {
    /// As in ARNs: `aws`, `aws-cn`, `aws-us-gov`.
    package let name: String
    let hostSuffix: String
    let dualStackSuffix: String
    let iamHost: String
    let iamRegion: String
    let route53Host: String
    let route53Region: String

    package static let aws = AWSPartition(
        name: "aws", hostSuffix: "amazonaws.com", dualStackSuffix: "api.aws", iamHost: "iam.amazonaws.com",
        iamRegion: "us-east-1", route53Host: "route53.amazonaws.com", route53Region: "us-east-1")
    package static let china = AWSPartition(
        name: "aws-cn", hostSuffix: "amazonaws.com.cn", dualStackSuffix: "api.amazonwebservices.com.cn",
        iamHost: "iam.cn-north-1.amazonaws.com.cn", iamRegion: "cn-north-1", route53Host: "route53.amazonaws.com.cn",
        route53Region: "cn-northwest-1")
    package static let govCloud = AWSPartition(
        name: "aws-us-gov", hostSuffix: "amazonaws.com", dualStackSuffix: "api.aws",
        iamHost: "iam.us-gov.amazonaws.com", iamRegion: "us-gov-west-1", route53Host: "route53.us-gov.amazonaws.com",
        route53Region: "us-gov-west-1")

    package init(region: String) {
        self = region.hasPrefix("cn-") ? .china : region.hasPrefix("us-gov-") ? .govCloud : .aws
    }

    private init(
        name: String, hostSuffix: String, dualStackSuffix: String, iamHost: String, iamRegion: String,
        route53Host: String, route53Region: String
    ) {
        self.name = name
        self.hostSuffix = hostSuffix
        self.dualStackSuffix = dualStackSuffix
        self.iamHost = iamHost
        self.iamRegion = iamRegion
        self.route53Host = route53Host
        self.route53Region = route53Region
    }
}

/// Scheme, host and base path of one service in one region.
package struct AWSEndpoint: Sendable, Hashable {
    package var scheme: String
    /// As in the `Host` header: with a port unless it is the scheme's own.
    package var host: String
    /// "" or `/prefix`, without a slash at its end.
    package var basePath: String
    package var signingRegion: String
    /// Set by the user, not derived from the region.
    package var isCustom: Bool

    /// - Parameter text: `http` or `https`, a host, perhaps a port and a path; nothing else is accepted.
    package init?(url text: String, signingRegion: String) {
        let text = text.trimmedBlanks
        guard let schemeEnd = text.firstRange(of: "://") else { return nil }
        scheme = text[..<schemeEnd.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = text[schemeEnd.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard !authority.isEmpty, !rest.contains(where: { "?#@\\ \t\r\n".contains($0) }),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { return nil }
        let defaultPort = scheme == "http" ? ":80" : ":443"
        host = authority.lowercased()
        if host.hasSuffix(defaultPort) { host.removeLast(defaultPort.count) }
        guard !host.isEmpty, !host.hasSuffix(":") else { return nil }
        var path = String(rest.dropFirst(authority.count))
        while path.hasSuffix("/") { path.removeLast() }
        basePath = path
        self.signingRegion = signingRegion
        isCustom = true
    }

    init(host: String, signingRegion: String) {
        scheme = "https"
        self.host = host
        basePath = ""
        self.signingRegion = signingRegion
        isCustom = false
    }

    /// `https://host:port/prefix`, normalised.
    package var url: String { "\(scheme)://\(host)\(basePath)" }

    /// Whether AWS itself is behind it: a genuine endpoint, or one of PrivateLink.
    var isGenuine: Bool {
        let name = host.prefix { $0 != ":" }
        return [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn"]
            .contains { name.hasSuffix($0) }
    }
}

/// Finds the endpoint of a service: overrides in their order of precedence, then the partition's rules.
package struct AWSEndpoints: Sendable, Hashable {
    /// 1: what muster's own configuration says.
    package var explicitURL: String?
    /// 2: `AWS_ENDPOINT_URL_<SERVICE>`, by the service's `identifier`.
    package var environmentServiceURLs: [String: String] = [:]
    /// 3: `AWS_ENDPOINT_URL`.
    package var environmentURL: String?
    /// 4: the profile's `services` section, by the service's `identifier`.
    package var profileServiceURLs: [String: String] = [:]
    /// 5: the profile's `endpoint_url`.
    package var profileURL: String?
    package var usesFIPS = false
    package var usesDualStack = false

    package init() {}

    /// The override that wins for a service, if there is one.
    package func overrideURL(for identifier: String) -> String? {
        explicitURL ?? environmentServiceURLs[identifier] ?? environmentURL ?? profileServiceURLs[identifier]
            ?? profileURL
    }

    /// - Parameter bucket: of S3; it goes into the host name where it can.
    /// - Returns: the endpoint and whether `bucket` is part of its host; `nil` for a malformed URL or region.
    package func endpoint(
        for service: AWSService, region: String, bucket: String? = nil
    ) -> (endpoint: AWSEndpoint, hostHasBucket: Bool)? {
        guard !region.isEmpty, region.utf8.allSatisfy(Self.isRegionByte) else { return nil }
        let partition = AWSPartition(region: region)
        let signingRegion = Self.signingRegion(of: service, region, partition)
        if let url = overrideURL(for: service.identifier) {
            return AWSEndpoint(url: url, signingRegion: signingRegion).map { ($0, false) }
        }
        var host = genuineHost(of: service, region, partition)
        // Behind TLS a bucket with dots does not match the wildcard certificate.
        let isInHost = bucket.map { Self.isHostLabel($0) } ?? false
        if let bucket, isInHost { host = "\(bucket).\(host)" }
        return (AWSEndpoint(host: host, signingRegion: signingRegion), isInHost)
    }

    /// To which installation objects made through these endpoints belong: `aws` (or `aws-cn`, `aws-us-gov`) for
    /// genuine ones, else the normalised URL; services that go elsewhere than the rest are named with their own.
    package func identity(region: String) -> String {
        let partition = AWSPartition(region: region).name
        func identity(_ url: String?) -> String {
            guard let url else { return partition }
            guard let endpoint = AWSEndpoint(url: url, signingRegion: region) else { return url }
            return endpoint.isGenuine ? partition : endpoint.url
        }
        let base = identity(explicitURL ?? environmentURL ?? profileURL)
        let others = AWSService.all.compactMap { service -> String? in
            let own = identity(overrideURL(for: service.identifier))
            return own == base ? nil : "\(service.name)=\(own)"
        }
        return ([base] + others).joined(separator: ";")
    }

    // MARK: - Genuine endpoints

    private static func isRegionByte(_ byte: UInt8) -> Bool {
        (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d
    }

    private static func isHostLabel(_ bucket: String) -> Bool {
        (3...63).contains(bucket.utf8.count) && bucket.utf8.allSatisfy(isRegionByte) && !bucket.hasPrefix("-")
            && !bucket.hasSuffix("-")
    }

    private static func signingRegion(of service: AWSService, _ region: String, _ partition: AWSPartition) -> String {
        switch service {
        case .iam: partition.iamRegion
        case .route53: partition.route53Region
        default: region
        }
    }

    private func genuineHost(of service: AWSService, _ region: String, _ partition: AWSPartition) -> String {
        if service.isGlobal { return globalHost(of: service, partition) }
        if service == .s3 {
            let prefix = (usesFIPS ? "s3-fips" : "s3") + (usesDualStack ? ".dualstack" : "")
            return "\(prefix).\(region).\(partition.hostSuffix)"
        }
        var prefix = service == .ecr && usesDualStack ? "ecr" : service.endpointPrefix
        if usesFIPS, !isPlainFIPS(service, partition) { prefix += "-fips" }
        // Secrets Manager answers on both stacks under its ordinary name.
        let isDualStack = usesDualStack && service != .secretsmanager
        return "\(prefix).\(region).\(isDualStack ? partition.dualStackSuffix : partition.hostSuffix)"
    }

    private func globalHost(of service: AWSService, _ partition: AWSPartition) -> String {
        let isPlainFIPS = partition == .govCloud
        let prefix = service.endpointPrefix + (usesFIPS && !isPlainFIPS ? "-fips" : "")
        if usesDualStack {
            return "\(prefix).\(partition == .govCloud ? "us-gov" : "global").\(partition.dualStackSuffix)"
        }
        if usesFIPS, !isPlainFIPS { return "\(prefix).\(partition.hostSuffix)" }
        return service == .iam ? partition.iamHost : partition.route53Host
    }

    /// GovCloud's ordinary endpoints of most services are FIPS endpoints, and have no other name.
    private func isPlainFIPS(_ service: AWSService, _ partition: AWSPartition) -> Bool {
        guard partition == .govCloud else { return false }
        switch service {
        case .cloudwatch: return true
        case .ec2, .autoscaling, .sns, .elbv2, .rds, .elasticache, .sts, .acm, .ssm: return !usesDualStack
        default: return false
        }
    }
}

extension String {
    /// Without white space at either end.
    var trimmedBlanks: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
