import AWSClient
import HTTPTransport
import RancherSimulation
import SandboxServing
import Testing

@Suite("Hosts")
struct HostTests {
    @Test("A token's script lets a machine register and appear, by the calls of the real agent")
    func registration() async throws {
        let lab = Lab()
        let token = try await lab.make("/v1/projects/1a5/registrationtokens")
        let url = token["registrationUrl"].text
        #expect(token["command"].text.hasSuffix(" rancher/agent:v1.2.11 \(url)"))
        let script = try await lab.get(url).text
        let secret = token["token"].text
        #expect(script.hasPrefix("#!/bin/sh\n\nexport CATTLE_REGISTRATION_ACCESS_KEY=\"registrationToken\"\n"))
        #expect(script.contains("export CATTLE_REGISTRATION_SECRET_KEY=\"\(secret)\"\n"))
        #expect(script.contains("export CATTLE_URL=\"http://rancher.test:8080/v1\"\n"))

        var agent = lab
        agent.key = ("registrationToken", secret)
        #expect(try await agent.get("/v1/registers?key=abc")["data"].items == [])
        let made = try await agent.send("POST", "/v1/registers", ["key": "abc"])
        #expect(made.short == "201 activating")
        #expect(made.body["secretKey"].isNull)
        lab.site.advance(by: .seconds(1))
        let found = try #require(try await agent.get("/v1/registers?key=abc")["data"].items.first)
        #expect(found["state"].text == "active")
        let id = try lab.site.withService { server, _ in
            Result {
                try server.connect(
                    accessKey: found["accessKey"].text, secretKey: found["secretKey"].text,
                    AgentMachine(registration: "", hostname: "web-1", labels: ["role": "web"]))
            }
        }.get()
        lab.site.advance(by: .seconds(1))
        let host = try await lab.get("/v1/projects/1a5/hosts/\(id)")
        #expect(host["hostname"].text == "web-1")
        #expect(host["labels"]["role"].text == "web")
        #expect(host["state"].text == "active")
    }

    @Test("A lost machine is reconnecting, then disconnected; v1 says active; it comes back as it was")
    func disconnection() async throws {
        let lab = Lab()
        let host = try await lab.host()
        let own = host["links"]["self"].text
        #expect(lab.site.lose("i-1") == 1)
        #expect(lab.site.lose("i-2") == 0)
        func state() async throws -> String { try await lab.get(own)["state"].text }
        lab.site.advance(by: .seconds(29))
        #expect(try await state() == "active")
        lab.site.advance(by: .seconds(2))
        #expect(try await state() == "reconnecting")
        lab.site.advance(by: .seconds(181))
        #expect(try await state() == "disconnected")
        #expect(try await lab.get(own)["actions"].names.contains("deactivate"))
        let old = try await lab.get("/v1/projects/1a5/hosts/\(host["id"].text)")
        #expect([old["state"].text, old["agentState"].text] == ["active", "disconnected"])
        lab.site.find("i-1")
        lab.site.advance(by: .seconds(2))
        #expect(try await state() == "active")
    }

    @Test("Before 1.2 a lost machine is reconnecting for ever")
    func disconnectionOfOld() async throws {
        let lab = Lab(ServerVersion(1, 1, 4))
        let token = try await lab.make("/v1/projects/1a5/registrationtokens")
        let id = try lab.site.join(AgentMachine(registration: token["token"].text, hostname: "a"))
        lab.site.advance(by: .seconds(1))
        lab.site.lose("a")
        lab.site.advance(by: .seconds(86_400))
        #expect(try await lab.get("/v1/projects/1a5/hosts/\(id)")["agentState"].text == "reconnecting")
        #expect(try await lab.send("GET", "/v2-beta").short == "404 Not Found")
    }

    @Test("A host leaves by deactivate, remove and purge, in this order only")
    func leaving() async throws {
        let lab = Lab()
        let host = try await lab.host()
        #expect(try await lab.act("purge", host) == "422 ActionNotAvailable")
        #expect(try await lab.send("DELETE", host["links"]["self"].text).short == "405 Method not allowed")
        #expect(try await lab.act("evacuate", host) == "200 active → active")
        #expect(try await lab.act("deactivate", host) == "202 deactivating → inactive")
        #expect(try await lab.act("evacuate", host) == "200 inactive → inactive")
        #expect(try await lab.act("remove", host) == "202 removing → removed")
        #expect(try await lab.get("/v2-beta/projects/1a5/hosts")["data"].items == [])
        #expect(try await lab.act("purge", host) == "202 purging → purged")
        let actions = lab.site.journal.compactMap { entry in
            entry.status < 400 ? entry.details.first { $0.name == "action" }?.value.string : nil
        }
        #expect(actions == ["evacuate", "deactivate", "evacuate", "remove", "purge"])
    }

    @Test("A machine that kept its state files is the same host, one that lost them another")
    func identity() async throws {
        let lab = Lab()
        let token = try await lab.make("/v2-beta/projects/1a5/registrationtokens")
        func join(_ key: String) throws -> String {
            try lab.site.join(
                AgentMachine(
                    registration: token["registrationUrl"].text, hostname: "a", registrationKey: key, dockerUUID: "d"))
        }
        #expect(try join("k1") == "1h1")
        #expect(try join("k1") == "1h1")
        #expect(try join("k2") == "1h2")
    }

    @Test("A token that is deactivated lets nobody in, and its script is gone")
    func deactivatedToken() async throws {
        let lab = Lab()
        let token = try await lab.make("/v2-beta/projects/1a5/registrationtokens")
        _ = try await lab.act("deactivate", token)
        #expect(try await lab.send("GET", token["registrationUrl"].text).short == "404 Not Found")
        #expect(throws: JoinRefused.self) {
            try lab.site.join(AgentMachine(registration: token["token"].text, hostname: "a"))
        }
        #expect(try await lab.send("DELETE", token["links"]["self"].text).short == "405 Method not allowed")
    }

    @Test("Labels are replaced, those of the system come back")
    func labels() async throws {
        let lab = Lab()
        let host = try await lab.host(labels: ["role": "a", "spotinst.instanceId": "i-1"])
        let changed = try await lab.send("PUT", host["links"]["self"].text, ["labels": ["role": "b"]])
        #expect(changed.body["labels"]["role"].text == "b")
        #expect(changed.body["labels"].names.filter { !$0.hasPrefix("io.rancher.host.") } == ["role"])
        #expect(changed.body["labels"].names.count > 1)
    }

    @Test("A host that is away for as long as the setting says is removed by the server")
    func automaticRemoval() async throws {
        let lab = Lab()
        let host = try await lab.host()
        _ = try await lab.send("PUT", "/v2-beta/settings/host.remove.delay.seconds", ["value": "300"])
        lab.site.lose("i-1")
        lab.site.advance(by: .seconds(400))
        #expect(try await lab.get(host["links"]["self"].text)["state"].text == "disconnected")
        lab.site.advance(by: .seconds(400))
        #expect(try await lab.get("/v2-beta/projects/1a5/hosts")["data"].items == [])
    }
}
