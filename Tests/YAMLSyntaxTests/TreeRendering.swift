import Diagnostics
import Testing
import YAMLSyntax

/// A tree as text: one line per value, with its place, its style and, unless it is verbatim, its source.
func render(_ root: YAMLNode?) -> String {
    guard let root else { return "nothing" }
    var lines: [String] = []
    render(root, label: "", indentation: "", into: &lines)
    return lines.joined(separator: "\n")
}

private func render(_ node: YAMLNode, label: String, indentation: String, into lines: inout [String]) {
    let start = node.range.startPosition
    let end = node.range.endPosition
    let to = start.line == end.line ? "\(end.column)" : "\(end.line):\(end.column)"
    var line = "\(indentation)\(label)\(start.line):\(start.column)-\(to) "
    defer {
        if let alias = node.aliasRange { lines[lines.count - 1] += "" + " by \(alias.text)" }
    }
    switch node.kind {
    case .scalar(let scalar):
        line += scalar.isNull ? "null" : "\(scalar.style) \(scalar.text.debugDescription)"
        if !scalar.isVerbatim { line += " from \(node.range.text.debugDescription)" }
        lines.append(line)
    case .sequence(let items):
        lines.append(line + "sequence")
        for item in items { render(item, label: "- ", indentation: indentation + "  ", into: &lines) }
    case .mapping(let entries):
        lines.append(line + "mapping")
        for entry in entries {
            let key = entry.keyRange.startPosition
            let merged = entry.mergeRange == nil ? "" : "<< "
            render(
                entry.value, label: "\(merged)\(entry.key.debugDescription) \(key.line):\(key.column): ",
                indentation: indentation + "  ", into: &lines)
        }
    }
}

/// Expects a text to be read without complaint as a tree.
func check(_ yaml: String, _ expected: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let (root, diagnostics) = parseYAML(SourceFile(path: "spec.yaml", text: yaml))
    #expect(diagnostics == [], sourceLocation: sourceLocation)
    #expect(render(root) == expected, sourceLocation: sourceLocation)
}
