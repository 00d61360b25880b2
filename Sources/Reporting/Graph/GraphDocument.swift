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

/// The same graph, sorted, each node and edge once, without edges whose ends are not both nodes.
struct SortedGraph {
    struct Edge: Hashable {
        let from: Int
        let to: Int
        let kind: GraphDocument.Edge.Kind
    }

    let nodes: [GraphDocument.Node]
    let edges: [Edge]
    /// Names in order, and the nodes of each: one run of indices, because an address begins with its stack.
    let stacks: [(name: String, nodes: Range<Int>)]

    init(_ graph: GraphDocument) {
        var seen: Set<Address> = []
        let nodes = graph.nodes.filter { seen.insert($0.address).inserted }.sorted { $0.address < $1.address }
        let index = Dictionary(
            nodes.enumerated().map { ($0.element.address, $0.offset) }, uniquingKeysWith: { first, _ in first })
        var kinds: [[Int]: GraphDocument.Edge.Kind] = [:]
        for edge in graph.edges {
            guard let from = index[edge.from], let to = index[edge.to], from != to else { continue }
            // Two nodes joined by a value and by order are joined by the value.
            if kinds[[from, to]] != .value { kinds[[from, to]] = edge.kind }
        }
        self.nodes = nodes
        edges = kinds.map { Edge(from: $0.key[0], to: $0.key[1], kind: $0.value) }.sorted {
            ($0.from, $0.to) < ($1.from, $1.to)
        }
        var stacks: [(name: String, nodes: Range<Int>)] = []
        for (offset, node) in nodes.enumerated() {
            if stacks.last?.name == node.address.stack {
                stacks[stacks.count - 1].nodes = stacks[stacks.count - 1].nodes.lowerBound..<(offset + 1)
            } else {
                stacks.append((node.address.stack, offset..<(offset + 1)))
            }
        }
        self.stacks = stacks
    }

    /// The label with the symbol of what the plan does.
    func label(_ node: Int) -> String {
        let node = nodes[node]
        return node.action.map { "\($0.symbol) \(node.label)" } ?? node.label
    }
}

extension Action {
    /// The colour of a box, for drawings on white.
    var drawingColour: String {
        switch self {
        case .create: "#1a7f37"
        case .update: "#9a6700"
        case .delete: "#cf222e"
        case .replaceDeleteFirst, .replaceCreateFirst: "#bc4c00"
        case .adopt, .move, .forget, .read: "#0969da"
        }
    }
}
