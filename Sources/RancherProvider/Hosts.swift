package import MusterModel
package import ProviderKit
package import RancherClient

// Hosts are made by machines, not by a plan: they are looked at here, and taken out by `HostRemoval`.

extension RancherProvider {
    /// The server that an argument names, or the one that stands for it (`RANCHER_URL`); nil: that one, if it is set.
    package func server(_ text: String?) throws(ProviderError) -> RancherServerURL? {
        if text == nil, servers.override == nil { return nil }
        return try servers.url(text)
    }

    /// Every environment of a server that the key may see and that is open: what is not active shows no hosts.
    package func environments(of server: RancherServerURL) async throws(ProviderError) -> [HostEnvironment] {
        let projects = collection(.project, at: server, in: nil)
        let tellsLoss = try await api(of: server) == .v2Beta
        return try await projects.fetch().filter { ["active", "updating-active", "upgrading"].contains($0.state) }.map {
            HostEnvironment(server: server.text, id: $0.id, name: $0.name ?? $0.id, tellsLoss: tellsLoss)
        }
    }

    /// The hosts of an environment; none of one that is gone.
    package func hosts(of environment: HostEnvironment) async throws(ProviderError) -> [RancherHost] {
        let server = try servers.url(environment.server)
        let hosts = collection(.host, at: server, in: environment.id)
        let isOld = try await api(of: server) == .v1
        var found: [RancherHost] = []
        for object in try await hosts.fetch() {
            var host = RancherHost(object, in: environment)
            // Before 1.2 the address lies beside the host.
            if isOld, host.address == nil { host.address = try await address(of: object.id, hosts) }
            found.append(host)
        }
        return found
    }

    private func address(of host: String, _ hosts: RancherCollection) async throws(ProviderError) -> String? {
        let path = try await hosts.path(RemoteID(host)).appending("ipaddresses")
        return try await hosts.session.reading(hosts.server) { (client) async throws(RancherError) in
            try await client.list(path)
        }.lazy.compactMap { $0.text("address") }.first
    }

    private func api(of server: RancherServerURL) async throws(ProviderError) -> RancherAPI {
        do throws(RancherError) {
            return try await servers.client(server).api()
        } catch {
            throw ProviderError(error)
        }
    }

    private func collection(
        _ kind: RancherKind, at server: RancherServerURL, in environment: String?
    ) -> RancherCollection {
        RancherCollection(
            session: RancherSession(servers: servers, vault: vault, configuration: ProviderConfiguration()),
            server: server, environment: environment, kind: kind)
    }
}

extension RancherHost {
    init(_ object: RancherObject, in environment: HostEnvironment) {
        var labels: [String: String] = [:]
        for (name, value) in object["labels"].map ?? [:] {
            if let text = value.string { labels[name] = text }
        }
        let address = object.text("agentIpAddress")
        self.init(
            environment: environment, id: object.id, name: object.name, hostname: object.text("hostname"),
            state: object.state, agentState: object.text("agentState").flatMap { $0.isEmpty ? nil : $0 },
            address: address.flatMap { $0.isEmpty ? nil : $0 }, labels: labels,
            created: object["createdTS"].integer.map { $0 / 1000 })
    }
}
