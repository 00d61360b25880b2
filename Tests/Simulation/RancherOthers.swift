import AWSClient
import MusterModel
import RancherSimulation
import SandboxServing

/// What others do on the Rancher server, and what must stay as they made it.
final class RancherOthers: @unchecked Sendable {
    private let rancher: SimulatedRancher
    private let cloud: SimulatedAWS
    private let timeline: Timeline
    private var bystanders: [RancherItem] = []
    /// What took a name that a spec wants.
    private var claims: [RancherItem] = []
    private var count = 0
    /// Whether somebody took away what muster made. What a key that others removed kept somewhere is of no use to anybody,
    /// and stays: no plan would say that it goes.
    private(set) var haveDeleted = false

    init(_ rancher: SimulatedRancher, _ cloud: SimulatedAWS, _ timeline: Timeline) {
        self.rancher = rancher
        self.cloud = cloud
        self.timeline = timeline
    }

    /// - Parameter keys: what the state knows.
    func perform(_ edit: ForeignEdit, _ spec: Spec, _ keys: [Address: String]) async {
        func item(_ address: Address) -> RancherItem? {
            rancher.items.first { $0.key == keys[address] }
        }
        switch edit {
        case .retag(let address): if let item = item(address) { change(item) }
        case .delete(let address): if let item = item(address) { await delete(item) }
        case .addChild(let address): if let item = item(address) { await addNeighbour(item) }
        case .bystanders: await addBystanders()
        case .claim(let address):
            if keys[address] == nil, let resource = spec.resources.first(where: { $0.address == address }) {
                await claim(resource, keys)
            }
        }
    }

    // MARK: - What is ours

    /// A person writes over what the spec says, and over the mark.
    private func change(_ item: RancherItem) {
        count += 1
        let path = "\(item.collection)/\(item.id)"
        switch item.type {
        case "setting": rancher.person("PUT", path, ["value": .string("foreign \(count)")])
        case "project", "apiKey", "registry", "account", "registryCredential":
            rancher.person("PUT", path, ["name": .string("foreign \(count)"), "description": "foreign"])
        case "certificate":
            rancher.person("PUT", path, ["description": "foreign", "cert": item.fields["cert"] ?? .null])
        case "service": rancher.person("PUT", path, ["scale": 7, "description": "foreign"])
        case "stack", "secret": rancher.person("PUT", path, ["description": "foreign"])
        default: break
        }
    }

    private func delete(_ item: RancherItem) async {
        if ["localAuthConfig", "githubConfig"].contains(item.type) { return }
        haveDeleted = true
        if item.type == "setting" {
            rancher.person("DELETE", "settings/\(item.id)")
        } else {
            await rancher.removeByHand(item)
        }
    }

    // MARK: - What is theirs

    /// Something of theirs beside ours, in the same environment.
    private func addNeighbour(_ item: RancherItem) async {
        guard let environment = item.type == "project" ? item.id : item.environment else { return }
        count += 1
        await keep(
            rancher.person(
                "POST", "projects/\(environment)/registries", ["serverAddress": .string("theirs\(count).test")]),
            "registry")
    }

    /// Things that look like ours: a mark that nobody has, a name as ours have them.
    private func addBystanders() async {
        count += 1
        let mark = "[muster:intent=ffffffffffffffffffffffffffffffff]"
        let made = rancher.person(
            "POST", "projects", ["name": .string("theirs \(count)"), "description": .string(mark)])
        guard let id = made["id"].string else { return }
        await keep(made, "project")
        await keep(
            rancher.person("POST", "projects/\(id)/apikeys", ["name": "api_key0", "description": .string(mark)]),
            "apiKey")
        await keep(
            rancher.person("POST", "projects/\(id)/registries", ["serverAddress": "registry0.example.com"]), "registry")
    }

    /// Somebody takes a name that the spec wants, before muster does.
    private func claim(_ resource: Spec.Resource, _ keys: [Address: String]) async {
        if let place = resource.arguments["secret_to"]?.string { return claimPlace(String(place.dropFirst(4))) }
        let name = resource.arguments["name"].flatMap(\.string) ?? ""
        let environments = resource.dependencies.filter { $0.type == "rancher.environment" }
        let environment = environments.first.flatMap { keys[$0]?.split(separator: " ").last }
        let scope = environment.map { "projects/\($0)/" }
        let made: JSONValue
        switch resource.address.type.rawValue {
        case "rancher.environment": made = rancher.person("POST", "projects", ["name": .string(name)])
        case "rancher.setting":
            if rancher.items.contains(where: { $0.key == "setting \(name)" }) { return }
            made = rancher.person("PUT", "settings/\(name)", ["value": "theirs"])
        case "rancher.registry":
            guard let scope, let host = resource.arguments["server_address"]?.string else { return }
            made = rancher.person("POST", scope + "registries", ["serverAddress": .string(host)])
        case "rancher.stack":
            guard let scope else { return }
            made = rancher.person("POST", scope + "stacks", ["name": .string(name)])
        case "rancher.secret":
            guard let scope else { return }
            made = rancher.person("POST", scope + "secrets", ["name": .string(name), "value": "dGhlaXJz"])
        default: return
        }
        await keep(made, made["type"].text == "activeSetting" ? "setting" : made["type"].text, isClaim: true)
    }

    private func claimPlace(_ place: String) {
        cloud.foreignHand { cloud in
            guard cloud.current("parameter/\(place)") == nil else { return }
            cloud.add("parameter", id: "parameter/\(place)", ["Name": place, "-Value": "theirs"])
        }
    }

    private func keep(_ made: JSONValue, _ type: String, isClaim: Bool = false) async {
        guard let id = made["id"].string else { return }
        // Until it is what it will be.
        try? await timeline.sleep(for: .seconds(20))
        guard let item = rancher.items.first(where: { $0.key == "\(type) \(id)" }) else { return }
        bystanders.append(item)
        if isClaim { claims.append(item) }
    }

    // MARK: - The law

    /// What of theirs was touched. What was in an environment that is gone went with it.
    var violations: [String] {
        let now = Dictionary(rancher.items.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        let parameters = cloud.objects.filter { $0.kind == "parameter" && $0.isForeign }
        return bystanders.compactMap { before in
            if let environment = before.environment, now["project \(environment)"] == nil { return nil }
            guard let item = now[before.key] else { return "Removed what is not ours: \(before.key)" }
            return item == before ? nil : "Touched what is not ours: \(before.key)"
        }
            + parameters.filter { $0["-Value"] != "theirs" || !$0.tags.isEmpty }
            .map { "Touched what is not ours: \($0.id)" }
    }

    /// The person takes the foreign things away.
    func giveNamesBack() async -> [String] {
        let violations = violations
        for claim in claims {
            bystanders.removeAll { $0.key == claim.key }
            await delete(claim)
        }
        claims = []
        cloud.foreignHand { cloud in
            for parameter in cloud.objects where parameter.kind == "parameter" && parameter.isForeign {
                cloud.remove(parameter.id)
            }
        }
        return violations
    }
}
