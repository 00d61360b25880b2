// Hosts of Rancher held against instances of AWS: who is asked about what.
//
// AWS is asked only where an answer hangs on it, so that a workspace without a lost host costs a listing of hosts and no
// more. Before it is asked, the same checks are made as before a plan: credentials of another account would say that
// every instance is gone.

import AWSProvider
import Diagnostics
import Lowering
import MusterModel
import Planning
import ProviderKit
import RancherClient
import RancherProvider
import SpecLoading
import StateStorage

/// What was looked at, and what came of it.
struct HostSurvey {
    var environments: [HostEnvironment]
    var report: HostReport
}

extension Workbench {
    /// How far a survey looks.
    enum SurveyDepth: Sendable {
        /// Only what is needed to tell phantoms.
        case phantoms
        /// Every instance of fleets and nodes too.
        case instances
    }

    var rancher: RancherProvider {
        get throws(CommandFailure) {
            if let rancher = provider.member(RancherProvider.self) { return rancher }
            throw CommandFailure(
                code: "rancher.none", summary: "No provider of Rancher", detail: "This is a bug in muster.")
        }
    }

    /// - Parameter names: of environments, or their ids; empty for all.
    func surveyHosts(
        _ workspace: LoadedWorkspace, environments names: [String] = [], _ depth: SurveyDepth
    ) async throws(CommandFailure) -> HostSurvey {
        let state = try await readState(workspace)
        try await checkInstallations(state.snapshot)
        let environments = try await environments(state.snapshot, names)
        var hosts: [RancherHost] = []
        for environment in environments {
            do throws(ProviderError) {
                hosts += try await rancherHosts(of: environment)
            } catch {
                throw CommandFailure(error, while: "listing the hosts of \(environment.name)")
            }
        }
        let survey = MachineSurvey(hosts: hosts, state.snapshot, depth)
        var matching = HostMatching(joining: depth == .instances ? joining(workspace) : [])
        if survey.isNeeded { try await ask(survey, state, workspace, &matching) }
        return HostSurvey(environments: environments, report: matching.report(on: hosts))
    }

    private func rancherHosts(of environment: HostEnvironment) async throws(ProviderError) -> [RancherHost] {
        guard let rancher = provider.member(RancherProvider.self) else { return [] }
        return try await rancher.hosts(of: environment)
    }

    // MARK: Environments

    /// Those of every server that the state knows, and of `RANCHER_URL`, as far as their stack is selected.
    private func environments(
        _ snapshot: Snapshot, _ names: [String]
    ) async throws(CommandFailure) -> [HostEnvironment] {
        let rancher = try rancher
        var found: [HostEnvironment] = []
        for (server, records) in try servers(snapshot).sorted(by: { $0.key.text < $1.key.text }) {
            let listed: [HostEnvironment]
            do throws(ProviderError) {
                listed = try await rancher.environments(of: server)
            } catch {
                throw CommandFailure(error, while: "listing the environments of \(server)")
            }
            for var environment in listed {
                let manager = records.first {
                    $0.address.type == "rancher.environment" && $0.id.rawValue == environment.id
                }
                environment.address = manager?.address
                // What nobody manages belongs to whoever has the server.
                environment.stack =
                    (manager ?? records.first { $0.address.type == "rancher.server" } ?? records.first)?.address.stack
                if let stacks = options.stacks, !(environment.stack.map(stacks.contains) ?? false) { continue }
                found.append(environment)
            }
        }
        found.sort { ($0.server, $0.name, $0.id) < ($1.server, $1.name, $1.id) }
        return try selected(names, among: found)
    }

    /// The rows of each server.
    private func servers(_ snapshot: Snapshot) throws(CommandFailure) -> [RancherServerURL: [ResourceRecord]] {
        var servers: [RancherServerURL: [ResourceRecord]] = [:]
        do throws(ProviderError) {
            let rows = snapshot.records.filter { $0.key.type.provider == RancherProvider.providerName }
            for (_, record) in rows.sorted(by: { $0.key < $1.key }) {
                guard let text = (record.arguments["server"] ?? record.arguments["url"])?.string,
                    let server = try rancher(text)
                else { continue }
                servers[server, default: []].append(record)
            }
            if servers.isEmpty, let server = try rancher(nil) { servers[server] = [] }
        } catch {
            throw CommandFailure(error, while: "looking for the servers of Rancher")
        }
        if !servers.isEmpty { return servers }
        throw CommandFailure(
            code: "rancher.no-server", summary: "No Rancher server is known",
            detail: "The state has no object of Rancher, and RANCHER_URL is not set.",
            hint: "Apply the section \"rancher\" first, or set RANCHER_URL.")
    }

    private func rancher(_ text: String?) throws(ProviderError) -> RancherServerURL? {
        try provider.member(RancherProvider.self)?.server(text)
    }

    private func selected(
        _ names: [String], among environments: [HostEnvironment]
    ) throws(CommandFailure) -> [HostEnvironment] {
        if names.isEmpty { return environments }
        let known = environments.map(\.name)
        let unknown = names.filter { name in !environments.contains { $0.name == name || $0.id == name } }
        if unknown.isEmpty { return environments.filter { names.contains($0.name) || names.contains($0.id) } }
        throw CommandFailure(
            .failure,
            unknown.map { name in
                Diagnostic(
                    code: "usage.environment", summary: "Unknown environment",
                    detail: "No active environment that is looked at here is named \(name.quoted).",
                    hint: Suggestion.hint(for: name, among: known)
                        ?? (known.isEmpty ? nil : "There are \(Set(known).sorted().joined(separator: ", "))."))
            })
    }

    /// Fleets and nodes whose machines join when they start.
    private func joining(_ workspace: LoadedWorkspace) -> Set<Address> {
        let types: [String: ResourceType] = [
            "autoscaling_groups": "aws.autoscaling_group", "control_nodes": "aws.instance",
        ]
        let definitions = expand(workspace).expanded.definitions.filter { Lowering.joinsRancher($0) }
        return Set(
            definitions.compactMap { definition in
                types[definition.section].map { Address(stack: definition.stack, type: $0, name: definition.name) }
            })
    }

    // MARK: Instances

    private func ask(
        _ survey: MachineSurvey, _ state: (snapshot: Snapshot, bindings: [String: StateBinding]),
        _ workspace: LoadedWorkspace, _ matching: inout HostMatching
    ) async throws(CommandFailure) {
        let home = provider.name
        let bound = state.bindings.filter { $0.value.provider == home }.map(\.key)
        let rows = state.snapshot.records.keys.filter { $0.type.provider == home }.map(\.stack)
        let stacks = Set(bound + rows).intersection(workspace.stacks).sorted()
        guard let aws = provider.member(AWSProvider.self), !stacks.isEmpty else {
            matching.isAsked = false
            return
        }
        let scopes = try await scopes(workspace, stacks: stacks)
        try checkBindings(state.bindings, scopes, workspace)
        let places = Dictionary(grouping: stacks) { stack in
            "\(scopes[stack]?.account ?? "") \(scopes[stack]?.region ?? "")"
        }
        for (_, stacks) in places.sorted(by: { $0.key < $1.key }) {
            let configuration = workspace.configurations[stacks[0]] ?? ProviderConfiguration()
            do throws(ProviderError) {
                try await ask(survey, of: Set(stacks), in: scopes[stacks[0]], aws, configuration, &matching)
            } catch {
                throw CommandFailure(error, while: "looking for the instances of hosts (stack \(stacks[0].quoted))")
            }
        }
    }

    private func ask(
        _ survey: MachineSurvey, of stacks: Set<String>, in scope: ProviderScope?, _ aws: AWSProvider,
        _ configuration: ProviderConfiguration, _ matching: inout HostMatching
    ) async throws(ProviderError) {
        // Nodes that were made elsewhere, in what was the stack's region then, are not gone because they are not here.
        let nodes = survey.nodes(of: stacks).filter { node in
            node.scope.account == scope?.account && node.scope.region == scope?.region
        }
        var ids: [String: Address?] = Dictionary(survey.ids.map { ($0, nil) }, uniquingKeysWith: { first, _ in first })
        for node in nodes { ids.updateValue(node.address, forKey: node.id.rawValue) }
        let machines = try await aws.machines(
            of: survey.groups(of: stacks), ids: ids, addresses: survey.addresses, configuration)
        let listed = Dictionary(machines.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        // AWS forgets the address of what is terminated, and soon the instance; the state knows both.
        let gone = nodes.filter { listed[$0.id.rawValue]?.isGone ?? true }
        let dead = Set(gone.map(\.id.rawValue))
        matching.machines += machines.filter { !dead.contains($0.id) }
        matching.machines += gone.map { node in
            Machine(
                id: node.id.rawValue, state: listed[node.id.rawValue]?.state,
                addresses: [node.outputs["private_ip"]?.string].compactMap { $0 }, owner: node.address)
        }
        let known = Set(matching.machines.map(\.id))
        let missing = survey.lost.filter { host in host.instanceID.map { !known.contains($0) } ?? false }
        let places = Set(missing.compactMap(\.place).filter { $0.account == scope?.account })
        let subnets = try await aws.subnets(Set(places.map(\.subnet)), configuration)
        matching.places.formUnion(places.filter { subnets.contains($0.subnet) })
    }
}

/// What AWS is to be asked about hosts.
private struct MachineSurvey {
    /// Instances that hosts name.
    let ids: Set<String>
    /// Addresses of hosts of which nothing better is known.
    let addresses: Set<String>
    /// Hosts that may be phantoms.
    let lost: [RancherHost]
    private let records: [ResourceRecord]
    private let depth: Workbench.SurveyDepth

    init(hosts: [RancherHost], _ snapshot: Snapshot, _ depth: Workbench.SurveyDepth) {
        self.depth = depth
        lost = hosts.filter { $0.connection == .lost && !$0.isLeaving }
        let looked = depth == .instances ? hosts : lost
        ids = Set(looked.compactMap(\.instanceID))
        addresses = Set(
            looked.filter { $0.instanceID == nil || $0.connection != .there }.compactMap(\.address)
                .filter { IPNetwork.ipv4($0) != nil })
        records = snapshot.records.values.sorted { $0.address < $1.address }
    }

    var isNeeded: Bool { depth == .instances || !lost.isEmpty }

    func groups(of stacks: Set<String>) -> [String: Address] {
        if depth != .instances { return [:] }
        let groups = rows("aws.autoscaling_group", stacks)
        return Dictionary(groups.map { ($0.id.rawValue, $0.address) }, uniquingKeysWith: { first, _ in first })
    }

    func nodes(of stacks: Set<String>) -> [ResourceRecord] { rows("aws.instance", stacks) }

    private func rows(_ type: ResourceType, _ stacks: Set<String>) -> [ResourceRecord] {
        records.filter { $0.address.type == type && stacks.contains($0.address.stack) }
    }
}
