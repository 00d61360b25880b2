import MusterModel
import Simulation
import Testing

@Test("Scenarios by chance keep the four laws", arguments: [1])
func byChance(_ first: UInt64) {
    for seed in first..<(first + 20) {
        let verdict = Scenario.random(seed: seed).run()
        #expect(verdict.violations == [], "seed \(seed)")
    }
}
