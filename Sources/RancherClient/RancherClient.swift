// The REST interface of Rancher 1.x: one server, one key.
//
// Paths are made here and never taken from the links of an answer: a server behind a proxy writes links with names that
// only it knows, and a key must not go to whatever host a link names. Reads are repeated where that is wise. A change is
// sent once: whether to send it again is for the caller, who can look first.

package import HTTPTransport
package import MusterModel

/// Talks to one Rancher server.
package final class RancherClient: Sendable {
    /// One attempt, for a log; it holds no secret.
    package struct Attempt: Sendable, Equatable {
        package var operation: String
        /// From 1.
        package var number: Int
        /// nil: no answer.
        package var status: Int?
        package var duration: Duration
        package var isMutating: Bool
    }

    /// What the client needs of the world.
    package struct Collaborators: Sendable {
        package var http: any HTTPClient
        /// The key to use; nil: none, as a server without access control takes it.
        package var credentials: @Sendable () async -> RancherCredentials?
        package var elapsed: @Sendable () -> Duration
        package var sleep: @Sendable (Duration) async throws -> Void
        /// In 0..<1.
        package var random: @Sendable () -> Double
        package var observer: @Sendable (Attempt) -> Void

        package init(
            http: any HTTPClient, credentials: @escaping @Sendable () async -> RancherCredentials?,
            elapsed: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void,
            random: @escaping @Sendable () -> Double, observer: @escaping @Sendable (Attempt) -> Void = { _ in }
        ) {
            self.http = http
            self.credentials = credentials
            self.elapsed = elapsed
            self.sleep = sleep
            self.random = random
            self.observer = observer
        }
    }

    /// Asked just before a change is sent; false: it is not sent.
    package typealias Leave = @Sendable () async -> Bool

    package let server: RancherServerURL
    private let userAgent: String
    private let collaborators: Collaborators
    private let facts = ServerFacts()
    private let policy = RetryPolicy(maxAttempts: 5, maxUnreachableAttempts: 3)
    /// Rancher gives at most 3,000 in one answer, and 100 unless it is asked for more.
    static let pageSize = 1000

    package init(server: RancherServerURL, userAgent: String, collaborators: Collaborators) {
        self.server = server
        self.userAgent = userAgent
        self.collaborators = collaborators
    }

    // MARK: The server

    /// True when the server answers `/ping` with `pong`.
    ///
    /// - Throws: when something answers that is no Rancher server.
    package func isUp() async throws(RancherError) -> Bool {
        let operation = "GET /ping"
        let response: HTTPResponse
        do throws(RancherError) {
            response = try await send(request("GET", "/ping", nil), operation, isMutating: false)
        } catch {
            if error.kind == .unreachable || error.kind == .network { return false }
            throw error
        }
        if response.status == 200, String(decoding: response.body, as: UTF8.self).hasPrefix("pong") { return true }
        let error = RancherError.foreign(response, operation: operation, server: server, isMutating: false)
        // A balancer answers with pages of its own until a node is healthy.
        if error.kind == .unavailable || response.status == 404 { return false }
        throw error
    }

    /// The interface that this server is talked to by.
    package func api() async throws(RancherError) -> RancherAPI {
        if let known = await facts.api { return known }
        let operation = "GET /v2-beta"
        let response = try await repeating { (attempt) async throws(RancherError) in
            let request = await self.authenticated(self.request("GET", "/v2-beta", nil))
            let response = try await self.send(request, operation, number: attempt, isMutating: false)
            if response.status >= 500 || response.status == 429 {
                throw self.error(response, operation, isMutating: false)
            }
            return response
        }
        let api: RancherAPI
        switch response.status {
        case 200: api = .v2Beta
        case 404: api = .v1
        default: throw error(response, operation, isMutating: false)
        }
        let body = json(response)
        if api == .v2Beta, body?["type"].string == nil {
            throw RancherError.foreign(response, operation: operation, server: server, isMutating: false)
        }
        await facts.learn(api: api, version: response.headers["X-Rancher-Version"])
        return api
    }

    /// The version of the server, as its answers tell it.
    package var version: String? { get async { await facts.version } }

    /// Whether there is a key to ask with.
    package var hasKey: Bool { get async { await collaborators.credentials() != nil } }

    /// Waits a moment, for what ends by itself.
    package func rest(_ duration: Duration) async { try? await collaborators.sleep(duration) }

    // MARK: Reading

    /// All objects of a collection, over as many pages as it has; those that are gone for good are left out.
    package func list(
        _ path: RancherPath, _ query: [(String, String)] = []
    ) async throws(RancherError) -> [RancherObject] {
        var objects: [RancherObject] = []
        var marker: String?
        repeat {
            var page = query + [("limit", String(RancherClient.pageSize))]
            if let marker { page.append(("marker", marker)) }
            let answer = try await get(path, page)
            guard let data = answer["data"].list else {
                throw RancherError(
                    .notRancher, "\(server) answers \(path.text) with something that is no list.",
                    operation: "GET /\(path.text)")
            }
            objects += data.compactMap(RancherObject.init)
            let next = try self.marker(after: answer["pagination"], path)
            if next != nil, next == marker {
                throw RancherError(
                    .notRancher, "\(server) gives the same page of \(path.text) again and again.",
                    operation: "GET /\(path.text)")
            }
            marker = next
        } while marker != nil
        return objects.filter { !$0.isRemoved }
    }

    private func marker(after pagination: Value, _ path: RancherPath) throws(RancherError) -> String? {
        guard let next = pagination["next"].string else {
            if pagination["partial"].bool == true {
                throw RancherError(
                    .notRancher, "\(server) tells only a part of \(path.text), and not how to get the rest.",
                    operation: "GET /\(path.text)")
            }
            return nil
        }
        let query = next.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        for pair in query.split(separator: "&") where pair.hasPrefix("marker=") {
            return String(pair.dropFirst("marker=".count))
        }
        throw RancherError(
            .notRancher, "\(server) has more of \(path.text), and its link to it has no marker.",
            operation: "GET /\(path.text)")
    }

    /// One object; nil when there is none, or when it is gone for good.
    package func object(_ path: RancherPath) async throws(RancherError) -> RancherObject? {
        do throws(RancherError) {
            let answer = try await get(path)
            guard let object = RancherObject(answer) else {
                throw RancherError(
                    .notRancher, "\(server) answers \(path.text) with something that is no object.",
                    operation: "GET /\(path.text)")
            }
            return object.isRemoved ? nil : object
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    /// The whole answer.
    package func get(_ path: RancherPath, _ query: [(String, String)] = []) async throws(RancherError) -> Value {
        try await get("/\(try await api().rawValue)/\(path.text)", query)
    }

    /// What another service on the same port answers, such as `/v1-catalog/templates/library:web:0`.
    package func get(_ path: String, _ query: [(String, String)] = []) async throws(RancherError) -> Value {
        let text = query.map { "\($0.0)=\(RancherPath.encoded($0.1))" }.joined(separator: "&")
        let full = text.isEmpty ? path : "\(path)?\(text)"
        return try await repeating { (attempt) async throws(RancherError) in
            try await self.answer("GET", full, nil, number: attempt, isMutating: false)
        }
    }

    // MARK: Changing

    /// Makes an object. The answer has it in its first state.
    package func create(
        _ path: RancherPath, _ body: [String: Value], asking leave: Leave? = nil
    ) async throws(RancherError) -> RancherObject {
        try object(try await change("POST", path, body, leave), path)
    }

    /// Changes the members that are sent.
    package func update(
        _ path: RancherPath, _ body: [String: Value], asking leave: Leave? = nil
    ) async throws(RancherError) -> RancherObject {
        try object(try await change("PUT", path, body, leave), path)
    }

    package func delete(_ path: RancherPath, asking leave: Leave? = nil) async throws(RancherError) {
        _ = try await change("DELETE", path, nil, leave)
    }

    /// Starts an action of an object. What comes back depends on the action.
    package func act(
        _ path: RancherPath, _ action: String, _ input: [String: Value] = [:], asking leave: Leave? = nil
    ) async throws(RancherError) -> Value {
        try await change("POST", path, input, leave, suffix: "/?action=\(action)")
    }

    /// A change to another service on the same port.
    package func post(
        _ path: String, _ body: [String: Value], asking leave: Leave? = nil
    ) async throws(RancherError) -> Value {
        try await permitted(leave, "POST \(path)")
        return try await answer("POST", path, body, number: 1, isMutating: true)
    }

    private func change(
        _ method: String, _ path: RancherPath, _ body: [String: Value]?, _ leave: Leave?, suffix: String = ""
    ) async throws(RancherError) -> Value {
        let full = "/\(try await api().rawValue)/\(path.text)\(suffix)"
        try await permitted(leave, "\(method) \(full)")
        return try await answer(method, full, body, number: 1, isMutating: true)
    }

    private func permitted(_ leave: Leave?, _ operation: String) async throws(RancherError) {
        if let leave, !(await leave()) {
            throw RancherError(
                .network, "It was not sent, since another run may have taken over.", operation: operation)
        }
    }

    private func object(_ answer: Value, _ path: RancherPath) throws(RancherError) -> RancherObject {
        if let object = RancherObject(answer) { return object }
        throw RancherError(
            .outcomeUnknown, "\(server) answers a change of \(path.text) with something that is no object.",
            operation: "/\(path.text)")
    }

    // MARK: One attempt

    private func answer(
        _ method: String, _ path: String, _ body: [String: Value]?, number: Int, isMutating: Bool
    ) async throws(RancherError) -> Value {
        let operation = "\(method) \(path.prefix { $0 != "?" || isMutating })"
        let request = await authenticated(self.request(method, path, body))
        let response = try await send(request, operation, number: number, isMutating: isMutating)
        await facts.learn(api: nil, version: response.headers["X-Rancher-Version"])
        guard (200..<300).contains(response.status) else { throw error(response, operation, isMutating: isMutating) }
        if response.body.isEmpty { return .null }
        if let answer = json(response) { return answer }
        throw RancherError.foreign(response, operation: operation, server: server, isMutating: isMutating)
    }

    private func request(_ method: String, _ path: String, _ body: [String: Value]?) -> HTTPRequest {
        var request = HTTPRequest(
            method: method, url: server.text + path,
            headers: ["Accept": "application/json", "User-Agent": userAgent, "X-API-No-Challenge": "true"])
        request.isRepeatable = method == "GET"
        if let body {
            request.headers["Content-Type"] = "application/json"
            request.body = Array(ValueJSON.plainText(.map(body)).utf8)
        }
        return request
    }

    private func authenticated(_ request: HTTPRequest) async -> HTTPRequest {
        var request = request
        if let credentials = await collaborators.credentials() {
            request.headers["Authorization"] = credentials.header
        }
        return request
    }

    private func send(
        _ request: HTTPRequest, _ operation: String, number: Int = 1, isMutating: Bool
    ) async throws(RancherError) -> HTTPResponse {
        let start = collaborators.elapsed()
        var attempt = Attempt(
            operation: operation, number: number, status: nil, duration: .zero, isMutating: isMutating)
        defer {
            attempt.duration = collaborators.elapsed() - start
            collaborators.observer(attempt)
        }
        do throws(HTTPError) {
            let response = try await collaborators.http.send(request)
            attempt.status = response.status
            return response
        } catch {
            throw RancherError(error, operation: operation, server: server, isMutating: isMutating)
        }
    }

    private func json(_ response: HTTPResponse) -> Value? {
        guard let text = String(validating: response.body, as: UTF8.self) else { return nil }
        return try? ValueJSON.decodePlain(text)
    }

    private func error(_ response: HTTPResponse, _ operation: String, isMutating: Bool) -> RancherError {
        RancherError(response, body: json(response), operation: operation, server: server, isMutating: isMutating)
    }

    private func repeating<Answer: Sendable>(
        _ read: (_ attempt: Int) async throws(RancherError) -> Answer
    ) async throws(RancherError) -> Answer {
        var attempt = 1
        while true {
            let failure: RancherError
            do throws(RancherError) {
                return try await read(attempt)
            } catch {
                failure = error
            }
            guard
                case .retry(let pause) = policy.decision(
                    after: failure.trouble, attempt: attempt, random: collaborators.random()),
                (try? await collaborators.sleep(pause)) != nil
            else { throw failure }
            attempt += 1
        }
    }
}

extension RancherError {
    fileprivate var trouble: RetryPolicy.Trouble {
        switch kind {
        case .unreachable: .unreachable
        case .network, .unavailable, .outcomeUnknown: .transient
        case .throttled: .throttled
        default: .permanent
        }
    }
}

/// What the answers of a server told of it.
private actor ServerFacts {
    private(set) var api: RancherAPI?
    private(set) var version: String?

    func learn(api: RancherAPI?, version: String?) {
        self.api = self.api ?? api
        self.version = version ?? self.version
    }
}
