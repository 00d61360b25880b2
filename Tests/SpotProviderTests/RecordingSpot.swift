// A Spot for tests of single calls, which remembers every request in a form that a person can read and gives the answers
// it was told; and a lab with the simulated one.

import HTTPTransport
import MusterModel
import ProviderKit
import SpotClient
import SpotProvider
import Synchronization
import Testing

final class RecordingSpot: HTTPClient {
    struct Answer: Sendable, ExpressibleByStringLiteral {
        var status = 200
        var body: String
        var headers: HTTPHeaders = [:]

        init(stringLiteral text: String) { body = text }
        init(_ status: Int, _ body: String, headers: HTTPHeaders = [:]) {
            self.status = status
            self.body = body
            self.headers = headers
        }

        static func items(_ items: String..., count: Int? = nil) -> Answer {
            let count = count ?? items.count
            return Answer(
                200,
                #"{"request":{"id":"r1"},"response":{"status":{"code":200},"items":[\#(items.joined(separator: ","))],"count":\#(count)}}"#
            )
        }

        static func error(_ status: Int, _ code: String, _ message: String, field: String? = nil) -> Answer {
            let field = field.map { #","field":"\#($0)""# } ?? ""
            return Answer(
                status,
                #"{"request":{"id":"r1"},"response":{"status":{"code":\#(status)},"errors":[{"code":"\#(code)","message":"\#(message)"\#(field)}]}}"#
            )
        }
    }

    static let token = "t0ken-that-nobody-sees"
    private struct State {
        var answers: [Answer]
        var lines: [String] = []
        var headers: [String] = []
        var pauses: [Duration] = []
    }
    private let state: Mutex<State>

    /// - Parameter answers: in turn; the last one stays.
    init(_ answers: Answer...) { state = Mutex(State(answers: answers)) }

    var transcript: String { state.withLock { $0.lines.map { $0 + "\n" }.joined() } }
    var authorizations: [String] { state.withLock { $0.headers } }
    var pauses: [Duration] { state.withLock { $0.pauses } }

    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let answer = state.withLock { state in
            let body = String(decoding: request.body, as: UTF8.self)
            let path = request.url.dropFirst(SpotEndpoint.service.text.count)
            state.lines.append("\(request.method) \(path)\(body.isEmpty ? "" : " \(body)")")
            state.headers.append(request.headers["Authorization"] ?? "")
            return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
        }
        return HTTPResponse(status: answer.status, headers: answer.headers, body: Array(answer.body.utf8))
    }

    var client: SpotClient {
        SpotClient(
            endpoint: .service, credentials: SpotCredentials(token: RecordingSpot.token, account: "act-1"),
            userAgent: "muster/test",
            collaborators: SpotClient.Collaborators(
                http: self, elapsed: { .zero },
                sleep: { pause in self.state.withLock { $0.pauses.append(pause) } }, random: { 0 }))
    }

    func handler() async throws -> any ResourceHandler {
        let provider = SpotProvider { () throws(ProviderError) in self.client }
        return try #require(
            try await provider.session(for: ProviderConfiguration(), expecting: [:]).handler(for: "spot.elastigroup"))
    }
}

extension Intent {
    static let test = Intent(
        token: "0123456789abcdef0123456789abcdef", address: Address(stack: "s", type: "spot.elastigroup", name: "n"))
    static let other = Intent(
        token: "ffffffffffffffffffffffffffffffff", address: Address(stack: "s", type: "spot.elastigroup", name: "n"))
}
