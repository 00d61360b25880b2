import AWSClient
package import SandboxServing
import TextEncodings

// What a test tells the simulator by HTTP: machines join, are lost, come back.

extension RancherServer {
    package mutating func control(_ command: ControlRequest, at now: Int64) -> ControlAnswer? {
        switch (command.method, command.path) {
        case ("POST", "hosts"): return joinAnswer(command.body)
        case ("POST", "agents"): return connectAnswer(command.body)
        case ("POST", "hosts/lost"), ("POST", "hosts/found"):
            guard let machine = command.body["machine"].string else {
                return .refused("want {\"machine\": an instance id, a host name or a host id}")
            }
            let count = command.path == "hosts/lost" ? lose(machine) : find(machine)
            guard count > 0 else { return .refused("no host is \(machine)") }
            return ControlAnswer(["hosts": .integer(Int64(count))])
        case ("GET", "hosts"): return ControlAnswer(.array(living(.host).map { summary($0) }))
        default: return nil
        }
    }

    private func summary(_ host: Entity) -> JSONValue {
        [
            "id": .string(host.id.text()), "project": .optional(host.owner.map { ObjectID(.account, $0).text() }),
            "hostname": host["hostname"], "instanceId": host["instanceId"], "state": .string(host.state),
            "agentState": .optional(target(host["agentId"], .agent)?.state), "labels": host["labels"],
            "evacuations": .integer(Int64(host["evacuations"].integer ?? 0)),
        ]
    }

    private mutating func joinAnswer(_ body: JSONValue) -> ControlAnswer {
        guard let machine = machine(body, needsRegistration: true) else {
            return .refused("want registrationUrl and hostname")
        }
        do throws(JoinRefused) {
            return ControlAnswer(["id": .string(try join(machine))], status: 201)
        } catch {
            return ControlAnswer(["error": .string(error.description)], status: 401)
        }
    }

    /// The lasting agent of a machine that registered through the API.
    private mutating func connectAnswer(_ body: JSONValue) -> ControlAnswer {
        guard let machine = machine(body, needsRegistration: false), let access = body["accessKey"].string,
            let secret = body["secretKey"].string
        else { return .refused("want accessKey, secretKey and hostname") }
        do throws(JoinRefused) {
            let id = try connect(accessKey: access, secretKey: secret, machine)
            return ControlAnswer(["id": .string(id)], status: 201)
        } catch {
            return ControlAnswer(["error": .string(error.description)], status: 401)
        }
    }

    private func machine(_ body: JSONValue, needsRegistration: Bool) -> AgentMachine? {
        guard let hostname = body["hostname"].string, !hostname.isEmpty else { return nil }
        let registration = body["registrationUrl"].string ?? body["token"].string
        if needsRegistration, registration == nil { return nil }
        var machine = AgentMachine(registration: registration ?? "", hostname: hostname)
        machine.address = body["agentIp"].string ?? "10.0.0.1"
        machine.labels = body["labels"].string.map { Self.labels($0) } ?? body["labels"].dictionary.mapValues(\.text)
        machine.instanceID = body["instanceId"].string
        machine.registrationKey = body["registrationKey"].string
        machine.physicalHostUUID = body["physicalHostUuid"].string
        machine.dockerUUID = body["dockerUuid"].string
        return machine
    }

    /// `CATTLE_HOST_LABELS`: a query string; the first of a repeated key counts.
    package static func labels(_ text: String) -> [String: String] {
        var labels: [String: String] = [:]
        for item in text.split(separator: "&") {
            let name = item.prefix { $0 != "=" }
            let value = PercentEncoding.decodedText(
                String(item.dropFirst(name.count).dropFirst().map { $0 == "+" ? " " : $0 }))
            let key = trimmed(PercentEncoding.decodedText(String(name)))
            if !key.isEmpty, labels[key] == nil { labels[key] = trimmed(value) }
        }
        return labels
    }

    private static func trimmed(_ text: String) -> String {
        var rest = text.drop(while: \.isWhitespace)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
