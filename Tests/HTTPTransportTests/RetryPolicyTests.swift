import Testing

@testable import HTTPTransport

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy(maxAttempts: 30)

    @Test("The delay doubles with each attempt up to the cap")
    func backoff() {
        let delays = (1...7).map { policy.decision(after: .throttled, attempt: $0, random: 1) }
        #expect(delays == [1, 2, 4, 8, 16, 20, 20].map { .retry(after: .seconds($0)) })
    }

    @Test("A transient fault is tried again sooner than a throttle")
    func transient() {
        #expect(policy.decision(after: .transient, attempt: 1, random: 1) == .retry(after: .milliseconds(50)))
        #expect(policy.decision(after: .transient, attempt: 3, random: 1) == .retry(after: .milliseconds(200)))
    }

    @Test("Jitter is full: from nothing to the whole delay")
    func jitter() {
        #expect(policy.decision(after: .throttled, attempt: 3, random: 0) == .retry(after: .zero))
        #expect(policy.decision(after: .throttled, attempt: 3, random: 0.5) == .retry(after: .seconds(2)))
    }

    @Test("A server's hint lengthens the delay, by five seconds at most")
    func hint() {
        func delay(_ hint: Duration) -> RetryPolicy.Decision {
            policy.decision(after: .throttled, attempt: 1, random: 1, serverHint: hint)
        }
        #expect(delay(.milliseconds(10)) == .retry(after: .seconds(1)))
        #expect(delay(.seconds(3)) == .retry(after: .seconds(3)))
        #expect(delay(.seconds(900)) == .retry(after: .seconds(6)))
    }

    @Test("Attempts are counted, and a host that cannot be reached gets fewer")
    func limits() {
        let policy = RetryPolicy()
        #expect(policy.decision(after: .transient, attempt: 8, random: 0) == .giveUp)
        #expect(policy.decision(after: .transient, attempt: 7, random: 0) != .giveUp)
        #expect(policy.decision(after: .unreachable, attempt: 3, random: 0) == .giveUp)
        #expect(policy.decision(after: .unreachable, attempt: 2, random: 0) != .giveUp)
        #expect(RetryPolicy(maxAttempts: 1).decision(after: .throttled, attempt: 1, random: 0) == .giveUp)
    }

    @Test("What is permanent is never tried again")
    func permanent() {
        #expect(policy.decision(after: .permanent, attempt: 1, random: 0, serverHint: .seconds(1)) == .giveUp)
    }

    @Test("Huge attempt numbers do not overflow")
    func overflow() {
        let policy = RetryPolicy(maxAttempts: .max)
        #expect(policy.decision(after: .throttled, attempt: 1_000_000, random: 1) == .retry(after: .seconds(20)))
    }
}
