import AWSClient
import HTTPTransport
import RancherSimulation
import SandboxServing
import Testing

@Suite("Rancher's API")
struct APITests {
    @Test("A schema tells what may be asked, to each as much as he may")
    func schemas() async throws {
        var lab = Lab()
        let root = try await lab.send("GET", "/v2-beta")
        #expect(root.headers["X-API-Schemas"] == "http://rancher.test:8080/v2-beta/schemas")
        let registry = try await lab.get("/v2-beta/projects/1a5/schemas/registry")
        #expect(registry["pluralName"] == "registries")
        #expect(registry["collectionMethods"] == ["GET", "POST"])
        #expect(registry["resourceMethods"] == ["GET", "PUT", "DELETE"])
        let address = registry["resourceFields"]["serverAddress"]
        #expect(address["type"] == "string" && address["required"] == true && address["update"] == false)
        #expect(address["create"] == true && address["minLength"] == 1)
        #expect(registry["resourceActions"]["deactivate"]["output"] == "registry")
        #expect(registry["collectionFilters"]["name"]["modifiers"].items.contains("like"))
        #expect(registry["collectionFilters"]["serverAddress"].isNull)
        let unscoped = try await lab.get("/v2-beta/schemas/registry")
        #expect(unscoped["collectionMethods"] == ["GET"] && unscoped["resourceMethods"] == ["GET"])
        let key = try await lab.send("POST", "/v2-beta/projects/1a5/apikeys").body
        lab.site.advance(by: .seconds(1))
        lab.key = (key["publicValue"].text, key["secretValue"].text)
        #expect(try await lab.send("GET", "/v2-beta/schemas/localauthconfig").short == "404 Not Found")
        #expect(try await lab.get("/v2-beta/schemas/project")["collectionMethods"] == ["GET"])
        let token = try await lab.make("/v2-beta/registrationtokens")
        lab.key = ("registrationToken", token["token"].text)
        let ids = try await lab.get("/v2-beta/schemas")["data"].items.map { $0["id"].text }
        #expect(ids == ["register", "schema"])
    }

    @Test("An environment is named by path, header, query, or the key itself")
    func scopes() async throws {
        var lab = Lab()
        let project = try await lab.make("/v2-beta/projects", ["name": "prod"])["id"].text
        let path = try await lab.send("POST", "/v2-beta/projects/\(project)/registrationtokens")
        #expect(path.body["links"]["self"].text.contains("/projects/\(project)/registrationtokens/"))
        let header = try await lab.send(
            "POST", "/v2-beta/registrationtokens", headers: ["X-API-Project-Id": project])
        #expect(header.short == "201 registering" && header.body["accountId"].text == project)
        #expect(!header.body["links"]["self"].text.contains("/projects/"))
        lab.site.advance(by: .seconds(1))
        let query = try await lab.get("/v1/registrationtokens?projectId=\(project)")
        #expect(query["data"].items.count == 2)
        #expect(try await lab.send("POST", "/v2-beta/registrationtokens").short == "405 Method not allowed")
        #expect(try await lab.send("GET", "/v2-beta/projects/1a99/hosts").short == "403 Forbidden")
        let key = try await lab.send("POST", "/v2-beta/apikeys", ["accountId": .string(project)]).body
        lab.site.advance(by: .seconds(1))
        lab.key = (key["publicValue"].text, key["secretValue"].text)
        #expect(try await lab.get("/v2-beta/registrationtokens")["data"].items.count == 2)
        #expect(try await lab.send("GET", "/v2-beta/projects/1a5/hosts").short == "403 Forbidden")
        #expect(try await lab.send("GET", "/v2-beta/hosts/1h99").short == "404 Not Found")
    }

    @Test("Without access control anybody is the administrator; with it, only who has a key in use")
    func accessControl() async throws {
        var lab = Lab()
        lab.key = ("nobody", "wrong")
        #expect(try await lab.send("GET", "/v2-beta/accounts").status == 200)
        let strict = try await lab.send("GET", "/v2-beta/accounts", headers: ["X-ENFORCE-AUTHENTICATION": "true"])
        #expect(strict.short == "401 Unauthorized")
        let key = try await lab.send("POST", "/v2-beta/apikeys", ["accountId": "1a1", "name": "bootstrap"]).body
        #expect(key["secretValue"].text.count == 40 && key["publicValue"].text.count == 20)
        lab.site.advance(by: .seconds(1))
        let on: JSONValue = ["username": "root", "password": "x", "enabled": true]
        #expect(try await lab.send("POST", "/v2-beta/localauthconfigs", on).status == 201)
        let refused = try await lab.send("GET", "/v2-beta/projects")
        #expect(refused.short == "401 Unauthorized")
        #expect(refused.headers["WWW-Authenticate"]?.hasPrefix("Basic realm=") == true)
        let quiet = try await lab.send("GET", "/v2-beta/projects", headers: ["X-API-No-Challenge": "true"])
        #expect(quiet.headers["WWW-Authenticate"] == nil)
        #expect(try await lab.send("GET", "/ping").body == "pong")
        lab.key = (key["publicValue"].text, key["secretValue"].text)
        let own = try await lab.get("/v2-beta/apikeys/\(key["id"].text)")
        #expect(own["secretValue"].isNull && own["state"] == "active")
        #expect(try await lab.act("deactivate", own) == "202 deactivating → ")
        #expect(try await lab.send("GET", "/v2-beta/projects").short == "401 Unauthorized")
    }

    @Test("A member sees the environment, an owner changes it, a stranger does not know it")
    func members() async throws {
        let lab = Lab()
        var people: [String: Lab] = [:]
        var members: [JSONValue] = [["externalId": "1a1", "externalIdType": "rancher_id", "role": "owner"]]
        for name in ["owner", "member", "readonly", "stranger"] {
            let account = try await lab.make("/v2-beta/accounts", ["kind": "user", "name": .string(name)])
            let key = try await lab.send("POST", "/v2-beta/apikeys", ["accountId": account["id"]]).body
            var person = lab
            person.key = (key["publicValue"].text, key["secretValue"].text)
            people[name] = person
            if name != "stranger" {
                members.append(
                    ["externalId": account["id"], "externalIdType": "rancher_id", "role": .string(name)])
            }
        }
        let project = try await lab.make("/v2-beta/projects", ["name": "p", "members": .array(members)])
        let own = project["links"]["self"].text
        func asks(_ name: String, _ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> String {
            try await #require(people[name]).send(method, path, body).short
        }
        #expect(try await asks("member", "GET", own) == "200 active")
        #expect(try await asks("stranger", "GET", own) == "404 Not Found")
        #expect(try await asks("member", "PUT", own, ["name": "q"]) == "403 Forbidden")
        #expect(try await asks("member", "DELETE", own) == "403 Forbidden")
        #expect(try await asks("owner", "PUT", own, ["name": "q"]) == "200 updating-active")
        #expect(try await asks("member", "POST", own + "/registrationtokens") == "201 registering")
        #expect(try await asks("readonly", "POST", own + "/stacks", ["name": "a"]) == "405 Method not allowed")
        #expect(try await asks("stranger", "GET", own + "/stacks") == "403 Forbidden")
    }

    @Test("One object has two faces: a stack is an environment in v1")
    func faces() async throws {
        let lab = Lab()
        let stack = try await lab.make(
            "/v2-beta/projects/1a5/stacks", ["name": "web", "dockerCompose": "a:\n  image: b\n"])
        #expect(stack["id"] == "1st1" && stack["type"] == "stack")
        lab.site.advance(by: .seconds(1))
        let old = try await lab.get("/v1/projects/1a5/environments/1e1")
        #expect(old["type"] == "environment" && old["baseType"] == "environment" && old["name"] == "web")
        let service = try await lab.get("/v1/projects/1a5/services?environmentId=1e1")["data"].items.first ?? .null
        #expect(service["environmentId"] == "1e1" && service["stackId"].isNull)
        #expect(try await lab.send("GET", "/v1/projects/1a5/stacks").short == "404 Not Found")
        #expect(try await lab.send("GET", "/V1/projects/1a5/environments").status == 200)
        #expect(try await lab.send("GET", "/v2-beta/project/1a5/STACK/1ST1").status == 200)
    }

    @Test("Removed objects leave lists at once, before 1.2 after five minutes")
    func removedInLists() async throws {
        for (version, api, count) in [(ServerVersion(1, 6, 30), "v2-beta", 0), (ServerVersion(1, 1, 4), "v1", 1)] {
            let lab = Lab(version)
            let registry = try await lab.make("/\(api)/projects/1a5/registries", ["serverAddress": "quay.io"])
            _ = try await lab.act("deactivate", registry)
            _ = try await lab.act("remove", registry)
            #expect(try await lab.get("/\(api)/projects/1a5/registries")["data"].items.count == count)
            lab.site.advance(by: .seconds(301))
            #expect(try await lab.get("/\(api)/projects/1a5/registries")["data"].items == [])
            let shown = try await lab.get("/\(api)/projects/1a5/registries?removed_notnull=")["data"].items
            #expect(shown.count == 1)
        }
    }

    @Test("Links use what a proxy says of itself, and no garbage")
    func forwarded() async throws {
        let lab = Lab()
        func link(_ headers: HTTPHeaders) async throws -> String {
            try await lab.send("GET", "/v2-beta/projects", headers: headers).body["links"]["self"].text
        }
        #expect(try await link([:]) == "http://rancher.test:8080/v2-beta/projects")
        let proxy: HTTPHeaders = ["X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"]
        #expect(try await link(proxy) == "https://rancher.test/v2-beta/projects")
        let garbage: HTTPHeaders = ["X-Forwarded-Proto": "gopher", "X-Forwarded-Port": "x", "X-Forwarded-Host": "a b"]
        #expect(try await link(garbage) == "http://rancher.test:8080/v2-beta/projects")
    }

    @Test("A login gives a token for sixteen hours")
    func login() async throws {
        let lab = Lab()
        #expect(try await lab.send("POST", "/v1/token", ["code": "root:x"]).short == "500 NoAuthProvider")
        _ = try await lab.send(
            "POST", "/v1/localauthconfigs", ["username": "root", "password": "x", "enabled": true])
        #expect(try await lab.send("POST", "/v1/token", ["code": "root:y"]).short == "401 Unauthorized")
        let token = try await lab.send("POST", "/v1/token", ["code": "root:x"]).body["jwt"].text
        let bearer: HTTPHeaders = ["Authorization": "Bearer \(token)"]
        #expect(try await lab.send("GET", "/v1/accounts", headers: bearer).status == 200)
        lab.site.advance(by: .seconds(17 * 3_600))
        #expect(try await lab.send("GET", "/v1/accounts", headers: bearer).status == 401)
    }

    @Test("Faults lose answers, break connections and pretend to be a proxy, and the journal says so")
    func faults() async throws {
        let lab = Lab()
        lab.site.order(Fault(.reset, when: .after, method: "POST", path: "*/apikeys"))
        await #expect(throws: HTTPError.self) { try await lab.send("POST", "/v2-beta/projects/1a5/apikeys") }
        #expect(try await lab.get("/v2-beta/projects/1a5/apikeys")["data"].items.count == 1)
        lab.site.order(Fault(.reset, method: "POST", path: "*/apikeys"))
        await #expect(throws: HTTPError.self) { try await lab.send("POST", "/v2-beta/projects/1a5/apikeys") }
        #expect(try await lab.get("/v2-beta/projects/1a5/apikeys")["data"].items.count == 1)
        lab.site.order(Fault(.page, path: "/v2-beta*", times: nil), Fault(.error, path: "/v1*", status: 500, code: "X"))
        #expect(try await lab.send("GET", "/v2-beta").body.text.hasPrefix("<html>"))
        #expect(try await lab.send("GET", "/v2-beta").status == 502)
        #expect(try await lab.send("GET", "/v1").short == "500 X")
        #expect(try await lab.send("GET", "/v1").status == 200)
        lab.site.cancelFaults()
        #expect(try await lab.send("GET", "/v2-beta").status == 200)
        let seen = lab.site.journal.prefix(3).map { "\($0.method) \($0.status) \($0.isAnswered) \($0.fault ?? "-")" }
        #expect(seen == ["POST 201 false reset connection", "GET 200 true -", "POST 0 false reset connection"])
    }

    @Test("The same requests give the same ids and keys after a reset, whatever happened in between")
    func reset() async throws {
        let lab = Lab()
        func keys() async throws -> [String] {
            let project = try await lab.make("/v2-beta/projects", ["name": "p"])
            let key = try await lab.make("/v2-beta/apikeys", ["accountId": project["id"]])
            return [project["id"].text, project["uuid"].text, key["publicValue"].text]
        }
        let first = try await keys()
        lab.site.advance(by: .seconds(86_400))
        lab.site.reset()
        #expect(try await keys() == first)
    }

    @Test(
        "What is wrong with a certificate's bytes is told, and never ends the server",
        arguments: ["", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "AAAA"])
    func brokenCertificates(_ text: String) async throws {
        let lab = Lab()
        let body: JSONValue = ["name": "a", "cert": .string(text), "key": "-----BEGIN PRIVATE KEY-----"]
        let short = try await lab.send("POST", "/v2-beta/projects/1a5/certificates", body).short
        #expect(short == "422 InvalidFormat cert")
    }
}
