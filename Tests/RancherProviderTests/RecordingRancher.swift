// A Rancher server for tests of single calls: it remembers every request in a form that a person can read, and gives the
// answers it was told.

import HTTPTransport
import MusterModel
import ProviderKit
import RancherClient
import RancherProvider
import Synchronization
import Testing

actor RecordingRancher: HTTPClient {
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

        static func list(_ objects: String...) -> Answer {
            Answer(200, #"{"type":"collection","data":[\#(objects.joined(separator: ","))],"pagination":null}"#)
        }

        static func error(_ status: Int, _ code: String, field: String? = nil) -> Answer {
            let field = field.map { #","fieldName":"\#($0)""# } ?? ""
            return Answer(
                status, #"{"id":"e1","type":"error","status":\#(status),"code":"\#(code)","message":null\#(field)}"#)
        }
    }

    static let server = "http://rancher.test:8080"
    private var answers: [String: [Answer]]
    private var lines: [String] = []
    private(set) var keys: [String?] = []

    /// - Parameter answers: by method and path without the version (`GET /projects`), in turn; the last one stays.
    init(_ answers: [String: [Answer]]) { self.answers = answers }

    func takeTranscript() -> String {
        defer { lines = [] }
        return lines.map { $0 + "\n" }.joined()
    }

    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let path = String(request.url.dropFirst(RecordingRancher.server.count))
        keys.append(request.headers["Authorization"])
        if path == "/v2-beta" {
            let answer = answers["GET /v2-beta"]?.first ?? #"{"id":"v2-beta","type":"apiVersion"}"#
            return response(answer)
        }
        let body = String(decoding: request.body, as: UTF8.self)
        lines.append("\(request.method) \(path)\(body.isEmpty ? "" : " \(body)")")
        var key = String(path.prefix { $0 != "?" })
        if let action = path.split(separator: "?action=").dropFirst().first { key += "?\(action)" }
        for version in ["/v2-beta", "/v1/"] where key.hasPrefix(version) {
            key = String(key.dropFirst(version.count - (version.hasSuffix("/") ? 1 : 0)))
        }
        guard var queue = answers["\(request.method) \(key)"], let first = queue.first else {
            return response(.error(404, "Not Found"))
        }
        if queue.count > 1 {
            queue.removeFirst()
            answers["\(request.method) \(key)"] = queue
        }
        return response(first)
    }

    private func response(_ answer: Answer) -> HTTPResponse {
        var headers = answer.headers
        headers["X-Rancher-Version"] = "v1.6.30"
        return HTTPResponse(status: answer.status, headers: headers, body: Array(answer.body.utf8))
    }

    // MARK: Over it

    nonisolated func client(_ credentials: RancherCredentials? = nil) throws -> RancherClient {
        try RancherClient(
            server: #require(RancherServerURL(RecordingRancher.server)), userAgent: "muster/test",
            collaborators: collaborators(credentials))
    }

    private nonisolated func collaborators(_ credentials: RancherCredentials?) -> RancherClient.Collaborators {
        RancherClient.Collaborators(
            http: self, credentials: { credentials }, elapsed: { .zero }, sleep: { _ in }, random: { 0.5 })
    }

    nonisolated func handler(for type: ResourceType, vault: MemoryVault = MemoryVault()) async throws
        -> any ResourceHandler
    {
        let collaborators = collaborators(nil)
        let provider = RancherProvider(
            override: nil, vault: vault,
            makeClient: { RancherClient(server: $0, userAgent: "muster/test", collaborators: collaborators) })
        return try #require(
            try await provider.session(for: ProviderConfiguration(), expecting: [:]).handler(for: type))
    }
}

/// Keeps secrets in memory, or refuses to.
final class MemoryVault: SecretVault {
    private let texts = Mutex<[String: String]>([:])
    private let isBroken: Bool

    init(isBroken: Bool = false) { self.isBroken = isBroken }

    var kept: [String: String] { texts.withLock { $0 } }

    func check(_ place: String, _ configuration: ProviderConfiguration) async throws(ProviderError) {}
    func keep(_ text: String, at place: String, _ configuration: ProviderConfiguration) async throws(ProviderError) {
        if isBroken { throw ProviderError(.invalid, "The disk is full.") }
        texts.withLock { $0[place] = text }
    }
    func remove(_ place: String, _ configuration: ProviderConfiguration) async throws(ProviderError) {
        texts.withLock { $0[place] = nil }
    }
}

extension Intent {
    static let test = Intent(
        token: "0123456789abcdef0123456789abcdef", address: Address(stack: "s", type: "rancher.x", name: "n"))
}

let mark = "[muster:intent=0123456789abcdef0123456789abcdef]"
