import ResourceGraph
import TestSupport
import Testing

@Suite struct GrowingGraphTests {
    /// What a search through everything says.
    private func reaches(_ dependencies: [Set<Int>], _ position: Int, _ other: Int) -> Bool {
        var seen: Set<Int> = [position]
        var open = [position]
        while let next = open.popLast() {
            if next == other { return true }
            for target in dependencies[next] where seen.insert(target).inserted { open.append(target) }
        }
        return false
    }

    /// Offers edges by chance, each the way it can be, and compares every answer.
    private func grow(_ start: [Set<Int>], _ offers: Int, _ random: inout SeededGenerator) {
        let late = Set(start.indices.filter { _ in Bool.random(using: &random) })
        var graph = GrowingGraph(start) { late.contains($0) }
        var plain = start
        for _ in 0..<offers {
            let position = Int.random(in: start.indices, using: &random)
            let other = Int.random(in: start.indices, using: &random)
            let isClosing = reaches(plain, other, position)
            guard graph.depends(other, on: position) == isClosing else {
                Issue.record("\(other) and \(position) in \(plain)")
                return
            }
            if isClosing { continue }
            graph.add(position, dependsOn: other)
            plain[position].insert(other)
        }
        #expect(graph.dependencies == plain)
    }

    @Test("A graph that grows answers as a search through everything does")
    func random() {
        var random = SeededGenerator.fromEnvironment("growing graph")
        for size in 1...30 {
            for _ in 0..<10 {
                let start: [Set<Int>] = (0..<size).map { position in
                    Set((0..<2).map { _ in Int.random(in: 0...position, using: &random) }.filter { $0 < position })
                }
                grow(start, size * 4, &random)
            }
        }
    }

    @Test("A graph with a circle answers too, and takes edges")
    func circle() {
        var random = SeededGenerator.fromEnvironment("growing graph with a circle")
        for size in 2...20 {
            var start: [Set<Int>] = Array(repeating: [], count: size)
            start[0] = [size - 1]
            start[size - 1] = [0]
            grow(start, size * 4, &random)
        }
    }

    @Test("A position depends on itself; an edge that is there is taken once")
    func same() {
        var graph = GrowingGraph([[], [0]]) { _ in false }
        graph.add(1, dependsOn: 0)
        #expect(graph.dependencies == [[], [0]])
        let answers = [graph.depends(0, on: 0), graph.depends(1, on: 0), graph.depends(0, on: 1)]
        #expect(answers == [true, true, false])
    }
}
