import Diagnostics
import MusterModel
import UserData

// `rancheros` and `swarm_node` → what `UserData` renders.

extension LoweringResult {
    /// What a schema cannot say of a cloud-config is checked here.
    mutating func cloudConfig(_ form: LocatedValue?, at range: SourceRange) -> CloudConfig? {
        guard let form else { return CloudConfig(.map([], range)) }
        let count = diagnostics.count
        for name in ["runcmd", "bootcmd"] {
            for command in form[name]?.elements ?? [] { checkCommand(command, name) }
        }
        for mount in form["mounts"]?.elements ?? [] {
            if let parts = mount.elements, parts.count != 4 {
                diagnostics.append(.mount(parts.count, at: mount.range))
            }
        }
        for kind in ["docker", "system_docker", "bootstrap_docker"] {
            guard let args = form["rancher"]?[kind]?["args"], form["rancher"]?[kind]?["extra_args"] != nil else {
                continue
            }
            diagnostics.append(.bothArguments(at: args.range))
        }
        for entry in form["rancher"]?["network"]?["interfaces"]?.entries ?? [] {
            let interface = entry.value
            if interface["dhcp"]?.value == true, let address = interface["address"] ?? interface["addresses"] {
                diagnostics.append(.addressAndDHCP(entry.key, at: address.range))
            }
        }
        return diagnostics.count == count ? CloudConfig(form) : nil
    }

    private mutating func checkCommand(_ command: LocatedValue, _ field: String) {
        if let words = command.elements {
            for word in words where word.value.scalarText == nil && word.value.deferred == nil {
                diagnostics.append(.wrongForm(field, "words", word))
            }
        } else if command.value.scalarText == nil, command.value.deferred == nil {
            diagnostics.append(.wrongForm(field, "commands: strings, or lists of words", command))
        }
    }

    mutating func swarmNode(_ form: LocatedValue, _ definition: Definition) -> SwarmNode? {
        let count = diagnostics.count
        guard let consul = form["consul"], !consul.value.isUnreadable else { return nil }
        checkHostAndPort(consul)
        var node = SwarmNode(consul: consul.value)
        if let prefix = form["prefix"] { node.prefix = prefix.value }
        if let image = form["image"] { node.image = image.value }
        if let role = form["role"]?.value.string.flatMap(SwarmNode.Role.init) { node.role = role }
        if let interface = form["interface"] { node.interface = interface.value }
        node.enginePort = form["engine_port"]?.value.integer ?? node.enginePort
        node.managerPort = form["manager_port"]?.value.integer ?? node.managerPort
        node.mirror = form["registry_mirror"]?.value
        node.tags = carriedTags(form, definition)
        if let field = form["os_version"], let text = field.value.string {
            if let version = AgentVersion(text) {
                node.takesAllArguments = version < AgentVersion(0, 7, 0)
            } else {
                diagnostics.append(.osVersion(text, at: field.range))
            }
        }
        if let registry = form["registry"], let address = registry["address"] {
            node.registry = self.registry(registry, address)
        }
        return diagnostics.count == count ? node : nil
    }

    private mutating func registry(_ form: LocatedValue, _ address: LocatedValue) -> SwarmNode.Registry {
        var registry = SwarmNode.Registry(address: address.value)
        registry.isInsecure = form["insecure"]?.value.bool ?? false
        if let text = address.value.string, text.contains("://") || text.contains(" ") || text.isEmpty {
            diagnostics.append(.registryAddress(text, at: address.range))
        }
        switch (form["username"], form["password"]) {
        case (let user?, let password?):
            if address.value.string == nil, !address.value.isUnreadable {
                diagnostics.append(.registryKnownLater(at: address.range))
            }
            registry.login = (user.value, password.value)
        case (nil, nil): break
        case (let given?, nil), (nil, let given?): diagnostics.append(.halfLogin(at: given.range))
        }
        return registry
    }

    private mutating func checkHostAndPort(_ field: LocatedValue) {
        guard let text = field.value.string else { return }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let isFine =
            parts.count == 2 && !parts[0].isEmpty && (Int(parts[1]).map { (1...65_535).contains($0) } ?? false)
            && !text.contains("/") && !text.contains(" ")
        if !isFine { diagnostics.append(.hostAndPort(text, at: field.range)) }
    }

    /// The instance's tags, those of stack and workspace included, that the node is to know.
    private mutating func carriedTags(
        _ form: LocatedValue, _ definition: Definition
    ) -> [(key: String, value: Value)] {
        var tags = definition.inheritedTags
        for entry in definition.body["tags"]?.entries ?? [] { tags[entry.key] = entry.value.value }
        tags = tags.filter { $0.value != .null }
        guard let chosen = form["tags"]?.elements else {
            return tags.filter { $0.key.contains(".") }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        var carried: [(key: String, value: Value)] = []
        for key in chosen {
            guard let name = key.value.string else { continue }
            if let value = tags[name] {
                carried.append((name, value))
            } else {
                diagnostics.append(.noSuchTag(name, tags.keys.sorted(), at: key.range))
            }
        }
        return carried
    }
}

extension Diagnostic {
    private static func cloudConfig(_ detail: String, at range: SourceRange, hint: String? = nil) -> Diagnostic {
        Diagnostic(
            code: "spec.cloud-config", summary: "Not a valid cloud-config", detail: detail, at: range, hint: hint)
    }

    fileprivate static func mount(_ count: Int, at range: SourceRange) -> Diagnostic {
        cloudConfig(
            "A mount has four parts (device, path, type, options), and this has \(count).", at: range,
            hint: "Write [/dev/xvdf, /data, ext4, \"\"].")
    }

    fileprivate static func bothArguments(at range: SourceRange) -> Diagnostic {
        cloudConfig(
            "\"args\" are read by RancherOS up to 0.6, \"extra_args\" by later ones.", at: range,
            hint: "Keep the one that the image reads.")
    }

    fileprivate static func addressAndDHCP(_ name: String, at range: SourceRange) -> Diagnostic {
        cloudConfig("\(name.quoted) asks for an address and has one.", at: range, hint: "Say \"dhcp: false\".")
    }

    fileprivate static func osVersion(_ text: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.version", summary: "Not a version", detail: "\(text.quoted) is not a version of RancherOS.",
            at: range, hint: "A version is three numbers, such as 1.5.8.")
    }

    private static func swarm(_ detail: String, at range: SourceRange, hint: String? = nil) -> Diagnostic {
        Diagnostic(code: "spec.swarm-node", summary: "Not a valid node", detail: detail, at: range, hint: hint)
    }

    fileprivate static func hostAndPort(_ text: String, at range: SourceRange) -> Diagnostic {
        swarm(
            "\(text.quoted) is not a host and a port.", at: range,
            hint: "Write consul.example.com:8500, without a scheme.")
    }

    fileprivate static func registryAddress(_ text: String, at range: SourceRange) -> Diagnostic {
        swarm(
            "\(text.quoted) is not the address of a registry.", at: range,
            hint: "Write registry.example.com:5000, without a scheme.")
    }

    fileprivate static func registryKnownLater(at range: SourceRange) -> Diagnostic {
        swarm("The address of a registry with a login must be known when planning.", at: range)
    }

    fileprivate static func halfLogin(at range: SourceRange) -> Diagnostic {
        swarm("A login has a \"username\" and a \"password\".", at: range)
    }

    fileprivate static func noSuchTag(_ name: String, _ known: [String], at range: SourceRange) -> Diagnostic {
        swarm(
            "The instance has no tag \(name.quoted).", at: range,
            hint: Suggestion.hint(for: name, among: known) ?? "Its tags are \(known.joined(separator: ", ")).")
    }
}
