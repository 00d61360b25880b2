import Diagnostics
import MusterModel
import ResourceGraph
import TestSupport
import Testing

@Suite struct TopologicalOrderTests {
    @Test("Dependencies come first, and among equals the smallest")
    func order() {
        #expect(TopologicalOrder.sort(dependencies: [[2], [], [1], []]) == [1, 2, 0, 3])
        #expect(TopologicalOrder.sort(dependencies: []) == [])
    }

    @Test("A cycle has no order, and is named as a shortest way round")
    func cycle() {
        let graph = [[1], [2, 3], [0], [1], []]
        #expect(TopologicalOrder.sort(dependencies: graph) == nil)
        #expect(TopologicalOrder.cycle(dependencies: graph) == [0, 1, 2])
        #expect(TopologicalOrder.cycle(dependencies: [[0]]) == [0])
        #expect(TopologicalOrder.cycle(dependencies: [[], [0]]) == [])
    }

    @Test("Every graph of four nodes is ordered, or has a cycle that is one")
    func enumerate() {
        let pairs = (0..<4).flatMap { from in (0..<4).map { (from, $0) } }.filter { $0.0 != $0.1 }
        for mask in 0..<(1 << pairs.count) {
            var graph: [[Int]] = Array(repeating: [], count: 4)
            for (bit, pair) in pairs.enumerated() where mask & (1 << bit) != 0 { graph[pair.0].append(pair.1) }
            if let order = TopologicalOrder.sort(dependencies: graph) {
                var rank = [0, 0, 0, 0]
                for (position, node) in order.enumerated() { rank[node] = position }
                #expect(graph.indices.allSatisfy { node in graph[node].allSatisfy { rank[$0] < rank[node] } })
            } else {
                let cycle = TopologicalOrder.cycle(dependencies: graph)
                #expect(!cycle.isEmpty)
                for (node, next) in zip(cycle, cycle.dropFirst() + cycle.prefix(1)) {
                    #expect(graph[node].contains(next))
                }
            }
        }
    }

    @Test("Random graphs of a thousand nodes keep every edge")
    func random() {
        var random = SeededGenerator.fromEnvironment("topological order")
        let graph = (0..<1000).map { node in
            node == 0 ? [] : (0..<3).map { _ in Int.random(in: 0..<node, using: &random) }
        }
        let order = TopologicalOrder.sort(dependencies: graph) ?? []
        var rank = Array(repeating: 0, count: graph.count)
        for (position, node) in order.enumerated() { rank[node] = position }
        #expect(order.count == graph.count)
        #expect(graph.indices.allSatisfy { node in graph[node].allSatisfy { rank[$0] < rank[node] } })
    }
}

@Suite struct LinkerTests {
    private static let catalog = Catalog(
        resources: [
            ResourceSchema(
                type: "aws.vpc", summary: "", arguments: [ArgumentSchema("cidr_block", .string, "")],
                outputs: [OutputSchema("id", .string, "")], importSyntax: ""),
            ResourceSchema(
                type: "aws.subnet", summary: "",
                arguments: [ArgumentSchema("vpc_id", .string, ""), ArgumentSchema("cidr_block", .string, "")],
                outputs: [OutputSchema("id", .string, "")], importSyntax: ""),
        ], lookups: [])
    private static let sections = [
        SectionSchema(name: "vpc", summary: "", fields: [], principalTypes: ["aws.vpc"], example: "")
    ]

    private func vpc(_ name: String, stack: String = "s") -> Declaration {
        Declaration(
            Address(stack: stack, type: "aws.vpc", name: name), arguments: ["cidr_block": "10.0.0.0/16"])
    }

    private func subnet(_ name: String, _ reference: Reference.Target, stack: String = "s") -> Declaration {
        Declaration(
            Address(stack: stack, type: "aws.subnet", name: name),
            arguments: [
                "vpc_id": .deferred(Deferred(.reference(Reference(reference, stack: stack, range: nil))))
            ])
    }

    private func link(
        _ declarations: [Declaration], uses: [String: [String]] = ["s": []], outputs: [OutputDeclaration] = []
    ) -> (spec: LinkedSpec?, codes: [String], details: [String]) {
        let result = Linker.link(
            DeclarationSet(declarations: declarations, outputs: outputs, uses: uses), catalog: Self.catalog,
            sections: Self.sections)
        return (
            result.spec, result.diagnostics.map(\.code),
            result.diagnostics.map { "\($0.detail) \($0.hint ?? "")" }
        )
    }

    @Test("A bare name becomes the output of the resource, and an edge")
    func bareName() throws {
        let result = link([subnet("a", .named(.vpc, "main")), vpc("main")])
        let spec = try #require(result.spec)
        let position = try #require(spec.positions[Address(stack: "s", type: "aws.subnet", name: "a")])
        #expect(
            spec.declarations[position].arguments["vpc_id"]
                == .deferred(
                    Deferred(.output(OutputReference(Address(stack: "s", type: "aws.vpc", name: "main"), "id")))))
        #expect(spec.valueDependencies[position].map { spec.declarations[$0].address.name } == ["main"])
    }

    @Test("A path through a section or a type is the same")
    func paths() {
        let forms: [[Reference.Component]] = [
            [.name("vpc"), .name("main"), .name("id")], [.name("aws"), .name("vpc"), .name("main"), .name("id")],
            [.name("vpc"), .name("s:main"), .name("id")],
        ]
        for form in forms { #expect(link([subnet("a", .path(form)), vpc("main")]).codes == []) }
    }

    @Test("A name of another stack is found by its stack, or through uses; twice is ambiguous")
    func stacks() {
        let uses = ["s": ["t", "u"], "t": [], "u": []]
        #expect(link([subnet("a", .named(.vpc, "t:main")), vpc("main", stack: "t")], uses: uses).codes == [])
        #expect(link([subnet("a", .named(.vpc, "main")), vpc("main", stack: "t")], uses: uses).codes == [])
        #expect(
            link([subnet("a", .named(.vpc, "main")), vpc("main", stack: "t"), vpc("main", stack: "u")], uses: uses)
                .codes == ["spec.ambiguous-reference"])
        #expect(link([subnet("a", .named(.vpc, "x:main"))], uses: uses).codes == ["spec.unknown-stack"])
    }

    @Test("Everything of a stack is waited for as stack:*")
    func wholeStack() throws {
        func waiting(for text: String) -> Declaration {
            var last = vpc("last")
            last.dependsOn = [Reference(.path([.name(text)]), stack: "s", range: nil)]
            return last
        }
        let others = [vpc("a", stack: "t"), vpc("b", stack: "t"), vpc("c", stack: "u")]
        let uses: [String: [String]] = ["s": [], "t": [], "u": []]
        let spec = try #require(link(others + [waiting(for: "t:*")], uses: uses).spec)
        let position = try #require(spec.positions[Address(stack: "s", type: "aws.vpc", name: "last")])
        #expect(spec.orderDependencies[position].map { spec.declarations[$0].address.name } == ["a", "b"])
        #expect(link(others + [waiting(for: "v:*")], uses: uses).codes == ["spec.unknown-reference"])
        #expect(link(others + [waiting(for: "s:*")], uses: uses).codes == ["spec.cycle"])
    }

    @Test("What is not managed is reached as external:NAME")
    func external() {
        let result = link([subnet("a", .named(.keyPair, "external:operator"))])
        #expect(result.spec?.declarations[0].arguments["vpc_id"] == "operator")
    }

    @Test("An unknown name is an error with the nearest one")
    func unknown() {
        let result = link([subnet("a", .named(.vpc, "mian")), vpc("main")])
        #expect(result.codes == ["spec.unknown-reference"])
        #expect(result.details[0].contains("Did you mean \"main\"?"))
        let output = link([subnet("a", .path([.name("vpc"), .name("main"), .name("idd")])), vpc("main")])
        #expect(output.codes == ["spec.unknown-output"])
    }

    @Test("An output stands for its own expression; outputs that refer to themselves are an error")
    func outputs() {
        let reference = { (name: String) in
            Value.deferred(
                Deferred(
                    .reference(Reference(.path([.name("outputs"), .name(name)]), stack: "s", range: nil))))
        }
        let id = OutputReference(Address(stack: "s", type: "aws.vpc", name: "main"), "id")
        let good = link(
            [subnet("a", .path([.name("outputs"), .name("net")])), vpc("main")],
            outputs: [OutputDeclaration(stack: "s", name: "net", value: .deferred(Deferred(.output(id))))])
        #expect(good.spec?.valueDependencies.flatMap { $0 }.count == 1)
        let bad = link(
            [],
            outputs: [
                OutputDeclaration(stack: "s", name: "a", value: reference("b")),
                OutputDeclaration(stack: "s", name: "b", value: reference("a")),
            ])
        #expect(bad.codes.contains("spec.cycle"))
    }

    @Test("A cycle is an error that draws the chain")
    func cycle() {
        let first = subnet("a", .path([.name("aws"), .name("subnet"), .name("b"), .name("id")]))
        let second = subnet("b", .path([.name("aws"), .name("subnet"), .name("a"), .name("id")]))
        let result = link([first, second])
        #expect(result.codes == ["spec.cycle"])
        #expect(result.details[0].contains("s:aws.subnet/a → s:aws.subnet/b → s:aws.subnet/a"))
    }

    @Test("One name for two resources of a type is an error")
    func duplicates() {
        #expect(link([vpc("main"), vpc("main")]).codes == ["spec.duplicate-name"])
    }
}
