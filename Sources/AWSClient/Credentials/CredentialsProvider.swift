package import HTTPTransport

/// The credentials of one identity: found by the chain, kept, and renewed before they expire. Many callers at once
/// cause one renewal.
package actor CredentialsProvider: AWSCredentialsProviding {
    private struct Held {
        var credentials: AWSCredentials
        /// From here on a renewal is tried, and may fail.
        var renewsFrom: Timestamp?
        /// From here on a renewal must succeed.
        var mustRenewFrom: Timestamp?
    }

    private let fetch: @Sendable () async throws(CredentialsError) -> AWSCredentials
    private let now: @Sendable () -> Timestamp
    private var held: Held?
    private var isFetching = false
    private var waiting: [CheckedContinuation<Result<AWSCredentials, CredentialsError>?, Never>] = []

    /// Finds credentials by the chain: the files and the environment are looked at anew for each renewal.
    package init(
        _ provider: AWSAccessSettings, configuration: AWSConfiguration, collaborators: AWSCollaborators,
        http: any HTTPClient
    ) {
        self.init(now: collaborators.now) { () async throws(CredentialsError) -> AWSCredentials in
            try await Self.resolve(provider, configuration, collaborators, http)
        }
    }

    init(
        now: @escaping @Sendable () -> Timestamp,
        fetch: @escaping @Sendable () async throws(CredentialsError) -> AWSCredentials
    ) {
        self.now = now
        self.fetch = fetch
    }

    private static func resolve(
        _ provider: AWSAccessSettings, _ configuration: AWSConfiguration, _ collaborators: AWSCollaborators,
        _ http: any HTTPClient
    ) async throws(CredentialsError) -> AWSCredentials {
        let profiles: SharedProfiles
        do {
            profiles = try await SharedProfiles.load(collaborators)
        } catch {
            throw CredentialsError(
                "the shared configuration cannot be used",
                attempts: [.init(error.place ?? "shared configuration", error.message)], hint: error.hint)
        }
        let decision = try CredentialDecision.make(provider, collaborators, profiles)
        let fetcher = CredentialFetcher(
            configuration: configuration, collaborators: collaborators, profiles: profiles, http: http)
        do {
            return try await fetcher.fetch(decision.source)
        } catch {
            // The metadata service is asked when nothing is configured: then there is no culprit but the absence.
            let isLastResort = decision.source == .instanceMetadata
            throw CredentialsError(
                isLastResort ? "no AWS credentials were found" : error.summary,
                attempts: decision.skipped + error.attempts,
                hint: error.hint
                    ?? (isLastResort
                        ? "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run: aws configure"
                        : nil))
        }
    }

    package func credentials() async throws(CredentialsError) -> AWSCredentials {
        while true {
            let time = now()
            if let held {
                let mustRenew = held.mustRenewFrom.map { $0 <= time } ?? false
                let mayRenew = held.renewsFrom.map { $0 <= time } ?? false
                if !mustRenew, !mayRenew || isFetching { return held.credentials }
            }
            if isFetching {
                let result = await withCheckedContinuation { waiting.append($0) }
                // `nil`: the task that fetched was cancelled. Somebody else has to.
                if let result { return try result.get() }
                continue
            }
            return try await renew()
        }
    }

    package func discard(_ credentials: AWSCredentials) {
        // Somebody may have renewed them already.
        if held?.credentials == credentials { held = nil }
    }

    private func renew() async throws(CredentialsError) -> AWSCredentials {
        isFetching = true
        var result: Result<AWSCredentials, CredentialsError>
        do {
            result = .success(try await fetch())
        } catch {
            result = .failure(error)
        }
        isFetching = false

        let time = now()
        if case .success(let fresh) = result, let expiration = fresh.expiration, expiration <= time {
            result = .failure(
                CredentialsError(
                    "the credentials of \(fresh.source) have expired",
                    attempts: [.init(fresh.source, "they expired at \(expiration.iso8601)")]))
        }
        switch result {
        case .success(let fresh): held = Self.held(fresh, time)
        case .failure:
            if let held, let mustRenewFrom = held.mustRenewFrom, time < mustRenewFrom {
                // There is time left: use what we have and try again in a minute.
                self.held?.renewsFrom = min(time + .seconds(60), mustRenewFrom)
                result = .success(held.credentials)
            }
        }
        let waiting = waiting
        self.waiting = []
        var isOurFault = false
        if case .failure = result { isOurFault = Task.isCancelled }
        for continuation in waiting { continuation.resume(returning: isOurFault ? nil : result) }
        return try result.get()
    }

    /// 15 and 10 minutes before the end, and for short sessions a fraction of their life: a session of 15 minutes must
    /// not be renewed at every call.
    private static func held(_ fresh: AWSCredentials, _ time: Timestamp) -> Held {
        guard let expiration = fresh.expiration else { return Held(credentials: fresh) }
        let life = expiration - time
        return Held(
            credentials: fresh, renewsFrom: expiration - min(.seconds(900), life / 3),
            mustRenewFrom: expiration - min(.seconds(600), life / 6))
    }
}
