// One call: pace, sign, send, read the answer, and decide what a failure means.
//
// Whether to repeat is two questions. Is it safe — can the server have acted on the request, and would acting twice do
// harm? Is it wise — does the kind of failure pass, and is there budget left (`RetryPolicy`, `RetryQuota`)? A call that
// must happen once is never sent again after an ambiguous failure: it ends as `outcomeUnknown`, and its caller looks
// for the object before doing anything else. No resource is known here.

package import HTTPTransport
import TextEncodings

/// Calls AWS as one identity.
package final class AWSClient: Sendable {
    /// One attempt, for a log; it holds no secret.
    package struct Attempt: Sendable, Equatable {
        package var service: String
        package var operation: String
        package var region: String
        /// From 1.
        package var number: Int
        /// `nil`: no answer.
        package var status: Int?
        package var errorCode: String?
        package var requestID: String?
        package var duration: Duration
        /// Whether it may have changed something.
        package var isMutating = false
        /// By how much the server's clock is ahead of ours; `nil` when the answer does not say.
        package var skew: Duration?
    }

    package typealias Observer = @Sendable (Attempt) -> Void

    package let configuration: AWSConfiguration
    private let credentials: any AWSCredentialsProviding
    private let http: any HTTPClient
    private let collaborators: AWSCollaborators
    private let budgets: RateBudgets
    private let observer: Observer?
    private let state = CallState()
    private let policy: RetryPolicy

    /// - Parameter budgets: shared by the clients of a run, since AWS counts per account and not per client.
    package init(
        configuration: AWSConfiguration, credentials: any AWSCredentialsProviding, http: any HTTPClient,
        collaborators: AWSCollaborators, budgets: RateBudgets = RateBudgets(), observer: Observer? = nil
    ) {
        self.configuration = configuration
        self.credentials = credentials
        self.http = http
        self.collaborators = collaborators
        self.budgets = budgets
        self.observer = observer
        policy = configuration.retryPolicy
    }

    /// The region a call goes to.
    package func region(of operation: AWSOperation) -> String {
        operation.region ?? configuration.region
    }

    /// Makes one call; retries as long as that is safe and wise.
    ///
    /// - Parameter leave: asked just before each attempt of a change is sent; false: it is not sent, and the call ends.
    /// - Throws: `AWSError`. Its kind is `outcomeUnknown` if a change may have happened.
    package func call(
        _ operation: AWSOperation, asking leave: (@Sendable () async -> Bool)? = nil
    ) async throws(AWSError) -> AWSOutput {
        var operation = operation
        var progress = Progress(invocation: makeToken())
        while true {
            let result = await attempt(operation, progress, leave)
            switch result {
            case .success(let output):
                await state.succeeded(lastCost: progress.lastCost)
                return output
            case .failure(let failure):
                progress.isAmbiguous = progress.isAmbiguous || failure.failure.isAmbiguous
                guard let next = await next(after: failure, &operation, &progress) else {
                    throw error(failure, operation, progress)
                }
                guard await pause(next) else {
                    throw error(FailedAttempt(.cancelledWaiting), operation, progress)
                }
                progress.attempt += 1
            }
        }
    }

    /// `call(AWSOperation(…))`, for short.
    package func call(
        _ service: AWSService, _ name: String, _ input: AWSInput = [:], effect: AWSEffect? = nil,
        region: String? = nil
    ) async throws(AWSError) -> AWSOutput {
        try await call(AWSOperation(service, name, input, effect: effect, region: region))
    }

    // MARK: - One attempt

    private struct Progress {
        let invocation: String
        var attempt = 1
        var lastCost = 0
        /// Some attempt may have been acted upon.
        var isAmbiguous = false
        var hasRefreshed = false
        var hasCorrectedClock = false
        var hasMovedRegion = false
    }

    private struct FailedAttempt: Error {
        var failure: CallFailure
        var credentials: AWSCredentials?
        var credentialsError: CredentialsError?

        init(_ failure: CallFailure, _ credentials: AWSCredentials? = nil, _ error: CredentialsError? = nil) {
            self.failure = failure
            self.credentials = credentials
            credentialsError = error
        }
    }

    private func attempt(
        _ operation: AWSOperation, _ progress: Progress, _ leave: (@Sendable () async -> Bool)?
    ) async -> Result<AWSOutput, FailedAttempt> {
        let region = region(of: operation)
        guard
            let (endpoint, hostHasBucket) = configuration.endpoints.endpoint(
                for: operation.service, region: region, bucket: operation.rest?.bucket)
        else { return .failure(FailedAttempt(.badEndpoint(operation, region))) }

        var used: AWSCredentials?
        var budget: RateBudgets.Place
        do {
            used = operation.isSigned ? try await credentials.credentials() : nil
            budget = RateBudgets.Place(
                account: used.map { $0.accountID ?? $0.accessKeyID } ?? "anonymous", region: endpoint.signingRegion,
                usesPublished: endpoint.isGenuine)
            let wait = await budgets.reserve(operation, budget, at: collaborators.elapsed())
            guard await pause(wait) else { return .failure(FailedAttempt(.cancelledWaiting, used)) }
            // After a long wait they may be others.
            if wait > .seconds(60), operation.isSigned { used = try await credentials.credentials() }
        } catch {
            return .failure(FailedAttempt(.noCredentials(error), nil, error))
        }

        let builder = RequestBuilder(operation: operation, endpoint: endpoint, hostHasBucket: hostHasBucket)
        let request = await request(builder, used, progress)
        if operation.effect.isMutating, let leave, await !leave() {
            return .failure(FailedAttempt(.refusedLeave, used))
        }
        let started = collaborators.elapsed()
        let result = await send(request, operation)
        observe(operation, progress, result, collaborators.elapsed() - started)
        switch result {
        case .success(let output):
            await budgets.succeeded(operation, budget)
            return .success(output)
        case .failure(let failure):
            if failure.trouble == .throttled {
                await budgets.throttled(operation, budget, at: collaborators.elapsed())
            }
            return .failure(FailedAttempt(failure, used))
        }
    }

    private func send(_ request: HTTPRequest, _ operation: AWSOperation) async -> Result<AWSOutput, CallFailure> {
        let response: HTTPResponse
        do {
            response = try await http.send(request)
        } catch {
            return .failure(CallFailure(error))
        }
        let decoder = ResponseDecoder(
            wire: operation.service.wire, effect: operation.effect,
            answersBytes: operation.rest?.answersBytes ?? false, now: collaborators.now())
        return decoder.decode(response)
    }

    private func pause(_ duration: Duration) async -> Bool {
        guard duration > .zero else { return !Task.isCancelled }
        do {
            try await collaborators.sleep(duration)
            return true
        } catch {
            return false
        }
    }

    private func observe(
        _ operation: AWSOperation, _ progress: Progress, _ result: Result<AWSOutput, CallFailure>,
        _ duration: Duration
    ) {
        guard let observer else { return }
        var record = Attempt(
            service: operation.service.name, operation: operation.name, region: region(of: operation),
            number: progress.attempt, duration: duration, isMutating: operation.effect.isMutating)
        switch result {
        case .success(let output):
            (record.status, record.requestID) = (output.status, output.requestID)
            let date = output.headers["Date"].flatMap { Timestamp(httpDate: $0) }
            record.skew = date.map { $0 - collaborators.now() }
        case .failure(let failure):
            record.skew = failure.skew
            record.status = failure.status
            record.requestID = failure.requestID
            record.errorCode = failure.code ?? "\(failure.kind)"
        }
        observer(record)
    }

    // MARK: - What follows a failure

    /// How long to wait before the next attempt; `nil`: there is none.
    private func next(
        after failed: FailedAttempt, _ operation: inout AWSOperation, _ progress: inout Progress
    ) async -> Duration? {
        let failure = failed.failure
        // Refusals that a better request overcomes: once each, at once, and safe since nothing was done.
        switch failure.kind {
        case .expiredToken where !progress.hasRefreshed && operation.isSigned:
            progress.hasRefreshed = true
            if let used = failed.credentials { await credentials.discard(used) }
            return .zero
        case .clockSkew where !progress.hasCorrectedClock:
            guard let skew = failure.skew else { return nil }
            progress.hasCorrectedClock = true
            await state.correctClock(by: skew)
            return .zero
        default: break
        }
        if operation.service == .s3, let actual = failure.bucketRegion, actual != region(of: operation),
            !progress.hasMovedRegion
        {
            progress.hasMovedRegion = true
            operation.region = actual
            return .zero
        }

        guard !failure.isAmbiguous || operation.effect.isIdempotent else { return nil }
        let decision = policy.decision(
            after: failure.trouble, attempt: progress.attempt, random: collaborators.random(),
            serverHint: failure.retryAfter)
        guard case .retry(let delay) = decision else { return nil }
        let quota = await state.takeRetry(failure.trouble)
        progress.lastCost = quota.cost
        guard !quota.isExhausted else {
            // A throttle is not worth failing a run for: it waits as long as it may instead.
            return failure.trouble == .throttled || failure.trouble == .contention ? policy.cap : nil
        }
        return delay
    }

    private func error(_ failed: FailedAttempt, _ operation: AWSOperation, _ progress: Progress) -> AWSError {
        let failure = failed.failure
        var kind = failure.kind
        var message = operation.input.withoutSecrets(failure.message)
        if operation.effect.isMutating, progress.isAmbiguous, !Self.settlesOutcome(kind) {
            kind = .outcomeUnknown
            message += "; whether the change was made is not known"
        }
        return AWSError(
            kind, service: operation.service.name, operation: operation.name, region: region(of: operation),
            code: failure.code, message: message, httpStatus: failure.status, requestID: failure.requestID,
            extendedRequestID: failure.extendedRequestID, attempts: progress.attempt,
            credentialsError: failed.credentialsError)
    }

    /// Whether an answer tells about the object even if an earlier attempt stayed without one.
    private static func settlesOutcome(_ kind: AWSError.Kind) -> Bool {
        switch kind {
        case .notFound, .alreadyExists, .inUse, .unauthorized, .validation, .idempotencyMismatch, .rejected: true
        default: false
        }
    }

    // MARK: - The request

    private func request(
        _ builder: RequestBuilder, _ signingCredentials: AWSCredentials?, _ progress: Progress
    ) async -> HTTPRequest {
        let (operation, endpoint) = (builder.operation, builder.endpoint)
        var subject = builder.subject
        if let signingCredentials {
            let time = await state.correctedTime(collaborators.now())
            let signer = SigV4Signer(
                region: endpoint.signingRegion, service: operation.service.signingName,
                options: operation.service == .s3 ? .s3 : SigV4Signer.Options())
            let key = await state.signingKey(
                signingCredentials, day: time.basicDate, region: signer.region, service: signer.service)
            subject.headers = signer.sign(subject, signingCredentials, at: time, key: key).headers
        }
        subject.headers["User-Agent"] = configuration.userAgent
        subject.headers["amz-sdk-invocation-id"] = progress.invocation
        subject.headers["amz-sdk-request"] = "attempt=\(progress.attempt); max=\(policy.maxAttempts)"
        return HTTPRequest(
            method: subject.method,
            url: "\(endpoint.scheme)://\(endpoint.host)\(subject.path)"
                + (subject.query.isEmpty ? "" : "?\(subject.query)"),
            headers: subject.headers, body: subject.body, totalTimeout: operation.timeout,
            isRepeatable: operation.effect.isIdempotent)
    }

    /// A version 4 UUID, such as a client token is.
    package func makeToken() -> String {
        var bytes = (0..<16).map { _ in UInt8(truncatingIfNeeded: Int(collaborators.random() * 256)) }
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        let text = Hexadecimal.encode(bytes)
        let cuts = [0, 8, 12, 16, 20, 32]
        return zip(cuts, cuts.dropFirst()).map { start, end in
            String(text.dropFirst(start).prefix(end - start))
        }.joined(separator: "-")
    }
}

/// What the calls of a client share.
private actor CallState {
    private var keys = SigningKeyCache()
    private var clockCorrection = Duration.zero
    private var quota = RetryQuota()

    func correctedTime(_ now: Timestamp) -> Timestamp { now + clockCorrection }

    func correctClock(by skew: Duration) { clockCorrection = skew }

    func signingKey(_ credentials: AWSCredentials, day: String, region: String, service: String) -> SigningKey {
        keys.key(credentials, day: day, region: region, service: service)
    }

    func takeRetry(_ trouble: RetryPolicy.Trouble) -> (cost: Int, isExhausted: Bool) { quota.take(trouble) }

    func succeeded(lastCost: Int) { quota.giveBack(lastCost) }
}

/// A budget of retries, so that a service that is down is not stormed by everything that waits for it.
struct RetryQuota {
    private static let capacity = 500
    private(set) var tokens = capacity

    mutating func take(_ trouble: RetryPolicy.Trouble) -> (cost: Int, isExhausted: Bool) {
        let cost = trouble == .throttled || trouble == .contention ? 5 : 14
        guard tokens >= cost else { return (0, true) }
        tokens -= cost
        return (cost, false)
    }

    /// After a success: what its last retry cost, or 1 for a first try.
    mutating func giveBack(_ lastCost: Int) {
        tokens = min(Self.capacity, tokens + max(1, lastCost))
    }
}

extension CallFailure {
    fileprivate static let cancelledWaiting = CallFailure(
        kind: .cancelled, trouble: .permanent, isAmbiguous: false, message: "cancelled")

    fileprivate static let refusedLeave = CallFailure(
        kind: .cancelled, trouble: .permanent, isAmbiguous: false,
        message: "it was not sent, since the lease had ended by then")

    fileprivate static func noCredentials(_ error: CredentialsError) -> CallFailure {
        CallFailure(kind: .noCredentials, trouble: .permanent, isAmbiguous: false, message: error.description)
    }

    fileprivate static func badEndpoint(_ operation: AWSOperation, _ region: String) -> CallFailure {
        CallFailure(
            kind: .configuration, trouble: .permanent, isAmbiguous: false,
            message: "no endpoint of \(operation.service.name) for region \"\(region)\": the region or a configured "
                + "endpoint URL is malformed")
    }
}
