import Diagnostics
import Expressions
import MusterModel
import Planning
import ResourceGraph
import TestSupport

/// A call that the cloud would refuse.
struct Misfit: Error, CustomStringConvertible {
    let description: String

    init(_ text: String, _ log: [String]) { description = "\(text), after \(log.joined(separator: ", "))" }
}

/// A small cloud in memory: applies plans as the applier would, and shows what is there as a refresh would.
struct SimulatedCloud {
    static let scope = ProviderScope(provider: "aws", account: "123456789012", region: "us-east-1", endpoint: "aws")
    static let network = ResourceType("aws.network")
    static let group = ResourceType("aws.group")
    static let rule = ResourceType("aws.rule")
    static let machine = ResourceType("aws.machine")
    static let store = ResourceType("aws.store")
    /// Stays when its network is replaced, and holds it until it is attached to the successor.
    static let gateway = ResourceType("aws.gateway")

    static let catalog = Catalog(
        resources: [
            ResourceSchema(
                type: network, summary: "",
                arguments: [
                    ArgumentSchema("cidr", .string, isRequired: true, onChange: .replace, semantics: .cidr, ""),
                    ArgumentSchema("dns", .boolean, absence: .means(true), ""), tags,
                ], outputs: [OutputSchema("id", .string, "")], importSyntax: "net-…"),
            ResourceSchema(
                type: gateway, summary: "", arguments: [ArgumentSchema("network_id", .string, holds: true, "")],
                outputs: [OutputSchema("id", .string, "")], importSyntax: "gat-…"),
            ResourceSchema(
                type: group, summary: "",
                arguments: [
                    ArgumentSchema("name", .string, isRequired: true, onChange: .replace, ""),
                    ArgumentSchema("description", .string, absence: .means(""), onChange: .replace, ""),
                    ArgumentSchema("network_id", .string, onChange: .replace, ""), tags,
                ], outputs: [OutputSchema("id", .string, "")], naming: .unique(argument: "name", maximumLength: 32),
                replacement: .createFirst, importSyntax: "grp-…"),
            ResourceSchema(
                type: rule, summary: "",
                arguments: [
                    ArgumentSchema("group_id", .string, isRequired: true, onChange: .replace, ""),
                    ArgumentSchema("port", .integer, onChange: .replace, ""),
                    ArgumentSchema("source", .string, ""),
                ], outputs: [OutputSchema("id", .string, "")], parentArgument: "group_id", importSyntax: "rul-…"),
            ResourceSchema(
                type: machine, summary: "",
                arguments: [
                    ArgumentSchema("image", .string, isRequired: true, onChange: .replace, ""),
                    ArgumentSchema("size", .string, onChange: .updateWithDowntime, ""),
                    ArgumentSchema("network_id", .string, onChange: .replace, ""),
                    ArgumentSchema("groups", .set(.string), ""),
                    ArgumentSchema("script", .string, isSensitive: true, ""),
                    ArgumentSchema("boot", .string, onChange: .updateWithDowntime, ""),
                    ArgumentSchema("policy", .anything, semantics: .policyDocument, ""),
                    ArgumentSchema("boot_replace_on_change", .boolean, absence: .means(false), onChange: .local, ""),
                    ArgumentSchema(
                        "disks",
                        .set(
                            .object([
                                ArgumentSchema("device", .string, isRequired: true, onChange: .replace, ""),
                                ArgumentSchema("size", .integer, ""),
                                ArgumentSchema("goes_with_it", .boolean, ""),
                            ]), key: "device"), deletesDataBy: "goes_with_it", ""), tags,
                ],
                outputs: [
                    OutputSchema("id", .string, ""), OutputSchema("address", .string, changesWith: ["size"], ""),
                ],
                importSyntax: "box-…"),
            ResourceSchema(
                type: store, summary: "",
                arguments: [
                    ArgumentSchema("engine", .string, isRequired: true, onChange: .replace, ""),
                    ArgumentSchema(
                        "size", .integer, onChange: .updateWithDowntime, timing: .inWindow("window", unless: "at_once"),
                        ""),
                    ArgumentSchema(
                        "copies", .integer, onChange: .updateWithDowntime,
                        timing: .inWindow("window", unless: "at_once", when: .betweenZero), ""),
                    ArgumentSchema("settings", .string, timing: .later("in force when it restarts"), ""),
                    ArgumentSchema(
                        "group", .string,
                        timing: .inWindow(
                            "window", unless: "at_once", when: .with("size", otherwise: "in force later")),
                        ""),
                    ArgumentSchema("window", .string, ""),
                    ArgumentSchema("guarded", .boolean, absence: .means(false), isDeletionGuard: true, ""),
                    ArgumentSchema("at_once", .boolean, absence: .means(false), onChange: .local, ""),
                    ArgumentSchema("without_copy", .boolean, absence: .means(false), onChange: .local, ""),
                    ArgumentSchema("copy_name", .string, onChange: .local, ""),
                ], outputs: [OutputSchema("id", .string, ""), OutputSchema("address", .string, "")],
                deletionHazards: [.dataLoss],
                keepsake: Keepsake(
                    "copy", nameArgument: "copy_name", nameOutput: "address", refusalArgument: "without_copy"),
                importSyntax: "sto-…"),
        ], lookups: [])

    private static let tags = ArgumentSchema("tags", .map(.string), absence: .means([:]), semantics: .tags, "")

    var snapshot = Snapshot(lineage: "test")
    /// What is really there, by id.
    var objects: [RemoteID: (type: ResourceType, arguments: [String: Value], outputs: [String: Value])] = [:]
    private var made = 0
    /// The operations in the order in which they were done.
    var log: [String] = []

    var observations: Observations {
        var observations = Observations()
        for (address, record) in snapshot.records {
            observations.objects[address] = .some(observation(record.id))
            if address.type == SimulatedCloud.group {
                observations.children[address] = [
                    SimulatedCloud.rule: objects.filter {
                        $0.value.type == SimulatedCloud.rule
                            && $0.value.arguments["group_id"] == .string(record.id.rawValue)
                    }.keys.compactMap(observation)
                ]
            }
        }
        return observations
    }

    private func observation(_ id: RemoteID) -> Observation? {
        objects[id].map { Observation(id: id, arguments: $0.arguments, outputs: $0.outputs) }
    }

    mutating func apply(_ plan: Plan) throws {
        var done: Set<Int> = []
        for step in plan.steps {
            guard step.after.allSatisfy(done.contains) else {
                throw Misfit("step \(step.id) came before what it waits for", log)
            }
            done.insert(step.id)
            log.append("\(step.operation.rawValue) \(step.address.name)\(step.isDeposed ? " (old)" : "")")
            try apply(step)
        }
        for change in plan.outputs { snapshot.outputs[change.stack, default: [:]][change.name] = change.after }
    }

    private mutating func apply(_ step: Step) throws {
        let desired = try step.desired.mapValues { try evaluate($0) }
        switch step.operation {
        case .create:
            made += 1
            let id = RemoteID("\(step.address.type.rawValue.suffix(3))-\(made)")
            if step.address.type == SimulatedCloud.group {
                let name = desired["name"]
                let isTaken = objects.values.contains {
                    $0.type == SimulatedCloud.group && $0.arguments["name"] == name
                }
                if isTaken { throw Misfit("the name \(name ?? .null) is taken", log) }
            }
            objects[id] = (step.address.type, live(desired, step.address.type), outputs(id))
            if step.deposesPrevious, let old = snapshot.records[step.address] {
                snapshot.deposed[step.address, default: []].append(old)
            }
            write(step, id, desired)
        case .update:
            guard let id = step.target, var object = objects[id] else { return }
            var arguments = object.arguments
            for (name, value) in live(desired, step.address.type) where name != "tags" { arguments[name] = value }
            var tags = arguments["tags"]?.map ?? [:]
            for (key, value) in desired["tags"]?.map ?? [:] { tags[key] = value }
            arguments["tags"] = .map(tags)
            for key in (step.prior["tags"]?.map ?? [:]).keys where desired["tags"]?.map?[key] == nil {
                var tags = arguments["tags"]?.map ?? [:]
                tags[key] = nil
                arguments["tags"] = .map(tags)
            }
            object.arguments = arguments
            objects[id] = object
            write(step, id, desired)
        case .delete:
            guard let id = step.target else { return }
            let users = objects.filter { $0.value.arguments.values.contains { $0.mentions(id) } }
            let own = { (object: [String: Value]) in object["group_id"]?.string == id.rawValue }
            guard users.allSatisfy({ $0.value.type == SimulatedCloud.rule && own($0.value.arguments) }) else {
                throw Misfit(
                    "\(id) (\(step.address.name)) is deleted while it is used: "
                        + users.map { "\($0.key) \($0.value.arguments)" }.joined(separator: "; "), log)
            }
            for rule in users.keys { objects[rule] = nil }
            objects[id] = nil
            if step.isDeposed {
                snapshot.deposed[step.address]?.removeAll { $0.id == id }
                if snapshot.deposed[step.address]?.isEmpty ?? false { snapshot.deposed[step.address] = nil }
            } else {
                forget(step.address)
            }
        case .forget: forget(step.address)
        case .adopt:
            guard let id = step.target, let object = objects[id] else { return }
            write(step, id, object.arguments)
        case .move:
            if let old = step.previousAddress, var record = snapshot.records[old] {
                forget(old)
                record.address = step.address
                snapshot.records[step.address] = record
            }
        }
    }

    private mutating func forget(_ address: Address) {
        if let record = snapshot.records[address] { snapshot.versions[address] = record.version + 1 }
        snapshot.records[address] = nil
    }

    private mutating func write(_ step: Step, _ id: RemoteID, _ desired: [String: Value]) {
        let version = (snapshot.records[step.address]?.version ?? snapshot.versions[step.address] ?? 0) + 1
        var digests: [String: String] = [:]
        if let script = desired["script"] { digests["script"] = SimulatedCloud.digest(script) }
        var kept = desired
        if step.desired["script"]?.isTainted ?? false { kept["script"] = step.desired["script"] }
        snapshot.records[step.address] = ResourceRecord(
            address: step.address, id: id, scope: step.scope, arguments: kept, outputs: objects[id]?.outputs ?? [:],
            digests: digests, isProtected: step.isProtected, version: version, generation: step.generation,
            dependencies: step.dependencies)
        snapshot.versions[step.address] = version
    }

    private func live(_ desired: [String: Value], _ type: ResourceType) -> [String: Value] {
        var arguments = desired
        for argument in SimulatedCloud.catalog[type]?.arguments ?? [] where arguments[argument.name] == nil {
            if case .means(let value) = argument.absence { arguments[argument.name] = value }
        }
        return arguments
    }

    private func outputs(_ id: RemoteID) -> [String: Value] {
        ["id": .string(id.rawValue), "address": .string("10.0.0.\(made)")]
    }

    private func evaluate(_ value: Value) throws -> Value {
        try value.replacingDeferred { deferred in
            try Evaluator.evaluate(deferred.expression) { (leaf) throws(EvaluationFailure) -> Value? in
                switch leaf {
                case .output(let reference):
                    return snapshot.records[reference.address].flatMap {
                        $0.outputs[reference.output] ?? $0.arguments[reference.output]
                    }
                case .secret: return "hunter2"
                default: return nil
                }
            }
        }
    }

    static func digest(_ value: Value) -> String { "k:" + Digest.sha256(ValueJSON.encode(value)) }

    static let secrets = SecretDigests(text: { _ in "hunter2" }, digest: digest)

    // MARK: Planning against it

    func plan(
        _ declarations: [Declaration], outputs: [OutputDeclaration] = [],
        configure: (inout PlanningInput) -> Void = { _ in }
    ) throws -> PlanningResult {
        let stacks = Set(declarations.map(\.address.stack)).union(snapshot.records.keys.map(\.stack))
        let set = DeclarationSet(
            declarations: declarations, outputs: outputs,
            uses: Dictionary(stacks.map { ($0, []) }, uniquingKeysWith: { first, _ in first }))
        let linking = Linker.link(set, catalog: SimulatedCloud.catalog, sections: [])
        guard let spec = linking.spec else { throw linking.diagnostics[0] }
        var input = PlanningInput(
            workspace: "test", spec: spec, catalog: SimulatedCloud.catalog, snapshot: snapshot,
            observations: observations,
            scopes: Dictionary(stacks.map { ($0, SimulatedCloud.scope) }, uniquingKeysWith: { first, _ in first }),
            secrets: SimulatedCloud.secrets)
        configure(&input)
        let result = Planner.plan(input)
        if let circle = result.refusals.first(where: { $0.code == "plan.unorderable" }) {
            throw Misfit(circle.detail, log)
        }
        return result
    }
}

extension Value {
    func mentions(_ id: RemoteID) -> Bool {
        switch self {
        case .string(let text): text == id.rawValue
        case .list(let values): values.contains { $0.mentions(id) }
        default: false
        }
    }
}

// MARK: - Declarations

func address(_ type: ResourceType, _ name: String, stack: String = "s") -> Address {
    Address(stack: stack, type: type, name: name)
}

func output(_ address: Address, _ name: String = "id") -> Value {
    .deferred(Deferred(.output(OutputReference(address, name))))
}

func network(_ name: String = "main", cidr: String = "10.0.0.0/16", _ more: [String: Value] = [:]) -> Declaration {
    Declaration(
        address(SimulatedCloud.network, name), arguments: ["cidr": .string(cidr)].merging(more) { _, new in new })
}

func group(_ name: String, description: String = "", network: String? = nil) -> Declaration {
    var arguments: [String: Value] = ["name": .string(name)]
    if !description.isEmpty { arguments["description"] = .string(description) }
    if let network { arguments["network_id"] = output(address(SimulatedCloud.network, network)) }
    return Declaration(
        address(SimulatedCloud.group, name), arguments: arguments, exclusiveChildren: [SimulatedCloud.rule])
}

func rule(_ group: String, port: Int, from source: String) -> Declaration {
    Declaration(
        address(SimulatedCloud.rule, "\(group)/\(port)/\(source)"),
        arguments: [
            "group_id": output(address(SimulatedCloud.group, group)), "port": .integer(port),
            "source": source.contains("/") ? .string(source) : output(address(SimulatedCloud.group, source)),
        ])
}

func gateway(_ network: String = "main") -> Declaration {
    Declaration(
        address(SimulatedCloud.gateway, "way-\(network)"),
        arguments: ["network_id": output(address(SimulatedCloud.network, network))])
}

func store(_ arguments: [String: Value] = [:]) -> Declaration {
    Declaration(
        address(SimulatedCloud.store, "db"),
        arguments: ["engine": "a", "size": 1, "window": "mon:01:30-mon:02:30"].merging(arguments) { _, new in new })
}

func machine(_ name: String, _ arguments: [String: Value] = [:], serialGroup: String? = nil) -> Declaration {
    Declaration(
        address(SimulatedCloud.machine, name),
        arguments: ["image": "ami-1", "size": "small"].merging(arguments) { _, new in new },
        serialGroup: serialGroup)
}
