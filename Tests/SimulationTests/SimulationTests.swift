import MusterModel
import Simulation
import Testing

@Test("Scenarios by chance keep the four laws", arguments: [1, 101, 201, 301])
func byChance(_ first: UInt64) {
    for seed in first..<(first + 10) {
        let verdict = Scenario.random(seed: seed).run()
        #expect(verdict.violations == [], "seed \(seed): make simulate SEED=\(seed) RUNS=1")
    }
}

@Test(
    "A run that stops at any boundary of a life is mended by the next",
    arguments: Life.all.filter { ["aws.vpc", "aws.dns_record", "aws.security_group_rule"].contains($0.type) })
func everyBoundary(_ life: Life) {
    let result = life.crashEverywhere()
    #expect(result.violations == [])
    #expect(result.count > 10)
}

@Test("Every type of the catalog has a life for each thing that can happen to it, and is in the random histories")
func everyType() {
    print(LifeTable.whole.text)
    for row in LifeTable.whole.rows {
        #expect(row.missing.isEmpty, "\(row.type): \(row.missing.map(\.rawValue).sorted())")
    }
    let met = Set(
        (UInt64(1)..<400).flatMap { Scenario.random(seed: $0).stages.flatMap(\.spec.resources).map(\.address.type) })
    for row in LifeTable.whole.rows { #expect(met.contains(row.type), "no random history has \(row.type)") }
}

@Test(
    "Lives that nobody disturbs end well and are complete",
    // A group runs empty before it goes, and a machine stops before it changes: AWS is asked again until then.
    arguments: Life.all.filter { !["aws.autoscaling_group", "aws.instance"].contains($0.type) })
func undisturbed(_ life: Life) {
    let verdict = life.scenario(crash: nil, lag: 0, making: 3).run()
    #expect(verdict.violations == [])
    #expect(verdict.oddities.filter { $0.hasPrefix("a hitch") || $0.hasPrefix("too early") } == [])
}

@Test("The same seed is the same history")
func repeats() {
    let first = Scenario.random(seed: 42).run()
    let second = Scenario.random(seed: 42).run()
    #expect(first.callCount == second.callCount)
    #expect(first.story == second.story)
}

@Test("A mistake that is planted is noticed, and a scenario is cut down to what shows it")
func plantedMistake() throws {
    let fault = try #require(PlantedFault.all.first { $0.description == "aws.vpc: its creation is never found" })
    #expect(fault.noticed() != nil)
}
