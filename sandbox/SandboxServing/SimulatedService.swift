// What simulators share, whatever they simulate: a clock that tests move, a journal of requests, faults on order, paths
// by which a test controls them, a server over sockets and an `HTTPClient` for tests in process.
//
// A service is a pure state machine: a request and a time go in, an answer comes out. Everything that is not the
// service's own (losing answers, being slow, remembering what was asked) is `SandboxSite`'s part, so that it is the same
// for all of them. Nothing here is linked into muster.

package import AWSClient
package import HTTPTransport

/// What answers behind a site. One call at a time; the site holds the lock.
package protocol SimulatedService: Sendable {
    /// Answers one request.
    ///
    /// - Parameters:
    ///   - request: its URL is absolute, with the host that the client named.
    ///   - peer: the client's address.
    ///   - now: milliseconds since 1970 on the simulated clock; never less than in an earlier call.
    mutating func answer(_ request: HTTPRequest, from peer: String, at now: Int64) -> HTTPResponse

    /// Does what time alone does until `now`.
    mutating func advance(to now: Int64)

    /// Answers a request below `/muster-sandbox/` that the site itself does not know; `nil` if nobody does.
    mutating func control(_ command: ControlRequest, at now: Int64) -> ControlAnswer?

    /// As it was made at first.
    mutating func reset(at now: Int64)

    /// An error in the service's own form, for faults on order.
    func failure(status: Int, code: String) -> HTTPResponse

    /// What the journal keeps of a request besides its line: the kind of object, the action. Secrets stay out.
    func summary(of request: HTTPRequest) -> [JSONValue.Member]
}

/// A request to a simulator about itself.
package struct ControlRequest: Sendable {
    package var method: String
    /// What follows `/muster-sandbox/`, without a slash at its ends.
    package var path: String
    package var body: JSONValue

    package init(method: String, path: String, body: JSONValue) {
        self.method = method
        self.path = path
        self.body = body
    }
}

/// What comes of it.
package struct ControlAnswer: Sendable {
    package var status: Int
    package var body: JSONValue

    package init(_ body: JSONValue = .object([]), status: Int = 200) {
        self.status = status
        self.body = body
    }

    package static func refused(_ reason: String) -> ControlAnswer {
        ControlAnswer(.object([JSONValue.Member("error", .string(reason))]), status: 400)
    }
}
