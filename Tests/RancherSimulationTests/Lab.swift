import AWSClient
import HTTPTransport
import RancherSimulation
import SandboxServing
import TextEncodings

/// A simulated server and a person with a keyboard.
struct Lab {
    static let origin = "http://rancher.test:8080"

    let site: RancherSite
    var key: (access: String, secret: String)?

    init(
        _ version: ServerVersion = ServerVersion(1, 6, 30),
        _ change: (inout RancherServer.Configuration) -> Void = { _ in }
    ) {
        var configuration = RancherServer.Configuration()
        configuration.version = version
        change(&configuration)
        site = RancherSite(configuration)
    }

    struct Answer {
        var status: Int
        var body: JSONValue
        var headers: HTTPHeaders

        /// `422 NotUnique name`, or the state.
        var short: String {
            guard status >= 400 else { return "\(status) \(body["state"].text)" }
            return [String(status), body["code"].text, body["fieldName"].text].filter { !$0.isEmpty }
                .joined(separator: " ")
        }
    }

    func send(
        _ method: String, _ path: String, _ body: JSONValue? = nil, headers: HTTPHeaders = [:]
    ) async throws -> Answer {
        var headers = headers
        if let key, headers["Authorization"] == nil {
            headers["Authorization"] = "Basic " + Base64.encode(Array("\(key.access):\(key.secret)".utf8))
        }
        let url = path.hasPrefix("http") ? path : Self.origin + path
        let response = try await site.send(
            HTTPRequest(method: method, url: url, headers: headers, body: body?.text() ?? []))
        let value = (try? JSONValue(parsing: response.body)) ?? .string(String(decoding: response.body, as: UTF8.self))
        return Answer(status: response.status, body: value, headers: response.headers)
    }

    func get(_ path: String) async throws -> JSONValue { try await send("GET", path).body }

    /// Creates, and waits until nothing more happens to it.
    func make(_ path: String, _ body: JSONValue = [:]) async throws -> JSONValue {
        let made = try await send("POST", path, body)
        guard made.status == 201 else { return made.body }
        return try await settled(made.body["links"]["self"].text)
    }

    func settled(_ url: String) async throws -> JSONValue {
        for _ in 0..<20 {
            let object = try await get(url)
            if object["transitioning"].text != "yes" { return object }
            site.advance(by: .milliseconds(100))
        }
        return try await get(url)
    }

    /// Asks for an action and says what came of it at once, and in the end.
    func act(_ action: String, _ object: JSONValue, _ body: JSONValue? = nil) async throws -> String {
        let own = object["links"]["self"].text
        let answer = try await send("POST", "\(own)/?action=\(action)", body)
        guard answer.status < 400 else { return answer.short }
        return "\(answer.short) → \(try await settled(own)["state"].text)"
    }

    /// A host in an environment.
    func host(_ instance: String = "i-1", in project: String = "1a5", labels: [String: String] = [:]) async throws
        -> JSONValue
    {
        let token = try await make("/v2-beta/projects/\(project)/registrationtokens")
        let id = try site.join(
            AgentMachine(
                registration: token["registrationUrl"].text, hostname: "host-\(instance)", labels: labels,
                instanceID: instance))
        return try await settled("\(Self.origin)/v2-beta/projects/\(project)/hosts/\(id)")
    }
}

extension JSONValue {
    var names: [String] { members.map(\.name) }
}
