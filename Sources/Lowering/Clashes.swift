import Diagnostics
import MusterModel

extension LoweringResult {
    /// Complains of names that are taken twice, and leaves the first holder of each.
    mutating func reportClashes(_ catalog: Catalog) {
        var positions: [Address: Int] = [:]
        positions.reserveCapacity(declarations.count)
        var kept: [Declaration] = []
        kept.reserveCapacity(declarations.count)
        var records: [RecordKey: Int] = [:]
        var names: [NameKey: Int] = [:]
        for declaration in declarations {
            if let earlier = positions[declaration.address] {
                diagnostics.append(.duplicateName(declaration, kept[earlier]))
                continue
            }
            if let key = RecordKey(declaration) {
                if let earlier = records[key] {
                    diagnostics.append(.duplicateRecord(declaration, kept[earlier]))
                } else {
                    records[key] = kept.count
                }
            }
            if let key = NameKey(declaration, catalog) {
                if let earlier = names[key] {
                    diagnostics.append(.nameTaken(key.name, declaration, kept[earlier]))
                } else {
                    names[key] = kept.count
                }
            }
            positions[declaration.address] = kept.count
            kept.append(declaration)
        }
        declarations = kept
    }
}

extension LoweringResult {
    /// Complains of names in `ignore_changes` that are no arguments.
    mutating func checkIgnoredArguments(_ catalog: Catalog) {
        for declaration in declarations where !declaration.lifecycle.ignoreChanges.isEmpty {
            guard let schema = catalog[declaration.address.type] else { continue }
            let known = schema.arguments.map(\.name)
            for name in declaration.lifecycle.ignoreChanges.sorted() where !known.contains(name) {
                diagnostics.append(.unknownIgnored(name, known, declaration))
            }
        }
    }
}

/// The name of an object in the cloud, where one scope has no two of a name.
private struct NameKey: Hashable {
    let stack: String
    let type: ResourceType
    /// The VPC or the role that the name belongs to.
    let owner: [String]
    let name: String

    init?(_ declaration: Declaration, _ catalog: Catalog) {
        // Records have a key of their own; the names of hosted zones need not be unique.
        guard declaration.address.type != "aws.dns_record",
            case .unique(let argument, _)? = catalog[declaration.address.type]?.naming,
            let name = declaration.arguments[argument]?.string
        else { return nil }
        stack = declaration.address.stack
        type = declaration.address.type
        owner = ["vpc_id", "role"].compactMap { declaration.arguments[$0]?.nameText }
        self.name = name
    }
}

/// What tells records apart in Route 53, where two addresses may stand for one record.
private struct RecordKey: Hashable {
    let zone: Value
    let name: String
    let type: Value
    let identifier: Value?

    init?(_ declaration: Declaration) {
        guard declaration.address.type == "aws.dns_record", let zone = declaration.arguments["zone_id"],
            let name = declaration.arguments["name"]?.withoutTrailingDot.string,
            let type = declaration.arguments["type"]
        else { return nil }
        // Two references to one zone are equal only if their places do not count.
        self.zone = .string(zone.nameText)
        self.name = name.lowercased()
        self.type = type
        identifier = declaration.arguments["set_identifier"]
    }
}

extension Diagnostic {
    fileprivate static func duplicateName(_ later: Declaration, _ earlier: Declaration) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-name", summary: "Duplicate name",
            detail: "\(later.address) is declared twice; one name stands for one resource of its type in a stack.",
            at: later.range, related: earlier.range.map { [.init(range: $0, message: "first declared here")] } ?? [],
            hint: "Rename one of them; the name that the cloud shows can be set with \"name:\".")
    }

    fileprivate static func unknownIgnored(
        _ name: String, _ known: [String], _ declaration: Declaration
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-argument", summary: "Unknown argument",
            detail: "\"ignore_changes\" names \(name.quoted), which is not an argument of \(declaration.address.type).",
            at: declaration.range, hint: Suggestion.hint(for: name, among: known))
    }

    fileprivate static func nameTaken(_ name: String, _ later: Declaration, _ earlier: Declaration) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-name", summary: "Duplicate name",
            detail: "\(later.address) and \(earlier.address) are both named \(name.quoted) in the cloud, "
                + "where such a name is unique.", at: later.range,
            related: earlier.range.map { [.init(range: $0, message: "the first is here")] } ?? [],
            hint: "Give one of them another name with \"name:\".")
    }

    fileprivate static func duplicateRecord(_ later: Declaration, _ earlier: Declaration) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-record", summary: "Duplicate record",
            detail: "\(later.address) and \(earlier.address) are the same record: zone, name and type are equal.",
            at: later.range, related: earlier.range.map { [.init(range: $0, message: "the first is here")] } ?? [],
            hint: "Give each a \"set_identifier\" and a routing policy, or write all answers into one.")
    }
}
