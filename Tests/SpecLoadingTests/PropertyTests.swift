import Diagnostics
import MusterModel
import SpecLoading
import TestSupport
import Testing

@Suite("Whatever a spec says")
struct PropertyTests {
    /// Words that mean something somewhere, and some that never do.
    static let words =
        Fixture.sections.flatMap { [$0.name] + $0.fields.map(\.name) }
        + [
            "resources", "lookups", "images", "aws.net", "aws.group", "outputs", "uses", "variables", "import", "moved",
            "removed", "allow", "count", "for_each", "depends_on", "lifecycle", "timeouts", "prevent_destroy", "value",
            "secret", "type", "default", "from", "to", "id", "main", "app", "a", "x-y", "", "self", "any", "true",
            "yes", "null", "~", "0", "-1", "3", "10000", "1e3", "0644", "99999999999999999999", "1.5", "10.0.0.0/8",
            "::/0", "sg-1", "app:main", "nets.main", "aws.net/main", "env:A", "10m", "string", "list(integer)",
            "é\u{301}",
        ]
    static let expressions = [
        "${var.a}", "${var.b}", "x${var.a}y", "${each.key}", "${each.value}", "${index}", "${nets.main.id}",
        "${lookups.images.a.id}", "${lookups.images}", "${outputs[\"a\"]}", "${[1, \"a\"]}", "${{ a: 1 }}", "${null}",
        "${1 / 0}", "${", "$${", "${var}", "${var[nets.a.id]}", "${nope.a}", "${if(nets.a.id == 1, var.a, 2)}",
        "${stack.name}", "${stack.account}", "${file(\"x\")}",
    ]

    /// Flow YAML, so that nesting needs no indentation.
    static func value(_ generator: inout SeededGenerator, depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 4 ? 3 : 7), using: &generator) {
        case 0, 1: return scalar(&generator)
        case 2: return "'" + generator.pick(expressions) + "'"
        case 3:
            let items = (0..<Int.random(in: 0..<4, using: &generator)).map { _ in
                value(&generator, depth: depth + 1)
            }
            return "[" + items.joined(separator: ", ") + "]"
        default: return map(&generator, depth: depth)
        }
    }

    static func map(_ generator: inout SeededGenerator, depth: Int) -> String {
        var entries: [String] = []
        var keys: Set<String> = []
        for _ in 0..<Int.random(in: 0..<6, using: &generator) {
            let key = generator.oneIn(12) ? "'" + generator.pick(expressions) + "'" : scalar(&generator)
            if keys.insert(key).inserted { entries.append("\(key): \(value(&generator, depth: depth + 1))") }
        }
        return "{" + entries.joined(separator: ", ") + "}"
    }

    static func scalar(_ generator: inout SeededGenerator) -> String {
        let word = generator.pick(words)
        return generator.oneIn(3) ? "\"\(word)\"" : word.isEmpty || word.contains(":") ? "'\(word)'" : word
    }

    @Test("Loading ends with declarations or complaints, and complaints are the same each time")
    func neverCrashes() {
        var generator = SeededGenerator.fromEnvironment()
        let tops = [
            "nets", "groups", "resources", "lookups", "outputs", "uses", "variables", "import", "moved", "removed",
        ]
        for _ in 0..<150 {
            var spec = ""
            for top in tops where !generator.oneIn(3) { spec += "\(top): \(Self.value(&generator, depth: 0))\n" }
            var workspace = Workspace(spec: spec)
            if generator.oneIn(4) { workspace.files["muster.yaml"] = Self.map(&generator, depth: 0) }
            let first = DiagnosticRenderer(isColoured: false).render(workspace.expanded().diagnostics)
            #expect(first == workspace.complaints(), "\(spec)")
        }
    }

    @Test("A file that was cut, doubled or stirred is answered")
    func damagedFiles() {
        var generator = SeededGenerator.fromEnvironment()
        let sources = (MeaningTests.cases + ComplaintTests.cases).map(\.workspace).filter { !$0.files.isEmpty }
        for _ in 0..<150 {
            var workspace = generator.pick(sources)
            let path = generator.pick(workspace.files.keys.sorted())
            var text = Array((workspace.files[path] ?? "").unicodeScalars)
            for _ in 0..<Int.random(in: 1..<6, using: &generator) where !text.isEmpty {
                let start = Int.random(in: 0..<text.count, using: &generator)
                let end = min(text.count, start + Int.random(in: 1..<30, using: &generator))
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: text.removeSubrange(start..<end)
                case 1: text.insert(contentsOf: text[start..<end], at: generator.oneIn(2) ? 0 : end)
                default: text[start] = generator.pick(Array("{}[]:$\"'\n -,&*!|>#\t\u{0}é".unicodeScalars))
                }
            }
            var damaged = String.UnicodeScalarView()
            damaged.append(contentsOf: text)
            workspace.files[path] = String(damaged)
            _ = workspace.complaints()
        }
    }

    @Test("Every value of a variable reaches the text of a field unchanged")
    func textIsKept() throws {
        var generator = SeededGenerator.fromEnvironment()
        let characters = Array("abc019 .:-_/#'\"\\${}[]&*!|%@`,?<>=~éß漢\t")
        for _ in 0..<200 {
            let text = String((0..<Int.random(in: 1..<12, using: &generator)).map { _ in generator.pick(characters) })
            let workspace = Workspace(
                spec: """
                    variables: { a: { type: string } }
                    nets: { main: { cidr_block: 10.0.0.0/8, tags: { Key: "${var.a}" } } }
                    """
            ).giving(["a": text])
            let definition = try #require(workspace.expanded().expanded?.definitions.first)
            #expect(definition.body["tags"]?["Key"]?.value == .string(text))
        }
    }

    @Test("Unquoted text that stands for anything is itself again as text")
    func anythingIsLossless() throws {
        var generator = SeededGenerator.fromEnvironment()
        let characters = Array("0123456789.-+eE_xtrufalsn")
        for _ in 0..<300 {
            let text = String((0..<Int.random(in: 1..<10, using: &generator)).map { _ in generator.pick(characters) })
            if ["null", "-", "e", "E"].contains(text) || text.hasPrefix("- ") || text.hasPrefix("-") && text.count == 1
            {
                continue
            }
            let workspace = Workspace(
                spec:
                    "outputs: { a: { value: \(text) } }\nnets: { n: { for_each: { k: \(text) }, cidr_block: 10.0.0.0/8, "
                    + "tags: { a: \"${each.value}\" } } }\n")
            let expanded = try #require(workspace.expanded().expanded)
            #expect(expanded.definitions.first?.body["tags"]?["a"]?.value == .string(text), "\(workspace.complaints())")
        }
    }
}
