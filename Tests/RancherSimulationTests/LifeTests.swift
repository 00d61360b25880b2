import AWSClient
import HTTPTransport
import RancherSimulation
import SandboxServing
import Testing

@Suite("The lives of Rancher's objects")
struct LifeTests {
    private static let kinds: [(path: String, body: JSONValue)] = [
        ("/v2-beta/projects/1a5/apikeys", [:]),
        ("/v2-beta/projects/1a5/registrationtokens", [:]),
        ("/v2-beta/projects/1a5/registries", ["serverAddress": "quay.io"]),
        ("/v2-beta/accounts", ["kind": "service", "name": "operations"]),
    ]

    @Test("Generic objects register, become active, and leave in order", arguments: kinds)
    func generic(path: String, body: JSONValue) async throws {
        let lab = Lab()
        let made = try await lab.send("POST", path, body)
        #expect(made.short == "201 registering")
        #expect(made.body["transitioning"].text == "yes")
        let active = try await lab.settled(made.body["links"]["self"].text)
        #expect(active["state"].text == "active")
        #expect(active["actions"].names.contains("deactivate") && !active["actions"].names.contains("remove"))
        #expect(try await lab.act("remove", active) == "422 ActionNotAvailable")
        #expect(try await lab.act("dance", active) == "422 InvalidAction")
        #expect(try await lab.act("deactivate", active).hasSuffix("deactivating → inactive"))
        #expect(try await lab.act("remove", active) == "202 removing → removed")
        #expect(try await lab.get(active["links"]["self"].text)["actions"].names == ["purge"])
        #expect(try await lab.act("purge", active) == "202 purging → purged")
        #expect(try await lab.get(active["links"]["self"].text)["removed"].isNull == false)
    }

    @Test("What is removed is purged by a monitor, and its row goes two days later")
    func purge() async throws {
        let lab = Lab()
        let key = try await lab.make("/v2-beta/projects/1a5/apikeys")
        _ = try await lab.act("deactivate", key)
        #expect(try await lab.send("DELETE", key["links"]["self"].text).short == "200 removing")
        lab.site.advance(by: .seconds(12 * 60))
        #expect(try await lab.get(key["links"]["self"].text)["state"].text == "purged")
        lab.site.advance(by: .seconds(3 * 86_400))
        #expect(try await lab.send("GET", key["links"]["self"].text).short == "404 Not Found")
    }

    @Test("An active object is not deleted, and nothing is changed while it changes")
    func busy() async throws {
        let lab = Lab()
        let registry = try await lab.make("/v2-beta/projects/1a5/registries", ["serverAddress": "quay.io"])
        let own = registry["links"]["self"].text
        #expect(try await lab.send("DELETE", own).short == "405 Method not allowed")
        #expect(try await lab.send("PUT", own, ["name": "a"]).short == "200 updating-active")
        #expect(try await lab.send("PUT", own, ["name": "b"]).short == "409 Conflict")
        #expect(try await lab.settled(own)["name"].text == "a")
    }

    @Test("A stack is upgraded, finished, and rolled back")
    func stack() async throws {
        let lab = Lab()
        let first: JSONValue = ["name": "web", "dockerCompose": "a:\n  image: nginx:1\n", "startOnCreate": true]
        let stack = try await lab.make("/v2-beta/projects/1a5/stacks", first)
        #expect(stack["state"].text == "active")
        func image() async throws -> String {
            lab.site.advance(by: .seconds(1))
            let services = try await lab.get(stack["links"]["services"].text)
            return services["data"].items.first?["launchConfig"]["imageUuid"].text ?? ""
        }
        #expect(try await image() == "docker:nginx:1")
        let second: JSONValue = ["dockerCompose": "a:\n  image: nginx:2\n"]
        #expect(try await lab.act("upgrade", stack, second) == "202 upgrading → upgraded")
        #expect(try await image() == "docker:nginx:2")
        #expect(try await lab.act("rollback", stack) == "202 rolling-back → active")
        #expect(try await image() == "docker:nginx:1")
        #expect(try await lab.act("upgrade", stack, second) == "202 upgrading → upgraded")
        #expect(try await lab.act("finishupgrade", stack) == "202 finishing-upgrade → active")
        #expect(try await lab.send("DELETE", stack["links"]["self"].text).short == "200 removing")
        #expect(try await lab.settled(stack["links"]["self"].text)["state"].text == "removed")
        lab.site.advance(by: .seconds(1))
        #expect(
            try await lab.get("/v2-beta/projects/1a5/services")["data"].items.filter { $0["name"].text == "a" } == [])
    }

    @Test("A bad compose file fails the stack, not the request")
    func badCompose() async throws {
        let lab = Lab()
        let stack = try await lab.make(
            "/v2-beta/projects/1a5/stacks", ["name": "bad", "dockerCompose": "a: {}"])
        #expect(stack["state"].text == "error")
        #expect(stack["transitioning"].text == "error")
        #expect(stack["transitioningMessage"].text.contains("neither an image"))
    }

    @Test("An environment is deleted at once, and its contents go when it is purged")
    func project() async throws {
        let lab = Lab()
        let project = try await lab.make("/v2-beta/projects", ["name": "prod"])
        let id = project["id"].text
        #expect(project["orchestration"].text == "cattle")
        #expect(try await lab.get("/v2-beta/projects/\(id)/stacks")["data"].items.count == 4)
        let host = try await lab.host(in: id)
        #expect(host["state"].text == "active")
        let deleted = try await lab.send("DELETE", project["links"]["self"].text)
        #expect(deleted.body["data"].items.map { $0["state"].text } == ["deactivating"])
        lab.site.advance(by: .seconds(2))
        #expect(try await lab.get(project["links"]["self"].text)["state"].text == "removed")
        #expect(try await lab.send("GET", "/v2-beta/projects/\(id)/hosts").short == "403 Forbidden")
        lab.site.advance(by: .seconds(12 * 60))
        #expect(try await lab.get("/v2-beta/hosts/\(host["id"].text)")["removed"].isNull == false)
    }
}
