/// Where boxes and lines go, in layers from left (what everything needs) to right.
///
/// A stack is a lane: a band across all layers, so that the frames of stacks never overlap. Layers are longest paths.
/// A line over several layers runs through a narrow slot in each of those between, and lines to the same box share
/// their slots, so that a hub gets one bundle and not a brush. Order within a layer follows the mean of the neighbours
/// (barycentres, a few sweeps); places follow it as near as the distances allow (isotonic regression). Every step is
/// linear or a sort. Weakness: lanes are ordered by their mean layer alone, so two stacks that name each other often can
/// lie far apart.
struct LayeredLayout {
    struct Size {
        var width: Double
        var height: Double
    }

    /// A box, or the slot of a bundle of lines; the boxes come first, in the order of the nodes.
    struct Item {
        let lane: Int
        let layer: Int
        let height: Double
        /// The centre.
        fileprivate(set) var y = 0.0
        /// Neighbours in the layers beside it.
        fileprivate var left: [Int] = []
        fileprivate var right: [Int] = []
    }

    struct Lane {
        fileprivate(set) var top = 0.0
        fileprivate(set) var bottom = 0.0
        fileprivate(set) var firstLayer = 0
        fileprivate(set) var lastLayer = 0
        /// The items of each layer, from top to bottom.
        fileprivate var cells: [[Int]]
        /// Where items may be.
        fileprivate var inside: ClosedRange<Double> { (top + titleHeight)...max(top + titleHeight, bottom - rowGap) }
    }

    struct Layer {
        fileprivate(set) var left = 0.0
        fileprivate(set) var width = 0.0
        var centre: Double { left + width / 2 }
        var right: Double { left + width }
    }

    private(set) var items: [Item]
    /// For each edge the items it runs through, from the dependent to what it depends on.
    private(set) var routes: [[Int]] = []
    private(set) var lanes: [Lane]
    private(set) var layers: [Layer]
    private(set) var size = Size(width: 0, height: 0)

    static let margin = 24.0
    static let framePadding = 12.0
    static let titleHeight = 26.0
    private static let layerGap = 72.0
    private static let laneGap = 28.0
    private static let rowGap = 12.0
    private static let slotHeight = 6.0

    /// - Parameter laneOf: for each node the index of its stack.
    init(_ graph: SortedGraph, laneOf: [Int], boxes: [Size]) {
        let layerOf = LayeredLayout.longestPaths(graph)
        layers = Array(repeating: Layer(), count: (layerOf.max() ?? -1) + 1)
        lanes = Array(repeating: Lane(cells: Array(repeating: [], count: layers.count)), count: graph.stacks.count)
        items = graph.nodes.indices.map { Item(lane: laneOf[$0], layer: layerOf[$0], height: boxes[$0].height) }
        route(graph)
        for (index, item) in items.enumerated() { lanes[item.lane].cells[item.layer].append(index) }
        let laneOrder = orderedLanes(nodeCount: graph.nodes.count)
        placeLanes(laneOrder)
        order(laneOrder)
        align(laneOrder)
        placeLayers(boxes)
    }

    // MARK: - Lines

    private struct SlotKey: Hashable {
        let lane: Int
        let layer: Int
        let target: Int
        let kind: GraphDocument.Edge.Kind
    }

    private struct Link: Hashable {
        let left: Int
        let right: Int
    }

    /// Gives each edge its slots. An edge that points to the right closes a cycle: it gets none and moves nothing.
    private mutating func route(_ graph: SortedGraph) {
        var slots: [SlotKey: Int] = [:]
        var links: Set<Link> = []
        for edge in graph.edges {
            var route = [edge.from]
            var layer = items[edge.from].layer - 1
            while layer > items[edge.to].layer {
                let key = SlotKey(lane: items[edge.from].lane, layer: layer, target: edge.to, kind: edge.kind)
                if let slot = slots[key] {
                    route.append(slot)
                } else {
                    slots[key] = items.count
                    route.append(items.count)
                    items.append(Item(lane: key.lane, layer: layer, height: LayeredLayout.slotHeight))
                }
                layer -= 1
            }
            route.append(edge.to)
            routes.append(route)
            if items[edge.from].layer <= items[edge.to].layer { continue }
            for (right, left) in zip(route, route.dropFirst())
            where links.insert(Link(left: left, right: right)).inserted {
                items[right].left.append(left)
                items[left].right.append(right)
            }
        }
    }

    // MARK: - Lanes and layers

    /// From the lane whose boxes are needed most to the one that needs most.
    private func orderedLanes(nodeCount: Int) -> [Int] {
        var sums = Array(repeating: 0.0, count: lanes.count)
        var counts = sums
        for item in items.prefix(nodeCount) {
            sums[item.lane] += Double(item.layer)
            counts[item.lane] += 1
        }
        return lanes.indices.sorted { (sums[$0] / max(1, counts[$0]), $0) < (sums[$1] / max(1, counts[$1]), $1) }
    }

    private mutating func placeLanes(_ laneOrder: [Int]) {
        var y = LayeredLayout.margin
        for lane in laneOrder {
            let heights = lanes[lane].cells.map { cell in
                cell.reduce(0) { $0 + items[$1].height + LayeredLayout.rowGap }
            }
            let used = heights.indices.filter { heights[$0] > 0 }
            lanes[lane].top = y
            lanes[lane].bottom = y + LayeredLayout.titleHeight + (heights.max() ?? 0)
            lanes[lane].firstLayer = used.first ?? 0
            lanes[lane].lastLayer = used.last ?? 0
            y = lanes[lane].bottom + LayeredLayout.laneGap
            for cell in lanes[lane].cells { pile(cell, lane) }
        }
        size.height = max(0, y - LayeredLayout.laneGap) + LayeredLayout.margin
    }

    private mutating func placeLayers(_ boxes: [Size]) {
        for (box, item) in zip(boxes, items) { layers[item.layer].width = max(layers[item.layer].width, box.width) }
        var x = LayeredLayout.margin + LayeredLayout.framePadding
        for layer in layers.indices {
            layers[layer].left = x
            x += layers[layer].width + LayeredLayout.layerGap
        }
        size.width = (layers.last?.right ?? x) + LayeredLayout.framePadding + LayeredLayout.margin
    }

    // MARK: - Order and places within a cell

    private mutating func pile(_ cell: [Int], _ lane: Int) {
        var y = lanes[lane].inside.lowerBound
        for item in cell {
            items[item].y = y + items[item].height / 2
            y += items[item].height + LayeredLayout.rowGap
        }
    }

    private func mean(_ neighbours: [Int], else fallback: Double) -> Double {
        neighbours.isEmpty ? fallback : neighbours.reduce(0) { $0 + items[$1].y } / Double(neighbours.count)
    }

    private func sweep(_ number: Int) -> [Int] {
        number.isMultiple(of: 2) ? Array(layers.indices) : Array(layers.indices.reversed())
    }

    private mutating func order(_ laneOrder: [Int]) {
        for number in 0..<6 {
            for layer in sweep(number) {
                for lane in laneOrder where lanes[lane].cells[layer].count > 1 {
                    let keyed = lanes[lane].cells[layer].map { index in
                        let item = items[index]
                        let wanted = mean(number.isMultiple(of: 2) ? item.left : item.right, else: item.y)
                        return (wanted, item.y, index)
                    }
                    lanes[lane].cells[layer] = keyed.sorted { $0 < $1 }.map { $0.2 }
                    pile(lanes[lane].cells[layer], lane)
                }
            }
        }
    }

    private mutating func align(_ laneOrder: [Int]) {
        for number in 0..<8 {
            for layer in sweep(number) {
                for lane in laneOrder where !lanes[lane].cells[layer].isEmpty {
                    let cell = lanes[lane].cells[layer]
                    let wanted = cell.map { mean(items[$0].left + items[$0].right, else: items[$0].y) }
                    let heights = cell.map { items[$0].height }
                    let placed = LayeredLayout.spread(wanted, heights: heights, within: lanes[lane].inside)
                    for (item, y) in zip(cell, placed) { items[item].y = y }
                }
            }
        }
    }

    /// Centres as near as possible to those wanted, in the same order, without overlap, within bounds.
    static func spread(_ wanted: [Double], heights: [Double], within bounds: ClosedRange<Double>) -> [Double] {
        // With the room that the items before it need taken off, each centre must only not be less than the one before.
        var offsets: [Double] = []
        var used = 0.0
        for height in heights {
            offsets.append(used + height / 2)
            used += height + rowGap
        }
        let slack = max(0, bounds.upperBound - bounds.lowerBound - (used - rowGap))
        var blocks: [(sum: Double, count: Int)] = []
        for (value, offset) in zip(wanted, offsets) {
            blocks.append((value - offset - bounds.lowerBound, 1))
            while blocks.count > 1 {
                let last = blocks[blocks.count - 1]
                let before = blocks[blocks.count - 2]
                guard before.sum / Double(before.count) > last.sum / Double(last.count) else { break }
                blocks.removeLast()
                blocks[blocks.count - 1] = (before.sum + last.sum, before.count + last.count)
            }
        }
        var result: [Double] = []
        for block in blocks {
            let level = min(slack, max(0, block.sum / Double(block.count)))
            for _ in 0..<block.count { result.append(bounds.lowerBound + level + offsets[result.count]) }
        }
        return result
    }

    // MARK: - Layers

    private enum Mark { case new, open, closed }

    /// The layer of each node: the length of its longest path to a node that depends on nothing. An edge that closes a
    /// cycle is not counted.
    private static func longestPaths(_ graph: SortedGraph) -> [Int] {
        var needs: [[Int]] = Array(repeating: [], count: graph.nodes.count)
        for edge in graph.edges { needs[edge.from].append(edge.to) }
        var marks: [Mark] = Array(repeating: .new, count: graph.nodes.count)
        var layers = Array(repeating: 0, count: graph.nodes.count)
        for root in graph.nodes.indices where marks[root] == .new {
            var path: [(node: Int, next: Int)] = [(root, 0)]
            marks[root] = .open
            while let (node, next) = path.last {
                if next < needs[node].count {
                    path[path.count - 1].next += 1
                    let other = needs[node][next]
                    switch marks[other] {
                    case .new:
                        marks[other] = .open
                        path.append((other, 0))
                    case .closed: layers[node] = max(layers[node], layers[other] + 1)
                    case .open: break
                    }
                } else {
                    marks[node] = .closed
                    path.removeLast()
                    if let parent = path.last?.node { layers[parent] = max(layers[parent], layers[node] + 1) }
                }
            }
        }
        return layers
    }
}
