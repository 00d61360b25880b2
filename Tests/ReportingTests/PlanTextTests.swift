import MusterModel
import Reporting
import TestSupport
import Testing

struct PlanTextTests {
    @Test("A plan shows dangers first, then changes by stack, then its summary line")
    func everything() {
        expectGolden(PlanText.render(samplePlan()), named: "plan.txt")
    }

    @Test("Colour adds escape sequences and takes no character away")
    func colour() {
        let coloured = PlanText.render(samplePlan(), options: TextOptions(palette: .ansi))
        expectGolden(coloured.replacing("\u{1B}", with: "␛"), named: "plan-colour.txt")
        #expect(withoutColour(coloured) == PlanText.render(samplePlan()))
    }
}

func withoutColour(_ text: String) -> String { text.replacing(#/\u{1B}\[[0-9;]*m/#, with: "") }
