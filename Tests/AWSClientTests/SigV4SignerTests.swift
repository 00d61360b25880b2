import FoundationEssentials
import HTTPTransport
import Testing

@testable import AWSClient

/// A case of the published suites; see `Goldens/sigv4/README.md`.
struct SignatureVector: Decodable, Sendable, CustomTestStringConvertible {
    struct Query: Decodable, Sendable {
        var expiresSeconds: Int
        var canonicalRequest: String
        var stringToSign: String
        var signature: String
    }

    var suite: String
    var name: String
    var method: String
    var target: String
    var headers: [[String]]
    var body: String
    var timestamp: String
    var region: String
    var service: String
    var accessKeyID: String
    var secretAccessKey: String
    var sessionToken: String?
    var normalizePath: Bool
    var signBody: Bool
    var omitSessionToken: Bool
    var canonicalRequest: String
    var stringToSign: String
    var signature: String
    var authorization: String?
    var query: Query?

    var testDescription: String { "\(suite)/\(name)" }

    static let all: [SignatureVector] = {
        let path = "\(#filePath)".split(separator: "/").dropLast().joined(separator: "/")
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: "/\(path)/Goldens/sigv4/vectors.json")) else {
            return []
        }
        return (try? JSONDecoder().decode([SignatureVector].self, from: data)) ?? []
    }()

    var subject: SigV4Signer.Subject {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let fields = headers.map { HTTPHeaders.Field($0[0], $0[1]) }
        return SigV4Signer.Subject(
            method: method, path: parts[0], query: parts.count > 1 ? parts[1] : "", headers: HTTPHeaders(fields),
            body: Array(body.utf8))
    }

    var signer: SigV4Signer {
        var options = SigV4Signer.Options()
        options.normalizesPath = normalizePath
        options.signsPayloadHeader = signBody
        options.omitsSessionToken = omitSessionToken
        return SigV4Signer(region: region, service: service, options: options)
    }

    var credentials: AWSCredentials {
        AWSCredentials(
            accessKeyID: accessKeyID, secretAccessKey: Secret(secretAccessKey),
            sessionToken: sessionToken.map { Secret($0) }, source: "vector")
    }

    var time: Timestamp { Timestamp(basicDateTime: timestamp) ?? Timestamp(secondsSinceEpoch: 0) }
}

@Suite struct SigV4SignerTests {
    @Test("All 72 vectors are there")
    func vectorsArePresent() {
        #expect(SignatureVector.all.count == 72)
    }

    @Test("A header signature agrees with the published vector", arguments: SignatureVector.all)
    func headerVector(_ vector: SignatureVector) {
        let signed = vector.signer.sign(vector.subject, vector.credentials, at: vector.time)
        #expect(signed.canonicalRequest == vector.canonicalRequest)
        #expect(signed.stringToSign == vector.stringToSign)
        #expect(signed.signature == vector.signature)
        if let authorization = vector.authorization { #expect(signed.headers["Authorization"] == authorization) }
    }

    @Test(
        "A presigned query agrees with the published vector", arguments: SignatureVector.all.filter { $0.query != nil })
    func queryVector(_ vector: SignatureVector) throws {
        let expected = try #require(vector.query)
        let signed = vector.signer.presign(
            vector.subject, vector.credentials, at: vector.time, expiresAfterSeconds: expected.expiresSeconds)
        #expect(signed.canonicalRequest == expected.canonicalRequest)
        #expect(signed.stringToSign == expected.stringToSign)
        #expect(signed.signature == expected.signature)
    }

    @Test("A cached key gives the same signature as a derived one")
    func cachedKey() throws {
        let vector = try #require(SignatureVector.all.first)
        var cache = SigningKeyCache()
        for _ in 0..<2 {
            let key = cache.key(
                vector.credentials, day: vector.time.basicDate, region: vector.region, service: vector.service)
            let signed = vector.signer.sign(vector.subject, vector.credentials, at: vector.time, key: key)
            #expect(signed.signature == vector.signature)
        }
    }

    @Test("Another secret under the same access key is not served from the cache")
    func rotatedSecret() throws {
        let vector = try #require(SignatureVector.all.first)
        var cache = SigningKeyCache()
        var other = vector.credentials
        other.secretAccessKey = "another"
        let (day, region, service) = (vector.time.basicDate, vector.region, vector.service)
        let first = cache.key(vector.credentials, day: day, region: region, service: service).sign("x")
        let second = cache.key(other, day: day, region: region, service: service).sign("x")
        #expect(first != second)
    }

    @Test("What proxies and libcurl may touch is not signed")
    func unsignedHeaders() throws {
        var vector = try #require(SignatureVector.all.first)
        vector.headers += [["User-Agent", "muster"], ["Expect", ""], ["Connection", "keep-alive"]]
        let signed = vector.signer.sign(vector.subject, vector.credentials, at: vector.time)
        #expect(signed.signature == vector.signature)
    }

    @Test("For S3 the path stays as it is on the wire and the payload's hash is sent")
    func s3() {
        let signer = SigV4Signer(region: "eu-west-1", service: "s3", options: .s3)
        let subject = SigV4Signer.Subject(
            method: "PUT", path: "/b/a%20b//../c", headers: ["Host": "s3.eu-west-1.amazonaws.com"], body: [1, 2, 3])
        let credentials = AWSCredentials(accessKeyID: "A", secretAccessKey: "S", source: "test")
        let signed = signer.sign(subject, credentials, at: Timestamp(secondsSinceEpoch: 0))
        #expect(signed.canonicalRequest.hasPrefix("PUT\n/b/a%20b//../c\n"))
        #expect(
            signed.headers["x-amz-content-sha256"] == "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"
        )
        #expect(signed.headers["Authorization"]?.contains("host;x-amz-content-sha256;x-amz-date") == true)
    }

    @Test("An encoded path is encoded once more for every other service")
    func doubleEncoding() {
        let signer = SigV4Signer(region: "us-east-1", service: "route53")
        let subject = SigV4Signer.Subject(
            method: "GET", path: "/2013-04-01/hostedzone/Z%201/rrset/", headers: ["Host": "route53.amazonaws.com"])
        let credentials = AWSCredentials(accessKeyID: "A", secretAccessKey: "S", source: "test")
        let signed = signer.sign(subject, credentials, at: Timestamp(secondsSinceEpoch: 0))
        #expect(signed.canonicalRequest.hasPrefix("GET\n/2013-04-01/hostedzone/Z%25201/rrset/\n"))
    }
}
