package import MusterModel

/// Remembers the answer of each listing; two that ask at once share one fetch.
package actor ListingMemory {
    private var answers: [String: Task<any Sendable, any Error>] = [:]
    private var claims: [String: String] = [:]

    package init() {}

    package func answer<Answer: Sendable>(
        to key: String, _ fetch: @escaping @Sendable () async throws(ProviderError) -> Answer
    ) async throws(ProviderError) -> Answer {
        let task: Task<any Sendable, any Error>
        if let running = answers[key] {
            task = running
        } else {
            task = Task { try await fetch() }
            answers[key] = task
        }
        do {
            if let answer = try await task.value as? Answer { return answer }
            throw ProviderError(.notUnderstood, "The listing \(key) has two shapes. This is a bug in muster.")
        } catch let error as ProviderError {
            throw error
        } catch {
            throw ProviderError(.unavailable, "The listing \(key) was given up.")
        }
    }

    package func forget(_ key: String) { answers[key] = nil }

    /// Notes that somebody is about to make what a listing does not have yet. False when somebody else was before.
    package func claim(_ key: String, by token: String) -> Bool {
        let owner = claims[key] ?? token
        claims[key] = owner
        return owner == token
    }
}

/// What the steps of a run look at before they make what would overwrite something of the same name. Steps that come
/// within a moment share what one of them saw; what was made before that moment is seen.
package struct SharedLook: Sendable {
    package let memory = ListingMemory()
    /// The arguments of what the run is to make of such types, as far as the plan knows them.
    package let wanted: [ResourceType: [[String: Value]]]

    package init(wanted: [ResourceType: [[String: Value]]]) { self.wanted = wanted }
}
