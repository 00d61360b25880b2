package import MusterModel

/// A RancherOS host that joins an environment of Rancher.
///
/// The console runs a script at each boot, rather than `rancher.services` starting the agent: what the host is called
/// and where it is are known only then, and the identity that a host without a disk gets back must be there before.
package struct RancherOSAgent: Sendable {
    /// What makes a host without a disk the same host again: the three files of `/var/lib/rancher/state`.
    package struct Identity: Sendable, Hashable {
        /// 128 hexadecimal digits.
        package var registrationToken: String
        package var physicalHost: String
        package var docker: String

        package init(registrationToken: String, physicalHost: String, docker: String) {
            self.registrationToken = registrationToken
            self.physicalHost = physicalHost
            self.docker = docker
        }

        /// The files by their names.
        package var files: [(name: String, content: String)] {
            [
                (".registration_token", registrationToken), (".physical_host_uuid", physicalHost),
                (".docker_uuid", docker),
            ]
        }

        /// What the files hold; nil when one is no such identity.
        package init?(files: [String: String]) {
            func trimmed(_ name: String) -> String {
                (files[name] ?? "").filter { !$0.isWhitespace }
            }
            self.init(
                registrationToken: trimmed(".registration_token"), physicalHost: trimmed(".physical_host_uuid"),
                docker: trimmed(".docker_uuid"))
            guard registrationToken.count == 128, registrationToken.allSatisfy(\.isHexDigit) else { return nil }
            for uuid in [physicalHost, docker] {
                let parts = uuid.split(separator: "-", omittingEmptySubsequences: false)
                guard parts.map(\.count) == [8, 4, 4, 4, 12], uuid.allSatisfy({ $0.isHexDigit || $0 == "-" }) else {
                    return nil
                }
            }
        }
    }

    package static let stateFolder = "/var/lib/rancher/state"
    static let joinPath = "/opt/muster/rancher-join"

    package var agent: RancherAgent
    /// The host's name, where no metadata service tells which instance it is.
    package var hostName: Value?
    package var identity: Identity?

    package init(_ agent: RancherAgent, hostName: Value? = nil, identity: Identity? = nil) {
        self.agent = agent
        self.hostName = hostName
        self.identity = identity
    }

    /// The metadata service of EC2 for a system without curl, which must leave session tokens optional.
    static let metadata = """
        meta() { wget -q -T 5 -O - "http://169.254.169.254/latest/meta-data/$1"; }

        """

    package func add(to config: inout CloudConfig) {
        for (name, content) in identity?.files ?? [] {
            config.addFile("\(Self.stateFolder)/\(name)", permissions: "0600", "\(content)\n")
        }
        config.addScript(Self.joinPath, join())
    }

    /// Whoever renders for RancherOS gives the URL itself: there is no AWS CLI to fetch it with.
    private var url: Text {
        if case .inline(let value) = agent.registrationURL { return "url=\(shell: value)" }
        return agent.registrationURL.read(into: "url", or: "the registration URL cannot be read")
    }

    package func join() -> Text {
        let host: Text =
            hostName.map { "host=\(shell: $0)\n" }
            ?? "host=$(meta instance-id) || die \"the metadata service does not say which instance this is\"\n"
        var text: Text = """
            #!/bin/sh
            # Written by muster. Joins Rancher. Does nothing where the agent is already there.
            set -eu
            \(Snippets.die)
            """
        if hostName == nil { text += Self.metadata.asText }
        text += """
            \(RancherAgent.waitForDocker)if docker inspect rancher-agent >/dev/null 2>&1; then exit 0; fi
            \(url)
            image=\(shell: agent.image)
            \(host)\(agent.agentAddress())\(hostName == nil ? RancherAgent.place : "")labels=\(agent.labelWords(hasPlace: hostName == nil))

            """
        text += "\(agent.run(url: "\"$url\"", image: "\"$image\"", labels: "\"$labels\""))\n"
        return text
    }
}
