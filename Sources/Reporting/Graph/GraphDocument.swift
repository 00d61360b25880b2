package import MusterModel

/// A graph to draw. Nodes and edges may come in any order; drawings sort them.
package struct GraphDocument: Sendable, Hashable {
    package struct Node: Sendable, Hashable {
        package var address: Address
        package var label: String
        /// What the plan does with it; nil when nothing, or when there is no plan.
        package var action: Action?

        /// - Parameter label: nil for the written form of type and name.
        package init(address: Address, label: String? = nil, action: Action? = nil) {
            self.address = address
            self.label = label ?? "\(address.type)/\(address.name)"
            self.action = action
        }
    }

    package struct Edge: Sendable, Hashable {
        /// A value edge lends an output; an order edge only says what comes first.
        package enum Kind: String, Sendable, Hashable, CaseIterable { case value, order }

        /// What depends.
        package var from: Address
        /// What it depends on.
        package var to: Address
        package var kind: Kind

        package init(from: Address, to: Address, kind: Kind) {
            self.from = from
            self.to = to
            self.kind = kind
        }
    }

    package var nodes: [Node]
    package var edges: [Edge]

    package init(nodes: [Node], edges: [Edge]) {
        self.nodes = nodes
        self.edges = edges
    }
}

/// Graphs in the languages of other tools, and drawn by ourselves. Edges whose ends are not both nodes are left out.
package enum GraphRender {
    package static func dot(_ graph: GraphDocument) -> String { "" }
    package static func mermaid(_ graph: GraphDocument) -> String { "" }
    package static func svg(_ graph: GraphDocument) -> String { "" }
}
