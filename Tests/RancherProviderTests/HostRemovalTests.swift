import HTTPTransport
import MusterModel
import ProviderKit
import RancherClient
import RancherProvider
import RancherSimulation
import SandboxServing
import Synchronization
import Testing

private let environment = HostEnvironment(server: "http://rancher.test:8080", id: "1a5", name: "Default")
private let lost = RancherHost(
    environment: environment, id: "1h1", hostname: "web", state: "disconnected", agentState: "disconnected",
    labels: ["instance-id": "i-1"])

@Suite struct HostDepartureTests {
    private func seen(
        _ state: String, agent: String = "disconnected", label: String = "i-1", hostname: String = "web",
        offering actions: String...
    ) -> RancherObject {
        RancherObject([
            "id": "1h1", "state": .string(state), "agentState": .string(agent), "hostname": .string(hostname),
            "labels": ["instance-id": .string(label)],
            "actions": .map(Dictionary(actions.map { ($0, "x") }, uniquingKeysWith: { first, _ in first })),
        ])
    }

    @Test("Each state of the host has its move")
    func moves() {
        let table: [(RancherObject?, HostDeparture.Move)] = [
            (seen("disconnected", offering: "deactivate", "update"), .act(.deactivate)),
            (seen("deactivating", offering: "remove"), .wait),
            (seen("updating-inactive", offering: "deactivate", "remove"), .act(.deactivate)),
            (seen("inactive", offering: "activate", "remove"), .act(.remove)),
            (seen("error", offering: "remove"), .act(.remove)),
            (seen("removing"), .wait), (seen("removed", offering: "purge"), .act(.purge)), (seen("removed"), .done),
            (seen("purging"), .wait), (seen("purged"), .done), (nil, .done),
            (seen("active", agent: "active", offering: "deactivate"), .leaveAlone("its agent is back")),
            (seen("inactive", agent: "active", offering: "remove"), .leaveAlone("its agent is back")),
            (seen("reconnecting", agent: "reconnecting", offering: "deactivate"), .leaveAlone("its agent is back")),
            (
                seen("disconnected", label: "i-2", offering: "deactivate"),
                .leaveAlone("its label names another instance now")
            ),
            (seen("disconnected", hostname: "db", offering: "deactivate"), .leaveAlone("it has another host name now")),
        ]
        for (object, move) in table {
            var departure = HostDeparture(lost)
            #expect(departure.next(object, at: .zero) == move, "\(object?.state ?? "gone")")
        }
    }

    @Test("Each phase has its own limit, from its beginning")
    func limits() {
        var departure = HostDeparture(lost)
        #expect(departure.next(seen("disconnected", offering: "deactivate"), at: .seconds(5)) == .act(.deactivate))
        #expect(departure.next(seen("deactivating"), at: .seconds(64)) == .wait)
        #expect(departure.next(seen("inactive", offering: "remove"), at: .seconds(66)) == .act(.remove))
        #expect(departure.next(seen("removing"), at: .seconds(185)) == .wait)
        #expect(departure.stall(at: .seconds(186)) == .giveUp(.remove))
        #expect(departure.next(seen("removing"), at: .seconds(186)) == .giveUp(.remove))
        #expect(departure.next(seen("removed", offering: "purge"), at: .seconds(187)) == .act(.purge))
        #expect(departure.next(seen("purging"), at: .seconds(247)) == .giveUp(.purge))
    }
}

/// A simulated server, on a clock that a removal's own sleeping moves.
private struct Simulated {
    let site: RancherSite
    let provider: RancherProvider
    private let calls = Calls()

    /// What was called, in turn.
    private final class Calls: Sendable {
        let phases = Mutex<[HostDeparture.Phase]>([])
        let elapsed = Mutex<Duration>(.zero)
    }

    init(_ version: String = "v1.6.30") async throws {
        var configuration = RancherServer.Configuration()
        configuration.version = try #require(ServerVersion(version))
        site = RancherSite(configuration)
        let http: any HTTPClient = site
        provider = RancherProvider(
            override: nil, vault: MemoryVault(),
            makeClient: { server in
                RancherClient(
                    server: server, userAgent: "muster/test",
                    collaborators: RancherClient.Collaborators(
                        http: http, credentials: { nil }, elapsed: { .zero }, sleep: { _ in }, random: { 0.5 }))
            })
    }

    var phases: [HostDeparture.Phase] { calls.phases.withLock { $0 } }

    /// A host that is lost, as the provider sees it.
    func lostHost(instance: String = "i-1") async throws -> RancherHost {
        let made = try await call("POST", "projects/1a5/registrationtokens", "{}")
        site.advance(by: .seconds(5))
        let token = try await call("GET", "projects/1a5/registrationtokens/\(made["id"].string ?? "")")
        var machine = AgentMachine(registration: try #require(token["registrationUrl"].string), hostname: "web")
        machine.labels = ["instance-id": instance]
        machine.instanceID = instance
        machine.address = "10.0.0.1"
        _ = try site.join(machine)
        site.advance(by: .seconds(30))
        site.lose(instance)
        site.advance(by: .seconds(600))
        return try #require(try await hosts().first)
    }

    func hosts() async throws -> [RancherHost] {
        let server = try #require(RancherServerURL(environment.server))
        let place = try #require(try await provider.environments(of: server).first { $0.id == "1a5" })
        return try await provider.hosts(of: place)
    }

    func call(_ method: String, _ path: String, _ body: String? = nil) async throws -> Value {
        var request = HTTPRequest(method: method, url: "\(environment.server)/v1/\(path)")
        if let body {
            request.headers["Content-Type"] = "application/json"
            request.body = Array(body.utf8)
        }
        let answer = try await site.send(request)
        return try ValueJSON.decodePlain(String(decoding: answer.body, as: UTF8.self))
    }

    func remove(
        _ host: RancherHost, limits: HostDeparture.Limits = .init(),
        before: @escaping @Sendable (HostDeparture.Phase) -> Bool = { _ in true }
    ) async throws -> HostRemovalEnd {
        let calls = calls
        let site = site
        var context = RancherProvider.RemovalContext(
            pause: .milliseconds(100), elapsed: { calls.elapsed.withLock { $0 } },
            sleep: { pause in
                calls.elapsed.withLock { $0 += pause }
                site.advance(by: pause)
            },
            mayGoOn: { calls.phases.withLock { $0.last }.map(before) ?? true },
            tell: { phase in calls.phases.withLock { $0.append(phase) } })
        context.limits = limits
        return try await provider.remove(host, context)
    }
}

@Suite struct HostRemovalTests {
    @Test(
        "A lost host is deactivated, removed and purged, on every server", arguments: ["v1.6.30", "v1.2.4", "v1.1.4"])
    func removal(version: String) async throws {
        let simulated = try await Simulated(version)
        let host = try await simulated.lostHost()
        #expect(host.connection == .lost)
        #expect(host.instanceID == "i-1")
        #expect(host.address == "10.0.0.1")
        #expect(try await simulated.remove(host) == .removed)
        #expect(simulated.phases == [.deactivate, .remove, .purge])
        #expect(try await simulated.hosts().isEmpty)
        #expect(try await simulated.remove(host) == .removed)
        #expect(simulated.phases.count == 3)
    }

    @Test("One that is back is not touched")
    func comeback() async throws {
        let simulated = try await Simulated()
        let host = try await simulated.lostHost()
        simulated.site.find("i-1")
        simulated.site.advance(by: .seconds(30))
        #expect(try await simulated.remove(host) == .leftAlone("its agent is back"))
        #expect(simulated.phases.isEmpty)
    }

    @Test("One that is back after it was deactivated works again")
    func lateComeback() async throws {
        let simulated = try await Simulated()
        let host = try await simulated.lostHost()
        let end = try await simulated.remove(host) { phase in
            if phase == .deactivate {
                simulated.site.find("i-1")
                simulated.site.advance(by: .seconds(30))
            }
            return true
        }
        #expect(end == .leftAlone("its agent is back, and it was activated again"))
        #expect(simulated.phases == [.deactivate])
        simulated.site.advance(by: .seconds(5))
        #expect(try await simulated.hosts().map(\.state) == ["active"])
    }

    @Test("Stopped after any call, it is begun anew and ends", arguments: HostDeparture.Phase.allCases)
    func stopped(after last: HostDeparture.Phase) async throws {
        let simulated = try await Simulated()
        let host = try await simulated.lostHost()
        #expect(try await simulated.remove(host) { $0 != last } == .interrupted)
        #expect(simulated.phases.last == last)
        #expect(try await simulated.remove(host) { _ in true } == .removed)
        #expect(simulated.phases == [.deactivate, .remove, .purge])
    }

    @Test("A lost answer, a lost request and a server that is away for a while change nothing")
    func weather() async throws {
        let simulated = try await Simulated()
        let host = try await simulated.lostHost()
        simulated.site.order(Fault(.reset, when: .after, method: "POST"))
        #expect(try await simulated.remove(host) == .removed)
        #expect(simulated.phases.contains(.purge))
    }

    @Test("A host that stays where it is ends in time")
    func limit() async throws {
        let simulated = try await Simulated()
        let host = try await simulated.lostHost()
        var limits = HostDeparture.Limits()
        limits.deactivate = .milliseconds(100)
        limits.remove = .zero
        let end = try await simulated.remove(host, limits: limits)
        guard case .timedOut = end else {
            Issue.record("\(end)")
            return
        }
    }
}
