import Synchronization
import Testing

@testable import AWSClient

@Suite(.timeLimit(.minutes(1))) struct CredentialsProviderTests {
    /// A source that counts, and whose answers a test writes.
    private final class Source: Sendable {
        private let count = Mutex(0)
        let world = FakeWorld()
        private let answer: @Sendable (Int) -> Result<AWSCredentials, CredentialsError>

        init(_ answer: @escaping @Sendable (Int) -> Result<AWSCredentials, CredentialsError>) {
            self.answer = answer
        }

        var fetches: Int { count.withLock { $0 } }

        var provider: CredentialsProvider {
            CredentialsProvider(now: world.collaborators.now) { () async throws(CredentialsError) -> AWSCredentials in
                let number = self.count.withLock { count in
                    count += 1
                    return count
                }
                await Task.yield()
                return try self.answer(number).get()
            }
        }
    }

    private static func key(_ number: Int, expiresAfter seconds: Int? = nil, from start: Timestamp = FakeWorld.start)
        -> AWSCredentials
    {
        AWSCredentials(
            accessKeyID: "K\(number)", secretAccessKey: "s", expiration: seconds.map { start + .seconds($0) },
            source: "test")
    }

    @Test("What does not expire is asked for once, however many ask")
    func coalescing() async throws {
        let source = Source { .success(Self.key($0)) }
        let provider = source.provider
        let keys = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { try await provider.credentials().accessKeyID } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(keys == ["K1"] && source.fetches == 1)
    }

    @Test("An hour's session is renewed 15 minutes before its end; a failure is borne until 10 minutes before")
    func windows() async throws {
        let source = Source { number in
            number == 1 ? .success(Self.key(1, expiresAfter: 3_600)) : .failure(CredentialsError("down"))
        }
        let provider = source.provider
        func ask(_ seconds: Int) async -> String {
            source.world.advance(by: .seconds(seconds))
            do { return try await provider.credentials().accessKeyID } catch { return error.summary }
        }
        #expect(await ask(0) == "K1")
        #expect(await ask(2_699) == "K1" && source.fetches == 1)
        #expect(await ask(1) == "K1" && source.fetches == 2)
        // Not again at once, but after a minute.
        #expect(await ask(1) == "K1" && source.fetches == 2)
        #expect(await ask(60) == "K1" && source.fetches == 3)
        #expect(await ask(240) == "down" && source.fetches == 4)
    }

    @Test("A session of 15 minutes is not renewed at every call")
    func shortSession() async throws {
        let source = Source { .success(Self.key($0, expiresAfter: 900)) }
        let provider = source.provider
        for _ in 0..<10 {
            source.world.advance(by: .seconds(50))
            _ = try await provider.credentials()
        }
        #expect(source.fetches == 1)
    }

    @Test("Discarded credentials are not given again, and are fetched once more only")
    func discard() async throws {
        let source = Source { .success(Self.key($0)) }
        let provider = source.provider
        let first = try await provider.credentials()
        await provider.discard(first)
        #expect(try await provider.credentials().accessKeyID == "K2")
        // Late complaints about the old ones change nothing.
        await provider.discard(first)
        #expect(try await provider.credentials().accessKeyID == "K2")
    }

    @Test("Credentials that come expired are refused, with the time")
    func bornExpired() async {
        let source = Source { .success(Self.key($0, expiresAfter: -1)) }
        await #expect(throws: CredentialsError.self) { try await source.provider.credentials() }
    }

    @Test("A failure is told to everyone who waits, and the next one asks anew")
    func failure() async throws {
        let source = Source { $0 == 1 ? .failure(CredentialsError("down")) : .success(Self.key($0)) }
        let provider = source.provider
        await #expect(throws: CredentialsError("down")) { try await provider.credentials() }
        #expect(try await provider.credentials().accessKeyID == "K2")
    }

    @Test("When the task that fetches is cancelled, somebody else who waits fetches")
    func cancelledFetch() async throws {
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let count = Mutex(0)
        let provider = CredentialsProvider(now: { FakeWorld.start }) {
            () async throws(CredentialsError) -> AWSCredentials in
            let number = count.withLock { count in
                count += 1
                return count
            }
            guard number == 1 else { return Self.key(number) }
            start.finish()
            while !Task.isCancelled { await Task.yield() }
            throw CredentialsError("cancelled")
        }
        let first = Task { try await provider.credentials() }
        for await _ in started {}
        let others = (0..<5).map { _ in Task { try await provider.credentials().accessKeyID } }
        first.cancel()
        for other in others { #expect(try await other.value == "K2") }
        await #expect(throws: CredentialsError("cancelled")) { try await first.value }
        #expect(count.withLock { $0 } == 2)
    }
}
