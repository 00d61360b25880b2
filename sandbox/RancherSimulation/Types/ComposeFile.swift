import AWSClient
import Diagnostics
import SandboxServing
import YAMLSyntax

/// The services of a stack, as its two compose files describe them.
struct ComposeFile {
    struct Service {
        var name: String
        var launch: JSONValue
        var scale: Int
    }

    /// Why a stack cannot be made of it.
    struct Unreadable: Error { var reason: String }

    var services: [Service]

    init(docker: String?, rancher: String?) throws(Unreadable) {
        let scales = try Self.services(in: rancher, named: "rancher-compose.yml")
        services = []
        for (name, definition) in try Self.services(in: docker, named: "docker-compose.yml") {
            guard case .object = definition else { throw Unreadable(reason: "Service \(name) is not a mapping") }
            guard let image = definition["image"].plainText ?? definition["build"].plainText else {
                throw Unreadable(reason: "Service \(name) has neither an image nor a build context")
            }
            let scale = scales.first { $0.0 == name }?.1["scale"].plainText.flatMap { Int($0) } ?? 1
            services.append(Service(name: name, launch: Self.launch(definition, image), scale: scale))
        }
    }

    /// Version 1 has services on the outside, version 2 under `services`.
    private static func services(in text: String?, named file: String) throws(Unreadable) -> [(String, JSONValue)] {
        guard let text, !text.allSatisfy(\.isWhitespace) else { return [] }
        let (root, diagnostics) = parseYAML(SourceFile(path: file, text: text))
        if let error = diagnostics.first(where: { $0.severity == .error }) {
            throw Unreadable(reason: "Could not parse \(file): \(error.detail)")
        }
        guard let root else { return [] }
        guard case .object(let members) = JSONValue(root) else {
            throw Unreadable(reason: "Could not parse \(file): it is not a mapping")
        }
        let all = members.map { ($0.name, $0.value) }
        guard let services = all.first(where: { $0.0 == "services" }) else {
            return all.filter { !$0.0.hasPrefix(".") && $0.0 != "version" }
        }
        return services.1.members.map { ($0.name, $0.value) }
    }

    private static func launch(_ definition: JSONValue, _ image: String) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("type", "launchConfig"), .init("imageUuid", .string("docker:\(image)")),
        ]
        let names = [
            "command": "command", "environment": "environment", "labels": "labels", "ports": "ports",
            "volumes": "dataVolumes",
        ]
        for (compose, own) in names.sorted(by: { $0.value < $1.value }) where !definition[compose].isNull {
            members.append(.init(own, definition[compose]))
        }
        if definition["privileged"].plainText == "true" { members.append(.init("privileged", true)) }
        return .object(members)
    }
}

extension JSONValue {
    /// A tree of YAML; scalars stay text.
    init(_ node: YAMLNode) {
        switch node.kind {
        case .scalar(let scalar): self = scalar.isNull ? .null : .string(scalar.text)
        case .sequence(let items): self = .array(items.map { JSONValue($0) })
        case .mapping(let entries): self = .object(entries.map { Member($0.key, JSONValue($0.value)) })
        }
    }
}
