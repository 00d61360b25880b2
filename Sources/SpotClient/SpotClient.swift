// Spot's Elastigroup interface for AWS: one token, one account, which every request names.
//
// An answer is an envelope of the request and the response; what is wanted are the response's items. Reads are repeated
// where that is wise. A change is sent again only after an answer that refuses it for now: whether to send it again after
// anything else is for the caller, who can look first.

package import HTTPTransport
package import MusterModel
import TextEncodings

/// Talks to one account.
package final class SpotClient: Sendable {
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
        package var elapsed: @Sendable () -> Duration
        package var sleep: @Sendable (Duration) async throws -> Void
        /// In 0..<1.
        package var random: @Sendable () -> Double
        package var observer: @Sendable (Attempt) -> Void

        package init(
            http: any HTTPClient, elapsed: @escaping @Sendable () -> Duration,
            sleep: @escaping @Sendable (Duration) async throws -> Void, random: @escaping @Sendable () -> Double,
            observer: @escaping @Sendable (Attempt) -> Void = { _ in }
        ) {
            self.http = http
            self.elapsed = elapsed
            self.sleep = sleep
            self.random = random
            self.observer = observer
        }
    }

    /// Asked just before a change is sent; false: it is not sent.
    package typealias Leave = @Sendable () async -> Bool

    package let endpoint: SpotEndpoint
    package let credentials: SpotCredentials
    private let userAgent: String
    private let collaborators: Collaborators
    private let policy = RetryPolicy(maxAttempts: 5, maxUnreachableAttempts: 3)

    package init(
        endpoint: SpotEndpoint, credentials: SpotCredentials, userAgent: String, collaborators: Collaborators
    ) {
        self.endpoint = endpoint
        self.credentials = credentials
        self.userAgent = userAgent
        self.collaborators = collaborators
    }

    // MARK: Groups

    /// All groups of the account, in one answer.
    package func groups() async throws(SpotError) -> [Value] {
        let answer = try await call("GET", "", nil, nil)
        let items = try items(answer, "GET \(SpotClient.path)")
        if let count = answer["response"]["count"].integer, count != items.count {
            throw SpotError(
                .notSpot, "\(endpoint) tells \(items.count) of \(count) groups, and not how to get the rest.",
                operation: "GET \(SpotClient.path)")
        }
        return items
    }

    /// One group; nil when there is none.
    package func group(_ id: String) async throws(SpotError) -> Value? {
        do throws(SpotError) {
            return try item(
                try await call("GET", "/\(PercentEncoding.encode(id))", nil, nil), "GET", isMutating: false)
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    package func create(_ group: Value, asking leave: Leave? = nil) async throws(SpotError) -> Value {
        try item(try await call("POST", "", ["group": group], leave), "POST", isMutating: true)
    }

    /// Changes the members that are sent, leaf by leaf; null clears one.
    package func update(
        _ id: String, _ changes: Value, _ query: [(String, String)] = [], asking leave: Leave? = nil
    ) async throws(SpotError) -> Value {
        let answer = try await call("PUT", "/\(PercentEncoding.encode(id))", ["group": changes], leave, query)
        return try item(answer, "PUT", isMutating: true)
    }

    /// Ends the group and its instances.
    package func delete(_ id: String, _ body: Value? = nil, asking leave: Leave? = nil) async throws(SpotError) {
        _ = try await call("DELETE", "/\(PercentEncoding.encode(id))", body, leave)
    }

    private func items(_ answer: Value, _ operation: String, isMutating: Bool = false) throws(SpotError) -> [Value] {
        if let items = answer["response"]["items"].list { return items }
        throw SpotError(
            isMutating ? .outcomeUnknown : .notSpot, "\(endpoint) answers with something that has no items.",
            operation: operation)
    }

    private func item(_ answer: Value, _ method: String, isMutating: Bool) throws(SpotError) -> Value {
        let operation = "\(method) \(SpotClient.path)"
        if let item = try items(answer, operation, isMutating: isMutating).first, item["id"].string != nil {
            return item
        }
        throw SpotError(
            isMutating ? .outcomeUnknown : .notSpot, "\(endpoint) answers without a group.", operation: operation)
    }

    // MARK: One call

    private static let path = "/aws/ec2/group"

    private func call(
        _ method: String, _ suffix: String, _ body: Value?, _ leave: Leave?, _ query: [(String, String)] = []
    ) async throws(SpotError) -> Value {
        let isMutating = method != "GET"
        let operation = "\(method) \(SpotClient.path)\(suffix)"
        let parameters = ([("accountId", credentials.account)] + query)
            .map { "\($0.0)=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
        var attempt = 1
        while true {
            let failure: SpotError
            do throws(SpotError) {
                if let leave, !(await leave()) {
                    throw SpotError(
                        .network, "It was not sent, since another run may have taken over.", operation: operation)
                }
                return try await answer(
                    request(method, "\(SpotClient.path)\(suffix)?\(parameters)", body), operation, attempt, isMutating)
            } catch {
                failure = error
            }
            guard !isMutating || failure.kind == .throttled,
                case .retry(let pause) = policy.decision(
                    after: failure.trouble, attempt: attempt, random: collaborators.random(), serverHint: failure.wait),
                (try? await collaborators.sleep(pause)) != nil
            else { throw failure }
            attempt += 1
        }
    }

    private func request(_ method: String, _ target: String, _ body: Value?) -> HTTPRequest {
        var request = HTTPRequest(
            method: method, url: endpoint.text + target,
            headers: [
                "Accept": "application/json", "User-Agent": userAgent, "Authorization": credentials.header,
            ])
        request.isRepeatable = method == "GET"
        if let body {
            request.headers["Content-Type"] = "application/json"
            request.body = Array(ValueJSON.plainText(body).utf8)
        }
        return request
    }

    private func answer(
        _ request: HTTPRequest, _ operation: String, _ number: Int, _ isMutating: Bool
    ) async throws(SpotError) -> Value {
        let start = collaborators.elapsed()
        var attempt = Attempt(
            operation: operation, number: number, status: nil, duration: .zero, isMutating: isMutating)
        defer {
            attempt.duration = collaborators.elapsed() - start
            collaborators.observer(attempt)
        }
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try await collaborators.http.send(request)
        } catch {
            throw SpotError(error, operation: operation, endpoint: endpoint, isMutating: isMutating)
        }
        attempt.status = response.status
        let body = String(validating: response.body, as: UTF8.self).flatMap { try? ValueJSON.decodePlain($0) }
        if response.status == 200, let body, case .map = body["response"] { return body }
        var error: SpotError
        if response.status < 300 {
            error = .foreign(response, operation: operation, endpoint: endpoint, isMutating: isMutating)
            if isMutating { error.kind = .outcomeUnknown }
        } else {
            error = SpotError(response, body: body, operation: operation, endpoint: endpoint, isMutating: isMutating)
        }
        // Neither Spot nor anybody in between is trusted not to repeat it.
        error.message = credentials.removed(from: error.message)
        throw error
    }
}

extension SpotError {
    fileprivate var trouble: RetryPolicy.Trouble {
        switch kind {
        case .unreachable: .unreachable
        case .network, .unavailable: .transient
        case .throttled: .throttled
        default: .permanent
        }
    }
}
