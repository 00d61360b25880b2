// Spot's Elastigroup API for AWS in memory: groups, their instances, scaling, rolls. `SpotSimulation.swift` ties it to a
// simulated Rancher, as the service's Rancher integration does.
//
// A group's definition is kept as it was sent, with the server's presets. Capacity follows in the background: an instance is
// `pending` for a while, then `running`. There is no instance in EC2; ids are made up.

package import AWSClient
package import HTTPTransport
package import SandboxServing

/// The service: a pure state machine of requests and time.
package struct SpotServer: SimulatedService {
    package struct Configuration: Sendable {
        package var token = "sandbox-spot-token"
        package var account = "act-5a4db0b0"
        /// Milliseconds from a launch to `running`.
        package var delay: Int64 = 1_000
        package var seed: UInt64 = 7

        package init() {}
    }

    /// What happens outside the service.
    package enum Effect: Sendable, Equatable {
        /// An instance runs with this user data, in base64.
        case started(instance: String, address: String, userData: String?)
        /// An instance is drained and ended: its host leaves Rancher, if the group has the integration.
        case ended(instance: String, rancher: RancherAccess?)
    }

    /// How the service reaches Rancher.
    package struct RancherAccess: Sendable, Equatable {
        package var masterHost: String
        package var accessKey: String
        package var secretKey: String
    }

    struct Instance: Sendable {
        var id: String
        var request: String
        var type: String
        var zone: String
        var address: String
        var created: Int64
        var isRunning = false
    }

    struct Roll: Sendable {
        var id: String
        var old: [String]
        var batch: Int
        var status: String
        var created: Int64
        var total: Int
    }

    struct Group: Sendable {
        var id: String
        var definition: JSONValue
        var created: Int64
        var updated: Int64
        var instances: [Instance] = []
        var rolls: [Roll] = []
        var suspended: [String] = []
        var events: [(time: Int64, message: String)] = []
    }

    let configuration: Configuration
    var groups: [Group] = []
    var random: SeededRandom
    private(set) var now: Int64 = 0
    /// What has happened since somebody looked last.
    var effects: [Effect] = []

    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        random = SeededRandom(seed: configuration.seed)
    }

    package mutating func reset(at now: Int64) {
        self = SpotServer(configuration)
        self.now = now
    }

    package mutating func takeEffects() -> [Effect] {
        defer { effects = [] }
        return effects
    }

    // MARK: - Time

    package mutating func advance(to now: Int64) {
        self.now = max(self.now, now)
        for index in groups.indices {
            start(inGroup: index)
            continueRolls(ofGroup: index)
        }
    }

    private mutating func start(inGroup index: Int) {
        let userData = groups[index].definition["compute"]["launchSpecification"]["userData"].string
        for position in groups[index].instances.indices {
            let instance = groups[index].instances[position]
            guard !instance.isRunning, now - instance.created >= configuration.delay else { continue }
            groups[index].instances[position].isRunning = true
            effects.append(.started(instance: instance.id, address: instance.address, userData: userData))
        }
    }

    /// Replaces the next batch once the one before runs.
    private mutating func continueRolls(ofGroup index: Int) {
        guard let position = groups[index].rolls.firstIndex(where: { $0.status == "IN_PROGRESS" }),
            groups[index].instances.allSatisfy(\.isRunning)
        else { return }
        let batch = Array(groups[index].rolls[position].old.prefix(groups[index].rolls[position].batch))
        groups[index].rolls[position].old.removeFirst(batch.count)
        if batch.isEmpty {
            groups[index].rolls[position].status = "FINISHED"
            return
        }
        end(batch, inGroup: index)
        launch(batch.count, inGroup: index)
    }

    // MARK: - Capacity

    func target(of group: Group) -> Int { group.definition["capacity"]["target"].integer ?? 0 }

    mutating func approachTarget(ofGroup index: Int) {
        let missing = target(of: groups[index]) - groups[index].instances.count
        if missing > 0 { launch(missing, inGroup: index) }
        if missing < 0 { end(groups[index].instances.suffix(-missing).map(\.id), inGroup: index) }
    }

    mutating func launch(_ count: Int, inGroup index: Int) {
        let compute = groups[index].definition["compute"]
        let types = compute["instanceTypes"]["spot"].items.map(\.text)
        let zones = compute["availabilityZones"].items.map { $0["name"].text }
        for _ in 0..<count {
            let number = groups[index].instances.count
            let id = "i-" + random.text(17, from: "0123456789abcdef")
            groups[index].instances.append(
                Instance(
                    id: id, request: "sir-" + random.text(8, from: "0123456789abcdef"),
                    type: types.isEmpty ? compute["instanceTypes"]["ondemand"].text : types[number % types.count],
                    zone: zones.isEmpty ? "us-east-1a" : zones[number % zones.count],
                    address:
                        "10.9.\(Int.random(in: 0...255, using: &random)).\(Int.random(in: 4...250, using: &random))",
                    created: now))
            groups[index].events.append((now, "Instance \(id) launched"))
        }
    }

    mutating func end(_ ids: [String], inGroup index: Int) {
        let access = rancher(of: groups[index])
        for id in ids where groups[index].instances.contains(where: { $0.id == id }) {
            groups[index].instances.removeAll { $0.id == id }
            groups[index].events.append((now, "Instance \(id) terminated"))
            effects.append(.ended(instance: id, rancher: access))
        }
    }

    private func rancher(of group: Group) -> RancherAccess? {
        let rancher = group.definition["thirdPartiesIntegration"]["rancher"]
        guard let host = rancher["masterHost"].string, let access = rancher["accessKey"].string,
            let secret = rancher["secretKey"].string
        else { return nil }
        return RancherAccess(masterHost: host, accessKey: access, secretKey: secret)
    }

    // MARK: - SimulatedService

    package mutating func control(_ command: ControlRequest, at now: Int64) -> ControlAnswer? {
        switch (command.method, command.path) {
        case ("GET", "instances"):
            return ControlAnswer(
                .array(
                    groups.flatMap { group in
                        group.instances.map { instance -> JSONValue in
                            [
                                "group": .string(group.id), "instanceId": .string(instance.id),
                                "running": .boolean(instance.isRunning),
                            ]
                        }
                    }))
        default: return nil
        }
    }

    package func failure(status: Int, code: String) -> HTTPResponse {
        SpotFailure(status, code, code).response(id: "00000000", url: "", method: "", time: now)
    }

    package func summary(of request: HTTPRequest) -> [JSONValue.Member] {
        let path = request.url.split(separator: "?").first ?? ""
        let parts = path.split(separator: "/").map(String.init)
        let group = parts.first { $0.hasPrefix("sig-") }
        return [.init("group", .optional(group)), .init("operation", .optional(parts.last))]
    }
}
