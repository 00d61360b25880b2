import MusterModel

/// Names the dangers of a change.
enum HazardFinder {
    static func hazards(of item: Planner.Item) -> [Hazard] {
        guard let action = item.action else { return [] }
        var hazards: [Hazard] = []
        if action == .delete || action.isReplacement, !item.isDeposed {
            for kind in item.schema.deletionHazards { hazards.append(deletion(kind, item)) }
            if let name = item.deletionGuard {
                hazards.append(
                    Hazard(
                        .irreversible, item.address,
                        "\(name) protects it from being deleted; the protection is taken off first."))
            }
            for name in lostWith(item) {
                hazards.append(
                    Hazard(.dataLoss, item.address, "The data in its \(name) is deleted with it."))
            }
        }
        if action == .replaceDeleteFirst, item.schema.isServing {
            hazards.append(
                Hazard(.downtime, item.address, "It is deleted before its successor exists."))
        }
        if action == .update {
            for name in item.diff.changed where item.interrupts(name) {
                hazards.append(
                    Hazard(.downtime, item.address, "Changing \(name) stops it for a while."))
            }
        }
        if action == .create || action == .update || action == .adopt || action.isReplacement {
            for name in action == .update || action == .adopt ? item.diff.changed : Array(item.desired.keys).sorted() {
                guard let argument = item.schema.argument(name) else { continue }
                for kind in argument.hazards where applies(kind, name, item) {
                    hazards.append(Hazard(kind, item.address, sentence(kind, name, item)))
                }
                if action == .update, isWidened(argument, item) {
                    hazards.append(Hazard(.iamWidening, item.address, sentence(.iamWidening, name, item)))
                }
                if isExposed(argument, item) {
                    hazards.append(Hazard(.secretExposure, item.address, sentence(.secretExposure, name, item)))
                }
            }
        }
        return hazards
    }

    private static func deletion(_ kind: Hazard.Kind, _ item: Planner.Item) -> Hazard {
        let text =
            switch kind {
            case .dataLoss:
                ["Deleting it deletes the data that it holds.", item.keepsakeText].compactMap { $0 }
                    .joined(separator: " ")
            case .irreversible: "What the cloud chose for it (addresses, name servers) cannot be had again."
            case .downtime: "What relies on it stops working."
            case .publicExposure: "It keeps others out: without it, whoever reaches the place gets in."
            case .iamWidening, .secretExposure, .nameClash: "Deleting it is dangerous."
            }
        return Hazard(kind, item.address, text)
    }

    /// The arguments whose blocks hold data and go with the object, unless each is told to stay.
    private static func lostWith(_ item: Planner.Item) -> [String] {
        item.schema.arguments.filter { argument in
            guard let member = argument.deletesDataBy, let value = item.prior[argument.name] else { return false }
            // One block says what else is to be deleted; of several, each is deleted unless it says otherwise.
            if let block = value.map { return block[member] == .bool(true) }
            guard let blocks = value.list else { return false }
            return blocks.contains { $0.map?[member] != .bool(false) }
        }.map(\.name)
    }

    /// What exists already, and is relied on as it is, may do more or be used by more than was agreed to last. Putting
    /// back what somebody took away is no widening.
    private static func isWidened(_ argument: ArgumentSchema, _ item: Planner.Item) -> Bool {
        guard argument.semantics == .policyDocument, let wanted = item.desired[argument.name] else { return false }
        return PolicyDocument.grants(wanted, moreThan: item.record?.arguments[argument.name] ?? .null)
    }

    /// A secret in what the cloud shows to everyone who may describe the object: user data, a tag, a policy. What the
    /// cloud keeps to itself, such as a password, is not exposed.
    private static func isExposed(_ argument: ArgumentSchema, _ item: Planner.Item) -> Bool {
        guard !argument.isSensitive, argument.isReadable, argument.onChange != .local else { return false }
        return item.desired[argument.name]?.isTainted ?? false
    }

    private static func applies(_ kind: Hazard.Kind, _ name: String, _ item: Planner.Item) -> Bool {
        switch kind {
        case .publicExposure: break
        // What is new has no data to lose and nobody to disturb.
        case .dataLoss, .downtime, .irreversible: return item.action == .update
        case .iamWidening, .secretExposure, .nameClash: return true
        }
        if case .bool(let flag)? = item.desired[name] { return flag }
        return opensToTheWorld(item.desired, name) && !isPublicService(item.desired)
    }

    /// Reachable from anywhere is what web ports are for; every other port is asked about.
    private static func isPublicService(_ arguments: [String: Value]) -> Bool {
        guard let from = arguments["from_port"]?.integer, let to = arguments["to_port"]?.integer else {
            return isPing(arguments)
        }
        return isPing(arguments) || (from == to && (from == 80 || from == 443))
    }

    private static func isPing(_ arguments: [String: Value]) -> Bool {
        let name = arguments["protocol"]?.string?.lowercased() ?? ""
        return ["icmp", "icmpv6", "1", "58"].contains(name)
    }

    private static func opensToTheWorld(_ arguments: [String: Value], _ name: String) -> Bool {
        if let type = arguments["type"]?.string, type != "ingress" { return false }
        guard let text = arguments[name]?.string, let network = IPNetwork(text) else { return false }
        return network.prefixLength == 0
    }

    private static func sentence(_ kind: Hazard.Kind, _ name: String, _ item: Planner.Item) -> String {
        switch kind {
        case .publicExposure where item.desired[name] == true:
            return "\(name) gives it a public address."
        case .publicExposure:
            let from = item.desired["from_port"]?.integer
            let to = item.desired["to_port"]?.integer
            let ports =
                from == nil || from == -1
                ? "every port" : from == to ? "port \(from ?? 0)" : "ports \(from ?? 0)-\(to ?? 0)"
            return "It opens \(ports) to \(item.desired[name]?.string ?? "everyone")."
        case .dataLoss: return "Changing \(name) may lose data."
        case .downtime: return "Changing \(name) interrupts it."
        case .irreversible: return "Changing \(name) cannot be taken back."
        case .iamWidening: return "Changing \(name) grants more than before."
        case .secretExposure:
            let secrets = item.desired[name]?.secrets.map(\.name) ?? []
            let what = secrets.isEmpty ? "a secret" : "the secret \(secrets.joined(separator: ", "))"
            return "\(name) holds \(what): everyone who may describe the object can read it."
        case .nameClash: return "The name is taken."
        }
    }
}
