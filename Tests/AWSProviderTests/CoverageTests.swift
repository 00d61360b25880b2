// docs/coverage.md against Terraform's arguments and our schemas: nothing is missing without a reason.

import AWSProvider
import Foundation
import MusterModel
import TestSupport
import Testing

/// One row of a type's table.
private struct CoverageRow {
    /// As Terraform names it; nil where only muster has one.
    var argument: String?
    /// nil where muster has none.
    var here: String?
    var onChange: String
    var note: String
}

private struct CoverageSection {
    var terraformTypes: [String] = []
    var rows: [CoverageRow] = []
}

/// What a Terraform type takes.
private struct TerraformType: Decodable {
    var force_new: [String]
    var in_place: [String]
    var undetermined: [String]?

    var arguments: Set<String> { Set(force_new + in_place + (undetermined ?? [])) }
}

@Suite struct CoverageTests {
    private static let schemas = RecordingAWS().provider.resources

    @Test("The catalog calls every type what its schema calls it")
    func names() {
        let catalog = RecordingAWS().provider.catalog
        #expect(catalog.types == catalog.resources.map(\.type))
        #expect(catalog.types.allSatisfy { catalog[$0]?.type == $0 })
        #expect(Set(catalog.types).count == catalog.types.count)
    }

    @Test("Every argument of Terraform and of muster is in the coverage table", arguments: schemas.map(\.type))
    func coverage(of type: ResourceType) throws {
        let schema = try #require(Self.schemas.first { $0.type == type })
        let section = try #require(
            try Self.sections()[type.rawValue], "docs/coverage.md has no section \"## \(type)\"")
        let terraform = try Self.terraform()
        var arguments: Set<String> = []
        var forcing: Set<String> = []
        for name in section.terraformTypes {
            let known = try #require(terraform[name], "\(name) is not in aws-immutability.json")
            arguments.formUnion(known.arguments)
            forcing.formUnion(known.force_new)
        }

        let named = section.rows.compactMap(\.argument)
        for argument in arguments.subtracting(named).sorted() {
            Issue.record("\(argument) has no row")
        }
        for argument in Set(named).subtracting(arguments).sorted() {
            Issue.record("\(argument) is no argument of \(section.terraformTypes)")
        }
        for argument in named where named.filter({ $0 == argument }).count > 1 {
            Issue.record("\(argument) has two rows")
        }
        for row in section.rows { check(row, schema, isForcing: row.argument.map(forcing.contains)) }
        let described = Set(section.rows.compactMap(\.here).map { String($0.prefix { $0 != "." }) })
        for argument in schema.arguments where !described.contains(argument.name) {
            Issue.record("our argument \(argument.name) has no row")
        }
    }

    private func check(_ row: CoverageRow, _ schema: ResourceSchema, isForcing: Bool?) {
        let title = row.argument ?? row.here ?? "?"
        guard let here = row.here else {
            if row.note.isEmpty { Issue.record("\(title) is left out without a reason") }
            return
        }
        guard let argument = Self.argument(here, in: schema) else {
            Issue.record("\(title): the schema has no \(here)")
            return
        }
        if row.argument == nil, row.note.isEmpty {
            Issue.record("\(title) is ours alone; the note should say what for")
        }
        let replaces = argument.onChange == .replace
        if row.onChange != Self.words[argument.onChange] {
            Issue.record("\(title): the schema says \(Self.words[argument.onChange] ?? "?"), not \(row.onChange)")
        }
        if let isForcing, isForcing != replaces, row.note.isEmpty {
            Issue.record(
                "\(title): Terraform \(isForcing ? "replaces" : "updates"), muster does not; the note must say why")
        }
    }

    private static let words: [ArgumentSchema.ChangeBehavior: String] = [
        .update: "update", .replace: "replace", .updateWithDowntime: "update with downtime",
        .creationOnly: "creation only", .local: "local",
    ]

    /// `dns_options.dns_record_ip_type` is a member of an object, of a list or of a set of objects.
    private static func argument(_ path: String, in schema: ResourceSchema) -> ArgumentSchema? {
        var names = path.split(separator: ".").map(String.init)
        guard !names.isEmpty, var argument = schema.argument(names.removeFirst()) else { return nil }
        for name in names {
            guard let member = members(of: argument.type).first(where: { $0.name == name }) else { return nil }
            argument = member
        }
        return argument
    }

    private static func members(of type: ValueType) -> [ArgumentSchema] {
        switch type {
        case .object(let members): members
        case .list(let element), .set(let element, _), .map(let element): members(of: element)
        default: []
        }
    }

    // MARK: Reading

    private static func terraform() throws -> [String: TerraformType] {
        let text = try #require(goldenText(named: "aws-immutability.json"))
        return try JSONDecoder().decode([String: TerraformType].self, from: Data(text.utf8))
    }

    private static func sections() throws -> [String: CoverageSection] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/coverage.md")
        var sections: [String: CoverageSection] = [:]
        var current: String?
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            if line.hasPrefix("## ") {
                let name = String(line.dropFirst(3))
                current = name
                sections[name] = CoverageSection()
            } else if let current, line.hasPrefix("Terraform: ") {
                sections[current]?.terraformTypes = line.split(separator: "`").enumerated()
                    .filter { $0.offset % 2 == 1 }.map { String($0.element) }
            } else if let current, line.hasPrefix("|") {
                if let row = row(line) { sections[current]?.rows.append(row) }
            }
        }
        return sections
    }

    /// nil for the head of a table.
    private static func row(_ line: Substring) -> CoverageRow? {
        var cells = line.split(separator: "|", maxSplits: 4, omittingEmptySubsequences: false).dropFirst()
            .map { $0.trimmingCharacters(in: .whitespaces) }
        guard cells.count == 4, cells[0] != "Argument", !cells[0].hasPrefix("---") else { return nil }
        if cells[3].hasSuffix("|") { cells[3] = cells[3].dropLast().trimmingCharacters(in: .whitespaces) }
        let name = { (cell: String) in cell == "–" ? nil : cell.replacingOccurrences(of: "`", with: "") }
        return CoverageRow(argument: name(cells[0]), here: name(cells[1]), onChange: cells[2], note: cells[3])
    }
}
