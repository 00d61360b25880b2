import HTTPTransport
import Synchronization

@testable import AWSClient

/// The outside world of a test: a clock that only sleeping moves, files and variables as values, and a network that
/// answers what the test says and remembers what it was asked.
final class FakeWorld: HTTPClient {
    typealias Answer = @Sendable (_ request: HTTPRequest, _ number: Int) async -> Result<HTTPResponse, HTTPError>

    private struct State {
        var environment: [String: String]
        var files: [String: AWSCollaborators.FileContent]
        var written: [String: [UInt8]] = [:]
        var processes: [[String]] = []
        var requests: [HTTPRequest] = []
        var slept: [Duration] = []
        var elapsed = Duration.zero
        var clockIsOffBy = Duration.zero
    }

    static let start = Timestamp(iso8601: "2024-05-01T12:00:00Z") ?? Timestamp(secondsSinceEpoch: 0)

    private let state: Mutex<State>
    private let answer: Answer
    private let random: Double
    private let process: @Sendable ([String]) -> AWSCollaborators.ProcessResult?

    init(
        environment: [String: String] = [:], files: [String: String] = [:], random: Double = 1,
        process: @escaping @Sendable ([String]) -> AWSCollaborators.ProcessResult? = { _ in nil },
        _ answer: @escaping Answer
    ) {
        state = Mutex(
            State(environment: environment, files: files.mapValues { .content(Array($0.utf8)) }))
        self.random = random
        self.process = process
        self.answer = answer
    }

    /// Nobody is there.
    convenience init(
        environment: [String: String] = [:], files: [String: String] = [:],
        process: @escaping @Sendable ([String]) -> AWSCollaborators.ProcessResult? = { _ in nil }
    ) {
        self.init(environment: environment, files: files, process: process) { _, _ in
            .failure(.couldNotConnect("nobody is there"))
        }
    }

    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let number = state.withLock { state in
            state.requests.append(request)
            return state.requests.count
        }
        return try await answer(request, number).get()
    }

    var requests: [HTTPRequest] { state.withLock { $0.requests } }
    var slept: [Duration] { state.withLock { $0.slept } }
    var processes: [[String]] { state.withLock { $0.processes } }
    var now: Timestamp { state.withLock { Self.start + $0.elapsed + $0.clockIsOffBy } }

    func written(_ path: String) -> String? {
        state.withLock { $0.written[path] }.map { String(decoding: $0, as: UTF8.self) }
    }

    func advance(by duration: Duration) { state.withLock { $0.elapsed += duration } }
    func setClockOff(by duration: Duration) { state.withLock { $0.clockIsOffBy = duration } }
    func setFile(_ path: String, _ content: AWSCollaborators.FileContent) {
        state.withLock { $0.files[path] = content }
    }

    var collaborators: AWSCollaborators {
        AWSCollaborators(
            environment: state.withLock { $0.environment }, homeDirectory: "/home/ann",
            readFile: { path in self.state.withLock { $0.files[path] ?? .absent } },
            writeFile: { path, content in
                self.state.withLock { $0.written[path] = content }
                return true
            },
            runProcess: { arguments in
                self.state.withLock { $0.processes.append(arguments) }
                return self.process(arguments)
            },
            now: { self.now }, elapsed: { self.state.withLock { $0.elapsed } },
            sleep: { duration in
                try Task.checkCancellation()
                self.state.withLock { state in
                    state.slept.append(duration)
                    state.elapsed += duration
                }
            },
            random: { self.random })
    }

    /// A client with keys that never change.
    func client(
        region: String = "us-east-1", endpoints: AWSEndpoints = AWSEndpoints(), maxAttempts: Int? = nil,
        credentials: (any AWSCredentialsProviding)? = nil, observer: AWSClient.Observer? = nil
    ) -> AWSClient {
        var configuration = AWSConfiguration(region: region, endpoints: endpoints, userAgent: "muster/test")
        configuration.retry.maxAttempts = maxAttempts
        let keys = AWSCredentials(accessKeyID: "AKID", secretAccessKey: "secret", source: "test")
        return AWSClient(
            configuration: configuration, credentials: credentials ?? StaticCredentials(keys), http: self,
            collaborators: collaborators, observer: observer)
    }
}

extension HTTPResponse {
    init(_ status: Int, _ body: String, _ headers: HTTPHeaders = [:]) {
        self.init(status: status, headers: headers, body: Array(body.utf8))
    }

    static func ec2Error(_ code: String, _ message: String = "", status: Int = 400) -> HTTPResponse {
        HTTPResponse(
            status,
            "<Response><Errors><Error><Code>\(code)</Code><Message>\(message)</Message></Error></Errors>"
                + "<RequestID>req-1</RequestID></Response>")
    }

    static func queryError(_ code: String, _ message: String = "", status: Int = 400) -> HTTPResponse {
        HTTPResponse(
            status,
            "<ErrorResponse><Error><Type>Sender</Type><Code>\(code)</Code><Message>\(message)</Message></Error>"
                + "<RequestId>req-2</RequestId></ErrorResponse>")
    }
}

extension HTTPRequest {
    var bodyText: String { String(decoding: body, as: UTF8.self) }
}

extension AWSClient {
    /// The error of a call that must fail.
    func failure(of operation: AWSOperation) async -> AWSError? {
        do {
            _ = try await call(operation)
            return nil
        } catch {
            return error
        }
    }
}
