import AWSClient

/// The kinds of things that the services of the table keep, and their calls.
enum SimulatedCatalog {
    typealias Call = @Sendable (SimulatedAWS, CloudRequest) throws -> Flat
    typealias Kind = SimulatedKind
    typealias Need = SimulatedKind.Need

    static let kinds: [Kind] = [
        loadBalancer, targetGroup, target, listener, listenerCertificate, listenerRule, launchConfiguration, group,
        hook,
        scheduledAction, scalingPolicy, alarm, databaseSubnets, parameterGroup, database, cacheSubnets,
        replicationGroup,
        topic, repository, certificate, template, networkACL, networkRule, endpoint,
    ]
    static func kind(_ name: String) -> Kind? { index[name] }
    private static let index = Dictionary(uniqueKeysWithValues: kinds.map { ($0.kind, $0) })

    static let calls: [String: Call] = [
        balancingCalls, targetCalls, fleetCalls, groupCalls, databaseCalls, cacheCalls, messageCalls, repositoryCalls,
        certificateCalls, networkCalls, parameterCalls,
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    /// Make, tell, change and delete, under their names.
    static func life(
        _ service: String, _ kind: Kind, make: String? = nil, change: String? = nil, delete: String? = nil
    ) -> [String: Call] {
        var calls: [String: Call] = [:]
        if let make { calls["\(service).\(make)"] = { cloud, request in try cloud.make(kind, request) } }
        if let change {
            calls["\(service).\(change)"] = { cloud, request in try cloud.change(kind, request) }
        }
        if let delete {
            calls["\(service).\(delete)"] = { cloud, request in try cloud.delete(kind, request) }
        }
        return calls
    }

    /// What AWS counts up.
    static func counted(_ prefix: String) -> @Sendable (SimulatedAWS, CloudRequest) -> String {
        { cloud, _ in cloud.newID(prefix) }
    }
}

extension SimulatedKind.Need {
    /// Of its id.
    init(_ parameter: String, _ kind: String, _ code: String) { self.init(parameter, kind, "", code) }
}
