package import MusterModel

/// A node of a Docker Swarm (the one that came before Docker 1.12) on RancherOS.
///
/// Nodes find each other through Consul. The instance's tags become labels of the engine, so that containers can be
/// placed by them (`constraint:docker.role==web`), and variables of the services.
package struct SwarmNode: Sendable {
    package enum Role: String, Sendable, Hashable, CaseIterable { case node, manager, both }

    package struct Registry: Sendable {
        package var address: Value
        package var login: (username: Value, password: Value)?
        package var isInsecure = false

        package init(address: Value) { self.address = address }
    }

    /// Consul, as `host:port`.
    package var consul: Value
    package var prefix: Value = "swarm"
    package var role = Role.node
    package var image: Value = "swarm:1.2.8"
    package var enginePort = 2375
    package var managerPort = 4000
    package var interface: Value = "eth0"
    /// The tags that are carried over, by their keys.
    package var tags: [(key: String, value: Value)] = []
    package var registry: Registry?
    package var mirror: Value?
    /// Up to 0.6 RancherOS takes all arguments of the daemon at once, later it takes single settings.
    package var takesAllArguments = false

    package init(consul: Value) { self.consul = consul }

    private var store: Text { "consul://\(raw: consul)/\(raw: prefix)" }

    /// The variable that a tag becomes: `docker.environment` is `DOCKER_ENVIRONMENT`.
    package static func variable(_ tag: String) -> String {
        String(
            decoding: tag.uppercased().utf8.map { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) ? byte : UInt8(ascii: "_")
            }, as: UTF8.self)
    }

    package func add(to config: inout CloudConfig) {
        addEngine(to: &config)
        for (key, value) in tags { config.set(value, at: ["rancher", "environment", Self.variable(key)]) }
        if let registry, let login = registry.login, let address = registry.address.string {
            config.set(login.username, at: ["rancher", "registry_auths", address, "username"])
            config.set(login.password, at: ["rancher", "registry_auths", address, "password"])
        }
        config.addScript("/opt/muster/swarm-join", join())
    }

    private func addEngine(to config: inout CloudConfig) {
        let docker = ["rancher", "docker"]
        var shared: [Value] = tags.map { Text(raw: .string("--label=\($0.key)=")).followed(by: $0.value) }
        shared.append((Text(raw: "--cluster-store=") + store).value)
        shared.append(("--cluster-advertise=\(raw: interface):\(enginePort)" as Text).value)
        if takesAllArguments {
            config.append("daemon", at: docker + ["args"])
            config.append("--host=unix:///var/run/docker.sock", at: docker + ["args"])
            config.append(.string("--host=tcp://0.0.0.0:\(enginePort)"), at: docker + ["args"])
            for argument in shared { config.append(argument, at: docker + ["args"]) }
            if let registry, registry.isInsecure {
                config.append(
                    Text(raw: "--insecure-registry=").followed(by: registry.address), at: docker + ["args"])
            }
            if let mirror {
                config.append(Text(raw: "--registry-mirror=").followed(by: mirror), at: docker + ["args"])
            }
            return
        }
        config.append("unix:///var/run/docker.sock", at: docker + ["host"])
        config.append(.string("tcp://0.0.0.0:\(enginePort)"), at: docker + ["host"])
        for argument in shared { config.append(argument, at: docker + ["extra_args"]) }
        if let registry, registry.isInsecure {
            config.append(registry.address, at: docker + ["insecure_registry"])
        }
        if let mirror { config.set(mirror, at: docker + ["registry_mirror"]) }
    }

    /// Runs at each boot; docker starts again what is there already.
    package func join() -> Text {
        var text: Text = """
            #!/bin/sh
            # Written by muster. Joins the swarm. Does nothing where that was done.
            set -eu
            \(Snippets.die)\(RancherOSAgent.metadata)\(RancherAgent.waitForDocker)address=$(meta local-ipv4) || die "the metadata service tells no private address"
            store=\(shell: store.value)
            image=\(shell: image)

            """
        if role != .manager {
            text += """
                docker inspect swarm-agent >/dev/null 2>&1 ||
                    docker run -d --name swarm-agent --restart=always "$image" join --advertise="$address:\(enginePort)" "$store"

                """
        }
        if role != .node {
            text += """
                docker inspect swarm-manager >/dev/null 2>&1 ||
                    docker run -d --name swarm-manager --restart=always -p \(managerPort):\(managerPort) "$image" \\
                        manage -H ":\(managerPort)" --replication --advertise "$address:\(managerPort)" "$store"

                """
        }
        return text
    }
}

extension Text {
    fileprivate func followed(by value: Value) -> Value { (self + Text(raw: value)).value }
}
