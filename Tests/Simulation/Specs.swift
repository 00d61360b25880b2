package import MusterModel
import ResourceGraph
import TestSupport

/// What a simulated workspace declares.
package struct Spec: Sendable, Equatable {
    package struct Resource: Sendable, Equatable {
        package var address: Address
        package var arguments: [String: Value]
        package var createsFirst: Bool?
        /// Owns the whole set of its children.
        package var isExclusive: Bool

        package init(
            _ address: Address, _ arguments: [String: Value], createsFirst: Bool? = nil, isExclusive: Bool = false
        ) {
            self.address = address
            self.arguments = arguments
            self.createsFirst = createsFirst
            self.isExclusive = isExclusive
        }

        /// The same with some arguments of another.
        func sharing(_ names: [String], with other: Resource) -> Resource {
            var resource = self
            for name in names { resource.arguments[name] = other.arguments[name] }
            return resource
        }

        /// The addresses that it takes values from.
        var dependencies: Set<Address> {
            var found: Set<Address> = []
            for value in arguments.values {
                value.visitDeferred { found.formUnion($0.outputs.map(\.address)) }
            }
            return found
        }
    }

    package var resources: [Resource]

    package init(_ resources: [Resource] = []) { self.resources = resources }

    func linked(_ catalog: Catalog) -> LinkedSpec? {
        let declarations = resources.map { resource in
            var declaration = Declaration(resource.address, arguments: resource.arguments)
            declaration.lifecycle.createBeforeDestroy = resource.createsFirst
            if resource.isExclusive {
                declaration.exclusiveChildren = Spec.children[resource.address.type] ?? []
                if resource.address.type == "aws.security_group" {
                    declaration.toleratedChildren = [
                        "aws.security_group_rule": [
                            ["type": "egress", "protocol": "-1", "cidr_ipv4": "0.0.0.0/0"]
                        ]
                    ]
                }
            }
            return declaration
        }
        let stacks = Set(resources.map(\.address.stack)).sorted()
        let uses = Dictionary(uniqueKeysWithValues: stacks.map { stack in (stack, stacks.filter { $0 != stack }) })
        return Linker.link(DeclarationSet(declarations: declarations, uses: uses), catalog: catalog, sections: []).spec
    }

    private static let children: [ResourceType: [ResourceType]] = [
        "aws.security_group": ["aws.security_group_rule"], "aws.route_table": ["aws.route"],
        "aws.iam_role": ["aws.iam_role_policy", "aws.iam_role_policy_attachment"],
    ]

    /// Without a resource and without all that needs it.
    func without(_ address: Address) -> Spec {
        var gone: Set<Address> = [address]
        var rest = resources.filter { $0.address != address }
        while let index = rest.firstIndex(where: { !$0.dependencies.isDisjoint(with: gone) }) {
            gone.insert(rest.remove(at: index).address)
        }
        return Spec(rest)
    }
}

package func output(_ address: Address, _ name: String = "id") -> Value {
    .deferred(Deferred(.output(OutputReference(address, name))))
}

/// Makes specs and edits them, by chance.
struct SpecMaker {
    var random: SeededGenerator
    /// Never used twice, so that networks and ports do not clash.
    private var counter = 0
    /// How much more often than otherwise something of Rancher is drawn.
    private var leaning = 1
    /// Part of the names of the types that are drawn, beside what they need; empty: all.
    var focus = ""

    init(random: SeededGenerator) { self.random = random }

    private static let kinds: [(type: ResourceType, weight: Int)] =
        [
            ("aws.vpc", 3), ("aws.subnet", 5), ("aws.internet_gateway", 2), ("aws.route_table", 3), ("aws.route", 3),
            ("aws.route_table_association", 3), ("aws.security_group", 4), ("aws.security_group_rule", 5),
            ("aws.eip", 2), ("aws.nat_gateway", 2), ("aws.key_pair", 2), ("aws.instance", 3), ("aws.iam_role", 3),
            ("aws.iam_role_policy", 2), ("aws.iam_role_policy_attachment", 2), ("aws.iam_instance_profile", 2),
            ("aws.hosted_zone", 2), ("aws.dns_record", 3),
        ] + Recipe.all.map { ($0.type, $0.weight) }
    static var types: [ResourceType] { kinds.map(\.type) }

    mutating func make(size: Int) -> Spec {
        var spec = Spec()
        leaning = random.pick([0, 1, 6])
        var attempts = 0
        while spec.resources.count < size, attempts < size * 8 {
            attempts += 1
            grow(randomType(), &spec)
        }
        return spec
    }

    /// Adds a resource, and before it what it needs and is not there; nothing where even that cannot be made.
    mutating func grow(_ type: ResourceType, _ spec: inout Spec) {
        let needs = Recipe.of(type)?.needs.map(\.type) ?? SpecMaker.needs[type] ?? []
        for needed in needs where existing(needed, spec).isEmpty { grow(needed, &spec) }
        if let new = newResource(type, in: spec) { spec.resources.append(new) }
    }

    /// One more of a type.
    mutating func add(_ type: ResourceType, _ spec: inout Spec) {
        for needed in SpecMaker.needs[type] ?? [] where existing(needed, spec).isEmpty { grow(needed, &spec) }
        if let new = newResource(type, in: spec) { spec.resources.append(new) }
    }

    /// What the types need that have no recipe.
    static let needs: [ResourceType: [ResourceType]] = [
        "aws.subnet": ["aws.vpc"], "aws.internet_gateway": ["aws.vpc"], "aws.route_table": ["aws.vpc"],
        "aws.route": ["aws.vpc", "aws.internet_gateway", "aws.route_table"],
        "aws.route_table_association": ["aws.vpc", "aws.subnet", "aws.route_table"],
        "aws.security_group": ["aws.vpc"], "aws.security_group_rule": ["aws.vpc", "aws.security_group"],
        "aws.nat_gateway": ["aws.vpc", "aws.subnet", "aws.eip"], "aws.instance": ["aws.vpc", "aws.subnet"],
        "aws.iam_role_policy": ["aws.iam_role"], "aws.iam_role_policy_attachment": ["aws.iam_role"],
        "aws.iam_instance_profile": ["aws.iam_role"], "aws.dns_record": ["aws.hosted_zone"],
    ]

    private mutating func randomType() -> ResourceType {
        let leaning = leaning
        let focus = focus
        func weight(_ kind: (type: ResourceType, weight: Int)) -> Int {
            if !focus.isEmpty { return kind.type.rawValue.contains(focus) ? kind.weight : 0 }
            return kind.type.provider == "rancher" ? kind.weight * leaning : kind.weight
        }
        let all = max(1, SpecMaker.kinds.reduce(0) { $0 + weight($1) })
        var left = Int.random(in: 0..<all, using: &random)
        for kind in SpecMaker.kinds {
            left -= weight(kind)
            if left < 0 { return kind.type }
        }
        return "aws.vpc"
    }

    mutating func edit(_ spec: Spec) -> Spec {
        var spec = spec
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<3:
                grow(randomType(), &spec)
            case 3..<5 where !spec.resources.isEmpty:
                spec = spec.without(random.pick(spec.resources).address)
            default:
                guard !spec.resources.isEmpty else { break }
                let index = Int.random(in: 0..<spec.resources.count, using: &random)
                change(&spec.resources[index], in: spec)
            }
        }
        return spec
    }

    mutating func next() -> Int {
        counter += 1
        return counter
    }

    private func existing(_ type: ResourceType, _ spec: Spec) -> [Spec.Resource] {
        spec.resources.filter { $0.address.type == type }
    }

    private mutating func pick(_ type: ResourceType, _ spec: Spec) -> Address? {
        let all = existing(type, spec)
        return all.isEmpty ? nil : random.pick(all).address
    }

    private mutating func tags() -> Value {
        .map(["k": .string(["a", "b", "c"][Int.random(in: 0..<3, using: &random)])])
    }

    private func freeName(_ type: ResourceType, _ prefix: String, _ spec: Spec) -> String {
        let taken = Set(existing(type, spec).map(\.address.name))
        var number = 0
        while taken.contains("\(prefix)\(number)") { number += 1 }
        return "\(prefix)\(number)"
    }

    private func policy(_ action: String) -> Value {
        .map([
            "Version": "2012-10-17",
            "Statement": .list([.map(["Effect": "Allow", "Action": .string(action), "Resource": "*"])]),
        ])
    }

    private static let trust: Value = .map([
        "Version": "2012-10-17",
        "Statement": .list([
            .map([
                "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": .map(["Service": "ec2.amazonaws.com"]),
            ])
        ]),
    ])

    /// A new resource of the type; nil when the spec has not what it needs.
    mutating func newResource(_ type: ResourceType, in spec: Spec) -> Spec.Resource? {
        let isOfApp = ["aws.instance", "aws.dns_record", "aws.key_pair", "aws.nat_gateway", "aws.eip"].contains(type)
        let stack = Recipe.of(type)?.stack ?? (isOfApp ? "app" : "net")
        func address(_ name: String) -> Address { Address(stack: stack, type: type, name: name) }
        let kind = String(type.rawValue.split(separator: ".").last ?? "")
        let name = freeName(type, kind, spec)
        var resource: Spec.Resource
        switch type {
        case "aws.vpc":
            if existing(type, spec).count >= 2 { return nil }
            resource = Spec.Resource(
                address(name), ["cidr_block": .string("10.\(next() % 250).0.0/16"), "tags": tags()])
            if random.oneIn(2) { resource.arguments["enable_dns_hostnames"] = true }
        case "aws.subnet":
            guard let vpc = pick("aws.vpc", spec) else { return nil }
            resource = Spec.Resource(
                address(name),
                ["vpc_id": output(vpc), "cidr_block": .string("10.0.\(next() % 250).0/24"), "tags": tags()])
            if random.oneIn(2) { resource.arguments["map_public_ip_on_launch"] = true }
        case "aws.internet_gateway":
            let taken = Set(existing(type, spec).flatMap(\.dependencies))
            guard let vpc = existing("aws.vpc", spec).map(\.address).first(where: { !taken.contains($0) }) else {
                return nil
            }
            resource = Spec.Resource(address(name), ["vpc_id": output(vpc), "tags": tags()])
        case "aws.route_table":
            guard let vpc = pick("aws.vpc", spec) else { return nil }
            resource = Spec.Resource(
                address(name), ["vpc_id": output(vpc), "tags": tags()], isExclusive: random.oneIn(2))
        case "aws.route":
            // A gateway that is attached to the table's own network.
            guard let table = pick("aws.route_table", spec),
                let vpc = existing("aws.route_table", spec).first(where: { $0.address == table })?.dependencies.first,
                let gateway = existing("aws.internet_gateway", spec).first(where: { $0.dependencies.contains(vpc) })
            else { return nil }
            resource = Spec.Resource(
                address(name),
                [
                    "route_table_id": output(table), "destination_cidr_block": .string("172.16.\(next() % 250).0/24"),
                    "gateway_id": output(gateway.address),
                ])
        case "aws.route_table_association":
            let taken = Set(existing(type, spec).flatMap(\.dependencies))
            guard let table = existing("aws.route_table", spec).randomElement(using: &random),
                let vpc = table.dependencies.first,
                let subnet = existing("aws.subnet", spec).first(where: {
                    $0.dependencies.contains(vpc) && !taken.contains($0.address)
                })
            else { return nil }
            resource = Spec.Resource(
                address(name), ["subnet_id": output(subnet.address), "route_table_id": output(table.address)])
        case "aws.security_group":
            guard let vpc = pick("aws.vpc", spec) else { return nil }
            resource = Spec.Resource(
                address(name),
                ["name": .string(name), "vpc_id": output(vpc), "description": "one", "tags": tags()],
                isExclusive: random.oneIn(2))
            if random.oneIn(3) { resource.arguments["default_egress"] = "revoke" }
        case "aws.security_group_rule":
            guard let group = pick("aws.security_group", spec) else { return nil }
            let port = next() % 60_000 + 1
            resource = Spec.Resource(
                address(name),
                [
                    "security_group_id": output(group), "type": random.oneIn(4) ? "egress" : "ingress",
                    "protocol": "tcp", "from_port": .integer(port), "to_port": .integer(port),
                ])
            if random.oneIn(3), let source = pick("aws.security_group", spec) {
                resource.arguments["referenced_security_group_id"] = output(source)
            } else {
                resource.arguments["cidr_ipv4"] = "10.0.0.0/8"
            }
            if random.oneIn(2) { resource.arguments["tags"] = tags() }
            // Often one that shares its call with another.
            if let other = existing(type, spec).randomElement(using: &random), random.oneIn(2) {
                resource = resource.sharing(["security_group_id", "type", "tags"], with: other)
            }
        case "aws.eip":
            resource = Spec.Resource(address(name), ["domain": "vpc", "tags": tags()])
        case "aws.nat_gateway":
            let taken = Set(existing(type, spec).flatMap(\.dependencies))
            guard let address0 = existing("aws.eip", spec).map(\.address).first(where: { !taken.contains($0) }),
                let subnet = pick("aws.subnet", spec)
            else { return nil }
            resource = Spec.Resource(
                address(name), ["subnet_id": output(subnet), "allocation_id": output(address0), "tags": tags()])
        case "aws.key_pair":
            resource = Spec.Resource(
                address(name),
                ["key_name": .string(name), "public_key": .string("ssh-ed25519 KEY\(next())"), "tags": tags()],
                createsFirst: random.oneIn(2) ? true : nil)
        case "aws.instance":
            guard let subnet = pick("aws.subnet", spec) else { return nil }
            resource = Spec.Resource(
                address(name),
                ["ami": "ami-1", "instance_type": "t3.small", "subnet_id": output(subnet), "tags": tags()],
                createsFirst: random.oneIn(3) ? true : nil)
            let vpc = existing("aws.subnet", spec).first { $0.address == subnet }?.dependencies.first
            let groups = existing("aws.security_group", spec).filter { group in
                vpc.map { group.dependencies.contains($0) } ?? false
            }
            if let group = groups.randomElement(using: &random) {
                resource.arguments["vpc_security_group_ids"] = .list([output(group.address)])
            }
            if random.oneIn(2), let key = pick("aws.key_pair", spec) {
                resource.arguments["key_name"] = output(key, "key_name")
            }
            let profiles = existing("aws.iam_instance_profile", spec).filter { $0.arguments["role"] != nil }
            if random.oneIn(2), let profile = profiles.randomElement(using: &random) {
                resource.arguments["iam_instance_profile"] = output(profile.address, "name")
            }
            if random.oneIn(2) { resource.arguments["user_data"] = .string("#!/bin/sh\necho \(next())\n") }
        case "aws.iam_role":
            resource = Spec.Resource(
                address(name), ["name": .string(name), "assume_role_policy": SpecMaker.trust, "tags": tags()],
                isExclusive: random.oneIn(2))
            if random.oneIn(2) { resource.arguments["description"] = "first" }
        case "aws.iam_role_policy":
            guard let role = pick("aws.iam_role", spec) else { return nil }
            resource = Spec.Resource(
                address(name), ["role": output(role, "name"), "name": .string(name), "policy": policy("s3:Get*")])
        case "aws.iam_role_policy_attachment":
            guard let role = pick("aws.iam_role", spec) else { return nil }
            resource = Spec.Resource(
                address(name),
                ["role": output(role, "name"), "policy_arn": .string("arn:aws:iam::aws:policy/P\(next())")])
        case "aws.iam_instance_profile":
            guard let role = pick("aws.iam_role", spec) else { return nil }
            resource = Spec.Resource(
                address(name), ["name": .string(name), "role": output(role, "name"), "tags": tags()])
        case "aws.hosted_zone":
            if existing(type, spec).count >= 2 { return nil }
            resource = Spec.Resource(
                address(name), ["name": .string("\(name.filter { $0 != "_" }).example.com"), "tags": tags()])
        case "aws.dns_record":
            guard let zone = pick("aws.hosted_zone", spec) else { return nil }
            resource = Spec.Resource(
                address(name),
                [
                    "zone_id": output(zone), "name": .string("\(name.filter { $0 != "_" }).example.com"), "type": "A",
                    "ttl": 60, "records": .list(["192.0.2.1"]),
                ])
            if random.oneIn(2), let instance = pick("aws.instance", spec) {
                resource.arguments["records"] = .list([output(instance, "private_ip")])
            }
        default:
            guard let recipe = Recipe.of(type), existing(type, spec).count < recipe.limit else { return nil }
            resource = Spec.Resource(address(name), recipe.says(name, next()))
            // Of two needs of one type both are the same one.
            var chosen: [ResourceType: Address] = [:]
            for need in recipe.needs {
                guard let found = chosen[need.type] ?? pick(need.type, spec) else { return nil }
                chosen[need.type] = found
                recipe.value(need, found, in: &resource.arguments)
            }
            if let argument = recipe.placedBy, let need = recipe.needs.first(where: { $0.argument == argument }) {
                let neighbour = spec.resources.first { $0.address == chosen[need.type] }
                resource.arguments["environment"] = neighbour?.arguments["environment"]
            }
            // What is known by what it joins cannot be there twice.
            if existing(type, spec).contains(where: { $0.arguments == resource.arguments }) { return nil }
            if recipe.hasTags { resource.arguments["tags"] = tags() }
        }
        return resource
    }

    /// Others that one call serves together with a resource; none where a call serves one.
    mutating func company(of resource: Spec.Resource, in spec: Spec) -> [Spec.Resource] {
        guard let batching = Muster.catalog[resource.address.type]?.batching else { return [] }
        var spec = spec
        var company: [Spec.Resource] = []
        for _ in 0..<2 {
            guard let other = newResource(resource.address.type, in: spec) else { continue }
            company.append(other.sharing(batching.creation, with: resource))
            spec.resources += company.suffix(1)
        }
        return company
    }

    /// Changes something about a resource: what can be changed in place, or what forces a replacement.
    mutating func change(_ resource: inout Spec.Resource, in spec: Spec, replaces: Bool? = nil) {
        let isReplacement = replaces ?? random.oneIn(3)
        let hasSecret = resource.arguments.values.contains(where: \.isTainted)
        if !isReplacement, !hasSecret, resource.arguments["tags"] != nil, random.oneIn(2) {
            let before = resource.arguments["tags"]
            while resource.arguments["tags"] == before { resource.arguments["tags"] = tags() }
            return
        }
        let number = next()
        switch (resource.address.type.rawValue, isReplacement) {
        case ("aws.vpc", true): resource.arguments["cidr_block"] = .string("10.\(number % 250).0.0/16")
        case ("aws.vpc", false):
            resource.arguments["enable_dns_hostnames"] =
                resource.arguments["enable_dns_hostnames"] == true ? false : true
        case ("aws.subnet", true): resource.arguments["cidr_block"] = .string("10.0.\(number % 250).0/24")
        case ("aws.subnet", false):
            resource.arguments["map_public_ip_on_launch"] =
                resource.arguments["map_public_ip_on_launch"] == true ? false : true
        case ("aws.security_group", true): resource.arguments["description"] = .string("text \(number)")
        case ("aws.security_group_rule", true):
            resource.arguments["type"] = resource.arguments["type"] == "egress" ? "ingress" : "egress"
        case ("aws.security_group_rule", false):
            if random.oneIn(2) {
                resource.arguments["description"] = .string("rule \(number)")
            } else {
                let port = number % 60_000 + 1
                resource.arguments["from_port"] = .integer(port)
                resource.arguments["to_port"] = .integer(port)
            }
        case ("aws.route", true):
            resource.arguments["destination_cidr_block"] = .string("172.16.\(number % 250).0/24")
        case ("aws.key_pair", true): resource.arguments["public_key"] = .string("ssh-ed25519 KEY\(number)")
        case ("aws.instance", true): resource.arguments["ami"] = .string("ami-\(number)")
        case ("aws.instance", false):
            if random.oneIn(2) {
                resource.arguments["instance_type"] =
                    resource.arguments["instance_type"] == "t3.small" ? "t3.large" : "t3.small"
            } else {
                resource.arguments["user_data"] = .string("#!/bin/sh\necho \(number)\n")
            }
        case ("aws.iam_role", true): resource.arguments["path"] = .string("/p\(number)/")
        case ("aws.iam_role", false): resource.arguments["description"] = .string("text \(number)")
        case ("aws.iam_role_policy", true): resource.arguments["name"] = .string("policy\(number)")
        case ("aws.iam_role_policy", false): resource.arguments["policy"] = policy("s3:List\(number)")
        case ("aws.iam_role_policy_attachment", true):
            resource.arguments["policy_arn"] = .string("arn:aws:iam::aws:policy/P\(number)")
        case ("aws.iam_instance_profile", true): resource.arguments["path"] = .string("/p\(number)/")
        case ("aws.hosted_zone", true): resource.arguments["name"] = .string("z\(number).example.com")
        case ("aws.hosted_zone", false): resource.arguments["comment"] = .string("text \(number)")
        case ("aws.dns_record", true): resource.arguments["name"] = .string("r\(number).example.com")
        case ("aws.dns_record", false): resource.arguments["ttl"] = .integer(60 + number)
        case ("aws.route", false):
            let nats = existing("aws.nat_gateway", spec)
            guard resource.arguments["gateway_id"] != nil, let nat = nats.first else { break }
            resource.arguments["gateway_id"] = nil
            resource.arguments["nat_gateway_id"] = output(nat.address)
        case ("aws.route_table_association", false):
            let now = resource.dependencies
            guard let table = existing("aws.route_table", spec).first(where: { now.contains($0.address) }),
                let other = existing("aws.route_table", spec).first(where: {
                    $0.address != table.address && $0.dependencies == table.dependencies
                })
            else { break }
            resource.arguments["route_table_id"] = output(other.address)
        case ("aws.eip", true): resource.arguments["network_border_group"] = .string("us-east-1-wl1-\(number)")
        default:
            guard let recipe = Recipe.of(resource.address.type) else { break }
            (isReplacement ? recipe.replaced : recipe.updated)?(&resource.arguments, number)
        }
    }
}
