import MusterModel
import Reporting
import TestSupport
import Testing

struct DriftTextTests {
    @Test("Drift names the address, the attribute, the line of the spec, what was and what is")
    func everything() {
        expectGolden(DriftText.render(sampleDrift(), checkedCount: 54), named: "drift.txt")
    }

    @Test("Without drift there is one line")
    func none() {
        #expect(DriftText.render([], checkedCount: 54) == "No drift. 54 resources checked.\n")
        #expect(DriftText.render([], checkedCount: 1) == "No drift. 1 resource checked.\n")
    }
}
