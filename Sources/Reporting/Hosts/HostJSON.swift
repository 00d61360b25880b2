package import MusterModel

/// Hosts held against instances, as `rancher hosts --format json` prints them: one line, ended by a line break.
package enum HostJSON {
    package static let formatVersion = 1
    static let kind = "muster-hosts"

    package static func encode(_ report: HostReport, environments: [HostEnvironment]) -> String {
        let counts = HostFinding.Verdict.allCases.map { verdict in
            (verdict.rawValue, Value.integer(report.findings.count { $0.verdict == verdict }))
        }
        var summary = Dictionary(uniqueKeysWithValues: counts)
        summary["not_joined"] = .integer(report.absent.count)
        return ValueJSON.plainText([
            "format_version": .integer(formatVersion), "kind": .string(kind), "summary": .map(summary),
            "environments": .list(environments.map(\.reportValue)),
            "hosts": .list(report.findings.map(\.reportValue)),
            "not_joined": .list(report.absent.map(\.reportValue)),
        ]) + "\n"
    }
}

extension HostEnvironment {
    fileprivate var reportValue: Value {
        .object([
            "server": .string(server), "id": .string(id), "name": .string(name),
            "address": address.map { .string($0.description) } ?? .null, "stack": stack.map(Value.string) ?? .null,
        ])
    }
}

extension HostFinding {
    /// A host with its verdict.
    var reportValue: Value {
        .object([
            "server": .string(host.environment.server), "environment": .string(host.environment.name),
            "environment_id": .string(host.environment.id),
            "environment_address": host.environment.address.map { .string($0.description) } ?? .null,
            "id": .string(host.id), "name": .string(host.shownName),
            "hostname": host.hostname.map(Value.string) ?? .null, "state": .string(host.state),
            "agent_state": host.agentState.map(Value.string) ?? .null,
            "agent_address": host.address.map(Value.string) ?? .null,
            "labels": .map(host.labels.mapValues(Value.string)),
            "created": host.created.map(Value.integer) ?? .null, "verdict": .string(verdict.rawValue),
            "why": .string(why), "tied_by": tie.map { .string($0.rawValue) } ?? .null,
            "instance": instanceID.map(Value.string) ?? .null,
            "instance_state": machine?.state.map(Value.string) ?? .null,
            "owner": machine?.owner.map { .string($0.description) } ?? .null,
        ])
    }
}

extension Machine {
    fileprivate var reportValue: Value {
        .object([
            "id": .string(id), "state": state.map(Value.string) ?? .null, "addresses": .strings(addresses),
            "launched": launched.map(Value.integer) ?? .null,
            "owner": owner.map { .string($0.description) } ?? .null, "region": .string(region),
        ])
    }
}
