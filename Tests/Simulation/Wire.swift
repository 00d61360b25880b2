import AWSClient
import HTTPTransport
import MusterModel

/// The network between one process and the simulated AWS: the seam at which everything above is the real thing.
final class Wire: HTTPClient {
    private let machine: Machine
    private let cloud: SimulatedAWS
    /// What happens to a call: its number among all calls of the process, and whether it may change something.
    private let trouble: @Sendable (_ call: Int, _ isMutating: Bool) -> Trouble?
    private let counter = Counter()

    private final class Counter: @unchecked Sendable { var count = 0 }

    init(
        _ machine: Machine, _ cloud: SimulatedAWS,
        trouble: @escaping @Sendable (_ call: Int, _ isMutating: Bool) -> Trouble?
    ) {
        self.machine = machine
        self.cloud = cloud
        self.trouble = trouble
    }

    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        if machine.isDead { throw .cancelled(sent: false) }
        let call = CloudRequest(request)
        let isMutating = call.isMutating
        let number = isMutating ? machine.countCall() : nil
        await machine.thaw()
        if machine.crashes(number, .beforeSend) { machine.die() }
        if machine.isDead { throw .cancelled(sent: false) }
        let index = counter.count
        counter.count += 1
        let trouble = trouble(index, isMutating)
        machine.note(
            "call \(index)\(number.map { " (change \($0))" } ?? ""): \(call.service) \(call.action)"
                + (trouble.map { " ! \($0.rawValue)" } ?? ""))
        if machine.crashes(number, .afterSend) {
            later(.seconds(7), request)
            machine.die()
            throw .cancelled(sent: true)
        }
        let answer = try await travel(request, call, trouble, isMutating)
        if machine.crashes(number, .afterReply) { machine.die() }
        if machine.isDead { throw .cancelled(sent: true) }
        return answer

        func travel(
            _ request: HTTPRequest, _ call: CloudRequest, _ trouble: Trouble?, _ isMutating: Bool
        ) async throws(HTTPError) -> HTTPResponse {
            await pass(.milliseconds(20))
            switch trouble {
            case .refusedConnection: throw .couldNotConnect("simulated")
            case .throttled: return refusal("RequestLimitExceeded", 503, call)
            case .unavailable: return refusal("ServiceUnavailable", 503, call)
            case .fault: return refusal("InternalError", 500, call)
            case .lostRequest: throw .connectionLost(sent: true, "simulated")
            case .lateEffect:
                later(.seconds(9), request)
                throw .connectionLost(sent: true, "simulated")
            case .proxyPage: return page
            default: break
            }
            if machine.isDead { throw .cancelled(sent: true) }
            var answer = cloud.answer(request)
            if machine.crashes(number, .afterEffect) { machine.die() }
            switch trouble {
            case .arrivesTwice where request.isRepeatable:
                await pass(.milliseconds(5))
                answer = cloud.answer(request)
            case .faultAfterEffect: answer = refusal("InternalError", 500, call)
            case .lostReply: throw .connectionLost(sent: true, "simulated")
            case .proxyPageAfterEffect: answer = page
            case .slow: await pass(.seconds(25))
            default: break
            }
            await pass(.milliseconds(20))
            if machine.isDead { throw .cancelled(sent: true) }
            await machine.thaw()
            return answer
        }
    }

    /// The network does not stop when the process does.
    private func pass(_ duration: Duration) async {
        let timeline = machine.timeline
        await Task { try? await timeline.sleep(for: duration) }.value
    }

    private func later(_ delay: Duration, _ request: HTTPRequest) {
        let timeline = machine.timeline
        let cloud = cloud
        Task {
            try? await timeline.sleep(for: delay)
            _ = cloud.answer(request)
        }
    }

    private func refusal(_ code: String, _ status: Int, _ call: CloudRequest) -> HTTPResponse {
        SimulatedAWS.refusal(Refusal(code, "simulated", status: status), call.service)
    }

    private var page: HTTPResponse {
        HTTPResponse(
            status: 502, headers: ["Content-Type": "text/html"], body: Array("<html><body>gateway</body></html>".utf8))
    }
}
