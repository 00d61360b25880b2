import Diagnostics
import MusterModel
import YAMLSyntax

/// A spec as written: its parts by name. One serves every stack that uses the file.
struct SpecFile: Sendable {
    let file: SourceFile
    /// The sections in the order of the file.
    var sections: [Part] = []
    /// `uses`, `resources`, `outputs` and the other keys that are no sections.
    var parts: [String: YAMLNode] = [:]

    struct Part: Sendable {
        let name: String
        let range: SourceRange
        let node: YAMLNode
    }

    /// The keys that are no sections, and what they hold.
    static let keys: [(name: String, documentation: String)] = [
        ("uses", "The stacks whose names may be used bare. May use variables."),
        ("variables", "What a stack can be given, by name."),
        ("lookups", "What is read and never managed, by kind and name. May use variables."),
        ("resources", "Primitive resources as they are, by type and name."),
        ("outputs", "Values for other stacks and for people, by name."),
        ("import", "Objects that exist and are to be managed: a list of the address and the id."),
        ("moved", "Resources that have another address than before."),
        ("removed", "Resources that are declared no more, and whether their objects are deleted or only forgotten."),
        ("allow", "Hazards that an apply of this stack may bring about without being asked."),
    ]

    /// Sections that the language has, and that this version may not have yet.
    static let plannedSections: Set<String> = [
        "vpc", "security_groups", "rds", "alb", "target_groups", "control_nodes", "autoscaling_groups", "rancher",
        "spot", "dns", "iam", "elasticache", "key_pairs",
    ]
}

/// Splits a spec into its parts.
struct SpecFileReader {
    let complaints: Complaints
    let sections: Set<String>

    func read(_ root: YAMLNode?, _ file: SourceFile) -> SpecFile {
        var spec = SpecFile(file: file)
        guard let root, !root.isNull else {
            complaints.report(.emptySpec(file.range(0, 0)))
            return spec
        }
        guard let entries = root.mapping else {
            complaints.report(.specIsNoMap(Node.yaml(root).kindName, at: root.range))
            return spec
        }
        let keys = SpecFile.keys.map(\.name)
        for entry in entries where !entry.key.hasPrefix("x-") {
            if keys.contains(entry.key) {
                spec.parts[entry.key] = entry.value
            } else if sections.contains(entry.key) {
                spec.sections.append(SpecFile.Part(name: entry.key, range: entry.keyRange, node: entry.value))
            } else if entry.key == "checks" || SpecFile.plannedSections.contains(entry.key) {
                complaints.report(.laterSection(entry.key, at: entry.keyRange))
            } else {
                complaints.report(.unknownSection(entry.key, known: keys + sections.sorted(), at: entry.keyRange))
            }
        }
        return spec
    }
}

extension Diagnostic {
    fileprivate static func emptySpec(_ range: SourceRange) -> Diagnostic {
        Diagnostic(
            .warning, code: "spec.empty", summary: "Empty spec",
            detail: "The file declares nothing, so all that its stacks have would be deleted.", at: range,
            hint: "If the stack is to go, remove it from the workspace file after destroying it.")
    }

    fileprivate static func specIsNoMap(_ kind: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.type", summary: "Wrong type", detail: "A spec is a map of sections, and this is \(kind).",
            at: range)
    }

    fileprivate static func laterSection(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.unsupported", summary: "Not supported yet",
            detail: "This version of muster does not know the section \(name.quoted) yet.", at: range,
            hint: name == "checks" ? nil : "What it stands for may be written under \"resources\".")
    }

    fileprivate static func unknownSection(_ name: String, known: [String], at range: SourceRange) -> Diagnostic {
        let hint: String? =
            ["aws.", "rancher.", "spot."].contains { name.hasPrefix($0) }
            ? "Put it under \"resources\"."
            : Suggestion.hint(for: name, among: known)
                ?? "There are \(known.joined(separator: ", ")); keys that begin with x- are ignored."
        return Diagnostic(
            code: "spec.unknown-section", summary: "Unknown section",
            detail: "A spec has no section \(name.quoted).", at: range, hint: hint)
    }
}
