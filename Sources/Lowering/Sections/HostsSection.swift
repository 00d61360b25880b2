package import Diagnostics
package import MusterModel
package import UserData

/// `hosts`: machines that muster does not make, such as hosts without a disk that boot RancherOS from a drive.
///
/// A definition makes no resource. `muster render host` makes of it what the machine is given.
enum HostsSection: Section {
    static let schema = SectionSchema(
        name: "hosts",
        summary:
            "Machines that muster does not make: `muster render host NAME --config-drive DIR` writes what they boot with.",
        fields: [
            ArgumentSchema("hostname", .string, "The machine's name; the key if it is left out."),
            ArgumentSchema(
                "rancheros", .object(CloudConfigSchema.fields),
                "A cloud-config of RancherOS, checked against what RancherOS reads."),
            ArgumentSchema(
                "rancher_agent", .object(UserDataFields.hostAgentFields),
                "The host joins an environment of Rancher. Its identity is kept on the drive, so that it is the same host "
                    + "after each boot."),
        ],
        principalTypes: [],
        example: """
            hosts:
              edge-1:
                rancheros:
                  rancher:
                    network:
                      interfaces: { eth0: { address: 172.16.1.10/24, gateway: 172.16.1.1 } }
                      dns: { nameservers: [172.16.1.1] }
                rancher_agent:
                  registration_url: https://rancher.example.com/v1/projects/1a5/scripts/TOKEN
                  agent_ip: 172.16.1.10
                  labels: { site: edge }
            """)

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        var result = LoweringResult()
        _ = result.host(definition, identity: nil)
        return result
    }
}

extension Lowering {
    /// What a machine boots with.
    package struct RenderedHost: Sendable {
        package var userData: Value
        package var hostName: Value
        package var range: SourceRange
    }

    /// Whether a host joins Rancher, so that it has an identity to keep.
    package static func joinsRancher(_ definition: Definition) -> Bool { definition.body["rancher_agent"] != nil }

    /// What a definition of `hosts` boots with; nil after a complaint, which lowering makes too.
    package static func render(host definition: Definition, identity: RancherOSAgent.Identity?) -> RenderedHost? {
        var result = LoweringResult()
        return result.host(definition, identity: identity)
    }
}

extension LoweringResult {
    fileprivate mutating func host(
        _ definition: Definition, identity: RancherOSAgent.Identity?
    ) -> Lowering.RenderedHost? {
        let body = definition.body
        let given = body["rancheros"]?["hostname"]
        if let given, let other = body["hostname"] { diagnostics.append(.twoNames(given.range, at: other.range)) }
        let name = given?.value ?? body["hostname"]?.value ?? .string(definition.name)
        guard var config = cloudConfig(body["rancheros"], at: definition.range) else { return nil }
        config.set(name, at: ["hostname"])
        if let form = body["rancher_agent"] {
            if let field = form["agent_ip"], field.value == "private" || field.value == "public" {
                diagnostics.append(.noMetadata(field.value.string ?? "", at: field.range))
                return nil
            }
            guard var agent = rancherAgent(form, definition, isRancherOS: true) else { return nil }
            if form["agent_ip"] == nil { agent.address = .detected }
            RancherOSAgent(agent, hostName: name, identity: identity).add(to: &config)
        }
        return Lowering.RenderedHost(userData: config.userData().value, hostName: name, range: definition.range)
    }
}

extension Diagnostic {
    fileprivate static func twoNames(_ first: SourceRange, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.conflict", summary: "Arguments exclude each other",
            detail: "\"hostname\" cannot be set together with that of \"rancheros\".", at: range,
            related: [.init(range: first, message: "the other is here")], hint: "Remove one of them.")
    }

    fileprivate static func noMetadata(_ word: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.agent-ip", summary: "Not an address of a host",
            detail: "A host outside of AWS has no metadata service that would tell its \(word) address.", at: range,
            hint: "Write the address, or detect for the one that the server sees.")
    }
}
