// AWS for tests: it remembers every request in a form that a person can read, and gives the answers it was told.

import AWSClient
import AWSProvider
import HTTPTransport
import MusterModel
import ProviderKit
import Testing
import TextEncodings

actor RecordingAWS: HTTPClient {
    /// What an operation answers.
    enum Answer: Sendable {
        /// What stands inside `<OperationResponse>` (of query services: inside `<OperationResult>`).
        case body(String)
        /// A whole document: what rest-xml and JSON services answer.
        case document(String)
        case failure(code: String, message: String = "", status: Int = 400)

        /// An answer that says nothing but yes.
        static let done: Answer = .body("<return>true</return>")
    }

    private var answers: [String: [Answer]]
    private(set) var calls: [String] = []
    private var lines: [String] = []

    /// - Parameter answers: by operation (`CreateVpc`) or by verb and path (`GET /2013-04-01/hostedzone`), in turn; the
    ///   last one is given again and again.
    init(_ answers: [String: [Answer]] = [:]) { self.answers = answers }

    /// What was asked since the last look.
    func takeTranscript() -> String {
        defer { lines = [] }
        return lines.map { $0 + "\n" }.joined()
    }

    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let (service, operation, details) = read(request)
        calls.append(operation)
        lines.append("\(service) \(operation)")
        lines += details.map { "  " + $0 }
        guard let answer = nextAnswer(operation) else {
            return response(.failure(code: "NoAnswer", message: "no answer for \(operation)"), service, operation)
        }
        return response(answer, service, operation)
    }

    private func nextAnswer(_ operation: String) -> Answer? {
        guard var queue = answers[operation], let first = queue.first else { return nil }
        if queue.count > 1 {
            queue.removeFirst()
            answers[operation] = queue
        }
        return first
    }

    private func read(_ request: HTTPRequest) -> (service: String, operation: String, details: [String]) {
        let rest = request.url.drop { $0 != "/" }.drop { $0 == "/" }
        let service = String(rest.prefix { $0 != "." && $0 != "/" })
        let path = String(rest.drop { $0 != "/" })
        let body = String(decoding: request.body, as: UTF8.self)
        if let target = request.headers["X-Amz-Target"] {
            return (service, String(target.split(separator: ".").last ?? ""), [body])
        }
        guard body.hasPrefix("Action=") else {
            let bare = path.prefix { $0 != "?" }
            let details = (path.count > bare.count ? [String(path.dropFirst(bare.count))] : []) + [body]
            return (service, "\(request.method) \(bare)", details.filter { !$0.isEmpty })
        }
        var pairs = body.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                PercentEncoding.decodedText(parts[0]),
                PercentEncoding.decodedText(parts.count > 1 ? parts[1].replacing("+", with: " ") : "")
            )
        }
        let operation = pairs.removeFirst().1
        return (service, operation, pairs.filter { $0.0 != "Version" }.map { "\($0.0) = \($0.1)" })
    }

    private func response(_ answer: Answer, _ service: String, _ operation: String) -> HTTPResponse {
        switch answer {
        case .document(let text): return HTTPResponse(status: 200, body: Array(text.utf8))
        case .body(let text):
            let inner =
                service == "ec2"
                ? "<requestId>request-1</requestId>\(text)"
                : "<\(operation)Result>\(text)</\(operation)Result>"
                    + "<ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata>"
            return HTTPResponse(
                status: 200, body: Array("<\(operation)Response>\(inner)</\(operation)Response>".utf8))
        case .failure(let code, let message, let status) where ["ssm", "api", "tagging", "acm"].contains(service):
            return HTTPResponse(
                status: status, body: Array(#"{"__type":"\#(code)","message":"\#(message)"}"#.utf8))
        case .failure(let code, let message, let status):
            let error = "<Error><Code>\(code)</Code><Message>\(message)</Message></Error>"
            let text =
                service == "ec2"
                ? "<Response><Errors>\(error)</Errors><RequestID>request-1</RequestID></Response>"
                : "<ErrorResponse>\(error)<RequestId>request-1</RequestId></ErrorResponse>"
            return HTTPResponse(status: status, body: Array(text.utf8))
        }
    }
}

extension RecordingAWS {
    /// A handler in a session of its own.
    nonisolated func handler(
        for type: ResourceType, expecting: [ResourceType: [KnownObject]] = [:]
    ) async throws -> any ResourceHandler {
        try #require(try await session(expecting: expecting).handler(for: type))
    }

    nonisolated func session(
        expecting: [ResourceType: [KnownObject]] = [:]
    ) async throws -> any ProviderSession {
        try await provider.session(for: ProviderConfiguration(), expecting: expecting)
    }

    nonisolated var provider: AWSProvider {
        let collaborators = AWSCollaborators(
            environment: [
                "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
            ], homeDirectory: nil, readFile: { _ in .absent }, now: { Timestamp(secondsSinceEpoch: 1_700_000_000) },
            elapsed: { .zero }, sleep: { _ in }, random: { 0.5 })
        return AWSProvider(
            factory: AWSClientFactory(collaborators: collaborators, version: "test", makeHTTPClient: { _ in self }))
    }
}

// MARK: - Showing what came back

extension Intent {
    static let test = Intent(
        token: "0123456789abcdef0123456789abcdef", address: Address(stack: "test", type: "aws.vpc", name: "main"))
}

extension Observation {
    /// One line for each fact.
    var shown: String {
        var lines = ["=> \(id) \(status)"]
        for (name, value) in arguments.sorted(by: { $0.key < $1.key }) { lines.append("  \(name): \(value.shown)") }
        for (name, value) in inForce.sorted(by: { $0.key < $1.key }) {
            lines.append("  until then \(name): \(value.shown)")
        }
        if !owed.isEmpty { lines.append("  owed: \(owed.sorted().joined(separator: ", "))") }
        for (name, value) in outputs.sorted(by: { $0.key < $1.key }) { lines.append("  -> \(name): \(value.shown)") }
        return lines.map { $0 + "\n" }.joined()
    }
}

extension Value {
    /// Compact, keys sorted.
    var shown: String {
        switch self {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .string(let text): "\"\(text)\""
        case .list(let values): "[\(values.map(\.shown).joined(separator: ", "))]"
        case .map(let members):
            "{\(members.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.shown)" }.joined(separator: ", "))}"
        case .deferred: "deferred"
        }
    }
}
