// AWS Signature Version 4, as a pure function of the request, the credentials and the time.

import Crypto
package import HTTPTransport
import TextEncodings

/// Signs requests for one region and service.
package struct SigV4Signer: Sendable {
    package struct Options: Sendable, Hashable {
        /// Dot segments and doubled slashes are resolved. Not for S3.
        package var normalizesPath = true
        /// The path is encoded (again, if it is encoded already). Not for S3.
        package var encodesPath = true
        /// The payload's hash goes into the signed header `x-amz-content-sha256`.
        package var signsPayloadHeader = false
        /// The session token is sent, but not signed.
        package var omitsSessionToken = false

        package init() {}

        /// What S3 wants: the path as it is on the wire, and the payload's hash in a header.
        package static var s3: Options {
            var options = Options()
            options.normalizesPath = false
            options.encodesPath = false
            options.signsPayloadHeader = true
            return options
        }
    }

    /// What is signed; `headers` must contain `Host`.
    package struct Subject: Sendable {
        package var method: String
        /// Path of the request target.
        package var path: String
        /// Query of the request target, without `?`.
        package var query: String
        package var headers: HTTPHeaders
        package var body: [UInt8]

        package init(method: String, path: String, query: String = "", headers: HTTPHeaders, body: [UInt8] = []) {
            self.method = method
            self.path = path
            self.query = query
            self.headers = headers
            self.body = body
        }
    }

    /// The signature and how it came about.
    package struct Signed: Sendable, Equatable {
        /// The subject's headers and those that the signature needs.
        package var headers: HTTPHeaders
        /// For a presigned URL: the whole query.
        package var query: String
        package var canonicalRequest: String
        package var stringToSign: String
        package var signature: String
    }

    package let region: String
    package let service: String
    package let options: Options

    package init(region: String, service: String, options: Options = Options()) {
        self.region = region
        self.service = service
        self.options = options
    }

    /// Adds `X-Amz-Date`, `X-Amz-Security-Token` and `Authorization`.
    ///
    /// - Parameter key: the derived key, if it is at hand; it must belong to the same day, region and service.
    package func sign(
        _ subject: Subject, _ credentials: AWSCredentials, at time: Timestamp, key: SigningKey? = nil
    ) -> Signed {
        var headers = subject.headers
        if headers["X-Amz-Date"] == nil { headers["X-Amz-Date"] = time.basicDateTime }
        let payloadHash = Self.payloadHash(subject.body)
        if options.signsPayloadHeader { headers["x-amz-content-sha256"] = payloadHash }
        if let token = credentials.sessionToken, !options.omitsSessionToken {
            headers["X-Amz-Security-Token"] = token.revealed
        }
        let canonicalHeaders = CanonicalHeaders(headers)
        let request = [
            subject.method, canonicalPath(subject.path), Self.canonicalQuery(subject.query), canonicalHeaders.text,
            canonicalHeaders.names, payloadHash,
        ].joined(separator: "\n")
        let (stringToSign, signature) = signature(of: request, credentials, time, key)
        headers["Authorization"] =
            "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope(time)), "
            + "SignedHeaders=\(canonicalHeaders.names), Signature=\(signature)"
        if let token = credentials.sessionToken, options.omitsSessionToken {
            headers["X-Amz-Security-Token"] = token.revealed
        }
        return Signed(
            headers: headers, query: subject.query, canonicalRequest: request, stringToSign: stringToSign,
            signature: signature)
    }

    /// Puts the signature into the query: a URL that is valid for some time, for whoever has it.
    package func presign(
        _ subject: Subject, _ credentials: AWSCredentials, at time: Timestamp, expiresAfterSeconds seconds: Int
    ) -> Signed {
        let canonicalHeaders = CanonicalHeaders(subject.headers)
        var parameters = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope(time))"), ("X-Amz-Date", time.basicDateTime),
            ("X-Amz-Expires", String(seconds)), ("X-Amz-SignedHeaders", canonicalHeaders.names),
        ]
        let token = credentials.sessionToken.map { ("X-Amz-Security-Token", $0.revealed) }
        if let token, !options.omitsSessionToken { parameters.append(token) }
        let query = Self.canonicalQuery(subject.query, adding: parameters)
        let request = [
            subject.method, canonicalPath(subject.path), query, canonicalHeaders.text, canonicalHeaders.names,
            Self.payloadHash(subject.body),
        ].joined(separator: "\n")
        let (stringToSign, signature) = signature(of: request, credentials, time, nil)
        var added = [("X-Amz-Signature", signature)]
        if let token, options.omitsSessionToken { added.append(token) }
        return Signed(
            headers: subject.headers,
            query: ([query] + added.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }).joined(separator: "&"),
            canonicalRequest: request, stringToSign: stringToSign, signature: signature)
    }

    // MARK: - Steps

    private func scope(_ time: Timestamp) -> String {
        "\(time.basicDate)/\(region)/\(service)/aws4_request"
    }

    private func signature(
        of request: String, _ credentials: AWSCredentials, _ time: Timestamp, _ key: SigningKey?
    ) -> (stringToSign: String, signature: String) {
        let stringToSign = [
            "AWS4-HMAC-SHA256", time.basicDateTime, scope(time),
            Hexadecimal.encode(SHA256.hash(data: Array(request.utf8))),
        ].joined(separator: "\n")
        let key = key ?? SigningKey(credentials.secretAccessKey, day: time.basicDate, region: region, service: service)
        return (stringToSign, key.sign(stringToSign))
    }

    package static func payloadHash(_ body: [UInt8]) -> String {
        Hexadecimal.encode(SHA256.hash(data: body))
    }

    private func canonicalPath(_ path: String) -> String {
        var result = path.isEmpty ? "/" : path
        if options.normalizesPath {
            var segments: [Substring] = []
            for segment in result.split(separator: "/") where segment != "." {
                if segment == ".." { _ = segments.popLast() } else { segments.append(segment) }
            }
            let endsInSlash = result.hasSuffix("/") || result.hasSuffix("/.") || result.hasSuffix("/..")
            result = "/" + segments.joined(separator: "/") + (endsInSlash && !segments.isEmpty ? "/" : "")
        }
        return options.encodesPath ? PercentEncoding.encode(result, keeping: "/") : result
    }

    /// Names and values are decoded and encoded anew, so that the result does not depend on how they came; sorted by
    /// encoded name, then value, as bytes. This is also what must go out.
    package static func canonicalQuery(_ query: String, adding parameters: [(String, String)] = []) -> String {
        let given = query.split(separator: "&").map { pair -> (String, String) in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (recoded(parts[0]), parts.count > 1 ? recoded(parts[1]) : "")
        }
        return (given + parameters.map { (PercentEncoding.encode($0.0), PercentEncoding.encode($0.1)) })
            .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
            .map { "\($0.0)=\($0.1)" }
            .joined(separator: "&")
    }

    private static func recoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        PercentEncoding.append(PercentEncoding.decode(text), to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The signed headers: lower-case, trimmed, sorted, repeated ones joined.
private struct CanonicalHeaders {
    let text: String
    let names: String

    /// What a proxy, or libcurl, may add or change.
    private static let unsigned: Set<String> = [
        "authorization", "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id",
    ]

    init(_ headers: HTTPHeaders) {
        var values: [String: [String]] = [:]
        for field in headers.fields {
            let name = field.name.lowercased()
            guard !Self.unsigned.contains(name) else { continue }
            let words = field.value.utf8.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x0d }
            values[name, default: []].append(words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " "))
        }
        let sorted = values.sorted { $0.key < $1.key }
        text = sorted.map { "\($0.key):\($0.value.joined(separator: ","))\n" }.joined()
        names = sorted.map(\.key).joined(separator: ";")
    }
}

/// The key derived from a secret for one day, region and service.
package struct SigningKey: Sendable {
    private let key: SymmetricKey

    package init(_ secret: Secret, day: String, region: String, service: String) {
        var key = SymmetricKey(data: Array("AWS4\(secret.revealed)".utf8))
        for part in [day, region, service, "aws4_request"] {
            key = SymmetricKey(data: Array(HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key)))
        }
        self.key = key
    }

    func sign(_ text: String) -> String {
        Hexadecimal.encode(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }
}

/// Derived keys of today, so that a call costs one HMAC instead of five.
struct SigningKeyCache {
    private struct Place: Hashable {
        var accessKeyID: String
        var region: String
        var service: String
    }

    private var keys: [Place: (secret: Secret, day: String, key: SigningKey)] = [:]

    mutating func key(_ credentials: AWSCredentials, day: String, region: String, service: String) -> SigningKey {
        let place = Place(accessKeyID: credentials.accessKeyID, region: region, service: service)
        if let known = keys[place], known.day == day, known.secret == credentials.secretAccessKey { return known.key }
        // Sessions come and go with new access keys: what is old must not pile up.
        if keys.count >= 256 { keys.removeAll() }
        let key = SigningKey(credentials.secretAccessKey, day: day, region: region, service: service)
        keys[place] = (credentials.secretAccessKey, day, key)
        return key
    }
}
