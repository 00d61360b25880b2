import AWSClient
import HTTPTransport
import MusterModel

/// What answers at the other end of a wire.
protocol Recipient: Sendable {
    func call(_ request: HTTPRequest) -> WireCall
    func answer(_ request: HTTPRequest) -> HTTPResponse
    /// What is answered instead; `nil` for troubles that are no answers.
    func refusal(_ trouble: Trouble, _ request: HTTPRequest) -> HTTPResponse?
}

/// What a wire knows of a request.
struct WireCall {
    var text: String
    var isMutating: Bool
    /// Whether what stands in between may send it again by itself.
    var mayArriveTwice: Bool
}

/// The network between one process and something simulated: the seam at which everything above is the real thing.
final class Wire: HTTPClient {
    private let machine: Machine
    private let recipient: any Recipient
    /// What happens to a call: its number among all calls of the process, and whether it may change something.
    private let trouble: @Sendable (_ call: Int, _ isMutating: Bool) -> Trouble?

    init(
        _ machine: Machine, _ recipient: any Recipient,
        trouble: @escaping @Sendable (_ call: Int, _ isMutating: Bool) -> Trouble?
    ) {
        self.machine = machine
        self.recipient = recipient
        self.trouble = trouble
    }

    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        if machine.isDead { throw .cancelled(sent: false) }
        let call = recipient.call(request)
        let number = call.isMutating ? machine.countCall() : nil
        await machine.thaw()
        if machine.crashes(number, .beforeSend) { machine.die() }
        if machine.isDead { throw .cancelled(sent: false) }
        let index = machine.countRequest()
        let trouble = trouble(index, call.isMutating)
        machine.note(
            "call \(index)\(number.map { " (change \($0))" } ?? ""): \(call.text)"
                + (trouble.map { " ! \($0.rawValue)" } ?? ""))
        if machine.crashes(number, .afterSend) {
            later(.seconds(7), request)
            machine.die()
            throw .cancelled(sent: true)
        }
        let answer = try await travel(request, call, trouble, number)
        if machine.crashes(number, .afterReply) { machine.die() }
        if machine.isDead { throw .cancelled(sent: true) }
        return answer
    }

    private func travel(
        _ request: HTTPRequest, _ call: WireCall, _ trouble: Trouble?, _ number: Int?
    ) async throws(HTTPError) -> HTTPResponse {
        await pass(.milliseconds(20))
        switch trouble {
        case .refusedConnection: throw .couldNotConnect("simulated")
        case .lostRequest: throw .connectionLost(sent: true, "simulated")
        case .lateEffect:
            later(.seconds(9), request)
            throw .connectionLost(sent: true, "simulated")
        case .throttled, .unavailable, .fault, .proxyPage:
            if let refusal = refusal(trouble, request) { return refusal }
        default: break
        }
        if machine.isDead { throw .cancelled(sent: true) }
        var answer = recipient.answer(request)
        if machine.crashes(number, .afterEffect) { machine.die() }
        switch trouble {
        case .arrivesTwice where call.mayArriveTwice:
            await pass(.milliseconds(5))
            answer = recipient.answer(request)
        case .faultAfterEffect, .proxyPageAfterEffect: answer = refusal(trouble, request) ?? answer
        case .lostReply: throw .connectionLost(sent: true, "simulated")
        case .slow: await dawdle(.seconds(25))
        default: break
        }
        await pass(.milliseconds(20))
        if machine.isDead { throw .cancelled(sent: true) }
        await machine.thaw()
        return answer
    }

    /// The network does not stop when the process does.
    private func pass(_ duration: Duration) async {
        let timeline = machine.timeline
        await Task { try? await timeline.sleep(for: duration) }.value
    }

    /// A long wait, which is not worth its while once nobody is there to hear the answer.
    private func dawdle(_ duration: Duration) async {
        let end = machine.timeline.now + duration
        while machine.timeline.now < end, !machine.isDead { await pass(.milliseconds(50)) }
    }

    private func later(_ delay: Duration, _ request: HTTPRequest) {
        let timeline = machine.timeline
        let recipient = recipient
        Task {
            try? await timeline.sleep(for: delay)
            _ = recipient.answer(request)
        }
    }

    private func refusal(_ trouble: Trouble?, _ request: HTTPRequest) -> HTTPResponse? {
        switch trouble {
        case .proxyPage, .proxyPageAfterEffect:
            HTTPResponse(
                status: 502, headers: ["Content-Type": "text/html"],
                body: Array("<html><body>gateway</body></html>".utf8))
        case .some(let trouble): recipient.refusal(trouble, request)
        case nil: nil
        }
    }
}

extension SimulatedAWS: Recipient {
    func call(_ request: HTTPRequest) -> WireCall {
        let call = CloudRequest(request)
        return WireCall(
            text: "\(call.service) \(call.action)", isMutating: call.isMutating, mayArriveTwice: request.isRepeatable)
    }

    func refusal(_ trouble: Trouble, _ request: HTTPRequest) -> HTTPResponse? {
        let service = CloudRequest(request).service
        func refusal(_ code: String, _ status: Int) -> HTTPResponse {
            SimulatedAWS.refusal(Refusal(code, "simulated", status: status), service)
        }
        switch trouble {
        case .throttled: return refusal("RequestLimitExceeded", 503)
        case .unavailable: return refusal("ServiceUnavailable", 503)
        case .fault, .faultAfterEffect: return refusal("InternalError", 500)
        default: return nil
        }
    }
}

/// Rancher, and whoever changes what goes to it and comes from it.
struct RancherRecipient: Recipient {
    let rancher: SimulatedRancher
    let exchange: RancherExchange

    func call(_ request: HTTPRequest) -> WireCall {
        let isChange = request.method != "GET"
        let action = request.url.split(separator: "?action=").dropFirst().first.map { " \($0)" } ?? ""
        // A balancer sends again what HTTP calls idempotent.
        return WireCall(
            text: "rancher \(request.method) \(request.path)\(action)", isMutating: isChange,
            mayArriveTwice: request.method != "POST")
    }

    func answer(_ request: HTTPRequest) -> HTTPResponse { exchange(request) { rancher.answer($0) } }

    func refusal(_ trouble: Trouble, _ request: HTTPRequest) -> HTTPResponse? {
        switch trouble {
        case .throttled: rancher.refusal(status: 429, code: "TooManyRequests")
        case .unavailable:
            HTTPResponse(
                status: 503, headers: ["Content-Type": "text/html"],
                body: Array("<html><body>no server is available</body></html>".utf8))
        case .fault, .faultAfterEffect: rancher.refusal(status: 500, code: "Internal Server Error")
        default: nil
        }
    }
}

/// What becomes of a request to Rancher on its way, and of its answer.
typealias RancherExchange = @Sendable (HTTPRequest, (HTTPRequest) -> HTTPResponse) -> HTTPResponse
