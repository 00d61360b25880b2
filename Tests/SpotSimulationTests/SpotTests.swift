import AWSClient
import HTTPTransport
import RancherSimulation
import SandboxServing
import SpotSimulation
import Testing
import TextEncodings

@Suite("Spot")
struct SpotTests {
    /// Spot beside a Rancher, and a person with a keyboard.
    struct Lab {
        let platform = SpotPlatform(rancher: RancherSite(RancherServer.Configuration()))
        static let rancherOrigin = "http://rancher.test:8080"

        func send(
            _ method: String, _ path: String, _ body: JSONValue? = nil, token: String = "sandbox-spot-token"
        ) async throws -> (status: Int, response: JSONValue) {
            let answer = try await platform.spot.send(
                HTTPRequest(
                    method: method, url: "https://api.spotinst.io/aws/ec2/group\(path)",
                    headers: ["Authorization": "Bearer \(token)"], body: body?.text() ?? []))
            return (answer.status, try JSONValue(parsing: answer.body)["response"])
        }

        func error(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> String {
            let (status, response) = try await send(method, path, body)
            let error = response["errors"].items.first ?? .null
            return [String(status), error["code"].text, error["field"].text].filter { !$0.isEmpty }
                .joined(separator: " ")
        }

        func create(_ group: JSONValue) async throws -> String {
            let (_, response) = try await send("POST", "?accountId=act-5a4db0b0", ["group": group])
            return response["items"].items.first?["id"].text ?? ""
        }

        func instances(_ id: String) async throws -> [JSONValue] {
            try await send("GET", "/\(id)/status").response["items"].items
        }

        func rancher(_ method: String, _ path: String, _ body: JSONValue = [:]) async throws -> JSONValue {
            let answer = try await platform.rancher.send(
                HTTPRequest(
                    method: method, url: Self.rancherOrigin + path, body: method == "GET" ? [] : body.text()))
            return try JSONValue(parsing: answer.body)
        }

        /// A group whose instances join Rancher's environment 1a5, and which knows a key of it.
        func joiningGroup(target: Int) async throws -> JSONValue {
            let key = try await rancher("POST", "/v2-beta/projects/1a5/apikeys")
            let made = try await rancher("POST", "/v2-beta/projects/1a5/registrationtokens")
            platform.advance(by: .seconds(1))
            let token = try await rancher("GET", "/v2-beta/projects/1a5/registrationtokens/\(made["id"].text)")
            let script = """
                #!/bin/bash
                ID=$(curl -s http://169.254.169.254/latest/meta-data/instance-id)
                docker run --rm --privileged -e CATTLE_HOST_LABELS="role=spot&spotinst.instanceId=$ID" \
                rancher/agent:v1.2.11 \(token["registrationUrl"].text)
                """
            var group = SpotTests.group(target: target)
            group = SpotTests.setting(
                group, ["compute", "launchSpecification", "userData"], .string(Base64.encode(Array(script.utf8))))
            return SpotTests.setting(
                group, ["thirdPartiesIntegration"],
                [
                    "rancher": [
                        "masterHost": .string("\(Self.rancherOrigin)/v1"), "accessKey": key["publicValue"],
                        "secretKey": key["secretValue"], "version": "1",
                    ]
                ])
        }
    }

    static func group(target: Int) -> JSONValue {
        [
            "name": "workers",
            "capacity": ["minimum": 0, "maximum": 4, "target": .integer(Int64(target))],
            "strategy": ["risk": 100],
            "compute": [
                "product": "Linux/UNIX", "instanceTypes": ["ondemand": "m4.large", "spot": ["m4.large", "m3.large"]],
                "availabilityZones": [["name": "us-east-1a", "subnetIds": ["subnet-1"]]],
                "launchSpecification": ["imageId": "ami-1", "securityGroupIds": ["sg-1"]],
            ],
        ]
    }

    static func setting(_ value: JSONValue, _ path: [String], _ new: JSONValue) -> JSONValue {
        guard let name = path.first else { return new }
        let inner = setting(value[name], Array(path.dropFirst()), new)
        return .object(value.members.filter { $0.name != name } + [.init(name, inner)])
    }

    @Test("A group is made, filled in the background, changed leaf by leaf, scaled and deleted")
    func life() async throws {
        let lab = Lab()
        let id = try await lab.create(Self.group(target: 2))
        #expect(id.hasPrefix("sig-"))
        #expect(try await lab.instances(id).map { $0["status"].text } == ["pending", "pending"])
        lab.platform.advance(by: .seconds(2))
        #expect(try await lab.instances(id).map { $0["status"].text } == ["fulfilled", "fulfilled"])
        let changed = try await lab.send(
            "PUT", "/\(id)", ["group": ["description": "x", "strategy": ["risk": .null, "onDemandCount": 1]]])
        let group = changed.response["items"].items.first ?? .null
        #expect(changed.status == 200)
        #expect(group["strategy"]["risk"].isNull && group["strategy"]["onDemandCount"] == 1)
        #expect(group["strategy"]["availabilityVsCost"] == "balanced" && group["description"] == "x")
        _ = try await lab.send("PUT", "/\(id)/scale/up?adjustment=9")
        #expect(try await lab.instances(id).count == 4)
        _ = try await lab.send("PUT", "/\(id)/scale/down?adjustment=3")
        #expect(try await lab.instances(id).count == 1)
        #expect(try await lab.send("DELETE", "/\(id)").status == 200)
        #expect(try await lab.error("GET", "/\(id)") == "400 GROUP_DOESNT_EXIST")
        #expect(try await lab.send("GET", "").response["count"] == 0)
    }

    @Test("What is wrong is named with its field")
    func errors() async throws {
        let lab = Lab()
        func refused(_ path: [String], _ value: JSONValue) async throws -> String {
            try await lab.error("POST", "", ["group": Self.setting(Self.group(target: 1), path, value)])
        }
        #expect(try await refused(["name"], "") == "400 VALIDATION_ERROR group.name")
        #expect(try await refused(["capacity", "target"], 9) == "400 VALIDATION_ERROR group.capacity.target")
        #expect(try await refused(["strategy", "onDemandCount"], 1) == "400 VALIDATION_ERROR group.strategy")
        #expect(try await refused(["strategy", "risk"], 101) == "400 VALIDATION_ERROR group.strategy.risk")
        #expect(try await refused(["colour"], "red") == "400 VALIDATION_ERROR group.colour")
        #expect(
            try await refused(["compute", "launchSpecification", "userData"], "~")
                == "400 VALIDATION_ERROR group.compute.launchSpecification.userData")
        #expect(
            try await refused(["thirdPartiesIntegration"], ["rancher": ["masterHost": "http://a"]])
                == "400 VALIDATION_ERROR group.thirdPartiesIntegration.rancher.accessKey")
        #expect(try await lab.send("GET", "", token: "wrong").status == 401)
        #expect(try await lab.send("GET", "?accountId=act-other").status == 401)
        #expect(try await lab.error("GET", "/sig-none") == "400 GROUP_DOESNT_EXIST")
    }

    @Test("Instances join Rancher by their user data, and leave it in order when the group shrinks")
    func rancher() async throws {
        let lab = Lab()
        let id = try await lab.create(try await lab.joiningGroup(target: 3))
        lab.platform.advance(by: .seconds(4))
        func hosts() async throws -> [JSONValue] {
            try await lab.rancher("GET", "/v2-beta/projects/1a5/hosts")["data"].items
        }
        let joined = try await hosts()
        #expect(joined.map { $0["state"].text } == ["active", "active", "active"])
        #expect(joined.allSatisfy { $0["labels"]["role"] == "spot" })
        let labels = Set(joined.map { $0["labels"]["spotinst.instanceId"].text })
        #expect(labels == Set(try await lab.instances(id).map { $0["instanceId"].text }))
        lab.platform.rancher.resetJournal()
        _ = try await lab.send("PUT", "/\(id)/scale/down?adjustment=1")
        lab.platform.advance(by: .seconds(10))
        #expect(try await hosts().count == 2)
        let calls = lab.platform.rancher.journal.filter { $0.userAgent == "spotinst" && $0.method != "GET" }
        #expect(calls.map(\.status) == [202, 200, 202])
        #expect(
            calls.map { "\($0.method) \($0.path.split(separator: "?").last ?? "")" } == [
                "POST action=deactivate", "DELETE /v1/hosts/\(joined[2]["id"].text)", "POST action=purge",
            ])
    }

    @Test("Without the label, or with a wrong key, the host stays as a phantom")
    func phantom() async throws {
        let lab = Lab()
        let group = Self.setting(
            try await lab.joiningGroup(target: 1), ["thirdPartiesIntegration", "rancher", "secretKey"], "wrong")
        let id = try await lab.create(group)
        lab.platform.advance(by: .seconds(4))
        _ = try await lab.send("DELETE", "/\(id)")
        lab.platform.advance(by: .seconds(300))
        let hosts = try await lab.rancher("GET", "/v2-beta/projects/1a5/hosts")["data"].items
        #expect(hosts.map { $0["state"].text } == ["disconnected"])
    }

    @Test("A roll replaces every instance, batch by batch")
    func roll() async throws {
        let lab = Lab()
        let id = try await lab.create(Self.group(target: 4))
        lab.platform.advance(by: .seconds(2))
        let before = Set(try await lab.instances(id).map { $0["instanceId"].text })
        let (_, response) = try await lab.send("PUT", "/\(id)/roll", ["batchSizePercentage": 50, "gracePeriod": 60])
        let roll = response["items"].items.first?["id"].text ?? ""
        lab.platform.advance(by: .seconds(1))
        let half = Set(try await lab.instances(id).map { $0["instanceId"].text })
        #expect(half.intersection(before).count == 2)
        lab.platform.advance(by: .seconds(10))
        #expect(Set(try await lab.instances(id).map { $0["instanceId"].text }).isDisjoint(with: before))
        let state = try await lab.send("GET", "/\(id)/roll/\(roll)").response["items"].items.first ?? .null
        #expect(state["status"] == "FINISHED")
    }
}
