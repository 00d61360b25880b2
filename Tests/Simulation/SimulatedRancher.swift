import AWSClient
import HTTPTransport
import RancherSimulation
import SandboxServing
import TextEncodings

/// A Rancher server on the clock of a world: the one of the sandbox, in process.
///
/// One database answers for it, so that nothing is seen late; requests may arrive late all the same.
final class SimulatedRancher: @unchecked Sendable {
    /// It answers to both.
    static let addresses = ["http://rancher.test:8080", "http://rancher.test"]
    static let key = RancherServer.Configuration.Key.sandbox

    private let timeline: Timeline
    private var server: RancherServer
    /// What muster's requests made, gone or not.
    private(set) var made: Set<String> = []
    /// Every change that was made, for the story of a failure.
    private(set) var log: [String] = []
    /// Texts that the server shows once, or to those who have them anyway.
    private(set) var shown: Set<String> = []
    /// Creations of what was there already: their marks say so.
    private(set) var repeats: [String] = []
    private(set) var callCount = 0

    /// - Parameter making: seconds that things take in this world; processes take a tenth of it.
    init(_ timeline: Timeline, seed: UInt64, making: Int) {
        self.timeline = timeline
        var configuration = RancherServer.Configuration()
        configuration.seed = seed
        configuration.delay = 200 + Int64(making) * 100
        configuration.purgeWait = 60_000
        server = RancherServer(configuration)
    }

    private var now: Int64 { 1_767_268_800_000 + Int64(timeline.now.inSeconds * 1_000) }

    // MARK: - Looking

    /// What is there now.
    var items: [RancherItem] {
        server.advance(to: now)
        return server.items
    }

    func isMade(_ item: RancherItem) -> Bool { made.contains(item.key) }

    /// Whether a text lets hosts in by this token.
    func isRegistration(_ text: String, of id: String) -> Bool {
        guard let token = text.split(separator: "/").last else { return false }
        return server.registrationTokenID(String(token)) == id
    }

    // MARK: - Requests

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        callCount += 1
        let before = request.method == "POST" ? items : []
        noteRepeat(request)
        let response = server.answer(request, from: "10.0.0.9", at: now)
        if request.method != "GET", response.status < 400 {
            log.append("\(timeline.now.inSeconds) s: \(request.method) \(request.path): \(response.status)")
        }
        if request.method == "POST", response.status == 201 { note(response, before) }
        return response
    }

    /// A setting that is given the value that it has.
    private func noteRepeat(_ request: HTTPRequest) {
        guard request.method == "PUT", request.path.contains("/settings/"),
            let name = request.path.split(separator: "/").last,
            let value = (try? JSONValue(parsing: request.body))?["value"].string,
            items.contains(where: { $0.key == "setting \(name)" && $0.fields["value"]?.string == value })
        else { return }
        repeats.append("setting \(name)")
    }

    private func note(_ response: HTTPResponse, _ before: [RancherItem]) {
        guard let body = try? JSONValue(parsing: response.body), let id = body["id"].string,
            let item = server.items.first(where: { $0.id == id && $0.type == body["type"].string })
        else { return }
        made.insert(item.key)
        for secret in ["secretValue", "value"] {
            // A setting's value is no secret.
            if let text = item.fields[secret]?.string, item.type != "setting" { shown.insert(text) }
        }
        if let mark = item.mark, before.contains(where: { $0.mark == mark && $0.type == item.type }) {
            repeats.append(item.key)
        }
    }

    func refusal(status: Int, code: String) -> HTTPResponse { server.failure(status: status, code: code) }

    // MARK: - Others

    /// What somebody else does with a browser, in no time; null when it is refused.
    @discardableResult
    func person(_ method: String, _ path: String, _ body: JSONValue? = nil) -> JSONValue {
        let key = SimulatedRancher.key
        var request = HTTPRequest(
            method: method, url: "\(SimulatedRancher.addresses[0])/v2-beta/\(path)",
            headers: [
                "Authorization": "Basic " + Base64.encode(Array("\(key.access):\(key.secret)".utf8))
            ])
        if let body { request.body = body.text() }
        let response = server.answer(request, from: "10.0.0.1", at: now)
        guard response.status < 400 else { return .null }
        log.append("\(timeline.now.inSeconds) s: foreign \(method) \(path): \(response.status)")
        return (try? JSONValue(parsing: response.body)) ?? .null
    }

    /// Somebody removes a thing, step by step as Rancher wants it.
    func removeByHand(_ item: RancherItem) async {
        let place = item.collection
        for _ in 0..<6 where items.contains(where: { $0.key == item.key }) {
            if !person("DELETE", "\(place)/\(item.id)").isNull { break }
            if person("POST", "\(place)/\(item.id)/?action=remove", [:]).isNull {
                person("POST", "\(place)/\(item.id)/?action=deactivate", [:])
            }
            try? await timeline.sleep(for: .seconds(5))
        }
        try? await timeline.sleep(for: .seconds(5))
    }
}

extension RancherItem {
    /// Ids of two types may be the same text.
    var key: String { "\(type) \(id)" }

    /// The intent that its description carries.
    var mark: String? {
        guard let details, details.hasSuffix("]"), let start = details.firstRange(of: "[muster:intent=") else {
            return nil
        }
        return String(details[start.upperBound...].dropLast())
    }

    /// Where requests find it.
    var collection: String {
        let plural = type == "registry" ? "registries" : "\(type)s"
        return environment.map { "projects/\($0)/\(plural)" } ?? plural
    }
}

extension HTTPRequest {
    /// What follows the host, without its query.
    var path: String {
        let rest = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).last ?? ""
        return String(rest.drop { $0 != "/" }.prefix { $0 != "?" })
    }
}

extension JSONValue {
    var isNull: Bool { if case .null = self { true } else { false } }
}
