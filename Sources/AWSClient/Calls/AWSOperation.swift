package import HTTPTransport
import TextEncodings

/// What a call does to the world, which decides whether it may be sent again after its outcome became unknown.
package enum AWSEffect: Sendable, Hashable {
    /// Changes nothing.
    case read
    /// Sent twice it does what it does once: upserts, deletes, creates with a client token or a unique name.
    case idempotent
    /// Sent twice it may make two objects: never sent again unless it was certainly not processed.
    case once

    package var isMutating: Bool { self != .read }
    package var isIdempotent: Bool { self != .once }

    /// What an operation's name promises: `Describe… Get… List… Search… Head… BatchGet…` read, everything else is
    /// taken for the most dangerous.
    package init(operationName name: String) {
        let readers = ["Describe", "Get", "List", "Search", "Head", "BatchGet"]
        self = readers.contains { name.hasPrefix($0) } ? .read : .once
    }
}

/// One call: the service, the operation's name, the input, and how it may be repeated.
package struct AWSOperation: Sendable {
    package var service: AWSService
    package var name: String
    package var input: AWSInput
    package var effect: AWSEffect
    /// Another region than the client's.
    package var region: String?
    /// The verb and path, for `rest-xml` services only.
    package var rest: RESTRoute?
    /// Anonymous calls (web identity) carry no signature.
    package var isSigned = true
    /// The longest time for one attempt.
    package var timeout: Duration = .seconds(60)

    /// - Parameter effect: without it the operation's name decides; see `AWSEffect.init(operationName:)`.
    package init(
        _ service: AWSService, _ name: String, _ input: AWSInput = [:], effect: AWSEffect? = nil,
        region: String? = nil, rest: RESTRoute? = nil
    ) {
        self.service = service
        self.name = name
        self.input = input
        self.effect = effect ?? AWSEffect(operationName: name)
        self.region = region
        self.rest = rest
    }
}

/// Verb, path and query of a `rest-xml` call. With `bodyRoot` the operation's input becomes the XML body.
package struct RESTRoute: Sendable {
    package var method: String
    package var path: RESTPath
    package var query: [AWSInput.Field]
    package var headers: HTTPHeaders
    /// The name of the body's root element.
    package var bodyRoot: String?
    /// A body that is not XML (an S3 object).
    package var payload: [UInt8]?
    /// The S3 bucket: part of the host name, or of the path where the host cannot carry it.
    package var bucket: String?
    /// The answer is an object's content, not XML.
    package var answersBytes: Bool

    package init(
        _ method: String, _ path: RESTPath, query: [AWSInput.Field] = [], headers: HTTPHeaders = [:],
        bodyRoot: String? = nil, payload: [UInt8]? = nil, bucket: String? = nil, answersBytes: Bool = false
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.bodyRoot = bodyRoot
        self.payload = payload
        self.bucket = bucket
        self.answersBytes = answersBytes
    }
}

/// A percent-encoded path: what is interpolated is encoded (`"/2013-04-01/hostedzone/\(id)/rrset/"`), what is written
/// literally is not.
package struct RESTPath: Sendable, Hashable, ExpressibleByStringInterpolation {
    package let encoded: String

    package init(stringLiteral value: String) {
        encoded = value
    }

    package init(stringInterpolation: Interpolation) {
        encoded = stringInterpolation.text
    }

    package struct Interpolation: StringInterpolationProtocol {
        var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) {
            text += literal
        }

        /// One segment: a slash in it is encoded too.
        package mutating func appendInterpolation(_ segment: String) {
            text += PercentEncoding.encode(segment)
        }

        /// An S3 key: its slashes separate.
        package mutating func appendInterpolation(key: String) {
            text += PercentEncoding.encode(key, keeping: "/")
        }
    }
}
