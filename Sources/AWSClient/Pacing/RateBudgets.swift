// The rate at which this process may send, per account, region and API. Decided in a pure struct (`TokenBucket`), kept
// by one actor that every client of a run shares. A throttle lowers the rate, successes raise it again.

/// The budgets of every account, region and API that a run talks to.
package actor RateBudgets {
    /// For whom AWS counts.
    struct Place: Hashable {
        var account: String
        var region: String
        /// Endpoints that are not AWS's start without a limit.
        var usesPublished: Bool
    }

    private struct Key: Hashable {
        var place: Place
        var bucket: String
    }

    private var buckets: [Key: TokenBucket] = [:]

    package init() {}

    /// Takes what the call needs and says how long it must wait before it is sent.
    func reserve(_ operation: AWSOperation, _ place: Place, at now: Duration) -> Duration {
        var wait = Duration.zero
        for (key, limit) in keys(operation, place) {
            var bucket = buckets[key] ?? TokenBucket(limit, at: now)
            wait = max(wait, bucket.take(limit?.cost ?? 1, at: now))
            buckets[key] = bucket
        }
        return wait
    }

    func throttled(_ operation: AWSOperation, _ place: Place, at now: Duration) {
        for (key, limit) in keys(operation, place) {
            buckets[key, default: TokenBucket(limit, at: now)].throttled(at: now)
        }
    }

    func succeeded(_ operation: AWSOperation, _ place: Place) {
        for (key, _) in keys(operation, place) { buckets[key]?.succeeded() }
    }

    private func keys(_ operation: AWSOperation, _ place: Place) -> [(Key, RateLimit?)] {
        let published = place.usesPublished ? PublishedRateLimits.limits(for: operation) : []
        guard published.isEmpty else { return published.map { (Key(place: place, bucket: $0.bucket), $0) } }
        return [(Key(place: place, bucket: "\(operation.service.name).\(operation.name)"), nil)]
    }
}

/// A bucket of requests that refills with time. It may be overdrawn: who overdraws it waits for the refill, in the
/// order of asking.
struct TokenBucket {
    /// Requests per second; `nil` while nothing limits.
    private(set) var rate: Double?
    private let published: RateLimit?
    private var tokens: Double
    private var updatedAt: Duration
    private var loweredAt: Duration?
    /// What was taken in the current and the last second, to know our own rate when the first throttle comes.
    private var window: (start: Duration, count: Double, last: Double)

    init(_ limit: RateLimit?, at now: Duration) {
        published = limit
        rate = limit?.refillPerSecond
        tokens = limit?.capacity ?? 1
        updatedAt = now
        window = (now, 0, 0)
    }

    private var capacity: Double { published?.capacity ?? max(1, rate ?? 1) }

    mutating func take(_ cost: Double, at now: Duration) -> Duration {
        measure(cost, now)
        guard let rate else { return .zero }
        refill(at: now)
        tokens -= cost
        return tokens < 0 ? .seconds(-tokens / rate) : .zero
    }

    mutating func throttled(at now: Duration) {
        // Answers to what was sent before the last lowering say nothing new.
        if let loweredAt, now - loweredAt < .milliseconds(500) { return }
        loweredAt = now
        refill(at: now)
        let measured = max(window.count, window.last)
        let lowest = min(0.5, published?.refillPerSecond ?? 0.5)
        rate = max(lowest, (rate ?? measured) * 0.7)
        tokens = min(tokens, 0)
    }

    private mutating func refill(at now: Duration) {
        tokens = min(capacity, tokens + max(0, (now - updatedAt).inSeconds) * (rate ?? 0))
        updatedAt = max(updatedAt, now)
    }

    mutating func succeeded() {
        guard loweredAt != nil, let rate else { return }
        let raised = rate * 1.02 + 0.1
        if let published {
            self.rate = min(raised, published.refillPerSecond)
        } else {
            // Far above what was ever refused, the limit is no longer worth keeping.
            self.rate = raised > 200 ? nil : raised
        }
    }

    private mutating func measure(_ cost: Double, _ now: Duration) {
        if now - window.start >= .seconds(1) {
            window = (now, 0, now - window.start < .seconds(2) ? window.count : 0)
        }
        window.count += cost
    }
}
