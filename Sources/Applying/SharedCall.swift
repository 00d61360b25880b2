import MusterModel
import ProviderKit

/// The one call of several steps that started together.
///
/// Each step comes here when its intent is recorded, and the last one that comes sends for all: so every intent of a call
/// is durable before it leaves. A step that fails before goes away, and the others do not wait for it. Each gets its own
/// answer, and goes on as if the call had been its own: it records its own result, and looks for its own object when the
/// answer was lost. What is to be sent again is sent together again.
///
/// When the cloud refuses the call because of what may be one of them, they go apart: each makes its own call, one at a
/// time, so that only the one that is wrong fails.
actor SharedCall {
    struct Request: Sendable {
        var step: Int
        var arguments: [String: Value]
        /// The object to delete.
        var target: RemoteID?
    }

    /// What a step has to do that wants its call made.
    enum Turn: Sendable {
        /// It makes the call for all of these, and hands the answers over.
        case call(for: [Request])
        /// Somebody else has made it.
        case answered(Answer)
        /// It makes a call of its own.
        case alone
    }

    /// What a call gave to one step; the observation of a deletion is nil.
    struct Answer: Sendable {
        var result: Result<Observation?, ProviderError>
        var requestIDs: [String]
    }

    /// The token of all intents of the call.
    nonisolated let token: String
    /// Steps that may still come.
    private var expected: Set<Int>
    private var present: [Int: Request] = [:]
    private var waiting: [Int: CheckedContinuation<Turn, Never>] = [:]
    private var isApart = false
    private var isSomebodyCalling = false
    private var queue: [CheckedContinuation<Void, Never>] = []

    init(_ steps: [Int], token: String) {
        expected = Set(steps)
        self.token = token
    }

    /// Waits until all have come that may still come.
    func take(_ request: Request) async -> Turn {
        guard !isApart, expected.contains(request.step), expected.count > 1 else { return .alone }
        present[request.step] = request
        if let all = whole { return .call(for: all) }
        return await withCheckedContinuation { waiting[request.step] = $0 }
    }

    /// The step wants nothing any more.
    func leave(_ step: Int) {
        guard expected.remove(step) != nil, let all = whole,
            let (last, continuation) = waiting.max(by: { $0.key < $1.key })
        else { return }
        waiting[last] = nil
        continuation.resume(returning: all.count > 1 ? .call(for: all) : .alone)
        if all.count == 1 { present = [:] }
    }

    /// Hands the answers to those who wait, by step.
    func answer(_ answers: [Int: Answer]) {
        present = [:]
        for (step, continuation) in waiting.sorted(by: { $0.key < $1.key }) {
            waiting[step] = nil
            continuation.resume(returning: answers[step].map { .answered($0) } ?? .alone)
        }
    }

    /// From now on everybody calls alone.
    func goApart() {
        isApart = true
        answer([:])
    }

    private var whole: [Request]? {
        guard !present.isEmpty, present.count == expected.count else { return nil }
        return present.values.sorted { $0.step < $1.step }
    }

    // MARK: - Apart

    /// A call of one step, when no other step of the batch is at its own.
    nonisolated func alone<Result: Sendable>(
        _ call: () async throws(ProviderError) -> Result
    ) async throws(ProviderError) -> Result {
        await begin()
        do throws(ProviderError) {
            let result = try await call()
            await end()
            return result
        } catch {
            await end()
            throw error
        }
    }

    private func begin() async {
        if isSomebodyCalling {
            await withCheckedContinuation { queue.append($0) }
        } else {
            isSomebodyCalling = true
        }
    }

    /// Hands the turn to the next one.
    private func end() {
        if queue.isEmpty {
            isSomebodyCalling = false
        } else {
            queue.removeFirst().resume()
        }
    }
}

extension ProviderError.Kind {
    /// True for a refusal that may be about one object of a call and not about the others.
    var mayConcernOne: Bool {
        switch self {
        case .notFound, .alreadyExists, .inUse, .notYetVisible, .invalid, .quota: true
        case .throttled, .notPermitted, .badCredentials, .unavailable, .outcomeUnknown, .network, .notUnderstood: false
        }
    }
}
