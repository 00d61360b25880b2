import MusterModel
import Planning
import TestSupport
import Testing

/// Law L1: after plan and apply, the plan is empty; whatever was there before, and whatever others did in between.
@Suite struct FixedPointTests {
    @Test("Plan, apply, plan is empty, over random edits and foreign edits")
    func fixedPoint() throws {
        var random = SeededGenerator.fromEnvironment("fixed point")
        for _ in 0..<150 {
            var cloud = SimulatedCloud()
            for _ in 0..<4 {
                let declarations = randomSpec(&random)
                try cloud.apply(cloud.plan(declarations).plan)
                let again = try cloud.plan(declarations).plan
                #expect(again.isEmpty, "\(again.changes) after \(declarations.map(\.address))")
                if !again.isEmpty { return }
                disturb(&cloud, &random)
            }
            let destroyed = try cloud.plan([]).plan
            try cloud.apply(destroyed)
            #expect(cloud.snapshot.records.isEmpty && cloud.snapshot.deposed.isEmpty)
        }
    }

    @Test("An apply that stops anywhere converges when it is planned and applied again")
    func interruption() throws {
        var random = SeededGenerator.fromEnvironment("interruption")
        for _ in 0..<150 {
            var cloud = SimulatedCloud()
            let before = randomSpec(&random)
            try cloud.apply(cloud.plan(before).plan)
            let after = randomSpec(&random)
            var half = try cloud.plan(after).plan
            half.steps = Array(half.steps.prefix(Int.random(in: 0...half.steps.count, using: &random)))
            try cloud.apply(half)
            try cloud.apply(cloud.plan(after).plan)
            let again = try cloud.plan(after).plan
            #expect(again.isEmpty, "\(again.changes)")
            let known = Set(cloud.snapshot.records.values.map(\.id))
            #expect(Set(cloud.objects.keys) == known, "orphans after an interruption")
        }
    }

    private func randomSpec(_ random: inout SeededGenerator) -> [Declaration] {
        var declarations: [Declaration] = []
        let networks = (0..<Int.random(in: 1...3, using: &random)).map { "n\($0)" }
        for name in networks {
            declarations.append(
                network(
                    name, cidr: "10.\(Int.random(in: 0...2, using: &random)).0.0/16",
                    Bool.random(using: &random) ? ["dns": .bool(Bool.random(using: &random))] : [:]))
            if Bool.random(using: &random) { declarations.append(gateway(name)) }
        }
        let groups = (0..<Int.random(in: 0...4, using: &random)).map { "g\($0)" }
        for name in groups {
            var declaration = group(
                name, description: Bool.random(using: &random) ? "words" : "",
                network: networks.randomElement(using: &random))
            if Bool.random(using: &random) {
                declaration.arguments["tags"] = ["t": .string("\(Int.random(in: 0...2, using: &random))")]
            }
            declarations.append(declaration)
            var rules: Set<String> = []
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let source = Bool.random(using: &random) ? groups.randomElement(using: &random) ?? name : "10.0.0.0/8"
                let declaration = rule(name, port: Int.random(in: 1...3, using: &random), from: source)
                if rules.insert(declaration.address.name).inserted { declarations.append(declaration) }
            }
        }
        for index in 0..<Int.random(in: 0...3, using: &random) {
            var declaration = machine(
                "m\(index)",
                [
                    "image": .string("ami-\(Int.random(in: 1...2, using: &random))"),
                    "size": .string(["small", "large"].randomElement(using: &random) ?? "small"),
                    "groups": .list(
                        groups.filter { _ in Bool.random(using: &random) }
                            .map { output(address(SimulatedCloud.group, $0)) }),
                ], serialGroup: "machines")
            let candidates = networks.map { output(address(SimulatedCloud.network, $0)) }
            declaration.arguments["network_id"] = candidates[index % candidates.count]
            declaration.candidates = ["network_id": candidates]
            declarations.append(declaration)
        }
        return declarations
    }

    private func disturb(_ cloud: inout SimulatedCloud, _ random: inout SeededGenerator) {
        guard let id = cloud.objects.keys.sorted().randomElement(using: &random) else { return }
        switch Int.random(in: 0...3, using: &random) {
        case 0 where cloud.objects[id]?.type == SimulatedCloud.rule: cloud.objects[id] = nil
        case 1: cloud.objects[id]?.arguments["tags"] = ["foreign": "1"]
        case 2 where cloud.objects[id]?.type == SimulatedCloud.machine: cloud.objects[id]?.arguments["size"] = "theirs"
        case 3:
            if let group = cloud.snapshot.records.values.filter({ $0.address.type == SimulatedCloud.group })
                .map(\.id).sorted().randomElement(using: &random)
            {
                cloud.objects["rul-foreign"] = (
                    SimulatedCloud.rule, ["group_id": .string(group.rawValue), "port": 9, "source": "0.0.0.0/0"], [:]
                )
            }
        default: break
        }
    }
}
