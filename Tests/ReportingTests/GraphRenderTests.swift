import MusterModel
import Reporting
import TestSupport
import Testing

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
