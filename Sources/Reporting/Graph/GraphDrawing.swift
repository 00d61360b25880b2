import Diagnostics
import MusterModel

/// A layout as SVG: frames of stacks, then lines, then boxes over them.
struct GraphDrawing {
    let svg: String

    private static let cell = 7.25
    private static let boxHeight = 28.0
    private static let longestLabel = 44

    init(_ graph: SortedGraph) {
        var laneOf = [Int](repeating: 0, count: graph.nodes.count)
        for (lane, stack) in graph.stacks.enumerated() { for node in stack.nodes { laneOf[node] = lane } }
        let labels = graph.nodes.indices.map { GraphDrawing.shortened(DisplayText.neutralised(graph.label($0))) }
        let boxes = labels.map {
            LayeredLayout.Size(
                width: Double($0.cellCount) * GraphDrawing.cell + 20, height: GraphDrawing.boxHeight)
        }
        let layout = LayeredLayout(graph, laneOf: laneOf, boxes: boxes)
        // A title may be wider than all that stands below it.
        let frames = zip(graph.stacks, layout.lanes).map { stack, lane in
            let left = layout.layers[lane.firstLayer].left - LayeredLayout.framePadding
            let right = layout.layers[lane.lastLayer].right + LayeredLayout.framePadding
            return (left: left, width: max(right - left, Double(stack.name.cellCount) * 8.5 + 24))
        }
        let right = frames.map { $0.left + $0.width + LayeredLayout.margin }.max() ?? 0
        let width = max(layout.size.width, right, 2 * LayeredLayout.margin)
        let height = max(layout.size.height, 2 * LayeredLayout.margin)

        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(GraphDrawing.number(width))" \
            height="\(GraphDrawing.number(height))" \
            viewBox="0 0 \(GraphDrawing.number(width)) \(GraphDrawing.number(height))">
            \(GraphDrawing.style)
            <rect class="paper" width="100%" height="100%"/>

            """
        for ((stack, lane), frame) in zip(zip(graph.stacks, layout.lanes), frames) {
            let left = frame.left
            let title = GraphDrawing.escaped(DisplayText.neutralised(stack.name))
            text += """
                <rect class="stack" x="\(GraphDrawing.number(left))" y="\(GraphDrawing.number(lane.top))" \
                width="\(GraphDrawing.number(frame.width))" height="\(GraphDrawing.number(lane.bottom - lane.top))" \
                rx="8"/>
                <text class="title" x="\(GraphDrawing.number(left + 10))" \
                y="\(GraphDrawing.number(lane.top + 17))">\(title)</text>

                """
        }
        text += GraphDrawing.lines(graph, layout, boxes)
        for node in graph.nodes.indices {
            let item = layout.items[node]
            let centre = (x: layout.layers[item.layer].centre, y: item.y)
            let box = boxes[node]
            let colour = graph.nodes[node].action.map { " style=\"stroke:\($0.drawingColour);stroke-width:2\"" } ?? ""
            text += """
                <g><title>\(GraphDrawing.escaped(graph.nodes[node].address.description))</title>\
                <rect class="box" x="\(GraphDrawing.number(centre.x - box.width / 2))" \
                y="\(GraphDrawing.number(centre.y - box.height / 2))" width="\(GraphDrawing.number(box.width))" \
                height="\(GraphDrawing.number(box.height))" rx="5"\(colour)/>\
                <text class="label" x="\(GraphDrawing.number(centre.x))" y="\(GraphDrawing.number(centre.y + 4))">\
                \(GraphDrawing.escaped(labels[node]))</text></g>

                """
        }
        svg = text + "</svg>\n"
    }

    private static func lines(_ graph: SortedGraph, _ layout: LayeredLayout, _ boxes: [LayeredLayout.Size]) -> String {
        let nodeCount = graph.nodes.count
        var text = ""
        var drawn: Set<[Int]> = []
        for (edge, route) in zip(graph.edges, layout.routes) {
            let kind = edge.kind == .order ? "order" : "value"
            for (from, to) in zip(route, route.dropFirst()) where drawn.insert([from, to]).inserted {
                let start = layout.items[from]
                let end = layout.items[to]
                let isForward = start.layer > end.layer
                // A slot is a straight stretch across its layer; a box is met at its side.
                let startLayer = layout.layers[start.layer]
                let endLayer = layout.layers[end.layer]
                let startHalf = from < nodeCount ? boxes[from].width / 2 : startLayer.width / 2
                let endHalf = to < nodeCount ? boxes[to].width / 2 : endLayer.width / 2
                let startX = startLayer.centre + (isForward ? -startHalf : startHalf)
                let endX = endLayer.centre + endHalf
                let bend = max(24, abs(startX - endX) / 2)
                let startBend = isForward ? startX - bend : startX + bend
                var path = "M\(number(startX)) \(number(start.y))C\(number(startBend)) \(number(start.y)) "
                path += "\(number(endX + bend)) \(number(end.y)) \(number(endX)) \(number(end.y))"
                if to >= nodeCount { path += "H\(number(endLayer.left))" }
                let head = to < nodeCount ? " marker-end=\"url(#head)\"" : ""
                text += "<path class=\"\(kind)\" d=\"\(path)\"\(head)/>\n"
            }
        }
        return text
    }

    private static let style = """
        <style>
        .paper{fill:#ffffff}.stack{fill:#f6f8fa;stroke:#d0d7de}.box{fill:#ffffff;stroke:#57606a}
        .title{font:bold 13px ui-sans-serif,system-ui,sans-serif;fill:#57606a}
        .label{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328;text-anchor:middle}
        .value,.order{fill:none;stroke:#8c959f;stroke-width:1.2}.order{stroke-dasharray:5 4}.head{fill:#8c959f}
        @media (prefers-color-scheme:dark){.paper{fill:#0d1117}.stack{fill:#161b22;stroke:#30363d}
        .box{fill:#0d1117;stroke:#8b949e}.label{fill:#e6edf3}.title{fill:#8b949e}}
        </style>
        <defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">\
        <path class="head" d="M0 0L8 4L0 8z"/></marker></defs>
        """

    /// One digit after the point; no exponent and no locale.
    private static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        let sign = tenths < 0 ? "-" : ""
        let rest = abs(tenths) % 10
        return "\(sign)\(abs(tenths) / 10)\(rest == 0 ? "" : ".\(rest)")"
    }

    private static func shortened(_ text: String) -> String {
        text.count > longestLabel ? "\(text.prefix(longestLabel * 2 / 3))…\(text.suffix(longestLabel / 3 - 1))" : text
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            // XML has no way to write these two.
            case "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
