import AWSClient
import HTTPTransport
import MusterModel
import ProviderKit
import SandboxServing

// Mistakes about Rancher, planted on its wire and in its session.

extension PlantedFault {
    static var rancher: [PlantedFault] { marks + [blindSetting, misplacedSecret("rancher.api_key")] }

    /// The collections of what is found by its mark.
    private static let marked: [(type: ResourceType, collection: String)] = [
        ("rancher.environment", "projects"), ("rancher.registration_token", "registrationTokens"),
        ("rancher.api_key", "apiKeys"), ("rancher.service_account", "accounts"), ("rancher.registry", "registries"),
        ("rancher.registry_credential", "registryCredentials"), ("rancher.stack", "stacks"),
        ("rancher.service", "services"), ("rancher.certificate", "certificates"), ("rancher.secret", "secrets"),
    ]

    /// The description of what is made does not carry the intent.
    private static var marks: [PlantedFault] {
        marked.map { type, collection in
            let effect = Effect()
            return PlantedFault(
                "\(type): its mark is not sent", types: [type], effect: effect,
                Interposers(rancher: { request, send in
                    guard request.method == "POST", request.path.hasSuffix("/\(collection)") else {
                        return send(request)
                    }
                    effect.count += 1
                    return send(request.withoutMark)
                }))
        }
    }

    /// Before a setting is given a value, what it has is not looked at.
    private static var blindSetting: PlantedFault {
        let effect = Effect()
        return PlantedFault(
            "rancher.setting: what somebody else set is not seen", types: ["rancher.setting"], effect: effect,
            Interposers(rancher: { request, send in
                var response = send(request)
                guard request.method == "GET", request.path.contains("/settings/"),
                    !request.path.hasSuffix("install.uuid"),
                    let told = try? JSONValue(parsing: response.body), told["inDb"].boolean == true
                else { return response }
                effect.count += 1
                let members = told.members.map { $0.name == "inDb" ? JSONValue.Member("inDb", .boolean(false)) : $0 }
                response.body = JSONValue.object(members).text()
                return response
            }))
    }

    /// What is shown once goes somewhere else.
    private static func misplacedSecret(_ type: ResourceType) -> PlantedFault {
        PlantedFault(
            "\(type): its secret is kept at another place", types: [type],
            Interposers(session: { MisplacingSession(base: $0, type: type) }))
    }
}

extension HTTPRequest {
    fileprivate var withoutMark: HTTPRequest {
        guard let told = try? JSONValue(parsing: body) else { return self }
        var request = self
        request.body = JSONValue.object(told.members.filter { $0.name != "description" }).text()
        return request
    }
}

private struct MisplacingSession: ProviderSession {
    let base: any ProviderSession
    let type: ResourceType

    func handler(for type: ResourceType) -> (any ResourceHandler)? {
        guard let handler = base.handler(for: type) else { return nil }
        return type == self.type ? MisplacingHandler(base: handler) : handler
    }
    func lookup(_ kind: String, _ arguments: [String: Value]) async throws(ProviderError) -> [String: Value] {
        try await base.lookup(kind, arguments)
    }
    func asking(_ leave: @escaping @Sendable () async -> Bool) -> any ProviderSession {
        MisplacingSession(base: base.asking(leave), type: type)
    }
    func sharing(_ look: SharedLook) -> any ProviderSession {
        MisplacingSession(base: base.sharing(look), type: type)
    }
    func hasMissed() async -> Bool { await base.hasMissed() }
}

private struct MisplacingHandler: ResourceHandler {
    let base: any ResourceHandler

    var schema: ResourceSchema { base.schema }
    func read(_ known: [KnownObject]) async throws(ProviderError) -> [RemoteID: Observation] {
        try await base.read(known)
    }
    func list(in scope: ListingScope) async throws(ProviderError) -> [Observation] { try await base.list(in: scope) }
    func find(
        _ desired: [String: Value], intent: Intent
    ) async throws(ProviderError) -> (observation: Observation, isOurs: Bool)? {
        try await base.find(desired, intent: intent)
    }
    func create(_ desired: [String: Value], intent: Intent) async throws(ProviderError) -> Observation {
        try await base.create(desired.merging(["secret_to": "ssm:/elsewhere"]) { $1 }, intent: intent)
    }
    func update(
        _ id: RemoteID, from old: [String: Value], to new: [String: Value]
    ) async throws(ProviderError) -> Observation? { try await base.update(id, from: old, to: new) }
    func delete(_ id: RemoteID, last: [String: Value]) async throws(ProviderError) {
        try await base.delete(id, last: last)
    }
    func abandon(_ last: [String: Value]) async throws(ProviderError) { try await base.abandon(last) }
    func importID(_ text: String) async throws(ProviderError) -> RemoteID { try await base.importID(text) }
}
