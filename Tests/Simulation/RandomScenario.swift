import MusterModel
import TestSupport

extension Scenario {
    /// A scenario by chance: the same seed, the same scenario.
    ///
    /// - Parameter focus: part of the names of the types that it is about; empty: all.
    package static func random(seed: UInt64, focus: String = "") -> Scenario {
        var random = SeededGenerator(seed: seed)
        var maker = SpecMaker(random: SeededGenerator(seed: seed ^ 0x5BEC))
        maker.focus = focus
        var scenario = Scenario(
            seed: seed, lag: random.pick([0, 0, 2, 15, 40]), making: random.pick([0, 5, 30]),
            deleting: random.pick([0, 5, 30]), stages: [])
        var spec = maker.make(size: Int.random(in: 2...9, using: &random))
        let rate = random.pick([0.0, 0.02, 0.05, 0.1, 0.25])
        for number in 0..<Int.random(in: 1...3, using: &random) {
            // Sometimes somebody takes the last edit back. In AWS a replacement that was cut short and is taken back may be
            // stuck: docs/reliability.md, "Where it ends".
            let isTakenBack =
                number > 1 && random.oneIn(3) && scenario.stages[number - 2].spec.isAlike(spec, in: "aws")
            if number > 0 { spec = isTakenBack ? scenario.stages[number - 2].spec : maker.edit(spec) }
            var stage = Stage(spec, runs: [], pause: random.pick([0, 1, 30, 600]))
            // What the network still holds of an earlier edit has come by then: docs/reliability.md, "Where it ends".
            let isLate = scenario.stages.last?.runs.contains { $0.troubles.values.contains(.lateEffect) } ?? false
            if isLate { stage.pause = max(stage.pause, 10) }
            // The last edit may be that everything goes.
            if number > 0, random.oneIn(8) { stage.spec = Spec() }
            let count = random.oneIn(4) ? 2 : 1
            for run in 0..<count {
                stage.runs.append(.random(&random, rate: rate, isSecond: run > 0))
            }
            let isOfRancher = spec.resources.contains { $0.address.type.provider == "rancher" }
            for _ in 0..<(random.oneIn(isOfRancher ? 2 : 3) ? 2 : 0) {
                if let edit = foreignEdit(spec, &random) { stage.foreign.append(edit) }
            }
            if isOfRancher, random.oneIn(2) { stage.foreignStart = Int.random(in: 0...6, using: &random) }
            scenario.stages.append(stage)
        }
        return scenario
    }

    /// Random specs and edits that nobody disturbs, in a cloud that hides nothing.
    package static func calm(seed: UInt64) -> Scenario {
        var random = SeededGenerator(seed: seed)
        var maker = SpecMaker(random: SeededGenerator(seed: seed ^ 0x5BEC))
        var scenario = Scenario(seed: seed, making: 5, deleting: 5, stages: [])
        var spec = maker.make(size: Int.random(in: 4...12, using: &random))
        for number in 0..<3 {
            if number > 0 { spec = maker.edit(spec) }
            scenario.stages.append(Stage(spec, runs: [Run(parallelism: 10)], pause: 600))
        }
        return scenario
    }

    private static func foreignEdit(_ spec: Spec, _ random: inout SeededGenerator) -> ForeignEdit? {
        guard !spec.resources.isEmpty else { return nil }
        let address = random.pick(spec.resources).address
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1: return .retag(address)
        case 2: return .delete(address)
        case 3: return .addChild(address)
        case 4: return .bystanders
        default: return .claim(address)
        }
    }
}

extension Scenario.Run {
    static func random(_ random: inout SeededGenerator, rate: Double, isSecond: Bool) -> Scenario.Run {
        var run = Scenario.Run()
        run.parallelism = random.pick([1, 2, 4, 10])
        if isSecond { run.start = Int.random(in: 0...40, using: &random) }
        switch Int.random(in: 0..<8, using: &random) {
        case 0..<4:
            run.crash = .call(Int.random(in: 0..<16, using: &random), random.pick(CrashPoint.CallBoundary.allCases))
        case 4, 5: run.crash = .write(Int.random(in: 0..<30, using: &random), isAfter: random.oneIn(2))
        case 6:
            run.freeze = Freeze(
                write: Int.random(in: 0..<24, using: &random), seconds: Int.random(in: 5...200, using: &random))
        default: break
        }
        if random.oneIn(10) { run.wallSkew = Int.random(in: -200...200, using: &random) }
        if rate > 0 {
            for call in 0..<250 where Double.random(in: 0..<1, using: &random) < rate {
                run.troubles[call] = random.pick(Trouble.allCases)
            }
        }
        return run
    }
}

extension Spec {
    /// True when both say the same of a provider's resources.
    fileprivate func isAlike(_ other: Spec, in provider: String) -> Bool {
        func said(_ spec: Spec) -> [Address: [String: Value]] {
            let own = spec.resources.filter { $0.address.type.provider == provider }
            return Dictionary(own.map { ($0.address, $0.arguments) }, uniquingKeysWith: { first, _ in first })
        }
        return said(self) == said(other)
    }
}
