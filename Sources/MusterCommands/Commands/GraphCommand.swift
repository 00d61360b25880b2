import ArgumentParser
import MusterModel
import Reporting
import ResourceGraph

struct GraphCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Draw the resources and what they depend on.",
        discussion: "Without --plan nothing is asked of the cloud.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case dot, mermaid, svg }

    @OptionGroup var scope: ScopeOptions
    @Option(name: .long, help: "The language of the drawing.") var format: Format = .dot
    @Flag(name: .long, help: "Mark what a plan would do.") var plan = false

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let workbench = try Workbench.make(console, scope)
            var actions: [Address: Action] = [:]
            let linked: Workbench.Linked
            if plan {
                let made = try await workbench.makePlan(PlanRequest())
                for change in made.plan.changes { actions[change.address] = change.action }
                linked = made.linked
            } else {
                linked = try workbench.link(try workbench.load(), lookups: nil)
            }
            let spec = linked.spec
            let isShown = { (address: Address) in scope.stacks?.contains(address.stack) ?? true }
            var edges: [GraphDocument.Edge] = []
            for (position, declaration) in spec.declarations.enumerated() where isShown(declaration.address) {
                for (targets, kind) in [
                    (spec.valueDependencies[position], GraphDocument.Edge.Kind.value),
                    (spec.orderDependencies[position], .order),
                ] {
                    for target in targets where isShown(spec.declarations[target].address) {
                        edges.append(
                            .init(from: declaration.address, to: spec.declarations[target].address, kind: kind))
                    }
                }
            }
            let document = GraphDocument(
                nodes: spec.declarations.map(\.address).filter(isShown).map { .init(address: $0, action: actions[$0]) },
                edges: edges)
            switch format {
            case .dot: console.write(GraphRender.dot(document))
            case .mermaid: console.write(GraphRender.mermaid(document))
            case .svg: console.write(GraphRender.svg(document))
            }
            return .success
        }
    }
}
