// Takes one host out of Rancher: deactivate, remove, purge, each followed by a wait with a limit.
//
// It follows the host's state as the server tells it, rather than a list of calls. So it may be begun anew at any point:
// after a crash, a lost answer, or when somebody else was at it too.

package import MusterModel
package import ProviderKit
package import RancherClient

/// Decides the next move from what the server says of the host. Pure; times come from outside.
package struct HostDeparture: Sendable {
    package enum Phase: String, Sendable, Hashable, CaseIterable { case deactivate, remove, purge }

    package enum Move: Sendable, Equatable {
        case act(Phase)
        case wait
        case done
        /// The host is not what it was when it was looked at: why.
        case leaveAlone(String)
        /// A phase took longer than its limit.
        case giveUp(Phase)
    }

    package struct Limits: Sendable, Hashable {
        package var deactivate = Duration.seconds(60)
        package var remove = Duration.seconds(120)
        package var purge = Duration.seconds(60)

        package init() {}

        package subscript(phase: Phase) -> Duration {
            switch phase {
            case .deactivate: deactivate
            case .remove: remove
            case .purge: purge
            }
        }
    }

    private let host: RancherHost
    private let limits: Limits
    private var phase: Phase?
    private var began = Duration.zero

    package init(_ host: RancherHost, limits: Limits = Limits()) {
        self.host = host
        self.limits = limits
    }

    /// The phase that it is in; nil before the first.
    package var current: Phase? { phase }

    /// - Parameters:
    ///   - seen: nil: the server does not know it any more.
    ///   - now: on a clock that never goes back.
    package mutating func next(_ seen: RancherObject?, at now: Duration) -> Move {
        guard let seen else { return .done }
        switch seen.state {
        case "purged": return .done
        case "purging": return enter(.purge, now, .wait)
        case "removed":
            // A server that does not offer it cleans up by itself.
            return seen.actions.contains("purge") ? enter(.purge, now, .act(.purge)) : .done
        case "removing": return enter(.remove, now, .wait)
        default: break
        }
        if let change = change(seen) { return .leaveAlone(change) }
        // Some states on the way to `inactive` offer `remove` too.
        if seen.actions.contains("deactivate") { return enter(.deactivate, now, .act(.deactivate)) }
        if seen.state == "deactivating" { return enter(.deactivate, now, .wait) }
        return seen.actions.contains("remove") ? enter(.remove, now, .act(.remove)) : enter(.deactivate, now, .wait)
    }

    /// Nothing came of a look or a call; nil while there is time.
    package mutating func stall(at now: Duration) -> Move {
        enter(phase ?? .deactivate, now, .wait)
    }

    /// What speaks against removing it, though it was decided.
    private func change(_ seen: RancherObject) -> String? {
        let seen = RancherHost(seen, in: host.environment)
        if seen.connection != .lost { return "its agent is back" }
        if seen.instanceID != host.instanceID { return "its label names another instance now" }
        if seen.hostname != host.hostname { return "it has another host name now" }
        return nil
    }

    private mutating func enter(_ next: Phase, _ now: Duration, _ move: Move) -> Move {
        if phase != next {
            phase = next
            began = now
        } else if now - began >= limits[next] {
            return .giveUp(next)
        }
        return move
    }
}

/// How the removal of a host ended.
package enum HostRemovalEnd: Sendable, Equatable {
    case removed
    /// Nothing was sent, or nothing more: why.
    case leftAlone(String)
    /// After how long, in what phase and state.
    case timedOut(HostDeparture.Phase, state: String)
    case interrupted
}

extension RancherProvider {
    /// What a removal needs of the world.
    package struct RemovalContext: Sendable {
        package var limits = HostDeparture.Limits()
        /// Between two looks.
        package var pause: Duration
        package var elapsed: @Sendable () -> Duration
        package var sleep: @Sendable (Duration) async -> Void
        /// Asked before each call; false: none is sent any more.
        package var mayGoOn: @Sendable () async -> Bool
        /// Told of each call that was sent.
        package var tell: @Sendable (HostDeparture.Phase) async -> Void

        package init(
            pause: Duration = .seconds(1), elapsed: @escaping @Sendable () -> Duration,
            sleep: @escaping @Sendable (Duration) async -> Void,
            mayGoOn: @escaping @Sendable () async -> Bool = { true },
            tell: @escaping @Sendable (HostDeparture.Phase) async -> Void = { _ in }
        ) {
            self.pause = pause
            self.elapsed = elapsed
            self.sleep = sleep
            self.mayGoOn = mayGoOn
            self.tell = tell
        }
    }

    /// Removes a host that is lost to its server. It is looked at first, and again before each call.
    ///
    /// - Throws: what no patience helps against: a key that may not do it, a request that Rancher refuses.
    package func remove(
        _ host: RancherHost, _ context: RemovalContext
    ) async throws(ProviderError) -> HostRemovalEnd {
        let client = await servers.client(try servers.url(host.environment.server))
        let path = RancherPath("hosts", in: host.environment.id, host.id)
        var departure = HostDeparture(host, limits: context.limits)
        var state = host.state
        var last: RancherObject?
        while true {
            if !(await context.mayGoOn()) { return .interrupted }
            var move: HostDeparture.Move
            do throws(RancherError) {
                let seen = try await look(client, path)
                last = seen
                state = seen?.state ?? state
                move = departure.next(seen, at: context.elapsed())
                if case .act(let phase) = move {
                    try await act(client, path, phase, context)
                    // The next look sees what came of it.
                    move = .wait
                }
            } catch {
                guard error.mayPass else { throw ProviderError(error) }
                move = departure.stall(at: context.elapsed())
            }
            switch move {
            case .done: return .removed
            case .leaveAlone(let why):
                guard departure.current == .deactivate, let last else { return .leftAlone(why) }
                return .leftAlone("\(why), \(await activated(last, client, path, context))")
            case .giveUp(let phase): return .timedOut(phase, state: state)
            case .act, .wait: await context.sleep(context.pause)
            }
        }
    }

    /// A host that came back after it was deactivated is to work again.
    private func activated(
        _ host: RancherObject, _ client: RancherClient, _ path: RancherPath, _ context: RemovalContext
    ) async -> String {
        if host.actions.contains("activate") {
            do throws(RancherError) {
                _ = try await client.act(path, "activate", asking: context.mayGoOn)
                return "and it was activated again"
            } catch {
                return "and it stays deactivated: \(error.message)"
            }
        }
        return "and it is \(host.state), since it was deactivated before that was seen"
    }

    private func look(_ client: RancherClient, _ path: RancherPath) async throws(RancherError) -> RancherObject? {
        do throws(RancherError) {
            let answer = try await client.get(path)
            if let object = RancherObject(answer) { return object }
            throw RancherError(
                .notRancher, "\(client.server) tells of the host with something that is no object.",
                operation: "GET hosts")
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    private func act(
        _ client: RancherClient, _ path: RancherPath, _ phase: HostDeparture.Phase, _ context: RemovalContext
    ) async throws(RancherError) {
        _ = try await client.act(path, phase.rawValue, asking: context.mayGoOn)
        await context.tell(phase)
    }
}

extension RancherError {
    /// Whether another look may find things better.
    fileprivate var mayPass: Bool {
        switch kind {
        case .wrongState, .throttled, .unavailable, .unreachable, .network, .outcomeUnknown: true
        case .notFound, .alreadyExists, .notPermitted, .badCredentials, .invalid, .notRancher: false
        }
    }
}
