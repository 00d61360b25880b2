package import FoundationEssentials
package import MusterModel
package import ProviderKit
package import StateStorage

/// A session with a fresh look at the cloud, for one configuration of one installation.
package typealias SessionFactory =
    @Sendable (ProviderScope, ProviderConfiguration, [ResourceType: [KnownObject]]) async throws(ProviderError)
    -> any ProviderSession

/// What applying needs of the world, handed in.
package struct ApplyEnvironment: Sendable {
    package var storage: any StateStorage
    package var catalog: Catalog
    package var session: SessionFactory
    /// The text of a secret. What it throws is shown to a person, so it must not hold the text.
    package var resolveSecret: @Sendable (SecretReference) async throws -> String
    /// The keyed digest under which a tainted or sensitive value is remembered; the same one that planning uses.
    package var digest: @Sendable (Value) -> String
    /// 32 random lower-case hexadecimal digits.
    package var makeToken: @Sendable () -> String
    /// From 0 up to 1, for jitter.
    package var random: @Sendable () -> Double
    /// Counts through suspend, so that a deadline is one.
    package var clock: any Clock<Duration>
    /// The wall clock, to tell the age of what an earlier run left behind.
    package var now: @Sendable () -> Date
    package var events: @Sendable (ApplyEvent) -> Void
    /// How many calls at a time; steps that wait for the cloud do not count.
    package var parallelism: Int
    package var timing: ApplyTiming
    /// Whether the process of a lease runs no more, as far as this machine can tell for sure.
    package var isDead: @Sendable (LeaseHolder) -> Bool
    /// By stack: for resources that the plan relies on or settles in stacks that it does not change.
    package var configurations: [String: ProviderConfiguration]

    package init(
        storage: any StateStorage, catalog: Catalog, session: @escaping SessionFactory,
        resolveSecret: @escaping @Sendable (SecretReference) async throws -> String,
        digest: @escaping @Sendable (Value) -> String, makeToken: @escaping @Sendable () -> String,
        random: @escaping @Sendable () -> Double, clock: any Clock<Duration>, now: @escaping @Sendable () -> Date,
        events: @escaping @Sendable (ApplyEvent) -> Void, parallelism: Int = 10, timing: ApplyTiming = ApplyTiming(),
        isDead: @escaping @Sendable (LeaseHolder) -> Bool = { ProcessIdentity.isDead($0) },
        configurations: [String: ProviderConfiguration] = [:]
    ) {
        self.storage = storage
        self.catalog = catalog
        self.session = session
        self.resolveSecret = resolveSecret
        self.digest = digest
        self.makeToken = makeToken
        self.random = random
        self.clock = clock
        self.now = now
        self.events = events
        self.parallelism = parallelism
        self.timing = timing
        self.isDead = isDead
        self.configurations = configurations
    }
}

/// The lengths of time in which applying is patient.
package struct ApplyTiming: Sendable, Hashable {
    /// How long something new may not be visible, and a lost creation may still turn up (AWS: up to five minutes).
    package var consistencyWindow: Duration
    /// How old a look at an object may be just before it is changed or deleted.
    package var freshness: Duration
    /// The first poll comes after this; later ones after a share of the time waited, up to the longest.
    package var firstPoll: Duration
    package var longestPoll: Duration
    /// A lease ends this long after its last heartbeat.
    package var lease: Duration

    package init(
        consistencyWindow: Duration = .seconds(300), freshness: Duration = .seconds(10),
        firstPoll: Duration = .milliseconds(200), longestPoll: Duration = .seconds(10),
        lease: Duration = .seconds(60)
    ) {
        self.consistencyWindow = consistencyWindow
        self.freshness = freshness
        self.firstPoll = firstPoll
        self.longestPoll = longestPoll
        self.lease = lease
    }

    /// The consistency window of an installation. One on this machine (the sandbox) answers from one memory, so little
    /// is waited for there.
    package func window(for scope: ProviderScope) -> Duration {
        // One database answers for all its servers: only a request that is still under way shows up later.
        if scope.provider == "rancher" { return min(consistencyWindow, .seconds(10)) }
        let address = scope.endpoint.split(separator: "//").last ?? ""
        let isLocal = ["localhost", "127.0.0.1", "[::1]"].contains { host in
            address == host || address.hasPrefix(host + ":") || address.hasPrefix(host + "/")
        }
        return isLocal ? min(consistencyWindow, .seconds(10)) : consistencyWindow
    }

    /// How long to wait until the next poll.
    func pollInterval(waited: Duration) -> Duration { min(longestPoll, max(firstPoll, waited * 0.15)) }
}

/// Who applies: for history and leases.
package struct RunIdentity: Sendable, Hashable {
    package var who: String
    package var host: String
    package var pid: Int32
    /// See `ProcessIdentity`.
    package var process: String
    package var gitCommit: String?
    /// The words that started it, without values.
    package var command: String

    package init(
        who: String, host: String, pid: Int32, process: String = "", gitCommit: String? = nil, command: String = ""
    ) {
        self.command = command
        self.who = who
        self.host = host
        self.pid = pid
        self.process = process
        self.gitCommit = gitCommit
    }
}

/// Time since the apply began.
struct Stopwatch: Sendable {
    private let elapsed: @Sendable () -> Duration
    private let pause: @Sendable (Duration) async throws -> Void

    init(_ clock: any Clock<Duration>) { self = Stopwatch.over(clock) }

    private init(
        elapsed: @escaping @Sendable () -> Duration, pause: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.elapsed = elapsed
        self.pause = pause
    }

    private static func over<Time: Clock<Duration>>(_ clock: Time) -> Stopwatch {
        let start = clock.now
        return Stopwatch(
            elapsed: { start.duration(to: clock.now) }, pause: { try await clock.sleep(for: $0, tolerance: nil) })
    }

    var now: Duration { elapsed() }
    /// Ends early, without an error, when the task is cancelled.
    func sleep(_ duration: Duration) async { try? await pause(duration) }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
