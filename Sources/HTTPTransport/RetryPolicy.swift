/// Whether and when to send a request again: a pure function of what went wrong, which attempt it was, a random number
/// and the server's hint. The caller decides first whether a repetition is *safe*; this decides whether it is *wise*.
///
/// Delays have full jitter: rand(0, 1) × min(base × 2^(n−1), cap) before retry n.
package struct RetryPolicy: Sendable, Equatable {
    /// What went wrong, as far as retrying minds.
    package enum Trouble: Sendable, Equatable, CaseIterable {
        /// No connection: the host is probably not reachable at all.
        case unreachable
        /// A server fault, a lost connection, a timeout.
        case transient
        /// The server asked for fewer requests.
        case throttled
        /// Another change to the same object was under way.
        case contention
        /// Sending the same again gives the same answer.
        case permanent
    }

    package enum Decision: Sendable, Equatable {
        case retry(after: Duration)
        case giveUp
    }

    /// All attempts of a call, the first included.
    package var maxAttempts: Int
    /// As `maxAttempts`, where the server cannot be reached: waiting longer rarely helps a person.
    package var maxUnreachableAttempts: Int
    package var transientBase: Duration
    package var throttledBase: Duration
    /// No computed delay is longer. A server's hint may be, by 5 seconds.
    package var cap: Duration

    package init(
        maxAttempts: Int = 8, maxUnreachableAttempts: Int = 3, transientBase: Duration = .milliseconds(50),
        throttledBase: Duration = .seconds(1), cap: Duration = .seconds(20)
    ) {
        self.maxAttempts = maxAttempts
        self.maxUnreachableAttempts = maxUnreachableAttempts
        self.transientBase = transientBase
        self.throttledBase = throttledBase
        self.cap = cap
    }

    /// - Parameters:
    ///   - attempt: the number of the attempt that failed, from 1.
    ///   - random: in 0..<1.
    ///   - hint: how long the server asks to wait; used within (delay, delay + 5 s).
    package func decision(
        after trouble: Trouble, attempt: Int, random: Double, serverHint hint: Duration? = nil
    ) -> Decision {
        let base: Duration
        switch trouble {
        case .permanent: return .giveUp
        case .unreachable:
            guard attempt < min(maxAttempts, maxUnreachableAttempts) else { return .giveUp }
            base = throttledBase
        case .transient: base = transientBase
        case .throttled, .contention: base = throttledBase
        }
        guard attempt < maxAttempts else { return .giveUp }
        // 2^30 × base is beyond every cap: larger exponents would only overflow.
        let ceiling = min(base * (1 << min(max(attempt - 1, 0), 30)), cap)
        let delay = ceiling * min(max(random, 0), 1)
        guard let hint, hint > .zero else { return .retry(after: delay) }
        return .retry(after: max(delay, min(hint, delay + .seconds(5))))
    }
}
