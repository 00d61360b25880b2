import MusterModel

extension Scenario {
    /// The smallest scenario found that still breaks a law, in at most so many runs.
    package func shrunk(limit: Int = 400) -> Scenario { shrunk(limit: limit) { !$0.run().violations.isEmpty } }

    func shrunk(limit: Int, fails: (Scenario) -> Bool) -> Scenario {
        var best = self
        var left = limit
        func attempt(_ candidate: Scenario) -> Bool {
            guard left > 0, candidate != best else { return false }
            left -= 1
            guard fails(candidate) else { return false }
            best = candidate
            return true
        }
        var isSmaller = true
        while isSmaller, left > 0 {
            isSmaller = false
            for candidate in best.simpler() where attempt(candidate) {
                isSmaller = true
                break
            }
        }
        return best
    }

    /// Scenarios that are a little less, the boldest first.
    private func simpler() -> [Scenario] {
        var result: [Scenario] = []
        func add(_ change: (inout Scenario) -> Void) {
            var copy = self
            change(&copy)
            if copy != self { result.append(copy) }
        }
        for index in stages.indices where stages.count > 1 { add { $0.stages.remove(at: index) } }
        for index in stages.indices {
            if stages[index].runs.count > 1 {
                for run in stages[index].runs.indices { add { $0.stages[index].runs.remove(at: run) } }
            }
            if !stages[index].foreign.isEmpty {
                add { $0.stages[index].foreign = [] }
                add { $0.stages[index].foreignStart = nil }
                for edit in stages[index].foreign.indices { add { $0.stages[index].foreign.remove(at: edit) } }
            }
            for run in stages[index].runs.indices {
                let troubles = stages[index].runs[run].troubles.keys.sorted()
                if !troubles.isEmpty { add { $0.stages[index].runs[run].troubles = [:] } }
                if troubles.count > 2 {
                    let half = Set(troubles.prefix(troubles.count / 2))
                    add {
                        $0.stages[index].runs[run].troubles = $0.stages[index].runs[run].troubles.filter {
                            half.contains($0.key)
                        }
                    }
                    add {
                        $0.stages[index].runs[run].troubles = $0.stages[index].runs[run].troubles.filter {
                            !half.contains($0.key)
                        }
                    }
                }
            }
        }
        // A resource of every stage, with what needs it.
        var addresses: Set<Address> = []
        for stage in stages { addresses.formUnion(stage.spec.resources.map(\.address)) }
        for address in addresses.sorted() {
            add { copy in
                for index in copy.stages.indices { copy.stages[index].spec = copy.stages[index].spec.without(address) }
            }
        }
        for index in stages.indices {
            for run in stages[index].runs.indices {
                add { $0.stages[index].runs[run].crash = nil }
                add { $0.stages[index].runs[run].freeze = nil }
                add { $0.stages[index].runs[run].wallSkew = 0 }
                add { $0.stages[index].runs[run].parallelism = 1 }
                add { $0.stages[index].runs[run].start = 0 }
                let troubles = stages[index].runs[run].troubles.keys.sorted()
                if troubles.count <= 12 {
                    for call in troubles { add { $0.stages[index].runs[run].troubles[call] = nil } }
                }
            }
        }
        add { $0.lag = 0 }
        add { $0.making = 0 }
        add { $0.deleting = 0 }
        for index in stages.indices {
            for resource in stages[index].spec.resources.indices {
                for name in stages[index].spec.resources[resource].arguments.keys.sorted() where name == "tags" {
                    add { copy in
                        for index in copy.stages.indices {
                            for resource in copy.stages[index].spec.resources.indices {
                                copy.stages[index].spec.resources[resource].arguments[name] = nil
                            }
                        }
                    }
                }
            }
        }
        return result
    }
}

// MARK: - As a test

extension Scenario {
    /// The scenario as Swift, ready to be kept as a regression test.
    package func regressionTest(_ violations: [String]) -> String {
        var text = "@Test(\"Seed \(seed): \(violations.first.map { String($0.prefix(80)) } ?? "")\")\n"
        text += "func seed\(seed)() {\n    let scenario = Scenario(\n"
        text += "        seed: \(seed), lag: \(lag), making: \(making), deleting: \(deleting), window: \(window),\n"
        text +=
            "        stages: [\n" + stages.map { "            " + $0.swift }.joined(separator: ",\n") + "\n        ])\n"
        text += "    #expect(scenario.run().violations == [])\n}\n"
        return text
    }
}

extension Scenario.Stage {
    fileprivate var swift: String {
        let resources = spec.resources.map(\.swift).joined(separator: ",\n                ")
        var text = "Scenario.Stage(\n                Spec([\n                \(resources)\n                ])"
        if !foreign.isEmpty { text += ",\n                foreign: [\(foreign.map(\.swift).joined(separator: ", "))]" }
        text += ",\n                runs: [\(runs.map(\.swift).joined(separator: ", "))], pause: \(pause)"
        if let foreignStart { text += ", foreignStart: \(foreignStart)" }
        return text + ")"
    }
}

extension Scenario.Run {
    fileprivate var swift: String {
        var parts: [String] = []
        switch crash {
        case .call(let number, let boundary): parts.append("crash: .call(\(number), .\(boundary.rawValue))")
        case .write(let number, let isAfter): parts.append("crash: .write(\(number), isAfter: \(isAfter))")
        case nil: break
        }
        if let freeze { parts.append("freeze: Freeze(write: \(freeze.write), seconds: \(freeze.seconds))") }
        if !troubles.isEmpty {
            let entries = troubles.sorted { $0.key < $1.key }.map { "\($0.key): .\($0.value.rawValue)" }
            parts.append("troubles: [\(entries.joined(separator: ", "))]")
        }
        if start != 0 { parts.append("start: \(start)") }
        parts.append("parallelism: \(parallelism)")
        if wallSkew != 0 { parts.append("wallSkew: \(wallSkew)") }
        return "Scenario.Run(\(parts.joined(separator: ", ")))"
    }
}

extension ForeignEdit {
    fileprivate var swift: String {
        switch self {
        case .retag(let address): ".retag(\(address.swift))"
        case .delete(let address): ".delete(\(address.swift))"
        case .addChild(let address): ".addChild(\(address.swift))"
        case .bystanders: ".bystanders"
        case .claim(let address): ".claim(\(address.swift))"
        }
    }
}

extension Address {
    fileprivate var swift: String { "Address(stack: \"\(stack)\", type: \"\(type)\", name: \"\(name)\")" }
}

extension Spec.Resource {
    fileprivate var swift: String {
        let entries = arguments.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value.swift)" }
        var text = "Spec.Resource(\(address.swift), [\(entries.isEmpty ? ":" : entries.joined(separator: ", "))]"
        if let createsFirst { text += ", createsFirst: \(createsFirst)" }
        if isExclusive { text += ", isExclusive: true" }
        return text + ")"
    }
}

extension Value {
    fileprivate var swift: String {
        switch self {
        case .string(let text): "\(text.debugDescription)"
        case .integer(let number): "\(number)"
        case .bool(let flag): "\(flag)"
        case .list(let values): ".list([\(values.map(\.swift).joined(separator: ", "))])"
        case .map(let values):
            ".map([\(values.isEmpty ? ":" : values.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value.swift)" }.joined(separator: ", "))])"
        case .deferred(let deferred):
            deferred.outputs.sorted().first.map { "output(\($0.address.swift), \"\($0.output)\")" } ?? ".null"
        default: ".null"
        }
    }
}
