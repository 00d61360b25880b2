import AWSClient
package import HTTPTransport
import Synchronization
import TextEncodings

/// A simulated service with its clock, its journal and its faults; over HTTP (`SandboxServer`) or in process, where it
/// is an `HTTPClient` itself.
///
/// One request is done at a time, so that answers can be explained.
package final class SandboxSite<Service: SimulatedService>: HTTPClient {
    private struct State {
        var service: Service
        var journal: [JournalEntry] = []
        var faults = FaultOrders()
    }

    package let clock: SimulatedClock
    // Connections on several threads come here; none may wait for an actor.
    private let state: Mutex<State>

    package init(_ service: Service, clock: SimulatedClock = .manual()) {
        self.clock = clock
        state = Mutex(State(service: service))
    }

    /// What is done with a request.
    package struct Reply: Sendable {
        /// `nil`: the connection is reset.
        package var response: HTTPResponse?
        /// How long the client waits for it, on the machine's clock.
        package var delay: Duration
    }

    package static var controlPrefix: String { "/muster-sandbox/" }

    // MARK: - For tests in process

    /// Looks at the service or changes it, at the present time.
    package func withService<Result: Sendable>(_ body: (inout Service, _ now: Int64) -> Result) -> Result {
        state.withLock { state in
            let now = clock.now
            state.service.advance(to: now)
            return body(&state.service, now)
        }
    }

    /// Puts the clock ahead and lets happen what time alone does.
    package func advance(by duration: Duration) {
        clock.advance(by: duration)
        withService { _, _ in }
    }

    package var journal: [JournalEntry] { state.withLock { $0.journal } }

    package func resetJournal() { state.withLock { $0.journal = [] } }

    /// Orders faults; they come in their order.
    package func order(_ faults: Fault...) { state.withLock { $0.faults.open += faults } }

    package func cancelFaults() { state.withLock { $0.faults.open = [] } }

    package func reset() {
        state.withLock { state in
            state.service.reset(at: clock.now)
            state.journal = []
            state.faults.open = []
        }
    }

    /// One request in process; a reset connection is `HTTPError.connectionLost`.
    package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let reply = handle(request, from: "127.0.0.1")
        if reply.delay > .zero {
            guard (try? await Task.sleep(for: min(reply.delay, request.totalTimeout))) != nil else {
                throw .cancelled(sent: true)
            }
            if reply.delay > request.totalTimeout { throw .timedOut(sent: true) }
        }
        guard let response = reply.response else {
            throw .connectionLost(sent: true, "the simulated connection was reset")
        }
        return response
    }

    // MARK: - Requests

    /// Decides what is done with a request, and does it.
    package func handle(_ request: HTTPRequest, from peer: String, connection: Int = 0) -> Reply {
        let path = Self.pathAndQuery(of: request.url)
        if path.hasPrefix(Self.controlPrefix) {
            return Reply(response: control(request, path), delay: .zero)
        }
        return state.withLock { state in
            let now = clock.now
            state.service.advance(to: now)
            let fault = state.faults.take(request.method, path)
            var response: HTTPResponse?
            if fault == nil || fault?.when == .after || fault?.kind == .delay {
                response = state.service.answer(request, from: peer, at: now)
            }
            let decided = response
            if let fault { response = Self.spoiled(response, by: fault, state.service) }
            let error = decided ?? response
            state.journal.append(
                JournalEntry(
                    number: state.journal.count + 1, time: now, method: request.method, path: path,
                    status: error?.status ?? 0, code: Self.code(of: error),
                    isAnswered: response != nil && (fault == nil || fault?.kind == .delay),
                    fault: fault?.kind.rawValue, accessKey: Self.accessKey(of: request),
                    userAgent: request.headers["User-Agent"], bytes: request.body.count, connection: connection,
                    details: state.service.summary(of: request)))
            return Reply(response: response, delay: .milliseconds(Int((fault?.delay ?? 0) * 1_000)))
        }
    }

    private static func spoiled(_ response: HTTPResponse?, by fault: Fault, _ service: Service) -> HTTPResponse? {
        switch fault.kind {
        case .reset: return nil
        case .delay: return response
        case .error: return service.failure(status: fault.status, code: fault.code)
        case .page:
            let status = (500...599).contains(fault.status) && fault.status != 503 ? fault.status : 502
            let page =
                "<html>\r\n<head><title>\(status) Bad Gateway</title></head>\r\n<body bgcolor=\"white\">\r\n"
                + "<center><h1>\(status) Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
            return HTTPResponse(status: status, headers: ["Content-Type": "text/html"], body: Array(page.utf8))
        }
    }

    private static func pathAndQuery(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        guard let slash = url[scheme.upperBound...].firstIndex(where: { $0 == "/" || $0 == "?" }) else { return "/" }
        return String(url[slash...])
    }

    private static func code(of response: HTTPResponse?) -> String? {
        guard let response, response.status >= 400, let body = try? JSONValue(parsing: response.body) else {
            return nil
        }
        return body["code"].string ?? body["response"]["errors"].items.first?["code"].string
    }

    private static func accessKey(of request: HTTPRequest) -> String? {
        guard let value = request.headers["Authorization"], value.lowercased().hasPrefix("basic "),
            let bytes = Base64.decode(value.dropFirst(6))
        else { return nil }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
    }

    // MARK: - Control

    private func control(_ request: HTTPRequest, _ path: String) -> HTTPResponse {
        let answer: ControlAnswer
        if let body = Self.body(of: request) {
            let name = path.dropFirst(Self.controlPrefix.count).prefix { $0 != "?" }
            let trimmed = name.drop { $0 == "/" }.split(separator: "/").joined(separator: "/")
            let command = ControlRequest(method: request.method, path: trimmed, body: body)
            answer =
                own(command) ?? withService { $0.control(command, at: $1) }
                ?? ControlAnswer(["error": .string("no such command: \(request.method) \(path)")], status: 404)
        } else {
            answer = .refused("the body is not JSON")
        }
        return HTTPResponse(
            status: answer.status, headers: ["Content-Type": "application/json"], body: answer.body.text())
    }

    private static func body(of request: HTTPRequest) -> JSONValue? {
        request.body.isEmpty ? .null : try? JSONValue(parsing: request.body)
    }

    /// What every site can do.
    private func own(_ command: ControlRequest) -> ControlAnswer? {
        switch (command.method, command.path) {
        case ("GET", "health"): return ControlAnswer(["status": "ok"])
        case ("POST", "reset"): reset()
        case ("GET", "log"): return ControlAnswer(.array(journal.map(\.json)))
        case ("POST", "log/reset"): resetJournal()
        case ("GET", "clock"): return ControlAnswer(["now": .integer(clock.now)])
        case ("POST", "clock"):
            guard let seconds = command.body["advance"].double, seconds >= 0, seconds < 1e9 else {
                return .refused("want {\"advance\": SECONDS}")
            }
            advance(by: .milliseconds(Int64(seconds * 1_000)))
        case ("GET", "faults"): return ControlAnswer(.array(state.withLock { $0.faults.open.map(\.json) }))
        case ("POST", "faults/reset"): cancelFaults()
        case ("POST", "faults"): return orderFaults(command.body)
        default: return nil
        }
        return ControlAnswer()
    }

    private func orderFaults(_ body: JSONValue) -> ControlAnswer {
        guard case .array(let orders) = body else { return .refused("want a list of faults") }
        do {
            let faults = try orders.map { try Fault($0) }
            state.withLock { $0.faults.open += faults }
            return ControlAnswer()
        } catch let error as FaultOrderError {
            return .refused(error.reason)
        } catch {
            return .refused("\(error)")
        }
    }
}
