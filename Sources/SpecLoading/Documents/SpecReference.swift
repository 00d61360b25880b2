package import Expressions
package import MusterModel

// Schemas → the reference page. Everything on it comes from the schemas by which specs are read, so it cannot be
// wrong about them; a test elsewhere holds the committed page current.

/// The reference page of the spec language.
package enum SpecReference {
    package static func markdown(
        sections: [SectionSchema], catalog: Catalog, functions: [FunctionDefinition]
    ) -> String {
        var page = Page()
        page.text(introduction)
        page.describeWorkspace()
        page.describeSpec()
        page.heading(2, "Sections")
        for section in sections { page.describe(section) }
        page.heading(2, "Lookups")
        page.text(
            "`lookups:` holds what is read and never managed. `${lookups.kind[\"name\"].output}` is a result of it.")
        for lookup in catalog.lookups { page.describe(lookup) }
        page.heading(2, "Resources")
        page.text(
            "`resources:` holds primitives as they are, by type and name. "
                + "`${aws.vpc[\"name\"].output}` is an output of one."
        )
        for schema in catalog.resources { page.describe(schema) }
        page.heading(2, "Functions")
        page.text(
            "Functions are pure: they know no clock and no randomness. Only `file` and `template` read, and only files."
        )
        for function in functions { page.describe(function) }
        return page.finished
    }

    private static let introduction = """
        # The spec language

        This page is generated from the schemas that muster reads specs by; do not edit it.

        - **Scalars are read by the schema, from the text.** Only `true` and `false` are booleans. Integers are
          decimal digits (not `1_000`, `0644` or `1e3`). Where a string is wanted the text stands as it is written:
          `0644`, `08:30`, `8.0`. Quotes make text of anything, so a quoted `"5"` is no integer. Where anything may
          stand (`any`), an unquoted text is a boolean, integer or number only if muster would write it exactly so
          (`true`, `15`, `1.5`); `0644`, `1.50` and `on` stay text, and quoted text stays text.
        - **Null is the same as leaving a field out**, except among tags, where it removes an inherited one.
        - **`${…}` is an expression.** A value that is one expression keeps its type; in other text the expression is
          a part of the text. What an expression gives as text is read by the schema like text in the file. `$${` is a
          literal `${`. Keys of maps may hold expressions over what is known.
        - **References** begin with `var`, `each` (`each.key`, `each.value`), `index` (from 1), `stack` (`stack.name`,
          `stack.region`, `stack.account`), `workspace` (`workspace.name`), `lookups`, `outputs`, `aws`, or the name
          of a section. A name with other characters than letters, digits and `_` stands in brackets:
          `security_groups["prod-rds"].id`. `stack:name` in the quotes reaches another stack.
        - **A field that takes a reference takes a bare name.** What begins like an id (`sg-…`), an ARN, and where it
          is allowed a network, is taken as it is; reserved words have a meaning of their own; `external:name` is a
          name that no stack manages.
        """
}

// MARK: - The parts

extension Page {
    fileprivate mutating func describeWorkspace() {
        heading(2, "The workspace file")
        text("`muster.yaml` says which stacks there are, and what they share.")
        fields(WorkspaceFile.schema)
        heading(3, "A stack")
        text("The path of a spec alone, or a map:")
        fields(WorkspaceFile.stackSchema)
        heading(2, "Variables")
        text(Page.variables)
        fields(VariableDeclaration.schema)
    }

    fileprivate mutating func describeSpec() {
        heading(2, "A spec")
        text("Beside the sections below, a spec has these keys. Keys that begin with `x-` are ignored.")
        table(["Key", "Meaning"], SpecFile.keys.map { ["`\($0.name)`", $0.documentation] })
        heading(3, "In every definition")
        text("Whatever the section or type, a definition may have these fields:")
        fields(CommonFields.all)
        for (key, title, fields) in [
            ("outputs", "An output", StatementReader.outputFields),
            ("import", "An import", StatementReader.importFields),
            ("moved", "A move", StatementReader.movedFields), ("removed", "A removal", StatementReader.removedFields),
        ] {
            heading(3, "\(title) (`\(key)`)")
            self.fields(fields)
        }
    }

    fileprivate mutating func describe(_ section: SectionSchema) {
        heading(3, "`\(section.name)`")
        text(section.summary)
        code(section.example, "yaml")
        fields(section.fields)
        let principals = section.principalTypes.map { "`\($0.rawValue)`" }.joined(separator: ", ")
        if !principals.isEmpty { text("`${\(section.name)[\"name\"].output}` is an output of \(principals).") }
    }

    fileprivate mutating func describe(_ lookup: LookupSchema) {
        heading(3, "`\(lookup.kind)`")
        text(lookup.summary + (lookup.isPinned ? " The answer is kept in the lock file until it is updated." : ""))
        fields(lookup.arguments)
        outputs(lookup.outputs)
    }

    fileprivate mutating func describe(_ schema: ResourceSchema) {
        heading(3, "`\(schema.type.rawValue)`")
        text(schema.summary)
        fields(schema.arguments, showsChange: true)
        outputs(schema.outputs)
        text(Page.facts(schema))
    }

    fileprivate mutating func describe(_ function: FunctionDefinition) {
        heading(3, "`\(function.name)`")
        code(function.signature, "text")
        text(function.documentation)
        for example in function.examples { code("\(example.expression)  →  \(example.result)", "text") }
    }

    private static let variables = """
        `variables:` of a spec says what its stacks can be given. An entry that is no map is the default of a variable
        of any type. `variables:` of the workspace file, or of a stack in it, is a map or the path of a file; entries
        are declarations (maps with `type`, `default` or `secret` and no foreign key) or plain values. A file has
        either one key `variables` with declarations, as in a spec, or the entries themselves.

        The value is the first of: `--var`, `--var-file` (the last file that has it), `with` of the stack, `variables`
        of the stack and then of the workspace, `default`. All but `--var` may use `var`, `stack` and `workspace` in
        expressions. A secret is read when it is needed; it has no default and is given by nothing else.
        """

    private static func facts(_ schema: ResourceSchema) -> String {
        var facts: [String] = ["Import by `\(schema.importSyntax)`."]
        if case .unique(let argument, let length) = schema.naming {
            facts.append("`\(argument)` is unique, with at most \(length) characters.")
        }
        if schema.replacement == .createFirst { facts.append("A successor is made before the old one is deleted.") }
        if !schema.deletionHazards.isEmpty {
            let hazards = schema.deletionHazards.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            facts.append("Deleting one is a hazard: \(hazards).")
        }
        return facts.joined(separator: " ")
    }
}

/// Markdown as it grows.
private struct Page {
    private var blocks: [String] = []

    var finished: String { blocks.joined(separator: "\n\n") + "\n" }

    mutating func text(_ text: String) { blocks.append(text) }
    mutating func heading(_ level: Int, _ title: String) {
        blocks.append(String(repeating: "#", count: level) + " " + title)
    }
    mutating func code(_ text: String, _ language: String) { blocks.append("```\(language)\n\(text)\n```") }

    mutating func table(_ head: [String], _ rows: [[String]]) {
        if rows.isEmpty { return }
        func line(_ cells: [String]) -> String {
            "| " + cells.map { $0.replacing("|", with: "\\|").replacing("\n", with: " ") }.joined(separator: " | ")
                + " |"
        }
        let lines = [line(head), "|" + String(repeating: "---|", count: head.count)] + rows.map(line)
        blocks.append(lines.joined(separator: "\n"))
    }

    mutating func outputs(_ outputs: [OutputSchema]) {
        table(["Output", "Type", "Meaning"], outputs.map { ["`\($0.name)`", $0.type.words, $0.documentation] })
    }

    /// A table of fields; those of nested blocks follow with their path.
    mutating func fields(_ fields: [ArgumentSchema], showsChange: Bool = false) {
        var rows: [[String]] = []
        func append(_ fields: [ArgumentSchema], prefix: String) {
            for field in fields {
                var row = ["`\(prefix)\(field.name)`", field.typeWords, field.documentationWords]
                if showsChange { row.insert(prefix.isEmpty ? field.onChange.words : "", at: 2) }
                rows.append(row)
                let (inner, suffix) = field.type.nested
                append(inner, prefix: "\(prefix)\(field.name)\(suffix).")
            }
        }
        append(fields, prefix: "")
        table(showsChange ? ["Field", "Type", "Change", "Meaning"] : ["Field", "Type", "Meaning"], rows)
    }
}

extension ArgumentSchema {
    fileprivate var typeWords: String { type.words + (isRequired ? ", required" : "") }

    fileprivate var documentationWords: String {
        var words = [documentation]
        words += constraints.compactMap(\.words)
        if let reference { words.append(reference.words) }
        if case .means(let value) = absence, ![.map([:]), .list([]), .null].contains(value) {
            words.append("Default: `\(ValueJSON.text(value))`.")
        }
        return words.joined(separator: " ")
    }
}

extension ArgumentSchema.ChangeBehavior {
    fileprivate var words: String {
        switch self {
        case .update: "in place"
        case .replace: "replaces"
        case .updateWithDowntime: "in place, with downtime"
        case .creationOnly: "used at creation only"
        case .local: "no call"
        }
    }
}

extension ReferenceKind {
    fileprivate var words: String {
        var others = literalPrefixes.map { "`\($0)…`" }
        if allowsCIDR { others.append("a network") }
        others += reserved.map { "`\($0)`" }
        let types = targets.map { "`\($0.type.rawValue)`" }.joined(separator: ", ")
        return "The name of one of \(types)" + (others.isEmpty ? "." : ", or \(others.joined(separator: ", ")).")
    }
}

extension ValueType {
    fileprivate var words: String {
        switch self {
        case .string: "string"
        case .integer: "integer"
        case .number: "number"
        case .boolean: "boolean"
        case .anything: "any"
        case .list(let element): "list of \(element.words)"
        case .set(let element, _): "set of \(element.words)"
        case .map(let element): "map of \(element.words)"
        case .object: "block"
        }
    }

    /// The fields of a block inside, and how the way to it is written.
    fileprivate var nested: (fields: [ArgumentSchema], suffix: String) {
        switch self {
        case .object(let fields): return (fields, "")
        case .list(let element), .set(let element, _):
            let inner = element.nested
            return (inner.fields, "[]\(inner.suffix)")
        case .map(let element):
            let inner = element.nested
            return (inner.fields, ".*\(inner.suffix)")
        case .string, .integer, .number, .boolean, .anything: return ([], "")
        }
    }
}

extension Constraint {
    fileprivate var words: String? {
        func bounds(_ low: Int, _ high: Int) -> String {
            if low == high { return "\(low)" }
            return high == Int.max ? "at least \(low)" : low == Int.min ? "at most \(high)" : "\(low) to \(high)"
        }
        func names(_ names: [String]) -> String { names.map { "`\($0)`" }.joined(separator: ", ") }
        switch self {
        case .allowed(let words): return "One of \(names(words))."
        case .range(let low, let high):
            return "From \(bounds(low, high))."
                .replacing("From at", with: "At")
        case .length(let low, let high): return "\(bounds(low, high)) characters.".capitalisedFirst
        case .pattern(_, let words): return words.capitalisedFirst
        case .cidr: return "A network in CIDR notation."
        case .ipv4CIDR: return "An IPv4 network in CIDR notation."
        case .ipv6CIDR: return "An IPv6 network in CIDR notation."
        case .count(let low, let high): return "\(bounds(low, high)) elements.".capitalisedFirst
        case .conflictsWith(let others): return "Not together with \(names(others))."
        case .exactlyOne(let all): return "Exactly one of \(names(all.sorted()))."
        }
    }
}

extension String {
    fileprivate var capitalisedFirst: String { prefix(1).uppercased() + dropFirst() }
}
