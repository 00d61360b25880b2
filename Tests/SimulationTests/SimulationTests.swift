import Foundation
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
    arguments: Life.all.filter {
        ["aws.vpc", "aws.dns_record", "aws.security_group_rule", "rancher.api_key", "rancher.setting"].contains($0.type)
    })
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
    // A server has one way in at a time: this one has lives alone.
    let apart: ResourceType = "rancher.github_access_control"
    for row in LifeTable.whole.rows where row.type != apart {
        #expect(met.contains(row.type), "no random history has \(row.type)")
    }
}

@Test(
    "Lives that nobody disturbs end well and are complete",
    // A group runs empty before it goes, and a machine stops before it changes: AWS is asked again until then.
    arguments: Life.all.filter { !["aws.autoscaling_group", "aws.instance"].contains($0.type) })
func undisturbed(_ life: Life) {
    let verdict = life.scenario(crash: nil, lag: 0, making: 3).run()
    #expect(verdict.violations == [])
    // Rancher goes from state to state, and is asked again until it lets the next step happen.
    let isAskedAgain = life.type.provider == "rancher"
    #expect(verdict.oddities.filter { $0.hasPrefix("too early") || !isAskedAgain && $0.hasPrefix("a hitch") } == [])
}

@Test("Histories of Rancher alone keep the laws too", arguments: [1, 101])
func ofRancher(_ first: UInt64) {
    for seed in first..<(first + 8) {
        let verdict = Scenario.random(seed: seed, focus: "rancher").run()
        #expect(verdict.violations == [], "Simulate --types rancher --seed \(seed) --runs 1")
    }
}

@Test("What somebody else took just before stays theirs, and gives way when they say so", arguments: Life.ofRancher)
func claimed(_ life: Life) { #expect(life.claimed.run().violations == []) }

/// `Simulate` sees to it that dictionaries have one order, and says so itself when a seed is not the same run twice.
private let hasOneOrder = ProcessInfo.processInfo.environment["SWIFT_DETERMINISTIC_HASHING"] == "1"

@Test("The same seed is the same history", .enabled(if: hasOneOrder), arguments: ["", "rancher"])
func repeats(_ focus: String) {
    let first = Scenario.random(seed: 42, focus: focus).run()
    let second = Scenario.random(seed: 42, focus: focus).run()
    #expect(first.callCount == second.callCount)
    #expect(first.story == second.story)
}

@Test(
    "Mistakes about Rancher are noticed",
    arguments: [
        "rancher.registry: its mark is not sent", "rancher.setting: what somebody else set is not seen",
        "rancher.api_key: its creation is never found", "rancher.api_key: its secret is kept at another place",
    ])
func plantedInRancher(_ description: String) throws {
    let fault = try #require(PlantedFault.all.first { $0.description == description })
    #expect(fault.noticed() != nil)
}

@Test("A mistake that is planted is noticed, and a scenario is cut down to what shows it")
func plantedMistake() throws {
    let fault = try #require(PlantedFault.all.first { $0.description == "aws.vpc: its creation is never found" })
    #expect(fault.noticed() != nil)
}
