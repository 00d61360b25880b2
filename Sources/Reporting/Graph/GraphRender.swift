import Diagnostics
import MusterModel

/// Graphs in the languages of other tools, and drawn by ourselves.
///
/// Edges point from what depends to what it depends on; order edges are dashed. An edge whose ends are not both nodes is
/// left out. The same graph gives the same bytes, in whatever order its parts come.
package enum GraphRender {
    /// For Graphviz.
    package static func dot(_ graph: GraphDocument) -> String {
        let graph = SortedGraph(graph)
        var text = """
            digraph muster {
              rankdir=RL;
              graph [fontname="Helvetica", fontsize=12, style="rounded", color="#8c959f"];
              node [shape=box, style=rounded, fontname="Helvetica", fontsize=11, color="#57606a"];
              edge [color="#8c959f"];

            """
        for (number, stack) in graph.stacks.enumerated() {
            text += "  subgraph cluster_\(number) {\n    label=\(dotQuoted(stack.name));\n"
            for node in stack.nodes {
                let colour = graph.nodes[node].action.map { ", color=\"\($0.drawingColour)\"" } ?? ""
                let name = dotQuoted(graph.nodes[node].address.description)
                text += "    \(name) [label=\(dotQuoted(graph.label(node)))\(colour)];\n"
            }
            text += "  }\n"
        }
        for edge in graph.edges {
            let from = dotQuoted(graph.nodes[edge.from].address.description)
            let to = dotQuoted(graph.nodes[edge.to].address.description)
            text += "  \(from) -> \(to)\(edge.kind == .order ? " [style=dashed]" : "");\n"
        }
        return text + "}\n"
    }

    /// For Markdown and for Mermaid's own editors.
    package static func mermaid(_ graph: GraphDocument) -> String {
        let graph = SortedGraph(graph)
        var text = "flowchart RL\n"
        for (number, stack) in graph.stacks.enumerated() {
            text += "  subgraph s\(number)[\"\(mermaidEscaped(stack.name))\"]\n"
            for node in stack.nodes { text += "    n\(node)[\"\(mermaidEscaped(graph.label(node)))\"]\n" }
            text += "  end\n"
        }
        for edge in graph.edges { text += "  n\(edge.from) \(edge.kind == .order ? "-.->" : "-->") n\(edge.to)\n" }
        for action in Action.allCases {
            let nodes = graph.nodes.indices.filter { graph.nodes[$0].action == action }
            if nodes.isEmpty { continue }
            let name = action.rawValue.filter { $0 != "-" }
            text += "  classDef \(name) stroke:\(action.drawingColour),stroke-width:2px\n"
            text += "  class \(nodes.map { "n\($0)" }.joined(separator: ",")) \(name)\n"
        }
        return text
    }

    /// A picture that stands alone: no script, no font, nothing to load.
    package static func svg(_ graph: GraphDocument) -> String { GraphDrawing(SortedGraph(graph)).svg }

    private static func dotQuoted(_ text: String) -> String {
        var result = "\""
        for character in DisplayText.neutralised(text) {
            if character == "\"" || character == "\\" { result.append("\\") }
            result.append(character)
        }
        return result + "\""
    }

    private static func mermaidEscaped(_ text: String) -> String {
        var result = ""
        for scalar in DisplayText.neutralised(text).unicodeScalars {
            switch scalar {
            // A label that begins like an item of a list would be taken for Markdown.
            case "+", "-": result += result.isEmpty ? "#\(scalar.value);" : String(scalar)
            case "a"..."z", "A"..."Z", "0"..."9", " ", ".", ",", "/", ":", "_", "~", "=", "@", "(", ")":
                result.unicodeScalars.append(scalar)
            default: result += scalar.value < 0x80 ? "#\(scalar.value);" : String(scalar)
            }
        }
        return result
    }
}
