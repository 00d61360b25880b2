import MusterModel
import TestSupport
import Testing

@testable import Reporting

struct GraphRenderTests {
    private let platform = sampleGraph()

    @Test("Graphviz gets clusters, coloured boxes and dashed order edges")
    func dot() { expectGolden(GraphRender.dot(platform), named: "graph.dot") }

    @Test("Mermaid gets subgraphs, classes and dotted order edges")
    func mermaid() { expectGolden(GraphRender.mermaid(platform), named: "graph.mmd") }

    @Test("The drawing stands alone")
    func svg() { expectGolden(GraphRender.svg(platform), named: "graph.svg") }

    @Test(
        "The same graph gives the same bytes, in whatever order its parts come",
        arguments: [GraphRender.dot, GraphRender.mermaid, GraphRender.svg])
    func determinism(render: @Sendable (GraphDocument) -> String) {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<5 {
            let shuffled = GraphDocument(
                nodes: platform.nodes.shuffled(using: &generator) + platform.nodes.prefix(2),
                edges: platform.edges.shuffled(using: &generator) + platform.edges.prefix(2))
            #expect(render(shuffled) == render(platform))
        }
    }

    @Test("A graph of nothing is drawn too")
    func empty() {
        #expect(GraphRender.svg(GraphDocument(nodes: [], edges: [])).hasPrefix("<svg "))
        #expect(GraphRender.mermaid(GraphDocument(nodes: [], edges: [])) == "flowchart RL\n")
    }
}

struct LayeredLayoutTests {
    /// Random nodes in a few stacks; an edge goes to an earlier node, but for a few that close cycles.
    private func random(_ count: Int, cycles: Bool, _ generator: inout SeededGenerator) -> GraphDocument {
        let names = (0..<count).map { number in
            Address(stack: "stack-\(number % 4)", type: "aws.thing", name: "node-\(number)")
        }
        var edges: [GraphDocument.Edge] = []
        for number in names.indices where number > 0 {
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let other = generator.oneIn(3) ? number / 7 : Int.random(in: 0..<number, using: &generator)
                let isBack = cycles && generator.oneIn(10)
                edges.append(
                    GraphDocument.Edge(
                        from: names[isBack ? other : number], to: names[isBack ? number : other],
                        kind: generator.oneIn(3) ? .order : .value))
            }
        }
        return GraphDocument(nodes: names.map { GraphDocument.Node(address: $0) }, edges: edges)
    }

    private func layout(_ graph: SortedGraph) -> LayeredLayout {
        var laneOf = [Int](repeating: 0, count: graph.nodes.count)
        for (lane, stack) in graph.stacks.enumerated() { for node in stack.nodes { laneOf[node] = lane } }
        return LayeredLayout(
            graph, laneOf: laneOf, boxes: graph.nodes.map { _ in LayeredLayout.Size(width: 100, height: 28) })
    }

    @Test("Boxes and lines of a layer never overlap and never leave their lane", arguments: [1, 2, 17, 120, 1_000])
    func overlap(count: Int) {
        var generator = SeededGenerator.fromEnvironment()
        let drawn = layout(SortedGraph(random(count, cycles: false, &generator)))
        let byCell = Dictionary(grouping: drawn.items) { [$0.lane, $0.layer] }
        for cell in byCell.values {
            let sorted = cell.sorted { $0.y < $1.y }
            for (upper, lower) in zip(sorted, sorted.dropFirst()) {
                #expect(upper.y + upper.height / 2 + 11.9 < lower.y - lower.height / 2)
            }
            for item in cell {
                #expect(item.y - item.height / 2 >= drawn.lanes[item.lane].top)
                #expect(item.y + item.height / 2 <= drawn.lanes[item.lane].bottom)
            }
        }
        let lanes = drawn.lanes.sorted { $0.top < $1.top }
        for (upper, lower) in zip(lanes, lanes.dropFirst()) { #expect(upper.bottom < lower.top) }
    }

    @Test("What depends stands to the right of what it depends on, by way of every layer between")
    func layers() {
        var generator = SeededGenerator.fromEnvironment()
        let graph = SortedGraph(random(200, cycles: false, &generator))
        let drawn = layout(graph)
        for (edge, route) in zip(graph.edges, drawn.routes) {
            #expect(route.first == edge.from && route.last == edge.to)
            for (right, left) in zip(route, route.dropFirst()) {
                #expect(drawn.items[right].layer == drawn.items[left].layer + 1)
            }
        }
    }

    @Test("A graph with cycles is drawn as well")
    func cycles() {
        var generator = SeededGenerator.fromEnvironment()
        let text = GraphRender.svg(random(100, cycles: true, &generator))
        #expect(text.hasSuffix("</svg>\n"))
        #expect(text.ranges(of: "class=\"box\"").count == 100)
    }

    @Test("A chain as long as the graph does not exhaust the stack")
    func chain() {
        let names = (0..<3_000).map { Address(stack: "s", type: "t", name: "\($0)") }
        let graph = GraphDocument(
            nodes: names.map { GraphDocument.Node(address: $0) },
            edges: zip(names.dropFirst(), names).map { GraphDocument.Edge(from: $0.0, to: $0.1, kind: .value) })
        #expect(layout(SortedGraph(graph)).layers.count == 3_000)
    }
}

func sampleGraph() -> GraphDocument {
    let actions: [(String, Action?)] = [
        ("vpc:aws.vpc/main", .replaceDeleteFirst), ("vpc:aws.subnet/prod-a", .replaceCreateFirst),
        ("vpc:aws.subnet/prod-b", nil), ("vpc:aws.internet_gateway/main", .adopt),
        ("vpc:aws.route_table/public", nil), ("vpc:aws.route/public-default", .update),
        ("prod/security-groups:aws.security_group/prod-rancher", nil),
        ("prod/security-groups:aws.security_group/prod-rds", nil),
        ("prod/security-groups:aws.security_group_rule/rds-from-rancher", .create),
        ("prod/security-groups:aws.security_group_rule/rancher-from-rds", .create),
        ("prod/rancher:aws.instance/prod-rancherctl1", .create),
        ("prod/rancher:aws.instance/prod-rancherctl2", .create),
        ("prod/rancher:aws.instance/prod-rancherctl3", .create),
        ("prod/rancher:aws.dns_record/prod-rancherctl1.tastycidr.net", .create),
        ("prod/rancher:aws.dns_record/%3Cscript%3E%22&'\\", .delete),
    ]
    func edge(_ from: String, _ to: String, _ kind: GraphDocument.Edge.Kind = .value) -> GraphDocument.Edge {
        GraphDocument.Edge(from: address(from), to: address(to), kind: kind)
    }
    let groups = "prod/security-groups:aws.security_group"
    let control = "prod/rancher:aws.instance/prod-rancherctl"
    return GraphDocument(
        nodes: actions.map { GraphDocument.Node(address: address($0.0), action: $0.1) },
        edges: [
            edge("vpc:aws.subnet/prod-a", "vpc:aws.vpc/main"), edge("vpc:aws.subnet/prod-b", "vpc:aws.vpc/main"),
            edge("vpc:aws.internet_gateway/main", "vpc:aws.vpc/main"),
            edge("vpc:aws.route_table/public", "vpc:aws.vpc/main"),
            edge("vpc:aws.route/public-default", "vpc:aws.route_table/public"),
            edge("vpc:aws.route/public-default", "vpc:aws.internet_gateway/main"),
            edge("\(groups)/prod-rancher", "vpc:aws.vpc/main"), edge("\(groups)/prod-rds", "vpc:aws.vpc/main"),
            edge("\(groups)_rule/rds-from-rancher", "\(groups)/prod-rds"),
            edge("\(groups)_rule/rds-from-rancher", "\(groups)/prod-rancher"),
            edge("\(groups)_rule/rancher-from-rds", "\(groups)/prod-rds"),
            edge("\(groups)_rule/rancher-from-rds", "\(groups)/prod-rancher"),
            edge("\(control)1", "vpc:aws.subnet/prod-a"), edge("\(control)2", "vpc:aws.subnet/prod-b"),
            edge("\(control)3", "vpc:aws.subnet/prod-a"),
            edge("\(control)1", "\(groups)/prod-rancher"), edge("\(control)2", "\(groups)/prod-rancher"),
            edge("\(control)3", "\(groups)/prod-rancher"),
            edge("\(control)2", "\(control)1", .order), edge("\(control)3", "\(control)2", .order),
            edge("prod/rancher:aws.dns_record/prod-rancherctl1.tastycidr.net", "\(control)1"),
            edge("prod/rancher:aws.instance/gone", "\(control)1"),
        ])
}
