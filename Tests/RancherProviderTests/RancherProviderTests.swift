import MusterModel
import ProviderKit
import RancherClient
import RancherProvider
import TestSupport
import Testing

private let server: Value = .string(RecordingRancher.server)
private let uuid = #"{"id":"install.uuid","type":"activeSetting","value":"u-1","inDb":true}"#

private func object(_ id: String, _ state: String = "active", _ more: String = "", actions: String...) -> String {
    let list = actions.map { #""\#($0)":"x""# }.joined(separator: ",")
    return
        #"{"id":"\#(id)","state":"\#(state)","transitioning":"no","actions":{\#(list)}\#(more.isEmpty ? "" : ",\(more)")}"#
}

@Test("The catalog calls every type what its schema calls it")
func names() {
    let catalog = RancherProvider.catalog
    #expect(catalog.types == catalog.resources.map(\.type))
    #expect(Set(catalog.types).count == catalog.types.count)
}

@Suite struct EnvironmentTests {
    @Test("An environment is made with its mark, its template by name and its members")
    func creation() async throws {
        let rancher = RecordingRancher([
            "GET /projects": [.list()], "GET /projectTemplates": [.list(object("1pt2", "active", #""name":"Cattle""#))],
            "POST /projects": [.init(201, object("1a7", "registering", #""name":"prod""#))],
            "GET /settings/install.uuid": [.init(200, uuid)],
        ])
        let made = try await rancher.handler(for: "rancher.environment").create(
            [
                "server": server, "name": "prod", "description": "For all", "template": "cattle",
                "members": [["external_id": "1a1", "external_id_type": "rancher_id", "role": "owner"]],
            ], intent: .test)
        #expect(made.id == "1a7")
        #expect(made.status == .pending("registering"))
        #expect(made.scope == ProviderScope(provider: "rancher", account: "u-1", region: "", endpoint: "rancher"))
        expectGolden(await rancher.takeTranscript(), named: "environment-create.txt")
    }

    @Test("One of the same name that is not ours stands in the way, and ours is found by its mark")
    func rivals() async throws {
        let foreign = object("1a5", "active", #""name":"Prod","description":"by hand""#)
        let ours = object("1a8", "active", #""name":"prod","description":"For all \#(mark)""#)
        let wanted: [String: Value] = ["server": server, "name": "prod"]
        let rancher = RecordingRancher([
            "GET /projects": [.list(foreign), .list(foreign), .list(foreign, ours)],
            "GET /settings/install.uuid": [.init(200, uuid)],
        ])
        let handler = try await rancher.handler(for: "rancher.environment")
        await #expect { try await handler.create(wanted, intent: .test) } throws: {
            ($0 as? ProviderError)?.kind == .alreadyExists
        }
        let clash = try await handler.find(wanted, intent: .test)
        #expect(clash?.isOurs == false)
        let found = try await handler.find(wanted, intent: .test)
        #expect(found?.isOurs == true)
        #expect(found?.observation.arguments["description"] == "For all")
    }

    @Test("Changing the description keeps the mark; members are set as a whole")
    func update() async throws {
        let now = object(
            "1a7", "active", #""name":"prod","description":"Old \#(mark)""#, actions: "setmembers", "update")
        let rancher = RecordingRancher([
            "GET /projects/1a7": [.init(200, now)], "PUT /projects/1a7": [.init(200, now)],
            "POST /projects/1a7/?setmembers": [.list()], "GET /settings/install.uuid": [.init(200, uuid)],
        ])
        let member: Value = ["external_id": "1a1", "external_id_type": "rancher_id", "role": "owner"]
        _ = try await rancher.handler(for: "rancher.environment").update(
            "1a7", from: ["server": server, "name": "prod", "description": "Old"],
            to: ["server": server, "name": "prod", "description": "New", "members": .list([member])])
        expectGolden(await rancher.takeTranscript(), named: "environment-update.txt")
    }

    @Test("Many environments are read with one list")
    func bulk() async throws {
        let rancher = RecordingRancher([
            "GET /projects": [.list(object("1a7"), object("1a8"), object("1a9", "removed"))],
            "GET /settings/install.uuid": [.init(200, uuid)],
        ])
        let known = ["1a7", "1a8", "1a9"].map { KnownObject(id: RemoteID($0), arguments: ["server": server]) }
        let seen = try await rancher.handler(for: "rancher.environment").read(known)
        #expect(seen.keys.sorted() == ["1a7", "1a8"])
        #expect(await rancher.takeTranscript().split(separator: "\n").count == 2)
    }
}

@Suite struct KeyTests {
    private let wanted: [String: Value] = [
        "server": server, "environment": "1a7", "name": "ci", "secret_to": "file:keys/ci",
    ]
    private let shown = #""publicValue":"ACCESS","secretValue":"s3cret""#

    @Test("The secret key goes into the vault and nowhere else")
    func creation() async throws {
        let vault = MemoryVault()
        let rancher = RecordingRancher([
            "POST /projects/1a7/apiKeys": [.init(201, object("1c9", "registering", shown))],
            "GET /settings/install.uuid": [.init(200, uuid)],
        ])
        let made = try await rancher.handler(for: "rancher.api_key", vault: vault).create(wanted, intent: .test)
        #expect(vault.kept == ["file:keys/ci": "s3cret"])
        #expect(made.outputs["access_key"] == "ACCESS")
        #expect(!"\(made)".contains("s3cret"))
    }

    @Test("A key whose secret cannot be kept is removed again")
    func brokenVault() async throws {
        let rancher = RecordingRancher([
            "POST /projects/1a7/apiKeys": [.init(201, object("1c9", "registering", shown))],
            "GET /projects/1a7/apiKeys/1c9": [
                .init(200, object("1c9", "active", actions: "deactivate")),
                .init(200, object("1c9", "inactive", actions: "remove")),
            ],
            "POST /projects/1a7/apiKeys/1c9/?deactivate": [.init(202, object("1c9", "deactivating"))],
            "POST /projects/1a7/apiKeys/1c9/?remove": [.init(202, object("1c9", "removing"))],
        ])
        let handler = try await rancher.handler(for: "rancher.api_key", vault: MemoryVault(isBroken: true))
        await #expect { try await handler.create(wanted, intent: .test) } throws: {
            ($0 as? ProviderError)?.message == "The disk is full."
        }
        expectGolden(await rancher.takeTranscript(), named: "api_key-broken-vault.txt")
    }

    @Test("A key whose answer was lost is removed when it is looked for")
    func lost() async throws {
        let rancher = RecordingRancher([
            "GET /projects/1a7/apiKeys": [.list(object("1c9", "active", #""description":"\#(mark)""#))],
            "GET /projects/1a7/apiKeys/1c9": [
                .init(200, object("1c9", "active", actions: "deactivate")),
                .init(200, object("1c9", "deactivating")), .init(200, object("1c9", "inactive", actions: "remove")),
            ],
            "POST /projects/1a7/apiKeys/1c9/?deactivate": [.init(202, object("1c9", "deactivating"))],
            "POST /projects/1a7/apiKeys/1c9/?remove": [.init(202, object("1c9", "removing"))],
        ])
        let found = try await rancher.handler(for: "rancher.api_key").find(wanted, intent: .test)
        #expect(found == nil)
        expectGolden(await rancher.takeTranscript(), named: "api_key-lost.txt")
    }
}

@Suite struct RemovalTests {
    @Test("A registry is deactivated before it is removed, and one that is gone is fine")
    func registry() async throws {
        let path = "/projects/1a7/registries/1sp3"
        let rancher = RecordingRancher([
            "GET \(path)": [
                .init(200, object("1sp3", "active", actions: "deactivate", "update")),
                .init(200, object("1sp3", "deactivating")), .init(200, object("1sp3", "inactive", actions: "remove")),
                .error(404, "Not Found"),
            ],
            "POST \(path)/?deactivate": [.init(202, object("1sp3", "deactivating"))],
            "DELETE \(path)": [.init(200, object("1sp3", "removing"))],
        ])
        let last: [String: Value] = ["server": server, "environment": "1a7", "server_address": "r"]
        for _ in 0..<2 {
            let handler = try await rancher.handler(for: "rancher.registry")
            await #expect { try await handler.delete("1sp3", last: last) } throws: {
                ($0 as? ProviderError)?.kind == .inUse
            }
        }
        for _ in 0..<2 { try await rancher.handler(for: "rancher.registry").delete("1sp3", last: last) }
        expectGolden(await rancher.takeTranscript(), named: "registry-remove.txt")
    }

    @Test("What was in an environment that is gone is gone too")
    func environmentGone() async throws {
        let rancher = RecordingRancher([
            "GET /projects/1a7/registries": [.error(403, "Forbidden")], "GET /projects": [.list()],
            "GET /projects/1a7/registries/1sp3": [.error(403, "Forbidden")],
        ])
        let known: [String: Value] = ["server": server, "environment": "1a7", "server_address": "r"]
        let handler = try await rancher.handler(for: "rancher.registry")
        #expect(try await handler.read([KnownObject(id: "1sp3", arguments: known)]).isEmpty)
        try await handler.delete("1sp3", last: known)
    }
}

@Suite struct StackTests {
    private let before: [String: Value] = [
        "server": server, "environment": "1a7", "name": "web", "docker_compose": "a", "answers": ["A": "1", "B": "2"],
    ]
    private let after: [String: Value] = [
        "server": server, "environment": "1a7", "name": "web", "docker_compose": "b", "answers": ["A": "1"],
    ]
    private let path = "/projects/1a7/stacks/1st3"

    @Test("An upgrade takes one step after the other, each when the stack is ready for it")
    func upgrade() async throws {
        let new = #""dockerCompose":"b","environment":{"A":"1","B":""}"#
        let rancher = RecordingRancher([
            "GET \(path)": [
                .init(200, object("1st3", "active", #""dockerCompose":"a""#, actions: "upgrade")),
                .init(200, object("1st3", "upgrading", new)),
                .init(200, object("1st3", "upgraded", new, actions: "finishupgrade")),
                .init(200, object("1st3", "finishing-upgrade", new)),
            ],
            "POST \(path)/?upgrade": [.init(202, object("1st3", "upgrading"))],
            "POST \(path)/?finishupgrade": [.init(202, object("1st3", "finishing-upgrade"))],
            "GET /settings/install.uuid": [.init(200, uuid)],
        ])
        for _ in 0..<2 {
            let handler = try await rancher.handler(for: "rancher.stack")
            await #expect { try await handler.update("1st3", from: before, to: after) } throws: {
                ($0 as? ProviderError)?.kind == .inUse
            }
        }
        let seen = try await rancher.handler(for: "rancher.stack").update("1st3", from: before, to: after)
        #expect(seen?.status == .pending("finishing-upgrade"))
        expectGolden(await rancher.takeTranscript(), named: "stack-upgrade.txt")
    }

    @Test("A stack from a catalog is made of the template's files")
    func catalog() async throws {
        let rancher = RecordingRancher([
            "GET /v1-catalog/templates/library:infra*ecr:1": [
                .init(
                    200, #"{"id":"library:infra*ecr:1","files":{"docker-compose.yml":"d","rancher-compose.yml":"r"}}"#)
            ],
            "POST /projects/1a7/stacks": [.init(201, object("1st3", "activating"))],
            "GET /settings/install.uuid": [.init(200, uuid)],
        ])
        _ = try await rancher.handler(for: "rancher.stack").create(
            [
                "server": server, "environment": "1a7", "name": "ecr", "template": "library:infra*ecr:1",
                "answers": ["aws_region": "us-east-1"],
            ], intent: .test)
        expectGolden(await rancher.takeTranscript(), named: "stack-catalog.txt")
    }

    @Test("A stack that could not start says why")
    func failed() async throws {
        let broken =
            #"{"id":"1st3","state":"error","transitioning":"error","transitioningMessage":"mapping values are not allowed","actions":{}}"#
        let rancher = RecordingRancher([
            "GET /projects/1a7/stacks": [.list(broken)], "GET /settings/install.uuid": [.init(200, uuid)],
        ])
        let seen = try await rancher.handler(for: "rancher.stack").read([KnownObject(id: "1st3", arguments: before)])
        #expect(seen["1st3"]?.status == .failed("mapping values are not allowed"))
    }
}

@Suite struct SettingTests {
    @Test("A setting that has another value already is not taken over")
    func clash() async throws {
        let taken = #"{"id":"api.host","type":"activeSetting","value":"http://old","inDb":true}"#
        let rancher = RecordingRancher(["GET /settings/api.host": [.init(200, taken)]])
        let handler = try await rancher.handler(for: "rancher.setting")
        await #expect {
            try await handler.create(["server": server, "name": "api.host", "value": "http://new"], intent: .test)
        } throws: {
            ($0 as? ProviderError)?.kind == .alreadyExists
        }
    }
}

@Suite struct OldServerTests {
    @Test("A server before 1.2 is talked to in v1, where stacks are called environments")
    func stacks() async throws {
        let rancher = RecordingRancher([
            "GET /v2-beta": [.error(404, "Not Found")],
            "POST /projects/1a7/environments": [.init(201, object("1e3", "activating"))],
            "GET /settings/install.uuid": [.init(200, uuid)],
        ])
        let made = try await rancher.handler(for: "rancher.stack").create(
            ["server": server, "environment": "1a7", "name": "web", "docker_compose": "a"], intent: .test)
        #expect(made.id == "1e3")
    }
}
