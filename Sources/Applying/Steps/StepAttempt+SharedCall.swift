import MusterModel
import ProviderKit
import StateStorage

// Calls that several steps may share, and those that one step makes alone.

extension StepAttempt {
    /// Once, with the steps that started together with this one as long as they make one call.
    func sendCreation(
        _ desired: [String: Value], _ intent: Intent
    ) async throws(ProviderError) -> Observation {
        let answer = try await sharedAnswer(SharedCall.Request(step: step.id, arguments: desired)) {
            (batches, requests) async throws(ProviderError) -> [Observation?] in
            try await batches.create(requests.map(\.arguments), intent: intent)
        }
        guard let answer else {
            let look = await runner.looks.look(for: access, at: runner.stopwatch.now)
            return try await alone { () async throws(ProviderError) -> Observation in
                try await handler(in: session().sharing(look)).create(desired, intent: intent)
            }
        }
        if let made = answer { return made }
        throw ProviderError(.outcomeUnknown, "The answer does not tell of this one of several.")
    }

    /// Makes the call for all when this step is the one to do so. nil: the step calls alone.
    func sharedAnswer(
        _ request: SharedCall.Request,
        _ call: (any BatchHandler, [SharedCall.Request]) async throws(ProviderError) -> [Observation?]
    ) async throws(ProviderError) -> Observation?? {
        guard let shared else { return nil }
        switch await shared.take(request) {
        case .alone: return nil
        case .answered(let answer): return try told(answer)
        case .call(for: let requests):
            guard let answers = await answers(to: requests, call) else {
                await shared.goApart()
                return nil
            }
            await shared.answer(answers)
            return try answers[step.id].map(told)
        }
    }

    private func told(_ answer: SharedCall.Answer) throws(ProviderError) -> Observation? {
        for id in answer.requestIDs { trace.note(id) }
        return try answer.result.get()
    }

    /// One call for several steps; nil: what may be wrong with one of them must not stop the others.
    private func answers(
        to requests: [SharedCall.Request],
        _ call: (any BatchHandler, [SharedCall.Request]) async throws(ProviderError) -> [Observation?]
    ) async -> [Int: SharedCall.Answer]? {
        let trace = CallTrace()
        let result = await CallTrace.$current.withValue(trace) { () async -> Result<[Observation?], ProviderError>? in
            do throws(ProviderError) {
                guard let batches = try await handler().batches else { return nil }
                return .success(try await call(batches, requests))
            } catch {
                return error.kind.mayConcernOne ? nil : .failure(error)
            }
        }
        guard let result else { return nil }
        var answers: [Int: SharedCall.Answer] = [:]
        for (index, request) in requests.enumerated() {
            answers[request.step] = SharedCall.Answer(
                result: result.map { $0.indices.contains(index) ? $0[index] : nil }, requestIDs: trace.requestIDs)
        }
        return answers
    }

    /// A call of this step alone: steps that started together make theirs one after the other.
    func alone<Answer: Sendable>(
        _ call: () async throws(ProviderError) -> Answer
    ) async throws(ProviderError) -> Answer {
        guard let shared else { return try await call() }
        return try await shared.alone(call)
    }
}
