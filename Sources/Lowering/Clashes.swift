import Diagnostics
import MusterModel

extension LoweringResult {
    /// Complains of names that are taken twice, and leaves the first holder of each.
    mutating func reportClashes() {
        var positions: [Address: Int] = [:]
        positions.reserveCapacity(declarations.count)
        var kept: [Declaration] = []
        kept.reserveCapacity(declarations.count)
        var records: [RecordKey: Int] = [:]
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
            positions[declaration.address] = kept.count
            kept.append(declaration)
        }
        declarations = kept
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

    fileprivate static func duplicateRecord(_ later: Declaration, _ earlier: Declaration) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-record", summary: "Duplicate record",
            detail: "\(later.address) and \(earlier.address) are the same record: zone, name and type are equal.",
            at: later.range, related: earlier.range.map { [.init(range: $0, message: "the first is here")] } ?? [],
            hint: "Give each a \"set_identifier\" and a routing policy, or write all answers into one.")
    }
}
