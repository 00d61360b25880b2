// The life of each type on a simulated Rancher: made, read back as wanted, each argument changed, changed behind our back,
// removed. The simulator's clock stands still but for the polls here, as the applier makes them.

import HTTPTransport
import MusterModel
import ProviderKit
import RancherClient
import RancherProvider
import RancherSimulation
import SandboxServing
import Testing

struct Lab {
    static let server = "http://rancher.test:8080"
    let site: RancherSite
    let vault = MemoryVault()
    private let provider: RancherProvider

    init(_ version: ServerVersion = ServerVersion(1, 6, 30)) {
        var configuration = RancherServer.Configuration()
        configuration.version = version
        let site = RancherSite(configuration)
        self.site = site
        let collaborators = RancherClient.Collaborators(
            http: site, credentials: { nil }, elapsed: { .zero }, sleep: { site.advance(by: $0) }, random: { 0 })
        provider = RancherProvider(
            override: nil, vault: vault,
            makeClient: { RancherClient(server: $0, userAgent: "muster/test", collaborators: collaborators) })
    }

    func handler(_ type: ResourceType) async throws -> any ResourceHandler {
        try #require(try await provider.session(for: ProviderConfiguration(), expecting: [:]).handler(for: type))
    }

    /// Tries again, as the applier does, what the state does not allow yet.
    private func patiently<Answer>(_ call: () async throws -> Answer) async throws -> Answer {
        for _ in 0..<100 {
            do {
                return try await call()
            } catch let error as ProviderError where [.inUse, .notYetVisible, .throttled].contains(error.kind) {
                site.advance(by: .milliseconds(200))
            }
        }
        return try await call()
    }

    func read(_ type: ResourceType, _ id: RemoteID, _ known: [String: Value]) async throws -> Observation? {
        try await handler(type).read([KnownObject(id: id, arguments: known, declared: Set(known.keys))])[id]
    }

    /// Looks until it is ready, or failed.
    func settled(_ type: ResourceType, _ id: RemoteID, _ known: [String: Value]) async throws -> Observation? {
        for _ in 0..<100 {
            let seen = try await read(type, id, known)
            switch seen?.status {
            case .pending: site.advance(by: .milliseconds(200))
            default: return seen
            }
        }
        return try await read(type, id, known)
    }

    func make(_ type: ResourceType, _ wanted: [String: Value]) async throws -> Observation {
        let made = try await patiently { try await handler(type).create(wanted, intent: .test) }
        let later = try await handler(type).schema.arguments.filter {
            wanted[$0.name] != nil && ($0.isSetAfterCreate || made.owed.contains($0.name))
        }
        if !later.isEmpty {
            var before = wanted
            for argument in later { before[argument.name] = nil }
            try await update(type, made.id, from: before, to: wanted)
        }
        return try #require(try await settled(type, made.id, wanted))
    }

    func update(_ type: ResourceType, _ id: RemoteID, from old: [String: Value], to new: [String: Value]) async throws {
        _ = try await patiently {
            // A new session each time, so that nothing remembered is taken for what is.
            try await handler(type).update(id, from: old, to: new)
        }
    }

    func remove(_ type: ResourceType, _ id: RemoteID, _ last: [String: Value]) async throws {
        try await patiently { try await handler(type).delete(id, last: last) }
        for _ in 0..<100 {
            if try await read(type, id, last) == nil { return }
            site.advance(by: .milliseconds(200))
        }
        Issue.record("\(type) \(id) does not go")
    }

    /// An environment for what wants one.
    func environment(_ name: String = "prod") async throws -> Value {
        .string(
            try await make("rancher.environment", ["server": .string(Lab.server), "name": .string(name)]).id.rawValue)
    }
}

/// A type with an object of it, and what each change makes of it.
struct Life: Sendable, CustomTestStringConvertible {
    var type: ResourceType
    var wanted: [String: Value]
    var changes: [[String: Value]]
    var testDescription: String { type.rawValue }

    static let all: [Life] = [
        Life(
            type: "rancher.environment",
            wanted: ["name": "qa", "description": "For tests", "template": "Cattle"],
            changes: [
                ["name": "staging"], ["description": "For trials"], ["virtual_machine": true],
                ["services_port_range": ["start_port": 50_000, "end_port": 51_000]],
                [
                    "members": [
                        ["external_id": "1a1", "external_id_type": "rancher_id", "role": "owner"],
                        ["external_id": "42", "external_id_type": "github_team", "role": "member"],
                    ]
                ], ["enabled": false], ["enabled": true],
            ]),
        Life(
            type: "rancher.setting", wanted: ["name": "api.host", "value": "http://a"], changes: [["value": "http://b"]]
        ),
        Life(
            type: "rancher.registration_token", wanted: ["name": "hosts", "secret_to": "file:token"],
            changes: [["secret_to": "file:other"]]),
        Life(
            type: "rancher.api_key", wanted: ["name": "ci", "description": "For CI", "secret_to": "file:key"],
            changes: [["name": "robot"], ["description": "For robots"], ["enabled": false], ["enabled": true]]),
        Life(
            type: "rancher.registry", wanted: ["server_address": "registry.test", "name": "ours"],
            changes: [["name": "theirs"], ["description": "Images"], ["enabled": false], ["enabled": true]]),
        Life(
            type: "rancher.stack",
            wanted: [
                "name": "web", "docker_compose": "web:\n  image: nginx:1.11\n", "answers": ["A": "1", "B": "2"],
            ],
            changes: [
                ["name": "site"], ["description": "The site"], ["docker_compose": "web:\n  image: nginx:1.12\n"],
                ["answers": ["A": "3", "B": "2"]],
            ]),
        Life(
            type: "rancher.secret", wanted: ["name": "pin", "value": "1234"], changes: [["description": "A number"]]),
        Life(
            type: "rancher.service_account", wanted: ["name": "RemoteMachineService"],
            changes: [["description": "Machines"], ["enabled": false], ["enabled": true]]),
    ]

    static let inEnvironment: Set<String> = ["registration_token", "api_key", "registry", "stack", "secret"]
}

@Suite struct ConformanceTests {
    @Test("Each type lives as the spec wants it", arguments: Life.all)
    func life(_ life: Life) async throws {
        let lab = Lab()
        var wanted = life.wanted
        wanted["server"] = .string(Lab.server)
        if Life.inEnvironment.contains(String(life.type.rawValue.dropFirst("rancher.".count))) {
            wanted["environment"] = try await lab.environment()
        }
        let schema = try await lab.handler(life.type).schema
        func expectAsWanted(_ seen: Observation?, _ what: String) {
            guard let seen else {
                Issue.record("\(what): it is gone")
                return
            }
            #expect(seen.status == .ready, "\(what)")
            for (name, value) in wanted where schema.argument(name)?.isReadable ?? false {
                let told = seen.arguments[name] ?? .null
                if case .set = schema.argument(name)?.type {
                    #expect(Set(told.list ?? []) == Set(value.list ?? []), "\(what): \(name)")
                } else if schema.argument(name)?.semantics == .tags {
                    for (key, text) in value.map ?? [:] { #expect(told.map?[key] == text, "\(what): \(name).\(key)") }
                } else {
                    #expect(told == value, "\(what): \(name)")
                }
            }
        }

        let made = try await lab.make(life.type, wanted)
        expectAsWanted(made, "made")
        for change in life.changes {
            let before = wanted
            wanted.merge(change) { $1 }
            try await lab.update(life.type, made.id, from: before, to: wanted)
            expectAsWanted(try await lab.settled(life.type, made.id, wanted), "\(change.keys.sorted())")
            try await lab.update(life.type, made.id, from: before, to: wanted)
            expectAsWanted(try await lab.settled(life.type, made.id, wanted), "\(change.keys.sorted()) once more")
        }
        try await lab.remove(life.type, made.id, wanted)
        try await lab.handler(life.type).delete(made.id, last: wanted)
        #expect(lab.vault.kept.isEmpty)
    }

    @Test("A service is upgraded, scaled, stopped and removed")
    func service() async throws {
        let lab = Lab()
        let environment = try await lab.environment()
        let stack = try await lab.make(
            "rancher.stack", ["server": .string(Lab.server), "environment": environment, "name": "web"])
        var wanted: [String: Value] = [
            "server": .string(Lab.server), "environment": environment, "stack": .string(stack.id.rawValue),
            "name": "api",
            "scale": 2, "launch_config": ["image": "nginx:1.11", "environment": ["A": "b"]],
        ]
        let made = try await lab.make("rancher.service", wanted)
        #expect(made.arguments["scale"] == 2)
        let changes: [[String: Value]] = [
            ["launch_config": ["image": "nginx:1.12", "environment": ["A": "c"]], "scale": 3], ["enabled": false],
            ["enabled": true],
        ]
        for change in changes {
            let before = wanted
            wanted.merge(change) { $1 }
            try await lab.update("rancher.service", made.id, from: before, to: wanted)
            let seen = try #require(try await lab.settled("rancher.service", made.id, wanted))
            #expect(seen.status == .ready)
            #expect(seen.arguments["launch_config"]?.map?["image"] == wanted["launch_config"]?.map?["image"])
            #expect(seen.arguments["scale"] == wanted["scale"])
        }
        try await lab.remove("rancher.service", made.id, wanted)
    }

    @Test("A credential goes with its registry's address and its password is never told")
    func credential() async throws {
        let lab = Lab()
        let place: [String: Value] = ["server": .string(Lab.server), "environment": try await lab.environment()]
        let registry = try await lab.make("rancher.registry", place.merging(["server_address": "r.test"]) { $1 })
        let wanted = place.merging([
            "registry": .string(registry.id.rawValue), "username": "AWS", "password": "hunter2",
        ]) { $1 }
        let made = try await lab.make("rancher.registry_credential", wanted)
        #expect(!"\(made)".contains("hunter2"))
        let next = wanted.merging(["username": "other", "password": "hunter3"]) { $1 }
        try await lab.update("rancher.registry_credential", made.id, from: wanted, to: next)
        let seen = try await lab.settled("rancher.registry_credential", made.id, next)
        #expect(seen?.arguments["username"] == "other")
        try await lab.remove("rancher.registry_credential", made.id, next)
        try await lab.remove("rancher.registry", registry.id, place.merging(["server_address": "r.test"]) { $1 })
    }

    @Test("A creation whose answer is lost is found by its mark, and a key is made anew")
    func lostAnswers() async throws {
        let lab = Lab()
        let place: [String: Value] = ["server": .string(Lab.server), "environment": try await lab.environment()]
        for (type, more) in [
            ("rancher.registry", ["server_address": "r.test"]), ("rancher.stack", ["name": "web"]),
            ("rancher.registration_token", [:]),
        ] as [(ResourceType, [String: Value])] {
            let wanted = place.merging(more) { $1 }
            let made = try await lab.handler(type).create(wanted, intent: .test)
            let found = try await lab.handler(type).find(wanted, intent: .test)
            #expect(found?.observation.id == made.id)
            #expect(found?.isOurs == true)
        }
        let wanted = place.merging(["name": "ci", "secret_to": "file:key"]) { $1 }
        let lost = try await lab.handler("rancher.api_key").create(wanted, intent: .test)
        #expect(try await lab.handler("rancher.api_key").find(wanted, intent: .test) == nil)
        let anew = try await lab.make("rancher.api_key", wanted)
        #expect(anew.id != lost.id)
        for _ in 0..<20 { lab.site.advance(by: .milliseconds(200)) }
        #expect(try await lab.read("rancher.api_key", lost.id, wanted) == nil)
    }

    @Test("A name that is taken is said to be so, by whatever has it")
    func names() async throws {
        let lab = Lab()
        let place: [String: Value] = ["server": .string(Lab.server), "environment": try await lab.environment()]
        for (type, more) in [
            ("rancher.registry", ["server_address": "r.test"]), ("rancher.stack", ["name": "web"]),
            ("rancher.secret", ["name": "pin", "value": "1"]),
        ] as [(ResourceType, [String: Value])] {
            let wanted = place.merging(more) { $1 }
            _ = try await lab.make(type, wanted)
            let other = Intent(token: "ffffffffffffffffffffffffffffffff", address: Intent.test.address)
            await #expect { try await lab.handler(type).create(wanted, intent: other) } throws: {
                ($0 as? ProviderError)?.kind == .alreadyExists
            }
            #expect(try await lab.handler(type).find(wanted, intent: other)?.isOurs == false)
        }
    }

    @Test("A server before 1.2 has the same types, but for those that came later")
    func oldServer() async throws {
        let lab = Lab(ServerVersion(1, 1, 4))
        let place: [String: Value] = ["server": .string(Lab.server), "environment": try await lab.environment()]
        let stack = try await lab.make(
            "rancher.stack", place.merging(["name": "web", "docker_compose": "web:\n  image: nginx\n"]) { $1 })
        #expect(stack.id.rawValue.hasPrefix("1e"))
        let key = try await lab.make("rancher.api_key", place.merging(["name": "ci", "secret_to": "file:key"]) { $1 })
        try await lab.remove("rancher.api_key", key.id, place.merging(["secret_to": "file:key"]) { $1 })
        await #expect {
            try await lab.handler("rancher.secret").create(
                place.merging(["name": "a", "value": "b"]) { $1 }, intent: .test)
        } throws: {
            ($0 as? ProviderError)?.message.contains("too old") == true
        }
    }

    @Test("Access control is not turned on by one who has no key")
    func lockOut() async throws {
        let lab = Lab()
        let wanted: [String: Value] = ["server": .string(Lab.server), "username": "admin", "password": "hunter2"]
        await #expect { try await lab.handler("rancher.local_access_control").create(wanted, intent: .test) } throws: {
            ($0 as? ProviderError)?.message.contains("lock itself out") == true
        }
        #expect(try await lab.read("rancher.local_access_control", "local", wanted) == nil)
        let other: [String: Value] = ["server": .string(Lab.server), "client_id": "c", "client_secret": "s"]
        await #expect { try await lab.handler("rancher.github_access_control").create(other, intent: .test) } throws: {
            ($0 as? ProviderError)?.message.contains("lock itself out") == true
        }
        #expect(try await lab.read("rancher.github_access_control", "github", other) == nil)
    }
}
