// AWS in memory, behind the wire: it takes the bytes of a request and gives the bytes of an answer.
//
// It is as strict as AWS where muster depends on it: client tokens, names that are taken, what is in use, states that
// take their time. It is as loose as AWS where that hurts: every look at an object sees it as it was some time ago, each
// look and each object anew, so that what is new is missing, what is gone lingers and later looks may know less than
// earlier ones. Only what AWS itself keeps consistent (names, tokens, what is in use) is decided on what is.
//
// Left out: whatever no simulated spec uses. A call that is not known is refused, and the simulation says so.

import AWSClient
import HTTPTransport
import TestSupport

/// One thing in the simulated account.
package struct CloudObject: Sendable, Equatable {
    package var id: String
    /// `vpc`, `rule`, `route`, …
    package var kind: String
    package var fields: [String: String]
    package var tags: [String: String]
    /// True for what somebody else made.
    package var isForeign = false
    /// True for what AWS makes by itself along with something (a local route, the allow-all rule).
    package var isBuiltIn = false
    /// Before it, the object is on its way.
    package var readyAt: Duration = .zero
    /// When an object that is being deleted will be gone.
    package var goneAt: Duration?
    /// When a deleted object is no longer listed at all.
    package var forgottenAt: Duration?

    package subscript(field: String) -> String {
        get { fields[field] ?? "" }
        set { fields[field] = newValue }
    }
}

/// What AWS says instead of doing it.
struct Refusal: Error {
    var code: String
    var message: String
    var status = 400

    init(_ code: String, _ message: String, status: Int = 400) {
        self.code = code
        self.message = message
        self.status = status
    }
}

/// The simulated account.
package final class SimulatedAWS: @unchecked Sendable {
    package static let account = "123456789012"
    static let region = "us-east-1"

    /// What happened to an object, so that a look may see the past.
    private struct Entry {
        let kind: String
        var versions: [(time: Duration, object: CloudObject?)]
    }

    private let timeline: Timeline
    private var random: SeededGenerator
    /// How far into the past a look may fall.
    package var lag: Duration = .zero
    /// How long things take to become ready, and to go.
    package var making: Duration = .zero
    package var deleting: Duration = .zero
    private var entries: [String: Entry] = [:]
    /// Ids in the order of creation, so that listings have one.
    private var order: [String] = []
    private var count = 0
    /// Client token → the id that it made and the request's fingerprint.
    var tokens: [String: (id: String, fingerprint: String)] = [:]
    /// Every change that was made, for the story of a failure.
    package private(set) var log: [String] = []
    package private(set) var callCount = 0
    /// Creations of what was there already, just as it was asked for.
    package private(set) var repeats: [String] = []
    package private(set) var unknownCalls: Set<String> = []
    /// True while a foreign hand is at work.
    private var isForeignHand = false

    package init(_ timeline: Timeline, seed: UInt64) {
        self.timeline = timeline
        random = SeededGenerator(seed: seed)
    }

    var now: Duration { timeline.now }

    // MARK: - Objects as they are

    package var objects: [CloudObject] { order.compactMap { current($0) } }

    func objects(_ kind: String) -> [CloudObject] { order.compactMap { current($0) }.filter { $0.kind == kind } }

    package func current(_ id: String) -> CloudObject? {
        guard let object = entries[id]?.versions.last?.object else { return nil }
        if let gone = object.goneAt, gone <= now { return nil }
        return object
    }

    /// Whether there was a moment with neither.
    func wasGone(_ old: String, before new: String) -> Bool {
        guard let made = entries[new]?.versions.first?.time, let last = entries[old]?.versions.last else {
            return false
        }
        let gone = last.object == nil ? last.time : last.object?.goneAt
        return gone.map { $0 < made } ?? false
    }

    /// With what is gone and still listed (a terminated instance).
    func currentOrListed(_ id: String) -> CloudObject? { entries[id]?.versions.last?.object }

    // MARK: - Objects as a look sees them

    private func moment() -> Duration {
        guard lag > .zero, !random.oneIn(3) else { return now }
        return now - lag * Double.random(in: 0...1, using: &random)
    }

    private func seen(_ entry: Entry) -> CloudObject? {
        let moment = moment()
        guard let object = entry.versions.last(where: { $0.time <= moment })?.object else { return nil }
        if let forgotten = object.forgottenAt ?? object.goneAt, forgotten <= moment { return nil }
        return object
    }

    func seen(_ kind: String) -> [CloudObject] {
        order.compactMap { id in
            guard let entry = entries[id], entry.kind == kind else { return nil }
            return seen(entry)
        }
    }

    func seen(id: String) -> CloudObject? { entries[id].flatMap(seen) }

    /// For a call that names an object: refused when the part of AWS that is asked does not know of it (yet).
    func known(_ id: String, _ code: String) throws(Refusal) -> CloudObject {
        guard seen(id: id) != nil, let object = current(id) else {
            throw Refusal(code, "The ID '\(id)' does not exist")
        }
        return object
    }

    /// For a call whose service is strongly consistent about it.
    func present(_ id: String, _ code: String, status: Int = 400) throws(Refusal) -> CloudObject {
        guard let object = current(id) else { throw Refusal(code, "The ID '\(id)' does not exist", status: status) }
        return object
    }

    // MARK: - Changes

    func newID(_ prefix: String) -> String {
        count += 1
        let digits = String(count, radix: 16)
        return prefix + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    @discardableResult
    func add(
        _ kind: String, id: String, _ fields: [String: String], tags: [String: String] = [:], isBuiltIn: Bool = false,
        takes: Duration = .zero
    ) -> CloudObject {
        var object = CloudObject(id: id, kind: kind, fields: fields, tags: tags)
        object.isForeign = isForeignHand
        object.isBuiltIn = isBuiltIn
        object.readyAt = now + takes
        put(object)
        note("+ \(id)")
        return object
    }

    func noteRepeat(_ id: String) { repeats.append(id) }

    func change(_ id: String, _ body: (inout CloudObject) -> Void) {
        guard var object = currentOrListed(id) else { return }
        let before = object
        body(&object)
        guard object != before else { return }
        put(object)
        note("~ \(id)")
    }

    func remove(_ id: String) {
        guard entries[id]?.versions.last?.object != nil else { return }
        entries[id]?.versions.append((now, nil))
        note("- \(id)")
    }

    /// Deletion that takes its time; `lingers`: how long it is listed afterwards.
    func startRemoving(_ id: String, lingers: Duration = .zero) {
        let end = now + deleting
        change(id) { object in
            guard object.goneAt == nil else { return }
            object.goneAt = end
            object.forgottenAt = end + lingers
        }
    }

    private func put(_ object: CloudObject) {
        if entries[object.id] == nil { order.append(object.id) }
        var versions = entries[object.id]?.versions ?? []
        versions.append((now, object))
        // What no look can see any more.
        if versions.count > 4, let first = versions.lastIndex(where: { $0.time < now - lag }), first > 0 {
            versions.removeFirst(first)
        }
        entries[object.id] = Entry(kind: object.kind, versions: versions)
    }

    private func note(_ text: String) {
        log.append("\(now.inSeconds) s: \(isForeignHand ? "foreign " : "")\(text)")
    }

    /// What somebody else does, in no time and without being refused for what is only seen late.
    package func foreignHand(_ body: (SimulatedAWS) -> Void) {
        let before = lag
        lag = .zero
        isForeignHand = true
        body(self)
        isForeignHand = false
        lag = before
    }

    // MARK: - Calls

    /// Does what a request asks for, and answers.
    func answer(_ raw: HTTPRequest) -> HTTPResponse {
        let request = CloudRequest(raw)
        callCount += 1
        do throws(Refusal) {
            let body: String
            if SimulatedAWS.tableServices.contains(request.service) { return try service(request) }
            switch request.service {
            case "ec2": body = try ec2(request)
            case "iam": body = try iam(request)
            case "route53": body = try route53(request)
            case "sts": body = identity
            default: throw Refusal("InvalidAction", "there is no service \(request.service)")
            }
            return SimulatedAWS.response(200, body)
        } catch {
            if error.code == "InvalidAction" { unknownCalls.insert("\(request.service) \(request.action)") }
            return SimulatedAWS.refusal(error, request.service)
        }
    }

    private static let tableServices: Set<String> = [
        "elasticloadbalancing", "autoscaling", "monitoring", "rds", "elasticache", "sns", "acm", "ecr", "tagging",
        "ssm",
    ]

    static func refusal(_ refusal: Refusal, _ service: String) -> HTTPResponse {
        if SimulatedAWS.jsonServices.contains(service) {
            let body = FlatAnswer.json(["__type": refusal.code, "message": refusal.message])
            return HTTPResponse(
                status: refusal.status, headers: ["Content-Type": "application/x-amz-json-1.1"], body: Array(body.utf8))
        }
        let error = XML.tag("Code", refusal.code) + XML.tag("Message", refusal.message)
        let body =
            service == "ec2"
            ? "<Response><Errors><Error>\(error)</Error></Errors><RequestID>r</RequestID></Response>"
            : "<ErrorResponse><Error><Type>Sender</Type>\(error)</Error><RequestId>r</RequestId></ErrorResponse>"
        return response(refusal.status, body)
    }

    static func response(_ status: Int, _ body: String) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Content-Type": "text/xml"], body: Array(body.utf8))
    }

    private var identity: String {
        """
        <GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::\(SimulatedAWS.account):user/sim</Arn>\
        <UserId>AIDASIM</UserId><Account>\(SimulatedAWS.account)</Account></GetCallerIdentityResult>\
        <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>
        """
    }

    // MARK: - Tokens

    /// The object that a token has made already; refused when it was another request.
    func made(by token: String, _ request: CloudRequest) throws(Refusal) -> CloudObject? {
        guard !token.isEmpty, let known = tokens[token] else { return nil }
        guard known.fingerprint == request.fingerprint else {
            throw Refusal("IdempotentParameterMismatch", "The token was used with other parameters")
        }
        return currentOrListed(known.id)
    }

    func remember(_ token: String, _ id: String, _ request: CloudRequest) {
        if !token.isEmpty { tokens[token] = (id, request.fingerprint) }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
